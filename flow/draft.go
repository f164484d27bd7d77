package flow

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/internal/italian"
)

// Draft (bozza) is what an operator, or a row of a workbook, says about a
// notification.
type Draft struct {
	Recipient       flussi.FiscalCode       // Codice Fiscale Destinatario; required
	Subject         flussi.Text             // Oggetto; required
	Content         flussi.Text             // Contenuto, in Markdown; required. See [appio.Markdown]
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
}

// Limits say how long the texts of a notification are, in UTF-16 code units, in which
// an emoji counts 2.
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

// Validate returns an [*flussi.InvalidError] with everything that is wrong with the draft, by
// the limits and by what the platform accepts, or nil.
func (d Draft) Validate(l Limits) error {
	e := &flussi.InvalidError{}
	fail := func(field string, err error, reason string, args ...any) {
		e.Add(field, err, fmt.Sprintf(reason, args...))
	}
	length := func(field, name string, text flussi.Text, least, most int) {
		capital := italian.Capital(name)
		switch n := text.Length(); {
		case strings.TrimSpace(text.Reveal()) == "":
			fail(field, flussi.ErrEmpty, "Manca %s.", name)
		case n < least || n > most:
			fail(field, flussi.ErrLength, "%s", italian.Length(capital, n, least, most, ""))
		case strings.ContainsRune(text.Reveal(), 0):
			fail(field, flussi.ErrCharacter, "%s contiene caratteri non validi.", capital)
		}
	}
	length("Subject", "l'oggetto", d.Subject, l.MinSubject, l.MaxSubject)
	length("Content", "il contenuto", d.Content, l.MinContent, l.MaxContent)
	switch {
	case d.IsPayment && d.Amount == 0:
		fail("Amount", ErrPayment, "È una notifica di pagamento: manca l'importo.")
	case !d.IsPayment && d.Amount != 0:
		fail("Amount", ErrPayment, "C'è un importo, ma non è una notifica di pagamento.")
	}
	switch {
	case d.IsPayment && d.NoticeNumber.IsZero():
		fail("NoticeNumber", ErrPayment, "È una notifica di pagamento: manca il numero avviso.")
	case !d.IsPayment && !d.NoticeNumber.IsZero():
		fail("NoticeNumber", ErrPayment, "C'è un numero avviso, ma non è una notifica di pagamento.")
	}
	if !d.IsPayment && !d.Payee.IsZero() {
		fail("Payee", ErrPayment, "C'è un ente creditore, ma non è una notifica di pagamento.")
	}
	if err, ok := atMost("Reference", "Il riferimento", flussi.NewText(d.Reference), MaxKey).(*flussi.ValueError); ok {
		e.Fields = append(e.Fields, err)
	}
	if err, ok := atMost("Occasion", "L'occasione", flussi.NewText(d.Occasion), MaxKey).(*flussi.ValueError); ok {
		e.Fields = append(e.Fields, err)
	}
	// The platform's rules; what is said above in other words is not said again.
	var platform *flussi.InvalidError
	if errors.As(d.Message().Validate(), &platform) {
		for _, f := range platform.Fields {
			length := (errors.Is(f, flussi.ErrLength) || errors.Is(f, flussi.ErrEmpty)) &&
				(f.Type == "content.subject" || f.Type == "content.markdown")
			missing := d.Amount == 0 && f.Type == "content.payment_data.amount" ||
				d.NoticeNumber.IsZero() && f.Type == "content.payment_data.notice_number"
			if !length && !missing {
				renamed := *f
				renamed.Type = draftField(f.Type)
				e.Fields = append(e.Fields, &renamed)
			}
		}
	}
	if len(e.Fields) == 0 {
		return nil
	}
	return e
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
	}
	return platform
}

// normal returns the draft as stores keep it.
func (d Draft) normal() Draft {
	if !d.DueDate.IsZero() {
		d.DueDate = d.DueDate.UTC().Truncate(time.Microsecond)
	}
	d.Occasion = NormalizeText(d.Occasion)
	return d
}

// Message returns the message that App IO is given for the draft. A payment that may
// not be made after the due date is marked so only if there is a due date.
func (d Draft) Message() appio.Message {
	m := appio.Message{To: d.Recipient, Subject: d.Subject, Content: d.Content, DueDate: d.DueDate}
	if d.IsPayment {
		m.Payment = &appio.Payment{
			Amount: d.Amount, NoticeNumber: d.NoticeNumber, Payee: d.Payee,
			InvalidAfterDueDate: !d.PayableAfterDue && !d.DueDate.IsZero(),
		}
	}
	return m
}
