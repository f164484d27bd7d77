package flowtest

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi/flow"
)

func zeros(pointer any) []string {
	var names []string
	for _, f := range fields(pointer) {
		if reflect.ValueOf(f.pointer).Elem().IsZero() {
			names = append(names, f.name)
		}
	}
	return names
}

// A field that is added to an entity or to a record is checked as well.
func TestNoFieldIsForgotten(t *testing.T) {
	p := &probe{random: rand.New(rand.NewPCG(1, 2))}
	f, n := p.fullFlow(), p.fullNotification(uuid.New())
	assert.Equal(t, []string{"Counts.Registered", "Counts.Sending", "Counts.Sent", "Counts.Failed", "Counts.Disabled", "Version"}, zeros(&f))
	assert.Equal(t, []string{"Version"}, zeros(&n))
	var fr flow.FlowRecord
	var nr flow.NotificationRecord
	p.fill(&fr, true)
	p.fill(&nr, true)
	assert.Empty(t, zeros(&fr))
	assert.Empty(t, zeros(&nr))
}

// A field that is added to an entity is compared as well.
func TestEveryFieldIsCompared(t *testing.T) {
	p := &probe{random: rand.New(rand.NewPCG(1, 2))}
	n := p.fullNotification(uuid.New())
	for i, f := range fields(&n) {
		other := n
		reflect.ValueOf(fields(&other)[i].pointer).Elem().SetZero()
		if f.name == "Version" {
			other.Version = 7
		}
		found := differences(n, other)
		if assert.Len(t, found, 1, f.name) {
			assert.Contains(t, found[0], f.name+": want ")
		}
	}
}

// A field that is added to a filter is looked for as well.
func TestNoFieldOfTheFiltersIsForgotten(t *testing.T) {
	p := &probe{random: rand.New(rand.NewPCG(1, 2))}
	var flows flow.FlowFilter
	for range 20 { // some depend on chance
		for _, c := range flowCriteria {
			f := p.fullFlow()
			c.set(p, &flows, f)
		}
		assert.Empty(t, unset(flows))
	}
	var notifications flow.NotificationFilter
	for range 20 {
		for _, c := range notificationCriteria {
			n := p.fullNotification(p.id())
			c.set(p, &notifications, n)
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
