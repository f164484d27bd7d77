package flowexcel_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowexcel"
	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/internal/exceltest"
	"github.com/flussi-go/flussi/internal/must"
)

// sendingWorld is a world that sends to a simulator.
type sendingWorld struct {
	*world
	platform   *appiotest.Server
	dispatcher *flow.Dispatcher
}

func newSendingWorld(t *testing.T) *sendingWorld {
	t.Helper()
	platform := appiotest.NewServer(appiotest.Config{Unlimited: true})
	t.Cleanup(platform.Close)
	platform.AddService(appiotest.Service{ID: taxes, Key: "a-key"})
	key := must.Get(flussi.ParseKey("a-key"))(t)
	client := must.Get(appio.New(key, appio.Config{BaseURL: platform.URL}))(t)
	senders := func(context.Context, string) (flow.Sender, error) { return client, nil }
	store := memstore.New()
	service := must.Get(flow.NewService(store, flow.Permissions{operator.ID: {taxes}}, senders, flow.ServiceConfig{}))(t)
	dispatcher := must.Get(flow.NewDispatcher(store, senders, flow.DispatcherConfig{}))(t)
	return &sendingWorld{&world{Service: service, store: store}, platform, dispatcher}
}

// importFile imports the good rows of a file into a new flow, and returns what the operator is
// told.
func (w *sendingWorld) importFile(t *testing.T, file []byte, c flow.AddConfig) (_ flow.Flow, _ flow.AddReport, _ *excel.Report, told string) {
	t.Helper()
	c.SkipInvalid = true
	var report excel.Report
	f, added, err := w.ImportFlow(t.Context(), operator, taxes, flow.Details{}, rowsOf(t, template(t), file, &report), c)
	require.NoError(t, err)
	return f, added, &report, flowexcel.Italian(&report, added, 0)
}

func (w *sendingWorld) send(t *testing.T, id uuid.UUID) flow.Flow {
	t.Helper()
	must.Get(w.ActivateFlow(t.Context(), operator, id))(t)
	must.Get(w.SendFlow(t.Context(), operator, id))(t)
	return must.Get(w.dispatcher.Run(t.Context(), id))(t)
}

// delivered counts the messages of each citizen.
func (w *sendingWorld) delivered() map[string]int {
	counts := map[string]int{}
	for _, d := range w.platform.Deliveries() {
		counts[d.Recipient.Reveal()]++
	}
	return counts
}

// filled returns the cells of a row for each of n citizens.
func filled(citizens int) map[string]any {
	cells := map[string]any{}
	for i := range citizens {
		row := i + 2
		cells[exceltest.Ref("A", row)], cells[exceltest.Ref("B", row)], cells[exceltest.Ref("C", row)] = appiotest.SampleCitizen(i).Reveal(), "Scadenza della TARI", text
	}
	return cells
}

// Importing the whole corrected copy sends only the corrected rows.
func TestCorrectedCopySendsOnlyCorrectedRows(t *testing.T) {
	w := newSendingWorld(t)
	cells := filled(6)
	cells["B4"], cells["A6"] = "corto", "RSSMRA"
	file := imports(t).Fill(t, cells)
	first, added, report, told := w.importFile(t, file, flow.AddConfig{})
	assert.Equal(t, 4, added.Added)
	const hint = "Le righe senza errori sono state importate."
	assert.Contains(t, told, hint)
	var marked bytes.Buffer
	require.NoError(t, template(t).Annotate(t.Context(), &marked, bytes.NewReader(file), int64(len(file)), report, added))
	for _, said := range []string{hint, "Notifiche importate: 4."} {
		assert.Contains(t, errorSheet(t, marked.Bytes()), said)
	}

	copied := exceltest.Edit(t, marked.Bytes(), map[string]any{"B4": "Scadenza della TARI", "A6": appiotest.SampleCitizen(4).Reveal()})
	second, added, _, told := w.importFile(t, copied, flow.AddConfig{})
	assert.NotEqual(t, first.ID, second.ID)
	assert.Equal(t, 6, added.Added)
	assert.Equal(t, 4, added.Disabled)
	assert.Equal(t, 4, added.DuplicateCount)
	assert.Contains(t, told, "Riga 2: Esiste già una notifica uguale, nello stato «")
	assert.NotContains(t, told, hint, "all rows are right")
	assert.Equal(t, flow.Counts{Registered: 2, Disabled: 4}, second.Counts)

	w.send(t, second.ID)
	w.send(t, first.ID)
	counts := w.delivered()
	assert.Len(t, counts, 6)
	for code, n := range counts {
		assert.Equal(t, 1, n, code)
	}
}

// The hint is given if rows of the file were stored, by this call or an earlier one.
func TestHintOnlyIfRowsAreStored(t *testing.T) {
	w := newSendingWorld(t)
	cells := filled(3)
	cells["B4"] = "corto"
	file := imports(t).Fill(t, cells)
	var refused excel.Report
	_, added, err := w.ImportFlow(t.Context(), operator, taxes, flow.Details{}, rowsOf(t, template(t), file, &refused), flow.AddConfig{})
	require.ErrorIs(t, err, flussi.ErrRows)
	const hint = "Le righe senza errori sono state importate."
	assert.NotContains(t, flowexcel.Italian(&refused, added, 0), hint, "nothing was stored")

	_, _, _, told := w.importFile(t, file, flow.AddConfig{})
	assert.Equal(t, 1, strings.Count(told, hint))
	_, added, _, told = w.importFile(t, file, flow.AddConfig{})
	assert.False(t, added.ImportedAt.IsZero())
	assert.Equal(t, 1, strings.Count(told, hint), "they are stored since the first time")
}

// errorSheet returns the texts of the first rows of the list of errors.
func errorSheet(t *testing.T, file []byte) string {
	t.Helper()
	f := must.Get(excelize.OpenReader(bytes.NewReader(file)))(t)
	defer func() { require.NoError(t, f.Close()) }()
	rows := must.Get(f.GetRows("Errori"))(t)
	var all string
	for _, row := range rows {
		for _, text := range row {
			all += text + "\n"
		}
	}
	return all
}

// A row with an occasion is another message than the same row without one.
func TestRowWithOccasionIsAnotherMessage(t *testing.T) {
	w := newSendingWorld(t)
	cells := filled(2)
	first, _, _, _ := w.importFile(t, imports(t).Fill(t, cells), flow.AddConfig{})
	w.send(t, first.ID)
	cells["J2"] = "sollecito marzo"
	second, added, _, _ := w.importFile(t, imports(t).Fill(t, cells), flow.AddConfig{})
	assert.Equal(t, 1, added.Disabled, "the row without an occasion")
	w.send(t, second.ID)
	assert.Equal(t, map[string]int{appiotest.SampleCitizen(0).Reveal(): 2, appiotest.SampleCitizen(1).Reveal(): 1}, w.delivered())
}

// A message that was already sent is sent again only with another occasion.
func TestCorrectedOccasionSendsAlreadySent(t *testing.T) {
	for name, c := range map[string]struct {
		cells map[string]any
		times int
	}{
		"another occasion": {map[string]any{"Occasione": "sollecito marzo"}, 2},
		"Registrato":       {map[string]any{"Stato": "Registrato"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSendingWorld(t)
			file := imports(t).Fill(t, filled(2))
			first, _, _, _ := w.importFile(t, file, flow.AddConfig{})
			second, _, _, _ := w.importFile(t, imports(t).Fill(t, filled(3)), flow.AddConfig{})
			for n, err := range w.AllNotifications(t.Context(), operator, flow.NotificationFilter{Flow: second.ID, Disabled: flow.OnlyDisabled}) {
				require.NoError(t, err)
				must.Get(w.EnableNotification(t.Context(), operator, n.ID))(t)
			}
			w.send(t, first.ID)
			assert.Equal(t, flow.Counts{Sent: 1, Failed: 2}, w.send(t, second.ID).Counts)
			w.flow = second
			cells := map[string]any{}
			for header, value := range c.cells {
				cells[column(t, header)+"2"] = value
			}
			report := w.corrects(t, w.edited(t, cells), flowexcel.CorrectConfig{Flow: second.ID})
			assert.Equal(t, 1, report.Corrected+report.SetBack)
			w.send(t, second.ID)
			assert.Equal(t, c.times, w.delivered()[appiotest.SampleCitizen(0).Reveal()])
			assert.Equal(t, 1, w.delivered()[appiotest.SampleCitizen(1).Reveal()], "was left alone")
		})
	}
}

// An export without the column Occasione does not change the occasions.
func TestExportWithoutOccasionColumnIsAccepted(t *testing.T) {
	w := newWorld(t)
	n := w.seed(t, 2, func(n *flow.Notification) {
		refused(n)
		n.Occasion = "sollecito marzo"
	})
	f, err := excelize.OpenReader(bytes.NewReader(w.export(t)))
	require.NoError(t, err)
	require.NoError(t, f.RemoveCol("Notifiche", column(t, "Occasione")))
	require.NoError(t, f.SetCellValue("Notifiche", "B2", corrected))
	var file bytes.Buffer
	require.NoError(t, f.Write(&file))
	require.NoError(t, f.Close())
	assert.Equal(t, 1, w.corrects(t, file.Bytes()).Corrected)
	want := n.Draft
	want.Subject = flussi.NewText(corrected)
	assert.Equal(t, want, w.get(t, n.ID).Draft)
}
