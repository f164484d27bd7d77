package flow_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
)

const (
	crashEnv     = "FLUSSI_CRASH"  // makes this test binary a process that is to be killed
	crashBatch   = 8               // twice the workers
	crashLease   = 6 * time.Second // is waited for near the end
	crashTimeout = 4 * time.Second // of the HTTP clients; less than three quarters of the lease
	crashAfter   = 24              // submissions at most, after which the time has come to be killed
	crashTotal   = 1750            // notifications: enough for 31 processes that claim crashAfter and two batches more

	crashPatience = 80 * time.Second // with a process that does not come to where it is killed
)

// Processes that send a flow, over a store that they share, are killed: 30 of them at
// random, before, during and after calls to the platform and to the store, many of them
// while another one works; then four more, one after the other, in the middle of a claim,
// of the recovery, and of the conclusion of the flow.
//
// Nobody is notified twice, nobody is lost, Inviato is only what the platform accepted, and
// what has an unknown outcome is exactly what the killed processes had claimed: at most
// twice its workers each. Once an operator has resolved that, everybody was notified once.
func TestACrashNotifiesNobodyTwiceAndLosesNobody(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	w := newWorld(t, unlimited)
	c := &crash{world: w, id: w.sending(t, crashTotal).ID, over: make(chan struct{}), left: map[uuid.UUID]string{}}
	c.end = sync.OnceFunc(func() { close(c.over) })

	for blows := randomBlows(random); len(blows) > 0; {
		n := min(1+random.IntN(2), len(blows))
		c.round(t, blows[:n]...)
		blows = blows[n:]
	}
	c.round(t, blow{call: "Claim", moment: unanswered})
	c.round(t, blow{call: "Recover", moment: unanswered})
	c.round(t, blow{call: "SaveFlow", moment: ignored})
	f := w.flow(t, c.id)
	require.Equal(t, flow.FlowSending, f.State, "the one who would have concluded the flow is dead")
	require.Zero(t, f.Counts.Pending())
	c.round(t, blow{call: "SaveFlow", moment: unanswered})

	// What dead processes had sent arrives at last.
	c.end()
	for _, v := range c.victims {
		v.platform.Close()
	}
	f, err := w.dispatcher(t, flow.DispatcherConfig{ID: "last"}).Run(t.Context(), c.id)
	require.NoError(t, err)
	unknown := c.check(t)
	assert.Equal(t, flow.FlowIncomplete, f.State)
	assert.Equal(t, map[flow.FlowAction]int{flow.FlowSend: 1, flow.FlowEndIncomplete: 1}, c.steps(t))
	assert.Equal(t, flow.Counts{Sent: crashTotal - len(unknown), Failed: len(unknown)}, f.Counts)
	assert.LessOrEqual(t, len(unknown), len(c.victims)*crashBatch)
	for _, n := range unknown {
		delete(c.left, n.ID)
	}
	assert.Zero(t, len(c.left), "without an unknown outcome, though a killed process had claimed them")

	delivered, confirmed := w.delivered(), 0
	for _, n := range unknown {
		if delivered[n.Recipient] == 1 {
			confirmed++
			_, err = w.ConfirmNotification(t.Context(), operator, n.ID, "Il cittadino l'ha ricevuto.")
		} else {
			_, err = w.ResendNotification(t.Context(), operator, n.ID, "Il cittadino non l'ha ricevuto.")
		}
		require.NoError(t, err)
	}
	assert.NotZero(t, confirmed, "some were killed after the platform had accepted")
	assert.NotZero(t, len(unknown)-confirmed, "some were killed before")
	do(t, w.SendFlow, c.id)
	f = w.dispatch(t, c.id, flow.DispatcherConfig{ID: "last"})
	assert.Equal(t, flow.FlowSent, f.State)
	assert.Equal(t, flow.Counts{Sent: crashTotal}, f.Counts)
	assert.Equal(t, map[flow.FlowAction]int{flow.FlowSend: 2, flow.FlowEndIncomplete: 1, flow.FlowComplete: 1}, c.steps(t))
	assert.Zero(t, len(c.check(t)))
	assert.Equal(t, crashTotal, len(w.delivered()))
	assert.Equal(t, crashTotal, len(w.Deliveries()))

	most := 0
	for _, v := range c.victims {
		most = max(most, len(v.left))
	}
	t.Logf("seed %d: %d kills, %d unknown, at most %d of one process, %d of them delivered",
		seed, len(c.victims), len(unknown), most, confirmed)
}

// blow says when a process is killed: at its first call of a kind once it has made a number
// of submissions.
type blow struct {
	call   string // a method of the store; "Submit", to the platform; or "Recover", a SaveNotifications of what was not accepted
	moment moment // of the call
	after  int    // submissions
}

// moment is a moment of a call.
type moment string

const (
	ignored    moment = "when it arrives, and it is never acted on"
	belated    moment = "when it arrives, and it is acted on after that"
	unanswered moment = "when it was acted on, before the answer"
	answered   moment = "right after the answer"
)

func (b blow) String() string {
	return fmt.Sprintf("killed at a %s after %d submissions, %s", b.call, b.after, b.moment)
}

// randomBlows returns 30 blows: every moment of every call that writes, and two calls that
// read, in random order and after random numbers of submissions.
func randomBlows(random *rand.Rand) []blow {
	blows := []blow{{call: "Flow", moment: ignored}, {call: "Expired", moment: answered}}
	for _, call := range []string{"Submit", "Submit", "Submit", "Claim", "Claim", "SaveNotifications", "SaveNotifications"} {
		for _, moment := range []moment{ignored, belated, unanswered, answered} {
			blows = append(blows, blow{call, moment, random.IntN(crashAfter + 1)})
		}
	}
	random.Shuffle(len(blows), func(i, j int) { blows[i], blows[j] = blows[j], blows[i] })
	return blows
}

// crash is a flow whose senders are killed.
type crash struct {
	*world
	id      uuid.UUID
	victims []*victim
	left    map[uuid.UUID]string // what a killed process left In invio: its ID
	over    chan struct{}        // closed when what is belated arrives
	end     func()               // closes it
}

// victim is a process that sends the flow and is killed.
type victim struct {
	blow
	id       string
	over     chan struct{}
	platform *httptest.Server // of its own, as is the store: when they are closed, nothing that it sent is on its way
	store    *httptest.Server
	process  *exec.Cmd
	output   bytes.Buffer
	started  chan struct{}
	dead     chan struct{}
	buried   chan struct{} // the store is closed, and left is known
	left     []flow.Notification
	err      error

	mu          sync.Mutex
	submissions int
	struck      bool
}

// victimConfig is what the process is told.
type victimConfig struct {
	ID, Platform, Store string
	Flow                uuid.UUID
	Serve               bool // all flows, instead of running this one
}

// round starts processes at the same time, and waits until each is killed.
func (c *crash) round(t *testing.T, blows ...blow) {
	t.Helper()
	begun := len(c.victims)
	for _, b := range blows {
		c.start(t, b)
	}
	for _, v := range c.victims[begun:] {
		select {
		case <-v.buried:
		case <-time.After(crashPatience):
			require.Fail(t, "a process does not come to where it is killed", "%s: %s\n%s", v.id, v.blow, v.tail())
		}
		require.NoError(t, v.err)
		require.True(t, v.isStruck(), "%s ended by itself, before it was %s\n%s", v.id, v.blow, v.tail())
		require.NotContains(t, v.tail(), "DATA RACE")
		require.LessOrEqual(t, len(v.left), crashBatch, "%s left more than twice its workers: %s", v.id, v.blow)
		for _, n := range v.left {
			require.Empty(t, c.left[n.ID], "claimed twice")
			c.left[n.ID] = v.id
		}
	}
}

// start starts a process.
func (c *crash) start(t *testing.T, b blow) {
	t.Helper()
	v := &victim{
		blow: b, id: fmt.Sprintf("victim-%02d", len(c.victims)+1), over: c.over,
		started: make(chan struct{}), dead: make(chan struct{}), buried: make(chan struct{}),
	}
	v.platform = httptest.NewServer(v.watch(c.Simulator))
	v.store = httptest.NewServer(v.watch(serveStore(c.store)))
	config := must.Get(json.Marshal(victimConfig{
		ID: v.id, Platform: v.platform.URL + appiotest.BasePath, Store: v.store.URL, Flow: c.id, Serve: len(c.victims)%3 == 2,
	}))(t)
	v.process = exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashVictim$", "-test.v")
	v.process.Env = append(os.Environ(), crashEnv+"="+string(config))
	v.process.Stdout, v.process.Stderr = &v.output, &v.output
	_, err := v.process.StdinPipe() // by which it sees whether we are alive
	require.NoError(t, err)
	require.NoError(t, v.process.Start())
	close(v.started)
	c.victims = append(c.victims, v)
	go func() {
		_ = v.process.Wait()
		close(v.dead)
		v.store.Close()
		v.left, v.err = c.store.Notifications(context.Background(), flow.NotificationFilter{
			Flow: c.id, States: []flow.NotificationState{flow.NotificationSending}, User: v.id,
		}, flow.Page{Limit: flow.MaxPage})
		if v.moment != belated {
			v.platform.Close()
		}
		close(v.buried)
	}()
	t.Cleanup(func() {
		v.kill()
		<-v.buried
		c.end()
		v.platform.Close()
	})
}

// watch kills the process when the time has come.
func (v *victim) watch(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // it died while it was writing
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		call := callOf(r, body)
		if !v.due(call) {
			handler.ServeHTTP(w, r)
			return
		}
		r = r.WithContext(context.WithoutCancel(r.Context())) // which ends with the connection
		switch v.moment {
		case ignored:
			v.kill()
		case belated:
			v.kill()
			if call == "Submit" {
				<-v.over
			}
			handler.ServeHTTP(w, r)
		case unanswered:
			handler.ServeHTTP(httptest.NewRecorder(), r)
			v.kill()
		case answered:
			handler.ServeHTTP(w, r)
			_ = http.NewResponseController(w).Flush()
			v.kill()
		}
	})
}

// callOf names a call.
func callOf(r *http.Request, body []byte) string {
	method := path.Base(r.URL.Path)
	switch method {
	case "messages":
		return "Submit"
	case "SaveNotifications":
		var call storeCall
		if json.Unmarshal(body, &call) == nil && slices.ContainsFunc(call.Changes, func(change flow.NotificationChange) bool {
			return change.Notification.Transmission.MessageID == ""
		}) {
			return "Recover"
		}
	}
	return method
}

// due reports whether the process is to be killed now, which is so once.
func (v *victim) due(call string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	due := !v.struck && call == v.call && v.submissions >= v.after
	v.struck = v.struck || due
	if call == "Submit" {
		v.submissions++
	}
	return due
}

func (v *victim) isStruck() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.struck
}

// kill kills the process, and returns when it is dead.
func (v *victim) kill() {
	<-v.started
	_ = v.process.Process.Kill()
	<-v.dead
}

// tail returns the end of what the process, which is dead, has printed.
func (v *victim) tail() string {
	select {
	case <-v.dead:
		out := v.output.String()
		return out[max(0, len(out)-4000):]
	default:
		return "(still alive)"
	}
}

// steps counts the steps of the flow's sendings and what became of them.
func (c *crash) steps(t *testing.T) map[flow.FlowAction]int {
	t.Helper()
	history := must.Get(c.store.FlowHistory(t.Context(), c.id))(t)
	steps := map[flow.FlowAction]int{}
	for _, record := range history {
		switch record.Action {
		case flow.FlowSend, flow.FlowComplete, flow.FlowEndIncomplete, flow.FlowStop:
			steps[record.Action]++
		}
	}
	return steps
}

// check checks all notifications against the platform, and returns those whose outcome is
// unknown.
func (c *crash) check(t *testing.T) []flow.Notification {
	t.Helper()
	accepted := map[appio.MessageID]flussi.FiscalCode{}
	for _, d := range c.Deliveries() {
		accepted[appio.MessageID(d.ID)] = d.Recipient
	}
	delivered := c.delivered()
	var unknown []flow.Notification
	var twice, unsent, lost, unexplained int
	for _, n := range c.notifications(t, c.id) {
		if delivered[n.Recipient] > 1 {
			twice++
		}
		id := n.Transmission.MessageID
		switch {
		case n.State == flow.NotificationFailed && n.Transmission.ErrorCode == flow.CodeOutcomeUnknown:
			unknown = append(unknown, n)
			if c.left[n.ID] == "" && !c.slow(t, n) {
				unexplained++
			}
		case n.State != flow.NotificationSent:
			lost++
		case delivered[n.Recipient] == 0 || id != "" && accepted[id] != n.Recipient:
			unsent++
		}
	}
	assert.Zero(t, twice, "citizens who were notified twice")
	assert.Zero(t, unsent, "Inviato, though the platform did not accept it")
	assert.Zero(t, lost, "neither Inviato nor with an unknown outcome")
	assert.Zero(t, unexplained, "with an unknown outcome, though no killed process had claimed them")
	return unknown
}

// slow reports whether the outcome of a notification is unknown because the machine was so
// slow that a call was given up, or a lease ran out, although nobody was killed.
func (c *crash) slow(t *testing.T, n flow.Notification) bool {
	t.Helper()
	history := must.Get(c.store.NotificationHistory(t.Context(), n.ID))(t)
	var claimed time.Time
	for _, record := range history {
		switch record.Action {
		case flow.NotificationClaim:
			claimed = record.At
		case flow.NotificationFail:
			return record.At.Sub(claimed) >= crashTimeout
		}
	}
	return false
}

// TestCrashVictim is no test: it is what the processes do that are killed.
func TestCrashVictim(t *testing.T) {
	told := os.Getenv(crashEnv)
	if told == "" {
		return
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1) // nobody is there to kill us
	}()
	var c victimConfig
	require.NoError(t, json.Unmarshal([]byte(told), &c))
	senders := clients(t, appio.Config{
		BaseURL: c.Platform, HTTPClient: &http.Client{Timeout: crashTimeout}, Pace: freePace(t),
	})
	d := must.Get(flow.NewDispatcher(newRemoteStore(c.Store, crashTimeout), senders, flow.DispatcherConfig{
		ID: c.ID, Workers: 4, Lease: crashLease, PollInterval: 50 * time.Millisecond,
	}))(t)
	if c.Serve {
		require.NoError(t, d.Serve(t.Context()))
		return
	}
	f := must.Get(d.Run(t.Context(), c.Flow))(t)
	t.Log(f.State, f.Counts)
}
