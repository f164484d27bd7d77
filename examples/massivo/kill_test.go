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

// The whole set is go test ./examples/massivo -run Killed -kills 30 -messages 2000 -v
var (
	kills    = flag.Int("kills", 4, "how often a program is killed in each of the tests of killing")
	messages = flag.Int("messages", 400, "how many messages are sent in the tests of killing")
)

// A program that is killed at any point, and started again until it is done, notifies
// nobody twice and loses nobody; what nobody can know is at most twice the workers for each kill.
func TestKilled(t *testing.T) {
	onBoth(t, func(t *testing.T, location string) {
		k := newKilling(t, location, quick())
		k.sendThroughKills(t, 1, nil)
		k.check(t)
	})
}

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

// Four programs send one flow; one or the other is killed, and the database crashes in the
// middle of it.
func TestKilledOneOfFourOnPostgreSQLThatCrashes(t *testing.T) {
	server := pgtest.Start(t)
	k := newKilling(t, server.Database(t), quick())
	k.sendThroughKills(t, 4, func() { server.Restart(t) })
	k.crashes = 4 // a crash of the database may strand what each of the four had in hand
	k.check(t)
}

// killing is a flow that is sent by programs that are killed.
type killing struct {
	trial
	killingConfig
	platform *watched
	random   *rand.Rand
	killed   int
	crashes  int // of programs, besides the kills, that may leave their claims
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

// sendThroughKills sends the flow by several programs at once, kills one of them now and
// then, and starts whatever has ended again, until the flow is sent. In the middle,
// something else goes wrong.
func (k *killing) sendThroughKills(t *testing.T, programs int, midway func()) {
	running := make([]*proctest.Process, programs)
	for i := range running {
		running[i] = k.send(t, k.flow)
	}
	for i := range *kills {
		if i == *kills/2 && midway != nil {
			midway()
		}
		// At a random place of the flow, and at a random moment of what is done there.
		victim := running[k.random.IntN(programs)]
		place := k.platform.requests.After(k.random.IntN(max(1, k.messages / *kills / 3)))
		moment := time.Duration(k.random.Int64N(int64(20 * time.Millisecond)))
		select {
		case <-place:
			select {
			case <-time.After(moment):
			case <-victim.Done:
			}
		case <-victim.Done: // with an error, or because there is nothing left to do
		}
		if victim.Process.Kill() == nil {
			k.killed++
		}
		<-victim.Done
		for j := range running {
			select {
			case <-running[j].Done:
				running[j] = k.send(t, k.flow)
			default:
			}
		}
	}
	for _, p := range running {
		p.Wait(t)
	}
	k.finish(t)
	t.Logf("%d programs, %d killed", programs, k.killed)
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

// check calls count, resolves the unknown outcomes, and calls count again.
func (k *killing) check(t testing.TB) {
	unknown := k.count(t)
	assert.LessOrEqual(t, len(unknown), 2*k.workers*(k.killed+k.crashes))
	t.Logf("%d messages, %d unknown after %d kills, 0 twice, 0 lost", k.messages, len(unknown), k.killed)
	if k.resolve(t, unknown) > 0 {
		k.send(t, k.flow).Ran(t, 0)
	}
	assert.Empty(t, k.count(t))
	assert.Len(t, k.delivered(t), k.messages)
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
