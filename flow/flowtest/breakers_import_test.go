package flowtest_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/storetest"
)

// The rules that the breakers below break.
const (
	importRule    = "an import stores its flow, its rows, their records and its key together"
	keyRule       = "the rows of an import are pulled once, and then its key is asked for once"
	onceRule      = "an import that was stored before is returned, and nothing is stored"
	failedRule    = "an import that is not stored leaves no key"
	disabledRule  = "while a flow is disabled before it is sent, its import does not count"
	laterRule     = "a flow that is disabled later keeps the key of its import"
	intoRule      = "an import into a flow that is there makes its next version"
	oneImportRule = "of imports with one key at once, one is stored, and the others find it"
	duplicateRule = "a row of an import is a duplicate if its message may have arrived, or waits to be sent"
	noRepeatRule  = "a row of an import is no duplicate of one that is not to be sent and did not arrive"
	alreadyRule   = "the earlier one of a duplicate is stored already, whatever its CreatedAt"
	cursorRule    = "the oldest of several earlier ones goes by Notification.Cursor: of one time, by ID"
	oldestRule    = "the earlier one of a duplicate may have arrived, if one of several has, and is the oldest"
	toldRule      = "of a duplicate, an import stores what OnDuplicate returns"
	longRule      = "the duplicates of a long import are found in the order of its rows"
	contextRule   = "a context that has ended is refused, and nothing changes"
)

type (
	changes   = []flow.NotificationChange
	duplicate = func(flow.NotificationChange) (flow.NotificationChange, bool)
)

// sendsRows makes a store that changes the rows of an import.
func sendsRows(change func(*flow.NotificationChange)) func(flow.Store) flow.Store {
	return sends("SaveImport", func(c *call) {
		c.request.Rows = storetest.SequenceAs(c.request.Rows, func(row flow.NotificationChange) flow.NotificationChange {
			change(&row)
			return row
		})
	})
}

// repeatedUnless makes a model that misses some duplicates.
func repeatedUnless(unless func(n flow.Notification, disabled bool) bool) func(flow.Store) flow.Store {
	return broken(func(m *model) {
		m.repeated = func(n flow.Notification, disabled bool) bool {
			return (n.MayHaveArrived() || n.IsPending(disabled)) && !unless(n, disabled)
		}
	})
}

// repeatedAlso makes a model that takes other rows for duplicates, too.
func repeatedAlso(also func(n flow.Notification, disabled bool) bool) func(flow.Store) flow.Store {
	return broken(func(m *model) {
		m.repeated = func(n flow.Notification, disabled bool) bool {
			return n.MayHaveArrived() || n.IsPending(disabled) || also(n, disabled)
		}
	})
}

// ownRows makes a model that takes rows for duplicates of some other rows of the import.
func ownRows(which func(row flow.Notification) bool) func(flow.Store) flow.Store {
	return broken(func(m *model) { m.own = which })
}

// told makes a model that does not store what OnDuplicate returns.
func told(change func(row, told flow.NotificationChange, store bool) (flow.NotificationChange, bool)) func(flow.Store) flow.Store {
	return broken(func(m *model) { m.told = change })
}

var importBreakers = []breaker{
	{"an import stores no key", importRule, broken(func(m *model) { m.noKey = true })},
	{"an import stores its flow only", importRule,
		sends("SaveImport", func(c *call) {
			all := c.request.Rows
			c.request.Rows = func(func(flow.NotificationChange, error) bool) {
				for range all {
				}
			}
		})},
	{"an import loses the records of its rows", importRule,
		sendsRows(func(c *flow.NotificationChange) {
			c.Record = flow.NotificationRecord{Action: flow.NotificationCreate}
		})},
	{"the time of an import is local", importRule, broken(func(m *model) {
		m.done = func(i flow.ImportResult) flow.ImportResult {
			i.At = i.At.In(time.FixedZone("CET", 3600))
			return i
		}
	})},
	{"the time of an import is that of its flow", importRule,
		returns("SaveImport", func(c call, r *reply) {
			if r.err == nil && !r.before {
				r.done.At = c.request.Flow.Flow.CreatedAt
			}
		})},
	{"every import was made before", importRule,
		returns("SaveImport", func(_ call, r *reply) { r.before = r.err == nil })},
	{"an import that there is none of is a zero value", importRule, forgives("ImportResult", flussi.ErrNotFound)},
	{"the key is asked for first", keyRule, broken(func(m *model) { m.keyFirst = true })},
	{"the key is asked for twice", keyRule,
		sends("SaveImport", func(c *call) {
			key := c.request.Key
			c.request.Key = func() flow.ImportKey { key(); return key() }
		})},
	{"the rows are pulled twice", keyRule,
		sends("SaveImport", func(c *call) {
			for range c.request.Rows {
			}
		})},
	{"an import that was made is made again", onceRule, func(s flow.Store) flow.Store {
		m := newModel(s)
		return sends("SaveImport", func(c *call) {
			key := c.request.Key()
			m.forget(func(done flow.ImportResult) bool { return done.Key == key })
		})(m)
	}},
	{"an import that was made stores its flow again", onceRule,
		broken(func(m *model) { m.foundStoresFlow = true })},
	{"an import that was made is an error", onceRule,
		broken(func(m *model) { m.foundIsError = true })},
	{"an import that was made is returned as new", onceRule,
		returns("SaveImport", func(_ call, r *reply) { r.before = false })},
	{"an import that was made is returned with the new flow", onceRule,
		returns("SaveImport", func(c call, r *reply) {
			if r.err == nil {
				r.done.Flow = c.request.Flow.Flow.ID
			}
		})},
	{"a flow has one key", onceRule, func(s flow.Store) flow.Store {
		m := newModel(s)
		return returns("SaveImport", func(c call, r *reply) {
			m.forget(func(other flow.ImportResult) bool {
				return r.err == nil && !r.before && other.Flow == r.done.Flow && other.Key != r.done.Key
			})
		})(m)
	}},
	{"the key is stored before the rows are", failedRule,
		broken(func(m *model) { m.keyBeforeStoring = true })},
	{"the key is asked for although the rows fail", failedRule,
		broken(func(m *model) { m.keyAnyway = true })},
	{"an import whose row fails is stored without it", failedRule,
		sends("SaveImport", func(c *call) {
			all := c.request.Rows
			c.request.Rows = func(yield func(flow.NotificationChange, error) bool) {
				for c, err := range all {
					if err == nil && !yield(c, nil) {
						return
					}
				}
			}
		})},
	{"an import goes on when its context has ended while its rows are pulled", failedRule,
		on("SaveImport", func(c call) reply {
			if err := c.ctx.Err(); err != nil {
				return reply{err: err}
			}
			c.ctx = context.WithoutCancel(c.ctx)
			return c.do()
		})},
	{"an import stores its flow although a row is refused", failedRule,
		broken(func(m *model) { m.storesFlowFirst = true })},
	{"an import stores a row although another is refused", failedRule,
		broken(func(m *model) { m.storesPart = true })},
	{"an import makes In invio what was sent already", failedRule,
		sendsRows(func(c *flow.NotificationChange) { c.Notification.AllowDuplicate = true })},
	{"a disabled flow keeps its key", disabledRule,
		broken(func(m *model) { m.loses = func(flow.Flow) bool { return false } })},
	{"a disabled flow that is Attivo keeps its key", disabledRule, broken(func(m *model) {
		m.loses = func(f flow.Flow) bool { return f.Disabled && f.State == flow.FlowInactive }
	})},
	{"a flow that is enabled again does not get its key back", disabledRule,
		broken(func(m *model) { m.losesForGood = true })},
	{"a flow that is disabled takes the key of the next one", disabledRule,
		func(s flow.Store) flow.Store {
			m := newModel(s)
			had := map[uuid.UUID][]flow.ImportKey{}
			m.done = func(i flow.ImportResult) flow.ImportResult {
				had[i.Flow] = append(had[i.Flow], i.Key)
				return i
			}
			m.loses = func(f flow.Flow) bool {
				if isSetAside(f) {
					for _, key := range had[f.ID] {
						delete(m.imports, key)
					}
				}
				return false
			}
			return m
		}},
	{"a flow loses one of its keys", disabledRule, func(s flow.Store) flow.Store {
		m := newModel(s)
		m.loses = func(f flow.Flow) bool {
			for key, done := range m.imports {
				if isSetAside(f) && done.Flow == f.ID {
					delete(m.imports, key)
					break
				}
			}
			return false
		}
		return m
	}},
	{"a refused change of a flow takes the key of its import", disabledRule,
		func(s flow.Store) flow.Store {
			refused := map[uuid.UUID]bool{}
			s = viewed(func(m methods) methods {
				save := m.SaveParent
				m.SaveParent = func(ctx context.Context, c flowChange, rows iter.Seq2[notificationChange, error]) error {
					err := save(ctx, c, rows)
					refused[c.Entity.ID] = errors.Is(err, flussi.ErrConflict) && c.Entity.Disabled
					return err
				}
				return m
			})(s)
			return on("ImportResult", func(c call) reply {
				r := c.do()
				if refused[r.done.Flow] {
					return reply{err: flussi.ErrNotFound}
				}
				return r
			})(s)
		}},
	{"every disabled flow loses its key", laterRule,
		broken(func(m *model) { m.loses = func(f flow.Flow) bool { return f.Disabled } })},
	{"a flow that is sent loses its key", laterRule,
		broken(func(m *model) { m.loses = func(f flow.Flow) bool { return f.State == flow.FlowSent } })},
	{"a flow that is activated loses its key", laterRule,
		broken(func(m *model) { m.loses = func(f flow.Flow) bool { return f.State == flow.FlowActive } })},
	{"an import wins over a change of its flow", intoRule,
		broken(func(m *model) { m.ignoresVersion = true })},
	{"an import that was made before wins over a change of its flow", intoRule, func(s flow.Store) flow.Store {
		m := newModel(s)
		return on("SaveImport", func(c call) reply {
			if done, err := m.ImportResult(c.ctx, c.request.Key()); err == nil {
				return reply{done: done, before: true}
			}
			return c.do()
		})(m)
	}},
	{"imports with one key are all stored", oneImportRule,
		broken(func(m *model) { m.unlocked = true })},
	{"of imports with one key, those that come late fail", oneImportRule,
		on("SaveImport", func(c call) reply {
			r := c.do()
			if r.before {
				return reply{err: flussi.ErrConflict}
			}
			return r
		})},

	{"OnDuplicate is never called", duplicateRule,
		repeatedUnless(func(flow.Notification, bool) bool { return true })},
	{"what waits to be sent is no duplicate", duplicateRule,
		repeatedUnless(func(n flow.Notification, _ bool) bool { return isRegistered(n) })},
	{"what was sent is no duplicate if it is disabled", duplicateRule,
		repeatedUnless(func(n flow.Notification, _ bool) bool { return n.Disabled })},
	{"what was sent by a flow that is disabled is no duplicate", duplicateRule,
		repeatedUnless(func(_ flow.Notification, disabled bool) bool { return disabled })},
	{"an unknown outcome is no duplicate", duplicateRule,
		repeatedUnless(func(n flow.Notification, _ bool) bool { return isUnknown(n) })},
	{"what stands alone is no duplicate", duplicateRule,
		repeatedUnless(func(n flow.Notification, _ bool) bool { return n.FlowID == uuid.Nil })},
	{"a row that may be repeated is no duplicate", duplicateRule, broken(func(m *model) {
		same := m.same
		m.same = func(earlier, n flow.Notification) bool { return same(earlier, n) && !n.AllowDuplicate }
	})},
	{"OnDuplicate is called with a part of the earlier one", duplicateRule, broken(func(m *model) {
		m.earliest = func(all []flow.Notification) flow.Notification {
			n := earliest(all)
			return flow.Notification{ID: n.ID, FlowID: n.FlowID, State: n.State}
		}
	})},
	{"duplicates are looked for from the last row on", duplicateRule, broken(func(m *model) {
		all := m.duplicates
		m.duplicates = func(rows changes, d duplicate) changes {
			slices.Reverse(rows)
			return all(rows, d)
		}
	})},
	{"OnDuplicate is called twice", duplicateRule, broken(func(m *model) {
		all := m.duplicates
		m.duplicates = func(rows changes, d duplicate) changes {
			for _, row := range rows {
				d(row)
			}
			return all(rows, d)
		}
	})},
	{"a notification that is disabled waits to be sent", noRepeatRule,
		repeatedAlso(func(n flow.Notification, _ bool) bool { return isRegistered(n) && n.Disabled })},
	{"what a disabled flow has waits to be sent", noRepeatRule,
		repeatedAlso(func(n flow.Notification, _ bool) bool { return isRegistered(n) && !n.Disabled })},
	{"what was refused is a duplicate", noRepeatRule,
		repeatedAlso(func(n flow.Notification, _ bool) bool { return n.Transmission.ErrorCode == flow.CodeRefused })},
	{"what was anonymised is a duplicate", noRepeatRule,
		repeatedAlso(func(n flow.Notification, _ bool) bool { return isSent(n) })},
	{"what another service has is a duplicate", noRepeatRule, broken(func(m *model) {
		m.same = func(earlier, n flow.Notification) bool { return earlier.ID != n.ID && earlier.Digest() == n.Digest() }
	})},
	{"rows are duplicates of each other", noRepeatRule, ownRows(isRegistered)},
	{"a row that is In invio makes later ones duplicates", noRepeatRule, ownRows(isInvio)},
	{"a disabled flow is disabled for good", noRepeatRule, func(s flow.Store) flow.Store {
		m := newModel(s)
		off := map[uuid.UUID]bool{}
		m.loses = func(f flow.Flow) bool {
			off[f.ID] = off[f.ID] || f.Disabled
			return isSetAside(f)
		}
		m.repeated = func(n flow.Notification, _ bool) bool { return n.MayHaveArrived() || n.IsPending(off[n.FlowID]) }
		return m
	}},
	{"the earlier one is the oldest, whether it arrived or not", oldestRule, broken(func(m *model) {
		m.earliest = func(all []flow.Notification) flow.Notification { return all[0] }
	})},
	{"the earlier one is the newest", oldestRule, broken(func(m *model) {
		m.earliest = func(all []flow.Notification) flow.Notification {
			slices.Reverse(all)
			return earliest(all)
		}
	})},
	{"the earlier one is Inviato rather than unknown", oldestRule, broken(func(m *model) {
		m.earliest = func(all []flow.Notification) flow.Notification {
			if i := slices.IndexFunc(all, isSent); i >= 0 {
				return all[i]
			}
			return earliest(all)
		}
	})},
	{"the earlier one was created before the row", alreadyRule, broken(func(m *model) {
		same := m.same
		m.same = func(earlier, n flow.Notification) bool {
			return same(earlier, n) && earlier.CreatedAt.Before(n.CreatedAt)
		}
	})},
	{"of those of one time, the earlier one is any", cursorRule, broken(func(m *model) {
		m.earliest = func(all []flow.Notification) flow.Notification {
			slices.SortStableFunc(all, func(a, b flow.Notification) int {
				if order := a.CreatedAt.Compare(b.CreatedAt); order != 0 {
					return order
				}
				return -a.Cursor().Compare(b.Cursor())
			})
			return earliest(all)
		}
	})},
	{"a duplicate is stored although it is not to be", toldRule,
		told(func(row, told flow.NotificationChange, _ bool) (flow.NotificationChange, bool) {
			return told, true
		})},
	{"no duplicate is stored", toldRule,
		told(func(_, told flow.NotificationChange, _ bool) (flow.NotificationChange, bool) {
			return told, false
		})},
	{"a duplicate is stored as the row was", toldRule,
		told(func(row, _ flow.NotificationChange, store bool) (flow.NotificationChange, bool) {
			return row, store
		})},
	{"a duplicate is stored with the row's record", toldRule,
		told(func(row, told flow.NotificationChange, store bool) (flow.NotificationChange, bool) {
			told.Record = row.Record
			return told, store
		})},
	{"of a duplicate, only Disabled is stored", toldRule,
		told(func(row, told flow.NotificationChange, store bool) (flow.NotificationChange, bool) {
			disabled := told.Notification.Disabled
			told.Notification = row.Notification
			told.Notification.Disabled = disabled
			return told, store
		})},
	{"an import of which nothing is to be stored has no key", toldRule,
		func(s flow.Store) flow.Store {
			m := newModel(s)
			return returns("SaveImport", func(c call, r *reply) {
				if f, missing := m.Flow(c.ctx, r.done.Flow); r.err == nil && missing == nil && f.Counts.Total() == 0 {
					m.forget(func(done flow.ImportResult) bool { return done.Key == r.done.Key })
				}
			})(m)
		}},
	{"an import has 1,000 rows at most", longRule,
		broken(func(m *model) { m.leavesRowsOut = true })},
	{"duplicates are found in the first 1,000 rows", longRule, broken(func(m *model) {
		all := m.duplicates
		m.duplicates = func(rows changes, d duplicate) changes {
			begun := min(len(rows), 1000)
			return append(all(rows[:begun], d), rows[begun:]...)
		}
	})},
	{"duplicates are found in any order in each part", longRule, broken(func(m *model) {
		all := m.duplicates
		m.duplicates = func(rows changes, d duplicate) changes {
			var kept changes
			for part := range slices.Chunk(rows, 500) {
				part = slices.Clone(part)
				if len(rows) > 500 {
					slices.Reverse(part)
				}
				kept = append(kept, all(part, d)...)
			}
			return kept
		}
	})},

	{"SaveImport does not look at its context", contextRule,
		unheeding("SaveImport")},
	{"ImportResult does not look at its context", contextRule, unheeding("ImportResult")},
	{"SaveAndClaim does not look at its context", contextRule, unheeding("SaveAndClaim")},
}
