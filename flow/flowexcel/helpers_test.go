package flowexcel_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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

// imports are the imports of a template.
func imports(t testing.TB) exceltest.Workbook[flow.Row] { return importsOf(template(t)) }

func importsOf(tpl *flowexcel.Template) exceltest.Workbook[flow.Row] {
	return exceltest.Workbook[flow.Row]{Blank: tpl.Blank, Rows: tpl.Rows, Number: func(r flow.Row) int { return r.Number },
		Annotate: func(ctx context.Context, w io.Writer, r io.ReaderAt, size int64, report *excel.Report, rows []*flussi.RowError) error {
			return tpl.Annotate(ctx, w, r, size, report, flow.AddReport{ImportReport: flussi.ImportReport{Invalid: len(rows), Errors: rows}})
		}}
}

// correct gives a file with corrections back.
func (w *world) correct(t testing.TB, file []byte, c flowexcel.CorrectConfig) (flowexcel.CorrectReport, error) {
	t.Helper()
	return template(t).Correct(t.Context(), w.Service, operator, bytes.NewReader(file), int64(len(file)), c)
}

// column returns the letters of a column of an export.
func column(t testing.TB, header string) string {
	t.Helper()
	return exceltest.Column(t, exportHeaders, header)
}

var importHeaders = []string{"Codice fiscale", "Oggetto", "Contenuto", "Scadenza", "Somma", "Numero avviso", "Ente creditore", "Paga dopo la scadenza", "Riferimento", "Occasione"}

var exportHeaders = append(slices.Clone(importHeaders), "UUID", "Stato", "Errore", "ID Consegna App.IO", "Tentativi Invio", "Data invio",
	"Stato Consegna", "Stato Mail", "Stato Push", "Utente mod.", "Data mod.", "Dis.", "Versione")

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
