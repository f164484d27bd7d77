package settlementtest_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/brokenstore"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// breakers are stores that break the rules of this suite only, or lose fields that only its
// entities have.
var breakers = []breaker{
	{"two flags are stored as one", "each flag is kept for itself",
		viewed.WrittenChildren(func(c *paymentChange, _ settlement.Payment) {
			c.Entity.Unusable = c.Entity.Unusable || c.Entity.Dropped
		})},
	{"references get an extra digit", "references of every class are kept",
		viewed.ReadChildren(func(p *settlement.Payment) {
			p.Reference = paymentfile.NewReference(p.Reference.Reveal() + "0")
		})},
	{"unknown owners become OwnerUnknown", "states, kinds and actions that are unknown are kept",
		viewed.ReadChildren(func(p *settlement.Payment) {
			if p.Owner != settlement.OwnerBody && p.Owner != settlement.OwnerForeign {
				p.Owner = settlement.OwnerUnknown
			}
		})},
	{"unknown kinds of parts become PartWaiting", "states, kinds and actions that are unknown are kept",
		writtenMovements(func(c *settlement.MovementChange) {
			for i := range c.Movement.Parts {
				if c.Movement.Parts[i].Kind == "guessed" {
					c.Movement.Parts[i].Kind = settlement.PartWaiting
				}
			}
		})},
	{"revoked payments are counted as positive", "the counts of a settlement are those of its payments",
		viewed.ReadParents(func(s *settlement.Settlement) {
			s.Counts.Revoked.Amount = max(s.Counts.Revoked.Amount, -s.Counts.Revoked.Amount)
		})},
	{"dropped payments are not counted", "the counts of a settlement are those of its payments",
		viewed.ReadParents(func(s *settlement.Settlement) { s.Counts.Dropped = settlement.Tally{} })},
	{"a field of the movement has no column", "a movement is read as it was stored",
		writtenMovements(func(c *settlement.MovementChange) { c.Movement.Bank = "" })},
	{"lists omit a field", "a movement is read as it was stored",
		listedMovements(func(m *settlement.Movement) { m.Entries = nil })},
	{"a missing movement is returned as an empty one", "a movement that is not there is not found", emptyMovements},
	{"parts are sorted by their amount", "the lists of a movement are kept in their order",
		readMovements(func(m *settlement.Movement) {
			slices.SortFunc(m.Parts, func(a, b settlement.Part) int { return int(a.Amount - b.Amount) })
		})},
	{"a repeated name is stored once", "the lists of a movement are kept in their order",
		writtenMovements(func(c *settlement.MovementChange) {
			slices.Sort(c.Movement.FlowIDs)
			c.Movement.FlowIDs = slices.Compact(c.Movement.FlowIDs)
		})},
	{"a write may have a movement twice", "a movement is stored in the version that was read, with its record", newAndChanged},
	{"the last writer wins", "a movement is stored in the version that was read, with its record", lastWins},
	{"records have no actor", "a movement is stored in the version that was read, with its record",
		writtenMovements(func(c *settlement.MovementChange) { c.Record.By = "" })},
	{"causali are cut to a length", "texts, times and amounts of a movement are kept",
		writtenMovements(func(c *settlement.MovementChange) {
			for i, e := range c.Movement.Entries {
				if runes := []rune(e.Causale.Reveal()); len(runes) > 4000 {
					c.Movement.Entries[i].Causale = flussi.NewText(string(runes[:4000]))
				}
			}
		})},
	{"amounts of parts are floats", "texts, times and amounts of a movement are kept",
		writtenMovements(func(c *settlement.MovementChange) {
			for i, part := range c.Movement.Parts {
				c.Movement.Parts[i].Amount = flussi.Cents(float64(part.Amount))
			}
		})},
	{"movements are stored in a transaction of their own", "settlements, movements and payments are stored together or not at all", movementsFirst},
	{"late writers overwrite", "of those who change one movement, one succeeds", lastWins},
	{"all bodies share one version", "the version of a body counts its writes",
		func(s settlement.Store) settlement.Store {
			return altered{Store: s, bodyVersion: func(ctx context.Context, body flussi.OrganizationCode) (int64, error) {
				own, err := s.BodyVersion(ctx, body)
				other, _ := s.BodyVersion(ctx, first)
				return max(own, other), err
			}}
		}},
	{"the version of the body is not compared", "a write with another version than the body's is refused", anyBodyVersion},
	{"the version of the body is read again before it is compared", "of several writers with one version of a body, one succeeds", anyBodyVersion},
	{"characters of LIKE are not escaped", "settlements are found by each field of the filter",
		viewed.Parents(brokenstore.Asks[settlement.Settlement](func(q *settlement.SettlementFilter) {
			if q.FlowPrefix == "%" {
				q.FlowPrefix = ""
			}
		}))},
	{"prefixes are compared without regard to case", "settlements are found by each field of the filter",
		viewed.Parents(brokenstore.Searches(func(q *settlement.SettlementFilter) func(settlement.Settlement) bool {
			begins := strings.ToLower(q.FlowPrefix)
			q.FlowPrefix = ""
			return func(s settlement.Settlement) bool { return strings.HasPrefix(strings.ToLower(s.FlowID), begins) }
		}))},
	{"prefixes are compared byte by byte", "settlements are found by each field of the filter",
		viewed.Parents(brokenstore.Searches(func(q *settlement.SettlementFilter) func(settlement.Settlement) bool {
			begins := q.FlowPrefix
			q.FlowPrefix = ""
			return func(s settlement.Settlement) bool { return strings.HasPrefix(s.FlowID, begins) }
		}))},
	{"identifiers are compared by the characters in the index", "settlements are found by each field of the filter",
		viewed.Parents(brokenstore.Searches(func(q *settlement.SettlementFilter) func(settlement.Settlement) bool {
			wanted := q.FlowIDs
			q.FlowIDs = nil
			return func(s settlement.Settlement) bool {
				return len(wanted) == 0 || slices.ContainsFunc(wanted, func(id string) bool { return cut(id) == cut(s.FlowID) })
			}
		}))},
	{"an unknown state finds settlements in all states", "settlements are found by each field of the filter",
		viewed.Parents(brokenstore.Asks[settlement.Settlement](func(q *settlement.SettlementFilter) {
			q.States = slices.DeleteFunc(slices.Clone(q.States), func(s settlement.SettlementState) bool {
				return len(q.States) == 1 && !slices.Contains(settlement.SettlementStates(), s)
			})
		}))},
	{"a filter with a total ignores the state", "settlements are found by fields of the filter together",
		viewed.Parents(brokenstore.Asks[settlement.Settlement](func(q *settlement.SettlementFilter) {
			if len(q.Totals) > 0 {
				q.States = nil
			}
		}))},
	{"References finds payments by Reference, not by Target", "payments are found by each field of the filter",
		viewed.Children(brokenstore.Searches(func(q *settlement.PaymentFilter) func(settlement.Payment) bool {
			wanted := q.References
			q.References = nil
			return func(p settlement.Payment) bool { return len(wanted) == 0 || slices.Contains(wanted, p.Reference) }
		}))},
	{"a filter with references ignores the body", "payments are found by fields of the filter together",
		viewed.Children(brokenstore.Asks[settlement.Payment](func(q *settlement.PaymentFilter) {
			if len(q.References) > 0 {
				q.Bodies = nil
			}
		}))},
	{"FlowIDs finds movements by their first name", "movements are found by each field of the filter",
		askedMovements(func(q *settlement.MovementFilter) { q.FlowIDs = q.FlowIDs[:min(1, len(q.FlowIDs))] })},
	{"FlowIDs finds movements by earlier names", "movements are found by each field of the filter", earlierNames},
	{"Settlement ignores the Decisions", "movements are found by each field of the filter",
		filteredMovements(func(q settlement.MovementFilter, m settlement.Movement) bool {
			return q.Settlement == uuid.Nil || slices.ContainsFunc(m.Parts, func(p settlement.Part) bool { return p.Settlement == q.Settlement })
		})},
	{"Prefixes is ignored", "movements are found by each field of the filter",
		askedMovements(func(q *settlement.MovementFilter) { q.Prefixes = nil })},
	{"Unresolved is ignored", "movements are found by each field of the filter",
		askedMovements(func(q *settlement.MovementFilter) { q.Unresolved = false })},
	{"a filter with an amount ignores the body", "movements are found by fields of the filter together",
		askedMovements(func(q *settlement.MovementFilter) {
			if len(q.Amounts) > 0 {
				q.Bodies = nil
			}
		})},
	{"movements are returned from a cache", "what is returned is the caller's", cachedMovements},
	{"Save sorts the caller's names", "what is given stays the caller's",
		func(s settlement.Store) settlement.Store {
			return altered{Store: s, save: func(ctx context.Context, changes settlement.Changes) error {
				err := s.Save(ctx, changes)
				for _, c := range changes.Movements {
					slices.Sort(c.Movement.FlowIDs)
				}
				return err
			}}
		}},
	{"a list sorts the caller's filter", "what is given stays the caller's",
		askedMovements(func(q *settlement.MovementFilter) { slices.Sort(q.FlowIDs) })},
}

var first = func() flussi.OrganizationCode {
	code, _ := flussi.ParseOrganizationCode("80185250588")
	return code
}()

// writtenMovements makes a store that changes movements before it stores them.
func writtenMovements(change func(*settlement.MovementChange)) func(settlement.Store) settlement.Store {
	return func(s settlement.Store) settlement.Store {
		return altered{Store: s, save: func(ctx context.Context, changes settlement.Changes) error {
			changes.Movements = slices.Clone(changes.Movements)
			for i := range changes.Movements {
				m := &changes.Movements[i].Movement
				m.Entries, m.FlowIDs, m.Parts = slices.Clone(m.Entries), slices.Clone(m.FlowIDs), slices.Clone(m.Parts)
				change(&changes.Movements[i])
			}
			return s.Save(ctx, changes)
		}}
	}
}

// listedMovements makes a store that changes the movements in the lists that it returns.
func listedMovements(change func(*settlement.Movement)) func(settlement.Store) settlement.Store {
	return func(s settlement.Store) settlement.Store {
		return altered{Store: s, movements: func(ctx context.Context, filter settlement.MovementFilter, page settlement.Page) ([]settlement.Movement, error) {
			all, err := s.Movements(ctx, filter, page)
			for i := range all {
				change(&all[i])
			}
			return all, err
		}}
	}
}

// readMovements makes a store that changes the movements that it returns.
func readMovements(change func(*settlement.Movement)) func(settlement.Store) settlement.Store {
	return func(s settlement.Store) settlement.Store {
		a := listedMovements(change)(s).(altered)
		a.movement = func(ctx context.Context, id uuid.UUID) (settlement.Movement, error) {
			m, err := s.Movement(ctx, id)
			change(&m)
			return m, err
		}
		return a
	}
}

// askedMovements makes a store that changes the filter of movements.
func askedMovements(change func(*settlement.MovementFilter)) func(settlement.Store) settlement.Store {
	return func(s settlement.Store) settlement.Store {
		return altered{Store: s, movements: func(ctx context.Context, filter settlement.MovementFilter, page settlement.Page) ([]settlement.Movement, error) {
			change(&filter)
			return s.Movements(ctx, filter, page)
		}}
	}
}

// cut returns the characters of a text that an index may have.
func cut(text string) string { return text[:min(len(text), 64)] }

// filteredMovements makes a store that returns those of the movements on a page that are kept.
func filteredMovements(keep func(settlement.MovementFilter, settlement.Movement) bool) func(settlement.Store) settlement.Store {
	return func(s settlement.Store) settlement.Store {
		return altered{Store: s, movements: func(ctx context.Context, filter settlement.MovementFilter, page settlement.Page) ([]settlement.Movement, error) {
			all, err := s.Movements(ctx, filter, page)
			return slices.DeleteFunc(all, func(m settlement.Movement) bool { return !keep(filter, m) }), err
		}}
	}
}

// earlierNames makes a store that also finds a movement by the names of its first version.
func earlierNames(s settlement.Store) settlement.Store {
	names := map[uuid.UUID][]string{}
	return altered{Store: s,
		save: func(ctx context.Context, changes settlement.Changes) error {
			err := s.Save(ctx, changes)
			for _, c := range changes.Movements {
				if err == nil && c.Movement.Version == 0 {
					names[c.Movement.ID] = slices.Clone(c.Movement.FlowIDs)
				}
			}
			return err
		},
		movements: func(ctx context.Context, filter settlement.MovementFilter, page settlement.Page) ([]settlement.Movement, error) {
			wanted := filter.FlowIDs
			if filter.FlowIDs = nil; len(wanted) == 0 {
				return s.Movements(ctx, filter, page)
			}
			whole := page
			whole.Limit = flussi.MaxPage
			all, err := s.Movements(ctx, filter, whole)
			all = slices.DeleteFunc(all, func(m settlement.Movement) bool {
				return !slices.ContainsFunc(append(names[m.ID], m.FlowIDs...), func(name string) bool { return slices.Contains(wanted, name) })
			})
			return all[:min(len(all), page.Limit)], err
		}}
}

// newAndChanged makes a store that accepts a new movement and its next version in one write.
func newAndChanged(s settlement.Store) settlement.Store {
	return altered{Store: s, save: func(ctx context.Context, changes settlement.Changes) error {
		if all := changes.Movements; len(all) == 2 && all[0].Movement.Version == 0 && all[1].Movement.Version == 1 && all[0].Movement.ID == all[1].Movement.ID {
			if err := s.Save(ctx, settlement.Changes{Movements: all[:1]}); err != nil {
				return err
			}
			changes.Movements = all[1:]
		}
		return s.Save(ctx, changes)
	}}
}

func emptyMovements(s settlement.Store) settlement.Store {
	return altered{Store: s, movement: func(ctx context.Context, id uuid.UUID) (settlement.Movement, error) {
		m, err := s.Movement(ctx, id)
		if errors.Is(err, flussi.ErrNotFound) {
			return settlement.Movement{}, nil
		}
		return m, err
	}}
}

// lastWins makes a store that ignores the Version of a movement.
func lastWins(s settlement.Store) settlement.Store {
	var mu sync.Mutex
	return altered{Store: s, save: func(ctx context.Context, changes settlement.Changes) error {
		mu.Lock()
		defer mu.Unlock()
		changes.Movements = slices.Clone(changes.Movements)
		for i := range changes.Movements {
			m := &changes.Movements[i].Movement
			if stored, err := s.Movement(ctx, m.ID); err == nil && m.Version > 0 {
				m.Version = stored.Version
			}
		}
		return s.Save(ctx, changes)
	}}
}

// movementsFirst makes a store that stores movements in a transaction of their own.
func movementsFirst(s settlement.Store) settlement.Store {
	return altered{Store: s, save: func(ctx context.Context, changes settlement.Changes) error {
		if len(changes.Settlements) > 0 && len(changes.Movements) > 0 {
			if err := s.Save(ctx, settlement.Changes{Movements: changes.Movements}); err != nil {
				return err
			}
			changes.Movements = nil
		}
		return s.Save(ctx, changes)
	}}
}

// anyBodyVersion makes a store that ignores the BodyVersion of changes.
func anyBodyVersion(s settlement.Store) settlement.Store {
	var mu sync.Mutex
	return altered{Store: s, save: func(ctx context.Context, changes settlement.Changes) error {
		mu.Lock()
		defer mu.Unlock()
		changes.BodyVersion, _ = s.BodyVersion(ctx, changes.Body)
		return s.Save(ctx, changes)
	}}
}

// cachedMovements makes a store that returns the same lists for each read of a version.
func cachedMovements(s settlement.Store) settlement.Store {
	type key struct {
		id      uuid.UUID
		version int64
	}
	cache := map[key]settlement.Movement{}
	return altered{Store: s, movement: func(ctx context.Context, id uuid.UUID) (settlement.Movement, error) {
		m, err := s.Movement(ctx, id)
		if err != nil {
			return m, err
		}
		if kept, is := cache[key{id, m.Version}]; is {
			return kept, nil
		}
		cache[key{id, m.Version}] = m
		return m, nil
	}}
}
