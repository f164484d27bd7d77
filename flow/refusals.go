package flow

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// A refusal is taken to be caused by its recipient. Equal refusals of several recipients, with
// nothing accepted in between, are taken to be caused by the service. No rule depends on the
// platform's texts, since they may change.

// refusal is what two equal refusals have in common: the call, the status, and the type and title
// of the problem. The detail may name values of the message, so it is not compared.
type refusal struct {
	operation   string
	status      int
	kind, title string
}

// refusalOf returns what the refusal of a message has in common with others. Values of the message
// are masked in the title, so that refusals of different messages can be equal.
func refusalOf(n Notification, e *flussi.RemoteError) refusal {
	r := refusal{operation: e.Operation, status: e.Status}
	if e.Problem != nil {
		title, m := flussi.Problem{Title: e.Problem.Title}, n.Message()
		values := []string{m.To.Reveal(), m.Subject.Reveal(), m.Content.Reveal(), n.NoticeNumber.Reveal()}
		if remote := m.ThirdParty; remote != nil {
			values = append(values, remote.ID, remote.OriginalSender, remote.Summary.Reveal())
		}
		r.kind = e.Problem.Type.Reveal()
		r.title = withoutNumbers(title.Answer(values...))
	}
	return r
}

// withoutNumbers removes the words that have a digit: a platform may number its requests.
func withoutNumbers(title string) string {
	return strings.Join(slices.DeleteFunc(strings.Fields(title), func(word string) bool {
		return strings.ContainsAny(word, "0123456789")
	}), " ")
}

// refused is a notification that the platform refused.
type refused struct {
	id             uuid.UUID
	version        int64 // at the claim; storing the outcome adds 1
	allowDuplicate bool
	at             int // number of the outcome in the run
}

// streak is a series of equal refusals.
type streak struct {
	recipients map[flussi.FiscalCode]struct{} // who were refused since a message was accepted; at most the threshold
	// refused is in the order of the outcomes. It includes refusals that came while the last
	// accepted message was under way, since the service may have failed after it accepted that
	// message.
	refused []refused
}

const (
	maxStreak  = 10_000 // a streak remembers its last notifications, at most so many
	maxStreaks = 100    // kinds of refusals; if there are more, all counts begin again
)

// refusals counts equal refusals. A notification whose refusal stopped its flow before does not
// count, so a flow does not stop twice for the same notifications.
type refusals struct {
	threshold int
	streaks   map[refusal]*streak
	stoppedBy refusal // the kind of the refusals in stopping
	stopping  *streak // the streak that stopped the flow; takeBack returns its notifications
}

// add counts a refusal, and reports whether the threshold is reached.
func (r *refusals) add(n *Notification, kind refusal, at int) bool {
	if n.Transmission.StoppedFlow {
		return false
	}
	s := r.streaks[kind]
	if r.stopping != nil && kind == r.stoppedBy {
		s = r.stopping // the message was under way when the flow stopped
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

// accept ends the streaks, since a message was accepted. begun is the number of outcomes when that
// message was begun.
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
	r.stoppedBy, r.stopping = kind, r.streaks[kind]
	r.streaks = nil
}

// takeBack returns the notifications whose refusals stopped the flow, and forgets them. If another
// dispatcher stopped it, these are all notifications that count, since the reason may be the same.
func (r *refusals) takeBack(elsewhere bool) []refused {
	var taken []refused
	if r.stopping != nil {
		taken, r.stopping.refused = r.stopping.refused, nil
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
