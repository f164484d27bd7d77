package engine

import (
	"context"

	"github.com/google/uuid"
)

// programProperty is the prefix of the names of properties that programs keep.
const programProperty = "program."

// Property stores a value under a name, unless the name has one already, and returns the stored
// value. So a program can tell a trial database from a real one.
func (s *Store) Property(ctx context.Context, name, value string) (string, error) {
	const operation = "read property"
	var kept string
	read := func(t *tx) error {
		return t.query(ctx, "SELECT value FROM flussi.properties WHERE name = ?", []any{programProperty + encode(name)}, []any{stringTo(&kept)}, func() {})
	}
	err := read(s.reader())
	if err == nil && kept == "" {
		err = s.write(ctx, func(t *tx) error {
			if _, err := t.exec(ctx, "INSERT INTO flussi.properties (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING",
				programProperty+encode(name), encode(value)); err != nil {
				return err
			}
			return read(t)
		})
	}
	return kept, s.fail(ctx, operation, uuid.Nil, err)
}
