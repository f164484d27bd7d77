package flow_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
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
)

func TestRunNeedsAFlowThatIsToBeSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		d := w.dispatcher(t, flow.DispatcherConfig{})
		_, err := d.Run(t.Context(), uuid.New())
		assert.ErrorIs(t, err, flussi.ErrNotFound)
		f := w.prepared(t, 3)
		_, err = d.Run(t.Context(), f.ID)
		assert.ErrorIs(t, err, flussi.ErrState)
		assert.Equal(t, "Il flusso è nello stato «Inattivo»: avviare prima l'invio.", flussi.Explain(err))
		_, err = w.ActivateFlow(t.Context(), operator, f.ID)
		require.NoError(t, err)
		_, err = d.Run(t.Context(), f.ID)
		assert.ErrorIs(t, err, flussi.ErrState)
		_, err = w.SendFlow(t.Context(), operator, f.ID)
		require.NoError(t, err)
		sent, err := d.Run(t.Context(), f.ID)
		require.NoError(t, err)
		again, err := d.Run(t.Context(), f.ID)
		assert.NoError(t, err)
		assert.Equal(t, sent, again, "what is over is returned as it is")
		assert.Len(t, w.Deliveries(), 3)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = d.Run(ctx, f.ID)
		assert.ErrorIs(t, err, context.Canceled)
	})
}

// Any number of dispatchers work on one flow, and exactly one concludes it.
func TestOneOfManyConcludes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}})
		for round := range 20 {
			f := w.sending(t, 50+round)
			var group sync.WaitGroup
			for i := range 8 {
				d := w.dispatcher(t, flow.DispatcherConfig{ID: fmt.Sprint("d", i), Workers: 2, MaxInFlight: 3})
				group.Go(func() {
					got, err := d.Run(t.Context(), f.ID)
					assert.NoError(t, err)
					assert.Equal(t, flow.FlowSent, got.State)
				})
			}
			group.Wait()
			history, err := w.FlowHistory(t.Context(), operator, f.ID)
			require.NoError(t, err)
			assert.Len(t, history, 5)
			assert.Equal(t, flow.FlowComplete, history[4].Action)
			require.NoError(t, w.store.SaveNotifications(t.Context()))
		}
	})
}

// Serve sends what is ordered, several flows at a time, until it is told to end.
func TestServe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}})
		w.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.Slow, Delay: time.Second})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- w.dispatcher(t, flow.DispatcherConfig{Workers: 2}).Serve(ctx) }()
		large := w.sending(t, 2*100)
		small := w.sending(t, 4)
		idle := w.prepared(t, 3)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		assert.Equal(t, flow.FlowSent, w.flow(t, small.ID).State, "a small flow does not wait for a large one")
		assert.Equal(t, flow.FlowSending, w.flow(t, large.ID).State)
		var more []flow.Flow
		for range 10 {
			more = append(more, w.sending(t, 2))
		}
		stopped := w.sending(t, 2)
		_, err := w.DisableFlow(t.Context(), operator, stopped.ID)
		require.NoError(t, err)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		assert.Equal(t, flow.FlowSent, w.flow(t, large.ID).State)
		for _, f := range more {
			assert.Equal(t, flow.FlowSent, w.flow(t, f.ID).State)
		}
		assert.Equal(t, flow.FlowIncomplete, w.flow(t, stopped.ID).State)
		assert.Equal(t, flow.FlowInactive, w.flow(t, idle.ID).State)
		last := w.sending(t, 100)
		time.Sleep(3500 * time.Millisecond)
		cancel()
		assert.NoError(t, <-ended)
		left := w.flow(t, last.ID)
		assert.Zero(t, left.Counts.Sending)
		assert.NotZero(t, left.Counts.Registered)
		assert.Equal(t, flow.FlowSending, left.State)
		assert.Len(t, w.Deliveries(), 200+4+20+left.Counts.Sent)
	})
}

// A citizen who is not there does not stop the others, and is not asked about again.
func TestProfilesAreChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}})
		w.AddCitizen(appiotest.Citizen{Code: citizen(t, 3), Absent: true})
		w.AddCitizen(appiotest.Citizen{Code: citizen(t, 4), Blocks: []string{taxes}})
		f := w.prepared(t, 10)
		d := draft(t, 3)
		d.Subject = flussi.NewText("Un altro oggetto riservato")
		_, err := w.AddNotifications(t.Context(), operator, f.ID, flow.DraftRows(d), flow.AddConfig{})
		require.NoError(t, err)
		_, err = w.ActivateFlow(t.Context(), operator, f.ID)
		require.NoError(t, err)
		_, err = w.SendFlow(t.Context(), operator, f.ID)
		require.NoError(t, err)
		got, err := w.dispatcher(t, flow.DispatcherConfig{CheckProfiles: true, Workers: 1}).Run(t.Context(), f.ID)
		require.NoError(t, err)
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
	})
}

// A message that the platform never takes, while it takes others, does not hold them up.
func TestAMessageThatIsNeverTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}})
		f := w.sending(t, 100)
		never := citizen(t, 7)
		real, err := w.messengers(t.Context(), taxes)
		require.NoError(t, err)
		w.messengers = func(context.Context, string) (flow.Sender, error) {
			return refusing{real, func(m appio.Message) error {
				if m.To == never {
					return &flussi.RemoteError{Operation: "submit message", Kind: flussi.ErrUnavailable, Outcome: flussi.OutcomeNotDone, Attempts: 5}
				}
				return nil
			}, 0}, nil
		}
		got, err := w.dispatcher(t, flow.DispatcherConfig{Workers: 2, MaxInFlight: 4}).Run(t.Context(), f.ID)
		require.NoError(t, err)
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
	})
}

// refusing is a messenger that refuses some messages by itself, and answers late.
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
func TestAPayeeThatMayNotBeNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		f := w.prepared(t, 5)
		d := draft(t, 9)
		d.IsPayment, d.Amount = true, 1000
		var err error
		d.NoticeNumber, err = flussi.ParseNoticeNumber("301005100001400678")
		require.NoError(t, err)
		d.Payee, err = flussi.ParseOrganizationCode("15376371009")
		require.NoError(t, err)
		_, err = w.AddNotifications(t.Context(), operator, f.ID, flow.DraftRows(d), flow.AddConfig{})
		require.NoError(t, err)
		_, err = w.ActivateFlow(t.Context(), operator, f.ID)
		require.NoError(t, err)
		_, err = w.SendFlow(t.Context(), operator, f.ID)
		require.NoError(t, err)
		got, err := w.dispatcher(t, flow.DispatcherConfig{}).Run(t.Context(), f.ID)
		require.NoError(t, err)
		assert.Equal(t, flow.Counts{Sent: 5, Failed: 1}, got.Counts)
		page, err := w.Notifications(t.Context(), operator, flow.NotificationFilter{ErrorCodes: []flow.ErrorCode{flow.CodeRefused}}, flow.Page{})
		require.NoError(t, err)
		require.Len(t, page.Notifications, 1)
		assert.Contains(t, page.Notifications[0].Transmission.Error, "ente creditore")
	})
}

func TestAServiceWithoutAMessengerStopsItsFlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		f := w.sending(t, 5)
		w.messengers = func(context.Context, string) (flow.Sender, error) { return nil, errors.New("no key") }
		got, err := w.dispatcher(t, flow.DispatcherConfig{}).Run(t.Context(), f.ID)
		var stopped *flow.StopError
		require.ErrorAs(t, err, &stopped)
		assert.Equal(t, f.ID, stopped.FlowID)
		assert.Equal(t, flow.FlowIncomplete, got.State)
		assert.Equal(t, flow.Counts{Registered: 5}, got.Counts)
		assert.Equal(t, "Invio fermato. Il servizio non può inviare messaggi: verificare la configurazione del servizio.", got.Error)
	})
}

// Disabling a flow while it is sent ends the sending; enabling and sending goes on.
func TestDisablingAFlowWhileItIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}})
		f := w.sending(t, 200)
		w.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.Slow, Delay: time.Second})
		go func() {
			time.Sleep(2500 * time.Millisecond)
			_, err := w.DisableFlow(t.Context(), operator, f.ID)
			assert.NoError(t, err)
		}()
		d := w.dispatcher(t, flow.DispatcherConfig{Workers: 8, MaxInFlight: 8})
		got, err := d.Run(t.Context(), f.ID)
		require.NoError(t, err)
		assert.Equal(t, flow.FlowIncomplete, got.State)
		assert.Contains(t, got.Error, "disabilitato")
		assert.Less(t, got.Counts.Sent, 50)
		assert.Equal(t, 200, got.Counts.Sent+got.Counts.Registered)
		_, err = w.SendFlow(t.Context(), operator, f.ID)
		assert.ErrorIs(t, err, flow.ErrDisabled)
		_, err = w.EnableFlow(t.Context(), operator, f.ID)
		require.NoError(t, err)
		_, err = w.SendFlow(t.Context(), operator, f.ID)
		require.NoError(t, err)
		got, err = d.Run(t.Context(), f.ID)
		require.NoError(t, err)
		assert.Equal(t, flow.Counts{Sent: 200}, got.Counts)
		assert.Len(t, w.Deliveries(), 200)
	})
}

func TestProgressIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}})
		f := w.sending(t, 100)
		w.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.Slow, Delay: time.Second})
		var told []flow.Progress
		_, err := w.dispatcher(t, flow.DispatcherConfig{Workers: 5, MaxInFlight: 5, Progress: func(p flow.Progress) { told = append(told, p) }}).Run(t.Context(), f.ID)
		require.NoError(t, err)
		assert.InDelta(t, 20, len(told), 5, "about once a second")
		assert.True(t, slices.IsSortedFunc(told, func(a, b flow.Progress) int { return a.Flow.Counts.Sent - b.Flow.Counts.Sent }))
		middle, last := told[len(told)/2], told[len(told)-1]
		assert.InDelta(t, 5, middle.Rate, 1)
		assert.InDelta(t, float64(middle.Flow.Counts.Pending())/5, middle.TimeLeft.Seconds(), 3)
		assert.False(t, middle.Done)
		assert.True(t, last.Done)
		assert.Zero(t, last.TimeLeft)
		assert.Equal(t, flow.Counts{Sent: 100}, last.Flow.Counts)
		assert.Equal(t, flow.FlowSent, last.Flow.State)
	})
}

// Operators act on a flow in every way while three dispatchers send it through a storm:
// whatever they do, no citizen is notified twice but by a resend, nothing is lost, and the
// flow's state fits its notifications.
func TestOperatorsActWhileAFlowIsSent(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}})
			w.AddCitizen(appiotest.Citizen{Code: citizen(t, 11), Absent: true})
			f := w.sending(t, 150)
			w.FailAtRandom(appiotest.SubmitMessage, 0.5, seed,
				appiotest.Fault{Kind: appiotest.BadGateway, Stored: true}, appiotest.Fault{Kind: appiotest.Unavailable},
				appiotest.Fault{Kind: appiotest.BadRequest}, appiotest.Fault{Kind: appiotest.ServerProblem},
				appiotest.Fault{Kind: appiotest.Slow, Delay: 3 * time.Second}, appiotest.Fault{Kind: appiotest.Unauthorized})
			resent := map[uuid.UUID]int{}
			act := func(random *rand.Rand) {
				page, err := w.Notifications(t.Context(), operator, flow.NotificationFilter{Flow: f.ID}, flow.Page{Limit: 500})
				require.NoError(t, err)
				n := page.Notifications[random.IntN(len(page.Notifications))]
				switch random.IntN(12) {
				case 0:
					_, _ = w.RegisterNotification(t.Context(), operator, n.ID)
				case 1:
					_, _ = w.ConfirmNotification(t.Context(), operator, n.ID, "arrivata")
				case 2:
					if _, err := w.ResendNotification(t.Context(), operator, n.ID, "di nuovo"); err == nil {
						resent[n.ID]++
					}
				case 3:
					_, _ = w.DisableNotification(t.Context(), operator, n.ID)
				case 4:
					_, _ = w.EnableNotification(t.Context(), operator, n.ID)
				case 5:
					_, _ = w.SendNotification(t.Context(), operator, n.ID)
				case 6:
					_, _ = w.VerifyNotification(t.Context(), operator, n.ID)
				case 7:
					d := n.Draft
					d.Content = flussi.NewText(d.Content.Reveal() + "Corretto. ")
					_, _ = w.EditNotification(t.Context(), operator, n.ID, n.Version, d)
				case 8:
					_, _ = w.DisableFlow(t.Context(), operator, f.ID)
				case 9:
					_, _ = w.EnableFlow(t.Context(), operator, f.ID)
				case 10:
					_, _ = w.VerifyFlow(t.Context(), operator, f.ID)
				case 11:
					_, _ = w.SendFlow(t.Context(), operator, f.ID)
				}
			}
			ctx, cancel := context.WithCancel(t.Context())
			var group sync.WaitGroup
			for i := range 3 {
				d := w.dispatcher(t, flow.DispatcherConfig{ID: fmt.Sprint("d", i), Workers: 3, MaxInFlight: 6})
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
				if n.State == flow.NotificationSent && n.Transmission.MessageID != "" && n.Recipient != citizen(t, 11) {
					assert.Positive(t, delivered[n.Recipient])
				}
				history, err := w.NotificationHistory(t.Context(), operator, n.ID)
				require.NoError(t, err)
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
