package sqlstore

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/flussi-go/flussi/flow"
)

// Look says how far searches look, so that few rows are many.
func (s *Store) Look(few, list, more, hits, arms int) {
	s.db.looks = looks{few, list, more, hits, arms}
}

// Explain tells the plan of each query from now on; nil ends that.
func (s *Store) Explain(tell func(query, plan string)) {
	if s.db.explain = nil; tell == nil {
		return
	}
	s.db.explain = func(ctx context.Context, t *tx, query string, args []any) {
		explain := "EXPLAIN QUERY PLAN "
		if _, ok := t.dialect.(*postgresDialect); ok {
			explain = "EXPLAIN "
		}
		rows, err := t.conn.QueryContext(ctx, t.rebind(explain+query), args...)
		if err != nil {
			tell(query, err.Error())
			return
		}
		defer func() { _ = rows.Close() }()
		names, _ := rows.Columns()
		values, fields := make([]any, len(names)), make([]any, len(names))
		for i := range fields {
			fields[i] = &values[i]
		}
		var plan strings.Builder
		for rows.Next() {
			if err := rows.Scan(fields...); err != nil {
				plan.WriteString(err.Error())
			}
			fmt.Fprintln(&plan, " ", values[len(values)-1])
		}
		tell(query, plan.String())
	}
}

// Bare inserts rows into the table of notifications, some at a time, in one transaction, and does
// nothing else.
func (s *Store) Bare(ctx context.Context, all iter.Seq[flow.Notification], together int) error {
	row := "(?" + strings.Repeat(", ?", len(notificationColumns)-1) + ")"
	query := "INSERT INTO notifications (" + notificationColumns.list("") + ") VALUES " + row
	begun, err := s.db.writes.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = begun.Rollback() }()
	var args []any
	insert := func(rows int) error {
		_, err := begun.ExecContext(ctx, query+strings.Repeat(", "+row, rows-1), args...)
		args = args[:0]
		return err
	}
	for n := range all {
		row := s.db.notificationValues(&n, 1, nil)
		row[digestColumn] = digested(n.Digest())
		args = append(args, row...)
		if len(args) == together*len(notificationColumns) {
			if err := insert(together); err != nil {
				return err
			}
		}
	}
	if left := len(args) / len(notificationColumns); left > 0 {
		if err := insert(left); err != nil {
			return err
		}
	}
	return begun.Commit()
}
