package pagoinrete

import (
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
)

// newIdentity returns a new ID and the time now for what the actor creates. It refuses an actor
// without an ID.
func newIdentity(by flussi.Actor) (uuid.UUID, time.Time, error) { return core.NewIdentity(by) }

// now returns the time as stores keep it.
func now() time.Time { return core.Now() }
