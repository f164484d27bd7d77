package flowtest_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

// breaker breaks one thing of a store.
type breaker struct {
	name  string
	rule  string // that it no longer keeps
	store func(flow.Store) flow.Store
}

var breakers = []breaker{
	{"a field of the flow has no column", "a flow is read as it was stored", func(s flow.Store) flow.Store {
		return written(s, func(c *flow.FlowChange) { c.Flow.AppKey = "" }, noNotificationChange)
	}},
	{"a field of the notification is written when it is created, and never again", "a notification is read as it was stored", func(s flow.Store) flow.Store {
		return written(s, noFlowChange, func(c *flow.NotificationChange) {
			if old, err := s.Notification(context.Background(), c.Notification.ID); err == nil {
				c.Notification.Payee = old.Payee
			}
		})
	}},
	{"two fields change places", "a notification is read as it was stored", func(s flow.Store) flow.Store {
		return read(s, noFlow, func(n *flow.Notification) { n.UpdatedBy, n.Reference = n.Reference, n.UpdatedBy })
	}},
	{"what is not there is a zero value", "a flow that is not there is not found", func(s flow.Store) flow.Store {
		return altered{Store: s, flow: func(ctx context.Context, id uuid.UUID) (flow.Flow, error) {
			f, err := s.Flow(ctx, id)
			if errors.Is(err, flussi.ErrNotFound) {
				err = nil
			}
			return f, err
		}}
	}},
	{"what is not there is a zero notification", "a notification that is not there is not found", func(s flow.Store) flow.Store {
		return altered{Store: s, notification: func(ctx context.Context, id uuid.UUID) (flow.Notification, error) {
			n, err := s.Notification(ctx, id)
			if errors.Is(err, flussi.ErrNotFound) {
				err = nil
			}
			return n, err
		}}
	}},
	{"texts are cut at 4,000 characters", "texts are kept to the last character", func(s flow.Store) flow.Store {
		return written(s, noFlowChange, func(c *flow.NotificationChange) {
			if runes := []rune(c.Notification.Content.Reveal()); len(runes) > 4000 {
				c.Notification.Content = flussi.NewText(string(runes[:4000]))
			}
		})
	}},
	{"spaces at the end are lost", "texts are kept to the last character", func(s flow.Store) flow.Store {
		return written(s, func(c *flow.FlowChange) { c.Flow.AppContext = strings.TrimRight(c.Flow.AppContext, " ") }, noNotificationChange)
	}},
	{"times are local", "times are kept to the microsecond, and given in UTC", func(s flow.Store) flow.Store {
		return read(s, noFlow, func(n *flow.Notification) { n.DueDate = n.DueDate.In(time.FixedZone("CET", 3600)) })
	}},
	{"times are cut at the second", "times are kept to the microsecond, and given in UTC", func(s flow.Store) flow.Store {
		return read(s, func(f *flow.Flow) { f.UpdatedAt = f.UpdatedAt.Truncate(time.Second) }, noNotification)
	}},
	{"times lose their zone, and are taken for UTC", "times are kept to the microsecond, and given in UTC", func(s flow.Store) flow.Store {
		return written(s, noFlowChange, func(c *flow.NotificationChange) {
			t := c.Notification.DueDate
			c.Notification.DueDate = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
		})
	}},
	{"no time is 1970", "a time that is zero stays zero", func(s flow.Store) flow.Store {
		return read(s, noFlow, func(n *flow.Notification) {
			if n.AnonymisedAt.IsZero() {
				n.AnonymisedAt = time.Unix(0, 0).UTC()
			}
		})
	}},
	{"unknown states are Errore", "states, codes and actions that are unknown are kept", func(s flow.Store) flow.Store {
		return read(s, noFlow, func(n *flow.Notification) {
			switch n.State {
			case flow.NotificationRegistered, flow.NotificationSending, flow.NotificationSent:
			default:
				n.State = flow.NotificationFailed
			}
		})
	}},
	{"counts are those of the first reading", "the counts of a flow are those of its notifications", func(s flow.Store) flow.Store {
		var mu sync.Mutex
		first := map[uuid.UUID]flow.Counts{}
		return altered{Store: s, flow: func(ctx context.Context, id uuid.UUID) (flow.Flow, error) {
			mu.Lock()
			defer mu.Unlock()
			f, err := s.Flow(ctx, id)
			if counts, known := first[id]; known {
				f.Counts = counts
			}
			first[id] = f.Counts
			return f, err
		}}
	}},
	{"what is disabled is counted by its state", "the counts of a flow are those of its notifications", func(s flow.Store) flow.Store {
		return altered{Store: s, flows: func(ctx context.Context, filter flow.FlowFilter, page flow.Page) ([]flow.Flow, error) {
			fs, err := s.Flows(ctx, filter, page)
			for i := range fs {
				fs[i].Counts.Registered += fs[i].Counts.Disabled
				fs[i].Counts.Disabled = 0
			}
			return fs, err
		}}
	}},
	{"counts are written", "the counts of a flow are not written", func(s flow.Store) flow.Store {
		var mu sync.Mutex
		given := map[uuid.UUID]flow.Counts{}
		return altered{Store: s,
			saveFlow: func(ctx context.Context, change flow.FlowChange, notifications sequence) error {
				mu.Lock()
				given[change.Flow.ID] = change.Flow.Counts
				mu.Unlock()
				return s.SaveFlow(ctx, change, notifications)
			},
			flow: func(ctx context.Context, id uuid.UUID) (flow.Flow, error) {
				f, err := s.Flow(ctx, id)
				mu.Lock()
				defer mu.Unlock()
				if f.Counts == (flow.Counts{}) {
					f.Counts = given[id]
				}
				return f, err
			},
		}
	}},
	{"a notification changes the version of its flow", "the version of a flow does not change with its notifications", func(s flow.Store) flow.Store {
		return altered{Store: s, saveNotifications: func(ctx context.Context, changes ...flow.NotificationChange) error {
			err := s.SaveNotifications(ctx, changes...)
			for _, c := range changes {
				if f, missing := s.Flow(ctx, c.Notification.FlowID); err == nil && missing == nil {
					_ = s.SaveFlow(ctx, flow.FlowChange{Flow: f}, nil)
				}
			}
			return err
		}}
	}},
	{"the caller's version is kept", "each change gives the next version", func(s flow.Store) flow.Store {
		return read(s, func(f *flow.Flow) { f.Version-- }, noNotification)
	}},
	{"to create what is there overwrites it", "what is new must not be there", func(s flow.Store) flow.Store {
		return written(s, noFlowChange, func(c *flow.NotificationChange) {
			if c.Notification.Version == 0 {
				c.Notification.Version = current(s, c.Notification.ID)
			}
		})
	}},
	{"to create a flow that is there overwrites it", "what is new must not be there", func(s flow.Store) flow.Store {
		return written(s, func(c *flow.FlowChange) {
			if c.Flow.Version == 0 {
				c.Flow.Version = currentFlow(s, c.Flow.ID)
			}
		}, noNotificationChange)
	}},
	{"to change what is not there creates it", "what is not new must be there", func(s flow.Store) flow.Store {
		return written(s, noFlowChange, func(c *flow.NotificationChange) {
			if current(s, c.Notification.ID) == 0 {
				c.Notification.Version = 0
			}
		})
	}},
	{"the last one wins", "what was changed in the meantime is not stored", func(s flow.Store) flow.Store {
		return written(s, noFlowChange, func(c *flow.NotificationChange) {
			if c.Notification.Version > 0 {
				c.Notification.Version = current(s, c.Notification.ID)
			}
		})
	}},
	{"the last one wins a flow", "what was changed in the meantime is not stored", func(s flow.Store) flow.Store {
		return written(s, func(c *flow.FlowChange) {
			if c.Flow.Version > 0 {
				c.Flow.Version = currentFlow(s, c.Flow.ID)
			}
		}, noNotificationChange)
	}},
	{"a conflict is nobody's error", "what was changed in the meantime is not stored", func(s flow.Store) flow.Store {
		return altered{Store: s, saveNotifications: func(ctx context.Context, changes ...flow.NotificationChange) error {
			if err := s.SaveNotifications(ctx, changes...); !errors.Is(err, flussi.ErrConflict) {
				return err
			}
			return nil
		}}
	}},
	{"of one entity twice, the second is stored", "one entity twice in a change is a conflict", func(s flow.Store) flow.Store {
		return altered{Store: s, saveNotifications: func(ctx context.Context, changes ...flow.NotificationChange) error {
			byID := map[uuid.UUID]flow.NotificationChange{}
			for _, c := range changes {
				byID[c.Notification.ID] = c
			}
			return s.SaveNotifications(ctx, slices.Collect(maps.Values(byID))...)
		}}
	}},
	{"the first record is missing", "every version has its record", func(s flow.Store) flow.Store {
		return altered{Store: s, notificationHistory: func(ctx context.Context, id uuid.UUID) ([]flow.NotificationRecord, error) {
			records, err := s.NotificationHistory(ctx, id)
			return records[min(1, len(records)):], err
		}}
	}},
	{"records come by their time", "every version has its record", func(s flow.Store) flow.Store {
		return altered{Store: s, notificationHistory: func(ctx context.Context, id uuid.UUID) ([]flow.NotificationRecord, error) {
			records, err := s.NotificationHistory(ctx, id)
			slices.SortFunc(records, func(a, b flow.NotificationRecord) int { return a.At.Compare(b.At) })
			return records, err
		}}
	}},
	{"a claim writes no record", "a claim has its record", func(s flow.Store) flow.Store {
		return altered{Store: s, notificationHistory: func(ctx context.Context, id uuid.UUID) ([]flow.NotificationRecord, error) {
			records, err := s.NotificationHistory(ctx, id)
			return slices.DeleteFunc(records, func(r flow.NotificationRecord) bool { return r.Action == flow.NotificationClaim }), err
		}}
	}},
	{"the history of what is not there is an error", "what is not there has no history", func(s flow.Store) flow.Store {
		return altered{Store: s, notificationHistory: func(ctx context.Context, id uuid.UUID) ([]flow.NotificationRecord, error) {
			records, err := s.NotificationHistory(ctx, id)
			if err == nil && len(records) == 0 {
				err = flussi.ErrNotFound
			}
			return records, err
		}}
	}},
	{"notifications are stored one by one", "notifications are stored together or not at all", func(s flow.Store) flow.Store {
		return altered{Store: s, saveNotifications: func(ctx context.Context, changes ...flow.NotificationChange) error {
			for _, c := range changes {
				if err := s.SaveNotifications(ctx, c); err != nil {
					return err
				}
			}
			return ctx.Err()
		}}
	}},
	{"an import is stored row by row", "a conflict in the sequence undoes everything", rowByRow},
	{"an import that fails keeps its rows", "an error in the sequence undoes everything, and is returned", rowByRow},
	{"an import goes on when its context has ended", "a context that ends in the sequence undoes everything", rowByRow},
	{"a row that fails is left out", "an error in the sequence undoes everything, and is returned", func(s flow.Store) flow.Store {
		return altered{Store: s, saveFlow: func(ctx context.Context, change flow.FlowChange, notifications sequence) error {
			if notifications == nil {
				return s.SaveFlow(ctx, change, nil)
			}
			return s.SaveFlow(ctx, change, func(yield func(flow.NotificationChange, error) bool) {
				for n, err := range notifications {
					if err == nil && !yield(n, nil) {
						return
					}
				}
			})
		}}
	}},
	{"the sequence is pulled before the flow is checked", "the sequence of a flow that is in conflict is not pulled", func(s flow.Store) flow.Store {
		return altered{Store: s, saveFlow: func(ctx context.Context, change flow.FlowChange, notifications sequence) error {
			if notifications == nil {
				return s.SaveFlow(ctx, change, nil)
			}
			var rows []flow.NotificationChange
			for n, err := range notifications {
				if err != nil {
					return err
				}
				rows = append(rows, n)
			}
			return s.SaveFlow(ctx, change, func(yield func(flow.NotificationChange, error) bool) {
				for _, n := range rows {
					if !yield(n, nil) {
						return
					}
				}
			})
		}}
	}},
	{"the sequence is pulled twice", "the sequence is pulled once, to its end", func(s flow.Store) flow.Store {
		return altered{Store: s, saveFlow: func(ctx context.Context, change flow.FlowChange, notifications sequence) error {
			if notifications != nil && currentFlow(s, change.Flow.ID) == change.Flow.Version {
				for range notifications { // to count them
				}
			}
			return s.SaveFlow(ctx, change, notifications)
		}}
	}},
	{"a sequence has 1,000 rows at most", "a long sequence is stored whole", func(s flow.Store) flow.Store {
		return altered{Store: s, saveFlow: func(ctx context.Context, change flow.FlowChange, notifications sequence) error {
			if notifications == nil {
				return s.SaveFlow(ctx, change, nil)
			}
			return s.SaveFlow(ctx, change, func(yield func(flow.NotificationChange, error) bool) {
				rows := 0
				for n, err := range notifications {
					if rows++; rows <= 1000 && !yield(n, err) {
						return
					}
				}
			})
		}}
	}},
	{"to store nothing is an error", "to store nothing is no error", func(s flow.Store) flow.Store {
		return altered{Store: s, saveNotifications: func(ctx context.Context, changes ...flow.NotificationChange) error {
			if len(changes) == 0 {
				return errors.New("syntax error near VALUES")
			}
			return s.SaveNotifications(ctx, changes...)
		}}
	}},
	{"the newest are claimed first", "a claim takes the oldest, by time of creation and then ID", func(s flow.Store) flow.Store {
		return claimWhere(s, mayClaim, registered, true)
	}},
	{"a claim of 0 is one of 1", "a claim takes as many as it may, and no more", func(s flow.Store) flow.Store {
		return altered{Store: s, claim: func(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
			claim.Limit = max(claim.Limit, 1)
			return s.Claim(ctx, claim)
		}}
	}},
	{"a claim takes what is in Errore, too", "a claim takes only what is Registrato", func(s flow.Store) flow.Store {
		filter := registered
		filter.States = []flow.NotificationState{flow.NotificationRegistered, flow.NotificationFailed}
		return claimWhere(s, mayClaim, filter, false)
	}},
	{"a claim takes what is disabled, too", "a claim takes nothing that is disabled", func(s flow.Store) flow.Store {
		filter := registered
		filter.Disabled = flow.AnyDisabled
		return claimWhere(s, mayClaim, filter, false)
	}},
	{"a claim takes what stands alone", "a claim takes only what belongs to its flow", func(s flow.Store) flow.Store {
		filter := registered
		filter.Standalone = true
		return claimWhere(s, mayClaim, filter, false)
	}},
	{"a claim does not look at the flow's state", "a claim takes nothing unless its flow is In invio", func(s flow.Store) flow.Store {
		return claimWhere(s, func(f flow.Flow) bool { return !f.Disabled && f.Error == "" }, registered, false)
	}},
	{"a claim does not see that the flow is disabled", "a claim takes nothing of a flow that is disabled", func(s flow.Store) flow.Store {
		return claimWhere(s, func(f flow.Flow) bool { return f.State == flow.FlowSending && f.Error == "" }, registered, false)
	}},
	{"a claim does not see that the flow was stopped", "a claim takes nothing of a flow that has an error", func(s flow.Store) flow.Store {
		return claimWhere(s, func(f flow.Flow) bool { return f.State == flow.FlowSending && !f.Disabled }, registered, false)
	}},
	{"a claim returns what was before it", "a claim changes what it takes, and nothing else", func(s flow.Store) flow.Store {
		return altered{Store: s, claim: func(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
			f, claimed, err := s.Claim(ctx, claim)
			for i := range claimed {
				claimed[i].State = flow.NotificationRegistered
				claimed[i].Version--
			}
			return f, claimed, err
		}}
	}},
	{"a claim keeps who changed it last", "a claim changes what it takes, and nothing else", func(s flow.Store) flow.Store {
		return altered{Store: s, claim: func(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
			claim.By = "system"
			return s.Claim(ctx, claim)
		}}
	}},
	{"a claim gives the flow without counts", "a claim gives the flow with its counts afterwards", func(s flow.Store) flow.Store {
		return altered{Store: s, claim: func(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
			f, claimed, err := s.Claim(ctx, claim)
			f.Counts = flow.Counts{}
			return f, claimed, err
		}}
	}},
	{"a claim gives the flow with its counts before", "a claim gives the flow with its counts afterwards", func(s flow.Store) flow.Store {
		return altered{Store: s, claim: func(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
			before, _ := s.Flow(ctx, claim.Flow)
			f, claimed, err := s.Claim(ctx, claim)
			f.Counts = before.Counts
			return f, claimed, err
		}}
	}},
	{"nothing is claimed twice, not even what was given back", "what was given back can be claimed again", func(s flow.Store) flow.Store {
		var mu sync.Mutex
		taken := map[uuid.UUID]bool{}
		return altered{Store: s, claim: func(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
			f, claimed, err := s.Claim(ctx, claim)
			mu.Lock()
			defer mu.Unlock()
			return f, slices.DeleteFunc(claimed, func(n flow.Notification) bool {
				was := taken[n.ID]
				taken[n.ID] = true
				return was
			}), err
		}}
	}},
	{"a claim of a flow that is not there is empty", "a claim of a flow that is not there finds none", func(s flow.Store) flow.Store {
		return altered{Store: s, claim: func(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
			f, claimed, err := s.Claim(ctx, claim)
			if errors.Is(err, flussi.ErrNotFound) {
				err = nil
			}
			return f, claimed, err
		}}
	}},
	{"no lease is ever over", "a lease that is over is found", func(s flow.Store) flow.Store {
		return altered{Store: s, expired: func(ctx context.Context, _ int) ([]flow.Notification, error) { return nil, ctx.Err() }}
	}},
	{"what stands alone has no lease", "a lease that is over is found", func(s flow.Store) flow.Store {
		return altered{Store: s, expired: func(ctx context.Context, limit int) ([]flow.Notification, error) {
			ns, err := s.Expired(ctx, limit)
			return slices.DeleteFunc(ns, func(n flow.Notification) bool { return n.FlowID == uuid.Nil }), err
		}}
	}},
	{"only what was claimed has a lease", "a lease that is over is found", func(s flow.Store) flow.Store {
		return written(s, noFlowChange, func(c *flow.NotificationChange) { c.Lease = time.Hour })
	}},
	{"leases are always over", "a lease that is not over is not found", func(s flow.Store) flow.Store {
		return altered{Store: s, expired: func(ctx context.Context, limit int) ([]flow.Notification, error) {
			return s.Notifications(ctx, flow.NotificationFilter{States: []flow.NotificationState{flow.NotificationSending}}, flow.Page{Limit: limit})
		}}
	}},
	{"a lease stays when the state changes", "a lease ends with the state In invio", func(s flow.Store) flow.Store {
		var mu sync.Mutex
		found := map[uuid.UUID]bool{}
		return altered{Store: s, expired: func(ctx context.Context, limit int) ([]flow.Notification, error) {
			ns, err := s.Expired(ctx, limit)
			if err != nil {
				return nil, err
			}
			mu.Lock()
			defer mu.Unlock()
			for _, n := range ns {
				found[n.ID] = true
			}
			for id := range found {
				n, err := s.Notification(ctx, id)
				if err == nil && n.State != flow.NotificationSending && len(ns) < limit {
					ns = append(ns, n)
				}
			}
			return ns, err
		}}
	}},
	{"a lease is given once", "storing In invio again gives a new lease", func(s flow.Store) flow.Store {
		return written(s, noFlowChange, func(c *flow.NotificationChange) {
			old, err := s.Notification(context.Background(), c.Notification.ID)
			if err == nil && old.State == flow.NotificationSending {
				c.Lease = time.Nanosecond
			}
		})
	}},
	{"all expired leases are given", "no more expired leases are given than asked for", func(s flow.Store) flow.Store {
		return altered{Store: s, expired: func(ctx context.Context, _ int) ([]flow.Notification, error) {
			return s.Expired(ctx, math.MaxInt)
		}}
	}},
	{"those of one time come in no order", "lists are sorted by time of creation and then ID", func(s flow.Store) flow.Store {
		return altered{Store: s, notifications: func(ctx context.Context, filter flow.NotificationFilter, page flow.Page) ([]flow.Notification, error) {
			ns, err := s.Notifications(ctx, filter, page)
			slices.SortStableFunc(ns, func(a, b flow.Notification) int {
				order := a.CreatedAt.Compare(b.CreatedAt)
				if !page.OldestFirst {
					order = -order
				}
				if order == 0 {
					order = bytes.Compare(a.ID[8:], b.ID[8:])
				}
				return order
			})
			return ns, err
		}}
	}},
	{"the oldest flows come first", "lists are sorted by time of creation and then ID", func(s flow.Store) flow.Store {
		return altered{Store: s, flows: func(ctx context.Context, filter flow.FlowFilter, page flow.Page) ([]flow.Flow, error) {
			page.OldestFirst = true
			return s.Flows(ctx, filter, page)
		}}
	}},
	{"a page has one too many", "a page is as long as it may be, and no longer", func(s flow.Store) flow.Store {
		return altered{Store: s, flows: func(ctx context.Context, filter flow.FlowFilter, page flow.Page) ([]flow.Flow, error) {
			page.Limit++
			return s.Flows(ctx, filter, page)
		}}
	}},
	{"a page repeats those of the time at which it begins", "page after page gives everything once", func(s flow.Store) flow.Store {
		return altered{Store: s, notifications: func(ctx context.Context, filter flow.NotificationFilter, page flow.Page) ([]flow.Notification, error) {
			if !page.After.IsZero() && !page.OldestFirst {
				page.After.ID = uuid.Max
			}
			return s.Notifications(ctx, filter, page)
		}}
	}},
	{"a page skips those of the time at which it begins", "page after page gives everything once", func(s flow.Store) flow.Store {
		return altered{Store: s, flows: func(ctx context.Context, filter flow.FlowFilter, page flow.Page) ([]flow.Flow, error) {
			if page.OldestFirst {
				page.After.ID = uuid.Max
			}
			return s.Flows(ctx, filter, page)
		}}
	}},
	{"pages are counted off", "page after page gives everything once while the list changes", func(s flow.Store) flow.Store {
		var mu sync.Mutex
		offset := map[uuid.UUID]int{} // by the last one of a page
		return altered{Store: s, notifications: func(ctx context.Context, filter flow.NotificationFilter, page flow.Page) ([]flow.Notification, error) {
			mu.Lock()
			defer mu.Unlock()
			skip, counted := offset[page.After.ID]
			if page.After.IsZero() || !counted {
				skip = 0
			} else {
				page.After = flow.Cursor{}
			}
			limit := page.Limit
			page.Limit += skip
			ns, err := s.Notifications(ctx, filter, page)
			ns = ns[min(skip, len(ns)):]
			if ns = ns[:min(limit, len(ns))]; len(ns) > 0 {
				offset[ns[len(ns)-1].ID] = skip + len(ns)
			}
			return ns, err
		}}
	}},
	{"a claim goes by what the flow was before", "a claim happens wholly before or wholly after a change of its flow", func(s flow.Store) flow.Store {
		return altered{Store: s, claim: func(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
			f, err := s.Flow(ctx, claim.Flow)
			if err != nil || f.State != flow.FlowSending || f.Error != "" {
				return f, nil, err
			}
			time.Sleep(time.Millisecond) // in which the flow is stopped
			found, err := s.Notifications(ctx, flow.NotificationFilter{Flow: f.ID, States: []flow.NotificationState{flow.NotificationRegistered}}, flow.Page{Limit: 100})
			if err != nil || len(found) == 0 {
				return f, nil, err
			}
			n := found[rand.IntN(len(found))]
			n.State = flow.NotificationSending
			err = s.SaveNotifications(ctx, flow.NotificationChange{Notification: n, Lease: claim.Lease})
			return f, found[:1], err
		}}
	}},
	{"a page begins behind what is there only", "a page begins behind a place, whether something is there or not", func(s flow.Store) flow.Store {
		return altered{Store: s, notifications: func(ctx context.Context, filter flow.NotificationFilter, page flow.Page) ([]flow.Notification, error) {
			if page.After.ID != uuid.Nil {
				if _, err := s.Notification(ctx, page.After.ID); err != nil {
					return nil, ctx.Err()
				}
			}
			return s.Notifications(ctx, filter, page)
		}}
	}},
	{"a field of the flows' filter is not looked at", "flows are found by each field of the filter", func(s flow.Store) flow.Store {
		return altered{Store: s, flows: func(ctx context.Context, filter flow.FlowFilter, page flow.Page) ([]flow.Flow, error) {
			filter.AppContext = ""
			return s.Flows(ctx, filter, page)
		}}
	}},
	{"To is included", "notifications are found by each field of the filter", func(s flow.Store) flow.Store {
		return altered{Store: s, notifications: func(ctx context.Context, filter flow.NotificationFilter, page flow.Page) ([]flow.Notification, error) {
			if !filter.To.IsZero() {
				filter.To = filter.To.Add(time.Microsecond)
			}
			return s.Notifications(ctx, filter, page)
		}}
	}},
	{"an empty list finds nothing", "notifications are found by each field of the filter", func(s flow.Store) flow.Store {
		return altered{Store: s, notifications: func(ctx context.Context, filter flow.NotificationFilter, page flow.Page) ([]flow.Notification, error) {
			if filter.Digests != nil && len(filter.Digests) == 0 {
				return nil, ctx.Err()
			}
			return s.Notifications(ctx, filter, page)
		}}
	}},
	{"with IDs, nothing else is looked at", "flows are found by fields of the filter together", func(s flow.Store) flow.Store {
		return altered{Store: s, flows: func(ctx context.Context, filter flow.FlowFilter, page flow.Page) ([]flow.Flow, error) {
			if len(filter.IDs) > 0 {
				filter = flow.FlowFilter{IDs: filter.IDs}
			}
			return s.Flows(ctx, filter, page)
		}}
	}},
	{"with a recipient, the state is not looked at", "notifications are found by fields of the filter together", func(s flow.Store) flow.Store {
		return altered{Store: s, notifications: func(ctx context.Context, filter flow.NotificationFilter, page flow.Page) ([]flow.Notification, error) {
			if !filter.Recipient.IsZero() {
				filter.States, filter.Disabled, filter.DeliveryOpen = nil, flow.AnyDisabled, false
			}
			return s.Notifications(ctx, filter, page)
		}}
	}},
	{"only English letters have two cases", "a text is found whatever its case", func(s flow.Store) flow.Store {
		return searched(s, func(stored, wanted string) bool { return strings.Contains(asciiLower(stored), asciiLower(wanted)) })
	}},
	{"wildcards are wild", "a text that is looked for stands for itself", func(s flow.Store) flow.Store { return searched(s, like) }},
	{"Flow does not look at its context", "a context that has ended is refused, and nothing changes", func(s flow.Store) flow.Store {
		return altered{Store: s, flow: func(ctx context.Context, id uuid.UUID) (flow.Flow, error) {
			return s.Flow(context.WithoutCancel(ctx), id)
		}}
	}},
	{"Flows does not look at its context", "a context that has ended is refused, and nothing changes", func(s flow.Store) flow.Store {
		return altered{Store: s, flows: func(ctx context.Context, filter flow.FlowFilter, page flow.Page) ([]flow.Flow, error) {
			return s.Flows(context.WithoutCancel(ctx), filter, page)
		}}
	}},
	{"FlowHistory does not look at its context", "a context that has ended is refused, and nothing changes", func(s flow.Store) flow.Store {
		return altered{Store: s, flowHistory: func(ctx context.Context, id uuid.UUID) ([]flow.FlowRecord, error) {
			return s.FlowHistory(context.WithoutCancel(ctx), id)
		}}
	}},
	{"SaveFlow does not look at its context", "a context that has ended is refused, and nothing changes", func(s flow.Store) flow.Store {
		return altered{Store: s, saveFlow: func(ctx context.Context, change flow.FlowChange, notifications sequence) error {
			return s.SaveFlow(context.WithoutCancel(ctx), change, notifications)
		}}
	}},
	{"Notification does not look at its context", "a context that has ended is refused, and nothing changes", func(s flow.Store) flow.Store {
		return altered{Store: s, notification: func(ctx context.Context, id uuid.UUID) (flow.Notification, error) {
			return s.Notification(context.WithoutCancel(ctx), id)
		}}
	}},
	{"Notifications does not look at its context", "a context that has ended is refused, and nothing changes", func(s flow.Store) flow.Store {
		return altered{Store: s, notifications: func(ctx context.Context, filter flow.NotificationFilter, page flow.Page) ([]flow.Notification, error) {
			return s.Notifications(context.WithoutCancel(ctx), filter, page)
		}}
	}},
	{"NotificationHistory does not look at its context", "a context that has ended is refused, and nothing changes", func(s flow.Store) flow.Store {
		return altered{Store: s, notificationHistory: func(ctx context.Context, id uuid.UUID) ([]flow.NotificationRecord, error) {
			return s.NotificationHistory(context.WithoutCancel(ctx), id)
		}}
	}},
	{"SaveNotifications does not look at its context", "a context that has ended is refused, and nothing changes", func(s flow.Store) flow.Store {
		return altered{Store: s, saveNotifications: func(ctx context.Context, changes ...flow.NotificationChange) error {
			return s.SaveNotifications(context.WithoutCancel(ctx), changes...)
		}}
	}},
	{"Claim does not look at its context", "a context that has ended is refused, and nothing changes", func(s flow.Store) flow.Store {
		return altered{Store: s, claim: func(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
			return s.Claim(context.WithoutCancel(ctx), claim)
		}}
	}},
	{"Expired does not look at its context", "a context that has ended is refused, and nothing changes", func(s flow.Store) flow.Store {
		return altered{Store: s, expired: func(ctx context.Context, limit int) ([]flow.Notification, error) {
			return s.Expired(context.WithoutCancel(ctx), limit)
		}}
	}},
	{"the end of a context is looked at too late", "a context that has ended is refused, and nothing changes", func(s flow.Store) flow.Store {
		return altered{Store: s, claim: func(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
			f, claimed, err := s.Claim(context.WithoutCancel(ctx), claim)
			return f, claimed, errors.Join(err, ctx.Err())
		}}
	}},
	{"the history is the store's own slice", "what is returned is the caller's", func(s flow.Store) flow.Store {
		var mu sync.Mutex
		kept := map[uuid.UUID][]flow.NotificationRecord{}
		return altered{Store: s, notificationHistory: func(ctx context.Context, id uuid.UUID) ([]flow.NotificationRecord, error) {
			records, err := s.NotificationHistory(ctx, id)
			mu.Lock()
			defer mu.Unlock()
			if err == nil && len(kept[id]) < len(records) {
				kept[id] = records
			}
			return kept[id], err
		}}
	}},
	{"what is given is changed", "what is given stays the caller's", func(s flow.Store) flow.Store {
		return altered{Store: s, saveNotifications: func(ctx context.Context, changes ...flow.NotificationChange) error {
			err := s.SaveNotifications(ctx, changes...)
			for i := range changes {
				changes[i].Notification.Version++
			}
			return err
		}}
	}},
	{"a claim gives what was given before once more", "a notification is given to one claim only", func(s flow.Store) flow.Store {
		var mu sync.Mutex
		var last []flow.Notification
		return altered{Store: s, claim: func(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
			f, claimed, err := s.Claim(ctx, claim)
			mu.Lock()
			defer mu.Unlock()
			if len(last) > 0 && len(claimed) > 0 && last[0].FlowID == claimed[0].FlowID {
				claimed = append(claimed, last[0])
			}
			last = slices.Clone(claimed)
			return f, claimed, err
		}}
	}},
	{"a claim loses what it takes", "a notification is given to one claim only", func(s flow.Store) flow.Store {
		return altered{Store: s, claim: func(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
			f, claimed, err := s.Claim(ctx, claim)
			return f, claimed[:len(claimed)-len(claimed)/2], err
		}}
	}},
	{"the version is looked at first, and written later", "of those who change one version, one succeeds", func(s flow.Store) flow.Store {
		// All that come within a moment have seen the same version.
		return altered{Store: s, saveNotifications: func(ctx context.Context, changes ...flow.NotificationChange) error {
			changes = slices.Clone(changes)
			for i, c := range changes {
				if c.Notification.Version != current(s, c.Notification.ID) {
					return flussi.ErrConflict
				}
				time.Sleep(time.Millisecond)
				for {
					changes[i].Notification.Version = current(s, c.Notification.ID)
					if err := s.SaveNotifications(ctx, changes[i]); !errors.Is(err, flussi.ErrConflict) {
						break
					}
				}
			}
			return ctx.Err()
		}}
	}},
	{"of those who create, all succeed", "of those who create one entity, one succeeds", func(s flow.Store) flow.Store {
		return altered{Store: s, saveFlow: func(ctx context.Context, change flow.FlowChange, notifications sequence) error {
			err := s.SaveFlow(ctx, change, notifications)
			if errors.Is(err, flussi.ErrConflict) && change.Flow.Version == 0 {
				return nil
			}
			return err
		}}
	}},
	{"a change wins over a claim", "a claim and a change of one version do not both happen", func(s flow.Store) flow.Store {
		return written(s, noFlowChange, func(c *flow.NotificationChange) {
			if old, err := s.Notification(context.Background(), c.Notification.ID); err == nil && c.Notification.Disabled {
				c.Notification.Version = old.Version
			}
		})
	}},
	{"who comes at the same time is turned away", "changes that do not meet all succeed, and are counted", func(s flow.Store) flow.Store {
		var busy sync.Mutex
		return altered{Store: s, saveNotifications: func(ctx context.Context, changes ...flow.NotificationChange) error {
			if !busy.TryLock() {
				return errors.New("database is locked")
			}
			defer busy.Unlock()
			time.Sleep(time.Microsecond)
			return s.SaveNotifications(ctx, changes...)
		}}
	}},
	{"counts are added up while they change", "counts are of one moment", func(s flow.Store) flow.Store {
		return altered{Store: s, flow: func(ctx context.Context, id uuid.UUID) (flow.Flow, error) {
			before, _ := s.Flow(ctx, id)
			time.Sleep(time.Microsecond)
			f, err := s.Flow(ctx, id)
			f.Counts.Registered = before.Counts.Registered
			return f, err
		}}
	}},
	{"an exchange claims, and then stores", "an exchange stores, and then claims", func(s flow.Store) flow.Store {
		return exchanging{s, func(ctx context.Context, changes []flow.NotificationChange, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
			f, claimed, err := s.Claim(ctx, claim)
			return f, claimed, errors.Join(err, s.SaveNotifications(ctx, changes...))
		}}
	}},
	{"an exchange with a flow that is disabled stores nothing", "an exchange stores, and then claims", func(s flow.Store) flow.Store {
		return exchanging{s, func(ctx context.Context, changes []flow.NotificationChange, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
			if f, err := s.Flow(ctx, claim.Flow); err != nil || !mayClaim(f) {
				return f, nil, err
			}
			return s.(flow.SaveAndClaimer).SaveAndClaim(ctx, changes, claim)
		}}
	}},
	{"an exchange claims although it stored nothing", "an exchange stores and claims together or not at all", func(s flow.Store) flow.Store {
		return exchanging{s, func(ctx context.Context, changes []flow.NotificationChange, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
			failed := s.SaveNotifications(ctx, changes...)
			f, claimed, err := s.Claim(ctx, claim)
			return f, claimed, errors.Join(failed, err)
		}}
	}},
	{"an exchange stores although it claimed nothing", "an exchange stores and claims together or not at all", func(s flow.Store) flow.Store {
		return exchanging{s, func(ctx context.Context, changes []flow.NotificationChange, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
			if err := s.SaveNotifications(ctx, changes...); err != nil {
				return flow.Flow{}, nil, err
			}
			return s.Claim(ctx, claim)
		}}
	}},
	{"it panics", "a lease that is over is found", func(s flow.Store) flow.Store {
		return altered{Store: s, expired: func(context.Context, int) ([]flow.Notification, error) { panic("no such query") }}
	}},
}
