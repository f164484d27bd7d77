package postgres

import (
	"context"
	"strconv"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/sqlstore/internal/engine"
)

// OlderTables implements [engine.Driver]: the tables are in the first schema of the search path that
// has them.
func (*driver) OlderTables(ctx context.Context, t engine.Tx) (string, bool, error) {
	rows, err := t.Query(ctx, `SELECT quote_ident(n.nspname) || '.' FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relname = 'sqlstore_schema' AND c.relkind = 'r' AND pg_catalog.pg_table_is_visible(c.oid)`)
	prefixes, err := engine.Strings(rows, err)
	if err != nil || len(prefixes) == 0 {
		return "", false, err
	}
	return prefixes[0], true, nil
}

// OlderColumns implements [engine.Driver].
func (*driver) OlderColumns(ctx context.Context, t engine.Tx, prefix, table string) ([]string, error) {
	rows, err := t.Query(ctx, `SELECT attname FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
			JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE quote_ident(n.nspname) || '.' = $1 AND c.relname = $2 AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped`, prefix, table)
	return engine.Strings(rows, err)
}

// LockOlder implements [engine.Driver]. Another process may take minutes to move large tables.
func (*driver) LockOlder(ctx context.Context, t engine.Tx, prefix string, tables ...string) error {
	if _, err := t.Exec(ctx, "SELECT set_config('lock_timeout', $1, true), set_config('statement_timeout', '0', true)",
		strconv.FormatInt(migrationWait.Milliseconds(), 10)); err != nil {
		return err
	}
	_, err := t.Exec(ctx, "LOCK TABLE "+prefix+strings.Join(tables, ", "+prefix)+" IN ACCESS EXCLUSIVE MODE")
	if codeOf(err) == "42P01" {
		return flussi.ErrConflict // another process has dropped the table
	}
	return err
}

// olderFunctions are the functions of triggers of the older tables.
var olderFunctions = []string{
	"refuse_claim", "flow_created", "flow_changed", "flow_deleted", "notification_created", "notification_changed", "notification_deleted",
}

// DropOlder implements [engine.Driver].
func (*driver) DropOlder(ctx context.Context, t engine.Tx, prefix string, tables ...string) error {
	// Another program may have a function of the same name that no trigger of these tables calls.
	rows, err := t.Query(ctx, `SELECT DISTINCT p.oid::regprocedure::text FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_proc p ON p.oid = g.tgfoid
			JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE quote_ident(n.nspname) || '.' = $1 AND c.relname = ANY ($2) AND p.pronamespace = n.oid AND p.proname = ANY ($3)`,
		prefix, tables, olderFunctions)
	functions, err := engine.Strings(rows, err)
	if err != nil {
		return err
	}
	if _, err := t.Exec(ctx, "DROP TABLE "+prefix+strings.Join(tables, ", "+prefix)); err != nil {
		return err
	}
	for _, function := range functions {
		if _, err := t.Exec(ctx, "DROP FUNCTION "+function); err != nil {
			return err
		}
	}
	return nil
}

// RebuildTexts implements [engine.Driver]: triggers do it.
func (*driver) RebuildTexts(context.Context, engine.Tx, string) error { return nil }
