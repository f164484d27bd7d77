package flow

import (
	"sync"

	"github.com/flussi-go/flussi"
)

// profiles remembers which citizens take messages of a service, for one sending. The zero
// value is empty. It is safe for concurrent use.
type profiles struct {
	mu    sync.Mutex
	takes map[flussi.FiscalCode]bool
}

// maxProfiles bounds what is remembered; with more, it begins anew.
const maxProfiles = 100_000

func (p *profiles) get(citizen flussi.FiscalCode) (takes, asked bool) {
	if p == nil {
		return false, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	takes, asked = p.takes[citizen]
	return takes, asked
}

func (p *profiles) put(citizen flussi.FiscalCode, takes bool) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.takes == nil || len(p.takes) >= maxProfiles {
		p.takes = map[flussi.FiscalCode]bool{}
	}
	p.takes[citizen] = takes
}
