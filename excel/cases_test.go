package excel_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/xlsxtest"
)

// one is a template with a single column, and how its cells come out.
func one[V any](t *testing.T, kind excel.Kind[V], date1904 bool, cell string) (value V, note excel.Note, err error) {
	t.Helper()
	template := must.Get(valueTemplate("Valore", kind, excel.ColumnConfig{Required: true}))(t)
	parts := xlsxtest.Parts{xlsxtest.Sheet1: xlsxtest.Sheet(`<row r="1"><c r="A1" t="inlineStr"><is><t>Valore</t></is></c></row><row r="2">` + cell + `</row>`)}
	if date1904 {
		parts[xlsxtest.Workbook] = `<workbook xmlns:r="r"><workbookPr date1904="1"/><sheets><sheet name="Dati" r:id="rId1"/></sheets></workbook>`
	}
	book := xlsxtest.Book(t, parts)
	lines := 0
	for line, lineErr := range template.Decode(t.Context(), strings.NewReader(string(book)), int64(len(book)), nil) {
		lines++
		value, err = line.Value, lineErr
		if len(line.Notes) > 0 {
			note = line.Notes[0]
		}
	}
	require.Equal(t, 1, lines)
	return value, note, err
}

// text returns a cell as files hold it, like the functions below. The styles are those of xlsxtest.
func text(s string) string {
	return `<c r="A2" s="1" t="inlineStr"><is><t xml:space="preserve">` + strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(s) + `</t></is></c>`
}
func number(s string) string        { return `<c r="A2"><v>` + s + `</v></c>` }
func dateNumber(s string) string    { return `<c r="A2" s="2"><v>` + s + `</v></c>` }
func truth(s string) string         { return `<c r="A2" t="b"><v>` + s + `</v></c>` }
func styled(i int, s string) string { return fmt.Sprintf(`<c r="A2" s="%d"><v>%s</v></c>`, i, s) }

// outcome is what should come of a cell.
type outcome[V any] struct {
	cell    string
	value   V
	err     error
	says    string // a part of the Italian text of the error
	changed flussi.ChangeKind
	warned  error
}

func check[V any](t *testing.T, kind excel.Kind[V], cases map[string]outcome[V]) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			value, note, err := one(t, kind, false, c.cell)
			if c.err != nil {
				require.ErrorIs(t, err, c.err)
				row := must.As[*flussi.RowError](t, err)
				assert.Equal(t, "A", row.Err.(excel.CellErrors)[0].Column)
				assert.Equal(t, 2, row.Row)
				assert.Contains(t, flussi.Explain(err), c.says)
				assert.NotContains(t, flussi.Explain(err), "imprevisto")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.value, value)
			if c.changed != "" {
				require.NotEmpty(t, note.Changes)
				assert.Equal(t, c.changed, note.Changes[0].Kind)
				assert.Contains(t, note.Italian(), "Riga 2, colonna A (Valore)")
			} else {
				assert.Empty(t, note.Changes)
			}
			if c.warned != nil {
				require.NotEmpty(t, note.Warnings)
				assert.ErrorIs(t, note.Warnings[0], c.warned)
			} else {
				assert.Empty(t, note.Warnings)
			}
		})
	}
}

func mustNumber(s string) flussi.NoticeNumber {
	n, err := flussi.ParseNoticeNumber(s)
	if err != nil {
		panic(err)
	}
	return n
}

func mustCode(s string) flussi.FiscalCode {
	c, err := flussi.ParseFiscalCode(s)
	if err != nil {
		panic(err)
	}
	return c
}

func TestCodesKeepTheirDigitsOrAreRefused(t *testing.T) {
	right := mustNumber("301005100001400678")
	wrong := mustNumber("301005100001400679")
	check(t, excel.NoticeNumber(flussi.Lenient), map[string]outcome[flussi.NoticeNumber]{
		"text":                       {cell: text("301005100001400678"), value: right},
		"number":                     {cell: number("301005100001400678"), err: flussi.ErrDigitsLost, says: "formato Testo"},
		"number as Excel stores it":  {cell: number("3.0100510000140102E+17"), err: flussi.ErrDigitsLost, says: "formato Testo"},
		"number as a sheet shows it": {cell: text("3,01005E+17"), err: flussi.ErrDigitsLost, says: "numero"},
		"spaces":                     {cell: text("3010 0510 0001 4006 78"), value: right, changed: flussi.RemovedSpaces},
		"apostrophe":                 {cell: text("'301005100001400678"), value: right, changed: flussi.RemovedApostrophes},
		"hard space":                 {cell: text("301005100001400678\u00a0"), value: right, changed: flussi.RemovedHardSpaces},
		"17 digits are not padded":   {cell: text("01005100001400678"), err: flussi.ErrLength, says: "18 cifre"},
		"short number":               {cell: number("1005100001400"), err: flussi.ErrLength, says: "18 cifre"},
		"wrong check digits":         {cell: text("301005100001400679"), value: wrong, warned: flussi.ErrCheckDigits},
		"date":                       {cell: dateNumber("45716"), err: excel.ErrCellType, says: "data"},
		"truth value":                {cell: truth("1"), err: excel.ErrCellType, says: "VERO"},
	})
	_, _, err := one(t, excel.NoticeNumber(flussi.Strict), false, text("301005100001400679"))
	require.ErrorIs(t, err, flussi.ErrCheckDigits)

	iuv := right.IUV()
	check(t, excel.IUV(), map[string]outcome[flussi.IUV]{
		"text":                      {cell: text("01005100001400678"), value: iuv},
		"spaces":                    {cell: text("01005 1000014 00678"), value: iuv, changed: flussi.RemovedSpaces},
		"number as Excel stores it": {cell: number("1.00510000140067E+15"), err: flussi.ErrDigitsLost, says: "formato Testo"},
		"lost zero":                 {cell: number("5100001400678"), err: flussi.ErrLength, says: "15 o 17 cifre"},
		"16 digits are not padded":  {cell: text("1005100001400678"), err: flussi.ErrLength, says: "15 o 17 cifre"},
		"letter O for 0":            {cell: text("O1005100001400678"), err: flussi.ErrCharacter, says: "non è una cifra"},
	})

	check(t, excel.FiscalCode(flussi.Lenient), map[string]outcome[flussi.FiscalCode]{
		"lower case":        {cell: text("mscmhl68p18h211k"), value: mustCode("MSCMHL68P18H211K"), changed: flussi.ChangedCase},
		"inner spaces":      {cell: text("MSC MHL 68P18 H211K"), value: mustCode("MSCMHL68P18H211K"), changed: flussi.RemovedSpaces},
		"zero width":        {cell: text("MSCMHL\u200b68P18H211K"), value: mustCode("MSCMHL68P18H211K"), changed: flussi.RemovedInvisible},
		"letter O for 0":    {cell: text("RSSMRA8OA01H501U"), err: flussi.ErrCharacter, says: "c'è la lettera O, forse al posto della cifra 0"},
		"11 digits":         {cell: text("80185250588"), err: flussi.ErrNotPersonal, says: "serve il codice fiscale di 16 caratteri"},
		"11 digits, number": {cell: number("80185250588"), err: flussi.ErrNotPersonal, says: "serve il codice fiscale di 16 caratteri"},
		"lost zero":         {cell: number("1234567890"), err: flussi.ErrLength, says: "zeri iniziali"},
		"check character":   {cell: text("MSCMHL68P18H211A"), value: mustCode("MSCMHL68P18H211A"), warned: flussi.ErrCheckDigits},
	})
	_, _, err = one(t, excel.FiscalCode(flussi.Strict), false, text("MSCMHL68P18H211A"))
	require.ErrorIs(t, err, flussi.ErrCheckDigits)

	check(t, excel.Code(1, 20), map[string]outcome[string]{
		"number that is exact":     {cell: number("12345"), value: "12345", warned: excel.ErrUnformatted},
		"number with an exponent":  {cell: number("1.5E3"), value: "1500", warned: excel.ErrUnformatted},
		"15 digits":                {cell: number("123456789012345"), value: "123456789012345", warned: excel.ErrUnformatted},
		"16 digits":                {cell: number("1234567890123456"), err: flussi.ErrDigitsLost, says: "cifre"},
		"shown with leading zeros": {cell: styled(4, "42"), err: flussi.ErrDigitsLost, says: "cifre"},
		"decimals":                 {cell: number("12.5"), err: flussi.ErrDigitsLost, says: "cifre"},
		"negative":                 {cell: number("-12"), err: flussi.ErrDigitsLost, says: "cifre"},
		"cleaned":                  {cell: text(" ab 1"), value: "AB1", changed: flussi.RemovedSpaces},
		"too long":                 {cell: text(strings.Repeat("A", 21)), err: flussi.ErrLength, says: "21 caratteri"},
	})
}

func TestMoney(t *testing.T) {
	check(t, excel.Money(flussi.MinPayable, flussi.MaxPayable), map[string]outcome[flussi.Cents]{
		"Italian notation":     {cell: text("1.234,56"), value: 123456},
		"euro sign":            {cell: text("€ 12,50"), value: 1250},
		"one decimal":          {cell: text("12,5"), value: 1250},
		"19.99":                {cell: number("19.99"), value: 1999},
		"4.35":                 {cell: number("4.35"), value: 435},
		"0.58 as a double":     {cell: number("0.57999999999999996"), value: 58},
		"sum of doubles":       {cell: number("0.30000000000000004"), value: 30},
		"19.99 times 100":      {cell: number("1998.9999999999998"), value: 199900},
		"whole":                {cell: number("12"), value: 1200},
		"trailing zeros":       {cell: number("12.50000"), value: 1250},
		"exponent":             {cell: number("1.25E1"), value: 1250},
		"largest":              {cell: number("99999999.99"), value: 9_999_999_999},
		"ambiguous":            {cell: text("1.234"), err: flussi.ErrAmbiguous, says: "1.234,00 € oppure 1,234 €"},
		"English notation":     {cell: text("1,234.56"), err: flussi.ErrNotation, says: "virgola"},
		"negative":             {cell: text("-12,50"), err: flussi.ErrRange, says: "negativo"},
		"negative number":      {cell: number("-12.5"), err: flussi.ErrRange, says: "negativo"},
		"three decimals":       {cell: text("12,345"), err: flussi.ErrDecimals, says: "due decimali"},
		"number of 3 decimals": {cell: number("12.345"), err: flussi.ErrDecimals, says: "due decimali"},
		"a third":              {cell: number("0.33333333333333331"), err: flussi.ErrDecimals, says: "due decimali"},
		"zero":                 {cell: number("0"), err: flussi.ErrRange, says: "fra 0,01"},
		"zero as text":         {cell: text("0,00"), err: flussi.ErrRange, says: "fra 0,01"},
		"too much":             {cell: number("100000000"), err: flussi.ErrRange, says: "99.999.999,99"},
		"far too much":         {cell: number("1E300"), err: flussi.ErrRange, says: "troppo grande"},
		"percentage":           {cell: styled(3, "0.5"), err: excel.ErrCellType, says: "percentuale"},
		"date":                 {cell: dateNumber("45716"), err: excel.ErrCellType, says: "data"},
		"truth value":          {cell: truth("1"), err: excel.ErrCellType, says: "valore logico"},
		"words":                {cell: text("dodici"), err: flussi.ErrCharacter, says: "importo"},
	})
	check(t, excel.Money(0, 100), map[string]outcome[flussi.Cents]{
		"zero where it may be": {cell: number("0"), value: 0}, "minus zero": {cell: number("-0"), value: 0},
	})
}

func TestDates(t *testing.T) {
	day := func(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }
	february := day(2025, 2, 28)
	check(t, excel.Date(excel.DateConfig{}), map[string]outcome[time.Time]{
		"serial":                    {cell: dateNumber("45716"), value: february},
		"serial without the format": {cell: number("45716"), value: february, warned: excel.ErrUnformatted},
		"first serial":              {cell: dateNumber("61"), value: day(1900, 3, 1)},
		"last serial":               {cell: dateNumber("2958465"), value: day(9999, 12, 31)},
		"text":                      {cell: text("28/02/2025"), value: february},
		"hyphens and short":         {cell: text("28-2-25"), value: february, changed: flussi.CompletedYear},
		"dots and spaces":           {cell: text(" 28.02.2025 "), value: february},
		"ISO":                       {cell: text("2025-02-28"), value: february},
		"ISO cell":                  {cell: `<c r="A2" t="d"><v>2025-02-28T00:00:00.000Z</v></c>`, value: february},
		"midnight":                  {cell: text("28/02/2025 00:00:00"), value: february},
		"leap day":                  {cell: text("29/02/2024"), value: day(2024, 2, 29)},
		"month by three letters":    {cell: text("31-ott-26"), value: day(2026, 10, 31), changed: flussi.CompletedYear},
		"month by its name":         {cell: text("15 gennaio 2027"), value: day(2027, 1, 15)},
		"first of a month":          {cell: text("1º MAGGIO 2027"), value: day(2027, 5, 1)},
		"month with a point":        {cell: text("1 ago. 2027"), value: day(2027, 8, 1)},
		"month and slashes":         {cell: text("01/Dic/2027"), value: day(2027, 12, 1)},
		"31 February by its name":   {cell: text("31-feb-27"), err: flussi.ErrDate, says: "31/02/2027 non esiste"},
		"month in English":          {cell: text("15-jan-27"), err: flussi.ErrNotation, says: "gg/mm/aaaa"},
		"month of four letters":     {cell: text("15-sett-27"), err: flussi.ErrNotation, says: "gg/mm/aaaa"},
		"month without a year":      {cell: text("15 gennaio"), err: flussi.ErrNotation, says: "gg/mm/aaaa"},
		"month before the day":      {cell: text("gennaio 15 2027"), err: flussi.ErrNotation, says: "gg/mm/aaaa"},
		"month, year of 3 digits":   {cell: text("15 gennaio 202"), err: flussi.ErrNotation, says: "gg/mm/aaaa"},
		"month before day":          {cell: text("02/28/2025"), err: flussi.ErrDate, says: "il mese è il secondo numero"},
		"31 April":                  {cell: text("31/04/2025"), err: flussi.ErrDate, says: "non esiste"},
		"29 February":               {cell: text("29/02/2025"), err: flussi.ErrDate, says: "non esiste"},
		"month 13":                  {cell: text("13/13/2025"), err: flussi.ErrDate, says: "non esiste"},
		"serial with a time":        {cell: styled(2, "45716.75"), err: excel.ErrTimeOfDay, says: "sola data"},
		"text with a time":          {cell: text("28/02/2025 18:09"), err: excel.ErrTimeOfDay, says: "sola data"},
		"year as a number":          {cell: number("2025"), err: flussi.ErrAmbiguous, says: "anno"},
		"29 February 1900":          {cell: dateNumber("60"), err: flussi.ErrRange, says: "non corrisponde a una data"},
		"negative":                  {cell: dateNumber("-1"), err: flussi.ErrRange, says: "non corrisponde"},
		"digits in a row":           {cell: number("28022025"), err: flussi.ErrRange, says: "non corrisponde"},
		"words":                     {cell: text("domani"), err: flussi.ErrNotation, says: "gg/mm/aaaa"},
		"percentage":                {cell: styled(3, "45716"), err: excel.ErrCellType, says: "data"},
		"three-digit year":          {cell: text("28/02/202"), err: flussi.ErrNotation, says: "gg/mm/aaaa"},
		"year 0":                    {cell: text("0000-01-01"), err: flussi.ErrDate, says: "non esiste"},
	})
	t.Run("the 1904 system", func(t *testing.T) {
		value, _, err := one(t, excel.Date(excel.DateConfig{}), true, dateNumber("44254"))
		require.NoError(t, err)
		assert.Equal(t, february, value)
	})
	t.Run("a time may be dropped, with a warning", func(t *testing.T) {
		value, note, err := one(t, excel.Date(excel.DateConfig{Time: excel.DropTime}), false, dateNumber("45716.75"))
		require.NoError(t, err)
		assert.Equal(t, february, value)
		require.Len(t, note.Warnings, 1)
		assert.ErrorIs(t, note.Warnings[0], excel.ErrTimeOfDay)
	})
	t.Run("a due date is the end of the day in Italy", func(t *testing.T) {
		value, _, err := one(t, excel.Date(excel.DateConfig{EndOfDay: true}), false, text("12/01/2025"))
		require.NoError(t, err)
		assert.Equal(t, time.Date(2025, 1, 12, 22, 59, 59, 0, time.UTC), value)
	})
	t.Run("dates have a range", func(t *testing.T) {
		kind := excel.Date(excel.DateConfig{First: day(2025, 1, 1), Last: day(2025, 12, 31)})
		for cell, in := range map[string]bool{"31/12/2024": false, "01/01/2025": true, "31/12/2025": true, "01/01/2026": false} {
			_, _, err := one(t, kind, false, text(cell))
			if in {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, flussi.ErrRange)
			}
		}
	})
	t.Run("a past date is warned of and never moved", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { // where the clock begins at 1 January 2000, 01:00 in Italy
			kind := excel.Date(excel.DateConfig{WarnPast: true})
			value, note, err := one(t, kind, false, text("31/12/1999"))
			require.NoError(t, err)
			assert.Equal(t, day(1999, 12, 31), value)
			require.Len(t, note.Warnings, 1)
			assert.ErrorIs(t, note.Warnings[0], excel.ErrPast)
			_, note, err = one(t, kind, false, text("01/01/2000"))
			require.NoError(t, err)
			assert.Empty(t, note.Warnings)
			time.Sleep(23 * time.Hour) // midnight in Italy
			_, note, err = one(t, kind, false, text("01/01/2000"))
			require.NoError(t, err)
			assert.Len(t, note.Warnings, 1)
		})
	})
}

func TestMoments(t *testing.T) {
	check(t, excel.DateTime(), map[string]outcome[time.Time]{
		"serial":              {cell: dateNumber("45716.75649305555"), value: time.Date(2025, 2, 28, 17, 9, 21, 0, time.UTC)},
		"text":                {cell: text("28/02/2025 18:09"), value: time.Date(2025, 2, 28, 17, 9, 0, 0, time.UTC)},
		"month by its name":   {cell: text("28 feb 2025 18:09"), value: time.Date(2025, 2, 28, 17, 9, 0, 0, time.UTC)},
		"in summer":           {cell: text("2025-07-01T18:09:32"), value: time.Date(2025, 7, 1, 16, 9, 32, 0, time.UTC)},
		"with an offset":      {cell: text("2025-10-26T02:30:00+02:00"), value: time.Date(2025, 10, 26, 0, 30, 0, 0, time.UTC)},
		"twice":               {cell: text("26/10/2025 02:30"), err: flussi.ErrAmbiguous, says: "due volte"},
		"never":               {cell: text("30/03/2025 02:30"), err: flussi.ErrDate, says: "non esiste"},
		"25 o'clock":          {cell: text("30/03/2025 25:30"), err: flussi.ErrNotation, says: "hh:mm"},
		"offset that is none": {cell: text("30/03/2025 12:30+99:99"), err: flussi.ErrNotation, says: "fuso"},
	})
}

func TestYesAndNo(t *testing.T) {
	cases := map[string]outcome[bool]{
		"number 1": {cell: number("1"), value: true}, "true": {cell: truth("1"), value: true},
		"number 0": {cell: number("0")}, "false": {cell: truth("0")},
	}
	for name, cell := range map[string]string{"forse": text("forse"), "2": number("2"), "-1": text("-1"), "100%": styled(3, "1")} {
		cases[name] = outcome[bool]{cell: cell, err: excel.ErrChoice, says: "Sì oppure No"}
	}
	for _, s := range []string{"Sì", "Si'", "SI", "si", "S", "X", "x", "VERO", "TRUE", "1", " sì ", "SÍ", "Si\u0300", "Si’", "vero"} {
		cases["yes "+s] = outcome[bool]{cell: text(s), value: true}
	}
	for _, s := range []string{"No", "NO", "N", "n", "FALSO", "FALSE", "0", "no "} {
		cases["no "+s] = outcome[bool]{cell: text(s)}
	}
	check(t, excel.YesNo(), cases)
	t.Run("empty leaves the default", func(t *testing.T) {
		template := template(func(c *config) { c.Default.Late = true; c.Default.Priority = 5 })
		rows := decodeCSV(template, "CF;Oggetto;Contenuto;Paga dopo la scadenza;Priorità\nMSCMHL68P18H211K;Oggetto di prova;"+strings.Repeat("a", 120)+";;3\n")
		require.Empty(t, rows.wrong)
		require.NoError(t, rows.err)
		assert.True(t, rows.rows[0].Late)
		assert.EqualValues(t, 3, rows.rows[0].Priority)
	})
}

func TestLengthsAreCountedInUTF16(t *testing.T) {
	a := func(n int) string { return strings.Repeat("a", n) }
	nfd := func(n int) string { return strings.Repeat("e\u0300", n) }
	fits := func(s string) outcome[string] { return outcome[string]{cell: text(s), value: s} }
	long := func(s, says string) outcome[string] {
		return outcome[string]{cell: text(s), err: flussi.ErrLength, says: says}
	}
	check(t, excel.Text(10, 120), map[string]outcome[string]{
		"9":                       long(a(9), "9 caratteri: devono essere da 10 a 120"),
		"10":                      fits(a(10)),
		"120":                     fits(a(120)),
		"121":                     long(a(121), "121 caratteri"),
		"120 composed":            fits(strings.Repeat("è", 120)),
		"60 decomposed":           fits(nfd(60)),
		"61 decomposed":           long(nfd(61), "122 caratteri"),
		"emoji within":            fits(a(118) + "😀"),
		"emoji across the border": long(a(119)+"😀", "ogni emoji conta due"),
		"5 emoji are 10":          fits(strings.Repeat("😀", 5)),
		"number":                  {cell: number("1234567890"), value: "1234567890"},
		"number with decimals":    {cell: number("1234567890.5"), err: excel.ErrCellType, says: "formato Testo"},
		"date":                    {cell: dateNumber("45716"), err: excel.ErrCellType, says: "data"},
		"line breaks":             {cell: text("prima_x000D_\nseconda"), value: "prima\r\nseconda"},
		"outer spaces stay":       fits("  abcdefghij "),
		"blanks around a letter":  long("     a    ", "Il testo ha 1 carattere (senza gli spazi iniziali e finali): devono essere da 10 a 120."),
		"invisible around it":     long("\u200b\u200b\u00a0\u00a0a\u200b\u200b\u00a0\u00a0\u200b", "1 carattere"),
		"blanks beyond the most":  long(a(120)+" ", "121 caratteri"),
	})
	check(t, excel.PersonalText(120, 10_000), map[string]outcome[flussi.Text]{
		"119":   {cell: text(a(119)), err: flussi.ErrLength, says: "da 120 a 10.000"},
		"120":   {cell: text(a(120)), value: flussi.NewText(a(120))},
		"10000": {cell: text(a(10_000)), value: flussi.NewText(a(10_000))},
		"10001": {cell: text(a(10_001)), err: flussi.ErrLength, says: "10.001 caratteri"},
	})
	check(t, excel.Text(1, 40_000), map[string]outcome[string]{"32,767": fits(strings.Repeat("à", 32_767))})
}

func TestIntegersAndChoices(t *testing.T) {
	check(t, excel.Integer(-5, 2000), map[string]outcome[int64]{
		"number":        {cell: number("12"), value: 12},
		"exponent":      {cell: number("1.2E3"), value: 1200},
		"text":          {cell: text(" 12 "), value: 12},
		"signs":         {cell: text("-5"), value: -5},
		"plus":          {cell: text("+5"), value: 5},
		"negative":      {cell: number("-5"), value: -5},
		"thousands":     {cell: text("1.234"), err: flussi.ErrAmbiguous, says: "migliaia"},
		"decimals":      {cell: number("1.5"), err: flussi.ErrDecimals, says: "senza decimali"},
		"too small":     {cell: number("-6"), err: flussi.ErrRange, says: "fra -5 e 2.000"},
		"too large":     {cell: text("2001"), err: flussi.ErrRange, says: "fra -5 e 2.000"},
		"far too large": {cell: text("99999999999999999999"), err: flussi.ErrRange, says: "troppo grande"},
		"words":         {cell: text("tre"), err: flussi.ErrCharacter, says: "cifre"},
		"two signs":     {cell: text("+-5"), err: flussi.ErrCharacter, says: "cifre"},
		"percentage":    {cell: styled(3, "1"), err: excel.ErrCellType, says: "percentuale"},
	})
	kind := excel.Choice(excel.Option[int]{Label: "Tassa", Value: 1}, excel.Option[int]{Label: "Erogazione liberale", Value: 2})
	check(t, kind, map[string]outcome[int]{
		"label":     {cell: text("Tassa"), value: 1},
		"case":      {cell: text(" EROGAZIONE  liberale."), value: 2},
		"something": {cell: text("altro"), err: excel.ErrChoice, says: "Tassa, Erogazione liberale"},
		"number":    {cell: number("1"), err: excel.ErrChoice, says: "Tassa"},
	})
}

func TestCellsWithoutAValue(t *testing.T) {
	check(t, excel.Text(1, 10), map[string]outcome[string]{
		"not available":    {cell: `<c r="A2" t="e"><v>#N/A</v></c>`, err: excel.ErrFormula, says: "#N/D"},
		"unknown error":    {cell: `<c r="A2" t="e"><v>MSCMHL68P18H211K</v></c>`, err: excel.ErrFormula, says: "l'errore di calcolo"},
		"never calculated": {cell: `<c r="A2"><f>B1</f></c>`, err: excel.ErrNotCalculated, says: "non è stata calcolata"},
		"calculated":       {cell: `<c r="A2" t="str"><f>B1</f><v>abc</v></c>`, value: "abc"},
	})
	template := excel.MustNew(excel.Config[string]{Name: "Prova"},
		valueColumn("Valore", excel.Text(1, 10), excel.ColumnConfig{Required: true}),
		excel.NewColumn("Altro", excel.Text(1, 10), func(s *string) *string { return new(string) }, excel.ColumnConfig{}))
	book := xlsxtest.Book(t, xlsxtest.Parts{xlsxtest.Sheet1: xlsxtest.Sheet(`<row r="1"><c r="A1" t="inlineStr"><is><t>Valore</t></is></c><c r="B1" t="inlineStr"><is><t>Altro</t></is></c></row><row r="2"><c r="A2" t="inlineStr"><is><t xml:space="preserve">  </t></is></c><c r="B2" t="inlineStr"><is><t>x</t></is></c></row>`)})
	for _, err := range template.Decode(t.Context(), strings.NewReader(string(book)), int64(len(book)), nil) {
		require.ErrorIs(t, err, excel.ErrRequired)
		assert.Contains(t, flussi.Explain(err), "obbligatorio")
	}
}
