package appio_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pipenet"
)

// Every row of the table of outcomes, over a real connection, against the platform's
// own record of what was delivered.
func TestOutcomes(t *testing.T) {
	always := func(f appiotest.Fault) []appiotest.Fault { return []appiotest.Fault{f, f, f} }
	type outcome struct {
		faults    []appiotest.Fault
		key       string
		path      string // after the platform's own
		rewrite   string // what is sent instead of the message
		spoil     func(*appio.Message, *appiotest.Server)
		outcome   flussi.Outcome
		kind      error
		delivered int
		attempts  int
	}
	tests := map[string]outcome{
		"201 with an ID":                  {outcome: flussi.OutcomeDone, delivered: 1, attempts: 1},
		"201 with the ID in the Location": {faults: []appiotest.Fault{{Kind: appiotest.LocationOnly}}, outcome: flussi.OutcomeDone, delivered: 1, attempts: 1},
		"201 with a body that is cut off": {faults: []appiotest.Fault{{Kind: appiotest.CutBody}}, outcome: flussi.OutcomeDone, delivered: 1, attempts: 1},
		"slow, but well":                  {faults: []appiotest.Fault{{Kind: appiotest.Slow, Delay: 10 * time.Millisecond}}, outcome: flussi.OutcomeDone, delivered: 1, attempts: 1},
		"400":                             {rewrite: `{"content":{}}`, outcome: flussi.OutcomeRefused, kind: flussi.ErrRemoteInvalid, attempts: 1},
		"404":                             {path: "/elsewhere", outcome: flussi.OutcomeRefused, kind: flussi.ErrRemoteNotFound, attempts: 1},
		"401":                             {key: "another-key", outcome: flussi.OutcomeRefused, kind: flussi.ErrUnauthorized, attempts: 1},
		"403":                             {key: "forbidden-key", outcome: flussi.OutcomeRefused, kind: flussi.ErrRemoteForbidden, attempts: 1},
		"403, a payee": {spoil: func(m *appio.Message, _ *appiotest.Server) {
			m.Payment = payment(t)
			m.Payment.Payee = organization(t, "15376371009")
		}, outcome: flussi.OutcomeRefused, kind: flussi.ErrRemoteForbidden, attempts: 1},
		"429, and then it passes":     {faults: []appiotest.Fault{{Kind: appiotest.TooManyBare}}, outcome: flussi.OutcomeDone, delivered: 1, attempts: 2},
		"429 to the end":              {faults: always(appiotest.Fault{Kind: appiotest.TooManyBare}), outcome: flussi.OutcomeNotDone, kind: flussi.ErrRateLimited, attempts: 3},
		"429 that asks for long":      {faults: []appiotest.Fault{{Kind: appiotest.TooManyRequests, RetryAfter: time.Hour}}, outcome: flussi.OutcomeNotDone, kind: flussi.ErrRateLimited, attempts: 1},
		"201 that is cut off":         {faults: always(appiotest.Fault{Kind: appiotest.Truncated}), outcome: flussi.OutcomeUnknown, kind: flussi.ErrOutcomeUnknown, delivered: 1, attempts: 1},
		"201 without an ID":           {faults: always(appiotest.Fault{Kind: appiotest.NoID}), outcome: flussi.OutcomeUnknown, kind: flussi.ErrOutcomeUnknown, delivered: 1, attempts: 1},
		"no server":                   {spoil: func(_ *appio.Message, s *appiotest.Server) { s.Close() }, outcome: flussi.OutcomeNotDone, kind: flussi.ErrUnavailable, attempts: 3},
		"a message that is not valid": {spoil: func(m *appio.Message, _ *appiotest.Server) { m.Subject = flussi.NewText("corto") }, outcome: flussi.OutcomeRefused, kind: flussi.ErrInvalid},
	}
	for name, kind := range map[string]appiotest.FaultKind{
		"500 with a problem": appiotest.ServerProblem, "500 without one": appiotest.ServerError, "502": appiotest.BadGateway, "503": appiotest.Unavailable,
		"504": appiotest.GatewayTimeout, "a time-out": appiotest.Silent, "a reset": appiotest.Reset,
	} {
		tests[name+", not stored"] = outcome{faults: always(appiotest.Fault{Kind: kind}), outcome: flussi.OutcomeUnknown, kind: flussi.ErrOutcomeUnknown, attempts: 1}
		tests[name+", stored"] = outcome{faults: always(appiotest.Fault{Kind: kind, Stored: true}), outcome: flussi.OutcomeUnknown, kind: flussi.ErrOutcomeUnknown, delivered: 1, attempts: 1}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := appiotest.NewServer(appiotest.Config{})
			defer server.Close()
			server.AddService(appiotest.Service{ID: "tributi", Key: secretKey, Body: "80185250588"})
			server.AddService(appiotest.Service{ID: "chiuso", Key: "forbidden-key", Forbidden: true})
			server.Fail(appiotest.SubmitMessage, test.faults...)
			m := message(t, 1)
			if test.spoil != nil {
				test.spoil(&m, server)
			}
			used := secretKey
			if test.key != "" {
				used = test.key
			}
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			client := must.Get(appio.New(key(t, used), appio.Config{
				BaseURL: server.URL + test.path, MaxAttempts: 3, MaxWait: 1200 * time.Millisecond,
				HTTPClient: &http.Client{Timeout: patience(test.faults), Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
					if test.rewrite != "" {
						_, _ = io.Copy(io.Discard, r.Body)
						r = r.Clone(r.Context())
						r.Body, r.ContentLength = io.NopCloser(strings.NewReader(test.rewrite)), int64(len(test.rewrite))
					}
					return transport.RoundTrip(r)
				})},
			}))(t)

			receipt, err := client.Submit(t.Context(), m)
			assert.Equal(t, test.outcome, flussi.OutcomeOf(err), "%v", err)
			assert.Len(t, server.Deliveries(), test.delivered)
			if test.outcome == flussi.OutcomeDone {
				require.NoError(t, err)
				assert.Equal(t, server.Deliveries()[0].ID, string(receipt.ID))
				assert.Equal(t, test.attempts, receipt.Attempts)
				return
			}
			assert.Zero(t, receipt)
			assert.ErrorIs(t, err, test.kind)
			assert.NotEmpty(t, flussi.Explain(err))
			assert.NotContains(t, flussi.Explain(err), "Errore imprevisto")
			var failed *flussi.RemoteError
			if errors.As(err, &failed) {
				assert.Equal(t, test.attempts, failed.Attempts)
				assert.Equal(t, test.kind, failed.Kind)
			}
		})
	}
}

// patience is how long a client waits for a platform that may be silent.
func patience(faults []appiotest.Fault) time.Duration {
	if len(faults) > 0 && faults[0].Kind == appiotest.Silent {
		return 2 * time.Second
	}
	return time.Minute
}

func payment(t testing.TB) *appio.Payment {
	return &appio.Payment{Amount: 1250, NoticeNumber: must.Get(flussi.ParseNoticeNumber("301005100001400678"))(t)}
}

func organization(t testing.TB, s string) flussi.OrganizationCode {
	return must.Get(flussi.ParseOrganizationCode(s))(t)
}

// What a server answers, and what it means, also where the table is silent.
func TestStatuses(t *testing.T) {
	for status, want := range map[int]flussi.Outcome{
		200: flussi.OutcomeUnknown, 202: flussi.OutcomeUnknown, 204: flussi.OutcomeUnknown, 301: flussi.OutcomeUnknown, 307: flussi.OutcomeUnknown,
		400: flussi.OutcomeRefused, 401: flussi.OutcomeRefused, 403: flussi.OutcomeRefused, 404: flussi.OutcomeRefused, 405: flussi.OutcomeRefused, 413: flussi.OutcomeRefused, 422: flussi.OutcomeRefused,
		408: flussi.OutcomeUnknown, 499: flussi.OutcomeUnknown, 429: flussi.OutcomeNotDone,
		500: flussi.OutcomeUnknown, 501: flussi.OutcomeUnknown, 502: flussi.OutcomeUnknown, 503: flussi.OutcomeUnknown, 504: flussi.OutcomeUnknown, 599: flussi.OutcomeUnknown,
	} {
		calls := 0
		client := clientOf(t, func(*http.Request) (*http.Response, error) {
			calls++
			return answer(status, "", nil), nil
		})
		_, err := client.Submit(t.Context(), message(t, 1))
		assert.Equal(t, want, flussi.OutcomeOf(err), status)
		assert.Equal(t, 1, calls, status)
	}
}

// The platform may answer 500 after it stored the message, with and without a problem. So a 500 is
// unknown, and there is one request even if more attempts are permitted.
func TestEvery500IsUnknown(t *testing.T) {
	const problem = `{"title":"Internal server error","status":500,"detail":"The message cannot be delivered"}`
	for _, kind := range []string{"application/problem+json", "application/problem+json; charset=utf-8", "application/json", "text/plain", "", ";"} {
		for _, body := range []string{problem, `{}`, ``} {
			calls := 0
			client := must.Get(appio.New(key(t, secretKey), appio.Config{
				BaseURL: "https://platform.test/api/v1", MaxAttempts: 5, MaxWait: time.Millisecond,
				HTTPClient: &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
					calls++
					return answer(500, body, map[string]string{"Content-Type": kind, "Retry-After": "0"}), nil
				})},
			}))(t)
			_, err := client.Submit(t.Context(), message(t, 1))
			assert.Equal(t, flussi.OutcomeUnknown, flussi.OutcomeOf(err), "%s %s", kind, body)
			assert.ErrorIs(t, err, flussi.ErrOutcomeUnknown, "%s %s", kind, body)
			assert.Equal(t, 1, calls, "%s %s", kind, body)
		}
	}
}

// After a 429 the message was not sent. A 500 in the next attempt is unknown, and ends the call.
func TestA500AfterA429IsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(t, appiotest.Config{}, nil)
		p.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.TooManyBare}, appiotest.Fault{Kind: appiotest.ServerProblem, Stored: true})
		_, err := p.client.Submit(t.Context(), message(t, 1))
		assert.Equal(t, flussi.OutcomeUnknown, flussi.OutcomeOf(err))
		assert.Equal(t, 2, p.Received(appiotest.SubmitMessage))
		assert.Len(t, p.Deliveries(), 1)
	})
}

func TestWhereTheIDIs(t *testing.T) {
	const ulid = "01JN6Q5CZ3VGTA4X4QJEFR95C1"
	for name, test := range map[string]struct {
		status         int
		body, location string
		want           appio.MessageID
	}{
		"in the body":                    {201, `{"id":"` + ulid + `"}`, "", ulid},
		"in the body, with more":         {201, `{"id":"` + ulid + `","x":[1]}`, "/messages/" + secretCode + "/01JN6Q5CZ3VGTA4X4QJEFR95C2", ulid},
		"of another form":                {201, `{"id":"abc-1"}`, "", "abc-1"},
		"with 200":                       {200, `{"id":"` + ulid + `"}`, "", ulid},
		"in the Location":                {201, ``, "https://api.io.pagopa.it/api/v1/messages/" + secretCode + "/" + ulid, ulid},
		"in a relative Location":         {201, `{}`, "messages/" + secretCode + "/" + ulid + "?x=1", ulid},
		"not in a Location without one":  {201, ``, "/messages/" + secretCode, ""},
		"not in a Location with another": {201, ``, "/messages/" + secretCode + "/latest", ""},
		"of another form, with 200":      {200, `{"id":"abc-1"}`, "", ""},
		"a fiscal code is no ID":         {201, `{"id":"` + secretCode + `"}`, "", ""},
		"nowhere":                        {201, `{"id":""}`, "", ""},
		"a number":                       {201, `{"id":7}`, "", ""},
		"null":                           {201, `null`, "", ""},
		"HTML":                           {201, `<html>`, "::", ""},
	} {
		t.Run(name, func(t *testing.T) {
			client := clientOf(t, func(*http.Request) (*http.Response, error) {
				return answer(test.status, test.body, map[string]string{"Location": test.location}), nil
			})
			receipt, err := client.Submit(t.Context(), message(t, 1))
			assert.Equal(t, test.want, receipt.ID)
			if test.want == "" {
				assert.Equal(t, flussi.OutcomeUnknown, flussi.OutcomeOf(err))
				assert.NotContains(t, err.Error(), secretCode)
				return
			}
			assert.NoError(t, err)
		})
	}
}

func TestOutcomeOfOtherErrorsIsUnknown(t *testing.T) {
	assert.Equal(t, flussi.OutcomeDone, flussi.OutcomeOf(nil))
	assert.Equal(t, flussi.OutcomeUnknown, flussi.OutcomeOf(errors.New("who knows")))
	assert.Equal(t, flussi.OutcomeUnknown, flussi.OutcomeOf(context.Canceled))
	assert.Equal(t, flussi.OutcomeUnknown, flussi.OutcomeOf(&flussi.RemoteError{Kind: flussi.ErrRemoteNotFound}), "not of a submission")
}

// A storm: 10,000 messages, a third of the calls faulty in every way. The platform's
// record must agree with what the client said of each message.
func TestAStormDeliversNothingTwice(t *testing.T) {
	const workers = 32
	total := 10_000
	if testing.Short() {
		total = 1000
	}
	synctest.Test(t, func(t *testing.T) {
		pace := must.Get(appio.NewPace(appio.PaceConfig{Calls: 1_000_000, Window: time.Second}))(t)
		p := newPlatform(t, appiotest.Config{Unlimited: true}, func(c *appio.Config) { c.Pace = pace })
		p.FailAtRandom(appiotest.SubmitMessage, 0.3, 7, appiotest.Faults()...)

		type result struct {
			receipt appio.Receipt
			outcome flussi.Outcome
		}
		results := make([]result, total)
		jobs := make(chan int)
		var group sync.WaitGroup
		for range workers {
			group.Go(func() {
				for i := range jobs {
					receipt, err := p.client.Submit(t.Context(), message(t, i))
					results[i] = result{receipt, flussi.OutcomeOf(err)}
				}
			})
		}
		for i := range total {
			jobs <- i
		}
		close(jobs)
		group.Wait()

		delivered := map[string][]string{}
		for _, d := range p.Deliveries() {
			delivered[d.Subject.Reveal()] = append(delivered[d.Subject.Reveal()], d.ID)
		}
		count := map[flussi.Outcome]int{}
		for i, r := range results {
			ids := delivered[message(t, i).Subject.Reveal()]
			count[r.outcome]++
			switch r.outcome {
			case flussi.OutcomeDone:
				assert.Equal(t, []string{string(r.receipt.ID)}, ids)
			case flussi.OutcomeUnknown:
				assert.LessOrEqual(t, len(ids), 1)
			default:
				assert.Empty(t, ids, "%s, and it was delivered", r.outcome)
			}
			if t.Failed() {
				return
			}
		}
		t.Logf("outcomes %v, calls %d", count, p.Received(appiotest.SubmitMessage))
		assert.Greater(t, count[flussi.OutcomeDone], total/2)
		assert.Greater(t, count[flussi.OutcomeUnknown], total/20)
	})
}

func TestAContextThatEnds(t *testing.T) {
	t.Run("before anything is sent", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		client := clientOf(t, func(*http.Request) (*http.Response, error) { t.Error("sent"); return nil, errors.New("sent") })
		_, err := client.Submit(ctx, message(t, 1))
		assert.ErrorIs(t, err, flussi.ErrInterrupted)
		assert.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, flussi.OutcomeNotDone, flussi.OutcomeOf(err))
	})
	for name, test := range map[string]struct {
		fault   appiotest.Fault
		outcome flussi.Outcome
		want    error
	}{
		"while the platform is silent":        {appiotest.Fault{Kind: appiotest.Silent}, flussi.OutcomeUnknown, context.DeadlineExceeded},
		"while it waits for the next attempt": {appiotest.Fault{Kind: appiotest.TooManyRequests, RetryAfter: 30 * time.Second}, flussi.OutcomeNotDone, flussi.ErrInterrupted},
	} {
		pipenet.InBubble(t, name, func(t *testing.T) {
			p := newPlatform(t, appiotest.Config{}, nil)
			p.Fail(appiotest.SubmitMessage, test.fault)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			start := time.Now()
			_, err := p.client.Submit(ctx, message(t, 1))
			assert.Equal(t, time.Second, time.Since(start), "at once")
			assert.Equal(t, test.outcome, flussi.OutcomeOf(err))
			assert.ErrorIs(t, err, test.want)
		})
	}
	pipenet.InBubble(t, "while it waits for the pace", func(t *testing.T) {
		pace := must.Get(appio.NewPace(appio.PaceConfig{Calls: 1, Window: time.Hour}))(t)
		require.NoError(t, pace.Wait(t.Context()))
		p := newPlatform(t, appiotest.Config{}, func(c *appio.Config) { c.Pace = pace })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := p.client.Submit(ctx, message(t, 1))
		assert.Equal(t, flussi.OutcomeNotDone, flussi.OutcomeOf(err))
		assert.ErrorIs(t, err, flussi.ErrInterrupted)
		assert.Zero(t, p.Received(appiotest.SubmitMessage))
	})
}

func TestAServerThatClosesEndsCallsAtOnceAndLeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	server := appiotest.NewServer(appiotest.Config{})
	server.AddService(appiotest.Service{ID: "tributi", Key: secretKey})
	server.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.Silent, Stored: true})
	transport := &http.Transport{}
	client := must.Get(appio.New(key(t, secretKey), appio.Config{BaseURL: server.URL, HTTPClient: &http.Client{Transport: transport}}))(t)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			_, err := client.Submit(t.Context(), message(t, i))
			assert.Equal(t, flussi.OutcomeUnknown, flussi.OutcomeOf(err))
		})
	}
	for server.Received(appiotest.SubmitMessage) < 8 {
		runtime.Gosched()
	}
	server.Close()
	group.Wait()
	transport.CloseIdleConnections()
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("goroutines are left:\n%s", stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// A connection that the server closes while it is idle must neither lose a message nor
// send one twice.
func TestIdleConnectionsThatTheServerCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(t, appiotest.Config{}, nil)
		random := rand.New(rand.NewPCG(1, 1))
		for i := range 300 {
			_, err := p.client.Submit(t.Context(), message(t, i))
			require.Equal(t, flussi.OutcomeDone, flussi.OutcomeOf(err))
			time.Sleep(time.Duration(900+random.IntN(200)) * time.Millisecond)
		}
		assert.Len(t, p.Deliveries(), 300)
		assert.Equal(t, 300, p.Received(appiotest.SubmitMessage))
	})
}

// clientOf returns a client that makes one attempt, over a function.
func clientOf(t testing.TB, do func(*http.Request) (*http.Response, error)) *appio.Client {
	client := must.Get(appio.New(key(t, secretKey), appio.Config{
		BaseURL: "https://platform.test/api/v1/", HTTPClient: &http.Client{Transport: roundTrip(do)}, MaxAttempts: 1,
	}))(t)
	return client
}

// answering returns a client whose platform always answers the same.
func answering(t testing.TB, status int, body string) *appio.Client {
	return clientOf(t, func(*http.Request) (*http.Response, error) { return answer(status, body, nil), nil })
}

type roundTrip func(*http.Request) (*http.Response, error)

func (do roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return do(r) }

func answer(status int, body string, header map[string]string) *http.Response {
	h := http.Header{}
	for name, value := range header {
		h.Set(name, value)
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}
