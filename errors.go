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
	ErrRange       = errors.New("out of range")                        // negative, zero or too large; what the limits are says the method
	ErrDigitsLost  = errors.New("stored as a number: digits are lost") // a code that is not text
	ErrDate        = errors.New("date does not exist")                 // such as 31 April
)

// ValueError says why a text is not a value of one of this package's types, or why
// a value is doubtful. It never holds the text of a personal value.
type ValueError struct {
	Type     string   // what is at fault: a Go type such as FiscalCode, or a field
	Position int      // the character at fault, counted from 1 in the text as given; 0 if it is none in particular
	Readings []string // for ErrAmbiguous: the readings, in Italian notation
	Err      error    // one of the Err… values of this package
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

// Italian describes the fault for the operator, without the text at fault.
func (e *ValueError) Italian() string { return e.Reason }

// Explainer is an error that can tell the operator, in Italian, what is wrong and
// what can be done. The text is whole sentences and holds no personal data.
type Explainer interface {
	error
	// Italian returns the text for the operator.
	Italian() string
}

// Explain returns the Italian text for the operator of the first [Explainer] that
// err is or wraps. Errors joined by [errors.Join] give their texts one after the
// other. It returns "" for nil, and a general text for an error that explains
// nothing, whose Error text is for programmers and may not be fit to show.
func Explain(err error) string {
	if err == nil {
		return ""
	}
	texts := explanations(err)
	if len(texts) == 0 {
		return "Errore imprevisto: rivolgersi all'assistenza."
	}
	return strings.Join(texts, " ")
}

func explanations(err error) []string {
	switch e := err.(type) {
	case nil:
		return nil
	case Explainer:
		return []string{e.Italian()}
	case interface{ Unwrap() error }:
		return explanations(e.Unwrap())
	case interface{ Unwrap() []error }:
		var texts []string
		for _, sub := range e.Unwrap() {
			texts = append(texts, explanations(sub)...)
		}
		return texts
	}
	return nil
}
