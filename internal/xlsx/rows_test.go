package xlsx_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/xlsx"
	"github.com/flussi-go/flussi/internal/xlsxtest"
)

var limits = xlsx.Limits{Unpacked: 64 << 20, Strings: 16 << 20, Columns: 256, Cell: xlsx.MaxText}

// read reads all rows of a sheet, each as "number: column=type format text …".
func read(book []byte, sheet int, l xlsx.Limits) (rows []string, merges []xlsx.Range, err error) {
	b, err := xlsx.Open(context.Background(), bytes.NewReader(book), int64(len(book)), l)
	if err != nil {
		return nil, nil, err
	}
	r, err := b.Rows(sheet)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	var row xlsx.Row
	for {
		switch err := r.Next(&row); {
		case err == io.EOF:
			return rows, r.Merges, nil
		case err != nil:
			return rows, nil, err
		}
		text := fmt.Sprint(row.Number)
		if row.Hidden {
			text += " hidden"
		}
		for _, c := range row.Cells {
			text += fmt.Sprintf(" | %s %d/%d %q", xlsx.ColumnName(c.Column), c.Type, c.Format, c.Text)
		}
		rows = append(rows, text)
	}
}

func TestCellsAreReadAsTheyStand(t *testing.T) {
	for name, c := range map[string]struct{ rows, want string }{
		"number":                       {`<row r="1"><c r="A1"><v>19.99</v></c></row>`, `1 | A 2/0 "19.99"`},
		"number with a type and space": {`<row r="1"><c r="A1" t="n"><v> 4 </v></c></row>`, `1 | A 2/0 "4"`},
		"date":                         {`<row r="1"><c r="B1" s="2"><v>45716</v></c></row>`, `1 | B 2/1 "45716"`},
		"shared string":                {`<row r="1"><c r="A1" t="s"><v>0</v></c></row>`, `1 | A 1/0 "primo"`},
		"rich text without phonetics":  {`<row r="1"><c r="A1" t="s"><v>1</v></c></row>`, `1 | A 1/0 "secondo"`},
		"inline string":                {`<row r="1"><c r="A1" t="inlineStr"><is><t xml:space="preserve"> a &amp; b&#10;</t></is></c></row>`, `1 | A 1/0 " a & b\n"`},
		"inline rich text":             {`<row r="1"><c r="A1" t="inlineStr"><is><r><t>a</t></r><r><rPr/><t>b</t></r></is></c></row>`, `1 | A 1/0 "ab"`},
		"formula with a text":          {`<row r="1"><c r="A1" t="str"><f>"a"&amp;"b"</f><v>ab</v></c></row>`, `1 | A 1/0 "ab"`},
		"formula with a number":        {`<row r="1"><c r="A1"><f>1+1</f><v>2</v></c></row>`, `1 | A 2/0 "2"`},
		"formula without a value":      {`<row r="1"><c r="A1"><f>1+1</f></c></row>`, `1 | A 6/0 ""`},
		"text formula without a value": {`<row r="1"><c r="A1" t="str"><f>UPPER("a")</f></c></row>`, `1 | A 6/0 ""`},
		"row of no height":             {`<row r="1" ht="0" customHeight="1"><c r="A1"><v>1</v></c></row>`, `1 hidden | A 2/0 "1"`},
		"attributes of others":         {`<row r="1" z:hidden="1"><c r="A1" z:t="s" z:r="B9"><v>1</v></c></row>`, `1 | A 2/0 "1"`},
		"comment without text":         {`<!----><row r="1"><c r="A1"><v>1</v></c></row>`, `1 | A 2/0 "1"`},
		"formula with an empty text":   {`<row r="1"><c r="A1" t="str"><f>""</f><v></v></c><c r="B1"><v>1</v></c></row>`, `1 | B 2/0 "1"`},
		"error":                        {`<row r="1"><c r="A1" t="e"><v>#N/A</v></c></row>`, `1 | A 5/0 "#N/A"`},
		"truth value":                  {`<row r="1"><c r="A1" t="b"><v>true</v></c><c r="B1" t="b"><v>0</v></c></row>`, `1 | A 3/0 "1" | B 3/0 "0"`},
		"date in ISO 8601":             {`<row r="1"><c r="A1" t="d"><v>2025-02-28T00:00:00</v></c></row>`, `1 | A 4/0 "2025-02-28T00:00:00"`},
		"escapes":                      {`<row r="1"><c r="A1" t="inlineStr"><is><t>a_x000D_b_x005F_x000D_ _xD83D__xDE00_ _xD83D_ _x00zz_</t></is></c></row>`, `1 | A 1/0 "a\rb_x000D_ 😀 _xD83D_ _x00zz_"`},
		"line ends":                    {"<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>a\r\nb\rc</t></is></c></row>", `1 | A 1/0 "a\nb\nc"`},
		"CDATA and comments":           {`<row r="1"><!-- <c> --><c r="A1" t="inlineStr"><is><t>a<![CDATA[<&>]]>b<!-- x -->c</t></is></c></row>`, `1 | A 1/0 "a<&>bc"`},
		"without references":           {`<row><c><v>1</v></c><c/><c><v>3</v></c></row><row><c><v>4</v></c></row>`, "1 | A 2/0 \"1\" | C 2/0 \"3\"\n2 | A 2/0 \"4\""},
		"gaps":                         {`<row r="3"><c r="AB3"><v>1</v></c></row><row r="1048576"><c r="A1048576"><v>2</v></c></row>`, "3 | AB 2/0 \"1\"\n1048576 | A 2/0 \"2\""},
		"hidden row":                   {`<row r="1" hidden="1"><c r="A1"><v>1</v></c></row><row r="2" hidden="false"><c r="A2"><v>1</v></c></row>`, "1 hidden | A 2/0 \"1\"\n2 | A 2/0 \"1\""},
		"formatted but empty":          {`<row r="1" s="1" customFormat="1"><c r="A1" s="1"/><c r="B1" s="1"></c></row>`, ""},
		"extension in a cell":          {`<row r="1"><c r="A1"><v>1</v><extLst><ext><v>9</v></ext></extLst></c></row>`, `1 | A 2/0 "1"`},
		"quotes with brackets":         {`<row r='1' spans="1:1" x="a>b"><c r='A1'><v>1</v></c></row>`, `1 | A 2/0 "1"`},
		"numbers that are none":        {`<row r="1"><c r="A1"><v>NaN</v></c><c r="B1"><v>-INF</v></c><c r="C1"><v>12,5</v></c><c r="D1" t="b"><v>2</v></c></row>`, `1 | A 7/0 "NaN" | B 7/0 "-INF" | C 7/0 "12,5" | D 7/0 "2"`},
		"style that is empty":          {`<row r="1"><c r="A1" s=""><v>4</v></c></row>`, `1 | A 2/0 "4"`},
		"value behind an inline one":   {`<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is><v>b</v></c></row>`, `1 | A 1/0 "a"`},
		"value before an inline one":   {`<row r="1"><c r="A1" t="inlineStr"><v>b</v><is><t>a</t></is></c></row>`, `1 | A 1/0 "a"`},
		"row element for each cell":    {`<row r="1"><c r="A1"><v>1</v></c></row> <row r="1" hidden="1"><c r="B1"><v>2</v></c></row><row r="1"/><row r="2"><c r="A2"><v>3</v></c></row>`, "1 hidden | A 2/0 \"1\" | B 2/0 \"2\"\n2 | A 2/0 \"3\""},
		"row element that is empty":    {`<row r="1"/><row r="1"><c r="B1"><v>2</v></c></row>`, `1 | B 2/0 "2"`},
		"filter among the rows":        {`<row r="1"><c r="A1"><v>1</v></c></row><autoFilter ref="A1:B2"><filterColumn colId="0"/>x</autoFilter><row r="2"><c r="A2"><v>3</v></c></row>`, "1 | A 2/0 \"1\"\n2 | A 2/0 \"3\""},
		"text of 32,767 characters":    {`<row r="1"><c r="A1" t="inlineStr"><is><t>` + strings.Repeat("à", 32_767) + `</t></is></c></row>`, fmt.Sprintf("1 | A 1/0 %q", strings.Repeat("à", 32_767))},
	} {
		t.Run(name, func(t *testing.T) {
			rows, _, err := read(xlsxtest.Book(t, xlsxtest.Parts{xlsxtest.Sheet1: xlsxtest.Sheet(c.rows)}), 0, limits)
			require.NoError(t, err)
			assert.Equal(t, c.want, strings.Join(rows, "\n"))
		})
	}
}

// What most programs write is read in one step, and is the same as if it were read token by token.
func TestShortFormsAreReadAsLongOnes(t *testing.T) {
	long := strings.NewReplacer("<v>", "<v ><!---->", "<is>", "<is ><!---->", "<t>", "<t ><!---->", `<t xml:space="preserve">`, `<t  xml:space="preserve">`)
	for _, text := range []string{
		"", "0", "1.5", "1", "x", " a ", "perché è così 😀", "a &amp; b", "a &nbsp; b", "a>b", "]]>", "a\r\nb", "a\tb", "_x0041_", "_x000D_",
		"a\x01b", "a\x7fb", "a\xffb", "a\uFFFEb", "a\uFEFFb", "a\uFF01b", "\xef\xbf", "<b/>", "<!-- -->1", strings.Repeat("è", 32_767), strings.Repeat("è", 32_768), strings.Repeat("x", 300_000),
	} {
		for name, rows := range map[string]string{
			"a number":        `<c r="A1"><v>%s</v></c>`,
			"a text":          `<c r="A1" t="str"><v>%s</v></c>`,
			"an index":        `<c r="A1" t="s"><v>%s</v></c>`,
			"a truth value":   `<c r="A1" t="b"><v>%s</v></c>`,
			"inline":          `<c r="A1" t="inlineStr"><is><t>%s</t></is></c>`,
			"a value, inline": `<c r="A1" t="inlineStr"><v>%s</v></c>`,
			"inline, no type": `<c r="A1"><is><t>%s</t></is></c>`,
			"two values":      `<c r="A1"><v>%s</v><v>1</v></c>`,
			"another end":     `<c r="A1"><v>%s</v></x:c>`,
			"another start":   `<x:c r="A1"><v>%s</v></c>`,
			"closed before":   `<c r="A1"/><v>%s</v></c>`,
			"a cell behind":   `<c r="A1"><v>%s</v></c><c r="B1"><v>2</v></c>`,
		} {
			sheet := xlsxtest.Sheet(fmt.Sprintf(`<row r="1">`+rows+`</row>`, text))
			sameReading(t, fmt.Sprintf("%s: %.20q", name, text), xlsxtest.Parts{xlsxtest.Sheet1: sheet}, xlsxtest.Parts{xlsxtest.Sheet1: long.Replace(sheet)})
		}
		for name, item := range map[string]string{
			"shared": `<si><t>%s</t></si>`, "with blanks": `<si><t xml:space="preserve">%s</t></si>`, "another end": `<si><t>%s</t></x:si>`, "another start": `<x:si><t>%s</t></si>`,
			"closed before": `<si/><t>%s</t></si>`,
			"two texts":     `<si><t>%s</t><t>b</t></si>`,
		} {
			strs := `<sst ` + xlsxtest.Namespace + `>` + fmt.Sprintf(item, text) + `<si><t>behind</t></si></sst>`
			parts := xlsxtest.Parts{xlsxtest.Sheet1: xlsxtest.Sheet(`<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>`)}
			other := maps.Clone(parts)
			parts[xlsxtest.Strings], other[xlsxtest.Strings] = strs, long.Replace(strs)
			sameReading(t, fmt.Sprintf("%s: %.20q", name, text), parts, other)
		}
	}
	for _, text := range []string{"a\x01b", "a\xffb", "a\uFFFEb", "\uFFFF", "\xef\xbf", "a &nbsp; b"} {
		for name, parts := range map[string]xlsxtest.Parts{
			"cell":   {xlsxtest.Sheet1: xlsxtest.Sheet(`<row r="1"><c r="A1" t="str"><v>` + text + `</v></c></row>`)},
			"string": {xlsxtest.Strings: `<sst ` + xlsxtest.Namespace + `><si><t>` + text + `</t></si></sst>`},
		} {
			_, _, err := read(xlsxtest.Book(t, parts), 0, limits)
			require.ErrorIs(t, err, xlsx.ErrMalformed, "%s: %q", name, text)
		}
	}
}

// sameReading checks that two workbooks have the same rows or the same fault.
func sameReading(t *testing.T, name string, a, b xlsxtest.Parts) {
	t.Helper()
	rows, _, err := read(xlsxtest.Book(t, a), 0, limits)
	others, _, other := read(xlsxtest.Book(t, b), 0, limits)
	require.Equal(t, others, rows, name)
	require.Equal(t, other == nil, err == nil, "%s: %v, %v", name, err, other)
	var f, g *xlsx.Fault
	if errors.As(err, &f) && errors.As(other, &g) {
		require.Equal(t, []any{g.Part, g.Err, g.Reason, g.Row, g.Column}, []any{f.Part, f.Err, f.Reason, f.Row, f.Column}, name)
	}
}

func TestNamespacePrefixesAreNothing(t *testing.T) {
	sheet := `<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:sheetData><x:row r="1"><x:c r="A1" t="s"><x:v>0</x:v></x:c></x:row></x:sheetData><x:mergeCells count="1"><x:mergeCell ref="A1:B2"/></x:mergeCells></x:worksheet>`
	rows, merges, err := read(xlsxtest.Book(t, xlsxtest.Parts{xlsxtest.Sheet1: sheet}), 0, limits)
	require.NoError(t, err)
	assert.Equal(t, []string{`1 | A 1/0 "primo"`}, rows)
	assert.Equal(t, []xlsx.Range{{FirstColumn: 1, FirstRow: 1, LastColumn: 2, LastRow: 2}}, merges)
	assert.Equal(t, "A1:B2", merges[0].String())
}

func TestMalformedPartsAreRefusedWithTheirPlace(t *testing.T) {
	good := `<row r="7"><c r="A7"><v>1</v></c></row>`
	sheet := func(rows string) xlsxtest.Parts { return xlsxtest.Parts{xlsxtest.Sheet1: xlsxtest.Sheet(rows)} }
	for name, c := range map[string]struct {
		parts xlsxtest.Parts
		err   error
		place string
	}{
		"reference in another row":       {sheet(good + `<row r="8"><c r="A9"><v>1</v></c></row>`), xlsx.ErrMalformed, "worksheet 1, row 8"},
		"reference that goes back":       {sheet(`<row r="8"><c r="B8"><v>1</v></c><c r="A8"><v>1</v></c></row>`), xlsx.ErrMalformed, "worksheet 1, cell B8"},
		"reference that is none":         {sheet(`<row r="8"><c r="8"><v>1</v></c></row>`), xlsx.ErrMalformed, "row 8"},
		"reference beyond the columns":   {sheet(`<row r="8"><c r="XFE8"><v>1</v></c></row>`), xlsx.ErrMalformed, "row 8"},
		"row twice":                      {sheet(good + good), xlsx.ErrMalformed, "cell A7"},
		"row that is none":               {sheet(`<row r="x"/>`), xlsx.ErrMalformed, "worksheet 1"},
		"row beyond the rows":            {sheet(`<row r="1048577"/>`), xlsx.ErrMalformed, "worksheet 1"},
		"one row more than there can be": {sheet(`<row r="1048576"/><row/>`), xlsx.ErrMalformed, "row 1048576"},
		"type that does not exist":       {sheet(`<row r="7"><c r="A7" t="q"><v>1</v></c></row>`), xlsx.ErrMalformed, "cell A7"},
		"style that does not exist":      {sheet(`<row r="7"><c r="A7" s="5"><v>1</v></c></row>`), xlsx.ErrMalformed, "cell A7"},
		"string that does not exist":     {sheet(`<row r="7"><c r="A7" t="s"><v>2</v></c></row>`), xlsx.ErrMalformed, "cell A7"},
		"string that is no number":       {sheet(`<row r="7"><c r="A7" t="s"><v>x</v></c></row>`), xlsx.ErrMalformed, "cell A7"},
		"end tag of another":             {sheet(`<row r="7"><c r="A7"><v>1</c></v></row>`), xlsx.ErrMalformed, "cell A7"},
		"tag in a tag":                   {sheet(`<row r="7"><c r="A7" <v>1</v></c></row>`), xlsx.ErrMalformed, "row 7"},
		"text beside the runs":           {sheet(`<row r="7"><c r="A7" t="inlineStr"><is><r>x<t>y</t></r></is></c></row>`), xlsx.ErrMalformed, "cell A7"},
		"two values":                     {sheet(`<row r="7"><c r="A7"><v>1</v><v>2</v></c></row>`), xlsx.ErrMalformed, "cell A7"},
		"value and inline value":         {sheet(`<row r="7"><c r="A7"><v>1</v><is><t>2</t></is></c></row>`), xlsx.ErrMalformed, "cell A7"},
		"element in a value":             {sheet(`<row r="7"><c r="A7"><v>1<x/>2</v></c></row>`), xlsx.ErrMalformed, "cell A7"},
		"text in a cell":                 {sheet(`<row r="7"><c r="A7">5<v>1</v></c></row>`), xlsx.ErrMalformed, "cell A7"},
		"text in a row":                  {sheet(`<row r="7">5</row>`), xlsx.ErrMalformed, "row 7"},
		"cell in a wrapper":              {sheet(`<row r="7"><x><c r="A7"><v>1</v></c></x></row>`), xlsx.ErrMalformed, "row 7"},
		"row in a wrapper":               {sheet(`<x>` + good + `</x>`), xlsx.ErrMalformed, "worksheet 1"},
		"attribute twice":                {sheet(`<row r="7"><c r="A7" r="B7"><v>1</v></c></row>`), xlsx.ErrMalformed, "row 7"},
		"name too long":                  {sheet(`<` + strings.Repeat("a", 300) + `/>`), xlsx.ErrLimit, "worksheet 1"},
		"text in too many pieces":        {sheet(`<row r="7"><c r="A7" t="inlineStr"><is>` + strings.Repeat(`<t>`+strings.Repeat("x", 30_000)+`</t>`, 20) + `</is></c></row>`), xlsx.ErrLimit, "cell A7"},
		"value in too many pieces":       {sheet(`<row r="7"><c r="A7"><v>` + strings.Repeat(strings.Repeat("1", 30_000)+`<!---->`, 20) + `</v></c></row>`), xlsx.ErrLimit, "cell A7"},
		"two sheets of one part":         {xlsxtest.Parts{xlsxtest.Workbook: `<workbook xmlns:r="r"><sheets><sheet name="a" r:id="rId1"/><sheet name="b" r:id="rId1"/></sheets></workbook>`}, xlsx.ErrMalformed, "workbook"},
		"two sheets of one name":         {xlsxtest.Parts{xlsxtest.Sheet2: xlsxtest.Sheet(``), xlsxtest.Workbook: `<workbook xmlns:r="r"><sheets><sheet name="a" r:id="rId1"/><sheet name="A" r:id="rId4"/></sheets></workbook>`}, xlsx.ErrMalformed, "workbook"},
		"two links of one name":          {xlsxtest.Parts{xlsxtest.Links: `<Relationships><Relationship Id="rId1" Type="x/worksheet" Target="a"/><Relationship Id="rId1" Type="x/styles" Target="b"/></Relationships>`}, xlsx.ErrMalformed, "relationships"},
		"attribute without quotes":       {sheet(`<row r=7></row>`), xlsx.ErrMalformed, "worksheet 1"},
		"entity that does not exist":     {sheet(`<row r="7"><c r="A7" t="inlineStr"><is><t>&egrave;</t></is></c></row>`), xlsx.ErrMalformed, "cell A7"},
		"bare ampersand":                 {sheet(`<row r="7"><c r="A7" t="inlineStr"><is><t>a & b</t></is></c></row>`), xlsx.ErrMalformed, "cell A7"},
		"control character":              {sheet("<row r=\"7\"><c r=\"A7\" t=\"inlineStr\"><is><t>a\x01</t></is></c></row>"), xlsx.ErrMalformed, "cell A7"},
		"byte that is not UTF-8":         {sheet("<row r=\"7\"><c r=\"A7\" t=\"inlineStr\"><is><t>a\xE8</t></is></c></row>"), xlsx.ErrMalformed, "cell A7"},
		"sheet cut off in a row":         {xlsxtest.Parts{xlsxtest.Sheet1: `<worksheet><sheetData>` + good + `<row r="8"><c r="A8"><v>12`}, xlsx.ErrTruncated, "cell A8"},
		"sheet cut off between rows":     {xlsxtest.Parts{xlsxtest.Sheet1: `<worksheet><sheetData>` + good}, xlsx.ErrTruncated, "worksheet 1"},
		"sheet cut off behind rows":      {xlsxtest.Parts{xlsxtest.Sheet1: `<worksheet><sheetData>` + good + `</sheetData>`}, xlsx.ErrTruncated, "worksheet 1"},
		"sheet without rows part":        {xlsxtest.Parts{xlsxtest.Sheet1: `<worksheet><cols/></worksheet>`}, xlsx.ErrMalformed, "worksheet 1"},
		"sheet with two rows parts":      {xlsxtest.Parts{xlsxtest.Sheet1: `<worksheet><sheetData/><sheetData/></worksheet>`}, xlsx.ErrMalformed, "worksheet 1"},
		"something behind the sheet":     {xlsxtest.Parts{xlsxtest.Sheet1: xlsxtest.Sheet(good) + `<worksheet/>`}, xlsx.ErrMalformed, "worksheet 1"},
		"text behind the sheet":          {xlsxtest.Parts{xlsxtest.Sheet1: xlsxtest.Sheet(good) + `x`}, xlsx.ErrMalformed, "worksheet 1"},
		"another root":                   {xlsxtest.Parts{xlsxtest.Sheet1: `<chartsheet/>`}, xlsx.ErrMalformed, "worksheet 1"},
		"empty part":                     {xlsxtest.Parts{xlsxtest.Sheet1: ``}, xlsx.ErrTruncated, "worksheet 1"},
		"merged range that is none":      {xlsxtest.Parts{xlsxtest.Sheet1: xlsxtest.Sheet(good, `<mergeCells><mergeCell ref="A1:"/></mergeCells>`)}, xlsx.ErrMalformed, "worksheet 1"},
		"document type":                  {xlsxtest.Parts{xlsxtest.Sheet1: `<!DOCTYPE w [<!ENTITY a "aa">]>` + xlsxtest.Sheet(good)}, xlsx.ErrUnsafe, "worksheet 1"},
		"UTF-16 cut off":                 {xlsxtest.Parts{xlsxtest.Sheet1: "\xFF\xFE<\x00w\x00/\x00>"}, xlsx.ErrTruncated, "worksheet 1"},
		"UTF-16 that says UTF-8":         {xlsxtest.Parts{xlsxtest.Sheet1: string(xlsxtest.UTF16(xlsxtest.Sheet(good), false, true))}, xlsx.ErrMalformed, "worksheet 1"},
		"UTF-8 that says UTF-16":         {xlsxtest.Parts{xlsxtest.Sheet1: `<?xml version="1.0" encoding="UTF-16"?><worksheet/>`}, xlsx.ErrMalformed, "worksheet 1"},
		"UTF-16 with half a pair":        {xlsxtest.Parts{xlsxtest.Sheet1: string(xlsxtest.UTF16("<worksheet><!--", true, true)) + "\xD8\x00" + string(xlsxtest.UTF16("--><sheetData/></worksheet>", true, false))}, xlsx.ErrMalformed, "worksheet 1"},
		"UTF-32":                         {xlsxtest.Parts{xlsxtest.Sheet1: "<\x00\x00\x00w\x00\x00\x00/\x00\x00\x00>\x00\x00\x00"}, xlsx.ErrMalformed, "worksheet 1"},
		"other encoding":                 {xlsxtest.Parts{xlsxtest.Sheet1: `<?xml version="1.0" encoding="ISO-8859-1"?><worksheet/>`}, xlsx.ErrMalformed, "worksheet 1"},
		"nested too deep":                {xlsxtest.Parts{xlsxtest.Sheet1: `<worksheet>` + strings.Repeat("<a>", 300)}, xlsx.ErrLimit, "worksheet 1"},
		"tag too long":                   {xlsxtest.Parts{xlsxtest.Sheet1: `<worksheet a="` + strings.Repeat("a", 2<<20)}, xlsx.ErrLimit, "worksheet 1"},
		"sheet missing":                  {xlsxtest.Parts{xlsxtest.Sheet1: "-"}, xlsx.ErrMalformed, "worksheet 1"},
		"workbook missing":               {xlsxtest.Parts{xlsxtest.Workbook: "-"}, xlsx.ErrMalformed, "workbook"},
		"links missing":                  {xlsxtest.Parts{xlsxtest.Links: "-"}, xlsx.ErrMalformed, "relationships"},
		"root links missing":             {xlsxtest.Parts{xlsxtest.RootLinks: "-"}, xlsx.ErrMalformed, "relationships"},
		"strings cut off":                {xlsxtest.Parts{xlsxtest.Strings: `<sst><si><t>a</t></si>`}, xlsx.ErrTruncated, "shared strings"},
		"link out of the archive":        {xlsxtest.Parts{xlsxtest.Links: `<Relationships><Relationship Id="rId1" Type="x/worksheet" Target="../../etc/passwd"/></Relationships>`}, xlsx.ErrUnsafe, "relationships"},
		"part outside the archive":       {xlsxtest.Parts{"../evil.xml": "<a/>"}, xlsx.ErrUnsafe, "archive"},
		"backslashes out of the archive": {xlsxtest.Parts{`..\evil.xml`: "<a/>"}, xlsx.ErrUnsafe, "archive"},
		"backslash at the root":          {xlsxtest.Parts{`\evil.xml`: "<a/>"}, xlsx.ErrUnsafe, "archive"},
		"part twice, with a backslash":   {xlsxtest.Parts{`xl\workbook.xml`: "<a/>"}, xlsx.ErrMalformed, "archive"},
		"link with backslashes":          {xlsxtest.Parts{xlsxtest.Links: `<Relationships><Relationship Id="rId1" Type="x/worksheet" Target="..\..\etc\passwd"/></Relationships>`}, xlsx.ErrUnsafe, "relationships"},
		"string of a missing part":       {xlsxtest.Parts{xlsxtest.Strings: "-", xlsxtest.Sheet1: xlsxtest.Sheet(`<row r="7"><c r="A7" t="s"><v>0</v></c></row>`)}, xlsx.ErrMalformed, "cell A7"},
		"style of a missing part":        {xlsxtest.Parts{xlsxtest.Styles: "-", xlsxtest.Sheet1: xlsxtest.Sheet(`<row r="7"><c r="A7" s="1"><v>0</v></c></row>`)}, xlsx.ErrMalformed, "cell A7"},
		"two inline values":              {sheet(`<row r="7"><c r="A7" t="inlineStr"><is><t>1</t></is><is><t>2</t></is></c></row>`), xlsx.ErrMalformed, "cell A7"},
		"row again, and cell again":      {sheet(good + `<row r="7"><c r="B7"/><c r="B7"/></row>`), xlsx.ErrMalformed, "cell B7"},
		"filter that holds a row":        {sheet(good + `<autoFilter ref="A1:B2"><row r="8"/></autoFilter>`), xlsx.ErrMalformed, "row 7"},
		"whole columns that are none":    {xlsxtest.Parts{xlsxtest.Sheet1: xlsxtest.Sheet(good, `<mergeCells><mergeCell ref="A:XFE"/></mergeCells>`)}, xlsx.ErrMalformed, "worksheet 1"},
		"column to a cell":               {xlsxtest.Parts{xlsxtest.Sheet1: xlsxtest.Sheet(good, `<mergeCells><mergeCell ref="A:B7"/></mergeCells>`)}, xlsx.ErrMalformed, "worksheet 1"},
		"row 0":                          {xlsxtest.Parts{xlsxtest.Sheet1: xlsxtest.Sheet(good, `<mergeCells><mergeCell ref="0:7"/></mergeCells>`)}, xlsx.ErrMalformed, "worksheet 1"},
		"sheet of a missing link":        {xlsxtest.Parts{xlsxtest.Workbook: `<workbook xmlns:r="r"><sheets><sheet name="a" r:id="rId9"/></sheets></workbook>`}, xlsx.ErrMalformed, "worksheet 1"},
		"part with an absolute name":     {xlsxtest.Parts{"/evil.xml": "<a/>"}, xlsx.ErrUnsafe, "archive"},
		"part twice":                     {xlsxtest.Parts{"XL/workbook.xml": "<a/>"}, xlsx.ErrMalformed, "archive"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := read(xlsxtest.Book(t, c.parts), 0, limits)
			require.ErrorIs(t, err, c.err)
			must.As[*xlsx.Fault](t, err)
			assert.Contains(t, err.Error(), c.place)
		})
	}
}

func TestLimitsAreKept(t *testing.T) {
	long := xlsxtest.Sheet(`<row r="1"><c r="A1" t="inlineStr"><is><t>` + strings.Repeat("x", 101) + `</t></is></c></row>`)
	wide := xlsxtest.Sheet(`<row r="1"><c r="E1"><v>1</v></c></row>`)
	for name, c := range map[string]struct {
		parts  xlsxtest.Parts
		limits xlsx.Limits
	}{
		"cell":             {xlsxtest.Parts{xlsxtest.Sheet1: long}, xlsx.Limits{Unpacked: 1 << 20, Strings: 1 << 20, Columns: 4, Cell: 100}},
		"shared cell":      {xlsxtest.Parts{xlsxtest.Strings: `<sst><si><t>` + strings.Repeat("x", 101) + `</t></si></sst>`}, xlsx.Limits{Unpacked: 1 << 20, Strings: 1 << 20, Columns: 4, Cell: 100}},
		"column":           {xlsxtest.Parts{xlsxtest.Sheet1: wide}, xlsx.Limits{Unpacked: 1 << 20, Strings: 1 << 20, Columns: 4, Cell: 100}},
		"strings":          {xlsxtest.Parts{xlsxtest.Strings: `<sst><si><t>` + strings.Repeat(" ", 2000) + `</t></si></sst>`}, xlsx.Limits{Unpacked: 1 << 20, Strings: 1000, Columns: 4, Cell: 10_000}},
		"unpacked":         {xlsxtest.Parts{"xl/media/image1.png": strings.Repeat("x", 1<<20)}, xlsx.Limits{Unpacked: 1 << 20, Strings: 1 << 20, Columns: 4, Cell: 100}},
		"number of parts":  {manyParts(10_001, 1), limits},
		"size of the list": {manyParts(90, 50_000), limits},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := read(xlsxtest.Book(t, c.parts), 0, c.limits)
			require.ErrorIs(t, err, xlsx.ErrLimit)
		})
	}
	t.Run("emoji count two", func(t *testing.T) {
		book := func(n int) []byte {
			return xlsxtest.Book(t, xlsxtest.Parts{xlsxtest.Sheet1: xlsxtest.Sheet(`<row r="1"><c r="A1" t="inlineStr"><is><t>` + strings.Repeat("😀", n) + `</t></is></c></row>`)})
		}
		tight := xlsx.Limits{Unpacked: 1 << 20, Strings: 1 << 20, Columns: 4, Cell: 100}
		_, _, err := read(book(50), 0, tight)
		require.NoError(t, err)
		_, _, err = read(book(51), 0, tight)
		require.ErrorIs(t, err, xlsx.ErrLimit)
	})
}

// manyParts are empty parts with names so long.
func manyParts(n, length int) xlsxtest.Parts {
	parts := xlsxtest.Parts{}
	for i := range n {
		parts[fmt.Sprintf("xl/%s%d.xml", strings.Repeat("a", length), i)] = ""
	}
	return parts
}

// A directory that says less than is packed must not let more through.
func TestTheDirectoryIsNotBelieved(t *testing.T) {
	book := xlsxtest.Book(t, xlsxtest.Parts{xlsxtest.Sheet1: xlsxtest.Sheet(strings.Repeat(" ", 1<<20))})
	at := bytes.LastIndex(book, []byte("xl/worksheets/sheet1.xml")) - 46
	require.Equal(t, "PK\x01\x02", string(book[at:at+4]))
	copy(book[at+24:], []byte{10, 0, 0, 0}) // unpacked bytes
	_, _, err := read(book, 0, limits)
	require.Error(t, err)
	require.True(t, errors.Is(err, xlsx.ErrMalformed) || errors.Is(err, xlsx.ErrTruncated), "%v", err)
}

func TestEncryptedPartsAreRefused(t *testing.T) {
	book := xlsxtest.Book(t, nil)
	at := bytes.LastIndex(book, []byte(xlsxtest.Sheet1)) - 46
	book[at+8] |= 1
	_, _, err := read(book, 0, limits)
	require.ErrorIs(t, err, xlsx.ErrMalformed)
	require.ErrorContains(t, err, "encrypted")
}

func TestPartsThatLieOverOneAnotherAreUnsafe(t *testing.T) {
	book := xlsxtest.Book(t, xlsxtest.Parts{"a": strings.Repeat("ab", 50)})
	at := bytes.LastIndex(book, []byte("xl/workbook.xml")) - 46
	copy(book[at+20:], []byte{0xFF, 0xFF, 0, 0}) // packed bytes
	_, _, err := read(book, 0, limits)
	require.ErrorIs(t, err, xlsx.ErrUnsafe)
}

func TestNumberFormats(t *testing.T) {
	for code, want := range map[string]xlsx.Format{
		"General": xlsx.Plain, "0": xlsx.Plain, "@": xlsx.Plain, "#": xlsx.Plain,
		"dd/mm/yyyy": xlsx.Date, "d-mmm-yy": xlsx.Date, `[$-410]d mmmm yyyy;@`: xlsx.Date, "mmm yyyy": xlsx.Date, `yyyy"anno"`: xlsx.Date, "mmmm": xlsx.Date,
		"dd/mm/yyyy hh:mm": xlsx.DateTime, "m/d/yy h:mm AM/PM": xlsx.DateTime,
		"hh:mm": xlsx.Time, "[h]:mm:ss": xlsx.Time, "mm:ss": xlsx.Time, "[mm]:ss": xlsx.Time,
		"0%": xlsx.Percent, "0.00%": xlsx.Percent,
		"0.00": xlsx.Other, "#,##0.00": xlsx.Other, `€ #,##0.00`: xlsx.Other, "0000": xlsx.Other, "0.00E+00": xlsx.Other, `"codice "0`: xlsx.Other, `[Red]0.00;[Blue]-0.00`: xlsx.Other, `\d0`: xlsx.Other,
	} {
		styles := `<styleSheet><numFmts><numFmt numFmtId="170" formatCode="` + strings.NewReplacer(`"`, "&quot;", "<", "&lt;").Replace(code) + `"/></numFmts><cellXfs><xf numFmtId="170"/></cellXfs></styleSheet>`
		rows, _, err := read(xlsxtest.Book(t, xlsxtest.Parts{xlsxtest.Styles: styles, xlsxtest.Sheet1: xlsxtest.Sheet(`<row r="1"><c r="A1" s="0"><v>1</v></c></row>`)}), 0, limits)
		require.NoError(t, err, code)
		assert.Equal(t, []string{fmt.Sprintf(`1 | A 2/%d "1"`, want)}, rows, code)
	}
	for id, want := range map[int]xlsx.Format{0: xlsx.Plain, 1: xlsx.Plain, 49: xlsx.Plain, 2: xlsx.Other, 4: xlsx.Other, 9: xlsx.Percent, 10: xlsx.Percent, 14: xlsx.Date, 17: xlsx.Date, 18: xlsx.Time, 21: xlsx.Time, 22: xlsx.DateTime, 30: xlsx.Date, 45: xlsx.Time, 47: xlsx.Time, 50: xlsx.Date, 58: xlsx.Date} {
		styles := fmt.Sprintf(`<styleSheet><cellStyleXfs><xf numFmtId="9"/></cellStyleXfs><cellXfs><xf numFmtId="%d"/></cellXfs></styleSheet>`, id)
		rows, _, err := read(xlsxtest.Book(t, xlsxtest.Parts{xlsxtest.Styles: styles, xlsxtest.Sheet1: xlsxtest.Sheet(`<row r="1"><c r="A1" s="0"><v>1</v></c></row>`)}), 0, limits)
		require.NoError(t, err, id)
		assert.Equal(t, []string{fmt.Sprintf(`1 | A 2/%d "1"`, want)}, rows, id)
	}
}

func TestTheContextEndsReading(t *testing.T) {
	data := xlsxtest.Book(t, xlsxtest.Parts{xlsxtest.Sheet1: xlsxtest.Sheet(`<row r="1"><c r="A1"><v>1</v></c></row>`)})
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	book := must.Get(xlsx.Open(ctx, bytes.NewReader(data), int64(len(data)), limits))(t)
	cancel(reason)
	rows := must.Get(book.Rows(0))(t)
	var row xlsx.Row
	require.ErrorIs(t, rows.Next(&row), reason)
	require.NoError(t, rows.Close())
	_, err := xlsx.Open(ctx, bytes.NewReader(data), int64(len(data)), limits)
	require.ErrorIs(t, err, reason)
}

func TestSheetsAreListed(t *testing.T) {
	data := xlsxtest.Book(t, xlsxtest.Parts{
		xlsxtest.Sheet2: xlsxtest.Sheet(``), "xl/charts/c.xml": "<c/>", "docProps/custom.xml": `<Properties><property name="Modello"><vt:lpwstr xmlns:vt="v">N &amp; M</vt:lpwstr></property></Properties>`,
		xlsxtest.RootLinks: `<Relationships><Relationship Id="a" Type="x/officeDocument" Target="/xl/workbook.xml"/><Relationship Id="b" Type="x/custom-properties" Target="docProps/custom.xml"/></Relationships>`,
		xlsxtest.Links:     `<Relationships><Relationship Id="a" Type="x/worksheet" Target="/xl/worksheets/sheet1.xml"/><Relationship Id="b" Type="x/worksheet" Target="worksheets/SHEET2.xml"/><Relationship Id="c" Type="x/chartsheet" Target="charts/c.xml"/><Relationship Id="d" Type="x/hyperlink" Target="https://example.org" TargetMode="External"/></Relationships>`,
		xlsxtest.Workbook:  `<workbook xmlns:r="r"><workbookPr date1904="true"/><sheets><sheet name="Uno &amp; due" r:id="a"/><sheet name="Grafico" r:id="c"/><sheet name="Nascosto" state="veryHidden" r:id="b"/></sheets></workbook>`,
	})
	book := must.Get(xlsx.Open(context.Background(), bytes.NewReader(data), int64(len(data)), limits))(t)
	require.Len(t, book.Sheets, 2)
	assert.Equal(t, "Uno & due", book.Sheets[0].Name)
	assert.False(t, book.Sheets[0].Hidden)
	assert.True(t, book.Sheets[1].Hidden)
	assert.True(t, book.Date1904)
	assert.Equal(t, map[string]string{"Modello": "N & M"}, book.Properties)
}
