// Package sqlstore keeps flows and notifications, and payment events and their notices, in a
// database, as [flow.Store] and [pagoinrete.Store] want them: SQLite for one machine, PostgreSQL
// where several send together. To use it in another module, copy the folder without its _test.go
// files, which need others of this module.
//
//	store, err := sqlstore.Open(ctx, "massivo.db", sqlstore.Config{})                      // a file of SQLite
//	store, err := sqlstore.Open(ctx, "postgres://massivo@db.example.it/massivo", sqlstore.Config{}) // PostgreSQL
//	defer store.Close()
//	service, err := flow.NewService(store, …) // and the dispatcher on the same store
//	payments, err := pagoinrete.NewService(store, …) // and the payments, in the same database
//
// Open makes the tables, or brings them up to date. It passes flowtest and pagoinretetest on both
// databases.
//
// # SQLite
//
// The file is its owner's alone, in WAL mode with synchronous FULL: what was written survives a
// loss of power, or a claim would be undone and its message sent again. Any number of processes of
// one machine may use it; one writes at a time, and the others wait for their turn
// ([Config].BusyTimeout). A file that was moved, deleted or replaced meanwhile is written no more:
// close the store and open it again. The driver is modernc.org/sqlite, which needs no C compiler.
//
// # PostgreSQL
//
// Version 13 or later. The user needs the right to create tables in the first schema of the
// search path, and, for searches by text to be quick among many rows, the extension pg_trgm: Open
// creates it if it may, and goes without it if not. Claims take what nobody else has in hand
// (FOR UPDATE SKIP LOCKED), so any number of processes on any machines may send one flow together.
// Leases go by the server's clock. Commits wait for the server's disk, also where it is set not to
// (synchronous_commit off), and transactions see what was committed before each statement, whatever
// isolation it is set to.
//
// # No message twice, and upgrades
//
// Before a notification becomes In invio, the same transaction searches for another one of its
// service with the same digest that may have arrived. On SQLite one transaction writes at a time.
// On PostgreSQL the transaction first inserts a row for each message into message_locks, in sorted
// order, so that a second transaction with the same message waits until the first one ends.
//
// [Open] upgrades a database of an earlier release. It recomputes the digests of all notifications,
// a thousand in each transaction, which takes about as long as storing as many rows. If it is
// killed, the next Open continues. From then on a process of the earlier release cannot claim,
// because it does not search for messages that were sent; it can still store the outcomes of its
// earlier claims. Stop such processes before the upgrade, so that they do not fail.
//
// # How lists are quick
//
// The first page of a list takes as long among a million notifications as among ten thousand,
// whatever is looked for, but for some texts: see search.go. Every kind of notification (by state, error, and flags) in
// a flow or a service has its place in one index, in the order of the list, and a page is merged from
// those that match. What few rows have in common, such as a recipient, has an index of its own.
// Texts, users and times of change are looked for in the list first, and by an index if it does not
// soon fill the page.
//
// Texts that are neither rare nor common are the exception. The page of one that one row in 100 or in
// 1000 has costs 2 to 6 times as much among a million (the benchmark FirstPage): among ten thousand such
// rows seldom fill a page, among a million they are far from each other, and PostgreSQL sorts all of
// them. If no row has a text though its parts of three characters are all common, all rows are read.
//
// Notices are listed in the same way, by event or school: their kinds are made of the state, of
// whether they are visible, and of whether they have an open discrepancy. What is due before a time
// is looked for as texts are. The names of events have no index, since a school has few events.
//
// Flows and events are read with counts that every write keeps, so that a list of them costs the
// same however much belongs to them.
//
// # Errors
//
// What the database itself has against an operation is a [*Fault], which says in Italian what to do,
// and shows no password and nothing that is stored. All writes are all or nothing, also if the
// database is lost in the middle of them. If the answer to a COMMIT is lost, the error is also a
// [flussi.ErrCommitUnknown].
package sqlstore
