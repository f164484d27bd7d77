package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/internal/italian"
)

// maxRow is the last row of a sheet.
const maxRow = 1_048_576

func (p *program) preview() *cobra.Command {
	var w workbook
	var maps []string
	c := &cobra.Command{
		Use:   "preview <file>",
		Short: "Mostra il messaggio di una riga di un file, senza importarlo",
		Long: `Mostra il messaggio che una riga di un file Excel o CSV diventa, così com'è inviato ad App IO:
con i campi sostituiti dai valori, e con le opzioni. Non importa niente.`,
		Example: `  massivo preview avvisi.xlsx --row 12
  massivo preview elenco.xlsx --subject "Da pagare: {{.Tributo}}" --content-file lettera.md`,
		Args: cli.Args(1, 1),
	}
	row := c.Flags().Int("row", 0, "`numero` della riga nel foglio; se manca, la prima senza errori")
	c.Flags().StringArrayVar(&maps, "map", nil, "abbina un'intestazione del file a una colonna del modello: `INTESTAZIONE=COLONNA`")
	w.textFlags(c.Flags())
	w.columnFlag(c.Flags())
	w.optionFlags(c.Flags())
	c.RunE = func(c *cobra.Command, args []string) error {
		if *row < 0 || *row > maxRow {
			return cli.Wrongf("--row: indicare il numero di una riga, fino a %s.", italian.Number(maxRow))
		}
		standing, err := w.standing()
		if err != nil {
			return err
		}
		template, err := w.template(c.Context(), standing)
		if err == nil {
			template, err = mapped(template, maps)
		}
		if err != nil {
			return err
		}
		file, err := read(c.Context(), args[0])
		if err != nil {
			return err
		}
		defer file.Close()
		found, err := template.Preview(c.Context(), file, file.size, *row)
		if err != nil {
			var refused *flussi.RowError
			if errors.As(err, &refused) {
				if *row == 0 {
					fmt.Fprintln(p.out, "Nessuna riga è senza errori. La prima ha questi:")
				}
				fmt.Fprintln(p.out, flussi.Explain(err))
				return &cli.Exit{Code: exitRows}
			}
			return &cli.Exit{Code: exitRows, Err: err}
		}
		d, message := found.Draft, found.Draft.Message()
		s := &session{program: p}
		s.tellFields(fmt.Sprintf("Riga %d", found.Number), field{"C.F. destinatario", d.Recipient.Reveal()}, field{"Oggetto", message.Subject.Reveal()},
			field{"Scadenza", moment(d.DueDate)}, field{"Somma", euro(d.Amount)}, field{"Numero avviso", d.NoticeNumber.Reveal()},
			field{"Ente creditore", d.Payee.String()}, field{"Riferimento", d.Reference}, field{"Occasione", d.Occasion})
		s.tellFields("Opzioni", optionFields(d.Options)...)
		fmt.Fprintf(p.out, "Contenuto, come App IO lo riceve\n%s\n", plain(message.Content.Reveal()))
		if err := d.Check(); err != nil {
			fmt.Fprintf(p.out, "Da verificare\n  %s\n", indented(flussi.Explain(err), 2, s.width))
		}
		return nil
	}
	return c
}
