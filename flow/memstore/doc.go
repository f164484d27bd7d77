// Package memstore has a [flow.Store] in memory, for tests and for small programs. Its
// content is lost when the process ends: what has to last belongs in a database.
//
//	store := memstore.New() // a flow.Store
//
// With a million notifications, a change or a claim takes microseconds, and so does a page of a list,
// unless its filter has no index, such as a text: then each entity is compared. A million
// notifications, with three records each, take about 1 GB besides their texts
// (go test ./flow/memstore -run '^$' -bench Memory).
//
// A [Store] is safe for concurrent use. It may also be used from within the sequence
// that its SaveFlow is pulling.
//
// The clock is the machine's, or that of a testing/synctest bubble.
package memstore
