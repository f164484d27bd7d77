package paymentfile

import (
	"fmt"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // so that Europe/Rome is known on machines without zone data

	"github.com/flussi-go/flussi"
)

// Day is a calendar day, such as the day of a payment. It has no time and no zone, so converting it
// cannot change the day. The zero Day is no day.
type Day struct {
	Year  int        // such as 2026
	Month time.Month // from 1
	Day   int        // of the month, from 1
}

// IsZero reports whether there is no day; encoding/json's omitzero uses it.
func (d Day) IsZero() bool { return d == Day{} }

// Time returns the beginning of the day in Italy, in UTC; the zero time for the zero Day.
func (d Day) Time() time.Time {
	if d.IsZero() {
		return time.Time{}
	}
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, rome()).UTC()
}

// String returns the day as 2026-11-30, "" for the zero Day.
func (d Day) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// Italian returns the day as 30/11/2026, "" for the zero Day.
func (d Day) Italian() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%02d/%02d/%04d", d.Day, d.Month, d.Year)
}

// MarshalText returns what [Day.String] returns.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText takes a day as 2026-11-30, or no text for the zero Day. The error is a
// [*flussi.ValueError] with [flussi.ErrDate].
func (d *Day) UnmarshalText(text []byte) error {
	var read Day
	if len(text) > 0 {
		var ok bool
		if read, ok = parseDate(string(text)); !ok || len(text) != len("2006-01-02") {
			return &flussi.ValueError{Type: "Day", Err: flussi.ErrDate, Reason: "La data non esiste o non è scritta come 2026-11-30."}
		}
	}
	*d = read
	return nil
}

var rome = sync.OnceValue(func() *time.Location {
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		return time.UTC // not reached: the zone data are linked
	}
	return zone
})

// dayOf returns the day of a time in Italy.
func dayOf(t time.Time) Day {
	year, month, day := t.In(rome()).Date()
	return Day{year, month, day}
}

// parseDay reads a day. The offset of a date, such as 2025-12-31+02:00, is ignored. An instant with
// an offset, such as 2025-03-13T23:00:00Z, gives the day in Italy at that instant. An instant
// without an offset is a time in Italy.
func parseDay(s string) (Day, bool) {
	if i := strings.IndexByte(s, 'T'); i >= 0 {
		t, ok := parseTime(s)
		if !ok {
			return Day{}, false
		}
		return dayOf(t), true
	}
	if len(s) > 10 && isOffset(s[10:]) {
		s = s[:10]
	}
	return parseDate(s)
}

// parseDate reads a day as 2006-01-02.
func parseDate(s string) (Day, bool) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return Day{}, false
	}
	number := func(part string) int {
		n := 0
		for i := range len(part) {
			if part[i] < '0' || part[i] > '9' {
				return -1
			}
			n = n*10 + int(part[i]-'0')
		}
		return n
	}
	d := Day{number(s[:4]), time.Month(number(s[5:7])), number(s[8:])}
	if d.Year < 1 || d.Month < 1 || d.Day < 1 {
		return Day{}, false
	}
	year, month, day := time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Date()
	if d != (Day{year, month, day}) {
		return Day{}, false
	}
	return d, true
}

// isOffset reports whether s is Z or an offset such as +02:00.
func isOffset(s string) bool {
	if s == "Z" {
		return true
	}
	_, err := time.Parse("-07:00", s)
	return err == nil
}

// parseTime reads an instant. Without an offset it is a time in Italy.
func parseTime(s string) (time.Time, bool) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC(), true
	}
	if t, err := time.ParseInLocation("2006-01-02T15:04:05", s, rome()); err == nil {
		return t.UTC(), true
	}
	return time.Time{}, false
}
