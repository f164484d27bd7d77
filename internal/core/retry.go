package core

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/pace"
)

// maxTries bounds how often a change is tried again.
const maxTries = 100

// Tries counts how often a change was tried again because another one of the same entity was stored
// at the same moment. The zero value has tried none.
type Tries struct{ made int }

// Again returns nil if the change whose store returned err is to be tried again, after a short
// random wait. Otherwise it returns err, or the context's error if that ends during the wait.
func (t *Tries) Again(ctx context.Context, err error) error {
	if !errors.Is(err, flussi.ErrConflict) || t.made == maxTries {
		return err
	}
	// Longer each time, and not as long as others wait.
	t.made++
	return pace.Wait(ctx, rand.N(time.Duration(min(t.made, 21))*time.Millisecond))
}
