package paymentfile_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

func TestFilesAreRecognisedByTheirContent(t *testing.T) {
	for prefix, want := range map[string]paymentfile.Format{
		"settlement-": paymentfile.FormatSettlement, "settlement.json": paymentfile.FormatSettlementHeader, "payments-": paymentfile.FormatSettlementPage,
		"journal-": paymentfile.FormatJournal, "receipt-": paymentfile.FormatReceipt, "rt-": paymentfile.FormatOldReceipt,
	} {
		found := false
		for _, name := range fixtures(t) {
			if !strings.HasPrefix(name, prefix) {
				continue
			}
			found = true
			got := whole(t, fixture(t, name))
			assert.Equal(t, want, got.file.Format(), name)
			assert.Equal(t, want, got.report.Format, name)
			assert.True(t, got.report.Complete, name)
			assert.Empty(t, got.report.Faults, name)
			assert.NotContains(t, want.Italian(), "sconosciuto")

			_, settlement := paymentfile.OpenSettlement(strings.NewReader(fixture(t, name)), paymentfile.Config{})
			_, journal := paymentfile.OpenJournal(strings.NewReader(fixture(t, name)), paymentfile.Config{})
			_, receipt := paymentfile.OpenReceipt(strings.NewReader(fixture(t, name)), paymentfile.Config{})
			opened := 0
			for _, err := range []error{settlement, journal, receipt} {
				if err == nil {
					opened++
					continue
				}
				require.ErrorIs(t, err, paymentfile.ErrFormat)
				assert.Contains(t, flussi.Explain(err), "Riga 1 del file: il file è "+want.Italian()+", non ")
			}
			assert.Equal(t, 1, opened, name)
		}
		assert.True(t, found, prefix)
	}
}

// A reader may return any number of bytes at a time.
func TestFilesAreReadAsTheyArrive(t *testing.T) {
	for _, name := range fixtures(t) {
		want := whole(t, fixture(t, name))
		got := must.Get(readAll(oneByte(fixture(t, name)), paymentfile.Config{Body: body(t)}))(t)
		want.file, got.file = nil, nil
		assert.Equal(t, want, got, name)
	}
}

func TestOtherFilesAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ file, text string }{
		"empty":                 {"", "Riga 1 del file: il file è vuoto, probabilmente perché il caricamento non è riuscito."},
		"blank":                 {" \n", "Riga 1 del file: il file è vuoto, probabilmente perché il caricamento non è riuscito."},
		"a CSV file":            {"IUV;Importo\n", "Riga 1 del file: il file non è un flusso di rendicontazione, un giornale di cassa o una ricevuta telematica."},
		"an archive":            {"PK\x03\x04", "Riga 1 del file: il file non è un flusso di rendicontazione, un giornale di cassa o una ricevuta telematica."},
		"zeros":                 {"0;0\n", "Riga 1 del file: il file non è un flusso di rendicontazione, un giornale di cassa o una ricevuta telematica."},
		"signed":                {"\x30\x80\x06\x09", "Riga 1 del file: il file è forse firmato (.p7m). Estrarre il documento firmato e caricare quello."},
		"another root":          {"<RPT/>", "Riga 1 del file: il file non è un flusso di rendicontazione, un giornale di cassa o una ricevuta telematica."},
		"a web page":            {"<html><body>Accesso negato</body></html>", "Riga 1 del file: il file non è un flusso di rendicontazione, un giornale di cassa o una ricevuta telematica."},
		"a SOAP message":        {"<Envelope><Body><altro><receipt/></altro></Body></Envelope>", "Riga 1 del file: il file non è un flusso di rendicontazione, un giornale di cassa o una ricevuta telematica."},
		"a SOAP error":          {"<s:Envelope xmlns:s='s'><s:Body><s:Fault><faultstring>Rossi</faultstring></s:Fault></s:Body></s:Envelope>", "Riga 1 del file: il file contiene la risposta di errore di un servizio, non un documento."},
		"another document":      {"{\"a\": 1}", "Riga 1 del file: il file non è un flusso di rendicontazione, un giornale di cassa o una ricevuta telematica."},
		"an error of the API":   {`{"httpStatusCode": 404, "appErrorCode": "FDR-0701", "errors": []}`, "Riga 1 del file: il file contiene la risposta di errore di un servizio, non un documento."},
		"a list of settlements": {`{"count": 1, "data": [{"fdr": "2030-03-04PSPXITR1XXX-1", "pspId": "1"}]}`, "Riga 1 del file: il file è un elenco di flussi di rendicontazione. Scaricare i singoli flussi e caricare quelli."},
		"data of another kind":  {`{"data": {}}`, "Riga 1 del file: il file non è un flusso di rendicontazione, un giornale di cassa o una ricevuta telematica."},
		"another in base64":     {"<nodoChiediFlussoRendicontazioneRisposta><xmlRendicontazione>" + base64Of("<RT/>") + "</xmlRendicontazione></nodoChiediFlussoRendicontazioneRisposta>", "Riga 1 del documento in base64: il file non è un flusso di rendicontazione, un giornale di cassa o una ricevuta telematica."},
	} {
		_, err := readAll(strings.NewReader(c.file), paymentfile.Config{})
		require.ErrorIs(t, err, paymentfile.ErrFormat, name)
		require.ErrorIs(t, err, flussi.ErrInvalid, name)
		assert.Equal(t, c.text, flussi.Explain(err), name)
	}
}

// Document types, entities and processing instructions are refused: nothing outside the file is
// read, and no entity is expanded.
func TestUnsafeFilesAreRefused(t *testing.T) {
	text := fixture(t, "settlement-1.0.xml")
	_, root, _ := strings.Cut(text, "?>\n")
	for name, c := range map[string]struct {
		file string
		err  error
	}{
		"a document type":            {"<!DOCTYPE FlussoRiversamento><" + root[1:], paymentfile.ErrUnsafe},
		"an external entity":         {`<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + strings.Replace(root, "IUR0001", "&e;", 1), paymentfile.ErrUnsafe},
		"an entity":                  {strings.Replace(root, "IUR0001", "&e;", 1), paymentfile.ErrMalformed},
		"a processing instruction":   {`<?xml-stylesheet href="http://localhost/"?>` + root, paymentfile.ErrUnsafe},
		"one among the rows":         {strings.Replace(root, "IUR0001", "<?php echo?>", 1), paymentfile.ErrUnsafe},
		"a second declaration":       {strings.Replace(root, "IUR0001", `<?xml version="1.0"?>`, 1), paymentfile.ErrUnsafe},
		"one behind the end":         {root + "<?a?>", paymentfile.ErrUnsafe},
		"a document type at the end": {root + "<!DOCTYPE a>", paymentfile.ErrUnsafe},
		"a second root":              {root + root, paymentfile.ErrMalformed},
		"text behind the end":        {root + "x", paymentfile.ErrMalformed},
		"a wrong end":                {strings.Replace(root, "</singoloImportoPagato>", "</singoloImporto>", 1), paymentfile.ErrMalformed},
		"a control character":        {strings.Replace(root, "IUR0001", "IUR\x01", 1), paymentfile.ErrMalformed},
		"bytes that are no UTF-8":    {strings.Replace(root, "IUR0001", "IUR\xE8", 1), paymentfile.ErrMalformed},
		"XML 1.1":                    {`<?xml version="1.1"?>` + root, paymentfile.ErrMalformed},
		"JSON and more":              {fixture(t, "payments-1.json") + "{}", paymentfile.ErrMalformed},
		"a key twice":                {edited(t, "payments-1.json", `"pay": 120.1`, `"pay": 120.1, "pay": 1.00`), paymentfile.ErrMalformed},
		"the rows twice":             {edited(t, "payments-1.json", "\n  ]", "\n  ], \"data\": []"), paymentfile.ErrMalformed},
		"a row that is a list":       {`{"data": [[]]}`, paymentfile.ErrMalformed},
		"an inner document type":     {"<nodoChiediFlussoRendicontazioneRisposta><xmlRendicontazione>" + base64Of("<!DOCTYPE a>"+root) + "</xmlRendicontazione></nodoChiediFlussoRendicontazioneRisposta>", paymentfile.ErrUnsafe},
	} {
		_, err := readAll(strings.NewReader(c.file), paymentfile.Config{})
		require.ErrorIs(t, err, c.err, name)
		assert.NotZero(t, must.As[*paymentfile.FileError](t, err).Position.Line, name)
		assert.NotEmpty(t, flussi.Explain(err), name)
	}
}

func TestLimitsEndReading(t *testing.T) {
	xml, json := fixture(t, "settlement-1.0.xml"), fixture(t, "payments-1.json")
	deep := strings.Repeat("<a>", 70) + strings.Repeat("</a>", 70)
	long := strings.Repeat("x", 70_000)
	for name, c := range map[string]struct {
		file   string
		limits paymentfile.Limits
	}{
		"bytes":             {xml, paymentfile.Limits{FileBytes: int64(len(xml)) - 1}},
		"bytes of JSON":     {json, paymentfile.Limits{FileBytes: int64(len(json)) - 1}},
		"rows":              {xml, paymentfile.Limits{Rows: 3}},
		"rows of JSON":      {json, paymentfile.Limits{Rows: 1}},
		"movements":         {fixture(t, "journal-1.8.xml"), paymentfile.Limits{Rows: 4}},
		"depth":             {strings.Replace(xml, "IUR0001", deep, 1), paymentfile.Limits{}},
		"depth of JSON":     {strings.Replace(json, `"count"`, `"a": `+strings.Repeat("[", 70)+strings.Repeat("]", 70)+`, "count"`, 1), paymentfile.Limits{}},
		"a text":            {strings.Replace(xml, "IUR0001", long, 1), paymentfile.Limits{TextBytes: 4096}},
		"texts in an item":  {strings.Replace(xml, "IUR0001", strings.Repeat("<a>xxxxxxxxxxxxxxxx</a>", 300), 1), paymentfile.Limits{TextBytes: 4096}},
		"a comment":         {strings.Replace(xml, "IUR0001", "<!--"+long+"-->", 1), paymentfile.Limits{TextBytes: 4096}},
		"a tag":             {strings.Replace(xml, "<versioneOggetto>", "<versioneOggetto a='"+long+"'>", 1), paymentfile.Limits{TextBytes: 4096}},
		"a text in JSON":    {strings.Replace(json, "IUR0008", strings.Repeat(long, 3), 1), paymentfile.Limits{TextBytes: 4096}},
		"a person":          {strings.Replace(fixture(t, "receipt-v1.xml"), "Rossi Mario", long, 1), paymentfile.Limits{TextBytes: 4096}},
		"a key in JSON":     {strings.Replace(json, "iuv", strings.Repeat("x", 2000), 1), paymentfile.Limits{}},
		"keys in JSON":      {`{"a": {` + numbered(1001) + `}}`, paymentfile.Limits{}},
		"fields in JSON":    {`{` + numbered(100) + `}`, paymentfile.Limits{TextBytes: 500}},
		"accounts":          {strings.Replace(fixture(t, "journal-1.8.xml"), "  <informazioni_conto_evidenza>", strings.Repeat("<informazioni_conto_evidenza/>", 10_000)+"<informazioni_conto_evidenza>", 1), paymentfile.Limits{}},
		"transfers":         {strings.Replace(fixture(t, "receipt-v1.xml"), "<transferList>", "<transferList>"+strings.Repeat("<transfer/>", 101), 1), paymentfile.Limits{}},
		"embedded document": {fixture(t, "settlement-soap.xml"), paymentfile.Limits{Rows: 2}},
	} {
		_, err := readAll(strings.NewReader(c.file), paymentfile.Config{Limits: c.limits})
		require.ErrorIs(t, err, paymentfile.ErrLimit, name)
	}
	got := must.Get(readAll(strings.NewReader(xml), paymentfile.Config{Limits: paymentfile.Limits{FileBytes: int64(len(xml)), Rows: 4}}))(t)
	assert.True(t, got.report.Complete, "a file as large as the limits")
	for _, limits := range []paymentfile.Limits{{Depth: -1}, {Depth: 10_001}, {TextBytes: 1<<30 + 1}, {FileBytes: 1<<40 + 1}, {Faults: 1_000_001}, {Rows: -1}} {
		_, err := paymentfile.Open(strings.NewReader(xml), paymentfile.Config{Limits: limits})
		assert.ErrorIs(t, err, flussi.ErrConfig)
	}
}

func TestFaultsBeyondTheLimitAreCounted(t *testing.T) {
	text := strings.ReplaceAll(fixture(t, "settlement-1.0.xml"), "</codiceEsito", "9</codiceEsito")
	got := must.Get(readAll(strings.NewReader(text), paymentfile.Config{Limits: paymentfile.Limits{Faults: 2}}))(t)
	assert.Len(t, got.report.Faults, 2)
	assert.Equal(t, 4, got.report.NumFaults)
	for _, p := range got.payments {
		assert.Len(t, p.Faults, 1, "each row has its own")
	}
}

func TestEncodingsAreThoseThatFilesDeclare(t *testing.T) {
	const accents = "Scuola «Nicolò» – città €"
	utf8 := strings.Replace(fixture(t, "settlement-1.0.xml"), "Istituto Comprensivo Dimostrativo", accents, 1)
	declare := func(name string) string { return strings.Replace(utf8, "UTF-8", name, 1) }
	encode := func(name string, e interface{ String(string) (string, error) }, lost string) string {
		return must.Get(e.String(strings.NewReplacer(strings.Split(lost, "")...).Replace(declare(name))))(t)
	}
	wide := func(order unicode.Endianness, name string) string {
		return must.Get(unicode.UTF16(order, unicode.UseBOM).NewEncoder().String(declare(name)))(t)
	}
	for name, c := range map[string]struct{ file, encoding, body string }{
		"UTF-8":           {utf8, "UTF-8", accents},
		"no declaration":  {utf8[strings.Index(utf8, "<Flusso"):], "UTF-8", accents},
		"byte order mark": {"\uFEFF" + utf8, "UTF-8", accents},
		"white space":     {"\r\n " + utf8, "UTF-8", accents},
		"apostrophes":     {strings.Replace(utf8, `"UTF-8"`, `'utf-8'`, 1), "UTF-8", accents},
		"ISO-8859-1":      {encode("ISO-8859-1", charmap.ISO8859_1.NewEncoder(), "€E–-"), "ISO-8859-1", "Scuola «Nicolò» - città E"},
		"ISO-8859-15":     {encode("iso-8859-15", charmap.ISO8859_15.NewEncoder(), "–-"), "ISO-8859-15", "Scuola «Nicolò» - città €"},
		"windows-1252":    {encode("Windows-1252", charmap.Windows1252.NewEncoder(), ""), "windows-1252", accents},
		"UTF-16 LE":       {wide(unicode.LittleEndian, "UTF-16"), "UTF-16", accents},
		"UTF-16 BE":       {wide(unicode.BigEndian, "utf-16"), "UTF-16", accents},
	} {
		got, err := readAll(strings.NewReader(c.file), paymentfile.Config{})
		require.NoError(t, err, name)
		assert.Equal(t, c.encoding, got.report.Encoding, name)
		assert.Equal(t, c.body, got.file.(*paymentfile.SettlementFile).Settlement().BodyName, name)
		require.Len(t, got.payments, 4, name)
		line := 24
		if name == "no declaration" {
			line--
		} else if name == "white space" {
			line++
		}
		assert.Equal(t, paymentfile.Position{Line: line, Column: 3}, got.payments[0].Position, name)
	}
	for name, c := range map[string]string{
		"another one":         declare("KOI8-R"),
		"no such one":         declare("xyz"),
		"UTF-16 in words":     declare("UTF-16"),
		"UTF-16 without mark": wide(unicode.LittleEndian, "UTF-16")[2:],
		"UTF-16 BE, the same": wide(unicode.BigEndian, "UTF-16")[2:],
	} {
		_, err := readAll(strings.NewReader(c), paymentfile.Config{})
		require.ErrorIs(t, err, paymentfile.ErrEncoding, name)
	}
	inner := encode("ISO-8859-15", charmap.ISO8859_15.NewEncoder(), "–-")
	embedded := must.Get(readAll(strings.NewReader("<nodoChiediFlussoRendicontazioneRisposta><xmlRendicontazione>"+base64Of(inner)+"</xmlRendicontazione></nodoChiediFlussoRendicontazioneRisposta>"), paymentfile.Config{}))(t)
	assert.Equal(t, "Scuola «Nicolò» - città €", embedded.file.(*paymentfile.SettlementFile).Settlement().BodyName)
	assert.Equal(t, "ISO-8859-15", embedded.report.Encoding)
	got := must.Get(readAll(strings.NewReader("\uFEFF"+fixture(t, "payments-1.json")), paymentfile.Config{}))(t)
	assert.Len(t, got.payments, 2, "JSON behind a byte order mark")
}

// A blocking fault counts even after the faults that a row lists.
func TestRowsWithManyFaultsAreBlocked(t *testing.T) {
	many := strings.Repeat("<data_valuta_ente>ieri</data_valuta_ente>", 300)
	text := edited(t, "journal-1.8.xml", "<data_valuta_ente>2030-03-05</data_valuta_ente>", many, "<importo>175.00<", "<importo>tutto<")
	for _, limit := range []int{1, 0} {
		got := must.Get(readAll(strings.NewReader(text), paymentfile.Config{Limits: paymentfile.Limits{Faults: limit}}))(t)
		assert.False(t, got.movements[0].Usable())
		assert.Len(t, got.movements[0].Faults, 101)
		assert.Equal(t, 303, got.report.NumFaults, "and two totals")
	}
}

// Every cut of a file is an error with its place.
func TestEveryCutOfAFileIsAnError(t *testing.T) {
	files := map[string]string{}
	for _, name := range fixtures(t) {
		files[name] = fixture(t, name)
	}
	files["UTF-16"] = must.Get(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(strings.Replace(files["settlement-1.0.xml"], "UTF-8", "UTF-16", 1)))(t)
	files["rt in SOAP"] = "<Envelope><Body><nodoChiediCopiaRTRisposta><rt>" + base64Of(files["rt-6.2.0.xml"]) + "</rt></nodoChiediCopiaRTRisposta></Body></Envelope>"
	for name, text := range files {
		for i := range 200 {
			at := i * len(text) / 200
			all, err := readAll(strings.NewReader(text[:at]), paymentfile.Config{})
			var file *paymentfile.FileError
			require.ErrorAs(t, err, &file, "%s, cut at %d", name, at)
			assert.NotErrorIs(t, err, paymentfile.ErrMalformed, "%s, cut at %d: %v", name, at, err)
			assert.NotZero(t, file.Position.Line, "%s, cut at %d", name, at)
			assert.NotZero(t, file.Position.Column, "%s, cut at %d", name, at)
			assert.False(t, all.report.Complete, "%s, cut at %d", name, at)
			assert.GreaterOrEqual(t, file.Row, len(all.payments)+len(all.movements), "%s, cut at %d", name, at)
			if lines := strings.Count(text[:at], "\n") + 1; !file.Position.Embedded && name != "UTF-16" && name != "journal-iso-8859-15.xml" {
				column := len([]rune(text[strings.LastIndex(text[:at], "\n")+1:at])) + 1
				assert.Equal(t, paymentfile.Position{Line: lines, Column: column}, file.Position, "%s, cut at %d: %v", name, at, err)
			}
		}
	}
}

// An error of the reader is not an error of the file.
func TestErrorsOfTheReaderAreKept(t *testing.T) {
	broken := errors.New("connection lost")
	for _, name := range fixtures(t) {
		text := fixture(t, name)
		for _, at := range []int{0, 10, len(text) / 2, len(text) - 1} {
			_, err := readAll(io.MultiReader(strings.NewReader(text[:at]), iotest.ErrReader(broken)), paymentfile.Config{})
			require.ErrorIs(t, err, broken, "%s at %d", name, at)
			assert.NotErrorIs(t, err, flussi.ErrInvalid, "%s at %d", name, at)
			assert.Contains(t, err.Error(), "line ")
		}
	}
}

func TestSignaturesAreSkippedAndSaidToBeUnchecked(t *testing.T) {
	for _, name := range []string{"journal-1.3.1a.xml", "journal-1.4.xml", "journal-1.7.1-1.xml", "journal-1.8.xml"} {
		got := whole(t, fixture(t, name))
		assert.True(t, got.report.Signed, name)
		assert.Contains(t, got.report.Italian(), "La firma digitale non è stata verificata.")
	}
	const signature = `<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><importoTotalePagamenti>1.00</importoTotalePagamenti><datiSingoliPagamenti/></Signature>`
	for _, place := range []string{"<versioneOggetto>", "<datiSingoliPagamenti>", "</FlussoRiversamento>"} {
		got := whole(t, edited(t, "settlement-1.0.xml", place, signature+place))
		assert.True(t, got.report.Signed, place)
		assert.Empty(t, got.report.Faults, place)
		assert.Len(t, got.payments, 4, place)
	}
	inHeader := whole(t, edited(t, "settlement-soap.xml", "<soapenv:Header/>", "<soapenv:Header><Security>"+signature+"</Security></soapenv:Header>"))
	assert.True(t, inHeader.report.Signed)
	assert.Empty(t, inHeader.report.Faults)
	assert.False(t, whole(t, fixture(t, "settlement-1.0.xml")).report.Signed)
}

func TestPositionsAreInCharacters(t *testing.T) {
	_, err := readAll(strings.NewReader("<FlussoRiversamento>\n<è>ààà</x>"), paymentfile.Config{})
	assert.Equal(t, "paymentfile: file damaged at line 2, column 11", err.Error())
	_, err = readAll(strings.NewReader("{\n\"è\": ààà"), paymentfile.Config{})
	assert.Equal(t, paymentfile.Position{Line: 2, Column: 6}, must.As[*paymentfile.FileError](t, err).Position)
	assert.Equal(t, "line 3, column 1 of the embedded document", fmt.Sprint(paymentfile.Position{Line: 3, Column: 1, Embedded: true}))
}

// numbered are fields of a JSON object.
func numbered(n int) string {
	fields := make([]string, n)
	for i := range fields {
		fields[i] = fmt.Sprintf(`"field %d": "text"`, i)
	}
	return strings.Join(fields, ",")
}

// A sum that overflows differs from every stated total.
func TestSumsDoNotOverflow(t *testing.T) {
	text := fixture(t, "journal-1.8.xml")
	begin := indexOf(t, text, "    <movimento_conto_evidenza>")
	end := begin + indexOf(t, text[begin:], "</movimento_conto_evidenza>") + len("</movimento_conto_evidenza>\n")
	const rows = 10_000
	got := whole(t, text[:begin]+strings.Repeat(strings.Replace(text[begin:end], "175.00", "9999999999999.99", 1), rows)+text[end:])
	require.Len(t, got.movements, rows+4)
	assert.Greater(t, got.report.Amount, flussi.Cents(1<<62))
}
