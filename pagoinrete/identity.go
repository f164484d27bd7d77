package pagoinrete

import (
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// newIdentity returns a new ID, which sorts by time, and the time now, for what the actor
// creates. It refuses nobody as an actor.
func newIdentity(by flussi.Actor) (uuid.UUID, time.Time, error) {
	if err := by.Check(); err != nil {
		return uuid.Nil, time.Time{}, err
	}
	id, err := uuid.NewV7()
	return id, now(), err
}

// now is the time now as stores keep it: in UTC, in microseconds.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
