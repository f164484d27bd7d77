package flow

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
)

// Row is a notification to be added to a flow, and where it comes from.
type Row struct {
	Number int   // as the operator counts, such as the row of a workbook; 0: its place in the sequence
	Draft  Draft // what it is to say
}

// DraftRows returns drafts as the rows of a sequence, numbered from 1. For other numbers, such as
// the caller's own, see [Rows].
func DraftRows(drafts ...Draft) iter.Seq2[Row, error] {
	return core.Numbered(drafts, func(number int, d Draft) Row { return Row{number, d} })
}

// Rows returns rows as a sequence: those whose numbers the caller has, such as IDs of a table.
func Rows(rows ...Row) iter.Seq2[Row, error] {
	return core.Numbered(rows, func(_ int, r Row) Row { return r })
}

// AddConfig says how rows are added.
type AddConfig struct {
	// SkipInvalid stores the rows that are valid if others are not, which is no error then:
	// the report has them. If none is valid, the error is a [flussi.ErrRows] all the same. Defaults
	// to false: all or nothing.
	SkipInvalid bool
	// Occasion, such as "sollecito marzo", is the occasion of the rows that have none of their
	// own. The same rows with another occasion are another import, and other messages. See
	// [Draft.Occasion]. Defaults to none.
	Occasion string
	// MaxErrors is how many wrong rows, how many duplicates and how many warnings are reported one by
	// one; all are counted. Defaults to 1000.
	MaxErrors int
}

// AddReport says what became of the rows.
type AddReport struct {
	flussi.ImportReport
	Added int // rows that were stored by this call

	// Duplicates are the first rows whose message the service has already: an earlier
	// notification may have brought it to the citizen, or waits to be sent. They are stored
	// Disabled, or not at all if the earlier one is in the same flow. To send one all the same,
	// give it another occasion by [Service.EditNotification], and enable it. If it is enabled
	// without another occasion, it becomes Errore with [CodeAlreadySent] when it is claimed,
	// unless the earlier one turned out not to have arrived; [Service.ResendNotification] then
	// sends it.
	Duplicates     []Duplicate
	DuplicateCount int // how many there are
	Disabled       int // of Added, those that were stored Disabled as duplicates

	// Warnings are the first rows that are valid and stored like the others, and in which something
	// looks like a mistake: see [Draft.Check]. A notice number that another citizen has, in an
	// earlier row or in a notification of the flow, is one with [flussi.ErrDuplicate]. A row may be
	// there more than once.
	Warnings     []*flussi.RowError
	WarningCount int // how many there are

	// ImportedAt is when an earlier call stored the same rows with the same occasion; then this
	// call stored nothing. The zero time if no earlier call did.
	ImportedAt time.Time
}

// Duplicate is a row whose message the service has already.
type Duplicate struct {
	Row            int               // its number
	NotificationID uuid.UUID         // stored for the row, Disabled; the zero UUID if the earlier one is in the same flow
	EarlierID      uuid.UUID         // the earlier notification
	EarlierFlowID  uuid.UUID         // its flow; the zero UUID if it has none
	State          NotificationState // of the earlier one
	Date           time.Time         // when the earlier one was sent; if it was not, claimed or created; UTC
}

// Italian describes the duplicate for the operator.
func (d Duplicate) Italian() string { return fmt.Sprintf("Riga %d: %s", d.Row, d.Reason()) }

// Reason returns the text of Italian without the number of the row.
func (d Duplicate) Reason() string {
	place, outcome := "", fmt.Sprintf("La riga è stata aggiunta disabilitata (notifica %s). "+
		"Per inviarla comunque, indicare un'occasione diversa e riabilitarla.", d.NotificationID)
	if d.NotificationID == uuid.Nil {
		place, outcome = " nel flusso", "La riga non è stata aggiunta di nuovo."
	}
	return fmt.Sprintf("Esiste già%s una notifica uguale, nello stato «%s» (%s del %s). %s", place, d.State.Label(), d.EarlierID, day(d.Date), outcome)
}

// italy is the time zone of what operators read.
var italy = sync.OnceValue(func() *time.Location {
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		panic("flow: no zone data for Europe/Rome, although package flussi links it: " + err.Error())
	}
	return zone
})

// AddNotifications (Importa da File Excel) adds notifications to a flow that is Inattivo.
// Either all rows are added, or, if one of them is not valid, none: then the error is a
// [flussi.ErrRows], and the report says what is wrong with which rows. A row is refused if the
// sequence has an error in its place, if its draft is not valid, or if an earlier row is the
// same message for the same citizen ([flussi.ErrDuplicate]). A row whose message the service has
// already is one of the report's Duplicates.
//
// It can be called again with the same rows, occasion and flow, after an error, a crash, or by
// mistake: if this flow has the rows already, it does nothing, and the report's ImportedAt says
// when they were stored. A program that makes a new flow each time calls [Service.ImportFlow]
// instead. If it is not known whether the rows were stored, the error is a
// [flussi.ErrCommitUnknown].
//
// The sequence is pulled once, and long ones are fine: a row costs some 70 bytes until the call
// returns. An error in it belongs to its row if it is a [*flussi.RowError], which the report has as
// it is, or if its row has a Number; any other error ends the call, with nothing stored whatever
// the configuration says: that is for a file that turns out to be cut off. The sequence must not
// use the store. If the flow is changed while rows come in, the error is a [flussi.ErrConflict],
// and nothing is stored. With every error that comes after the first row, the report covers the
// rows that were read until then.
func (s *Service) AddNotifications(ctx context.Context, by flussi.Actor, flowID uuid.UUID, rows iter.Seq2[Row, error], c AddConfig) (AddReport, error) {
	const op = "add notifications"
	f, err := s.flow(ctx, by, flowID)
	if err != nil {
		return AddReport{}, flowFailure(op, flowID, err)
	}
	a := newAdding(s, op, f, flowID, by, c)
	if err := f.Fire(ctx, FlowImport, by); err != nil {
		// An earlier call may have stored the rows before the flow left Inattivo.
		if a.config.check() != nil || !by.Has(flussi.Operator) || !a.imported(ctx, rows) {
			return AddReport{}, flowFailure(op, flowID, err)
		}
		return a.report, nil
	}
	_, err = a.save(ctx, f.change(FlowImport, f.State, by.ID, a.reason()), rows)
	return a.report, flowFailure(op, flowID, err)
}

// ImportFlow (Nuovo, Importa da File Excel) is [Service.CreateFlow] and [Service.AddNotifications]
// at once: the flow is there with its notifications, or, with every error but a
// [flussi.ErrCommitUnknown], it is not there at all. Neither a wrong row nor a crash leaves an
// empty flow behind.
//
// It can be called again with the same rows, service and occasion: if a flow has them, that flow is
// returned in its current state, and the report's ImportedAt says when they were stored. A flow
// that was disabled before it was sent does not count.
func (s *Service) ImportFlow(ctx context.Context, by flussi.Actor, service string, d Details, rows iter.Seq2[Row, error], c AddConfig) (Flow, AddReport, error) {
	const op = "import flow"
	change, err := s.newFlow(ctx, by, service, d)
	if err != nil {
		return Flow{}, AddReport{}, failure(op, err)
	}
	a := newAdding(s, op, change.Flow, uuid.Nil, by, c)
	change.Record.Reason = flussi.NewText(a.reason())
	done, err := a.save(ctx, change, rows)
	if err != nil {
		return Flow{}, a.report, failure(op, err)
	}
	if !a.report.ImportedAt.IsZero() {
		f, err := s.store.Flow(ctx, done.Flow)
		return f, a.report, flowFailure(op, done.Flow, err)
	}
	f := change.Flow
	f.Version++
	f.Counts.Registered, f.Counts.Disabled = a.report.Added-a.report.Disabled, a.report.Disabled
	return f, a.report, nil
}
