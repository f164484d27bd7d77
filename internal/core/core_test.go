package core_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/core"
)

type entity struct {
	id    uuid.UUID
	scope string
}

func (e entity) Cursor() flussi.Cursor { return flussi.Cursor{At: time.Unix(0, 0), ID: e.id} }

var (
	operator = flussi.Actor{ID: "m.neri"}
	granted  = []string{"tributi", "anagrafe", "tributi"}
)

func access(_ context.Context, by flussi.Actor) ([]string, error) {
	if by.ID == operator.ID {
		return granted, nil
	}
	return nil, nil
}

func TestScopesAreSortedAndTheAuthorizersListIsNotChanged(t *testing.T) {
	scopes, err := core.Access(access).Scopes(t.Context(), operator)
	assert.NoError(t, err)
	assert.Equal(t, []string{"anagrafe", "tributi"}, scopes)
	assert.Equal(t, []string{"tributi", "anagrafe", "tributi"}, granted, "the authorizer's own list")
	assert.NoError(t, core.Access(access).Admit(t.Context(), operator, "tributi"))
	assert.Equal(t, flussi.ErrForbidden, core.Access(access).Admit(t.Context(), operator, "tribut"))
	_, err = core.Access(access).Scopes(t.Context(), flussi.Actor{})
	assert.ErrorIs(t, err, flussi.ErrEmpty)
}

func TestReadDoesNotTellTheHiddenFromTheMissing(t *testing.T) {
	own, foreign := entity{uuid.New(), "tributi"}, entity{uuid.New(), "scuola"}
	broken := errors.New("disk full")
	get := func(_ context.Context, id uuid.UUID) (entity, error) {
		switch id {
		case own.id:
			return own, nil
		case foreign.id:
			return foreign, nil
		case uuid.Nil:
			return own, broken
		}
		return entity{}, fmt.Errorf("table entities: %w", flussi.ErrNotFound)
	}
	read := func(ctx context.Context, by flussi.Actor, id uuid.UUID) (entity, error) {
		return core.Read(ctx, access, by, id, get, func(e entity) string { return e.scope })
	}
	got, err := read(t.Context(), operator, own.id)
	assert.NoError(t, err)
	assert.Equal(t, own, got)
	for name, id := range map[string]uuid.UUID{"hidden": foreign.id, "missing": uuid.New()} {
		got, err := read(t.Context(), operator, id)
		assert.True(t, err == flussi.ErrNotFound, name)
		assert.Zero(t, got, name)
	}
	got, err = read(t.Context(), operator, uuid.Nil)
	assert.Equal(t, broken, err)
	assert.Zero(t, got)
	list := func(context.Context, uuid.UUID) ([]int, error) { return []int{1}, nil }
	records, err := core.History(t.Context(), operator, foreign.id, read, list)
	assert.ErrorIs(t, err, flussi.ErrNotFound)
	assert.Nil(t, records)
	records, err = core.History(t.Context(), operator, own.id, read, list)
	assert.NoError(t, err)
	assert.Len(t, records, 1)
}

func TestSearchPagesThroughAList(t *testing.T) {
	all := make([]entity, 7)
	for i := range all {
		all[i] = entity{id: uuid.UUID{byte(i + 1)}}
	}
	list := func(scopes []string, page flussi.Page) ([]entity, error) {
		assert.Equal(t, []string{"anagrafe", "tributi"}, scopes)
		page.OldestFirst = true
		from := slices.IndexFunc(all, func(e entity) bool { return page.Includes(e.Cursor()) })
		if from < 0 {
			return nil, nil
		}
		return slices.Clone(all[from:min(from+page.Limit, len(all))]), nil
	}
	for _, limit := range []int{1, 2, 3, 6, 7, 8} {
		var found []entity
		page, pages := flussi.Page{Limit: limit, OldestFirst: true}, 0
		for {
			part, next, err := core.List(t.Context(), access, operator, nil, nil, page, list)
			assert.NoError(t, err)
			assert.LessOrEqual(t, len(part), limit)
			found = append(found, part...)
			pages++
			if page.After = next; next.IsZero() {
				break
			}
		}
		assert.Equal(t, all, found)
		assert.Equal(t, (len(all)+limit-1)/limit, pages, "the last page says that it is the last")
	}
	failed := errors.New("list failed")
	_, _, err := core.List(t.Context(), access, operator, nil, nil, flussi.Page{},
		func([]string, flussi.Page) ([]entity, error) { return nil, failed })
	assert.ErrorIs(t, err, failed)
}

func TestNarrowLooksInTheScopesOfTheActor(t *testing.T) {
	invalid := &flussi.InvalidError{Fields: []*flussi.ValueError{{Type: "Text", Err: flussi.ErrLength}}}
	for name, test := range map[string]struct {
		by      flussi.Actor
		wanted  []string
		invalid error
		page    flussi.Page
		scopes  []string
		err     error
	}{
		"all":                {by: operator, scopes: []string{"anagrafe", "tributi"}},
		"one":                {by: operator, wanted: []string{"tributi"}, scopes: []string{"tributi"}},
		"another's":          {by: operator, wanted: []string{"tributi", "scuola"}, err: flussi.ErrForbidden},
		"none":               {by: flussi.Actor{ID: "estraneo"}},
		"nobody":             {err: flussi.ErrEmpty},
		"an invalid filter":  {by: operator, invalid: invalid, err: flussi.ErrLength},
		"an invalid page":    {by: operator, page: flussi.Page{Limit: -1}, err: flussi.ErrRange},
		"a stranger's guess": {by: flussi.Actor{ID: "estraneo"}, wanted: []string{"tributi"}, invalid: invalid, err: flussi.ErrForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			scopes, page, err := core.Narrow(t.Context(), access, test.by, test.wanted, test.invalid, test.page)
			assert.ErrorIs(t, err, test.err)
			if test.err == nil {
				assert.Equal(t, test.scopes, scopes)
				assert.Positive(t, page.Limit)
			}
		})
	}
}

func TestAllAuthorisesEachTimeItIsPulled(t *testing.T) {
	asked, failed := 0, errors.New("failed")
	asking := func(ctx context.Context, by flussi.Actor) ([]string, error) {
		asked++
		return access(ctx, by)
	}
	wrap := func(err error) error {
		if err == nil {
			return nil
		}
		return fmt.Errorf("search: %w", err)
	}
	list := func(scopes []string) iter.Seq2[int, error] {
		assert.Equal(t, []string{"anagrafe", "tributi"}, scopes)
		return func(yield func(int, error) bool) { _ = yield(1, nil) && yield(0, failed) && yield(2, nil) }
	}
	search := func(by flussi.Actor, wanted ...string) iter.Seq2[int, error] {
		return core.All(t.Context(), asking, by, wanted, nil, list, wrap)
	}
	numbers := search(operator)
	for range 2 {
		var got []int
		var last error
		for n, err := range numbers {
			got, last = append(got, n), err
		}
		assert.Equal(t, []int{1, 0}, got, "an error ends the sequence")
		assert.EqualError(t, last, "search: failed")
	}
	assert.Equal(t, 2, asked)
	for range search(flussi.Actor{ID: "g.bianchi"}) {
		assert.Fail(t, "an actor without scopes finds nothing")
	}
	for _, err := range search(operator, "scuola") {
		assert.EqualError(t, err, "search: "+flussi.ErrForbidden.Error())
	}
}

func TestASearchKeepsTheScopesThatItBeganWith(t *testing.T) {
	used := []string{"anagrafe", "tributi"} // by an authorizer that answers from it again and again
	shared := func(context.Context, flussi.Actor) ([]string, error) { return used, nil }
	wanted := []string{"tributi"}
	for name, filter := range map[string][]string{"all of the actor's": nil, "the filter's": wanted} {
		before := slices.Clone(filter)
		if before == nil {
			before = slices.Clone(used)
		}
		scopes, _, err := core.Narrow(t.Context(), shared, operator, filter, nil, flussi.Page{})
		assert.NoError(t, err)
		used[0], used[1], wanted[0] = "scuola", "scuola", "scuola"
		assert.Equal(t, before, scopes, name)
		used[0], used[1], wanted[0] = "anagrafe", "tributi", "tributi"
	}
}

func TestPagesStopAtAnError(t *testing.T) {
	broken := errors.New("disk full")
	calls, seen := 0, 0
	pages := core.Pages(t.Context(), 2, func(context.Context, flussi.Page) ([]entity, error) {
		if calls++; calls == 3 {
			return nil, broken
		}
		return make([]entity, 2), nil
	})
	var last error
	for _, last = range core.Each(pages) {
		seen++
	}
	assert.Equal(t, broken, last)
	assert.Equal(t, 2*2+1, seen)
	assert.Equal(t, 3, calls)
}

func TestTriesEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conflict := fmt.Errorf("flow: %w", flussi.ErrConflict)
		var tries core.Tries
		start := time.Now()
		for range 100 {
			assert.NoError(t, tries.Again(t.Context(), conflict))
		}
		assert.Equal(t, conflict, tries.Again(t.Context(), conflict))
		assert.Less(t, time.Since(start), 100*21*time.Millisecond)
		assert.NotZero(t, time.Since(start))
		other := errors.New("disk full")
		tries = core.Tries{}
		assert.Equal(t, other, tries.Again(t.Context(), other))
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		assert.ErrorIs(t, tries.Again(ended, conflict), context.Canceled)
	})
}

func TestFailureKeepsARefusal(t *testing.T) {
	id, other := uuid.New(), uuid.New()
	reasons := []core.Reason{{Err: flussi.ErrNotFound, Italian: "Non c'è."}}
	wrap := func(err error) *flussi.Error {
		var e *flussi.Error
		errors.As(core.Failure(flussi.Error{Package: "p", Operation: "o", Entity: "flow", ID: id, Err: err}, reasons...), &e)
		return e
	}
	assert.NoError(t, core.Failure(flussi.Error{Package: "p", Operation: "o"}))
	assert.Equal(t, &flussi.Error{Package: "p", Operation: "o", Entity: "flow", ID: id, Err: flussi.ErrNotFound, Reason: "Non c'è."}, wrap(flussi.ErrNotFound))
	refusal := &flussi.Error{Package: "q", Operation: "r", Err: flussi.ErrState, Reason: "Non ora."}
	assert.Equal(t, &flussi.Error{Package: "p", Operation: "o", Entity: "flow", ID: id, Err: flussi.ErrState, Reason: "Non ora."}, wrap(refusal))
	refusal.Entity, refusal.ID = "notification", other
	assert.Equal(t, &flussi.Error{Package: "p", Operation: "o", Entity: "notification", ID: other, Err: flussi.ErrState, Reason: "Non ora."}, wrap(refusal))
	step := &fsm.TransitionError{Err: flussi.ErrNotFound}
	assert.Empty(t, wrap(step).Reason, "the machine's own text")
	bare := core.Failure(flussi.Error{Package: "p", Operation: "o", Entity: "flow", Err: flussi.ErrNotFound})
	assert.Equal(t, &flussi.Error{Package: "p", Operation: "o", Err: flussi.ErrNotFound}, bare, "no entity without an ID")
}

func TestTextsAreChecked(t *testing.T) {
	name := core.TextRule{Field: "Name", Name: "il nome", Max: 5, Required: true, OneLine: true}
	body := core.TextRule{Field: "Body", Name: "l'oggetto", Min: 3, Max: 5}
	for _, test := range []struct {
		rule core.TextRule
		text string
		err  error
		want string
	}{
		{name, "abcde", nil, ""},
		{name, "", flussi.ErrEmpty, "Manca il nome."},
		{name, " \t", flussi.ErrEmpty, "Manca il nome."},
		{name, "abcdef", flussi.ErrLength, "Il nome ha 6 caratteri: possono essere al massimo 5."},
		{name, "😀😀😀", flussi.ErrLength, "Il nome ha 6 caratteri: possono essere al massimo 5."},
		{name, "a\nb", flussi.ErrCharacter, "Il nome contiene caratteri non validi."},
		{name, "a\x7f", flussi.ErrCharacter, "Il nome contiene caratteri non validi."},
		{body, "a\nb", nil, ""},
		{body, "a\x00b", flussi.ErrCharacter, "L'oggetto contiene caratteri non validi."},
		{body, "ab\xe0", flussi.ErrCharacter, "L'oggetto contiene caratteri non validi."},
		{body, "a", flussi.ErrLength, "L'oggetto ha 1 carattere: devono essere da 3 a 5."},
		{body, "abcdef", flussi.ErrLength, "L'oggetto ha 6 caratteri: devono essere da 3 a 5."},
		{core.TextRule{Field: "Any", Name: "il testo"}, strings.Repeat("x", 100_000), nil, ""},
	} {
		var e core.Invalid
		e.Text(test.rule, test.text)
		err := e.OrNil()
		if test.err == nil {
			assert.NoError(t, err, "%q", test.text)
			continue
		}
		var invalid *flussi.InvalidError
		assert.ErrorAs(t, err, &invalid)
		assert.Equal(t, []*flussi.ValueError{{Type: test.rule.Field, Err: test.err, Reason: test.want}}, invalid.Fields)
	}
}

func TestIncludeAddsTheFieldsOfErrors(t *testing.T) {
	var e core.Invalid
	e.Include(nil)
	assert.NoError(t, e.OrNil())
	one := &flussi.ValueError{Type: "Limit", Err: flussi.ErrRange}
	e.Include(one)
	e.Include(&flussi.InvalidError{Fields: []*flussi.ValueError{one, one}})
	assert.Len(t, e.Fields, 3)
}

func TestMatchesOfFilters(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		from, to time.Time
		want     bool
	}{
		{want: true}, {from: noon, want: true}, {from: noon.Add(1)}, {to: noon}, {to: noon.Add(1), want: true},
		{from: noon, to: noon.Add(1), want: true}, {from: noon, to: noon},
	} {
		assert.Equal(t, test.want, core.Within(test.from, test.to, noon), "%+v", test)
	}
	assert.True(t, core.Among(nil, "a"))
	assert.True(t, core.Among([]string{"b", "a"}, "a"))
	assert.False(t, core.Among([]string{""}, "a"))
	assert.True(t, core.Same("", "a"))
	assert.False(t, core.Same("a", "A"))
	assert.True(t, core.Contains("Perché È ora", "PERCHÉ è"))
	assert.False(t, core.Contains("", "a"))
}
