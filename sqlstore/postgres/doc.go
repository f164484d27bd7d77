// Package postgres keeps flows and notifications, payment events and notices, and what payment files
// say, in PostgreSQL: [Store] is a [flow.Store], a [pagoinrete.Store] and a [settlement.Store], and an
// [appio.TurnStore], by which processes share the limit of calls of a body.
//
//	pool, err := pgxpool.New(ctx, "postgres://app@db.example.it/app") // the service's own
//	store, err := postgres.New(pool, postgres.Config{})              // in the schema flussi
//	err = store.Migrate(ctx)                                         // creates or updates the tables
//	service, err := flow.NewService(store, …)
//
// A program without a pool calls [Open], which does all three.
//
// # In the service's database
//
// All tables are in a schema of their own, [Config].Schema, apart from the service's tables.
// PostgreSQL 13 or later is needed. The extension pg_trgm makes searches by text fast. It is the
// only object outside the schema: [Store.Migrate] creates it, unless it exists, in the first schema
// of the search_path, usually public. Any number of processes on any machines may share the schema,
// directly or through PgBouncer in transaction mode: no statement is prepared by name, and no
// setting outlives a transaction. The pool's description_cache_capacity must not be 0.
//
// [Store.Migrate] needs the right to create the schema, or to create tables in it. If another user
// has migrated, a program needs USAGE on the schema, and SELECT, INSERT, UPDATE and DELETE on its
// tables. To send, it also needs EXECUTE on pg_control_system(), which all users have by default.
// [Migrations] returns the SQL for teams that migrate with a tool of their own.
//
// # In the service's transaction
//
// [Store.WithTx] returns a store in a transaction of the caller: a flow and the service's own rows
// are stored together or not at all.
//
//	tx, err := pool.Begin(ctx)
//	defer tx.Rollback(ctx)
//	composing, err := flow.NewService(store.WithTx(tx), …) // import a file
//	_, err = tx.Exec(ctx, "UPDATE invoices SET notified = true …")
//	err = tx.Commit(ctx)
//
// It refuses to claim and to send, with [ErrInTx]: a message must not go out before the commit.
// [flow.Service.SendFlow] in the transaction only orders the sending; a [flow.Dispatcher] on the
// store itself does it after the commit.
//
// # Crashes and restores
//
// A claim is stored before its messages are sent. Its commit waits for the server's disk, even if
// the server is set not to wait (synchronous_commit off). If the server was restored from a copy or
// failed over, messages that it holds as not sent may have been sent. The store then refuses to
// send, with [ErrRestored], until [flow.Service.DeclareRestored] is called; running processes
// refuse, too. docs/backup.md says which losses cannot be noticed.
//
// # Waiting
//
// If a process is frozen during a write that has locked rows, the server ends the write after 10
// seconds. Another write waits 15 seconds for a locked row, so it succeeds. If another program
// locks the row for longer, the error is a [*Fault] that names the program and says for how long it
// has been writing. These settings end with each transaction of the store; the session's do not
// change. In a transaction of the caller, the caller's settings apply.
//
// An import waits for its caller without limit. Meanwhile it holds no lock that others need: the
// flow or event that it adds to and its new services are checked first and written at the end. So
// the flow can be sent meanwhile. It can also be disabled; then the import is a conflict. A
// sequence that changes stored rows locks them, so it must yield each 500 rows within 10 seconds.
// So must the payments of [settlement.Changes]: a write with a Body locks the version of the Body
// first, and other files of the body wait for it.
// A sequence that uses the store needs another connection of the pool: if all have such imports,
// they wait for each other.
//
// # Errors
//
// An error of the database is a [*Fault], which says in Italian what to do, and shows no password
// and nothing that is stored. Writes are all or nothing. If the answer to a COMMIT is lost, the
// error is also a [flussi.ErrCommitUnknown].
package postgres
