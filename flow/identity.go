package flow

import (
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// newIdentity returns a new ID, which sorts by time, and the time now in UTC, for
// what the actor creates for a service. It refuses no service and nobody.
func newIdentity(service string, by flussi.Actor) (uuid.UUID, time.Time, error) {
	if service == "" {
		return uuid.Nil, time.Time{}, &flussi.ValueError{
			Type: "Service", Err: flussi.ErrEmpty, Reason: "Manca il servizio."}
	}
	if err := by.Check(); err != nil {
		return uuid.Nil, time.Time{}, err
	}
	id, err := uuid.NewV7()
	return id, now(), err
}

// now returns the time in UTC, to the microsecond, which is what databases keep.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
