package flowtest_test

import (
	"context"
	"iter"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

// altered is a store some of whose methods are others. Those that are nil are the
// store's own.
type altered struct {
	flow.Store
	flow                func(context.Context, uuid.UUID) (flow.Flow, error)
	flows               func(context.Context, flow.FlowFilter, flow.Page) ([]flow.Flow, error)
	flowHistory         func(context.Context, uuid.UUID) ([]flow.FlowRecord, error)
	saveFlow            func(context.Context, flow.FlowChange, sequence) error
	notification        func(context.Context, uuid.UUID) (flow.Notification, error)
	notifications       func(context.Context, flow.NotificationFilter, flow.Page) ([]flow.Notification, error)
	notificationHistory func(context.Context, uuid.UUID) ([]flow.NotificationRecord, error)
	saveNotifications   func(context.Context, ...flow.NotificationChange) error
	claim               func(context.Context, flow.Claim) (flow.Flow, []flow.Notification, error)
	expired             func(context.Context, int) ([]flow.Notification, error)
	importRows          func(context.Context, flow.ImportRequest) (flow.ImportResult, bool, error)
	imported            func(context.Context, flow.ImportKey) (flow.ImportResult, error)
}

type sequence = iter.Seq2[flow.NotificationChange, error]

func (a altered) Flow(ctx context.Context, id uuid.UUID) (flow.Flow, error) {
	if a.flow != nil {
		return a.flow(ctx, id)
	}
	return a.Store.Flow(ctx, id)
}

func (a altered) Flows(ctx context.Context, filter flow.FlowFilter, page flow.Page) ([]flow.Flow, error) {
	if a.flows != nil {
		return a.flows(ctx, filter, page)
	}
	return a.Store.Flows(ctx, filter, page)
}

func (a altered) FlowHistory(ctx context.Context, id uuid.UUID) ([]flow.FlowRecord, error) {
	if a.flowHistory != nil {
		return a.flowHistory(ctx, id)
	}
	return a.Store.FlowHistory(ctx, id)
}

func (a altered) SaveFlow(ctx context.Context, change flow.FlowChange, notifications iter.Seq2[flow.NotificationChange, error]) error {
	if a.saveFlow != nil {
		return a.saveFlow(ctx, change, notifications)
	}
	return a.Store.SaveFlow(ctx, change, notifications)
}

func (a altered) Notification(ctx context.Context, id uuid.UUID) (flow.Notification, error) {
	if a.notification != nil {
		return a.notification(ctx, id)
	}
	return a.Store.Notification(ctx, id)
}

func (a altered) Notifications(ctx context.Context, filter flow.NotificationFilter, page flow.Page) ([]flow.Notification, error) {
	if a.notifications != nil {
		return a.notifications(ctx, filter, page)
	}
	return a.Store.Notifications(ctx, filter, page)
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

// written makes a store that changes what it is given before it stores it.
func written(s flow.Store, onFlow func(*flow.FlowChange), onNotification func(*flow.NotificationChange)) flow.Store {
	return altered{Store: s,
		saveFlow: func(ctx context.Context, change flow.FlowChange, notifications sequence) error {
			onFlow(&change)
			if notifications == nil {
				return s.SaveFlow(ctx, change, nil)
			}
			return s.SaveFlow(ctx, change, func(yield func(flow.NotificationChange, error) bool) {
				for n, err := range notifications {
					onNotification(&n)
					if !yield(n, err) {
						return
					}
				}
			})
		},
		saveNotifications: func(ctx context.Context, changes ...flow.NotificationChange) error {
			changes = slices.Clone(changes)
			for i := range changes {
				onNotification(&changes[i])
			}
			return s.SaveNotifications(ctx, changes...)
		},
	}
}

// read makes a store that changes what it returns of entities.
func read(s flow.Store, onFlow func(*flow.Flow), onNotification func(*flow.Notification)) flow.Store {
	all := func(ns []flow.Notification) []flow.Notification {
		for i := range ns {
			onNotification(&ns[i])
		}
		return ns
	}
	return altered{Store: s,
		flow: func(ctx context.Context, id uuid.UUID) (flow.Flow, error) {
			f, err := s.Flow(ctx, id)
			onFlow(&f)
			return f, err
		},
		flows: func(ctx context.Context, filter flow.FlowFilter, page flow.Page) ([]flow.Flow, error) {
			fs, err := s.Flows(ctx, filter, page)
			for i := range fs {
				onFlow(&fs[i])
			}
			return fs, err
		},
		notification: func(ctx context.Context, id uuid.UUID) (flow.Notification, error) {
			n, err := s.Notification(ctx, id)
			onNotification(&n)
			return n, err
		},
		notifications: func(ctx context.Context, filter flow.NotificationFilter, page flow.Page) ([]flow.Notification, error) {
			ns, err := s.Notifications(ctx, filter, page)
			return all(ns), err
		},
		claim: func(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
			f, ns, err := s.Claim(ctx, claim)
			onFlow(&f)
			return f, all(ns), err
		},
		expired: func(ctx context.Context, limit int) ([]flow.Notification, error) {
			ns, err := s.Expired(ctx, limit)
			return all(ns), err
		},
	}
}

// exchanging is a store with an Exchange of its own.
type exchanging struct {
	flow.Store
	exchange func(context.Context, []flow.NotificationChange, flow.Claim) (flow.Flow, []flow.Notification, error)
}

func (e exchanging) SaveAndClaim(ctx context.Context, changes []flow.NotificationChange, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
	return e.exchange(ctx, changes, claim)
}

func noFlowChange(*flow.FlowChange)                 {}
func noNotificationChange(*flow.NotificationChange) {}
func noFlow(*flow.Flow)                             {}
func noNotification(*flow.Notification)             {}

// currentFlow is the version that a flow has; 0 if it is not there.
func currentFlow(s flow.Store, id uuid.UUID) int64 {
	f, _ := s.Flow(context.Background(), id)
	return f.Version
}

func current(s flow.Store, id uuid.UUID) int64 {
	n, _ := s.Notification(context.Background(), id)
	return n.Version
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

// searched makes a store that finds texts in its own way, by looking at everything.
func searched(s flow.Store, match func(stored, wanted string) bool) flow.Store {
	return altered{Store: s, notifications: func(ctx context.Context, filter flow.NotificationFilter, page flow.Page) ([]flow.Notification, error) {
		if filter.Text == "" {
			return s.Notifications(ctx, filter, page)
		}
		wanted := filter.Text
		filter.Text = ""
		all, err := s.Notifications(ctx, filter, flow.Page{After: page.After, OldestFirst: page.OldestFirst})
		all = slices.DeleteFunc(all, func(n flow.Notification) bool { return !match(n.Subject.Reveal(), wanted) })
		return all[:min(len(all), page.Limit)], err
	}}
}

// like matches as SQL's LIKE does, if nobody thinks of its wildcards.
func like(stored, wanted string) bool {
	pattern := regexp.QuoteMeta(strings.ToLower(wanted))
	pattern = strings.NewReplacer("%", ".*", "_", ".").Replace(pattern)
	return regexp.MustCompile("(?s)" + pattern).MatchString(strings.ToLower(stored))
}

// asciiLower is lower case to a database that knows English only.
func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// rowByRow stores a flow, and then the notifications one after the other.
func rowByRow(s flow.Store) flow.Store {
	return altered{Store: s, saveFlow: func(ctx context.Context, change flow.FlowChange, notifications sequence) error {
		if err := s.SaveFlow(ctx, change, nil); err != nil || notifications == nil {
			return err
		}
		for n, err := range notifications {
			if err == nil {
				err = s.SaveNotifications(ctx, n)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}}
}
