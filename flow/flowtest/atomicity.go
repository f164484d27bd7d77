package flowtest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/storetest"
)

var atomicityRules = []rule{
	{"notifications are stored together or not at all", notificationsGoTogether},
	{"a conflict in the sequence undoes everything", conflictsUndoEverything},
	{"an error in the sequence undoes everything, and is returned", errorsUndoEverything},
	{"the sequence of a flow that is in conflict is not pulled", conflictsPullNothing},
	{"the sequence is pulled once, to its end", sequencesArePulledOnce},
	{"a long sequence is stored whole", longSequencesAreStored},
	{"to store nothing is no error", nothingIsStored},
}

// conflicting is notifications one of which cannot be stored.
type conflicting struct {
	why string
	all []flow.Notification
}

// conflicting returns some, with the one that cannot be stored at a position.
func (p *probe) conflicting(of uuid.UUID, position int) []conflicting {
	var all []conflicting
	for _, c := range []struct {
		why   string
		spoil func(*flow.Notification)
	}{
		{"is there already", func(n *flow.Notification) { n.ID = p.save(p.newNotification(of)).ID }},
		{"is not there", func(n *flow.Notification) { n.Version = 1 }},
		{"has changed since", func(n *flow.Notification) { *n = p.save(p.newNotification(of)); p.save(*n) }},
	} {
		batch := p.newNotifications(of, 5)
		batch[1] = p.save(batch[1]) // not all are new
		c.spoil(&batch[position])
		for i := range batch {
			batch[i].Reference = "changed"
		}
		all = append(all, conflicting{fmt.Sprintf("number %d of 5 %s", position+1, c.why), batch})
	}
	return all
}

func notificationsGoTogether(p *probe) {
	f := p.saveFlow(p.newFlow())
	for _, position := range []int{0, 2, 4} {
		for _, c := range p.conflicting(f.ID, position) {
			before, what := p.state(), "SaveNotifications, of which "+c.why
			p.Wants(flussi.ErrConflict, p.store.SaveNotifications(p.Ctx, notificationChanges(c.all...)...), what)
			p.unchanged(before, what)
		}
	}
	// Together, whatever flows they belong to.
	other := p.saveFlow(p.newFlow())
	batch := []flow.Notification{p.newNotification(f.ID), p.newNotification(other.ID), p.newNotification(uuid.Nil)}
	p.saveAll(batch...)
	for i := range batch {
		batch[i].Version++
		p.readsNotification("stored with others", batch[i])
	}
}

func conflictsUndoEverything(p *probe) {
	f := p.saveFlow(p.newFlow())
	for _, position := range []int{0, 2, 4} {
		for _, c := range p.conflicting(f.ID, position) {
			before, what := p.state(), "SaveFlow with notifications of which "+c.why
			changed := f
			changed.State = flow.FlowActive
			p.Wants(flussi.ErrConflict, p.store.SaveFlow(p.Ctx, flowChange(changed), sequence(c.all...)), what)
			p.unchanged(before, what)
			what = "SaveFlow of a new flow, with notifications of which " + c.why
			p.Wants(flussi.ErrConflict, p.store.SaveFlow(p.Ctx, flowChange(p.newFlow()), sequence(c.all...)), what)
			p.unchanged(before, what)
		}
	}
}

func errorsUndoEverything(p *probe) {
	f := p.saveFlow(p.newFlow(), p.newNotification(uuid.Nil))
	failure := errors.New("row 3 cannot be read")
	for _, count := range []int{0, 2, 300} {
		for _, stored := range []flow.Flow{f, p.newFlow()} {
			what := fmt.Sprintf("SaveFlow of a flow of version %d, with a sequence that fails after %d", stored.Version, count)
			before := p.state()
			stored.State = flow.FlowActive
			err := p.store.SaveFlow(p.Ctx, flowChange(stored), func(yield func(flow.NotificationChange, error) bool) {
				for range count {
					if !yield(notificationChange(p.newNotification(stored.ID)), nil) {
						return
					}
				}
				yield(flow.NotificationChange{}, failure)
			})
			p.Wants(failure, err, what)
			p.unchanged(before, what)
		}
	}
}

func conflictsPullNothing(p *probe) {
	f := p.saveFlow(p.newFlow())
	again, missing, old := f, p.newFlow(), p.saveFlow(f)
	again.Version, missing.Version, old.Version = 0, 1, 1
	for what, conflict := range map[string]flow.Flow{
		"a new flow that is there": again, "a flow that is not there": missing, "a flow that has changed since": old,
	} {
		err := p.store.SaveFlow(p.Ctx, flowChange(conflict), func(yield func(flow.NotificationChange, error) bool) {
			p.Note("SaveFlow of %s pulls the sequence", what)
		})
		p.Wants(flussi.ErrConflict, err, "SaveFlow of "+what)
	}
}

func sequencesArePulledOnce(p *probe) {
	for _, count := range []int{0, 1, 300} {
		f := p.newFlow()
		begun, ended := 0, 0
		err := p.store.SaveFlow(p.Ctx, flowChange(f), func(yield func(flow.NotificationChange, error) bool) {
			begun++
			for range count {
				if !yield(notificationChange(p.newNotification(f.ID)), nil) {
					return
				}
			}
			ended++
		})
		p.Must(err, "SaveFlow")
		if begun != 1 || ended != 1 {
			p.Fail("a sequence of %d was begun %d times and pulled to its end %d times, not once", count, begun, ended)
		}
	}
}

func longSequencesAreStored(p *probe) {
	const count = 5000
	f := p.newFlow()
	all := p.newNotifications(f.ID, count)
	p.saveFlow(f, all...)
	p.Equal("the counts", p.flow(f.ID).Counts, flow.Counts{Registered: count})
	var read []flow.Notification
	for page := (flow.Page{Limit: storetest.Everything, OldestFirst: true}); len(read) < count; page.After = read[len(read)-1].Cursor() {
		got := p.notifications(flow.NotificationFilter{Flow: f.ID}, page)
		if len(got) == 0 {
			break
		}
		read = append(read, got...)
	}
	if !slices.Equal(ids(read), ids(all)) {
		p.Fail("of %d notifications that were stored with a flow, its list has %d, or others, or in another order", count, len(read))
	}
}

func nothingIsStored(p *probe) {
	f := p.saveFlow(p.newFlow(), p.newNotification(uuid.Nil))
	before := p.state()
	p.Must(p.store.SaveNotifications(p.Ctx), "SaveNotifications without any")
	p.unchanged(before, "SaveNotifications without any")
	p.Must(p.store.SaveFlow(p.Ctx, flowChange(f), nil), "SaveFlow without a sequence")
	f.Version++
	p.Must(p.store.SaveFlow(p.Ctx, flowChange(f), func(func(flow.NotificationChange, error) bool) {}), "SaveFlow with an empty sequence")
	f.Version++
	p.readsFlow("stored without notifications", f)
}
