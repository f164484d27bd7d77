package sqlite_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/sqlstore/sqlite"
)

// importIn imports a flow in a transaction by a [flow.Service], beside a row of the caller.
func importIn(t *testing.T, s *sqlite.Store, transaction *sql.Tx, rows int) (flow.Flow, error) {
	t.Helper()
	service := must.Get(flow.NewService(s.WithTx(transaction), flow.Permissions{by.ID: {"tributi"}}, noSender, flow.ServiceConfig{}))(t)
	must.Get(transaction.ExecContext(t.Context(), "INSERT INTO pratiche VALUES ('mia')"))(t)
	var drafts []flow.Draft
	_, changes := change(rows)
	for c, err := range changes {
		require.NoError(t, err)
		drafts = append(drafts, c.Notification.Draft)
	}
	f, _, err := service.ImportFlow(t.Context(), by, "tributi", flow.Details{}, flow.DraftRows(drafts...), flow.AddConfig{})
	return f, err
}

// A flow and a row of the caller are stored together or not at all.
func TestImportInCallersTransaction(t *testing.T) {
	for name, newDatabase := range callers(t) {
		t.Run(name, func(t *testing.T) {
			db := newDatabase()
			s := joined(t, db)
			execute(t, db, "CREATE TABLE pratiche (x)")
			for _, commit := range []bool{false, true} {
				transaction := must.Get(db.BeginTx(t.Context(), nil))(t)
				f, err := importIn(t, s, transaction, 700)
				require.NoError(t, err)
				assert.Equal(t, 700, must.Get(s.WithTx(transaction).Flow(t.Context(), f.ID))(t).Counts.Registered)
				if commit {
					require.NoError(t, transaction.Commit())
				} else {
					require.NoError(t, transaction.Rollback())
				}
				_, err = s.Flow(t.Context(), f.ID)
				var own int
				require.NoError(t, db.QueryRow("SELECT count(*) FROM pratiche").Scan(&own))
				if commit {
					require.NoError(t, err)
					assert.Equal(t, 1, own)
				} else {
					require.ErrorIs(t, err, flussi.ErrNotFound)
					assert.Zero(t, own)
				}
			}
		})
	}
}

// A write that is refused leaves nothing, and the transaction goes on.
func TestRefusedWriteLeavesNothingInTransaction(t *testing.T) {
	db := database(t, newFile(t))
	s := joined(t, db)
	execute(t, db, "CREATE TABLE pratiche (x)")
	transaction := must.Get(db.BeginTx(t.Context(), nil))(t)
	in := s.WithTx(transaction)
	first, rows := change(600)
	err := in.SaveFlow(t.Context(), first, func(yield func(flow.NotificationChange, error) bool) {
		var last flow.NotificationChange
		for c, err := range rows {
			if last = c; !yield(c, err) {
				return
			}
		}
		yield(last, nil) // twice
	})
	require.ErrorIs(t, err, flussi.ErrConflict)
	_, err = in.Flow(t.Context(), first.Flow.ID)
	require.ErrorIs(t, err, flussi.ErrNotFound)
	second, err := importIn(t, s, transaction, 2)
	require.NoError(t, err)
	require.NoError(t, transaction.Commit())
	assert.Equal(t, 2, must.Get(s.Flow(t.Context(), second.ID))(t).Counts.Registered)
	var left int
	require.NoError(t, db.QueryRow("SELECT count(*) FROM flussi_notifications").Scan(&left))
	assert.Equal(t, 2, left)
}

// Nothing becomes In invio in a transaction of the caller.
func TestSendingInCallersTransactionIsRefused(t *testing.T) {
	db := database(t, newFile(t))
	s := joined(t, db)
	of := save(t, s, 2)
	transaction := must.Get(db.BeginTx(t.Context(), nil))(t)
	defer func() { require.NoError(t, transaction.Rollback()) }()
	in := s.WithTx(transaction)
	stored := must.Get(in.Notifications(t.Context(), flow.NotificationFilter{Flow: of}, flow.Page{Limit: 2}))(t)
	next := stored[0]
	next.State = flow.NotificationSending
	sending := flow.NotificationChange{Notification: next, Lease: time.Hour}
	alone := must.Get(flow.NewNotification("tributi", appiotest.SampleCitizen(9), by))(t)
	alone.State = flow.NotificationSending
	f, _ := change(0)
	newSending := alone
	newSending.FlowID = f.Flow.ID
	rows := func(yield func(flow.NotificationChange, error) bool) {
		yield(flow.NotificationChange{Notification: newSending}, nil)
	}

	for name, write := range map[string]func() error{
		"Claim":                func() error { _, err := claim(in, of, 1); return err },
		"Claim of nothing":     func() error { _, err := claim(in, of, 0); return err },
		"SaveAndClaim":         func() error { return must.Err(claimWith(t, in, of, nil)) },
		"SaveAndClaim, stored": func() error { return must.Err(claimWith(t, in, of, []flow.NotificationChange{sending})) },
		"SaveNotifications":    func() error { return in.SaveNotifications(t.Context(), sending) },
		"a new one":            func() error { return in.SaveNotifications(t.Context(), flow.NotificationChange{Notification: alone}) },
		"SaveFlow":             func() error { return in.SaveFlow(t.Context(), f, rows) },
		"SaveImport": func() error {
			_, _, err := in.SaveImport(t.Context(), flow.ImportRequest{Flow: f, Rows: rows, Key: func() flow.ImportKey { return flow.ImportKey{1} },
				OnDuplicate: func(c flow.NotificationChange, _ flow.Notification) (flow.NotificationChange, bool) { return c, true }})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, write(), sqlite.ErrInTx)
			assert.Equal(t, stored[0], must.Get(in.Notification(t.Context(), next.ID))(t))
			_, err := in.Flow(t.Context(), f.Flow.ID)
			require.ErrorIs(t, err, flussi.ErrNotFound)
		})
	}
}

func claimWith(t *testing.T, s *sqlite.Store, of [16]byte, changes []flow.NotificationChange) ([]flow.Notification, error) {
	_, claimed, err := s.SaveAndClaim(t.Context(), changes, flow.Claim{Flow: of, Limit: 1, Lease: time.Hour, At: time.Now(), By: "invio"})
	return claimed, err
}

// A transaction that has read cannot write once another connection has written, or while one does.
// To try again in it is no use, and the text says so. One that begins with BEGIN IMMEDIATE can.
func TestStaleTransactionHasToBeRepeated(t *testing.T) {
	for name, c := range map[string]struct {
		options string
		during  bool // the other connection has not committed yet
		detail  string
		italian string
	}{
		"another has written": {"", false, "another connection has written since", "L'archivio è cambiato dopo l'inizio della transazione: ripetere la transazione dall'inizio."},
		"another is writing":  {"", true, "another connection is writing", "L'archivio è occupato da un'altra operazione: ripetere la transazione dall'inizio."},
		"immediate":           {"&_txlock=immediate&_pragma=busy_timeout(0)", false, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := newFile(t) + "?_pragma=journal_mode(WAL)"
			s := joined(t, database(t, path))
			db := database(t, path+c.options)
			execute(t, db, "CREATE TABLE pratiche (x)")
			transaction := must.Get(db.BeginTx(t.Context(), nil))(t)
			var count int
			require.NoError(t, transaction.QueryRow("SELECT count(*) FROM pratiche").Scan(&count))
			other := must.Get(database(t, path+"&_pragma=busy_timeout(0)").Conn(t.Context()))(t)
			_, err := other.ExecContext(t.Context(), "BEGIN IMMEDIATE")
			if c.detail == "" {
				require.Error(t, err, "the transaction has locked the file")
			} else {
				require.NoError(t, err)
				must.Get(other.ExecContext(t.Context(), "INSERT INTO pratiche VALUES ('altra')"))(t)
				if !c.during {
					must.Get(other.ExecContext(t.Context(), "COMMIT"))(t)
				}
			}
			f, rows := change(1)
			err = s.WithTx(transaction).SaveFlow(t.Context(), f, rows)
			if c.detail == "" {
				require.NoError(t, err)
				require.NoError(t, transaction.Commit())
				return
			}
			refused(t, err, sqlite.ErrBusy)
			require.ErrorIs(t, err, flussi.ErrStoreUnavailable)
			must.Contain(t, err.Error(), c.detail, "_txlock=immediate")
			assert.Equal(t, c.italian, flussi.Explain(err))
			require.NoError(t, transaction.Rollback())
			if c.during {
				must.Get(other.ExecContext(t.Context(), "COMMIT"))(t)
			}
			transaction = must.Get(db.BeginTx(t.Context(), nil))(t)
			require.NoError(t, transaction.QueryRow("SELECT count(*) FROM pratiche").Scan(&count))
			assert.Equal(t, 1, count)
			require.NoError(t, s.WithTx(transaction).SaveFlow(t.Context(), f, rows))
			require.NoError(t, transaction.Commit())
		})
	}
}

// Rows that are wrong leave nothing in the transaction, which goes on: the caller may commit its own.
func TestTransactionGoesOnAfterWrongRows(t *testing.T) {
	db := database(t, newFile(t))
	s := joined(t, db)
	execute(t, db, "CREATE TABLE pratiche (x)")
	transaction := must.Get(db.BeginTx(t.Context(), nil))(t)
	must.Get(transaction.Exec("INSERT INTO pratiche VALUES ('mia')"))(t)
	service := must.Get(flow.NewService(s.WithTx(transaction), flow.Permissions{by.ID: {"tributi"}}, noSender, flow.ServiceConfig{}))(t)
	_, _, err := service.ImportFlow(t.Context(), by, "tributi", flow.Details{}, flow.DraftRows(flow.Draft{}), flow.AddConfig{})
	require.ErrorIs(t, err, flussi.ErrRows)
	require.NoError(t, transaction.Commit())
	var own, flows int
	require.NoError(t, db.QueryRow("SELECT (SELECT count(*) FROM pratiche), (SELECT count(*) FROM flussi_flows)").Scan(&own, &flows))
	assert.Equal(t, []int{1, 0}, []int{own, flows})
}

// A sequence may read the caller's table in the same transaction while it is pulled, and write to it.
func TestRowsAreReadInTheSameTransaction(t *testing.T) {
	db := database(t, newFile(t))
	s := joined(t, db)
	execute(t, db, "CREATE TABLE pratiche (x INTEGER)")
	drafts, flows := 600, 0
	transaction := must.Get(db.BeginTx(t.Context(), nil))(t)
	for i := range drafts {
		must.Get(transaction.Exec("INSERT INTO pratiche VALUES (?)", i))(t)
	}
	rows := func(yield func(flow.Row, error) bool) {
		found, err := transaction.QueryContext(t.Context(), "SELECT x FROM pratiche ORDER BY x")
		if err != nil {
			yield(flow.Row{}, err)
			return
		}
		defer func() { _ = found.Close() }()
		for found.Next() {
			var x int
			if err := found.Scan(&x); err != nil {
				yield(flow.Row{}, err)
				return
			}
			d := flow.Draft{Recipient: appiotest.SampleCitizen(x + 1), Subject: flussi.NewText("Scadenza della TARI"), Content: flussi.NewText(strings.Repeat("La prima rata scade. ", 10))}
			if !yield(flow.Row{Number: x, Draft: d}, nil) {
				return
			}
		}
		if err := found.Err(); err != nil {
			yield(flow.Row{}, err)
		}
	}
	service := must.Get(flow.NewService(s.WithTx(transaction), flow.Permissions{by.ID: {"tributi"}}, noSender, flow.ServiceConfig{}))(t)
	f, _, err := service.ImportFlow(t.Context(), by, "tributi", flow.Details{}, rows, flow.AddConfig{})
	require.NoError(t, err)
	assert.Equal(t, drafts, f.Counts.Registered)
	require.NoError(t, transaction.Commit())
	require.NoError(t, db.QueryRow("SELECT count(*) FROM flussi_flows").Scan(&flows))
	assert.Equal(t, 1, flows)
}
