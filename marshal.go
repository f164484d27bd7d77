package flussi

import (
	"database/sql/driver"
)

// unmarshal sets *dst to the value of text; no text is the zero value, so that a
// value that is absent survives a round trip. On an error *dst is unchanged.
func unmarshal[T any](dst *T, text string, parse func(string) (T, error)) error {
	var value T
	if text != "" {
		var err error
		if value, err = parse(text); err != nil {
			return err
		}
	}
	*dst = value
	return nil
}

// scan sets *dst to the value of a database column, which must be text or NULL: a
// code in a numeric column has lost its leading zeros or its last digits.
func scan[T any](dst *T, src any, name string, parse func(string) (T, error)) error {
	switch text := src.(type) {
	case nil:
		return unmarshal(dst, "", parse)
	case string:
		return unmarshal(dst, text, parse)
	case []byte:
		return unmarshal(dst, string(text), parse)
	}
	return &ValueError{Type: name, Err: ErrDigitsLost,
		Reason: "Il valore non è registrato come testo: le sue cifre possono essere andate perse."}
}

// sqlValue is what a database stores for a personal text.
func sqlValue(t interface {
	IsZero() bool
	Reveal() string
}) (driver.Value, error) {
	if t.IsZero() {
		return nil, nil
	}
	return t.Reveal(), nil
}
