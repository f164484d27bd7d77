package paymentfile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// All files of a folder are read, whatever their format.
func ExampleOpen() {
	school, _ := flussi.ParseOrganizationCode("80185250588")
	for _, name := range []string{"settlement-1.0.xml", "journal-1.8.xml", "receipt-v1.xml"} {
		f, err := os.Open(filepath.Join("testdata", name))
		if err != nil {
			fmt.Println(err)
			return
		}
		defer f.Close()
		file, err := paymentfile.Open(f, paymentfile.Config{Body: school})
		if err != nil {
			fmt.Println(flussi.Explain(err))
			continue
		}
		switch file := file.(type) {
		case *paymentfile.SettlementFile:
			for payment, err := range file.Payments() {
				if err != nil {
					fmt.Println(flussi.Explain(err))
					break
				}
				fmt.Println(payment.Amount.Euro(), payment.Outcome.Paid(), payment.Usable())
			}
		case *paymentfile.JournalFile:
			for movement, err := range file.Movements() {
				if err != nil {
					fmt.Println(flussi.Explain(err))
					break
				}
				if movement.IsIncomingSuspense() {
					fmt.Println(movement.SuspenseNumber(), movement.Net().Euro(), movement.Remittance().IDs)
				}
			}
		case *paymentfile.ReceiptFile:
			fmt.Println(file.Receipt().Outcome, file.Receipt().Amount.Euro())
		}
		fmt.Println(file.Report().Italian())
	}
	// Output:
	// 120,00 € true true
	// 35,50 € true true
	// 12,34 € true true
	// 7,16 € true true
	// È un flusso di rendicontazione: 4 pagamenti, nessuna anomalia.
	// 101 175,00 € [2030-03-04PSPXITR1XXX-F000123456]
	// 102 50,50 € []
	// 102 -50,50 € []
	// È una pagina del giornale di cassa: 5 movimenti, nessuna anomalia. La firma digitale non è stata verificata.
	// paid 30,00 €
	// È una ricevuta telematica: nessuna anomalia.
}

// The smallest settlement: one payment of 10 euro to a body.
func ExampleOpenSettlement() {
	const text = `<FlussoRiversamento>
  <versioneOggetto>1.0</versioneOggetto>
  <identificativoFlusso>2030-03-04PSPXITR1XXX-F000000001</identificativoFlusso>
  <dataOraFlusso>2030-03-05T06:30:15</dataOraFlusso>
  <identificativoUnivocoRegolamento>TRN0123456789DEMO</identificativoUnivocoRegolamento>
  <dataRegolamento>2030-03-05</dataRegolamento>
  <istitutoMittente><identificativoUnivocoMittente>
    <tipoIdentificativoUnivoco>B</tipoIdentificativoUnivoco>
    <codiceIdentificativoUnivoco>PSPXITR1XXX</codiceIdentificativoUnivoco>
  </identificativoUnivocoMittente></istitutoMittente>
  <istitutoRicevente><identificativoUnivocoRicevente>
    <tipoIdentificativoUnivoco>G</tipoIdentificativoUnivoco>
    <codiceIdentificativoUnivoco>80185250588</codiceIdentificativoUnivoco>
  </identificativoUnivocoRicevente></istitutoRicevente>
  <numeroTotalePagamenti>1</numeroTotalePagamenti>
  <importoTotalePagamenti>10.00</importoTotalePagamenti>
  <datiSingoliPagamenti>
    <identificativoUnivocoVersamento>01000000000000101</identificativoUnivocoVersamento>
    <identificativoUnivocoRiscossione>IUR0001</identificativoUnivocoRiscossione>
    <indiceDatiSingoloPagamento>1</indiceDatiSingoloPagamento>
    <singoloImportoPagato>10.00</singoloImportoPagato>
    <codiceEsitoSingoloPagamento>0</codiceEsitoSingoloPagamento>
    <dataEsitoSingoloPagamento>2030-03-04</dataEsitoSingoloPagamento>
  </datiSingoliPagamenti>
</FlussoRiversamento>`
	file, err := paymentfile.OpenSettlement(strings.NewReader(text), paymentfile.Config{})
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	for payment, err := range file.Payments() {
		if err != nil {
			fmt.Println(flussi.Explain(err))
			return
		}
		fmt.Println(payment.Reference.Reveal(), payment.Amount.Euro())
	}
	fmt.Println(file.Settlement().Total.Euro()) // of the bank transfer, as the journal has it
	fmt.Println(file.Report().Italian())
	// Output:
	// 01000000000000101 10,00 €
	// 10,00 €
	// È un flusso di rendicontazione: 1 pagamento, nessuna anomalia.
}

// The smallest journal: one sospeso of 10 euro, the transfer of the smallest settlement. A real one has
// more elements, and totals, which are then compared with the movements.
func ExampleOpenJournal() {
	const text = `<flusso_giornale_di_cassa>
  <testata_messaggio>
    <codice_ABI_BT>99999</codice_ABI_BT>
    <data_ora_creazione_flusso>2030-03-06T01:02:03</data_ora_creazione_flusso>
    <codice_fiscale_ente>80185250588</codice_fiscale_ente>
  </testata_messaggio>
  <identificativo_flusso_BT>GDC-20300305DEMO0000000003#001#001</identificativo_flusso_BT>
  <pagina>1</pagina>
  <pagine_totali>1</pagine_totali>
  <esercizio>2030</esercizio>
  <data_riferimento_GdC>2030-03-05</data_riferimento_GdC>
  <informazioni_conto_evidenza>
    <conto_evidenza>0000001</conto_evidenza>
    <movimento_conto_evidenza>
      <tipo_movimento>ENTRATA</tipo_movimento>
      <tipo_documento>SOSPESO ENTRATA</tipo_documento>
      <tipo_operazione>ESEGUITO</tipo_operazione>
      <numero_documento>101</numero_documento>
      <importo>10.00</importo>
      <data_movimento>2030-03-05</data_movimento>
      <causale>/PUR/LGPE-RIVERSAMENTO/URI/2030-03-04PSPXITR1XXX-F000000001</causale>
    </movimento_conto_evidenza>
  </informazioni_conto_evidenza>
</flusso_giornale_di_cassa>`
	file, err := paymentfile.OpenJournal(strings.NewReader(text), paymentfile.Config{})
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	for movement, err := range file.Movements() {
		if err != nil {
			fmt.Println(flussi.Explain(err))
			return
		}
		fmt.Println(movement.SuspenseNumber(), movement.Net().Euro(), movement.Remittance().IDs)
	}
	fmt.Println(file.Report().Italian())
	// Output:
	// 101 10,00 € [2030-03-04PSPXITR1XXX-F000000001]
	// È una pagina del giornale di cassa: 1 movimento, nessuna anomalia.
}

// A file with a wrong total is read, and has a fault.
func ExampleReport() {
	text, err := os.ReadFile(filepath.Join("testdata", "settlement-1.0.xml"))
	if err != nil {
		fmt.Println(err)
		return
	}
	wrong := strings.NewReplacer(">175.00<", ">174.00<", ">0</codiceEsito", ">7</codiceEsito").Replace(string(text))
	file, err := paymentfile.OpenSettlement(strings.NewReader(wrong), paymentfile.Config{})
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	for _, err := range file.Payments() {
		if err != nil {
			fmt.Println(flussi.Explain(err))
			return
		}
	}
	report := file.Report()
	fmt.Println(report.Italian(), report.Blocking)
	for _, fault := range report.Faults {
		fmt.Println(fault.Italian())
	}
	// Output:
	// È un flusso di rendicontazione: 4 pagamenti, 2 anomalie. true
	// Pagamento 1 (riga 24 del file): L'esito 7 non è fra quelli di pagoPA. Chiedere al PSP se il pagamento è stato eseguito.
	// Il totale dichiarato è 174,00 €, la somma dei pagamenti è 175,00 €.
}

// The pages of a journal come in files of their own, in any order.
func ExampleJournalPages() {
	var pages paymentfile.JournalPages
	for _, name := range []string{"journal-1.7.1-2.xml", "journal-1.7.1-1.xml"} {
		f, err := os.Open(filepath.Join("testdata", name))
		if err != nil {
			fmt.Println(err)
			return
		}
		defer f.Close()
		page, err := paymentfile.OpenJournal(f, paymentfile.Config{})
		if err != nil {
			fmt.Println(flussi.Explain(err))
			return
		}
		for _, err := range page.Movements() {
			if err != nil {
				fmt.Println(flussi.Explain(err))
				return
			}
		}
		pages.Add(page)
		fmt.Println(pages.Complete(), pages.Italian())
	}
	// Output:
	// false Manca la pagina 1.
	// true
}

// A causale that was cut off is reported as cut.
func ExampleParseRemittance() {
	for _, causale := range []string{
		"RI1/PUR/LGPE-RIVERSAMENTO/TXT/1/URI/2030-03-04PSPXITR1XXX-F000123456/TXT",
		"/PUR/LGPE-RIVERSAMENTO/URI/2030-03-",
		"/RFB/01000000000000101/12.34/TXT/Mensa",
	} {
		r := paymentfile.ParseRemittance(flussi.NewText(causale))
		fmt.Println(r.IDs, r.Supplementary, r.Cut, r.Prefix, r.Reference, r.Amount)
	}
	// Output:
	// [2030-03-04PSPXITR1XXX-F000123456] true false  Reference() 0,00
	// [] false true 2030-03- Reference() 0,00
	// [] false false  Reference(***) 12,34
}
