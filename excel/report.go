package excel

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/internal/xlsx"
)

// Line is a row that was read.
type Line[Row any] struct {
	Number int    // of the row in the file, counted from 1
	Value  Row    // what was read
	Notes  []Note // changes and doubts, empty if none
}

// Note says what was done to a cell in order to read it, and what is doubtful about it. The value
// was read anyway.
type Note struct {
	Row      int             // the number of the row in the file, counted from 1
	Column   string          // the letters of the column, "" if the whole row is meant or the column is not there
	Header   string          // the column's name in the template, "" if the whole row is meant
	Changes  []flussi.Change // what was cleaned
	Warnings []error         // doubts
}

// Italian describes the note for the operator, without the text of the cell.
func (n Note) Italian() string {
	var texts []string
	for _, c := range n.Changes {
		texts = append(texts, c.Italian())
	}
	text := capital(strings.Join(texts, ", "))
	if text != "" {
		text += "."
	}
	for _, w := range n.Warnings {
		text = strings.TrimSpace(text + " " + flussi.Explain(w))
	}
	return italianAt(n.Row, n.Column, n.Header, text)
}

// UnknownColumn is a column with a header that the template does not have. It was not
// read.
type UnknownColumn struct {
	Column string      // its letters
	Header flussi.Text // what the cell holds; it may be anything, so it masks itself
}

// LogValue logs the column without its header.
func (u UnknownColumn) LogValue() slog.Value { return slog.StringValue(u.Column) }

// Report is what [Template.Decode] and [Template.DecodeCSV] report about a file beside its rows. It
// is complete when the sequence has ended. The errors of the rows are not in it: they are in the
// sequence. Texts of the file in it mask themselves.
type Report struct {
	Format    Format          // what the file is
	Encoding  string          // of a CSV file: UTF-8, UTF-16 or Windows-1252
	Sheet     flussi.Text     // the name of the sheet that was read
	HeaderRow int             // the number of the row with the headers
	Template  flussi.Text     // the mark of the template that the file was made from, see [Template.Mark]; empty if it has none
	Outdated  bool            // that mark is of another version, or of another template
	Missing   []string        // headers of columns that are not required and not there
	Unknown   []UnknownColumn // columns that were not read
	Ignored   []flussi.Text   // the names of further sheets that hold something and were not read, and of charts and sheets of macros
	Rows      int             // rows that were read
	Invalid   int             // rows that the reading refused; their errors are in the sequence
	Hidden    int             // hidden rows that were left out, under [SkipHidden]
	Notes     []Note          // changes and doubts, up to [Limits.Errors]
	MoreNotes int             // how many notes are not in Notes
	Complete  bool            // the file was read to its end, and is whole
	Totals    int             // rows with sums that were passed over
	Err       error           // why it was not: a [*FileError], the context's error, or nil if the loop was left

	// Hints are sentences for the operator, in Italian, such as what to do with the file.
	// Callers may add some. [Report.Italian] ends with them, and the list of errors of
	// [Template.Annotate] begins with them.
	Hints []string

	decisive string      // why the header is refused, if one fault leaves the others without meaning
	print    fingerprint // of the file
	places   places      // of the columns
	limit    int         // of Notes, and of the errors in a text
}

// LogValue logs what the file is and how many rows are right and wrong, and nothing of
// the file's texts.
func (r Report) LogValue() slog.Value {
	return slog.GroupValue(slog.String("format", string(r.Format)), slog.Bool("complete", r.Complete),
		slog.Int("rows", r.Rows), slog.Int("wrong", r.Invalid), slog.Int("header", r.HeaderRow), slog.Any("error", r.Err))
}

// OK reports whether the file was read to its end and the reading refused no row.
func (r *Report) OK() bool { return r.Complete && r.Invalid == 0 }

// Italian sums a file up for the operator: what kept it from being read, how many rows are right
// and how many wrong, what has to be corrected, and what should be looked at. Of a header that is
// refused because of a column of [Config.Refused], or because no required column is there, it says
// that alone; [FileError.Cells] has all of its faults.
//
// The refused rows are those of the reading and those of the service that took the rows: the error
// of [Collect], or the list that the service reports; nil if there are none. Of their errors, and
// of the notes, no more than most are listed, if most is not 0, and no more than [Limits.Errors].
func (r *Report) Italian(refused *RowsError, most int) string {
	if most <= 0 || most > r.limit {
		most = r.limit
	}
	errs, moreErrs := r.cellErrors(refused, most)
	notes := r.Notes[:min(len(r.Notes), most)]
	moreNotes := r.MoreNotes + len(r.Notes) - len(notes)
	right, wrong := r.counts(refused)
	var b strings.Builder
	var file *FileError
	switch {
	case errors.As(r.Err, &file):
		fmt.Fprintf(&b, "%s\n", cmp.Or(r.decisive, file.Reason))
	case !r.Complete:
		b.WriteString("La lettura è stata interrotta prima della fine del file: ripeterla.\n")
	}
	if r.Complete || right+wrong > 0 {
		fmt.Fprintf(&b, "Righe senza errori: %s. Righe con errori: %s.", italian.Number(right), italian.Number(wrong))
		if r.Hidden > 0 {
			fmt.Fprintf(&b, " Righe nascoste non lette: %s.", italian.Number(r.Hidden))
		}
		if r.Totals > 0 {
			fmt.Fprintf(&b, " Righe «%s» non lette: %s.", totalLabel, italian.Number(r.Totals))
		}
		b.WriteByte('\n')
	}
	if r.Outdated && r.decisive == "" {
		b.WriteString("Il file viene da un altro modello o da un'altra versione: scaricare il modello attuale.\n")
	}
	if file == nil || !errors.Is(file.Err, ErrHeader) { // then nothing was read
		r.writeUnread(&b)
	}
	writeItems(&b, "Da correggere (righe con errori):", errs, moreErrs, "altro errore", "altri errori")
	writeItems(&b, "Da verificare (righe senza errori):", notes, moreNotes, "altra osservazione", "altre osservazioni")
	if len(r.Hints) > 0 {
		fmt.Fprintf(&b, "\n%s\n", strings.Join(r.Hints, "\n"))
	}
	return b.String()
}

// writeUnread writes which columns are not there, and what of the file was not read.
func (r *Report) writeUnread(b *strings.Builder) {
	if n := len(r.Missing); n > 0 {
		fmt.Fprintf(b, "%s: %s.\n", italian.Choose(n, "Colonna facoltativa mancante", "Colonne facoltative mancanti"), italian.Quoted(r.Missing))
	}
	if n := len(r.Unknown); n > 0 {
		fmt.Fprintf(b, "%s: %s.\n", italian.Choose(n, "Colonna non letta", "Colonne non lette"), columnList(r.Unknown))
	}
	if n := len(r.Ignored); n > 0 {
		fmt.Fprintf(b, "%s.\n", italian.Count(n, "altro foglio non letto", "altri fogli non letti"))
	}
}

// columnList lists columns by their letters, in order: "L, M, O–W".
func columnList(columns []UnknownColumn) string {
	numbers := make([]int, len(columns))
	for i, c := range columns {
		numbers[i] = columnNumber(c.Column)
	}
	slices.Sort(numbers)
	var parts []string
	for i := 0; i < len(numbers); {
		last := i
		for last+1 < len(numbers) && numbers[last+1] == numbers[last]+1 {
			last++
		}
		first := xlsx.ColumnName(numbers[i])
		switch last - i {
		case 0:
			parts = append(parts, first)
		case 1:
			parts = append(parts, first, xlsx.ColumnName(numbers[last]))
		default:
			parts = append(parts, first+"–"+xlsx.ColumnName(numbers[last]))
		}
		i = last + 1
	}
	return strings.Join(parts, ", ")
}

// columnNumber returns the number of a column with these letters, counted from 1.
func columnNumber(letters string) int {
	number := 0
	for _, letter := range letters {
		number = number*26 + int(letter-'A') + 1
	}
	return number
}

// writeItems writes items under a title, and how many more there are; nothing if there are none.
func writeItems[T interface{ Italian() string }](b *strings.Builder, title string, items []T, more int, one, several string) {
	if len(items) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", title)
	for _, item := range items {
		fmt.Fprintf(b, "- %s\n", item.Italian())
	}
	if more > 0 {
		fmt.Fprintf(b, "… e %s.\n", italian.Count(more, one, several))
	}
}

// counts returns how many rows of the file are right, and how many wrong.
func (r *Report) counts(refused *RowsError) (right, wrong int) {
	wrong = max(r.Invalid, refused.count())
	return r.Rows + r.Invalid - wrong, wrong
}

// cellErrors returns the first errors of the refused rows, in the order of the rows, and how many
// more there are.
func (r *Report) cellErrors(refused *RowsError, most int) (listed CellErrors, more int) {
	if refused == nil {
		return nil, 0
	}
	rows := slices.Clone(refused.Rows)
	slices.SortStableFunc(rows, func(a, b *flussi.RowError) int { return a.Row - b.Row })
	for _, row := range rows {
		cells := r.places.cells(nil, row.Row, row.Err)
		kept := min(len(cells), most-len(listed))
		listed = append(listed, cells[:kept]...)
		more += len(cells) - kept
	}
	return listed, more + refused.count() - len(rows)
}

// accept counts a row that was read and keeps its notes up to the limit.
func (r *Report) accept(notes []Note, limit int) {
	r.Rows++
	kept := min(len(notes), max(0, limit-len(r.Notes)))
	r.Notes = append(r.Notes, notes[:kept]...)
	r.MoreNotes += len(notes) - kept
}

// Locate returns the error of a row as [CellErrors] with the letters of their columns. It is for
// errors found after the row was decoded, such as by a database. [Report.Italian] and
// [Template.Annotate] call it themselves. The columns are known of errors made by [NewCellError]
// and [NewCheckError], also joined, and of the fields of a [flussi.InvalidError]
// ([ColumnConfig.Field]); any other error is one of the whole row. It can be called while the
// sequence is ranged over.
func (r *Report) Locate(e *flussi.RowError) *flussi.RowError {
	return &flussi.RowError{Row: e.Row, Other: e.Other, Err: r.places.cells(nil, e.Row, e.Err)}
}

// AddWarning adds a doubt about a row to the Notes; the row is not refused. The columns are found
// as by [Report.Locate]. A nil error does nothing. It can be called while the sequence is ranged
// over.
func (r *Report) AddWarning(row int, err error) {
	for _, c := range r.places.cells(nil, row, err) {
		if len(r.Notes) >= r.limit {
			r.MoreNotes++
			continue
		}
		at, _ := slices.BinarySearchFunc(r.Notes, row+1, func(n Note, row int) int { return n.Row - row })
		r.Notes = slices.Insert(r.Notes, at, Note{Row: row, Column: c.Column, Header: c.Header, Warnings: []error{c.Err}})
	}
}

// places maps headers and fields to the columns of the file.
type places struct {
	letters map[string]string // by header, "" for those that are not there
	headers map[string]string // by field, see [ColumnConfig.Field]
}

// span returns the first and the last of the template's columns in the file, 0 if there are none.
func (p places) span() (first, last int) {
	for _, letters := range p.letters {
		column := columnNumber(letters)
		switch {
		case column == 0:
			continue
		case first == 0 || column < first:
			first = column
		}
		last = max(last, column)
	}
	return first, last
}

// cells appends the cell errors that the error of a row comes to.
func (p places) cells(cells CellErrors, row int, err error) CellErrors {
	switch e := err.(type) {
	case nil:
		return cells
	case *CellError:
		letters, known := p.letters[e.Header]
		located := &CellError{Row: row, Column: cmp.Or(e.Column, letters), Header: e.Header, Err: e.Err}
		var absent *absentColumn
		if known && located.Column == "" && !errors.As(e.Err, &absent) {
			located.Err = &absentColumn{e.Err}
		}
		return append(cells, located)
	case *flussi.InvalidError:
		for _, field := range e.Fields {
			cells = p.cells(cells, row, NewCellError(p.headers[field.Type], field))
		}
		return cells
	case interface{ Unwrap() []error }:
		before := len(cells)
		for _, sub := range e.Unwrap() {
			cells = p.cells(cells, row, sub)
		}
		if len(cells) > before {
			return cells
		}
	default:
		var all CellErrors
		var one *CellError
		var invalid *flussi.InvalidError
		switch {
		case errors.As(err, &all):
			return p.cells(cells, row, all)
		case errors.As(err, &one):
			return p.cells(cells, row, one)
		case errors.As(err, &invalid):
			return p.cells(cells, row, invalid)
		}
	}
	return append(cells, &CellError{Row: row, Err: err}) // an error is an error, whatever it holds
}

// fingerprint identifies a file: its size, and a digest of all of a CSV file,
// or of the beginning and the end of a workbook, where the checksums of its parts are.
type fingerprint struct {
	size   int64
	digest [sha256.Size]byte
}

func takeFingerprint(r io.ReaderAt, size int64, format Format) (fingerprint, error) {
	const end = 64 << 10
	pieces := []*io.SectionReader{io.NewSectionReader(r, 0, size)}
	if format != CSV && size > 2*end {
		pieces = []*io.SectionReader{io.NewSectionReader(r, 0, end), io.NewSectionReader(r, size-end, end)}
	}
	hash := sha256.New()
	for _, piece := range pieces {
		n, err := io.Copy(hash, piece)
		if err != nil {
			return fingerprint{}, err
		}
		if n < piece.Size() {
			return fingerprint{}, &FileError{Format: UnknownFormat, Err: ErrTruncated, Reason: "Il file è più corto del previsto: probabilmente il caricamento si è interrotto. Caricarlo di nuovo."}
		}
	}
	return fingerprint{size, [sha256.Size]byte(hash.Sum(nil))}, nil
}
