package sqlstore_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/sqlstore"
	"github.com/flussi-go/flussi/flow"
)

// older is a database of an earlier release, and what it has.
type older struct {
	sqlstore.Older
	service string
}

// flow writes a flow with notifications, one for each state; the nth has the nth text.
func (o older) flow(t *testing.T, state flow.FlowState, states ...flow.NotificationState) (flow.Flow, []flow.Notification) {
	t.Helper()
	f, err := flow.NewFlow(o.service, operator)
	require.NoError(t, err)
	f.State = state
	require.NoError(t, o.WriteFlow(t.Context(), f))
	all := make([]flow.Notification, len(states))
	for i, state := range states {
		n, err := flow.NewNotification(o.service, flussi.TestRecipient(), operator)
		require.NoError(t, err)
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
	claimed, err := claim(t.Context(), s, of, 100)
	require.NoError(t, err)
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
	onBoth(t, func(t *testing.T, location func(testing.TB) string) {
		at := location(t)
		open1, err := sqlstore.OpenOlder(t.Context(), at, 2)
		require.NoError(t, err)
		o := older{open1, "tributi"}
		o.flow(t, flow.FlowSent, sent, sent)
		o.flow(t, flow.FlowSent, sent) // the first once more
		o.flow(t, flow.FlowSending, registered, registered, inFlight)
		waiting, _ := o.flow(t, flow.FlowSending, registered, registered, registered, registered)
		require.NoError(t, o.Close())

		s := open(t, at)
		assert.Equal(t, []flow.NotificationState{failed, failed, failed, inFlight}, claimAll(t, s, waiting.ID))

		spaced, err := flow.NewNotification("tributi", flussi.TestRecipient(), operator)
		require.NoError(t, err)
		spaced.State = inFlight
		spaced.Subject, spaced.Content = flussi.NewText("Oggetto  della notifica "), flussi.NewText(text(0)+"\u00a0")
		err = s.SaveNotifications(t.Context(), flow.NotificationChange{Notification: spaced, Lease: time.Minute})
		var refused *flow.AlreadySentError
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, spaced.ID, refused.Notification)
	})
}

// A process of an earlier release that is still running cannot claim, since it does not check
// whether a message was sent. It can store the outcomes of its earlier claims.
func TestOlderProcessCannotClaimAfterUpgrade(t *testing.T) {
	onBoth(t, func(t *testing.T, location func(testing.TB) string) {
		at := location(t)
		running, err := sqlstore.OpenOlder(t.Context(), at, 2)
		require.NoError(t, err)
		o := older{running, "tributi"}
		flowing, had := o.flow(t, flow.FlowSending, registered, inFlight)

		s := open(t, at)
		again := older{running, "tributi"}
		require.Error(t, again.Claim(t.Context(), flowing.ID))
		kept, err := s.Notification(t.Context(), had[0].ID)
		require.NoError(t, err)
		assert.Equal(t, registered, kept.State)

		done := had[1]
		done.State, done.Version = sent, 2
		require.NoError(t, again.Write(t.Context(), done, 0))
		repeat, err := flow.NewNotification("tributi", flussi.TestRecipient(), operator)
		require.NoError(t, err)
		repeat.State, repeat.Draft = inFlight, done.Draft
		assert.ErrorIs(t, s.SaveNotifications(t.Context(), flow.NotificationChange{Notification: repeat}), flow.ErrDuplicate)
	})
}

// Notifications that a process of an earlier release imports or edits after the upgrade are
// recognised, too.
func TestWritesOfOlderProcessesAreRecognised(t *testing.T) {
	onBoth(t, func(t *testing.T, location func(testing.TB) string) {
		at := location(t)
		running, err := sqlstore.OpenOlder(t.Context(), at, 2)
		require.NoError(t, err)
		o := older{running, "tributi"}
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
	onBoth(t, func(t *testing.T, location func(testing.TB) string) {
		at := location(t)
		running, err := sqlstore.OpenOlder(t.Context(), at, 2)
		require.NoError(t, err)
		older{running, "prova"}.flow(t, flow.FlowSent, sent)
		older{running, "Prova"}.flow(t, flow.FlowSent, sent)
		require.NoError(t, running.Close())
		s := open(t, at)
		for _, name := range []string{"prova", "Prova", "PROVA"} {
			f, err := flow.NewFlow(name, operator)
			require.NoError(t, err)
			err = s.SaveFlow(t.Context(), flow.FlowChange{Flow: f}, nil)
			if name == "PROVA" {
				var refused *flow.SimilarServiceError
				require.ErrorAs(t, err, &refused)
				continue
			}
			require.NoError(t, err, name)
		}
	})
}
