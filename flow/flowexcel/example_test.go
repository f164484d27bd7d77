package flowexcel_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowexcel"
	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/mailmerge"
)

// The empty workbook, for operators to fill in.
func ExampleTemplate_Blank() {
	template, err := flowexcel.New(flowexcel.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	var file bytes.Buffer // such as an http.ResponseWriter
	err = template.Blank(context.Background(), &file)
	fmt.Println(file.Len() > 0, err)
	// Output:
	// true <nil>
}

// A file is imported into a flow, all of it or nothing, and the operator is told what to
// correct.
func ExampleTemplate_Rows() {
	ctx := context.Background()
	operator := flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}
	service, f := composed(ctx, operator)
	template, _ := flowexcel.New(flowexcel.Config{})

	letter := strings.Repeat("La prima rata della TARI scade il 16 giugno. ", 3)
	file := strings.NewReader("C.F.;Oggetto;Testo;Data scadenza;Importo;NAV\n" +
		"MSCMHL68P18H211K;Scadenza della TARI;" + letter + ";16/06/2099;123,45;301005100001400678\n" +
		"RSSMRA80A01H501U;Scadenza della TARI;" + letter + ";16/06/2099;123,45;\n" +
		"MSCMHL68P18H211K;Scadenza della TARI;" + letter + ";16/06/2099;123,45;301005100001400678\n")

	var report excel.Report
	rows := template.Rows(ctx, file, file.Size(), &report)
	added, err := service.AddNotifications(ctx, operator, f.ID, rows, flow.AddConfig{})
	if err != nil && !errors.Is(err, flussi.ErrRows) {
		fmt.Println(flussi.Explain(err))
		return
	}
	fmt.Print(flowexcel.Italian(&report, added, 0))

	var marked bytes.Buffer // the operator's own file, with the wrong cells marked
	err = template.Annotate(ctx, &marked, file, file.Size(), &report, added)
	fmt.Println(marked.Len() > 0, err)
	// Output:
	// Nessuna notifica è stata importata: correggere le righe con errori e importare di nuovo il file.
	// Righe senza errori: 1. Righe con errori: 2.
	// Colonne facoltative mancanti: «Ente creditore», «Paga dopo la scadenza», «Riferimento» e «Occasione».
	//
	// Da correggere (righe con errori):
	// - Riga 3, colonna F (Numero avviso): C'è la somma ma manca il numero avviso: scriverlo, oppure togliere la somma.
	// - Riga 4: Doppione: lo stesso messaggio per lo stesso cittadino è già alla riga 2. Togliere una delle due righe; se il cittadino deve ricevere due messaggi, indicare un'occasione diversa.
	// true <nil>
}

// One text for all rows: the file has the values of its fields.
func ExampleTemplate_Preview() {
	ctx := context.Background()
	text, err := mailmerge.Parse("Scadenza della TARI di {{.Nome}}",
		"Gentile {{.Nome}},\n\nentro il {{data_estesa .Scadenza}} sono da pagare {{euro .Somma}} con l'avviso allegato. Per informazioni: tributi@comune.example.it.", mailmerge.Config{})
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	standing := flow.Options{Button1: flow.Button{Label: flussi.NewText("Apri la pratica"), Link: flussi.NewText("https://comune.example.it/tari")}}
	template, err := flowexcel.New(flowexcel.Config{Text: text, FlowOptions: standing})
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	file := strings.NewReader("Codice fiscale;Nome;Scadenza;Somma;Numero avviso\n" +
		"MSCMHL68P18H211K;Michele;16/06/2099;1234,5;301005100001400678\n" +
		"RSSMRA80A01H501U;;16/06/2099;1234,5;301005100001400779\n")
	row, err := template.Preview(ctx, file, file.Size(), 2)
	fmt.Println(row.Draft.Message().Content.Reveal(), err)
	_, err = template.Preview(ctx, file, file.Size(), 3)
	fmt.Println(flussi.Explain(err))

	// The flow gets the same options.
	operator := flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}
	service, _ := composed(ctx, operator)
	f, _, err := service.ImportFlow(ctx, operator, "tributi", flow.Details{Options: standing}, template.Rows(ctx, file, file.Size(), nil), flow.AddConfig{SkipInvalid: true})
	fmt.Println(f.Counts.Registered, err)
	// Output:
	// ---
	// it:
	//   cta_1:
	//     text: "Apri la pratica"
	//     action: "iohandledlink://https://comune.example.it/tari"
	// en:
	//   cta_1:
	//     text: "Apri la pratica"
	//     action: "iohandledlink://https://comune.example.it/tari"
	// ---
	// Gentile Michele,
	//
	// entro il 16 giugno 2099 sono da pagare 1.234,50 € con l'avviso allegato. Per informazioni: tributi@comune.example.it. <nil>
	// Riga 3, colonna B (Nome): La cella è vuota: il valore è obbligatorio.
	// 1 <nil>
}

// What was sent, and what became of it, as a workbook.
func ExampleTemplate_Export() {
	ctx := context.Background()
	operator := flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}
	service, f := composed(ctx, operator)
	_, _ = service.AddNotifications(ctx, operator, f.ID, flow.DraftRows(draft(1), draft(2)), flow.AddConfig{})
	template, _ := flowexcel.New(flowexcel.Config{})

	var file bytes.Buffer
	err := template.Export(ctx, &file, service.AllNotifications(ctx, operator, flow.NotificationFilter{Flow: f.ID}))
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}

	book, _ := excelize.OpenReader(&file)
	defer book.Close()
	rows, _ := book.GetRows("Notifiche")
	fmt.Println(strings.Join(rows[0], ", "))
	fmt.Println(rows[1][11], rows[2][11])
	// Output:
	// Codice fiscale, Oggetto, Contenuto, Scadenza, Somma, Numero avviso, Ente creditore, Paga dopo la scadenza, Riferimento, Occasione, UUID, Stato, Errore, Risposta della piattaforma, ID Consegna App.IO, Tentativi Invio, Data invio, Stato Consegna, Stato Mail, Stato Push, Utente mod., Data mod., Dis., Versione
	// Registrato Registrato
}

// Some citizens were not reached. The operator corrects their codes in the export, and the
// flow is sent again: to them alone.
func ExampleTemplate_Correct() {
	ctx := context.Background()
	server := appiotest.NewServer(appiotest.Config{})
	defer server.Close()
	server.AddService(appiotest.Service{ID: "tributi", Key: "a-key"})
	server.AddCitizen(appiotest.Citizen{Code: draft(1).Recipient, Absent: true})
	key, _ := flussi.ParseKey("a-key")
	client, _ := appio.New(key, appio.Config{BaseURL: server.URL})
	senders := func(context.Context, string) (flow.Sender, error) { return client, nil }

	operator := flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}
	store := memstore.New()
	service, _ := flow.NewService(store, flow.Permissions{"m.neri": {"tributi"}}, senders, flow.ServiceConfig{})
	dispatcher, _ := flow.NewDispatcher(store, senders, flow.DispatcherConfig{CheckProfiles: true})
	f, _, _ := service.ImportFlow(ctx, operator, "tributi", flow.Details{}, flow.DraftRows(draft(1), draft(3), draft(5)), flow.AddConfig{})
	_, _ = service.ActivateFlow(ctx, operator, f.ID)
	_, _ = service.SendFlow(ctx, operator, f.ID)
	f, _ = dispatcher.Run(ctx, f.ID)
	fmt.Println(f.State.Label(), f.Counts.Sent, f.Counts.Failed)

	template, _ := flowexcel.New(flowexcel.Config{})
	var file bytes.Buffer
	_ = template.Export(ctx, &file, service.AllNotifications(ctx, operator, flow.NotificationFilter{Flow: f.ID}))

	// What the operator does.
	book, _ := excelize.OpenReader(&file)
	defer book.Close()
	_ = book.SetCellStr("Notifiche", "A2", "RSSMRA80A01H501U")
	_ = book.Write(&file)

	report, err := template.Correct(ctx, service, operator, bytes.NewReader(file.Bytes()), int64(file.Len()), flowexcel.CorrectConfig{Flow: f.ID})
	fmt.Print(report.Italian(0))
	if err == nil && report.Corrected+report.SetBack > 0 {
		_, err = service.SendFlow(ctx, operator, f.ID)
	}
	f, _ = dispatcher.Run(ctx, f.ID)
	fmt.Println(f.State.Label(), len(server.Deliveries()), err)
	// Output:
	// Invio incompleto 2 1
	// Notifiche riportate a «Registrato», da inviare di nuovo: 1, di cui 1 con i dati modificati.
	// Righe senza correzioni: 0 in «Errore», lasciate come sono; 2 in altri stati.
	// Inviato 3 <nil>
}

// composed is a service that sends nothing, with an empty flow.
func composed(ctx context.Context, by flussi.Actor) (*flow.Service, flow.Flow) {
	nobody := func(context.Context, string) (flow.Sender, error) {
		return nil, errors.New("nothing is sent in this example")
	}
	service, _ := flow.NewService(memstore.New(), flow.Permissions{by.ID: {"tributi"}}, nobody, flow.ServiceConfig{})
	f, _ := service.CreateFlow(ctx, by, "tributi", flow.Details{})
	return service, f
}
