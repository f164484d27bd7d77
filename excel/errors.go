package excel

import (
	"errors"
	"fmt"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/internal/xlsx"
)

// What can be wrong with a file. A [*FileError] unwraps to one of these, and ends the
// decoding.
var (
	ErrFormat    = errors.New("not a file that can be read") // see [FileError.Format]
	ErrTruncated = xlsx.ErrTruncated                         // cut off
	ErrMalformed = xlsx.ErrMalformed                         // damaged, or made by faulty software
	ErrUnsafe    = xlsx.ErrUnsafe                            // made to harm
	ErrLimit     = xlsx.ErrLimit                             // larger than one of the [Limits]
	ErrSheet     = errors.New("no sheet to read, or more than one")
	ErrHeader    = errors.New("columns missing, doubled or misspelt")
	ErrMerged    = errors.New("merged cells among the data")
	ErrReport    = errors.New("report of another file, or of one that was not read") // of [Template.Annotate] alone
)

// What can be wrong with a row or a cell, besides what package flussi lists. A
// [*CellError] unwraps to one of these, and so do the [CellErrors] of a row. Of the rows of a CSV
// file, [ErrTruncated] says that the last one may be cut off, as an error or as a warning, and
// [ErrMalformed] that blanks stand around quotes.
var (
	ErrRequired      = errors.New("cell is empty")
	ErrHidden        = errors.New("row is hidden")
	ErrCellType      = errors.New("cell holds something else")          // a date where a text is needed, …
	ErrFormula       = errors.New("formula has come to an error")       // such as #N/D
	ErrNotCalculated = errors.New("formula was never calculated")       // saved by software that does not calculate
	ErrOtherFile     = errors.New("formula reads another file")         // a warning: the value is that of the last saving
	ErrTimeOfDay     = errors.New("date with a time of day")            // where a date alone is needed
	ErrPast          = errors.New("date is past")                       // always a warning
	ErrUnformatted   = errors.New("number without the column's format") // a warning: a serial that shows as a number, a code that is one
	ErrChoice        = errors.New("none of the values that can be chosen")
	ErrFields        = errors.New("more fields than the header") // of a CSV row
	ErrCheck         = errors.New("refused by a check")          // of [Config.Check], by [NewCheckError]
)

// FileError says why a file cannot be read, or not to its end. It holds no text of
// the file. It is a [flussi.ErrInvalid].
type FileError struct {
	Format Format       // what the file is
	Row    int          // the row at fault, counted from 1, 0 if none in particular; in a CSV file the line
	Column string       // the letters of the column at fault, "" if none in particular
	Cells  []*CellError // for ErrHeader: what is wrong with each column; the Reason is all of it
	Reason string       // what is wrong and what to do, in Italian, in whole sentences
	Err    error        // one of the Err… values for files
	Cause  error        // what reading the parts of the file said, nil if nothing
}

// Error describes the fault for programmers.
func (e *FileError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "excel: %v", e.Err)
	if errors.Is(e.Err, ErrFormat) {
		fmt.Fprintf(&b, ": %s", e.Format)
	}
	switch {
	case e.Column != "" && e.Row > 0:
		fmt.Fprintf(&b, " at cell %s%d", e.Column, e.Row)
	case e.Column != "":
		fmt.Fprintf(&b, " at column %s", e.Column)
	case e.Row > 0:
		fmt.Fprintf(&b, " at row %d", e.Row)
	}
	if e.Cause != nil {
		fmt.Fprintf(&b, ": %v", e.Cause)
	}
	return b.String()
}

// Unwrap returns the class of the fault and its cause.
func (e *FileError) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Err}
	}
	return []error{e.Err, e.Cause}
}

// Is reports whether target is [flussi.ErrInvalid], for [errors.Is].
func (e *FileError) Is(target error) bool { return target == flussi.ErrInvalid }

// Italian describes the fault for the operator.
func (e *FileError) Italian() string { return e.Reason }

// CellErrors lists everything that is wrong with a row: at least one error. It is the Err of the
// [*flussi.RowError] with which a row is refused.
type CellErrors []*CellError

// Error describes the faults for programmers, without the texts at fault.
func (e CellErrors) Error() string {
	texts := make([]string, len(e))
	for i, c := range e {
		texts[i] = strings.TrimPrefix(c.Error(), "excel: ")
	}
	return "excel: " + strings.Join(texts, "; ")
}

// Unwrap returns the errors.
func (e CellErrors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, c := range e {
		errs[i] = c
	}
	return errs
}

// Italian describes the faults for the operator, each with its column, and without the row's
// number.
func (e CellErrors) Italian() string { return e.ItalianInRow(0) }

// ItalianInRow is Italian behind the number of the row, which is named once:
// "Riga 3, colonna D (Rata): …". It serves [flussi.RowError.Italian].
func (e CellErrors) ItalianInRow(row int) string {
	texts := make([]string, len(e))
	for i, c := range e {
		texts[i] = italianAt(row, c.Column, c.Header, flussi.Explain(c.Err))
		row = 0 // it is named once
	}
	return strings.Join(texts, " ")
}

// CellError says what is wrong, or doubtful, with one cell or with a row as a whole. It is a
// [flussi.ErrInvalid].
type CellError struct {
	Row    int    // the number of the row in the file, counted from 1
	Column string // the letters of the column, "" if the whole row is meant or the column is not there
	Header string // the column's name in the template, "" if the whole row is meant
	Err    error  // why: a [*flussi.ValueError], or what a kind or a check of yours said
}

// NewCellError returns an error of the column that has this header in the template, for
// [Config.Check] and for the error of a row ([Report.Locate]); its row and its letters are added
// there. Err explains itself to operators if it is a [flussi.Explainer].
func NewCellError(header string, err error) *CellError { return &CellError{Header: header, Err: err} }

// NewCheckError is [NewCellError] with a text for the operator alone, in Italian, in whole
// sentences, without personal data. It unwraps to [ErrCheck].
func NewCheckError(header, italian string) *CellError {
	return NewCellError(header, wrong("Row", ErrCheck, italian))
}

// Error describes the fault for programmers, without codes and texts of the file.
func (e *CellError) Error() string {
	place := fmt.Sprintf("row %d", e.Row)
	if e.Column != "" {
		place = fmt.Sprintf("%s%d", e.Column, e.Row)
	}
	if e.Header != "" {
		place += " (" + e.Header + ")"
	}
	return fmt.Sprintf("excel: %s: %v", place, e.Err)
}

// Unwrap returns why.
func (e *CellError) Unwrap() error { return e.Err }

// Is reports whether target is [flussi.ErrInvalid], for [errors.Is].
func (e *CellError) Is(target error) bool { return target == flussi.ErrInvalid }

// Italian describes the fault for the operator, with its place, and without codes and
// texts of the file.
func (e *CellError) Italian() string {
	return italianAt(e.Row, e.Column, e.Header, flussi.Explain(e.Err))
}

// absentColumn is the error of a cell whose column the file does not have.
type absentColumn struct{ err error }

// Error describes the fault for programmers.
func (e *absentColumn) Error() string { return "no such column: " + e.err.Error() }

// Unwrap returns the error of the cell.
func (e *absentColumn) Unwrap() error { return e.err }

// Italian says for the operator that the column is not there, since people look for the cell.
func (e *absentColumn) Italian() string {
	return "Nel file manca questa colonna. " + flussi.Explain(e.err)
}

// italianAt puts the place of a cell, or of a row as a whole, before a text. The number of the row
// is left out if it is 0.
func italianAt(row int, column, header, text string) string {
	var place string
	switch {
	case row > 0 && column != "":
		place = fmt.Sprintf("Riga %d, colonna %s", row, column)
	case row > 0:
		place = fmt.Sprintf("Riga %d", row)
	case column != "":
		place = "Colonna " + column
	case header != "":
		return header + ": " + text
	default:
		return text
	}
	if header != "" {
		place += " (" + header + ")"
	}
	return place + ": " + text
}

// RowsError lists the rows of a file that are not valid. It is a [flussi.ErrRows]. [Collect]
// returns one with the rows that the reading refused. For a service that takes the rows, make one
// of what the service reports: it has those rows too. [Report.Italian] and [Template.Annotate] take
// nil for no rows.
type RowsError struct {
	Rows    []*flussi.RowError // in any order; the first of them, if not all
	Invalid int                // how many there are; 0 if Rows has all
}

// count returns how many rows are not valid.
func (e *RowsError) count() int {
	if e == nil {
		return 0
	}
	return max(e.Invalid, len(e.Rows))
}

// Error says how many rows are not valid, and what is wrong with the first.
func (e *RowsError) Error() string {
	text := fmt.Sprintf("excel: rows not valid: %d", e.count())
	if len(e.Rows) > 0 {
		text += ", such as " + e.Rows[0].Error()
	}
	return text
}

// Unwrap returns [flussi.ErrRows] and the errors of the rows.
func (e *RowsError) Unwrap() []error {
	errs := []error{flussi.ErrRows}
	for _, row := range e.Rows {
		errs = append(errs, row)
	}
	return errs
}

// Italian says for the operator how many rows are not valid. [Report.Italian] lists them.
func (e *RowsError) Italian() string {
	return fmt.Sprintf("Righe con errori: %s.", italian.Number(e.count()))
}

// wrong makes the error of a value.
func wrong(kind string, err error, italian string) error {
	return &flussi.ValueError{Type: kind, Err: err, Reason: italian}
}

// fileError explains what reading a workbook's parts came to.
func fileError(err error) error {
	var f *xlsx.Fault
	if !errors.As(err, &f) {
		return err
	}
	e := &FileError{Format: Workbook, Row: f.Row, Err: f.Err, Cause: f}
	if f.Column > 0 {
		e.Column = xlsx.ColumnName(f.Column)
	}
	place := italianPlace(f)
	switch {
	case f.Err == xlsx.ErrPrefixed:
		e.Err = ErrMalformed
		e.Reason = "Il file non comincia come una cartella di lavoro: prima del contenuto ci sono altri dati, aggiunti forse durante il salvataggio o l'invio. Scaricarlo o copiarlo di nuovo."
	case f.Err == xlsx.ErrColumns:
		e.Err = ErrLimit
		sheet := "Il foglio"
		if f.Tab > 0 {
			sheet += fmt.Sprintf(" %d", f.Tab)
		}
		e.Reason = fmt.Sprintf("%s ha troppe colonne: la cella %s%d è oltre l'ultima ammessa. Togliere le colonne in più.", sheet, e.Column, f.Row)
	case errors.Is(f.Err, ErrTruncated):
		e.Reason = "Il file è incompleto" + place + ": probabilmente la copia o il caricamento si è interrotto. Copiarlo o salvarlo di nuovo."
	case errors.Is(f.Err, ErrLimit):
		e.Reason = "Il file supera i limiti previsti" + place + ": è troppo grande, o contiene celle troppo grandi. Dividerlo in più file."
	case errors.Is(f.Err, ErrUnsafe):
		e.Reason = "Il file non è sicuro: contiene parti anomale. Copiare i soli valori in un nuovo modello."
	default:
		e.Reason = "Il file è danneggiato" + place + ": aprirlo con Excel o LibreOffice e salvarlo di nuovo."
	}
	return e
}

// italianPlace names the place of a fault in brackets: " (dalla riga 8 del foglio 2)". Sheets are
// counted, since their names may be personal data.
func italianPlace(f *xlsx.Fault) string {
	place := ""
	switch {
	case f.Row > 0 && f.Column > 0:
		place = fmt.Sprintf("dopo la cella %s%d", xlsx.ColumnName(f.Column), f.Row)
	case f.Row > 0:
		place = fmt.Sprintf("dalla riga %d", f.Row)
	}
	switch {
	case f.Tab > 0 && place != "":
		place += fmt.Sprintf(" del foglio %d", f.Tab)
	case f.Tab > 0:
		place = fmt.Sprintf("nel foglio %d", f.Tab)
	}
	if place == "" {
		return ""
	}
	return " (" + place + ")"
}
