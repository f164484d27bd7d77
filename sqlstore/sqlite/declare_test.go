package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/sampletest"
	"github.com/flussi-go/flussi/sqlstore/sqlite"
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

func TestDeclareRestoredLetsACopySendAgain(t *testing.T) {
	path := newFile(t)
	store := open(t, path)
	id := orderedFlow(t, store, 3)
	require.Len(t, must.Get(claimOne(store, id))(t), 1)
	db := must.Get(sql.Open("sqlite", path))(t)
	copied := newFile(t)
	must.Get(db.Exec("VACUUM INTO ?", copied))(t)
	require.NoError(t, db.Close())

	restored := open(t, copied)
	_, err := claimOne(restored, id)
	require.ErrorIs(t, err, sqlite.ErrRestored)
	service, by := newService(t, restored)
	report := must.Get(service.DeclareRestored(t.Context(), by, time.Now()))(t)
	assert.Equal(t, []flow.RestoredFlow{{ID: id, Service: "tributi", Counts: flow.Counts{Registered: 2, Sending: 1}}}, report.Flows)
	assert.Empty(t, must.Get(claimOne(restored, id))(t), "it is disabled")
	must.Get(service.EnableFlow(t.Context(), by, id))(t)
	assert.Len(t, must.Get(claimOne(restored, id))(t), 1)
	_, err = os.Stat(copied + "-sent")
	assert.NoError(t, err)
}

func TestAcceptRestoredRefusesTransactionsOfTheCaller(t *testing.T) {
	db := must.Get(sql.Open("sqlite", newFile(t)+"?_pragma=synchronous(FULL)"))(t)
	t.Cleanup(func() { _ = db.Close() })
	store := must.Get(sqlite.New(db, sqlite.Config{}))(t)
	require.NoError(t, store.Migrate(t.Context()))
	tx := must.Get(db.Begin())(t)
	defer func() { _ = tx.Rollback() }()
	err := store.WithTx(tx).AcceptRestored(t.Context())
	require.ErrorIs(t, err, sqlite.ErrInTx)
	assert.Equal(t, "Il ripristino dell'archivio non si può dichiarare in una transazione non ancora confermata: confermarla, poi dichiararlo.", flussi.Explain(err))
	assert.NotErrorIs(t, store.AcceptRestored(t.Context()), sqlite.ErrInTx)
}

func TestSelfIsTheStoreItself(t *testing.T) {
	store := open(t, newFile(t))
	assert.Same(t, store, store.Self())
	tx := store.WithTx(nil)
	assert.Same(t, tx, tx.Self())
}
