package excel

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
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
	rows.width = h.last
	return &source{rows: rows, header: h, exact: true, newline: text.newline, close: func() error { return nil }}, nil
}

// separate finds the separator: the one that the file declares, or that with which
// most columns are found; the first of them if no columns are.
func (t *Template[Row]) separate(ctx context.Context, text *csvText) (separator rune, best header, err error) {
	declared, err := text.declaredSeparator()
	if err != nil {
		return 0, best, err
	}
	separators := []rune{';', ',', '\t'}
	if declared != 0 {
		separators = []rune{declared}
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
	ctx     context.Context
	csv     *csv.Reader
	guard   *recordGuard
	ends    *lineEnds
	text    *csvText
	limits  Limits
	width   int // how many fields the header has, 0 if not known
	ahead   []string
	err     error
	started bool
	row     int // of the record ahead, as a spreadsheet counts
	line    int // the line on which the record before ended
	count   int // records so far
}

// rows reads the records from the beginning.
func (t *csvText) rows(ctx context.Context, separator rune, l Limits) *csvRows {
	ends := newLineEnds(t.reader())
	guard := &recordGuard{r: ends, limit: 4*l.CellLength + 64*l.Columns + 1<<20}
	c := csv.NewReader(guard)
	c.Comma = separator
	c.FieldsPerRecord = -1
	return &csvRows{ctx: ctx, csv: c, guard: guard, ends: ends, text: t, limits: l}
}

// lineWeight is how many line ends count as one byte.
const lineWeight = 16

// recordGuard refuses a record that does not end.
type recordGuard struct {
	r     io.Reader
	read  int
	limit int
}

func (g *recordGuard) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	// Blank lines between records are part of the next one here, so a line end counts less than a
	// byte.
	lines := bytes.Count(p[:n], []byte("\n"))
	if g.read += n - lines + lines/lineWeight; g.read > g.limit {
		return 0, ErrLimit
	}
	return n, err
}

// fetch reads the record ahead.
func (c *csvRows) fetch() {
	c.guard.read = 0
	if c.ahead, c.err = c.csv.Read(); c.err != nil {
		return
	}
	first, _ := c.csv.FieldPos(0)
	c.row += first - c.line
	c.line = first
	for _, field := range c.ahead {
		c.line += strings.Count(field, "\n")
	}
}

// Next reads the next record that holds something into row.
func (c *csvRows) Next(row *xlsx.Row) error {
	if !c.started {
		c.started = true
		c.fetch()
	}
	for {
		if c.err != nil {
			return c.fault(c.err)
		}
		if c.count++; c.count&0xFFF == 0 {
			if err := context.Cause(c.ctx); err != nil {
				return err
			}
		}
		fields := c.ahead
		row.Number, row.Cells = c.row, row.Cells[:0]
		c.fetch()
		if c.err == io.EOF && !c.text.newline && len(fields) < c.width {
			return &FileError{Format: CSV, Row: row.Number, Err: ErrTruncated, Reason: fmt.Sprintf("Il file è incompleto: alla riga %d mancano gli ultimi campi. Copiarlo o salvarlo di nuovo.", row.Number)}
		}
		for i, field := range fields {
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
		if len(row.Cells) > 0 {
			return nil
		}
	}
}

// fault explains what the csv reader said, without what it quotes.
func (c *csvRows) fault(err error) error {
	var parse *csv.ParseError
	switch {
	case err == io.EOF:
		return err
	case errors.Is(err, ErrLimit):
		return &FileError{Format: CSV, Row: c.line + 1, Err: ErrLimit, Reason: fmt.Sprintf("Dopo la riga %d del file c'è una riga che non finisce: forse le virgolette non si chiudono.", c.line)}
	case errors.Is(err, errLineEnds):
		line := c.ends.line + 1
		return &FileError{Format: CSV, Row: line, Err: ErrMalformed, Reason: fmt.Sprintf("Le righe del file finiscono in modi diversi: alla riga %d c'è un ritorno a capo che non è quello delle altre. "+
			"Aprire il file con Excel o LibreOffice, controllare le righe e salvarlo di nuovo come CSV.", line)}
	case !errors.As(err, &parse):
		return err
	case parse.Line > parse.StartLine || errors.Is(parse.Err, csv.ErrQuote) && c.atEnd():
		return &FileError{Format: CSV, Row: parse.StartLine, Err: ErrTruncated, Reason: fmt.Sprintf("Alla riga %d del file si aprono virgolette che non si chiudono: il file è incompleto o ha una virgoletta di troppo.", parse.StartLine)}
	}
	return &FileError{Format: CSV, Row: parse.Line, Err: ErrMalformed, Reason: fmt.Sprintf("Alla riga %d del file c'è una virgoletta fuori posto: i testi con virgolette vanno fra virgolette, e quelle interne raddoppiate.", parse.Line)}
}

// atEnd reports whether nothing comes after what was read.
func (c *csvRows) atEnd() bool {
	_, err := c.csv.Read()
	return err == io.EOF
}
