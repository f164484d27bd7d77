package flow_test

import (
	"testing"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/machinetest"
)

func TestMachines(t *testing.T) {
	t.Run("flow", func(t *testing.T) { machinetest.Run(t, flow.FlowMachine()) })
	t.Run("notification", func(t *testing.T) { machinetest.Run(t, flow.NotificationMachine()) })
}

func TestDiagramsAreCurrent(t *testing.T) {
	machinetest.Diagrams(t, flow.FlowMachine(), "../docs", "flow")
	machinetest.Diagrams(t, flow.NotificationMachine(), "../docs", "notification")
}
