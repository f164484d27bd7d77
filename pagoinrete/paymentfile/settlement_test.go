package paymentfile_test

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

func TestSettlementsAreReadWhole(t *testing.T) {
	got := whole(t, fixture(t, "settlement-1.0.xml"))
	assert.Equal(t, paymentfile.Settlement{
		Version: "1.0", ID: "2030-03-04PSPXITR1XXX-F000123456", CreatedAt: time.Date(2030, 3, 5, 5, 30, 15, 0, time.UTC),
		TransferID: "TRN0123456789DEMO", Date: day(2030, 3, 5), PSP: paymentfile.Party{Type: "B", Code: "PSPXITR1XXX", Name: "Banca Demo S.p.A."},
		Body: body(t), BodyName: "Istituto Comprensivo Dimostrativo", Count: 4, Total: 17500,
	}, got.file.(*paymentfile.SettlementFile).Settlement())
	assert.Equal(t, paymentfile.Page{Number: 1, Total: 1}, got.file.(*paymentfile.SettlementFile).Page())
	row := func(number int, line int, reference, iur string, index int, amount flussi.Cents, outcome paymentfile.Outcome) paymentfile.Payment {
		return paymentfile.Payment{Number: number, Position: paymentfile.Position{Line: line, Column: 3}, Reference: paymentfile.NewReference(reference), IUR: iur, Index: index,
			Amount: amount, SignedAmount: amount, Outcome: outcome, Date: day(2030, 3, 4)}
	}
	assert.Equal(t, []paymentfile.Payment{
		row(1, 24, "01000000000000101", "IUR0001", 1, 12000, paymentfile.OutcomePaid),
		row(2, 32, "010000000000102", "IUR0002", 0, 3550, paymentfile.OutcomeNoRequest),
		row(3, 39, "RF18539007547034", "IUR0003", 1, 1234, paymentfile.OutcomeStandIn),
		row(4, 47, "9876543210123456", "IUR0004", 1, 716, paymentfile.OutcomeStandInNoRequest),
	}, got.payments)
	assert.Equal(t, paymentfile.Report{Format: paymentfile.FormatSettlement, Encoding: "UTF-8", Rows: 4, Amount: 17500, Complete: true}, got.report)
	assert.Equal(t, "È un flusso di rendicontazione: 4 pagamenti, nessuna anomalia.", got.report.Italian())
}

func TestSettlementsInSoapAreTheSame(t *testing.T) {
	bare, inSoap := whole(t, fixture(t, "settlement-1.1.xml")), whole(t, fixture(t, "settlement-soap.xml"))
	assert.True(t, inSoap.report.Embedded)
	assert.False(t, bare.report.Embedded)
	head := bare.file.(*paymentfile.SettlementFile).Settlement()
	assert.Equal(t, "2030-03-04PSPXITR1XXX-F000123457", head.ID)
	head.Total = 13500 // what was revoked counts as negative in one of them
	assert.Equal(t, head, inSoap.file.(*paymentfile.SettlementFile).Settlement())
	require.Len(t, inSoap.payments, 4)
	for i, p := range inSoap.payments {
		assert.True(t, p.Position.Embedded)
		p.Position = bare.payments[i].Position
		assert.Equal(t, bare.payments[i], p)
	}
	assert.Empty(t, inSoap.report.Faults)
	assert.Empty(t, bare.report.Faults)

	text := fixture(t, "settlement-soap.xml")
	inner := regexp.MustCompile(`(?s)<xmlRendicontazione>(.*)</xmlRendicontazione>`).FindStringSubmatch(text)[1]
	joined := strings.Join(strings.Fields(inner), "")
	for name, form := range map[string]string{
		"one line": joined, "a CDATA section": "<![CDATA[" + inner + "]]>", "references": strings.ReplaceAll(inner, "\n", "&#13;\n&#xD;\n"),
		"white space": strings.ReplaceAll(inner, "A", "A \t"),
	} {
		got := whole(t, strings.Replace(text, inner, form, 1))
		assert.Equal(t, inSoap.payments, got.payments, name)
	}
	for name, form := range map[string]string{
		"another character": strings.Replace(joined, "Z", "§", 1), "a reference": strings.Replace(joined, "Z", "&amp;", 1), "half of it": joined[:len(joined)/2+1],
		"a blank tag": joined[:400] + "<a/>" + joined[400:], "nothing": "",
	} {
		_, err := readAll(strings.NewReader(strings.Replace(text, inner, form, 1)), paymentfile.Config{})
		must.As[*paymentfile.FileError](t, err)
		assert.Error(t, err, name)
	}
	sent := strings.ReplaceAll(strings.Replace(text, "<xmlRendicontazione>", "<identificativoPSP>PSPXITR1XXX</identificativoPSP><password>segreta</password><xmlRendicontazione>", 1),
		"nodoChiediFlussoRendicontazioneRisposta", "nodoInviaFlussoRendicontazione")
	assert.Equal(t, "PSPXITR1XXX", whole(t, sent).file.(*paymentfile.SettlementFile).Settlement().PSPID)
}

// Each fault has its kind, and the file is read to its end.
func TestFaultsOfSettlementsAreTold(t *testing.T) {
	const file = "settlement-1.0.xml"
	for name, c := range map[string]struct {
		pairs    []string
		kind     paymentfile.FaultKind
		row      int
		blocking bool
		text     string
	}{
		"a wrong total":          {[]string{">175.00<", ">174.00<"}, paymentfile.FaultTotal, 0, true, "Il totale dichiarato è 174,00 €, la somma dei pagamenti è 175,00 €."},
		"a wrong count":          {[]string{">4</numero", ">1</numero"}, paymentfile.FaultCount, 0, true, "Il file dichiara 1 pagamento e ne contiene 4."},
		"no receiver":            {[]string{"<codiceIdentificativoUnivoco>80185250588</codiceIdentificativoUnivoco>", ""}, paymentfile.FaultMissing, 0, true, "Manca il campo «identificativoUnivocoRicevente»."},
		"no sender":              {[]string{"<codiceIdentificativoUnivoco>PSPXITR1XXX</codiceIdentificativoUnivoco>", ""}, paymentfile.FaultMissing, 0, false, "Manca il campo «istitutoMittente»."},
		"a total with a comma":   {[]string{">175.00<", ">175,00<"}, paymentfile.FaultAmount, 0, true, "Riga 23 del file: L'importo «175,00» del campo «importoTotalePagamenti» ha la virgola: prima dei centesimi serve il punto, come in 10.00."},
		"an empty total":         {[]string{">175.00<", "><"}, paymentfile.FaultMissing, 0, true, "Manca il campo «importoTotalePagamenti»."},
		"an empty count":         {[]string{">4</numero", "></numero"}, paymentfile.FaultMissing, 0, true, "Manca il campo «numeroTotalePagamenti»."},
		"a total in words":       {[]string{">175.00<", ">RSSMRA80A01H501U<"}, paymentfile.FaultAmount, 0, true, "Riga 23 del file: Il valore del campo «importoTotalePagamenti» non è un numero di euro e centesimi, come 10.00."},
		"a misspelled element":   {[]string{"singoloImportoPagato>7.16</singoloImportoPagato>", "singoloImportoPagato>7.16</singoloImportoPagato><importo>7.16</importo>"}, paymentfile.FaultUnknown, 0, false, "Riga 47 del file: Il file contiene elementi non riconosciuti, che non sono stati letti. Il primo è in questa riga."},
		"an unknown element":     {[]string{"<versioneOggetto>", "<versione>1</versione><versioneOggetto>"}, paymentfile.FaultUnknown, 0, false, "Riga 3 del file: Il file contiene elementi non riconosciuti, che non sono stati letti. Il primo è in questa riga."},
		"an unknown party field": {[]string{"<denominazioneMittente>", "<nome>x</nome><denominazioneMittente>"}, paymentfile.FaultUnknown, 0, false, "Riga 8 del file: Il file contiene elementi non riconosciuti, che non sono stati letti. Il primo è in questa riga."},
		"another body":           {[]string{"80185250588", "00000000034"}, paymentfile.FaultReceiver, 0, true, "Il file è destinato a un altro ente."},
		"no code of a body":      {[]string{"80185250588", "x"}, paymentfile.FaultValue, 0, true, "Riga 2 del file: Il codice fiscale dell'ente, nel campo «identificativoUnivocoRicevente», non è corretto."},
		"an unknown outcome":     {[]string{">0</codice", ">7</codice"}, paymentfile.FaultOutcome, 1, true, "Pagamento 1 (riga 24 del file): L'esito 7 non è fra quelli di pagoPA. Chiedere al PSP se il pagamento è stato eseguito."},
		"an unreadable outcome":  {[]string{">0</codice", ">OK</codice"}, paymentfile.FaultOutcome, 1, true, "Pagamento 1 (riga 24 del file): L'esito del pagamento non è fra quelli di pagoPA. Chiedere al PSP se il pagamento è stato eseguito."},
		"a negative amount":      {[]string{">7.16<", ">-7.16<", ">175.00<", ">160.68<"}, paymentfile.FaultSign, 4, true, "Pagamento 4 (riga 47 del file): L'importo è negativo, ma il pagamento non è revocato."},
		"an amount of zero":      {[]string{">7.16<", ">0.00<", ">175.00<", ">167.84<"}, paymentfile.FaultAmount, 4, true, "Pagamento 4 (riga 47 del file): L'importo è zero."},
		"a decimal comma":        {[]string{">7.16<", ">7,16<", ">175.00<", ">167.84<"}, paymentfile.FaultAmount, 4, true, "Pagamento 4 (riga 47 del file): L'importo «7,16» del campo «singoloImportoPagato» ha la virgola: prima dei centesimi serve il punto, come in 10.00."},
		"a day that is not":      {[]string{"2030-03-04</dataEsito", "2030-02-30</dataEsito"}, paymentfile.FaultDate, 1, false, "Pagamento 1 (riga 24 del file): La data «2030-02-30» del campo «dataEsitoSingoloPagamento» non esiste."},
		"no IUV":                 {[]string{"01000000000000101", " "}, paymentfile.FaultMissing, 1, true, "Pagamento 1 (riga 24 del file): Manca il campo «identificativoUnivocoVersamento»."},
		"no IUR":                 {[]string{"IUR0001", ""}, paymentfile.FaultMissing, 1, true, "Pagamento 1 (riga 24 del file): Manca il campo «identificativoUnivocoRiscossione»."},
		"no amount":              {[]string{"<singoloImportoPagato>7.16</singoloImportoPagato>", "", ">175.00<", ">167.84<"}, paymentfile.FaultMissing, 4, true, "Pagamento 4 (riga 47 del file): Manca il campo «singoloImportoPagato»."},
		"an index of six":        {[]string{">1</indice", ">6</indice"}, paymentfile.FaultIndex, 1, true, "Pagamento 1 (riga 24 del file): L'indice del versamento non è un numero da 1 a 5."},
		"a long IUV":             {[]string{"01000000000000101", strings.Repeat("A", 36)}, paymentfile.FaultLength, 1, false, "Pagamento 1 (riga 24 del file): Il codice del versamento (IUV) ha più di 35 caratteri."},
		"a long IUR":             {[]string{"IUR0001", strings.Repeat("A", 36)}, paymentfile.FaultLength, 1, false, "Pagamento 1 (riga 24 del file): Il codice della riscossione (IUR) ha più di 35 caratteri."},
		"wrong RF check digits":  {[]string{"RF18", "RF19"}, paymentfile.FaultCheckDigits, 3, false, "Pagamento 3 (riga 39 del file): Le cifre di controllo del riferimento RF non sono corrette. Verificare il riferimento."},
		"the same row twice":     {[]string{"010000000000102", "01000000000000101", "IUR0002</identificativoUnivocoRiscossione>", "IUR0001</identificativoUnivocoRiscossione><indiceDatiSingoloPagamento>1</indiceDatiSingoloPagamento>"}, paymentfile.FaultDuplicate, 2, true, "Pagamento 2 (riga 32 del file): Ripete il pagamento 1, con lo stesso IUV, lo stesso IUR e lo stesso indice."},
		"another version":        {[]string{">1.0<", ">1.2<"}, paymentfile.FaultValue, 0, false, "Riga 3 del file: Il campo «versioneOggetto» ha un valore non previsto."},
		"no id":                  {[]string{"2030-03-04PSPXITR1XXX-F000123456", ""}, paymentfile.FaultMissing, 0, true, "Manca il campo «identificativoFlusso»."},
		"an id with a slash":     {[]string{"PSPXITR1XXX-F", "PSPXITR1XXX/F"}, paymentfile.FaultValue, 0, false, "Riga 4 del file: Il campo «identificativoFlusso» ha un valore non previsto."},
		"an unreadable time":     {[]string{"2030-03-05T06:30:15", "05/03/2030"}, paymentfile.FaultDate, 0, false, "Riga 5 del file: La data «05/03/2030» del campo «dataOraFlusso» non esiste, o non è scritta come 2026-11-30T10:30:00."},
		"no TRN":                 {[]string{"TRN0123456789DEMO", ""}, paymentfile.FaultMissing, 0, false, "Manca il campo «identificativoUnivocoRegolamento»."},
		"no total":               {[]string{"<importoTotalePagamenti>175.00</importoTotalePagamenti>", ""}, paymentfile.FaultMissing, 0, true, "Manca il campo «importoTotalePagamenti»."},
		"no count":               {[]string{"<numeroTotalePagamenti>4</numeroTotalePagamenti>", ""}, paymentfile.FaultMissing, 0, true, "Manca il campo «numeroTotalePagamenti»."},
		"a count that is a word": {[]string{">4</numero", ">quattro</numero"}, paymentfile.FaultValue, 0, true, "Riga 22 del file: Il campo «numeroTotalePagamenti» ha un valore non previsto."},
	} {
		t.Run(name, func(t *testing.T) {
			got := whole(t, edited(t, file, c.pairs...))
			require.NotEmpty(t, got.report.Faults)
			fault := got.report.Faults[0]
			assert.Equal(t, c.kind, fault.Kind)
			for _, other := range got.report.Faults[1:] {
				assert.NotEqual(t, fault.Field, other.Field, "one mistake is one fault: %s", other.Italian())
			}
			assert.Equal(t, c.row, fault.Row)
			assert.Equal(t, c.blocking, fault.Blocking)
			assert.Equal(t, c.text, fault.Italian())
			assert.ErrorIs(t, fault, flussi.ErrInvalid)
			assert.True(t, got.report.Complete)
			require.Len(t, got.payments, 4, "all rows are kept")
			for _, p := range got.payments {
				assert.Equal(t, p.Number != c.row || !c.blocking, p.Usable())
			}
			assert.Equal(t, c.row == 0 && c.blocking, got.report.Blocking)
			assert.Contains(t, got.report.Italian(), "anomali")
		})
	}
}

// A payment in another element than the format has is not read, and both are told.
func TestPaymentsInAMisspelledElementAreTold(t *testing.T) {
	text := strings.ReplaceAll(fixture(t, "settlement-1.0.xml"), "datiSingoliPagamenti", "datiSingoloPagamento")
	kinds, texts := told(whole(t, text).report.Faults)
	assert.Equal(t, []paymentfile.FaultKind{paymentfile.FaultUnknown, paymentfile.FaultCount, paymentfile.FaultTotal}, kinds)
	assert.Equal(t, "Riga 24 del file: Il file contiene elementi non riconosciuti, che non sono stati letti. Il primo è in questa riga.", texts[0])
}

// Of a file that has only one line, the column says where a fault is.
func TestPlacesInLongLinesHaveTheirColumn(t *testing.T) {
	text := strings.ReplaceAll(edited(t, "settlement-1.0.xml", ">7.16<", ">7,16<", ">175.00<", ">167.84<"), "\n", "")
	_, texts := told(whole(t, text).report.Faults)
	require.Len(t, texts, 1)
	assert.Regexp(t, `^Pagamento 4 \(riga 1, colonna [0-9.]+ del file\): L'importo «7,16»`, texts[0])
	_, err := readAll(strings.NewReader(text[:len(text)-300]), paymentfile.Config{})
	assert.Regexp(t, `^Pagamento 4 \(riga 1, colonna [0-9.]+ del file\): il file è incompleto`, flussi.Explain(err))
}

// A text is quoted only if it looks like an amount or a date.
func TestFaultsQuoteOnlyAmountsAndDates(t *testing.T) {
	for _, text := range []string{"RSSMRA80A01H501U", "01000000000000101", "80185250588", "IT60X0542811101000000123456", "rossi@example.it", "3331234567", "Rossi, Mario"} {
		for _, place := range []string{">175.00<", ">7.16<", "2030-03-04</dataEsito", "2030-03-05T06:30:15", ">2030-03-05<", ">4</numero"} {
			end := place[strings.IndexAny(place+"<", "<"):]
			begin := ""
			if place[0] == '>' {
				begin = ">"
			}
			_, texts := told(whole(t, edited(t, "settlement-1.0.xml", place, begin+text+end)).report.Faults)
			require.NotEmpty(t, texts)
			assert.NotContains(t, strings.Join(texts, " "), "«"+text+"»", place)
		}
	}
}

// A second payment of the same amount, and the second transfer of one payment, repeat nothing.
func TestOnlyTheSameIUVIURAndIndexIsADuplicate(t *testing.T) {
	assert.Empty(t, whole(t, fixture(t, "settlement-1.1.xml")).report.Faults, "the same IUV with another index, and in another payment")
	got := whole(t, edited(t, "settlement-1.0.xml", "IUR0002</identificativoUnivocoRiscossione>", "IUR0001</identificativoUnivocoRiscossione>"))
	assert.Empty(t, got.report.Faults, "the same IUR with another IUV")
	got = whole(t, edited(t, "settlement-1.1.xml", "<pay_i:indiceDatiSingoloPagamento>2<", "<pay_i:indiceDatiSingoloPagamento>1<", "IUR0005", "IUR0009"))
	assert.Empty(t, got.report.Faults, "the same IUV and index with another IUR")
	got = whole(t, edited(t, "settlement-1.0.xml", "010000000000102", "01000000000000101I", "IUR0002</identificativoUnivocoRiscossione>", "UR0001</identificativoUnivocoRiscossione><indiceDatiSingoloPagamento>1</indiceDatiSingoloPagamento>"))
	assert.Empty(t, got.report.Faults, "IUV and IUR that are the same text when joined")
}

// The specification wants a negative amount for what was revoked, the schema a positive one. The
// total may count it either way.
func TestRevokedAmountsHaveEitherSign(t *testing.T) {
	for _, written := range []string{"15.00", "-15.00"} {
		for total, right := range map[string]bool{"135.00": true, "165.00": written == "15.00", "150.00": false} {
			got := whole(t, edited(t, "settlement-1.1.xml", ">15.00<", ">"+written+"<", ">165.00<", ">"+total+"<"))
			revoked := got.payments[3]
			assert.Equal(t, paymentfile.OutcomeRevoked, revoked.Outcome)
			assert.Equal(t, flussi.Cents(1500), revoked.Amount)
			assert.Equal(t, flussi.Cents(-1500), revoked.Net())
			assert.Equal(t, written == "-15.00", revoked.SignedAmount < 0)
			assert.True(t, revoked.Usable())
			assert.Equal(t, flussi.Cents(13500), got.report.Amount)
			assert.Equal(t, right, len(got.report.Faults) == 0, "%s of %s", written, total)
		}
	}
}

func TestOutcomesOfPagoPA(t *testing.T) {
	for outcome := paymentfile.Outcome(-1); outcome < 12; outcome++ {
		paid := map[paymentfile.Outcome]bool{0: true, 4: true, 8: true, 9: true}[outcome]
		assert.Equal(t, paid, outcome.Paid())
		assert.Equal(t, paid || outcome == 3, outcome.Known())
	}
}

// Of a date with an offset the day counts.
func TestDaysKeepTheirDay(t *testing.T) {
	for text, want := range map[string]paymentfile.Day{
		"2025-12-31+02:00": day(2025, 12, 31), "2025-12-31-11:00": day(2025, 12, 31), "2025-12-31Z": day(2025, 12, 31), " 2025-12-31 ": day(2025, 12, 31),
		"2025-03-13T23:00:00Z": day(2025, 3, 14), "2025-07-13T22:00:00Z": day(2025, 7, 14), "2025-07-13T21:59:59Z": day(2025, 7, 13),
		"2025-03-14T00:00:00+01:00": day(2025, 3, 14), "2025-03-14T23:59:59.999": day(2025, 3, 14), "2024-02-29": day(2024, 2, 29),
	} {
		got := whole(t, edited(t, "settlement-1.0.xml", "2030-03-04</dataEsito", text+"</dataEsito"))
		assert.Equal(t, want, got.payments[0].Date, text)
		assert.Empty(t, got.report.Faults, text)
	}
	for _, text := range []string{"2025-02-29", "2025-13-01", "2025-1-1", "31/12/2025", "2025-12-31+2", "2025-12-31T25:00:00Z", "0000-01-01", "2025-12-32", "20251231", "a"} {
		got := whole(t, edited(t, "settlement-1.0.xml", "2030-03-04</dataEsito", text+"</dataEsito"))
		kinds, _ := told(got.report.Faults)
		assert.Equal(t, []paymentfile.FaultKind{paymentfile.FaultDate}, kinds, text)
		assert.True(t, got.payments[0].Date.IsZero(), text)
	}
}

func TestAmountsAreDecimals(t *testing.T) {
	for text, want := range map[string]flussi.Cents{
		"0.01": 1, "1": 100, "1.": 100, ".5": 50, "1.5": 150, "1.50": 150, "1.5000": 150, "+1.50": 150, "0001.50": 150, "1.5e0": 150, "15e-1": 150, "0.15E+1": 150, "1.5E1": 1500,
		"999999999.99": 99999999999, "703687441.66": 70368744166, "0.29": 29, "1.15": 115, "4.35": 435, "100e-4": 1,
	} {
		got := whole(t, edited(t, "payments-1.json", `"pay": 120.1`, `"pay": "`+text+`"`))
		assert.Equal(t, want, got.payments[0].Amount, text)
		assert.Empty(t, got.report.Faults, text)
	}
	for _, text := range []string{"1,50", "1000000000.00", "1.505", "1.001", "1e-3", "1e99", "1e", "--1", "1-", "NaN", "Inf", "0x10", "1_0", "1 0", ".", "1.2.3", "10000000000000", "1e13", "€ 1"} {
		got := whole(t, edited(t, "payments-1.json", `"pay": 120.1`, `"pay": "`+text+`"`))
		kinds, _ := told(got.report.Faults)
		assert.Equal(t, []paymentfile.FaultKind{paymentfile.FaultAmount}, kinds, text)
	}
}

func TestSettlementsAreReadOnce(t *testing.T) {
	file := must.Get(paymentfile.OpenSettlement(strings.NewReader(fixture(t, "settlement-1.0.xml")), paymentfile.Config{}))(t)
	rows := 0
	for _, err := range file.Payments() {
		require.NoError(t, err)
		rows++
		break
	}
	assert.False(t, file.Report().Complete)
	for _, err := range file.Payments() {
		assert.Error(t, err)
		rows++
	}
	assert.Equal(t, 2, rows)
}

func TestSettlementWithoutRowsSaysSo(t *testing.T) {
	text := fixture(t, "settlement-1.0.xml")
	text = text[:strings.Index(text, "  <datiSingoliPagamenti>")] + "</FlussoRiversamento>"
	got := whole(t, text)
	kinds, texts := told(got.report.Faults)
	assert.Equal(t, []paymentfile.FaultKind{paymentfile.FaultCount, paymentfile.FaultTotal}, kinds, fmt.Sprint(texts))
}

func base64Of(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
