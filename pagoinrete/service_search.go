package pagoinrete

import (
	"context"
	"iter"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
)

// EventPage is a part of a list of events.
type EventPage struct {
	Events []Event // the newest first, unless the page says otherwise
	Next   Cursor  // for the next page's After; zero: this is the last one
}

// NoticePage is a part of a list of notices.
type NoticePage struct {
	Notices []Notice // the newest first, unless the page says otherwise
	Next    Cursor   // for the next page's After; zero: this is the last one
}

// Event returns an event, with its Counts.
func (s *Service) Event(ctx context.Context, by flussi.Actor, id uuid.UUID) (Event, error) {
	e, err := s.event(ctx, by, id)
	return e, eventFailure("get event", id, err)
}

// Notice returns a notice.
func (s *Service) Notice(ctx context.Context, by flussi.Actor, id uuid.UUID) (Notice, error) {
	n, err := s.notice(ctx, by, id)
	return n, noticeFailure("get notice", id, err)
}

// Events returns a page of the events that match the filter, the newest first, each with its
// Counts. Without Schools in the filter it looks in all that the actor works for; with one
// that the actor does not work for the error is a [flussi.ErrForbidden]. What the filter's Check
// or the page's refuses is a [*flussi.InvalidError].
func (s *Service) Events(ctx context.Context, by flussi.Actor, filter EventFilter, page Page) (EventPage, error) {
	list := func(schools []string, page Page) ([]Event, error) {
		filter.Schools = schools
		return s.store.Events(ctx, filter, page)
	}
	events, next, err := core.List(ctx, s.access, by, filter.Schools, filter.Check(), page, list)
	return EventPage{events, next}, failure("list events", err)
}

// Notices returns a page of the notices that match the filter, the newest first, as
// [Service.Events] does. The guardians' area shows what is Visible and has its pupil as the Debtor,
// by the Family label of its state.
func (s *Service) Notices(ctx context.Context, by flussi.Actor, filter NoticeFilter, page Page) (NoticePage, error) {
	list := func(schools []string, page Page) ([]Notice, error) {
		filter.Schools = schools
		return s.store.Notices(ctx, filter, page)
	}
	notices, next, err := core.List(ctx, s.access, by, filter.Schools, filter.Check(), page, list)
	return NoticePage{notices, next}, failure("list notices", err)
}

// AllNotices returns all notices that match the filter, the oldest first, as an export needs
// them. An error ends the sequence. The actor is authorised once, at its beginning.
func (s *Service) AllNotices(ctx context.Context, by flussi.Actor, filter NoticeFilter) iter.Seq2[Notice, error] {
	list := func(schools []string) iter.Seq2[Notice, error] {
		filter := filter // the sequence may be pulled again
		filter.Schools = schools
		return s.all(ctx, filter)
	}
	fail := func(err error) error { return failure("list notices", err) }
	return core.All(ctx, s.access, by, filter.Schools, filter.Check(), list, fail)
}

// pages returns all notices that match a filter, the oldest first, in groups of at most
// [MaxNoticesPerCall].
func (s *Service) pages(ctx context.Context, filter NoticeFilter) iter.Seq2[[]Notice, error] {
	return core.Pages(ctx, MaxNoticesPerCall, func(ctx context.Context, page Page) ([]Notice, error) {
		return s.store.Notices(ctx, filter, page)
	})
}

// all returns all notices that match a filter, the oldest first.
func (s *Service) all(ctx context.Context, filter NoticeFilter) iter.Seq2[Notice, error] {
	return core.Each(s.pages(ctx, filter))
}

// EventHistory returns what was done to an event, in order.
func (s *Service) EventHistory(ctx context.Context, by flussi.Actor, id uuid.UUID) ([]EventRecord, error) {
	records, err := core.History(ctx, by, id, s.event, s.store.EventHistory)
	return records, eventFailure("get history of event", id, err)
}

// NoticeHistory returns what was done to a notice, in order.
func (s *Service) NoticeHistory(ctx context.Context, by flussi.Actor, id uuid.UUID) ([]NoticeRecord, error) {
	records, err := core.History(ctx, by, id, s.notice, s.store.NoticeHistory)
	return records, noticeFailure("get history of notice", id, err)
}
