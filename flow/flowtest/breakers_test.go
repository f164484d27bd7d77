package flowtest_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/brokenstore"
)

const textsRule = "texts are kept to the last character"

// cut returns the first 250 characters of a text.
func cut(text string) string {
	runes := []rune(text)
	return string(runes[:min(len(runes), 250)])
}

// atMostAnHour returns a lease, but none if it is longer than an hour.
func atMostAnHour(lease time.Duration) time.Duration {
	if lease > time.Hour {
		return 0
	}
	return lease
}

// enabledUnlessKnown returns OnlyEnabled in place of an unknown value.
func enabledUnlessKnown(d flow.DisabledFilter) flow.DisabledFilter {
	if d == flow.AnyDisabled || d == flow.OnlyDisabled {
		return d
	}
	return flow.OnlyEnabled
}

// breakers break the rules that only this store has, or fields that only its entities have.
var breakers = []breaker{
	{"two fields change places", "a notification is read as it was stored",
		viewed.ReadChildren(func(n *flow.Notification) {
			n.UpdatedBy, n.Reference = n.Reference, n.UpdatedBy
		})},
	{"the error of a flow is cut at 250 characters", textsRule,
		viewed.WrittenParents(func(c *flowChange, _ flow.Flow) {
			c.Entity.Error = cut(c.Entity.Error)
		})},
	{"the error of a notification is cut at 250 characters", textsRule,
		viewed.WrittenChildren(func(c *notificationChange, _ flow.Notification) {
			c.Entity.Transmission.Error = cut(c.Entity.Transmission.Error)
		})},
	{"unknown states are Errore", "states, codes and actions that are unknown are kept",
		viewed.ReadChildren(func(n *flow.Notification) {
			switch n.State {
			case flow.NotificationRegistered, flow.NotificationSending, flow.NotificationSent:
			default:
				n.State = flow.NotificationFailed
			}
		})},
	{"what is disabled is counted by its state", "the counts of a flow are those of its notifications",
		viewed.ReadParents(func(f *flow.Flow) {
			f.Counts.Registered, f.Counts.Disabled = f.Counts.Registered+f.Counts.Disabled, 0
		})},
	{"a claim writes no record", "a claim has its record", withoutRecords(flow.NotificationClaim)},
	{"the newest are claimed first", "a claim takes the oldest, by time of creation and then ID",
		claimWhere(mayClaim, registered, true)},
	{"a claim returns the newest first", orderRule,
		returns("Claim", func(_ call, r *reply) { slices.Reverse(r.all) })},
	{"SaveAndClaim returns the newest first", orderRule,
		returns("SaveAndClaim", func(_ call, r *reply) { slices.Reverse(r.all) })},
	{"a claim of 0 is one of 1", "a claim takes as many as it may, and no more",
		sends("Claim", func(c *call) {
			c.claim.Limit = max(c.claim.Limit, 1)
		})},
	{"a claim takes what is in Errore, too", "a claim takes only what is Registrato",
		claimAlso(func(q *flow.NotificationFilter) {
			q.States = []flow.NotificationState{flow.NotificationRegistered, flow.NotificationFailed}
		})},
	{"a claim takes what is disabled, too", "a claim takes nothing that is disabled",
		claimAlso(func(q *flow.NotificationFilter) { q.Disabled = flow.AnyDisabled })},
	{"a claim takes what stands alone", "a claim takes only what belongs to its flow",
		claimAlso(func(q *flow.NotificationFilter) { q.Standalone = true })},
	{"a claim does not look at the flow's state", "a claim takes nothing unless its flow is In invio",
		claimWhere(func(f flow.Flow) bool { return !f.Disabled && f.Error == "" }, registered, false)},
	{"a claim does not see that the flow is disabled", "a claim takes nothing of a flow that is disabled",
		claimWhere(func(f flow.Flow) bool { return f.State == flow.FlowSending && f.Error == "" }, registered, false)},
	{"a claim does not see that the flow was stopped", "a claim takes nothing of a flow that has an error",
		claimWhere(func(f flow.Flow) bool { return f.State == flow.FlowSending && !f.Disabled }, registered, false)},
	{"a claim returns what was before it", "a claim changes what it takes, and nothing else",
		returns("Claim", func(c call, r *reply) {
			for i := range r.all {
				r.all[i].State = flow.NotificationRegistered
				r.all[i].Version--
			}
		})},
	{"a claim keeps who changed it last", "a claim changes what it takes, and nothing else",
		sends("Claim", func(c *call) {
			c.claim.By = "system"
		})},
	{"a claim gives the flow without counts", "a claim gives the flow with its counts afterwards",
		returns("Claim", func(c call, r *reply) {
			r.flow.Counts = flow.Counts{}
		})},
	{"a claim gives the flow with its counts before", "a claim gives the flow with its counts afterwards",
		on("Claim", func(c call) reply {
			before, _ := c.store.Flow(c.ctx, c.claim.Flow)
			r := c.do()
			r.flow.Counts = before.Counts
			return r
		})},
	{"nothing is claimed twice, not even what was given back", "what was given back can be claimed again",
		func(s flow.Store) flow.Store {
			var mu sync.Mutex
			taken := map[uuid.UUID]bool{}
			return on("Claim", func(c call) reply {
				r := c.do()
				mu.Lock()
				defer mu.Unlock()
				r.all = slices.DeleteFunc(r.all, func(n flow.Notification) bool {
					was := taken[n.ID]
					taken[n.ID] = true
					return was
				})
				return r
			})(s)
		}},
	{"a claim of a flow that is not there is empty", "a claim of a flow that is not there finds none",
		forgives("Claim", flussi.ErrNotFound)},
	{"no lease is ever over", "a lease that is over is found", on("Expired", func(c call) reply { return reply{err: c.ctx.Err()} })},
	{"what stands alone has no lease", "a lease that is over is found",
		returns("Expired", func(_ call, r *reply) {
			r.all = slices.DeleteFunc(r.all, func(n flow.Notification) bool { return n.FlowID == uuid.Nil })
		})},
	{"only what was claimed has a lease", "a lease that is over is found",
		viewed.WrittenChildren(func(c *notificationChange, _ flow.Notification) {
			c.Lease = time.Hour
		})},
	{"leases are always over", "a lease that is not over is not found",
		on("Expired", func(c call) (r reply) {
			filter := flow.NotificationFilter{States: []flow.NotificationState{flow.NotificationSending}}
			r.all, r.err = c.store.Notifications(c.ctx, filter, flow.Page{Limit: c.limit})
			return r
		})},
	{"a lease of more than an hour is over at once", "a lease that is not over is not found",
		viewed.WrittenChildren(func(c *notificationChange, _ flow.Notification) {
			c.Lease = atMostAnHour(c.Lease)
		})},
	{"a claim for more than an hour is over at once", "a lease that is not over is not found",
		sends("Claim", func(c *call) { c.claim.Lease = atMostAnHour(c.claim.Lease) })},
	{"a refused change gives its lease", "a lease that is not over is not found",
		func(s flow.Store) flow.Store {
			var mu sync.Mutex
			over := map[uuid.UUID]bool{}
			s = returns("SaveNotifications", func(c call, r *reply) {
				mu.Lock()
				defer mu.Unlock()
				for _, change := range c.changes {
					over[change.Notification.ID] = errors.Is(r.err, flussi.ErrConflict) && change.Lease < time.Second
				}
			})(s)
			return returns("Expired", func(c call, r *reply) {
				mu.Lock()
				defer mu.Unlock()
				for id, is := range over {
					if n, missing := c.store.Notification(c.ctx, id); is && missing == nil {
						r.all = append(r.all, n)
					}
				}
			})(s)
		}},
	{"a lease stays when the state changes", "a lease ends with the state In invio",
		func(s flow.Store) flow.Store {
			var mu sync.Mutex
			found := map[uuid.UUID]bool{}
			return returns("Expired", func(c call, r *reply) {
				mu.Lock()
				defer mu.Unlock()
				for _, n := range r.all {
					found[n.ID] = true
				}
				for id := range found {
					n, err := c.store.Notification(c.ctx, id)
					if err == nil && n.State != flow.NotificationSending && len(r.all) < c.limit {
						r.all = append(r.all, n)
					}
				}
			})(s)
		}},
	{"a lease is given once", "storing In invio again gives a new lease",
		viewed.WrittenChildren(func(c *notificationChange, old flow.Notification) {
			if old.State == flow.NotificationSending {
				c.Lease = time.Nanosecond
			}
		})},
	{"all expired leases are given", "no more expired leases are given than asked for",
		sends("Expired", func(c *call) { c.limit = math.MaxInt })},
	{"a claim goes by what the flow was before", "a claim happens wholly before or wholly after a change of its flow",
		func(s flow.Store) flow.Store {
			return on("Claim", func(c call) (r reply) {
				r.flow, r.err = c.store.Flow(c.ctx, c.claim.Flow)
				if r.err != nil || r.flow.State != flow.FlowSending || r.flow.Error != "" {
					return r
				}
				time.Sleep(2 * brokenstore.Moment) // in which the flow is stopped
				filter := registered
				filter.Flow = c.claim.Flow
				found, err := c.store.Notifications(c.ctx, filter, flow.Page{Limit: 100})
				if err != nil || len(found) == 0 {
					return reply{flow: r.flow, err: err}
				}
				n := found[rand.IntN(len(found))]
				n.State = flow.NotificationSending
				r.err = c.store.SaveNotifications(c.ctx, flow.NotificationChange{Notification: n, Lease: c.claim.Lease})
				r.all = found[:1]
				return r
			})(viewed(brokenstore.Late)(s))
		}},
	{"a field of the flows' filter is not looked at", "flows are found by each field of the filter",
		viewed.Parents(brokenstore.Asks[flow.Flow](func(q *flow.FlowFilter) { q.AppContext = "" }))},
	{"an unknown value of Disabled finds what is enabled", "flows are found by each field of the filter",
		viewed.Parents(brokenstore.Asks[flow.Flow](func(q *flow.FlowFilter) { q.Disabled = enabledUnlessKnown(q.Disabled) }))},
	{"an unknown value of Disabled finds enabled notifications", "notifications are found by each field of the filter",
		viewed.Children(brokenstore.Asks[flow.Notification](func(q *flow.NotificationFilter) { q.Disabled = enabledUnlessKnown(q.Disabled) }))},
	{"what begins at the time is scheduled before it", "flows are found by each field of the filter",
		viewed.Parents(brokenstore.Asks[flow.Flow](func(q *flow.FlowFilter) {
			if !q.ScheduledBefore.IsZero() {
				q.ScheduledBefore = q.ScheduledBefore.Add(time.Microsecond)
			}
		}))},
	{"flows that are not scheduled were scheduled long ago", "flows are found by each field of the filter",
		viewed.Parents(brokenstore.Searches(func(q *flow.FlowFilter) func(flow.Flow) bool {
			before := q.ScheduledBefore
			q.ScheduledBefore = time.Time{}
			return func(f flow.Flow) bool { return before.IsZero() || f.NotBefore.Before(before) }
		}))},
	{"with a recipient, the state is not looked at", "notifications are found by fields of the filter together",
		viewed.Children(brokenstore.Asks[flow.Notification](func(q *flow.NotificationFilter) {
			if !q.Recipient.IsZero() {
				q.States, q.Disabled, q.DeliveryOpen = nil, flow.AnyDisabled, false
			}
		}))},
	{"only English letters have two cases", "a text is found whatever its case",
		searched(brokenstore.InEnglish)},
	{"wildcards are wild", "a text that is looked for stands for itself",
		searched(brokenstore.Like)},
	{"Claim does not look at its context", "a context that has ended is refused, and nothing changes",
		unheeding("Claim")},
	{"Expired does not look at its context", "a context that has ended is refused, and nothing changes",
		unheeding("Expired")},
	{"the end of a claim's context is looked at too late", "a context that has ended is refused, and nothing changes",
		on("Claim", func(c call) reply {
			ctx := c.ctx
			c.ctx = context.WithoutCancel(ctx)
			r := c.do()
			r.err = errors.Join(r.err, ctx.Err())
			return r
		})},
	{"the history is the store's own slice", "what is returned is the caller's",
		func(s flow.Store) flow.Store {
			own := brokenstore.OwnSlice(s.NotificationHistory)
			return on("NotificationHistory", func(c call) (r reply) {
				r.records, r.err = own(c.ctx, c.id)
				return r
			})(s)
		}},
	{"what is given is changed", "what is given stays the caller's", returns("SaveNotifications", func(c call, r *reply) {
		for i := range c.changes {
			c.changes[i].Notification.Version++
		}
	})},
	{"a claim gives what was given before once more", "a notification is given to one claim only",
		func(s flow.Store) flow.Store {
			var mu sync.Mutex
			var last []flow.Notification
			return returns("Claim", func(c call, r *reply) {
				mu.Lock()
				defer mu.Unlock()
				if len(last) > 0 && len(r.all) > 0 && last[0].FlowID == r.all[0].FlowID {
					r.all = append(r.all, last[0])
				}
				last = slices.Clone(r.all)
			})(s)
		}},
	{"a claim loses what it takes", "a notification is given to one claim only",
		returns("Claim", func(_ call, r *reply) { r.all = r.all[:len(r.all)/2] })},
	{"a change wins over a claim", "a claim and a change of one version do not both happen",
		func(s flow.Store) flow.Store {
			wins := viewed.WrittenChildren(func(c *notificationChange, old flow.Notification) {
				if old.Version > 0 && c.Entity.Disabled {
					c.Entity.Version = old.Version
				}
			})(s)
			var mu sync.Mutex
			return on("SaveNotifications", func(c call) reply {
				mu.Lock()
				defer mu.Unlock()
				return c.do()
			})(wins)
		}},
	{"counts are added up while they change", "counts are of one moment",
		func(s flow.Store) flow.Store {
			adding := viewed(func(m methods) methods {
				get := m.Parents.Get
				m.Parents.Get = func(ctx context.Context, id uuid.UUID) (flow.Flow, error) {
					before, _ := get(ctx, id)
					time.Sleep(2 * brokenstore.Moment)
					f, err := get(ctx, id)
					f.Counts.Registered = before.Counts.Registered
					return f, err
				}
				return m
			})(s)
			return sends("Claim", func(c *call) {
				time.Sleep(brokenstore.Moment)
			})(adding)
		}},
	{"SaveAndClaim claims, and then stores", "SaveAndClaim stores, and then claims",
		on("SaveAndClaim", func(c call) reply {
			r := c.as("Claim")
			r.err = errors.Join(r.err, c.as("SaveNotifications").err)
			return r
		})},
	{"SaveAndClaim with a flow that is disabled stores nothing", "SaveAndClaim stores, and then claims",
		on("SaveAndClaim", func(c call) reply {
			if f, err := c.store.Flow(c.ctx, c.claim.Flow); err != nil || !mayClaim(f) {
				return reply{flow: f, err: err}
			}
			return c.do()
		})},
	{"SaveAndClaim stores 30 at most", "SaveAndClaim stores and claims hundreds whole",
		sends("SaveAndClaim", func(c *call) { c.changes = c.changes[:min(len(c.changes), 30)] })},
	{"SaveAndClaim claims 100 at most", "SaveAndClaim stores and claims hundreds whole",
		sends("SaveAndClaim", func(c *call) { c.claim.Limit = min(c.claim.Limit, 100) })},
	{"SaveAndClaim claims although it stored nothing", "SaveAndClaim stores and claims together or not at all",
		on("SaveAndClaim", func(c call) reply {
			failed := c.as("SaveNotifications").err
			r := c.as("Claim")
			r.err = errors.Join(failed, r.err)
			return r
		})},
	{"SaveAndClaim stores although it claimed nothing", "SaveAndClaim stores and claims together or not at all",
		on("SaveAndClaim", func(c call) reply {
			if r := c.as("SaveNotifications"); r.err != nil {
				return r
			}
			return c.as("Claim")
		})},
	{"it panics", "a lease that is over is found", on("Expired", func(call) reply { panic("no such query") })},
}
