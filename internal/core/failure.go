package core

import (
	"errors"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
)

// Reason is the text for operators of an error whose meaning depends on the package.
type Reason struct {
	Err     error  // as [errors.Is] finds it
	Italian string // in whole sentences
}

// Failure wraps the error of a method: failed has its Package, Operation, Entity, ID and Err. It
// returns nil if Err is nil. A refusal, which is a [*flussi.Error] with a Reason, is not wrapped
// again: it keeps its cause and its Reason, and its Entity and ID if it has them. Any other error
// gets the first of the reasons that it is, unless it is a [*fsm.TransitionError], whose own text
// names the states and the roles.
func Failure(failed flussi.Error, reasons ...Reason) error {
	if failed.Err == nil {
		return nil
	}
	if refusal, ok := failed.Err.(*flussi.Error); ok && refusal.Reason != "" {
		failed.Err, failed.Reason = refusal.Err, refusal.Reason
		if refusal.ID != uuid.Nil {
			failed.Entity, failed.ID = refusal.Entity, refusal.ID
		}
	}
	var transition *fsm.TransitionError
	if failed.Reason == "" && !errors.As(failed.Err, &transition) {
		for _, reason := range reasons {
			if errors.Is(failed.Err, reason.Err) {
				failed.Reason = reason.Italian
				break
			}
		}
	}
	if failed.ID == uuid.Nil {
		failed.Entity = ""
	}
	return &failed
}
