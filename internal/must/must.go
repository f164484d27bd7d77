// Package must shortens tests: what a call returns if it succeeds, or its error, and texts with all
// of their parts.
package must

import (
	"errors"
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

// Err returns the error of a call, without its value.
func Err[T any](_ T, err error) error { return err }

// As returns the error of a type that is in an error, and ends the test if there is none:
//
//	failed := must.As[*flussi.RemoteError](t, err)
func As[E error](t testing.TB, err error) (found E) {
	t.Helper()
	if !errors.As(err, &found) {
		t.Fatalf("no %T in the error: %v", found, err)
	}
	return found
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
