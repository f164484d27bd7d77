package flow_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/leaktest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/storetest"
)

// someOptions are options of which none is left open.
func someOptions(testing.TB) flow.Options {
	return flow.Options{
		PlainText: flow.ChoiceYes, SecureChannels: appio.SecureChannelsRequired, FeatureLevel: appio.FeatureAdvanced,
		Remote: flow.RemoteContent{
			ID: "DOC-1", ConfigurationID: "01ARZ3NDEKTSV4RRFFQ69G5FAV", OriginalSender: flussi.NewText("Comune di Prova"), OriginalReceiptDate: time.Date(2026, time.May, 4, 8, 0, 0, 0, time.UTC),
			Attachments: flow.ChoiceNo, Text: flow.ChoiceNo, Precondition: appio.PreconditionOnce, Summary: flussi.NewText("Un documento riservato"),
		},
		Button1: flow.Button{Label: flussi.NewText("Paga ora"), EnglishLabel: flussi.NewText("Pay now"), Link: flussi.NewText("https://example.com/paga?id=riservato")},
		Button2: flow.Button{Label: flussi.NewText("Chiama"), EnglishLabel: flussi.NewText("Call"), Link: flussi.NewText("tel:+390612345")},
	}
}

// otherOptions differ from someOptions in every field, and each field may change alone.
func otherOptions(testing.TB) flow.Options {
	return flow.Options{
		PlainText: flow.ChoiceNo, SecureChannels: appio.SecureChannelsNotRequired, FeatureLevel: appio.FeatureStandard,
		Remote: flow.RemoteContent{
			ID: "DOC-2", ConfigurationID: "01ARZ3NDEKTSV4RRFFQ69G5FAW", OriginalSender: flussi.NewText("Provincia di Prova"), OriginalReceiptDate: time.Date(2026, time.May, 5, 8, 0, 0, 0, time.UTC),
			Attachments: flow.ChoiceYes, Text: flow.ChoiceYes, Precondition: appio.PreconditionAlways, Summary: flussi.NewText("Un altro documento"),
		},
		Button1: flow.Button{Label: flussi.NewText("Paga"), EnglishLabel: flussi.NewText("Pay"), Link: flussi.NewText("https://example.com/paga")},
		Button2: flow.Button{Label: flussi.NewText("Scrivi"), EnglishLabel: flussi.NewText("Write"), Link: flussi.NewText("mailto:ufficio@example.com")},
	}
}

// What a row leaves open, its flow fills in, each field by itself.
func TestRowsTakeFromTheFlowWhatTheyLeaveOpen(t *testing.T) {
	row, standing := otherOptions(t), someOptions(t)
	assert.Equal(t, row, row.Or(standing))
	assert.Equal(t, standing, flow.Options{}.Or(standing))
	assert.Equal(t, row, row.Or(flow.Options{}))
	for i, field := range storetest.Fields(&row) {
		open := otherOptions(t)
		reflect.ValueOf(storetest.Fields(&open)[i].Pointer).Elem().SetZero()
		want := otherOptions(t)
		reflect.ValueOf(storetest.Fields(&want)[i].Pointer).Elem().Set(reflect.ValueOf(storetest.Fields(&standing)[i].Pointer).Elem())
		assert.Equal(t, want, open.Or(standing), field.Name)
	}
}

// The digests of drafts without options are those of earlier versions. Of the options, only buttons
// and remote content make another message.
func TestButtonsAndRemoteContentMakeAnotherMessage(t *testing.T) {
	d := draft(1)
	d.Options = someOptions(t)
	other := otherOptions(t)
	for i, field := range storetest.Fields(&other) {
		changed := d
		reflect.ValueOf(storetest.Fields(&changed.Options)[i].Pointer).Elem().Set(reflect.ValueOf(field.Pointer).Elem())
		another := strings.HasPrefix(field.Name, "Button") || field.Name == "Remote.ID" || field.Name == "Remote.ConfigurationID"
		assert.Equal(t, another, changed.Digest() != d.Digest(), field.Name)
		bare := draft(1)
		reflect.ValueOf(storetest.Fields(&bare.Options)[i].Pointer).Elem().Set(reflect.ValueOf(field.Pointer).Elem())
		assert.Equal(t, another, bare.Digest() != draft(1).Digest(), field.Name)
	}
	swapped := d
	swapped.Options.Button1, swapped.Options.Button2 = d.Options.Button2, d.Options.Button1
	assert.NotEqual(t, d.Digest(), swapped.Digest())
}

// A draft is the message that App IO gets.
func TestMessageHasTheOptions(t *testing.T) {
	d := draft(1)
	d.Options = someOptions(t)
	d.Content = flussi.NewText("Gentile Maria,\nè *tutto* pronto.\n" + strings.Repeat("Testo della notifica. ", 10))
	require.NoError(t, d.Validate(flow.GuideLimits()))
	m := d.Message()
	require.NoError(t, m.Validate())
	assert.Equal(t, appio.SecureChannelsRequired, m.SecureChannels)
	assert.Equal(t, appio.FeatureAdvanced, m.FeatureLevel)
	assert.Equal(t, &appio.ThirdParty{ID: "DOC-1", ConfigurationID: "01ARZ3NDEKTSV4RRFFQ69G5FAV", OriginalSender: "Comune di Prova",
		OriginalReceiptDate: d.Options.Remote.OriginalReceiptDate, HasPrecondition: appio.PreconditionOnce, Summary: flussi.NewText("Un documento riservato")}, m.ThirdParty)
	body := "Gentile Maria,\n\nè \\*tutto\\* pronto.\n\n" + strings.TrimSpace(strings.Repeat("Testo della notifica. ", 10))
	want := must.Get(appio.Markdown(body, appio.Button{Label: "Paga ora", EnglishLabel: "Pay now", Link: "https://example.com/paga?id=riservato"},
		appio.Button{Label: "Chiama", EnglishLabel: "Call", Link: "tel:+390612345"}))(t)
	assert.Equal(t, want.Reveal(), m.Content.Reveal())
	assert.Equal(t, draft(1).Content, draft(1).Message().Content)
}

func TestOptionsThatCannotBeSentAreRefused(t *testing.T) {
	long := strings.Repeat("a", 9_990)
	for name, c := range map[string]struct {
		edit  func(d *flow.Draft)
		field string
		class error
		says  string
	}{
		"choice":          {func(d *flow.Draft) { d.Options.PlainText = "segreto" }, "PlainText", flussi.ErrRange, "Testo semplice: indicare Sì oppure No."},
		"secure channels": {func(d *flow.Draft) { d.Options.SecureChannels = "segreto" }, "SecureChannels", flussi.ErrRange, "canali sicuri"},
		"level":           {func(d *flow.Draft) { d.Options.FeatureLevel = "segreto" }, "FeatureLevel", flussi.ErrRange, "livello"},
		"attachments": {func(d *flow.Draft) {
			d.Options.Remote.Attachments, d.Options.FeatureLevel = flow.ChoiceYes, appio.FeatureStandard
		}, "Remote.Attachments", appio.ErrFeatureLevel, "ADVANCED"},
		"remote without ID": {func(d *flow.Draft) { d.Options.Remote.ID = "" }, "Remote.ID", flussi.ErrEmpty, ""},
		"configuration":     {func(d *flow.Draft) { d.Options.Remote.ConfigurationID = "segreto" }, "Remote.ConfigurationID", flussi.ErrCharacter, "ULID"},
		"precondition":      {func(d *flow.Draft) { d.Options.Remote.Precondition = "segreto" }, "Remote.Precondition", flussi.ErrRange, ""},
		"button without label": {func(d *flow.Draft) {
			d.Options.Button2.Label, d.Options.Button2.EnglishLabel = flussi.Text{}, flussi.Text{}
		}, "Button2.Label", flussi.ErrEmpty, "Manca il testo"},
		"button without link": {func(d *flow.Draft) { d.Options.Button1.Link = flussi.Text{} }, "Button1.Link", appio.ErrLink, "Manca il collegamento del pulsante 1."},
		"only the second": {func(d *flow.Draft) {
			d.Options.Button1, d.Options.Button2.Link = flow.Button{}, flussi.NewText("segreto")
		}, "Button2.Link", appio.ErrLink, "Il collegamento del pulsante non è valido"},
		"label with a line": {func(d *flow.Draft) { d.Options.Button1.Label = flussi.NewText("segreto\n---") }, "Button1.Label", flussi.ErrCharacter, "caratteri non ammessi"},
		"buttons twice": {func(d *flow.Draft) {
			d.Options.PlainText = ""
			d.Content = flussi.NewText(must.Get(appio.Markdown(d.Content.Reveal(), appio.Button{Label: "x", Link: "https://example.com"}))(t).Reveal())
		}, "Button1.Label", appio.ErrFrontMatter, "definisce già dei pulsanti"},
		"too long with buttons": {func(d *flow.Draft) { d.Options.PlainText, d.Content = "", flussi.NewText(long) }, "Content", flussi.ErrLength, "(con i pulsanti)"},
		"too long as Markdown":  {func(d *flow.Draft) { d.Content = flussi.NewText(strings.Repeat("a*", 4_000)) }, "Content", flussi.ErrLength, "12.000 caratteri (con i segni"},
		"NUL":                   {func(d *flow.Draft) { d.Options.Remote.Summary = flussi.NewText("segreto\x00") }, "Remote.Summary", flussi.ErrCharacter, "caratteri non validi"},
	} {
		d := draft(1)
		d.Options = someOptions(t)
		require.NoError(t, d.Validate(flow.GuideLimits()))
		c.edit(&d)
		err := d.Validate(flow.GuideLimits())
		var invalid *flussi.InvalidError
		require.ErrorAs(t, err, &invalid, name)
		require.Len(t, invalid.Fields, 1, name)
		assert.Equal(t, c.field, invalid.Fields[0].Type, name)
		assert.ErrorIs(t, err, c.class, name)
		assert.Contains(t, flussi.Explain(err), c.says, name)
		leaktest.Check(t, []string{"egreto", "riservato"}, err)
		leaktest.Check(t, []string{"riservato"}, d, d.Options)
	}
}

// Buttons do not make up for a text that is too short.
func TestButtonsDoNotCountForTheShortestContent(t *testing.T) {
	d := draft(1)
	d.Options.Button1 = someOptions(t).Button1
	d.Content = flussi.NewText("Troppo breve.")
	assert.ErrorIs(t, d.Validate(flow.GuideLimits()), flussi.ErrLength)
}

// Standing options may lack what rows bring, but not be wrong.
func TestStandingOptionsMayLackWhatRowsBring(t *testing.T) {
	w := newWorld(t)
	all := someOptions(t)
	for i := range storetest.Fields(&all) {
		some := flow.Options{}
		reflect.ValueOf(storetest.Fields(&some)[i].Pointer).Elem().Set(reflect.ValueOf(storetest.Fields(&all)[i].Pointer).Elem())
		_, err := w.CreateFlow(t.Context(), operator, taxes, flow.Details{Options: some})
		require.NoError(t, err, storetest.Fields(&all)[i].Name)
	}
	for _, wrong := range []flow.Options{
		{PlainText: "x"}, {SecureChannels: "x"}, {FeatureLevel: "x"}, {Remote: flow.RemoteContent{ConfigurationID: "x"}}, {Remote: flow.RemoteContent{Precondition: "x"}},
		{Button1: flow.Button{Link: flussi.NewText("x")}}, {Button2: flow.Button{Label: flussi.NewText("a\nb")}}, {FeatureLevel: appio.FeatureStandard, Remote: flow.RemoteContent{Attachments: flow.ChoiceYes}},
	} {
		_, err := w.CreateFlow(t.Context(), operator, taxes, flow.Details{Options: wrong})
		require.ErrorIs(t, err, flussi.ErrInvalid, "%+v", wrong)
		assert.NotEqual(t, "Errore imprevisto: rivolgersi all'assistenza.", flussi.Explain(err))
	}
}

// Notifications keep the options with which they were added; the flow's later options concern the
// rows that are added later.
func TestOptionsOfAFlowConcernTheRowsThatAreAddedLater(t *testing.T) {
	w := newWorld(t)
	first := flow.Options{Button1: flow.Button{Label: flussi.NewText("Apri"), Link: flussi.NewText("https://example.com/1")}}
	f := must.Get(w.CreateFlow(t.Context(), operator, taxes, flow.Details{Options: first}))(t)
	own := draft(2)
	own.Options = flow.Options{FeatureLevel: appio.FeatureAdvanced, Button1: flow.Button{Link: flussi.NewText("https://example.com/suo")}}
	must.Get(w.AddNotifications(t.Context(), operator, f.ID, flow.DraftRows(draft(1), own), flow.AddConfig{}))(t)
	f = must.Get(w.Flow(t.Context(), operator, f.ID))(t)
	second := flow.Options{SecureChannels: appio.SecureChannelsNotRequired}
	f = must.Get(w.EditFlow(t.Context(), operator, f.ID, f.Version, flow.Details{Options: second}))(t)
	assert.Equal(t, second, f.Options)
	must.Get(w.AddNotifications(t.Context(), operator, f.ID, flow.DraftRows(draft(3)), flow.AddConfig{}))(t)
	var all []flow.Options
	for n, err := range w.AllNotifications(t.Context(), operator, flow.NotificationFilter{Flow: f.ID}) {
		require.NoError(t, err)
		all = append(all, n.Options)
	}
	assert.Equal(t, []flow.Options{first, own.Options.Or(first), second}, all)
}
