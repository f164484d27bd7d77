package sqlstore

import (
	"context"
	"strconv"
)

// Fill makes a SQLite file be full soon, as if its disk were.
func (s *Store) Fill(ctx context.Context) error {
	var pages int
	if err := s.db.writes.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages); err != nil {
		return err
	}
	return s.db.writes.QueryRowContext(ctx, "PRAGMA max_page_count = "+strconv.Itoa(pages+50)).Scan(&pages)
}
