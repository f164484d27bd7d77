package sqlstore_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/sqlstore"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
)

// older is a database of an earlier release, and what it has.
type older struct {
	sqlstore.Older
	service string
}

// openOlder creates a database with version 2 of the schema, and returns its location.
func openOlder(t *testing.T, location databases) (at string, o older) {
	t.Helper()
	at = location(t)
	opened := must.Get(sqlstore.OpenOlder(t.Context(), at, 2))(t)
	return at, older{opened, "tributi"}
}

// flow writes a flow with notifications, one for each state; the nth has the nth text.
func (o older) flow(t *testing.T, state flow.FlowState, states ...flow.NotificationState) (flow.Flow, []flow.Notification) {
	t.Helper()
	f := must.Get(flow.NewFlow(o.service, operator))(t)
	f.State = state
	require.NoError(t, o.WriteFlow(t.Context(), f))
	all := make([]flow.Notification, len(states))
	for i, state := range states {
		n := must.Get(flow.NewNotification(o.service, flussi.TestRecipient(), operator))(t)
		n.FlowID, n.State, n.Version = f.ID, state, 1
		n.Subject, n.Content = flussi.NewText("Oggetto della notifica"), flussi.NewText(text(i))
		if state == flow.NotificationSent {
			n.Transmission.SentAt = time.Now().UTC().Truncate(time.Microsecond)
		}
		require.NoError(t, o.Write(t.Context(), n, time.Hour))
		all[i] = n
	}
	return f, all
}

func text(n int) string { return "Contenuto della notifica numero " + string(rune('a'+n)) }

var operator = flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}

// claimAll claims the notifications of a flow, and returns their states in their order.
func claimAll(t *testing.T, s *sqlstore.Store, of uuid.UUID) (states []flow.NotificationState) {
	t.Helper()
	claimed := must.Get(claim(t.Context(), s, of, 100))(t)
	for _, n := range claimed {
		states = append(states, n.State)
	}
	return states
}

const (
	registered = flow.NotificationRegistered
	inFlight   = flow.NotificationSending
	sent       = flow.NotificationSent
	failed     = flow.NotificationFailed
)

// After the upgrade, messages that an earlier release sent or was sending are recognised, also with
// other white space. A store that sent some of them twice is upgraded, too.
func TestUpgradeRecognisesMessagesSentBefore(t *testing.T) {
	onBoth(t, func(t *testing.T, location databases) {
		at, o := openOlder(t, location)
		o.flow(t, flow.FlowSent, sent, sent)
		o.flow(t, flow.FlowSent, sent) // the first once more
		o.flow(t, flow.FlowSending, registered, registered, inFlight)
		waiting, _ := o.flow(t, flow.FlowSending, registered, registered, registered, registered)
		require.NoError(t, o.Close())

		s := open(t, at)
		assert.Equal(t, []flow.NotificationState{failed, failed, failed, inFlight}, claimAll(t, s, waiting.ID))

		spaced := must.Get(flow.NewNotification("tributi", flussi.TestRecipient(), operator))(t)
		spaced.State = inFlight
		spaced.Subject, spaced.Content = flussi.NewText("Oggetto  della notifica "), flussi.NewText(text(0)+"\u00a0")
		err := s.SaveNotifications(t.Context(), flow.NotificationChange{Notification: spaced, Lease: time.Minute})
		refused := must.As[*flow.AlreadySentError](t, err)
		assert.Equal(t, spaced.ID, refused.NotificationID)
	})
}

// A process of an earlier release that is still running cannot claim, since it does not check
// whether a message was sent. It can store the outcomes of its earlier claims.
func TestOlderProcessCannotClaimAfterUpgrade(t *testing.T) {
	onBoth(t, func(t *testing.T, location databases) {
		at, o := openOlder(t, location)
		flowing, had := o.flow(t, flow.FlowSending, registered, inFlight)

		s := open(t, at)
		err := o.Claim(t.Context(), flowing.ID)
		require.Error(t, err)
		var refused *pgconn.PgError
		if errors.As(err, &refused) {
			assert.Empty(t, refused.Detail, "a server writes it to its log")
		}
		assert.Equal(t, registered, must.Get(s.Notification(t.Context(), had[0].ID))(t).State)

		done := had[1]
		done.State, done.Version = sent, 2
		require.NoError(t, o.Write(t.Context(), done, 0))
		repeat := must.Get(flow.NewNotification("tributi", flussi.TestRecipient(), operator))(t)
		repeat.State, repeat.Draft = inFlight, done.Draft
		assert.ErrorIs(t, s.SaveNotifications(t.Context(), flow.NotificationChange{Notification: repeat}), flussi.ErrDuplicate)
	})
}

// Notifications that a process of an earlier release imports or edits after the upgrade are
// recognised, too.
func TestWritesOfOlderProcessesAreRecognised(t *testing.T) {
	onBoth(t, func(t *testing.T, location databases) {
		at, o := openOlder(t, location)
		s := open(t, at)
		first, had := o.flow(t, flow.FlowSending, registered)
		second, _ := o.flow(t, flow.FlowSending, registered, registered)
		edited := had[0]
		edited.Content, edited.Version = flussi.NewText(text(1)), 2
		require.NoError(t, o.Write(t.Context(), edited, 0))
		assert.Equal(t, []flow.NotificationState{inFlight}, claimAll(t, s, first.ID))
		assert.Equal(t, []flow.NotificationState{inFlight, failed}, claimAll(t, s, second.ID))
	})
}

// The upgrade keeps the names of existing services, also similar ones. New names that look like
// them are refused.
func TestUpgradeKeepsTheNamesOfServices(t *testing.T) {
	onBoth(t, func(t *testing.T, location databases) {
		at, o := openOlder(t, location)
		for _, o.service = range []string{"prova", "Prova"} {
			o.flow(t, flow.FlowSent, sent)
		}
		require.NoError(t, o.Close())
		s := open(t, at)
		for _, name := range []string{"prova", "Prova", "PROVA"} {
			f := must.Get(flow.NewFlow(name, operator))(t)
			err := s.SaveFlow(t.Context(), flow.FlowChange{Flow: f}, nil)
			if name == "PROVA" {
				must.As[*flow.SimilarServiceError](t, err)
				continue
			}
			require.NoError(t, err, name)
		}
	})
}

// A claim that refuses rows which an older process wrote a moment ago stores the refusals.
func TestClaimRefusesRowsThatOlderProcessWrote(t *testing.T) {
	onBoth(t, func(t *testing.T, location databases) {
		at, o := openOlder(t, location)
		o.flow(t, flow.FlowSent, sent)
		s := open(t, at)
		waiting, _ := o.flow(t, flow.FlowSending, registered, registered)
		assert.Equal(t, []flow.NotificationState{failed, inFlight}, claimAll(t, s, waiting.ID))
	})
}

// Two processes upgrade a database at once, and claim as soon as it is open to them: neither claims a
// message that was sent, while the other one has not upgraded its row yet.
func TestProcessesThatUpgradeAtOnceRecogniseWhatWasSent(t *testing.T) {
	const messages = 3000
	onBoth(t, func(t *testing.T, location databases) {
		at, before := openOlder(t, location)
		waiting, done := newFlow(t, flow.FlowSending), newFlow(t, flow.FlowSent)
		require.NoError(t, before.WriteFlow(t.Context(), waiting))
		require.NoError(t, before.WriteFlow(t.Context(), done))
		var all []flow.Notification
		for i := range messages {
			all = append(all, newNotification(t, waiting.ID, messages-1-i))
		}
		for i := range messages { // these are upgraded last
			n := newNotification(t, done.ID, i)
			n.State = sent
			all = append(all, n)
		}
		require.NoError(t, before.WriteAll(t.Context(), all))
		require.NoError(t, before.Close())

		var processes sync.WaitGroup
		for range 2 {
			processes.Go(func() {
				s, err := sqlstore.Open(t.Context(), at, sqlstore.Config{})
				if !assert.NoError(t, err) {
					return
				}
				defer s.Close()
				for {
					claimed, err := claim(t.Context(), s, waiting.ID, 200)
					if !assert.NoError(t, err) || len(claimed) == 0 {
						return
					}
					assert.False(t, slices.ContainsFunc(claimed, func(n flow.Notification) bool { return n.State == inFlight }), "sent twice")
				}
			})
		}
		processes.Wait()
	})
}

// While another process upgrades a row, nobody opens the database past it.
func TestUpgradeWaitsForRowsThatAnotherProcessUpgrades(t *testing.T) {
	at, o := openOlder(t, newServer(t).newSchema)
	waiting, _ := o.flow(t, flow.FlowSending, registered)
	_, done := o.flow(t, flow.FlowSent, sent)
	require.NoError(t, o.Close())
	migrated, err := sqlstore.OpenOlder(t.Context(), at, 0) // the tables of the present version, the rows of the earlier one
	require.NoError(t, err)
	require.NoError(t, migrated.Migrate(t.Context()))
	require.NoError(t, migrated.Close())

	db := database(t, "pgx", at)
	upgrade := must.Get(db.BeginTx(t.Context(), nil))(t)
	must.Get(upgrade.ExecContext(t.Context(), "SELECT 1 FROM notifications WHERE id = $1 FOR UPDATE", done[0].ID))(t)
	claimed := make(chan []flow.NotificationState, 1)
	go func() {
		defer close(claimed)
		s, err := sqlstore.Open(t.Context(), at, sqlstore.Config{})
		if !assert.NoError(t, err) {
			return
		}
		defer s.Close()
		claimed <- claimAll(t, s, waiting.ID)
	}()
	require.Eventually(t, func() bool { // the other one waits, or is done too soon
		waits := 0
		err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&waits)
		return err == nil && waits > 0 || len(claimed) > 0
	}, time.Minute, time.Millisecond)
	require.NoError(t, upgrade.Rollback())
	assert.Equal(t, []flow.NotificationState{failed}, <-claimed)
}

func newFlow(t *testing.T, state flow.FlowState) flow.Flow {
	f := must.Get(flow.NewFlow("tributi", operator))(t)
	f.State = state
	return f
}

func newNotification(t *testing.T, of uuid.UUID, message int) flow.Notification {
	n := must.Get(flow.NewNotification("tributi", flussi.TestRecipient(), operator))(t)
	n.FlowID, n.Version = of, 1
	n.Subject, n.Content = flussi.NewText("Oggetto della notifica"), flussi.NewText(fmt.Sprintf("Contenuto della notifica %d", message))
	return n
}

// PostgreSQL has no statistics of a table that one transaction fills. It finds messages by their
// digests all the same, and does not read the whole service for each group of rows.
func TestMessagesAreFoundByTheirDigests(t *testing.T) {
	s := open(t, newServer(t).newSchema(t))
	var plans []string
	s.Explain(func(query, plan string) {
		if strings.Contains(query, "AS d (digest)") {
			plans = append(plans, plan)
		}
	})
	f, rows := change(t, 3000)
	_, _, err := s.SaveImport(t.Context(), flow.ImportRequest{
		Flow: f, Rows: rows, Key: func() flow.ImportKey { return flow.ImportKey{1} },
		OnDuplicate: func(n flow.NotificationChange, _ flow.Notification) (flow.NotificationChange, bool) { return n, true },
	})
	require.NoError(t, err)
	require.NotEmpty(t, plans)
	for _, plan := range plans {
		require.Contains(t, plan, "notifications_by_message_digest")
		require.NotContains(t, plan, "notifications_list_in_service")
	}
}
