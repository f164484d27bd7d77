package flowtest

import (
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/storetest"
)

var versionRules = storetest.Also(
	shared.Versions(), "what was changed in the meantime is not stored", claimsAreChanges,
)

func claimsAreChanges(p *probe) {
	f := p.saveFlow(p.sendingFlow())
	n := p.save(p.newNotification(f.ID))
	p.claim(f.ID, 1, long)
	n.State = flow.NotificationSent
	p.Conflicts("a notification that was claimed in the meantime", n)
}
