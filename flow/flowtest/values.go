package flowtest

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/storetest"
)

var valueRules = []rule{
	{"texts are kept to the last character", textsAreKept},
	{"times are kept to the microsecond, and given in UTC", timesAreKept},
	{"a time that is zero stays zero", zeroTimesAreKept},
	{"states, codes and actions that are unknown are kept", unknownWordsAreKept},
}

func textsAreKept(p *probe) {
	fill := func(pointer any) { storetest.SetTexts(pointer, storetest.TooLong(), storetest.Awkward) }
	f, n := p.fullFlow(), p.fullNotification(uuid.Nil)
	fill(&f)
	fill(&n)
	p.readsFlow("with long texts", p.saveFlow(f, n))
	n.Version++
	p.readsNotification("with long texts", n)
	n.Subject, n.Content = flussi.NewText(strings.Repeat(" ", 3)), flussi.NewText("0")
	p.readsNotification("with spaces only", p.save(n))

	g, m := p.newFlow(), p.newNotification(uuid.Nil)
	flowStored, notificationStored := flowChange(g), notificationChange(m)
	fill(&flowStored.Record)
	fill(&notificationStored.Record)
	p.Must(p.store.SaveFlow(p.Ctx, flowStored, nil), "SaveFlow")
	p.Must(p.store.SaveNotifications(p.Ctx, notificationStored), "SaveNotifications")
	p.hasFlowRecords(g.ID, flowStored.Record)
	p.hasNotificationRecords(m.ID, notificationStored.Record)
}

func timesAreKept(p *probe) {
	for _, given := range storetest.Moments() {
		f, n := p.sendingFlow(), p.newNotification(uuid.Nil)
		storetest.SetTimes(&f, given)
		storetest.SetTimes(&n, given)
		n.FlowID = f.ID
		p.saveFlow(f, n)
		claim := flow.Claim{Flow: f.ID, Limit: 1, Lease: long, At: given, By: "dispatcher"}
		n = p.notification(n.ID)
		inFlow, claimed, err := p.store.Claim(p.Ctx, claim)
		p.Must(err, "Claim")
		f = p.flow(f.ID)
		p.HasTimes("Flow", &f, given)
		p.HasTimes("the flow of Claim", &inFlow, given)
		p.HasTimes("Notification", &n, given)
		for i := range claimed {
			p.HasTimes("a notification of Claim", &claimed[i], given)
		}
		for _, r := range p.flowHistory(f.ID) {
			p.HasTimes("a record of FlowHistory", &r, given)
		}
		for _, r := range p.notificationHistory(n.ID) {
			p.HasTimes("a record of NotificationHistory", &r, given)
		}
	}
}

func zeroTimesAreKept(p *probe) {
	n := p.save(p.fullNotification(uuid.Nil))
	for _, field := range storetest.Fields(&n) {
		if t, ok := field.Pointer.(*time.Time); ok && field.Name != "CreatedAt" && field.Name != "UpdatedAt" {
			*t = time.Time{}
		}
	}
	p.readsNotification("with times that were set, and are zero", p.save(n))
	n.ID, n.Version = p.ID(), 0
	p.readsNotification("with times that were always zero", p.save(n))
}

func unknownWordsAreKept(p *probe) {
	f, n := p.fullFlow(), p.fullNotification(uuid.Nil)
	f.State = "archiviato"
	n.State, n.Transmission.ErrorCode = "sospesa", "blocco_notturno"
	n.Delivery.Status, n.Delivery.Email, n.Delivery.Push = "QUEUED", "BOUNCED", "MUTED"
	n.Delivery.Read, n.Delivery.Payment = "SKIMMED", "PARTLY_PAID"
	flowStored, notificationStored := flowChange(f), notificationChange(n)
	flowStored.Record.Action, flowStored.Record.From, flowStored.Record.To = "archive", "incomplete", f.State
	notificationStored.Record.Action, notificationStored.Record.From, notificationStored.Record.To = "suspend", "parked", n.State

	p.Must(p.store.SaveFlow(p.Ctx, flowStored, nil), "SaveFlow")
	p.Must(p.store.SaveNotifications(p.Ctx, notificationStored), "SaveNotifications")
	f.Version, n.Version = 1, 1
	p.readsFlow("with unknown words", f)
	p.readsNotification("with unknown words", n)
	p.hasFlowRecords(f.ID, flowStored.Record)
	p.hasNotificationRecords(n.ID, notificationStored.Record)
	for state, want := range map[flow.NotificationState]int{n.State: 1, "altro": 0} {
		if got := p.notifications(flow.NotificationFilter{States: []flow.NotificationState{state}}, flow.Page{Limit: 2}); len(got) != want {
			p.Fail("Notifications in the state %q: want %d, got %d", state, want, len(got))
		}
	}
}

// hasFlowRecords checks that these are the records of a flow, but for their versions,
// which count.
func (p *probe) hasFlowRecords(id uuid.UUID, want ...flow.FlowRecord) {
	storetest.SameRecords(p.Probe, "FlowHistory", p.flowHistory(id), want)
}

// hasNotificationRecords checks the same of a notification.
func (p *probe) hasNotificationRecords(id uuid.UUID, want ...flow.NotificationRecord) {
	storetest.SameRecords(p.Probe, "NotificationHistory", p.notificationHistory(id), want)
}
