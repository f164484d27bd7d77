package flow

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
)

// FlowFilter says which flows are looked for: those that match all of its fields. A
// field that is zero matches all.
type FlowFilter struct {
	IDs        []uuid.UUID // UUID: one of them
	Services   []string    // Servizio: one of them
	States     []FlowState // Stato: one of them
	Text       string      // Note: contained, whatever its case. At least [MinSearch] characters
	User       string      // Utente mod.
	From, To   time.Time   // Data: created at From or later, and before To
	AppContext string      // Contesto Applicativo
	AppKey     string      // Chiave Applicativo
	Disabled   Disabled    // Dis.

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
	Disabled     Disabled            // Dis.

	ChangedFrom, ChangedTo time.Time // Data mod.: changed at ChangedFrom or later, and before ChangedTo
	// Unsettled: sent, with a MessageID and personal data, and its delivery is not final:
	// see [appio.MessageStatus.Final]. What a verification asks for.
	Unsettled bool
	// ClosedBefore: sent before this time; or in error for another reason than an unknown
	// outcome, or disabled before it was sent, and not changed since; and not anonymised. What
	// anonymising is for.
	ClosedBefore time.Time
}

// Disabled says whether what operators have set aside is looked for.
type Disabled string

// What is looked for.
const (
	AnyDisabled  Disabled = ""         // whether disabled or not
	OnlyEnabled  Disabled = "enabled"  // not disabled
	OnlyDisabled Disabled = "disabled" // disabled
)

// MinSearch is the least number of characters of a text to look for: databases find
// shorter ones only by reading everything.
const MinSearch = 3

// Page says which part of a list is wanted. Lists are sorted by time of creation and
// then ID, the newest first; IDs are compared byte by byte.
type Page struct {
	After       Cursor // behind which entity; the zero Cursor: from the beginning
	Limit       int    // how many at most. Defaults to 50; at most [MaxPage]. Stores are always given one
	OldestFirst bool   // the other way round
}

const (
	defaultPage = 50
	// MaxPage is the longest page. Stores are asked for one more, to know whether there is more.
	MaxPage = 1000
)

// Cursor is a place in a list: behind the entity with this time of creation and ID. In
// text, as for a URL, it is opaque.
type Cursor struct {
	At time.Time // CreatedAt
	ID uuid.UUID // ID
}

// IsZero reports whether it is the beginning of the list; encoding/json's omitzero uses it.
func (c Cursor) IsZero() bool { return c == Cursor{} }

// MarshalText returns the cursor as text without special characters; "" for the
// beginning.
func (c Cursor) MarshalText() ([]byte, error) {
	if c.IsZero() {
		return nil, nil
	}
	return fmt.Appendf(nil, "%d_%s", c.At.UnixMicro(), c.ID), nil
}

// UnmarshalText reads what MarshalText returned. The error is a [*flussi.ValueError]
// with [flussi.ErrCharacter].
func (c *Cursor) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*c = Cursor{}
		return nil
	}
	at, id, _ := strings.Cut(string(text), "_")
	micro, err := strconv.ParseInt(at, 10, 64)
	if parsed, idErr := uuid.Parse(id); err == nil && idErr == nil {
		read := Cursor{time.UnixMicro(micro).UTC(), parsed}
		again, _ := read.MarshalText()
		if year := read.At.Year(); 0 < year && year < 10_000 && string(again) == string(text) { // not in another spelling
			*c = read
			return nil
		}
	}
	return &flussi.ValueError{Type: "Cursor", Err: flussi.ErrCharacter, Reason: "La pagina richiesta non esiste: ripetere la ricerca."}
}

// Cursor returns the place of the flow in lists.
func (f Flow) Cursor() Cursor { return Cursor{f.CreatedAt, f.ID} }

// Cursor returns the place of the notification in lists.
func (n Notification) Cursor() Cursor { return Cursor{n.CreatedAt, n.ID} }

// Compare orders places as an oldest-first list does: -1 if c comes before d, +1 if it comes
// behind, 0 if they are the same. Stores in memory and fakes use it.
func (c Cursor) Compare(d Cursor) int {
	if order := c.At.Compare(d.At); order != 0 {
		return order
	}
	return bytes.Compare(c.ID[:], d.ID[:])
}

// Includes reports whether an entity at a place is on the page or behind it, as
// [Page.Limit] may have it.
func (p Page) Includes(place Cursor) bool {
	switch order := place.Compare(p.After); {
	case p.After.IsZero():
		return true
	case p.OldestFirst:
		return order > 0
	default:
		return order < 0
	}
}

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
		q.Disabled.match(n.Disabled) && within(q.ChangedFrom, q.ChangedTo, n.UpdatedAt) && (!q.Unsettled || n.Unsettled()) &&
		(q.ClosedBefore.IsZero() || n.closedBefore(q.ClosedBefore))
}

// Unsettled reports whether the platform may still have news of the message: see
// [NotificationFilter].
func (n Notification) Unsettled() bool {
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
	over := n.State == NotificationFailed && n.Transmission.ErrorCode != ErrorOutcomeUnknown ||
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

func (d Disabled) match(disabled bool) bool {
	return d == AnyDisabled || disabled == (d == OnlyDisabled)
}
