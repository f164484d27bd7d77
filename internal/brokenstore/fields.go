package brokenstore

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi/internal/storetest"
)

// suite returns what makes up the entities of the suite.
func (p Proof[S, T, P, C]) suite(t *testing.T) *storetest.Suite[P, C] {
	return p.Shared.Of(p.Contract.Probe(storetest.New(t.Context()), p.Open()))
}

// fillsEveryField checks that no field is zero of what is made up with all fields, so that one
// that is added to an entity or a record is checked as well.
func (p Proof[S, T, P, C]) fillsEveryField(t *testing.T) {
	s := p.suite(t)
	parent := s.FullParent()
	child := s.FullChild(parent)
	var record storetest.Record
	s.Fill(&record, true)
	for _, pointer := range []any{&parent, &child, &record} {
		for _, f := range storetest.Fields(pointer) {
			// Stores give counts and versions.
			if !strings.HasPrefix(f.Name, "Counts.") && f.Name != "Version" {
				assert.NotZero(t, reflect.ValueOf(f.Pointer).Elem().Interface(), f.Name)
			}
		}
	}
}

// comparesEveryField checks that a difference in any field of an entity is found.
func (p Proof[S, T, P, C]) comparesEveryField(t *testing.T) {
	s := p.suite(t)
	parent := s.FullParent()
	comparesEveryField(t, parent)
	comparesEveryField(t, s.FullChild(parent))
}

func comparesEveryField[E any](t *testing.T, entity E) {
	for i, f := range storetest.Fields(&entity) {
		other := storetest.Clone(entity)
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

// SetsEveryField checks that criteria look for each field of a filter.
func SetsEveryField[E, Q any](
	t *testing.T, p *storetest.Probe, criteria storetest.Criteria[E, Q], like func() E,
) {
	var filter Q
	for range 20 { // some depend on chance
		for _, c := range criteria(p, &filter, like()) {
			c.Set()
		}
		v := reflect.ValueOf(filter)
		for i := range v.NumField() {
			assert.False(t, v.Field(i).IsZero(), v.Type().Field(i).Name)
		}
	}
}

// keptRule is the rule that fields of entities break.
func keptRule(name storetest.Name) string { return name.An() + " is read as it was stored" }

// findsIgnoredFilters checks that each field of a filter is missed that a store does not look at,
// and each list of which it looks at the first entries only.
func (p Proof[S, T, P, C]) findsIgnoredFilters(t *testing.T) {
	ignoring := func(name storetest.Name, filter any, broken func(ignore func(pointer any)) func(S) S) {
		rule := name.Many() + " are found by each field of the filter"
		for _, field := range reflect.VisibleFields(reflect.TypeOf(filter)) {
			b := broken(func(pointer any) { reflect.ValueOf(pointer).Elem().FieldByIndex(field.Index).SetZero() })
			assert.Error(t, p.Contract.CheckRule(t.Context(), rule, b(p.Open())), field.Name)
			if field.Type.Kind() != reflect.Slice {
				continue
			}
			cut := broken(func(pointer any) {
				list := reflect.ValueOf(pointer).Elem().FieldByIndex(field.Index)
				list.SetLen(min(list.Len(), 100))
			})
			err := p.Contract.CheckRule(t.Context(), rule, cut(p.Open()))
			assert.Error(t, err, field.Name+", cut")
		}
	}
	ignoring(p.Shared.Parent, p.Filters[0], func(ignore func(any)) func(S) S {
		return p.Views.Parents(asked[P](ignore))
	})
	ignoring(p.Shared.Child, p.Filters[1], func(ignore func(any)) func(S) S {
		return p.Views.Children(asked[C](ignore))
	})
}
