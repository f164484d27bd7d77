package flussi

import (
	"errors"
	"fmt"
	"strings"
)

// What can be wrong with a value. A [*ValueError] unwraps to one of these.
var (
	ErrEmpty       = errors.New("no text")
	ErrLength      = errors.New("wrong length")
	ErrCharacter   = errors.New("character not allowed")
	ErrCheckDigits = errors.New("wrong check characters")              // a warning under [Lenient]
	ErrBirthDate   = errors.New("impossible date of birth")            // a warning under [Lenient]
	ErrNotPersonal = errors.New("code of an organization")             // 11 digits where a person is needed
	ErrAmbiguous   = errors.New("can be read in two ways")             // see [ValueError.Readings]
	ErrNotation    = errors.New("not in Italian notation")             // such as 1,234.56
	ErrDecimals    = errors.New("more than two decimals")              // a fraction of a cent
	ErrRange       = errors.New("out of range")                        // negative, zero or too large; the limits are in the method's documentation
	ErrDigitsLost  = errors.New("stored as a number: digits are lost") // a code that is not text
	ErrDate        = errors.New("date does not exist")                 // such as 31 April
)

// ValueError says why a text is not a value of one of this package's types, why a field is not
// valid, or why a value is doubtful. It never holds the text of a personal value. It is an
// [ErrInvalid].
type ValueError struct {
	Type     string   // what is at fault: a Go type such as FiscalCode, or a field
	Position int      // the character at fault, counted from 1 in the text as given; 0 if it is none in particular
	Readings []string // for ErrAmbiguous: the readings, in Italian notation
	Err      error    // one of the Err… values
	Reason   string   // what is wrong, in Italian, in whole sentences
}

// Error describes the fault for programmers, without the text at fault.
func (e *ValueError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "flussi: %s: %v", e.Type, e.Err)
	if e.Position > 0 {
		fmt.Fprintf(&b, " at position %d", e.Position)
	}
	if len(e.Readings) > 0 {
		fmt.Fprintf(&b, ": %s", strings.Join(e.Readings, " or "))
	}
	return b.String()
}

// Unwrap returns the Err… value that classifies the fault.
func (e *ValueError) Unwrap() error { return e.Err }

// Is reports whether target is [ErrInvalid], for [errors.Is].
func (e *ValueError) Is(target error) bool { return target == ErrInvalid }

// Italian describes the fault for the operator, without the text at fault.
func (e *ValueError) Italian() string { return e.Reason }

// InvalidError says what is wrong with an entity or with the arguments of a call, field by field.
// Nothing was stored or sent. It never holds a text of a field. It is an [ErrInvalid], and the
// error of each field is found by [errors.Is].
type InvalidError struct {
	Fields []*ValueError // at least one; their Type is the field
}

// Error names the fields and what is wrong, without their texts.
func (e *InvalidError) Error() string {
	parts := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		parts[i] = fmt.Sprintf("%s: %v", f.Type, f.Err)
	}
	return "flussi: not valid: " + strings.Join(parts, "; ")
}

// Unwrap returns [ErrInvalid] and the errors of the fields.
func (e *InvalidError) Unwrap() []error {
	all := []error{ErrInvalid}
	for _, f := range e.Fields {
		all = append(all, f)
	}
	return all
}

// Italian describes what is wrong for the operator.
func (e *InvalidError) Italian() string {
	parts := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		parts[i] = f.Reason
	}
	return strings.Join(parts, " ")
}

// Add adds a field. The reason is in Italian, in whole sentences.
func (e *InvalidError) Add(field string, err error, reason string) {
	e.Fields = append(e.Fields, &ValueError{Type: field, Err: err, Reason: reason})
}

// OrNil returns the error, or nil if it has no field.
func (e *InvalidError) OrNil() error {
	if len(e.Fields) == 0 {
		return nil
	}
	return e
}

// RowError says why a row of an import is refused.
type RowError struct {
	Row   int   // its number
	Other int   // for an [ErrDuplicate]: the number of the row with the same content; 0 if it is stored already
	Err   error // such as an [*InvalidError], or what the sequence had in place of the row
}

// Error describes the refusal for programs and logs.
func (e *RowError) Error() string { return fmt.Sprintf("row %d: %v", e.Row, e.Err) }

// Unwrap returns the cause.
func (e *RowError) Unwrap() error { return e.Err }

// rowExplainer is an error that says where in a row it is, and so continues the number of the row:
// "Riga 3, colonna D (Rata): …".
type rowExplainer interface {
	ItalianInRow(row int) string
}

// Italian describes the refusal for the operator, with the number of the row. If Err, or what it
// wraps, has a method ItalianInRow(row int) string, that gives the text: package excel's
// CellErrors name their columns behind the row.
func (e *RowError) Italian() string {
	var cells rowExplainer
	if errors.As(e.Err, &cells) {
		return cells.ItalianInRow(e.Row)
	}
	return fmt.Sprintf("Riga %d: %s", e.Row, Explain(e.Err))
}
