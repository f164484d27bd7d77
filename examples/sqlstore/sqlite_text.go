package sqlstore

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Blocks are runs of rows in the order of their keys, in which they were inserted. Of each, a table
// has the first and the last place, so that whoever reads rows in the order of their keys knows
// where to begin, and what the places of those that are left can be.
const (
	blockSize = 1024
	middle    = 1 << 62 // makes times positive, so that their digits have their order
)

// blockTable is the name of the table of the blocks of a table.
func blockTable(of *table) string { return strings.TrimSuffix(of.name, "s") + "_blocks" }

// inBlocks returns a place as the tables of blocks have it.
func (p *place) inBlocks() string { return fmt.Sprintf("%016x%X", p.at+middle, p.id[:]) }

// block enters rows, which got the keys behind one, into their blocks.
func (d sqliteDialect) block(ctx context.Context, t *tx, of *table, rows [][]any, last, inserted int64) error {
	at := slices.IndexFunc(of.columns, func(c column) bool { return c.name == "created_at" })
	place := func(row []any) string { return fmt.Sprintf("%016x%X", row[at].(int64)+middle, row[0]) }
	first, final := place(rows[0]), place(rows[0])
	for _, row := range rows[1:] {
		p := place(row)
		first, final = min(first, p), max(final, p)
	}
	for block := (last + 1) / blockSize; block <= (last+inserted)/blockSize; block++ {
		if _, err := t.exec(ctx, "INSERT INTO "+blockTable(of)+` (block, first, last) VALUES (?, ?, ?)
			ON CONFLICT (block) DO UPDATE SET first = min(first, excluded.first), last = max(last, excluded.last)`, block, first, final); err != nil {
			return err
		}
	}
	return nil
}

// hit is a row that matches.
type hit struct {
	key any
	place
}

// hits reads the rows that the index finds in the order of their keys, which nearly is that of the
// list: ever more of them, until none of those that are left can come before the last one on the
// page. The index knows in which rows trigrams are, though not where.
func (d sqliteDialect) hits(ctx context.Context, t *tx, s *search, arms []arm) ([]any, bool, error) {
	parts, isRare, err := t.rarest(ctx, s.table, searched(s.text))
	if err != nil || !isRare {
		return nil, false, err
	}
	for i, part := range parts {
		parts[i] = `"` + strings.ReplaceAll(part, `"`, `""`) + `"`
	}
	index := searchTable(s.table)
	match := strings.Join(parts, " AND ")
	read := func(low, high int64, limit string) ([]any, error) {
		return t.keys(ctx, clause{"SELECT rowid FROM " + index + " WHERE " + index + " MATCH ? AND rowid BETWEEN ? AND ?" + limit, []any{match, low, high}})
	}
	where := s.all(t).where()
	inOrder := " ORDER BY rowid DESC"
	if s.page.OldestFirst {
		inOrder = " ORDER BY rowid"
	}
	low, high, err := d.extent(ctx, t, s, arms) // of what is left
	if err != nil {
		return nil, false, err
	}
	var page []hit
	for seen, most := 0, s.page.Limit; low <= high; {
		keys, err := read(low, high, inOrder+first(most))
		if err != nil {
			return nil, false, err
		}
		if len(keys) < most {
			low, high = 1, 0 // nothing is left
		} else { // with what is left of the block of the last one
			from, to := low, high
			last := keys[most-1].(int64)
			if block := last / blockSize * blockSize; s.page.OldestFirst {
				from, to, low = last+1, block+blockSize-1, block+blockSize
			} else {
				from, to, high = block, last-1, block-1
			}
			rest, err := read(from, to, "")
			if err != nil {
				return nil, false, err
			}
			keys = append(keys, rest...)
		}
		if seen += len(keys); seen > t.looks.hits {
			return nil, false, nil
		}
		from := t.among(s.table, "", t.keyed(keys))
		query := clause{"SELECT seq, created_at, id FROM " + from.text + where.text + s.order() + first(s.page.Limit), slices.Concat(from.args, where.args)}
		var h hit
		if err := t.query(ctx, query.text, query.args, []any{&h.key, &h.at, &h.id}, func() { page = append(page, h) }); err != nil {
			return nil, false, err
		}
		slices.SortFunc(page, func(a, b hit) int {
			if s.page.OldestFirst {
				return a.compare(&b.place)
			}
			return b.compare(&a.place)
		})
		page = page[:min(len(page), s.page.Limit)]
		missing := s.page.Limit - len(page)
		if missing == 0 {
			if more, err := d.precede(ctx, t, s, low, high, page[len(page)-1].inBlocks()); err != nil {
				return nil, false, err
			} else if !more {
				break
			}
		}
		most = min(max(seen, seen*missing/max(1, len(page))*5/4), seen*8) // as many as are likely to fill it
	}
	keys := make([]any, len(page))
	for i, h := range page {
		keys[i] = h.key
	}
	return keys, true, nil
}

// extent returns the keys between which everything is that matches, in whole blocks.
func (sqliteDialect) extent(ctx context.Context, t *tx, s *search, arms []arm) (low, high int64, err error) {
	var begin []int64 // of the arms
	for _, a := range arms {
		if a.values != nil {
			begin = append(begin, a.first)
			continue
		}
		query := clause{"SELECT created_at FROM " + a.from.text + " WHERE " + a.is.text + s.order() + first(1), slices.Concat(a.from.args, a.is.args)}
		var at int64
		if err := t.query(ctx, query.text, query.args, []any{&at}, func() { begin = append(begin, at) }); err != nil {
			return 0, 0, err
		}
	}
	if len(begin) == 0 {
		return 1, 0, nil
	}
	lower, upper := limit(s.from), limit(s.to)
	if s.page.OldestFirst {
		lower = &place{at: slices.Min(begin)}
	} else {
		upper = &place{at: slices.Max(begin) + 1}
	}
	low, high = 0, math.MaxInt64
	if lower != nil {
		query := "SELECT block FROM " + blockTable(s.table) + " WHERE last >= ? ORDER BY block" + first(1)
		if err := t.query(ctx, query, []any{lower.inBlocks()}, []any{&low}, func() { low *= blockSize }); err != nil {
			return 0, 0, err
		}
	}
	if upper != nil {
		query := "SELECT block + 1 FROM " + blockTable(s.table) + " WHERE first < ? ORDER BY block DESC" + first(1)
		if err := t.query(ctx, query, []any{upper.inBlocks()}, []any{&high}, func() { high = high*blockSize - 1 }); err != nil {
			return 0, 0, err
		}
	}
	return low, high, nil
}

// precede reports whether a row between two keys may come before a place.
func (sqliteDialect) precede(ctx context.Context, t *tx, s *search, low, high int64, place string) (bool, error) {
	earlier := "last > ?"
	if s.page.OldestFirst {
		earlier = "first < ?"
	}
	precede := false
	err := t.query(ctx, "SELECT EXISTS (SELECT 1 FROM "+blockTable(s.table)+" WHERE block BETWEEN ? AND ? AND "+earlier+")",
		[]any{low / blockSize, high / blockSize, place}, []any{&precede}, func() {})
	return precede, err
}

// sample returns some texts.
func (sqliteDialect) sample(ctx context.Context, t *tx, in *table) ([]string, error) {
	var last int64
	if err := t.query(ctx, "SELECT coalesce(max(seq), 0) FROM "+in.name, nil, []any{&last}, func() {}); err != nil {
		return nil, err
	}
	keys := make([]any, samples)
	for i := range keys {
		keys[i] = 1 + last*int64(i)/samples
	}
	keyed := t.keyed(keys)
	return t.texts(ctx, clause{"SELECT search FROM " + in.name + " WHERE " + keyed.text, keyed.args})
}

func (sqliteDialect) indexed(string) bool { return true }
