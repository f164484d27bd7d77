package flowtest

import "github.com/flussi-go/flussi/flow"

var historyRules = shared.History(rule{Words: "a claim has its record", Test: claimsHaveRecords})

func claimsHaveRecords(p *probe) {
	f := p.sendingFlow()
	created := p.newNotifications(f.ID, 3)
	p.saveFlow(f, created...)
	claim := flow.Claim{Flow: f.ID, Limit: 2, Lease: long, At: p.SomeTime(), By: p.Word()}
	_, claimed, err := p.store.Claim(p.Ctx, claim)
	p.Must(err, "Claim")
	if len(claimed) != 2 {
		p.Fail("Claim with the limit 2, of 3: got %d", len(claimed))
		return
	}
	record := flow.NotificationRecord{
		At: claim.At, By: claim.By, Action: flow.NotificationClaim,
		From: flow.NotificationRegistered, To: flow.NotificationSending,
	}
	for i, n := range created {
		if want := notificationChange(n).Record; i < 2 {
			p.hasNotificationRecords(n.ID, want, record)
		} else {
			p.hasNotificationRecords(n.ID, want)
		}
	}
	n := claimed[1]
	n.State = flow.NotificationSent
	p.saveAll(n)
	p.hasNotificationRecords(n.ID, notificationChange(created[1]).Record, record, notificationChange(n).Record)
}
