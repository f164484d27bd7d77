package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/internal/golden"
	"github.com/flussi-go/flussi/internal/leaktest"
	"github.com/flussi-go/flussi/internal/must"
)

// fixtures are files of package paymentfile.
func fixtures(names ...string) []string {
	var all []string
	for _, name := range names {
		all = append(all, filepath.Join("../../pagoinrete/paymentfile/testdata", name))
	}
	return all
}

// reconcile runs the command on a terminal of 80 columns.
func reconcile(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var b bytes.Buffer
	code, errs = run(t.Context(), &b, 80, append([]string{"riconcilia"}, args...)...)
	for line := range strings.Lines(b.String()) {
		if line = strings.TrimSuffix(line, "\n"); strings.Contains(line, " ") { // a path is not broken
			assert.LessOrEqual(t, text.StringWidth(line), 80, line)
		}
	}
	return code, b.String(), errs
}

// All kinds of files, in an order in which nothing comes before what it needs.
func TestFilesAreReconciledAndPrinted(t *testing.T) {
	folder := t.TempDir()
	rows := filepath.Join(folder, "movimenti.csv")
	require.NoError(t, os.WriteFile(rows, []byte("Numero sospeso;Data;Importo;Causale\r\n201;05/03/2030;50,00;/PUR/LGPE-RIVERSAMENTO/URI/2030-03-04ALTRO-1\r\n202;31/02/2030;1,00;x\r\n"), 0o600))
	other := filepath.Join(folder, "altro.pdf")
	require.NoError(t, os.WriteFile(other, []byte("%PDF-1.4 segreto"), 0o600))
	files := append(fixtures("journal-1.8.xml", "journal-1.7.1-2.xml", "receipt-v1.xml", "payments-2.json", "payments-1.json", "settlement.json", "settlement-1.0.xml", "settlement-1.0.xml"),
		rows, other, filepath.Join(folder, "manca.xml"))
	code, out, errs := reconcile(t, files...)
	assert.Equal(t, cli.Failure, code, "some files were not applied as a whole")
	assert.Empty(t, errs)
	golden.File(t, "testdata/riconcilia.txt", out)
	leaktest.Check(t, []string{"ALUNNO BIANCHI", "RSSMRA80A01H501U", "IT60X0542811101000000123456", "ROSSI MARIO", "segreto"}, out)
}

func TestReconciliationWritesTheWorkbook(t *testing.T) {
	report := filepath.Join(t.TempDir(), "esito.xlsx")
	args := append([]string{"--report", report}, fixtures("settlement-1.0.xml", "journal-1.8.xml")...)
	code, out, errs := reconcile(t, args...)
	require.Equal(t, cli.OK, code, errs)
	assert.Contains(t, out, "esito.xlsx")
	book := must.Get(excelize.OpenFile(report))(t)
	defer book.Close()
	assert.Len(t, must.Get(book.GetRows("Pagamenti"))(t), 5)
	assert.Equal(t, os.FileMode(0o600), must.Get(os.Stat(report))(t).Mode().Perm())

	code, _, errs = reconcile(t, args...)
	assert.Equal(t, cli.Failure, code)
	assert.Contains(t, errs, "Il file del report esiste già")
}

// The files of a demo find its notices.
func TestReconciliationFindsTheNoticesOfADemo(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "prova")
	code, errs := run(t.Context(), &bytes.Buffer{}, 80, "--dir", folder)
	require.Equal(t, cli.OK, code, errs)
	report := filepath.Join(folder, "riconciliazione.xlsx")
	code, _, errs = reconcile(t, "--dir", folder, filepath.Join(folder, "giornale.xml"))
	require.Equal(t, cli.OK, code, errs)
	code, out, errs := reconcile(t, "--dir", folder, "--report", report, filepath.Join(folder, "flusso-2.xml"), filepath.Join(folder, "flusso-1.xml")) // the journal is stored
	require.Equal(t, cli.OK, code, errs)
	for _, want := range []string{"Flusso e tesoreria", "Flusso senza tesoreria", "Importo diverso da quello atteso", "IUV sconosciuto", "Pagato più di una volta",
		"Avvisi  ", "Pagamento riscontrato automaticamente", "Avvisi con una discrepanza da verificare"} {
		assert.Contains(t, out, want)
	}
	book := must.Get(excelize.OpenFile(report))(t)
	defer book.Close()
	cells := slices.Concat(must.Get(book.GetRows("Dati per reversali"))(t)...) // in the order in which they were stored
	assert.Contains(t, cells, "Viaggio a Firenze")
	assert.Contains(t, cells, "06/04")
}

// What an office enters in the templates is reconciled.
func TestTemplatesAreWrittenAndReadBack(t *testing.T) {
	folder := t.TempDir()
	var b bytes.Buffer
	code, errs := run(t.Context(), &b, 80, "modelli", folder)
	require.Equal(t, cli.OK, code, errs)
	for _, name := range []string{"pagamenti.xlsx", "movimenti.xlsx"} {
		assert.FileExists(t, filepath.Join(folder, name))
	}
	name := filepath.Join(folder, "movimenti.csv")
	file := must.Get(os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0))(t)
	must.Get(file.WriteString("101;05/03/2030;175,00;/PUR/LGPE-RIVERSAMENTO/URI/2030-03-04PSPXITR1XXX-F000123456;;;;\r\n"))(t)
	require.NoError(t, file.Close())
	code, out, errs := reconcile(t, append(fixtures("settlement-1.0.xml"), name)...)
	require.Equal(t, cli.OK, code, errs)
	assert.Contains(t, out, "Abbinato a un flusso")

	code, errs = run(t.Context(), &b, 80, "modelli", folder)
	assert.Equal(t, cli.Failure, code)
	assert.Contains(t, errs, "esiste già")
	code, errs = run(t.Context(), &b, 80, "modelli", filepath.Join(folder, "manca"))
	assert.Equal(t, cli.Failure, code)
	assert.Contains(t, errs, "verificare che la cartella esista")
}

func TestWrongReconciliationsAreExplained(t *testing.T) {
	code, _, errs := reconcile(t)
	assert.Equal(t, cli.Usage, code)
	assert.Contains(t, errs, "Mancano argomenti")
	code, _, errs = reconcile(t, "--ente", "123", "x.xml")
	assert.Equal(t, cli.Usage, code)
	assert.Contains(t, errs, "Opzione --ente")
	code, _, errs = reconcile(t, "--dir", t.TempDir(), "x.xml")
	assert.Equal(t, cli.Failure, code)
	assert.Contains(t, errs, "La cartella non ha l'archivio segreteria.db")
	code, out, _ := reconcile(t, append([]string{"--ente", "15376371009"}, fixtures("settlement-1.0.xml")...)...)
	assert.Equal(t, cli.Failure, code)
	assert.Contains(t, strings.ReplaceAll(out, "\n", " "), "il file è destinato a un altro ente, e non è stato applicato")

	folder := t.TempDir()
	other := filepath.Join(folder, "altro.csv")
	require.NoError(t, os.WriteFile(other, []byte("a;b\r\n1;2\r\n"), 0o600))
	code, out, errs = reconcile(t, "--report", filepath.Join(folder, "manca", "esito.xlsx"), folder, other)
	assert.Equal(t, cli.Failure, code)
	assert.Contains(t, out, ": è una cartella: indicare i file che contiene.")
	assert.Contains(t, strings.ReplaceAll(out, "\n", " "), "altro.csv: le colonne non sono quelle di un modello: si scrivono con il comando modelli.")
	assert.Contains(t, errs, "Il file del report non si può scrivere")
}

// A file that is given twice is told and joined once, and what is missing of a settlement or a journal
// is told by its name.
func TestFilesThatAreJoinedAreToldIfPartsAreMissing(t *testing.T) {
	all := fixtures("settlement.json", "payments-1.json", "payments-2.json")
	code, out, errs := reconcile(t, append(all, all...)...)
	require.Equal(t, cli.OK, code, errs)
	assert.Contains(t, out, "il file è uguale a uno già indicato")
	assert.NotContains(t, out, "non affidabile")
	assert.Regexp(t, `Totale dei pagamenti +3 +155,61 €`, out)

	for missing, given := range map[string][]string{"Manca la pagina 2.": all[:2], "Mancano le pagine dei pagamenti.": all[:1]} {
		code, out, _ = reconcile(t, given...)
		assert.Equal(t, cli.Failure, code)
		assert.Contains(t, out, "Flusso in JSON 2030-03-04PSPXITR1XXX-F000123458: applicato.\n    "+missing)
		assert.Contains(t, out, "Totale del file non affidabile")
	}

	page := fixtures("journal-1.7.1-1.xml")
	code, out, errs = reconcile(t, append(page, page...)...)
	require.Equal(t, cli.OK, code, errs)
	assert.Contains(t, strings.ReplaceAll(out, "\n", " "), "#001#002: incompleto fra i file indicati. Manca la pagina 2. ")
}

// An office that corrects rows learns that the correction was not taken, instead of a file that seems
// to be applied.
func TestRowsThatChangeNothingAreTold(t *testing.T) {
	folder := t.TempDir()
	write := func(name, amount string) string {
		name = filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(name, []byte("ID flusso;PSP;IUV;IUR;Importo\r\n2030-03-04X-1;X;01000000000000101;A;"+amount+"\r\n2030-03-04X-2;X;01000000000000101;B;1,00\r\n"), 0o600))
		return name
	}
	first := write("1.csv", "10,00")
	code, out, errs := reconcile(t, first, first)
	require.Equal(t, cli.OK, code, errs)
	assert.Contains(t, strings.Join(strings.Fields(out), " "), "2030-03-04X-1: il flusso era già stato acquisito, in questa revisione o in una più recente. Per correggerlo, scrivere una revisione maggiore.")
	code, out, _ = reconcile(t, write("2.csv", "1.000.000.000,00"))
	assert.Equal(t, cli.Failure, code)
	assert.Contains(t, strings.Join(strings.Fields(out), " "), "L'importo deve essere fra 0,01 € e 999.999.999,99 €.")
	assert.Regexp(t, `Totale dei pagamenti +1 +1,00 €`, out, "the other rows are applied")
}
