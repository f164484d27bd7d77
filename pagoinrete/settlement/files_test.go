package settlement_test

import (
	"fmt"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// line is a row of a settlement's file, as texts.
type line struct {
	iuv, iur, index, amount string
	outcome                 string // "" for 0
	date                    string // "" for 2026-03-01
}

// settlementXML is the file of a settlement. An offset in hours makes a later file of it.
func settlementXML(body flussi.OrganizationCode, id string, revision int, lines ...line) string {
	var rows strings.Builder
	var total flussi.Cents
	for _, l := range lines {
		amount, err := flussi.ParseCents(strings.Replace(l.amount, ".", ",", 1))
		if err != nil {
			panic(err)
		}
		if l.outcome == "3" {
			amount = -amount
		}
		total += amount
		index := ""
		if l.index != "" {
			index = "<indiceDatiSingoloPagamento>" + l.index + "</indiceDatiSingoloPagamento>"
		}
		fmt.Fprintf(&rows, `<datiSingoliPagamenti>
<identificativoUnivocoVersamento>%s</identificativoUnivocoVersamento>
<identificativoUnivocoRiscossione>%s</identificativoUnivocoRiscossione>%s
<singoloImportoPagato>%s</singoloImportoPagato>
<codiceEsitoSingoloPagamento>%s</codiceEsitoSingoloPagamento>
<dataEsitoSingoloPagamento>%s</dataEsitoSingoloPagamento>
</datiSingoliPagamenti>`, l.iuv, l.iur, index, l.amount, or(l.outcome, "0"), or(l.date, "2026-03-01"))
	}
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<FlussoRiversamento xmlns="http://www.digitpa.gov.it/schemas/2011/Pagamenti/">
<versioneOggetto>1.1</versioneOggetto>
<identificativoFlusso>%s</identificativoFlusso>
<dataOraFlusso>2026-03-02T%02d:00:00</dataOraFlusso>
<identificativoUnivocoRegolamento>TRN0123456789DEMO</identificativoUnivocoRegolamento>
<dataRegolamento>2026-03-02</dataRegolamento>
<istitutoMittente><identificativoUnivocoMittente><tipoIdentificativoUnivoco>B</tipoIdentificativoUnivoco><codiceIdentificativoUnivoco>BANKITXX</codiceIdentificativoUnivoco></identificativoUnivocoMittente></istitutoMittente>
<istitutoRicevente><identificativoUnivocoRicevente><tipoIdentificativoUnivoco>G</tipoIdentificativoUnivoco><codiceIdentificativoUnivoco>%s</codiceIdentificativoUnivoco></identificativoUnivocoRicevente></istitutoRicevente>
<numeroTotalePagamenti>%d</numeroTotalePagamenti>
<importoTotalePagamenti>%s</importoTotalePagamenti>
%s
</FlussoRiversamento>`, id, revision, body, len(lines), decimal(total), rows.String())
}

func or(text, standard string) string {
	if text == "" {
		return standard
	}
	return text
}

func decimal(c flussi.Cents) string {
	sign := ""
	if c < 0 {
		sign, c = "-", -c
	}
	return fmt.Sprintf("%s%d.%02d", sign, c/100, c%100)
}

// transfer is a sospeso of a journal, as texts.
type transfer struct {
	number, amount, causale string
	operation               string // "" for ESEGUITO
}

// journalXML is a page of a treasury journal.
func journalXML(id string, transfers ...transfer) string {
	var rows strings.Builder
	for i, t := range transfers {
		fmt.Fprintf(&rows, `<movimento_conto_evidenza>
<identificativo_flusso>%s</identificativo_flusso>
<numero_movimento>%d</numero_movimento>
<tipo_movimento>ENTRATA</tipo_movimento>
<tipo_documento>SOSPESO ENTRATA</tipo_documento>
<tipo_operazione>%s</tipo_operazione>
<numero_documento>%s</numero_documento>
<importo>%s</importo>
<data_movimento>2026-03-03</data_movimento>
<cliente><anagrafica_cliente>BANCA DEMO</anagrafica_cliente></cliente>
<causale>%s</causale>
</movimento_conto_evidenza>`, id, i+1, or(t.operation, "ESEGUITO"), t.number, t.amount, t.causale)
	}
	return fmt.Sprintf(`<flusso_giornale_di_cassa>
<testata_messaggio><codice_ABI_BT>01234</codice_ABI_BT><codice_fiscale_ente>%s</codice_fiscale_ente></testata_messaggio>
<identificativo_flusso_BT>%s</identificativo_flusso_BT>
<pagina>1</pagina><pagine_totali>1</pagine_totali>
<esercizio>2026</esercizio>
<data_riferimento_GdC>2026-03-03</data_riferimento_GdC>
<informazioni_conto_evidenza><conto_evidenza>1</conto_evidenza>%s</informazioni_conto_evidenza>
</flusso_giornale_di_cassa>`, school, id, rows.String())
}

// receive applies files in their order, as a program does with the files of a folder.
func (o *office) receive(files ...string) {
	o.t.Helper()
	for _, text := range files {
		file := must.Get(paymentfile.Open(strings.NewReader(text), paymentfile.Config{}))(o.t)
		must.Get(o.Apply(o.t.Context(), clerk, file))(o.t)
	}
}

// expects makes the school expect an amount of a reference.
func (o *office) expects(reference string, amount flussi.Cents) paymentfile.Reference {
	r := paymentfile.NewReference(reference)
	o.due.due[r] = settlement.Expectation{Owner: settlement.OwnerBody, Amount: amount}
	return r
}
