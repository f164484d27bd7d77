package flowtest

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/storetest"
)

var importFailureRules = []rule{
	{"an import that is not stored leaves no key", failedImportsLeaveNoKey},
}

// failing is an import that cannot be stored.
type failing struct {
	why  string
	want error
	i    flow.ImportRequest
	ctx  context.Context
}

// failures returns imports that cannot be stored, all with one key.
func (p *probe) failures(key flow.ImportKey) []failing {
	there, f := p.saveFlow(p.newFlow()), p.newFlow()
	old := p.saveFlow(p.newFlow())
	p.saveFlow(old)
	stored, sent := p.save(p.newNotification(uuid.Nil)), p.newNotification(uuid.Nil)
	sent.State = flow.NotificationSent
	sent = p.save(sent)
	cut := errors.New("row 3 cannot be read")
	ended, cancel := context.WithCancel(p.Ctx)
	cancel()
	ending, cancel := context.WithCancel(p.Ctx)
	of := func(f flow.Flow, spoil func(n *flow.Notification)) flow.ImportRequest {
		rows := p.newNotifications(f.ID, 5)
		spoil(&rows[2])
		i := p.importOf(key, f, rows...)
		i.OnDuplicate = acceptDuplicates
		return i
	}
	fine := func(*flow.Notification) {}
	breaking := func(count int) flow.ImportRequest {
		i := of(f, fine)
		i.Key = func() flow.ImportKey {
			p.Note("the key of an import whose rows fail was asked for")
			return key
		}
		i.Rows = func(yield func(flow.NotificationChange, error) bool) {
			for range count {
				if !yield(notificationChange(p.newNotification(f.ID)), nil) {
					return
				}
			}
			yield(flow.NotificationChange{}, cut)
		}
		return i
	}
	late := of(f, fine)
	late.Rows = func(yield func(flow.NotificationChange, error) bool) {
		for i := range 300 {
			if i == 200 {
				cancel()
			}
			if !yield(notificationChange(p.newNotification(f.ID)), nil) {
				return
			}
		}
	}
	stale, missing, again := old, f, there
	missing.Version, again.Version = 1, 0
	twice := p.newNotification(f.ID)
	sentTwice := of(f, fine)
	sentTwice.Rows = rowSequence(p.newNotification(f.ID), sending(twice), sending(p.twin(twice, f.ID)))
	return []failing{
		{"whose rows fail at once", cut, breaking(0), p.Ctx},
		{"whose rows fail after 300", cut, breaking(300), p.Ctx},
		{"whose context has ended", context.Canceled, of(f, fine), ended},
		{"whose context ends while its rows are pulled", context.Canceled, late, ending},
		{"with a row whose ID is there", flussi.ErrConflict, of(f, func(n *flow.Notification) { n.ID = stored.ID }), p.Ctx},
		{"with a row that is not new, and not there", flussi.ErrConflict, of(there, func(n *flow.Notification) { n.Version = 1 }), p.Ctx},
		{"of a flow that has changed since", flussi.ErrConflict, of(stale, fine), p.Ctx},
		{"of a flow that is not new, and not there", flussi.ErrConflict, of(missing, fine), p.Ctx},
		{"of a new flow that is there", flussi.ErrConflict, of(again, fine), p.Ctx},
		{"with a row In invio whose message was sent already", flussi.ErrDuplicate, of(there, func(n *flow.Notification) {
			n.State, n.Draft = flow.NotificationSending, sent.Draft
		}), p.Ctx},
		{"with two rows In invio that have one message", flussi.ErrDuplicate, sentTwice, p.Ctx},
		{"with a row whose service looks like another one", flow.ErrSimilarService, of(f, func(n *flow.Notification) { n.Service = "Tributi" }), p.Ctx},
	}
}

func failedImportsLeaveNoKey(p *probe) {
	key := p.newKey()
	for _, c := range p.failures(key) {
		what := "SaveImport " + c.why
		before := p.Snapshot()
		_, found, err := p.store.SaveImport(c.ctx, c.i)
		p.Wants(c.want, err, what)
		var refused *flow.AlreadySentError
		if c.want == flussi.ErrDuplicate && !errors.As(err, &refused) {
			p.Fail("%s: want an *AlreadySentError, got %w", what, storetest.OrNone(err))
		}
		if found {
			p.Fail("%s: it is said to be there before", what)
		}
		p.Unchanged(before, what)
		p.isNotImported("after a "+what, key)
	}
	f := p.newFlow()
	p.imports("with a key with which others failed", p.importOf(key, f, p.newNotification(f.ID)))
}
