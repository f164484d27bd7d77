package noticeflow_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/noticeflow"
)

func TestMessageTellsThePayerWhatIsDue(t *testing.T) {
	w := newWorld(t, nil)
	n := w.seed(t, 1, nil)
	payee := must.Get(flussi.ParseOrganizationCode("80185250588"))(t)
	rows, wrong, report := w.rows(t, noticeflow.Config{Subject: "Da pagare: {{.Evento}}", Payee: payee})
	require.Empty(t, wrong)
	require.Len(t, rows, 1)
	content := rows[0].Draft.Content
	rows[0].Draft.Content = flussi.Text{}
	assert.Equal(t, flow.Row{Number: 1, Draft: flow.Draft{
		Recipient: n.Payer, Subject: flussi.NewText("Da pagare: Viaggio a Firenze"), DueDate: w.event.Instalments[1].DueDate,
		Amount: 2_500, IsPayment: true, PayableAfterDue: true, NoticeNumber: n.Number, Payee: payee, Reference: n.ID.String(),
	}}, rows[0])
	assert.Equal(t, `L'istituzione scolastica RMIC8GA002 ha emesso un avviso di pagamento.

**Viaggio a Firenze** (anno scolastico 2098/2099)

- Alunno/a: S. S.
- Causale: Viaggio di istruzione a Firenze
- Rata: 2 di 3
- Importo: 25,00 €
- Scadenza: 30/04/2099

L'avviso si può pagare direttamente da questo messaggio. Se il pagamento è già stato fatto, non serve fare altro.`, content.Reveal())
	assert.Equal(t, noticeflow.Report{Notices: 1, Rows: 1}, report)
}

func TestStaffAreWrittenToThemselves(t *testing.T) {
	w := newWorld(t, nil)
	n := w.seed(t, 1, func(n *pagoinrete.Notice) { n.DebtorKind = pagoinrete.DebtorStaff })
	d := w.draft(t, noticeflow.Config{})
	assert.Equal(t, n.Debtor, d.Recipient, "not the payer")
	assert.Contains(t, d.Content.Reveal(), "un avviso di pagamento a Suo nome.")
}

func TestBindingDueDateIsBindingInTheMessage(t *testing.T) {
	w := newWorld(t, func(e *pagoinrete.Event) { e.Binding = true })
	w.seed(t, 1, nil)
	d := w.draft(t, noticeflow.Config{})
	assert.False(t, d.PayableAfterDue)
	assert.True(t, d.Message().Payment.InvalidAfterDueDate)
	assert.Contains(t, d.Content.Reveal(), "dopo la scadenza non sarà più possibile")
}

// Whoever has nothing to pay is not written to.
func TestOnlyUnpaidNoticesHaveMessages(t *testing.T) {
	w := newWorld(t, nil)
	for i, state := range []pagoinrete.NoticeState{
		pagoinrete.NoticeNotified, pagoinrete.NoticeNotNotified, pagoinrete.NoticeAwaitingReceipt, pagoinrete.NoticePaidOnline, pagoinrete.NoticePaidManually,
		pagoinrete.NoticeConfirmed, pagoinrete.NoticeReconciled, pagoinrete.NoticeReconciledManually, pagoinrete.NoticeCancelled, pagoinrete.NoticeRefunded, "frozen",
	} {
		w.seed(t, i+1, in(state))
	}
	w.seed(t, 12, func(n *pagoinrete.Notice) { n.Instalment = 3 })
	for name, c := range map[string]struct {
		config  noticeflow.Config
		numbers []int
		report  noticeflow.Report
	}{
		"by default":            {noticeflow.Config{}, []int{1, 12}, noticeflow.Report{Notices: 12, Rows: 2, NotDue: 8, PaymentPending: 1, NotNotified: 1}},
		"also the not notified": {noticeflow.Config{NotNotified: true}, []int{1, 2, 12}, noticeflow.Report{Notices: 12, Rows: 3, NotDue: 8, PaymentPending: 1}},
		"of an instalment":      {noticeflow.Config{Instalment: 3}, []int{12}, noticeflow.Report{Notices: 12, Rows: 1, OtherInstalments: 11}},
	} {
		rows, wrong, report := w.rows(t, c.config)
		assert.Empty(t, wrong, name)
		var numbers []int
		for _, row := range rows {
			numbers = append(numbers, row.Number)
		}
		assert.Equal(t, c.numbers, numbers, name)
		assert.Equal(t, c.report, report, name)
	}
}

func TestExpiredNoticesHaveNoMessage(t *testing.T) {
	past := func(n *pagoinrete.Notice) { n.DueDate = time.Now().Add(-time.Minute).UTC() }
	w := newWorld(t, func(e *pagoinrete.Event) { e.Binding = true })
	w.seed(t, 1, past)
	w.seed(t, 2, nil)
	rows, _, report := w.rows(t, noticeflow.Config{})
	assert.Len(t, rows, 1)
	assert.Equal(t, noticeflow.Report{Notices: 2, Rows: 1, Expired: 1}, report)

	w = newWorld(t, nil) // it can be paid late
	w.seed(t, 1, past)
	assert.True(t, w.draft(t, noticeflow.Config{}).PayableAfterDue)
}

func TestReportHasSingularAndPlural(t *testing.T) {
	one := noticeflow.Report{Notices: 6, NotDue: 1, OtherInstalments: 1, PaymentPending: 1, NotNotified: 1, Expired: 1, AlreadyNotified: 1}
	assert.Equal(t, "Avvisi dell'evento: 6. Messaggi preparati: 0.\nAvvisi senza messaggio: 1 ha già un messaggio nel servizio; 1 non è da pagare; "+
		"1 ha un pagamento in corso; 1 non è ancora notificato su Pago In Rete; 1 non si può più pagare, perché la scadenza è passata; 1 è di un'altra rata.\n", one.Italian())
	two := noticeflow.Report{Notices: 12, NotDue: 2, OtherInstalments: 2, PaymentPending: 2, NotNotified: 2, Expired: 2, AlreadyNotified: 2}
	assert.Contains(t, two.Italian(), "2 hanno già un messaggio nel servizio; 2 non sono da pagare; 2 hanno un pagamento in corso; "+
		"2 non sono ancora notificati su Pago In Rete; 2 non si possono più pagare, perché la scadenza è passata; 2 sono di altre rate.")
}

// What a person has to look at is an error at the notice's place.
func TestNoticesWithoutAPayerOrWithADiscrepancyAreErrorsOfTheirRows(t *testing.T) {
	w := newWorld(t, nil)
	w.seed(t, 1, in(pagoinrete.NoticeCancelled))
	lonely := w.seed(t, 2, func(n *pagoinrete.Notice) { n.Payer = flussi.FiscalCode{} })
	w.seed(t, 3, nil)
	odd := w.seed(t, 4, func(n *pagoinrete.Notice) { n.Discrepancy = pagoinrete.Discrepancy{Kind: pagoinrete.DiscrepancyNumber} })
	w.seed(t, 5, func(n *pagoinrete.Notice) {
		n.Discrepancy = pagoinrete.Discrepancy{Kind: pagoinrete.DiscrepancyNumber, Resolved: true}
	})
	rows, wrong, report := w.rows(t, noticeflow.Config{})
	assert.Len(t, rows, 2)
	require.Len(t, wrong, 2)
	require.ErrorIs(t, wrong[2], noticeflow.ErrNoPayer)
	assert.Equal(t, "L'avviso della rata 2 ("+lonely.ID.String()+") non ha un versante a cui scrivere: avvisare la famiglia con un altro canale.", flussi.Explain(wrong[2]))
	require.ErrorIs(t, wrong[4], pagoinrete.ErrDiscrepancy)
	assert.Equal(t, "L'avviso della rata 2 ("+odd.ID.String()+") ha una discrepanza da verificare prima. Su Pago In Rete l'avviso ha un altro numero: verificare quale ha ricevuto chi deve pagare, poi archiviare la discrepanza.", flussi.Explain(wrong[4]))
	var at *noticeflow.NoticeError
	require.ErrorAs(t, wrong[4], &at)
	assert.Equal(t, odd.ID, at.NoticeID)
	assert.Equal(t, noticeflow.Report{Notices: 5, Rows: 4, NotDue: 1}, report)

	_, report, err := w.importAll(t, w.messages(t, noticeflow.Config{}), flow.AddConfig{})
	require.ErrorIs(t, err, flussi.ErrRows)
	assert.Equal(t, []int{2, 4}, []int{report.Added.Errors[0].Row, report.Added.Errors[1].Row})
	assert.Contains(t, report.Italian(), "- Riga 2: L'avviso della rata 2 ("+lonely.ID.String()+") non ha un versante")
	f, report, err := w.importAll(t, w.messages(t, noticeflow.Config{}), flow.AddConfig{SkipInvalid: true, MaxErrors: 1})
	require.NoError(t, err)
	assert.Equal(t, 2, f.Counts.Registered)
	assert.Contains(t, report.Italian(), "Avvisi dell'evento: 5. Messaggi preparati: 2.\nAvvisi senza messaggio: 1 non è da pagare.\n")
	assert.Contains(t, report.Italian(), "- 1 altro avviso con errori.")
}

func TestAnEventThatNobodyCanPayIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*pagoinrete.Event)
		err    error
		says   string
	}{
		"a donation":     {func(e *pagoinrete.Event) { e.Kind = pagoinrete.Donation }, pagoinrete.ErrDonation, "Un'erogazione liberale non ha avvisi di pagamento"},
		"not notified":   {func(e *pagoinrete.Event) { e.State = pagoinrete.EventToNotify }, flussi.ErrState, "L'evento è nello stato «Da notificare»: i messaggi si preparano nello stato «Notificato»."},
		"deleted":        {func(e *pagoinrete.Event) { e.State = pagoinrete.EventDeleted }, flussi.ErrState, "«Cancellato»"},
		"in discrepancy": {func(e *pagoinrete.Event) { e.Discrepancy.Kind = pagoinrete.DiscrepancyMissing }, pagoinrete.ErrDiscrepancy, "Quanto era stato trasmesso non risulta su Pago In Rete"},
	} {
		w := newWorld(t, c.change)
		m := w.messages(t, noticeflow.Config{})
		_, err := m.Rows(t.Context(), assistant, w.event.ID, messageService, nil)
		require.ErrorIs(t, err, c.err, name)
		assert.Contains(t, flussi.Explain(err), c.says, name)
		_, _, err = w.importAll(t, m, flow.AddConfig{})
		require.ErrorIs(t, err, c.err, name)
	}
}

func TestOnlyWhoWorksForTheSchoolAndSendsForTheServiceWrites(t *testing.T) {
	w := newWorld(t, nil)
	w.seed(t, 1, nil)
	m := w.messages(t, noticeflow.Config{})
	_, _, err := m.Import(t.Context(), flussi.Actor{ID: "nobody", Roles: assistant.Roles}, w.event.ID, messageService, flow.Details{}, flow.AddConfig{})
	require.ErrorIs(t, err, flussi.ErrNotFound)
	_, _, err = m.Import(t.Context(), assistant, uuid.New(), messageService, flow.Details{}, flow.AddConfig{})
	require.ErrorIs(t, err, flussi.ErrNotFound)
	_, _, err = m.Import(t.Context(), assistant, w.event.ID, "tributi", flow.Details{}, flow.AddConfig{})
	require.ErrorIs(t, err, flussi.ErrForbidden)
	_, _, err = m.Import(t.Context(), flussi.Actor{ID: assistant.ID, Roles: assistant.Roles[:1]}, w.event.ID, messageService, flow.Details{}, flow.AddConfig{})
	require.Error(t, err)
	assert.Contains(t, flussi.Explain(err), "riservata al ruolo «operatore»")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, must.Err(m.Rows(ended, assistant, w.event.ID, messageService, nil)), context.Canceled)
}

func TestFlowNamesItsEvent(t *testing.T) {
	w := newWorld(t, nil)
	w.seed(t, 1, nil)
	m := w.messages(t, noticeflow.Config{})
	f, report, err := w.importAll(t, m, flow.AddConfig{})
	require.NoError(t, err)
	assert.Equal(t, flow.Details{Note: flussi.NewText("Avvisi di pagamento: Viaggio a Firenze"), AppContext: "Pago In Rete", AppKey: w.event.ID.String()}, f.Details)
	assert.Equal(t, messageService, f.Service)
	assert.Equal(t, flow.FlowInactive, f.State)
	assert.Equal(t, 1, report.Added.Added)
	found := must.Get(w.flows.Flows(t.Context(), assistant, flow.FlowFilter{AppContext: noticeflow.AppContext, AppKey: w.event.ID.String()}, flow.Page{}))(t)
	assert.Len(t, found.Flows, 1)

	details := flow.Details{Note: flussi.NewText("Sollecito"), AppContext: "Segreteria", AppKey: "7"}
	f, _, err = m.Import(t.Context(), assistant, w.event.ID, messageService, details, flow.AddConfig{Occasion: "sollecito"})
	require.NoError(t, err)
	assert.Equal(t, details, f.Details)
}

func TestImportWritesOncePerNotice(t *testing.T) {
	w := newWorld(t, nil)
	for i := range 5 {
		w.seed(t, i+1, nil)
	}
	m := w.messages(t, noticeflow.Config{})
	f, _, err := w.importAll(t, m, flow.AddConfig{})
	require.NoError(t, err)
	require.Len(t, w.notifications(t, f.ID), 5)

	_, report, err := w.importAll(t, m, flow.AddConfig{})
	require.ErrorIs(t, err, flow.ErrNothingToSend)
	assert.Equal(t, noticeflow.Report{Notices: 5, AlreadyNotified: 5}, report)
	assert.Equal(t, "Non ci sono messaggi da preparare. Avvisi senza messaggio: 5 hanno già un messaggio nel servizio.", flussi.Explain(err))

	// Another text, a flow that is set aside, a reference that is lost: it is the same notice.
	must.Get(w.flows.DisableFlow(t.Context(), assistant, f.ID))(t)
	sixth, seventh := w.seed(t, 6, nil), w.seed(t, 7, nil)
	w.seed(t, 8, nil)
	text := flussi.NewText("Un altro testo, che la scuola ha scritto a mano: l'avviso è da pagare entro la scadenza, direttamente da questo messaggio dell'app.")
	add := func(d flow.Draft) {
		_, _, err = w.flows.ImportFlow(t.Context(), assistant, messageService, flow.Details{}, flow.DraftRows(d), flow.AddConfig{})
		require.NoError(t, err)
	}
	add(flow.Draft{Recipient: person(77), Subject: flussi.NewText("Avviso da pagare"), Content: text, IsPayment: true, Amount: 1, NoticeNumber: sixth.Number})
	add(flow.Draft{Recipient: person(78), Subject: flussi.NewText("Avviso da pagare"), Content: text, Reference: seventh.ID.String()})
	rows, _, report := w.rows(t, noticeflow.Config{Subject: "Sollecito: {{.Evento}}"})
	assert.Equal(t, noticeflow.Report{Notices: 8, Rows: 1, AlreadyNotified: 7}, report)
	require.Len(t, rows, 1)
	assert.Equal(t, 8, rows[0].Number)

	// Another service has none of them.
	all := must.Get(m.Rows(t.Context(), assistant, w.event.ID, another, &report))(t)
	assert.Equal(t, 8, report.Rows)
	for range 2 { // more than once
		n := 0
		for range all {
			n++
		}
		assert.Equal(t, 8, n)
	}
}

// A reminder leaves out the notices that have a message of the same occasion, and no others.
func TestReminderWritesOncePerOccasion(t *testing.T) {
	w := newWorld(t, nil)
	for i := range 3 {
		w.seed(t, i+1, nil)
	}
	_, _, err := w.importAll(t, w.messages(t, noticeflow.Config{}), flow.AddConfig{})
	require.NoError(t, err)
	march := w.messages(t, noticeflow.Config{Occasion: " Sollecito\u00a0 marzo"})
	f, report, err := w.importAll(t, march, flow.AddConfig{})
	require.NoError(t, err)
	assert.Equal(t, 3, report.Added.Added)
	assert.Zero(t, report.Added.Disabled)
	for _, n := range w.notifications(t, f.ID) {
		assert.Equal(t, "Sollecito marzo", n.Occasion)
	}
	w.seed(t, 4, nil)
	for _, spelling := range []string{"Sollecito marzo", "sollecito  MARZO", "solle\u00adcito marzo\u200b"} {
		_, _, report := w.rows(t, noticeflow.Config{Occasion: spelling})
		assert.Equal(t, []int{1, 3}, []int{report.Rows, report.AlreadyNotified}, spelling)
	}
	_, report, err = w.importAll(t, march, flow.AddConfig{})
	require.NoError(t, err)
	assert.Equal(t, 1, report.Added.Added, "the notice that is new")
	_, _, err = w.importAll(t, w.messages(t, noticeflow.Config{}), flow.AddConfig{Occasion: "sollecito Marzo"})
	require.ErrorIs(t, err, flow.ErrNothingToSend)
	assert.Equal(t, "Non ci sono messaggi da preparare. Avvisi senza messaggio: 4 hanno già un messaggio per l'occasione «sollecito Marzo».", flussi.Explain(err))
	_, report, err = w.importAll(t, w.messages(t, noticeflow.Config{Occasion: "sollecito aprile"}), flow.AddConfig{Occasion: "sollecito marzo"})
	require.NoError(t, err)
	assert.Equal(t, 4, report.Added.Added, "the configuration comes first")
	_, _, err = w.importAll(t, w.messages(t, noticeflow.Config{}), flow.AddConfig{})
	require.ErrorIs(t, err, flow.ErrNothingToSend, "without an occasion, any message counts")
}

// counting counts what is asked of a service.
type counting struct {
	*flow.Service
	calls int
	from  time.Time
}

func (c *counting) AllNotifications(ctx context.Context, by flussi.Actor, f flow.NotificationFilter) iter.Seq2[flow.Notification, error] {
	c.calls++
	c.from = f.From
	return c.Service.AllNotifications(ctx, by, f)
}

func TestNotificationsAreReadOnceSinceTheFirstNotice(t *testing.T) {
	w := newWorld(t, nil)
	first := w.seed(t, 1, nil)
	for i := range 20 {
		w.seed(t, i+2, func(n *pagoinrete.Notice) { n.CreatedAt = n.CreatedAt.AddDate(0, 0, i) })
	}
	c := &counting{Service: w.flows}
	m := must.Get(noticeflow.New(w.Service, c, noticeflow.Config{}))(t)
	must.Get(m.Rows(t.Context(), assistant, w.event.ID, messageService, nil))(t)
	assert.Equal(t, 1, c.calls)
	assert.True(t, c.from.Before(first.CreatedAt))
	assert.WithinDuration(t, first.CreatedAt, c.from, 25*time.Hour)
}

// failing fails once it has given something.
type failing struct{ *world }

var errDown = errors.New("database down")

func (f failing) AllNotices(context.Context, flussi.Actor, pagoinrete.NoticeFilter) iter.Seq2[pagoinrete.Notice, error] {
	return func(yield func(pagoinrete.Notice, error) bool) {
		if yield(pagoinrete.Notice{State: pagoinrete.NoticeNotified}, nil) {
			yield(pagoinrete.Notice{}, errDown)
		}
	}
}

func (f failing) AllNotifications(context.Context, flussi.Actor, flow.NotificationFilter) iter.Seq2[flow.Notification, error] {
	return func(yield func(flow.Notification, error) bool) { yield(flow.Notification{}, errDown) }
}

func (f failing) ImportFlow(context.Context, flussi.Actor, string, flow.Details, iter.Seq2[flow.Row, error], flow.AddConfig) (flow.Flow, flow.AddReport, error) {
	panic("nothing is stored when the reading failed")
}

func TestNothingIsStoredWhenTheReadingFails(t *testing.T) {
	w := newWorld(t, nil)
	w.seed(t, 1, nil)
	for _, parts := range []struct {
		service noticeflow.NoticeService
		flows   noticeflow.FlowService
	}{{failing{w}, w.flows}, {w.Service, failing{w}}} {
		m := must.Get(noticeflow.New(parts.service, parts.flows, noticeflow.Config{}))(t)
		_, _, err := w.importAll(t, m, flow.AddConfig{SkipInvalid: true})
		require.ErrorIs(t, err, errDown)
	}
}

// Two that do the same at the same moment are told of it.
func TestConcurrentImportsAreReported(t *testing.T) {
	w := newWorld(t, nil)
	w.seed(t, 1, nil)
	m := w.messages(t, noticeflow.Config{})
	early := must.Get(m.Rows(t.Context(), assistant, w.event.ID, messageService, nil))(t)
	_, _, err := w.importAll(t, m, flow.AddConfig{})
	require.NoError(t, err)
	_, added, err := w.flows.ImportFlow(t.Context(), assistant, messageService, flow.Details{}, early, flow.AddConfig{})
	require.NoError(t, err)
	assert.False(t, added.ImportedAt.IsZero())
	report := noticeflow.Report{Notices: 1, Rows: 1, Added: added}
	assert.Contains(t, report.Italian(), "Gli stessi messaggi sono già stati preparati il ")

	for i := range 3 {
		w.seed(t, i+2, nil)
	}
	early = must.Get(m.Rows(t.Context(), assistant, w.event.ID, messageService, nil))(t)
	w.seed(t, 5, nil)
	_, _, err = w.importAll(t, m, flow.AddConfig{})
	require.NoError(t, err)
	f, added, err := w.flows.ImportFlow(t.Context(), assistant, messageService, flow.Details{}, early, flow.AddConfig{MaxErrors: 2})
	require.NoError(t, err)
	assert.Equal(t, flow.Counts{Disabled: 3}, f.Counts)
	report = noticeflow.Report{Notices: 4, Rows: 3, Added: added}
	assert.Contains(t, report.Italian(), "Messaggi preparati: 3.\nMessaggi disabilitati, perché il servizio ha già lo stesso messaggio per lo stesso cittadino: 3. Nessuno lo riceve due volte.\n- Riga 2: Esiste già una notifica uguale")
	assert.Contains(t, report.Italian(), "- 1 altro messaggio che il servizio ha già.\n")
}

func TestAnEventWithoutNoticesSaysSo(t *testing.T) {
	w := newWorld(t, nil)
	_, report, err := w.importAll(t, w.messages(t, noticeflow.Config{}), flow.AddConfig{})
	require.ErrorIs(t, err, flow.ErrNothingToSend)
	assert.Equal(t, "Non ci sono messaggi da preparare. L'evento non ha avvisi.", flussi.Explain(err))
	assert.Equal(t, noticeflow.Report{}, report)
	assert.NotEmpty(t, fmt.Sprint(report.LogValue()))
}
