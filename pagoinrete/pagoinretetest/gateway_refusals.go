package pagoinretetest

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
)

var gatewayRefusalRules = []gatewayRule{
	{"data that are not valid are refused, and change nothing", invalidDataAreRefused},
	{"a notice of a donation is refused", noticesOfDonationsAreRefused},
	{"an event or a notice of another school is refused", otherSchoolsDataAreRefused},
	{"a school neither reads nor changes what is another's", schoolsSeeTheirOwn},
	{"credentials that are not accepted are told apart from everything else", wrongCredentialsAreTold},
}

func invalidDataAreRefused(p *gatewayProbe) {
	kept, keptNotice := p.ready(pagoinrete.EventSimulated)
	for _, fault := range []struct {
		what  string
		spoil func(*pagoinrete.Event)
	}{
		{"without a name", func(e *pagoinrete.Event) { e.Name = "" }},
		{"with a name too long", func(e *pagoinrete.Event) { e.Name = strings.Repeat("x", pagoinrete.MaxName+1) }},
		{"without a causale", func(e *pagoinrete.Event) { e.Causale = "" }},
		{"with an account that is not", func(e *pagoinrete.Event) { e.Account = "IT00X0000000000000000000000" }},
		{"of another amount", func(e *pagoinrete.Event) { e.Amount++ }},
		{"without instalments", func(e *pagoinrete.Event) { e.Instalments = nil }},
	} {
		for _, e := range []pagoinrete.Event{p.newFee(), kept} {
			e.Instalments = append([]pagoinrete.Instalment(nil), e.Instalments...)
			fault.spoil(&e)
			p.refusesEvent("PutEvent "+fault.what, flussi.ErrRemoteInvalid, p.env.Assistant, e, keptNotice.ID)
		}
	}
	for _, fault := range []struct {
		what  string
		spoil func(*pagoinrete.Notice)
	}{
		{"without a debtor", func(n *pagoinrete.Notice) { n.Debtor = flussi.FiscalCode{} }},
		{"without an amount", func(n *pagoinrete.Notice) { n.Amount, n.Discount = 0, 0 }},
		{"with too large a discount", func(n *pagoinrete.Notice) { n.Discount = n.Amount }},
		{"without a due date", func(n *pagoinrete.Notice) { n.DueDate = time.Time{} }},
		{"of a third instalment", func(n *pagoinrete.Notice) { n.Instalment = 3 }},
	} {
		for _, n := range []pagoinrete.Notice{p.newNotice(kept), keptNotice} {
			fault.spoil(&n)
			p.refusesPut("PutNotice "+fault.what, only(flussi.ErrRemoteInvalid), p.env.Assistant, n, kept.ID, keptNotice.ID)
		}
	}
	notified, n := p.ready(pagoinrete.EventNotified)
	p.refuses("MoveNotice, a payment without a proof", only(flussi.ErrRemoteInvalid), notified.ID, []uuid.UUID{n.ID}, func() error {
		_, err := p.gateway.MoveNotice(p.Ctx, p.env.Assistant, n.ID, pagoinrete.NoticePayManually, pagoinrete.Proof{})
		return err
	})
}

func noticesOfDonationsAreRefused(p *gatewayProbe) {
	e := p.newFee()
	n := p.newNotice(e)
	e.Kind, e.Instalments = pagoinrete.Donation, e.Instalments[:0]
	p.putEvent(e)
	p.refusesPut("PutNotice of a donation", []error{flussi.ErrRemoteInvalid, flussi.ErrRemoteState}, p.env.Assistant, n, e.ID)
}

func otherSchoolsDataAreRefused(p *gatewayProbe) {
	e, n := p.ready(pagoinrete.EventSimulated)
	for _, e := range []pagoinrete.Event{p.newFee(), e} {
		e.School = "XXXX000000"
		p.refusesEvent("PutEvent of another school", flussi.ErrRemoteForbidden, p.env.Assistant, e, n.ID)
	}
	for _, n := range []pagoinrete.Notice{p.newNotice(e), n} {
		n.School = "XXXX000000"
		p.refusesPut("PutNotice of another school", only(flussi.ErrRemoteForbidden), p.env.Assistant, n, e.ID)
	}
}

func schoolsSeeTheirOwn(p *gatewayProbe) {
	p.needs("OtherGateway")
	e, n := p.ready(pagoinrete.EventSimulated)
	other := p.env.OtherGateway
	_, err := other.Event(p.Ctx, e.ID)
	p.isOneOf("Event of another school", err, flussi.ErrRemoteNotFound)
	all, err := other.Notices(p.Ctx, []uuid.UUID{n.ID})
	p.Must(err, "Notices of another school")
	p.is("how many Notices of another school there are", len(all), 0)
	_, err = readPDF(p.Ctx, other, n.ID)
	p.isOneOf("NoticePDF of another school", err, flussi.ErrRemoteNotFound)
	_, err = other.Receipt(p.Ctx, n.ID)
	p.isOneOf("Receipt of another school", err, flussi.ErrRemoteNotFound)
	missing := []error{flussi.ErrRemoteNotFound, flussi.ErrRemoteForbidden}
	p.refuses("MoveEvent of another school", missing, e.ID, []uuid.UUID{n.ID}, func() error {
		_, err := other.MoveEvent(p.Ctx, p.env.Assistant, e.ID, pagoinrete.EventSubmit, flussi.Text{})
		return err
	})
	p.refuses("MoveNotice of another school", missing, e.ID, []uuid.UUID{n.ID}, func() error {
		_, err := other.MoveNotice(p.Ctx, p.env.Assistant, n.ID, pagoinrete.NoticeCancel, pagoinrete.Proof{})
		return err
	})
}

func wrongCredentialsAreTold(p *gatewayProbe) {
	p.needs("Unauthorized")
	for _, c := range p.calls() {
		err := c.call(p.Ctx, p.env.Unauthorized)
		p.isOneOf(c.method+" with credentials that are not accepted", err, flussi.ErrUnauthorized)
		if c.done == nil {
			continue
		}
		p.is("the outcome of "+c.method+" with credentials that are not accepted", flussi.OutcomeOf(err), flussi.OutcomeRefused)
		if c.done() {
			p.Fail("%s with credentials that are not accepted was done", c.method)
		}
	}
}
