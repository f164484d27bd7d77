package settlementtest

import (
	"testing"

	"github.com/flussi-go/flussi/internal/brokenstore"
	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/pagoinrete/settlement/memstore"
)

// The rules search by every field of the filters.
func TestNoFieldOfTheFiltersIsForgotten(t *testing.T) {
	p := newProbe(storetest.New(t.Context()), memstore.New())
	brokenstore.SetsEveryField(t, p.Probe, settlementCriteria, p.fullSettlement)
	brokenstore.SetsEveryField(t, p.Probe, paymentCriteria, func() settlement.Payment { return p.fullPayment(p.fullSettlement()) })
	brokenstore.SetsEveryField(t, p.Probe, movementCriteria, p.fullMovement)
}
