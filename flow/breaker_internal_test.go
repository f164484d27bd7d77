package flow

import (
	"log/slog"
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi"
)

// Unknown outcomes stop a flow also if answers come in between, once more than one in ten is unknown
// for long; the operator reads how many there were.
func TestFrequentUnknownOutcomesStopAFlow(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 11))
	for _, test := range []struct {
		share float64 // of unknown outcomes
		stops bool
	}{{1, true}, {0.5, true}, {0.25, true}, {0.05, false}, {0.01, false}, {0, false}} {
		b := newBreaker(uuid.Nil, &DispatcherConfig{FailureThreshold: 20, RefusalThreshold: 10, Logger: slog.New(slog.DiscardHandler)})
		n, outcomes, unknown := &Notification{}, 0, 0
		for ; outcomes < 3000 && b.stopped() == nil; outcomes++ {
			o := outcome{action: NotificationAccept, signal: accepted}
			if random.Float64() < test.share {
				unknown++
				o = outcome{action: NotificationFail, code: CodeOutcomeUnknown, signal: platformFailed}
			}
			b.decide(n, o, 0, false)
		}
		stop := b.stopped()
		assert.Equal(t, test.stops, stop != nil, "%v unknown, after %d", test.share, outcomes)
		if stop == nil {
			continue
		}
		assert.Equal(t, ReasonPlatform, stop.class)
		assert.LessOrEqual(t, unknown, 60, "%v unknown", test.share)
		if test.share < 1 {
			assert.Equal(t, unknownStopReason(unknown, outcomes), flussi.Explain(stop))
		}
	}
	assert.Equal(t, "Invio fermato: App IO non ha dato una risposta certa per 22 messaggi su 1.000. La causa può essere nella rete, "+
		"o in un proxy che chiude le connessioni: verificarla, poi riprendere con «Invia Flusso».", unknownStopReason(22, 1000))
}
