package pagoinrete_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/memstore"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/restgateway"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	settlementstore "github.com/flussi-go/flussi/pagoinrete/settlement/memstore"
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

// Settlements of PSPs and the treasury journal change notices. Here the files are made up; package
// paymentfile reads real ones. If a revision of a settlement drops a payment, that is undone.
func ExampleNewDues() {
	ctx, o := context.Background(), openOffice()
	defer o.Close()
	e := o.event(7)
	n := o.all(e)[0]
	body, _ := flussi.ParseOrganizationCode("80185250588") // the school, in files
	dues, err := pagoinrete.NewDues(o.Service, pagoinrete.DuesConfig{
		By: o.assistant,
		School: func(_ context.Context, of flussi.OrganizationCode) (string, error) {
			return map[flussi.OrganizationCode]string{body: "RMIC8GA002"}[of], nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	files, err := settlement.NewService(settlementstore.New(), settlement.Permissions{o.assistant.ID: {body}}, dues)
	if err != nil {
		fmt.Println(err)
		return
	}
	day := paymentfile.Day{Year: 2027, Month: time.March, Day: 12}
	paid := paymentfile.Payment{Number: 1, Reference: paymentfile.NewReference(n.IUV().Reveal()), IUR: "1", Index: 1, Amount: n.Due(), SignedAmount: n.Due(), Date: day}
	apply := func(revision int, rows ...paymentfile.Payment) {
		head := paymentfile.Settlement{ID: "2027-03-12BPPIITRRXXX-7", Body: body, Revision: revision, Date: day}
		for _, row := range rows {
			head.Total += row.Net()
		}
		_, err := files.ApplySettlement(ctx, o.assistant, settlement.File{Header: head, Payments: all(rows...)})
		fmt.Println("flusso:", o.all(e)[0].State.Label(), err)
	}

	apply(0, paid)
	_, err = files.ApplyJournal(ctx, o.assistant, paymentfile.Journal{ID: "GDC", BankABI: "01234", Body: body, Year: 2027}, all(paymentfile.Movement{
		Account: "1", Direction: paymentfile.Incoming, Document: paymentfile.DocumentIncomingSuspense, Operation: paymentfile.OperationExecuted,
		DocumentNumber: "41", Amount: n.Due(), Date: day, Causale: flussi.NewText("/PUR/LGPE-RIVERSAMENTO/URI/2027-03-12BPPIITRRXXX-7"),
	}))
	fmt.Println("giornale:", o.all(e)[0].State.Label(), err)
	apply(1)
	history, err := o.NoticeHistory(ctx, o.assistant, n.ID)
	for _, record := range history[len(history)-3:] {
		fmt.Println(record.Action.Label()+".", record.Reason.Reveal())
	}
	fmt.Println(err)
	// Output:
	// flusso: Pagamento confermato <nil>
	// giornale: Pagamento riscontrato automaticamente <nil>
	// flusso: Non pagato (Non notificato) <nil>
	// Riscontro con i flussi di riversamento PSP. Flusso 2027-03-12BPPIITRRXXX-7, con i passi intermedi «Notifica», «RPT inviata» e «RT ricevuta».
	// Riconciliazione con i movimenti del file OIL. Flusso 2027-03-12BPPIITRRXXX-7, sospeso 41.
	// Notifica non più riportata. Nessun file riporta più il pagamento, con i passi intermedi «Annullamento della riconciliazione con il file OIL», «Annullamento del riscontro con i flussi di riversamento PSP» e «Pagamento non più riportato».
	// <nil>
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
