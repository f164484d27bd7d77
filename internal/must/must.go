// Package must shortens tests: what a call returns if it succeeds, and texts with all of their
// parts.
package must

import (
	"strings"
	"testing"
)

// Get returns the value of a call, and ends the test if the call failed:
//
//	rows := must.Get(book.GetRows("Dati"))(t)
func Get[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatalf("unexpected error: %v", err)
		}
		return value
	}
}

// Contain fails the test for each part that is not in a text.
func Contain(t testing.TB, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in:\n%s", part, text)
		}
	}
}

// NotContain fails the test for each part that is in a text.
func NotContain(t testing.TB, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(text, part) {
			t.Errorf("%q is in:\n%s", part, text)
		}
	}
}
