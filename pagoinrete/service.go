package pagoinrete

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// GatewayFor returns the gateway of a school, by its codice meccanografico. It must be safe for
// concurrent use. For a school that it does not know it returns an error; if that is a
// [flussi.Explainer], the operator reads why. No Gateway is an [flussi.ErrConfig].
type GatewayFor func(ctx context.Context, school string) (Gateway, error)

// Authorizer knows which schools somebody works for. It is asked on every call of a
// [Service], and must be safe for concurrent use.
type Authorizer interface {
	// Schools returns the codici meccanografici of the schools of the actor; none for
	// somebody unknown.
	Schools(ctx context.Context, by flussi.Actor) ([]string, error)
}

// Permissions is an [Authorizer] for programs that know their users beforehand: the schools of
// each, by the ID of the actor. It must not be changed while it is in use.
type Permissions map[string][]string

// Schools returns the schools of the actor.
func (s Permissions) Schools(_ context.Context, by flussi.Actor) ([]string, error) {
	return slices.Clone(s[by.ID]), nil
}

// Service is the work of a school's office with its payments: one method for each of the
// guide's operations. Every method takes the actor, refuses what the actor's SIDI role may
// not do or what the event and its notices do not permit together, and records what was
// done. What belongs to a school that the actor does not work for is not found. It is safe
// for concurrent use, and has no goroutines but those that [Service.TransmitNotices] uses
// until it returns.
//
// What changes something in Pago In Rete is done there first, and stored here afterwards.
// Where nobody knows whether it was done, what is there is read back, and counts. So a call
// that failed, or whose program died, is made again: what was done already is recognised, and
// nothing is there twice.
//
// The error of every method is an [*flussi.Error]. It unwraps to one of the Err… values of this
// package, to a [*fsm.TransitionError] if the action is not possible in the state or not for
// the role, to an [*flussi.InvalidError] or a [*flussi.ValueError] for what is not valid, to the
// context's error, or to what the store, the authorizer or the gateway returned, such as a
// [*flussi.RemoteError]. Unless a method says otherwise, an error has changed nothing here.
type Service struct {
	store      Store
	authorizer Authorizer
	gateways   GatewayFor
	workers    int
}

// ServiceConfig says how a service works.
type ServiceConfig struct {
	// Workers is how many notices are transmitted at the same time. Defaults to 8.
	Workers int
}

const defaultWorkers = 8

// NewService returns a service. The error lists everything that is wrong with the
// configuration; it is an [flussi.ErrConfig].
func NewService(store Store, authorizer Authorizer, gateways GatewayFor, c ServiceConfig) (*Service, error) {
	var faults []error
	if store == nil || authorizer == nil || gateways == nil {
		faults = append(faults, errors.New("store, authorizer and gateways are needed"))
	}
	if c.Workers < 0 {
		faults = append(faults, errors.New("the Workers are negative"))
	}
	if c.Workers == 0 {
		c.Workers = defaultWorkers
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("pagoinrete: new procedure: %w: %w", flussi.ErrConfig, errors.Join(faults...))
	}
	return &Service{store: store, authorizer: authorizer, gateways: gateways, workers: c.Workers}, nil
}

// Schools returns the schools that the actor works for, sorted.
func (p *Service) Schools(ctx context.Context, by flussi.Actor) ([]string, error) {
	schools, err := p.schools(ctx, by)
	return schools, failure("list schools", uuid.Nil, err)
}

func (p *Service) schools(ctx context.Context, by flussi.Actor) ([]string, error) {
	if err := by.Check(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	schools, err := p.authorizer.Schools(ctx, by)
	if err != nil {
		return nil, err
	}
	schools = slices.Clone(schools)
	slices.Sort(schools)
	return slices.Compact(schools), nil
}

// admit refuses an actor who does not work for the school.
func (p *Service) admit(ctx context.Context, by flussi.Actor, school string) error {
	schools, err := p.schools(ctx, by)
	if err == nil && !slices.Contains(schools, school) {
		err = flussi.ErrForbidden
	}
	return err
}

// gateway returns the gateway of a school.
func (p *Service) gateway(ctx context.Context, school string) (Gateway, error) {
	g, err := p.gateways(ctx, school)
	if err == nil && g == nil {
		err = refuse(flussi.ErrConfig, "La scuola non è collegata a Pago In Rete: rivolgersi all'assistenza.")
	}
	return g, err
}

// event reads an event that the actor may see.
func (p *Service) event(ctx context.Context, by flussi.Actor, id uuid.UUID) (Event, error) {
	schools, err := p.schools(ctx, by)
	if err != nil {
		return Event{}, err
	}
	e, err := p.store.Event(ctx, id)
	if err != nil {
		return Event{}, plain(err)
	}
	if !slices.Contains(schools, e.School) {
		return Event{}, flussi.ErrNotFound
	}
	return e, nil
}

// notice reads a notice that the actor may see, and its event.
func (p *Service) notice(ctx context.Context, by flussi.Actor, id uuid.UUID) (Notice, Event, error) {
	schools, err := p.schools(ctx, by)
	if err != nil {
		return Notice{}, Event{}, err
	}
	n, err := p.store.Notice(ctx, id)
	if err != nil {
		return Notice{}, Event{}, plain(err)
	}
	if !slices.Contains(schools, n.School) {
		return Notice{}, Event{}, flussi.ErrNotFound
	}
	e, err := p.store.Event(ctx, n.EventID)
	return n, e, plain(err)
}

// maxTries bounds how often a change is tried again because somebody else changed the same
// at the same moment.
const maxTries = 100

// again waits a moment before the next try, each time a little longer and not as long as
// others do.
func again(ctx context.Context, try int) error {
	timer := time.NewTimer(rand.N(time.Duration(min(try, 20)+1) * time.Millisecond))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
