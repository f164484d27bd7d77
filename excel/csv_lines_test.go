package excel_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/xlsxtest"
)

// encodings are functions that encode a text as programs do.
var encodings = map[string]func(string) []byte{
	"UTF-8":               func(s string) []byte { return []byte(s) },
	"byte order mark":     func(s string) []byte { return []byte("\uFEFF" + s) },
	"UTF-16 LE":           func(s string) []byte { return xlsxtest.UTF16(s, false, true) },
	"UTF-16 BE":           func(s string) []byte { return xlsxtest.UTF16(s, true, true) },
	"UTF-16 without mark": func(s string) []byte { return xlsxtest.UTF16(s, false, false) },
	"Windows-1252":        windows1252,
}

// lineEnds are the line ends of files, and how many rows a spreadsheet makes of each.
var lineEnds = map[string]int{"\n": 1, "\r\n": 1, "\r": 1, "\r\r\n": 2, "\r\r\r\n": 3}

func TestLineEndsOfCSVFiles(t *testing.T) {
	for end, rows := range lineEnds {
		for name, encode := range encodings {
			for _, last := range []string{end, "", "\r", "\r\r", end + "\r"} {
				for _, sep := range []string{"", "sep=;"} {
					t.Run(fmt.Sprintf("%q %s %q %s", end, name, last, sep), func(t *testing.T) {
						lines := []string{
							"C.F.;Oggetto;Contenuto;Riferimento",
							code + `;Perché è così;"Prima riga` + end + `seconda con ""virgolette""; e ` + content + `";primo`,
							"",
							other + `;"Oggetto di prova";` + content + `;"secondo"`,
							code + `;Oggetto di prova;` + content + `;`,
							other + `;Oggetto di prova;` + content + `;"ultimo"`,
						}
						file := strings.Join(lines, end) + last
						first := 1 // row of the header
						if sep != "" {
							file, first = sep+end+file, rows
						}
						d := whole(t, decodeCSV(template(), encode(file)))
						require.Empty(t, d.wrong, d.italian())
						assert.Equal(t, []int{first + rows, first + 3*rows, first + 4*rows, first + 5*rows}, numbers(d), "as a spreadsheet numbers the rows")
						require.Len(t, d.rows, 4)
						assert.Equal(t, "Prima riga\nseconda con \"virgolette\"; e "+content, d.rows[0].Content.Reveal())
						for i, want := range []string{"primo", "secondo", "", "ultimo"} {
							assert.Equal(t, want, d.rows[i].Reference)
						}
					})
				}
			}
		}
	}
}

// raw has kinds that accept every text unchanged, so a CR in a value would be visible.
type raw struct{ First, Last string }

func rawTemplate(t testing.TB) *excel.Template[raw] {
	plain := func() excel.Kind[string] {
		return excel.FromText(excel.Rule{Text: "testo", Example: "a", Width: 10},
			func(s string) (flussi.Reading[string], error) { return flussi.Reading[string]{Value: s}, nil }, func(s string) string { return s })
	}
	tpl, err := excel.New(excel.Config[raw]{Name: "Prova"},
		excel.NewColumn("Primo", plain(), func(r *raw) *string { return &r.First }, excel.ColumnConfig{}),
		excel.NewColumn("Ultimo", plain(), func(r *raw) *string { return &r.Last }, excel.ColumnConfig{}))
	require.NoError(t, err)
	return tpl
}

func rawRows(t testing.TB, file string) ([]raw, []int, error) {
	lines, err := excel.Collect(rawTemplate(t).DecodeCSV(t.Context(), strings.NewReader(file), int64(len(file)), nil))
	var rows []raw
	var numbers []int
	for _, line := range lines {
		rows, numbers = append(rows, line.Value), append(numbers, line.Number)
	}
	return rows, numbers, err
}

func TestValuesContainNoCarriageReturn(t *testing.T) {
	for name, c := range map[string]struct {
		file    string
		want    []raw
		numbers []int
	}{
		"doubled line ends":                 {"Primo;Ultimo\r\r\na;b\r\r\nc;d\r\r\n", []raw{{"a", "b"}, {"c", "d"}}, []int{3, 5}},
		"in quotes":                         {"Primo;Ultimo\r\r\n\"a\";\"b\"\r\r\n", []raw{{"a", "b"}}, []int{3}},
		"a doubled break in quotes":         {"Primo;Ultimo\r\r\n\"a\r\r\nx\";\"b\r\r\n\"\"y\"\"\"\r\r\nc;d", []raw{{"a\nx", "b\n\"y\""}, {"c", "d"}}, []int{3, 5}},
		"a plain break in quotes":           {"Primo;Ultimo\r\r\n\"a\r\nx\";\"b\ny\"\r\r\nc;d", []raw{{"a\nx", "b\ny"}, {"c", "d"}}, []int{3, 5}},
		"a lone CR in quotes":               {"Primo;Ultimo\n\"a\rx\";\"b\r\"\nc;d\n", []raw{{"a\nx", "b\n"}, {"c", "d"}}, []int{2, 3}},
		"two CRs in quotes":                 {"Primo;Ultimo\n\"a\r\rx\";b\nc;d\n", []raw{{"a\n\nx", "b"}, {"c", "d"}}, []int{2, 3}},
		"a lone CR at the end":              {"Primo;Ultimo\na;b\r", []raw{{"a", "b"}}, []int{2}},
		"several CRs at the end":            {"Primo;Ultimo\na;b\r\r\r", []raw{{"a", "b"}}, []int{2}},
		"a blank line of CRs":               {"Primo;Ultimo\r\na;b\r\n\r\r\nc;d\r\n", []raw{{"a", "b"}, {"c", "d"}}, []int{2, 5}},
		"only some line ends are doubled":   {"Primo;Ultimo\na;b\r\r\nc;d\r\ne;f\n", []raw{{"a", "b"}, {"c", "d"}, {"e", "f"}}, []int{2, 4, 5}},
		"CR alone":                          {"Primo;Ultimo\ra;b\rc;d\r", []raw{{"a", "b"}, {"c", "d"}}, []int{2, 3}},
		"CR alone, without the last":        {"Primo;Ultimo\ra;b\r\r\"c\";\"d\"", []raw{{"a", "b"}, {"c", "d"}}, []int{2, 4}},
		"CR alone, and LF in quotes":        {"Primo;Ultimo\r\"a\nx\";\"b\r\ny\"\rc;d\r", []raw{{"a\nx", "b\ny"}, {"c", "d"}}, []int{2, 3}},
		"a title and a separator, CR alone": {"sep=|\rTitolo\r\rPrimo|Ultimo\ra|b\r", []raw{{"a", "b"}}, []int{4}},
	} {
		t.Run(name, func(t *testing.T) {
			rows, numbers, err := rawRows(t, c.file)
			require.NoError(t, err, flussi.Explain(err))
			assert.Equal(t, c.want, rows)
			assert.Equal(t, c.numbers, numbers)
		})
	}
}

// A CR in the middle of a line may be part of a value or the end of a row, so the file is
// refused.
func TestMixedLineEndsAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		line int
	}{
		"a CR in a line":          {"Primo;Ultimo\na;b\nc\r;d\ne;f\n", 3},
		"a CR at the end of a CR": {"Primo;Ultimo\r\na;b\r\nc;d\r\re;f\r\n", 3},
		"a CR in the header":      {"Primo\r;Ultimo\na;b\n", 2},
		"LF among CRs":            {"Primo;Ultimo\ra;b\nc;d\r", 2},
		"CRLF among CRs":          {"Primo;Ultimo\ra;b\rc;d\r\n", 3},
		"a CR behind LF":          {"Primo;Ultimo\n\ra;b\n\r", 2},
		"a CR far below":          {"Primo;Ultimo\n" + strings.Repeat("a;b\n", 10_000) + "c\r;d\n", 10_002},
		"a CR behind a quote":     {"Primo;Ultimo\n\"a\nx\"\r;d\n", 3},
	} {
		for encoding, encode := range encodings {
			t.Run(name+" "+encoding, func(t *testing.T) {
				file := string(encode(c.file))
				_, _, err := rawRows(t, file)
				require.ErrorIs(t, err, excel.ErrMalformed)
				assert.Equal(t, fmt.Sprintf("Le righe del file finiscono in modi diversi: alla riga %d c'è un ritorno a capo che non è quello delle altre. "+
					"Aprire il file con Excel o LibreOffice, controllare le righe e salvarlo di nuovo come CSV.", c.line), flussi.Explain(err))
				failed := must.As[*excel.FileError](t, err)
				assert.Equal(t, excel.CSV, failed.Format)
				assert.Equal(t, c.line, failed.Row)
			})
		}
	}
}

func TestTruncationIsReportedForAllLineEnds(t *testing.T) {
	for _, end := range []string{"\n", "\r\n", "\r\r\n", "\r"} {
		for name, encode := range encodings {
			_, _, err := rawRows(t, string(encode("Primo;Ultimo"+end+"a;b"+end+"c")))
			assert.ErrorIs(t, err, excel.ErrTruncated, "%q %s", end, name)
			_, _, err = rawRows(t, string(encode("Primo;Ultimo"+end+"a;b"+end+"c"+end)))
			assert.NoError(t, err, "%q %s: a row whose last field is empty", end, name)
			_, _, err = rawRows(t, string(encode("Primo;Ultimo"+end+"a;b"+end+"c;\"d"+end)))
			assert.ErrorIs(t, err, excel.ErrTruncated, "%q %s", end, name)
			_, _, err = rawRows(t, string(encode("Primo;Ultimo"+end)))
			assert.NoError(t, err, "%q %s: a header with no rows", end, name)
		}
	}
	// Characters that have the byte of a line end in one of their bytes.
	for _, last := range []string{"Ċ", "č", "਀", "ഀ"} {
		for _, big := range []bool{false, true} {
			_, _, err := rawRows(t, string(xlsxtest.UTF16("Primo;Ultimo\na;b\n"+last, big, true)))
			assert.ErrorIs(t, err, excel.ErrTruncated, last)
		}
	}
}

// The line ends of a file do not change its values.
func TestValuesDoNotDependOnTheLineEnds(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	defer func() { t.Logf("seed %d", seed) }()
	pieces := []string{"a", "è", ";", "\n", "\"", "'", " ", ",", "\t", strings.Repeat("x", 700)}
	for range 200 {
		want := make([]raw, 1+random.IntN(40))
		value := func() string {
			var b strings.Builder
			for range random.IntN(8) {
				b.WriteString(pieces[random.IntN(len(pieces))])
			}
			return b.String() + "."
		}
		for i := range want {
			want[i] = raw{value(), value()}
		}
		for end, ends := range lineEnds {
			var file strings.Builder
			field := func(s string) string {
				if strings.ContainsAny(s, ";\n\"") || random.IntN(3) == 0 {
					return `"` + strings.ReplaceAll(strings.ReplaceAll(s, `"`, `""`), "\n", end) + `"`
				}
				return s
			}
			file.WriteString("Primo;Ultimo" + end)
			var wanted []int
			row := 1
			for _, r := range want {
				blank := random.IntN(2)
				row += ends * (1 + blank)
				wanted = append(wanted, row)
				file.WriteString(strings.Repeat(end, blank) + field(r.First) + ";" + field(r.Last) + end)
			}
			rows, numbers, err := rawRows(t, file.String())
			require.NoError(t, err, "%q", end)
			require.Equal(t, want, rows, "%q", end)
			require.Equal(t, wanted, numbers, "%q", end)
		}
	}
}

func TestAnnotatedCopiesOfDoubledLineEnds(t *testing.T) {
	file := []byte(strings.ReplaceAll("CF;Oggetto;Contenuto\n"+code+";Oggetto di prova;"+content+"\n"+code+";corto;"+content+"\n", "\n", "\r\r\n"))
	tpl := template()
	d := whole(t, decodeCSV(tpl, file))
	require.Len(t, d.wrong, 1)
	assert.Contains(t, d.italian(), "Riga 5, colonna B")
	var out bytes.Buffer
	require.NoError(t, mark(t, &out, tpl, file, d))
	copied := whole(t, decode(tpl, out.Bytes()))
	assert.Equal(t, []int{3}, numbers(copied))
	assert.Contains(t, copied.italian(), "Riga 5, colonna B")
}
