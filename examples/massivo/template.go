package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/flow/flowexcel"
)

func (p *program) template() *cobra.Command {
	var overwrite bool
	c := &cobra.Command{
		Use:   "template <file.xlsx>",
		Short: "Scrive il modello Excel da compilare, con la guida (Scarica Template)",
		Args:  cli.Args(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			template, err := flowexcel.New(flowexcel.Config{})
			if err != nil {
				return err
			}
			if err := write(args[0], overwrite, func(w io.Writer) error { return template.Blank(c.Context(), w) }); err != nil {
				return err
			}
			fmt.Fprintf(p.out, "Modello scritto: %s\nPer importarlo, una volta compilato: %s\n", args[0], p.again("import", quoted(args[0])))
			return nil
		},
	}
	overwriting(c, &overwrite)
	return c
}

// overwriting is the flag of commands that write a file.
func overwriting(c *cobra.Command, overwrite *bool) {
	c.Flags().BoolVar(overwrite, "overwrite", false, "sostituisce il file, se esiste già")
}
