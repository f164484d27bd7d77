package flow_test

import (
	"flag"
	"testing"
	"time"

	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/internal/benchtest"
)

// The whole measurement of a hundred bodies is
// go test ./flow -run '^$' -bench Bodies -benchtime 1x -bodies 100 -each 300
var (
	bodies  = flag.Int("bodies", 20, "how many bodies a dispatcher sends for in BenchmarkBodies")
	each    = flag.Int("each", 30, "how many messages each body sends")
	calls   = flag.Int("calls", 150, "how many calls each body may make in 5 seconds")
	latency = flag.Duration("latency", 50*time.Millisecond, "how long an answer takes")
)

// BenchmarkProcesses sends flows of many bodies by four dispatchers that share the store.
func BenchmarkProcesses(b *testing.B) {
	for b.Loop() {
		benchtest.Bodies{Processes: 4, Count: *bodies, Each: *each, Calls: *calls, Latency: *latency}.Run(b, memstore.New())
	}
}

// BenchmarkBodies sends flows of many bodies with the zero configuration: all platforms work, and
// half of them are down, in every way.
func BenchmarkBodies(b *testing.B) {
	for name, down := range map[string]int{"all work": 0, "half are down": *bodies / 2} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				benchtest.Bodies{Count: *bodies, Each: *each, Calls: *calls, Latency: *latency, Down: down}.Run(b, memstore.New())
			}
		})
	}
}
