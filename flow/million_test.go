package flow_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"iter"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/benchtest"
	"github.com/flussi-go/flussi/internal/must"
)

// The command for the whole measurement is
// go test ./flow -run '^$' -bench Memory -benchtime 1x -notifications 1000000
var notifications = flag.Int("notifications", 100_000, "how many notifications BenchmarkMemory sends")

// counting is a store of flows that are In invio. It makes notifications when they are claimed, and
// stores only counts, so that the heap of the store does not grow.
type counting struct {
	flow.Store
	mu    sync.Mutex
	flows map[uuid.UUID]*flow.Flow
	n     flow.Notification // what is claimed
	made  int
}

func newCounting(flows, total int) *counting {
	c := &counting{flows: map[uuid.UUID]*flow.Flow{}, n: flow.Notification{
		Service: taxes, Draft: draft(0), State: flow.NotificationSending, Version: 2,
	}}
	for i := range flows {
		id := uuid.UUID{byte(i >> 8), byte(i), 1}
		c.flows[id] = &flow.Flow{ID: id, Service: taxes, State: flow.FlowSending, Counts: flow.Counts{Registered: total / flows}}
	}
	return c
}

func (c *counting) Flow(_ context.Context, id uuid.UUID) (flow.Flow, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return *c.flows[id], nil
}

func (c *counting) Flows(_ context.Context, filter flow.FlowFilter, _ flow.Page) (found []flow.Flow, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.flows {
		if filter.Match(*f) {
			found = append(found, *f)
		}
	}
	slices.SortFunc(found, func(a, b flow.Flow) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return found, nil
}

func (c *counting) Claim(_ context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.flows[claim.Flow]
	claimed := make([]flow.Notification, min(claim.Limit, f.Counts.Registered))
	for i := range claimed {
		c.made++
		n := c.n
		n.FlowID, n.Recipient = f.ID, citizen(c.made)
		n.ID[15], n.ID[14], n.ID[13] = byte(c.made), byte(c.made>>8), byte(c.made>>16)
		claimed[i] = n
	}
	f.Counts.Registered -= len(claimed)
	f.Counts.Sending += len(claimed)
	return *f, claimed, nil
}

func (c *counting) Expired(context.Context, int) ([]flow.Notification, error) { return nil, nil }

func (c *counting) SaveNotifications(_ context.Context, changes ...flow.NotificationChange) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, change := range changes {
		counts := &c.flows[change.Notification.FlowID].Counts
		counts.Sending--
		counts.Add(change.Notification, 1)
	}
	return nil
}

func (c *counting) SaveFlow(_ context.Context, change flow.FlowChange, _ iter.Seq2[flow.NotificationChange, error]) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.flows[change.Flow.ID]
	counts := f.Counts
	*f = change.Flow
	f.Counts = counts
	return nil
}

// BenchmarkMemory measures by how much the heap of a dispatcher grows at most while it sends many
// notifications and checks profiles, and the peak memory of the process.
func BenchmarkMemory(b *testing.B) {
	for _, flows := range []int{1, 200} {
		b.Run(fmt.Sprintf("%d flows", flows), func(b *testing.B) {
			for b.Loop() {
				store := newCounting(flows, *notifications)
				ctx, stop := context.WithCancel(b.Context())
				var ended atomic.Int64
				d := must.Get(flow.NewDispatcher(store, func(context.Context, string) (flow.Sender, error) { return accepting{}, nil },
					flow.DispatcherConfig{CheckProfiles: true, Observer: flow.Observer{SendingChanged: func(_ context.Context, c flow.SendingChange) {
						if c.To == flow.SendingEnded && ended.Add(1) == int64(flows) {
							stop()
						}
					}}}))(b)
				heap := benchtest.Peak(func() { require.NoError(b, d.Serve(ctx)) })
				require.Equal(b, *notifications/flows*flows, store.made)
				b.ReportMetric(float64(heap)/(1<<20), "MiB-heap")
				b.ReportMetric(benchtest.PeakMemory(os.Getpid()), "MiB-process")
				if heap > 64<<20 {
					b.Fatalf("%d MiB of heap", heap>>20)
				}
			}
		})
	}
}
