package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/flow"
)

func (p *program) template() *cobra.Command {
	var overwrite bool
	var w workbook
	c := &cobra.Command{
		Use:   "template <file.xlsx>",
		Short: "Scrive il modello Excel da compilare, con la guida (Scarica Template)",
		Long: `Scrive il modello Excel da compilare, con la guida. Con --options ha anche le colonne delle
opzioni. Con --subject e --content-file ha una colonna per ogni campo del testo, invece dell'oggetto
e del contenuto.`,
		Args: cli.Args(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			template, err := w.template(c.Context(), flow.Options{})
			if err != nil {
				return err
			}
			if err := write(args[0], overwrite, func(to io.Writer) error { return template.Blank(c.Context(), to) }); err != nil {
				return err
			}
			fmt.Fprintf(p.out, "Modello scritto: %s\nPer importarlo, una volta compilato: %s\n", cli.Name(args[0]), p.again("import", append([]any{quoted(args[0])}, w.flags()...)...))
			return nil
		},
	}
	overwriting(c, &overwrite)
	w.columnFlag(c.Flags())
	w.textFlags(c.Flags())
	return c
}

// overwriting is the flag of commands that write a file.
func overwriting(c *cobra.Command, overwrite *bool) {
	c.Flags().BoolVar(overwrite, "overwrite", false, "sostituisce il file, se esiste già")
}
