package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/internal/terminal"
	"github.com/flussi-go/flussi/sqlstore/internal/engine"
)

// Explain implements [engine.Driver].
func (d *driver) Explain(ctx context.Context, fault *engine.Fault) {
	switch strings.TrimPrefix(fault.Code, "SQLSTATE ") {
	case "55P03":
		d.explainLock(ctx, fault)
	case "42501":
		d.explainRight(ctx, fault)
	case "42P01", "3F000":
		fault.Detail = "schema " + d.schema + " has no tables of this version: call Store.Migrate"
		fault.Reason = "Lo schema " + italian.Quote(d.schema) + " dell'archivio non è aggiornato a questa versione del programma: eseguire prima l'aggiornamento dell'archivio."
	case "25006":
		fault.Detail = "the server accepts only reading"
		fault.Reason = "Il server dell'archivio accetta solo letture: indicare il server principale, oppure chiedere a chi gestisce il server di permettere le scritture."
	case "57014":
		fault.Detail = "a statement took longer than statement_timeout, or was cancelled"
	case "2BP01":
		fault.Detail = "objects of another program, such as views, depend on older tables"
		fault.Reason = "Altri oggetti del database, per esempio delle viste, dipendono dalle vecchie tabelle dell'archivio: eliminarli, poi ripetere l'aggiornamento."
	}
}

// holderQuery finds the transaction that holds locks on tables of a schema. It prefers one with a
// lock on the table that a write waited for, then the oldest. Unprivileged users do not see when
// others began.
const holderQuery = `SELECT coalesce(nullif(a.application_name, ''), 'pid ' || a.pid), coalesce(host(a.client_addr), 'localhost'),
		c.relname::text, extract(epoch FROM clock_timestamp() - a.xact_start)::bigint
	FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
		JOIN pg_catalog.pg_class c ON c.oid = l.relation JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	WHERE l.locktype = 'relation' AND l.granted AND l.mode IN ('RowShareLock', 'RowExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
		AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
		AND n.nspname = $1 AND c.relkind = 'r' AND l.pid <> pg_backend_pid()
	ORDER BY position('"' || c.relname || '"' IN $2) = 0, a.xact_start LIMIT 1`

// explainLock names the program that holds the lock that a write waited for.
func (d *driver) explainLock(ctx context.Context, fault *engine.Fault) {
	var server *pgconn.PgError
	where := ""
	if errors.As(fault.Cause, &server) {
		where = server.Where // names the table in quotes
	}
	var name, address, table string
	var seconds *int64
	err := d.pool.QueryRow(ctx, holderQuery, pgx.QueryExecModeExec, d.schema, where).Scan(&name, &address, &table, &seconds)
	if err != nil {
		fault.Detail = "waited too long for a lock"
		return
	}
	fault.Detail, fault.Reason = describeHolder(name, address, table, seconds)
}

// describeHolder says which program holds the lock that a write waited for, in English and in
// Italian. seconds is how long it has been writing; nil if this is not known.
func describeHolder(name, address, table string, seconds *int64) (detail, reason string) {
	name = printable(name)
	since, da := "", ""
	if seconds != nil {
		since, da = fmt.Sprintf(" for %d s", *seconds), " da "+italian.Count(*seconds, "secondo", "secondi")
	}
	detail = fmt.Sprintf("waited too long for table %s: %q at %s has rows of it locked%s", table, name, address, since)
	reason = fmt.Sprintf("L'archivio è occupato: il programma %s (%s) sta scrivendo%s e non ha finito. Attendere che finisca, o chiuderlo, e riprovare.",
		italian.Quote(name), address, da)
	return detail, reason
}

// rightsQuery finds the rights that the user lacks, with kind and name of the object.
const rightsQuery = `SELECT current_user::text, kind, name, rights FROM (
		SELECT 1 AS at, 'database' AS kind, current_database()::text AS name, 'CREATE' AS rights
			WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1) AND NOT has_database_privilege(current_database(), 'CREATE')
		UNION ALL SELECT 2, 'schema', nspname::text, 'USAGE' FROM pg_catalog.pg_namespace WHERE nspname = $1 AND NOT has_schema_privilege(oid, 'USAGE')
		UNION ALL SELECT 3, 'tables of schema', n.nspname::text, string_agg(DISTINCT p, ', ')
			FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind = 'r'
				CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) p
			WHERE n.nspname = $1 AND c.relname <> 'migration_lock' AND (c.relname <> 'migrations' OR p = 'SELECT') AND NOT has_table_privilege(c.oid, p) GROUP BY 2, 3
		UNION ALL SELECT 4, 'function', f || '()', 'EXECUTE' FROM unnest(ARRAY['pg_control_system', 'pg_current_wal_insert_lsn']) f
			WHERE NOT has_function_privilege('pg_catalog.' || f || '()', 'EXECUTE')
		UNION ALL SELECT 5, 'schema', nspname::text, 'CREATE' FROM pg_catalog.pg_namespace WHERE nspname = $1 AND NOT has_schema_privilege(oid, 'CREATE')
	) v ORDER BY at LIMIT 1`

// kinds are the kinds of objects of rightsQuery in Italian.
var kinds = map[string]string{
	"database": "sul database", "schema": "sullo schema", "tables of schema": "sulle tabelle dello schema", "function": "sulla funzione",
}

// explainRight names the right that is missing.
func (d *driver) explainRight(ctx context.Context, fault *engine.Fault) {
	var user, kind, name, missing string
	if d.pool.QueryRow(ctx, rightsQuery, pgx.QueryExecModeExec, d.schema).Scan(&user, &kind, &name, &missing) != nil {
		return
	}
	fault.Detail = fmt.Sprintf("user %s lacks %s on %s %s", strconv.Quote(printable(user)), missing, kind, name)
	fault.Reason = missingRight(user, missing, kinds[kind], name)
}

// printable returns a name that may reach a terminal. It shows no name with =, which may be a part of
// a location that was not written correctly, with its password.
func printable(name string) string {
	if strings.Contains(name, "=") {
		return "***"
	}
	if runes := []rune(terminal.Line(name)); len(runes) > 40 {
		return string(runes[:40])
	}
	return terminal.Line(name)
}
