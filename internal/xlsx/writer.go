package xlsx

import (
	"io"
	"strconv"
)

// Output is a cell to be written. Text is as [Cell] has it, Type is one of [Text],
// [Number] and [Bool]; a cell without text gets its style only. A Formula is written
// with Text as its value.
type Output struct {
	Column  int    // counted from 1
	Style   int    // the index of a cell style of the workbook
	Type    Type   // of Text
	Text    string // "" for an empty cell
	Formula string // without the equals sign, "" for none
}

// Writer writes rows as they are in the sheetData element of a sheet. The texts have to be valid
// UTF-8 that fits into a cell.
type Writer struct {
	w   io.Writer
	buf []byte
}

// flushAt is how much is gathered before it is written.
const flushAt = 32 << 10

// NewWriter returns a writer to w. Flush it.
func NewWriter(w io.Writer) *Writer {
	return &Writer{w: w, buf: make([]byte, 0, flushAt+4096)}
}

// Row writes a row so many points high, or as high as usual if height is 0. Spreadsheets fit the
// height again when somebody changes a text. The cells have to be in the order of their columns.
func (w *Writer) Row(number, height int, cells []Output) error {
	b := append(w.buf, `<row r="`...)
	b = strconv.AppendInt(b, int64(number), 10)
	if height > 0 {
		b = append(b, `" ht="`...)
		b = strconv.AppendInt(b, int64(height), 10)
	}
	b = append(b, `">`...)
	for _, c := range cells {
		b = append(b, `<c r="`...)
		b = appendColumn(b, c.Column)
		b = strconv.AppendInt(b, int64(number), 10)
		if c.Style > 0 {
			b = append(b, `" s="`...)
			b = strconv.AppendInt(b, int64(c.Style), 10)
		}
		switch {
		case c.Text == "":
			b = append(b, `"/>`...)
			continue
		case c.Formula != "":
			b = append(b, `"><f>`...)
			b = appendEscaped(b, c.Formula)
			b = append(b, `</f><v>`...)
			b = append(b, c.Text...)
			b = append(b, `</v></c>`...)
			continue
		case c.Type == Bool:
			b = append(b, `" t="b`...)
			fallthrough
		case c.Type == Number:
			b = append(b, `"><v>`...)
			b = append(b, c.Text...)
			b = append(b, `</v></c>`...)
			continue
		}
		b = append(b, `" t="inlineStr"><is><t`...)
		if outerSpace(c.Text) {
			b = append(b, ` xml:space="preserve"`...)
		}
		b = append(b, '>')
		b = appendEscaped(b, c.Text)
		b = append(b, `</t></is></c>`...)
	}
	w.buf = append(b, `</row>`...)
	if len(w.buf) >= flushAt {
		return w.Flush()
	}
	return nil
}

// Flush writes what is gathered.
func (w *Writer) Flush() error {
	_, err := w.w.Write(w.buf)
	w.buf = w.buf[:0]
	return err
}

func appendColumn(b []byte, column int) []byte {
	if column <= 26 {
		return append(b, byte('A'+column-1))
	}
	return append(b, ColumnName(column)...)
}

// outerSpace reports whether text has white space that XML software may drop.
func outerSpace(text string) bool {
	for i := range len(text) {
		if isSpace(text[i]) && (i == 0 || i == len(text)-1 || text[i] == '\n' || isSpace(text[i-1])) {
			return true
		}
	}
	return false
}
