package flow

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// A flow may use what the others leave of their shares, and no more.
func TestPoolKeepsAShareForEachFlow(t *testing.T) {
	p := &pool{size: 10}
	config := DispatcherConfig{}.withDefaults()
	join := func() *workers { return p.join(sender{}, nil, &config, nil) }
	takeAll := func(w *workers) int {
		for p.admits(w) {
			p.take(w)
		}
		return w.busy
	}
	a, b := join(), join()
	assert.Equal(t, 5, takeAll(a))
	assert.Equal(t, 5, takeAll(b))
	for range 5 {
		p.free(b)
	}
	b.leave()
	assert.Equal(t, 10, takeAll(a), "it is alone")
	c := join()
	assert.Zero(t, takeAll(c), "there is no place")
	for range 3 {
		p.free(a)
	}
	assert.Equal(t, 7, takeAll(a), "what it freed is the other's")
	assert.Equal(t, 3, takeAll(c))
	assert.Equal(t, 10, p.busy)
}
