// Package memstore has a [pagoinrete.Store] in memory, for tests and for small programs.
// All that it holds is lost when the process ends: what has to last belongs in a database.
//
//	store := memstore.New() // give it to whatever wants a pagoinrete.Store
//
// It is quick: the notices of an event, and those with some IDs or IUVs, are found without
// looking at any others, and a page of a list begins where it should. What is looked for by
// anything else is looked for one by one.
//
// A [Store] is safe for concurrent use. It may also be used from within the sequence
// that its SaveEvent is pulling.
package memstore
