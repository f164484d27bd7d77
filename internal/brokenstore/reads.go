package brokenstore

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/storetest"
)

// ofMethods is what breaks the methods that read entities of one kind.
func ofMethods[E storetest.Placed](name storetest.Name) []Breaker[storetest.Methods[E]] {
	type methods = storetest.Methods[E]
	type records = []storetest.Record
	notFoundRule := name.An() + " that is not there is not found"
	filterRule := name.Many() + " are found by each field of the filter"
	togetherRule := name.Many() + " are found by fields of the filter together"
	return []Breaker[methods]{
		{"what is not there is a zero value", notFoundRule, func(m methods) methods {
			get := m.Get
			m.Get = func(ctx context.Context, id uuid.UUID) (E, error) {
				one, err := get(ctx, id)
				if errors.Is(err, flussi.ErrNotFound) {
					err = nil
				}
				return one, err
			}
			return m
		}},
		{"the caller's version is kept", versionRule, Reads(func(one *E) {
			*one = storetest.WithVersion(*one, storetest.Version(*one)-1)
		})},
		{"a history has 50 records", recordsRule, recorded[E](func(all records) (records, error) {
			return all[max(0, len(all)-50):], nil
		})},
		{"the first record is missing", recordsRule, recorded[E](func(all records) (records, error) {
			return all[min(1, len(all)):], nil
		})},
		{"records come by their time", recordsRule, recorded[E](func(all records) (records, error) {
			slices.SortFunc(all, func(a, b storetest.Record) int { return a.At.Compare(b.At) })
			return all, nil
		})},
		{"records have the version that they came with", recordsRule, recorded[E](func(all records) (records, error) {
			for i := range all {
				all[i].Version--
			}
			return all, nil
		})},
		{"the history of what is not there is an error", missingRule, recorded[E](func(all records) (records, error) {
			if len(all) == 0 {
				return nil, flussi.ErrNotFound
			}
			return all, nil
		})},
		{"those of one time come in no order", sortedRule, listed(func(all []E, page flussi.Page) []E {
			slices.SortStableFunc(all, func(a, b E) int {
				x, y := a.Cursor(), b.Cursor()
				if x.At.Equal(y.At) {
					return bytes.Compare(x.ID[8:], y.ID[8:])
				}
				if page.OldestFirst {
					return x.At.Compare(y.At)
				}
				return y.At.Compare(x.At)
			})
			return all
		})},
		{"the oldest come first", sortedRule, paged[E](func(page *flussi.Page) { page.OldestFirst = true })},
		{"a page has one too many", limitRule, paged[E](func(page *flussi.Page) { page.Limit++ })},
		{"a page has 1,000 at most", longPageRule, pagesOfAtMost[E](1000)},
		{"a page has 60 at most", longPageRule, pagesOfAtMost[E](60)},
		{"a page has 300 at most", longPageRule, pagesOfAtMost[E](300)},
		{"a page has 500 at most", longPageRule, pagesOfAtMost[E](500)},
		{
			"a page that is not the first has 300 at most", longPageRule,
			paged[E](func(page *flussi.Page) {
				if !page.After.IsZero() {
					page.Limit = min(page.Limit, 300)
				}
			}),
		},
		{"a page repeats those of the time at which it begins", onceRule, paged[E](func(page *flussi.Page) {
			if !page.After.IsZero() && !page.OldestFirst {
				page.After.ID = uuid.Max
			}
		})},
		{"a page skips those of the time at which it begins", onceRule, paged[E](func(page *flussi.Page) {
			if page.OldestFirst {
				page.After.ID = uuid.Max
			}
		})},
		{"pages are counted off", changingRule, countedOff[E]},
		{"a page begins behind what is there only", anywhereRule, func(m methods) methods {
			list := m.List
			m.List = func(ctx context.Context, filter storetest.Filter, page flussi.Page) ([]E, error) {
				if page.After.ID != uuid.Nil {
					if _, err := m.Get(ctx, page.After.ID); err != nil {
						return nil, ctx.Err()
					}
				}
				return list(ctx, filter, page)
			}
			return m
		}},
		{"To is included", filterRule, asked[E](func(filter any) {
			if to := storetest.FieldOf[time.Time](filter, "To"); !to.IsZero() {
				*to = to.Add(time.Microsecond)
			}
		})},
		{"an empty list finds nothing", filterRule, lists(func(l listCall[E]) ([]E, error) {
			v := reflect.ValueOf(l.filter)
			for i := range v.NumField() {
				if f := v.Field(i); f.Kind() == reflect.Slice && !f.IsNil() && f.Len() == 0 {
					return nil, l.ctx.Err()
				}
			}
			return l.do()
		})},
		{"a list of a filter has 100 entries", filterRule, asked[E](func(filter any) {
			for _, list := range filterLists(filter) {
				list.SetLen(min(list.Len(), 100))
			}
		})},
		{"with IDs, nothing else is looked at", togetherRule, asked[E](func(filter any) {
			if ids := *storetest.FieldOf[[]uuid.UUID](filter, "IDs"); len(ids) > 0 {
				reflect.ValueOf(filter).Elem().SetZero()
				*storetest.FieldOf[[]uuid.UUID](filter, "IDs") = ids
			}
		})},
		{name.Get() + " does not look at its context", endedRule, func(m methods) methods {
			get := m.Get
			m.Get = func(ctx context.Context, id uuid.UUID) (E, error) {
				return get(context.WithoutCancel(ctx), id)
			}
			return m
		}},
		{name.List() + " does not look at its context", endedRule, lists(func(l listCall[E]) ([]E, error) {
			return l.own(context.WithoutCancel(l.ctx), l.filter, l.page)
		})},
		{name.History() + " does not look at its context", endedRule, func(m methods) methods {
			history := m.History
			m.History = func(ctx context.Context, id uuid.UUID) ([]storetest.Record, error) {
				return history(context.WithoutCancel(ctx), id)
			}
			return m
		}},
	}
}

// pagesOfAtMost is pages that are no longer than a store likes.
func pagesOfAtMost[E any](most int) breaking[E] {
	return paged[E](func(page *flussi.Page) { page.Limit = min(page.Limit, most) })
}

// filterLists returns the lists of a filter, to be set.
func filterLists(pointer any) []reflect.Value {
	var lists []reflect.Value
	v := reflect.ValueOf(pointer).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Slice {
			lists = append(lists, f)
		}
	}
	return lists
}

// countedOff finds a page by how many were before it.
func countedOff[E storetest.Placed](m storetest.Methods[E]) storetest.Methods[E] {
	var mu sync.Mutex
	offset := map[uuid.UUID]int{} // by the last one of a page
	list := m.List
	m.List = func(ctx context.Context, filter storetest.Filter, page flussi.Page) ([]E, error) {
		mu.Lock()
		defer mu.Unlock()
		skip, counted := offset[page.After.ID]
		if page.After.IsZero() || !counted {
			skip = 0
		} else {
			page.After = flussi.Cursor{}
		}
		limit := page.Limit
		page.Limit += skip
		all, err := list(ctx, filter, page)
		all = all[min(skip, len(all)):]
		if all = all[:min(limit, len(all))]; len(all) > 0 {
			offset[idOf(all[len(all)-1])] = skip + len(all)
		}
		return all, err
	}
	return m
}
