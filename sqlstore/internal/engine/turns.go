package engine

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/internal/pace"
)

// reserveTurns is the rule of [pace.Ledger] as one statement, so that no frozen process keeps the row
// locked. Its selections compute, from the inner one to the outer one:
//
//   - the time that has passed since the last request; none if the clock went back
//   - the next free turn, the rest of a pause, and the share, which grows after a pause
//   - the effect of a 429: a pause, and a lower share unless a pause lasts already
//   - the first free turn after the pause, and the time between turns
//   - how many turns are granted
const reserveTurns = `UPDATE flussi.paces AS p SET (seen_at, next_in, held_for, share, turns, start_in, step) = (
	SELECT clock, CASE WHEN count > 0 THEN start + count * step / 1000 + 1 ELSE free END, held, part, count, start, step FROM (
		SELECT clock, free, held, part, start, step,
			CASE WHEN held > 0 OR wanted < 1 THEN 0 ELSE LEAST(wanted, GREATEST(1, (%[1]d - start) * 500 / step)) END AS count FROM (
			SELECT clock, free, held, part, wanted, GREATEST(free, held) AS start, CAST(interval / part AS bigint) + 1 AS step FROM (
				SELECT clock, free, GREATEST(held, retry) AS held, wanted, interval,
					CASE WHEN retry > 0 AND held = 0 THEN GREATEST(part * %[2]v, %[3]v) ELSE part END AS part FROM (
					SELECT clock, GREATEST(p.next_in - elapsed, 0) AS free, GREATEST(p.held_for - elapsed, 0) AS held,
						LEAST(p.share + %[4]v * GREATEST(elapsed - p.held_for, 0) / 1000000.0, 1.0) AS part,
						CAST(? AS bigint) AS retry, CAST(? AS bigint) AS wanted, CAST(? AS bigint) AS interval FROM (
						SELECT clock, GREATEST(clock - p.seen_at, 0) AS elapsed FROM (
							SELECT %[5]s AS clock) AS v1) AS v2) AS v3) AS v4) AS v5) AS v6)
	WHERE name = ? RETURNING turns, start_in, step, held_for, share`

// ReserveTurns implements [appio.TurnStore]. Only the clock of the database counts. If it goes back,
// nothing changes. If it jumps forward, the turns granted ahead, at most half a second of them, are
// granted once more, and a pause ends for the processes that have not learned of it.
func (s *Store) ReserveTurns(ctx context.Context, r appio.TurnRequest) (appio.Turns, error) {
	turns, err := s.reserveTurns(ctx, r)
	return turns, s.fail(ctx, "reserve turns", uuid.Nil, err)
}

func (s *Store) reserveTurns(ctx context.Context, r appio.TurnRequest) (turns appio.Turns, err error) {
	if !(r.Rate > 0) {
		return turns, fmt.Errorf("%w: the rate must be above 0", flussi.ErrConfig)
	}
	query := s.render(fmt.Sprintf(reserveTurns, pace.Ahead.Microseconds(), pace.Slowdown, pace.Floor, pace.Growth, s.driver.Clock()))
	interval := int64(min(float64(time.Second)/r.Rate, math.MaxInt32*float64(time.Second)))
	retry := (max(r.RetryAfter, 0) + time.Microsecond - 1).Microseconds()
	name, found := encode(r.Body), false
	reserve := func(c Conn) error {
		rows, err := c.Query(ctx, query, retry, int64(max(r.Turns, 0)), max(interval, 1), name)
		if err != nil {
			return err
		}
		var count, start, step, held int64
		var share float64
		return scanAll(ctx, rows, []any{&count, &start, &step, &held, &share}, func() {
			found = true
			turns = appio.Turns{
				Count: int(count), Start: time.Duration(start) * time.Microsecond, Interval: time.Duration(step),
				PausedFor: time.Duration(held) * time.Microsecond, Rate: r.Rate * share,
			}
		})
	}
	for attempt := 1; !found; attempt++ {
		switch err = s.driver.Single(ctx, reserve); {
		case err == nil && !found: // the first request for the body, or the first after a crash of the server
			err = s.driver.Single(ctx, func(c Conn) error {
				_, err := c.Exec(ctx, s.render("INSERT INTO flussi.paces (name, seen_at, next_in, held_for, share, turns, start_in, step) VALUES (?, 0, 0, 0, 1, 0, 0, 1) ON CONFLICT DO NOTHING"), name)
				return err
			})
		}
		if err != nil && (attempt >= attempts || !s.driver.Conflict(err)) {
			return turns, err
		}
	}
	return turns, nil
}
