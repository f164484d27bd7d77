//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/examples/internal/sheets"
)

// secret is in all texts of messages. Only commands that show notifications may print it.
const secret = "Riservato"

// citizen returns the fiscal code of a citizen.
func citizen(i int) string { return appiotest.SampleCitizen(i).Reveal() }

// workbook writes a workbook with messages to citizens from the first on, who must be notified.
func (t *trial) workbook(first, rows int) string {
	t.imports++
	name := t.path(fmt.Sprintf("avvisi%d.xlsx", t.imports))
	var citizens []string
	for i := first; i < first+rows; i++ {
		citizens = append(citizens, citizen(i))
	}
	t.writeWorkbook(name, citizens)
	return name
}

// writeWorkbook writes the messages to citizens. The text of a message follows from the citizen.
func (t *trial) writeWorkbook(name string, citizens []string) {
	book := excelize.NewFile()
	defer book.Close()
	sheet := book.GetSheetName(0)
	t.must(book.SetSheetRow(sheet, "A1", &[]any{"Codice fiscale", "Oggetto", "Contenuto", "Riferimento"}))
	for i, c := range citizens {
		t.wanted[c] = true
		t.must(book.SetSheetRow(sheet, fmt.Sprintf("A%d", i+2), &[]any{c, secret + ": avviso " + c[:6], strings.Repeat(secret+" per "+c+". ", 5), "R-" + c}))
	}
	t.must(book.SaveAs(name))
}

// imported imports a workbook with so many rows, and returns the flow.
func (t *trial) imported(rows int, args ...string) string {
	name := t.workbook(1000*t.imports, rows)
	return t.flowIn(t.run(append([]string{"import", name}, args...)...))
}

var inFlow = regexp.MustCompile(`nel flusso ([0-9a-f-]{36})`)

// flowIn returns the flow that an import names.
func (t *trial) flowIn(c *command) string {
	found := inFlow.FindStringSubmatch(c.out.String())
	if found == nil {
		t.lie(c, "it names no flow")
		t.must(fmt.Errorf("no flow"))
	}
	return found[1]
}

// printed returns the arguments of the first printed command that begins so, nil if there is none.
func printed(said, command string) []string {
	for line := range strings.Lines(said) {
		if at := strings.Index(line, "massivo "+command); at >= 0 {
			return strings.Fields(strings.TrimSpace(line[at+len("massivo "):]))
		}
	}
	return nil
}

// finish finishes a flow as an operator who follows the texts. No fault strikes any more, but
// earlier ones may still have effects.
func (t *trial) finish(id string) {
	t.platform.heal()
	before := ""
	for range 12 {
		c := t.judge(t.send(id))
		said := c.out.String()
		switch c.code() {
		case 0:
			return
		case 4:
			if said == before {
				return // what is left cannot be sent: compare says whether it is accounted for
			}
			before = said
			t.work(id, said)
		case 5:
			if strings.Contains(said, "Il flusso è disabilitato") {
				if t.stays {
					return
				}
				enable := printed(said, "enable")
				if enable == nil {
					t.lie(c, "it does not say how the flow is enabled")
					return
				}
				t.run(enable...)
			}
		case 1:
			switch {
			case c.refusedAsRestored():
				t.declareRestored(c)
			case t.stays && c.says(disabled):
				return
			}
		}
	}
	t.lie(nil, "the flow does not come to its end: %s", before)
}

// work does what the text of an incomplete sending advises.
func (t *trial) work(id, said string) {
	if printed(said, "resolve --flow") != nil {
		t.decide(id, t.resolves)
	}
	if strings.Contains(said, "Già inviata") {
		for _, n := range t.listed(t.run("show", id, "--error", "già inviata")) {
			t.run("disable", n.id)
		}
		t.disables = true
	}
	if export, resend := printed(said, "export"), printed(said, "resend"); export != nil && resend != nil {
		_ = os.Remove(t.path("correzioni.xlsx"))
		t.run(export...)
		if t.correct(t.path("correzioni.xlsx"), nil) > 0 {
			t.judge(t.start(append(resend, "--lease", leaseTime.String())...))
		}
	}
}

// entry is a notification in a list.
type entry struct{ id, citizen, state, failure string }

var listRow = regexp.MustCompile(`(?m)^│ ([0-9a-f-]{36}) │ [^│]*│ ([A-Z0-9]{16}) │ ([^│]*?) *│ ([^│]*?) *│`)

// listed returns the notifications of a list.
func (t *trial) listed(c *command) (all []entry) {
	for _, row := range listRow.FindAllStringSubmatch(c.out.String(), -1) {
		all = append(all, entry{row[1], row[2], row[3], row[4]})
	}
	return all
}

// decide decides about the unknown outcomes of a flow by the platform's record. It returns how many
// there were.
func (t *trial) decide(id string, resolve func(args ...string)) int {
	open := t.listed(t.run("resolve", "--flow", id))
	t.platform.quiet()
	times := t.platform.times()
	var have, lack []string
	for _, n := range open {
		if times[n.citizen] > 0 {
			have = append(have, n.id)
		} else {
			lack = append(lack, n.id)
		}
	}
	t.unknown += len(open)
	t.note("decide: %d have the message, %d lack it", len(have), len(lack))
	if len(have) > 0 {
		resolve(append([]string{"resolve", "--sent", "--reason", "arrivata"}, have...)...)
	}
	if len(lack) > 0 {
		resolve(append([]string{"resolve", "--resend", "--reason", "non arrivata"}, lack...)...)
	}
	return len(open)
}

// resolves runs a decision until it is recorded.
func (t *trial) resolves(args ...string) { t.repeat(args...) }

// repeat runs a command again while it fails, as the texts advise if the database is not available.
func (t *trial) repeat(args ...string) *command {
	for range 20 {
		if c := t.run(args...); c.code() != 1 {
			return c
		}
	}
	return t.run(args...)
}

// unsent are the errors of notifications that can be sent again as they are.
var unsent = []string{"Rifiutata", "Non inviata", "Non consentita", "Dati non validi"}

// correct sets the rows of an export that are in Errore back, and changes the recipients of a map. It
// returns how many rows it changed.
func (t *trial) correct(name string, moved map[string]string) (changed int) {
	t.must(sheets.Edit(name, func(book *excelize.File, sheet string) error {
		rows, err := book.GetRows(sheet)
		if err != nil || len(rows) == 0 {
			return err
		}
		state, recipient, failure := slices.Index(rows[0], "Stato"), slices.Index(rows[0], "Codice fiscale"), slices.Index(rows[0], "Errore")
		for i, row := range rows {
			if i == 0 || failure >= len(row) || row[state] != "Errore" {
				continue
			}
			at := func(column int) string {
				cell, _ := excelize.CoordinatesToCellName(column+1, i+1) // cannot fail
				return cell
			}
			if to := moved[row[recipient]]; to != "" {
				changed++
				if err := book.SetCellStr(sheet, at(recipient), to); err != nil {
					return err
				}
				continue
			}
			if slices.ContainsFunc(unsent, func(f string) bool { return strings.HasPrefix(row[failure], f) }) {
				changed++
				if err := book.SetCellStr(sheet, at(state), "Registrato"); err != nil {
					return err
				}
			}
		}
		return nil
	}))
	return changed
}

// exported is a row of an export.
type exported struct {
	citizen, state, failure, status string
	disabled                        bool
}

// export exports all notifications, and returns them.
func (t *trial) export() []exported {
	t.imports++
	name := t.path(fmt.Sprintf("esito%d.xlsx", t.imports))
	c := t.repeat("export", "--all", name)
	rows, err := readExport(name)
	t.must(err)
	if told := number(c.out.String(), `Esportat\S+ ([\d.]+) notific`); told != len(rows) {
		t.lie(c, "the file has %d rows", len(rows))
	}
	return rows
}

func readExport(name string) ([]exported, error) {
	book, err := excelize.OpenFile(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(name), err)
	}
	defer book.Close()
	rows, err := book.GetRows(book.GetSheetName(0))
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	var all []exported
	for _, row := range rows[1:] {
		of := func(header string) string {
			if at := slices.Index(rows[0], header); at >= 0 && at < len(row) {
				return row[at]
			}
			return ""
		}
		if of("UUID") == "" {
			continue
		}
		all = append(all, exported{of("Codice fiscale"), of("Stato"), of("Errore"), of("Stato Consegna"), strings.HasPrefix(of("Dis."), "S")})
	}
	return all, nil
}

// number returns the number that a pattern finds, -1 if it finds none.
func number(said, pattern string) int {
	found := regexp.MustCompile(pattern).FindStringSubmatch(said)
	if found == nil {
		return -1
	}
	n, err := strconv.Atoi(strings.ReplaceAll(found[1], ".", ""))
	if err != nil {
		return -1
	}
	return n
}
