package excel

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/xlsx"
)

// Encode writes rows as a workbook with the same columns, header, checks and guide as
// [Template.Blank], as they stream past: memory does not grow with their number. Texts and codes
// are text cells, so that nothing in them can become a formula or lose a digit; dates and amounts
// are typed. Below columns with [ColumnConfig.Total] there is a row "Totale" with their sums, which
// Decode passes over. Decode reads the rows back, as far as they keep to the rules of their
// columns: Encode does not check those.
//
// The error is the first that rows gives, the context's, w's, or a [*CellError] for what
// no cell can hold: a text of more than 32,767 UTF-16 code units or that is not valid
// UTF-8, a value without an option, more rows than a sheet has ([ErrLimit]), a sum that
// is too large. What was written until then is of no use.
func (t *Template[Row]) Encode(ctx context.Context, w io.Writer, rows iter.Seq2[Row, error]) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	b, err := t.blank()
	if err != nil {
		return err
	}
	return encodeError(fillSheets(b.data, w, func(writer *xlsx.Writer) error {
		return t.encodeRows(ctx, writer, &b.looks, rows)
	}))
}

// fillSheets writes a workbook made by the engine anew, with rows added to its first sheets as they
// come: those of the last sheet first.
func fillSheets(book []byte, w io.Writer, rows ...func(*xlsx.Writer) error) error {
	parts, err := zip.NewReader(bytes.NewReader(book), int64(len(book)))
	if err != nil {
		return err
	}
	out := zip.NewWriter(w)
	out.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	sheets := map[string]*zip.File{}
	for i := range rows {
		sheets[dataPart(i)] = nil
	}
	for _, part := range parts.File {
		if _, filled := sheets[part.Name]; filled {
			sheets[part.Name] = part
		} else if err := out.Copy(part); err != nil {
			return err
		}
	}
	for i, fill := range slices.Backward(rows) {
		part := sheets[dataPart(i)]
		if part == nil {
			return errNoPart
		}
		if err := fillPart(out, part, fill); err != nil {
			return err
		}
	}
	return out.Close()
}

// encodeError adds where an error comes from, unless it says so itself.
func encodeError(err error) error {
	var cell *CellError
	var rows *rowsError
	switch {
	case err == nil || errors.As(err, &cell):
		return err
	case errors.As(err, &rows):
		return rows.err
	}
	return fmt.Errorf("excel: write rows: %w", err)
}

// rowsError is an error of the caller's sequence or context, which is passed on as it is.
type rowsError struct{ err error }

func (e *rowsError) Error() string { return e.err.Error() }

// Rows gives a sequence of rows the form that [Template.Encode] takes, without errors.
func Rows[Row any](rows iter.Seq[Row]) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// dataPart is where excelize has a sheet, counted from 0 in the order in which they are made.
func dataPart(i int) string { return fmt.Sprintf("xl/worksheets/sheet%d.xml", i+1) }

var errNoPart = errors.New("the blank workbook has no rows part")

// fillPart writes the part of a sheet with the rows behind its own.
func fillPart(out *zip.Writer, part *zip.File, rows func(*xlsx.Writer) error) (err error) {
	r, err := part.Open()
	if err != nil {
		return err
	}
	defer closing(r.Close, &err)
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	head, tail, found := strings.Cut(strings.Replace(string(text), "<sheetData/>", "<sheetData></sheetData>", 1), "</sheetData>")
	if !found {
		return errNoPart
	}
	sheet, err := out.CreateHeader(&zip.FileHeader{Name: part.Name, Method: zip.Deflate})
	if err != nil {
		return err
	}
	if _, err := io.WriteString(sheet, tidyHead(head)); err != nil {
		return err
	}
	writer := xlsx.NewWriter(sheet)
	if err := rows(writer); err != nil {
		return err
	}
	if err := writer.Flush(); err != nil {
		return err
	}
	_, err = io.WriteString(sheet, "</sheetData>"+tail)
	return err
}

// tidyHead takes out of the blank sheet how large it was, and that its filter is on,
// which the engine writes for every filter.
func tidyHead(head string) string {
	head = strings.Replace(head, ` filterMode="1"`, "", 1)
	head = strings.Replace(head, ` filterMode="true"`, "", 1)
	before, rest, found := strings.Cut(head, "<dimension ")
	if !found {
		return head
	}
	_, after, _ := strings.Cut(rest, ">")
	return before + strings.TrimPrefix(after, "</dimension>")
}

func (t *Template[Row]) encodeRows(ctx context.Context, writer *xlsx.Writer, b *looks, rows iter.Seq2[Row, error]) error {
	number := 1
	cells := make([]xlsx.Output, len(t.columns))
	sums := make([]int64, len(t.columns))
	last := xlsx.MaxRows
	if t.hasTotals() {
		last--
	}
	var row Row
	for next, err := range rows {
		if err != nil {
			return &rowsError{err}
		}
		if number++; number > last {
			return &CellError{Row: number, Err: wrong("Row", ErrLimit, "Ci sono più righe di quante ne contiene un foglio: esportarne meno per volta.")}
		}
		if number&0xFFF == 0 {
			if err := context.Cause(ctx); err != nil {
				return &rowsError{err}
			}
		}
		row = next
		styles, most := b.styles[t.tone(&row)], 1
		for i := range t.columns {
			c := &t.columns[i]
			cell := c.write(&row)
			if err := t.checkOutput(cell, number, i); err != nil {
				return err
			}
			if c.config.Total && !addTo(&sums[i], cell.Text) {
				return &CellError{Row: number, Column: xlsx.ColumnName(i + 1), Header: c.header, Err: wrong("Total", flussi.ErrRange, "La somma della colonna è troppo grande.")}
			}
			cells[i] = xlsx.Output{Column: i + 1, Style: styles[i], Type: xlsx.Type(cell.Type), Text: cell.Text}
			if width := b.wraps[i]; width > 0 {
				most = max(most, lines(cell.Text, width))
			}
		}
		if err := writer.Row(number, height(most), cells); err != nil {
			return err
		}
	}
	if err := context.Cause(ctx); err != nil {
		return &rowsError{err}
	}
	if !t.hasTotals() || number == 1 {
		return nil
	}
	return t.encodeTotals(writer, b, number, sums)
}

// tone returns which tone a row has, counted from 1, or 0 for none.
func (t *Template[Row]) tone(row *Row) int {
	for i := range t.config.Tones {
		if t.config.Tones[i].Has(row) {
			return i + 1
		}
	}
	return 0
}

// checkOutput refuses what a cell cannot hold.
func (t *Template[Row]) checkOutput(cell Cell, number, i int) error {
	var err error
	switch {
	case cell.Type > BoolCell, cell.Type == NumberCell && !xlsx.IsNumber([]byte(cell.Text)), cell.Type == BoolCell && cell.Text != "0" && cell.Text != "1":
		err = wrong("Cell", ErrCellType, "Il valore non può essere scritto in una cella.")
	case !utf8.ValidString(cell.Text):
		err = wrong("Cell", flussi.ErrCharacter, "Il testo contiene byte che non sono caratteri.")
	case len(cell.Text) > xlsx.MaxText && utf16Length(cell.Text) > xlsx.MaxText:
		err = wrong("Cell", flussi.ErrLength, "Il testo supera i 32.767 caratteri di una cella.")
	default:
		return nil
	}
	return &CellError{Row: number, Column: xlsx.ColumnName(i + 1), Header: t.columns[i].header, Err: err}
}

// addTo adds a number with at most two decimals to a sum of hundredths.
func addTo(sum *int64, text string) bool {
	if text == "" {
		return true
	}
	whole, decimals, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole+(decimals + "00")[:2], 10, 64)
	if err != nil || len(decimals) > 2 {
		return false
	}
	*sum += n
	const most = int64(maxMoney)
	return *sum <= most && *sum >= -most
}

// encodeTotals writes the row with the sums, as formulas with their values.
func (t *Template[Row]) encodeTotals(writer *xlsx.Writer, b *looks, last int, sums []int64) error {
	var cells []xlsx.Output
	labelled := false
	for i := range t.columns {
		cell := xlsx.Output{Column: i + 1, Style: b.total[i]}
		switch {
		case t.columns[i].config.Total:
			name := xlsx.ColumnName(i + 1)
			cell.Type = xlsx.Number
			cell.Formula = fmt.Sprintf("SUM(%s2:%s%d)", name, name, last)
			cell.Text = hundredths(sums[i])
		case !labelled:
			cell.Type, cell.Text = xlsx.Text, totalLabel
			labelled = true
		}
		cells = append(cells, cell)
	}
	return writer.Row(last+1, 0, cells)
}

func hundredths(n int64) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s%d.%02d", sign, n/100, n%100)
}
