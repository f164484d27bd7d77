package paymentfile_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// Which of two values counts is not clear, so neither does.
func TestRepeatedFieldsAreBlocking(t *testing.T) {
	const s, j = "settlement-1.0.xml", "journal-1.8.xml"
	for name, c := range map[string]struct {
		file  string
		pairs []string
		row   int
	}{
		"an amount":             {s, []string{"<singoloImportoPagato>", "<singoloImportoPagato>1.00</singoloImportoPagato><singoloImportoPagato>"}, 1},
		"an IUV":                {s, []string{"<identificativoUnivocoVersamento>", "<identificativoUnivocoVersamento>1</identificativoUnivocoVersamento><identificativoUnivocoVersamento>"}, 1},
		"a total":               {s, []string{"<importoTotalePagamenti>", "<importoTotalePagamenti>1.00</importoTotalePagamenti><importoTotalePagamenti>"}, 0},
		"an id":                 {s, []string{"<identificativoFlusso>", "<identificativoFlusso>x</identificativoFlusso><identificativoFlusso>"}, 0},
		"a total after rows":    {s, []string{"</FlussoRiversamento>", "<importoTotalePagamenti>175.00</importoTotalePagamenti></FlussoRiversamento>"}, 0},
		"an amount in journals": {j, []string{"<importo>", "<importo>1.00</importo><importo>"}, 1},
		"an operation":          {j, []string{"<tipo_operazione>", "<tipo_operazione>STORNATO</tipo_operazione><tipo_operazione>"}, 1},
		"a number":              {j, []string{"<numero_documento>", "<numero_documento>7</numero_documento><numero_documento>"}, 1},
		"an amount of receipts": {"receipt-v1.xml", []string{"<paymentAmount>", "<paymentAmount>1.00</paymentAmount><paymentAmount>"}, 0},
		"an amount of RTs":      {"rt-6.2.0.xml", []string{"<importoTotalePagato>", "<importoTotalePagato>1.00</importoTotalePagato><importoTotalePagato>"}, 0},
	} {
		got := whole(t, edited(t, c.file, c.pairs...))
		require.NotEmpty(t, got.report.Faults, name)
		f := got.report.Faults[0]
		assert.Equal(t, paymentfile.FaultRepeated, f.Kind, name)
		assert.Equal(t, c.row, f.Row, name)
		assert.True(t, f.Blocking, name)
		assert.Contains(t, f.Italian(), "è ripetuto.", name)
		if c.row == 0 {
			assert.True(t, got.report.Blocking, name)
		} else if len(got.payments) > 0 {
			assert.False(t, got.payments[0].Usable(), name)
		} else {
			assert.False(t, got.movements[0].Usable(), name)
		}
	}
}

// XML has no control characters, JSON can write them, and databases do not take them.
func TestControlCharactersInJSONAreRefused(t *testing.T) {
	for _, text := range []string{`IUR\u0000`, `IUR\u001b[31m`, `IUR\uffff`} {
		_, err := readAll(strings.NewReader(edited(t, "payments-1.json", "IUR0008", text)), paymentfile.Config{})
		require.ErrorIs(t, err, paymentfile.ErrMalformed, text)
		assert.NotContains(t, err.Error(), "IUR")
	}
	got := whole(t, edited(t, "payments-1.json", "IUR0008", `IUR\t\u00e8`))
	assert.Equal(t, "IUR\tè", got.payments[0].IUR)
}

// A reversal takes the sospeso back, whatever direction, sign and number a bank gives it.
func TestReversalsAreOfTheirSospeso(t *testing.T) {
	reversal := func(pairs ...string) paymentfile.Movement {
		return whole(t, edited(t, "journal-1.8.xml", pairs...)).movements[2]
	}
	const outgoing = "<numero_movimento>3</numero_movimento>\n      <tipo_movimento>USCITA<"
	m := reversal("<numero_movimento>3</numero_movimento>\n      <tipo_movimento>ENTRATA<", outgoing)
	assert.True(t, m.IsIncomingSuspense())
	assert.True(t, m.Usable())
	assert.Equal(t, flussi.Cents(-5050), m.Net())
	const without = "STORNATO</tipo_operazione>\n      <numero_documento>"
	m = reversal(without+"102<", without+"0<", "<importo>-50.50<", "<numero_bolletta_quietanza>900</numero_bolletta_quietanza><numero_bolletta_quietanza_storno>102</numero_bolletta_quietanza_storno><importo>50.50<")
	assert.Equal(t, "102", m.SuspenseNumber(), "of what it reverses, not its own")

	got := whole(t, edited(t, "journal-1.8.xml", "<tipo_movimento>ENTRATA<", "<tipo_movimento>USCITA<"))
	assert.False(t, got.movements[0].Usable(), "money that came in does not go out")
	got = whole(t, edited(t, "journal-1.8.xml", ">SOSPESO ENTRATA<", ">SOSPESO DI ENTRATA<"))
	assert.Equal(t, paymentfile.FaultValue, got.report.Faults[0].Kind, "a document that no version has")
	got = whole(t, edited(t, "journal-1.8.xml", "<numero_documento>101</numero_documento>", "<numero_documento>0</numero_documento><numero_bolletta_quietanza>00</numero_bolletta_quietanza>"))
	assert.False(t, got.movements[0].Usable(), "zero is no number")
}

// Nobody needs a long time for a text, however many identifiers are in it.
func TestLongCausaliAreReadQuickly(t *testing.T) {
	begun := time.Now()
	for _, part := range []string{"/URI/2026-03-01BANKIT-1 ", "/PUR/LGPE-RIVERSAMENTO/URI/2026-03-", "RIVERSAMENTO", "/RFB/1/1.", "2 0 2 6 - "} {
		r := paymentfile.ParseRemittance(flussi.NewText(strings.Repeat(part, 1<<20/len(part))))
		assert.LessOrEqual(t, len(r.IDs), 100)
	}
	unique := make([]byte, 0, 1<<20)
	for i := range 30_000 {
		unique = append(unique, "/URI/2026-03-01BANKIT-"+strings.Repeat("x", i%9)+string(rune('A'+i%26))+"/"...)
	}
	assert.NotEmpty(t, paymentfile.ParseRemittance(flussi.NewText(string(unique))).IDs)
	assert.Less(t, time.Since(begun), 20*time.Second) // a hang, on whatever machine
}

func TestRevocationIsNoRepetitionOfItsPayment(t *testing.T) {
	row := func(outcome string) string {
		return "<datiSingoliPagamenti><identificativoUnivocoVersamento>01000000000000101</identificativoUnivocoVersamento><identificativoUnivocoRiscossione>IUR0001</identificativoUnivocoRiscossione><indiceDatiSingoloPagamento>1</indiceDatiSingoloPagamento><singoloImportoPagato>120.00</singoloImportoPagato><codiceEsitoSingoloPagamento>" +
			outcome + "</codiceEsitoSingoloPagamento><dataEsitoSingoloPagamento>2030-03-04</dataEsitoSingoloPagamento></datiSingoliPagamenti>"
	}
	for outcome, duplicate := range map[string]bool{"0": true, "3": false, "9": true} {
		got := whole(t, edited(t, "settlement-1.0.xml", "</FlussoRiversamento>", row(outcome)+"</FlussoRiversamento>"))
		assert.Equal(t, duplicate, !got.payments[4].Usable(), outcome)
	}
	got := whole(t, edited(t, "settlement-1.0.xml", "</FlussoRiversamento>", row("3")+row("3")+"</FlussoRiversamento>"))
	assert.False(t, got.payments[5].Usable())
}

func TestSecondDocumentInAMessageIsRefused(t *testing.T) {
	for name, end := range map[string]string{"settlement-soap.xml": "xmlRendicontazione", "receipt-v2-soap.xml": "receipt"} {
		text := fixture(t, name)
		at := indexOf(t, text, "</"+end+">") + len("</"+end+">")
		_, err := readAll(strings.NewReader(text[:at]+"<"+end+">PA==</"+end+">"+text[at:]), paymentfile.Config{})
		require.ErrorIs(t, err, paymentfile.ErrFormat, name)
		assert.Contains(t, flussi.Explain(err), "più di un documento", name)
	}
}

// Version 1.0 has no index: the transfers of one payment to one body differ in their amounts only.
func TestRowsWithoutIndexAndOfOtherAmountsAreTransfers(t *testing.T) {
	text := edited(t, "settlement-1.0.xml", "<indiceDatiSingoloPagamento>1</indiceDatiSingoloPagamento>", "")
	begin := indexOf(t, text, "  <datiSingoliPagamenti>")
	row := text[begin : begin+indexOf(t, text[begin:], "</datiSingoliPagamenti>")+len("</datiSingoliPagamenti>")]
	for amount, usable := range map[string]bool{"120.00": false, "120.01": true} {
		got := whole(t, strings.Replace(text, "</FlussoRiversamento>", strings.Replace(row, "120.00", amount, 1)+"</FlussoRiversamento>", 1))
		assert.Equal(t, usable, got.payments[4].Usable(), amount)
	}
}
