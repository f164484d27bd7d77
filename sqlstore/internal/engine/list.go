package engine

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// list is a page of flows, notifications or another table. There are three ways to find it:
//
//   - By a selective condition, such as a recipient or an ID: its index finds few rows, which are
//     sorted. It reads all rows with that recipient or ID. Some conditions need several queries,
//     such as one for each of the columns that may have a reference.
//   - In the order of the list, by an index (owner, created_at, id) or (owner, state, created_at,
//     id), where the owner is a flow, an event, a service, a school or a body. For several owners or
//     states there is one such query, a branch, for each; their rows are merged. It reads as many
//     rows of each branch as are on the page. A list of all owners uses the index (created_at, id), or
//     (state, created_at, id) for flows in a state. A label, such as a reference, has an index
//     (label, created_at, id).
//   - By a text, or the beginning of one: if it is common, the first rows of the list fill the page.
//     If it is rare, the index for texts finds its rows, which are sorted. It reads firstRows rows of
//     the list, and at most maxHits rows that the index finds.
//
// All other conditions are checked row by row. So a list by a user, an error code, the time of the
// last change or a due date reads the rows of its branches until the page is full: all of them, if
// none matches. So does a list by a text that is neither common nor rare.
type list struct {
	table string
	page  flussi.Page

	selective []condition // queries that find few rows, by indexes
	text      string      // in the column search
	keys      *condition  // a query of the keys of the rows that begin with a text
	owner     *oneOf      // the flow, event, services, schools or label
	labelled  bool        // the owner is a label: its index has no states
	allOwners string      // the condition of the index over all owners
	states    *oneOf
	indexed   []condition // other conditions that the index of the list checks, such as on created_at
	rest      []condition // conditions that no index checks
}

// condition is a condition on a row, with its arguments.
type condition struct {
	text string
	args []any
}

// oneOf is the condition that a column has one of several values.
type oneOf struct {
	column Column
	values []any
}

const (
	// firstRows is how many rows of a list are searched for a text before the index for texts is
	// used.
	firstRows = 200
	// maxHits is how many rows the index for texts may find. If it finds more, the list is read
	// until the page is full.
	maxHits = 2000
	// maxBranches is how many queries are merged at most.
	maxBranches = 100
)

// where adds a condition that no index checks.
func (l *list) where(text string, args ...any) { l.rest = append(l.rest, condition{text, args}) }

// in returns the condition as SQL.
func (o *oneOf) in(t *tx) condition {
	text, arg := t.driver.In(o.column, o.values)
	return condition{text, []any{arg}}
}

// whereFew limits the list to the few rows that queries find. If it is limited already, it checks
// the condition row by row.
func (l *list) whereFew(check condition, queries ...condition) {
	if l.selective == nil {
		l.selective = queries
	} else {
		l.rest = append(l.rest, check)
	}
}

// whereSelective adds the condition that a column has one of several values, each of which few rows
// have. Without values it adds nothing.
func whereSelective[V any](l *list, t *tx, column Column, values []V, convert func(V) any) {
	if len(values) == 0 {
		return
	}
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = convert(v)
	}
	c := (&oneOf{column, args}).in(t)
	if column.Type != "uuid" && column.Type != "bytea" { // the index has no empty texts
		c.text += " AND " + column.Name + " <> ''"
	}
	l.whereFew(c, condition{"SELECT * FROM flussi." + l.table + " WHERE " + c.text, c.args})
}

// whereText adds the condition that a column has a value that few rows have. For "" it adds
// nothing.
func (l *list) whereText(t *tx, column, value string) {
	if value != "" {
		whereSelective(l, t, Column{Name: column, Type: "text"}, []string{value}, func(v string) any { return encode(v) })
	}
}

// whereLabel adds the condition that a column has a value that few or many rows have. For "" it
// adds nothing.
func (l *list) whereLabel(t *tx, column, value string) {
	if value != "" {
		l.labelled = l.labelled || l.owner == nil
		l.whereOwner(t, Column{Name: column, Type: "text"}, []any{encode(value)})
		l.indexed = append(l.indexed, condition{column + " <> ''", nil}) // the index has no empty texts
	}
}

// whereOwner limits the list to the owners with the given values. Without values it adds nothing.
// If a list has several columns of owners, the index of the first one is used.
func (l *list) whereOwner(t *tx, column Column, values []any) {
	o := &oneOf{column, values}
	switch {
	case len(values) == 0:
	case l.owner == nil:
		l.owner = o
	default:
		l.rest = append(l.rest, o.in(t))
	}
}

// whereStates limits the list to states. Without states it adds nothing.
func whereStates[V ~string](l *list, states []V) {
	if len(states) > 0 {
		l.states = &oneOf{Column{Name: "state", Type: "text"}, distinct(states)}
	}
}

// distinct returns texts as arguments, each once.
func distinct[V ~string](values []V) []any {
	return encodeAll(slices.Compact(slices.Sorted(slices.Values(values))))
}

// whereCreated adds the conditions that a row was created not before from, and before to. A zero
// time adds nothing.
func (l *list) whereCreated(from, to time.Time) {
	if !from.IsZero() {
		l.indexed = append(l.indexed, condition{"created_at >= ?", []any{ceiling(from)}})
	}
	if !to.IsZero() {
		l.indexed = append(l.indexed, condition{"created_at < ?", []any{ceiling(to)}})
	}
}

// whereChanged adds conditions on the user and the time of the last change.
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

// bounds returns the conditions on the range of the index: after the cursor of the page, and
// between times of creation.
func (l *list) bounds() []condition {
	after := l.page.After
	if after.IsZero() {
		return l.indexed
	}
	at, sign := ceiling(after.At), "<"
	switch {
	case !time.UnixMicro(at).Equal(after.At): // between two microseconds: no row has this time
		after.ID = uuid.UUID{}
		if l.page.OldestFirst {
			sign = ">="
		}
	case l.page.OldestFirst:
		sign = ">"
	}
	return append(slices.Clone(l.indexed), condition{"(created_at, id) " + sign + " (?, ?)", []any{at, after.ID}})
}

// unindexed returns the conditions that no index checks.
func (l *list) unindexed(t *tx) []condition {
	if l.text == "" {
		return l.rest
	}
	return append(slices.Clone(l.rest), condition{t.driver.Contains("search"), []any{searchable(l.text)}})
}

// order returns the ORDER BY of the list.
func (l *list) order() string {
	if l.page.OldestFirst {
		return " ORDER BY created_at, id"
	}
	return " ORDER BY created_at DESC, id DESC"
}

// page reads the entities on a page, with their counts.
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

// find reads the entities on the page, without their counts.
func find[T any](ctx context.Context, t *tx, of *entity[T], l *list) ([]T, error) {
	columns := readList(of.columns, "")
	read := func(q *query) (found []T, err error) {
		var e T
		err = t.query(ctx, q.text.String(), q.args, of.fields(&e), func() { found = append(found, e) })
		return found, err
	}
	if l.selective != nil {
		return read(l.sorted(t, columns))
	}
	if keys := l.matches(t); keys != nil {
		if found, err := read(l.merged(t, columns, firstRows)); err != nil || len(found) == l.page.Limit {
			return found, err
		}
		if rare, err := l.hits(ctx, t, keys); err != nil {
			return nil, err
		} else if rare {
			return read(l.sorted(t, columns))
		}
	}
	return read(l.merged(t, columns, 0))
}

// matches returns the query of the keys of the rows with the text of the list; nil if there is no
// text, or no index for it.
func (l *list) matches(t *tx) *condition {
	if l.text == "" {
		return l.keys
	}
	query, arg := t.driver.TextMatches(l.table, searchable(l.text))
	if query == "" {
		return nil
	}
	return &condition{query, []any{arg}}
}

// hits limits the list to the rows whose keys a query finds, unless there are more than maxHits.
func (l *list) hits(ctx context.Context, t *tx, query *condition) (rare bool, err error) {
	var keys []any
	var key any
	err = t.query(ctx, query.text+" LIMIT ?", append(slices.Clone(query.args), int64(maxHits+1)), []any{&key}, func() { keys = append(keys, key) })
	if err != nil || len(keys) > maxHits {
		return false, err
	}
	c := (&oneOf{Column{Name: t.driver.Key(), Type: "uuid"}, keys}).in(t)
	l.whereFew(c, condition{"SELECT * FROM flussi." + l.table + " WHERE " + c.text, c.args})
	return true, nil
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
	before := " WHERE "
	for _, c := range conditions {
		q.add(before+c.text, c.args...)
		before = " AND "
	}
}

// sorted returns the query of a page among the few rows that the selective queries find:
//
//	WITH found AS MATERIALIZED (SELECT * FROM flussi.notifications WHERE recipient = …)
//	SELECT … FROM found WHERE … ORDER BY created_at DESC, id DESC LIMIT ?
func (l *list) sorted(t *tx, columns string) *query {
	conditions := slices.Concat(l.bounds(), l.unindexed(t))
	for _, o := range []*oneOf{l.owner, l.states} {
		if o != nil {
			conditions = append(conditions, o.in(t))
		}
	}
	q := &query{}
	before := "WITH found AS MATERIALIZED ("
	for _, found := range l.selective {
		q.add(before+found.text, found.args...)
		before = " UNION "
	}
	q.add(") SELECT " + columns + " FROM found")
	q.addWhere(conditions)
	q.add(l.order()+" LIMIT ?", int64(l.page.Limit))
	return q
}

// merged returns the query of a page in the order of the list. If first is not 0, it searches only
// that many rows, from the start of the list. For one branch, it is
//
//	SELECT … FROM flussi.notifications WHERE service = ? AND … ORDER BY created_at DESC, id DESC LIMIT ?
//
// and for several
//
//	SELECT … FROM (SELECT * FROM (…) b UNION ALL SELECT * FROM (…) b) l ORDER BY created_at DESC, id DESC LIMIT ?
func (l *list) merged(t *tx, columns string, first int) *query {
	branches, others := l.branches(t)
	q := &query{}
	if len(branches) > 1 {
		q.add("SELECT " + columns + " FROM (")
	}
	for i, branch := range branches {
		if i > 0 {
			q.add(" UNION ALL ")
		}
		if len(branches) > 1 {
			q.add("SELECT * FROM (")
		}
		branch = append(branch, l.bounds()...)
		if first == 0 {
			q.add("SELECT " + columns + " FROM flussi." + l.table)
			q.addWhere(append(branch, others...))
		} else {
			q.add("SELECT " + columns + " FROM (SELECT * FROM flussi." + l.table)
			q.addWhere(branch)
			q.add(l.order()+" LIMIT ?) f", int64(max(l.page.Limit, first/len(branches))))
			q.addWhere(others)
		}
		q.add(l.order()+" LIMIT ?", int64(l.page.Limit))
		if len(branches) > 1 {
			q.add(") b")
		}
	}
	if len(branches) > 1 {
		q.add(") l"+l.order()+" LIMIT ?", int64(l.page.Limit))
	}
	return q
}

// branches returns the conditions of each branch that its index checks, and the conditions that no
// index checks.
func (l *list) branches(t *tx) (branches [][]condition, others []condition) {
	branches, others = [][]condition{nil}, l.unindexed(t)
	if l.owner == nil {
		branches[0] = []condition{{l.allOwners, nil}}
	}
	for _, o := range []*oneOf{l.owner, l.states} {
		switch {
		case o == nil:
		case o == l.states && (l.owner == nil || l.labelled), len(branches)*len(o.values) > maxBranches:
			others = append(others, o.in(t))
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
	return branches, others
}
