package sqlite_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
)

const year = 365 * 24 * time.Hour

// shiftLeases changes the leases of all notifications In invio as if the clock had been wrong.
func shiftLeases(t *testing.T, path string, by time.Duration) {
	execute(t, database(t, path), "UPDATE flussi_notifications SET lease_start = lease_start + "+micros(by)+", lease_end = lease_end + "+micros(by)+" WHERE state = 'sending'")
}

func micros(d time.Duration) string { return strconv.FormatInt(d.Microseconds(), 10) }

// The clock was a year ahead when a process claimed; it was killed, and the clock corrected. The
// notifications are found, and become outcome unknown.
func TestClaimsOfAFutureClockExpire(t *testing.T) {
	path := newFile(t)
	s := open(t, path)
	of := save(t, s, 30)
	process := start(t, "claim", path, of.String())
	process.killAfter(2, 0)
	shiftLeases(t, path, year)
	sending := must.Get(s.Flow(t.Context(), of))(t).Counts.Sending
	require.Positive(t, sending)
	assert.Len(t, must.Get(s.Expired(t.Context(), 100))(t), sending)

	d := must.Get(flow.NewDispatcher(s, noSender, flow.DispatcherConfig{}))(t)
	rescued := 0
	for {
		n := must.Get(d.RescueExpired(t.Context()))(t)
		if rescued += n; n == 0 {
			break
		}
	}
	assert.Equal(t, sending, rescued)
	assert.Zero(t, must.Get(s.Flow(t.Context(), of))(t).Counts.Sending)
	unknown := must.Get(s.Notifications(t.Context(), flow.NotificationFilter{Flow: of, States: []flow.NotificationState{flow.NotificationFailed}}, flow.Page{Limit: 100}))(t)
	require.Len(t, unknown, sending)
	for _, n := range unknown {
		assert.Equal(t, flow.CodeOutcomeUnknown, n.Transmission.ErrorCode)
	}
}

// slowSender calls a function while it sends.
type slowSender struct {
	flow.Sender
	submitted atomic.Int64
	during    func()
}

func (s *slowSender) Submit(context.Context, appio.Message) (appio.Receipt, error) {
	if s.submitted.Add(1) == 1 {
		s.during()
	}
	return appio.Receipt{ID: "01ARZ3NDEKTSV4RRFFQ69G5FAV"}, nil
}

// The clock jumps a year while a process sends: another one finds the lease expired and makes the
// outcome unknown. The sender stores the outcome all the same, and nothing is sent twice.
func TestClockThatJumpsWhileSendingKeepsTheOutcome(t *testing.T) {
	for name, jump := range map[string]time.Duration{"ahead": -year, "back": year} { // the leases move the other way
		t.Run(name, func(t *testing.T) {
			path := newFile(t)
			s, other := open(t, path), open(t, path)
			of := save(t, s, 3)
			rescued := 0
			sender := &slowSender{during: func() {
				shiftLeases(t, path, jump)
				d := must.Get(flow.NewDispatcher(other, noSender, flow.DispatcherConfig{}))(t)
				rescued = must.Get(d.RescueExpired(t.Context()))(t)
			}}
			senders := func(context.Context, string) (flow.Sender, error) { return sender, nil }
			d := must.Get(flow.NewDispatcher(s, senders, flow.DispatcherConfig{Workers: 1}))(t)
			f := must.Get(d.Run(t.Context(), of))(t)
			assert.Positive(t, rescued)
			assert.Equal(t, flow.Counts{Sent: 3}, f.Counts)
			assert.Equal(t, int64(3), sender.submitted.Load())
		})
	}
}
