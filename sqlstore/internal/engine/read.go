package engine

import (
	"context"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// one reads the entity with an ID, with its counts.
func one[T any](ctx context.Context, t *tx, of *entity[T], id uuid.UUID) (T, error) {
	var e T
	found := false
	query := "SELECT " + readList(of.columns, "e.") + " FROM flussi." + of.table + " e WHERE e.id = ?"
	fields := of.fields(&e)
	if of.counts != nil {
		query = "SELECT " + readList(of.columns, "e.") + sums(of.counts.columns, "c.") + " FROM flussi." + of.table + " e LEFT JOIN flussi." +
			of.counts.table + " c ON c.owner = e.id WHERE e.id = ? GROUP BY e.id"
		fields = append(fields, of.counts.fields(&e)...)
	}
	err := t.query(ctx, query, []any{id}, fields, func() { found = true })
	if err == nil && !found {
		err = flussi.ErrNotFound
	}
	return e, err
}

// sums returns the expressions for the sums of counts over all shards.
func sums(columns []string, prefix string) string {
	var list string
	for _, name := range columns {
		list += ", CAST(coalesce(sum(" + prefix + name + "), 0) AS bigint)"
	}
	return list
}

// addCounts reads the counts of entities.
func addCounts[T any](ctx context.Context, t *tx, of *entity[T], found []T) error {
	if of.counts == nil || len(found) == 0 {
		return nil
	}
	ids := make([]any, len(found))
	at := make(map[uuid.UUID]int, len(found))
	for i := range found {
		id, _ := of.identity(&found[i])
		ids[i], at[id] = id, i
	}
	from, value, arg := t.driver.Values("d", "uuid", ids)
	var id uuid.UUID
	var counted T
	return t.query(ctx, "SELECT owner"+sums(of.counts.columns, "")+" FROM "+from+t.driver.Join(of.counts.table, "c", "", "c.owner = "+value)+" GROUP BY owner",
		[]any{arg}, append([]any{&id}, of.counts.fields(&counted)...), func() { of.counts.copy(&found[at[id]], &counted) })
}

// Flow implements [flow.Store].
func (s *Store) Flow(ctx context.Context, id uuid.UUID) (flow.Flow, error) {
	f, err := one(ctx, s.reader(), &flows, id)
	return f, s.fail(ctx, "read flow", id, err)
}

// Notification implements [flow.Store].
func (s *Store) Notification(ctx context.Context, id uuid.UUID) (flow.Notification, error) {
	n, err := one(ctx, s.reader(), &notifications, id)
	return n, s.fail(ctx, "read notification", id, err)
}

// Event implements [pagoinrete.Store].
func (s *Store) Event(ctx context.Context, id uuid.UUID) (pagoinrete.Event, error) {
	e, err := one(ctx, s.reader(), &events, id)
	return e, s.fail(ctx, "read event", id, err)
}

// Notice implements [pagoinrete.Store].
func (s *Store) Notice(ctx context.Context, id uuid.UUID) (pagoinrete.Notice, error) {
	n, err := one(ctx, s.reader(), &notices, id)
	return n, s.fail(ctx, "read notice", id, err)
}

// Settlement implements [settlement.Store].
func (s *Store) Settlement(ctx context.Context, id uuid.UUID) (settlement.Settlement, error) {
	found, err := one(ctx, s.reader(), &settlements, id)
	return found, s.fail(ctx, "read settlement", id, err)
}

// Payment implements [settlement.Store].
func (s *Store) Payment(ctx context.Context, id uuid.UUID) (settlement.Payment, error) {
	p, err := one(ctx, s.reader(), &payments, id)
	return p, s.fail(ctx, "read payment", id, err)
}

// Movement implements [settlement.Store].
func (s *Store) Movement(ctx context.Context, id uuid.UUID) (settlement.Movement, error) {
	m, err := one(ctx, s.reader(), &movements, id)
	return m, s.fail(ctx, "read movement", id, err)
}

// history reads the records of an entity.
func history[S, A ~string](ctx context.Context, s *Store, table, operation string, id uuid.UUID) ([]flussi.Record[S, A], error) {
	var records []flussi.Record[S, A]
	var r flussi.Record[S, A]
	err := s.reader().query(ctx, "SELECT "+readList(recordColumns, "")+" FROM flussi."+table+" WHERE owner = ? ORDER BY version",
		[]any{id}, recordFields(&r), func() { records = append(records, r) })
	return records, s.fail(ctx, operation, id, err)
}

// FlowHistory implements [flow.Store].
func (s *Store) FlowHistory(ctx context.Context, id uuid.UUID) ([]flow.FlowRecord, error) {
	return history[flow.FlowState, flow.FlowAction](ctx, s, "flow_records", "read history of flow", id)
}

// NotificationHistory implements [flow.Store].
func (s *Store) NotificationHistory(ctx context.Context, id uuid.UUID) ([]flow.NotificationRecord, error) {
	return history[flow.NotificationState, flow.NotificationAction](ctx, s, "notification_records", "read history of notification", id)
}

// EventHistory implements [pagoinrete.Store].
func (s *Store) EventHistory(ctx context.Context, id uuid.UUID) ([]pagoinrete.EventRecord, error) {
	return history[pagoinrete.EventState, pagoinrete.EventAction](ctx, s, "event_records", "read history of event", id)
}

// NoticeHistory implements [pagoinrete.Store].
func (s *Store) NoticeHistory(ctx context.Context, id uuid.UUID) ([]pagoinrete.NoticeRecord, error) {
	return history[pagoinrete.NoticeState, pagoinrete.NoticeAction](ctx, s, "notice_records", "read history of notice", id)
}

// SettlementHistory implements [settlement.Store].
func (s *Store) SettlementHistory(ctx context.Context, id uuid.UUID) ([]settlement.SettlementRecord, error) {
	return history[settlement.SettlementState, settlement.Action](ctx, s, "settlement_records", "read history of settlement", id)
}

// PaymentHistory implements [settlement.Store].
func (s *Store) PaymentHistory(ctx context.Context, id uuid.UUID) ([]settlement.PaymentRecord, error) {
	return history[settlement.PaymentState, settlement.Action](ctx, s, "payment_records", "read history of payment", id)
}

// MovementHistory implements [settlement.Store].
func (s *Store) MovementHistory(ctx context.Context, id uuid.UUID) ([]settlement.MovementRecord, error) {
	return history[settlement.MovementState, settlement.Action](ctx, s, "movement_records", "read history of movement", id)
}
