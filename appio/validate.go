package appio

import (
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
)

// What the platform accepts, in UTF-16 code units, seconds and years.
const (
	minSubject, maxSubject = 10, 120
	minContent, maxContent = 80, 10_000
	minLive, maxLive       = time.Hour, 7 * 24 * time.Hour
)

// What can be wrong with a field, besides the Err… values of package flussi.
var (
	// ErrFrontMatter: the content begins with a line of three dashes, but the app would not show
	// buttons; or it has a definition of buttons that the app would show as text. See [Markdown].
	ErrFrontMatter = errors.New("not a front matter")
	// ErrFeatureLevel: the field needs [FeatureAdvanced].
	ErrFeatureLevel = errors.New("needs the feature level ADVANCED")
	// ErrEncoding: the text is not valid UTF-8, and would arrive changed.
	ErrEncoding = errors.New("not valid UTF-8")
	// ErrPast: the due date is over. It is always a doubt: see [Message.Check].
	ErrPast = errors.New("due date is past")
)

// Validate returns a [*flussi.InvalidError] with everything that the platform would refuse,
// or nil. [Client.Submit] calls it first. The limits are the platform's; lengths count
// UTF-16 code units, so an emoji counts 2. A front matter whose buttons the app would not show is
// refused too, and a definition of buttons that does not begin with the content. A value that the
// platform accepts but that looks like a mistake, such as a due date in the past or a notice number
// with wrong check digits, is valid: see [Message.Check] and [flussi.NoticeNumber.Check].
func (m Message) Validate() error {
	v := &validation{}
	if m.To.IsZero() {
		v.Add("fiscal_code", flussi.ErrEmpty, "Manca il codice fiscale del destinatario.")
	}
	v.length("content.subject", "L'oggetto", m.Subject, minSubject, maxSubject)
	v.length("content.markdown", "Il contenuto", m.Content, minContent, maxContent)
	if fault, _ := checkFrontMatter(m.Content.Reveal()); fault != "" {
		v.Add("content.markdown", ErrFrontMatter, fault)
	}
	v.date("content.due_date", "La scadenza", m.DueDate)
	switch m.FeatureLevel {
	case "", FeatureStandard, FeatureAdvanced:
	default:
		v.Add("feature_level_type", flussi.ErrRange, "Il livello di servizio deve essere STANDARD o ADVANCED.")
	}
	switch m.SecureChannels {
	case "", SecureChannelsRequired, SecureChannelsNotRequired:
	default:
		v.Add("content.require_secure_channels", flussi.ErrRange, "L'uso dei soli canali sicuri deve essere REQUIRED o NOT_REQUIRED.")
	}
	if m.TimeToLive != 0 && (m.TimeToLive < minLive || m.TimeToLive > maxLive || m.TimeToLive%time.Second != 0) {
		v.Add("time_to_live", flussi.ErrRange, "La durata dell'invio deve essere fra 3.600 e 604.800 secondi.")
	}
	v.utf8("content.eu_covid_cert.auth_code", "Il codice del certificato", m.CovidCertificate.Reveal())
	m.Payment.validate(v)
	m.ThirdParty.validate(v, m.FeatureLevel)
	return v.OrNil()
}

// Check returns a [*flussi.InvalidError] with what looks like a mistake in a valid message, or nil:
// parts of a front matter that the app ignores, such as a third button, or a missing English
// version, and a due date that is over ([ErrPast]). The platform accepts such a message, and
// [Client.Submit] sends it.
func (m Message) Check() error {
	v := &validation{}
	if fault, doubts := checkFrontMatter(m.Content.Reveal()); fault == "" {
		for _, doubt := range doubts {
			v.Add("content.markdown", ErrFrontMatter, doubt)
		}
	}
	if !m.DueDate.IsZero() && m.DueDate.Before(time.Now()) {
		v.Add("content.due_date", ErrPast, "La scadenza "+italian.Day(m.DueDate)+" è già passata.")
	}
	return v.OrNil()
}

func (p *Payment) validate(v *validation) {
	if p == nil {
		return
	}
	var amount *flussi.ValueError
	if errors.As(p.Amount.Check(), &amount) {
		v.Add("content.payment_data.amount", amount.Err, amount.Reason)
	}
	if p.NoticeNumber.IsZero() {
		v.Add("content.payment_data.notice_number", flussi.ErrEmpty, "Manca il numero avviso.")
	}
}

func (t *ThirdParty) validate(v *validation, level FeatureLevel) {
	if t == nil {
		return
	}
	v.required("content.third_party_data.id", "L'identificativo del contenuto remoto", t.ID)
	if _, ok := MessageID(t.ConfigurationID).Time(); !ok || strings.ToUpper(t.ConfigurationID) != t.ConfigurationID {
		v.Add("content.third_party_data.configuration_id", flussi.ErrCharacter, "La configurazione del contenuto remoto deve essere un identificativo ULID di 26 caratteri.")
	}
	if t.HasAttachments && level != FeatureAdvanced {
		v.Add("content.third_party_data.has_attachments", ErrFeatureLevel, "Gli allegati richiedono il livello di servizio ADVANCED.")
	}
	v.utf8("content.third_party_data.original_sender", "Il mittente originale", t.OriginalSender)
	v.utf8("content.third_party_data.summary", "Il riassunto", t.Summary.Reveal())
	v.date("content.third_party_data.original_receipt_date", "La data di ricezione", t.OriginalReceiptDate)
	switch t.HasPrecondition {
	case "", PreconditionAlways, PreconditionOnce, PreconditionNever:
	default:
		v.Add("content.third_party_data.has_precondition", flussi.ErrRange, "L'avvertenza deve essere ALWAYS, ONCE o NEVER.")
	}
}

// validation collects what is wrong.
type validation struct {
	flussi.InvalidError
}

// OrNil returns a copy, so that checking a valid message allocates nothing.
func (v *validation) OrNil() error {
	if len(v.Fields) == 0 {
		return nil
	}
	return &flussi.InvalidError{Fields: v.Fields}
}

func (v *validation) utf8(field, name, text string) {
	if !utf8.ValidString(text) {
		v.Add(field, ErrEncoding, name+" contiene caratteri illeggibili.")
	}
}

func (v *validation) required(field, name, text string) {
	if text == "" {
		v.Add(field, flussi.ErrEmpty, name+" è obbligatorio.")
	}
	v.utf8(field, name, text)
}

func (v *validation) length(field, name string, text flussi.Text, least, most int) {
	switch n := text.Length(); {
	case n == 0:
		v.Add(field, flussi.ErrEmpty, name+" è obbligatorio.")
	case n < least, n > most:
		v.Add(field, flussi.ErrLength, italian.Length(name, n, least, most, ""))
	}
	v.utf8(field, name, text.Reveal())
}

func (v *validation) date(field, name string, t time.Time) {
	if year := t.UTC().Year(); !t.IsZero() && (year < 1 || year > 9999) {
		v.Add(field, flussi.ErrDate, name+" ha un anno che non esiste: verificare la data.")
	}
}
