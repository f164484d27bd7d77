package restgateway_test

import (
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

// A storm: a third of the calls is faulty in every way. What the client says of each notice
// agrees with what the platform knows; and whoever transmits again what is not known, ends with
// every notice there, once, with the number that the platform gave it.
func TestInAStormNothingIsDoubledOrLost(t *testing.T) {
	const workers = 16
	total := 800
	if testing.Short() {
		total = 200
	}
	synctest.Test(t, func(t *testing.T) {
		p := newFaulty(t, nil)
		e := clientEvent(t)
		require.NoError(t, put(t, p.client, e))
		p.FailAtRandom(restgatewaytest.PutNotice, 0.3, 7, restgatewaytest.Faults()...)
		notices := make([]pagoinrete.Notice, total)
		for i := range notices {
			notices[i] = clientNotice(t, e)
		}
		var mu sync.Mutex
		outcomes := map[flussi.Outcome]int{}
		jobs := make(chan *pagoinrete.Notice)
		var group sync.WaitGroup
		for range workers {
			group.Go(func() {
				for n := range jobs {
					for there := false; ; {
						remote, err := p.client.PutNotice(t.Context(), clientOffice(), *n)
						outcome := flussi.OutcomeOf(err)
						mu.Lock()
						outcomes[outcome]++
						mu.Unlock()
						if outcome == flussi.OutcomeDone {
							n.Number = remote.Number
							assert.Equal(t, 1, p.Created(n.ID))
							break
						}
						if outcome != flussi.OutcomeUnknown {
							assert.Equal(t, there, p.Created(n.ID) == 1, "%s, and it was done", outcome)
						}
						there = p.Created(n.ID) == 1
					}
				}
			})
		}
		for i := range notices {
			jobs <- &notices[i]
		}
		close(jobs)
		group.Wait()
		t.Logf("outcomes %v, calls %d", outcomes, p.Received(restgatewaytest.PutNotice))
		assert.Greater(t, outcomes[flussi.OutcomeUnknown], total/20)
		stored := p.Notices()
		assert.Len(t, stored, total)
		created := map[uuid.UUID]restgatewaytest.StoredNotice{}
		for _, n := range stored {
			created[n.ID] = n
		}
		for _, n := range notices {
			assert.Equal(t, 1, created[n.ID].Created)
			assert.Equal(t, n.Number, created[n.ID].Number)
		}
	})
}
