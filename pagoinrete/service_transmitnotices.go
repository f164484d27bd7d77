package pagoinrete

import (
	"context"
	"errors"
	"sync"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/internal/italian"
)

// TransmitReport says what became of the notices of an event that were to be transmitted.
type TransmitReport struct {
	Transmitted int            // Non pagato (Non notificato) now, with their numbers
	Refused     int            // by Pago In Rete: each says why in its Error
	Failed      int            // that got no answer: transmit them again, which is recognised
	Errors      []*NoticeError // the first 1000 of those that were refused or failed
}

// NoticeError says why a notice was refused, or failed.
type NoticeError struct {
	NoticeID   uuid.UUID // its ID
	Reference  string    // the school's own; "" if it has none
	Instalment int       // of the event
	Err        error     // such as a [*flussi.RemoteError]
}

// Error describes the refusal for programs and logs.
func (e *NoticeError) Error() string { return "notice " + e.NoticeID.String() + ": " + e.Err.Error() }

// Unwrap returns why.
func (e *NoticeError) Unwrap() error { return e.Err }

// Italian describes the refusal for the operator.
func (e *NoticeError) Italian() string {
	return italian.Capital(italian.NoticeOf(e.Reference, e.Instalment, e.NoticeID.String())) + ": " +
		flussi.Explain(noticeFailure("transmit notice", e.NoticeID, e.Err))
}

const (
	maxNoticeErrors = 1000
	maxInRow        = 10  // failures in a row that end a transmission
	saveTogether    = 500 // notices a write, at most
)

// TransmitNotices (Trasmissione avvisi di pagamento; the fourth operation) transmits all notices
// of an event that are Non collegato, some at the same time: each becomes Non pagato (Non
// notificato) and gets its number. The event is Simulato or Rifiutato; for a donation the error
// is an [ErrDonation], since it has none.
//
// A notice that Pago In Rete refuses, or that gets no answer, is counted and remains Non collegato;
// a refusal is recorded in its Error. If the credentials are not accepted, or nothing gets an
// answer many times in a row, the call ends with that error. After any end, even a crash, call it
// again: it goes on with what is left, and Pago In Rete recognises what had arrived.
func (s *Service) TransmitNotices(ctx context.Context, by flussi.Actor, eventID uuid.UUID) (TransmitReport, error) {
	const op = "transmit notices"
	e, err := s.fee(ctx, by, eventID, EventTransmitNotices)
	if err != nil {
		return TransmitReport{}, eventFailure(op, eventID, err)
	}
	g, err := s.gateway(ctx, e.School)
	if err != nil {
		return TransmitReport{}, eventFailure(op, eventID, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t := &transmission{Service: s, gateway: g, by: by, cancel: cancel}
	jobs, results := make(chan Notice), make(chan transmitted, saveTogether)
	var workers, writer sync.WaitGroup
	for range s.workers {
		workers.Go(func() {
			for n := range jobs {
				results <- t.transmit(ctx, n)
			}
		})
	}
	writer.Go(func() { t.write(ctx, results) })
	func() {
		defer func() { // whatever the store does
			close(jobs)
			workers.Wait()
			close(results)
			writer.Wait()
		}()
		t.feed(ctx, e.ID, jobs)
	}()
	return t.report, eventFailure(op, eventID, t.err)
}

// feed sends the notices of an event that are to be transmitted to the workers.
func (t *transmission) feed(ctx context.Context, event uuid.UUID, jobs chan<- Notice) {
	for n, err := range t.all(ctx, NoticeFilter{Event: event, States: []NoticeState{NoticeNotLinked}}) {
		if err != nil {
			t.end(err)
			return
		}
		select {
		case jobs <- n:
		case <-ctx.Done():
			t.end(ctx.Err())
			return
		}
	}
}

// TransmitNotice transmits one notice, as [Service.TransmitNotices] does.
func (s *Service) TransmitNotice(ctx context.Context, by flussi.Actor, id uuid.UUID) (Notice, error) {
	const op = "transmit notice"
	n, err := s.notice(ctx, by, id)
	var e Event
	if err == nil {
		e, err = s.fee(ctx, by, n.EventID, EventTransmitNotices)
	}
	if err == nil {
		fired := n
		err = fired.take(ctx, NoticeTransmit, e, by)
	}
	if err != nil {
		return Notice{}, noticeFailure(op, id, err)
	}
	g, err := s.gateway(ctx, n.School)
	if err != nil {
		return Notice{}, noticeFailure(op, id, err)
	}
	t := &transmission{Service: s, gateway: g, by: by, cancel: func() {}}
	sent := t.transmit(ctx, n)
	ctx = context.WithoutCancel(ctx) // what was transmitted is stored and reported
	t.saveResults(ctx, []transmitted{sent})
	switch {
	case len(t.report.Errors) > 0:
		err = t.report.Errors[0].Err
	case t.report.Transmitted == 0: // it was not begun
		err = sent.err
	}
	if err != nil {
		return Notice{}, noticeFailure(op, id, err)
	}
	if n, err = s.store.Notice(ctx, id); err != nil { // it was stored all the same
		change, _ := sent.change(by)
		n = change.Notice
		n.Version++
	}
	return n, nil
}

// transmission is a TransmitNotices under way.
type transmission struct {
	*Service
	gateway Gateway
	by      flussi.Actor
	cancel  func()

	mu     sync.Mutex
	inRow  int // failures
	report TransmitReport
	err    error // why it ends early
}

// transmitted is what came of a notice.
type transmitted struct {
	notice Notice // as it was
	there  RemoteNotice
	err    error
}

// end records why the transmission ends early, and keeps the first reason.
func (t *transmission) end(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = err
	}
	t.cancel()
}

// transmit transmits a notice. If the outcome is unknown, it reads the notice back. One that was
// changed since it was created may be there with its old data, so it is transmitted again.
func (t *transmission) transmit(ctx context.Context, n Notice) transmitted {
	if err := ctx.Err(); err != nil {
		return transmitted{n, RemoteNotice{}, &flussi.RemoteError{Package: "pagoinrete", Platform: "Pago In Rete", Operation: "transmit notice", Kind: flussi.ErrInterrupted, Outcome: flussi.OutcomeNotDone, Err: err}}
	}
	there, err := t.gateway.PutNotice(ctx, t.by, n)
	if err != nil && (flussi.OutcomeOf(err) == flussi.OutcomeUnknown || errors.Is(err, flussi.ErrRemoteState)) {
		found, readErr := t.gateway.Notices(ctx, []uuid.UUID{n.ID})
		switch {
		case readErr != nil || len(found) != 1:
		case n.Version == 1:
			there, err = found[0], nil
		default:
			there, err = t.gateway.PutNotice(ctx, t.by, n)
		}
	}
	if err == nil && there.Number.IsZero() {
		err = unknownOutcome("transmit notice", "no notice number in the reply")
	}
	t.judge(err)
	return transmitted{n, there, err}
}

// judge ends a transmission that cannot go on.
func (t *transmission) judge(err error) {
	switch flussi.OutcomeOf(err) {
	case flussi.OutcomeDone:
		t.mu.Lock()
		t.inRow = 0
		t.mu.Unlock()
	case flussi.OutcomeRefused:
		if errors.Is(err, flussi.ErrUnauthorized) || errors.Is(err, flussi.ErrRemoteForbidden) {
			t.end(err)
		}
	default:
		t.mu.Lock()
		t.inRow++
		over := t.inRow >= maxInRow
		t.mu.Unlock()
		if over {
			t.end(err)
		}
	}
}

// write stores results until there are no more, in groups: those that came in while the last group
// was being stored. It stores what was transmitted even when the context ends.
func (t *transmission) write(ctx context.Context, results <-chan transmitted) {
	ctx = context.WithoutCancel(ctx)
	for r := range results {
		waiting := []transmitted{r}
		for len(results) > 0 && len(waiting) < saveTogether {
			waiting = append(waiting, <-results)
		}
		t.saveResults(ctx, waiting)
	}
}

// saveResults stores results together, or one by one after a conflict.
func (t *transmission) saveResults(ctx context.Context, results []transmitted) {
	var changes []NoticeChange
	for _, r := range results {
		if change, worth := r.change(t.by); worth {
			changes = append(changes, change)
		}
	}
	err := error(nil)
	if len(changes) > 0 {
		err = t.store.SaveNotices(ctx, changes...)
	}
	switch {
	case err == nil:
		for _, r := range results {
			t.count(r, r.err)
		}
	case errors.Is(err, flussi.ErrConflict):
		for _, r := range results {
			err := t.saveResult(ctx, &r)
			t.count(r, err)
		}
	default:
		t.end(err)
		for _, r := range results {
			t.count(r, err)
		}
	}
}

// saveResult stores a result with the notice as it is now. A notice that was cancelled meanwhile is
// cancelled in Pago In Rete too; an edited one is transmitted again.
func (t *transmission) saveResult(ctx context.Context, r *transmitted) error {
	for tries := (core.Tries{}); ; {
		current, err := t.store.Notice(ctx, r.notice.ID)
		if err != nil {
			return err
		}
		edited := r.err == nil && current.NoticeData != r.notice.NoticeData
		r.notice = current
		switch {
		case current.State == NoticeCancelled && r.err == nil:
			_, err := t.gateway.MoveNotice(ctx, t.by, current.ID, NoticeCancel, Proof{})
			if err != nil && !errors.Is(err, flussi.ErrRemoteState) && !errors.Is(err, flussi.ErrRemoteNotFound) {
				return err
			}
			return refuse(flussi.ErrConflict, "L'avviso è stato annullato nel frattempo.")
		case current.State == NoticeCancelled:
		case edited:
			*r = t.transmit(ctx, current)
		case current.State != NoticeNotLinked:
			r.err = nil // another user transmitted it, so it has its number
		}
		if current.State != NoticeNotLinked {
			return r.err
		}
		change, worth := r.change(t.by)
		if !worth {
			return r.err
		}
		err = t.store.SaveNotices(ctx, change)
		if err == nil {
			return r.err
		}
		if err := tries.Again(ctx, err); err != nil {
			return errors.Join(r.err, err)
		}
	}
}

// change returns the notice's change by a result, and whether it has to be stored.
func (r transmitted) change(by flussi.Actor) (NoticeChange, bool) {
	n := r.notice
	switch flussi.OutcomeOf(r.err) {
	case flussi.OutcomeDone:
		from := n.State
		n.State, n.RemoteID, n.Number, n.Error = NoticeNotNotified, r.there.RemoteID, r.there.Number, ""
		n.PayerRegistered, n.PayerLoggedIn = r.there.PayerRegistered, r.there.PayerLoggedIn
		return n.change(NoticeTransmit, from, by.ID, ""), true
	case flussi.OutcomeRefused:
		why := flussi.Explain(noticeFailure("transmit notice", n.ID, r.err))
		if n.Error == why {
			return NoticeChange{}, false
		}
		n.Error = why
		var remote *flussi.RemoteError
		if !errors.As(r.err, &remote) {
			return n.change(NoticeRefuse, n.State, by.ID, why), true
		}
		change := n.change(NoticeRefuse, n.State, by.ID, italian.WithoutAnswer(why, remote.Answer.Reveal()))
		change.Record.Answer = remote.Answer
		return change, true
	}
	return NoticeChange{}, false
}

// count counts a result whose error, of sending or storing it, is the given one.
func (t *transmission) count(r transmitted, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err == nil:
		t.report.Transmitted++
		return
	case errors.Is(err, flussi.ErrInterrupted): // it was not begun
		return
	case flussi.OutcomeOf(r.err) == flussi.OutcomeRefused:
		t.report.Refused++
	default:
		t.report.Failed++
	}
	if len(t.report.Errors) < maxNoticeErrors {
		t.report.Errors = append(t.report.Errors, &NoticeError{r.notice.ID, r.notice.Reference, r.notice.Instalment, err})
	}
}
