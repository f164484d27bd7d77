package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// arm is the rows of one kind in a parent or a realm, or all that are in flight.
type arm struct {
	is     clause    // the condition that a row is of it
	from   clause    // the table, by the index that has its rows
	values []any     // the parent or realm, and the kind; none of those in flight
	first  int64     // when the first one in the list was created, at the earliest
	before time.Time // all that match were created before; zero: whenever
	users  []any     // who changed those that match, if that was asked
}

// scope returns the column by which the arms are told apart, besides the kind.
func (s *search) scope() column {
	if s.parent != nil {
		return column{s.table.parent, "uuid"}
	}
	return column{s.table.realm, "text"}
}

// indexed returns the name of the index that the arms are read by: as a list, or by change.
func (s *search) indexed(by string) string {
	return s.table.name + "_" + by + "_in_" + strings.TrimSuffix(s.scope().name, "_id")
}

// arms returns the arms that match and have something on the page or behind it, in the order of
// their first.
func (s *search) arms(ctx context.Context, t *tx) ([]arm, error) {
	var starts [][]any
	switch {
	case s.parent != nil:
		starts = [][]any{{t.id(*s.parent)}}
	case len(s.realms) > 0:
		for _, realm := range words(slices.Compact(slices.Sorted(slices.Values(s.realms)))) { // each once
			starts = append(starts, []any{realm})
		}
	default:
		all, err := s.walk(ctx, t, nil, [][]any{{}}, s.table.realm, "created_at", nil, "")
		if err != nil {
			return nil, err
		}
		for _, step := range all {
			starts = append(starts, step.values)
		}
	}
	kinds, err := s.walk(ctx, t, columns{s.scope()}, starts, "kind", "created_at", s.places(t, time.Time{}), s.order())
	if err != nil {
		return nil, err
	}
	arms := s.inFlight(t)
	for _, step := range kinds {
		k, err := parseKind(step.values[1].(string))
		if err != nil {
			return nil, err
		}
		if !s.kinds(k) {
			continue
		}
		a := arm{is: clause{s.scope().name + " = ? AND kind = ?", step.values}, values: step.values, first: step.found}
		a.from.text = s.table.name + t.using(s.indexed("list"))
		if s.table.flying {
			a.is.text += " AND " + grounded
		}
		if !k.has(isDisorderly) {
			a.before = s.orderly
		}
		arms = append(arms, a)
	}
	slices.SortFunc(arms, func(a, b arm) int {
		if s.page.OldestFirst {
			return cmp.Compare(a.first, b.first)
		}
		return cmp.Compare(b.first, a.first)
	})
	return arms, nil
}

// grounded is the condition that a notification is not in flight.
const grounded = "state <> 'sending'"

// inFlight returns the arm of what is in flight, if that may match.
func (s *search) inFlight(t *tx) []arm {
	if !s.flying {
		return nil
	}
	is := clauses{{"state = 'sending'", nil}}
	if s.parent != nil {
		is.add(s.table.parent+" = ?", t.id(*s.parent))
	} else {
		is = append(is, s.inRealms(t)...)
	}
	first := int64(math.MaxInt64)
	if s.page.OldestFirst {
		first = math.MinInt64
	}
	return []arm{{is: is.join(" AND "), from: t.among(s.table, "notifications_in_flight", clause{"lease_end IS NOT NULL", nil}), first: first}}
}

// alive returns the arms in which something was changed by whom and when it should be.
func (s *search) alive(ctx context.Context, t *tx, arms []arm) ([]arm, error) {
	var starts [][]any
	for _, a := range arms {
		if a.values != nil {
			starts = append(starts, a.values)
		}
	}
	steps, err := s.walk(ctx, t, columns{s.scope(), {"kind", "text"}}, starts, "updated_by", "updated_at", s.changed(), "")
	if err != nil {
		return nil, err
	}
	key := func(values []any) string { return fmt.Sprintf("%s %s", values[0], values[1]) }
	users := map[string][]any{}
	for _, step := range steps {
		users[key(step.values)] = append(users[key(step.values)], step.values[2])
	}
	var alive []arm
	for _, a := range arms {
		if a.values != nil {
			a.users = users[key(a.values)]
		}
		if a.values == nil || len(a.users) > 0 {
			alive = append(alive, a)
		}
	}
	return alive, nil
}

// step is a value that was walked over.
type step struct {
	values []any // what it begins with, and the value
	found  int64 // in the first row that matches
}

// walk steps from one value of a column to the next, in an index that begins with some columns
// and then this one, from given values of those. It returns the values for which a row
// matches conditions, with what the first one, in an order, has in another column.
func (s *search) walk(ctx context.Context, t *tx, begin columns, starts [][]any, over, find string, conditions clauses, order string) ([]step, error) {
	if len(starts) == 0 {
		return nil, nil
	}
	row, list, equal := "(0", "zero", "TRUE" // there is at least one column
	var args []any
	for _, c := range begin {
		row += ", " + t.typed(c)
		list += ", " + c.name
		equal += " AND n." + c.name + " = w." + c.name
	}
	for _, start := range starts {
		args = append(args, start...)
	}
	if s.table.flying && over == "updated_by" {
		equal += " AND n." + grounded // as the index has it
	}
	from := " FROM " + s.table.name + " n WHERE " + equal
	match := slices.Concat(clauses{{"n." + over + " = w.value", nil}}, conditions).join(" AND ")
	query := clause{`WITH RECURSIVE starts (` + list + `) AS (VALUES ` + row + `)` + strings.Repeat(", "+row+")", len(starts)-1) + `),
		walk (` + list + `, value) AS (
			SELECT ` + list + `, (SELECT min(n.` + over + `)` + from + `) FROM starts w
			UNION ALL SELECT ` + list + `, (SELECT min(n.` + over + `)` + from + ` AND n.` + over + ` > w.value) FROM walk w WHERE value IS NOT NULL
		) SELECT ` + list + `, value, (SELECT n.` + find + from + ` AND `, args}.
		with(match.text, match.args...).with(order + ` LIMIT 1) FROM walk w WHERE value IS NOT NULL`)
	values, found := make([]any, len(begin)+1), sql.NullInt64{}
	fields := []any{new(any)}
	for i := range values {
		fields = append(fields, &values[i])
	}
	var steps []step
	err := t.query(ctx, query.text, query.args, append(fields, &found), func() {
		if found.Valid {
			steps = append(steps, step{slices.Clone(values), found.Int64})
		}
	})
	return steps, err
}

// maxParts is how many parts a statement is made of; SQLite takes 500.
const maxParts = 100

// scan is a query for the keys on the page, and when they were created, out of the first so many
// rows of some arms.
func (s *search) scan(t *tx, arms []arm, most int) clause {
	easy := s.where
	if s.parent != nil {
		easy = slices.Concat(easy, s.inRealms(t))
	}
	merged := s.merge(t, arms, easy, most)
	where := s.hard(t).where()
	return clause{"SELECT k, created_at FROM (" + merged.text + ") c", merged.args}.with(where.text, where.args...).with(s.order() + first(s.page.Limit))
}

// merge is a query for the first so many rows of arms that match conditions.
func (s *search) merge(t *tx, arms []arm, conditions clauses, most int) clause {
	var parts clauses
	if len(arms) > maxParts {
		for some := range slices.Chunk(arms, (len(arms)+maxParts-1)/maxParts) {
			part := s.merge(t, some, conditions, most)
			parts.add("SELECT * FROM ("+part.text+") m", part.args...)
		}
	} else {
		for _, a := range arms {
			where := slices.Concat(clauses{a.is}, conditions, s.places(t, a.before)).where()
			parts = append(parts, clause{"SELECT " + t.key() + " AS k, " + s.table.hard + " FROM ", nil}.with(a.from.text, a.from.args...).with(where.text, where.args...))
		}
	}
	if len(parts) > 1 {
		for i := range parts {
			parts[i].text = t.part(parts[i].text, s.order())
		}
	}
	return parts.join(" UNION ALL ").with(s.order() + first(most))
}
