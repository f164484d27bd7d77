package flowtest_test

import (
	"context"
	"iter"
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

// altered is a store some of whose methods that no other store has are others, or those whose
// lists a view would copy. Those that are nil are the store's own.
type altered struct {
	flow.Store
	notificationHistory func(context.Context, uuid.UUID) ([]flow.NotificationRecord, error)
	saveNotifications   func(context.Context, ...flow.NotificationChange) error
	claim               func(context.Context, flow.Claim) (flow.Flow, []flow.Notification, error)
	expired             func(context.Context, int) ([]flow.Notification, error)
	importRows          func(context.Context, flow.ImportRequest) (flow.ImportResult, bool, error)
	imported            func(context.Context, flow.ImportKey) (flow.ImportResult, error)
}

func (a altered) NotificationHistory(ctx context.Context, id uuid.UUID) ([]flow.NotificationRecord, error) {
	if a.notificationHistory != nil {
		return a.notificationHistory(ctx, id)
	}
	return a.Store.NotificationHistory(ctx, id)
}

func (a altered) SaveNotifications(ctx context.Context, changes ...flow.NotificationChange) error {
	if a.saveNotifications != nil {
		return a.saveNotifications(ctx, changes...)
	}
	return a.Store.SaveNotifications(ctx, changes...)
}

func (a altered) Claim(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
	if a.claim != nil {
		return a.claim(ctx, claim)
	}
	return a.Store.Claim(ctx, claim)
}

func (a altered) Expired(ctx context.Context, limit int) ([]flow.Notification, error) {
	if a.expired != nil {
		return a.expired(ctx, limit)
	}
	return a.Store.Expired(ctx, limit)
}

func (a altered) SaveImport(ctx context.Context, i flow.ImportRequest) (flow.ImportResult, bool, error) {
	if a.importRows != nil {
		return a.importRows(ctx, i)
	}
	return a.Store.SaveImport(ctx, i)
}

func (a altered) ImportResult(ctx context.Context, key flow.ImportKey) (flow.ImportResult, error) {
	if a.imported != nil {
		return a.imported(ctx, key)
	}
	return a.Store.ImportResult(ctx, key)
}

// exchanging is a store with an Exchange of its own.
type exchanging struct {
	flow.Store
	exchange func(context.Context, []flow.NotificationChange, flow.Claim) (flow.Flow, []flow.Notification, error)
}

func (e exchanging) SaveAndClaim(ctx context.Context, changes []flow.NotificationChange, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
	return e.exchange(ctx, changes, claim)
}

// currentFlow is the version that a flow has; 0 if it is not there.
func currentFlow(s flow.Store, id uuid.UUID) int64 {
	f, _ := s.Flow(context.Background(), id)
	return f.Version
}

// claimWhere makes a Claim that takes what it should not, one by one.
func claimWhere(s flow.Store, may func(flow.Flow) bool, filter flow.NotificationFilter, newestFirst bool) flow.Store {
	var mu sync.Mutex
	return altered{Store: s, claim: func(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
		mu.Lock()
		defer mu.Unlock()
		f, err := s.Flow(ctx, claim.Flow)
		if err != nil || !may(f) || claim.Limit <= 0 {
			return f, nil, err
		}
		filter := filter
		if filter.Flow == uuid.Nil {
			filter.Flow = f.ID
		}
		if filter.Standalone {
			filter.Flow = uuid.Nil
		}
		ns, err := s.Notifications(ctx, filter, flow.Page{Limit: claim.Limit, OldestFirst: !newestFirst})
		if err != nil {
			return flow.Flow{}, nil, err
		}
		for i, n := range ns {
			record := flow.NotificationRecord{At: claim.At, By: claim.By, Action: flow.NotificationClaim, From: n.State, To: flow.NotificationSending}
			n.State, n.UpdatedAt, n.UpdatedBy = flow.NotificationSending, claim.At, claim.By
			if err := s.SaveNotifications(ctx, flow.NotificationChange{Notification: n, Record: record, Lease: claim.Lease}); err != nil {
				return flow.Flow{}, nil, err
			}
			if ns[i], err = s.Notification(ctx, n.ID); err != nil {
				return flow.Flow{}, nil, err
			}
		}
		f, err = s.Flow(ctx, claim.Flow)
		return f, ns, err
	}}
}

// registered is what a claim should take.
var registered = flow.NotificationFilter{States: []flow.NotificationState{flow.NotificationRegistered}, Disabled: flow.OnlyEnabled}

func mayClaim(f flow.Flow) bool { return f.State == flow.FlowSending && !f.Disabled && f.Error == "" }
