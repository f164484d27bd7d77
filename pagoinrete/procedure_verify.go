package pagoinrete

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// VerifyReport says what a verification found.
type VerifyReport struct {
	Asked         int // notices that Pago In Rete was asked for
	Changed       int // of them, those in another state now
	Discrepancies int // of them, those that contradict what is here: each says how in its Discrepancy
}

// add adds what another verification found.
func (r *VerifyReport) add(other VerifyReport) {
	r.Asked += other.Asked
	r.Changed += other.Changed
	r.Discrepancies += other.Discrepancies
}

// VerifyNotice (Verifica stato avviso di pagamento; the tenth operation) asks Pago In Rete now
// for a notice that was transmitted, and stores what it says. A state that is several steps
// further on implies those between. What cannot follow the state here is not taken over: the
// notice gets a Discrepancy, and the error is an [ErrDiscrepancy].
func (p *Procedure) VerifyNotice(ctx context.Context, by flussi.Actor, id uuid.UUID) (Notice, error) {
	const op = "verify notice"
	n, e, err := p.notice(ctx, by, id)
	if err == nil {
		fired := n
		err = fired.take(ctx, NoticeVerify, e, by)
	}
	if err != nil {
		return Notice{}, failure(op, id, err)
	}
	if _, err := p.verifyNotices(ctx, by, n.School, NoticeFilter{IDs: []uuid.UUID{id}}); err != nil {
		return n, failure(op, id, err)
	}
	if n, err = p.store.Notice(ctx, id); err != nil {
		return n, failure(op, id, plain(err))
	}
	if n.Discrepancy.Open() {
		return n, failure(op, id, refuse(ErrDiscrepancy, "%s", n.Discrepancy.Italian()))
	}
	return n, nil
}

// VerifyEvent (Verifica stato) asks Pago In Rete now for an event and all of its notices that
// were transmitted, and stores what it says, as [Procedure.VerifyNotice] does. If it is the
// event itself that has another state than can be, the event gets a Discrepancy, the error is
// an [ErrDiscrepancy], and its notices are not asked for. A context that ends leaves what was
// stored by then.
func (p *Procedure) VerifyEvent(ctx context.Context, by flussi.Actor, id uuid.UUID) (Event, VerifyReport, error) {
	const op = "verify event"
	e, err := p.event(ctx, by, id)
	if err == nil {
		fired := e
		err = fired.take(ctx, EventVerify, by)
	}
	if err != nil {
		return Event{}, VerifyReport{}, failure(op, id, err)
	}
	e, err = p.follow(ctx, by, e)
	if err != nil || e.State == EventNotTransmitted {
		return e, VerifyReport{}, failure(op, id, err)
	}
	report, err := p.verifyNotices(ctx, by, e.School, NoticeFilter{Event: id, States: linkedStates()})
	if err != nil {
		return e, report, failure(op, id, err)
	}
	e, err = p.store.Event(ctx, id)
	return e, report, failure(op, id, plain(err))
}

// VerifyOpen asks Pago In Rete now for all notices of a school about which it may have news:
// those that are not paid, and those whose payment is not reconciled; as
// [Procedure.VerifyEvent] does. It is for programs that do so now and then: the actor is of the
// office, or one with the role [flussi.System]; the [Authorizer] is asked about either.
func (p *Procedure) VerifyOpen(ctx context.Context, by flussi.Actor, school string) (VerifyReport, error) {
	const op = "verify open notices"
	err := p.admit(ctx, by, school)
	if err == nil && !by.Has(officeRoles()...) && !by.Has(flussi.System) {
		e := Event{State: EventNotified}
		err = e.Fire(ctx, EventVerify, by) // refused, with its words
	}
	if err != nil {
		return VerifyReport{}, failure(op, uuid.Nil, err)
	}
	report, err := p.verifyNotices(ctx, by, school, NoticeFilter{Schools: []string{school}, States: []NoticeState{
		NoticeNotNotified, NoticeNotified, NoticeAwaitingReceipt, NoticePaidOnline, NoticePaidManually, NoticeConfirmed,
	}})
	return report, failure(op, uuid.Nil, err)
}

// linkedStates are those of notices that were transmitted.
func linkedStates() []NoticeState {
	var states []NoticeState
	for _, s := range NoticeMachine().States() {
		if s.Name != NoticeNotLinked {
			states = append(states, s.Name)
		}
	}
	return states
}

// follow lets an event follow what Pago In Rete says of it. The error is an ErrDiscrepancy if
// that cannot be.
func (p *Procedure) follow(ctx context.Context, by flussi.Actor, e Event) (Event, error) {
	g, err := p.gateway(ctx, e.School)
	if err != nil {
		return e, err
	}
	there, err := g.Event(ctx, e.ID)
	missing := errors.Is(err, ErrRemoteNotFound)
	if err != nil && !missing {
		return e, err
	}
	for try := 0; ; try++ {
		change, deletes := e.learn(there, missing, by)
		if change.Event.ID == uuid.Nil {
			return e, discrepancyOf(e)
		}
		if deletes {
			if err := p.withdrawNotices(ctx, by, e); err != nil {
				return e, err
			}
		}
		switch err := p.store.SaveEvent(ctx, change, nil); {
		case err == nil:
			if e, err = p.store.Event(ctx, e.ID); err != nil {
				return e, plain(err)
			}
			return e, discrepancyOf(e)
		case !errors.Is(err, ErrConflict) || try == maxTries:
			return e, err
		}
		if err := again(ctx, try); err != nil {
			return e, err
		}
		if e, err = p.store.Event(ctx, e.ID); err != nil {
			return e, plain(err)
		}
	}
}

func discrepancyOf(e Event) error {
	if e.Discrepancy.Open() {
		return refuse(ErrDiscrepancy, "%s", e.Discrepancy.Italian())
	}
	return nil
}

// learn is what an event becomes by what Pago In Rete says of it; the zero EventChange if that
// is nothing new. It reports whether the event is deleted by that.
func (e Event) learn(there RemoteEvent, missing bool, by flussi.Actor) (EventChange, bool) {
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
		e.RemoteID = keep(e.RemoteID, there.RemoteID)
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
		return e.change(EventDiffer, e.State, by.ID, e.Discrepancy.Italian()), false
	case news:
		return e.change(EventVerify, e.State, by.ID, "La discrepanza non c'è più."), false
	}
	return EventChange{}, false
}

// meet takes over what was found, and reports whether that is news. The zero Discrepancy
// means that nothing contradicts any more.
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
		implied[i] = "«" + label(action) + "»"
	}
	return fmt.Sprintf("%s; passi impliciti: %s.", from, strings.Join(implied, ", "))
}

// told is where a state comes from that was asked for.
const told = "Secondo Pago In Rete"

// verifyNotices asks for all notices of a school that match the filter, page by page, and
// stores what is new.
func (p *Procedure) verifyNotices(ctx context.Context, by flussi.Actor, school string, filter NoticeFilter) (VerifyReport, error) {
	var report VerifyReport
	g, err := p.gateway(ctx, school)
	if err != nil {
		return report, err
	}
	for page, err := range p.pages(ctx, filter) {
		if err != nil {
			return report, err
		}
		ids := make([]uuid.UUID, len(page))
		for i, n := range page {
			ids[i] = n.ID
		}
		there, err := g.Notices(ctx, ids)
		if err != nil {
			return report, err
		}
		answers := make(map[uuid.UUID]RemoteNotice, len(there))
		for _, n := range there {
			answers[n.ID] = n
		}
		found, err := p.learnPage(ctx, by, page, answers)
		report.add(found)
		if err != nil {
			return report, err
		}
	}
	return report, nil
}

// learnPage stores what was told of a page of notices.
func (p *Procedure) learnPage(ctx context.Context, by flussi.Actor, page []Notice, answers map[uuid.UUID]RemoteNotice) (VerifyReport, error) {
	report := VerifyReport{Asked: len(page)}
	notified, err := p.notified(ctx, by, page, answers)
	if err != nil {
		return report, err
	}
	var changes []NoticeChange
	for _, n := range page {
		there, is := answers[n.ID]
		if change, news := n.learn(there, !is, notified[n.EventID], by); news {
			changes = append(changes, change)
		}
	}
	count := func(before, after Notice) {
		if before.State != after.State {
			report.Changed++
		}
		if after.Discrepancy.Open() {
			report.Discrepancies++
		}
	}
	byID := make(map[uuid.UUID]Notice, len(page))
	for _, n := range page {
		byID[n.ID] = n
	}
	if len(changes) == 0 {
		err = nil
	} else if err = p.store.SaveNotices(ctx, changes...); errors.Is(err, ErrConflict) {
		err = p.learnEach(ctx, by, changes, answers, notified)
	}
	if err != nil {
		return report, err
	}
	changed := make(map[uuid.UUID]Notice, len(changes))
	for _, c := range changes {
		changed[c.Notice.ID] = c.Notice
	}
	for _, n := range page {
		after, is := changed[n.ID]
		if !is {
			after = n
		}
		count(n, after)
	}
	return report, nil
}

// learnEach stores what was told of notices one by one, on what others left.
func (p *Procedure) learnEach(ctx context.Context, by flussi.Actor, changes []NoticeChange, answers map[uuid.UUID]RemoteNotice, notified map[uuid.UUID]bool) error {
	for i := range changes {
		id := changes[i].Notice.ID
		for try := 0; ; try++ {
			n, err := p.store.Notice(ctx, id)
			if err != nil {
				return err
			}
			there, is := answers[id]
			change, news := n.learn(there, !is, notified[n.EventID], by)
			if !news {
				changes[i].Notice = n
				break
			}
			err = p.store.SaveNotices(ctx, change)
			if err == nil {
				changes[i] = change
				break
			}
			if !errors.Is(err, ErrConflict) || try == maxTries {
				return err
			}
			if err := again(ctx, try); err != nil {
				return err
			}
		}
	}
	return nil
}

// notified tells which events of a page are Notificato here. One that has notices in states
// that only a notified event permits is asked for first, since it may be further on there.
func (p *Procedure) notified(ctx context.Context, by flussi.Actor, page []Notice, answers map[uuid.UUID]RemoteNotice) (map[uuid.UUID]bool, error) {
	known := map[uuid.UUID]bool{}
	for _, n := range page {
		if _, is := known[n.EventID]; is {
			continue
		}
		there, is := answers[n.ID]
		if !is || Coupled(EventToNotify, there.State) {
			continue // it does not matter
		}
		e, err := p.store.Event(ctx, n.EventID)
		if err != nil {
			return nil, plain(err)
		}
		if e.State != EventNotified {
			if e, err = p.follow(ctx, by, e); err != nil && !errors.Is(err, ErrDiscrepancy) {
				return nil, err
			}
		}
		known[n.EventID] = e.State == EventNotified
	}
	return known, nil
}

// learn is what a notice becomes by what Pago In Rete says of it, and whether that is anything
// new. Its event is notified, or not.
func (n Notice) learn(there RemoteNotice, missing, notified bool, by flussi.Actor) (NoticeChange, bool) {
	before := n
	differs := func(found Discrepancy) (NoticeChange, bool) {
		if n.Discrepancy.stays() {
			return NoticeChange{}, false // the next poll after it was settled finds this one
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
	path, err := NoticeMachine().Path(n.State, there.State)
	switch {
	case n.ahead(there.State):
		path = nil // what is here comes from files that are not known there
	case err != nil && paid(n.State) && paid(there.State):
		return differs(Discrepancy{Kind: DiscrepancyTwice, State: string(there.State)})
	case err != nil, !notified && !Coupled(EventToNotify, there.State):
		return differs(Discrepancy{Kind: DiscrepancyState, State: string(there.State)})
	default:
		n.State = there.State
	}
	n.RemoteID, n.Number = keep(n.RemoteID, there.RemoteID), there.Number
	n.PayerRegistered, n.PayerLoggedIn = there.PayerRegistered, there.PayerLoggedIn
	n.Evidence.merge(there.Evidence)
	found := Discrepancy{}
	switch amount, is := there.Evidence.other(n.Due()); {
	case n.Discrepancy.stays():
		found = n.Discrepancy
	case is:
		found = Discrepancy{Kind: DiscrepancyAmount, Amount: amount}
	case n.Discrepancy.Kind.ofFiles():
		found = n.Discrepancy // not gone by this
	}
	news := n.Discrepancy.meet(found)
	switch {
	case len(path) > 0:
		return n.change(path[len(path)-1], before.State, by.ID, steps(told, path, NoticeAction.Label)), true
	case news && found.Kind != "":
		return n.change(NoticeDiffer, n.State, by.ID, n.Discrepancy.Italian()), true
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
	return n.change(NoticeDiffer, before.State, by.ID, n.Discrepancy.Italian()), true
}

// ahead reports whether the notice is just where Pago In Rete says, or further on by nothing
// but what settlements and the treasury journal showed here.
func (n Notice) ahead(there NoticeState) bool {
	path, err := NoticeMachine().Path(there, n.State)
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

// paid reports whether a notice in the state is paid.
func paid(state NoticeState) bool { return state.Labels().Macro == NoticePaidOnline.Labels().Macro }
