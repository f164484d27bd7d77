package flussi

import (
	"fmt"
	"strings"
	"unicode"
)

// Policy says what a doubt about a value is, such as a wrong check character. The
// zero Policy is [Lenient].
type Policy uint8

const (
	// Lenient reports doubts as warnings, since the platforms accept such values.
	Lenient Policy = iota
	// Strict reports doubts as errors.
	Strict
)

// Reading is a value read from what a person typed, with all that was done to it
// and all that is doubtful about it.
type Reading[T any] struct {
	Value    T        // what was read
	Changes  []Change // what was cleaned away; empty if the text was canonical
	Warnings []error  // doubts, each a [*ValueError]; always empty under [Strict]
}

// ChangeKind is a kind of change that normalising makes.
type ChangeKind string

// The kinds of changes.
const (
	ChangedCase        ChangeKind = "case"       // letters a to z made upper-case
	RemovedSpaces      ChangeKind = "spaces"     // spaces, tabs and line breaks
	RemovedHardSpaces  ChangeKind = "nbsp"       // non-breaking spaces (U+00A0, U+2007, U+202F)
	RemovedInvisible   ChangeKind = "invisible"  // zero-width characters, soft hyphens, direction marks, BOM
	RemovedApostrophes ChangeKind = "apostrophe" // apostrophes in front, with which spreadsheets mark text
)

// Change is one kind of change and how many characters it touched. It does not hold
// the characters.
type Change struct {
	Kind  ChangeKind // what was done
	Count int        // to how many characters
}

// Italian describes the change for the operator.
func (c Change) Italian() string {
	name, ok := map[ChangeKind][2]string{
		ChangedCase:        {"una lettera portata in maiuscolo", "%d lettere portate in maiuscolo"},
		RemovedSpaces:      {"tolto uno spazio", "tolti %d spazi"},
		RemovedHardSpaces:  {"tolto uno spazio unificatore", "tolti %d spazi unificatori"},
		RemovedInvisible:   {"tolto un carattere invisibile", "tolti %d caratteri invisibili"},
		RemovedApostrophes: {"tolto l'apostrofo iniziale", "tolti %d apostrofi iniziali"},
	}[c.Kind]
	switch {
	case !ok:
		return string(c.Kind)
	case c.Count == 1:
		return name[0]
	}
	return fmt.Sprintf(name[1], c.Count)
}

// changes collects changes by kind, in the order in which each kind first occurs.
type changes []Change

func (c *changes) add(kind ChangeKind) {
	for i := range *c {
		if (*c)[i].Kind == kind {
			(*c)[i].Count++
			return
		}
	}
	*c = append(*c, Change{kind, 1})
}

// NormalizeCode cleans the text of a code as people type it or office software
// keeps it: it removes every kind of space and invisible character and the
// apostrophes in front, and makes the letters a to z upper-case. It returns the clean text and
// what it changed, and never adds, replaces or reorders anything else. The Read
// functions for codes call it; call it yourself for codes of your own.
func NormalizeCode(s string) (string, []Change) {
	var made changes
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		kind, gone := blank(r)
		switch {
		case gone:
			made.add(kind)
		case b.Len() == 0 && (r == '\'' || r == '’' || r == '‘'):
			made.add(RemovedApostrophes)
		case 'a' <= r && r <= 'z':
			made.add(ChangedCase)
			b.WriteRune(r - 'a' + 'A')
		default:
			b.WriteRune(r)
		}
	}
	return b.String(), made
}

// blank reports whether r can be left out of a code without a person seeing it.
func blank(r rune) (ChangeKind, bool) {
	switch {
	case r == '\u00A0' || r == '\u2007' || r == '\u202F':
		return RemovedHardSpaces, true
	case unicode.IsSpace(r) || unicode.Is(unicode.Zs, r):
		return RemovedSpaces, true
	case r == '\u00AD' || r == '\u034F' || unicode.Is(unicode.Cf, r):
		return RemovedInvisible, true
	}
	return "", false
}

// read makes a reading of a code: clean, parse, then judge its doubts by the policy.
func read[T interface{ doubts() []error }](input string, p Policy, parse func(string) (T, error)) (Reading[T], error) {
	clean, made := NormalizeCode(input)
	value, err := parse(clean)
	if err != nil {
		return Reading[T]{}, err
	}
	doubts := value.doubts()
	if p == Strict && len(doubts) > 0 {
		return Reading[T]{}, doubts[0]
	}
	return Reading[T]{Value: value, Changes: made, Warnings: doubts}, nil
}
