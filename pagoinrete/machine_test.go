package pagoinrete_test

import (
	"testing"

	"github.com/flussi-go/flussi/internal/machinetest"
	"github.com/flussi-go/flussi/pagoinrete"
)

func TestMachines(t *testing.T) {
	t.Run("event", func(t *testing.T) { machinetest.Run(t, pagoinrete.EventMachine()) })
	t.Run("notice", func(t *testing.T) { machinetest.Run(t, pagoinrete.NoticeMachine()) })
}

func TestDiagramsAreCurrent(t *testing.T) {
	machinetest.Diagrams(t, pagoinrete.EventMachine(), "../docs", "event")
	machinetest.Diagrams(t, pagoinrete.NoticeMachine(), "../docs", "notice")
}
