package pagoinrete_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/memstore"
	"github.com/flussi-go/flussi/pagoinrete/restgateway"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

// The first operation: a fee of two instalments. What is wrong with it is said all at once.
func ExampleService_CreateEvent() {
	ctx, o := context.Background(), openOffice()
	defer o.Close()
	first, _ := flussi.EndOfDay(2027, time.March, 31) // in Italy
	second, _ := flussi.EndOfDay(2027, time.May, 31)
	data := pagoinrete.EventData{
		Name: "Viaggio a Firenze", Causale: "Viaggio a Firenze classi seconde", Category: "Visite e viaggi",
		SchoolYear: 2026, FinancialYear: 2027, Account: "IT60X0542811101000000123456", Amount: 150_00,
		Instalments: []pagoinrete.Instalment{{DueDate: first, Amount: 100_00}, {DueDate: second, Amount: 40_00}},
	}
	_, err := o.CreateEvent(ctx, o.assistant, pagoinrete.Fee, "RMIC8GA002", data)
	fmt.Println(flussi.Explain(err))

	data.Instalments[1].Amount = 50_00
	e, err := o.CreateEvent(ctx, o.assistant, pagoinrete.Fee, "RMIC8GA002", data)
	fmt.Println(e.State.Label(), err)
	// Output:
	// La somma delle rate è 140,00 €, l'importo dell'evento è 150,00 €.
	// Non trasmesso a Pago in Rete <nil>
}

// The second operation. From here on Pago In Rete knows the event.
func ExampleService_TransmitEvent() {
	ctx, o := context.Background(), openOffice()
	defer o.Close()
	e := o.event(1)

	e, err := o.TransmitEvent(ctx, o.assistant, e.ID)
	fmt.Println(e.State.Label(), e.RemoteID != "", err)
	// Output:
	// Simulato true <nil>
}

// The third operation: each pupil gets a notice for each instalment. Rows that are wrong are
// told one by one, and nothing is stored unless the configuration says so.
func ExampleService_AddNotices() {
	ctx, o := context.Background(), openOffice()
	defer o.Close()
	e := o.event(2)
	rows := pagoinrete.NoticeDraftRows(
		pagoinrete.NoticeDraft{Debtor: code("RSSMRA14A41H501J"), DebtorName: flussi.NewText("Rossi Maria"), Payer: code("RSSGNN80A01H501N")},
		pagoinrete.NoticeDraft{Debtor: code("VRDLCU14C12H501B"), Payer: code("VRDPLA82B45H501H"), Discount: 15_00}, // on both instalments together
		pagoinrete.NoticeDraft{Debtor: code("BNCNNA14E50H501M"), Instalment: 3},
	)

	report, err := o.AddNotices(ctx, o.assistant, e.ID, rows, pagoinrete.AddConfig{})
	fmt.Println(flussi.Explain(err))
	for _, wrong := range report.Errors {
		fmt.Println(wrong.Italian())
	}

	report, err = o.AddNotices(ctx, o.assistant, e.ID, rows, pagoinrete.AddConfig{SkipInvalid: true})
	fmt.Println(report.Notices, "avvisi,", report.Amount.Euro(), err)
	// Output:
	// 1 riga con errori su 3: nessun avviso è stato creato.
	// Riga 3: La rata non esiste: l'evento ha 2 rate.
	// 4 avvisi, 285,00 € <nil>
}

// The fourth operation. What Pago In Rete refuses says why, and so does what gets no answer.
// Called again, it goes on with what is left.
func ExampleService_TransmitNotices() {
	ctx, o := context.Background(), openOffice()
	defer o.Close()
	e := o.event(3)
	o.platform.Fail(restgatewaytest.PutNotice, restgatewaytest.Fault{Kind: restgatewaytest.BadRequest})

	for range 2 {
		report, err := o.TransmitNotices(ctx, o.assistant, e.ID)
		fmt.Println("trasmessi", report.Transmitted, "rifiutati", report.Refused, "senza risposta", report.Failed, err)
	}
	for n, err := range o.AllNotices(ctx, o.assistant, pagoinrete.NoticeFilter{Event: e.ID}) {
		fmt.Println(n.State.Label(), n.Number, n.IUV(), err) // which mask themselves
		break
	}
	// Output:
	// trasmessi 3 rifiutati 1 senza risposta 0 <nil>
	// trasmessi 1 rifiutati 0 senza risposta 0 <nil>
	// Non pagato (Non notificato) NoticeNumber(***) IUV(***) <nil>
}

// The fifth operation hands the event over to the principal. Its notices have to be
// transmitted by then.
func ExampleService_SubmitEvent() {
	ctx, o := context.Background(), openOffice()
	defer o.Close()
	e := o.event(3)

	_, err := o.SubmitEvent(ctx, o.assistant, e.ID)
	fmt.Println(flussi.Explain(err))

	_, _ = o.TransmitNotices(ctx, o.assistant, e.ID)
	e, err = o.SubmitEvent(ctx, o.assistant, e.ID)
	fmt.Println(e.State.Label(), err)
	// Output:
	// L'evento ha 4 avvisi non ancora trasmessi: trasmetterli o annullarli prima.
	// Da approvare <nil>
}

// The sixth operation is the principal's alone.
func ExampleService_ApproveEvent() {
	ctx, o := context.Background(), openOffice()
	defer o.Close()
	e := o.event(5)

	_, err := o.ApproveEvent(ctx, o.assistant, e.ID)
	fmt.Println(flussi.Explain(err), errors.Is(err, fsm.ErrRole))

	e, err = o.ApproveEvent(ctx, o.principal, e.ID)
	fmt.Println(e.State.Label(), err)
	// Output:
	// L'azione «Approva l'evento di pagamento su Pago in Rete» è riservata al ruolo «DS». true
	// Da notificare <nil>
}

// The principal may send an event back instead, and says why.
func ExampleService_RejectEvent() {
	ctx, o := context.Background(), openOffice()
	defer o.Close()
	e := o.event(5)

	e, err := o.RejectEvent(ctx, o.principal, e.ID, flussi.NewText("Manca la delibera del consiglio d'istituto."))
	fmt.Println(e.State.Label(), err)
	fmt.Println(e.Rejection.Reveal())

	e, err = o.SubmitEvent(ctx, o.assistant, e.ID) // once it is there
	fmt.Println(e.State.Label(), err)
	// Output:
	// Rifiutato <nil>
	// Manca la delibera del consiglio d'istituto.
	// Da approvare <nil>
}

// The seventh operation: families see the notices and can pay. Those whose payers have logged
// in to Pago In Rete are notified.
func ExampleService_NotifyEvent() {
	ctx, o := context.Background(), openOffice()
	defer o.Close()
	e := o.event(6)
	o.platform.LogIn(code("RSSGNN80A01H501N"))

	e, err := o.NotifyEvent(ctx, o.assistant, e.ID)
	fmt.Println(e.State.Label(), err)
	o.print(e)
	// Output:
	// Notificato <nil>
	// Rossi Maria, rata 1: Non pagato | Non pagato (Notificato) | Da pagare
	// Rossi Maria, rata 2: Non pagato | Non pagato (Notificato) | Da pagare
	// Verdi Luca, rata 1: Non pagato | Non pagato (Non notificato) | Da pagare
	// Verdi Luca, rata 2: Non pagato | Non pagato (Non notificato) | Da pagare
}

// The eighth operation: the notices to be printed, one after the other.
func ExampleService_EventPDFs() {
	ctx, o := context.Background(), openOffice()
	defer o.Close()
	e := o.event(7)

	for pdf, err := range o.EventPDFs(ctx, o.assistant, e.ID) {
		if err != nil {
			fmt.Println(flussi.Explain(err)) // without a Notice, it is the last
			continue
		}
		size, err := io.Copy(io.Discard, pdf.Body) // such as a file
		fmt.Println("rata", pdf.Notice.Instalment, size > 0, err)
	}
	// Output:
	// rata 1 true <nil>
	// rata 2 true <nil>
	// rata 1 true <nil>
	// rata 2 true <nil>
}

// The ninth operation: what the guardians see from then on.
func ExampleService_ShowEvent() {
	ctx, o := context.Background(), openOffice()
	defer o.Close()
	e := o.event(7)

	n, err := o.ShowEvent(ctx, o.assistant, e.ID)
	fmt.Println(n, err)
	page, err := o.Notices(ctx, o.assistant, pagoinrete.NoticeFilter{Debtor: code("RSSMRA14A41H501J"), Visible: true}, pagoinrete.Page{OldestFirst: true})
	for _, n := range page.Notices {
		fmt.Println("rata", n.Instalment, n.Due().Euro(), n.State.Labels().Family)
	}
	fmt.Println(err)
	// Output:
	// 4 <nil>
	// rata 1 100,00 € Da pagare
	// rata 2 50,00 € Da pagare
	// <nil>
}

// The tenth operation asks Pago In Rete what families did.
func ExampleService_VerifyEvent() {
	ctx, o := context.Background(), openOffice()
	defer o.Close()
	e := o.event(7)
	o.pay(e, 2)

	e, report, err := o.VerifyEvent(ctx, o.assistant, e.ID)
	fmt.Println("chiesti", report.Asked, "cambiati", report.Changed, err)
	o.print(e)
	// Output:
	// chiesti 4 cambiati 2 <nil>
	// Rossi Maria, rata 1: Pagato | Pagato (Pagato online) | Pagato
	// Rossi Maria, rata 2: Pagato | Pagato (Pagato online) | Pagato
	// Verdi Luca, rata 1: Non pagato | Non pagato (Non notificato) | Da pagare
	// Verdi Luca, rata 2: Non pagato | Non pagato (Non notificato) | Da pagare
}

// A settlement of a payment service provider confirms what was paid. It can be applied again;
// what does not match is told row by row.
func ExampleService_ApplySettlement() {
	ctx, o := context.Background(), openOffice()
	defer o.Close()
	e := o.event(7)
	o.pay(e, 2)
	e, _, _ = o.VerifyEvent(ctx, o.assistant, e.ID)
	notices := o.all(e)
	paid := time.Date(2027, 3, 12, 0, 0, 0, 0, time.UTC)
	rows := func(yield func(pagoinrete.PaymentRow, error) bool) { // as they are read from a file
		_ = yield(pagoinrete.PaymentRow{IUV: notices[0].IUV(), Amount: 100_00, Reference: "2027-03-12BPPIITRRXXX-7", Date: paid}, nil) &&
			yield(pagoinrete.PaymentRow{IUV: notices[1].IUV(), Amount: 5_00, Reference: "2027-03-12BPPIITRRXXX-7", Date: paid}, nil)
	}

	for range 2 {
		report, err := o.ApplySettlement(ctx, o.assistant, "RMIC8GA002", rows)
		fmt.Println("abbinati", report.Matched, "già noti", report.Known, "da guardare", report.Unmatched, err)
		for _, wrong := range report.Mismatches {
			fmt.Println(wrong.Italian())
		}
	}
	for _, n := range o.all(e)[:2] {
		fmt.Printf("%s [%s]\n", n.State.Label(), n.Discrepancy.Italian())
	}
	// Output:
	// abbinati 1 già noti 0 da guardare 1 <nil>
	// Riga 2: L'importo è 5,00 €, quello dovuto è 50,00 €: verificare con la banca o con il PSP, poi riscontrare la riga a mano o archiviare la discrepanza.
	// abbinati 0 già noti 1 da guardare 1 <nil>
	// Riga 2: L'importo è 5,00 €, quello dovuto è 50,00 €: verificare con la banca o con il PSP, poi riscontrare la riga a mano o archiviare la discrepanza.
	// Pagamento confermato []
	// Pagato (Pagato online) [L'importo pagato è 5,00 €, diverso da quello dovuto: verificare con la banca o con il PSP, poi riscontrare la riga a mano o archiviare la discrepanza.]
}

// A settlement as a CSV file, with columns of one's own choice. What cannot be read is told by
// the error of its row, and what does not match by that of the settlement. The amount of a
// reversed payment may be negative.
func ExampleService_ApplySettlement_csv() {
	ctx, o := context.Background(), openOffice()
	defer o.Close()
	e := o.event(7)
	o.pay(e, 1)
	file := strings.NewReader("IUV;Importo;Esito;Flusso;Data\n" +
		o.all(e)[0].IUV().Reveal() + ";100,00;0;2027-03-12BPPIITRRXXX-7;12/03/2027\n" +
		o.all(e)[1].IUV().Reveal() + ";50,00;4;2027-03-12BPPIITRRXXX-7;12/03/2027\n" +
		o.all(e)[1].IUV().Reveal() + ";-50,00;3;2027-03-12BPPIITRRXXX-7;12/03/2027\n" +
		o.all(e)[2].IUV().Reveal() + ";50,00;7;2027-03-12BPPIITRRXXX-7;12/03/2027\n" +
		"0100510000140067;50,00;0;2027-03-12BPPIITRRXXX-7;12/03/2027\n" +
		"99005100001400678;50,00;0;2027-03-12BPPIITRRXXX-7;12/03/2027\n")

	type row = pagoinrete.PaymentRow
	outcome := excel.Convert(excel.Integer(0, 9),
		func(v int64) pagoinrete.PaymentOutcome { return pagoinrete.PaymentOutcome(v) },
		func(o pagoinrete.PaymentOutcome) int64 { return int64(o) })
	amount := excel.FromText(excel.Money(flussi.MinPayable, flussi.MaxPayable).Rule(), func(text string) (flussi.Reading[flussi.Cents], error) {
		unsigned, negative := strings.CutPrefix(text, "-")
		reading, err := flussi.ReadCents(unsigned)
		if negative {
			reading.Value = -reading.Value
		}
		return reading, err
	}, flussi.Cents.String)
	required := excel.ColumnConfig{Required: true}
	template, err := excel.New(excel.Config[row]{Name: "Riversamento"},
		excel.NewColumn("IUV", excel.IUV(), func(r *row) *flussi.IUV { return &r.IUV }, required),
		excel.NewColumn("Importo", amount, func(r *row) *flussi.Cents { return &r.Amount }, required),
		excel.NewColumn("Esito", outcome, func(r *row) *pagoinrete.PaymentOutcome { return &r.Outcome }, required),
		excel.NewColumn("Flusso", excel.Text(1, pagoinrete.MaxReference), func(r *row) *string { return &r.Reference }, required),
		excel.NewColumn("Data", excel.Date(excel.DateConfig{}), func(r *row) *time.Time { return &r.Date }, required),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	var refused []*flussi.RowError
	rows := func(yield func(row, error) bool) {
		for line, err := range template.DecodeCSV(ctx, file, file.Size(), nil) {
			var wrong *flussi.RowError
			if errors.As(err, &wrong) {
				refused = append(refused, wrong)
				continue
			}
			line.Value.Number = line.Number
			if !yield(line.Value, err) {
				return
			}
		}
	}
	report, err := o.ApplySettlement(ctx, o.assistant, "RMIC8GA002", rows)
	fmt.Println("abbinati", report.Matched, "da guardare", report.Unmatched, err)
	for _, wrong := range refused {
		fmt.Println(wrong.Italian())
	}
	for _, wrong := range report.Mismatches {
		fmt.Println(wrong.Italian())
	}
	// Output:
	// abbinati 2 da guardare 3 <nil>
	// Riga 6, colonna A (IUV): Lo IUV deve avere 15 o 17 cifre, questo ha 16 caratteri.
	// Riga 4: Il pagamento è stato revocato: verificare con la banca o con il PSP.
	// Riga 5: Il codice di esito 7 non è previsto: verificare il pagamento con la banca o con il PSP.
	// Riga 7: Nessun avviso della scuola ha questo IUV: verificare a chi è destinato il pagamento.
}

// The treasury journal shows that the money arrived, even where nobody asked Pago In Rete yet:
// the history tells the steps that it implies.
func ExampleService_ApplyJournal() {
	ctx, o := context.Background(), openOffice()
	defer o.Close()
	e := o.event(7)
	o.pay(e, 1)
	n := o.all(e)[0]
	movement := pagoinrete.PaymentRow{IUV: n.IUV(), Amount: n.Due(), Reference: "sospeso 41", Date: time.Date(2027, 3, 15, 0, 0, 0, 0, time.UTC)}

	report, err := o.ApplyJournal(ctx, o.assistant, "RMIC8GA002", func(yield func(pagoinrete.PaymentRow, error) bool) { yield(movement, nil) })
	fmt.Println("abbinati", report.Matched, report.MatchedAmount.Euro(), err)
	history, err := o.NoticeHistory(ctx, o.assistant, n.ID)
	last := history[len(history)-1]
	fmt.Println(last.Action.Label(), "→", last.To.Label(), err)
	fmt.Println(last.Reason.Reveal())
	// Output:
	// abbinati 1 100,00 € <nil>
	// Riconciliazione con i movimenti del file OIL → Pagamento riscontrato automaticamente <nil>
	// Riferimento sospeso 41, con i passi intermedi «Notifica», «RPT inviata» e «RT ricevuta».
}

// A list of events with the buttons of whoever looks at it.
func ExampleEvent_Actions() {
	ctx, o := context.Background(), openOffice()
	defer o.Close()
	o.event(5)

	for _, by := range []flussi.Actor{o.assistant, o.principal} {
		page, err := o.Events(ctx, by, pagoinrete.EventFilter{}, pagoinrete.Page{}) // of all schools of theirs
		if err != nil {
			fmt.Println(flussi.Explain(err))
			return
		}
		for _, e := range page.Events {
			fmt.Println(e.Name, e.State.Label())
			for _, action := range e.Actions(by.Roles...) {
				fmt.Println("  ", action.Label())
			}
		}
	}
	// Output:
	// Viaggio a Firenze Da approvare
	//    Verifica stato
	// Viaggio a Firenze Da approvare
	//    Approva l'evento di pagamento su Pago in Rete
	//    Rifiuta l'evento di pagamento su Pago in Rete
}

// office is that of the school in the examples, with Pago In Rete simulated.
type office struct {
	*pagoinrete.Service
	platform             *restgatewaytest.Server
	assistant, principal flussi.Actor
}

func openOffice() *office {
	const school = "RMIC8GA002"
	platform := restgatewaytest.NewServer(restgatewaytest.Config{})
	platform.AddSchool(restgatewaytest.School{Code: school, Key: "a-key"})
	key, _ := flussi.ParseKey("a-key")
	client, _ := restgateway.New(key, school, restgateway.Config{BaseURL: platform.URL})
	gateways := func(context.Context, string) (pagoinrete.Gateway, error) { return client, nil }
	o := &office{
		platform:  platform,
		assistant: flussi.Actor{ID: "a.bianchi", Roles: []flussi.Role{flussi.AdminAssistant}},
		principal: flussi.Actor{ID: "p.russo", Roles: []flussi.Role{flussi.Principal}},
	}
	o.Service, _ = pagoinrete.NewService(memstore.New(), pagoinrete.Permissions{o.assistant.ID: {school}, o.principal.ID: {school}}, gateways, pagoinrete.ServiceConfig{})
	return o
}

func (o *office) Close() { o.platform.Close() }

// event is a fee for which the first of the ten operations are done.
func (o *office) event(operations int) pagoinrete.Event {
	ctx := context.Background()
	e, err := o.CreateEvent(ctx, o.assistant, pagoinrete.Fee, "RMIC8GA002", journey())
	for _, operation := range []func(){
		func() { e, err = o.TransmitEvent(ctx, o.assistant, e.ID) },
		func() { _, err = o.AddNotices(ctx, o.assistant, e.ID, pupils(), pagoinrete.AddConfig{}) },
		func() { _, err = o.TransmitNotices(ctx, o.assistant, e.ID) },
		func() { e, err = o.SubmitEvent(ctx, o.assistant, e.ID) },
		func() { e, err = o.ApproveEvent(ctx, o.principal, e.ID) },
		func() { e, err = o.NotifyEvent(ctx, o.assistant, e.ID) },
	}[:operations-1] {
		if err == nil {
			operation()
		}
	}
	if err != nil {
		panic(err)
	}
	return e
}

// all returns the notices of an event, the oldest first.
func (o *office) all(e pagoinrete.Event) []pagoinrete.Notice {
	page, err := o.Notices(context.Background(), o.assistant, pagoinrete.NoticeFilter{Event: e.ID}, pagoinrete.Page{OldestFirst: true})
	if err != nil {
		panic(err)
	}
	return page.Notices
}

// print shows the states of an event's notices, for the school and for the family.
func (o *office) print(e pagoinrete.Event) {
	for _, n := range o.all(e) {
		labels := n.State.Labels()
		fmt.Printf("%s, rata %d: %s | %s | %s\n", n.DebtorName.Reveal(), n.Instalment, labels.Macro, labels.School, labels.Family)
	}
}

// pay lets the families of the first notices pay.
func (o *office) pay(e pagoinrete.Event, notices int) {
	for _, n := range o.all(e)[:notices] {
		o.platform.LogIn(n.Payer)
		o.platform.Pay(n.ID, n.Due())
	}
}
