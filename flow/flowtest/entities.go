package flowtest

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/flow"
)

// newFlow returns a flow with what every flow has.
func (p *probe) newFlow() flow.Flow {
	now := p.Now()
	return flow.Flow{ID: p.ID(), Service: "tributi", State: flow.FlowInactive, CreatedAt: now, UpdatedAt: now, UpdatedBy: "m.neri"}
}

// sendingFlow returns a flow from which may be claimed.
func (p *probe) sendingFlow() flow.Flow {
	f := p.newFlow()
	f.State = flow.FlowSending
	return f
}

// newNotification returns a notification with what every one has. The zero UUID makes it
// stand alone.
func (p *probe) newNotification(of uuid.UUID) flow.Notification {
	now := p.Now()
	return flow.Notification{
		ID: p.ID(), FlowID: of, Service: "tributi", State: flow.NotificationRegistered,
		Draft: flow.Draft{
			Recipient: p.FiscalCode(),
			Subject:   flussi.NewText("Avviso di pagamento"),
			Content:   flussi.NewText(fmt.Sprintf("Contenuto %d", p.Made())),
		},
		CreatedAt: now, UpdatedAt: now, UpdatedBy: "m.neri",
	}
}

// newNotifications returns some, each younger than the one before.
func (p *probe) newNotifications(of uuid.UUID, count int) []flow.Notification {
	all := make([]flow.Notification, count)
	for i := range all {
		all[i] = p.newNotification(of)
	}
	return all
}

// fullFlow returns a flow that is new, and of which no other field is zero.
func (p *probe) fullFlow() flow.Flow {
	var f flow.Flow
	p.Fill(&f, true)
	f.State, f.Version, f.Counts = flow.FlowIncomplete, 0, flow.Counts{}
	return f
}

// fullNotification returns a notification that is new, and of which no other field is
// zero.
func (p *probe) fullNotification(of uuid.UUID) flow.Notification {
	var n flow.Notification
	p.Fill(&n, true)
	n.FlowID, n.State, n.Transmission.ErrorCode, n.Version = of, flow.NotificationFailed, flow.CodeRefused, 0
	n.Delivery = knownDelivery(n.Delivery.CheckedAt)
	return n
}

// knownDelivery is a delivery of which no field is zero.
func knownDelivery(checked time.Time) flow.Delivery {
	return flow.Delivery{
		Status: appio.StatusProcessed, Email: appio.ChannelSent, Push: appio.ChannelExpired,
		Read: appio.ReadStatusUnread, Payment: appio.PaymentStatusNotPaid, CheckedAt: checked,
	}
}

// flowChange is the storing of a flow, with a record.
func flowChange(f flow.Flow) flow.FlowChange {
	record := flow.FlowRecord{At: f.UpdatedAt, By: f.UpdatedBy, Action: flow.FlowEdit, From: f.State, To: f.State}
	if f.Version == 0 {
		record.Action, record.From = flow.FlowCreate, ""
	}
	return flow.FlowChange{Flow: f, Record: record}
}

// notificationChange is the storing of a notification, with a record and a long lease.
func notificationChange(n flow.Notification) flow.NotificationChange {
	record := flow.NotificationRecord{At: n.UpdatedAt, By: n.UpdatedBy, Action: flow.NotificationEdit, From: n.State, To: n.State}
	if n.Version == 0 {
		record.Action, record.From = flow.NotificationCreate, ""
	}
	return flow.NotificationChange{Notification: n, Record: record, Lease: long}
}

func notificationChanges(all ...flow.Notification) []flow.NotificationChange {
	changes := make([]flow.NotificationChange, len(all))
	for i, n := range all {
		changes[i] = notificationChange(n)
	}
	return changes
}

func ids(notifications []flow.Notification) []uuid.UUID {
	ids := make([]uuid.UUID, len(notifications))
	for i, n := range notifications {
		ids[i] = n.ID
	}
	return ids
}
