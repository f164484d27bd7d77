package postgres_test

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/leaktest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/sqlstore/postgres"
)

var operator = flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}

// open opens a store, which is closed when the test ends.
func open(t testing.TB, location string) *postgres.Store {
	t.Helper()
	s := must.Get(postgres.Open(context.Background(), location, postgres.Config{}))(t)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// newFlow is a flow that is to be stored, with so many notifications.
func newFlow(t testing.TB, notifications int) (flow.FlowChange, iter.Seq2[flow.NotificationChange, error]) {
	t.Helper()
	f := must.Get(flow.NewFlow("tributi", operator))(t)
	return flow.FlowChange{Flow: f, Record: flow.FlowRecord{At: f.CreatedAt, By: operator.ID, Action: flow.FlowCreate, To: f.State}},
		newRows(f.ID, notifications)
}

// newRows are new notifications of a flow, with messages that no other flow has.
func newRows(of uuid.UUID, notifications int) iter.Seq2[flow.NotificationChange, error] {
	return func(yield func(flow.NotificationChange, error) bool) {
		for i := range notifications {
			n, err := flow.NewNotification("tributi", appiotest.SampleCitizen(i+1), operator)
			n.FlowID, n.Subject, n.Content = of, flussi.NewText("Oggetto riservato"), flussi.NewText(strings.Repeat("Testo riservato. ", 20)+of.String())
			if !yield(flow.NotificationChange{Notification: n, Record: flow.NotificationRecord{At: n.CreatedAt, By: operator.ID, Action: flow.NotificationCreate, To: n.State}}, err) {
				return
			}
		}
	}
}

// seen calls a function before each row that a sequence yields.
func seen(rows iter.Seq2[flow.NotificationChange, error], each func(at int)) iter.Seq2[flow.NotificationChange, error] {
	return func(yield func(flow.NotificationChange, error) bool) {
		at := 0
		for row, err := range rows {
			each(at)
			if at++; !yield(row, err) {
				return
			}
		}
	}
}

// saveFlow stores a flow with so many notifications.
func saveFlow(t testing.TB, s flow.Store, notifications int) uuid.UUID {
	t.Helper()
	f, rows := newFlow(t, notifications)
	require.NoError(t, s.SaveFlow(context.Background(), f, rows))
	return f.Flow.ID
}

// sendingFlow stores a flow that is being sent, with so many notifications.
func sendingFlow(t testing.TB, s flow.Store, notifications int) uuid.UUID {
	t.Helper()
	f, rows := newFlow(t, notifications)
	f.Flow.State = flow.FlowSending
	require.NoError(t, s.SaveFlow(context.Background(), f, rows))
	return f.Flow.ID
}

func claim(ctx context.Context, s flow.Store, of uuid.UUID, limit int) ([]flow.Notification, error) {
	_, claimed, err := s.Claim(ctx, flow.Claim{Flow: of, Limit: limit, Lease: time.Minute, At: time.Now(), By: "massivo"})
	return claimed, err
}

// disable is the change that disables a flow.
func disable(t testing.TB, s flow.Store, id uuid.UUID) flow.FlowChange {
	t.Helper()
	f := must.Get(s.Flow(context.Background(), id))(t)
	f.Disabled = true
	return flow.FlowChange{Flow: f, Record: flow.FlowRecord{At: time.Now(), By: operator.ID, Action: flow.FlowDisable, From: f.State, To: f.State}}
}

// requireFault checks that an error is a fault of a class that explains itself, and that it shows
// neither passwords nor what is stored.
func requireFault(t testing.TB, err, class error) *postgres.Fault {
	t.Helper()
	require.ErrorIs(t, err, class)
	fault := must.As[*postgres.Fault](t, err)
	must.NotContain(t, flussi.Explain(err), "imprevisto", "problema tecnico")
	leaktest.Check(t, []string{"segreta", "riservato", appiotest.SampleCitizen(1).Reveal()}, err)
	return fault
}

// requireNoFlow checks that a flow is not stored.
func requireNoFlow(t testing.TB, s flow.Store, id uuid.UUID) {
	t.Helper()
	require.ErrorIs(t, must.Err(s.Flow(context.Background(), id)), flussi.ErrNotFound)
}

// execute executes statements in a database.
func execute(t testing.TB, pool *pgxpool.Pool, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		_, err := pool.Exec(context.Background(), statement)
		require.NoError(t, err, statement)
	}
}

// value returns the only value of a query.
func value[T any](t testing.TB, pool *pgxpool.Pool, query string, args ...any) (v T) {
	t.Helper()
	require.NoError(t, pool.QueryRow(context.Background(), query, args...).Scan(&v), query)
	return v
}

// eventually waits until a condition holds.
func eventually(t testing.TB, holds func() bool) {
	t.Helper()
	require.Eventually(t, holds, time.Minute, 5*time.Millisecond)
}

// waits reports whether a session of the database waits for a lock.
func waits(t testing.TB, pool *pgxpool.Pool) bool {
	return value[int](t, pool, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0
}

// atOnce calls a function several times at the same time, and returns the errors.
func atOnce(times int, call func(i int) error) []error {
	errs := make([]error, times)
	var calls sync.WaitGroup
	for i := range times {
		calls.Go(func() { errs[i] = call(i) })
	}
	calls.Wait()
	return errs
}

// with returns a location with another user, and with parameters.
func with(t testing.TB, location, user string, parameters ...string) string {
	t.Helper()
	u := must.Get(url.Parse(location))(t)
	if user != "" {
		u.User = url.User(user)
	}
	query := u.Query()
	for i := 0; i+1 < len(parameters); i += 2 {
		query.Set(parameters[i], parameters[i+1])
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// role creates a role that may log in, and returns its name: roles belong to the whole server.
func role(t testing.TB, pool *pgxpool.Pool) string {
	t.Helper()
	name := fmt.Sprintf("ruolo%d", schemas.Add(1))
	execute(t, pool, "CREATE ROLE "+name+" LOGIN")
	return name
}
