package appio_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/internal/must"
)

func TestMarkdown(t *testing.T) {
	body := strings.Repeat("Corpo del messaggio. ", 5)
	content, err := appio.Markdown(body,
		appio.Button{Label: `Paga "subito" \ ora`, Link: "https://www.comune.it/paga?a=1&b=\"2\""},
		appio.Button{Label: "Chiama", EnglishLabel: "Call", Link: "tel:+390612345"},
	)
	require.NoError(t, err)
	assert.Equal(t, `---
it:
  cta_1:
    text: "Paga \"subito\" \\ ora"
    action: "iohandledlink://https://www.comune.it/paga?a=1&b=\"2\""
  cta_2:
    text: "Chiama"
    action: "iohandledlink://tel:+390612345"
en:
  cta_1:
    text: "Paga \"subito\" \\ ora"
    action: "iohandledlink://https://www.comune.it/paga?a=1&b=\"2\""
  cta_2:
    text: "Call"
    action: "iohandledlink://tel:+390612345"
---
`+body, content.Reveal())
	m := message(t, 1)
	m.Content = content
	assert.NoError(t, m.Validate())

	assert.Equal(t, body, must.Get(appio.Markdown(body))(t).Reveal())
}

// The front matter counts for the length of the content.
func TestButtonsCountForTheLimit(t *testing.T) {
	m := message(t, 1)
	m.Content = must.Get(appio.Markdown(strings.Repeat("x", 9990), appio.Button{Label: "Paga", Link: "https://x.it"}))(t)
	assert.ErrorIs(t, m.Validate(), flussi.ErrLength)
	m.Content = must.Get(appio.Markdown("breve", appio.Button{Label: "Paga", Link: "https://x.it"}))(t)
	assert.NoError(t, m.Validate(), "the platform counts it too")
}

func TestMarkdownRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		button appio.Button
		want   error
	}{
		"no label":              {appio.Button{Link: "https://x.it"}, flussi.ErrEmpty},
		"a blank label":         {appio.Button{Label: "  ", Link: "https://x.it"}, flussi.ErrEmpty},
		"a line break":          {appio.Button{Label: "a\nb", Link: "https://x.it"}, flussi.ErrCharacter},
		"a line separator":      {appio.Button{Label: "a\u2028b", Link: "https://x.it"}, flussi.ErrCharacter},
		"broken UTF-8":          {appio.Button{Label: "a\xff", Link: "https://x.it"}, flussi.ErrCharacter},
		"an English line break": {appio.Button{Label: "a", EnglishLabel: "b\r", Link: "https://x.it"}, flussi.ErrCharacter},
		"no link":               {appio.Button{Label: "a"}, appio.ErrLink},
		"a relative link":       {appio.Button{Label: "a", Link: "/paga"}, appio.ErrLink},
		"a link without host":   {appio.Button{Label: "a", Link: "https:///paga"}, appio.ErrLink},
		"a script":              {appio.Button{Label: "a", Link: "javascript:alert(1)"}, appio.ErrLink},
		"a link with a break":   {appio.Button{Label: "a", Link: "https://x.it/\n---"}, appio.ErrLink},
		"a link with a space":   {appio.Button{Label: "a", Link: "https://x.it/a b"}, appio.ErrLink},
		"a phone without":       {appio.Button{Label: "a", Link: "tel:"}, appio.ErrLink},
		"an SMS to nobody":      {appio.Button{Label: "a", Link: "sms://"}, appio.ErrLink},
		"nothing to copy":       {appio.Button{Label: "a", Link: "copy: "}, appio.ErrLink},
		"a break to copy":       {appio.Button{Label: "a", Link: "copy:a\nb"}, appio.ErrLink},
		"a handled script":      {appio.Button{Label: "a", Link: "iohandledlink://javascript:alert(1)"}, appio.ErrLink},
		"a handled nothing":     {appio.Button{Label: "a", Link: "iohandledlink://"}, appio.ErrLink},
		"a handled phone of no": {appio.Button{Label: "a", Link: "iohandledlink://tel:"}, appio.ErrLink},
		"a blank before ioit":   {appio.Button{Label: "a", Link: " ioit://x"}, appio.ErrLink},
		"nowhere in the app":    {appio.Button{Label: "a", Link: "ioit://"}, appio.ErrLink},
	} {
		t.Run(name, func(t *testing.T) {
			content, err := appio.Markdown("corpo", test.button)
			assert.ErrorIs(t, err, test.want)
			assert.True(t, content.IsZero())
			assert.Contains(t, flussi.Explain(err), "del pulsante")
			assert.NotContains(t, flussi.Explain(err), "pulsante 1", "it may be the second one of the caller")
			_, err = appio.Markdown("corpo", appio.Button{Label: "a", Link: "https://x.it"}, test.button)
			assert.Contains(t, flussi.Explain(err), "del pulsante 2")
		})
	}
	button := appio.Button{Label: "a", Link: "https://x.it"}
	_, err := appio.Markdown("corpo", button, button, button)
	assert.ErrorIs(t, err, appio.ErrTooManyButtons)
	assert.Contains(t, flussi.Explain(err), "due pulsanti")
}

func TestMarkdownAcceptsWhatTheAppOpens(t *testing.T) {
	body := strings.Repeat("Corpo del messaggio. ", 5)
	for link, action := range map[string]string{
		"ioit://main/messages":                    "ioit://main/messages",
		"iosso://https://x.it":                    "iosso://https://x.it",
		"https://x.it/a?b=c#d":                    "iohandledlink://https://x.it/a?b=c#d",
		"http://x.it:8080":                        "iohandledlink://http://x.it:8080",
		"mailto:a@b.it":                           "iohandledlink://mailto:a@b.it",
		"tel:+39061234567":                        "iohandledlink://tel:+39061234567",
		"tel://061234567":                         "iohandledlink://tel://061234567",
		"sms:+393331234567":                       "iohandledlink://sms:+393331234567",
		"sms:+393331234567?body=ciao":             "iohandledlink://sms:+393331234567?body=ciao",
		"copy:IT60 X054 2811 1010 0000 0123 456":  "iohandledlink://copy:IT60 X054 2811 1010 0000 0123 456",
		"iohandledlink://https://x.it":            "iohandledlink://https://x.it",
		"iohandledlink://tel:+39061234567":        "iohandledlink://tel:+39061234567",
		"iohandledlink://sms:+393331234567":       "iohandledlink://sms:+393331234567",
		"iohandledlink://copy:301005100001400678": "iohandledlink://copy:301005100001400678",
		"iohandledlink://mailto:a@b.it":           "iohandledlink://mailto:a@b.it",
		"ioHandledLink://TEL:061234567":           "ioHandledLink://TEL:061234567",
	} {
		content, err := appio.Markdown(body, appio.Button{Label: "a", Link: link})
		require.NoError(t, err, link)
		assert.Contains(t, content.Reveal(), "    action: \""+action+"\"\n")
		m := message(t, 1)
		m.Content = content
		assert.NoError(t, m.Validate(), link)
		assert.NoError(t, m.Check(), link)
	}
}

// Whatever the body and the label: what Markdown composes is a front matter, and what
// is no front matter never passes for one.
func FuzzMarkdown(f *testing.F) {
	for _, seed := range []string{"corpo", "---\ncorpo", "---\nit:\n  cta_1:\n---\n", "\ufeff---", "\"\\", "a: b", "\xff"} {
		f.Add(seed, seed, "https://x.it/"+seed)
	}
	f.Fuzz(func(t *testing.T, body, label, link string) {
		content, err := appio.Markdown(body, appio.Button{Label: label, Link: link})
		if err != nil {
			assert.NotEmpty(t, flussi.Explain(err))
			return
		}
		m := appio.Message{Content: content}
		assert.NotErrorIs(t, m.Validate(), appio.ErrFrontMatter)
		assert.True(t, strings.HasSuffix(content.Reveal(), "\n---\n"+body))
	})
}
