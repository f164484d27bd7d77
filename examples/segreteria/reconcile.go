package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// reconciliation applies two settlements of a PSP and the treasury journal. Not everything matches,
// and one movement is matched by hand.
func (d *demo) reconciliation(ctx context.Context) error {
	paid, err := d.all(ctx, pagoinrete.NoticeFilter{Event: d.trip, States: []pagoinrete.NoticeState{pagoinrete.NoticePaidOnline}})
	if err != nil {
		return err
	}
	first, second := payments(paid[:4]...), payments(append(paid[4:], paid[0])...)
	second[1].Amount -= 200 // two euros less than was due
	unknown := second[0]
	unknown.Reference, unknown.Amount = paymentfile.NewReference("01000000000099952"), 4_200
	second = append(second, unknown)
	for i, rows := range [][]paymentfile.Payment{first, second} {
		name := d.path(fmt.Sprintf("flusso-%d.xml", i+1))
		if err := writeSettlement(name, flowID(i+1), rows); err != nil {
			return err
		}
		applied, err := d.applyFile(ctx, assistant, name)
		if err != nil {
			return err
		}
		if err := d.showSettlement(applied.Settlement); err != nil {
			return err
		}
		if applied, err = d.applyFile(ctx, assistant, name); err != nil {
			return err
		}
		if applied.Unchanged {
			if err := d.say("Applicando il flusso un'altra volta, non cambia nulla.\n\n"); err != nil {
				return err
			}
		}
	}

	transfer := incoming("350", 10_000, "Bonifico per il viaggio, senza IUV") // nobody can tell whose it is
	journal := d.path("giornale.xml")
	if err := writeJournal(journal, incoming("311", total(first), "/PUR/LGPE-RIVERSAMENTO/URI/"+flowID(1)), transfer); err != nil {
		return err
	}
	applied, err := d.applyFile(ctx, director, journal)
	if err != nil {
		return err
	}
	report := applied.Journal
	if err := d.say("Giornale di cassa della tesoreria (OIL): %s per %s.\n", italian.Count(report.Entered.Number, "sospeso", "sospesi"), report.Entered.Amount.Euro()); err != nil {
		return err
	}
	return d.matchByHand(ctx, transfer)
}

// matchByHand notes that a movement without an IUV paid a notice.
func (d *demo) matchByHand(ctx context.Context, transfer paymentfile.Movement) error {
	n, err := d.noticeOf(ctx, byTransfer, 1)
	if err != nil {
		return err
	}
	proof := pagoinrete.Proof{Reference: "Sospeso " + transfer.DocumentNumber, Amount: transfer.Amount, Date: transfer.Date.Time()}
	if _, err := d.PayNoticeManually(ctx, director, n.ID, proof); err != nil {
		return err
	}
	if n, err = d.ReconcileNoticeManually(ctx, director, n.ID, proof); err != nil {
		return err
	}
	id := settlement.MovementID(schoolBody, treasuryBank, today().Year, treasuryAccount, transfer.DocumentNumber)
	m, err := d.files.MatchMovement(ctx, director, id, []settlement.ManualMatch{{}}, "Bonifico di una famiglia, riscontrato a mano.")
	if err != nil {
		return err
	}
	return d.say("Abbinamento a mano: il sospeso %s (%s) è il bonifico per %s, rata 1, ora «%s».\n", m.Number, m.State.Label(), pupils[byTransfer], n.State.Label())
}

// payments are rows that pay notices by what is due, each collected on its own.
func payments(notices ...pagoinrete.Notice) []paymentfile.Payment {
	rows := make([]paymentfile.Payment, len(notices))
	for i, n := range notices {
		rows[i] = paymentfile.Payment{
			Reference: paymentfile.NewReference(n.IUV().Reveal()), IUR: fmt.Sprintf("IUR-%s-%d", n.RemoteID, i), Index: 1, Amount: n.Due(), Date: today(),
		}
	}
	return rows
}

// incoming is a movement of the treasury journal as package paymentfile reads it.
func incoming(number string, amount flussi.Cents, causale string) paymentfile.Movement {
	return paymentfile.Movement{
		Account: "1", Direction: paymentfile.Incoming, Document: paymentfile.DocumentIncomingSuspense, Operation: paymentfile.OperationExecuted,
		DocumentNumber: number, Amount: amount, Date: today(), Causale: flussi.NewText(causale),
	}
}

func total(rows []paymentfile.Payment) flussi.Cents {
	var sum flussi.Cents
	for _, row := range rows {
		sum += row.Amount
	}
	return sum
}

func today() paymentfile.Day {
	now := time.Now()
	return paymentfile.Day{Year: now.Year(), Month: now.Month(), Day: now.Day()}
}

// showSettlement prints what came of a settlement, and the payments that a person has to look at.
func (d *demo) showSettlement(s settlement.Settlement) error {
	var b strings.Builder
	all := s.Counts.Total()
	fmt.Fprintf(&b, "Flusso di riversamento del PSP %s: %s per %s.\n", s.FlowID, italian.Row.Count(all.Number), all.Amount.Euro())
	for _, one := range []struct {
		state settlement.PaymentState
		tally settlement.Tally
	}{
		{settlement.PaymentExpected, s.Counts.Expected}, {settlement.PaymentAmountDiffers, s.Counts.AmountDiffers},
		{settlement.PaymentDuplicate, s.Counts.Duplicate}, {settlement.PaymentUnknown, s.Counts.Unknown},
	} {
		if one.tally.Number > 0 {
			fmt.Fprintf(&b, "- %s: %s per %s\n", one.state.Label(), italian.Row.Count(one.tally.Number), one.tally.Amount.Euro())
		}
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
