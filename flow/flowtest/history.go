package flowtest

import (
	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/storetest"
)

var historyRules = []rule{
	{"every version has its record", versionsHaveRecords},
	{"a claim has its record", claimsHaveRecords},
	{"what is not there has no history", missingHasNoHistory},
}

func versionsHaveRecords(p *probe) {
	f, n := p.newFlow(), p.newNotification(uuid.Nil)
	other, alone := p.saveFlow(p.newFlow()), p.save(p.newNotification(uuid.Nil))
	var flowRecords []flow.FlowRecord
	var notificationRecords []flow.NotificationRecord
	for i := range 12 {
		flowStored, notificationStored := flowChange(f), notificationChange(n)
		// The store gives the version, whatever the record has.
		p.Fill(&flowStored.Record, false)
		p.Fill(&notificationStored.Record, false)
		switch i % 3 {
		case 0: // what says nothing but what was done
			flowStored.Record.From, flowStored.Record.Reason = "", flussi.Text{}
			notificationStored.Record.From, notificationStored.Record.Reason = "", flussi.Text{}
		case 1: // times need not go forwards
			flowStored.Record.At = flowStored.Record.At.AddDate(-20, 0, 0)
			notificationStored.Record.At = notificationStored.Record.At.AddDate(-20, 0, 0)
		}
		if i%2 == 0 {
			p.Must(p.store.SaveFlow(p.Ctx, flowStored, nil), "SaveFlow")
			p.Must(p.store.SaveNotifications(p.Ctx, notificationStored), "SaveNotifications")
		} else {
			p.Must(p.store.SaveFlow(p.Ctx, flowStored, func(yield func(flow.NotificationChange, error) bool) {
				yield(notificationStored, nil)
			}), "SaveFlow with a notification")
		}
		f.Version++
		n.Version++
		flowRecords = append(flowRecords, flowStored.Record)
		notificationRecords = append(notificationRecords, notificationStored.Record)
		p.hasFlowRecords(f.ID, flowRecords...)
		p.hasNotificationRecords(n.ID, notificationRecords...)
	}
	other.Version, alone.Version = 0, 0
	p.hasFlowRecords(other.ID, flowChange(other).Record)
	p.hasNotificationRecords(alone.ID, notificationChange(alone).Record)
}

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

func missingHasNoHistory(p *probe) {
	p.saveFlow(p.newFlow(), p.newNotification(uuid.Nil))
	for _, id := range []uuid.UUID{p.ID(), uuid.Nil} {
		if records, err := p.store.FlowHistory(p.Ctx, id); err != nil || len(records) != 0 {
			p.Fail("FlowHistory of a flow that is not there: want no records and no error, got %d and %w", len(records), storetest.OrNone(err))
		}
		if records, err := p.store.NotificationHistory(p.Ctx, id); err != nil || len(records) != 0 {
			p.Fail("NotificationHistory of a notification that is not there: want no records and no error, got %d and %w", len(records), storetest.OrNone(err))
		}
	}
	f := p.newFlow()
	bad := p.newNotification(f.ID)
	bad.Version = 5
	err := p.store.SaveFlow(p.Ctx, flowChange(f), sequence(p.newNotification(f.ID), bad))
	p.Wants(flussi.ErrConflict, err, "SaveFlow with a notification of version 5 that is not there")
	if n := len(p.flowHistory(f.ID)); n != 0 {
		p.Fail("a flow that was refused has %d records", n)
	}
}
