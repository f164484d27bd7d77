package pagoinretetest_test

import (
	"context"
	"iter"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/internal/brokenstore"
	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/pagoinretetest"
)

type (
	breaker      = brokenstore.Breaker[pagoinrete.Store]
	methods      = storetest.Store[pagoinrete.Event, pagoinrete.Notice]
	eventChange  = storetest.Change[pagoinrete.Event]
	noticeChange = storetest.Change[pagoinrete.Notice]
	sequence     = iter.Seq2[noticeChange, error]
)

// view is a store whose methods are others.
type view struct{ methods methods }

// viewed makes a store of which some methods are broken.
var viewed brokenstore.Views[pagoinrete.Store, pagoinrete.Event, pagoinrete.Notice] = func(
	broken func(methods) methods,
) func(pagoinrete.Store) pagoinrete.Store {
	return func(s pagoinrete.Store) pagoinrete.Store { return view{broken(pagoinretetest.Methods(s))} }
}

func (v view) Event(ctx context.Context, id uuid.UUID) (pagoinrete.Event, error) {
	return v.methods.Parents.Get(ctx, id)
}

func (v view) Events(
	ctx context.Context, filter pagoinrete.EventFilter, page pagoinrete.Page,
) ([]pagoinrete.Event, error) {
	return v.methods.Parents.List(ctx, filter, page)
}

func (v view) EventHistory(ctx context.Context, id uuid.UUID) ([]pagoinrete.EventRecord, error) {
	records, err := v.methods.Parents.History(ctx, id)
	return storetest.As[[]pagoinrete.EventRecord](records), err
}

func (v view) SaveEvent(
	ctx context.Context, change pagoinrete.EventChange, notices iter.Seq2[pagoinrete.NoticeChange, error],
) error {
	rows := storetest.SequenceAs(notices, storetest.As[noticeChange, pagoinrete.NoticeChange])
	return v.methods.SaveParent(ctx, storetest.As[eventChange](change), rows)
}

func (v view) Notice(ctx context.Context, id uuid.UUID) (pagoinrete.Notice, error) {
	return v.methods.Children.Get(ctx, id)
}

func (v view) Notices(
	ctx context.Context, filter pagoinrete.NoticeFilter, page pagoinrete.Page,
) ([]pagoinrete.Notice, error) {
	return v.methods.Children.List(ctx, filter, page)
}

func (v view) NoticeHistory(ctx context.Context, id uuid.UUID) ([]pagoinrete.NoticeRecord, error) {
	records, err := v.methods.Children.History(ctx, id)
	return storetest.As[[]pagoinrete.NoticeRecord](records), err
}

func (v view) SaveNotices(ctx context.Context, changes ...pagoinrete.NoticeChange) error {
	return v.methods.SaveChildren(ctx, storetest.As[[]noticeChange](changes)...)
}

// readEventsWith makes a store that changes what it returns of events, by the notices that a
// filter finds.
func readEventsWith(
	filter func(pagoinrete.Event) pagoinrete.NoticeFilter, change func(*pagoinrete.Event, []pagoinrete.Notice),
) func(pagoinrete.Store) pagoinrete.Store {
	return viewed(func(s methods) methods {
		s.Parents = brokenstore.Reads(func(e *pagoinrete.Event) {
			all, _ := s.Children.List(context.Background(), filter(*e), pagoinrete.Page{})
			change(e, all)
		})(s.Parents)
		return s
	})
}

// ofEvent finds all notices of an event.
func ofEvent(e pagoinrete.Event) pagoinrete.NoticeFilter { return pagoinrete.NoticeFilter{Event: e.ID} }

// searched makes a store that finds texts in its own way.
func searched(match func(e pagoinrete.Event, wanted string) bool) func(pagoinrete.Store) pagoinrete.Store {
	return viewed.Parents(brokenstore.Searches(func(q *pagoinrete.EventFilter) func(pagoinrete.Event) bool {
		wanted := q.Text
		if q.Text = ""; wanted == "" {
			return nil
		}
		return func(e pagoinrete.Event) bool { return match(e, wanted) }
	}))
}

// inEither finds a text in the name or in the causale.
func inEither(match func(stored, wanted string) bool) func(pagoinrete.Event, string) bool {
	return func(e pagoinrete.Event, wanted string) bool { return match(e.Name, wanted) || match(e.Causale, wanted) }
}

// altered is a store some of whose methods are others whose lists a view would copy. Those that
// are nil are the store's own.
type altered struct {
	pagoinrete.Store
	noticeHistory func(context.Context, uuid.UUID) ([]pagoinrete.NoticeRecord, error)
	saveNotices   func(context.Context, ...pagoinrete.NoticeChange) error
}

func (a altered) NoticeHistory(ctx context.Context, id uuid.UUID) ([]pagoinrete.NoticeRecord, error) {
	if a.noticeHistory != nil {
		return a.noticeHistory(ctx, id)
	}
	return a.Store.NoticeHistory(ctx, id)
}

func (a altered) SaveNotices(ctx context.Context, changes ...pagoinrete.NoticeChange) error {
	if a.saveNotices != nil {
		return a.saveNotices(ctx, changes...)
	}
	return a.Store.SaveNotices(ctx, changes...)
}
