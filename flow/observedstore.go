package flow

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
)

// observed returns a store that reports its calls to the observer, or the store itself if StoreCalled
// is not set. The result is a [SaveAndClaimer] if the store is one. It has no other optional
// interface of the store.
func observed(store Store, o *Observer) Store {
	if o.StoreCalled == nil {
		return store
	}
	s := &observedStore{store, o}
	if combined, can := core.Own[Store, SaveAndClaimer](store); can {
		return &observedSaveAndClaimer{s, combined}
	}
	return s
}

// observedStore reports each call.
type observedStore struct {
	store    Store
	observer *Observer
}

// observedSaveAndClaimer is an observedStore whose store is a [SaveAndClaimer].
type observedSaveAndClaimer struct {
	*observedStore
	combined SaveAndClaimer
}

// report reports a call that began at a time. It is deferred, so it reads the error by a pointer.
func (s *observedStore) report(ctx context.Context, method string, start time.Time, err *error) {
	s.observer.StoreCalled(ctx, StoreCall{Method: method, Result: storeResult(*err), Took: time.Since(start)})
}

// storeResult returns the class of an error of a store.
func storeResult(err error) StoreResult {
	var sent *AlreadySentError
	switch {
	case err == nil:
		return StoreOK
	case errors.As(err, &sent):
		return StoreAlreadySent
	case errors.Is(err, flussi.ErrNotFound):
		return StoreNotFound
	case errors.Is(err, flussi.ErrConflict):
		return StoreConflict
	case errors.Is(err, flussi.ErrCommitUnknown):
		return StoreCommitUnknown
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return StoreCanceled
	case errors.Is(err, flussi.ErrStoreUnavailable):
		return StoreUnavailable
	}
	return StoreFailed
}

func (s *observedStore) Flow(ctx context.Context, id uuid.UUID) (f Flow, err error) {
	defer s.report(ctx, "Flow", time.Now(), &err)
	return s.store.Flow(ctx, id)
}

func (s *observedStore) Flows(ctx context.Context, filter FlowFilter, page Page) (found []Flow, err error) {
	defer s.report(ctx, "Flows", time.Now(), &err)
	return s.store.Flows(ctx, filter, page)
}

func (s *observedStore) FlowHistory(ctx context.Context, id uuid.UUID) (records []FlowRecord, err error) {
	defer s.report(ctx, "FlowHistory", time.Now(), &err)
	return s.store.FlowHistory(ctx, id)
}

func (s *observedStore) SaveFlow(
	ctx context.Context, change FlowChange, notifications iter.Seq2[NotificationChange, error],
) (err error) {
	defer s.report(ctx, "SaveFlow", time.Now(), &err)
	return s.store.SaveFlow(ctx, change, notifications)
}

func (s *observedStore) SaveImport(ctx context.Context, i ImportRequest) (done ImportResult, before bool, err error) {
	defer s.report(ctx, "SaveImport", time.Now(), &err)
	return s.store.SaveImport(ctx, i)
}

func (s *observedStore) ImportResult(ctx context.Context, key ImportKey) (done ImportResult, err error) {
	defer s.report(ctx, "ImportResult", time.Now(), &err)
	return s.store.ImportResult(ctx, key)
}

func (s *observedStore) Notification(ctx context.Context, id uuid.UUID) (n Notification, err error) {
	defer s.report(ctx, "Notification", time.Now(), &err)
	return s.store.Notification(ctx, id)
}

func (s *observedStore) Notifications(
	ctx context.Context, filter NotificationFilter, page Page,
) (found []Notification, err error) {
	defer s.report(ctx, "Notifications", time.Now(), &err)
	return s.store.Notifications(ctx, filter, page)
}

func (s *observedStore) NotificationHistory(ctx context.Context, id uuid.UUID) (records []NotificationRecord, err error) {
	defer s.report(ctx, "NotificationHistory", time.Now(), &err)
	return s.store.NotificationHistory(ctx, id)
}

func (s *observedStore) SaveNotifications(ctx context.Context, changes ...NotificationChange) (err error) {
	defer s.report(ctx, "SaveNotifications", time.Now(), &err)
	return s.store.SaveNotifications(ctx, changes...)
}

func (s *observedStore) Claim(ctx context.Context, claim Claim) (f Flow, claimed []Notification, err error) {
	defer s.report(ctx, "Claim", time.Now(), &err)
	return s.store.Claim(ctx, claim)
}

func (s *observedStore) Expired(ctx context.Context, limit int) (found []Notification, err error) {
	defer s.report(ctx, "Expired", time.Now(), &err)
	return s.store.Expired(ctx, limit)
}

// Self returns the observed store, so that its SaveAndClaim is used.
func (s *observedSaveAndClaimer) Self() Store { return s }

func (s *observedSaveAndClaimer) SaveAndClaim(
	ctx context.Context, changes []NotificationChange, claim Claim,
) (f Flow, claimed []Notification, err error) {
	defer s.report(ctx, "SaveAndClaim", time.Now(), &err)
	return s.combined.SaveAndClaim(ctx, changes, claim)
}
