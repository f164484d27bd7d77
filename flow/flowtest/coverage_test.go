package flowtest

import (
	"reflect"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/storetest"
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
	f, n := p.fullFlow(), p.fullNotification(uuid.New())
	assert.Equal(t, []string{"Counts.Registered", "Counts.Sending", "Counts.Sent", "Counts.Failed", "Counts.Disabled", "Version"}, zeros(&f))
	assert.Equal(t, []string{"Version"}, zeros(&n))
	var fr flow.FlowRecord
	var nr flow.NotificationRecord
	p.Fill(&fr, true)
	p.Fill(&nr, true)
	assert.Empty(t, zeros(&fr))
	assert.Empty(t, zeros(&nr))
}

// A field that is added to an entity is compared as well.
func TestEveryFieldIsCompared(t *testing.T) {
	p := &probe{Probe: storetest.New(t.Context())}
	n := p.fullNotification(uuid.New())
	for i, f := range storetest.Fields(&n) {
		other := n
		reflect.ValueOf(storetest.Fields(&other)[i].Pointer).Elem().SetZero()
		if f.Name == "Version" {
			other.Version = 7
		}
		found := storetest.Differences(n, other)
		if assert.Len(t, found, 1, f.Name) {
			assert.Contains(t, found[0], f.Name+": want ")
		}
	}
}

// A field that is added to a filter is looked for as well.
func TestNoFieldOfTheFiltersIsForgotten(t *testing.T) {
	p := &probe{Probe: storetest.New(t.Context())}
	var flows flow.FlowFilter
	for range 20 { // some depend on chance
		for _, c := range flowCriteria {
			f := p.fullFlow()
			c.Set(p.Probe, &flows, f)
		}
		assert.Empty(t, unset(flows))
	}
	var notifications flow.NotificationFilter
	for range 20 {
		for _, c := range notificationCriteria {
			n := p.fullNotification(p.ID())
			c.Set(p.Probe, &notifications, n)
		}
		assert.Empty(t, unset(notifications))
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
