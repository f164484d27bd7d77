package core

import (
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// Access returns the scopes of an actor, in any order: the method of an Authorizer.
type Access func(ctx context.Context, by flussi.Actor) ([]string, error)

// Scopes returns the scopes of an actor, sorted, each once. The slice is the caller's, since an
// authorizer may use its own again. Scopes refuses an actor without an ID, and returns the error of
// a context that ended.
func (a Access) Scopes(ctx context.Context, by flussi.Actor) ([]string, error) {
	scopes, err := a.listed(ctx, by)
	if err != nil {
		return nil, err
	}
	scopes = slices.Clone(scopes)
	slices.Sort(scopes)
	return slices.Compact(scopes), nil
}

// listed returns the scopes of an actor as the authorizer lists them.
func (a Access) listed(ctx context.Context, by flussi.Actor) ([]string, error) {
	if err := by.Check(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return a(ctx, by)
}

// Admit returns [flussi.ErrForbidden] if the actor does not have the scope.
func (a Access) Admit(ctx context.Context, by flussi.Actor, scope string) error {
	scopes, err := a.listed(ctx, by)
	if err == nil && !slices.Contains(scopes, scope) {
		err = flussi.ErrForbidden
	}
	return err
}

// Read returns an entity that the actor may read. An entity that does not exist and one of another
// scope have the same error, [flussi.ErrNotFound] itself.
func Read[T any](ctx context.Context, a Access, by flussi.Actor, id uuid.UUID,
	get func(context.Context, uuid.UUID) (T, error), scope func(T) string) (T, error) {
	var none T
	scopes, err := a.listed(ctx, by)
	if err != nil {
		return none, err
	}
	entity, err := get(ctx, id)
	if err != nil {
		return none, NotFound(err)
	}
	if !slices.Contains(scopes, scope(entity)) {
		return none, flussi.ErrNotFound
	}
	return entity, nil
}

// History returns the records of an entity that the actor may read. Read is a method of the service
// that refuses the others.
func History[T, R any](ctx context.Context, by flussi.Actor, id uuid.UUID,
	read func(context.Context, flussi.Actor, uuid.UUID) (T, error),
	list func(context.Context, uuid.UUID) ([]R, error)) ([]R, error) {
	if _, err := read(ctx, by, id); err != nil {
		return nil, err
	}
	return list(ctx, id)
}

// NotFound replaces an error of the store that is a [flussi.ErrNotFound] by that error itself, so
// that it does not differ from the refusal of an entity of another scope.
func NotFound(err error) error {
	if errors.Is(err, flussi.ErrNotFound) {
		return flussi.ErrNotFound
	}
	return err
}
