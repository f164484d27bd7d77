package flowtest

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

var valueRules = []rule{
	{"texts are kept to the last character", textsAreKept},
	{"times are kept to the microsecond, and given in UTC", timesAreKept},
	{"a time that is zero stays zero", zeroTimesAreKept},
	{"states, codes and actions that are unknown are kept", unknownWordsAreKept},
}

// awkward is what has come back as something else from one database or another: quotes
// and escapes, spaces at both ends, line breaks, an accent in one character and in two,
// characters outside the first plane, joined and from right to left.
const awkward = " \t'\"`\\ \\' %_ $1 :a ?; -- <&amp;> {{.}}\r\n\n è e\u0300 ẞß ﬁ œ € 𝄞 👩‍👩‍👧‍👦 🇮🇹 שלום مرحبا \u200b\ufeff\ufffd \u2028 "

// tooLong is a text as long as a message may be.
func tooLong() string {
	runes := []rune(strings.Repeat(awkward, 10_000/len([]rune(awkward))+1))
	return string(runes[:9_999]) + "."
}

func textsAreKept(p *probe) {
	fill := func(pointer any) {
		for _, f := range fields(pointer) {
			switch field := f.pointer.(type) {
			case *flussi.Text:
				*field = flussi.NewText(tooLong())
			case *string:
				*field = awkward
			}
		}
	}
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
	p.must(p.store.SaveFlow(p.ctx, flowStored, nil), "SaveFlow")
	p.must(p.store.SaveNotifications(p.ctx, notificationStored), "SaveNotifications")
	p.hasFlowRecords(g.ID, flowStored.Record)
	p.hasNotificationRecords(m.ID, notificationStored.Record)
}

func timesAreKept(p *probe) {
	rome := time.FixedZone("CEST", 2*60*60)
	for _, given := range []time.Time{
		time.Date(2026, time.March, 29, 2, 30, 0, 123_456_000, time.UTC),
		time.Date(2026, time.March, 29, 0, 30, 59, 999_999_000, rome),
		time.Date(2026, time.December, 31, 23, 59, 59, 123_456_789, rome),
		time.Date(1969, time.December, 31, 23, 59, 59, 999_999_000, time.UTC),
		time.Now(),
	} {
		fill := func(pointer any) {
			for _, field := range fields(pointer) {
				if t, ok := field.pointer.(*time.Time); ok {
					*t = given
				}
			}
		}
		f, n := p.sendingFlow(), p.newNotification(uuid.Nil)
		fill(&f)
		fill(&n)
		n.FlowID = f.ID
		p.saveFlow(f, n)
		claim := flow.Claim{Flow: f.ID, Limit: 1, Lease: long, At: given, By: "dispatcher"}
		n = p.notification(n.ID)
		inFlow, claimed, err := p.store.Claim(p.ctx, claim)
		p.must(err, "Claim")
		f = p.flow(f.ID)
		check := func(what string, pointer any) {
			for _, field := range fields(pointer) {
				if t, ok := field.pointer.(*time.Time); ok {
					p.isTime(what+", "+field.name, *t, given)
				}
			}
		}
		check("Flow", &f)
		check("the flow of Claim", &inFlow)
		check("Notification", &n)
		for i := range claimed {
			check("a notification of Claim", &claimed[i])
		}
		for _, r := range p.flowHistory(f.ID) {
			check("a record of FlowHistory", &r)
		}
		for _, r := range p.notificationHistory(n.ID) {
			check("a record of NotificationHistory", &r)
		}
	}
}

// isTime checks that a time is the given one to the microsecond, whichever way it was
// rounded.
func (p *probe) isTime(what string, got, given time.Time) {
	if got.Sub(given).Abs() >= time.Microsecond || got.Nanosecond()%1000 != 0 || got.Location() != time.UTC {
		p.fail("%s: stored %s, got %s", what, show(given), show(got))
	}
}

func zeroTimesAreKept(p *probe) {
	n := p.save(p.fullNotification(uuid.Nil))
	for _, field := range fields(&n) {
		if t, ok := field.pointer.(*time.Time); ok && field.name != "CreatedAt" && field.name != "UpdatedAt" {
			*t = time.Time{}
		}
	}
	p.readsNotification("with times that were set, and are zero", p.save(n))
	n.ID, n.Version = p.id(), 0
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

	p.must(p.store.SaveFlow(p.ctx, flowStored, nil), "SaveFlow")
	p.must(p.store.SaveNotifications(p.ctx, notificationStored), "SaveNotifications")
	f.Version, n.Version = 1, 1
	p.readsFlow("with unknown words", f)
	p.readsNotification("with unknown words", n)
	p.hasFlowRecords(f.ID, flowStored.Record)
	p.hasNotificationRecords(n.ID, notificationStored.Record)
	for state, want := range map[flow.NotificationState]int{n.State: 1, "altro": 0} {
		if got := p.notifications(flow.NotificationFilter{States: []flow.NotificationState{state}}, flow.Page{Limit: 2}); len(got) != want {
			p.fail("Notifications in the state %q: want %d, got %d", state, want, len(got))
		}
	}
}

// hasFlowRecords checks that these are the records of a flow, but for their versions,
// which count.
func (p *probe) hasFlowRecords(id uuid.UUID, want ...flow.FlowRecord) {
	sameRecords(p, "FlowHistory", p.flowHistory(id), want)
}

// hasNotificationRecords checks the same of a notification.
func (p *probe) hasNotificationRecords(id uuid.UUID, want ...flow.NotificationRecord) {
	sameRecords(p, "NotificationHistory", p.notificationHistory(id), want)
}

func sameRecords[S, A ~string](p *probe, what string, got, want []flow.Record[S, A]) {
	if len(got) != len(want) {
		p.fail("%s: want %d records, got %d", what, len(want), len(got))
		return
	}
	for i, w := range want {
		w.Version = int64(i + 1)
		p.equal(fmt.Sprintf("%s, record %d", what, i+1), got[i], w)
	}
}
