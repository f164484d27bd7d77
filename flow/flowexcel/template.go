package flowexcel

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/mailmerge"
)

// Config says how a template works. Every field may be left out.
type Config struct {
	// Limits of the texts. Give those of the [flow.ServiceConfig], or the service refuses
	// rows that the template took. Defaults to [flow.GuideLimits].
	Limits flow.Limits
	// Codes says what a doubtful fiscal code or notice number is. Defaults to
	// [flussi.Lenient]: a warning.
	Codes flussi.Policy
	// File bounds what a file may cost. Defaults to those of [excel.Limits].
	File excel.Limits
	// Text makes the workbook of a mail merge: instead of Oggetto and Contenuto, its template has a
	// column for each field of the text. A field with the header of another column, such as Scadenza
	// or Somma, is that column, which is required if the text needs a value. A field with one of the
	// column's other names, such as Importo, is refused: a Somma makes a payment of the message.
	// Exports and corrections have the resulting texts. Defaults to none.
	Text *mailmerge.Text
	// Options are the groups of columns for the options of a row, in imports and exports. An import
	// with a column of another group is refused. Corrections do not change options without a
	// column. Defaults to none.
	Options []OptionGroup
	// FlowOptions are the options of the flow that the rows are added to. Rows are checked with them
	// filled in, as [flow.Service.AddNotifications] does. Set the same in the flow's
	// [flow.Details]. Defaults to none.
	FlowOptions flow.Options
}

// Template is the notifications' workbook. It is made by [New], never changes, and is
// safe for concurrent use.
type Template struct {
	config  Config
	merge   *merge // nil: the rows have columns for their texts
	imports *excel.Template[entry]
	exports *excel.Template[exported]
}

// New returns a template. The error lists everything that is wrong with the
// configuration; it is an [*excel.TemplateError].
func New(c Config) (*Template, error) {
	if c.Limits == (flow.Limits{}) {
		c.Limits = flow.GuideLimits()
	}
	zone, err := time.LoadLocation("Europe/Rome") // package flussi links the zone data
	if err != nil {
		return nil, err
	}
	c.Options = slices.Clone(c.Options)
	t := &Template{config: c}
	k := importKinds(c.Limits, c.Codes)
	columns, err := t.importColumns(k)
	if err != nil {
		return nil, err
	}
	t.imports, err = excel.New(excel.Config[entry]{
		Name: "Notifiche", Sheet: "Notifiche", Limits: c.File, Refused: refusedHeaders(c.Options), Check: t.check,
		Intro: "Con questo modello si preparano le notifiche di un flusso: una riga per ogni cittadino e messaggio. Si carica nel flusso con «Importa da File Excel».",
	}, columns...)
	if err != nil {
		return nil, err
	}
	t.exports, err = excel.New(excel.Config[exported]{
		Name: "Notifiche esportate", Sheet: "Notifiche", Limits: c.File, HiddenRows: excel.ReadHidden, Refused: refusedOptions(c.Options),
		Export: true, Intro: exportIntro, Hints: exportHints(), Tones: exportTones(),
	}, exportColumns(k, c, zone)...)
	if err != nil {
		return nil, err
	}
	return t, nil
}

// importColumns returns the columns of an import: those of a draft, or of the fields of a mail
// merge, and those of the options.
func (t *Template) importColumns(k kinds) ([]excel.Column[entry], error) {
	self := func(e *entry) *entry { return e }
	columns := draftColumns(k, t.config.Limits, true, t.config.contentHelp(), self)
	if t.config.Text != nil {
		columns = slices.DeleteFunc(columns, func(c excel.Column[entry]) bool { return c.Header() == subjectHeader || c.Header() == contentHeader })
		m, fields, err := newMerge(t.config.Text, columns, t.config.Options)
		if err != nil {
			return nil, err
		}
		t.merge = m
		columns = slices.Insert(columns, 1, fields...)
	}
	return append(columns, optionColumns(groupsOf(options(false, self), t.config.Options))...), nil
}

// refusedOptions returns the headers of options that a template does not read. If it ignored them,
// messages would be sent without the options of their rows.
func refusedOptions(groups []OptionGroup) (all []excel.RefusedHeader) {
	for _, o := range exportedOptions() {
		if !slices.Contains(groups, o.group) {
			all = append(all, excel.RefusedHeader{Header: o.header, Hint: "È una colonna delle opzioni, che questo modello non legge: usare il modello con le opzioni, o togliere la colonna."})
		}
	}
	return all
}

// refusedHeaders are the headers that an import must not have.
func refusedHeaders(groups []OptionGroup) []excel.RefusedHeader {
	all := []excel.RefusedHeader{{Header: idHeader, Hint: "Il file è un'esportazione, e le sue notifiche ci sono già. " +
		"Per correggere le notifiche in «Errore», caricare il file come correzione. Per scrivere agli stessi cittadini un altro messaggio, copiare le righe nel modello."}}
	for _, header := range []string{messageHeader} {
		all = append(all, excel.RefusedHeader{Header: header, Hint: "È una colonna delle esportazioni: se il file non è un'esportazione, togliere la colonna."})
	}
	all = append(all, refusedOptions(groups)...)
	for _, header := range []string{"IUV", "Codice IUV", "Numero IUV"} {
		all = append(all, excel.RefusedHeader{Header: header, Hint: "Serve il numero avviso di 18 cifre, che si trova sull'avviso di pagamento: lo IUV ne è solo una parte."})
	}
	return all
}

// check judges a row whose cells are right, as the flow will.
func (t *Template) check(e *entry) error {
	e.Draft = e.draft()
	options := e.Options.Or(t.config.FlowOptions)
	if t.merge != nil {
		if err := t.merge.fill(e, options.PlainText == flow.ChoiceYes); err != nil {
			return errors.Join(err, lateFault(e.Draft, e.late))
		}
	}
	d := e.Draft
	d.Options = options
	return errors.Join(d.Validate(t.config.Limits), lateFault(d, e.late))
}

// lateFault refuses what says something about a payment that is none.
func lateFault(d flow.Draft, late *bool) error {
	if d.IsPayment || late == nil || !*late {
		return nil
	}
	return excel.NewCheckError(lateHeader, "La cella riguarda un pagamento, ma non è una notifica di pagamento: aggiungere la somma e il numero avviso, o svuotare la cella.")
}

// Blank (Scarica Template) writes the empty workbook for people to fill in. See
// [excel.Template.Blank].
func (t *Template) Blank(ctx context.Context, w io.Writer) error { return t.imports.Blank(ctx, w) }

// FileHeaders lists the headers of a file that is not made from the template, for a screen where an
// operator says which columns they are. See [excel.Template.FileHeaders].
func (t *Template) FileHeaders(ctx context.Context, r io.ReaderAt, size int64) (excel.FileHeaders, error) {
	return t.imports.FileHeaders(ctx, r, size)
}

// WithMapping returns a template that imports files with other headers, as a mapping says. Exports
// and corrections are the same. See [excel.Template.WithMapping].
func (t *Template) WithMapping(m excel.Mapping) (*Template, error) {
	imports, err := t.imports.WithMapping(m)
	if err != nil {
		return nil, err
	}
	mapped := *t
	mapped.imports = imports
	return &mapped, nil
}
