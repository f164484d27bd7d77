package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/pagoinrete/settlement/memstore"
	"github.com/flussi-go/flussi/pagoinrete/settlementexcel"
	"github.com/flussi-go/flussi/sqlstore/sqlite"
)

// reconcileCommand returns the command that applies files of PSPs and of the treasury.
func reconcileCommand(out *cli.Output) *cobra.Command {
	var folder, code, report string
	c := &cobra.Command{
		Use:   "riconcilia FILE…",
		Short: "Abbina i file di PSP e tesoreria, e stampa che cosa è riscontrato",
		Long: `Legge flussi di rendicontazione (FdR), giornali di cassa e ricevute telematiche, e le righe di
cartelle di lavoro e file CSV con le colonne dei modelli. Riconosce ogni file dal contenuto, li
applica tutti, in qualunque ordine, li abbina fra loro e agli avvisi della scuola, e stampa che cosa
è riscontrato e che cosa è da verificare.

Gli avvisi sono quelli della cartella di una dimostrazione (--dir), che prendono lo stato che i file
dimostrano. Flussi e movimenti si conservano lì, e i file si possono dare un po' per volta. Senza la
cartella nessuno IUV è atteso e niente si conserva: i file si indicano tutti insieme. Un file che non
si può applicare viene segnalato, e gli altri vengono applicati.`,
		Example: `  segreteria riconcilia --dir prova prova/*.xml
  segreteria riconcilia --dir prova --report esito.xlsx *.xml movimenti.csv`,
		Args: cli.Args(1, -1),
	}
	c.Flags().StringVar(&folder, "dir", "", "`cartella` di una dimostrazione, con gli avvisi")
	c.Flags().StringVar(&code, "ente", schoolBody.String(), "`codice` fiscale dell'ente a cui i file sono destinati")
	c.Flags().StringVar(&report, "report", "", "`file` .xlsx nuovo, con flussi, pagamenti, movimenti e dati per reversali")
	c.RunE = func(c *cobra.Command, files []string) (err error) {
		body, err := flussi.ParseOrganizationCode(code)
		if err != nil {
			return cli.Wrongf("Opzione --ente: %s", flussi.Explain(err))
		}
		due := &noticeTable{receipts: map[paymentfile.Reference]flussi.Cents{}}
		var settlements settlement.Store = memstore.New()
		if folder != "" {
			store, err := openNotices(c.Context(), folder)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, store.Close()) }()
			settlements = store
			if due.notices, err = serveNotices(store); err != nil {
				return err
			}
			if due.dues, err = schoolDues(due.notices); err != nil {
				return err
			}
		}
		r, err := newReconciliation(&screen{out: out, width: out.Width}, settlements, body, due)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, r.close()) }()
		return r.run(c.Context(), files, report)
	}
	return c
}

// openNotices opens the database of a demo's folder, which must be there.
func openNotices(ctx context.Context, folder string) (*sqlite.Store, error) {
	name := filepath.Join(folder, "segreteria.db")
	if _, err := os.Stat(name); err != nil {
		return nil, cli.Explained("La cartella non ha l'archivio segreteria.db: indicare con --dir quella di una dimostrazione.", err)
	}
	return sqlite.Open(ctx, name, sqlite.Config{})
}

// serveNotices returns a service that calls nobody.
func serveNotices(store *sqlite.Store) (*pagoinrete.Service, error) {
	nobody := func(context.Context, string) (pagoinrete.Gateway, error) {
		return nil, cli.Explained("Un evento pagato non è ancora «Notificato», e il comando non lo chiede a Pago In Rete.", errors.New("nobody is called here"))
	}
	return pagoinrete.NewService(store, pagoinrete.Permissions{assistant.ID: {school}}, nobody, pagoinrete.ServiceConfig{})
}

// reconciliation applies files to settlements and movements.
type reconciliation struct {
	*screen
	service  *settlement.Service
	template *settlementexcel.Template
	body     flussi.OrganizationCode
	due      *noticeTable
	journals map[string]*paymentfile.JournalPages // by the key of the journal
	heads    []*paymentfile.SettlementFile        // of settlements in JSON
	pages    []*paymentfile.SettlementFile        // of their payments
	open     []io.Closer                          // the files of heads and pages
	files    map[[sha256.Size]byte]bool           // the digests of those that were given
	failed   int                                  // files that were not applied, or not as a whole
}

func newReconciliation(s *screen, settlements settlement.Store, body flussi.OrganizationCode, due *noticeTable) (*reconciliation, error) {
	service, err := settlement.NewService(settlements, settlement.Permissions{assistant.ID: {body}}, due)
	if err != nil {
		return nil, err
	}
	template, err := settlementexcel.New(settlementexcel.Config{})
	if err != nil {
		return nil, err
	}
	return &reconciliation{screen: s, service: service, template: template, body: body, due: due,
		journals: map[string]*paymentfile.JournalPages{}, files: map[[sha256.Size]byte]bool{}}, nil
}

func (r *reconciliation) close() error {
	var errs []error
	for _, file := range r.open {
		errs = append(errs, file.Close())
	}
	return errors.Join(errs...)
}

// run applies files, prints the result, and writes the report if it has a name.
func (r *reconciliation) run(ctx context.Context, files []string, report string) error {
	for _, name := range files {
		if err := r.applyFile(ctx, name); err != nil {
			return err
		}
	}
	if err := r.finishFiles(ctx); err != nil {
		return err
	}
	if err := r.print(ctx); err != nil {
		return err
	}
	if report != "" {
		if err := r.writeReport(ctx, report); err != nil {
			return err
		}
	}
	if r.failed > 0 {
		return &cli.Exit{Code: cli.Failure}
	}
	return nil
}

// writeReport writes the workbook.
func (r *reconciliation) writeReport(ctx context.Context, name string) error {
	err := write(name, func(w io.Writer) error {
		return r.template.Export(ctx, w, settlementexcel.SourcesOf(ctx, r.service, assistant, settlement.ReportFilter{}, r.due))
	})
	switch {
	case errors.Is(err, os.ErrExist):
		return cli.Explained("Il file del report esiste già: indicare un file nuovo con --report.", err)
	case errors.Is(err, os.ErrNotExist), errors.Is(err, os.ErrPermission):
		return cli.Explained("Il file del report non si può scrivere: indicare un altro percorso con --report.", err)
	case err != nil:
		return fmt.Errorf("write report: %w", err)
	}
	return r.say("\nReport: %s\n", cli.Name(name))
}
