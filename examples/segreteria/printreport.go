package main

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// maxListed is how many settlements and movements are listed.
const maxListed = 10

// print prints the sums and what has to be looked at, in at most 80 columns, or as many as the
// terminal has.
func (r *reconciliation) print(ctx context.Context) error {
	summary, err := r.service.Summary(ctx, assistant, settlement.ReportFilter{})
	if err != nil {
		return err
	}
	var b strings.Builder
	list, width := "", r.lineWidth()
	for line := range summary.Lines() {
		if line.Section != list {
			list = line.Section
			fmt.Fprintf(&b, "\n%s\n", columns(width, list, "Numero", "Importo"))
		}
		number := ""
		if line.Number > 0 || !line.IsTotal {
			number = italian.Number(line.Number)
		}
		label := line.Label
		if line.IsTotal {
			label = "  " + label
		}
		fmt.Fprintln(&b, columns(width, label, number, line.Amount.Euro()))
	}
	if err := r.say("%s", b.String()); err != nil {
		return err
	}
	if err := r.printNotices(ctx); err != nil {
		return err
	}
	if err := r.printReceipts(ctx); err != nil {
		return err
	}
	if err := r.printSettlements(ctx); err != nil {
		return err
	}
	return r.printMovements(ctx)
}

// maxLine is the width of the lines of the table at most.
const maxLine = 78

// lineWidth returns the width of the lines of the table.
func (s *screen) lineWidth() int {
	if s.width > 0 {
		return min(s.width, maxLine)
	}
	return maxLine
}

// columns are a line of the table, or two if the label and the numbers do not fit into one.
func columns(width int, label, number, amount string) string {
	pad := func(s string, width int) string {
		return strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s))) + s
	}
	numbers := pad(number, 10) + pad(amount, 22)
	if utf8.RuneCountInString(amount) > 21 || utf8.RuneCountInString(number) > 9 {
		numbers = number + " " + amount
	}
	if utf8.RuneCountInString(label)+1+utf8.RuneCountInString(strings.TrimLeft(numbers, " ")) > width {
		return label + "\n" + pad(numbers, width)
	}
	return label + pad(numbers, width-utf8.RuneCountInString(label))
}

// printSettlements lists settlements that the treasury does not have for their amount.
func (r *reconciliation) printSettlements(ctx context.Context) error {
	states := []settlement.SettlementState{settlement.SettlementOpen, settlement.SettlementPartlyCovered, settlement.SettlementExceeded, settlement.SettlementInconsistent}
	page, err := r.service.Settlements(ctx, assistant, settlement.SettlementFilter{States: states}, settlement.Page{Limit: maxListed, OldestFirst: true})
	if err != nil || len(page.Settlements) == 0 {
		return err
	}
	var b strings.Builder
	fmt.Fprint(&b, "\nFlussi da verificare\n")
	for _, e := range page.Settlements {
		fmt.Fprintf(&b, "- %s\n  %s: %s su %s\n", e.FlowID, e.State.Label(), e.Covered.Euro(), e.Total.Euro())
	}
	return r.say("%s%s", b.String(), more(page.Next))
}

// printMovements lists movements that belong to no settlement yet. It shows no causale: that is in
// the workbook.
func (r *reconciliation) printMovements(ctx context.Context) error {
	states := []settlement.MovementState{settlement.MovementWaiting, settlement.MovementAmbiguous, settlement.MovementSplit}
	page, err := r.service.Movements(ctx, assistant, settlement.MovementFilter{States: states}, settlement.Page{Limit: maxListed, OldestFirst: true})
	if err != nil || len(page.Movements) == 0 {
		return err
	}
	var b strings.Builder
	fmt.Fprint(&b, "\nMovimenti da verificare\n")
	for _, m := range page.Movements {
		fmt.Fprintf(&b, "- Sospeso %s del %s, %s: %s\n", m.Number, date(m.Date), m.Amount.Euro(), m.State.Label())
	}
	return r.say("%s%s", b.String(), more(page.Next))
}

// more says that a list has more, and where.
func more(next settlement.Cursor) string {
	if next.IsZero() {
		return ""
	}
	return "  … e altri, nel file di --report.\n"
}

// printNotices prints how many notices are in which state, and what they add up to.
func (r *reconciliation) printNotices(ctx context.Context) error {
	if r.due.notices == nil {
		return nil
	}
	in, open := map[pagoinrete.NoticeState]settlement.Tally{}, settlement.Tally{}
	for n, err := range r.due.notices.AllNotices(ctx, assistant, pagoinrete.NoticeFilter{Schools: []string{school}}) {
		if err != nil {
			return err
		}
		in[n.State] = settlement.Tally{Number: in[n.State].Number + 1, Amount: in[n.State].Amount + n.Due()}
		if n.Discrepancy.Open() {
			open = settlement.Tally{Number: open.Number + 1, Amount: open.Amount + n.Due()}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s\n", columns(r.lineWidth(), "Avvisi", "Numero", "Importo"))
	for _, s := range pagoinrete.NoticeMachine().States() {
		if tally := in[s.Name]; tally.Number > 0 {
			fmt.Fprintln(&b, columns(r.lineWidth(), s.Name.Labels().School, italian.Number(tally.Number), tally.Amount.Euro()))
		}
	}
	fmt.Fprintln(&b, columns(r.lineWidth(), "  Avvisi con una discrepanza da verificare", italian.Number(open.Number), open.Amount.Euro()))
	return r.say("%s", b.String())
}

// printReceipts says how many receipts were read, and which have no settlement.
func (r *reconciliation) printReceipts(ctx context.Context) error {
	if len(r.due.receipts) == 0 {
		return nil
	}
	var all, alone settlement.Tally
	for reference, amount := range r.due.receipts {
		all.Number, all.Amount = all.Number+1, all.Amount+amount
		page, err := r.service.Payments(ctx, assistant, settlement.PaymentFilter{References: []paymentfile.Reference{reference}}, settlement.Page{Limit: 1})
		if err != nil {
			return err
		}
		if len(page.Payments) == 0 {
			alone.Number, alone.Amount = alone.Number+1, alone.Amount+amount
		}
	}
	return r.say("\n%s\n%s\n%s\n", columns(r.lineWidth(), "Ricevute", "Numero", "Importo"), columns(r.lineWidth(), "Ricevuta senza flusso", italian.Number(alone.Number), alone.Amount.Euro()),
		columns(r.lineWidth(), "  Totale delle ricevute", italian.Number(all.Number), all.Amount.Euro()))
}
