package pagoinrete

import (
	"cmp"
	"slices"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
)

// applyRemote applies a polled state to the event. It returns the zero EventChange if nothing is
// new, and whether the event is deleted in Pago In Rete.
func (e Event) applyRemote(there RemoteEvent, missing bool, by flussi.Actor) (EventChange, bool) {
	before := e
	found := Discrepancy{}
	var path []EventAction
	switch {
	case missing && e.State == EventNotTransmitted:
	case missing && e.State == EventDeleted: // as it should be
	case missing:
		found.Kind = DiscrepancyMissing
	default:
		var err error
		path, err = EventMachine().Path(e.State, there.State)
		blocked := there.State != EventSimulated && there.State != EventRejected && there.State != EventDeleted && e.Counts.NotLinked > 0
		if err != nil || blocked {
			found = Discrepancy{Kind: DiscrepancyEventState, State: string(there.State)}
			path = nil
			break
		}
		e.State = there.State
		e.RemoteID = cmp.Or(there.RemoteID, e.RemoteID)
		if there.State == EventRejected {
			e.Rejection = there.Rejection
		}
	}
	news := e.Discrepancy.meet(found)
	reason := steps(told, path, EventAction.Label)
	switch {
	case len(path) > 0:
		return e.change(path[len(path)-1], before.State, by.ID, reason), e.State == EventDeleted
	case news && found.Kind != "":
		return e.change(EventRecordDiscrepancy, e.State, by.ID, e.Discrepancy.Italian()), false
	case news:
		return e.change(EventVerify, e.State, by.ID, "La discrepanza non risulta più."), false
	}
	return EventChange{}, false
}

// meet replaces the discrepancy by the one that was found, and reports whether they differ. The
// zero Discrepancy means that nothing contradicts any more.
func (d *Discrepancy) meet(found Discrepancy) bool {
	switch {
	case d.same(found):
		return false
	case found.Kind != "":
		found.At = now()
	}
	*d = found
	return true
}

// steps says where a state comes from, and which steps were implied on the way to it.
func steps[A ~string](from string, path []A, label func(A) string) string {
	if len(path) < 2 {
		return from + "."
	}
	implied := make([]string, len(path)-1)
	for i, action := range path[:len(path)-1] {
		implied[i] = label(action)
	}
	return from + ", " + italian.Choose(len(implied), "con il passo intermedio ", "con i passi intermedi ") + italian.Quoted(implied) + "."
}

// told is the source of a polled state, in histories.
const told = "Secondo Pago In Rete"

// applyRemote applies a polled state to the notice, whose event is Notificato or not, and reports
// whether anything is new.
func (n Notice) applyRemote(there RemoteNotice, missing, notified bool, by flussi.Actor) (NoticeChange, bool) {
	before := n
	differs := func(found Discrepancy) (NoticeChange, bool) {
		if n.Discrepancy.stays() {
			return NoticeChange{}, false // the next poll after it was resolved finds this one
		}
		return n.differs(before, found, by)
	}
	if missing && n.State == NoticeCancelled && n.Number.IsZero() {
		return NoticeChange{}, false // it was never there
	}
	if missing {
		return differs(Discrepancy{Kind: DiscrepancyMissing})
	}
	if !n.Number.IsZero() && there.Number != n.Number {
		return differs(Discrepancy{Kind: DiscrepancyNumber})
	}
	path, err := forward(n.State, there.State)
	switch {
	case n.ahead(there.State):
		path = nil // what is here comes from files that are not known there
		n.follows(there.State)
	case err != nil && paid(n.State) && paid(there.State):
		return differs(Discrepancy{Kind: DiscrepancyPaidTwice, State: string(there.State)})
	case err != nil, !notified && !Compatible(EventToNotify, there.State):
		return differs(Discrepancy{Kind: DiscrepancyState, State: string(there.State)})
	default:
		n.State = there.State
		if n.BaseState != "" {
			n.BaseState = there.State
		}
	}
	n.RemoteID, n.Number = cmp.Or(there.RemoteID, n.RemoteID), there.Number
	n.PayerRegistered, n.PayerLoggedIn = there.PayerRegistered, there.PayerLoggedIn
	n.Evidence.merge(there.Evidence)
	facts, awaited := n.awaited()
	awaited = awaited && notified
	found := Discrepancy{}
	switch amount, is := there.Evidence.other(n.NoticeData); {
	case n.Discrepancy.stays():
		found = n.Discrepancy
	case is:
		found = Discrepancy{Kind: DiscrepancyAmount, Amount: amount}
	case n.Discrepancy.isTold():
		found = n.Discrepancy // this does not resolve it
	}
	news := n.Discrepancy.meet(found)
	switch {
	case awaited:
		change, _ := n.apply(facts, by)
		change.Record.From = before.State
		return change, true
	case len(path) > 0:
		return n.change(path[len(path)-1], before.State, by.ID, steps(told, path, NoticeAction.Label)), true
	case news && found.Kind != "":
		return n.change(NoticeRecordDiscrepancy, n.State, by.ID, n.Discrepancy.Italian()), true
	case news || n != before:
		return n.change(NoticeVerify, n.State, by.ID, ""), true
	}
	return NoticeChange{}, false
}

// differs notes a discrepancy, unless it is known.
func (n Notice) differs(before Notice, found Discrepancy, by flussi.Actor) (NoticeChange, bool) {
	if !n.Discrepancy.meet(found) {
		return NoticeChange{}, false
	}
	return n.change(NoticeRecordDiscrepancy, before.State, by.ID, n.Discrepancy.Italian()), true
}

// ahead reports whether the notice is in the state that Pago In Rete reports, or further on only by
// what settlements and the treasury journal showed.
func (n Notice) ahead(there NoticeState) bool {
	path, err := forward(there, n.State)
	if err != nil {
		return false
	}
	shown := !n.Evidence.Settlement.IsZero() || !n.Evidence.Movement.IsZero()
	return !slices.ContainsFunc(path, func(action NoticeAction) bool {
		switch action {
		case NoticeConfirm, NoticeReconcile, NoticeReconcileManually:
			return false
		case NoticeNotify, NoticeRequest, NoticePay: // what was collected was paid, even if Pago In Rete does not know yet
			return !shown
		}
		return true
	})
}

// follows records the state that Pago In Rete reports for a notice that files have moved further. The
// notice returns to this state if files withdraw the payment.
func (n *Notice) follows(there NoticeState) {
	if _, err := forward(n.BaseState, there); err == nil {
		n.BaseState = there
	}
}

// paid reports whether a notice in the state is paid.
func paid(state NoticeState) bool { return state.Labels().Macro == NoticePaidOnline.Labels().Macro }
