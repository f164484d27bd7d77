package pagoinretetest_test

import (
	"testing"

	"github.com/flussi-go/flussi/internal/brokenstore"
	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/memstore"
	"github.com/flussi-go/flussi/pagoinrete/pagoinretetest"
)

// Each store that breaks one thing is found out, by the rule that it breaks.
func TestTheStoreSuiteFindsBrokenStores(t *testing.T) {
	brokenstore.Proof[pagoinrete.Store, *pagoinretetest.Probe, pagoinrete.Event, pagoinrete.Notice]{
		Contract: pagoinretetest.StoreContract, Shared: pagoinretetest.Shared,
		Open:    func() pagoinrete.Store { return memstore.New() },
		Views:   viewed,
		Own:     breakers,
		Needed:  []string{"Entity.EventID", "Entity.School"},
		Filters: [2]storetest.Filter{pagoinrete.EventFilter{}, pagoinrete.NoticeFilter{}},
	}.Run(t)
}
