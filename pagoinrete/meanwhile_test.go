package pagoinrete_test

import (
	"context"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// interrupted is Pago In Rete, in front of which something else happens once; whoever comes
// meanwhile waits.
type interrupted struct {
	pagoinrete.Gateway
	before func()
	once   sync.Once
}

func (g *interrupted) meanwhile() { g.once.Do(g.before) }

func (g *interrupted) PutNotice(ctx context.Context, by flussi.Actor, n pagoinrete.Notice) (pagoinrete.RemoteNotice, error) {
	g.meanwhile()
	return g.Gateway.PutNotice(ctx, by, n)
}

func (g *interrupted) PutEvent(ctx context.Context, by flussi.Actor, e pagoinrete.Event) (pagoinrete.RemoteEvent, error) {
	g.meanwhile()
	return g.Gateway.PutEvent(ctx, by, e)
}

func (g *interrupted) MoveEvent(ctx context.Context, by flussi.Actor, id uuid.UUID, action pagoinrete.EventAction, reason flussi.Text) (pagoinrete.RemoteEvent, error) {
	g.meanwhile()
	return g.Gateway.MoveEvent(ctx, by, id, action, reason)
}

func (g *interrupted) MoveNotice(ctx context.Context, by flussi.Actor, id uuid.UUID, action pagoinrete.NoticeAction, proof pagoinrete.Proof) (pagoinrete.RemoteNotice, error) {
	g.meanwhile()
	return g.Gateway.MoveNotice(ctx, by, id, action, proof)
}

func (g *interrupted) Notices(ctx context.Context, ids []uuid.UUID) ([]pagoinrete.RemoteNotice, error) {
	there, err := g.Gateway.Notices(ctx, ids)
	g.meanwhile() // what was told is old by then
	return there, err
}

// overtaken is Pago In Rete, behind whose first step with a notice something else happens.
type overtaken struct {
	pagoinrete.Gateway
	after func()
}

func (g *overtaken) MoveNotice(ctx context.Context, by flussi.Actor, id uuid.UUID, action pagoinrete.NoticeAction, proof pagoinrete.Proof) (pagoinrete.RemoteNotice, error) {
	there, err := g.Gateway.MoveNotice(ctx, by, id, action, proof)
	if f := g.after; f != nil {
		g.after = nil
		f()
	}
	return there, err
}

// interruptedBy is the same office, at whose next call to Pago In Rete something else happens.
func (w *world) interruptedBy(t testing.TB, before func()) *pagoinrete.Service {
	gateway := &interrupted{Gateway: w.gateway, before: before}
	return newService(t, w.store, gateway)
}

// unsent is a notice of one pupil, the first of two instalments, that was not transmitted.
func (w *world) unsent(t testing.TB) pagoinrete.Notice {
	e := w.simulated(t, pagoinrete.Fee)
	w.add(t, e.ID, drafts(1)...)
	return w.notices(t, e.ID)[0]
}

func TestConcurrentCallsOfTwoActors(t *testing.T) {
	why := flussi.NewText("Ritirato.")
	t.Run("a notice is cancelled while it is transmitted", func(t *testing.T) {
		w := newWorld(t)
		e := w.simulated(t, pagoinrete.Fee)
		w.add(t, e.ID, drafts(1)...)
		n := w.notices(t, e.ID)[0]
		report := do(t, assistant, w.interruptedBy(t, func() {
			do2(t, director, w.CancelNotice, n.ID, why)
		}).TransmitNotices, e.ID)
		assert.Equal(t, 1, report.Transmitted)
		require.Len(t, report.Errors, 1)
		assert.Equal(t, n.ID, report.Errors[0].NoticeID)
		assert.Contains(t, report.Errors[0].Italian(), "L'avviso è stato annullato nel frattempo.")
		there, _ := w.platform.Notice(n.ID)
		assert.Equal(t, restgatewaytest.NoticeCancelled, there.State, "nobody pays it")
		do(t, assistant, w.VerifyNotice, n.ID)
	})
	t.Run("one notice is cancelled while it is transmitted by itself", func(t *testing.T) {
		w := newWorld(t)
		n := w.unsent(t)
		_, err := w.interruptedBy(t, func() {
			do2(t, director, w.CancelNotice, n.ID, why)
		}).TransmitNotice(t.Context(), assistant, n.ID)
		assert.ErrorIs(t, err, flussi.ErrConflict)
		assert.Equal(t, "L'avviso è stato annullato nel frattempo.", flussi.Explain(err))
	})
	t.Run("a notice is transmitted just after Pago In Rete did not know it", func(t *testing.T) {
		w := newWorld(t)
		n := w.unsent(t)
		gateway := &overtaken{w.gateway, func() {
			do(t, director, w.TransmitNotices, n.EventID)
		}}
		p := newService(t, w.store, gateway)
		n = do2(t, assistant, p.CancelNotice, n.ID, why)
		assert.Equal(t, pagoinrete.NoticeCancelled, n.State)
		there, _ := w.platform.Notice(n.ID)
		assert.Equal(t, restgatewaytest.NoticeCancelled, there.State, "nobody pays it")
	})
	t.Run("a notice is edited while it is transmitted", func(t *testing.T) {
		w := newWorld(t)
		n := w.unsent(t)
		cheaper := n.NoticeData
		cheaper.Discount = 77
		report := do(t, assistant, w.interruptedBy(t, func() {
			must.Get(w.EditNotice(t.Context(), director, n.ID, n.Version, cheaper))(t)
		}).TransmitNotices, n.EventID)
		assert.Equal(t, pagoinrete.TransmitReport{Transmitted: 2}, report)
		n = do(t, assistant, w.Notice, n.ID)
		assert.Equal(t, cheaper, n.NoticeData)
		there, _ := w.platform.Notice(n.ID)
		assert.Equal(t, cheaper.Due(), there.Due, "the family is asked for what the office wrote last")
		assert.Equal(t, 1, there.Created)
	})
	t.Run("two transmit", func(t *testing.T) {
		w := newWorld(t)
		e := w.simulated(t, pagoinrete.Fee)
		w.add(t, e.ID, drafts(5)...)
		report := do(t, assistant, w.interruptedBy(t, func() {
			do(t, director, w.TransmitNotices, e.ID)
		}).TransmitNotices, e.ID)
		assert.Empty(t, report.Errors)
		for _, n := range w.notices(t, e.ID) {
			there, _ := w.platform.Notice(n.ID)
			assert.Equal(t, 1, there.Created)
			assert.Equal(t, there.Number, n.Number)
			assert.Equal(t, int64(2), n.Version, "stored once")
		}
	})
	t.Run("two notify", func(t *testing.T) {
		w := newWorld(t)
		e := w.toApprove(t, 2)
		do(t, principal, w.ApproveEvent, e.ID)
		e = do(t, assistant, w.interruptedBy(t, func() {
			do(t, director, w.NotifyEvent, e.ID)
		}).NotifyEvent, e.ID)
		assert.Equal(t, pagoinrete.EventNotified, e.State)
		records := do(t, assistant, w.EventHistory, e.ID)
		assert.Equal(t, director.ID, records[len(records)-1].By, "who was first")
		assert.Equal(t, pagoinrete.EventToNotify, records[len(records)-1].From)
	})
	t.Run("one approves, one rejects", func(t *testing.T) {
		w := newWorld(t)
		e := w.toApprove(t, 1)
		_, err := w.interruptedBy(t, func() {
			do2(t, principal, w.RejectEvent, e.ID, why)
		}).ApproveEvent(t.Context(), principal, e.ID)
		assert.ErrorIs(t, err, flussi.ErrRemoteState)
		assert.Equal(t, "Lo stato su Pago In Rete non permette l'operazione: eseguire «Verifica stato». "+
			"Risposta della piattaforma: «State does not permit it: The event is RIFIUTATO (HTTP 409)».", flussi.Explain(err))
		e = do(t, principal, w.Event, e.ID)
		assert.Equal(t, pagoinrete.EventRejected, e.State)
	})
	t.Run("notices are added while the event is deleted", func(t *testing.T) {
		w := newWorld(t)
		e := w.simulated(t, pagoinrete.Fee)
		e = do(t, assistant, w.interruptedBy(t, func() {
			must.Get(w.AddNotices(t.Context(), director, e.ID, pagoinrete.NoticeDraftRows(drafts(2)...), pagoinrete.AddConfig{}))(t)
		}).DeleteEvent, e.ID)
		assert.Equal(t, pagoinrete.EventDeleted, e.State)
		assert.Equal(t, pagoinrete.NoticeCounts{Cancelled: 4}, e.Counts)
	})
	t.Run("notices are added while the event is submitted", func(t *testing.T) {
		w := newWorld(t)
		e := w.toApprove(t, 1)
		e = do2(t, principal, w.RejectEvent, e.ID, why)
		_, err := w.interruptedBy(t, func() {
			must.Get(w.AddNotices(t.Context(), director, e.ID, pagoinrete.NoticeDraftRows(drafts(2)[1]), pagoinrete.AddConfig{}))(t)
		}).SubmitEvent(t.Context(), assistant, e.ID)
		assert.ErrorIs(t, err, pagoinrete.ErrNotices, "it is not in the hands of the principal with notices that were not transmitted")
		e = do(t, assistant, w.Event, e.ID)
		assert.Equal(t, pagoinrete.EventRejected, e.State)
		// Pago In Rete has it submitted: the office is told, and what came too late goes.
		_, _, err = w.VerifyEvent(t.Context(), assistant, e.ID)
		assert.ErrorIs(t, err, pagoinrete.ErrDiscrepancy)
	})
	t.Run("a notice is paid by hand while somebody cancels it", func(t *testing.T) {
		w := newWorld(t)
		n := w.notifiedNotice(t)
		assert.ErrorIs(t, must.Err(w.interruptedBy(t, func() {
			do2(t, director, w.PayNoticeManually, n.ID, pagoinrete.Proof{Reference: "B-1", Amount: n.Due(), Date: day(10, 1)})
		}).CancelNotice(t.Context(), assistant, n.ID, why)), flussi.ErrRemoteState)
		n = do(t, assistant, w.Notice, n.ID)
		assert.Equal(t, pagoinrete.NoticePaidManually, n.State)
	})
	t.Run("two refund by orders of their own", func(t *testing.T) {
		w := newWorld(t)
		n := w.notifiedNotice(t)
		require.True(t, w.platform.Pay(n.ID, n.Due()))
		do(t, assistant, w.VerifyNotice, n.ID)
		order := func(number int) pagoinrete.Proof {
			return pagoinrete.Proof{Reference: fmt.Sprint("Mandato ", number), Amount: n.Due(), Date: day(12, 1)}
		}
		two := w.interruptedBy(t, func() {
			do2(t, director, w.RefundNotice, n.ID, order(3))
		})
		_, err := two.RefundNotice(t.Context(), assistant, n.ID, order(4))
		assert.ErrorIs(t, err, flussi.ErrRemoteState, "the money would go back twice")
		assert.Equal(t, "Su Pago In Rete l'avviso è già «Rimborsato», con un altro riferimento: verificare lo stato.", flussi.Explain(err))
		n = do(t, assistant, w.Notice, n.ID)
		assert.Equal(t, "Mandato 3", n.Evidence.Refund.Reference)
	})
	t.Run("one pays by hand, and another one by something else before it is stored", func(t *testing.T) {
		w := newWorld(t)
		n := w.notifiedNotice(t)
		proof := pagoinrete.Proof{Reference: "B-1", Amount: n.Due(), Date: day(10, 1)}
		paid := n
		paid.State, paid.Evidence.Manual = pagoinrete.NoticePaidManually, proof
		p := w.interruptedBy(t, func() { require.NoError(t, w.store.SaveNotices(t.Context(), pagoinrete.NoticeChange{Notice: paid})) })
		other := proof
		other.Reference = "B-2"
		assert.ErrorIs(t, must.Err(p.PayNoticeManually(t.Context(), assistant, n.ID, other)), flussi.ErrConflict)
		n = do(t, assistant, w.Notice, n.ID)
		assert.Equal(t, "B-1", n.Evidence.Manual.Reference)
	})
	t.Run("a settlement comes while a poll is under way", func(t *testing.T) {
		w := newWorld(t)
		n := w.notifiedNotice(t)
		require.True(t, w.platform.Pay(n.ID, n.Due()))
		report := do(t, assistant, w.interruptedBy(t, func() {
			require.NoError(t, w.tell(t.Context(), director, n, settlement.PaidSettled, "FR-1"))
		}).VerifyOpen, school)
		assert.Zero(t, report.Discrepancies)
		n = do(t, assistant, w.Notice, n.ID)
		assert.Equal(t, pagoinrete.NoticeConfirmed, n.State)
		assert.Equal(t, n.Due(), n.Evidence.Receipt.Amount)
		assert.Equal(t, "FR-1", n.Evidence.Settlement.Reference)
	})
}

// Pago In Rete may make a change and then answer 500, with a problem. Each change is requested
// once, and the state is read back.
func TestStateIsReadBackAfter500(t *testing.T) {
	for _, stored := range []bool{false, true} {
		t.Run(fmt.Sprint("done: ", stored), func(t *testing.T) {
			w := newWorld(t)
			n := w.unsent(t)
			fault := restgatewaytest.Fault{Kind: restgatewaytest.ServerProblem, Stored: stored}
			once := func(change, reading restgatewaytest.Operation, do func() error) {
				t.Helper()
				w.platform.Fail(change, fault)
				changes, readings := w.platform.Received(change), w.platform.Received(reading)
				err := do()
				assert.Equal(t, 1, w.platform.Received(change)-changes, change)
				assert.Equal(t, 1, w.platform.Received(reading)-readings, reading)
				if stored {
					assert.NoError(t, err, change)
					return
				}
				require.Error(t, err, change)
				assert.Equal(t, flussi.OutcomeUnknown, flussi.OutcomeOf(err), change)
				assert.Equal(t, "Pago In Rete non ha dato una risposta certa: ripetere l'operazione. Quanto è già stato trasmesso viene riconosciuto.",
					flussi.Explain(err), change)
				assert.NoError(t, do(), change)
			}
			once(restgatewaytest.PutNotice, restgatewaytest.GetNotices, func() error {
				_, err := w.TransmitNotice(t.Context(), assistant, n.ID)
				return err
			})
			assert.Equal(t, 1, w.platform.Created(n.ID))
			e := must.Get(w.CreateEvent(t.Context(), assistant, pagoinrete.Donation, school, gift()))(t)
			once(restgatewaytest.PutEvent, restgatewaytest.GetEvent, func() error {
				_, err := w.TransmitEvent(t.Context(), assistant, e.ID)
				return err
			})
			assert.Equal(t, 1, w.platform.Created(e.ID))
			once(restgatewaytest.MoveNotice, restgatewaytest.GetNotices, func() error {
				_, err := w.CancelNotice(t.Context(), director, n.ID, flussi.NewText("Ritirato."))
				return err
			})
			once(restgatewaytest.MoveEvent, restgatewaytest.GetEvent, func() error {
				_, err := w.SubmitEvent(t.Context(), assistant, e.ID)
				return err
			})
		})
	}
}

// A notice arrives without an answer, is edited, and the next transmission gets no answer
// either: what is there may be what it was before.
func TestTransmitNoticeReplacesAnOldVersion(t *testing.T) {
	w := newWorld(t)
	n := w.unsent(t)
	w.platform.Fail(restgatewaytest.PutNotice, restgatewaytest.Fault{Kind: restgatewaytest.BadGateway, Stored: true})
	w.platform.Fail(restgatewaytest.GetNotices, restgatewaytest.Fault{Kind: restgatewaytest.BadRequest})
	require.ErrorIs(t, must.Err(w.TransmitNotice(t.Context(), assistant, n.ID)), flussi.ErrOutcomeUnknown)
	cheaper := n.NoticeData
	cheaper.Discount = 77
	must.Get(w.EditNotice(t.Context(), director, n.ID, n.Version, cheaper))(t)
	lost := restgatewaytest.Fault{Kind: restgatewaytest.BadGateway}
	w.platform.Fail(restgatewaytest.PutNotice, lost, lost, lost)
	require.ErrorIs(t, must.Err(w.TransmitNotice(t.Context(), assistant, n.ID)), flussi.ErrOutcomeUnknown)
	n = do(t, assistant, w.TransmitNotice, n.ID)
	there, _ := w.platform.Notice(n.ID)
	assert.Equal(t, n.Due(), there.Due)
	assert.Equal(t, 1, there.Created)
}

func TestAnOperatorReadsOnceWhyANoticeWasRefused(t *testing.T) {
	w := newWorld(t)
	n := w.unsent(t)
	w.platform.Fail(restgatewaytest.PutNotice, restgatewaytest.Fault{Kind: restgatewaytest.Unauthorized})
	refused(t, must.Err(w.TransmitNotice(t.Context(), assistant, n.ID)), flussi.ErrUnauthorized, "Pago In Rete non accetta le credenziali: verificare le credenziali.")
}

// panicking is a store whose lists of notices panic.
type panicking struct{ pagoinrete.Store }

func (panicking) Notices(context.Context, pagoinrete.NoticeFilter, pagoinrete.Page) ([]pagoinrete.Notice, error) {
	panic("broken")
}

func TestPanicOfTheStoreLeavesNoGoroutine(t *testing.T) {
	w := newWorld(t)
	n := w.unsent(t)
	synctest.Test(t, func(t *testing.T) { // which waits for every goroutine
		p := newService(t, panicking{w.store}, w.gateway)
		assert.PanicsWithValue(t, "broken", func() { _, _ = p.TransmitNotices(t.Context(), assistant, n.EventID) })
	})
}

// contended is a store whose notices somebody else always changes first.
type contended struct{ pagoinrete.Store }

func (contended) SaveNotices(context.Context, ...pagoinrete.NoticeChange) error {
	return flussi.ErrConflict
}

func TestRetriesEndWithAConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		shown, deleted := w.notified(t, 1), w.simulated(t, pagoinrete.Fee)
		w.add(t, deleted.ID, drafts(1)...)
		p := newService(t, contended{w.store}, w.gateway)
		assert.ErrorIs(t, must.Err(p.ShowEvent(t.Context(), assistant, shown.ID)), flussi.ErrConflict)
		assert.ErrorIs(t, must.Err(p.DeleteEvent(t.Context(), assistant, deleted.ID)), flussi.ErrConflict)
		assert.Equal(t, pagoinrete.NoticeCounts{Cancelled: 2}, do(t, assistant, w.DeleteEvent, deleted.ID).Counts)
	})
}

// confused is a Gateway that answers about another event or notice.
type confused struct {
	pagoinrete.Gateway
	other uuid.UUID
}

func (g confused) event(there pagoinrete.RemoteEvent, err error) (pagoinrete.RemoteEvent, error) {
	there.ID, there.RemoteID = g.other, "another"
	return there, err
}

func (g confused) notice(there pagoinrete.RemoteNotice, err error) (pagoinrete.RemoteNotice, error) {
	there.ID, there.RemoteID = g.other, "another"
	return there, err
}

func (g confused) PutEvent(ctx context.Context, by flussi.Actor, e pagoinrete.Event) (pagoinrete.RemoteEvent, error) {
	return g.event(g.Gateway.PutEvent(ctx, by, e))
}

func (g confused) Event(ctx context.Context, id uuid.UUID) (pagoinrete.RemoteEvent, error) {
	return g.event(g.Gateway.Event(ctx, id))
}

func (g confused) MoveEvent(ctx context.Context, by flussi.Actor, id uuid.UUID, action pagoinrete.EventAction, reason flussi.Text) (pagoinrete.RemoteEvent, error) {
	return g.event(g.Gateway.MoveEvent(ctx, by, id, action, reason))
}

func (g confused) PutNotice(ctx context.Context, by flussi.Actor, n pagoinrete.Notice) (pagoinrete.RemoteNotice, error) {
	return g.notice(g.Gateway.PutNotice(ctx, by, n))
}

func (g confused) MoveNotice(ctx context.Context, by flussi.Actor, id uuid.UUID, action pagoinrete.NoticeAction, proof pagoinrete.Proof) (pagoinrete.RemoteNotice, error) {
	return g.notice(g.Gateway.MoveNotice(ctx, by, id, action, proof))
}

func (g confused) Notices(ctx context.Context, ids []uuid.UUID) ([]pagoinrete.RemoteNotice, error) {
	found, err := g.Gateway.Notices(ctx, ids)
	for i := range found {
		found[i], _ = g.notice(found[i], nil)
	}
	return found, err
}

func (g confused) NoticePDF(context.Context, uuid.UUID) (io.ReadCloser, error) { return nil, nil }

func TestRepliesAboutAnotherAreNotTaken(t *testing.T) {
	type events = func(w *world) pagoinrete.Event
	type call = func(p *pagoinrete.Service, e pagoinrete.Event, n pagoinrete.Notice) error
	ctx := t.Context()
	of := func(n int) events {
		return func(w *world) pagoinrete.Event { return w.notified(t, n) }
	}
	saved := func(w *world) pagoinrete.Event {
		return must.Get(w.CreateEvent(ctx, assistant, pagoinrete.Fee, school, trip()))(t)
	}
	unsent := func(w *world) pagoinrete.Event {
		e := w.simulated(t, pagoinrete.Fee)
		w.add(t, e.ID, drafts(1)...)
		return e
	}
	for name, test := range map[string]struct {
		event events
		call  call
		want  error
	}{
		"transmit event": {saved, func(p *pagoinrete.Service, e pagoinrete.Event, _ pagoinrete.Notice) error {
			return must.Err(p.TransmitEvent(ctx, assistant, e.ID))
		}, flussi.ErrOutcomeUnknown},
		"approve event": {func(w *world) pagoinrete.Event { return w.toApprove(t, 1) }, func(p *pagoinrete.Service, e pagoinrete.Event, _ pagoinrete.Notice) error {
			return must.Err(p.ApproveEvent(ctx, principal, e.ID))
		}, flussi.ErrOutcomeUnknown},
		"verify event": {of(1), func(p *pagoinrete.Service, e pagoinrete.Event, _ pagoinrete.Notice) error {
			_, _, err := p.VerifyEvent(ctx, assistant, e.ID)
			return err
		}, flussi.ErrUnavailable},
		"transmit notice": {unsent, func(p *pagoinrete.Service, _ pagoinrete.Event, n pagoinrete.Notice) error {
			return must.Err(p.TransmitNotice(ctx, assistant, n.ID))
		}, flussi.ErrOutcomeUnknown},
		"pay notice manually": {of(1), func(p *pagoinrete.Service, _ pagoinrete.Event, n pagoinrete.Notice) error {
			return must.Err(p.PayNoticeManually(ctx, assistant, n.ID, pagoinrete.Proof{Reference: "Bollettino", Amount: n.Due(), Date: day(10, 1)}))
		}, flussi.ErrOutcomeUnknown},
		"cancel notice": {of(2), func(p *pagoinrete.Service, _ pagoinrete.Event, n pagoinrete.Notice) error {
			return must.Err(p.CancelNotice(ctx, assistant, n.ID, flussi.NewText("Doppione")))
		}, flussi.ErrOutcomeUnknown},
		"verify notice": {of(1), func(p *pagoinrete.Service, _ pagoinrete.Event, n pagoinrete.Notice) error {
			return must.Err(p.VerifyNotice(ctx, assistant, n.ID))
		}, flussi.ErrUnavailable},
		"download without a body": {of(1), func(p *pagoinrete.Service, _ pagoinrete.Event, n pagoinrete.Notice) error {
			return must.Err(p.NoticePDF(ctx, assistant, n.ID))
		}, flussi.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			e := test.event(w)
			e = do(t, assistant, w.Event, e.ID)
			notices := w.notices(t, e.ID)
			var n pagoinrete.Notice
			if len(notices) > 0 {
				n = notices[0]
			}
			p := newService(t, w.store, confused{w.gateway, uuid.New()})
			assert.ErrorIs(t, test.call(p, e, n), test.want)
			assert.Equal(t, e, do(t, assistant, w.Event, e.ID), "something was stored")
			assert.Equal(t, notices, w.notices(t, e.ID), "something was stored")
		})
	}
}

// What a notice is checked against in Pago In Rete is the event that the office wrote last.
func TestTransmitEventReplacesAnOldVersion(t *testing.T) {
	single := trip()
	single.Instalments = single.Instalments[:1]
	single.Instalments[0].Amount = single.Amount
	edit := func(t *testing.T, w *world, e pagoinrete.Event) {
		must.Get(w.EditEvent(t.Context(), director, e.ID, e.Version, trip()))(t)
	}
	created := func(t *testing.T, w *world) pagoinrete.Event {
		return must.Get(w.CreateEvent(t.Context(), assistant, pagoinrete.Fee, school, single))(t)
	}
	works := func(t *testing.T, w *world, id uuid.UUID) {
		w.add(t, id, drafts(1)...)
		assert.Equal(t, pagoinrete.TransmitReport{Transmitted: 2}, do(t, assistant, w.TransmitNotices, id))
	}
	lost := restgatewaytest.Fault{Kind: restgatewaytest.BadGateway}
	t.Run("it arrived without an answer, and the next one did not", func(t *testing.T) {
		w := newWorld(t)
		e := created(t, w)
		w.platform.Fail(restgatewaytest.PutEvent, restgatewaytest.Fault{Kind: restgatewaytest.BadGateway, Stored: true}, lost, lost)
		w.platform.Fail(restgatewaytest.GetEvent, restgatewaytest.Fault{Kind: restgatewaytest.BadRequest})
		require.ErrorIs(t, must.Err(w.TransmitEvent(t.Context(), assistant, e.ID)), flussi.ErrOutcomeUnknown)
		edit(t, w, e)
		require.ErrorIs(t, must.Err(w.TransmitEvent(t.Context(), assistant, e.ID)), flussi.ErrOutcomeUnknown)
		do(t, assistant, w.TransmitEvent, e.ID)
		works(t, w, e.ID)
	})
	t.Run("it is edited while it is transmitted", func(t *testing.T) {
		w := newWorld(t)
		e := created(t, w)
		do(t, assistant, w.interruptedBy(t, func() { edit(t, w, e) }).TransmitEvent, e.ID)
		works(t, w, e.ID)
	})
	t.Run("its replacement is lost", func(t *testing.T) {
		w := newWorld(t)
		e := created(t, w)
		e = do(t, assistant, w.TransmitEvent, e.ID)
		w.platform.Fail(restgatewaytest.PutEvent, lost)
		edit(t, w, e)
		works(t, w, e.ID)
	})
}
