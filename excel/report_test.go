package excel_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/must"
)

var errTaken = &flussi.ValueError{Type: "Row", Err: errors.New("taken"), Reason: "C'è già."}

// What is found wrong later is told and marked like what decoding finds, in the order of
// the rows.
func TestRowsThatAreRefusedLaterAreMarked(t *testing.T) {
	tpl := template()
	file := withCells(t, tpl, 12, map[string]string{"B5": "corto"})
	d := decode(tpl, file)
	require.Equal(t, []int{11, 1}, []int{d.report.Rows, d.report.Invalid})
	d.wrong = append(d.wrong, &flussi.RowError{Row: 9, Err: errTaken},
		&flussi.RowError{Row: 3, Err: errors.Join(excel.NewCellError("Codice fiscale", errTaken), excel.NewCheckError("Oggetto", "Non va bene."))})
	d.report.AddWarning(4, nil)
	d.report.AddWarning(7, errTaken)
	d.report.AddWarning(6, excel.NewCellError("Somma", errTaken))
	assert.Contains(t, d.italian(), "Righe senza errori: 9. Righe con errori: 3. Righe «Totale» non lette: 1.\n\nDa correggere (righe con errori):\n"+
		"- Riga 3, colonna A (Codice fiscale): C'è già.\n- Riga 3, colonna B (Oggetto): Non va bene.\n- Riga 5, colonna B (Oggetto): Il testo ha 5 caratteri: devono essere da 10 a 120.\n- Riga 9: C'è già.\n")
	assert.Contains(t, d.italian(), "- Riga 6, colonna E (Somma): C'è già.\n- Riga 7: C'è già.\n")

	f := annotate(t, tpl, file, d)
	for ref, color := range map[string]string{"A3": "FF9FA9", "B3": "FF9FA9", "B5": "FF9FA9", "A9": "FFE9EC", "J9": "FFE9EC", "E6": "FFDF7E", "A7": "FFF7DE", "A8": ""} {
		assert.Equal(t, color, fill(t, f, ref), ref)
	}
	assert.Contains(t, commentAt(t, f, "A9"), "C'è già.")
}

// Columns are told where they are in the file, not in the template.
func TestRowsThatAreRefusedLaterAreToldAtTheFilesColumns(t *testing.T) {
	csv := []byte("Oggetto;Testo;CF\nMensa scolastica;" + strings.Repeat("Gentile famiglia, la retta è da pagare. ", 4) + ";MSCMHL68P18H211K\n")
	var report excel.Report
	require.Len(t, linesOf(t, template().DecodeCSV, csv, &report), 1)
	located := report.Locate(&flussi.RowError{Row: 2, Other: 7, Err: errors.Join(excel.NewCellError("Codice fiscale", errTaken), excel.NewCellError("Somma", errTaken))})
	assert.Equal(t, []int{2, 7}, []int{located.Row, located.Other})
	assert.Equal(t, "Riga 2, colonna C (Codice fiscale): C'è già. Somma: Nel file manca questa colonna. C'è già.", located.Italian(), "one of them is not there")
	assert.Equal(t, located, report.Locate(located))
}

func TestRowsThatAreRefusedLaterCountBeyondTheLimit(t *testing.T) {
	tpl := template(func(c *config) { c.Limits.Errors = 2 })
	d := decode(tpl, encode(t, tpl, generate(12)))
	for _, row := range slices.Backward([]int{2, 3, 4, 5}) {
		d.wrong = append(d.wrong, &flussi.RowError{Row: row, Err: errTaken})
		d.report.AddWarning(row, errTaken)
	}
	assert.Equal(t, []int{2, 2}, []int{len(d.report.Notes), d.report.MoreNotes})
	for more, want := range []string{"Righe senza errori: 8. Righe con errori: 4.", "Righe senza errori: 7. Righe con errori: 5."} {
		text := d.report.Italian(&excel.RowsError{Rows: d.wrong, Invalid: 4 + more}, 0)
		must.Contain(t, text, want, fmt.Sprintf("(righe con errori):\n- Riga 2: C'è già.\n- Riga 3: C'è già.\n… e %d altri errori.\n", 2+more))
	}
}

// Hints are at the end of the summary, and above the list of errors.
func TestHintsInSummaryAndErrorList(t *testing.T) {
	tpl := template()
	file := withCells(t, tpl, 3, map[string]string{"B3": "corto"})
	for name, hints := range map[string][]string{"none": nil, "one": {"Le altre righe ci sono già."}, "two": {"Le altre righe ci sono già.", strings.Repeat("Importare di nuovo la copia. ", 8)}} {
		t.Run(name, func(t *testing.T) {
			d := decode(tpl, file)
			d.report.Hints = hints
			f := annotate(t, tpl, file, d)
			for i, hint := range hints {
				assert.Contains(t, d.italian(), "\n"+hint+"\n")
				assert.Equal(t, hint, must.Get(f.GetCellValue("Errori", fmt.Sprintf("A%d", 3+i)))(t))
			}
			assert.Equal(t, "Che cosa correggere", must.Get(f.GetCellValue("Errori", fmt.Sprintf("C%d", 4+len(hints))))(t))
		})
	}
}
