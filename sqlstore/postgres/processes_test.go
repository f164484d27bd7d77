package postgres_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
	"github.com/flussi-go/flussi/sqlstore/postgres"
)

// Stores of one database, as processes have them, see what the others store, and write at once.
func TestStoresShareADatabase(t *testing.T) {
	onServers(t, func(t *testing.T, location string) {
		const each = 30
		stores := []*postgres.Store{open(t, location), open(t, location), open(t, location)}
		id := sendingFlow(t, stores[0], 0)
		for _, err := range atOnce(len(stores), func(i int) error {
			for n := range newRows(id, each) {
				if err := stores[i].SaveNotifications(t.Context(), n); err != nil {
					return err
				}
			}
			return nil
		}) {
			require.NoError(t, err)
		}
		for _, s := range stores {
			assert.Equal(t, flow.Counts{Registered: each * len(stores)}, must.Get(s.Flow(t.Context(), id))(t).Counts)
		}
	})
}

// Writes of the same notifications, in any order and in several groups, succeed or are in conflict.
// None waits for a deadlock.
func TestWritesOfTheSameNotificationsConflict(t *testing.T) {
	onServers(t, func(t *testing.T, location string) {
		const notifications, writers = 600, 4 // more than are written at a time
		s := open(t, location)
		id := saveFlow(t, s, notifications)
		all := must.Get(s.Notifications(t.Context(), flow.NotificationFilter{Flow: id}, flow.Page{Limit: notifications}))(t)
		stored := 0
		for _, err := range atOnce(writers, func(i int) error {
			mine := make([]flow.NotificationChange, len(all))
			for j := range all {
				c := flow.NotificationChange{Notification: all[j]}
				if i%2 == 1 {
					c.Notification = all[len(all)-1-j]
				}
				c.Notification.Reference = fmt.Sprint(i)
				mine[j] = c
			}
			if i%3 > 0 {
				return s.SaveNotifications(t.Context(), mine...)
			}
			other, _ := newFlow(t, 0)
			return s.SaveFlow(t.Context(), other, func(yield func(flow.NotificationChange, error) bool) {
				for _, c := range mine {
					if !yield(c, nil) {
						return
					}
				}
			})
		}) {
			if err == nil {
				stored++
			} else {
				require.ErrorIs(t, err, flussi.ErrConflict)
			}
		}
		assert.LessOrEqual(t, stored, 1)
		first := must.Get(s.Notification(t.Context(), all[0].ID))(t)
		assert.Equal(t, first.Reference, must.Get(s.Notification(t.Context(), all[len(all)-1].ID))(t).Reference)
	})
}

func TestPropertyIsKeptOnce(t *testing.T) {
	location := pgtest.Shared(t).Database(t)
	for _, err := range atOnce(6, func(int) error {
		return must.Err(open(t, location).Property(t.Context(), "purpose", "prova"))
	}) {
		require.NoError(t, err)
	}
	assert.Equal(t, "prova", must.Get(open(t, location).Property(t.Context(), "purpose", "esercizio"))(t))
	assert.Equal(t, "altro", must.Get(open(t, location).Property(t.Context(), "cluster", "altro"))(t), "not the store's own")
}

// A user who may not create pg_trgm searches without an index, and the log says so. Once it is there,
// it is used, and finds what was stored before.
func TestTextsAreFoundWithoutTheExtension(t *testing.T) {
	location := pgtest.Shared(t).Database(t)
	admin := newPool(t, location)
	user := role(t, admin)
	execute(t, admin, "CREATE SCHEMA flussi AUTHORIZATION "+user)
	var log strings.Builder
	poor := must.Get(postgres.Open(t.Context(), with(t, location, user), postgres.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}))(t)
	defer func() { require.NoError(t, poor.Close()) }()
	must.Contain(t, log.String(), "pg_trgm", "42501")
	finds := func(s *postgres.Store, text string) int {
		return len(must.Get(s.Notifications(t.Context(), flow.NotificationFilter{Text: text}, flow.Page{Limit: 10}))(t))
	}
	saveFlow(t, poor, 2)
	assert.Equal(t, 2, finds(poor, "RISERVATO"))

	execute(t, admin, "CREATE EXTENSION pg_trgm")
	rich := open(t, with(t, location, user))
	assert.True(t, value[bool](t, admin, "SELECT to_regclass('flussi.notification_texts_trigrams') IS NOT NULL"))
	saveFlow(t, poor, 1)
	for _, s := range []*postgres.Store{poor, rich} {
		assert.Equal(t, 3, finds(s, "riservato"))
		assert.Equal(t, 3, finds(s, "OGGETTO RIS"))
		assert.Zero(t, finds(s, "introvabile"))
	}
}

// The search path of a user may have no schema that exists: the extension goes into the first one.
func TestMigrateNeedsNoSearchPath(t *testing.T) {
	for _, path := range []string{"''", "manca"} {
		location := pgtest.Shared(t).Database(t)
		s := open(t, with(t, location, "", "search_path", path))
		works(t, s)
		works(t, open(t, location)) // creates the extension
	}
}
