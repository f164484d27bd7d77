package flow

import (
	"testing"

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
