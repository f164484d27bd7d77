package pace

import "time"

// How a 429 lowers the rate, and how the rate grows again. The SQL of stores uses these constants.
const (
	Slowdown = 0.8  // the factor of the rate after a 429
	Floor    = 0.05 // the lowest rate, as a share of the full rate
	Growth   = 0.01 // how much the rate grows in a second, as a share of the full rate
)

// limit is the rate at which calls may start. The mutex of its owner guards it.
type limit struct {
	full        float64   // calls a second
	share       float64   // of the full rate, until since
	since       time.Time // from then on, the share grows
	pausedUntil time.Time // no call starts before it
}

// shareAt returns the share of the full rate at a time. The share does not grow while calls are paused.
func (l *limit) shareAt(at time.Time) float64 {
	return min(l.share+Growth*max(at.Sub(l.since).Seconds(), 0), 1)
}

// rate returns how many calls a second may start.
func (l *limit) rate(at time.Time) float64 { return l.full * l.shareAt(at) }

// interval returns the time between calls.
func (l *limit) interval(at time.Time) time.Duration {
	return time.Duration(float64(time.Second) / l.rate(at))
}

// slowDown lowers the rate after a 429 that asked to wait. It reports whether calls are paused for
// longer than before.
func (l *limit) slowDown(at time.Time, retryAfter time.Duration) (later bool) {
	// Calls that ran at the same time are refused together, so lower the rate once for all of them.
	// While a pause lasts, another 429 answers one of these calls.
	if !at.Before(l.pausedUntil) {
		l.share = max(l.shareAt(at)*Slowdown, Floor)
		l.since = at
	}
	until := at.Add(retryAfter)
	if !until.After(l.pausedUntil) {
		return false
	}
	l.pausedUntil, l.since = until, until
	return true
}
