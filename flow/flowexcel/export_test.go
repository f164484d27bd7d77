package flowexcel_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowexcel"
	"github.com/flussi-go/flussi/internal/exceltest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/sampletest"
)

// whole is a notification with something in every field.
func whole() flow.Notification {
	n := flow.Notification{
		ID: uuid.MustParse("7cc0c865-87fd-4002-92ec-7952f211640d"), FlowID: uuid.New(), Service: taxes, State: flow.NotificationFailed, Draft: draft(4),
		Disabled: true, CreatedAt: time.Date(2025, 2, 28, 16, 0, 0, 0, time.UTC), UpdatedAt: time.Date(2025, 2, 28, 16, 47, 53, 0, time.UTC), UpdatedBy: "italsoft", Version: 7,
	}
	n.Transmission = flow.Transmission{MessageID: "01JN6Q5CZ3VGTA4X4QJEFR95C1", Attempts: 3, SentAt: time.Date(2025, 7, 1, 15, 45, 17, 0, time.UTC), ErrorCode: flow.CodeRefused, Error: flow.CodeRefused.Italian(),
		Answer: flussi.NewText("Bad Request: amount (HTTP 400)")}
	n.Delivery = flow.Delivery{Status: "REJECTED", Email: "SENT", Push: "THROTTLED"}
	return n
}

func TestAnExportHasTheGuidesColumns(t *testing.T) {
	plain := flow.Notification{ID: uuid.MustParse("9e0beb0b-464d-4e91-8de9-2885bccac7d9"), State: flow.NotificationSent, Draft: draft(1), UpdatedBy: "italsoft", Version: 3}
	f, rows := exceltest.Open(t, export(t, exceltest.Given(whole(), plain)))
	require.Len(t, rows, 3, "no sum: saved as CSV, it would be a row")
	assert.Equal(t, exportHeaders, rows[0])
	assert.Equal(t, []string{
		citizen(4).Reveal(), "Oggetto riservato 000004", draft(4).Content.Reveal(), "05/06/2099", "12.38", sampletest.NoticeNumber(4).Reveal(), "80185250588", "Sì", "TARI-4", "",
		"7cc0c865-87fd-4002-92ec-7952f211640d", "Errore", "Rifiutata. " + flow.CodeRefused.Italian(), "Bad Request: amount (HTTP 400)", "01JN6Q5CZ3VGTA4X4QJEFR95C1", "3", "01/07/2025 17:45:17",
		"REJECTED", "SENT", "THROTTLED", "italsoft", "28/02/2025 17:47:53", "Sì", "7",
	}, rows[1])
	assert.Equal(t, []string{
		citizen(1).Reveal(), "Oggetto riservato 000001", draft(1).Content.Reveal(), "", "", "", "", "", "TARI-1", "",
		"9e0beb0b-464d-4e91-8de9-2885bccac7d9", "Inviato", "", "", "", "0", "", "", "", "", "italsoft", "", "No", "3",
	}, rows[2])

	// Typed: amounts and dates are numbers, codes are text.
	exceltest.CheckTypes(t, f, []string{"A2", "F2"}, []string{"D2", "E2", "Q2"})
	assert.True(t, must.Get(f.GetPanes("Notifiche"))(t).Freeze)
	for i, header := range exportHeaders {
		name := must.Get(excelize.ColumnNumberToName(i + 1))(t)
		width := must.Get(f.GetColWidth("Notifiche", name))(t)
		assert.Greater(t, width, 9.5, header)
		if words := strings.Fields(header); width < 14 { // a header of several words may wrap
			for _, word := range words {
				assert.LessOrEqual(t, float64(len(word)), width, header)
			}
		}
	}
	assert.Contains(t, f.GetSheetList(), "Guida Rapida")
}

// Who opens an export months later finds in it what to do with it.
func TestAnExportsGuideSaysWhatMayBeCorrectedAndHow(t *testing.T) {
	f, _ := exceltest.Open(t, export(t, exceltest.Given(whole())))
	guide, text := exceltest.Guide(t, f)
	for _, header := range exportHeaders[:10] {
		assert.Equal(t, "Sì", guide[header][1], header)
	}
	for _, header := range exportHeaders[10:] {
		want := "No, sola lettura"
		if header == "Stato" {
			want = "Sì"
		}
		assert.Equal(t, want, guide[header][1], header)
		assert.Greater(t, len(guide[header][2]), 10, header)
	}
	for _, word := range []string{"ACCEPTED", "THROTTLED", "PROCESSED", "FAILED", "REJECTED"} {
		assert.Contains(t, guide["Stato Consegna"][2], word+", ")
	}
	for _, want := range []string{"lo si carica come correzione del flusso", "scrivere «Registrato» nella colonna «Stato»", "«Esito sconosciuto»", "«Già inviata»", "nella colonna «Occasione»", "non con «Importa da File Excel»"} {
		assert.Contains(t, text, want)
	}
	for _, other := range []string{"Si compila il foglio", "obbligatorie"} {
		assert.NotContains(t, text, other, "it is not filled in")
	}
}

// Whatever is in a store can be exported: what was anonymised, what nobody foresaw.
func TestAnyNotificationCanBeExported(t *testing.T) {
	anonymised := whole()
	anonymised.Draft = flow.Draft{DueDate: anonymised.DueDate, Amount: anonymised.Amount, IsPayment: true}
	anonymised.AnonymisedAt = time.Now()
	strange := whole()
	strange.State, strange.Transmission.ErrorCode, strange.Transmission.Error = "frozen", "melted", ""
	strange.DueDate = time.Date(1800, 1, 1, 12, 0, 0, 0, time.UTC)
	strange.Transmission.Attempts = -1
	strange.Subject = flussi.NewText("=cmd|' /C calc'!A0\x01")
	unexplained := whole()
	unexplained.Transmission.ErrorCode = ""
	_, rows := exceltest.Open(t, export(t, exceltest.Given(anonymised, strange, flow.Notification{}, unexplained)))
	require.Len(t, rows, 5)
	assert.Equal(t, []string{"", "", "", "05/06/2099", "12.38", "", ""}, rows[1][:7])
	assert.Equal(t, "frozen", rows[2][11])
	assert.Equal(t, "melted", rows[2][12])
	assert.Equal(t, flow.CodeRefused.Italian(), rows[4][12])
}

func TestAnExportEndsWithTheSequencesError(t *testing.T) {
	down := errors.New("database down")
	err := template(t).Export(t.Context(), io.Discard, func(yield func(flow.Notification, error) bool) {
		if yield(whole(), nil) {
			yield(flow.Notification{}, down)
		}
	})
	assert.Equal(t, down, err)
}

// Due dates come back to the second, whether they are the end of a day or not, also when
// the clocks change.
func TestDueDatesOfAnExportAreReadBack(t *testing.T) {
	for _, due := range []string{
		"2030-06-16T21:59:59Z", "2030-01-31T22:59:59Z", // the end of a day
		"2030-06-15T22:00:00Z", "2030-06-16T00:00:00Z", // midnight in Italy, in London
		"2030-06-16T13:00:00Z", "2030-06-16T21:59:58Z",
		"2030-10-27T00:30:00Z", "2030-10-27T01:30:00Z", "2030-03-31T01:00:00Z",
		"1850-05-05T10:00:00Z", "9999-12-31T22:59:59Z",
	} {
		at := must.Get(time.Parse(time.RFC3339, due))(t)
		for _, at := range []time.Time{at, at.Add(123456 * time.Microsecond)} {
			w := newWorld(t)
			n := w.seed(t, 1, func(n *flow.Notification) { refused(n); n.DueDate = at })
			file := w.edited(t, nil)
			report, err := w.correct(t, file, flowexcel.CorrectConfig{})
			require.NoError(t, err, "%s: %s", due, report.Italian(0))
			assert.Equal(t, 1, report.Unchanged, due)

			// Another notification takes its place: what was read is what was written.
			n.DueDate = time.Time{}
			n = must.Get(w.EditNotification(t.Context(), operator, n.ID, n.Version, n.Draft))(t)
			file = exceltest.Edit(t, file, map[string]any{exceltest.Ref(column(t, "Versione"), 2): n.Version})
			report, err = w.correct(t, file, flowexcel.CorrectConfig{})
			require.NoError(t, err, "%s: %s", due, report.Italian(0))
			assert.Equal(t, at.Truncate(time.Second), w.get(t, n.ID).DueDate, due)
		}
	}
}

// A due date that an operator types is the end of its day, or the time that is typed.
func TestTypedDueDatesAreRead(t *testing.T) {
	for typed, want := range map[any]time.Time{
		"30/06/2099":       time.Date(2099, 6, 30, 21, 59, 59, 0, time.UTC),
		"30/06/2099 00:00": time.Date(2099, 6, 29, 22, 0, 0, 0, time.UTC),
		"30/06/2099 12.30": time.Date(2099, 6, 30, 10, 30, 0, 0, time.UTC),
		time.Date(2099, 6, 30, 0, 0, 0, 0, time.UTC):   time.Date(2099, 6, 30, 21, 59, 59, 0, time.UTC),
		time.Date(2099, 6, 30, 12, 30, 0, 0, time.UTC): time.Date(2099, 6, 30, 10, 30, 0, 0, time.UTC),
	} {
		w := newWorld(t)
		n := w.seed(t, 1, refused)
		w.corrects(t, w.edited(t, map[string]any{"D2": typed}))
		assert.Equal(t, want, w.get(t, n.ID).DueDate, "%v", typed)
	}
}

// An export that no program has touched, or that came through another format, has no
// corrections, and its rows are what they were.
func TestUnchangedExportHasNoCorrections(t *testing.T) {
	w := newWorld(t)
	for i := range 60 {
		w.seed(t, i, []func(*flow.Notification){nil, sent, failed(flow.CodeUnreachable), failed(flow.CodeOutcomeUnknown)}[i%4])
	}
	files := map[string][]byte{"ours": w.export(t)}
	files["excelize"] = exceltest.Edit(t, files["ours"], nil)
	if exceltest.HasLibreOffice() { // the gate has it
		files["LibreOffice's own format"] = exceltest.LibreOffice(t, "xlsx", "notifiche.ods", exceltest.LibreOffice(t, "ods", "notifiche.xlsx", files["ours"]))
	}
	_, rows := exceltest.Open(t, files["ours"])
	var csvFile bytes.Buffer
	writer := csv.NewWriter(&csvFile)
	writer.Comma = ';'
	require.NoError(t, writer.WriteAll(rows))
	files["CSV"] = csvFile.Bytes()
	for name, file := range files {
		t.Run(name, func(t *testing.T) {
			report := w.corrects(t, file)
			assert.Equal(t, 30, report.Unchanged)
			assert.Equal(t, 30, report.NotInError)

			_, errs, refusal := imports(t).Read(t, file)
			require.Len(t, errs, 1, refusal.Italian())
			assert.Contains(t, refusal.Italian(), "Il file è un'esportazione")
		})
	}
}
