package flowtest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/core"
)

var claimRules = []rule{
	{"a claim takes the oldest, by time of creation and then ID", claimsTakeTheOldest},
	{"a claim returns what it takes, In invio and in Errore mixed, by time of creation and then ID", claimsAreInOrder},
	{"a claim takes as many as it may, and no more", claimsKeepTheLimit},
	{"a claim takes only what is Registrato", claimsTakeRegistered},
	{"a claim takes nothing that is disabled", claimsTakeEnabled},
	{"a claim takes only what belongs to its flow", claimsTakeTheFlows},
	{"a claim takes nothing unless its flow is In invio", claimsNeedSending},
	{"a claim takes nothing of a flow that is disabled", claimsNeedEnabled},
	{"a claim takes nothing of a flow that has an error", claimsNeedNoError},
	{"a claim changes what it takes, and nothing else", claimsChangeWhatTheyTake},
	{"a claim has its record", claimsHaveRecords},
	{"a claim gives the flow with its counts afterwards", claimsGiveTheFlow},
	{"what was given back can be claimed again", releasedIsClaimed},
	{"a claim of a flow that is not there finds none", claimsOfMissingFlows},
	{"SaveAndClaim stores, and then claims", saveAndClaimStores},
	{"SaveAndClaim stores and claims hundreds whole", saveAndClaimStoresMany},
	{"SaveAndClaim stores and claims together or not at all", saveAndClaimGoesTogether},
}

// takes checks that a claim gives what it should, in any order, and returns it in this one.
func (p *probe) takes(what string, of uuid.UUID, limit int, want []flow.Notification) []flow.Notification {
	_, claimed := p.claim(of, limit, long)
	claimed = arranged(claimed, want)
	if err := differ(claimed, ids(want)); err != nil {
		p.Fail("%s: %w", what, err)
	}
	return claimed
}

// arranged returns notifications in the order of others, and then the rest.
func arranged(all, like []flow.Notification) []flow.Notification {
	place := map[uuid.UUID]int{}
	for i, id := range ids(like) {
		place[id] = i - len(like)
	}
	return slices.SortedStableFunc(slices.Values(all), func(a, b flow.Notification) int {
		return cmp.Compare(place[a.ID], place[b.ID])
	})
}

// differ returns an error that says where notifications are first others than those with some IDs,
// in this order; nil if nowhere.
func differ(got []flow.Notification, want []uuid.UUID) error {
	return differentIDs(ids(got), want)
}

func differentIDs(got, want []uuid.UUID) error {
	at := func(ids []uuid.UUID, i int) string {
		if i < len(ids) {
			return ids[i].String()
		}
		return "none"
	}
	for i := range max(len(got), len(want)) {
		if w, g := at(want, i), at(got, i); w != g {
			return fmt.Errorf("want %d, got %d; number %d should be %s, and is %s", len(want), len(got), i+1, w, g)
		}
	}
	return nil
}

// inOrder sorts notifications, the oldest first.
func inOrder(all []flow.Notification) []flow.Notification {
	return slices.SortedFunc(slices.Values(all), func(a, b flow.Notification) int { return a.Cursor().Compare(b.Cursor()) })
}

func claimsTakeTheOldest(p *probe) {
	f := p.sendingFlow()
	all := p.newNotifications(f.ID, 30)
	for i := range all { // in threes of the same time, and not stored in their order
		all[i].CreatedAt = all[i-i%3].CreatedAt
	}
	p.Random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	p.saveFlow(f, all[:20]...)
	p.saveAll(all[20:]...)
	want := inOrder(all)
	for i := 0; i < len(want); i += 5 {
		p.takes(fmt.Sprintf("Claim after %d, which are of the same time by threes", i), f.ID, 5, want[i:i+5])
	}
	p.takes("Claim when all are taken", f.ID, 5, nil)
}

func claimsAreInOrder(p *probe) {
	f := p.saveFlow(p.sendingFlow())
	all := p.newNotifications(f.ID, 30)
	for i := range all { // in threes of the same time, and some were sent already
		all[i].CreatedAt = all[i-i%3].CreatedAt
		if i%3 == p.Random.IntN(3) {
			p.saveAll(sending(p.twin(all[i], uuid.Nil)))
		}
	}
	want := ids(inOrder(all))
	p.Random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	p.saveAll(all...)
	_, claimed := p.claim(f.ID, 20, long)
	if err := differ(claimed, want[:20]); err != nil {
		p.Fail("Claim with the limit 20, of 30, some of which were sent already: %w", err)
	}
	_, claimed, can, err := p.saveAndClaim(f.ID, 20)
	if !can {
		return
	}
	p.Must(err, "SaveAndClaim")
	if err := differ(claimed, want[20:]); err != nil {
		p.Fail("SaveAndClaim of the other 10: %w", err)
	}
}

func claimsKeepTheLimit(p *probe) {
	f := p.sendingFlow()
	all := p.newNotifications(f.ID, 10)
	p.saveFlow(f, all...)
	p.takes("Claim with the limit 0", f.ID, 0, nil)
	p.takes("Claim with the limit -1", f.ID, -1, nil)
	p.takes("Claim with the limit 1", f.ID, 1, all[:1])
	p.takes("Claim with the limit 7", f.ID, 7, all[1:8])
	p.takes("Claim with the limit 1000, when 2 are left", f.ID, 1000, all[8:])
}

func claimsTakeRegistered(p *probe) {
	f := p.sendingFlow()
	all := p.newNotifications(f.ID, 5)
	all[0].State, all[1].State = flow.NotificationSending, flow.NotificationSent
	all[2].State, all[3].State = flow.NotificationFailed, "sospesa"
	p.saveFlow(f, all...)
	p.takes("Claim, when four of five are In invio, Inviato, in Errore, and in an unknown state", f.ID, 10, all[4:])
}

func claimsTakeEnabled(p *probe) {
	f := p.sendingFlow()
	all := p.newNotifications(f.ID, 3)
	all[0].Disabled = true
	p.saveFlow(f, all...)
	all[1].Version, all[1].Disabled = 1, true
	p.saveAll(all[1])
	p.takes("Claim, when two of three are disabled", f.ID, 10, all[2:])
	all[1].Version, all[1].Disabled = 2, false
	p.saveAll(all[1])
	p.takes("Claim, when one is enabled again", f.ID, 10, all[1:2])
}

func claimsTakeTheFlows(p *probe) {
	f := p.sendingFlow()
	all := p.newNotifications(f.ID, 2)
	p.saveFlow(f, all...)
	other := p.sendingFlow()
	p.saveFlow(other, p.newNotification(other.ID))
	p.saveAll(p.newNotification(uuid.Nil))
	p.takes("Claim, when another flow and none have notifications, too", f.ID, 10, all)
}

// claimsNothing checks that nothing is taken of a flow as it is made here, and that all
// is once it is in order.
func (p *probe) claimsNothing(what string, spoil func(*flow.Flow)) {
	f := p.sendingFlow()
	all := p.newNotifications(f.ID, 3)
	good := f
	spoil(&f)
	f = p.saveFlow(f, all...)
	before := p.Snapshot()
	got, claimed := p.claim(f.ID, 10, long)
	if len(claimed) != 0 {
		p.Fail("Claim of a flow %s gives %d", what, len(claimed))
	}
	f.Counts = flow.Counts{Registered: 3}
	p.Equal("the flow of a Claim of a flow "+what, got, f)
	p.Unchanged(before, "Claim of a flow "+what)
	good.Version = f.Version
	p.saveFlow(good)
	p.takes("Claim of a flow that was "+what+", and is In invio again", f.ID, 10, all)
}

func claimsNeedSending(p *probe) {
	for _, state := range []flow.FlowState{flow.FlowInactive, flow.FlowActive, flow.FlowSent, flow.FlowIncomplete, "archiviato"} {
		p.claimsNothing("in the state "+string(state), func(f *flow.Flow) { f.State = state })
	}
}

func claimsNeedEnabled(p *probe) {
	p.claimsNothing("that is disabled", func(f *flow.Flow) { f.Disabled = true })
}

func claimsNeedNoError(p *probe) {
	p.claimsNothing("with an error", func(f *flow.Flow) { f.Error = "Invio fermato." })
}

func claimsChangeWhatTheyTake(p *probe) {
	f := p.saveFlow(p.sendingFlow())
	var all []flow.Notification
	for i := range 3 {
		n := p.fullNotification(f.ID)
		n.State, n.Disabled, n.AllowDuplicate = flow.NotificationRegistered, false, i%2 == 0
		all = append(all, p.save(n))
	}
	all = inOrder(all)
	claim, _, claimed := p.claimsExactly("with the limit 2, of 3", f.ID, 2, long, all[:2]...)
	for i, want := range all {
		if i < 2 {
			want.State, want.UpdatedAt, want.UpdatedBy = flow.NotificationSending, claim.At, claim.By
			want.Version++
			p.Equal("what Claim gives", claimed[i], want)
		}
		p.notifications.IsRead(fmt.Sprintf("number %d, after a claim of the first 2", i+1), want)
	}
	f.Counts = flow.Counts{Registered: 1, Sending: 2}
	p.flows.IsRead("after a claim", f)
}

func claimsGiveTheFlow(p *probe) {
	f := p.fullFlow()
	f.State, f.Disabled, f.Error = flow.FlowSending, false, ""
	all := p.newNotifications(f.ID, 5)
	all[4].Disabled = true
	f = p.saveFlow(f, all...)
	for _, left := range []flow.Counts{
		{Registered: 2, Sending: 2, Disabled: 1}, {Registered: 0, Sending: 4, Disabled: 1}, {Registered: 0, Sending: 4, Disabled: 1},
	} {
		got, _ := p.claim(f.ID, 2, long)
		f.Counts = left
		p.Equal("the flow of a Claim with the limit 2", got, f)
	}
}

func releasedIsClaimed(p *probe) {
	f := p.sendingFlow()
	all := p.newNotifications(f.ID, 4)
	p.saveFlow(f, all...)
	for range 3 {
		claimed := p.takes("Claim after everything was given back", f.ID, 2, all[:2])
		for i := range claimed {
			claimed[i].State, claimed[i].UpdatedAt = flow.NotificationRegistered, claimed[i].UpdatedAt.Add(time.Second)
		}
		p.saveAll(claimed...)
	}
}

func claimsOfMissingFlows(p *probe) {
	n := p.newNotification(uuid.Nil)
	f := p.sendingFlow()
	p.saveFlow(f, n, p.newNotification(f.ID))
	for _, id := range []uuid.UUID{p.ID(), uuid.Nil, n.ID} {
		_, claimed, err := p.store.Claim(p.Ctx, flow.Claim{Flow: id, Limit: 10, Lease: long, At: p.Now(), By: "dispatcher"})
		p.Wants(flussi.ErrNotFound, err, "Claim of a flow that is not there")
		if len(claimed) != 0 {
			p.Fail("Claim of a flow that is not there gives %d", len(claimed))
		}
	}
}

// saveAndClaim stores and claims, if the store can do both at once.
func (p *probe) saveAndClaim(of uuid.UUID, limit int, all ...flow.Notification) (f flow.Flow, claimed []flow.Notification, can bool, err error) {
	store, can := core.Own[flow.Store, flow.SaveAndClaimer](p.store)
	if can {
		f, claimed, err = store.SaveAndClaim(p.Ctx, notificationChanges(all...), flow.Claim{Flow: of, Limit: limit, Lease: long, At: p.Now(), By: "dispatcher"})
	}
	return f, claimed, can, err
}

func saveAndClaimStores(p *probe) {
	f := p.sendingFlow()
	all := p.newNotifications(f.ID, 6)
	f = p.saveFlow(f, all...)
	done := p.takes("Claim", f.ID, 3, all[:3])
	done[0].State, done[1].State, done[2].State = flow.NotificationSent, flow.NotificationFailed, flow.NotificationRegistered
	got, claimed, can, err := p.saveAndClaim(f.ID, 2, done...)
	if !can {
		return
	}
	p.Must(err, "SaveAndClaim")
	claimed = arranged(claimed, all)
	if err := differ(claimed, ids(all[2:4])); err != nil { // what was given back is the oldest
		p.Fail("SaveAndClaim with the limit 2: %w", err)
		return
	}
	f.Counts = flow.Counts{Registered: 2, Sending: 2, Sent: 1, Failed: 1}
	p.Equal("the flow of a SaveAndClaim", got, f)
	for i := range done[:2] {
		done[i].Version++
		p.notifications.IsRead("stored by a SaveAndClaim", done[i])
	}
	for _, n := range claimed {
		p.notifications.IsRead("claimed by a SaveAndClaim", n)
	}
	// A flow that is not to be sent keeps nothing from being stored.
	f.Disabled = true
	f = p.saveFlow(f)
	claimed[0].State, claimed[1].State = flow.NotificationSent, flow.NotificationSent
	f.Counts = flow.Counts{Registered: 2, Sent: 3, Failed: 1}
	got, none, _, err := p.saveAndClaim(f.ID, 2, claimed...)
	p.Must(err, "SaveAndClaim with a flow that is disabled")
	if len(none) > 0 {
		p.Fail("SaveAndClaim with a flow that is disabled claims %d", len(none))
	}
	p.Equal("the flow of a SaveAndClaim, which is disabled", got, f)
	for _, n := range claimed {
		n.Version++
		p.notifications.IsRead("stored by a SaveAndClaim with a flow that is disabled", n)
	}
}

// saveAndClaimStoresMany stores the outcomes of a large claim in one write.
func saveAndClaimStoresMany(p *probe) {
	const many = 300
	f := p.sendingFlow()
	all := p.newNotifications(f.ID, 2*many)
	f = p.saveFlow(f, all...)
	done := p.takes("Claim", f.ID, many, all[:many])
	for i := range done {
		done[i].State = flow.NotificationSent
	}
	got, claimed, can, err := p.saveAndClaim(f.ID, many, done...)
	if !can {
		return
	}
	what := fmt.Sprintf("SaveAndClaim of %d with the limit %d", many, many)
	p.Must(err, what)
	if err := differ(arranged(claimed, all), ids(all[many:])); err != nil {
		p.Fail("%s: %w", what, err)
	}
	p.Equal("the counts of "+what, got.Counts, flow.Counts{Sent: many, Sending: many})
	p.HasCounts("after "+what, f.ID, flow.Counts{Sent: many, Sending: many})
	page := flow.Page{Limit: many, OldestFirst: true}
	stored := p.notifications.Page(p.notifications.ByID(ids(done)...), page)
	if len(stored) != many {
		p.Fail("%s: want all that it stored to be listed, got %d", what, len(stored))
		return
	}
	for i := range done {
		p.Equal(what+", one that it stored", stored[i], withVersion(done[i], done[i].Version+1))
	}
}

func saveAndClaimGoesTogether(p *probe) {
	f := p.sendingFlow()
	f = p.saveFlow(f, p.newNotifications(f.ID, 3)...)
	p.EachConflict(f, func(all []flow.Notification, why string) {
		before, what := p.Snapshot(), "SaveAndClaim, of which "+why
		if _, _, can, err := p.saveAndClaim(f.ID, 2, all...); can {
			p.Wants(flussi.ErrConflict, err, what)
			p.Unchanged(before, what)
		}
	})
	n := p.save(p.newNotification(f.ID))
	before, what := p.Snapshot(), "SaveAndClaim with a flow that is not there"
	if _, _, can, err := p.saveAndClaim(p.ID(), 2, n); can {
		p.Wants(flussi.ErrNotFound, err, what)
		p.Unchanged(before, what)
	}
}

func claimsHaveRecords(p *probe) {
	f := p.sendingFlow()
	created := p.newNotifications(f.ID, 3)
	p.saveFlow(f, created...)
	claim, _, claimed := p.claimsExactly("with the limit 2, of 3", f.ID, 2, long, created[:2]...)
	record := flow.NotificationRecord{
		At: claim.At, By: claim.By, Action: flow.NotificationClaim,
		From: flow.NotificationRegistered, To: flow.NotificationSending,
	}
	for i, n := range created {
		if want := notificationChange(n).Record; i < 2 {
			p.hasNotificationRecords(n.ID, want, record)
		} else {
			p.hasNotificationRecords(n.ID, want)
		}
	}
	n := claimed[1]
	n.State = flow.NotificationSent
	p.saveAll(n)
	p.hasNotificationRecords(n.ID, notificationChange(created[1]).Record, record, notificationChange(n).Record)
}

func claimsAreChanges(p *probe) {
	f := p.saveFlow(p.sendingFlow())
	n := p.save(p.newNotification(f.ID))
	p.claim(f.ID, 1, long)
	n.State = flow.NotificationSent
	p.Conflicts("a notification that was claimed in the meantime", n)
}
