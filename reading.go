package flussi

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/flussi-go/flussi/internal/italian"
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
	Changes  []Change // what was cleaned, empty if nothing was
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
	CompletedYear      ChangeKind = "year"       // a year of two digits read as one of 2000 to 2099
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
		ChangedCase:        {"una lettera portata in maiuscolo", "%s lettere portate in maiuscolo"},
		RemovedSpaces:      {"tolto uno spazio", "tolti %s spazi"},
		RemovedHardSpaces:  {"tolto uno spazio unificatore", "tolti %s spazi unificatori"},
		RemovedInvisible:   {"tolto un carattere invisibile", "tolti %s caratteri invisibili"},
		RemovedApostrophes: {"tolto l'apostrofo iniziale", "tolti %s apostrofi iniziali"},
		CompletedYear:      {"anno di due cifre letto come 20xx", "%s anni di due cifre letti come 20xx"},
	}[c.Kind]
	switch {
	case !ok:
		return string(c.Kind)
	case c.Count == 1:
		return name[0]
	}
	return fmt.Sprintf(name[1], italian.Number(c.Count))
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

// NormalizeCode cleans the text of a code as people type it or office software keeps it: it removes
// spaces of every kind, characters that do not show (soft hyphens, joiners, zero-width spaces,
// direction and byte order marks, variation selectors) and the apostrophes in front, and makes the
// letters a to z upper-case. It returns the clean text and what it changed; everything else is
// unchanged, where it is. The Read functions for codes call it; call it yourself for codes of your
// own.
func NormalizeCode(s string) (string, []Change) {
	clean, made, _ := normalize(s)
	return clean, made
}

// origin says where the characters of a cleaned text were before: the position of each, counted
// from 1. The nil origin is a text that was not cleaned.
type origin []int

// of returns where the character at a position of the cleaned text was.
func (o origin) of(position int) int {
	if o == nil || position == 0 {
		return position
	}
	return o[position-1]
}

// normalize is NormalizeCode that also returns where everything was.
func normalize(s string) (string, []Change, origin) {
	if isClean(s) {
		return s, nil, nil
	}
	var made changes
	var b strings.Builder
	b.Grow(len(s))
	from := make(origin, 0, len(s))
	position := 0
	keep := func(r rune) {
		b.WriteRune(r)
		from = append(from, position)
	}
	for _, r := range s {
		position++
		kind, gone := blank(r)
		switch {
		case gone:
			made.add(kind)
		case b.Len() == 0 && isApostrophe(r):
			made.add(RemovedApostrophes)
		case 'a' <= r && r <= 'z':
			made.add(ChangedCase)
			keep(r - 'a' + 'A')
		default:
			keep(r)
		}
	}
	return b.String(), made, from
}

// isClean reports whether s holds upper-case letters and digits only, so that nothing
// has to be cleaned.
func isClean(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// blank reports whether r can be left out of a code without a person seeing it.
func blank(r rune) (ChangeKind, bool) {
	switch {
	case r == '\u00A0' || r == '\u2007' || r == '\u202F':
		return RemovedHardSpaces, true
	case unicode.IsSpace(r):
		return RemovedSpaces, true
	case unicode.Is(invisible, r):
		return RemovedInvisible, true
	}
	return "", false
}

// invisible are the characters that do not show: soft hyphen, joiners, zero-width
// spaces, direction marks, byte order mark.
var invisible = &unicode.RangeTable{R16: []unicode.Range16{
	{0x00AD, 0x00AD, 1}, {0x034F, 0x034F, 1}, {0x061C, 0x061C, 1}, {0x180E, 0x180E, 1},
	{0x200B, 0x200F, 1}, {0x202A, 0x202E, 1}, {0x2060, 0x206F, 1}, {0xFE00, 0xFE0F, 1}, {0xFEFF, 0xFEFF, 1},
}}

func isApostrophe(r rune) bool { return r == '\'' || r == '’' || r == '‘' }

// isBlank reports the same.
func isBlank(r rune) bool { _, gone := blank(r); return gone }

// read makes a reading of a code: clean, parse, then judge its doubts by the policy.
// Positions in errors are those of the text as it was typed.
func read[T interface {
	// judge returns what is doubtful about a text that is such a value.
	judge(text string) []error
}](input string, p Policy, parse func(string, origin) (T, error)) (Reading[T], error) {
	clean, made, from := normalize(input)
	value, err := parse(clean, from)
	if err != nil {
		return Reading[T]{}, err
	}
	doubts := value.judge(clean)
	if p == Strict && len(doubts) > 0 {
		return Reading[T]{}, errors.Join(doubts...)
	}
	return Reading[T]{Value: value, Changes: made, Warnings: doubts}, nil
}
