// Package memstore has a [settlement.Store] in memory, for tests and for small programs. All that it
// holds is lost when the process ends: what has to last belongs in a database.
//
//	store := memstore.New() // give it to whatever wants a settlement.Store
//
// Payments of a settlement or of some references, settlements of some identifiers or totals, and
// movements of a settlement, of some names or amounts are found without looking at any others. What
// is looked for by anything else is looked for one by one.
//
// A [Store] is safe for concurrent use. It may also be used from within the sequence that its Save
// is pulling.
package memstore
