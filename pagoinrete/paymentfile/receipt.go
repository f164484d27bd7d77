package paymentfile

import (
	"log/slog"
	"strings"
	"time"

	"github.com/flussi-go/flussi"
)

// ReceiptOutcome says whether the payment of a receipt was made.
type ReceiptOutcome string

// The outcomes of receipts.
const (
	ReceiptUnknown           ReceiptOutcome = ""               // no outcome, or an unknown one
	ReceiptPaid              ReceiptOutcome = "paid"           // OK, or 0
	ReceiptNotPaid           ReceiptOutcome = "not_paid"       // KO, or 1
	ReceiptPartlyPaid        ReceiptOutcome = "partly_paid"    // 2: parzialmente eseguito
	ReceiptExpired           ReceiptOutcome = "expired"        // 3: decorrenza termini, nothing was paid
	ReceiptExpiredPartlyPaid ReceiptOutcome = "expired_partly" // 4: decorrenza termini parziale
)

// Receipt (ricevuta telematica, RT) holds the data of a receipt. Fields that the file lacks are
// zero. Addresses, e-mail addresses and metadata are not read.
type Receipt struct {
	ID           string                  // receiptId, or identificativoMessaggioRicevuta; usually, not always, the IUR of settlements
	NoticeNumber flussi.NoticeNumber     // noticeNumber; zero in an RT
	Body         flussi.OrganizationCode // fiscalCode, or identificativoDominio: the body to which the notice belongs
	BodyName     string                  // companyName, or denominazioneBeneficiario
	Outcome      ReceiptOutcome          // outcome, or codiceEsitoPagamento
	Reference    Reference               // creditorReferenceId, or identificativoUnivocoVersamento
	Context      string                  // CodiceContestoPagamento of an RT
	RequestID    string                  // riferimentoMessaggioRichiesta of an RT
	Amount       flussi.Cents            // paymentAmount, or importoTotalePagato
	Fee          flussi.Cents            // fee
	Description  flussi.Text             // description
	Debtor       Person                  // debtor, or soggettoPagatore
	Payer        Person                  // payer, or soggettoVersante: who paid; zero if the file does not say
	PSPID        string                  // idPSP, or the identifier of istitutoAttestante
	PSPName      string                  // PSPCompanyName, or denominazioneAttestante
	Method       string                  // paymentMethod
	PaidAt       time.Time               // paymentDateTime, or dataOraMessaggioRicevuta, UTC
	Date         Day                     // applicationDate, else the day of PaidAt; in an RT that of the first transfer
	TransferDate Day                     // transferDate, the day of the bank transfer
	StandIn      bool                    // standIn: paid while the body's own system was not reachable
	Transfers    []Transfer              // the parts of Amount, one for each body
}

// Person is a debtor or a payer.
type Person struct {
	FiscalCode flussi.FiscalCode // zero if Code is not the fiscal code of a person
	Code       flussi.Text       // as the file has it, such as a fiscal code, a VAT number, or ANONIMO
	Name       flussi.Text       // name, or company name
}

// Transfer is a part of a payment, for one body.
type Transfer struct {
	Index    int                     // idTransfer, 1 to 5; in an RT its position in the list
	Amount   flussi.Cents            // transferAmount, or singoloImportoPagato
	Body     flussi.OrganizationCode // fiscalCodePA; in an RT that of the receipt
	IBAN     flussi.Text             // of the receiving account
	Causale  flussi.Text             // remittanceInformation, or causaleVersamento
	Category string                  // transferCategory, or datiSpecificiRiscossione
	IUR      string                  // identificativoUnivocoRiscossione of an RT
	Date     Day                     // dataEsitoSingoloPagamento of an RT
}

// LogValue describes the receipt without persons, reference and texts.
func (r Receipt) LogValue() slog.Value {
	return slog.GroupValue(slog.String("outcome", string(r.Outcome)), slog.Int64("cents", int64(r.Amount)), slog.Int("transfers", len(r.Transfers)))
}

// ReceiptFile is a receipt that was read to its end.
type ReceiptFile struct {
	receipt Receipt
	report  Report
}

func (*ReceiptFile) sealed() {}

// Format returns [FormatReceipt] or [FormatOldReceipt].
func (f *ReceiptFile) Format() Format { return f.report.Format }

// Report returns what is wrong in the file. It is complete.
func (f *ReceiptFile) Report() Report { return f.report }

// Receipt returns the receipt.
func (f *ReceiptFile) Receipt() Receipt { return f.receipt }

// setCode sets Code, and FiscalCode if it is one.
func (p *Person) setCode(text string) {
	p.Code = flussi.NewText(text)
	p.FiscalCode, _ = flussi.ParseFiscalCode(strings.ToUpper(text))
}

// finish reads the rest of the document, and checks that the fields of the receipt agree.
func (f *ReceiptFile) finish(s *scanner, r *row, code, amount string, config Config) (File, error) {
	if err := s.close(); err != nil {
		return nil, err
	}
	s.describe(&f.report)
	f.report.Complete = true
	p := &f.receipt
	paid := p.Outcome == ReceiptPaid || p.Outcome == ReceiptPartlyPaid || p.Outcome == ReceiptExpiredPartlyPaid
	if p.ID == "" {
		r.missing(s.receiptNames().id, true)
	}
	r.reference(s.receiptNames().reference, p.Reference)
	total, ok := r.amount(s.receiptNames().amount, amount)
	p.Amount = total
	switch {
	case total < 0:
		r.add(FaultSign, s.receiptNames().amount, true, "L'importo è negativo.")
	case ok && total == 0 && paid:
		r.add(FaultAmount, s.receiptNames().amount, true, "L'importo è zero.")
	}
	var sum flussi.Cents
	p.Body, _ = flussi.ParseOrganizationCode(code)
	own := config.Body.IsZero() || p.Body == config.Body
	for i := range p.Transfers {
		if s.format == FormatOldReceipt {
			p.Transfers[i].Body = p.Body
		}
		own = own || p.Transfers[i].Body == config.Body
		sum += p.Transfers[i].Amount
	}
	if !own {
		r.add(FaultReceiver, "", true, "La ricevuta è di un altro ente.")
	}
	if ok && sum != total && (len(p.Transfers) > 0 || paid) {
		f := totalFault(s.receiptNames().amount, r.at, total, sum)
		f.Reason = "L'importo pagato è " + total.Euro() + ", la somma dei versamenti è " + sum.Euro() + "."
		r.checks.add(f)
	}
	f.report.Rows, f.report.Amount = 1, total
	return f, nil
}

// receiptNames are the fields of a receipt, as its format names them.
type receiptNames struct{ id, reference, amount string }

func (s *scanner) receiptNames() receiptNames {
	if s.format == FormatOldReceipt {
		return receiptNames{"identificativoMessaggioRicevuta", "identificativoUnivocoVersamento", "importoTotalePagato"}
	}
	return receiptNames{"receiptId", "creditorReferenceId", "paymentAmount"}
}
