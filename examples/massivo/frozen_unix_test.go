//go:build unix

package main

import (
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/examples/internal/proctest"
	"github.com/flussi-go/flussi/flow"
)

// A program that was frozen for twice its lease sends none of the notifications that it had claimed.
// Another program has sent them meanwhile, since an operator ordered it. The command for the whole set
// is
//
//	FLUSSI_ROUNDS=20 go test ./examples/massivo -run Frozen -v -timeout 30m
func TestFrozenProgramSendsNothingAfterItsLease(t *testing.T) {
	rounds, lease := 1, 2*time.Second
	if given := os.Getenv("FLUSSI_ROUNDS"); given != "" && !testing.Short() {
		var err error
		rounds, err = strconv.Atoi(given)
		require.NoError(t, err)
		lease = 5 * time.Second
	}
	onBoth(t, func(t *testing.T, location string) {
		t.Parallel()
		k := newKilling(t, location, killingConfig{
			messages: rounds * 1000, limit: 150, latency: []time.Duration{50 * time.Millisecond}, lease: lease, workers: 64,
		})
		k.sendThroughFreezes(t, rounds)
	})
}

// sendThroughFreezes sends the flow by two programs, one of which is frozen again and again.
func (k *killing) sendThroughFreezes(t *testing.T, rounds int) {
	frozen, other := k.send(t, k.flow), k.serve(t)
	t.Cleanup(func() { _ = frozen.Process.Kill(); _ = other.Process.Kill() })
	resent, meanwhile := 0, 0
	for range rounds {
		if ended(frozen) {
			frozen = k.send(t, k.flow)
		}
		<-k.platform.requests.After(10 + k.random.IntN(40))
		time.Sleep(time.Duration(k.random.Int64N(int64(40 * time.Millisecond))))
		require.NoError(t, frozen.Process.Signal(syscall.SIGSTOP))
		start := time.Now()
		before := len(k.platform.Deliveries())
		time.Sleep(k.lease * 3 / 2)
		unknown := k.notifications(t, flow.NotificationFilter{ErrorCodes: []flow.ErrorCode{flow.CodeOutcomeUnknown}})
		resent += k.resolve(t, unknown)
		time.Sleep(time.Until(start.Add(2 * k.lease)))
		meanwhile += len(k.platform.Deliveries()) - before
		require.NoError(t, frozen.Process.Signal(syscall.SIGCONT))
		<-k.platform.requests.After(20)
	}
	for _, p := range []*proctest.Process{frozen, other} {
		_ = p.Process.Signal(os.Interrupt)
		p.Wait(t)
	}
	k.finish(t)
	unknown := k.count(t)
	t.Logf("%d freezes, %d messages by the other program meanwhile, %d unknown and sent again meanwhile, %d unknown at the end, 0 twice, 0 lost",
		rounds, meanwhile, resent, len(unknown))
	if k.resolve(t, unknown) > 0 {
		k.send(t, k.flow).Ran(t, 0)
	}
	assert.Empty(t, k.count(t))
}

// serve starts a program that sends all flows, and rescues leases that have ended.
func (k *killing) serve(t *testing.T) *proctest.Process {
	return k.start(t, "serve", "--lease", k.lease.String())
}

func ended(p *proctest.Process) bool {
	select {
	case <-p.Done:
		return true
	default:
		return false
	}
}
