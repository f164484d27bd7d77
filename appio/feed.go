package appio

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
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
	op, err := feedOf(day)
	if err != nil {
		return Feed{}, err
	}
	engine := c.engine
	engine.MaxBody = maxFeed
	wire, err := read[struct {
		Subscriptions   json.RawMessage `json:"subscriptions"`
		Unsubscriptions json.RawMessage `json:"unsubscriptions"`
	}](ctx, &engine, op)
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

// feedOf returns the call for the feed of a day.
func feedOf(day time.Time) (restcall.Operation, error) {
	if year := day.UTC().Year(); day.IsZero() || year < 1 || year > 9999 {
		v := &validation{}
		v.Add("date", flussi.ErrDate, "Manca il giorno dell'elenco delle iscrizioni.")
		return restcall.Operation{}, v.OrNil()
	}
	return restcall.Operation{
		Name: opFeed, Method: http.MethodGet, Path: "/subscriptions-feed/" + day.UTC().Format(time.DateOnly),
	}, nil
}

// FeedEntry is a step through the feeds of [Client.Feeds]: a citizen, the end of a day, or a day that
// is not there yet.
type FeedEntry struct {
	Day        time.Time   // its beginning, in UTC
	Citizen    CitizenHash // who subscribed or unsubscribed on the Day; "" if DayEnds or Pending
	Subscribed bool        // the citizen subscribed
	DayEnds    bool        // the Day was read to its end
	// Pending: the platform does not have the day yet, nor any later one, since the day is not over.
	// Begin there next time.
	Pending bool
}

// feedDelay is how long after the end of a day the platform may not have its feed, since its clock
// is not this machine's.
const feedDelay = 5 * time.Minute

// Feeds returns the feeds of the days from the one that from is on to the one that to is on, in
// UTC, the oldest first: each citizen, in the platform's order, and then an entry with DayEnds. It
// reads a day, and each citizen of it, when the sequence gets there, so it holds no day in memory.
// The reply for a day has to be read within the Timeout of [Config].HTTPClient: if your loop takes
// longer, use a client with a longer one.
//
// The first day that the platform does not have yet, today or a later one, is Pending and ends the
// sequence. An error ends it, too, and comes with the Day at which to begin again; some of its
// citizens may have come already. A [flussi.ErrRemoteNotFound] is a day that is over, and that the
// platform does not have. The other errors are those of [Client.Feed], and a [*flussi.InvalidError]
// if to is before from. A reply that turns out to be cut off, too long or something else after its
// first citizen is a [flussi.ErrUnavailable]; the call is not repeated then.
func (c *Client) Feeds(ctx context.Context, from, to time.Time) iter.Seq2[FeedEntry, error] {
	return func(yield func(FeedEntry, error) bool) {
		first, last := dayOf(from), dayOf(to)
		if first.After(last) {
			v := &validation{}
			v.Add("date", flussi.ErrRange, "Il primo giorno dell'elenco delle iscrizioni viene dopo l'ultimo.")
			yield(FeedEntry{Day: first}, v.OrNil())
			return
		}
		for day := first; !day.After(last); day = day.AddDate(0, 0, 1) {
			goesOn, err := c.streamFeed(ctx, day, yield)
			switch {
			case !goesOn:
				return
			case err == nil:
				if !yield(FeedEntry{Day: day, DayEnds: true}, nil) {
					return
				}
				continue
			}
			over := day.AddDate(0, 0, 1).Add(feedDelay)
			if errors.Is(err, flussi.ErrRemoteNotFound) && time.Now().Before(over) {
				yield(FeedEntry{Day: day, Pending: true}, nil)
				return
			}
			yield(FeedEntry{Day: day}, err)
			return
		}
	}
}

// streamFeed yields the citizens of a day. It returns false if the loop over them ended.
func (c *Client) streamFeed(ctx context.Context, day time.Time, yield func(FeedEntry, error) bool) (goesOn bool, err error) {
	op, err := feedOf(day)
	if err != nil {
		return true, err
	}
	op.Stream = maxFeed
	reply, err := c.engine.Do(ctx, op)
	if err != nil || reply.Stream == nil {
		return true, failed(&c.engine, opFeed, reply, err)
	}
	defer reply.Stream.Close()
	goesOn = true
	err = readFeed(reply.Stream, func(citizen CitizenHash, subscribed bool) bool {
		goesOn = yield(FeedEntry{Day: day, Citizen: citizen, Subscribed: subscribed}, nil)
		return goesOn
	})
	if err == nil || !goesOn {
		return goesOn, nil
	}
	e := newError(opFeed, flussi.ErrUnavailable)
	e.Status, e.Attempts, e.Detail = reply.Status, len(reply.Attempts), unexpected
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, errFeed), errors.As(err, &syntax), errors.As(err, &kind):
	case ctx.Err() != nil:
		e.Kind, e.Err, e.Detail = flussi.ErrInterrupted, ctx.Err(), restcall.Describe(err)
	default: // of the connection
		e.Detail = "the reply was not complete: " + restcall.Describe(err)
	}
	return true, e
}

// errFeed: a reply is JSON, and no feed.
var errFeed = errors.New("not a feed")

// readFeed reads the citizens of a feed from its JSON, until each returns false.
func readFeed(r io.Reader, each func(citizen CitizenHash, subscribed bool) bool) error {
	d := json.NewDecoder(r)
	lists := map[string]bool{} // those that were read
	if err := expect(d, json.Delim('{')); err != nil {
		return err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		switch name {
		case "subscriptions", "unsubscriptions":
			goesOn, err := readList(d, func(citizen CitizenHash) bool { return each(citizen, name == "subscriptions") })
			if err != nil || !goesOn {
				return err
			}
			if key := name.(string); lists[key] {
				return errFeed
			} else {
				lists[key] = true
			}
		default:
			if err := skipValue(d); err != nil {
				return err
			}
		}
	}
	if err := expect(d, json.Delim('}')); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return cmp.Or(err, errFeed)
	}
	if len(lists) < 2 {
		return errFeed
	}
	return nil
}

// readList reads a list of citizens, or null, until each returns false.
func readList(d *json.Decoder, each func(CitizenHash) bool) (goesOn bool, err error) {
	switch start, err := d.Token(); {
	case err != nil:
		return false, err
	case start == nil:
		return true, nil
	case start != json.Delim('['):
		return false, errFeed
	}
	for d.More() {
		citizen, err := d.Token()
		if err != nil {
			return false, err
		}
		text, isText := citizen.(string)
		if !isText {
			return false, errFeed
		}
		if !each(CitizenHash(text)) {
			return false, nil
		}
	}
	return true, expect(d, json.Delim(']'))
}

// skipValue reads a value and forgets it.
func skipValue(d *json.Decoder) error {
	for depth := 0; ; {
		token, err := d.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// expect reads a token that has to be there.
func expect(d *json.Decoder, want json.Token) error {
	switch got, err := d.Token(); {
	case err != nil:
		return err
	case got != want:
		return errFeed
	}
	return nil
}

// dayOf returns the beginning of the day that a time is on, in UTC; the zero time remains zero.
func dayOf(t time.Time) time.Time {
	year, month, day := t.UTC().Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}
