package pagoinrete_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// chaos is a world in which everybody tries everything.
type chaos struct {
	*world
	random *rand.Rand
	events []uuid.UUID
	pupils int
	done   map[string]int // what succeeded, and what did not
	crowd  bool           // others try at the same time
}

func pick[T any](c *chaos, all []T) (one T, any bool) {
	if len(all) == 0 {
		return one, false
	}
	return all[c.random.IntN(len(all))], true
}

// someEvent is any event, as it is.
func (c *chaos) someEvent() pagoinrete.Event {
	id, any := pick(c, c.events)
	if !any {
		return pagoinrete.Event{}
	}
	e, _ := c.store.Event(context.Background(), id)
	return e
}

// someNotice is any notice, as it is.
func (c *chaos) someNotice() pagoinrete.Notice {
	all, _ := c.store.Notices(context.Background(), pagoinrete.NoticeFilter{Event: c.someEvent().ID}, pagoinrete.Page{Limit: 200})
	n, _ := pick(c, all)
	return n
}

// step tries something.
func (c *chaos) step(t *testing.T) {
	ctx := t.Context()
	by, _ := pick(c, []flussi.Actor{assistant, assistant, assistant, director, director, principal, principal, system, {ID: "nessuno"}})
	proof := func(n pagoinrete.Notice) pagoinrete.Proof {
		return pagoinrete.Proof{Reference: "Documento", Amount: n.Due(), Date: day(11, 3)}
	}
	why := flussi.NewText("Così è deciso.")
	e, n := c.someEvent(), c.someNotice()
	steps := []struct {
		name string
		try  func() error
	}{
		{"create", func() error {
			if len(c.events) > 3 {
				return errors.New("enough")
			}
			kind, data, where := pagoinrete.Fee, trip(), school
			if c.random.IntN(5) == 0 {
				kind, data = pagoinrete.Donation, gift()
			}
			if c.random.IntN(6) == 0 {
				where = otherSchool
			}
			created, err := c.CreateEvent(ctx, by, kind, where, data)
			if err == nil {
				c.events = append(c.events, created.ID)
			}
			return err
		}},
		{"edit", func() error {
			data := trip()
			data.Causale = fmt.Sprintf("Viaggio n. %d", c.random.IntN(100))
			if c.random.IntN(3) == 0 {
				data.Amount, data.Instalments = 9_000, data.Instalments[:1]
				data.Instalments[0].Amount = 9_000
			}
			_, err := c.EditEvent(ctx, by, e.ID, e.Version, data)
			return err
		}},
		{"transmit", func() error { _, err := c.TransmitEvent(ctx, by, e.ID); return err }},
		{"add", func() error {
			c.pupils = min(c.pupils+1, 8)
			some := drafts(c.pupils)[c.random.IntN(c.pupils):]
			report, err := c.AddNotices(ctx, by, e.ID, pagoinrete.NoticeDraftRows(some[:min(len(some), 3)]...), pagoinrete.AddConfig{SkipInvalid: true})
			if err == nil && !c.crowd { // who may have edited the event
				require.Zero(t, e.Amount*flussi.Cents(report.Rows-report.Invalid)-report.Amount, "the instalments add up")
			}
			return err
		}},
		{"transmit notices", func() error { _, err := c.TransmitNotices(ctx, by, e.ID); return err }},
		{"transmit notice", func() error { _, err := c.TransmitNotice(ctx, by, n.ID); return err }},
		{"submit", func() error { _, err := c.SubmitEvent(ctx, by, e.ID); return err }},
		{"approve", func() error { _, err := c.ApproveEvent(ctx, by, e.ID); return err }},
		{"reject", func() error {
			_, err := c.RejectEvent(ctx, by, e.ID, why)
			return err
		}},
		{"notify", func() error { _, err := c.NotifyEvent(ctx, by, e.ID); return err }},
		{"delete", func() error {
			if c.random.IntN(20) != 0 {
				return errors.New("not now")
			}
			_, err := c.DeleteEvent(ctx, by, e.ID)
			return err
		}},
		{"show", func() error { _, err := c.ShowEvent(ctx, by, e.ID); return err }},
		{"verify", func() error { _, _, err := c.VerifyEvent(ctx, by, e.ID); return err }},
		{"verify open", func() error { _, err := c.VerifyOpen(ctx, by, school); return err }},
		{"verify notice", func() error { _, err := c.VerifyNotice(ctx, by, n.ID); return err }},
		{"edit notice", func() error {
			data := n.NoticeData
			data.Discount = flussi.Cents(c.random.IntN(100))
			_, err := c.EditNotice(ctx, by, n.ID, n.Version, data)
			return err
		}},
		{"cancel", func() error { _, err := c.CancelNotice(ctx, by, n.ID, why); return err }},
		{"pay manually", func() error { _, err := c.PayNoticeManually(ctx, by, n.ID, proof(n)); return err }},
		{"reconcile manually", func() error { _, err := c.ReconcileNoticeManually(ctx, by, n.ID, proof(n)); return err }},
		{"refund", func() error { _, err := c.RefundNotice(ctx, by, n.ID, proof(n)); return err }},
		{"settle", func() error { _, err := c.ResolveNoticeDiscrepancy(ctx, by, n.ID, n.Version, why); return err }},
		{"settlement", func() error {
			if n.Number.IsZero() {
				return errors.New("none")
			}
			return c.tell(ctx, by, n, settlement.PaidSettled, fmt.Sprint("FR-", c.random.IntN(5)))
		}},
		{"journal", func() error {
			if n.Number.IsZero() {
				return errors.New("none")
			}
			return c.tell(ctx, by, n, settlement.PaidConfirmed, fmt.Sprint("FR-", c.random.IntN(5)))
		}},
		{"taken back", func() error {
			if n.Number.IsZero() {
				return errors.New("none")
			}
			return c.tell(ctx, by, n, "")
		}},
		{"family", func() error {
			c.platform.LogIn(payer(c.random.IntN(c.pupils + 1)))
			c.platform.StartPayment(n.ID)
			switch c.random.IntN(3) {
			case 0:
				c.platform.Pay(n.ID, n.Due())
			case 1:
				c.platform.FailPayment(n.ID)
			}
			return nil
		}},
	}
	s, _ := pick(c, steps)
	if c.random.IntN(4) > 0 { // who may
		by = assistant
		if s.name == "approve" || s.name == "reject" {
			by = principal
		}
	}
	err := s.try()
	outcome := s.name
	if err != nil {
		outcome += " refused"
		if flussi.Explain(err) == "" {
			t.Errorf("%s: no reason: %v", s.name, err)
		}
	}
	c.done[outcome]++
	if !c.crowd { // who change events and notices between two looks
		c.check(t, outcome)
	}
}

// check finds what the guide excludes.
func (c *chaos) check(t *testing.T, after string) {
	numbers := map[flussi.NoticeNumber]uuid.UUID{}
	for _, id := range c.events {
		e := must.Get(c.store.Event(t.Context(), id))(t)
		all := must.Get(c.store.Notices(t.Context(), pagoinrete.NoticeFilter{Event: id}, pagoinrete.Page{Limit: 1000}))(t)
		require.LessOrEqual(t, c.platform.Created(id), 1, "transmitted twice, after %s", after)
		if e.Kind == pagoinrete.Donation {
			require.Empty(t, all, "after %s", after)
		}
		places := map[string]bool{}
		for _, n := range all {
			require.True(t, pagoinrete.Compatible(e.State, n.State), "an event that is %s with a notice that is %s, after %s", e.State, n.State, after)
			require.LessOrEqual(t, c.platform.Created(n.ID), 1, "transmitted twice, after %s", after)
			if n.State != pagoinrete.NoticeNotLinked && !n.Number.IsZero() {
				require.Equal(t, uuid.Nil, numbers[n.Number], "one number twice, after %s", after)
				numbers[n.Number] = n.ID
			}
			if n.State != pagoinrete.NoticeCancelled {
				place := fmt.Sprint(n.Debtor.Reveal(), n.Instalment)
				require.False(t, places[place], "one debtor twice, after %s", after)
				places[place] = true
			}
		}
	}
}

// settleAll lets the office finish what was left open, once Pago In Rete works; then both say
// the same.
func (c *chaos) settleAll(t *testing.T) {
	c.platform.StopFailing()
	for _, id := range c.events {
		e := must.Get(c.store.Event(t.Context(), id))(t)
		by := assistant
		if e.School == otherSchool {
			continue
		}
		if e.Counts.NotLinked > 0 {
			do(t, by, c.TransmitNotices, id)
		}
		if e.State == pagoinrete.EventDeleted {
			continue
		}
		e, _, err := c.VerifyEvent(t.Context(), by, id)
		if errors.Is(err, pagoinrete.ErrDiscrepancy) && e.Counts.NotLinked > 0 {
			// It was submitted without an answer, and notices were added since: they go.
			for _, n := range c.notices(t, id) {
				if n.State == pagoinrete.NoticeNotLinked {
					do2(t, by, c.CancelNotice, n.ID, flussi.NewText("Aggiunto troppo tardi."))
				}
			}
			e, _, err = c.VerifyEvent(t.Context(), by, id)
		}
		require.NoError(t, err)
		there, is := c.platform.Event(id)
		assert.Equal(t, e.State != pagoinrete.EventNotTransmitted, is)
		if is {
			assert.Equal(t, e.RemoteID, there.RemoteID)
		}
		all := must.Get(c.store.Notices(t.Context(), pagoinrete.NoticeFilter{Event: id}, pagoinrete.Page{Limit: 1000}))(t)
		for _, n := range all {
			there, is := c.platform.Notice(n.ID)
			if !is {
				assert.True(t, n.State == pagoinrete.NoticeCancelled && n.Number.IsZero(), "lost: %s", n.State)
				continue
			}
			assert.Equal(t, n.RemoteID == "", n.Number.IsZero())
			if !n.Number.IsZero() {
				assert.Equal(t, there.Number, n.Number)
				assert.Equal(t, there.RemoteID, n.RemoteID)
			}
			if n.State != pagoinrete.NoticeCancelled {
				assert.Equal(t, there.Due, n.Due(), "what a family is asked for is what the office wrote last")
			}
			if n.Discrepancy.Kind == "" { // somebody is told of what differs
				assert.Equal(t, n.State == pagoinrete.NoticeCancelled, there.State == restgatewaytest.NoticeCancelled, "%s here, %s there", n.State, there.State)
			}
		}
	}
}

// Whatever anybody tries, in whatever order, and whatever goes wrong on the way: no event and
// notice are in states together that the guide excludes, nothing is transmitted twice, and
// nothing is lost.
func TestRandomCallsKeepTheGuidesTables(t *testing.T) {
	rounds, tries := 24, 2500
	if testing.Short() {
		rounds = 6
	}
	all := map[string]int{}
	for round := range rounds {
		seed := rand.Uint64()
		ok := t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &chaos{world: newWorld(t), random: rand.New(rand.NewPCG(seed, 0)), done: all, pupils: 3}
				for i, op := range restgatewaytest.Operations() { // a storm, mostly
					c.platform.FailAtRandom(op, []float64{0, 0.05, 0.3}[round%3], seed+uint64(i), restgatewaytest.Faults()...)
				}
				for range tries {
					c.step(t)
				}
				c.settleAll(t)
			})
		})
		if !ok {
			return
		}
	}
	t.Log(all)
	for _, name := range []string{
		"create", "edit", "transmit", "add", "transmit notices", "submit", "approve", "reject", "notify", "delete", "show", "verify",
		"verify open", "verify notice", "edit notice", "cancel", "pay manually", "reconcile manually", "refund", "settlement", "journal", "taken back",
	} {
		assert.NotZero(t, all[name], "%s never succeeded: the test does not reach it", name)
		assert.NotZero(t, all[name+" refused"], "%s was never refused", name)
	}
}

// The same, whatever many try at the same time.
func TestConcurrentRandomCallsKeepTheGuidesTables(t *testing.T) {
	rounds := 8
	if testing.Short() {
		rounds = 3
	}
	for round := range rounds {
		seed := rand.Uint64()
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				all := &chaos{world: w}
				for range 4 {
					all.events = append(all.events, w.simulated(t, pagoinrete.Fee).ID)
				}
				for i, op := range restgatewaytest.Operations() {
					w.platform.FailAtRandom(op, []float64{0, 0.05, 0.3}[round%3], seed+uint64(i), restgatewaytest.Faults()...)
				}
				var crowd sync.WaitGroup
				for i := range 6 {
					one := &chaos{world: w, random: rand.New(rand.NewPCG(seed, uint64(i))), events: all.events, pupils: 3, done: map[string]int{}, crowd: true}
					crowd.Go(func() {
						for range 300 {
							one.step(t)
						}
					})
				}
				crowd.Wait()
				all.check(t, "all of it")
				all.settleAll(t)
			})
		})
	}
}
