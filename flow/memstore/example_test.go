package memstore_test

import (
	"context"
	"fmt"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/memstore"
)

// A service and a dispatcher use the store; by itself, it keeps what it is given.
func Example() {
	ctx := context.Background()
	store := memstore.New()

	operator := flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}
	f, err := flow.NewFlow("servizio-tributi", operator)
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	created := flow.FlowChange{Flow: f, Record: flow.FlowRecord{
		At: f.CreatedAt, By: operator.ID, Action: flow.FlowCreate, To: f.State,
	}}
	fmt.Println(store.SaveFlow(ctx, created, nil))

	f, err = store.Flow(ctx, f.ID)
	fmt.Println(f.State.Label(), f.Version, err)
	month := flow.FlowFilter{From: time.Now().AddDate(0, -1, 0)}
	flows, err := store.Flows(ctx, month, flow.Page{Limit: 50})
	fmt.Println(len(flows), err)
	// It is there already, so it cannot be stored as a new one.
	fmt.Println(flussi.Explain(store.SaveFlow(ctx, created, nil)))
	// Output:
	// <nil>
	// Inattivo 1 <nil>
	// 1 <nil>
	// Un altro utente ha modificato i dati nel frattempo: rileggerli e riprovare.
}
