// Package sqlite keeps flows and notifications, and payment events and notices, in a file of
// SQLite, for one machine: [Store] is a [flow.Store], a [flow.SaveAndClaimer] and a
// [pagoinrete.Store].
//
//	store, err := sqlite.Open(ctx, "flussi.db", sqlite.Config{}) // creates or updates the file
//	defer store.Close()
//	service, err := flow.NewService(store, …)
//
// The driver is modernc.org/sqlite, which needs no C compiler.
//
// # The file
//
// [Open] makes a file for its owner alone, in WAL mode with synchronous FULL: what was written
// survives a loss of power, or a claim would be undone and its message sent again. Any number of
// processes of one machine may use it; one writes at a time, and the others wait for their turn
// ([Config].BusyTimeout). Do not put it on a network drive.
//
// Three files belong together: flussi.db, flussi.db-wal with what was written last, and
// flussi.db-sent, which lists the claims that were made last. By it, [Open] refuses a -wal file of
// another database or an earlier moment, and a database that lost claims sends nothing until
// [flow.Service.DeclareRestored] is called. Back up with VACUUM INTO; to move the
// database, move all three while no process has them open. If all three are put back, the loss
// cannot be noticed: call DeclareRestored yourself. docs/backup.md says more.
//
// # In the service's database
//
// [New] uses a database of the service, with tables whose names begin with flussi_. It refuses
// connections whose commits do not wait for the disk, with [ErrNotDurable]. [Store.WithTx] gives a
// store in a transaction of the caller, for composing and reading; it refuses to claim and to send,
// with [ErrInTx]. Call [Store.Migrate] when the program starts: it also creates the file -sent. If
// the database has a single connection, a sequence of rows must not use the store while it is
// pulled, since the write has that connection.
//
// # Errors
//
// What the database refuses is a [*Fault], which says in Italian what to do, and shows nothing that
// is stored. Writes are all or nothing.
package sqlite
