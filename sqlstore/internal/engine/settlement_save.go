package engine

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// BodyVersion implements [settlement.Store].
func (s *Store) BodyVersion(ctx context.Context, body flussi.OrganizationCode) (int64, error) {
	var writes int64
	err := s.reader().query(ctx, "SELECT writes FROM flussi.ledgers WHERE body = ?", []any{body.String()}, []any{&writes}, func() {})
	return writes, s.fail(ctx, "read version of a body", uuid.Nil, err)
}

// Save implements [settlement.Store].
func (s *Store) Save(ctx context.Context, c settlement.Changes) error {
	store := func(t *tx) error { return t.saveSettlements(ctx, c) }
	var err error
	if c.Payments == nil {
		err = s.write(ctx, store)
	} else {
		err = s.writeOnce(ctx, Write, store)
	}
	return s.fail(ctx, "save settlements", uuid.Nil, err)
}

// saveSettlements writes changes. The version of the body is locked first: if two writers have read
// the same version, the second one waits, and then has a conflict. All writes lock settlements first,
// then movements, then payments, so that they do not deadlock.
func (t *tx) saveSettlements(ctx context.Context, c settlement.Changes) error {
	if err := t.nextBodyVersion(ctx, c.Body, c.BodyVersion); err != nil {
		return err
	}
	changed := make([]change[settlement.Settlement], len(c.Settlements))
	for i, s := range c.Settlements {
		changed[i] = newChange(&settlements, s.Settlement, s.Record)
	}
	if err := newWriter(t, &settlements).saveAll(ctx, changed); err != nil {
		return err
	}
	if err := newMovementWriter(t).saveMovements(ctx, c.Movements); err != nil || c.Payments == nil {
		return err
	}
	w := newPaymentWriter(t)
	if err := pull(ctx, c.Payments, w.saveGroup); err != nil {
		return err
	}
	return w.writeCounts(ctx)
}

// nextBodyVersion counts a write with a body. If another write was stored since the version was read,
// it returns [flussi.ErrConflict].
func (t *tx) nextBodyVersion(ctx context.Context, body flussi.OrganizationCode, read int64) error {
	if body.IsZero() {
		return nil
	}
	query, args := "UPDATE flussi.ledgers SET writes = writes + 1 WHERE body = ? AND writes = ?", []any{body.String(), read}
	if read == 0 {
		query, args = "INSERT INTO flussi.ledgers (body, writes) VALUES (?, 1) ON CONFLICT DO NOTHING", args[:1]
	}
	counted, err := t.exec(ctx, query, args...)
	if err == nil && counted == 0 {
		err = flussi.ErrConflict
	}
	return err
}

// paymentWriter writes payments, and the counts of their settlements.
type paymentWriter struct {
	*writer[settlement.Payment]
	counts map[uuid.UUID]settlement.PaymentCounts
}

func newPaymentWriter(t *tx) *paymentWriter {
	w := &paymentWriter{writer: newWriter(t, &payments), counts: map[uuid.UUID]settlement.PaymentCounts{}}
	w.before = func(_ context.Context, c *change[settlement.Payment], was *settlement.Payment) error {
		counts := w.counts[c.entity.Settlement]
		if was != nil {
			counts.Add(*was, -1)
		}
		counts.Add(c.entity, 1)
		w.counts[c.entity.Settlement] = counts
		return nil
	}
	return w
}

func (w *paymentWriter) saveGroup(ctx context.Context, changes []settlement.PaymentChange) error {
	converted := make([]change[settlement.Payment], len(changes))
	for i, c := range changes {
		converted[i] = newChange(&payments, c.Payment, c.Record)
	}
	return w.save(ctx, converted)
}

func (w *paymentWriter) writeCounts(ctx context.Context) error {
	changes := map[uuid.UUID][]int64{}
	for id, counts := range w.counts {
		var numbers []int64
		for _, tally := range tallies(&counts) {
			numbers = append(numbers, int64(tally.Number), int64(tally.Amount/highUnit), int64(tally.Amount%highUnit))
		}
		changes[id] = numbers
	}
	return count(ctx, w.tx, &settlements, changes)
}

// movementWriter writes movements, and by what they are found in tables of their own.
type movementWriter struct {
	*writer[settlement.Movement]
	stale map[string][]any   // by the table: the IDs of movements whose rows are replaced
	rows  map[string][][]any // by the table
}

func newMovementWriter(t *tx) *movementWriter {
	w := &movementWriter{writer: newWriter(t, &movements), stale: map[string][]any{}, rows: map[string][][]any{}}
	w.before = func(_ context.Context, c *change[settlement.Movement], was *settlement.Movement) error {
		w.changeKeys(movementNames.table, c.id, namesOf(&c.entity), namesOf(was))
		w.changeKeys(movementSettlements.table, c.id, settlementsOf(&c.entity), settlementsOf(was))
		return nil
	}
	return w
}

// movementKeys is a table by which movements are found.
type movementKeys struct {
	table  string
	column Column
	index  string
}

var (
	movementNames       = movementKeys{"movement_names", Column{Name: "name", Type: "text"}, "movement_names_by_name"}
	movementSettlements = movementKeys{"movement_settlements", Column{Name: "settlement_id", Type: "uuid"}, "movement_settlements_by_settlement"}
)

// namesOf returns the names of a movement, each once; none of nil.
func namesOf(m *settlement.Movement) []any {
	if m == nil {
		return nil
	}
	return distinct(m.FlowIDs)
}

// settlementsOf returns the settlements that a movement concerns, each once; none of nil.
func settlementsOf(m *settlement.Movement) []any {
	if m == nil {
		return nil
	}
	var ids []any
	add := func(id uuid.UUID) {
		if id != uuid.Nil && !slices.Contains(ids, any(id)) {
			ids = append(ids, id)
		}
	}
	for _, p := range m.Parts {
		add(p.Settlement)
	}
	for _, h := range m.Decisions {
		add(h.Settlement)
	}
	return ids
}

// changeKeys notes what a movement is found by, if it is something else than before.
func (w *movementWriter) changeKeys(table string, id uuid.UUID, keys, before []any) {
	if slices.Equal(keys, before) {
		return
	}
	if len(before) > 0 {
		w.stale[table] = append(w.stale[table], id)
	}
	for _, key := range keys {
		w.rows[table] = append(w.rows[table], []any{id, key})
	}
}

// saveMovements writes movements, and what they are found by.
func (w *movementWriter) saveMovements(ctx context.Context, changes []settlement.MovementChange) error {
	converted := make([]change[settlement.Movement], len(changes))
	for i, c := range changes {
		converted[i] = newChange(&movements, c.Movement, c.Record)
	}
	if err := w.saveAll(ctx, converted); err != nil {
		return err
	}
	for _, keys := range []movementKeys{movementNames, movementSettlements} {
		owner := Column{Name: "movement_id", Type: "uuid"}
		if stale := w.stale[keys.table]; len(stale) > 0 {
			chosen, arg := w.driver.In(owner, stale)
			if _, err := w.exec(ctx, "DELETE FROM flussi."+keys.table+" WHERE "+chosen, arg); err != nil {
				return err
			}
		}
		if err := w.insert(ctx, keys.table, []Column{owner, keys.column}, w.rows[keys.table]); err != nil {
			return err
		}
	}
	return nil
}
