package memstore

import (
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/memtable"
)

// alreadySent returns another notification that may have brought the message of n to the
// citizen; nil if there is none, or if n may be repeated.
func (s *Store) alreadySent(n *notification) *flow.Notification {
	if n.AllowDuplicate {
		return nil
	}
	for _, row := range s.byDigest.Of(n.digest) { // none has the zero Digest
		other := &row.Entity
		if other.ID != n.ID && other.Service == n.Service && other.MayHaveArrived() {
			return &other.Notification
		}
	}
	return nil
}

// message identifies a message of a service to a citizen.
type message struct {
	service string
	digest  flow.Digest
}

// checkSent refuses a write that makes a notification In invio if the citizen may have its message
// from another one. It judges the other ones as they are after the write.
func (w *write) checkSent(op memtable.Operation) error {
	s := w.store
	if !slices.ContainsFunc(w.rows, s.becomesSending) {
		return nil
	}
	changed := make(map[uuid.UUID]struct{}, len(w.rows))
	arrived := map[message]*flow.Notification{} // those of the write
	for _, row := range w.rows {
		n := &row.Entity.Notification
		changed[n.ID] = struct{}{}
		if n.MayHaveArrived() && !s.becomesSending(row) {
			arrived[message{n.Service, n.Digest()}] = n
		}
	}
	for _, row := range w.rows {
		n := &row.Entity.Notification
		own := message{n.Service, n.Digest()}
		if !s.becomesSending(row) || n.AllowDuplicate || own.digest.IsZero() {
			continue
		}
		earlier := arrived[own]
		for _, stored := range s.byDigest.Of(own.digest) {
			other := &stored.Entity
			_, inWrite := changed[other.ID]
			if !inWrite && other.Service == n.Service && other.MayHaveArrived() {
				earlier = &other.Notification
			}
		}
		if earlier != nil {
			err := &flow.AlreadySentError{NotificationID: n.ID, Earlier: *earlier}
			return memtable.Operation{Name: op.Name, ID: n.ID}.Fail(err)
		}
		arrived[own] = n
	}
	return nil
}

// becomesSending reports whether a row makes a notification In invio.
func (s *Store) becomesSending(row *notificationRow) bool {
	if row.Entity.State != flow.NotificationSending {
		return false
	}
	stored := s.notifications.Row(row.Entity.ID)
	return stored == nil || stored.Entity.State != flow.NotificationSending
}
