package pagoinrete

import (
	"github.com/flussi-go/flussi"
)

// EventRecord is a line of an event's history: see [flussi.Record].
type EventRecord = flussi.Record[EventState, EventAction]

// NoticeRecord is a line of a notice's history: see [flussi.Record]. Where Pago In Rete tells
// of several steps at once, one record leads over all of them, with the last as its Action and
// the others in its Reason.
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
	e.UpdatedAt, e.UpdatedBy = now(), by
	return EventChange{Event: e, Record: EventRecord{
		At: e.UpdatedAt, By: by, Action: action, From: from, To: e.State, Reason: flussi.NewText(reason),
	}}
}

// change returns the notice with the marks of a change, and its record.
func (n Notice) change(action NoticeAction, from NoticeState, by string, reason string) NoticeChange {
	n.UpdatedAt, n.UpdatedBy = now(), by
	return NoticeChange{Notice: n, Record: NoticeRecord{
		At: n.UpdatedAt, By: by, Action: action, From: from, To: n.State, Reason: flussi.NewText(reason),
	}}
}
