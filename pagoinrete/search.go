package pagoinrete

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// EventFilter says which events are looked for: those that match all of its fields. A field
// that is zero matches all.
type EventFilter struct {
	IDs         []uuid.UUID  // one of them
	Schools     []string     // codice meccanografico: one of them
	States      []EventState // stato: one of them
	Kind        EventKind    // tassa or erogazione liberale
	SchoolYear  SchoolYear   // anno scolastico
	Text        string       // nome or causale: contained, whatever its case. At least [flussi.MinSearch] characters
	From, To    time.Time    // created at From or later, and before To
	Discrepancy bool         // those with a discrepancy of their own that nobody settled
}

// NoticeFilter says which notices are looked for: those that match all of its fields. A
// field that is zero matches all.
type NoticeFilter struct {
	IDs         []uuid.UUID       // one of them
	Event       uuid.UUID         // those of an event
	Schools     []string          // codice meccanografico: one of them
	States      []NoticeState     // stato: one of them
	Debtor      flussi.FiscalCode // the pupil or member of staff
	Payer       flussi.FiscalCode // versante
	IUVs        []flussi.IUV      // one of them
	Reference   string            // riferimento
	From, To    time.Time         // created at From or later, and before To
	DueBefore   time.Time         // scadenza before this time
	Visible     bool              // those shown in the guardians' area
	Discrepancy bool              // those with a discrepancy that nobody settled
}

// Page says which part of a list is wanted: see [flussi.Page].
type Page = flussi.Page

// Cursor is a place in a list: see [flussi.Cursor].
type Cursor = flussi.Cursor

// Cursor returns the place of the event in lists.
func (e Event) Cursor() Cursor { return Cursor{At: e.CreatedAt, ID: e.ID} }

// Cursor returns the place of the notice in lists.
func (n Notice) Cursor() Cursor { return Cursor{At: n.CreatedAt, ID: n.ID} }

// Match reports whether the event matches the filter. It is the definition of what stores
// return.
func (q EventFilter) Match(e Event) bool {
	return among(q.IDs, e.ID) && among(q.Schools, e.School) && among(q.States, e.State) && same(q.Kind, e.Kind) &&
		same(q.SchoolYear, e.SchoolYear) && (q.Text == "" || contains(e.Name, q.Text) || contains(e.Causale, q.Text)) &&
		between(q.From, q.To, e.CreatedAt) && (!q.Discrepancy || e.Discrepancy.Open())
}

// Match reports whether the notice matches the filter. It is the definition of what stores
// return.
func (q NoticeFilter) Match(n Notice) bool {
	return among(q.IDs, n.ID) && same(q.Event, n.EventID) && among(q.Schools, n.School) && among(q.States, n.State) &&
		same(q.Debtor, n.Debtor) && same(q.Payer, n.Payer) && (len(q.IUVs) == 0 || !n.Number.IsZero() && among(q.IUVs, n.IUV())) &&
		same(q.Reference, n.Reference) && between(q.From, q.To, n.CreatedAt) &&
		(q.DueBefore.IsZero() || !n.DueDate.IsZero() && n.DueDate.Before(q.DueBefore)) && (!q.Visible || n.Visible) &&
		(!q.Discrepancy || n.Discrepancy.Open())
}

func among[T comparable](wanted []T, value T) bool {
	return len(wanted) == 0 || slices.Contains(wanted, value)
}

func same[T comparable](wanted, value T) bool {
	var all T
	return wanted == all || wanted == value
}

func between(from, to, t time.Time) bool {
	return (from.IsZero() || !t.Before(from)) && (to.IsZero() || t.Before(to))
}

func contains(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}
