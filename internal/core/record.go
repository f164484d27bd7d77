package core

import (
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// Now returns the time as stores keep it: in UTC, to the microsecond.
func Now() time.Time { return Stored(time.Now()) }

// Stored returns a time as stores keep it. The zero time remains zero.
func Stored(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// NewIdentity returns an ID, which sorts by time, and the time now for an entity that the actor
// creates. It refuses an actor without an ID.
func NewIdentity(by flussi.Actor) (uuid.UUID, time.Time, error) {
	if err := by.Check(); err != nil {
		return uuid.Nil, time.Time{}, err
	}
	id, err := uuid.NewV7()
	return id, Now(), err
}

// Mark sets the time and the actor of a change in its entity, and returns the change's record.
func Mark[S, A ~string](updatedAt *time.Time, updatedBy *string, action A, from, to S, by, reason string) flussi.Record[S, A] {
	*updatedAt, *updatedBy = Now(), by
	return flussi.Record[S, A]{At: *updatedAt, By: by, Action: action, From: from, To: to, Reason: flussi.NewText(reason)}
}
