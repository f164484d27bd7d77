package flowtest

import (
	"errors"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/internal/storetest"
)

var releasedRules = []rule{
	{"a message can be sent once no notification with it may have arrived", allMustBeReleased},
	{"an edit changes the message of a notification", editsChangeTheMessage},
	{"SaveAndClaim claims by the outcomes that it stores", saveAndClaimGoesByOutcomes},
}

func allMustBeReleased(p *probe) {
	release := func(n flow.Notification) {
		n.State, n.Transmission.ErrorCode, n.AllowDuplicate = flow.NotificationFailed, flow.CodeRefused, false
		p.saveAll(n)
	}
	for _, firstOf := range []string{"the one that was sent first", "the one that was repeated"} {
		f := p.saveFlow(p.sendingFlow())
		first := p.newNotification(f.ID)
		p.saveAll(first)
		p.claim(f.ID, 10, long)
		skipped := p.save(p.twin(first, f.ID))
		p.skips("whose message another one has", skipped, p.notifications.One(first.ID))
		repeated := p.twin(first, f.ID)
		repeated.AllowDuplicate = true
		p.saveAll(repeated)
		p.claim(f.ID, 10, long)
		p.isSending("one that may be repeated", repeated.ID)
		both := []flow.Notification{p.notifications.One(first.ID), p.notifications.One(repeated.ID)}
		p.skips("whose message two have", p.save(p.twin(first, f.ID)), both...)
		if firstOf == "the one that was repeated" {
			slices.Reverse(both)
		}
		release(both[0])
		p.skips("whose message two have, of which "+firstOf+" was refused", p.save(p.twin(first, f.ID)), both[1])
		release(both[1])
		last := p.save(p.twin(first, f.ID))
		p.takes("Claim of one whose message two have, which both were refused", f.ID, 10, []flow.Notification{last})
		p.isSending("one whose message two have, which both were refused", last.ID)
	}
	// Each way to release it, and to take it again.
	f := p.saveFlow(p.sendingFlow())
	for _, h := range p.harmless()[1:] {
		earlier := p.save(p.newNotification(f.ID))
		p.claim(f.ID, 10, long)
		earlier = p.notifications.One(earlier.ID)
		released := earlier
		if h.set(&released); released.Service != earlier.Service {
			continue // never changes
		}
		released = p.save(released)
		n := p.save(p.twin(earlier, f.ID))
		what := "one whose message one had that was In invio, and is " + h.why
		p.takes("Claim of "+what, f.ID, 10, []flow.Notification{n})
		p.isSending(what, n.ID)
	}
}

func editsChangeTheMessage(p *probe) {
	f := p.saveFlow(p.sendingFlow())
	for _, a := range p.arrivals() {
		earlier := p.newNotification(uuid.Nil)
		a.set(&earlier)
		earlier = p.save(earlier)
		old := earlier
		earlier.Content = flussi.NewText(earlier.Content.Reveal() + ", corretto")
		earlier = p.save(earlier)
		refused := old
		refused.Content = flussi.NewText(p.Word())
		err := p.store.SaveNotifications(p.Ctx, notificationChange(refused))
		p.Wants(flussi.ErrConflict, err, "SaveNotifications of an old version")
		n := p.save(p.twin(refused, f.ID))
		what := "one whose message another one, which is " + a.why + ", would have if its change were not refused"
		p.takes("Claim of "+what, f.ID, 10, []flow.Notification{n})
		p.isSending(what, n.ID)
		n = p.save(p.twin(old, f.ID))
		what = "one whose message another one had, which is " + a.why + ", until its text was changed"
		p.takes("Claim of "+what, f.ID, 10, []flow.Notification{n})
		p.isSending(what, n.ID)
		p.skips("whose message another one has, which is "+a.why+", since its text was changed", p.save(p.twin(earlier, f.ID)), earlier)
	}
	// An edit of the claimed one counts, too.
	earlier := p.newNotification(uuid.Nil)
	earlier.State = flow.NotificationSent
	earlier = p.save(earlier)
	n := p.save(p.twin(earlier, f.ID))
	n.Occasion = "sollecito marzo"
	n = p.save(n)
	p.takes("Claim of one that has another occasion since it was stored", f.ID, 10, []flow.Notification{n})
	p.isSending("one that has another occasion since it was stored", n.ID)
	n = p.save(p.newNotification(f.ID))
	n.Draft = earlier.Draft
	p.skips("that has the text of one that was sent since it was stored", p.save(n), earlier)
}

func saveAndClaimGoesByOutcomes(p *probe) {
	if _, can := core.Own[flow.Store, flow.SaveAndClaimer](p.store); !can {
		return
	}
	for _, o := range append(p.arrivals()[1:], p.harmless()[3]) {
		f := p.saveFlow(p.sendingFlow())
		first := p.newNotification(f.ID)
		p.saveAll(first)
		_, claimed := p.claim(f.ID, 10, long)
		if len(claimed) != 1 {
			p.Fail("Claim of one: got %d", len(claimed))
			return
		}
		n := p.save(p.twin(first, f.ID))
		done := claimed[0]
		o.set(&done)
		got, taken, _, err := p.saveAndClaim(f.ID, 10, done)
		p.Must(err, "SaveAndClaim")
		what := "SaveAndClaim of one that becomes " + o.why + ", and of one with its message"
		if err := differ(taken, []uuid.UUID{n.ID}); err != nil {
			p.Fail("%s: want the second: %w", what, err)
			continue
		}
		done.Version++
		want := flow.NotificationSending
		if done.MayHaveArrived() {
			want = flow.NotificationFailed
			p.isSkipped("whose message is that of an outcome", taken[0], n, flow.Claim{At: taken[0].UpdatedAt, By: "dispatcher"}, done)
		}
		if taken[0].State != want {
			p.Fail("%s: want the state %q, got %q", what, want, taken[0].State)
		}
		p.Equal(what+": the flow", got, p.flows.One(f.ID))
	}
	// One that was given back is claimed first again.
	f := p.saveFlow(p.sendingFlow())
	first := p.newNotification(f.ID)
	second := p.twin(first, f.ID)
	p.saveAll(first)
	_, claimed := p.claim(f.ID, 10, long)
	p.saveAll(second)
	for i := range claimed {
		claimed[i].State = flow.NotificationRegistered
	}
	_, taken, _, err := p.saveAndClaim(f.ID, 10, claimed...)
	p.Must(err, "SaveAndClaim")
	taken = arranged(taken, []flow.Notification{first, second})
	what := "SaveAndClaim of one that is given back, and of one with its message"
	if err := differ(taken, []uuid.UUID{first.ID, second.ID}); err != nil {
		p.Fail("%s: %w", what, err)
	} else if earlier := taken[1].Transmission.EarlierID; earlier != first.ID {
		p.Fail("%s: want the second in Errore because of %v, got because of %v", what, first.ID, earlier)
	}
	p.isSending("one that was given back", first.ID)
	// A SaveAndClaim that would make one In invio that was sent already stores and claims nothing.
	all := p.newNotifications(f.ID, 3)
	p.saveAll(all...)
	if _, claimed = p.claim(f.ID, 1, long); len(claimed) != 1 {
		p.Fail("Claim with the limit 1, of 3: got %d", len(claimed))
		return
	}
	claimed[0].State = flow.NotificationSent
	again := p.twin(all[0], uuid.Nil)
	again.State = flow.NotificationSending
	before := p.Snapshot()
	_, _, _, err = p.saveAndClaim(f.ID, 10, claimed[0], again)
	p.isAlreadySent("SaveAndClaim of one that was sent already", err, again.ID, all[0].ID)
	p.Unchanged(before, "SaveAndClaim of one that was sent already")
}

// isAlreadySent checks an error that refuses to make a notification In invio because of one of
// others.
func (p *probe) isAlreadySent(what string, err error, id uuid.UUID, because ...uuid.UUID) {
	p.Wants(flussi.ErrDuplicate, err, what)
	var refused *flow.AlreadySentError
	switch {
	case !errors.As(err, &refused):
		p.Fail("%s: want an *AlreadySentError, got %w", what, storetest.OrNone(err))
	case refused.NotificationID != id || !slices.Contains(because, refused.Earlier.ID):
		p.Fail("%s: want an error of %v because of %v, got one of %v because of %v",
			what, id, because, refused.NotificationID, refused.Earlier.ID)
	}
}
