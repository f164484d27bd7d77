package noticeflow

import (
	"context"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/pagoinrete"
)

// Rows returns the messages about the notices of an event that are to be paid, as
// [flow.Service.AddNotifications] and [flow.Service.ImportFlow] take them, the oldest notice
// first. The Number of a row is the notice's place among all of the event, from 1, as
// [pagoinrete.Service.AllNotices] lists them and exports have them.
//
// Left out, and counted in the report, which may be nil, are notices that
//
//   - are not to be paid: paid, cancelled, or refunded;
//   - are of another instalment than [Config.Instalment];
//   - have a payment under way;
//   - are Non pagato (Non notificato), unless [Config.NotNotified];
//   - cannot be paid any more, since the event's due dates are binding and theirs is past;
//   - the service has a message about: one with the notice's ID as its Reference, or with its
//     number, in any state, in a flow or without one, disabled or not; with [Config.Occasion], only
//     one of the same occasion. Anonymised messages are not recognised.
//
// In place of a notice that a person has to look at there is a [*NoticeError] with the row's
// number: an [ErrNoPayer] for one without a payer, a [pagoinrete.ErrDiscrepancy] for one with a
// discrepancy that is not resolved, an [ErrTemplate] if its text cannot be made.
//
// Everything is read before Rows returns, at a few hundred bytes a notice. The sequence itself uses
// no store, so both packages may be on one database, and can be ranged over more than once. The
// service's messages are found in one pass over its notifications since the event's first notice,
// page by page, not by a search for each notice.
//
// The error is a [*flussi.Error]: a [pagoinrete.ErrDonation], a [flussi.ErrState] for an event
// that is not Notificato, a [pagoinrete.ErrDiscrepancy] for one with a discrepancy, or what one of
// the services returned.
func (m *Messages) Rows(ctx context.Context, by flussi.Actor, eventID uuid.UUID, service string, report *Report) (iter.Seq2[flow.Row, error], error) {
	if report == nil {
		report = &Report{}
	}
	*report = Report{Occasion: m.config.Occasion}
	e, owed, err := m.read(ctx, by, eventID, service, report)
	if err != nil {
		return nil, err
	}
	return m.rows(e, owed, report.Occasion), nil
}

// owed is what a message needs of a notice.
type owed struct {
	place      int
	id         uuid.UUID
	to         flussi.FiscalCode
	staff      bool
	initials   string
	amount     flussi.Cents
	number     flussi.NoticeNumber
	due        time.Time
	instalment int
	reference  string
	fault      error // why there is no message
}

// read returns the event, and its notices to write about for the report's occasion.
func (m *Messages) read(ctx context.Context, by flussi.Actor, eventID uuid.UUID, service string, report *Report) (pagoinrete.Event, []owed, error) {
	e, err := m.notices.Event(ctx, by, eventID)
	if err == nil {
		err = checkEvent(e)
	}
	if err != nil {
		return e, nil, err
	}
	var all []owed
	var first time.Time // when the first of them was created
	now := time.Now()
	for n, err := range m.notices.AllNotices(ctx, by, pagoinrete.NoticeFilter{Event: e.ID}) {
		if err != nil {
			return e, nil, err
		}
		report.Notices++
		if !m.wanted(e, n, now, report) {
			continue
		}
		if len(all) == 0 { // the oldest first
			first = n.CreatedAt
		}
		all = append(all, owedFor(n, report.Notices))
	}
	if len(all) > 0 {
		if all, err = m.unknown(ctx, by, service, all, first, report); err != nil {
			return e, nil, err
		}
	}
	report.Rows = len(all)
	return e, all, nil
}

// checkEvent refuses an event whose notices cannot be paid.
func checkEvent(e pagoinrete.Event) error {
	refuse := func(err error, reason string) error {
		return &flussi.Error{Package: "noticeflow", Operation: "write to payers", Entity: "event", ID: e.ID, Err: err, Reason: reason}
	}
	switch {
	case e.Kind == pagoinrete.Donation:
		return refuse(pagoinrete.ErrDonation, "Un'erogazione liberale non ha avvisi di pagamento: non ci sono destinatari.")
	case e.State != pagoinrete.EventNotified:
		return refuse(flussi.ErrState, "L'evento è nello stato «"+e.State.Label()+"»: i messaggi si preparano nello stato «"+pagoinrete.EventNotified.Label()+"».")
	case e.Discrepancy.Open():
		return refuse(pagoinrete.ErrDiscrepancy, "L'evento ha una discrepanza da verificare prima di preparare i messaggi. "+e.Discrepancy.Italian())
	}
	return nil
}

// wanted reports whether a notice is to be written about, and counts it if it is not.
func (m *Messages) wanted(e pagoinrete.Event, n pagoinrete.Notice, now time.Time, report *Report) bool {
	switch {
	case m.config.Instalment != 0 && n.Instalment != m.config.Instalment:
		report.OtherInstalments++
	case n.State == pagoinrete.NoticeAwaitingReceipt:
		report.PaymentPending++
	case n.State != pagoinrete.NoticeNotified && n.State != pagoinrete.NoticeNotNotified:
		report.NotDue++
	case e.Binding && !n.DueDate.After(now):
		report.Expired++
	case n.State == pagoinrete.NoticeNotNotified && !m.config.NotNotified:
		report.NotNotified++
	default:
		return true
	}
	return false
}

func owedFor(n pagoinrete.Notice, place int) owed {
	o := owed{
		place: place, id: n.ID, to: n.Payer, staff: n.DebtorKind == pagoinrete.DebtorStaff, initials: initials(n.DebtorName),
		amount: n.Due(), number: n.Number, due: n.DueDate, instalment: n.Instalment, reference: n.Reference,
	}
	if o.staff {
		o.to = n.Debtor
	}
	switch {
	case n.Discrepancy.Open():
		o.fault = &NoticeError{NoticeID: n.ID, Reference: n.Reference, Instalment: n.Instalment, Err: pagoinrete.ErrDiscrepancy, Reason: "ha una discrepanza da verificare prima. " + n.Discrepancy.Italian()}
	case o.to.IsZero():
		o.fault = &NoticeError{NoticeID: n.ID, Reference: n.Reference, Instalment: n.Instalment, Err: ErrNoPayer, Reason: "non ha un versante a cui scrivere: avvisare la famiglia con un altro canale."}
	}
	return o
}

// clocks is how much earlier than its notice the clock of another machine may have made a
// notification.
const clocks = 24 * time.Hour

// unknown returns the notices that the service has no message about; if the report has an occasion,
// no message of that occasion. No message is older than the notice that it is about.
func (m *Messages) unknown(ctx context.Context, by flussi.Actor, service string, all []owed, first time.Time, report *Report) ([]owed, error) {
	byID, byNumber := make(map[string]int, len(all)), make(map[flussi.NoticeNumber]int, len(all))
	for i, o := range all {
		byID[o.id.String()] = i
		if !o.number.IsZero() {
			byNumber[o.number] = i
		}
	}
	known := make([]bool, len(all))
	for n, err := range m.service.AllNotifications(ctx, by, flow.NotificationFilter{Services: []string{service}, From: first.Add(-clocks)}) {
		if err != nil {
			return nil, err
		}
		if report.Occasion != "" && !flow.SameOccasion(n.Occasion, report.Occasion) {
			continue
		}
		if i, found := byID[n.Reference]; found {
			known[i] = true
		}
		if i, found := byNumber[n.NoticeNumber]; found {
			known[i] = true
		}
	}
	left := all[:0]
	for i, o := range all {
		if known[i] {
			report.AlreadyNotified++
		} else {
			left = append(left, o)
		}
	}
	return left, nil
}

// rows returns the messages, with their occasion.
func (m *Messages) rows(e pagoinrete.Event, all []owed, occasion string) iter.Seq2[flow.Row, error] {
	return func(yield func(flow.Row, error) bool) {
		for _, o := range all {
			row, err := flow.Row{Number: o.place}, o.fault
			if err == nil {
				row.Draft, err = m.draft(e, o)
				row.Draft.Occasion = occasion
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// draft returns the message about a notice.
func (m *Messages) draft(e pagoinrete.Event, o owed) (flow.Draft, error) {
	subject, content, err := m.text.Execute(valuesOf(e, o, m.config.School).merged())
	if err != nil {
		return flow.Draft{}, &NoticeError{NoticeID: o.id, Reference: o.reference, Instalment: o.instalment, Err: ErrTemplate, Reason: "non può avere un messaggio: correggere il modello del testo, non adatto ai suoi dati."}
	}
	return flow.Draft{
		Recipient: o.to, Subject: subject, Content: content, DueDate: o.due, Amount: o.amount, IsPayment: true,
		PayableAfterDue: !e.Binding, NoticeNumber: o.number, Payee: m.config.Payee, Reference: o.id.String(),
	}, nil
}
