package appio

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/restcall"
)

// Client calls App IO for one service. It is safe for concurrent use, and starts no
// goroutines.
type Client struct {
	engine restcall.Engine
	pace   *Pace
}

// Config configures a [Client]. The zero value is ready for the real platform.
type Config struct {
	// BaseURL is the platform's address. Defaults to https://api.io.pagopa.it/api/v1.
	BaseURL string
	// AllowHTTP permits a BaseURL without TLS on another machine, such as a simulator.
	// On this machine http is always permitted. Defaults to false.
	AllowHTTP bool
	// HTTPClient makes the requests. Its Timeout limits an attempt, not the call; redirects
	// are never followed. Defaults to a client with a timeout of 30 s and up to 128 idle
	// connections, which all clients without an HTTPClient share; a client without a Transport
	// gets theirs. On a Transport of your own, net/http prints through package log what a broken
	// server sends without a request, and such a server may echo a message: call log.SetOutput
	// with a [flussi.MaskWriter]. On the default one, nothing is printed, except what comes
	// through a proxy in one TLS record with a reply.
	//
	// The path of [Client.Message] holds the recipient's fiscal code, and instrumentation such
	// as otelhttp records URLs: wrap it by [MaskedTransport]. A wrapped transport proves less
	// than net/http's own: if it read the body of a request and returned no reply, the outcome
	// is unknown.
	HTTPClient *http.Client
	// Pace is shared by all clients of one body. Defaults to a new Pace, which is right only
	// for a body that uses one service, from one process.
	Pace *Pace
	// Logger receives every attempt: at level debug, or warn if it failed. It never receives
	// a key, a fiscal code or a text. Defaults to none.
	Logger *slog.Logger
	// Attempted receives every attempt when it has ended, with the context of the call: for metrics,
	// and for events of a trace. The call waits for it, so it must return soon. It must be safe for
	// concurrent use. Defaults to none.
	Attempted func(context.Context, flussi.Attempt)
	// MaxAttempts limits the attempts of a call. A message is sent again only if it was
	// certainly not sent: see [Client.Submit]. Defaults to 5; 1 means no repetition; at most 1,000.
	MaxAttempts int
	// MaxWait is the longest wait between two attempts, and before the first one if the platform
	// asked to wait. If the platform asks for more, such as an hour, the call ends at once with
	// [flussi.ErrRateLimited]. RetryAfter and RetryAt of the error say how long to wait, at most a
	// day. Until then, all calls of the clients of the [Pace] end in the same way, without a request.
	// Defaults to 1 minute; at most one day.
	MaxWait time.Duration
}

const (
	defaultBaseURL = "https://api.io.pagopa.it/api/v1"
	maxFeed        = 64 << 20 // bytes; a feed lists a day's citizens, 67 bytes each
)

// New returns a client for the service with the key. The error lists everything that
// is wrong with the configuration, and is a [flussi.ErrConfig].
func New(key flussi.Key, c Config) (*Client, error) {
	if c.Pace == nil {
		c.Pace = newPace(PaceConfig{})
	}
	if c.Pace.pace == nil {
		return nil, fmt.Errorf("appio: new client: %w: the Pace was not made by NewPace", flussi.ErrConfig)
	}
	engine, err := restcall.NewEngine(restcall.Config{
		BaseURL: cmp.Or(c.BaseURL, defaultBaseURL), AllowHTTP: c.AllowHTTP, HTTPClient: c.HTTPClient,
		Logger: c.Logger, Attempted: c.Attempted, MaxAttempts: c.MaxAttempts, MaxWait: c.MaxWait, Pace: c.Pace.pace, Key: key, Header: "Ocp-Apim-Subscription-Key",
	})
	if err != nil {
		return nil, fmt.Errorf("appio: new client: %w: %w", flussi.ErrConfig, err)
	}
	return &Client{engine, c.Pace}, nil
}

// Reserve announces calls of the client at its [Pace]: see [Pace.Reserve].
func (c *Client) Reserve(n int, within time.Duration) (reserved int, next time.Time) {
	return c.pace.Reserve(n, within)
}

// Release ends the announcement of n calls: see [Pace.Release].
func (c *Client) Release(n int) { c.pace.Release(n) }

// Receipt says that the platform accepted a message. [Client.Message] returns later
// whether it reached the citizen.
type Receipt struct {
	ID       MessageID // store it: the platform finds the message only by its ID
	Attempts int       // requests that were made
}

// Submit sends a message. It returns a receipt if the platform accepted it. The error is a
// [*flussi.InvalidError], or a [*flussi.RemoteError] of any Kind; [flussi.OutcomeOf] says
// what it means for the message.
//
// A call never delivers a message twice. It makes a further attempt only if the last one was
// certainly not sent: after 429, without a connection, or if an HTTP/2 server says that it did not
// process it. After any 500 the message may have been sent, so the outcome is
// [flussi.OutcomeUnknown]; no setting changes that. After an unknown outcome, sending again may
// deliver twice: a person must decide. A context that ends says nothing about what the platform did:
// check the outcome, not [context.DeadlineExceeded], which an unknown outcome may wrap too.
//
// A program that dies during the call does not learn the outcome. Store that the message is
// being sent before the call; after a restart, treat such a message as
// [flussi.OutcomeUnknown].
func (c *Client) Submit(ctx context.Context, m Message) (Receipt, error) {
	if err := m.Validate(); err != nil {
		return Receipt{}, err
	}
	body, err := m.encode()
	if err != nil {
		e := newError(opSubmit, flussi.ErrRemoteInvalid)
		e.Outcome, e.Err = flussi.OutcomeRefused, err
		return Receipt{}, e
	}
	reply, err := c.engine.Do(ctx, restcall.Operation{
		Name: opSubmit, Method: http.MethodPost, Path: "/messages", Body: body, Repeat: restcall.IfNotSent,
	})
	id, err := submission(&c.engine, m, reply, err)
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{ID: id, Attempts: len(reply.Attempts)}, nil
}

const unexpected = "reply is not what was expected"

// read makes a call that changes nothing and decodes the object it returns. An error does not quote
// the texts to hide.
func read[T any](ctx context.Context, e *restcall.Engine, op restcall.Operation, hide ...string) (*T, error) {
	reply, err := e.Do(ctx, op)
	if err != nil || reply.Status != http.StatusOK {
		return nil, failed(e, op.Name, reply, err, hide...)
	}
	into := restcall.Object[T](reply.Body)
	if into == nil || reply.BodyErr != nil {
		unread := failed(e, op.Name, reply, nil, hide...)
		unread.Detail = unexpected
		return nil, unread
	}
	return into, nil
}
