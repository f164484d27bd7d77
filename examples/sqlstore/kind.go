package sqlstore

import "strings"

// kind (genere) is all of a row that has few values and is looked for: its state, error code
// and flags. The database makes it out of the columns. Both indexes for lists have it in front
// of the place in the list, so that the rows of a kind are read in the order of the list, and
// a list is merged from the kinds that there are and that match: see [search].
type kind struct {
	state, code string
	flags       string // d: disabled, u: unsettled, a: anonymised, x: its times run backwards
	known       bool   // it could be read
}

// kindOf reads what a column has. What is written in an odd way, as when a state has the
// separator in it, is not known: it may be anything.
func kindOf(column string) kind {
	parts := strings.Split(column, "|")
	if len(parts) != 3 {
		return kind{}
	}
	return kind{given(parts[0]), given(parts[1]), parts[2], true}
}

func (k kind) has(flag string) bool { return strings.Contains(k.flags, flag) }
