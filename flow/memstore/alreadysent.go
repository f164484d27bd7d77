package memstore

import (
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

// alreadySent returns another notification that may have brought the message of n to the citizen;
// nil if there is none, or if n may be repeated.
func (s *Store) alreadySent(n *storedNotification) *flow.Notification {
	if n.AllowDuplicate {
		return nil
	}
	for _, other := range s.digests[n.digest] { // none has the zero Digest
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

// checkSent refuses a batch that makes a notification In invio, if the citizen may have its message
// from another one. It judges the other ones as they are after the batch.
func (s *Store) checkSent(b batch) *flow.AlreadySentError {
	if !slices.ContainsFunc(b, s.becomesSending) {
		return nil
	}
	changed := make(map[uuid.UUID]struct{}, len(b))
	arrived := map[message]*flow.Notification{} // those of the batch
	for _, p := range b {
		changed[p.entry.ID] = struct{}{}
		if n := &p.entry.Notification; n.MayHaveArrived() && !s.becomesSending(p) {
			arrived[message{n.Service, n.Digest()}] = n
		}
	}
	for _, p := range b {
		n := &p.entry.Notification
		own := message{n.Service, n.Digest()}
		if !s.becomesSending(p) || n.AllowDuplicate || own.digest.IsZero() {
			continue
		}
		earlier := arrived[own]
		for _, other := range s.digests[own.digest] {
			if _, inBatch := changed[other.ID]; !inBatch && other.Service == n.Service && other.MayHaveArrived() {
				earlier = &other.Notification
			}
		}
		if earlier != nil {
			return &flow.AlreadySentError{NotificationID: n.ID, Earlier: *earlier}
		}
		arrived[own] = n
	}
	return nil
}

// becomesSending reports whether a change makes a notification In invio.
func (s *Store) becomesSending(p pending) bool {
	if p.entry.State != flow.NotificationSending {
		return false
	}
	kept := s.notifications[p.entry.ID]
	return kept == nil || kept.State != flow.NotificationSending
}

// firstUses holds the names of services that a write uses for the first time, by flow.ServiceSkeleton.
type firstUses map[string]string

// checkService refuses the first use of a name that looks like that of another service, stored
// before or used for the first time by the same write.
func (s *Store) checkService(name string, first firstUses) error {
	if _, known := s.services[name]; known {
		return nil
	}
	look := flow.ServiceSkeleton(name)
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
		s.looks[flow.ServiceSkeleton(name)] = name
	}
}
