package mailmerge_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/leaktest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/mailmerge"
)

// due is the end of 31 March 2027 in Italy.
var due = time.Date(2027, time.March, 31, 21, 59, 59, 0, time.UTC)

func TestFieldsAreFormattedByTheirKind(t *testing.T) {
	values := mailmerge.Values{
		"Nome": flussi.NewText("Élodie  Rossi"), "Importo": flussi.Cents(1234_50), "Scadenza": due, "Rate": 1234, "Città": "Forlì", "Data di nascita": time.Date(1980, time.May, 1, 12, 0, 0, 0, time.UTC),
		"Codice": "a_b/c d~è+", "Sconto": nil, "Nota": "",
	}
	for content, want := range map[string]string{
		"{{.Nome}}": "Élodie Rossi", "{{maiuscole .Nome}}, {{minuscole .Nome}}": "ÉLODIE ROSSI, élodie rossi",
		"{{euro .Importo}} {{.Importo}} {{.Importo | euro}}":                     "1.234,50 € 1.234,50 € 1.234,50 €",
		"{{data .Scadenza}} {{data_estesa .Scadenza}} {{.Scadenza}}":             "31/03/2027 31 marzo 2027 31/03/2027",
		"{{numero .Rate}} {{.Rate}}":                                             "1.234 1234",
		"{{.Città}}":                                                             "Forlì",
		`{{data (campo "Data di nascita")}}, {{campo "Data di nascita"}}`:        "01/05/1980, 01/05/1980",
		"https://example.com/?id={{link .Codice}}":                               "https://example.com/?id=a%5Fb%2Fc%20d%7E%C3%A8%2B",
		"{{if .Sconto}}{{euro .Sconto}}{{else}}niente{{end}}":                    "niente",
		"{{if .Nota}}x{{end}}{{if not .Nota}}y{{end}}":                           "y",
		"{{if and .Nome (gt .Rate 3) (eq .Città \"Forlì\")}}sì{{else}}no{{end}}": "sì",
		"{{if gt .Rate 2000}}a{{else if ge .Rate 1234}}b{{else}}c{{end}}":        "b",
	} {
		text, err := mailmerge.Parse("Oggetto", content, mailmerge.Config{})
		require.NoError(t, err, content)
		own := mailmerge.Values{}
		for _, f := range text.Fields() {
			own[f.Name] = values[f.Name]
		}
		subject, got, err := text.Execute(own)
		require.NoError(t, err, content)
		assert.Equal(t, want, got.Reveal(), content)
		assert.Equal(t, "Oggetto", subject.Reveal())
	}
}

// The uses of a field in both texts determine the kind of its values, and whether it is optional.
func TestUseOfAFieldSaysItsKind(t *testing.T) {
	text := must.Get(mailmerge.Parse("{{.Tributo}}: {{.Importo}}", `{{if .Sconto}}meno {{euro .Sconto}}{{end}} {{euro .Importo}} {{data .Entro}} {{if gt .Rate 1}}{{.Rate}}{{end}} {{campo "N. pratica"}}{{if not .Nota}}{{end}}`, mailmerge.Config{}))(t)
	assert.Equal(t, []mailmerge.Field{
		{"Tributo", mailmerge.KindText, false, true}, {"Importo", mailmerge.KindAmount, false, false}, {"Sconto", mailmerge.KindAmount, true, false}, {"Entro", mailmerge.KindDate, false, false},
		{"Rate", mailmerge.KindNumber, false, false}, {"N. pratica", mailmerge.KindText, false, true}, {"Nota", mailmerge.KindText, true, true},
	}, text.Fields())
}

// A field that the text only shows takes a value of any kind, and is written in the format of its
// kind.
func TestFieldsThatAreOnlyShownTakeAnyKind(t *testing.T) {
	text := must.Get(mailmerge.Parse("Da pagare: {{.Somma}}", `Entro il {{.Scadenza}}: {{.Somma}}{{if .Nota}} ({{.Nota}}){{end}}, {{campo "N. rate"}}.`, mailmerge.Config{}))(t)
	for _, f := range text.Fields() {
		assert.True(t, f.AnyKind && f.Kind == mailmerge.KindText, f.Name)
	}
	for _, test := range []struct {
		values        mailmerge.Values
		subject, want string
	}{
		{mailmerge.Values{"Somma": flussi.Cents(1234_50), "Scadenza": due, "N. rate": 1234}, "Da pagare: 1.234,50 €", "Entro il 31/03/2027: 1.234,50 €, 1234."},
		{mailmerge.Values{"Somma": "dieci", "Scadenza": flussi.NewText("31 *marzo*"), "N. rate": int64(2), "Nota": true}, "Da pagare: dieci", `Entro il 31 \*marzo\*: dieci (sì), 2.`},
	} {
		subject, content, err := text.Execute(test.values)
		require.NoError(t, err)
		assert.Equal(t, test.subject, subject.Reveal())
		assert.Equal(t, test.want, content.Reveal())
	}
	_, _, err := text.Execute(mailmerge.Values{"Somma": flussi.Cents(1), "Scadenza": time.Time{}, "N. rate": 1})
	assert.ErrorIs(t, err, mailmerge.ErrMissing)
	_, _, err = text.Execute(mailmerge.Values{"Somma": 1.5, "Scadenza": due, "N. rate": 1})
	assert.ErrorIs(t, err, mailmerge.ErrUnknown)
	// A field has one kind if a function or a comparison uses it, or if the Config declares it.
	for content, c := range map[string]mailmerge.Config{
		"{{.Somma}} {{maiuscole .Somma}}": {}, "{{.Somma}} {{link .Somma}}": {}, `{{.Somma}}{{if eq .Somma "x"}}{{end}}`: {},
		"{{.Somma}}": {Fields: []mailmerge.Field{{Name: "Somma", Kind: mailmerge.KindText}}}, "{{.Somma}} {{if eq .Somma .Nota}}{{end}}": {},
	} {
		text := must.Get(mailmerge.Parse("Oggetto", content, c))(t)
		assert.False(t, text.Fields()[0].AnyKind, content)
		_, _, err := text.Execute(mailmerge.Values{"Somma": flussi.Cents(1)})
		assert.ErrorIs(t, err, mailmerge.ErrUnknown, content)
	}
}

// A text that does more than fill in fields is refused with the number of the line, and without
// quoting it.
func TestTextsWithMoreThanFieldsAreRefused(t *testing.T) {
	for text, says := range map[string]string{
		"\n{{range .A}}x{{end}}":                  "alla riga 2: ci possono essere solo campi",
		"{{with .A}}{{end}}":                      "ci possono essere solo campi",
		`{{template "x"}}`:                        "ci possono essere solo campi",
		`{{define "x"}}x{{end}}`:                  "non può contenere altri modelli",
		`{{block "x" .}}x{{end}}`:                 "non può contenere altri modelli",
		`{{printf "%99999999d" 1}}`:               "ci possono essere solo campi",
		"{{call .Segreto}}":                       "ci possono essere solo campi",
		"{{len .Segreto}}":                        "ci possono essere solo campi",
		"{{html .Segreto}}":                       "ci possono essere solo campi",
		"{{index . \"Segreto\"}}":                 "ci possono essere solo campi",
		"{{$x := .A}}":                            "ci possono essere solo campi",
		"{{.}}":                                   "ci possono essere solo campi",
		"{{Segreto}}":                             "con il punto, come {{.Nome}}",
		"{{.Data di segreto}}":                    "se il nome ha spazi",
		"{{.Cod.Segreto}}":                        "non può contenere punti",
		`{{campo ""}}`:                            "può avere al massimo 60 caratteri",
		`{{campo " Segreto"}}`:                    "senza spazi all'inizio",
		`{{campo .Segreto}}`:                      "fra virgolette",
		`{{campo "Segreto" 1}}`:                   "fra virgolette",
		"{{euro}}":                                "si applica a un solo campo",
		"{{euro .A .B}}":                          "si applica a un solo campo",
		"{{euro 5}}":                              "si applica a un solo campo",
		"{{numero 1.5}}":                          "si applica a un solo campo",
		"{{euro .Segreto}} {{data .Segreto}}":     "è usato in due modi",
		"{{euro .A}}{{if gt .A 100}}{{end}}":      "si confrontano solo testi e numeri",
		"{{if gt .A .B}}{{end}}{{euro .A}}":       "si confrontano solo testi e numeri",
		"{{if gt .A}}{{end}}":                     "manca un valore",
		"{{if gt .A 1.5}}{{end}}":                 "senza decimali",
		"{{if gt .A 0x1F}}{{end}}":                "un numero può avere solo cifre",
		"{{if gt .A 'a'}}{{end}}":                 "un numero può avere solo cifre",
		"{{if gt .A 1i}}{{end}}":                  "un numero può avere solo cifre",
		"{{1.5}}":                                 "senza decimali",
		`{{if and (eq .A "x") (gt .A 1)}}{{end}}`: "tipo diverso",
		`{{if eq .A true}}{{end}}`:                "tipo diverso",
		"---\nit:\n  cta_1: {{.Segreto}}\n---\n":  "nella definizione dei pulsanti",
		"---\n{{if .A}}{{end}}it:\n---\n":         "nella definizione dei pulsanti",
		"---\nit:\n---{{.Segreto}}":               "nella definizione dei pulsanti",
		"{{if":                                    "ogni {{if}} va chiuso",
		strings.Repeat("{{.A}}", 10_000):          "è troppo lungo",
		"{{(.Segreto).X}}":                        "ci possono essere solo campi",
		"{{.A 1}}":                                "ci possono essere solo campi",
		"{{break}}":                               "ogni campo va scritto",
		"{{if (range .A)}}{{end}}":                "ogni campo va scritto",
		"{{.A | printf}}":                         "ci possono essere solo campi",
		"{{js .A | link}}":                        "ci possono essere solo campi",
		"{{link (urlquery .A)}}":                  "si applica a un solo campo",
	} {
		_, err := mailmerge.Parse("Oggetto", text, mailmerge.Config{})
		require.ErrorIs(t, err, mailmerge.ErrTemplate, text)
		assert.Contains(t, flussi.Explain(err), says, text)
		if !strings.Contains(says, "due modi") {
			leaktest.Check(t, []string{"egreto"}, err)
		}
	}
}

func TestValuesThatDoNotFitTheFieldsAreRefused(t *testing.T) {
	text := must.Get(mailmerge.Parse("{{.Nome}}", "{{euro .Importo}} {{if .Nota}}{{.Nota}}{{end}}", mailmerge.Config{}))(t)
	for _, c := range []struct {
		values mailmerge.Values
		class  error
		field  string
	}{
		{mailmerge.Values{"Nome": "Segreto"}, mailmerge.ErrMissing, "Importo"},
		{mailmerge.Values{"Nome": " \n", "Importo": flussi.Cents(1)}, mailmerge.ErrMissing, "Nome"},
		{mailmerge.Values{"Nome": "Segreto", "Importo": "segreto"}, mailmerge.ErrUnknown, "Importo"},
		{mailmerge.Values{"Nome": 1.5, "Importo": flussi.Cents(1)}, mailmerge.ErrUnknown, "Nome"},
		{mailmerge.Values{"Nome": "x", "Importo": due}, mailmerge.ErrUnknown, "Importo"},
		{mailmerge.Values{"Nome": "Segreto", "Importo": flussi.Cents(1), "Segreto": "segreto"}, mailmerge.ErrUnknown, "Values"},
		{mailmerge.Values{"Nome": strings.Repeat("Segreto", 20_000), "Importo": flussi.Cents(1)}, flussi.ErrLength, "Subject"},
	} {
		_, _, err := text.Execute(c.values)
		require.ErrorIs(t, err, c.class)
		var wrong *flussi.ValueError
		require.ErrorAs(t, err, &wrong)
		assert.Equal(t, c.field, wrong.Type)
		assert.NotEqual(t, "Errore imprevisto: rivolgersi all'assistenza.", flussi.Explain(err))
		leaktest.Check(t, []string{"egreto"}, err)
	}
	_, _, err := text.Execute(mailmerge.Values{"Nome": "x", "Importo": flussi.Cents(1), "Nmoe": "y"})
	assert.Equal(t, "C'è un valore per un campo che il testo non ha. Campi del testo: «Nome», «Importo» e «Nota».", flussi.Explain(err))
	_, _, err = text.Execute(mailmerge.Values{"Nome": "x", "Importo": flussi.Cents(0)})
	assert.NoError(t, err, "an amount of 0 is a value")

	zero := must.Get(mailmerge.Parse("x", "{{if .Importo}}{{euro .Importo}}{{else}}niente{{end}}{{if .Rate}}{{numero .Rate}}{{end}}", mailmerge.Config{}))(t)
	_, content, err := zero.Execute(mailmerge.Values{"Importo": flussi.Cents(0), "Rate": 0})
	require.NoError(t, err)
	assert.Equal(t, "niente", content.Reveal(), "and none for a condition")
}

// A value is shown as it is: it makes no structure of Markdown, no front matter, and no other
// field.
func TestValuesAreShownAsTheyAre(t *testing.T) {
	text := must.Get(mailmerge.Parse("{{.A}}", "{{.A}}\n{{if .B}}{{.B}}{{end}} altro", mailmerge.Config{}))(t)
	for value, want := range map[string]string{
		"---":                         `\---`,
		"# Titolo":                    `\# Titolo`,
		"1. uno":                      `1\. uno`,
		". uno":                       `\. uno`,
		"{{.B}}{{printf}}":            "{{.B}}{{printf}}",
		"a\n\n- b\r\n---":             "a - b ---",
		"[qui](javascript:x) *b*":     `\[qui\](javascript:x) \*b\*`,
		"a\u202eb":                    "ab",
		"https://example.com/a_b, c":  "<https://example.com/a_b>, c",
		"www.example.com/a_b":         `[www.example.com/a\_b](<http://www.example.com/a_b>)`,
		"mario_rossi@example.com":     "<mario_rossi@example.com>",
		"mario_rossi@example.com- x":  "<mario_rossi@example.com>- x",
		"Ecco!www.example.com/a_b":    `Ecco&#33;[www.example.com/a\_b](<http://www.example.com/a_b>)`,
		"https://example.com/![a](b)": `https\://example\.com/\!\[a\](b)`,
		"https://example.com/a?b=c-d": "https://example.com/a?b=c-d",
	} {
		_, content, err := text.Execute(mailmerge.Values{"A": value, "B": nil})
		require.NoError(t, err)
		assert.Equal(t, want+"\n altro", content.Reveal())
	}
	for _, c := range []struct{ content, value, want string }{
		{"Ecco!{{.A}}", "www.example.com/a_b", `Ecco&#33;[www.example.com/a\_b](<http://www.example.com/a_b>)`},
		{"{{.A}}[qui](https://example.com)", "Salve!", `Salve&#33;[qui](https://example.com)`},
		{"Ecco!{{.A}}", "qui", "Ecco!qui"},
		{"{{.A}}", "Ecco!", "Ecco!"},
		{"{{.A}}. Gentile", "2026", `2026\. Gentile`},
		{"Testo\n> {{.A}}) Gentile", "12", "Testo\n> 12\\) Gentile"},
		{"Pratica {{.A}}. Gentile", "2026", "Pratica 2026. Gentile"},
		{"![logo](https://example.com/{{link .A}}.png)", "a", "![logo](https://example.com/a.png)"},
	} {
		text := must.Get(mailmerge.Parse("x", c.content, mailmerge.Config{}))(t)
		_, content, err := text.Execute(mailmerge.Values{"A": c.value})
		require.NoError(t, err)
		assert.Equal(t, c.want, content.Reveal())
		_, plain, err := text.ExecutePlain(mailmerge.Values{"A": c.value})
		require.NoError(t, err)
		assert.NotContains(t, plain.Reveal(), "&#33;")
		assert.NotContains(t, plain.Reveal(), `\`)
	}
	made := must.Get(mailmerge.Parse("x", "{{if .A}}{{end}}---\nit:\n---\n", mailmerge.Config{}))(t)
	_, _, err := made.Execute(mailmerge.Values{"A": "x"})
	require.ErrorIs(t, err, mailmerge.ErrTemplate)
	own := must.Get(mailmerge.Parse("x", "---\nit:\n---\n{{.A}}", mailmerge.Config{}))(t)
	_, content, err := own.Execute(mailmerge.Values{"A": "---"})
	require.NoError(t, err)
	assert.Equal(t, "---\nit:\n---\n\\---", content.Reveal())
}

func TestDeclaredFieldsAreTheOnlyOnes(t *testing.T) {
	fields := []mailmerge.Field{{Name: "Nome", Kind: mailmerge.KindText}, {Name: "Rate", Kind: mailmerge.KindNumber}, {Name: "Personale", Kind: mailmerge.KindFlag}, {Name: "Nota", Kind: mailmerge.KindText, Optional: true}}
	text := must.Get(mailmerge.Parse("{{.Nome}}", "{{if eq .Personale true}}{{.Personale}}{{end}}{{.Nota}}", mailmerge.Config{Fields: fields}))(t)
	assert.Equal(t, fields, text.Fields())
	_, content, err := text.Execute(mailmerge.Values{"Nome": "x", "Rate": 2, "Personale": true})
	require.NoError(t, err)
	assert.Equal(t, "sì", content.Reveal())
	for text, says := range map[string]string{
		"{{.Altro}}": "il campo non esiste. I campi sono: Nome, Rate, Personale, Nota.", "{{euro .Altro}}": "il campo non esiste",
		"{{euro .Nome}}": "è usato in due modi, come «testo» e come «importo»", "{{if eq .Rate \"x\"}}{{end}}": "tipo diverso",
	} {
		_, err := mailmerge.Parse("x", text, mailmerge.Config{Fields: fields})
		require.ErrorIs(t, err, mailmerge.ErrTemplate)
		assert.Contains(t, flussi.Explain(err), says)
	}
}
