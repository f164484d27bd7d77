// Package private keeps personal text from being printed by accident.
//
// [Text] holds a string behind an interned handle. fmt cannot call the methods of a value that sits
// in an unexported field, and prints what is in it; a plain string there would be printed whole, a
// handle is an address. (Code that follows the handle's pointers on purpose, as deep printers of
// test tools do, still finds the text.) Texts compare with ==, work as map keys, and equal texts
// share one copy in memory.
//
// [Code] does the same for short codes, of which millions are made.
package private

import (
	"fmt"
	"io"
	"unique"
)

// Text is a string that fmt does not reveal. The zero value is the empty
// text. Texts are immutable and safe for concurrent use.
type Text struct {
	handle unique.Handle[string]
}

// Of returns the text s.
func Of(s string) Text {
	if s == "" {
		return Text{}
	}
	return Text{unique.Make(s)}
}

// IsZero reports whether the text is empty.
func (t Text) IsZero() bool { return t == Text{} }

// Reveal returns the text itself.
func (t Text) Reveal() string {
	if t.IsZero() {
		return ""
	}
	return t.handle.Value()
}

// Mask returns what replaces the text of a value of type name wherever it is printed: name(***), or
// name() if there is no text to hide.
func (t Text) Mask(name string) string { return mask(t.IsZero(), name) }

func mask(zero bool, name string) string {
	if zero {
		return name + "()"
	}
	return name + "(***)"
}

// WriteMask writes the mask for every verb of package fmt: quoted for %q, behind its
// package for %#v, plain for all others. Width and precision are ignored, so that
// a mask is never cut.
func (t Text) WriteMask(f fmt.State, verb rune, pkg, name string) {
	writeMask(f, verb, pkg, t.Mask(name))
}

func writeMask(f fmt.State, verb rune, pkg, mask string) {
	switch {
	case verb == 'q':
		mask = `"` + mask + `"`
	case verb == 'v' && f.Flag('#'):
		mask = pkg + mask
	}
	_, _ = io.WriteString(f, mask)
}
