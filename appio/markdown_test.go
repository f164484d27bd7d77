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
	} {
		t.Run(name, func(t *testing.T) {
			content, err := appio.Markdown("corpo", test.button)
			assert.ErrorIs(t, err, test.want)
			assert.True(t, content.IsZero())
			assert.Contains(t, flussi.Explain(err), "pulsante 1")
		})
	}
	button := appio.Button{Label: "a", Link: "https://x.it"}
	_, err := appio.Markdown("corpo", button, button, button)
	assert.ErrorIs(t, err, appio.ErrTooManyButtons)
	assert.Contains(t, flussi.Explain(err), "due pulsanti")
	for _, link := range []string{"ioit://main/messages", "iosso://https://x.it", "iohandledlink://https://x.it", "mailto:a@b.it", "http://x.it"} {
		_, err := appio.Markdown("corpo", appio.Button{Label: "a", Link: link})
		assert.NoError(t, err, link)
	}
}

func TestFrontMatter(t *testing.T) {
	body := strings.Repeat("Corpo del messaggio. ", 5)
	for name, test := range map[string]struct {
		content string
		good    bool
	}{
		"none":                        {body, true},
		"dashes later":                {"Titolo\n---\n" + body, true},
		"four dashes":                 {"----\n" + body, true},
		"dashes and text":             {"--- \u00a0testo\n" + body, true},
		"written by hand":             {"---\r\nit:\r\n    cta_1: \r\n        text: Paga\r\n        action: ioit://x\r\n---\r\n" + body, true},
		"with a comment":              {"---\n# pulsanti\n\nit:\n  cta_1:\n    text: \"a\"\n    action: \"b\"\n---\n" + body, true},
		"a ruler":                     {"---\n" + body, false},
		"a ruler with blanks":         {"---  \n" + body, false},
		"a ruler behind a mark":       {"\ufeff---\n" + body, false},
		"two rulers":                  {"---\n\n---\n" + body, false},
		"not closed":                  {"---\nit:\n  cta_1:\n    text: \"a\"\n    action: \"b\"\n", false},
		"closed, but without buttons": {"---\ntitle: x\n---\n" + body, false},
		"nothing else":                {"---", false},
	} {
		t.Run(name, func(t *testing.T) {
			m := message(t, 1)
			m.Content = flussi.NewText(test.content)
			if test.good {
				assert.NotErrorIs(t, m.Validate(), appio.ErrFrontMatter)
			} else {
				assert.ErrorIs(t, m.Validate(), appio.ErrFrontMatter)
			}
		})
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
