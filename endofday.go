package flussi

import (
	"fmt"
	"sync"
	"time"
	_ "time/tzdata" // so that Europe/Rome is known on machines without zone data
)

// EndOfDay returns the last second of a day in Italy, in UTC: what a due date
// (scadenza) without a time means. 12 January 2025 is 2025-01-12 22:59:59 UTC, a day
// in summer ends at 21:59:59 UTC. The error is a [*ValueError] with [ErrDate] for a
// day that the calendar does not have, such as 31 April, or a year before 1 or after
// 9999. Machines without zone data know the zone too.
func EndOfDay(year int, month time.Month, day int) (time.Time, error) {
	end := time.Date(year, month, day, 23, 59, 59, 0, rome())
	if year < 1 || year > 9999 || end.Day() != day || end.Month() != month {
		return time.Time{}, &ValueError{Type: "Date", Err: ErrDate,
			Reason: fmt.Sprintf("La data %02d/%02d/%d non esiste.", day, month, year)}
	}
	return end.UTC(), nil
}

var rome = sync.OnceValue(func() *time.Location {
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		panic("flussi: no zone data for Europe/Rome, although time/tzdata is linked: " + err.Error())
	}
	return zone
})
