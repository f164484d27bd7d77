package flussi

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/internal/italian"
)

// Page selects a part of a list. Lists are sorted by time of creation and then ID, the newest
// first; IDs are compared byte by byte.
type Page struct {
	After       Cursor // behind which entity; the zero Cursor: from the beginning
	Limit       int    // how many at most. Defaults to 50; at most [MaxPage]. Stores are always given one
	OldestFirst bool   // the other way round
}

const (
	defaultPage = 50
	// MaxPage is the longest page. Services read one more from the store, to learn whether there is
	// another page.
	MaxPage = 1000
	// MinSearch is the least number of characters of a text to look for: databases find
	// shorter ones only by reading everything.
	MinSearch = 3
)

// Check returns the page with a Limit. The error is a [*ValueError] with [ErrRange] if it
// has one that is negative or above [MaxPage].
func (p Page) Check() (Page, error) {
	switch {
	case p.Limit < 0 || p.Limit > MaxPage:
		return p, &ValueError{Type: "Limit", Err: ErrRange,
			Reason: "Una pagina può avere al massimo " + italian.Row.Count(MaxPage) + "."}
	case p.Limit == 0:
		p.Limit = defaultPage
	}
	return p, nil
}

// Includes reports whether an entity at a place is on the page or on a later one: whether it
// comes after the cursor After. It ignores the Limit.
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

// Cursor is a place in a list: behind the entity with this time of creation and ID. In
// text, as for a URL, it is opaque.
type Cursor struct {
	At time.Time // CreatedAt
	ID uuid.UUID // ID
}

// IsZero reports whether it is the beginning of the list; encoding/json's omitzero uses it.
func (c Cursor) IsZero() bool { return c == Cursor{} }

// Compare orders places as an oldest-first list does: -1 if c comes before d, +1 if it comes
// behind, 0 if they are the same. Stores in memory and fakes use it.
func (c Cursor) Compare(d Cursor) int {
	if order := c.At.Compare(d.At); order != 0 {
		return order
	}
	return bytes.Compare(c.ID[:], d.ID[:])
}

// MarshalText returns the cursor as text without special characters; "" for the
// beginning.
func (c Cursor) MarshalText() ([]byte, error) {
	if c.IsZero() {
		return nil, nil
	}
	return fmt.Appendf(nil, "%d_%s", c.At.UnixMicro(), c.ID), nil
}

// UnmarshalText reads what MarshalText returned. The error is a [*ValueError] with
// [ErrCharacter].
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
	return &ValueError{Type: "Cursor", Err: ErrCharacter, Reason: "La pagina richiesta non esiste: ripetere la ricerca."}
}
