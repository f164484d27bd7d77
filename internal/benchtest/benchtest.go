// Package benchtest measures calls that many workers make, for benchmarks.
package benchtest

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Run makes n calls by some workers and returns how long that took. An error ends a worker and
// fails the benchmark.
func Run(b *testing.B, n, workers int, call func() error) time.Duration {
	var left atomic.Int64
	left.Store(int64(n))
	start := time.Now()
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for left.Add(-1) >= 0 {
				if err := call(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	return time.Since(start)
}

// InTurns makes b.N calls of each kind, a thousand at a time in turns, so that noise of the
// machine slows all of them. It returns how long those of each kind took.
func InTurns(b *testing.B, workers int, kinds ...func() error) []time.Duration {
	took := make([]time.Duration, len(kinds))
	for done := 0; done < b.N; done += 1000 {
		for i, call := range kinds {
			took[i] += Run(b, min(1000, b.N-done), workers, call)
		}
	}
	return took
}

// Peak returns the most heap in use while f runs, beyond what there was before, in bytes.
func Peak(f func()) (bytes uint64) {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	runtime.GC()
	before := heap()
	done, measured := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(measured)
		ticker := time.NewTicker(100 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				runtime.GC()
				if now := heap(); now > before+bytes {
					bytes = now - before
				}
			}
		}
	}()
	f()
	close(done)
	<-measured
	return bytes
}

// PeakMemory returns the peak resident memory of a running process in MiB, from Linux; 0 on other
// systems. Call it while the process runs: after its end, Linux includes the memory of its parent.
func PeakMemory(pid int) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kib := 0.0
	_, _ = fmt.Sscan(after, &kib)
	return kib / 1024
}
