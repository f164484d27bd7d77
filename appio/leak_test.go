package appio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/internal/leaktest"
	"github.com/flussi-go/flussi/internal/must"
)

func TestNothingSecretIsShown(t *testing.T) {
	s := leaktest.NewThorough()
	result := func(v any, err error) {
		s.PrintError(err)
		s.Print(v)
	}
	secrets := []string{secretKey, secretCode, secretSubject, secretText, "301005100001400678", "segreto@example.it", "auth-segreto"}
	synctest.Test(t, func(t *testing.T) {
		for _, fault := range append(appiotest.Faults(), appiotest.Fault{}) {
			p := newPlatform(t, appiotest.Config{}, func(c *appio.Config) {
				c.Logger, c.MaxAttempts = s.Logger(), 2
				c.Attempted = func(_ context.Context, a flussi.Attempt) { s.Print(a) }
			})
			for _, op := range []appiotest.Operation{appiotest.SubmitMessage, appiotest.GetMessage, appiotest.GetProfile, appiotest.GetFeed} {
				if fault.Kind != "" {
					p.Fail(op, fault, fault)
				}
			}
			m := message(t, 1)
			m.Payment = payment(t)
			m.CovidCertificate = flussi.NewText("auth-segreto")
			result(p.client.Submit(t.Context(), m))
			result(p.client.Message(t.Context(), m.To, "01JN6Q5CZ3VGTA4X4QJEFR95C1"))
			result(p.client.Profile(t.Context(), m.To))
			result(p.client.Feed(t.Context(), time.Now()))
			for _, v := range []any{m, m.Payment, p.client, *p.client} {
				s.Print(v)
			}
			for _, d := range p.Deliveries() {
				s.Print(d)
			}
			p.close()
		}
	})
	// A platform and a transport that quote everything back: the profile's, what its request held.
	all, profile := strings.Join(secrets, " "), strings.Join([]string{secretKey, secretCode, "segreto@example.it"}, " ")
	quote := func(all string) string {
		return string(must.Get(json.Marshal(map[string]any{"type": all, "title": all, "detail": all, "instance": all, "status": 400, "message": all, "id": nil}))(t))
	}
	whole := message(t, 1)
	whole.Payment, whole.CovidCertificate = payment(t), flussi.NewText("auth-segreto")
	for _, status := range []int{200, 201, 400, 401, 403, 404, 429, 500, 502} {
		for _, kind := range []string{"application/problem+json", "application/json", "text/" + secretCode} {
			client := clientOf(t, func(r *http.Request) (*http.Response, error) {
				said := all
				if strings.HasSuffix(r.URL.Path, "/profiles") {
					said = profile
				}
				return answer(status, quote(said), map[string]string{"Content-Type": kind, "Location": "/messages/" + secretCode, "Retry-After": all}), nil
			})
			result(client.Submit(t.Context(), whole))
			result(client.Profile(t.Context(), message(t, 1).To))
		}
	}
	for _, cause := range []error{errors.New(all), fmt.Errorf("%s: %w", all, context.DeadlineExceeded)} {
		client := clientOf(t, func(*http.Request) (*http.Response, error) { return nil, cause })
		result(client.Submit(t.Context(), message(t, 1)))
	}
	// What is not valid, and what no request is made of.
	m := message(t, 1)
	m.Subject, m.Content = flussi.NewText(secretCode[:9]), flussi.NewText("---\n"+secretText)
	s.PrintError(m.Validate())
	_, err := appio.Markdown(secretText, appio.Button{Label: secretSubject, Link: secretCode})
	s.PrintError(err)
	k := key(t, secretKey)
	s.Print(k)
	s.Print(&k)
	s.Print(struct{ k flussi.Key }{k})
	s.Check(t, append(secrets, secretCode[:9])...)
}
