package flowtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/storetest"
)

var saveSentRules = []rule{
	{"a write that makes a notification In invio is refused if another one may have brought its message", savesAreRefused},
	{"a write that makes a notification In invio is stored if no other one may have brought its message", savesAreStored},
	{"a write that makes no notification In invio is never refused as sent already", otherStatesAreStored},
	{"a write is judged by the notifications as they are after it", savesAreSeenWhole},
	{"of those with one message that become In invio at once, one succeeds", messagesHaveOneWinner},
}

// way is a method that stores notifications.
type way struct {
	name  string
	store func(all ...flow.Notification) error
}

// ways returns the methods that can make notifications In invio, other than Claim and SaveImport.
func (p *probe) ways() []way {
	f := p.saveFlow(p.newFlow())
	return []way{
		{"SaveNotifications", func(all ...flow.Notification) error {
			return p.store.SaveNotifications(p.Ctx, notificationChanges(all...)...)
		}},
		{"SaveFlow of a new flow", func(all ...flow.Notification) error {
			return p.store.SaveFlow(p.Ctx, flowChange(p.newFlow()), p.sequence(all...))
		}},
		{"SaveFlow", func(all ...flow.Notification) error {
			changed := p.flows.One(f.ID)
			changed.State = flow.FlowActive
			return p.store.SaveFlow(p.Ctx, flowChange(changed), p.sequence(all...))
		}},
	}
}

// sending returns the notification In invio.
func sending(n flow.Notification) flow.Notification {
	n.State = flow.NotificationSending
	return n
}

func savesAreRefused(p *probe) {
	f := p.saveFlow(p.newFlow())
	for _, way := range p.ways() {
		for i, a := range p.arrivals() {
			for _, of := range []uuid.UUID{f.ID, uuid.Nil} {
				earlier := p.newNotification(of)
				a.set(&earlier)
				earlier = p.save(earlier)
				n := p.twin(earlier, uuid.Nil)
				what := way.name + ", of a new one whose message one has that is " + a.why
				if of == uuid.Nil {
					n, what = p.save(n), way.name+", of one whose message one has that is "+a.why
				}
				others := p.newNotifications(f.ID, 2)
				others[1] = p.save(others[1])
				others[1].Reference = "changed"
				var before storetest.Snapshot[flow.Flow, flow.Notification]
				if i == 0 { // it takes long
					before = p.Snapshot()
				}
				p.isAlreadySent(what, way.store(others[0], sending(n), others[1]), n.ID, earlier.ID)
				if i == 0 {
					p.Unchanged(before, what)
				}
			}
		}
	}
}

func savesAreStored(p *probe) {
	f := p.saveFlow(p.newFlow())
	for _, way := range p.ways() {
		for _, h := range p.harmless() {
			earlier := p.newNotification(f.ID)
			n := p.twin(earlier, uuid.Nil)
			h.set(&earlier)
			p.saveAll(earlier)
			what := way.name + ", of one whose message one has that is " + h.why
			p.Must(way.store(sending(n)), what)
			p.isSending(what, n.ID)
		}
		for _, a := range p.arrivals() {
			earlier := p.newNotification(f.ID)
			a.set(&earlier)
			p.saveAll(earlier)
			n := p.save(p.twin(earlier, uuid.Nil))
			n.AllowDuplicate = true
			what := way.name + ", of one that may be repeated, and whose message one has that is " + a.why
			p.Must(way.store(sending(n)), what)
			p.isSending(what, n.ID)
			// It is In invio already, so it does not become so.
			n = p.notifications.One(n.ID)
			n.AllowDuplicate, n.Reference = false, "changed"
			what = way.name + ", of one that was In invio, and whose message one has that is " + a.why
			p.Must(way.store(n), what)
			n.Version++
			p.notifications.IsRead("stored by "+what, n)
			n.Content = flussi.NewText("corretto")
			p.Must(way.store(n), what+", with another text")
		}
	}
}

func otherStatesAreStored(p *probe) {
	for _, way := range p.ways() {
		for _, a := range append(p.arrivals(), p.harmless()[:9]...) {
			earlier := p.newNotification(uuid.Nil)
			earlier.State = flow.NotificationSent
			p.saveAll(earlier)
			fresh, old := p.twin(earlier, uuid.Nil), p.save(p.twin(earlier, uuid.Nil))
			if a.set(&fresh); fresh.State == flow.NotificationSending {
				continue
			}
			a.set(&old)
			what := way.name + ", of two whose message one has that is Inviato, and which are " + a.why
			p.Must(way.store(fresh, old), what)
			fresh.Version++
			old.Version++
			p.notifications.IsRead("stored as new by "+what, fresh)
			p.notifications.IsRead("stored by "+what, old)
		}
	}
}

// meanwhile is a change of a notification in the same write that makes another one with its message
// In invio.
type meanwhile struct {
	why     string
	before  func(n *flow.Notification) // nil if it is new
	after   func(n *flow.Notification)
	refused bool // the other one is
}

func (p *probe) meanwhiles() []meanwhile {
	is := func(state flow.NotificationState, code flow.ErrorCode) func(*flow.Notification) {
		return func(n *flow.Notification) { n.State, n.Transmission.ErrorCode = state, code }
	}
	inSending, sent := is(flow.NotificationSending, ""), is(flow.NotificationSent, "")
	return []meanwhile{
		{"was In invio, and is in Errore", inSending, is(flow.NotificationFailed, flow.CodeRefused), false},
		{"was In invio, and is given back", inSending, is(flow.NotificationRegistered, ""), false},
		{"was Inviato, and is rejected", sent, is(flow.NotificationFailed, flow.CodeRefused), false},
		{"was Inviato, and gets another text", sent, func(n *flow.Notification) { n.Content = flussi.NewText("corretto") }, false},
		{"was Inviato, and is anonymised", sent, func(n *flow.Notification) { n.Draft, n.AnonymisedAt = flow.Draft{}, p.SomeTime() }, false},
		{"was In invio, and is Inviato", inSending, sent, true},
		{"was In invio, and is in Errore with an unknown outcome", inSending, is(flow.NotificationFailed, flow.CodeOutcomeUnknown), true},
		{"was Registrato, and is Inviato", is(flow.NotificationRegistered, ""), sent, true},
		{"is new, and Inviato", nil, sent, true},
		{"had another text, and is Inviato", func(n *flow.Notification) { n.Content = flussi.NewText(p.Word()) }, sent, true},
	}
}

func savesAreSeenWhole(p *probe) {
	for _, way := range p.ways() {
		for _, m := range p.meanwhiles() {
			for _, first := range []bool{true, false} {
				model := p.newNotification(uuid.Nil)
				earlier := p.twin(model, uuid.Nil)
				if m.before != nil {
					m.before(&earlier)
					earlier = p.save(earlier)
					earlier.Draft = model.Draft
				}
				m.after(&earlier)
				n := p.save(p.twin(model, uuid.Nil))
				write := []flow.Notification{earlier, sending(n)}
				if !first {
					slices.Reverse(write)
				}
				what := fmt.Sprintf("%s, of one whose message one has that %s in the same write, first: %t", way.name, m.why, first)
				err := way.store(write...)
				if !m.refused {
					p.Must(err, what)
					p.isSending(what, n.ID)
					continue
				}
				p.isAlreadySent(what, err, n.ID, earlier.ID)
				p.notifications.IsRead("refused by "+what, n)
			}
		}
		// Two become so together.
		for _, version := range []int64{0, 1} {
			a := p.newNotification(uuid.Nil)
			b, between := p.twin(a, uuid.Nil), p.newNotification(uuid.Nil)
			if version > 0 {
				p.saveAll(a, b)
			}
			a, b = withVersion(sending(a), version), withVersion(sending(b), version)
			what := fmt.Sprintf("%s, of two of version %d with one message that become In invio together", way.name, version)
			var refused *flow.AlreadySentError
			switch err := way.store(a, between, b); {
			case !errors.As(err, &refused) || !errors.Is(err, flussi.ErrDuplicate):
				p.Fail("%s: want an *AlreadySentError that is an ErrDuplicate, got %w", what, storetest.OrNone(err))
			case [2]uuid.UUID{refused.NotificationID, refused.Earlier.ID} != [2]uuid.UUID{a.ID, b.ID} &&
				[2]uuid.UUID{refused.NotificationID, refused.Earlier.ID} != [2]uuid.UUID{b.ID, a.ID}:
				p.Fail("%s: want the error to name both, got %w", what, err)
			}
			b.AllowDuplicate = true
			what += ", of which one may be repeated"
			p.Must(way.store(a, between, b), what)
			p.isSending(what, a.ID)
			p.isSending(what, b.ID)
		}
		// One gets a text and becomes so at once.
		earlier := p.newNotification(uuid.Nil)
		earlier.State = flow.NotificationSent
		p.saveAll(earlier)
		n := sending(p.save(p.newNotification(uuid.Nil)))
		n.Draft = earlier.Draft
		p.isAlreadySent(way.name+", of one that gets the text of one that was sent", way.store(n), n.ID, earlier.ID)
	}
}

// messagesHaveOneWinner claims many flows with the same messages at once, in different orders,
// while other goroutines make single notifications with these messages In invio.
func messagesHaveOneWinner(p *probe) {
	const messages, claimers = 12, storetest.Crowd * 2 / 3
	ctx, cancel := context.WithTimeout(p.Ctx, patience)
	defer cancel()
	for round := range 3 {
		models := p.newNotifications(uuid.Nil, messages)
		own := make([][]flow.Notification, storetest.Crowd) // of each
		flows := make([]flow.Flow, claimers)
		for i := range own {
			of := uuid.Nil
			if i < claimers {
				flows[i] = p.sendingFlow()
				of = flows[i].ID
			}
			some := messages
			if of == uuid.Nil {
				some = messages / 3 // the others are claimed only
			}
			for _, at := range p.Random.Perm(some) {
				own[i] = append(own[i], p.twin(models[at], of))
			}
			switch {
			case i < claimers:
				p.saveFlow(flows[i], own[i]...)
			case i%2 == 0: // the others are new
				p.saveAll(own[i]...)
				for at := range own[i] {
					own[i][at].Version++
				}
			}
		}
		at := p.Now()
		for i, err := range p.Together(func(i int) error {
			if i < claimers {
				return p.claimAll(ctx, flow.Claim{Flow: flows[i].ID, Limit: 1 + i%4, Lease: long, At: at, By: fmt.Sprint("dispatcher ", i)})
			}
			return p.sendEach(ctx, own[i])
		}) {
			if err != nil {
				p.Fail("round %d, number %d of those who make the same messages In invio at once: %w", round, i, err)
			}
		}
		for _, m := range models {
			p.wasSentOnce(m.Digest(), claimers)
		}
	}
}

// claimAll claims until nothing is left. After a conflict it tries again.
func (p *probe) claimAll(ctx context.Context, claim flow.Claim) error {
	for {
		after, claimed, err := p.store.Claim(ctx, claim)
		switch {
		case err == nil && len(claimed) == 0 && after.Counts.Registered == 0:
			return nil
		case err != nil && !errors.Is(err, flussi.ErrConflict):
			return err
		case err != nil || len(claimed) == 0:
			time.Sleep(time.Millisecond)
		}
	}
}

// sendEach makes notifications In invio one by one, unless their message was sent already.
func (p *probe) sendEach(ctx context.Context, all []flow.Notification) error {
	for _, n := range all {
		for {
			err := p.store.SaveNotifications(ctx, notificationChange(sending(n)))
			var refused *flow.AlreadySentError
			if err == nil || errors.As(err, &refused) {
				break
			}
			if !errors.Is(err, flussi.ErrConflict) {
				return err
			}
			time.Sleep(time.Millisecond)
		}
	}
	return nil
}

// wasSentOnce checks that of those with a message one is In invio, and that the others are not.
func (p *probe) wasSentOnce(message flow.Digest, claimed int) {
	all := p.notifications.Page(flow.NotificationFilter{Digests: []flow.Digest{message}}, flow.Page{Limit: storetest.Everything})
	i := slices.IndexFunc(all, func(n flow.Notification) bool { return n.State == flow.NotificationSending })
	if i < 0 {
		p.Fail("of %d with one message that become In invio at once, none is", len(all))
		return
	}
	skipped := 0
	for at, n := range all {
		switch {
		case at == i:
			if n.FlowID != uuid.Nil {
				skipped++
			}
		case n.State == flow.NotificationSending:
			p.Fail("of those with one message that become In invio at once, %v and %v are", all[i].ID, n.ID)
		case n.FlowID == uuid.Nil:
			if n.State != flow.NotificationRegistered {
				p.Fail("one that was refused since its message was sent already is in the state %q", n.State)
			}
		case n.State != flow.NotificationFailed || n.Transmission.ErrorCode != flow.CodeAlreadySent || n.Transmission.EarlierID != all[i].ID:
			p.Fail("one whose message %v has is, after a claim, in the state %q with the error %q because of %v",
				all[i].ID, n.State, n.Transmission.ErrorCode, n.Transmission.EarlierID)
		default:
			skipped++
		}
	}
	if skipped != claimed {
		p.Fail("of %d flows with one message, %d were claimed", claimed, skipped)
	}
}
