package noticeflow

import (
	"errors"
	"fmt"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
)

// The texts that are used where a [Config] has none. Whatever the event, they are within the
// guide's limits.
const (
	// DefaultSubject is the template of the subject.
	DefaultSubject = `{{if gt .Rate 1}}Rata {{.Rata}}/{{.Rate}}{{else}}Da pagare{{end}}: {{.Evento}}`

	// DefaultContent is the template of the content.
	DefaultContent = `L'istituzione scolastica {{.Scuola}} ha emesso un avviso di pagamento{{if .Personale}} a Suo nome{{end}}.

**{{.Evento}}** (anno scolastico {{.AnnoScolastico}})

{{if and .Iniziali (not .Personale)}}- Alunno/a: {{.Iniziali}}
{{end -}}
- Causale: {{.Causale}}
{{- if gt .Rate 1}}
- Rata: {{.Rata}} di {{.Rate}}
{{- end}}
- Importo: {{.Importo}}
- Scadenza: {{.Scadenza}}

L'avviso si può pagare direttamente da questo messaggio
{{- if .Vincolante}}: dopo la scadenza non sarà più possibile{{end}}. Se il pagamento è già stato fatto, non serve fare altro.
`
)

// try makes the texts of invented notices, with the shortest and the longest values, and
// refuses templates that fail, or that are out of the limits with all of them.
func (m *Messages) try() error {
	subject, content := span{field: "Subject", name: "L'oggetto"}, span{field: "Content", name: "Il contenuto"}
	for v := range inventedValues {
		s, c, err := m.text.Execute(v.merged())
		if err != nil {
			return err
		}
		subject.add(s)
		content.add(c)
	}
	l := m.config.Limits
	return errors.Join(subject.within(l.MinSubject, l.MaxSubject), content.within(l.MinContent, l.MaxContent))
}

// span is how long texts of a template are.
type span struct {
	field, name     string
	some            bool
	least, greatest int
}

func (s *span) add(text flussi.Text) {
	n := text.Length()
	if !s.some || n < s.least {
		s.least = n
	}
	s.greatest, s.some = max(s.greatest, n), true
}

// within refuses texts that cannot be within limits.
func (s *span) within(least, most int) error {
	if s.greatest >= least && s.least <= most {
		return nil
	}
	n := s.greatest
	if s.least > most {
		n = s.least
	}
	return &flussi.ValueError{Type: s.field, Err: flussi.ErrLength,
		Reason: fmt.Sprintf("%s avrebbe %s: devono essere da %s a %s.", s.name, italian.Character.Count(n), italian.Number(least), italian.Number(most))}
}
