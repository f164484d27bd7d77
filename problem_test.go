package flussi_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/leaktest"
)

func problemOf(status int, title, detail string) *flussi.Problem {
	return &flussi.Problem{Status: status, Title: flussi.NewText(title), Detail: flussi.NewText(detail)}
}

func TestWordsHaveTitleDetailAndStatus(t *testing.T) {
	for want, p := range map[string]*flussi.Problem{
		"Recipient forbidden: You are not allowed. (HTTP 403)": problemOf(403, "Recipient forbidden", "You are not allowed."),
		"Recipient forbidden (HTTP 403)":                       problemOf(403, "Recipient forbidden", ""),
		"Only a detail (HTTP 400)":                             problemOf(400, "", "Only a detail"),
		"The same (HTTP 400)":                                  problemOf(400, "The same", "The same"),
		"A title: detail":                                      problemOf(0, "A title:", "detail"),
		"Odd":                                                  problemOf(-7, "Odd", ""),
		"":                                                     problemOf(500, "", " \n"),
	} {
		assert.Equal(t, want, p.Answer())
	}
	assert.Empty(t, (*flussi.Problem)(nil).Answer("x"))
}

func TestWordsAreOneLineWithoutControlCharacters(t *testing.T) {
	for said, want := range map[string]string{
		"one\r\n\ttwo\u2028three\u00a0four": "one two three four",
		"\x1b[31mred\x1b[0m":                "red",
		"\x1b[2J\x1b[1;1Hhome":              "home",
		"\x1b]0;title\x07after":             "after",
		"\x1b]8;;http://x.it\x1b\\link":     "link",
		"\u009b31mred":                      "red",
		"bell\x07, null\x00, del\x7f":       "bell, null, del",
		"\u202eright to left\u200b":         "right to left",
		"broken \xff\xfe UTF-8":             "broken UTF-8",
		`\u001b[31mred`:                     "red",
		"&lt;b&gt; &amp; &#27;[31mred":      "<b> & red",
		"\x1b":                              "",
	} {
		assert.Equal(t, want, problemOf(0, "", said).Answer(), "%q", said)
	}
}

func TestWordsAreCut(t *testing.T) {
	for _, detail := range []string{strings.Repeat("è parola ", 1000), strings.Repeat("a", 100_000) + " b"} {
		words := problemOf(400, "Title", detail).Answer()
		assert.LessOrEqual(t, utf8.RuneCountInString(words), flussi.MaxAnswer)
		assert.True(t, strings.HasPrefix(words, "Title"))
		assert.True(t, strings.HasSuffix(words, " (HTTP 400)"), words)
	}
	assert.Contains(t, problemOf(400, "", strings.Repeat("x ", 1000)).Answer(), "… (HTTP 400)")
}

func TestWordsMaskWhatTheRequestHeld(t *testing.T) {
	const (
		code    = "RSSMRA80A01H501U"
		subject = "Avviso di pagamento"
		content = "Gentile Mario Rossi,\nla targa \"AB123CD\" è sua.\n\nViale Città 7"
	)
	hide := []string{code, subject, content, "A1", "x", "pratica-42", ""}
	for name, test := range map[string]struct{ said, want string }{
		"the code":                   {"value [" + code + "] is not valid", "value [***] is not valid"},
		"in lower case":              {strings.ToLower(code), "***"},
		"the subject":                {"[" + subject + "]", "[***]"},
		"another case and space":     {"AVVISO  DI\nPAGAMENTO!", "***!"},
		"the whole content":          {"value [" + content + "] at [root]", "value [***] at [root]"},
		"the content, as JSON":       {`value "` + strings.Trim(jsonOf(content), `"`) + `" at`, `value "***" at`},
		"JSON within JSON":           {jsonOf(jsonOf(content)), `""***""`},
		"accents as escapes":         {`Viale Citt\u00e0 7`, "***"},
		"a line":                     {"not Viale Città 7", "not ***"},
		"a fragment":                 {"near: Mario Rossi,", "near: ***"},
		"a short reference":          {"reference A1, not A12 or BA1", "reference ***, not A12 or BA1"},
		"a reference":                {"third party pratica-42 unknown", "third party *** unknown"},
		"one character is no secret": {"x marks", "x marks"},
		"HTML":                       {"la targa &quot;AB123CD&quot; &egrave; sua.", "***"},
	} {
		assert.Equal(t, test.want, problemOf(0, "", test.said).Answer(hide...), name)
		assert.Equal(t, test.want, problemOf(0, test.said, "").Answer(hide...), name)
	}
}

func jsonOf(s string) string {
	body, _ := json.Marshal(s) // a string can always be written
	return string(body)
}

func TestWordsMaskWhatIsPersonalAnyway(t *testing.T) {
	for said, want := range map[string]string{
		"for BNCLRA85S55X778I here":                             "for *** here",
		"for MSCMHLSUPMUHNMMT here":                             "for *** here",
		"for bnclra85s55x778i here":                             "for *** here",
		"xBNCLRA85S55X778Ix":                                    "***",
		"BNC LRA 85S55 X778I":                                   "***",
		"/messages/BNCLRA85S55X778I/01ARZ":                      "/messages/***/01ARZ",
		"\u200bBNCLRA\u200b85S55X778I":                          "***",
		"body 80185250588":                                      "body ***",
		"notice 3010 0510 0001 4006 78":                         "notice ***",
		"write to mario.rossi@example.it.":                      "write to ***",
		"<mario@example.it>, \"m r\"@x.it":                      "<***>, ***",
		"mario%40example.it":                                    "***",
		"12345 cents exceed 1000":                               "12345 cents exceed 1000",
		"configuration 01HMVMHCZZ8D0VTFWMRHBM5D6F is not yours": "configuration 01HMVMHCZZ8D0VTFWMRHBM5D6F is not yours",
	} {
		assert.Equal(t, want, problemOf(0, said, "").Answer(), said)
	}
}

func TestARefusalOfTheServiceShowsItsWords(t *testing.T) {
	words := flussi.NewText("Recipient forbidden (HTTP 403)")
	e := &flussi.RemoteError{Package: "appio", Platform: "App IO", Operation: "submit message", Kind: flussi.ErrRemoteForbidden,
		Outcome: flussi.OutcomeRefused, Status: 403, FromService: true, Answer: words, Reason: "App IO ha rifiutato il messaggio."}
	assert.Equal(t, "App IO ha rifiutato il messaggio. Risposta della piattaforma: «Recipient forbidden (HTTP 403)».", flussi.Explain(e))
	assert.NotContains(t, e.Error(), "Recipient")
	for name, change := range map[string]func(*flussi.RemoteError){
		"the gateway's":           func(e *flussi.RemoteError) { e.FromService = false },
		"no words":                func(e *flussi.RemoteError) { e.Answer = flussi.Text{} },
		"an unknown outcome":      func(e *flussi.RemoteError) { e.Kind, e.Outcome = flussi.ErrOutcomeUnknown, flussi.OutcomeUnknown },
		"what is read and is not": func(e *flussi.RemoteError) { e.Kind, e.Outcome = flussi.ErrRemoteNotFound, "" },
	} {
		other := *e
		change(&other)
		assert.Equal(t, "App IO ha rifiutato il messaggio.", flussi.Explain(&other), name)
	}
}

func TestNoLogShowsWhatThePlatformSaid(t *testing.T) {
	const said = "parole della piattaforma"
	p := problemOf(403, said, said)
	r := leaktest.NewThorough()
	e := &flussi.RemoteError{Package: "appio", Kind: flussi.ErrRemoteForbidden, Problem: p, Answer: flussi.NewText(p.Answer()), Err: errors.New("x")}
	r.Print(e, *p, p)
	r.Logger().Info("m", "error", e)
	r.Check(t, said)
}

// Whatever the platform says and the request held: the words are one short line that can be
// printed, without what is hidden.
func FuzzProblemWords(f *testing.F) {
	for _, seed := range []string{"", "RSSMRA80A01H501U", "a\x1b[31mb", `\u001b]0;x`, "&#27;", "mario@x.it", strings.Repeat("è ", 300), "\xff", `\\\\u0041`, "12345678901"} {
		f.Add(seed, seed, "segreto di prova")
		f.Add("title "+seed, "value [segreto di prova] "+seed, seed)
	}
	f.Fuzz(func(t *testing.T, title, detail, secret string) {
		words := problemOf(400, title, detail).Answer(secret)
		assert.True(t, utf8.ValidString(words))
		assert.LessOrEqual(t, utf8.RuneCountInString(words), flussi.MaxAnswer)
		assert.NotContains(t, words, "  ")
		assert.False(t, strings.ContainsFunc(words, func(r rune) bool { return r != ' ' && !unicode.IsPrint(r) || r == unicode.ReplacementChar }), "%q", words)
		assert.NotRegexp(t, `(?i)[a-z]{6}[0-9lmnpqrstuv]{2}[a-z][0-9lmnpqrstuv]{2}[a-z][0-9lmnpqrstuv]{3}[a-z]`, words)
		assert.NotRegexp(t, `[0-9]{11}`, words)
		if isPlain(secret) {
			assert.NotContains(t, problemOf(400, "", "value ["+secret+"]").Answer(secret), secret)
		}
	})
}

// isPlain reports whether a text is shown as it is.
func isPlain(s string) bool {
	return len(s) >= 8 && len(s) < 100 && strings.TrimSpace(s) == s && !strings.Contains(s, "  ") && !strings.ContainsAny(s, "\\&*") && utf8.ValidString(s) &&
		!strings.ContainsFunc(s, func(r rune) bool { return r != ' ' && !unicode.IsPrint(r) || unicode.IsSpace(r) && r != ' ' })
}

func BenchmarkProblemWords(b *testing.B) {
	content := strings.Repeat("Gentile cittadina, gentile cittadino, ", 250)
	p := problemOf(400, "Invalid NewMessage", "value ["+content[:500]+"] at [root.content.markdown] is not a valid [string]")
	for b.Loop() {
		if words := p.Answer("RSSMRA80A01H501U", "Avviso di pagamento", content); !strings.Contains(words, "***") {
			b.Fatal(words)
		}
	}
}
