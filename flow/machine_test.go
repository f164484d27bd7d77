package flow_test

import (
	"testing"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/golden"
	"github.com/flussi-go/flussi/internal/machinetest"
)

func TestMachines(t *testing.T) {
	t.Run("flow", func(t *testing.T) { machinetest.Run(t, flow.FlowMachine()) })
	t.Run("notification", func(t *testing.T) { machinetest.Run(t, flow.NotificationMachine()) })
}

func TestDiagramsAreCurrent(t *testing.T) {
	for name, machine := range map[string]interface {
		Mermaid() string
		Graphviz() string
	}{
		"flow":         flow.FlowMachine(),
		"notification": flow.NotificationMachine(),
	} {
		golden.File(t, "testdata/"+name+".mmd", machine.Mermaid())
		golden.File(t, "testdata/"+name+".dot", machine.Graphviz())
		golden.Block(t, "doc.go", "//\t", "", machine.Mermaid())
		golden.Block(t, "../README.md", "", "```", machine.Mermaid())
	}
}
