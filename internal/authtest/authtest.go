// Package authtest checks that every method of a service asks who calls it.
package authtest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
)

// Names is what the arguments of a call name.
type Names int

// What a call names, and so what it is for an actor without the service or the school.
const (
	Entity Names = iota // an entity by its ID: not found, as one that does not exist
	Scope               // a service or a school: forbidden
	List                // neither: a list without what the actor may not see
)

// Call is a call of a method that succeeds in a new scene.
type Call[S any] struct {
	Names   Names          // what its arguments name
	By      flussi.Actor   // who makes it
	Refused []flussi.Actor // who have the service or the school, and not the role
	Changes bool           // what the store holds
	Remote  bool           // asks the platform
	// Do makes the call and returns what the method returned.
	Do func(ctx context.Context, on S, by flussi.Actor) (any, error)
}

// Scene is a service, and entities on which every call succeeds.
type Scene[S any] struct {
	On      S                               // the service and the entities
	Missing S                               // the same service, with IDs of entities that do not exist
	Failing func(authorizer, store error) S // the same scene, with an authorizer or a store that fails, if not nil
	Stored  func() any                      // all that the store holds
	Asked   func() any                      // how often the platform was asked
}

// Service is a service whose methods are checked.
type Service[S any] struct {
	Type      reflect.Type                // with the methods
	Calls     map[string]Call[S]          // by the name of the method
	New       func(t *testing.T) Scene[S] // makes a new scene
	Strangers []flussi.Actor              // who do not have the service or the school
	Secret    string                      // the service or the school, which no list of theirs has
	Forbidden string                      // the text for operators of an actor without it
}

// Run checks every method of the service, with actors who may not call it, contexts that ended, and
// an authorizer and a store that fail: each gets its error, sees nothing and changes nothing. It
// fails for a method without a call, so that none is forgotten.
func (s Service[S]) Run(t *testing.T) {
	for i := range s.Type.NumMethod() {
		assert.Contains(t, s.Calls, s.Type.Method(i).Name, "a method without a call")
	}
	assert.Len(t, s.Calls, s.Type.NumMethod(), "a call of a method that does not exist")
	for name, call := range s.Calls {
		t.Run(name, func(t *testing.T) {
			c := check[S]{s, call, s.New(t), nil, nil}
			c.before, c.asked = c.scene.Stored(), c.scene.Asked()
			t.Run("a stranger", c.strangers)
			t.Run("nobody", c.nobody)
			t.Run("without the role", c.roles)
			t.Run("a context that ended", c.ended)
			t.Run("an authorizer that fails", c.authorizer)
			t.Run("a store that fails", c.store)
			t.Run("who may", c.allowed)
		})
	}
}

// check is a call in its scene.
type check[S any] struct {
	Service[S]
	call          Call[S]
	scene         Scene[S]
	before, asked any
}

// unchanged fails if a call changed the store, or asked the platform.
func (c *check[S]) unchanged(t *testing.T) {
	t.Helper()
	assert.Equal(t, c.before, c.scene.Stored(), "something was changed")
	assert.Equal(t, c.asked, c.scene.Asked(), "the platform was asked")
}

// refused makes a call that must fail with an error of the service and show and change nothing.
func (c *check[S]) refused(t *testing.T, ctx context.Context, on S, by flussi.Actor, target error) *flussi.Error {
	t.Helper()
	got, err := c.call.Do(ctx, on, by)
	return c.failed(t, got, err, target)
}

// failed checks what a call returned that must fail.
func (c *check[S]) failed(t *testing.T, got any, err, target error) *flussi.Error {
	t.Helper()
	require.ErrorIs(t, err, target)
	assert.Empty(t, got, "something was shown")
	var typed *flussi.Error
	require.ErrorAs(t, err, &typed)
	assert.NotEmpty(t, flussi.Explain(err))
	assert.Equal(t, typed.ID != (&flussi.Error{}).ID, typed.Entity != "", "an ID has its entity, in %#v", typed)
	c.unchanged(t)
	return typed
}

var anyID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

func (c *check[S]) strangers(t *testing.T) {
	for _, by := range c.Strangers {
		switch c.call.Names {
		case List:
			got, err := c.call.Do(t.Context(), c.scene.On, by)
			assert.NoError(t, err)
			assert.NotContains(t, fmt.Sprintf("%+v", got), c.Secret)
			c.unchanged(t)
		case Scope:
			err := c.refused(t, t.Context(), c.scene.On, by, flussi.ErrForbidden)
			assert.NotErrorIs(t, err, flussi.ErrNotFound)
			assert.Equal(t, c.Forbidden, flussi.Explain(err))
		default:
			hidden := c.refused(t, t.Context(), c.scene.On, by, flussi.ErrNotFound)
			assert.NotErrorIs(t, hidden, flussi.ErrForbidden, "that it exists")
			assert.Contains(t, hidden.Error(), hidden.ID.String(), "which one it is about")
			for _, by := range []flussi.Actor{by, c.call.By} {
				missing := c.refused(t, t.Context(), c.scene.Missing, by, flussi.ErrNotFound)
				text := func(err error) string { return anyID.ReplaceAllString(err.Error(), "ID") }
				assert.Equal(t, text(missing), text(hidden), "it can be told from one that does not exist")
				assert.Equal(t, flussi.Explain(missing), flussi.Explain(hidden))
				assert.Equal(t, missing.Entity, hidden.Entity)
				assert.Equal(t, reflect.TypeOf(errors.Unwrap(missing)), reflect.TypeOf(errors.Unwrap(hidden)))
			}
		}
	}
}

func (c *check[S]) nobody(t *testing.T) {
	for _, by := range []flussi.Actor{{}, {Roles: c.call.By.Roles}} {
		for _, on := range []S{c.scene.On, c.scene.Missing} {
			err := c.refused(t, t.Context(), on, by, flussi.ErrEmpty)
			assert.Equal(t, "Manca l'utente che esegue l'operazione.", flussi.Explain(err))
		}
	}
}

func (c *check[S]) roles(t *testing.T) {
	for _, by := range c.call.Refused {
		_, err := c.call.Do(t.Context(), c.scene.On, by)
		assert.ErrorIs(t, err, fsm.ErrRole, "%v", by.Roles)
		var typed *flussi.Error
		assert.ErrorAs(t, err, &typed)
		assert.NotEmpty(t, flussi.Explain(err))
		c.unchanged(t)
	}
}

func (c *check[S]) ended(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	c.refused(t, cancelled, c.scene.On, c.call.By, context.Canceled)
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Hour))
	defer cancel()
	c.refused(t, late, c.scene.On, c.call.By, context.DeadlineExceeded)
}

func (c *check[S]) authorizer(t *testing.T) {
	down := errors.New("directory not available")
	c.refused(t, t.Context(), c.scene.Failing(down, nil), c.call.By, down)
}

func (c *check[S]) store(t *testing.T) {
	down := errors.New("database not available")
	got, err := c.call.Do(t.Context(), c.scene.Failing(nil, down), c.call.By)
	if err == nil {
		assert.Equal(t, List, c.call.Names, "it does without the store")
		c.unchanged(t)
		return
	}
	c.failed(t, got, err, down)
}

func (c *check[S]) allowed(t *testing.T) {
	got, err := c.call.Do(t.Context(), c.scene.On, c.call.By)
	require.NoError(t, err)
	assert.NotEmpty(t, got)
	assert.Equal(t, c.call.Changes, !assert.ObjectsAreEqual(c.before, c.scene.Stored()), "whether it changes something")
	assert.Equal(t, c.call.Remote, !assert.ObjectsAreEqual(c.asked, c.scene.Asked()), "whether it asks the platform")
}
