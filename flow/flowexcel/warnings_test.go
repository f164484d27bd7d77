package flowexcel_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowexcel"
	"github.com/flussi-go/flussi/internal/exceltest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/mailmerge"
)

// onlyItalian is a content whose buttons have no English version, and a line that the app ignores.
const onlyItalian = "---\nit:\n  cta_1:\n    text: Paga\n    action: iohandledlink://https://example.com\n  cta_3:\n    text: x\n---\n"

const (
	ignored   = "L'app ignora la riga 6 del contenuto, nella definizione dei pulsanti."
	noEnglish = "I pulsanti sono definiti solo in italiano, e chi usa l'app in inglese non li vede."
)

// A part that the app ignores is a doubt about its row, which is imported all the same.
func TestImportsReportWhatTheAppIgnores(t *testing.T) {
	w, tpl := newWorld(t), template(t)
	row := func(n int, before string) map[string]any {
		r := plainRow(n)
		r["Contenuto"] = before + text
		return r
	}
	file := fill(t, tpl, row(1, ""), row(2, onlyItalian), row(3, ""), row(4, onlyItalian))
	var reading excel.Report
	added := must.Get(w.add(t, w.flow.ID, rowsOf(t, tpl, file, &reading), flow.AddConfig{}))(t)
	assert.Equal(t, 4, added.Added)
	assert.Equal(t, 2, added.WarningCount)
	told := flowexcel.Italian(&reading, added, 0)
	assert.Contains(t, told, "Notifiche importate: 4.")
	assert.Contains(t, told, "Righe senza errori: 4. Righe con errori: 0.")
	for _, n := range []int{3, 5} {
		for _, doubt := range []string{ignored, noEnglish} {
			assert.Contains(t, told, fmt.Sprintf("- Riga %d, colonna C (Contenuto): %s\n", n, doubt))
		}
	}
	assert.Contains(t, told[strings.Index(told, "Da verificare"):], noEnglish)

	// The copy of the file marks it, too.
	var marked bytes.Buffer
	require.NoError(t, tpl.Annotate(t.Context(), &marked, bytes.NewReader(file), int64(len(file)), &reading, added))
	f := must.Get(excelize.OpenReader(bytes.NewReader(marked.Bytes())))(t)
	assert.Contains(t, fmt.Sprint(exceltest.CommentIn(t, f, f.GetSheetName(0), "C3")), noEnglish)
}

// All rows have the front matter of a mail merge.
func TestMailMergesReportWhatTheAppIgnores(t *testing.T) {
	merged := must.Get(mailmerge.Parse("Oggetto del messaggio", onlyItalian+"Gentile {{.Nome}},"+strings.Repeat(" per informazioni scrivere all'ufficio.", 4), mailmerge.Config{}))(t)
	w, tpl := newWorld(t), must.Get(flowexcel.New(flowexcel.Config{Text: merged}))(t)
	file := []byte("Codice fiscale;Nome\n" + citizen(1).Reveal() + ";Ugo\n" + citizen(2).Reveal() + ";Ada\n")
	var reading excel.Report
	added := must.Get(w.add(t, w.flow.ID, rowsOf(t, tpl, file, &reading), flow.AddConfig{MaxErrors: 1}))(t)
	assert.Equal(t, 2, added.Added)
	told := flowexcel.Italian(&reading, added, 0)
	assert.Contains(t, told, "- Riga 2: "+noEnglish+"\n- Riga 2: "+ignored+"\n")
	assert.NotContains(t, told, "Riga 3: ")
	assert.Contains(t, told, "… e 1 altra osservazione.")
	row := must.Get(tpl.Preview(t.Context(), bytes.NewReader(file), int64(len(file)), 2))(t)
	assert.ErrorContains(t, row.Draft.Check(), "Content")
}

// Corrections report doubts, too.
func TestCorrectionsReportWhatTheAppIgnores(t *testing.T) {
	w := newWorld(t)
	n := w.seed(t, 1, refused)
	done := w.corrects(t, w.edited(t, map[string]any{exceltest.Ref(column(t, "Contenuto"), 2): onlyItalian + text}))
	assert.Equal(t, 1, done.Corrected)
	assert.Contains(t, done.Italian(0), noEnglish)
	assert.Equal(t, flow.NotificationRegistered, w.get(t, n.ID).State)
}

// A due date that is over, and a notice number that another citizen has, are doubts about rows that
// are imported.
func TestImportsReportPastDueDatesAndSharedNoticeNumbers(t *testing.T) {
	w := newWorld(t)
	file := []byte("Codice fiscale;Oggetto;Contenuto;Scadenza;Somma;Numero avviso\n")
	for n, number := range []string{"301005100001400678", "301005100002676705", "301005100001400678"} {
		file = fmt.Appendf(file, "%s;Avviso di pagamento;%s;31/12/2001;10,00;%s\n", citizen(n).Reveal(), text, number)
	}
	var reading excel.Report
	added := must.Get(w.add(t, w.flow.ID, rowsOf(t, template(t), file, &reading), flow.AddConfig{}))(t)
	assert.Equal(t, 3, added.Added)
	told := flowexcel.Italian(&reading, added, 0)
	for n := range 3 {
		assert.Equal(t, 1, strings.Count(told, fmt.Sprintf("- Riga %d, colonna D (Scadenza): La scadenza 31/12/2001 è già passata.\n", n+2)), told)
	}
	assert.Contains(t, told, "- Riga 4, colonna F (Numero avviso): Lo stesso numero avviso è alla riga 2, per un altro cittadino: verificare chi deve pagare.\n")
	assert.Equal(t, 1, strings.Count(told, "Lo stesso numero avviso"))
}
