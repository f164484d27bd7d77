// Package shown_test compares plain texts with what a Markdown parser shows of them.
package shown_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/mailmerge"
)

// seeds are texts that Markdown would show in another way.
var seeds = []string{
	"Gentile Maria,\nil pagamento scade domani.\n\nCordiali saluti\nIl Comune", "# Titolo\n- uno\n+ due\n* tre\n1. quattro\n12) cinque", "---\nit:\n  cta_1:\n    text: x\n---\nTesto",
	"    rientro\n\tcodice", "Titolo\n===\nAltro\n---", "*a* _b_ **c** `d` ~~e~~ [f](g) ![h](i) <b>j</b> &amp; &#35; | k |", "a | b\n--|--\nc | d", "[x]: https://example.com",
	"https://example.com/a_b*c*?d=e&f=g. www.example.com/a_b_c mario_rossi_2@example.com", "https://example.com*", "_https://example.com/a_b", "<https://example.com>", "riga  \nriga\\\nriga", "a\\*b", "1.\n2)\n3.4 5)x", ": a\n! b\n= c", "> citazione", "```\nx\n```",
	"- [ ] fatto", "a\u2028b\u0085c", "www.a_.it", "http://", "www.", "ftp://a_b", "a@b_c.it", "\\", "&", "~", "[^1]", "`a", "**", "x\u00a0y", "mailto:a_b@example.com", "www.exam_ple.com)_", "https://a.it/(b_c)", "https://a.it/\\_b", "1.  a",
	"Vai su!www.exam_ple.com", "mario_rossi@example.com- [x]", "https://example.com![x](y)_", "www.a_b.it![x](y)", "www.<b>", "http://www.<b>", "www.a_b.it[^1]![x](y)a@b.it", "http://a.it,*", "a.b@c.it--|--",
}

// lines returns the texts of the paragraphs that the parser finds, and fails if it finds anything
// but paragraphs with text and addresses.
func lines(t *testing.T, markdown string) []string {
	source := []byte(markdown)
	parser := goldmark.New(goldmark.WithExtensions(extension.GFM, extension.DefinitionList, extension.Footnote)).Parser()
	var all []string
	for block := parser.Parse(text.NewReader(source)).FirstChild(); block != nil; block = block.NextSibling() {
		require.Equal(t, ast.KindParagraph, block.Kind(), "%q", markdown)
		var b strings.Builder
		require.NoError(t, ast.Walk(block, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
			if !entering {
				return ast.WalkContinue, nil
			}
			switch n := n.(type) {
			case *ast.Paragraph, *ast.Link:
			case *ast.Text:
				b.Write(unescaped(n.Segment.Value(source)))
				require.False(t, n.SoftLineBreak() || n.HardLineBreak(), "%q", markdown)
			case *ast.AutoLink:
				b.Write(n.Label(source))
			default:
				require.Failf(t, "structure", "%s in %q", n.Kind(), markdown)
			}
			return ast.WalkContinue, nil
		}))
		all = append(all, b.String())
	}
	return all
}

// unescaped resolves the escapes of a text, and the one reference to a character that they have, as
// the parser's renderer does.
func unescaped(segment []byte) []byte {
	var b []byte
	for i := 0; i < len(segment); i++ {
		if mark := "&#33;"; bytes.HasPrefix(segment[i:], []byte(mark)) {
			b = append(b, '!')
			i += len(mark) - 1
			continue
		}
		if segment[i] == '\\' && i+1 < len(segment) && segment[i+1] < unicode.MaxASCII && (unicode.IsPunct(rune(segment[i+1])) || unicode.IsSymbol(rune(segment[i+1]))) {
			i++
		}
		b = append(b, segment[i])
	}
	return b
}

// typed returns the lines of a plain text.
func typed(plain string) []string {
	var all []string
	for _, line := range strings.FieldsFunc(plain, func(r rune) bool { return strings.ContainsRune("\n\r\v\f\u0085\u2028\u2029", r) }) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// readable reports whether a message may have a text.
func readable(text string) bool {
	return strings.ToValidUTF8(text, "") == text && !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) })
}

// A plain text is shown line by line, as it was typed.
func FuzzPlainText(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, plain string) {
		if readable(plain) {
			require.Equal(t, typed(plain), lines(t, appio.PlainText(plain)), "%q", appio.PlainText(plain))
		}
	})
}

// Values are shown as they are wherever they stand in a paragraph.
func FuzzMergedValues(f *testing.F) {
	for i, seed := range seeds {
		f.Add(seed, seeds[(i+7)%len(seeds)])
	}
	merged := must.Get(mailmerge.Parse("{{if .A}}{{.A}}{{end}}", "{{if .A}}{{.A}}{{end}}\n\nGentile {{if .B}}{{.B}}{{end}}, testo: {{.A}}\n\nx{{.B}}\n\nEcco!{{.A}}\n\n{{.B}} . x", mailmerge.Config{}))(f)
	f.Fuzz(func(t *testing.T, a, b string) {
		if !readable(a) || !readable(b) {
			return
		}
		_, content, err := merged.Execute(mailmerge.Values{"A": flussi.NewText(a), "B": b})
		if err != nil {
			require.ErrorIs(t, err, flussi.ErrLength)
			return
		}
		one := func(s string) string { return strings.Join(strings.Fields(withoutDirection(s)), " ") }
		var want []string
		for _, paragraph := range []string{one(a), "Gentile " + one(b) + ", testo: " + one(a), "x" + one(b), "Ecco!" + one(a), one(b) + " . x"} {
			if paragraph != "" {
				want = append(want, strings.TrimSpace(paragraph))
			}
		}
		require.Equal(t, want, lines(t, content.Reveal()), "%q", content.Reveal())
	})
}

func withoutDirection(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s)
}
