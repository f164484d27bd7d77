package settlement

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
)

// Authorizer returns the bodies that an actor works for. It is asked on every call of a [Service],
// and must be safe for concurrent use.
type Authorizer interface {
	// Bodies returns the bodies of the actor; none for an unknown actor. The service does not change
	// the slice.
	Bodies(ctx context.Context, by flussi.Actor) ([]flussi.OrganizationCode, error)
}

// Permissions is an [Authorizer] for programs that know their users beforehand: the bodies of each,
// by the ID of the actor. It must not be changed while it is in use.
type Permissions map[string][]flussi.OrganizationCode

// Bodies returns the bodies of the actor. The slice is that of the Permissions.
func (p Permissions) Bodies(_ context.Context, by flussi.Actor) ([]flussi.OrganizationCode, error) {
	return p[by.ID], nil
}

// Service applies files, matches what they say, and takes the decisions of operators. Every method
// takes the actor, and records what was done. Entities of bodies that the actor does not work for
// are not found. It is safe for concurrent use, and has no goroutines.
//
// Files may be applied in any order, and more than once: the result is the same. A change is stored
// first, and then reported to the [Due]. If the Due returns an error, the change is stored, and
// [Service.UpdateDue] reports it later.
//
// The error of every method is a [*flussi.Error]. It unwraps to one of the Err… values of this
// package or of package flussi, to a [*flussi.InvalidError] or a [*flussi.ValueError] for what is
// not valid, to the context's error, or to what a file, the store, the authorizer or the Due
// returned. Unless a method says otherwise, an error has changed nothing here.
type Service struct {
	store  Store
	access core.Access
	due    Due
	group  int // MaxPaymentsPerReference; tests set less
}

// NewService returns a service. The error is a [flussi.ErrConfig].
func NewService(store Store, authorizer Authorizer, due Due) (*Service, error) {
	if store == nil || authorizer == nil || due == nil {
		return nil, fmt.Errorf("settlement: new service: %w: %w", flussi.ErrConfig, errors.New("store, authorizer and due are needed"))
	}
	access := func(ctx context.Context, by flussi.Actor) ([]string, error) {
		bodies, err := authorizer.Bodies(ctx, by)
		codes := make([]string, len(bodies))
		for i, body := range bodies {
			codes[i] = body.String()
		}
		return codes, err
	}
	return &Service{store: store, access: access, due: due, group: MaxPaymentsPerReference}, nil
}

// admit refuses an actor who does not work for a body, and a body without a code.
func (s *Service) admit(ctx context.Context, by flussi.Actor, body flussi.OrganizationCode) error {
	if err := s.access.Admit(ctx, by, body.String()); err != nil || !body.IsZero() {
		return err
	}
	return flussi.ErrForbidden
}

// admitAny refuses an actor who works for no body.
func (s *Service) admitAny(ctx context.Context, by flussi.Actor) error {
	bodies, err := s.access.Scopes(ctx, by)
	if err == nil && len(bodies) == 0 {
		err = flussi.ErrForbidden
	}
	return err
}

// settlement reads a settlement for an actor who may read it.
func (s *Service) settlement(ctx context.Context, by flussi.Actor, id uuid.UUID) (Settlement, error) {
	return core.Read(ctx, s.access, by, id, s.store.Settlement, func(s Settlement) string { return s.Body.String() })
}

// payment reads a payment for an actor who may read it.
func (s *Service) payment(ctx context.Context, by flussi.Actor, id uuid.UUID) (Payment, error) {
	return core.Read(ctx, s.access, by, id, s.store.Payment, func(p Payment) string { return p.Body.String() })
}

// movement reads a movement for an actor who may read it.
func (s *Service) movement(ctx context.Context, by flussi.Actor, id uuid.UUID) (Movement, error) {
	return core.Read(ctx, s.access, by, id, s.store.Movement, func(m Movement) string { return m.Body.String() })
}
