package settlementexcel

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// Config configures a [Template]. Every field may be left out.
type Config struct {
	// File limits the size of a file. Defaults to those of [excel.Limits].
	File excel.Limits
}

// Template reads and writes the workbooks. [New] returns it. It is immutable, and safe for
// concurrent use.
type Template struct {
	settlements *excel.Template[paymentRow]
	movements   *excel.Template[movementRow]

	summary     *excel.Template[settlement.SummaryLine]
	flows       *excel.Template[settlement.Settlement]
	payments    *excel.Template[settlement.PaymentLine]
	parts       *excel.Template[movementPart]
	allocations *excel.Template[settlement.Allocation]
}

// New returns a template. The error is an [*excel.TemplateError] with everything that is wrong with
// the configuration.
func New(c Config) (*Template, error) {
	var t Template
	var errs [7]error
	t.settlements, errs[0] = excel.New(excel.Config[paymentRow]{
		Name: "Pagamenti dei flussi", Sheet: "Pagamenti", Limits: c.File,
		Intro: "Con questo modello si caricano i pagamenti dei flussi di rendicontazione di un PSP che non fornisce il file FdR: una riga per ogni pagamento. " +
			"Le righe con lo stesso PSP e lo stesso ID flusso formano un flusso, che il PSP ha riversato con un solo bonifico, o con più bonifici con lo stesso identificativo.\n" +
			"Per correggere un flusso già caricato, caricarlo di nuovo con tutte le sue righe e con una revisione maggiore.",
	}, paymentColumns()...)
	t.movements, errs[1] = excel.New(excel.Config[movementRow]{
		Name: "Movimenti di tesoreria", Sheet: "Movimenti", Limits: c.File, Default: movementRow{operation: paymentfile.OperationExecuted},
		Intro: "Con questo modello si caricano i sospesi in entrata di una tesoreria che non fornisce il giornale di cassa OPI: una riga per ogni movimento. " +
			"Non caricare i movimenti che arrivano anche con il giornale di cassa: conterebbero due volte.",
	}, movementColumns()...)
	t.summary, errs[2] = excel.New(excel.Config[settlement.SummaryLine]{
		Name: "Riepilogo", Sheet: "Riepilogo", Export: true,
		Intro: "Le somme degli altri fogli, per stato. Ogni flusso, ogni pagamento e ogni parte di un movimento è in una sola riga.",
		Tones: []excel.Tone[settlement.SummaryLine]{{Color: excel.Grey, Text: "totali e confronti, da non sommare alle altre righe",
			Has: func(l *settlement.SummaryLine) bool { return l.IsTotal }}},
	}, summaryColumns()...)
	t.flows, errs[3] = excel.New(excel.Config[settlement.Settlement]{
		Name: "Flussi", Sheet: "Flussi", Export: true, Tones: flowTones(),
		Intro: "Una riga per ogni flusso di rendicontazione, nella sua ultima revisione.",
	}, flowColumns()...)
	t.payments, errs[4] = excel.New(excel.Config[settlement.PaymentLine]{
		Name: "Pagamenti", Sheet: "Pagamenti", Export: true, Tones: paymentTones(),
		Intro: "Una riga per ogni pagamento dei flussi. Gli importi revocati sono negativi.",
	}, paymentLineColumns()...)
	t.parts, errs[5] = excel.New(excel.Config[movementPart]{
		Name: "Movimenti", Sheet: "Movimenti", Export: true, Tones: partTones(),
		Intro: "Una riga per ogni sospeso in entrata, o per ogni parte di un sospeso suddiviso.",
	}, partColumns()...)
	t.allocations, errs[6] = excel.New(excel.Config[settlement.Allocation]{
		Name: "Dati per reversali", Sheet: "Dati per reversali", Export: true,
		Intro: "Per ogni sospeso, gli importi per evento e capitolo. La somma delle righe di un sospeso è il suo importo.",
		Tones: []excel.Tone[settlement.Allocation]{{Color: excel.Yellow, Text: "importi da attribuire a un evento, per il motivo indicato",
			Has: func(a *settlement.Allocation) bool { return a.Reason != "" }}},
	}, allocationColumns()...)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	return &t, nil
}

// BlankSettlements writes the empty workbook for payments of settlements. See
// [excel.Template.Blank].
func (t *Template) BlankSettlements(ctx context.Context, w io.Writer) error {
	return t.settlements.Blank(ctx, w)
}

// BlankMovements writes the empty workbook for movements. See [excel.Template.Blank].
func (t *Template) BlankMovements(ctx context.Context, w io.Writer) error {
	return t.movements.Blank(ctx, w)
}

// BlankSettlementsCSV writes the first line of a CSV file for payments of settlements.
func (t *Template) BlankSettlementsCSV(w io.Writer) error {
	return blankCSV(w, t.settlements.Headers())
}

// BlankMovementsCSV writes the first line of a CSV file for movements.
func (t *Template) BlankMovementsCSV(w io.Writer) error { return blankCSV(w, t.movements.Headers()) }

// blankCSV writes headers as spreadsheets in Italy read them: in UTF-8 with a byte order mark, with
// semicolons.
func blankCSV(w io.Writer, headers []string) error {
	_, err := io.WriteString(w, "\uFEFF"+strings.Join(headers, ";")+"\r\n")
	return err
}

// Content says for which template a file is.
type Content string

// The contents.
const (
	ContentUnknown     Content = ""            // the required columns of both templates are missing
	ContentSettlements Content = "settlements" // for [Template.Settlements]
	ContentMovements   Content = "movements"   // for [Template.Movements]
)

// Recognise says by the headers of a workbook or a CSV file which template it is for. The error is
// an [*excel.FileError] for other files, or the context's.
func (t *Template) Recognise(ctx context.Context, r io.ReaderAt, size int64) (Content, error) {
	settlements, err := t.settlements.FileHeaders(ctx, r, size)
	if err != nil {
		return ContentUnknown, err
	}
	if complete(settlements) {
		return ContentSettlements, nil
	}
	movements, err := t.movements.FileHeaders(ctx, r, size)
	if err == nil && complete(movements) {
		return ContentMovements, nil
	}
	return ContentUnknown, err
}

// complete reports whether a file has all required columns.
func complete(headers excel.FileHeaders) bool {
	for _, c := range headers.Columns {
		if c.Required && !c.Known {
			return false
		}
	}
	return true
}

// WithMapping returns a template that reads files with other headers, as mappings say; a nil
// mapping changes nothing. See [excel.Template.WithMapping].
func (t *Template) WithMapping(settlements, movements excel.Mapping) (*Template, error) {
	mapped := *t
	var errs [2]error
	mapped.settlements, errs[0] = t.settlements.WithMapping(settlements)
	mapped.movements, errs[1] = t.movements.WithMapping(movements)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	return &mapped, nil
}

// Annotate writes a copy of the office's own file with the errors and doubts of [Italian] marked.
// The content is the one that was read, and the error the one that the reading returned. See
// [excel.Template.Annotate] for the errors.
func (t *Template) Annotate(ctx context.Context, w io.Writer, r io.ReaderAt, size int64, content Content, report *excel.Report, err error) error {
	var rows *excel.RowsError
	errors.As(err, &rows)
	if content == ContentMovements {
		return t.movements.Annotate(ctx, w, r, size, report, rows)
	}
	return t.settlements.Annotate(ctx, w, r, size, report, rows)
}

// Italian describes for the office what was read: the report, with the rows that are
// refused by the error that it returned. For an error that is neither about rows nor about the
// file, see [flussi.Explain].
func Italian(report *excel.Report, err error) string {
	var rows *excel.RowsError
	if errors.As(err, &rows) {
		return report.Italian(rows, 0)
	}
	var file *excel.FileError
	if err == nil || errors.As(err, &file) {
		return report.Italian(nil, 0)
	}
	return flussi.Explain(err)
}
