package flowtest

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/storetest"
)

var searchRules = []rule{
	{"a text is found whatever its case", func(p *probe) { p.searches(storetest.AnyCase()) }},
	{"a text that is looked for stands for itself", func(p *probe) { p.searches(storetest.Literally()) }},
}

// searches stores notes and subjects, and looks for texts in them.
func (p *probe) searches(texts storetest.Search) {
	flows := flowCatalogue{Kind: p.flows, Match: flow.FlowFilter.Match}
	notifications := notificationCatalogue{Kind: p.notifications, Match: flow.NotificationFilter.Match}
	for _, text := range texts.Stored {
		f, n := p.newFlow(), p.newNotification(uuid.Nil)
		f.Note, n.Subject = flussi.NewText(text), flussi.NewText(text)
		flows.All = append(flows.All, p.saveFlow(f))
		notifications.All = append(notifications.All, p.save(n))
	}
	for _, text := range texts.Wanted {
		what := fmt.Sprintf("the text %q", text)
		flows.Finds(what, flow.FlowFilter{Text: text})
		notifications.Finds(what, flow.NotificationFilter{Text: text})
	}
}
