package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

// olderNames are the columns that had another name in examples/sqlstore.
var olderNames = map[string]string{
	"allow_duplicate": "allow_repeat", "earlier_id": "earlier", "delivery_open": "unsettled", "discrepancy_resolved": "discrepancy_settled",
	"skeleton": "look",
}

// olderDefaults are expressions for columns that older tables do not have.
var olderDefaults = map[string]string{
	"occasion": "''", "allow_duplicate": "FALSE", "lease_start": "0", "write_id": "0",
	"answer": "''", "stopped_flow": "FALSE", "options": "''",
	"not_before": "NULL", "scheduled_by": "''",
	"base_state": "''", "transfers": "''", "discrepancy_source": "''",
}

// olderTables are the tables of examples/sqlstore, with the version of their schema that created
// them: a table of this name in a schema of an earlier version is another program's. Tables with
// columns are copied.
var olderTables = []struct {
	version int64
	table   string
	columns []Column
}{
	{1, "flows", flows.columns}, {1, "flow_records", recordColumns}, {1, "flow_counts", ownedColumns(flows.counts.columns)},
	{1, "notifications", notifications.columns}, {1, "notification_records", recordColumns},
	{1, "settings", nil}, {1, "flow_search", nil}, {1, "notification_search", nil}, {1, "flow_blocks", nil}, {1, "notification_blocks", nil},
	{2, "events", events.columns}, {2, "event_records", recordColumns}, {2, "event_counts", ownedColumns(events.counts.columns)},
	{2, "notices", notices.columns}, {2, "notice_records", recordColumns},
	{3, "imports", []Column{{Name: "key"}, {Name: "flow_id"}, {Name: "at"}}}, {3, "message_locks", nil},
	{3, "services", []Column{{Name: "name"}, {Name: "skeleton"}, {Name: "older"}}},
}

func ownedColumns(names []string) []Column {
	columns := []Column{{Name: "owner"}, {Name: "shard"}}
	for _, name := range names {
		columns = append(columns, Column{Name: name})
	}
	return columns
}

// olderVersion is the last version of the older tables.
const olderVersion = 3

// AdoptOlder moves the rows of the tables of examples/sqlstore, which this module replaced, into
// the tables of the schema, in one transaction, and drops the older tables. Those have no schema of
// their own and no prefix. It does nothing if there are none. Processes of the earlier version that
// are still running get errors from then on.
func AdoptOlder(ctx context.Context, s *Store) error {
	there := false
	err := s.view(ctx, func(t *tx) (err error) {
		_, there, err = t.driver.OlderTables(ctx, t.full)
		return err
	})
	for attempt := 0; err == nil && there && attempt < attempts; attempt++ {
		err = s.write(ctx, func(t *tx) error { return t.adoptOlder(ctx) })
		if there = errors.Is(err, flussi.ErrConflict); there { // another process dropped them meanwhile
			err = nil
		}
	}
	return s.fail(ctx, "adopt older tables", uuid.Nil, err)
}

func (t *tx) adoptOlder(ctx context.Context) error {
	prefix, there, err := t.driver.OlderTables(ctx, t.full)
	if err != nil || !there {
		return err // another process has moved them
	}
	if err := t.driver.LockOlder(ctx, t.full, prefix, "sqlstore_schema"); err != nil {
		return err
	}
	var version int64
	if err := t.query(ctx, "SELECT coalesce(max(version), 0) FROM "+prefix+"sqlstore_schema", nil, []any{&version}, func() {}); err != nil {
		return err
	}
	if version > olderVersion {
		return &Fault{Err: ErrNewer, Detail: fmt.Sprintf("version %d of the older tables", version)}
	}
	columns := map[string][]string{}
	tables := []string{"sqlstore_schema"}
	for _, older := range olderTables {
		if older.version > version {
			continue
		}
		if columns[older.table], err = t.driver.OlderColumns(ctx, t.full, prefix, older.table); err != nil {
			return err
		}
		if len(columns[older.table]) > 0 {
			tables = append(tables, older.table)
		}
	}
	// All are locked before the first is copied, so that no process of the earlier version writes
	// to them meanwhile.
	if err := t.driver.LockOlder(ctx, t.full, prefix, tables...); err != nil {
		return err
	}
	for _, older := range olderTables {
		if older.columns != nil && len(columns[older.table]) > 0 {
			if err := t.copyOlder(ctx, prefix, older.table, older.columns, columns[older.table]); err != nil {
				return err
			}
		}
	}
	if len(columns["settings"]) > 0 {
		if _, err := t.exec(ctx, "INSERT INTO flussi.properties (name, value) SELECT '"+programProperty+"' || name, value FROM "+prefix+
			"settings WHERE TRUE ON CONFLICT DO NOTHING"); err != nil {
			return err
		}
	}
	if err := t.addOlderServices(ctx); err != nil {
		return err
	}
	return t.driver.DropOlder(ctx, t.full, prefix, tables...)
}

// copyOlder copies the rows of an older table, which may lack some of the columns.
func (t *tx) copyOlder(ctx context.Context, prefix, table string, columns []Column, older []string) error {
	var names, values []string
	var args []any
	for _, c := range columns {
		value := olderValue(table, c, older)
		if value == noID {
			args = append(args, uuid.Nil)
		}
		names, values = append(names, c.Name), append(values, value)
	}
	order := ""
	if slices.Contains(older, "seq") {
		order = " ORDER BY seq"
	}
	_, err := t.exec(ctx, "INSERT INTO flussi."+table+" ("+strings.Join(names, ", ")+") SELECT "+strings.Join(values, ", ")+" FROM "+prefix+table+order, args...)
	if err != nil {
		return err
	}
	return t.driver.RebuildTexts(ctx, t.full, table)
}

// noID is an expression for the zero ID; its argument is uuid.Nil.
const noID = "CAST(? AS uuid)"

// olderValue returns the expression for a column in an older table.
func olderValue(table string, c Column, older []string) string {
	name := c.Name
	if renamed, there := olderNames[name]; there && slices.Contains(older, renamed) {
		name = renamed
	}
	messages := slices.Contains(older, "message_digest")
	switch {
	case table == "events" && c.Name == "kind":
		return "event_kind" // older tables have another column kind
	case c.Name == "owner" && !slices.Contains(older, "owner"):
		return strings.TrimSuffix(table, "_counts") + "_id"
	case c.Name == "digest" && messages:
		return "message_digest"
	case c.Name == "digest":
		return "NULL" // RecomputeDigests computes it
	case c.Name == "digest_version" && messages:
		return "CASE WHEN digest IS NULL THEN 2 ELSE 1 END" // a row with the older digest was written by an older release
	case c.Name == "digest_version":
		return "1"
	case c.Name == "earlier_id" && !slices.Contains(older, name):
		return noID
	case slices.Contains(older, name):
		return name
	}
	return olderDefaults[name]
}

// addOlderServices adds the services of flows and notifications that the older tables did not name.
func (t *tx) addOlderServices(ctx context.Context) error {
	var name string
	var names []string
	err := t.query(ctx, "SELECT service FROM flussi.flows UNION SELECT service FROM flussi.notifications", nil, []any{stringTo(&name)},
		func() { names = append(names, name) })
	for _, name := range names {
		if err == nil {
			_, err = t.exec(ctx, "INSERT INTO flussi.services (name, skeleton, older) VALUES (?, ?, TRUE) ON CONFLICT DO NOTHING",
				encode(name), encode(flow.ServiceSkeleton(name)))
		}
	}
	return err
}
