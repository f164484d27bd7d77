package restcall

import (
	"io"
	"net/http"
	"net/http/httptrace"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// lost ends an attempt on a connection that was closed after the request was written.
func lost(reused bool) step {
	return func(r *http.Request) (*http.Response, error) {
		trace := httptrace.ContextClientTrace(r.Context())
		trace.GetConn("")
		trace.GotConn(httptrace.GotConnInfo{Reused: reused})
		trace.WroteHeaders()
		return nil, io.EOF
	}
}

// kept answers, and notes whether the connection is kept; on a connection that was used before.
func kept(all *[]bool) step {
	return func(r *http.Request) (*http.Response, error) {
		httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{Reused: true})
		*all = append(*all, !r.Close)
		return answers(201, "{}")(r)
	}
}

func TestConnectionsAreNotKeptAfterOneWasLost(t *testing.T) {
	for name, test := range map[string]struct {
		first step
		keeps bool
	}{
		"a used connection was lost": {lost(true), false},
		"a new connection was lost":  {lost(false), true},
		"no connection":              {fails(io.EOF, false), true},
		"an answer":                  {answers(500, ""), true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var all []bool
				e, _ := engine(script(test.first, kept(&all)))
				e.Client.Transport = asNative(e.Client.Transport)
				_, _ = e.Do(t.Context(), operation(IfNotSent))
				_, _ = e.Do(t.Context(), operation(IfNotSent))
				assert.Equal(t, []bool{test.keeps}, all)
			})
		})
	}
}

// asNative makes an engine take a transport for net/http's own.
func asNative(t http.RoundTripper) http.RoundTripper {
	own, _ := t.(roundTripper)
	own.native = true
	return own
}

func TestConnectionsAreTriedAgainOneByOne(t *testing.T) {
	r := &reuse{}
	at := time.Date(2026, 11, 30, 22, 0, 0, 0, time.UTC)
	assert.True(t, r.keeps(at))
	assert.Equal(t, time.Minute, r.lost(at))
	assert.Zero(t, r.lost(at), "others that were under way")
	assert.False(t, r.keeps(at.Add(time.Minute-1)))

	at = at.Add(time.Minute)
	assert.True(t, r.keeps(at))
	assert.False(t, r.keeps(at.Add(time.Second-1)), "one at a time")
	assert.True(t, r.keeps(at.Add(time.Second)))
	assert.Equal(t, 2*time.Minute, r.lost(at.Add(time.Second)), "longer each time")
	for want := 4 * time.Minute; want < longestPause; want *= 2 {
		at = r.resumeAt
		assert.Equal(t, want, r.lost(at))
	}
	at = r.resumeAt
	assert.Equal(t, longestPause, r.lost(at))

	at = r.resumeAt
	for range neededProofs {
		first, second := r.keeps(at), r.keeps(at)
		assert.False(t, first && second)
		r.proved(at)
		at = at.Add(tryInterval)
	}
	first, second := r.keeps(at), r.keeps(at)
	assert.True(t, first && second, "all, as at first")
	assert.Equal(t, longestPause, r.lost(at), "it was only a pause")
	at = r.resumeAt.Add(longestPause)
	assert.Equal(t, firstPause, r.lost(at), "long ago")
}
