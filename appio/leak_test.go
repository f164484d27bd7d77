package appio_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
)

// sweep collects everything that a program might print, and looks for secrets in it.
type sweep struct {
	out  bytes.Buffer
	logs [2]*slog.Logger
}

func newSweep() *sweep {
	s := &sweep{}
	options := &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: flussi.MaskAttr}
	s.logs = [2]*slog.Logger{
		slog.New(slog.NewTextHandler(&s.out, &slog.HandlerOptions{Level: slog.LevelDebug})),
		slog.New(slog.NewJSONHandler(&s.out, options)),
	}
	return s
}

// print prints a value in every way, bare and inside other values.
func (s *sweep) print(v any) {
	for verb := 'A'; verb <= 'z'; verb++ {
		for _, flags := range []string{"", "+", "#"} {
			format := "%" + flags + string(verb) + "\n"
			fmt.Fprintf(&s.out, format, v)
			fmt.Fprintf(&s.out, format, struct{ hidden any }{v})
		}
	}
	for _, l := range s.logs {
		l.Info("m", "value", v, "list", []any{v}, "struct", struct{ V any }{v})
	}
}

// printError prints an error and all that it wraps but the causes that come from
// elsewhere.
func (s *sweep) printError(err error) {
	s.print(err)
	fmt.Fprintln(&s.out, flussi.Explain(err))
	var failed *flussi.RemoteError
	if errors.As(err, &failed) {
		s.print(failed.Problem)
		if failed.Problem != nil {
			s.print(*failed.Problem)
		}
	}
	var invalid *flussi.InvalidError
	if errors.As(err, &invalid) {
		for _, f := range invalid.Fields {
			s.print(f)
		}
	}
}

func (s *sweep) check(t *testing.T, secrets ...string) {
	t.Helper()
	printed := strings.ToLower(s.out.String())
	for _, secret := range secrets {
		for _, form := range []string{secret, fmt.Sprintf("%x", secret), strings.Trim(fmt.Sprint([]byte(secret)), "[]")} {
			if at := strings.Index(printed, strings.ToLower(form)); at >= 0 {
				t.Fatalf("%q is shown: …%s…", secret, printed[max(0, at-200):min(len(printed), at+100)])
			}
		}
	}
}

func TestNothingSecretIsShown(t *testing.T) {
	s := newSweep()
	secrets := []string{secretKey, secretCode, secretSubject, secretText, "301005100001400678", "123456789012345", "segreto@example.it", "auth-segreto"}
	synctest.Test(t, func(t *testing.T) {
		for _, logger := range s.logs {
			for _, fault := range append(appiotest.Faults(), appiotest.Fault{}) {
				p := newPlatform(t, appiotest.Config{}, func(c *appio.Config) { c.Logger, c.MaxAttempts = logger, 2 })
				for _, op := range []appiotest.Operation{appiotest.SubmitMessage, appiotest.GetMessage, appiotest.GetProfile, appiotest.GetFeed} {
					if fault.Kind != "" {
						p.Fail(op, fault, fault)
					}
				}
				m := message(t, 1)
				m.Payment = payment(t)
				m.Prescription = &appio.Prescription{NRE: flussi.NewText("123456789012345")}
				m.DefaultEmail, m.CovidCertificate = flussi.NewText("segreto@example.it"), flussi.NewText("auth-segreto")
				receipt, err := p.client.Submit(t.Context(), m)
				s.printError(err)
				s.print(receipt)
				state, err := p.client.Message(t.Context(), m.To, "01JN6Q5CZ3VGTA4X4QJEFR95C1")
				s.printError(err)
				s.print(state)
				_, err = p.client.Profile(t.Context(), m.To)
				s.printError(err)
				_, err = p.client.Feed(t.Context(), time.Now())
				s.printError(err)
				s.print(m)
				s.print(m.Payment)
				s.print(m.Prescription)
				s.print(p.client)
				s.print(*p.client)
				for _, d := range p.Deliveries() {
					s.print(d)
				}
				p.close()
			}
		}
	})
	// A platform and a transport that quote everything back.
	all := strings.Join(secrets, " ")
	quoted, err := json.Marshal(map[string]any{"type": all, "title": all, "detail": all, "instance": all, "status": 400, "message": all, "id": nil})
	require.NoError(t, err)
	for _, status := range []int{200, 201, 400, 401, 403, 404, 429, 500, 502} {
		for _, kind := range []string{"application/problem+json", "application/json", "text/" + secretCode} {
			client := clientOf(t, func(*http.Request) (*http.Response, error) {
				return answer(status, string(quoted), map[string]string{"Content-Type": kind, "Location": "/messages/" + secretCode, "Retry-After": all}), nil
			})
			_, err := client.Submit(t.Context(), message(t, 1))
			s.printError(err)
			_, err = client.Profile(t.Context(), message(t, 1).To)
			s.printError(err)
		}
	}
	for _, cause := range []error{errors.New(all), fmt.Errorf("%s: %w", all, context.DeadlineExceeded)} {
		client := clientOf(t, func(*http.Request) (*http.Response, error) { return nil, cause })
		_, err := client.Submit(t.Context(), message(t, 1))
		s.printError(err)
	}
	// What is not valid, and what no request is made of.
	m := message(t, 1)
	m.Subject, m.Content = flussi.NewText(secretCode[:9]), flussi.NewText("---\n"+secretText)
	s.printError(m.Validate())
	_, err = appio.Markdown(secretText, appio.Button{Label: secretSubject, Link: secretCode})
	s.printError(err)
	k := key(t, secretKey)
	s.print(k)
	s.print(&k)
	s.print(struct{ k flussi.Key }{k})
	marshalled, err := json.Marshal(k)
	require.NoError(t, err)
	s.out.Write(marshalled)
	s.check(t, append(secrets, secretCode[:9])...)
}
