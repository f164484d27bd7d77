package mailmerge_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/mailmerge"
)

// A text is refused, or its messages have no front matter except that of the text, and filling it
// in ends.
func FuzzTexts(f *testing.F) {
	for _, seed := range []string{
		"{{.A}}", "{{euro .A}}{{data .B}}", `{{campo "A b"}}`, "{{if .A}}{{.A}}{{else}}{{numero .N}}{{end}}", `{{if and (eq .A "x") (gt .N 1)}}{{- .A -}}{{else if not .B}}y{{end}}`,
		"---\nit:\n  cta_1:\n---\n{{.A}}", "{{if .A}}{{end}}---\n{{.B}}", "{{/* x */}}---\n---\n{{link .A}}", "{{range 10}}{{end}}", `{{define "x"}}{{end}}`, "{{.A | maiuscole}}", "{{(.A)}}", "{{.A.B}}",
		"{{1.5}}{{true}}{{\"x\"}}", "{{if 1}}{{end}}", "{{printf .A}}", "{{eq .A .B .C}}", "{{-", "{{campo (campo \"x\")}}", "{{not (euro .A)}}", "{{or .A (and .B)}}",
	} {
		f.Add(seed, "---\nit: valore")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		parsed, err := mailmerge.Parse(text, text, mailmerge.Config{})
		if err != nil {
			require.ErrorIs(t, err, mailmerge.ErrTemplate)
			require.NotEqual(t, "Errore imprevisto: rivolgersi all'assistenza.", flussi.Explain(err))
			return
		}
		values := mailmerge.Values{}
		for _, field := range parsed.Fields() {
			switch field.Kind {
			case mailmerge.KindAmount:
				values[field.Name] = flussi.Cents(len(value))
			case mailmerge.KindDate:
				values[field.Name] = due
			case mailmerge.KindNumber:
				values[field.Name] = len(value)
			case mailmerge.KindText:
				values[field.Name] = value
			default:
				t.Fatal(field.Kind)
			}
		}
		_, content, err := parsed.Execute(values)
		_, _, plainErr := parsed.ExecutePlain(values)
		for _, err := range []error{err, plainErr} {
			if err != nil && !errors.Is(err, mailmerge.ErrMissing) && !errors.Is(err, mailmerge.ErrTemplate) {
				require.ErrorIs(t, err, flussi.ErrLength)
			}
		}
		if err == nil {
			first, _, _ := strings.Cut(content.Reveal(), "\n")
			own, _, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(text, "\ufeff")), "\n")
			require.False(t, strings.TrimSpace(first) == "---" && strings.TrimSpace(own) != "---")
		}
	})
}
