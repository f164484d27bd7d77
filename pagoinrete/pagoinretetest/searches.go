package pagoinretetest

import (
	"fmt"

	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete"
)

var searchRules = []rule{
	{"a text is found whatever its case", func(p *probe) { p.searches(storetest.AnyCase()) }},
	{"a text that is looked for stands for itself", func(p *probe) { p.searches(storetest.Literally()) }},
	{"a text is found in the name or in the causale, and not across both", textsAreFoundInEither},
}

// searches stores names and causali, and looks for texts in them.
func (p *probe) searches(texts storetest.Search) {
	events := eventCatalogue{Kind: p.events, Match: pagoinrete.EventFilter.Match}
	for _, text := range texts.Stored {
		byName, byCausale := p.newEvent(), p.newEvent()
		byName.Name, byCausale.Causale = text, text
		events.All = append(events.All, p.saveEvent(byName), p.saveEvent(byCausale))
	}
	for _, text := range texts.Wanted {
		events.Finds(fmt.Sprintf("the text %q", text), pagoinrete.EventFilter{Text: text})
	}
}

func textsAreFoundInEither(p *probe) {
	events := eventCatalogue{Kind: p.events, Match: pagoinrete.EventFilter.Match}
	for _, texts := range [][2]string{
		{"Visita a Firenze", "Visita a Roma"}, {"Visita a", "Firenze"}, {"Roma", ""}, {"", "Visita"}, {"Firenze", "Visita a"}, {"", ""},
	} {
		e := p.newEvent()
		e.Name, e.Causale, e.Category = texts[0], texts[1], "Visite a Siena"
		events.All = append(events.All, p.saveEvent(e))
	}
	for _, text := range []string{"firenze", "roma", "visita a", "a firenze", "visita a firenze", "aFirenze", "firenzevisita", "e visita", "siena"} {
		events.Finds(fmt.Sprintf("the text %q", text), pagoinrete.EventFilter{Text: text})
	}
}
