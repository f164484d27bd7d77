package pagoinrete

import (
	"context"
	"iter"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
)

// NoticeRow is a draft of notices to be created, and where it comes from.
type NoticeRow struct {
	Number int         // as the operator counts, such as the row of a workbook; 0: its place in the sequence
	Draft  NoticeDraft // what it is to say
}

// NoticeDraftRows returns drafts as the rows of a sequence, numbered from 1.
func NoticeDraftRows(drafts ...NoticeDraft) iter.Seq2[NoticeRow, error] {
	return core.Numbered(drafts, func(number int, d NoticeDraft) NoticeRow { return NoticeRow{number, d} })
}

// NoticeRows returns rows as a sequence: those whose numbers the caller has, such as IDs of a
// table.
func NoticeRows(rows ...NoticeRow) iter.Seq2[NoticeRow, error] {
	return core.Numbered(rows, func(_ int, r NoticeRow) NoticeRow { return r })
}

// AddConfig says how rows are added.
type AddConfig struct {
	// SkipInvalid creates the notices of the rows that are valid if others are not, which is
	// no error then: the report has them. If none is valid, the error is a [flussi.ErrRows] all the
	// same. Defaults to false: all or nothing.
	SkipInvalid bool
	// MaxErrors is how many wrong rows are reported one by one; all are counted. Defaults to
	// 1000.
	MaxErrors int
}

// AddReport says what became of the rows.
type AddReport struct {
	flussi.ImportReport
	Notices int          // that were created
	Amount  flussi.Cents // due with them
}

// AddNotices (Creazione pagamenti; the third operation) creates the notices of a fee that is
// Simulato or Rifiutato, one or massively: for each row one, or one for each instalment. They
// are Non collegato a Pago in Rete. A donation has none: the error is an [ErrDonation].
//
// Either all rows are taken, or, if one of them is not valid, none: then the error is a
// [flussi.ErrRows], and the report says what is wrong with which rows. A row is refused if the
// sequence has an error in its place, if its draft is not valid, or if the event has a notice
// for the same debtor and instalment that is not cancelled ([flussi.ErrDuplicate]).
//
// The sequence is pulled once, and long ones are fine: a notice costs some 60 bytes until the call
// returns. An error in it belongs to its row if it is a [*flussi.RowError], which the report has as
// it is, or if its row has a Number; any other error ends the call, with nothing stored whatever
// the configuration says: that is for a file that turns out to be cut off. The sequence must not
// use the store. If the event is changed while rows come in, the error is a [flussi.ErrConflict],
// and nothing is stored.
func (s *Service) AddNotices(ctx context.Context, by flussi.Actor, eventID uuid.UUID, rows iter.Seq2[NoticeRow, error], c AddConfig) (AddReport, error) {
	const op = "add notices"
	e, err := s.fee(ctx, by, eventID, EventAddNotices)
	if err != nil {
		return AddReport{}, eventFailure(op, eventID, err)
	}
	a := newAdding(e, by, c)
	if e.Counts.NotCancelled() > 0 {
		for n, err := range s.all(ctx, NoticeFilter{Event: e.ID}) {
			if err != nil {
				return AddReport{}, eventFailure(op, eventID, err)
			}
			if n.State != NoticeCancelled {
				a.rows.Stored(place{n.Debtor, n.Instalment})
			}
		}
	}
	err = s.store.SaveEvent(ctx, e.change(EventAddNotices, e.State, by.ID, ""), a.notices(ctx, rows))
	if a.rows.Fault != nil {
		err = a.rows.Fault // not as the store wrapped it
	}
	if err != nil {
		a.report.Notices, a.report.Amount = 0, 0
	}
	return a.report, eventFailure(op, eventID, err)
}
