package engine

import (
	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/flow"
)

// optionsField stores the options of a flow or a notification as JSON, "" if there are none. No
// list searches in it.
type optionsField struct{ of *flow.Options }

// options is the JSON form of [flow.Options].
type options struct {
	PlainText      string  `json:"plain_text,omitempty"`
	SecureChannels string  `json:"secure_channels,omitempty"`
	FeatureLevel   string  `json:"feature_level,omitempty"`
	Remote         *remote `json:"remote,omitempty"`
	Button1        *button `json:"button_1,omitempty"`
	Button2        *button `json:"button_2,omitempty"`
}

// remote is the JSON form of [flow.RemoteContent].
type remote struct {
	ID            string `json:"id,omitempty"`
	Configuration string `json:"configuration,omitempty"`
	Sender        string `json:"sender,omitempty"`
	Received      *int64 `json:"received,omitempty"`
	Attachments   string `json:"attachments,omitempty"`
	Text          string `json:"text,omitempty"`
	Precondition  string `json:"precondition,omitempty"`
	Summary       string `json:"summary,omitempty"`
}

// button is the JSON form of [flow.Button].
type button struct {
	Label        string `json:"label,omitempty"`
	EnglishLabel string `json:"english_label,omitempty"`
	Link         string `json:"link,omitempty"`
}

func (f optionsField) encode() string {
	o := *f.of
	if o.IsZero() {
		return ""
	}
	stored := options{
		PlainText: encode(o.PlainText), SecureChannels: encode(o.SecureChannels), FeatureLevel: encode(o.FeatureLevel),
		Button1: encodeButton(o.Button1), Button2: encodeButton(o.Button2),
	}
	if r := o.Remote; r != (flow.RemoteContent{}) {
		stored.Remote = &remote{
			ID: encode(r.ID), Configuration: encode(r.ConfigurationID), Sender: encode(r.OriginalSender.Reveal()), Received: jsonTime(r.OriginalReceiptDate),
			Attachments: encode(r.Attachments), Text: encode(r.Text), Precondition: encode(r.Precondition), Summary: encode(r.Summary.Reveal()),
		}
	}
	return toJSON(stored)
}

// Scan implements sql.Scanner.
func (f optionsField) Scan(src any) error {
	*f.of = flow.Options{}
	var stored options
	if err := fromJSON(src, &stored); err != nil {
		return err
	}
	*f.of = flow.Options{
		PlainText: flow.Choice(decode(stored.PlainText)), SecureChannels: appio.SecureChannels(decode(stored.SecureChannels)),
		FeatureLevel: appio.FeatureLevel(decode(stored.FeatureLevel)), Button1: decodeButton(stored.Button1), Button2: decodeButton(stored.Button2),
	}
	if r := stored.Remote; r != nil {
		f.of.Remote = flow.RemoteContent{
			ID: decode(r.ID), ConfigurationID: decode(r.Configuration), OriginalSender: flussi.NewText(decode(r.Sender)), OriginalReceiptDate: timeOfJSON(r.Received),
			Attachments: flow.Choice(decode(r.Attachments)), Text: flow.Choice(decode(r.Text)),
			Precondition: appio.Precondition(decode(r.Precondition)), Summary: flussi.NewText(decode(r.Summary)),
		}
	}
	return nil
}

func encodeButton(b flow.Button) *button {
	if b == (flow.Button{}) {
		return nil
	}
	return &button{encode(b.Label.Reveal()), encode(b.EnglishLabel.Reveal()), encode(b.Link.Reveal())}
}

func decodeButton(b *button) flow.Button {
	if b == nil {
		return flow.Button{}
	}
	return flow.Button{Label: flussi.NewText(decode(b.Label)), EnglishLabel: flussi.NewText(decode(b.EnglishLabel)), Link: flussi.NewText(decode(b.Link))}
}
