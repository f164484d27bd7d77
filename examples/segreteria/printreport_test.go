package main

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
)

// The largest sums keep a blank between their columns, and fit into 80 columns.
func TestColumnsHoldTheLargestSums(t *testing.T) {
	for _, cents := range []flussi.Cents{0, -1, 10_000_000_000_000_00, -10_000_000_000_000_00, math.MaxInt64, math.MinInt64 + 1} {
		for _, number := range []int{0, 1_000_000, math.MaxInt64} {
			for _, label := range []string{"Flussi", "  Avvisi con una discrepanza da verificare", strings.Repeat("è", 46)} {
				text := columns(maxLine, label, italian.Number(number), cents.Euro())
				for line := range strings.Lines(text) {
					assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimRight(line, "\n")), 80)
				}
				assert.Equal(t, strings.Fields(label+" "+italian.Number(number)+" "+cents.Euro()), strings.Fields(text))
			}
		}
	}
	assert.Equal(t, "Flussi"+strings.Repeat(" ", 49)+"1"+strings.Repeat(" ", 16)+"0,50 €", columns(maxLine, "Flussi", "1", "0,50 €"))
}
