package pagoinretetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete"
)

var gatewayErrorRules = []gatewayRule{
	{"a refusal is a RemoteError that says what was refused", func(p *gatewayProbe) { p.areRemoteErrors(p.refusals()) }},
	{"a failure of the connection is a RemoteError that says what failed", func(p *gatewayProbe) { p.areRemoteErrors(p.failures()) }},
	{"a refusal shows no personal data, no notice number and no key", func(p *gatewayProbe) { p.showNothing(p.refusals()) }},
	{"a failure of the connection shows no personal data, no notice number and no key", func(p *gatewayProbe) { p.showNothing(p.failures()) }},
}

// failedCall is a call that did not succeed.
type failedCall struct {
	doing   string
	changes bool
	reading bool // of a PDF that had begun: the error of a reader
	err     error
}

// collection is calls that did not succeed, and what their errors must not show.
type collection struct {
	calls   []failedCall
	secrets []secret
}

// secret is a text that no error may show.
type secret struct{ what, text string }

// secretsOf notes what must not be shown of a notice.
func (c *collection) secretsOf(n pagoinrete.Notice, there pagoinrete.RemoteNotice) {
	c.secrets = append(c.secrets,
		secret{"the debtor's fiscal code", n.Debtor.Reveal()}, secret{"the payer's fiscal code", n.Payer.Reveal()},
		secret{"the debtor's name", debtorName}, secret{"why an event is rejected", why},
		secret{"the notice number", there.Number.Reveal()}, secret{"the IUV", there.Number.IUV().Reveal()},
	)
}

func (p *gatewayProbe) collect() *collection {
	c := &collection{}
	for i, text := range p.env.Secrets {
		c.secrets = append(c.secrets, secret{fmt.Sprintf("Secrets[%d]", i), text})
	}
	return c
}

// refusals makes a call of each method that is refused for each reason that there is, with personal
// data in whatever can hold them.
func (p *gatewayProbe) refusals() *collection {
	all := p.collect()
	_, n := p.ready(pagoinrete.EventNotified)
	open, cancelled := p.ready(pagoinrete.EventSimulated)
	p.moveNotice(cancelled, pagoinrete.NoticeCancel)
	all.secretsOf(n, p.notice(n.ID))
	add := func(doing string, changes bool, err error) {
		all.calls = append(all.calls, failedCall{doing: doing, changes: changes, err: err})
	}
	put := func(doing string, n pagoinrete.Notice, by flussi.Actor) {
		_, err := p.gateway.PutNotice(p.Ctx, by, n)
		add("PutNotice "+doing, true, err)
	}
	invalid, nameless := p.newNotice(open), p.newFee()
	invalid.Debtor, invalid.Discount, nameless.Name = n.Debtor, invalid.Amount, ""
	put("that is not valid", invalid, p.env.Assistant)
	put("in another state", n, p.env.Assistant)
	put("by the principal", p.newNotice(open), p.env.Principal)
	_, err := p.gateway.PutEvent(p.Ctx, p.env.Assistant, nameless)
	add("PutEvent that is not valid", true, err)
	_, err = p.gateway.MoveEvent(p.Ctx, p.env.Principal, open.ID, pagoinrete.EventReject, flussi.NewText(why))
	add("MoveEvent in another state", true, err)
	_, err = p.gateway.MoveEvent(p.Ctx, p.env.Assistant, uuid.New(), pagoinrete.EventSubmit, flussi.Text{})
	add("MoveEvent of none", true, err)
	proof := p.proof(n, n.Debtor.Reveal())
	pay := func(doing string, id uuid.UUID, by flussi.Actor) {
		_, err := p.gateway.MoveNotice(p.Ctx, by, id, pagoinrete.NoticePayManually, proof)
		add("MoveNotice "+doing, true, err)
	}
	pay("in another state", cancelled.ID, p.env.Assistant)
	pay("by the principal", n.ID, p.env.Principal)
	pay("of none", uuid.New(), p.env.Assistant)
	_, err = p.gateway.Event(p.Ctx, uuid.New())
	add("Event of none", false, err)
	_, err = readPDF(p.Ctx, p.gateway, uuid.New())
	add("NoticePDF of none", false, err)
	_, err = p.gateway.Receipt(p.Ctx, n.ID)
	add("Receipt of a notice that was not paid", false, err)
	ended, cancel := context.WithCancel(p.Ctx)
	cancel()
	for _, c := range p.calls() {
		add(c.method+" with a context that has ended", c.done != nil, c.call(ended, p.gateway))
	}
	return all
}

// failures makes a call of each method whose reply is lost, or that does not reach the platform.
func (p *gatewayProbe) failures() *collection {
	p.needs("LoseReplies", "Disconnect", "CutPDFs")
	all := p.collect()
	for _, c := range p.calls() {
		err := during(p.env.LoseReplies, func() error { return c.call(p.Ctx, p.gateway) })
		if err != nil { // a gateway may find out by itself what was done
			all.calls = append(all.calls, failedCall{doing: c.method + " whose reply is lost", changes: c.done != nil, err: err})
		}
	}
	for _, c := range p.calls() {
		err := during(p.env.Disconnect, func() error { return c.call(p.Ctx, p.gateway) })
		all.calls = append(all.calls, failedCall{doing: c.method + " without a connection", changes: c.done != nil, err: err})
	}
	_, n := p.ready(pagoinrete.EventNotified)
	all.secretsOf(n, p.notice(n.ID))
	err := during(p.env.CutPDFs, func() error { _, err := readPDF(p.Ctx, p.gateway, n.ID); return err })
	all.calls = append(all.calls, failedCall{doing: "reading a PDF that is cut off", reading: true, err: err})
	return all
}

// areRemoteErrors checks the type and the fields of the errors.
func (p *gatewayProbe) areRemoteErrors(all *collection) {
	for _, c := range all.calls {
		var e *flussi.RemoteError
		switch {
		case c.reading && c.err != nil: // any error will do
		case !errors.As(c.err, &e):
			p.Fail("%s: want a *flussi.RemoteError, got %w", c.doing, storetest.OrNone(c.err))
		default:
			p.isComplete(c, e)
		}
	}
}

func (p *gatewayProbe) isComplete(c failedCall, e *flussi.RemoteError) {
	for _, field := range []struct{ name, text string }{{"Package", e.Package}, {"Platform", e.Platform}, {"Operation", e.Operation}} {
		if strings.TrimSpace(field.text) == "" {
			p.Fail("%s: the RemoteError has no %s: %w", c.doing, field.name, c.err)
		}
	}
	want := flussi.Outcome("")
	for _, kind := range remoteKinds {
		if c.changes && errors.Is(e.Kind, kind.err) {
			want = kind.outcome
		}
	}
	switch known := slices.ContainsFunc(remoteKinds, func(kind remoteKind) bool { return errors.Is(e.Kind, kind.err) }); {
	case !known:
		p.Fail("%s: the Kind of the RemoteError is none of those of package flussi: %v", c.doing, e.Kind)
	case e.Outcome != want:
		p.Fail("%s: the RemoteError is of the Kind %q, and its Outcome is %q, not %q", c.doing, e.Kind, e.Outcome, want)
	}
}

// showNothing checks the texts of the errors. It does not quote what they show.
func (p *gatewayProbe) showNothing(all *collection) {
	for _, c := range all.calls {
		if c.err == nil {
			p.Fail("%s: no error", c.doing)
			continue
		}
		text := strings.ToLower(fmt.Sprintf("%s %+v %s", c.err.Error(), c.err, flussi.Explain(c.err)))
		for _, secret := range all.secrets {
			if secret.text != "" && strings.Contains(text, strings.ToLower(secret.text)) {
				p.Fail("%s: the error shows %s", c.doing, secret.what)
			}
		}
	}
}
