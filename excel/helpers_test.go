package excel_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/must"
)

// notice is the row of the tests: one column of each common kind.
type notice struct {
	Recipient flussi.FiscalCode
	Subject   string
	Content   flussi.Text
	Due       time.Time
	Amount    flussi.Cents
	Number    flussi.NoticeNumber
	Late      bool
	Priority  int64
	Channel   string
	Reference string
}

func columns() []excel.Column[notice] {
	return []excel.Column[notice]{
		excel.NewColumn("Codice fiscale", excel.FiscalCode(flussi.Lenient), func(n *notice) *flussi.FiscalCode { return &n.Recipient },
			excel.ColumnConfig{Aliases: []string{"C.F.", "C.F. Dest.", "Cod. Fisc."}, Required: true, Help: "Il codice fiscale del cittadino che riceve il messaggio."}),
		excel.NewColumn("Oggetto", excel.Text(10, 120), func(n *notice) *string { return &n.Subject },
			excel.ColumnConfig{Required: true, Example: "Mensa scolastica: retta di marzo"}),
		excel.NewColumn("Contenuto", excel.PersonalText(120, 10_000), func(n *notice) *flussi.Text { return &n.Content },
			excel.ColumnConfig{Aliases: []string{"Testo", "Messaggio"}, Required: true, Help: "Il testo del messaggio; può avere più righe.", Example: "Gentile famiglia, la retta della mensa scolastica di marzo può essere pagata entro la scadenza con l'avviso allegato a questo messaggio."}),
		excel.NewColumn("Scadenza", excel.Date(excel.DateConfig{EndOfDay: true, WarnPast: true}), func(n *notice) *time.Time { return &n.Due },
			excel.ColumnConfig{Aliases: []string{"Data scadenza"}}),
		excel.NewColumn("Somma", excel.Money(flussi.MinPayable, flussi.MaxPayable), func(n *notice) *flussi.Cents { return &n.Amount },
			excel.ColumnConfig{Aliases: []string{"Importo"}, Total: true}),
		excel.NewColumn("Numero avviso", excel.NoticeNumber(flussi.Lenient), func(n *notice) *flussi.NoticeNumber { return &n.Number },
			excel.ColumnConfig{Aliases: []string{"Codice avviso", "NAV"}}),
		excel.NewColumn("Paga dopo la scadenza", excel.YesNo(), func(n *notice) *bool { return &n.Late }, excel.ColumnConfig{}),
		excel.NewColumn("Priorità", excel.Integer(0, 9), func(n *notice) *int64 { return &n.Priority }, excel.ColumnConfig{}),
		excel.NewColumn("Canale", excel.Choice(excel.Option[string]{"App IO", "io"}, excel.Option[string]{"Sportello", "desk"}),
			func(n *notice) *string { return &n.Channel }, excel.ColumnConfig{}),
		excel.NewColumn("Riferimento", excel.Text(1, 40), func(n *notice) *string { return &n.Reference }, excel.ColumnConfig{}),
	}
}

type config = excel.Config[notice]

func template(change ...func(*config)) *excel.Template[notice] {
	c := config{
		Name:    "Notifiche",
		Intro:   "Con questo modello si preparano le notifiche di un flusso.",
		Refused: []excel.RefusedHeader{{Header: "IUV", Hint: "serve il numero avviso di 18 cifre, non lo IUV."}},
		Check: func(n *notice) error {
			if n.Amount > 0 && n.Number.IsZero() {
				return excel.NewCellError("Numero avviso", &flussi.ValueError{Type: "NoticeNumber", Err: flussi.ErrEmpty, Reason: "Con la somma serve il numero avviso."})
			}
			return nil
		},
	}
	for _, f := range change {
		f(&c)
	}
	return excel.MustNew(c, columns()...)
}

// fiscalCode makes the code of a person by number, and is right up to its check
// character.
func fiscalCode(i int) flussi.FiscalCode {
	odd := []int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23}
	letters := make([]byte, 6, 16)
	for n := range letters {
		letters[n] = byte('A' + i%26)
		i /= 26
	}
	stem := append(letters, "80A01H501"...)
	sum := 0
	for n, c := range stem {
		rank := int(c - '0')
		if c >= 'A' {
			rank = int(c - 'A')
		}
		if n%2 == 0 {
			rank = odd[rank]
		}
		sum += rank
	}
	return mustCode(string(append(stem, byte('A'+sum%26))))
}

// noticeNumber makes a notice number by number.
func noticeNumber(i int) flussi.NoticeNumber {
	stem := fmt.Sprintf("301%013d", i)
	sum := 0
	for _, c := range stem {
		sum = (sum*10 + int(c-'0')) % 93
	}
	number, err := flussi.ParseNoticeNumber(fmt.Sprintf("%s%02d", stem, sum))
	if err != nil {
		panic(err)
	}
	return number
}

// generate makes rows that keep to the rules, no two of them with a code, a number or
// a text in common.
func generate(n int) iter.Seq2[notice, error] {
	return func(yield func(notice, error) bool) {
		for i := range n {
			due, err := flussi.EndOfDay(2030, time.Month(1+i%12), 1+i%28)
			if err != nil {
				panic(err)
			}
			row := notice{
				Recipient: fiscalCode(i), Subject: fmt.Sprintf("Mensa scolastica, retta numero %d", i),
				Content: flussi.NewText(fmt.Sprintf("Gentile famiglia, la retta della mensa scolastica di marzo può essere pagata entro la scadenza con l'avviso allegato. Pratica %d.", i)),
				Due:     due, Amount: flussi.Cents(1 + i%100_000), Number: noticeNumber(i), Late: i%2 == 0, Priority: int64(i % 10),
				Channel: []string{"io", "desk"}[i%2], Reference: fmt.Sprintf("PR-%06d", i),
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

func encode(tb testing.TB, t *excel.Template[notice], rows iter.Seq2[notice, error]) []byte {
	var buf bytes.Buffer
	require.NoError(tb, t.Encode(context.Background(), &buf, rows))
	return buf.Bytes()
}

// decoded is all that came of a file.
type decoded struct {
	rows   []notice
	lines  []excel.Line[notice]
	wrong  []*flussi.RowError
	report excel.Report
	err    error
}

// refused are the rows that were refused, nil if none.
func (d *decoded) refused() *excel.RowsError {
	if len(d.wrong) == 0 {
		return nil
	}
	return &excel.RowsError{Rows: d.wrong}
}

// errors are the errors of all refused rows.
func (d *decoded) errors() (all excel.CellErrors) {
	for _, row := range d.wrong {
		all = append(all, row.Err.(excel.CellErrors)...)
	}
	return all
}

// italian is what the operator is told of the file.
func (d *decoded) italian() string { return d.report.Italian(d.refused(), 0) }

func collect(rows iter.Seq2[excel.Line[notice], error], d *decoded) {
	for line, err := range rows {
		var wrong *flussi.RowError
		switch {
		case errors.As(err, &wrong):
			d.wrong = append(d.wrong, wrong)
		case err != nil:
			d.err = err
		default:
			d.rows = append(d.rows, line.Value)
			d.lines = append(d.lines, line)
		}
	}
}

func decode(t *excel.Template[notice], data []byte) *decoded {
	d := &decoded{}
	collect(t.Decode(context.Background(), bytes.NewReader(data), int64(len(data)), &d.report), d)
	return d
}

func decodeCSV[T string | []byte](t *excel.Template[notice], data T) *decoded {
	d := &decoded{}
	collect(t.DecodeCSV(context.Background(), strings.NewReader(string(data)), int64(len(data)), &d.report), d)
	return d
}

// whole checks that a file was read to its end, whatever its rows.
func whole(t testing.TB, d *decoded) *decoded {
	t.Helper()
	require.NoError(t, d.err, flussi.Explain(d.err))
	return d
}

// mark writes the copy of a file in which the errors of its decoding are marked.
func mark(t testing.TB, w io.Writer, tpl *excel.Template[notice], file []byte, d *decoded) error {
	return tpl.Annotate(t.Context(), w, bytes.NewReader(file), int64(len(file)), &d.report, d.refused())
}

// linesOf returns the rows that a template reads, all of which must be right.
func linesOf[Row any](t testing.TB, decode func(context.Context, io.ReaderAt, int64, *excel.Report) iter.Seq2[excel.Line[Row], error],
	file []byte, report *excel.Report) []excel.Line[Row] {
	t.Helper()
	return must.Get(excel.Collect(decode(t.Context(), bytes.NewReader(file), int64(len(file)), report)))(t)
}

// values returns the values of rows.
func values[Row any](lines []excel.Line[Row]) []Row {
	var all []Row
	for _, line := range lines {
		all = append(all, line.Value)
	}
	return all
}

// valueColumn is the column of rows that are a value.
func valueColumn[V any](header string, kind excel.Kind[V], c excel.ColumnConfig) excel.Column[V] {
	return excel.NewColumn(header, kind, func(v *V) *V { return v }, c)
}

// valueTemplate is a template whose rows are a value of a kind.
func valueTemplate[V any](header string, kind excel.Kind[V], c excel.ColumnConfig) (*excel.Template[V], error) {
	return excel.New(excel.Config[V]{Name: "Prova"}, valueColumn(header, kind, c))
}
