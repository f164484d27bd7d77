package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/examples/internal/storage"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/xlsxtest"
)

// hardColumns are the columns of the files that are tried here, in their order.
var hardColumns = []string{"Codice fiscale", "Oggetto", "Contenuto", "Scadenza", "Somma", "Numero avviso", "Ente creditore", "Paga dopo la scadenza", "Riferimento"}

// hardTexts returns the texts of the row of the nth citizen, which is right.
func hardTexts(n int) []string {
	return []string{appiotest.SampleCitizen(n).Reveal(), fmt.Sprintf("Oggetto segreto %d", n), "Contenuto segreto: " + strings.Repeat("perché così è. ", 8),
		"28/02/2099", "12,50", appiotest.SampleNotice(n).Reveal(), "", "", fmt.Sprintf("PR-%d", n)}
}

// storedTexts returns what is stored of that row, as textOf has it.
func storedTexts(n int) []string {
	texts := hardTexts(n)
	texts[3], texts[7] = "2099-02-28T22:59:59Z", "No"
	return texts
}

// textOf returns what is stored of the columns of a notification, in the open.
func textOf(n flow.Notification) []string {
	due := ""
	if !n.DueDate.IsZero() {
		due = n.DueDate.Format(time.RFC3339Nano)
	}
	return []string{n.Recipient.Reveal(), n.Subject.Reveal(), n.Content.Reveal(), due, n.Amount.String(), n.NoticeNumber.Reveal(),
		n.Payee.String(), yes(n.PayableAfterDue), n.Reference}
}

// wrongTexts returns a row with an amount that has two readings.
func wrongTexts(n int) []string {
	texts := hardTexts(n)
	texts[4] = "1.234"
	return texts
}

// hardCell is a cell as the file holds it: what stands in its tag, what between its tags,
// and the text or the number of it.
type hardCell struct{ attributes, inside, text string }

// typed returns a cell as programs write it, like the functions below. The numbers of the styles
// are those of hardStyles.
func typed(s string) hardCell {
	escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(s)
	return hardCell{` s="1" t="inlineStr"`, `<is><t xml:space="preserve">` + escaped + `</t></is>`, s}
}
func valued(attributes, s string) hardCell { return hardCell{attributes, `<v>` + s + `</v>`, s} }
func numeric(s string) hardCell            { return valued(``, s) }
func dated(s string) hardCell              { return valued(` s="2"`, s) }
func percent(s string) hardCell            { return valued(` s="3"`, s) }
func logical(s string) hardCell            { return valued(` t="b"`, s) }
func formula(attributes, result string) hardCell {
	return hardCell{attributes, `<f>Z9</f>` + result, ""}
}

func typedAll(texts ...string) []hardCell {
	cells := make([]hardCell, len(texts))
	for i, text := range texts {
		if text != "" {
			cells[i] = typed(text)
		}
	}
	return cells
}

// sheetRow writes a row of a sheet.
func sheetRow(number int, cells []hardCell, attributes ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<row r="%d"%s>`, number, strings.Join(attributes, ""))
	for i, c := range cells {
		if c.inside != "" {
			fmt.Fprintf(&b, `<c r="%c%d"%s>%s</c>`, 'A'+i, number, c.attributes, c.inside)
		}
	}
	return b.String() + `</row>`
}

func textRow(number int, texts ...string) string { return sheetRow(number, typedAll(texts...)) }
func headRow(number int, more ...string) string {
	return textRow(number, append(slices.Clone(hardColumns), more...)...)
}
func goodRow(number, citizen int) string { return textRow(number, hardTexts(citizen)...) }
func merged(ref string) string           { return `<mergeCells><mergeCell ref="` + ref + `"/></mergeCells>` }

// hardStyles are 0 plain, 1 text, 2 date and 3 percent, with what the engine needs in order
// to mark cells.
const hardStyles = `<styleSheet ` + xlsxtest.Namespace + `><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>` +
	`<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders>` +
	`<cellXfs count="4"><xf numFmtId="0"/><xf numFmtId="49"/><xf numFmtId="14"/><xf numFmtId="10"/></cellXfs></styleSheet>`

func bookOf(t *testing.T, parts xlsxtest.Parts) []byte {
	all := xlsxtest.Parts{xlsxtest.Styles: hardStyles}
	maps.Copy(all, parts)
	return xlsxtest.Book(t, all)
}

func hardBook(t *testing.T, rows string, behind ...string) []byte {
	return bookOf(t, xlsxtest.Parts{xlsxtest.Sheet1: xlsxtest.Sheet(rows, behind...)})
}

// wrongBook has a good row and a wrong one.
func wrongBook(t *testing.T) []byte {
	return hardBook(t, headRow(1)+goodRow(2, 1)+textRow(3, wrongTexts(2)...))
}

func workbookPart(inside string) string {
	return `<workbook ` + xlsxtest.Namespace + ` xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">` + inside + `</workbook>`
}

// twoSheets makes a workbook of two sheets, the first with these attributes.
func twoSheets(t *testing.T, first, second, attributes string) []byte {
	return bookOf(t, xlsxtest.Parts{xlsxtest.Sheet1: xlsxtest.Sheet(first), xlsxtest.Sheet2: xlsxtest.Sheet(second),
		xlsxtest.Workbook: workbookPart(`<sheets><sheet name="Primo" sheetId="1" ` + attributes + ` r:id="rId1"/><sheet name="Secondo" sheetId="2" r:id="rId4"/></sheets>`)})
}

// newDesk is an office without a simulator: nothing is sent from it.
func newDesk(t *testing.T) *office {
	o := &office{folder: t.TempDir()}
	o.env = map[string]string{"MASSIVO_STORE": o.path("massivo.db"), "MASSIVO_OPERATOR": "m.neri"}
	return o
}

// importing imports a file, and returns the exit code and what was said, in which there is
// no code and no text of the file.
func (o *office) importing(t *testing.T, name string, file []byte, args ...string) (int, string) {
	require.NoError(t, os.WriteFile(o.path(name), file, 0o600))
	code, said := o.run(append([]string{"import", o.path(name)}, args...)...)
	said = strings.ReplaceAll(said, o.folder, "")
	assert.NotRegexp(t, `[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]|\d{13}|segreto|panic|imprevisto|<nil>`, said)
	return code, said
}

// receives imports a file; the program must end with the code.
func (o *office) receives(t *testing.T, code int, name string, file []byte, args ...string) string {
	t.Helper()
	got, said := o.importing(t, name, file, args...)
	require.Equal(t, code, got, said)
	return said
}

// stored returns all notifications of the database, in the order of their rows.
func (o *office) stored(t *testing.T) []flow.Notification {
	store := must.Get(storage.Open(t.Context(), o.env["MASSIVO_STORE"]))(t)
	found := must.Get(store.Notifications(t.Context(), flow.NotificationFilter{}, flow.Page{Limit: 100, OldestFirst: true}))(t)
	require.NoError(t, store.Close())
	return found
}

func (o *office) storesNothing(t *testing.T) {
	said := o.ran(t, 0, "list")
	assert.Equal(t, "Nessun flusso.\n", said)
}

// hardFile is a file, and what is to come of it.
type hardFile struct {
	content []byte
	refused bool
	rows    []string // Riferimento of what is stored; if it is refused, by --good-rows
	says    []string // in the report
	hides   []string // what must not be printed, besides the usual
	copied  bool     // there is a copy with the errors marked
	at      string   // the cell of the copy with the first of the texts as its comment, "" if none
}

func imported(file []byte, rows ...string) hardFile { return hardFile{content: file, rows: rows} }
func refused(file []byte, says ...string) hardFile {
	return hardFile{content: file, refused: true, says: says}
}
func (f hardFile) saying(texts ...string) hardFile { f.says = texts; return f }
func (f hardFile) hiding(texts ...string) hardFile { f.hides = texts; return f }
func (f hardFile) keeping(rows ...string) hardFile { f.rows = rows; return f }
func (f hardFile) marked(at string) hardFile       { f.copied, f.at = true, at; return f }

// try imports the file, and returns what is stored.
func (f hardFile) try(t *testing.T, name string) []flow.Notification {
	o := newDesk(t)
	code := 0
	if f.refused {
		code = exitRows
	}
	said := o.receives(t, code, name, f.content)
	must.Contain(t, said, f.says...)
	must.NotContain(t, said, f.hides...)
	copied := strings.TrimSuffix(name, filepath.Ext(name)) + "-errori.xlsx"
	if f.refused {
		assert.Contains(t, said, "Non è stato importato niente.")
		o.storesNothing(t)
		f.checkCopy(t, name, o.path(copied), said)
		said = o.receives(t, exitRows, name, f.content, "--good-rows")
		if len(f.rows) == 0 {
			o.storesNothing(t)
		}
	} else {
		assert.NoFileExists(t, o.path(copied))
		if len(f.says) == 0 {
			assert.NotContains(t, said, "Da verificare")
		}
	}
	stored := o.stored(t)
	var rows []string
	for _, n := range stored {
		rows = append(rows, n.Reference)
	}
	require.Equal(t, f.rows, rows, said)
	return stored
}

// checkCopy checks the copy with the errors marked: it has the operator's rows as they
// were, the errors on a sheet of their own, and a comment at the cell.
func (f hardFile) checkCopy(t *testing.T, name, copied, said string) {
	if !f.copied {
		assert.Regexp(t, "Di questo file non si può fare una copia|Non è stata scritta una copia con gli errori segnati: [A-Z]", said)
		assert.NoFileExists(t, copied)
		return
	}
	assert.Contains(t, said, "Copia con gli errori segnati: /"+filepath.Base(copied))
	content := contentOf(t, copied)
	rows, listed, comments := inside(t, content)
	if filepath.Ext(name) == ".xlsx" {
		before, _, _ := inside(t, f.content)
		assert.Equal(t, before, rows)
	}
	assert.Contains(t, listed, f.says[0])
	if f.at != "" {
		assert.Contains(t, comments[f.at], f.says[0])
	}
}

// inside returns the rows of the first sheet of a workbook, the text of its sheet Errori,
// and the comments by cell.
func inside(t *testing.T, file []byte) (rows [][]string, listed string, comments map[string]string) {
	book := must.Get(excelize.OpenReader(bytes.NewReader(file)))(t)
	defer func() { require.NoError(t, book.Close()) }()
	sheet := book.GetSheetName(0)
	rows = must.Get(book.GetRows(sheet, excelize.Options{RawCellValue: true}))(t)
	all := must.Get(book.GetComments(sheet))(t)
	comments = map[string]string{}
	for _, c := range all {
		for _, run := range c.Paragraph {
			comments[c.Cell] += run.Text
		}
	}
	if slices.Contains(book.GetSheetList(), "Errori") {
		list := must.Get(book.GetRows("Errori"))(t)
		listed = fmt.Sprint(list)
	}
	return rows, listed, comments
}

// hardValue is a cell, and what is to come of it.
type hardValue struct {
	cell    hardCell
	refused bool
	stored  string // as textOf has it
	says    string // of the cell, in the report; "": nothing
}

func gives(c hardCell, stored string) hardValue { return hardValue{cell: c, stored: stored} }
func warns(c hardCell, stored, says string) hardValue {
	return hardValue{cell: c, stored: stored, says: says}
}
func fails(c hardCell, says string) hardValue { return hardValue{cell: c, refused: true, says: says} }

// tryCells tries each cell in a column of a row between two good ones, in a workbook with
// these parts besides.
func tryCells(t *testing.T, column string, cases map[string]hardValue, parts ...xlsxtest.Parts) {
	index := slices.Index(hardColumns, column)
	letter := string(rune('A' + index))
	place := fmt.Sprintf("- Riga 3, colonna %s (%s): ", letter, column)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cells := typedAll(hardTexts(2)...)
			cells[index] = c.cell
			all := xlsxtest.Parts{xlsxtest.Sheet1: xlsxtest.Sheet(headRow(1) + goodRow(2, 1) + sheetRow(3, cells) + goodRow(4, 3))}
			for _, p := range parts {
				maps.Copy(all, p)
			}
			file := imported(bookOf(t, all), "PR-1", "PR-2", "PR-3")
			switch {
			case c.refused:
				file = refused(file.content, c.says, place, "Righe senza errori: 2. Righe con errori: 1.").marked(letter+"3").keeping("PR-1", "PR-3")
			case c.says != "":
				file = file.saying(c.says, place, "Righe senza errori: 3. Righe con errori: 0.")
			}
			if column != "Scadenza" && column != "Somma" && len(c.cell.text) > 4 { // dates and amounts may be shown
				file = file.hiding(c.cell.text)
			}
			for i, n := range file.try(t, "avvisi.xlsx") {
				want := storedTexts([]int{1, 2, 3}[i])
				switch {
				case n.Reference == "PR-2":
					want[index] = c.stored
				case c.refused:
					want = storedTexts([]int{1, 3}[i])
				}
				assert.Equal(t, want, textOf(n))
			}
		})
	}
}

func tryFiles(t *testing.T, name string, cases map[string]hardFile) {
	for what, c := range cases {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			for _, n := range c.try(t, name) {
				citizen := 0
				must.Get(fmt.Sscanf(n.Reference, "PR-%d", &citizen))(t)
				assert.Equal(t, storedTexts(citizen), textOf(n))
			}
		})
	}
}

func TestHardNoticeNumbers(t *testing.T) {
	const right, lost = "301005100001400678", "le sue cifre possono essere andate perse"
	tryCells(t, "Numero avviso", map[string]hardValue{
		"text":                     gives(typed(right), right),
		"number":                   fails(numeric(right), lost),
		"number as Excel keeps it": fails(numeric("3.0100510000140102E+17"), lost),
		"as a sheet shows it":      fails(typed("3,01005E+17"), "ne ha perso le cifre"),
		"spaces":                   warns(typed("3010 0510 0001 4006 78"), right, "Tolti 4 spazi."),
		"apostrophe":               warns(typed("'"+right), right, "Tolto l'apostrofo iniziale."),
		"hard space":               warns(typed(right+"\u00a0"), right, "Tolto uno spazio unificatore."),
		"all of them": warns(typed("' 3010 05100001400678\u00a0\u200b"), right,
			"Tolto l'apostrofo iniziale, tolti 2 spazi, tolto uno spazio unificatore, tolto un carattere invisibile."),
		"17 digits":                fails(typed("01005100001400678"), "questo ne ha 17: forse manca lo zero iniziale, o è uno IUV"),
		"17 digits as a number":    fails(numeric("1005100001400678"), lost),
		"19 digits":                fails(typed(right+"0"), "questo ha 19 caratteri"),
		"check digits":             warns(typed("301005100001400679"), "301005100001400679", "non sono corrette"),
		"letter O":                 fails(typed("3O1005100001400678"), "in posizione 2 un carattere che non è una cifra"),
		"begins with 4":            fails(typed("401005100001400678"), "deve cominciare con 0, 1, 2 o 3"),
		"empty":                    fails(hardCell{}, "manca il numero avviso"),
		"formula":                  gives(formula(` t="str"`, `<v>`+right+`</v>`), right),
		"formula with an error":    fails(formula(` t="e"`, `<v>#N/A</v>`), "#N/D"),
		"formula never calculated": fails(formula(``, ``), "non è stata calcolata"),
	})
}

func TestHardFiscalCodes(t *testing.T) {
	const right, wrong = "MSCMHL68P18H211K", "MSCMHL68P18H211A"
	tryCells(t, "Codice fiscale", map[string]hardValue{
		"lower case":          warns(typed("mscmhl68p18h211k"), right, "9 lettere portate in maiuscolo"),
		"inner spaces":        warns(typed("MSC MHL 68P18 H211K"), right, "Tolti 3 spazi."),
		"zero width":          warns(typed("MSCMHL\u200b68P18H211K\ufeff"), right, "Tolti 2 caratteri invisibili."),
		"check character":     warns(typed(wrong), wrong, "Il carattere di controllo del codice fiscale non è corretto"),
		"homocodia":           gives(typed("MSCMHLSUPMUHNMMT"), "MSCMHLSUPMUHNMMT"),
		"letter O for 0":      fails(typed("RSSMRA8OA01H501U"), "in posizione 8: c'è la lettera O, forse al posto della cifra 0"),
		"digit 0 for O":       fails(typed("R0SMRA80A01H501U"), "in posizione 2: c'è la cifra 0, forse al posto della lettera O"),
		"11 digits":           fails(typed("80185250588"), "serve il codice fiscale di 16 caratteri"),
		"11 digits, a number": fails(numeric("80185250588"), "serve il codice fiscale di 16 caratteri"),
		"lost zero":           fails(numeric("1234567890"), "ha tolto gli zeri iniziali"),
		"15 characters":       fails(typed("MSCMHL68P18H211"), "16 caratteri fra lettere e cifre, questo ne ha 15"),
		"name":                fails(typed("ROSSI MARIO"), "16 caratteri"),
		"Greek letter":        fails(typed("ΜSCMHL68P18H211K"), "in posizione 1"),
		"empty":               fails(hardCell{}, "obbligatorio"),
		"blanks":              fails(typed(" \u00a0\u200b "), "obbligatorio"),
		"date":                fails(dated("45716"), "data invece di un testo"),
		"truth value":         fails(logical("1"), "valore logico"),
	})
}

func TestHardPayees(t *testing.T) {
	const right = "80185250588"
	tryCells(t, "Ente creditore", map[string]hardValue{
		"empty":       gives(hardCell{}, ""),
		"text":        gives(typed(right), right),
		"number":      warns(numeric(right), right, "eventuali zeri iniziali sono andati persi"),
		"hard space":  warns(typed("80185\u00a0250588"), right, "Tolto uno spazio unificatore."),
		"check digit": warns(typed("80185250589"), "80185250589", "controllo"),
		"lost zero":   fails(numeric("1234567890"), "ha tolto gli zeri iniziali"),
		"of a person": fails(typed("MSCMHL68P18H211K"), "questo ha 16 caratteri"),
	})
}

func TestHardMoney(t *testing.T) {
	tryCells(t, "Somma", map[string]hardValue{
		"Italian notation":     gives(typed("1.234,56"), "1.234,56"),
		"euro sign":            gives(typed("€ 12,50"), "12,50"),
		"euro and hard space":  gives(typed("12,50\u00a0€"), "12,50"),
		"one decimal":          gives(typed("12,5"), "12,50"),
		"point":                gives(typed("12.5"), "12,50"),
		"apostrophe":           warns(typed("'12,50"), "12,50", "Tolto l'apostrofo iniziale."),
		"19.99":                gives(numeric("19.99"), "19,99"),
		"4.35":                 gives(numeric("4.35"), "4,35"),
		"0.58 as a double":     gives(numeric("0.57999999999999996"), "0,58"),
		"exponent":             gives(numeric("1.25E1"), "12,50"),
		"least":                gives(numeric("0.01"), "0,01"),
		"largest":              gives(numeric("99999999.99"), "99.999.999,99"),
		"ambiguous":            fails(typed("1.234"), "1.234,00 € oppure 1,234 €"),
		"English notation":     fails(typed("1,234.56"), "la virgola prima dei decimali"),
		"negative":             fails(typed("-12,50"), "negativo"),
		"negative number":      fails(numeric("-12.5"), "negativo"),
		"three decimals":       fails(typed("12,345"), "più di due decimali"),
		"number of 3 decimals": fails(numeric("12.345"), "più di due decimali"),
		"zero":                 fails(numeric("0"), "fra 0,01 € e 99.999.999,99 €"),
		"zero as text":         fails(typed("0,00"), "fra 0,01 € e 99.999.999,99 €"),
		"too much":             fails(numeric("100000000"), "fra 0,01 € e 99.999.999,99 €"),
		"far too much":         fails(numeric("1E300"), "troppo grande"),
		"space within":         fails(typed("1 234,56"), "spazio dentro l'importo, in posizione 2"),
		"words":                fails(typed("dodici"), "non fa parte di un importo"),
		"date":                 fails(dated("45716"), "data"),
		"percentage":           fails(percent("0.5"), "percentuale"),
		"empty":                fails(hardCell{}, "manca la somma"),
	})
}

func TestHardDates(t *testing.T) {
	const february, past = "2099-02-28T22:59:59Z", "2025-02-28T22:59:59Z" // the end of the day in Italy
	tryCells(t, "Scadenza", map[string]hardValue{
		"serial":                  gives(dated("72744"), february),
		"last serial":             gives(dated("2958465"), "9999-12-31T22:59:59Z"),
		"serial that shows as it": warns(numeric("72744"), february, "è stato letto come 28/02/2099"),
		"text":                    gives(typed("28/02/2099"), february),
		"dots and blanks":         gives(typed(" 28.2.2099 "), february),
		"two digits of the year":  warns(typed("28-02-99"), february, "letto come 20xx"),
		"ISO":                     gives(typed("2099-02-28"), february),
		"ISO cell":                gives(valued(` t="d"`, "2099-02-28T00:00:00Z"), february),
		"midnight":                gives(typed("28/02/2099 00:00"), february),
		"summer":                  gives(typed("01/07/2030"), "2030-07-01T21:59:59Z"),
		"leap day":                gives(typed("29/02/2096"), "2096-02-29T22:59:59Z"),
		"empty":                   gives(hardCell{}, ""),
		"past serial":             warns(dated("45716"), past, "La scadenza 28/02/2025 è già passata."),
		"past text":               warns(typed("28/02/2025"), past, "La scadenza 28/02/2025 è già passata."),
		"month before day":        fails(typed("02/28/2099"), "il mese è il secondo numero"),
		"31 April":                fails(typed("31/04/2099"), "La data 31/04/2099 non esiste."),
		"29 February":             fails(typed("29/02/2099"), "La data 29/02/2099 non esiste."),
		"serial with a time":      fails(dated("72744.75"), "La data è accompagnata da un'ora"),
		"text with a time":        fails(typed("28/02/2099 18:00"), "La data è accompagnata da un'ora"),
		"year as a number":        fails(numeric("2099"), "può essere un anno"),
		"29 February 1900":        fails(dated("60"), "non corrisponde a una data"),
		"digits in a row":         fails(numeric("28022099"), "non corrisponde a una data"),
		"words":                   fails(typed("fine mese"), "gg/mm/aaaa"),
		"percentage":              fails(percent("0.5"), "non contiene una data"),
		"truth value":             fails(logical("1"), "non contiene una data"),
	})
	t.Run("1904", func(t *testing.T) {
		tryCells(t, "Scadenza", map[string]hardValue{
			"serial":             gives(dated("71282"), february),
			"past serial":        warns(dated("44254"), past, "La scadenza 28/02/2025 è già passata."),
			"serial with a time": fails(dated("71282.5"), "La data è accompagnata da un'ora"),
		}, xlsxtest.Parts{xlsxtest.Workbook: workbookPart(`<workbookPr date1904="1"/><sheets><sheet name="Dati" sheetId="1" r:id="rId1"/></sheets>`)})
	})
}

func TestHardYesAndNo(t *testing.T) {
	const says = "Scrivere Sì oppure No."
	cases := map[string]hardValue{
		"empty": gives(hardCell{}, "No"), "number 1": gives(numeric("1"), "Sì"), "number 0": gives(numeric("0"), "No"),
		"true": gives(logical("1"), "Sì"), "false": gives(logical("0"), "No"),
		"forse": fails(typed("forse"), says), "number 2": fails(numeric("2"), says), "100 percent": fails(percent("1"), says),
	}
	for _, s := range []string{"Sì", "Si\u0300", "Si'", "SI", "S", "X", "VERO", "TRUE", "1", " sì\u00a0"} {
		cases["yes: "+s] = gives(typed(s), "Sì")
	}
	for _, s := range []string{"No", "N", "FALSO", "FALSE", "0", "no "} {
		cases["no: "+s] = gives(typed(s), "No")
	}
	tryCells(t, "Paga dopo la scadenza", cases)
}

// Lengths are those of UTF-16, and texts are stored as they stand.
func TestHardTexts(t *testing.T) {
	fits := func(s string) hardValue { return gives(typed(s), s) }
	a := func(n int) string { return strings.Repeat("a", n) }
	nfd := func(n int) string { return strings.Repeat("e\u0300", n) }
	t.Run("Oggetto", func(t *testing.T) {
		tryCells(t, "Oggetto", map[string]hardValue{
			"9": fails(typed(a(9)), "9 caratteri: devono essere da 10 a 120."), "10": fits(a(10)),
			"120": fits(a(120)), "121": fails(typed(a(121)), "121 caratteri: devono essere da 10 a 120."),
			"120 composed":            fits(strings.Repeat("è", 120)),
			"60 decomposed":           fits(nfd(60)),
			"61 decomposed":           fails(typed(nfd(61)), "122 caratteri"),
			"5 emoji":                 fits(strings.Repeat("😀", 5)),
			"emoji within":            fits(a(118) + "😀"),
			"emoji across the border": fails(typed(a(119)+"😀"), "121 caratteri (ogni emoji conta due)"),
			"outer blanks":            fits("  Avviso numero uno "),
			"signs":                   fits(`<Avviso> & "altro" 'così'`),
			"blanks":                  fails(typed(strings.Repeat(" ", 20)), "obbligatorio"),
		})
	})
	t.Run("Contenuto", func(t *testing.T) {
		const need = " caratteri: devono essere da 120 a 10.000."
		tryCells(t, "Contenuto", map[string]hardValue{
			"119": fails(typed(a(119)), "119"+need), "120": fits(a(120)),
			"10000": fits(a(10_000)), "10001": fails(typed(a(10_001)), "10.001"+need),
			"59 decomposed":           fails(typed(nfd(59)+"a"), "119"),
			"60 decomposed":           fits(nfd(60)),
			"emoji within":            fits(a(9_998) + "😀"),
			"emoji across the border": fails(typed(a(9_999)+"😀"), "10.001 caratteri (ogni emoji conta due)"),
			"32,767":                  fails(typed(a(32_767)), "32.767"+need),
			"lines":                   fits(a(120) + "\nb\n\nc"),
			"escaped line end":        gives(typed(a(120)+"_x000D_\nseconda"), a(120)+"\r\nseconda"),
			"escaped escape":          gives(typed(a(120)+"_x005F_x000D_"), a(120)+"_x000D_"),
			"zero byte":               fails(typed(a(120)+"_x0000_"), "un carattere non ammesso (U+0000"),
			"date":                    fails(dated("45716"), "data invece di un testo"),
			"number":                  fails(numeric("12345"), "5"+need),
		})
	})
}

func TestHardStructures(t *testing.T) {
	head, two := headRow(1), goodRow(2, 1)+goodRow(3, 2)
	const filter = `<autoFilter ref="A1:I3"><filterColumn colId="0"><filters><filter val="x"/></filters></filterColumn></autoFilter>`
	const formatted = `<row r="8" s="1" customFormat="1"/><row r="1048576"><c r="A1048576" s="1"/></row>`
	long := strings.Repeat("x", 32_767)
	book := func(rows string, behind ...string) []byte { return hardBook(t, rows, behind...) }
	tryFiles(t, "avvisi.xlsx", map[string]hardFile{
		"as it should be": imported(book(head+two), "PR-1", "PR-2"),
		"header in row 4": imported(book(textRow(1, "Comune di Prova")+textRow(2, "", "Elenco", "Contenuto")+headRow(4)+goodRow(5, 1)+goodRow(6, 2), merged("A1:I2")), "PR-1", "PR-2"),
		"header by aliases": imported(book(textRow(1, "C. F.\nDest ", "TITOLO:", "Testo del messaggio", "Data_x000D_\nscadenza", "Importo (€)", "Codice avviso", "", "", "Rif.")+two), "PR-1", "PR-2").
			saying("Colonne facoltative mancanti: «Ente creditore», «Paga dopo la scadenza» e «Occasione»."),
		"data in a second sheet":    imported(twoSheets(t, textRow(1, "Istruzioni segreto"), head+two, ""), "PR-1", "PR-2").saying("1 altro foglio non letto."),
		"blank rows in the middle":  imported(book(head+goodRow(2, 1)+textRow(3, " ", "\u00a0", "\u200b")+goodRow(6, 2)), "PR-1", "PR-2"),
		"formatted rows behind":     imported(book(head+two+formatted), "PR-1", "PR-2"),
		"filter that hides nothing": imported(book(head+two, filter), "PR-1", "PR-2"),
		"merged cells beside":       imported(book(head+two, merged("L2:M3")), "PR-1", "PR-2"),
		"32,767 characters beside":  imported(book(headRow(1, "Note segreto")+textRow(2, append(hardTexts(1), long)...)), "PR-1").saying("Colonna non letta: J."),

		"doubled header":            refused(book(headRow(1, "C.F.")+two), "La colonna J ripete la colonna A («Codice fiscale»)").marked("J1"),
		"misspelt header":           refused(book(textRow(1, "Codice fiscale", "Oggetto", "Contenuto", "Scadneza")+two), "L'intestazione della colonna D è simile a «Scadenza»").marked("D1"),
		"required column missing":   refused(book(textRow(1, "Codice fiscale", "Oggetto")+two), "Manca la colonna obbligatoria «Contenuto»: aggiungerla, o usare il modello.").marked(""),
		"IUV for the notice":        refused(book(textRow(1, "Codice fiscale", "Oggetto", "Contenuto", "", "Somma", "I.U.V.")+two), "La colonna F non è ammessa.").marked("F1"),
		"an export":                 refused(book(headRow(1, "UUID")+two), "Il file è un'esportazione, e le sue notifiche ci sono già.").marked("J1"),
		"two headers":               refused(book(textRow(1, hardColumns[:3]...)+goodRow(2, 1)+headRow(4)+goodRow(5, 2)), "Anche la riga 1 ha le intestazioni").marked(""),
		"no header":                 refused(book(two), "non c'è l'intestazione del modello").marked(""),
		"header in row 21":          refused(book(headRow(21)+goodRow(22, 1)), "Nelle prime 20 righe non c'è l'intestazione").marked(""),
		"sheet with nothing":        refused(book(``), "non c'è l'intestazione del modello").marked(""),
		"workbook without sheets":   refused(bookOf(t, xlsxtest.Parts{xlsxtest.Workbook: workbookPart(`<sheets/>`)}), "La cartella di lavoro non contiene fogli."),
		"two sheets with rows":      refused(twoSheets(t, head+goodRow(2, 1), head+goodRow(2, 2), ""), "Ci sono 2 fogli con dati"),
		"hidden sheet":              refused(twoSheets(t, head+two, ``, `state="hidden"`), "in un foglio nascosto"),
		"merged data":               refused(book(head+two, merged("B2:B3")), "celle unite (B2:B3)").marked(""),
		"32,768 characters":         refused(book(head+goodRow(2, 1)+textRow(3, hardTexts(2)[0], "Oggetto segreto", long+"x")), "supera i limiti previsti"),
		"hidden row":                refused(book(head+goodRow(2, 1)+sheetRow(3, typedAll(hardTexts(2)...), ` hidden="1"`), filter), "La riga è nascosta", "- Riga 3: ").marked("").keeping("PR-1"),
		"the same message twice":    refused(book(head+two+goodRow(4, 1)), "già alla riga 2", "- Riga 4: Doppione").marked("").keeping("PR-1", "PR-2"),
		"only wrong rows":           refused(book(head+textRow(2, "ROSSI MARIO", "corto")), "16 caratteri", "colonna B (Oggetto)", "colonna C (Contenuto)").marked("A2").hiding("ROSSI", "corto"),
		"a wrong row, and the last": refused(book(head+goodRow(2, 1)+textRow(3, wrongTexts(2)...)+formatted), "- Riga 3, colonna E (Somma)").keeping("PR-1"),
		"rows out of order":         refused(book(head+goodRow(3, 1)+goodRow(2, 2)), "Il file è danneggiato (dalla riga 3)"),
	})
}

// All errors of a file with many are in its copy; the first are shown.
func TestHardFileWithManyErrors(t *testing.T) {
	rows := headRow(1)
	for i := range 30 {
		rows += textRow(i+2, wrongTexts(i)...)
	}
	file := hardBook(t, rows)
	refused(file, "1.234,00 € oppure 1,234 €", "- Riga 11, colonna E (Somma)", "… e 20 altri errori.").marked("E31").hiding("Riga 12").try(t, "avvisi.xlsx")
}

func TestHardFilesWithoutRows(t *testing.T) {
	o := newDesk(t)
	o.ran(t, 0, "template", o.path("modello.xlsx"))
	template := contentOf(t, o.path("modello.xlsx"))
	for name, file := range map[string][]byte{
		"modello.xlsx": template,
		"avvisi.xlsx":  hardBook(t, headRow(1)),
		"vuote.xlsx":   hardBook(t, headRow(1)+textRow(2, " ", "\u00a0")),
		"lista.csv":    csvOf(";", "\n", hardColumns),
	} {
		t.Run(name, func(t *testing.T) {
			for _, args := range [][]string{nil, {"--good-rows"}} {
				said := o.receives(t, exitRows, name, file, args...)
				must.Contain(t, said, "Non ci sono righe da importare.", "Non è stato importato niente.")
				o.storesNothing(t)
			}
		})
	}
}

func TestHardFilesOfOtherPrograms(t *testing.T) {
	for _, name := range []string{"exceljs.xlsx", "sheetjs.xlsx", "sheetjs-inline.xlsx", "libreoffice.xlsx", "libreoffice-from-ods.xlsx"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := contentOf(t, filepath.Join("..", "..", "excel", "testdata", name))
			stored := imported(file, "007", "+39 06 123", "@riferimento", "-5").saying("numero avviso, quelle di controllo, non sono corrette").hiding("Mensa scolastica").try(t, name)
			assert.Equal(t, []string{"MSCMHL68P18H211K", "Mensa scolastica: retta di marzo",
				"Gentile famiglia, è disponibile l'avviso per la retta della mensa scolastica del mese di marzo; si può pagare dall'app entro la scadenza indicata.",
				"2030-02-28T22:59:59Z", "19,99", "301005100001400678", "", "Sì", "007"}, textOf(stored[0]))
			assert.Contains(t, stored[1].Content.Reveal(), "Prima riga del messaggio.\nSeconda riga, con «virgolette», <parentesi>, & altri segni")
			assert.Equal(t, "Un emoji 😀 conta due caratteri", stored[2].Subject.Reveal())
			assert.False(t, stored[2].IsPayment)
			assert.Equal(t, "99.999.999,99", stored[3].Amount.String())
		})
	}
}

// Under the name of a workbook.
func TestHardFilesOfOtherKinds(t *testing.T) {
	wide := func(s string) string { return string(xlsxtest.UTF16(s, false, false)) }
	compound := "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + strings.Repeat("\x00", 70_000)
	tryFiles(t, "avvisi.xlsx", map[string]hardFile{
		"xls":       refused([]byte(compound+wide("Workbook")+"\x00\x00"), "Il file è una cartella di lavoro del vecchio Excel (.xls)"),
		"xlsb":      refused(archive(t, "[Content_Types].xml", "_rels/.rels", "xl/workbook.bin"), "Il file è una cartella di lavoro binaria (.xlsb)"),
		"ods":       refused(archive(t, "mimetype", "content.xml", "META-INF/manifest.xml"), "Il file è un documento LibreOffice (.ods)"),
		"docx":      refused(archive(t, "[Content_Types].xml", "_rels/.rels", "word/document.xml"), "Il file è un altro documento Office"),
		"archive":   refused(archive(t, "avvisi.csv"), "Il file è un archivio compresso"),
		"HTML":      refused([]byte("<html><body><table><tr><td>Codice fiscale</td></tr></table>"), "Il file è una pagina web (HTML)"),
		"XML":       refused([]byte(`<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>`), "Il file è un documento XML"),
		"PDF":       refused([]byte("%PDF-1.7\n"), "Il file è un documento PDF"),
		"picture":   refused([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), "Il file è un'immagine"),
		"nothing":   refused(nil, "Il file è vuoto"),
		"encrypted": refused(encrypted(t), "Il file è un file protetto da password"),
		"CSV":       imported(csvOf(";", "\n", hardColumns, hardTexts(1)), "PR-1"),
	})
}

// archive makes an archive of files with these names.
func archive(t *testing.T, names ...string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range names {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name}) // not compressed, as OpenDocument has its type
		require.NoError(t, err)
		content := "<x/>"
		if name == "mimetype" {
			content = "application/vnd.oasis.opendocument.spreadsheet"
		}
		must.Get(io.WriteString(w, content))(t)
	}
	require.NoError(t, z.Close())
	return b.Bytes()
}

// encrypted makes a workbook with a password.
func encrypted(t *testing.T) []byte {
	book := excelize.NewFile()
	var b bytes.Buffer
	require.NoError(t, book.Write(&b, excelize.Options{Password: "segreto"}))
	require.NoError(t, book.Close())
	return b.Bytes()
}

// A file that was cut off or damaged, wherever it was, is imported whole or not at all.
func TestHardDamages(t *testing.T) {
	o := newDesk(t)
	writeWorkbook(t, o.path("buono.xlsx"), 0, 30)
	whole := contentOf(t, o.path("buono.xlsx"))
	refuse := func(file []byte, says string) {
		said := o.receives(t, exitRows, "avvisi.xlsx", file, "--good-rows")
		require.Contains(t, said, "Non è stato importato niente.")
		require.Regexp(t, `^Nessuna notifica è stata importata\.\n`+says, said)
		require.NoFileExists(t, o.path("avvisi-errori.xlsx"))
	}
	refuse(whole[:0], "Il file è vuoto")
	for i := range 50 {
		refuse(whole[:len(whole)-1-i*(len(whole)-4)/50], "Il file è incompleto")
	}
	parts := xlsxtest.Unpack(t, whole)
	sheet := parts[xlsxtest.Sheet1]
	for i := range 10 {
		parts[xlsxtest.Sheet1] = sheet[:i*len(sheet)/10]
		refuse(xlsxtest.Pack(t, parts), "Il file è incompleto")
	}
	o.storesNothing(t)

	o.receives(t, 0, "avvisi.xlsx", whole)
	want := o.stored(t)
	require.Len(t, want, 30)
	for i := range 30 { // a byte that a disk or a network made another one
		damaged := slices.Clone(whole)
		damaged[(2*i+1)*len(whole)/60] ^= 0x55
		o := newDesk(t)
		if code, said := o.importing(t, "avvisi.xlsx", damaged, "--good-rows"); code != 0 {
			require.Equal(t, exitRows, code, said)
			o.storesNothing(t)
			continue
		}
		stored := o.stored(t) // the byte is in a part that says nothing of the rows
		require.Len(t, stored, 30)
		for i := range want {
			require.Equal(t, textOf(want[i]), textOf(stored[i]))
		}
	}
}

// csvOf writes records; fields with separators, quotes or line breaks come in quotes.
func csvOf(separator, end string, records ...[]string) []byte {
	var b strings.Builder
	for _, record := range records {
		for i, field := range record {
			if i > 0 {
				b.WriteString(separator)
			}
			if strings.ContainsAny(field, separator+"\"\n") {
				field = `"` + strings.ReplaceAll(field, `"`, `""`) + `"`
			}
			b.WriteString(field)
		}
		b.WriteString(end)
	}
	return []byte(b.String())
}

// windows1252 encodes a text of Latin letters.
func windows1252(s string) []byte {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r))
	}
	return b
}

func TestHardCSV(t *testing.T) {
	records := [][]string{hardColumns, hardTexts(1), hardTexts(2)}
	text := string(csvOf(";", "\r\n", records...))
	good := func(file []byte) hardFile { return imported(file, "PR-1", "PR-2") }
	tryFiles(t, "lista.csv", map[string]hardFile{
		"semicolons":            good([]byte(text)),
		"commas":                good(csvOf(",", "\n", records...)),
		"tabs":                  good(csvOf("\t", "\n", records...)),
		"byte order mark":       good([]byte("\uFEFF" + text)),
		"UTF-16 LE":             good(xlsxtest.UTF16(text, false, true)),
		"UTF-16 BE":             good(xlsxtest.UTF16(text, true, true)),
		"UTF-16 without a mark": good(xlsxtest.UTF16(text, false, false)),
		"Windows-1252":          good(windows1252(text)),
		"sep line":              good([]byte("sep=;\r\n" + text)),
		"another sep line":      good(append([]byte("sep=|\n"), csvOf("|", "\n", records...)...)),
		"no last line end":      good([]byte(strings.TrimSuffix(text, "\r\n"))).saying("L'ultima riga del file non finisce con"),
		"blank lines":           good([]byte(strings.ReplaceAll(text, "\r\n", "\r\n\r\n"))),
		"titles above":          good([]byte("Comune di Prova;;\n\n" + text)),

		"wrong cell":               refused(csvOf(";", "\n", hardColumns, hardTexts(1), wrongTexts(2)), "1.234,00 € oppure 1,234 €", "- Riga 3, colonna E (Somma)").marked("E3").keeping("PR-1"),
		"as a sheet shows it":      refused([]byte(strings.ReplaceAll(text, hardTexts(2)[5], "3,01005E+17")), "ne ha perso le cifre", "- Riga 3, colonna F (Numero avviso)").marked("F3").keeping("PR-1").hiding("3,01005E+17"),
		"more fields than headers": refused(csvOf(";", "\n", hardColumns, hardTexts(1), append(hardTexts(2), "segreto")), "La riga ha più campi dell'intestazione", "- Riga 3: ").marked("").keeping("PR-1"),
		"no header":                refused(csvOf(";", "\n", records[1:]...), "non c'è l'intestazione del modello").marked(""),
		"quotes that do not close": refused([]byte(text+`"`+strings.Join(hardTexts(3), ";")), "Alla riga 4 del file si aprono virgolette che non si chiudono"),
		"quote out of place":       refused([]byte(text+`"AB"C;x;y`+"\r\n"), "Alla riga 4 del file c'è una virgoletta fuori posto"),
		"quote in a text":          refused([]byte(text+`AB"C;x;y`+"\r\n"), "Il codice fiscale deve avere 16 caratteri", "- Riga 4, colonna A").marked("A4").keeping("PR-1", "PR-2"),
		"cut off in a row":         refused([]byte(text+strings.Join(hardTexts(3)[:3], ";")), "Nell'ultima riga del file mancano le colonne", "- Riga 4: ").marked("").keeping("PR-1", "PR-2"),
		"cut off in a character":   refused([]byte(text+"\xC3"), "a metà di un carattere"),
		"UTF-16 cut off":           refused(append(xlsxtest.UTF16(text, false, true), 'x'), "a metà di un carattere"),
		"mixed encodings":          refused(append([]byte(text), windows1252(text)...), "mescola caratteri di codifiche diverse"),
		"zero bytes":               refused([]byte(strings.Repeat(text, 20)+"a\x00b\n"), "non fanno parte di un testo"),
	})
	t.Run("quoted newlines", func(t *testing.T) {
		row := hardTexts(1)
		row[2] = "Prima riga;\nseconda con \"virgolette\", " + row[2]
		stored := refused(csvOf(";", "\r\n", hardColumns, row, wrongTexts(2)), "oppure", "- Riga 3, colonna E").marked("E3").keeping("PR-1").try(t, "lista.csv")
		assert.Equal(t, row[2], stored[0].Content.Reveal())
	})
}

// What is stored is what the operator sees later: in the detail and in the export.
func TestHardValuesAreShownAndExported(t *testing.T) {
	content := strings.Repeat("Perché sì. ", 12)
	row := typedAll("' msc mhl68p18h211k\u00a0", "Avviso n.\u00a01: è 😀", content, "", "€ 1.234,56", "3010 0510 0001 4006 78", "80185250588", "Si'", "=SOMMA(1;2)")
	row[3] = dated("72744")
	o := newDesk(t)
	o.receives(t, 0, "avvisi.xlsx", hardBook(t, headRow(1)+sheetRow(2, row)))
	stored := o.stored(t)
	require.Len(t, stored, 1)
	said := o.ran(t, 0, "show", stored[0].ID.String())
	must.Contain(t, said, "MSCMHL68P18H211K", "Avviso n.\u00a01: è 😀", content, "28/02/2099 23:59:59", "1.234,56 €", "301005100001400678", "80185250588", "=SOMMA(1;2)")
	o.ran(t, 0, "export", o.path("esito.xlsx"))
	file := contentOf(t, o.path("esito.xlsx"))
	rows, _, _ := inside(t, file)
	assert.Equal(t, []string{"MSCMHL68P18H211K", "Avviso n.\u00a01: è 😀", content, "72744", "1234.56", "301005100001400678", "80185250588", "Sì", "=SOMMA(1;2)"}, rows[1][:9])
}

// The operator corrects the copy itself, with the marks in it, and imports that.
func TestHardCopyIsCorrectedAndImported(t *testing.T) {
	for name, file := range map[string][]byte{"avvisi.xlsx": wrongBook(t), "avvisi.csv": csvOf(",", "\n", hardColumns, hardTexts(1), wrongTexts(2))} {
		t.Run(name, func(t *testing.T) {
			o := newDesk(t)
			o.receives(t, exitRows, name, file)
			setCell(t, o.path("avvisi-errori.xlsx"), "E3", "1.234,00")
			corrected := contentOf(t, o.path("avvisi-errori.xlsx"))
			said := o.receives(t, 0, "avvisi-errori.xlsx", corrected)
			assert.NotContains(t, said, "Altri fogli non letti")
			stored := o.stored(t)
			require.Len(t, stored, 2)
			assert.Equal(t, "1.234,00", stored[1].Amount.String())
		})
	}
}

// A copy that cannot be made, or not be written, is told, whatever becomes of the rows.
func TestHardCopyThatCannotBeMade(t *testing.T) {
	withoutFonts := xlsxtest.Unpack(t, wrongBook(t))
	withoutFonts[xlsxtest.Styles] = `<styleSheet ` + xlsxtest.Namespace + `><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="49"/></cellXfs></styleSheet>`
	for _, args := range [][]string{nil, {"--good-rows"}} {
		t.Run("not written "+strings.Join(args, ""), func(t *testing.T) {
			o := newDesk(t)
			_, said := o.importing(t, "avvisi.xlsx", wrongBook(t), append(args, "--marked", o.path("manca/copia.xlsx"))...)
			assert.Contains(t, said, "manca/copia.xlsx» non si può scrivere")
		})
		t.Run("not made "+strings.Join(args, ""), func(t *testing.T) {
			o := newDesk(t)
			said := o.receives(t, exitRows, "avvisi.xlsx", xlsxtest.Pack(t, withoutFonts), args...) // the engine cannot do without fonts
			assert.NoFileExists(t, o.path("avvisi-errori.xlsx"))
			assert.Regexp(t, "non (si può fare una copia|può essere commentato)", said)
		})
	}
}

// Excel opens a workbook with macros only if its name says that it has them.
func TestHardCopyOfAWorkbookWithMacros(t *testing.T) {
	const macros = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
	parts := xlsxtest.Unpack(t, wrongBook(t))
	parts[xlsxtest.ContentTypes] = strings.Replace(parts[xlsxtest.ContentTypes], "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml", macros, 1)
	o := newDesk(t)
	o.receives(t, exitRows, "avvisi.xlsm", xlsxtest.Pack(t, parts))
	copies := must.Get(filepath.Glob(o.path("avvisi-errori.*")))(t)
	require.Len(t, copies, 1)
	file := contentOf(t, copies[0])
	assert.Equal(t, filepath.Ext(copies[0]) == ".xlsm", strings.Contains(xlsxtest.Unpack(t, file)[xlsxtest.ContentTypes], macros), filepath.Base(copies[0]))
}

// A flow that is there gets nothing of a file that is refused, and the good rows alone if
// they are asked for.
func TestHardFilesAddNothingToAFlow(t *testing.T) {
	o := newDesk(t)
	said := o.receives(t, 0, "primo.xlsx", hardBook(t, headRow(1)+goodRow(2, 7)))
	id, book := flowIn(t, said), wrongBook(t)
	for _, try := range []struct {
		file []byte
		args []string
		want int
	}{{book, nil, 1}, {book[:len(book)-9], []string{"--good-rows"}, 1}, {book, []string{"--good-rows"}, 2}} {
		o.receives(t, exitRows, "avvisi.xlsx", try.file, append(try.args, "--flow", id)...)
		assert.Len(t, o.stored(t), try.want)
	}
}
