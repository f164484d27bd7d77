package noticeflow_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	flowstore "github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/internal/sampletest"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/memstore"
	"github.com/flussi-go/flussi/pagoinrete/noticeflow"
	"github.com/flussi-go/flussi/pagoinrete/restgateway"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

// The payers of a notified event get a message each; a second time nobody does.
func ExampleMessages_Import() {
	ctx := context.Background()
	assistant := flussi.Actor{ID: "l.bianchi", Roles: []flussi.Role{flussi.AdminAssistant, flussi.Operator}}
	service, event, closeService := exampleEvent(ctx, assistant)
	defer closeService()
	flows, dispatcher, server := exampleService(assistant)
	defer server.Close()

	messages, err := noticeflow.New(service, flows, noticeflow.Config{School: "IC Via Verdi"})
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	f, report, err := messages.Import(ctx, assistant, event.ID, "scuola", flow.Details{}, flow.AddConfig{SkipInvalid: true})
	fmt.Print(report.Italian())
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	_, _ = flows.ActivateFlow(ctx, assistant, f.ID)
	_, _ = flows.SendFlow(ctx, assistant, f.ID)
	f, err = dispatcher.Run(ctx, f.ID)
	fmt.Println(f.State.Label(), len(server.Deliveries()), err)

	_, _, err = messages.Import(ctx, assistant, event.ID, "scuola", flow.Details{}, flow.AddConfig{SkipInvalid: true})
	fmt.Println(flussi.Explain(err))

	// A reminder has an occasion. Running it twice writes once.
	for range 2 {
		_, report, err = messages.Import(ctx, assistant, event.ID, "scuola", flow.Details{}, flow.AddConfig{SkipInvalid: true, Occasion: "sollecito marzo"})
		fmt.Println(report.Added.Added, errors.Is(err, flow.ErrNothingToSend))
	}
	// Output:
	// Avvisi dell'evento: 6. Messaggi preparati: 3.
	// Avvisi senza messaggio: 3 non sono ancora notificati su Pago In Rete.
	// Inviato 3 <nil>
	// Non ci sono messaggi da preparare. Avvisi senza messaggio: 3 hanno già un messaggio nel servizio; 3 non sono ancora notificati su Pago In Rete.
	// 3 false
	// 0 true
}

// The school's own text, looked at before anything is stored.
func ExampleMessages_Rows() {
	ctx := context.Background()
	assistant := flussi.Actor{ID: "l.bianchi", Roles: []flussi.Role{flussi.AdminAssistant, flussi.Operator}}
	service, event, closeService := exampleEvent(ctx, assistant)
	defer closeService()
	flows, _, server := exampleService(assistant)
	defer server.Close()

	messages, err := noticeflow.New(service, flows, noticeflow.Config{
		Subject:    "{{.Evento}}: rata {{.Rata}} di {{.Rate}}",
		Content:    "Gentile famiglia{{if .Iniziali}} di {{.Iniziali}}{{end}}, entro il {{.Scadenza}} sono da pagare {{.Importo}}. Per ogni domanda la segreteria è aperta tutti i giorni dalle 8 alle 10.",
		Instalment: 2,
	})
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	rows, err := messages.Rows(ctx, assistant, event.ID, "scuola", nil)
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	for row, err := range rows {
		fmt.Println(row.Number, row.Draft.Subject.Reveal(), err)
		fmt.Println(row.Draft.Content.Reveal())
	}

	_, err = noticeflow.New(service, flows, noticeflow.Config{Subject: "Da pagare per {{.Nome}}"})
	fmt.Println(flussi.Explain(err))
	// Output:
	// 2 Viaggio a Firenze: rata 2 di 3 <nil>
	// Gentile famiglia di R. M., entro il 30/04/2099 sono da pagare 30,00 €. Per ogni domanda la segreteria è aperta tutti i giorni dalle 8 alle 10.
	// L'oggetto non è un modello valido alla riga 1: il campo non esiste. I campi sono: Evento, Causale, Categoria, AnnoScolastico, Scuola, Importo, Scadenza, Rata, Rate, Iniziali, Personale, Vincolante.
}

// exampleEvent is an event that was notified, with the notices of two pupils, of whom one has a
// payer that has logged in to Pago In Rete.
func exampleEvent(ctx context.Context, by flussi.Actor) (*pagoinrete.Service, pagoinrete.Event, func()) {
	server := restgatewaytest.NewServer(restgatewaytest.Config{})
	server.AddSchool(restgatewaytest.School{Code: "RMIC8GA002", Key: "s-key"})
	key, _ := flussi.ParseKey("s-key")
	client, _ := restgateway.New(key, "RMIC8GA002", restgateway.Config{BaseURL: server.URL})
	service, _ := pagoinrete.NewService(memstore.New(), pagoinrete.Permissions{by.ID: {"RMIC8GA002"}, "p.russo": {"RMIC8GA002"}},
		func(context.Context, string) (pagoinrete.Gateway, error) { return client, nil }, pagoinrete.ServiceConfig{})

	e, _ := service.CreateEvent(ctx, by, pagoinrete.Fee, "RMIC8GA002", sampletest.Fee())
	_, _ = service.TransmitEvent(ctx, by, e.ID)
	_, _ = service.AddNotices(ctx, by, e.ID, pagoinrete.NoticeDraftRows(
		pagoinrete.NoticeDraft{Debtor: person(11), DebtorName: flussi.NewText("Rossi Maria"), Payer: person(1)},
		pagoinrete.NoticeDraft{Debtor: person(12), Payer: person(2)},
	), pagoinrete.AddConfig{})
	_, _ = service.TransmitNotices(ctx, by, e.ID)
	_, _ = service.SubmitEvent(ctx, by, e.ID)
	_, _ = service.ApproveEvent(ctx, flussi.Actor{ID: "p.russo", Roles: []flussi.Role{flussi.Principal}}, e.ID)
	_, _ = service.NotifyEvent(ctx, by, e.ID)
	server.LogIn(person(1))
	e, _, _ = service.VerifyEvent(ctx, by, e.ID)
	return service, e, server.Close
}

// exampleService sends the messages of the service scuola.
func exampleService(by flussi.Actor) (*flow.Service, *flow.Dispatcher, *appiotest.Server) {
	server := appiotest.NewServer(appiotest.Config{})
	server.AddService(appiotest.Service{ID: "scuola", Key: "a-key"})
	key, _ := flussi.ParseKey("a-key")
	client, _ := appio.New(key, appio.Config{BaseURL: server.URL})
	senders := func(context.Context, string) (flow.Sender, error) { return client, nil }
	store := flowstore.New()
	service, _ := flow.NewService(store, flow.Permissions{by.ID: {"scuola"}}, senders, flow.ServiceConfig{})
	dispatcher, _ := flow.NewDispatcher(store, senders, flow.DispatcherConfig{})
	return service, dispatcher, server
}
