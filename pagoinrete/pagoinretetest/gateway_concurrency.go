package pagoinretetest

import (
	"sync"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete"
)

var gatewayConcurrencyRules = []gatewayRule{
	{"an event that many put at once is one", eventsArePutAtOnce},
	{"a notice that many put at once is one", noticesArePutAtOnce},
	{"what many put at once is there once, by the records of the platform", nothingIsDoubledAtOnce},
	{"calls at once get the replies that are theirs", repliesAreNotMixedUp},
	{"of those who take a step at once, one succeeds", stepsHaveOneWinner},
}

// putAtOnce lets many put the same, and returns what they were told: those that did not succeed
// must not say that it is refused, since the same is taken from others.
func putAtOnce[T any](p *gatewayProbe, doing string, put func() (T, error)) []T {
	var mu sync.Mutex
	var all []T
	for _, err := range p.Together(func(int) error {
		there, err := put()
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, there)
		}
		return err
	}) {
		if flussi.OutcomeOf(err) == flussi.OutcomeRefused {
			p.Fail("%s, by many at once: one is refused: %w", doing, err)
		}
	}
	if len(all) == 0 {
		p.Fail("%s, by many at once: none succeeded", doing)
	}
	return all
}

func eventsArePutAtOnce(p *gatewayProbe) {
	e := p.newFee()
	all := putAtOnce(p, "PutEvent", func() (pagoinrete.RemoteEvent, error) { return p.gateway.PutEvent(p.Ctx, p.env.Assistant, e) })
	there := p.event(e.ID)
	for _, told := range all {
		p.Equal("PutEvent, by many at once", told, there)
	}
}

func noticesArePutAtOnce(p *gatewayProbe) {
	e := p.newFee()
	p.putEvent(e)
	n := p.newNotice(e)
	all := putAtOnce(p, "PutNotice", func() (pagoinrete.RemoteNotice, error) { return p.gateway.PutNotice(p.Ctx, p.env.Assistant, n) })
	there := p.notice(n.ID)
	for _, told := range all {
		p.Equal("PutNotice, by many at once", told, there)
	}
}

func nothingIsDoubledAtOnce(p *gatewayProbe) {
	p.needs("Count")
	e := p.newFee()
	n := p.newNotice(e)
	putAtOnce(p, "PutEvent", func() (pagoinrete.RemoteEvent, error) { return p.gateway.PutEvent(p.Ctx, p.env.Assistant, e) })
	putAtOnce(p, "PutNotice", func() (pagoinrete.RemoteNotice, error) { return p.gateway.PutNotice(p.Ctx, p.env.Assistant, n) })
	p.once("an event that many put at once", e.ID)
	p.once("a notice that many put at once", n.ID)
}

func repliesAreNotMixedUp(p *gatewayProbe) {
	e := p.newFee()
	p.putEvent(e)
	notices := make([]pagoinrete.Notice, storetest.Crowd)
	for i := range notices {
		notices[i] = p.newNotice(e)
	}
	told := make([]pagoinrete.RemoteNotice, len(notices))
	read := make([][]pagoinrete.RemoteNotice, len(notices))
	for _, err := range p.Together(func(i int) (err error) {
		if told[i], err = p.gateway.PutNotice(p.Ctx, p.env.Assistant, notices[i]); err == nil {
			read[i], err = p.gateway.Notices(p.Ctx, []uuid.UUID{notices[i].ID})
		}
		return err
	}) {
		p.Must(err, "PutNotice and Notices of different notices at once")
	}
	numbers := map[flussi.NoticeNumber]bool{}
	for i, n := range notices {
		there := p.notice(n.ID)
		p.Equal("PutNotice of different notices at once", told[i], there)
		if len(read[i]) != 1 {
			p.Fail("Notices of different notices at once: want 1, got %d", len(read[i]))
		} else {
			p.Equal("Notices of different notices at once", read[i][0], there)
		}
		numbers[there.Number] = true
	}
	p.is("how many numbers different notices have that were put at once", len(numbers), len(notices))
}

func stepsHaveOneWinner(p *gatewayProbe) {
	e, n := p.ready(pagoinrete.EventSimulated)
	p.OneWins("MoveEvent, submit", p.Together(func(int) error {
		_, err := p.gateway.MoveEvent(p.Ctx, p.env.Assistant, e.ID, pagoinrete.EventSubmit, flussi.Text{})
		return err
	}), flussi.ErrRemoteState)
	p.is("Event, after many have submitted it", p.event(e.ID).State, pagoinrete.EventToApprove)
	p.OneWins("MoveNotice, cancel", p.Together(func(int) error {
		_, err := p.gateway.MoveNotice(p.Ctx, p.env.Assistant, n.ID, pagoinrete.NoticeCancel, pagoinrete.Proof{})
		return err
	}), flussi.ErrRemoteState)
	p.is("Notices, after many have cancelled it", p.notice(n.ID).State, pagoinrete.NoticeCancelled)
}
