package postgres_test

import (
	"flag"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
	"github.com/flussi-go/flussi/sqlstore/postgres"
)

var crashRounds = flag.Int("crash-rounds", 3, "how often TestClaimsSurviveCrashes crashes each server; with -short, 1")

// A claim that a crash undoes would be sent again. The server is set not to wait for its disk, and
// writes its log only after 10 s by itself.
func TestClaimsSurviveCrashes(t *testing.T) {
	server := pgtest.Start(t, "synchronous_commit=off", "wal_writer_delay=10s")
	database := server.Database(t)
	for name, location := range map[string]string{"Direct": database, "PgBouncer": pgtest.Bouncer(t, server, database)} {
		t.Run(name, func(t *testing.T) {
			const claimers, each = 4, 5
			rounds := *crashRounds
			if testing.Short() {
				rounds = 1
			}
			for range rounds {
				var stores []*postgres.Store
				for range claimers { // each has connections of its own
					stores = append(stores, open(t, location))
				}
				id := sendingFlow(t, stores[0], claimers*each)
				claimed := make([][]flow.Notification, claimers)
				for _, err := range atOnce(claimers, func(i int) (err error) {
					claimed[i], err = claim(t.Context(), stores[i], id, each)
					return err
				}) {
					require.NoError(t, err)
				}
				server.Restart(t)
				s := reopen(t, location)
				total := 0
				for i := range claimed {
					for _, n := range claimed[i] {
						stored := must.Get(s.Notification(t.Context(), n.ID))(t)
						assert.Equal(t, flow.NotificationSending, stored.State)
						total++
					}
				}
				require.Positive(t, total)
				assert.Equal(t, total, must.Get(s.Flow(t.Context(), id))(t).Counts.Sending)
			}
		})
	}
}

// reopen opens a store again after its server was restarted. PgBouncer may first give a connection to
// the server that ended.
func reopen(t *testing.T, location string) (s *postgres.Store) {
	t.Helper()
	eventually(t, func() (opened bool) {
		var err error
		s, err = postgres.Open(t.Context(), location, postgres.Config{})
		return err == nil
	})
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}
