package pagoinretetest_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/memstore"
	"github.com/flussi-go/flussi/pagoinrete/pagoinretetest"
)

// lose sets a field of a struct, by its name, to zero.
func lose(pointer any, name string) {
	for _, f := range storetest.Fields(pointer) {
		if f.Name == name {
			reflect.ValueOf(f.Pointer).Elem().SetZero()
		}
	}
}

// lasting are the fields of entities that a store needs for more than to keep them.
var lasting = []string{
	"ID", "EventID", "School", "CreatedAt", "Version",
	"Counts.NotLinked", "Counts.Unpaid", "Counts.Paid", "Counts.Cancelled", "Counts.Refunded", "Counts.Discrepancies",
}

func TestAFieldThatIsLostIsFoundOut(t *testing.T) {
	filled := pagoinrete.Event{EventData: pagoinrete.EventData{Instalments: make([]pagoinrete.Instalment, 1)}}
	for _, f := range storetest.Fields(&filled) {
		if !slices.Contains(lasting, f.Name) {
			broken := pagoinretetest.CheckRule(t.Context(), "an event is read as it was stored",
				written(memstore.New(), func(c *pagoinrete.EventChange) { lose(&c.Event, f.Name) }, noNoticeChange))
			assert.NotNil(t, broken, f.Name)
		}
	}
	for _, f := range storetest.Fields(&pagoinrete.Notice{}) {
		if !slices.Contains(lasting, f.Name) {
			broken := pagoinretetest.CheckRule(t.Context(), "a notice is read as it was stored",
				written(memstore.New(), noEventChange, func(c *pagoinrete.NoticeChange) { lose(&c.Notice, f.Name) }))
			assert.NotNil(t, broken, f.Name)
		}
	}
	for _, f := range storetest.Fields(&pagoinrete.NoticeRecord{}) {
		if f.Name != "Version" {
			broken := pagoinretetest.CheckRule(t.Context(), "every version has its record", written(memstore.New(),
				func(c *pagoinrete.EventChange) { lose(&c.Record, f.Name) }, noNoticeChange))
			assert.NotNil(t, broken, "%s of an event", f.Name)
			broken = pagoinretetest.CheckRule(t.Context(), "every version has its record", written(memstore.New(),
				noEventChange, func(c *pagoinrete.NoticeChange) { lose(&c.Record, f.Name) }))
			assert.NotNil(t, broken, "%s of a notice", f.Name)
		}
	}
}

func TestAFieldOfAFilterThatIsNotLookedAtIsFoundOut(t *testing.T) {
	for _, name := range names[pagoinrete.EventFilter]() {
		broken := pagoinretetest.CheckRule(t.Context(), "events are found by each field of the filter",
			asked(memstore.New(), func(q *pagoinrete.EventFilter) { field(q, name).SetZero() }, noNoticeFilter))
		assert.NotNil(t, broken, name)
	}
	for _, name := range names[pagoinrete.NoticeFilter]() {
		broken := pagoinretetest.CheckRule(t.Context(), "notices are found by each field of the filter",
			asked(memstore.New(), noEventFilter, func(q *pagoinrete.NoticeFilter) { field(q, name).SetZero() }))
		assert.NotNil(t, broken, name)
	}
}

// names are those of the fields of a filter.
func names[Q any]() []string {
	var all []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Q]()) {
		all = append(all, f.Name)
	}
	return all
}

func field(filter any, name string) reflect.Value {
	return reflect.ValueOf(filter).Elem().FieldByName(name)
}
