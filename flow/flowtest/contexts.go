package flowtest

import (
	"context"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/internal/storetest"
)

// ownMethodsRefuse is about the methods that no other store has.
func ownMethodsRefuse(p *probe) {
	f := p.sendingFlow()
	n := p.newNotification(f.ID)
	f = p.saveFlow(f, n)
	n.Version++
	p.saveSending(p.newNotification(f.ID), short)
	done := p.imports("of a flow", p.importOf(p.newKey(), p.newFlow()))
	claim := func() flow.Claim {
		return flow.Claim{Flow: f.ID, Limit: 1, Lease: long, At: p.Now(), By: "dispatcher"}
	}
	p.RefusesEnded(
		storetest.Call{Doing: "Claim", With: func(ctx context.Context) error {
			_, _, err := p.store.Claim(ctx, claim())
			return err
		}},
		storetest.Call{Doing: "SaveAndClaim", With: func(ctx context.Context) error {
			store, can := core.Own[flow.Store, flow.SaveAndClaimer](p.store)
			if !can {
				return ctx.Err()
			}
			_, _, err := store.SaveAndClaim(ctx, notificationChanges(n), claim())
			return err
		}},
		storetest.Call{Doing: "SaveImport of a new flow", With: func(ctx context.Context) error {
			g := p.newFlow()
			_, _, err := p.store.SaveImport(ctx, p.importOf(p.newKey(), g, p.newNotification(g.ID)))
			return err
		}},
		storetest.Call{Doing: "SaveImport of what was imported before", With: func(ctx context.Context) error {
			_, _, err := p.store.SaveImport(ctx, p.importOf(done.Key, p.newFlow()))
			return err
		}},
		storetest.Call{Doing: "ImportResult", With: func(ctx context.Context) error {
			_, err := p.store.ImportResult(ctx, done.Key)
			return err
		}},
		storetest.Call{Doing: "Expired", With: func(ctx context.Context) error {
			_, err := p.store.Expired(ctx, 1)
			return err
		}},
	)
}
