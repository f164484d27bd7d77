package pagoinretetest_test

import (
	"context"
	"errors"
	"iter"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/pagoinrete"
)

// altered is a store some of whose methods are others. Those that are nil are the
// store's own.
type altered struct {
	pagoinrete.Store
	event         func(context.Context, uuid.UUID) (pagoinrete.Event, error)
	events        func(context.Context, pagoinrete.EventFilter, pagoinrete.Page) ([]pagoinrete.Event, error)
	eventHistory  func(context.Context, uuid.UUID) ([]pagoinrete.EventRecord, error)
	saveEvent     func(context.Context, pagoinrete.EventChange, sequence) error
	notice        func(context.Context, uuid.UUID) (pagoinrete.Notice, error)
	notices       func(context.Context, pagoinrete.NoticeFilter, pagoinrete.Page) ([]pagoinrete.Notice, error)
	noticeHistory func(context.Context, uuid.UUID) ([]pagoinrete.NoticeRecord, error)
	saveNotices   func(context.Context, ...pagoinrete.NoticeChange) error
}

type sequence = iter.Seq2[pagoinrete.NoticeChange, error]

func (a altered) Event(ctx context.Context, id uuid.UUID) (pagoinrete.Event, error) {
	if a.event != nil {
		return a.event(ctx, id)
	}
	return a.Store.Event(ctx, id)
}

func (a altered) Events(ctx context.Context, filter pagoinrete.EventFilter, page pagoinrete.Page) ([]pagoinrete.Event, error) {
	if a.events != nil {
		return a.events(ctx, filter, page)
	}
	return a.Store.Events(ctx, filter, page)
}

func (a altered) EventHistory(ctx context.Context, id uuid.UUID) ([]pagoinrete.EventRecord, error) {
	if a.eventHistory != nil {
		return a.eventHistory(ctx, id)
	}
	return a.Store.EventHistory(ctx, id)
}

func (a altered) SaveEvent(ctx context.Context, change pagoinrete.EventChange, notices iter.Seq2[pagoinrete.NoticeChange, error]) error {
	if a.saveEvent != nil {
		return a.saveEvent(ctx, change, notices)
	}
	return a.Store.SaveEvent(ctx, change, notices)
}

func (a altered) Notice(ctx context.Context, id uuid.UUID) (pagoinrete.Notice, error) {
	if a.notice != nil {
		return a.notice(ctx, id)
	}
	return a.Store.Notice(ctx, id)
}

func (a altered) Notices(ctx context.Context, filter pagoinrete.NoticeFilter, page pagoinrete.Page) ([]pagoinrete.Notice, error) {
	if a.notices != nil {
		return a.notices(ctx, filter, page)
	}
	return a.Store.Notices(ctx, filter, page)
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

// written makes a store that changes what it is given before it stores it.
func written(s pagoinrete.Store, onEvent func(*pagoinrete.EventChange), onNotice func(*pagoinrete.NoticeChange)) pagoinrete.Store {
	return altered{Store: s,
		saveEvent: func(ctx context.Context, change pagoinrete.EventChange, notices sequence) error {
			change.Event.Instalments = slices.Clone(change.Event.Instalments)
			onEvent(&change)
			if notices == nil {
				return s.SaveEvent(ctx, change, nil)
			}
			return s.SaveEvent(ctx, change, func(yield func(pagoinrete.NoticeChange, error) bool) {
				for n, err := range notices {
					onNotice(&n)
					if !yield(n, err) {
						return
					}
				}
			})
		},
		saveNotices: func(ctx context.Context, changes ...pagoinrete.NoticeChange) error {
			changes = slices.Clone(changes)
			for i := range changes {
				onNotice(&changes[i])
			}
			return s.SaveNotices(ctx, changes...)
		},
	}
}

// read makes a store that changes what it returns of entities.
func read(s pagoinrete.Store, onEvent func(*pagoinrete.Event), onNotice func(*pagoinrete.Notice)) pagoinrete.Store {
	return altered{Store: s,
		event: func(ctx context.Context, id uuid.UUID) (pagoinrete.Event, error) {
			e, err := s.Event(ctx, id)
			onEvent(&e)
			return e, err
		},
		events: func(ctx context.Context, filter pagoinrete.EventFilter, page pagoinrete.Page) ([]pagoinrete.Event, error) {
			es, err := s.Events(ctx, filter, page)
			for i := range es {
				onEvent(&es[i])
			}
			return es, err
		},
		notice: func(ctx context.Context, id uuid.UUID) (pagoinrete.Notice, error) {
			n, err := s.Notice(ctx, id)
			onNotice(&n)
			return n, err
		},
		notices: func(ctx context.Context, filter pagoinrete.NoticeFilter, page pagoinrete.Page) ([]pagoinrete.Notice, error) {
			ns, err := s.Notices(ctx, filter, page)
			for i := range ns {
				onNotice(&ns[i])
			}
			return ns, err
		},
	}
}

func noEventChange(*pagoinrete.EventChange)   {}
func noNoticeChange(*pagoinrete.NoticeChange) {}
func noEvent(*pagoinrete.Event)               {}
func noNotice(*pagoinrete.Notice)             {}

// asked makes a store that looks for something else than it is asked for.
func asked(s pagoinrete.Store, onEvents func(*pagoinrete.EventFilter), onNotices func(*pagoinrete.NoticeFilter)) pagoinrete.Store {
	return altered{Store: s,
		events: func(ctx context.Context, filter pagoinrete.EventFilter, page pagoinrete.Page) ([]pagoinrete.Event, error) {
			onEvents(&filter)
			return s.Events(ctx, filter, page)
		},
		notices: func(ctx context.Context, filter pagoinrete.NoticeFilter, page pagoinrete.Page) ([]pagoinrete.Notice, error) {
			onNotices(&filter)
			return s.Notices(ctx, filter, page)
		},
	}
}

func noEventFilter(*pagoinrete.EventFilter)   {}
func noNoticeFilter(*pagoinrete.NoticeFilter) {}

// currentEvent is the version that an event has; 0 if it is not there.
func currentEvent(s pagoinrete.Store, id uuid.UUID) int64 {
	e, _ := s.Event(context.Background(), id)
	return e.Version
}

func current(s pagoinrete.Store, id uuid.UUID) int64 {
	n, _ := s.Notice(context.Background(), id)
	return n.Version
}

// searched makes a store that finds texts in its own way, by looking at everything.
func searched(s pagoinrete.Store, match func(e pagoinrete.Event, wanted string) bool) pagoinrete.Store {
	return altered{Store: s, events: func(ctx context.Context, filter pagoinrete.EventFilter, page pagoinrete.Page) ([]pagoinrete.Event, error) {
		if filter.Text == "" {
			return s.Events(ctx, filter, page)
		}
		wanted := filter.Text
		filter.Text = ""
		all, err := s.Events(ctx, filter, pagoinrete.Page{After: page.After, OldestFirst: page.OldestFirst})
		all = slices.DeleteFunc(all, func(e pagoinrete.Event) bool { return !match(e, wanted) })
		return all[:min(len(all), page.Limit)], err
	}}
}

// inEither finds a text in the name or in the causale.
func inEither(match func(stored, wanted string) bool) func(pagoinrete.Event, string) bool {
	return func(e pagoinrete.Event, wanted string) bool { return match(e.Name, wanted) || match(e.Causale, wanted) }
}

// like matches as SQL's LIKE does, if nobody thinks of its wildcards.
func like(stored, wanted string) bool {
	pattern := regexp.QuoteMeta(strings.ToLower(wanted))
	pattern = strings.NewReplacer("%", ".*", "_", ".").Replace(pattern)
	return regexp.MustCompile("(?s)" + pattern).MatchString(strings.ToLower(stored))
}

// asciiLower is lower case to a database that knows English only.
func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// rowByRow stores an event, and then the notices one after the other.
func rowByRow(s pagoinrete.Store) pagoinrete.Store {
	return altered{Store: s, saveEvent: func(ctx context.Context, change pagoinrete.EventChange, notices sequence) error {
		if err := s.SaveEvent(ctx, change, nil); err != nil || notices == nil {
			return err
		}
		for n, err := range notices {
			if err == nil {
				err = s.SaveNotices(ctx, n)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}}
}

// lockingOneByOne makes a store that locks what it writes one after the other, and gives
// up when somebody else has what it waits for, as a database does that finds a deadlock.
func lockingOneByOne(s pagoinrete.Store) pagoinrete.Store {
	var mu sync.Mutex
	locked := map[uuid.UUID]bool{}
	lock := func(ids ...uuid.UUID) (func(), error) {
		var ours []uuid.UUID
		unlock := func() {
			mu.Lock()
			defer mu.Unlock()
			for _, id := range ours {
				delete(locked, id)
			}
		}
		for _, id := range ids {
			mu.Lock()
			taken := locked[id]
			if !taken {
				locked[id] = true
				ours = append(ours, id)
			}
			mu.Unlock()
			if taken {
				unlock()
				return nil, errors.New("deadlock detected")
			}
			time.Sleep(time.Microsecond)
		}
		return unlock, nil
	}
	return altered{Store: s,
		saveEvent: func(ctx context.Context, change pagoinrete.EventChange, notices sequence) error {
			unlock, err := lock(change.Event.ID)
			if err != nil {
				return err
			}
			defer unlock()
			return s.SaveEvent(ctx, change, notices)
		},
		saveNotices: func(ctx context.Context, changes ...pagoinrete.NoticeChange) error {
			var ids []uuid.UUID
			for _, c := range changes {
				ids = append(ids, c.Notice.ID)
			}
			unlock, err := lock(ids...)
			if err != nil {
				return err
			}
			defer unlock()
			return s.SaveNotices(ctx, changes...)
		},
	}
}
