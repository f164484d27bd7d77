package settlement

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// SettlementFilter says which settlements are looked for: those that match all of its fields. A
// field that is zero matches all.
type SettlementFilter struct {
	IDs        []uuid.UUID               // one of them
	Bodies     []flussi.OrganizationCode // one of them
	States     []SettlementState         // one of them
	FlowIDs    []string                  // identificativoFlusso: one of them
	FlowPrefix string                    // identificativoFlusso: begins with it; none does if it is not valid UTF-8
	Totals     []flussi.Cents            // one of them
	Unreported bool                      // those that have not been reported to the [Due]
	From, To   time.Time                 // created at From or later, and before To
}

// PaymentFilter says which payments are looked for: those that match all of its fields. A field
// that is zero matches all.
type PaymentFilter struct {
	IDs        []uuid.UUID               // one of them
	Bodies     []flussi.OrganizationCode // one of them
	States     []PaymentState            // one of them
	Settlement uuid.UUID                 // those of a settlement
	References []paymentfile.Reference   // the Reference, the Target or PreviousTarget is one of them, and not zero
	From, To   time.Time                 // created at From or later, and before To
}

// MovementFilter says which movements are looked for: those that match all of its fields. A field
// that is zero matches all.
type MovementFilter struct {
	IDs        []uuid.UUID               // one of them
	Bodies     []flussi.OrganizationCode // one of them
	States     []MovementState           // one of them
	FlowIDs    []string                  // one of them is among the FlowIDs
	Prefixes   []string                  // the Prefix is one of them
	Amounts    []flussi.Cents            // one of them
	Unresolved bool                      // those that are Unresolved
	Settlement uuid.UUID                 // one of the Parts, or of the Decisions, belongs to it
	References []paymentfile.Reference   // of a single payment: the Reference or PreviousReference is one of them, and not zero
	Unreported bool                      // those that have not been reported to the [Due]
	From, To   time.Time                 // created at From or later, and before To
}

// Page selects a part of a list: see [flussi.Page].
type Page = flussi.Page

// Cursor is a place in a list: see [flussi.Cursor].
type Cursor = flussi.Cursor

// Cursor returns the place of the settlement in lists.
func (s Settlement) Cursor() Cursor { return Cursor{At: s.CreatedAt, ID: s.ID} }

// Cursor returns the place of the payment in lists.
func (p Payment) Cursor() Cursor { return Cursor{At: p.CreatedAt, ID: p.ID} }

// Cursor returns the place of the movement in lists.
func (m Movement) Cursor() Cursor { return Cursor{At: m.CreatedAt, ID: m.ID} }

// Check returns a [*flussi.InvalidError] with the fields of which no settlement can have the value,
// such as an unknown state; or nil.
func (q SettlementFilter) Check() error {
	var wrong core.Invalid
	core.Known(&wrong, "States", "lo stato", q.States, func(s SettlementState) bool { return slices.Contains(SettlementStates(), s) })
	wrong.Text(core.TextRule{Field: "FlowPrefix", Name: "l'identificativo da cercare"}, q.FlowPrefix)
	return wrong.OrNil()
}

// Check returns a [*flussi.InvalidError] with the fields of which no payment can have the value,
// such as an unknown state; or nil.
func (q PaymentFilter) Check() error {
	var wrong core.Invalid
	core.Known(&wrong, "States", "lo stato", q.States, func(s PaymentState) bool { return slices.Contains(PaymentStates(), s) })
	return wrong.OrNil()
}

// Check returns a [*flussi.InvalidError] with the fields of which no movement can have the value,
// such as an unknown state; or nil.
func (q MovementFilter) Check() error {
	var wrong core.Invalid
	core.Known(&wrong, "States", "lo stato", q.States, func(s MovementState) bool { return slices.Contains(MovementStates(), s) })
	return wrong.OrNil()
}

// Match reports whether the settlement matches the filter. It is the definition of what stores
// return.
func (q SettlementFilter) Match(s Settlement) bool {
	return core.Among(q.IDs, s.ID) && core.Among(q.Bodies, s.Body) && core.Among(q.States, s.State) && core.Among(q.FlowIDs, s.FlowID) &&
		strings.HasPrefix(s.FlowID, q.FlowPrefix) && utf8.ValidString(q.FlowPrefix) && core.Among(q.Totals, s.Total) && (!q.Unreported || s.Unreported) && core.Within(q.From, q.To, s.CreatedAt)
}

// Match reports whether the payment matches the filter. It is the definition of what stores return.
func (q PaymentFilter) Match(p Payment) bool {
	return core.Among(q.IDs, p.ID) && core.Among(q.Bodies, p.Body) && core.Among(q.States, p.State) && core.Same(q.Settlement, p.Settlement) &&
		hasOne(q.References, p.Reference, p.Target, p.PreviousTarget) &&
		core.Within(q.From, q.To, p.CreatedAt)
}

// Match reports whether the movement matches the filter. It is the definition of what stores
// return.
func (q MovementFilter) Match(m Movement) bool {
	named := len(q.FlowIDs) == 0 || slices.ContainsFunc(m.FlowIDs, func(name string) bool { return slices.Contains(q.FlowIDs, name) })
	return core.Among(q.IDs, m.ID) && core.Among(q.Bodies, m.Body) && core.Among(q.States, m.State) && named && core.Among(q.Prefixes, m.Prefix) &&
		core.Among(q.Amounts, m.Amount) && (!q.Unresolved || m.Unresolved) && (q.Settlement == uuid.Nil || m.concerns(q.Settlement)) &&
		hasOne(q.References, m.Reference, m.PreviousReference) && (!q.Unreported || m.Unreported) && core.Within(q.From, q.To, m.CreatedAt)
}

// hasOne reports whether one of the references is wanted; none wanted: any is.
func hasOne(wanted []paymentfile.Reference, references ...paymentfile.Reference) bool {
	return len(wanted) == 0 || slices.ContainsFunc(references, func(r paymentfile.Reference) bool {
		return !r.IsZero() && slices.Contains(wanted, r)
	})
}
