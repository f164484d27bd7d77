package flow_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
)

func TestRunNeedsAFlowThatIsToBeSent(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.dispatcher(t)
		assert.ErrorIs(t, must.Err(d.Run(t.Context(), uuid.New())), flussi.ErrNotFound)
		f := w.prepared(t, 3)
		_, err := d.Run(t.Context(), f.ID)
		assert.ErrorIs(t, err, flussi.ErrState)
		assert.Equal(t, "Il flusso è nello stato «Inattivo»: avviare prima l'invio.", flussi.Explain(err))
		do(t, w.ActivateFlow, f.ID)
		assert.ErrorIs(t, must.Err(d.Run(t.Context(), f.ID)), flussi.ErrState)
		do(t, w.SendFlow, f.ID)
		sent := must.Get(d.Run(t.Context(), f.ID))(t)
		again, err := d.Run(t.Context(), f.ID)
		assert.NoError(t, err)
		assert.Equal(t, sent, again, "what is over is returned as it is")
		w.hasDelivered(t, 3)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		assert.ErrorIs(t, must.Err(d.Run(ctx, f.ID)), context.Canceled)
	})
}

// Any number of dispatchers work on one flow, and exactly one concludes it.
func TestOneOfManyDispatchersConcludesTheFlow(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for round := range 20 {
			f := w.sending(t, 50+round)
			var group sync.WaitGroup
			for i := range 8 {
				d := w.dispatcher(t, flow.DispatcherConfig{ID: fmt.Sprint("d", i), Workers: 2})
				group.Go(func() {
					got, err := d.Run(t.Context(), f.ID)
					assert.NoError(t, err)
					assert.Equal(t, flow.FlowSent, got.State)
				})
			}
			group.Wait()
			history := do(t, w.FlowHistory, f.ID)
			assert.Len(t, history, 5)
			assert.Equal(t, flow.FlowComplete, history[4].Action)
			require.NoError(t, w.store.SaveNotifications(t.Context()))
		}
	}, unlimited)
}

// Serve sends what is ordered, several flows at a time, until it is told to end.
func TestServeSendsSeveralFlowsAtATime(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.slow(time.Second)
		stop := w.serve(t, flow.DispatcherConfig{Workers: 2})
		large := w.sending(t, 2*100)
		small := w.sending(t, 4)
		idle := w.prepared(t, 3)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		assert.Equal(t, flow.FlowSent, w.flow(t, small.ID).State, "a small flow does not wait for a large one")
		w.isIn(t, flow.FlowSending, large.ID)
		var more []flow.Flow
		for range 10 {
			more = append(more, w.sending(t, 2))
		}
		stopped := w.sending(t, 2)
		do(t, w.DisableFlow, stopped.ID)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		w.isIn(t, flow.FlowSent, large.ID)
		for _, f := range more {
			w.isIn(t, flow.FlowSent, f.ID)
		}
		w.isIn(t, flow.FlowIncomplete, stopped.ID)
		w.isIn(t, flow.FlowInactive, idle.ID)
		last := w.sending(t, 100)
		time.Sleep(3500 * time.Millisecond)
		stop()
		left := w.flow(t, last.ID)
		assert.Zero(t, left.Counts.Sending)
		assert.NotZero(t, left.Counts.Registered)
		assert.Equal(t, flow.FlowSending, left.State)
		w.hasDelivered(t, 200+4+20+left.Counts.Sent)
	}, unlimited)
}

// A citizen who is not there does not stop the others, and is not asked about again.
func TestProfilesAreChecked(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.AddCitizen(appiotest.Citizen{Code: citizen(3), Absent: true})
		w.AddCitizen(appiotest.Citizen{Code: citizen(4), Blocks: []string{taxes}})
		f := w.prepared(t, 10)
		d := draft(3)
		d.Subject = flussi.NewText("Un altro oggetto riservato")
		w.add(t, f.ID, d)
		w.ordered(t, f.ID)
		got := w.dispatch(t, f.ID, flow.DispatcherConfig{CheckProfiles: true, Workers: 1})
		assert.Equal(t, flow.FlowIncomplete, got.State)
		assert.Equal(t, flow.Counts{Sent: 8, Failed: 3}, got.Counts)
		assert.Equal(t, 10, w.Received(appiotest.GetProfile))
		assert.Equal(t, 8, w.Received(appiotest.SubmitMessage))
		for _, n := range w.notifications(t, f.ID) {
			if n.State == flow.NotificationFailed {
				assert.Equal(t, flow.CodeUnreachable, n.Transmission.ErrorCode)
				assert.Contains(t, n.Transmission.Error, "non è su App IO")
			}
		}
	}, unlimited)
}

// A message that the platform never takes, while it takes others, does not hold them up.
func TestMessageThatIsNeverTakenFailsAlone(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.sending(t, 100)
		never := citizen(7)
		real := must.Get(w.senders(t.Context(), taxes))(t)
		w.senders = func(context.Context, string) (flow.Sender, error) {
			return refusing{real, func(m appio.Message) error {
				if m.To == never {
					return &flussi.RemoteError{Operation: "submit message", Kind: flussi.ErrUnavailable, Outcome: flussi.OutcomeNotDone, Attempts: 5}
				}
				return nil
			}, 0}, nil
		}
		got := w.dispatch(t, f.ID, flow.DispatcherConfig{Workers: 2})
		assert.Equal(t, flow.Counts{Sent: 99, Failed: 1}, got.Counts)
		for _, n := range w.notifications(t, f.ID) {
			if n.Recipient == never {
				assert.Equal(t, flow.CodeNotSent, n.Transmission.ErrorCode)
				assert.GreaterOrEqual(t, n.Transmission.Attempts, 15)
				assert.LessOrEqual(t, n.Transmission.Attempts, 30)
				_, err := w.RegisterNotification(t.Context(), operator, n.ID)
				assert.NoError(t, err)
			}
		}
	}, unlimited)
}

// refusing is a sender that refuses some messages by itself, and answers late.
type refusing struct {
	flow.Sender
	refuse func(appio.Message) error
	late   time.Duration
}

func (r refusing) Submit(ctx context.Context, m appio.Message) (appio.Receipt, error) {
	if err := r.refuse(m); err != nil {
		return appio.Receipt{}, err
	}
	receipt, err := r.Sender.Submit(ctx, m)
	time.Sleep(r.late)
	return receipt, err
}

// A payee that the service may not name is the fault of that message.
func TestForbiddenPayeeFailsItsMessageAlone(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.prepared(t, 5)
		w.add(t, f.ID, draftForPayee(9))
		w.ordered(t, f.ID)
		assert.Equal(t, flow.Counts{Sent: 5, Failed: 1}, w.dispatch(t, f.ID).Counts)
		page := do2(t, w.Notifications, flow.NotificationFilter{ErrorCodes: []flow.ErrorCode{flow.CodeNotPermitted}}, flow.Page{})
		require.Len(t, page.Notifications, 1)
		assert.Contains(t, page.Notifications[0].Transmission.Answer.Reveal(), "cannot name the payee")
	})
}

func TestServiceWithoutSenderStopsItsFlow(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.sending(t, 5)
		w.senders = func(context.Context, string) (flow.Sender, error) { return nil, errors.New("no key") }
		got, err := w.dispatcher(t).Run(t.Context(), f.ID)
		var stopped *flow.StopError
		require.ErrorAs(t, err, &stopped)
		assert.Equal(t, f.ID, stopped.FlowID)
		assert.Equal(t, flow.FlowIncomplete, got.State)
		assert.Equal(t, flow.Counts{Registered: 5}, got.Counts)
		assert.Equal(t, "Invio fermato. Il servizio non può inviare messaggi: verificare la configurazione del servizio, poi riprendere con «Invia Flusso».", got.Error)
	})
}

// Disabling a flow while it is sent ends the sending; enabling and sending goes on.
func TestDisablingAFlowWhileItIsSent(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.sending(t, 200)
		w.slow(time.Second)
		go func() {
			time.Sleep(2500 * time.Millisecond)
			_, err := w.DisableFlow(t.Context(), operator, f.ID)
			assert.NoError(t, err)
		}()
		d := w.dispatcher(t, flow.DispatcherConfig{Workers: 8})
		got := must.Get(d.Run(t.Context(), f.ID))(t)
		assert.Equal(t, flow.FlowIncomplete, got.State)
		assert.Contains(t, got.Error, "disabilitato")
		assert.Less(t, got.Counts.Sent, 50)
		assert.Equal(t, 200, got.Counts.Sent+got.Counts.Registered)
		assert.ErrorIs(t, must.Err(w.SendFlow(t.Context(), operator, f.ID)), flow.ErrDisabled)
		do(t, w.EnableFlow, f.ID)
		do(t, w.SendFlow, f.ID)
		got = must.Get(d.Run(t.Context(), f.ID))(t)
		assert.Equal(t, flow.Counts{Sent: 200}, got.Counts)
		w.hasDelivered(t, 200)
	}, unlimited)
}

// Operators act on a flow in every way while three dispatchers send it through a storm:
// whatever they do, no citizen is notified twice but by a resend, nothing is lost, and the
// flow's state fits its notifications.
func TestOperatorsActWhileAFlowIsSent(t *testing.T) {
	seeds := uint64(20)
	if testing.Short() {
		seeds = 5
	}
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, unlimited)
			w.AddCitizen(appiotest.Citizen{Code: citizen(11), Absent: true})
			f := w.sending(t, 150)
			w.FailAtRandom(appiotest.SubmitMessage, 0.5, seed,
				appiotest.Fault{Kind: appiotest.BadGateway, Stored: true}, appiotest.Fault{Kind: appiotest.Unavailable},
				refusal, appiotest.Fault{Kind: appiotest.ServerProblem},
				appiotest.Fault{Kind: appiotest.Slow, Delay: 3 * time.Second}, appiotest.Fault{Kind: appiotest.Unauthorized})
			resent := map[uuid.UUID]int{}
			act := func(random *rand.Rand) {
				page := do2(t, w.Notifications, flow.NotificationFilter{Flow: f.ID}, flow.Page{Limit: 500})
				n := page.Notifications[random.IntN(len(page.Notifications))]
				longer := n.Draft
				longer.Content = flussi.NewText(longer.Content.Reveal() + "Corretto. ")
				acts := []func() error{
					try(t, w.RegisterNotification, n.ID),
					try2(t, w.ConfirmNotification, n.ID, "arrivata"),
					func() error {
						err := try2(t, w.ResendNotification, n.ID, "di nuovo")()
						if err == nil {
							resent[n.ID]++
						}
						return err
					},
					try(t, w.DisableNotification, n.ID),
					try(t, w.EnableNotification, n.ID),
					try(t, w.SendNotification, n.ID),
					try(t, w.VerifyNotification, n.ID),
					func() error { return must.Err(w.EditNotification(t.Context(), operator, n.ID, n.Version, longer)) },
					try(t, w.DisableFlow, f.ID),
					try(t, w.EnableFlow, f.ID),
					try(t, w.VerifyFlow, f.ID),
					try(t, w.SendFlow, f.ID),
				}
				_ = acts[random.IntN(len(acts))]()
			}
			ctx, cancel := context.WithCancel(t.Context())
			var group sync.WaitGroup
			for i := range 3 {
				d := w.dispatcher(t, flow.DispatcherConfig{ID: fmt.Sprint("d", i), Workers: 3})
				group.Go(func() { assert.NoError(t, d.Serve(ctx)) })
			}
			random := rand.New(rand.NewPCG(seed, 5))
			for range 400 {
				act(random)
				time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
			}
			// Left alone, and enabled, the sending comes to its end.
			_, _ = w.EnableFlow(t.Context(), operator, f.ID)
			w.FailAtRandom(appiotest.SubmitMessage, 0, 0)
			for w.flow(t, f.ID).Counts.Pending() > 0 {
				_, _ = w.SendFlow(t.Context(), operator, f.ID)
				time.Sleep(10 * time.Minute)
				synctest.Wait()
			}
			cancel()
			group.Wait()

			got := w.flow(t, f.ID)
			c := got.Counts
			assert.Equal(t, 150, c.Total())
			assert.Zero(t, c.Pending())
			if c.Failed > 0 {
				assert.Equal(t, flow.FlowIncomplete, got.State)
			} else {
				assert.Equal(t, flow.FlowSent, got.State)
			}
			delivered := w.delivered()
			for _, n := range w.notifications(t, f.ID) {
				assert.LessOrEqual(t, delivered[n.Recipient], 1+resent[n.ID], "notified twice")
				if n.State == flow.NotificationSent && n.Transmission.MessageID != "" && n.Recipient != citizen(11) {
					assert.Positive(t, delivered[n.Recipient])
				}
				history := do(t, w.NotificationHistory, n.ID)
				assert.EqualValues(t, n.Version, len(history))
				for i, record := range history {
					assert.EqualValues(t, i+1, record.Version)
					if i > 0 {
						assert.Equal(t, history[i-1].To, record.From)
					}
				}
			}
		})
	}
}
