package main

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/internal/must"
)

// tomorrowAt8 is a time for --not-before.
func tomorrowAt8() string {
	return time.Now().In(cli.Italy()).AddDate(0, 0, 1).Format(time.DateOnly) + " 08:00"
}

func TestAScheduledFlowIsShownAndWithdrawn(t *testing.T) {
	o := newOffice(t)
	id, other := o.imported(t, 3), o.imported(t, 1)
	at := time.Now().In(cli.Italy()).AddDate(0, 0, 1).Format("02/01/2006")
	must.Contain(t, o.ran(t, 0, "send", id, "--not-before", tomorrowAt8()),
		"l'invio inizia non prima del "+at+" alle 08:00", "massivo serve", "massivo deactivate "+id)
	said := o.ran(t, 0, "list", "--scheduled")
	must.Contain(t, said, "Non prima di", at+" 08:00", id)
	assert.NotContains(t, said, other)
	must.Contain(t, o.ran(t, 0, "show", id), "Non prima di:", at+" 08:00:00", "Programmato da:", "m.neri", "Programma Invio")
	must.Contain(t, o.ran(t, 0, "history", id), "Programma Invio", "m.neri")
	o.ran(t, 0, "send", other)
	assert.Contains(t, o.ran(t, cli.Usage, "send"), "è programmato per il "+at+" alle 08:00. Per inviarlo subito: massivo send "+id)
	for range 2 { // a second one finds it done
		assert.Contains(t, o.ran(t, 0, "deactivate", id), "Inattivo")
	}
	assert.Contains(t, o.ran(t, cli.Failure, "deactivate", other), "non è possibile nello stato «Inviato»")
	assert.Equal(t, 1, o.platform.Received(appiotest.SubmitMessage), "of the other flow")
	assert.NotContains(t, o.ran(t, 0, "list"), "Non prima di")
	assert.Contains(t, o.ran(t, 0, "list", "--scheduled"), "Nessun flusso.")
}

func TestTimesAtWhichNothingBeginsAreRefused(t *testing.T) {
	o := newOffice(t)
	id := o.imported(t, 1)
	for text, says := range map[string]string{
		"2099-12-01":       "un giorno e un'ora, come 2026-12-01 08:00",
		"domani":           "come 2026-12-01 08:00",
		"2099-12-01 25:00": "come 18:30",
		"2020-12-01 08:00": "già passata",
		"2099-03-29 02:30": "non esiste: quella notte entra in vigore l'ora legale",
		"25/10/2099 02:30": "c'è due volte: quella notte finisce l'ora legale",
	} {
		assert.Contains(t, o.ran(t, cli.Usage, "send", id, "--not-before", text), says, text)
	}
	assert.Contains(t, o.ran(t, cli.Failure, "send", id, "--not-before", "2099-03-29 03:30"), "fino a un anno prima")
	assert.Contains(t, o.ran(t, cli.Usage, "restored", "--copy-of", "29/03/2026", "02:30"), "non esiste")
}

// serve begins a flow whose time has come, and does not end before Ctrl-C.
func TestServeSendsScheduledFlows(t *testing.T) {
	o := newOffice(t)
	id, later := o.imported(t, 3), o.imported(t, 1)
	o.ran(t, 0, "send", id, "--not-before", tomorrowAt8())
	o.ran(t, 0, "send", later, "--not-before", tomorrowAt8())
	db := must.Get(sql.Open("sqlite", o.path("massivo.db")))(t)
	_, err := db.ExecContext(t.Context(), "UPDATE flussi_flows SET not_before = 1 WHERE created_at = (SELECT min(created_at) FROM flussi_flows)")
	require.NoError(t, errors.Join(err, db.Close()))
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		defer stop()
		assert.Eventually(t, func() bool { return len(o.platform.Deliveries()) == 3 }, time.Minute, 10*time.Millisecond)
	}()
	code, said := o.runUntil(ctx, "serve")
	assert.Equal(t, cli.OK, code, said)
	assert.Contains(t, said, "Per terminare: Ctrl-C")
	must.Contain(t, o.ran(t, 0, "history", id), "Avvio all'ora programmata", "Invio programmato da «m.neri»")
	assert.Contains(t, o.ran(t, 0, "show", later), "Attivo")
	assert.Len(t, o.platform.Deliveries(), 3)
}

func TestReachableCountsAndWritesAWorkbook(t *testing.T) {
	o := newOffice(t)
	id := o.imported(t, 5)
	o.platform.AddCitizen(appiotest.Citizen{Code: appiotest.SampleCitizen(1001), Absent: true})
	o.platform.AddCitizen(appiotest.Citizen{Code: appiotest.SampleCitizen(1002), Blocks: []string{sandboxService}})
	o.platform.AddCitizen(appiotest.Citizen{Code: appiotest.SampleCitizen(1003), Languages: []string{"de_DE"}})
	said := o.ran(t, 0, "reachable", o.path("destinatari.xlsx"))
	must.Contain(t, said, "Raggiungibile     │         3", "Non è su App IO   │         1", "Servizio bloccato │         1", "Totale            │         5",
		"Lingue dei destinatari raggiungibili: de_DE 1 e it_IT 2.", "destinatari.xlsx")
	assert.FileExists(t, o.path("destinatari.xlsx"))
	assert.Zero(t, o.platform.Received(appiotest.SubmitMessage))
	assert.Contains(t, o.ran(t, cli.Failure, "reachable", id, o.path("destinatari.xlsx")), "esiste già")
	assert.Equal(t, 5, o.platform.Received(appiotest.GetProfile), "a file that is there is refused before anybody is asked for")
}

func TestReachableGoesOnAfterAnInterruption(t *testing.T) {
	o := newOffice(t)
	id := o.imported(t, 100)
	refused := appiotest.Fault{Kind: appiotest.Unauthorized}
	o.platform.Fail(appiotest.GetProfile, append(make([]appiotest.Fault, 40), refused)...)
	said := o.ran(t, cli.Failure, "reachable", id, o.path("prima.xlsx"))
	must.Contain(t, said, "La verifica non è finita.", "massivo reachable "+id+" altro.xlsx --after ")
	assert.FileExists(t, o.path("prima.xlsx"))
	mark := regexp.MustCompile(`--after (\S+)`).FindStringSubmatch(said)[1]
	first := rowsOf(t, o.path("prima.xlsx"))
	assert.GreaterOrEqual(t, first, 32)
	o.ran(t, 0, "reachable", id, o.path("altro.xlsx"), "--after", mark)
	assert.Equal(t, 100, first+rowsOf(t, o.path("altro.xlsx")))

	asked := o.platform.Received(appiotest.GetProfile)
	assert.Contains(t, o.ran(t, cli.Usage, "reachable", id, o.path("altro.xlsx"), "--after", "zzz"), "--after: il segno non è valido")
	assert.Contains(t, o.ran(t, cli.Usage, "reachable", id), "è un UUID: indicare anche il nome del file da scrivere")
	assert.Contains(t, o.ran(t, cli.Usage, "export", id), "è un UUID: indicare anche il nome del file da scrivere")
	assert.Equal(t, asked, o.platform.Received(appiotest.GetProfile))
	o.platform.FailAtRandom(appiotest.GetProfile, 1, 1, refused)
	o.ran(t, cli.Failure, "reachable", id, o.path("niente.xlsx"))
	_, err := os.Stat(o.path("niente.xlsx"))
	assert.ErrorIs(t, err, os.ErrNotExist, "there is nothing to write")
}

// rowsOf counts the rows of a workbook below its headers.
func rowsOf(t *testing.T, name string) int {
	book := must.Get(excelize.OpenFile(name))(t)
	defer func() { require.NoError(t, book.Close()) }()
	return len(must.Get(book.GetRows(book.GetSheetName(0)))(t)) - 1
}
