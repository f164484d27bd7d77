package sqlstore

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// count adds to the counts of what owns something, a flow or an event. It comes last in a
// transaction, so that whoever changes the counts of the same owner waits for no longer than a
// commit.
func (t *tx) count(ctx context.Context, owner string, names []string, changes map[uuid.UUID][]any) error {
	ids := make([]uuid.UUID, 0, len(changes))
	for id := range changes {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }) // so that nobody waits for each other
	table := owner + "_counts"
	sums := make([]string, len(names))
	for i, name := range names {
		sums[i] = fmt.Sprintf("%[1]s = %[2]s.%[1]s + excluded.%[1]s", name, table)
	}
	query := fmt.Sprintf("INSERT INTO %[1]s (%[2]s_id, shard, %[3]s) VALUES (?, %[4]s%[5]s) ON CONFLICT (%[2]s_id, shard) DO UPDATE SET %[6]s",
		table, owner, strings.Join(names, ", "), t.shard(), strings.Repeat(", ?", len(names)), strings.Join(sums, ", "))
	for _, id := range ids {
		if _, err := t.exec(ctx, query, append([]any{t.id(id)}, changes[id]...)...); err != nil {
			return err
		}
	}
	return nil
}
