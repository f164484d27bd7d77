package excel_test

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/exceltest"
	"github.com/flussi-go/flussi/internal/must"
)

type sum struct {
	what   string
	amount flussi.Cents
}

// sumSheet is a template for a sheet with a name.
func sumSheet(t *testing.T, c excel.Config[sum]) *excel.Template[sum] {
	c.Name, c.Export = "Somme", true
	return must.Get(excel.New(c,
		excel.NewColumn("Voce", excel.AnyText(1, 100), func(s *sum) *string { return &s.what }, excel.ColumnConfig{ReadOnly: true, Help: "Che cosa."}),
		excel.NewColumn("Importo", excel.Money(0, 1e9), func(s *sum) *flussi.Cents { return &s.amount }, excel.ColumnConfig{ReadOnly: true, Help: "Quanto."}),
	))(t)
}

// The first sheet sums up what the second one was given.
func TestSheetsAreWrittenFromTheLastToTheFirst(t *testing.T) {
	var total flussi.Cents
	totals := func(yield func(sum, error) bool) { yield(sum{"Totale", total}, nil) }
	rows := func(yield func(sum, error) bool) {
		for _, s := range []sum{{"a", 150}, {"b", 275}} {
			total += s.amount
			if !yield(s, nil) {
				return
			}
		}
	}
	first := sumSheet(t, excel.Config[sum]{Sheet: "Riepilogo", Intro: "Le somme.", Hints: []string{"Una regola."},
		Tones: []excel.Tone[sum]{{Color: excel.Grey, Text: "somme", Has: func(*sum) bool { return true }}}})
	second := sumSheet(t, excel.Config[sum]{Sheet: "Righe",
		Tones: []excel.Tone[sum]{{Color: excel.Red, Text: "righe grandi", Has: func(s *sum) bool { return s.amount > 200 }}}})
	var b bytes.Buffer
	require.NoError(t, excel.EncodeSheets(t.Context(), &b, excel.Book{Name: "Prova", Intro: "Due fogli.", Hints: []string{"Da leggere."}}, first.Sheet(totals), second.Sheet(rows)))
	f, _ := exceltest.Open(t, b.Bytes())
	assert.Equal(t, []string{"Riepilogo", "Righe", "Guida Rapida"}, f.GetSheetList())
	assert.Equal(t, [][]string{{"Voce", "Importo"}, {"Totale", "4.25"}}, must.Get(f.GetRows("Riepilogo"))(t))
	assert.Equal(t, [][]string{{"Voce", "Importo"}, {"a", "1.50"}, {"b", "2.75"}}, must.Get(f.GetRows("Righe"))(t))
	var guide []string
	for _, row := range must.Get(f.GetRows("Guida Rapida"))(t) {
		if len(row) > 0 {
			guide = append(guide, row[0])
		}
	}
	assert.Equal(t, []string{"Guida Rapida – Prova", "Due fogli.", "• Da leggere.",
		"Foglio «Riepilogo»", "Le somme.", "• Una regola.", "Righe grigie: somme.", "Colonna", "Voce", "Importo",
		"Foglio «Righe»", "Righe rosse: righe grandi.", "Colonna", "Voce", "Importo"}, guide)
	props := must.Get(f.GetCustomProps())(t)
	require.Len(t, props, 1)
	assert.Equal(t, "Prova, versione 1", props[0].Value)
	assert.Contains(t, exceltest.CommentIn(t, f, "Righe", "A1"), "Righe rosse: righe grandi.")

	if exceltest.HasLibreOffice() {
		saved, _ := exceltest.Open(t, exceltest.LibreOffice(t, "xlsx", "prova.xlsx", b.Bytes()))
		assert.Equal(t, f.GetSheetList(), saved.GetSheetList())
		assert.Equal(t, must.Get(f.GetRows("Righe"))(t), must.Get(saved.GetRows("Righe"))(t))
	}
}

func TestSheetsThatDoNotGoTogetherAreRefused(t *testing.T) {
	none := func(func(sum, error) bool) {}
	one := sumSheet(t, excel.Config[sum]{Sheet: "Uno"})
	other := sumSheet(t, excel.Config[sum]{Sheet: "UNO"})
	filled := must.Get(excel.New(excel.Config[sum]{Name: "Modello"},
		excel.NewColumn("Voce", excel.Text(1, 10), func(s *sum) *string { return &s.what }, excel.ColumnConfig{})))(t)
	for name, c := range map[string]struct {
		book   excel.Book
		sheets []excel.Sheet
		want   string
	}{
		"no name":     {excel.Book{Name: " "}, []excel.Sheet{one.Sheet(none)}, "Book.Name is empty"},
		"version":     {excel.Book{Name: "A", Version: -1}, []excel.Sheet{one.Sheet(none)}, "Book.Version is -1"},
		"no sheets":   {excel.Book{Name: "A"}, nil, "there are no sheets"},
		"zero sheet":  {excel.Book{Name: "A"}, []excel.Sheet{{}}, "sheet 1 was not made by Template.Sheet"},
		"same name":   {excel.Book{Name: "A"}, []excel.Sheet{one.Sheet(none), other.Sheet(none)}, `sheet 2 has the name "UNO" of another one`},
		"to fill in":  {excel.Book{Name: "A"}, []excel.Sheet{filled.Sheet(none)}, `sheet 1 "Dati" is no export`},
		"many things": {excel.Book{Version: -1}, nil, "Book.Name is empty; Book.Version is -1; there are no sheets"},
	} {
		err := excel.EncodeSheets(t.Context(), io.Discard, c.book, c.sheets...)
		assert.ErrorIs(t, err, flussi.ErrConfig, name)
		assert.ErrorContains(t, err, c.want, name)
	}
}

func TestSheetsEndWithTheSequencesError(t *testing.T) {
	down := errors.New("database down")
	fails := func(yield func(sum, error) bool) { yield(sum{}, down) }
	var pulled iter.Seq2[sum, error] = func(func(sum, error) bool) { assert.Fail(t, "pulled after an error") }
	one, two := sumSheet(t, excel.Config[sum]{Sheet: "Uno"}), sumSheet(t, excel.Config[sum]{Sheet: "Due"})
	assert.Equal(t, down, excel.EncodeSheets(t.Context(), io.Discard, excel.Book{Name: "A"}, one.Sheet(pulled), two.Sheet(fails)))
}
