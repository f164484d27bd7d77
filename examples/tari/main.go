// Command tari is a service with a database and a table of its own, and a job that it runs every
// night: it sends a message for each bill that was not announced yet. The flow and the service's own
// rows are stored in one transaction, so that each bill is in exactly one flow, even if the job is
// killed. If it is killed after the commit, an operator sends the flow. With PostgreSQL, use
// sqlstore/postgres on a pgxpool.Pool in the same way.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/sqlstore/sqlite"
)

func main() {
	folder, err := os.MkdirTemp("", "tari-")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	if err := run(context.Background(), filepath.Join(folder, "comune.db")); err != nil {
		log.Print(flussi.Explain(err), " (", err, ")")
	}
}

func run(ctx context.Context, path string) error {
	platform := appiotest.NewServer(appiotest.Config{}) // instead of the real App IO
	defer platform.Close()
	platform.AddService(appiotest.Service{ID: "tributi", Key: "a-key"})
	key, err := flussi.ParseKey("a-key")
	if err != nil {
		return err
	}
	client, err := appio.New(key, appio.Config{BaseURL: platform.URL})
	if err != nil {
		return err
	}

	// The service's own database. Its commits must wait for the disk: synchronous FULL.
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(ctx, "CREATE TABLE bills (citizen TEXT, cents INTEGER, due TEXT, flow TEXT)"); err != nil {
		return err
	}
	for i := range 3 {
		if _, err := db.ExecContext(ctx, "INSERT INTO bills VALUES (?, ?, '2027-06-16', '')", appiotest.SampleCitizen(i+1).Reveal(), 10000+i); err != nil {
			return err
		}
	}
	store, err := sqlite.New(db, sqlite.Config{})
	if err != nil {
		return err
	}
	if err := store.Migrate(ctx); err != nil { // creates the tables flussi_…
		return err
	}
	for range 2 { // two nights
		if err := announce(ctx, db, store, client); err != nil {
			return err
		}
	}
	fmt.Println("Messaggi consegnati:", len(platform.Deliveries()))
	return nil
}

// announce is the nightly job: it imports the bills as a flow, and sends the flow after the commit.
func announce(ctx context.Context, db *sql.DB, store *sqlite.Store, client *appio.Client) error {
	senders := func(context.Context, string) (flow.Sender, error) { return client, nil }
	permissions := flow.Permissions{"tari": {"tributi"}}
	job := flussi.Actor{ID: "tari", Roles: []flussi.Role{flussi.Operator}}

	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	drafts, err := unannounced(ctx, tx)
	if err != nil || len(drafts) == 0 {
		fmt.Println("Nessun avviso da inviare.")
		return err
	}
	composing, err := flow.NewService(store.WithTx(tx), permissions, senders, flow.ServiceConfig{})
	if err != nil {
		return err
	}
	f, report, err := composing.ImportFlow(ctx, job, "tributi", flow.Details{AppKey: "tari 2027"}, flow.DraftRows(drafts...), flow.AddConfig{})
	for _, wrong := range report.Errors {
		fmt.Println(wrong.Italian())
	}
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE bills SET flow = ? WHERE flow = ''", f.ID.String()); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}

	service, err := flow.NewService(store, permissions, senders, flow.ServiceConfig{})
	if err != nil {
		return err
	}
	dispatcher, err := flow.NewDispatcher(store, senders, flow.DispatcherConfig{})
	if err != nil {
		return err
	}
	_, err = service.ActivateFlow(ctx, job, f.ID)
	if err == nil {
		_, err = service.SendFlow(ctx, job, f.ID)
	}
	if err == nil {
		f, err = dispatcher.Run(ctx, f.ID)
	}
	if err == nil {
		fmt.Println(f.State.Label(), f.Counts.Sent, "di", f.Counts.Total())
	}
	return err
}

// unannounced returns a message for each bill that is in no flow yet.
func unannounced(ctx context.Context, tx *sql.Tx) (drafts []flow.Draft, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT citizen, cents, due FROM bills WHERE flow = ''")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var citizen, due string
		var cents int64
		if err := rows.Scan(&citizen, &cents, &due); err != nil {
			return nil, err
		}
		recipient, err := flussi.ParseFiscalCode(citizen)
		if err != nil {
			return nil, err
		}
		day, err := time.Parse(time.DateOnly, due)
		if err != nil {
			return nil, err
		}
		end, err := flussi.EndOfDay(day.Year(), day.Month(), day.Day())
		if err != nil {
			return nil, err
		}
		drafts = append(drafts, flow.Draft{
			Recipient: recipient, Subject: flussi.NewText("Scadenza della TARI"),
			Content: flussi.NewText(fmt.Sprintf("La TARI di quest'anno è di %s euro, e scade il %s. Si può pagare dalla banca, "+
				"da un ufficio postale o dall'app; chi ha già pagato non deve fare altro.", flussi.Cents(cents), day.Format("02/01/2006"))),
			DueDate: end,
		})
	}
	return drafts, rows.Err()
}
