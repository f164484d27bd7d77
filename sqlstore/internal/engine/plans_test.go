package engine_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/sqlstore/internal/engine"
)

// mostRows is how many rows a statement of a screen may read.
const mostRows = 2500

// smallTables have as many rows as there are flows; PostgreSQL scans a table of a few pages.
var smallTables = []string{"flow_counts", "flow_texts"}

// pgNode is a node of a plan of PostgreSQL that was executed.
type pgNode struct {
	NodeType    string  `json:"Node Type"`
	Relation    string  `json:"Relation Name"`
	Index       string  `json:"Index Name"`
	IndexCond   string  `json:"Index Cond"`
	RecheckCond string  `json:"Recheck Cond"`
	Rows        float64 `json:"Actual Rows"`
	Removed     float64 `json:"Rows Removed by Filter"`
	Rechecked   float64 `json:"Rows Removed by Index Recheck"`
	Loops       float64 `json:"Actual Loops"`
	Plans       []pgNode
}

// checkPostgresPlan executes a query, and checks that it reads few rows, and no table by a scan.
func checkPostgresPlan(t *testing.T, c engine.Conn, query string, args []any) {
	t.Helper()
	rows := must.Get(c.Query(context.Background(), "EXPLAIN (ANALYZE, FORMAT JSON) "+query, args...))(t)
	defer rows.Close()
	require.True(t, rows.Next())
	var text []byte
	require.NoError(t, rows.Scan(&text))
	var plans []struct{ Plan pgNode }
	require.NoError(t, json.Unmarshal(text, &plans))
	read := 0.0
	var walk func(n *pgNode)
	walk = func(n *pgNode) {
		if n.Relation != "" || n.Index != "" {
			if !slices.Contains(smallTables, n.Relation) {
				assert.NotEqual(t, "Seq Scan", n.NodeType, "of %s", n.Relation)
			}
			read += (n.Rows + n.Removed + n.Rechecked) * n.Loops
		}
		for i := range n.Plans {
			walk(&n.Plans[i])
		}
	}
	walk(&plans[0].Plan)
	assert.LessOrEqual(t, read, float64(mostRows), "rows read")
	if t.Failed() {
		t.Logf("%s\n%s", query, text)
	}
}

// sqliteStep is a step of a plan of SQLite.
type sqliteStep struct {
	id, parent, unused int64
	text               string
}

// selectiveIndexes are those that find few rows, which may be sorted.
var selectiveIndexes = []string{"_by_id", "_by_recipient", "_by_notice_number", "_by_debtor", "_by_digest", "_by_name", "_by_settlement",
	"payments_by_reference", "payments_by_target", "movements_by_reference"}

// wholeIndexes are those that may be read from their beginning: of the notifications that are In
// invio, of the flows that are scheduled, and of a list in its order.
var wholeIndexes = []string{"USING INDEX flussi_notifications_sending", "USING INDEX flussi_notifications_listed", "USING INDEX flussi_flows_scheduled",
	"USING INDEX flussi_settlements_listed", "USING INDEX flussi_payments_listed", "USING INDEX flussi_movements_listed"}

func containsOne(text string, of []string) bool {
	return slices.ContainsFunc(of, func(part string) bool { return strings.Contains(text, part) })
}

// checkSQLitePlan checks that a query reads tables only by conditions on their indexes, and sorts
// only what they find by a selective one. SQLite does not say how many rows it reads.
func checkSQLitePlan(t *testing.T, c engine.Conn, query string, args []any) {
	t.Helper()
	rows := must.Get(c.Query(context.Background(), "EXPLAIN QUERY PLAN "+query, args...))(t)
	defer rows.Close()
	var steps []sqliteStep
	for rows.Next() {
		var s sqliteStep
		require.NoError(t, rows.Scan(&s.id, &s.parent, &s.unused, &s.text))
		steps = append(steps, s)
	}
	require.NoError(t, rows.Err())
	for _, s := range steps {
		switch {
		case strings.HasPrefix(s.text, "SCAN flussi_") && strings.Contains(s.text, "_texts VIRTUAL TABLE"):
			assert.Contains(t, s.text, ":G0", "the index for texts is read by a text")
		case strings.HasPrefix(s.text, "SCAN flussi_"):
			assert.True(t, containsOne(s.text, wholeIndexes), "%s", s.text)
		case strings.Contains(s.text, "TEMP B-TREE"):
			for _, sorted := range steps {
				if sorted.parent == s.parent && strings.Contains(sorted.text, "INDEX flussi_") {
					assert.True(t, containsOne(sorted.text, selectiveIndexes), "what is sorted is found by %s", sorted.text)
				}
			}
		}
	}
	if t.Failed() {
		t.Logf("%s\n%+v", query, steps)
	}
}
