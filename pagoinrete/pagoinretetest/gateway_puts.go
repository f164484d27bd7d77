package pagoinretetest

import (
	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
)

var gatewayPutRules = []gatewayRule{
	{"an event that is put is there, as Simulato", putEventsAreThere},
	{"an event that is put again is the same one", putEventsAreRecognised},
	{"an event that is put again has the new data", eventsAreReplaced},
	{"an event is not replaced in another state than Simulato or Rifiutato", eventsAreFixed},
	{"a notice that is put is there, as Non notificato, with a number", putNoticesAreThere},
	{"a notice that is put again is the same one", putNoticesAreRecognised},
	{"a notice that is put again has the new data", noticesAreReplaced},
	{"a notice is put with its transfers, which add up to what is due", putNoticesHaveTransfers},
	{"a notice is not put unless its event is Simulato or Rifiutato", noticesAreFixed},
	{"a notice that was cancelled is not put again", cancelledNoticesStay},
	{"no two notices have the same number", numbersAreUnique},
	{"what is put again is there once, by the records of the platform", nothingIsDoubled},
}

// isNew checks what the platform says of an event that was put just now.
func (p *gatewayProbe) isNew(e pagoinrete.Event, there pagoinrete.RemoteEvent) {
	p.Equal("PutEvent of a new event", there, pagoinrete.RemoteEvent{ID: e.ID, RemoteID: there.RemoteID, State: pagoinrete.EventSimulated})
	if there.RemoteID == "" {
		p.Fail("PutEvent of a new event: no RemoteID")
	}
}

func putEventsAreThere(p *gatewayProbe) {
	donation := p.newFee()
	donation.Kind, donation.Instalments = pagoinrete.Donation, nil
	e := p.newFee()
	first, second := p.putEvent(e), p.putEvent(donation)
	p.isNew(e, first)
	p.isNew(donation, second)
	p.Equal("Event", p.event(e.ID), first)
	p.Equal("Event of a donation", p.event(donation.ID), second)
	if first.RemoteID == second.RemoteID {
		p.Fail("two events have the RemoteID %s", first.RemoteID)
	}
}

func putEventsAreRecognised(p *gatewayProbe) {
	for _, state := range []pagoinrete.EventState{pagoinrete.EventSimulated, pagoinrete.EventRejected} {
		e, n := p.ready(state)
		before := p.look(e.ID, n.ID)
		for _, name := range []string{e.Name, "Visita a Siena"} {
			e.Name = name
			there := p.putEvent(e)
			p.is("PutEvent of one that is "+string(state), there.RemoteID, before.event.RemoteID)
			p.is("PutEvent of one that is "+string(state), there.State, state)
			p.unchanged("PutEvent of one that is "+string(state), before, p.look(e.ID, n.ID))
		}
	}
}

func eventsAreReplaced(p *gatewayProbe) {
	for _, state := range []pagoinrete.EventState{pagoinrete.EventSimulated, pagoinrete.EventRejected} {
		e, n := p.ready(state)
		third := p.newNotice(e)
		third.Instalment = 3
		p.refusesPut("PutNotice of an instalment that the event does not have", only(flussi.ErrRemoteInvalid), p.env.Assistant, third, e.ID, n.ID)
		last := e.Instalments[1]
		e.Instalments = []pagoinrete.Instalment{e.Instalments[0], {DueDate: last.DueDate, Amount: 1000}, {DueDate: last.DueDate.AddDate(0, 1, 0), Amount: 500}}
		p.putEvent(e)
		p.putNotice(third)
	}
}

// fixedStates are those in which an event and its notices are not transmitted any more.
var fixedStates = []pagoinrete.EventState{
	pagoinrete.EventToApprove, pagoinrete.EventToNotify, pagoinrete.EventNotified, pagoinrete.EventDeleted,
}

func eventsAreFixed(p *gatewayProbe) {
	for _, state := range fixedStates {
		e, n := p.ready(state)
		for _, name := range []string{e.Name, "Visita a Siena"} {
			e.Name = name
			p.refusesEvent("PutEvent of one that is "+string(state), flussi.ErrRemoteState, p.env.Assistant, e, n.ID)
		}
	}
}

func putNoticesAreThere(p *gatewayProbe) {
	e := p.newFee()
	p.putEvent(e)
	for _, kind := range []pagoinrete.DebtorKind{pagoinrete.DebtorPupil, pagoinrete.DebtorStaff} {
		n := p.newNotice(e)
		n.DebtorKind, n.Payer = kind, flussi.FiscalCode{}
		there := p.putNotice(n)
		if kind == pagoinrete.DebtorStaff { // who pays for themselves, and may be known
			there.PayerRegistered, there.PayerLoggedIn = false, false
		}
		p.Equal("PutNotice of a new notice", there, pagoinrete.RemoteNotice{
			ID: n.ID, RemoteID: there.RemoteID, Number: there.Number, State: pagoinrete.NoticeNotNotified,
		})
		if there.RemoteID == "" {
			p.Fail("PutNotice of a new notice: no RemoteID")
		}
		if there.Number.IsZero() || there.Number.Check() != nil {
			p.Fail("PutNotice of a new notice: no notice number, or one with the wrong check digits")
		}
		read := p.notice(n.ID)
		read.PayerRegistered, read.PayerLoggedIn = there.PayerRegistered, there.PayerLoggedIn
		p.Equal("Notices", read, there)
	}
}

func putNoticesAreRecognised(p *gatewayProbe) {
	for _, state := range []pagoinrete.EventState{pagoinrete.EventSimulated, pagoinrete.EventRejected} {
		e, n := p.ready(state)
		other := p.newNotice(e)
		p.putNotice(other)
		before := p.look(e.ID, n.ID, other.ID)
		for _, amount := range []flussi.Cents{n.Amount, 2800} {
			n.Amount = amount
			p.Equal("PutNotice again", p.putNotice(n), before.notices[n.ID])
			p.unchanged("PutNotice again", before, p.look(e.ID, n.ID, other.ID))
		}
	}
}

func noticesAreReplaced(p *gatewayProbe) {
	p.needs("LogIn", "Pay")
	p.logIn()
	e, n := p.ready(pagoinrete.EventSimulated)
	n.Payer = flussi.FiscalCode{}
	if p.putNotice(n).PayerLoggedIn {
		p.Fail("PutNotice again, without the payer: a payer is logged in")
	}
	n.Payer, n.Amount, n.Discount = p.env.Payer, 2800, 100
	if !p.putNotice(n).PayerLoggedIn {
		p.Fail("PutNotice again, with a payer who has logged in: none is")
	}
	for _, action := range []pagoinrete.EventAction{pagoinrete.EventSubmit, pagoinrete.EventApprove, pagoinrete.EventNotify} {
		p.move(e.ID, action)
	}
	p.Must(p.env.Pay(p.Ctx, n.ID), "the hook Pay")
	receipt, err := p.gateway.Receipt(p.Ctx, n.ID)
	p.Must(err, "Receipt")
	p.is("the amount of the receipt of a notice that was put again", receipt.Amount, n.Due())
}

// putNoticesHaveTransfers puts notices with right and with wrong transfers. The platform does not
// report transfers: that it refuses wrong ones shows that they arrive.
func putNoticesHaveTransfers(p *gatewayProbe) {
	town, err := flussi.ParseOrganizationCode("15376371009")
	p.Must(err, "flussi.ParseOrganizationCode")
	e, kept := p.ready(pagoinrete.EventSimulated)
	for _, n := range []pagoinrete.Notice{p.newNotice(e), kept} {
		most := n.Due() - pagoinrete.MaxTransfers + 1
		for _, transfers := range []pagoinrete.Transfers{
			{{Amount: n.Due()}},
			{{Amount: n.Due() - 1}, {Beneficiary: town, Amount: 1}},
			{{Beneficiary: town, Amount: 1}, {Amount: 1}, {Amount: 1}, {Amount: 1}, {Amount: most}},
			{},
		} {
			n.Transfers = transfers
			p.putNotice(n)
		}
		for _, amount := range []flussi.Cents{n.Due() - 2, n.Due()} {
			n.Transfers = pagoinrete.Transfers{{Amount: amount}, {Beneficiary: town, Amount: 1}}
			p.refusesPut("PutNotice with transfers of another sum", only(flussi.ErrRemoteInvalid), p.env.Assistant, n, e.ID, kept.ID)
		}
	}
}

func noticesAreFixed(p *gatewayProbe) {
	for _, state := range fixedStates {
		e, n := p.ready(state)
		for _, n := range []pagoinrete.Notice{n, p.newNotice(e)} {
			p.refusesPut("PutNotice of an event that is "+string(state), only(flussi.ErrRemoteState), p.env.Assistant, n, e.ID)
		}
	}
}

func cancelledNoticesStay(p *gatewayProbe) {
	e, n := p.ready(pagoinrete.EventSimulated)
	p.moveNotice(n, pagoinrete.NoticeCancel)
	p.refusesPut("PutNotice of one that was cancelled", only(flussi.ErrRemoteState), p.env.Assistant, n, e.ID)
}

func numbersAreUnique(p *gatewayProbe) {
	numbers, remoteIDs := map[flussi.NoticeNumber]bool{}, map[string]bool{}
	for range 3 {
		e := p.newFee()
		p.putEvent(e)
		for i := range 10 {
			n := p.newNotice(e)
			n.Instalment = 1 + i%2
			there := p.putNotice(n)
			if numbers[there.Number] {
				p.Fail("PutNotice gives a number that another notice has")
			}
			if remoteIDs[there.RemoteID] {
				p.Fail("PutNotice gives the RemoteID %s, which another notice has", there.RemoteID)
			}
			numbers[there.Number], remoteIDs[there.RemoteID] = true, true
		}
	}
}

// once checks that the platform has one event, or notice, with the ID.
func (p *gatewayProbe) once(what string, id uuid.UUID) {
	count, err := p.env.Count(p.Ctx, id)
	p.Must(err, "the hook Count")
	if count != 1 {
		p.Fail("%s is there %d times, not once", what, count)
	}
}

func nothingIsDoubled(p *gatewayProbe) {
	p.needs("Count")
	e, n := p.ready(pagoinrete.EventSimulated)
	for range 3 {
		p.putEvent(e)
		p.putNotice(n)
	}
	p.move(e.ID, pagoinrete.EventSubmit)
	p.move(e.ID, pagoinrete.EventReject)
	p.putEvent(e)
	p.putNotice(n)
	p.once("an event that was put again", e.ID)
	p.once("a notice that was put again", n.ID)
}
