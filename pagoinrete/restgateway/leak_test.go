package restgateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/leaktest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/restgateway"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

// printError prints an error, if there is one, and the struct that a RemoteError is.
func printError(r *leaktest.Recorder, err error) {
	if err == nil {
		return
	}
	var failed *flussi.RemoteError
	if errors.As(r.PrintError(err), &failed) {
		r.Print(*failed)
	}
}

// Every call, with every fault, printed in every way.
func TestNothingSecretIsShown(t *testing.T) {
	s := leaktest.NewThorough()
	result := func(v any, err error) {
		printError(s, err)
		if err == nil {
			s.Print(v)
		}
	}
	secrets := []string{clientKey, secretDebtor, secretPayer, secretName}
	synctest.Test(t, func(t *testing.T) {
		for _, fault := range append(restgatewaytest.Faults(), restgatewaytest.Fault{}) {
			p := newFaulty(t, func(c *restgateway.Config) {
				c.Logger, c.MaxAttempts = s.Logger(), 2
				c.Attempted = func(_ context.Context, a flussi.Attempt) { s.Print(a) }
			})
			e, n := p.ready(t, pagoinrete.EventNotified)
			p.LogIn(n.Payer)
			require.True(t, p.Pay(n.ID, n.Due()))
			secrets = append(secrets, n.Number.Reveal(), n.IUV().Reveal())
			for _, op := range restgatewaytest.Operations() {
				if fault.Kind != "" {
					p.Fail(op, fault, fault)
				}
			}
			result(p.client.PutEvent(t.Context(), clientOffice(), clientEvent(t)))
			result(p.client.Event(t.Context(), e.ID))
			result(p.client.MoveEvent(t.Context(), clientPrincipal(), e.ID, pagoinrete.EventReject, flussi.NewText(secretName)))
			result(p.client.PutNotice(t.Context(), clientOffice(), n))
			result(p.client.MoveNotice(t.Context(), clientOffice(), n.ID, pagoinrete.NoticeCancel, pagoinrete.Proof{}))
			result(p.client.Notices(t.Context(), []uuid.UUID{n.ID}))
			_, err := p.client.Receipt(t.Context(), n.ID)
			printError(s, err)
			pdf, err := p.client.NoticePDF(t.Context(), n.ID)
			printError(s, err)
			if err == nil {
				s.Print(pdf)
				_, err = io.Copy(io.Discard, pdf)
				printError(s, err)
				s.Print(pdf)
				require.NoError(t, pdf.Close())
			}
			if fault.Kind == "" {
				for _, v := range []any{p.client, *p.client, p.Notices(), p.Events()} {
					s.Print(v)
				}
			}
			p.close()
		}
	})
	// A platform and a transport that quote everything back; the name only to who sent it.
	all := strings.Join(secrets[:6], " ")
	quoted := func(r *http.Request) string {
		said := all
		if r.Body == nil || !strings.Contains(string(must.Get(io.ReadAll(r.Body))(t)), secretName) {
			said = strings.ReplaceAll(all, secretName, "")
		}
		return string(must.Get(json.Marshal(map[string]any{
			"type": said, "title": said, "detail": said, "instance": said, "status": 400, "message": said,
			"id": said, "remote_id": said, "state": said, "number": said, "rejection": said, "reference": said, "date": said, "psp": said, "notice": said,
		}))(t))
	}
	call := func(t *testing.T, client *restgateway.Client) {
		e := clientEvent(t)
		err := put(t, client, e)
		printError(s, err)
		_, err = client.PutNotice(t.Context(), clientOffice(), clientNotice(t, e))
		printError(s, err)
		_, err = client.MoveEvent(t.Context(), clientPrincipal(), e.ID, pagoinrete.EventReject, flussi.NewText(secretName))
		printError(s, err)
		_, err = client.MoveNotice(t.Context(), clientOffice(), e.ID, pagoinrete.NoticeRefund, pagoinrete.Proof{Reference: secretName, Amount: 1, Date: time.Now()})
		printError(s, err)
		_, err = client.Notices(t.Context(), []uuid.UUID{e.ID})
		printError(s, err)
		_, err = client.Receipt(t.Context(), e.ID)
		printError(s, err)
		pdf, err := client.NoticePDF(t.Context(), e.ID)
		printError(s, err)
		if err == nil {
			_, err = io.ReadAll(pdf)
			printError(s, err)
		}
	}
	statuses := []int{200, 201, 400, 401, 403, 404, 409, 422, 429, 500, 502}
	if testing.Short() {
		statuses = []int{200, 400, 500}
	}
	synctest.Test(t, func(t *testing.T) {
		for _, status := range statuses {
			for _, kind := range []string{"application/problem+json", "application/json", "application/pdf", "text/" + secretDebtor} {
				call(t, clientOf(t, func(r *http.Request) (*http.Response, error) {
					a := answer(status, kind, quoted(r))
					a.Header.Set("Location", "/"+secretDebtor)
					a.Header.Set("Retry-After", all)
					return a, nil
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
	_, err := client.PutNotice(t.Context(), clientOffice(), n)
	printError(s, err)
	_, err = flussi.ParseKey(clientKey + " " + clientKey)
	printError(s, err)
	k := clientCredentials(t, clientKey)
	s.Print(k)
	s.Print(&k)
	s.Print(struct{ k flussi.Key }{k})
	s.Check(t, secrets...)
}

// failing is a reader that fails.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// Nothing that is known of a person stands in an address, where logs of servers keep it.
func TestAddressesHoldNothingPersonal(t *testing.T) {
	p := newPlatform(t, nil)
	e, n := p.ready(t, pagoinrete.EventNotified)
	var addresses []string
	client := clientOf(t, func(r *http.Request) (*http.Response, error) {
		addresses = append(addresses, r.URL.String())
		return answer(400, "", ""), nil
	})
	for _, call := range append(readings(e, n), reading{"", func(ctx context.Context, c *restgateway.Client) error {
		return second(c.PutNotice(ctx, clientOffice(), n))
	}}, reading{"", func(ctx context.Context, c *restgateway.Client) error {
		return second(c.MoveNotice(ctx, clientOffice(), n.ID, pagoinrete.NoticeRefund, pagoinrete.Proof{Reference: secretName, Amount: 1, Date: time.Now()}))
	}}) {
		assert.Error(t, call.do(t.Context(), client))
	}
	assert.Len(t, addresses, 6)
	for _, address := range addresses {
		must.NotContain(t, address, secretDebtor, secretPayer, secretName, n.Number.Reveal(), clientOffice().ID, "?")
		assert.Regexp(t, `^http://localhost/schools/RMIC8GA002/(events|notices)/([0-9a-f-]{36}|query)(/[a-z-]+)?$`, address)
	}
}
