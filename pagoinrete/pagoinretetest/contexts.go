package pagoinretetest

import (
	"context"
	"time"

	"github.com/flussi-go/flussi/pagoinrete"
)

var contextRules = []rule{
	{"a context that has ended is refused, and nothing changes", endedContextsAreRefused},
	{"a context that ends in the sequence undoes everything", contextsEndTheSequence},
}

func endedContextsAreRefused(p *probe) {
	e := p.newEvent()
	n := p.newNotice(e)
	e = p.saveEvent(e, n)
	n.Version++
	cancelled, cancel := context.WithCancel(p.Ctx)
	cancel()
	late, cancel := context.WithDeadline(p.Ctx, time.Now().Add(-time.Second))
	defer cancel()

	for _, ctx := range []context.Context{cancelled, late} {
		for _, method := range []struct {
			name string
			call func() error
		}{
			{"Event", func() error { _, err := p.store.Event(ctx, e.ID); return err }},
			{"Events", func() error {
				_, err := p.store.Events(ctx, pagoinrete.EventFilter{}, pagoinrete.Page{Limit: 1})
				return err
			}},
			{"EventHistory", func() error { _, err := p.store.EventHistory(ctx, e.ID); return err }},
			{"SaveEvent of a new event", func() error { return p.store.SaveEvent(ctx, eventChange(p.newEvent()), nil) }},
			{"SaveEvent with a notice", func() error { return p.store.SaveEvent(ctx, eventChange(e), sequence(n)) }},
			{"Notice", func() error { _, err := p.store.Notice(ctx, n.ID); return err }},
			{"Notices", func() error {
				_, err := p.store.Notices(ctx, pagoinrete.NoticeFilter{}, pagoinrete.Page{Limit: 1})
				return err
			}},
			{"NoticeHistory", func() error { _, err := p.store.NoticeHistory(ctx, n.ID); return err }},
			{"SaveNotices of a new one", func() error { return p.store.SaveNotices(ctx, noticeChange(p.newNotice(e))) }},
			{"SaveNotices", func() error { return p.store.SaveNotices(ctx, noticeChange(n)) }},
		} {
			before := p.state()
			p.Wants(ctx.Err(), method.call(), method.name+" with a context that has ended")
			p.unchanged(before, method.name+" with a context that has ended")
		}
	}
}

func contextsEndTheSequence(p *probe) {
	stored := p.newEvent()
	stored = p.saveEvent(stored, p.newNotice(stored))
	for _, e := range []pagoinrete.Event{stored, p.newEvent()} {
		ctx, cancel := context.WithCancel(p.Ctx)
		defer cancel()
		e.State = pagoinrete.EventToApprove
		before := p.state()
		err := p.store.SaveEvent(ctx, eventChange(e), func(yield func(pagoinrete.NoticeChange, error) bool) {
			for i := range 300 {
				if i == 200 {
					cancel()
				}
				if !yield(noticeChange(p.newNotice(e)), nil) {
					return
				}
			}
		})
		p.Wants(context.Canceled, err, "SaveEvent with a context that ends in the sequence")
		p.unchanged(before, "SaveEvent with a context that ends in the sequence")
	}
}
