package restgatewaytest_test

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/restgateway"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

// A reply is lost after the platform did what it was asked for. What is transmitted again is
// recognised.
func ExampleSimulator() {
	server := restgatewaytest.NewServer(restgatewaytest.Config{})
	defer server.Close()
	server.AddSchool(restgatewaytest.School{Code: "RMIC8GA002", Key: "a-key"})
	key, err := flussi.ParseKey("a-key")
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := restgateway.New(key, "RMIC8GA002", restgateway.Config{BaseURL: server.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	assistant := flussi.Actor{ID: "a.bianchi", Roles: []flussi.Role{flussi.AdminAssistant}}
	event := pagoinrete.Event{
		ID: uuid.New(), Kind: pagoinrete.Fee, School: "RMIC8GA002",
		EventData: pagoinrete.EventData{
			Name: "Gita a Roma", Causale: "Gita a Roma", SchoolYear: 2026, FinancialYear: 2026, Account: "IT60X0542811101000000123456", Amount: 15000,
			Instalments: []pagoinrete.Instalment{{DueDate: time.Date(2026, 12, 1, 22, 59, 59, 0, time.UTC), Amount: 15000}},
		},
	}
	server.Fail(restgatewaytest.PutEvent, restgatewaytest.Fault{Kind: restgatewaytest.Reset, Stored: true})

	_, err = client.PutEvent(context.Background(), assistant, event)
	fmt.Println(err)
	there, err := client.PutEvent(context.Background(), assistant, event)
	fmt.Println(there.State.Label(), err)
	for _, e := range server.Events() {
		fmt.Println("created", e.Created, "transmitted", e.Transmitted)
	}
	// Output:
	// restgateway: transmit event: outcome unknown: connection reset
	// Simulato <nil>
	// created 1 transmitted 2
}
