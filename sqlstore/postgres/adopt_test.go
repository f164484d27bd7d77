package postgres_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/sqlstore/postgres"
)

const (
	registered = flow.NotificationRegistered
	sending    = flow.NotificationSending
	sent       = flow.NotificationSent
	failed     = flow.NotificationFailed
)

// claimAll claims the notifications of a flow, and returns their states in their order.
func claimAll(t *testing.T, s *postgres.Store, of uuid.UUID) (states []flow.NotificationState) {
	t.Helper()
	for _, n := range must.Get(claim(t.Context(), s, of, 100))(t) {
		states = append(states, n.State)
	}
	return states
}

// A database of any earlier version becomes current, and keeps all that it has.
func TestMigrateKeepsWhatOlderTablesHold(t *testing.T) {
	for version := 1; version <= 3; version++ {
		for _, trigrams := range []bool{false, true} {
			t.Run(fmt.Sprintf("version %d, trigrams %v", version, trigrams), func(t *testing.T) {
				location := pgtest.Shared(t).Database(t)
				o := newOlder(t, location, version, trigrams)
				done := o.flow(t, "tributi", flow.FlowSent, flow.Counts{Sent: 2})
				first, second := newOlderNotification(t, done, sent, 1), newOlderNotification(t, done, sent, 2)
				flying := o.flow(t, "tributi", flow.FlowSending, flow.Counts{Registered: 1, Sending: 1})
				inFlight, repeated := newOlderNotification(t, flying, sending, 3), newOlderNotification(t, flying, registered, 2)
				waiting := o.flow(t, "tributi", flow.FlowSending, flow.Counts{Registered: 3})
				again, also, fresh := newOlderNotification(t, waiting, registered, 1), newOlderNotification(t, waiting, registered, 3), newOlderNotification(t, waiting, registered, 4)
				o.write(t, first, inFlight, repeated, again, also, fresh)
				// On version 3, a program of version 2 that still ran wrote it.
				older{o.Pool, 2}.write(t, second)
				prova, similar := o.flow(t, "prova", flow.FlowSent, flow.Counts{}), o.flow(t, "Prova", flow.FlowSent, flow.Counts{})
				o.insert(t, "settings", map[string]any{"name": "purpose", "value": "trial"})
				var event, notice uuid.UUID
				if version >= 2 {
					event, notice = o.event(t)
				}
				key := flow.ImportKey{1, 2, 3}
				if version == 3 {
					o.insert(t, "imports", map[string]any{"key": key[:], "flow_id": done.ID, "at": done.CreatedAt.UnixMicro()})
					for _, name := range []string{"tributi", "prova", "Prova"} {
						o.insert(t, "services", map[string]any{"name": name, "look": flow.ServiceSkeleton(name), "older": name != "tributi"})
					}
				}

				s := open(t, location)
				for _, f := range []flow.Flow{done, flying, waiting, prova, similar} {
					assert.Equal(t, f, must.Get(s.Flow(t.Context(), f.ID))(t))
					records := must.Get(s.FlowHistory(t.Context(), f.ID))(t)
					require.Len(t, records, 1)
					assert.Equal(t, flow.FlowRecord{Version: 1, At: f.CreatedAt, By: operator.ID, Action: flow.FlowCreate, To: f.State}, records[0])
				}
				for _, n := range []flow.Notification{first, second, inFlight, repeated, again, also, fresh} {
					assert.Equal(t, n, must.Get(s.Notification(t.Context(), n.ID))(t))
					require.Len(t, must.Get(s.NotificationHistory(t.Context(), n.ID))(t), 1)
				}
				assert.Equal(t, "trial", must.Get(s.Property(t.Context(), "purpose", "real"))(t))
				assert.Empty(t, must.Get(s.Expired(t.Context(), 10))(t), "a claim in flight keeps its lease")
				found := must.Get(s.Notifications(t.Context(), flow.NotificationFilter{Text: "oggetto ris"}, flow.Page{Limit: 50}))(t)
				assert.Len(t, found, 7)
				found = must.Get(s.Notifications(t.Context(), flow.NotificationFilter{Digests: []flow.Digest{first.Digest()}}, flow.Page{Limit: 50}))(t)
				assert.Len(t, found, 2)
				if version >= 2 {
					e := must.Get(s.Event(t.Context(), event))(t)
					assert.Equal(t, []any{pagoinrete.EventKind("fee"), "Mensa", int64(4), 1}, []any{e.Kind, e.Name, e.Version, e.Counts.Unpaid})
					n := must.Get(s.Notice(t.Context(), notice))(t)
					assert.Equal(t, []any{event, "r1", int64(2), flussi.Cents(100), "Alunno riservato"}, []any{n.EventID, n.Reference, n.Version, n.Discount, n.DebtorName.Reveal()})
					require.Len(t, must.Get(s.EventHistory(t.Context(), event))(t), 1)
					require.Len(t, must.Get(s.NoticeHistory(t.Context(), notice))(t), 1)
				}
				if version == 3 {
					assert.Equal(t, done.ID, must.Get(s.ImportResult(t.Context(), key))(t).Flow)
				}
				assert.Equal(t, []flow.NotificationState{failed, failed, sending}, claimAll(t, s, waiting.ID), "messages sent before are recognised")
				assert.Equal(t, []flow.NotificationState{failed}, claimAll(t, s, flying.ID))
				outcome := must.Get(s.Notification(t.Context(), inFlight.ID))(t)
				outcome.State = sent
				require.NoError(t, s.SaveNotifications(t.Context(), flow.NotificationChange{Notification: outcome}), "the outcome of a claim in flight is stored")
				for _, name := range []string{"prova", "Prova", "PROVA"} {
					f := must.Get(flow.NewFlow(name, operator))(t)
					if err := s.SaveFlow(t.Context(), flow.FlowChange{Flow: f}, nil); name == "PROVA" {
						must.As[*flow.SimilarServiceError](t, err)
					} else {
						require.NoError(t, err, name)
					}
				}
				assert.Zero(t, value[int](t, o.Pool, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"))
				assert.Zero(t, value[int](t, o.Pool, "SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prolang = (SELECT oid FROM pg_language WHERE lanname = 'plpgsql')"))
				require.NoError(t, s.Migrate(t.Context()))
			})
		}
	}
}

// Another program may have tables and functions with names that only later versions used.
func TestMigrateLeavesTablesOfOthersBesideOlderOnes(t *testing.T) {
	location := pgtest.Shared(t).Database(t)
	o := newOlder(t, location, 1, false)
	f := o.flow(t, "tributi", flow.FlowSent, flow.Counts{})
	for _, table := range []string{"events", "notices", "event_counts", "imports", "services", "message_locks"} {
		execute(t, o.Pool, "CREATE TABLE "+table+" (id int)", "INSERT INTO "+table+" VALUES (7)")
	}
	execute(t, o.Pool, "CREATE FUNCTION flow_created() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
		"CREATE TRIGGER t AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION flow_created()",
		"CREATE SCHEMA altrui", "CREATE TABLE altrui.flows (id int)", "INSERT INTO altrui.flows VALUES (7)")
	s := open(t, location)
	assert.Equal(t, f, must.Get(s.Flow(t.Context(), f.ID))(t))
	for _, table := range []string{"events", "notices", "event_counts", "imports", "services", "message_locks", "altrui.flows"} {
		assert.Equal(t, 7, value[int](t, o.Pool, "SELECT id FROM "+table))
	}
	execute(t, o.Pool, "INSERT INTO events VALUES (8)") // its trigger works
	assert.Equal(t, 6, value[int](t, o.Pool, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"))
}

// The older tables are in the first schema of the search path that has them, even if it has our schema
// before it.
func TestMigrateFindsOlderTablesBySearchPath(t *testing.T) {
	location := pgtest.Shared(t).Database(t)
	admin := newPool(t, location)
	execute(t, admin, "CREATE SCHEMA vecchio", "CREATE SCHEMA flussi")
	o := newOlder(t, with(t, location, "", "search_path", "vecchio,public"), 3, true)
	f := o.flow(t, "tributi", flow.FlowSent, flow.Counts{})
	s := open(t, location)
	requireNoFlow(t, s, f.ID) // not visible to it
	s = open(t, with(t, location, "", "search_path", "flussi,vecchio,public"))
	assert.Equal(t, f, must.Get(s.Flow(t.Context(), f.ID))(t))
	assert.Zero(t, value[int](t, admin, "SELECT count(*) FROM pg_tables WHERE schemaname = 'vecchio'"))
}

func TestOlderTablesOfAnUnknownVersionAreRefused(t *testing.T) {
	location := pgtest.Shared(t).Database(t)
	o := newOlder(t, location, 3, false)
	execute(t, o.Pool, "INSERT INTO sqlstore_schema VALUES (4)")
	_, err := postgres.Open(t.Context(), location, postgres.Config{})
	requireFault(t, err, postgres.ErrNewer)
}

// What a program of the time before stores while its tables are moved is moved, too, and it cannot
// claim afterwards.
func TestMigrateWaitsForOlderPrograms(t *testing.T) {
	location := pgtest.Shared(t).Database(t)
	o := newOlder(t, location, 2, false)
	f := o.flow(t, "tributi", flow.FlowSending, flow.Counts{Sending: 1})
	n := newOlderNotification(t, f, sending, 1)
	o.write(t, n)
	outcome := must.Get(o.Begin(t.Context()))(t)
	must.Get(outcome.Exec(t.Context(), "UPDATE notifications SET state = 'sent', version = 2 WHERE id = $1", n.ID))(t)
	opened := make(chan error, 1)
	go func() {
		s, err := postgres.Open(t.Context(), location, postgres.Config{})
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	eventually(t, func() bool { return waits(t, o.Pool) || len(opened) > 0 })
	require.NoError(t, outcome.Commit(t.Context()))
	require.NoError(t, <-opened)
	assert.Equal(t, sent, must.Get(open(t, location).Notification(t.Context(), n.ID))(t).State)
	_, err := o.Exec(t.Context(), "UPDATE notifications SET state = 'sending', version = version + 1")
	require.Error(t, err)
}

// A process that ends while it migrates leaves what the next one continues: while it copies, and after
// it recomputed some digests.
func TestMigrateContinuesAfterAProcessWasKilled(t *testing.T) {
	const messages = 1500 // two groups of digests
	location := pgtest.Shared(t).Database(t)
	o := newOlder(t, location, 2, true)
	f := o.flow(t, "tributi", flow.FlowSent, flow.Counts{Sent: messages})
	for i := range messages {
		n := newOlderNotification(t, f, sent, i)
		o.insert(t, "notifications", o.olderRow(n, 2))
	}
	waiting := o.flow(t, "tributi", flow.FlowSending, flow.Counts{Registered: 2})
	o.write(t, newOlderNotification(t, waiting, registered, messages-1), newOlderNotification(t, waiting, registered, messages))

	killed := func(statement string, args ...any) {
		t.Helper()
		held := must.Get(o.Begin(t.Context()))(t)
		must.Get(held.Exec(t.Context(), statement, args...))(t)
		ended := make(chan error, 1)
		go func() {
			_, err := postgres.Open(t.Context(), location, postgres.Config{})
			ended <- err
		}()
		eventually(t, func() bool { return waits(t, o.Pool) || len(ended) > 0 })
		execute(t, o.Pool, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
		requireFault(t, <-ended, postgres.ErrLost)
		require.NoError(t, held.Rollback(t.Context()))
	}
	killed("LOCK TABLE notification_records IN SHARE MODE")
	assert.Zero(t, value[int](t, o.Pool, "SELECT count(*) FROM flussi.flows"), "nothing was moved")
	last := value[uuid.UUID](t, o.Pool, "SELECT id FROM notifications ORDER BY id DESC LIMIT 1")
	other := newPool(t, location)
	// Moved, but not recomputed: a lock on the last row stops the second group.
	ended := make(chan error, 1)
	held := must.Get(other.Begin(t.Context()))(t)
	must.Get(held.Exec(t.Context(), "CREATE FUNCTION flussi.stop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(7); RETURN new; END'"))(t)
	must.Get(held.Exec(t.Context(), fmt.Sprintf("CREATE TRIGGER stop BEFORE UPDATE ON flussi.notifications FOR EACH ROW WHEN (new.id = '%s') EXECUTE FUNCTION flussi.stop()", last)))(t)
	require.NoError(t, held.Commit(t.Context()))
	held = must.Get(other.Begin(t.Context()))(t)
	must.Get(held.Exec(t.Context(), "SELECT pg_advisory_xact_lock(7)"))(t)
	go func() {
		_, err := postgres.Open(t.Context(), location, postgres.Config{})
		ended <- err
	}()
	eventually(t, func() bool { return waits(t, o.Pool) || len(ended) > 0 })
	execute(t, o.Pool, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
	requireFault(t, <-ended, postgres.ErrLost)
	require.NoError(t, held.Rollback(t.Context()))
	assert.Equal(t, messages+2-1000, value[int](t, o.Pool, "SELECT count(*) FROM flussi.notifications WHERE digest_version < 2"), "the first group was recomputed")

	s := must.Get(postgres.New(newPool(t, location), postgres.Config{}))(t)
	requireFault(t, must.Err(claim(t.Context(), s, waiting.ID, 10)), postgres.ErrNotMigrated)
	require.NoError(t, s.Migrate(t.Context()))
	assert.Equal(t, []flow.NotificationState{failed, sending}, claimAll(t, s, waiting.ID))
	assert.Equal(t, messages, must.Get(s.Flow(t.Context(), f.ID))(t).Counts.Sent)
}

// Two processes migrate at once, and claim as soon as Migrate returns: neither claims a message that was
// sent.
func TestProcessesThatMigrateOlderTablesAtOnceRecogniseWhatWasSent(t *testing.T) {
	const messages = 2500
	onServers(t, func(t *testing.T, location string) {
		o := newOlder(t, location, 2, false)
		done := o.flow(t, "tributi", flow.FlowSent, flow.Counts{Sent: messages})
		waiting := o.flow(t, "tributi", flow.FlowSending, flow.Counts{Registered: messages})
		for _, f := range []struct {
			flow.Flow
			flow.NotificationState
		}{{done, sent}, {waiting, registered}} {
			n := newOlderNotification(t, f.Flow, f.NotificationState, 0)
			o.insert(t, "notifications", o.olderRow(n, 2))
			must.Get(o.Exec(t.Context(), `INSERT INTO notifications SELECT (r).* FROM (SELECT jsonb_populate_record(n, jsonb_build_object('id', gen_random_uuid(),
				'content', 'Contenuto riservato della notifica numero ' || i)) AS r FROM notifications n, generate_series(1, $2::int) i WHERE n.id = $1) v`, n.ID, messages-1))(t)
		}
		var processes sync.WaitGroup
		for range 2 {
			processes.Go(func() {
				s, err := postgres.Open(t.Context(), location, postgres.Config{})
				if !assert.NoError(t, err) {
					return
				}
				defer func() { assert.NoError(t, s.Close()) }()
				for {
					claimed, err := claim(t.Context(), s, waiting.ID, 200)
					if !assert.NoError(t, err) || len(claimed) == 0 {
						return
					}
					for _, n := range claimed {
						assert.Equal(t, failed, n.State, "sent twice")
					}
				}
			})
		}
		processes.Wait()
		s := open(t, location)
		assert.Equal(t, flow.Counts{Failed: messages}, must.Get(s.Flow(t.Context(), waiting.ID))(t).Counts)
	})
}
