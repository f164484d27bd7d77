package settlementtest_test

import (
	"testing"

	"github.com/flussi-go/flussi/internal/brokenstore"
	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/pagoinrete/settlement/memstore"
	"github.com/flussi-go/flussi/pagoinrete/settlement/settlementtest"
)

// The suite detects each broken store by the rule that it breaks.
func TestTheStoreSuiteFindsBrokenStores(t *testing.T) {
	brokenstore.Proof[settlement.Store, *settlementtest.Probe, settlement.Settlement, settlement.Payment]{
		Contract: settlementtest.StoreContract, Shared: settlementtest.Shared,
		Open:    func() settlement.Store { return memstore.New() },
		Views:   viewed,
		Own:     breakers,
		Needed:  []string{"Entity.Settlement", "Entity.Body"},
		Filters: [2]storetest.Filter{settlement.SettlementFilter{}, settlement.PaymentFilter{}},
	}.Run(t)
}
