package xlsx_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/xlsx"
	"github.com/flussi-go/flussi/internal/xlsxtest"
)

// cells reads a sheet as excelize does with raw values: by reference, what is not empty.
func cells(t *testing.T, book []byte) map[string]string {
	b := must.Get(xlsx.Open(context.Background(), bytes.NewReader(book), int64(len(book)), limits))(t)
	rows := must.Get(b.Rows(0))(t)
	defer func() { require.NoError(t, rows.Close()) }()
	found := map[string]string{}
	var row xlsx.Row
	for {
		err := rows.Next(&row)
		if err == io.EOF {
			return found
		}
		require.NoError(t, err)
		for _, c := range row.Cells {
			found[xlsx.Reference(c.Column, row.Number)] = c.Text
		}
	}
}

func oracle(t *testing.T, book []byte) map[string]string {
	f := must.Get(excelize.OpenReader(bytes.NewReader(book), excelize.Options{RawCellValue: true}))(t)
	defer func() { require.NoError(t, f.Close()) }()
	rows := must.Get(f.GetRows(f.GetSheetName(0), excelize.Options{RawCellValue: true}))(t)
	found := map[string]string{}
	for r, row := range rows {
		for c, text := range row {
			if text != "" {
				found[xlsx.Reference(c+1, r+1)] = text
			}
		}
	}
	return found
}

// randomText draws a text with everything that is hard to write into XML.
func randomText(r *rand.Rand) string {
	pieces := []string{"a", "è", "😀", " ", "\n", "\t", "<", "&", ">", "\"", "'", "_", "_x0041_", "_x", "=", "0", "]]>", "1.5", "\u00a0"}
	var b strings.Builder
	for range r.IntN(12) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

// Whatever excelize writes, both read the same, cell by cell.
func TestCellsAreThoseThatTheWorkbookEngineReads(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 1))
		f := excelize.NewFile()
		for range 200 {
			ref := xlsx.Reference(1+r.IntN(60), 1+r.IntN(90))
			var err error
			switch r.IntN(6) {
			case 0:
				err = f.SetCellValue("Sheet1", ref, r.NormFloat64()*1e6)
			case 1:
				err = f.SetCellInt("Sheet1", ref, r.Int64N(1<<50))
			case 2:
				err = f.SetCellBool("Sheet1", ref, r.IntN(2) == 0)
			case 3:
				err = f.SetCellRichText("Sheet1", ref, []excelize.RichTextRun{{Text: randomText(r) + "a"}, {Text: "b" + randomText(r), Font: &excelize.Font{Bold: true}}})
			default:
				err = f.SetCellStr("Sheet1", ref, randomText(r))
			}
			require.NoError(t, err)
		}
		var buf bytes.Buffer
		require.NoError(t, f.Write(&buf))
		require.NoError(t, f.Close())
		same(t, oracle(t, buf.Bytes()), cells(t, buf.Bytes()), seed)
	}
}

// Whatever the writer writes, the workbook engine reads.
func TestWrittenCellsAreReadByTheWorkbookEngine(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 2))
		var rows bytes.Buffer
		w := xlsx.NewWriter(&rows)
		want := map[string]string{}
		number := 0
		for range 40 {
			number += 1 + r.IntN(3)
			var out []xlsx.Output
			for column := 1; column < 40; column += 1 + r.IntN(5) {
				cell := xlsx.Output{Column: column, Type: xlsx.Text, Text: randomText(r)}
				switch r.IntN(4) {
				case 0:
					cell.Type, cell.Text = xlsx.Number, fmt.Sprint(r.IntN(1000))
				case 1:
					cell.Type, cell.Text, cell.Formula = xlsx.Number, "3", `1+2&"<"`
				}
				out = append(out, cell)
				if cell.Text != "" {
					want[xlsx.Reference(column, number)] = cell.Text
				}
			}
			require.NoError(t, w.Row(number, 0, out))
		}
		require.NoError(t, w.Flush())
		book := wrap(t, rows.String())
		same(t, want, cells(t, book), seed)
		same(t, want, oracle(t, book), seed)
	}
}

func wrap(t *testing.T, rows string) []byte {
	return xlsxtest.Book(t, xlsxtest.Parts{xlsxtest.Sheet1: xlsxtest.Sheet(rows)})
}

// same compares two sheets, and shows the first cell that differs.
func same(t *testing.T, want, got map[string]string, seed uint64) {
	for ref, text := range want {
		require.Equal(t, text, got[ref], "seed %d, cell %s", seed, ref)
	}
	require.Len(t, got, len(want), "seed %d", seed)
}

// A sheet that we take whole, the workbook engine reads with the same cells, as far as
// it reads it: it drops what it does not understand without an error.
func FuzzRowsAgainstTheEngine(f *testing.F) {
	for _, rows := range []string{
		`<row r="1"><c r="A1" t="inlineStr"><is><t>a &amp; b</t></is></c><c r="C1"><v>1.5</v></c></row><row r="3"><c r="B3" t="s"><v>1</v></c></row>`,
		`<row r="2"><c r="B2" t="b"><v>1</v></c><c r="D2" t="str"><f>A1</f><v>x</v></c></row>`,
		`<row r="1"><c r="A1" t="e"><v>#N/A</v></c><c r="B1" t="inlineStr"><is><r><t>x</t></r><r><t xml:space="preserve"> y</t></r></is></c></row>`,
		`<row r="1"><c r="A1" s=""><v>NaN</v></c></row><row r="1"><c r="B1" t="inlineStr"><v>x</v><is><t>y</t></is></c></row><autoFilter ref="A1:B1"/>`,
		`<row r="1"><c r="A1"><f t="shared" ref="A1:A2" si="0">[1]Foglio1!A1</f><v>1</v></c></row><row r="2"><c r="A2"><f t="shared" si="0"/><v>2</v></c></row>`,
	} {
		f.Add(rows)
	}
	f.Fuzz(func(t *testing.T, rows string) {
		book := wrap(t, rows)
		ours, ok := tryCells(book)
		if !ok || strings.Contains(rows, "_x") { // which the engine does not resolve everywhere
			return
		}
		theirs, ok := tryOracle(book)
		if !ok {
			return
		}
		for ref, text := range ours {
			if !strings.Contains(text, theirs[ref]) {
				t.Fatalf("cell %s: %q, and the engine reads %q in %s", ref, text, theirs[ref], rows)
			}
		}
	})
}

func tryCells(book []byte) (map[string]string, bool) {
	b, err := xlsx.Open(context.Background(), bytes.NewReader(book), int64(len(book)), limits)
	if err != nil {
		return nil, false
	}
	rows, err := b.Rows(0)
	if err != nil {
		return nil, false
	}
	defer rows.Close()
	found := map[string]string{}
	var row xlsx.Row
	for {
		err := rows.Next(&row)
		if err == io.EOF {
			return found, rows.LastRow < 1000
		}
		if err != nil {
			return nil, false
		}
		for _, c := range row.Cells {
			found[xlsx.Reference(c.Column, row.Number)] = c.Text
		}
	}
}

func tryOracle(book []byte) (found map[string]string, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	f, err := excelize.OpenReader(bytes.NewReader(book), excelize.Options{RawCellValue: true})
	if err != nil {
		return nil, false
	}
	defer f.Close()
	rows, err := f.GetRows(f.GetSheetName(0), excelize.Options{RawCellValue: true})
	if err != nil {
		return nil, false
	}
	found = map[string]string{}
	for r, row := range rows {
		for c, text := range row {
			found[xlsx.Reference(c+1, r+1)] = text
		}
	}
	return found, true
}
