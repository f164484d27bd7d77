package memstore_test

import (
	"testing"

	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/pagoinrete/settlement/memstore"
	"github.com/flussi-go/flussi/pagoinrete/settlement/settlementtest"
)

func TestStoreKeepsTheContract(t *testing.T) {
	settlementtest.RunStore(t, func(*testing.T) settlement.Store { return memstore.New() })
}
