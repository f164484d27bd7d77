package pagoinretetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete"
)

// gatewayProbe tests one rule on one gateway. Its methods end the test when the gateway fails at
// what the rule is not about.
type gatewayProbe struct {
	*storetest.Probe
	env     GatewayEnvironment
	gateway pagoinrete.Gateway // of the environment
	notices int                // that were made
}

// needs ends a test that needs fields that the environment does not have.
func (p *gatewayProbe) needs(fields ...string) {
	missing := slices.DeleteFunc(fields, func(field string) bool {
		return !reflect.ValueOf(p.env).FieldByName(field).IsZero()
	})
	if len(missing) > 0 {
		p.Skip(missing)
	}
}

// debtorName and why stand for what people write. No error shows them.
const (
	debtorName = "Rossi Mariolina"
	why        = "Manca la delibera per Rossi Mariolina"
)

// newFee returns a fee of two instalments that the platform does not have.
func (p *gatewayProbe) newFee() pagoinrete.Event {
	id, err := uuid.NewV7()
	p.Must(err, "uuid.NewV7")
	now := time.Now().UTC().Truncate(time.Second)
	return pagoinrete.Event{
		ID: id, Kind: pagoinrete.Fee, School: p.env.School, State: pagoinrete.EventNotTransmitted,
		EventData: pagoinrete.EventData{
			Name: "Visita a Firenze", Causale: "Visita a Firenze, 3ª A", Category: "Visite e viaggi",
			SchoolYear: pagoinrete.SchoolYear(now.Year()), FinancialYear: now.Year(), Account: p.env.Account, Amount: 4500,
			Instalments: []pagoinrete.Instalment{
				{DueDate: now.AddDate(0, 1, 0), Amount: 3000}, {DueDate: now.AddDate(0, 2, 0), Amount: 1500},
			},
		},
		CreatedAt: now, UpdatedAt: now, UpdatedBy: p.env.Assistant.ID,
	}
}

// newNotice returns a notice of an event's first instalment that the platform does not have, for
// the payer of the environment.
func (p *gatewayProbe) newNotice(of pagoinrete.Event) pagoinrete.Notice {
	id, err := uuid.NewV7()
	p.Must(err, "uuid.NewV7")
	p.notices++
	return pagoinrete.Notice{
		ID: id, EventID: of.ID, School: of.School, State: pagoinrete.NoticeNotLinked, Instalment: 1,
		NoticeData: pagoinrete.NoticeData{
			Debtor: p.env.Debtors[p.notices%len(p.env.Debtors)], DebtorKind: pagoinrete.DebtorPupil,
			DebtorName: flussi.NewText(debtorName), Payer: p.env.Payer, Amount: of.Instalments[0].Amount, Discount: 500,
			DueDate: of.Instalments[0].DueDate, Reference: fmt.Sprint("riga ", p.notices),
		},
		CreatedAt: of.CreatedAt, UpdatedAt: of.CreatedAt, UpdatedBy: p.env.Assistant.ID,
	}
}

// newLargeFee returns a fee of more cents than 32 bits hold, which the platform does not have.
func (p *gatewayProbe) newLargeFee() pagoinrete.Event {
	e := p.newFee()
	e.Amount = flussi.MaxPayable
	e.Instalments[0].Amount = e.Amount - e.Instalments[1].Amount
	return e
}

// proof returns a proof of what is due for a notice.
func (p *gatewayProbe) proof(n pagoinrete.Notice, reference string) pagoinrete.Proof {
	return pagoinrete.Proof{Reference: reference, Amount: n.Due(), Date: n.CreatedAt, By: p.env.Assistant.ID}
}

func (p *gatewayProbe) putEvent(e pagoinrete.Event) pagoinrete.RemoteEvent {
	there, err := p.gateway.PutEvent(p.Ctx, p.env.Assistant, e)
	p.Must(err, "PutEvent")
	return there
}

func (p *gatewayProbe) putNotice(n pagoinrete.Notice) pagoinrete.RemoteNotice {
	there, err := p.gateway.PutNotice(p.Ctx, p.env.Assistant, n)
	p.Must(err, "PutNotice")
	return there
}

func (p *gatewayProbe) event(id uuid.UUID) pagoinrete.RemoteEvent {
	there, err := p.gateway.Event(p.Ctx, id)
	p.Must(err, "Event")
	return there
}

// notice reads one notice, which must be there once.
func (p *gatewayProbe) notice(id uuid.UUID) pagoinrete.RemoteNotice {
	all, err := p.gateway.Notices(p.Ctx, []uuid.UUID{id})
	p.Must(err, "Notices")
	if len(all) != 1 {
		p.Must(fmt.Errorf("want 1 notice, got %d", len(all)), "Notices of one that was put")
	}
	return all[0]
}

// actor returns a user who may take an action with an event, by the guide.
func (p *gatewayProbe) actor(action pagoinrete.EventAction) flussi.Actor {
	if action == pagoinrete.EventApprove || action == pagoinrete.EventReject {
		return p.env.Principal
	}
	return p.env.Assistant
}

// move takes a step with an event, by an actor with the role for it.
func (p *gatewayProbe) move(id uuid.UUID, action pagoinrete.EventAction) pagoinrete.RemoteEvent {
	reason := flussi.Text{}
	if action == pagoinrete.EventReject {
		reason = flussi.NewText(why)
	}
	there, err := p.gateway.MoveEvent(p.Ctx, p.actor(action), id, action, reason)
	p.Must(err, fmt.Sprintf("MoveEvent, %s", action))
	return there
}

// proofFor returns the proof that a step with a notice needs.
func (p *gatewayProbe) proofFor(n pagoinrete.Notice, action pagoinrete.NoticeAction) pagoinrete.Proof {
	if action == pagoinrete.NoticeCancel {
		return pagoinrete.Proof{}
	}
	return p.proof(n, string(action))
}

// moveNotice takes a step with a notice.
func (p *gatewayProbe) moveNotice(n pagoinrete.Notice, action pagoinrete.NoticeAction) pagoinrete.RemoteNotice {
	return p.moveNoticeBy(n, action, p.proofFor(n, action))
}

// moveNoticeBy takes a step with a notice by a proof.
func (p *gatewayProbe) moveNoticeBy(n pagoinrete.Notice, action pagoinrete.NoticeAction, proof pagoinrete.Proof) pagoinrete.RemoteNotice {
	there, err := p.gateway.MoveNotice(p.Ctx, p.env.Assistant, n.ID, action, proof)
	p.Must(err, fmt.Sprintf("MoveNotice, %s", action))
	return there
}

// ready puts an event with a notice on the platform, and leads it to a state.
func (p *gatewayProbe) ready(state pagoinrete.EventState) (pagoinrete.Event, pagoinrete.Notice) {
	e := p.newFee()
	n := p.newNotice(e)
	p.lead(state, e, n)
	return e, n
}

// lead puts an event with notices on the platform, and leads it to a state.
func (p *gatewayProbe) lead(state pagoinrete.EventState, e pagoinrete.Event, notices ...pagoinrete.Notice) {
	p.putEvent(e)
	for _, n := range notices {
		p.putNotice(n)
	}
	steps, err := pagoinrete.EventMachine().Path(pagoinrete.EventSimulated, state)
	p.Must(err, "the way to "+string(state))
	for _, action := range steps {
		p.move(e.ID, action)
	}
	if there := p.event(e.ID); there.State != state {
		p.Must(fmt.Errorf("want the state %s, got %s", state, there.State), "Event")
	}
}

// logIn lets the payer log in, so that a notice of an event that is Notificato can be paid.
func (p *gatewayProbe) logIn() { p.Must(p.env.LogIn(p.Ctx, p.env.Payer), "the hook LogIn") }

// is checks a single value.
func (p *gatewayProbe) is(what string, got, want any) {
	if got != want {
		p.Fail("%s: want %v, got %v", what, want, got)
	}
}

// remoteState is what the gateway says of an event and notices.
type remoteState struct {
	there   bool
	event   pagoinrete.RemoteEvent
	notices map[uuid.UUID]pagoinrete.RemoteNotice
}

func (p *gatewayProbe) look(event uuid.UUID, notices ...uuid.UUID) remoteState {
	s := remoteState{there: true, notices: map[uuid.UUID]pagoinrete.RemoteNotice{}}
	var err error
	if s.event, err = p.gateway.Event(p.Ctx, event); errors.Is(err, flussi.ErrRemoteNotFound) {
		s.there = false
	} else {
		p.Must(err, "Event")
	}
	all, err := p.gateway.Notices(p.Ctx, notices)
	p.Must(err, "Notices")
	for _, n := range all {
		s.notices[n.ID] = n
	}
	return s
}

// unchanged checks that the gateway says the same of an event and notices as before.
func (p *gatewayProbe) unchanged(doing string, before, after remoteState) {
	if before.there != after.there {
		p.Fail("%s: was the event there: %t, and is it: %t", doing, before.there, after.there)
	}
	p.Equal(doing+" has changed the event", after.event, before.event)
	storetest.EqualAll(p.Probe, doing+" has changed a notice:", after.notices, before.notices)
}

// refuses checks that a call is refused as one of some kinds, and that the event and the notices
// are as before.
func (p *gatewayProbe) refuses(doing string, kinds []error, event uuid.UUID, notices []uuid.UUID, call func() error) {
	before := p.look(event, notices...)
	err := call()
	if outcome := flussi.OutcomeOf(err); outcome != flussi.OutcomeRefused {
		p.Fail("%s: want the outcome %s, got %s: %w", doing, flussi.OutcomeRefused, outcome, storetest.OrNone(err))
	}
	p.isOneOf(doing, err, kinds...)
	p.unchanged(doing, before, p.look(event, notices...))
}

// refusesEvent checks that PutEvent is refused.
func (p *gatewayProbe) refusesEvent(doing string, kind error, by flussi.Actor, e pagoinrete.Event, notices ...uuid.UUID) {
	p.refuses(doing, only(kind), e.ID, notices, func() error {
		_, err := p.gateway.PutEvent(p.Ctx, by, e)
		return err
	})
}

// refusesPut checks that PutNotice is refused, and changes neither an event nor other notices.
func (p *gatewayProbe) refusesPut(doing string, kinds []error, by flussi.Actor, n pagoinrete.Notice, event uuid.UUID, others ...uuid.UUID) {
	p.refuses(doing, kinds, event, append(others, n.ID), func() error {
		_, err := p.gateway.PutNotice(p.Ctx, by, n)
		return err
	})
}

// remoteKind is a kind of a [*flussi.RemoteError], and what it means for a change.
type remoteKind struct {
	err     error
	outcome flussi.Outcome
}

var remoteKinds = []remoteKind{
	{flussi.ErrRemoteInvalid, flussi.OutcomeRefused},
	{flussi.ErrUnauthorized, flussi.OutcomeRefused},
	{flussi.ErrRemoteForbidden, flussi.OutcomeRefused},
	{flussi.ErrRemoteNotFound, flussi.OutcomeRefused},
	{flussi.ErrRemoteState, flussi.OutcomeRefused},
	{flussi.ErrRateLimited, flussi.OutcomeNotDone},
	{flussi.ErrUnavailable, flussi.OutcomeNotDone},
	{flussi.ErrInterrupted, flussi.OutcomeNotDone},
	{flussi.ErrOutcomeUnknown, flussi.OutcomeUnknown},
}

// isOneOf checks that an error is of one of some kinds, and of no other.
func (p *gatewayProbe) isOneOf(doing string, err error, kinds ...error) {
	var found, wanted []string
	right := false
	for _, kind := range remoteKinds {
		if errors.Is(err, kind.err) {
			found = append(found, kind.err.Error())
			right = slices.Contains(kinds, kind.err)
		}
	}
	for _, kind := range kinds {
		wanted = append(wanted, kind.Error())
	}
	if len(found) != 1 || !right {
		p.Fail("%s: want the kind %q and no other, got %q: %w", doing, strings.Join(wanted, " or "), found, storetest.OrNone(err))
	}
}

// only is a list of one kind.
func only(kind error) []error { return []error{kind} }

// gatewayCall is a call of one method. One that changes something can be made once.
type gatewayCall struct {
	method string
	call   func(context.Context, pagoinrete.Gateway) error
	done   func() bool // reads back whether it was done; nil if the call only reads
}

// calls returns a call of each method, ready to be made. Those that read are about an event that
// is Notificato, with a notice that is not paid.
func (p *gatewayProbe) calls() []gatewayCall {
	open, toCancel := p.ready(pagoinrete.EventSimulated)
	toSubmit, _ := p.ready(pagoinrete.EventSimulated)
	notified, n := p.ready(pagoinrete.EventNotified)
	newEvent, newNotice := p.newFee(), p.newNotice(open)
	isThere := func(id uuid.UUID) func() bool { return func() bool { return p.look(id, id).has(id) } }
	return []gatewayCall{
		{"PutEvent", func(ctx context.Context, g pagoinrete.Gateway) error {
			_, err := g.PutEvent(ctx, p.env.Assistant, newEvent)
			return err
		}, isThere(newEvent.ID)},
		{"PutNotice", func(ctx context.Context, g pagoinrete.Gateway) error {
			_, err := g.PutNotice(ctx, p.env.Assistant, newNotice)
			return err
		}, isThere(newNotice.ID)},
		{"MoveEvent", func(ctx context.Context, g pagoinrete.Gateway) error {
			_, err := g.MoveEvent(ctx, p.env.Assistant, toSubmit.ID, pagoinrete.EventSubmit, flussi.Text{})
			return err
		}, func() bool { return p.event(toSubmit.ID).State == pagoinrete.EventToApprove }},
		{"MoveNotice", func(ctx context.Context, g pagoinrete.Gateway) error {
			_, err := g.MoveNotice(ctx, p.env.Assistant, toCancel.ID, pagoinrete.NoticeCancel, pagoinrete.Proof{})
			return err
		}, func() bool { return p.notice(toCancel.ID).State == pagoinrete.NoticeCancelled }},
		{"Event", func(ctx context.Context, g pagoinrete.Gateway) error { _, err := g.Event(ctx, notified.ID); return err }, nil},
		{"Notices", func(ctx context.Context, g pagoinrete.Gateway) error {
			_, err := g.Notices(ctx, []uuid.UUID{n.ID})
			return err
		}, nil},
		{"NoticePDF", func(ctx context.Context, g pagoinrete.Gateway) error { _, err := readPDF(ctx, g, n.ID); return err }, nil},
		{"Receipt", func(ctx context.Context, g pagoinrete.Gateway) error { _, err := g.Receipt(ctx, n.ID); return err }, nil},
	}
}

// has reports whether something with the ID is there.
func (s remoteState) has(id uuid.UUID) bool {
	_, isNotice := s.notices[id]
	return s.there || isNotice
}

// readPDF reads a PDF to its end, and closes it.
func readPDF(ctx context.Context, g pagoinrete.Gateway, id uuid.UUID) ([]byte, error) {
	body, err := g.NoticePDF(ctx, id)
	if err != nil {
		return nil, err
	}
	file, err := io.ReadAll(body)
	return file, errors.Join(err, body.Close())
}
