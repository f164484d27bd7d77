package brokenstore

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/storetest"
)

// ofValues is what goes wrong with a value that is stored, or read: each does something to the
// types of fields that it knows, and reports whether it knows the type.
var ofValues = []struct {
	name, rule string
	read       bool // and not stored
	spoil      func(field any) bool
}{
	{"a text is cut at 4,000 characters", textsRule, false, func(field any) bool {
		text, is := field.(*flussi.Text)
		if is && len([]rune(text.Reveal())) > 4000 {
			*text = flussi.NewText(string([]rune(text.Reveal())[:4000]))
		}
		return is
	}},
	{"spaces at the end are lost", textsRule, false, func(field any) bool {
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
	{"no time is 1970", zeroRule, true, ofTimes(func(t time.Time) time.Time {
		if t.IsZero() {
			return time.Unix(0, 0).UTC()
		}
		return t
	})},
}

func ofTimes(spoil func(time.Time) time.Time) func(field any) bool {
	return func(field any) bool {
		t, is := field.(*time.Time)
		if is {
			*t = spoil(*t)
		}
		return is
	}
}

// ofFields breaks each field of the entities of one kind, and of their records, by [ofValues].
// Written and read make a store that changes what it stores, and what it returns.
func ofFields[E, S any](
	name storetest.Name, written func(func(c *storetest.Change[E], old E)) func(S) S, read func(func(*E)) func(S) S,
) []Breaker[S] {
	var full storetest.Change[E]
	storetest.New(context.Background()).Fill(&full, true) // a list has the fields of its entries
	var all []Breaker[S]
	for _, b := range ofValues {
		for _, f := range storetest.Fields(&full) {
			field, isEntity := strings.CutPrefix(f.Name, "Entity.")
			neverZero := slices.Contains([]string{"CreatedAt", "UpdatedAt"}, field)
			if !b.spoil(f.Pointer) || b.read && !isEntity || b.rule == zeroRule && neverZero {
				continue
			}
			broken := written(func(c *storetest.Change[E], _ E) { spoilField(c, f.Name, b.spoil) })
			if b.read {
				broken = read(func(one *E) { spoilField(one, field, b.spoil) })
			}
			all = append(all, Breaker[S]{name.Many() + ": " + b.name + ": " + f.Name, b.rule, broken})
		}
	}
	return all
}

// spoilField does something to one field of a struct.
func spoilField(pointer any, name string, spoil func(field any) bool) {
	for _, f := range storetest.Fields(pointer) {
		if f.Name == name {
			spoil(f.Pointer)
		}
	}
}
