package engine_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
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
	"github.com/flussi-go/flussi/internal/sampletest"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/sqlstore/internal/engine"
	"github.com/flussi-go/flussi/sqlstore/postgres"
	"github.com/flussi-go/flussi/sqlstore/sqlite"
)

// store is what the packages postgres and sqlite export.
type store interface {
	flow.Store
	flow.RestorableStore
	flow.SendChecker
	settlement.Store
}

// opened is a store, in the way that a service uses it on a database of its own.
type opened struct {
	store
	restore  func() store // returns a store on a restored copy of the database
	begin    func() store // begins a transaction of the caller
	end      func()       // ends it
	withNone func() store // a store in no transaction
}

// openBoth runs a test on a store of each package.
func openBoth(t *testing.T, test func(t *testing.T, s opened)) {
	t.Run("SQLite", func(t *testing.T) { test(t, newSQLite(t)) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, newPostgres(t)) })
}

func newSQLite(t *testing.T) opened {
	path := filepath.Join(t.TempDir(), "comune.db")
	db, s := openDB(t, path)
	require.NoError(t, s.Migrate(t.Context()))
	var tx *sql.Tx
	return opened{
		store: s,
		restore: func() store {
			copied := filepath.Join(t.TempDir(), "copia.db")
			must.Get(db.Exec("VACUUM INTO ?", copied))(t)
			_, restored := openDB(t, copied)
			return restored
		},
		begin: func() store {
			tx = must.Get(db.Begin())(t)
			return s.WithTx(tx)
		},
		end:      func() { require.NoError(t, tx.Rollback()) },
		withNone: func() store { return s.WithTx(nil) },
	}
}

func openDB(t *testing.T, path string) (*sql.DB, *sqlite.Store) {
	t.Helper()
	db := must.Get(sql.Open("sqlite", path+"?_pragma=synchronous(FULL)"))(t)
	t.Cleanup(func() { _ = db.Close() })
	return db, must.Get(sqlite.New(db, sqlite.Config{}))(t)
}

func newPostgres(t *testing.T) opened {
	pool := must.Get(pgxpool.New(context.Background(), pgtest.Shared(t).Database(t)))(t)
	t.Cleanup(pool.Close)
	s := must.Get(postgres.New(pool, postgres.Config{}))(t)
	require.NoError(t, s.Migrate(t.Context()))
	var end func()
	return opened{
		store: s,
		restore: func() store {
			must.Get(pool.Exec(t.Context(), "UPDATE flussi.properties SET value = 'other/00000001' WHERE name = 'cluster'"))(t)
			return s
		},
		begin: func() store {
			tx := must.Get(pool.Begin(t.Context()))(t)
			end = func() { require.NoError(t, tx.Rollback(t.Context())) }
			return s.WithTx(tx)
		},
		end:      func() { end() },
		withNone: func() store { return s.WithTx((*pgxpool.Tx)(nil)) },
	}
}

var senders = func(context.Context, string) (flow.Sender, error) { return nil, errors.New("no platform") }

// service returns a service for an operator of "tributi".
func service(t *testing.T, s flow.Store) (*flow.Service, flussi.Actor) {
	t.Helper()
	by := flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}
	return must.Get(flow.NewService(s, flow.Permissions{by.ID: {"tributi"}}, senders, flow.ServiceConfig{}))(t), by
}

// orderedFlow stores a flow In invio with notifications.
func orderedFlow(t *testing.T, s flow.Store, notifications int) uuid.UUID {
	t.Helper()
	flows, by := service(t, s)
	rows := make([]flow.Draft, notifications)
	for i := range rows {
		rows[i] = flow.Draft{Recipient: sampletest.FiscalCode(i), Subject: flussi.NewText("Avviso TARI"), Content: flussi.NewText(strings.Repeat("Gentile cittadino. ", 10))}
	}
	f, _, err := flows.ImportFlow(t.Context(), by, "tributi", flow.Details{}, flow.DraftRows(rows...), flow.AddConfig{})
	require.NoError(t, err)
	must.Get(flows.ActivateFlow(t.Context(), by, f.ID))(t)
	must.Get(flows.SendFlow(t.Context(), by, f.ID))(t)
	return f.ID
}

func claimOne(t *testing.T, s flow.Store, id uuid.UUID) ([]flow.Notification, error) {
	_, claimed, err := s.Claim(t.Context(), flow.Claim{Flow: id, Limit: 1, Lease: time.Minute, At: time.Now(), By: "d1"})
	return claimed, err
}

func TestDeclareRestoredLetsACopySendAgain(t *testing.T) {
	openBoth(t, func(t *testing.T, s opened) {
		id := orderedFlow(t, s, 3)
		require.Len(t, must.Get(claimOne(t, s, id))(t), 1)
		restored := s.restore()
		require.ErrorIs(t, must.Err(claimOne(t, restored, id)), engine.ErrRestored)
		flows, by := service(t, restored)
		report := must.Get(flows.DeclareRestored(t.Context(), by, time.Now()))(t)
		assert.Equal(t, []flow.RestoredFlow{{ID: id, Service: "tributi", Counts: flow.Counts{Registered: 2, Sending: 1}}}, report.Flows)
		assert.Empty(t, must.Get(claimOne(t, restored, id))(t), "it is disabled")
		must.Get(flows.EnableFlow(t.Context(), by, id))(t)
		assert.Len(t, must.Get(claimOne(t, restored, id))(t), 1)
	})
}

func TestAcceptRestoredRefusesTransactionsOfTheCaller(t *testing.T) {
	openBoth(t, func(t *testing.T, s opened) {
		err := s.begin().AcceptRestored(t.Context())
		s.end()
		require.ErrorIs(t, err, engine.ErrInTx)
		assert.Equal(t, "Il ripristino dell'archivio non si può dichiarare in una transazione non ancora confermata: confermarla, poi dichiararlo.", flussi.Explain(err))
		require.NoError(t, s.AcceptRestored(t.Context()))
	})
}

func TestSelfIsTheStoreItself(t *testing.T) {
	openBoth(t, func(t *testing.T, s opened) {
		assert.Same(t, s.store, s.Self())
		inTx := s.begin()
		assert.Same(t, inTx, inTx.Self())
		s.end()
	})
}

// A dispatcher on such a store would send before the commit, or not at all.
func TestDispatcherRefusesTransactionsOfTheCaller(t *testing.T) {
	openBoth(t, func(t *testing.T, s opened) {
		must.Get(flow.NewDispatcher(s.store, senders, flow.DispatcherConfig{}))(t)
		inTx := s.begin()
		defer s.end()
		type wrapper struct{ store }
		for _, store := range []flow.Store{inTx, wrapper{inTx}, s.withNone()} {
			_, err := flow.NewDispatcher(store, senders, flow.DispatcherConfig{})
			require.ErrorIs(t, err, flussi.ErrConfig)
			require.ErrorIs(t, err, engine.ErrInTx)
			assert.Contains(t, err.Error(), "create the dispatcher on the store that WithTx was called on")
			assert.Equal(t, "L'invio non è possibile in una transazione non ancora confermata: confermarla, poi inviare.", flussi.Explain(err))
		}
	})
}

// A flow can be ordered in a transaction; it is sent after the commit.
func TestSendFlowInATransactionOnlyOrders(t *testing.T) {
	openBoth(t, func(t *testing.T, s opened) {
		inTx := s.begin()
		id := orderedFlow(t, inTx, 1)
		assert.Equal(t, flow.FlowSending, must.Get(inTx.Flow(t.Context(), id))(t).State)
		require.ErrorIs(t, must.Err(claimOne(t, inTx, id)), engine.ErrInTx)
		s.end()
		require.ErrorIs(t, must.Err(s.Flow(t.Context(), id)), flussi.ErrNotFound)
	})
}

// A file is applied in the transaction of the caller, or not at all.
func TestFilesAreAppliedInATransaction(t *testing.T) {
	openBoth(t, func(t *testing.T, s opened) {
		inTx := s.begin()
		o := must.Get(newOffice(inTx, bills{func(string, string) {}}, bodyNumber(0), 700, 40))(t)
		require.NoError(t, o.applySettlement(t.Context()))
		require.NoError(t, o.applyJournal(t.Context()))
		assert.Len(t, o.result(t.Context(), t), 741)
		s.end()
		o = must.Get(newOffice(s.store, bills{}, bodyNumber(0), 0, 0))(t)
		assert.Empty(t, o.result(t.Context(), t))
		assert.Zero(t, must.Get(s.BodyVersion(t.Context(), bodyNumber(0)))(t))
	})
}

func TestEndedTransactionIsToldAsSuch(t *testing.T) {
	openBoth(t, func(t *testing.T, s opened) {
		inTx := s.begin()
		s.end()
		for name, err := range everyCall(t, inTx) {
			require.ErrorIs(t, err, engine.ErrTxEnded, name)
			assert.Equal(t, "La transazione a cui apparteneva l'operazione è già conclusa, o non è riuscita: ripetere tutto dall'inizio.", flussi.Explain(err), name)
			assert.NotErrorIs(t, err, flussi.ErrStoreUnavailable, name)
		}
	})
}

func TestNilTransactionIsAConfigurationError(t *testing.T) {
	openBoth(t, func(t *testing.T, s opened) {
		for name, err := range everyCall(t, s.withNone()) {
			require.ErrorIs(t, err, flussi.ErrConfig, name)
			assert.Contains(t, err.Error(), "WithTx was called with a nil transaction", name)
			assert.Equal(t, "Il programma non è configurato correttamente: rivolgersi a chi lo gestisce.", flussi.Explain(err), name)
		}
		require.ErrorIs(t, s.withNone().AcceptRestored(t.Context()), engine.ErrInTx)
	})
}

// everyCall calls the methods of a store in a transaction but Claim, which it refuses anyway, and
// returns their errors.
func everyCall(t *testing.T, s store) map[string]error {
	ctx := t.Context()
	f, err := flow.NewFlow("tributi", flussi.Actor{ID: "m.neri"})
	require.NoError(t, err)
	change := flow.FlowChange{Flow: f, Record: flow.FlowRecord{At: f.CreatedAt, By: "m.neri", Action: flow.FlowCreate, To: f.State}}
	_, _, saveImport := s.SaveImport(ctx, flow.ImportRequest{Flow: change, Rows: func(func(flow.NotificationChange, error) bool) {}, Key: func() flow.ImportKey { return flow.ImportKey{1} }})
	return map[string]error{
		"Flow": must.Err(s.Flow(ctx, f.ID)), "Flows": must.Err(s.Flows(ctx, flow.FlowFilter{}, flow.Page{Limit: 1})), "FlowHistory": must.Err(s.FlowHistory(ctx, f.ID)),
		"SaveFlow": s.SaveFlow(ctx, change, nil), "SaveImport": saveImport, "ImportResult": must.Err(s.ImportResult(ctx, flow.ImportKey{1})),
		"Notification": must.Err(s.Notification(ctx, f.ID)), "Notifications": must.Err(s.Notifications(ctx, flow.NotificationFilter{}, flow.Page{Limit: 1})),
		"NotificationHistory": must.Err(s.NotificationHistory(ctx, f.ID)), "SaveNotifications": s.SaveNotifications(ctx, flow.NotificationChange{}),
		"Expired":     must.Err(s.Expired(ctx, 1)),
		"BodyVersion": must.Err(s.BodyVersion(ctx, bodyNumber(0))), "Save": s.Save(ctx, settlement.Changes{Body: bodyNumber(0)}),
		"Settlement": must.Err(s.Settlement(ctx, f.ID)), "Payments": must.Err(s.Payments(ctx, settlement.PaymentFilter{}, settlement.Page{Limit: 1})),
		"MovementHistory": must.Err(s.MovementHistory(ctx, f.ID)),
	}
}
