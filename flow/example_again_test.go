package flow_test

import (
	"context"
	"fmt"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
)

// A reminder with the text of last month's has an occasion. The program of each month can be run
// again: it finds what it imported.
func ExampleAddConfig_occasion() {
	ctx, o := context.Background(), newOffice()
	defer o.server.Close()
	rows := flow.DraftRows(letter("MSCMHL68P18H211K"), letter("RSSMRA80A01H501U"))
	for _, month := range []string{"sollecito gennaio", "sollecito gennaio", "sollecito febbraio"} {
		f, report, err := o.ImportFlow(ctx, o.operator, "tributi", flow.Details{}, rows, flow.AddConfig{Occasion: month})
		if err != nil {
			fmt.Println(flussi.Explain(err))
			return
		}
		if f.Counts.Pending() > 0 {
			f = o.sends(f)
		}
		fmt.Println(month, !report.ImportedAt.IsZero(), f.State.Label(), len(o.server.Deliveries()))
	}
	// Output:
	// sollecito gennaio false Inviato 2
	// sollecito gennaio true Inviato 2
	// sollecito febbraio false Inviato 4
}

// A row whose message the citizen has is stored disabled. An operator who enables it sees that it
// is not sent, and may send it all the same.
func ExampleService_ResendNotification_already() {
	ctx, o := context.Background(), newOffice()
	defer o.server.Close()
	first := flow.DraftRows(letter("MSCMHL68P18H211K"))
	f, _, _ := o.ImportFlow(ctx, o.operator, "tributi", flow.Details{}, first, flow.AddConfig{})
	o.sends(f)

	both := flow.DraftRows(letter("RSSMRA80A01H501U"), letter("MSCMHL68P18H211K"))
	f, report, _ := o.ImportFlow(ctx, o.operator, "tributi", flow.Details{}, both, flow.AddConfig{})
	known := report.Duplicates[0]
	fmt.Println("Riga", known.Row, known.State.Label())
	_, _ = o.EnableNotification(ctx, o.operator, known.NotificationID)
	f = o.sends(f)
	n, _ := o.Notification(ctx, o.operator, known.NotificationID)
	fmt.Println(f.State.Label(), n.State.Label(), n.Transmission.ErrorCode.Label(), n.Transmission.EarlierID == known.EarlierID)

	if _, err := o.ResendNotification(ctx, o.operator, n.ID, "il cittadino l'ha cancellato e lo chiede di nuovo"); err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	n, err := o.SendNotification(ctx, o.operator, n.ID)
	fmt.Println(n.State.Label(), err, len(o.server.Deliveries()))
	// Output:
	// Riga 2 Inviato
	// Invio incompleto Errore Già inviata true
	// Inviato <nil> 3
}

// After an interruption of the platform, one decision resolves all unknown outcomes of a flow.
func ExampleService_ConfirmUnknown() {
	ctx, o := context.Background(), newOffice()
	defer o.server.Close()
	silent := appiotest.Fault{Kind: appiotest.BadGateway, Stored: true}
	o.server.Fail(appiotest.SubmitMessage, silent, silent)
	rows := flow.DraftRows(letter("AAAAAA00A00A000A"), letter("MSCMHL68P18H211K"), letter("RSSMRA80A01H501U"))
	f, _, _ := o.ImportFlow(ctx, o.operator, "tributi", flow.Details{}, rows, flow.AddConfig{})
	f = o.sends(f)
	fmt.Println(f.State.Label(), f.Counts.Sent, f.Counts.Failed)

	of := flow.NotificationFilter{Flow: f.ID, From: time.Now().AddDate(0, 0, -1)}
	report, err := o.ConfirmUnknown(ctx, o.operator, of, "la piattaforma conferma la consegna")
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	f, _ = o.Flow(ctx, o.operator, f.ID)
	fmt.Println(report.Resolved, report.Skipped, f.State.Label(), f.Counts.Sent)
	// Output:
	// Invio incompleto 1 2
	// 2 0 Inviato 3
}

// A job finds the flows that it has to finish: those that it made and whose sending is not over, in
// whatever state the last run left them. One that is Invio incompleto waits for an operator.
func ExampleService_Flows_unfinished() {
	ctx, o := context.Background(), newOffice()
	defer o.server.Close()
	for i, code := range []string{"AAAAAA00A00A000A", "MSCMHL68P18H211K", "RSSMRA80A01H501U"} {
		details := flow.Details{AppContext: "tari", AppKey: fmt.Sprint("2026/", i+1)}
		f, _, _ := o.ImportFlow(ctx, o.operator, "tributi", details, flow.DraftRows(letter(code)), flow.AddConfig{})
		switch i {
		case 0:
			o.sends(f)
		case 1:
			_, _ = o.ActivateFlow(ctx, o.operator, f.ID)
		}
	}

	filter := flow.FlowFilter{
		AppContext: "tari", Disabled: flow.OnlyEnabled,
		States: []flow.FlowState{flow.FlowInactive, flow.FlowActive, flow.FlowSending},
	}
	found, err := o.Flows(ctx, o.operator, filter, flow.Page{OldestFirst: true})
	for _, f := range found.Flows {
		if f.State == flow.FlowSending || f.Counts.Pending() > 0 { // or all its rows are set aside
			fmt.Println(f.AppKey, f.State.Label())
		}
	}
	fmt.Println(err)
	// Output:
	// 2026/2 Attivo
	// 2026/3 Inattivo
	// <nil>
}
