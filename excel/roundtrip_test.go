package excel_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/xlsxtest"
)

func zipOf(t *testing.T, names ...string) string {
	parts := xlsxtest.Parts{}
	for _, name := range names {
		parts[name] = "x"
	}
	return string(xlsxtest.Pack(t, parts))
}

// randomRow draws a row that keeps to the rules of the columns.
func randomRow(r *rand.Rand) notice {
	pieces := []string{"a", "è", "e\u0300", "😀", " ", "\n", "<", "&", "\"", "'", "_x0041_", "_x", "=1+1", "+", "-", "@", "0", "1.5", "\u00a0", ";", ",", "\t"}
	text := func(least, most int) string {
		var b strings.Builder
		b.WriteString([]string{"=", "+", "-", "@", "a", "'", "è"}[r.IntN(7)])
		length := least + r.IntN(most-least-20)
		for len(b.String()) < 2*length {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		runes := []rune(b.String())
		for flussi.NewText(string(runes)).Length() > most {
			runes = runes[:len(runes)-1]
		}
		for flussi.NewText(string(runes)).Length() < least {
			runes = append(runes, 'z')
		}
		return string(runes)
	}
	n := notice{Recipient: fiscalCode(r.IntN(1e6)), Subject: text(10, 120), Content: flussi.NewText(text(120, 600)), Late: r.IntN(2) == 0, Priority: r.Int64N(10)}
	if r.IntN(2) == 0 {
		n.Amount, n.Number = flussi.Cents(1+r.Int64N(9_999_999_999)), noticeNumber(r.IntN(1e6))
	}
	if r.IntN(2) == 0 {
		n.Due, _ = flussi.EndOfDay(1901+r.IntN(8000), time.Month(1+r.IntN(12)), 1+r.IntN(28))
	}
	if r.IntN(2) == 0 {
		n.Channel, n.Reference = []string{"io", "desk"}[r.IntN(2)], text(1, 40)
	}
	return n
}

// What is written is read back as it was, also by way of the workbook engine.
func TestRowsComeBackAsTheyWere(t *testing.T) {
	tpl := template()
	for seed := range uint64(25) {
		r := rand.New(rand.NewPCG(seed, 3))
		rows := make([]notice, 1+r.IntN(40))
		for i := range rows {
			rows[i] = randomRow(r)
		}
		file := encode(t, tpl, excel.Rows(slices.Values(rows)))
		for name, data := range map[string][]byte{"written": file, "saved by the workbook engine": resave(t, file)} {
			d := decode(tpl, data)
			require.NoError(t, d.err, "seed %d", seed)
			require.Empty(t, d.wrong, "seed %d", seed)
			require.Equal(t, rows, d.rows, "%s, seed %d", name, seed)
			assert.Equal(t, 1, d.report.Totals)
			assert.Equal(t, "Notifiche, versione 1", d.report.Template.Reveal())
			assert.False(t, d.report.Outdated)
		}
	}
}

// resave lets excelize read a workbook and write it anew.
func resave(t *testing.T, data []byte, change ...func(*excelize.File)) []byte {
	f := must.Get(excelize.OpenReader(bytes.NewReader(data)))(t)
	defer func() { require.NoError(t, f.Close()) }()
	for _, c := range change {
		c(f)
	}
	require.NoError(t, f.SetCellStr(excelGuide, "H1", "x"))
	_, err := f.GetRows("Dati") // parses the sheet, so that it is written from what was read
	require.NoError(t, err)
	require.NoError(t, f.SetCellStr("Dati", "Z1", ""))
	var buf bytes.Buffer
	require.NoError(t, f.Write(&buf))
	return buf.Bytes()
}

const excelGuide = "Guida Rapida"

func TestTextNeverBecomesAFormula(t *testing.T) {
	var n notice
	n.Subject, n.Reference = `=HYPERLINK("http://example.org")`, "@SUM(1)"
	file := encode(t, template(), excel.Rows(slices.Values([]notice{n})))
	f := must.Get(excelize.OpenReader(bytes.NewReader(file)))(t)
	for ref, want := range map[string]string{"B2": n.Subject, "J2": n.Reference} {
		assert.Empty(t, must.Get(f.GetCellFormula("Dati", ref))(t))
		assert.Equal(t, want, must.Get(f.GetCellValue("Dati", ref))(t))
		assert.Equal(t, excelize.CellTypeInlineString, must.Get(f.GetCellType("Dati", ref))(t))
		id := must.Get(f.GetCellStyle("Dati", ref))(t)
		assert.Equal(t, 49, must.Get(f.GetStyle(id))(t).NumFmt, "text, so that editing the cell does not make it one either")
	}
}

func TestTotalsStandBelow(t *testing.T) {
	tpl := template()
	file := encode(t, tpl, generate(100))
	f := must.Get(excelize.OpenReader(bytes.NewReader(file)))(t)
	for ref, want := range map[string]string{"A102": "Totale", "E102": "50.5"} {
		assert.Equal(t, want, strings.TrimSuffix(must.Get(f.GetCellValue("Dati", ref, excelize.Options{RawCellValue: true}))(t), "0"))
	}
	assert.Equal(t, "SUM(E2:E101)", must.Get(f.GetCellFormula("Dati", "E102"))(t))
	d := decode(tpl, file)
	assert.Len(t, d.rows, 100)
	assert.Equal(t, 1, d.report.Totals)
	assert.Equal(t, 0, decode(tpl, encode(t, tpl, generate(0))).report.Totals)
}

func TestWhatNoCellCanHoldIsRefused(t *testing.T) {
	tpl := template()
	reason := errors.New("the store is gone")
	for name, c := range map[string]struct {
		change func(*notice)
		err    error
		place  string
	}{
		"text too long":       {func(n *notice) { n.Subject = strings.Repeat("a", 32_768) }, flussi.ErrLength, "B3"},
		"emoji too many":      {func(n *notice) { n.Subject = strings.Repeat("😀", 16_384) }, flussi.ErrLength, "B3"},
		"not UTF-8":           {func(n *notice) { n.Content = flussi.NewText("a\xE8") }, flussi.ErrCharacter, "C3"},
		"choice that is none": {func(n *notice) { n.Channel = "pigeon" }, excel.ErrCellType, "I3"},
		"sum too large":       {func(n *notice) { n.Amount = 1 << 50 }, flussi.ErrRange, "E3"},
	} {
		t.Run(name, func(t *testing.T) {
			err := tpl.Encode(t.Context(), io.Discard, func(yield func(notice, error) bool) {
				var n notice
				if yield(n, nil) {
					c.change(&n)
					yield(n, nil)
				}
			})
			require.ErrorIs(t, err, c.err)
			cell := must.As[*excel.CellError](t, err)
			assert.Equal(t, c.place, fmt.Sprintf("%s%d", cell.Column, cell.Row))
			assert.NotContains(t, err.Error(), "pigeon")
		})
	}
	t.Run("an error of the rows", func(t *testing.T) {
		err := tpl.Encode(t.Context(), io.Discard, func(yield func(notice, error) bool) { yield(notice{}, reason) })
		require.Equal(t, reason, err)
	})
	t.Run("an error of the writer", func(t *testing.T) {
		require.ErrorIs(t, tpl.Encode(t.Context(), failing{reason}, generate(10)), reason)
		require.ErrorIs(t, tpl.Blank(t.Context(), failing{reason}), reason)
	})
	t.Run("a context that ends", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(reason)
		require.ErrorIs(t, tpl.Encode(ctx, io.Discard, generate(10)), reason)
		require.ErrorIs(t, tpl.Blank(ctx, io.Discard), reason)
	})
	t.Run("text of 32,767 characters", func(t *testing.T) {
		var n notice
		n.Subject = strings.Repeat("a", 32_767)
		require.NoError(t, tpl.Encode(t.Context(), io.Discard, excel.Rows(slices.Values([]notice{n}))))
	})
}

func TestASheetHasSoManyRows(t *testing.T) {
	tpl := excel.MustNew(excel.Config[bool]{Name: "Prova"}, excel.NewColumn("Valore", excel.Text(1, 9), func(*bool) *string { return new(string) }, excel.ColumnConfig{}))
	rows := func(n int) func(func(bool, error) bool) {
		return func(yield func(bool, error) bool) {
			for range n {
				if !yield(true, nil) {
					return
				}
			}
		}
	}
	require.NoError(t, tpl.Encode(t.Context(), io.Discard, rows(1_048_575)))
	require.ErrorIs(t, tpl.Encode(t.Context(), io.Discard, rows(1_048_576)), excel.ErrLimit)
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// Wherever a file is cut off, it is refused, and no row that was read before is wrong.
func TestACutOffFileIsNeverAShortOne(t *testing.T) {
	tpl := template()
	file := encode(t, tpl, generate(300))
	for i := range 200 {
		size := 1 + (len(file)-2)*i/199
		d := decode(tpl, file[:size])
		require.Error(t, d.err, "cut at byte %d of %d", size, len(file))
		require.False(t, d.report.Complete)
		require.True(t, errors.Is(d.err, excel.ErrTruncated) || errors.Is(d.err, excel.ErrFormat) || errors.Is(d.err, excel.ErrMalformed), "cut at byte %d: %v", size, d.err)
	}
	t.Run("in the XML of the sheet", func(t *testing.T) {
		parts := xlsxtest.Unpack(t, file)
		sheet := parts[xlsxtest.Sheet1]
		for i := range 200 {
			size := 1 + (len(sheet)-2)*i/199
			parts[xlsxtest.Sheet1] = sheet[:size]
			d := decode(tpl, xlsxtest.Pack(t, parts))
			require.ErrorIs(t, d.err, excel.ErrTruncated, "cut at byte %d of %d", size, len(sheet))
			require.ErrorContains(t, d.err, "worksheet 1")
			require.Empty(t, d.wrong)
		}
	})
	t.Run("with a byte changed", func(t *testing.T) {
		r := rand.New(rand.NewPCG(7, 7))
		for range 200 {
			broken := slices.Clone(file)
			at := sheetAt(t, file) + r.IntN(2000)
			broken[at] ^= byte(1 + r.IntN(255))
			d := decode(tpl, broken)
			if d.err == nil {
				assert.Equal(t, 300, len(d.rows)+len(d.wrong), "byte %d", at)
			}
			require.Error(t, d.err, "byte %d: the checksum of the part", at)
		}
	})
}

// sheetAt returns where the packed rows begin.
func sheetAt(t *testing.T, file []byte) int {
	z := must.Get(zip.NewReader(bytes.NewReader(file), int64(len(file))))(t)
	for _, f := range z.File {
		if f.Name == xlsxtest.Sheet1 {
			at := must.Get(f.DataOffset())(t)
			return int(at)
		}
	}
	t.Fatal("no sheet")
	return 0
}

// A formatted tail down to the last row of a sheet costs time, and no memory.
func TestAFormattedTailCostsNoMemory(t *testing.T) {
	var rows strings.Builder
	rows.WriteString(goodRows)
	for i := 3; i <= 1_048_576; i++ {
		fmt.Fprintf(&rows, `<row r="%d" s="1" customFormat="1"><c r="A%d" s="1"/></row>`, i, i)
	}
	file := book(t, rows.String())
	rows.Reset()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	d := decode(template(), file)
	runtime.ReadMemStats(&after)
	require.NoError(t, d.err)
	assert.Len(t, d.rows, 1)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20), "bytes allocated in all")
}
