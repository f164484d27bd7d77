package storetest

import (
	"fmt"
	"reflect"
	"time"
)

// Differences says field by field what is not as it should be. Times must be the same
// instant, and in UTC; an empty list is as good as none. Personal values are shown: they are
// those of the tests.
func Differences(want, got any) []string {
	return differing("", reflect.ValueOf(want), reflect.ValueOf(got))
}

func differing(name string, want, got reflect.Value) []string {
	if isPlain(want.Type()) {
		var all []string
		for i := range want.NumField() {
			all = append(all, differing(join(name, want.Type().Field(i).Name), want.Field(i), got.Field(i))...)
		}
		return all
	}
	if want.Kind() == reflect.Slice || isStructs(want.Type()) {
		if want.Len() != got.Len() {
			return []string{fmt.Sprintf("%s: want %d, got %d", name, want.Len(), got.Len())}
		}
		var all []string
		for i := range want.Len() {
			all = append(all, differing(fmt.Sprintf("%s[%d]", name, i), want.Index(i), got.Index(i))...)
		}
		return all
	}
	w, g := want.Interface(), got.Interface()
	if t, ok := w.(time.Time); ok {
		if u := g.(time.Time); !u.Equal(t) || u.Location() != time.UTC {
			return []string{fmt.Sprintf("%s: want %s, got %s", name, show(w), show(g))}
		}
		return nil
	}
	if w != g {
		return []string{fmt.Sprintf("%s: want %s, got %s", name, show(w), show(g))}
	}
	return nil
}

// Field is a field of a struct that is a value.
type Field struct {
	Name    string // such as "Delivery.Status", "Instalments[0].Amount"
	Pointer any    // to the value
}

// Fields returns all fields of a struct that are values, or lists without entries. Those of
// lists with entries, and of arrays of structs, are their entries' fields.
func Fields(pointer any) []Field {
	var all []Field
	var walk func(name string, v reflect.Value)
	walk = func(name string, v reflect.Value) {
		switch {
		case isPlain(v.Type()):
			for i := range v.NumField() {
				walk(join(name, v.Type().Field(i).Name), v.Field(i))
			}
		case v.Kind() == reflect.Slice && v.Len() > 0, isStructs(v.Type()):
			for i := range v.Len() {
				walk(fmt.Sprintf("%s[%d]", name, i), v.Index(i))
			}
		default:
			all = append(all, Field{name, v.Addr().Interface()})
		}
	}
	walk("", reflect.ValueOf(pointer).Elem())
	return all
}

func join(name, field string) string {
	if name == "" {
		return field
	}
	return name + "." + field
}

// isPlain reports whether a type is a struct that shows its fields, and so is no value.
func isPlain(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	for i := range t.NumField() {
		if !t.Field(i).IsExported() {
			return false
		}
	}
	return t.NumField() > 0
}

// isStructs reports whether a type is an array of structs that show their fields.
func isStructs(t reflect.Type) bool { return t.Kind() == reflect.Array && isPlain(t.Elem()) }

// show gives a value for a message, in as much length as is of use.
func show(v any) string {
	switch v := v.(type) {
	case time.Time:
		return fmt.Sprintf("%s (%s)", v.Format(time.RFC3339Nano), v.Location())
	case interface{ Reveal() string }:
		return shorten(v.Reveal())
	}
	if text := reflect.ValueOf(v); text.Kind() == reflect.String {
		return shorten(text.String())
	}
	return fmt.Sprint(v)
}

func shorten(text string) string {
	const most = 80
	runes := []rune(text)
	if len(runes) <= most {
		return fmt.Sprintf("%q", text)
	}
	return fmt.Sprintf("%q… (%d characters, ending in %q)", string(runes[:most/2]), len(runes), string(runes[len(runes)-most/4:]))
}

// Clone returns a copy of a struct that shares no list with it.
func Clone[E any](e E) E {
	cloneLists(reflect.ValueOf(&e).Elem())
	return e
}

func cloneLists(v reflect.Value) {
	switch {
	case isPlain(v.Type()):
		for i := range v.NumField() {
			cloneLists(v.Field(i))
		}
	case v.Kind() == reflect.Slice && !v.IsNil():
		own := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(own, v)
		v.Set(own)
		for i := range v.Len() {
			cloneLists(v.Index(i))
		}
	}
}
