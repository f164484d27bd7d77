package excel_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi/excel"
)

const benchRows = 100_000

func BenchmarkDecode(b *testing.B) {
	t := template()
	inline := encode(b, t, generate(benchRows))
	for name, data := range map[string][]byte{"inline": inline} {
		b.Run(name+"/ours", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				for _, err := range t.Decode(context.Background(), bytes.NewReader(data), int64(len(data)), nil) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
				require.Equal(b, benchRows, n)
			}
			b.ReportMetric(benchRows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
		b.Run(name+"/excelize", func(b *testing.B) {
			for b.Loop() {
				f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{RawCellValue: true})
				require.NoError(b, err)
				rows, err := f.Rows("Dati")
				require.NoError(b, err)
				for rows.Next() {
					_, err := rows.Columns()
					require.NoError(b, err)
				}
				f.Close()
			}
			b.ReportMetric(benchRows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	t := template()
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			require.NoError(b, t.Encode(context.Background(), io.Discard, generate(benchRows)))
		}
		b.ReportMetric(benchRows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("excelize", func(b *testing.B) {
		for b.Loop() {
			f := excelize.NewFile()
			sw, err := f.NewStreamWriter("Sheet1")
			require.NoError(b, err)
			i := 0
			for n := range generate(benchRows) {
				i++
				require.NoError(b, sw.SetRow(fmt.Sprintf("A%d", i), []any{n.Recipient.Reveal(), n.Subject, n.Content.Reveal(), n.Due, float64(n.Amount) / 100, n.Number.Reveal(), n.Late, n.Priority, n.Channel, n.Reference}))
			}
			require.NoError(b, sw.Flush())
			require.NoError(b, f.Write(io.Discard))
			f.Close()
		}
		b.ReportMetric(benchRows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}

var _ = excel.Workbook
