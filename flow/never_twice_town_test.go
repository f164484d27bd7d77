package flow_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/internal/must"
)

// settle finishes the run, without faults: it sends again the messages that did not arrive, and
// confirms those that did.
func (w *town) settle(t *testing.T) {
	by := flussi.Actor{ID: "ultimo", Roles: []flussi.Role{flussi.Operator}}
	service := must.Get(flow.NewService(w.observer, flow.Permissions{by.ID: {taxes, school}}, w.senders, flow.ServiceConfig{}))(t)
	d := w.dispatcher(t, flow.DispatcherConfig{Lease: townLease})
	for round := 0; ; round++ {
		require.Less(t, round, 20, "it comes to no end")
		time.Sleep(2 * townLease)
		must.Get(d.RescueExpired(t.Context()))(t)
		for _, name := range []string{taxes, school} {
			must.Get(d.VerifyService(t.Context(), name, time.Time{}))(t)
		}
		steps := 0
		w.doubtDisabled(t)
		for _, n := range w.open(t) {
			steps += w.settleOne(t, service, by, n)
		}
		for _, f := range must.Get(w.observer.Flows(t.Context(), flow.FlowFilter{Disabled: flow.OnlyEnabled}, flow.Page{Limit: flow.MaxPage}))(t) {
			if f.State == flow.FlowSending {
				_, _ = d.Run(t.Context(), f.ID)
				steps++
				continue
			}
			if f.Counts.Registered > 0 {
				must.Get(service.ActivateFlow(t.Context(), by, f.ID))(t)
				must.Get(service.SendFlow(t.Context(), by, f.ID))(t)
				_, _ = d.Run(t.Context(), f.ID)
				steps++
			}
		}
		if steps == 0 {
			return
		}
	}
}

// doubtDisabled notes messages of disabled notifications that may have arrived. They are not
// resolved, and block other notifications with the message.
func (w *town) doubtDisabled(t *testing.T) {
	open := map[uuid.UUID]bool{}
	for _, n := range w.open(t) {
		open[n.ID] = true
	}
	for _, n := range must.Get(w.observer.Notifications(t.Context(), flow.NotificationFilter{}, flow.Page{Limit: flow.MaxPage}))(t) {
		if n.MayHaveArrived() && !open[n.ID] {
			w.doubt(n)
		}
	}
}

// open returns the notifications to finish: enabled ones that stand alone or have an enabled flow.
func (w *town) open(t *testing.T) []flow.Notification {
	var open []flow.Notification
	for _, n := range must.Get(w.observer.Notifications(t.Context(), flow.NotificationFilter{Disabled: flow.OnlyEnabled}, flow.Page{Limit: flow.MaxPage, OldestFirst: true}))(t) {
		if !n.AnonymisedAt.IsZero() || n.FlowID != uuid.Nil && w.flow(t, n.FlowID).Disabled {
			continue
		}
		open = append(open, n)
	}
	return open
}

// settleOne takes the next step with a notification, and returns 1; 0 if no step is left.
func (w *town) settleOne(t *testing.T, s *flow.Service, by flussi.Actor, n flow.Notification) int {
	arrived := w.arrived()[keyOfNotification(n)] > 0
	code := n.Transmission.ErrorCode
	switch {
	case n.State == flow.NotificationRegistered && !n.Payee.IsZero():
		if n.FlowID != uuid.Nil && w.flow(t, n.FlowID).State == flow.FlowActive {
			must.Get(s.DeactivateFlow(t.Context(), by, n.FlowID))(t)
		}
		if n.FlowID == uuid.Nil || w.flow(t, n.FlowID).State != flow.FlowSending {
			must.Get(s.DisableNotification(t.Context(), by, n.ID))(t)
		}
	case n.State == flow.NotificationRegistered && n.FlowID == uuid.Nil:
		_, _ = s.SendNotification(t.Context(), by, n.ID)
	case n.State != flow.NotificationFailed:
		return 0
	case code == flow.CodeOutcomeUnknown && arrived:
		must.Get(s.ConfirmNotification(t.Context(), by, n.ID, "arrivata"))(t)
	case code == flow.CodeOutcomeUnknown:
		must.Get(s.ResendNotification(t.Context(), by, n.ID, "non arrivata"))(t)
	case !n.Payee.IsZero(), code == flow.CodeAlreadySent && (arrived || w.doubts[keyOfNotification(n)]):
		return 0
	default:
		must.Get(s.RegisterNotification(t.Context(), by, n.ID))(t)
	}
	return 1
}

// check compares the store with the deliveries of the platform.
func (w *town) check(t *testing.T) tally {
	result := tally{Kills: w.kills}
	arrived := w.arrived()
	ids := map[appio.MessageID]messageKey{}
	for _, d := range w.Deliveries() {
		ids[appio.MessageID(d.ID)] = keyOf(d.Service, d.Recipient, d.Subject)
		if d.State.Status == "REJECTED" {
			result.Rejected++
		}
	}
	for key, n := range arrived {
		result.Deliveries += n
		result.Messages++
		if !assert.LessOrEqual(t, n, 1+w.orders[key]+w.erased[key], "%s, %d: %q by %d orders", key.service, key.mark, key.subject, w.orders[key]) {
			w.tell(t, key)
		}
	}
	for key, n := range w.orders {
		result.Orders += n
		result.Anonymised += w.erased[key]
	}
	for _, n := range w.open(t) {
		key := keyOfNotification(n)
		switch {
		case n.State == flow.NotificationSent && n.Transmission.MessageID != "":
			assert.Equal(t, key, ids[n.Transmission.MessageID], "Inviato, though the platform has another message")
		case n.State == flow.NotificationFailed:
			assert.NotEmpty(t, n.Transmission.ErrorCode)
			assert.NotEmpty(t, n.Transmission.Error)
			assert.Equal(t, n.Transmission.ErrorCode == flow.CodeAlreadySent, n.Transmission.EarlierID != uuid.Nil)
			assert.NotEqual(t, flow.CodeOutcomeUnknown, n.Transmission.ErrorCode)
		default:
			assert.Equal(t, flow.NotificationSent, n.State, "%s is lost", n.ID)
		}
		if n.Payee.IsZero() && !w.doubts[key] {
			assert.NotZero(t, arrived[key], "%s, %d: %q did not arrive, and is %s (%s)", key.service, key.mark, key.subject, n.State, n.Transmission.ErrorCode)
		}
	}
	for _, n := range must.Get(w.observer.Notifications(t.Context(), flow.NotificationFilter{}, flow.Page{Limit: flow.MaxPage}))(t) {
		for _, record := range must.Get(w.observer.NotificationHistory(t.Context(), n.ID))(t) {
			if record.Action == flow.NotificationSkip {
				result.Skipped++
			}
			if record.Action == flow.NotificationCreate && record.Reason.Length() > 60 {
				result.Duplicates++
			}
		}
	}
	return result
}

// tell logs what became of a message.
func (w *town) tell(t *testing.T, key messageKey) {
	for _, d := range w.Deliveries() {
		if keyOf(d.Service, d.Recipient, d.Subject) == key {
			t.Log("delivered", d.ID, d.At.Format(time.TimeOnly), d.State.Status)
		}
	}
	for _, n := range must.Get(w.observer.Notifications(t.Context(), flow.NotificationFilter{}, flow.Page{Limit: flow.MaxPage, OldestFirst: true}))(t) {
		if keyOfNotification(n) != key {
			continue
		}
		t.Log(n.ID, n.State, n.Transmission.MessageID)
		for _, r := range must.Get(w.observer.NotificationHistory(t.Context(), n.ID))(t) {
			t.Log("  ", r.At.Format(time.TimeOnly), r.Action, r.By, r.Reason)
		}
	}
}

// observer is the shared store. It records orders to send again, and anonymised notifications.
type observer struct {
	exchanging
	Store  flow.Store
	noting sync.Mutex
	orders map[messageKey]int // successful ones
	erased map[messageKey]int // notifications that may have arrived before
}

func (o *observer) Self() flow.Store { return o }

func newObserver() *observer {
	o := &observer{Store: memstore.New(), orders: map[messageKey]int{}, erased: map[messageKey]int{}}
	o.proxy = func(ctx context.Context, call storeCall) (reply storeReply, err error) {
		changes := call.Changes
		switch call.Method {
		case "SaveFlow":
			if call.Rows != nil {
				for c := range call.Rows {
					changes = append(changes, c)
				}
			}
		case "SaveNotifications":
		default:
			return perform(ctx, o.Store, call)
		}
		err = o.note(ctx, changes, func() error { reply, err = perform(ctx, o.Store, call); return err })
		return reply, err
	}
	return o
}

func (o *observer) note(ctx context.Context, changes []flow.NotificationChange, write func() error) error {
	before := make([]flow.Notification, len(changes))
	for i, c := range changes {
		if c.Record.Action == flow.NotificationAnonymise {
			before[i], _ = o.Store.Notification(ctx, c.Notification.ID)
		}
	}
	if err := write(); err != nil {
		return err
	}
	o.noting.Lock()
	defer o.noting.Unlock()
	for i, c := range changes {
		switch {
		case c.Record.Action == flow.NotificationResend:
			o.orders[keyOfNotification(c.Notification)]++
		case before[i].MayHaveArrived():
			o.erased[keyOfNotification(before[i])]++
		}
	}
	return nil
}

// process is a program that shares the store. Once it is killed, it gets no answers from the store,
// and sends nothing. Before that, some answers are lost.
type process struct {
	exchanging
	town   *town
	mu     sync.Mutex
	random *rand.Rand
	calls  int // until it is killed; negative: it is not
	dead   bool
}

func (p *process) Self() flow.Store { return p }

// process starts a program.
func (w *town) process(random *rand.Rand) *process {
	p := &process{town: w, random: rand.New(rand.NewPCG(random.Uint64(), 0)), calls: -1}
	p.proxy = func(ctx context.Context, call storeCall) (reply storeReply, err error) {
		lost := errStore
		switch call.Method {
		case "SaveImport":
			lost = flussi.ErrCommitUnknown
		case "SaveFlow", "SaveNotifications", "Claim", "SaveAndClaim", "Flow", "Notification":
		default:
			return perform(ctx, w.observer, call)
		}
		err = p.perform(lost, func() error { reply, err = perform(ctx, w.observer, call); return err })
		return reply, err
	}
	return p
}

var errKilled = errors.New("the process was killed")

// kill kills the process.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.die()
}

func (p *process) die() {
	if !p.dead {
		p.dead = true
		p.town.mu.Lock()
		p.town.kills++
		p.town.mu.Unlock()
	}
}

func (p *process) isDead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

// perform makes a call, and returns an error if the process does not get the answer.
func (p *process) perform(lost error, call func() error) error {
	p.mu.Lock()
	if p.calls == 0 {
		p.die()
	}
	p.calls--
	dead, fate := p.dead, p.random.IntN(40)
	p.mu.Unlock()
	if dead {
		return errKilled
	}
	if fate == 0 {
		return errStore
	}
	err := call()
	switch {
	case p.isDead():
		return errKilled
	case fate == 1 && err == nil:
		return lost
	}
	return err
}

func (p *process) senders(ctx context.Context, service string) (flow.Sender, error) {
	m, err := p.town.senders(ctx, service)
	return townSender{m, p}, err
}

// townSender sends nothing for a process that was killed.
type townSender struct {
	flow.Sender
	process *process
}

func (m townSender) Submit(ctx context.Context, message appio.Message) (appio.Receipt, error) {
	if m.process.isDead() {
		return appio.Receipt{}, errKilled
	}
	return m.Sender.Submit(ctx, message)
}
