package engine

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// list is a page of flows, notifications, events or notices. There are three ways to find it:
//
//   - By a selective condition, such as a recipient or an ID: its index finds few rows, which are
//     sorted.
//   - By a text that few rows contain: the index for texts finds them, and they are sorted.
//   - In the order of the list, by an index (owner, created_at, id) or (owner, state, created_at,
//     id), where the owner is a flow, an event, a service or a school. For several owners or states
//     there is one such query, a branch, for each; their rows are merged.
//
// All other conditions are checked row by row. So a list by a user, by the time of the last change
// or by a text that many rows contain reads as many rows of its branches as it takes to fill the
// page: all of them, if none matches.
type list struct {
	table string
	page  flussi.Page

	selective *condition // the index of its column finds few rows
	text      string     // in the column search
	owner     *oneOf     // the flow, event, services or schools
	states    *oneOf
	rest      []condition // all other conditions
}

// condition is a condition on a row, with its arguments.
type condition struct {
	text string
	args []any
}

// oneOf is the condition that a column has one of some values.
type oneOf struct {
	column Column
	values []any
}

const (
	// maxHits is how many rows with a text the index for texts may find: if they are more, the
	// list itself soon has enough of them.
	maxHits = 2000
	// maxBranches is how many queries are merged.
	maxBranches = 100
)

// where adds a condition.
func (l *list) where(text string, args ...any) { l.rest = append(l.rest, condition{text, args}) }

// whereSelective adds the condition that a column has one of some values, of which few rows have
// each; none: no condition.
func whereSelective[V any](l *list, t *tx, column Column, values []V, convert func(V) any) {
	if len(values) == 0 {
		return
	}
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = convert(v)
	}
	text, arg := t.driver.In(column, args)
	c := condition{text, []any{arg}}
	if column.Type != "uuid" && column.Type != "bytea" { // the index has no empty texts
		c.text += " AND " + column.Name + " <> ''"
	}
	if l.selective == nil {
		l.selective = &c
	} else {
		l.rest = append(l.rest, c)
	}
}

// whereText adds the condition that a column has a value that few rows have; "": no condition.
func (l *list) whereText(t *tx, column, value string) {
	if value != "" {
		whereSelective(l, t, Column{Name: column, Type: "text"}, []string{value}, func(v string) any { return encode(v) })
	}
}

// whereCreated adds the condition that a row was created from a time on, and before another one.
func (l *list) whereCreated(from, to time.Time) {
	if !from.IsZero() {
		l.where("created_at >= ?", ceiling(from))
	}
	if !to.IsZero() {
		l.where("created_at < ?", ceiling(to))
	}
}

// whereChanged adds conditions of who changed a row, and when.
func (l *list) whereChanged(user string, from, to time.Time) {
	if user != "" {
		l.where("updated_by = ?", encode(user))
	}
	if !from.IsZero() {
		l.where("updated_at >= ?", ceiling(from))
	}
	if !to.IsZero() {
		l.where("updated_at < ?", ceiling(to))
	}
}

// afterCursor is the condition that a row comes behind the cursor of the page.
func (l *list) afterCursor() (condition, bool) {
	after := l.page.After
	if after.IsZero() {
		return condition{}, false
	}
	at, sign := ceiling(after.At), "<"
	switch {
	case !time.UnixMicro(at).Equal(after.At): // between two microseconds: the cursor is no row's
		after.ID = uuid.UUID{}
		if l.page.OldestFirst {
			sign = ">="
		}
	case l.page.OldestFirst:
		sign = ">"
	}
	return condition{"(created_at, id) " + sign + " (?, ?)", []any{at, after.ID}}, true
}

// order is the order of the list.
func (l *list) order() string {
	if l.page.OldestFirst {
		return " ORDER BY created_at, id"
	}
	return " ORDER BY created_at DESC, id DESC"
}

// query is a query with its arguments.
type query struct {
	text strings.Builder
	args []any
}

func (q *query) add(text string, args ...any) {
	q.text.WriteString(text)
	q.args = append(q.args, args...)
}

// addWhere adds conditions, all of which must hold.
func (q *query) addWhere(conditions []condition) {
	for i, c := range conditions {
		if i == 0 {
			q.add(" WHERE ")
		} else {
			q.add(" AND ")
		}
		q.add(c.text, c.args...)
	}
}

// find reads the entities on the page, without their counts.
func find[T any](ctx context.Context, t *tx, of *entity[T], l *list) ([]T, error) {
	columns := readList(of.columns, "")
	var q query
	hits, err := l.textHits(ctx, t)
	switch {
	case err != nil:
		return nil, err
	case l.selective != nil:
		l.addSorted(&q, columns, *l.selective, t)
	case hits != nil:
		l.addSorted(&q, columns, *hits, t)
	default:
		l.addMerged(&q, columns, t)
	}
	var found []T
	var e T
	err = t.query(ctx, q.text.String(), q.args, of.fields(&e), func() { found = append(found, e) })
	return found, err
}

// textHits returns the condition that a row is one of those that the index for texts finds, or nil
// if there is no text, or it finds too many.
func (l *list) textHits(ctx context.Context, t *tx) (*condition, error) {
	if l.text == "" || l.selective != nil {
		return nil, nil
	}
	text, arg := t.driver.TextMatches(l.table, searchable(l.text))
	if text == "" {
		return nil, nil
	}
	var keys []any
	var key any
	err := t.query(ctx, text+" LIMIT ?", []any{arg, int64(maxHits + 1)}, []any{&key}, func() { keys = append(keys, key) })
	if err != nil || len(keys) > maxHits {
		return nil, err
	}
	in, arg := t.driver.In(Column{Name: t.driver.Key(), Type: "uuid"}, keys)
	return &condition{in, []any{arg}}, nil
}

// addSorted adds the query of a page out of the few rows that an index finds by a condition.
func (l *list) addSorted(q *query, columns string, found condition, t *tx) {
	q.add("WITH found AS MATERIALIZED (SELECT * FROM flussi."+l.table+" WHERE "+found.text+") SELECT "+columns+" FROM found", found.args...)
	conditions := slices.Concat(l.conditions(t), l.rest)
	for _, o := range []*oneOf{l.owner, l.states} {
		if o != nil {
			in, arg := t.driver.In(o.column, o.values)
			conditions = append(conditions, condition{in, []any{arg}})
		}
	}
	q.addWhere(conditions)
	q.add(l.order()+" LIMIT ?", int64(l.page.Limit))
}

// conditions returns those of the cursor and the text.
func (l *list) conditions(t *tx) []condition {
	var conditions []condition
	if c, there := l.afterCursor(); there {
		conditions = append(conditions, c)
	}
	if l.text != "" {
		conditions = append(conditions, condition{t.driver.Contains("search"), []any{searchable(l.text)}})
	}
	return conditions
}

// addMerged adds the query of a page that is merged from branches.
func (l *list) addMerged(q *query, columns string, t *tx) {
	branches := [][]condition{nil}
	conditions := slices.Concat(l.conditions(t), l.rest)
	for _, o := range []*oneOf{l.owner, l.states} {
		switch {
		case o == nil:
		case len(branches)*len(o.values) > maxBranches:
			in, arg := t.driver.In(o.column, o.values)
			conditions = append(conditions, condition{in, []any{arg}})
		default:
			var split [][]condition
			for _, b := range branches {
				for _, v := range o.values {
					split = append(split, append(slices.Clone(b), condition{o.column.Name + " = ?", []any{v}}))
				}
			}
			branches = split
		}
	}
	if len(branches) > 1 {
		q.add("SELECT " + columns + " FROM (")
	}
	for i, b := range branches {
		if i > 0 {
			q.add(" UNION ALL ")
		}
		if len(branches) > 1 {
			q.add("SELECT * FROM (")
		}
		q.add("SELECT " + columns + " FROM flussi." + l.table)
		q.addWhere(append(b, conditions...))
		q.add(l.order()+" LIMIT ?", int64(l.page.Limit))
		if len(branches) > 1 {
			q.add(") b")
		}
	}
	if len(branches) > 1 {
		q.add(") all_branches"+l.order()+" LIMIT ?", int64(l.page.Limit))
	}
}

// distinct returns texts as arguments, each once.
func distinct[V ~string](values []V) []any {
	return encodeAll(slices.Compact(slices.Sorted(slices.Values(values))))
}

// whereOwners limits the list to services or schools; none: to no one.
func (l *list) whereOwners(column string, names []string) {
	if len(names) > 0 {
		l.owner = &oneOf{Column{Name: column, Type: "text"}, distinct(names)}
	}
}

// whereStates limits the list to states; none: to no one.
func whereStates[V ~string](l *list, states []V) {
	if len(states) > 0 {
		l.states = &oneOf{Column{Name: "state", Type: "text"}, distinct(states)}
	}
}

// page reads the entities on a page with their counts.
func page[T any](ctx context.Context, s *Store, of *entity[T], newList func(*tx) *list) ([]T, error) {
	var found []T
	err := s.view(ctx, func(t *tx) (err error) {
		if found, err = find(ctx, t, of, newList(t)); err != nil {
			return err
		}
		return addCounts(ctx, t, of, found)
	})
	return found, err
}
