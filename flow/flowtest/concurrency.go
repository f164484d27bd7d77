package flowtest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

var concurrencyRules = []rule{
	{"a notification is given to one claim only", claimsShare},
	{"of those who change one version, one succeeds", changesHaveOneWinner},
	{"of those who create one entity, one succeeds", creationsHaveOneWinner},
	{"a claim and a change of one version do not both happen", claimsAndChangesExclude},
	{"a claim happens wholly before or wholly after a change of its flow", claimsSeeTheFlow},
	{"changes that do not meet all succeed, and are counted", othersDoNotMatter},
	{"counts are of one moment", countsAreOfOneMoment},
}

// claimsShare lets a crowd claim a flow until nothing is left. A claim may get nothing
// while others are at it.
func claimsShare(p *probe) {
	const count = 400
	f := p.sendingFlow()
	all := p.newNotifications(f.ID, count)
	p.saveFlow(f, all...)
	var mu sync.Mutex
	taken := map[uuid.UUID]int{}
	at, end := p.now(), time.Now().Add(patience)
	for _, err := range together(func(i int) error {
		for time.Now().Before(end) {
			after, claimed, err := p.store.Claim(p.ctx, flow.Claim{Flow: f.ID, Limit: 1 + i, Lease: long, At: at, By: fmt.Sprint("dispatcher ", i)})
			if err != nil {
				return err
			}
			mu.Lock()
			for _, n := range claimed {
				taken[n.ID]++
			}
			mu.Unlock()
			if len(claimed) == 0 {
				if after.Counts.Registered == 0 {
					return nil
				}
				time.Sleep(time.Millisecond) // somebody else is about to take what is left
			}
		}
		return fmt.Errorf("something is left that no claim gets within %v", patience)
	}) {
		if err != nil {
			p.fail("Claim, %d at once: %w", crowd, err)
		}
	}
	for _, n := range all {
		if taken[n.ID] != 1 {
			p.fail("a notification was given to %d claims", taken[n.ID])
		}
		delete(taken, n.ID)
		if records := len(p.notificationHistory(n.ID)); records != 2 {
			p.fail("a notification that was created and claimed has %d records", records)
		}
	}
	if len(taken) > 0 {
		p.fail("%d notifications were given that do not belong to the flow", len(taken))
	}
	p.equal("the counts when everything is claimed", p.flow(f.ID).Counts, flow.Counts{Sending: count})
}

// claimsSeeTheFlow stops flows while a crowd claims them: what is claimed does not grow any
// more once the stop is stored.
func claimsSeeTheFlow(p *probe) {
	for round := range 10 {
		f := p.sendingFlow()
		f = p.saveFlow(f, p.newNotifications(f.ID, 100)...)
		stop := f
		stop.Error = "Invio fermato."
		change, at := flowChange(stop), p.now()
		var stopped flow.Counts
		var begun, done sync.WaitGroup
		begun.Add(crowd / 2)
		for range crowd / 2 {
			done.Go(func() {
				begun.Done()
				for range 20 {
					after, claimed, err := p.store.Claim(p.ctx, flow.Claim{Flow: f.ID, Limit: 1, Lease: long, At: at, By: "dispatcher"})
					if err != nil || after.Error != "" && len(claimed) == 0 {
						return
					}
				}
			})
		}
		begun.Wait()
		for {
			err := p.store.SaveFlow(p.ctx, change, nil)
			if err == nil {
				break
			}
			if !errors.Is(err, flow.ErrConflict) {
				p.must(err, "SaveFlow while the flow is claimed")
			}
		}
		stopped = p.flow(f.ID).Counts
		done.Wait()
		p.equal(fmt.Sprintf("what is claimed after the flow was stopped, round %d", round), p.flow(f.ID).Counts, stopped)
	}
}

// oneWins checks that one of a crowd succeeded, and that the others were told why not.
func (p *probe) oneWins(what string, errs []error) {
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			p.wants(flow.ErrConflict, err, what+", one of those who come too late")
		}
	}
	if won != 1 {
		p.fail("%s: %d of %d succeeded, not 1", what, won, crowd)
	}
}

func changesHaveOneWinner(p *probe) {
	f := p.saveFlow(p.newFlow())
	a, b := p.save(p.newNotification(f.ID)), p.save(p.newNotification(uuid.Nil))
	for version := int64(1); version <= 5; version++ {
		f.Version, a.Version, b.Version = version, version, version
		p.oneWins("SaveFlow of one version", together(func(i int) error {
			g := f
			g.AppKey = fmt.Sprint(i)
			return p.store.SaveFlow(p.ctx, flowChange(g), nil)
		}))
		// Two together, in either order: who locks them one by one would wait for ever.
		p.oneWins("SaveNotifications of one version", together(func(i int) error {
			a, b := notificationChange(a), notificationChange(b)
			a.Notification.Reference, b.Notification.Reference = fmt.Sprint(i), fmt.Sprint(i)
			if i%2 == 0 {
				return p.store.SaveNotifications(p.ctx, a, b)
			}
			return p.store.SaveNotifications(p.ctx, b, a)
		}))
		if one, other := p.notification(a.ID), p.notification(b.ID); one.Reference != other.Reference {
			p.fail("two notifications that were stored together are from different changes")
		}
		for what, got := range map[string][2]int64{
			"a flow":         {p.flow(f.ID).Version, int64(len(p.flowHistory(f.ID)))},
			"a notification": {p.notification(a.ID).Version, int64(len(p.notificationHistory(a.ID)))},
			"another one":    {p.notification(b.ID).Version, int64(len(p.notificationHistory(b.ID)))},
		} {
			if got != [2]int64{version + 1, version + 1} {
				p.fail("%s that many changed at once has the version %d and %d records, not %d", what, got[0], got[1], version+1)
			}
		}
	}
}

func creationsHaveOneWinner(p *probe) {
	for range 5 {
		f, n := p.newFlow(), p.newNotification(uuid.Nil)
		inFlow := p.newNotification(f.ID)
		p.oneWins("SaveFlow of one new flow", together(func(i int) error {
			return p.store.SaveFlow(p.ctx, flowChange(f), sequence(inFlow))
		}))
		p.oneWins("SaveNotifications of a new one", together(func(i int) error {
			return p.store.SaveNotifications(p.ctx, notificationChange(n))
		}))
		f.Version, n.Version, f.Counts = 1, 1, flow.Counts{Registered: 1}
		p.readsFlow("that many created at once", f)
		p.readsNotification("that many created at once", n)
	}
}

func claimsAndChangesExclude(p *probe) {
	f := p.sendingFlow()
	n := p.newNotification(f.ID)
	p.saveFlow(f, n)
	at := p.now()
	n.Version++
	for range 5 {
		var claims sync.Map
		done := 0
		for i, err := range together(func(i int) error {
			if i%2 == 0 {
				changed := n
				changed.Disabled = true
				return p.store.SaveNotifications(p.ctx, notificationChange(changed))
			}
			_, claimed, err := p.store.Claim(p.ctx, flow.Claim{Flow: f.ID, Limit: 1, Lease: long, At: at, By: "dispatcher"})
			if len(claimed) > 0 {
				claims.Store(i, true)
			}
			return err
		}) {
			_, claimed := claims.Load(i)
			switch {
			case err == nil && (claimed || i%2 == 0):
				done++
			case err != nil && (i%2 != 0 || !errors.Is(err, flow.ErrConflict)):
				p.fail("number %d of those who claim and change one version at once: %w", i, err)
			}
		}
		if done != 1 {
			p.fail("of %d who claim and change one version at once, %d succeeded, not 1", crowd, done)
		}
		stored := p.notification(n.ID)
		stored.State, stored.Disabled = flow.NotificationRegistered, false
		n = p.save(stored)
	}
}

func othersDoNotMatter(p *probe) {
	const rounds = 5
	f := p.sendingFlow()
	all := p.newNotifications(f.ID, crowd)
	f = p.saveFlow(f, all...)
	fresh := make([]flow.Notification, crowd)
	for i := range all {
		all[i].Version++
		fresh[i] = p.newNotification(f.ID)
	}
	for _, err := range together(func(i int) error {
		if i == 0 { // the flow itself, meanwhile
			for range rounds {
				if err := p.store.SaveFlow(p.ctx, flowChange(f), nil); err != nil {
					return err
				}
				f.Version++
			}
		}
		n := all[i]
		for round := range rounds {
			n.State = flow.NotificationFailed
			if round == rounds-1 {
				n.State = flow.NotificationSent
			}
			if err := p.store.SaveNotifications(p.ctx, notificationChange(n)); err != nil {
				return err
			}
			n.Version++
		}
		return p.store.SaveNotifications(p.ctx, notificationChange(fresh[i]))
	}) {
		if err != nil {
			p.fail("one of %d who each change something else at once: %w", crowd, err)
		}
	}
	p.counted(fmt.Sprintf("after %d changed notifications at once", crowd), f.ID, flow.Counts{Sent: crowd, Registered: crowd})
}

// countsAreOfOneMoment lets half of a crowd read while the other changes states.
func countsAreOfOneMoment(p *probe) {
	f := p.sendingFlow()
	all := p.newNotifications(f.ID, 8*crowd)
	p.saveFlow(f, all...)
	at := p.now()
	check := func(what string, c flow.Counts) error {
		if c.Total() != len(all) {
			return fmt.Errorf("%s counts %d notifications while their states change, not %d", what, c.Total(), len(all))
		}
		return nil
	}
	for _, err := range together(func(i int) error {
		for range 8 {
			if i%2 == 0 {
				read, err := p.store.Flow(p.ctx, f.ID)
				if err != nil {
					return err
				}
				listed, err := p.store.Flows(p.ctx, flow.FlowFilter{}, flow.Page{Limit: 1})
				if err != nil {
					return err
				}
				if err := check("Flow", read.Counts); err != nil {
					return err
				}
				for _, f := range listed {
					if err := check("Flows", f.Counts); err != nil {
						return err
					}
				}
				continue
			}
			after, claimed, err := p.store.Claim(p.ctx, flow.Claim{Flow: f.ID, Limit: 2, Lease: long, At: at, By: "dispatcher"})
			if err != nil {
				return err
			}
			if err := check("Claim", after.Counts); err != nil {
				return err
			}
			for i := range claimed {
				claimed[i].State = flow.NotificationSent
			}
			if err := p.store.SaveNotifications(p.ctx, notificationChanges(claimed...)...); err != nil {
				return err
			}
		}
		return nil
	}) {
		if err != nil {
			p.fail("%w", err)
		}
	}
}
