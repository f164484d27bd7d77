package excel_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/xlsxtest"
)

func windows1252(s string) []byte {
	var b []byte
	for _, r := range s {
		switch {
		case r == '€':
			b = append(b, 0x80)
		case r < 0x100:
			b = append(b, byte(r))
		default:
			panic("not in the table")
		}
	}
	return b
}

func TestCSVFilesAreRead(t *testing.T) {
	text := func(separator, end string) string {
		line := func(fields ...string) string { return strings.Join(fields, separator) + end }
		return line("C.F.", "Oggetto", "Contenuto", "Somma", "Numero avviso") +
			line(code, "Perché è così", `"Prima riga`+end+`seconda con ""virgolette""; e, `+"\t"+content+`"`, `"€ 1.234,56"`, "301005100001400678") + end +
			line(other, "Oggetto di prova", content, "", "")
	}
	want := func(end string) string {
		return "Prima riga" + strings.ReplaceAll(end, "\r\n", "\n") + `seconda con "virgolette"; e, ` + "\t" + content
	}
	for name, c := range map[string]struct {
		file     []byte
		encoding string
		end      string
	}{
		"semicolons":                {[]byte(text(";", "\n")), "UTF-8", "\n"},
		"commas":                    {[]byte(text(",", "\r\n")), "UTF-8", "\r\n"},
		"tabs":                      {[]byte(text("\t", "\n")), "UTF-8", "\n"},
		"byte order mark":           {[]byte("\uFEFF" + text(";", "\r\n")), "UTF-8", "\r\n"},
		"sep line":                  {[]byte("sep=;\r\n" + text(";", "\r\n")), "UTF-8", "\r\n"},
		"another sep line":          {[]byte("\uFEFF\"SEP=|\"\n" + text("|", "\n")), "UTF-8", "\n"},
		"UTF-16 LE":                 {xlsxtest.UTF16(text(";", "\r\n"), false, true), "UTF-16", "\r\n"},
		"UTF-16 BE":                 {xlsxtest.UTF16(text("\t", "\n"), true, true), "UTF-16", "\n"},
		"UTF-16 without mark":       {xlsxtest.UTF16(text(";", "\n"), false, false), "UTF-16", "\n"},
		"UTF-16 and sep":            {xlsxtest.UTF16("sep=,\r\n"+text(",", "\r\n"), false, true), "UTF-16", "\r\n"},
		"Windows-1252":              {windows1252(text(";", "\r\n")), "Windows-1252", "\r\n"},
		"without the last line end": {[]byte(strings.TrimSuffix(text(";", "\n"), "\n")), "UTF-8", "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			d := whole(t, decodeCSV(template(), c.file))
			require.Empty(t, d.wrong)
			assert.Equal(t, []int{2, 4}, numbers(d), "as a spreadsheet numbers the rows")
			assert.Equal(t, "Perché è così", d.rows[0].Subject)
			assert.Equal(t, want(c.end), d.rows[0].Content.Reveal())
			assert.Equal(t, flussi.Cents(123456), d.rows[0].Amount)
			assert.Equal(t, mustNumber("301005100001400678"), d.rows[0].Number)
			assert.Equal(t, mustCode(other), d.rows[1].Recipient)
			assert.Equal(t, c.encoding, d.report.Encoding)
			assert.Equal(t, excel.CSV, d.report.Format)
			assert.True(t, d.report.OK())
		})
	}
}

func TestCSVFilesThatCannotBeRead(t *testing.T) {
	head := "CF;Oggetto;Contenuto\n"
	line := code + ";Oggetto di prova;" + content + "\n"
	for name, c := range map[string]struct {
		file string
		err  error
		says string
	}{
		"quotes that do not close":      {head + line + code + `;"Oggetto;` + content + "\n" + line, excel.ErrTruncated, "riga 3"},
		"quote out of place":            {head + line + code + `;"Og"getto;` + content + "\n", excel.ErrMalformed, "riga 3"},
		"quote out of place at the end": {head + line + code + `;Oggetto;"a" b`, excel.ErrTruncated, "riga 3"},
		"quote out of place far below":  {head + line + code + ";Oggetto;\"a\nb\" c\n" + line, excel.ErrTruncated, "riga 3"},
		"cut off inside a character":    {head + "MSCMHL68P18H211K;Però;x\n" + "\xC3", excel.ErrTruncated, "metà di un carattere"},
		"mixed encodings":               {head + "è;\xE8;x\n", excel.ErrMalformed, "codifiche diverse"},
		"byte that no encoding has":     {head + "\x81;x;x\n", excel.ErrMalformed, "codifiche diverse"},
		"zero bytes":                    {strings.Repeat(head, 300) + "a\x00b\n", excel.ErrMalformed, "non fanno parte di un testo"},
		"UTF-16 cut off":                {string(xlsxtest.UTF16(head+line, false, true)[:101]), excel.ErrTruncated, "metà di un carattere"},
		"UTF-16 with half a pair":       {string(xlsxtest.UTF16(head+code+";a", false, true)) + "\x00\xD8" + string(xlsxtest.UTF16(";x\n", false, false)), excel.ErrMalformed, "non si può leggere"},
		"no header":                     {line + line, excel.ErrHeader, "prime 20 righe"},
		"a record that does not end":    {head + "\"" + strings.Repeat("x", 3<<20) + "\"", excel.ErrLimit, "riga"},
		"a field too long":              {head + "\"" + strings.Repeat("x", 40_000) + "\"\n", excel.ErrLimit, "32.767"},
		"too many columns":              {head + strings.Repeat("x;", 300) + "\n", excel.ErrLimit, "256 colonne"},
		"empty":                         {"", excel.ErrFormat, "vuoto"},
	} {
		t.Run(name, func(t *testing.T) {
			d := decodeCSV(template(), c.file)
			require.ErrorIs(t, d.err, c.err)
			assert.Contains(t, flussi.Explain(d.err), c.says)
			assert.False(t, d.report.Complete)
			assert.NotContains(t, fmt.Sprintf("%v %+v %s", d.err, d.report, d.italian()), code)
		})
	}
	t.Run("more fields than the header", func(t *testing.T) {
		d := whole(t, decodeCSV(template(), head+code+";Oggetto di prova;testo; e altro\n"+line+code+";Oggetto di prova;"+content+";\n"))
		require.Len(t, d.wrong, 1)
		require.ErrorIs(t, d.wrong[0], excel.ErrFields)
		assert.Equal(t, []int{3, 4}, numbers(d), "empty fields behind the last are nothing")
	})
	t.Run("more fields than the header, by each separator", func(t *testing.T) {
		for separator, says := range map[string]string{
			";": "il punto e virgola. Un testo che lo contiene va scritto fra virgolette.", "\t": "la tabulazione. Un testo che la contiene",
			",": "la virgola. Un importo con i decimali, come 10,40, o un testo con una virgola va scritto fra virgolette; altrimenti salvare il file con il punto e virgola come separatore.",
			"|": "la barra verticale. Un testo che la contiene",
		} {
			file := strings.Join([]string{"CF", "Oggetto", "Contenuto"}, separator) + "\n" + strings.Join([]string{code, "Oggetto di prova", content, "40"}, separator) + "\n"
			if separator == "|" {
				file = "sep=|\n" + file
			}
			d := whole(t, decodeCSV(template(), file))
			require.Len(t, d.wrong, 1, separator)
			assert.Contains(t, d.wrong[0].Italian(), "La riga ha più campi dell'intestazione: nel file il separatore dei campi è "+says)
		}
	})
	t.Run("a short row in the middle has empty fields", func(t *testing.T) {
		d := whole(t, decodeCSV(template(), "CF;Oggetto;Contenuto;Scadenza\n"+line+line))
		assert.Len(t, d.rows, 2)
	})
}

func TestFilesOfOtherKindsAreNamed(t *testing.T) {
	compound := "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + strings.Repeat("\x00", 70_000)
	wide := func(s string) string { return string(xlsxtest.UTF16(s, false, false)) }
	marked := func(s string) string { return string(xlsxtest.UTF16(s, true, true)) }
	for name, c := range map[string]struct {
		file   string
		format excel.Format
		says   string
	}{
		"xls":                  {compound + wide("Workbook") + "\x00\x00", excel.LegacyWorkbook, ".xls"},
		"xls, in capitals":     {compound + wide("WORKBOOK") + "\x00\x00", excel.LegacyWorkbook, ".xls"},
		"xls of Excel 5":       {compound + wide("BOOK") + "\x00\x00", excel.LegacyWorkbook, ".xls"},
		"xls of Excel 2":       {"\x09\x00\x04\x00\x02\x00\x10\x00\x00\x00", excel.LegacyWorkbook, ".xls"},
		"xls of Excel 3":       {"\x09\x02\x06\x00\x00\x00\x10\x00\x00\x00", excel.LegacyWorkbook, ".xls"},
		"xls of Excel 4":       {"\x09\x04\x06\x00\x00\x00\x10\x00\x00\x00", excel.LegacyWorkbook, ".xls"},
		"xls without streams":  {"\x09\x08\x10\x00\x00\x06\x05\x00", excel.LegacyWorkbook, ".xls"},
		"encrypted":            {compound + wide("EncryptedPackage") + wide("Workbook\x00"), excel.Encrypted, "password"},
		"doc":                  {compound + wide("WordDocument"), excel.OtherOffice, "altro documento Office"},
		"some container":       {compound, excel.UnknownFormat, "non è riconosciuto"},
		"HTML":                 {"\uFEFF \n<!DOCTYPE html><html><table>", excel.HTML, "HTML"},
		"HTML table":           {"<table><tr><td>a</td></tr></table>", excel.HTML, "HTML"},
		"HTML in UTF-16":       {marked("\r\n<html>\n<table>"), excel.HTML, "HTML"},
		"HTML without mark":    {wide("<HTML><body>a</body></HTML>"), excel.HTML, "HTML"},
		"HTML of a div":        {"<div class=\"x\"><table>", excel.HTML, "HTML"},
		"HTML of a paragraph":  {"<P>a</P>", excel.HTML, "HTML"},
		"XHTML":                {`<?xml version="1.0"?><html xmlns="x">`, excel.HTML, "HTML"},
		"XML 2003":             {`<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>`, excel.XMLDocument, "XML"},
		"XML in UTF-16":        {marked(`<?xml version="1.0"?><Workbook/>`), excel.XMLDocument, "XML"},
		"PDF":                  {"%PDF-1.7\n", excel.PDF, "PDF"},
		"RTF":                  {`{\rtf1 a}`, excel.RichText, ".rtf"},
		"CSV":                  {"a;b\n1;2\n", excel.CSV, "CSV"},
		"CSV with brackets":    {"<divisione>;<a-b>\n1;2\n", excel.CSV, "CSV"},
		"UTF-16 CSV":           {marked("a;b\n1;2\n"), excel.CSV, "CSV"},
		"PNG":                  {"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", excel.Image, "immagine"},
		"JPEG":                 {"\xFF\xD8\xFF\xE0\x00\x10JFIF\x00", excel.Image, "immagine"},
		"GIF":                  {"GIF89a\x01\x00\x01\x00", excel.Image, "immagine"},
		"TIFF":                 {"II*\x00\x08\x00\x00\x00", excel.Image, "immagine"},
		"BMP":                  {"BM\x8a\x00\x10\x00\x00\x00\x00\x00\x8a\x00\x00\x00\x7c\x00", excel.Image, "immagine"},
		"WebP":                 {"RIFF\x24\x1a\x00\x00WEBPVP8 ", excel.Image, "immagine"},
		"HEIC":                 {"\x00\x00\x00\x24ftypheic\x00\x00\x00\x00mif1", excel.Image, "immagine"},
		"HEIC of several":      {"\x00\x00\x00\x24ftyphevc\x00\x00\x00\x00", excel.Image, "immagine"},
		"HEIF":                 {"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00heic", excel.Image, "immagine"},
		"HEIF of several":      {"\x00\x00\x00\x18ftypmsf1\x00\x00\x00\x00", excel.Image, "immagine"},
		"AVIF":                 {"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00", excel.Image, "immagine"},
		"SVG":                  {"<svg xmlns=\"http://www.w3.org/2000/svg\">", excel.Image, "immagine"},
		"SVG as XML":           {`<?xml version="1.0"?><!-- a --><svg width="1">`, excel.Image, "immagine"},
		"CSV, BM":              {"BM;a\n1;2\n", excel.CSV, "CSV"},
		"CSV, RIFF":            {"RIFF;a;WEB\n1;2\n", excel.CSV, "CSV"},
		"CSV, ftyp":            {"a;ftypheic;b\n", excel.CSV, "CSV"},
		"a film":               {"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00", excel.UnknownFormat, "non è riconosciuto"},
		"a sound":              {"RIFF\x24\x1a\x00\x00WAVEfmt \x10\x00", excel.UnknownFormat, "non è riconosciuto"},
		"bytes":                {"\x01\x02\x03\x00\x05\x06", excel.UnknownFormat, "non è riconosciuto"},
		"empty":                {"", excel.EmptyFile, "vuoto"},
		"ods":                  {zipOf(t, "mimetype", "content.xml"), excel.OpenDocument, "LibreOffice"},
		"xlsb":                 {zipOf(t, "[Content_Types].xml", "_rels/.rels", "xl/workbook.bin"), excel.BinaryWorkbook, ".xlsb"},
		"xlsb, external links": {zipOf(t, "[Content_Types].xml", "_rels/.rels", "xl/workbook.bin", "xl/externalLinks/externalLink1.bin"), excel.BinaryWorkbook, ".xlsb"},
		"docx":                 {zipOf(t, "[Content_Types].xml", "_rels/.rels", "word/document.xml"), excel.OtherOffice, "altro documento Office"},
		"docx behind a mark":   {"\uFEFF" + zipOf(t, "[Content_Types].xml", "_rels/.rels", "word/document.xml"), excel.OtherOffice, "altro documento Office"},
		"zip":                  {zipOf(t, "a.txt"), excel.OtherArchive, "archivio"},
		"gzip":                 {"\x1F\x8B\x08\x00\x00\x00", excel.OtherArchive, "archivio"},
	} {
		t.Run(name, func(t *testing.T) {
			d := decode(template(), []byte(c.file))
			require.ErrorIs(t, d.err, excel.ErrFormat)
			file := must.As[*excel.FileError](t, d.err)
			assert.Equal(t, c.format, file.Format)
			assert.Contains(t, flussi.Explain(d.err), c.says)
			assert.Equal(t, c.format, d.report.Format)
			if c.format != excel.CSV {
				require.ErrorIs(t, decodeCSV(template(), c.file).err, excel.ErrFormat)
			}
		})
	}
	require.ErrorIs(t, decodeCSV(template(), book(t, headRow)).err, excel.ErrFormat)
}

func TestAnyFileIsReadByItsContent(t *testing.T) {
	for _, file := range [][]byte{goodBook(t), []byte(csvHeaders + "\n" + csvGood + "\n")} {
		var report excel.Report
		assert.Len(t, linesOf(t, template().DecodeAny, file, &report), 1)
		assert.True(t, report.OK())
	}
	_, err := excel.Collect(template().DecodeAny(t.Context(), strings.NewReader("%PDF"), 4, nil))
	require.ErrorIs(t, err, excel.ErrFormat)
}
