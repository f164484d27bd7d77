package flow

import "time"

// Progress says how the sending of a flow gets on, whoever sends it.
type Progress struct {
	Flow     Flow          // with its Counts: what is sent, failed, and left
	Elapsed  time.Duration // since this run began
	Rate     float64       // notifications a second whose sending ended since then, by all dispatchers
	TimeLeft time.Duration // at this rate; 0 if nothing is left or nothing is known yet
	Done     bool          // the run is over; if the Flow is still In invio, it was interrupted
}

// progressEvery is how often progress is told.
const progressEvery = time.Second

// meter tells progress.
type meter struct {
	tell  func(Progress)
	start time.Time
	first int // notifications whose sending had ended before
	last  time.Time
}

func newMeter(tell func(Progress), f Flow) *meter {
	return &meter{tell: tell, start: time.Now(), first: f.Counts.Sent + f.Counts.Failed}
}

// report tells how far the flow is, unless that was told a moment ago and is not the end.
func (m *meter) report(f Flow, done bool) {
	if m.tell == nil || !done && time.Since(m.last) < progressEvery {
		return
	}
	m.last = time.Now()
	p := Progress{Flow: f, Elapsed: m.last.Sub(m.start), Done: done}
	if p.Elapsed > 0 {
		p.Rate = float64(max(f.Counts.Sent+f.Counts.Failed-m.first, 0)) / p.Elapsed.Seconds()
	}
	if p.Rate > 0 {
		p.TimeLeft = time.Duration(float64(f.Counts.Pending()) / p.Rate * float64(time.Second))
	}
	m.tell(p)
}
