package settlementexcel

import (
	"context"
	"io"
	"iter"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// Sources are the rows of a report. A nil sequence has no rows. [SourcesOf] returns those of a
// service.
type Sources struct {
	Settlements iter.Seq2[settlement.Settlement, error]   // [settlement.Service.AllSettlements]
	Payments    iter.Seq2[settlement.PaymentLine, error]  // [settlement.Service.PaymentLines]
	Movements   iter.Seq2[settlement.MovementLine, error] // [settlement.Service.MovementLines]
	Allocations iter.Seq2[settlement.Allocation, error]   // [settlement.Service.Allocations]
}

// SourcesOf returns what matches the filter of a report, as the actor may see it. If purposes is
// nil, the report does not say what payments are for.
func SourcesOf(ctx context.Context, s *settlement.Service, by flussi.Actor, filter settlement.ReportFilter, purposes settlement.Purposes) Sources {
	return Sources{
		Settlements: s.AllSettlements(ctx, by, filter.Settlements),
		Payments:    s.PaymentLines(ctx, by, filter, purposes),
		Movements:   s.MovementLines(ctx, by, filter.Movements),
		Allocations: s.Allocations(ctx, by, filter.Movements, purposes),
	}
}

// exportHints are the hints in the guide of the report.
var exportHints = []string{
	"Il file serve per leggere, ordinare, filtrare e calcolare: le modifiche al file non cambiano gli abbinamenti.",
	"Il foglio «Riepilogo» somma le righe degli altri fogli.",
	"I codici restano testo: non cambiare il formato delle celle, altrimenti il foglio di calcolo perde cifre e zeri iniziali.",
}

// Export writes the report as a workbook. It reads the sequences one after the other, and the
// Riepilogo adds up the rows that they yielded. It returns the first error of a sequence as it is;
// for other errors see [excel.EncodeSheets].
func (t *Template) Export(ctx context.Context, w io.Writer, s Sources) error {
	var sums settlement.Summary
	book := excel.Book{Name: "Riconciliazione", Hints: exportHints,
		Intro: "I flussi di rendicontazione, i loro pagamenti e i movimenti di tesoreria, con i loro abbinamenti al momento dell'esportazione."}
	return excel.EncodeSheets(ctx, w, book,
		t.summary.Sheet(excel.Rows(sums.Lines())), // pulled last
		t.flows.Sheet(withEach(s.Settlements, sums.AddSettlement)),
		t.payments.Sheet(withEach(s.Payments, sums.AddPayment)),
		t.parts.Sheet(partsOf(withEach(s.Movements, func(l settlement.MovementLine) { sums.AddMovement(l.Movement) }))),
		t.allocations.Sheet(withEach(s.Allocations, func(settlement.Allocation) {})),
	)
}

// withEach yields the rows of a sequence, and calls a function for each. A nil sequence has no rows.
func withEach[T any](rows iter.Seq2[T, error], count func(T)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if rows == nil {
			return
		}
		for row, err := range rows {
			if err == nil {
				count(row)
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// movementPart is a part of a movement; -1: the movement has none.
type movementPart struct {
	settlement.MovementLine
	part int
}

// partsOf splits movements into their parts. A movement without parts is a row of its own.
func partsOf(movements iter.Seq2[settlement.MovementLine, error]) iter.Seq2[movementPart, error] {
	return func(yield func(movementPart, error) bool) {
		for line, err := range movements {
			if err != nil || len(line.Movement.Parts) == 0 {
				if !yield(movementPart{line, -1}, err) {
					return
				}
				continue
			}
			for i := range line.Movement.Parts {
				if !yield(movementPart{line, i}, nil) {
					return
				}
			}
		}
	}
}

// get returns the part; the zero Part if the movement has none.
func (p *movementPart) get() settlement.Part {
	if p.part < 0 {
		return settlement.Part{Amount: p.Movement.Amount}
	}
	return p.Movement.Parts[p.part]
}

// of returns the settlement to which the part belongs; the zero Settlement if it belongs to none.
func (p *movementPart) of() settlement.Settlement {
	if p.part < 0 {
		return settlement.Settlement{}
	}
	return p.Settlements[p.part]
}

// label names where the part belongs.
func (p *movementPart) label() string {
	if p.part < 0 {
		return p.Movement.State.Label()
	}
	return p.get().Kind.Label()
}

// reason returns why an operator decided about the part.
func (p *movementPart) reason() string {
	part := p.get()
	if part.By == "" {
		return ""
	}
	for _, h := range p.Movement.Decisions {
		if h.Settlement == part.Settlement && h.By == part.By {
			return h.Reason.Reveal()
		}
	}
	return ""
}
