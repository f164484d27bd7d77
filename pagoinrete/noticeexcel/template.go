package noticeexcel

import (
	"context"
	"errors"
	"io"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/pagoinrete"
)

// Config says how a template works. Every field may be left out.
type Config struct {
	// Codes says what a doubtful fiscal code is. Defaults to [flussi.Lenient]: a warning.
	Codes flussi.Policy
	// Transfers adds a column for the amount and one for the beneficiary of each transfer of a
	// payment with several beneficiaries, to the template, to imports and to exports. Without it,
	// imports refuse files with amounts of transfers, and exports do not show the transfers.
	Transfers bool
	// File bounds what a file may cost. Defaults to those of [excel.Limits].
	File excel.Limits
}

// Template is the notices' workbook. It is made by [New], never changes, and is safe for
// concurrent use.
type Template struct {
	imports *excel.Template[pagoinrete.NoticeDraft]
	exports *excel.Template[exported]
}

// New returns a template. The error lists everything that is wrong with the
// configuration; it is an [*excel.TemplateError].
func New(c Config) (*Template, error) {
	draft := func(d *pagoinrete.NoticeDraft) *pagoinrete.NoticeDraft { return d }
	columns, refused := draftColumns(importKinds(c.Codes), false, draft), refusedHeaders()
	if c.Transfers {
		columns = append(columns, transferColumns(importKinds(c.Codes), false, draft)...)
	} else {
		refused = append(refused, refusedTransfers()...)
	}
	imports, err := excel.New(excel.Config[pagoinrete.NoticeDraft]{
		Name: "Avvisi di pagamento", Sheet: "Avvisi", Limits: c.File, Refused: refused, Check: check,
		Default: pagoinrete.NoticeDraft{DebtorKind: pagoinrete.DebtorPupil},
		Intro: "Con questo modello si creano gli avvisi di pagamento di un evento: una riga per ogni alunno o membro del personale che deve pagare. " +
			"Si carica nell'evento con la creazione massiva dei pagamenti.",
	}, columns...)
	if err != nil {
		return nil, err
	}
	exports, err := excel.New(excel.Config[exported]{
		Name: "Avvisi di pagamento esportati", Sheet: "Avvisi", Limits: c.File, HiddenRows: excel.ReadHidden,
		Export: true, Intro: exportIntro, Hints: exportHints(), Tones: exportTones(),
	}, exportColumns(c.Transfers)...)
	if err != nil {
		return nil, err
	}
	return &Template{imports, exports}, nil
}

// refusedHeaders are the headers that an import must not have.
func refusedHeaders() []excel.RefusedHeader {
	all := []excel.RefusedHeader{{Header: idHeader, Hint: "Il file è un'esportazione, e i suoi avvisi ci sono già: se importati, farebbero pagare due volte. " +
		"Per creare altri avvisi per le stesse persone, copiare le righe nel modello."}}
	for _, header := range []string{numberHeader, "Cod. avviso", "Codice avviso pagoPA", "Numero avviso", "Numero avviso pagoPA", "NAV"} {
		all = append(all, excel.RefusedHeader{Header: header, Hint: "Il numero avviso è assegnato da Pago In Rete alla trasmissione: chi ha un numero ha già l'avviso. Se gli avvisi sono da creare, togliere la colonna."})
	}
	for _, header := range []string{iuvHeader, "Codice IUV", "Numero IUV"} {
		all = append(all, excel.RefusedHeader{Header: header, Hint: "Lo IUV è assegnato da Pago In Rete alla trasmissione: chi ha un codice ha già l'avviso. Se gli avvisi sono da creare, togliere la colonna."})
	}
	return all
}

// refusedTransfers are the headers of amounts of transfers. If a template without Transfers ignored
// them, it would make notices whose whole amount goes to the school.
func refusedTransfers() []excel.RefusedHeader {
	var all []excel.RefusedHeader
	for i := range pagoinrete.MaxTransfers {
		for _, header := range transferHeaders(i) {
			all = append(all, excel.RefusedHeader{Header: header, Hint: "Con questo modello incassa tutto la scuola: gli avvisi con versamenti ad altri enti non si possono caricare. " +
				"Se le celle sono vuote, togliere la colonna."})
		}
	}
	return all
}

// check judges a row whose cells are right, as every event will.
func check(d *pagoinrete.NoticeDraft) error {
	data := pagoinrete.NoticeData{
		Debtor: d.Debtor, DebtorKind: d.DebtorKind, DebtorName: d.DebtorName, Payer: d.Payer,
		Amount: d.Amount, Discount: d.Discount, DueDate: d.DueDate, Transfers: d.Transfers, Reference: d.Reference,
	}
	if data.Amount == 0 { // the event's, whatever it is
		data.Amount = flussi.MaxPayable
		var sum flussi.Cents
		for _, transfer := range d.Transfers {
			sum += transfer.Amount
		}
		if sum != 0 {
			data.Amount = d.Discount + sum
		}
	}
	if data.DueDate.IsZero() { // that of the instalment
		data.DueDate, _ = flussi.EndOfDay(2030, 1, 1)
	}
	return errors.Join(data.Validate(), payerFault(d))
}

// payerFault refuses a payer for a member of staff, to whom a notice belongs alone.
func payerFault(d *pagoinrete.NoticeDraft) error {
	if d.DebtorKind != pagoinrete.DebtorStaff || d.Payer.IsZero() || d.Payer == d.Debtor {
		return nil
	}
	return excel.NewCheckError(payerHeader, "C'è un versante, ma il debitore è un membro del personale, che paga per sé: svuotare la cella, o correggere il tipo.")
}

// Blank (Scarica Template) writes the empty workbook for people to fill in. See
// [excel.Template.Blank].
func (t *Template) Blank(ctx context.Context, w io.Writer) error { return t.imports.Blank(ctx, w) }

// FileHeaders lists the headers of a file that is not made from the template, for a screen where an
// operator says which columns they are. See [excel.Template.FileHeaders].
func (t *Template) FileHeaders(ctx context.Context, r io.ReaderAt, size int64) (excel.FileHeaders, error) {
	return t.imports.FileHeaders(ctx, r, size)
}

// WithMapping returns a template that imports files with other headers, as a mapping says. Exports
// are the same. See [excel.Template.WithMapping].
func (t *Template) WithMapping(m excel.Mapping) (*Template, error) {
	imports, err := t.imports.WithMapping(m)
	if err != nil {
		return nil, err
	}
	mapped := *t
	mapped.imports = imports
	return &mapped, nil
}
