package flowtest_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/brokenstore"
)

// The rules that the breakers below break.
const (
	skipRule         = "a claim makes a notification Errore if another one may have brought its message"
	takeRule         = "a claim takes a notification if no other one may have brought its message"
	skippedRule      = "a claim returns, records and counts what was sent already"
	orderRule        = "a claim returns what it takes, In invio and in Errore mixed, by time of creation and then ID"
	limitRule        = "a notification that was sent already counts toward the limit of a claim"
	firstRule        = "of two with one message in a claim, the first is taken"
	repeatRule       = "a claim takes a notification that may be repeated"
	releaseRule      = "a message can be sent once no notification with it may have arrived"
	editRule         = "an edit changes the message of a notification"
	saveAndClaimRule = "SaveAndClaim claims by the outcomes that it stores"
	refuseRule       = "a write that makes a notification In invio is refused if another one may have brought its message"
	storeRule        = "a write that makes a notification In invio is stored if no other one may have brought its message"
	otherRule        = "a write that makes no notification In invio is never refused as sent already"
	wholeRule        = "a write is judged by the notifications as they are after it"
	winnerRule       = "of those with one message that become In invio at once, one succeeds"
)

// arrivedUnless makes a model that misses some notifications that may have arrived.
func arrivedUnless(unless func(n flow.Notification) bool) func(flow.Store) flow.Store {
	return broken(func(m *model) {
		m.arrived = func(n flow.Notification) bool { return n.MayHaveArrived() && !unless(n) }
	})
}

// arrivedAlso makes a model by which other notifications may have arrived, too.
func arrivedAlso(also func(n flow.Notification) bool) func(flow.Store) flow.Store {
	return broken(func(m *model) {
		m.arrived = func(n flow.Notification) bool { return n.MayHaveArrived() || also(n) }
	})
}

func isInvio(n flow.Notification) bool { return n.State == flow.NotificationSending }
func isSent(n flow.Notification) bool  { return n.State == flow.NotificationSent }
func isUnknown(n flow.Notification) bool {
	return n.State == flow.NotificationFailed && n.Transmission.ErrorCode == flow.CodeOutcomeUnknown
}
func isRegistered(n flow.Notification) bool { return n.State == flow.NotificationRegistered }

// skipsAs makes a model whose claims do not make the change of AlreadySent.
func skipsAs(change func(c *flow.NotificationChange, n, earlier flow.Notification)) func(flow.Store) flow.Store {
	return broken(func(m *model) {
		m.skip = func(n, earlier flow.Notification, claim flow.Claim) flow.NotificationChange {
			c := n.SkipAlreadySent(earlier, claim.At, claim.By)
			change(&c, n, earlier)
			return c
		}
	})
}

var sentBreakers = []breaker{
	{"a claim looks at no others", skipRule, broken(func(m *model) { m.claimsBlindly = true })},
	{"a notification that is In invio did not arrive", skipRule, arrivedUnless(isInvio)},
	{"a notification that is Inviato did not arrive", skipRule, arrivedUnless(isSent)},
	{"a notification that is Inviato and disabled did not arrive", skipRule,
		arrivedUnless(func(n flow.Notification) bool { return isSent(n) && n.Disabled })},
	{"an unknown outcome is none", skipRule, arrivedUnless(isUnknown)},
	{"an unknown outcome that is disabled is none", skipRule,
		arrivedUnless(func(n flow.Notification) bool { return isUnknown(n) && n.Disabled })},
	{"what stands alone did not arrive", skipRule,
		arrivedUnless(func(n flow.Notification) bool { return n.FlowID == uuid.Nil })},
	{"only the flow itself is looked at", skipRule, broken(func(m *model) {
		same := m.same
		m.same = func(earlier, n flow.Notification) bool { return earlier.FlowID == n.FlowID && same(earlier, n) }
	})},
	{"texts are compared to the letter", skipRule, broken(func(m *model) {
		same := m.same
		m.same = func(earlier, n flow.Notification) bool { return same(earlier, n) && earlier.Subject == n.Subject }
	})},
	{"one that was sent already stays Registrato", skipRule,
		skipsAs(func(c *flow.NotificationChange, n, _ flow.Notification) {
			c.Notification.State = n.State
		})},
	{"one that was sent already names none", skipRule,
		skipsAs(func(c *flow.NotificationChange, _, _ flow.Notification) {
			c.Notification.Transmission.EarlierID = uuid.Nil
		})},
	{"one that was sent already names itself", skipRule,
		skipsAs(func(c *flow.NotificationChange, n, _ flow.Notification) {
			c.Notification.Transmission.EarlierID = n.ID
		})},
	{"one that was sent already has another text", skipRule,
		skipsAs(func(c *flow.NotificationChange, _, _ flow.Notification) {
			c.Notification.Transmission.Error = flow.CodeAlreadySent.Italian()
		})},
	{"one that was sent already keeps who changed it last", skipRule,
		skipsAs(func(c *flow.NotificationChange, n, _ flow.Notification) {
			c.Notification.UpdatedAt, c.Notification.UpdatedBy = n.UpdatedAt, n.UpdatedBy
		})},
	{"one that was sent already has the record of a claim", skipRule,
		skipsAs(func(c *flow.NotificationChange, _, _ flow.Notification) {
			c.Record.Action = flow.NotificationClaim
		})},
	{"the record of one that was sent already has no reason", skipRule,
		skipsAs(func(c *flow.NotificationChange, _, _ flow.Notification) {
			c.Record.Reason = flow.NotificationRecord{}.Reason
		})},
	{"the record of one that was sent already is of now", skipRule,
		skipsAs(func(c *flow.NotificationChange, _, _ flow.Notification) {
			c.Record.At = time.Now()
		})},
	{"one is named that only has the message", releaseRule, broken(func(m *model) {
		m.skip = func(n, earlier flow.Notification, claim flow.Claim) flow.NotificationChange {
			return n.SkipAlreadySent(m.find(n)[0], claim.At, claim.By)
		}
	})},
	{"one that was sent already is not stored", skipRule, func(s flow.Store) flow.Store {
		m := newModel(s)
		before := map[uuid.UUID]flow.Notification{}
		m.skip = func(n, earlier flow.Notification, claim flow.Claim) flow.NotificationChange {
			before[n.ID] = n.SkipAlreadySent(earlier, claim.At, claim.By).Notification
			return flow.NotificationChange{Notification: n}
		}
		m.give = func(claimed []flow.Notification) []flow.Notification {
			for i, n := range claimed {
				if skipped, found := before[n.ID]; found {
					skipped.Version = n.Version
					claimed[i] = skipped
				}
			}
			return claimed
		}
		return m
	}},
	{"what was sent already is not returned", skippedRule, broken(func(m *model) {
		m.give = func(claimed []flow.Notification) []flow.Notification {
			return slices.DeleteFunc(claimed, func(n flow.Notification) bool { return n.State != flow.NotificationSending })
		}
	})},
	{"what was sent already is returned last", orderRule, broken(func(m *model) {
		m.give = func(claimed []flow.Notification) []flow.Notification {
			slices.SortStableFunc(claimed, func(a, b flow.Notification) int {
				return len(a.Transmission.ErrorCode) - len(b.Transmission.ErrorCode)
			})
			return claimed
		}
	})},
	{"what was sent already has no record", skippedRule, func(s flow.Store) flow.Store {
		return withoutRecords(flow.NotificationSkip)(newModel(s))
	}},
	{"a claim counts what was sent already as In invio", skippedRule, broken(func(m *model) {
		m.count = func(_, f flow.Flow) flow.Flow {
			f.Counts.Sending, f.Counts.Failed = f.Counts.Sending+f.Counts.Failed, 0
			return f
		}
	})},
	{"a claim counts what was sent already as Registrato", skippedRule, broken(func(m *model) {
		m.count = func(before, f flow.Flow) flow.Flow {
			f.Counts.Registered, f.Counts.Failed = f.Counts.Registered+f.Counts.Failed, before.Counts.Failed
			return f
		}
	})},
	{"what was sent already has a lease", skippedRule, func(s flow.Store) flow.Store {
		m := newModel(s)
		return returns("Expired", func(c call, r *reply) {
			filter := flow.NotificationFilter{ErrorCodes: []flow.ErrorCode{flow.CodeAlreadySent}}
			skipped, _ := m.Notifications(context.Background(), filter, flow.Page{Limit: c.limit})
			r.all = append(r.all, skipped...)
		})(m)
	}},
	{"the earlier one is changed, too", skippedRule, broken(func(m *model) {
		m.give = func(claimed []flow.Notification) []flow.Notification {
			for _, n := range claimed {
				if earlier, err := m.Store.Notification(context.Background(), n.Transmission.EarlierID); err == nil {
					_ = m.Store.SaveNotifications(context.Background(), flow.NotificationChange{Notification: earlier, Lease: time.Hour})
				}
			}
			return claimed
		}
	})},
	{"a claim goes on until its limit is In invio", limitRule, func(s flow.Store) flow.Store {
		m := newModel(s)
		return returns("Claim", func(c call, r *reply) {
			for wanted := c.claim.Limit; r.err == nil && c.claim.Limit > 0; {
				wanted -= len(slices.DeleteFunc(slices.Clone(r.all), func(n flow.Notification) bool { return n.State != flow.NotificationSending }))
				if c.claim.Limit = wanted; wanted <= 0 {
					break
				}
				more := c.do()
				if r.flow, r.err = more.flow, more.err; len(more.all) == 0 {
					break
				}
				r.all = append(r.all, more.all...)
			}
		})(m)
	}},
	{"a claim looks once for all that it takes", firstRule,
		broken(func(m *model) { m.claimsAtOnce = true })},
	{"a claim takes the last of those with one message", firstRule, broken(func(m *model) {
		m.find = func(n flow.Notification) []flow.Notification {
			all := m.withDigest(n)
			for i := range all {
				if all[i].FlowID == n.FlowID && all[i].Cursor().Compare(n.Cursor()) > 0 {
					all[i].State = flow.NotificationSending
				}
			}
			return all
		}
	})},
	{"other services are looked at, too", takeRule, broken(func(m *model) {
		m.same = func(earlier, n flow.Notification) bool {
			return earlier.ID != n.ID && earlier.Digest() == n.Digest() && !n.Digest().IsZero()
		}
	})},
	{"what was anonymised arrived", takeRule,
		arrivedAlso(func(n flow.Notification) bool { return isSent(n) || isInvio(n) })},
	{"what was anonymised and is unknown arrived", takeRule, arrivedAlso(isUnknown)},
	{"a notification that is Registrato arrived", takeRule, arrivedAlso(isRegistered)},
	{"a notification that is in Errore arrived", takeRule,
		arrivedAlso(func(n flow.Notification) bool { return n.State == flow.NotificationFailed })},
	{"what was not sent arrived", takeRule,
		arrivedAlso(func(n flow.Notification) bool { return n.Transmission.ErrorCode == flow.CodeNotSent })},
	{"what was sent already arrived", takeRule,
		arrivedAlso(func(n flow.Notification) bool { return n.Transmission.ErrorCode == flow.CodeAlreadySent })},
	{"a notification that is in an unknown state arrived", takeRule,
		arrivedAlso(func(n flow.Notification) bool { return n.State == "sospesa" })},
	{"messages are told apart by their citizen and subject", takeRule, broken(func(m *model) {
		m.find = m.everything
		m.same = func(earlier, n flow.Notification) bool {
			return earlier.ID != n.ID && earlier.Service == n.Service && earlier.Recipient == n.Recipient && earlier.Subject == n.Subject
		}
	})},
	{"messages are told apart without their occasion", takeRule, broken(func(m *model) {
		m.find = m.everything
		m.same = func(earlier, n flow.Notification) bool {
			earlier.Occasion, n.Occasion = "", ""
			return earlier.ID != n.ID && earlier.Service == n.Service && earlier.Digest() == n.Digest()
		}
	})},
	{"a notification keeps itself from being claimed again", takeRule,
		func(s flow.Store) flow.Store {
			m := newModel(s)
			taken := map[uuid.UUID]bool{}
			m.find = func(n flow.Notification) []flow.Notification {
				if taken[n.ID] {
					n.ID, n.State = uuid.Max, flow.NotificationSending
					return []flow.Notification{n}
				}
				taken[n.ID] = true
				return m.withDigest(n)
			}
			return m
		}},
	{"those without a recipient have one message", takeRule, broken(func(m *model) {
		same := m.same
		m.find = m.everything
		m.same = func(earlier, n flow.Notification) bool {
			return same(earlier, n) || earlier.ID != n.ID && n.Digest().IsZero() && earlier.Digest().IsZero()
		}
	})},
	{"AllowDuplicate is not looked at by a claim", repeatRule, broken(func(m *model) {
		m.mayRepeat = func(flow.Notification) bool { return false }
	})},
	{"a claim clears AllowDuplicate", repeatRule, broken(func(m *model) {
		m.give = func(claimed []flow.Notification) []flow.Notification {
			for i := range claimed {
				claimed[i].AllowDuplicate = false
			}
			return claimed
		}
	})},
	{"what may be repeated did not arrive", repeatRule,
		arrivedUnless(func(n flow.Notification) bool { return n.AllowDuplicate })},
	{"one entry is kept for a message: the first", releaseRule, ledger(false)},
	{"one entry is kept for a message: the last", releaseRule, ledger(true)},
	{"what arrived once is never free again", releaseRule, broken(func(m *model) {
		began := map[flow.Digest]flow.Notification{}
		m.find = func(n flow.Notification) []flow.Notification {
			all := m.withDigest(n)
			for _, one := range all {
				if one.MayHaveArrived() {
					began[n.Digest()] = one
				}
			}
			if one, found := began[n.Digest()]; found {
				return append(all, one)
			}
			return all
		}
	})},
	{"messages are those of the first version", editRule, broken(func(m *model) {
		first := map[uuid.UUID]flow.Digest{}
		digest := func(n flow.Notification) flow.Digest {
			if _, known := first[n.ID]; !known {
				first[n.ID] = n.Digest()
			}
			return first[n.ID]
		}
		stored := m.begins
		m.begins = func(old, n flow.Notification) bool { digest(n); return stored(old, n) }
		m.find = m.everything
		m.same = func(earlier, n flow.Notification) bool {
			return earlier.ID != n.ID && earlier.Service == n.Service && digest(earlier) == digest(n)
		}
	})},
	{"a refused edit changes the message", editRule, func(s flow.Store) flow.Store {
		m := newModel(s)
		refused := map[uuid.UUID]flow.Draft{}
		same := m.same
		m.find = m.everything
		m.same = func(earlier, n flow.Notification) bool {
			if draft, found := refused[earlier.ID]; found {
				earlier.Draft = draft
			}
			return same(earlier, n)
		}
		return returns("SaveNotifications", func(c call, r *reply) {
			for _, c := range c.changes {
				if errors.Is(r.err, flussi.ErrConflict) {
					refused[c.Notification.ID] = c.Notification.Draft
				}
			}
		})(m)
	}},
	{"SaveAndClaim claims by what was before", saveAndClaimRule, func(s flow.Store) flow.Store {
		m := newModel(s)
		return on("SaveAndClaim", func(c call) reply {
			find := m.find
			old := map[uuid.UUID]flow.Notification{}
			for _, change := range c.changes {
				old[change.Notification.ID], _ = m.Notification(c.ctx, change.Notification.ID)
			}
			m.find = func(n flow.Notification) []flow.Notification {
				all := find(n)
				for i := range all {
					if before, changed := old[all[i].ID]; changed {
						all[i] = before
					}
				}
				return all
			}
			defer func() { m.find = find }()
			return c.do()
		})(m)
	}},
	{"SaveAndClaim makes one In invio that was sent already", saveAndClaimRule,
		func(s flow.Store) flow.Store {
			m := newModel(s)
			return on("SaveAndClaim", func(c call) reply {
				refusal := m.refusal
				m.refusal = func(flow.Notification, flow.Notification) error { return nil }
				defer func() { m.refusal = refusal }()
				return c.do()
			})(m)
		}},
	{"only claims look at others", refuseRule,
		broken(func(m *model) { m.savesBlindly, m.savesFlowsBlindly = true, true })},
	{"SaveFlow looks at no others", refuseRule,
		broken(func(m *model) { m.savesFlowsBlindly = true })},
	{"SaveNotifications looks at no others", refuseRule,
		broken(func(m *model) { m.savesBlindly = true })},
	{"new notifications are not looked at", refuseRule, broken(func(m *model) {
		begins := m.begins
		m.begins = func(old, n flow.Notification) bool { return n.Version > 0 && begins(old, n) }
	})},
	{"a flow is stored although one of its notifications is refused", refuseRule,
		broken(func(m *model) { m.storesFlowFirst = true })},
	{"a part is stored before one is refused", refuseRule,
		broken(func(m *model) { m.storesPart = true })},
	{"one that was sent already is a conflict", refuseRule, broken(func(m *model) {
		m.refusal = func(flow.Notification, flow.Notification) error { return flussi.ErrConflict }
	})},
	{"one that was sent already is a duplicate of nothing", refuseRule, broken(func(m *model) {
		m.refusal = func(flow.Notification, flow.Notification) error { return flussi.ErrDuplicate }
	})},
	{"the refusal changes the places of both", refuseRule, broken(func(m *model) {
		m.refusal = func(n, earlier flow.Notification) error {
			return &flow.AlreadySentError{NotificationID: earlier.ID, Earlier: n}
		}
	})},
	{"AllowDuplicate is not looked at by a write", storeRule, broken(func(m *model) {
		m.mayRepeat = func(flow.Notification) bool { return false }
	})},
	{"a notification that is In invio cannot be stored again", storeRule, broken(func(m *model) {
		m.begins = func(_, n flow.Notification) bool { return isInvio(n) }
	})},
	{"a write is refused for what was refused", storeRule,
		arrivedAlso(func(n flow.Notification) bool { return n.Transmission.ErrorCode == flow.CodeRefused })},
	{"a write is refused for another service", storeRule, broken(func(m *model) {
		m.same = func(earlier, n flow.Notification) bool { return earlier.ID != n.ID && earlier.Digest() == n.Digest() }
	})},
	{"a notification cannot become Inviato, either", otherRule, broken(func(m *model) {
		m.begins = func(old, n flow.Notification) bool { return old.State != n.State && (isInvio(n) || isSent(n)) }
	})},
	{"nothing is stored whose message was sent", otherRule, broken(func(m *model) {
		m.begins = func(_, n flow.Notification) bool { return n.Version == 0 }
	})},
	{"a write is judged by what was before it", wholeRule,
		broken(func(m *model) { m.looksBefore = true })},
	{"two become In invio in one write", wholeRule, broken(func(m *model) { m.ignoresOwn = true })},
	{"a claim and a write look first, and store later", winnerRule,
		broken(func(m *model) { m.unlocked = true })},
	{"a claim looks first, and stores later", winnerRule,
		broken(func(m *model) { m.claimsUnlocked = true })},
	{"who claims at the same time is turned away", winnerRule, func(s flow.Store) flow.Store {
		m := newModel(s)
		var busy sync.Mutex
		return on("Claim", func(c call) reply {
			if !busy.TryLock() {
				return reply{err: errors.New("deadlock detected")}
			}
			defer busy.Unlock()
			time.Sleep(brokenstore.Moment)
			return c.do()
		})(m)
	}},
}

// ledger makes a model that keeps one notification for each message: the first that became In
// invio, or the last. If that is released, the message is free.
func ledger(last bool) func(flow.Store) flow.Store {
	return broken(func(m *model) {
		entry := map[flow.Digest]uuid.UUID{}
		m.find = func(n flow.Notification) []flow.Notification {
			all := m.withDigest(n)
			holder, kept := entry[n.Digest()]
			i := slices.IndexFunc(all, func(one flow.Notification) bool { return one.ID == holder })
			if !kept || i < 0 || !all[i].MayHaveArrived() || last && n.AllowDuplicate {
				entry[n.Digest()] = n.ID
			}
			if i < 0 {
				return nil
			}
			return all[i : i+1]
		}
	})
}
