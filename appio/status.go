package appio

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/restcall"
)

// MessageStatus (stato consegna) is the platform's status of a message. It may be one that
// this library does not know: the platform adds more.
type MessageStatus string

// The statuses of a message.
const (
	StatusAccepted  MessageStatus = "ACCEPTED"  // will be processed
	StatusThrottled MessageStatus = "THROTTLED" // delayed by a temporary failure
	StatusProcessed MessageStatus = "PROCESSED" // stored in the citizen's inbox
	StatusFailed    MessageStatus = "FAILED"    // failed for good
	StatusRejected  MessageStatus = "REJECTED"  // the citizen is not on App IO, or blocks the service; the platform does not say which
)

// Final reports whether the status will not change again. An unknown status is not final.
func (s MessageStatus) Final() bool {
	return s == StatusProcessed || s == StatusFailed || s == StatusRejected
}

// ChannelStatus (stato mail, stato push) is the status of a notification by e-mail or push.
// It may be one that this library does not know.
type ChannelStatus string

// The statuses of a channel.
const (
	ChannelSent      ChannelStatus = "SENT"      // sent
	ChannelThrottled ChannelStatus = "THROTTLED" // delayed by a temporary failure
	ChannelExpired   ChannelStatus = "EXPIRED"   // too late
	ChannelFailed    ChannelStatus = "FAILED"    // failed for good
)

// ReadStatus says whether the citizen opened the message.
type ReadStatus string

// The read statuses.
const (
	ReadStatusUnavailable ReadStatus = "UNAVAILABLE" // the citizen does not share it
	ReadStatusUnread      ReadStatus = "UNREAD"      // not opened yet
	ReadStatusRead        ReadStatus = "READ"        // opened
)

// PaymentStatus says whether the notice of a message is paid.
type PaymentStatus string

// The payment statuses.
const (
	PaymentStatusPaid    PaymentStatus = "PAID"
	PaymentStatusNotPaid PaymentStatus = "NOT_PAID"
)

// MessageState is a message as the platform has it. A field that the platform does not send
// is zero; most of them are.
type MessageState struct {
	Status       MessageStatus // "" if the platform does not send it
	Email        ChannelStatus // usually "": the platform stopped sending it in July 2026
	Push         ChannelStatus // usually ""
	Read         ReadStatus    // for ADVANCED messages only
	Payment      PaymentStatus // for ADVANCED payment messages only
	ID           MessageID     // as in the request
	Service      string        // the ID of the service that sent it
	CreatedAt    time.Time     // UTC
	FeatureLevel FeatureLevel  // STANDARD or ADVANCED
	Subject      flussi.Text   // as sent
	Content      flussi.Text   // as sent
}

type wireState struct {
	Status        MessageStatus   `json:"status"`
	Notification  json.RawMessage `json:"notification"`
	ReadStatus    ReadStatus      `json:"read_status"`
	PaymentStatus PaymentStatus   `json:"payment_status"`
	Message       json.RawMessage `json:"message"`
}

// Message returns a message that was sent to a citizen. Its calls count for the [Pace], like
// submissions. Most messages are final within minutes: ask every few minutes, and give up
// after a day. The error is a [*flussi.InvalidError] if an argument is zero, or a
// [*flussi.RemoteError]: [flussi.ErrRemoteNotFound] if there is no message with the ID, and
// [flussi.ErrRemoteForbidden] with FromService if another service sent it. For
// an ADVANCED payment message the platform may answer 500, which is [flussi.ErrUnavailable],
// although the message is fine.
func (c *Client) Message(ctx context.Context, to flussi.FiscalCode, id MessageID) (MessageState, error) {
	v := &validation{}
	if to.IsZero() {
		v.Add("fiscal_code", flussi.ErrEmpty, "Manca il codice fiscale del destinatario.")
	}
	if id == "" {
		v.Add("id", flussi.ErrEmpty, "Manca l'ID del messaggio: non risulta inviato.")
	}
	if err := v.OrNil(); err != nil {
		return MessageState{}, err
	}
	wire, err := read[wireState](ctx, &c.engine, restcall.Operation{
		Name: opMessage, Method: http.MethodGet, Path: "/messages/" + url.PathEscape(to.Reveal()) + "/" + url.PathEscape(string(id)),
	}, to.Reveal())
	if err != nil {
		return MessageState{}, err
	}
	state := MessageState{
		Status: wire.Status, Read: wire.ReadStatus, Payment: wire.PaymentStatus, ID: id,
	}
	if channels := restcall.Object[struct {
		Email ChannelStatus `json:"email"`
		Push  ChannelStatus `json:"webhook"`
	}](wire.Notification); channels != nil {
		state.Email, state.Push = channels.Email, channels.Push
	}
	message := restcall.Object[struct {
		Service      string          `json:"sender_service_id"`
		CreatedAt    time.Time       `json:"created_at"`
		FeatureLevel FeatureLevel    `json:"feature_level_type"`
		Content      json.RawMessage `json:"content"`
	}](wire.Message)
	if message == nil {
		return state, nil
	}
	state.Service, state.CreatedAt, state.FeatureLevel = message.Service, message.CreatedAt.UTC(), message.FeatureLevel
	if message.CreatedAt.IsZero() {
		state.CreatedAt = time.Time{}
	}
	if content := restcall.Object[struct {
		Subject  flussi.Text `json:"subject"`
		Markdown flussi.Text `json:"markdown"`
	}](message.Content); content != nil {
		state.Subject, state.Content = content.Subject, content.Markdown
	}
	return state, nil
}
