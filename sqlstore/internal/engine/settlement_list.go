package engine

import (
	"context"
	"slices"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// Settlements implements [settlement.Store].
func (s *Store) Settlements(ctx context.Context, filter settlement.SettlementFilter, p settlement.Page) ([]settlement.Settlement, error) {
	found, err := page(ctx, s, &settlements, func(t *tx) *list { return settlementList(t, filter, p) })
	return found, s.fail(ctx, "list settlements", uuid.Nil, err)
}

// Payments implements [settlement.Store].
func (s *Store) Payments(ctx context.Context, filter settlement.PaymentFilter, p settlement.Page) ([]settlement.Payment, error) {
	found, err := page(ctx, s, &payments, func(t *tx) *list { return paymentList(t, filter, p) })
	return found, s.fail(ctx, "list payments", uuid.Nil, err)
}

// Movements implements [settlement.Store].
func (s *Store) Movements(ctx context.Context, filter settlement.MovementFilter, p settlement.Page) ([]settlement.Movement, error) {
	found, err := page(ctx, s, &movements, func(t *tx) *list { return movementList(t, filter, p) })
	return found, s.fail(ctx, "list movements", uuid.Nil, err)
}

// everyBody is the condition of the indexes settlements_listed, payments_listed and movements_listed.
const everyBody = "length(body) >= 0"

func settlementList(t *tx, q settlement.SettlementFilter, p settlement.Page) *list {
	l := &list{table: settlements.table, page: p, allOwners: everyBody}
	whereSelective(l, t, Column{Name: "id", Type: "uuid"}, q.IDs, func(id uuid.UUID) any { return id })
	within := l.whereBodies(t, q.Bodies)
	l.whereKeys(t, distinct(q.FlowIDs), within, key{column: Column{Name: "flow_id", Type: "text"}, index: "settlements_by_flow", long: true})
	totals := key{column: Column{Name: "total", Type: "bigint"}, index: "settlements_by_total"}
	switch {
	case !utf8.ValidString(q.FlowPrefix):
		l.where("1 = 0")
	case q.FlowPrefix != "":
		begins := beginning("flow_id", encode(q.FlowPrefix))
		l.rest = append(l.rest, begins)
		l.keys = &condition{"SELECT " + t.driver.Key() + " FROM flussi.settlements WHERE " + begins.text, begins.args}
		l.whereKeys(t, numbers(q.Totals), append(within, begins), totals)
	default:
		l.whereKeys(t, numbers(q.Totals), within, totals)
	}
	whereStates(l, q.States)
	l.whereFlag("untold", q.Unreported)
	l.whereCreated(q.From, q.To)
	return l
}

func paymentList(t *tx, q settlement.PaymentFilter, p settlement.Page) *list {
	l := &list{table: payments.table, page: p, allOwners: everyBody}
	whereSelective(l, t, Column{Name: "id", Type: "uuid"}, q.IDs, func(id uuid.UUID) any { return id })
	if q.Settlement != uuid.Nil {
		l.whereOwner(t, Column{Name: "settlement_id", Type: "uuid"}, []any{q.Settlement})
	}
	within := l.whereBodies(t, q.Bodies)
	l.whereKeys(t, references(q.References), within,
		key{column: Column{Name: "reference", Type: "text"}, index: "payments_by_reference", long: true, where: "reference <> ''"},
		key{column: Column{Name: "target", Type: "text"}, index: "payments_by_target", long: true, where: "target <> '' AND target <> reference"},
		key{column: Column{Name: "reference_before", Type: "text"}, index: "payments_by_reference_before", long: true, where: "reference_before <> ''"})
	whereStates(l, q.States)
	l.whereCreated(q.From, q.To)
	return l
}

func movementList(t *tx, q settlement.MovementFilter, p settlement.Page) *list {
	l := &list{table: movements.table, page: p, allOwners: everyBody}
	whereSelective(l, t, Column{Name: "id", Type: "uuid"}, q.IDs, func(id uuid.UUID) any { return id })
	within := l.whereBodies(t, q.Bodies)
	l.whereMovementKeys(t, movementNames, distinct(q.FlowIDs))
	if q.Settlement != uuid.Nil {
		l.whereMovementKeys(t, movementSettlements, []any{q.Settlement})
	}
	l.whereKeys(t, references(q.References), within,
		key{column: Column{Name: "reference", Type: "text"}, index: "movements_by_reference", long: true, where: "reference <> ''"},
		key{column: Column{Name: "reference_before", Type: "text"}, index: "movements_by_reference_before", long: true, where: "reference_before <> ''"})
	amounts := key{column: Column{Name: "amount", Type: "bigint"}, index: "movements_by_amount"}
	if len(q.Prefixes) > 0 {
		amounts.and = &oneOf{Column{Name: "prefix", Type: "text"}, distinct(q.Prefixes)}
		l.rest = append(l.rest, amounts.and.in(t))
	}
	if l.whereFlag("loose", q.Unresolved); q.Unresolved {
		amounts = key{column: amounts.column, index: "movements_loose", where: "loose"}
	}
	l.whereKeys(t, numbers(q.Amounts), within, amounts)
	whereStates(l, q.States)
	l.whereFlag("untold", q.Unreported)
	l.whereCreated(q.From, q.To)
	return l
}

// whereFlag adds the condition that a flag is set, if it is wanted.
func (l *list) whereFlag(column string, wanted bool) {
	if wanted {
		l.where(column)
	}
}

// whereBodies limits the list to bodies, and returns the condition for the queries of whereKeys.
// Without bodies it adds nothing.
func (l *list) whereBodies(t *tx, bodies []flussi.OrganizationCode) []condition {
	if len(bodies) == 0 {
		return nil
	}
	codes := make([]string, len(bodies))
	for i, body := range bodies {
		codes[i] = body.String()
	}
	o := &oneOf{Column{Name: "body", Type: "text"}, distinct(codes)}
	l.whereOwner(t, o.column, o.values)
	if len(o.values) == 1 { // PostgreSQL makes better use of an index
		return []condition{{"body = ?", o.values}}
	}
	return []condition{o.in(t)}
}

// references returns references as arguments, each once.
func references(all []paymentfile.Reference) []any {
	texts := make([]string, len(all))
	for i, r := range all {
		texts[i] = r.Reveal()
	}
	return distinct(texts)
}

// numbers returns amounts as arguments, each once.
func numbers(amounts []flussi.Cents) []any {
	args := make([]any, 0, len(amounts))
	for _, amount := range slices.Compact(slices.Sorted(slices.Values(amounts))) {
		args = append(args, int64(amount))
	}
	return args
}
