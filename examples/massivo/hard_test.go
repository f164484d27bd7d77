package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/examples/sqlstore"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/xlsxtest"
)

// hardColumns are the columns of the files that are tried here, in their order.
var hardColumns = []string{"Codice fiscale", "Oggetto", "Contenuto", "Scadenza", "Somma", "Numero avviso", "Ente creditore", "Paga dopo la scadenza", "Riferimento"}

// hardTexts returns the texts of the row of the nth citizen, which is right.
func hardTexts(n int) []string {
	return []string{appiotest.SampleCitizen(n).Reveal(), fmt.Sprintf("Oggetto segreto %d", n), "Contenuto segreto: " + strings.Repeat("perché così è. ", 8),
		"28/02/2099", "12,50", appiotest.SampleNotice(n).Reveal(), "", "", fmt.Sprintf("PR-%d", n)}
}

// hardCell is a cell as the file holds it: what stands in its tag, and between its tags.
type hardCell struct{ attributes, inside string }

var escapeXML = strings.NewReplacer("&", "&amp;", "<", "&lt;")

// Cells as programs write them. The numbers of the styles are those of xlsxtest.
func typed(s string) hardCell {
	return hardCell{` s="1" t="inlineStr"`, `<is><t xml:space="preserve">` + escapeXML.Replace(s) + `</t></is>`}
}
func numeric(s string) hardCell { return hardCell{``, `<v>` + s + `</v>`} }
func dated(s string) hardCell   { return hardCell{` s="2"`, `<v>` + s + `</v>`} }
func percent(s string) hardCell { return hardCell{` s="3"`, `<v>` + s + `</v>`} }
func logical(s string) hardCell { return hardCell{` t="b"`, `<v>` + s + `</v>`} }

func typedAll(texts ...string) []hardCell {
	var cells []hardCell
	for _, text := range texts {
		if text == "" {
			cells = append(cells, hardCell{})
			continue
		}
		cells = append(cells, typed(text))
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

func headRow(number int) string          { return sheetRow(number, typedAll(hardColumns...)) }
func goodRow(number, citizen int) string { return sheetRow(number, typedAll(hardTexts(citizen)...)) }
func merged(ref string) string           { return `<mergeCells><mergeCell ref="` + ref + `"/></mergeCells>` }
func withHeads(heads ...string) []hardCell {
	return typedAll(append(slices.Clone(hardColumns), heads...)...)
}

func hardBook(t *testing.T, rows string, behind ...string) []byte {
	return xlsxtest.Book(t, xlsxtest.Parts{xlsxtest.Sheet1: xlsxtest.Sheet(rows, behind...)})
}

// twoSheets makes a workbook of two sheets, the first with the attributes given.
func twoSheets(t *testing.T, first, second, attributes string) []byte {
	return xlsxtest.Book(t, xlsxtest.Parts{
		xlsxtest.Sheet1: xlsxtest.Sheet(first), xlsxtest.Sheet2: xlsxtest.Sheet(second),
		xlsxtest.Workbook: `<workbook xmlns:r="r"><sheets><sheet name="Primo" ` + attributes + ` r:id="rId1"/><sheet name="Secondo" r:id="rId4"/></sheets></workbook>`,
	})
}

// newDesk is an office without a simulator: nothing is sent from it.
func newDesk(t *testing.T) *office {
	o := &office{folder: t.TempDir()}
	o.env = map[string]string{"MASSIVO_STORE": o.path("massivo.db"), "MASSIVO_OPERATOR": "m.neri"}
	return o
}

// tries imports a file, and returns the exit code and what was said, in which there must
// be no code and no text of the file.
func (o *office) tries(t *testing.T, name string, file []byte, secrets []string, args ...string) (int, string) {
	require.NoError(t, os.WriteFile(o.path(name), file, 0o600))
	code, said := o.run(append([]string{"import", o.path(name)}, args...)...)
	said = strings.ReplaceAll(said, o.folder, "")
	assert.NotRegexp(t, `[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]|\d{13}|segreto|panic|imprevisto|null`, said)
	for _, secret := range secrets {
		assert.NotContains(t, said, secret)
	}
	return code, said
}

// stored returns all notifications of the database, in the order of their rows.
func (o *office) stored(t *testing.T) []flow.Notification {
	store, err := sqlstore.Open(t.Context(), o.env["MASSIVO_STORE"], sqlstore.Config{})
	require.NoError(t, err)
	found, err := store.Notifications(t.Context(), flow.NotificationFilter{}, flow.Page{Limit: 100, OldestFirst: true})
	require.NoError(t, err)
	require.NoError(t, store.Close())
	return found
}

func (o *office) storesNothing(t *testing.T) {
	code, said := o.run("list")
	assert.Equal(t, 0, code, said)
	assert.Equal(t, "Nessun flusso.\n", said)
}

// refusal is what is to come of a file that is not imported.
type refusal struct {
	says    []string // in the report
	copied  bool     // there is a copy with the errors marked
	at      string   // the cell of the copy that has the first of the texts as its comment, "" if it is the row or the file
	good    []string // Riferimento of the rows that --good-rows stores
	secrets []string // what must not be printed, besides the usual
}

// refuses tries a file that is to be refused, and then its good rows alone.
func (o *office) refuses(t *testing.T, name string, file []byte, want refusal) {
	code, said := o.tries(t, name, file, want.secrets)
	assert.Equal(t, exitRows, code, said)
	assert.Contains(t, said, "Non è stato importato niente.")
	for _, text := range want.says {
		assert.Contains(t, said, text)
	}
	o.storesNothing(t)
	o.checkCopy(t, name, file, said, want)

	code, said = o.tries(t, name, file, want.secrets, "--good-rows")
	assert.Equal(t, exitRows, code, said)
	if len(want.good) == 0 {
		o.storesNothing(t)
		return
	}
	var good []string
	for _, n := range o.stored(t) {
		good = append(good, n.Reference)
	}
	assert.Equal(t, want.good, good)
}

// checkCopy checks the copy with the errors marked: it has the operator's rows as they
// were, the errors on a sheet of their own, and a comment at the cell.
func (o *office) checkCopy(t *testing.T, name string, file []byte, said string, want refusal) {
	marked := o.path(strings.TrimSuffix(name, filepath.Ext(name)) + "-errori.xlsx")
	if !want.copied {
		assert.Contains(t, said, "Di questo file non si può fare una copia con gli errori segnati.")
		assert.NoFileExists(t, marked)
		return
	}
	assert.Contains(t, said, "Copia con gli errori segnati: "+strings.TrimPrefix(marked, o.folder))
	content, err := os.ReadFile(marked)
	require.NoError(t, err)
	rows, listed, comments := inside(t, content)
	if filepath.Ext(name) == ".xlsx" {
		before, _, _ := inside(t, file)
		assert.Equal(t, before, rows, "the operator's rows stay as they are")
	}
	assert.Contains(t, listed, want.says[0])
	if want.at != "" {
		assert.Contains(t, comments[want.at], want.says[0])
	}
}

// inside returns the rows of the first sheet of a workbook, the text of its sheet Errori,
// and the comments by cell.
func inside(t *testing.T, file []byte) (rows [][]string, listed string, comments map[string]string) {
	book, err := excelize.OpenReader(bytes.NewReader(file))
	require.NoError(t, err)
	defer func() { require.NoError(t, book.Close()) }()
	sheet := book.GetSheetName(0)
	rows, err = book.GetRows(sheet, excelize.Options{RawCellValue: true})
	require.NoError(t, err)
	all, err := book.GetComments(sheet)
	require.NoError(t, err)
	comments = map[string]string{}
	for _, c := range all {
		for _, run := range c.Paragraph {
			comments[c.Cell] += run.Text
		}
	}
	if slices.Contains(book.GetSheetList(), "Errori") {
		errors, err := book.GetRows("Errori")
		require.NoError(t, err)
		listed = fmt.Sprint(errors)
	}
	return rows, listed, comments
}

// hardValue is what becomes of a cell.
type hardValue struct {
	cell   hardCell
	stored any    // the field of the notification; nil: the row is refused
	says   string // of the cell, in the report; "": nothing
}

// fieldOf returns the field of a notification that a column stands for, in the open.
func fieldOf(n flow.Notification, column string) any {
	switch column {
	case "Codice fiscale":
		return n.Recipient.Reveal()
	case "Oggetto":
		return n.Subject.Reveal()
	case "Contenuto":
		return n.Content.Reveal()
	case "Scadenza":
		return n.DueDate
	case "Somma":
		return n.Amount
	case "Numero avviso":
		return n.NoticeNumber.Reveal()
	case "Ente creditore":
		return n.Payee.String()
	case "Paga dopo la scadenza":
		return n.PayableAfterDue
	}
	return n.Reference
}

// tryCells tries each cell in a column of a row between two good ones.
func tryCells(t *testing.T, column string, parts xlsxtest.Parts, cases map[string]hardValue) {
	index := slices.Index(hardColumns, column)
	letter := string(rune('A' + index))
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cells := typedAll(hardTexts(2)...)
			cells[index] = c.cell
			all := xlsxtest.Parts{xlsxtest.Sheet1: xlsxtest.Sheet(headRow(1) + goodRow(2, 1) + sheetRow(3, cells) + goodRow(4, 3))}
			for part, text := range parts {
				all[part] = text
			}
			file := xlsxtest.Book(t, all)
			place := fmt.Sprintf("- Riga 3, colonna %s (%s): ", letter, column)
			o := newDesk(t)
			if c.stored == nil {
				o.refuses(t, "avvisi.xlsx", file, refusal{says: []string{c.says, place, "Righe corrette: 2. Righe con errori: 1."},
					copied: true, at: letter + "3", good: []string{"PR-1", "PR-3"}, secrets: secretsOf(column, c.cell)})
				return
			}
			code, said := o.tries(t, "avvisi.xlsx", file, secretsOf(column, c.cell))
			require.Equal(t, 0, code, said)
			if c.says != "" {
				assert.Contains(t, said, place)
				assert.Contains(t, said, c.says)
			} else {
				assert.NotContains(t, said, "Riga 3")
			}
			assert.NoFileExists(t, o.path("avvisi-errori.xlsx"))
			stored := o.stored(t)
			require.Len(t, stored, 3)
			assert.Equal(t, c.stored, fieldOf(stored[1], column))
		})
	}
}

// secretsOf returns what of a cell must not be printed: dates and amounts may.
func secretsOf(column string, c hardCell) []string {
	_, text, _ := strings.Cut(strings.NewReplacer("</v>", "", "</t></is>", "").Replace(c.inside), ">")
	_, text, _ = strings.Cut(">"+text, ">")
	if i := strings.LastIndex(text, ">"); i >= 0 {
		text = text[i+1:]
	}
	if column == "Scadenza" || column == "Somma" || len(text) < 5 || strings.HasPrefix(text, "#") {
		return nil
	}
	return []string{text}
}

func TestHardCodes(t *testing.T) {
	notice, citizen := "301005100001400678", "MSCMHL68P18H211K"
	t.Run("Numero avviso", func(t *testing.T) {
		tryCells(t, "Numero avviso", nil, map[string]hardValue{
			"text":                     {typed(notice), notice, ""},
			"number":                   {numeric(notice), nil, "le sue cifre possono essere andate perse"},
			"number as Excel keeps it": {numeric("3.0100510000140102E+17"), nil, "le sue cifre possono essere andate perse"},
			"as a sheet shows it":      {typed("3,01005E+17"), nil, "ne ha perso le cifre"},
			"spaces":                   {typed("3010 0510 0001 4006 78"), notice, "Tolti 4 spazi."},
			"apostrophe":               {typed("'" + notice), notice, "Tolto l'apostrofo iniziale."},
			"hard space":               {typed(notice + "\u00a0"), notice, "Tolto uno spazio unificatore."},
			"all of them":              {typed("' 3010 05100001400678\u00a0\u200b"), notice, "Tolto l'apostrofo iniziale, tolti 2 spazi, tolto uno spazio unificatore, tolto un carattere invisibile."},
			"17 digits":                {typed("01005100001400678"), nil, "questo ne ha 17: forse manca lo zero iniziale, o è uno IUV"},
			"17 digits as a number":    {numeric("1005100001400678"), nil, "le sue cifre possono essere andate perse"},
			"19 digits":                {typed(notice + "0"), nil, "18 cifre"},
			"check digits":             {typed("301005100001400679"), "301005100001400679", "non tornano"},
			"letter O":                 {typed("3O1005100001400678"), nil, "in posizione 2 un carattere che non è una cifra"},
			"begins with 4":            {typed("401005100001400678"), nil, "deve cominciare con 0, 1, 2 o 3"},
			"empty":                    {hardCell{}, nil, "manca il numero avviso"},
			"formula with an error":    {hardCell{` t="e"`, `<f>A9</f><v>#N/A</v>`}, nil, "#N/D"},
			"formula never calculated": {hardCell{``, `<f>A9</f>`}, nil, "non è stata calcolata"},
			"formula":                  {hardCell{` t="str"`, `<f>A9</f><v>` + notice + `</v>`}, notice, ""},
		})
	})
	t.Run("Codice fiscale", func(t *testing.T) {
		tryCells(t, "Codice fiscale", nil, map[string]hardValue{
			"lower case":          {typed("mscmhl68p18h211k"), citizen, "9 lettere portate in maiuscolo"},
			"inner spaces":        {typed("MSC MHL 68P18 H211K"), citizen, "Tolti 3 spazi."},
			"zero width":          {typed("MSCMHL\u200b68P18H211K\ufeff"), citizen, "Tolti 2 caratteri invisibili."},
			"letter O for 0":      {typed("RSSMRA8OA01H501U"), nil, "in posizione 8: c'è la lettera O, forse al posto della cifra 0"},
			"digit 0 for O":       {typed("R0SMRA80A01H501U"), nil, "in posizione 2: c'è la cifra 0, forse al posto della lettera O"},
			"check character":     {typed("MSCMHL68P18H211A"), "MSCMHL68P18H211A", "Il carattere di controllo del codice fiscale non torna"},
			"homocodia":           {typed("MSCMHLSUPMUHNMMT"), "MSCMHLSUPMUHNMMT", ""},
			"11 digits":           {typed("80185250588"), nil, "non è raggiungibile su App IO"},
			"11 digits, a number": {numeric("80185250588"), nil, "non è raggiungibile su App IO"},
			"lost zero":           {numeric("1234567890"), nil, "ha tolto gli zeri iniziali"},
			"15 characters":       {typed("MSCMHL68P18H211"), nil, "16 caratteri fra lettere e cifre, questo ne ha 15"},
			"name":                {typed("ROSSI MARIO"), nil, "16 caratteri"},
			"Greek letters":       {typed("ΜSCMHL68P18H211K"), nil, "in posizione 1"},
			"empty":               {hardCell{}, nil, "obbligatorio"},
			"blanks":              {typed(" \u00a0\u200b "), nil, "obbligatorio"},
			"date":                {dated("45716"), nil, "data invece di un testo"},
			"truth value":         {logical("1"), nil, "valore logico"},
		})
	})
	t.Run("Ente creditore", func(t *testing.T) {
		tryCells(t, "Ente creditore", nil, map[string]hardValue{
			"empty":        {hardCell{}, "", ""},
			"text":         {typed("80185250588"), "80185250588", ""},
			"number":       {numeric("80185250588"), "80185250588", "eventuali zeri iniziali sono andati persi"},
			"lost zero":    {numeric("1234567890"), nil, "11 cifre"},
			"of a person":  {typed(citizen), nil, "11 cifre"},
			"check digit":  {typed("80185250589"), "80185250589", "controllo"},
			"a hard space": {typed("80185\u00a0250588"), "80185250588", "Tolto uno spazio unificatore."},
		})
	})
}

func TestHardMoney(t *testing.T) {
	tryCells(t, "Somma", nil, map[string]hardValue{
		"Italian notation":     {typed("1.234,56"), flussi.Cents(123456), ""},
		"euro sign":            {typed("€ 12,50"), flussi.Cents(1250), ""},
		"euro and hard space":  {typed("12,50\u00a0€"), flussi.Cents(1250), ""},
		"one decimal":          {typed("12,5"), flussi.Cents(1250), ""},
		"point":                {typed("12.5"), flussi.Cents(1250), ""},
		"apostrophe":           {typed("'12,50"), flussi.Cents(1250), "Tolto l'apostrofo iniziale."},
		"19.99":                {numeric("19.99"), flussi.Cents(1999), ""},
		"4.35":                 {numeric("4.35"), flussi.Cents(435), ""},
		"0.58 as a double":     {numeric("0.57999999999999996"), flussi.Cents(58), ""},
		"exponent":             {numeric("1.25E1"), flussi.Cents(1250), ""},
		"least":                {numeric("0.01"), flussi.Cents(1), ""},
		"largest":              {numeric("99999999.99"), flussi.Cents(9_999_999_999), ""},
		"ambiguous":            {typed("1.234"), nil, "1.234,00 € oppure 1,234 €"},
		"English notation":     {typed("1,234.56"), nil, "la virgola prima dei decimali"},
		"negative":             {typed("-12,50"), nil, "negativo"},
		"negative number":      {numeric("-12.5"), nil, "negativo"},
		"three decimals":       {typed("12,345"), nil, "più di due decimali"},
		"number of 3 decimals": {numeric("12.345"), nil, "più di due decimali"},
		"zero":                 {numeric("0"), nil, "fra 0,01 € e 99.999.999,99 €"},
		"zero as text":         {typed("0,00"), nil, "fra 0,01 € e 99.999.999,99 €"},
		"too much":             {numeric("100000000"), nil, "fra 0,01 € e 99.999.999,99 €"},
		"far too much":         {numeric("1E300"), nil, "troppo grande"},
		"space within":         {typed("1 234,56"), nil, "spazio dentro l'importo, in posizione 2"},
		"words":                {typed("dodici"), nil, "non fa parte di un importo"},
		"date":                 {dated("45716"), nil, "data"},
		"percentage":           {percent("0.5"), nil, "percentuale"},
		"empty":                {hardCell{}, nil, "manca la somma"},
	})
}

func TestHardDates(t *testing.T) {
	end := func(y int, m time.Month, d int) time.Time {
		at, err := flussi.EndOfDay(y, m, d)
		require.NoError(t, err)
		return at
	}
	february := end(2099, time.February, 28)
	tryCells(t, "Scadenza", nil, map[string]hardValue{
		"serial":                  {dated("72744"), february, ""},
		"last serial":             {dated("2958465"), end(9999, time.December, 31), ""},
		"serial that shows as it": {numeric("72744"), february, "è stato letto come 28/02/2099"},
		"text":                    {typed("28/02/2099"), february, ""},
		"dots":                    {typed(" 28.2.2099 "), february, ""},
		"two digits of the year":  {typed("28-02-99"), february, "letto come 20xx"},
		"ISO":                     {typed("2099-02-28"), february, ""},
		"ISO cell":                {hardCell{` t="d"`, `<v>2099-02-28T00:00:00Z</v>`}, february, ""},
		"midnight":                {typed("28/02/2099 00:00"), february, ""},
		"summer":                  {typed("01/07/2099"), end(2099, time.July, 1), ""},
		"leap day":                {typed("29/02/2096"), end(2096, time.February, 29), ""},
		"empty":                   {hardCell{}, time.Time{}, ""},
		"past serial":             {dated("45716"), end(2025, time.February, 28), "La data 28/02/2025 è già passata."},
		"past text":               {typed("31/12/2024"), end(2024, time.December, 31), "La data 31/12/2024 è già passata."},
		"month before day":        {typed("02/28/2099"), nil, "il mese è il secondo numero"},
		"31 April":                {typed("31/04/2099"), nil, "La data 31/04/2099 non esiste."},
		"29 February":             {typed("29/02/2099"), nil, "La data 29/02/2099 non esiste."},
		"serial with a time":      {dated("72744.75"), nil, "La data è accompagnata da un'ora"},
		"text with a time":        {typed("28/02/2099 18:00"), nil, "La data è accompagnata da un'ora"},
		"year as a number":        {numeric("2099"), nil, "può essere un anno"},
		"29 February 1900":        {dated("60"), nil, "non corrisponde a una data"},
		"digits in a row":         {numeric("28022099"), nil, "non corrisponde a una data"},
		"words":                   {typed("fine mese"), nil, "gg/mm/aaaa"},
		"percentage":              {percent("0.5"), nil, "non contiene una data"},
		"truth value":             {logical("1"), nil, "non contiene una data"},
	})
	t.Run("1904", func(t *testing.T) {
		system := xlsxtest.Parts{xlsxtest.Workbook: `<workbook xmlns:r="r"><workbookPr date1904="1"/><sheets><sheet name="Dati" r:id="rId1"/></sheets></workbook>`}
		tryCells(t, "Scadenza", system, map[string]hardValue{
			"serial":             {dated("71282"), february, ""},
			"past serial":        {dated("44254"), end(2025, time.February, 28), "La data 28/02/2025 è già passata."},
			"serial with a time": {dated("71282.5"), nil, "La data è accompagnata da un'ora"},
		})
	})
}

func TestHardYesAndNo(t *testing.T) {
	cases := map[string]hardValue{
		"empty":       {hardCell{}, false, ""},
		"number 1":    {numeric("1"), true, ""},
		"number 0":    {numeric("0"), false, ""},
		"true":        {logical("1"), true, ""},
		"false":       {logical("0"), false, ""},
		"forse":       {typed("forse"), nil, "Scrivere Sì oppure No."},
		"a number":    {numeric("2"), nil, "Scrivere Sì oppure No."},
		"100 percent": {percent("1"), nil, "Scrivere Sì oppure No."},
	}
	for _, s := range []string{"Sì", "Si\u0300", "Si'", "SI", "S", "X", "VERO", "TRUE", "1", " sì\u00a0"} {
		cases["yes: "+s] = hardValue{typed(s), true, ""}
	}
	for _, s := range []string{"No", "N", "FALSO", "FALSE", "0", "no "} {
		cases["no: "+s] = hardValue{typed(s), false, ""}
	}
	tryCells(t, "Paga dopo la scadenza", nil, cases)
}

func TestHardLengths(t *testing.T) {
	texts := func(sizes map[string]string, stored bool, says ...string) map[string]hardValue {
		cases := map[string]hardValue{}
		for name, s := range sizes {
			c := hardValue{cell: typed(s), says: strings.Join(says, "")}
			if stored {
				c.stored = s
			}
			cases[name] = c
		}
		return cases
	}
	a := func(n int) string { return strings.Repeat("a", n) }
	nfd := func(n int) string { return strings.Repeat("e\u0300", n) }
	t.Run("Oggetto", func(t *testing.T) {
		tryCells(t, "Oggetto", nil, texts(map[string]string{
			"10": a(10), "120": a(120), "120 composed": strings.Repeat("è", 120), "60 decomposed": nfd(60),
			"emoji within": a(118) + "😀", "5 emoji": strings.Repeat("😀", 5), "outer blanks": "  Avviso numero uno ", "signs": `<Avviso> & "altro" 'così'`,
		}, true))
		tryCells(t, "Oggetto", nil, texts(map[string]string{"9": a(9), "121": a(121)}, false, "da 10 a 120"))
		tryCells(t, "Oggetto", nil, texts(map[string]string{"61 decomposed": nfd(61)}, false, "122 caratteri"))
		tryCells(t, "Oggetto", nil, texts(map[string]string{"emoji across the border": a(119) + "😀"}, false, "121 caratteri (gli emoji contano due)"))
		tryCells(t, "Oggetto", nil, texts(map[string]string{"blanks": strings.Repeat(" ", 20)}, false, "obbligatorio"))
	})
	t.Run("Contenuto", func(t *testing.T) {
		tryCells(t, "Contenuto", nil, texts(map[string]string{
			"120": a(120), "10000": a(10_000), "60 decomposed": nfd(60), "emoji within": a(9_998) + "😀", "lines": a(120) + "\nb\n\nc",
		}, true))
		tryCells(t, "Contenuto", nil, texts(map[string]string{"119": a(119), "59 decomposed": nfd(59) + "a", "10001": a(10_001), "emoji across the border": a(9_999) + "😀", "32,767": a(32_767)}, false, "da 120 a 10.000"))
		tryCells(t, "Contenuto", nil, map[string]hardValue{
			"escaped line end": {typed(a(120) + "_x000D_\nseconda"), a(120) + "\r\nseconda", ""},
			"escaped escape":   {typed(a(120) + "_x005F_x000D_"), a(120) + "_x000D_", ""},
			"date":             {dated("45716"), nil, "data invece di un testo"},
			"too few digits":   {numeric("12345"), nil, "da 120 a 10.000"},
		})
	})
}

// hardFile is a file, and what is to come of it: rows that are stored, or a refusal.
type hardFile struct {
	file  []byte
	rows  []string // Riferimento of what is stored
	notes []string // what is said of it besides
	refusal
}

func tryFiles(t *testing.T, name string, cases map[string]hardFile) {
	for what, c := range cases {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			o := newDesk(t)
			if c.rows == nil {
				o.refuses(t, name, c.file, c.refusal)
				return
			}
			code, said := o.tries(t, name, c.file, c.secrets)
			require.Equal(t, 0, code, said)
			assert.Contains(t, said, fmt.Sprintf("Importate %d notifiche", len(c.rows)))
			for _, note := range c.notes {
				assert.Contains(t, said, note)
			}
			stored := o.stored(t)
			require.Len(t, stored, len(c.rows))
			for i, n := range stored {
				assert.Equal(t, c.rows[i], n.Reference)
				citizen := 0
				_, err := fmt.Sscanf(n.Reference, "PR-%d", &citizen)
				require.NoError(t, err)
				texts := hardTexts(citizen)
				for column := range 3 {
					assert.Equal(t, texts[column], fieldOf(n, hardColumns[column]))
				}
				assert.Equal(t, texts[5], n.NoticeNumber.Reveal())
				assert.EqualValues(t, 1250, n.Amount)
			}
		})
	}
}

func TestHardStructures(t *testing.T) {
	head, two := headRow(1), goodRow(2, 1)+goodRow(3, 2)
	both := []string{"PR-1", "PR-2"}
	filter := `<autoFilter ref="A1:I3"><filterColumn colId="0"><filters><filter val="x"/></filters></filterColumn></autoFilter>`
	long := strings.Repeat("x", 32_767)
	aliased := typedAll("C. F.\nDest ", "TITOLO:", "Testo del messaggio", "Data scadenza", "Importo (€)", "Codice avviso", "", "", "Rif.")
	tryFiles(t, "avvisi.xlsx", map[string]hardFile{
		"as it should be":           {file: hardBook(t, head+two), rows: both},
		"header in row 4":           {file: hardBook(t, sheetRow(1, typedAll("Comune di Prova"))+sheetRow(2, typedAll("", "Elenco", "Contenuto"))+headRow(4)+goodRow(5, 1)+goodRow(6, 2), merged("A1:I2")), rows: both},
		"header by aliases":         {file: hardBook(t, sheetRow(1, aliased)+two), rows: both, notes: []string{"Colonne facoltative che mancano: Ente creditore, Paga dopo la scadenza."}},
		"data in a second sheet":    {file: twoSheets(t, sheetRow(1, typedAll("Istruzioni segreto")), head+two, ""), rows: both, notes: []string{"Altri fogli non letti: 1."}},
		"blank rows in the middle":  {file: hardBook(t, head+goodRow(2, 1)+sheetRow(3, typedAll(" ", "\u00a0", "\u200b"))+goodRow(6, 2)), rows: both},
		"formatted rows behind":     {file: hardBook(t, head+two+`<row r="4" s="1" customFormat="1"/><row r="1048576"><c r="A1048576" s="1"/></row>`), rows: both},
		"filter on, nothing hidden": {file: hardBook(t, head+two, filter), rows: both},
		"32,767 characters beside":  {file: hardBook(t, sheetRow(1, withHeads("Note segreto"))+sheetRow(2, typedAll(append(hardTexts(1), long)...))), rows: both[:1], notes: []string{"La colonna J non fa parte del modello"}},
		"merged cells beside":       {file: hardBook(t, head+two, merged("L2:M3")), rows: both},
		"line ends as escapes":      {file: hardBook(t, sheetRow(1, typedAll("Codice_x000D_\nfiscale", "Oggetto", "Contenuto", "", "Somma", "Numero avviso", "", "", "Riferimento"))+two), rows: both},

		"doubled header":          {file: hardBook(t, sheetRow(1, withHeads("C.F."))+two), refusal: refusal{says: []string{"La colonna J ripete la colonna A (Codice fiscale)"}, copied: true, at: "J1"}},
		"misspelt header":         {file: hardBook(t, sheetRow(1, typedAll("Codice fiscale", "Oggetto", "Contenuto", "Scadneza"))+two), refusal: refusal{says: []string{"L'intestazione della colonna D è quasi Scadenza"}, copied: true, at: "D1"}},
		"required column missing": {file: hardBook(t, sheetRow(1, typedAll("Codice fiscale", "Oggetto"))+two), refusal: refusal{says: []string{"Manca la colonna obbligatoria Contenuto."}, copied: true}},
		"IUV for the notice":      {file: hardBook(t, sheetRow(1, typedAll("Codice fiscale", "Oggetto", "Contenuto", "", "Somma", "I.U.V."))+two), refusal: refusal{says: []string{"La colonna F non è ammessa."}, copied: true, at: "F1"}},
		"two headers":             {file: hardBook(t, sheetRow(1, typedAll(hardColumns[:3]...))+goodRow(2, 1)+headRow(4)+goodRow(5, 2)), refusal: refusal{says: []string{"Anche la riga 1 ha le intestazioni"}, copied: true}},
		"no header":               {file: hardBook(t, two), refusal: refusal{says: []string{"non c'è l'intestazione del modello"}, copied: true}},
		"header in row 21":        {file: hardBook(t, headRow(21)+goodRow(22, 1)), refusal: refusal{says: []string{"Nelle prime 20 righe non c'è l'intestazione"}, copied: true}},
		"sheet with nothing":      {file: hardBook(t, ``), refusal: refusal{says: []string{"non c'è l'intestazione del modello"}, copied: true}},
		"header alone":            {file: hardBook(t, head), refusal: refusal{says: []string{"Non ci sono righe da importare."}}},
		"workbook without sheets": {file: xlsxtest.Book(t, xlsxtest.Parts{xlsxtest.Workbook: `<workbook><sheets/></workbook>`}), refusal: refusal{says: []string{"La cartella di lavoro non contiene fogli."}}},
		"two sheets with rows":    {file: twoSheets(t, head+goodRow(2, 1), head+goodRow(2, 2), ""), refusal: refusal{says: []string{"Ci sono 2 fogli con dati"}}},
		"hidden sheet":            {file: twoSheets(t, head+two, ``, `state="hidden"`), refusal: refusal{says: []string{"in un foglio nascosto"}}},
		"merged data":             {file: hardBook(t, head+two, merged("B2:B3")), refusal: refusal{says: []string{"celle unite (B2:B3)"}, copied: true}},
		"hidden row":              {file: hardBook(t, head+goodRow(2, 1)+sheetRow(3, typedAll(hardTexts(2)...), ` hidden="1"`), filter), refusal: refusal{says: []string{"La riga è nascosta", "- Riga 3: "}, copied: true, good: both[:1]}},
		"the same message twice":  {file: hardBook(t, head+two+goodRow(4, 1)), refusal: refusal{says: []string{"già alla riga 2", "- Riga 4: Doppione"}, copied: true, good: both}},
		"only wrong rows":         {file: hardBook(t, head+sheetRow(2, typedAll("ROSSI MARIO", "corto"))), refusal: refusal{says: []string{"16 caratteri", "colonna B (Oggetto)", "colonna C (Contenuto)"}, copied: true, at: "A2", secrets: []string{"ROSSI", "corto"}}},
		"32,768 characters":       {file: hardBook(t, head+goodRow(2, 1)+sheetRow(3, typedAll(appiotest.SampleCitizen(2).Reveal(), "Oggetto segreto", long+"x"))), refusal: refusal{says: []string{"supera i limiti previsti"}}},
		"an export":               {file: hardBook(t, sheetRow(1, withHeads("UUID"))+two), refusal: refusal{says: []string{"i cittadini le riceverebbero due volte"}, copied: true, at: "J1"}},
	})
}

func TestHardFilesOfOtherPrograms(t *testing.T) {
	for _, name := range []string{"exceljs.xlsx", "sheetjs.xlsx", "sheetjs-inline.xlsx", "libreoffice.xlsx", "libreoffice-from-ods.xlsx"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, err := os.ReadFile(filepath.Join("..", "..", "excel", "testdata", name))
			require.NoError(t, err)
			o := newDesk(t)
			code, said := o.tries(t, name, file, []string{"Mensa scolastica"})
			require.Equal(t, 0, code, said)
			stored := o.stored(t)
			require.Len(t, stored, 4)
			assert.Equal(t, "MSCMHL68P18H211K", stored[0].Recipient.Reveal())
			assert.EqualValues(t, 1999, stored[0].Amount)
			assert.True(t, stored[0].PayableAfterDue)
			assert.Equal(t, "Prima riga del messaggio.\nSeconda riga, con «virgolette», <parentesi>, & altri segni: \"così\", 'così'. Il testo deve avere almeno centoventi caratteri.", stored[1].Content.Reveal())
			assert.Equal(t, "Un emoji 😀 conta due caratteri", stored[2].Subject.Reveal())
			assert.False(t, stored[2].IsPayment)
			assert.EqualValues(t, 9_999_999_999, stored[3].Amount)
		})
	}
}

// Under the name of a workbook.
func TestHardFilesOfOtherKinds(t *testing.T) {
	wide := func(s string) string { return string(wideBytes(s, false, false)) }
	compound := "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + strings.Repeat("\x00", 70_000)
	named := func(file []byte, says string) hardFile {
		return hardFile{file: file, refusal: refusal{says: []string{says}}}
	}
	tryFiles(t, "avvisi.xlsx", map[string]hardFile{
		"xls":       named([]byte(compound+wide("Workbook")+"\x00\x00"), "Il file è una cartella di lavoro del vecchio Excel (.xls)"),
		"xlsb":      named(archive(t, "[Content_Types].xml", "_rels/.rels", "xl/workbook.bin"), "Il file è una cartella di lavoro binaria (.xlsb)"),
		"ods":       named(archive(t, "mimetype", "content.xml", "META-INF/manifest.xml"), "Il file è un documento LibreOffice (.ods)"),
		"docx":      named(archive(t, "[Content_Types].xml", "_rels/.rels", "word/document.xml"), "Il file è un altro documento Office"),
		"archive":   named(archive(t, "avvisi.csv"), "Il file è un archivio compresso"),
		"HTML":      named([]byte("<html><body><table><tr><td>Codice fiscale</td></tr></table>"), "Il file è una pagina web (HTML)"),
		"XML":       named([]byte(`<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>`), "Il file è un documento XML"),
		"PDF":       named([]byte("%PDF-1.7\n"), "Il file è un documento PDF"),
		"picture":   named([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), "Il file è un file di tipo sconosciuto"),
		"nothing":   named(nil, "Il file è vuoto"),
		"encrypted": named(encrypted(t), "Il file è un file protetto da password"),
		"CSV":       {file: csvOf(";", "\n", hardColumns, hardTexts(1)), rows: []string{"PR-1"}},
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
		_, err = io.WriteString(w, content)
		require.NoError(t, err)
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

// A file that was cut off anywhere, or damaged, is imported whole or not at all.
func TestHardDamages(t *testing.T) {
	o := newDesk(t)
	writeWorkbook(t, o.path("buono.xlsx"), 30)
	whole, err := os.ReadFile(o.path("buono.xlsx"))
	require.NoError(t, err)
	refused := func(file []byte, says string) {
		code, said := o.tries(t, "avvisi.xlsx", file, nil, "--good-rows")
		require.Equal(t, exitRows, code, said)
		require.Contains(t, said, "Non è stato importato niente.")
		require.Regexp(t, says, said)
		require.NoFileExists(t, o.path("avvisi-errori.xlsx"))
	}
	for i := range 50 {
		refused(whole[:i*len(whole)/50], "^Il file è (incompleto|vuoto|danneggiato|un file)")
	}
	refused(whole[:len(whole)-1], "^Il file è incompleto")
	parts := xlsxtest.Unpack(t, whole)
	sheet := parts[xlsxtest.Sheet1]
	for i := range 10 {
		parts[xlsxtest.Sheet1] = sheet[:i*len(sheet)/10]
		refused(xlsxtest.Pack(t, parts), "Il file è (incompleto|danneggiato)")
	}
	o.storesNothing(t)

	for i := range 30 { // a byte that a disk or a network made another one
		damaged := slices.Clone(whole)
		damaged[(2*i+1)*len(whole)/60] ^= 0x55
		o := newDesk(t)
		if code, said := o.tries(t, "avvisi.xlsx", damaged, nil, "--good-rows"); code != 0 {
			require.Equal(t, exitRows, code, said)
			o.storesNothing(t)
			continue
		}
		require.Len(t, o.stored(t), 30)
	}
	code, said := o.tries(t, "avvisi.xlsx", whole, nil)
	require.Equal(t, 0, code, said)
	require.Len(t, o.stored(t), 30)
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

// wideBytes encodes a text in UTF-16.
func wideBytes(s string, big, mark bool) []byte {
	var b []byte
	if mark {
		s = "\uFEFF" + s
	}
	for _, unit := range utf16.Encode([]rune(s)) {
		if big {
			b = append(b, byte(unit>>8), byte(unit))
		} else {
			b = append(b, byte(unit), byte(unit>>8))
		}
	}
	return b
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
	semicolons := string(csvOf(";", "\r\n", records...))
	both := []string{"PR-1", "PR-2"}
	cut := func(file string, n int) []byte { return []byte(file[:len(file)-n]) }
	wrong := slices.Clone(hardTexts(2))
	wrong[0], wrong[4] = "RSSMRA8OA01H501U", "1.234"
	tryFiles(t, "lista.csv", map[string]hardFile{
		"semicolons":            {file: []byte(semicolons), rows: both},
		"commas":                {file: csvOf(",", "\n", records...), rows: both},
		"tabs":                  {file: csvOf("\t", "\n", records...), rows: both},
		"byte order mark":       {file: []byte("\uFEFF" + semicolons), rows: both},
		"UTF-16 LE":             {file: wideBytes(semicolons, false, true), rows: both},
		"UTF-16 BE":             {file: wideBytes(semicolons, true, true), rows: both},
		"UTF-16 without a mark": {file: wideBytes(semicolons, false, false), rows: both},
		"Windows-1252":          {file: windows1252(semicolons), rows: both},
		"sep line":              {file: []byte("sep=;\r\n" + semicolons), rows: both},
		"another sep line":      {file: append([]byte("sep=|\n"), csvOf("|", "\n", records...)...), rows: both},
		"no last line end":      {file: cut(semicolons, 2), rows: both},
		"blank lines":           {file: []byte(strings.ReplaceAll(semicolons, "\r\n", "\r\n\r\n")), rows: both},
		"titles above":          {file: []byte("Comune di Prova;;\n\n" + semicolons), rows: both},

		"wrong cells":              {file: csvOf(";", "\n", hardColumns, hardTexts(1), wrong), refusal: refusal{says: []string{"c'è la lettera O", "- Riga 3, colonna A (Codice fiscale)", "- Riga 3, colonna E (Somma)"}, copied: true, at: "A3", good: both[:1], secrets: wrong[:1]}},
		"number as a sheet shows":  {file: []byte(strings.ReplaceAll(semicolons, hardTexts(2)[5], "3,01005E+17")), refusal: refusal{says: []string{"ne ha perso le cifre", "- Riga 3, colonna F (Numero avviso)"}, copied: true, at: "F3", good: both[:1]}},
		"more fields than headers": {file: csvOf(";", "\n", hardColumns, hardTexts(1), append(hardTexts(2), "segreto")), refusal: refusal{says: []string{"La riga ha più campi dell'intestazione", "- Riga 3: "}, copied: true, good: both[:1]}},
		"quotes that do not close": {file: []byte(semicolons + `"` + strings.Join(hardTexts(3), ";")), refusal: refusal{says: []string{"Alla riga 4 del file si aprono virgolette che non si chiudono"}}},
		"quote out of place":       {file: []byte(semicolons + `AB"C;x;y` + "\r\n"), refusal: refusal{says: []string{"Alla riga 4 del file c'è una virgoletta fuori posto"}}},
		"cut off in a row":         {file: []byte(semicolons + strings.Join(hardTexts(3)[:3], ";")), refusal: refusal{says: []string{"Il file è incompleto: alla riga 4"}}},
		"cut off in a character":   {file: []byte(semicolons + "\xC3"), refusal: refusal{says: []string{"a metà di un carattere"}}},
		"UTF-16 cut off":           {file: cut(string(wideBytes(semicolons, false, true)), 1), refusal: refusal{says: []string{"a metà di un carattere"}}},
		"mixed encodings":          {file: append([]byte(semicolons), windows1252(semicolons)...), refusal: refusal{says: []string{"mescola caratteri di codifiche diverse"}}},
		"zero bytes":               {file: []byte(strings.Repeat(semicolons, 20) + "a\x00b\n"), refusal: refusal{says: []string{"non fanno parte di un testo"}}},
		"no header":                {file: csvOf(";", "\n", records[1:]...), refusal: refusal{says: []string{"non c'è l'intestazione del modello"}, copied: true}},
		"header alone":             {file: csvOf(";", "\n", hardColumns), refusal: refusal{says: []string{"Non ci sono righe da importare."}}},
	})
	t.Run("quoted newlines", func(t *testing.T) {
		row := hardTexts(1)
		row[2] = "Prima riga;\nseconda con \"virgolette\", " + row[2]
		o := newDesk(t)
		code, said := o.tries(t, "lista.csv", csvOf(";", "\r\n", hardColumns, row, wrong), nil, "--good-rows")
		assert.Equal(t, exitRows, code, said)
		assert.Contains(t, said, "- Riga 3, colonna A", "as a spreadsheet counts")
		stored := o.stored(t)
		require.Len(t, stored, 1)
		assert.Equal(t, row[2], stored[0].Content.Reveal())
	})
}

// What is stored is what the operator sees later: in the detail and in the export.
func TestHardValuesAreShownAndExported(t *testing.T) {
	row := typedAll("' msc mhl68p18h211k\u00a0", "Avviso n.\u00a01: è 😀", strings.Repeat("Perché sì. ", 12), "", "€ 1.234,56", "3010 0510 0001 4006 78", "80185250588", "Si'", "=SOMMA(1;2)")
	row[3] = dated("72744")
	o := newDesk(t)
	code, said := o.tries(t, "avvisi.xlsx", hardBook(t, headRow(1)+sheetRow(2, row)), nil)
	require.Equal(t, 0, code, said)
	stored := o.stored(t)
	require.Len(t, stored, 1)
	code, said = o.run("show", stored[0].ID.String())
	assert.Equal(t, 0, code, said)
	for _, want := range []string{"MSCMHL68P18H211K", "Avviso n.\u00a01: è 😀", "28/02/2099 23:59:59", "1.234,56 €", "301005100001400678", "80185250588", "=SOMMA(1;2)"} {
		assert.Contains(t, said, want)
	}
	code, said = o.run("export", o.path("esito.xlsx"))
	require.Equal(t, 0, code, said)
	content, err := os.ReadFile(o.path("esito.xlsx"))
	require.NoError(t, err)
	rows, _, _ := inside(t, content)
	assert.Equal(t, []string{"MSCMHL68P18H211K", "Avviso n.\u00a01: è 😀", strings.Repeat("Perché sì. ", 12), "72744", "1234.56", "301005100001400678", "80185250588", "Sì", "=SOMMA(1;2)"}, rows[1][:9])
}

// The operator corrects the copy itself, with the marks in it, and imports that.
func TestHardCopyIsCorrectedAndImported(t *testing.T) {
	wrong := hardTexts(2)
	wrong[4] = "1.234"
	for name, file := range map[string][]byte{"avvisi.xlsx": hardBook(t, headRow(1)+goodRow(2, 1)+sheetRow(3, typedAll(wrong...))), "avvisi.csv": csvOf(",", "\n", hardColumns, hardTexts(1), wrong)} {
		t.Run(name, func(t *testing.T) {
			o := newDesk(t)
			code, said := o.tries(t, name, file, nil)
			require.Equal(t, exitRows, code, said)
			require.NoError(t, edit(o.path("avvisi-errori.xlsx"), func(book *excelize.File, sheet string) error { return book.SetCellStr(sheet, "E3", "1.234,00") }))
			corrected, err := os.ReadFile(o.path("avvisi-errori.xlsx"))
			require.NoError(t, err)
			code, said = o.tries(t, "avvisi-errori.xlsx", corrected, nil)
			require.Equal(t, 0, code, said)
			assert.NotContains(t, said, "Altri fogli non letti")
			stored := o.stored(t)
			require.Len(t, stored, 2)
			assert.EqualValues(t, 123400, stored[1].Amount)
		})
	}
}

// A copy that cannot be written is told, whatever became of the rows.
func TestHardCopyThatCannotBeWritten(t *testing.T) {
	wrong := hardTexts(2)
	wrong[4] = "1.234"
	for _, args := range [][]string{{}, {"--good-rows"}} {
		o := newDesk(t)
		_, said := o.tries(t, "avvisi.xlsx", hardBook(t, headRow(1)+goodRow(2, 1)+sheetRow(3, typedAll(wrong...))), nil, append(args, "--marked", o.path("manca/copia.xlsx"))...)
		assert.Contains(t, said, "manca/copia.xlsx» non si può scrivere", args)
	}
}
