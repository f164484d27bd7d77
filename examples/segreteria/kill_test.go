package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/examples/internal/proctest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

// The whole set is go test ./examples/segreteria -run Killed -kills 30 -notices 2000 -v
var (
	kills   = flag.Int("kills", 4, "how often a program is killed in each of the tests of killing")
	notices = flag.Int("notices", 300, "how many notices are transmitted in the tests of killing")
)

// Programs that are killed at any point, and started again until they are done, have created
// nothing twice in Pago In Rete and lost nothing, and every notice here has the number that it
// has there.
func TestKilledWhileTransmittingOnSQLite(t *testing.T) {
	k := newKilling(t, filepath.Join(t.TempDir(), "segreteria.db"))
	k.transmitsThroughKills(t, 1)
}

// Whatever step of an event a program is killed in: the same call made again comes to the same
// end, and each step is taken once.
func TestKilledInAStepOnSQLite(t *testing.T) {
	k := newKilling(t, filepath.Join(t.TempDir(), "segreteria.db"))
	k.takesStepsThroughKills(t)
}

// The same on PostgreSQL, where two programs transmit the same notices at once.
func TestKilledOnPostgreSQL(t *testing.T) {
	server := pgtest.Start(t)
	t.Run("one of two that transmit", func(t *testing.T) { newKilling(t, server.Database(t)).transmitsThroughKills(t, 2) })
	t.Run("in a step", func(t *testing.T) { newKilling(t, server.Database(t)).takesStepsThroughKills(t) })
}

// killing is a database and a platform for programs that are killed.
type killing struct {
	*pagoinrete.Service // of the test itself
	store               string
	platform            *watched
	killed              int
}

func newKilling(t *testing.T, store string) *killing {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	k := &killing{store: store, platform: watch(t, rand.New(rand.NewPCG(seed, 0)))}
	p, closeStore, err := openProcedure(t.Context(), store, k.platform.URL)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, closeStore()) })
	k.Service = p
	return k
}

// simulated is a fee with so many notices that are not transmitted yet.
func (k *killing) simulated(t *testing.T, notices int) uuid.UUID {
	e := must.Get(k.CreateEvent(t.Context(), assistant, pagoinrete.Fee, school, fee("Viaggio a Firenze", "Viaggio a Firenze", 5_000, 5_000)))(t)
	must.Get(k.TransmitEvent(t.Context(), assistant, e.ID))(t)
	drafts := make([]pagoinrete.NoticeDraft, notices)
	for i := range drafts {
		drafts[i] = pagoinrete.NoticeDraft{Debtor: appiotest.SampleCitizen(1_000_000 + i), Payer: appiotest.SampleCitizen(i)}
	}
	must.Get(k.AddNotices(t.Context(), assistant, e.ID, pagoinrete.NoticeDraftRows(drafts...), pagoinrete.AddConfig{}))(t)
	return e.ID
}

// kill kills a worker after so many of its calls, and a moment, or lets it end.
func (k *killing) kill(p *proctest.Process, calls int) {
	select {
	case <-k.platform.requests.After(calls + 1):
		select {
		case <-time.After(k.platform.moment(12 * time.Millisecond)):
		case <-p.Done:
		}
	case <-p.Done:
	}
	if p.Process.Kill() == nil {
		k.killed++
	}
	<-p.Done
}

func (k *killing) transmitsThroughKills(t *testing.T, programs int) {
	event := k.simulated(t, *notices)
	running := make([]*proctest.Process, programs)
	start := func() *proctest.Process { return startWorker(t, k.store, k.platform.URL, event, "transmit") }
	for i := range running {
		running[i] = start()
	}
	for range *kills {
		// At a random place of the work, and at a random moment of what is done there.
		k.kill(running[k.platform.number(programs)], k.platform.number(max(1, 3**notices / *kills / 2)))
		for j := range running {
			select {
			case <-running[j].Done:
				running[j] = start()
			default:
			}
		}
	}
	for _, p := range running {
		p.Ran(t, 0, exitTaken)
	}

	assert.Equal(t, *notices, len(k.platform.Notices()), "not lost, and not twice")
	numbers := map[flussi.NoticeNumber]bool{}
	for n, err := range k.AllNotices(t.Context(), assistant, pagoinrete.NoticeFilter{Event: event}) {
		require.NoError(t, err)
		remote, is := k.platform.Notice(n.ID)
		require.True(t, is, "lost")
		assert.Equal(t, 1, k.platform.Created(n.ID))
		assert.Equal(t, pagoinrete.NoticeNotNotified, n.State)
		assert.Equal(t, remote.Number.Reveal(), n.Number.Reveal())
		assert.Equal(t, remote.RemoteID, n.RemoteID)
		assert.False(t, numbers[n.Number], "two notices have one number")
		numbers[n.Number] = true
		k.checkHistory(t, n.ID, pagoinrete.NoticeCreate, pagoinrete.NoticeTransmit)
	}
	assert.Equal(t, *notices, len(numbers))
	assert.Equal(t, 1, k.platform.Created(event))
	assert.Len(t, k.platform.Events(), 1)
	assert.Equal(t, pagoinrete.NoticeCounts{Unpaid: *notices}, must.Get(k.Event(t.Context(), assistant, event))(t).Counts)
	t.Logf("%d notices, %d programs, %d killed, %d calls for them: 0 twice, 0 lost", *notices, programs, k.killed, k.platform.Received(restgatewaytest.PutNotice))
}

func (k *killing) checkHistory(t *testing.T, notice uuid.UUID, want ...pagoinrete.NoticeAction) {
	records := must.Get(k.NoticeHistory(t.Context(), assistant, notice))(t)
	var done []pagoinrete.NoticeAction
	for _, r := range records {
		done = append(done, r.Action)
	}
	assert.Equal(t, want, done)
}

const stepNotices = 20 // of each event whose steps are taken

func (k *killing) takesStepsThroughKills(t *testing.T) {
	for i := range stepNotices {
		k.platform.LogIn(appiotest.SampleCitizen(i))
	}
	rounds := max(1, *kills/4)
	for range rounds {
		event := k.simulated(t, stepNotices)
		must.Get(k.TransmitNotices(t.Context(), assistant, event))(t)
		k.takes(t, event, "submit", pagoinrete.EventToApprove)
		k.takes(t, event, "approve", pagoinrete.EventToNotify)
		k.takes(t, event, "notify", pagoinrete.EventNotified)
		for n, err := range k.AllNotices(t.Context(), assistant, pagoinrete.NoticeFilter{Event: event}) {
			require.NoError(t, err)
			assert.True(t, k.platform.Pay(n.ID, n.Due()))
		}
		k.takes(t, event, "verify", pagoinrete.EventNotified)
		k.checkNotices(t, event, pagoinrete.NoticePaidOnline)
		k.checkSteps(t, event, "submit", "approve", "notify")

		event = k.simulated(t, stepNotices)
		if k.platform.number(2) == 0 {
			must.Get(k.TransmitNotices(t.Context(), assistant, event))(t)
		}
		k.takes(t, event, "delete", pagoinrete.EventDeleted)
		k.checkNotices(t, event, pagoinrete.NoticeCancelled)
		k.checkSteps(t, event, "delete")
	}
	for _, e := range k.platform.Events() {
		assert.Equal(t, 1, e.Created)
	}
	assert.Len(t, k.platform.Events(), 2*rounds)
	t.Logf("%d events, %d programs killed: each step taken once", 2*rounds, k.killed)
}

// takes takes a step by a program that is killed once or twice, and started again.
func (k *killing) takes(t *testing.T, event uuid.UUID, step string, to pagoinrete.EventState) {
	for range 1 + k.platform.number(2) {
		k.kill(startWorker(t, k.store, k.platform.URL, event, step), k.platform.number(2))
	}
	startWorker(t, k.store, k.platform.URL, event, step).Ran(t, 0, exitTaken)
	e := must.Get(k.Event(t.Context(), assistant, event))(t)
	assert.Equal(t, to, e.State, step)
	assert.Zero(t, e.Discrepancy)
	for n, err := range k.AllNotices(t.Context(), assistant, pagoinrete.NoticeFilter{Event: event}) {
		require.NoError(t, err)
		assert.True(t, pagoinrete.Compatible(e.State, n.State), "%s while the event is %s", n.State, e.State)
	}
}

// checkNotices checks that all notices of an event are in a state, here and there, and have
// come to it once.
func (k *killing) checkNotices(t *testing.T, event uuid.UUID, state pagoinrete.NoticeState) {
	count := 0
	for n, err := range k.AllNotices(t.Context(), assistant, pagoinrete.NoticeFilter{Event: event}) {
		require.NoError(t, err)
		count++
		assert.Equal(t, state, n.State)
		assert.Zero(t, n.Discrepancy)
		if there, is := k.platform.Notice(n.ID); is {
			want := map[pagoinrete.NoticeState]restgatewaytest.NoticeState{
				pagoinrete.NoticePaidOnline: restgatewaytest.NoticePaidOnline, pagoinrete.NoticeCancelled: restgatewaytest.NoticeCancelled,
			}[state]
			assert.Equal(t, want, there.State)
			assert.Equal(t, there.Number.Reveal(), n.Number.Reveal())
		}
		records := must.Get(k.NoticeHistory(t.Context(), assistant, n.ID))(t)
		arrivals := 0
		for _, r := range records {
			if r.To == state && r.From != state {
				arrivals++
			}
		}
		assert.Equal(t, 1, arrivals)
	}
	assert.Equal(t, stepNotices, count)
}

// checkSteps checks that steps of an event were taken once each, here and there.
func (k *killing) checkSteps(t *testing.T, event uuid.UUID, want ...string) {
	there, is := k.platform.Event(event)
	require.True(t, is)
	var taken []string
	for _, step := range there.Steps {
		taken = append(taken, step.Action)
	}
	assert.Equal(t, want, taken)
	records := must.Get(k.EventHistory(t.Context(), assistant, event))(t)
	var noted []string
	for _, r := range records {
		if r.From != r.To && slices.Contains([]string{"submit", "approve", "notify", "delete"}, string(r.Action)) {
			noted = append(noted, fmt.Sprint(r.Action))
		}
	}
	assert.Equal(t, want, noted)
}
