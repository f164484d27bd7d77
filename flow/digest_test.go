package flow_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"golang.org/x/text/unicode/norm"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
)

// digestDraft returns a draft that uses all fields of the digest.
func digestDraft() flow.Draft {
	d := draft(1)
	d.Subject = flussi.NewText("Novità sulla TARI di Forlì")
	d.Content = flussi.NewText("Gentile cittadino,\n\nla rata è di 12,50 € – più l'eventuale mora.")
	d.IsPayment, d.Amount = true, 1250
	d.NoticeNumber, _ = flussi.ParseNoticeNumber("301005100001400678")
	d.DueDate = time.Date(2026, 6, 16, 21, 59, 59, 0, time.UTC)
	d.Occasion = "Sollecito marzo"
	return d
}

func TestDigestIgnoresInvisibleDifferences(t *testing.T) {
	want := digestDraft().Digest()
	replaced := func(old, new string) func(string) string {
		return func(s string) string { return strings.ReplaceAll(s, old, new) }
	}
	inserted := func(invisible string) func(string) string {
		return func(s string) string {
			runes := strings.Split(s, "")
			return invisible + strings.Join(runes, invisible) + invisible
		}
	}
	for name, respell := range map[string]func(string) string{
		"NFD":                       norm.NFD.String,
		"double blanks":             replaced(" ", "  "),
		"blanks at the end":         func(s string) string { return s + "  \n" },
		"blanks at the beginning":   func(s string) string { return "\t " + s },
		"no-break spaces":           replaced(" ", "\u00a0"),
		"narrow no-break spaces":    replaced(" ", "\u202f"),
		"ideographic spaces":        replaced(" ", "\u3000"),
		"line breaks":               replaced(" ", "\n"),
		"line breaks of Windows":    func(s string) string { return replaced("\n", "\r\n")(s) + "\r" },
		"line separators":           replaced(" ", "\u2028"),
		"next line":                 replaced(" ", "\u0085"),
		"soft hyphens":              inserted("\u00ad"),
		"zero-width spaces":         inserted("\u200b"),
		"zero-width joiners":        inserted("\u200d"),
		"word joiners":              inserted("\u2060"),
		"byte order marks":          inserted("\ufeff"),
		"bidirectional marks":       inserted("\u200f"),
		"bidirectional embeddings":  inserted("\u202b\u202c"),
		"bidirectional isolates":    inserted("\u2066\u2069"),
		"variation selectors":       inserted("\ufe0f"),
		"more variation selectors":  inserted("\U000e0100"),
		"combining grapheme joiner": inserted("\u034f"),
		"Hangul fillers":            inserted("\u3164"),
		"tags":                      inserted("\U000e0041"),
		"controls":                  inserted("\x01\x7f\u009f"),
	} {
		t.Run(name, func(t *testing.T) {
			for field, change := range map[string]func(*flow.Draft){
				"subject":  func(d *flow.Draft) { d.Subject = flussi.NewText(respell(d.Subject.Reveal())) },
				"content":  func(d *flow.Draft) { d.Content = flussi.NewText(respell(d.Content.Reveal())) },
				"occasion": func(d *flow.Draft) { d.Occasion = respell(d.Occasion) },
			} {
				d := digestDraft()
				change(&d)
				assert.Equal(t, want, d.Digest(), field)
			}
		})
	}
	for name, change := range map[string]func(*flow.Draft){
		"the case of the occasion":  func(d *flow.Draft) { d.Occasion = "SOLLECITO marzo" },
		"parts of a second":         func(d *flow.Draft) { d.DueDate = d.DueDate.Add(999 * time.Millisecond) },
		"another time zone":         func(d *flow.Draft) { d.DueDate = d.DueDate.In(time.FixedZone("", 7200)) },
		"the caller's reference":    func(d *flow.Draft) { d.Reference = "R/1" },
		"whether it is payable yet": func(d *flow.Draft) { d.PayableAfterDue = true },
	} {
		d := digestDraft()
		change(&d)
		assert.Equal(t, want, d.Digest(), name)
	}
}

func TestDigestDependsOnEachField(t *testing.T) {
	seen := map[flow.Digest]string{digestDraft().Digest(): "the message itself"}
	text := func(of func(*flow.Draft) *flussi.Text, old, new string) func(*flow.Draft) {
		return func(d *flow.Draft) {
			before := of(d).Reveal()
			*of(d) = flussi.NewText(strings.Replace(before, old, new, 1))
			assert.NotEqual(t, before, of(d).Reveal())
		}
	}
	subject := func(d *flow.Draft) *flussi.Text { return &d.Subject }
	content := func(d *flow.Draft) *flussi.Text { return &d.Content }
	for name, change := range map[string]func(*flow.Draft){
		"another recipient":        func(d *flow.Draft) { d.Recipient = citizen(2) },
		"another amount":           func(d *flow.Draft) { d.Amount++ },
		"another due date":         func(d *flow.Draft) { d.DueDate = d.DueDate.Add(time.Second) },
		"no due date":              func(d *flow.Draft) { d.DueDate = time.Time{} },
		"1970":                     func(d *flow.Draft) { d.DueDate = time.Unix(0, 0) },
		"another notice number":    func(d *flow.Draft) { d.NoticeNumber = must.Get(flussi.ParseNoticeNumber("301005100001400779"))(t) },
		"no notice number":         func(d *flow.Draft) { d.NoticeNumber = flussi.NoticeNumber{} },
		"another occasion":         func(d *flow.Draft) { d.Occasion = "Sollecito aprile" },
		"no occasion":              func(d *flow.Draft) { d.Occasion = "" },
		"a letter in another case": text(subject, "TARI", "TARi"),
		"a letter without accent":  text(subject, "Forlì", "Forli"),
		"another accent":           text(subject, "Forlì", "Forlí"),
		"a blank less":             text(subject, "di Forlì", "diForlì"),
		"a dash for a dash":        text(content, "–", "—"),
		"a curly apostrophe":       text(content, "l'", "l’"),
		"a digit":                  text(content, "12,50", "12,60"),
		"a full stop less":         text(content, "mora.", "mora"),
		"a Cyrillic letter":        text(content, "mora", "m\u043era"),
		"subject to content":       func(d *flow.Draft) { d.Subject, d.Content = d.Content, d.Subject },
		"a word moves to the other": func(d *flow.Draft) {
			d.Subject, d.Content = flussi.NewText("Novità sulla TARI di"), flussi.NewText("Forlì "+d.Content.Reveal())
		},
	} {
		d := digestDraft()
		change(&d)
		other, same := seen[d.Digest()]
		assert.False(t, same, "%s is the same as %s", name, other)
		seen[d.Digest()] = name
	}
	assert.Zero(t, flow.Draft{Subject: flussi.NewText("Novità")}.Digest(), "a draft without recipient has none")
}

// The stored occasion gives the digest that the row had.
func TestStoredOccasionKeepsTheDigest(t *testing.T) {
	w := newWorld(t)
	d := draft(1)
	d.Occasion = "  Sollecito\u200b  perche\u0301 no "
	f, _, err := w.ImportFlow(t.Context(), operator, taxes, flow.Details{}, flow.DraftRows(d), flow.AddConfig{})
	assert.NoError(t, err)
	n := w.notifications(t, f.ID)[0]
	assert.Equal(t, "Sollecito perch\u00e9 no", n.Occasion)
	assert.Equal(t, d.Digest(), n.Digest())
	assert.Contains(t, do(t, w.NotificationHistory, n.ID)[0].Reason.Reveal(), "Occasione: Sollecito perch\u00e9 no.")
}

func FuzzDigestNormalisation(f *testing.F) {
	for _, text := range []string{
		"", " ", "a", " a\r\n b ", "perche\u0301", "\ufeffa\u200b", "\xff", "\xe2\x80", "e" + strings.Repeat("\u0301", 40), "e" + strings.Repeat("\u0323", 30) + "\u0302",
		"\u1100\u1161\u11a8", "a\u0323\u0307", "\u2000", "\u212b", "\U0001f3f4\U000e0067", "\u0130", "\u3164",
	} {
		f.Add(text, uint8(0), uint8(0))
	}
	hidden := []string{"\u00ad", "\u200b", "\u200e", "\u2060", "\u2069", "\ufe0f", "\ufeff", "\U000e0100", "\u034f", "\x00", "\x7f"}
	f.Fuzz(func(t *testing.T, text string, which, where uint8) {
		once := flow.NormalizeText(text)
		if twice := flow.NormalizeText(once); twice != once {
			t.Errorf("%q becomes %q, and that %q", text, once, twice)
		}
		if !utf8.ValidString(once) {
			t.Errorf("%q is not valid", once)
		}
		at := 0
		for i := range text {
			if i <= int(where) {
				at = i
			}
		}
		more := text[:at] + hidden[int(which)%len(hidden)] + text[at:]
		if got := flow.NormalizeText(more); got != once {
			t.Errorf("%q becomes %q, and %q becomes %q", text, once, more, got)
		}
		d := draft(1)
		d.Subject, d.Content, d.Occasion = flussi.NewText(text), flussi.NewText(text), text
		same := d
		same.Subject, same.Content, same.Occasion = flussi.NewText(more), flussi.NewText(once), once
		if d.Digest() != same.Digest() {
			t.Errorf("%q and %q have different digests", text, more)
		}
	})
}
