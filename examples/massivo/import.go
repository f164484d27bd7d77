package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowexcel"
	"github.com/flussi-go/flussi/internal/italian"
)

// importing says how a file is imported.
type importing struct {
	flow, marked             string
	occasion                 string
	maps                     []string // "Intestazione=Colonna"
	note, appContext, appKey string
	goodRows, overwrite      bool
	workbook                 workbook
	standing                 flow.Options // those of the flags or of the existing flow
	column                   bool         // the file has a column for the occasion, which takes precedence over the flag
}

func (p *program) imports() *cobra.Command {
	var how importing
	c := &cobra.Command{
		Use:   "import <file>",
		Short: "Controlla e importa un file Excel o CSV (Importa da File Excel)",
		Long: `Controlla tutte le righe di un file Excel o CSV e, se non ci sono errori, le importa in un
flusso nuovo. Se qualche riga ha errori non importa niente, e scrive una copia del file con
gli errori segnati; con --good-rows importa le righe senza errori.

Lo stesso file si può importare più volte: se le righe ci sono già, il programma lo dice e non
aggiunge niente. Le righe uguali a messaggi già inviati, o da inviare, sono aggiunte
disabilitate, e nessuno li riceve due volte. Per inviarli di nuovo, ad esempio come sollecito,
serve un'occasione diversa: --occasion.

Un file con altre intestazioni si importa dicendo che cosa significano: --map, una volta per ogni
colonna.

Con --subject e --content-file il testo è uno per tutti, con campi di cui ogni riga ha i valori: il
modello è quello di «massivo template» con le stesse opzioni. Le opzioni del messaggio (--plain-text,
--button e le altre) valgono per le righe che non ne hanno di proprie. Per vedere prima un messaggio:
«massivo preview».`,
		Example: `  massivo import avvisi.xlsx --note "TARI, prima rata"
  massivo import avvisi.xlsx --occasion "sollecito marzo"
  massivo import elenco.csv --map "Tot. dovuto=Somma" --map "Utente=Codice fiscale"`,
		Args: cli.Args(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			var err error
			if how.standing, err = how.workbook.standing(); err != nil {
				return err
			}
			if how.flow != "" && (how.note+how.appContext+how.appKey != "" || !how.standing.IsZero()) {
				return cli.Wrongf("--note, --app-context, --app-key e le opzioni del messaggio valgono per un flusso nuovo: toglierle, oppure togliere --flow.")
			}
			if sameFile(args[0], how.marked) {
				return cli.Wrongf("La copia con gli errori segnati sostituirebbe il file: indicare un altro nome con --marked.")
			}
			return p.within(c.Context(), func(s *session) error {
				_, err := s.importFile(c.Context(), args[0], how)
				return err
			})
		},
	}
	set := c.Flags()
	set.StringVar(&how.flow, "flow", "", "aggiunge le righe a un `flusso` nello stato «Inattivo»")
	set.StringVar(&how.occasion, "occasion", "", "`occasione` dell'invio, come \"sollecito marzo\": gli stessi messaggi, con un'occasione diversa, si inviano di nuovo")
	set.StringArrayVar(&how.maps, "map", nil, "abbina un'intestazione del file a una colonna del modello, come \"Tot. dovuto=Somma\"; senza colonna, non si legge: `INTESTAZIONE=COLONNA`")
	set.StringVar(&how.note, "note", "", "`note` del flusso nuovo")
	set.StringVar(&how.appContext, "app-context", "", "`contesto` applicativo del flusso nuovo")
	set.StringVar(&how.appKey, "app-key", "", "`chiave` applicativa del flusso nuovo")
	set.BoolVar(&how.goodRows, "good-rows", false, "importa le righe senza errori anche se altre ne hanno")
	set.StringVar(&how.marked, "marked", "", "`copia` del file con gli errori segnati; se manca: <file>-errori.xlsx")
	overwriting(c, &how.overwrite)
	how.workbook.textFlags(set)
	how.workbook.columnFlag(set)
	how.workbook.optionFlags(set)
	return c
}

// importFile checks a file and imports it, tells what it found, and returns the flow.
func (s *session) importFile(ctx context.Context, name string, how importing) (flow.Flow, error) {
	if how.flow != "" {
		if id, err := parseID(how.flow); err == nil { // addRows tells what is wrong
			f, err := s.Flow(ctx, s.by, id)
			if err != nil {
				return flow.Flow{}, err
			}
			how.standing = f.Options
		}
	}
	template, err := how.workbook.template(ctx, how.standing)
	if err != nil {
		return flow.Flow{}, err
	}
	if template, err = mapped(template, how.maps); err != nil {
		return flow.Flow{}, err
	}
	file, err := read(ctx, name)
	if err != nil {
		return flow.Flow{}, err
	}
	defer file.Close()

	var report excel.Report
	rows := template.Rows(ctx, file, file.size, &report)
	f, added, err := s.addRows(ctx, notingOccasions(rows, &how.column), how)
	if report.Format == "" {
		return f, err // it did not come to reading
	}
	if !errors.Is(err, flussi.ErrCommitUnknown) { // then it is not known what was imported
		fmt.Fprint(s.out, flowexcel.Italian(&report, added, shown))
	}
	marked := false
	if !report.Complete || added.Invalid > 0 {
		marked = s.mark(file, how, func(w io.Writer) error { return template.Annotate(ctx, w, file, file.size, &report, added) })
	}
	switch {
	case errors.Is(err, flussi.ErrCommitUnknown):
		fmt.Fprintln(s.out, "\nNon si sa se le righe siano state importate. Ripetere lo stesso comando: se le righe ci sono già, il programma le riconosce e non le aggiunge di nuovo.")
		return f, err
	case !added.ImportedAt.IsZero():
		s.tellImported(f, name, how)
	case added.Added+added.DuplicateCount == 0:
		s.tellRefused(&report, name, marked, err)
		if errors.Is(err, excel.ErrHeader) && !isExport(err) {
			s.tellSimilar(ctx, template, file)
		}
		return f, wrongFile(err)
	default:
		s.tellAdded(f, added, name, how)
	}
	switch {
	case err != nil:
		return f, err
	case added.Invalid > 0, added.DuplicateCount > 0:
		return f, &cli.Exit{Code: exitRows}
	case !added.ImportedAt.IsZero():
		return f, s.repeats(ctx, f)
	}
	return f, nil
}

// mapped returns the template with the mappings of the flags.
func mapped(template *flowexcel.Template, flags []string) (*flowexcel.Template, error) {
	if len(flags) == 0 {
		return template, nil
	}
	mapping := excel.Mapping{}
	for _, flag := range flags {
		at := strings.LastIndexByte(flag, '=')
		if at < 1 {
			return nil, cli.Wrongf("--map %q: indicare l'intestazione del file e la colonna del modello, ad esempio --map \"Tot. dovuto=Somma\".", flag)
		}
		header := strings.TrimSpace(flag[:at])
		if _, again := mapping[header]; again {
			return nil, cli.Wrongf("--map %q: l'intestazione è già abbinata.", flag)
		}
		mapping[header] = strings.TrimSpace(flag[at+1:])
	}
	template, err := template.WithMapping(mapping)
	if err != nil {
		return nil, cli.Wrongf("--map: %s", flussi.Explain(err))
	}
	return template, nil
}

// tellSimilar prints which columns of a file have headers that are similar to those that are not
// there, and how to map them. It prints their letters: headers may hold anything.
func (s *session) tellSimilar(ctx context.Context, template *flowexcel.Template, file input) {
	found, err := template.FileHeaders(ctx, file, file.size)
	if err != nil {
		return // the report says why
	}
	var similar []string
	for _, c := range found.Columns {
		if len(c.Similar) > 0 {
			similar = append(similar, fmt.Sprintf("  «%s»: %s %s", c.Header, italian.Choose(len(c.Similar), "colonna", "colonne"), strings.Join(c.Similar, ", ")))
		}
	}
	if len(similar) > 0 {
		fmt.Fprintf(s.out, "Intestazioni simili nella riga %d del file:\n%s\n", found.Row, strings.Join(similar, "\n"))
	}
	fmt.Fprintln(s.out, "Per abbinare un'intestazione del file a una colonna del modello: --map \"INTESTAZIONE=COLONNA\"")
}

// repeats returns the exit code of an import that was made before: the one for wrong rows while the
// flow has rows that were stored disabled, because they repeat earlier messages, and that nobody
// changed since.
func (s *session) repeats(ctx context.Context, f flow.Flow) error {
	if f.Counts.Disabled == 0 {
		return nil
	}
	for n, err := range s.AllNotifications(ctx, s.by, flow.NotificationFilter{Flow: f.ID, Disabled: flow.OnlyDisabled}) {
		if err != nil {
			return err
		}
		if n.Version == 1 { // as the import stored it
			return &cli.Exit{Code: exitRows}
		}
	}
	return nil
}

// notingOccasions returns the rows, and sets found if one of them has an occasion of its own.
func notingOccasions(rows iter.Seq2[flow.Row, error], found *bool) iter.Seq2[flow.Row, error] {
	return func(yield func(flow.Row, error) bool) {
		for row, err := range rows {
			if err == nil && row.Draft.Occasion != "" {
				*found = true
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// tellRefused prints that nothing was imported, and the next step. There may be a copy of the file
// with the errors marked.
func (s *session) tellRefused(report *excel.Report, name string, marked bool, err error) {
	fmt.Fprintln(s.out, "\nNon è stato importato niente.")
	if report.Complete && errors.Is(err, flussi.ErrRows) {
		which := "il file"
		if marked {
			which = "il file, o la sua copia,"
		}
		fmt.Fprintf(s.out, "Correggere %s e importarlo di nuovo; oppure importare solo le righe senza errori, con --good-rows.\n", which)
	}
	if isExport(err) {
		fmt.Fprintf(s.out, "Per correggere le notifiche in «Errore»: %s\n", s.again("resend", "FLUSSO", quoted(name)))
	}
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
	case errors.As(err, &fault), errors.Is(err, flussi.ErrRows):
		return &cli.Exit{Code: exitRows}
	case errors.Is(err, flussi.ErrEmpty):
		return &cli.Exit{Code: exitRows, Err: err}
	}
	return err
}

// addRows adds rows to a new flow, or to one that is there.
func (s *session) addRows(ctx context.Context, rows iter.Seq2[flow.Row, error], how importing) (flow.Flow, flow.AddReport, error) {
	config := flow.AddConfig{SkipInvalid: how.goodRows, Occasion: how.occasion}
	if how.flow == "" {
		service, err := s.settings.serviceName()
		if err != nil {
			return flow.Flow{}, flow.AddReport{}, err
		}
		details := flow.Details{Note: flussi.NewText(how.note), AppContext: how.appContext, AppKey: how.appKey, Options: how.standing}
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
	if err != nil {
		f.ID = id // the rows are stored, although reading the flow failed
	}
	return f, report, err
}

// mark writes the copy with the errors marked, if the file allows it, and reports whether it did.
func (s *session) mark(file input, how importing, annotate func(io.Writer) error) bool {
	name, overwrite := how.marked, how.overwrite
	if name == "" {
		name = beside(file.Name(), "errori")
	}
	err := write(name, overwrite, annotate)
	switch {
	case err == nil:
		fmt.Fprintf(s.out, "\nCopia con gli errori segnati: %s\n", cli.Name(name))
	case errors.Is(err, excel.ErrReport): // it could not be read to its end
		fmt.Fprintln(s.out, "\nDi questo file non si può fare una copia con gli errori segnati.")
	default:
		fmt.Fprintf(s.out, "\nNon è stata scritta una copia con gli errori segnati: %s\n", flussi.Explain(err))
	}
	return err == nil
}

// shown is how many errors of a file are shown; the copy has all of them.
const shown = 10
