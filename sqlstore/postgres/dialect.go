package postgres

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/sqlstore/internal/engine"
)

// Key implements [engine.Dialect].
func (*driver) Key() string { return "id" }

// In implements [engine.Dialect].
func (*driver) In(c engine.Column, values []any) (string, any) {
	return c.Name + " = ANY (?::" + c.Type + "[])", array(c.Type, values)
}

// array returns values of one type as an array.
func array(kind string, values []any) any {
	switch kind {
	case "text":
		return typed(values, func(v any) string { return v.(string) })
	case "boolean":
		return typed(values, func(v any) bool { return v.(bool) })
	case "bigint":
		return typed(values, func(v any) pgtype.Int8 {
			n, valid := v.(int64)
			return pgtype.Int8{Int64: n, Valid: valid}
		})
	case "uuid":
		return typed(values, func(v any) [16]byte {
			if id, is := v.(uuid.UUID); is {
				return id
			}
			return v.([16]byte) // as pgx returns a column
		})
	case "bytea":
		return typed(values, func(v any) []byte {
			if d, is := v.(flow.Digest); is {
				return d[:]
			}
			return nil
		})
	}
	return values
}

// typed converts values to an array that pgx encodes without reflection.
func typed[T any](values []any, convert func(any) T) pgtype.FlatArray[T] {
	converted := make(pgtype.FlatArray[T], len(values))
	for i, v := range values {
		converted[i] = convert(v)
	}
	return converted
}

// Contains implements [engine.Dialect].
func (*driver) Contains(column string) string { return "strpos(" + column + ", ?) > 0" }

// likeEscaper escapes a text for LIKE.
var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// TextMatches implements [engine.Dialect]. The table of texts has the letter j in place of blanks.
func (d *driver) TextMatches(table, text string) (string, any) {
	if !d.texts.Load() || table != "flows" && table != "notifications" {
		return "", nil
	}
	return "SELECT id FROM flussi." + strings.TrimSuffix(table, "s") + "_texts WHERE search LIKE ?",
		"%" + likeEscaper.Replace(strings.ReplaceAll(text, " ", "j")) + "%"
}

// ForUpdate implements [engine.Dialect].
func (*driver) ForUpdate() string { return " FOR UPDATE" }

// ForShare implements [engine.Dialect].
func (*driver) ForShare() string { return " FOR SHARE" }

// SkipLocked implements [engine.Dialect].
func (*driver) SkipLocked() string { return " FOR UPDATE SKIP LOCKED" }

// Shard implements [engine.Dialect]. One connection always changes the same shard.
func (*driver) Shard() string { return "pg_backend_pid() % 16" }

// Clock implements [engine.Dialect].
func (*driver) Clock() string {
	return "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"
}

// Now implements [engine.Dialect].
func (*driver) Now(ctx context.Context, t engine.Tx) (now int64, err error) {
	rows, err := t.Query(ctx, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	if rows.Next() {
		err = rows.Scan(&now)
	}
	if err == nil {
		err = rows.Err()
	}
	return now, err
}

// unnest returns rows as a table expression named v, with an array for each column.
func unnest(columns []engine.Column, rows [][]any) (from string, arrays []any) {
	names, types := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		names[i], types[i] = c.Name, "?::"+c.Type+"[]"
		values := make([]any, len(rows))
		for j, row := range rows {
			values[j] = row[i]
		}
		arrays = append(arrays, array(c.Type, values))
	}
	return "unnest(" + strings.Join(types, ", ") + ") AS v (" + strings.Join(names, ", ") + ")", arrays
}

// list returns the names of columns, each with a prefix.
func list(columns []engine.Column, prefix string) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = prefix + c.Name
	}
	return strings.Join(names, ", ")
}

// Insert implements [engine.Dialect].
func (d *driver) Insert(ctx context.Context, t engine.Tx, table string, columns []engine.Column, rows [][]any) (int64, error) {
	from, arrays := unnest(columns, rows)
	return t.Exec(ctx, d.Render("INSERT INTO flussi."+table+" ("+list(columns, "")+") SELECT * FROM "+from+" ON CONFLICT DO NOTHING"), arrays...)
}

// Update implements [engine.Dialect].
func (d *driver) Update(ctx context.Context, t engine.Tx, table string, columns []engine.Column, ids []uuid.UUID, rows [][]any) error {
	given := make([][]any, len(rows))
	for i, row := range rows {
		given[i] = append([]any{ids[i]}, row...)
	}
	from, arrays := unnest(append([]engine.Column{{Name: "id", Type: "uuid"}}, columns...), given)
	_, err := t.Exec(ctx, d.Render("UPDATE flussi."+table+" o SET ("+list(columns, "")+") = ROW ("+list(columns, "v.")+") FROM "+from+" WHERE o.id = v.id"), arrays...)
	return err
}

// Lock implements [engine.Dialect].
func (d *driver) Lock(ctx context.Context, t engine.Tx, table, columns string, ids []uuid.UUID) (engine.Rows, error) {
	array := make(pgtype.FlatArray[[16]byte], len(ids))
	for i, id := range ids {
		array[i] = id
	}
	return t.Query(ctx, d.Render("SELECT "+columns+" FROM flussi."+table+" WHERE id = ANY (?::uuid[]) ORDER BY id FOR NO KEY UPDATE"), array)
}

// Values implements [engine.Dialect].
func (*driver) Values(alias, kind string, values []any) (from, value string, arg any) {
	return "unnest(?::" + kind + "[]) AS " + alias + " (value)", alias + ".value", array(kind, values)
}

// Join implements [engine.Dialect]. OFFSET 0 keeps the planner from using another index or none, as
// it does without statistics.
func (*driver) Join(table, alias, _, condition string) string {
	return " CROSS JOIN LATERAL (SELECT * FROM flussi." + table + " " + alias + " WHERE " + condition + " OFFSET 0) " + alias
}

// LockMessages inserts the messages into message_locks: another transaction that inserts one of
// them waits until this one ends. They are sorted, so that two transactions do not deadlock. The
// rows are deleted at once; others wait for the end of the transaction all the same.
func (d *driver) LockMessages(ctx context.Context, t engine.Tx, messages []engine.Message) error {
	sorted := slices.Clone(messages)
	slices.SortFunc(sorted, func(a, b engine.Message) int {
		return cmp.Or(strings.Compare(a.Service, b.Service), bytes.Compare(a.Digest[:], b.Digest[:]))
	})
	sorted = slices.DeleteFunc(slices.Compact(sorted), func(m engine.Message) bool { return m.Digest.IsZero() })
	if len(sorted) == 0 {
		return nil
	}
	services, digests := make([]string, len(sorted)), make([][]byte, len(sorted))
	for i := range sorted {
		services[i], digests[i] = sorted[i].Service, sorted[i].Digest[:]
	}
	if _, err := t.Exec(ctx, d.Render("INSERT INTO flussi.message_locks (service, digest) SELECT * FROM unnest(?::text[], ?::bytea[])"), services, digests); err != nil {
		return err
	}
	_, err := t.Exec(ctx, d.Render("DELETE FROM flussi.message_locks m USING unnest(?::text[], ?::bytea[]) AS v (service, digest) WHERE m.service = v.service AND m.digest = v.digest"), services, digests)
	return err
}
