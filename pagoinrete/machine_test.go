package pagoinrete_test

import (
	"testing"

	"github.com/flussi-go/flussi/internal/golden"
	"github.com/flussi-go/flussi/internal/machinetest"
	"github.com/flussi-go/flussi/pagoinrete"
)

func TestMachines(t *testing.T) {
	t.Run("event", func(t *testing.T) { machinetest.Run(t, pagoinrete.EventMachine()) })
	t.Run("notice", func(t *testing.T) { machinetest.Run(t, pagoinrete.NoticeMachine()) })
}

func TestDiagramsAreCurrent(t *testing.T) {
	for name, machine := range map[string]interface {
		Mermaid() string
		Graphviz() string
	}{
		"event":  pagoinrete.EventMachine(),
		"notice": pagoinrete.NoticeMachine(),
	} {
		golden.File(t, "testdata/"+name+".mmd", machine.Mermaid())
		golden.File(t, "testdata/"+name+".dot", machine.Graphviz())
		golden.Block(t, "doc.go", "//\t", "", machine.Mermaid())
		golden.Block(t, "../README.md", "", "```", machine.Mermaid())
	}
}
