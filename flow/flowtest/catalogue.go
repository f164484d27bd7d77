package flowtest

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/flow"
)

// texts are subjects and notes that are looked for.
var texts = []string{
	"", "Avviso TARI", "Mensa scolastica: è ora di iscriversi", "MENSA SCOLASTICA: È SCADUTO IL TERMINE",
	"Perché non paghi?", "Sconto del 10% sulla TARI", "Sconto del 100 euro", "file_2026.pdf", "file-2026.pdf", `C:\mensa`,
}

// minutes are what entities are created in: few, so that several are of the same.
const minutes = 15

func (p *probe) someMinute() time.Time {
	return time.Date(2026, time.May, 4, 10, p.random.IntN(minutes), 0, 1000, time.UTC)
}

// flowCatalogue stores flows that are all different, though not in everything.
func (p *probe) flowCatalogue() catalogue[flow.Flow, flow.FlowFilter] {
	all := make([]flow.Flow, 60)
	for i := range all {
		f := p.newFlow()
		f.Service = oneOf(p, "tributi", "scuola", "anagrafe")
		f.State = oneOf(p, flow.FlowInactive, flow.FlowActive, flow.FlowSending, flow.FlowSent, flow.FlowIncomplete, "archiviato")
		f.Details = flow.Details{
			Note: flussi.NewText(oneOf(p, texts...)), AppContext: oneOf(p, "", "protocollo", "Protocollo"), AppKey: oneOf(p, "", "2026/1", "2026/12"),
		}
		f.Error = oneOf(p, "", "Invio fermato.")
		f.Disabled = p.random.IntN(4) == 0
		f.CreatedAt, f.UpdatedAt = p.someMinute(), p.someMinute()
		f.UpdatedBy = oneOf(p, "m.neri", "M.Neri", "a.verdi")
		all[i] = p.saveFlow(f)
		n := p.newNotification(f.ID)
		p.saveAll(n)
		all[i].Counts = flow.Counts{Registered: 1}
	}
	return catalogue[flow.Flow, flow.FlowFilter]{"Flows", all, flow.FlowFilter.Match, p.flows}
}

var flowCriteria = []criterion[flow.Flow, flow.FlowFilter]{
	{"IDs", func(p *probe, q *flow.FlowFilter, f flow.Flow) { q.IDs = several(p, f.ID) }},
	{"IDs, an empty list", func(p *probe, q *flow.FlowFilter, f flow.Flow) { q.IDs = []uuid.UUID{} }},
	{"Services", func(p *probe, q *flow.FlowFilter, f flow.Flow) { q.Services = []string{f.Service} }},
	{"Services, several", func(p *probe, q *flow.FlowFilter, f flow.Flow) { q.Services = []string{f.Service, "altro", "tributi"} }},
	{"States", func(p *probe, q *flow.FlowFilter, f flow.Flow) { q.States = []flow.FlowState{f.State} }},
	{"States, several", func(p *probe, q *flow.FlowFilter, f flow.Flow) {
		q.States = []flow.FlowState{f.State, flow.FlowActive, flow.FlowSent}
	}},
	{"Text", func(p *probe, q *flow.FlowFilter, f flow.Flow) { q.Text = part(p, f.Note.Reveal()) }},
	{"User", func(p *probe, q *flow.FlowFilter, f flow.Flow) { q.User = f.UpdatedBy }},
	{"From", func(p *probe, q *flow.FlowFilter, f flow.Flow) { q.From = f.CreatedAt }},
	{"ChangedFrom", func(p *probe, q *flow.FlowFilter, f flow.Flow) { q.ChangedFrom = f.UpdatedAt }},
	{"ChangedTo", func(p *probe, q *flow.FlowFilter, f flow.Flow) { q.ChangedTo = f.UpdatedAt }},
	{"To", func(p *probe, q *flow.FlowFilter, f flow.Flow) { q.To = f.CreatedAt }},
	{"From and To, in another zone", func(p *probe, q *flow.FlowFilter, f flow.Flow) {
		q.From, q.To = around(p, f.CreatedAt)
	}},
	{"AppContext", func(p *probe, q *flow.FlowFilter, f flow.Flow) { q.AppContext = f.AppContext }},
	{"AppKey", func(p *probe, q *flow.FlowFilter, f flow.Flow) { q.AppKey = f.AppKey }},
	{"Disabled", func(p *probe, q *flow.FlowFilter, f flow.Flow) {
		q.Disabled = oneOf(p, flow.OnlyEnabled, flow.OnlyDisabled)
	}},
}

// around returns times from which and to which entities were created, of which one is.
func around(p *probe, t time.Time) (from, to time.Time) {
	rome := time.FixedZone("CEST", 2*60*60)
	return t.Add(-time.Duration(p.random.IntN(minutes)) * time.Minute).In(rome), t.Add(oneOf(p, time.Microsecond, 3*time.Minute)).In(rome)
}

// notificationCatalogue stores notifications that are all different, though not in
// everything: of three flows and of none, some anonymised, some the same message for the
// same citizen.
func (p *probe) notificationCatalogue() catalogue[flow.Notification, flow.NotificationFilter] {
	flows := []uuid.UUID{p.saveFlow(p.newFlow()).ID, p.saveFlow(p.newFlow()).ID, p.saveFlow(p.newFlow()).ID, uuid.Nil}
	all := make([]flow.Notification, 80)
	for i := range all {
		n := p.fullNotification(oneOf(p, flows...))
		n.Service = oneOf(p, "tributi", "scuola", "anagrafe")
		n.State = oneOf(p, flow.NotificationRegistered, flow.NotificationSending, flow.NotificationSent, flow.NotificationSent,
			flow.NotificationFailed, flow.NotificationFailed, "sospesa")
		n.Subject = flussi.NewText(oneOf(p, texts...))
		n.Reference = oneOf(p, "", "2026/1", "2026/12")
		n.IsPayment, n.PayableAfterDue, n.Disabled = oneOf(p, true, false), oneOf(p, true, false), p.random.IntN(4) == 0
		if p.random.IntN(2) == 0 {
			n.NoticeNumber, n.Payee, n.Amount = flussi.NoticeNumber{}, flussi.OrganizationCode{}, 0
		}
		n.Transmission.SentAt, n.AnonymisedAt = p.someMinute(), time.Time{}
		n.Transmission.ErrorCode = ""
		if n.State == flow.NotificationFailed {
			n.Transmission.ErrorCode = oneOf(p, flow.ErrorRefused, flow.ErrorOutcomeUnknown, flow.ErrorInvalid, "blocco_notturno")
		}
		if p.random.IntN(3) == 0 {
			n.Transmission.MessageID = ""
		}
		n.Delivery.Status = oneOf(p, "", appio.StatusAccepted, appio.StatusThrottled, appio.StatusProcessed, appio.StatusFailed, appio.StatusRejected, "QUEUED")
		n.CreatedAt, n.UpdatedAt = p.someMinute(), p.someMinute()
		n.UpdatedBy = oneOf(p, "m.neri", "M.Neri", "a.verdi", "dispatcher")
		switch {
		case i > 0 && p.random.IntN(5) == 0: // the same again
			n.Draft = all[p.random.IntN(i)].Draft
		case p.random.IntN(5) == 0:
			n.Draft, n.AnonymisedAt = flow.Draft{Reference: n.Reference, Amount: n.Amount, IsPayment: n.IsPayment}, p.someMinute()
		}
		all[i] = p.save(n)
	}
	return catalogue[flow.Notification, flow.NotificationFilter]{"Notifications", all, flow.NotificationFilter.Match, p.notifications}
}

type (
	notificationFilter    = flow.NotificationFilter
	notificationCriterion = criterion[flow.Notification, flow.NotificationFilter]
)

var notificationCriteria = []notificationCriterion{
	{"IDs", func(p *probe, q *notificationFilter, n flow.Notification) { q.IDs = several(p, n.ID) }},
	{"IDs, an empty list", func(p *probe, q *notificationFilter, n flow.Notification) { q.IDs = []uuid.UUID{} }},
	{"Flow", func(p *probe, q *notificationFilter, n flow.Notification) { q.Flow = n.FlowID }},
	{"Flow, one that is not there", func(p *probe, q *notificationFilter, n flow.Notification) { q.Flow = p.id() }},
	{"Standalone", func(p *probe, q *notificationFilter, n flow.Notification) { q.Standalone = true }},
	{"Services", func(p *probe, q *notificationFilter, n flow.Notification) { q.Services = []string{n.Service} }},
	{"Services, several", func(p *probe, q *notificationFilter, n flow.Notification) {
		q.Services = []string{n.Service, "altro", "tributi"}
	}},
	{"States", func(p *probe, q *notificationFilter, n flow.Notification) {
		q.States = []flow.NotificationState{n.State}
	}},
	{"States, several", func(p *probe, q *notificationFilter, n flow.Notification) {
		q.States = []flow.NotificationState{n.State, flow.NotificationSent}
	}},
	{"ErrorCodes", func(p *probe, q *notificationFilter, n flow.Notification) {
		q.ErrorCodes = []flow.ErrorCode{n.Transmission.ErrorCode}
	}},
	{"ErrorCodes, several", func(p *probe, q *notificationFilter, n flow.Notification) {
		q.ErrorCodes = []flow.ErrorCode{n.Transmission.ErrorCode, flow.ErrorRefused}
	}},
	{"Text", func(p *probe, q *notificationFilter, n flow.Notification) { q.Text = part(p, n.Subject.Reveal()) }},
	{"User", func(p *probe, q *notificationFilter, n flow.Notification) { q.User = n.UpdatedBy }},
	{"From", func(p *probe, q *notificationFilter, n flow.Notification) { q.From = n.CreatedAt }},
	{"ChangedFrom", func(p *probe, q *notificationFilter, n flow.Notification) { q.ChangedFrom = n.UpdatedAt }},
	{"ChangedTo", func(p *probe, q *notificationFilter, n flow.Notification) { q.ChangedTo = n.UpdatedAt }},
	{"To", func(p *probe, q *notificationFilter, n flow.Notification) { q.To = n.CreatedAt }},
	{"From and To, in another zone", func(p *probe, q *notificationFilter, n flow.Notification) {
		q.From, q.To = around(p, n.CreatedAt)
	}},
	{"Recipient", func(p *probe, q *notificationFilter, n flow.Notification) { q.Recipient = n.Recipient }},
	{"NoticeNumber", func(p *probe, q *notificationFilter, n flow.Notification) { q.NoticeNumber = n.NoticeNumber }},
	{"Reference", func(p *probe, q *notificationFilter, n flow.Notification) { q.Reference = n.Reference }},
	{"MessageID", func(p *probe, q *notificationFilter, n flow.Notification) { q.MessageID = n.Transmission.MessageID }},
	{"Digests", func(p *probe, q *notificationFilter, n flow.Notification) { q.Digests = digests(p, n) }},
	{"Digests, an empty list", func(p *probe, q *notificationFilter, n flow.Notification) { q.Digests = []flow.Digest{} }},
	{"Disabled", func(p *probe, q *notificationFilter, n flow.Notification) {
		q.Disabled = oneOf(p, flow.OnlyEnabled, flow.OnlyDisabled)
	}},
	{"Unsettled", func(p *probe, q *notificationFilter, n flow.Notification) { q.Unsettled = true }},
	{"ClosedBefore", func(p *probe, q *notificationFilter, n flow.Notification) {
		t := oneOf(p, n.Transmission.SentAt, n.UpdatedAt)
		q.ClosedBefore = oneOf(p, t, t.Add(time.Microsecond), t.AddDate(1, 0, 0))
	}},
}

// digests returns that of a notification among others. What is anonymised has none, and
// none is not looked for.
func digests(p *probe, n flow.Notification) []flow.Digest {
	all := []flow.Digest{n.Digest(), n.Digest(), {1, 2, 3}}
	return slices.DeleteFunc(all, flow.Digest.IsZero)
}
