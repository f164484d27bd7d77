package sqlite_test

import (
	"testing"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowtest"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/pagoinretetest"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/pagoinrete/settlement/settlementtest"
)

func TestStoreKeepsTheContract(t *testing.T) {
	flowtest.RunStore(t, func(t *testing.T) flow.Store { return open(t, newFile(t)) })
}

func TestStoreKeepsTheContractOfNotices(t *testing.T) {
	pagoinretetest.RunStore(t, func(t *testing.T) pagoinrete.Store { return open(t, newFile(t)) })
}

func TestStoreKeepsTheContractOfSettlements(t *testing.T) {
	settlementtest.RunStore(t, func(t *testing.T) settlement.Store { return open(t, newFile(t)) })
}
