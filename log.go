package flussi

import (
	"fmt"
	"log/slog"
)

// MaskAttr keeps personal values masked in logs that are written as JSON. It is made for
// [slog.HandlerOptions.ReplaceAttr]: slog.JSONHandler marshals every value that is not plain, so
// personal values inside a struct, a slice or a map would be logged in clear; MaskAttr makes such a
// value the text that fmt prints for it, in which they mask themselves. Errors and plain values do
// not change.
func MaskAttr(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() != slog.KindAny {
		return a
	}
	switch v := a.Value.Any().(type) {
	case nil, error, *slog.Source, slog.Level:
		return a
	default:
		return slog.String(a.Key, fmt.Sprintf("%+v", v))
	}
}
