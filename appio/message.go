package appio

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/flussi-go/flussi"
)

// Message (messaggio) is a message of a service to a citizen. Its personal parts mask
// themselves. [Message.Validate] returns what the platform would refuse.
type Message struct {
	To      flussi.FiscalCode // the recipient; required
	Subject flussi.Text       // 10 to 120 UTF-16 units; required
	Content flussi.Text       // Markdown, 80 to 10000 UTF-16 units with any front matter; required. See [Markdown]

	DueDate               time.Time     // scadenza, for the citizen's reminder; sent in UTC; zero: none. See [flussi.EndOfDay]
	Payment               *Payment      // makes it a payment notice; nil: none
	RequireSecureChannels bool          // no copy by e-mail, and nothing of the text in the push notification
	FeatureLevel          FeatureLevel  // Defaults to Standard
	ThirdParty            *ThirdParty   // content that the citizen's app fetches from the sender; nil: none
	Prescription          *Prescription // a medical prescription; nil: none
	Legal                 *Legal        // a message with legal value, by special permission; nil: none
	CovidCertificate      flussi.Text   // the code that fetches an EU Covid certificate; zero: none
	DefaultEmail          flussi.Text   // where the copy by e-mail goes if the citizen's profile has no address; zero: nowhere
	TimeToLive            time.Duration // deprecated by the platform: 1 hour to 7 days in whole seconds; 0: not sent
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
	ConfigurationID     string       // of the remote content's configuration, a ULID; required
	OriginalSender      string       // who it comes from; "": not sent
	OriginalReceiptDate time.Time    // when it was received; zero: not sent
	HasAttachments      bool         // there are files to fetch
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

// Prescription (ricetta) is what the app shows of a medical prescription.
type Prescription struct {
	NRE        flussi.Text       // numero ricetta elettronica, 15 characters; required
	IUP        flussi.Text       // the region's own number, 1 to 16 characters; zero: not sent
	Prescriber flussi.FiscalCode // the doctor; zero: not sent
}

// Legal is what certified mail (PEC) says about a message.
type Legal struct {
	SenderMailFrom     string // required
	HasAttachment      bool   // there are files
	MessageUniqueID    string // required
	OriginalMessageURL string // "": not sent
	PECServerServiceID string // "": not sent
}

// The JSON of a message.
type (
	wireMessage struct {
		TimeToLive       int64          `json:"time_to_live,omitempty"`
		Content          wireContent    `json:"content"`
		DefaultAddresses *wireAddresses `json:"default_addresses,omitempty"`
		FiscalCode       string         `json:"fiscal_code"`
		FeatureLevel     FeatureLevel   `json:"feature_level_type,omitempty"`
	}
	wireAddresses struct {
		Email string `json:"email"`
	}
	wireContent struct {
		Subject               string            `json:"subject"`
		Markdown              string            `json:"markdown"`
		RequireSecureChannels bool              `json:"require_secure_channels,omitempty"`
		DueDate               string            `json:"due_date,omitempty"`
		Payment               *wirePayment      `json:"payment_data,omitempty"`
		Prescription          *wirePrescription `json:"prescription_data,omitempty"`
		Legal                 *wireLegal        `json:"legal_data,omitempty"`
		CovidCertificate      *wireCovid        `json:"eu_covid_cert,omitempty"`
		ThirdParty            *wireThirdParty   `json:"third_party_data,omitempty"`
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
	wirePrescription struct {
		NRE        string `json:"nre"`
		IUP        string `json:"iup,omitempty"`
		Prescriber string `json:"prescriber_fiscal_code,omitempty"`
	}
	wireLegal struct {
		SenderMailFrom     string `json:"sender_mail_from"`
		HasAttachment      bool   `json:"has_attachment"`
		MessageUniqueID    string `json:"message_unique_id"`
		OriginalMessageURL string `json:"original_message_url,omitempty"`
		PECServerServiceID string `json:"pec_server_service_id,omitempty"`
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
			RequireSecureChannels: m.RequireSecureChannels,
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
	if p := m.Prescription; p != nil {
		w.Content.Prescription = &wirePrescription{p.NRE.Reveal(), p.IUP.Reveal(), p.Prescriber.Reveal()}
	}
	if l := m.Legal; l != nil {
		w.Content.Legal = &wireLegal{l.SenderMailFrom, l.HasAttachment, l.MessageUniqueID, l.OriginalMessageURL, l.PECServerServiceID}
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
	if !m.DefaultEmail.IsZero() {
		w.DefaultAddresses = &wireAddresses{m.DefaultEmail.Reveal()}
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(w)
	return b.Bytes(), err
}
