// Package xlsxtest makes workbooks part by part, so that tests can make those that no
// office software would.
package xlsxtest

import (
	"archive/zip"
	"bytes"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// The parts that [Book] writes unless they are given.
const (
	ContentTypes = "[Content_Types].xml"
	RootLinks    = "_rels/.rels"
	Workbook     = "xl/workbook.xml"
	Links        = "xl/_rels/workbook.xml.rels"
	Styles       = "xl/styles.xml"
	Strings      = "xl/sharedStrings.xml"
	Sheet1       = "xl/worksheets/sheet1.xml"
	Sheet2       = "xl/worksheets/sheet2.xml"
)

// Parts are the texts of parts by their names; "-" leaves a part out.
type Parts map[string]string

const head = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"

// The namespaces of sheets and links.
const (
	Namespace = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`
	office    = `http://schemas.openxmlformats.org/officeDocument/2006/relationships`
	packages  = `http://schemas.openxmlformats.org/package/2006`
)

// standard has one sheet, "Dati", styles 0 plain, 1 text, 2 date, 3 percent, 4 with
// leading zeros, and two shared strings.
func standard() Parts {
	return Parts{
		ContentTypes: head + `<Types xmlns="` + packages + `/content-types"><Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
			`<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>` +
			`<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>` +
			`<Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>` +
			`<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>`,
		RootLinks: head + `<Relationships xmlns="` + packages + `/relationships"><Relationship Id="rId1" Type="` + office + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		Workbook:  head + `<workbook ` + Namespace + ` xmlns:r="` + office + `"><sheets><sheet name="Dati" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		Links: head + `<Relationships xmlns="` + packages + `/relationships"><Relationship Id="rId1" Type="` + office + `/worksheet" Target="worksheets/sheet1.xml"/>` +
			`<Relationship Id="rId2" Type="` + office + `/styles" Target="styles.xml"/><Relationship Id="rId3" Type="` + office + `/sharedStrings" Target="sharedStrings.xml"/>` +
			`<Relationship Id="rId4" Type="` + office + `/worksheet" Target="worksheets/sheet2.xml"/></Relationships>`,
		Styles: head + `<styleSheet ` + Namespace + `><numFmts count="1"><numFmt numFmtId="164" formatCode="0000"/></numFmts>` +
			`<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>` +
			`<borders count="1"><border/></borders><cellStyleXfs count="1"><xf numFmtId="0"/></cellStyleXfs>` +
			`<cellXfs count="5"><xf numFmtId="0"/><xf numFmtId="49"/><xf numFmtId="14"/><xf numFmtId="10"/><xf numFmtId="164"/></cellXfs></styleSheet>`,
		Strings: head + `<sst ` + Namespace + ` count="2" uniqueCount="2"><si><t>primo</t></si><si><r><rPr><b/></rPr><t>sec</t></r><r><t>ondo</t></r><rPh sb="0" eb="1"><t>no</t></rPh></si></sst>`,
		Sheet1:  Sheet(``),
	}
}

// Sheet returns the part of a sheet with these rows, and what follows them.
func Sheet(rows string, behind ...string) string {
	text := head + `<worksheet ` + Namespace + `><sheetData>` + rows + `</sheetData>`
	for _, b := range behind {
		text += b
	}
	return text + `</worksheet>`
}

// Book packs a workbook of the standard parts, but for those given.
func Book(tb testing.TB, parts Parts) []byte {
	all := standard()
	maps.Copy(all, parts)
	return Pack(tb, all)
}

// Pack packs parts, those that are "-" left out.
func Pack(tb testing.TB, parts Parts) []byte {
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		if parts[name] == "-" {
			continue
		}
		w, err := z.Create(name)
		require.NoError(tb, err)
		_, err = w.Write([]byte(parts[name]))
		require.NoError(tb, err)
	}
	require.NoError(tb, z.Close())
	return buf.Bytes()
}

// Unpack returns the parts of a workbook.
func Unpack(tb testing.TB, book []byte) Parts {
	z, err := zip.NewReader(bytes.NewReader(book), int64(len(book)))
	require.NoError(tb, err)
	parts := Parts{}
	for _, f := range z.File {
		r, err := f.Open()
		require.NoError(tb, err)
		var text bytes.Buffer
		_, err = text.ReadFrom(r)
		require.NoError(tb, err)
		require.NoError(tb, r.Close())
		parts[f.Name] = text.String()
	}
	return parts
}
