package flow

import (
	"context"
	"errors"
	"sync"

	"github.com/flussi-go/flussi"
)

// Reachability (raggiungibilità) is whether a citizen takes messages of a service.
type Reachability string

// The values of a Reachability.
const (
	// ReachabilityYes (Raggiungibile): the citizen is on App IO, and takes the service's messages.
	ReachabilityYes Reachability = "reachable"
	// ReachabilityAbsent (Non è su App IO): or turned the inbox off.
	ReachabilityAbsent Reachability = "absent"
	// ReachabilityBlocked (Servizio bloccato): the citizen is on App IO, and takes no messages of the
	// service.
	ReachabilityBlocked Reachability = "blocked"
	// ReachabilityUnknown (Non verificato): the platform did not say.
	ReachabilityUnknown Reachability = "unknown"
)

// Label returns the Italian name; of an unknown value, its own text.
func (r Reachability) Label() string {
	switch r {
	case ReachabilityYes:
		return "Raggiungibile"
	case ReachabilityAbsent:
		return "Non è su App IO"
	case ReachabilityBlocked:
		return "Servizio bloccato"
	case ReachabilityUnknown:
		return "Non verificato"
	}
	return string(r)
}

// profile is what is known of a citizen.
type profile struct {
	reachability Reachability
	languages    []string
}

// profiles remembers which citizens take messages of a service, for one sending or check. The zero
// value is empty. It is safe for concurrent use.
type profiles struct {
	mu    sync.Mutex
	known map[flussi.FiscalCode]profile
}

// maxProfiles bounds what is remembered; with more, it begins anew.
const maxProfiles = 100_000

// of returns whether a citizen takes messages of the service. It asks the platform unless it is
// known.
func (p *profiles) of(ctx context.Context, m Sender, citizen flussi.FiscalCode) (profile, error) {
	p.mu.Lock()
	found, known := p.known[citizen]
	p.mu.Unlock()
	if known {
		return found, nil
	}
	answer, err := m.Profile(ctx, citizen)
	switch {
	case errors.Is(err, flussi.ErrRemoteNotFound) && !refusesService(err):
		found.reachability = ReachabilityAbsent
	case err != nil:
		return profile{ReachabilityUnknown, nil}, err
	case answer.SenderAllowed:
		found = profile{ReachabilityYes, answer.Languages}
	default:
		found = profile{ReachabilityBlocked, answer.Languages}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil || len(p.known) >= maxProfiles {
		p.known = map[flussi.FiscalCode]profile{}
	}
	p.known[citizen] = found
	return found, nil
}
