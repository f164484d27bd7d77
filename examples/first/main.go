// Command first is a first program: it composes a flow, sends it through a simulated App
// IO, and says what came of it.
package main

import (
	"context"
	"fmt"
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

func run(ctx context.Context) error {
	platform := appiotest.NewServer(appiotest.Config{}) // instead of the real App IO
	defer platform.Close()
	platform.AddService(appiotest.Service{ID: "tributi", Key: "a-key"})

	key, err := appio.ParseKey("a-key")
	if err != nil {
		return err
	}
	client, err := appio.New(key, appio.Config{BaseURL: platform.URL}) // without a BaseURL, the real one
	if err != nil {
		return err
	}
	messengers := func(context.Context, string) (flow.Messenger, error) { return client, nil }
	store := memstore.New() // or one on your database
	enabled := flow.Operators{"m.neri": {"tributi"}}
	service, err := flow.NewService(store, enabled, messengers, flow.ServiceConfig{})
	if err != nil {
		return err
	}
	dispatcher, err := flow.NewDispatcher(store, messengers, flow.DispatcherConfig{})
	if err != nil {
		return err
	}

	to, err := flussi.ReadFiscalCode(" mscmhl68p18 h211k ", flussi.Strict)
	if err != nil {
		return err
	}
	fmt.Println(to.Value, to.Changes[0].Italian())
	operator := flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}
	f, err := service.CreateFlow(ctx, operator, "tributi", flow.Details{Note: flussi.NewText("TARI 2026")})
	if err != nil {
		return err
	}
	report, err := service.AddNotifications(ctx, operator, f.ID, flow.Drafts(flow.Draft{
		Recipient: to.Value,
		Subject:   flussi.NewText("Scadenza della TARI"),
		Content:   flussi.NewText(strings.Repeat("La prima rata della TARI scade il 16 giugno. ", 3)),
	}), flow.AddConfig{})

	for _, wrong := range report.Errors {
		fmt.Println(wrong.Italian())
	}
	if err != nil {
		return err
	}
	if _, err = service.ActivateFlow(ctx, operator, f.ID); err != nil {
		return err
	}
	if _, err = service.SendFlow(ctx, operator, f.ID); err != nil {
		return err
	}
	f, err = dispatcher.Run(ctx, f.ID)
	fmt.Println(f.State.Label(), f.Counts.Sent, "di", f.Counts.Total())
	return err
}
