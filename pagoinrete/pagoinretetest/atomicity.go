package pagoinretetest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete"
)

var atomicityRules = []rule{
	{"notices are stored together or not at all", noticesGoTogether},
	{"a conflict in the sequence undoes everything", conflictsUndoEverything},
	{"an error in the sequence undoes everything, and is returned", errorsUndoEverything},
	{"the sequence of an event that is in conflict is not pulled", conflictsPullNothing},
	{"the sequence is pulled once, to its end", sequencesArePulledOnce},
	{"a long sequence is stored whole", longSequencesAreStored},
	{"to store nothing is no error", nothingIsStored},
}

// conflicting is notices one of which cannot be stored.
type conflicting struct {
	why string
	all []pagoinrete.Notice
}

// conflicting returns some, with the one that cannot be stored at a position.
func (p *probe) conflicting(of pagoinrete.Event, position int) []conflicting {
	var all []conflicting
	for _, c := range []struct {
		why   string
		spoil func(*pagoinrete.Notice)
	}{
		{"is there already", func(n *pagoinrete.Notice) { n.ID = p.save(p.newNotice(of)).ID }},
		{"is not there", func(n *pagoinrete.Notice) { n.Version = 1 }},
		{"has changed since", func(n *pagoinrete.Notice) { *n = p.save(p.newNotice(of)); p.save(*n) }},
	} {
		batch := p.newNotices(of, 5)
		batch[1] = p.save(batch[1]) // not all are new
		c.spoil(&batch[position])
		for i := range batch {
			batch[i].Reference, batch[i].State = "changed", pagoinrete.NoticeNotNotified
		}
		all = append(all, conflicting{fmt.Sprintf("number %d of 5 %s", position+1, c.why), batch})
	}
	return all
}

func noticesGoTogether(p *probe) {
	e := p.saveEvent(p.newEvent())
	for _, position := range []int{0, 2, 4} {
		for _, c := range p.conflicting(e, position) {
			before, what := p.state(), "SaveNotices, of which "+c.why
			p.Wants(flussi.ErrConflict, p.store.SaveNotices(p.Ctx, noticeChanges(c.all...)...), what)
			p.unchanged(before, what)
		}
	}
	// Together, whatever events they belong to.
	other := p.saveEvent(p.newEvent())
	batch := []pagoinrete.Notice{p.newNotice(e), p.newNotice(other), p.newNotice(e)}
	p.saveAll(batch...)
	for i := range batch {
		batch[i].Version++
		p.readsNotice("stored with others", batch[i])
	}
}

func conflictsUndoEverything(p *probe) {
	e := p.saveEvent(p.newEvent())
	for _, position := range []int{0, 2, 4} {
		for _, c := range p.conflicting(e, position) {
			before, what := p.state(), "SaveEvent with notices of which "+c.why
			changed := e
			changed.State, changed.Instalments = pagoinrete.EventToApprove, nil
			p.Wants(flussi.ErrConflict, p.store.SaveEvent(p.Ctx, eventChange(changed), sequence(c.all...)), what)
			p.unchanged(before, what)
			what = "SaveEvent of a new event, with notices of which " + c.why
			p.Wants(flussi.ErrConflict, p.store.SaveEvent(p.Ctx, eventChange(p.newEvent()), sequence(c.all...)), what)
			p.unchanged(before, what)
		}
	}
}

func errorsUndoEverything(p *probe) {
	e := p.newEvent()
	e = p.saveEvent(e, p.newNotice(e))
	failure := errors.New("row 3 cannot be read")
	for _, count := range []int{0, 2, 300} {
		for _, stored := range []pagoinrete.Event{e, p.newEvent()} {
			what := fmt.Sprintf("SaveEvent of an event of version %d, with a sequence that fails after %d", stored.Version, count)
			before := p.state()
			stored.State = pagoinrete.EventToApprove
			err := p.store.SaveEvent(p.Ctx, eventChange(stored), func(yield func(pagoinrete.NoticeChange, error) bool) {
				for range count {
					if !yield(noticeChange(p.newNotice(stored)), nil) {
						return
					}
				}
				yield(pagoinrete.NoticeChange{}, failure)
			})
			p.Wants(failure, err, what)
			p.unchanged(before, what)
		}
	}
}

func conflictsPullNothing(p *probe) {
	e := p.saveEvent(p.newEvent())
	again, missing, old := e, p.newEvent(), p.saveEvent(e)
	again.Version, missing.Version, old.Version = 0, 1, 1
	for what, conflict := range map[string]pagoinrete.Event{
		"a new event that is there": again, "an event that is not there": missing, "an event that has changed since": old,
	} {
		err := p.store.SaveEvent(p.Ctx, eventChange(conflict), func(yield func(pagoinrete.NoticeChange, error) bool) {
			p.Note("SaveEvent of %s pulls the sequence", what)
		})
		p.Wants(flussi.ErrConflict, err, "SaveEvent of "+what)
	}
}

func sequencesArePulledOnce(p *probe) {
	for _, count := range []int{0, 1, 300} {
		e := p.newEvent()
		begun, ended := 0, 0
		err := p.store.SaveEvent(p.Ctx, eventChange(e), func(yield func(pagoinrete.NoticeChange, error) bool) {
			begun++
			for range count {
				if !yield(noticeChange(p.newNotice(e)), nil) {
					return
				}
			}
			ended++
		})
		p.Must(err, "SaveEvent")
		if begun != 1 || ended != 1 {
			p.Fail("a sequence of %d was begun %d times and pulled to its end %d times, not once", count, begun, ended)
		}
	}
}

func longSequencesAreStored(p *probe) {
	const count = 5000
	e := p.newEvent()
	all := p.newNotices(e, count)
	e = p.saveEvent(e, all...)
	p.hasCounts("after a long sequence", e, pagoinrete.NoticeCounts{NotLinked: count})
	var read []pagoinrete.Notice
	for page := (pagoinrete.Page{Limit: storetest.Everything, OldestFirst: true}); len(read) < count; page.After = read[len(read)-1].Cursor() {
		got := p.notices(pagoinrete.NoticeFilter{Event: e.ID}, page)
		if len(got) == 0 {
			break
		}
		read = append(read, got...)
	}
	if !slices.Equal(ids(read), ids(all)) {
		p.Fail("of %d notices that were stored with an event, its list has %d, or others, or in another order", count, len(read))
	}
}

func nothingIsStored(p *probe) {
	e := p.newEvent()
	n := p.newNotice(e)
	e = p.saveEvent(e, n)
	before := p.state()
	p.Must(p.store.SaveNotices(p.Ctx), "SaveNotices without any")
	p.unchanged(before, "SaveNotices without any")
	p.Must(p.store.SaveEvent(p.Ctx, eventChange(e), nil), "SaveEvent without a sequence")
	e.Version++
	p.Must(p.store.SaveEvent(p.Ctx, eventChange(e), func(func(pagoinrete.NoticeChange, error) bool) {}), "SaveEvent with an empty sequence")
	e.Version++
	e.Counts = counted(n)
	p.readsEvent("stored without notices", e)
}
