package appio

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/restcall"
)

// CitizenHash identifies a citizen in a feed: the SHA-256 of the fiscal code, as 64
// lower-case hexadecimal digits. A list of codes is enough to find the citizen of a hash.
type CitizenHash string

// HashCitizen returns the hash of a citizen, to compare with a feed; "" for the zero code.
func HashCitizen(citizen flussi.FiscalCode) CitizenHash {
	if citizen.IsZero() {
		return ""
	}
	sum := sha256.Sum256([]byte(citizen.Reveal()))
	return CitizenHash(hex.EncodeToString(sum[:]))
}

// Feed lists the citizens who subscribed to a service and who unsubscribed on one day (UTC).
type Feed struct {
	Subscribed   []CitizenHash // in the platform's order
	Unsubscribed []CitizenHash // in the platform's order
}

// Feed returns the subscriptions of the day that a time is on, in UTC. The service needs the
// platform's permission. The error is a [*flussi.InvalidError] for the zero time, or a
// [*flussi.RemoteError]: [flussi.ErrRemoteNotFound] until the day is over.
func (c *Client) Feed(ctx context.Context, day time.Time) (Feed, error) {
	if year := day.UTC().Year(); day.IsZero() || year < 1 || year > 9999 {
		v := &validation{}
		v.Add("date", flussi.ErrDate, "Manca il giorno dell'elenco delle iscrizioni.")
		return Feed{}, v.OrNil()
	}
	engine := c.engine
	engine.MaxBody = maxFeed
	wire, err := read[struct {
		Subscriptions   json.RawMessage `json:"subscriptions"`
		Unsubscriptions json.RawMessage `json:"unsubscriptions"`
	}](ctx, &engine, restcall.Operation{
		Name: opFeed, Method: http.MethodGet, Path: "/subscriptions-feed/" + day.UTC().Format(time.DateOnly),
	})
	if err != nil {
		return Feed{}, err
	}
	var feed Feed
	// Other calls leave out a field that they cannot read; a list that is left out would be lost.
	if json.Unmarshal(wire.Subscriptions, &feed.Subscribed) != nil || json.Unmarshal(wire.Unsubscriptions, &feed.Unsubscribed) != nil {
		e := newError(opFeed, flussi.ErrUnavailable)
		e.Status, e.Detail = http.StatusOK, unexpected
		return Feed{}, e
	}
	return feed, nil
}
