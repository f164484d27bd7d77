package pagoinretetest

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
)

var gatewayReadRules = []gatewayRule{
	{"what is not there is not found", missingIsNotFound},
	{"Notices returns those that are there, once each", noticesAreRead},
	{"Notices returns as many as may be asked for", manyNoticesAreRead},
	{"Notices of none returns none", noNoticesAreRead},
}

var gatewayPaymentRules = []gatewayRule{
	{"a receipt that is not there is not found", missingReceiptsAreNotFound},
	{"a payer who has logged in makes a notice of an event that is Notificato notificato", payersAreSeen},
	{"a payment online is there with its evidence and its receipt", paymentsAreSeen},
	{"a notice that was paid online is refunded, and not cancelled or paid again", paidNoticesAreFixed},
	{"a notice whose payment is under way is not cancelled or paid otherwise", paymentsUnderWayAreFixed},
	{"a payment that came to nothing has a receipt that says so", failedPaymentsAreSeen},
}

func missingIsNotFound(p *gatewayProbe) {
	e, n := p.ready(pagoinrete.EventNotified)
	noEvent := func(id uuid.UUID, what string) {
		_, err := p.gateway.Event(p.Ctx, id)
		p.isOneOf("Event of "+what, err, flussi.ErrRemoteNotFound)
		p.refuses("MoveEvent of "+what, only(flussi.ErrRemoteNotFound), e.ID, []uuid.UUID{n.ID}, func() error {
			_, err := p.gateway.MoveEvent(p.Ctx, p.env.Assistant, id, pagoinrete.EventSubmit, flussi.Text{})
			return err
		})
	}
	noNotice := func(id uuid.UUID, what string) {
		_, err := readPDF(p.Ctx, p.gateway, id)
		p.isOneOf("NoticePDF of "+what, err, flussi.ErrRemoteNotFound)
		_, err = p.gateway.Receipt(p.Ctx, id)
		p.isOneOf("Receipt of "+what, err, flussi.ErrRemoteNotFound)
		p.refuses("MoveNotice of "+what, only(flussi.ErrRemoteNotFound), e.ID, []uuid.UUID{n.ID}, func() error {
			_, err := p.gateway.MoveNotice(p.Ctx, p.env.Assistant, id, pagoinrete.NoticeCancel, pagoinrete.Proof{})
			return err
		})
	}
	noEvent(uuid.New(), "an ID that nothing has")
	noEvent(n.ID, "the ID of a notice")
	noNotice(uuid.New(), "an ID that nothing has")
	noNotice(e.ID, "the ID of an event")
	open, _ := p.ready(pagoinrete.EventSimulated)
	orphan := p.newNotice(open)
	orphan.EventID = uuid.New()
	p.refusesPut("PutNotice of an event that is not there", only(flussi.ErrRemoteNotFound), p.env.Assistant, orphan, open.ID)
}

// reads checks what Notices returns of some IDs.
func (p *gatewayProbe) reads(what string, ids []uuid.UUID, want map[uuid.UUID]pagoinrete.RemoteNotice) {
	all, err := p.gateway.Notices(p.Ctx, ids)
	p.Must(err, "Notices, "+what)
	got := map[uuid.UUID]pagoinrete.RemoteNotice{}
	for _, n := range all {
		if _, twice := got[n.ID]; twice {
			p.Fail("Notices, %s: %s came twice", what, n.ID)
		}
		got[n.ID] = n
	}
	for id, n := range want {
		if there, found := got[id]; !found {
			p.Fail("Notices, %s: %s is missing", what, id)
		} else {
			p.Equal("Notices, "+what, there, n)
		}
	}
	if len(got) > len(want) {
		p.Fail("Notices, %s: want %d, got %d", what, len(want), len(got))
	}
}

func noticesAreRead(p *gatewayProbe) {
	put := map[uuid.UUID]pagoinrete.RemoteNotice{}
	var ids []uuid.UUID
	var event uuid.UUID
	for range 2 {
		e := p.newFee()
		p.putEvent(e)
		event = e.ID
		for range 3 {
			n := p.newNotice(e)
			put[n.ID] = p.putNotice(n)
			ids = append(ids, n.ID)
		}
	}
	p.reads("of two events", ids, put)
	some := map[uuid.UUID]pagoinrete.RemoteNotice{ids[4]: put[ids[4]], ids[1]: put[ids[1]]}
	p.reads("some of them, in another order", []uuid.UUID{ids[4], ids[1]}, some)
	p.reads("one of them again and again", []uuid.UUID{ids[1], ids[4], ids[1], ids[1]}, some)
	p.reads("with those that are not there", []uuid.UUID{uuid.New(), ids[1], event, ids[4], uuid.New()}, some)
	p.reads("of which none is there", []uuid.UUID{uuid.New(), event}, nil)
}

func manyNoticesAreRead(p *gatewayProbe) {
	e := p.newFee()
	p.putEvent(e)
	put := map[uuid.UUID]pagoinrete.RemoteNotice{}
	var ids []uuid.UUID
	for range pagoinrete.MaxNoticesPerCall {
		n := p.newNotice(e)
		put[n.ID] = p.putNotice(n)
		ids = append(ids, n.ID)
	}
	p.reads(fmt.Sprintf("%d of them", len(ids)), ids, put)
}

func noNoticesAreRead(p *gatewayProbe) {
	p.reads("none", nil, nil)
	p.reads("an empty list", []uuid.UUID{}, nil)
}

func missingReceiptsAreNotFound(p *gatewayProbe) {
	_, n := p.ready(pagoinrete.EventNotified)
	_, err := p.gateway.Receipt(p.Ctx, n.ID)
	p.isOneOf("Receipt of a notice that nobody paid", err, flussi.ErrRemoteNotFound)
	p.moveNotice(n, pagoinrete.NoticePayManually)
	_, err = p.gateway.Receipt(p.Ctx, n.ID)
	p.isOneOf("Receipt of a notice that was paid outside Pago In Rete", err, flussi.ErrRemoteNotFound)
}

func payersAreSeen(p *gatewayProbe) {
	p.needs("LogIn")
	p.logIn()
	e := p.newFee()
	p.putEvent(e)
	with, without := p.newNotice(e), p.newNotice(e)
	without.Payer = flussi.FiscalCode{}
	p.putNotice(with)
	p.putNotice(without)
	sees := func(when string, n pagoinrete.Notice, state pagoinrete.NoticeState, known bool) {
		there := p.notice(n.ID)
		if there.State != state || there.PayerRegistered != known || there.PayerLoggedIn != known {
			p.Fail("%s, whose payer has logged in: %t: it is %s, the payer is registered: %t, and has logged in: %t",
				when, known, there.State, there.PayerRegistered, there.PayerLoggedIn)
		}
	}
	sees("a notice of an event that is Simulato", with, pagoinrete.NoticeNotNotified, true)
	sees("a notice of an event that is Simulato", without, pagoinrete.NoticeNotNotified, false)
	for _, action := range []pagoinrete.EventAction{pagoinrete.EventSubmit, pagoinrete.EventApprove, pagoinrete.EventNotify} {
		p.move(e.ID, action)
	}
	sees("a notice of an event that is Notificato", with, pagoinrete.NoticeNotified, true)
	sees("a notice of an event that is Notificato", without, pagoinrete.NoticeNotNotified, false)
}

// paid returns an event and a notice of it that the hook does something with, such as to pay it.
func (p *gatewayProbe) paid(hook func(context.Context, uuid.UUID) error) (pagoinrete.Event, pagoinrete.Notice) {
	p.logIn()
	e, n := p.ready(pagoinrete.EventNotified)
	p.Must(hook(p.Ctx, n.ID), "the hook about a payment")
	return e, n
}

func paymentsAreSeen(p *gatewayProbe) {
	p.needs("LogIn", "Pay")
	p.logIn()
	e, large := p.newFee(), p.newLargeFee()
	first, second, third := p.newNotice(e), p.newNotice(e), p.newNotice(large)
	second.Instalment, second.Amount = 2, e.Instalments[1].Amount
	p.lead(pagoinrete.EventNotified, e, first, second)
	p.lead(pagoinrete.EventNotified, large, third)
	all := []pagoinrete.Notice{first, second, third}
	for _, n := range all {
		p.Must(p.env.Pay(p.Ctx, n.ID), "the hook Pay")
	}
	references := map[string]bool{}
	for _, n := range all {
		references[p.paymentIsSeen(n)] = true
	}
	p.is("how many references the receipts of different payments have", len(references), len(all))
}

// paymentIsSeen checks the evidence and the receipt of a notice that was paid online, and returns
// the reference of its receipt.
func (p *gatewayProbe) paymentIsSeen(n pagoinrete.Notice) string {
	there := p.notice(n.ID)
	p.is("a notice that was paid online", there.State, pagoinrete.NoticePaidOnline)
	proof := there.Evidence.Receipt
	p.Equal("the evidence of a notice that was paid online, but for its receipt", there.Evidence, pagoinrete.Evidence{Receipt: proof})
	receipt, err := p.gateway.Receipt(p.Ctx, n.ID)
	p.Must(err, "Receipt")
	p.is("the outcome of Receipt", receipt.Outcome, pagoinrete.ReceiptPaid)
	p.is("the reference in Receipt, which is that of the evidence", receipt.Reference, proof.Reference)
	if proof.Reference == "" {
		p.Fail("the evidence of a notice that was paid online has no reference")
	}
	p.is("the amount of the evidence", proof.Amount, n.Due())
	p.is("the amount of Receipt", receipt.Amount, n.Due())
	for _, date := range []time.Time{proof.Date, receipt.Date} {
		if date.IsZero() || date.Location() != time.UTC {
			p.Fail("the date of the evidence, or that of Receipt, is none, or not in UTC: %s", date)
		}
	}
	if !receipt.Date.Equal(proof.Date) {
		p.Fail("the date of Receipt is %s, that of the evidence %s", receipt.Date, proof.Date)
	}
	if receipt.PSP == "" {
		p.Fail("Receipt of a notice that was paid online has no PSP")
	}
	return receipt.Reference
}

func paidNoticesAreFixed(p *gatewayProbe) {
	p.needs("LogIn", "Pay")
	e, n := p.paid(p.env.Pay)
	for _, action := range []pagoinrete.NoticeAction{pagoinrete.NoticeCancel, pagoinrete.NoticePayManually} {
		p.refusesNotice(fmt.Sprintf("MoveNotice, %s of one that was paid online", action), flussi.ErrRemoteState, e, n, action, p.env.Assistant)
	}
	proof := p.proofFor(n, pagoinrete.NoticeRefund)
	p.movesTo(n, pagoinrete.NoticeRefund, proof, pagoinrete.NoticeRefunded,
		func(e *pagoinrete.Evidence) { e.Refund = proof })
}

func paymentsUnderWayAreFixed(p *gatewayProbe) {
	p.needs("LogIn", "StartPayment")
	e, n := p.paid(p.env.StartPayment)
	p.is("a notice whose payment is under way", p.notice(n.ID).State, pagoinrete.NoticeAwaitingReceipt)
	for _, action := range noticeSteps {
		p.refusesNotice(fmt.Sprintf("MoveNotice, %s while a payment is under way", action), flussi.ErrRemoteState, e, n, action, p.env.Assistant)
	}
}

func failedPaymentsAreSeen(p *gatewayProbe) {
	p.needs("LogIn", "StartPayment", "FailPayment")
	_, n := p.paid(p.env.StartPayment)
	p.Must(p.env.FailPayment(p.Ctx, n.ID), "the hook FailPayment")
	there := p.notice(n.ID)
	p.is("a notice whose payment came to nothing", there.State, pagoinrete.NoticeNotified)
	p.Equal("a notice whose payment came to nothing", there.Evidence, pagoinrete.Evidence{})
	receipt, err := p.gateway.Receipt(p.Ctx, n.ID)
	p.Must(err, "Receipt of a payment that came to nothing")
	p.is("the outcome of Receipt", receipt.Outcome, pagoinrete.ReceiptNotPaid)
	p.is("the amount of Receipt", receipt.Amount, flussi.Cents(0))
}
