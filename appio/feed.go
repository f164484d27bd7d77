package appio

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"iter"
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

// DayFeed is the feed of one day.
type DayFeed struct {
	Day  time.Time // its beginning, in UTC
	Feed           // zero if Pending
	// Pending: the platform does not have the day yet, nor any later one, since the day is not over.
	// Begin there next time.
	Pending bool
}

// feedDelay is how long after the end of a day the platform may not have its feed, since its clock
// is not this machine's.
const feedDelay = 5 * time.Minute

// Feeds returns the feeds of the days from the one that from is on to the one that to is on, in
// UTC, the oldest first. Each is read when the sequence gets there, so it holds one day at a time.
// The first day that the platform does not have yet, today or a later one, is Pending and ends the
// sequence. An error ends it, too, and comes with the Day at which to begin again: a
// [flussi.ErrRemoteNotFound] is a day that is over, and that the platform does not have. The other
// errors are those of [Client.Feed], and a [*flussi.InvalidError] if to is before from.
func (c *Client) Feeds(ctx context.Context, from, to time.Time) iter.Seq2[DayFeed, error] {
	return func(yield func(DayFeed, error) bool) {
		first, last := dayOf(from), dayOf(to)
		if first.After(last) {
			v := &validation{}
			v.Add("date", flussi.ErrRange, "Il primo giorno dell'elenco delle iscrizioni viene dopo l'ultimo.")
			yield(DayFeed{Day: first}, v.OrNil())
			return
		}
		for day := first; !day.After(last); day = day.AddDate(0, 0, 1) {
			feed, err := c.Feed(ctx, day)
			over := day.AddDate(0, 0, 1).Add(feedDelay)
			found := DayFeed{Day: day, Feed: feed, Pending: errors.Is(err, flussi.ErrRemoteNotFound) && time.Now().Before(over)}
			if found.Pending {
				err = nil
			}
			if !yield(found, err) || found.Pending || err != nil {
				return
			}
		}
	}
}

// dayOf returns the beginning of the day that a time is on, in UTC; the zero time remains zero.
func dayOf(t time.Time) time.Time {
	year, month, day := t.UTC().Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}
