package engine

import (
	"strings"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// entity describes how flows, notifications, events or notices are stored.
type entity[T any] struct {
	table   string // without the schema; its records are in the table of recordTable
	columns []Column
	// fields returns the fields that the columns are scanned into, without those that are
	// WriteOnly.
	fields func(*T) []any
	// values returns the values of all columns, in their order.
	values func(e *T, version int64) []any
	// identity returns the ID and the version of an entity.
	identity func(*T) (uuid.UUID, int64)
	counts   *counts[T] // nil if it has none
	// anonymise is the action that erases the answers of earlier records; "" if there is none.
	anonymise string
}

// counts describes the counts of what belongs to an entity. The table has rows for an owner in
// several shards, so that transactions that change the same counts need not wait for each other.
type counts[T any] struct {
	table   string
	columns []string
	fields  func(*T) []any // returns the fields that the sums are scanned into
	copy    func(to, from *T)
}

// recordTable returns the table with the records of a table's rows: notification_records.
func recordTable(table string) string { return strings.TrimSuffix(table, "s") + "_records" }

// readList returns the columns that are not WriteOnly, each with a prefix such as "n.".
func readList(columns []Column, prefix string) string {
	var names []string
	for _, c := range columns {
		if !c.WriteOnly {
			names = append(names, prefix+c.Name)
		}
	}
	return strings.Join(names, ", ")
}

// indexOf returns the index of a column.
func indexOf(columns []Column, name string) int {
	for i, c := range columns {
		if c.Name == name {
			return i
		}
	}
	panic("engine: no column " + name)
}

// recordColumns are the columns of all histories.
var recordColumns = []Column{
	{Name: "owner", Type: "uuid", WriteOnly: true}, {Name: "version", Type: "bigint"},
	{Name: "at", Type: "bigint"}, {Name: "actor", Type: "text"}, {Name: "action", Type: "text"},
	{Name: "from_state", Type: "text"}, {Name: "to_state", Type: "text"}, {Name: "reason", Type: "text"}, {Name: "answer", Type: "text"},
}

// recordFields returns the fields that the columns of a record are scanned into.
func recordFields[S, A ~string](r *flussi.Record[S, A]) []any {
	return []any{
		&r.Version, timeField{&r.At}, stringTo(&r.By), stringTo(&r.Action),
		stringTo(&r.From), stringTo(&r.To), textField{&r.Reason}, textField{&r.Answer},
	}
}

// recordValues returns the values of recordColumns.
func recordValues[S, A ~string](owner uuid.UUID, version int64, r flussi.Record[S, A]) []any {
	return []any{
		owner, version, r.At.UnixMicro(), encode(r.By), encode(r.Action),
		encode(r.From), encode(r.To), encode(r.Reason.Reveal()), encode(r.Answer.Reveal()),
	}
}
