package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/sqlstore/sqlite"
)

// noSender has no connection to App IO.
func noSender(context.Context, string) (flow.Sender, error) { return nil, errors.New("no connection") }

// A program without a database of its own: Open creates the file, with all tables. A second Open finds
// what was stored.
func ExampleOpen() {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "sqlite-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "flussi.db")
	operator := flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}
	for range 2 {
		store, err := sqlite.Open(ctx, path, sqlite.Config{})
		if err != nil {
			fmt.Println(flussi.Explain(err))
			return
		}
		service, err := flow.NewService(store, flow.Permissions{"m.neri": {"tributi"}}, noSender, flow.ServiceConfig{})
		if err != nil {
			fmt.Println(err)
			return
		}
		found, err := service.Flows(ctx, operator, flow.FlowFilter{}, flow.Page{})
		fmt.Println(len(found.Flows), err)
		_, err = service.CreateFlow(ctx, operator, "tributi", flow.Details{})
		fmt.Println(err, store.Close())
	}
	// Output:
	// 0 <nil>
	// <nil> <nil>
	// 1 <nil>
	// <nil> <nil>
}

// A flow is stored in the transaction of the service's own row, or neither is.
func ExampleStore_WithTx() {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "sqlite-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	db, _ := sql.Open("sqlite", "file:"+filepath.Join(folder, "comune.db")+"?_txlock=immediate") // of the service
	defer db.Close()
	_, _ = db.ExecContext(ctx, "CREATE TABLE pratiche (anno INTEGER, flusso TEXT)")
	store, _ := sqlite.New(db, sqlite.Config{})
	if err := store.Migrate(ctx); err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}

	operator := flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}
	drafts := flow.DraftRows(flow.Draft{
		Recipient: flussi.TestRecipient(),
		Subject:   flussi.NewText("Scadenza della TARI"),
		Content:   flussi.NewText(strings.Repeat("La prima rata della TARI scade il 16 giugno. ", 3)),
	})
	tx, _ := db.BeginTx(ctx, nil)
	defer tx.Rollback()
	service, _ := flow.NewService(store.WithTx(tx), flow.Permissions{"m.neri": {"tributi"}}, noSender, flow.ServiceConfig{})
	f, _, err := service.ImportFlow(ctx, operator, "tributi", flow.Details{}, drafts, flow.AddConfig{})
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO pratiche VALUES (2026, ?)", f.ID.String())
	fmt.Println(err, tx.Commit())

	f, err = store.Flow(ctx, f.ID)
	fmt.Println(f.Counts.Registered, err)
	// Output:
	// <nil> <nil>
	// 1 <nil>
}
