package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/flussi-go/flussi/examples/internal/cli"
)

// command returns the command line.
func command(out *cli.Output) *cobra.Command {
	var folder string
	var pause time.Duration
	c := &cobra.Command{
		Use:   "segreteria",
		Short: "Mostra il lavoro della segreteria con Pago In Rete, su un simulatore",
		Long: `Mostra il lavoro della segreteria di una scuola con Pago In Rete: le dieci operazioni
della guida, un evento rifiutato dal DS e corretto, un'erogazione liberale, i pagamenti delle
famiglie, la riconciliazione con il PSP e la tesoreria, gli avvisi ancora da pagare scritti ai
genitori con App IO, e l'esito in una cartella di lavoro.

Tutto avviene su questa macchina, con simulatori e famiglie inventate: niente raggiunge Pago In
Rete, App IO o le famiglie, e non serve preparare niente.`,
		Example: `  segreteria                      in una cartella fra quelle temporanee
  segreteria --dir prova          in una cartella nuova
  segreteria --pause 5s           con il tempo di leggere, parte per parte
  segreteria riconcilia FILE…     abbina file veri di PSP e tesoreria`,
		Args: cli.Args(0, 0),
	}
	c.SetOut(out)
	c.Flags().StringVar(&folder, "dir", "", "`cartella` nuova per i file; se manca, una fra quelle temporanee")
	c.Flags().DurationVar(&pause, "pause", 0, "`durata` della pausa dopo ogni parte, come 5s")
	c.RunE = func(c *cobra.Command, _ []string) (err error) {
		if pause < 0 || pause > maxPause {
			return cli.Wrongf("La durata di --pause non può essere negativa, e al massimo è di un giorno.")
		}
		folder, err := newFolder(folder)
		if err != nil {
			return err
		}
		o, err := openOffice(c.Context(), folder)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, o.close()) }()
		d := &demo{office: o, screen: &screen{out: out, width: out.Width}, pause: pause}
		return d.play(c.Context())
	}
	c.AddCommand(reconcileCommand(out), templatesCommand(out))
	return c
}

const maxPause = 24 * time.Hour

// newFolder makes the folder for the files. It must be new, so that the demo meets nothing
// that is somebody's.
func newFolder(name string) (string, error) {
	var err error
	if name == "" {
		name, err = os.MkdirTemp("", "segreteria-")
	} else {
		err = os.Mkdir(name, 0o700)
	}
	switch {
	case errors.Is(err, os.ErrExist):
		return "", cli.Explained("La cartella esiste già: indicare una cartella nuova con --dir.", err)
	case err != nil:
		return "", cli.Explained("La cartella per i file non si può creare: indicare un altro percorso con --dir.", err)
	}
	return name, nil
}

// wait waits between two parts.
func (d *demo) wait(ctx context.Context) error {
	timer := time.NewTimer(d.pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return cli.Explained("Dimostrazione interrotta: i file già scritti restano nella cartella.", ctx.Err())
	case <-timer.C:
		return nil
	}
}
