package restgateway_test

import (
	"context"
	"fmt"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/restgateway"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

// A client of a school transmits an event, here to the simulator of Pago In Rete. A [pagoinrete.Service]
// makes these calls, and stores what they return.
func Example() {
	server := restgatewaytest.NewServer(restgatewaytest.Config{})
	defer server.Close()
	server.AddSchool(restgatewaytest.School{Code: "RMIC8GA002", Key: "una-chiave"})

	key, err := flussi.ParseKey("una-chiave")
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	client, err := restgateway.New(key, "RMIC8GA002", restgateway.Config{BaseURL: server.URL})
	if err != nil {
		fmt.Println(err)
		return
	}

	ctx := context.Background()
	assistant := flussi.Actor{ID: "l.bianchi", Roles: []flussi.Role{flussi.AdminAssistant}}
	e, err := pagoinrete.NewEvent(pagoinrete.Fee, "RMIC8GA002", assistant)
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	due, _ := flussi.EndOfDay(2027, time.March, 31) // cannot fail: the day exists
	e.EventData = pagoinrete.EventData{
		Name: "Gita a Pompei", Causale: "Gita a Pompei 2026/2027", SchoolYear: 2026, FinancialYear: 2027,
		Account: "IT60X0542811101000000123456", Amount: 5000,
		Instalments: []pagoinrete.Instalment{{DueDate: due, Amount: 5000}},
	}
	there, err := client.PutEvent(ctx, assistant, e)
	fmt.Println(there.State.Label(), err)

	// The assistant may not approve it.
	_, err = client.MoveEvent(ctx, assistant, e.ID, pagoinrete.EventApprove, flussi.Text{})
	fmt.Println(flussi.OutcomeOf(err))
	fmt.Println(len(server.Events()), server.Events()[0].Transmitted)
	// Output:
	// Simulato <nil>
	// refused
	// 1 1
}
