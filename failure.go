package flussi

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// Error is a refusal or a failure of a service, a dispatcher, or what works with them. It never
// holds personal data and can be logged.
type Error struct {
	Package   string    // that failed, such as "flow"
	Operation string    // such as "send flow"
	Entity    string    // what the ID is of, such as "flow" or "notice"; "" without an ID
	ID        uuid.UUID // the entity, for an [ErrDuplicate] the one that exists already; the zero UUID if none in particular
	Err       error     // the cause: one of the Err… values, or what a store or a platform returned
	Reason    string    // the cause in Italian, in whole sentences; "" for the text of Err
}

// Error describes the failure for programs and logs.
func (e *Error) Error() string {
	if e.ID == uuid.Nil {
		return fmt.Sprintf("%s: %s: %v", e.Package, e.Operation, e.Err)
	}
	return fmt.Sprintf("%s: %s %s: %v", e.Package, e.Operation, e.ID, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Italian describes the failure for the operator.
func (e *Error) Italian() string {
	if e.Reason != "" {
		return e.Reason
	}
	var explainer Explainer
	switch {
	case errors.As(e.Err, &explainer):
		return Explain(e.Err)
	case errors.Is(e.Err, ErrConfig):
		return wrongConfiguration
	case errors.Is(e.Err, context.Canceled), errors.Is(e.Err, context.DeadlineExceeded):
		return "L'operazione è stata interrotta prima della fine: ripeterla."
	}
	return "L'operazione non è riuscita per un problema tecnico: riprovare e, se il problema si ripete, rivolgersi all'assistenza."
}
