package excel

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/flussi-go/flussi"
)

// TimePolicy says what a time of day beside a date means in a column of dates. The
// zero TimePolicy is [RefuseTime].
type TimePolicy uint8

const (
	// RefuseTime refuses it with [ErrTimeOfDay].
	RefuseTime TimePolicy = iota
	// DropTime leaves it out, with a warning.
	DropTime
)

// DateConfig says which dates a column takes. The zero DateConfig takes every date
// from March 1900 on, before which spreadsheets disagree about days.
type DateConfig struct {
	EndOfDay bool       // the value is the last second of the day in Italy, in UTC, as a due date (scadenza) is meant, not midnight UTC
	Time     TimePolicy // what a time of day beside the date means; default RefuseTime
	WarnPast bool       // warn of dates before today in Italy, with [ErrPast]; they are never moved
	First    time.Time  // the first day, by its date in UTC; default 1 March 1900
	Last     time.Time  // the last day, by its date in UTC; default 31 December 9999
}

// Date is the kind of a day: a date of the spreadsheet, in either of its date
// systems, or a text such as 28/02/2025, 28-2-25, 2025-02-28, 28-feb-25 or 28 febbraio
// 2025, day before month, months by their Italian names or three letters. A year of two
// digits is one of 2000 to 2099, and reported as a change. A number that
// shows as a number is taken as a date with the warning [ErrUnformatted], unless it
// can be meant as a year. The value is midnight UTC of the day, unless
// [DateConfig.EndOfDay] says otherwise. The errors are [flussi.ErrDate] for a day
// that the calendar does not have, [flussi.ErrNotation], [flussi.ErrAmbiguous],
// [flussi.ErrRange], [ErrTimeOfDay] and [ErrCellType]. The zero time is written as an
// empty cell.
func Date(c DateConfig) Kind[time.Time] {
	first, last := day(1900, 3, 1), day(9999, 12, 31)
	if !c.First.IsZero() {
		first = c.First.UTC().Truncate(24 * time.Hour)
	}
	if !c.Last.IsZero() {
		last = c.Last.UTC().Truncate(24 * time.Hour)
	}
	example := day(2030, 2, 28)
	switch {
	case example.Before(first):
		example = first
	case example.After(last):
		example = last
	}
	defect := ""
	if last.Before(first) {
		defect = "has a last day before the first"
	}
	rule := Rule{
		Text: "data nella forma gg/mm/aaaa", Example: italianDay(example), Layout: DateLayout, Width: 14,
		Min: serial(first), Max: serial(last),
	}
	if !c.First.IsZero() || !c.Last.IsZero() {
		rule.Text += fmt.Sprintf(", dal %s al %s", italianDay(first), italianDay(last))
	}
	return kind[time.Time]{
		read: func(cell Cell) (flussi.Reading[time.Time], error) {
			m, err := readMoment(cell)
			if err != nil {
				return flussi.Reading[time.Time]{}, err
			}
			r := flussi.Reading[time.Time]{Changes: m.changes, Warnings: m.warnings}
			today := m.time.Truncate(24 * time.Hour)
			switch {
			case !m.time.Equal(today) && c.Time == RefuseTime:
				return flussi.Reading[time.Time]{}, wrong("Date", ErrTimeOfDay, "La data è accompagnata da un'ora: scrivere la sola data.")
			case today.Before(first) || today.After(last):
				return flussi.Reading[time.Time]{}, wrong("Date", flussi.ErrRange,
					fmt.Sprintf("La data %s è fuori dall'intervallo ammesso, dal %s al %s.", italianDay(today), italianDay(first), italianDay(last)))
			case !m.time.Equal(today):
				r.Warnings = append(r.Warnings, wrong("Date", ErrTimeOfDay, "La data è accompagnata da un'ora, che non viene considerata."))
			}
			if c.WarnPast && today.Before(todayInItaly()) {
				r.Warnings = append(r.Warnings, wrong("Date", ErrPast, fmt.Sprintf("La data %s è già passata.", italianDay(today))))
			}
			r.Value = today
			if c.EndOfDay {
				r.Value, err = flussi.EndOfDay(today.Date())
			}
			return r, err
		},
		write: func(v time.Time) Cell {
			switch {
			case v.IsZero():
				return Cell{}
			case c.EndOfDay:
				return momentCell(wall(v).Truncate(24 * time.Hour))
			}
			return momentCell(v.UTC().Truncate(24 * time.Hour))
		},
		rule:   rule,
		defect: defect,
	}
}

// DateTime is the kind of a moment to the second, written as the time in Italy: a
// date of the spreadsheet with its time, or a text such as 28/02/2025 18:09 or
// 2025-02-28T18:09:32. The value is in UTC. What the clocks in Italy show twice, when
// summer time ends, is refused with [flussi.ErrAmbiguous], what they never show, when
// it begins, with [flussi.ErrDate]. The other errors are those of [Date]. The zero
// time is written as an empty cell, a fraction of a second is left out, and the
// second of two equal hours is written as text with its offset, which is read back.
func DateTime() Kind[time.Time] {
	return kind[time.Time]{
		read: func(cell Cell) (flussi.Reading[time.Time], error) {
			m, err := readMoment(cell)
			if err != nil {
				return flussi.Reading[time.Time]{}, err
			}
			value, err := m.inItaly()
			return flussi.Reading[time.Time]{Value: value, Changes: m.changes, Warnings: m.warnings}, err
		},
		write: func(v time.Time) Cell {
			if v.IsZero() {
				return Cell{}
			}
			v = v.Truncate(time.Second)
			if (moment{time: wall(v)}).twice() {
				return textCell(v.In(rome()).Format(time.RFC3339))
			}
			return momentCell(wall(v))
		},
		rule: Rule{Text: "data e ora nella forma gg/mm/aaaa hh:mm", Example: "28/02/2030 18:09", Layout: DateTimeLayout, Width: 20},
	}
}

// moment is a time as a cell says it: clock time, as if it were UTC.
type moment struct {
	time     time.Time
	offset   string // from UTC, as written, "" if it was not
	changes  []flussi.Change
	warnings []error
}

// inItaly finds the moment at which clocks in Italy show the time.
func (m moment) inItaly() (time.Time, error) {
	if m.offset != "" {
		at, err := time.Parse(time.RFC3339, m.time.Format("2006-01-02T15:04:05")+m.offset)
		if err != nil {
			return time.Time{}, wrong("Date", flussi.ErrNotation, "L'ora dopo la data ha un fuso che non esiste.")
		}
		return at.UTC(), nil
	}
	local := time.Date(m.time.Year(), m.time.Month(), m.time.Day(), m.time.Hour(), m.time.Minute(), m.time.Second(), 0, rome()).UTC()
	switch {
	case !wall(local).Equal(m.time):
		return time.Time{}, wrong("Date", flussi.ErrDate, "Quest'ora non esiste: in Italia quella notte comincia l'ora legale.")
	case m.twice():
		return time.Time{}, wrong("Date", flussi.ErrAmbiguous, "Quest'ora viene due volte: in Italia quella notte finisce l'ora legale. Aggiungere +02:00 (legale) oppure +01:00 (solare).")
	}
	return local, nil
}

// twice reports whether clocks in Italy show the time twice.
func (m moment) twice() bool {
	local := time.Date(m.time.Year(), m.time.Month(), m.time.Day(), m.time.Hour(), m.time.Minute(), m.time.Second(), 0, rome())
	return wall(local.Add(time.Hour)).Equal(m.time) || wall(local.Add(-time.Hour)).Equal(m.time)
}

// wall returns what clocks in Italy show, as if it were UTC.
func wall(t time.Time) time.Time {
	_, offset := t.In(rome()).Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

var rome = sync.OnceValue(func() *time.Location {
	zone, err := time.LoadLocation("Europe/Rome") // package flussi links the zone data
	if err != nil {
		panic("excel: no zone data for Europe/Rome: " + err.Error())
	}
	return zone
})

func todayInItaly() time.Time { return wall(time.Now()).Truncate(24 * time.Hour) }

func day(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

func italianDay(t time.Time) string { return t.Format("02/01/2006") }

// The days from which the serial numbers of the two date systems count. That of 1900
// counts a 29 February 1900 that never was, so it is right from serial 61 on.
const (
	firstSerial = 61        // 1 March 1900
	lastSerial  = 2_958_465 // 31 December 9999
	days1904    = 1462      // between the systems
)

// serial returns the serial number of a day in the 1900 system.
func serial(t time.Time) float64 { return float64(t.Unix()-day(1899, 12, 30).Unix()) / 86_400 }

// momentCell writes a time as a serial number, to the second; what is too early for
// one as text.
func momentCell(t time.Time) Cell {
	s := serial(t)
	switch {
	case s < firstSerial && t.Equal(t.Truncate(24*time.Hour)):
		return textCell(t.Format("2006-01-02"))
	case s < firstSerial:
		return textCell(t.Format("2006-01-02T15:04:05"))
	case s == math.Trunc(s):
		return Cell{Type: NumberCell, Format: DateFormat, Text: strconv.FormatInt(int64(s), 10)}
	}
	return Cell{Type: NumberCell, Format: DateTimeFormat, Text: strconv.FormatFloat(s, 'f', 10, 64)}
}

// readMoment reads a date, perhaps with a time.
func readMoment(c Cell) (moment, error) {
	switch {
	case c.Type == TextCell || c.Type == DateCell:
		return parseMoment(c.Text, c.Type == DateCell)
	case c.Type == BoolCell || c.Format == PercentFormat || c.Format == OtherFormat || c.Format == TimeFormat:
		return moment{}, wrong("Date", ErrCellType, "La cella non contiene una data: scriverla nella forma gg/mm/aaaa.")
	}
	value, err := strconv.ParseFloat(c.Text, 64)
	if c.Date1904 {
		value += days1904
	}
	if err != nil || value < firstSerial || value >= lastSerial+1 {
		return moment{}, wrong("Date", flussi.ErrRange, "Il numero nella cella non corrisponde a una data: scriverla nella forma gg/mm/aaaa.")
	}
	seconds := int64(math.Round(value * 86_400))
	if seconds >= (lastSerial+1)*86_400 {
		seconds-- // the last second of the last day, rounded up
	}
	m := moment{time: time.Unix(day(1899, 12, 30).Unix()+seconds, 0).UTC()}
	if c.Format == PlainFormat {
		if year, ok := c.digits(); ok && len(year) == 4 {
			return moment{}, &flussi.ValueError{Type: "Date", Err: flussi.ErrAmbiguous, Readings: []string{"l'anno " + year, italianDay(m.time)},
				Reason: "La cella contiene un numero di quattro cifre, che può essere un anno: scrivere la data nella forma gg/mm/aaaa."}
		}
		m.warnings = []error{wrong("Date", ErrUnformatted, fmt.Sprintf(
			"La cella mostra un numero e non una data: è stato letto come %s. Controllare, e usare il formato Data.", italianDay(m.time)))}
	}
	return m, nil
}

var (
	italianDate = regexp.MustCompile(`^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})(?:\s+(\S+))?$`)
	isoDate     = regexp.MustCompile(`^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:(?:T|\s+)(\S+))?$`)
	namedDate   = regexp.MustCompile(`^(\d{1,2})[°º]?[ /.-]+(\pL+)\.?[ /.-]+(\d{4}|\d{2})(?:\s+(\S+))?$`)
	clockTime   = regexp.MustCompile(`^(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:[.,]0+)?)?(Z|[+-]\d{2}:\d{2})?$`)
)

// italianMonths are the names of the months. The first three letters stand for each.
var italianMonths = [...]string{"gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre"}

// monthNamed returns the number of the month with a name or its three letters, "" if none has it.
func monthNamed(name string) string {
	name = strings.ToLower(name)
	for i, month := range italianMonths {
		if name == month || name == month[:3] {
			return fmt.Sprintf("%02d", i+1)
		}
	}
	return ""
}

// parseMoment reads a date in text. In a date cell a Z says nothing, since programs
// write it without meaning it.
func parseMoment(typed string, ignoreZ bool) (moment, error) {
	text := strings.TrimFunc(typed, func(r rune) bool { return isBlank(string(r)) || r == '\'' })
	var m moment
	var year, month, dayOfMonth, clock string
	if p := italianDate.FindStringSubmatch(text); p != nil {
		dayOfMonth, month, year, clock = p[1], p[2], p[3], p[4]
	} else if p := isoDate.FindStringSubmatch(text); p != nil {
		year, month, dayOfMonth, clock = p[1], p[2], p[3], p[4]
	} else if p := namedDate.FindStringSubmatch(text); p != nil && monthNamed(p[2]) != "" {
		dayOfMonth, month, year, clock = p[1], monthNamed(p[2]), p[3], p[4]
	} else {
		return m, wrong("Date", flussi.ErrNotation, "La data va scritta nella forma gg/mm/aaaa, ad esempio 28/02/2025.")
	}
	if len(year) == 2 {
		year = "20" + year
		m.changes = []flussi.Change{{Kind: flussi.CompletedYear, Count: 1}}
	}
	y, mo, d := atoi(year), atoi(month), atoi(dayOfMonth)
	m.time = day(y, time.Month(mo), d)
	switch {
	case mo > 12 && d <= 12:
		return m, wrong("Date", flussi.ErrDate, fmt.Sprintf("La data %s/%s/%s non esiste: il mese è il secondo numero, la forma è gg/mm/aaaa.", dayOfMonth, month, year))
	case mo < 1 || mo > 12 || d < 1 || m.time.Day() != d || y < 1:
		return m, wrong("Date", flussi.ErrDate, fmt.Sprintf("La data %s/%s/%s non esiste.", dayOfMonth, month, year))
	case clock == "":
		return m, nil
	}
	p := clockTime.FindStringSubmatch(clock)
	if p == nil || atoi(p[1]) > 23 || atoi(p[2]) > 59 || atoi(p[3]) > 59 {
		return m, wrong("Date", flussi.ErrNotation, "L'ora dopo la data va scritta nella forma hh:mm, ad esempio 18:09.")
	}
	m.time = m.time.Add(time.Duration(atoi(p[1]))*time.Hour + time.Duration(atoi(p[2]))*time.Minute + time.Duration(atoi(p[3]))*time.Second)
	if m.offset = p[4]; ignoreZ && m.offset == "Z" {
		m.offset = ""
	}
	return m, nil
}

// atoi reads digits; the patterns let nothing else through.
func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
