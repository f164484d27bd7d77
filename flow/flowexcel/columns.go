package flowexcel

import (
	"slices"
	"strings"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
)

// The headers of the columns that a draft is made of.
const (
	recipientHeader = "Codice fiscale"
	subjectHeader   = "Oggetto"
	contentHeader   = "Contenuto"
	dueHeader       = "Scadenza"
	amountHeader    = "Somma"
	noticeHeader    = "Numero avviso"
	payeeHeader     = "Ente creditore"
	lateHeader      = "Paga dopo la scadenza"
	referenceHeader = "Riferimento"
	occasionHeader  = "Occasione"
)

// draftHeaders returns the headers of the columns that a draft is made of, in their order, without
// those of its options.
func draftHeaders() []string {
	return []string{recipientHeader, subjectHeader, contentHeader, dueHeader, amountHeader, noticeHeader, payeeHeader, lateHeader, referenceHeader, occasionHeader}
}

// entry is a draft as the cells of a row say it.
type entry struct {
	flow.Draft
	late   *bool        // Paga dopo la scadenza; nil if the cell is empty
	merged mergedValues // of the fields of a mail merge
}

// entryOf returns the entry that is written for a draft.
func entryOf(d flow.Draft) entry {
	e := entry{Draft: d}
	if d.IsPayment {
		e.late = &d.PayableAfterDue
	}
	return e
}

// draft returns the draft that the cells say: a payment if there is something to pay.
func (e entry) draft() flow.Draft {
	d := e.Draft
	d.IsPayment = d.Amount != 0 || !d.NoticeNumber.IsZero()
	d.PayableAfterDue = e.late != nil && *e.late
	return d
}

// kinds are the kinds of the columns of a draft.
type kinds struct {
	recipient        excel.Kind[flussi.FiscalCode]
	subject, content excel.Kind[flussi.Text]
	due              excel.Kind[time.Time]
	notice           excel.Kind[flussi.NoticeNumber]
	payee            excel.Kind[flussi.OrganizationCode]
	reference        excel.Kind[string]
	occasion         excel.Kind[string]
}

// importKinds refuse in a cell what the flow will refuse.
func importKinds(l flow.Limits, codes flussi.Policy) kinds {
	return kinds{
		recipient: excel.FiscalCode(codes),
		subject:   excel.PersonalText(l.MinSubject, l.MaxSubject),
		content:   excel.PersonalText(l.MinContent, l.MaxContent),
		due:       excel.Date(excel.DateConfig{EndOfDay: true}),
		notice:    excel.NoticeNumber(codes),
		payee:     excel.OrganizationCode(codes),
		reference: excel.Text(1, flow.MaxKey),
		occasion:  excel.Text(1, flow.MaxKey),
	}
}

// draftColumns returns the columns of a draft. Those that a draft needs are required in
// an import; in an export, what was anonymised has none of them. The help is that of the content.
func draftColumns[Row any](k kinds, l flow.Limits, required bool, help string, of func(*Row) *entry) []excel.Column[Row] {
	return []excel.Column[Row]{
		excel.NewColumn(recipientHeader, k.recipient, func(r *Row) *flussi.FiscalCode { return &of(r).Recipient }, excel.ColumnConfig{
			Field: "Recipient",
			Aliases: []string{"C.F.", "C.F. Dest.", "C.F. destinatario", "Cod. Fisc.", "Cod. fiscale", "Cod. Fisc. Dest.", "Codice fiscale destinatario", "Codice fiscale del destinatario",
				"Codice fiscale cittadino", "Codice fiscale contribuente", "Codice fiscale utente", "Codice fiscale intestatario", "Codice fiscale/Partita IVA", "C.F./P.IVA", "Destinatario"},
			Required: required, Help: "Il codice fiscale del cittadino che riceve il messaggio."}),
		excel.NewColumn(subjectHeader, k.subject, func(r *Row) *flussi.Text { return &of(r).Subject }, excel.ColumnConfig{
			Field:    "Subject",
			Aliases:  []string{"Oggetto messaggio", "Oggetto del messaggio", "Oggetto notifica", "Oggetto della notifica", "Titolo", "Titolo messaggio", "Titolo del messaggio"},
			Required: required, Width: 32, Help: "L'oggetto del messaggio. Ogni emoji conta due caratteri.",
			Example: example("Scadenza della prima rata della TARI 2030", l.MinSubject, l.MaxSubject)}),
		excel.NewColumn(contentHeader, k.content, func(r *Row) *flussi.Text { return &of(r).Content }, excel.ColumnConfig{
			Field: "Content",
			Aliases: []string{"Contenuto messaggio", "Contenuto del messaggio", "Contenuto notifica", "Contenuto della notifica", "Testo", "Testo messaggio", "Testo del messaggio", "Testo notifica",
				"Testo della notifica", "Messaggio", "Corpo", "Corpo messaggio", "Corpo del messaggio"},
			Required: required, Width: 52, Help: help,
			Example: example("Gentile contribuente, la prima rata della TARI scade il 28 febbraio e può essere pagata dall'app con l'avviso allegato. Per informazioni: tributi@comune.example.it.", l.MinContent, l.MaxContent)}),
		excel.NewColumn(dueHeader, k.due, func(r *Row) *time.Time { return &of(r).DueDate }, excel.ColumnConfig{
			Field:   "DueDate",
			Aliases: []string{"Data scadenza", "Data di scadenza", "Scad.", "Scade il", "Scadenza pagamento", "Scadenza del pagamento", "Data scadenza pagamento", "Termine di pagamento", "Da pagare entro", "Pagare entro il"},
			Help:    "La scadenza, valida fino alla fine del giorno."}),
		excel.NewColumn(amountHeader, excel.Money(flussi.MinPayable, flussi.MaxPayable), func(r *Row) *flussi.Cents { return &of(r).Amount }, excel.ColumnConfig{
			Field:   "Amount",
			Aliases: []string{"Somma dovuta", "Somma da pagare", "Importo", "Importo dovuto", "Importo da pagare", "Importo totale", "Importo in euro", "Importo euro", "Totale da pagare"},
			Total:   required, // an export has no sum: saved as CSV, it would be a row like the others
			Help:    "L'importo da pagare. Solo per un pagamento, insieme al numero avviso."}),
		excel.NewColumn(noticeHeader, k.notice, func(r *Row) *flussi.NoticeNumber { return &of(r).NoticeNumber }, excel.ColumnConfig{
			Field: "NoticeNumber",
			Aliases: []string{"N. avviso", "Nº avviso", "Nr. avviso", "Num. avviso", "Numero dell'avviso", "Numero avviso pagoPA", "Numero avviso di pagamento", "Numero avviso pagamento",
				"Codice avviso", "Cod. avviso", "Codice avviso pagoPA", "Codice avviso di pagamento", "Codice avviso pagamento", "Avviso pagoPA", "NAV"},
			Help: "Il numero dell'avviso pagoPA. Solo per un pagamento, insieme all'importo."}),
		excel.NewColumn(payeeHeader, k.payee, func(r *Row) *flussi.OrganizationCode { return &of(r).Payee }, excel.ColumnConfig{
			Field: "Payee",
			Aliases: []string{"C.F. ente creditore", "C.F. ente", "C.F. creditore", "Cod. Fisc. ente creditore", "Cod. Fisc. ente", "Codice fiscale ente creditore", "Codice fiscale dell'ente creditore",
				"Codice fiscale ente", "Codice fiscale dell'ente", "Codice fiscale creditore", "P.IVA ente creditore", "P.IVA ente", "Partita IVA ente creditore", "Partita IVA ente", "Creditore"},
			Width: 16, Help: "Il codice fiscale dell'ente che incassa. Se la cella è vuota, vale l'ente del servizio."}),
		excel.NewColumn(lateHeader, excel.Optional(excel.YesNo()), func(r *Row) **bool { return &of(r).late }, excel.ColumnConfig{
			Aliases: []string{"Paga oltre la scadenza", "Pagabile dopo la scadenza", "Pagabile oltre la scadenza", "Pagamento dopo la scadenza", "Pagamento oltre la scadenza"},
			Width:   14, Help: "Se l'avviso si può pagare anche dopo la scadenza. Se la cella è vuota, vale No."}),
		excel.NewColumn(referenceHeader, k.reference, func(r *Row) *string { return &of(r).Reference }, excel.ColumnConfig{
			Field:   "Reference",
			Aliases: []string{"Rif.", "Rif. interno", "Riferimento interno", "Nostro riferimento", "Riferimento pratica"},
			Width:   18, Example: "TARI-2030-000123", Help: "La chiave con cui l'ente riconosce la notifica, senza dati personali. Il cittadino non la vede."}),
		excel.NewColumn(occasionHeader, k.occasion, func(r *Row) *string { return &of(r).Occasion }, excel.ColumnConfig{
			Field:   "Occasion",
			Aliases: []string{"Occasione invio", "Occasione dell'invio"},
			Width:   18, Example: "sollecito marzo", Help: "Da compilare solo per inviare di nuovo un messaggio uguale a uno già inviato, ad esempio come sollecito. Senza un'occasione diversa il messaggio non si invia una seconda volta. Il cittadino non vede l'occasione."}),
	}
}

// What a guide says about the content. The app joins lines that only a line break separates.
const (
	markdownHelp = "Il testo del messaggio, anche su più righe e in Markdown. L'app unisce le righe separate da un solo «a capo»: fra un capoverso e l'altro lasciare una riga vuota."
	choiceHelp   = markdownHelp + " Con «Testo semplice» il testo si vede com'è scritto, riga per riga."
	plainHelp    = "Il testo del messaggio, anche su più righe: si vede com'è scritto, riga per riga, e i segni del Markdown sono testo."
)

// contentHelp returns what the guide says about the content.
func (c Config) contentHelp() string {
	switch {
	case slices.Contains(c.Options, OptionPlainText):
		return choiceHelp
	case c.FlowOptions.PlainText == flow.ChoiceYes:
		return plainHelp
	}
	return markdownHelp
}

// example makes a text as long as the limits want it.
func example(text string, least, most int) string {
	whole := []rune(text) // each counts one
	for len(whole) < least {
		whole = append(whole, []rune(" "+text)...)
	}
	return strings.TrimSpace(string(whole[:min(len(whole), max(most, 0))]))
}
