package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/pagoinrete/settlementexcel"
)

// templatesCommand returns the command that writes the templates for rows that have no file format.
func templatesCommand(out *cli.Output) *cobra.Command {
	return &cobra.Command{
		Use:   "modelli CARTELLA",
		Short: "Scrive i modelli per pagamenti e movimenti che non hanno un formato proprio",
		Long: `Scrive in una cartella i modelli per i pagamenti dei flussi di un PSP e per i movimenti di una
tesoreria che non danno i file FdR e OPI: pagamenti.xlsx e movimenti.xlsx, con la guida, e
pagamenti.csv e movimenti.csv. Compilati, si danno al comando riconcilia.`,
		Args: cli.Args(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			s := &screen{out: out, width: out.Width}
			if err := writeTemplates(c.Context(), args[0]); err != nil {
				return err
			}
			return s.say("Modelli scritti: pagamenti.xlsx, movimenti.xlsx, pagamenti.csv, movimenti.csv.\n")
		},
	}
}

// writeTemplates writes the templates into a folder. Files that are there are not changed.
func writeTemplates(ctx context.Context, folder string) error {
	template, err := settlementexcel.New(settlementexcel.Config{})
	if err != nil {
		return err
	}
	for name, content := range map[string]func(io.Writer) error{
		"pagamenti.xlsx": func(w io.Writer) error { return template.BlankSettlements(ctx, w) },
		"movimenti.xlsx": func(w io.Writer) error { return template.BlankMovements(ctx, w) },
		"pagamenti.csv":  template.BlankSettlementsCSV,
		"movimenti.csv":  template.BlankMovementsCSV,
	} {
		switch err := write(filepath.Join(folder, name), content); {
		case errors.Is(err, os.ErrExist):
			return cli.Explained("Il file "+name+" esiste già nella cartella: indicare un'altra cartella.", err)
		case err != nil:
			return cli.Explained("I modelli non si possono scrivere: verificare che la cartella esista.", err)
		}
	}
	return nil
}
