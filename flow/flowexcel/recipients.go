package flowexcel

import (
	"context"
	"io"
	"iter"
	"strings"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
)

// The headers of the results of a check, behind those of the notification.
const (
	reachabilityHeader = "Raggiungibilità"
	languagesHeader    = "Lingue"
	reasonHeader       = "Motivo"
)

// checked is a row with the result of a check.
type checked struct {
	recipient    flussi.FiscalCode
	subject      string
	reference    string
	reachability string
	unreachable  bool // the citizen does not get the message
	unknown      bool // the platform did not say
	languages    string
	reason       string
	id           uuid.UUID
}

// ExportRecipients writes the results of [flow.Service.CheckRecipients] as a workbook, as they
// stream past: for each notification its citizen, whether the citizen takes messages of the
// service, and the preferred languages. For the errors see [excel.Template.Encode]; the first that
// the sequence gives is returned as it is. To keep what a check gave before an error, end the
// sequence there without it, and write the rest in another workbook.
func ExportRecipients(ctx context.Context, w io.Writer, results iter.Seq2[flow.RecipientCheck, error]) error {
	text := excel.AnyText(1, maxText)
	t, err := excel.New(excel.Config[checked]{
		Name: "Destinatari verificati", Sheet: "Destinatari", Export: true,
		Intro: "I destinatari delle notifiche di un flusso non ancora inviate, e se al momento della verifica ricevono messaggi del servizio su App IO.",
		Hints: []string{
			"I cittadini con «" + flow.ReachabilityAbsent.Label() + "» non sono iscritti ad App IO, oppure hanno disattivato la ricezione dei messaggi. Quelli con «" +
				flow.ReachabilityBlocked.Label() + "» hanno disattivato i messaggi di questo servizio. Per entrambi serve un altro canale.",
			"Per i cittadini con «" + flow.ReachabilityUnknown.Label() + "» App IO non ha risposto: la colonna «" + reasonHeader + "» ne spiega il motivo. Si possono verificare di nuovo.",
			"Ogni cittadino può cambiare le sue scelte in qualsiasi momento, anche prima dell'invio.",
		},
		Tones: []excel.Tone[checked]{
			{Color: excel.Red, Text: "cittadini che non ricevono il messaggio", Has: func(c *checked) bool { return c.unreachable }},
			{Color: excel.Yellow, Text: "cittadini per i quali App IO non ha risposto", Has: func(c *checked) bool { return c.unknown }},
		},
	},
		excel.NewColumn(recipientHeader, excel.FiscalCode(flussi.Lenient), func(c *checked) *flussi.FiscalCode { return &c.recipient },
			excel.ColumnConfig{ReadOnly: true, Help: "Il codice fiscale del cittadino che riceve il messaggio."}),
		shown(reachabilityHeader, text, excel.Rule{Width: 18}, func(c *checked) *string { return &c.reachability },
			"Se il cittadino riceve messaggi del servizio."),
		shown(languagesHeader, text, excel.Rule{Width: 16}, func(c *checked) *string { return &c.languages },
			"Le lingue che il cittadino preferisce, dalla prima, come le comunica App IO: it_IT è l'italiano, de_DE il tedesco."),
		shown(reasonHeader, text, excel.Rule{Layout: excel.LongTextLayout, Width: 32}, func(c *checked) *string { return &c.reason },
			"Perché App IO non ha detto se il cittadino riceve messaggi."),
		shown(subjectHeader, text, excel.Rule{Width: 32}, func(c *checked) *string { return &c.subject }, "L'oggetto del messaggio."),
		shown(referenceHeader, text, excel.Rule{Width: 16}, func(c *checked) *string { return &c.reference }, "Il riferimento della notifica."),
		excel.NewColumn(idHeader, idKind(), func(c *checked) *uuid.UUID { return &c.id }, excel.ColumnConfig{ReadOnly: true, Help: "Identifica la notifica."}),
	)
	if err != nil {
		return err
	}
	return t.Encode(ctx, w, excel.Map(results, checkedOf))
}

func checkedOf(r flow.RecipientCheck) checked {
	c := checked{
		recipient: r.Notification.Recipient, subject: r.Notification.Subject.Reveal(), reference: r.Notification.Reference,
		reachability: r.Reachability.Label(), unreachable: r.Reachability == flow.ReachabilityAbsent || r.Reachability == flow.ReachabilityBlocked,
		unknown: r.Reachability == flow.ReachabilityUnknown, languages: strings.Join(r.Languages, ", "), id: r.Notification.ID,
	}
	if r.Err != nil {
		c.reason = flussi.Explain(r.Err)
	}
	return c
}
