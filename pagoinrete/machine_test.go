package pagoinrete_test

import (
	"testing"

	"github.com/flussi-go/flussi/internal/machinetest"
	"github.com/flussi-go/flussi/pagoinrete"
)

func TestMachinesAndTheirDiagrams(t *testing.T) {
	machinetest.Check(t, pagoinrete.EventMachine(), "../docs", "event")
	machinetest.Check(t, pagoinrete.NoticeMachine(), "../docs", "notice")
}
