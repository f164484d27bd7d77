package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/flow/flowexcel"
)

func (p *program) template() *cobra.Command {
	return &cobra.Command{
		Use:   "template <file.xlsx>",
		Short: "Scrive il modello Excel da compilare, con la guida (Scarica Template)",
		Args:  cli.Args(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			template, err := flowexcel.New(flowexcel.Config{})
			if err != nil {
				return err
			}
			if err := write(args[0], func(w io.Writer) error { return template.Blank(c.Context(), w) }); err != nil {
				return err
			}
			fmt.Fprintf(p.out, "Modello scritto: %s\nPer importarlo, una volta compilato: massivo import %[1]s\n", args[0])
			return nil
		},
	}
}
