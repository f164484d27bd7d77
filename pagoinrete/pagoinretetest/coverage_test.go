package pagoinretetest

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi/internal/brokenstore"
	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/memstore"
)

// An instalment that is missing, or that nobody asked for, is a difference.
func TestInstalmentsAreCompared(t *testing.T) {
	p := newProbe(storetest.New(t.Context()), memstore.New())
	e := p.fullEvent()
	assert.Len(t, e.Instalments, 3)
	shorter, none, empty := e, e, e
	shorter.Instalments, none.Instalments, empty.Instalments = e.Instalments[:2], nil, []pagoinrete.Instalment{}
	assert.Equal(t, []string{"EventData.Instalments: want 3, got 2"}, storetest.Differences(e, shorter))
	assert.Equal(t, []string{"EventData.Instalments: want 2, got 3"}, storetest.Differences(shorter, e))
	assert.Equal(t, []string{"EventData.Instalments: want 3, got 0"}, storetest.Differences(e, none))
	assert.Empty(t, storetest.Differences(none, empty))
}

// A field that is added to a filter is looked for as well.
func TestNoFieldOfTheFiltersIsForgotten(t *testing.T) {
	p := newProbe(storetest.New(t.Context()), memstore.New())
	brokenstore.SetsEveryField(t, p.Probe, eventCriteria, p.fullEvent)
	brokenstore.SetsEveryField(t, p.Probe, noticeCriteria, func() pagoinrete.Notice {
		return p.fullNotice(p.fullEvent())
	})
}
