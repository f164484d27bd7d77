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

	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/examples/internal/cli"
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

// imported imports a workbook with so many good rows, and returns the flow.
func (o *office) imported(t *testing.T, rows int, args ...string) string {
	o.imports++
	writeWorkbook(t, o.path("avvisi.xlsx"), 1000*o.imports, rows) // others each time
	code, said := o.run(append([]string{"import", o.path("avvisi.xlsx")}, args...)...)
	require.Equal(t, 0, code, said)
	return flowIn(t, said)
}

func flowIn(t testing.TB, said string) string {
	found := regexp.MustCompile(`nel flusso (\S+)`).FindStringSubmatch(said)
	require.NotNil(t, found, said)
	return found[1]
}

func TestTheDemoPlaysToItsEnd(t *testing.T) {
	o := newOffice(t)
	code, said := o.run("demo", "--dir", o.path("demo"))
	require.Equal(t, 0, code, said)
	for _, want := range []string{
		"Righe senza errori: 194. Righe con errori: 6.",
		"avvisi-errori.xlsx",
		"Errore: Destinatario non raggiungibile │         5",
		"Errore: Esito sconosciuto              │         3",
		"Inviato                                │       191",
		"messaggi consegnati a 191 cittadini; nessuno ha ricevuto due volte lo stesso messaggio",
		"esito.xlsx",
	} {
		assert.Contains(t, said, want)
	}
	for _, name := range []string{"avvisi.xlsx", "avvisi-errori.xlsx", "correzioni.xlsx", "esito.xlsx", "massivo.db"} {
		assert.FileExists(t, filepath.Join(o.path("demo"), name))
	}
	assert.Zero(t, o.platform.Received(appiotest.SubmitMessage), "the demo has a simulator of its own")
}

func TestAFlowGoesItsWayByCommands(t *testing.T) {
	o := newOffice(t)
	o.platform.Fail(appiotest.SubmitMessage, appiotest.Fault{}, appiotest.Fault{Kind: appiotest.BadRequest}, appiotest.Fault{Kind: appiotest.GatewayTimeout, Stored: true})
	id := o.imported(t, 5, "--note", "TARI 2026", "--app-context", "TRIBUTI", "--app-key", "42")

	code, said := o.run("list", "--state", "inattivo", "--text", "tari")
	assert.Equal(t, 0, code, said)
	assert.Contains(t, said, id)
	assert.Contains(t, said, "TARI 2026")

	code, said = o.run("send", "--workers", "1")
	assert.Equal(t, exitIncomplete, code, said)
	assert.Contains(t, said, "SIMULATORE: nessun messaggio arriva ai cittadini.")
	assert.Contains(t, said, "Invio incompleto")

	code, said = o.run("resolve", "--flow", id)
	assert.Equal(t, 0, code, said)
	assert.Contains(t, said, "Esito sconosciuto")
	code, said = o.run("resolve", "--flow", id, "--sent")
	assert.Equal(t, cli.Usage, code, said)
	assert.Contains(t, said, "Serve il motivo")
	code, said = o.run("resolve", "--flow", id, "--sent", "--reason", "il cittadino conferma")
	assert.Equal(t, 0, code, said)
	assert.Contains(t, said, "Notifiche su cui si è deciso: 1 di 1.")

	code, said = o.run("export", id, o.path("correzioni.xlsx"))
	assert.Equal(t, 0, code, said)
	code, said = o.run("import", o.path("correzioni.xlsx"))
	assert.Equal(t, exitRows, code, "an export is not imported as new")
	assert.Contains(t, said, "Il file è un'esportazione, e le sue notifiche ci sono già.")

	code, said = o.run("resend", id, o.path("correzioni.xlsx"))
	assert.Equal(t, exitIncomplete, code, said)
	assert.Contains(t, said, "Flusso "+id+": Invio incompleto", "nothing was corrected")
	code, said = o.run("resend", id, "--error", "rifiutata")
	assert.Equal(t, 0, code, said)
	assert.Len(t, o.platform.Deliveries(), 5)

	code, said = o.run("verify")
	assert.Equal(t, 0, code, said)
	assert.Contains(t, said, "Consegnati: 4")

	code, said = o.run("show", id, "--recipient", appiotest.SampleCitizen(1003).Reveal())
	assert.Equal(t, 0, code, said)
	for _, want := range []string{"TRIBUTI", "Inviato", "Verifica Stato", appiotest.SampleCitizen(1003).Reveal()} {
		assert.Contains(t, said, want)
	}
	notification := regexp.MustCompile(`│ (\S{36}) │`).FindStringSubmatch(said)[1]
	code, said = o.run("show", notification)
	assert.Equal(t, 0, code, said)
	assert.Contains(t, said, "PROCESSED")
	code, said = o.run("history", notification)
	assert.Equal(t, 0, code, said)
	assert.Contains(t, said, "Presa in carico")
	code, said = o.run("history", id)
	assert.Equal(t, 0, code, said)
	assert.Contains(t, said, "m.neri")

	code, said = o.run("list", "notifications", "--notice", appiotest.SampleNotice(1002).Reveal())
	assert.Equal(t, 0, code, said)
	assert.Contains(t, said, appiotest.SampleCitizen(1002).Reveal())
}

func TestWrongRowsStoreNothingUnlessTheGoodOnesAreAskedFor(t *testing.T) {
	o := newOffice(t)
	name := o.path("avvisi.xlsx")
	writeWorkbook(t, name, 0, 3)
	book, err := excelize.OpenFile(name)
	require.NoError(t, err)
	require.NoError(t, book.SetCellStr(book.GetSheetName(0), "A3", "ROSSI MARIO"))
	require.NoError(t, book.Save())
	require.NoError(t, book.Close())

	code, said := o.run("import", name)
	assert.Equal(t, exitRows, code, said)
	assert.Contains(t, said, "Riga 3, colonna A")
	assert.Contains(t, said, "Non è stato importato niente.\nCorreggere il file")
	assert.FileExists(t, o.path("avvisi-errori.xlsx"))
	_, said = o.run("list")
	assert.Contains(t, said, "Nessun flusso.")

	code, said = o.run("import", name, "--good-rows", "--marked", o.path("segnato.xlsx"))
	assert.Equal(t, exitRows, code, said)
	assert.Contains(t, said, "Importate 2 notifiche")
	assert.FileExists(t, o.path("segnato.xlsx"))
	id := flowIn(t, said)
	_, said = o.run("show", id)
	assert.Contains(t, said, "2 (Registrato: 2)")

	code, said = o.run("import", name, "--good-rows")
	assert.Equal(t, exitRows, code, "there is still a wrong row: "+said)
	assert.Contains(t, said, "nel flusso "+id+" (Inattivo): non è stato aggiunto niente.")
}

// Where the database is at fault, nobody is told to correct the file.
func TestAnImportThatTheDatabaseRefusesDoesNotBlameTheFile(t *testing.T) {
	o := newOffice(t)
	writeWorkbook(t, o.path("avvisi.xlsx"), 0, 3)
	code, said := o.run("list")
	require.Equal(t, 0, code, said)
	db, err := sql.Open("sqlite", o.path("massivo.db"))
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), "CREATE TRIGGER t BEFORE INSERT ON notifications BEGIN SELECT raise(ABORT, 'no'); END")
	require.NoError(t, errors.Join(err, db.Close()))
	code, said = o.run("import", o.path("avvisi.xlsx"))
	assert.Equal(t, cli.Failure, code, said)
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
		"a lease of nothing":                 {[]string{"send", id, "--lease", "1ms"}, nil, cli.Usage, "almeno 1s"},
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
			code, said := o.run(test.args...)
			assert.Equal(t, test.code, code, said)
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
	code, said := o.run("send")
	require.Equal(t, 0, code, said)
	id := o.imported(t, 3)
	code, said = o.run("send", id, "--live", "--yes")
	assert.Equal(t, cli.Usage, code, said)
	assert.Contains(t, said, "Le prove e gli invii reali devono avere archivi diversi")
	assert.Len(t, o.platform.Deliveries(), 2)

	o.env["MASSIVO_STORE"] = o.path("reale.db")
	o.imported(t, 2)
	o.answer = "n"
	code, said = o.run("send", "--live")
	assert.Equal(t, cli.Usage, code, said)
	assert.Contains(t, said, "Inviare ai cittadini 2 messaggi del servizio «tributi»?")
	assert.Len(t, o.platform.Deliveries(), 2)
	o.answer = "sì"
	code, said = o.run("send", "--live")
	assert.Equal(t, 0, code, said)
	assert.NotContains(t, said, "SIMULATORE")
	assert.Len(t, o.platform.Deliveries(), 4)
}

func TestASendingThatIsStoppedOrInterruptedGoesOn(t *testing.T) {
	o := newOffice(t)
	id := o.imported(t, 30)
	o.platform.Fail(appiotest.SubmitMessage, appiotest.Fault{}, appiotest.Fault{Kind: appiotest.Unauthorized})
	code, said := o.run("send", id, "--workers", "1")
	assert.Equal(t, exitStopped, code, said)
	assert.Contains(t, said, "massivo send "+id)

	ctx, cancel := context.WithCancel(context.Background())
	o.platform.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.Slow, Delay: 20 * time.Millisecond})
	go func() {
		for o.platform.Received(appiotest.SubmitMessage) < 8 {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	code, said = o.runUntil(ctx, "send", id, "--workers", "1")
	assert.Equal(t, cli.Interrupted, code, said)
	assert.Contains(t, said, "Niente è andato perso.")
	assert.Contains(t, said, "massivo send "+id)

	code, said = o.run("send", id)
	assert.Equal(t, 0, code, said)
	assert.Len(t, o.platform.Deliveries(), 30)
}

func TestTheKeyComesFromItsFile(t *testing.T) {
	o := newOffice(t)
	o.env["MASSIVO_SERVICE"] = "tributi"
	o.imported(t, 1)
	key := o.path("chiave")
	require.NoError(t, os.WriteFile(key, []byte("chiave-segreta\n"), 0o600))
	code, said := o.run("send", "--key-file", key, "--verbose")
	assert.Equal(t, 0, code, said)
	assert.NotContains(t, said, "chiave-segreta")
	assert.NotContains(t, said, appiotest.SampleCitizen(1000).Reveal())
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
			kept, err := os.ReadFile(there)
			require.NoError(t, err)
			assert.Equal(t, "prezioso", string(kept), said)
		})
	}
	code, said := o.run("export", id, there)
	assert.Equal(t, cli.Failure, code)
	assert.Contains(t, said, "esiste già: indicare un altro nome, oppure --overwrite")
	code, said = o.run("export", id, there, "--overwrite")
	assert.Equal(t, 0, code, said)
	info, err := os.Stat(there)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "it holds personal data")
	code, said = o.run("demo", "--dir", o.folder)
	assert.Equal(t, cli.Failure, code, said)
	code, said = o.run("export", id, o.path("manca/esito.xlsx"))
	assert.Equal(t, cli.Failure, code, said)
	left, err := filepath.Glob(o.path(".*"))
	require.NoError(t, err)
	assert.Empty(t, left, "nothing half written")
}

func TestResendTouchesNothingBeforeItCanSend(t *testing.T) {
	o := newOffice(t)
	fresh := o.imported(t, 2)
	code, said := o.run("resend", fresh)
	assert.Equal(t, cli.Usage, code, "a flow that was never sent is not sent again: "+said)

	o.platform.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.BadRequest})
	id := o.imported(t, 3)
	code, said = o.run("send", id)
	require.Equal(t, exitIncomplete, code, said)
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
	code, said = o.run("resend", id, "--error", "rifiutata", "--batch", "1")
	assert.Equal(t, 0, code, said)
	assert.Len(t, o.platform.Deliveries(), 3)
}

func TestWhatAFileHoldsOrdersNoTerminalAbout(t *testing.T) {
	o := newOffice(t)
	name := o.path("avvisi.csv")
	require.NoError(t, os.WriteFile(name, []byte("Codice fiscale;Oggetto;Contenuto;Riferimento\n"+appiotest.SampleCitizen(1).Reveal()+
		";Avviso \x1b[2J\u202ecancella;"+"\x1b[31m"+strings.Repeat("Testo del messaggio. ", 12)+";r\x1b[0m\n"), 0o600))
	code, said := o.run("import", name, "--note", "nota \x1b[2J")
	require.Equal(t, 0, code, said)
	id := flowIn(t, said)
	_, shown := o.run("show", id)
	notification := regexp.MustCompile(`│ (\S{36}) │`).FindStringSubmatch(shown)[1]
	_, detail := o.run("show", notification)
	_, list := o.run("list")
	for _, text := range []string{said, shown, detail, list} {
		assert.NotContains(t, text, "\x1b")
		assert.NotContains(t, text, "\u202e")
	}
}

func TestATemplateIsFilledInAndImported(t *testing.T) {
	o := newOffice(t)
	name := o.path("modello.xlsx")
	code, said := o.run("template", name)
	require.Equal(t, 0, code, said)
	book, err := excelize.OpenFile(name)
	require.NoError(t, err)
	sheet := book.GetSheetName(0)
	headers, err := book.GetRows(sheet)
	require.NoError(t, err)
	assert.Equal(t, []string{"Codice fiscale", "Oggetto", "Contenuto", "Scadenza", "Somma", "Numero avviso", "Ente creditore", "Paga dopo la scadenza", "Riferimento", "Occasione"}, headers[0])
	for i := range 3 {
		row := sampleRow(i, time.Now().AddDate(0, 1, 0))
		require.NoError(t, book.SetSheetRow(sheet, "A"+string(rune('2'+i)), &row))
	}
	require.NoError(t, book.Save())
	require.NoError(t, book.Close())
	code, said = o.run("import", name)
	assert.Equal(t, 0, code, said)
	assert.Contains(t, said, "Importate 3 notifiche")
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
