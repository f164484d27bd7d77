package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// The treasury of the school, as its journal names it.
const (
	treasuryBank    = "99999"
	treasuryAccount = "0000001"
)

// flowID is the identifier of a settlement of today.
func flowID(number int) string { return fmt.Sprintf("%sBNITITRRXXX-%010d", today(), number) }

// writeSettlement writes a settlement (FdR) as a PSP does.
func writeSettlement(name, id string, rows []paymentfile.Payment) error {
	var payments strings.Builder
	for _, row := range rows {
		fmt.Fprintf(&payments, settlementPayment, row.Reference.Reveal(), row.IUR, decimal(row.Amount), row.Date)
	}
	return write(name, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, settlementText, id, today(), schoolBody, schoolName, len(rows), decimal(total(rows)), payments.String())
		return err
	})
}

// writeJournal writes a page of the treasury journal with sospesi in entrata.
func writeJournal(name string, rows ...paymentfile.Movement) error {
	var movements strings.Builder
	for i, row := range rows {
		fmt.Fprintf(&movements, journalMovement, i+1, row.DocumentNumber, decimal(row.Amount), row.Date, row.Causale.Reveal())
	}
	return write(name, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, journalText, schoolBody, schoolName, today(), today().Year, treasuryBank, treasuryAccount, movements.String())
		return err
	})
}

// applyFile applies a settlement or a page of a journal.
func (d *demo) applyFile(ctx context.Context, by flussi.Actor, name string) (result settlement.ApplyResult, err error) {
	f, err := os.Open(name)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	file, err := paymentfile.Open(f, paymentfile.Config{Body: schoolBody})
	if err != nil {
		return result, err
	}
	return d.files.Apply(ctx, by, file)
}

// decimal writes an amount as files do.
func decimal(c flussi.Cents) string { return fmt.Sprintf("%d.%02d", c/100, c%100) }

const settlementText = `<?xml version="1.0" encoding="UTF-8"?>
<FlussoRiversamento xmlns="http://www.digitpa.gov.it/schemas/2011/Pagamenti/">
  <versioneOggetto>1.0</versioneOggetto>
  <identificativoFlusso>%[1]s</identificativoFlusso>
  <dataOraFlusso>%[2]sT06:30:15</dataOraFlusso>
  <identificativoUnivocoRegolamento>TRN-%[1]s</identificativoUnivocoRegolamento>
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
    <identificativoUnivocoRiscossione>%[2]s</identificativoUnivocoRiscossione>
    <indiceDatiSingoloPagamento>1</indiceDatiSingoloPagamento>
    <singoloImportoPagato>%[3]s</singoloImportoPagato>
    <codiceEsitoSingoloPagamento>0</codiceEsitoSingoloPagamento>
    <dataEsitoSingoloPagamento>%[4]s</dataEsitoSingoloPagamento>
  </datiSingoliPagamenti>
`

const journalText = `<?xml version="1.0" encoding="UTF-8"?>
<flusso_giornale_di_cassa>
  <testata_messaggio>
    <codice_ABI_BT>%[5]s</codice_ABI_BT>
    <data_ora_creazione_flusso>%[3]sT20:01:02</data_ora_creazione_flusso>
    <codice_ente>DEMO01</codice_ente>
    <descrizione_ente>%[2]s</descrizione_ente>
    <codice_fiscale_ente>%[1]s</codice_fiscale_ente>
  </testata_messaggio>
  <identificativo_flusso_BT>GDC-%[3]s#001#001</identificativo_flusso_BT>
  <pagina>1</pagina>
  <pagine_totali>1</pagine_totali>
  <esercizio>%[4]d</esercizio>
  <data_riferimento_GdC>%[3]s</data_riferimento_GdC>
  <informazioni_conto_evidenza>
    <conto_evidenza>%[6]s</conto_evidenza>
%[7]s  </informazioni_conto_evidenza>
</flusso_giornale_di_cassa>
`

const journalMovement = `    <movimento_conto_evidenza>
      <identificativo_flusso>FLUSSO-%[1]d</identificativo_flusso>
      <numero_movimento>%[1]d</numero_movimento>
      <tipo_movimento>ENTRATA</tipo_movimento>
      <tipo_documento>SOSPESO ENTRATA</tipo_documento>
      <tipo_operazione>ESEGUITO</tipo_operazione>
      <numero_documento>%[2]s</numero_documento>
      <importo>%[3]s</importo>
      <data_movimento>%[4]s</data_movimento>
      <causale>%[5]s</causale>
    </movimento_conto_evidenza>
`
