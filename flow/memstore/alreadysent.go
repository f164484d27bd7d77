package memstore

import (
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

// alreadySent returns the notification that may have brought the citizen the message of one that is
// to be claimed, nil if there is none, or if that is allowed.
func (s *Store) alreadySent(n *storedNotification) *flow.Notification {
	if n.AllowRepeat {
		return nil
	}
	for _, other := range s.digests[n.digest] { // none has the zero Digest
		if other.ID != n.ID && other.Service == n.Service && other.MayHaveArrived() {
			return &other.Notification
		}
	}
	return nil
}

// message is a message of a service to a citizen.
type message struct {
	service string
	digest  flow.Digest
}

// checkSent refuses a batch that makes a notification In invio whose message the citizen may have
// from another one, as that is once the batch is stored.
func (s *Store) checkSent(b batch) *flow.AlreadySentError {
	if !slices.ContainsFunc(b, s.begins) {
		return nil
	}
	next := make(map[uuid.UUID]struct{}, len(b))
	arrived := map[message]*flow.Notification{} // by the batch, but for those that may be repeated
	for _, p := range b {
		next[p.entry.ID] = struct{}{}
		if n := &p.entry.Notification; n.MayHaveArrived() && !s.begins(p) {
			arrived[message{n.Service, n.Digest()}] = n
		}
	}
	for _, p := range b {
		n := &p.entry.Notification
		own := message{n.Service, n.Digest()}
		if !s.begins(p) || n.AllowRepeat || own.digest.IsZero() {
			continue
		}
		earlier := arrived[own]
		for _, other := range s.digests[own.digest] {
			if _, changes := next[other.ID]; !changes && other.Service == n.Service && other.MayHaveArrived() {
				earlier = &other.Notification
			}
		}
		if earlier != nil {
			return &flow.AlreadySentError{Notification: n.ID, Earlier: *earlier}
		}
		arrived[own] = n
	}
	return nil
}

// begins reports whether a change makes a notification In invio.
func (s *Store) begins(p pending) bool {
	kept := s.notifications[p.entry.ID]
	return p.entry.State == flow.NotificationSending && (kept == nil || kept.State != flow.NotificationSending)
}

// firstUses are the services that a write is the first to use: their names by flow.ServiceLook.
type firstUses map[string]string

// checkService refuses the first use of a name that looks like that of another service, of which
// the same write may be the first use, too.
func (s *Store) checkService(name string, first firstUses) error {
	if _, known := s.services[name]; known {
		return nil
	}
	look := flow.ServiceLook(name)
	other, there := s.looks[look]
	if !there {
		other, there = first[look]
	}
	if there && other != name {
		return &flow.SimilarServiceError{Service: name, Existing: other}
	}
	first[look] = name
	return nil
}

// putService stores the name of a service.
func (s *Store) putService(name string) {
	if _, known := s.services[name]; !known {
		s.services[name] = struct{}{}
		s.looks[flow.ServiceLook(name)] = name
	}
}
