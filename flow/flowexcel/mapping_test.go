package flowexcel_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowexcel"
	"github.com/flussi-go/flussi/internal/exceltest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/xlsxtest"
)

func TestMappedFileIsImportedAndMarked(t *testing.T) {
	w := newWorld(t)
	file := []byte("Utente;Argomento;Contenuto\n" + code + ";Scadenza della TARI;" + text + "\n" + code + ";corto;" + text + "\n")
	found := must.Get(template(t).FileHeaders(t.Context(), bytes.NewReader(file), int64(len(file))))(t)
	assert.Len(t, found.Headers, 3)
	assert.Equal(t, "Contenuto", found.Headers[2].Known)

	tpl := must.Get(template(t).WithMapping(excel.Mapping{"Utente": "Codice fiscale", "Argomento": "Oggetto"}))(t)
	var report excel.Report
	added, err := w.add(t, w.flow.ID, rowsOf(t, tpl, file, &report), flow.AddConfig{SkipInvalid: true})
	require.NoError(t, err, report.Italian(nil, 0))
	assert.Equal(t, []int{1, 1}, []int{added.Added, added.Invalid})
	var b bytes.Buffer
	require.NoError(t, tpl.Annotate(t.Context(), &b, bytes.NewReader(file), int64(len(file)), &report, added))
	assert.Contains(t, exceltest.Comment(t, b.Bytes(), "B3"), "Il testo ha 5 caratteri")

	t.Run("exports and corrections are as before", func(t *testing.T) {
		n := w.seed(t, 7, refused)
		var exported bytes.Buffer
		require.NoError(t, tpl.Export(t.Context(), &exported, exceltest.Given(n)))
		report, err := tpl.Correct(t.Context(), w, operator, bytes.NewReader(exported.Bytes()), int64(exported.Len()), flowexcel.CorrectConfig{})
		require.NoError(t, err)
		assert.Equal(t, 1, report.Unchanged)
	})
	_, err = template(t).WithMapping(excel.Mapping{"UUID": "Riferimento"})
	require.ErrorIs(t, err, excel.ErrMapping)
	require.ErrorIs(t, err, flussi.ErrInvalid)
}

// The colours of an export's rows: in Errore, unknown, disabled.
func TestRowsOfAnExportAreColoured(t *testing.T) {
	unknown, off, fine := whole(), whole(), whole()
	failed := whole()
	failed.Disabled, unknown.Disabled, fine.Disabled = false, false, false
	unknown.Transmission.ErrorCode = flow.CodeOutcomeUnknown
	fine.State = flow.NotificationSent
	f, _ := exceltest.Open(t, export(t, exceltest.Given(failed, unknown, off, fine)))
	for i, want := range []string{"FBDAD7", "FFF2CC", "E9E9E9", ""} {
		for _, column := range []string{"A", "X"} {
			ref := exceltest.Ref(column, i+2)
			style := must.Get(f.GetStyle(must.Get(f.GetCellStyle("Notifiche", ref))(t)))(t)
			assert.Equal(t, want, strings.Join(style.Fill.Color, ""), ref)
		}
	}
	_, text := exceltest.Guide(t, f)
	must.Contain(t, text, "Righe rosse: notifiche in «Errore»", "Righe gialle: notifiche con «Esito sconosciuto»", "Righe grigie: notifiche disabilitate")
	rows := must.Get(f.GetRows("Notifiche", excelize.Options{RawCellValue: true}))(t)
	assert.Len(t, rows, 5, "the legend is no row")
}

// An export's 24 columns are on two pages side by side, in a readable size; the guide is on one.
func TestAnExportIsTwoPagesWide(t *testing.T) {
	f, _ := exceltest.Open(t, export(t, exceltest.Given(whole())))
	layout := must.Get(f.GetPageLayout("Notifiche"))(t)
	assert.GreaterOrEqual(t, *layout.AdjustTo, uint(60))
	sheet := xlsxtest.Unpack(t, export(t, exceltest.Given(whole())))[xlsxtest.Sheet1]
	assert.Equal(t, 1, strings.Count(sheet, "<brk "))
	assert.Contains(t, sheet, `<brk id="10" max="1048575"`, "behind the draft's columns")
	guide := must.Get(f.GetPageLayout("Guida Rapida"))(t)
	assert.Equal(t, []int{1, 1}, []int{*guide.FitToWidth, *guide.FitToHeight})
}

// The list of errors says whether the rows without errors are in.
func TestErrorListSaysWhetherGoodRowsAreIn(t *testing.T) {
	fill := filled(3)
	fill["B3"] = "corto"
	file := imports(t).Fill(t, fill)
	for skip, says := range map[bool]string{true: "Le righe senza errori sono state importate.", false: "Neanche le righe senza errori sono state importate"} {
		w := newWorld(t)
		var report excel.Report
		added, _ := w.add(t, w.flow.ID, rowsOf(t, template(t), file, &report), flow.AddConfig{SkipInvalid: skip})
		var b bytes.Buffer
		require.NoError(t, template(t).Annotate(t.Context(), &b, bytes.NewReader(file), int64(len(file)), &report, added))
		f := must.Get(excelize.OpenReader(&b))(t)
		var list strings.Builder
		for _, row := range must.Get(f.GetRows("Errori"))(t) {
			list.WriteString(strings.Join(row, " ") + "\n")
		}
		assert.Contains(t, list.String(), says)
		require.NoError(t, f.Close())
	}
}
