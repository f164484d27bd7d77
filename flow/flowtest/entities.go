package flowtest

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/storetest"
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
	return p.NewChildren(flow.Flow{ID: of}, count)
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

// changedFlow returns a flow of which everything is changed that may be.
func (p *probe) changedFlow(f flow.Flow) flow.Flow {
	var changed flow.Flow
	p.Fill(&changed, false)
	changed.ID, changed.Service, changed.CreatedAt, changed.Version = f.ID, f.Service, f.CreatedAt, f.Version
	changed.State, changed.Counts = flow.FlowSent, flow.Counts{}
	return changed
}

// bareFlow returns a flow of which everything is zero that may be.
func (p *probe) bareFlow(f flow.Flow) flow.Flow {
	bare := p.newFlow()
	bare.ID, bare.Service, bare.CreatedAt, bare.Version = f.ID, f.Service, f.CreatedAt, f.Version
	return bare
}

// changedNotification returns a notification of which everything is changed that may be.
func (p *probe) changedNotification(n flow.Notification) flow.Notification {
	var changed flow.Notification
	p.Fill(&changed, false)
	changed.ID, changed.FlowID, changed.Service, changed.CreatedAt, changed.Version = n.ID, n.FlowID, n.Service, n.CreatedAt, n.Version
	changed.State, changed.Transmission.ErrorCode = flow.NotificationSent, flow.CodeUnreachable
	return changed
}

// bareNotification returns a notification of which everything is zero that may be.
func (p *probe) bareNotification(n flow.Notification) flow.Notification {
	bare := p.newNotification(n.FlowID)
	bare.ID, bare.Service, bare.CreatedAt, bare.Version = n.ID, n.Service, n.CreatedAt, n.Version
	bare.Draft = flow.Draft{}
	return bare
}

// counted returns a flow with the counts of those of some notifications that belong to it.
func counted(f flow.Flow, all ...flow.Notification) flow.Flow {
	f.Counts = flow.Counts{}
	for _, n := range all {
		if n.FlowID == f.ID {
			f.Counts.Add(n, 1)
		}
	}
	return f
}

// flowChange is the storing of a flow, with a record.
func flowChange(f flow.Flow) flow.FlowChange {
	record := storetest.RecordOf[flow.Flow, flow.FlowState](f, flow.FlowEdit, flow.FlowCreate, "")
	return flow.FlowChange{Flow: f, Record: record}
}

// notificationChange is the storing of a notification, with a record and a long lease.
func notificationChange(n flow.Notification) flow.NotificationChange {
	record := storetest.RecordOf[flow.Notification, flow.NotificationState](
		n, flow.NotificationEdit, flow.NotificationCreate, "",
	)
	return flow.NotificationChange{Notification: n, Record: record, Lease: long}
}

func notificationChanges(all ...flow.Notification) []flow.NotificationChange {
	return storetest.Map(all, notificationChange)
}

func ids(all []flow.Notification) []uuid.UUID {
	return storetest.Map(all, func(n flow.Notification) uuid.UUID { return n.ID })
}
