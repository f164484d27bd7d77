package paymentfile_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

func TestReceiptsAreReadWhole(t *testing.T) {
	person := func(code, name string) paymentfile.Person {
		return paymentfile.Person{FiscalCode: must.Get(flussi.ParseFiscalCode(code))(t), Code: flussi.NewText(code), Name: flussi.NewText(name)}
	}
	transfer := func(index int, amount flussi.Cents, to flussi.OrganizationCode, causale string) paymentfile.Transfer {
		return paymentfile.Transfer{Index: index, Amount: amount, Body: to, IBAN: flussi.NewText("IT60X0542811101000000123456"), Causale: flussi.NewText(causale), Category: "9/0101101IM/"}
	}
	other := must.Get(flussi.ParseOrganizationCode("00000000034"))(t)
	want := paymentfile.Receipt{
		ID: "c110729d258c4ab1b765fe902aae41d6", NoticeNumber: must.Get(flussi.ParseNoticeNumber("301000000000000103"))(t), Body: body(t), BodyName: "Istituto Comprensivo Dimostrativo",
		Outcome: paymentfile.ReceiptPaid, Reference: paymentfile.NewReference("01000000000000103"), Amount: 3000, Fee: 150, Description: flussi.NewText("Gita di istruzione"),
		Debtor: person("RSSMRA80A01H501U", "Rossi Mario"), Payer: person("BNCLCU75B02F205X", "Bianchi Luca"), PSPID: "PSPXITR1XXX", PSPName: "Banca Demo S.p.A.", Method: "creditCard",
		PaidAt: time.Date(2030, 3, 4, 22, 30, 0, 0, time.UTC), Date: day(2030, 3, 4), TransferDate: day(2030, 3, 5),
		Transfers: []paymentfile.Transfer{transfer(1, 3000, body(t), "/RFB/01000000000000103/30.00/TXT/Gita")},
	}
	assert.Equal(t, want, whole(t, fixture(t, "receipt-v1.xml")).receipt)

	// One payment for two bodies: 20 and 10 are 30.
	want.StandIn = true
	want.Transfers = []paymentfile.Transfer{transfer(1, 2000, body(t), "/RFB/01000000000000103/20.00/TXT/Gita"), transfer(2, 1000, other, "/RFB/01000000000000103/10.00/TXT/Gita")}
	got := whole(t, fixture(t, "receipt-v2-soap.xml"))
	assert.Equal(t, want, got.receipt)
	assert.Equal(t, flussi.Cents(3000), got.report.Amount)

	assert.Equal(t, paymentfile.Receipt{
		ID: "RT0000001", Body: body(t), BodyName: "Istituto Comprensivo Dimostrativo", Outcome: paymentfile.ReceiptPaid, Reference: paymentfile.NewReference("RF18539007547034"),
		Context: "n/a", RequestID: "RPT0000001", Amount: 3000, Debtor: person("RSSMRA80A01H501U", "Rossi Mario"), Payer: person("BNCLCU75B02F205X", "Bianchi Luca"),
		PSPID: "PSPXITR1XXX", PSPName: "Banca Demo S.p.A.", PaidAt: time.Date(2030, 3, 4, 11, 0, 0, 0, time.UTC), Date: day(2030, 3, 4),
		Transfers: []paymentfile.Transfer{{Index: 1, Amount: 3000, Body: body(t), Causale: flussi.NewText("Mensa di Rossi Luca"), Category: "9/0101101IM", IUR: "IUR0011", Date: day(2030, 3, 4)}},
	}, whole(t, fixture(t, "rt-6.2.0.xml")).receipt)
}

func TestBareReceiptsAndReceiptsInBase64AreRead(t *testing.T) {
	text := fixture(t, "receipt-v1.xml")
	begin, end := "<receipt>", "</receipt>"
	bare := text[indexOf(t, text, begin) : indexOf(t, text, end)+len(end)]
	assert.Equal(t, whole(t, text).receipt, whole(t, bare).receipt)
	old := fixture(t, "rt-6.2.0.xml")
	got := whole(t, "<Envelope><Body><paaInviaRT><tipoFirma/><rt>"+base64Of(old)+"</rt></paaInviaRT></Body></Envelope>")
	assert.Equal(t, whole(t, old).receipt, got.receipt)
	assert.True(t, got.report.Embedded)
}

func TestFaultsOfReceiptsAreTold(t *testing.T) {
	const v2, old = "receipt-v2-soap.xml", "rt-6.2.0.xml"
	for name, c := range map[string]struct {
		file  string
		pairs []string
		kinds []paymentfile.FaultKind
		text  string
	}{
		"transfers that do not add up":   {v2, []string{">20.00<", ">20.01<"}, []paymentfile.FaultKind{paymentfile.FaultTotal}, "L'importo pagato è 30,00 €, la somma dei versamenti è 30,01 €."},
		"the same of an RT":              {old, []string{"<singoloImportoPagato>30.00<", "<singoloImportoPagato>29.00<"}, []paymentfile.FaultKind{paymentfile.FaultTotal}, "L'importo pagato è 30,00 €, la somma dei versamenti è 29,00 €."},
		"another outcome":                {v2, []string{">OK<", ">BOH<"}, []paymentfile.FaultKind{paymentfile.FaultValue}, "Il campo «outcome» ha un valore non previsto."},
		"another outcome of an RT":       {old, []string{"<codiceEsitoPagamento>0<", "<codiceEsitoPagamento>5<"}, []paymentfile.FaultKind{paymentfile.FaultValue}, "Il campo «codiceEsitoPagamento» ha un valore non previsto."},
		"no id":                          {v2, []string{"c110729d258c4ab1b765fe902aae41d6", ""}, []paymentfile.FaultKind{paymentfile.FaultMissing}, "Manca il campo «receiptId»."},
		"no IUV":                         {old, []string{"RF18539007547034", ""}, []paymentfile.FaultKind{paymentfile.FaultMissing}, "Manca il campo «identificativoUnivocoVersamento»."},
		"wrong RF check digits":          {old, []string{"RF18539007547034", "RF81539007547034"}, []paymentfile.FaultKind{paymentfile.FaultCheckDigits}, "Le cifre di controllo del riferimento RF non sono corrette. Verificare il riferimento."},
		"another body":                   {"receipt-v1.xml", []string{"<fiscalCode>80185250588<", "<fiscalCode>00000000034<", "<fiscalCodePA>80185250588<", "<fiscalCodePA>00000000034<"}, []paymentfile.FaultKind{paymentfile.FaultReceiver}, "La ricevuta è di un altro ente."},
		"an index of 0":                  {v2, []string{"<idTransfer>1<", "<idTransfer>0<"}, []paymentfile.FaultKind{paymentfile.FaultIndex}, "L'indice del versamento non è un numero da 1 a 5."},
		"a body without code":            {v2, []string{"<fiscalCodePA>00000000034<", "<fiscalCodePA>x<"}, []paymentfile.FaultKind{paymentfile.FaultValue}, "Il campo «fiscalCodePA» ha un valore non previsto."},
		"a notice number of ten digits":  {v2, []string{"301000000000000103", "3010000000"}, []paymentfile.FaultKind{paymentfile.FaultValue}, "Il campo «noticeNumber» ha un valore non previsto."},
		"a negative transfer":            {v2, []string{">10.00<", ">-10.00<", ">20.00<", ">40.00<"}, []paymentfile.FaultKind{paymentfile.FaultSign}, "L'importo è negativo."},
		"a negative amount":              {old, []string{"<importoTotalePagato>30.00<", "<importoTotalePagato>-30.00<", "<singoloImportoPagato>30.00<", "<singoloImportoPagato>-30.00<"}, []paymentfile.FaultKind{paymentfile.FaultSign, paymentfile.FaultSign}, "L'importo è negativo."},
		"nothing paid":                   {old, []string{"<importoTotalePagato>30.00<", "<importoTotalePagato>0.00<", "<singoloImportoPagato>30.00<", "<singoloImportoPagato>0.00<"}, []paymentfile.FaultKind{paymentfile.FaultAmount}, "L'importo è zero."},
		"an amount with a comma":         {v2, []string{"<paymentAmount>30.00<", "<paymentAmount>30,00<"}, []paymentfile.FaultKind{paymentfile.FaultAmount}, "L'importo «30,00» del campo «paymentAmount» ha la virgola: prima dei centesimi serve il punto, come in 10.00."},
		"a time":                         {v2, []string{"2030-03-04T23:30:00", "ieri"}, []paymentfile.FaultKind{paymentfile.FaultDate}, "Il valore del campo «paymentDateTime» non è una data scritta come 2026-11-30T10:30:00."},
		"a day":                          {old, []string{"2030-03-04+01:00", "2030-02-30"}, []paymentfile.FaultKind{paymentfile.FaultDate}, "La data «2030-02-30» del campo «dataEsitoSingoloPagamento» non esiste."},
		"an amount with three decimals":  {v2, []string{"<fee>1.50<", "<fee>1.501<"}, []paymentfile.FaultKind{paymentfile.FaultAmount}, "L'importo «1.501» del campo «fee» non è un numero di euro e centesimi, come 10.00."},
		"an own transfer among others":   {v2, []string{"<fiscalCode>80185250588<", "<fiscalCode>00000000034<"}, nil, ""},
		"nothing paid, and it says so":   {old, []string{"<codiceEsitoPagamento>0<", "<codiceEsitoPagamento>1<", "<importoTotalePagato>30.00<", "<importoTotalePagato>0.00<", "<singoloImportoPagato>30.00<", "<singoloImportoPagato>0.00<"}, nil, ""},
		"a payer who remains anonymous":  {old, []string{"BNCLCU75B02F205X", "ANONIMO"}, nil, ""},
		"a transfer without its account": {v2, []string{"<IBAN>IT60X0542811101000000123456</IBAN>", "<MBDAttachment>QQ==</MBDAttachment>"}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := whole(t, edited(t, c.file, c.pairs...))
			kinds, texts := told(got.report.Faults)
			assert.Equal(t, c.kinds, kinds, texts)
			if c.text != "" {
				require.NotEmpty(t, texts)
				assert.Equal(t, c.text, texts[0])
				assert.NotZero(t, got.report.Faults[0].Position.Line)
			}
		})
	}
}

func TestOutcomesOfReceipts(t *testing.T) {
	for code, want := range map[string]paymentfile.ReceiptOutcome{"0": paymentfile.ReceiptPaid, "1": paymentfile.ReceiptNotPaid, "2": paymentfile.ReceiptPartlyPaid,
		"3": paymentfile.ReceiptExpired, "4": paymentfile.ReceiptExpiredPartlyPaid, "": paymentfile.ReceiptUnknown} {
		assert.Equal(t, want, whole(t, edited(t, "rt-6.2.0.xml", "<codiceEsitoPagamento>0<", "<codiceEsitoPagamento>"+code+"<")).receipt.Outcome, code)
	}
	assert.Equal(t, paymentfile.ReceiptNotPaid, whole(t, edited(t, "receipt-v2-soap.xml", ">OK<", ">KO<")).receipt.Outcome)
}

// Values within metadata and attachments are not those of the receipt.
func TestElementsOfTheSameNameElsewhereAreNotRead(t *testing.T) {
	got := whole(t, edited(t, "receipt-v1.xml", "<key>transferAmount</key>", "<transferAmount>99.00</transferAmount>", "<paymentMethod>", "<metadata><paymentAmount>1.00</paymentAmount></metadata><paymentMethod>"))
	assert.Empty(t, got.report.Faults)
	got = whole(t, edited(t, "rt-6.2.0.xml", "</datiSingoloPagamento>", "<allegatoRicevuta><singoloImportoPagato>1.00</singoloImportoPagato></allegatoRicevuta></datiSingoloPagamento>"))
	assert.Empty(t, got.report.Faults)
}
