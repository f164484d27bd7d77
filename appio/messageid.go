package appio

import (
	"encoding/json"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/restcall"
)

// MessageID (ID consegna App IO) is the platform's ID of a message that it accepted: a ULID,
// new for every submission. The platform finds a message only by its ID. It is not personal
// data.
type MessageID string

const ulidAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ" // Crockford's base 32

// Time returns when the platform generated the ID, to the millisecond, in UTC; false if the
// ID is not a ULID.
func (id MessageID) Time() (time.Time, bool) {
	if len(id) != 26 || id[0] > '7' {
		return time.Time{}, false
	}
	var milliseconds int64
	for i := range len(id) {
		letter := id[i]
		if 'a' <= letter && letter <= 'z' {
			letter -= 'a' - 'A'
		}
		digit := strings.IndexByte(ulidAlphabet, letter)
		if digit < 0 {
			return time.Time{}, false
		}
		if i < 10 {
			milliseconds = milliseconds<<5 | int64(digit)
		}
	}
	return time.UnixMilli(milliseconds).UTC(), true
}

// idOf returns the ID of a created message: from the body or, failing that, from the end of
// the Location. An ID that is not a ULID counts only in the body of a 201, since the Location
// holds the fiscal code too. A fiscal code is never an ID.
func idOf(reply *restcall.Reply) MessageID {
	var body struct {
		ID MessageID `json:"id"`
	}
	if json.Unmarshal(reply.Body, &body) == nil && body.ID != "" {
		if _, ulid := body.ID.Time(); ulid {
			return body.ID
		}
		if _, err := flussi.ParseFiscalCode(string(body.ID)); err != nil && reply.Status == http.StatusCreated {
			return body.ID
		}
	}
	location, err := url.Parse(reply.Header.Get("Location"))
	if err != nil {
		return ""
	}
	id := MessageID(path.Base(location.Path))
	if _, ok := id.Time(); !ok {
		return ""
	}
	return id
}
