package paymentfile_test

import (
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

var benchRows = flag.Int("rows", 5_000, "rows of the files of benchmarks")

// repeated generates a head, a row many times with its number in it, and a tail, without keeping
// them in memory.
type repeated struct {
	row, tail string
	rows, n   int
	rest      string
}

func newRepeated(head, row, tail string, rows int) *repeated {
	return &repeated{row: row, tail: tail, rows: rows, rest: head}
}

func (r *repeated) Read(p []byte) (int, error) {
	for r.rest == "" {
		switch r.n++; {
		case r.n <= r.rows:
			r.rest = strings.ReplaceAll(r.row, "§", fmt.Sprintf("%09d", r.n))
		case r.n == r.rows+1:
			r.rest = r.tail
		default:
			return 0, io.EOF
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// large are files of many rows, as streams.
func large(b testing.TB, rows int) map[string]func() io.Reader {
	split := func(name, begin, end string) (head, row, tail string) {
		text := fixture(b, name)
		from, to := indexOf(b, text, begin), strings.LastIndex(text, end)+len(end)
		first := text[from : from+strings.Index(text[from:], end)+len(end)]
		return text[:from], first + "\n", text[to:]
	}
	head, row, tail := split("settlement-1.0.xml", "  <datiSingoliPagamenti>", "</datiSingoliPagamenti>")
	row = strings.NewReplacer("01000000000000101", "01000000§", "IUR0001", "IUR§", "120.00", "1.00").Replace(row)
	head = strings.NewReplacer(">4</numero", fmt.Sprintf(">%d</numero", rows), "175.00", fmt.Sprintf("%d.00", rows)).Replace(head)
	settlement := func() io.Reader { return newRepeated(head, row, tail, rows) }
	journalHead, movement, journalTail := split("journal-1.8.xml", "    <movimento_conto_evidenza>", "</movimento_conto_evidenza>")
	movement = strings.NewReplacer("<numero_documento>101", "<numero_documento>§", "F000123456", "F§", "<importo>175.00", "<importo>1.00").Replace(movement)
	total := fmt.Sprintf("entrate_conto_evidenza>%d.00<", rows)
	journalTail = strings.NewReplacer("entrate_conto_evidenza>175.00<", total, "complessivo_entrate>175.00<", fmt.Sprintf("complessivo_entrate>%d.00<", rows),
		">40.00<", ">0<", ">1135.00<", fmt.Sprintf(">%d.00<", rows+1000)).Replace(journalTail)
	return map[string]func() io.Reader{
		"settlement": settlement,
		"base64": func() io.Reader {
			r, w := io.Pipe()
			go func() {
				encoder := base64.NewEncoder(base64.StdEncoding, w)
				_, _ = io.Copy(encoder, settlement())
				_ = encoder.Close()
				_ = w.Close()
			}()
			return io.MultiReader(strings.NewReader("<Envelope><Body><nodoChiediFlussoRendicontazioneRisposta><xmlRendicontazione>"), r,
				strings.NewReader("</xmlRendicontazione></nodoChiediFlussoRendicontazioneRisposta></Body></Envelope>"))
		},
		"JSON": func() io.Reader {
			return newRepeated(`{"data": [{}`, "", "", 0).then(newRepeated("", `, {"index": 1§, "iuv": "01000000§", "iur": "IUR§", "idTransfer": 1, "pay": 1.00, "payStatus": "EXECUTED", "payDate": "2030-03-03T23:00:00Z"}`, "]}", rows-1))
		},
		"journal": func() io.Reader { return newRepeated(journalHead, movement, journalTail, rows) },
	}
}

func (r *repeated) then(next io.Reader) io.Reader { return io.MultiReader(r, next) }

// readThrough reads a file without keeping its rows. It returns the most memory in use.
func readThrough(b testing.TB, r io.Reader) (report paymentfile.Report, peak uint64) {
	file, err := paymentfile.Open(r, paymentfile.Config{})
	if err != nil {
		b.Fatal(err)
	}
	rows := 0
	watch := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
		if rows++; rows%5_000 == 0 {
			runtime.GC()
			var stats runtime.MemStats
			runtime.ReadMemStats(&stats)
			peak = max(peak, stats.HeapAlloc)
		}
	}
	switch file := file.(type) {
	case *paymentfile.SettlementFile:
		for _, err := range file.Payments() {
			watch(err)
		}
	case *paymentfile.JournalFile:
		for _, err := range file.Movements() {
			watch(err)
		}
	}
	return file.Report(), peak
}

// BenchmarkRead reads files of many rows: go test -bench Read -benchtime 1x -rows 1000000.
func BenchmarkRead(b *testing.B) {
	for name, open := range large(b, *benchRows) {
		b.Run(name, func(b *testing.B) {
			var peak uint64
			for b.Loop() {
				report, used := readThrough(b, open())
				if report.Rows != *benchRows {
					b.Fatalf("%d rows", report.Rows)
				}
				peak = max(peak, used)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*(*benchRows)), "µs/row")
			b.ReportMetric(float64(peak)/1e6, "MB-in-use")
		})
	}
}

// Only the hashes that find repeated rows take memory for each row.
func TestMemoryDoesNotGrowWithTheRows(t *testing.T) {
	const rows = 20_000
	for name, open := range large(t, rows) {
		var before runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		report, peak := readThrough(t, open())
		if report.Rows != rows || !report.Complete {
			t.Errorf("%s: %d rows", name, report.Rows)
		}
		want := 0
		if name == "JSON" {
			want = len("{}") + 3 // the first row is empty: five fields are missing
		}
		if report.NumFaults != want {
			t.Errorf("%s: %v", name, report.Faults)
		}
		// A row of the file has 400 bytes and more, so that keeping them would take 8 MB.
		if used := int64(peak) - int64(before.HeapAlloc); used > rows*100+2<<20 {
			t.Errorf("%s: %d bytes are in use", name, used)
		}
	}
}
