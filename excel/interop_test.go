package excel_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/exceltest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/xlsxtest"
)

// sharedRows are the rows of testdata/rows.json, from which all programs make their
// files.
func sharedRows(t *testing.T) []notice {
	data := must.Get(os.ReadFile("testdata/rows.json"))(t)
	var stored []struct {
		Code, Subject, Content, Due, Number, Channel, Reference string
		Cents, Priority                                         int64
		Late                                                    bool
	}
	require.NoError(t, json.Unmarshal(data, &stored))
	var rows []notice
	for _, s := range stored {
		n := notice{Recipient: mustCode(s.Code), Subject: s.Subject, Content: flussi.NewText(s.Content), Amount: flussi.Cents(s.Cents), Late: s.Late, Priority: s.Priority, Reference: s.Reference}
		n.Channel = map[string]string{"App IO": "io", "Sportello": "desk"}[s.Channel]
		if s.Number != "" {
			n.Number = mustNumber(s.Number)
		}
		if s.Due != "" {
			day := must.Get(time.Parse(time.DateOnly, s.Due))(t)
			n.Due = must.Get(flussi.EndOfDay(day.Date()))(t)
		}
		rows = append(rows, n)
	}
	return rows
}

// The files of two JavaScript libraries, of openpyxl, gnumeric, LibreOffice and the workbook engine
// hold the same rows.
func TestAllProgramsFilesHoldTheSameRows(t *testing.T) {
	want := sharedRows(t)
	files := map[string][]byte{"ours": encode(t, template(), excel.Rows(slices.Values(want)))}
	files["excelize"] = resave(t, files["ours"])
	files["excelize, shared strings"] = excelizeBook(t, want)
	for _, name := range []string{"exceljs.xlsx", "sheetjs.xlsx", "sheetjs-inline.xlsx", "libreoffice.xlsx", "libreoffice-from-ods.xlsx", "openpyxl.xlsx", "gnumeric.xlsx"} {
		data := must.Get(os.ReadFile(filepath.Join("testdata", name)))(t)
		files[name] = data
	}
	for name, data := range files {
		t.Run(name, func(t *testing.T) {
			d := whole(t, decode(template(), data))
			require.Empty(t, d.wrong, d.italian())
			require.Len(t, d.rows, len(want))
			for i := range want {
				require.Equal(t, want[i], d.rows[i], "row %d", i)
			}
		})
	}
}

// excelizeBook writes rows cell by cell, as programs do that know the engine only.
func excelizeBook(t *testing.T, rows []notice) []byte {
	f := excelize.NewFile()
	defer func() { require.NoError(t, f.Close()) }()
	date := must.Get(f.NewStyle(&excelize.Style{NumFmt: 14}))(t)
	require.NoError(t, f.SetSheetRow("Sheet1", "A1", &[]string{"CF", "Oggetto", "Testo", "Scadenza", "Importo", "Codice avviso", "Paga dopo la scadenza", "Priorità", "Canale", "Riferimento"}))
	for i, n := range rows {
		values := []any{n.Recipient.Reveal(), n.Subject, n.Content.Reveal(), nil, nil, n.Number.Reveal(), n.Late, n.Priority, map[string]string{"io": "App IO", "desk": "Sportello"}[n.Channel], n.Reference}
		if !n.Due.IsZero() {
			values[3] = float64(n.Due.Add(time.Hour).Truncate(24*time.Hour).Unix()-time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).Unix()) / 86_400
		}
		if n.Amount > 0 {
			values[4] = float64(n.Amount) / 100
		}
		require.NoError(t, f.SetSheetRow("Sheet1", must.Get(excelize.CoordinatesToCellName(1, i+2))(t), &values))
		due := must.Get(excelize.CoordinatesToCellName(4, i+2))(t)
		require.NoError(t, f.SetCellStyle("Sheet1", due, due, date))
	}
	var buf bytes.Buffer
	require.NoError(t, f.Write(&buf))
	return buf.Bytes()
}

// fromSharePoint adds to a workbook the parts of documents that came from SharePoint.
func fromSharePoint(t *testing.T, file []byte) []byte {
	parts := xlsxtest.Unpack(t, file)
	add := func(part, before, text string) {
		require.Contains(t, parts[part], before)
		parts[part] = strings.Replace(parts[part], before, text+before, 1)
	}
	add(xlsxtest.Links, `</Relationships>`, link("rIdCustom", "customXml", "../customXml/item1.xml"))
	add(xlsxtest.ContentTypes, `</Types>`, `<Override PartName="/customXml/itemProps1.xml" ContentType="application/vnd.openxmlformats-officedocument.customXmlProperties+xml"/>`)
	parts["customXml/item1.xml"] = `<p:properties xmlns:p="http://schemas.microsoft.com/office/2006/metadata/properties"><documentManagement/></p:properties>`
	parts["customXml/itemProps1.xml"] = `<ds:datastoreItem ds:itemID="{7A5C0A1B-6B0B-4B7B-9C0B-2F0A3E6C1D11}" xmlns:ds="http://schemas.openxmlformats.org/officeDocument/2006/customXml"/>`
	parts["customXml/_rels/item1.xml.rels"] = relationships + link("rId1", "customXmlProps", "itemProps1.xml") + `</Relationships>`
	return xlsxtest.Pack(t, parts)
}

// Rows survive LibreOffice: opened and saved, and by way of its own format.
func TestRowsComeBackFromLibreOffice(t *testing.T) {
	exceltest.NeedsLibreOffice(t)
	tpl := template()
	want := sharedRows(t)
	r := rand.New(rand.NewPCG(11, 4))
	for range 40 {
		n := randomRow(r)
		// LibreOffice itself changes tabs, line ends in short texts, blanks at the ends,
		// and texts that look like the escapes of the format.
		tidy := strings.NewReplacer("\t", " ", "_x", "-x")
		line := strings.NewReplacer("\t", " ", "_x", "-x", "\n", " ", "\u00a0", " ")
		n.Subject = strings.TrimSpace(line.Replace(n.Subject)) + "."
		n.Content = flussi.NewText(strings.TrimSpace(tidy.Replace(n.Content.Reveal())) + ".")
		n.Reference = strings.TrimSpace(line.Replace(n.Reference))
		if flussi.NewText(n.Subject).Length() >= 10 && flussi.NewText(n.Subject).Length() <= 120 && flussi.NewText(n.Content.Reveal()).Length() >= 120 {
			want = append(want, n)
		}
	}
	file := encode(t, tpl, excel.Rows(slices.Values(want)))
	same := func(name string, d *decoded) {
		require.NoError(t, d.err, "%s: %s", name, flussi.Explain(d.err))
		require.Empty(t, d.wrong, "%s: %s", name, d.italian())
		require.Len(t, d.rows, len(want), name)
		for i := range want {
			require.Equal(t, want[i], d.rows[i], "%s, row %d", name, i)
		}
	}
	saved := exceltest.LibreOffice(t, "xlsx", "righe.xlsx", fromSharePoint(t, file))
	assert.Contains(t, xlsxtest.Unpack(t, saved)[xlsxtest.RootLinks], `"../customXml/item1.xml"`)
	for name, data := range map[string][]byte{"saved": saved, "saved twice": exceltest.LibreOffice(t, "xlsx", "righe.xlsx", saved)} {
		d := decode(tpl, data)
		same(name, d)
		assert.Equal(t, "Notifiche, versione 1", d.report.Template.Reveal(), name)
		assert.Equal(t, 1, d.report.Totals, name)
	}
	same("by way of ods", decode(tpl, exceltest.LibreOffice(t, "xlsx", "righe.ods", exceltest.LibreOffice(t, "ods", "righe.xlsx", file))))
}

// The blank workbook, an export and an annotated copy open in LibreOffice.
func TestLibreOfficeOpensWhatIsWritten(t *testing.T) {
	exceltest.NeedsLibreOffice(t)
	tpl := template()
	var blank, marked bytes.Buffer
	require.NoError(t, tpl.Blank(t.Context(), &blank))
	file := operators(t, tpl)
	d := decode(tpl, file)
	require.NoError(t, mark(t, &marked, tpl, file, d))
	for name, data := range map[string][]byte{"modello.xlsx": blank.Bytes(), "annotato.xlsx": marked.Bytes()} {
		pdf := exceltest.LibreOffice(t, "pdf", name, data)
		assert.True(t, bytes.HasPrefix(pdf, []byte("%PDF")), name)
	}
	legacy := decode(tpl, exceltest.LibreOffice(t, "xls", "modello.xlsx", blank.Bytes()))
	require.ErrorIs(t, legacy.err, excel.ErrFormat)
	assert.Equal(t, excel.LegacyWorkbook, legacy.report.Format)
	open := decode(tpl, exceltest.LibreOffice(t, "ods", "modello.xlsx", blank.Bytes()))
	require.ErrorIs(t, open.err, excel.ErrFormat)
	assert.Equal(t, excel.OpenDocument, open.report.Format)
}
