package pagoinrete

import (
	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
)

// EventRecord is a line of an event's history: see [flussi.Record].
type EventRecord = flussi.Record[EventState, EventAction]

// NoticeRecord is a line of a notice's history: see [flussi.Record]. If Pago In Rete reports
// several steps at once, one record covers all of them, with the last as its Action and the others
// in its Reason.
type NoticeRecord = flussi.Record[NoticeState, NoticeAction]

// EventChange is an event to be stored, and the record of what was done to it.
type EventChange struct {
	Event  Event       // as it is to be; its Version is the one it was read with, 0 if it is new
	Record EventRecord // its Version is given by the store
}

// NoticeChange is a notice to be stored, and the record of what was done to it.
type NoticeChange struct {
	Notice Notice       // as it is to be; its Version is the one it was read with, 0 if it is new
	Record NoticeRecord // its Version is given by the store
}

// change returns the event with the marks of a change, and its record.
func (e Event) change(action EventAction, from EventState, by string, reason string) EventChange {
	record := core.Mark(&e.UpdatedAt, &e.UpdatedBy, action, from, e.State, by, reason)
	return EventChange{Event: e, Record: record}
}

// change returns the notice with the marks of a change, and its record.
func (n Notice) change(action NoticeAction, from NoticeState, by string, reason string) NoticeChange {
	record := core.Mark(&n.UpdatedAt, &n.UpdatedBy, action, from, n.State, by, reason)
	return NoticeChange{Notice: n, Record: record}
}
