package paymentfile

import (
	"strconv"
	"strings"

	"github.com/flussi-go/flussi"
)

// maxTransfers limits the transfers of a receipt. The formats allow five.
const maxTransfers = 100

// readReceipt reads a receipt of paSendRT whose start was read, to the end of the document.
func readReceipt(s *scanner, config Config) (File, error) {
	s.format = FormatReceipt
	f := &ReceiptFile{}
	f.report.Format = FormatReceipt
	r := &row{checks: checks{&f.report, config.Limits.Faults}, at: s.src.tag}
	code, amount := "", ""
	for depth := s.depth; ; {
		name, err := s.child(depth)
		switch {
		case err != nil:
			return nil, err
		case name == "":
			if f.receipt.Outcome == "" {
				r.value("outcome", true)
			}
			return f.finish(s, r, code, amount, config)
		case name == "debtor":
			err = s.paths(name, f.receipt.Debtor.set)
		case name == "payer":
			err = s.paths(name, f.receipt.Payer.set)
		case name == "transferList":
			err = f.transfers(s, r)
		case name == "metadata":
			err = s.skip()
		default:
			var text string
			if text, err = s.text(); err == nil {
				f.receipt.set(r, name, text, &code, &amount)
			}
		}
		if err != nil {
			return nil, err
		}
	}
}

// set sets a field of a person.
func (p *Person) set(_, name, text string) {
	switch name {
	case "entityUniqueIdentifierValue", "codiceIdentificativoUnivoco":
		p.setCode(text)
	case "fullName", "anagraficaPagatore", "anagraficaVersante":
		p.Name = flussi.NewText(text)
	}
}

// set sets a field of a receipt.
func (p *Receipt) set(r *row, name, text string, code, amount *string) {
	switch name {
	case "receiptId":
		p.ID = text
	case "noticeNumber":
		number, err := flussi.ParseNoticeNumber(text)
		if p.NoticeNumber = number; err != nil {
			r.value(name, false)
		}
	case "fiscalCode":
		*code = text
	case "outcome":
		switch text {
		case "OK":
			p.Outcome = ReceiptPaid
		case "KO":
			p.Outcome = ReceiptNotPaid
		}
	case "creditorReferenceId":
		p.Reference = NewReference(text)
	case "paymentAmount":
		r.repeated(name, *amount)
		*amount = text
	case "description":
		p.Description = flussi.NewText(text)
	case "companyName":
		p.BodyName = text
	case "idPSP":
		p.PSPID = text
	case "PSPCompanyName":
		p.PSPName = text
	case "paymentMethod":
		p.Method = text
	case "fee":
		p.Fee, _ = r.amount(name, text)
	case "paymentDateTime":
		p.paidAt(r, name, text)
	case "applicationDate":
		p.Date = r.optionalDay(name, text)
	case "transferDate":
		p.TransferDate = r.optionalDay(name, text)
	case "standIn":
		p.StandIn = text == "true" || text == "1"
	}
}

// paidAt reads the time of the payment.
func (p *Receipt) paidAt(r *row, field, text string) {
	if p.PaidAt = r.time(field, text); p.PaidAt.IsZero() {
		return
	}
	if p.Date.IsZero() {
		p.Date = dayOf(p.PaidAt)
	}
}

// transfers reads a transferList.
func (f *ReceiptFile) transfers(s *scanner, r *row) error {
	for depth := s.depth; ; {
		name, err := s.child(depth)
		if name == "" || err != nil {
			return err
		}
		if len(f.receipt.Transfers) == maxTransfers {
			return s.fail(ErrLimit)
		}
		t := Transfer{}
		err = s.paths(name, func(around, name, text string) {
			if around != "transfer" { // such as metadata
				return
			}
			switch name {
			case "idTransfer":
				index, err := strconv.Atoi(text)
				if err != nil || index < 1 || index > 5 {
					r.add(FaultIndex, name, true, "L'indice del versamento non è un numero da 1 a 5.")
					return
				}
				t.Index = index
			case "transferAmount":
				t.Amount = r.positive(name, text)
			case "fiscalCodePA":
				var err error
				if t.Body, err = flussi.ParseOrganizationCode(text); err != nil {
					r.value(name, false)
				}
			case "IBAN":
				t.IBAN = flussi.NewText(text)
			case "remittanceInformation":
				t.Causale = flussi.NewText(text)
			case "transferCategory":
				t.Category = text
			}
		})
		if err != nil {
			return err
		}
		f.receipt.Transfers = append(f.receipt.Transfers, t)
	}
}

// positive reads an amount that is not negative.
func (r *row) positive(field, text string) flussi.Cents {
	amount, _ := r.amount(field, text)
	if amount < 0 {
		r.add(FaultSign, field, true, "L'importo è negativo.")
	}
	return amount
}

// readOldReceipt reads an RT whose start was read, to the end of the document.
func readOldReceipt(s *scanner, config Config) (File, error) {
	s.format = FormatOldReceipt
	f := &ReceiptFile{}
	f.report.Format = FormatOldReceipt
	p := &f.receipt
	r := &row{checks: checks{&f.report, config.Limits.Faults}, at: s.src.tag}
	code, amount := "", ""
	for depth := s.depth; ; {
		name, err := s.child(depth)
		if err != nil {
			return nil, err
		}
		text := ""
		switch name {
		case "":
			if p.Outcome == "" {
				r.value("codiceEsitoPagamento", true)
			}
			if len(p.Transfers) > 0 {
				p.Date = p.Transfers[0].Date
			}
			return f.finish(s, r, code, amount, config)
		case "dominio", "istitutoAttestante", "enteBeneficiario":
			err = s.paths(name, func(around, name, text string) {
				switch around + "/" + name {
				case "dominio/identificativoDominio":
					code = text
				case "identificativoUnivocoAttestante/codiceIdentificativoUnivoco":
					p.PSPID = text
				case "istitutoAttestante/denominazioneAttestante":
					p.PSPName = text
				case "enteBeneficiario/denominazioneBeneficiario":
					p.BodyName = text
				}
			})
		case "soggettoPagatore":
			err = s.paths(name, p.Debtor.set)
		case "soggettoVersante":
			err = s.paths(name, p.Payer.set)
		case "datiPagamento":
			err = f.oldPayment(s, r, &amount)
		default:
			if text, err = s.text(); err != nil {
				break
			}
			switch name {
			case "identificativoMessaggioRicevuta":
				p.ID = text
			case "riferimentoMessaggioRichiesta":
				p.RequestID = text
			case "dataOraMessaggioRicevuta":
				p.paidAt(r, name, text)
			}
		}
		if err != nil {
			return nil, err
		}
	}
}

// oldOutcomes are the codes of outcomes of an RT.
var oldOutcomes = map[string]ReceiptOutcome{"0": ReceiptPaid, "1": ReceiptNotPaid, "2": ReceiptPartlyPaid, "3": ReceiptExpired, "4": ReceiptExpiredPartlyPaid}

// oldPayment reads the datiPagamento of an RT.
func (f *ReceiptFile) oldPayment(s *scanner, r *row, amount *string) error {
	p := &f.receipt
	for depth := s.depth; ; {
		name, err := s.child(depth)
		if name == "" || err != nil {
			return err
		}
		if name == "datiSingoloPagamento" {
			if err := f.oldTransfer(s, r); err != nil {
				return err
			}
			continue
		}
		text, err := s.text()
		if err != nil {
			return err
		}
		switch name {
		case "codiceEsitoPagamento":
			p.Outcome = oldOutcomes[text]
		case "importoTotalePagato":
			r.repeated(name, *amount)
			*amount = text
		case "identificativoUnivocoVersamento":
			p.Reference = NewReference(text)
		case "CodiceContestoPagamento":
			p.Context = text
		}
	}
}

// oldTransfer reads a datiSingoloPagamento of an RT.
func (f *ReceiptFile) oldTransfer(s *scanner, r *row) error {
	if len(f.receipt.Transfers) == maxTransfers {
		return s.fail(ErrLimit)
	}
	t := Transfer{Index: len(f.receipt.Transfers) + 1}
	err := s.paths("datiSingoloPagamento", func(around, name, text string) {
		if around != "datiSingoloPagamento" { // such as allegatoRicevuta
			return
		}
		switch name {
		case "singoloImportoPagato":
			t.Amount = r.positive(name, text)
		case "dataEsitoSingoloPagamento":
			t.Date = r.optionalDay(name, text)
		case "identificativoUnivocoRiscossione":
			t.IUR = text
		case "causaleVersamento":
			t.Causale = flussi.NewText(text)
		case "datiSpecificiRiscossione":
			t.Category = strings.TrimSpace(text)
		}
	})
	f.receipt.Transfers = append(f.receipt.Transfers, t)
	return err
}
