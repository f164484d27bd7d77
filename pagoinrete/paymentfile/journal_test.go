package paymentfile_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

func TestJournalsAreReadWhole(t *testing.T) {
	got := whole(t, fixture(t, "journal-1.6.1.xml"))
	file := got.file.(*paymentfile.JournalFile)
	assert.Equal(t, paymentfile.Journal{
		ID: "GDC-20300305DEMO0000000001#001#001", BankABI: "99999", BodyName: "Istituto Comprensivo Dimostrativo", Body: body(t), BodyReference: "DEMO",
		CreatedAt: time.Date(2030, 3, 6, 0, 2, 3, 0, time.UTC), Year: 2030, From: day(2030, 3, 5), To: day(2030, 3, 5), Page: paymentfile.Page{Number: 1, Total: 1},
	}, file.Journal())
	require.Len(t, got.movements, 7)
	m := got.movements[0]
	assert.Equal(t, paymentfile.Movement{
		Row: 1, Position: m.Position, Account: "0000001", FlowID: "FLUSSO-1", Number: "1", Direction: paymentfile.Incoming, Document: paymentfile.DocumentIncomingSuspense,
		Operation: paymentfile.OperationExecuted, DocumentNumber: "101", PayerNumber: "1", Amount: 17500, SignedAmount: 17500, Date: day(2030, 3, 5), ValueDate: day(2030, 3, 5),
		Payer: flussi.NewText("BANCA DEMO S.P.A."), Causale: flussi.NewText("/PUR/LGPE-RIVERSAMENTO/URI/2030-03-04PSPXITR1XXX-F000123456"),
		EndToEndID: flussi.NewText("NOTPROVIDED"), BankReference: flussi.NewText("TRN0123456789DEMO"), BankData: flussi.NewText(".PUR.LGPE-RIVERSAMENTO.URI.2030-"),
	}, m)
	assert.Equal(t, []string{"2030-03-04PSPXITR1XXX-F000123456"}, m.Remittance().IDs)
	assert.Equal(t, "RSSMRA80A01H501U", got.movements[1].PayerCode.Reveal())
	assert.Equal(t, "IT60X0542811101000000123456", got.movements[1].IBAN.Reveal())
	assert.Equal(t, []paymentfile.Suspense{{Number: "101", Amount: 17500}}, got.movements[3].Suspense)
	assert.Equal(t, "0000002", got.movements[5].Account)
	assert.Equal(t, flussi.Cents(34000), got.report.Amount, "what came in")

	accounts := file.Accounts()
	require.Len(t, accounts, 2)
	assert.Equal(t, []string{"0000001", "Conto principale"}, []string{accounts[0].Number, accounts[0].Description})
	assert.Equal(t, 5, accounts[0].Movements)
	assert.Equal(t, paymentfile.StatedAmount{Amount: 113500, IsStated: true}, accounts[0].Totals.Closing)
	assert.Equal(t, []flussi.Cents{17500, 4000, 34000, 4000}, []flussi.Cents{accounts[0].Totals.MovedIn, accounts[0].Totals.MovedOut, file.Totals().MovedIn, file.Totals().MovedOut})
}

// Versions up to 1.4 have a period, and no numbers of movements.
func TestOlderJournalsAreReadToo(t *testing.T) {
	for _, name := range []string{"journal-1.3.1a.xml", "journal-1.4.xml"} {
		got := whole(t, fixture(t, name))
		head := got.file.(*paymentfile.JournalFile).Journal()
		assert.Equal(t, []paymentfile.Day{day(2030, 3, 1), day(2030, 3, 5)}, []paymentfile.Day{head.From, head.To}, name)
		assert.Equal(t, paymentfile.Page{Number: 1, Total: 1}, head.Page, name)
		assert.Empty(t, got.movements[0].Number, name)
		assert.Equal(t, []paymentfile.Suspense{{Number: "101"}}, got.movements[3].Suspense, name)
	}
	latin := whole(t, fixture(t, "journal-iso-8859-15.xml"))
	assert.Equal(t, "Università di Forlì €", latin.file.(*paymentfile.JournalFile).Accounts()[0].Description)
}

// Banks write reversed amounts with either sign, so the operation decides.
func TestOperationsDecideTheSign(t *testing.T) {
	for _, c := range []struct {
		operation paymentfile.Operation
		amount    string
		want, net flussi.Cents
		fault     bool
	}{
		{paymentfile.OperationExecuted, "50.50", 5050, 5050, false}, {paymentfile.OperationExecuted, "-50.50", -5050, -5050, true},
		{paymentfile.OperationReversed, "50.50", 5050, -5050, false}, {paymentfile.OperationReversed, "-50.50", 5050, -5050, false},
		{paymentfile.OperationRegularised, "50.50", 5050, 0, false}, {paymentfile.OperationRegularised, "-50.50", 5050, 0, false},
		{paymentfile.OperationRestored, "50.50", 5050, 0, false}, {paymentfile.OperationRestored, "-50.50", 5050, 0, false},
	} {
		text := edited(t, "journal-1.8.xml", "<tipo_operazione>STORNATO", "<tipo_operazione>"+string(c.operation), "<importo>-50.50<", "<importo>"+c.amount+"<")
		m := whole(t, text).movements[2]
		assert.Equal(t, c.want, m.Amount, "%v %s", c.operation, c.amount)
		assert.Equal(t, c.net, m.Net(), "%v %s", c.operation, c.amount)
		assert.Equal(t, c.fault, !m.Usable(), "%v %s", c.operation, c.amount)
		assert.Equal(t, strings.HasPrefix(c.amount, "-"), m.SignedAmount < 0)
	}
}

func TestSuspenseNumbersAreWhereTheBankWritesThem(t *testing.T) {
	got := whole(t, fixture(t, "journal-1.3.1a.xml"))
	numbers := make([]string, 0, 7)
	incoming := make([]bool, 0, 7)
	for _, m := range got.movements {
		numbers, incoming = append(numbers, m.SuspenseNumber()), append(incoming, m.IsIncomingSuspense())
	}
	assert.Equal(t, []string{"101", "102", "102", "", "", "103", "101"}, numbers)
	assert.Equal(t, []bool{true, true, true, false, false, true, true}, incoming)
}

func TestFaultsOfJournalsAreTold(t *testing.T) {
	const balance = "Il saldo finale dichiarato è "
	for name, c := range map[string]struct {
		pairs []string
		kinds []paymentfile.FaultKind
		row   int
		text  string
	}{
		"the total of an account": {[]string{"<totale_entrate_conto_evidenza>175.00<", "<totale_entrate_conto_evidenza>176.00<"}, []paymentfile.FaultKind{paymentfile.FaultTotal, paymentfile.FaultBalance}, 0,
			"Conto evidenza n. 1. Il totale dichiarato è 176,00 €, la somma dei movimenti è 175,00 €."},
		"what went out": {[]string{"<totale_uscite_conto_evidenza>40.00<", "<totale_uscite_conto_evidenza>41.00<"}, []paymentfile.FaultKind{paymentfile.FaultTotal, paymentfile.FaultBalance}, 0,
			"Conto evidenza n. 1. Il totale dichiarato è 41,00 €, la somma dei movimenti è 40,00 €."},
		"the total of the file": {[]string{"<totale_complessivo_entrate>175.00<", "<totale_complessivo_entrate>176.00<"}, []paymentfile.FaultKind{paymentfile.FaultTotal, paymentfile.FaultBalance}, 0,
			"Totali complessivi. Il totale dichiarato è 176,00 €, la somma dei movimenti è 175,00 €."},
		"a balance": {[]string{"<saldo_finale_conto_evidenza>1135.00<", "<saldo_finale_conto_evidenza>1135.01<"}, []paymentfile.FaultKind{paymentfile.FaultBalance}, 0,
			"Conto evidenza n. 1. " + balance + "1.135,01 €, quello che risulta da saldo precedente, entrate e uscite è 1.135,00 €."},
		"a total that is no number": {[]string{"<totale_complessivo_entrate>175.00<", "<totale_complessivo_entrate>-<"}, []paymentfile.FaultKind{paymentfile.FaultAmount}, 0, "Riga 133 del file: Il valore del campo «totale_complessivo_entrate» non è un numero di euro e centesimi, come 10.00."},
		"another body":              {[]string{"80185250588", "00000000034"}, []paymentfile.FaultKind{paymentfile.FaultReceiver}, 0, "Il file è destinato a un altro ente."},
		"no identifier":             {[]string{"GDC-20300305DEMO0000000003#001#001", ""}, []paymentfile.FaultKind{paymentfile.FaultMissing}, 0, "Manca il campo «identificativo_flusso_BT»."},
		"page 2 of 1":               {[]string{"<pagina>1<", "<pagina>2<"}, []paymentfile.FaultKind{paymentfile.FaultPages}, 0, "Il numero della pagina e il numero delle pagine non concordano."},
		"a year":                    {[]string{"<esercizio>2030<", "<esercizio>30<"}, []paymentfile.FaultKind{paymentfile.FaultValue}, 0, "Riga 18 del file: Il campo «esercizio» ha un valore non previsto."},
		"a time":                    {[]string{"2030-03-06T01:02:03", "ieri"}, []paymentfile.FaultKind{paymentfile.FaultDate}, 0, "Riga 3 del file: Il valore del campo «data_ora_creazione_flusso» non è una data scritta come 2026-11-30T10:30:00."},
		"a day":                     {[]string{"<data_riferimento_GdC>2030-03-05<", "<data_riferimento_GdC>05/03/2030<"}, []paymentfile.FaultKind{paymentfile.FaultDate}, 0, "Riga 19 del file: La data «05/03/2030» del campo «data_riferimento_GdC» non esiste, o non è scritta come 2026-11-30."},
		"an operation":              {[]string{"ESEGUITO", "SOSPESO"}, []paymentfile.FaultKind{paymentfile.FaultValue, paymentfile.FaultTotal, paymentfile.FaultTotal}, 1, "Movimento 1 (riga 23 del file): Il campo «tipo_operazione» ha un valore non previsto."},
		"no operation":              {[]string{"<tipo_operazione>ESEGUITO</tipo_operazione>", ""}, []paymentfile.FaultKind{paymentfile.FaultMissing, paymentfile.FaultTotal, paymentfile.FaultTotal}, 1, "Movimento 1 (riga 23 del file): Manca il campo «tipo_operazione»."},
		"a direction":               {[]string{">ENTRATA<", ">INCASSO<"}, []paymentfile.FaultKind{paymentfile.FaultValue, paymentfile.FaultTotal, paymentfile.FaultTotal}, 1, "Movimento 1 (riga 23 del file): Il campo «tipo_movimento» ha un valore non previsto."},
		"no direction":              {[]string{"<tipo_movimento>ENTRATA</tipo_movimento>", ""}, []paymentfile.FaultKind{paymentfile.FaultMissing, paymentfile.FaultTotal, paymentfile.FaultTotal}, 1, "Movimento 1 (riga 23 del file): Manca il campo «tipo_movimento»."},
		"no document":               {[]string{"<tipo_documento>SOSPESO ENTRATA</tipo_documento>", ""}, []paymentfile.FaultKind{paymentfile.FaultMissing}, 1, "Movimento 1 (riga 23 del file): Manca il campo «tipo_documento»."},
		"no number":                 {[]string{"<numero_documento>101<", "<numero_documento>0<"}, []paymentfile.FaultKind{paymentfile.FaultMissing}, 1, "Movimento 1 (riga 23 del file): Manca il campo «numero_documento»."},
		"an amount of zero":         {[]string{"<importo>-50.50<", "<importo>0<", "<importo>50.5<", "<importo>0<"}, []paymentfile.FaultKind{paymentfile.FaultAmount, paymentfile.FaultAmount}, 2, ""},
		"a day of a movement":       {[]string{"<data_movimento>2030-03-05<", "<data_movimento>2030-03-32<"}, []paymentfile.FaultKind{paymentfile.FaultDate}, 1, "Movimento 1 (riga 23 del file): La data «2030-03-32» del campo «data_movimento» non esiste."},
		"no day":                    {[]string{"<data_movimento>2030-03-05</data_movimento>", ""}, []paymentfile.FaultKind{paymentfile.FaultMissing}, 1, "Movimento 1 (riga 23 del file): Manca il campo «data_movimento»."},
		"a part of a sospeso":       {[]string{"<importo_provvisorio>175.00<", "<importo_provvisorio>tutto<"}, []paymentfile.FaultKind{paymentfile.FaultAmount}, 4, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := whole(t, edited(t, "journal-1.8.xml", c.pairs...))
			kinds, texts := told(got.report.Faults)
			assert.Equal(t, c.kinds, kinds, texts)
			require.NotEmpty(t, got.report.Faults)
			assert.Equal(t, c.row, got.report.Faults[0].Row)
			if c.text != "" {
				assert.Equal(t, c.text, texts[0])
			}
			assert.Len(t, got.movements, 5)
			assert.True(t, got.report.Complete)
		})
	}
}

// Some banks count the initial fund of a year as incoming, and others do not.
func TestTheInitialFundMayCountOrNot(t *testing.T) {
	fund := strings.NewReplacer("SOSPESO ENTRATA", "FONDO DI CASSA")
	text := fixture(t, "journal-1.4.xml")
	begin := strings.Index(text, "    <movimento_conto_evidenza>")
	movement := fund.Replace(text[begin : strings.Index(text, "</movimento_conto_evidenza>")+len("</movimento_conto_evidenza>")])
	with := text[:begin] + movement + text[begin:]
	assert.Empty(t, whole(t, with).report.Faults)
	counted := strings.NewReplacer("_entrate_conto_evidenza>175.00<", "_entrate_conto_evidenza>350.00<", "_complessivo_entrate>175.00<", "_complessivo_entrate>350.00<", ">1135.00<", ">1310.00<")
	assert.Empty(t, whole(t, counted.Replace(with)).report.Faults)
	assert.NotEmpty(t, whole(t, counted.Replace(text)).report.Faults)
}

func TestPagesOfAJournalAreJoined(t *testing.T) {
	file := func(text string) *paymentfile.JournalFile { return whole(t, text).file.(*paymentfile.JournalFile) }
	first, second := fixture(t, "journal-1.7.1-1.xml"), fixture(t, "journal-1.7.1-2.xml")
	for _, order := range [][]string{{first, second}, {second, first}} {
		var pages paymentfile.JournalPages
		assert.False(t, pages.Complete())
		assert.Empty(t, pages.Missing())
		pages.Add(file(order[0]))
		assert.False(t, pages.Complete())
		assert.Len(t, pages.Missing(), 1)
		assert.Contains(t, pages.Italian(), "Manca la pagina ")
		pages.Add(file(order[1]))
		assert.True(t, pages.Complete())
		assert.Empty(t, pages.Missing())
		assert.Empty(t, pages.Faults())
		assert.Empty(t, pages.Italian())
		assert.Equal(t, file(order[0]).Journal(), pages.Journal())
	}

	join := func(texts ...string) (*paymentfile.JournalPages, []paymentfile.FaultKind) {
		var pages paymentfile.JournalPages
		for _, text := range texts {
			pages.Add(file(text))
		}
		kinds, _ := told(pages.Faults())
		return &pages, kinds
	}
	_, kinds := join(first, first)
	assert.Equal(t, []paymentfile.FaultKind{paymentfile.FaultPages}, kinds, "a page twice")
	_, kinds = join(first, strings.Replace(second, "GDC-20300305DEMO0000000002", "GDC-20300305DEMO0000000009", 1))
	assert.Equal(t, []paymentfile.FaultKind{paymentfile.FaultPages}, kinds, "a page of another journal")
	_, kinds = join(first, strings.Replace(second, "<pagine_totali>2", "<pagine_totali>3", 1))
	assert.Equal(t, []paymentfile.FaultKind{paymentfile.FaultPages}, kinds, "another number of pages")
	pages, kinds := join(first, strings.Replace(second, "_entrate_conto_evidenza>175.00<", "_entrate_conto_evidenza>176.00<", 1))
	assert.Equal(t, []paymentfile.FaultKind{paymentfile.FaultTotal, paymentfile.FaultBalance}, kinds)
	assert.Contains(t, pages.Italian(), "Conto evidenza n. 1. Il totale dichiarato è 176,00 €, la somma dei movimenti è 175,00 €.")

	// Some banks state on each page what that page moves.
	own := "<saldo_precedente_conto_evidenza>1000.00</saldo_precedente_conto_evidenza><totale_entrate_conto_evidenza>175.00</totale_entrate_conto_evidenza>" +
		"<totale_uscite_conto_evidenza>0</totale_uscite_conto_evidenza><saldo_finale_conto_evidenza>1175</saldo_finale_conto_evidenza>"
	each := strings.NewReplacer("_precedente_conto_evidenza>1000.00<", "_precedente_conto_evidenza>1175.00<", "_entrate_conto_evidenza>175.00<", "_entrate_conto_evidenza>0<")
	_, kinds = join(strings.Replace(first, "  </informazioni_conto_evidenza>", own+"</informazioni_conto_evidenza>", 1), each.Replace(second))
	assert.Empty(t, kinds)
	// Others repeat the totals of the account.
	_, kinds = join(strings.Replace(first, "  </informazioni_conto_evidenza>", second[strings.Index(second, "<saldo_precedente_conto"):strings.Index(second, "</informazioni_conto")]+"</informazioni_conto_evidenza>", 1), second)
	assert.Empty(t, kinds)
}

func TestKeysOfJournalsLeaveOutThePage(t *testing.T) {
	head := func(id string, page, of int) paymentfile.Journal {
		return paymentfile.Journal{ID: id, Page: paymentfile.Page{Number: page, Total: of}}
	}
	assert.Equal(t, head("GDC-1#001#003", 1, 3).Key(), head("GDC-1#002#003", 2, 3).Key())
	assert.NotEqual(t, head("GDC-1#001#003", 1, 3).Key(), head("GDC-2#002#003", 2, 3).Key())
	keys := []string{head("GDC-1#001#003", 2, 3).Key(), head("GDC-1#002#003", 1, 3).Key(), head("GDC-1", 1, 3).Key(), head("GDC-1#001#003", 0, 0).Key()}
	slices.Sort(keys)
	assert.Len(t, slices.Compact(keys), 3, "numbers that are not the page's are part of the identifier")
}

func TestJournalsAreReadOnce(t *testing.T) {
	file := must.Get(paymentfile.OpenJournal(strings.NewReader(fixture(t, "journal-1.8.xml")), paymentfile.Config{}))(t)
	for range file.Movements() {
		break
	}
	for _, err := range file.Movements() {
		assert.Error(t, err)
	}
	assert.False(t, file.Report().Complete)
	var pages paymentfile.JournalPages
	pages.Add(file)
	assert.Len(t, pages.Faults(), 1, "a page that was not read to its end is no page")
}

// Banks add elements, which are skipped; those that may hold money are a fault.
func TestUnknownElementsOfJournalsThatMayHoldMoneyAreTold(t *testing.T) {
	const movement, account = "movimento_conto_evidenza>", "  <informazioni_conto_evidenza>"
	for name, c := range map[string]struct {
		pairs []string
		row   int // of the fault; -1: none
		rows  int
	}{
		"a misspelled movement":       {[]string{"<" + movement, "<movimento_conto_evidenze>", "</" + movement, "</movimento_conto_evidenze>"}, 0, 4},
		"a misspelled account":        {[]string{"<informazioni_conto_evidenza>", "<informazioni_conto>", "</informazioni_conto_evidenza>", "</informazioni_conto>"}, 0, 0},
		"a movement without account":  {[]string{account, "<" + movement + "<importo>1.00</importo></" + movement + account}, 0, 5},
		"an amount of the file":       {[]string{account, "<totale_banca>12.50</totale_banca>" + account}, 0, 5},
		"an amount of an account":     {[]string{"<conto_evidenza>", "<totale>12,50</totale><conto_evidenza>"}, 0, 5},
		"an amount of a movement":     {[]string{"<importo>175.00<", "<importo_netto>174.00</importo_netto><importo>175.00<"}, 1, 5},
		"elements of a movement":      {[]string{"<importo>175.00<", "<dettaglio><valore>174</valore></dettaglio><importo>175.00<"}, 1, 5},
		"what the schema has":         {[]string{"<importo>175.00<", "<importo_commissioni>1.00</importo_commissioni><importo>175.00<"}, -1, 5},
		"a word of a bank":            {[]string{"<importo>175.00<", "<codice_banca>17500</codice_banca><importo>175.00<"}, -1, 5},
		"a word of a bank, of a file": {[]string{account, "<programma>GDC 1.0</programma>" + account}, -1, 5},
	} {
		got := whole(t, edited(t, "journal-1.8.xml", c.pairs...))
		unknown := slices.DeleteFunc(slices.Clone(got.report.Faults), func(f *paymentfile.Fault) bool { return f.Kind != paymentfile.FaultUnknown })
		assert.Len(t, got.movements, c.rows, name)
		if c.row < 0 {
			assert.Empty(t, got.report.Faults, name)
			continue
		}
		require.Len(t, unknown, 1, name)
		assert.Equal(t, c.row, unknown[0].Row, name)
		assert.NotZero(t, unknown[0].Position.Line, name)
		assert.False(t, unknown[0].Blocking, name)
		assert.NotContains(t, unknown[0].Italian(), "17", name)
	}
}

// Some banks write the numbers of documents with leading zeros.
func TestNumbersOfDocumentsHaveNoZerosBeforeThem(t *testing.T) {
	for text, want := range map[string]string{"101": "101", "0000101": "101", "+101": "101", "A-0101": "A-0101", "0101/2030": "0101/2030"} {
		m := whole(t, edited(t, "journal-1.8.xml", "<numero_documento>101<", "<numero_documento>"+text+"<")).movements[0]
		assert.Equal(t, want, m.SuspenseNumber(), text)
	}
	m := whole(t, edited(t, "journal-1.8.xml", "<numero_documento>101</numero_documento>", "<numero_documento>000</numero_documento><numero_bolletta_quietanza>007</numero_bolletta_quietanza>")).movements[0]
	assert.Equal(t, "7", m.SuspenseNumber())
}
