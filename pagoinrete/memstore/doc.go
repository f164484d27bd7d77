// Package memstore has a [pagoinrete.Store] in memory, for tests and for small programs.
// Its content is lost when the process ends: what has to last belongs in a database.
//
//	store := memstore.New() // a pagoinrete.Store
//
// The store has indexes for notices by event and by IUV, and a page of a list begins at its cursor.
// Other searches compare each entity.
//
// A [Store] is safe for concurrent use. It may also be used from within the sequence
// that its SaveEvent is pulling.
package memstore
