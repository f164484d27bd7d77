package excel_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/must"
)

// foreign is a file of another office: one header of the template, three of their own.
func foreign(t *testing.T, headers ...string) []byte {
	return book(t, row(1, "Comune di Prova")+row(3, headers...)+row(4, code, "Oggetto di prova", content, "12,50", "301005100001400678"))
}

var foreignHeaders = []string{"CF utente", "Argomento", "Contenuto", "Tot. dovuto", "Avviso n."}

func foreignMapping() excel.Mapping {
	return excel.Mapping{"cf  UTENTE": "Codice fiscale", "Argomento": "oggetto", "Tot. dovuto": "Somma", "Avviso n.": "Numero avviso"}
}

func TestMappingReadsUnknownHeaders(t *testing.T) {
	file := foreign(t, foreignHeaders...)
	require.ErrorIs(t, decode(template(), file).err, excel.ErrHeader, "without it")
	mapped := must.Get(template().WithMapping(foreignMapping()))(t)
	d := whole(t, decode(mapped, file))
	require.Empty(t, d.wrong, d.italian())
	require.Len(t, d.rows, 1)
	assert.Equal(t, []any{mustCode(code), "Oggetto di prova", flussi.Cents(1250)}, []any{d.rows[0].Recipient, d.rows[0].Subject, d.rows[0].Amount})
	assert.Empty(t, d.report.Unknown)
	assert.Equal(t, 3, d.report.HeaderRow)

	t.Run("errors and the marked copy are at the file's columns", func(t *testing.T) {
		csv := []byte("CF utente;Argomento;Contenuto;Tot. dovuto;Avviso n.\n" + code + ";corto;" + content + ";1.234;301005100001400678\n")
		d := whole(t, decodeCSV(mapped, csv))
		assert.Contains(t, d.italian(), "Riga 2, colonna D (Somma): L'importo si può leggere in due modi")
		f := annotate(t, mapped, csv, d)
		assert.Equal(t, "FF9FA9", fill(t, f, "D2"))
		assert.Equal(t, "Tot. dovuto", must.Get(f.GetCellValue("Dati", "D1"))(t))
	})
	t.Run("the template itself is not changed", func(t *testing.T) {
		tpl := template()
		must.Get(tpl.WithMapping(foreignMapping()))(t)
		assert.Len(t, whole(t, decode(tpl, goodBook(t))).rows, 1)
		require.ErrorIs(t, decode(tpl, file).err, excel.ErrHeader)
	})
	t.Run("it is stored as JSON", func(t *testing.T) {
		var again excel.Mapping
		require.NoError(t, json.Unmarshal(must.Get(json.Marshal(foreignMapping()))(t), &again))
		assert.Equal(t, foreignMapping(), again)
	})
}

// A mapped column is known by its mapped header alone, so that the file's other column of that name
// can stand.
func TestMappedHeaderWinsOverTheTemplatesOwn(t *testing.T) {
	file := book(t, row(1, "Codice fiscale", "Oggetto", "Contenuto", "CF pagatore")+row(2, "senza valore", "Oggetto di prova", content, code))
	d := whole(t, decode(must.Get(template().WithMapping(excel.Mapping{"CF pagatore": "Codice fiscale"}))(t), file))
	require.Empty(t, d.wrong, d.italian())
	assert.Equal(t, mustCode(code), d.rows[0].Recipient)
	assert.Equal(t, "A", d.report.Unknown[0].Column)
}

// A header that is mapped to nothing is not read, although it is nearly one of the template's.
func TestHeaderMappedToNothingIsNotRead(t *testing.T) {
	file := book(t, row(1, "Codice fiscale", "Oggetto", "Contenuto", "Imporot")+row(2, code, "Oggetto di prova", content, "x"))
	require.ErrorIs(t, decode(template(), file).err, excel.ErrHeader)
	for _, policy := range []excel.UnknownPolicy{excel.ReportUnknown, excel.RefuseUnknown} {
		tpl := must.Get(template(func(c *config) { c.Unknown = policy }).WithMapping(excel.Mapping{"Imporot": ""}))(t)
		d := whole(t, decode(tpl, file))
		require.Empty(t, d.wrong, d.italian())
		assert.Contains(t, d.italian(), "Colonna non letta: D.")
	}
}

func TestMappingThatCannotBeUsed(t *testing.T) {
	for name, c := range map[string]struct {
		mapping excel.Mapping
		column  string
		says    string
	}{
		"unknown column":       {excel.Mapping{"x": "Importi"}, "", "La colonna «Importi» non fa parte del modello: indicare una fra «Codice fiscale», "},
		"alias for a column":   {excel.Mapping{"x": "C.F."}, "", "non fa parte del modello"},
		"column mapped twice":  {excel.Mapping{"a1": "Somma", "b1": "somma"}, "Somma", "Più intestazioni sono abbinate alla colonna «Somma»"},
		"header mapped twice":  {excel.Mapping{"Tot. dovuto": "Somma", "tot dovuto": "Scadenza"}, "Scadenza", "abbinata due volte"},
		"header without signs": {excel.Mapping{" € ": "Somma"}, "Somma", "non contiene lettere né cifre"},
		"refused header":       {excel.Mapping{"I.U.V.": "Numero avviso"}, "Numero avviso", "non è ammessa. Serve"},
		"refused, to nothing":  {excel.Mapping{"IUV": ""}, "", "non è ammessa"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := template().WithMapping(c.mapping)
			e := must.As[*excel.MappingError](t, err)
			require.ErrorIs(t, err, excel.ErrMapping)
			require.ErrorIs(t, err, flussi.ErrInvalid)
			require.Len(t, e.Faults, 1)
			assert.Equal(t, c.column, e.Faults[0].Header)
			assert.Contains(t, flussi.Explain(err), c.says)
		})
	}
	_, err := template().WithMapping(excel.Mapping{"x": "Importi", " € ": "Somma"})
	assert.Len(t, must.As[*excel.MappingError](t, err).Faults, 2, "all at once")
}

func TestMappingThatDoesNotFitTheFile(t *testing.T) {
	mapped := must.Get(template().WithMapping(foreignMapping()))(t)
	for name, c := range map[string]struct {
		headers []string
		mapping error
		says    string
	}{
		"a header is not there":      {[]string{"CF utente", "Argomento", "Contenuto", "Totale", "Avviso n."}, excel.ErrMapping, "Nel file non c'è l'intestazione abbinata a «Somma»: rifare l'abbinamento per questo file."},
		"of a required column":       {[]string{"Utente", "Argomento", "Contenuto", "Tot. dovuto", "Avviso n."}, excel.ErrMapping, "abbinata a «Codice fiscale»"},
		"its own name is not it":     {[]string{"Codice fiscale", "Argomento", "Contenuto", "Tot. dovuto", "Avviso n."}, excel.ErrMapping, "abbinata a «Codice fiscale»"},
		"nothing is there":           {[]string{"a", "b", "c"}, excel.ErrMapping, "non c'è nessuna delle intestazioni abbinate"},
		"a header twice":             {[]string{"CF utente", "Argomento", "Contenuto", "Tot. dovuto", "Avviso n.", "TOT DOVUTO"}, nil, "La colonna F ripete la colonna D («Somma»)"},
		"a required column unmapped": {[]string{"CF utente", "Argomento", "Messaggi vari", "Tot. dovuto", "Avviso n."}, nil, "Manca la colonna obbligatoria «Contenuto»"},
		"a refused header beside it": {append([]string{"IUV"}, foreignHeaders...), nil, "non è ammessa"},
	} {
		t.Run(name, func(t *testing.T) {
			d := decode(mapped, foreign(t, c.headers...))
			require.ErrorIs(t, d.err, excel.ErrHeader)
			assert.Equal(t, c.mapping != nil, strings.Contains(fmt.Sprint(d.err), excel.ErrMapping.Error()))
			if c.mapping != nil {
				require.ErrorIs(t, d.err, c.mapping)
			}
			assert.Contains(t, flussi.Explain(d.err), c.says)
			assert.NotContains(t, fmt.Sprintf("%v %s", d.err, flussi.Explain(d.err)), "dovuto", "no header of the file")
		})
	}
}

func fileHeaders(t *testing.T, file []byte) (excel.FileHeaders, error) {
	return template().FileHeaders(t.Context(), bytes.NewReader(file), int64(len(file)))
}

func TestFileHeadersProposeSimilarColumns(t *testing.T) {
	headers := []string{"Cod. fiscale contrib.", "Oggetto del mess.", "Contenuto", "Importo tot.", "Note", "Note", "IUV"}
	csv := []byte("Elenco\n" + strings.Join(headers, ";") + "\n" + code + ";Oggetto di prova;" + content + ";12,50;x;y;z\n")
	for name, file := range map[string][]byte{"workbook": book(t, row(2, headers...)+row(3, code, "Oggetto di prova", content, "12,50", "x", "y", "z")), "CSV": csv} {
		t.Run(name, func(t *testing.T) {
			found, err := fileHeaders(t, file)
			require.NoError(t, err)
			assert.Equal(t, 2, found.Row)
			require.Len(t, found.Headers, 7)
			assert.Equal(t, "Importo tot.", found.Headers[3].Header.Reveal())
			assert.Equal(t, []any{"Contenuto", true, true, true}, []any{found.Headers[2].Known, found.Headers[4].Repeated, found.Headers[5].Repeated, found.Headers[6].Refused})
			similar := map[string][]string{}
			for _, c := range found.Columns {
				similar[c.Header] = c.Similar
			}
			assert.Equal(t, template().Headers()[0], found.Columns[0].Header)
			assert.True(t, found.Columns[0].Required)
			assert.Equal(t, "A", similar["Codice fiscale"][0])
			assert.Equal(t, "B", similar["Oggetto"][0])
			assert.Equal(t, "D", similar["Somma"][0])
			assert.Empty(t, similar["Contenuto"], "it is known")
			for _, letters := range similar {
				assert.NotContains(t, letters, "E", "it is there twice")
				assert.NotContains(t, letters, "G", "it is refused")
			}
			assert.NotContains(t, fmt.Sprintf("%v", found), "contrib", "headers mask themselves")
		})
	}
}

func TestFileHeadersOfAFileWithoutThem(t *testing.T) {
	for name, file := range map[string][]byte{"no rows": book(t, ``), "numbers alone": book(t, `<row r="1"><c r="A1"><v>1</v></c></row>`)} {
		_, err := fileHeaders(t, file)
		require.ErrorIs(t, err, excel.ErrHeader, name)
		assert.Contains(t, flussi.Explain(err), "non ha una riga di intestazioni", name)
	}
	_, err := fileHeaders(t, []byte("%PDF-1.7"))
	require.ErrorIs(t, err, excel.ErrFormat)
	small := template(func(c *config) { c.Limits.FileBytes = 10 })
	_, err = small.FileHeaders(t.Context(), bytes.NewReader(goodBook(t)), 2000)
	require.ErrorIs(t, err, excel.ErrLimit)
}
