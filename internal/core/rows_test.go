package core_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/internal/must"
)

// row stands for an item for each word of its text; "" is not valid.
type row struct {
	number int
	text   string
	err    error // of the sequence, in its place
}

var errNoWords = errors.New("no words")

func rowsOf(rows ...row) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		for _, r := range rows {
			if !yield(r, r.err) {
				return
			}
		}
	}
}

func newImport(skipInvalid bool, maxErrors int) *core.Import[row, string, string] {
	return &core.Import[row, string, string]{
		SkipInvalid: skipInvalid, MaxErrors: maxErrors, Nothing: "niente", Report: &flussi.ImportReport{},
		Number: func(r *row) *int { return &r.number },
		Read: func(r *row, to []string) ([]string, error) {
			if r.text == "" {
				return append(to, "half read"), errNoWords
			}
			return append(to, strings.Fields(r.text)...), nil
		},
		Key: func(word *string) string { return *word },
		Duplicate: func(word *string, other int) error {
			return fmt.Errorf("%s of %d: %w", *word, other, flussi.ErrDuplicate)
		},
	}
}

// run returns the changes that come before the error, and the error.
func run(ctx context.Context, i *core.Import[row, string, string], rows iter.Seq2[row, error]) (changes []string, err error) {
	for change, err := range core.Changes(ctx, i, rows, func(word string) (string, error) {
		if word == "broken" {
			return word, errNoWords
		}
		return "+" + word, nil
	}) {
		if err != nil {
			return changes, err
		}
		changes = append(changes, change)
	}
	return changes, nil
}

func TestImportReportsEveryRowOnce(t *testing.T) {
	cells := &flussi.RowError{Row: 12, Err: errors.New("two cells")}
	unreadable, cutOff := errors.New("unreadable"), errors.New("cut off")
	for name, test := range map[string]struct {
		skip    bool
		rows    []row
		report  flussi.ImportReport
		changes []string
		fault   error
		texts   []string // of the report's errors
	}{
		"all are valid": {false, []row{{0, "a b", nil}, {0, "c", nil}}, flussi.ImportReport{Rows: 2}, []string{"+a", "+b", "+c"}, nil, nil},
		"none":          {true, nil, flussi.ImportReport{}, nil, flussi.ErrEmpty, nil},
		"one is not valid": {false, []row{{0, "a", nil}, {0, "", nil}, {0, "b", nil}, {0, "", nil}},
			flussi.ImportReport{Rows: 4, Invalid: 2}, []string{"+a"}, flussi.ErrRows, []string{"row 2: no words", "row 4: no words"}},
		"one is skipped": {true, []row{{7, "", nil}, {9, "a", nil}, {0, "", nil}},
			flussi.ImportReport{Rows: 3, Invalid: 2}, []string{"+a"}, nil, []string{"row 7: no words", "row 3: no words"}},
		"all are skipped": {true, []row{{0, "", nil}}, flussi.ImportReport{Rows: 1, Invalid: 1}, nil, flussi.ErrRows, []string{"row 1: no words"}},
		"the same word twice": {true, []row{{5, "a", nil}, {6, "b a", nil}, {8, "b", nil}, {9, "a", nil}},
			flussi.ImportReport{Rows: 4, Invalid: 2}, []string{"+a", "+b"}, nil, []string{"row 6: a of 5: duplicate", "row 9: a of 5: duplicate"}},
		"an error of the sequence with a number": {true, []row{{3, "", unreadable}, {4, "a", nil}},
			flussi.ImportReport{Rows: 2, Invalid: 1}, []string{"+a"}, nil, []string{"row 3: unreadable"}},
		"an error of the sequence without one": {true, []row{{0, "a", nil}, {0, "", cutOff}, {0, "b", nil}},
			flussi.ImportReport{Rows: 1}, []string{"+a"}, cutOff, nil},
		"a row error of the sequence": {true, []row{{0, "", cells}, {4, "a", nil}, {5, "", fmt.Errorf("sheet: %w", cells)}},
			flussi.ImportReport{Rows: 3, Invalid: 2}, []string{"+a"}, nil, []string{"row 12: two cells", "row 12: two cells"}},
		"a row error that is nil": {true, []row{{0, "a", (*flussi.RowError)(nil)}}, flussi.ImportReport{Rows: 1}, []string{"+a"}, nil, nil},
		"what cannot be created":  {false, []row{{0, "a broken b", nil}}, flussi.ImportReport{Rows: 1}, []string{"+a"}, errNoWords, nil},
	} {
		t.Run(name, func(t *testing.T) {
			i := newImport(test.skip, 100)
			changes, err := run(t.Context(), i, rowsOf(test.rows...))
			assert.Equal(t, test.changes, changes)
			assert.ErrorIs(t, err, test.fault)
			assert.Equal(t, err, i.Fault)
			assert.Equal(t, test.fault == nil, i.Complete)
			var texts []string
			for _, e := range i.Report.Errors {
				texts = append(texts, e.Error())
				if errors.Is(e, cells.Err) {
					assert.Same(t, cells, e, "passed through as it is")
				}
			}
			assert.Equal(t, test.texts, texts)
			i.Report.Errors = nil
			assert.Equal(t, test.report, *i.Report)
		})
	}
}

func TestImportOfNoSequenceIsOneWithoutRows(t *testing.T) {
	changes, err := run(t.Context(), newImport(true, 100), nil)
	assert.Empty(t, changes)
	assert.ErrorIs(t, err, flussi.ErrEmpty)
}

func TestImportLimitsTheErrorsOfItsReport(t *testing.T) {
	i := newImport(false, 2)
	_, err := run(t.Context(), i, rowsOf(row{}, row{}, row{}, row{text: "a"}))
	require.ErrorIs(t, err, flussi.ErrRows)
	assert.Equal(t, "3 righe con errori su 4: niente.", flussi.Explain(err))
	assert.Len(t, i.Report.Errors, 2)
	assert.Equal(t, 3, i.Report.Invalid)
	_, err = run(t.Context(), newImport(false, 2), rowsOf(row{}))
	assert.Equal(t, "1 riga con errori su 1: niente.", flussi.Explain(err))
}

func TestImportRefusesWhatTheStoreHas(t *testing.T) {
	i := newImport(true, 2)
	i.Stored("a")
	assert.Equal(t, []string{"+b"}, must.Get(run(t.Context(), i, rowsOf(row{text: "a"}, row{text: "b"})))(t))
	assert.Equal(t, 0, i.Report.Errors[0].Other)
	assert.Equal(t, 2, i.Row("b"))
}

func TestImportEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	i := newImport(true, 2)
	changes, err := run(ctx, i, func(yield func(row, error) bool) {
		_ = yield(row{text: "a"}, nil)
		cancel()
		assert.False(t, yield(row{text: "b"}, nil))
	})
	assert.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, []string{"+a"}, changes)
	assert.False(t, i.Complete)
}

func TestImportStopsWhenTheStoreDoes(t *testing.T) {
	i := newImport(true, 2)
	for range core.Changes(t.Context(), i, rowsOf(row{text: "a b"}, row{text: "c"}), func(word string) (string, error) { return word, nil }) {
		break
	}
	assert.Equal(t, 1, i.Report.Rows)
	assert.False(t, i.Complete)
	assert.NoError(t, i.Fault)
}
