package excel_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/xlsxtest"
)

// small is a template with limits that a fuzzer can reach.
func small() *excel.Template[notice] {
	return template(func(c *config) {
		c.Limits = excel.Limits{FileBytes: 1 << 20, UnpackedBytes: 2 << 20, TextBytes: 1 << 20, Rows: 1000, Errors: 50}
	})
}

// settle decodes a file and checks what must hold whatever the file is.
func settle(t *testing.T, decode func() *decoded) {
	begun := time.Now()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	d := decode()
	runtime.ReadMemStats(&after)
	if spent := after.TotalAlloc - before.TotalAlloc; spent > 64<<20 { // all limits together are 4 MiB
		t.Fatalf("%d bytes allocated", spent)
	}
	if d.err == nil != d.report.Complete {
		t.Fatalf("complete: %v, error: %v", d.report.Complete, d.err)
	}
	var file *excel.FileError
	if d.err != nil && !errors.As(d.err, &file) {
		t.Fatalf("not a *FileError: %v", d.err)
	}
	if d.report.Rows != len(d.rows) || d.report.Invalid != len(d.wrong) {
		t.Fatal("the report counts otherwise")
	}
	last := 0
	for _, line := range d.lines {
		if line.Number <= last {
			t.Fatal("rows out of order")
		}
		last = line.Number
	}
	if time.Since(begun) > 20*time.Second { // a hang, on whatever machine
		t.Fatal("takes too long")
	}
}

func FuzzDecode(f *testing.F) {
	tpl := small()
	f.Add(encodeSeed(f, tpl))
	f.Add([]byte("PK\x03\x04"))
	f.Add(xlsxtest.Book(f, nil))
	f.Add(append([]byte("\uFEFF"), xlsxtest.Book(f, nil)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		settle(t, func() *decoded { return decode(tpl, data) })
	})
}

func encodeSeed(f *testing.F, tpl *excel.Template[notice]) []byte { return encode(f, tpl, generate(3)) }

// The parts are mutated before they are packed, so that checksums do not hide them.
func FuzzDecodeParts(f *testing.F) {
	tpl := small()
	sheet := xlsxtest.Sheet(goodRows+`<row r="3"><c r="A3" t="s"><v>0</v></c><c r="B3" s="2"><v>45716</v></c><c r="C3" t="e"><v>#N/A</v></c></row>`, `<mergeCells count="1"><mergeCell ref="A8:B9"/></mergeCells>`)
	standard := xlsxtest.Unpack(f, xlsxtest.Book(f, nil))
	f.Add(sheet, standard[xlsxtest.Strings], standard[xlsxtest.Styles], standard[xlsxtest.Workbook], standard[xlsxtest.Links])
	full := xlsxtest.Unpack(f, encodeSeed(f, tpl))
	f.Add(xlsxtest.Sheet(headRow+`<row r="2"><c r="A2" s="" t="inlineStr"><v>1</v><is><t>`+code+`</t></is></c></row><row r="2"><c r="B2"><f t="shared" si="0">[1]x!A1</f><v>NaN</v></c></row><autoFilter ref="A1:C2"/>`, `<mergeCells><mergeCell ref="F:G"/><mergeCell ref="8:9"/></mergeCells>`),
		`<sst uniqueCount="7"><si><t>primo</t></si></sst>`, `<styleSheet><cellXfs><AlternateContent><Choice><xf numFmtId="14"/></Choice><Fallback><xf/></Fallback></AlternateContent></cellXfs></styleSheet>`,
		`<workbook xmlns:r="r"><sheets><sheet name="Modulo1" r:id=""/><sheet name="Dati" r:id="rId1"/></sheets></workbook>`, standard[xlsxtest.Links])
	wide := func(s string) string {
		return string(xlsxtest.UTF16(strings.Replace(s, "UTF-8", "UTF-16", 1), false, true))
	}
	f.Add(wide(sheet), wide(standard[xlsxtest.Strings]), wide(standard[xlsxtest.Styles]), wide(standard[xlsxtest.Workbook]), wide(standard[xlsxtest.Links]))
	f.Add(full[xlsxtest.Sheet1], standard[xlsxtest.Strings], full[xlsxtest.Styles], full[xlsxtest.Workbook], full[xlsxtest.Links])
	f.Fuzz(func(t *testing.T, sheet, texts, styles, workbook, links string) {
		var buf bytes.Buffer
		z := zip.NewWriter(&buf)
		for name, part := range map[string]string{
			xlsxtest.RootLinks: standard[xlsxtest.RootLinks], xlsxtest.Sheet1: sheet, xlsxtest.Strings: texts, xlsxtest.Styles: styles, xlsxtest.Workbook: workbook, xlsxtest.Links: links,
		} {
			w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write([]byte(part)); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		settle(t, func() *decoded { return decode(tpl, buf.Bytes()) })
	})
}

func FuzzDecodeCSV(f *testing.F) {
	tpl := small()
	for _, seed := range []string{
		"CF;Oggetto;Contenuto\nMSCMHL68P18H211K;Oggetto di prova;\"a\nb\"\n", "sep=,\r\nCF,Oggetto,Contenuto\r\n", "CF\tOggetto\tContenuto\n\xE8\t\t\n",
		"\xFF\xFEC\x00F\x00;\x00O\x00", "\xEF\xBB\xBFCF;\"", "C\x00F\x00\n\x00",
	} {
		f.Add([]byte(seed))
	}
	for end := range lineEnds {
		lines := "CF;Oggetto;Contenuto;Riferimento" + end + code + ";Oggetto di prova;\"" + content + end + "è\";\"a" + end + "\"" + end + end +
			other + ";Oggetto di prova;" + content + ";b" + end
		for _, encode := range encodings {
			f.Add(encode(lines))
			f.Add(encode("sep=;" + end + lines + "\r"))
		}
	}
	for _, seed := range []string{"CF;Oggetto;Contenuto\n\"a\"\r;b;c\n", "CF;Oggetto;Contenuto\n a\"b;\"c\" ; \"d\";e\n\"f\"g", "CF; \"Oggetto\";Contenuto\r5\";6\"\r \"a;", "<div>", "\uFEFFPK\x03\x04", "CF;Oggetto;Contenuto\n;;",
		"CF;Oggetto;Contenuto\ra;b;c\n", "CF;Oggetto;Contenuto\r\r\n\"\r\r\n\r", "\r\r\n\r\r\nCF\tOggetto\tContenuto\r\r"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		settle(t, func() *decoded {
			d := decodeCSV(tpl, data)
			for _, n := range d.rows {
				if strings.Contains(n.Subject+n.Content.Reveal()+n.Reference, "\r") {
					t.Fatal("a carriage return is in a value")
				}
			}
			return d
		})
	})
}
