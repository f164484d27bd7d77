package flow

import (
	"cmp"
	"errors"
	"strings"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/internal/core"
)

// Options (opzioni) are what App IO offers for a message besides its texts, due date and payment.
// The zero value is a message as the service sends it by default.
//
// A flow has standing options ([Details]). When a row is added, they fill in what the row leaves
// empty, and the notification stores the result: see [Options.Or]. Options of the flow that are
// edited later apply only to rows that are added later.
type Options struct {
	PlainText      Choice               // Testo semplice: the content is plain text, not Markdown; it is sent as [appio.PlainText] writes it
	SecureChannels appio.SecureChannels // Solo canali sicuri: see [appio.Message]
	FeatureLevel   appio.FeatureLevel   // Livello di servizio; "" is STANDARD
	Remote         RemoteContent        // Contenuto remoto
	Button1        Button               // Pulsante 1: below the text; see [appio.Markdown]
	Button2        Button               // Pulsante 2
}

// Choice is yes, no, or not set.
type Choice string

// The choices. In a row, "" takes the flow's choice. In a flow, "" means no.
const (
	ChoiceYes Choice = "yes"
	ChoiceNo  Choice = "no"
)

// RemoteContent (contenuto remoto) is content that remains with the sender. See [appio.ThirdParty].
// A message has it if any field is set. ID and ConfigurationID are then required.
type RemoteContent struct {
	ID                  string             // the sender's own identifier of the content, without personal data
	ConfigurationID     string             // Configurazione: a ULID that the platform assigned to the body
	OriginalSender      flussi.Text        // who the content comes from
	OriginalReceiptDate time.Time          // when the sender received it
	Attachments         Choice             // there are files to fetch; only with [appio.FeatureAdvanced]
	Text                Choice             // there is a text to fetch
	Precondition        appio.Precondition // when the app shows a warning before the content opens
	Summary             flussi.Text        // Riassunto
}

// Button (pulsante) is a button below a message. See [appio.Button].
type Button struct {
	Label        flussi.Text // in Italian
	EnglishLabel flussi.Text // Defaults to Label
	Link         flussi.Text // address that the button opens
}

// IsZero reports whether no option is set.
func (o Options) IsZero() bool { return o == Options{} }

// Or returns the options, with fields that are not set taken from standing, field by field. So a
// row can set the link of a button whose label the flow has. It cannot remove a button of the flow.
func (o Options) Or(standing Options) Options {
	o.PlainText = cmp.Or(o.PlainText, standing.PlainText)
	o.SecureChannels = cmp.Or(o.SecureChannels, standing.SecureChannels)
	o.FeatureLevel = cmp.Or(o.FeatureLevel, standing.FeatureLevel)
	o.Remote = o.Remote.or(standing.Remote)
	o.Button1, o.Button2 = o.Button1.or(standing.Button1), o.Button2.or(standing.Button2)
	return o
}

func (r RemoteContent) or(standing RemoteContent) RemoteContent {
	return RemoteContent{
		ID: cmp.Or(r.ID, standing.ID), ConfigurationID: cmp.Or(r.ConfigurationID, standing.ConfigurationID),
		OriginalSender:      cmp.Or(r.OriginalSender, standing.OriginalSender),
		OriginalReceiptDate: cmp.Or(r.OriginalReceiptDate, standing.OriginalReceiptDate),
		Attachments:         cmp.Or(r.Attachments, standing.Attachments), Text: cmp.Or(r.Text, standing.Text),
		Precondition: cmp.Or(r.Precondition, standing.Precondition), Summary: cmp.Or(r.Summary, standing.Summary),
	}
}

func (b Button) or(standing Button) Button {
	return Button{cmp.Or(b.Label, standing.Label), cmp.Or(b.EnglishLabel, standing.EnglishLabel), cmp.Or(b.Link, standing.Link)}
}

// normal returns the options as stores keep them.
func (o Options) normal() Options {
	if !o.Remote.OriginalReceiptDate.IsZero() {
		o.Remote.OriginalReceiptDate = core.Stored(o.Remote.OriginalReceiptDate)
	}
	return o
}

// thirdParty returns the remote content as App IO takes it, nil if there is none.
func (r RemoteContent) thirdParty() *appio.ThirdParty {
	if r == (RemoteContent{}) {
		return nil
	}
	return &appio.ThirdParty{
		ID: r.ID, ConfigurationID: r.ConfigurationID, OriginalSender: r.OriginalSender.Reveal(), OriginalReceiptDate: r.OriginalReceiptDate,
		HasAttachments: r.Attachments == ChoiceYes, HasRemoteContent: r.Text == ChoiceYes, HasPrecondition: r.Precondition, Summary: r.Summary,
	}
}

// buttons returns the buttons that are set, and the names of their fields.
func (o Options) buttons() (all []appio.Button, fields []string) {
	for i, b := range []Button{o.Button1, o.Button2} {
		if b != (Button{}) {
			all = append(all, appio.Button{Label: b.Label.Reveal(), EnglishLabel: b.EnglishLabel.Reveal(), Link: b.Link.Reveal()})
			fields = append(fields, []string{"Button1", "Button2"}[i])
		}
	}
	return all, fields
}

// content returns the Markdown that is sent for a content, with the definitions of the buttons
// first. If a button is not valid, it returns the error, and the Markdown without buttons.
func (o Options) content(content flussi.Text) (flussi.Text, error) {
	if o.PlainText == ChoiceYes {
		content = flussi.NewText(appio.PlainText(content.Reveal()))
	}
	if o.Button1 == (Button{}) && o.Button2 == (Button{}) {
		return content, nil
	}
	buttons, fields := o.buttons()
	if first, _, _ := strings.Cut(strings.TrimPrefix(content.Reveal(), "\ufeff"), "\n"); strings.TrimSpace(first) == "---" {
		return content, &flussi.ValueError{Type: fields[0] + ".Label", Err: appio.ErrFrontMatter,
			Reason: "Il contenuto definisce già dei pulsanti: togliere la definizione dal contenuto, oppure i pulsanti dalle opzioni."}
	}
	whole, err := appio.Markdown(content.Reveal(), buttons...)
	var wrong *flussi.ValueError
	if errors.As(err, &wrong) {
		named := *wrong
		named.Type, named.Position = fields[max(wrong.Position, 1)-1]+".Label", 0
		if errors.Is(wrong, appio.ErrLink) {
			named.Type = strings.TrimSuffix(named.Type, "Label") + "Link"
		}
		return content, &named
	}
	return whole, err
}

// check adds what the platform does not check, or what it cannot read.
func (o Options) check(e *core.Invalid) {
	for _, c := range []struct {
		field, name string
		choice      Choice
	}{
		{"PlainText", "Testo semplice", o.PlainText},
		{"Remote.Attachments", "Allegati del contenuto remoto", o.Remote.Attachments},
		{"Remote.Text", "Testo del contenuto remoto", o.Remote.Text},
	} {
		switch c.choice {
		case "", ChoiceYes, ChoiceNo:
		default:
			e.Fail(c.field, flussi.ErrRange, "%s: indicare Sì oppure No.", c.name)
		}
	}
	e.Text(core.TextRule{Field: "Remote.ID", Name: "l'identificativo del contenuto remoto", OneLine: true}, o.Remote.ID)
	e.Text(core.TextRule{Field: "Remote.OriginalSender", Name: "il mittente originale", OneLine: true}, o.Remote.OriginalSender.Reveal())
	e.Text(core.TextRule{Field: "Remote.Summary", Name: "il riassunto"}, o.Remote.Summary.Reveal())
}

// checkStanding adds what is wrong with the options of a flow. Rows may set the fields that the
// flow leaves empty.
func (o Options) checkStanding(e *core.Invalid) {
	if o.IsZero() {
		return
	}
	o.check(e)
	const text = "Un testo lungo abbastanza per un messaggio, con il quale si controllano le altre opzioni."
	whole := Draft{Subject: flussi.NewText("Controllo delle opzioni"), Content: flussi.NewText(text), Options: o}
	whole.Options.FeatureLevel = cmp.Or(o.FeatureLevel, appio.FeatureAdvanced)
	if o.Remote != (RemoteContent{}) {
		whole.Options.Remote.ID = cmp.Or(o.Remote.ID, "x")
		whole.Options.Remote.ConfigurationID = cmp.Or(o.Remote.ConfigurationID, "01ARZ3NDEKTSV4RRFFQ69G5FAV")
	}
	for _, b := range []*Button{&whole.Options.Button1, &whole.Options.Button2} {
		if *b != (Button{}) {
			*b = b.or(Button{Label: flussi.NewText("x"), Link: flussi.NewText("https://example.com")})
		}
	}
	_, err := whole.Options.content(whole.Content)
	e.Include(err)
	var platform *flussi.InvalidError
	if errors.As(whole.Message().Validate(), &platform) {
		for _, f := range platform.Fields {
			if field := draftField(f.Type); field != "Recipient" && field != "Content" {
				renamed := *f
				renamed.Type = field
				e.Fields = append(e.Fields, &renamed)
			}
		}
	}
}

// identity returns the options that distinguish messages: buttons and remote content.
func (o Options) identity() [8]string {
	return [...]string{
		o.Remote.ID, o.Remote.ConfigurationID,
		o.Button1.Label.Reveal(), o.Button1.EnglishLabel.Reveal(), o.Button1.Link.Reveal(),
		o.Button2.Label.Reveal(), o.Button2.EnglishLabel.Reveal(), o.Button2.Link.Reveal(),
	}
}

// rest returns the other options, which only say how a message is shown and sent.
func (o Options) rest() [9]string {
	received := ""
	if !o.Remote.OriginalReceiptDate.IsZero() {
		received = core.Stored(o.Remote.OriginalReceiptDate).Format(time.RFC3339Nano)
	}
	return [...]string{
		string(o.PlainText), string(o.SecureChannels), string(o.FeatureLevel), o.Remote.OriginalSender.Reveal(), received,
		string(o.Remote.Attachments), string(o.Remote.Text), string(o.Remote.Precondition), o.Remote.Summary.Reveal(),
	}
}
