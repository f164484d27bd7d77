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
	{"a claim and a change of one version do not both happen", claimsAndChangesExclude},
	{"a claim happens wholly before or wholly after a change of its flow", claimsSeeTheFlow},
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
	for _, err := range p.Together(func(i int) error {
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
		if records := len(p.notifications.Records(n.ID)); records != 2 {
			p.Fail("a notification that was created and claimed has %d records", records)
		}
	}
	if len(taken) > 0 {
		p.Fail("%d notifications were given that do not belong to the flow", len(taken))
	}
	p.Equal("the counts when everything is claimed", p.flows.One(f.ID).Counts, flow.Counts{Sending: count})
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
		stopped = p.flows.One(f.ID).Counts
		done.Wait()
		p.Equal(fmt.Sprintf("what is claimed after the flow was stopped, round %d", round), p.flows.One(f.ID).Counts, stopped)
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
		for i, err := range p.Together(func(i int) error {
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
		stored := p.notifications.One(n.ID)
		stored.State, stored.Disabled = flow.NotificationRegistered, false
		n = p.save(stored)
	}
}

// countsAreOfOneMoment lets half of a crowd read while the other changes states.
func countsAreOfOneMoment(p *probe) {
	f := p.sendingFlow()
	all := p.newNotifications(f.ID, 8*storetest.Crowd)
	p.saveFlow(f, all...)
	at := p.Now()
	check := func(what string, f flow.Flow) error {
		if c := f.Counts; c.Total() != len(all) {
			return fmt.Errorf("%s counts %d notifications while their states change, not %d", what, c.Total(), len(all))
		}
		return nil
	}
	for _, err := range p.Together(func(i int) error {
		for range 8 {
			if i%2 == 0 {
				if err := p.flows.Meanwhile(f.ID, check); err != nil {
					return err
				}
				continue
			}
			after, claimed, err := p.store.Claim(p.Ctx, flow.Claim{Flow: f.ID, Limit: 2, Lease: long, At: at, By: "dispatcher"})
			if err != nil {
				return err
			}
			if err := check("Claim", after); err != nil {
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
