package pagoinrete

import (
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// newIdentity returns a new ID, which sorts by time, and the time now in UTC, for
// what the actor creates. It refuses nobody as an actor.
func newIdentity(by flussi.Actor) (uuid.UUID, time.Time, error) {
	if err := by.Check(); err != nil {
		return uuid.Nil, time.Time{}, err
	}
	id, err := uuid.NewV7()
	return id, time.Now().UTC(), err
}
