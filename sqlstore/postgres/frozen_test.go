package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
	"github.com/flussi-go/flussi/sqlstore/postgres"
)

// holderVariable makes the test binary a program that holds locks: its value is a location.
const holderVariable = "FLUSSI_TEST_HOLDER"

// shortIdle takes the place of maxIdle in these tests.
const shortIdle = 500 * time.Millisecond

// hold locks the flow and the notifications whose IDs are its arguments, in a write that does not
// end, and says so on standard output.
func hold(location, flowID string) error {
	ctx := context.Background()
	s, err := postgres.Open(ctx, location, postgres.Config{})
	if err != nil {
		return err
	}
	s.SetTimes(shortIdle, time.Hour)
	id, err := uuid.Parse(flowID)
	if err != nil {
		return err
	}
	f, err := s.Flow(ctx, id)
	if err != nil {
		return err
	}
	found, err := s.Notifications(ctx, flow.NotificationFilter{Flow: id}, flow.Page{Limit: 600})
	if err != nil {
		return err
	}
	return s.SaveFlow(ctx, flow.FlowChange{Flow: f}, func(yield func(flow.NotificationChange, error) bool) {
		for i, n := range found {
			if i == 550 { // the first group is written
				fmt.Println("locked")
				select {} // until the process ends
			}
			n.Reference = "altro"
			if !yield(flow.NotificationChange{Notification: n}, nil) {
				return
			}
		}
	})
}

func TestFrozenWritesEndBeforeOthersGiveUp(t *testing.T) {
	assert.Less(t, postgres.MaxIdle, postgres.MaxWait)
}

// A program that is not ours may hold a row for as long as it likes. A write gives up, and names it.
func TestWritesNameWhoHoldsRows(t *testing.T) {
	location := pgtest.Shared(t).Database(t)
	s, other := open(t, location), newPool(t, with(t, location, "", "application_name", "gestionale\x1b"))
	s.SetTimes(time.Minute, 100*time.Millisecond)
	id := sendingFlow(t, s, 3)
	ours, held := must.Get(other.Begin(t.Context()))(t), must.Get(other.Begin(t.Context()))(t)
	defer func() { require.NoError(t, ours.Rollback(context.Background())) }()
	must.Get(ours.Exec(t.Context(), "SET application_name = 'altro'; LOCK flussi.events IN EXCLUSIVE MODE"))(t) // nobody waits for it
	defer func() { require.NoError(t, held.Rollback(context.Background())) }()
	must.Get(held.Exec(t.Context(), "SELECT 1 FROM flussi.flows WHERE id = $1 FOR UPDATE", id))(t)
	for name, err := range map[string]error{
		"claim":   must.Err(claim(t.Context(), s, id, 3)),
		"disable": s.SaveFlow(t.Context(), disable(t, s, id), nil),
	} {
		fault := requireFault(t, err, postgres.ErrBusy)
		must.Contain(t, fault.Detail, "table flows", `"gestionale`, "127.0.0.1", " s")
		assert.Regexp(t, `^L'archivio è occupato: il programma «gestionale.*» \(127\.0\.0\.1\) sta scrivendo da \d+ second[oi] e non ha finito\. Attendere che finisca, o chiuderlo, e riprovare\.$`,
			flussi.Explain(must.As[*postgres.Fault](t, err)), name)
		must.NotContain(t, err.Error()+flussi.Explain(err), "\x1b")
	}
	assert.Equal(t, flow.Counts{Registered: 3}, must.Get(s.Flow(t.Context(), id))(t).Counts)
}

// A long import waits for its caller without locks that others wait for: not on its flow, which may
// be sent meanwhile, and not on a new service.
func TestLongImportsBlockNobody(t *testing.T) {
	onServers(t, func(t *testing.T, location string) {
		s := open(t, location)
		s.SetTimes(50*time.Millisecond, time.Hour)
		admin := newPool(t, location)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()

		id := sendingFlow(t, s, 3)
		f := must.Get(s.Flow(ctx, id))(t)
		err := s.SaveFlow(ctx, flow.FlowChange{Flow: f}, seen(newRows(id, 1100), func(at int) {
			if at == 700 {
				idleLongerThan(t, admin, 200*time.Millisecond) // and is not ended
				require.Len(t, must.Get(claim(ctx, s, id, 2))(t), 2)
			}
		}))
		require.NoError(t, err)
		assert.Equal(t, flow.Counts{Registered: 1101, Sending: 2}, must.Get(s.Flow(ctx, id))(t).Counts)

		f = must.Get(s.Flow(ctx, id))(t)
		err = s.SaveFlow(ctx, flow.FlowChange{Flow: f}, seen(newRows(id, 1100), func(at int) {
			if at == 700 {
				require.NoError(t, s.SaveFlow(ctx, disable(t, s, id), nil))
			}
		}))
		require.ErrorIs(t, err, flussi.ErrConflict)
		assert.Equal(t, 1101, must.Get(s.Flow(ctx, id))(t).Counts.Registered)

		first, rows := newFlow(t, 1100)
		first.Flow.Service = "nuovo"
		require.NoError(t, s.SaveFlow(ctx, first, seen(rows, func(at int) {
			if at == 700 {
				second, none := newFlow(t, 0)
				second.Flow.Service = "nuovo"
				require.NoError(t, s.SaveFlow(ctx, second, none))
			}
		})))
	})
}

// idleLongerThan waits until a write has waited for its caller for so long.
func idleLongerThan(t *testing.T, admin *pgxpool.Pool, d time.Duration) {
	t.Helper()
	eventually(t, func() bool {
		return value[bool](t, admin, `SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database()
			AND state = 'idle in transaction' AND clock_timestamp() - state_change > make_interval(secs => $1)`, d.Seconds())
	})
}

// The settings of our transactions end with them, on connections that the caller uses, too.
func TestSettingsOfTheCallerStay(t *testing.T) {
	location := pgtest.Shared(t).Database(t)
	user := role(t, newPool(t, location))
	execute(t, newPool(t, location), "ALTER ROLE "+user+" SUPERUSER", "ALTER ROLE "+user+" SET lock_timeout = '1234ms'",
		"ALTER ROLE "+user+" SET idle_in_transaction_session_timeout = '12345ms'", "ALTER ROLE "+user+" SET synchronous_commit = off",
		"ALTER ROLE "+user+" SET statement_timeout = '54321ms'", "ALTER ROLE "+user+" SET search_path = public, pg_catalog")
	pool := newPool(t, with(t, location, user, "pool_max_conns", "1"))
	session := func() string {
		all := ""
		for _, name := range []string{"lock_timeout", "idle_in_transaction_session_timeout", "synchronous_commit", "statement_timeout",
			"search_path", "default_transaction_isolation", "default_transaction_read_only", "application_name"} {
			all += name + "=" + value[string](t, pool, "SHOW "+name) + " "
		}
		return all + fmt.Sprint(value[int](t, pool, "SELECT pg_backend_pid()"))
	}
	before := session()
	require.Contains(t, before, "lock_timeout=1234ms idle_in_transaction_session_timeout=12345ms synchronous_commit=off statement_timeout=54321ms search_path=public, pg_catalog")
	s := must.Get(postgres.New(pool, postgres.Config{}))(t)
	require.NoError(t, s.Migrate(t.Context()))
	assert.Equal(t, before, session(), "migrate")
	id := sendingFlow(t, s, 3)
	assert.Equal(t, before, session(), "save")
	must.Get(claim(t.Context(), s, id, 3))(t)
	assert.Equal(t, before, session(), "claim")
	f, _ := newFlow(t, 0)
	require.Error(t, s.SaveFlow(t.Context(), f, func(yield func(flow.NotificationChange, error) bool) {
		yield(flow.NotificationChange{}, assert.AnError)
	}))
	assert.Equal(t, before, session(), "a write that is undone")
	must.Get(s.Flows(t.Context(), flow.FlowFilter{}, flow.Page{Limit: 1}))(t)
	assert.Equal(t, before, session(), "read")
}
