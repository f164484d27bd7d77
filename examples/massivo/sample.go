package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/examples/internal/sheets"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowexcel"
)

const (
	sampleRows = 200
	demoCalls  = 250 // in 5 seconds: some bodies have that many
	rowHeight  = 64  // of four lines, as a spreadsheet makes it for who types the text
)

// away returns the rows of citizens whom the service cannot reach.
func away() []int { return []int{17, 58, 96, 131, 170} }

// moved returns those of them whose right fiscal code the office finds out, each with the
// row whose citizen it is.
func moved() map[int]int { return map[int]int{17: 1017, 96: 1096} }

// newPlatform returns a simulator on which not everything goes well.
func newPlatform() *appiotest.Server {
	platform := appiotest.NewServer(appiotest.Config{Calls: demoCalls})
	platform.AddService(appiotest.Service{ID: sandboxService, Key: sandboxKey, Body: "80185250588"})
	for _, row := range away() {
		platform.AddCitizen(appiotest.Citizen{Code: appiotest.SampleCitizen(row), Absent: true})
	}
	faults := make([]appiotest.Fault, 150)
	for call, fault := range map[int]appiotest.Fault{
		25:  {Kind: appiotest.TooManyRequests, RetryAfter: time.Second},
		60:  {Kind: appiotest.GatewayTimeout, Stored: true},
		61:  {Kind: appiotest.ServerProblem},
		90:  {Kind: appiotest.BadRequest},
		110: {Kind: appiotest.TooManyRequests, RetryAfter: time.Second},
		120: {Kind: appiotest.Reset},
	} {
		faults[call] = fault
	}
	platform.Fail(appiotest.SubmitMessage, faults...)
	return platform
}

// sampleRow returns the cells of a row as an office types them.
func sampleRow(i int, due time.Time) []any {
	row := []any{
		appiotest.SampleCitizen(i).Reveal(),
		"TARI 2026: avviso di pagamento della prima rata",
		fmt.Sprintf("Gentile contribuente, la prima rata della TARI 2026 scade il %s. Può pagarla direttamente da questo messaggio, "+
			"oppure con l'avviso pagoPA presso banche, poste e tabaccai. Per informazioni: ufficio tributi, dal lunedì al venerdì.", due.Format("02/01/2006")),
		due.Format("02/01/2006"),
		fmt.Sprintf("%d,%02d", 60+i%140, i*37%100),
		appiotest.SampleNotice(i).Reveal(),
		"",
		"Sì",
		fmt.Sprintf("TARI-2026-%06d", i),
	}
	switch i { // what is typed wrong
	case 12:
		row[0] = appiotest.SampleCitizen(i).Reveal()[:15]
	case 44:
		row[4] = "1.234"
	case 73:
		row[3] = "31/02/2027"
	case 105:
		row[2] = "Scade la TARI."
	case 148:
		row[5] = ""
	case 190:
		copy(row, sampleRow(189, due))
	}
	return row
}

// writeSample writes the template as an office fills it in.
func writeSample(ctx context.Context, name string) error {
	template, err := flowexcel.New(flowexcel.Config{})
	if err != nil {
		return err
	}
	if err := write(name, false, func(w io.Writer) error { return template.Blank(ctx, w) }); err != nil {
		return err
	}
	due := time.Now().AddDate(0, 1, 0)
	return sheets.Edit(name, func(book *excelize.File, sheet string) error {
		for i := range sampleRows {
			row := sampleRow(i, due)
			if err := errors.Join(book.SetSheetRow(sheet, fmt.Sprintf("A%d", i+2), &row), book.SetRowHeight(sheet, i+2, rowHeight)); err != nil {
				return err
			}
		}
		return nil
	})
}

// correctSample corrects an export as an operator does: other fiscal codes for citizens
// who were not found, and Registrato for what the platform refused for no reason.
func correctSample(name string) error {
	return sheets.Edit(name, func(book *excelize.File, sheet string) error {
		rows, err := book.GetRows(sheet)
		if err != nil {
			return err
		}
		column := map[string]int{}
		for i, header := range rows[0] {
			column[header] = i
		}
		set := func(row int, header, value string) error {
			cell, err := excelize.CoordinatesToCellName(column[header]+1, row+1)
			if err != nil {
				return err
			}
			return book.SetCellStr(sheet, cell, value)
		}
		for i, row := range rows {
			of := func(header string) string {
				if at := column[header]; at < len(row) {
					return row[at]
				}
				return ""
			}
			if i == 0 || of("Stato") != flow.NotificationFailed.Label() {
				continue
			}
			found := false
			for was, is := range moved() {
				if of("Codice fiscale") == appiotest.SampleCitizen(was).Reveal() {
					found = true
					if err := set(i, "Codice fiscale", appiotest.SampleCitizen(is).Reveal()); err != nil {
						return err
					}
				}
			}
			if !found && strings.HasPrefix(of("Errore"), flow.CodeRefused.Label()) {
				if err := set(i, "Stato", flow.NotificationRegistered.Label()); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
