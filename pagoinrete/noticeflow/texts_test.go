package noticeflow_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/leaktest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/noticeflow"
)

var long = strings.Repeat("Testo della scuola per le famiglie. ", 4)

// Whatever the event and the notice, the texts of the package can be sent.
func TestTheDefaultTextsAreWithinTheLimits(t *testing.T) {
	for _, name := range []string{"A", strings.Repeat("a", 100), strings.Repeat("*", 100), strings.Repeat("😀", 50)} {
		for _, binding := range []bool{false, true} {
			for _, instalments := range []int{1, 3, 24} {
				for _, debtor := range []string{"", "Rossi Maria"} {
					for _, schoolName := range []string{"", strings.Repeat("_", 100)} {
						w := newWorld(t, func(e *pagoinrete.Event) {
							e.Name, e.Causale, e.Binding = name, name, binding
							for len(e.Instalments) < instalments {
								e.Instalments = append(e.Instalments, e.Instalments[0])
							}
							e.Instalments = e.Instalments[:max(instalments, 2)]
						})
						w.seed(t, 1, func(n *pagoinrete.Notice) { n.DebtorName = flussi.NewText(debtor) })
						d := w.draft(t, noticeflow.Config{School: schoolName})
						require.NoError(t, d.Validate(flow.GuideLimits()))
						require.NoError(t, d.Message().Validate())
					}
				}
			}
		}
	}
}

func TestTemplatesHaveTheFieldsOfTheNotice(t *testing.T) {
	w := newWorld(t, func(e *pagoinrete.Event) { e.Category = "Visite e viaggi"; e.Binding = true })
	w.seed(t, 1, func(n *pagoinrete.Notice) { n.DebtorName = flussi.NewText("De Luca  d'Amico 'x élodie X ß 王芳 -") })
	d := w.draft(t, noticeflow.Config{School: "IC Via Verdi",
		Subject: "{{.Rata}}/{{.Rate}}\n {{.Importo}} {{.Scadenza}} {{.AnnoScolastico}} {{.Iniziali}} {{/* a note */}}",
		Content: long + "{{.Evento}}|{{.Causale}}|{{.Categoria}}|{{.Scuola}}|{{.Importo}}{{if and (eq .Rata 2) .Vincolante (not .Personale)}}|sì{{else}}|no{{end}}{{if eq .Evento \"Viaggio a Firenze\"}}|è questo{{end}}"})
	assert.Equal(t, "2/3 25,00 € 30/04/2099 2098/2099 D. L. D. É.", d.Subject.Reveal())
	assert.Equal(t, long+"Viaggio a Firenze|Viaggio di istruzione a Firenze|Visite e viaggi|IC Via Verdi|25,00 €|sì|è questo", d.Content.Reveal())
}

// No name is ever whole in a message, however short it is.
func TestNameIsShownAsInitials(t *testing.T) {
	for name, want := range map[string]string{
		"": "", "Rossi Maria": "R. M.", "rossi": "R.", "  Rossi\u00a0 Maria ": "R. M.", "王 芳": "", "王芳": "", "O": "", "O Mi": "M.", "R M": "", "R. M.": "",
		"(classe 3B) Rossi": "R.", "MSCMHL68P18H211K": "M.", "É E\u0301": "E.", "\xff\xfe": "", "ʼAb Cd": "C.", "Ørsted Åse": "Ø. Å.", "D'Amico": "D.", "\u202eRossi": "",
	} {
		w := newWorld(t, nil)
		w.seed(t, 1, func(n *pagoinrete.Notice) { n.DebtorName = flussi.NewText(name) })
		assert.Equal(t, strings.TrimSpace("Alunno/a: "+want), w.draft(t, noticeflow.Config{Subject: "Alunno/a: {{.Iniziali}}"}).Subject.Reveal(), name)
	}
}

// What the office wrote about the event is shown as it is, whatever signs are in it.
func TestTextsOfTheEventAreNoMarkdownAndNoTemplates(t *testing.T) {
	for name, want := range map[string]string{
		"Gita_3A_[qui](https://example.com)": `Gita\_3A\_\[qui\](https://example.com)`,
		"*tutti* `ora` <b>~~no~~|&lt;":       "\\*tutti\\* \\`ora\\` \\<b\\>\\~\\~no\\~\\~\\|\\&lt;",
		"--- it: cta_1":                      `\--- it: cta\_1`,
		"# Titolo":                           `\# Titolo`,
		"{{.Importo}}{{end}}":                "{{.Importo}}{{end}}",
		`a\*b`:                               `a\\\*b`,
		"a\u202eb\u2066c  d":                 "abc d",
		"1. Gita, 2) museo":                  `1\. Gita, 2) museo`,
		"C++ e 50%":                          "C++ e 50%",
	} {
		w := newWorld(t, func(e *pagoinrete.Event) { e.Name = name })
		w.seed(t, 1, nil)
		d := w.draft(t, noticeflow.Config{Subject: "Da pagare: {{.Evento}}", Content: "{{.Evento}}\n" + long})
		assert.Equal(t, want+"\n"+strings.TrimSpace(long), d.Content.Reveal())
		assert.NotContains(t, d.Subject.Reveal(), `\_`)
		assert.NoError(t, d.Validate(flow.GuideLimits()), name)
	}
}

// Templates that are wrong, or that would do more than to fill in fields, are refused when
// they are given, with the reason and without their text.
func TestTemplatesAreCheckedWhenTheyAreGiven(t *testing.T) {
	w := newWorld(t, nil)
	for text, says := range map[string]string{
		"{{.Importo":                        "Il contenuto non è un modello valido alla riga 1: ogni campo va scritto fra doppie parentesi graffe",
		"riga\n{{if .Importo}}":             "valido alla riga 2: ",
		"\n\n{{end}}":                       "valido alla riga 3: ",
		"{{segreto .Importo}}":              "valido alla riga 1: ",
		"\n{{.Segreto}}":                    "valido alla riga 2: il campo non esiste. I campi sono: Evento, Causale, Categoria, AnnoScolastico, Scuola, Importo, Scadenza, Rata, Rate, Iniziali, Personale, Vincolante.",
		"{{.DebtorName}}":                   "il campo non esiste",
		"{{.Evento.Segreto}}":               "il campo non esiste",
		"{{.}}":                             "ci possono essere solo campi",
		"{{range 1000000000}}{{end}}":       "ci possono essere solo campi",
		"{{range .Evento}}x{{end}}":         "ci possono essere solo campi",
		"{{with .Evento}}{{.}}{{end}}":      "ci possono essere solo campi",
		"{{$x := .Evento}}{{$x}}":           "ci possono essere solo campi",
		"{{if $x := .Evento}}x{{end}}":      "ci possono essere solo campi",
		`{{define "x"}}x{{end}}`:            "non può contenere altri modelli",
		`{{template "x"}}`:                  "ci possono essere solo campi",
		`{{block "x" .}}x{{end}}`:           "non può contenere altri modelli",
		`{{printf "%1000000d" 1}}`:          "ci possono essere solo campi",
		"{{call .Evento}}":                  "ci possono essere solo campi",
		"{{len .Evento}}":                   "ci possono essere solo campi",
		"{{html .Evento}}":                  "ci possono essere solo campi",
		"{{slice .Iniziali 0 1}}":           "ci possono essere solo campi",
		"{{nil}}":                           "non è un modello valido",
		`{{if eq .Rata "segreto"}}{{end}}`:  "un confronto è fra valori di tipo diverso",
		`{{if gt .Rata}}{{end}}`:            "o manca un valore",
		"{{.Importo .Rata}}":                "non è un modello valido",
		"{{if (.Evento).Segreto}}{{end}}":   "ci possono essere solo campi",
		"segreto":                           "Il contenuto avrebbe 7 caratteri: devono essere da 120 a 10.000.",
		strings.Repeat("x", 10_001):         "Il contenuto avrebbe 10.001 caratteri: devono essere da 120 a 10.000.",
		strings.Repeat("{{.Rata}}", 10_000): "è troppo lungo",
		strings.Repeat("(", 20_000):         "avrebbe 20.000 caratteri",
		"{{" + strings.Repeat("(", 20_000):  "ogni campo va scritto fra doppie",
	} {
		content := text
		if !strings.Contains(says, "avrebbe") {
			content = text + long
		}
		_, err := noticeflow.New(w.Service, w.flows, noticeflow.Config{Content: content})
		require.ErrorIs(t, err, flussi.ErrConfig, text[:min(len(text), 50)])
		assert.Contains(t, flussi.Explain(err), says, text[:min(len(text), 50)])
		leaktest.Check(t, []string{"segret"}, err)
		if !strings.Contains(says, "avrebbe") {
			require.ErrorIs(t, err, noticeflow.ErrTemplate)
		} else {
			require.ErrorIs(t, err, flussi.ErrLength)
		}
	}
}

func TestNewListsWhatIsWrongWithTheConfiguration(t *testing.T) {
	w := newWorld(t, nil)
	_, err := noticeflow.New(nil, nil, noticeflow.Config{Instalment: 25, School: strings.Repeat("x", 101), Subject: "{{", Content: "{{.X}}"})
	require.ErrorIs(t, err, flussi.ErrConfig)
	for _, says := range []string{"Il numero della rata deve essere da 1 a 24", "Il nome della scuola può avere al massimo 100 caratteri", "L'oggetto non è un modello", "Il contenuto non è un modello"} {
		assert.Contains(t, flussi.Explain(err), says)
	}
	for _, c := range []noticeflow.Config{{Instalment: -1}, {School: " "}, {School: "a\nb"}, {School: "\xff"}, {Occasion: strings.Repeat("x", 256)}, {Occasion: "a\x00"}, {Subject: "corto"}, {Subject: "{{.Rata}}"}, {Subject: strings.Repeat("x", 121)},
		{Limits: flow.Limits{MinSubject: 10, MaxSubject: 120, MinContent: 9_000, MaxContent: 10_000}}} {
		_, err := noticeflow.New(w.Service, w.flows, c)
		require.ErrorIs(t, err, flussi.ErrConfig)
		assert.NotEqual(t, "Errore imprevisto: rivolgersi all'assistenza.", flussi.Explain(err))
	}
	// What can be within the limits is not refused before there are notices.
	must.Get(noticeflow.New(w.Service, w.flows, noticeflow.Config{Subject: "{{.Evento}}", Content: "{{.Evento}} {{.Causale}}", Limits: flow.PlatformLimits()}))(t)
}

// A text that does not suit a notice is an error of its row.
func TestATextThatDoesNotSuitANoticeIsAnErrorOfItsRow(t *testing.T) {
	w := newWorld(t, func(e *pagoinrete.Event) { e.Name = "Gita" })
	n := w.seed(t, 1, nil)
	_, report, err := w.importAll(t, w.messages(t, noticeflow.Config{Subject: "{{.Evento}}"}), flow.AddConfig{})
	require.ErrorIs(t, err, flussi.ErrRows)
	assert.Equal(t, "Riga 1: L'oggetto ha 4 caratteri: devono essere da 10 a 120.", report.Added.Errors[0].Italian())

	_, err = noticeflow.New(w.Service, w.flows, noticeflow.Config{Content: long + `{{if eq .Evento "Gita"}}{{if eq .Rata "2"}}{{end}}{{end}}`})
	require.ErrorIs(t, err, noticeflow.ErrTemplate, "for no notice, a number is a text")
	_, wrong, _ := w.rows(t, noticeflow.Config{Content: `{{if ne .Evento "Gita"}}Avviso{{end}}` + "\n---\n" + long})
	require.ErrorIs(t, wrong[1], noticeflow.ErrTemplate)
	assert.Contains(t, flussi.Explain(wrong[1]), "L'avviso della rata 2 ("+n.ID.String()+") non può avere un messaggio")
}

// Whatever a template is, it is refused or gives texts, soon, and none that it was not given.
func FuzzTemplates(f *testing.F) {
	for _, seed := range []string{noticeflow.DefaultContent, noticeflow.DefaultSubject, "{{.Iniziali}}", `{{if and (eq .Rata 1) (lt .Rate 3)}}{{- 1.5 -}}{{else if true}}{{"x"}}{{end}}`,
		"{{range 10}}{{end}}", `{{define "x"}}{{template "x"}}{{end}}`, "---\nit:\n  cta_1:\n    text: \"{{.Importo}}\"\n---\n", "{{.Evento | printf}}", "{{break}}", "{{/*"} {
		f.Add(seed)
	}
	w := newWorld(f, nil)
	w.seed(f, 1, nil)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := noticeflow.New(w.Service, w.flows, noticeflow.Config{Content: text, Limits: flow.PlatformLimits()})
		if err != nil {
			require.ErrorIs(t, err, flussi.ErrConfig)
			require.NotEqual(t, "Errore imprevisto: rivolgersi all'assistenza.", flussi.Explain(err))
			return
		}
		rows := must.Get(m.Rows(t.Context(), assistant, w.event.ID, messageService, nil))(t)
		for row, err := range rows {
			if err == nil {
				require.LessOrEqual(t, len(row.Draft.Content.Reveal()), 50_000*300)
				require.Equal(t, strings.Contains(text, "Segreti"), strings.Contains(row.Draft.Content.Reveal(), "Segreti"))
			}
		}
	})
}
