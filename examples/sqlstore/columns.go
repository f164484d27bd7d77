package sqlstore

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/flussi-go/flussi"
)

// column is a column of a table.
type column struct {
	name string
	kind string // its type on PostgreSQL, where values are sent as arrays
}

// columns are those of a row, in the order of its values.
type columns []column

// read returns the columns that are read: some are only looked for.
func (c columns) read() columns {
	return slices.DeleteFunc(slices.Clone(c), func(c column) bool {
		return slices.Contains([]string{"search", "message_digest", "kind", "unsettled", "lease_end", "claimed_version", "iuv"}, c.name)
	})
}

// at returns where a column is.
func (c columns) at(name string) int {
	return slices.IndexFunc(c, func(c column) bool { return c.name == name })
}

// list returns the names as a SELECT has them, each with a prefix such as "n.".
func (c columns) list(prefix string) string {
	names := make([]string, len(c))
	for i, column := range c {
		names[i] = prefix + column.name
	}
	return strings.Join(names, ", ")
}

// micros returns a time as databases keep it: in microseconds since 1970, or NULL for the zero
// time.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// moment is a time on its way from a database.
type moment struct{ to *time.Time }

// Scan takes what the database keeps.
func (m moment) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*m.to = time.Time{}
	case int64:
		*m.to = time.UnixMicro(v).UTC()
	default:
		return fmt.Errorf("a time is kept as %T", src)
	}
	return nil
}

// word is a string on its way from a database.
type word[T ~string] struct{ to *T }

// wordTo returns where a string is read to.
func wordTo[T ~string](to *T) word[T] { return word[T]{to} }

// Scan takes what the database keeps.
func (w word[T]) Scan(src any) error {
	switch v := src.(type) {
	case string:
		*w.to = T(given(v))
	case []byte:
		*w.to = T(given(string(v)))
	default:
		return fmt.Errorf("a text is kept as %T", src)
	}
	return nil
}

// text is the same for a text that masks itself.
type text struct{ to *flussi.Text }

// Scan takes what the database keeps.
func (t text) Scan(src any) error {
	var s string
	if err := wordTo(&s).Scan(src); err != nil {
		return err
	}
	*t.to = flussi.NewText(s)
	return nil
}
