package pagoinretetest_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/brokenstore"
	"github.com/flussi-go/flussi/pagoinrete"
)

// breakers break the rules that only this store has, or fields that only its entities have.
var breakers = []breaker{
	{"a field of the event has no column", "an event is read as it was stored",
		viewed.WrittenParents(func(c *eventChange, _ pagoinrete.Event) {
			c.Entity.Category = ""
		})},
	{"a flag of the event is always set", "an event is read as it was stored",
		viewed.ReadParents(func(e *pagoinrete.Event) { e.Binding = true })},
	{"a discrepancy of the event loses what it is about", "an event is read as it was stored",
		viewed.WrittenParents(func(c *eventChange, _ pagoinrete.Event) {
			c.Entity.Discrepancy.State = ""
		})},
	{"an event has one instalment", "an event has its instalments, in their order",
		viewed.WrittenParents(func(c *eventChange, _ pagoinrete.Event) {
			c.Entity.Instalments = c.Entity.Instalments[:min(1, len(c.Entity.Instalments))]
		})},
	{"instalments come in the order of their due dates", "an event has its instalments, in their order",
		viewed.ReadParents(func(e *pagoinrete.Event) {
			slices.SortFunc(e.Instalments, func(a, b pagoinrete.Instalment) int { return a.DueDate.Compare(b.DueDate) })
		})},
	{"the same instalment twice is one", "an event has its instalments, in their order",
		viewed.WrittenParents(func(c *eventChange, _ pagoinrete.Event) {
			c.Entity.Instalments = slices.Compact(c.Entity.Instalments)
		})},
	{"instalments are never taken away", "an event has its instalments, in their order",
		viewed.WrittenParents(func(c *eventChange, old pagoinrete.Event) {
			if len(old.Instalments) > len(c.Entity.Instalments) {
				c.Entity.Instalments = append(c.Entity.Instalments, old.Instalments[len(c.Entity.Instalments):]...)
			}
		})},
	{"two fields change places", "a notice is read as it was stored",
		viewed.ReadChildren(func(n *pagoinrete.Notice) {
			n.Debtor, n.Payer = n.Payer, n.Debtor
		})},
	{"two flags are one", "each flag is kept for itself",
		viewed.WrittenChildren(func(c *noticeChange, _ pagoinrete.Notice) {
			c.Entity.PayerLoggedIn = c.Entity.PayerRegistered || c.Entity.Visible
		})},
	{"an error stays when it is gone", "a notice is read as it was stored",
		viewed.WrittenChildren(func(c *noticeChange, old pagoinrete.Notice) {
			if c.Entity.Error == "" {
				c.Entity.Error = old.Error
			}
		})},
	{"there is one proof, of any kind", "each proof of a payment is kept for itself",
		viewed.WrittenChildren(func(c *noticeChange, _ pagoinrete.Notice) {
			e := &c.Entity.Evidence
			for _, proof := range []*pagoinrete.Proof{&e.Settlement, &e.Movement, &e.Manual, &e.Refund} {
				if e.Receipt.IsZero() {
					e.Receipt = *proof
				}
				*proof = pagoinrete.Proof{}
			}
		})},
	{"proofs are added, and never taken away", "each proof of a payment is kept for itself",
		viewed.WrittenChildren(func(c *noticeChange, old pagoinrete.Notice) {
			if c.Entity.Evidence.Manual.IsZero() {
				c.Entity.Evidence.Manual = old.Evidence.Manual
			}
		})},
	{"a reason loses its line breaks", "texts are kept to the last character",
		viewed.WrittenChildren(func(c *noticeChange, _ pagoinrete.Notice) {
			c.Record.Reason = flussi.NewText(strings.ReplaceAll(c.Record.Reason.Reveal(), "\r\n", "\n"))
		})},
	{"amounts of instalments are floats", "amounts are kept to the cent, however large",
		viewed.WrittenParents(func(c *eventChange, _ pagoinrete.Event) {
			for i, part := range c.Entity.Instalments {
				c.Entity.Instalments[i].Amount = flussi.Cents(float64(part.Amount))
			}
		})},
	{"an instalment without a due date has one", "a time that is zero stays zero",
		viewed.ReadParents(func(e *pagoinrete.Event) {
			for i, part := range e.Instalments {
				if part.DueDate.IsZero() {
					e.Instalments[i].DueDate = e.CreatedAt
				}
			}
		})},
	{"unknown states are Annullato", "states, kinds and actions that are unknown are kept",
		viewed.ReadChildren(func(n *pagoinrete.Notice) {
			if !pagoinrete.NoticeMachine().Has(n.State) {
				n.State = pagoinrete.NoticeCancelled
			}
		})},
	{"unknown kinds are fees", "states, kinds and actions that are unknown are kept",
		viewed.ReadParents(func(e *pagoinrete.Event) {
			if e.Kind != pagoinrete.Donation {
				e.Kind = pagoinrete.Fee
			}
		})},
	{"unknown states are not counted", "states, kinds and actions that are unknown are kept",
		readEventsWith(ofEvent, func(e *pagoinrete.Event, all []pagoinrete.Notice) {
			for _, n := range all {
				if !pagoinrete.NoticeMachine().Has(n.State) {
					e.Counts.Unpaid--
				}
			}
		})},
	{"what awaits its receipt is paid", "the counts of an event are those of its notices",
		readEventsWith(
			func(e pagoinrete.Event) pagoinrete.NoticeFilter {
				return pagoinrete.NoticeFilter{Event: e.ID, States: []pagoinrete.NoticeState{pagoinrete.NoticeAwaitingReceipt}}
			},
			func(e *pagoinrete.Event, all []pagoinrete.Notice) {
				e.Counts.Unpaid -= len(all)
				e.Counts.Paid += len(all)
			},
		)},
	{"what is refunded is paid", "the counts of an event are those of its notices",
		viewed.ReadParents(func(e *pagoinrete.Event) {
			e.Counts.Paid, e.Counts.Refunded = e.Counts.Paid+e.Counts.Refunded, 0
		})},
	{"notices of other events are counted", "the counts of an event are those of its notices",
		readEventsWith(
			func(pagoinrete.Event) pagoinrete.NoticeFilter { return pagoinrete.NoticeFilter{} },
			func(e *pagoinrete.Event, all []pagoinrete.Notice) {
				e.Counts = pagoinrete.NoticeCounts{}
				for _, n := range all {
					e.Counts.Add(n, 1)
				}
			},
		)},
	{"settled discrepancies are counted", "discrepancies are counted until they are settled",
		readEventsWith(ofEvent, func(e *pagoinrete.Event, all []pagoinrete.Notice) {
			for _, n := range all {
				if n.Discrepancy.Resolved {
					e.Counts.Discrepancies++
				}
			}
		})},
	{"the event's own discrepancy is counted", "discrepancies are counted until they are settled",
		viewed.ReadParents(func(e *pagoinrete.Event) {
			if e.Discrepancy.Open() {
				e.Counts.Discrepancies++
			}
		})},
	{"an event of which a notice has a discrepancy has one", "events are found by each field of the filter",
		viewed.Parents(brokenstore.Searches(func(q *pagoinrete.EventFilter) func(pagoinrete.Event) bool {
			wanted := q.Discrepancy
			q.Discrepancy = false
			return func(e pagoinrete.Event) bool { return !wanted || e.Discrepancy.Open() || e.Counts.Discrepancies > 0 }
		}))},
	{"an unknown kind finds events of all kinds", "events are found by each field of the filter",
		viewed.Parents(brokenstore.Asks[pagoinrete.Event](func(q *pagoinrete.EventFilter) {
			if q.Kind != pagoinrete.Fee && q.Kind != pagoinrete.Donation {
				q.Kind = ""
			}
		}))},
	{"what is due at the time is due before it", "notices are found by each field of the filter",
		viewed.Children(brokenstore.Asks[pagoinrete.Notice](func(q *pagoinrete.NoticeFilter) {
			if !q.DueBefore.IsZero() {
				q.DueBefore = q.DueBefore.Add(time.Microsecond)
			}
		}))},
	{"only the first 100 IUVs are looked for", "notices are found by each field of the filter",
		viewed.Children(brokenstore.Asks[pagoinrete.Notice](func(q *pagoinrete.NoticeFilter) {
			q.IUVs = q.IUVs[:min(100, len(q.IUVs))]
		}))},
	{"an IUV is found by the last digits of a number with the aux digit 3", "notices are found by each field of the filter",
		viewed.Children(brokenstore.Searches(func(q *pagoinrete.NoticeFilter) func(pagoinrete.Notice) bool {
			if len(q.IUVs) == 0 {
				return nil
			}
			return func(n pagoinrete.Notice) bool { return n.Number.Reveal()[0] == '3' }
		}))},
	{"no number is found by no IUV", "notices are found by each field of the filter",
		viewed.Children(brokenstore.Searches(func(q *pagoinrete.NoticeFilter) func(pagoinrete.Notice) bool {
			if len(q.IUVs) != 1 || !q.IUVs[0].IsZero() {
				return nil
			}
			q.IUVs = nil
			return func(n pagoinrete.Notice) bool { return n.Number.IsZero() }
		}))},
	{"a notice is found by the number that it had first", "notices are found by each field of the filter",
		viewed(func(s methods) methods {
			var mu sync.Mutex
			first := map[uuid.UUID]flussi.NoticeNumber{}
			s = brokenstore.WrittenChildren(s, func(c *noticeChange, _ pagoinrete.Notice) {
				mu.Lock()
				defer mu.Unlock()
				if c.Entity.Version == 0 {
					first[c.Entity.ID] = c.Entity.Number
				}
			})
			s.Children = brokenstore.Searches(func(q *pagoinrete.NoticeFilter) func(pagoinrete.Notice) bool {
				wanted := q.IUVs
				return func(n pagoinrete.Notice) bool {
					mu.Lock()
					defer mu.Unlock()
					return len(wanted) == 0 || slices.Contains(wanted, first[n.ID].IUV())
				}
			})(s.Children)
			return s
		})},
	{"with an event, the state is not looked at", "notices are found by fields of the filter together",
		viewed.Children(brokenstore.Asks[pagoinrete.Notice](func(q *pagoinrete.NoticeFilter) {
			if q.Event != uuid.Nil {
				q.States = nil
			}
		}))},
	{"with IUVs, the school is not looked at", "notices are found by fields of the filter together",
		viewed.Children(brokenstore.Asks[pagoinrete.Notice](func(q *pagoinrete.NoticeFilter) {
			if len(q.IUVs) > 0 {
				q.Schools = nil
			}
		}))},
	{"only English letters have two cases", "a text is found whatever its case",
		searched(inEither(brokenstore.InEnglish))},
	{"wildcards are wild", "a text that is looked for stands for itself",
		searched(inEither(brokenstore.Like))},
	{"texts are looked for in the name only", "a text is found in the name or in the causale, and not across both",
		searched(func(e pagoinrete.Event, wanted string) bool {
			return strings.Contains(strings.ToLower(e.Name), strings.ToLower(wanted))
		})},
	{"texts are looked for in both, one behind the other", "a text is found in the name or in the causale, and not across both",
		searched(func(e pagoinrete.Event, wanted string) bool {
			return strings.Contains(strings.ToLower(e.Name+" "+e.Causale), strings.ToLower(wanted))
		})},
	{"the history is the store's own slice", "what is returned is the caller's",
		func(s pagoinrete.Store) pagoinrete.Store {
			return altered{Store: s, noticeHistory: brokenstore.OwnSlice(s.NoticeHistory)}
		}},
	{"the instalments are the store's own slice", "what is returned is the caller's",
		func(s pagoinrete.Store) pagoinrete.Store {
			var mu sync.Mutex
			kept := map[uuid.UUID][]pagoinrete.Instalment{}
			return viewed.ReadParents(func(e *pagoinrete.Event) {
				mu.Lock()
				defer mu.Unlock()
				if len(kept[e.ID]) != len(e.Instalments) {
					kept[e.ID] = e.Instalments
				}
				e.Instalments = kept[e.ID]
			})(s)
		}},
	{"the instalments of a list share their slice with those of the last one", "what is returned is the caller's",
		func(s pagoinrete.Store) pagoinrete.Store {
			var mu sync.Mutex
			shared := map[uuid.UUID][]pagoinrete.Instalment{}
			return viewed.ReadParents(func(e *pagoinrete.Event) {
				mu.Lock()
				defer mu.Unlock()
				if buffer := shared[e.ID]; len(buffer) == len(e.Instalments) {
					copy(buffer, e.Instalments) // as rows are scanned into a buffer
					e.Instalments = buffer
				}
				shared[e.ID] = e.Instalments
			})(s)
		}},
	{"the instalments that were given are kept", "what is given stays the caller's",
		viewed(func(s methods) methods {
			var mu sync.Mutex
			kept := map[uuid.UUID][]pagoinrete.Instalment{}
			s.Parents = brokenstore.Reads(func(e *pagoinrete.Event) {
				mu.Lock()
				defer mu.Unlock()
				for i, part := range kept[e.ID] {
					e.Instalments[i] = pagoinrete.Instalment{DueDate: part.DueDate.UTC().Truncate(time.Microsecond), Amount: part.Amount}
				}
			})(s.Parents)
			save := s.SaveParent
			s.SaveParent = func(ctx context.Context, c eventChange, notices sequence) error {
				mu.Lock()
				kept[c.Entity.ID] = c.Entity.Instalments
				mu.Unlock()
				return save(ctx, c, notices)
			}
			return s
		})},
	{"the instalments that were given are made to fit", "what is given stays the caller's",
		viewed(func(s methods) methods {
			save := s.SaveParent
			s.SaveParent = func(ctx context.Context, c eventChange, notices sequence) error {
				for i, part := range c.Entity.Instalments {
					c.Entity.Instalments[i].DueDate = part.DueDate.UTC()
				}
				return save(ctx, c, notices)
			}
			return s
		})},
	{"what is given is changed", "what is given stays the caller's",
		func(s pagoinrete.Store) pagoinrete.Store {
			return altered{Store: s, saveNotices: func(ctx context.Context, changes ...pagoinrete.NoticeChange) error {
				err := s.SaveNotices(ctx, changes...)
				for i := range changes {
					changes[i].Notice.Version++
				}
				return err
			}}
		}},
	{"the schools of the filter are sorted", "what is given stays the caller's",
		viewed.Children(brokenstore.Asks[pagoinrete.Notice](func(q *pagoinrete.NoticeFilter) { slices.Sort(q.Schools) }))},
	{"an event locks its notices behind itself, notices lock the event behind them", "an event and its notices are changed at once without a deadlock",
		viewed(brokenstore.LockingOneByOne[pagoinrete.Event, pagoinrete.Notice])},
	{"a conflict of a notice with an event's is overlooked", "an event and its notices are changed at once without a deadlock",
		viewed(func(s methods) methods {
			save := s.SaveParent
			s.SaveParent = func(ctx context.Context, c eventChange, notices sequence) error {
				if err := save(ctx, c, notices); !errors.Is(err, flussi.ErrConflict) || c.Entity.Version == 0 {
					return err
				}
				return nil
			}
			return s
		})},
	{"counts are added up while they change", "counts are of one moment",
		readTwice(func(before, after pagoinrete.Event) pagoinrete.Event {
			after.Counts.NotLinked = before.Counts.NotLinked
			return after
		})},
	{"discrepancies are counted later", "counts are of one moment",
		readTwice(func(before, after pagoinrete.Event) pagoinrete.Event {
			before.Counts.Discrepancies = after.Counts.Discrepancies
			return before
		})},
	{"notices are counted after the event was read", "an event is read with the counts of the same moment",
		readTwice(
			func(before, after pagoinrete.Event) pagoinrete.Event {
				before.Counts = after.Counts
				return before
			},
		)},
	{"it panics", "a notice is read as it was stored",
		viewed.Children(brokenstore.Asks[pagoinrete.Notice](func(*pagoinrete.NoticeFilter) { panic("no such query") }))},
}

// readTwice makes a store that reads an event, again while others write, and makes one of both.
func readTwice(both func(before, after pagoinrete.Event) pagoinrete.Event) func(pagoinrete.Store) pagoinrete.Store {
	return viewed(func(s methods) methods {
		s = brokenstore.Late(s)
		get := s.Parents.Get
		s.Parents.Get = func(ctx context.Context, id uuid.UUID) (pagoinrete.Event, error) {
			before, err := get(ctx, id)
			time.Sleep(2 * brokenstore.Moment)
			after, _ := get(ctx, id)
			return both(before, after), err
		}
		return s
	})
}
