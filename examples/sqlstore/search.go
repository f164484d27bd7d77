package sqlstore

import (
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

// search is a page of a list that is asked for, such as of flows or notifications.
//
// A list is merged from arms, of which each is the rows of one [kind] in a parent, such as a flow,
// or in a realm, such as a service: an index gives them in the order of the list, so that a page
// costs as much among a million rows as among ten thousand. What is asked for beyond the kind is
// hard: it may be rare or common. What is common is soon found in the list. What is rare is found
// by an index of its own, and sorted; a look at the beginning of the list tells which of the two
// it is.
type search struct {
	table *table
	page  flow.Page

	parent   *uuid.UUID      // of one flow or event; the zero UUID stands for no flow
	realms   []string        // of some services or schools; of all if there are none
	kinds    func(kind) bool // which kinds match
	flying   bool            // whether what is in flight may match
	where    clauses         // the same in SQL
	from, to time.Time       // created then
	orderly  time.Time       // what matches was created before, unless its times run backwards; zero: whenever

	few                    []few     // hard: what few rows should have in common
	text                   string    // hard
	user                   string    // hard
	changedFrom, changedTo time.Time // hard
	dueBefore              time.Time // hard
}

// few is a condition that few rows should match, and the index that finds them.
type few struct {
	clause
	index string
	one   bool // they are about one for each value that is asked for
}

// looks says how far a search looks.
type looks struct {
	few  int // rows with what few rows should have in common
	list int // rows of the list, at first
	more int // and when some of the first ones match
	hits int // rows that an index finds when the list does not
	arms int // at first
}

// usual is how far searches look. Only tests differ.
var usual = looks{few: 100, list: 100, more: 10_000, hits: 20_000, arms: 8}

// promising is how many of the first rows have to match so that it makes sense to look at more.
const promising = 2

// find returns the condition by which rows are on the page.
func (s *search) find(ctx context.Context, t *tx) (clause, error) {
	for _, few := range s.few {
		if few.one {
			return t.listed(ctx, t, s.match(t, few.clause, few.index))
		}
		if found, err := s.by(ctx, t, index{t.selectKeys(s.table, few.index, clauses{few.clause}), t.looks.few}); err != nil || found.text != "" {
			return found, err
		}
	}
	arms, err := s.arms(ctx, t)
	if err == nil && s.changes() {
		arms, err = s.alive(ctx, t, arms)
	}
	if err != nil || len(arms) == 0 {
		return clause{"FALSE", nil}, err
	}
	if len(s.hard(t)) == 0 {
		keys, err := s.look(ctx, t, arms, s.page.Limit, false)
		return t.keyed(keys), err
	}
	for most := max(t.looks.list, s.page.Limit); ; most = t.looks.more {
		keys, err := s.look(ctx, t, arms, most, true)
		if err != nil || len(keys) == s.page.Limit {
			return t.keyed(keys), err
		}
		// What was changed before a time begins behind what was created before it and changed later.
		if len(keys) < promising && s.changedTo.IsZero() || most >= t.looks.more {
			break
		}
	}
	for _, index := range s.indexes(t, arms) {
		if found, err := s.by(ctx, t, index); err != nil || found.text != "" {
			return found, err
		}
	}
	if s.text != "" && s.table.searched {
		if keys, ok, err := t.hits(ctx, t, s, arms); err != nil || ok {
			return t.keyed(keys), err
		}
	}
	keys, err := s.look(ctx, t, arms, math.MaxInt64, false)
	return t.keyed(keys), err
}

// index is a query for the keys of all rows that match, and perhaps of others, and how many may be
// found so that it is of use.
type index struct {
	clause
	most int
}

// by returns the condition by which rows that an index finds are on the page; the zero clause if
// it finds too many.
func (s *search) by(ctx context.Context, t *tx, i index) (clause, error) {
	keys, err := t.keys(ctx, i.with(first(i.most+1)))
	if err != nil || len(keys) > i.most {
		return clause{}, err
	}
	return t.listed(ctx, t, s.match(t, t.keyed(keys), ""))
}

// match is a query for the keys of the rows on the page, out of those that an index finds by a
// condition.
func (s *search) match(t *tx, found clause, index string) clause {
	from, where := t.among(s.table, index, found), s.all(t).where()
	return clause{"SELECT " + t.key() + " FROM ", nil}.with(from.text, from.args...).with(where.text, where.args...).with(s.order() + first(s.page.Limit))
}

// among is the rows that an index finds by a condition, as a table. What else is asked of them does
// not change how they are found.
func (t *tx) among(from *table, index string, found clause) clause {
	return clause{"(SELECT * FROM " + from.name + t.using(index) + " WHERE ", nil}.with(found.text, found.args...).with(t.fence() + ") f")
}

// all returns the conditions by which a row matches and lies behind the cursor of the page.
func (s *search) all(t *tx) clauses {
	return slices.Concat(s.inScope(t), s.where, s.hard(t))
}

// inScope returns those of them that ask for nothing that changes.
func (s *search) inScope(t *tx) clauses {
	var conditions clauses
	if s.parent != nil {
		conditions.add(s.table.parent+" = ?", t.id(*s.parent))
	}
	return slices.Concat(conditions, s.inRealms(t), s.places(t, time.Time{}))
}

// look returns the keys on the page, out of the first so many rows of the list. As the first
// rows of few arms are the first of the list, it looks at few arms first; a brief look ends there,
// unless the page is full.
func (s *search) look(ctx context.Context, t *tx, arms []arm, most int, brief bool) ([]any, error) {
	for some := t.looks.arms; ; some *= 4 {
		some = min(some, len(arms))
		var keys []any
		var key any
		var at int64
		query := s.scan(t, arms[:some], most)
		if err := t.query(ctx, query.text, query.args, []any{&key, &at}, func() { keys = append(keys, key) }); err != nil {
			return nil, err
		}
		full := len(keys) == s.page.Limit
		if some == len(arms) || full && s.precedes(at, arms[some].first) || !full && brief {
			return keys, nil
		}
	}
}

// precedes reports whether what was created at a time comes before what was created at another
// one.
func (s *search) precedes(at, other int64) bool {
	return at != other && at < other == s.page.OldestFirst
}

// keys returns the keys that a query gives.
func (t *tx) keys(ctx context.Context, query clause) ([]any, error) {
	var keys []any
	var key any
	err := t.query(ctx, query.text, query.args, []any{&key}, func() { keys = append(keys, key) })
	return keys, err
}

// selectKeys is a query for the keys of the rows that match conditions, by an index.
func (t *tx) selectKeys(from *table, index string, conditions clauses) clause {
	where := conditions.where()
	return clause{"SELECT " + t.key() + " FROM " + from.name + t.using(index) + where.text, where.args}
}

// first limits a query. The number is in its text, since databases plan by it.
func first(many int) string { return " LIMIT " + strconv.Itoa(many) }

// order is that of the list.
func (s *search) order() string {
	if s.page.OldestFirst {
		return " ORDER BY created_at, id"
	}
	return " ORDER BY created_at DESC, id DESC"
}

// inRealms is the condition that a row is of one of the services or schools.
func (s *search) inRealms(t *tx) clauses {
	if len(s.realms) == 0 {
		return nil
	}
	return clauses{t.oneOf(column{s.table.realm, "text"}, words(s.realms))}
}

// hard returns the conditions that are hard.
func (s *search) hard(t *tx) clauses {
	var hard clauses
	for _, few := range s.few {
		hard = append(hard, few.clause)
	}
	if s.text != "" {
		hard.add(t.contains("search"), searched(s.text))
	}
	hard = append(hard, s.due()...)
	return append(hard, s.changed()...)
}

// due returns the condition of when something is due.
func (s *search) due() clauses {
	if s.dueBefore.IsZero() {
		return nil
	}
	return clauses{{"due_date < ?", []any{ceiling(s.dueBefore)}}}
}

// changes reports whether it matters who changed a row or when.
func (s *search) changes() bool { return len(s.changed()) > 0 }

// changed returns the conditions of who changed a row, and when.
func (s *search) changed() clauses {
	var conditions clauses
	if s.user != "" {
		conditions.add("updated_by = ?", held(s.user))
	}
	if !s.changedFrom.IsZero() {
		conditions.add("updated_at >= ?", ceiling(s.changedFrom))
	}
	if !s.changedTo.IsZero() {
		conditions.add("updated_at < ?", ceiling(s.changedTo))
	}
	return conditions
}

// indexes returns those that may be of use, but for the one for texts.
func (s *search) indexes(t *tx, arms []arm) []index {
	var found []index
	for _, few := range s.few {
		found = append(found, index{t.selectKeys(s.table, few.index, clauses{few.clause}), t.looks.hits})
	}
	if s.changes() {
		var parts clauses
		for _, a := range arms {
			if a.values == nil {
				parts = append(parts, clause{"SELECT " + t.key() + " FROM ", nil}.with(a.from.text, a.from.args...).with(" WHERE "+a.is.text, a.is.args...))
			}
			for _, user := range a.users {
				conditions := append(clauses{a.is, {"updated_by = ?", []any{user}}}, s.changed()...)
				parts = append(parts, t.selectKeys(s.table, s.indexed("change"), conditions))
			}
		}
		if len(parts) <= maxParts {
			found = append(found, index{parts.join(" UNION ALL "), t.looks.hits / 10}) // if they are more, the list has them soon
		}
	}
	if due := s.due(); due != nil && len(arms) <= maxParts {
		var parts clauses
		for _, a := range arms {
			parts = append(parts, t.selectKeys(s.table, s.indexed("due"), append(clauses{a.is}, due...)))
		}
		found = append(found, index{parts.join(" UNION ALL "), t.looks.hits})
	}
	return found
}

// words returns texts as arguments.
func words[T ~string](values []T) []any {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = held(string(v))
	}
	return args
}
