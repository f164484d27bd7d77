package flowexcel_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowexcel"
	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/internal/exceltest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/sampletest"
)

const taxes = "tributi"

var (
	operator = flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}
	another  = flussi.Actor{ID: "a.verdi", Roles: []flussi.Role{flussi.Operator}}
)

// world is a service on a store in memory.
type world struct {
	*flow.Service
	store flow.Store
	flow  flow.Flow // of the notifications of seed
}

func newWorld(t testing.TB) *world {
	t.Helper()
	store := memstore.New()
	nobody := func(context.Context, string) (flow.Sender, error) { return nil, errors.New("nothing is sent here") }
	service := must.Get(flow.NewService(store, flow.Permissions{operator.ID: {taxes}, another.ID: {taxes}}, nobody, flow.ServiceConfig{}))(t)
	f := must.Get(service.CreateFlow(t.Context(), operator, taxes, flow.Details{}))(t)
	return &world{service, store, f}
}

// seed stores a notification of the flow in whatever state it is made to have.
func (w *world) seed(t testing.TB, n int, change func(*flow.Notification)) flow.Notification {
	t.Helper()
	made := must.Get(flow.NewNotification(taxes, citizen(n), operator))(t)
	made.FlowID, made.Draft = w.flow.ID, draft(n)
	if change != nil {
		change(&made)
	}
	record := flow.NotificationRecord{At: made.CreatedAt, By: operator.ID, Action: flow.NotificationCreate, To: made.State}
	require.NoError(t, w.store.SaveNotifications(t.Context(), flow.NotificationChange{Notification: made, Record: record}))
	return w.get(t, made.ID)
}

// failed makes a notification one in Errore.
func failed(code flow.ErrorCode) func(*flow.Notification) {
	return func(n *flow.Notification) {
		n.State = flow.NotificationFailed
		n.Transmission = flow.Transmission{Attempts: 1, ErrorCode: code, Error: code.Italian()}
	}
}

func refused(n *flow.Notification) { failed(flow.CodeRefused)(n) }

func sent(n *flow.Notification) {
	n.State = flow.NotificationSent
	n.Transmission = flow.Transmission{MessageID: "01JN6Q5CZ3VGTA4X4QJEFR95C1", Attempts: 1, SentAt: time.Date(2025, 2, 28, 16, 45, 17, 0, time.UTC)}
}

func (w *world) get(t testing.TB, id uuid.UUID) flow.Notification {
	t.Helper()
	return must.Get(w.store.Notification(t.Context(), id))(t)
}

func (w *world) export(t testing.TB) []byte {
	t.Helper()
	return export(t, w.AllNotifications(t.Context(), operator, flow.NotificationFilter{Flow: w.flow.ID}))
}

func export(t testing.TB, notifications iter.Seq2[flow.Notification, error]) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, template(t).Export(t.Context(), &b, notifications))
	return b.Bytes()
}

func template(t testing.TB) *flowexcel.Template {
	t.Helper()
	return must.Get(flowexcel.New(flowexcel.Config{}))(t)
}

// imports are the imports of a template.
func imports(t testing.TB) exceltest.Workbook[flow.Row] { return importsOf(template(t)) }

func importsOf(tpl *flowexcel.Template) exceltest.Workbook[flow.Row] {
	return exceltest.Of(tpl, func(r flow.Row) int { return r.Number },
		func(r flussi.ImportReport) flow.AddReport { return flow.AddReport{ImportReport: r} })
}

// edited is an export in which the operator changed some cells.
func (w *world) edited(t testing.TB, cells map[string]any) []byte {
	t.Helper()
	return exceltest.Edit(t, w.export(t), cells)
}

// correct gives a file with corrections back.
func (w *world) correct(t testing.TB, file []byte, c flowexcel.CorrectConfig) (flowexcel.CorrectReport, error) {
	t.Helper()
	return correct(t, template(t), w.Service, file, c)
}

// corrects is correct for corrections that have to be accepted, with one config at most.
func (w *world) corrects(t testing.TB, file []byte, config ...flowexcel.CorrectConfig) flowexcel.CorrectReport {
	t.Helper()
	report, err := correct(t, template(t), w.Service, file, config...)
	require.NoError(t, err, report.Italian(0))
	return report
}

// correct gives a file with corrections to a service, with one config at most.
func correct(t testing.TB, tpl *flowexcel.Template, service flowexcel.Service, file []byte, config ...flowexcel.CorrectConfig) (flowexcel.CorrectReport, error) {
	t.Helper()
	var c flowexcel.CorrectConfig
	if len(config) > 0 {
		c = config[0]
	}
	return tpl.Correct(t.Context(), service, operator, bytes.NewReader(file), int64(len(file)), c)
}

// rowsOf reads a file with rows to import.
func rowsOf(t testing.TB, tpl *flowexcel.Template, file []byte, report *excel.Report) iter.Seq2[flow.Row, error] {
	t.Helper()
	return tpl.Rows(t.Context(), bytes.NewReader(file), int64(len(file)), report)
}

// add imports rows into a flow.
func (w *world) add(t testing.TB, id uuid.UUID, rows iter.Seq2[flow.Row, error], c flow.AddConfig) (flow.AddReport, error) {
	t.Helper()
	return w.AddNotifications(t.Context(), operator, id, rows, c)
}

// column returns the letters of a column of an export.
func column(t testing.TB, header string) string {
	t.Helper()
	return exceltest.Column(t, exportHeaders, header)
}

var importHeaders = []string{"Codice fiscale", "Oggetto", "Contenuto", "Scadenza", "Somma", "Numero avviso", "Ente creditore", "Paga dopo la scadenza", "Riferimento", "Occasione"}

var exportHeaders = append(slices.Clone(importHeaders), "UUID", "Stato", "Errore", "Risposta della piattaforma", "ID Consegna App.IO", "Tentativi Invio", "Data invio",
	"Stato Consegna", "Stato Mail", "Stato Push", "Utente mod.", "Data mod.", "Dis.", "Versione")

func citizen(n int) flussi.FiscalCode { return sampletest.FiscalCode(n) }

var letter = strings.Repeat("Contenuto riservato al cittadino. ", 4)

// draft returns a valid draft for the nth citizen: every second is a payment.
func draft(n int) flow.Draft {
	d := flow.Draft{
		Recipient: citizen(n), Subject: flussi.NewText(fmt.Sprintf("Oggetto riservato %06d", n)),
		Content: flussi.NewText(letter + "\nSeconda riga."), Reference: fmt.Sprintf("TARI-%d", n),
	}
	if n%2 == 0 {
		d.IsPayment, d.Amount, d.NoticeNumber, d.PayableAfterDue = true, flussi.Cents(1234+n), sampletest.NoticeNumber(n), n%4 == 0
		d.Payee, _ = flussi.ParseOrganizationCode("80185250588")
		d.DueDate, _ = flussi.EndOfDay(2099, time.June, 1+n%28)
	}
	return d
}
