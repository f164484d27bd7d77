package flowtest_test

import (
	"slices"
	"testing"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowtest"
	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/internal/brokenstore"
	"github.com/flussi-go/flussi/internal/storetest"
)

// Each store that breaks one thing is found out, by the rule that it breaks.
func TestTheSuiteFindsBrokenStores(t *testing.T) {
	brokenstore.Proof[flow.Store, *flowtest.Probe, flow.Flow, flow.Notification]{
		Contract: flowtest.Contract, Shared: flowtest.Shared,
		Open:    func() flow.Store { return memstore.New() },
		Views:   viewed,
		Own:     slices.Concat(breakers, sentBreakers, importBreakers, serviceBreakers, anonymisedBreakers),
		Needed:  []string{"Entity.FlowID", "Entity.Service"},
		Filters: [2]storetest.Filter{flow.FlowFilter{}, flow.NotificationFilter{}},
	}.Run(t)
}
