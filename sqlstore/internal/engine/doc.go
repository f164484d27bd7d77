// Package engine is the part of the SQL stores that both databases share: which rows are read and
// written, in which order, and what they mean. Packages postgres and sqlite open it on a [Driver].
//
// # Statements
//
// Statements stand beside the calls that execute them. They are written for both databases: ? is
// an argument, and flussi.notifications is the table notifications, in the schema of PostgreSQL
// or with the prefix of SQLite. [Dialect.Render] translates them. The parts that differ are methods
// of the [Dialect].
//
// # Where to look
//
//   - store.go, tx.go: transactions, retries
//   - save.go: how versions, rows and records are written; flow_save.go, notice_save.go,
//     settlement_save.go: what differs for flows, notifications, events, notices, settlements,
//     payments and movements; services.go: names of services
//   - claim.go: claims; sent.go: messages that were sent already; digests.go: digests of an earlier
//     version
//   - turns.go: the turns of a pace that processes share
//   - import.go: files that are imported once
//   - list.go: how a page is found; flow_list.go, notice_list.go, settlement_list.go: the filters;
//     keys.go: look-ups by values; read.go: one entity
//   - entity.go, flow_rows.go, notice_rows.go, settlement_rows.go, movement_rows.go: the columns of
//     each table
//   - older.go: tables of examples/sqlstore, which this module replaced
//   - errors.go: errors of a database, with texts for operators
package engine
