package pagoinrete_test

import (
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/duestest"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/memstore"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// sqlstore checks the same seed on both databases.
func TestNoticeDependsOnLatestStateAlone(t *testing.T) {
	for _, seed := range []uint64{18, rand.Uint64()} {
		t.Logf("seed %d", seed)
		duestest.CheckLatestState(t, memstore.New(), seed, 2_000)
	}
}

// The office, Pago In Rete, families and files act in any order. Files never change Annullato or
// Rimborsato. Once files show no payments any more, every notice has the state that it would have
// without files.
func TestFilesUndoWhatTheyDidAmongOtherCalls(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	defer func() { t.Logf("seed %d", seed) }()
	done := map[string]int{}
	for range 6 {
		y := newTreasury(t)
		notices := y.notices(t, y.notified(t, 3).ID)
		why := flussi.NewText("Così è deciso.")
		for range 120 {
			n := y.now(notices[random.IntN(len(notices))])
			proof := pagoinrete.Proof{Reference: "Documento", Amount: n.Due(), Date: day(11, 3)}
			var err error
			action := []string{"pay", "start", "fail", "verify", "cancel", "pay manually", "refund", "resolve", "tell", "tell", "tell", "tell"}[random.IntN(12)]
			switch action {
			case "pay":
				y.platform.Pay(n.ID, n.Due())
			case "start":
				y.platform.StartPayment(n.ID)
			case "fail":
				y.platform.FailPayment(n.ID)
			case "verify":
				_, err = y.VerifyNotice(t.Context(), assistant, n.ID)
			case "cancel":
				_, err = y.CancelNotice(t.Context(), assistant, n.ID, why)
			case "pay manually":
				_, err = y.PayNoticeManually(t.Context(), assistant, n.ID, proof)
			case "refund":
				_, err = y.RefundNotice(t.Context(), assistant, n.ID, proof)
			case "resolve":
				_, err = y.ResolveNoticeDiscrepancy(t.Context(), assistant, n.ID, n.Version, why)
			case "tell":
				state := settlement.ReferenceState{Reference: rowOf(n, "").Reference, Payments: duestest.Payments(random)}
				require.NoError(t, y.dues.Update(t.Context(), body, []settlement.ReferenceState{state}))
				after := y.now(n)
				if n.State == pagoinrete.NoticeCancelled || n.State == pagoinrete.NoticeRefunded {
					require.Equal(t, n.State, after.State)
				}
				if after.BaseState != "" {
					_, err := pagoinrete.NoticeMachine().Path(after.BaseState, after.State)
					require.NoError(t, err, "%s on %s", after.State, after.BaseState)
				}
			}
			if err == nil {
				done[action]++
			}
		}
		for _, n := range notices {
			n = y.now(n)
			require.NoError(t, y.dues.Update(t.Context(), body, []settlement.ReferenceState{{Reference: rowOf(n, "").Reference}}))
			after := y.now(n)
			assert.Equal(t, uuid.Nil, after.Evidence.Settlement.ID)
			assert.Equal(t, uuid.Nil, after.Evidence.Movement.ID)
			base := n.BaseState
			if base == "" || n.State == pagoinrete.NoticeRefunded {
				base = n.State
			}
			assert.Equal(t, base, after.State)
			assert.NotContains(t, []pagoinrete.NoticeState{pagoinrete.NoticeConfirmed, pagoinrete.NoticeReconciled}, after.State, "Pago In Rete reports neither here")
		}
	}
	for _, action := range []string{"verify", "cancel", "pay manually", "refund", "resolve", "tell"} {
		assert.NotZero(t, done[action], action)
	}
}
