package engine_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/pacetest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/sqlstore/internal/engine"
)

func TestStoresShareAPace(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(testing.TB) database) {
		s := open(t)
		pacetest.RunTurnStore(t, func(*testing.T) []appio.TurnStore { return []appio.TurnStore{s.Store, s.Store} })
	})
}

// step is a request at a time of the database's clock.
type step struct {
	at time.Duration
	appio.TurnRequest
}

// The statement follows the rule of the store in memory, for any requests.
func TestStatementFollowsTheRuleInMemory(t *testing.T) {
	random := rand.New(rand.NewPCG(19, 1))
	steps := make([]step, 400)
	at := time.Duration(0)
	for i := range steps {
		switch random.IntN(20) {
		case 0:
			at += time.Duration(random.IntN(20000)) * time.Millisecond
		default:
			at += time.Duration(random.IntN(150)) * time.Millisecond
		}
		r := appio.TurnRequest{Body: "ente", Rate: 29.4, Turns: random.IntN(12)}
		if random.IntN(15) == 0 {
			r.RetryAfter = time.Duration(random.IntN(3000)) * time.Millisecond
		}
		steps[i] = step{at, r}
	}
	var wanted []appio.Turns
	synctest.Test(t, func(t *testing.T) {
		start, memory := time.Now(), &appio.MemoryTurns{}
		for _, s := range steps {
			time.Sleep(s.at - time.Since(start))
			wanted = append(wanted, must.Get(memory.ReserveTurns(t.Context(), s.TurnRequest))(t))
		}
	})
	onBoth(t, func(t *testing.T, open func(testing.TB) database) {
		clock := time.Now()
		s := open(t).WithClock(func() int64 { return clock.UnixMicro() })
		// Rounding may make a difference of one turn; the next request then starts from the same turn.
		differ, start := 0, clock
		for i, r := range steps {
			clock = start.Add(r.at)
			got := must.Get(s.ReserveTurns(t.Context(), r.TurnRequest))(t)
			if got.Count != wanted[i].Count {
				differ++
			}
			require.InDelta(t, wanted[i].Rate, got.Rate, 0.001, "step %d", i)
			require.InDelta(t, wanted[i].PausedFor, got.PausedFor, float64(10*time.Microsecond), "step %d", i)
			if got.Count > 0 {
				require.InDelta(t, wanted[i].Interval, got.Interval, float64(10*time.Microsecond), "step %d", i)
			}
			if differ == 0 && got.PausedFor == 0 {
				require.InDelta(t, wanted[i].Start, got.Start, float64(100*time.Microsecond), "step %d", i)
			}
		}
		assert.Zero(t, differ)
	})
}

// If the clock jumps, at most the turns granted ahead are granted twice, and nothing stops.
func TestSharedPaceWithAClockThatJumps(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(testing.TB) database) {
		clock := time.Now()
		s := open(t).WithClock(func() int64 { return clock.UnixMicro() })
		reserve := func(body string, turns int, retryAfter time.Duration) appio.Turns {
			return must.Get(s.ReserveTurns(context.Background(), appio.TurnRequest{Body: body, Rate: 30, Turns: turns, RetryAfter: retryAfter}))(t)
		}
		ahead := reserve("ente", 7, 0)
		require.Equal(t, 7, ahead.Count)
		reserve("in pausa", 0, 10*time.Second)

		clock = clock.Add(-time.Hour)
		back := reserve("ente", 1, 0)
		assert.InDelta(t, 7*ahead.Interval, back.Start, 1e5, "no turn is nearer, and none is an hour away")
		assert.Equal(t, 1, back.Count)
		assert.InDelta(t, 10*time.Second, reserve("in pausa", 1, 0).PausedFor, 1e5)
		clock = clock.Add(10 * time.Second)
		assert.Zero(t, reserve("in pausa", 1, 0).PausedFor, "pauses end after their time")
		assert.Zero(t, reserve("ente", 1, 0).Start)

		reserve("ente", 100, 0)
		clock = clock.Add(time.Hour)
		granted := 0
		for range 30 {
			if forward := reserve("ente", 100, 0); forward.Start < 500*time.Millisecond {
				granted += forward.Count
			}
		}
		assert.LessOrEqual(t, granted, 16, "those ahead, and no turns of the hour")
	})
}

// Requests of many processes at the same time get different turns, each in one statement.
func TestReservingTurnsTakesOneStatement(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(testing.TB) database) {
		s := open(t)
		must.Get(s.ReserveTurns(t.Context(), appio.TurnRequest{Body: "ente", Rate: 30, Turns: 1}))(t)
		statements := 0
		watched := s.Watched(func(engine.Conn, string, []any) { statements++ })
		must.Get(watched.ReserveTurns(t.Context(), appio.TurnRequest{Body: "ente", Rate: 30, Turns: 1}))(t)
		assert.Equal(t, 1, statements)
		require.Error(t, must.Err(s.ReserveTurns(t.Context(), appio.TurnRequest{Body: "ente", Turns: 1})))
	})
}
