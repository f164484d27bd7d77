package memstore_test

import (
	"context"
	"fmt"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/memstore"
)

// By itself, the store keeps what it is given.
func Example() {
	ctx := context.Background()
	store := memstore.New()

	assistant := flussi.Actor{ID: "l.bianchi", Roles: []flussi.Role{flussi.AdminAssistant}}
	e, err := pagoinrete.NewEvent(pagoinrete.Fee, "RMIC8GA002", assistant)
	if err == nil {
		err = e.Fire(ctx, pagoinrete.EventSave, assistant)
	}
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	saved := pagoinrete.EventChange{Event: e, Record: pagoinrete.EventRecord{
		At: e.CreatedAt, By: assistant.ID, Action: pagoinrete.EventSave, From: pagoinrete.EventBlank, To: e.State,
	}}
	fmt.Println(store.SaveEvent(ctx, saved, nil))

	e, err = store.Event(ctx, e.ID)
	fmt.Println(e.State.Label(), e.Version, err)
	ours := pagoinrete.EventFilter{Schools: []string{"RMIC8GA002"}}
	events, err := store.Events(ctx, ours, pagoinrete.Page{Limit: 50})
	fmt.Println(len(events), err)
	// It is there already, so it cannot be stored as a new one.
	fmt.Println(flussi.Explain(store.SaveEvent(ctx, saved, nil)))
	// Output:
	// <nil>
	// Non trasmesso a Pago in Rete 1 <nil>
	// 1 <nil>
	// Un altro utente ha modificato i dati nel frattempo: rileggerli e riprovare.
}
