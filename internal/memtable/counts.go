package memtable

import "github.com/google/uuid"

// Counts counts the rows of a table for each parent, whether the parent exists or not. It is
// not safe for concurrent use.
type Counts[E, R, C any] struct {
	parent   func(*E) uuid.UUID
	add      func(counts *C, entity *E, by int)
	byParent map[uuid.UUID]*C

	// The counts of the parent that of returned last: most writes are about one parent.
	lastParent uuid.UUID
	last       *C
}

// NewCounts adds counts to an empty table. The add function counts an entity in with 1, and
// out with -1.
func NewCounts[E, V, R, C any](
	t *Table[E, V, R], parent func(*E) uuid.UUID, add func(counts *C, entity *E, by int),
) *Counts[E, R, C] {
	c := &Counts[E, R, C]{parent: parent, add: add, byParent: map[uuid.UUID]*C{}}
	t.Follow(c)
	return c
}

// Of returns the counts of a parent. The caller holds the lock.
func (c *Counts[E, R, C]) Of(parent uuid.UUID) C {
	if counts := c.byParent[parent]; counts != nil {
		return *counts
	}
	var none C
	return none
}

// Enter counts a row in; the table calls it.
func (c *Counts[E, R, C]) Enter(row *Row[E, R]) {
	c.add(c.of(c.parent(&row.Entity)), &row.Entity, 1)
}

// Leave counts a row out; the table calls it.
func (c *Counts[E, R, C]) Leave(row *Row[E, R]) {
	c.add(c.of(c.parent(&row.Entity)), &row.Entity, -1)
}

// of returns the counts of a parent, for changing them.
func (c *Counts[E, R, C]) of(parent uuid.UUID) *C {
	if c.last != nil && c.lastParent == parent {
		return c.last
	}
	counts := c.byParent[parent]
	if counts == nil {
		counts = new(C)
		c.byParent[parent] = counts
	}
	c.lastParent, c.last = parent, counts
	return counts
}
