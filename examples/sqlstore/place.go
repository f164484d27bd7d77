package sqlstore

import (
	"bytes"
	"cmp"
	"time"

	"github.com/google/uuid"
)

// place is a place in a list.
type place struct {
	at     int64
	id     uuid.UUID
	behind bool // as a lower limit: what is at the place itself is not meant
}

// limit returns the first place of a time; nil for the zero time.
func limit(t time.Time) *place {
	if t.IsZero() {
		return nil
	}
	return &place{at: ceiling(t)}
}

// ceiling returns the first microsecond that is not before a time.
func ceiling(t time.Time) int64 { return t.Add(time.Microsecond - 1).UnixMicro() }

func (p *place) compare(q *place) int {
	return cmp.Or(cmp.Compare(p.at, q.at), bytes.Compare(p.id[:], q.id[:]))
}

// after returns the place of the page's cursor.
func (s *search) after() *place {
	at := s.page.After.At
	if p := limit(at); !time.UnixMicro(p.at).Equal(at) { // it lies between two microseconds
		return p
	}
	return &place{ceiling(at), s.page.After.ID, true}
}

// places returns the conditions by which rows lie behind the cursor of the page, and were
// created when they should be, and before a time. They are one lower and one upper limit at
// most, which is what an index can use.
func (s *search) places(t *tx, before time.Time) clauses {
	lower, upper := limit(s.from), limit(earlier(s.to, before))
	if !s.page.After.IsZero() {
		after := s.after()
		if s.page.OldestFirst {
			if lower == nil || after.compare(lower) >= 0 {
				lower = after
			}
		} else if upper == nil || after.compare(upper) < 0 {
			upper = after
		}
	}
	var conditions clauses
	if lower != nil {
		sign := ">="
		if lower.behind {
			sign = ">"
		}
		conditions.add("(created_at, id) "+sign+" (?, ?)", lower.at, t.id(lower.id))
	}
	if upper != nil {
		conditions.add("(created_at, id) < (?, ?)", upper.at, t.id(upper.id))
	}
	return conditions
}

// earlier returns the earlier one of two times, of which each may be zero.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
