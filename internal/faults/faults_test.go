package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flussi-go/flussi/internal/must"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// operation and kind are those of the simulated platform.
type (
	operation string
	kind      string
)

const put operation = "put"

// allKinds are all of the table of effects.
func allKinds() []kind {
	var all []kind
	for name := range effects {
		if name != "" {
			all = append(all, kind(name))
		}
	}
	slices.Sort(all)
	return all
}

// platform is a simulator that counts how often it did what was asked.
type platform struct {
	*Front[operation, Fault]
	done    int
	refusal *Reply
}

func newPlatform(c Config) *platform {
	c.WrongKey = "Access denied."
	return &platform{Front: New[operation](c, allKinds(), func(f Fault) Fault { return f })}
}

const goodBody = `{"id":"1","notice":"2","name":"x"}`

// ServeHTTP takes the account from the header Key.
func (p *platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.Serve(w, r, func([]byte) (Call[operation], bool) {
		key := r.Header.Get("Key")
		return Call[operation]{Operation: put, KnownKey: key != "", Account: key, Refusal: p.refusal, Answer: func() *Reply {
			p.done++
			reply := Body(http.StatusCreated, "application/json", []byte(goodBody))
			reply.Header.Set("Location", "/things/1")
			return reply
		}}, r.URL.Path == "/things"
	})
}

// call makes a call for an account without a network.
func (p *platform) call(account string) *http.Response {
	return p.request(context.Background(), "/things", account)
}

func (p *platform) request(ctx context.Context, path, account string) *http.Response {
	r := httptest.NewRequestWithContext(ctx, http.MethodPut, path, strings.NewReader("{}"))
	r.Header.Set("Key", account)
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	body := must.Get(io.ReadAll(r.Body))(t)
	return string(body)
}

func TestFaultsAreInjectedInTurnAndThenAtRandom(t *testing.T) {
	p := newPlatform(Config{})
	p.FailAtRandom(put, 1, 1, Fault{Kind: "504"})
	p.Fail(put, Fault{Kind: "400"}, Fault{})
	p.Fail(put, Fault{Kind: "502"})
	p.Fail("another operation", Fault{Kind: "503"})
	var statuses []int
	for range 5 {
		statuses = append(statuses, p.call("a").StatusCode)
	}
	assert.Equal(t, []int{400, 201, 502, 504, 504}, statuses)
	p.FailAtRandom(put, 1, 1)
	assert.Equal(t, 201, p.call("a").StatusCode, "without faults, none is injected")
	p.Fail(put, Fault{Kind: "400"})
	p.FailAtRandom(put, 1, 1, Fault{Kind: "400"})
	p.StopFailing()
	assert.Equal(t, 201, p.call("a").StatusCode)
	assert.Equal(t, 7, p.Received(put))
	assert.Zero(t, p.Received("another operation"))
}

func TestTheSeedPicksTheCallsThatFail(t *testing.T) {
	failed := func(seed uint64) (calls []int) {
		p := newPlatform(Config{})
		p.FailAtRandom(put, 0.3, seed, Fault{Kind: "400"}, Fault{Kind: "500"})
		for i := range 1000 {
			if p.call("a").StatusCode != 201 {
				calls = append(calls, i)
			}
		}
		return calls
	}
	first := failed(1)
	assert.InDelta(t, 300, len(first), 50)
	assert.Equal(t, first, failed(1))
	assert.NotEqual(t, first, failed(2))
}

func TestTheGatewayAnswersBeforeThePlatform(t *testing.T) {
	p := newPlatform(Config{Calls: 1, Window: time.Hour})
	p.Fail(put, Fault{Kind: "500"})
	r := p.request(t.Context(), "/elsewhere", "a")
	assert.Equal(t, 404, r.StatusCode)
	assert.JSONEq(t, `{"statusCode":404,"message":"Resource not found"}`, text(t, r))
	assert.Zero(t, p.Received(put), "there is no such operation")

	r = p.call("")
	assert.Equal(t, 401, r.StatusCode)
	assert.JSONEq(t, `{"statusCode":401,"message":"Access denied."}`, text(t, r))
	assert.Equal(t, 1, p.Received(put))

	p.refusal = Problem(403, "No", "Not you")
	r = p.call("a")
	assert.Equal(t, 403, r.StatusCode)
	assert.Equal(t, "application/problem+json; charset=utf-8", r.Header.Get("Content-Type"))
	assert.JSONEq(t, `{"type":"about:blank","status":403,"title":"No","detail":"Not you"}`, text(t, r))
	assert.Equal(t, 429, p.call("a").StatusCode, "the limit comes before the refusal")
	p.refusal = nil
	assert.Equal(t, 500, p.call("b").StatusCode, "no refusal used the fault up")
	assert.Zero(t, p.done)
}

func TestCallsOfAnAccountAreLimitedInAWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(Config{Calls: 3, Window: 10 * time.Second, RateLimitHeaders: true})
		statuses := func(n int) (all []int) {
			for range n {
				all = append(all, p.call("a").StatusCode)
			}
			return all
		}
		assert.Equal(t, []int{201}, statuses(1))
		time.Sleep(4500 * time.Millisecond)
		assert.Equal(t, []int{201, 201}, statuses(2))
		r := p.call("a")
		assert.Equal(t, 429, r.StatusCode)
		assert.Equal(t, "6", r.Header.Get("Retry-After"), "5.5 s, in whole seconds")
		assert.Equal(t, "6", r.Header.Get("X-Rate-Limit-Retry-After"))
		assert.Equal(t, "0", r.Header.Get("X-Rate-Limit-Remaining"))
		assert.Contains(t, text(t, r), `"statusCode":429`)
		assert.Equal(t, 201, p.call("b").StatusCode, "another account")
		time.Sleep(5499 * time.Millisecond)
		assert.Equal(t, []int{429}, statuses(1))
		time.Sleep(time.Millisecond)
		assert.Equal(t, []int{201, 429}, statuses(2), "one call left the window")
		assert.Equal(t, 3, p.Limited())
		assert.Equal(t, 8, p.Received(put))
	})
	unlimited := newPlatform(Config{})
	for range 1000 {
		assert.Equal(t, 201, unlimited.call("a").StatusCode)
	}
}

func TestRateLimitHeadersAreOptional(t *testing.T) {
	p := newPlatform(Config{})
	p.Fail(put, Fault{Kind: "429", RetryAfter: 1500 * time.Millisecond}, Fault{Kind: "429"}, Fault{Kind: "429 bare"})
	r := p.call("a")
	assert.Equal(t, "2", r.Header.Get("Retry-After"))
	assert.Empty(t, r.Header.Get("X-Rate-Limit-Retry-After"))
	assert.Equal(t, "1", p.call("a").Header.Get("Retry-After"))
	r = p.call("a")
	assert.Equal(t, 429, r.StatusCode)
	assert.Empty(t, r.Header.Get("Retry-After")+text(t, r))
	assert.Zero(t, p.Limited(), "none was one too many")
}

// Every kind over a real connection: what the client gets, and whether the platform did what was
// asked.
func TestEveryKind(t *testing.T) {
	const problem, gateway = `"title":"Injected fault"`, `"statusCode":`
	wants := map[kind]struct {
		status int    // 0 for a connection that breaks
		body   string // that the body contains; the whole body if it is ""
		always bool   // it is done, whatever Stored says
		either bool   // it is done if it is Stored
	}{
		"307":            {status: 307},
		"400":            {status: 400, body: problem},
		"401":            {status: 401, body: gateway},
		"403":            {status: 403, body: problem},
		"404":            {status: 404, body: problem},
		"404 gateway":    {status: 404, body: gateway},
		"409":            {status: 409, body: problem},
		"422":            {status: 422, body: problem},
		"429":            {status: 429, body: gateway},
		"429 bare":       {status: 429},
		"500":            {status: 500, either: true},
		"500 problem":    {status: 500, body: problem, either: true},
		"502":            {status: 502, body: "<html>", either: true},
		"503":            {status: 503, body: gateway, either: true},
		"504":            {status: 504, either: true},
		"slow":           {status: 201, body: goodBody, always: true},
		"silent":         {either: true},
		"reset":          {either: true},
		"truncated":      {always: true},
		"cut body":       {always: true},
		"cut unseen":     {status: 201, body: goodBody[:len(goodBody)/2], always: true},
		"garbled":        {status: 201, body: "?" + goodBody[:len(goodBody)/2], always: true},
		"huge":           {status: 201, body: goodBody, always: true},
		"other ID":       {status: 201, body: `,"name":"x"}`, always: true},
		"no ID":          {status: 201, always: true},
		"ID in Location": {status: 201, always: true},
	}
	assert.ElementsMatch(t, allKinds(), slices.Collect(maps.Keys(wants)))
	for name, want := range wants {
		for _, stored := range []bool{false, true} {
			fault := Fault{Kind: string(name), Stored: stored}
			t.Run(fault.String(), func(t *testing.T) {
				p := newPlatform(Config{})
				p.Fail(put, fault)
				url, end := Listen(p)
				defer end()
				patience := 30 * time.Second
				if name == "silent" {
					patience = 100 * time.Millisecond
				}
				status, body, err := send(t, url, patience)
				if want.status == 0 {
					assert.Error(t, err)
				} else {
					require.NoError(t, err)
					assert.Equal(t, want.status, status)
				}
				if want.body == "" && name != "cut body" {
					assert.Empty(t, body)
				}
				assert.Contains(t, body, want.body)
				if name == "reset" {
					assert.ErrorIs(t, err, syscall.ECONNRESET)
				}
				end() // waits for the handler
				done := want.always || want.either && stored
				assert.Equal(t, done, p.done == 1)
				assert.Equal(t, done, fault.ExecutesCall())
			})
		}
	}
}

// send makes a call over a connection of its own.
func send(t *testing.T, url string, patience time.Duration) (status int, body string, err error) {
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r := must.Get(http.NewRequest(http.MethodPut, url+"/things", strings.NewReader("{}")))(t)
	r.Header.Set("Key", "a")
	resp, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	whole, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(whole), err
}

func TestReplies(t *testing.T) {
	p := newPlatform(Config{})
	after := func(name string) *http.Response {
		p.Fail(put, Fault{Kind: name})
		return p.call("a")
	}
	assert.Equal(t, "/things/elsewhere", after("307").Header.Get("Location"))
	assert.Equal(t, "/things/1", after("slow").Header.Get("Location"))
	assert.Equal(t, "/things/1", after("ID in Location").Header.Get("Location"))
	assert.Empty(t, after("no ID").Header.Get("Location"))
	assert.Len(t, text(t, after("huge")), len(goodBody)+16<<20)
	var fields map[string]string
	require.NoError(t, json.Unmarshal([]byte(text(t, after("other ID"))), &fields))
	assert.Len(t, fields["id"], 36)
	assert.Equal(t, fields["id"], fields["notice"])
	for _, name := range []string{"500 problem", "502", "503", "504", "500"} {
		before := after(name)
		p.Fail(put, Fault{Kind: name, Stored: true})
		stored := p.call("a")
		assert.Equal(t, before.Header, stored.Header, "%s does not show whether it was stored", name)
		assert.Equal(t, text(t, before), text(t, stored), name)
	}
}

func TestACutReplyHasItsHeaders(t *testing.T) {
	for name, length := range map[string]int64{"cut body": int64(len(goodBody)), "cut unseen": -1} {
		p := newPlatform(Config{})
		p.Fail(put, Fault{Kind: name})
		url, end := Listen(p)
		r := must.Get(http.NewRequest(http.MethodPut, url+"/things", bytes.NewReader(nil)))(t)
		r.Header.Set("Key", "a")
		resp := must.Get(http.DefaultClient.Do(r))(t)
		assert.Equal(t, 201, resp.StatusCode)
		assert.Equal(t, length, resp.ContentLength)
		assert.Equal(t, "/things/1", resp.Header.Get("Location"))
		assert.Equal(t, "application/json", resp.Header.Get("Content-Type"))
		body, err := io.ReadAll(resp.Body)
		assert.Equal(t, goodBody[:len(goodBody)/2], string(body))
		assert.Equal(t, length > 0, errors.Is(err, io.ErrUnexpectedEOF))
		require.NoError(t, resp.Body.Close())
		end()
	}
}

func TestAnUnknownKindIsAnsweredWith501(t *testing.T) {
	p := &platform{Front: New[operation](Config{}, []kind{"400"}, func(f Fault) Fault { return f })}
	p.Fail(put, Fault{Kind: "409", Stored: true}, Fault{Kind: "new"}, Fault{}, Fault{Kind: "400"})
	for _, want := range []int{501, 501, 201, 400} {
		assert.Equal(t, want, p.call("a").StatusCode)
	}
	assert.Equal(t, 1, p.done)
}

func TestADelayEndsWithTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(Config{})
		p.Fail(put, Fault{Kind: "slow", Delay: time.Minute}, Fault{Kind: "slow", Delay: time.Hour})
		start := time.Now()
		assert.Equal(t, 201, p.call("a").StatusCode)
		assert.Equal(t, time.Minute, time.Since(start))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		p.request(ctx, "/things", "a")
		assert.Equal(t, time.Minute+time.Second, time.Since(start))
		assert.Equal(t, 1, p.done, "the client left before the platform acted")
	})
}

func TestEachYieldsOpenKindsTwiceAndFirst(t *testing.T) {
	var all []Fault
	for k, stored := range Each([]kind{"400", "reset", "slow", "500"}) {
		all = append(all, Fault{Kind: string(k), Stored: stored})
	}
	assert.Equal(t, []Fault{
		{Kind: "reset"}, {Kind: "reset", Stored: true}, {Kind: "500"}, {Kind: "500", Stored: true}, {Kind: "400"}, {Kind: "slow"},
	}, all)
	for range Each([]kind{"reset"}) {
		break
	}
	for range Each([]kind{"400", "403"}) {
		break
	}
	assert.Equal(t, "reset (stored)", Fault{Kind: "reset", Stored: true}.String())
	assert.Equal(t, "400", Fault{Kind: "400"}.String())
}
