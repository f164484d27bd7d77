// Command first is the least that a program needs to send a flow: here two messages, to a
// simulator of App IO, from a store in memory. It does this twice, like a program that is run
// again: the rows are recognised, and no message is sent again.
package main

import (
	"context"
	"fmt"
	"iter"
	"log"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/memstore"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(flussi.Explain(err), " (", err, ")")
	}
}

// run sets up a store, a simulator, a service and a dispatcher, and sends two messages, one of
// which has a subject that is too short.
func run(ctx context.Context) error {
	platform := appiotest.NewServer(appiotest.Config{}) // instead of the real App IO
	defer platform.Close()
	platform.AddService(appiotest.Service{ID: "tributi", Key: "a-key"})

	key, err := flussi.ParseKey("a-key")
	if err != nil {
		return err
	}
	client, err := appio.New(key, appio.Config{BaseURL: platform.URL}) // without a BaseURL, the real one
	if err != nil {
		return err
	}
	senders := func(context.Context, string) (flow.Sender, error) { return client, nil }
	store := memstore.New() // or one on your database: see sqlstore
	service, err := flow.NewService(store, flow.Permissions{"m.neri": {"tributi"}}, senders, flow.ServiceConfig{})
	if err != nil {
		return err
	}
	dispatcher, err := flow.NewDispatcher(store, senders, flow.DispatcherConfig{})
	if err != nil {
		return err
	}
	// The product's guide wants a content of 120 characters or more.
	content := flussi.NewText(strings.Repeat("La prima rata della TARI scade il 16 giugno. ", 3))
	rows := flow.DraftRows( // or a workbook's: see package flowexcel
		flow.Draft{Recipient: appiotest.SampleCitizen(1), Subject: flussi.NewText("Scadenza della TARI"), Content: content},
		flow.Draft{Recipient: appiotest.SampleCitizen(2), Subject: flussi.NewText("TARI"), Content: content},
	)
	for range 2 {
		if err := send(ctx, service, dispatcher, rows); err != nil {
			return err
		}
	}
	fmt.Println("Messaggi consegnati:", len(platform.Deliveries()))
	return nil
}

func send(ctx context.Context, service *flow.Service, dispatcher *flow.Dispatcher, rows iter.Seq2[flow.Row, error]) error {
	operator := flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}
	f, report, err := service.ImportFlow(ctx, operator, "tributi", flow.Details{}, rows, flow.AddConfig{SkipInvalid: true})
	for _, wrong := range report.Errors {
		fmt.Println(wrong.Italian())
	}
	for _, known := range report.Duplicates {
		fmt.Println(known.Italian()) // stored disabled: the service has the same message already
	}
	if !report.ImportedAt.IsZero() {
		fmt.Println("Queste righe sono già state importate.") // and f is their flow, as it is now
	}
	if err == nil && f.Counts.Pending() > 0 { // or there is nothing new to send
		f, err = service.ActivateFlow(ctx, operator, f.ID) // Attivo; unchanged if active or sent
	}
	if err == nil && f.Counts.Pending() > 0 {
		f, err = service.SendFlow(ctx, operator, f.ID) // In invio
	}
	if err == nil && f.Counts.Pending() > 0 {
		f, err = dispatcher.Run(ctx, f.ID) // Inviato, or Invio incompleto
	}
	if err != nil {
		return err
	}
	fmt.Println(f.State.Label(), f.Counts.Sent, "di", f.Counts.Total())
	return nil
}
