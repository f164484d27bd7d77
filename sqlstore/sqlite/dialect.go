package sqlite

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/sqlstore/internal/engine"
)

// Key implements [engine.Dialect].
func (*database) Key() string { return "seq" }

// In implements [engine.Dialect].
func (*database) In(c engine.Column, values []any) (string, any) {
	text, value := array("value", values)
	return c.Name + " IN (SELECT " + value + " FROM json_each(?))", text
}

// Values implements [engine.Dialect].
func (*database) Values(alias, _ string, values []any) (from, value string, arg any) {
	text, value := array(alias+".value", values)
	return "json_each(?) " + alias, value, text
}

// Join implements [engine.Dialect]. It names the index, since SQLite, as long as it has no
// statistics, prefers one with more columns, by which it reads all rows of a service or a body.
func (*database) Join(table, alias, index, condition string) string {
	if index != "" {
		alias += " INDEXED BY flussi." + index
	}
	return " CROSS JOIN flussi." + table + " " + alias + " ON " + condition
}

// array returns values as an array in JSON, since SQLite has no arrays, and the expression for one
// of them, which json_each returns in a column.
func array(column string, values []any) (text, value string) {
	texts := make([]any, len(values))
	value = column
	for i, v := range values {
		switch v := v.(type) {
		case uuid.UUID:
			texts[i], value = hex.EncodeToString(v[:]), "unhex("+column+")"
		case flow.Digest:
			texts[i], value = hex.EncodeToString(v[:]), "unhex("+column+")"
		default:
			texts[i] = v
		}
	}
	return toJSON(texts), value
}

// toJSON returns texts, numbers and arrays of them as an array in JSON.
func toJSON(values []any) string {
	text, err := json.Marshal(values)
	if err != nil {
		panic(err) // JSON has all texts and numbers
	}
	return string(text)
}

// Contains implements [engine.Dialect].
func (*database) Contains(column string) string { return "instr(" + column + ", ?) > 0" }

// globEscaper escapes a text for GLOB.
var globEscaper = strings.NewReplacer("[", "[[]", "*", "[*]", "?", "[?]")

// TextMatches implements [engine.Dialect]. The index finds texts of three characters or more.
func (*database) TextMatches(table, text string) (string, any) {
	if !slices.Contains(searched, table) {
		return "", nil
	}
	return "SELECT rowid FROM " + textIndex(table) + " WHERE search GLOB ?", "*" + globEscaper.Replace(text) + "*"
}

// ForUpdate implements [engine.Dialect]: one transaction writes at a time.
func (*database) ForUpdate() string { return "" }

// ForShare implements [engine.Dialect].
func (*database) ForShare() string { return "" }

// SkipLocked implements [engine.Dialect].
func (*database) SkipLocked() string { return "" }

// Shard implements [engine.Dialect].
func (*database) Shard() string { return "0" }

// Clock implements [engine.Dialect].
func (*database) Clock() string { return "CAST(unixepoch('subsec') * 1000000 AS bigint)" }

// Now implements [engine.Dialect].
func (*database) Now(context.Context, engine.Tx) (int64, error) { return time.Now().UnixMicro(), nil }

// maxArgs is how many arguments an INSERT has: the driver takes longer to bind many more than
// to execute several statements.
const maxArgs = 64

// Insert implements [engine.Dialect].
func (d *database) Insert(ctx context.Context, t engine.Tx, table string, columns []engine.Column, rows [][]any) (int64, error) {
	row := "(?" + strings.Repeat(", ?", len(columns)-1) + ")"
	query := "INSERT INTO flussi_" + table + " (" + list(columns) + ") VALUES " + row
	quick := context.WithoutCancel(ctx) // inserting some rows costs less than watching the context
	var before, inserted int64
	if slices.Contains(searched, table) {
		var err error
		if before, err = integer(ctx, t, "SELECT coalesce(max(seq), 0) FROM flussi_"+table); err != nil {
			return 0, err
		}
	}
	for some := range slices.Chunk(rows, max(1, maxArgs/len(columns))) {
		n, err := t.Exec(quick, query+strings.Repeat(", "+row, len(some)-1)+" ON CONFLICT DO NOTHING", slices.Concat(some...)...)
		if err != nil {
			return inserted, err
		}
		inserted += n
	}
	if slices.Contains(searched, table) {
		_, err := t.Exec(ctx, "INSERT INTO "+textIndex(table)+" (rowid, search) SELECT seq, search FROM flussi_"+table+" WHERE seq > ?", before)
		return inserted, err
	}
	return inserted, nil
}

// searched are the tables with an index for texts. Insert adds the texts of all rows by one
// statement, since SQLite writes the index to the file after each; a trigger would be three times as
// slow.
var searched = []string{"flows", "notifications"}

// textIndex returns the index for texts of a table.
func textIndex(table string) string { return "flussi_" + strings.TrimSuffix(table, "s") + "_texts" }

// integer reads one integer.
func integer(ctx context.Context, c engine.Conn, query string) (n int64, err error) {
	rows, err := c.Query(ctx, query)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	if rows.Next() {
		err = rows.Scan(&n)
	}
	if err == nil {
		err = rows.Err()
	}
	return n, err
}

func list(columns []engine.Column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

// Update implements [engine.Dialect].
func (d *database) Update(ctx context.Context, t engine.Tx, table string, columns []engine.Column, ids []uuid.UUID, rows [][]any) error {
	query := "UPDATE flussi_" + table + " SET (" + list(columns) + ") = (?" + strings.Repeat(", ?", len(columns)-1) + ") WHERE id = ?"
	if len(columns) == 1 {
		query = "UPDATE flussi_" + table + " SET " + columns[0].Name + " = ? WHERE id = ?"
	}
	quick := context.WithoutCancel(ctx)
	for i, row := range rows {
		if _, err := t.Exec(quick, query, append(row[:len(row):len(row)], ids[i])...); err != nil {
			return err
		}
	}
	return nil
}

// Lock implements [engine.Dialect]: one transaction writes at a time.
func (d *database) Lock(ctx context.Context, t engine.Tx, table, columns string, ids []uuid.UUID) (engine.Rows, error) {
	values := make([]any, len(ids))
	for i, id := range ids {
		values[i] = id
	}
	in, arg := d.In(engine.Column{Name: "id"}, values)
	return t.Query(ctx, "SELECT "+columns+" FROM flussi_"+table+" WHERE "+in+" ORDER BY id", arg)
}

// LockMessages implements [engine.Dialect]: one transaction writes at a time.
func (*database) LockMessages(context.Context, engine.Tx, []engine.Message) error { return nil }

// OlderTables implements [engine.Driver]: the older tables have no prefix.
func (d *database) OlderTables(ctx context.Context, t engine.Tx) (string, bool, error) {
	columns, err := d.OlderColumns(ctx, t, "", "sqlstore_schema")
	return "", len(columns) > 0, err
}

// OlderColumns implements [engine.Driver].
func (*database) OlderColumns(ctx context.Context, t engine.Tx, _, table string) ([]string, error) {
	found, err := t.Query(ctx, "SELECT name FROM pragma_table_info(?)", table)
	return engine.Strings(found, err)
}

// LockOlder implements [engine.Driver]: a write locks the file when it begins.
func (*database) LockOlder(context.Context, engine.Tx, string, ...string) error { return nil }

// RebuildTexts implements [engine.Driver].
func (*database) RebuildTexts(ctx context.Context, t engine.Tx, table string) error {
	if !slices.Contains(searched, table) {
		return nil
	}
	_, err := t.Exec(ctx, "INSERT INTO "+textIndex(table)+" ("+textIndex(table)+") VALUES ('rebuild')")
	return err
}

// DropOlder implements [engine.Driver].
func (*database) DropOlder(ctx context.Context, t engine.Tx, _ string, tables ...string) error {
	for _, table := range tables {
		if _, err := t.Exec(ctx, "DROP TABLE "+table); err != nil {
			return err
		}
	}
	return nil
}
