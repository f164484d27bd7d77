package flowtest

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/storetest"
)

type (
	flowCatalogue         = storetest.Catalogue[flow.Flow, flow.FlowFilter]
	notificationFilter    = flow.NotificationFilter
	notificationCatalogue = storetest.Catalogue[flow.Notification, notificationFilter]
)

// oneOf picks one.
func oneOf[T any](p *probe, all ...T) T { return storetest.OneOf(p.Probe, all...) }

// flowCatalogue stores flows that are all different, though not in everything.
func (p *probe) flowCatalogue() flowCatalogue {
	all := make([]flow.Flow, 60)
	for i := range all {
		f := p.newFlow()
		f.Service = oneOf(p, "tributi", "scuola", "anagrafe")
		f.State = oneOf(p, flow.FlowInactive, flow.FlowActive, flow.FlowSending, flow.FlowSent, flow.FlowIncomplete, "archiviato")
		f.Details = flow.Details{
			Note: flussi.NewText(oneOf(p, storetest.Texts()...)), AppContext: oneOf(p, "", "protocollo", "Protocollo"), AppKey: oneOf(p, "", "2026/1", "2026/12"),
		}
		f.Error = oneOf(p, "", "Invio fermato.")
		if p.Random.IntN(4) > 0 {
			f.NotBefore, f.ScheduledBy = p.SomeMinute(), "m.neri"
		}
		f.Disabled = p.Random.IntN(4) == 0
		f.CreatedAt, f.UpdatedAt = p.SomeMinute(), p.SomeMinute()
		f.UpdatedBy = oneOf(p, "m.neri", "M.Neri", "a.verdi")
		if p.Random.IntN(3) == 0 { // it was another before
			before := p.fullFlow()
			before.ID, before.Service, before.CreatedAt = f.ID, f.Service, f.CreatedAt
			f.Version = p.saveFlow(before).Version
		}
		all[i] = p.saveFlow(f)
		n := p.newNotification(f.ID)
		p.saveAll(n)
		all[i].Counts = flow.Counts{Registered: 1}
	}
	return flowCatalogue{Kind: p.flows, All: all, Match: flow.FlowFilter.Match}
}

func flowCriteria(p *storetest.Probe, q *flow.FlowFilter, f flow.Flow) []storetest.Criterion {
	return append(storetest.CommonCriteria(p, q, f), []storetest.Criterion{
		{"Services", func() { q.Services = []string{f.Service} }},
		{"Services, several", func() { q.Services = []string{f.Service, "altro", "tributi"} }},
		{"States", func() { q.States = []flow.FlowState{f.State} }},
		{"States, several", func() {
			q.States = []flow.FlowState{f.State, flow.FlowActive, flow.FlowSent}
		}},
		{"Text", func() { q.Text = p.Part(f.Note.Reveal()) }},
		{"User", func() { q.User = f.UpdatedBy }},
		{"ChangedFrom", func() { q.ChangedFrom = f.UpdatedAt }},
		{"ChangedTo", func() { q.ChangedTo = f.UpdatedAt }},
		{"ScheduledBefore", func() { q.ScheduledBefore = f.NotBefore }},
		{"ScheduledBefore, just after", func() { q.ScheduledBefore = f.NotBefore.Add(time.Microsecond) }},
		{"ScheduledBefore, of all", func() { q.ScheduledBefore = time.Now().AddDate(100, 0, 0) }},
		{"AppContext", func() { q.AppContext = f.AppContext }},
		{"AppKey", func() { q.AppKey = f.AppKey }},
		{"Disabled", func() {
			q.Disabled = storetest.OneOf(p, flow.OnlyEnabled, flow.OnlyDisabled)
		}},
	}...)
}

// notificationCatalogue stores notifications that are all different, though not in
// everything: of three flows and of none, some anonymised, some the same message for the
// same citizen.
func (p *probe) notificationCatalogue() notificationCatalogue {
	flows := []uuid.UUID{p.saveFlow(p.newFlow()).ID, p.saveFlow(p.newFlow()).ID, p.saveFlow(p.newFlow()).ID, uuid.Nil}
	all := make([]flow.Notification, 80)
	for i := range all {
		n := p.fullNotification(oneOf(p, flows...))
		n.Service = oneOf(p, "tributi", "scuola", "anagrafe")
		n.State = oneOf(p, flow.NotificationRegistered, flow.NotificationSending, flow.NotificationSent, flow.NotificationSent,
			flow.NotificationFailed, flow.NotificationFailed, "sospesa")
		n.Subject = flussi.NewText(oneOf(p, storetest.Texts()...))
		n.Reference = oneOf(p, "", "2026/1", "2026/12")
		n.IsPayment, n.PayableAfterDue, n.Disabled = oneOf(p, true, false), oneOf(p, true, false), p.Random.IntN(4) == 0
		n.Occasion, n.AllowDuplicate = oneOf(p, "", "sollecito marzo"), oneOf(p, true, false)
		if p.Random.IntN(2) == 0 {
			n.NoticeNumber, n.Payee, n.Amount = flussi.NoticeNumber{}, flussi.OrganizationCode{}, 0
		}
		n.Transmission.SentAt, n.AnonymisedAt = p.SomeMinute(), time.Time{}
		n.Transmission.ErrorCode = ""
		if n.State == flow.NotificationFailed {
			n.Transmission.ErrorCode = oneOf(p, flow.CodeRefused, flow.CodeOutcomeUnknown, flow.CodeInvalid, "blocco_notturno")
		}
		if p.Random.IntN(3) == 0 {
			n.Transmission.MessageID = ""
		}
		n.Delivery.Status = oneOf(p, "", appio.StatusAccepted, appio.StatusThrottled, appio.StatusProcessed, appio.StatusFailed, appio.StatusRejected, "QUEUED")
		n.CreatedAt, n.UpdatedAt = p.SomeMinute(), p.SomeMinute()
		n.UpdatedBy = oneOf(p, "m.neri", "M.Neri", "a.verdi", "dispatcher")
		switch {
		case i > 0 && p.Random.IntN(5) == 0: // the same again
			n.Draft, n.AllowDuplicate = all[p.Random.IntN(i)].Draft, true
		case p.Random.IntN(5) == 0:
			n.Draft, n.AnonymisedAt = flow.Draft{Reference: n.Reference, Amount: n.Amount, IsPayment: n.IsPayment}, p.SomeMinute()
		}
		if p.Random.IntN(3) == 0 { // it was another before
			before := p.fullNotification(n.FlowID)
			before.ID, before.Service, before.CreatedAt = n.ID, n.Service, n.CreatedAt
			n.Version = p.save(before).Version
		}
		all[i] = p.save(n)
	}
	return notificationCatalogue{Kind: p.notifications, All: all, Match: flow.NotificationFilter.Match}
}

func notificationCriteria(p *storetest.Probe, q *notificationFilter, n flow.Notification) []storetest.Criterion {
	return append(storetest.CommonCriteria(p, q, n), []storetest.Criterion{
		{"Flow", func() { q.Flow = n.FlowID }},
		{"Flow, one that is not there", func() { q.Flow = p.ID() }},
		{"Standalone", func() { q.Standalone = true }},
		{"Services", func() { q.Services = []string{n.Service} }},
		{"Services, several", func() { q.Services = []string{n.Service, "altro", "tributi"} }},
		{"States", func() { q.States = []flow.NotificationState{n.State} }},
		{"States, several", func() {
			q.States = []flow.NotificationState{n.State, flow.NotificationSent}
		}},
		{"ErrorCodes", func() { q.ErrorCodes = []flow.ErrorCode{n.Transmission.ErrorCode} }},
		{"ErrorCodes, several", func() {
			q.ErrorCodes = []flow.ErrorCode{n.Transmission.ErrorCode, flow.CodeRefused}
		}},
		{"Text", func() { q.Text = p.Part(n.Subject.Reveal()) }},
		{"User", func() { q.User = n.UpdatedBy }},
		{"ChangedFrom", func() { q.ChangedFrom = n.UpdatedAt }},
		{"ChangedTo", func() { q.ChangedTo = n.UpdatedAt }},
		{"Recipient", func() { q.Recipient = n.Recipient }},
		{"NoticeNumber", func() { q.NoticeNumber = n.NoticeNumber }},
		{"Reference", func() { q.Reference = n.Reference }},
		{"MessageID", func() { q.MessageID = n.Transmission.MessageID }},
		{"Digests", func() { q.Digests = digests(n) }},
		{"Digests, an empty list", func() { q.Digests = []flow.Digest{} }},
		{"Disabled", func() {
			q.Disabled = storetest.OneOf(p, flow.OnlyEnabled, flow.OnlyDisabled)
		}},
		{"DeliveryOpen", func() { q.DeliveryOpen = true }},
		{"ClosedBefore", func() {
			t := storetest.OneOf(p, n.Transmission.SentAt, n.UpdatedAt)
			q.ClosedBefore = storetest.OneOf(p, t, t.Add(time.Microsecond), t.AddDate(1, 0, 0))
		}},
	}...)
}

// digests returns that of a notification among others. What is anonymised has none, and
// none is not looked for.
func digests(n flow.Notification) []flow.Digest {
	all := []flow.Digest{n.Digest(), n.Digest(), {1, 2, 3}}
	return slices.DeleteFunc(all, flow.Digest.IsZero)
}
