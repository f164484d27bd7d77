package excel_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
)

var errTaken = &flussi.ValueError{Type: "Row", Err: errors.New("taken"), Reason: "C'è già."}

// What is found wrong later is told and marked like what decoding finds, in the order of
// the rows.
func TestRowsThatAreRefusedLaterAreMarked(t *testing.T) {
	tpl := template()
	file := resave(t, encode(t, tpl, generate(12)), func(f *excelize.File) { require.NoError(t, f.SetCellValue("Dati", "B5", "corto")) })
	d := decode(tpl, file)
	require.Equal(t, []int{11, 1}, []int{d.report.Rows, d.report.Invalid})
	d.report.RefuseRow(9, errTaken)
	d.report.RefuseRow(3, errors.Join(excel.RefuseError("Codice fiscale", errTaken), excel.Refuse("Oggetto", "Non va bene.")))
	d.report.RefuseRow(4, nil)
	d.report.DoubtRow(7, errTaken)
	d.report.DoubtRow(6, excel.RefuseError("Somma", errTaken))
	assert.Equal(t, []int{9, 3}, []int{d.report.Rows, d.report.Invalid})
	assert.False(t, d.report.OK())
	assert.Contains(t, d.report.Italian(), "Righe senza errori: 9. Righe con errori: 3.\n\nDa correggere (righe con errori):\n"+
		"- Riga 3, colonna A (Codice fiscale): C'è già.\n- Riga 3, colonna B (Oggetto): Non va bene.\n- Riga 5, colonna B (Oggetto): Il testo ha 5 caratteri: devono essere da 10 a 120.\n- Riga 9: C'è già.\n")
	assert.Contains(t, d.report.Italian(), "- Riga 6, colonna E (Somma): C'è già.\n- Riga 7: C'è già.\n")

	f := annotate(t, tpl, file, &d.report)
	for ref, color := range map[string]string{"A3": "FFC8CE", "B3": "FFC8CE", "B5": "FFC8CE", "A9": "FFC8CE", "E6": "FFEA9C", "A7": "FFEA9C", "A8": ""} {
		assert.Equal(t, color, fill(t, f, "Dati", ref), ref)
	}
	assert.Contains(t, comment(t, f, "Dati", "A9"), "C'è già.")
}

// Columns are told where they are in the file, not in the template.
func TestRowsThatAreRefusedLaterAreToldAtTheFilesColumns(t *testing.T) {
	csv := []byte("Oggetto;Testo;CF\nMensa scolastica;" + strings.Repeat("Gentile famiglia, la retta è da pagare. ", 4) + ";MSCMHL68P18H211K\n")
	var report excel.Report
	lines, err := excel.Collect(template().DecodeCSV(t.Context(), bytes.NewReader(csv), int64(len(csv)), &report))
	require.NoError(t, err)
	require.Len(t, lines, 1)
	report.RefuseRow(2, errors.Join(excel.RefuseError("Codice fiscale", errTaken), excel.RefuseError("Somma", errTaken)))
	assert.Equal(t, "C", report.Errors[0].Column)
	assert.Empty(t, report.Errors[1].Column, "it is not there")
}

func TestRowsThatAreRefusedLaterCountBeyondTheLimit(t *testing.T) {
	tpl := template(func(c *excel.Config[notice]) { c.Limits.Errors = 2 })
	d := decode(tpl, encode(t, tpl, generate(12)))
	for _, row := range slices.Backward([]int{2, 3, 4, 5}) {
		d.report.RefuseRow(row, errTaken)
		d.report.DoubtRow(row, errTaken)
	}
	assert.Equal(t, []int{8, 4, 2, 2, 2, 2}, []int{d.report.Rows, d.report.Invalid, len(d.report.Errors), d.report.MoreErrors, len(d.report.Notes), d.report.MoreNotes})
	assert.Equal(t, 4, d.report.Errors[0].Row)
}

// Hints are at the end of the summary, and above the list of errors.
func TestHintsInSummaryAndErrorList(t *testing.T) {
	tpl := template()
	file := resave(t, encode(t, tpl, generate(3)), func(f *excelize.File) { require.NoError(t, f.SetCellValue("Dati", "B3", "corto")) })
	for name, hints := range map[string][]string{"none": nil, "one": {"Le altre righe ci sono già."}, "two": {"Le altre righe ci sono già.", strings.Repeat("Importare di nuovo la copia. ", 8)}} {
		t.Run(name, func(t *testing.T) {
			d := decode(tpl, file)
			d.report.Hints = hints
			f := annotate(t, tpl, file, &d.report)
			for i, hint := range hints {
				assert.Contains(t, d.report.Italian(), "\n"+hint+"\n")
				text, err := f.GetCellValue("Errori", fmt.Sprintf("A%d", 3+i))
				require.NoError(t, err)
				assert.Equal(t, hint, text)
			}
			head, err := f.GetCellValue("Errori", fmt.Sprintf("C%d", 4+len(hints)))
			require.NoError(t, err)
			assert.Equal(t, "Che cosa correggere", head)
		})
	}
}
