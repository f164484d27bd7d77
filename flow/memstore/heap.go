package memstore

import "container/heap"

// heapOf is a heap of notifications. Each knows its position, so that it can be taken
// out wherever it is. That suffices for one heap at a time, and no notification is in
// two: one that may be claimed has no lease.
type heapOf struct {
	entries []*storedNotification
	before  func(a, b *storedNotification) bool
}

var _ heap.Interface = (*heapOf)(nil)

// Len is the number of notifications in the heap.
func (h *heapOf) Len() int { return len(h.entries) }

// Less reports whether one comes before another.
func (h *heapOf) Less(i, j int) bool { return h.before(h.entries[i], h.entries[j]) }

// Swap exchanges two.
func (h *heapOf) Swap(i, j int) {
	h.entries[i], h.entries[j] = h.entries[j], h.entries[i]
	h.entries[i].position, h.entries[j].position = i, j
}

// Push adds one behind the last; package heap calls it.
func (h *heapOf) Push(entry any) {
	n := entry.(*storedNotification)
	n.position = len(h.entries)
	h.entries = append(h.entries, n)
}

// Pop removes the last; package heap calls it.
func (h *heapOf) Pop() any {
	last := len(h.entries) - 1
	n := h.entries[last]
	h.entries[last] = nil
	h.entries = h.entries[:last]
	return n
}

// until collects up to limit of those whose lease ended by a time, from position i
// down. What is not over has nothing below it that is.
func (h *heapOf) until(end int64, limit int, i int, into []*storedNotification) []*storedNotification {
	if i >= len(h.entries) || len(into) >= limit || h.entries[i].leaseEnd > end {
		return into
	}
	into = append(into, h.entries[i])
	into = h.until(end, limit, 2*i+1, into)
	return h.until(end, limit, 2*i+2, into)
}
