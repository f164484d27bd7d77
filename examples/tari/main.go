// Command tari is a service with a database and a table of its own, and a job that it runs every
// night: it sends a message for each bill that was not announced yet. The job first composes a flow,
// in one transaction with the service's own rows, and then sends all of its flows that are not sent:
// so no bill is announced twice, or not at all, wherever the job is killed. The first night, it is
// killed between the two. A flow that is Invio incompleto waits for an operator, who reads why it
// stopped, or corrects what was refused, and orders it again.
//
// With PostgreSQL, use sqlstore/postgres on a pgxpool.Pool in the same way, and let compose read the
// bills FOR UPDATE.
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
	log.SetOutput(flussi.MaskWriter(os.Stderr)) // net/http and drivers print what they receive
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

	job, err := newJob(ctx, path, 3, func(context.Context, string) (flow.Sender, error) { return client, nil })
	if err != nil {
		return err
	}
	defer func() { _ = job.db.Close() }()
	if err := job.compose(ctx); err != nil { // the first night: killed after this
		return err
	}
	for range 2 { // two more nights
		if err := job.run(ctx); err != nil {
			return err
		}
	}
	fmt.Println("Messaggi consegnati:", len(platform.Deliveries()))
	return nil
}

// job announces bills.
type job struct {
	db      *sql.DB
	store   *sqlite.Store
	senders flow.SenderFor
}

const (
	service      = "tributi"    // the App IO service
	flowsOfBills = "tari"       // the AppContext of the job's flows
	dispatcherID = "tari-notte" // in histories: one for each process that sends
)

// actor is who the histories name: the program, with the role Operator. The role System is not for
// callers: only the library's own steps have it.
var (
	actor       = flussi.Actor{ID: "tari", Roles: []flussi.Role{flussi.Operator}}
	permissions = flow.Permissions{actor.ID: {service}}
)

// newJob creates the service's database, with so many bills that nobody was told about.
func newJob(ctx context.Context, path string, bills int, senders flow.SenderFor) (made *job, err error) {
	// The service's own database. Its connections wait for the disk, since synchronous FULL is
	// SQLite's default, and for each other. Its transactions lock the file when they begin:
	// compose reads before it writes.
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(30000)&_txlock=immediate&_pragma=foreign_keys(1)")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = db.Close()
		}
	}()
	if _, err := db.ExecContext(ctx, "CREATE TABLE bills (id INTEGER PRIMARY KEY, citizen TEXT, cents INTEGER, due TEXT, flow TEXT)"); err != nil {
		return nil, err
	}
	for i := range bills {
		if _, err := db.ExecContext(ctx, "INSERT INTO bills (citizen, cents, due, flow) VALUES (?, ?, '2027-06-16', '')", appiotest.SampleCitizen(i+1).Reveal(), 10000+i); err != nil {
			return nil, err
		}
	}
	store, err := sqlite.New(db, sqlite.Config{})
	if err != nil {
		return nil, err
	}
	if err := store.Migrate(ctx); err != nil { // creates the tables flussi_…
		return nil, err
	}
	return &job{db: db, store: store, senders: senders}, nil
}

// run is what the job does every night.
func (j *job) run(ctx context.Context) error {
	if err := j.compose(ctx); err != nil {
		return err
	}
	return j.send(ctx)
}

// compose stores a flow for the bills that belong to none, and marks them, in one transaction.
func (j *job) compose(ctx context.Context) error {
	begun, err := j.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = begun.Rollback() }()
	bills, err := unannounced(ctx, begun)
	if err != nil || len(bills) == 0 {
		return err
	}
	composing, err := flow.NewService(j.store.WithTx(begun), permissions, j.senders, flow.ServiceConfig{})
	if err != nil {
		return err
	}
	f, report, err := composing.ImportFlow(ctx, actor, service, flow.Details{AppContext: flowsOfBills}, flow.Rows(bills...), flow.AddConfig{})
	for _, wrong := range report.Errors {
		fmt.Println(wrong.Italian())
	}
	if err != nil {
		return err
	}
	for _, bill := range bills {
		if _, err := begun.ExecContext(ctx, "UPDATE bills SET flow = ? WHERE id = ?", f.ID.String(), bill.Number); err != nil {
			return err
		}
	}
	return begun.Commit()
}

// unfinished are the states of flows that the job has to finish. It leaves out Invio incompleto: to
// order such a flow again is an operator's decision.
var unfinished = []flow.FlowState{flow.FlowInactive, flow.FlowActive, flow.FlowSending}

// send sends the job's flows that are not sent, also those of a night on which the job was killed. It
// goes on after a flow that stops, and returns why it did.
func (j *job) send(ctx context.Context) error {
	flows, err := flow.NewService(j.store, permissions, j.senders, flow.ServiceConfig{})
	if err != nil {
		return err
	}
	dispatcher, err := flow.NewDispatcher(j.store, j.senders, flow.DispatcherConfig{ID: dispatcherID})
	if err != nil {
		return err
	}
	var stops []error
	for page := (flow.Page{OldestFirst: true}); ; {
		found, err := flows.Flows(ctx, actor, flow.FlowFilter{AppContext: flowsOfBills, States: unfinished, Disabled: flow.OnlyEnabled}, page)
		if err != nil {
			return errors.Join(append(stops, err)...)
		}
		for _, f := range found.Flows {
			var stop *flow.StopError
			switch err := finish(ctx, flows, dispatcher, f); {
			case errors.As(err, &stop): // the flow is Invio incompleto
				stops = append(stops, err)
			case err != nil:
				return errors.Join(append(stops, err)...)
			}
		}
		if found.Next.IsZero() {
			return errors.Join(stops...)
		}
		page.After = found.Next
	}
}

// finish sends a flow to its end, from whatever state it is in.
func finish(ctx context.Context, flows *flow.Service, dispatcher *flow.Dispatcher, f flow.Flow) (err error) {
	if f.State != flow.FlowSending {
		if f.Counts.Pending() == 0 || !f.NotBefore.IsZero() { // only rows that are set aside, or scheduled
			return nil
		}
		_, err = flows.ActivateFlow(ctx, actor, f.ID) // unchanged if it is active
		if err == nil {
			_, err = flows.SendFlow(ctx, actor, f.ID)
		}
	}
	if err == nil {
		f, err = dispatcher.Run(ctx, f.ID)
	}
	if err != nil {
		return err
	}
	fmt.Println(f.State.Label(), f.Counts.Sent, "di", f.Counts.Total())
	return nil
}

// unannounced returns the messages of the bills that belong to no flow, numbered by their IDs.
func unannounced(ctx context.Context, begun *sql.Tx) (bills []flow.Row, err error) {
	rows, err := begun.QueryContext(ctx, "SELECT id, citizen, cents, due FROM bills WHERE flow = ''")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id, cents int
		var citizen, due string
		if err := rows.Scan(&id, &citizen, &cents, &due); err != nil {
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
		bills = append(bills, flow.Row{Number: id, Draft: flow.Draft{ // the number makes two bills of one citizen two messages
			Recipient: recipient, Subject: flussi.NewText(fmt.Sprintf("TARI: bolletta n. %d", id)),
			Content: flussi.NewText(fmt.Sprintf("La bolletta n. %d della TARI è di %s euro, e scade il %s. Si può pagare dalla banca, "+
				"da un ufficio postale o dall'app; chi ha già pagato non deve fare altro.", id, flussi.Cents(cents), day.Format("02/01/2006"))),
			DueDate: end,
		}})
	}
	return bills, rows.Err()
}
