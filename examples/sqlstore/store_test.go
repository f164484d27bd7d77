package sqlstore_test

import (
	"testing"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowtest"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/pagoinretetest"
)

func TestStoreKeepsTheContract(t *testing.T) {
	onBoth(t, func(t *testing.T, location databases) {
		flowtest.RunStore(t, func(t *testing.T) flow.Store { return open(t, location(t)) })
	})
}

func TestStoreKeepsTheContractOfNotices(t *testing.T) {
	onBoth(t, func(t *testing.T, location databases) {
		pagoinretetest.RunStore(t, func(t *testing.T) pagoinrete.Store { return open(t, location(t)) })
	})
}
