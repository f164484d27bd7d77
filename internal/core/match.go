package core

import (
	"slices"
	"strings"
	"time"
)

// Among reports whether a value is one of those wanted; none wanted: any is.
func Among[T comparable](wanted []T, value T) bool {
	return len(wanted) == 0 || slices.Contains(wanted, value)
}

// Same reports whether a value is the one wanted; the zero value wanted: any is.
func Same[T comparable](wanted, value T) bool {
	var zero T
	return wanted == zero || wanted == value
}

// Within reports whether a time is from or later, and before to. A zero bound bounds nothing.
func Within(from, to, t time.Time) bool {
	return (from.IsZero() || !t.Before(from)) && (to.IsZero() || t.Before(to))
}

// Contains reports whether a text has a part, whatever the case of either.
func Contains(text, part string) bool {
	return part == "" || strings.Contains(strings.ToLower(text), strings.ToLower(part))
}
