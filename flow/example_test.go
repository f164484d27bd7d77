package flow_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/memstore"
)

// platform starts a simulated App IO for the examples, with a service and what talks to it.
func platform() (*appiotest.Server, flow.SenderFor) {
	server := appiotest.NewServer(appiotest.Config{})
	server.AddService(appiotest.Service{ID: "tributi", Key: "a-key"})
	key, _ := flussi.ParseKey("a-key")
	client, _ := appio.New(key, appio.Config{BaseURL: server.URL})
	return server, func(context.Context, string) (flow.Sender, error) { return client, nil }
}

// office is what the examples share: a service and a dispatcher on one store, with App IO simulated.
type office struct {
	*flow.Service
	*flow.Dispatcher
	server   *appiotest.Server
	operator flussi.Actor
}

// newOffice opens one, with one config at most.
func newOffice(config ...flow.DispatcherConfig) *office {
	server, senders := platform()
	store := memstore.New()
	service, _ := flow.NewService(store, flow.Permissions{"m.neri": {"tributi"}}, senders, flow.ServiceConfig{})
	dispatcher, _ := flow.NewDispatcher(store, senders, append(config, flow.DispatcherConfig{})[0])
	return &office{service, dispatcher, server, flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}}
}

// sends takes a flow to its end.
func (o *office) sends(f flow.Flow) flow.Flow {
	ctx := context.Background()
	f, _ = o.ActivateFlow(ctx, o.operator, f.ID)
	f, _ = o.SendFlow(ctx, o.operator, f.ID)
	f, err := o.Run(ctx, f.ID)
	if err != nil {
		fmt.Println(flussi.Explain(err))
	}
	return f
}

func letter(code string) flow.Draft {
	to, err := flussi.ParseFiscalCode(code)
	if err != nil {
		panic(err)
	}
	return flow.Draft{
		Recipient: to,
		Subject:   flussi.NewText("Scadenza della TARI"),
		Content:   flussi.NewText(strings.Repeat("La prima rata della TARI scade il 16 giugno. ", 3)),
	}
}

// Compose a flow and send it.
func Example() {
	ctx := context.Background()
	server, senders := platform()
	defer server.Close()
	store := memstore.New()
	operator := flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}
	service, err := flow.NewService(store, flow.Permissions{"m.neri": {"tributi"}}, senders, flow.ServiceConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	dispatcher, err := flow.NewDispatcher(store, senders, flow.DispatcherConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}

	rows := flow.DraftRows(letter("AAAAAA00A00A000A"), letter("MSCMHL68P18H211K"), letter("RSSMRA80A01H501U"))
	f, report, err := service.ImportFlow(ctx, operator, "tributi", flow.Details{Note: flussi.NewText("TARI 2026")}, rows, flow.AddConfig{})
	for _, wrong := range report.Errors {
		fmt.Println(wrong.Italian())
	}
	if err == nil {
		_, err = service.ActivateFlow(ctx, operator, f.ID)
	}
	if err == nil {
		_, err = service.SendFlow(ctx, operator, f.ID)
	}
	if err == nil {
		f, err = dispatcher.Run(ctx, f.ID)
	}
	fmt.Println(f.State.Label(), f.Counts.Sent, "di", f.Counts.Total(), err)
	// Output:
	// Inviato 3 di 3 <nil>
}

// A draft that is wrong is refused with all its rows, and nothing is stored.
func ExampleService_AddNotifications() {
	ctx, o := context.Background(), newOffice()
	defer o.server.Close()
	f, _ := o.CreateFlow(ctx, o.operator, "tributi", flow.Details{})

	short := letter("AAAAAA00A00A000A")
	short.Content = flussi.NewText("Troppo breve.")
	rows := flow.DraftRows(letter("MSCMHL68P18H211K"), short, letter("MSCMHL68P18H211K"))
	report, err := o.AddNotifications(ctx, o.operator, f.ID, rows, flow.AddConfig{})
	for _, wrong := range report.Errors {
		fmt.Println(wrong.Italian())
	}
	fmt.Println(errors.Is(err, flussi.ErrRows), flussi.Explain(err))
	// Output:
	// Riga 2: Il contenuto ha 13 caratteri: devono essere da 120 a 10.000.
	// Riga 3: Doppione: lo stesso messaggio per lo stesso cittadino è già alla riga 1. Togliere una delle due righe; se il cittadino deve ricevere due messaggi, indicare un'occasione diversa.
	// true 2 righe con errori su 3: nessuna notifica è stata importata.
}

// A flow and its notifications are there together, or not at all.
func ExampleService_ImportFlow() {
	ctx, o := context.Background(), newOffice()
	defer o.server.Close()

	note := flow.Details{Note: flussi.NewText("TARI 2026")}
	short := letter("AAAAAA00A00A000A")
	short.Content = flussi.NewText("Troppo breve.")
	_, report, err := o.ImportFlow(ctx, o.operator, "tributi", note, flow.DraftRows(letter("MSCMHL68P18H211K"), short), flow.AddConfig{})
	fmt.Println(report.Invalid, flussi.Explain(err))
	f, report, err := o.ImportFlow(ctx, o.operator, "tributi", note, flow.DraftRows(letter("MSCMHL68P18H211K")), flow.AddConfig{})
	fmt.Println(f.State.Label(), report.Added, err)
	flows, err := o.Flows(ctx, o.operator, flow.FlowFilter{}, flow.Page{})
	fmt.Println(len(flows.Flows), err)
	// Output:
	// 1 1 riga con errori su 2: nessuna notifica è stata importata.
	// Inattivo 1 <nil>
	// 1 <nil>
}

// Count submissions by their outcome. Program examples/metrics has all that can be observed.
func ExampleObserver() {
	var mu sync.Mutex
	submissions := map[flow.SubmissionOutcome]int{}
	ctx, o := context.Background(), newOffice(flow.DispatcherConfig{Observer: flow.Observer{
		SubmissionEnded: func(_ context.Context, _ flow.Submission, r flow.SubmissionResult) {
			mu.Lock()
			defer mu.Unlock()
			submissions[r.Outcome]++
		},
	}})
	defer o.server.Close()
	o.server.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.Unprocessable})
	rows := flow.DraftRows(letter("AAAAAA00A00A000A"), letter("MSCMHL68P18H211K"), letter("RSSMRA80A01H501U"))
	f, _, _ := o.ImportFlow(ctx, o.operator, "tributi", flow.Details{}, rows, flow.AddConfig{})
	o.sends(f)
	fmt.Println(submissions)
	// Output:
	// map[accepted:2 refused:1]
}

// After the sending, the platform is asked what became of the messages; what was rejected is
// corrected and sent again.
func ExampleService_VerifyFlow() {
	ctx, o := context.Background(), newOffice()
	defer o.server.Close()

	wrong, right := letter("RSSMRA80A01H501U"), letter("MSCMHL68P18H211K")
	o.server.AddCitizen(appiotest.Citizen{Code: wrong.Recipient, Absent: true})
	f, _, _ := o.ImportFlow(ctx, o.operator, "tributi", flow.Details{}, flow.DraftRows(letter("AAAAAA00A00A000A"), wrong), flow.AddConfig{})
	f = o.sends(f)
	fmt.Println(f.State.Label())

	report, _ := o.VerifyFlow(ctx, o.operator, f.ID)
	f, _ = o.Flow(ctx, o.operator, f.ID)
	fmt.Println(f.State.Label(), report.Final, report.Rejected)

	failed := flow.NotificationFilter{Flow: f.ID, States: []flow.NotificationState{flow.NotificationFailed}}
	for n, err := range o.AllNotifications(ctx, o.operator, failed) {
		if err != nil {
			fmt.Println(flussi.Explain(err))
			return
		}
		fmt.Println(n.Transmission.Error)
		n, _ = o.EditNotification(ctx, o.operator, n.ID, n.Version, right)
		_, _ = o.RegisterNotification(ctx, o.operator, n.ID)
	}
	_, _ = o.SendFlow(ctx, o.operator, f.ID)
	f, _ = o.Run(ctx, f.ID)
	fmt.Println(f.State.Label())
	// Output:
	// Inviato
	// Invio incompleto 1 1
	// Il cittadino non è su App IO o ha disattivato i messaggi del servizio: il messaggio non è arrivato. Avvisare il cittadino con un altro canale.
	// Inviato
}

// One notification, outside any flow, sent at once.
func ExampleService_SendNewNotification() {
	ctx, o := context.Background(), newOffice()
	defer o.server.Close()

	n, err := o.SendNewNotification(ctx, o.operator, "tributi", letter("AAAAAA00A00A000A"), flow.SendNewConfig{})
	fmt.Println(n.State.Label(), n.Transmission.Attempts, err)
	_, err = o.SendNewNotification(ctx, o.operator, "tributi", letter("AAAAAA00A00A000A"), flow.SendNewConfig{})
	fmt.Println(errors.Is(err, flussi.ErrDuplicate), len(o.server.Deliveries()))
	// Output:
	// Inviato 1 <nil>
	// true 1
}

// The platform does not answer: nobody knows whether the message arrived, and an operator
// decides.
func ExampleService_ResendNotification() {
	ctx, o := context.Background(), newOffice()
	defer o.server.Close()

	o.server.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.BadGateway})
	n, err := o.SendNewNotification(ctx, o.operator, "tributi", letter("AAAAAA00A00A000A"), flow.SendNewConfig{})
	fmt.Println(n.State.Label(), n.Transmission.ErrorCode, errors.Is(err, flussi.ErrOutcomeUnknown))
	for _, action := range n.Allowed(o.operator.Roles...) {
		fmt.Println("·", action.Label())
	}
	_, err = o.ResendNotification(ctx, o.operator, n.ID, "Il cittadino ha telefonato: non l'ha ricevuto.")
	if err == nil {
		n, err = o.SendNotification(ctx, o.operator, n.ID)
	}
	fmt.Println(n.State.Label(), err)

	history, _ := o.NotificationHistory(ctx, o.operator, n.ID)
	for _, record := range history {
		fmt.Printf("%d %s: %s\n", record.Version, record.By, record.Action.Label())
	}
	// Output:
	// Errore outcome_unknown true
	// · Conferma come inviata
	// · Invia di nuovo, anche se forse già arrivata
	// · Disabilita
	// Inviato <nil>
	// 1 m.neri: Nuovo
	// 2 m.neri: Presa in carico
	// 3 m.neri: Esito negativo o sconosciuto
	// 4 m.neri: Invia di nuovo, anche se forse già arrivata
	// 5 m.neri: Presa in carico
	// 6 m.neri: Accettazione da parte di App IO
}

// downStore is a store of an integration test: it is memstore but for what the test is
// about.
type downStore struct {
	flow.Store
}

var errDown = errors.New("database down")

func (downStore) Flows(context.Context, flow.FlowFilter, flow.Page) ([]flow.Flow, error) {
	return nil, errDown
}

// In a test of your own service, embed a store that works and replace what you want to see
// fail.
func ExampleStore() {
	nobody := func(context.Context, string) (flow.Sender, error) { return nil, errors.New("nothing is sent here") }
	operator := flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}
	service, _ := flow.NewService(downStore{memstore.New()}, flow.Permissions{"m.neri": {"tributi"}}, nobody, flow.ServiceConfig{})
	_, err := service.Flows(context.Background(), operator, flow.FlowFilter{}, flow.Page{})
	fmt.Println(errors.Is(err, errDown), err)
	// Output:
	// true flow: list flows: database down
}

// Search for what was sent this year, page by page.
func ExampleService_Flows() {
	ctx, o := context.Background(), newOffice()
	defer o.server.Close()
	for _, note := range []string{"TARI", "IMU", "TARI, secondo invio"} {
		_, _ = o.CreateFlow(ctx, o.operator, "tributi", flow.Details{Note: flussi.NewText(note)})
	}

	filter := flow.FlowFilter{Text: "tari", From: time.Now().AddDate(0, -1, 0)}
	for page := (flow.Page{Limit: 1}); ; {
		found, err := o.Flows(ctx, o.operator, filter, page)
		if err != nil {
			fmt.Println(flussi.Explain(err))
			return
		}
		for _, f := range found.Flows {
			fmt.Println(f.State.Label(), f.Note.Reveal())
		}
		if page.After = found.Next; page.After.IsZero() {
			break
		}
	}
	// Output:
	// Inattivo TARI, secondo invio
	// Inattivo TARI
}

// What may happen to a flow is in a table; a refusal says what is possible instead.
func ExampleFlow_Fire() {
	operator := flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}
	f := flow.Flow{State: flow.FlowActive}
	for _, action := range f.Allowed(operator.Roles...) {
		fmt.Println("·", action.Label())
	}
	err := f.Fire(context.Background(), flow.FlowImport, operator)
	fmt.Println(flussi.Explain(err))
	// Output:
	// · Riporta a Inattivo
	// · Invia Flusso
	// · Programma Invio
	// · Aggiorna
	// · Disabilita
	// L'azione «Importa da File Excel» non è possibile nello stato «Attivo». Azioni possibili: «Riporta a Inattivo», «Invia Flusso», «Programma Invio», «Aggiorna» e «Disabilita».
}

// A notification in error is set back by the operator, never by the system.
func ExampleNotification_Fire() {
	n := flow.Notification{State: flow.NotificationFailed, Transmission: flow.Transmission{ErrorCode: flow.CodeRefused}}
	err := n.Fire(context.Background(), flow.NotificationRegister, flussi.Actor{ID: "dispatcher", Roles: []flussi.Role{flussi.System}})
	fmt.Println(flussi.Explain(err))
	err = n.Fire(context.Background(), flow.NotificationRegister, flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}})
	fmt.Println(n.State.Label(), err)
	// Output:
	// L'azione «Riporta a Registrato» è riservata al ruolo «operatore».
	// Registrato <nil>
}

// phone is a sender of a test: it keeps what it is told to send, and answers as it is
// told to.
type phone struct {
	sent   []appio.Message
	answer error
}

func (p *phone) Submit(_ context.Context, m appio.Message) (appio.Receipt, error) {
	if p.answer != nil {
		return appio.Receipt{}, p.answer
	}
	p.sent = append(p.sent, m)
	return appio.Receipt{ID: "01JN6Q5CZ3VGTA4X4QJEFR95C1", Attempts: 1}, nil
}

func (p *phone) Message(context.Context, flussi.FiscalCode, appio.MessageID) (appio.MessageState, error) {
	return appio.MessageState{Status: appio.StatusProcessed}, nil
}

func (p *phone) Profile(context.Context, flussi.FiscalCode) (appio.Profile, error) {
	return appio.Profile{SenderAllowed: true}, nil
}

// In a test of your own service, a sender without any network. What its errors mean for
// the message, their Outcome says.
func ExampleSender() {
	ctx := context.Background()
	fake := &phone{}
	senders := func(context.Context, string) (flow.Sender, error) { return fake, nil }
	operator := flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}
	service, _ := flow.NewService(memstore.New(), flow.Permissions{"m.neri": {"tributi"}}, senders, flow.ServiceConfig{})

	fake.answer = &flussi.RemoteError{Platform: "App IO", Kind: flussi.ErrUnavailable, Outcome: flussi.OutcomeNotDone}
	n, err := service.SendNewNotification(ctx, operator, "tributi", letter("AAAAAA00A00A000A"), flow.SendNewConfig{})
	fmt.Println(n.State.Label(), flussi.Explain(err))
	fake.answer = nil
	n, err = service.SendNotification(ctx, operator, n.ID)
	fmt.Println(n.State.Label(), len(fake.sent), err)
	// Output:
	// Registrato App IO non è raggiungibile o non funziona: riprovare più tardi.
	// Inviato 1 <nil>
}

// Rows that come from somewhere else: what cannot be read is an error in its place.
func ExampleRow() {
	ctx, o := context.Background(), newOffice()
	defer o.server.Close()
	f, _ := o.CreateFlow(ctx, o.operator, "tributi", flow.Details{})

	codes := []string{"MSCMHL68P18H211K", "MSCMHL68P18H21", "AAAAAA00A00A000A"}
	rows := func(yield func(flow.Row, error) bool) {
		for i, code := range codes {
			row := flow.Row{Number: i + 2, Draft: letter("AAAAAA00A00A000A")} // below the header
			to, err := flussi.ReadFiscalCode(code, flussi.Lenient)
			row.Draft.Recipient = to.Value
			if !yield(row, err) {
				return
			}
		}
	}
	report, err := o.AddNotifications(ctx, o.operator, f.ID, rows, flow.AddConfig{SkipInvalid: true})
	for _, wrong := range report.Errors {
		fmt.Println(wrong.Italian())
	}
	fmt.Println(report.Added, err)
	// Output:
	// Riga 3: Il codice fiscale deve avere 16 caratteri fra lettere e cifre, questo ne ha 14.
	// 2 <nil>
}

// A program that sends whatever is ordered, until it is told to end.
func ExampleDispatcher_Serve() {
	o := newOffice()
	defer o.server.Close()
	ctx, stop := context.WithCancel(context.Background()) // such as signal.NotifyContext
	ended := make(chan error)
	go func() { ended <- o.Serve(ctx) }()

	f, _, _ := o.ImportFlow(ctx, o.operator, "tributi", flow.Details{}, flow.DraftRows(letter("AAAAAA00A00A000A")), flow.AddConfig{})
	_, _ = o.ActivateFlow(ctx, o.operator, f.ID)
	_, _ = o.SendFlow(ctx, o.operator, f.ID)
	for now, err := range o.Watch(ctx, o.operator, f.ID) {
		if err != nil || now.Done {
			fmt.Println(now.Flow.State.Label(), err)
		}
	}
	stop()
	fmt.Println(<-ended)
	// Output:
	// Inviato <nil>
	// <nil>
}

// An operator orders a sending for later; the program that serves begins it then.
func ExampleService_ScheduleFlow() {
	o := newOffice(flow.DispatcherConfig{PollInterval: 10 * time.Millisecond})
	defer o.server.Close()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- o.Serve(ctx) }()

	f, _, _ := o.ImportFlow(ctx, o.operator, "tributi", flow.Details{}, flow.DraftRows(letter("AAAAAA00A00A000A")), flow.AddConfig{})
	_, _ = o.ActivateFlow(ctx, o.operator, f.ID)
	_, err := flussi.LocalTime(2026, time.October, 25, 2, 30) // what the operator typed
	fmt.Println(flussi.Explain(err))
	at := time.Now().Add(100 * time.Millisecond) // another time
	f, err = o.ScheduleFlow(ctx, o.operator, f.ID, at)
	fmt.Println(f.State.Label(), f.ScheduledBy, err)
	for now, err := range o.Watch(ctx, o.operator, f.ID) {
		if err != nil || now.Done {
			fmt.Println(now.Flow.State.Label(), err)
		}
	}
	stop()
	fmt.Println(<-ended)
	// Output:
	// L'ora del 25/10/2026 alle 02:30 c'è due volte: quella notte finisce l'ora legale. Indicare un'altra ora.
	// Attivo m.neri <nil>
	// Inviato <nil>
	// <nil>
}

// Before a flow is sent, its recipients are checked; a program that stops goes on from the cursor.
func ExampleService_CheckRecipients() {
	ctx := context.Background()
	o := newOffice()
	defer o.server.Close()
	absent, _ := flussi.ParseFiscalCode("AAAAAA00A00A000A")
	o.server.AddCitizen(appiotest.Citizen{Code: absent, Absent: true})
	rows := flow.DraftRows(letter("AAAAAA00A00A000A"), letter("RSSMRA80A01H501U"))
	f, _, _ := o.ImportFlow(ctx, o.operator, "tributi", flow.Details{}, rows, flow.AddConfig{})

	var done flow.Cursor // kept by the program
	for r, err := range o.CheckRecipients(ctx, o.operator, f.ID, done) {
		if err != nil {
			fmt.Println(flussi.Explain(err))
			break
		}
		fmt.Println(r.Notification.Recipient.String(), r.Reachability.Label(), r.Languages)
		done = r.Notification.Cursor()
	}
	// Output:
	// FiscalCode(***) Non è su App IO []
	// FiscalCode(***) Raggiungibile [it_IT]
}
