package pagoinrete_test

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/memstore"
	"github.com/flussi-go/flussi/pagoinrete/restgateway"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

// All that it takes: a store, who works for which school, and a gateway to Pago In Rete, here
// the client and a simulator. A fee goes from its creation to its payment.
func Example() {
	ctx := context.Background()
	server := restgatewaytest.NewServer(restgatewaytest.Config{}) // in place of Pago In Rete
	defer server.Close()
	server.AddSchool(restgatewaytest.School{Code: "RMIC8GA002", Key: "a-key"})

	key, err := flussi.ParseKey("a-key")
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	client, err := restgateway.New(key, "RMIC8GA002", restgateway.Config{BaseURL: server.URL})
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	gateways := func(context.Context, string) (pagoinrete.Gateway, error) { return client, nil } // of the one school
	permissions := pagoinrete.Permissions{"a.bianchi": {"RMIC8GA002"}, "p.russo": {"RMIC8GA002"}}
	p, err := pagoinrete.NewService(memstore.New(), permissions, gateways, pagoinrete.ServiceConfig{})
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}

	assistant := flussi.Actor{ID: "a.bianchi", Roles: []flussi.Role{flussi.AdminAssistant}}
	principal := flussi.Actor{ID: "p.russo", Roles: []flussi.Role{flussi.Principal}}
	e, err := p.CreateEvent(ctx, assistant, pagoinrete.Fee, "RMIC8GA002", journey()) // Non trasmesso a Pago in Rete
	if err == nil {
		e, err = p.TransmitEvent(ctx, assistant, e.ID) // Simulato
	}
	if err == nil {
		_, err = p.AddNotices(ctx, assistant, e.ID, pupils(), pagoinrete.AddConfig{}) // a notice for each instalment of each pupil
	}
	if err == nil {
		_, err = p.TransmitNotices(ctx, assistant, e.ID) // Non pagato (Non notificato)
	}
	if err == nil {
		e, err = p.SubmitEvent(ctx, assistant, e.ID) // Da approvare
	}
	if err == nil {
		e, err = p.ApproveEvent(ctx, principal, e.ID) // Da notificare
	}
	if err == nil {
		e, err = p.NotifyEvent(ctx, assistant, e.ID) // Notificato
	}
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}

	server.LogIn(code("RSSGNN80A01H501N")) // a parent, who sees the notices and pays the first
	for n, err := range p.AllNotices(ctx, assistant, pagoinrete.NoticeFilter{Event: e.ID}) {
		if err == nil && n.Payer == code("RSSGNN80A01H501N") && n.Instalment == 1 {
			server.Pay(n.ID, n.Due())
		}
	}
	e, report, err := p.VerifyEvent(ctx, assistant, e.ID)
	fmt.Println(e.State.Label(), "da pagare:", e.Counts.Unpaid, "pagati:", e.Counts.Paid)
	fmt.Println(report.Changed, err)
	// Output:
	// Notificato da pagare: 3 pagati: 1
	// 2 <nil>
}

// journey is what the office writes about the event: a fee in two instalments.
func journey() pagoinrete.EventData {
	first, _ := flussi.EndOfDay(2027, time.March, 31)
	second, _ := flussi.EndOfDay(2027, time.May, 31)
	return pagoinrete.EventData{
		Name: "Viaggio a Firenze", Causale: "Viaggio a Firenze classi seconde", SchoolYear: 2026, FinancialYear: 2027,
		Account: "IT60X0542811101000000123456", Amount: 150_00,
		Instalments: []pagoinrete.Instalment{{DueDate: first, Amount: 100_00}, {DueDate: second, Amount: 50_00}},
	}
}

// pupils are the rows of the notices: one for each pupil.
func pupils() iter.Seq2[pagoinrete.NoticeRow, error] {
	return pagoinrete.NoticeDraftRows(
		pagoinrete.NoticeDraft{Debtor: code("RSSMRA14A41H501J"), DebtorName: flussi.NewText("Rossi Maria"), Payer: code("RSSGNN80A01H501N")},
		pagoinrete.NoticeDraft{Debtor: code("VRDLCU14C12H501B"), DebtorName: flussi.NewText("Verdi Luca"), Payer: code("VRDPLA82B45H501H")},
	)
}

// code is a fiscal code that is right.
func code(s string) flussi.FiscalCode {
	c, err := flussi.ParseFiscalCode(s)
	if err != nil {
		panic(err)
	}
	return c
}

// By itself, an event knows which step may follow which, and who may take it. A [pagoinrete.Service]
// does more with it: it looks at the notices, asks Pago In Rete, and stores what was done.
func ExampleEvent_Fire() {
	ctx := context.Background()
	assistant := flussi.Actor{ID: "a.bianchi", Roles: []flussi.Role{flussi.AdminAssistant}}
	principal := flussi.Actor{ID: "p.russo", Roles: []flussi.Role{flussi.Principal}}

	e, err := pagoinrete.NewEvent(pagoinrete.Fee, "RMIC8GA002", assistant)
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	for _, action := range []pagoinrete.EventAction{pagoinrete.EventSave, pagoinrete.EventTransmit, pagoinrete.EventSubmit} {
		if err := e.Fire(ctx, action, assistant); err != nil {
			fmt.Println(flussi.Explain(err))
			return
		}
		fmt.Println(e.State.Label())
	}
	err = e.Fire(ctx, pagoinrete.EventApprove, assistant)
	fmt.Println(flussi.Explain(err))
	err = e.Fire(ctx, pagoinrete.EventApprove, principal)
	fmt.Println(e.State.Label(), err)
	// Output:
	// Non trasmesso a Pago in Rete
	// Simulato
	// Da approvare
	// L'azione «Approva l'evento di pagamento su Pago in Rete» è riservata al ruolo «DS».
	// Da notificare <nil>
}

// One state, three audiences.
func ExampleNoticeState_Labels() {
	labels := pagoinrete.NoticeAwaitingReceipt.Labels()
	fmt.Println(labels.Macro)
	fmt.Println(labels.School)
	fmt.Println(labels.Family)
	// Output:
	// Non pagato
	// Non pagato (RPT inviata in attesa di RT)
	// In attesa di ricevuta
}
