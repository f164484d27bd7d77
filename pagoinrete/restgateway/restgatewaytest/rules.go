package restgatewaytest

import "slices"

// EventState is the state of an event, as the platform writes it.
type EventState string

// The states of events.
const (
	EventSimulated EventState = "SIMULATO"
	EventToApprove EventState = "DA_APPROVARE"
	EventToNotify  EventState = "DA_NOTIFICARE"
	EventRejected  EventState = "RIFIUTATO"
	EventNotified  EventState = "NOTIFICATO"
	EventDeleted   EventState = "CANCELLATO"
)

// NoticeState is the state of a notice, as the platform writes it.
type NoticeState string

// The states of notices.
const (
	NoticeNotNotified        NoticeState = "NON_NOTIFICATO"
	NoticeNotified           NoticeState = "NOTIFICATO"
	NoticeAwaitingReceipt    NoticeState = "RPT_INVIATA"
	NoticePaidOnline         NoticeState = "PAGATO_ONLINE"
	NoticePaidManually       NoticeState = "PAGATO_MANUALMENTE"
	NoticeConfirmed          NoticeState = "CONFERMATO"
	NoticeReconciled         NoticeState = "RISCONTRATO"
	NoticeReconciledManually NoticeState = "RISCONTRATO_MANUALMENTE"
	NoticeCancelled          NoticeState = "ANNULLATO"
	NoticeRefunded           NoticeState = "RIMBORSATO"
)

// The rules of who may do what, and when. They repeat the tables of package pagoinrete on purpose:
// the tests find a mistake in either.

// office reports whether roles are those of the school's office.
func office(roles []string) bool {
	return slices.Contains(roles, "DSGA") || slices.Contains(roles, "AA")
}

// principal reports whether roles are those of the principal.
func principal(roles []string) bool { return slices.Contains(roles, "DS") }

// open reports whether an event and its notices can be transmitted.
func (s EventState) open() bool { return s == EventSimulated || s == EventRejected }

// move returns the state after a step of an event, whether the present state permits it, and who
// may take it; nil if there is no such step.
func (s EventState) move(action string) (to EventState, permitted bool, who func(roles []string) bool) {
	switch action {
	case "submit":
		return EventToApprove, s.open(), office
	case "approve":
		return EventToNotify, s == EventToApprove, principal
	case "reject":
		return EventRejected, s == EventToApprove, principal
	case "notify":
		return EventNotified, s == EventToNotify, office
	case "delete":
		return EventDeleted, s.open(), office
	}
	return s, false, nil
}

// unpaid reports whether a notice is open, with no payment under way.
func (s NoticeState) unpaid() bool { return s == NoticeNotNotified || s == NoticeNotified }

// paid reports whether a notice was paid.
func (s NoticeState) paid() bool {
	switch s {
	case NoticePaidOnline, NoticePaidManually, NoticeConfirmed, NoticeReconciled, NoticeReconciledManually:
		return true
	}
	return false
}

// move returns the state after a step of a notice whose event is in a state, whether that is
// permitted, and which proof it needs. The office takes all steps.
func (s NoticeState) move(action string, event EventState) (to NoticeState, permitted bool, proof ProofKind) {
	switch action {
	case "cancel":
		return NoticeCancelled, s.unpaid(), ""
	case "pay-manually":
		return NoticePaidManually, s.unpaid() && event == EventNotified, Manual
	case "refund":
		return NoticeRefunded, s.paid(), Refund
	}
	return s, false, ""
}
