package flow_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
)

// imported imports drafts into a new flow, and enables the ones stored disabled as duplicates.
func (w *world) imported(t testing.TB, rows ...flow.Draft) flow.Flow {
	t.Helper()
	f, _, err := w.ImportFlow(t.Context(), operator, taxes, flow.Details{}, flow.DraftRows(rows...), flow.AddConfig{})
	require.NoError(t, err)
	for _, n := range w.notifications(t, f.ID) {
		if n.Disabled {
			do(t, w.EnableNotification, n.ID)
		}
	}
	return w.flow(t, f.ID)
}

// ordered activates a flow and orders its sending.
func (w *world) ordered(t testing.TB, id uuid.UUID) {
	t.Helper()
	do(t, w.ActivateFlow, id)
	do(t, w.SendFlow, id)
}

// another imports drafts into a new flow, and sends it two days later.
func (w *world) another(t testing.TB, rows ...flow.Draft) []flow.Notification {
	t.Helper()
	f := w.created(t)
	w.add(t, f.ID, rows...)
	for _, n := range w.notifications(t, f.ID) {
		if n.Disabled {
			do(t, w.EnableNotification, n.ID)
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
		bubble(t, fmt.Sprint(dispatchers), func(t *testing.T) {
			const rows = 60
			w := newWorld(t, unlimited)
			w.FailAtRandom(appiotest.SubmitMessage, 0.5, 1, appiotest.Fault{Kind: appiotest.Slow, Delay: time.Second})
			first := w.imported(t, drafts(rows)...)
			do(t, w.DisableFlow, first.ID)
			second := w.imported(t, drafts(rows)...)
			do(t, w.EnableFlow, first.ID)
			require.NotEqual(t, first.ID, second.ID)
			ends := make(chan error, 2*dispatchers)
			for _, id := range []uuid.UUID{first.ID, second.ID} {
				w.ordered(t, id)
				for i := range dispatchers {
					d := w.dispatcher(t, flow.DispatcherConfig{ID: fmt.Sprint("dispatcher ", i), Workers: 4})
					go func() { ends <- must.Err(d.Run(t.Context(), id)) }()
				}
			}
			for range cap(ends) {
				require.NoError(t, <-ends)
			}
			w.hasDelivered(t, rows)
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
				assert.Regexp(t, "^create skip( |$)", w.steps(t, skipped.ID))
			}
			assert.Equal(t, rows, w.flow(t, first.ID).Counts.Sent+w.flow(t, second.ID).Counts.Sent)
			for _, id := range []uuid.UUID{first.ID, second.ID} {
				if f := w.flow(t, id); f.Counts.Failed > 0 {
					assert.Equal(t, flow.FlowIncomplete, f.State)
					assert.Empty(t, f.Error)
				}
			}
		})
	}
}

// sendAgainInVain tries to send a notification whose message was already sent.
func (w *world) sendAgainInVain(t testing.TB, id uuid.UUID) flow.Notification {
	t.Helper()
	n, err := w.SendNotification(t.Context(), operator, id)
	assert.ErrorIs(t, err, flussi.ErrDuplicate)
	assert.Equal(t, flow.CodeAlreadySent, n.Transmission.ErrorCode)
	return n
}

// skipped returns a notification of a flow that was not sent, and the earlier one with its message.
func (w *world) skipped(t testing.TB) (earlier, n flow.Notification) {
	t.Helper()
	earlier = w.another(t, draft(1))[0]
	require.Equal(t, flow.NotificationSent, earlier.State)
	time.Sleep(60 * 24 * time.Hour)
	n = w.another(t, draft(1))[0]
	require.Equal(t, flow.CodeAlreadySent, n.Transmission.ErrorCode)
	return earlier, n
}

func TestAlreadySentNamesTheEarlierNotification(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		time.Sleep(23*time.Hour + 30*time.Minute) // in Italy it is the next day
		earlier, n := w.skipped(t)
		assert.Equal(t, earlier.ID, n.Transmission.EarlierID)
		assert.Equal(t, "Non inviata: lo stesso messaggio per lo stesso cittadino è nella notifica "+earlier.ID.String()+
			" del 04/01/2000, nello stato «Inviato». Se il messaggio non serve più, disabilitare la notifica; se è un nuovo invio, "+
			"indicare un'occasione diversa; altrimenti inviarla di nuovo, sapendo che il cittadino potrebbe riceverla due volte.", n.Transmission.Error)
		assert.Equal(t, "dispatcher", n.UpdatedBy)
		assert.Zero(t, n.Transmission.SentAt)
		assert.Equal(t, flow.NotificationRecord{
			Version: n.Version, At: n.UpdatedAt, By: "dispatcher", Action: flow.NotificationSkip,
			From: flow.NotificationRegistered, To: flow.NotificationFailed, Reason: flussi.NewText(n.Transmission.Error),
		}, last(do(t, w.NotificationHistory, n.ID)))
		assert.Equal(t, []flow.NotificationAction{
			flow.NotificationEdit, flow.NotificationRegister, flow.NotificationResend, flow.NotificationDisable,
		}, do(t, w.NotificationActions, n.ID))
		w.refused(t, flow.ErrOutcomeKnown, try2(t, w.ConfirmNotification, n.ID, "arrivata"))
		w.refused(t, flussi.ErrEmpty, try2(t, w.ResendNotification, n.ID, " "))
	})
}

func TestDecisionsAboutAlreadySent(t *testing.T) {
	for name, test := range map[string]struct {
		decide func(t *testing.T, w *world, earlier, n flow.Notification)
		sent   bool // then
	}{
		"it is disabled": {func(t *testing.T, w *world, _, n flow.Notification) {
			do(t, w.DisableNotification, n.ID)
		}, false},
		"it gets another occasion": {func(t *testing.T, w *world, _, n flow.Notification) {
			d := n.Draft
			d.Occasion = "sollecito marzo"
			must.Get(w.EditNotification(t.Context(), operator, n.ID, n.Version, d))(t)
			do(t, w.RegisterNotification, n.ID)
		}, true},
		"it gets another text": {func(t *testing.T, w *world, _, n flow.Notification) {
			must.Get(w.EditNotification(t.Context(), operator, n.ID, n.Version, draft(2)))(t)
			do(t, w.RegisterNotification, n.ID)
		}, true},
		"it gets the same text in another spelling": {func(t *testing.T, w *world, _, n flow.Notification) {
			d := n.Draft
			d.Subject = flussi.NewText(d.Subject.Reveal() + "\u200b ")
			must.Get(w.EditNotification(t.Context(), operator, n.ID, n.Version, d))(t)
			do(t, w.RegisterNotification, n.ID)
		}, false},
		"it is sent again knowingly": {func(t *testing.T, w *world, _, n flow.Notification) {
			assert.True(t, do2(t, w.ResendNotification, n.ID, "Il cittadino l'ha cancellata.").AllowDuplicate)
			assert.Equal(t, "Il cittadino l'ha cancellata.", last(do(t, w.NotificationHistory, n.ID)).Reason.Reveal())
		}, true},
		"it is registered again": {func(t *testing.T, w *world, _, n flow.Notification) {
			assert.Equal(t, flow.Transmission{}, do(t, w.RegisterNotification, n.ID).Transmission)
		}, false},
		"the platform rejected the earlier one": {func(t *testing.T, w *world, earlier, n flow.Notification) {
			w.SetState(string(earlier.Transmission.MessageID), appiotest.State{Status: "REJECTED"})
			do(t, w.VerifyNotification, earlier.ID)
			do(t, w.RegisterNotification, n.ID)
		}, true},
		"the earlier one was anonymised": {func(t *testing.T, w *world, earlier, n flow.Notification) {
			require.Equal(t, 1, do2(t, w.Anonymise, taxes, earlier.Transmission.SentAt.Add(time.Second)))
			do(t, w.RegisterNotification, n.ID)
		}, true},
	} {
		for how, send := range map[string]func(t *testing.T, w *world, n flow.Notification){
			"with its flow": func(t *testing.T, w *world, n flow.Notification) {
				if w.flow(t, n.FlowID).Counts.Registered > 0 {
					do(t, w.SendFlow, n.FlowID)
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
			bubble(t, name+", "+how, func(t *testing.T) {
				w := newWorld(t)
				earlier, n := w.skipped(t)
				test.decide(t, w, earlier, n)
				send(t, w, n)
				got, f := w.notification(t, n.ID), w.flow(t, n.FlowID)
				if !test.sent {
					w.hasDelivered(t, 1)
					assert.Equal(t, flow.NotificationFailed, got.State)
					assert.Equal(t, earlier.ID, got.Transmission.EarlierID)
					assert.Equal(t, got.Disabled, f.State == flow.FlowSent)
					return
				}
				w.hasDelivered(t, 2)
				assert.Equal(t, flow.NotificationSent, got.State)
				assert.Equal(t, uuid.Nil, got.Transmission.EarlierID)
				assert.False(t, got.AllowDuplicate, "the order is carried out")
				assert.Equal(t, flow.FlowSent, f.State)
				if got.Digest() == draft(1).Digest() {
					again := w.another(t, draft(1))[0]
					assert.Equal(t, flow.CodeAlreadySent, again.Transmission.ErrorCode, "a third one")
				}
			})
		}
	}
}

// composed stores a notification for the nth citizen, in whatever state it is made to have.
func (w *world) composed(t testing.TB, n int, changes ...func(*flow.Notification)) flow.Notification {
	t.Helper()
	made := must.Get(flow.NewNotification(taxes, citizen(n), operator))(t)
	made.Draft = draft(n)
	for _, change := range changes {
		change(&made)
	}
	return w.held(t, made)
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
		"not permitted":                  {failed(flow.CodeNotPermitted), false},
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
		"of another citizen":   {func(n *flow.Notification) { n.State, n.Recipient = flow.NotificationSent, citizen(3) }, false},
		"of another text":      {func(n *flow.Notification) { n.State, n.Draft = flow.NotificationSent, draft(1); n.Amount = 5 }, false},
	} {
		bubble(t, name, func(t *testing.T) {
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
				w := newWorld(t)
				f := w.prepared(t, 1)
				alone := w.composed(t, 0)
				earlier := w.composed(t, 0, test.earlier)

				got := send(w, f.ID, alone)
				if test.blocks {
					assert.Empty(t, w.Deliveries(), way)
					assert.Equal(t, flow.NotificationFailed, got.State)
					assert.Equal(t, flow.CodeAlreadySent, got.Transmission.ErrorCode)
					assert.Equal(t, earlier.ID, got.Transmission.EarlierID)
					assert.Contains(t, got.Transmission.Error, "«"+earlier.State.Label()+"»")
					w.refused(t, flussi.ErrDuplicate, func() error {
						return must.Err(w.SendNewNotification(t.Context(), operator, taxes, draft(0), flow.SendNewConfig{}))
					})
					continue
				}
				assert.Equal(t, map[flussi.FiscalCode]int{citizen(0): 1}, w.delivered(), way)
				assert.Equal(t, flow.NotificationSent, got.State)
				assert.Equal(t, earlier, w.notification(t, earlier.ID), "it is left as it is")
			}
		})
	}
}

// A flow whose messages were all sent before is concluded. It becomes Inviato once an operator
// disables its notifications.
func TestFlowOfSentMessagesIsConcluded(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		first := w.sending(t, 100)
		w.dispatch(t, first.ID)
		again := w.created(t)
		require.Equal(t, 100, w.add(t, again.ID, drafts(100)...).Disabled)
		w.refused(t, flow.ErrNothingToSend, try(t, w.ActivateFlow, again.ID))
		for _, n := range w.notifications(t, again.ID) {
			do(t, w.EnableNotification, n.ID)
		}
		w.ordered(t, again.ID)
		got := w.dispatch(t, again.ID, flow.DispatcherConfig{Workers: 4})
		assert.Equal(t, flow.FlowIncomplete, got.State)
		assert.Equal(t, flow.Counts{Failed: 100}, got.Counts)
		assert.Empty(t, got.Error)
		w.hasDelivered(t, 100)
		w.refused(t, flow.ErrNothingToSend, try(t, w.SendFlow, again.ID))
		for _, n := range w.notifications(t, again.ID) {
			do(t, w.DisableNotification, n.ID)
		}
		w.isIn(t, flow.FlowSent, again.ID)
	}, unlimited)
}

// Single notifications of one message, sent at the same moment, are sent once.
func TestConcurrentSingleNotificationsSendOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.slow(time.Second)
		var same []flow.Notification
		for range 16 {
			same = append(same, w.composed(t, 1))
		}
		oneWins(t, func(i int) error {
			got, err := w.SendNotification(t.Context(), operator, same[i].ID)
			assert.Equal(t, err == nil, got.State == flow.NotificationSent)
			return err
		}, flussi.ErrDuplicate)
		w.hasDelivered(t, 1)
	})
}
