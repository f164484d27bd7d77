package flow

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
)

func TestFlowsThatNobodyWatchesAreForgotten(t *testing.T) {
	var w watchedFlows
	id := uuid.New()
	first := w.join(id)
	assert.Same(t, first, w.join(id), "watchers of one flow share it")
	w.leave(id)
	assert.Len(t, w.flows, 1)
	w.leave(id)
	assert.Empty(t, w.flows)
}

func TestFlowThatStopsHasNoTimeLeft(t *testing.T) {
	start := time.Now()
	for name, f := range map[string]Flow{"goes on": {}, "stopped": {Error: "Invio fermato."}, "disabled": {Disabled: true}} {
		var w rateWindow
		f.State, f.Counts = FlowSending, Counts{Registered: 100}
		assert.Equal(t, Progress{Flow: f}, w.progress(f, start), name)
		f.Counts = Counts{Registered: 80, Sent: 15, Failed: 5}
		want := Progress{Flow: f, Rate: 10}
		if name == "goes on" {
			want.TimeLeft = 8 * time.Second
		}
		assert.Equal(t, want, w.progress(f, start.Add(2*time.Second)), name)
	}
}
