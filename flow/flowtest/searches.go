package flowtest

import (
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

var searchRules = []rule{
	{"a text is found whatever its case", textsAreFoundInAnyCase},
	{"a text that is looked for stands for itself", textsAreFoundLiterally},
}

// searches stores notes and subjects, and looks for texts in them.
func (p *probe) searches(stored []string, wanted []string) {
	flows := catalogue[flow.Flow, flow.FlowFilter]{"Flows", nil, flow.FlowFilter.Match, p.flows}
	notifications := catalogue[flow.Notification, flow.NotificationFilter]{"Notifications", nil, flow.NotificationFilter.Match, p.notifications}
	for _, text := range stored {
		f, n := p.newFlow(), p.newNotification(uuid.Nil)
		f.Note, n.Subject = flussi.NewText(text), flussi.NewText(text)
		flows.all = append(flows.all, p.saveFlow(f))
		notifications.all = append(notifications.all, p.save(n))
	}
	for _, text := range wanted {
		what := fmt.Sprintf("the text %q", text)
		flows.finds(p, what, flow.FlowFilter{Text: text})
		notifications.finds(p, what, flow.NotificationFilter{Text: text})
	}
}

func textsAreFoundInAnyCase(p *probe) {
	stored := []string{
		"è scaduto", "È SCADUTO", "È scaduto", "e scaduto", "Perché no", "PERCHÉ NO", "Perchè no", "CITTÀ", "città", "citta",
		"Più ore di lunedì", "PIÙ ORE DI LUNEDÌ", "Però", "PERÒ", "Avviso", "AVVISO", "aVVISO", "",
	}
	var wanted []string
	for _, text := range []string{"è scaduto", "perché", "città", "più ore", "lunedì", "però", "avviso"} {
		wanted = append(wanted, text, strings.ToUpper(text))
	}
	p.searches(stored, append(wanted, "È scaduto", "CITTà", "aVViSo"))
}

func textsAreFoundLiterally(p *probe) {
	stored := []string{
		"sconto 100% oggi", "sconto 1000 oggi", "sconto 100", "a_b_c", "aXbXc", "%%%", "___", "abc", `c:\dati`, `c:dati`, `c:\\dati`,
		"x*y", "xxy", "a?c", "[abc]", "(a+b)", "aab", "l'avviso", "l''avviso", `dice "ciao"`, "a--b", "$1 $2", "uno  due", "uno due", " uno", "uno\ndue", "",
	}
	p.searches(stored, []string{
		"100%", "100% oggi", "%oggi", "%oggi%", "a_b", "_b_", "%%%", "___", `c:\d`, `:\\d`, `c:d`, `\_b`, "x*y", "a?c", "[ab", "(a+b)", "a.c", "^abc",
		"l'a", "''a", `"ciao"`, "a--b", "$1 ", "uno due", "uno  due", " uno", "uno ", "uno\ndue",
	})
}
