package pagoinrete

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
)

// VerifyReport says what a verification found.
type VerifyReport struct {
	Asked         int // notices that were verified
	Changed       int // of them, those in another state now
	Discrepancies int // of them, those with a contradiction, which is in their Discrepancy
}

// add adds what another verification found.
func (r *VerifyReport) add(other VerifyReport) {
	r.Asked += other.Asked
	r.Changed += other.Changed
	r.Discrepancies += other.Discrepancies
}

// VerifyNotice (Verifica stato avviso di pagamento; the tenth operation) reads the state of a
// notice that was transmitted from Pago In Rete, and stores it. A state that is several steps
// further on implies the steps between. A state that cannot follow ours is not taken over: the
// notice gets a Discrepancy, and the error is an [ErrDiscrepancy].
func (s *Service) VerifyNotice(ctx context.Context, by flussi.Actor, id uuid.UUID) (Notice, error) {
	const op = "verify notice"
	n, e, err := s.noticeAndEvent(ctx, by, id)
	if err == nil {
		fired := n
		err = fired.take(ctx, NoticeVerify, e, by)
	}
	if err != nil {
		return Notice{}, noticeFailure(op, id, err)
	}
	if _, err := s.verifyNotices(ctx, by, n.School, NoticeFilter{IDs: []uuid.UUID{id}}); err != nil {
		return n, noticeFailure(op, id, err)
	}
	if n, err = s.store.Notice(ctx, id); err != nil {
		return n, noticeFailure(op, id, core.NotFound(err))
	}
	if n.Discrepancy.Open() {
		return n, noticeFailure(op, id, refuse(ErrDiscrepancy, "%s", n.Discrepancy.Italian()))
	}
	return n, nil
}

// VerifyEvent (Verifica stato) reads the states of an event and all of its notices that were
// transmitted from Pago In Rete, and stores them, as [Service.VerifyNotice] does. If the event's
// own state cannot follow ours, the event gets a Discrepancy, the error is an [ErrDiscrepancy], and
// the notices are not read. If the context ends, what was stored by then remains.
func (s *Service) VerifyEvent(ctx context.Context, by flussi.Actor, id uuid.UUID) (Event, VerifyReport, error) {
	const op = "verify event"
	e, err := s.event(ctx, by, id)
	if err == nil {
		fired := e
		err = fired.take(ctx, EventVerify, by)
	}
	if err != nil {
		return Event{}, VerifyReport{}, eventFailure(op, id, err)
	}
	e, err = s.follow(ctx, by, e)
	if err != nil || e.State == EventNotTransmitted {
		return e, VerifyReport{}, eventFailure(op, id, err)
	}
	report, err := s.verifyNotices(ctx, by, e.School, NoticeFilter{Event: id, States: linkedStates()})
	if err != nil {
		return e, report, eventFailure(op, id, err)
	}
	e, err = s.readEvent(ctx, id)
	return e, report, eventFailure(op, id, err)
}

// VerifyOpen reads from Pago In Rete the states of all notices of a school that are not paid, or
// whose payment is not reconciled, and stores them as [Service.VerifyEvent] does. It is for
// programs that verify regularly: the actor is of the office, or has the role [flussi.System]; the
// [Authorizer] decides about both.
func (s *Service) VerifyOpen(ctx context.Context, by flussi.Actor, school string) (VerifyReport, error) {
	const op = "verify open notices"
	err := s.access.Admit(ctx, by, school)
	if err == nil && !by.Has(officeRoles()...) && !by.Has(flussi.System) {
		e := Event{State: EventNotified}
		err = e.Fire(ctx, EventVerify, by) // refused, with its words
	}
	if err != nil {
		return VerifyReport{}, failure(op, err)
	}
	report, err := s.verifyNotices(ctx, by, school, NoticeFilter{Schools: []string{school}, States: []NoticeState{
		NoticeNotNotified, NoticeNotified, NoticeAwaitingReceipt, NoticePaidOnline, NoticePaidManually, NoticeConfirmed,
	}})
	return report, failure(op, err)
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

// follow applies the state that Pago In Rete reports to an event. The error is an ErrDiscrepancy if
// it cannot follow ours.
func (s *Service) follow(ctx context.Context, by flussi.Actor, e Event) (Event, error) {
	g, err := s.gateway(ctx, e.School)
	if err != nil {
		return e, err
	}
	there, err := g.Event(ctx, e.ID)
	missing := errors.Is(err, flussi.ErrRemoteNotFound)
	if err != nil && !missing {
		return e, err
	}
	for tries := (core.Tries{}); ; {
		change, deletes := e.applyRemote(there, missing, by)
		if change.Event.ID == uuid.Nil {
			return e, discrepancyOf(e)
		}
		if deletes {
			if err := s.withdrawNotices(ctx, by, e); err != nil {
				return e, err
			}
		}
		saved := s.store.SaveEvent(ctx, change, nil)
		if saved != nil {
			if err := tries.Again(ctx, saved); err != nil {
				return e, err
			}
		}
		if e, err = s.readEvent(ctx, e.ID); err != nil {
			return e, err
		}
		if saved == nil {
			return e, discrepancyOf(e)
		}
	}
}

func discrepancyOf(e Event) error {
	if e.Discrepancy.Open() {
		return refuse(ErrDiscrepancy, "%s", e.Discrepancy.Italian())
	}
	return nil
}

// verifyNotices reads all notices of a school that match the filter from Pago In Rete, page by
// page, and stores what is new.
func (s *Service) verifyNotices(ctx context.Context, by flussi.Actor, school string, filter NoticeFilter) (VerifyReport, error) {
	var report VerifyReport
	g, err := s.gateway(ctx, school)
	if err != nil {
		return report, err
	}
	for page, err := range s.pages(ctx, filter) {
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
		found, err := s.applyPage(ctx, by, page, answers)
		report.add(found)
		if err != nil {
			return report, err
		}
	}
	return report, nil
}

// applyPage stores what Pago In Rete reported about a page of notices.
func (s *Service) applyPage(ctx context.Context, by flussi.Actor, page []Notice, answers map[uuid.UUID]RemoteNotice) (VerifyReport, error) {
	report := VerifyReport{Asked: len(page)}
	notified, err := s.notified(ctx, by, page, answers)
	if err != nil {
		return report, err
	}
	var changes []NoticeChange
	for _, n := range page {
		there, is := answers[n.ID]
		if change, news := n.applyRemote(there, !is, notified[n.EventID], by); news {
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
	} else if err = s.store.SaveNotices(ctx, changes...); errors.Is(err, flussi.ErrConflict) {
		err = s.applyEach(ctx, by, changes, answers, notified)
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

// applyEach stores what Pago In Rete reported about notices one by one, on their current versions.
func (s *Service) applyEach(ctx context.Context, by flussi.Actor, changes []NoticeChange, answers map[uuid.UUID]RemoteNotice, notified map[uuid.UUID]bool) error {
	for i := range changes {
		id := changes[i].Notice.ID
		for tries := (core.Tries{}); ; {
			n, err := s.store.Notice(ctx, id)
			if err != nil {
				return err
			}
			there, is := answers[id]
			change, news := n.applyRemote(there, !is, notified[n.EventID], by)
			if !news {
				changes[i].Notice = n
				break
			}
			err = s.store.SaveNotices(ctx, change)
			if err == nil {
				changes[i] = change
				break
			}
			if err := tries.Again(ctx, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// notified returns which events of a page are Notificato here. If a notice is in a state that only
// a notified event permits, or if files have shown its payment, it first reads the event's state from
// Pago In Rete.
func (s *Service) notified(ctx context.Context, by flussi.Actor, page []Notice, answers map[uuid.UUID]RemoteNotice) (map[uuid.UUID]bool, error) {
	known := map[uuid.UUID]bool{}
	for _, n := range page {
		if _, is := known[n.EventID]; is {
			continue
		}
		there, is := answers[n.ID]
		if _, awaited := n.awaited(); !is || !awaited && Compatible(EventToNotify, there.State) {
			continue // it does not matter
		}
		e, err := s.readEvent(ctx, n.EventID)
		if err != nil {
			return nil, err
		}
		if e.State != EventNotified {
			if e, err = s.follow(ctx, by, e); err != nil && !errors.Is(err, ErrDiscrepancy) {
				return nil, err
			}
		}
		known[n.EventID] = e.State == EventNotified
	}
	return known, nil
}
