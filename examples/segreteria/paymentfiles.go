package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// The names of the files that a PSP and a treasury would give.
const (
	flowFileName    = "flusso.xml"
	journalFileName = "giornale.xml"
)

// writeFiles writes a settlement (FdR) with payments, and the treasury journal of the day on which
// it was transferred, for the command riconcilia.
func (d *demo) writeFiles(rows []paymentfile.Payment) error {
	day := time.Now().In(cli.Italy()).Format(time.DateOnly)
	id := day + "BNITITRRXXX-0000000107"
	var total flussi.Cents
	var payments strings.Builder
	for i, row := range rows {
		total += row.Amount
		fmt.Fprintf(&payments, settlementPayment, row.Reference.Reveal(), i+1, decimal(row.Amount), day)
	}
	return errors.Join(
		write(d.path(flowFileName), func(w io.Writer) error {
			_, err := fmt.Fprintf(w, settlementText, id, day, schoolCode, schoolName, len(rows), decimal(total), payments.String())
			return err
		}),
		write(d.path(journalFileName), func(w io.Writer) error {
			_, err := fmt.Fprintf(w, journalText, schoolCode, schoolName, day, day[:4], decimal(total), id)
			return err
		}),
	)
}

// decimal writes an amount as files do.
func decimal(c flussi.Cents) string { return fmt.Sprintf("%d.%02d", c/100, c%100) }

const settlementText = `<?xml version="1.0" encoding="UTF-8"?>
<FlussoRiversamento xmlns="http://www.digitpa.gov.it/schemas/2011/Pagamenti/">
  <versioneOggetto>1.0</versioneOggetto>
  <identificativoFlusso>%[1]s</identificativoFlusso>
  <dataOraFlusso>%[2]sT06:30:15</dataOraFlusso>
  <identificativoUnivocoRegolamento>TRN0000000107</identificativoUnivocoRegolamento>
  <dataRegolamento>%[2]s</dataRegolamento>
  <istitutoMittente>
    <identificativoUnivocoMittente>
      <tipoIdentificativoUnivoco>B</tipoIdentificativoUnivoco>
      <codiceIdentificativoUnivoco>BNITITRRXXX</codiceIdentificativoUnivoco>
    </identificativoUnivocoMittente>
  </istitutoMittente>
  <istitutoRicevente>
    <identificativoUnivocoRicevente>
      <tipoIdentificativoUnivoco>G</tipoIdentificativoUnivoco>
      <codiceIdentificativoUnivoco>%[3]s</codiceIdentificativoUnivoco>
    </identificativoUnivocoRicevente>
    <denominazioneRicevente>%[4]s</denominazioneRicevente>
  </istitutoRicevente>
  <numeroTotalePagamenti>%[5]d</numeroTotalePagamenti>
  <importoTotalePagamenti>%[6]s</importoTotalePagamenti>
%[7]s</FlussoRiversamento>
`

const settlementPayment = `  <datiSingoliPagamenti>
    <identificativoUnivocoVersamento>%[1]s</identificativoUnivocoVersamento>
    <identificativoUnivocoRiscossione>IUR%04[2]d</identificativoUnivocoRiscossione>
    <indiceDatiSingoloPagamento>1</indiceDatiSingoloPagamento>
    <singoloImportoPagato>%[3]s</singoloImportoPagato>
    <codiceEsitoSingoloPagamento>0</codiceEsitoSingoloPagamento>
    <dataEsitoSingoloPagamento>%[4]s</dataEsitoSingoloPagamento>
  </datiSingoliPagamenti>
`

const journalText = `<?xml version="1.0" encoding="UTF-8"?>
<flusso_giornale_di_cassa>
  <testata_messaggio>
    <codice_ABI_BT>99999</codice_ABI_BT>
    <data_ora_creazione_flusso>%[3]sT20:01:02</data_ora_creazione_flusso>
    <codice_ente>DEMO01</codice_ente>
    <descrizione_ente>%[2]s</descrizione_ente>
    <codice_fiscale_ente>%[1]s</codice_fiscale_ente>
  </testata_messaggio>
  <identificativo_flusso_BT>GDC-DEMO-107#001#001</identificativo_flusso_BT>
  <pagina>1</pagina>
  <pagine_totali>1</pagine_totali>
  <esercizio>%[4]s</esercizio>
  <data_riferimento_GdC>%[3]s</data_riferimento_GdC>
  <informazioni_conto_evidenza>
    <conto_evidenza>0000001</conto_evidenza>
    <movimento_conto_evidenza>
      <identificativo_flusso>FLUSSO-1</identificativo_flusso>
      <numero_movimento>1</numero_movimento>
      <tipo_movimento>ENTRATA</tipo_movimento>
      <tipo_documento>SOSPESO ENTRATA</tipo_documento>
      <tipo_operazione>ESEGUITO</tipo_operazione>
      <numero_documento>311</numero_documento>
      <importo>%[5]s</importo>
      <data_movimento>%[3]s</data_movimento>
      <causale>/PUR/LGPE-RIVERSAMENTO/URI/%[6]s</causale>
    </movimento_conto_evidenza>
    <movimento_conto_evidenza>
      <identificativo_flusso>FLUSSO-2</identificativo_flusso>
      <numero_movimento>2</numero_movimento>
      <tipo_movimento>ENTRATA</tipo_movimento>
      <tipo_documento>SOSPESO ENTRATA</tipo_documento>
      <tipo_operazione>ESEGUITO</tipo_operazione>
      <numero_documento>350</numero_documento>
      <importo>100.00</importo>
      <data_movimento>%[3]s</data_movimento>
      <causale>Bonifico per il viaggio, senza IUV</causale>
    </movimento_conto_evidenza>
  </informazioni_conto_evidenza>
</flusso_giornale_di_cassa>
`
