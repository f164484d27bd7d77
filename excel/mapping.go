package excel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/internal/xlsx"
)

// Mapping says which columns of a template the headers of a file mean: by the file's header, the
// template's. A header that is mapped to "" is not read. Case, accents, spaces and signs do not
// matter. A mapping can be stored as JSON, and used for every file with the same headers.
type Mapping map[string]string

// ErrMapping is an [ErrHeader]: the file does not have the headers of the [Mapping].
var ErrMapping = fmt.Errorf("mapping does not fit the file: %w", ErrHeader)

// MappingError lists everything that is wrong with a [Mapping]. It is a [flussi.ErrInvalid], and
// its Faults unwrap to [ErrMapping]. It holds no header of a file.
type MappingError struct {
	Faults []*CellError // each with the Header of the template, "" if there is none
}

// Error describes the faults for programmers.
func (e *MappingError) Error() string {
	texts := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		texts[i] = fmt.Sprintf("%q: %v", f.Header, f.Err)
	}
	return "excel: mapping: " + strings.Join(texts, "; ")
}

// Unwrap returns the faults.
func (e *MappingError) Unwrap() []error { return CellErrors(e.Faults).Unwrap() }

// Is reports whether target is [flussi.ErrInvalid], for [errors.Is].
func (e *MappingError) Is(target error) bool { return target == flussi.ErrInvalid }

// Italian describes the faults for the operator.
func (e *MappingError) Italian() string {
	texts := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		texts[i] = flussi.Explain(f.Err)
	}
	return strings.Join(texts, " ")
}

// WithMapping returns a template that reads files by a mapping: a column that a header is mapped to
// is known by that header alone, the others by their own names. It writes the same workbooks. The
// error is a [*MappingError]: a column that the template does not have, or that two headers are
// mapped to; a header without letters and digits, or one of [Config.Refused].
//
// A file that has none of the mapped headers, or not all of them, is refused with [ErrMapping]: the
// mapping was made for another file. A header of the mapping that the file has twice is refused
// with [ErrHeader], and so is a file in which a required column is not mapped and not there.
func (t *Template[Row]) WithMapping(m Mapping) (*Template[Row], error) {
	mapped := *t
	mapped.byHeader, mapped.ignored = maps.Clone(t.byHeader), map[string]bool{}
	mapped.mapped = make([]bool, len(t.columns))
	e := &MappingError{}
	fault := func(header, format string, args ...any) {
		e.Faults = append(e.Faults, NewCellError(header, wrong("Mapping", ErrMapping, fmt.Sprintf(format, args...))))
	}
	names := map[string]int{}
	for i := range t.columns {
		names[fold(t.columns[i].header)] = i
	}
	keys := map[string]int{} // by folded header of the file
	for _, header := range slices.Sorted(maps.Keys(m)) {
		key, target := fold(header), m[header]
		i, known := names[fold(target)]
		_, again := keys[key]
		hint, refused := t.refused[key]
		switch {
		case target != "" && !known:
			fault("", "La colonna %s non fa parte del modello: indicare una fra %s.", italian.Quote(cut(target, 60)), italian.Quoted(t.Headers()))
			continue
		case key == "":
			fault(target, "L'intestazione abbinata a %s non contiene lettere né cifre: correggerla nel file.", italian.Quote(target))
		case refused:
			fault(target, "Una delle intestazioni abbinate non è ammessa. %s", capital(hint))
		case again:
			fault(target, "La stessa intestazione è abbinata due volte: lasciare un solo abbinamento.")
		case target == "":
			mapped.ignored[key] = true
		case mapped.mapped[i]:
			fault(t.columns[i].header, "Più intestazioni sono abbinate alla colonna «%s»: lasciarne una.", t.columns[i].header)
		default:
			mapped.mapped[i] = true
		}
		keys[key] = i
	}
	if len(e.Faults) > 0 {
		return nil, e
	}
	maps.DeleteFunc(mapped.byHeader, func(key string, i int) bool {
		_, other := keys[key]
		return mapped.mapped[i] || other
	})
	for header, target := range m {
		if target != "" {
			mapped.byHeader[fold(header)] = names[fold(target)]
		}
	}
	return &mapped, nil
}

// FileHeaders are the headers of a file, and what they may mean: what a screen shows to an operator
// who makes a [Mapping].
type FileHeaders struct {
	Sheet   flussi.Text      // the name of the sheet; empty for a CSV file
	Row     int              // the number of the row with the headers
	Headers []FileHeader     // from left to right
	Columns []ColumnProposal // of the template, in order
}

// FileHeader is the header of a column of a file.
type FileHeader struct {
	Column   string      // its letters
	Header   flussi.Text // what the cell holds; it may be anything, so it masks itself
	Known    string      // the column of the template that it is known as without a mapping; "" if it is not
	Refused  bool        // it is one of [Config.Refused]
	Repeated bool        // another column has the same header, so neither can be mapped
}

// ColumnProposal says which headers of a file may be meant by a column of the template.
type ColumnProposal struct {
	Header   string   // of the template
	Required bool     // a file without it is refused
	Known    bool     // a header of the file is known as it without a mapping
	Similar  []string // the letters of the file's columns with similar headers, the most similar first; none if Known
}

// FileHeaders lists the headers of a workbook or a CSV file, and for each column of the template the
// similar ones. Nothing is read by a similarity: the caller asks the operator, and gives the answer
// to [Template.WithMapping]. The headers are those in the row, among the first
// [Limits.HeaderRows] of the visible sheets, that names most columns of the template, or else holds
// most texts. The error is a [*FileError], or the context's.
func (t *Template[Row]) FileHeaders(ctx context.Context, r io.ReaderAt, size int64) (FileHeaders, error) {
	found, err := t.fileHeaders(ctx, r, size)
	if err != nil {
		return FileHeaders{}, fileError(err)
	}
	return found, nil
}

func (t *Template[Row]) fileHeaders(ctx context.Context, r io.ReaderAt, size int64) (FileHeaders, error) {
	if err := context.Cause(ctx); err != nil {
		return FileHeaders{}, err
	}
	if err := t.checkSize(size, UnknownFormat); err != nil {
		return FileHeaders{}, err
	}
	format, err := Identify(r, size)
	if err != nil {
		return FileHeaders{}, err
	}
	var best candidate
	switch format {
	case CSV:
		best, err = t.csvCandidate(ctx, r, size)
	case Workbook:
		best, err = t.bookCandidate(ctx, r, size)
	default:
		return FileHeaders{}, formatError(format, Workbook)
	}
	if err != nil {
		return FileHeaders{}, err
	}
	if len(best.cells) == 0 {
		return FileHeaders{}, &FileError{Format: format, Err: ErrHeader, Reason: "Il file non ha una riga di intestazioni: scrivere i nomi delle colonne sopra i dati."}
	}
	return t.propose(best), nil
}

// candidate is a row that may be the one with the headers.
type candidate struct {
	sheet string
	row   int
	cells []xlsx.Cell // those with texts
	found int         // how many of them are the template's
}

// better reports whether c is more likely than other.
func (c candidate) better(other candidate) bool {
	return cmp.Or(c.found-other.found, len(c.cells)-len(other.cells)) > 0
}

// candidate returns the likeliest row among the first ones.
func (t *Template[Row]) candidate(rows rowSource) (best candidate, err error) {
	var row xlsx.Row
	for {
		err := rows.Next(&row)
		if err == io.EOF || err == nil && row.Number > t.config.Limits.HeaderRows {
			return best, nil
		}
		if err != nil {
			return best, err
		}
		c := candidate{row: row.Number, found: t.match(&row).found}
		for _, cell := range row.Cells {
			if cell.Type == xlsx.Text && !isBlank(cell.Text) {
				c.cells = append(c.cells, cell)
			}
		}
		if c.better(best) {
			best = c
		}
	}
}

// csvCandidate returns the likeliest row of a CSV file, with the likeliest separator.
func (t *Template[Row]) csvCandidate(ctx context.Context, r io.ReaderAt, size int64) (best candidate, err error) {
	text, err := detectText(ctx, r, size)
	if err != nil {
		return best, err
	}
	separators, err := text.separators()
	if err != nil {
		return best, err
	}
	var first error
	for _, separator := range separators {
		c, err := t.candidate(text.rows(ctx, separator, t.config.Limits))
		if err == nil && c.better(best) {
			best = c
		}
		first = cmp.Or(first, err)
	}
	if len(best.cells) == 0 {
		return best, first
	}
	return best, nil
}

// bookCandidate returns the likeliest row of the visible sheets of a workbook.
func (t *Template[Row]) bookCandidate(ctx context.Context, r io.ReaderAt, size int64) (best candidate, err error) {
	book, err := xlsx.Open(ctx, r, size, t.xlsxLimits())
	if err != nil {
		return best, err
	}
	for i, sheet := range book.Sheets {
		_, holds, err := t.inspect(book, i)
		if err != nil {
			return best, err
		}
		if holds != filledSheet || sheet.Hidden {
			continue
		}
		rows, err := book.Rows(i)
		if err != nil {
			return best, err
		}
		c, err := t.candidate(rows)
		if err = errors.Join(err, rows.Close()); err != nil {
			return best, err
		}
		if c.sheet = sheet.Name; c.better(best) {
			best = c
		}
	}
	return best, nil
}

// propose compares the headers with the template's.
func (t *Template[Row]) propose(c candidate) FileHeaders {
	f := FileHeaders{Sheet: flussi.NewText(c.sheet), Row: c.row}
	times, known := map[string]int{}, map[int]bool{}
	for _, cell := range c.cells {
		times[fold(cell.Text)]++
	}
	for _, cell := range c.cells {
		key := fold(cell.Text)
		h := FileHeader{Column: xlsx.ColumnName(cell.Column), Header: flussi.NewText(cell.Text), Repeated: times[key] > 1}
		if i, ok := t.byHeader[key]; ok {
			h.Known, known[i] = t.columns[i].header, true
		}
		_, h.Refused = t.refused[key]
		f.Headers = append(f.Headers, h)
	}
	for i := range t.columns {
		p := ColumnProposal{Header: t.columns[i].header, Required: t.columns[i].config.Required, Known: known[i]}
		likeness := map[string]int{}
		for _, h := range f.Headers {
			if !p.Known && h.Known == "" && !h.Refused && !h.Repeated {
				if n := t.likeness(i, fold(h.Header.Reveal())); n >= leastLikeness {
					likeness[h.Column] = n
					p.Similar = append(p.Similar, h.Column)
				}
			}
		}
		slices.SortStableFunc(p.Similar, func(a, b string) int { return likeness[b] - likeness[a] })
		f.Columns = append(f.Columns, p)
	}
	return f
}

// leastLikeness is from where on headers are similar, in percent.
const leastLikeness = 60

// likeness says how similar a folded header is to the names of a column, in percent: how many of
// their characters are the same, and more if one is within the other.
func (t *Template[Row]) likeness(i int, key string) int {
	c := &t.columns[i]
	most := 0
	for _, name := range append([]string{c.header}, c.config.Aliases...) {
		x, y := []rune(key), []rune(fold(name))
		short, long := min(len(x), len(y)), max(len(x), len(y))
		if short < 2 || long > 64 {
			continue
		}
		n := 100 - 100*distance(x, y)/long
		if short >= 4 && (strings.Contains(key, string(y)) || strings.Contains(string(y), key)) {
			n = max(n, leastLikeness+(100-leastLikeness)*short/long)
		}
		most = max(most, n)
	}
	return most
}
