package core

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
)

// Invalid collects what is wrong with the fields of an entity, a filter or an argument. OrNil
// returns it as an error.
type Invalid struct{ flussi.InvalidError }

// OrNil returns what was collected, a [*flussi.InvalidError], or nil if nothing was. The error is a
// copy, so that checks that find nothing allocate nothing.
func (e *Invalid) OrNil() error {
	if len(e.Fields) == 0 {
		return nil
	}
	return &flussi.InvalidError{Fields: e.Fields}
}

// Fail adds what is wrong with a field. The reason is in Italian, in whole sentences.
func (e *Invalid) Fail(field string, err error, reason string, args ...any) {
	e.Add(field, err, fmt.Sprintf(reason, args...))
}

// Include adds the fields of a [*flussi.InvalidError] or a [*flussi.ValueError]; nil adds none.
func (e *Invalid) Include(err error) {
	var several *flussi.InvalidError
	var one *flussi.ValueError
	switch {
	case errors.As(err, &several):
		e.Fields = append(e.Fields, several.Fields...)
	case errors.As(err, &one):
		e.Fields = append(e.Fields, one)
	}
}

// TextRule says which texts a field may have.
type TextRule struct {
	Field    string // the Go name
	Name     string // in Italian with its article, such as "la causale"
	Min, Max int    // in UTF-16 code units; Max 0: any length. Blanks at the ends do not count for Min
	Required bool   // an empty text is wrong, and so is one of blanks
	OneLine  bool   // control characters are wrong; otherwise NUL alone, which databases refuse
}

// Text adds what is wrong with a text, if anything is: the first of [flussi.ErrEmpty],
// [flussi.ErrLength] and [flussi.ErrCharacter].
func (e *Invalid) Text(r TextRule, text string) {
	if text == "" && !r.Required && r.Min == 0 {
		return
	}
	switch n, visible := units(text), units(italian.Visible(text)); {
	case r.Required && visible == 0:
		e.Fail(r.Field, flussi.ErrEmpty, "Manca %s.", r.Name)
	case n < r.Min || r.Max > 0 && n > r.Max:
		e.Fail(r.Field, flussi.ErrLength, "%s", italian.Length(italian.Capital(r.Name), n, r.Min, r.Max, ""))
	case visible < r.Min:
		e.Fail(r.Field, flussi.ErrLength, "%s", italian.Length(italian.Capital(r.Name), visible, r.Min, r.Max, italian.TrimmedNote))
	case !storable(text, r.OneLine):
		e.Fail(r.Field, flussi.ErrCharacter, "%s contiene caratteri non validi.", italian.Capital(r.Name))
	}
}

// Known adds a value that a filter looks for and nothing can have, if there is one.
func Known[T any](e *Invalid, field, name string, wanted []T, known func(T) bool) {
	for _, value := range wanted {
		if !known(value) {
			e.Fail(field, flussi.ErrRange, "%s da cercare non è tra i valori previsti.", italian.Capital(name))
			return
		}
	}
}

// Words adds what is wrong with the text that a filter looks for in longer texts: one that is
// shorter than [flussi.MinSearch], blanks at its ends left out.
func (e *Invalid) Words(text string) {
	if text == "" {
		return
	}
	if utf8.RuneCountInString(italian.Visible(text)) < flussi.MinSearch {
		e.Fail("Text", flussi.ErrLength, "Il testo da cercare deve avere almeno %d caratteri.", flussi.MinSearch)
		return
	}
	e.Text(TextRule{Field: "Text", Name: "il testo da cercare"}, text)
}

// units counts a text in UTF-16 code units, as [flussi.Text.Length] does.
func units(text string) int {
	n := 0
	for _, r := range text {
		n += utf16.RuneLen(r)
	}
	return n
}

// storable reports whether a text is valid UTF-8 without NUL, and if it is to be of one line
// without other control characters.
func storable(text string, oneLine bool) bool {
	switch {
	case !utf8.ValidString(text):
		return false
	case oneLine:
		return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7F })
	}
	return strings.IndexByte(text, 0) < 0
}
