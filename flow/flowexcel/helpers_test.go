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
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowexcel"
	"github.com/flussi-go/flussi/flow/memstore"
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
	service, err := flow.NewService(store, flow.Permissions{operator.ID: {taxes}, another.ID: {taxes}}, nobody, flow.ServiceConfig{})
	require.NoError(t, err)
	f, err := service.CreateFlow(t.Context(), operator, taxes, flow.Details{})
	require.NoError(t, err)
	return &world{service, store, f}
}

// seed stores a notification of the flow in whatever state it is made to have.
func (w *world) seed(t testing.TB, n int, change func(*flow.Notification)) flow.Notification {
	t.Helper()
	made, err := flow.NewNotification(taxes, citizen(n), operator)
	require.NoError(t, err)
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

func sent(n *flow.Notification) {
	n.State = flow.NotificationSent
	n.Transmission = flow.Transmission{MessageID: "01JN6Q5CZ3VGTA4X4QJEFR95C1", Attempts: 1, SentAt: time.Date(2025, 2, 28, 16, 45, 17, 0, time.UTC)}
}

func (w *world) get(t testing.TB, id uuid.UUID) flow.Notification {
	t.Helper()
	n, err := w.store.Notification(t.Context(), id)
	require.NoError(t, err)
	return n
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
	tpl, err := flowexcel.New(flowexcel.Config{})
	require.NoError(t, err)
	return tpl
}

// read reads an import.
func read(t testing.TB, file []byte) ([]flow.Row, []error, *excel.Report) {
	t.Helper()
	var report excel.Report
	var rows []flow.Row
	var errs []error
	for row, err := range template(t).Rows(t.Context(), bytes.NewReader(file), int64(len(file)), &report) {
		if err != nil {
			errs = append(errs, err)
		} else {
			rows = append(rows, row)
		}
	}
	return rows, errs, &report
}

// correct gives a file with corrections back.
func (w *world) correct(t testing.TB, file []byte, c flowexcel.CorrectConfig) (flowexcel.CorrectReport, error) {
	t.Helper()
	return template(t).Correct(t.Context(), w.Service, operator, bytes.NewReader(file), int64(len(file)), c)
}

// edited opens a workbook with the engine, as other software does, changes cells of its
// first sheet, and saves it.
func edited(t testing.TB, file []byte, cells map[string]any) []byte {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(file))
	require.NoError(t, err)
	for ref, value := range cells {
		require.NoError(t, f.SetCellValue(f.GetSheetName(0), ref, value))
	}
	var b bytes.Buffer
	require.NoError(t, f.Write(&b))
	require.NoError(t, f.Close())
	return b.Bytes()
}

// column returns the letters of a column of an export.
func column(t testing.TB, header string) string {
	t.Helper()
	i := slices.Index(exportHeaders, header)
	require.GreaterOrEqual(t, i, 0, header)
	name, err := excelize.ColumnNumberToName(i + 1)
	require.NoError(t, err)
	return name
}

var importHeaders = []string{"Codice fiscale", "Oggetto", "Contenuto", "Scadenza", "Somma", "Numero avviso", "Ente creditore", "Paga dopo la scadenza", "Riferimento", "Occasione"}

var exportHeaders = append(slices.Clone(importHeaders), "UUID", "Stato", "Errore", "ID Consegna App.IO", "Tentativi Invio", "Data invio",
	"Stato Consegna", "Stato Mail", "Stato Push", "Utente mod.", "Data mod.", "Dis.", "Versione")

// sheet makes a workbook of one sheet.
func sheet(t testing.TB, rows ...[]any) []byte {
	t.Helper()
	f := excelize.NewFile()
	for i, row := range rows {
		require.NoError(t, f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row))
	}
	var b bytes.Buffer
	require.NoError(t, f.Write(&b))
	require.NoError(t, f.Close())
	return b.Bytes()
}

// cells makes cells of texts.
func cells(texts []string) []any {
	row := make([]any, len(texts))
	for i, text := range texts {
		row[i] = text
	}
	return row
}

// citizen returns fiscal codes that are all different.
func citizen(n int) flussi.FiscalCode {
	letters := ""
	for range 6 {
		letters += string(rune('A' + n%26))
		n /= 26
	}
	code, err := flussi.ParseFiscalCode(letters + "80A01H501X")
	if err != nil {
		panic(err)
	}
	return code
}

func notice(n int) flussi.NoticeNumber {
	number, err := flussi.ParseNoticeNumber(fmt.Sprintf("3010%014d", n))
	if err != nil {
		panic(err)
	}
	return number
}

var letter = strings.Repeat("Contenuto riservato al cittadino. ", 4)

// draft returns a valid draft for the nth citizen: every second is a payment.
func draft(n int) flow.Draft {
	d := flow.Draft{
		Recipient: citizen(n), Subject: flussi.NewText(fmt.Sprintf("Oggetto riservato %06d", n)),
		Content: flussi.NewText(letter + "\nSeconda riga."), Reference: fmt.Sprintf("TARI-%d", n),
	}
	if n%2 == 0 {
		d.IsPayment, d.Amount, d.NoticeNumber, d.PayableAfterDue = true, flussi.Cents(1234+n), notice(n), n%4 == 0
		d.Payee, _ = flussi.ParseOrganizationCode("80185250588")
		d.DueDate, _ = flussi.EndOfDay(2099, time.June, 1+n%28)
	}
	return d
}

func cell(column string, row int) string { return fmt.Sprintf("%s%d", column, row) }

// hide hides rows of the first sheet, as a filter does.
func hide(t testing.TB, file []byte, rows ...int) []byte {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(file))
	require.NoError(t, err)
	for _, row := range rows {
		require.NoError(t, f.SetRowVisible(f.GetSheetName(0), row, false))
	}
	var b bytes.Buffer
	require.NoError(t, f.Write(&b))
	require.NoError(t, f.Close())
	return b.Bytes()
}
