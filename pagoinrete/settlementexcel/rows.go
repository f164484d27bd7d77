package settlementexcel

import (
	"cmp"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// refusals has the errors of the rows that are not valid.
type refusals struct{ excel.RowsError }

// collect reads the valid rows of a file, and the errors of the others.
func collect[Row any](rows iter.Seq2[excel.Line[Row], error]) ([]excel.Line[Row], *refusals, error) {
	lines, err := excel.Collect(rows)
	refused := &refusals{}
	if found := (*excel.RowsError)(nil); errors.As(err, &found) {
		refused.RowsError = *found
		err = nil
	}
	return lines, refused, err
}

// add adds a row.
func (r *refusals) add(fault *flussi.RowError) {
	r.Rows = append(r.Rows, fault)
	r.Invalid++
}

// orNil returns the refused rows as an error, in their order; nil if there are none.
func (r *refusals) orNil() error {
	if r.Invalid == 0 {
		return nil
	}
	slices.SortStableFunc(r.Rows, func(a, b *flussi.RowError) int { return cmp.Compare(a.Row, b.Row) })
	return &r.RowsError
}

// refusal returns the error of a row that does not fit an earlier one.
func refusal(row, other int, header, reason string) *flussi.RowError {
	return &flussi.RowError{Row: row, Other: other, Err: excel.NewCheckError(header, reason)}
}

// dayOf returns the day of a date as the columns read it; the zero Day for none.
func dayOf(t time.Time) paymentfile.Day {
	if t.IsZero() {
		return paymentfile.Day{}
	}
	year, month, day := t.UTC().Date()
	return paymentfile.Day{Year: year, Month: month, Day: day}
}

// code is the kind of an identifier. It keeps the case, and removes the blanks around it.
func code(most int) excel.Kind[string] {
	rule := excel.Rule{Text: "al massimo " + italian.Character.Count(most), Min: 1, Max: float64(most)}
	return excel.FromText(rule, func(s string) (flussi.Reading[string], error) {
		s = strings.TrimSpace(s)
		if err := excel.CheckCharacters(s); err != nil {
			return flussi.Reading[string]{}, err
		}
		if n := utf8.RuneCountInString(s); n > most {
			return flussi.Reading[string]{}, &flussi.ValueError{Type: "Code", Err: flussi.ErrLength, Reason: italian.Length("Il codice", n, 1, most, "")}
		}
		return flussi.Reading[string]{Value: s}, nil
	}, func(s string) string { return s })
}

// reference is the kind of the reference of a payment. Wrong check digits are a doubt, not an
// error.
func reference() excel.Kind[paymentfile.Reference] {
	rule := excel.Rule{Text: "al massimo " + italian.Character.Count(paymentfile.MaxReference) + ", compresi gli zeri iniziali", Example: "01005100001400678",
		Min: 1, Max: paymentfile.MaxReference, Width: 28}
	return excel.FromText(rule, func(s string) (flussi.Reading[paymentfile.Reference], error) {
		r := flussi.Reading[paymentfile.Reference]{Value: paymentfile.NewReference(s)}
		switch err := r.Value.Check(); {
		case errors.Is(err, flussi.ErrCheckDigits):
			r.Warnings = append(r.Warnings, err)
		case err != nil:
			return flussi.Reading[paymentfile.Reference]{}, err
		}
		return r, excel.CheckCharacters(r.Value.Reveal())
	}, paymentfile.Reference.Reveal)
}

// whole is the kind of a small whole number.
func whole(least, most int64) excel.Kind[int] {
	return excel.Convert(excel.Integer(least, most), func(n int64) int { return int(n) }, func(n int) int64 { return int64(n) })
}
