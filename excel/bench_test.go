package excel_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/xlsxtest"
)

// The sizes that documents speak of are those of -rows 100000.
var benchRows = flag.Int("rows", 5_000, "how many rows the benchmarks read and write")

// held makes rows beforehand, so that making them is not measured.
func held(n int, change func(*notice)) []notice {
	rows := make([]notice, 0, n)
	for row := range generate(n) {
		if change != nil {
			change(&row)
		}
		rows = append(rows, row)
	}
	return rows
}

// shareStrings makes the inline strings of a workbook shared ones.
func shareStrings(tb testing.TB, file []byte) []byte {
	parts := xlsxtest.Unpack(tb, file)
	inline := regexp.MustCompile(`t="inlineStr"><is><t[^>]*>([^<]*)</t></is>`)
	known := map[string]int{}
	texts := regexp.MustCompile(`<si>.*?</si>`).FindAllString(parts[xlsxtest.Strings], -1) // of the header
	parts[xlsxtest.Sheet1] = inline.ReplaceAllStringFunc(parts[xlsxtest.Sheet1], func(s string) string {
		text := inline.FindStringSubmatch(s)[1]
		i, ok := known[text]
		if !ok {
			i = len(texts)
			known[text] = i
			texts = append(texts, `<si><t xml:space="preserve">`+text+`</t></si>`)
		}
		return fmt.Sprintf(`t="s"><v>%d</v>`, i)
	})
	parts[xlsxtest.Strings] = fmt.Sprintf(`<sst %s uniqueCount="%d">%s</sst>`, xlsxtest.Namespace, len(texts), strings.Join(texts, ""))
	return xlsxtest.Pack(tb, parts)
}

// inTurns measures two ways of doing the same in turns, and reports the rows per
// second of the first and how many times faster it is than the second.
func inTurns(b *testing.B, rows int, ours, theirs func()) {
	var mine, other []time.Duration
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.ReadMemStats(&before)
		begun := time.Now()
		ours()
		between := time.Now()
		runtime.ReadMemStats(&after)
		theirs()
		mine, other = append(mine, between.Sub(begun)), append(other, time.Since(between))
	}
	slices.Sort(mine)
	slices.Sort(other)
	a, z := mine[len(mine)/2], other[len(other)/2]
	b.ReportMetric(float64(rows)/a.Seconds(), "rows/s")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(rows), "B/row")
	b.ReportMetric(z.Seconds()/a.Seconds(), "x-excelize")
	b.ReportMetric(0, "ns/op")
}

func decodeAll(b *testing.B, t *excel.Template[notice], file []byte) {
	n := 0
	for _, err := range t.Decode(b.Context(), bytes.NewReader(file), int64(len(file)), nil) {
		if err != nil {
			b.Fatal(err)
		}
		n++
	}
	if n != *benchRows {
		b.Fatal(n)
	}
}

func excelizeAll(b *testing.B, file []byte) {
	f := must.Get(excelize.OpenReader(bytes.NewReader(file), excelize.Options{RawCellValue: true}))(b)
	rows := must.Get(f.Rows("Dati"))(b)
	n := 0
	for rows.Next() {
		must.Get(rows.Columns())(b)
		n++
	}
	require.GreaterOrEqual(b, n, *benchRows)
	require.NoError(b, f.Close())
}

// Decode into typed rows with all checks, against the engine's rows of raw strings.
func BenchmarkDecode(b *testing.B) {
	t := template()
	letter := flussi.NewText(strings.Repeat("Gentile famiglia, la retta si può pagare dall'app. ", 3))
	same := func(n *notice) { n.Content = letter }
	distinct := encode(b, t, excel.Rows(slices.Values(held(*benchRows, nil))))
	oneLetter := encode(b, t, excel.Rows(slices.Values(held(*benchRows, same))))
	for _, c := range []struct {
		name string
		file []byte
	}{
		{"inline/one text for all", oneLetter},
		{"inline/a text for each", distinct},
		{"shared/one text for all", shareStrings(b, oneLetter)},
		{"shared/a text for each", shareStrings(b, distinct)},
	} {
		b.Run(c.name, func(b *testing.B) {
			inTurns(b, *benchRows, func() { decodeAll(b, t, c.file) }, func() { excelizeAll(b, c.file) })
		})
	}
}

// Encode against the engine's writer of rows.
func BenchmarkEncode(b *testing.B) {
	t := template()
	rows := held(*benchRows, nil)
	inTurns(b, *benchRows, func() {
		require.NoError(b, t.Encode(b.Context(), io.Discard, excel.Rows(slices.Values(rows))))
	}, func() {
		f := excelize.NewFile()
		w := must.Get(f.NewStreamWriter("Sheet1"))(b)
		date := must.Get(f.NewStyle(&excelize.Style{NumFmt: 14}))(b)
		for i, n := range rows {
			require.NoError(b, w.SetRow(fmt.Sprintf("A%d", i+1), []any{
				n.Recipient.Reveal(), n.Subject, n.Content.Reveal(), excelize.Cell{StyleID: date, Value: n.Due}, float64(n.Amount) / 100,
				n.Number.Reveal(), n.Late, n.Priority, n.Channel, n.Reference,
			}))
		}
		require.NoError(b, w.Flush())
		require.NoError(b, f.Write(io.Discard))
		require.NoError(b, f.Close())
	})
}

// Ten times -rows, such as a million, go through with little memory. The benchmark fails if it is
// more.
func BenchmarkMemory(b *testing.B) {
	const most = 64 << 20
	rows := 10 * *benchRows
	t := template()
	peak := func(run func(tick func())) float64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		base, highest, n := m.HeapInuse, m.HeapInuse, 0
		run(func() {
			if n++; n%10_000 == 0 {
				runtime.ReadMemStats(&m)
				highest = max(highest, m.HeapInuse)
			}
		})
		return float64(highest - base)
	}
	ticking := func(rows iter.Seq2[notice, error], tick func()) iter.Seq2[notice, error] {
		return func(yield func(notice, error) bool) {
			for row, err := range rows {
				tick()
				if !yield(row, err) {
					return
				}
			}
		}
	}
	file := must.Get(os.CreateTemp(b.TempDir(), "*.xlsx"))(b)
	defer file.Close()
	for b.Loop() {
		require.NoError(b, file.Truncate(0))
		must.Get(file.Seek(0, io.SeekStart))(b)
		writing := peak(func(tick func()) {
			require.NoError(b, t.Encode(b.Context(), file, ticking(generate(rows), tick)))
		})
		info := must.Get(file.Stat())(b)
		read := 0
		reading := peak(func(tick func()) {
			for _, err := range t.Decode(b.Context(), file, info.Size(), nil) {
				require.NoError(b, err)
				read++
				tick()
			}
		})
		require.Equal(b, rows, read)
		b.ReportMetric(writing/(1<<20), "encode-MiB")
		b.ReportMetric(reading/(1<<20), "decode-MiB")
		b.ReportMetric(0, "ns/op")
		if writing > most || reading > most {
			b.Fatalf("%.0f and %.0f bytes, more than %d", writing, reading, most)
		}
	}
}
