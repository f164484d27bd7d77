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

// Client calls App IO for one service. It is safe for concurrent use, and has no
// goroutines of its own.
type Client struct {
	engine restcall.Engine
}

// Config says how a client works. The zero value is ready for the real platform.
type Config struct {
	// BaseURL is where the platform is. Defaults to https://api.io.pagopa.it/api/v1.
	BaseURL string
	// AllowHTTP permits a BaseURL without TLS on another machine, such as a simulator.
	// On this machine http is always permitted. Defaults to false.
	AllowHTTP bool
	// HTTPClient makes the requests; its Timeout bounds an attempt, not the call, and
	// redirects are never followed. Defaults to a client with a timeout of 30 s and
	// room for 128 connections, which all clients without one share. Note that net/http
	// itself logs the beginning of what a broken server sends without being asked.
	HTTPClient *http.Client
	// Pace is shared by all clients of one body. Defaults to a Pace of its own, which is
	// right only for a body that uses one service, from one process.
	Pace *Pace
	// Logger hears of every attempt: at level debug, or warn if it was not the end of
	// it. It is told no key, no fiscal code and no text. Defaults to none.
	Logger *slog.Logger
	// MaxAttempts bounds the attempts of a call. A message is only sent again where it was
	// certainly not sent: after 429, or no connection. Defaults to 5; 1 means no repetition.
	MaxAttempts int
	// MaxWait is the longest wait between two attempts; if the platform asks for more,
	// the call ends and its error says how long. Defaults to 1 minute.
	MaxWait time.Duration
}

const (
	defaultBaseURL = "https://api.io.pagopa.it/api/v1"
	maxFeed        = 64 << 20 // bytes; a feed lists a day's citizens, 67 bytes each
)

// New returns a client for the service with the key. The error lists everything that
// is wrong with the configuration; it is an [flussi.ErrConfig].
func New(key flussi.Key, c Config) (*Client, error) {
	if c.Pace == nil {
		c.Pace = newPace(PaceConfig{})
	}
	engine, err := restcall.NewEngine(restcall.Config{
		BaseURL: cmp.Or(c.BaseURL, defaultBaseURL), AllowHTTP: c.AllowHTTP, HTTPClient: c.HTTPClient, Logger: c.Logger,
		MaxAttempts: c.MaxAttempts, MaxWait: c.MaxWait, Pace: c.Pace, Key: key, Header: "Ocp-Apim-Subscription-Key",
	})
	if err != nil {
		return nil, fmt.Errorf("appio: new client: %w: %w", flussi.ErrConfig, err)
	}
	return &Client{engine}, nil
}

// Receipt says that the platform accepted a message. Whether it reached the citizen,
// [Client.Message] tells later.
type Receipt struct {
	ID       MessageID // keep it: without it, the message cannot be found again
	Attempts int       // how many it took
}

// Submit sends a message. It returns a receipt if the platform accepted it. On an
// error, [flussi.OutcomeOf] says what it means for the message; the error is an
// [*flussi.InvalidError], or an [*flussi.RemoteError] of any Kind.
//
// A call never delivers a message twice: it makes a further attempt only where the
// last one was certainly not sent, after 429 or no connection. After any 500 the message
// may have been sent, so the outcome is [flussi.OutcomeUnknown]; no setting changes that. When it returns
// [flussi.OutcomeUnknown], sending again may deliver twice: that is for a person to decide. The end of a
// context says nothing about what the platform did, so use the outcome, and not
// [context.DeadlineExceeded], which an unknown outcome may wrap as well.
//
// A program that dies during the call does not learn the outcome: write down that the
// message is being sent before the call, and treat what is still so afterwards as
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
	id, err := submission(reply, err)
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{ID: id, Attempts: len(reply.Attempts)}, nil
}

const unexpected = "reply is not what was expected"

// read makes a call that changes nothing and decodes the object it returns.
func read[T any](ctx context.Context, e *restcall.Engine, op restcall.Operation) (*T, error) {
	reply, err := e.Do(ctx, op)
	if err != nil || reply.Status != http.StatusOK {
		return nil, failed(op.Name, reply, err)
	}
	into := restcall.Object[T](reply.Body)
	if into == nil || reply.BodyErr != nil {
		e := failed(op.Name, reply, nil)
		e.Detail = unexpected
		return nil, e
	}
	return into, nil
}
