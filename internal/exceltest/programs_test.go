package exceltest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowexcel"
	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/internal/exceltest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/sampletest"
	"github.com/flussi-go/flussi/internal/xlsx"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/noticeexcel"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/pagoinrete/settlementexcel"
)

// program opens workbooks and saves them again.
type program struct {
	name   string
	rounds int      // how often the workbooks go through it
	needs  []string // a command that succeeds if the program is installed
	// unstyled: cells lose their formats. Gnumeric leaves out the style of a cell in a column of the
	// same style, so that a date shows as a number, also in Excel, and is read with a warning.
	unstyled bool
	// save returns the commands that save the workbooks of a folder into another one.
	save func(from, to string, names []string) [][]string
}

func programs(t *testing.T) []program {
	once := func(command ...string) func(from, to string, names []string) [][]string {
		return func(from, to string, _ []string) [][]string { return [][]string{append(command, from, to)} }
	}
	profile := "-env:UserInstallation=file://" + filepath.Join(t.TempDir(), "profile")
	const python = "/usr/bin/python3" // which has the packages of the system
	return []program{
		{"LibreOffice", 2, []string{"soffice", "--version"}, false, func(from, to string, names []string) [][]string {
			command := []string{"soffice", profile, "--headless", "--convert-to", "xlsx", "--outdir", to}
			for _, name := range names {
				command = append(command, filepath.Join(from, name))
			}
			return [][]string{command}
		}},
		{"gnumeric", 1, []string{"ssconvert", "--version"}, true, func(from, to string, names []string) (commands [][]string) {
			for _, name := range names {
				commands = append(commands, []string{"ssconvert", "--export-type=Gnumeric_Excel:xlsx2", filepath.Join(from, name), filepath.Join(to, name)})
			}
			return commands
		}},
		{"openpyxl", 1, []string{python, "-c", "import openpyxl"}, false, once(python, "testdata/resave.py")},
		{"exceljs", 1, []string{"node", "-e", `require("exceljs")`}, false, once("node", "testdata/resave.cjs", "exceljs")},
		{"SheetJS", 1, []string{"node", "-e", `require("xlsx")`}, false, once("node", "testdata/resave.cjs", "xlsx")},
	}
}

// run sends workbooks through the program, all of them at once.
func (p program) run(t *testing.T, files map[string][]byte) map[string][]byte {
	from, to := t.TempDir(), t.TempDir()
	var names []string
	for name, data := range files {
		require.NoError(t, os.WriteFile(filepath.Join(from, name), data, 0o600))
		names = append(names, name)
	}
	for _, command := range p.save(from, to, names) {
		text, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput()
		require.NoError(t, err, "%s", text)
	}
	saved := map[string][]byte{}
	for _, name := range names {
		saved[name] = must.Get(os.ReadFile(filepath.Join(to, name)))(t)
	}
	return saved
}

// Templates, empty and filled in, and exports hold the same rows after other programs have opened
// and saved them. An export stays one: it is not imported.
func TestRowsSurviveOtherPrograms(t *testing.T) {
	notifications, notices := must.Get(flowexcel.New(flowexcel.Config{}))(t), must.Get(noticeexcel.New(noticeexcel.Config{}))(t)
	imports, bills := notificationsOf(notifications), noticesOf(notices)
	service, exported := someNotifications(t, notifications)
	books := map[string]struct {
		file []byte
		read func(t *testing.T, file []byte, formats bool) any
	}{
		"notifiche.xlsx": {imports.Fill(t, notificationCells()), func(t *testing.T, file []byte, _ bool) any { return imported(t, imports, file) }},
		"avvisi.xlsx":    {bills.Fill(t, noticeCells()), func(t *testing.T, file []byte, _ bool) any { return imported(t, bills, file) }},
		"notifiche-vuoto.xlsx": {imports.Fill(t, nil), func(t *testing.T, file []byte, _ bool) any {
			return imported(t, imports, exceltest.Edit(t, file, notificationCells()))
		}},
		"avvisi-vuoto.xlsx": {bills.Fill(t, nil), func(t *testing.T, file []byte, _ bool) any {
			return imported(t, bills, exceltest.Edit(t, file, noticeCells()))
		}},
		"notifiche-esportate.xlsx": {exported, func(t *testing.T, file []byte, formats bool) any {
			notImported(t, imports, file)
			report, err := notifications.Correct(t.Context(), service, operator, bytes.NewReader(file), int64(len(file)), flowexcel.CorrectConfig{})
			require.NoError(t, err, report.Italian(0))
			return []any{report.Corrected, report.SetBack, report.Unchanged, report.NotInError, cells(t, file, formats)}
		}},
		"avvisi-esportati.xlsx": {exportedNotices(t, notices), func(t *testing.T, file []byte, formats bool) any {
			notImported(t, bills, file)
			return cells(t, file, formats)
		}},
		"riconciliazione.xlsx": {exportedReport(t), func(t *testing.T, file []byte, formats bool) any {
			var all []map[string]string
			for sheet := range 5 {
				all = append(all, cellsOfSheet(t, file, sheet, formats))
			}
			return all
		}},
	}
	files := map[string][]byte{}
	for name, book := range books {
		files[name] = book.file
	}
	for _, p := range programs(t) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			if text, err := exec.CommandContext(t.Context(), p.needs[0], p.needs[1:]...).CombinedOutput(); err != nil {
				t.Skipf("not installed: %v %s", err, text)
			}
			saved := files
			for round := range p.rounds {
				saved = p.run(t, saved)
				for name, book := range books {
					require.Equal(t, book.read(t, book.file, !p.unstyled), book.read(t, saved[name], !p.unstyled), "%s, round %d", name, round+1)
				}
			}
		})
	}
}

// notImported checks that an import refuses an export.
func notImported[Row any](t *testing.T, w exceltest.Workbook[Row], file []byte) {
	t.Helper()
	_, errs, reading := w.Read(t, file)
	require.Len(t, errs, 1)
	require.Contains(t, reading.Italian(), "Il file è un'esportazione")
}

// imported reads a file that was filled in, all of whose rows are right.
func imported[Row any](t *testing.T, w exceltest.Workbook[Row], file []byte) []Row {
	t.Helper()
	rows, errs, reading := w.Read(t, file)
	require.Empty(t, errs, reading.Italian())
	require.Len(t, rows, someRows)
	require.False(t, reading.Outdated)
	return rows
}

// cells reads what is in the first sheet of a workbook.
func cells(t *testing.T, file []byte, formats bool) map[string]string {
	t.Helper()
	return cellsOfSheet(t, file, 0, formats)
}

// cellsOfSheet reads what is in a sheet of a workbook, with the formats of its cells or without.
// Programs write the same number in several ways.
func cellsOfSheet(t *testing.T, file []byte, sheet int, formats bool) map[string]string {
	t.Helper()
	book := must.Get(xlsx.Open(t.Context(), bytes.NewReader(file), int64(len(file)), xlsx.Limits{Unpacked: 1 << 26, Strings: 1 << 26, Columns: 100, Cell: xlsx.MaxText}))(t)
	rows := must.Get(book.Rows(sheet))(t)
	defer func() { require.NoError(t, rows.Close()) }()
	found := map[string]string{}
	var row xlsx.Row
	for {
		err := rows.Next(&row)
		if err == io.EOF {
			return found
		}
		require.NoError(t, err)
		for _, c := range row.Cells {
			text := c.Text
			if c.Type == xlsx.Number {
				text = strconv.FormatFloat(must.Get(strconv.ParseFloat(text, 64))(t), 'g', 15, 64)
			}
			if !formats {
				c.Format = xlsx.Plain
			}
			found[xlsx.Reference(c.Column, row.Number)] = fmt.Sprint(c.Type, c.Format, " ", text)
		}
	}
}

const someRows = 8

// hard is a text with everything that programs escape. LibreOffice takes _x0041_ for an escape, and
// writes the character.
const hard = "Gentile famiglia,\nla rata «TARI» di perché & così <è> \"scaduta\" 😀: 50% = 12,50 €.\n\n'Un apostrofo all'inizio di una riga, e una riga vuota prima di questa."

var operator = flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}

func notificationsOf(tpl *flowexcel.Template) exceltest.Workbook[flow.Row] {
	return exceltest.Of(tpl, func(r flow.Row) int { return r.Number }, func(r flussi.ImportReport) flow.AddReport { return flow.AddReport{ImportReport: r} })
}

func noticesOf(tpl *noticeexcel.Template) exceltest.Workbook[pagoinrete.NoticeRow] {
	return exceltest.Of(tpl, func(r pagoinrete.NoticeRow) int { return r.Number }, func(r flussi.ImportReport) pagoinrete.AddReport { return pagoinrete.AddReport{ImportReport: r} })
}

// cellsOf are the cells of rows below a header.
func cellsOf(row func(i int) []any) map[string]any {
	values := map[string]any{}
	for i := range someRows {
		for column, value := range row(i) {
			values[xlsx.Reference(column+1, i+2)] = value
		}
	}
	return values
}

func notificationCells() map[string]any {
	return cellsOf(func(i int) []any {
		row := []any{sampletest.FiscalCode(i).Reveal(), fmt.Sprintf("=Oggetto n. %d", i), hard}
		if i%2 == 0 {
			row = append(row, time.Date(2099, 6, 1+i, 0, 0, 0, 0, time.UTC), float64(1999+i)/100, sampletest.NoticeNumber(i).Reveal(), "00885250588", "Sì", fmt.Sprintf("000%d", i), "sollecito")
		}
		return row
	})
}

func noticeCells() map[string]any {
	return cellsOf(func(i int) []any {
		row := []any{sampletest.FiscalCode(i).Reveal(), "D'Amico-Rossi Noè", "personale", nil, 1 + i%3, float64(2010+i) / 100}
		if i%2 == 0 {
			row[2], row[3] = "alunno", sampletest.FiscalCode(100+i).Reveal()
			row = append(row, 0.07, time.Date(2099, 6, 1+i, 0, 0, 0, 0, time.UTC), fmt.Sprintf("000%d", i))
		}
		return row
	})
}

// draft is that of a notification.
func draft(t *testing.T, i int) flow.Draft {
	return flow.Draft{Recipient: sampletest.FiscalCode(i), Subject: flussi.NewText(fmt.Sprintf("Oggetto n. %d", i)), Content: flussi.NewText(hard), Reference: fmt.Sprintf("000%d", i),
		IsPayment: true, Amount: flussi.Cents(1999 + i), NoticeNumber: sampletest.NoticeNumber(i), DueDate: must.Get(flussi.EndOfDay(2099, time.June, 1+i))(t)}
}

// someNotifications makes notifications in several states, and an export of them.
func someNotifications(t *testing.T, tpl *flowexcel.Template) (*flow.Service, []byte) {
	const taxes = "tributi"
	store := memstore.New()
	nobody := func(context.Context, string) (flow.Sender, error) { return nil, errors.New("nothing is sent here") }
	service := must.Get(flow.NewService(store, flow.Permissions{operator.ID: {taxes}}, nobody, flow.ServiceConfig{}))(t)
	f := must.Get(service.CreateFlow(t.Context(), operator, taxes, flow.Details{}))(t)
	for i := range someRows {
		n := must.Get(flow.NewNotification(taxes, sampletest.FiscalCode(i), operator))(t)
		n.FlowID, n.Draft = f.ID, draft(t, i)
		switch i % 3 {
		case 0:
			n.State, n.Transmission = flow.NotificationFailed, flow.Transmission{Attempts: 1, ErrorCode: flow.CodeRefused, Error: flow.CodeRefused.Italian()}
		case 1:
			n.State, n.Transmission = flow.NotificationSent, flow.Transmission{MessageID: "01JN6Q5CZ3VGTA4X4QJEFR95C1", Attempts: 2, SentAt: time.Date(2025, 2, 28, 16, 45, 17, 0, time.UTC)}
		}
		record := flow.NotificationRecord{At: n.CreatedAt, By: operator.ID, Action: flow.NotificationCreate, To: n.State}
		require.NoError(t, store.SaveNotifications(t.Context(), flow.NotificationChange{Notification: n, Record: record}))
	}
	var b bytes.Buffer
	require.NoError(t, tpl.Export(t.Context(), &b, service.AllNotifications(t.Context(), operator, flow.NotificationFilter{Flow: f.ID})))
	return service, b.Bytes()
}

func exportedNotices(t *testing.T, tpl *noticeexcel.Template) []byte {
	var all []pagoinrete.Notice
	for i := range someRows {
		proof := pagoinrete.Proof{Reference: fmt.Sprintf("00%d", i), Amount: flussi.Cents(4500 + i), Date: time.Date(2099, 4, 1+i, 0, 0, 0, 0, time.UTC), By: "m.neri"}
		n := pagoinrete.Notice{
			ID: uuid.New(), EventID: uuid.New(), School: "RMIC8GA002", State: pagoinrete.NoticePaidOnline, Instalment: 1 + i,
			NoticeData: pagoinrete.NoticeData{Debtor: sampletest.FiscalCode(i), DebtorKind: pagoinrete.DebtorPupil, DebtorName: flussi.NewText("D'Amico-Rossi Noè"), Payer: sampletest.FiscalCode(100 + i),
				Amount: flussi.Cents(5000 + i), Discount: 7, DueDate: must.Get(flussi.EndOfDay(2099, time.March, 1+i))(t), Reference: fmt.Sprintf("000%d", i)},
			Number: sampletest.NoticeNumber(i), RemoteID: "0123", Visible: i%2 == 0, Error: hard, UpdatedAt: time.Date(2099, 2, 28, 16, 47, 53+i, 0, time.UTC), UpdatedBy: "a.verdi", Version: 7,
		}
		if i%2 == 0 {
			n.Evidence = pagoinrete.Evidence{Receipt: proof, Settlement: proof, Movement: proof, Manual: proof, Refund: proof}
			n.Discrepancy = pagoinrete.Discrepancy{Kind: pagoinrete.DiscrepancyPaidTwice}
		}
		all = append(all, n)
	}
	var b bytes.Buffer
	require.NoError(t, tpl.Export(t.Context(), &b, exceltest.Given(all...)))
	return b.Bytes()
}

// exportedReport is a report of a reconciliation with something in each of its sheets.
func exportedReport(t *testing.T) []byte {
	var flows []settlement.Settlement
	var payments []settlement.PaymentLine
	var movements []settlement.MovementLine
	var allocations []settlement.Allocation
	for i := range someRows {
		at := time.Date(2099, 4, 1+i, 22, 0, 0, 0, time.UTC)
		e := settlement.Settlement{FlowID: fmt.Sprintf("2099-04-01BANKIT-%03d", i), PSP: "00123", PSPName: hard, Date: at, FileAt: at.Add(time.Second), Total: flussi.Cents(1999 + i),
			Covered: 1999, State: settlement.SettlementStates()[i%4]}
		p := settlement.Payment{ID: uuid.New(), Reference: paymentfile.NewReference(fmt.Sprintf("%017d", i)), IUR: fmt.Sprintf("000%d", i), Amount: flussi.Cents(7 + i), Date: at, State: settlement.PaymentStates()[i]}
		m := settlement.Movement{ID: uuid.New(), Number: fmt.Sprintf("0%d", i), Year: 2099, Date: at, Amount: flussi.Cents(1999 + i), State: settlement.MovementMatched,
			Parts: []settlement.Part{{Kind: settlement.PartMatched, Amount: flussi.Cents(1999 + i)}}, Entries: []settlement.Entry{{Causale: flussi.NewText(hard)}}}
		flows, payments = append(flows, e), append(payments, settlement.PaymentLine{Payment: p, Settlement: e})
		movements = append(movements, settlement.MovementLine{Movement: m, Settlements: []settlement.Settlement{e}})
		allocations = append(allocations, settlement.Allocation{Movement: m, Purpose: settlement.Purpose{Event: "Gita <2099>", Chapter: "06/04"}, Amount: flussi.Cents(1999 + i), Payments: i})
	}
	tpl := must.Get(settlementexcel.New(settlementexcel.Config{}))(t)
	var b bytes.Buffer
	require.NoError(t, tpl.Export(t.Context(), &b, settlementexcel.Sources{Settlements: exceltest.Given(flows...), Payments: exceltest.Given(payments...),
		Movements: exceltest.Given(movements...), Allocations: exceltest.Given(allocations...)}))
	return b.Bytes()
}
