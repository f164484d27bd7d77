package flow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/internal/italian"
)

// Sender talks to App IO for one service. [*appio.Client] is one. [flussi.OutcomeOf] says what an
// error of Submit means for the message: a fake returns a [*flussi.RemoteError] with an Outcome;
// any other error is an unknown outcome. What is refused as [flussi.ErrRemoteForbidden] or
// [flussi.ErrRemoteNotFound] concerns the message if FromService is true, and the whole service if
// it is false. It must be safe for concurrent use, and return when its context ends.
type Sender interface {
	// Submit sends a message; see [appio.Client.Submit].
	Submit(ctx context.Context, m appio.Message) (appio.Receipt, error)
	// Message asks what became of a message; see [appio.Client.Message].
	Message(ctx context.Context, to flussi.FiscalCode, id appio.MessageID) (appio.MessageState, error)
	// Profile asks whether a citizen takes messages; see [appio.Client.Profile].
	Profile(ctx context.Context, citizen flussi.FiscalCode) (appio.Profile, error)
}

// SenderFor returns the Sender of a service. It must be safe for concurrent use. Let all senders of
// a body share one [appio.Pace]. It is called once for each run, verification and single sending.
// For a service that it does not know it returns an error, which stops the flow that is to be sent;
// if it is a [flussi.Explainer], the operator reads why.
type SenderFor func(ctx context.Context, service string) (Sender, error)

// Authorizer returns the services that an operator is enabled for. It is called on every call
// of a [Service], and must be safe for concurrent use.
type Authorizer interface {
	// Services returns the services that the actor may use; none for an unknown actor. The
	// service does not change the slice.
	Services(ctx context.Context, by flussi.Actor) ([]string, error)
}

// Permissions is an [Authorizer] for programs that know their operators beforehand: the
// services of each, by the ID of the actor. It must not be changed while it is in use.
type Permissions map[string][]string

// Services returns the services of the actor. The slice is that of the Permissions.
func (o Permissions) Services(_ context.Context, by flussi.Actor) ([]string, error) {
	return o[by.ID], nil
}

// Service is what an application calls: one method for each action of the guide's
// screens. Every method takes the actor, refuses what the actor is not enabled for, and
// records what was done. What exists in a service that the actor is not enabled for is
// not found. It is safe for concurrent use, and has no goroutines but those that
// [Service.VerifyFlow] and [Service.CheckRecipients] use until they end.
//
// The error of every method is a [*flussi.Error]. It unwraps to one of the Err… values of this
// package, to a [*fsm.TransitionError] if the action is not possible in the state, to an
// [fsm.ErrRole] if it is not for the actor's roles, to a [*flussi.InvalidError] for a draft or a
// [*flussi.ValueError] for anything else that is not valid, to the context's error, or to what the
// store, the authorizer or the sender returned. Unless a method says otherwise, an error has
// changed nothing.
type Service struct {
	store   Store
	given   Store // the argument of NewService; store may be a wrapper that reports its calls
	access  core.Access
	sender  sender
	limits  Limits
	workers int
	lease   time.Duration
	watched watchedFlows
}

// ServiceConfig says how a service works.
type ServiceConfig struct {
	// Limits of the texts of notifications. Defaults to [GuideLimits].
	Limits Limits
	// CheckProfiles asks for the citizen's profile before a notification is sent at once.
	// Defaults to false. See [DispatcherConfig].
	CheckProfiles bool
	// Workers is how many notifications of a flow are verified, or recipients checked, at the same
	// time. Defaults to 8; at most [MaxWorkers].
	Workers int
	// Lease bounds how long sending one notification may take: see [DispatcherConfig]. If the
	// program dies, the notification gets an unknown outcome after the Lease. Defaults to 2
	// minutes; at least 1 second, at most [MaxLease].
	Lease time.Duration
	// Observer receives the submissions of single notifications that operators send, and the
	// service's calls of the store. Defaults to none.
	Observer Observer
}

const (
	defaultVerifyWorkers = 8
	defaultLease         = 2 * time.Minute
	minLease             = time.Second
)

// NewService returns a service. The error lists everything that is wrong with the
// configuration; it is a [flussi.ErrConfig].
func NewService(store Store, authorizer Authorizer, senders SenderFor, c ServiceConfig) (*Service, error) {
	var faults []error
	if store == nil || authorizer == nil || senders == nil {
		faults = append(faults, errors.New("store, authorizer and senders are needed"))
	}
	if c.Limits == (Limits{}) {
		c.Limits = GuideLimits()
	}
	if err := c.Limits.check(); err != nil {
		faults = append(faults, err)
	}
	if c.Workers < 0 {
		faults = append(faults, errors.New("the Workers are negative"))
	}
	if c.Workers == 0 {
		c.Workers = defaultVerifyWorkers
	}
	if c.Lease == 0 {
		c.Lease = defaultLease
	}
	if c.Workers > MaxWorkers {
		faults = append(faults, fmt.Errorf("the Workers are %d, more than %d", c.Workers, MaxWorkers))
	}
	if c.Lease < minLease || c.Lease > MaxLease {
		faults = append(faults, fmt.Errorf("the Lease is %v, not %v to %v", c.Lease, minLease, MaxLease))
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("flow: new service: %w: %w", flussi.ErrConfig, errors.Join(faults...))
	}
	return &Service{
		store: observed(store, &c.Observer), given: store, access: authorizer.Services,
		sender: sender{senders: senders, checkProfiles: c.CheckProfiles, observer: &c.Observer},
		limits: c.Limits, workers: c.Workers, lease: c.Lease,
	}, nil
}

// Services returns the services that the actor is enabled for, sorted: what the actor
// chooses from for something new.
func (s *Service) Services(ctx context.Context, by flussi.Actor) ([]string, error) {
	services, err := s.access.Scopes(ctx, by)
	return services, failure("list services", err)
}

// admitOperator refuses an actor who is not enabled for the service, or is no operator, for what no
// machine decides.
func (s *Service) admitOperator(ctx context.Context, by flussi.Actor, service string) error {
	if err := s.access.Admit(ctx, by, service); err != nil {
		return err
	}
	if !by.Has(flussi.Operator) {
		return refuse(fsm.ErrRole, "%s", italian.Reserved("L'operazione", []string{flussi.Operator.Label()}))
	}
	return nil
}

// flow reads a flow for an actor who may read it.
func (s *Service) flow(ctx context.Context, by flussi.Actor, id uuid.UUID) (Flow, error) {
	return core.Read(ctx, s.access, by, id, s.store.Flow, func(f Flow) string { return f.Service })
}

// notification reads a notification for an actor who may read it.
func (s *Service) notification(ctx context.Context, by flussi.Actor, id uuid.UUID) (Notification, error) {
	return core.Read(ctx, s.access, by, id, s.store.Notification, func(n Notification) string { return n.Service })
}

// flowOf reads the flow of a notification, nil if it has none.
func flowOf(ctx context.Context, store Store, n Notification) (*Flow, error) {
	if n.FlowID == uuid.Nil {
		return nil, nil
	}
	f, err := store.Flow(ctx, n.FlowID)
	return &f, core.NotFound(err)
}
