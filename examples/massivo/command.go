package main

import (
	"io"

	"github.com/spf13/cobra"
)

// program is one run of the program: where it reads and writes, and its settings.
type program struct {
	in          io.Reader
	out, errs   io.Writer           // results; progress and warnings
	getenv      func(string) string // the environment
	asks, draws bool                // whether a person can be asked, and shown a progress bar
	width       int                 // of the terminal that results are shown on, in characters; 0: it is none
	barWidth    int                 // of the one that progress is shown on
	settings    settings
	plays       bool   // the demo, whose database is no matter for commands
	waits       *waits // set by command
}

// The exit codes of the program, besides those of package cli.
const (
	exitRows       = 3 // wrong rows, or a file that cannot be read
	exitIncomplete = 4 // sent, with negative outcomes
	exitStopped    = 5 // the sending was stopped
)

// command returns the command line.
func (p *program) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "massivo",
		Short: "Invia messaggi massivi ai cittadini con App IO",
		Long: `Invia messaggi massivi ai cittadini con App IO: si compila il modello Excel, lo si
importa in un flusso, si invia, e si esporta l'esito.

Può essere interrotto in qualsiasi momento: riavviato, riprende da dove era, e nessun
cittadino riceve due volte lo stesso messaggio. Senza --live usa il simulatore su questa
macchina, e nessun messaggio arriva ai cittadini.`,
		Example: `  massivo demo                              tutto il percorso, con il simulatore
  massivo template avvisi.xlsx              il modello da compilare
  massivo import avvisi.xlsx --note "TARI"  controlla e importa
  massivo send                              invia il flusso
  massivo export esito.xlsx                 l'esito, notifica per notifica`,
	}
	root.SetOut(p.out)
	root.SetErr(p.errs)
	root.SetIn(p.in)
	p.settings.flags(root.PersistentFlags())
	p.waits = &waits{}
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error {
		return p.settings.complete(c.Flags(), p.getenv, p.errs)
	}
	root.AddCommand(p.demo(), p.template(), p.preview(), p.imports(), p.reachable(), p.send(), p.serve(), p.deactivate(), p.verify(),
		p.resend(), p.resolve(), p.list(), p.show(), p.export(), p.history(), p.disable(), p.enable(), p.restored())
	return root
}
