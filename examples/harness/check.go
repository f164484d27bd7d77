//go:build unix

package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// What no output may contain.
var (
	broken   = regexp.MustCompile(`panic:|goroutine \d|fatal error|runtime error|SIGSEGV|imprevist|<nil>|%!|\x1b`)
	personal = regexp.MustCompile(`[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]|` + secret + `|\b[0-3]\d{17}\b`)
)

// judge waits for a program and checks what it said and how it ended.
func (t *trial) judge(c *command) *command {
	t.wait(c)
	if c.judged {
		return c
	}
	c.judged = true
	out, errs := c.out.String(), c.errs.String()
	t.note("%s: exit code %d\n%s%s", strings.Join(c.args, " "), c.code(), out, errs)
	if found := broken.FindString(out + errs); found != "" {
		t.lie(c, "it prints %q", found)
	}
	if strings.Contains(out+errs, serviceKey) {
		t.lie(c, "it prints the key")
	}
	if found := personal.FindString(errs); found != "" {
		t.lie(c, "the standard error holds %q", found)
	}
	if found := personal.FindString(out); found != "" && !t.mayShow(c) {
		t.lie(c, "the standard output holds %q", found)
	}
	if c.killed {
		return c
	}
	switch c.code() {
	case 0:
		if strings.Contains(errs, "dettaglio tecnico") {
			t.lie(c, "exit code 0 with an error")
		}
	case 1:
		if c.is("riconcilia") {
			break // some files were not applied as a whole
		}
		if !strings.Contains(errs, "(dettaglio tecnico: ") {
			t.lie(c, "exit code 1 without an error")
		} else if !t.isReason(c, errs) {
			t.lie(c, "the reason cannot be true: it is not one of %q", t.reasons)
		}
	case 3:
		if !c.is("import", "resend", workerCommand) {
			t.lie(c, "there is no such exit code")
		}
	case 4, 5:
		if !c.is("send", "resend") {
			t.lie(c, "there is no such exit code")
		}
	case 130:
		if !c.stopped {
			t.lie(c, "nobody interrupted it")
		}
	default:
		t.lie(c, "there is no such exit code")
	}
	if c.stopped && c.code() < 0 {
		t.lie(c, "Ctrl-C does not end it cleanly")
	}
	switch {
	case c.is("import"):
		t.checkImport(c, out)
	case c.is("send"), c.is("resend"):
		t.checkSend(c, out)
	case c.is("resolve"):
		t.checkResolve(c, out)
	case c.is("verify"):
		t.checkVerify(c, out)
	}
	return c
}

// mayShow reports whether a command shows notifications to the operator.
func (t *trial) mayShow(c *command) bool {
	decides := strings.Contains(strings.Join(c.args, " "), "--reason")
	return c.is("show", "list") || c.is("resolve") && !decides
}

func (t *trial) isReason(c *command, errs string) bool {
	for _, reason := range t.reasons {
		if regexp.MustCompile(reason).MatchString(errs) {
			return true
		}
	}
	return c.refusedAsRestored() && (t.name == "restored" || t.name == "lost wal") || t.stays && c.says(disabled)
}

// disabled is in the refusal to send a disabled flow.
const disabled = "Il flusso è disabilitato"

// says reports whether the standard error holds a text.
func (c *command) says(text string) bool { return strings.Contains(c.errs.String(), text) }

// refusedAsRestored reports whether a command was refused since the database was restored.
func (c *command) refusedAsRestored() bool {
	return c.code() == 1 && strings.Contains(c.errs.String(), "è stato ripristinato da una copia")
}

func (t *trial) checkImport(c *command, out string) {
	switch c.code() {
	case 0:
		if !strings.Contains(out, "Importat") && !strings.Contains(out, "non è stato aggiunto niente") || inFlow.FindString(out) == "" {
			t.lie(c, "it does not say where the rows are")
		}
	case 1:
		if strings.Contains(out, "Importat") {
			t.lie(c, "it failed, and says that rows were imported")
		}
	}
}

var tableRow = regexp.MustCompile(`(?m)^│ (\S[^│]*?) *│ +([\d.]+) │`)

// checkSend compares the table of a sending with the platform's record. Another program may send at
// the same time, so that the record may have more.
func (t *trial) checkSend(c *command, out string) {
	switch c.code() {
	case 0, 4:
	case 5:
		if !strings.Contains(out, "Niente è andato perso") {
			t.lie(c, "it does not say what is left")
		}
		return
	default:
		return
	}
	counts, sum, total := map[string]int{}, 0, -1
	for _, row := range tableRow.FindAllStringSubmatch(out, -1) {
		n := number(row[2], `([\d.]+)`)
		if counts[row[1]] = n; row[1] == "Totale" {
			total = n
		} else {
			sum += n
		}
	}
	if total < 0 && c.code() == 0 && strings.Contains(out, "Non ci sono flussi da inviare") {
		return
	}
	times := t.platform.times()
	switch left := counts["Registrato"] + counts["In invio"]; {
	case total < 0:
		t.lie(c, "it does not say how many were sent")
	case sum != total:
		t.lie(c, "the numbers are not those of the total")
	case counts["Inviato"] > len(times):
		t.lie(c, "the platform has only %d messages", len(times))
	case left > 0:
		t.lie(c, "it is over, with notifications to be sent")
	case c.code() == 0 && counts["Inviato"]+counts["Disabilitato"] != total:
		t.lie(c, "not everything was sent")
	case c.code() == 4 && counts["Inviato"]+counts["Disabilitato"] == total:
		t.lie(c, "everything was sent")
	}
}

var decisions = regexp.MustCompile(`Decisioni registrate: ([\d.]+) di ([\d.]+)\.`)

func (t *trial) checkResolve(c *command, out string) {
	found := decisions.FindStringSubmatch(out)
	switch {
	case found != nil && c.code() == 0 && found[1] != found[2]:
		t.lie(c, "not all decisions are recorded")
	case found != nil && c.code() == 1 && found[1] == found[2] && !strings.Contains(out, "non si è deciso") && !strings.Contains(c.errs.String(), "noto"):
		t.lie(c, "all decisions are recorded")
	}
}

func (t *trial) checkVerify(c *command, out string) {
	asked := number(out, `Messaggi verificati: ([\d.]+)`)
	parts := 0
	for _, part := range []string{"Consegnati", "Rifiutati", "Non ancora definitivi", "Senza risposta"} {
		parts += max(0, number(out, part+`: ([\d.]+)`))
	}
	if c.code() == 0 && (asked < 0 || asked != parts) {
		t.lie(c, "the numbers are not those of the messages")
	}
}

// compare compares what the program exports with the platform's record.
func (t *trial) compare() {
	rows := t.export()
	t.platform.quiet()
	t.compareWith(rows)
}

// compareWith counts who was notified twice, and who is lost.
func (t *trial) compareWith(rows []exported) {
	times := t.platform.times()
	of := map[string][]exported{}
	for _, row := range rows {
		of[row.citizen] = append(of[row.citizen], row)
	}
	rejected := map[string]bool{}
	for _, d := range t.platform.Deliveries() {
		rejected[d.Recipient.Reveal()] = d.State.Status == "REJECTED"
	}
	for citizen, n := range times {
		if n > 1 {
			t.twice += n - 1
			t.note("TWICE %s has %d messages", citizen, n)
		}
		if !t.wanted[citizen] {
			t.lie(nil, "the platform has a message to a citizen who was not to be notified")
		}
	}
	for citizen := range t.wanted {
		accounted, sent := false, 0
		for _, row := range of[citizen] {
			switch {
			case row.disabled:
				accounted = accounted || t.disables
			case row.state == "Inviato":
				sent++
			case t.stays && (row.state != "Errore" || strings.HasPrefix(row.failure, "Esito sconosciuto")):
				accounted = true // of the flow that stays disabled
			case row.state != "Errore":
				t.lie(nil, "at the end a notification is %s", row.state)
			case strings.HasPrefix(row.failure, "Esito sconosciuto"):
				t.lie(nil, "at the end an outcome is unknown")
			case times[citizen] > 0 && !rejected[citizen] && !strings.HasPrefix(row.failure, "Già inviata"):
				t.lie(nil, "a message that arrived is in Errore: %s", row.failure)
				accounted = true
			default:
				accounted = row.failure != ""
			}
		}
		if times[citizen] == 0 && (sent > 0 || !accounted) {
			t.lost++
			t.note("LOST %s: %+v", citizen, of[citizen])
		}
		if times[citizen] > 0 && sent == 0 && !accounted && !t.disables {
			t.lie(nil, "a message that arrived is not Inviato: %+v", of[citizen])
		}
	}
}

var known = regexp.MustCompile(`^(avvisi\d*|esito\d*|correzioni\d*|altri)(-errori(-\d+)?)?\.xlsx$|^(massivo|copia\d*)\.db(-wal|-shm|-sent)?$|^(tmp|disco|clock|scuola)$`)

// checkLeftovers looks for files that a killed program left. It first runs a program, which should
// remove them.
func (t *trial) checkLeftovers() {
	t.run("list")
	for _, folder := range []string{t.folder, t.path("tmp")} {
		files, err := os.ReadDir(folder)
		t.must(err)
		for _, f := range files {
			if folder != t.folder || !known.MatchString(f.Name()) {
				t.lie(nil, "a file is left: %s", fmt.Sprintf("%s (%d)", strings.TrimPrefix(f.Name(), t.folder), t.found.kills))
			}
		}
	}
}
