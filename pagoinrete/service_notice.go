package pagoinrete

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
)

// EditNotice (Modifica) replaces the office's data of a notice that was not transmitted yet. The
// version is the one that the office read; if the notice has another one now, the error is a
// [flussi.ErrConflict]. The debtor cannot change, nor can the amount if the event fixes it: cancel
// the notice and create another.
func (s *Service) EditNotice(ctx context.Context, by flussi.Actor, id uuid.UUID, version int64, d NoticeData) (Notice, error) {
	return s.changeNotice(ctx, "edit notice", by, id, move{
		action: NoticeEdit,
		guard: func(n Notice, e Event) error {
			fault := &invalid{}
			switch {
			case n.Version != version:
				return flussi.ErrConflict
			case d.Debtor != n.Debtor:
				fault.Fail("Debtor", flussi.ErrRange, "Il debitore di un avviso non si può cambiare: annullare l'avviso e crearne un altro.")
				return fault.OrNil()
			case !e.Flexible && d.Amount != n.Amount:
				fault.Fail("Amount", ErrAmount, "L'importo è stabilito dall'evento: %s.", n.Amount.Euro())
				return fault.OrNil()
			}
			return d.Validate()
		},
		edit: func(n *Notice) { n.NoticeData, n.Error = d.normal(), "" },
	})
}

// CancelNotice (Annulla) cancels a notice that is not paid, with a reason: Annullato, here and in
// Pago In Rete. While its event is Da approvare, the error is a [flussi.ErrState].
func (s *Service) CancelNotice(ctx context.Context, by flussi.Actor, id uuid.UUID, why flussi.Text) (Notice, error) {
	return s.changeNotice(ctx, "cancel notice", by, id, move{
		action: NoticeCancel,
		reason: why,
		guard: func(n Notice, e Event) error {
			if err := noticeReady(NoticeCancel, n, e); err != nil {
				return err
			}
			return checkReason(why, "il motivo dell'annullamento")
		},
		there: true,
	})
}

// PayNoticeManually (Pagato manualmente) records that a notice was paid without Pago In Rete. The
// school verified it; the proof is for exactly what is due. It is recorded here and in Pago In
// Rete, so that the notice is not paid there again. Its event has to be Notificato. If the notice
// is paid by another proof already, the error is a [flussi.ErrRemoteState]; if another user
// records one at the same moment, a [flussi.ErrConflict].
func (s *Service) PayNoticeManually(ctx context.Context, by flussi.Actor, id uuid.UUID, proof Proof) (Notice, error) {
	proof = proof.normal(by.ID)
	return s.changeNotice(ctx, "pay notice manually", by, id, move{
		action: NoticePayManually,
		guard: func(n Notice, e Event) error {
			return errors.Join(noticeReady(NoticePayManually, n, e), proof.check(n.Due()))
		},
		there: true, proof: proof, of: func(e *Evidence) *Proof { return &e.Manual },
	})
}

// ReconcileNoticeManually (Pagamento riscontrato manualmente) records the movement of the treasury
// journal (OIL) with which the payment of a notice that is Pagato manualmente arrived: exactly what
// is due.
func (s *Service) ReconcileNoticeManually(ctx context.Context, by flussi.Actor, id uuid.UUID, movement Proof) (Notice, error) {
	movement = movement.normal(by.ID)
	return s.changeNotice(ctx, "reconcile notice manually", by, id, move{
		action: NoticeReconcileManually,
		guard:  func(n Notice, _ Event) error { return movement.check(n.Due()) },
		proof:  movement, of: func(e *Evidence) *Proof { return &e.Movement },
	})
}

// RefundNotice (Rimborsa) records the order (mandato di rimborso) with which the school paid a
// notice back, exactly what was due: Rimborsato, here and in Pago In Rete. Another order is refused
// as [Service.PayNoticeManually] refuses another proof.
func (s *Service) RefundNotice(ctx context.Context, by flussi.Actor, id uuid.UUID, order Proof) (Notice, error) {
	order = order.normal(by.ID)
	return s.changeNotice(ctx, "refund notice", by, id, move{
		action: NoticeRefund,
		guard:  func(n Notice, _ Event) error { return order.check(n.Due()) },
		there:  true, proof: order, of: func(e *Evidence) *Proof { return &e.Refund },
	})
}

// ShowNotice (Rendere visibile il pagamento in Area Tutore; the ninth operation) shows a notice of
// an event that is Notificato in the guardians' area. It does not change a notice that is shown
// already.
func (s *Service) ShowNotice(ctx context.Context, by flussi.Actor, id uuid.UUID) (Notice, error) {
	return s.changeNotice(ctx, "show notice", by, id, move{
		action: NoticeShow,
		guard:  func(n Notice, e Event) error { return noticeReady(NoticeShow, n, e) },
		edit:   func(n *Notice) { n.Visible = true },
	})
}

// HideNotice undoes ShowNotice.
func (s *Service) HideNotice(ctx context.Context, by flussi.Actor, id uuid.UUID) (Notice, error) {
	return s.changeNotice(ctx, "hide notice", by, id, move{
		action: NoticeHide,
		edit:   func(n *Notice) { n.Visible = false },
	})
}

// ShowEvent shows all notices of an event in the guardians' area, as [Service.ShowNotice] does,
// except those that are cancelled, and returns how many were not shown before. If the context ends,
// those that were shown by then remain shown.
func (s *Service) ShowEvent(ctx context.Context, by flussi.Actor, id uuid.UUID) (int, error) {
	const op = "show event"
	if _, err := s.fee(ctx, by, id, EventShow); err != nil {
		return 0, eventFailure(op, id, err)
	}
	shown := 0
	for tries := (core.Tries{}); ; { // after a conflict the list is read again
		var conflict error
		for page, err := range s.pages(ctx, NoticeFilter{Event: id, States: linkedStates()}) {
			if err != nil {
				return shown, eventFailure(op, id, err)
			}
			var changes []NoticeChange
			for _, n := range page {
				if !n.Visible && n.State != NoticeCancelled {
					n.Visible = true
					changes = append(changes, n.change(NoticeShow, n.State, by.ID, ""))
				}
			}
			if len(changes) == 0 {
				continue
			}
			switch err := s.store.SaveNotices(ctx, changes...); {
			case err == nil:
				shown += len(changes)
			case errors.Is(err, flussi.ErrConflict):
				conflict = err
			default:
				return shown, eventFailure(op, id, err)
			}
		}
		if conflict == nil {
			return shown, nil
		}
		if err := tries.Again(ctx, conflict); err != nil {
			return shown, eventFailure(op, id, err)
		}
	}
}

// ResolveNoticeDiscrepancy (Archivia la discrepanza) closes a notice's discrepancy with an
// explanation: the same one is not reported again. The version is the one that the user read; if
// the notice has another one now, the error is a [flussi.ErrConflict], since there may be another
// discrepancy.
func (s *Service) ResolveNoticeDiscrepancy(ctx context.Context, by flussi.Actor, id uuid.UUID, version int64, why flussi.Text) (Notice, error) {
	return s.changeNotice(ctx, "settle notice", by, id, move{
		action: NoticeResolveDiscrepancy,
		reason: why,
		guard: func(n Notice, e Event) error {
			if n.Version != version {
				return flussi.ErrConflict
			}
			if err := noticeReady(NoticeResolveDiscrepancy, n, e); err != nil {
				return err
			}
			return checkReason(why, "la spiegazione")
		},
		edit: func(n *Notice) { n.Discrepancy.Resolved = true },
	})
}

// noticeReady refuses an action that the event of a notice does not permit, or a property of the
// notice other than its state.
func noticeReady(action NoticeAction, n Notice, e Event) error {
	switch action {
	case NoticeTransmit:
		if e.State != EventSimulated && e.State != EventRejected {
			return inState(e)
		}
	case NoticeCancel:
		if e.State == EventToApprove {
			return refuse(flussi.ErrState, "L'evento è nello stato «%s», in carico al dirigente: l'avviso si potrà annullare dopo l'approvazione o il rifiuto.", e.State.Label())
		}
	case NoticePayManually, NoticeShow:
		if e.State != EventNotified {
			return inState(e)
		}
	case NoticeResolveDiscrepancy:
		if !n.Discrepancy.Open() {
			return refuse(ErrDiscrepancy, "L'avviso non ha discrepanze da archiviare.")
		}
	}
	return nil
}

func inState(e Event) error {
	return refuse(flussi.ErrState, "L'evento è nello stato «%s»: in questo stato l'operazione non è possibile.", e.State.Label())
}

// move is a step of a notice.
type move struct {
	action NoticeAction
	reason flussi.Text               // for the history
	guard  func(Notice, Event) error // may refuse; nil: nothing to check
	edit   func(*Notice)             // changes it; nil: nothing but the state
	there  bool                      // is taken in Pago In Rete too
	proof  Proof                     // what shows it, here and in Pago In Rete
	of     func(*Evidence) *Proof    // where that is noted; nil: nothing shows it
}

// shown reports whether it is shown already, by another proof.
func (m move) shown(e Evidence) bool {
	if m.of == nil {
		return false
	}
	known := m.of(&e)
	return !known.IsZero() && known.Reference != m.proof.Reference
}

// changeNotice takes a step with a notice, in Pago In Rete if the step exists there, and then
// stores it. After a conflict it reads the notice again and retries.
func (s *Service) changeNotice(ctx context.Context, op string, by flussi.Actor, id uuid.UUID, m move) (Notice, error) {
	var done NoticeState // that Pago In Rete has it in now
	for tries := (core.Tries{}); ; {
		n, e, err := s.noticeAndEvent(ctx, by, id)
		if err == nil && done != "" && n.State == done && m.shown(n.Evidence) {
			return Notice{}, noticeFailure(op, id, flussi.ErrConflict) // two proofs are two payments
		}
		if err != nil || done != "" && n.State == done { // another user took the same step
			return n, noticeFailure(op, id, err)
		}
		from := n.State
		if err := n.take(ctx, m.action, e, by); err != nil {
			return Notice{}, noticeFailure(op, id, err)
		}
		to := n.State
		n.State = from
		if m.guard != nil {
			if err := m.guard(n, e); err != nil {
				return Notice{}, noticeFailure(op, id, err)
			}
		}
		if m.there && done == "" {
			if err := s.moveThere(ctx, by, n, to, m); err != nil {
				return Notice{}, noticeFailure(op, id, err)
			}
			if from != NoticeNotLinked { // which may have been transmitted since
				done = to
			}
		}
		if m.edit != nil {
			m.edit(&n)
		}
		if m.of != nil {
			*m.of(&n.Evidence) = m.proof
		}
		n.State = to
		change := n.change(m.action, from, by.ID, m.reason.Reveal())
		err = s.store.SaveNotices(ctx, change)
		if err == nil {
			change.Notice.Version++
			return change.Notice, nil
		}
		if err := tries.Again(ctx, err); err != nil {
			return Notice{}, noticeFailure(op, id, err)
		}
	}
}

// moveThere takes a step in Pago In Rete. If the outcome is unknown, or the step was taken already,
// it reads the state back. A notice that is not stored as transmitted is cancelled there if it
// exists, since its transmission may have arrived without an answer.
func (s *Service) moveThere(ctx context.Context, by flussi.Actor, n Notice, to NoticeState, m move) error {
	g, err := s.gateway(ctx, n.School)
	if err != nil {
		return err
	}
	there, err := g.MoveNotice(ctx, by, n.ID, m.action, m.proof)
	switch {
	case err == nil && there.State == to:
		return nil
	case errors.Is(err, flussi.ErrRemoteNotFound) && n.State == NoticeNotLinked:
		return nil
	case err != nil && flussi.OutcomeOf(err) != flussi.OutcomeUnknown && !errors.Is(err, flussi.ErrRemoteState):
		return err
	}
	found, readErr := g.Notices(ctx, []uuid.UUID{n.ID})
	switch {
	case readErr == nil && len(found) == 0 && n.State == NoticeNotLinked:
		return nil
	case readErr != nil, len(found) != 1:
		if err == nil {
			err = readErr
		}
		return err
	case found[0].State == to && m.shown(found[0].Evidence):
		return refuse(flussi.ErrRemoteState, "Su Pago In Rete l'avviso è già «%s», con un altro riferimento: verificare lo stato.", to.Label())
	case found[0].State == to:
		return nil
	case err != nil && !errors.Is(err, flussi.ErrRemoteState):
		return err
	}
	return refuse(flussi.ErrRemoteState, "Su Pago In Rete lo stato dell'avviso è «%s»: verificare lo stato.", found[0].State.Label())
}
