package flowtest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/storetest"
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
	at, end := p.Now(), time.Now().Add(patience)
	for _, err := range storetest.Together(func(i int) error {
		for time.Now().Before(end) {
			after, claimed, err := p.store.Claim(p.Ctx, flow.Claim{Flow: f.ID, Limit: 1 + i, Lease: long, At: at, By: fmt.Sprint("dispatcher ", i)})
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
			p.Fail("Claim, %d at once: %w", storetest.Crowd, err)
		}
	}
	for _, n := range all {
		if taken[n.ID] != 1 {
			p.Fail("a notification was given to %d claims", taken[n.ID])
		}
		delete(taken, n.ID)
		if records := len(p.notificationHistory(n.ID)); records != 2 {
			p.Fail("a notification that was created and claimed has %d records", records)
		}
	}
	if len(taken) > 0 {
		p.Fail("%d notifications were given that do not belong to the flow", len(taken))
	}
	p.Equal("the counts when everything is claimed", p.flow(f.ID).Counts, flow.Counts{Sending: count})
}

// claimsSeeTheFlow stops flows while a crowd claims them: what is claimed does not grow any
// more once the stop is stored.
func claimsSeeTheFlow(p *probe) {
	for round := range 10 {
		f := p.sendingFlow()
		f = p.saveFlow(f, p.newNotifications(f.ID, 100)...)
		stop := f
		stop.Error = "Invio fermato."
		change, at := flowChange(stop), p.Now()
		var stopped flow.Counts
		var begun, done sync.WaitGroup
		begun.Add(storetest.Crowd / 2)
		for range storetest.Crowd / 2 {
			done.Go(func() {
				begun.Done()
				for range 20 {
					after, claimed, err := p.store.Claim(p.Ctx, flow.Claim{Flow: f.ID, Limit: 1, Lease: long, At: at, By: "dispatcher"})
					if err != nil || after.Error != "" && len(claimed) == 0 {
						return
					}
				}
			})
		}
		begun.Wait()
		for {
			err := p.store.SaveFlow(p.Ctx, change, nil)
			if err == nil {
				break
			}
			if !errors.Is(err, flussi.ErrConflict) {
				p.Must(err, "SaveFlow while the flow is claimed")
			}
		}
		stopped = p.flow(f.ID).Counts
		done.Wait()
		p.Equal(fmt.Sprintf("what is claimed after the flow was stopped, round %d", round), p.flow(f.ID).Counts, stopped)
	}
}

func changesHaveOneWinner(p *probe) {
	f := p.saveFlow(p.newFlow())
	a, b := p.save(p.newNotification(f.ID)), p.save(p.newNotification(uuid.Nil))
	for version := int64(1); version <= 5; version++ {
		f.Version, a.Version, b.Version = version, version, version
		p.OneWins("SaveFlow of one version", storetest.Together(func(i int) error {
			g := f
			g.AppKey = fmt.Sprint(i)
			return p.store.SaveFlow(p.Ctx, flowChange(g), nil)
		}), flussi.ErrConflict)
		// Two together, in either order: who locks them one by one would wait for ever.
		p.OneWins("SaveNotifications of one version", storetest.Together(func(i int) error {
			a, b := notificationChange(a), notificationChange(b)
			a.Notification.Reference, b.Notification.Reference = fmt.Sprint(i), fmt.Sprint(i)
			if i%2 == 0 {
				return p.store.SaveNotifications(p.Ctx, a, b)
			}
			return p.store.SaveNotifications(p.Ctx, b, a)
		}), flussi.ErrConflict)
		if one, other := p.notification(a.ID), p.notification(b.ID); one.Reference != other.Reference {
			p.Fail("two notifications that were stored together are from different changes")
		}
		for what, got := range map[string][2]int64{
			"a flow":         {p.flow(f.ID).Version, int64(len(p.flowHistory(f.ID)))},
			"a notification": {p.notification(a.ID).Version, int64(len(p.notificationHistory(a.ID)))},
			"another one":    {p.notification(b.ID).Version, int64(len(p.notificationHistory(b.ID)))},
		} {
			if got != [2]int64{version + 1, version + 1} {
				p.Fail("%s that many changed at once has the version %d and %d records, not %d", what, got[0], got[1], version+1)
			}
		}
	}
}

func creationsHaveOneWinner(p *probe) {
	for range 5 {
		f, n := p.newFlow(), p.newNotification(uuid.Nil)
		inFlow := p.newNotification(f.ID)
		p.OneWins("SaveFlow of one new flow", storetest.Together(func(i int) error {
			return p.store.SaveFlow(p.Ctx, flowChange(f), sequence(inFlow))
		}), flussi.ErrConflict)
		p.OneWins("SaveNotifications of a new one", storetest.Together(func(i int) error {
			return p.store.SaveNotifications(p.Ctx, notificationChange(n))
		}), flussi.ErrConflict)
		f.Version, n.Version, f.Counts = 1, 1, flow.Counts{Registered: 1}
		p.readsFlow("that many created at once", f)
		p.readsNotification("that many created at once", n)
	}
}

func claimsAndChangesExclude(p *probe) {
	f := p.sendingFlow()
	n := p.newNotification(f.ID)
	p.saveFlow(f, n)
	at := p.Now()
	n.Version++
	for range 5 {
		var claims sync.Map
		done := 0
		for i, err := range storetest.Together(func(i int) error {
			if i%2 == 0 {
				changed := n
				changed.Disabled = true
				return p.store.SaveNotifications(p.Ctx, notificationChange(changed))
			}
			_, claimed, err := p.store.Claim(p.Ctx, flow.Claim{Flow: f.ID, Limit: 1, Lease: long, At: at, By: "dispatcher"})
			if len(claimed) > 0 {
				claims.Store(i, true)
			}
			return err
		}) {
			_, claimed := claims.Load(i)
			switch {
			case err == nil && (claimed || i%2 == 0):
				done++
			case err != nil && (i%2 != 0 || !errors.Is(err, flussi.ErrConflict)):
				p.Fail("number %d of those who claim and change one version at once: %w", i, err)
			}
		}
		if done != 1 {
			p.Fail("of %d who claim and change one version at once, %d succeeded, not 1", storetest.Crowd, done)
		}
		stored := p.notification(n.ID)
		stored.State, stored.Disabled = flow.NotificationRegistered, false
		n = p.save(stored)
	}
}

func othersDoNotMatter(p *probe) {
	const rounds = 5
	f := p.sendingFlow()
	all := p.newNotifications(f.ID, storetest.Crowd)
	f = p.saveFlow(f, all...)
	fresh := make([]flow.Notification, storetest.Crowd)
	for i := range all {
		all[i].Version++
		fresh[i] = p.newNotification(f.ID)
	}
	for _, err := range storetest.Together(func(i int) error {
		if i == 0 { // the flow itself, meanwhile
			for range rounds {
				if err := p.store.SaveFlow(p.Ctx, flowChange(f), nil); err != nil {
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
			if err := p.store.SaveNotifications(p.Ctx, notificationChange(n)); err != nil {
				return err
			}
			n.Version++
		}
		return p.store.SaveNotifications(p.Ctx, notificationChange(fresh[i]))
	}) {
		if err != nil {
			p.Fail("one of %d who each change something else at once: %w", storetest.Crowd, err)
		}
	}
	p.counted(fmt.Sprintf("after %d changed notifications at once", storetest.Crowd), f.ID, flow.Counts{Sent: storetest.Crowd, Registered: storetest.Crowd})
}

// countsAreOfOneMoment lets half of a crowd read while the other changes states.
func countsAreOfOneMoment(p *probe) {
	f := p.sendingFlow()
	all := p.newNotifications(f.ID, 8*storetest.Crowd)
	p.saveFlow(f, all...)
	at := p.Now()
	check := func(what string, c flow.Counts) error {
		if c.Total() != len(all) {
			return fmt.Errorf("%s counts %d notifications while their states change, not %d", what, c.Total(), len(all))
		}
		return nil
	}
	for _, err := range storetest.Together(func(i int) error {
		for range 8 {
			if i%2 == 0 {
				read, err := p.store.Flow(p.Ctx, f.ID)
				if err != nil {
					return err
				}
				listed, err := p.store.Flows(p.Ctx, flow.FlowFilter{}, flow.Page{Limit: 1})
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
			after, claimed, err := p.store.Claim(p.Ctx, flow.Claim{Flow: f.ID, Limit: 2, Lease: long, At: at, By: "dispatcher"})
			if err != nil {
				return err
			}
			if err := check("Claim", after.Counts); err != nil {
				return err
			}
			for i := range claimed {
				claimed[i].State = flow.NotificationSent
			}
			if err := p.store.SaveNotifications(p.Ctx, notificationChanges(claimed...)...); err != nil {
				return err
			}
		}
		return nil
	}) {
		if err != nil {
			p.Fail("%w", err)
		}
	}
}
