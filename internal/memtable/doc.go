// Package memtable is the engine of the stores in memory. It keeps versioned entities in
// tables, each with its history, and knows nothing of what an entity means.
//
//   - A [Table] keeps rows by ID, lists them, and reads pages of the lists.
//   - An [Index] lists the rows of a table by a key.
//   - [Counts] counts the rows of a table for each parent.
//   - A [DB] is the lock that the tables of a store share. Its Save stores rows of several
//     tables together or not at all.
//
// A write has three steps: a [Row] is built from the change, outside of the lock; all rows
// are checked; all rows are put. Only a check can fail, so nothing has to be undone.
//
// What a table returns is a copy. A row that is passed to a table belongs to it.
package memtable
