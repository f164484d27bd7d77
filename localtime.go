package flussi

import (
	"fmt"
	"time"
)

// LocalTime returns a time of the clock in Italy, in UTC: 1 December 2026 at 08:00 is 2026-12-01
// 07:00:00 UTC. The error is a [*ValueError]: with [ErrDate] for a day or a time that does not
// exist, such as 31 April, 25:00, or 02:30 in the night in which the clocks go forward; with
// [ErrAmbiguous] for a time that comes twice in the night in which they go back. Machines without
// zone data know the zone too.
func LocalTime(year int, month time.Month, day, hour, minute int) (time.Time, error) {
	wrong := &ValueError{Type: "Time", Err: ErrDate}
	text := fmt.Sprintf("L'ora del %02d/%02d/%d alle %02d:%02d", day, month, year, hour, minute)
	written := time.Date(year, month, day, hour, minute, 0, 0, time.UTC)
	t := time.Date(year, month, day, hour, minute, 0, 0, rome())
	earlier, later := t.Add(-time.Hour), t.Add(time.Hour)
	switch {
	case year < 1 || year > 9999 || written.Month() != month || written.Day() != day || written.Hour() != hour || written.Minute() != minute:
		wrong.Reason = text + " non esiste."
	case !sameClock(t, written):
		wrong.Reason = text + " non esiste: quella notte entra in vigore l'ora legale."
	case sameClock(t, earlier):
		wrong.twice(text, earlier, t)
	case sameClock(t, later):
		wrong.twice(text, t, later)
	default:
		return t.UTC(), nil
	}
	return time.Time{}, wrong
}

// twice says that a time comes twice.
func (e *ValueError) twice(text string, first, second time.Time) {
	const layout = "02/01/2006 15:04 -07:00"
	e.Err, e.Readings = ErrAmbiguous, []string{first.Format(layout), second.Format(layout)}
	e.Reason = text + " c'è due volte: quella notte finisce l'ora legale. Indicare un'altra ora."
}

// sameClock reports whether the clock shows the same at both times.
func sameClock(a, b time.Time) bool {
	return a.Hour() == b.Hour() && a.Minute() == b.Minute() && a.Day() == b.Day()
}
