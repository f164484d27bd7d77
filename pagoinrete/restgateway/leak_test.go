package restgateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/restgateway"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
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

// result prints what came of a call.
func (s *sweep) result(v any, err error) {
	if err == nil {
		s.print(v)
		return
	}
	s.printError(err)
}

// printError prints an error, if there is one, and what is in it.
func (s *sweep) printError(err error) {
	if err == nil {
		return
	}
	s.print(err)
	fmt.Fprintln(&s.out, flussi.Explain(err))
	var failed *flussi.RemoteError
	if errors.As(err, &failed) {
		s.print(*failed)
		s.print(failed.Problem)
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
		require.NotEmpty(t, secret)
		for _, form := range []string{secret, fmt.Sprintf("%x", secret), strings.Trim(fmt.Sprint([]byte(secret)), "[]")} {
			if at := strings.Index(printed, strings.ToLower(form)); at >= 0 {
				t.Fatalf("%q is shown: …%s…", secret, printed[max(0, at-200):min(len(printed), at+100)])
			}
		}
	}
}

// Every call, with every fault, as it is and printed in every way, to loggers of two kinds.
func TestNothingSecretIsShown(t *testing.T) {
	s := newSweep()
	secrets := []string{clientKey, secretDebtor, secretPayer, secretName}
	synctest.Test(t, func(t *testing.T) {
		for i, fault := range append(restgatewaytest.Faults(), restgatewaytest.Fault{}, restgatewaytest.Fault{}) {
			p := newFaulty(t, func(c *restgateway.Config) { c.Logger, c.MaxAttempts = s.logs[i%2], 2 })
			e, n := p.ready(t, pagoinrete.EventNotified)
			p.LogIn(n.Payer)
			require.True(t, p.Pay(n.ID, n.Due()))
			secrets = append(secrets, n.Number.Reveal(), n.IUV().Reveal())
			for _, op := range restgatewaytest.Operations() {
				if fault.Kind != "" {
					p.Fail(op, fault, fault)
				}
			}
			event, err := p.client.PutEvent(t.Context(), clientOffice(), clientEvent(t))
			s.result(event, err)
			event, err = p.client.Event(t.Context(), e.ID)
			s.result(event, err)
			event, err = p.client.MoveEvent(t.Context(), clientPrincipal(), e.ID, pagoinrete.EventReject, flussi.NewText(secretName))
			s.result(event, err)
			notice, err := p.client.PutNotice(t.Context(), clientOffice(), n)
			s.result(notice, err)
			notice, err = p.client.MoveNotice(t.Context(), clientOffice(), n.ID, pagoinrete.NoticeCancel, pagoinrete.Proof{})
			s.result(notice, err)
			all, err := p.client.Notices(t.Context(), []uuid.UUID{n.ID})
			s.result(all, err)
			_, err = p.client.Receipt(t.Context(), n.ID)
			s.printError(err)
			pdf, err := p.client.NoticePDF(t.Context(), n.ID)
			s.printError(err)
			if err == nil {
				s.print(pdf)
				_, err = io.Copy(io.Discard, pdf)
				s.printError(err)
				s.print(pdf)
				require.NoError(t, pdf.Close())
			}
			if fault.Kind == "" {
				s.print(p.client)
				s.print(*p.client)
				s.print(p.Notices())
				s.print(p.Events())
			}
			p.close()
		}
	})
	// A platform and a transport that quote everything back.
	all := strings.Join(secrets[:6], " ")
	quoted, err := json.Marshal(map[string]any{
		"type": all, "title": all, "detail": all, "instance": all, "status": 400, "message": all,
		"id": all, "remote_id": all, "state": all, "number": all, "rejection": all, "reference": all, "date": all, "psp": all, "notice": all,
	})
	require.NoError(t, err)
	call := func(t *testing.T, client *restgateway.Client) {
		e := clientEvent(t)
		_, err := client.PutEvent(t.Context(), clientOffice(), e)
		s.printError(err)
		_, err = client.PutNotice(t.Context(), clientOffice(), clientNotice(t, e))
		s.printError(err)
		_, err = client.Notices(t.Context(), []uuid.UUID{e.ID})
		s.printError(err)
		_, err = client.Receipt(t.Context(), e.ID)
		s.printError(err)
		pdf, err := client.NoticePDF(t.Context(), e.ID)
		s.printError(err)
		if err == nil {
			_, err = io.ReadAll(pdf)
			s.printError(err)
		}
	}
	statuses := []int{200, 201, 400, 401, 403, 404, 409, 422, 429, 500, 502}
	if testing.Short() {
		statuses = []int{200, 400, 500}
	}
	synctest.Test(t, func(t *testing.T) {
		for _, status := range statuses {
			for _, kind := range []string{"application/problem+json", "application/json", "application/pdf", "text/" + secretDebtor} {
				call(t, clientOf(t, func(*http.Request) (*http.Response, error) {
					r := answer(status, kind, string(quoted))
					r.Header.Set("Location", "/"+secretDebtor)
					r.Header.Set("Retry-After", all)
					return r, nil
				}))
			}
		}
		for _, cause := range []error{errors.New(all), fmt.Errorf("%s: %w", all, context.DeadlineExceeded)} {
			call(t, clientOf(t, func(*http.Request) (*http.Response, error) { return nil, cause }))
			call(t, clientOf(t, func(*http.Request) (*http.Response, error) {
				r := answer(200, "application/pdf", "")
				r.Body = io.NopCloser(io.MultiReader(strings.NewReader("%PDF-"), failing{cause}))
				return r, nil
			}))
		}
	})
	// What no request is made of.
	client := clientOf(t, func(*http.Request) (*http.Response, error) { return nil, errors.New("not asked") })
	n := clientNotice(t, clientEvent(t))
	n.Discount, n.DebtorName = n.Amount, flussi.NewText(secretName+"\x00")
	_, err = client.PutNotice(t.Context(), clientOffice(), n)
	s.printError(err)
	_, err = flussi.ParseKey(clientKey + " " + clientKey)
	s.printError(err)
	k := clientCredentials(t, clientKey)
	s.print(k)
	s.print(&k)
	s.print(struct{ k flussi.Key }{k})
	marshalled, err := json.Marshal(k)
	require.NoError(t, err)
	s.out.Write(marshalled)
	s.check(t, secrets...)
}

// failing is a reader that fails.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// Nothing that is known of a person stands in an address, where logs of servers keep it.
func TestAddressesHoldNothingPersonal(t *testing.T) {
	p := newPlatform(t, nil)
	defer p.close()
	e, n := p.ready(t, pagoinrete.EventNotified)
	var addresses []string
	client := clientOf(t, func(r *http.Request) (*http.Response, error) {
		addresses = append(addresses, r.URL.String())
		return answer(400, "", ""), nil
	})
	for _, call := range append(readings(e, n), reading{"", func(ctx context.Context, c *restgateway.Client) error {
		_, err := c.PutNotice(ctx, clientOffice(), n)
		return err
	}}, reading{"", func(ctx context.Context, c *restgateway.Client) error {
		_, err := c.MoveNotice(ctx, clientOffice(), n.ID, pagoinrete.NoticeRefund, pagoinrete.Proof{Reference: secretName, Amount: 1, Date: time.Now()})
		return err
	}}) {
		assert.Error(t, call.do(t.Context(), client))
	}
	assert.Len(t, addresses, 6)
	for _, address := range addresses {
		for _, secret := range []string{secretDebtor, secretPayer, secretName, n.Number.Reveal(), clientOffice().ID, "?"} {
			assert.NotContains(t, address, secret)
		}
		assert.Regexp(t, `^http://localhost/schools/RMIC8GA002/(events|notices)/([0-9a-f-]{36}|query)(/[a-z-]+)?$`, address)
	}
}
