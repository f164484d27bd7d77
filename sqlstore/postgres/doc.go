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
// transaction mode: nothing is prepared by name, and no setting outlives a transaction.
//
// [Store.Migrate] needs the right to create the schema, or to create tables in it. If another user
// has migrated, the rights USAGE on the schema and SELECT, INSERT, UPDATE and DELETE on its
// tables are enough. [Migrations] returns the SQL for teams that migrate by a tool of their own.
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
// [flow.Service.DeclareRestored] is called; docs/backup.md says what cannot be noticed. A frozen process that holds locks is disconnected by the server
// after 20 seconds; who waits for a lock longer than 15 seconds gets a [*Fault] that names the
// holder.
//
// # Errors
//
// What the database refuses is a [*Fault], which says in Italian what to do, and shows no password
// and nothing that is stored. Writes are all or nothing. If the answer to a COMMIT is lost, the
// error is also a [flussi.ErrCommitUnknown].
package postgres
