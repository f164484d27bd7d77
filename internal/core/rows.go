package core

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
)

// Import takes in the rows of a sequence. A row is one or more items, and no two items may have the
// same key.
type Import[Row, Item any, Key comparable] struct {
	SkipInvalid bool   // the valid rows are stored although others are not valid
	MaxErrors   int    // that the report lists
	Nothing     string // that nothing was stored, in Italian: "nessuna notifica è stata importata"

	Number    func(*Row) *int                    // where a row has its number, 0 for none
	Read      func(*Row, []Item) ([]Item, error) // appends the items of a row, or says what is wrong with it
	Key       func(*Item) Key                    // of an item
	Duplicate func(item *Item, other int) error  // that another row, 0 for the store, has the item's key

	Report   *flussi.ImportReport // of the rows read so far
	Complete bool                 // all rows were read, and they may be stored
	Fault    error                // why nothing may be stored, which a store may wrap
	rows     map[Key]int          // the row of each key
}

// Numbered returns drafts as the rows of a sequence, numbered from 1.
func Numbered[Draft, Row any](drafts []Draft, row func(number int, draft Draft) Row) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for i, draft := range drafts {
			if !yield(row(i+1, draft), nil) {
				return
			}
		}
	}
}

// DefaultMaxErrors is how many invalid rows a report lists unless the caller says otherwise.
const DefaultMaxErrors = 1000

// Stored notes that the store has the item of a key already.
func (i *Import[Row, Item, Key]) Stored(key Key) { i.add(key, 0) }

// Row returns the number of the row whose item has the key.
func (i *Import[Row, Item, Key]) Row(key Key) int { return i.rows[key] }

func (i *Import[Row, Item, Key]) add(key Key, row int) {
	if i.rows == nil {
		i.rows = map[Key]int{}
	}
	i.rows[key] = row
}

// Changes returns the changes that are to be stored, one for each item, and makes the report on the
// way. If nothing is to be stored, the last element is the error that says so, the Fault. An error
// of the sequence belongs to its row if it is a [*flussi.RowError], which the report has as it is,
// or if its row has a number; any other one ends the import. After the first row that is not valid
// the others are read on, for their errors.
func Changes[Row, Item, Change any, Key comparable](ctx context.Context, i *Import[Row, Item, Key], rows iter.Seq2[Row, error],
	create func(Item) (Change, error)) iter.Seq2[Change, error] {
	if rows == nil {
		rows = func(func(Row, error) bool) {}
	}
	return func(yield func(Change, error) bool) {
		refuse := func(err error) {
			i.Fault = err
			var none Change
			yield(none, err)
		}
		var row Row // one for all, since its address leaves this function
		var items []Item
		for next, err := range rows {
			row = next
			if ctx.Err() != nil {
				refuse(ctx.Err())
				return
			}
			if items, err = i.take(&row, err, items[:0]); err != nil {
				refuse(err)
				return
			}
			for _, item := range items {
				change, err := create(item)
				if err != nil {
					refuse(err)
					return
				}
				if !yield(change, nil) {
					return
				}
			}
		}
		if err := i.end(); err != nil {
			refuse(err)
		}
	}
}

// take counts a row, or the error in its place, and appends its items if they are to be stored. Its
// error ends the import.
func (i *Import[Row, Item, Key]) take(row *Row, err error, to []Item) ([]Item, error) {
	number := i.Number(row)
	var wrong *flussi.RowError
	switch {
	case errors.As(err, &wrong):
		if wrong == nil { // a nil pointer in place of no error
			err = nil
		}
	case err != nil && *number == 0:
		return to, err
	}
	i.Report.Rows++
	if *number == 0 {
		*number = i.Report.Rows
	}
	items := to
	if wrong == nil {
		items, wrong = i.read(row, *number, err, to)
	}
	if wrong != nil {
		i.Report.Invalid++
		if len(i.Report.Errors) < i.MaxErrors {
			i.Report.Errors = append(i.Report.Errors, wrong)
		}
		return to, nil
	}
	if i.Report.Invalid > 0 && !i.SkipInvalid {
		return to, nil // only the errors of the others are wanted now
	}
	return items, nil
}

// read appends the items of a row, or returns what is wrong with it. err is the sequence's.
func (i *Import[Row, Item, Key]) read(row *Row, number int, err error, to []Item) ([]Item, *flussi.RowError) {
	items := to
	if err == nil {
		items, err = i.Read(row, to)
	}
	if err != nil {
		return to, &flussi.RowError{Row: number, Err: err}
	}
	for n := range items {
		if other, twice := i.rows[i.Key(&items[n])]; twice {
			return to, &flussi.RowError{Row: number, Other: other, Err: i.Duplicate(&items[n], other)}
		}
	}
	for n := range items {
		i.add(i.Key(&items[n]), number)
	}
	return items, nil
}

// end returns why nothing is stored although all rows were read, or nil.
func (i *Import[Row, Item, Key]) end() error {
	switch invalid := i.Report.Invalid; {
	case i.Report.Rows == 0:
		return &flussi.ValueError{Type: "Rows", Err: flussi.ErrEmpty, Reason: "Non ci sono righe da importare."}
	case invalid > 0 && !i.SkipInvalid, invalid == i.Report.Rows:
		return &flussi.Error{Err: flussi.ErrRows, Reason: fmt.Sprintf("%s su %s: %s.",
			italian.Count(invalid, "riga con errori", "righe con errori"), italian.Number(i.Report.Rows), i.Nothing)}
	}
	i.Complete = true
	return nil
}
