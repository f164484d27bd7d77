package flowtest

import (
	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/storetest"
)

// texts are what fields hold that mask themselves, and what others hold. The others are looked
// for, and need not be as long as a message.
var texts = [][2]string{
	{storetest.TooLong(), storetest.Awkward}, {"   ", storetest.Awkward}, {"0", storetest.Awkward},
}

var valueRules = []rule{{"states, codes and actions that are unknown are kept", unknownWordsAreKept}}

func claimsKeepTimes(p *probe) {
	for _, given := range storetest.Moments() {
		f := p.sendingFlow()
		n := p.newNotification(f.ID)
		storetest.SetTimes(&f, given)
		storetest.SetTimes(&n, given)
		p.saveFlow(f, n)
		claim := flow.Claim{Flow: f.ID, Limit: 1, Lease: long, At: given, By: "dispatcher"}
		f, claimed, err := p.store.Claim(p.Ctx, claim)
		p.Must(err, "Claim")
		n = p.notifications.One(n.ID)
		p.HasTimes("the flow of Claim", &f, given)
		p.HasTimes("a notification that was claimed", &n, given)
		for i := range claimed {
			p.HasTimes("a notification of Claim", &claimed[i], given)
		}
		for _, r := range p.notifications.Records(n.ID) {
			p.HasTimes("a record of a claim", &r, given)
		}
	}
}

// longErrorsAreKept is about texts that nobody looks for: no index keeps them short.
func longErrorsAreKept(p *probe) {
	f, n := p.fullFlow(), p.fullNotification(uuid.Nil)
	f.Error, n.Transmission.Error = storetest.TooLong(), storetest.TooLong()
	f, n = p.saveFlow(f), p.save(n)
	p.flows.IsRead("with a long error", f)
	p.notifications.IsRead("with a long error", n)
}

func unknownWordsAreKept(p *probe) {
	f, n := p.fullFlow(), p.fullNotification(uuid.Nil)
	f.State = "archiviato"
	n.State, n.Transmission.ErrorCode = "sospesa", "blocco_notturno"
	n.Delivery.Status, n.Delivery.Email, n.Delivery.Push = "QUEUED", "BOUNCED", "MUTED"
	n.Delivery.Read, n.Delivery.Payment = "SKIMMED", "PARTLY_PAID"
	p.KeepsWords(f, n)
	for state, want := range map[flow.NotificationState]int{n.State: 1, "altro": 0} {
		if got := p.notifications.Page(flow.NotificationFilter{States: []flow.NotificationState{state}}, flow.Page{Limit: 2}); len(got) != want {
			p.Fail("Notifications in the state %q: want %d, got %d", state, want, len(got))
		}
	}
}
