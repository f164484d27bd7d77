package excel

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
)

// Line is a row that was read.
type Line[Row any] struct {
	Number int    // of the row in the file, counted from 1
	Value  Row    // what was read
	Notes  []Note // what was changed and what is doubtful, empty if nothing
}

// Note says what was done to a cell in order to read it, and what is doubtful about
// it. The value was read all the same.
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
	return italianPlace(n.Row, n.Column, n.Header) + ": " + text
}

// UnknownColumn is a column with a header that the template does not have. It was not
// read.
type UnknownColumn struct {
	Column string      // its letters
	Header flussi.Text // what stands there; it may be anything, so it masks itself
}

// LogValue logs the column without its header.
func (u UnknownColumn) LogValue() slog.Value { return slog.StringValue(u.Column) }

// Report is what [Template.Decode] and [Template.DecodeCSV] tell about a file beside
// its rows. It is complete when the sequence has ended. What it holds of the file's own
// texts masks itself.
type Report struct {
	Format     Format          // what the file is
	Encoding   string          // of a CSV file: UTF-8, UTF-16 or Windows-1252
	Sheet      flussi.Text     // the name of the sheet that was read
	HeaderRow  int             // the number of the row with the headers
	Template   flussi.Text     // the mark of the template that the file was made from, see [Template.Mark]; empty if it has none
	Outdated   bool            // that mark is of another version, or of another template
	Missing    []string        // headers of columns that are not required and not there
	Unknown    []UnknownColumn // columns that were not read
	Ignored    []flussi.Text   // the names of further sheets that hold something and were not read
	Rows       int             // rows that were read
	Invalid    int             // rows that were refused
	Hidden     int             // hidden rows that were left out, under [SkipHidden]
	Errors     []*CellError    // what is wrong with the refused rows, up to [Limits.Errors]
	MoreErrors int             // how many errors are not in Errors
	Notes      []Note          // what was changed and what is doubtful, up to [Limits.Errors]
	MoreNotes  int             // how many notes are not in Notes
	Complete   bool            // the file was read to its end, and is whole
	Totals     int             // rows with sums that were passed over
	Err        error           // why it was not: a [*FileError], the context's error, or nil if the loop was left

	// Hints are sentences for the operator, in Italian, such as what to do with the file.
	// Callers may add some. [Report.Italian] ends with them, and the list of errors of
	// [Template.Annotate] begins with them.
	Hints []string

	print   fingerprint       // of the file
	columns map[string]string // by header: the letters of the column, for those that are there
	limit   int               // of Errors and Notes
}

// LogValue logs what the file is and how many rows are right and wrong, and nothing of
// the file's texts.
func (r Report) LogValue() slog.Value {
	return slog.GroupValue(slog.String("format", string(r.Format)), slog.Bool("complete", r.Complete),
		slog.Int("rows", r.Rows), slog.Int("wrong", r.Invalid), slog.Int("header", r.HeaderRow), slog.Any("error", r.Err))
}

// OK reports whether the file was read to its end and no row was refused.
func (r *Report) OK() bool { return r.Complete && r.Invalid == 0 }

// Italian sums the report up for the operator: what kept the file from being read,
// how many rows are right and how many wrong, what has to be corrected, and what
// should be looked at.
func (r *Report) Italian() string {
	var b strings.Builder
	var file *FileError
	switch {
	case errors.As(r.Err, &file):
		fmt.Fprintf(&b, "%s\n", file.Reason)
	case !r.Complete:
		b.WriteString("La lettura è stata interrotta prima della fine del file: ripeterla.\n")
	}
	if r.Complete || r.Rows+r.Invalid > 0 {
		fmt.Fprintf(&b, "Righe senza errori: %s. Righe con errori: %s.", italian.Number(r.Rows), italian.Number(r.Invalid))
		if r.Hidden > 0 {
			fmt.Fprintf(&b, " Righe nascoste non lette: %s.", italian.Number(r.Hidden))
		}
		b.WriteByte('\n')
	}
	if r.Outdated {
		b.WriteString("Il file viene da un altro modello o da un'altra versione: scaricare il modello attuale.\n")
	}
	if len(r.Missing) > 0 {
		fmt.Fprintf(&b, "%s: %s.\n", italian.Choose(len(r.Missing), "Colonna facoltativa mancante", "Colonne facoltative mancanti"), italian.Quoted(r.Missing))
	}
	for _, u := range r.Unknown {
		fmt.Fprintf(&b, "La colonna %s non fa parte del modello e non è stata letta.\n", u.Column)
	}
	if n := len(r.Ignored); n > 0 {
		fmt.Fprintf(&b, "%s.\n", italian.Count(n, "altro foglio non letto", "altri fogli non letti"))
	}
	if len(r.Errors) > 0 {
		b.WriteString("\nDa correggere (righe con errori):\n")
		for _, e := range r.Errors {
			fmt.Fprintf(&b, "- %s\n", e.Italian())
		}
		if r.MoreErrors > 0 {
			fmt.Fprintf(&b, "… e %s.\n", italian.Count(r.MoreErrors, "altro errore", "altri errori"))
		}
	}
	if len(r.Notes) > 0 {
		b.WriteString("\nDa verificare (righe senza errori):\n")
		for _, n := range r.Notes {
			fmt.Fprintf(&b, "- %s\n", n.Italian())
		}
		if r.MoreNotes > 0 {
			fmt.Fprintf(&b, "… e %s.\n", italian.Count(r.MoreNotes, "altra osservazione", "altre osservazioni"))
		}
	}
	if len(r.Hints) > 0 {
		fmt.Fprintf(&b, "\n%s\n", strings.Join(r.Hints, "\n"))
	}
	return b.String()
}

// refuse counts a refused row and keeps its errors up to the limit.
func (r *Report) refuse(row *RowError, limit int) {
	r.Invalid++
	kept := min(len(row.Cells), max(0, limit-len(r.Errors)))
	r.Errors = append(r.Errors, row.Cells[:kept]...)
	r.MoreErrors += len(row.Cells) - kept
}

// accept counts a row that was read and keeps its notes up to the limit.
func (r *Report) accept(notes []Note, limit int) {
	r.Rows++
	kept := min(len(notes), max(0, limit-len(r.Notes)))
	r.Notes = append(r.Notes, notes[:kept]...)
	r.MoreNotes += len(notes) - kept
}

// RefuseRow enters what was found wrong with a row after it was decoded, such as by a
// database, so that [Report.Italian] tells it and [Template.Annotate] marks it. The row is
// one that was right, by its number; it counts as refused from now on. Errors made by
// [RefuseError] and [Refuse], also joined, are told at their column. A nil error does nothing.
// It can be called while the sequence is ranged over.
func (r *Report) RefuseRow(row int, err error) {
	cells := placed(nil, row, r.columns, err)
	if len(cells) == 0 {
		return
	}
	r.Rows--
	r.Invalid++
	kept := min(len(cells), max(0, r.limit-len(r.Errors)))
	at, _ := slices.BinarySearchFunc(r.Errors, row+1, func(e *CellError, row int) int { return e.Row - row })
	r.Errors = slices.Insert(r.Errors, at, cells[:kept]...)
	r.MoreErrors += len(cells) - kept
}

// DoubtRow is [Report.RefuseRow] for what is doubtful about a row: it stays right, and
// the errors become warnings in its [Note]s.
func (r *Report) DoubtRow(row int, err error) {
	for _, c := range placed(nil, row, r.columns, err) {
		if len(r.Notes) >= r.limit {
			r.MoreNotes++
			continue
		}
		at, _ := slices.BinarySearchFunc(r.Notes, row+1, func(n Note, row int) int { return n.Row - row })
		r.Notes = slices.Insert(r.Notes, at, Note{Row: row, Column: c.Column, Header: c.Header, Warnings: []error{c.Err}})
	}
}

// fingerprint tells a file from others: its size, and a digest of all of a CSV file,
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
