package flow

import (
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
)

// newIdentity returns a new ID and the time now for what the actor creates for a service. It
// returns the error of [CheckService], and refuses an actor without an ID.
func newIdentity(service string, by flussi.Actor) (uuid.UUID, time.Time, error) {
	if err := CheckService(service); err != nil {
		return uuid.Nil, time.Time{}, err
	}
	return core.NewIdentity(by)
}

// now returns the time as stores keep it.
func now() time.Time { return core.Now() }
