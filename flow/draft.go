package flow

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/internal/italian"
)

// Draft (bozza) is the part of a notification that an operator, or a row of a workbook, sets.
type Draft struct {
	Recipient       flussi.FiscalCode       // Codice Fiscale Destinatario; required
	Subject         flussi.Text             // Oggetto; required
	Content         flussi.Text             // Contenuto, in Markdown, unless Options.PlainText; required
	DueDate         time.Time               // Scadenza; the zero time if there is none. See [flussi.EndOfDay]
	Amount          flussi.Cents            // Somma; 0 if it is no payment
	IsPayment       bool                    // Notifica Pagamento: needs the amount and the notice number
	PayableAfterDue bool                    // Paga dopo la scadenza
	NoticeNumber    flussi.NoticeNumber     // codice avviso; zero if it is no payment
	Payee           flussi.OrganizationCode // Ente creditore; zero: the service's own body
	Reference       string                  // Riferimento: the caller's own key, without personal data

	// Occasion (Occasione), such as "sollecito marzo", makes a message that has the same texts
	// as an earlier one a different message, to be sent again; "" for none. It is not sent to
	// the platform. Up to [MaxKey] UTF-16 code units, without personal data. See [Draft.Digest].
	Occasion string

	Options Options // Opzioni: buttons, remote content, and how the message is sent
}

// Limits say how long the texts of a notification are, in UTF-16 code units, in which
// an emoji counts 2. Blanks at the ends of a text do not count for the minimum.
type Limits struct {
	MinSubject, MaxSubject int // Oggetto
	MinContent, MaxContent int // Contenuto
}

// GuideLimits returns the limits of the product's guide: 10 to 120, and 120 to 10,000.
// They are the default.
func GuideLimits() Limits { return Limits{10, 120, 120, 10_000} }

// PlatformLimits returns the limits of App IO itself: 10 to 120, and 80 to 10,000.
func PlatformLimits() Limits { return Limits{10, 120, 80, 10_000} }

// check returns what is contradictory about the limits, or nil.
func (l Limits) check() error {
	platform := PlatformLimits()
	if l.MinSubject > l.MaxSubject || l.MinContent > l.MaxContent ||
		l.MinSubject < platform.MinSubject || l.MaxSubject > platform.MaxSubject ||
		l.MinContent < platform.MinContent || l.MaxContent > platform.MaxContent {
		return fmt.Errorf("limits %+v must lie within the platform's %+v", l, platform)
	}
	return nil
}

// Validate returns a [*flussi.InvalidError] with everything that is wrong with the draft, by
// the limits and by what the platform accepts, or nil.
func (d Draft) Validate(l Limits) error {
	e := &core.Invalid{}
	e.Text(core.TextRule{Field: "Subject", Name: "l'oggetto", Min: l.MinSubject, Max: l.MaxSubject, Required: true}, d.Subject.Reveal())
	d.checkContent(e, l)
	switch {
	case d.IsPayment && d.Amount == 0 && d.NoticeNumber.IsZero():
		e.Fail("Amount", ErrPayment, "È una notifica di pagamento: indicare la somma.")
	case d.IsPayment && d.Amount == 0:
		e.Fail("Amount", ErrPayment, "C'è il numero avviso ma manca la somma: scriverla, oppure togliere il numero avviso.")
	case !d.IsPayment && d.Amount != 0:
		e.Fail("Amount", ErrPayment, "C'è una somma, ma non è una notifica di pagamento.")
	}
	switch {
	case d.IsPayment && d.NoticeNumber.IsZero() && d.Amount == 0:
		e.Fail("NoticeNumber", ErrPayment, "È una notifica di pagamento: indicare il numero avviso.")
	case d.IsPayment && d.NoticeNumber.IsZero():
		e.Fail("NoticeNumber", ErrPayment, "C'è la somma ma manca il numero avviso: scriverlo, oppure togliere la somma.")
	case !d.IsPayment && !d.NoticeNumber.IsZero():
		e.Fail("NoticeNumber", ErrPayment, "C'è un numero avviso, ma non è una notifica di pagamento.")
	}
	if !d.IsPayment && !d.Payee.IsZero() {
		e.Fail("Payee", ErrPayment, "C'è un ente creditore, ma non è una notifica di pagamento.")
	}
	e.Text(core.TextRule{Field: "Reference", Name: "il riferimento", Max: MaxKey}, d.Reference)
	e.Text(core.TextRule{Field: "Occasion", Name: "l'occasione", Max: MaxKey}, d.Occasion)
	d.Options.check(e)
	// The platform's rules, without those that are checked above.
	own := slices.Clone(e.Fields)
	var platform *flussi.InvalidError
	if errors.As(d.Message().Validate(), &platform) {
		for _, f := range platform.Fields {
			length := (errors.Is(f, flussi.ErrLength) || errors.Is(f, flussi.ErrEmpty)) &&
				(f.Type == "content.subject" || f.Type == "content.markdown")
			missing := d.Amount == 0 && f.Type == "content.payment_data.amount" ||
				d.NoticeNumber.IsZero() && f.Type == "content.payment_data.notice_number"
			field := draftField(f.Type)
			unreadable := errors.Is(f, appio.ErrEncoding) && slices.ContainsFunc(own, func(o *flussi.ValueError) bool {
				return o.Type == field && o.Err == flussi.ErrCharacter
			})
			if !length && !missing && !unreadable {
				renamed := *f
				renamed.Type = field
				e.Fields = append(e.Fields, &renamed)
			}
		}
	}
	return e.OrNil()
}

// Check returns a [*flussi.InvalidError] with what looks like a mistake in a valid draft, or nil.
// These are the parts of the definition of buttons in a content that the app ignores, and a due date
// that is over. Such a message is sent as it is. See [appio.Message.Check].
func (d Draft) Check() error {
	e := &core.Invalid{}
	var doubts *flussi.InvalidError
	if errors.As(d.Message().Check(), &doubts) {
		for _, f := range doubts.Fields {
			renamed := *f
			renamed.Type = draftField(f.Type)
			e.Fields = append(e.Fields, &renamed)
		}
	}
	return e.OrNil()
}

// checkContent checks the length of the content as it is sent. For a plain text, that is the length
// of its Markdown. Buttons count for the maximum, but not for the minimum.
func (d Draft) checkContent(e *core.Invalid, l Limits) {
	rule := core.TextRule{Field: "Content", Name: "il contenuto", Min: l.MinContent, Max: l.MaxContent, Required: true}
	if d.Options.IsZero() {
		e.Text(rule, d.Content.Reveal())
		return
	}
	body, _ := Options{PlainText: d.Options.PlainText}.content(d.Content)
	whole, err := d.Options.content(d.Content)
	switch n := len(e.Fields); {
	case body.Length() > l.MaxContent && d.Content.Length() <= l.MaxContent:
		e.Fail("Content", flussi.ErrLength, "%s", italian.Length("Il contenuto", body.Length(), l.MinContent, l.MaxContent, "con i segni che lo mostrano come testo semplice"))
	default:
		e.Text(rule, body.Reveal())
		if len(e.Fields) == n && whole.Length() > l.MaxContent {
			e.Fail("Content", flussi.ErrLength, "%s", italian.Length("Il contenuto", whole.Length(), l.MinContent, l.MaxContent, "con i pulsanti"))
		}
	}
	e.Include(err)
}

// draftField returns the field of a draft that the platform calls so.
func draftField(platform string) string {
	switch platform {
	case "fiscal_code":
		return "Recipient"
	case "content.subject":
		return "Subject"
	case "content.markdown":
		return "Content"
	case "content.due_date":
		return "DueDate"
	case "content.payment_data.amount":
		return "Amount"
	case "content.payment_data.notice_number":
		return "NoticeNumber"
	case "content.require_secure_channels":
		return "SecureChannels"
	case "feature_level_type":
		return "FeatureLevel"
	case "content.third_party_data.id":
		return "Remote.ID"
	case "content.third_party_data.configuration_id":
		return "Remote.ConfigurationID"
	case "content.third_party_data.original_sender":
		return "Remote.OriginalSender"
	case "content.third_party_data.original_receipt_date":
		return "Remote.OriginalReceiptDate"
	case "content.third_party_data.has_attachments":
		return "Remote.Attachments"
	case "content.third_party_data.has_precondition":
		return "Remote.Precondition"
	case "content.third_party_data.summary":
		return "Remote.Summary"
	}
	return platform
}

// normal returns the draft as stores keep it.
func (d Draft) normal() Draft {
	if !d.DueDate.IsZero() {
		d.DueDate = core.Stored(d.DueDate)
	}
	d.Options = d.Options.normal()
	d.Occasion = NormalizeText(d.Occasion)
	return d
}

// Message returns the message for App IO, with the options; buttons that are not valid are left
// out. A payment that may not be made after the due date is marked so only if there is a due date.
//
// A draft does not know the options of its flow. To show the message before the draft is added,
// combine them first: draft.Options = draft.Options.Or(details.Options).
func (d Draft) Message() appio.Message {
	content, _ := d.Options.content(d.Content)
	m := appio.Message{
		To: d.Recipient, Subject: d.Subject, Content: content, DueDate: d.DueDate,
		SecureChannels: d.Options.SecureChannels, FeatureLevel: d.Options.FeatureLevel, ThirdParty: d.Options.Remote.thirdParty(),
	}
	if d.IsPayment {
		m.Payment = &appio.Payment{
			Amount: d.Amount, NoticeNumber: d.NoticeNumber, Payee: d.Payee,
			InvalidAfterDueDate: !d.PayableAfterDue && !d.DueDate.IsZero(),
		}
	}
	return m
}
