package memstore

import "container/heap"

// heapOf is a heap of notifications. Each knows its position, so that it can be taken
// out wherever it is. That suffices for one heap at a time, and no notification is in
// two: one that may be claimed has no lease.
type heapOf struct {
	rows   []*notificationRow
	before func(a, b *notification) bool
}

var _ heap.Interface = (*heapOf)(nil)

// Len is the number of notifications in the heap.
func (h *heapOf) Len() int { return len(h.rows) }

// Less reports whether one comes before another.
func (h *heapOf) Less(i, j int) bool { return h.before(&h.rows[i].Entity, &h.rows[j].Entity) }

// Swap swaps two.
func (h *heapOf) Swap(i, j int) {
	h.rows[i], h.rows[j] = h.rows[j], h.rows[i]
	h.rows[i].Entity.position, h.rows[j].Entity.position = i, j
}

// Push adds one behind the last; package heap calls it.
func (h *heapOf) Push(entry any) {
	row := entry.(*notificationRow)
	row.Entity.position = len(h.rows)
	h.rows = append(h.rows, row)
}

// Pop removes the last; package heap calls it.
func (h *heapOf) Pop() any {
	last := len(h.rows) - 1
	row := h.rows[last]
	h.rows[last] = nil
	h.rows = h.rows[:last]
	return row
}

func (h *heapOf) add(row *notificationRow) { heap.Push(h, row) }

func (h *heapOf) remove(row *notificationRow) { heap.Remove(h, row.Entity.position) }

// until collects up to limit of those whose lease ended by a time, from position i
// down. What is not over has nothing below it that is.
func (h *heapOf) until(end int64, limit int, i int, into []*notificationRow) []*notificationRow {
	if i >= len(h.rows) || len(into) >= limit || h.rows[i].Entity.leaseEnd > end {
		return into
	}
	into = append(into, h.rows[i])
	into = h.until(end, limit, 2*i+1, into)
	return h.until(end, limit, 2*i+2, into)
}
