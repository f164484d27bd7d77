package pagoinrete

import "slices"

// coupling says which states notices may be in while their event is in a state: the guide's table
// of the ten operations, and what else may happen to a notice. An event that is being prepared has
// none; one that was submitted has none that was not transmitted; and only a notified one is paid.
var coupling = map[EventState][]NoticeState{
	EventBlank:          nil,
	EventNotTransmitted: nil,
	EventSimulated:      {NoticeNotLinked, NoticeNotNotified, NoticeCancelled},
	EventToApprove:      {NoticeNotNotified, NoticeCancelled},
	EventToNotify:       {NoticeNotNotified, NoticeCancelled},
	EventRejected:       {NoticeNotLinked, NoticeNotNotified, NoticeCancelled},
	EventNotified: {
		NoticeNotNotified, NoticeNotified, NoticeAwaitingReceipt, NoticePaidOnline, NoticePaidManually,
		NoticeConfirmed, NoticeReconciled, NoticeReconciledManually, NoticeCancelled, NoticeRefunded,
	},
	EventDeleted: {NoticeCancelled},
}

// Compatible reports whether a notice may be in a state while its event is in another: the
// columns of the guide's table of the ten operations. A donation has no notices at all.
func Compatible(event EventState, notice NoticeState) bool {
	return slices.Contains(coupling[event], notice)
}
