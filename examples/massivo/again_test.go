package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/examples/internal/sheets"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
)

// Commands that are run again, with other spellings, or after an interruption: nobody gets a
// message twice, and every text and exit code is right.

// counts returns how many messages each citizen has.
func (o *office) counts() map[string]int {
	counts := map[string]int{}
	for _, d := range o.platform.Deliveries() {
		counts[d.Recipient.Reveal()]++
	}
	return counts
}

// delivered checks how many citizens have messages, and how many each of them has.
func (o *office) delivered(t *testing.T, citizens, each int) {
	t.Helper()
	counts := o.counts()
	assert.Len(t, counts, citizens)
	for code, n := range counts {
		assert.Equal(t, each, n, code)
	}
}

func TestImportTwiceSendsOnce(t *testing.T) {
	o := newOffice(t)
	name := o.workbook(t, 0, 5)
	id := flowIn(t, o.ran(t, 0, "import", name))
	for _, again := range []struct{ state, next string }{
		{"Inattivo", "Per inviare quanto resta da inviare: massivo send " + id},
		{"Inviato", "Non resta niente da inviare. Per vedere il flusso: massivo show " + id},
	} {
		said := o.ran(t, 0, "import", name, "--note", "un'altra nota")
		assert.Regexp(t, `Queste righe sono già state importate il \d\d/\d\d/\d{4} alle \d\d:\d\d: non è stato aggiunto niente\.\n(.*\n)*Le righe sono nel flusso `+id+` \(`+again.state+`\): non è stato aggiunto niente\.\n`, said)
		must.Contain(t, said, again.next, "massivo import "+quoted(name)+" --occasion OCCASIONE\n")
		assert.NotContains(t, said, "Importate")
		o.ran(t, 0, "send")
		o.ran(t, 0, "send", id)
	}
	o.delivered(t, 5, 1)
}

func TestImportIgnoresDisabledFlows(t *testing.T) {
	o := newOffice(t)
	name := o.workbook(t, 0, 3)
	first := flowIn(t, o.ran(t, 0, "import", name))
	o.ran(t, 0, "disable", first)
	second := flowIn(t, o.ran(t, 0, "import", name))
	assert.NotEqual(t, first, second)
	o.ran(t, 0, "send")
	assert.Contains(t, o.ran(t, 0, "import", name), second)
	o.ran(t, 0, "disable", second)
	must.Contain(t, o.ran(t, 0, "import", name), "nel flusso "+second+" (Inviato, disabilitato): non è stato aggiunto niente.", "massivo enable "+second)
	o.delivered(t, 3, 1)
}

func TestImportStoresDuplicatesDisabled(t *testing.T) {
	for name, change := range map[string]func(string) string{
		"as it was":      func(s string) string { return s },
		"trailing blank": func(s string) string { return s + " " },
		"double blank":   func(s string) string { return strings.ReplaceAll(s, " ", "  ") },
		"hard blank":     func(s string) string { return strings.ReplaceAll(s, " ", "\u00a0") },
		"soft hyphen":    func(s string) string { return s[:4] + "\u00ad" + s[4:] },
		"zero width":     func(s string) string { return "\u200b" + s },
	} {
		t.Run(name, func(t *testing.T) {
			o, file := repeating(t)
			require.NoError(t, sheets.Edit(file, func(book *excelize.File, sheet string) error {
				text := must.Get(book.GetCellValue(sheet, "B3"))(t)
				return book.SetCellStr(sheet, "B3", change(text))
			}))
			said := o.ran(t, exitRows, "import", file)
			id := flowIn(t, said)
			must.Contain(t, said,
				"Importate 5 notifiche nel flusso "+id+" (Inattivo).",
				"3 righe sono messaggi che il servizio ha già (inviati, da inviare o con esito sconosciuto): sono state aggiunte disabilitate, e nessuno riceve due volte lo stesso messaggio.",
				"massivo show "+id+" --disabled si", "massivo send "+id, "massivo disable "+id, "--occasion", "Riga 3: Esiste già una notifica uguale",
			)
			assert.Contains(t, o.ran(t, 0, "show", id, "--disabled", "si"), appiotest.SampleCitizen(1).Reveal())
			o.ran(t, 0, "send", id)
			o.delivered(t, 5, 1)
		})
	}
}

// repeating is an office with a file of five rows, three of which were sent before.
func repeating(t *testing.T) (o *office, file string) {
	o = newOffice(t)
	file = o.path("avvisi.xlsx")
	writeWorkbook(t, file, 0, 3)
	o.ran(t, 0, "import", file)
	o.ran(t, 0, "send")
	writeWorkbook(t, file, 0, 5)
	return o, file
}

// The second import says the same as the first about rows that were stored disabled, until an
// operator decides about each of them.
func TestImportReportsDisabledRowsAgain(t *testing.T) {
	o, file := repeating(t)
	id := flowIn(t, o.ran(t, exitRows, "import", file))
	for range 2 {
		must.Contain(t, o.ran(t, exitRows, "import", file), "nel flusso "+id, "3 notifiche del flusso sono disabilitate, e non si inviano.\nPer vedere quali sono: massivo show "+id+" --disabled si\n")
		o.ran(t, 0, "send", id)
	}
	o.delivered(t, 5, 1)
	aside := idsIn(o.ran(t, 0, "show", id, "--disabled", "si"))
	require.Len(t, aside, 3)
	for i, n := range aside {
		o.ran(t, exitRows, "import", file)
		o.ran(t, 0, "enable", n)
		if i > 0 { // decided, after a look at it
			o.ran(t, 0, "disable", n)
		}
	}
	assert.Contains(t, o.ran(t, 0, "import", file), "2 notifiche del flusso sono disabilitate")
	o.ran(t, exitIncomplete, "send", id)
	said := o.ran(t, 0, "import", file)
	assert.Contains(t, said, "Alcuni messaggi non risultano inviati. Per vederli: massivo show "+id+" --state errore\n")
	assert.NotContains(t, said, "Non resta niente")
	o.delivered(t, 5, 1)
}

// An operator who follows the advice about repeated rows sends them, and disables no other rows.
func TestImportAdvisesHowToSendRepeatedRows(t *testing.T) {
	occasions := func(file string, rows int, text string) {
		for row := range rows {
			setCell(t, file, fmt.Sprintf("H%d", row+2), text)
		}
		setCell(t, file, "H1", "Occasione")
	}
	for name, test := range map[string]struct {
		column bool // the file has occasions
		add    bool // to a flow with rows of its own
		flags  []string
	}{
		"a new flow":                  {},
		"a new flow, occasion":        {flags: []string{"--occasion", "sollecito marzo"}},
		"a new flow, column":          {column: true},
		"a new flow, column and flag": {column: true, flags: []string{"--occasion", "sollecito marzo"}},
		"more rows":                   {add: true},
		"more rows, occasion":         {add: true, flags: []string{"--occasion", "sollecito marzo"}},
		"more rows, column":           {add: true, column: true},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			file := o.path("avvisi.xlsx")
			fill := func(first, rows int) {
				writeWorkbook(t, file, first, rows)
				if test.column {
					occasions(file, 1, "sollecito marzo")
				}
			}
			fill(0, 3)
			o.ran(t, 0, append([]string{"import", file}, test.flags...)...)
			o.ran(t, 0, "send")
			args := append([]string{"import", file}, test.flags...)
			if test.add {
				args = append(args, "--flow", o.imported(t, 2))
			}
			fill(0, 5)
			said := o.ran(t, exitRows, args...)
			id := flowIn(t, said)
			assert.NotContains(t, said, "--occasion \"")
			assert.Equal(t, !test.column, strings.Contains(said, " --occasion OCCASIONE"), said)
			assert.Equal(t, test.column, strings.Contains(said, "nella colonna «Occasione» di ogni riga un'occasione mai usata per questi messaggi"), said)
			assert.Equal(t, !test.add, strings.Contains(said, "massivo disable"), said)
			assert.Equal(t, test.add, strings.Contains(said, "copiarle in un altro file"), said)

			// As advised.
			rows, again := 5, []string{"import", file}
			if test.add {
				rows = 3
				fill(0, rows)
			} else {
				o.ran(t, 0, "disable", id)
			}
			if test.column {
				occasions(file, rows, "aprile")
			} else {
				again = append(again, "--occasion", "aprile")
			}
			o.ran(t, 0, "send", flowIn(t, o.ran(t, 0, again...)))
			if test.add {
				o.ran(t, 0, "send", id)
			}
			counts := o.counts()
			for i, want := range []int{2, 2, 2, 1, 1} {
				assert.Equal(t, want, counts[appiotest.SampleCitizen(i).Reveal()], i)
			}
		})
	}
}

// The copy with the errors marked is not mentioned if it was not written.
func TestImportMentionsTheCopyOnlyIfItIsThere(t *testing.T) {
	o := newOffice(t)
	file := o.workbook(t, 0, 3)
	setCell(t, file, "B3", "corto")
	require.NoError(t, os.WriteFile(o.path("mio.xlsx"), nil, 0o600))
	assert.Contains(t, o.ran(t, exitRows, "import", file, "--marked", o.path("mio.xlsx")), "Correggere il file e importarlo di nuovo; oppure")
	assert.Contains(t, o.ran(t, exitRows, "import", file), "Correggere il file, o la sua copia, e importarlo di nuovo; oppure")
}

func TestImportSkipsRowsOfTheSameFlow(t *testing.T) {
	o := newOffice(t)
	file := o.workbook(t, 0, 3)
	id := flowIn(t, o.ran(t, 0, "import", file))
	writeWorkbook(t, file, 0, 1)
	said := o.ran(t, exitRows, "import", file, "--flow", id)
	assert.Contains(t, said, "Non è stato aggiunto niente.\n1 riga è già nel flusso, e non è stata aggiunta di nuovo.")
	assert.NotContains(t, said, "disabilitat")
	writeWorkbook(t, file, 0, 5)
	assert.Contains(t, o.ran(t, exitRows, "import", file, "--flow", id), "Importate 2 notifiche nel flusso "+id+" (Inattivo).\n3 righe sono già nel flusso")
	o.ran(t, 0, "send", id)
	assert.Contains(t, o.ran(t, 0, "import", file, "--flow", id), "nel flusso "+id+" (Inviato): non è stato aggiunto niente.")
	o.delivered(t, 5, 1)
}

func TestImportWithOccasionSendsAgain(t *testing.T) {
	o := newOffice(t)
	name := o.workbook(t, 0, 4)
	o.ran(t, 0, "import", name)
	o.ran(t, 0, "send")
	id := flowIn(t, o.ran(t, 0, "import", name, "--occasion", "sollecito marzo"))
	o.ran(t, 0, "send")
	for _, spelling := range []string{"sollecito marzo", "Sollecito  MARZO", " sollecito\u00a0marzo\r"} {
		said := o.ran(t, 0, "import", name, "--occasion", spelling)
		assert.Contains(t, said, "nel flusso "+id+" (Inviato): non è stato aggiunto niente.", spelling)
		assert.Contains(t, said, "un'occasione mai usata per questi messaggi, al posto di OCCASIONE:")
	}
	o.delivered(t, 4, 2)
	assert.Contains(t, o.ran(t, 0, "history", id), "Occasione: sollecito marzo.")
	notification := idsIn(o.ran(t, 0, "show", id))[0]
	assert.Contains(t, o.ran(t, 0, "show", notification), "  Occasione:               sollecito marzo\n")
	assert.Contains(t, o.ran(t, 0, "history", notification), "Occasione: sollecito marzo.")
	assert.Contains(t, o.ran(t, cli.Failure, "import", name, "--occasion", strings.Repeat("x", 300)), "L'occasione ha 300 caratteri")
}

// The same file with another spelling of the service is the same import, or is refused.
func TestSpellingsOfTheServiceAreNoOtherService(t *testing.T) {
	for name, test := range map[string]struct {
		env, flag string
		code      int
		says      string
	}{
		"the end of a line of Windows": {env: "prova\r", says: "La variabile MASSIVO_SERVICE ha spazi o caratteri invisibili all'inizio o alla fine, che vengono ignorati."},
		"blanks":                       {env: " prova ", says: "La variabile MASSIVO_SERVICE ha spazi"},
		"a byte order mark":            {env: "\ufeffprova", says: "La variabile MASSIVO_SERVICE ha spazi"},
		"zero width inside":            {env: "pro\u200bva", code: cli.Usage, says: "La variabile MASSIVO_SERVICE contiene caratteri invisibili: riscrivere il valore."},
		"capital":                      {env: "Prova", code: cli.Failure, says: "Il servizio «Prova» è simile a «prova», che esiste già"},
		"Cyrillic":                     {env: "рrova", code: cli.Failure, says: "è simile a «prova», che esiste già"},
		"a flag, capital":              {flag: "PROVA", code: cli.Failure, says: "è simile a «prova», che esiste già"},
		"a flag, blank behind":         {flag: "prova ", code: cli.Usage, says: "L'opzione --service contiene spazi all'inizio o alla fine, o caratteri invisibili: riscrivere il valore."},
		"a flag, end of line":          {flag: "prova\r", code: cli.Usage, says: "L'opzione --service contiene"},
		"a flag, zero width":           {flag: "pro\u200bva", code: cli.Usage, says: "L'opzione --service contiene"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			file := o.workbook(t, 0, 5)
			id := flowIn(t, o.ran(t, 0, "import", file))
			o.ran(t, 0, "send")
			if test.env != "" {
				o.env["MASSIVO_SERVICE"] = test.env
			}
			args := []string{"import", file}
			if test.flag != "" {
				args = append(args, "--service", test.flag)
			}
			said := o.ran(t, test.code, args...)
			assert.Contains(t, said, test.says)
			if test.code == 0 {
				assert.Contains(t, said, "nel flusso "+id+" (Inviato): non è stato aggiunto niente.")
			} else {
				assert.NotContains(t, said, "Importate")
			}
			o.delivered(t, 5, 1)
		})
	}
}

// Blanks and invisible characters at the ends of variables are ignored.
func TestEnvironmentIsTrimmed(t *testing.T) {
	o := newOffice(t)
	file := o.workbook(t, 0, 3)
	id := flowIn(t, o.ran(t, 0, "import", file))
	key := o.path("chiave")
	require.NoError(t, os.WriteFile(key, []byte("\ufeff"+sandboxKey+"\r\n"), 0o600))
	o.env["MASSIVO_KEY_FILE"] = key
	o.env["MASSIVO_KEY"] = "chiave-segreta \r"
	for name := range o.env {
		if name != "MASSIVO_KEY" {
			o.env[name] += "\r"
		}
	}
	said := o.ran(t, 0, "send", id)
	for name := range o.env {
		assert.Contains(t, said, "La variabile "+name+" ha spazi o caratteri invisibili all'inizio o alla fine, che vengono ignorati.\n")
	}
	must.NotContain(t, said, "chiave-segreta", "\r")
	assert.Contains(t, o.ran(t, 0, "import", file), "non è stato aggiunto niente")
	assert.Contains(t, o.ran(t, 0, "show", id), "effettuata da ")
	assert.Contains(t, o.ran(t, 0, "history", id), "│ m.neri ", "the operator")
	o.delivered(t, 3, 1)
	files := must.Get(os.ReadDir(o.folder))(t)
	for _, f := range files {
		assert.NotContains(t, f.Name(), "\r")
	}
	for name, value := range map[string]string{"--store": o.path("x.db") + "\r", "--operator": "m.neri\u200b", "--url": " " + o.platform.URL, "--key-file": key + "\n"} {
		assert.Contains(t, o.ran(t, cli.Usage, "list", name, value), "L'opzione "+name+" contiene spazi all'inizio o alla fine, o caratteri invisibili: riscrivere il valore.")
	}
	assert.NoFileExists(t, o.path("x.db")+"\r")
}

// A corrected copy, imported as a whole, sends the corrected rows only.
func TestCorrectedCopySendsOnlyCorrectedRows(t *testing.T) {
	o := newOffice(t)
	file, marked := o.path("avvisi.xlsx"), o.path("avvisi-errori.xlsx")
	writeWorkbook(t, file, 0, 6)
	setCell(t, file, "B4", "corto")
	said := o.ran(t, exitRows, "import", file, "--good-rows")
	first := flowIn(t, said)
	assert.Contains(t, said, "Le righe senza errori sono state importate. Correggere le altre nella copia con gli errori segnati")
	o.ran(t, 0, "send", first)
	setCell(t, marked, "B4", "TARI: avviso di pagamento")
	said = o.ran(t, exitRows, "import", marked)
	assert.Contains(t, said, "5 righe sono messaggi che il servizio ha già (inviati,")
	o.ran(t, 0, "send", flowIn(t, said))
	o.delivered(t, 6, 1)
}

func TestSendTwiceSucceeds(t *testing.T) {
	o := newOffice(t)
	o.platform.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.BadRequest})
	id := o.imported(t, 3)
	for range 2 {
		assert.Contains(t, o.ran(t, exitIncomplete, "send", id), "Flusso "+id+": Invio incompleto")
		o.env["MASSIVO_URL"] = "http://127.0.0.1:1/api/v1" // nothing answers there
	}
	o.delivered(t, 2, 1)
}

// If nothing is to be sent, resend prints the states and ends with the code of send.
func TestResendWithNothingToSendEndsAsSend(t *testing.T) {
	for name, codes := range map[string][]flow.ErrorCode{
		"unknown outcomes": {flow.CodeOutcomeUnknown, flow.CodeOutcomeUnknown},
		"refused":          {flow.CodeRefused},
		"already sent":     {flow.CodeAlreadySent},
	} {
		t.Run(name, func(t *testing.T) {
			o, flows, _ := failing(t, codes...)
			id := flows[0].ID.String()
			file := o.path("correzioni.xlsx")
			o.ran(t, 0, "export", id, file)
			states := o.ran(t, exitIncomplete, "send", id)
			for _, args := range [][]string{{"resend", id}, {"resend", id, file}, {"resend", id, "--error", "non inviata"}} {
				said := o.ran(t, exitIncomplete, args...)
				assert.Contains(t, said, states, "the same states and advice")
				assert.NotContains(t, said, "niente da inviare")
			}
			assert.Empty(t, o.platform.Deliveries())
		})
	}
	o := newOffice(t)
	id := o.imported(t, 2)
	o.ran(t, 0, "send", id)
	assert.Contains(t, o.ran(t, 0, "resend", id), "Notifiche riportate a «Registrato»: 0.\nFlusso "+id+": Inviato\n")
}

// Wrong rows of the corrections are reported, even if everything else is sent.
func TestResendReportsWrongRowsOfAFlowThatIsSent(t *testing.T) {
	o := newOffice(t)
	o.platform.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.BadRequest})
	id := o.imported(t, 2)
	o.ran(t, exitIncomplete, "send", id)
	file := o.path("correzioni.xlsx")
	o.ran(t, 0, "export", id, file)
	for _, cell := range []string{"B2", "B3"} { // one of them is Inviato
		setCell(t, file, cell, "Oggetto corretto a mano")
	}
	assert.Contains(t, o.ran(t, exitRows, "resend", id, file, "--good-rows"), "Flusso "+id+": Inviato\n")
	o.delivered(t, 2, 1)
}

// A disabled flow says so, and is not advised to be sent.
func TestSendOfADisabledFlowAdvisesToEnableIt(t *testing.T) {
	o, flows, _ := failing(t, flow.CodeOutcomeUnknown, flow.CodeRefused)
	id := flows[0].ID.String()
	o.ran(t, 0, "disable", id)
	said := o.ran(t, exitIncomplete, "send", id)
	must.Contain(t, said, "Flusso "+id+": Invio incompleto, disabilitato\n", "Il flusso è disabilitato. Per riabilitarlo: massivo enable "+id)
	must.NotContain(t, said, "massivo resolve", "massivo resend")
}

// Another program may have sent the flow since it was read.
func TestSendAfterAnotherProgramSentTheFlow(t *testing.T) {
	o := newDesk(t)
	f := newFlow(t, flow.FlowIncomplete, time.Now())
	o.keep(t, []flow.Flow{f}, []flow.Notification{inErrore(newNotification(t, 1, f.ID, time.Now()), flow.CodeRefused)})
	o.within(t, func(s *session) {
		stale := must.Get(s.Flow(t.Context(), s.by, f.ID))(t)
		stale.State = flow.FlowActive
		assert.Equal(t, flow.FlowIncomplete, must.Get(s.order(t.Context(), stale))(t).State)
	})
}

// repeated is an office with a flow that was sent, and a notification that repeats one of its
// messages and was not sent.
func repeated(t *testing.T) (o *office, flowID, notification string) {
	o = newOffice(t)
	file := o.workbook(t, 0, 2)
	o.ran(t, 0, "import", file)
	o.ran(t, 0, "send")
	writeWorkbook(t, file, 1, 2)
	flowID = flowIn(t, o.ran(t, exitRows, "import", file))
	notification = idsIn(o.ran(t, 0, "show", flowID, "--disabled", "si"))[0]
	o.ran(t, 0, "enable", notification)
	return o, flowID, notification
}

func TestSendAdvisesOnAlreadySent(t *testing.T) {
	o, id, n := repeated(t)
	said := o.ran(t, exitIncomplete, "send", id)
	must.Contain(t, said, "│ Errore: Già inviata │", "massivo show "+id+" --error 'già inviata'", "massivo disable UUID", "un'altra occasione nella colonna «Occasione»", "massivo resolve UUID --resend")
	o.delivered(t, 3, 1)
	assert.Contains(t, o.ran(t, 0, "list", "notifications", "--error", "Già inviata"), n)
	assert.Contains(t, o.ran(t, 0, "show", id, "--error", "già inviata"), n)
	said = o.ran(t, 0, "show", n)
	assert.Contains(t, said, "Non inviata: lo stesso messaggio per lo stesso cittadino è nella notifica ")
	assert.Regexp(t, `Notifica precedente: +\S{36}\n`, said)
	assert.Contains(t, o.ran(t, 0, "resolve"), "Nessuna notifica a esito sconosciuto su cui decidere.")

	// Setting it back does not send it: the store decides again.
	o.ran(t, exitIncomplete, "resend", id, "--error", "già inviata")
	o.delivered(t, 3, 1)

	assert.Contains(t, o.ran(t, cli.Failure, "resolve", n, "--sent", "--reason", "l'ha ricevuto"), "non è stata inviata, perché lo stesso messaggio è in un'altra notifica. L'opzione --sent vale solo per le notifiche a esito sconosciuto.")
	assert.Contains(t, o.ran(t, 0, "resolve", n, "--resend", "--reason", "il cittadino la chiede di nuovo"), "Decisioni registrate: 1 di 1.\nPer inviarle: massivo send "+id)
	o.ran(t, 0, "send", id)
	assert.Len(t, o.platform.Deliveries(), 4, "knowingly")
	assert.Contains(t, o.ran(t, 0, "history", n), "il cittadino la chiede di nuovo")
}

func TestResendWithAnotherOccasion(t *testing.T) {
	o, id, _ := repeated(t)
	o.ran(t, exitIncomplete, "send", id)
	file := o.path("correzioni.xlsx")
	o.ran(t, 0, "export", id, file, "--error", "già inviata")
	setCell(t, file, "J2", "sollecito marzo")
	o.ran(t, 0, "resend", id, file)
	assert.Len(t, o.platform.Deliveries(), 4)
}
