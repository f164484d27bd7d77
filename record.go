package flussi

import (
	"time"

	"github.com/flussi-go/flussi/internal/italian"
)

// Record is a line of an entity's history: who did what to it, when, and why. Every
// stored version of an entity has exactly one. Records are never changed, except that anonymising
// the entity erases the Answer of its earlier records. All other fields survive anonymising, so they
// hold no personal data.
type Record[S, A ~string] struct {
	Version int64     // of the entity once it was done, from 1
	At      time.Time // UTC
	By      string    // the ID of the actor
	Action  A         // what was done
	From    S         // the state before; "" for the first record
	To      S         // the state afterwards
	Reason  Text      // why, in Italian, if there is something to say; it masks itself, since operators write some of them
	Answer  Text      // what the platform said, if that is why: [Problem.Answer]; zero once the entity is anonymised
}

// Explanation returns the Reason, and after it what the platform said: what to show to operators.
func (r Record[S, A]) Explanation() Text {
	return NewText(italian.WithAnswer(r.Reason.Reveal(), r.Answer.Reveal()))
}
