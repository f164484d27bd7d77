package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/examples/internal/sheets"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
)

// office is a folder, a database and a simulator to try commands with.
type office struct {
	platform *appiotest.Server
	folder   string
	env      map[string]string
	imports  int
	answer   string // to a question; "": nobody can be asked
}

func newOffice(t *testing.T) *office {
	o := &office{platform: appiotest.NewServer(appiotest.Config{Unlimited: true}), folder: t.TempDir()}
	t.Cleanup(o.platform.Close)
	o.platform.AddService(appiotest.Service{ID: sandboxService, Key: sandboxKey})
	o.platform.AddService(appiotest.Service{ID: "tributi", Key: "chiave-segreta"})
	o.env = map[string]string{"MASSIVO_STORE": o.path("massivo.db"), "MASSIVO_URL": o.platform.URL, "MASSIVO_OPERATOR": "m.neri"}
	return o
}

func (o *office) path(name string) string { return filepath.Join(o.folder, name) }

// run runs a command, and returns its exit code and all that it said.
func (o *office) run(args ...string) (int, string) { return o.runUntil(context.Background(), args...) }

func (o *office) runUntil(ctx context.Context, args ...string) (int, string) {
	var said bytes.Buffer
	out := &cli.Output{To: &said}
	p := &program{in: strings.NewReader(o.answer + "\n"), out: out, errs: out, asks: o.answer != "",
		getenv: func(name string) string { return o.env[name] }}
	root := p.command()
	root.SetArgs(append(args, "--calls=1000000"))
	return cli.Run(ctx, root, out), said.String()
}

// ran runs a command that must end with the code, and returns its output.
func (o *office) ran(t *testing.T, code int, args ...string) string {
	t.Helper()
	got, said := o.run(args...)
	require.Equal(t, code, got, said)
	return said
}

// workbook writes avvisi.xlsx with notifications to citizens from the first on, and returns its path.
func (o *office) workbook(t *testing.T, first, rows int) string {
	writeWorkbook(t, o.path("avvisi.xlsx"), first, rows)
	return o.path("avvisi.xlsx")
}

// imported imports a workbook with so many good rows, and returns the flow.
func (o *office) imported(t *testing.T, rows int, args ...string) string {
	o.imports++
	file := o.workbook(t, 1000*o.imports, rows) // others each time
	return flowIn(t, o.ran(t, 0, append([]string{"import", file}, args...)...))
}

// idsIn returns the IDs of the rows of a table.
func idsIn(said string) []string {
	var ids []string
	for _, found := range regexp.MustCompile(`│ (\S{36}) │`).FindAllStringSubmatch(said, -1) {
		ids = append(ids, found[1])
	}
	return ids
}

func contentOf(t *testing.T, name string) []byte {
	t.Helper()
	content := must.Get(os.ReadFile(name))(t)
	return content
}

// setCell changes a cell of the first sheet of a workbook.
func setCell(t *testing.T, file, cell, text string) {
	t.Helper()
	require.NoError(t, sheets.Edit(file, func(book *excelize.File, sheet string) error { return book.SetCellStr(sheet, cell, text) }))
}

func flowIn(t testing.TB, said string) string {
	found := regexp.MustCompile(`nel flusso (\S+)`).FindStringSubmatch(said)
	require.NotNil(t, found, said)
	return found[1]
}

func TestTheDemoPlaysToItsEnd(t *testing.T) {
	o := newOffice(t)
	said := o.ran(t, 0, "demo", "--dir", o.path("demo"))
	must.Contain(t, said,
		"Righe senza errori: 194. Righe con errori: 6.",
		"avvisi-errori.xlsx",
		"Errore: Destinatario non raggiungibile │         5",
		"Errore: Esito sconosciuto              │         3",
		"Inviato                                │       191",
		"messaggi consegnati a 191 cittadini; nessuno ha ricevuto due volte lo stesso messaggio",
		"esito.xlsx",
	)
	for _, name := range []string{"avvisi.xlsx", "avvisi-errori.xlsx", "correzioni.xlsx", "esito.xlsx", "massivo.db"} {
		assert.FileExists(t, filepath.Join(o.path("demo"), name))
	}
	assert.Zero(t, o.platform.Received(appiotest.SubmitMessage), "the demo has a simulator of its own")
}

func TestAFlowGoesItsWayByCommands(t *testing.T) {
	o := newOffice(t)
	o.platform.Fail(appiotest.SubmitMessage, appiotest.Fault{}, appiotest.Fault{Kind: appiotest.BadRequest}, appiotest.Fault{Kind: appiotest.GatewayTimeout, Stored: true})
	id := o.imported(t, 5, "--note", "TARI 2026", "--app-context", "TRIBUTI", "--app-key", "42")

	must.Contain(t, o.ran(t, 0, "list", "--state", "inattivo", "--text", "tari"), id, "TARI 2026")

	must.Contain(t, o.ran(t, exitIncomplete, "send", "--workers", "1"), "SIMULATORE: nessun messaggio arriva ai cittadini.", "Invio incompleto")

	assert.Contains(t, o.ran(t, 0, "resolve", "--flow", id), "Esito sconosciuto")
	assert.Contains(t, o.ran(t, cli.Usage, "resolve", "--flow", id, "--sent"), "Serve il motivo")
	assert.Contains(t, o.ran(t, 0, "resolve", "--flow", id, "--sent", "--reason", "il cittadino conferma"), "Decisioni registrate: 1 di 1.")

	o.ran(t, 0, "export", id, o.path("correzioni.xlsx"))
	assert.Contains(t, o.ran(t, exitRows, "import", o.path("correzioni.xlsx")), "Il file è un'esportazione, e le sue notifiche ci sono già.") // not imported as new

	said := o.ran(t, exitIncomplete, "resend", id, o.path("correzioni.xlsx"))
	assert.Contains(t, said, "Flusso "+id+": Invio incompleto", "nothing was corrected")
	o.ran(t, 0, "resend", id, "--error", "rifiutata")
	assert.Len(t, o.platform.Deliveries(), 5)

	assert.Contains(t, o.ran(t, 0, "verify"), "Consegnati: 4")

	said = o.ran(t, 0, "show", id, "--recipient", appiotest.SampleCitizen(1003).Reveal())
	must.Contain(t, said, "TRIBUTI", "Inviato", "Verifica Stato", appiotest.SampleCitizen(1003).Reveal())
	notification := idsIn(said)[0]
	assert.Contains(t, o.ran(t, 0, "show", notification), "PROCESSED")
	assert.Contains(t, o.ran(t, 0, "history", notification), "Presa in carico")
	assert.Contains(t, o.ran(t, 0, "history", id), "m.neri")

	assert.Contains(t, o.ran(t, 0, "list", "notifications", "--notice", appiotest.SampleNotice(1002).Reveal()), appiotest.SampleCitizen(1002).Reveal())
}

func TestWrongRowsStoreNothingUnlessTheGoodOnesAreAskedFor(t *testing.T) {
	o := newOffice(t)
	name := o.workbook(t, 0, 3)
	setCell(t, name, "A3", "ROSSI MARIO")
	said := o.ran(t, exitRows, "import", name)
	must.Contain(t, said, "Riga 3, colonna A", "Non è stato importato niente.\nCorreggere il file")
	assert.FileExists(t, o.path("avvisi-errori.xlsx"))
	_, said = o.run("list")
	assert.Contains(t, said, "Nessun flusso.")

	said = o.ran(t, exitRows, "import", name, "--good-rows", "--marked", o.path("segnato.xlsx"))
	assert.Contains(t, said, "Importate 2 notifiche")
	assert.FileExists(t, o.path("segnato.xlsx"))
	id := flowIn(t, said)
	_, said = o.run("show", id)
	assert.Contains(t, said, "2 (Registrato: 2)")

	// There is still a wrong row.
	assert.Contains(t, o.ran(t, exitRows, "import", name, "--good-rows"), "nel flusso "+id+" (Inattivo): non è stato aggiunto niente.")
}

// Where the database is at fault, nobody is told to correct the file.
func TestAnImportThatTheDatabaseRefusesDoesNotBlameTheFile(t *testing.T) {
	o := newOffice(t)
	o.workbook(t, 0, 3)
	o.ran(t, 0, "list")
	db := must.Get(sql.Open("sqlite", o.path("massivo.db")))(t)
	_, err := db.ExecContext(t.Context(), "CREATE TRIGGER t BEFORE INSERT ON flussi_notifications BEGIN SELECT raise(ABORT, 'no'); END")
	require.NoError(t, errors.Join(err, db.Close()))
	said := o.ran(t, cli.Failure, "import", o.path("avvisi.xlsx"))
	assert.Contains(t, said, "Non è stato importato niente.\nL'archivio ha un problema tecnico")
	assert.NotContains(t, said, "Correggere il file")
}

func TestWhatIsRefusedSaysWhyAndChangesNothing(t *testing.T) {
	o := newOffice(t)
	id := o.imported(t, 2)
	for name, test := range map[string]struct {
		args []string
		env  map[string]string
		code int
		says string
	}{
		"a command that does not exist":      {[]string{"sned"}, nil, cli.Usage, "Forse si intendeva «send"},
		"a flag that does not exist":         {[]string{"list", "--colour"}, nil, cli.Usage, "--colour non esiste"},
		"a key as a flag":                    {[]string{"send", "--key", "x"}, nil, cli.Usage, "--key non esiste"},
		"an argument too many":               {[]string{"show", "a", "b"}, nil, cli.Usage, "troppi argomenti"},
		"no argument":                        {[]string{"import"}, nil, cli.Usage, "massivo import <file>"},
		"a state that does not exist":        {[]string{"list", "--state", "Partito"}, nil, cli.Usage, "«Invio incompleto»"},
		"a day that does not exist":          {[]string{"list", "--from", "2026-02-30"}, nil, cli.Usage, "31/01/2026"},
		"a fiscal code that is none":         {[]string{"list", "notifications", "--recipient", "PIPPO"}, nil, cli.Failure, "16 caratteri"},
		"a text that is too short":           {[]string{"list", "--text", "ab"}, nil, cli.Failure, "3 caratteri"},
		"a mark that was not given":          {[]string{"list", "--after", "x"}, nil, cli.Failure, "ripetere la ricerca"},
		"a flow that does not exist":         {[]string{"send", "01a20739-d2eb-727d-8230-b7624b8cbce4"}, nil, cli.Failure, "Flusso o notifica inesistente"},
		"a file that does not exist":         {[]string{"import", "niente.xlsx"}, nil, cli.Failure, "non esiste"},
		"a folder instead of a file":         {[]string{"import", o.folder}, nil, cli.Failure, "è una cartella"},
		"a folder that does not exist":       {[]string{"template", o.path("manca/modello.xlsx")}, nil, cli.Failure, "non si può scrivere"},
		"another machine without --live":     {[]string{"send", id}, map[string]string{"MASSIVO_URL": "https://api.io.pagopa.it/api/v1"}, cli.Usage, "serve --live"},
		"an address that is none":            {[]string{"send", id}, map[string]string{"MASSIVO_URL": "pagopa"}, cli.Usage, "indirizzo"},
		"a simulator that is not there":      {[]string{"send", id}, map[string]string{"MASSIVO_URL": "http://127.0.0.1:1/api/v1"}, cli.Failure, "examples/sandbox"},
		"--live without a service":           {[]string{"send", id, "--live"}, nil, cli.Usage, "--service"},
		"--live without a key":               {[]string{"send", id, "--live", "--service", sandboxService}, nil, cli.Usage, "MASSIVO_KEY"},
		"--live where nobody can be asked":   {[]string{"send", id, "--live", "--service", sandboxService}, map[string]string{"MASSIVO_KEY": "k"}, cli.Usage, "--yes"},
		"a key file that is not there":       {[]string{"send", id, "--key-file", o.path("chiave")}, nil, cli.Failure, "non esiste"},
		"a flow of another service":          {[]string{"send", id, "--service", "tributi"}, nil, cli.Failure, "Flusso o notifica inesistente"},
		"both decisions":                     {[]string{"resolve", "--sent", "--resend", id}, nil, cli.Usage, "si escludono"},
		"a lease of nothing":                 {[]string{"send", id, "--lease", "1ms"}, nil, cli.Usage, "da 1s a 24h"},
		"a workbook that is none":            {[]string{"import", "commands_test.go"}, nil, exitRows, "Non è stato importato niente."},
		"a database that is none":            {[]string{"list", "--store", "commands_test.go"}, nil, cli.Failure, ""},
		"a name of an operator that is none": {[]string{"list", "--operator", " "}, nil, cli.Usage, "--operator contiene spazi"},
	} {
		t.Run(name, func(t *testing.T) {
			before := o.env
			t.Cleanup(func() { o.env = before })
			o.env = map[string]string{}
			for _, from := range []map[string]string{before, test.env} {
				for name, value := range from {
					o.env[name] = value
				}
			}
			said := o.ran(t, test.code, test.args...)
			assert.Contains(t, said, test.says)
			assert.NotContains(t, said, "panic")
		})
	}
	assert.Zero(t, o.platform.Received(appiotest.SubmitMessage))
	_, said := o.run("show", id)
	assert.Contains(t, said, "Inattivo")
}

func TestTrialsAndRealSendingsDoNotMix(t *testing.T) {
	o := newOffice(t)
	o.env["MASSIVO_SERVICE"], o.env["MASSIVO_KEY"] = "tributi", "chiave-segreta"
	o.imported(t, 2)
	o.ran(t, 0, "send")
	id := o.imported(t, 3)
	assert.Contains(t, o.ran(t, cli.Usage, "send", id, "--live", "--yes"), "Le prove e gli invii reali devono avere archivi diversi")
	assert.Len(t, o.platform.Deliveries(), 2)

	o.env["MASSIVO_STORE"] = o.path("reale.db")
	o.imported(t, 2)
	o.answer = "n"
	assert.Contains(t, o.ran(t, cli.Usage, "send", "--live"), "Inviare ai cittadini 2 messaggi del servizio «tributi»?")
	assert.Len(t, o.platform.Deliveries(), 2)
	o.answer = "sì"
	said := o.ran(t, 0, "send", "--live")
	assert.NotContains(t, said, "SIMULATORE")
	assert.Len(t, o.platform.Deliveries(), 4)
}

func TestASendingThatIsStoppedOrInterruptedGoesOn(t *testing.T) {
	o := newOffice(t)
	id := o.imported(t, 30)
	o.platform.Fail(appiotest.SubmitMessage, appiotest.Fault{}, appiotest.Fault{Kind: appiotest.Unauthorized})
	said := o.ran(t, exitStopped, "send", id, "--workers", "1")
	assert.Contains(t, said, "massivo send "+id)

	ctx, cancel := context.WithCancel(context.Background())
	o.platform.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.Slow, Delay: 20 * time.Millisecond})
	go func() {
		for o.platform.Received(appiotest.SubmitMessage) < 8 {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	code, said := o.runUntil(ctx, "send", id, "--workers", "1")
	assert.Equal(t, cli.Interrupted, code, said)
	must.Contain(t, said, "Niente è andato perso.", "massivo send "+id)

	o.ran(t, 0, "send", id)
	assert.Len(t, o.platform.Deliveries(), 30)
}

func TestTheKeyComesFromItsFile(t *testing.T) {
	o := newOffice(t)
	o.env["MASSIVO_SERVICE"] = "tributi"
	o.imported(t, 1)
	key := o.path("chiave")
	require.NoError(t, os.WriteFile(key, []byte("chiave-segreta\n"), 0o600))
	said := o.ran(t, 0, "send", "--key-file", key, "--verbose")
	must.NotContain(t, said, "chiave-segreta", appiotest.SampleCitizen(1000).Reveal())
}

func TestFilesThatAreThereStay(t *testing.T) {
	o := newOffice(t)
	id := o.imported(t, 2)
	there := o.path("mio.xlsx")
	for name, args := range map[string][]string{
		"template": {"template", there}, "export": {"export", id, there}, "a copy with errors": {"import", "commands_test.go", "--marked", there},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, os.WriteFile(there, []byte("prezioso"), 0o600))
			_, said := o.run(args...)
			kept := contentOf(t, there)
			assert.Equal(t, "prezioso", string(kept), said)
		})
	}
	assert.Contains(t, o.ran(t, cli.Failure, "export", id, there), "esiste già: indicare un altro nome, oppure --overwrite")
	o.ran(t, 0, "export", id, there, "--overwrite")
	assert.Equal(t, os.FileMode(0o600), must.Get(os.Stat(there))(t).Mode().Perm(), "it holds personal data")
	o.ran(t, cli.Failure, "demo", "--dir", o.folder)
	o.ran(t, cli.Failure, "export", id, o.path("manca/esito.xlsx"))
	assert.Empty(t, must.Get(filepath.Glob(o.path(".*")))(t), "nothing half written")
}

func TestResendTouchesNothingBeforeItCanSend(t *testing.T) {
	o := newOffice(t)
	fresh := o.imported(t, 2)
	o.ran(t, cli.Usage, "resend", fresh) // it was never sent

	o.platform.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.BadRequest})
	id := o.imported(t, 3)
	o.ran(t, exitIncomplete, "send", id)
	for name, args := range map[string][]string{
		"nobody answers":        {"--url", "http://127.0.0.1:1/api/v1"},
		"odd workers":           {"--workers", "0"},
		"not the operator's":    {"--live", "--service", "tributi"},
		"unknown is not resent": {"--error", "esito sconosciuto"},
	} {
		t.Run(name, func(t *testing.T) {
			code, said := o.run(append([]string{"resend", id, "--error", "rifiutata"}, args...)...)
			assert.NotEqual(t, 0, code, said)
			_, said = o.run("show", id, "--state", "errore")
			assert.Contains(t, said, "Rifiutata")
		})
	}
	o.ran(t, 0, "resend", id, "--error", "rifiutata", "--workers", "1")
	assert.Len(t, o.platform.Deliveries(), 3)
}

func TestWhatAFileHoldsOrdersNoTerminalAbout(t *testing.T) {
	o := newOffice(t)
	name := o.path("avvisi.csv")
	require.NoError(t, os.WriteFile(name, []byte("Codice fiscale;Oggetto;Contenuto;Riferimento\n"+appiotest.SampleCitizen(1).Reveal()+
		";Avviso \x1b[2J\u202ecancella;"+"\x1b[31m"+strings.Repeat("Testo del messaggio. ", 12)+";r\x1b[0m\n"), 0o600))
	refused := o.ran(t, exitRows, "import", name)
	assert.Contains(t, refused, "U+001B")
	f := newFlow(t, flow.FlowInactive, time.Now()) // of a program that stores without an import
	f.Note = flussi.NewText("nota \x1b[2J")
	n := newNotification(t, 2, f.ID, time.Now())
	n.Subject, n.Content, n.Reference = flussi.NewText("Avviso \x1b[2J\u202ecancella"), flussi.NewText("\x1b[31m"+n.Content.Reveal()), "r\x1b[0m"
	o.keep(t, []flow.Flow{f}, []flow.Notification{n})
	_, shown := o.run("show", f.ID.String())
	_, detail := o.run("show", n.ID.String())
	_, list := o.run("list")
	assert.Contains(t, detail, "cancella")
	for _, text := range []string{refused, shown, detail, list} {
		must.NotContain(t, text, "\x1b", "\u202e")
	}
}

func TestATemplateIsFilledInAndImported(t *testing.T) {
	o := newOffice(t)
	name := o.path("modello.xlsx")
	o.ran(t, 0, "template", name)
	book := must.Get(excelize.OpenFile(name))(t)
	sheet := book.GetSheetName(0)
	headers := must.Get(book.GetRows(sheet))(t)
	assert.Equal(t, []string{"Codice fiscale", "Oggetto", "Contenuto", "Scadenza", "Somma", "Numero avviso", "Ente creditore", "Paga dopo la scadenza", "Riferimento", "Occasione"}, headers[0])
	for i := range 3 {
		row := sampleRow(i, time.Now().AddDate(0, 1, 0))
		require.NoError(t, book.SetSheetRow(sheet, "A"+string(rune('2'+i)), &row))
	}
	require.NoError(t, book.Save())
	require.NoError(t, book.Close())
	assert.Contains(t, o.ran(t, 0, "import", name), "Importate 3 notifiche")
}

func TestEveryCommandHasItalianHelp(t *testing.T) {
	o := newOffice(t)
	root := (&program{getenv: func(string) string { return "" }}).command()
	for _, c := range append(root.Commands(), root) {
		code, said := o.run(c.Name(), "--help")
		if c == root {
			code, said = o.run("--help")
		}
		assert.Equal(t, 0, code)
		assert.Contains(t, said, "Uso:\n  massivo")
		for _, english := range []string{"Usage", "Flags", "default", "Available", "Use \"", "string", "command"} {
			assert.NotContains(t, said, english, c.Name())
		}
	}
}
