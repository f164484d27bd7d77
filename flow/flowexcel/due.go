package flowexcel

import (
	"errors"
	"strings"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
)

// dueKind is the kind of the due dates of an export, of which some come from programs and
// are not the end of a day. Those are written as text with their time, such as
// "16/06/2030 15:00:00", since a cell with the format of a date would not show it; the
// others are dates. Both come back to the second.
type dueKind struct {
	zone        *time.Location
	day, moment excel.Kind[time.Time]
}

func newDueKind(zone *time.Location) excel.Kind[time.Time] {
	return dueKind{zone, excel.Date(excel.DateConfig{EndOfDay: true}), excel.DateTime()}
}

// Rule is that of dates.
func (k dueKind) Rule() excel.Rule { return k.day.Rule() }

// Write writes a date, or a text if there is a time.
func (k dueKind) Write(due time.Time) excel.Cell {
	if due.IsZero() {
		return excel.Cell{}
	}
	local := due.Truncate(time.Second).In(k.zone)
	if end, err := flussi.EndOfDay(local.Date()); err == nil && end.Equal(local) {
		return k.day.Write(due)
	}
	if cell := k.moment.Write(due); cell.Type == excel.TextCell { // the clocks show it twice, or it is too early
		return cell
	}
	return excel.Cell{Type: excel.TextCell, Text: local.Format("02/01/2006 15:04:05")}
}

// Read reads a date as the end of its day, unless it has a time.
func (k dueKind) Read(c excel.Cell) (flussi.Reading[time.Time], error) {
	if c.Type == excel.TextCell && strings.Contains(c.Text, ":") { // 00:00 is a time as well
		return k.moment.Read(c)
	}
	reading, err := k.day.Read(c)
	if errors.Is(err, excel.ErrTimeOfDay) {
		return k.moment.Read(c)
	}
	return reading, err
}
