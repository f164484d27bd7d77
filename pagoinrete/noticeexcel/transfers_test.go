package noticeexcel_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/exceltest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/noticeexcel"
)

const town = "80185250588"

// withTransfers returns a template with columns for transfers.
func withTransfers(t *testing.T) *noticeexcel.Template {
	return must.Get(noticeexcel.New(noticeexcel.Config{Transfers: true}))(t)
}

// Notices with several beneficiaries are imported, and their export has the same columns.
func TestTransfersAreImportedAndExported(t *testing.T) {
	w, tpl := newWorld(t), withTransfers(t)
	headers := append(slices.Clone(importHeaders), "Versamento 1", "Beneficiario 1", "Versamento 2", "Beneficiario 2")
	amount := w.event.Instalments[0].Amount
	row := []any{pupil, "Moschini Michele", "", "", 1, "", 1, "", "", float64(amount-2100) / 100, "", 20, town}
	file := exceltest.Sheet(t, exceltest.Cells(headers), row)
	var report excel.Report
	added, err := w.AddNotices(t.Context(), assistant, w.event.ID, tpl.Rows(t.Context(), bytes.NewReader(file), int64(len(file)), &report), pagoinrete.AddConfig{})
	require.NoError(t, err, noticeexcel.Italian(&report, added, 0))
	want := pagoinrete.Transfers{{Amount: amount - 2100}, {Beneficiary: must.Get(flussi.ParseOrganizationCode(town))(t), Amount: 2000}}
	n := w.notices(t)[0]
	assert.Equal(t, want, n.Transfers)
	assert.EqualValues(t, amount-100, n.Due())

	var b bytes.Buffer
	require.NoError(t, tpl.Export(t.Context(), &b, excel.Rows(slices.Values([]pagoinrete.Notice{n, whole(t)}))))
	book := must.Get(excelize.OpenReader(&b))(t)
	defer book.Close()
	rows := must.Get(book.GetRows("Avvisi"))(t)
	at := slices.Index(rows[0], "Versamento 1")
	require.Positive(t, at)
	assert.Equal(t, []string{"Versamento 1", "Beneficiario 1", "Versamento 2", "Beneficiario 2", "Versamento 3"}, rows[0][at:at+5])
	assert.Equal(t, []string{"29.00", "", "20.00", town, "", "", "", "", "", ""}, rows[1][at:at+10])
	assert.Equal(t, make([]string, 10), rows[2][at:at+10], "no transfers")
}

func TestWrongTransfersAreToldAtTheirCells(t *testing.T) {
	tpl := withTransfers(t)
	headers := append(slices.Clone(importHeaders), "Versamento 1", "Beneficiario 1", "Versamento 2", "Beneficiario 2")
	for name, c := range map[string]struct {
		cells        []any
		column, says string
	}{
		"a beneficiary alone": {[]any{"", town, "", ""}, "Versamento 1", "L'importo del versamento 1 non è valido"},
		"another sum":         {[]any{50, "", 20, town}, "Versamento 1", "La somma dei versamenti è 70,00 €, l'importo dovuto è 100,00 €."},
		"one is missing":      {[]any{"", "", 100, town}, "Versamento 1", "L'importo del versamento 1 non è valido"},
		"no amount":           {[]any{100, "", "", town}, "Versamento 1", "L'importo del versamento 2 non è valido"},
		"a person":            {[]any{80, "", 20, pupil}, "Beneficiario 2", ""},
		"a negative transfer": {[]any{120, "", -20, town}, "Versamento 2", ""},
	} {
		for _, amount := range []any{100, ""} { // empty: that of the event
			if amount == "" && name == "another sum" {
				continue
			}
			row := append([]any{pupil, "Moschini Michele", "", "", 1, amount, "", "", ""}, c.cells...)
			file := exceltest.Sheet(t, exceltest.Cells(headers), row)
			var found []*excel.CellError
			for _, err := range tpl.Rows(t.Context(), bytes.NewReader(file), int64(len(file)), nil) {
				found = append(found, must.As[excel.CellErrors](t, err)...)
			}
			require.Len(t, found, 1, name)
			assert.Equal(t, c.column, found[0].Header, name)
			assert.Contains(t, found[0].Italian(), c.says, name)
		}
	}
}

// Without the columns of transfers, the school would get the amounts of other beneficiaries.
func TestTemplateWithoutTransfersRefusesThem(t *testing.T) {
	for _, header := range []string{"Versamento 1", "importo versamento 2", "Importo del versamento 5"} {
		file := exceltest.Sheet(t, exceltest.Cells(append(slices.Clone(importHeaders), header)), []any{pupil, "Moschini Michele", "", "", 1, 100, "", "", "", 20})
		w := newWorld(t)
		_, _, err := w.add(t, file, pagoinrete.AddConfig{})
		require.Error(t, err, header)
		assert.Contains(t, flussi.Explain(err), "Con questo modello incassa tutto la scuola", header)
		assert.Empty(t, w.notices(t), header)
	}
}

// An operator copies rows of an export into the template, to create notices for the same persons.
func TestTransfersOfExportCanBeCopiedIntoTheTemplate(t *testing.T) {
	tpl, n := withTransfers(t), whole(t)
	n.Transfers = pagoinrete.Transfers{{Amount: 100}, {Beneficiary: must.Get(flussi.ParseOrganizationCode("00488410010"))(t), Amount: n.Due() - 100}}
	var b bytes.Buffer
	require.NoError(t, tpl.Export(t.Context(), &b, excel.Rows(slices.Values([]pagoinrete.Notice{n}))))
	book := must.Get(excelize.OpenReader(&b))(t)
	defer book.Close()
	rows := must.Get(book.GetRows("Avvisi"))(t)
	until := slices.Index(rows[0], "Beneficiario 5") + 1
	require.Positive(t, until)
	file := exceltest.Sheet(t, exceltest.Cells(rows[0][:until]), exceltest.Cells(rows[1][:until]))
	var found []pagoinrete.Transfers
	for row, err := range tpl.Rows(t.Context(), bytes.NewReader(file), int64(len(file)), nil) {
		require.NoError(t, err)
		found = append(found, row.Draft.Transfers)
	}
	assert.Equal(t, []pagoinrete.Transfers{n.Transfers}, found)
}
