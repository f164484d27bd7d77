package flowtest_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/brokenstore"
)

// breakers break the rules that only this store has, or fields that only its entities have.
var breakers = []breaker{
	{"a field of the flow has no column", "a flow is read as it was stored",
		viewed.WrittenParents(func(c *flowChange, _ flow.Flow) { c.Entity.AppKey = "" })},
	{"a field of the notification is written when it is created, and never again", "a notification is read as it was stored",
		viewed.WrittenChildren(func(c *notificationChange, old flow.Notification) {
			if old.Version > 0 {
				c.Entity.Payee = old.Payee
			}
		})},
	{"two fields change places", "a notification is read as it was stored",
		viewed.ReadChildren(func(n *flow.Notification) {
			n.UpdatedBy, n.Reference = n.Reference, n.UpdatedBy
		})},
	{"texts are cut at 4,000 characters", "texts are kept to the last character",
		viewed.WrittenChildren(func(c *notificationChange, _ flow.Notification) {
			if runes := []rune(c.Entity.Content.Reveal()); len(runes) > 4000 {
				c.Entity.Content = flussi.NewText(string(runes[:4000]))
			}
		})},
	{"spaces at the end are lost", "texts are kept to the last character",
		viewed.WrittenParents(func(c *flowChange, _ flow.Flow) {
			c.Entity.AppContext = strings.TrimRight(c.Entity.AppContext, " ")
		})},
	{"times are local", "times are kept to the microsecond, and given in UTC",
		viewed.ReadChildren(func(n *flow.Notification) {
			n.DueDate = n.DueDate.In(time.FixedZone("CET", 3600))
		})},
	{"times are cut at the second", "times are kept to the microsecond, and given in UTC",
		viewed.ReadParents(func(f *flow.Flow) {
			f.UpdatedAt = f.UpdatedAt.Truncate(time.Second)
		})},
	{"times lose their zone, and are taken for UTC", "times are kept to the microsecond, and given in UTC",
		viewed.WrittenChildren(func(c *notificationChange, _ flow.Notification) {
			t := c.Entity.DueDate
			c.Entity.DueDate = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
		})},
	{"no time is 1970", "a time that is zero stays zero",
		viewed.ReadChildren(func(n *flow.Notification) {
			if n.AnonymisedAt.IsZero() {
				n.AnonymisedAt = time.Unix(0, 0).UTC()
			}
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
	{"a claim writes no record", "a claim has its record", func(s flow.Store) flow.Store {
		return altered{Store: s, notificationHistory: func(ctx context.Context, id uuid.UUID) ([]flow.NotificationRecord, error) {
			records, err := s.NotificationHistory(ctx, id)
			return slices.DeleteFunc(records, func(r flow.NotificationRecord) bool { return r.Action == flow.NotificationClaim }), err
		}}
	}},
	{"the newest are claimed first", "a claim takes the oldest, by time of creation and then ID",
		func(s flow.Store) flow.Store {
			return claimWhere(s, mayClaim, registered, true)
		}},
	{"a claim of 0 is one of 1", "a claim takes as many as it may, and no more",
		func(s flow.Store) flow.Store {
			return altered{Store: s, claim: func(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
				claim.Limit = max(claim.Limit, 1)
				return s.Claim(ctx, claim)
			}}
		}},
	{"a claim takes what is in Errore, too", "a claim takes only what is Registrato",
		func(s flow.Store) flow.Store {
			filter := registered
			filter.States = []flow.NotificationState{flow.NotificationRegistered, flow.NotificationFailed}
			return claimWhere(s, mayClaim, filter, false)
		}},
	{"a claim takes what is disabled, too", "a claim takes nothing that is disabled",
		func(s flow.Store) flow.Store {
			filter := registered
			filter.Disabled = flow.AnyDisabled
			return claimWhere(s, mayClaim, filter, false)
		}},
	{"a claim takes what stands alone", "a claim takes only what belongs to its flow",
		func(s flow.Store) flow.Store {
			filter := registered
			filter.Standalone = true
			return claimWhere(s, mayClaim, filter, false)
		}},
	{"a claim does not look at the flow's state", "a claim takes nothing unless its flow is In invio",
		func(s flow.Store) flow.Store {
			return claimWhere(s, func(f flow.Flow) bool { return !f.Disabled && f.Error == "" }, registered, false)
		}},
	{"a claim does not see that the flow is disabled", "a claim takes nothing of a flow that is disabled",
		func(s flow.Store) flow.Store {
			return claimWhere(s, func(f flow.Flow) bool { return f.State == flow.FlowSending && f.Error == "" }, registered, false)
		}},
	{"a claim does not see that the flow was stopped", "a claim takes nothing of a flow that has an error",
		func(s flow.Store) flow.Store {
			return claimWhere(s, func(f flow.Flow) bool { return f.State == flow.FlowSending && !f.Disabled }, registered, false)
		}},
	{"a claim returns what was before it", "a claim changes what it takes, and nothing else",
		func(s flow.Store) flow.Store {
			return altered{Store: s, claim: func(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
				f, claimed, err := s.Claim(ctx, claim)
				for i := range claimed {
					claimed[i].State = flow.NotificationRegistered
					claimed[i].Version--
				}
				return f, claimed, err
			}}
		}},
	{"a claim keeps who changed it last", "a claim changes what it takes, and nothing else",
		func(s flow.Store) flow.Store {
			return altered{Store: s, claim: func(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
				claim.By = "system"
				return s.Claim(ctx, claim)
			}}
		}},
	{"a claim gives the flow without counts", "a claim gives the flow with its counts afterwards",
		func(s flow.Store) flow.Store {
			return altered{Store: s, claim: func(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
				f, claimed, err := s.Claim(ctx, claim)
				f.Counts = flow.Counts{}
				return f, claimed, err
			}}
		}},
	{"a claim gives the flow with its counts before", "a claim gives the flow with its counts afterwards",
		func(s flow.Store) flow.Store {
			return altered{Store: s, claim: func(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
				before, _ := s.Flow(ctx, claim.Flow)
				f, claimed, err := s.Claim(ctx, claim)
				f.Counts = before.Counts
				return f, claimed, err
			}}
		}},
	{"nothing is claimed twice, not even what was given back", "what was given back can be claimed again",
		func(s flow.Store) flow.Store {
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
	{"a claim of a flow that is not there is empty", "a claim of a flow that is not there finds none",
		func(s flow.Store) flow.Store {
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
	{"what stands alone has no lease", "a lease that is over is found",
		func(s flow.Store) flow.Store {
			return altered{Store: s, expired: func(ctx context.Context, limit int) ([]flow.Notification, error) {
				ns, err := s.Expired(ctx, limit)
				return slices.DeleteFunc(ns, func(n flow.Notification) bool { return n.FlowID == uuid.Nil }), err
			}}
		}},
	{"only what was claimed has a lease", "a lease that is over is found",
		viewed.WrittenChildren(func(c *notificationChange, _ flow.Notification) {
			c.Lease = time.Hour
		})},
	{"leases are always over", "a lease that is not over is not found",
		func(s flow.Store) flow.Store {
			return altered{Store: s, expired: func(ctx context.Context, limit int) ([]flow.Notification, error) {
				return s.Notifications(ctx, flow.NotificationFilter{States: []flow.NotificationState{flow.NotificationSending}}, flow.Page{Limit: limit})
			}}
		}},
	{"a refused change gives its lease", "a lease that is not over is not found",
		func(s flow.Store) flow.Store {
			var mu sync.Mutex
			over := map[uuid.UUID]bool{}
			return altered{Store: s, saveNotifications: func(ctx context.Context, changes ...flow.NotificationChange) error {
				err := s.SaveNotifications(ctx, changes...)
				mu.Lock()
				defer mu.Unlock()
				for _, c := range changes {
					over[c.Notification.ID] = errors.Is(err, flussi.ErrConflict) && c.Lease < time.Second
				}
				return err
			}, expired: func(ctx context.Context, limit int) ([]flow.Notification, error) {
				mu.Lock()
				defer mu.Unlock()
				ns, err := s.Expired(ctx, limit)
				for id, is := range over {
					if n, missing := s.Notification(ctx, id); is && missing == nil {
						ns = append(ns, n)
					}
				}
				return ns, err
			}}
		}},
	{"a lease stays when the state changes", "a lease ends with the state In invio",
		func(s flow.Store) flow.Store {
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
	{"a lease is given once", "storing In invio again gives a new lease",
		viewed.WrittenChildren(func(c *notificationChange, old flow.Notification) {
			if old.State == flow.NotificationSending {
				c.Lease = time.Nanosecond
			}
		})},
	{"all expired leases are given", "no more expired leases are given than asked for",
		func(s flow.Store) flow.Store {
			return altered{Store: s, expired: func(ctx context.Context, _ int) ([]flow.Notification, error) {
				return s.Expired(ctx, math.MaxInt)
			}}
		}},
	{"a claim goes by what the flow was before", "a claim happens wholly before or wholly after a change of its flow",
		func(s flow.Store) flow.Store {
			s = viewed(brokenstore.Late)(s)
			return altered{Store: s, claim: func(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
				f, err := s.Flow(ctx, claim.Flow)
				if err != nil || f.State != flow.FlowSending || f.Error != "" {
					return f, nil, err
				}
				time.Sleep(2 * brokenstore.Moment) // in which the flow is stopped
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
	{"a field of the flows' filter is not looked at", "flows are found by each field of the filter",
		viewed.Parents(brokenstore.Asks[flow.Flow](func(q *flow.FlowFilter) { q.AppContext = "" }))},
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
		func(s flow.Store) flow.Store {
			return altered{Store: s, claim: func(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
				return s.Claim(context.WithoutCancel(ctx), claim)
			}}
		}},
	{"Expired does not look at its context", "a context that has ended is refused, and nothing changes",
		func(s flow.Store) flow.Store {
			return altered{Store: s, expired: func(ctx context.Context, limit int) ([]flow.Notification, error) {
				return s.Expired(context.WithoutCancel(ctx), limit)
			}}
		}},
	{"the end of a claim's context is looked at too late", "a context that has ended is refused, and nothing changes",
		func(s flow.Store) flow.Store {
			return altered{Store: s, claim: func(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
				f, claimed, err := s.Claim(context.WithoutCancel(ctx), claim)
				return f, claimed, errors.Join(err, ctx.Err())
			}}
		}},
	{"the history is the store's own slice", "what is returned is the caller's",
		func(s flow.Store) flow.Store {
			return altered{Store: s, notificationHistory: brokenstore.OwnSlice(s.NotificationHistory)}
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
	{"a claim gives what was given before once more", "a notification is given to one claim only",
		func(s flow.Store) flow.Store {
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
	{"a claim loses what it takes", "a notification is given to one claim only",
		func(s flow.Store) flow.Store {
			return altered{Store: s, claim: func(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
				f, claimed, err := s.Claim(ctx, claim)
				return f, claimed[:len(claimed)-len(claimed)/2], err
			}}
		}},
	{"a change wins over a claim", "a claim and a change of one version do not both happen",
		func(s flow.Store) flow.Store {
			wins := viewed.WrittenChildren(func(c *notificationChange, old flow.Notification) {
				if old.Version > 0 && c.Entity.Disabled {
					c.Entity.Version = old.Version
				}
			})(s)
			var mu sync.Mutex
			return altered{Store: wins, saveNotifications: func(ctx context.Context, changes ...flow.NotificationChange) error {
				mu.Lock()
				defer mu.Unlock()
				return wins.SaveNotifications(ctx, changes...)
			}}
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
			return altered{Store: adding, claim: func(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
				time.Sleep(brokenstore.Moment)
				return s.Claim(ctx, claim)
			}}
		}},
	{"an exchange claims, and then stores", "an exchange stores, and then claims",
		func(s flow.Store) flow.Store {
			return exchanging{s, func(ctx context.Context, changes []flow.NotificationChange, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
				f, claimed, err := s.Claim(ctx, claim)
				return f, claimed, errors.Join(err, s.SaveNotifications(ctx, changes...))
			}}
		}},
	{"an exchange with a flow that is disabled stores nothing", "an exchange stores, and then claims",
		func(s flow.Store) flow.Store {
			return exchanging{s, func(ctx context.Context, changes []flow.NotificationChange, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
				if f, err := s.Flow(ctx, claim.Flow); err != nil || !mayClaim(f) {
					return f, nil, err
				}
				return s.(flow.SaveAndClaimer).SaveAndClaim(ctx, changes, claim)
			}}
		}},
	{"an exchange claims although it stored nothing", "an exchange stores and claims together or not at all",
		func(s flow.Store) flow.Store {
			return exchanging{s, func(ctx context.Context, changes []flow.NotificationChange, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
				failed := s.SaveNotifications(ctx, changes...)
				f, claimed, err := s.Claim(ctx, claim)
				return f, claimed, errors.Join(failed, err)
			}}
		}},
	{"an exchange stores although it claimed nothing", "an exchange stores and claims together or not at all",
		func(s flow.Store) flow.Store {
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
