package flussi

import "time"

// Record is a line of an entity's history: who did what to it, when, and why. Every
// stored version of an entity has exactly one. Records are never changed and survive
// anonymising, so they hold no personal data.
type Record[S, A ~string] struct {
	Version int64     // of the entity once it was done, from 1
	At      time.Time // UTC
	By      string    // the ID of the actor
	Action  A         // what was done
	From    S         // the state before; "" for the first record
	To      S         // the state afterwards
	Reason  Text      // why, in Italian, if there is something to say; it masks itself, since operators write some of them
}
