package postgres

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/sqlstore/internal/engine"
)

// cluster is an expression for the server's identity. The system identifier differs for every
// cluster, but a base backup keeps it. The timeline changes when a stand-by server takes over or a
// cluster is restored to an earlier moment.
const cluster = "(SELECT system_identifier::text FROM pg_catalog.pg_control_system()) || '/' || substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8)"

// CheckSending implements [engine.Driver]: it refuses to send on a server with another identity,
// since that may lack the last writes.
func (d *driver) CheckSending(ctx context.Context, t engine.Tx, _ []flow.Notification) error {
	rows, err := t.Query(ctx, d.Render("SELECT coalesce((SELECT value FROM flussi.properties WHERE name = 'cluster'), ''), "+cluster))
	if err != nil {
		return err
	}
	var known, current string
	if rows.Next() {
		err = rows.Scan(&known, &current)
	}
	rows.Close()
	if err == nil {
		err = rows.Err()
	}
	switch {
	case err != nil || known == current:
		return err
	case known != "":
		return &Fault{Err: ErrRestored, Detail: "the server's identity was " + known + " and is " + current}
	}
	_, err = t.Exec(ctx, d.Render("INSERT INTO flussi.properties (name, value) VALUES ('cluster', ?) ON CONFLICT DO NOTHING"), current)
	return err
}

// noIdentity are the SQLSTATEs if the server's identity cannot be read or stored: no right, a server
// that is read-only, a stand-by server.
var noIdentity = []string{"42501", "25006", "55000"}

// recordIdentity stores the server's identity, unless one is stored: a copy from before the first
// claim is to be recognised, too. If it cannot, CheckSending does it.
func (d *driver) recordIdentity(ctx context.Context) error {
	var stored bool
	err := d.pool.QueryRow(ctx, d.Render("SELECT count(*) > 0 FROM flussi.properties WHERE name = 'cluster'"), d.mode).Scan(&stored)
	if err == nil && !stored {
		_, err = d.pool.Exec(ctx, d.Render("INSERT INTO flussi.properties (name, value) SELECT 'cluster', "+cluster+" ON CONFLICT DO NOTHING"), d.mode)
	}
	if slices.Contains(noIdentity, codeOf(err)) {
		return nil
	}
	return err
}

// AcceptRestored allows sending again after the server was restored or failed over. First disable
// all flows with messages that may have been sent: [flow.Service.DeclareRestored] does both. It
// refuses a transaction of the caller, with [ErrInTx].
func (s *Store) AcceptRestored(ctx context.Context) error {
	const operation = "accept restored database"
	if s.inTx {
		return engine.Fail(ctx, s.base, operation, uuid.Nil, engine.RestoredInTx())
	}
	_, err := s.driver.pool.Exec(ctx, s.driver.Render("INSERT INTO flussi.properties (name, value) SELECT 'cluster', "+cluster+
		" ON CONFLICT (name) DO UPDATE SET value = excluded.value"), s.driver.mode)
	return engine.Fail(ctx, s.base, operation, uuid.Nil, err)
}
