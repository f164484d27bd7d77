package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
	"github.com/flussi-go/flussi/internal/sampletest"
	"github.com/flussi-go/flussi/sqlstore/postgres"
)

// newService returns a service for the operator m.neri of "tributi".
func newService(t testing.TB, store flow.Store) (*flow.Service, flussi.Actor) {
	t.Helper()
	senders := func(context.Context, string) (flow.Sender, error) { return nil, errors.New("no platform") }
	s := must.Get(flow.NewService(store, flow.Permissions{"m.neri": {"tributi"}}, senders, flow.ServiceConfig{}))(t)
	return s, flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}
}

// orderedFlow stores a flow In invio with notifications.
func orderedFlow(t testing.TB, store flow.Store, notifications int) uuid.UUID {
	t.Helper()
	s, by := newService(t, store)
	rows := make([]flow.Draft, notifications)
	for i := range rows {
		rows[i] = flow.Draft{Recipient: sampletest.FiscalCode(i), Subject: flussi.NewText("Avviso TARI"), Content: flussi.NewText(strings.Repeat("Gentile cittadino. ", 10))}
	}
	f, _, err := s.ImportFlow(t.Context(), by, "tributi", flow.Details{}, flow.DraftRows(rows...), flow.AddConfig{})
	require.NoError(t, err)
	must.Get(s.ActivateFlow(t.Context(), by, f.ID))(t)
	must.Get(s.SendFlow(t.Context(), by, f.ID))(t)
	return f.ID
}

func claimOne(store flow.Store, id uuid.UUID) ([]flow.Notification, error) {
	_, claimed, err := store.Claim(context.Background(), flow.Claim{Flow: id, Limit: 1, Lease: time.Minute, At: time.Now(), By: "d1"})
	return claimed, err
}

func TestDeclareRestoredLetsAServerSendAgain(t *testing.T) {
	pool := newPool(t, pgtest.Shared(t).Database(t))
	store := must.Get(postgres.New(pool, postgres.Config{}))(t)
	require.NoError(t, store.Migrate(t.Context()))
	id := orderedFlow(t, store, 3)
	require.Len(t, must.Get(claimOne(store, id))(t), 1)
	must.Get(pool.Exec(t.Context(), "UPDATE flussi.properties SET value = 'other/00000001' WHERE name = 'cluster'"))(t)

	_, err := claimOne(store, id)
	require.ErrorIs(t, err, postgres.ErrRestored)
	service, by := newService(t, store)
	report := must.Get(service.DeclareRestored(t.Context(), by, time.Now()))(t)
	assert.Equal(t, []flow.RestoredFlow{{ID: id, Service: "tributi", Counts: flow.Counts{Registered: 2, Sending: 1}}}, report.Flows)
	assert.Empty(t, must.Get(claimOne(store, id))(t), "it is disabled")
	must.Get(service.EnableFlow(t.Context(), by, id))(t)
	assert.Len(t, must.Get(claimOne(store, id))(t), 1)
}

func TestAcceptRestoredRefusesTransactionsOfTheCaller(t *testing.T) {
	pool := newPool(t, pgtest.Shared(t).Database(t))
	store := newStore(t, pool)
	tx := must.Get(pool.Begin(t.Context()))(t)
	defer func() { _ = tx.Rollback(context.Background()) }()
	inTx := store.WithTx(tx)
	require.ErrorIs(t, inTx.AcceptRestored(t.Context()), postgres.ErrInTx)
	require.NoError(t, store.AcceptRestored(t.Context()))
	assert.Same(t, store, store.Self())
	assert.Same(t, inTx, inTx.Self())
}
