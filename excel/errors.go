package excel

import (
	"errors"
	"fmt"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/xlsx"
)

// What can be wrong with a file. A [*FileError] unwraps to one of these, and ends the
// decoding.
var (
	ErrFormat    = errors.New("not a file that can be read") // see [FileError.Format]
	ErrTruncated = xlsx.ErrTruncated                         // cut off
	ErrMalformed = xlsx.ErrMalformed                         // damaged, or made by faulty software
	ErrUnsafe    = xlsx.ErrUnsafe                            // takes values from other files, or is made to harm
	ErrLimit     = xlsx.ErrLimit                             // larger than one of the [Limits]
	ErrSheet     = errors.New("no sheet to read, or more than one")
	ErrHeader    = errors.New("columns missing, doubled or misspelt")
	ErrMerged    = errors.New("merged cells among the data")
	ErrReport    = errors.New("report of another file, or of one that was not read") // of [Template.Annotate] alone
)

// What can be wrong with a row or a cell, besides what package flussi lists. A
// [*RowError] and a [*CellError] unwrap to these.
var (
	ErrRequired      = errors.New("cell is empty")
	ErrHidden        = errors.New("row is hidden")
	ErrCellType      = errors.New("cell holds something else")          // a date where a text is needed, …
	ErrFormula       = errors.New("formula has come to an error")       // such as #N/D
	ErrNotCalculated = errors.New("formula was never calculated")       // saved by software that does not calculate
	ErrTimeOfDay     = errors.New("date with a time of day")            // where a date alone is needed
	ErrPast          = errors.New("date is past")                       // always a warning
	ErrUnformatted   = errors.New("number without the column's format") // a warning: a serial that shows as a number, a code that is one
	ErrChoice        = errors.New("none of the values that can be chosen")
	ErrFields        = errors.New("more fields than the header") // of a CSV row
	ErrCheck         = errors.New("refused by a check")          // of [Config.Check], by [Refuse]
)

// FileError says why a file cannot be read, or not to its end. It holds no text of
// the file.
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

// Italian describes the fault for the operator.
func (e *FileError) Italian() string { return e.Reason }

// RowError says why a row was refused: everything that is wrong with it, at once.
// Decoding goes on behind it.
type RowError struct {
	Row   int          // the number of the row in the file, counted from 1
	Cells []*CellError // at least one
}

// Error describes the faults for programmers, without the texts at fault.
func (e *RowError) Error() string {
	texts := make([]string, len(e.Cells))
	for i, c := range e.Cells {
		texts[i] = strings.TrimPrefix(c.Error(), "excel: ")
	}
	return "excel: " + strings.Join(texts, "; ")
}

// Unwrap returns the faults of the row's cells.
func (e *RowError) Unwrap() []error {
	errs := make([]error, len(e.Cells))
	for i, c := range e.Cells {
		errs[i] = c
	}
	return errs
}

// Italian describes the faults for the operator, without the texts at fault.
func (e *RowError) Italian() string {
	texts := make([]string, len(e.Cells))
	for i, c := range e.Cells {
		texts[i] = c.Italian()
	}
	return strings.Join(texts, " ")
}

// CellError says what is wrong, or doubtful, with one cell or with a row as a whole.
type CellError struct {
	Row    int    // the number of the row in the file, counted from 1
	Column string // the letters of the column, "" if the whole row is meant or the column is not there
	Header string // the column's name in the template, "" if the whole row is meant
	Err    error  // why: a [*flussi.ValueError], or what a kind or a check of yours said
}

// Wrong returns an error of the column that has this header in the template, for
// [Config.Check]; decoding adds where it is. Err explains itself to operators if it
// is a [flussi.Explainer].
func RefuseError(header string, err error) *CellError { return &CellError{Header: header, Err: err} }

// Refuse is [RefuseError] with a text for the operator alone, in Italian, in whole sentences,
// without personal data. It unwraps to [ErrCheck].
func Refuse(header, italian string) *CellError {
	return RefuseError(header, wrong("Row", ErrCheck, italian))
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

// Italian describes the fault for the operator, with its place, and without codes and
// texts of the file.
func (e *CellError) Italian() string {
	return italianPlace(e.Row, e.Column, e.Header) + ": " + flussi.Explain(e.Err)
}

// italianPlace names a cell, or a row as a whole.
func italianPlace(row int, column, header string) string {
	place := fmt.Sprintf("Riga %d", row)
	if column != "" {
		place += ", colonna " + column
	}
	if header != "" {
		place += " (" + header + ")"
	}
	return place
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
	place := ""
	switch {
	case f.Row > 0 && f.Column > 0:
		e.Column = xlsx.ColumnName(f.Column)
		place = fmt.Sprintf(" (dopo la cella %s%d)", e.Column, f.Row)
	case f.Row > 0:
		place = fmt.Sprintf(" (dalla riga %d)", f.Row)
	}
	switch f.Err {
	case ErrTruncated:
		e.Reason = "Il file è incompleto" + place + ": probabilmente la copia o il caricamento si è interrotto. Copiarlo o salvarlo di nuovo."
	case ErrLimit:
		e.Reason = "Il file supera i limiti previsti" + place + ": è troppo grande, o contiene celle o colonne troppo grandi. Dividerlo in più file."
	case ErrUnsafe:
		e.Reason = "Il file non è sicuro: contiene collegamenti ad altri file o parti anomale. Copiare i soli valori in un nuovo modello."
	default:
		e.Reason = "Il file è danneggiato" + place + ": aprirlo con Excel o LibreOffice e salvarlo di nuovo."
	}
	return e
}
