package sqlstore

import (
	"net/url"
	"strings"

	"github.com/flussi-go/flussi/flow"
)

// kind (genere) is all of a row that has few values and is looked for: its state, its error code
// and flags. The indexes for lists have it in front of the place in the list, so that the
// rows of a kind are read in the order of the list, and a list is merged from the kinds that
// there are and that match: see [search].
//
// What is In invio keeps the kind that it had as Registrato, since it is in flight only for a
// moment: so the two steps of a sending change those indexes once. It has an index of its own,
// which is short.
type kind struct {
	state, code string
	flags       string // those that it has
}

// The flags.
const (
	isDisabled   = "d"
	isUnsettled  = "u"
	isAnonymised = "a"
	isDisorderly = "x" // its times run backwards
	isDiscrepant = "o" // it has a discrepancy that nobody settled
	isVisible    = "v" // it is shown in the guardians' area
)

// String returns the kind as the column has it.
func (k kind) String() string {
	return url.QueryEscape(k.state) + "|" + url.QueryEscape(k.code) + "|" + k.flags
}

// parseKind reads what String returned.
func parseKind(column string) (kind, error) {
	state, rest, _ := strings.Cut(column, "|")
	code, flags, _ := strings.Cut(rest, "|")
	state, err := url.QueryUnescape(state)
	if err == nil {
		code, err = url.QueryUnescape(code)
	}
	return kind{state, code, flags}, err
}

func (k kind) has(flag string) bool { return strings.Contains(k.flags, flag) }

// flag adds a flag if it is set.
func (k *kind) flag(flag string, set bool) {
	if set {
		k.flags += flag
	}
}

// flowKind returns the kind of a flow.
func flowKind(f *flow.Flow) kind {
	k := kind{state: string(f.State)}
	k.flag(isDisabled, f.Disabled)
	k.flag(isDisorderly, f.UpdatedAt.Before(f.CreatedAt))
	return k
}

// notificationKind returns the kind of a notification.
func notificationKind(n *flow.Notification) kind {
	k := kind{state: string(n.State), code: string(n.Transmission.ErrorCode)}
	if n.State == flow.NotificationSending {
		k.state = string(flow.NotificationRegistered)
	}
	k.flag(isDisabled, n.Disabled)
	k.flag(isUnsettled, n.DeliveryOpen())
	k.flag(isAnonymised, !n.AnonymisedAt.IsZero())
	sent := n.Transmission.SentAt
	k.flag(isDisorderly, n.UpdatedAt.Before(n.CreatedAt) || !sent.IsZero() && sent.Before(n.CreatedAt))
	return k
}
