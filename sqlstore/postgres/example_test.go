package postgres_test

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/sqlstore/postgres"
)

// The tables are in the service's own database, in a schema of their own.
func ExampleNew() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, "postgres://app@db.example.it/app")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Close()
	store, err := postgres.New(pool, postgres.Config{})
	if err == nil {
		err = store.Migrate(ctx)
	}
	if err != nil {
		fmt.Println(flussi.Explain(err))
	}
}

// A flow is imported in the transaction that notes it in a table of the service's own: both are stored,
// or neither. It is sent after the commit, by a service on the store itself.
func ExampleStore_WithTx() {
	importReminders := func(ctx context.Context, pool *pgxpool.Pool, store *postgres.Store, senders flow.SenderFor, by flussi.Actor, drafts []flow.Draft) error {
		tx, err := pool.Begin(ctx)
		if err != nil {
			return err
		}
		defer tx.Rollback(ctx)
		service, err := flow.NewService(store.WithTx(tx), flow.Permissions{by.ID: {"tributi"}}, senders, flow.ServiceConfig{})
		if err != nil {
			return err
		}
		f, _, err := service.ImportFlow(ctx, by, "tributi", flow.Details{AppContext: "solleciti"}, flow.DraftRows(drafts...), flow.AddConfig{})
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE invoices SET reminded_by = $1 WHERE due < now() AND reminded_by IS NULL", f.ID); err != nil {
			return err
		}
		return tx.Commit(ctx)
	}
	_ = importReminders
}

// A location that is not valid is explained to the operator.
func ExampleOpen() {
	_, err := postgres.Open(context.Background(), "postgres://app@db.example.it/app?pool_max_conns=abc", postgres.Config{})
	fmt.Println(flussi.Explain(err))
	// Output:
	// Nell'indirizzo dell'archivio il parametro «pool_max_conns» non è valido: correggerlo.
}
