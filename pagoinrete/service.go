package pagoinrete

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
)

// GatewayFor returns the gateway of a school, by its codice meccanografico. It must be safe for
// concurrent use. For a school that it does not know it returns an error; if that is a
// [flussi.Explainer], the operator reads why. No Gateway is a [flussi.ErrConfig].
type GatewayFor func(ctx context.Context, school string) (Gateway, error)

// Authorizer returns the schools that an actor works for. It is asked on every call of a
// [Service], and must be safe for concurrent use.
type Authorizer interface {
	// Schools returns the codici meccanografici of the schools of the actor; none for
	// an unknown actor. The service does not change the slice.
	Schools(ctx context.Context, by flussi.Actor) ([]string, error)
}

// Permissions is an [Authorizer] for programs that know their users beforehand: the schools of
// each, by the ID of the actor. It must not be changed while it is in use.
type Permissions map[string][]string

// Schools returns the schools of the actor. The slice is that of the Permissions.
func (s Permissions) Schools(_ context.Context, by flussi.Actor) ([]string, error) {
	return s[by.ID], nil
}

// Service is what an application of a school's office calls: one method for each of the guide's
// operations. Every method takes the actor, refuses what the actor's SIDI role may not do or what
// the event and its notices do not permit together, and records what was done. What belongs to a
// school that the actor does not work for is not found. It is safe for concurrent use, and has no
// goroutines but those that [Service.TransmitNotices] uses until it returns.
//
// A change is made in Pago In Rete first, and then stored. After an unknown outcome, the state in
// Pago In Rete is read back and used. So call again after an error or a crash: what was done
// already is recognised, and nothing is created twice.
//
// The error of every method is a [*flussi.Error]. It unwraps to one of the Err… values of this
// package, to a [*fsm.TransitionError] if the action is not possible in the state or not for
// the role, to a [*flussi.InvalidError] or a [*flussi.ValueError] for what is not valid, to the
// context's error, or to what the store, the authorizer or the gateway returned, such as a
// [*flussi.RemoteError]. Unless a method says otherwise, an error has changed nothing here.
type Service struct {
	store    Store
	access   core.Access
	gateways GatewayFor
	workers  int
}

// ServiceConfig says how a service works.
type ServiceConfig struct {
	// Workers is how many notices are transmitted at the same time. Defaults to 8; at most
	// [MaxWorkers].
	Workers int
}

const defaultWorkers = 8

// MaxWorkers is the limit of [ServiceConfig].Workers.
const MaxWorkers = 1000

// NewService returns a service. The error lists everything that is wrong with the
// configuration; it is a [flussi.ErrConfig].
func NewService(store Store, authorizer Authorizer, gateways GatewayFor, c ServiceConfig) (*Service, error) {
	var faults []error
	if store == nil || authorizer == nil || gateways == nil {
		faults = append(faults, errors.New("store, authorizer and gateways are needed"))
	}
	if c.Workers < 0 {
		faults = append(faults, errors.New("the Workers are negative"))
	}
	if c.Workers > MaxWorkers {
		faults = append(faults, fmt.Errorf("the Workers are %d, more than %d", c.Workers, MaxWorkers))
	}
	if c.Workers == 0 {
		c.Workers = defaultWorkers
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("pagoinrete: new service: %w: %w", flussi.ErrConfig, errors.Join(faults...))
	}
	return &Service{store: store, access: authorizer.Schools, gateways: gateways, workers: c.Workers}, nil
}

// Schools returns the schools that the actor works for, sorted.
func (s *Service) Schools(ctx context.Context, by flussi.Actor) ([]string, error) {
	schools, err := s.access.Scopes(ctx, by)
	return schools, failure("list schools", err)
}

// gateway returns the gateway of a school, with its replies checked.
func (s *Service) gateway(ctx context.Context, school string) (Gateway, error) {
	g, err := s.gateways(ctx, school)
	if err == nil && g == nil {
		err = refuse(flussi.ErrConfig, "La scuola non è collegata a Pago In Rete: rivolgersi all'assistenza.")
	}
	return checked{g}, err
}

// event reads an event for an actor who may read it.
func (s *Service) event(ctx context.Context, by flussi.Actor, id uuid.UUID) (Event, error) {
	return core.Read(ctx, s.access, by, id, s.store.Event, func(e Event) string { return e.School })
}

// notice reads a notice for an actor who may read it.
func (s *Service) notice(ctx context.Context, by flussi.Actor, id uuid.UUID) (Notice, error) {
	return core.Read(ctx, s.access, by, id, s.store.Notice, func(n Notice) string { return n.School })
}

// noticeAndEvent reads a notice, and its event, for an actor who may read them.
func (s *Service) noticeAndEvent(ctx context.Context, by flussi.Actor, id uuid.UUID) (Notice, Event, error) {
	n, err := s.notice(ctx, by, id)
	if err != nil {
		return Notice{}, Event{}, err
	}
	e, err := s.readEvent(ctx, n.EventID)
	return n, e, err
}

// readEvent reads an event for an actor who was authorised before.
func (s *Service) readEvent(ctx context.Context, id uuid.UUID) (Event, error) {
	e, err := s.store.Event(ctx, id)
	return e, core.NotFound(err)
}
