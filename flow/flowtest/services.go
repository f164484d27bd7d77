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

var serviceRules = []rule{
	{"the first use of a service whose name looks like another one's is refused", lookalikesAreRefused},
	{"a service may be used again, and others whose names do not look like it", otherServicesAreStored},
	{"a write that is not stored does not keep its service", refusedServicesAreNotThere},
	{"of names that look alike and are first used at once, one is stored", servicesHaveOneWinner},
}

// lookalikes returns names that look like one that ends in " Tributi".
func lookalikes(name string) []string {
	stem := name[:len(name)-len(" Tributi")]
	all := []string{
		stem + " tributi", stem + " TRIBUTI", stem + "\u00a0Tributi", stem + "  Tributi", stem + " Tribut\u0456", stem + " Tri\u00adbuti", " " + name,
	}
	for _, like := range all {
		if like == name || flow.ServiceSkeleton(like) != flow.ServiceSkeleton(name) {
			panic(fmt.Sprintf("%q does not look like %q", like, name))
		}
	}
	return all
}

// use is a first use of a service.
type use struct {
	name  string
	store func(service string) error
}

// uses are all first uses of a service.
func (p *probe) uses() []use {
	there := p.saveFlow(p.newFlow())
	named := func(n flow.Notification, service string) flow.Notification {
		n.Service = service
		return n
	}
	return []use{
		{"SaveFlow", func(service string) error {
			f := p.newFlow()
			f.Service = service
			return p.store.SaveFlow(p.Ctx, flowChange(f), nil)
		}},
		{"SaveFlow of a flow of another service, with a notification", func(service string) error {
			return p.store.SaveFlow(p.Ctx, flowChange(p.flows.One(there.ID)), p.sequence(p.newNotification(there.ID), named(p.newNotification(uuid.Nil), service)))
		}},
		{"SaveNotifications", func(service string) error {
			return p.store.SaveNotifications(p.Ctx, notificationChanges(p.newNotification(there.ID), named(p.newNotification(uuid.Nil), service))...)
		}},
		{"SaveImport", func(service string) error {
			f := p.newFlow()
			f.Service = service
			_, _, err := p.store.SaveImport(p.Ctx, p.importOf(p.newKey(), f))
			return err
		}},
		{"SaveImport into a flow of another service", func(service string) error {
			f := p.flows.One(there.ID)
			_, _, err := p.store.SaveImport(p.Ctx, p.importOf(p.newKey(), f, p.newNotification(f.ID), named(p.newNotification(f.ID), service)))
			return err
		}},
	}
}

// isSimilar checks an error that refuses a service because its name looks like another one's.
func (p *probe) isSimilar(what string, err error, service string, existing ...string) {
	p.Wants(flow.ErrSimilarService, err, what)
	var refused *flow.SimilarServiceError
	switch {
	case !errors.As(err, &refused):
		p.Fail("%s: want a *SimilarServiceError, got %w", what, storetest.OrNone(err))
	case refused.Service != service || !slices.Contains(existing, refused.Existing):
		p.Fail("%s: want the error to name %q and %q, got %q and %q", what, service, existing, refused.Service, refused.Existing)
	}
}

func lookalikesAreRefused(p *probe) {
	for _, first := range p.uses() {
		name := p.Word() + " Tributi"
		p.Must(first.store(name), first.name+" of a new service")
		like := lookalikes(name)
		for _, then := range p.uses() {
			before := p.Snapshot()
			for i, service := range like {
				what := fmt.Sprintf("%s of %q when %s stored %q", then.name, service, first.name, name)
				p.isSimilar(what, then.store(service), service, name)
				if i == len(like)-1 { // it takes long
					p.Unchanged(before, what)
				}
			}
		}
	}
	// Two in one write.
	name := p.Word() + " Tributi"
	f, n := p.newFlow(), p.newNotification(uuid.Nil)
	f.Service, n.Service = name, lookalikes(name)[0]
	before := p.Snapshot()
	p.isSimilar("SaveFlow of two names that look alike", p.store.SaveFlow(p.Ctx, flowChange(f), p.sequence(n)), n.Service, name)
	m := p.newNotification(uuid.Nil)
	m.Service = name
	p.Wants(flow.ErrSimilarService, p.store.SaveNotifications(p.Ctx, notificationChanges(m, n)...), "SaveNotifications of two names that look alike")
	p.Unchanged(before, "writes of two names that look alike")
}

func otherServicesAreStored(p *probe) {
	for _, first := range p.uses() {
		name := p.Word() + " Tributi"
		p.Must(first.store(name), first.name+" of a new service")
		for _, then := range p.uses() {
			for _, service := range []string{
				name, p.Word() + " Tributi", name + "à", name + "a", name[1:], name + " 2", name + "-2", name + "_2", name + "%", name + "'",
			} {
				p.Must(then.store(service), fmt.Sprintf("%s of %q when %s stored %q", then.name, service, first.name, name))
			}
		}
	}
	// Existing entities are stored again, and read with their service.
	name := "È l'Ufficio Tributi"
	f, n := p.newFlow(), p.newNotification(uuid.Nil)
	f.Service, n.Service = name, name
	f = p.saveFlow(p.saveFlow(f, n))
	n = p.save(withVersion(n, 1))
	p.flows.IsRead("with a name of its own", f)
	p.notifications.IsRead("with a name of its own", n)
}

func refusedServicesAreNotThere(p *probe) {
	f := p.saveFlow(p.newFlow())
	p.saveFlow(f)
	failure := errors.New("row 2 cannot be read")
	for i, refuse := range []func(service string) error{
		func(service string) error {
			g := p.newFlow()
			g.Service = service
			return p.store.SaveFlow(p.Ctx, flowChange(g), func(yield func(flow.NotificationChange, error) bool) {
				_ = yield(notificationChange(p.newNotification(g.ID)), nil) && yield(flow.NotificationChange{}, failure)
			})
		},
		func(service string) error {
			n := p.newNotification(uuid.Nil)
			n.Service = service
			return p.store.SaveNotifications(p.Ctx, notificationChanges(n, withVersion(p.newNotification(uuid.Nil), 7))...)
		},
		func(service string) error {
			n := p.newNotification(f.ID)
			n.Service = service
			_, _, err := p.store.SaveImport(p.Ctx, p.importOf(p.newKey(), f, n)) // f has changed since
			return err
		},
	} {
		name := p.Word() + " Tributi"
		if err := refuse(name); err == nil {
			p.Fail("a write that has to be refused, number %d, is not", i+1)
		}
		n := p.newNotification(uuid.Nil)
		n.Service = lookalikes(name)[0]
		p.Must(p.store.SaveNotifications(p.Ctx, notificationChange(n)), fmt.Sprintf("SaveNotifications of a name that looks like that of a write that was refused, number %d", i+1))
	}
}

func servicesHaveOneWinner(p *probe) {
	for round := range 5 {
		name := p.Word() + " Tributi"
		names := append(lookalikes(name), name)
		stores := make([]func() error, storetest.Crowd)
		used := make([]string, storetest.Crowd)
		for i := range stores {
			used[i] = names[p.Random.IntN(len(names))]
			f, n := p.newFlow(), p.newNotification(uuid.Nil)
			f.Service, n.Service = used[i], used[i]
			imported := p.importOf(p.newKey(), f)
			stores[i] = oneOf(p,
				func() error { return p.store.SaveFlow(p.Ctx, flowChange(f), nil) },
				func() error { return p.store.SaveNotifications(p.Ctx, notificationChange(n)) },
				func() error { _, _, err := p.store.SaveImport(p.Ctx, imported); return err },
			)
		}
		errs := p.Together(func(i int) error { return stores[i]() })
		var winner string
		for i, err := range errs {
			switch {
			case err == nil && winner != "" && winner != used[i]:
				p.Fail("round %d: of names that look alike, %q and %q are both stored", round, winner, used[i])
			case err == nil:
				winner = used[i]
			}
		}
		if winner == "" {
			p.Fail("round %d: of %d first uses of names that look alike, none is stored: %w", round, len(errs), errors.Join(errs...))
			continue
		}
		for i, err := range errs {
			switch {
			case err == nil || errors.Is(err, flussi.ErrConflict):
			case used[i] == winner:
				p.Fail("round %d: the name that is stored, used by another one at once: %w", round, err)
			default:
				p.isSimilar("one of those who use names first that look alike", err, used[i], winner)
			}
		}
	}
}
