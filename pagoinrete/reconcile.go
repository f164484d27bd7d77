package pagoinrete

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/internal/sentinel"
)

// PaymentRow is a row of a PSP's settlement (flusso di riversamento) or of the treasury journal
// (giornale di cassa, file OIL): one payment.
type PaymentRow struct {
	Number    int            // as the operator counts, such as the row of a file; 0: its place in the sequence
	IUV       flussi.IUV     // which payment; required
	Amount    flussi.Cents   // paid or reversed; of a reversal with either sign, since files have both
	Outcome   PaymentOutcome // esito; the journal has only what was paid
	Reference string         // of the settlement, or of the movement; required. No personal data
	Date      time.Time      // when, UTC; required
}

// PaymentOutcome (esito del singolo pagamento) is pagoPA's code of a payment in a settlement.
// A row with any other code than the ones below does not match, and is reported with
// [ErrUnknownPaymentOutcome].
type PaymentOutcome int

// The outcomes of a payment in a settlement. All except PaymentReversed mean that it was paid.
const (
	PaymentDone               PaymentOutcome = 0 // eseguito
	PaymentReversed           PaymentOutcome = 3 // revocato
	PaymentByStandIn          PaymentOutcome = 4 // eseguito, by the standing-in station
	PaymentByStandInNoRequest PaymentOutcome = 8 // eseguito in assenza di RPT, by the standing-in station
	PaymentNoRequest          PaymentOutcome = 9 // eseguito in assenza di RPT
)

// known reports whether the outcome is one of pagoPA's.
func (o PaymentOutcome) known() bool {
	switch o {
	case PaymentDone, PaymentReversed, PaymentByStandIn, PaymentByStandInNoRequest, PaymentNoRequest:
		return true
	}
	return false
}

// MatchReport says what became of the rows of a settlement or a journal. Every row is counted
// once, and so is its amount: as matched, as known since before, or as one that does not match.
type MatchReport struct {
	Rows, Matched, Known, Unmatched                     int          // rows
	Amount, MatchedAmount, KnownAmount, UnmatchedAmount flussi.Cents // what they say
	Mismatches                                          []*Mismatch  // the first 1000 that do not match, in the order of the rows
}

// Mismatch is a row that does not match, and why. Look at it, and match it by hand if it does
// belong to a notice: [Service.MatchSettlement], [Service.MatchMovement].
type Mismatch struct {
	Row      PaymentRow // as it came
	NoticeID uuid.UUID  // that has its IUV; the zero UUID if there is none
	Err      error      // why: [flussi.ErrNotFound] for an unknown IUV, [ErrDiscrepancy] for one of several notices, [ErrAmount], [ErrPaidTwice], [ErrReversed], [ErrUnknownPaymentOutcome], [ErrNotPayable], a [*flussi.InvalidError]
	Reason   string     // why, in Italian
}

// Why a row does not match a notice, besides [flussi.ErrNotFound] and [ErrAmount].
var (
	// ErrPaidTwice: the notice was paid by something else already.
	ErrPaidTwice = sentinel.New("paid twice", "L'avviso risulta già pagato.", flussi.ErrState)
	// ErrReversed: the payment was reversed (revocato).
	ErrReversed = sentinel.New("payment reversed", "Il pagamento è stato revocato.", flussi.ErrState)
	// ErrUnknownPaymentOutcome: the outcome of the payment is not a code of pagoPA. Ask the bank or
	// the PSP whether it was paid.
	ErrUnknownPaymentOutcome = sentinel.New("payment outcome not known", "L'esito del pagamento non è fra quelli di pagoPA: chiedere alla banca o al PSP se è stato pagato.", flussi.ErrInvalid)
	// ErrNotPayable: the notice was cancelled or refunded, or its event is not Notificato.
	ErrNotPayable = sentinel.New("notice cannot be paid", "L'avviso non può essere pagato.", flussi.ErrState)
)

// Error describes the mismatch for programs and logs.
func (m *Mismatch) Error() string { return fmt.Sprintf("row %d: %v", m.Row.Number, m.Err) }

// Unwrap returns why.
func (m *Mismatch) Unwrap() error { return m.Err }

// Italian describes the mismatch for the operator.
func (m *Mismatch) Italian() string { return fmt.Sprintf("Riga %d: %s", m.Row.Number, m.Reason) }

// ApplySettlement matches the rows of PSP settlements to the notices of a school: what they show to
// be paid becomes Pagamento confermato. A payment that was not known before implies the steps to
// it. A row whose amount differs, whose IUV no notice has, or whose notice is paid already by
// another one, changes nothing but the notice's Discrepancy, and is in the report; so the same
// settlement can be applied twice. A payment that was reversed is in the report too, and changes
// only the Discrepancy of a notice that is paid. A row with an unknown outcome is in the report,
// and changes nothing. The time is proportional to the rows; the memory is that of one page of
// them.
//
// Reading the file is the caller's task, for example with package excel. An error in the sequence
// ends the call, with what was stored by then; apply it again once it is whole. So leave out rows
// of a file that cannot be read, and report them yourself. The sequence may not use the store.
//
// The actor is of the office, or a program with the role [flussi.System]; the [Authorizer] decides
// about both.
func (s *Service) ApplySettlement(ctx context.Context, by flussi.Actor, school string, rows iter.Seq2[PaymentRow, error]) (MatchReport, error) {
	return s.match(ctx, "apply settlement", by, school, rows, settlementSource)
}

// ApplyJournal matches the rows of the treasury journal (OIL) to the notices of a school, as
// [Service.ApplySettlement] does: what was paid through Pago In Rete becomes Pagamento
// riscontrato automaticamente. What the school noted as paid otherwise does not match by itself:
// see [Service.MatchMovement].
func (s *Service) ApplyJournal(ctx context.Context, by flussi.Actor, school string, rows iter.Seq2[PaymentRow, error]) (MatchReport, error) {
	return s.match(ctx, "apply journal", by, school, rows, journalSource)
}

// MatchSettlement matches a row of a settlement by hand to a notice that the user chose, though its
// IUV, or its amount, may be another. The proof says by whom, and another amount than was due
// remains noted as a Discrepancy that is resolved, unless something else is open.
func (s *Service) MatchSettlement(ctx context.Context, by flussi.Actor, id uuid.UUID, row PaymentRow) (Notice, error) {
	return s.matchByHand(ctx, "match settlement", by, id, row, settlementSource)
}

// MatchMovement matches a row of the treasury journal by hand to a notice that the user chose, as
// [Service.MatchSettlement] does. One that was paid through Pago In Rete becomes riscontrato
// automaticamente, as the guide calls it; one that was not, by exactly what is due, riscontrato
// manualmente, by way of Pagato manualmente, which is also recorded in Pago In Rete.
func (s *Service) MatchMovement(ctx context.Context, by flussi.Actor, id uuid.UUID, row PaymentRow) (Notice, error) {
	const op = "match movement"
	n, err := s.notice(ctx, by, id)
	if err == nil {
		err = row.check()
	}
	if err != nil {
		return Notice{}, noticeFailure(op, id, err)
	}
	proof := row.proof()
	switch n.State {
	case NoticeNotNotified, NoticeNotified:
		if n, err = s.PayNoticeManually(ctx, by, id, proof); err != nil {
			return n, noticeFailure(op, id, err)
		}
		fallthrough
	case NoticePaidManually:
		n, err = s.ReconcileNoticeManually(ctx, by, id, proof)
		return n, noticeFailure(op, id, err)
	}
	return s.matchByHand(ctx, op, by, id, row, journalSource)
}

// office refuses an actor who may not reconcile.
func (s *Service) office(ctx context.Context, by flussi.Actor, school string) error {
	if err := s.access.Admit(ctx, by, school); err != nil {
		return err
	}
	// The roles that may record a payment by hand may also apply files of them.
	n := Notice{State: NoticeNotified}
	if by.Has(flussi.System) {
		return nil
	}
	err := n.Fire(ctx, NoticePayManually, by)
	if errors.Is(err, fsm.ErrRole) { // which is not what was asked for
		var labels []string
		for _, role := range officeRoles() {
			labels = append(labels, role.Label())
		}
		return refuse(err, "%s", italian.Reserved("La riconciliazione", labels))
	}
	return err
}

func (s *Service) match(ctx context.Context, op string, by flussi.Actor, school string, rows iter.Seq2[PaymentRow, error], from source) (MatchReport, error) {
	if err := s.office(ctx, by, school); err != nil {
		return MatchReport{}, failure(op, err)
	}
	if rows == nil {
		rows = func(func(PaymentRow, error) bool) {}
	}
	m := &matching{Service: s, by: by, school: school, source: from, notified: map[uuid.UUID]bool{}}
	var err error
	for row, rowErr := range rows {
		if err = errors.Join(rowErr, ctx.Err()); err != nil {
			break
		}
		m.read++
		if row.Number == 0 {
			row.Number = m.read
		}
		if m.waiting = append(m.waiting, row); len(m.waiting) == MaxRemote {
			if err = m.page(ctx); err != nil {
				break
			}
		}
	}
	if err == nil {
		err = m.page(ctx)
	}
	return m.report, failure(op, err)
}

// count counts a row.
func (r *MatchReport) count(row PaymentRow, err error, notice uuid.UUID, known bool) {
	r.Rows++
	r.Amount += row.Amount
	switch {
	case err != nil:
		r.Unmatched++
		r.UnmatchedAmount += row.Amount
		reason := flussi.Explain(err)
		var own *flussi.Error
		if errors.As(err, &own) {
			err = own.Err
		}
		r.Mismatches = append(r.Mismatches, &Mismatch{Row: row, NoticeID: notice, Err: err, Reason: reason})
	case known:
		r.Known++
		r.KnownAmount += row.Amount
	default:
		r.Matched++
		r.MatchedAmount += row.Amount
	}
}

// add adds the report of more rows.
func (r *MatchReport) add(more MatchReport) {
	r.Rows, r.Matched, r.Known, r.Unmatched = r.Rows+more.Rows, r.Matched+more.Matched, r.Known+more.Known, r.Unmatched+more.Unmatched
	r.Amount += more.Amount
	r.MatchedAmount += more.MatchedAmount
	r.KnownAmount += more.KnownAmount
	r.UnmatchedAmount += more.UnmatchedAmount
	r.Mismatches = append(r.Mismatches, more.Mismatches[:min(len(more.Mismatches), maxNoticeErrors-len(r.Mismatches))]...)
}

func (s *Service) matchByHand(ctx context.Context, op string, by flussi.Actor, id uuid.UUID, row PaymentRow, from source) (Notice, error) {
	for tries := (core.Tries{}); ; {
		n, e, err := s.noticeAndEvent(ctx, by, id)
		if err == nil {
			err = s.office(ctx, by, n.School)
		}
		if err != nil {
			return Notice{}, noticeFailure(op, id, err)
		}
		change, known, err := from.match(n, row, e.State == EventNotified, by, by.ID)
		if known || err != nil {
			return n, noticeFailure(op, id, err)
		}
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
