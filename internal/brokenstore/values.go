package brokenstore

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/storetest"
)

// neverAgain is what goes wrong with entities only.
const neverAgain = "it is written when it is created, and never again"

// ofValues is what goes wrong with a value that is stored, or read: each does something to the
// types of fields that it knows, and reports whether it knows the type. Old points to the value that
// is stored, nil if there is none.
var ofValues = []struct {
	name, rule string // the rule is the one that the field is kept, if none is given
	read       bool   // and not stored
	spoil      func(field, old any) bool
}{
	{"it is lost", "", false, func(field, _ any) bool {
		reflect.ValueOf(field).Elem().SetZero()
		return true
	}},
	{neverAgain, "", false, func(field, old any) bool {
		if old != nil {
			reflect.ValueOf(field).Elem().Set(reflect.ValueOf(old).Elem())
		}
		return true
	}},
	{"a text is cut at 4,000 characters", textsRule, false, func(field, _ any) bool {
		text, is := field.(*flussi.Text)
		if is && len([]rune(text.Reveal())) > 4000 {
			*text = flussi.NewText(string([]rune(text.Reveal())[:4000]))
		}
		return is
	}},
	{"spaces at the end are lost", textsRule, false, func(field, _ any) bool {
		text, is := field.(*string)
		if is {
			*text = strings.TrimRight(*text, " ")
		}
		return is
	}},
	{"a time loses its zone, and is taken for UTC", timesRule, false, ofTimes(func(t time.Time) time.Time {
		return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	})},
	{"a time is local", timesRule, true, ofTimes(func(t time.Time) time.Time {
		return t.In(time.FixedZone("CET", 3600))
	})},
	{"a time is cut at the second", timesRule, true, ofTimes(func(t time.Time) time.Time {
		return t.Truncate(time.Second)
	})},
	{"an amount has 32 bits", amountsRule, false, func(field, _ any) bool {
		amount, is := field.(*flussi.Cents)
		if is {
			*amount = flussi.Cents(int32(*amount))
		}
		return is
	}},
	{"no time is 1970", zeroRule, true, ofTimes(func(t time.Time) time.Time {
		if t.IsZero() {
			return time.Unix(0, 0).UTC()
		}
		return t
	})},
}

func ofTimes(spoil func(time.Time) time.Time) func(field, _ any) bool {
	return func(field, _ any) bool {
		t, is := field.(*time.Time)
		if is {
			*t = spoil(*t)
		}
		return is
	}
}

// ofFields breaks each field of the entities of one kind, and of their records, by [ofValues], but
// for those that stores give or need. Written and read make a store that changes what it stores, and
// what it returns.
func ofFields[E, S any](
	name storetest.Name, needed []string,
	written func(func(c *storetest.Change[E], old E)) func(S) S, read func(func(*E)) func(S) S,
) []Breaker[S] {
	var full storetest.Change[E]
	storetest.New(context.Background()).Fill(&full, true) // a list has the fields of its entries
	needed = append([]string{"Entity.ID", "Entity.CreatedAt", "Entity.Version", "Record.Version", "Lease"}, needed...)
	var all []Breaker[S]
	for _, b := range ofValues {
		for _, f := range storetest.Fields(&full) {
			field, isEntity := strings.CutPrefix(f.Name, "Entity.")
			rule := b.rule
			if rule == "" && isEntity {
				rule = keptRule(name)
			} else if rule == "" {
				rule = recordsRule
			}
			switch {
			case !b.spoil(f.Pointer, nil), strings.HasPrefix(field, "Counts."), b.read && !isEntity:
			case b.rule == "" && slices.Contains(needed, f.Name), b.name == neverAgain && !isEntity:
			case b.rule == zeroRule && slices.Contains([]string{"CreatedAt", "UpdatedAt"}, field):
			case b.read:
				all = append(all, Breaker[S]{name.Many() + ": " + f.Name + ": " + b.name, rule, read(func(one *E) {
					spoilField(one, nil, field, b.spoil)
				})})
			default:
				all = append(all, Breaker[S]{name.Many() + ": " + f.Name + ": " + b.name, rule, written(func(c *storetest.Change[E], old E) {
					var before any
					if storetest.Version(old) > 0 {
						before = &storetest.Change[E]{Entity: old}
					}
					spoilField(c, before, f.Name, b.spoil)
				})})
			}
		}
	}
	return all
}

// spoilField does something to one field of a struct. Old points to the struct that is stored, nil
// if there is none.
func spoilField(pointer, old any, name string, spoil func(field, old any) bool) {
	field, before := fieldOf(pointer, name), any(nil)
	if old != nil {
		before = fieldOf(old, name)
	}
	if field != nil {
		spoil(field, before)
	}
}

// fieldOf returns a pointer to a field, nil if there is none, such as one of an entry that a list does
// not have.
func fieldOf(pointer any, name string) any {
	for _, f := range storetest.Fields(pointer) {
		if f.Name == name {
			return f.Pointer
		}
	}
	return nil
}
