package sqlstore_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/sqlstore"
	"github.com/flussi-go/flussi/flow"
)

// What is stored is there when the file is opened again.
func Example() {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "sqlstore-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "massivo.db")
	store, err := sqlstore.Open(ctx, path, sqlstore.Config{})
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	f, _ := flow.NewFlow("tributi", flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}})
	created := flow.FlowChange{Flow: f, Record: flow.FlowRecord{At: f.CreatedAt, By: "m.neri", Action: flow.FlowCreate, To: f.State}}
	fmt.Println(store.SaveFlow(ctx, created, nil), store.Close())

	store, _ = sqlstore.Open(ctx, path, sqlstore.Config{})
	defer store.Close()
	f, err = store.Flow(ctx, f.ID)
	fmt.Println(f.State.Label(), f.Version, err)
	// Output:
	// <nil> <nil>
	// Inattivo 1 <nil>
}

// A fault of the database says what to do.
func ExampleFault() {
	_, err := sqlstore.Open(context.Background(), filepath.Join("manca", "massivo.db"), sqlstore.Config{})
	fmt.Println(flussi.Explain(err))
	// Output:
	// L'archivio non si può aprire: controllare il percorso o l'indirizzo, l'utente, la password e i permessi.
}
