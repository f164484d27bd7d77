package flowtest

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

var contextRules = []rule{
	{"a context that has ended is refused, and nothing changes", endedContextsAreRefused},
	{"a context that ends in the sequence undoes everything", contextsEndTheSequence},
}

func endedContextsAreRefused(p *probe) {
	f := p.sendingFlow()
	n := p.newNotification(f.ID)
	f = p.saveFlow(f, n)
	n.Version++
	p.saveSending(p.newNotification(f.ID), short)
	done := p.imports("of a flow", p.importOf(p.newKey(), p.newFlow()))
	cancelled, cancel := context.WithCancel(p.Ctx)
	cancel()
	late, cancel := context.WithDeadline(p.Ctx, time.Now().Add(-time.Second))
	defer cancel()

	for _, ctx := range []context.Context{cancelled, late} {
		for _, method := range []struct {
			name string
			call func() error
		}{
			{"Flow", func() error { _, err := p.store.Flow(ctx, f.ID); return err }},
			{"Flows", func() error { _, err := p.store.Flows(ctx, flow.FlowFilter{}, flow.Page{Limit: 1}); return err }},
			{"FlowHistory", func() error { _, err := p.store.FlowHistory(ctx, f.ID); return err }},
			{"SaveFlow of a new flow", func() error { return p.store.SaveFlow(ctx, flowChange(p.newFlow()), nil) }},
			{"SaveFlow with a notification", func() error { return p.store.SaveFlow(ctx, flowChange(f), sequence(n)) }},
			{"Notification", func() error { _, err := p.store.Notification(ctx, n.ID); return err }},
			{"Notifications", func() error {
				_, err := p.store.Notifications(ctx, flow.NotificationFilter{}, flow.Page{Limit: 1})
				return err
			}},
			{"NotificationHistory", func() error { _, err := p.store.NotificationHistory(ctx, n.ID); return err }},
			{"SaveNotifications of a new one", func() error {
				return p.store.SaveNotifications(ctx, notificationChange(p.newNotification(uuid.Nil)))
			}},
			{"SaveNotifications", func() error { return p.store.SaveNotifications(ctx, notificationChange(n)) }},
			{"Claim", func() error {
				_, _, err := p.store.Claim(ctx, flow.Claim{Flow: f.ID, Limit: 1, Lease: long, At: p.Now(), By: "dispatcher"})
				return err
			}},
			{"Exchange", func() error {
				store, can := p.store.(flow.SaveAndClaimer)
				if !can {
					return ctx.Err()
				}
				_, _, err := store.SaveAndClaim(ctx, notificationChanges(n), flow.Claim{Flow: f.ID, Limit: 1, Lease: long, At: p.Now(), By: "dispatcher"})
				return err
			}},
			{"Import of a new flow", func() error {
				g := p.newFlow()
				_, _, err := p.store.SaveImport(ctx, p.importOf(p.newKey(), g, p.newNotification(g.ID)))
				return err
			}},
			{"Import of what was imported before", func() error {
				_, _, err := p.store.SaveImport(ctx, p.importOf(done.Key, p.newFlow()))
				return err
			}},
			{"Imported", func() error { _, err := p.store.ImportResult(ctx, done.Key); return err }},
			{"Expired", func() error { _, err := p.store.Expired(ctx, 1); return err }},
		} {
			before := p.state()
			p.Wants(ctx.Err(), method.call(), method.name+" with a context that has ended")
			p.unchanged(before, method.name+" with a context that has ended")
		}
	}
}

func contextsEndTheSequence(p *probe) {
	stored := p.saveFlow(p.newFlow(), p.newNotification(uuid.Nil))
	for _, f := range []flow.Flow{stored, p.newFlow()} {
		ctx, cancel := context.WithCancel(p.Ctx)
		defer cancel()
		f.State = flow.FlowActive
		before := p.state()
		err := p.store.SaveFlow(ctx, flowChange(f), func(yield func(flow.NotificationChange, error) bool) {
			for i := range 300 {
				if i == 200 {
					cancel()
				}
				if !yield(notificationChange(p.newNotification(f.ID)), nil) {
					return
				}
			}
		})
		p.Wants(context.Canceled, err, "SaveFlow with a context that ends in the sequence")
		p.unchanged(before, "SaveFlow with a context that ends in the sequence")
	}
}
