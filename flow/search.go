package flow

import (
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/internal/core"
)

// FlowFilter says which flows are looked for: those that match all of its fields. A
// field that is zero matches all.
type FlowFilter struct {
	IDs        []uuid.UUID    // UUID: one of them
	Services   []string       // Servizio: one of them
	States     []FlowState    // Stato: one of them; a job finishes [FlowInactive], [FlowActive] and [FlowSending]
	Text       string         // Note: contained, whatever its case. At least [MinSearch] characters
	User       string         // Utente mod.
	From, To   time.Time      // Data: created at From or later, and before To
	AppContext string         // Contesto Applicativo: see [Details]
	AppKey     string         // Chiave Applicativo: see [Details]
	Disabled   DisabledFilter // Dis.

	ChangedFrom, ChangedTo time.Time // Data mod.: changed at ChangedFrom or later, and before ChangedTo
	// ScheduledBefore: scheduled, and the NotBefore is before this time.
	ScheduledBefore time.Time
}

// NotificationFilter says which notifications are looked for: those that match all of
// its fields. A field that is zero matches all.
type NotificationFilter struct {
	IDs          []uuid.UUID         // UUID: one of them
	Flow         uuid.UUID           // those of a flow
	Standalone   bool                // those of no flow
	Services     []string            // Servizio: one of them
	States       []NotificationState // Stato: one of them
	ErrorCodes   []ErrorCode         // Errore: one of them
	Text         string              // Oggetto: contained, whatever its case. At least [MinSearch] characters
	User         string              // Utente mod.
	From, To     time.Time           // created at From or later, and before To
	Recipient    flussi.FiscalCode   // C.F. Dest.
	NoticeNumber flussi.NoticeNumber // codice avviso
	Reference    string              // Riferimento
	MessageID    appio.MessageID     // ID Consegna App.IO
	Digests      []Digest            // the same message for the same citizen: one of them
	Disabled     DisabledFilter      // Dis.

	ChangedFrom, ChangedTo time.Time // Data mod.: changed at ChangedFrom or later, and before ChangedTo
	// DeliveryOpen: sent, with a MessageID and personal data, and its delivery is not final: see
	// [appio.MessageStatus.Final]. For verifying.
	DeliveryOpen bool
	// ClosedBefore: sent before this time; or in error for another reason than an unknown outcome,
	// or disabled before it was sent, and not changed since; and not anonymised. For anonymising.
	ClosedBefore time.Time
}

// DisabledFilter says whether disabled entities match.
type DisabledFilter string

// The values of a DisabledFilter.
const (
	AnyDisabled  DisabledFilter = ""         // whether disabled or not
	OnlyEnabled  DisabledFilter = "enabled"  // not disabled
	OnlyDisabled DisabledFilter = "disabled" // disabled
)

// Page selects a part of a list: see [flussi.Page].
type Page = flussi.Page

// Cursor is a place in a list: see [flussi.Cursor].
type Cursor = flussi.Cursor

const (
	// MaxPage is the longest page.
	MaxPage = flussi.MaxPage
	// MinSearch is the least number of characters of a text to look for.
	MinSearch = flussi.MinSearch
)

// Cursor returns the place of the flow in lists.
func (f Flow) Cursor() Cursor { return Cursor{At: f.CreatedAt, ID: f.ID} }

// Cursor returns the place of the notification in lists.
func (n Notification) Cursor() Cursor { return Cursor{At: n.CreatedAt, ID: n.ID} }

// Check returns a [*flussi.InvalidError] with the fields of which no flow can have the value, such
// as an unknown state, and a Text that is too short; or nil.
func (q FlowFilter) Check() error {
	var wrong core.Invalid
	core.Known(&wrong, "States", "lo stato", q.States, FlowMachine().Has)
	wrong.Words(q.Text)
	wrong.Text(core.TextRule{Field: "User", Name: "l'utente da cercare"}, q.User)
	wrong.Text(core.TextRule{Field: "AppContext", Name: "il contesto applicativo da cercare"}, q.AppContext)
	wrong.Text(core.TextRule{Field: "AppKey", Name: "la chiave applicativa da cercare"}, q.AppKey)
	q.Disabled.check(&wrong)
	return wrong.OrNil()
}

// Check returns a [*flussi.InvalidError] with the fields of which no notification can have the
// value, such as an unknown state or error code, and a Text that is too short; or nil. The
// [ErrorCode] "" is known: that of a notification without an error.
func (q NotificationFilter) Check() error {
	var wrong core.Invalid
	core.Known(&wrong, "States", "lo stato", q.States, NotificationMachine().Has)
	core.Known(&wrong, "ErrorCodes", "il codice di errore", q.ErrorCodes, func(c ErrorCode) bool { return c == "" || c.known() })
	wrong.Words(q.Text)
	wrong.Text(core.TextRule{Field: "User", Name: "l'utente da cercare"}, q.User)
	wrong.Text(core.TextRule{Field: "Reference", Name: "il riferimento da cercare"}, q.Reference)
	wrong.Text(core.TextRule{Field: "MessageID", Name: "l'ID del messaggio da cercare"}, string(q.MessageID))
	q.Disabled.check(&wrong)
	return wrong.OrNil()
}

// Match reports whether the flow matches the filter. It is the definition of what
// stores return.
func (q FlowFilter) Match(f Flow) bool {
	return core.Among(q.IDs, f.ID) && core.Among(q.Services, f.Service) && core.Among(q.States, f.State) &&
		core.Contains(f.Note.Reveal(), q.Text) && core.Same(q.User, f.UpdatedBy) && core.Within(q.From, q.To, f.CreatedAt) &&
		core.Same(q.AppContext, f.AppContext) && core.Same(q.AppKey, f.AppKey) && q.Disabled.match(f.Disabled) &&
		core.Within(q.ChangedFrom, q.ChangedTo, f.UpdatedAt) &&
		(q.ScheduledBefore.IsZero() || !f.NotBefore.IsZero() && f.NotBefore.Before(q.ScheduledBefore))
}

// Match reports whether the notification matches the filter. It is the definition of
// what stores return.
func (q NotificationFilter) Match(n Notification) bool {
	return core.Among(q.IDs, n.ID) && core.Same(q.Flow, n.FlowID) && (!q.Standalone || n.FlowID == uuid.Nil) &&
		core.Among(q.Services, n.Service) && core.Among(q.States, n.State) && core.Among(q.ErrorCodes, n.Transmission.ErrorCode) &&
		core.Contains(n.Subject.Reveal(), q.Text) && core.Same(q.User, n.UpdatedBy) && core.Within(q.From, q.To, n.CreatedAt) &&
		core.Same(q.Recipient, n.Recipient) && core.Same(q.NoticeNumber, n.NoticeNumber) && core.Same(q.Reference, n.Reference) &&
		core.Same(q.MessageID, n.Transmission.MessageID) && (len(q.Digests) == 0 || !n.Recipient.IsZero() && core.Among(q.Digests, n.Digest())) &&
		q.Disabled.match(n.Disabled) && core.Within(q.ChangedFrom, q.ChangedTo, n.UpdatedAt) && (!q.DeliveryOpen || n.DeliveryOpen()) &&
		(q.ClosedBefore.IsZero() || n.closedBefore(q.ClosedBefore))
}

// DeliveryOpen reports whether the platform may still have news of the message: see
// [NotificationFilter].
func (n Notification) DeliveryOpen() bool {
	return n.State == NotificationSent && n.Transmission.MessageID != "" && n.AnonymisedAt.IsZero() &&
		!n.Delivery.Status.Final()
}

func (n Notification) closedBefore(t time.Time) bool {
	switch {
	case !n.AnonymisedAt.IsZero():
		return false
	case n.State == NotificationSent:
		return !n.Transmission.SentAt.IsZero() && n.Transmission.SentAt.Before(t)
	}
	over := n.State == NotificationFailed && n.Transmission.ErrorCode != CodeOutcomeUnknown ||
		n.State == NotificationRegistered && n.Disabled
	return over && n.UpdatedAt.Before(t)
}

// match reports whether an entity that is disabled, or is not, matches. None matches an unknown value.
func (d DisabledFilter) match(disabled bool) bool {
	return d == AnyDisabled || d == OnlyDisabled && disabled || d == OnlyEnabled && !disabled
}

func (d DisabledFilter) check(e *core.Invalid) {
	if d == AnyDisabled {
		return
	}
	core.Known(e, "Disabled", "il valore di «Dis.»", []DisabledFilter{d}, func(d DisabledFilter) bool {
		return d == AnyDisabled || d == OnlyEnabled || d == OnlyDisabled
	})
}
