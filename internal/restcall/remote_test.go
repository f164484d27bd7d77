package restcall

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
)

func testKey(t *testing.T) flussi.Key {
	t.Helper()
	return must.Get(flussi.ParseKey("a-key"))(t)
}

func TestNewEngineHasDefaults(t *testing.T) {
	e := must.Get(NewEngine(Config{BaseURL: "https://platform.test/api/", Key: testKey(t), Header: "Authorization", Scheme: "Bearer "}))(t)
	assert.Equal(t, "https://platform.test/api", e.Base.String())
	assert.Equal(t, 5, e.MaxAttempts)
	assert.Equal(t, time.Minute, e.MaxWait)
	assert.Equal(t, 500*time.Millisecond, e.MinWait)
	assert.EqualValues(t, 1<<20, e.MaxBody)
	assert.False(t, e.Logger.Enabled(t.Context(), slog.LevelError))
	assert.True(t, e.native())
	h := http.Header{}
	e.Authorize(h)
	assert.Equal(t, http.Header{"Authorization": {"Bearer a-key"}}, h)
	assert.NotContains(t, fmt.Sprintf("%+v %#v", e, e), "a-key")
}

func TestNewEngineTakesWhatIsConfigured(t *testing.T) {
	pace, logger, client := &freePace{}, slog.New(slog.NewTextHandler(io.Discard, nil)), &http.Client{Transport: &scripted{}}
	e := must.Get(NewEngine(Config{
		BaseURL: "http://platform.test", AllowHTTP: true, HTTPClient: client, Logger: logger, MaxAttempts: 1, MaxWait: time.Millisecond,
		Pace: pace, Key: testKey(t), Header: "Key",
	}))(t)
	assert.Equal(t, 1, e.MaxAttempts)
	assert.Equal(t, time.Millisecond, e.MaxWait)
	assert.Equal(t, time.Millisecond, e.MinWait, "never longer than MaxWait")
	assert.Same(t, logger, e.Logger)
	assert.Same(t, pace, e.Pace)
	assert.False(t, e.native(), "the client's own transport")
}

func TestNewEngineListsAllThatIsWrong(t *testing.T) {
	_, err := NewEngine(Config{BaseURL: "http://platform.test", MaxAttempts: -1, MaxWait: -1})
	for _, want := range []string{"no key", "without TLS", "MaxAttempts", "MaxWait"} {
		assert.ErrorContains(t, err, want)
	}
	_, err = NewEngine(Config{Key: testKey(t)})
	assert.EqualError(t, err, "no BaseURL")
}

func TestRemoteErrorDescribesAReply(t *testing.T) {
	reply := &Reply{Status: 429, Header: http.Header{"Retry-After": {"7"}}, Body: []byte(`{"title":"Too many"}`), Attempts: make([]Attempt, 3)}
	before := time.Now()
	e := RemoteError("appio", "App IO", "get profile", reply, nil)
	assert.WithinRange(t, e.RetryAt, before.Add(7*time.Second), time.Now().Add(7*time.Second))
	e.RetryAt = time.Time{}
	assert.Equal(t, &flussi.RemoteError{
		Package: "appio", Platform: "App IO", Operation: "get profile", Kind: flussi.ErrUnavailable, Status: 429, Attempts: 3, FromService: true,
		RetryAfter: 7 * time.Second, Problem: &flussi.Problem{Status: 429, Title: flussi.NewText("Too many")},
	}, e)
	reply.Status, reply.Body = 503, nil
	e = RemoteError("appio", "App IO", "get profile", reply, nil)
	assert.Zero(t, e.RetryAfter, "only a 429 asks for it")
	assert.Zero(t, e.RetryAt)
	assert.Nil(t, e.Problem)
}

func TestSetWordsHidesTheKeyAndTheRequest(t *testing.T) {
	for _, scheme := range []string{"", "Bearer "} {
		e := must.Get(NewEngine(Config{BaseURL: "https://platform.test", Key: must.Get(flussi.ParseKey("0123-secret"))(t), Header: "Key", Scheme: scheme}))(t)
		failed := &flussi.RemoteError{Problem: &flussi.Problem{Status: 403, Title: flussi.NewText("No"), Detail: flussi.NewText("0123-secret may not send Oggetto riservato")}}
		e.SetAnswer(failed, "Oggetto riservato")
		assert.Equal(t, "No: *** may not send *** (HTTP 403)", failed.Answer.Reveal())
		e.SetAnswer(&flussi.RemoteError{})
	}
}

// Only the very texts of net/http prove it.
func TestIsNotProcessed(t *testing.T) {
	const retry = "http2: Transport: cannot retry err [%s] after Request.Body was written; define Request.GetBody to avoid this error"
	located := func(text string) error {
		return &url.Error{Op: "Post", URL: "https://x.it/" + secret, Err: errors.New(text)}
	}
	for text, want := range map[string]bool{
		fmt.Sprintf(retry, "stream error: stream ID 7; REFUSED_STREAM; received from peer"):               true,
		fmt.Sprintf(retry, "http2: Transport received Server's graceful shutdown GOAWAY"):                 true,
		"http2: Transport received GOAWAY from server ErrCode:ENHANCE_YOUR_CALM":                          true,
		fmt.Sprintf(retry, "stream error: stream ID 7; PROTOCOL_ERROR; received from peer"):               false,
		fmt.Sprintf(retry, "stream error: stream ID 7; REFUSED_STREAM"):                                   false,
		"stream error: stream ID 7; CANCEL; received from peer":                                           false,
		`http2: server sent GOAWAY and closed the connection; LastStreamID=1, ErrCode=NO_ERROR, debug=""`: false,
		`x http2: Transport received GOAWAY from server ErrCode:NO_ERROR`:                                 false,
		"http2: Transport received GOAWAY from server ErrCode:NO_ERROR\nx":                                false,
		errRewind.Error(): false,
	} {
		assert.Equal(t, want, isNotProcessed(located(text)), text)
		assert.Equal(t, want, isNotProcessed(errors.New(text)), text)
	}
	assert.False(t, isNotProcessed(nil))
	assert.Equal(t, "refused by the server before it was processed", Describe(located(fmt.Sprintf(retry, "http2: Transport received Server's graceful shutdown GOAWAY"))))
}

func TestRemoteErrorDescribesAFailure(t *testing.T) {
	cause := fmt.Errorf("%s: %w", secret, context.DeadlineExceeded)
	for ended, kind := range map[bool]error{false: flussi.ErrUnavailable, true: flussi.ErrInterrupted} {
		e := RemoteError("appio", "App IO", "get profile", nil, &Failure{Ended: ended, Attempts: make([]Attempt, 2), Err: conceal(cause)})
		assert.Equal(t, kind, e.Kind)
		assert.Equal(t, 2, e.Attempts)
		assert.Equal(t, "timed out", e.Detail)
		assert.ErrorIs(t, e, context.DeadlineExceeded)
		assert.NotContains(t, e.Error(), secret)
	}
	other := errors.New("another error")
	e := RemoteError("appio", "App IO", "get profile", nil, other)
	assert.Equal(t, flussi.ErrUnavailable, e.Kind)
	assert.Equal(t, other, e.Err)
}

func TestSetOutcome(t *testing.T) {
	sent, unsent := &Failure{Sent: true}, &Failure{}
	for name, test := range map[string]struct {
		kind    error
		err     error
		outcome flussi.Outcome
	}{
		"refused data":        {flussi.ErrRemoteInvalid, nil, flussi.OutcomeRefused},
		"refused key":         {flussi.ErrUnauthorized, nil, flussi.OutcomeRefused},
		"forbidden":           {flussi.ErrRemoteForbidden, nil, flussi.OutcomeRefused},
		"not found":           {flussi.ErrRemoteNotFound, nil, flussi.OutcomeRefused},
		"another state":       {flussi.ErrRemoteState, nil, flussi.OutcomeRefused},
		"too many":            {flussi.ErrRateLimited, nil, flussi.OutcomeNotDone},
		"an unclear reply":    {flussi.ErrUnavailable, nil, flussi.OutcomeUnknown},
		"not sent":            {flussi.ErrUnavailable, unsent, flussi.OutcomeNotDone},
		"sent":                {flussi.ErrUnavailable, sent, flussi.OutcomeUnknown},
		"interrupted before":  {flussi.ErrInterrupted, unsent, flussi.OutcomeNotDone},
		"interrupted after":   {flussi.ErrInterrupted, sent, flussi.OutcomeUnknown},
		"an error of another": {flussi.ErrUnavailable, errors.New("another"), flussi.OutcomeUnknown},
	} {
		e := &flussi.RemoteError{Kind: test.kind}
		SetOutcome(e, test.err)
		assert.Equal(t, test.outcome, e.Outcome, name)
		want := test.kind
		if test.outcome == flussi.OutcomeUnknown {
			want = flussi.ErrOutcomeUnknown
		}
		assert.Equal(t, want, e.Kind, name)
	}
}

func TestFromService(t *testing.T) {
	for body, want := range map[string]bool{
		`{"title":"x"}`: true, `{"detail":"x"}`: true, `{"status":404}`: true,
		`{"type":"x"}`: false, `{"statusCode":404,"message":"x"}`: false, `{}`: false, ``: false, `[]`: false,
	} {
		reply := &Reply{Body: []byte(body)}
		assert.Equal(t, want, reply.FromService(), body)
		assert.Equal(t, want || strings.Contains(body, "statusCode"), reply.Problem() != nil, body)
	}
}
