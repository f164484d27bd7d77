package flowtest

import (
	"testing"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/internal/brokenstore"
	"github.com/flussi-go/flussi/internal/storetest"
)

// A field that is added to a filter is looked for as well.
func TestNoFieldOfTheFiltersIsForgotten(t *testing.T) {
	p := newProbe(storetest.New(t.Context()), memstore.New())
	brokenstore.SetsEveryField(t, p.Probe, flowCriteria, p.fullFlow)
	brokenstore.SetsEveryField(t, p.Probe, notificationCriteria, func() flow.Notification {
		return p.fullNotification(p.ID())
	})
}
