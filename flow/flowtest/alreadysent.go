package flowtest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/storetest"
)

var alreadySentRules = []rule{
	{"a claim makes a notification Errore if another one may have brought its message", claimsSkip},
	{"a claim takes a notification if no other one may have brought its message", claimsTakeWhatDidNotArrive},
	{"a claim returns, records and counts what was sent already", skippedAreRecorded},
	{"a notification that was sent already counts toward the limit of a claim", skippedCountTowardTheLimit},
	{"of two with one message in a claim, the first is taken", claimsTakeTheFirst},
	{"a claim takes a notification that may be repeated", claimsRepeat},
}

// arrival is a way in which a message may have arrived.
type arrival struct {
	why string
	set func(n *flow.Notification)
}

// place is a flow, or none, that a notification belongs to.
type place struct {
	name string
	of   uuid.UUID
}

// arrivals make a notification keep others with its message from becoming In invio.
func (p *probe) arrivals() []arrival {
	sent := func(n *flow.Notification) {
		n.State, n.Transmission.SentAt = flow.NotificationSent, p.SomeTime()
	}
	unknown := func(n *flow.Notification) {
		n.State, n.Transmission.ErrorCode = flow.NotificationFailed, flow.CodeOutcomeUnknown
	}
	return []arrival{
		{"In invio", func(n *flow.Notification) { n.State = flow.NotificationSending }},
		{"Inviato", sent},
		{"Inviato, without a time", func(n *flow.Notification) { n.State = flow.NotificationSent }},
		{"Inviato and disabled", func(n *flow.Notification) { sent(n); n.Disabled = true }},
		{"in Errore with an unknown outcome", unknown},
		{"in Errore with an unknown outcome, and disabled", func(n *flow.Notification) {
			unknown(n)
			n.Transmission.SentAt, n.Disabled = p.SomeTime(), true
		}},
	}
}

// harmless make a notification keep no other from becoming In invio.
func (p *probe) harmless() []arrival {
	all := []arrival{
		{"Registrato", func(n *flow.Notification) { n.State = flow.NotificationRegistered }},
		{"Registrato and disabled", func(n *flow.Notification) { n.State, n.Disabled = flow.NotificationRegistered, true }},
		{"in an unknown state", func(n *flow.Notification) { n.State = "sospesa" }},
	}
	for _, code := range []flow.ErrorCode{
		flow.CodeRefused, flow.CodeNotPermitted, flow.CodeUnreachable, flow.CodeNotSent, flow.CodeAlreadySent, flow.CodeInvalid, "blocco_notturno", "",
	} {
		all = append(all, arrival{fmt.Sprintf("in Errore with the code %q", code), func(n *flow.Notification) {
			n.State, n.Transmission.ErrorCode = flow.NotificationFailed, code
		}})
	}
	for _, a := range p.arrivals() {
		all = append(all, arrival{a.why + ", and anonymised", func(n *flow.Notification) {
			a.set(n)
			n.AnonymisedAt = p.SomeTime()
		}})
		all = append(all, arrival{a.why + ", and anonymised, without a text", func(n *flow.Notification) {
			a.set(n)
			n.Draft, n.AnonymisedAt = flow.Draft{}, p.SomeTime()
		}})
	}
	sent := func(n *flow.Notification) { n.State = flow.NotificationSent }
	return append(all,
		arrival{"Inviato of another service", func(n *flow.Notification) { sent(n); n.Service = "scuola" }},
		arrival{"Inviato to another citizen", func(n *flow.Notification) { sent(n); n.Recipient = p.FiscalCode() }},
		arrival{"Inviato with another subject", func(n *flow.Notification) { sent(n); n.Subject = flussi.NewText("Sollecito") }},
		arrival{"Inviato with another content", func(n *flow.Notification) { sent(n); n.Content = flussi.NewText("Un'altra rata") }},
		arrival{"Inviato with another notice number", func(n *flow.Notification) { sent(n); n.NoticeNumber = p.NoticeNumber() }},
		arrival{"Inviato with another amount", func(n *flow.Notification) { sent(n); n.Amount++ }},
		arrival{"Inviato with another due date", func(n *flow.Notification) { sent(n); n.DueDate = p.SomeTime() }},
		arrival{"Inviato with another button", func(n *flow.Notification) { sent(n); n.Options.Button1.Link = flussi.NewText("https://example.com") }},
		arrival{"Inviato with another remote content", func(n *flow.Notification) { sent(n); n.Options.Remote.ID = "DOC-2" }},
		arrival{"Inviato with another occasion", func(n *flow.Notification) { sent(n); n.Occasion = "sollecito marzo" }},
	)
}

// twin returns a new notification with the message of another one, of a flow or none.
func (p *probe) twin(n flow.Notification, of uuid.UUID) flow.Notification {
	twin := p.newNotification(of)
	twin.Service, twin.Draft = n.Service, n.Draft
	return twin
}

// skips checks that a claim finds one notification, and makes it Errore because of one of others.
func (p *probe) skips(what string, n flow.Notification, because ...flow.Notification) {
	want := p.flows.One(n.FlowID)
	want.Counts.Registered--
	want.Counts.Failed++
	claim, got, claimed := p.claimsExactly("of one "+what, n.FlowID, 10, long, n)
	p.isSkipped(what, claimed[0], n, claim, because...)
	p.Equal("the flow of a Claim of one "+what, got, want)
	p.flows.IsRead("after a Claim of one "+what, want)
}

// isSkipped checks a notification that a claim made Errore because of one of others.
func (p *probe) isSkipped(what string, got, before flow.Notification, claim flow.Claim, because ...flow.Notification) {
	i := slices.Index(ids(because), got.Transmission.EarlierID)
	if got.State != flow.NotificationFailed || i < 0 {
		p.Fail("Claim of one %s: want it in Errore because of %v, got the state %q and Transmission.EarlierID %v",
			what, ids(because), got.State, got.Transmission.EarlierID)
		return
	}
	change := before.SkipAlreadySent(because[i], claim.At, claim.By)
	want := change.Notification
	want.Version++
	p.Equal("Claim of one "+what, got, want)
	p.notifications.IsRead("after a Claim of one "+what, want)
	records := p.notifications.Records(before.ID)
	if len(records) == 0 {
		p.Fail("one that was claimed, %s, has no records", what)
		return
	}
	change.Record.Version = want.Version
	p.Equal("the last record of one "+what, records[len(records)-1], storetest.As[storetest.Record](change.Record))
}

func claimsSkip(p *probe) {
	f, other := p.saveFlow(p.sendingFlow()), p.saveFlow(p.newFlow())
	for _, a := range p.arrivals() {
		for _, place := range []place{{"the flow", f.ID}, {"another flow", other.ID}, {"no flow", uuid.Nil}} {
			earlier := p.newNotification(place.of)
			a.set(&earlier)
			earlier = p.save(earlier)
			n := p.save(p.twin(earlier, f.ID))
			p.skips(fmt.Sprintf("whose message another one of %s has, which is %s", place.name, a.why), n, earlier)
		}
	}
	// The texts differ only in what Digest ignores.
	earlier := p.newNotification(uuid.Nil)
	earlier.Subject, earlier.Occasion, earlier.State = flussi.NewText("Così è"), "Sollecito", flow.NotificationSent
	earlier = p.save(earlier)
	n := p.twin(earlier, f.ID)
	n.Subject = flussi.NewText(" Cosi\u0300  e\u0300\u200b ")
	n.Occasion = strings.ToUpper(n.Occasion)
	n.Reference, n.Payee = "another", p.OrganizationCode()
	p.skips("whose message another one has, with other blanks and invisible characters", p.save(n), earlier)
	// A change of the options alone makes another message of what is stored.
	edited := p.newNotification(uuid.Nil)
	edited.State = flow.NotificationSent
	edited = p.save(edited)
	edited.Options.Button1.Link = flussi.NewText("https://example.com/2")
	edited = p.save(edited)
	p.skips("whose message another one has since its button was changed", p.save(p.twin(edited, f.ID)), edited)
}

func claimsTakeWhatDidNotArrive(p *probe) {
	f, other := p.saveFlow(p.sendingFlow()), p.saveFlow(p.newFlow())
	for _, h := range p.harmless() {
		for _, place := range []place{{"another flow", other.ID}, {"no flow", uuid.Nil}} {
			n := p.newNotification(f.ID)
			earlier := p.twin(n, place.of)
			h.set(&earlier)
			p.saveAll(earlier, n)
			what := fmt.Sprintf("one whose message one of %s has, which is %s", place.name, h.why)
			p.takes("Claim of "+what, f.ID, 10, []flow.Notification{n})
			p.isSending(what, n.ID)
		}
	}
	// A notification does not block itself.
	n := p.save(p.newNotification(f.ID))
	for _, code := range []flow.ErrorCode{flow.CodeOutcomeUnknown, flow.CodeRefused, ""} {
		_, claimed := p.claim(f.ID, 10, long)
		if len(claimed) != 1 {
			p.Fail("Claim of one that was In invio before: got %d", len(claimed))
			return
		}
		n = claimed[0]
		p.isSending("one that was In invio before", n.ID)
		if code != "" {
			n.State, n.Transmission.ErrorCode = flow.NotificationFailed, code
			n = p.save(n)
		}
		n.State, n.Transmission.ErrorCode = flow.NotificationRegistered, ""
		n = p.save(n)
	}
	p.claim(f.ID, 10, long)
	// Without a recipient there is no message.
	blank := p.newNotifications(f.ID, 2)
	blank[0].Draft, blank[1].Draft = flow.Draft{}, flow.Draft{}
	p.saveAll(blank...)
	p.takes("Claim of two without a recipient", f.ID, 10, blank)
	p.isSending("one without a recipient", blank[0].ID)
	p.isSending("another one without a recipient", blank[1].ID)
}

// isSending checks that a notification was claimed.
func (p *probe) isSending(what string, id uuid.UUID) {
	if n := p.notifications.One(id); n.State != flow.NotificationSending || n.Transmission.EarlierID != uuid.Nil {
		p.Fail("%s: want it In invio, got the state %q with the error %q", what, n.State, n.Transmission.Error)
	}
}

func skippedAreRecorded(p *probe) {
	f := p.saveFlow(p.sendingFlow())
	full := p.fullNotification(f.ID)
	full.State, full.Disabled, full.AllowDuplicate, full.AnonymisedAt = flow.NotificationRegistered, false, false, time.Time{}
	full.Transmission.ErrorCode, full.CreatedAt = "", p.Now()
	earlier := p.twin(full, uuid.Nil)
	earlier.State = flow.NotificationSending
	p.saveAll(earlier, full)
	earlier.Version++
	full.Version++
	free := p.save(p.newNotification(f.ID))
	claim, got, claimed := p.claimsExactly("of one that was sent already, and one that was not", f.ID, 10, short, full, free)
	f.Counts = flow.Counts{Sending: 1, Failed: 1}
	p.Equal("the flow of a Claim of one that was sent already, and one that was not", got, f)
	p.flows.IsRead("after a Claim of one that was sent already, and one that was not", f)
	p.isSkipped("that was sent already", claimed[0], full, claim, earlier)
	p.hasNotificationRecords(full.ID, notificationChange(withVersion(full, 0)).Record, full.SkipAlreadySent(earlier, claim.At, claim.By).Record)
	p.isSending("one that was not sent", free.ID)
	p.eventually("Expired gives the one that was claimed", func() bool { return p.isExpired(free.ID) })
	if p.isExpired(full.ID) {
		p.Fail("Expired gives one that was sent already")
	}
	p.notifications.IsRead("that keeps a claim from taking another one", earlier)
	p.takes("Claim when one was found sent already", f.ID, 10, nil)
}

// withVersion returns a notification as if it had another version.
func withVersion(n flow.Notification, version int64) flow.Notification {
	n.Version = version
	return n
}

func skippedCountTowardTheLimit(p *probe) {
	f := p.saveFlow(p.sendingFlow())
	all := p.newNotifications(f.ID, 7)
	for _, i := range []int{0, 1, 2, 4} {
		earlier := p.twin(all[i], uuid.Nil)
		earlier.State = flow.NotificationSent
		p.saveAll(earlier)
	}
	p.saveAll(all...)
	p.takes("Claim with the limit 2, of which both were sent already", f.ID, 2, all[:2])
	p.takes("Claim with the limit 2, of which the first was sent already", f.ID, 2, all[2:4])
	p.HasCounts("after two claims of 2, in which 3 were sent already", f.ID, flow.Counts{Registered: 3, Sending: 1, Failed: 3})
	p.takes("Claim with the limit 10, of which the first was sent already", f.ID, 10, all[4:])
	p.HasCounts("after a claim of all", f.ID, flow.Counts{Sending: 3, Failed: 4})
}

func claimsTakeTheFirst(p *probe) {
	for _, between := range []int{0, 1, 40} {
		f := p.saveFlow(p.sendingFlow())
		first := p.newNotification(f.ID)
		all := append([]flow.Notification{first}, p.newNotifications(f.ID, between)...)
		all = append(all, p.twin(first, f.ID), p.twin(first, f.ID))
		p.saveAll(all...)
		claim, got, claimed := p.claimsExactly("of some, three of which have one message", f.ID, 100, long, all...)
		p.Equal("the counts of Claim", got.Counts, flow.Counts{Sending: 1 + between, Failed: 2})
		p.isSending("the first of three with one message", first.ID)
		for i, n := range all[1+between:] {
			p.isSkipped("whose message the first of the claim has", claimed[1+between+i], withVersion(n, 1), claim, p.notifications.One(first.ID))
		}
	}
}

func claimsRepeat(p *probe) {
	f := p.saveFlow(p.sendingFlow())
	for _, a := range p.arrivals() {
		earlier := p.newNotification(uuid.Nil)
		a.set(&earlier)
		p.saveAll(earlier)
		n := p.twin(earlier, f.ID)
		n.AllowDuplicate = true
		p.saveAll(n)
		_, claimed := p.claim(f.ID, 10, long)
		what := "one that may be repeated, and whose message one has that is " + a.why
		if len(claimed) != 1 {
			p.Fail("Claim of %s: got %d", what, len(claimed))
			continue
		}
		if p.isSending(what, n.ID); !claimed[0].AllowDuplicate {
			p.Fail("Claim of %s clears AllowDuplicate", what)
		}
	}
	// A notification that may be repeated blocks others once it is sent.
	first := p.newNotification(f.ID)
	first.AllowDuplicate = true
	first = p.save(first)
	p.takes("Claim of one that may be repeated, and was never sent", f.ID, 10, []flow.Notification{first})
	p.skips("whose message one has that may be repeated", p.save(p.twin(first, f.ID)), p.notifications.One(first.ID))
}
