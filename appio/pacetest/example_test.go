package pacetest_test

import (
	"testing"

	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/pacetest"
)

// In the tests of a TurnStore, RunTurnStore is one call: each rule is a subtest.
func ExampleRunTurnStore() {
	_ = func(t *testing.T) { // func TestTurnsKeepTheContract(t *testing.T)
		pacetest.RunTurnStore(t, func(*testing.T) []appio.TurnStore {
			store := &appio.MemoryTurns{}
			return []appio.TurnStore{store, store} // two connections to one store
		})
	}
}
