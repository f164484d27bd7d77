package pagoinrete_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"testing/synctest"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
)

// faultyStore is a store of which one access goes wrong.
type faultyStore struct {
	pagoinrete.Store
	at, accesses int
	wrong        func(write bool) error // what goes wrong; nil: nothing, or something else
}

var errStore = errors.New("the store is gone")

func (s *faultyStore) access(write bool, do func() error) error {
	if s.accesses++; s.accesses == s.at {
		if err := s.wrong(write); err != nil {
			return err
		}
	}
	return do()
}

func (s *faultyStore) Event(ctx context.Context, id uuid.UUID) (e pagoinrete.Event, err error) {
	err = s.access(false, func() error { e, err = s.Store.Event(ctx, id); return err })
	return e, err
}

func (s *faultyStore) Notice(ctx context.Context, id uuid.UUID) (n pagoinrete.Notice, err error) {
	err = s.access(false, func() error { n, err = s.Store.Notice(ctx, id); return err })
	return n, err
}

func (s *faultyStore) Notices(ctx context.Context, filter pagoinrete.NoticeFilter, page pagoinrete.Page) (all []pagoinrete.Notice, err error) {
	err = s.access(false, func() error { all, err = s.Store.Notices(ctx, filter, page); return err })
	return all, err
}

func (s *faultyStore) Events(ctx context.Context, filter pagoinrete.EventFilter, page pagoinrete.Page) (all []pagoinrete.Event, err error) {
	err = s.access(false, func() error { all, err = s.Store.Events(ctx, filter, page); return err })
	return all, err
}

func (s *faultyStore) EventHistory(ctx context.Context, id uuid.UUID) (all []pagoinrete.EventRecord, err error) {
	err = s.access(false, func() error { all, err = s.Store.EventHistory(ctx, id); return err })
	return all, err
}

func (s *faultyStore) NoticeHistory(ctx context.Context, id uuid.UUID) (all []pagoinrete.NoticeRecord, err error) {
	err = s.access(false, func() error { all, err = s.Store.NoticeHistory(ctx, id); return err })
	return all, err
}

func (s *faultyStore) SaveEvent(ctx context.Context, change pagoinrete.EventChange, notices iter.Seq2[pagoinrete.NoticeChange, error]) error {
	return s.access(true, func() error { return s.Store.SaveEvent(ctx, change, notices) })
}

func (s *faultyStore) SaveNotices(ctx context.Context, changes ...pagoinrete.NoticeChange) error {
	return s.access(true, func() error { return s.Store.SaveNotices(ctx, changes...) })
}

// Whatever goes wrong in the store, and wherever: an error means that the same call made again
// does what it should, nothing is in Pago In Rete twice, and what is there is what is here.
func TestEveryCallCanBeMadeAgainWhereTheStoreFails(t *testing.T) {
	for name, c := range calls() {
		for _, kind := range []string{"fails", "has a conflict", "meets the end of the context"} {
			t.Run(fmt.Sprint(name, " ", kind), func(t *testing.T) {
				for at, more := 1, true; more; at++ {
					synctest.Test(t, func(t *testing.T) {
						w := newWorld(t)
						s := sceneOf(t, w)
						ctx, end := context.WithCancel(t.Context())
						defer end()
						store := &faultyStore{Store: w.store, at: at, wrong: func(write bool) error {
							switch {
							case kind == "fails":
								return errStore
							case kind != "has a conflict":
								end()
							case write:
								return flussi.ErrConflict
							}
							return nil
						}}
						p := newService(t, store, w.gateway)
						by := or(c.by, principal)
						_, err := c.do(setting{ctx, p, s, by})
						if more = store.accesses >= at; err == nil {
							return
						}
						assert.NotEmpty(t, flussi.Explain(err))
						if e, _ := w.Event(t.Context(), principal, s.approved.ID); name != "NotifyEvent" || e.State != pagoinrete.EventNotified { // which says so
							_, again := c.do(setting{t.Context(), w.Service, s, by})
							assert.NoError(t, again, "access %d, after %v", at, err)
						}
						for _, e := range w.platform.Events() {
							assert.Equal(t, 1, e.Created)
						}
						for _, there := range w.platform.Notices() {
							assert.Equal(t, 1, there.Created)
							n := must.Get(w.store.Notice(t.Context(), there.ID))(t)
							assert.Equal(t, n.Due(), there.Due)
						}
					})
				}
			})
		}
	}
}
