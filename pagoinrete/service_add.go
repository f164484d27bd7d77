package pagoinrete

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
)

// NoticeRow is a draft of notices to be created, and where it comes from.
type NoticeRow struct {
	Number int         // as the operator counts, such as the row of a workbook; 0: its place in the sequence
	Draft  NoticeDraft // what it is to say
}

// NoticeDraftRows returns drafts as the rows of a sequence, numbered from 1.
func NoticeDraftRows(drafts ...NoticeDraft) iter.Seq2[NoticeRow, error] {
	return func(yield func(NoticeRow, error) bool) {
		for i, d := range drafts {
			if !yield(NoticeRow{i + 1, d}, nil) {
				return
			}
		}
	}
}

// AddConfig says how rows are added.
type AddConfig struct {
	// SkipInvalid creates the notices of the rows that are valid if others are not, which is
	// no error then: the report has them. If none is valid, the error is an [flussi.ErrRows] all the
	// same. Defaults to false: all or nothing.
	SkipInvalid bool
	// MaxErrors is how many wrong rows are reported one by one; all are counted. Defaults to
	// 1000.
	MaxErrors int
}

const defaultMaxErrors = 1000

// AddReport says what became of the rows.
type AddReport struct {
	Rows    int                // that were read
	Notices int                // that were created
	Amount  flussi.Cents       // due with them
	Invalid int                // rows that are not valid
	Errors  []*flussi.RowError // the first of them, in the order of the rows
}

// AddNotices (Creazione pagamenti; the third operation) creates the notices of a fee that is
// Simulato or Rifiutato, one or massively: for each row one, or one for each instalment. They
// are Non collegato a Pago in Rete. A donation has none: the error is an [ErrDonation].
//
// Either all rows are taken, or, if one of them is not valid, none: then the error is an
// [flussi.ErrRows], and the report says what is wrong with which rows. A row is refused if the
// sequence has an error in its place, if its draft is not valid, or if the event has a notice
// for the same debtor and instalment that is not cancelled ([flussi.ErrDuplicate]).
//
// The sequence is pulled once, and long ones are fine: a notice costs some 60 bytes until the
// call returns. An error in it belongs to its row if that has a Number, and otherwise ends the
// call, with nothing stored whatever the configuration says: that is for a file that turns
// out to be cut off. The sequence must not use the store. If somebody changes the event while
// rows come in, the error is an [flussi.ErrConflict], and nothing is stored.
func (p *Service) AddNotices(ctx context.Context, by flussi.Actor, eventID uuid.UUID, rows iter.Seq2[NoticeRow, error], c AddConfig) (AddReport, error) {
	const op = "add notices"
	e, err := p.event(ctx, by, eventID)
	if err == nil {
		err = e.take(ctx, EventAddNotices, by)
	}
	if err == nil && e.Kind == Donation {
		err = donation()
	}
	if err != nil {
		return AddReport{}, failure(op, eventID, err)
	}
	if c.MaxErrors <= 0 {
		c.MaxErrors = defaultMaxErrors
	}
	a := &adding{event: e, by: by, config: c, seen: map[place]int{}}
	if e.Counts.NotCancelled() > 0 {
		for n, err := range p.all(ctx, NoticeFilter{Event: e.ID}) {
			if err != nil {
				return AddReport{}, failure(op, eventID, err)
			}
			if n.State != NoticeCancelled {
				a.seen[place{n.Debtor, n.Instalment}] = 0
			}
		}
	}
	if rows == nil {
		rows = NoticeDraftRows()
	}
	err = p.store.SaveEvent(ctx, e.change(EventAddNotices, e.State, by.ID, ""), a.notices(ctx, rows))
	if a.fault != nil {
		err = a.fault // as it is, whatever the store made of it
	}
	if err != nil {
		a.report.Notices, a.report.Amount = 0, 0
	}
	return a.report, failure(op, eventID, err)
}

func donation() error {
	return refuse(ErrDonation, "Un'erogazione liberale non ha avvisi di pagamento: passare all'operazione successiva.")
}

// place is what an event has one notice for.
type place struct {
	debtor     flussi.FiscalCode
	instalment int
}

// adding is an AddNotices under way.
type adding struct {
	event  Event
	by     flussi.Actor
	config AddConfig
	report AddReport
	seen   map[place]int // the row of each; 0 for what the event had before
	fault  error         // why nothing is stored
}

// notices checks the rows and returns the notices that are to be stored; if nothing is to be
// stored, the last item is the error that says so.
func (a *adding) notices(ctx context.Context, rows iter.Seq2[NoticeRow, error]) iter.Seq2[NoticeChange, error] {
	return func(yield func(NoticeChange, error) bool) {
		fail := func(err error) {
			a.fault = err
			yield(NoticeChange{}, err)
		}
		at := now()
		for row, err := range rows {
			if ctx.Err() != nil {
				fail(ctx.Err())
				return
			}
			if err != nil && row.Number == 0 {
				fail(err)
				return
			}
			a.report.Rows++
			if row.Number == 0 {
				row.Number = a.report.Rows
			}
			parts, wrong := a.check(row, err)
			if wrong != nil {
				a.report.Invalid++
				if len(a.report.Errors) < a.config.MaxErrors {
					a.report.Errors = append(a.report.Errors, wrong)
				}
				continue
			}
			if a.report.Invalid > 0 && !a.config.SkipInvalid {
				continue // it will not be stored, but the other errors are wanted
			}
			for _, part := range parts {
				change, err := a.create(part, at)
				if err != nil {
					fail(err)
					return
				}
				if !yield(change, nil) {
					return
				}
			}
		}
		switch {
		case a.report.Rows == 0:
			fail(&flussi.ValueError{Type: "Rows", Err: flussi.ErrEmpty, Reason: "Non ci sono righe da importare."})
		case a.report.Invalid > 0 && !a.config.SkipInvalid, a.report.Invalid == a.report.Rows:
			fail(refuse(flussi.ErrRows, "%s su %s: nessun avviso è stato creato.",
				italian.Count(a.report.Invalid, "riga con errori", "righe con errori"), italian.Number(a.report.Rows)))
		}
	}
}

// check returns what a row stands for, or what is wrong with it.
func (a *adding) check(row NoticeRow, err error) ([]part, *flussi.RowError) {
	var parts []part
	if err == nil {
		parts, err = row.Draft.parts(a.event)
	}
	if err != nil {
		return nil, &flussi.RowError{Row: row.Number, Err: err}
	}
	for _, part := range parts {
		if other, same := a.seen[place{part.data.Debtor, part.instalment}]; same {
			where := fmt.Sprintf("alla riga %d", other)
			if other == 0 {
				where = "nell'evento"
			}
			return nil, &flussi.RowError{Row: row.Number, Other: other, Err: refuse(flussi.ErrDuplicate,
				"Doppione: un avviso per lo stesso debitore e la rata %d è già %s.", part.instalment, where)}
		}
	}
	for _, part := range parts {
		a.seen[place{part.data.Debtor, part.instalment}] = row.Number
	}
	return parts, nil
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
