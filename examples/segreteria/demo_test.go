package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/internal/must"
)

// The guide's first table, cell by cell.
var guideTable = [][]string{
	{"1", "Creazione tassa Nuvola/evento di pagamento (con relative rate)", "Non trasmesso a Pago in Rete", ""},
	{"2", "Trasmissione evento di pagamento a Pago in Rete", "Simulato", ""},
	{"3", "Creazione pagamenti Nuvola", "Simulato", "Non collegato a Pago in Rete"},
	{"4", "Trasmissione avvisi di pagamento a Pago in Rete", "Simulato", "Non pagato (Non notificato)"},
	{"5", "Modifica tassa rendendo l'evento DA APPROVARE", "Da approvare", "Non pagato (Non notificato)"},
	{"6", "Modifica tassa per APPROVAZIONE (o Rifiuto) da parte del DS", "Da notificare", "Non pagato (Non notificato)"},
	{"7", "Modifica tassa per NOTIFICA evento di pagamento", "Notificato", "Non pagato (Notificato)"},
	{"8", "Scarico file .pdf degli avvisi di pagamento", "Notificato", "Non pagato (Notificato)"},
	{"9", "Rendere visibile il pagamento in Area Tutore", "Notificato", "Non pagato (Notificato)"},
	{"10", "Verifica stato avviso di pagamento", "Notificato", "Pagato (Pagato online)"},
}

// run runs the program on a terminal of a width, and returns its exit code and what it said.
func run(ctx context.Context, to io.Writer, width int, args ...string) (int, string) {
	var errs bytes.Buffer
	c := command(&cli.Output{To: to, Width: width})
	c.SetArgs(args)
	return cli.Run(ctx, c, &errs), errs.String()
}

// part returns what was said in the part with the number.
func part(t *testing.T, said, title string) string {
	_, rest, found := strings.Cut(said, title+"\n\n")
	require.True(t, found, title)
	inside, _, _ := strings.Cut(rest, "\n── ")
	return inside
}

// cells returns the cells of the tables in a text.
func cells(text string) (rows [][]string) {
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "│") {
			continue
		}
		parts := strings.Split(strings.Trim(line, "│\n"), "│")
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
		rows = append(rows, parts)
	}
	return rows
}

func TestTheDemoShowsTheGuidesTableAndTheRest(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "prova")
	var out bytes.Buffer
	code, errs := run(t.Context(), &out, 0, "--dir", folder)
	require.Equal(t, cli.OK, code, errs)
	assert.Empty(t, errs)
	said := out.String()

	table := cells(part(t, said, "La tabella della guida, dagli stati letti dopo ogni operazione"))
	assert.Equal(t, []string{"N.", "Operazione", "Stato evento di pagamento", "Stato avviso di pagamento"}, table[0])
	assert.Equal(t, guideTable, table[1:])

	denied := cells(part(t, said, "Operazioni rifiutate a chi non è abilitato"))
	assert.Contains(t, denied, []string{"m.conti (A.A.)", "6. Approvare l'evento", "L'azione «Approva l'evento di pagamento su Pago in Rete» è riservata al ruolo «DS»."})
	assert.Len(t, denied, 6)

	for title, wants := range map[string][]string{
		"Le dieci operazioni della guida, per una tassa in due rate": {
			"Nessun avviso è stato creato: correggere le righe con errori e importare di nuovo il file.", "Righe senza errori: 7. Righe con errori: 3.", "Riga 5, colonna A", "Riga 8, colonna G", "Riga 11, colonna E (Rata): La rata non esiste: l'evento ha 2 rate.",
			"10 righe, 20 avvisi per 1.470,00 €.", "Trasmessi: 19. Rifiutati: 0. Senza risposta: 1.", "Trasmessi: 1. Rifiutati: 0. Senza risposta: 0.",
			"Famiglie che hanno fatto l'accesso: 8.", "File nella cartella «avvisi»: 20", "File interrotti a metà e scaricati di nuovo: 1.", "Da pagare", "Avvisi con uno stato nuovo: 10. Discrepanze: 0."},
		"Un evento che il DS rifiuta, corretto e di nuovo sottoposto": {"La causale non dice quali musei.", "Rifiutato", "Modifica", "Da notificare"},
		"Un'erogazione liberale: le operazioni che non si fanno":      {"Un'erogazione liberale non ha avvisi di pagamento: passare all'operazione successiva.", "è «Notificato»"},
		"Riconciliazione con il PSP e con la tesoreria": {
			"Importo diverso da quello atteso: 1 riga per 98,00 €", "IUV sconosciuto: 1 riga per 42,00 €", "Pagato più di una volta: 1 riga per 100,00 €",
			"Applicando il flusso un'altra volta, non cambia nulla.", "Abbinamento a mano: il sospeso 350 (Accantonato) è il bonifico per Marchetti Chiara, rata 1, ora «Pagamento riscontrato manualmente»."},
		"Un alunno che si ritira: annullato e rimborsato": {"«Rimborsato»", "«Annullato»"},
		"I messaggi ai genitori, con App IO, sugli avvisi ancora da pagare": {"Messaggi preparati: 5.", "«Invio incompleto». Messaggi inviati: 4. Messaggi in errore: 1.", "Destinatario non raggiungibile", "Una seconda volta: Non ci sono messaggi da preparare.",
			"Un sollecito ha un'altra occasione, qui «primo sollecito». Messaggi preparati: 5.", "hanno già un messaggio per l'occasione «primo sollecito»"},
		"L'esito": {"3 eventi e 23 avvisi, nessuno creato due volte; 4 messaggi consegnati, nessuno due volte", filepath.Join(folder, "esito.xlsx")},
	} {
		for _, want := range wants {
			assert.Contains(t, part(t, said, title), want, title)
		}
	}

	assert.Equal(t, [][]string{
		{"Macrostato Scuola", "Stato utente Scuola", "Stato utente Famiglia", "Avvisi"},
		{"Non pagato", "Non pagato (Non notificato)", "Da pagare", "6"},
		{"Non pagato", "Non pagato (Notificato)", "Da pagare", "5"},
		{"Non pagato", "Non pagato (RPT inviata in attesa di RT)", "In attesa di ricevuta", "1"},
		{"Pagato", "Pagato (Pagato online)", "Pagato", "1"},
		{"Pagato", "Pagamento confermato", "Pagato", "3"},
		{"Pagato", "Pagamento riscontrato automaticamente", "Pagato", "4"},
		{"Pagato", "Pagamento riscontrato manualmente", "Pagato", "1"},
		{"Annullato", "Annullato", "Annullato", "1"},
		{"Rimborsato", "Rimborsato", "Rimborsato", "1"},
	}, cells(part(t, said, "Gli avvisi della scuola, con i tre nomi di ogni stato")))

	files := must.Get(filepath.Glob(filepath.Join(folder, "avvisi", "*.pdf")))(t)
	assert.Len(t, files, 20)
	for _, name := range files {
		data := must.Get(os.ReadFile(name))(t)
		assert.True(t, bytes.HasPrefix(data, []byte("%PDF-")) && bytes.HasSuffix(bytes.TrimSpace(data), []byte("%%EOF")), "whole")
	}
	book := must.Get(excelize.OpenFile(filepath.Join(folder, "esito.xlsx")))(t)
	defer book.Close()
	assert.Len(t, must.Get(book.GetRows("Avvisi"))(t), 24)
	assert.FileExists(t, filepath.Join(folder, "alunni-errori.xlsx"))
}

// Whatever the terminal, no line is longer, and all of it remains short enough to be read.
func TestTheDemoFitsOnTheTerminal(t *testing.T) {
	for _, width := range []int{58, 120} {
		var out bytes.Buffer
		folder := filepath.Join(t.TempDir(), "prova")
		code, errs := run(t.Context(), &out, width, "--dir", folder)
		require.Equal(t, cli.OK, code, errs)
		lines := strings.Split(out.String(), "\n")
		assert.Less(t, len(lines), 500)
		for _, line := range lines {
			if !strings.Contains(line, folder) { // a path is not broken
				assert.LessOrEqual(t, text.StringWidth(line), width, line)
			}
		}
	}
}

func TestAFolderThatIsThereIsNotTouched(t *testing.T) {
	var out bytes.Buffer
	code, errs := run(t.Context(), &out, 0, "--dir", t.TempDir())
	assert.Equal(t, cli.Failure, code)
	assert.Contains(t, errs, "La cartella esiste già: indicare una cartella nuova con --dir.")
	code, errs = run(t.Context(), &out, 0, "--dir", filepath.Join(t.TempDir(), "a", "b"))
	assert.Equal(t, cli.Failure, code)
	assert.Contains(t, errs, "La cartella per i file non si può creare: indicare un altro percorso con --dir.")
	assert.Empty(t, out.String())
}

func TestAWrongCommandIsExplained(t *testing.T) {
	for _, args := range [][]string{{"demo", "altro"}, {"--porta"}, {"--pause", "5"}, {"--pause", "-5s"}} {
		var out bytes.Buffer
		code, errs := run(t.Context(), &out, 0, args...)
		assert.Equal(t, cli.Usage, code, args)
		assert.Contains(t, errs, "segreteria --help")
		assert.Empty(t, out.String())
	}
	var out bytes.Buffer
	code, _ := run(t.Context(), &out, 0, "--help")
	assert.Equal(t, cli.OK, code)
	assert.Contains(t, out.String(), "raggiunge Pago In Rete, App IO o le famiglie")
	assert.NotContains(t, out.String(), "Usage")
}

// writer is a function that is written to.
type writer func(string) error

func (w writer) Write(p []byte) (int, error) { return len(p), w(string(p)) }

// Wherever it is interrupted, it says so and ends with the code of Ctrl-C.
func TestAnInterruptionEndsTheDemoCleanly(t *testing.T) {
	for _, at := range []string{" 4. ", "10. ", "── 4. ", "── 6. ", "── 9. ", "── 10. "} {
		ctx, interrupt := context.WithCancel(t.Context())
		defer interrupt()
		code, errs := run(ctx, writer(func(said string) error {
			if strings.HasPrefix(strings.TrimPrefix(said, "\n"), at) {
				interrupt()
			}
			return nil
		}), 0, "--dir", filepath.Join(t.TempDir(), "prova"))
		assert.Equal(t, cli.Interrupted, code, "%s: %s", at, errs)
		assert.Contains(t, strings.ToLower(errs), "interr", at)
	}
}

func TestAResultThatNobodyGetsIsAFailure(t *testing.T) {
	code, _ := run(t.Context(), writer(func(string) error { return os.ErrClosed }), 0, "--dir", filepath.Join(t.TempDir(), "prova"))
	assert.Equal(t, cli.Failure, code)
}
