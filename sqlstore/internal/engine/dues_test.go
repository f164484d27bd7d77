package engine_test

import (
	"math/rand/v2"
	"testing"

	"github.com/flussi-go/flussi/internal/duestest"
)

// The same seed is checked in memory.
func TestNoticeDependsOnLatestStateAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(testing.TB) database) {
		for _, seed := range []uint64{18, rand.Uint64()} {
			t.Logf("seed %d", seed)
			duestest.CheckLatestState(t, open(t), seed, 2*rounds(t))
		}
	})
}
