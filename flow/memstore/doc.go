// Package memstore has a [flow.Store] in memory, for tests and for small programs. All
// that it holds is lost when the process ends: what has to last belongs in a database.
//
//	store := memstore.New() // give it to whatever wants a flow.Store
//
// It is quick: with a million notifications too, a change or a claim takes microseconds,
// and so does a page of a list, unless it has to be searched for by a text or the like.
// A million, with three records each, take about 1 GB besides their texts
// (go test ./flow/memstore -run '^$' -bench Memory).
//
// A [Store] is safe for concurrent use. It may also be used from within the sequence
// that its SaveFlow is pulling.
//
// The clock is the machine's, or that of a testing/synctest bubble.
package memstore
