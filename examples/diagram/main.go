// Command diagram prints the state diagram of one of the library's machines:
//
//	go run ./examples/diagram flow
//	go run ./examples/diagram -format dot notice | dot -Tsvg -o notice.svg
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/pagoinrete"
)

// machine is what all machines have in common, whatever their states.
type machine interface {
	Mermaid() string
	Graphviz() string
}

func machines() map[string]machine {
	return map[string]machine{
		"flow":         flow.FlowMachine(),
		"notification": flow.NotificationMachine(),
		"event":        pagoinrete.EventMachine(),
		"notice":       pagoinrete.NoticeMachine(),
	}
}

func main() {
	err := run(os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func run(args []string, out, complaints io.Writer) error {
	names := strings.Join(slices.Sorted(maps.Keys(machines())), ", ")
	flags := flag.NewFlagSet("diagram", flag.ContinueOnError)
	flags.SetOutput(complaints)
	flags.Usage = func() {
		fmt.Fprintf(complaints, "usage: diagram [-format mermaid|dot] MACHINE\nmachines: %s\n", names)
		flags.PrintDefaults()
	}
	format := flags.String("format", "mermaid", "the language of the diagram: mermaid or dot")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return fmt.Errorf("diagram: name one machine of: %s", names)
	}
	m, ok := machines()[flags.Arg(0)]
	if !ok {
		return fmt.Errorf("diagram: no machine %q; there are: %s", flags.Arg(0), names)
	}
	text := ""
	switch *format {
	case "mermaid":
		text = m.Mermaid()
	case "dot":
		text = m.Graphviz()
	default:
		return fmt.Errorf("diagram: no format %q; there are: mermaid, dot", *format)
	}
	_, err := io.WriteString(out, text)
	return err
}
