package postgres_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowtest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/pagoinretetest"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/pagoinrete/settlement/settlementtest"
	"github.com/flussi-go/flussi/sqlstore/postgres"
)

// newInvoices returns a store beside a table of the service's own.
func newInvoices(t *testing.T, location string) (*postgres.Store, func() pgx.Tx, func() int) {
	t.Helper()
	pool := newPool(t, location)
	s := must.Get(postgres.New(pool, postgres.Config{}))(t)
	require.NoError(t, s.Migrate(t.Context()))
	execute(t, pool, "CREATE TABLE invoices (id uuid)")
	begin := func() pgx.Tx {
		tx := must.Get(pool.Begin(t.Context()))(t)
		t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
		return tx
	}
	return s, begin, func() int { return value[int](t, pool, "SELECT count(*) FROM invoices") }
}

func insertInvoice(t *testing.T, tx pgx.Tx) {
	t.Helper()
	must.Get(tx.Exec(t.Context(), "INSERT INTO invoices VALUES (gen_random_uuid())"))(t)
}

// importFlow imports a flow with three notifications by a service.
func importFlow(t *testing.T, s *postgres.Store) (uuid.UUID, error) {
	t.Helper()
	nobody := func(context.Context, string) (flow.Sender, error) { return nil, errors.New("nothing is sent here") }
	service := must.Get(flow.NewService(s, flow.Permissions{operator.ID: {"tributi"}}, nobody, flow.ServiceConfig{}))(t)
	var drafts []flow.Draft
	for row := range newRows(uuid.New(), 3) {
		drafts = append(drafts, row.Notification.Draft)
	}
	f, _, err := service.ImportFlow(t.Context(), operator, "tributi", flow.Details{}, flow.DraftRows(drafts...), flow.AddConfig{})
	return f.ID, err
}

// An import of the service's and a row of its own are stored together or not at all.
func TestImportAndRowsOfTheServiceGoTogether(t *testing.T) {
	onServers(t, func(t *testing.T, location string) {
		s, begin, invoices := newInvoices(t, location)
		tx := begin()
		insertInvoice(t, tx)
		id := must.Get(importFlow(t, s.WithTx(tx)))(t)
		assert.Equal(t, 3, must.Get(s.WithTx(tx).Flow(t.Context(), id))(t).Counts.Total(), "the transaction sees it")
		requireNoFlow(t, s, id)
		require.NoError(t, tx.Rollback(t.Context()))
		requireNoFlow(t, s, id)
		assert.Zero(t, invoices())

		tx = begin()
		insertInvoice(t, tx)
		id = must.Get(importFlow(t, s.WithTx(tx)))(t)
		require.NoError(t, tx.Commit(t.Context()))
		assert.Equal(t, 3, must.Get(s.Flow(t.Context(), id))(t).Counts.Total())
		assert.Equal(t, 1, invoices())
	})
}

// A write that is refused leaves nothing in the transaction, which goes on, also within savepoints.
func TestRefusedWriteLeavesTheTransaction(t *testing.T) {
	s, begin, invoices := newInvoices(t, pgtest.Shared(t).Database(t))
	tx := begin()
	insertInvoice(t, tx)
	outer := s.WithTx(tx)
	first := saveFlow(t, outer, 2)

	f, rows := newFlow(t, 1100)
	err := outer.SaveFlow(t.Context(), f, func(yield func(flow.NotificationChange, error) bool) {
		rows(func(row flow.NotificationChange, err error) bool { return yield(row, err) })
		yield(flow.NotificationChange{}, assert.AnError)
	})
	require.ErrorIs(t, err, assert.AnError)
	requireNoFlow(t, outer, f.Flow.ID)
	stale := must.Get(outer.Flow(t.Context(), first))(t)
	stale.Version = 9
	require.ErrorIs(t, outer.SaveFlow(t.Context(), flow.FlowChange{Flow: stale}, nil), flussi.ErrConflict)
	require.ErrorIs(t, must.Err(outer.Flow(t.Context(), uuid.New())), flussi.ErrNotFound)

	savepoint := must.Get(tx.Begin(t.Context()))(t)
	inner := s.WithTx(savepoint)
	second := saveFlow(t, inner, 2)
	nested := must.Get(savepoint.Begin(t.Context()))(t)
	third := saveFlow(t, s.WithTx(nested), 2)
	require.NoError(t, nested.Rollback(t.Context()))
	requireNoFlow(t, inner, third)
	must.Get(inner.Flow(t.Context(), second))(t)
	require.NoError(t, savepoint.Commit(t.Context()))

	insertInvoice(t, tx)
	require.NoError(t, tx.Commit(t.Context()))
	must.Get(s.Flow(t.Context(), first))(t)
	must.Get(s.Flow(t.Context(), second))(t)
	requireNoFlow(t, s, third)
	assert.Equal(t, 2, invoices())
}

// What is to be sent could be sent before the commit.
func TestStoreInATransactionDoesNotSend(t *testing.T) {
	s, begin, _ := newInvoices(t, pgtest.Shared(t).Database(t))
	id := sendingFlow(t, s, 3)
	stored := must.Get(s.Notifications(t.Context(), flow.NotificationFilter{Flow: id}, flow.Page{Limit: 3}))(t)
	tx := begin()
	inTx := s.WithTx(tx)
	sending := flow.NotificationChange{Notification: stored[0], Lease: time.Minute}
	sending.Notification.State = flow.NotificationSending
	fresh := sending
	fresh.Notification.ID, fresh.Notification.Version = uuid.Must(uuid.NewV7()), 0
	noMessage := fresh
	noMessage.Notification.Recipient = flussi.FiscalCode{}
	one := func(c flow.NotificationChange) func(yield func(flow.NotificationChange, error) bool) {
		return func(yield func(flow.NotificationChange, error) bool) { yield(c, nil) }
	}
	f, _ := newFlow(t, 0)
	_, _, saveAndClaim := inTx.SaveAndClaim(t.Context(), nil, flow.Claim{Flow: id, Limit: 1, Lease: time.Minute, At: time.Now(), By: "massivo"})
	_, _, saveImport := inTx.SaveImport(t.Context(), flow.ImportRequest{Flow: f, Rows: one(fresh), Key: func() flow.ImportKey { return flow.ImportKey{1} },
		OnDuplicate: func(c flow.NotificationChange, _ flow.Notification) (flow.NotificationChange, bool) { return c, true }})
	for name, err := range map[string]error{
		"Claim of nothing": must.Err(claim(t.Context(), inTx, uuid.New(), 1)), "Claim": must.Err(claim(t.Context(), inTx, id, 1)), "SaveAndClaim": saveAndClaim, "SaveImport": saveImport,
		"SaveNotifications":         inTx.SaveNotifications(t.Context(), sending),
		"SaveNotifications, new":    inTx.SaveNotifications(t.Context(), fresh),
		"SaveNotifications, no one": inTx.SaveNotifications(t.Context(), noMessage),
		"SaveFlow":                  inTx.SaveFlow(t.Context(), f, one(fresh)),
	} {
		require.ErrorIs(t, err, postgres.ErrInTx, name)
		assert.Contains(t, flussi.Explain(err), "L'invio non è possibile in una transazione non ancora confermata", name)
	}
	saveFlow(t, inTx, 1)
	require.NoError(t, tx.Commit(t.Context()))
	assert.Equal(t, flow.Counts{Registered: 3}, must.Get(s.Flow(t.Context(), id))(t).Counts)
	requireNoFlow(t, s, f.Flow.ID)
}

// All contracts except claims hold in a transaction. Calls are made one after the other, since only one
// goroutine at a time may use a transaction.
func TestStoreInATransactionKeepsTheContract(t *testing.T) {
	if os.Getenv("FLUSSI_ALL") == "" {
		return // it takes half a minute
	}
	t.Parallel()
	pool := newPool(t, pgtest.Shared(t).Database(t))
	s := newStore(t, pool)
	var tx pgx.Tx
	next := func() *postgres.Store { // empty again
		if tx != nil {
			_ = tx.Rollback(context.Background())
		}
		tx = must.Get(pool.Begin(context.Background()))(t)
		return s.WithTx(tx)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	ctx := storetest.OneAtATime(t.Context())
	for suite, run := range map[string]struct {
		err   error
		rules int
	}{
		"flowtest": {flowtest.CheckStore(ctx, func() (flow.Store, error) { return next(), nil }), len(flowtest.StoreRules())},
		"pagoinretetest": {pagoinretetest.CheckStore(ctx, func() (pagoinrete.Store, error) { return next(), nil }),
			len(pagoinretetest.StoreRules())},
		"settlementtest": {settlementtest.CheckStore(ctx, func() (settlement.Store, error) { return next(), nil }),
			len(settlementtest.StoreRules())},
	} {
		broken := 0
		for _, err := range unwrapAll(run.err) {
			broken++
			if !errors.Is(err, postgres.ErrInTx) && !strings.Contains(err.Error(), postgres.ErrInTx.Error()) {
				t.Errorf("%s: %.500v", suite, err)
			}
		}
		t.Logf("%s: %d of %d rules need claims", suite, broken, run.rules)
		assert.Less(t, broken, run.rules*2/3, suite)
	}
}

func unwrapAll(err error) []error {
	if joined, is := err.(interface{ Unwrap() []error }); is {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}
