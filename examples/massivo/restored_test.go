package main

import (
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
)

// today is a day for --copy-of.
func today() string { return time.Now().In(cli.Italy()).Format("02/01/2006") }

// copyFile copies a file that no process has open.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	require.NoError(t, os.WriteFile(to, must.Get(os.ReadFile(from))(t), 0o600))
}

// decideAfterRestore checks that nothing of a restored database is sent until it is declared, and
// then a flow at a time. The first flow was sent after the copy, the second was not.
func decideAfterRestore(t *testing.T, o *office, sent, waiting string) {
	t.Helper()
	delivered := len(o.platform.Deliveries())
	said := o.ran(t, cli.Failure, "send", sent)
	must.Contain(t, said, "Non si invia nulla finché un operatore non dichiara il ripristino.", "\n  massivo restored --copy-of 31/01/2026")
	assert.NotContains(t, said, "Per riprendere")
	o.ran(t, cli.Failure, "send", waiting)
	assert.Len(t, o.platform.Deliveries(), delivered)

	for range 2 { // the second continues the first, if that was killed
		said = o.ran(t, 0, "restored", "--copy-of", today(), "00:00")
		must.Contain(t, said, "L'archivio è stato ripristinato da una copia del "+today()+". 2 flussi, con 8 notifiche da inviare, sono disabilitati:",
			"con 5 notifiche da inviare: TARI", "massivo enable "+sent, "massivo send "+sent, "massivo enable "+waiting, "massivo send "+waiting)
	}
	assert.Contains(t, o.ran(t, exitStopped, "send", sent), "Il flusso è disabilitato.")
	assert.Len(t, o.platform.Deliveries(), delivered)
	assert.Contains(t, o.ran(t, 0, "history", waiting), "L'archivio è stato ripristinato")

	o.ran(t, 0, "enable", waiting)
	o.ran(t, 0, "send", waiting)
	assert.Len(t, o.platform.Deliveries(), delivered+3)
	assert.Contains(t, o.ran(t, 0, "list", "--disabled", "si"), sent)
}

func TestARestoredFileSendsNothingUntilItIsDeclared(t *testing.T) {
	o := newOffice(t)
	sent, waiting := o.imported(t, 5, "--note", "TARI"), o.imported(t, 3)
	copyFile(t, o.path("massivo.db"), o.path("copia.db"))
	o.ran(t, 0, "send", sent)
	copyFile(t, o.path("copia.db"), o.path("massivo.db"))
	decideAfterRestore(t, o, sent, waiting)
}

func TestARestoredServerSendsNothingUntilItIsDeclared(t *testing.T) {
	location := pgtest.Start(t).Database(t)
	u := must.Get(url.Parse(location))(t)
	o := newOffice(t)
	o.env["MASSIVO_STORE"] = fmt.Sprintf("host=%s port=%s user=postgres dbname=%s", u.Hostname(), u.Port(), strings.TrimPrefix(u.Path, "/"))
	first := o.imported(t, 1)
	o.ran(t, 0, "send", first) // the store learns which server it is on
	sent, waiting := o.imported(t, 5, "--note", "TARI"), o.imported(t, 3)
	conn := must.Get(pgx.Connect(t.Context(), location))(t)
	must.Get(conn.Exec(t.Context(), "UPDATE flussi.properties SET value = 'altro/00000001' WHERE name = 'cluster'"))(t)
	require.NoError(t, conn.Close(t.Context()))
	decideAfterRestore(t, o, sent, waiting)
}

// A copy of all files, made while nothing was sent, cannot be told from the archive.
func TestACopyThatCannotBeNoticedIsDeclared(t *testing.T) {
	o := newOffice(t)
	o.env["MASSIVO_SERVICE"], o.env["MASSIVO_KEY"] = "tributi", "chiave-segreta"
	id := o.imported(t, 5)
	delete(o.env, "MASSIVO_SERVICE")
	other := o.imported(t, 2)
	said := o.ran(t, 0, "restored", "--copy-of", today(), "--service", "prova")
	must.Contain(t, said, "2 flussi, con 7 notifiche", "del servizio «tributi»",
		"\n  massivo enable "+id+" --service tributi\n  massivo send "+id+" --service tributi\n",
		"\n  massivo enable "+other+" --service prova\n")
	assert.Contains(t, o.ran(t, cli.Failure, "send", id, "--service", "tributi"), "disabilitato")
}

func TestRestoredRefusesWhatIsNoTimeOfACopy(t *testing.T) {
	o := newOffice(t)
	id := o.imported(t, 1)
	tomorrow := time.Now().AddDate(0, 0, 2).Format("02/01/2006")
	for says, args := range map[string][]string{
		"Serve --copy-of":                  {"restored"},
		"serve un giorno, come 31/01/2026": {"restored", "--copy-of", "ieri"},
		"deve essere come 18:30":           {"restored", "--copy-of", today(), "sera"},
		"troppi argomenti":                 {"restored", "--copy-of", today(), "10:00", "11:00"},
		"la data deve essere nel passato":  {"restored", "--copy-of", tomorrow},
	} {
		code, said := o.run(args...)
		assert.Contains(t, []int{cli.Usage, cli.Failure}, code)
		assert.Contains(t, said, says)
	}
	o.ran(t, 0, "send", id)
	assert.Contains(t, o.ran(t, 0, "restored", "--copy-of", today()), "Nessun flusso abilitato aveva notifiche da inviare")
	assert.Contains(t, newOffice(t).ran(t, 0, "restored", "--copy-of", today()), "Nessun flusso", "an empty archive")
}
