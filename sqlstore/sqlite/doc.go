// Package sqlite keeps flows and notifications, payment events and notices, and what payment files
// say, in a file of SQLite, for one machine: [Store] is a [flow.Store], a [pagoinrete.Store] and a
// [settlement.Store], and an [appio.TurnStore], by which processes share the limit of calls of a body.
//
//	store, err := sqlite.Open(ctx, "flussi.db", sqlite.Config{}) // creates or updates the file
//	defer store.Close()
//	service, err := flow.NewService(store, …)
//
// The driver is modernc.org/sqlite, which needs no C compiler.
//
// # The file
//
// [Open] creates a file that only its owner may read, in WAL mode with synchronous FULL: a loss of
// power undoes no claim, so that no message is sent again. Any number of processes of one machine
// may use it. One writes at a time; the others wait, for at most [Config].BusyTimeout. Do not put
// the file on a network drive. Open follows symbolic links. Do not open the file by a hard link or
// by the path of another mount: SQLite and the store have other files beside it.
//
// Open sets secure_delete, so that no free page of the file keeps what was erased. The -wal file keeps
// earlier pages until SQLite has moved them into the database and overwritten them; closing the last
// store removes it.
//
// Three files belong together: flussi.db, flussi.db-wal with the last writes, and flussi.db-sent,
// which lists the last claims. [Open] compares them, and refuses a -wal file of another database or
// of an earlier moment, with [ErrRestored]. A database that lost claims refuses to send, with
// [ErrRestored], until [flow.Service.DeclareRestored] is called. Back up with VACUUM INTO. To move
// the database, move all three files while no process has them open. If earlier copies of all three
// are put back, the store cannot notice it: call DeclareRestored yourself. docs/backup.md says
// more.
//
// # In the service's database
//
// [New] uses a database of the service, with tables whose names begin with flussi_. It refuses
// connections whose commits do not wait for the disk, or that cannot undo a write since their
// journal_mode is OFF or MEMORY, with [ErrNotDurable]. [Store.WithTx] returns
// a store in a transaction of the caller, for composing and reading. It refuses to claim and to
// send, with [ErrInTx]: [flow.Service.SendFlow] in the transaction only orders the sending, and a
// [flow.Dispatcher] on the store itself does it after the commit.
//
// Call [Store.Migrate] when the program starts: it also creates the file -sent. If the pool has a
// single connection, a sequence of rows must not use the store while the store reads it, since the
// write uses that connection.
//
// # Errors
//
// An error of the database is a [*Fault], which says in Italian what to do, and shows nothing that
// is stored. Writes are all or nothing.
package sqlite
