// Package memstore has a [settlement.Store] in memory, for tests and for small programs. Its
// content is lost when the process ends.
//
//	store := memstore.New() // a settlement.Store
//
// The store has indexes for payments by settlement and by reference, settlements by identifier and
// by total, and movements by settlement, name, reference, and amount with prefix. Other searches
// compare each entity.
//
// A [Store] is safe for concurrent use. It may also be used from within the sequence that Save
// pulls.
package memstore
