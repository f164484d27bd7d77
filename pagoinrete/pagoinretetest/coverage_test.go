package pagoinretetest

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete"
)

func zeros(pointer any) []string {
	var names []string
	for _, f := range storetest.Fields(pointer) {
		if reflect.ValueOf(f.Pointer).Elem().IsZero() {
			names = append(names, f.Name)
		}
	}
	return names
}

// A field that is added to an entity or to a record is checked as well.
func TestNoFieldIsForgotten(t *testing.T) {
	p := &probe{Probe: storetest.New(t.Context())}
	e := p.fullEvent()
	n := p.fullNotice(e)
	assert.Equal(t, []string{
		"Counts.NotLinked", "Counts.Unpaid", "Counts.Paid", "Counts.Cancelled", "Counts.Refunded", "Counts.Discrepancies", "Version",
	}, zeros(&e))
	assert.Equal(t, []string{"Version"}, zeros(&n))
	assert.Len(t, e.Instalments, 3)
	var er pagoinrete.EventRecord
	var nr pagoinrete.NoticeRecord
	p.Fill(&er, true)
	p.Fill(&nr, true)
	assert.Empty(t, zeros(&er))
	assert.Empty(t, zeros(&nr))
}

// A field that is added to an entity is compared as well.
func TestEveryFieldIsCompared(t *testing.T) {
	p := &probe{Probe: storetest.New(t.Context())}
	e := p.fullEvent()
	everyFieldIsCompared(t, e, func() pagoinrete.Event { return eventChange(e).Event })
	n := p.fullNotice(e)
	everyFieldIsCompared(t, n, func() pagoinrete.Notice { return n })
}

func everyFieldIsCompared[T any](t *testing.T, entity T, copied func() T) {
	for i, f := range storetest.Fields(&entity) {
		other := copied()
		field := reflect.ValueOf(storetest.Fields(&other)[i].Pointer).Elem()
		if field.IsZero() { // a count, or the version
			field.SetInt(7)
		} else {
			field.SetZero()
		}
		found := storetest.Differences(entity, other)
		if assert.Len(t, found, 1, f.Name) {
			assert.Contains(t, found[0], f.Name+": want ")
		}
	}
}

// An instalment that is missing, or that nobody asked for, is a difference.
func TestInstalmentsAreCompared(t *testing.T) {
	p := &probe{Probe: storetest.New(t.Context())}
	e := p.fullEvent()
	shorter, none, empty := e, e, e
	shorter.Instalments, none.Instalments, empty.Instalments = e.Instalments[:2], nil, []pagoinrete.Instalment{}
	assert.Equal(t, []string{"EventData.Instalments: want 3, got 2"}, storetest.Differences(e, shorter))
	assert.Equal(t, []string{"EventData.Instalments: want 2, got 3"}, storetest.Differences(shorter, e))
	assert.Equal(t, []string{"EventData.Instalments: want 3, got 0"}, storetest.Differences(e, none))
	assert.Empty(t, storetest.Differences(none, empty))
}

// A field that is added to a filter is looked for as well.
func TestNoFieldOfTheFiltersIsForgotten(t *testing.T) {
	p := &probe{Probe: storetest.New(t.Context())}
	var events pagoinrete.EventFilter
	for range 20 { // some depend on chance
		for _, c := range eventCriteria {
			c.Set(p.Probe, &events, p.fullEvent())
		}
		assert.Empty(t, unset(events))
	}
	var notices pagoinrete.NoticeFilter
	for range 20 {
		for _, c := range noticeCriteria {
			c.Set(p.Probe, &notices, p.fullNotice(p.fullEvent()))
		}
		assert.Empty(t, unset(notices))
	}
}

// unset names the fields of a filter that match all.
func unset(filter any) []string {
	var names []string
	v := reflect.ValueOf(filter)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			names = append(names, v.Type().Field(i).Name)
		}
	}
	return names
}
