package main

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// reconciliation matches what the payment provider and the treasury say to the notices. Not
// everything matches, and one movement is matched by hand.
func (d *demo) reconciliation(ctx context.Context) error {
	paid, err := d.all(ctx, pagoinrete.NoticeFilter{Event: d.trip, States: []pagoinrete.NoticeState{pagoinrete.NoticePaidOnline}})
	if err != nil {
		return err
	}
	unknown, err := flussi.ParseIUV("01000000000099952")
	if err != nil {
		return err
	}
	settlement := payments("FR-2026-0107", paid...)
	settlement[5].Amount -= 200 // two euros less than was due
	again := settlement[0]
	again.Reference = "FR-2026-0108"
	settlement = append(settlement, pagoinrete.PaymentRow{IUV: unknown, Amount: 4_200, Reference: again.Reference, Date: again.Date}, again)
	var files []paymentfile.Payment
	for _, row := range settlement {
		files = append(files, paymentfile.Payment{Reference: paymentfile.NewReference(row.IUV.Reveal()), Amount: row.Amount})
	}
	if err := d.writeFiles(files); err != nil {
		return err
	}
	report, err := d.ApplySettlement(ctx, assistant, school, sequence(settlement))
	if err != nil {
		return err
	}
	if err := d.showMatches("Flusso di riversamento del PSP", report); err != nil {
		return err
	}
	if report, err = d.ApplySettlement(ctx, assistant, school, sequence(settlement)); err != nil {
		return err
	}
	if err := d.say("Applicando il flusso un'altra volta, nessuna riga nuova. Righe già note: %d.\n\n", report.Known); err != nil {
		return err
	}

	journal := payments("MOV-311", paid[:4]...)
	transfer := pagoinrete.PaymentRow{IUV: unknown, Amount: 10_000, Reference: "MOV-350", Date: journal[0].Date} // the family typed another IUV
	if report, err = d.ApplyJournal(ctx, director, school, sequence(append(journal, transfer))); err != nil {
		return err
	}
	if err := d.showMatches("Giornale di cassa della tesoreria (OIL)", report); err != nil {
		return err
	}
	n, err := d.noticeOf(ctx, byTransfer, 1)
	if err != nil {
		return err
	}
	if n, err = d.MatchMovement(ctx, director, n.ID, transfer); err != nil {
		return err
	}
	return d.say("Abbinamento a mano: il movimento %s è il bonifico per %s, rata 1, ora «%s».\n", transfer.Reference, pupils[byTransfer], n.State.Label())
}

// payments are rows that pay notices by what is due.
func payments(reference string, notices ...pagoinrete.Notice) []pagoinrete.PaymentRow {
	rows := make([]pagoinrete.PaymentRow, len(notices))
	for i, n := range notices {
		rows[i] = pagoinrete.PaymentRow{IUV: n.IUV(), Amount: n.Due(), Reference: reference, Date: time.Now().UTC()}
	}
	return rows
}

// sequence gives rows as a file would.
func sequence(rows []pagoinrete.PaymentRow) iter.Seq2[pagoinrete.PaymentRow, error] {
	return func(yield func(pagoinrete.PaymentRow, error) bool) {
		for row := range slices.Values(rows) {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// showMatches prints what came of rows, and those that a person has to look at.
func (d *demo) showMatches(source string, r pagoinrete.MatchReport) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s per %s.\n", source, italian.Row.Count(r.Rows), r.Amount.Euro())
	fmt.Fprintf(&b, "Righe abbinate: %s per %s. Righe da verificare: %s per %s.\n", italian.Number(r.Matched), r.MatchedAmount.Euro(), italian.Number(r.Unmatched), r.UnmatchedAmount.Euro())
	for _, m := range r.Mismatches {
		fmt.Fprintf(&b, "- %s\n", m.Italian())
	}
	return d.say("%s", b.String())
}

// withdrawal plays a pupil who does not go on the trip: what is not paid is cancelled, what is
// paid is given back.
func (d *demo) withdrawal(ctx context.Context) error {
	second, err := d.noticeOf(ctx, withdraws, 2)
	if err != nil {
		return err
	}
	if second, err = d.CancelNotice(ctx, assistant, second.ID, flussi.NewText("L'alunna non partecipa al viaggio.")); err != nil {
		return err
	}
	first, err := d.noticeOf(ctx, withdraws, 1)
	if err != nil {
		return err
	}
	order := pagoinrete.Proof{Reference: "MANDATO-88", Amount: first.Due(), Date: time.Now().UTC()}
	if first, err = d.RefundNotice(ctx, director, first.ID, order); err != nil {
		return err
	}
	return d.say("%s: la rata 1 è «%s» con il mandato %s, la rata 2 è «%s».\n", pupils[withdraws], first.State.Label(), order.Reference, second.State.Label())
}
