package flowtest_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowtest"
	"github.com/flussi-go/flussi/internal/brokenstore"
	"github.com/flussi-go/flussi/internal/storetest"
)

type (
	breaker            = brokenstore.Breaker[flow.Store]
	methods            = storetest.Store[flow.Flow, flow.Notification]
	flowChange         = storetest.Change[flow.Flow]
	notificationChange = storetest.Change[flow.Notification]
)

// view is a store whose methods that every store has are others.
type view struct {
	flow.Store
	methods methods
}

// viewed makes a store of which some methods that every store has are broken.
var viewed brokenstore.Views[flow.Store, flow.Flow, flow.Notification] = func(
	broken func(methods) methods,
) func(flow.Store) flow.Store {
	return func(s flow.Store) flow.Store { return view{s, broken(flowtest.Methods(s))} }
}

func (v view) Flow(ctx context.Context, id uuid.UUID) (flow.Flow, error) {
	return v.methods.Parents.Get(ctx, id)
}

func (v view) Flows(ctx context.Context, filter flow.FlowFilter, page flow.Page) ([]flow.Flow, error) {
	return v.methods.Parents.List(ctx, filter, page)
}

func (v view) FlowHistory(ctx context.Context, id uuid.UUID) ([]flow.FlowRecord, error) {
	records, err := v.methods.Parents.History(ctx, id)
	return storetest.As[[]flow.FlowRecord](records), err
}

func (v view) SaveFlow(
	ctx context.Context, change flow.FlowChange, notifications iter.Seq2[flow.NotificationChange, error],
) error {
	rows := storetest.SequenceAs(notifications, storetest.As[notificationChange, flow.NotificationChange])
	return v.methods.SaveParent(ctx, storetest.As[flowChange](change), rows)
}

func (v view) Notification(ctx context.Context, id uuid.UUID) (flow.Notification, error) {
	return v.methods.Children.Get(ctx, id)
}

func (v view) Notifications(
	ctx context.Context, filter flow.NotificationFilter, page flow.Page,
) ([]flow.Notification, error) {
	return v.methods.Children.List(ctx, filter, page)
}

func (v view) NotificationHistory(
	ctx context.Context, id uuid.UUID,
) ([]flow.NotificationRecord, error) {
	records, err := v.methods.Children.History(ctx, id)
	return storetest.As[[]flow.NotificationRecord](records), err
}

func (v view) SaveNotifications(ctx context.Context, changes ...flow.NotificationChange) error {
	return v.methods.SaveChildren(ctx, storetest.As[[]notificationChange](changes)...)
}

// searched makes a store that finds texts in its own way.
func searched(match func(stored, wanted string) bool) func(flow.Store) flow.Store {
	return viewed.Children(brokenstore.Searches(func(q *flow.NotificationFilter) func(flow.Notification) bool {
		wanted := q.Text
		if q.Text = ""; wanted == "" {
			return nil
		}
		return func(n flow.Notification) bool { return match(n.Subject.Reveal(), wanted) }
	}))
}

// call is a call of a method that no other store has, or whose lists a view would copy.
type call struct {
	ctx    context.Context
	store  flow.Store
	method string

	claim   flow.Claim                // of Claim and SaveAndClaim
	changes []flow.NotificationChange // of SaveNotifications and SaveAndClaim
	limit   int                       // of Expired
	request flow.ImportRequest        // of SaveImport
	key     flow.ImportKey            // of ImportResult
	id      uuid.UUID                 // of NotificationHistory
}

// reply is what a call returns.
type reply struct {
	flow    flow.Flow
	all     []flow.Notification
	records []flow.NotificationRecord
	done    flow.ImportResult
	before  bool // the import was
	err     error
}

// do makes the call.
func (c call) do() (r reply) {
	switch c.method {
	case "Claim":
		r.flow, r.all, r.err = c.store.Claim(c.ctx, c.claim)
	case "SaveAndClaim":
		r.flow, r.all, r.err = c.store.(flow.SaveAndClaimer).SaveAndClaim(c.ctx, c.changes, c.claim)
	case "SaveNotifications":
		r.err = c.store.SaveNotifications(c.ctx, c.changes...)
	case "Expired":
		r.all, r.err = c.store.Expired(c.ctx, c.limit)
	case "SaveImport":
		r.done, r.before, r.err = c.store.SaveImport(c.ctx, c.request)
	case "ImportResult":
		r.done, r.err = c.store.ImportResult(c.ctx, c.key)
	case "NotificationHistory":
		r.records, r.err = c.store.NotificationHistory(c.ctx, c.id)
	}
	return r
}

// as makes a call of another method, with the same arguments.
func (c call) as(method string) reply {
	c.method = method
	return c.do()
}

// altered is a store that does something else with calls of one method.
type altered struct {
	flow.Store
	method string
	other  func(call) reply
}

func (a altered) do(c call) reply {
	c.store = a.Store
	if c.method == a.method {
		return a.other(c)
	}
	return c.do()
}

func (a altered) NotificationHistory(ctx context.Context, id uuid.UUID) ([]flow.NotificationRecord, error) {
	r := a.do(call{ctx: ctx, method: "NotificationHistory", id: id})
	return r.records, r.err
}

func (a altered) SaveNotifications(ctx context.Context, changes ...flow.NotificationChange) error {
	return a.do(call{ctx: ctx, method: "SaveNotifications", changes: changes}).err
}

func (a altered) Claim(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
	r := a.do(call{ctx: ctx, method: "Claim", claim: claim})
	return r.flow, r.all, r.err
}

func (a altered) Expired(ctx context.Context, limit int) ([]flow.Notification, error) {
	r := a.do(call{ctx: ctx, method: "Expired", limit: limit})
	return r.all, r.err
}

func (a altered) SaveImport(ctx context.Context, i flow.ImportRequest) (flow.ImportResult, bool, error) {
	r := a.do(call{ctx: ctx, method: "SaveImport", request: i})
	return r.done, r.before, r.err
}

func (a altered) ImportResult(ctx context.Context, key flow.ImportKey) (flow.ImportResult, error) {
	r := a.do(call{ctx: ctx, method: "ImportResult", key: key})
	return r.done, r.err
}

// exchanging is an altered store that has SaveAndClaim.
type exchanging struct{ altered }

func (e *exchanging) Self() flow.Store { return e }

func (e *exchanging) SaveAndClaim(ctx context.Context, changes []flow.NotificationChange, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
	r := e.do(call{ctx: ctx, method: "SaveAndClaim", changes: changes, claim: claim})
	return r.flow, r.all, r.err
}

// on makes a store that does something else with the calls of one method.
func on(method string, other func(call) reply) func(flow.Store) flow.Store {
	return func(s flow.Store) flow.Store {
		a := altered{s, method, other}
		if method == "SaveAndClaim" {
			return &exchanging{a}
		}
		return a
	}
}

// sends makes a store that makes the calls of one method with something else.
func sends(method string, change func(*call)) func(flow.Store) flow.Store {
	return on(method, func(c call) reply {
		change(&c)
		return c.do()
	})
}

// returns makes a store that changes what the calls of one method return.
func returns(method string, change func(call, *reply)) func(flow.Store) flow.Store {
	return on(method, func(c call) reply {
		r := c.do()
		change(c, &r)
		return r
	})
}

// forgives makes a store that takes the errors of one kind of a method for a success.
func forgives(method string, kind error) func(flow.Store) flow.Store {
	return returns(method, func(_ call, r *reply) {
		if errors.Is(r.err, kind) {
			r.err = nil
		}
	})
}

// unheeding makes a store that does not look at the context of the calls of one method.
func unheeding(method string) func(flow.Store) flow.Store {
	return sends(method, func(c *call) { c.ctx = context.WithoutCancel(c.ctx) })
}

// currentFlow is the version that a flow has; 0 if it is not there.
func currentFlow(s flow.Store, id uuid.UUID) int64 {
	f, _ := s.Flow(context.Background(), id)
	return f.Version
}

// claimWhere makes a Claim that takes what it should not, one by one.
func claimWhere(may func(flow.Flow) bool, filter flow.NotificationFilter, newestFirst bool) func(flow.Store) flow.Store {
	var mu sync.Mutex
	return on("Claim", func(c call) (r reply) {
		mu.Lock()
		defer mu.Unlock()
		r.flow, r.err = c.store.Flow(c.ctx, c.claim.Flow)
		if r.err != nil || !may(r.flow) || c.claim.Limit <= 0 {
			return r
		}
		filter := filter
		if filter.Flow = c.claim.Flow; filter.Standalone {
			filter.Flow = uuid.Nil
		}
		r.all, r.err = c.store.Notifications(c.ctx, filter, flow.Page{Limit: c.claim.Limit, OldestFirst: !newestFirst})
		if r.err != nil {
			return reply{err: r.err}
		}
		for i, n := range r.all {
			record := flow.NotificationRecord{At: c.claim.At, By: c.claim.By, Action: flow.NotificationClaim, From: n.State, To: flow.NotificationSending}
			n.State, n.UpdatedAt, n.UpdatedBy = flow.NotificationSending, c.claim.At, c.claim.By
			if err := c.store.SaveNotifications(c.ctx, flow.NotificationChange{Notification: n, Record: record, Lease: c.claim.Lease}); err != nil {
				return reply{err: err}
			}
			r.all[i].State, r.all[i].UpdatedAt, r.all[i].UpdatedBy = n.State, n.UpdatedAt, n.UpdatedBy
			r.all[i].Version++
		}
		r.flow, r.err = c.store.Flow(c.ctx, c.claim.Flow)
		return r
	})
}

// claimAlso makes a Claim that takes other notifications, too.
func claimAlso(spoil func(*flow.NotificationFilter)) func(flow.Store) flow.Store {
	filter := registered
	spoil(&filter)
	return claimWhere(mayClaim, filter, false)
}

// withoutRecords makes a store that writes no records of an action.
func withoutRecords(action flow.NotificationAction) func(flow.Store) flow.Store {
	return returns("NotificationHistory", func(_ call, r *reply) {
		r.records = slices.DeleteFunc(r.records, func(r flow.NotificationRecord) bool { return r.Action == action })
	})
}

// registered is what a claim should take.
var registered = flow.NotificationFilter{States: []flow.NotificationState{flow.NotificationRegistered}, Disabled: flow.OnlyEnabled}

func mayClaim(f flow.Flow) bool { return f.State == flow.FlowSending && !f.Disabled && f.Error == "" }
