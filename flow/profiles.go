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
	pool *pool // its flows share maxProfiles; nil if there are no other flows

	mu     sync.Mutex
	known  map[flussi.FiscalCode]profile
	asking map[flussi.FiscalCode]chan struct{} // closed when the call for the citizen has ended
}

// maxProfiles limits the profiles that all flows of a pool remember together. A flow with more than
// its share forgets all of its own.
const maxProfiles = 100_000

// most returns how many citizens this flow may remember.
func (p *profiles) most() int {
	if p.pool == nil {
		return maxProfiles
	}
	p.pool.mu.Lock()
	defer p.pool.mu.Unlock()
	return maxProfiles / max(1, len(p.pool.flows))
}

// of returns whether a citizen takes messages of the service. It asks the platform unless it is
// known. If another goroutine is asking, it waits for the answer, and asks itself if there is none.
func (p *profiles) of(ctx context.Context, m Sender, citizen flussi.FiscalCode) (profile, error) {
	for {
		found, known, asking := p.begin(citizen)
		switch {
		case known:
			return found, nil
		case asking == nil:
			found, err := ask(ctx, m, citizen)
			p.end(citizen, found, err == nil)
			return found, err
		}
		select {
		case <-asking:
		case <-ctx.Done():
			return profile{ReachabilityUnknown, nil}, ctx.Err()
		}
	}
}

// begin returns the known profile of a citizen, or a channel that is closed when a call for it has
// ended. If it returns neither, the caller must ask the platform and then call end.
func (p *profiles) begin(citizen flussi.FiscalCode) (found profile, known bool, asking <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if found, known = p.known[citizen]; known {
		return found, true, nil
	}
	if call := p.asking[citizen]; call != nil {
		return profile{}, false, call
	}
	if p.asking == nil {
		p.asking = map[flussi.FiscalCode]chan struct{}{}
	}
	p.asking[citizen] = make(chan struct{})
	return profile{}, false, nil
}

// end records the answer of a call, if any.
func (p *profiles) end(citizen flussi.FiscalCode, found profile, answered bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.asking[citizen])
	delete(p.asking, citizen)
	if !answered {
		return
	}
	if p.known == nil || len(p.known) >= p.most() {
		p.known = map[flussi.FiscalCode]profile{}
	}
	p.known[citizen] = found
}

// ask asks the platform for a profile.
func ask(ctx context.Context, m Sender, citizen flussi.FiscalCode) (profile, error) {
	answer, err := m.Profile(ctx, citizen)
	switch {
	case errors.Is(err, flussi.ErrRemoteNotFound) && !refusesService(err):
		return profile{reachability: ReachabilityAbsent}, nil
	case err != nil:
		return profile{ReachabilityUnknown, nil}, err
	case answer.SenderAllowed:
		return profile{ReachabilityYes, answer.Languages}, nil
	}
	return profile{ReachabilityBlocked, answer.Languages}, nil
}
