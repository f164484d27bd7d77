// Package sentinel makes the Err… values of the library: errors that are compared by
// [errors.Is], that may be one of a wider class, and that have a text for operators.
package sentinel

// New returns an error. Its text is for programs and logs; italian is for operators, in whole
// sentences; class is the wider error that it also is, or nil.
func New(text, italian string, class error) error {
	return &sentinel{text: text, italian: italian, class: class}
}

type sentinel struct {
	text, italian string
	class         error
}

// Error returns the text for programs and logs.
func (s *sentinel) Error() string { return s.text }

// Italian returns the text for operators.
func (s *sentinel) Italian() string { return s.italian }

// Unwrap returns the class.
func (s *sentinel) Unwrap() error { return s.class }
