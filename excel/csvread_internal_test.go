package excel

import (
	"context"
	"encoding/csv"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// What encoding/csv takes, the reader takes for the same records. It refuses quotes within a text,
// and blanks around quotes, and knows no CR alone.
func FuzzCSVRecords(f *testing.F) {
	for _, seed := range []string{
		"a;b\n1;2\n", "a;\"b\nc\"\n\n\"\"\"\";;x", "\"a\"\"b\";c\n;\n\"\"", " a ; b\n", "a\n\nb;c;d\n", "è;\"😀;\"\n",
		"a;\"b\" \n", " \"a\";b\n", "5\";b\n", "\"a\"b\n", "\"a",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsRune(text, '\r') {
			return
		}
		standard := csv.NewReader(strings.NewReader(text))
		standard.Comma, standard.FieldsPerRecord = ';', -1
		want, err := standard.ReadAll()
		if err != nil {
			return
		}
		ours := newCSVReader(context.Background(), iotest.HalfReader(strings.NewReader(text)), ';', 1<<20)
		ours.buf = make([]byte, 7)
		var record csvRecord
		for _, fields := range want {
			if err := ours.next(&record); err != nil || !slices.Equal(fields, record.fields) || record.blanks > 0 {
				t.Fatalf("%q: %q, and encoding/csv reads %q (%v)", text, record.fields, fields, err)
			}
		}
		if err := ours.next(&record); err != io.EOF {
			t.Fatalf("%q: more records: %q, %v", text, record.fields, err)
		}
	})
}
