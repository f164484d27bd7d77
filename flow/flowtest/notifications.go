package flowtest

import (
	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

var notificationRules = []rule{
	{"a notification is read as it was stored", notificationsAreKept},
	{"a notification that is not there is not found", missingNotificationsAreNotFound},
}

func notificationsAreKept(p *probe) {
	f := p.saveFlow(p.newFlow())
	for _, with := range []string{"stored by SaveNotifications", "stored by SaveFlow"} {
		for _, of := range []uuid.UUID{f.ID, uuid.Nil} {
			store := func(n flow.Notification) flow.Notification {
				if with == "stored by SaveNotifications" {
					return p.save(n)
				}
				f = p.saveFlow(f, n)
				n.Version++
				return n
			}
			other := store(p.fullNotification(of))
			full := store(p.fullNotification(of))
			p.readsNotification("with all fields, "+with, full)

			changed := flow.Notification{}
			p.Fill(&changed, false)
			changed.ID, changed.FlowID, changed.Service, changed.CreatedAt, changed.Version = full.ID, of, full.Service, full.CreatedAt, full.Version
			changed.State, changed.Transmission.ErrorCode = flow.NotificationSent, flow.CodeUnreachable
			changed = store(changed)
			p.readsNotification("with all fields changed, "+with, changed)

			bare := p.newNotification(of)
			bare.ID, bare.Service, bare.CreatedAt, bare.Version = full.ID, full.Service, full.CreatedAt, changed.Version
			bare.Draft = flow.Draft{}
			p.readsNotification("with as little as may be, "+with, store(bare))
			p.readsNotification("that nobody changed, "+with, other)
		}
	}
}

// readsNotification checks that a notification is read as it should be, in every way.
func (p *probe) readsNotification(what string, want flow.Notification) {
	p.Equal("Notification "+what, p.notification(want.ID), want)
	listed := p.notifications(flow.NotificationFilter{IDs: []uuid.UUID{want.ID}}, flow.Page{Limit: 2})
	if len(listed) != 1 {
		p.Fail("Notifications gives %d with the ID of the one %s, not 1", len(listed), what)
		return
	}
	p.Equal("Notifications, the one "+what, listed[0], want)
}

func missingNotificationsAreNotFound(p *probe) {
	f := p.saveFlow(p.newFlow())
	for _, stored := range []bool{false, true} {
		if stored {
			p.saveAll(p.newNotification(f.ID))
		}
		for _, id := range []uuid.UUID{p.ID(), uuid.Nil, f.ID} {
			_, err := p.store.Notification(p.Ctx, id)
			p.Wants(flussi.ErrNotFound, err, "Notification of an ID that no notification was stored with")
		}
	}
	if listed := p.notifications(flow.NotificationFilter{IDs: []uuid.UUID{p.ID()}}, flow.Page{Limit: 1}); len(listed) != 0 {
		p.Fail("Notifications gives %d with an ID that was never stored", len(listed))
	}
}
