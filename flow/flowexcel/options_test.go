package flowexcel_test

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowexcel"
	"github.com/flussi-go/flussi/internal/exceltest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/storetest"
)

func withOptions(t testing.TB, c flowexcel.Config) *flowexcel.Template {
	t.Helper()
	c.Options = flowexcel.AllOptions()
	return must.Get(flowexcel.New(c))(t)
}

// optionCells are the cells of a row with all options, and what they mean.
func optionCells() (map[string]any, flow.Options) {
	return map[string]any{
			"Testo semplice": "sì", "Solo canali sicuri": "No", "Livello di servizio": "advanced",
			"Pulsante 1": "Apri", "Collegamento pulsante 1": "https://example.com/riservato/1", "Pulsante 1 in inglese": "Open",
			"Pulsante 2": "Chiama", "Collegamento pulsante 2": "tel:+390612345", "Pulsante 2 in inglese": "Call",
			"Contenuto remoto": "DOC-1", "Configurazione contenuto remoto": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "Allegati del contenuto remoto": "X", "Testo del contenuto remoto": "NO",
			"Avviso del contenuto remoto": "la prima volta", "Riassunto del contenuto remoto": "Verbale riservato", "Mittente del contenuto remoto": "Comune di Prova",
			"Ricezione del contenuto remoto": time.Date(2026, time.May, 4, 10, 0, 0, 0, time.UTC),
		}, flow.Options{
			PlainText: flow.ChoiceYes, SecureChannels: appio.SecureChannelsNotRequired, FeatureLevel: appio.FeatureAdvanced,
			Remote: flow.RemoteContent{
				ID: "DOC-1", ConfigurationID: "01ARZ3NDEKTSV4RRFFQ69G5FAV", Attachments: flow.ChoiceYes, Text: flow.ChoiceNo, Precondition: appio.PreconditionOnce,
				Summary: flussi.NewText("Verbale riservato"), OriginalSender: flussi.NewText("Comune di Prova"), OriginalReceiptDate: time.Date(2026, time.May, 4, 8, 0, 0, 0, time.UTC),
			},
			Button1: flow.Button{Label: flussi.NewText("Apri"), EnglishLabel: flussi.NewText("Open"), Link: flussi.NewText("https://example.com/riservato/1")},
			Button2: flow.Button{Label: flussi.NewText("Chiama"), EnglishLabel: flussi.NewText("Call"), Link: flussi.NewText("tel:+390612345")},
		}
}

// fill writes rows, by their headers, into the empty workbook of a template.
func fill(t testing.TB, tpl *flowexcel.Template, rows ...map[string]any) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, tpl.Blank(t.Context(), &b))
	f, all := exceltest.Open(t, b.Bytes())
	require.NoError(t, f.Close())
	cells := map[string]any{}
	for i, row := range rows {
		for header, value := range row {
			cells[exceltest.Ref(exceltest.Column(t, all[0], header), i+2)] = value
		}
	}
	return exceltest.Edit(t, b.Bytes(), cells)
}

// plainRow is a row with the required cells.
func plainRow(n int) map[string]any {
	d := draft(n)
	return map[string]any{"Codice fiscale": d.Recipient.Reveal(), "Oggetto": d.Subject.Reveal(), "Contenuto": d.Content.Reveal()}
}

// A workbook with options goes through the template, an import, an export and a correction, and no
// option is lost or invented.
func TestOptionsGoThroughWorkbooks(t *testing.T) {
	tpl := withOptions(t, flowexcel.Config{})
	cells, want := optionCells()
	full := plainRow(1)
	maps.Copy(full, cells)
	w := newWorld(t)
	var report excel.Report
	added := must.Get(w.add(t, w.flow.ID, rowsOf(t, tpl, fill(t, tpl, full, plainRow(2)), &report), flow.AddConfig{}))(t)
	assert.Equal(t, 2, added.Added)
	all := w.all(t)
	assert.Empty(t, storetest.Differences(want, all[0].Options))
	assert.Equal(t, flow.Options{}, all[1].Options)

	for _, n := range all {
		before := n
		n.State, n.Transmission = flow.NotificationFailed, flow.Transmission{Attempts: 1, ErrorCode: flow.CodeRefused}
		require.NoError(t, w.store.SaveNotifications(t.Context(), flow.NotificationChange{Notification: n, Record: flow.NotificationRecord{At: before.CreatedAt, By: operator.ID, From: before.State, To: n.State}}))
	}
	var exported bytes.Buffer
	require.NoError(t, tpl.Export(t.Context(), &exported, w.AllNotifications(t.Context(), operator, flow.NotificationFilter{})))
	done := must.Get(correct(t, tpl, w.Service, exported.Bytes()))(t)
	assert.Equal(t, 2, done.Unchanged, done.Italian(0))

	_, header := exceltest.Open(t, exported.Bytes())
	for _, c := range []struct {
		header string
		cell   any
		edit   func(o *flow.Options)
	}{
		{"Collegamento pulsante 1", "https://example.com/altro", func(o *flow.Options) { o.Button1.Link = flussi.NewText("https://example.com/altro") }},
		{"Solo canali sicuri", "", func(o *flow.Options) { o.SecureChannels = "" }},
		{"Testo semplice", "No", func(o *flow.Options) { o.PlainText = flow.ChoiceNo }},
		{"Contenuto remoto", "DOC-2", func(o *flow.Options) { o.Remote.ID = "DOC-2" }},
	} {
		var file bytes.Buffer
		require.NoError(t, tpl.Export(t.Context(), &file, w.AllNotifications(t.Context(), operator, flow.NotificationFilter{})))
		done, err := correct(t, tpl, w.Service, exceltest.Edit(t, file.Bytes(), map[string]any{exceltest.Ref(exceltest.Column(t, header[0], c.header), 2): c.cell}))
		require.NoError(t, err, done.Italian(0))
		require.Equal(t, 1, done.Corrected, c.header)
		c.edit(&want)
		n := w.all(t)[0]
		assert.Empty(t, storetest.Differences(want, n.Options), c.header)
		n.State, n.Transmission = flow.NotificationFailed, flow.Transmission{Attempts: 1, ErrorCode: flow.CodeRefused}
		require.NoError(t, w.store.SaveNotifications(t.Context(), flow.NotificationChange{Notification: n, Record: flow.NotificationRecord{At: n.CreatedAt, By: operator.ID, From: flow.NotificationRegistered, To: n.State}}))
	}
}

// all are the notifications of the service, the oldest first.
func (w *world) all(t testing.TB) (all []flow.Notification) {
	t.Helper()
	for n, err := range w.AllNotifications(t.Context(), operator, flow.NotificationFilter{}) {
		require.NoError(t, err)
		all = append(all, n)
	}
	return all
}

// A file with options is refused where they are not read, and corrections that do not have them
// leave them as they are.
func TestOptionsWithoutAColumnAreNotLost(t *testing.T) {
	cells, want := optionCells()
	for header, value := range cells {
		row := plainRow(1)
		row[header] = value
		_, _, reading := imports(t).Read(t, fill(t, withOptions(t, flowexcel.Config{}), row))
		assert.Contains(t, reading.Italian(), "È una colonna delle opzioni", header)
		break // a file with one of the template's columns has all
	}
	w := newWorld(t)
	n := w.seed(t, 1, func(n *flow.Notification) { n.Options = want; refused(n) })
	var exported bytes.Buffer
	require.NoError(t, withOptions(t, flowexcel.Config{}).Export(t.Context(), &exported, w.AllNotifications(t.Context(), operator, flow.NotificationFilter{})))
	_, err := w.correct(t, exported.Bytes(), flowexcel.CorrectConfig{})
	require.ErrorIs(t, err, excel.ErrHeader)
	report := w.corrects(t, w.edited(t, map[string]any{exceltest.Ref(column(t, "Oggetto"), 2): "Un altro oggetto della notifica"}))
	assert.Equal(t, 1, report.Corrected)
	assert.Equal(t, want, w.get(t, n.ID).Options)
}

// An option that cannot be sent is an error of its cell.
func TestWrongOptionIsAnErrorOfItsCell(t *testing.T) {
	tpl := withOptions(t, flowexcel.Config{})
	for header, c := range map[string]struct{ value, says string }{
		"Testo semplice":                  {"forse", "Scrivere Sì oppure No."},
		"Livello di servizio":             {"PREMIUM", "STANDARD, ADVANCED"},
		"Collegamento pulsante 1":         {"ftp://example.com", "Il collegamento del pulsante non è valido"},
		"Pulsante 1":                      {"Apri", "Manca il collegamento"},
		"Configurazione contenuto remoto": {"01ARZ3NDEKTSV4RRFFQ69G5FAV", "remoto"},
		"Allegati del contenuto remoto":   {"Sì", "ADVANCED"},
	} {
		row := plainRow(1)
		row[header] = c.value
		_, errs, reading := importsOf(tpl).Read(t, fill(t, tpl, row))
		require.NotEmpty(t, errs, header)
		assert.Contains(t, reading.Italian(), c.says, header)
	}
	// What the row lacks, the flow's standing options may have.
	standing := flow.Options{Button1: flow.Button{Label: flussi.NewText("Apri")}}
	tpl = withOptions(t, flowexcel.Config{FlowOptions: standing})
	row := plainRow(1)
	row["Collegamento pulsante 1"] = "https://example.com"
	file := fill(t, tpl, row)
	rows, errs, _ := importsOf(tpl).Read(t, file)
	require.Empty(t, errs)
	assert.True(t, rows[0].Draft.Options.Button1.Label.IsZero(), "the service fills it in")
	preview := must.Get(tpl.Preview(t.Context(), bytes.NewReader(file), int64(len(file)), 2))(t)
	assert.True(t, strings.HasPrefix(preview.Draft.Message().Content.Reveal(), "---\nit:\n  cta_1:\n    text: \"Apri\""))
}

// A plain text is counted as it is sent.
func TestPlainTextIsCountedAsItIsSent(t *testing.T) {
	tpl := must.Get(flowexcel.New(flowexcel.Config{Options: []flowexcel.OptionGroup{flowexcel.OptionPlainText}}))(t)
	long, lines := plainRow(1), plainRow(2)
	long["Contenuto"], long["Testo semplice"] = strings.Repeat("a*", 4000), "Sì"
	lines["Contenuto"], lines["Testo semplice"] = strings.Repeat("Riga di testo.\n", 20), "Sì"
	rows, errs, reading := importsOf(tpl).Read(t, fill(t, tpl, long, lines))
	require.Len(t, errs, 1)
	assert.Contains(t, reading.Italian(), "Riga 2, colonna C (Contenuto): Il contenuto ha 12.000 caratteri (con i segni che lo mostrano come testo semplice)")
	assert.Equal(t, strings.TrimSuffix(strings.Repeat("Riga di testo.\n\n", 20), "\n\n"), rows[0].Draft.Message().Content.Reveal())
	f, _ := exceltest.Open(t, fill(t, tpl))
	_, guide := exceltest.Guide(t, f)
	table, _ := exceltest.Guide(t, f)
	assert.Contains(t, strings.Join(table["Contenuto"], " ")+guide, "fra un capoverso e l'altro lasciare una riga vuota")
	assert.Equal(t, slices.Concat(importHeaders, []string{"Testo semplice"}), must.Get(f.GetRows("Notifiche"))(t)[0])
}
