package noticeexcel

import (
	"context"
	"io"
	"iter"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/pagoinrete"
)

// The headers of an export behind those of the draft, in the guide's words.
const (
	leftHeader        = "Da pagare"
	idHeader          = "UUID"
	macroHeader       = "Macrostato Scuola"
	schoolHeader      = "Stato utente Scuola"
	familyHeader      = "Stato utente Famiglia"
	numberHeader      = "Codice avviso"
	iuvHeader         = "IUV"
	visibleHeader     = "Visibile in Area Tutore"
	registeredHeader  = "Versante registrato"
	loggedInHeader    = "Versante connesso"
	discrepancyHeader = "Discrepanza"
	settledHeader     = "Discrepanza archiviata"
	errorHeader       = "Errore"
	remoteHeader      = "ID Pago In Rete"
	userHeader        = "Utente mod."
	changedHeader     = "Data mod."
)

const exportIntro = "Gli avvisi di pagamento e il loro stato al momento dell'esportazione."

// exportHints are the rules of an export's guide.
func exportHints() []string {
	return []string{
		"Il file serve per leggere, ordinare, filtrare e calcolare: le modifiche al file non cambiano gli avvisi.",
		"Il file non si può importare: i suoi avvisi ci sono già e, se importati, farebbero pagare due volte. Per creare altri avvisi per le stesse persone, copiare le righe nel modello.",
		"Le colonne da «Ricevuta (RT)» in poi contengono le prove del pagamento: la ricevuta telematica, il flusso di riversamento del PSP, il movimento del giornale di cassa (OIL), il riscontro della scuola, il mandato di rimborso.",
		"I codici restano testo: non cambiare il formato delle celle, altrimenti il foglio di calcolo perde cifre e zeri iniziali.",
	}
}

// exportTones are the colours of an export's rows.
func exportTones() []excel.Tone[exported] {
	return []excel.Tone[exported]{
		{Color: excel.Grey, Text: "avvisi annullati", Has: func(e *exported) bool { return e.State == pagoinrete.NoticeCancelled }},
		{Color: excel.Red, Text: "avvisi la cui ultima trasmissione è stata rifiutata, come spiega la colonna «" + errorHeader + "»",
			Has: func(e *exported) bool { return e.Error != "" }},
		{Color: excel.Yellow, Text: "avvisi con una discrepanza da verificare",
			Has: func(e *exported) bool { return e.discrepancy != "" && !e.Discrepancy.Resolved }},
	}
}

// exported is a row of an export.
type exported struct {
	draft pagoinrete.NoticeDraft
	pagoinrete.Notice
	id          string
	left        flussi.Cents // what has to be paid
	labels      pagoinrete.NoticeLabels
	iuv         string
	discrepancy string
}

// Export (Esporta Excel) writes notices as a workbook, as they stream past: the columns of the
// import, then what became of them, with the state's name for each audience and the proofs of what
// was paid. It is for reading: an import refuses it. For the errors see [excel.Template.Encode];
// the first that the sequence gives is returned as it is.
func (t *Template) Export(ctx context.Context, w io.Writer, notices iter.Seq2[pagoinrete.Notice, error]) error {
	return t.exports.Encode(ctx, w, excel.Map(notices, exportedOf))
}

func exportedOf(n pagoinrete.Notice) exported {
	return exported{
		draft: pagoinrete.NoticeDraft{
			Debtor: n.Debtor, DebtorKind: n.DebtorKind, DebtorName: n.DebtorName, Payer: n.Payer, Instalment: n.Instalment,
			Amount: n.Amount, Discount: n.Discount, DueDate: n.DueDate, Transfers: n.Transfers, Reference: n.Reference,
		},
		Notice: n, id: n.ID.String(), left: n.Due(), labels: n.State.Labels(), iuv: n.IUV().Reveal(), discrepancy: n.Discrepancy.Italian(),
	}
}

const (
	maxText  = 32_767              // what a cell holds
	maxMoney = 999_999_999_999_999 // what a number in a cell holds
)

// exportColumns returns the columns of an export. Whatever is in a store can be written.
func exportColumns(transfers bool) []excel.Column[exported] {
	text, money, day := excel.AnyText(1, maxText), excel.Money(0, maxMoney), excel.Date(excel.DateConfig{EndOfDay: true})
	draft := func(e *exported) *pagoinrete.NoticeDraft { return &e.draft }
	k := kinds{
		code: excel.FiscalCode(flussi.Lenient), name: excel.Convert(text, flussi.NewText, flussi.Text.Reveal), instalment: instalments(0, 1<<31),
		debtor: excel.Convert(excel.WithRule(text, excel.Rule{Width: 14}), func(s string) pagoinrete.DebtorKind { return pagoinrete.DebtorKind(s) }, pagoinrete.DebtorKind.Label),
		amount: money, discount: money, due: day, reference: text,
		beneficiary: excel.OrganizationCode(flussi.Lenient), transfer: orEmpty{money},
	}
	columns := draftColumns(k, true, draft)
	if transfers {
		columns = append(columns, transferColumns(k, true, draft)...)
	}

	narrow, wide := excel.Rule{Width: 20}, excel.Rule{Width: 36}
	id := excel.Rule{Text: "l'UUID dell'avviso", Example: "01953b7e-5c4a-7d1e-9f60-8a2b3c4d5e6f", Width: 38}
	moment := excel.Rule{Layout: excel.DateTimeLayout, Width: 20}
	long := excel.Rule{Layout: excel.LongTextLayout, Width: 50}
	columns = append(columns,
		shown(leftHeader, money, func(e *exported) *flussi.Cents { return &e.left }, "L'importo al netto dello sconto."),
		shown(idHeader, excel.WithRule(text, id), func(e *exported) *string { return &e.id }, "Identifica l'avviso."),
		shown(macroHeader, excel.WithRule(text, narrow), func(e *exported) *string { return &e.labels.Macro }, "Lo stato in breve, per la scuola."),
		shown(schoolHeader, excel.WithRule(text, wide), func(e *exported) *string { return &e.labels.School }, "Lo stato come lo vede la scuola."),
		shown(familyHeader, excel.WithRule(text, narrow), func(e *exported) *string { return &e.labels.Family }, "Lo stato come lo vede la famiglia."),
		shown(numberHeader, excel.NoticeNumber(flussi.Lenient), func(e *exported) *flussi.NoticeNumber { return &e.Number }, "Il numero dell'avviso pagoPA, assegnato da Pago In Rete alla trasmissione."),
		shown(iuvHeader, excel.WithRule(text, narrow), func(e *exported) *string { return &e.iuv }, "Il codice con cui riversamenti e giornale di cassa identificano il pagamento."),
		shown(visibleHeader, excel.YesNo(), func(e *exported) *bool { return &e.Visible }, "Se la famiglia vede l'avviso."),
		shown(registeredHeader, excel.YesNo(), func(e *exported) *bool { return &e.PayerRegistered }, "Se un versante è registrato su Pago In Rete."),
		shown(loggedInHeader, excel.YesNo(), func(e *exported) *bool { return &e.PayerLoggedIn }, "Se un versante ha già effettuato l'accesso a Pago In Rete."),
		shown(discrepancyHeader, excel.WithRule(text, long), func(e *exported) *string { return &e.discrepancy }, "La discrepanza da verificare."),
		shown(settledHeader, excel.YesNo(), func(e *exported) *bool { return &e.Discrepancy.Resolved }, "Se la discrepanza è già stata verificata."),
		shown(errorHeader, excel.WithRule(text, long), func(e *exported) *string { return &e.Error }, "Perché l'ultima trasmissione è stata rifiutata."),
		shown(remoteHeader, excel.WithRule(text, narrow), func(e *exported) *string { return &e.RemoteID }, "L'identificativo dell'avviso su Pago In Rete."),
		shown(userHeader, excel.WithRule(text, narrow), func(e *exported) *string { return &e.UpdatedBy }, "Chi ha modificato l'avviso per ultimo."),
		shown(changedHeader, excel.WithRule(excel.DateTime(), moment), func(e *exported) *time.Time { return &e.UpdatedAt }, "Quando l'avviso è stato modificato."),
	)
	for _, p := range []struct {
		header, short, what, by string // what: with "di"; by: "" when automatic
		of                      func(*exported) *pagoinrete.Proof
	}{
		{"Ricevuta (RT)", "RT", "della ricevuta telematica", "", func(e *exported) *pagoinrete.Proof { return &e.Evidence.Receipt }},
		{"Riversamento PSP", "riversamento", "del flusso di riversamento del PSP", "", func(e *exported) *pagoinrete.Proof { return &e.Evidence.Settlement }},
		{"Movimento OIL", "movimento", "del movimento del giornale di cassa", "Movimento abbinato da", func(e *exported) *pagoinrete.Proof { return &e.Evidence.Movement }},
		{"Riscontro manuale", "riscontro", "della prova di pagamento verificata dalla scuola", "Riscontrato da", func(e *exported) *pagoinrete.Proof { return &e.Evidence.Manual }},
		{"Mandato di rimborso", "rimborso", "del mandato di rimborso", "Rimborsato da", func(e *exported) *pagoinrete.Proof { return &e.Evidence.Refund }},
	} {
		columns = append(columns,
			shown(p.header, excel.WithRule(text, narrow), func(e *exported) *string { return &p.of(e).Reference }, "L'identificativo "+p.what+"."),
			shown("Importo "+p.short, found{money}, func(e *exported) *pagoinrete.Proof { return p.of(e) }, "L'importo "+p.what+"."),
			shown("Data "+p.short, day, func(e *exported) *time.Time { return &p.of(e).Date }, "La data "+p.what+"."),
		)
		if p.by != "" {
			columns = append(columns, shown(p.by, excel.WithRule(text, narrow), func(e *exported) *string { return &p.of(e).By }, "L'utente che ha fatto la registrazione. Se la cella è vuota, la registrazione è automatica."))
		}
	}
	return columns
}

// shown is a column that operators only look at.
func shown[V any](header string, kind excel.Kind[V], field func(*exported) *V, help string) excel.Column[exported] {
	return excel.NewColumn(header, kind, field, excel.ColumnConfig{ReadOnly: true, Help: help})
}

// found is the kind of the amount of a proof: an empty cell if there is none.
type found struct{ money excel.Kind[flussi.Cents] }

// Rule is that of amounts.
func (k found) Rule() excel.Rule { return k.money.Rule() }

// Write writes the amount that was found.
func (k found) Write(p pagoinrete.Proof) excel.Cell {
	if p.IsZero() {
		return excel.Cell{}
	}
	return k.money.Write(p.Amount)
}

// Read reads an amount.
func (k found) Read(c excel.Cell) (flussi.Reading[pagoinrete.Proof], error) {
	amount, err := k.money.Read(c)
	return flussi.Reading[pagoinrete.Proof]{Value: pagoinrete.Proof{Amount: amount.Value}, Changes: amount.Changes, Warnings: amount.Warnings}, err
}
