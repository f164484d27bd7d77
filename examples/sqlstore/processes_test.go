package sqlstore_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/sqlstore"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
)

// Stores of one database, as processes have them, may be opened for the first time at once.
func TestSeveralMayOpenANewDatabaseAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, location databases) {
		at := location(t)
		for _, err := range atOnce(8, func(int) error {
			s, err := sqlstore.Open(t.Context(), at, sqlstore.Config{})
			if err == nil {
				err = s.Close()
			}
			return err
		}) {
			require.NoError(t, err)
		}
	})
}

// What one process wrote, another one sees; and both may write at the same time.
func TestStoresOfOneDatabaseShareIt(t *testing.T) {
	onBoth(t, func(t *testing.T, location databases) {
		const each = 30
		at := location(t)
		stores := []*sqlstore.Store{open(t, at), open(t, at), open(t, at)}
		f, none := change(t, 0)
		f.Flow.State = flow.FlowSending
		require.NoError(t, stores[0].SaveFlow(t.Context(), f, none))
		for _, err := range atOnce(len(stores), func(i int) error {
			_, rows := change(t, each)
			for n := range rows {
				n.Notification.FlowID = f.Flow.ID
				if err := stores[i].SaveNotifications(t.Context(), n); err != nil {
					return err
				}
			}
			return nil
		}) {
			require.NoError(t, err)
		}
		for _, s := range stores {
			assert.Equal(t, flow.Counts{Registered: each * len(stores)}, must.Get(s.Flow(t.Context(), f.Flow.ID))(t).Counts)
		}
	})
}

// Those who write the same notifications together with others, in whatever order and in however
// many groups, succeed or conflict; nobody has to untie them.
func TestWritesThatMeetDoNotHoldEachOtherUp(t *testing.T) {
	onBoth(t, func(t *testing.T, location databases) {
		const notifications, crowd = 600, 4 // more than are written at a time
		s := open(t, location(t))
		f, rows := change(t, notifications)
		var all []flow.NotificationChange
		require.NoError(t, s.SaveFlow(t.Context(), f, seen(rows, func(_ int, row flow.NotificationChange) { all = append(all, row) })))
		errs := atOnce(crowd, func(i int) error {
			mine := make([]flow.NotificationChange, len(all))
			for j, c := range all {
				if i%2 == 1 {
					c = all[len(all)-1-j]
				}
				c.Notification.Version, c.Notification.Reference = 1, fmt.Sprint(i)
				mine[j] = c
			}
			if i%3 > 0 {
				return s.SaveNotifications(t.Context(), mine...)
			}
			other, _ := change(t, 0)
			return s.SaveFlow(t.Context(), other, sequence(mine...))
		})
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else {
				require.ErrorIs(t, err, flussi.ErrConflict)
			}
		}
		assert.LessOrEqual(t, won, 1)
		first := must.Get(s.Notification(t.Context(), all[0].Notification.ID))(t)
		assert.Equal(t, first.Reference, must.Get(s.Notification(t.Context(), all[len(all)-1].Notification.ID))(t).Reference)
	})
}

// An entity twice in one write is a conflict, however far apart.
func TestTwiceInALongSequenceIsAConflict(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *sqlstore.Store) {
		there, rows := change(t, 1)
		var old flow.NotificationChange
		for old = range rows {
		}
		require.NoError(t, s.SaveFlow(t.Context(), there, nil))
		require.NoError(t, s.SaveNotifications(t.Context(), old))
		old.Notification.Version = 1
		for name, twice := range map[string]func(first flow.NotificationChange) []flow.NotificationChange{
			"new":     func(c flow.NotificationChange) []flow.NotificationChange { return []flow.NotificationChange{c, c} },
			"changed": func(flow.NotificationChange) []flow.NotificationChange { return []flow.NotificationChange{old, old} },
			"new, and the next": func(c flow.NotificationChange) []flow.NotificationChange {
				return []flow.NotificationChange{c, next(c)}
			},
			"changed, and the next": func(flow.NotificationChange) []flow.NotificationChange {
				return []flow.NotificationChange{old, next(old)}
			},
		} {
			t.Run(name, func(t *testing.T) {
				f, rows := change(t, 1200)
				err := s.SaveFlow(t.Context(), f, func(yield func(flow.NotificationChange, error) bool) {
					var last []flow.NotificationChange
					for row, err := range rows {
						if last == nil {
							both := twice(row)
							row, last = both[0], both[1:]
						}
						if !yield(row, err) {
							return
						}
					}
					yield(last[0], nil)
				})
				require.ErrorIs(t, err, flussi.ErrConflict)
				notStored(t, s, f.Flow.ID)
			})
		}
	})
}

// next is a change of what another change makes.
func next(c flow.NotificationChange) flow.NotificationChange {
	c.Notification.Version++
	return c
}

func TestAPurposeIsKeptOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, location databases) {
		at := location(t)
		for _, word := range []string{"prova", "esercizio", "prova"} {
			assert.Equal(t, "prova", must.Get(open(t, at).Purpose(t.Context(), word))(t))
		}
	})
}

// Whoever may not create the extension searches for texts without an index, and hears so; once
// somebody else has created it, it is used, and what was stored without it is found.
func TestTextsAreFoundWithoutAnIndex(t *testing.T) {
	server := newServer(t)
	must.Get(server.Exec("DROP EXTENSION pg_trgm"))(t)
	at := server.newSchema(t)
	role := fmt.Sprintf("flussi_test_%s", strings.ReplaceAll(uuid.NewString(), "-", ""))
	schema := fmt.Sprintf("test%d", server.schemas.Load())
	for _, statement := range []string{"CREATE ROLE " + role + " LOGIN", "ALTER SCHEMA " + schema + " OWNER TO " + role} {
		must.Get(server.Exec(statement))(t)
	}
	t.Cleanup(func() {
		for _, statement := range []string{"DROP OWNED BY " + role, "DROP ROLE " + role} {
			must.Get(server.Exec(statement))(t)
		}
	})
	var log strings.Builder
	poor := must.Get(sqlstore.Open(t.Context(), strings.Replace(at, "postgres@", role+"@", 1), sqlstore.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}))(t)
	defer poor.Close()
	assert.Contains(t, log.String(), "pg_trgm")
	finds := func(s *sqlstore.Store, text string) int {
		found := must.Get(s.Notifications(t.Context(), flow.NotificationFilter{Text: text}, flow.Page{Limit: 10}))(t)
		return len(found)
	}
	must.Get(save(t, poor, 2))(t)
	assert.Equal(t, 2, finds(poor, "RISERVATO"))

	must.Get(server.Exec("CREATE EXTENSION pg_trgm"))(t)
	rich := open(t, strings.Replace(at, "postgres@", role+"@", 1))
	_, err := save(t, poor, 1) // by one who does not know of the index
	require.NoError(t, err)
	for _, s := range []*sqlstore.Store{poor, rich} {
		s.Look(0, 0, 0, 1000, 8) // so that the index is asked
		assert.Equal(t, 3, finds(s, "riservato"))
		assert.Zero(t, finds(s, "introvabile"))
	}
}

// A context that ends ends the wait for others who write.
func TestAContextEndsTheWaitForOthers(t *testing.T) {
	at := newSQLite(t)
	first, second := open(t, at), open(t, at)
	f, rows := change(t, 1)
	other, none := change(t, 0)
	require.NoError(t, first.SaveFlow(t.Context(), f, seen(rows, func(int, flow.NotificationChange) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		assert.ErrorIs(t, second.SaveFlow(ctx, other, none), context.DeadlineExceeded)
	})))
	require.NoError(t, second.SaveFlow(t.Context(), other, none))
}
