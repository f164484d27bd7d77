package flow_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
)

// imported imports drafts into a new flow, and enables the ones stored disabled as duplicates.
func (w *world) imported(t testing.TB, rows ...flow.Draft) flow.Flow {
	t.Helper()
	f, _, err := w.ImportFlow(t.Context(), operator, taxes, flow.Details{}, flow.DraftRows(rows...), flow.AddConfig{})
	require.NoError(t, err)
	for _, n := range w.notifications(t, f.ID) {
		if n.Disabled {
			must(w.EnableNotification(t.Context(), operator, n.ID))(t)
		}
	}
	return w.flow(t, f.ID)
}

// ordered activates a flow and orders its sending.
func (w *world) ordered(t testing.TB, id uuid.UUID) {
	t.Helper()
	must(w.ActivateFlow(t.Context(), operator, id))(t)
	must(w.SendFlow(t.Context(), operator, id))(t)
}

// another imports drafts into a new flow, and sends it two days later.
func (w *world) another(t testing.TB, rows ...flow.Draft) []flow.Notification {
	t.Helper()
	f := must(w.CreateFlow(t.Context(), operator, taxes, flow.Details{}))(t)
	must(w.AddNotifications(t.Context(), operator, f.ID, flow.DraftRows(rows...), flow.AddConfig{}))(t)
	for _, n := range w.notifications(t, f.ID) {
		if n.Disabled {
			must(w.EnableNotification(t.Context(), operator, n.ID))(t)
		}
	}
	time.Sleep(48 * time.Hour)
	w.ordered(t, f.ID)
	w.run(t, f.ID)
	return w.notifications(t, f.ID)
}

// Two flows have the same rows, and are sent at the same time.
func TestFlowsWithTheSameRowsNotifyEachCitizenOnce(t *testing.T) {
	for _, dispatchers := range []int{1, 2, 3} {
		t.Run(fmt.Sprint(dispatchers), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const rows = 60
				w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}})
				w.FailAtRandom(appiotest.SubmitMessage, 0.5, 1, appiotest.Fault{Kind: appiotest.Slow, Delay: time.Second})
				first := w.imported(t, drafts(t, rows)...)
				must(w.DisableFlow(t.Context(), operator, first.ID))(t)
				second := w.imported(t, drafts(t, rows)...)
				must(w.EnableFlow(t.Context(), operator, first.ID))(t)
				require.NotEqual(t, first.ID, second.ID)
				ends := make(chan error, 2*dispatchers)
				for _, id := range []uuid.UUID{first.ID, second.ID} {
					w.ordered(t, id)
					for i := range dispatchers {
						d := w.dispatcher(t, flow.DispatcherConfig{ID: fmt.Sprint("dispatcher ", i), Workers: 4})
						go func() { ends <- only(d.Run(t.Context(), id)) }()
					}
				}
				for range cap(ends) {
					require.NoError(t, <-ends)
				}
				assert.Len(t, w.Deliveries(), rows)
				assert.Len(t, w.delivered(), rows, "everybody")
				others := w.notifications(t, second.ID)
				for i, n := range w.notifications(t, first.ID) {
					sent, skipped := n, others[i]
					if sent.State != flow.NotificationSent {
						sent, skipped = skipped, sent
					}
					require.Equal(t, flow.NotificationSent, sent.State)
					require.Equal(t, flow.NotificationFailed, skipped.State)
					assert.Equal(t, flow.CodeAlreadySent, skipped.Transmission.ErrorCode)
					assert.Equal(t, sent.ID, skipped.Transmission.EarlierID)
					assert.Contains(t, skipped.Transmission.Error, sent.ID.String()+" del 01/01/2000, nello stato «In")
					assert.Zero(t, skipped.Transmission.Attempts)
					assert.Equal(t, []flow.NotificationAction{flow.NotificationCreate, flow.NotificationSkip}, w.steps(t, skipped.ID)[:2])
				}
				assert.Equal(t, rows, w.flow(t, first.ID).Counts.Sent+w.flow(t, second.ID).Counts.Sent)
				for _, id := range []uuid.UUID{first.ID, second.ID} {
					if f := w.flow(t, id); f.Counts.Failed > 0 {
						assert.Equal(t, flow.FlowIncomplete, f.State)
						assert.Empty(t, f.Error)
					}
				}
			})
		})
	}
}

// skipped returns a notification of a flow that was not sent, and the earlier one with its message.
func (w *world) skipped(t testing.TB) (earlier, n flow.Notification) {
	t.Helper()
	earlier = w.another(t, draft(t, 1))[0]
	require.Equal(t, flow.NotificationSent, earlier.State)
	time.Sleep(60 * 24 * time.Hour)
	n = w.another(t, draft(t, 1))[0]
	require.Equal(t, flow.CodeAlreadySent, n.Transmission.ErrorCode)
	return earlier, n
}

func TestAlreadySentNamesTheEarlierNotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		time.Sleep(23*time.Hour + 30*time.Minute) // in Italy it is the next day
		earlier, n := w.skipped(t)
		assert.Equal(t, earlier.ID, n.Transmission.EarlierID)
		assert.Equal(t, "Non inviata: lo stesso messaggio per lo stesso cittadino è nella notifica "+earlier.ID.String()+
			" del 04/01/2000, nello stato «Inviato». Se il messaggio non serve più, disabilitare la notifica; se è un nuovo invio, "+
			"indicare un'occasione diversa; altrimenti inviarla di nuovo, sapendo che il cittadino potrebbe riceverla due volte.", n.Transmission.Error)
		assert.Equal(t, "dispatcher", n.UpdatedBy)
		assert.Zero(t, n.Transmission.SentAt)
		records := must(w.NotificationHistory(t.Context(), operator, n.ID))(t)
		assert.Equal(t, flow.NotificationRecord{
			Version: n.Version, At: n.UpdatedAt, By: "dispatcher", Action: flow.NotificationSkip,
			From: flow.NotificationRegistered, To: flow.NotificationFailed, Reason: flussi.NewText(n.Transmission.Error),
		}, records[len(records)-1])
		assert.Equal(t, []flow.NotificationAction{
			flow.NotificationEdit, flow.NotificationRegister, flow.NotificationResend, flow.NotificationDisable,
		}, must(w.NotificationActions(t.Context(), operator, n.ID))(t))
		w.refused(t, flow.ErrOutcomeKnown, func() error { return only(w.ConfirmNotification(t.Context(), operator, n.ID, "arrivata")) })
		w.refused(t, flussi.ErrEmpty, func() error { return only(w.ResendNotification(t.Context(), operator, n.ID, " ")) })
	})
}

func TestWaysOutOfAlreadySent(t *testing.T) {
	for name, test := range map[string]struct {
		decide func(t *testing.T, w *world, earlier, n flow.Notification)
		sent   bool // then
	}{
		"it is disabled": {func(t *testing.T, w *world, _, n flow.Notification) {
			must(w.DisableNotification(t.Context(), operator, n.ID))(t)
		}, false},
		"it gets another occasion": {func(t *testing.T, w *world, _, n flow.Notification) {
			d := n.Draft
			d.Occasion = "sollecito marzo"
			must(w.EditNotification(t.Context(), operator, n.ID, n.Version, d))(t)
			must(w.RegisterNotification(t.Context(), operator, n.ID))(t)
		}, true},
		"it gets another text": {func(t *testing.T, w *world, _, n flow.Notification) {
			must(w.EditNotification(t.Context(), operator, n.ID, n.Version, draft(t, 2)))(t)
			must(w.RegisterNotification(t.Context(), operator, n.ID))(t)
		}, true},
		"it gets the same text in another spelling": {func(t *testing.T, w *world, _, n flow.Notification) {
			d := n.Draft
			d.Subject = flussi.NewText(d.Subject.Reveal() + "\u200b ")
			must(w.EditNotification(t.Context(), operator, n.ID, n.Version, d))(t)
			must(w.RegisterNotification(t.Context(), operator, n.ID))(t)
		}, false},
		"it is sent again knowingly": {func(t *testing.T, w *world, _, n flow.Notification) {
			got := must(w.ResendNotification(t.Context(), operator, n.ID, "Il cittadino l'ha cancellata."))(t)
			assert.True(t, got.AllowDuplicate)
			records := must(w.NotificationHistory(t.Context(), operator, n.ID))(t)
			assert.Equal(t, "Il cittadino l'ha cancellata.", records[len(records)-1].Reason.Reveal())
		}, true},
		"it is registered again": {func(t *testing.T, w *world, _, n flow.Notification) {
			got := must(w.RegisterNotification(t.Context(), operator, n.ID))(t)
			assert.Equal(t, flow.Transmission{}, got.Transmission)
		}, false},
		"the platform rejected the earlier one": {func(t *testing.T, w *world, earlier, n flow.Notification) {
			w.SetState(string(earlier.Transmission.MessageID), appiotest.State{Status: "REJECTED"})
			must(w.VerifyNotification(t.Context(), operator, earlier.ID))(t)
			must(w.RegisterNotification(t.Context(), operator, n.ID))(t)
		}, true},
		"the earlier one was anonymised": {func(t *testing.T, w *world, earlier, n flow.Notification) {
			require.Equal(t, 1, must(w.Anonymise(t.Context(), operator, taxes, earlier.Transmission.SentAt.Add(time.Second)))(t))
			must(w.RegisterNotification(t.Context(), operator, n.ID))(t)
		}, true},
	} {
		for how, send := range map[string]func(t *testing.T, w *world, n flow.Notification){
			"with its flow": func(t *testing.T, w *world, n flow.Notification) {
				if w.flow(t, n.FlowID).Counts.Registered > 0 {
					must(w.SendFlow(t.Context(), operator, n.FlowID))(t)
					w.run(t, n.FlowID)
				}
			},
			"by itself": func(t *testing.T, w *world, n flow.Notification) {
				if n := w.notification(t, n.ID); n.State == flow.NotificationRegistered {
					got, err := w.SendNotification(t.Context(), operator, n.ID)
					assert.Equal(t, got, w.notification(t, n.ID))
					if !test.sent {
						assert.ErrorIs(t, err, flussi.ErrDuplicate)
						assert.Contains(t, flussi.Explain(err), "La notifica non è stata inviata: lo stesso messaggio per lo stesso cittadino è nella notifica")
						return
					}
					assert.NoError(t, err)
				}
			},
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, worldConfig{})
					earlier, n := w.skipped(t)
					test.decide(t, w, earlier, n)
					send(t, w, n)
					got, f := w.notification(t, n.ID), w.flow(t, n.FlowID)
					if !test.sent {
						assert.Len(t, w.Deliveries(), 1)
						assert.Equal(t, flow.NotificationFailed, got.State)
						assert.Equal(t, earlier.ID, got.Transmission.EarlierID)
						assert.Equal(t, got.Disabled, f.State == flow.FlowSent)
						return
					}
					assert.Len(t, w.Deliveries(), 2)
					assert.Equal(t, flow.NotificationSent, got.State)
					assert.Equal(t, uuid.Nil, got.Transmission.EarlierID)
					assert.False(t, got.AllowDuplicate, "the order is carried out")
					assert.Equal(t, flow.FlowSent, f.State)
					if got.Digest() == draft(t, 1).Digest() {
						again := w.another(t, draft(t, 1))[0]
						assert.Equal(t, flow.CodeAlreadySent, again.Transmission.ErrorCode, "a third one")
					}
				})
			})
		}
	}
}

// held stores a notification as it is.
func (w *world) held(t testing.TB, n flow.Notification) flow.Notification {
	t.Helper()
	require.NoError(t, w.store.SaveNotifications(t.Context(), flow.NotificationChange{Notification: n, Lease: time.Hour}))
	return w.notification(t, n.ID)
}

func TestNotificationsThatMayHaveArrivedBlockTheirMessage(t *testing.T) {
	failed := func(code flow.ErrorCode) func(*flow.Notification) {
		return func(n *flow.Notification) { n.State, n.Transmission.ErrorCode = flow.NotificationFailed, code }
	}
	in := func(state flow.NotificationState) func(*flow.Notification) {
		return func(n *flow.Notification) { n.State = state }
	}
	disabled := func(change func(*flow.Notification)) func(*flow.Notification) {
		return func(n *flow.Notification) { change(n); n.Disabled = true }
	}
	for name, test := range map[string]struct {
		earlier func(*flow.Notification)
		blocks  bool
	}{
		"In invio":                     {in(flow.NotificationSending), true},
		"Inviato":                      {in(flow.NotificationSent), true},
		"Inviato, and disabled":        {disabled(in(flow.NotificationSent)), true},
		"an unknown outcome":           {failed(flow.CodeOutcomeUnknown), true},
		"an unknown outcome, disabled": {disabled(failed(flow.CodeOutcomeUnknown)), true},
		"in another spelling": {func(n *flow.Notification) {
			n.State, n.Subject = flow.NotificationSent, flussi.NewText(" "+n.Subject.Reveal()+"\r\n")
		}, true},
		"only composed":                  {in(flow.NotificationRegistered), false},
		"disabled before it was sent":    {disabled(in(flow.NotificationRegistered)), false},
		"refused":                        {failed(flow.CodeRefused), false},
		"unreachable":                    {failed(flow.CodeUnreachable), false},
		"not sent":                       {failed(flow.CodeNotSent), false},
		"not valid":                      {failed(flow.CodeInvalid), false},
		"already sent by one since gone": {failed(flow.CodeAlreadySent), false},
		"anonymised": {func(n *flow.Notification) {
			n.State, n.AnonymisedAt, n.Draft = flow.NotificationSent, n.CreatedAt, flow.Draft{}
		}, false},
		"marked as anonymised": {func(n *flow.Notification) { n.State, n.AnonymisedAt = flow.NotificationSent, n.CreatedAt }, false},
		"of another service":   {func(n *flow.Notification) { n.State, n.Service = flow.NotificationSent, school }, false},
		"of another occasion":  {func(n *flow.Notification) { n.State, n.Occasion = flow.NotificationSent, "sollecito" }, false},
		"of another citizen":   {func(n *flow.Notification) { n.State, n.Recipient = flow.NotificationSent, citizen(t, 3) }, false},
		"of another text":      {func(n *flow.Notification) { n.State, n.Draft = flow.NotificationSent, draft(t, 1); n.Amount = 5 }, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for way, send := range map[string]func(w *world, flowID uuid.UUID, alone flow.Notification) flow.Notification{
					"by a flow": func(w *world, flowID uuid.UUID, _ flow.Notification) flow.Notification {
						w.ordered(t, flowID)
						w.run(t, flowID)
						return w.notifications(t, flowID)[0]
					},
					"by itself": func(w *world, _ uuid.UUID, alone flow.Notification) flow.Notification {
						got, err := w.SendNotification(t.Context(), operator, alone.ID)
						assert.Equal(t, test.blocks, err != nil)
						return got
					},
				} {
					w := newWorld(t, worldConfig{})
					f := w.prepared(t, 1)
					alone, err := flow.NewNotification(taxes, citizen(t, 0), operator)
					require.NoError(t, err)
					alone.Draft = draft(t, 0)
					alone = w.held(t, alone)
					earlier, err := flow.NewNotification(taxes, citizen(t, 0), operator)
					require.NoError(t, err)
					earlier.Draft = draft(t, 0)
					test.earlier(&earlier)
					earlier = w.held(t, earlier)

					got := send(w, f.ID, alone)
					if test.blocks {
						assert.Empty(t, w.Deliveries(), way)
						assert.Equal(t, flow.NotificationFailed, got.State)
						assert.Equal(t, flow.CodeAlreadySent, got.Transmission.ErrorCode)
						assert.Equal(t, earlier.ID, got.Transmission.EarlierID)
						assert.Contains(t, got.Transmission.Error, "«"+earlier.State.Label()+"»")
						w.refused(t, flussi.ErrDuplicate, func() error {
							return only(w.SendNewNotification(t.Context(), operator, taxes, draft(t, 0), flow.SendNewConfig{}))
						})
						continue
					}
					assert.Equal(t, map[flussi.FiscalCode]int{citizen(t, 0): 1}, w.delivered(), way)
					assert.Equal(t, flow.NotificationSent, got.State)
					assert.Equal(t, earlier, w.notification(t, earlier.ID), "it is left as it is")
				}
			})
		})
	}
}

// A flow whose messages were all sent before is concluded. It becomes Inviato once an operator
// disables its notifications.
func TestFlowOfSentMessagesIsConcluded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}})
		first := w.sending(t, 100)
		must(w.dispatcher(t, flow.DispatcherConfig{}).Run(t.Context(), first.ID))(t)
		again := must(w.CreateFlow(t.Context(), operator, taxes, flow.Details{}))(t)
		report := must(w.AddNotifications(t.Context(), operator, again.ID, flow.DraftRows(drafts(t, 100)...), flow.AddConfig{}))(t)
		require.Equal(t, 100, report.Disabled)
		w.refused(t, flow.ErrNothingToSend, func() error { return only(w.ActivateFlow(t.Context(), operator, again.ID)) })
		for _, n := range w.notifications(t, again.ID) {
			must(w.EnableNotification(t.Context(), operator, n.ID))(t)
		}
		w.ordered(t, again.ID)
		var done flow.Progress
		got := must(w.dispatcher(t, flow.DispatcherConfig{Workers: 4, Progress: func(p flow.Progress) { done = p }}).Run(t.Context(), again.ID))(t)
		assert.Equal(t, flow.FlowIncomplete, got.State)
		assert.Equal(t, flow.Counts{Failed: 100}, got.Counts)
		assert.Empty(t, got.Error)
		assert.True(t, done.Done)
		assert.Len(t, w.Deliveries(), 100)
		w.refused(t, flow.ErrNothingToSend, func() error { return only(w.SendFlow(t.Context(), operator, again.ID)) })
		for _, n := range w.notifications(t, again.ID) {
			must(w.DisableNotification(t.Context(), operator, n.ID))(t)
		}
		assert.Equal(t, flow.FlowSent, w.flow(t, again.ID).State)
	})
}

// Single notifications of one message, sent at the same moment, are sent once.
func TestConcurrentSingleNotificationsSendOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		w.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.Slow, Delay: time.Second})
		ends := make(chan error, 16)
		for range cap(ends) {
			n, err := flow.NewNotification(taxes, citizen(t, 1), operator)
			require.NoError(t, err)
			n.Draft = draft(t, 1)
			n = w.held(t, n)
			go func() {
				got, err := w.SendNotification(t.Context(), operator, n.ID)
				assert.Equal(t, err == nil, got.State == flow.NotificationSent)
				ends <- err
			}()
		}
		won := 0
		for range cap(ends) {
			if err := <-ends; err == nil {
				won++
			} else {
				assert.ErrorIs(t, err, flussi.ErrDuplicate)
			}
		}
		assert.Equal(t, 1, won)
		assert.Len(t, w.Deliveries(), 1)
	})
}
