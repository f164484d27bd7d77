package pagoinretetest_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
)

// breaker breaks one thing of a store.
type breaker struct {
	name  string
	rule  string // that it no longer keeps
	store func(pagoinrete.Store) pagoinrete.Store
}

var breakers = []breaker{
	{"a field of the event has no column", "an event is read as it was stored", func(s pagoinrete.Store) pagoinrete.Store {
		return written(s, func(c *pagoinrete.EventChange) { c.Event.Category = "" }, noNoticeChange)
	}},
	{"a flag of the event is always set", "an event is read as it was stored", func(s pagoinrete.Store) pagoinrete.Store {
		return read(s, func(e *pagoinrete.Event) { e.Binding = true }, noNotice)
	}},
	{"a discrepancy of the event loses what it is about", "an event is read as it was stored", func(s pagoinrete.Store) pagoinrete.Store {
		return written(s, func(c *pagoinrete.EventChange) { c.Event.Discrepancy.State = "" }, noNoticeChange)
	}},
	{"an event has one instalment", "an event has its instalments, in their order", func(s pagoinrete.Store) pagoinrete.Store {
		return written(s, func(c *pagoinrete.EventChange) {
			c.Event.Instalments = c.Event.Instalments[:min(1, len(c.Event.Instalments))]
		}, noNoticeChange)
	}},
	{"instalments come in the order of their due dates", "an event has its instalments, in their order", func(s pagoinrete.Store) pagoinrete.Store {
		return read(s, func(e *pagoinrete.Event) {
			slices.SortFunc(e.Instalments, func(a, b pagoinrete.Instalment) int { return a.DueDate.Compare(b.DueDate) })
		}, noNotice)
	}},
	{"the same instalment twice is one", "an event has its instalments, in their order", func(s pagoinrete.Store) pagoinrete.Store {
		return written(s, func(c *pagoinrete.EventChange) { c.Event.Instalments = slices.Compact(c.Event.Instalments) }, noNoticeChange)
	}},
	{"instalments are never taken away", "an event has its instalments, in their order", func(s pagoinrete.Store) pagoinrete.Store {
		return written(s, func(c *pagoinrete.EventChange) {
			if old, err := s.Event(context.Background(), c.Event.ID); err == nil && len(old.Instalments) > len(c.Event.Instalments) {
				c.Event.Instalments = append(c.Event.Instalments, old.Instalments[len(c.Event.Instalments):]...)
			}
		}, noNoticeChange)
	}},
	{"a field of the notice is written when it is created, and never again", "a notice is read as it was stored", func(s pagoinrete.Store) pagoinrete.Store {
		return written(s, noEventChange, func(c *pagoinrete.NoticeChange) {
			if old, err := s.Notice(context.Background(), c.Notice.ID); err == nil {
				c.Notice.RemoteID = old.RemoteID
			}
		})
	}},
	{"two fields change places", "a notice is read as it was stored", func(s pagoinrete.Store) pagoinrete.Store {
		return read(s, noEvent, func(n *pagoinrete.Notice) { n.Debtor, n.Payer = n.Payer, n.Debtor })
	}},
	{"two flags are one", "each flag is kept for itself", func(s pagoinrete.Store) pagoinrete.Store {
		return written(s, noEventChange, func(c *pagoinrete.NoticeChange) {
			c.Notice.PayerLoggedIn = c.Notice.PayerRegistered || c.Notice.Visible
		})
	}},
	{"an error stays when it is gone", "a notice is read as it was stored", func(s pagoinrete.Store) pagoinrete.Store {
		return written(s, noEventChange, func(c *pagoinrete.NoticeChange) {
			if old, err := s.Notice(context.Background(), c.Notice.ID); err == nil && c.Notice.Error == "" {
				c.Notice.Error = old.Error
			}
		})
	}},
	{"there is one proof, of any kind", "each proof of a payment is kept for itself", func(s pagoinrete.Store) pagoinrete.Store {
		return written(s, noEventChange, func(c *pagoinrete.NoticeChange) {
			e := &c.Notice.Evidence
			for _, proof := range []*pagoinrete.Proof{&e.Settlement, &e.Movement, &e.Manual, &e.Refund} {
				if e.Receipt.IsZero() {
					e.Receipt = *proof
				}
				*proof = pagoinrete.Proof{}
			}
		})
	}},
	{"proofs are added, and never taken away", "each proof of a payment is kept for itself", func(s pagoinrete.Store) pagoinrete.Store {
		return written(s, noEventChange, func(c *pagoinrete.NoticeChange) {
			if old, err := s.Notice(context.Background(), c.Notice.ID); err == nil && c.Notice.Evidence.Manual.IsZero() {
				c.Notice.Evidence.Manual = old.Evidence.Manual
			}
		})
	}},
	{"who matched a proof is lost", "a notice is read as it was stored", func(s pagoinrete.Store) pagoinrete.Store {
		return written(s, noEventChange, func(c *pagoinrete.NoticeChange) { c.Notice.Evidence.Refund.By = "" })
	}},
	{"what is not there is a zero value", "an event that is not there is not found", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, event: func(ctx context.Context, id uuid.UUID) (pagoinrete.Event, error) {
			e, err := s.Event(ctx, id)
			if errors.Is(err, flussi.ErrNotFound) {
				err = nil
			}
			return e, err
		}}
	}},
	{"what is not there is a zero notice", "a notice that is not there is not found", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, notice: func(ctx context.Context, id uuid.UUID) (pagoinrete.Notice, error) {
			n, err := s.Notice(ctx, id)
			if errors.Is(err, flussi.ErrNotFound) {
				err = nil
			}
			return n, err
		}}
	}},
	{"texts are cut at 4,000 characters", "texts are kept to the last character", func(s pagoinrete.Store) pagoinrete.Store {
		return written(s, func(c *pagoinrete.EventChange) {
			if runes := []rune(c.Event.Rejection.Reveal()); len(runes) > 4000 {
				c.Event.Rejection = flussi.NewText(string(runes[:4000]))
			}
		}, noNoticeChange)
	}},
	{"spaces at the end are lost", "texts are kept to the last character", func(s pagoinrete.Store) pagoinrete.Store {
		return written(s, noEventChange, func(c *pagoinrete.NoticeChange) {
			c.Notice.Evidence.Movement.Reference = strings.TrimRight(c.Notice.Evidence.Movement.Reference, " ")
		})
	}},
	{"a reason loses its line breaks", "texts are kept to the last character", func(s pagoinrete.Store) pagoinrete.Store {
		return written(s, noEventChange, func(c *pagoinrete.NoticeChange) {
			c.Record.Reason = flussi.NewText(strings.ReplaceAll(c.Record.Reason.Reveal(), "\r\n", "\n"))
		})
	}},
	{"amounts have 32 bits", "amounts are kept to the cent, however large", func(s pagoinrete.Store) pagoinrete.Store {
		return written(s, noEventChange, func(c *pagoinrete.NoticeChange) { c.Notice.Discount = flussi.Cents(int32(c.Notice.Discount)) })
	}},
	{"amounts of instalments are floats", "amounts are kept to the cent, however large", func(s pagoinrete.Store) pagoinrete.Store {
		return written(s, func(c *pagoinrete.EventChange) {
			for i, part := range c.Event.Instalments {
				c.Event.Instalments[i].Amount = flussi.Cents(float64(part.Amount))
			}
		}, noNoticeChange)
	}},
	{"times are local", "times are kept to the microsecond, and given in UTC", func(s pagoinrete.Store) pagoinrete.Store {
		return read(s, noEvent, func(n *pagoinrete.Notice) { n.DueDate = n.DueDate.In(time.FixedZone("CET", 3600)) })
	}},
	{"due dates of instalments are local", "times are kept to the microsecond, and given in UTC", func(s pagoinrete.Store) pagoinrete.Store {
		return read(s, func(e *pagoinrete.Event) {
			for i, part := range e.Instalments {
				e.Instalments[i].DueDate = part.DueDate.In(time.FixedZone("CET", 3600))
			}
		}, noNotice)
	}},
	{"times are cut at the second", "times are kept to the microsecond, and given in UTC", func(s pagoinrete.Store) pagoinrete.Store {
		return read(s, noEvent, func(n *pagoinrete.Notice) {
			n.Evidence.Settlement.Date = n.Evidence.Settlement.Date.Truncate(time.Second)
		})
	}},
	{"times lose their zone, and are taken for UTC", "times are kept to the microsecond, and given in UTC", func(s pagoinrete.Store) pagoinrete.Store {
		return written(s, func(c *pagoinrete.EventChange) {
			t := c.Event.Discrepancy.At
			c.Event.Discrepancy.At = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
		}, noNoticeChange)
	}},
	{"no time is 1970", "a time that is zero stays zero", func(s pagoinrete.Store) pagoinrete.Store {
		return read(s, noEvent, func(n *pagoinrete.Notice) {
			if n.Evidence.Manual.Date.IsZero() {
				n.Evidence.Manual.Date = time.Unix(0, 0).UTC()
			}
		})
	}},
	{"an instalment without a due date has one", "a time that is zero stays zero", func(s pagoinrete.Store) pagoinrete.Store {
		return read(s, func(e *pagoinrete.Event) {
			for i, part := range e.Instalments {
				if part.DueDate.IsZero() {
					e.Instalments[i].DueDate = e.CreatedAt
				}
			}
		}, noNotice)
	}},
	{"unknown states are Annullato", "states, kinds and actions that are unknown are kept", func(s pagoinrete.Store) pagoinrete.Store {
		return read(s, noEvent, func(n *pagoinrete.Notice) {
			if !pagoinrete.NoticeMachine().Has(n.State) {
				n.State = pagoinrete.NoticeCancelled
			}
		})
	}},
	{"unknown kinds are fees", "states, kinds and actions that are unknown are kept", func(s pagoinrete.Store) pagoinrete.Store {
		return read(s, func(e *pagoinrete.Event) {
			if e.Kind != pagoinrete.Donation {
				e.Kind = pagoinrete.Fee
			}
		}, noNotice)
	}},
	{"unknown states are not counted", "states, kinds and actions that are unknown are kept", func(s pagoinrete.Store) pagoinrete.Store {
		return read(s, func(e *pagoinrete.Event) {
			all, _ := s.Notices(context.Background(), pagoinrete.NoticeFilter{Event: e.ID}, pagoinrete.Page{})
			for _, n := range all {
				if !pagoinrete.NoticeMachine().Has(n.State) {
					e.Counts.Unpaid--
				}
			}
		}, noNotice)
	}},
	{"counts are those of the first reading", "the counts of an event are those of its notices", func(s pagoinrete.Store) pagoinrete.Store {
		var mu sync.Mutex
		first := map[uuid.UUID]pagoinrete.NoticeCounts{}
		return altered{Store: s, event: func(ctx context.Context, id uuid.UUID) (pagoinrete.Event, error) {
			mu.Lock()
			defer mu.Unlock()
			e, err := s.Event(ctx, id)
			if counts, known := first[id]; known {
				e.Counts = counts
			}
			first[id] = e.Counts
			return e, err
		}}
	}},
	{"lists have no counts", "the counts of an event are those of its notices", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, events: func(ctx context.Context, filter pagoinrete.EventFilter, page pagoinrete.Page) ([]pagoinrete.Event, error) {
			es, err := s.Events(ctx, filter, page)
			for i := range es {
				es[i].Counts = pagoinrete.NoticeCounts{}
			}
			return es, err
		}}
	}},
	{"what awaits its receipt is paid", "the counts of an event are those of its notices", func(s pagoinrete.Store) pagoinrete.Store {
		return read(s, func(e *pagoinrete.Event) {
			all, _ := s.Notices(context.Background(), pagoinrete.NoticeFilter{Event: e.ID, States: []pagoinrete.NoticeState{pagoinrete.NoticeAwaitingReceipt}}, pagoinrete.Page{})
			e.Counts.Unpaid -= len(all)
			e.Counts.Paid += len(all)
		}, noNotice)
	}},
	{"what is refunded is paid", "the counts of an event are those of its notices", func(s pagoinrete.Store) pagoinrete.Store {
		return read(s, func(e *pagoinrete.Event) {
			e.Counts.Paid, e.Counts.Refunded = e.Counts.Paid+e.Counts.Refunded, 0
		}, noNotice)
	}},
	{"notices of other events are counted", "the counts of an event are those of its notices", func(s pagoinrete.Store) pagoinrete.Store {
		return read(s, func(e *pagoinrete.Event) {
			all, _ := s.Notices(context.Background(), pagoinrete.NoticeFilter{}, pagoinrete.Page{})
			e.Counts = pagoinrete.NoticeCounts{}
			for _, n := range all {
				e.Counts.Add(n, 1)
			}
		}, noNotice)
	}},
	{"settled discrepancies are counted", "discrepancies are counted until they are settled", func(s pagoinrete.Store) pagoinrete.Store {
		return read(s, func(e *pagoinrete.Event) {
			all, _ := s.Notices(context.Background(), pagoinrete.NoticeFilter{Event: e.ID}, pagoinrete.Page{})
			for _, n := range all {
				if n.Discrepancy.Resolved {
					e.Counts.Discrepancies++
				}
			}
		}, noNotice)
	}},
	{"the event's own discrepancy is counted", "discrepancies are counted until they are settled", func(s pagoinrete.Store) pagoinrete.Store {
		return read(s, func(e *pagoinrete.Event) {
			if e.Discrepancy.Open() {
				e.Counts.Discrepancies++
			}
		}, noNotice)
	}},
	{"counts are written", "the counts of an event are not written", func(s pagoinrete.Store) pagoinrete.Store {
		var mu sync.Mutex
		given := map[uuid.UUID]pagoinrete.NoticeCounts{}
		return altered{Store: s,
			saveEvent: func(ctx context.Context, change pagoinrete.EventChange, notices sequence) error {
				mu.Lock()
				given[change.Event.ID] = change.Event.Counts
				mu.Unlock()
				return s.SaveEvent(ctx, change, notices)
			},
			event: func(ctx context.Context, id uuid.UUID) (pagoinrete.Event, error) {
				e, err := s.Event(ctx, id)
				mu.Lock()
				defer mu.Unlock()
				if e.Counts == (pagoinrete.NoticeCounts{}) {
					e.Counts = given[id]
				}
				return e, err
			},
		}
	}},
	{"a notice changes the version of its event", "the version of an event does not change with its notices", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, saveNotices: func(ctx context.Context, changes ...pagoinrete.NoticeChange) error {
			err := s.SaveNotices(ctx, changes...)
			for _, c := range changes {
				if e, missing := s.Event(ctx, c.Notice.EventID); err == nil && missing == nil {
					_ = s.SaveEvent(ctx, pagoinrete.EventChange{Event: e}, nil)
				}
			}
			return err
		}}
	}},
	{"the caller's version is kept", "each change gives the next version", func(s pagoinrete.Store) pagoinrete.Store {
		return read(s, func(e *pagoinrete.Event) { e.Version-- }, noNotice)
	}},
	{"to create what is there overwrites it", "what is new must not be there", func(s pagoinrete.Store) pagoinrete.Store {
		return written(s, noEventChange, func(c *pagoinrete.NoticeChange) {
			if c.Notice.Version == 0 {
				c.Notice.Version = current(s, c.Notice.ID)
			}
		})
	}},
	{"to create an event that is there overwrites it", "what is new must not be there", func(s pagoinrete.Store) pagoinrete.Store {
		return written(s, func(c *pagoinrete.EventChange) {
			if c.Event.Version == 0 {
				c.Event.Version = currentEvent(s, c.Event.ID)
			}
		}, noNoticeChange)
	}},
	{"to change what is not there creates it", "what is not new must be there", func(s pagoinrete.Store) pagoinrete.Store {
		return written(s, noEventChange, func(c *pagoinrete.NoticeChange) {
			if current(s, c.Notice.ID) == 0 {
				c.Notice.Version = 0
			}
		})
	}},
	{"the last one wins", "what was changed in the meantime is not stored", func(s pagoinrete.Store) pagoinrete.Store {
		return written(s, noEventChange, func(c *pagoinrete.NoticeChange) {
			if c.Notice.Version > 0 {
				c.Notice.Version = current(s, c.Notice.ID)
			}
		})
	}},
	{"the last one wins an event", "what was changed in the meantime is not stored", func(s pagoinrete.Store) pagoinrete.Store {
		return written(s, func(c *pagoinrete.EventChange) {
			if c.Event.Version > 0 {
				c.Event.Version = currentEvent(s, c.Event.ID)
			}
		}, noNoticeChange)
	}},
	{"a conflict is nobody's error", "what was changed in the meantime is not stored", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, saveNotices: func(ctx context.Context, changes ...pagoinrete.NoticeChange) error {
			if err := s.SaveNotices(ctx, changes...); !errors.Is(err, flussi.ErrConflict) {
				return err
			}
			return nil
		}}
	}},
	{"of one entity twice, the second is stored", "one entity twice in a change is a conflict", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, saveNotices: func(ctx context.Context, changes ...pagoinrete.NoticeChange) error {
			byID := map[uuid.UUID]pagoinrete.NoticeChange{}
			for _, c := range changes {
				byID[c.Notice.ID] = c
			}
			return s.SaveNotices(ctx, slices.Collect(maps.Values(byID))...)
		}}
	}},
	{"the first record is missing", "every version has its record", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, noticeHistory: func(ctx context.Context, id uuid.UUID) ([]pagoinrete.NoticeRecord, error) {
			records, err := s.NoticeHistory(ctx, id)
			return records[min(1, len(records)):], err
		}}
	}},
	{"records come by their time", "every version has its record", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, eventHistory: func(ctx context.Context, id uuid.UUID) ([]pagoinrete.EventRecord, error) {
			records, err := s.EventHistory(ctx, id)
			slices.SortFunc(records, func(a, b pagoinrete.EventRecord) int { return a.At.Compare(b.At) })
			return records, err
		}}
	}},
	{"records have the version that they came with", "every version has its record", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, noticeHistory: func(ctx context.Context, id uuid.UUID) ([]pagoinrete.NoticeRecord, error) {
			records, err := s.NoticeHistory(ctx, id)
			for i := range records {
				records[i].Version--
			}
			return records, err
		}}
	}},
	{"what is stored with an event has no record", "every version has its record", func(s pagoinrete.Store) pagoinrete.Store {
		var mu sync.Mutex
		with := map[uuid.UUID]bool{}
		return altered{Store: s,
			saveEvent: func(ctx context.Context, change pagoinrete.EventChange, notices sequence) error {
				if notices == nil {
					return s.SaveEvent(ctx, change, nil)
				}
				return s.SaveEvent(ctx, change, func(yield func(pagoinrete.NoticeChange, error) bool) {
					for n, err := range notices {
						mu.Lock()
						with[n.Notice.ID] = true
						mu.Unlock()
						if !yield(n, err) {
							return
						}
					}
				})
			},
			noticeHistory: func(ctx context.Context, id uuid.UUID) ([]pagoinrete.NoticeRecord, error) {
				records, err := s.NoticeHistory(ctx, id)
				mu.Lock()
				defer mu.Unlock()
				if with[id] {
					records = records[:len(records)-1]
				}
				return records, err
			},
		}
	}},
	{"the history of what is not there is an error", "what is not there has no history", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, noticeHistory: func(ctx context.Context, id uuid.UUID) ([]pagoinrete.NoticeRecord, error) {
			records, err := s.NoticeHistory(ctx, id)
			if err == nil && len(records) == 0 {
				err = flussi.ErrNotFound
			}
			return records, err
		}}
	}},
	{"notices are stored one by one", "notices are stored together or not at all", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, saveNotices: func(ctx context.Context, changes ...pagoinrete.NoticeChange) error {
			for _, c := range changes {
				if err := s.SaveNotices(ctx, c); err != nil {
					return err
				}
			}
			return ctx.Err()
		}}
	}},
	{"notices are stored with an event row by row", "a conflict in the sequence undoes everything", rowByRow},
	{"an import that fails keeps its rows", "an error in the sequence undoes everything, and is returned", rowByRow},
	{"an import goes on when its context has ended", "a context that ends in the sequence undoes everything", rowByRow},
	{"a row that fails is left out", "an error in the sequence undoes everything, and is returned", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, saveEvent: func(ctx context.Context, change pagoinrete.EventChange, notices sequence) error {
			if notices == nil {
				return s.SaveEvent(ctx, change, nil)
			}
			return s.SaveEvent(ctx, change, func(yield func(pagoinrete.NoticeChange, error) bool) {
				for n, err := range notices {
					if err == nil && !yield(n, nil) {
						return
					}
				}
			})
		}}
	}},
	{"the sequence is pulled before the event is checked", "the sequence of an event that is in conflict is not pulled", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, saveEvent: func(ctx context.Context, change pagoinrete.EventChange, notices sequence) error {
			if notices == nil {
				return s.SaveEvent(ctx, change, nil)
			}
			var rows []pagoinrete.NoticeChange
			for n, err := range notices {
				if err != nil {
					return err
				}
				rows = append(rows, n)
			}
			return s.SaveEvent(ctx, change, func(yield func(pagoinrete.NoticeChange, error) bool) {
				for _, n := range rows {
					if !yield(n, nil) {
						return
					}
				}
			})
		}}
	}},
	{"the sequence is pulled twice", "the sequence is pulled once, to its end", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, saveEvent: func(ctx context.Context, change pagoinrete.EventChange, notices sequence) error {
			if notices != nil && currentEvent(s, change.Event.ID) == change.Event.Version {
				for range notices { // to count them
				}
			}
			return s.SaveEvent(ctx, change, notices)
		}}
	}},
	{"a sequence has 1,000 rows at most", "a long sequence is stored whole", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, saveEvent: func(ctx context.Context, change pagoinrete.EventChange, notices sequence) error {
			if notices == nil {
				return s.SaveEvent(ctx, change, nil)
			}
			return s.SaveEvent(ctx, change, func(yield func(pagoinrete.NoticeChange, error) bool) {
				rows := 0
				for n, err := range notices {
					if rows++; rows <= 1000 && !yield(n, err) {
						return
					}
				}
			})
		}}
	}},
	{"to store nothing is an error", "to store nothing is no error", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, saveNotices: func(ctx context.Context, changes ...pagoinrete.NoticeChange) error {
			if len(changes) == 0 {
				return errors.New("syntax error near VALUES")
			}
			return s.SaveNotices(ctx, changes...)
		}}
	}},
	{"those of one time come in no order", "lists are sorted by time of creation and then ID", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, notices: func(ctx context.Context, filter pagoinrete.NoticeFilter, page pagoinrete.Page) ([]pagoinrete.Notice, error) {
			ns, err := s.Notices(ctx, filter, page)
			slices.SortStableFunc(ns, func(a, b pagoinrete.Notice) int {
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
	{"the notices of an event come in the order of their IDs", "lists are sorted by time of creation and then ID", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, notices: func(ctx context.Context, filter pagoinrete.NoticeFilter, page pagoinrete.Page) ([]pagoinrete.Notice, error) {
			ns, err := s.Notices(ctx, filter, page)
			if filter.Event != uuid.Nil {
				slices.SortFunc(ns, func(a, b pagoinrete.Notice) int { return bytes.Compare(a.ID[:], b.ID[:]) })
			}
			return ns, err
		}}
	}},
	{"the oldest events come first", "lists are sorted by time of creation and then ID", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, events: func(ctx context.Context, filter pagoinrete.EventFilter, page pagoinrete.Page) ([]pagoinrete.Event, error) {
			page.OldestFirst = true
			return s.Events(ctx, filter, page)
		}}
	}},
	{"a page has one too many", "a page is as long as it may be, and no longer", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, events: func(ctx context.Context, filter pagoinrete.EventFilter, page pagoinrete.Page) ([]pagoinrete.Event, error) {
			page.Limit++
			return s.Events(ctx, filter, page)
		}}
	}},
	{"a page repeats those of the time at which it begins", "page after page gives everything once", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, notices: func(ctx context.Context, filter pagoinrete.NoticeFilter, page pagoinrete.Page) ([]pagoinrete.Notice, error) {
			if !page.After.IsZero() && !page.OldestFirst {
				page.After.ID = uuid.Max
			}
			return s.Notices(ctx, filter, page)
		}}
	}},
	{"a page skips those of the time at which it begins", "page after page gives everything once", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, events: func(ctx context.Context, filter pagoinrete.EventFilter, page pagoinrete.Page) ([]pagoinrete.Event, error) {
			if page.OldestFirst {
				page.After.ID = uuid.Max
			}
			return s.Events(ctx, filter, page)
		}}
	}},
	{"pages are counted off", "page after page gives everything once while the list changes", func(s pagoinrete.Store) pagoinrete.Store {
		var mu sync.Mutex
		offset := map[uuid.UUID]int{} // by the last one of a page
		return altered{Store: s, notices: func(ctx context.Context, filter pagoinrete.NoticeFilter, page pagoinrete.Page) ([]pagoinrete.Notice, error) {
			mu.Lock()
			defer mu.Unlock()
			skip, counted := offset[page.After.ID]
			if page.After.IsZero() || !counted {
				skip = 0
			} else {
				page.After = pagoinrete.Cursor{}
			}
			limit := page.Limit
			page.Limit += skip
			ns, err := s.Notices(ctx, filter, page)
			ns = ns[min(skip, len(ns)):]
			if ns = ns[:min(limit, len(ns))]; len(ns) > 0 {
				offset[ns[len(ns)-1].ID] = skip + len(ns)
			}
			return ns, err
		}}
	}},
	{"a page begins behind what is there only", "a page begins behind a place, whether something is there or not", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, notices: func(ctx context.Context, filter pagoinrete.NoticeFilter, page pagoinrete.Page) ([]pagoinrete.Notice, error) {
			if page.After.ID != uuid.Nil {
				if _, err := s.Notice(ctx, page.After.ID); err != nil {
					return nil, ctx.Err()
				}
			}
			return s.Notices(ctx, filter, page)
		}}
	}},
	{"To is included", "events are found by each field of the filter", func(s pagoinrete.Store) pagoinrete.Store {
		return asked(s, func(q *pagoinrete.EventFilter) {
			if !q.To.IsZero() {
				q.To = q.To.Add(time.Microsecond)
			}
		}, noNoticeFilter)
	}},
	{"an event of which a notice has a discrepancy has one", "events are found by each field of the filter", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, events: func(ctx context.Context, filter pagoinrete.EventFilter, page pagoinrete.Page) ([]pagoinrete.Event, error) {
			wanted := filter.Discrepancy
			filter.Discrepancy = false
			all, err := s.Events(ctx, filter, pagoinrete.Page{After: page.After, OldestFirst: page.OldestFirst})
			all = slices.DeleteFunc(all, func(e pagoinrete.Event) bool { return wanted && !e.Discrepancy.Open() && e.Counts.Discrepancies == 0 })
			return all[:min(len(all), page.Limit)], err
		}}
	}},
	{"an empty list finds nothing", "notices are found by each field of the filter", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, notices: func(ctx context.Context, filter pagoinrete.NoticeFilter, page pagoinrete.Page) ([]pagoinrete.Notice, error) {
			if filter.IUVs != nil && len(filter.IUVs) == 0 {
				return nil, ctx.Err()
			}
			return s.Notices(ctx, filter, page)
		}}
	}},
	{"what is due at the time is due before it", "notices are found by each field of the filter", func(s pagoinrete.Store) pagoinrete.Store {
		return asked(s, noEventFilter, func(q *pagoinrete.NoticeFilter) {
			if !q.DueBefore.IsZero() {
				q.DueBefore = q.DueBefore.Add(time.Microsecond)
			}
		})
	}},
	{"only the first 100 IUVs are looked for", "notices are found by each field of the filter", func(s pagoinrete.Store) pagoinrete.Store {
		return asked(s, noEventFilter, func(q *pagoinrete.NoticeFilter) { q.IUVs = q.IUVs[:min(100, len(q.IUVs))] })
	}},
	{"an IUV is found by the last digits of a number with the aux digit 3", "notices are found by each field of the filter", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, notices: func(ctx context.Context, filter pagoinrete.NoticeFilter, page pagoinrete.Page) ([]pagoinrete.Notice, error) {
			if len(filter.IUVs) == 0 {
				return s.Notices(ctx, filter, page)
			}
			all, err := s.Notices(ctx, filter, pagoinrete.Page{After: page.After, OldestFirst: page.OldestFirst})
			all = slices.DeleteFunc(all, func(n pagoinrete.Notice) bool { return n.Number.Reveal()[0] != '3' })
			return all[:min(len(all), page.Limit)], err
		}}
	}},
	{"no number is found by no IUV", "notices are found by each field of the filter", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, notices: func(ctx context.Context, filter pagoinrete.NoticeFilter, page pagoinrete.Page) ([]pagoinrete.Notice, error) {
			if len(filter.IUVs) != 1 || !filter.IUVs[0].IsZero() {
				return s.Notices(ctx, filter, page)
			}
			filter.IUVs = nil
			all, err := s.Notices(ctx, filter, pagoinrete.Page{After: page.After, OldestFirst: page.OldestFirst})
			all = slices.DeleteFunc(all, func(n pagoinrete.Notice) bool { return !n.Number.IsZero() })
			return all[:min(len(all), page.Limit)], err
		}}
	}},
	{"a notice is found by the number that it had first", "notices are found by each field of the filter", func(s pagoinrete.Store) pagoinrete.Store {
		var mu sync.Mutex
		first := map[uuid.UUID]flussi.NoticeNumber{}
		store := written(s, noEventChange, func(c *pagoinrete.NoticeChange) {
			mu.Lock()
			defer mu.Unlock()
			if c.Notice.Version == 0 {
				first[c.Notice.ID] = c.Notice.Number
			}
		}).(altered)
		store.notices = func(ctx context.Context, filter pagoinrete.NoticeFilter, page pagoinrete.Page) ([]pagoinrete.Notice, error) {
			ns, err := s.Notices(ctx, filter, page)
			mu.Lock()
			defer mu.Unlock()
			return slices.DeleteFunc(ns, func(n pagoinrete.Notice) bool {
				return len(filter.IUVs) > 0 && !slices.Contains(filter.IUVs, first[n.ID].IUV())
			}), err
		}
		return store
	}},
	{"with IDs, nothing else is looked at", "events are found by fields of the filter together", func(s pagoinrete.Store) pagoinrete.Store {
		return asked(s, func(q *pagoinrete.EventFilter) {
			if len(q.IDs) > 0 {
				*q = pagoinrete.EventFilter{IDs: q.IDs}
			}
		}, noNoticeFilter)
	}},
	{"with an event, the state is not looked at", "notices are found by fields of the filter together", func(s pagoinrete.Store) pagoinrete.Store {
		return asked(s, noEventFilter, func(q *pagoinrete.NoticeFilter) {
			if q.Event != uuid.Nil {
				q.States = nil
			}
		})
	}},
	{"with IUVs, the school is not looked at", "notices are found by fields of the filter together", func(s pagoinrete.Store) pagoinrete.Store {
		return asked(s, noEventFilter, func(q *pagoinrete.NoticeFilter) {
			if len(q.IUVs) > 0 {
				q.Schools = nil
			}
		})
	}},
	{"only English letters have two cases", "a text is found whatever its case", func(s pagoinrete.Store) pagoinrete.Store {
		return searched(s, inEither(func(stored, wanted string) bool { return strings.Contains(asciiLower(stored), asciiLower(wanted)) }))
	}},
	{"wildcards are wild", "a text that is looked for stands for itself", func(s pagoinrete.Store) pagoinrete.Store {
		return searched(s, inEither(like))
	}},
	{"texts are looked for in the name only", "a text is found in the name or in the causale, and not across both", func(s pagoinrete.Store) pagoinrete.Store {
		return searched(s, func(e pagoinrete.Event, wanted string) bool {
			return strings.Contains(strings.ToLower(e.Name), strings.ToLower(wanted))
		})
	}},
	{"texts are looked for in both, one behind the other", "a text is found in the name or in the causale, and not across both", func(s pagoinrete.Store) pagoinrete.Store {
		return searched(s, func(e pagoinrete.Event, wanted string) bool {
			return strings.Contains(strings.ToLower(e.Name+" "+e.Causale), strings.ToLower(wanted))
		})
	}},
	{"Event does not look at its context", "a context that has ended is refused, and nothing changes", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, event: func(ctx context.Context, id uuid.UUID) (pagoinrete.Event, error) {
			return s.Event(context.WithoutCancel(ctx), id)
		}}
	}},
	{"Events does not look at its context", "a context that has ended is refused, and nothing changes", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, events: func(ctx context.Context, filter pagoinrete.EventFilter, page pagoinrete.Page) ([]pagoinrete.Event, error) {
			return s.Events(context.WithoutCancel(ctx), filter, page)
		}}
	}},
	{"EventHistory does not look at its context", "a context that has ended is refused, and nothing changes", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, eventHistory: func(ctx context.Context, id uuid.UUID) ([]pagoinrete.EventRecord, error) {
			return s.EventHistory(context.WithoutCancel(ctx), id)
		}}
	}},
	{"SaveEvent does not look at its context", "a context that has ended is refused, and nothing changes", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, saveEvent: func(ctx context.Context, change pagoinrete.EventChange, notices sequence) error {
			return s.SaveEvent(context.WithoutCancel(ctx), change, notices)
		}}
	}},
	{"Notice does not look at its context", "a context that has ended is refused, and nothing changes", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, notice: func(ctx context.Context, id uuid.UUID) (pagoinrete.Notice, error) {
			return s.Notice(context.WithoutCancel(ctx), id)
		}}
	}},
	{"Notices does not look at its context", "a context that has ended is refused, and nothing changes", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, notices: func(ctx context.Context, filter pagoinrete.NoticeFilter, page pagoinrete.Page) ([]pagoinrete.Notice, error) {
			return s.Notices(context.WithoutCancel(ctx), filter, page)
		}}
	}},
	{"NoticeHistory does not look at its context", "a context that has ended is refused, and nothing changes", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, noticeHistory: func(ctx context.Context, id uuid.UUID) ([]pagoinrete.NoticeRecord, error) {
			return s.NoticeHistory(context.WithoutCancel(ctx), id)
		}}
	}},
	{"SaveNotices does not look at its context", "a context that has ended is refused, and nothing changes", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, saveNotices: func(ctx context.Context, changes ...pagoinrete.NoticeChange) error {
			return s.SaveNotices(context.WithoutCancel(ctx), changes...)
		}}
	}},
	{"the end of a context is looked at too late", "a context that has ended is refused, and nothing changes", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, saveNotices: func(ctx context.Context, changes ...pagoinrete.NoticeChange) error {
			return errors.Join(s.SaveNotices(context.WithoutCancel(ctx), changes...), ctx.Err())
		}}
	}},
	{"the history is the store's own slice", "what is returned is the caller's", func(s pagoinrete.Store) pagoinrete.Store {
		var mu sync.Mutex
		kept := map[uuid.UUID][]pagoinrete.NoticeRecord{}
		return altered{Store: s, noticeHistory: func(ctx context.Context, id uuid.UUID) ([]pagoinrete.NoticeRecord, error) {
			records, err := s.NoticeHistory(ctx, id)
			mu.Lock()
			defer mu.Unlock()
			if err == nil && len(kept[id]) < len(records) {
				kept[id] = records
			}
			return kept[id], err
		}}
	}},
	{"the instalments are the store's own slice", "what is returned is the caller's", func(s pagoinrete.Store) pagoinrete.Store {
		var mu sync.Mutex
		kept := map[uuid.UUID][]pagoinrete.Instalment{}
		return read(s, func(e *pagoinrete.Event) {
			mu.Lock()
			defer mu.Unlock()
			if len(kept[e.ID]) != len(e.Instalments) {
				kept[e.ID] = e.Instalments
			}
			e.Instalments = kept[e.ID]
		}, noNotice)
	}},
	{"the instalments of a list share their slice with those of the last one", "what is returned is the caller's", func(s pagoinrete.Store) pagoinrete.Store {
		var mu sync.Mutex
		shared := map[uuid.UUID][]pagoinrete.Instalment{}
		return read(s, func(e *pagoinrete.Event) {
			mu.Lock()
			defer mu.Unlock()
			if buffer := shared[e.ID]; len(buffer) == len(e.Instalments) {
				copy(buffer, e.Instalments) // as rows are scanned into a buffer
				e.Instalments = buffer
			}
			shared[e.ID] = e.Instalments
		}, noNotice)
	}},
	{"the instalments that were given are kept", "what is given stays the caller's", func(s pagoinrete.Store) pagoinrete.Store {
		var mu sync.Mutex
		kept := map[uuid.UUID][]pagoinrete.Instalment{}
		reads := read(s, func(e *pagoinrete.Event) {
			mu.Lock()
			defer mu.Unlock()
			for i, part := range kept[e.ID] {
				e.Instalments[i] = pagoinrete.Instalment{DueDate: part.DueDate.UTC().Truncate(time.Microsecond), Amount: part.Amount}
			}
		}, noNotice).(altered)
		reads.saveEvent = func(ctx context.Context, change pagoinrete.EventChange, notices sequence) error {
			mu.Lock()
			kept[change.Event.ID] = change.Event.Instalments
			mu.Unlock()
			return s.SaveEvent(ctx, change, notices)
		}
		return reads
	}},
	{"the instalments that were given are made to fit", "what is given stays the caller's", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, saveEvent: func(ctx context.Context, change pagoinrete.EventChange, notices sequence) error {
			for i, part := range change.Event.Instalments {
				change.Event.Instalments[i].DueDate = part.DueDate.UTC()
			}
			return s.SaveEvent(ctx, change, notices)
		}}
	}},
	{"what is given is changed", "what is given stays the caller's", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, saveNotices: func(ctx context.Context, changes ...pagoinrete.NoticeChange) error {
			err := s.SaveNotices(ctx, changes...)
			for i := range changes {
				changes[i].Notice.Version++
			}
			return err
		}}
	}},
	{"the schools of the filter are sorted", "what is given stays the caller's", func(s pagoinrete.Store) pagoinrete.Store {
		return asked(s, noEventFilter, func(q *pagoinrete.NoticeFilter) { slices.Sort(q.Schools) })
	}},
	{"the version is looked at first, and written later", "of those who change one version, one succeeds", func(s pagoinrete.Store) pagoinrete.Store {
		// All that come within a moment have seen the same version.
		return altered{Store: s, saveNotices: func(ctx context.Context, changes ...pagoinrete.NoticeChange) error {
			changes = slices.Clone(changes)
			for i, c := range changes {
				if c.Notice.Version != current(s, c.Notice.ID) {
					return flussi.ErrConflict
				}
				time.Sleep(time.Millisecond)
				for {
					changes[i].Notice.Version = current(s, c.Notice.ID)
					if err := s.SaveNotices(ctx, changes[i]); !errors.Is(err, flussi.ErrConflict) {
						break
					}
				}
			}
			return ctx.Err()
		}}
	}},
	{"two who lock in another order are a deadlock", "of those who change one version, one succeeds", func(s pagoinrete.Store) pagoinrete.Store {
		return lockingOneByOne(s)
	}},
	{"of those who create, all succeed", "of those who create one entity, one succeeds", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, saveEvent: func(ctx context.Context, change pagoinrete.EventChange, notices sequence) error {
			err := s.SaveEvent(ctx, change, notices)
			if errors.Is(err, flussi.ErrConflict) && change.Event.Version == 0 {
				return nil
			}
			return err
		}}
	}},
	{"an event locks its notices behind itself, notices lock the event behind them", "an event and its notices are changed at once without a deadlock", func(s pagoinrete.Store) pagoinrete.Store {
		return lockingOneByOne(s)
	}},
	{"a conflict of a notice with an event's is overlooked", "an event and its notices are changed at once without a deadlock", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, saveEvent: func(ctx context.Context, change pagoinrete.EventChange, notices sequence) error {
			if err := s.SaveEvent(ctx, change, notices); !errors.Is(err, flussi.ErrConflict) || change.Event.Version == 0 {
				return err
			}
			return nil
		}}
	}},
	{"who comes at the same time is turned away", "changes that do not meet all succeed, and are counted", func(s pagoinrete.Store) pagoinrete.Store {
		var busy sync.Mutex
		return altered{Store: s, saveNotices: func(ctx context.Context, changes ...pagoinrete.NoticeChange) error {
			if !busy.TryLock() {
				return errors.New("database is locked")
			}
			defer busy.Unlock()
			time.Sleep(time.Microsecond)
			return s.SaveNotices(ctx, changes...)
		}}
	}},
	{"a change of a notice is a conflict with one of its event", "changes that do not meet all succeed, and are counted", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, saveNotices: func(ctx context.Context, changes ...pagoinrete.NoticeChange) error {
			before := make([]int64, len(changes))
			for i, c := range changes {
				before[i] = currentEvent(s, c.Notice.EventID)
			}
			time.Sleep(time.Microsecond)
			for i, c := range changes {
				if currentEvent(s, c.Notice.EventID) != before[i] {
					return flussi.ErrConflict
				}
			}
			return s.SaveNotices(ctx, changes...)
		}}
	}},
	{"counts are added up while they change", "counts are of one moment", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, event: func(ctx context.Context, id uuid.UUID) (pagoinrete.Event, error) {
			before, _ := s.Event(ctx, id)
			time.Sleep(time.Microsecond)
			e, err := s.Event(ctx, id)
			e.Counts.NotLinked = before.Counts.NotLinked
			return e, err
		}}
	}},
	{"discrepancies are counted later", "counts are of one moment", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, event: func(ctx context.Context, id uuid.UUID) (pagoinrete.Event, error) {
			e, err := s.Event(ctx, id)
			time.Sleep(time.Microsecond)
			after, _ := s.Event(ctx, id)
			e.Counts.Discrepancies = after.Counts.Discrepancies
			return e, err
		}}
	}},
	{"notices are counted after the event was read", "an event is read with the counts of the same moment", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, events: func(ctx context.Context, filter pagoinrete.EventFilter, page pagoinrete.Page) ([]pagoinrete.Event, error) {
			all, err := s.Events(ctx, filter, page)
			time.Sleep(time.Microsecond)
			for i, e := range all {
				after, _ := s.Event(ctx, e.ID)
				all[i].Counts = after.Counts
			}
			return all, err
		}}
	}},
	{"it panics", "a notice is read as it was stored", func(s pagoinrete.Store) pagoinrete.Store {
		return altered{Store: s, notices: func(context.Context, pagoinrete.NoticeFilter, pagoinrete.Page) ([]pagoinrete.Notice, error) {
			panic("no such query")
		}}
	}},
}
