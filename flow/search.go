package flow

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
)

// FlowFilter says which flows are looked for: those that match all of its fields. A
// field that is zero matches all.
type FlowFilter struct {
	IDs        []uuid.UUID    // UUID: one of them
	Services   []string       // Servizio: one of them
	States     []FlowState    // Stato: one of them
	Text       string         // Note: contained, whatever its case. At least [MinSearch] characters
	User       string         // Utente mod.
	From, To   time.Time      // Data: created at From or later, and before To
	AppContext string         // Contesto Applicativo
	AppKey     string         // Chiave Applicativo
	Disabled   DisabledFilter // Dis.

	ChangedFrom, ChangedTo time.Time // Data mod.: changed at ChangedFrom or later, and before ChangedTo
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
	// DeliveryOpen: sent, with a MessageID and personal data, and its delivery is not final:
	// see [appio.MessageStatus.Final]. What a verification asks for.
	DeliveryOpen bool
	// ClosedBefore: sent before this time; or in error for another reason than an unknown
	// outcome, or disabled before it was sent, and not changed since; and not anonymised. What
	// anonymising is for.
	ClosedBefore time.Time
}

// Disabled says whether what operators have set aside is looked for.
type DisabledFilter string

// What is looked for.
const (
	AnyDisabled  DisabledFilter = ""         // whether disabled or not
	OnlyEnabled  DisabledFilter = "enabled"  // not disabled
	OnlyDisabled DisabledFilter = "disabled" // disabled
)

// Page says which part of a list is wanted: see [flussi.Page].
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

// Match reports whether the flow matches the filter. It is the definition of what
// stores return.
func (q FlowFilter) Match(f Flow) bool {
	return among(q.IDs, f.ID) && among(q.Services, f.Service) && among(q.States, f.State) &&
		contains(f.Note, q.Text) && same(q.User, f.UpdatedBy) && within(q.From, q.To, f.CreatedAt) &&
		same(q.AppContext, f.AppContext) && same(q.AppKey, f.AppKey) && q.Disabled.match(f.Disabled) &&
		within(q.ChangedFrom, q.ChangedTo, f.UpdatedAt)
}

// Match reports whether the notification matches the filter. It is the definition of
// what stores return.
func (q NotificationFilter) Match(n Notification) bool {
	return among(q.IDs, n.ID) && same(q.Flow, n.FlowID) && (!q.Standalone || n.FlowID == uuid.Nil) &&
		among(q.Services, n.Service) && among(q.States, n.State) && among(q.ErrorCodes, n.Transmission.ErrorCode) &&
		contains(n.Subject, q.Text) && same(q.User, n.UpdatedBy) && within(q.From, q.To, n.CreatedAt) &&
		same(q.Recipient, n.Recipient) && same(q.NoticeNumber, n.NoticeNumber) && same(q.Reference, n.Reference) &&
		same(q.MessageID, n.Transmission.MessageID) && (len(q.Digests) == 0 || !n.Recipient.IsZero() && among(q.Digests, n.Digest())) &&
		q.Disabled.match(n.Disabled) && within(q.ChangedFrom, q.ChangedTo, n.UpdatedAt) && (!q.DeliveryOpen || n.DeliveryOpen()) &&
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

func among[T comparable](wanted []T, value T) bool {
	return len(wanted) == 0 || slices.Contains(wanted, value)
}

func same[T comparable](wanted, value T) bool {
	var all T
	return wanted == all || wanted == value
}

func within(from, to, t time.Time) bool {
	return (from.IsZero() || !t.Before(from)) && (to.IsZero() || t.Before(to))
}

func contains(text flussi.Text, part string) bool {
	return part == "" || strings.Contains(strings.ToLower(text.Reveal()), strings.ToLower(part))
}

func (d DisabledFilter) match(disabled bool) bool {
	return d == AnyDisabled || disabled == (d == OnlyDisabled)
}
