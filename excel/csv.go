package excel

import (
	"context"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/internal/xlsx"
)

// openCSV opens a CSV file behind its header.
func (t *Template[Row]) openCSV(ctx context.Context, r io.ReaderAt, size int64, report *Report) (*source, error) {
	text, err := detectText(ctx, r, size)
	if err != nil {
		return nil, err
	}
	report.Encoding = text.encoding
	separator, h, err := t.separate(ctx, text)
	if err != nil {
		return nil, err
	}
	if err := t.judge(h, report); err != nil {
		return nil, err
	}
	rows := text.rows(ctx, separator, t.config.Limits)
	rows.judge = t.judgeRecord(h)
	return &source{rows: rows, header: h, separator: separator, newline: text.newline, close: func() error { return nil }}, nil
}

// separate finds the separator: the one that the file declares, or that with which
// most columns are found; the first of them if no columns are.
func (t *Template[Row]) separate(ctx context.Context, text *csvText) (separator rune, best header, err error) {
	separators, err := text.separators()
	if err != nil {
		return 0, best, err
	}
	separator = separators[0]
	for _, candidate := range separators {
		h, findErr := t.findHeader(text.rows(ctx, candidate, t.config.Limits))
		switch {
		case findErr == nil && h.found > best.found:
			separator, best = candidate, h
		case findErr != nil && err == nil:
			err = findErr
		}
	}
	if best.found > 0 {
		err = nil
	}
	return separator, best, err
}

// separators returns the one that the file declares, or those that it may have.
func (t *csvText) separators() ([]rune, error) {
	declared, err := t.declaredSeparator()
	if err != nil {
		return nil, err
	}
	if declared != 0 {
		return []rune{declared}, nil
	}
	return []rune{';', ',', '\t'}, nil
}

// csvText is a text file whose encoding is known.
type csvText struct {
	r        io.ReaderAt
	size     int64
	skip     int64 // the byte order mark and the line "sep="
	encoding string
	order    unicode.Endianness
	newline  bool // the file ends with a line break
}

// detectText finds out the encoding of a text by reading all of it.
func detectText(ctx context.Context, r io.ReaderAt, size int64) (*csvText, error) {
	t := &csvText{r: r, size: size, encoding: "UTF-8"}
	head := make([]byte, min(size, 4096))
	if _, err := r.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, err
	}
	wide := looksUTF16(head)
	switch {
	case len(head) >= 3 && string(head[:3]) == "\xEF\xBB\xBF":
		t.skip = 3
	case len(head) >= 2 && (string(head[:2]) == "\xFF\xFE" || string(head[:2]) == "\xFE\xFF"):
		t.skip = 2
		wide = map[byte]string{0xFF: "LE", 0xFE: "BE"}[head[0]]
	}
	var end [2]byte
	tail := min(size, 2)
	if _, err := r.ReadAt(end[2-tail:], size-tail); err != nil && err != io.EOF {
		return nil, err
	}
	t.newline = end[1] == '\n' || end[1] == '\r'
	if wide != "" {
		t.encoding, t.order = "UTF-16", unicode.LittleEndian
		if wide == "BE" {
			t.order = unicode.BigEndian
			end[0], end[1] = end[1], end[0]
		}
		t.newline = end[1] == 0 && (end[0] == '\n' || end[0] == '\r')
		if size%2 != 0 {
			return nil, &FileError{Format: CSV, Err: ErrTruncated, Reason: "Il file è incompleto: finisce a metà di un carattere. Copiarlo o salvarlo di nuovo."}
		}
		return t, nil
	}
	return t, t.detectBytes(ctx)
}

// detectBytes distinguishes UTF-8 from Windows-1252.
func (t *csvText) detectBytes(ctx context.Context) error {
	multibyte, invalid, undefined := false, false, false
	cut := false // the text ends inside a character
	buf := make([]byte, 64<<10)
	kept := 0
	for r := io.NewSectionReader(t.r, t.skip, t.size-t.skip); ; {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		n, err := r.Read(buf[kept:])
		if err != nil && err != io.EOF {
			return err
		}
		b := buf[:kept+n]
		for len(b) > 0 {
			c, width := utf8.DecodeRune(b)
			if c == utf8.RuneError && width <= 1 {
				if !utf8.FullRune(b) && (n > 0 || err != io.EOF) {
					break
				}
				cut = !utf8.FullRune(b)
				invalid = true
				undefined = undefined || strings.IndexByte("\x81\x8D\x8F\x90\x9D", b[0]) >= 0
			}
			if c == 0 {
				return &FileError{Format: CSV, Err: ErrMalformed, Reason: "Il file contiene byte che non fanno parte di un testo: salvarlo di nuovo come CSV."}
			}
			multibyte = multibyte || width > 1
			b = b[width:]
		}
		kept = copy(buf, b)
		if err == io.EOF {
			break
		}
	}
	switch {
	case !invalid:
		return nil
	case multibyte && cut, t.skip > 0 && cut:
		return &FileError{Format: CSV, Err: ErrTruncated, Reason: "Il file è incompleto: finisce a metà di un carattere. Copiarlo o salvarlo di nuovo."}
	case multibyte, undefined, t.skip > 0:
		return &FileError{Format: CSV, Err: ErrMalformed, Reason: "Il file mescola caratteri di codifiche diverse: salvarlo di nuovo come CSV UTF-8."}
	}
	t.encoding = "Windows-1252"
	return nil
}

// reader decodes the text from its beginning.
func (t *csvText) reader() io.Reader {
	r := io.NewSectionReader(t.r, t.skip, t.size-t.skip)
	switch t.encoding {
	case "UTF-16":
		return transform.NewReader(r, unicode.UTF16(t.order, unicode.IgnoreBOM).NewDecoder())
	case "Windows-1252":
		return transform.NewReader(r, charmap.Windows1252.NewDecoder())
	}
	return r
}

// declaredSeparator reads the line "sep=" that some programs write first, and skips it;
// 0 if there is none.
func (t *csvText) declaredSeparator() (rune, error) {
	head := make([]byte, 16)
	n, err := io.ReadFull(t.reader(), head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return 0, err
	}
	line := string(head[:n])
	if i := strings.IndexAny(line, "\r\n"); i >= 0 {
		line = line[:i]
	}
	trimmed := strings.Trim(line, `"`)
	if len(trimmed) != len("sep=;") || !strings.EqualFold(trimmed[:4], "sep=") || !strings.ContainsAny(trimmed[4:], ";,\t|") {
		return 0, nil
	}
	width := int64(1)
	if t.encoding == "UTF-16" {
		width = 2
	}
	ended := int64(len(line) + 1)
	if strings.HasPrefix(string(head[len(line):n]), "\r\n") {
		ended++
	}
	t.skip = min(t.size, t.skip+ended*width)
	return rune(trimmed[4]), nil
}

// csvRows reads the records of a CSV file as rows.
type csvRows struct {
	csv    *csvReader
	text   *csvText
	limits Limits
	record csvRecord
	judge  func(*csvRecord, *xlsx.Row) // says what is doubtful about a row, nil to say nothing
}

// rows reads the records from the beginning.
func (t *csvText) rows(ctx context.Context, separator rune, l Limits) *csvRows {
	limit := 4*l.CellLength + 64*l.Columns + 1<<20
	return &csvRows{csv: newCSVReader(ctx, t.reader(), separator, limit), text: t, limits: l}
}

// Next reads the next record that holds something into row.
func (c *csvRows) Next(row *xlsx.Row) error {
	for {
		if err := c.csv.next(&c.record); err != nil {
			return c.fault(err)
		}
		*row = xlsx.Row{Number: c.record.row, Cells: row.Cells[:0]}
		for i, field := range c.record.fields {
			switch {
			case field == "":
				continue
			case i >= c.limits.Columns:
				return &FileError{Format: CSV, Row: row.Number, Column: xlsx.ColumnName(i + 1), Err: ErrLimit, Reason: fmt.Sprintf("Alla riga %d ci sono più delle %s colonne ammesse: togliere le colonne in più.", row.Number, italian.Number(c.limits.Columns))}
			case utf16Length(field) > c.limits.CellLength:
				return &FileError{Format: CSV, Row: row.Number, Column: xlsx.ColumnName(i + 1), Err: ErrLimit, Reason: fmt.Sprintf("Alla riga %d un campo supera i %s caratteri ammessi: accorciarlo.", row.Number, italian.Number(c.limits.CellLength))}
			case c.text.encoding == "UTF-16" && strings.ContainsRune(field, utf8.RuneError):
				return &FileError{Format: CSV, Row: row.Number, Column: xlsx.ColumnName(i + 1), Err: ErrMalformed, Reason: fmt.Sprintf("Alla riga %d c'è un carattere che non si può leggere: salvare di nuovo il file come CSV UTF-8.", row.Number)}
			}
			row.Cells = append(row.Cells, xlsx.Cell{Column: i + 1, Type: xlsx.Text, Text: field})
		}
		if c.judge != nil {
			c.judge(&c.record, row)
		}
		if len(row.Cells) > 0 || row.Flaw != nil || row.Doubt != nil {
			return nil
		}
	}
}

// judgeRecord says what is wrong or doubtful about a record below a header: blanks around quotes,
// and a last line that does not end.
func (t *Template[Row]) judgeRecord(h header) func(*csvRecord, *xlsx.Row) {
	names := map[int]string{} // by the file's column
	for i, column := range h.columns {
		names[column] = t.columns[i].header
	}
	at := func(column int, err error) error {
		return &CellError{Column: xlsx.ColumnName(column), Header: names[column], Err: err}
	}
	return func(record *csvRecord, row *xlsx.Row) {
		switch last := len(record.fields); {
		case record.row <= h.row:
		case record.blanks > 0:
			row.Flaw = at(record.blanks, wrong("Row", ErrMalformed, "Ci sono spazi fuori dalle virgolette, e non è chiaro che cosa contenga il campo: togliere gli spazi, o le virgolette."))
		case record.open && last < h.last:
			var absent []string
			for column := last + 1; column <= h.last; column++ {
				if name := names[column]; name != "" {
					absent = append(absent, name)
				}
			}
			what := "mancano gli ultimi campi"
			if len(absent) > 0 {
				what = italian.Choose(len(absent), "manca la colonna ", "mancano le colonne ") + italian.Quoted(absent)
			}
			row.Flaw = wrong("Row", ErrTruncated, "Nell'ultima riga del file "+what+": il file può essere incompleto. Copiarlo o salvarlo di nuovo.")
		case record.open && names[last] != "":
			row.Doubt = at(last, wrong("Row", ErrTruncated, "L'ultima riga del file non finisce con un ritorno a capo: se il valore è incompleto, copiare o salvare di nuovo il file."))
		}
	}
}

// tooManyFields says that a row has more fields than the header, and the usual cause.
func tooManyFields(separator rune) string {
	name, cause := "il punto e virgola", "Un testo che lo contiene va scritto fra virgolette."
	switch separator {
	case ',':
		name, cause = "la virgola", "Un importo con i decimali, come 10,40, o un testo con una virgola va scritto fra virgolette; altrimenti salvare il file con il punto e virgola come separatore."
	case '\t':
		name, cause = "la tabulazione", "Un testo che la contiene va scritto fra virgolette."
	case '|':
		name, cause = "la barra verticale", "Un testo che la contiene va scritto fra virgolette."
	}
	return "La riga ha più campi dell'intestazione: nel file il separatore dei campi è " + name + ". " + cause
}

// fault explains why the next record cannot be read.
func (c *csvRows) fault(err error) error {
	line := c.csv.line
	switch err {
	case errLineEnds:
		return &FileError{Format: CSV, Row: line, Err: ErrMalformed, Reason: fmt.Sprintf("Le righe del file finiscono in modi diversi: alla riga %d c'è un ritorno a capo che non è quello delle altre. "+
			"Aprire il file con Excel o LibreOffice, controllare le righe e salvarlo di nuovo come CSV.", line)}
	case errBlank:
		return &FileError{Format: CSV, Row: line, Err: ErrMalformed, Reason: fmt.Sprintf("Alla riga %d del file c'è uno spazio prima delle virgolette, e non è chiaro dove finisca il campo: togliere lo spazio.", line)}
	}
	line = c.record.line // on which the record begins
	switch {
	case err == ErrLimit:
		return &FileError{Format: CSV, Row: line, Err: ErrLimit, Reason: fmt.Sprintf("Alla riga %d del file comincia una riga che non finisce: forse le virgolette non si chiudono.", line)}
	case err == errOpenQuote || err == errQuote && (c.csv.line > line || c.csv.isLast()):
		return &FileError{Format: CSV, Row: line, Err: ErrTruncated, Reason: fmt.Sprintf("Alla riga %d del file si aprono virgolette che non si chiudono: il file è incompleto o ha una virgoletta di troppo.", line)}
	case err == errQuote:
		return &FileError{Format: CSV, Row: line, Err: ErrMalformed, Reason: fmt.Sprintf("Alla riga %d del file c'è una virgoletta fuori posto: i testi con virgolette vanno fra virgolette, e quelle interne raddoppiate.", line)}
	}
	return err
}
