package pagoinrete

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
)

// place is what an event has one notice for.
type place struct {
	debtor     flussi.FiscalCode
	instalment int
}

// adding is an AddNotices under way.
type adding struct {
	event  Event
	by     flussi.Actor
	report AddReport
	rows   core.Import[NoticeRow, part, place]
}

func newAdding(e Event, by flussi.Actor, c AddConfig) *adding {
	if c.MaxErrors <= 0 {
		c.MaxErrors = core.DefaultMaxErrors
	}
	a := &adding{event: e, by: by}
	a.rows = core.Import[NoticeRow, part, place]{
		SkipInvalid: c.SkipInvalid, MaxErrors: c.MaxErrors, Report: &a.report.ImportReport,
		Nothing: "nessun avviso è stato creato",
		Number:  func(row *NoticeRow) *int { return &row.Number },
		Read: func(row *NoticeRow, to []part) ([]part, error) {
			parts, err := row.Draft.parts(e)
			return append(to, parts...), err
		},
		Key:       func(p *part) place { return place{p.data.Debtor, p.instalment} },
		Duplicate: twice,
	}
	return a
}

// notices checks the rows and returns the notices that are to be stored; if nothing is to be
// stored, the last item is the error that says so.
func (a *adding) notices(ctx context.Context, rows iter.Seq2[NoticeRow, error]) iter.Seq2[NoticeChange, error] {
	at := now()
	return core.Changes(ctx, &a.rows, rows, func(of part) (NoticeChange, error) { return a.create(of, at) })
}

// twice refuses a row whose debtor has a notice for the same instalment by another row, or in the
// event if that is 0.
func twice(p *part, other int) error {
	where := fmt.Sprintf("alla riga %d. Togliere una delle due righe.", other)
	if other == 0 {
		where = "nell'evento. Togliere la riga."
	}
	return refuse(flussi.ErrDuplicate, "Doppione: un avviso per lo stesso debitore e la rata %d è già %s", p.instalment, where)
}

// create makes a notice of the event.
func (a *adding) create(of part, at time.Time) (NoticeChange, error) {
	id, err := uuid.NewV7()
	n := Notice{
		ID: id, EventID: a.event.ID, School: a.event.School, State: NoticeMachine().Initial(), Instalment: of.instalment,
		NoticeData: of.data.normal(), CreatedAt: at, UpdatedAt: at, UpdatedBy: a.by.ID,
	}
	a.report.Notices++
	a.report.Amount += n.Due()
	return NoticeChange{Notice: n, Record: NoticeRecord{At: at, By: a.by.ID, Action: NoticeCreate, To: n.State}}, err
}
