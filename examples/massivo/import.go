package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/spf13/cobra"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowexcel"
)

// importing says how a file is imported.
type importing struct {
	flow, marked             string
	note, appContext, appKey string
	goodRows, overwrite      bool
}

func (p *program) imports() *cobra.Command {
	var how importing
	c := &cobra.Command{
		Use:   "import <file>",
		Short: "Controlla e importa un file Excel o CSV (Importa da File Excel)",
		Long: `Controlla tutte le righe di un file Excel o CSV e, se sono giuste, le importa in un flusso
nuovo. Se qualche riga è sbagliata non importa niente, e scrive una copia del file con gli
errori segnati; con --good-rows importa le righe giuste.`,
		Args: cli.Args(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if how.flow != "" && how.note+how.appContext+how.appKey != "" {
				return cli.Wrongf("--note, --app-context e --app-key sono di un flusso nuovo: non vanno con --flow.")
			}
			if sameFile(args[0], how.marked) {
				return cli.Wrongf("La copia con gli errori segnati prenderebbe il posto del file: indicare un altro nome con --marked.")
			}
			return p.within(c.Context(), func(s *session) error {
				_, err := s.importFile(c.Context(), args[0], how)
				return err
			})
		},
	}
	set := c.Flags()
	set.StringVar(&how.flow, "flow", "", "aggiunge le righe a un `flusso` che è Inattivo")
	set.StringVar(&how.note, "note", "", "`note` del flusso nuovo")
	set.StringVar(&how.appContext, "app-context", "", "`contesto` applicativo del flusso nuovo")
	set.StringVar(&how.appKey, "app-key", "", "`chiave` applicativa del flusso nuovo")
	set.BoolVar(&how.goodRows, "good-rows", false, "importa le righe giuste anche se altre sono sbagliate")
	set.StringVar(&how.marked, "marked", "", "`copia` del file con gli errori segnati; se manca: <file>-errori.xlsx")
	overwriting(c, &how.overwrite)
	return c
}

// importFile checks a file and imports it, tells what it found, and returns the flow.
func (s *session) importFile(ctx context.Context, name string, how importing) (flow.Flow, error) {
	template, err := flowexcel.New(flowexcel.Config{})
	if err != nil {
		return flow.Flow{}, err
	}
	file, err := read(name)
	if err != nil {
		return flow.Flow{}, err
	}
	defer file.Close()

	var report excel.Report
	rows := template.Rows(ctx, file, file.size, &report)
	f, added, err := s.addRows(ctx, rows, how)
	if report.Format == "" {
		return f, err // it did not come to reading
	}
	flowexcel.Complete(&report, added)
	fmt.Fprint(s.out, shortened(report).Italian())
	s.mark(ctx, template, file, &report, how)
	if added.Added == 0 {
		fmt.Fprintln(s.out, "\nNon è stato importato niente.")
		if report.Complete && errors.Is(err, flow.ErrRows) {
			fmt.Fprintln(s.out, "Correggere il file, o la sua copia, e importarlo di nuovo; oppure importare solo le righe giuste, con --good-rows.")
		}
		if isExport(err) {
			fmt.Fprintf(s.out, "Per correggere le notifiche in Errore: %s\n", s.again("resend", "FLUSSO", quoted(name)))
		}
		return f, wrongFile(err)
	}
	fmt.Fprintf(s.out, "\n%s nel flusso %s (%s).\n", counted(added.Added, "Importata una notifica", "Importate %s notifiche"), f.ID, f.State.Label())
	if err == nil && (added.Repeated > 0 || added.RepeatsErr != nil) {
		return s.setAside(ctx, f, added)
	}
	if !s.plays {
		fmt.Fprintf(s.out, "Per inviare il flusso: %s\n", s.again("send", f.ID))
	}
	if err == nil && added.Wrong > 0 {
		err = flow.ErrRows
	}
	return f, wrongFile(err)
}

// setAside disables a flow that would send citizens what they probably have: importing a
// file twice is no order to send it twice.
func (s *session) setAside(ctx context.Context, f flow.Flow, added flow.AddReport) (flow.Flow, error) {
	f, err := s.DisableFlow(context.WithoutCancel(ctx), s.by, f.ID)
	if err != nil {
		return f, err
	}
	if added.RepeatsErr != nil {
		fmt.Fprintf(s.out, "Non è stato possibile cercare fra gli altri flussi: %s\n", flussi.Explain(added.RepeatsErr))
	} else {
		fmt.Fprintf(s.out, "Attenzione: %s già in un altro flusso.\n",
			counted(added.Repeated, "una riga è un messaggio che il cittadino potrebbe avere", "%s righe sono messaggi che i cittadini potrebbero avere"))
	}
	fmt.Fprintf(s.out, "Perché nessuno sia avvisato due volte, il flusso è stato disabilitato. Per inviarlo lo stesso:\n  %s\n  %s\n", s.again("enable", f.ID), s.again("send", f.ID))
	return f, &cli.Exit{Code: exitRows}
}

// isExport reports whether a file was refused because it is an export.
func isExport(err error) bool {
	var fault *excel.FileError
	return errors.As(err, &fault) && slices.ContainsFunc(fault.Cells, func(c *excel.CellError) bool { return c.Header == "UUID" })
}

// wrongFile gives its exit code to what is wrong with a file; the report said it all, but
// for a file without rows.
func wrongFile(err error) error {
	var fault *excel.FileError
	switch {
	case errors.As(err, &fault), errors.Is(err, flow.ErrRows):
		return &cli.Exit{Code: exitRows}
	case errors.Is(err, flussi.ErrEmpty):
		return &cli.Exit{Code: exitRows, Err: err}
	}
	return err
}

// addRows adds rows to a new flow, or to one that is there.
func (s *session) addRows(ctx context.Context, rows iter.Seq2[flow.Row, error], how importing) (flow.Flow, flow.AddReport, error) {
	config := flow.AddConfig{GoodRowsOnly: how.goodRows}
	if how.flow == "" {
		service, err := s.settings.serviceName()
		if err != nil {
			return flow.Flow{}, flow.AddReport{}, err
		}
		details := flow.Details{Note: flussi.NewText(how.note), AppContext: how.appContext, AppKey: how.appKey}
		return s.ImportFlow(ctx, s.by, service, details, rows, config)
	}
	id, err := parseID(how.flow)
	if err != nil {
		return flow.Flow{}, flow.AddReport{}, err
	}
	report, err := s.AddNotifications(ctx, s.by, id, rows, config)
	if err != nil {
		return flow.Flow{}, report, err
	}
	f, err := s.Flow(ctx, s.by, id)
	return f, report, err
}

// mark writes the copy with the errors marked, if there are any and the file allows it.
func (s *session) mark(ctx context.Context, template *flowexcel.Template, file input, report *excel.Report, how importing) {
	if report.OK() {
		return
	}
	name, overwrite := how.marked, how.overwrite
	if name == "" {
		name = beside(file.Name(), "errori")
	}
	err := write(name, overwrite, func(w io.Writer) error { return template.Annotate(ctx, w, file, file.size, report) })
	switch {
	case err == nil:
		fmt.Fprintf(s.out, "\nCopia con gli errori segnati: %s\n", name)
	case errors.Is(err, excel.ErrReport): // it could not be read to its end
		fmt.Fprintln(s.out, "\nDi questo file non si può fare una copia con gli errori segnati.")
	default:
		fmt.Fprintf(s.out, "\nNon è stata scritta una copia con gli errori segnati: %s\n", flussi.Explain(err))
	}
}

// shown is how many errors of a file are shown; the copy has all of them.
const shown = 10

func shortened(r excel.Report) *excel.Report {
	if more := len(r.Errors) - shown; more > 0 {
		r.Errors, r.MoreErrors = r.Errors[:shown], r.MoreErrors+more
	}
	if more := len(r.Notes) - shown; more > 0 {
		r.Notes, r.MoreNotes = r.Notes[:shown], r.MoreNotes+more
	}
	return &r
}
