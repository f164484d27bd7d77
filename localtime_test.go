package flussi_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
)

// clock is a day and a time, as they are typed.
type clock struct{ year, month, day, hour, minute int }

func (c clock) read() (time.Time, error) {
	return flussi.LocalTime(c.year, time.Month(c.month), c.day, c.hour, c.minute)
}

func TestLocalTimeIsTheClockInItaly(t *testing.T) {
	for want, at := range map[string]clock{
		"2026-12-01T07:00:00Z": {2026, 12, 1, 8, 0},
		"2026-07-01T06:00:00Z": {2026, 7, 1, 8, 0},
		"2024-02-29T22:59:00Z": {2024, 2, 29, 23, 59},
		// The clocks go forward on 29 March 2026, from 02:00 to 03:00.
		"2026-03-29T00:59:00Z": {2026, 3, 29, 1, 59},
		"2026-03-29T01:00:00Z": {2026, 3, 29, 3, 0},
		// They go back on 25 October 2026, from 03:00 to 02:00.
		"2026-10-24T23:59:00Z": {2026, 10, 25, 1, 59},
		"2026-10-25T02:00:00Z": {2026, 10, 25, 3, 0},
	} {
		got := must.Get(at.read())(t)
		assert.Equal(t, want, got.Format(time.RFC3339))
		assert.Equal(t, time.UTC, got.Location())
	}
}

func TestLocalTimeRefusesTimesThatDoNotExist(t *testing.T) {
	for _, at := range []clock{
		{2026, 4, 31, 8, 0}, {2026, 2, 29, 8, 0}, {2026, 13, 1, 8, 0}, {2026, 1, 0, 8, 0}, {0, 1, 1, 8, 0}, {10000, 1, 1, 8, 0},
		{2026, 1, 1, 24, 0}, {2026, 1, 1, -1, 0}, {2026, 1, 1, 8, 60}, {2026, 1, 1, 8, -1},
	} {
		got, err := at.read()
		assertValueError(t, err, "Time", flussi.ErrDate, 0, "non esiste.")
		assert.Zero(t, got)
	}
	for _, minute := range []int{0, 30, 59} {
		got, err := clock{2026, 3, 29, 2, minute}.read()
		assertValueError(t, err, "Time", flussi.ErrDate, 0, "non esiste: quella notte entra in vigore l'ora legale.")
		assert.Zero(t, got)
	}
}

func TestLocalTimeRefusesTimesThatComeTwice(t *testing.T) {
	for _, minute := range []int{0, 30, 59} {
		got, err := clock{2026, 10, 25, 2, minute}.read()
		assertValueError(t, err, "Time", flussi.ErrAmbiguous, 0, "c'è due volte")
		assert.Zero(t, got)
	}
	_, err := clock{2026, 10, 25, 2, 30}.read()
	var wrong *flussi.ValueError
	require.True(t, errors.As(err, &wrong))
	assert.Equal(t, []string{"25/10/2026 02:30 +02:00", "25/10/2026 02:30 +01:00"}, wrong.Readings)
}
