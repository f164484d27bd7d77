package pagoinretetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete"
)

var gatewayConnectionRules = []gatewayRule{
	{"a change whose reply is lost is unknown or done, and can be read back", lostRepliesAreUnknown},
	{"what was put, and whose reply is lost, is recognised when it is put again", lostPutsAreRecognised},
	{"a call that does not reach the platform says that it was not made, or that nobody knows", unreachedCallsAreNotDone},
	{"a context that has ended stops a call before it is made", endedContextsStopCalls},
	{"a call returns when its context ends, and a change that may have arrived is unknown", callsEndWithTheirContext},
}

// during makes a call while a hook is at work.
func during(hook func() (restore func()), call func() error) error {
	defer hook()()
	return call()
}

func lostRepliesAreUnknown(p *gatewayProbe) {
	p.needs("LoseReplies")
	for _, c := range p.calls() {
		err := during(p.env.LoseReplies, func() error { return c.call(p.Ctx, p.gateway) })
		if c.done == nil {
			continue
		}
		if outcome := flussi.OutcomeOf(err); outcome != flussi.OutcomeUnknown && outcome != flussi.OutcomeDone {
			p.Fail("%s, on which the platform acted, and whose reply is lost: the outcome is %s: %w", c.method, outcome, storetest.OrNone(err))
		}
		if !c.done() {
			p.Fail("%s, on which the platform acted, and whose reply is lost: it is not there", c.method)
		}
	}
}

func lostPutsAreRecognised(p *gatewayProbe) {
	p.needs("LoseReplies")
	e := p.newFee()
	n := p.newNotice(e)
	_ = during(p.env.LoseReplies, func() error {
		_, eventErr := p.gateway.PutEvent(p.Ctx, p.env.Assistant, e)
		_, noticeErr := p.gateway.PutNotice(p.Ctx, p.env.Assistant, n)
		return errors.Join(eventErr, noticeErr)
	})
	before := p.look(e.ID, n.ID)
	if !before.has(n.ID) {
		p.Fail("PutEvent and PutNotice, whose replies are lost: they are not there")
	}
	p.Equal("PutEvent again", p.putEvent(e), before.event)
	p.Equal("PutNotice again", p.putNotice(n), before.notices[n.ID])
	p.unchanged("PutEvent and PutNotice again", before, p.look(e.ID, n.ID))
}

func unreachedCallsAreNotDone(p *gatewayProbe) {
	p.needs("Disconnect")
	for _, c := range p.calls() {
		err := during(p.env.Disconnect, func() error { return c.call(p.Ctx, p.gateway) })
		doing := c.method + " without a connection"
		if c.done == nil {
			p.isOneOf(doing, err, flussi.ErrUnavailable)
			continue
		}
		if outcome := flussi.OutcomeOf(err); outcome != flussi.OutcomeNotDone && outcome != flussi.OutcomeUnknown {
			p.Fail("%s: the outcome is %s: %w", doing, outcome, storetest.OrNone(err))
		}
		if c.done() {
			p.Fail("%s was done", doing)
		}
	}
}

func endedContextsStopCalls(p *gatewayProbe) {
	cancelled, cancel := context.WithCancel(p.Ctx)
	cancel()
	late, cancel := context.WithDeadline(p.Ctx, time.Now().Add(-time.Second))
	defer cancel()
	for _, ctx := range []context.Context{cancelled, late} {
		for _, c := range p.calls() {
			doing := fmt.Sprintf("%s with a context that ended before (%v)", c.method, ctx.Err())
			err := c.call(ctx, p.gateway)
			p.isOneOf(doing, err, flussi.ErrInterrupted)
			if c.done == nil {
				continue
			}
			p.is("the outcome of "+doing, flussi.OutcomeOf(err), flussi.OutcomeNotDone)
			if c.done() {
				p.Fail("%s was done", doing)
			}
		}
	}
}

func callsEndWithTheirContext(p *gatewayProbe) {
	p.needs("Hang")
	for _, c := range p.calls() {
		err, returned := p.interrupt(c)
		switch {
		case !returned:
		case c.done != nil:
			p.is("the outcome of "+c.method+" whose context ended while the platform was silent", flussi.OutcomeOf(err), flussi.OutcomeUnknown)
			c.done() // it can be read back, whichever it is
		case !errors.Is(err, flussi.ErrInterrupted) && !errors.Is(err, context.Canceled):
			p.Fail("%s whose context ended while the platform was silent: want an error of the kind %q, got %w",
				c.method, flussi.ErrInterrupted, storetest.OrNone(err))
		}
	}
}

// interrupt makes a call and ends its context once it has arrived at a platform that is silent.
// It returns the error of the call, and whether the call returned in time.
func (p *gatewayProbe) interrupt(c gatewayCall) (err error, returned bool) {
	arrived, restore := p.env.Hang()
	ctx, cancel := context.WithCancel(p.Ctx)
	result := make(chan error, 1)
	go func() { result <- recovered(ctx, p.gateway, c) }()
	timeout := time.NewTimer(p.env.Timeout)
	defer timeout.Stop()
	select {
	case <-arrived:
		cancel()
	case err := <-result:
		p.Note("%s returned without a reply of a platform that is silent: %w", c.method, storetest.OrNone(err))
		result <- err
	case <-timeout.C:
		p.Note("%s did not reach the platform within %v", c.method, p.env.Timeout)
	}
	cancel()
	timeout.Reset(p.env.Timeout)
	select {
	case err = <-result:
		returned = true
	case <-timeout.C:
		p.Note("%s did not return within %v of the end of its context", c.method, p.env.Timeout)
	}
	restore()
	if !returned {
		<-result // the platform has let go of it
	}
	return err, returned
}

// recovered makes a call; a panic is an error.
func recovered(ctx context.Context, g pagoinrete.Gateway, c gatewayCall) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return c.call(ctx, g)
}
