package excel_test

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/xlsxtest"
)

// Parts and links of workbooks as programs save them.
const (
	relationships = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`
	office        = `http://schemas.openxmlformats.org/officeDocument/2006/relationships`
)

func link(id, kind, target string) string {
	return fmt.Sprintf(`<Relationship Id="%s" Type="%s/%s" Target="%s"/>`, id, office, kind, target)
}

// withParts is a workbook with the parts given and a good row, if they have no first sheet.
func withParts(t testing.TB, parts xlsxtest.Parts) []byte {
	if parts[xlsxtest.Sheet1] == "" {
		parts[xlsxtest.Sheet1] = xlsxtest.Sheet(goodRows)
	}
	return xlsxtest.Book(t, parts)
}

// readsGoodRow checks that a workbook is read with the one good row in it, and that its annotated
// copy has the same row or is refused.
func readsGoodRow(t *testing.T, file []byte) *decoded {
	t.Helper()
	d := whole(t, decode(template(), file))
	require.Empty(t, d.wrong, d.italian())
	require.Len(t, d.rows, 1)
	assert.Equal(t, mustCode(code), d.rows[0].Recipient)
	assert.Equal(t, content, d.rows[0].Content.Reveal())
	var copied bytes.Buffer
	if err := mark(t, &copied, template(), file, d); err != nil {
		t.Logf("no copy: %v", flussi.Explain(err))
		require.ErrorIs(t, err, excel.ErrMalformed)
		return d
	}
	again := whole(t, decode(template(), copied.Bytes()))
	require.Equal(t, d.rows, again.rows)
	return d
}

func TestLinksThatNoReaderFollowsAreIgnored(t *testing.T) {
	root := link("rId1", "officeDocument", "xl/workbook.xml")
	custom := xlsxtest.Parts{"customXml/item1.xml": "<a/>", "customXml/itemProps1.xml": "<b/>"}
	for name, links := range map[string]string{
		"as LibreOffice writes it": root + link("rId2", "customXml", "../customXml/item1.xml"),
		"far outside":              link("rId2", "customXml", "../../../../../etc/passwd") + root,
		"a part that is not there": root + link("rId2", "thumbnail", "docProps/thumbnail.jpeg"),
		"properties without part":  root + link("rId2", "custom-properties", "docProps/custom.xml"),
	} {
		t.Run(name, func(t *testing.T) {
			parts := xlsxtest.Parts{xlsxtest.RootLinks: relationships + links + `</Relationships>`}
			for part, text := range custom {
				parts[part] = text
			}
			readsGoodRow(t, withParts(t, parts))
		})
	}
	t.Run("one that is followed must not lead out", func(t *testing.T) {
		for kind, part := range map[string]string{
			"officeDocument": xlsxtest.RootLinks, "custom-properties": xlsxtest.RootLinks, "customProperties": xlsxtest.RootLinks,
			"worksheet": xlsxtest.Links, "styles": xlsxtest.Links, "sharedStrings": xlsxtest.Links,
		} {
			outside := link("rId9", kind, "../../../x.xml")
			add := func(link string) []byte {
				links := xlsxtest.Unpack(t, goodBook(t))[part]
				return withParts(t, xlsxtest.Parts{part: strings.Replace(links, `</Relationships>`, link+`</Relationships>`, 1)})
			}
			require.ErrorIs(t, decode(template(), add(outside)).err, excel.ErrUnsafe, kind)
			readsGoodRow(t, add(strings.Replace(outside, `/>`, ` TargetMode="External"/>`, 1)))
		}
	})
}

func TestExternalLinksAreReadByTheirLastValues(t *testing.T) {
	external := func(rows string) []byte {
		links := strings.Replace(xlsxtest.Unpack(t, goodBook(t))[xlsxtest.Links], `</Relationships>`, link("rId9", "externalLink", "externalLinks/externalLink1.xml")+`</Relationships>`, 1)
		return withParts(t, xlsxtest.Parts{
			xlsxtest.Links: links, xlsxtest.Sheet1: xlsxtest.Sheet(rows),
			"xl/externalLinks/externalLink1.xml":            `<externalLink ` + xlsxtest.Namespace + `><externalBook xmlns:r="` + office + `" r:id="rId1"/></externalLink>`,
			"xl/externalLinks/_rels/externalLink1.xml.rels": relationships + `<Relationship Id="rId1" Type="` + office + `/externalLinkPath" Target="file:///C:/altro.xlsx" TargetMode="External"/></Relationships>`,
		})
	}
	t.Run("that no formula uses", func(t *testing.T) {
		assert.Empty(t, readsGoodRow(t, external(goodRows)).report.Notes)
	})
	formula := func(reference, formula, value string) string {
		return fmt.Sprintf(`<c r="%s" t="str"><f>%s</f><v>%s</v></c>`, reference, formula, value)
	}
	rows := headRow
	for i, f := range []string{`[1]Foglio1!$A$1`, `'[1]Foglio 1'!A2`, `UPPER(""&amp;[12]Foglio1!A3)`, `[1]!Nome`, `IF(A1-[1]x!A1,1,2)`, `SUM(A1:[1]x!A2)`, // warned of
		`Tabella1[[1],[2]]`, `Tabella1[[1]:[2]]`, `SUM(([1]))`, `1+[1] +2`, `1+[1]`, `&quot;[1]Foglio1!A1&quot;`,
		`A1`, `Tabella1[1]`, `Tabella1[[#Headers],[1]]`, `"[1]Foglio1!A1"`, `A1&amp;"[1]x"`} {
		row := i + 2
		rows += fmt.Sprintf(`<row r="%d">`, row) + formula(fmt.Sprintf("A%d", row), f, code) +
			fmt.Sprintf(`<c r="B%d" t="inlineStr"><is><t>Oggetto di prova</t></is></c><c r="C%d" t="inlineStr"><is><t>%s</t></is></c></row>`, row, row, content)
	}
	d := whole(t, decode(template(), external(rows)))
	require.Empty(t, d.wrong, d.italian())
	assert.Len(t, d.rows, 17)
	var warned []int
	for _, n := range d.report.Notes {
		assert.Equal(t, "A", n.Column)
		require.ErrorIs(t, n.Warnings[0], excel.ErrOtherFile)
		assert.Contains(t, n.Italian(), "legge un altro file")
		warned = append(warned, n.Row)
	}
	assert.Equal(t, []int{2, 3, 4, 5, 6, 7}, warned)
	t.Run("by a shared formula", func(t *testing.T) {
		d := whole(t, decode(template(), external(headRow+`<row r="2"><c r="A2" t="str"><f t="shared" ref="A2:A3" si="3">[1]Foglio1!A1</f><v>`+code+`</v></c>`+row(2, "", "Oggetto di prova", content)[len(`<row r="2">`):]+
			`<row r="3"><c r="A3" t="str"><f t="shared" si="3"/><v>`+code+`</v></c>`+row(3, "", "Oggetto di prova", content)[len(`<row r="3">`):])))
		require.Empty(t, d.wrong, d.italian())
		assert.Len(t, d.report.Notes, 2)
	})
}

func TestCountsInAFileAreAdvice(t *testing.T) {
	shared := func(attributes string) xlsxtest.Parts {
		return xlsxtest.Parts{
			xlsxtest.Strings: `<sst ` + xlsxtest.Namespace + attributes + `><si><t>` + code + `</t></si><si><t>Oggetto di prova</t></si><si><t>` + content + `</t></si></sst>`,
			xlsxtest.Sheet1:  xlsxtest.Sheet(headRow + `<row r="2"><c r="A2" t="s"><v>0</v></c><c r="B2" t="s"><v>1</v></c><c r="C2" t="s"><v>2</v></c></row>`),
		}
	}
	for name, attributes := range map[string]string{
		"fewer": ` count="1" uniqueCount="1"`, "more": ` count="9" uniqueCount="2000000000"`, "none": ``, "no number": ` count="x" uniqueCount="-1"`,
	} {
		t.Run(name, func(t *testing.T) { readsGoodRow(t, withParts(t, shared(attributes))) })
	}
	t.Run("they take no memory", func(t *testing.T) {
		file := withParts(t, shared(` uniqueCount="2000000000"`))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		whole(t, decode(template(), file))
		runtime.ReadMemStats(&after)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20))
	})
	t.Run("but every string has to be there", func(t *testing.T) {
		parts := shared(` uniqueCount="4"`)
		parts[xlsxtest.Sheet1] = strings.Replace(parts[xlsxtest.Sheet1], "<v>2</v>", "<v>3</v>", 1)
		d := decode(template(), withParts(t, parts))
		require.ErrorIs(t, d.err, excel.ErrMalformed)
		assert.Contains(t, d.err.Error(), "C2")
	})
	t.Run("a dimension", func(t *testing.T) {
		parts := xlsxtest.Parts{xlsxtest.Sheet1: strings.Replace(xlsxtest.Sheet(goodRows), `<sheetData>`, `<dimension ref="A1:B1"/><sheetData>`, 1)}
		readsGoodRow(t, withParts(t, parts))
	})
}

func TestPartsThatAreNotThereMatterIfTheyAreUsed(t *testing.T) {
	readsGoodRow(t, withParts(t, xlsxtest.Parts{xlsxtest.Strings: "-"}))
	readsGoodRow(t, withParts(t, xlsxtest.Parts{xlsxtest.Styles: "-"}))
	d := decode(template(), withParts(t, xlsxtest.Parts{xlsxtest.Strings: "-", xlsxtest.Sheet1: xlsxtest.Sheet(goodRows + `<row r="3"><c r="A3" t="s"><v>0</v></c></row>`)}))
	require.ErrorIs(t, d.err, excel.ErrMalformed)
	assert.Contains(t, flussi.Explain(d.err), "A3")
}

func TestBackslashesInPartNamesAreSlashes(t *testing.T) {
	parts := xlsxtest.Unpack(t, goodBook(t))
	changed := xlsxtest.Parts{}
	for name, text := range parts {
		changed[strings.ReplaceAll(name, "/", `\`)] = strings.ReplaceAll(text, `Target="worksheets/`, `Target="worksheets\`)
	}
	changed[`xl\`] = ""
	readsGoodRow(t, xlsxtest.Pack(t, changed))
	changed[`..\x.xml`] = "<a/>"
	require.ErrorIs(t, decode(template(), xlsxtest.Pack(t, changed)).err, excel.ErrUnsafe)
}

func TestSheetsThatHaveNoRowsAreReported(t *testing.T) {
	links := relationships + link("rId1", "worksheet", "worksheets/sheet1.xml") + link("rId2", "styles", "styles.xml") + link("rId3", "chartsheet", "chartsheets/sheet1.xml") +
		link("rId4", "dialogsheet", "dialogsheets/sheet1.xml") + `<Relationship Id="rId5" Type="http://schemas.microsoft.com/office/2006/relationships/xlMacrosheet" Target="../../outside.xml"/></Relationships>`
	d := readsGoodRow(t, withParts(t, xlsxtest.Parts{
		xlsxtest.Links: links, "xl/chartsheets/sheet1.xml": `<chartsheet ` + xlsxtest.Namespace + `/>`,
		xlsxtest.Workbook: `<workbook ` + xlsxtest.Namespace + ` xmlns:r="` + office + `"><sheets><sheet name="Modulo1" sheetId="2" r:id=""/><sheet name="Dati" sheetId="1" r:id="rId1"/>` +
			`<sheet name="Grafico" sheetId="3" r:id="rId3"/><sheet name="Finestra" sheetId="4" r:id="rId4"/><sheet name="Macro1" sheetId="5" r:id="rId5"/></sheets></workbook>`,
	}))
	var names []string
	for _, name := range d.report.Ignored {
		names = append(names, name.Reveal())
	}
	assert.Equal(t, []string{"Modulo1", "Grafico", "Finestra", "Macro1"}, names)
	assert.Contains(t, d.italian(), "4 altri fogli non letti.")
}

func TestColumnsAreLimitedInTheSheetThatIsRead(t *testing.T) {
	wide := func(row int, cells string) string { return fmt.Sprintf(`<row r="%d">%s</row>`, row, cells) }
	number := `<c r="IW7"><v>1</v></c>`
	t.Run("in another sheet there may be more", func(t *testing.T) {
		readsGoodRow(t, sheets(t, wide(7, number), goodRows))
		readsGoodRow(t, sheets(t, goodRows, row(1, "altro")+wide(7, number)))
	})
	t.Run("the last one that is allowed", func(t *testing.T) {
		readsGoodRow(t, book(t, goodRows+wide(7, `<c r="IV7"><v>1</v></c>`)))
	})
	t.Run("shared strings count if they show something", func(t *testing.T) {
		parts := xlsxtest.Parts{
			xlsxtest.Strings: `<sst ` + xlsxtest.Namespace + `><si><t xml:space="preserve">  </t></si><si><t>a</t></si></sst>`,
			xlsxtest.Sheet1:  xlsxtest.Sheet(goodRows + wide(7, `<c r="IW7" t="s"><v>0</v></c>`)),
		}
		readsGoodRow(t, withParts(t, parts))
		parts[xlsxtest.Sheet1] = strings.Replace(parts[xlsxtest.Sheet1], "<v>0</v>", "<v>1</v>", 1)
		require.ErrorIs(t, decode(template(), withParts(t, parts)).err, excel.ErrLimit)
	})
	t.Run("cells without a value do not count", func(t *testing.T) {
		readsGoodRow(t, book(t, goodRows+wide(7, `<c r="IW7" s="1"/><c r="IX7" t="inlineStr"><is><t>  </t></is></c><c r="XFD7" s="2"/>`)))
	})
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"in a workbook of one sheet": {book(t, goodRows+wide(7, number)), "Il foglio ha troppe colonne: la cella IW7 è oltre l'ultima ammessa."},
		"in the second sheet":        {sheets(t, row(1, "altro"), goodRows+wide(7, number)), "Il foglio 2 ha troppe colonne: la cella IW7 è oltre l'ultima ammessa."},
		"behind a hidden sheet":      {sheets(t, row(1, "altro"), goodRows+wide(7, `<c r="IW7"><f>1</f></c>`), `state="hidden"`), "Il foglio 1 ha troppe colonne: la cella IW7 è oltre l'ultima ammessa."},
	} {
		t.Run(name, func(t *testing.T) {
			d := decode(template(), c.file)
			require.ErrorIs(t, d.err, excel.ErrLimit)
			assert.Contains(t, flussi.Explain(d.err), c.says)
			file := must.As[*excel.FileError](t, d.err)
			assert.Equal(t, "IW", file.Column)
			assert.Equal(t, 7, file.Row)
			assert.Equal(t, excel.ErrLimit, file.Err)
		})
	}
	t.Run("damage is told with its sheet", func(t *testing.T) {
		d := decode(template(), sheets(t, row(1, "altro"), goodRows+`<row r="3"><c r="A3" t="q"/></row>`))
		assert.Contains(t, flussi.Explain(d.err), "(dopo la cella A3 del foglio 2)")
	})
}

func TestPartsInUTF16AreRead(t *testing.T) {
	for name, c := range map[string]struct{ big, mark bool }{"little-endian": {false, true}, "big-endian": {true, true}, "without a mark": {false, false}} {
		t.Run(name, func(t *testing.T) {
			parts := xlsxtest.Unpack(t, book(t, goodRows+row(3, other, "Perché è così 😀", content)))
			for _, part := range []string{xlsxtest.Sheet1, xlsxtest.Workbook, xlsxtest.Links, xlsxtest.Styles, xlsxtest.Strings} {
				parts[part] = string(xlsxtest.UTF16(strings.Replace(parts[part], `encoding="UTF-8"`, `encoding="UTF-16"`, 1), c.big, c.mark))
			}
			d := whole(t, decode(template(), xlsxtest.Pack(t, parts)))
			require.Empty(t, d.wrong, d.italian())
			require.Len(t, d.rows, 2)
			assert.Equal(t, "Perché è così 😀", d.rows[1].Subject)
			var copied bytes.Buffer
			if err := mark(t, &copied, template(), xlsxtest.Pack(t, parts), d); err != nil {
				require.ErrorIs(t, err, excel.ErrMalformed)
			} else {
				assert.Equal(t, d.rows, whole(t, decode(template(), copied.Bytes())).rows)
			}
			sheet := parts[xlsxtest.Sheet1]
			for i := range 50 {
				parts[xlsxtest.Sheet1] = sheet[:len(sheet)*i/50]
				require.ErrorIs(t, decode(template(), xlsxtest.Pack(t, parts)).err, excel.ErrTruncated)
			}
		})
	}
}

func TestCellsAreReadAsProgramsWriteThem(t *testing.T) {
	behind := row(2, good...)
	cells := strings.TrimSuffix(strings.TrimPrefix(behind, `<row r="2">`), `</row>`)
	for name, file := range map[string][]byte{
		"an inline text and a value":        book(t, headRow+strings.ReplaceAll(behind, `</is>`, `</is><v>altro</v>`)),
		"a value and an inline text":        book(t, headRow+strings.ReplaceAll(behind, `<is>`, `<v>9</v><is>`)),
		"an empty style":                    book(t, headRow+strings.ReplaceAll(behind, `t="inlineStr"`, `s="" t="inlineStr"`)),
		"a row element for each cell":       book(t, headRow+strings.ReplaceAll(behind, `</c><c`, `</c></row><row r="2"><c`)),
		"merged columns beside the data":    book(t, goodRows, `<mergeCells><mergeCell ref="F:G"/></mergeCells>`),
		"merged rows below the data":        book(t, goodRows, `<mergeCells><mergeCell ref="9:10"/></mergeCells>`),
		"a filter among the rows":           book(t, goodRows+`<autoFilter ref="A1:C2"/>`),
		"no number in a column not read":    book(t, row(1, append(headers, "Note")...)+`<row r="2">`+cells+`<c r="D2"><v>NaN</v></c></row>`),
		"no truth value in one without one": book(t, headRow+`<row r="2">`+cells+`<c r="E2" t="b"><v>forse</v></c></row>`),
	} {
		t.Run(name, func(t *testing.T) { readsGoodRow(t, file) })
	}
	t.Run("merged cells among the data are refused", func(t *testing.T) {
		for _, ref := range []string{"A:A", "2:3", "A2:B2"} {
			merges := `<mergeCells><mergeCell ref="` + ref + `"/></mergeCells>`
			for _, file := range [][]byte{book(t, goodRows, merges), book(t, goodRows+merges)} {
				d := decode(template(), file)
				require.ErrorIs(t, d.err, excel.ErrMerged)
				assert.Contains(t, flussi.Explain(d.err), "("+ref+")")
			}
		}
		for _, ref := range []string{"A", "2", "0:2", "A:2", "", "A1:B", "ABCDE:ABCDE"} {
			require.ErrorIs(t, decode(template(), book(t, goodRows, `<mergeCells><mergeCell ref="`+ref+`"/></mergeCells>`)).err, excel.ErrMalformed, ref)
		}
	})
	t.Run("no number in a column that is read refuses the row", func(t *testing.T) {
		d := whole(t, decode(template(), book(t, row(1, append(headers, "Somma")...)+`<row r="2">`+cells+`<c r="D2"><v>NaN</v></c></row>`+row(3, good...))))
		assert.Equal(t, []int{3}, numbers(d))
		require.Len(t, d.wrong, 1)
		require.ErrorIs(t, d.wrong[0], excel.ErrCellType)
		assert.Contains(t, flussi.Explain(d.wrong[0]), "colonna D (Somma): Il valore della cella non è valido")
	})
	t.Run("styles in alternatives", func(t *testing.T) {
		// The style of the date is the third one in either way.
		styles := `<styleSheet ` + xlsxtest.Namespace + ` xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><numFmts count="1"><mc:AlternateContent><mc:Choice Requires="x16r2"><numFmt numFmtId="170" formatCode="dd/mm/yyyy"/></mc:Choice>` +
			`<mc:Fallback><numFmt numFmtId="170" formatCode="0.00"/></mc:Fallback></mc:AlternateContent></numFmts><cellXfs count="3"><xf numFmtId="0"/><mc:AlternateContent><mc:Choice Requires="x14"><xf numFmtId="2"/></mc:Choice>` +
			`<mc:Fallback><xf numFmtId="2"/></mc:Fallback></mc:AlternateContent><xf numFmtId="170"/></cellXfs></styleSheet>`
		d := readsGoodRow(t, withParts(t, xlsxtest.Parts{xlsxtest.Styles: styles, xlsxtest.Sheet1: xlsxtest.Sheet(row(1, append(headers, "Scadenza")...) + `<row r="2">` + cells + `<c r="D2" s="2"><v>47542</v></c></row>`)}))
		assert.Equal(t, "2030-02-28", d.rows[0].Due.Format("2006-01-02"))
		assert.Empty(t, d.report.Notes)
	})
}

func TestBytesBeforeTheArchiveAreNamed(t *testing.T) {
	for name, before := range map[string]string{"a byte order mark": "\uFEFF", "a header": "HTTP/1.1 200 OK\r\n\r\n", "zeros": "\x00\x00\x00\x00", "much": strings.Repeat("\x00\x01", 5000)} {
		t.Run(name, func(t *testing.T) {
			file := append([]byte(before), goodBook(t)...)
			d := &decoded{}
			collect(template().DecodeAny(t.Context(), bytes.NewReader(file), int64(len(file)), &d.report), d)
			require.ErrorIs(t, d.err, excel.ErrMalformed)
			assert.Contains(t, flussi.Explain(d.err), "prima del contenuto ci sono altri dati")
			assert.Equal(t, excel.Workbook, d.report.Format)
		})
	}
}

func TestLinesOfCRAloneAreRead(t *testing.T) {
	for _, last := range []string{"\r", ""} {
		d := whole(t, decodeCSV(template(), strings.Join([]string{csvHeaders, csvGood, csvGood}, "\r")+last))
		require.Empty(t, d.wrong, d.italian())
		assert.Equal(t, []int{2, 3}, numbers(d))
	}
}

func TestQuotesWithinATextAreText(t *testing.T) {
	for _, subject := range []string{`Scuola "Giuseppe Verdi"`, `Tubo da 5" e 6`, `Scuola Verdi"`, `Sala ""Rossa"" ok`} {
		d := whole(t, decodeCSV(template(), csvHeaders+"\n"+code+";"+subject+";"+content+"\n"+csvGood+"\n"))
		require.Empty(t, d.wrong, d.italian())
		require.Len(t, d.rows, 2)
		assert.Equal(t, subject, d.rows[0].Subject)
	}
	t.Run("line ends are known all the same", func(t *testing.T) {
		rows, numbers, err := rawRows(t, "Primo;Ultimo\r5\" a;b\r\"c\nd\";6\"\r")
		require.NoError(t, err)
		assert.Equal(t, []raw{{`5" a`, "b"}, {"c\nd", `6"`}}, rows)
		assert.Equal(t, []int{2, 3}, numbers)
	})
}

func TestBlanksAroundQuotesRefuseTheRow(t *testing.T) {
	for _, field := range []string{` "Oggetto di prova"`, `"Oggetto di prova" `, `  "Oggetto, di prova"  `, ` "Oggetto; di prova"`, ` "Oggetto ""di"" prova"`, ` ""`} {
		d := whole(t, decodeCSV(template(), csvHeaders+"\n"+csvGood+"\n"+code+";"+field+";"+content+"\n"+csvGood+"\n"))
		require.Len(t, d.wrong, 1, field)
		require.ErrorIs(t, d.wrong[0], excel.ErrMalformed)
		assert.Contains(t, flussi.Explain(d.wrong[0]), "Riga 3, colonna B (Oggetto): Ci sono spazi fuori dalle virgolette", field)
		assert.Equal(t, []int{2, 4}, numbers(d))
	}
	t.Run("also in the header", func(t *testing.T) {
		d := whole(t, decodeCSV(template(), `CF; "Oggetto" ; "Contenuto"`+"\n"+csvGood+"\n"))
		require.Empty(t, d.wrong)
		assert.Len(t, d.rows, 1)
	})
	t.Run("quotes in a text that begins with blanks", func(t *testing.T) {
		d := whole(t, decodeCSV(template(), csvHeaders+"\n"+code+`; "Verdi" di Roma;`+content+"\n"))
		require.Empty(t, d.wrong, d.italian())
		assert.Equal(t, ` "Verdi" di Roma`, d.rows[0].Subject)
	})
	for name, field := range map[string]string{"a line break": " \"Oggetto\ndi prova\"", "a separator and more": ` "Oggetto; di" prova`, "no end": ` "Oggetto di prova`} {
		t.Run("and the file with "+name+" within", func(t *testing.T) {
			d := decodeCSV(template(), csvHeaders+"\n"+code+";"+field+";"+content+"\n"+csvGood+"\n")
			require.ErrorIs(t, d.err, excel.ErrMalformed)
			assert.Contains(t, flussi.Explain(d.err), "Alla riga 2 del file c'è uno spazio prima delle virgolette")
		})
	}
}

func TestAShortLastRecordIsARowError(t *testing.T) {
	for end, says := range map[string]string{
		code:                         "mancano le colonne «Oggetto» e «Contenuto»",
		code + ";Oggetto di prova":   "manca la colonna «Contenuto»",
		" ":                          "mancano le colonne «Oggetto» e «Contenuto»",
		code + `;"Oggetto di prova"`: "manca la colonna «Contenuto»",
	} {
		d := whole(t, decodeCSV(template(), csvHeaders+"\n"+csvGood+"\n"+end))
		assert.Equal(t, []int{2}, numbers(d), "the other rows stand")
		require.Len(t, d.wrong, 1)
		require.ErrorIs(t, d.wrong[0], excel.ErrTruncated)
		assert.Contains(t, d.italian(), "Riga 3: Nell'ultima riga del file "+says+": il file può essere incompleto.")
	}
	d := whole(t, decodeCSV(template(), csvHeaders+";Note\n"+csvGood))
	assert.Contains(t, d.italian(), "Riga 2: Nell'ultima riga del file mancano gli ultimi campi")
}

// Wherever a CSV file is cut off, it is refused, or its last row is told, unless the cut is where
// a row ends.
func TestACutOffCSVFileIsTold(t *testing.T) {
	for name, c := range map[string]struct{ text, end string }{
		"plain":  {csvHeaders + "\n" + strings.Repeat(csvGood+"\n", 3), "\n"},
		"CRLF":   {csvHeaders + "\r\n" + strings.Repeat(csvGood+"\r\n", 3), "\r\n"},
		"CR":     {csvHeaders + "\r" + strings.Repeat(csvGood+"\r", 3), "\r"},
		"quotes": {csvHeaders + "\n" + strings.Repeat(code+`;"Sala ""Rossa"" di prova";"`+content+` è ""qui"""`+"\n", 3), "\n"},
		"blanks": {csvHeaders + "\n" + strings.Repeat(code+`; "Sala di prova" ; "`+content+`"`+"\n", 3), "\n"},
		"empty":  {csvHeaders + ";Riferimento;Canale\n" + strings.Repeat(csvGood+";;\n", 2) + ";;;;\n;;;;App IO\n", "\n"},
	} {
		for encoding, encode := range encodings {
			if encoding != "UTF-8" && name != "quotes" {
				continue // the decoder of the text does not know records
			}
			t.Run(name+" "+encoding, func(t *testing.T) {
				file := encode(c.text)
				ended := map[int]bool{}
				for at := range len(c.text) {
					if strings.HasSuffix(c.text[:at], c.end) || c.end == "\r\n" && strings.HasSuffix(c.text[:at], "\r") {
						ended[len(encode(c.text[:at]))] = true
					}
				}
				for size := range len(file) {
					d := decodeCSV(template(), file[:size])
					if d.err != nil || ended[size] {
						continue
					}
					last := strings.Count(strings.ReplaceAll(decodedText(file[:size], encoding), "\r\n", "\n"), c.end[len(c.end)-1:]) + 1
					told := false
					for _, wrong := range d.wrong {
						told = told || wrong.Row == last
					}
					for _, n := range d.report.Notes {
						told = told || n.Row == last && len(n.Warnings) > 0 && errors.Is(n.Warnings[0], excel.ErrTruncated)
					}
					require.True(t, told, "cut at %d of %d: %q", size, len(file), file[max(0, size-20):size])
				}
			})
		}
	}
}

// decodedText returns a text without the zeros of UTF-16, enough to count its lines.
func decodedText(file []byte, encoding string) string {
	if strings.HasPrefix(encoding, "UTF-16") {
		return strings.ReplaceAll(string(file), "\x00", "")
	}
	return string(file)
}

func TestCharactersThatMayNotStandInTexts(t *testing.T) {
	subject := func(s string) *decoded {
		return whole(t, decode(template(), book(t, headRow+row(2, code, "Oggetto"+s+" di prova", content)+row(3, good...))))
	}
	for _, r := range []rune{0x00, 0x07, 0x1B, 0x7F, 0x80, 0x9B, 0x9F, 0x61C, 0x200E, 0x200F, 0x202A, 0x202E, 0x2066, 0x2069, 0xFFFF} {
		text := string(r)
		if r < ' ' || r == 0xFFFF {
			text = fmt.Sprintf("_x%04X_", r)
		}
		d := subject(text)
		require.Len(t, d.wrong, 1, "%U", r)
		require.ErrorIs(t, d.wrong[0], flussi.ErrCharacter)
		assert.Contains(t, flussi.Explain(d.wrong[0]), fmt.Sprintf("Riga 2, colonna B (Oggetto): Il testo contiene un carattere non ammesso (%U, in posizione 8)", r))
		assert.Equal(t, []int{3}, numbers(d))
	}
	for _, s := range []string{"\u00a0", "\u00ad", "👨\u200d👩\u200d👧", "❤\ufe0f", "🏴\U000E0067\U000E007F", "\n", "\t", "\u200b", "’", "è", "e\u0300"} {
		d := subject(s)
		require.Empty(t, d.wrong, "%q", s)
		assert.Equal(t, "Oggetto"+s+" di prova", d.rows[0].Subject)
	}
	t.Run("in a CSV file", func(t *testing.T) {
		d := whole(t, decodeCSV(template(), csvHeaders+"\n"+code+";Oggetto di prova;"+content+"\u202e\n"))
		require.Len(t, d.wrong, 1)
		assert.Contains(t, flussi.Explain(d.wrong[0]), "colonna C (Contenuto): Il testo contiene un carattere non ammesso (U+202E, in posizione 121)")
	})
	t.Run("what is stored can be read", func(t *testing.T) {
		r := must.Get(excel.AnyText(1, 10).Read(excel.Cell{Type: excel.TextCell, Text: "a\x1b"}))(t)
		assert.Equal(t, "a\x1b", r.Value)
	})
}
