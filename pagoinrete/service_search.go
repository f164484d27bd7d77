package pagoinrete

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
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
func (p *Service) Event(ctx context.Context, by flussi.Actor, id uuid.UUID) (Event, error) {
	e, err := p.event(ctx, by, id)
	return e, failure("get event", id, err)
}

// Notice returns a notice.
func (p *Service) Notice(ctx context.Context, by flussi.Actor, id uuid.UUID) (Notice, error) {
	n, _, err := p.notice(ctx, by, id)
	return n, failure("get notice", id, err)
}

// Events returns a page of the events that match the filter, the newest first, each with its
// Counts. Without Schools in the filter it looks in all that the actor works for; with one
// that the actor does not work for the error is an [flussi.ErrForbidden].
func (p *Service) Events(ctx context.Context, by flussi.Actor, filter EventFilter, page Page) (EventPage, error) {
	const op = "list events"
	schools, page, err := p.searched(ctx, by, filter.Schools, filter.Text, page)
	if err != nil || len(schools) == 0 {
		return EventPage{}, failure(op, uuid.Nil, err)
	}
	filter.Schools = schools
	more := page
	more.Limit++ // to know whether there is more
	found, err := p.store.Events(ctx, filter, more)
	if err != nil {
		return EventPage{}, failure(op, uuid.Nil, err)
	}
	result := EventPage{Events: found}
	if len(found) > page.Limit {
		result.Events = found[:page.Limit]
		result.Next = result.Events[page.Limit-1].Cursor()
	}
	return result, nil
}

// Notices returns a page of the notices that match the filter, the newest first, as
// [Service.Events] does. What a family sees in the guardians' area is what is Visible and
// has its pupil as the Debtor, by the Family label of its state.
func (p *Service) Notices(ctx context.Context, by flussi.Actor, filter NoticeFilter, page Page) (NoticePage, error) {
	const op = "list notices"
	schools, page, err := p.searched(ctx, by, filter.Schools, "", page)
	if err != nil || len(schools) == 0 {
		return NoticePage{}, failure(op, uuid.Nil, err)
	}
	filter.Schools = schools
	more := page
	more.Limit++
	found, err := p.store.Notices(ctx, filter, more)
	if err != nil {
		return NoticePage{}, failure(op, uuid.Nil, err)
	}
	result := NoticePage{Notices: found}
	if len(found) > page.Limit {
		result.Notices = found[:page.Limit]
		result.Next = result.Notices[page.Limit-1].Cursor()
	}
	return result, nil
}

// AllNotices returns all notices that match the filter, the oldest first, as an export needs
// them. An error ends the sequence. The actor is asked about once, at its beginning.
func (p *Service) AllNotices(ctx context.Context, by flussi.Actor, filter NoticeFilter) iter.Seq2[Notice, error] {
	return func(yield func(Notice, error) bool) {
		const op = "list notices"
		schools, _, err := p.searched(ctx, by, filter.Schools, "", Page{})
		if err != nil {
			yield(Notice{}, failure(op, uuid.Nil, err))
			return
		}
		if len(schools) == 0 {
			return
		}
		filter := filter
		filter.Schools = schools
		for n, err := range p.all(ctx, filter) {
			if !yield(n, failure(op, uuid.Nil, err)) || err != nil {
				return
			}
		}
	}
}

// EventHistory returns what was done to an event, in order.
func (p *Service) EventHistory(ctx context.Context, by flussi.Actor, id uuid.UUID) ([]EventRecord, error) {
	_, err := p.event(ctx, by, id)
	var records []EventRecord
	if err == nil {
		records, err = p.store.EventHistory(ctx, id)
	}
	return records, failure("get history of event", id, err)
}

// NoticeHistory returns what was done to a notice, in order.
func (p *Service) NoticeHistory(ctx context.Context, by flussi.Actor, id uuid.UUID) ([]NoticeRecord, error) {
	_, _, err := p.notice(ctx, by, id)
	var records []NoticeRecord
	if err == nil {
		records, err = p.store.NoticeHistory(ctx, id)
	}
	return records, failure("get history of notice", id, err)
}

// searched returns the schools to look in, none if there are none, and the page with its
// limit.
func (p *Service) searched(ctx context.Context, by flussi.Actor, wanted []string, text string, page Page) ([]string, Page, error) {
	schools, err := p.schools(ctx, by)
	if err != nil {
		return nil, page, err
	}
	for _, school := range wanted {
		if !slices.Contains(schools, school) {
			return nil, page, flussi.ErrForbidden
		}
	}
	if n := utf8.RuneCountInString(text); n > 0 && n < flussi.MinSearch {
		return nil, page, &flussi.ValueError{Type: "Text", Err: flussi.ErrLength,
			Reason: fmt.Sprintf("Il testo da cercare deve avere almeno %d caratteri.", flussi.MinSearch)}
	}
	if page, err = page.Check(); err != nil {
		return nil, page, err
	}
	if len(wanted) > 0 {
		return wanted, page, nil
	}
	return schools, page, nil
}

// pages returns all notices that match a filter, the oldest first, page by page.
func (p *Service) pages(ctx context.Context, filter NoticeFilter) iter.Seq2[[]Notice, error] {
	return func(yield func([]Notice, error) bool) {
		page := Page{Limit: MaxRemote, OldestFirst: true}
		for {
			found, err := p.store.Notices(ctx, filter, page)
			if err != nil {
				yield(nil, err)
				return
			}
			if len(found) > 0 && !yield(found, nil) || len(found) < page.Limit {
				return
			}
			page.After = found[len(found)-1].Cursor()
		}
	}
}

// all is the same one by one.
func (p *Service) all(ctx context.Context, filter NoticeFilter) iter.Seq2[Notice, error] {
	return func(yield func(Notice, error) bool) {
		for page, err := range p.pages(ctx, filter) {
			if err != nil {
				yield(Notice{}, err)
				return
			}
			for _, n := range page {
				if !yield(n, nil) {
					return
				}
			}
		}
	}
}
