package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/examples/internal/proctest"
	"github.com/flussi-go/flussi/examples/internal/storage"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
)

// examples/harness kills more; this is for a benchmark and for imports beside sendings.
var (
	kills    = flag.Int("kills", 4, "how often a program is killed in each of the tests of killing")
	messages = flag.Int("messages", 400, "how many messages are sent in the tests of killing")
)

// newDatabases makes a new database of each kind.
var newDatabases = map[string]func(t testing.TB) string{
	"SQLite":     func(t testing.TB) string { return filepath.Join(t.TempDir(), "massivo.db") },
	"PostgreSQL": func(t testing.TB) string { return pgtest.Start(t).Database(t) },
}

// onBoth runs a test on a new database of each kind.
func onBoth(t *testing.T, test func(t *testing.T, location string)) {
	for name, database := range newDatabases {
		t.Run(name, func(t *testing.T) { test(t, database(t)) })
	}
}

// killing is a flow that is sent by programs that are killed.
type killing struct {
	trial
	killingConfig
	platform *watched
	random   *rand.Rand
	killed   int
}

// killingConfig says how a flow is sent.
type killingConfig struct {
	messages int
	limit    int             // of the calls that a program makes in 5 seconds; 0: any number
	latency  []time.Duration // of the platform, at random
	lease    time.Duration
	workers  int // of each program
}

// quick returns the configuration of a flow with a short latency, and without a limit of calls.
func quick() killingConfig {
	return killingConfig{
		messages: *messages, latency: []time.Duration{5 * time.Millisecond, 25 * time.Millisecond}, lease: 3 * time.Second, workers: 16,
	}
}

// watched is a simulator, and the requests that come to it.
type watched struct {
	*appiotest.Simulator
	requests *proctest.Arrivals
	URL      string
}

func watch(t testing.TB) *watched {
	simulator := appiotest.New(appiotest.Config{Unlimited: true})
	requests := &proctest.Arrivals{Handler: simulator}
	server := httptest.NewServer(requests)
	t.Cleanup(server.Close)
	return &watched{simulator, requests, server.URL + appiotest.BasePath}
}

func newKilling(t testing.TB, store string, c killingConfig) *killing {
	k := &killing{platform: watch(t), killingConfig: c}
	k.trial = trial{store: store, url: k.platform.URL, calls: c.limit}
	k.platform.AddService(appiotest.Service{ID: sandboxService, Key: sandboxKey})
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	k.random = rand.New(rand.NewPCG(seed, 0))
	var slow []appiotest.Fault
	for _, latency := range c.latency {
		slow = append(slow, appiotest.Fault{Kind: appiotest.Slow, Delay: latency})
	}
	k.platform.FailAtRandom(appiotest.SubmitMessage, 1, seed, slow...)
	k.imports(t, c.messages)
	return k
}

// send starts a program that sends a flow.
func (k *killing) send(t testing.TB, flow string) *proctest.Process {
	return k.start(t, "send", flow, "--lease", k.lease.String(), "--workers", fmt.Sprint(k.workers))
}

// finish sends what the killed programs left, as quickly as possible.
func (k *killing) finish(t testing.TB) {
	k.calls = 0
	last := k.send(t, k.flow)
	code := last.Wait(t)
	require.Contains(t, []int{0, 1, exitIncomplete}, code, last.Output())
}

// count compares the store with the messages that citizens received. Nobody may have received a
// message twice, and a notification without a message must have an unknown outcome. It returns the
// notifications whose outcome is unknown.
func (k *killing) count(t testing.TB) (unknown []flow.Notification) {
	got := k.delivered(t)
	all := k.notifications(t, flow.NotificationFilter{})
	for _, n := range all {
		switch {
		case n.State == flow.NotificationSent:
			assert.Equal(t, 1, got[n.Recipient], "%s is Inviato", n.ID)
		case n.Transmission.ErrorCode == flow.CodeOutcomeUnknown:
			unknown = append(unknown, n)
		default:
			assert.Fail(t, "lost", "%s is %s %s", n.ID, n.State, n.Transmission.ErrorCode)
		}
	}
	assert.Len(t, all, k.messages)
	return unknown
}

// delivered returns how many messages each citizen got: never more than one.
func (k *killing) delivered(t testing.TB) map[flussi.FiscalCode]int {
	got := map[flussi.FiscalCode]int{}
	for _, d := range k.platform.Deliveries() {
		got[d.Recipient]++
		assert.LessOrEqual(t, got[d.Recipient], 1, "notified twice")
	}
	return got
}

// resolve resolves unknown outcomes as an operator does who knows what was delivered. It returns
// how many are to be sent again.
func (k *killing) resolve(t testing.TB, unknown []flow.Notification) int {
	delivered := k.delivered(t)
	var have, lack []string
	for _, n := range unknown {
		if delivered[n.Recipient] > 0 {
			have = append(have, n.ID.String())
		} else {
			lack = append(lack, n.ID.String())
		}
	}
	for some := range slices.Chunk(have, 500) {
		k.start(t, append([]string{"resolve", "--sent", "--reason", "arrivata"}, some...)...).Ran(t, 0)
	}
	for some := range slices.Chunk(lack, 500) {
		k.start(t, append([]string{"resolve", "--resend", "--reason", "non arrivata"}, some...)...).Ran(t, 0)
	}
	return len(lack)
}

// notifications returns those of the store that match a filter.
func (k *killing) notifications(t testing.TB, filter flow.NotificationFilter) []flow.Notification {
	store := must.Get(storage.Open(t.Context(), k.store))(t)
	defer store.Close()
	return readAll(t, store, filter)
}

func readAll(t testing.TB, store storage.Store, filter flow.NotificationFilter) (all []flow.Notification) {
	page := flow.Page{Limit: flow.MaxPage, OldestFirst: true}
	for {
		found := must.Get(store.Notifications(t.Context(), filter, page))(t)
		all = append(all, found...)
		if len(found) < page.Limit {
			return all
		}
		page.After = found[len(found)-1].Cursor()
	}
}
