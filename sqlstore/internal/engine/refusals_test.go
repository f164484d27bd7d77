package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
)

// refusingPlatform is an App IO that refuses some messages, and counts what it accepted.
type refusingPlatform struct {
	mu       sync.Mutex
	random   *rand.Rand
	answers  map[string]problemReply // by recipient
	limited  map[string]bool         // recipients to whom it answered 429
	accepted map[string]int          // messages by recipient
	calls    int
	closesAt int // calls after which it refuses everything; 0: never
}

type problemReply struct {
	status        int
	title, detail string
}

// words returns what operators read of the answer.
func (a problemReply) words() string {
	if a.title == "" {
		return ""
	}
	return fmt.Sprintf("%s: %s (HTTP %d)", a.title, a.detail, a.status)
}

var closedToTheService = problemReply{403, "You are not allowed here", "The service may not send"}

func (p *refusingPlatform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m struct {
		To string `json:"fiscal_code"`
	}
	_ = json.NewDecoder(r.Body).Decode(&m)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	answer, refused := p.answers[m.To]
	switch {
	case !p.limited[m.To] && p.random.IntN(100) < 5:
		p.limited[m.To] = true
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case p.closesAt > 0 && p.calls > p.closesAt && answer.title == "" && answer.status == 0:
		answer, refused = closedToTheService, true
	}
	if !refused {
		p.accepted[m.To]++
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"id":"01JN6Q5CZ3VGTA4X%010d"}`, p.calls)
		return
	}
	if answer.title == "" {
		w.WriteHeader(answer.status)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(answer.status)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": answer.status, "title": answer.title, "detail": answer.detail})
}

// Several dispatchers that are restarted all the time send many rows through a platform that refuses
// one in a hundred for its recipient, one for its data and one without a certain answer, and is too
// busy for one in twenty: each good row is sent once, each refusal has the platform's words, and the
// flow does not stop. From the middle of another flow on the platform refuses the service: the flow
// stops within the threshold, and only rows that are refused anyway are in error.
func TestRefusalsAmongManyRowsOfSeveralDispatchers(t *testing.T) {
	rows := rowsOr(400)
	onBoth(t, func(t *testing.T, open func(testing.TB) database) {
		store := open(t)
		p := &refusingPlatform{random: rand.New(rand.NewPCG(17, 5)), answers: map[string]problemReply{}, limited: map[string]bool{}, accepted: map[string]int{}}
		good := rows
		for row := range drafts(rows) {
			code := row.Draft.Recipient.Reveal()
			switch at := p.random.IntN(100); at {
			case 0:
				p.answers[code] = problemReply{403, "Recipient forbidden", "You are not allowed to write to this recipient"}
			case 1:
				p.answers[code] = problemReply{400, "Bad Request", fmt.Sprintf("invalid value in row %d", row.Number)}
			case 2:
				p.answers[code] = problemReply{status: 502}
			}
			if _, refused := p.answers[code]; refused {
				good--
			}
		}
		server := httptest.NewServer(p)
		defer server.Close()
		pace := must.Get(appio.NewPace(appio.PaceConfig{Calls: 1 << 30, Window: 5 * time.Millisecond}))(t)
		client := must.Get(appio.New(must.Get(flussi.ParseKey("a-key"))(t), appio.Config{BaseURL: server.URL, Pace: pace, MaxWait: time.Millisecond}))(t)
		senders := func(context.Context, string) (flow.Sender, error) { return client, nil }
		service := must.Get(flow.NewService(store, flow.Permissions{clerk.ID: {taxes}}, senders, flow.ServiceConfig{}))(t)

		const dispatchers, workers, threshold = 3, 3, 10
		send := func(f uuid.UUID, restarts bool) flow.Flow {
			var group sync.WaitGroup
			for i := range dispatchers {
				d := must.Get(flow.NewDispatcher(store, senders, flow.DispatcherConfig{ID: fmt.Sprint("d", i), Workers: workers, RefusalThreshold: threshold, PollInterval: 10 * time.Millisecond}))(t)
				group.Go(func() {
					for {
						ctx, cancel := context.WithCancel(t.Context())
						if restarts {
							ctx, cancel = context.WithTimeout(t.Context(), time.Duration(50+25*i)*time.Millisecond)
						}
						_, err := d.Run(ctx, f)
						ended := ctx.Err() == nil
						cancel()
						if ended {
							if err != nil {
								assert.ErrorAs(t, err, new(*flow.StopError))
							}
							return
						}
					}
				})
			}
			group.Wait()
			return must.Get(store.Flow(t.Context(), f))(t)
		}
		ordered := func(occasion string) uuid.UUID {
			f, report, err := service.ImportFlow(t.Context(), clerk, taxes, flow.Details{}, drafts(rows), flow.AddConfig{Occasion: occasion})
			require.NoError(t, err)
			require.Equal(t, rows, report.Added)
			must.Get(service.ActivateFlow(t.Context(), clerk, f.ID))(t)
			must.Get(service.SendFlow(t.Context(), clerk, f.ID))(t)
			return f.ID
		}
		once := func() {
			t.Helper()
			for _, times := range p.accepted {
				require.Equal(t, 1, times)
			}
			require.Len(t, p.accepted, good)
		}
		hasWords := func(f uuid.UUID) {
			t.Helper()
			for n, err := range service.AllNotifications(t.Context(), clerk, flow.NotificationFilter{Flow: f}) {
				require.NoError(t, err)
				answer, refused := p.answers[n.Recipient.Reveal()]
				if n.State == flow.NotificationFailed {
					require.True(t, refused, "burned")
				}
				if n.State != flow.NotificationRegistered {
					require.Equal(t, answer.words(), n.Transmission.Answer.Reveal())
				}
			}
		}

		f := ordered("")
		got := send(f, true)
		require.Empty(t, got.Error)
		require.Equal(t, flow.Counts{Sent: good, Failed: rows - good}, got.Counts)
		once()
		hasWords(f)

		clear(p.accepted)
		clear(p.limited)
		p.closesAt = p.calls + rows/2
		f = ordered("sollecito")
		got = send(f, false)
		require.Contains(t, got.Error, closedToTheService.words())
		require.LessOrEqual(t, p.calls, p.closesAt+dispatchers*(threshold+2*workers), "it stops within the threshold")
		hasWords(f)
		p.closesAt = 0
		must.Get(service.SendFlow(t.Context(), clerk, f))(t)
		require.Equal(t, flow.Counts{Sent: good, Failed: rows - good}, send(f, false).Counts)
		once()
		hasWords(f)
	})
}
