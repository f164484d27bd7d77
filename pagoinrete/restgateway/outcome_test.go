package restgateway_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
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

// verdict is what comes of a fault.
type verdict struct {
	kind     error
	outcome  pagoinrete.Outcome
	attempts int // of two
}

// verdicts are those of changes that go wrong to the end.
var verdicts = map[restgatewaytest.FaultKind]verdict{
	restgatewaytest.BadRequest:      {pagoinrete.ErrRemoteInvalid, pagoinrete.Refused, 1},
	restgatewaytest.Unprocessable:   {pagoinrete.ErrRemoteInvalid, pagoinrete.Refused, 1},
	restgatewaytest.Unauthorized:    {pagoinrete.ErrUnauthorized, pagoinrete.Refused, 1},
	restgatewaytest.Forbidden:       {pagoinrete.ErrRemoteForbidden, pagoinrete.Refused, 1},
	restgatewaytest.NotFound:        {pagoinrete.ErrRemoteNotFound, pagoinrete.Refused, 1},
	restgatewaytest.Conflict:        {pagoinrete.ErrRemoteState, pagoinrete.Refused, 1},
	restgatewaytest.TooManyRequests: {pagoinrete.ErrRateLimited, pagoinrete.NotDone, 2},
	restgatewaytest.TooManyBare:     {pagoinrete.ErrRateLimited, pagoinrete.NotDone, 2},
	restgatewaytest.Slow:            {nil, pagoinrete.Done, 1},
}

// unclear is the verdict of all other faults of a change.
var unclear = verdict{pagoinrete.ErrUnknown, pagoinrete.Unknown, 1}

// change is something that is changed on the platform, and whether it was.
type change struct {
	op   restgatewaytest.Operation
	do   func(ctx context.Context, c *restgateway.Client) error
	done func() bool
}

// changes are one of each kind, ready to be made.
func changes(t *testing.T, p *platform) []change {
	e, n := p.ready(t, pagoinrete.EventSimulated)
	toMove, toPay := p.ready(t, pagoinrete.EventNotified)
	another := clientEvent(t)
	notice := clientNotice(t, e)
	there := func(id uuid.UUID) bool { return p.Created(id) > 0 }
	return []change{
		{restgatewaytest.PutEvent, func(ctx context.Context, c *restgateway.Client) error {
			_, err := c.PutEvent(ctx, clientOffice(), another)
			return err
		}, func() bool { return there(another.ID) }},
		{restgatewaytest.PutNotice, func(ctx context.Context, c *restgateway.Client) error {
			_, err := c.PutNotice(ctx, clientOffice(), notice)
			return err
		}, func() bool { return there(notice.ID) }},
		{restgatewaytest.MoveNotice, func(ctx context.Context, c *restgateway.Client) error {
			proof := pagoinrete.Proof{Reference: "bollettino", Amount: toPay.Due(), Date: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
			_, err := c.MoveNotice(ctx, clientOffice(), toPay.ID, pagoinrete.NoticePayManually, proof)
			return err
		}, func() bool {
			kept, _ := p.Notice(toPay.ID)
			return kept.State == restgatewaytest.NoticePaidManually
		}},
		{restgatewaytest.MoveNotice, func(ctx context.Context, c *restgateway.Client) error {
			_, err := c.MoveNotice(ctx, clientOffice(), n.ID, pagoinrete.NoticeCancel, pagoinrete.Proof{Reference: "not asked for"})
			return err
		}, func() bool {
			kept, _ := p.Notice(n.ID)
			return kept.State == restgatewaytest.NoticeCancelled
		}},
		{restgatewaytest.MoveEvent, func(ctx context.Context, c *restgateway.Client) error {
			p.SetEventState(toMove.ID, restgatewaytest.EventToApprove)
			_, err := c.MoveEvent(ctx, clientPrincipal(), toMove.ID, pagoinrete.EventReject, flussi.NewText("Manca"))
			return err
		}, func() bool {
			kept, _ := p.Event(toMove.ID)
			return kept.State == restgatewaytest.EventRejected
		}},
	}
}

// Every fault of every change, against what the platform knows that it did.
func TestWhatAFaultMeansForAChange(t *testing.T) {
	for _, fault := range restgatewaytest.Faults() {
		t.Run(fault.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newFaulty(t, func(c *restgateway.Config) { c.MaxAttempts = 2 })
				defer p.close()
				for _, change := range changes(t, p) {
					before := p.Received(change.op)
					p.Fail(change.op, fault, fault)
					err := change.do(t.Context(), p.client)
					p.StopFailing()
					want, named := verdicts[fault.Kind]
					if !named {
						want = unclear
					}
					assert.Equal(t, want.outcome, pagoinrete.OutcomeOf(err), "%s: %v", change.op, err)
					assert.Equal(t, want.attempts, p.Received(change.op)-before, change.op)
					assert.Equal(t, fault.Does(), change.done(), change.op)
					if want.outcome != pagoinrete.Unknown {
						assert.Equal(t, want.outcome == pagoinrete.Done, change.done(), "the outcome is true")
					}
					if want.kind == nil {
						continue
					}
					var failed *pagoinrete.RemoteError
					require.ErrorAs(t, err, &failed)
					assert.Equal(t, want.kind, failed.Kind, change.op)
					assert.ErrorIs(t, err, want.kind)
					assert.Equal(t, want.attempts, failed.Attempts)
					assert.NotContains(t, flussi.Explain(err), "Errore imprevisto")
				}
			})
		})
	}
}

func TestABurstOf429PassesBy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newFaulty(t, nil)
		defer p.close()
		busy := restgatewaytest.Fault{Kind: restgatewaytest.TooManyRequests, RetryAfter: 2 * time.Second}
		for _, change := range changes(t, p) {
			p.Fail(change.op, busy, restgatewaytest.Fault{Kind: restgatewaytest.TooManyBare}, busy)
			start := time.Now()
			require.NoError(t, change.do(t.Context(), p.client))
			assert.GreaterOrEqual(t, time.Since(start), 4*time.Second)
			assert.True(t, change.done())
		}
		p.Fail(restgatewaytest.PutEvent, restgatewaytest.Fault{Kind: restgatewaytest.TooManyRequests, RetryAfter: time.Hour})
		_, err := p.client.PutEvent(t.Context(), clientOffice(), clientEvent(t))
		var failed *pagoinrete.RemoteError
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, time.Hour, failed.RetryAfter)
		assert.Equal(t, 1, failed.Attempts, "too long to be waited for")
		assert.Contains(t, err.Error(), "retry after 1h")
	})
}

// reading is something that is read from the platform.
type reading struct {
	op restgatewaytest.Operation
	do func(ctx context.Context, c *restgateway.Client) error
}

func readings(e pagoinrete.Event, n pagoinrete.Notice) []reading {
	return []reading{
		{restgatewaytest.GetEvent, func(ctx context.Context, c *restgateway.Client) error { _, err := c.Event(ctx, e.ID); return err }},
		{restgatewaytest.GetNotices, func(ctx context.Context, c *restgateway.Client) error {
			_, err := c.Notices(ctx, []uuid.UUID{n.ID})
			return err
		}},
		{restgatewaytest.GetReceipt, func(ctx context.Context, c *restgateway.Client) error {
			_, err := c.Receipt(ctx, n.ID)
			return err
		}},
		{restgatewaytest.GetPDF, func(ctx context.Context, c *restgateway.Client) error {
			pdf, err := c.NoticePDF(ctx, n.ID)
			if err != nil {
				return err
			}
			_, err = io.ReadAll(pdf)
			return errors.Join(err, pdf.Close())
		}},
	}
}

// Every fault of whatever is read: it is repeated as long as that may help, and what is not
// whole is an error.
func TestWhatAFaultMeansForAReading(t *testing.T) {
	const once, twice = 1, 2
	unavailable := func(attempts int) verdict { return verdict{pagoinrete.ErrUnavailable, "", attempts} }
	others := map[restgatewaytest.FaultKind]verdict{
		restgatewaytest.NoSuchAddress: unavailable(once),
		restgatewaytest.Redirected:    unavailable(once),
		restgatewaytest.Garbled:       unavailable(once),
		restgatewaytest.OtherID:       unavailable(once),
		restgatewaytest.CutUnseen:     unavailable(once),
		restgatewaytest.Huge:          unavailable(once),
	}
	for _, fault := range restgatewaytest.Faults() {
		t.Run(fault.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newFaulty(t, func(c *restgateway.Config) { c.MaxAttempts = 2 })
				defer p.close()
				e, n := p.ready(t, pagoinrete.EventNotified)
				p.LogIn(n.Payer)
				require.True(t, p.Pay(n.ID, n.Due()))
				for _, reading := range readings(e, n) {
					// net/http itself repeats a GET over a connection that it used before.
					p.Fail(reading.op, slices.Repeat([]restgatewaytest.Fault{fault}, 6)...)
					err := reading.do(t.Context(), p.client)
					p.StopFailing()
					want, named := others[fault.Kind]
					if !named {
						want, named = verdicts[fault.Kind]
					}
					if !named {
						want = unavailable(twice)
					}
					if reading.op == restgatewaytest.GetPDF {
						switch fault.Kind {
						case restgatewaytest.OtherID: // a PDF does not say
							want.kind = nil
						case restgatewaytest.CutBody:
							want.attempts = once // it had begun
						}
					}
					if want.kind == nil {
						assert.NoError(t, err, reading.op)
						continue
					}
					var failed *pagoinrete.RemoteError
					require.ErrorAs(t, err, &failed, reading.op)
					assert.Equal(t, want.kind, failed.Kind, "%s: %v", reading.op, err)
					assert.Equal(t, want.attempts, failed.Attempts, reading.op)
					assert.Empty(t, failed.Outcome)
				}
			})
		})
	}
}

// What a server answers, and what it means, also where the table is silent.
func TestStatuses(t *testing.T) {
	const refused, unknown = pagoinrete.Refused, pagoinrete.Unknown
	e := clientEvent(t)
	for status, want := range map[int]struct {
		outcome       pagoinrete.Outcome
		changed, read error
	}{
		200: {unknown, pagoinrete.ErrUnknown, pagoinrete.ErrUnavailable},
		202: {unknown, pagoinrete.ErrUnknown, pagoinrete.ErrUnavailable},
		204: {unknown, pagoinrete.ErrUnknown, pagoinrete.ErrUnavailable},
		301: {unknown, pagoinrete.ErrUnknown, pagoinrete.ErrUnavailable},
		400: {refused, pagoinrete.ErrRemoteInvalid, pagoinrete.ErrRemoteInvalid},
		401: {refused, pagoinrete.ErrUnauthorized, pagoinrete.ErrUnauthorized},
		403: {refused, pagoinrete.ErrRemoteForbidden, pagoinrete.ErrRemoteForbidden},
		404: {unknown, pagoinrete.ErrUnknown, pagoinrete.ErrUnavailable},
		405: {unknown, pagoinrete.ErrUnknown, pagoinrete.ErrUnavailable},
		408: {unknown, pagoinrete.ErrUnknown, pagoinrete.ErrUnavailable},
		409: {refused, pagoinrete.ErrRemoteState, pagoinrete.ErrRemoteState},
		410: {unknown, pagoinrete.ErrUnknown, pagoinrete.ErrUnavailable},
		413: {unknown, pagoinrete.ErrUnknown, pagoinrete.ErrUnavailable},
		422: {refused, pagoinrete.ErrRemoteInvalid, pagoinrete.ErrRemoteInvalid},
		429: {pagoinrete.NotDone, pagoinrete.ErrRateLimited, pagoinrete.ErrRateLimited},
		499: {unknown, pagoinrete.ErrUnknown, pagoinrete.ErrUnavailable},
		500: {unknown, pagoinrete.ErrUnknown, pagoinrete.ErrUnavailable},
		501: {unknown, pagoinrete.ErrUnknown, pagoinrete.ErrUnavailable},
		502: {unknown, pagoinrete.ErrUnknown, pagoinrete.ErrUnavailable},
		503: {unknown, pagoinrete.ErrUnknown, pagoinrete.ErrUnavailable},
		504: {unknown, pagoinrete.ErrUnknown, pagoinrete.ErrUnavailable},
		599: {unknown, pagoinrete.ErrUnknown, pagoinrete.ErrUnavailable},
	} {
		synctest.Test(t, func(t *testing.T) {
			client := clientOf(t, func(*http.Request) (*http.Response, error) { return answer(status, "", "<html>"), nil })
			_, err := client.PutEvent(t.Context(), clientOffice(), e)
			assert.Equal(t, want.outcome, pagoinrete.OutcomeOf(err), status)
			assert.ErrorIs(t, err, want.changed, status)
			_, err = client.Event(t.Context(), e.ID)
			assert.ErrorIs(t, err, want.read, status)
			_, err = client.NoticePDF(t.Context(), e.ID)
			assert.ErrorIs(t, err, want.read, status)
		})
	}
}

// Only the service itself, by a declared problem, can say that something is not there. A 500 of
// any form does not say whether a change was made.
func TestOnlyADeclaredProblemIsTheServicesOwnWord(t *testing.T) {
	const problem = `{"title":"Not found","status":404}`
	e := clientEvent(t)
	for kind, own := range map[string]bool{
		"application/problem+json": true, "application/problem+json; charset=utf-8": true,
		"application/json": false, "text/html": false, "": false,
	} {
		for status, want := range map[int]map[bool]verdict{
			404: {true: {pagoinrete.ErrRemoteNotFound, pagoinrete.Refused, 1}, false: unclear},
			500: {true: unclear, false: unclear},
		} {
			client := clientOf(t, func(*http.Request) (*http.Response, error) { return answer(status, kind, problem), nil })
			_, err := client.PutEvent(t.Context(), clientOffice(), e)
			assert.Equal(t, want[own].outcome, pagoinrete.OutcomeOf(err), "%d %s", status, kind)
			assert.ErrorIs(t, err, want[own].kind, "%d %s", status, kind)
			_, err = client.Event(t.Context(), e.ID)
			assert.Equal(t, own && status == 404, errors.Is(err, pagoinrete.ErrRemoteNotFound), "%d %s", status, kind)
		}
	}
}

func TestWhatThePlatformSaysIsKeptForAPerson(t *testing.T) {
	for body, want := range map[string]string{
		`{"title":"T","detail":"` + secretName + `","status":400}`: secretName,
		`{"title":"T","status":400}`:                               "T",
		`{"message":"M"}`:                                          "M",
		`<html>`:                                                   "",
	} {
		client := clientOf(t, func(*http.Request) (*http.Response, error) { return answer(400, "application/problem+json", body), nil })
		_, err := client.PutEvent(t.Context(), clientOffice(), clientEvent(t))
		var failed *pagoinrete.RemoteError
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, want, failed.Problem.Reveal())
		assert.NotContains(t, fmt.Sprintf("%v %+v", err, *failed), secretName)
	}
}

func TestNoConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(t, func(c *restgateway.Config) { c.MaxAttempts = 3 })
		p.close()
		_, err := p.client.PutEvent(t.Context(), clientOffice(), clientEvent(t))
		var failed *pagoinrete.RemoteError
		require.ErrorAs(t, err, &failed)
		// The pipes have no word for it that net/http's own transport would believe.
		assert.Contains(t, []pagoinrete.Outcome{pagoinrete.NotDone, pagoinrete.Unknown}, failed.Outcome)
	})
	client, err := restgateway.New(clientCredentials(t, clientKey), clientSchool, restgateway.Config{
		BaseURL: "http://127.0.0.1:1", MaxAttempts: 2, MaxWait: time.Millisecond, HTTPClient: &http.Client{Transport: &http.Transport{}},
	})
	require.NoError(t, err)
	_, err = client.PutEvent(t.Context(), clientOffice(), clientEvent(t))
	assert.Equal(t, pagoinrete.NotDone, pagoinrete.OutcomeOf(err))
	var failed *pagoinrete.RemoteError
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, pagoinrete.ErrUnavailable, failed.Kind)
	assert.Equal(t, 2, failed.Attempts)
	assert.Zero(t, failed.Status)
	assert.Equal(t, "connection refused", failed.Reason)
}

func TestAContextThatEnds(t *testing.T) {
	t.Run("before anything is asked", func(t *testing.T) {
		p := newPlatform(t, nil)
		defer p.close()
		all := changes(t, p)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for _, change := range all {
			before := p.Received(change.op)
			err := change.do(ctx, p.client)
			assert.Equal(t, pagoinrete.NotDone, pagoinrete.OutcomeOf(err))
			assert.ErrorIs(t, err, pagoinrete.ErrInterrupted)
			assert.ErrorIs(t, err, context.Canceled)
			assert.Equal(t, before, p.Received(change.op))
		}
	})
	t.Run("while the platform is silent", func(t *testing.T) {
		for _, stored := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				p := newFaulty(t, nil)
				defer p.close()
				for _, change := range changes(t, p) {
					p.Fail(change.op, restgatewaytest.Fault{Kind: restgatewaytest.Silent, Stored: stored})
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					start := time.Now()
					err := change.do(ctx, p.client)
					cancel()
					assert.Equal(t, time.Second, time.Since(start), "at once")
					assert.Equal(t, pagoinrete.Unknown, pagoinrete.OutcomeOf(err))
					assert.ErrorIs(t, err, pagoinrete.ErrUnknown)
					assert.ErrorIs(t, err, context.DeadlineExceeded)
					assert.Equal(t, stored, change.done())
				}
			})
		}
	})
	t.Run("while it waits to try again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := newFaulty(t, nil)
			defer p.close()
			p.Fail(restgatewaytest.PutEvent, restgatewaytest.Fault{Kind: restgatewaytest.TooManyRequests, RetryAfter: 30 * time.Second})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := p.client.PutEvent(ctx, clientOffice(), clientEvent(t))
			assert.Equal(t, pagoinrete.NotDone, pagoinrete.OutcomeOf(err))
			assert.ErrorIs(t, err, pagoinrete.ErrInterrupted)
		})
	})
	t.Run("while something is read", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := newFaulty(t, nil)
			defer p.close()
			e, n := p.ready(t, pagoinrete.EventNotified)
			for _, reading := range readings(e, n) {
				p.Fail(reading.op, restgatewaytest.Fault{Kind: restgatewaytest.Silent})
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				assert.ErrorIs(t, reading.do(ctx, p.client), pagoinrete.ErrInterrupted, reading.op)
				cancel()
			}
		})
	})
}

// clientOf returns a client over a transport that is a function, with one attempt.
func clientOf(t testing.TB, do roundTrip) *restgateway.Client {
	t.Helper()
	client, err := restgateway.New(clientCredentials(t, clientKey), clientSchool, restgateway.Config{
		BaseURL: "http://localhost", MaxAttempts: 1, Calls: 1_000_000, HTTPClient: &http.Client{Transport: do},
	})
	require.NoError(t, err)
	return client
}

type roundTrip func(*http.Request) (*http.Response, error)

func (do roundTrip) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
	}
	return do(r)
}

func answer(status int, kind, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}
