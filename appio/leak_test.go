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

	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/internal/leaktest"
)

func TestNothingSecretIsShown(t *testing.T) {
	s := leaktest.NewThorough()
	secrets := []string{secretKey, secretCode, secretSubject, secretText, "301005100001400678", "123456789012345", "segreto@example.it", "auth-segreto"}
	synctest.Test(t, func(t *testing.T) {
		for _, fault := range append(appiotest.Faults(), appiotest.Fault{}) {
			p := newPlatform(t, appiotest.Config{}, func(c *appio.Config) { c.Logger, c.MaxAttempts = s.Logger(), 2 })
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
			s.PrintError(err)
			s.Print(receipt)
			state, err := p.client.Message(t.Context(), m.To, "01JN6Q5CZ3VGTA4X4QJEFR95C1")
			s.PrintError(err)
			s.Print(state)
			_, err = p.client.Profile(t.Context(), m.To)
			s.PrintError(err)
			_, err = p.client.Feed(t.Context(), time.Now())
			s.PrintError(err)
			s.Print(m)
			s.Print(m.Payment)
			s.Print(m.Prescription)
			s.Print(p.client)
			s.Print(*p.client)
			for _, d := range p.Deliveries() {
				s.Print(d)
			}
			p.close()
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
			s.PrintError(err)
			_, err = client.Profile(t.Context(), message(t, 1).To)
			s.PrintError(err)
		}
	}
	for _, cause := range []error{errors.New(all), fmt.Errorf("%s: %w", all, context.DeadlineExceeded)} {
		client := clientOf(t, func(*http.Request) (*http.Response, error) { return nil, cause })
		_, err := client.Submit(t.Context(), message(t, 1))
		s.PrintError(err)
	}
	// What is not valid, and what no request is made of.
	m := message(t, 1)
	m.Subject, m.Content = flussi.NewText(secretCode[:9]), flussi.NewText("---\n"+secretText)
	s.PrintError(m.Validate())
	_, err = appio.Markdown(secretText, appio.Button{Label: secretSubject, Link: secretCode})
	s.PrintError(err)
	k := key(t, secretKey)
	s.Print(k)
	s.Print(&k)
	s.Print(struct{ k flussi.Key }{k})
	s.Check(t, append(secrets, secretCode[:9])...)
}
