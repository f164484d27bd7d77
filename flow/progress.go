package flow

import "time"

// Progress is the progress of sending a flow, by all dispatchers.
type Progress struct {
	Flow     Flow          // with its Counts: sent, failed, and pending
	Elapsed  time.Duration // since this run began
	Rate     float64       // notifications a second whose sending ended since then, by all dispatchers
	TimeLeft time.Duration // at this rate; 0 if nothing is left or the Rate is 0
	Done     bool          // the run is over; if the Flow is still In invio, it was interrupted
}

// progressInterval is how often progress is reported.
const progressInterval = time.Second

// reporter reports the progress of one flow. Only the goroutine of the run uses it.
type reporter struct {
	progress func(Progress) // nil: none
	start    time.Time
	ended    int       // notifications whose sending had ended before the start
	last     time.Time // report
}

func newReporter(progress func(Progress), f Flow) *reporter {
	return &reporter{progress: progress, start: time.Now(), ended: f.Counts.Sent + f.Counts.Failed}
}

// report reports the progress, unless it did within the interval and this is not the end.
func (r *reporter) report(f Flow, done bool) {
	if r.progress == nil || !done && time.Since(r.last) < progressInterval {
		return
	}
	r.last = time.Now()
	p := Progress{Flow: f, Elapsed: r.last.Sub(r.start), Done: done}
	if p.Elapsed > 0 {
		p.Rate = float64(max(f.Counts.Sent+f.Counts.Failed-r.ended, 0)) / p.Elapsed.Seconds()
	}
	if p.Rate > 0 {
		p.TimeLeft = time.Duration(float64(f.Counts.Pending()) / p.Rate * float64(time.Second))
	}
	r.progress(p)
}
