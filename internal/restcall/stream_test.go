package restcall

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/flussi-go/flussi/internal/must"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func streaming(limit int64) Operation {
	return Operation{Name: "get file", Method: http.MethodGet, Path: "/files/" + secret, Stream: limit, Header: http.Header{"Accept": {"application/pdf"}}}
}

// broken is a body that ends with an error, and remembers whether it was closed.
type broken struct {
	io.Reader
	closed bool
}

func (b *broken) Close() error { b.closed = true; return nil }

func streams(body io.ReadCloser) step {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: body, ContentLength: -1, Request: r}, nil
	}
}

func TestAStreamIsLeftToTheCaller(t *testing.T) {
	for name, test := range map[string]struct {
		text  string
		limit int64
		want  string
		err   error
	}{
		"all of it":          {"0123456789", 100, "0123456789", nil},
		"just as much":       {"0123456789", 10, "0123456789", nil},
		"one byte too many":  {"0123456789", 9, "012345678", ErrTooLarge},
		"far too many bytes": {strings.Repeat("x", 5000), 10, "xxxxxxxxxx", ErrTooLarge},
		"more than MaxBody":  {strings.Repeat("x", 2000), 5000, strings.Repeat("x", 2000), nil},
		"nothing":            {"", 10, "", nil},
	} {
		for kind, wrap := range map[string]func(io.Reader) io.Reader{"": func(r io.Reader) io.Reader { return r }, " by bytes": iotest.OneByteReader, " and the end": iotest.DataErrReader} {
			t.Run(name+kind, func(t *testing.T) {
				body := &broken{Reader: wrap(strings.NewReader(test.text))}
				e, _ := engine(script(streams(body)))
				reply := must.Get(e.Do(t.Context(), streaming(test.limit)))(t)
				require.NotNil(t, reply.Stream)
				assert.Empty(t, reply.Body)
				assert.Len(t, reply.Attempts, 1)
				n, err := reply.Stream.Read(nil)
				assert.True(t, n == 0 && err == nil, "no byte asked for, none given")
				got, err := io.ReadAll(reply.Stream)
				assert.Equal(t, test.want, string(got))
				assert.ErrorIs(t, err, test.err)
				n, err = reply.Stream.Read(make([]byte, 10))
				assert.Zero(t, n)
				assert.Error(t, err, "what ended stays ended")
				assert.False(t, body.closed)
				require.NoError(t, reply.Stream.Close())
				assert.True(t, body.closed)
			})
		}
	}
}

func TestAStreamThatBreaksSaysSoWithoutAWordFromElsewhere(t *testing.T) {
	for text, cause := range map[string]error{
		"connection closed":                   io.ErrUnexpectedEOF,
		"timed out":                           fmt.Errorf("%s: %w", secret, context.DeadlineExceeded),
		"transport error *errors.errorString": errors.New(secret),
	} {
		body := &broken{Reader: io.MultiReader(strings.NewReader("01234"), iotest.ErrReader(cause))}
		e, _ := engine(script(streams(body)))
		reply := must.Get(e.Do(t.Context(), streaming(100)))(t)
		got, err := io.ReadAll(reply.Stream)
		assert.Equal(t, "01234", string(got))
		assert.ErrorIs(t, err, cause)
		assert.EqualError(t, err, text)
		assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), secret)
		_, again := reply.Stream.Read(make([]byte, 1))
		assert.ErrorIs(t, again, cause)
	}
	body := &broken{Reader: strings.NewReader("01234")}
	e, _ := engine(script(streams(body)))
	reply := must.Get(e.Do(t.Context(), streaming(100)))(t)
	require.NoError(t, reply.Stream.Close())
	_, err := reply.Stream.Read(make([]byte, 1))
	assert.Error(t, err, "nothing is read of what is closed")
	assert.NotErrorIs(t, err, io.EOF)
}

// Until there is a stream, an operation is repeated as any other, and what is no 200 is read.
func TestOnlyAReplyWithStatus200IsAStream(t *testing.T) {
	body := &broken{Reader: strings.NewReader("file")}
	transport := script(answers(429, ""), answers(502, "<html>"), streams(body))
	e, _ := engine(transport)
	e.MinWait = time.Millisecond
	reply := must.Get(e.Do(t.Context(), streaming(100)))(t)
	assert.Equal(t, 3, transport.calls)
	assert.Len(t, reply.Attempts, 3)
	require.NotNil(t, reply.Stream)
	for _, status := range []int{201, 204, 206, 302, 404} {
		e, _ := engine(script(answers(status, "said")))
		reply := must.Get(e.Do(t.Context(), streaming(100)))(t)
		assert.Nil(t, reply.Stream, status)
		assert.Equal(t, "said", string(reply.Body), status)
	}
	// And the other way round: nobody gets a stream who did not ask for one.
	e, _ = engine(script(answers(200, "said")))
	reply = must.Get(e.Do(t.Context(), operation(AfterFailure)))(t)
	assert.Nil(t, reply.Stream)
	assert.Equal(t, "said", string(reply.Body))
}

// Over a real connection: the context and the client's Timeout bound the reading too, and a
// stream that is closed early leaves nothing open.
func TestTheReadingOfAStreamIsBounded(t *testing.T) {
	gone := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "application/pdf", r.Header.Get("Accept"))
		assert.Equal(t, secret, r.Header.Get("Key"), "the operation's own headers are besides")
		_, _ = io.WriteString(w, "begin")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		gone <- struct{}{}
	}))
	defer server.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	open := func(ctx context.Context, patience time.Duration) *Reply {
		e, _ := engine(transport)
		base := must.Get(e.Base.Parse(server.URL))(t)
		e.Base, e.Client = base, Isolate(&http.Client{Transport: transport, Timeout: patience})
		reply := must.Get(e.Do(ctx, streaming(100)))(t)
		begin := make([]byte, 5)
		must.Get(io.ReadFull(reply.Stream, begin))(t)
		assert.Equal(t, "begin", string(begin))
		return reply
	}
	ctx, cancel := context.WithCancel(t.Context())
	reply := open(ctx, time.Minute)
	cancel()
	_, err := io.ReadAll(reply.Stream)
	assert.ErrorIs(t, err, context.Canceled)
	<-gone
	_, err = io.ReadAll(open(t.Context(), 200*time.Millisecond).Stream)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	<-gone
	require.NoError(t, open(t.Context(), time.Minute).Stream.Close())
	<-gone
}

func TestWhereAnEngineMayBe(t *testing.T) {
	for text, fault := range map[string]string{
		"https://api.example.it/v1":  "",
		"https://api.example.it/v1/": "",
		"http://localhost:80/v1":     "",
		"http://127.0.0.1/v1":        "",
		"http://[::1]/v1":            "",
		"http://api.example.it":      "without TLS",
		"":                           "no BaseURL",
		"api.example.it":             "not an http or https URL",
		"ftp://api.example.it":       "not an http or https URL",
		"https://u:p@api.example.it": "no user",
		"https://api.example.it?x=1": "query",
		"https://api.example.it#x":   "fragment",
	} {
		base, err := parseBase(text, false)
		if fault == "" {
			require.NoError(t, err, text)
			assert.False(t, strings.HasSuffix(base.Path, "/"))
			continue
		}
		require.ErrorContains(t, err, fault, text)
		assert.NotContains(t, err.Error(), "u:p")
	}
	_, err := parseBase("http://api.example.it", true)
	assert.NoError(t, err)
	assert.Same(t, defaultClient(), defaultClient())
}
