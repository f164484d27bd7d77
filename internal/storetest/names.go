package storetest

import (
	"reflect"
	"strings"
)

// Name is what the entities of one kind are called, such as "flow". The plural has an s more,
// and so have the store's methods.
type Name string

// An returns the name with its article: "a flow", "an event".
func (n Name) An() string {
	if strings.Contains("aeiou", string(n[:1])) {
		return "an " + string(n)
	}
	return "a " + string(n)
}

// Many returns the plural: "flows".
func (n Name) Many() string { return string(n) + "s" }

// Get returns the name of the method that reads one: "Flow".
func (n Name) Get() string { return strings.ToUpper(string(n[:1])) + string(n[1:]) }

// List returns the name of the method that reads a page: "Flows".
func (n Name) List() string { return n.Get() + "s" }

// History returns the name of the method that reads records: "FlowHistory".
func (n Name) History() string { return n.Get() + "History" }

// FieldOf returns a pointer to a field that every entity or filter of a kind has, by its name,
// such as "Version". F is the field's type.
func FieldOf[F any](pointer any, name string) *F {
	return reflect.ValueOf(pointer).Elem().FieldByName(name).Addr().Interface().(*F)
}

// Version returns the version of an entity.
func Version[E any](e E) int64 { return *FieldOf[int64](&e, "Version") }

// WithVersion returns an entity with another version.
func WithVersion[E any](e E, version int64) E {
	*FieldOf[int64](&e, "Version") = version
	return e
}

// Next returns an entity with the version that the next change gives it.
func Next[E any](e E) E { return WithVersion(e, Version(e)+1) }

// counts returns the counts that a parent has.
func counts[P any](parent P) any {
	return reflect.ValueOf(parent).FieldByName("Counts").Interface()
}

// withState returns an entity in another state.
func withState[E any](e E, state string) E {
	reflect.ValueOf(&e).Elem().FieldByName("State").SetString(state)
	return e
}

// lastBy returns who has changed an entity last.
func lastBy[E any](e E) string { return *FieldOf[string](&e, "UpdatedBy") }

// by returns an entity that another user has changed last: a change that every entity can have.
func by[E any](e E, user string) E {
	*FieldOf[string](&e, "UpdatedBy") = user
	return e
}
