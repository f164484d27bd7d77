// Package postgres keeps flows and notifications, and payment events and notices, in PostgreSQL:
// [Store] is a [flow.Store], a [flow.SaveAndClaimer] and a [pagoinrete.Store].
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
// All tables are in a schema of their own, [Config].Schema, so nothing of the service's is touched.
// Version 13 or later of PostgreSQL is needed; the extension pg_trgm makes searches by text quick.
// Any number of processes on any machines may share the schema, directly or through PgBouncer in
// transaction mode: nothing is prepared by name, and no setting outlives a transaction. The pool's
// description_cache_capacity must not be 0.
//
// [Store.Migrate] needs the right to create the schema, or to create tables in it. If another user
// has migrated, the rights USAGE on the schema and SELECT, INSERT, UPDATE and DELETE on its
// tables are enough; to send, also EXECUTE on pg_control_system(), which all users have by default.
// [Migrations] returns the SQL for teams that migrate by a tool of their own.
//
// # In the service's transaction
//
// [Store.WithTx] gives a store in a transaction of the caller: a flow and the service's own rows
// are stored together or not at all.
//
//	tx, err := pool.Begin(ctx)
//	defer tx.Rollback(ctx)
//	composing, err := flow.NewService(store.WithTx(tx), …) // import a file
//	_, err = tx.Exec(ctx, "UPDATE invoices SET notified = true …")
//	err = tx.Commit(ctx)
//
// It refuses to claim and to send, with [ErrInTx]: a message must not go out before the commit.
//
// # What is sent survives
//
// A claim is stored before its messages are sent, and its commit waits for the server's disk, also
// where the server is set not to wait (synchronous_commit off). If the server was restored from a
// copy or failed over, what it holds as not sent may have been sent: nothing is sent until
// [flow.Service.DeclareRestored] is called; docs/backup.md says what cannot be noticed. Processes that
// run notice it, too.
//
// # Waiting
//
// The server ends a write of ours that has locked rows and does nothing for 10 seconds, such as that
// of a frozen process. A write waits 15 seconds for a row, so it succeeds after that. If a program
// that is not ours holds the row, the error is a [*Fault] that names it and says for how long it has
// been writing. These settings end with each transaction of ours; those of the session are the
// caller's. In a transaction of the caller, the caller's apply.
//
// An import may wait for its caller for as long as it takes. Meanwhile it holds no lock that others
// need: the flow or event that it adds to and its new services are checked first and written at the
// end, so a flow can be sent, or disabled, which makes the import a conflict. A sequence with next
// versions of rows that are there locks them, and has 10 seconds for 500 rows.
//
// # Errors
//
// What the database refuses is a [*Fault], which says in Italian what to do, and shows no password
// and nothing that is stored. Writes are all or nothing. If the answer to a COMMIT is lost, the
// error is also a [flussi.ErrCommitUnknown].
package postgres
