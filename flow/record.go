package flow

import (
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
)

// Record is a line of an entity's history: see [flussi.Record].
type Record[S, A ~string] = flussi.Record[S, A]

// FlowRecord is a line of a flow's history.
type FlowRecord = Record[FlowState, FlowAction]

// NotificationRecord is a line of a notification's history.
type NotificationRecord = Record[NotificationState, NotificationAction]

// FlowChange is a flow to be stored, and the record of what was done to it.
type FlowChange struct {
	Flow   Flow       // as it is to be; its Version is the one it was read with, 0 if it is new
	Record FlowRecord // its Version is given by the store
}

// NotificationChange is a notification to be stored, and the record of what was done
// to it.
type NotificationChange struct {
	Notification Notification       // as it is to be; its Version is the one it was read with, 0 if it is new
	Record       NotificationRecord // its Version is given by the store
	Lease        time.Duration      // for one that is to be In invio: for how long, from now by the store's clock
}

// change returns the flow with the marks of a change, and its record.
func (f Flow) change(action FlowAction, from FlowState, by string, reason string) FlowChange {
	record := core.Mark(&f.UpdatedAt, &f.UpdatedBy, action, from, f.State, by, reason)
	return FlowChange{Flow: f, Record: record}
}

// change returns the notification with the marks of a change, and its record.
func (n Notification) change(action NotificationAction, from NotificationState, by string, reason string) NotificationChange {
	record := core.Mark(&n.UpdatedAt, &n.UpdatedBy, action, from, n.State, by, reason)
	return NotificationChange{Notification: n, Record: record}
}
