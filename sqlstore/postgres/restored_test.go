package postgres_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
	"github.com/flussi-go/flussi/sqlstore/postgres"
)

// requireRestored checks that a store sends nothing, but reads and imports.
func requireRestored(t *testing.T, s *postgres.Store) {
	t.Helper()
	id := sendingFlow(t, s, 3)
	_, err := claim(t.Context(), s, id, 3)
	fault := requireFault(t, err, postgres.ErrRestored)
	must.Contain(t, fault.Detail, "identity was", "and is")
	assert.Contains(t, flussi.Explain(err), "Non si invia nulla finché un operatore non dichiara il ripristino.")
	assert.Equal(t, flow.Counts{Registered: 3}, must.Get(s.Flow(t.Context(), id))(t).Counts)
	sending := must.Get(s.Notifications(t.Context(), flow.NotificationFilter{Flow: id}, flow.Page{Limit: 1}))(t)[0]
	sending.State = flow.NotificationSending
	requireFault(t, s.SaveNotifications(t.Context(), flow.NotificationChange{Notification: sending}), postgres.ErrRestored)
	must.Get(importFlow(t, s))(t)
}

// A stand-by server that takes over has another timeline, and may lack the last writes. Processes that
// run notice it without being started again.
func TestNothingIsSentAfterAStandbyTookOver(t *testing.T) {
	primary := pgtest.Start(t)
	location := primary.Database(t)
	s := open(t, location)
	id := sendingFlow(t, s, 3)
	require.Len(t, must.Get(claim(t.Context(), s, id, 1))(t), 1)
	standby, there := pgtest.Standby(t, primary, location)

	reading := must.Get(postgres.New(newPool(t, there), postgres.Config{}))(t)
	require.NoError(t, reading.Migrate(t.Context()), "a stand-by server can be read")
	must.Get(reading.Flow(t.Context(), id))(t)
	requireFault(t, must.Err(claim(t.Context(), reading, id, 1)), postgres.ErrReadOnly)

	standby.Promote(t)
	requireRestored(t, reading)
	other := open(t, there)
	requireRestored(t, other)
	require.NoError(t, other.AcceptRestored(t.Context()))
	require.Len(t, must.Get(claim(t.Context(), reading, id, 1))(t), 1)
	require.Len(t, must.Get(claim(t.Context(), other, id, 1))(t), 1)
}

// What pg_dump copied is on a server with another identifier.
func TestNothingIsSentFromACopyUntilItIsAccepted(t *testing.T) {
	onServers(t, func(t *testing.T, location string) {
		s, other := open(t, location), open(t, location)
		pool := newPool(t, location)
		requireSends := func() {
			t.Helper()
			for _, err := range atOnce(6, func(i int) error {
				id := sendingFlow(t, s, 3)
				claimed, err := claim(t.Context(), []*postgres.Store{s, other}[i%2], id, 3)
				if err == nil && len(claimed) != 3 {
					err = errors.New("not claimed")
				}
				return err
			}) {
				require.NoError(t, err)
			}
		}
		requireSends()
		execute(t, pool, "UPDATE flussi.properties SET value = '7000000000000000000/' || split_part(value, '/', 2) WHERE name = 'cluster'")
		requireRestored(t, s)
		requireRestored(t, other)
		require.NoError(t, s.AcceptRestored(t.Context()))
		requireSends()
	})
}

// A copy may be from before the first claim.
func TestMigrateRecordsTheServer(t *testing.T) {
	server := pgtest.Start(t) // functions belong to the database, roles to the server
	location := server.Database(t)
	s := open(t, location)
	pool := newPool(t, location)
	copied := "UPDATE flussi.properties SET value = '7000000000000000000/' || split_part(value, '/', 2) WHERE name = 'cluster'"
	execute(t, pool, copied)
	require.NoError(t, s.Migrate(t.Context()))
	requireRestored(t, s)

	// A user who cannot store it may migrate nevertheless.
	execute(t, pool, "DELETE FROM flussi.properties WHERE name = 'cluster'", "CREATE ROLE lettore LOGIN", "GRANT USAGE ON SCHEMA flussi TO lettore",
		"GRANT SELECT ON ALL TABLES IN SCHEMA flussi TO lettore")
	open(t, with(t, location, "lettore"))
	require.NoError(t, s.Migrate(t.Context()))
	execute(t, pool, copied)
	requireRestored(t, s)
}

func TestARestartRaisesNoAlarm(t *testing.T) {
	server := pgtest.Start(t)
	location := server.Database(t)
	s := open(t, location)
	id := sendingFlow(t, s, 3)
	require.Len(t, must.Get(claim(t.Context(), s, id, 1))(t), 1)
	server.Restart(t)
	s = reopen(t, location)
	require.Len(t, must.Get(claim(t.Context(), s, id, 1))(t), 1)
}

// Without the right to read the server's identity, the store cannot tell a copy, and does not send.
func TestRoleThatCannotReadTheIdentitySaysSo(t *testing.T) {
	server := pgtest.Start(t) // functions belong to the database, roles to the server
	location := server.Database(t)
	admin := newPool(t, location)
	require.NoError(t, open(t, location).Migrate(t.Context()))
	execute(t, admin, "CREATE ROLE povero LOGIN", "GRANT USAGE ON SCHEMA flussi TO povero", "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA flussi TO povero",
		"REVOKE EXECUTE ON FUNCTION pg_control_system() FROM public")
	s := open(t, with(t, location, "povero"))
	id := sendingFlow(t, s, 3)
	_, err := claim(t.Context(), s, id, 3)
	fault := requireFault(t, err, postgres.ErrAccess)
	assert.Equal(t, `user "povero" lacks EXECUTE on function pg_control_system()`, fault.Detail)
	assert.Equal(t, "All'utente «povero» dell'archivio manca il permesso EXECUTE sulla funzione «pg_control_system()»: chiederlo a chi gestisce il server.", fault.Italian())
	must.Get(importFlow(t, s))(t)
	requireFault(t, s.AcceptRestored(t.Context()), postgres.ErrAccess)
	execute(t, admin, "GRANT EXECUTE ON FUNCTION pg_control_system() TO povero")
	require.Len(t, must.Get(claim(t.Context(), s, id, 3))(t), 3)
}
