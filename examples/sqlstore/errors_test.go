package sqlstore_test

import (
	"context"
	"fmt"
	"iter"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/examples/sqlstore"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
)

// refused checks that an error is a fault of a class, explains itself, and shows neither
// passwords nor what is stored.
func refused(t *testing.T, err, class error) {
	t.Helper()
	require.ErrorIs(t, err, class)
	must.As[*sqlstore.Fault](t, err)
	must.NotContain(t, flussi.Explain(err), "imprevisto", "problema tecnico")
	for _, text := range []string{err.Error(), flussi.Explain(err)} {
		must.NotContain(t, text, "segreta", "riservato", appiotest.SampleCitizen(1).Reveal())
	}
}

// change is a flow that is to be stored, with so many notifications.
func change(t testing.TB, notifications int) (flow.FlowChange, iter.Seq2[flow.NotificationChange, error]) {
	by := flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}
	f := must.Get(flow.NewFlow("tributi", by))(t)
	return flow.FlowChange{Flow: f, Record: flow.FlowRecord{At: f.CreatedAt, By: by.ID, Action: flow.FlowCreate, To: f.State}},
		func(yield func(flow.NotificationChange, error) bool) {
			for i := range notifications {
				n, err := flow.NewNotification("tributi", appiotest.SampleCitizen(i+1), by)
				n.FlowID, n.Subject, n.Content = f.ID, flussi.NewText("Oggetto riservato"), flussi.NewText(strings.Repeat("Testo riservato. ", 20))
				if !yield(flow.NotificationChange{Notification: n, Record: flow.NotificationRecord{At: n.CreatedAt, By: by.ID, Action: flow.NotificationCreate, To: n.State}}, err) {
					return
				}
			}
		}
}

func save(t testing.TB, s *sqlstore.Store, notifications int) (uuid.UUID, error) {
	f, rows := change(t, notifications)
	return f.Flow.ID, s.SaveFlow(t.Context(), f, rows)
}

// notStored checks that a flow is not stored.
func notStored(t *testing.T, s *sqlstore.Store, id uuid.UUID) {
	t.Helper()
	_, err := s.Flow(t.Context(), id)
	require.ErrorIs(t, err, flussi.ErrNotFound)
}

func TestWhatCannotBeOpenedSaysWhy(t *testing.T) {
	folder := t.TempDir()
	text := filepath.Join(folder, "testo.db")
	require.NoError(t, os.WriteFile(text, []byte(strings.Repeat("Testo riservato, nessun archivio. ", 100)), 0o600))
	for name, test := range map[string]struct {
		location string
		class    error
	}{
		"another file":            {text, sqlstore.ErrNoStore},
		"a folder":                {folder, sqlstore.ErrAccess},
		"a folder that is not":    {filepath.Join(folder, "manca", "flussi.db"), sqlstore.ErrAccess},
		"a server that is not":    {"postgres://u:segreta@" + nobody(t) + "/flussi?sslmode=disable", sqlstore.ErrLost},
		"an address that is none": {"postgres://u:segreta@[/flussi", sqlstore.ErrAccess},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sqlstore.Open(t.Context(), test.location, sqlstore.Config{})
			refused(t, err, test.class)
		})
	}
}

func TestAFileIsItsOwnersAlone(t *testing.T) {
	at := newSQLite(t)
	s := open(t, at)
	must.Get(save(t, s, 3))(t)
	for _, name := range []string{at, at + "-wal", at + "-shm"} {
		assert.Equal(t, os.FileMode(0o600), must.Get(os.Stat(name))(t).Mode().Perm(), filepath.Base(name))
	}
}

// nobody is an address at which nobody listens.
func nobody(t *testing.T) string {
	listener := must.Get(net.Listen("tcp", "127.0.0.1:0"))(t)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}

func TestPostgreSQLThatDoesNotOpenSaysWhy(t *testing.T) {
	server := pgtest.Start(t)
	good := must.Get(url.Parse(server.Database(t)))(t)
	execute(t, database(t, "pgx", good.String()), "CREATE ROLE impiegato LOGIN PASSWORD 'giusta'", "CREATE DATABASE chiuso",
		"REVOKE CONNECT ON DATABASE chiuso FROM public", "ALTER ROLE impiegato CONNECTION LIMIT 0")
	for name, test := range map[string]struct {
		change func(*url.URL)
		class  error
	}{
		"no such database":     {func(u *url.URL) { u.Path = "/manca" }, sqlstore.ErrAccess},
		"no such user":         {func(u *url.URL) { u.User = url.UserPassword("manca", "segreta") }, sqlstore.ErrAccess},
		"too many connections": {func(u *url.URL) { u.User = url.UserPassword("impiegato", "segreta") }, sqlstore.ErrBusy},
	} {
		t.Run(name, func(t *testing.T) {
			u := *good
			test.change(&u)
			_, err := sqlstore.Open(t.Context(), u.String(), sqlstore.Config{})
			refused(t, err, test.class)
		})
	}
}

func TestADatabaseOfANewerVersionIsRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, location databases) {
		at := location(t)
		open(t, at)
		driver := "pgx"
		if !strings.HasPrefix(at, "postgres") {
			driver = "sqlite"
		}
		execute(t, database(t, driver, at), "INSERT INTO sqlstore_schema (version) VALUES (999)")
		_, err := sqlstore.Open(t.Context(), at, sqlstore.Config{})
		refused(t, err, sqlstore.ErrNewer)
	})
}

func TestAFileThatIsBusyIsRefusedAfterAWhile(t *testing.T) {
	at := newSQLite(t)
	open(t, at)
	s := must.Get(sqlstore.Open(t.Context(), at, sqlstore.Config{BusyTimeout: 50 * time.Millisecond}))(t)
	defer s.Close()
	other := database(t, "sqlite", at)
	other.SetMaxOpenConns(1)
	execute(t, other, "BEGIN IMMEDIATE")
	id, err := save(t, s, 3)
	refused(t, err, sqlstore.ErrBusy)
	notStored(t, s, id)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f, rows := change(t, 1)
	require.ErrorIs(t, s.SaveFlow(ctx, f, rows), context.Canceled)

	execute(t, other, "ROLLBACK")
	must.Get(save(t, s, 3))(t)
}

// A disk that is full undoes the write, and what was there stays.
func TestAFullDiskLosesNothing(t *testing.T) {
	s := open(t, newSQLite(t))
	first := must.Get(save(t, s, 5))(t)
	require.NoError(t, s.Fill(t.Context()))
	second, err := save(t, s, 20_000)
	refused(t, err, sqlstore.ErrFull)
	notStored(t, s, second)
	assert.Equal(t, 5, must.Get(s.Flow(t.Context(), first))(t).Counts.Registered)
}

// A server that restarts in the middle of a write undoes it, and the store goes on with the new
// one.
func TestAServerThatRestartsLosesNothing(t *testing.T) {
	server := pgtest.Start(t)
	s := open(t, server.Database(t))
	first := must.Get(save(t, s, 5))(t)
	f, rows := change(t, 3000)
	err := s.SaveFlow(t.Context(), f, seen(rows, func(at int, _ flow.NotificationChange) {
		if at == 2000 {
			server.Restart(t)
		}
	}))
	refused(t, err, sqlstore.ErrLost)
	eventually(t, func() bool {
		kept, err := s.Flow(t.Context(), first)
		return err == nil && kept.Counts.Registered == 5
	})
	notStored(t, s, f.Flow.ID)
}

// What the caller says in a sequence is the caller's, whatever it looks like.
func TestAnErrorOfTheSequenceIsNoFault(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *sqlstore.Store) {
		f, _ := change(t, 0)
		err := s.SaveFlow(t.Context(), f, func(yield func(flow.NotificationChange, error) bool) {
			yield(flow.NotificationChange{}, fmt.Errorf("cut off: %w", net.ErrClosed))
		})
		require.ErrorIs(t, err, net.ErrClosed)
		var fault *sqlstore.Fault
		assert.NotErrorAs(t, err, &fault)
	})
}
