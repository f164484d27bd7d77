package flow

import (
	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// A refusal belongs to its recipient unless it is shown to be the service's. Equal refusals of
// several recipients, with nothing accepted in between, show it: the platform's own texts may
// change, so no rule reads them.

// refusal is what two equal refusals have in common: the call, the status, and the type and title
// of the problem. The detail may name values of the message, so it is not compared.
type refusal struct {
	operation   string
	status      int
	kind, title string
}

// refusalOf returns what the refusal of a message has in common with others: its title, too, may
// name values of the message.
func refusalOf(n Notification, e *flussi.RemoteError) refusal {
	r := refusal{operation: e.Operation, status: e.Status}
	if e.Problem != nil {
		title := flussi.Problem{Title: e.Problem.Title}
		r.kind = e.Problem.Type.Reveal()
		r.title = title.Words(n.Recipient.Reveal(), n.Subject.Reveal(), n.Content.Reveal(), n.NoticeNumber.Reveal())
	}
	return r
}

// refused is a notification that the platform refused, as it was claimed.
type refused struct {
	id             uuid.UUID
	version        int64 // the outcome is stored with the next one
	allowDuplicate bool
	at             int // the number of the outcome in the run
}

// streak is what the platform refused alike.
type streak struct {
	recipients map[flussi.FiscalCode]struct{} // since a message was accepted; at most the threshold
	// refused are in the order of their outcomes, with those that came while the message that was
	// accepted last was under way: the service may have failed in between.
	refused []refused
}

const (
	maxStreak  = 10_000 // the last notifications of a streak, which may be Registrato again
	maxStreaks = 100    // with more kinds of refusals, counting begins anew
)

// refusals counts equal refusals. Of a notification whose refusal stopped its flow before, none
// counts, so a flow does not stop for the same notifications again.
type refusals struct {
	threshold int
	streaks   map[refusal]*streak
	stoppedBy refusal // of back
	back      *streak // stopped the flow: its notifications are to be Registrato again
}

// add counts a refusal, and reports whether it is one too many.
func (r *refusals) add(n *Notification, kind refusal, at int) bool {
	if n.Transmission.StoppedFlow {
		return false
	}
	s := r.streaks[kind]
	if r.back != nil && kind == r.stoppedBy {
		s = r.back // it was under way when the flow stopped
	}
	if s == nil {
		s = &streak{recipients: map[flussi.FiscalCode]struct{}{}}
		if r.streaks == nil || len(r.streaks) >= maxStreaks {
			r.streaks = map[refusal]*streak{}
		}
		r.streaks[kind] = s
	}
	if len(s.refused) == maxStreak {
		s.refused = s.refused[1:]
	}
	s.refused = append(s.refused, refused{n.ID, n.Version, n.AllowDuplicate, at})
	if len(s.recipients) < r.threshold {
		s.recipients[n.Recipient] = struct{}{}
	}
	return len(s.recipients) >= r.threshold
}

// accept ends the streaks: a message was accepted that was begun after a number of outcomes.
func (r *refusals) accept(begun int) {
	for kind, s := range r.streaks {
		clear(s.recipients)
		before := 0
		for before < len(s.refused) && s.refused[before].at <= begun {
			before++
		}
		if s.refused = s.refused[before:]; len(s.refused) == 0 {
			delete(r.streaks, kind)
		}
	}
}

// stop records that refusals of a kind stopped the flow.
func (r *refusals) stop(kind refusal) {
	r.stoppedBy, r.back = kind, r.streaks[kind]
	r.streaks = nil
}

// takeBack returns the notifications whose refusals stopped the flow, once. If another dispatcher
// stopped it, these are all that count: it may have been for the same reason.
func (r *refusals) takeBack(elsewhere bool) []refused {
	var taken []refused
	if r.back != nil {
		taken, r.back.refused = r.back.refused, nil
	}
	if elsewhere {
		for _, s := range r.streaks {
			taken = append(taken, s.refused...)
		}
		r.streaks = nil
	}
	return taken
}

// pending reports whether there are refusals that count.
func (r *refusals) pending() bool { return len(r.streaks) > 0 }
