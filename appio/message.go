package appio

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/flussi-go/flussi"
)

// Message (messaggio) is a message of a service to a citizen. Its personal parts mask
// themselves. [Message.Validate] returns what the platform would refuse, [Message.Check] what looks
// like a mistake.
//
// The platform's older documents have three more fields: legal_data, prescription_data and
// default_addresses. The platform removes them in silence, and answers 201 as if it had them, so a
// Message does not have them. Write what matters into the Content.
type Message struct {
	To      flussi.FiscalCode // the recipient; required
	Subject flussi.Text       // 10 to 120 UTF-16 units; required
	Content flussi.Text       // Markdown, 80 to 10000 UTF-16 units with any front matter; required. See [Markdown]

	DueDate          time.Time      // scadenza, for the citizen's reminder; sent in UTC; zero: none. See [flussi.EndOfDay]
	Payment          *Payment       // makes it a payment notice; nil: none
	SecureChannels   SecureChannels // Defaults to the service's own setting
	FeatureLevel     FeatureLevel   // Defaults to Standard
	ThirdParty       *ThirdParty    // content that the citizen's app fetches from the sender; nil: none
	CovidCertificate flussi.Text    // the code that fetches an EU Covid certificate, by special permission; zero: none
	TimeToLive       time.Duration  // deprecated by the platform: 1 hour to 7 days in whole seconds; 0: not sent
}

// SecureChannels says whether a message stays inside the app, with no copy by e-mail and no text in
// the push notification (require_secure_channels). The zero value keeps the service's own setting
// on the platform.
type SecureChannels string

// The settings of a message, which take precedence over the service's.
const (
	SecureChannelsRequired    SecureChannels = "REQUIRED"     // require_secure_channels: true
	SecureChannelsNotRequired SecureChannels = "NOT_REQUIRED" // require_secure_channels: false
)

// wire returns the value of require_secure_channels; nil: not sent.
func (s SecureChannels) wire() *bool {
	if s == "" {
		return nil
	}
	required := s == SecureChannelsRequired
	return &required
}

// Payment (avviso di pagamento) is what the citizen can pay in the app.
type Payment struct {
	Amount              flussi.Cents            // 1 to 9999999999; required
	NoticeNumber        flussi.NoticeNumber     // codice avviso; required
	InvalidAfterDueDate bool                    // cannot be paid after the due date
	Payee               flussi.OrganizationCode // ente creditore, for services that may name one; zero: the service's own body
}

// FeatureLevel is the level of service of a message.
type FeatureLevel string

// The feature levels.
const (
	FeatureStandard FeatureLevel = "STANDARD"
	FeatureAdvanced FeatureLevel = "ADVANCED" // with read and payment status, by premium contract
)

// ThirdParty (contenuti remoti) is content that remains with the sender.
type ThirdParty struct {
	ID                  string       // the sender's own name for the content; required, without personal data
	ConfigurationID     string       // of the configuration of remote content, a ULID that the platform assigned to the body; required
	OriginalSender      string       // who it comes from; "": not sent
	OriginalReceiptDate time.Time    // when it was received; zero: not sent
	HasAttachments      bool         // there are files to fetch; only with [FeatureAdvanced]
	HasRemoteContent    bool         // there is a text to fetch
	HasPrecondition     Precondition // a warning before it opens; "": not sent
	Summary             flussi.Text  // zero: not sent
}

// Precondition says when the app shows a warning before remote content opens.
type Precondition string

// The preconditions.
const (
	PreconditionAlways Precondition = "ALWAYS"
	PreconditionOnce   Precondition = "ONCE"
	PreconditionNever  Precondition = "NEVER"
)

// The JSON of a message.
type (
	wireMessage struct {
		TimeToLive   int64        `json:"time_to_live,omitempty"`
		Content      wireContent  `json:"content"`
		FiscalCode   string       `json:"fiscal_code"`
		FeatureLevel FeatureLevel `json:"feature_level_type,omitempty"`
	}
	wireContent struct {
		Subject               string          `json:"subject"`
		Markdown              string          `json:"markdown"`
		RequireSecureChannels *bool           `json:"require_secure_channels,omitempty"`
		DueDate               string          `json:"due_date,omitempty"`
		Payment               *wirePayment    `json:"payment_data,omitempty"`
		CovidCertificate      *wireCovid      `json:"eu_covid_cert,omitempty"`
		ThirdParty            *wireThirdParty `json:"third_party_data,omitempty"`
	}
	wirePayment struct {
		Amount              int64      `json:"amount"`
		NoticeNumber        string     `json:"notice_number"`
		InvalidAfterDueDate bool       `json:"invalid_after_due_date,omitempty"`
		Payee               *wirePayee `json:"payee,omitempty"`
	}
	wirePayee struct {
		FiscalCode string `json:"fiscal_code"`
	}
	wireCovid struct {
		AuthCode string `json:"auth_code"`
	}
	wireThirdParty struct {
		ID                  string       `json:"id"`
		ConfigurationID     string       `json:"configuration_id"`
		OriginalSender      string       `json:"original_sender,omitempty"`
		OriginalReceiptDate string       `json:"original_receipt_date,omitempty"`
		HasAttachments      bool         `json:"has_attachments,omitempty"`
		HasRemoteContent    bool         `json:"has_remote_content,omitempty"`
		HasPrecondition     Precondition `json:"has_precondition,omitempty"`
		Summary             string       `json:"summary,omitempty"`
	}
)

// timestamp formats a time for the platform, in UTC with a Z.
func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// encode returns the body of the request for a valid message.
func (m Message) encode() ([]byte, error) {
	w := wireMessage{
		TimeToLive:   int64(m.TimeToLive / time.Second),
		FiscalCode:   m.To.Reveal(),
		FeatureLevel: m.FeatureLevel,
		Content: wireContent{
			Subject:               m.Subject.Reveal(),
			Markdown:              m.Content.Reveal(),
			RequireSecureChannels: m.SecureChannels.wire(),
			DueDate:               timestamp(m.DueDate),
		},
	}
	if p := m.Payment; p != nil {
		w.Content.Payment = &wirePayment{
			Amount: int64(p.Amount), NoticeNumber: p.NoticeNumber.Reveal(), InvalidAfterDueDate: p.InvalidAfterDueDate,
		}
		if !p.Payee.IsZero() {
			w.Content.Payment.Payee = &wirePayee{p.Payee.String()}
		}
	}
	if !m.CovidCertificate.IsZero() {
		w.Content.CovidCertificate = &wireCovid{m.CovidCertificate.Reveal()}
	}
	if t := m.ThirdParty; t != nil {
		w.Content.ThirdParty = &wireThirdParty{
			t.ID, t.ConfigurationID, t.OriginalSender, timestamp(t.OriginalReceiptDate),
			t.HasAttachments, t.HasRemoteContent, t.HasPrecondition, t.Summary.Reveal(),
		}
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(w)
	return b.Bytes(), err
}

// secrets returns the texts of the message that no error may quote.
func (m Message) secrets() []string {
	texts := []string{m.To.Reveal(), m.Subject.Reveal(), m.Content.Reveal(), m.CovidCertificate.Reveal()}
	if p := m.Payment; p != nil {
		texts = append(texts, p.NoticeNumber.Reveal())
	}
	if t := m.ThirdParty; t != nil {
		texts = append(texts, t.ID, t.OriginalSender, t.Summary.Reveal())
	}
	return texts
}
