package flow_test

import (
	"testing"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/machinetest"
)

func TestMachinesAndTheirDiagrams(t *testing.T) {
	machinetest.Check(t, flow.FlowMachine(), "../docs", "flow")
	machinetest.Check(t, flow.NotificationMachine(), "../docs", "notification")
}
