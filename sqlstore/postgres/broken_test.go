package postgres_test

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
	"github.com/flussi-go/flussi/sqlstore/postgres"
)

// If the answer to a COMMIT is lost, the write may be stored: the error says so.
func TestLostAnswersToCommitsAreUnknown(t *testing.T) {
	onServers(t, func(t *testing.T, location string) {
		proxy := pgtest.NewProxy(t, location)
		s, direct := open(t, proxy.URL), open(t, location)
		id := sendingFlow(t, s, 3)
		f, rows := newFlow(t, 3)
		single := must.Get(s.Notifications(t.Context(), flow.NotificationFilter{Flow: id}, flow.Page{Limit: 1}))(t)[0]
		single.Reference = "altro"
		for name, write := range map[string]func() error{
			"SaveFlow":          func() error { return s.SaveFlow(t.Context(), f, rows) },
			"SaveNotifications": func() error { return s.SaveNotifications(t.Context(), flow.NotificationChange{Notification: single}) },
			"Claim":             func() error { return must.Err(claim(t.Context(), s, id, 2)) },
		} {
			proxy.LoseAnswers(1)
			err := write()
			fault := requireFault(t, err, postgres.ErrLost)
			assert.ErrorIs(t, fault, flussi.ErrCommitUnknown, name)
			must.NotContain(t, flussi.Explain(err), "imprevisto")
		}
		assert.EqualValues(t, 3, proxy.Lost.Load())
		assert.Equal(t, 3, must.Get(direct.Flow(t.Context(), f.Flow.ID))(t).Counts.Registered)
		assert.Equal(t, 2, must.Get(direct.Flow(t.Context(), id))(t).Counts.Sending)
		assert.Equal(t, "altro", must.Get(direct.Notification(t.Context(), single.ID))(t).Reference)
	})
}

// If the connection breaks before the COMMIT, nothing is stored, and the error says nothing else.
func TestConnectionsThatBreakBeforeTheCommitStoreNothing(t *testing.T) {
	location := pgtest.Shared(t).Database(t)
	proxy := pgtest.NewProxy(t, location)
	s := open(t, proxy.URL)
	f, rows := newFlow(t, 1100)
	err := s.SaveFlow(t.Context(), f, seen(rows, func(at int) {
		if at == 800 {
			proxy.Close()
		}
	}))
	fault := requireFault(t, err, postgres.ErrLost)
	assert.NotErrorIs(t, fault, flussi.ErrCommitUnknown)
	requireNoFlow(t, open(t, location), f.Flow.ID)
	requireFault(t, must.Err(s.Flow(t.Context(), f.Flow.ID)), postgres.ErrLost)
}

func TestServerThatRestartsLosesNothing(t *testing.T) {
	server := pgtest.Start(t)
	location := server.Database(t)
	s := open(t, location)
	first := saveFlow(t, s, 5)
	f, rows := newFlow(t, 3000)
	err := s.SaveFlow(t.Context(), f, seen(rows, func(at int) {
		if at == 2000 {
			server.Restart(t)
		}
	}))
	requireFault(t, err, postgres.ErrLost)
	eventually(t, func() bool { // the store goes on with the new server
		kept, err := s.Flow(t.Context(), first)
		return err == nil && kept.Counts.Registered == 5
	})
	requireNoFlow(t, reopen(t, location), f.Flow.ID)
}

// If the context ends while the server commits, the write may be stored; if it ends before, it is not.
func TestContextsThatEndWhileTheServerCommits(t *testing.T) {
	location := pgtest.Start(t).Database(t)
	s, admin := open(t, location), newPool(t, with(t, location, "", "synchronous_commit", "local"))
	execute(t, admin, "ALTER SYSTEM SET synchronous_standby_names = 'nessuno'", "SELECT pg_reload_conf()") // commits wait for a stand-by server
	eventually(t, func() bool {
		return value[string](t, newPool(t, location), "SHOW synchronous_standby_names") == "nessuno"
	})
	f, rows := newFlow(t, 3)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		assert.Eventually(t, func() bool {
			var waiting bool
			err := admin.QueryRow(t.Context(), "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'").Scan(&waiting)
			return err == nil && waiting
		}, time.Minute, time.Millisecond)
	}()
	err := s.SaveFlow(ctx, f, rows)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, postgres.ErrLost)
	require.ErrorIs(t, err, flussi.ErrCommitUnknown)
	eventually(t, func() bool { // it is stored
		kept, err := s.Flow(t.Context(), f.Flow.ID)
		return err == nil && kept.Counts.Registered == 3
	})
	execute(t, admin, "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")

	over, end := context.WithCancel(t.Context())
	g, more := newFlow(t, 1)
	err = s.SaveFlow(over, g, func(yield func(flow.NotificationChange, error) bool) {
		more(yield)
		end()
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.NotErrorIs(t, err, postgres.ErrLost)
	assert.NotErrorIs(t, err, flussi.ErrCommitUnknown)
	requireNoFlow(t, s, g.Flow.ID)
}

// A context ends the wait for a row.
func TestContextsEndWaitingForRows(t *testing.T) {
	location := pgtest.Shared(t).Database(t)
	s, other := open(t, location), newPool(t, location)
	id := sendingFlow(t, s, 3)
	held := must.Get(other.Begin(t.Context()))(t)
	must.Get(held.Exec(t.Context(), "SELECT 1 FROM flussi.flows FOR UPDATE"))(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		assert.Eventually(t, func() bool { return waits(t, other) }, time.Minute, time.Millisecond)
	}()
	require.ErrorIs(t, must.Err(claim(ctx, s, id, 3)), context.Canceled)
	require.NoError(t, held.Rollback(t.Context()))
	require.Len(t, must.Get(claim(t.Context(), s, id, 3))(t), 3)
}

// What the caller puts into a sequence is the caller's error, whatever it looks like.
func TestErrorsOfSequencesAreNoFaults(t *testing.T) {
	s := open(t, pgtest.Shared(t).Database(t))
	f, _ := newFlow(t, 0)
	err := s.SaveFlow(t.Context(), f, func(yield func(flow.NotificationChange, error) bool) {
		yield(flow.NotificationChange{}, fmt.Errorf("cut off: %w", net.ErrClosed))
	})
	require.ErrorIs(t, err, net.ErrClosed)
	var fault *postgres.Fault
	assert.NotErrorAs(t, err, &fault)
}

// What another program put into the tables is an error that does not show it, whether it cannot be
// read, or the server refuses it.
func TestErrorsShowNoValues(t *testing.T) {
	for _, change := range []string{
		"ALTER TABLE %[1]s ALTER amount TYPE text USING 'testo riservato'", "UPDATE %[1]s SET recipient = 'testo riservato'",
		"UPDATE %[1]s SET notice_number = 'testo riservato'", "UPDATE %[1]s SET payee = 'testo riservato'",
	} {
		t.Run(change, func(t *testing.T) {
			location := pgtest.Shared(t).Database(t)
			s := open(t, location)
			id := sendingFlow(t, s, 1)
			execute(t, newPool(t, location), fmt.Sprintf(change, "flussi.notifications"))
			s = open(t, location) // without descriptions of the columns before
			_, err := s.Notifications(t.Context(), flow.NotificationFilter{Flow: id}, flow.Page{Limit: 10})
			requireFault(t, err, postgres.ErrNotOurs)
			assert.Contains(t, flussi.Explain(err), "danneggiato")
		})
	}
	location := pgtest.Shared(t).Database(t)
	s := open(t, location)
	execute(t, newPool(t, location), "ALTER TABLE flussi.notifications ADD CHECK (subject <> 'Oggetto riservato')")
	f, rows := newFlow(t, 1)
	err := s.SaveFlow(t.Context(), f, rows)
	require.Error(t, err)
	for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), flussi.Explain(err)} {
		must.NotContain(t, text, "riservat")
	}
	requireNoFlow(t, s, f.Flow.ID)
}
