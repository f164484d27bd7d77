package appio_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/internal/must"
)

const (
	button = "  cta_1:\n    text: \"Paga\"\n    action: \"iohandledlink://https://x.it\"\n"
	both   = "it:\n" + button + "en:\n" + button
)

// content returns a content with a front matter, or with what ought to be one.
func content(matter string) flussi.Text {
	return flussi.NewText(matter + strings.Repeat("Corpo del messaggio. ", 5))
}

func TestGoodFrontMatter(t *testing.T) {
	for name, test := range map[string]struct {
		matter string
		doubt  string // what Check says; "" for nothing
	}{
		"none":                 {"", ""},
		"dashes later":         {"Titolo\n---\n", ""},
		"two rulers later":     {"Titolo\n---\na\n---\n", ""},
		"four dashes":          {"----\n", ""},
		"dashes and text":      {"--- \u00a0testo\n", ""},
		"two buttons":          {"---\nit:\n" + button + strings.ReplaceAll(button, "cta_1", "cta_2") + "en:\n" + button + "---\n", ""},
		"with a comment":       {"---\n# pulsanti\n\n" + both + "---\n", ""},
		"comments on lines":    {"---\nit: # italiano\n  cta_1: # primo\n    text: Paga # ora\n    action: 'ioit://x' # qui\nen:\n" + button + "---\n", ""},
		"closed with dots":     {"---\n" + both + "...\n", ""},
		"Windows' line ends":   {strings.ReplaceAll("---\n"+both+"---\n", "\n", "\r\n"), ""},
		"a mark in front":      {"\ufeff---\n" + both + "---\n", ""},
		"plain texts":          {"---\nit:\n  cta_1:\n    text: Paga la tassa n. 3, oggi stesso!\n    action: iohandledlink://https://x.it/a?b=c&d=1#e\nen:\n" + button + "---\n", ""},
		"quotes within quotes": {"---\nit:\n  cta_1:\n    text: 'Paga l''avviso'\n    action: \"ioit://\\\"x\\\"\\u0041\"\nen:\n" + button + "---\n", ""},
		"keys in quotes":       {"---\n\"it\":\n  'cta_1' :\n    \"text\": Paga\n    action: ioit://x\nen:\n" + button + "---\n", ""},
		"another indent":       {"---\nit:\n cta_1:\n     text: Paga\n     action: ioit://x\nen:\n" + button + "---\n", ""},
		"action first":         {"---\nit:\n  cta_1:\n    action: ioit://x\n    text: Paga\nen:\n" + button + "---\n", ""},
		"Italian only":         {"---\r\nit:\r\n    cta_1: \r\n        text: Paga\r\n        action: ioit://x\r\n---\r\n", "in inglese"},
		"no English":           {"---\nit:\n" + button + "en:\n---\n", "in inglese"},
		"another language":     {"---\n" + both + "de:\n" + button + "---\n", "la riga 10"},
		"a third button":       {"---\n" + both + "  cta_3:\n    text: a\n---\n", "la riga 10"},
		"another field":        {"---\n" + both + "    colour: red\n---\n", "la riga 10"},
		"a form not read":      {"---\nit: {cta_1: {text: Paga, action: 'ioit://x'}}\nen:\n" + button + "---\n", "non si può verificare"},
		"an alias for a text":  {"---\nit:\n  cta_1:\n    text: *testo\n    action: ioit://x\nen:\n" + button + "---\n", "riga 4 è in una forma che non si può verificare"},
		"a tag before a text":  {"---\nit:\n  cta_1:\n    text: !!str 5\n    action: ioit://x\nen:\n" + button + "---\n", "riga 4 è in una forma che non si può verificare"},
		"a link in a block":    {"---\nit:\n  cta_1:\n    text: Paga\n    action: >\n      https://x.it\nen:\n" + button + "---\n", "riga 5 è in una forma che non si può verificare"},
		"a block with a sign":  {"---\nit:\n  cta_1:\n    text: |x\n      Paga\n    action: ioit://x\nen:\n" + button + "---\n", "riga 4 è in una forma che non si può verificare"},
		"blanks in quotes":     {"---\nit:\n  cta_1:\n    text: Paga\n    action: \" iohandledlink://https://x.it \"\nen:\n  cta_1:\n    text: Pay\n    action: \"ioit://x \"\n---\n", ""},
		"a word like a key":    {"Si veda cta_1 e\ncta_3: altro\n", ""},
		"a text in a block":    {"---\nit:\n  cta_1:\n    text: >\n      Paga\n      ora\n    action: ioit://x\nen:\n" + button + "---\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := message(t, 1)
			m.Content = content(test.matter)
			require.NoError(t, m.Validate())
			if test.doubt == "" {
				assert.NoError(t, m.Check())
				return
			}
			assert.ErrorIs(t, m.Check(), appio.ErrFrontMatter)
			assert.Contains(t, flussi.Explain(m.Check()), test.doubt)
		})
	}
}

// Front matter that people typed, and whose buttons or text the app would not show.
func TestBrokenFrontMatter(t *testing.T) {
	replaced := func(old, by string) string { return "---\n" + strings.Replace(both, old, by, 1) + "---\n" }
	for name, test := range map[string]struct{ matter, want string }{
		"a null button":          {"---\nit:\n  cta_1: null\nen:\n  cta_1: null\n---\n", "riga 3: il pulsante è vuoto"},
		"an empty button":        {"---\nit:\n  cta_1:\nen:\n  cta_1:\n---\n", "riga 3: il pulsante è vuoto"},
		"a text for a button":    {replaced("cta_1:\n    text: \"Paga\"\n    action: \"iohandledlink://https://x.it\"", "cta_1: Paga"), "riga 3: il pulsante è vuoto"},
		"a null second button":   {replaced("en:", "  cta_2: ~\nen:"), "riga 6: il pulsante è vuoto"},
		"no text":                {replaced("    text: \"Paga\"\n", ""), "riga 3: nel pulsante manca «text»"},
		"no action":              {replaced("    action: \"iohandledlink://https://x.it\"\n", ""), "riga 3: nel pulsante manca «action»"},
		"an empty text":          {replaced("\"Paga\"", "\" \""), "riga 4: «text» è vuoto"},
		"a null text":            {replaced("\"Paga\"", "null"), "riga 4: «text» è vuoto"},
		"a number":               {replaced("\"Paga\"", "2026"), "riga 4: «text» non è un testo"},
		"a date":                 {replaced("\"Paga\"", "2026-06-16"), "riga 4: «text» non è un testo"},
		"true":                   {replaced("\"Paga\"", "true"), "riga 4: «text» non è un testo"},
		"a link without prefix":  {replaced("iohandledlink://", ""), "riga 5: l'app non apre questo collegamento"},
		"a link of a script":     {replaced("https://x.it", "javascript:x"), "riga 5: l'app non apre questo collegamento"},
		"in the English part":    {"---\nit:\n" + button + "en:\n  cta_1:\n    text: Pay\n    action: https://x.it\n---\n", "riga 9: l'app non apre questo collegamento"},
		"English only":           {"---\nen:\n" + button + "---\n", "solo in inglese"},
		"tabs":                   {"---\nit:\n\tcta_1:\n\t\ttext: a\n\t\taction: ioit://x\n---\n", "riga 3: la riga comincia con una tabulazione"},
		"no blank":               {replaced("text: \"Paga\"", "text:\"Paga\""), "riga 4: la riga non ha la forma"},
		"a colon in a text":      {replaced("\"Paga\"", "Paga: ora"), "riga 4: il testo ha caratteri che vanno fra virgolette"},
		"a control character":    {replaced("Paga", "Pa\aga"), "riga 4: la riga ha un carattere di controllo"},
		"an at sign":             {replaced("\"Paga\"", "@Paga"), "riga 4: il testo ha caratteri che vanno fra virgolette"},
		"quotes not closed":      {replaced("\"Paga\"", "\"Paga"), "riga 4: le virgolette non sono chiuse"},
		"quotes closed early":    {replaced("\"Paga\"", "\"Paga\" ora"), "riga 4: le virgolette non sono chiuse"},
		"an unknown escape":      {replaced("\"Paga\"", "\"Pag\\a\\q\""), "riga 4: le virgolette non sono chiuse"},
		"another indent":         {replaced("    action", "     action"), "riga 5: la riga ha un rientro maggiore"},
		"less indent":            {replaced("    action", "   action"), "riga 5: il rientro non è quello"},
		"twice the same":         {replaced("    action", "    text: b\n    action"), "riga 5: la stessa voce c'è già"},
		"only the second button": {replaced("cta_1", "cta_2"), "riga 2: manca il pulsante «cta_1»"},
		"CTA in capitals":        {replaced("cta_1", "CTA_1"), "riga 2: manca il pulsante «cta_1»"},
		"no language":            {"---\ncta_1:\n  text: a\n  action: ioit://x\n---\n", "non ne definisce nessuno"},
		"no buttons":             {"---\ntitle: x\n---\n", "non ne definisce nessuno"},
		"two rulers":             {"---\n\n---\n", "non ne definisce nessuno"},
		"a ruler":                {"---\n", "ciò che segue è testo"},
		"a ruler with blanks":    {"---  \n", "ciò che segue è testo"},
		"a ruler behind a mark":  {"\ufeff---\n", "ciò che segue è testo"},
		"blanks behind dashes":   {"--- \n" + both + "---\n", "togliere gli spazi"},
		"not closed":             {"---\n" + both, "chiudere la definizione"},
		"a block later":          {"Avviso --- n. 1\n\n---\nperso\n---\n", "La prima riga del contenuto ha tre trattini"},
		"braces for a text":      {replaced("\"Paga\"", "{a: b}"), "riga 4: «text» non è un testo"},
		"a list for a link":      {replaced("\"iohandledlink://https://x.it\"", "[ioit://x]"), "riga 5: «action» non è un testo"},
		"a blank before a link":  {replaced("iohandledlink://https://x.it", " ioit://x"), "riga 5: l'app non apre questo collegamento"},
		"a blank line before":    {"\n---\n" + both + "---\n", "senza niente prima"},
		"a blank before dashes":  {" ---\n" + both + "---\n", "senza niente prima"},
		"a text before":          {"Gentile cittadina,\n---\n" + both + "---\n", "senza niente prima"},
		"one dash":               {"—\n" + both + "—\n", "senza niente prima"},
		"many dashes":            {"-----\n" + both + "-----\n", "senza niente prima"},
		"no dashes":              {both, "senza niente prima"},
		"hard blanks":            {"\u00a0---\nit:\n\u00a0\u00a0cta_1:\n", "senza niente prima"},
		"keys in quotes later":   {"x\n\"it\":\n  \"cta_1\" : {}\n", "senza niente prima"},
		"a second definition":    {"---\n" + both + "---\n---\n" + both + "---\n", "senza niente prima"},
		"in a plain text":        {appio.PlainText("---\n"+both+"---\n") + "\n\n", "non può essere testo semplice"},
		"another fence":          {"= yaml =\n" + both + "= yaml =\n", "La prima riga"},
	} {
		t.Run(name, func(t *testing.T) {
			m := message(t, 1)
			m.Content = content(test.matter)
			err := m.Validate()
			assert.ErrorIs(t, err, appio.ErrFrontMatter)
			assert.Contains(t, flussi.Explain(err), test.want)
			assert.NotContains(t, flussi.Explain(err), "Paga")
			assert.NoError(t, m.Check(), "Validate says it")
		})
	}
	m := message(t, 1)
	m.Content = flussi.NewText("---")
	assert.ErrorIs(t, m.Validate(), appio.ErrFrontMatter)
}

// What passes is YAML with the buttons that the app wants, by a reader of YAML that is not ours.
func FuzzFrontMatter(f *testing.F) {
	for _, seed := range []string{
		both, "it:\n  cta_1: null\n", "it: {a: b}\n", "it:\n\tcta_1:\n", "it:\n  cta_1:\n    text: a: b\n    action: ioit://x\n", "it:\n  cta_1:\n    text: '1'\n    action: \"ioit://\\u0041\"\n",
		"it:\n  cta_1:\n    text: 0x1\n    action: ioit://x #c\n", " it:\n   cta_1:\n    text: é\n    action: ioit://x\n", "it:\n  cta_1:\n    text: - a\n    action: ioit://x\n", "a\n", "#\n  it:\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, matter string) {
		m := message(t, 1)
		m.Content = content("---\n" + matter + "\n---\n")
		err, doubts := m.Validate(), m.Check()
		if errors.Is(err, appio.ErrFrontMatter) {
			assert.NoError(t, doubts)
		}
		if err != nil {
			assert.NotEmpty(t, flussi.Explain(err))
			return
		}
		if doubts != nil && strings.Contains(flussi.Explain(doubts), "non si può verificare") || strings.ContainsAny(matter, "{[&*!|>\r\u0085\u2028\u2029\x00") {
			return
		}
		lines := strings.Split(matter, "\n")
		for i, line := range lines { // it ends at the first of these
			if trimmed := strings.TrimRight(line, " \t"); trimmed == "---" || trimmed == "..." {
				lines = lines[:i]
				break
			}
		}
		var read map[string]map[string]map[string]any
		require.NoError(t, yaml.Unmarshal([]byte(strings.TrimSpace(strings.Join(lines, "\n"))), &read))
		first := read["it"]["cta_1"]
		text, isText := first["text"].(string)
		assert.True(t, isText)
		assert.NotEmpty(t, strings.TrimSpace(text))
		action, isText := first["action"].(string)
		assert.True(t, isText)
		assert.Regexp(t, `(?i)^\s*(ioit|iosso|iohandledlink)://`, action)
	})
}

func TestACheckHasNothingToSayOfAMessageWithoutButtons(t *testing.T) {
	assert.NoError(t, message(t, 1).Check())
	m := message(t, 1)
	m.Content = must.Get(appio.Markdown("corpo", appio.Button{Label: "Paga", Link: "https://x.it"}))(t)
	assert.NoError(t, m.Check())
}
