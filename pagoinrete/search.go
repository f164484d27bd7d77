package pagoinrete

import (
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
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
	Discrepancy bool         // those with an open discrepancy of their own
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
	Discrepancy bool              // those with an open discrepancy
}

// Page selects a part of a list: see [flussi.Page].
type Page = flussi.Page

// Cursor is a place in a list: see [flussi.Cursor].
type Cursor = flussi.Cursor

// Cursor returns the place of the event in lists.
func (e Event) Cursor() Cursor { return Cursor{At: e.CreatedAt, ID: e.ID} }

// Cursor returns the place of the notice in lists.
func (n Notice) Cursor() Cursor { return Cursor{At: n.CreatedAt, ID: n.ID} }

// Check returns a [*flussi.InvalidError] with the fields of which no event can have the value, such
// as an unknown state, and a Text that is too short; or nil.
func (q EventFilter) Check() error {
	var wrong core.Invalid
	core.Known(&wrong, "States", "lo stato", q.States, EventMachine().Has)
	core.Known(&wrong, "Kind", "il tipo di evento", []EventKind{q.Kind}, func(k EventKind) bool { return k == "" || k.known() })
	core.Known(&wrong, "SchoolYear", "l'anno scolastico", []SchoolYear{q.SchoolYear}, func(y SchoolYear) bool { return y == 0 || y.known() })
	wrong.Words(q.Text)
	return wrong.OrNil()
}

// Check returns a [*flussi.InvalidError] with the fields of which no notice can have the value,
// such as an unknown state; or nil.
func (q NoticeFilter) Check() error {
	var wrong core.Invalid
	core.Known(&wrong, "States", "lo stato", q.States, NoticeMachine().Has)
	wrong.Text(core.TextRule{Field: "Reference", Name: "il riferimento da cercare"}, q.Reference)
	return wrong.OrNil()
}

// Match reports whether the event matches the filter. It is the definition of what stores
// return.
func (q EventFilter) Match(e Event) bool {
	return core.Among(q.IDs, e.ID) && core.Among(q.Schools, e.School) && core.Among(q.States, e.State) && core.Same(q.Kind, e.Kind) &&
		core.Same(q.SchoolYear, e.SchoolYear) && (q.Text == "" || core.Contains(e.Name, q.Text) || core.Contains(e.Causale, q.Text)) &&
		core.Within(q.From, q.To, e.CreatedAt) && (!q.Discrepancy || e.Discrepancy.Open())
}

// Match reports whether the notice matches the filter. It is the definition of what stores
// return.
func (q NoticeFilter) Match(n Notice) bool {
	return core.Among(q.IDs, n.ID) && core.Same(q.Event, n.EventID) && core.Among(q.Schools, n.School) && core.Among(q.States, n.State) &&
		core.Same(q.Debtor, n.Debtor) && core.Same(q.Payer, n.Payer) && (len(q.IUVs) == 0 || !n.Number.IsZero() && core.Among(q.IUVs, n.IUV())) &&
		core.Same(q.Reference, n.Reference) && core.Within(q.From, q.To, n.CreatedAt) &&
		(q.DueBefore.IsZero() || !n.DueDate.IsZero() && n.DueDate.Before(q.DueBefore)) && (!q.Visible || n.Visible) &&
		(!q.Discrepancy || n.Discrepancy.Open())
}
