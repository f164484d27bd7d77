package flussi_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
)

func TestEndOfDay(t *testing.T) {
	for want, day := range map[string][3]int{
		"2025-01-12T22:59:59Z": {2025, 1, 12},
		"2023-03-31T21:59:59Z": {2023, 3, 31},
		"2025-03-30T21:59:59Z": {2025, 3, 30},  // the clocks went forward that morning
		"2025-10-26T22:59:59Z": {2025, 10, 26}, // and back
		"2024-02-29T22:59:59Z": {2024, 2, 29},
		"9999-12-31T22:59:59Z": {9999, 12, 31},
	} {
		end := must.Get(flussi.EndOfDay(day[0], time.Month(day[1]), day[2]))(t)
		assert.Equal(t, want, end.Format(time.RFC3339))
		assert.Equal(t, time.UTC, end.Location())
	}
	for _, day := range [][3]int{{2025, 4, 31}, {2025, 2, 29}, {2025, 13, 1}, {2025, 0, 1}, {2025, 1, 0}, {2025, 1, 32}, {0, 1, 1}, {10000, 1, 1}, {-5, 1, 1}} {
		end, err := flussi.EndOfDay(day[0], time.Month(day[1]), day[2])
		assertValueError(t, err, "Date", flussi.ErrDate, 0, "non esiste")
		assert.Zero(t, end)
	}
}
