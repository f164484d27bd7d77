package flow

import (
	"context"
	"errors"
	"sync"

	"github.com/flussi-go/flussi"
)

// profiles remembers which citizens take messages of a service, for one sending. The zero
// value is empty. It is safe for concurrent use.
type profiles struct {
	mu    sync.Mutex
	known map[flussi.FiscalCode]bool
}

// maxProfiles bounds what is remembered; with more, it begins anew.
const maxProfiles = 100_000

// allowed reports whether a citizen takes messages of the service. It asks the platform unless it
// is known.
func (p *profiles) allowed(ctx context.Context, m Sender, citizen flussi.FiscalCode) (bool, error) {
	p.mu.Lock()
	allowed, known := p.known[citizen]
	p.mu.Unlock()
	if known {
		return allowed, nil
	}
	profile, err := m.Profile(ctx, citizen)
	if err != nil && !errors.Is(err, flussi.ErrRemoteNotFound) {
		return false, err
	}
	allowed = err == nil && profile.SenderAllowed
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil || len(p.known) >= maxProfiles {
		p.known = map[flussi.FiscalCode]bool{}
	}
	p.known[citizen] = allowed
	return allowed, nil
}
