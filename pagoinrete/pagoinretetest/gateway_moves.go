package pagoinretetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
)

var gatewayEventMoveRules = []gatewayRule{
	{"an event takes the steps of the guide", eventsMove},
	{"an event takes no step that its state does not permit", eventsMoveByState},
	{"an event does not take the same step twice", eventsMoveOnce},
	{"an event takes its steps by the SIDI roles of the guide", eventsMoveByRole},
	{"an event that is rejected says why", rejectionsAreKept},
	{"an action that is no step of an event is refused", otherEventActionsAreRefused},
	{"with an event that is deleted, its notices are cancelled", deletionCancels},
}

var gatewayNoticeMoveRules = []gatewayRule{
	{"a notice is cancelled before it is paid", noticesAreCancelled},
	{"a payment outside Pago In Rete is there with its proof", manualPaymentsAreKept},
	{"a refund is there with its proof", refundsAreKept},
	{"a notice takes no step that its state does not permit", noticesMoveByState},
	{"a notice does not take the same step twice", noticesMoveOnce},
	{"a notice takes its steps by the SIDI roles of the guide", noticesMoveByRole},
	{"an action that is no step of a notice is refused", otherNoticeActionsAreRefused},
}

// The steps that a gateway takes.
var (
	eventSteps = []pagoinrete.EventAction{
		pagoinrete.EventSubmit, pagoinrete.EventApprove, pagoinrete.EventReject, pagoinrete.EventNotify, pagoinrete.EventDelete,
	}
	noticeSteps = []pagoinrete.NoticeAction{pagoinrete.NoticeCancel, pagoinrete.NoticePayManually, pagoinrete.NoticeRefund}
)

// remoteEventStates are the states in which an event can be there.
var remoteEventStates = []pagoinrete.EventState{
	pagoinrete.EventSimulated, pagoinrete.EventToApprove, pagoinrete.EventToNotify, pagoinrete.EventRejected,
	pagoinrete.EventNotified, pagoinrete.EventDeleted,
}

func eventsMove(p *gatewayProbe) {
	for _, office := range []flussi.Actor{p.env.Director, p.env.Assistant} {
		for _, steps := range [][]pagoinrete.EventAction{
			{pagoinrete.EventSubmit, pagoinrete.EventReject, pagoinrete.EventSubmit, pagoinrete.EventApprove, pagoinrete.EventNotify},
			{pagoinrete.EventSubmit, pagoinrete.EventReject, pagoinrete.EventDelete},
			{pagoinrete.EventDelete},
		} {
			e := p.newFee()
			there, err := p.gateway.PutEvent(p.Ctx, office, e)
			p.Must(err, "PutEvent by "+string(office.Roles[0]))
			_, err = p.gateway.PutNotice(p.Ctx, office, p.newNotice(e))
			p.Must(err, "PutNotice by "+string(office.Roles[0]))
			state, remoteID := there.State, there.RemoteID
			for _, action := range steps {
				by := office
				if p.actor(action).ID == p.env.Principal.ID {
					by = p.env.Principal
				}
				doing := fmt.Sprintf("MoveEvent, %s of one that is %s, by %s", action, state, by.Roles[0])
				there, err := p.gateway.MoveEvent(p.Ctx, by, e.ID, action, flussi.NewText(why))
				p.Must(err, doing)
				state, err = pagoinrete.EventMachine().Next(state, action)
				p.Must(err, doing)
				p.Equal(doing, there, pagoinrete.RemoteEvent{ID: e.ID, RemoteID: remoteID, State: state, Rejection: there.Rejection})
				p.Equal("Event after "+doing, p.event(e.ID), there)
			}
		}
	}
}

// refusesMove checks that a step with an event is refused.
func (p *gatewayProbe) refusesMove(doing string, kind error, e pagoinrete.Event, n pagoinrete.Notice, action pagoinrete.EventAction, by flussi.Actor) {
	p.refuses(doing, only(kind), e.ID, []uuid.UUID{n.ID}, func() error {
		_, err := p.gateway.MoveEvent(p.Ctx, by, e.ID, action, flussi.NewText(why))
		return err
	})
}

func eventsMoveByState(p *gatewayProbe) {
	for _, state := range remoteEventStates {
		e, n := p.ready(state)
		for _, action := range eventSteps {
			if _, err := pagoinrete.EventMachine().Next(state, action); err != nil {
				p.refusesMove(fmt.Sprintf("MoveEvent, %s of one that is %s", action, state), flussi.ErrRemoteState, e, n, action, p.actor(action))
			}
		}
	}
}

func eventsMoveOnce(p *gatewayProbe) {
	for _, action := range eventSteps {
		e, n := p.ready(p.from(action))
		p.move(e.ID, action)
		p.refusesMove(fmt.Sprintf("MoveEvent, %s for the second time", action), flussi.ErrRemoteState, e, n, action, p.actor(action))
	}
}

// from returns a state in which an event can take a step.
func (p *gatewayProbe) from(action pagoinrete.EventAction) pagoinrete.EventState {
	at := slices.IndexFunc(remoteEventStates, func(state pagoinrete.EventState) bool {
		_, err := pagoinrete.EventMachine().Next(state, action)
		return err == nil
	})
	return remoteEventStates[at]
}

// strangers are users who may not do what somebody of the office, or the principal, may.
func (p *gatewayProbe) strangers(principals bool) []flussi.Actor {
	all := []flussi.Actor{{}, {ID: "suite-nessuno"}, {ID: "suite-operatore", Roles: []flussi.Role{flussi.Operator}}}
	if principals {
		return append(all, p.env.Director, p.env.Assistant)
	}
	return append(all, p.env.Principal)
}

// shown names an actor in a message.
func shown(by flussi.Actor) string { return fmt.Sprintf("%q as %v", by.ID, by.Roles) }

func eventsMoveByRole(p *gatewayProbe) {
	for _, action := range eventSteps {
		e, n := p.ready(p.from(action))
		for _, by := range p.strangers(p.actor(action).ID == p.env.Principal.ID) {
			p.refusesMove(fmt.Sprintf("MoveEvent, %s by %s", action, shown(by)), flussi.ErrRemoteForbidden, e, n, action, by)
		}
	}
	e, n := p.ready(pagoinrete.EventSimulated)
	newEvent, newNotice := p.newFee(), p.newNotice(e)
	for _, by := range p.strangers(false) {
		p.refusesEvent("PutEvent by "+shown(by), flussi.ErrRemoteForbidden, by, newEvent)
		p.refusesPut("PutNotice by "+shown(by), only(flussi.ErrRemoteForbidden), by, newNotice, e.ID, n.ID)
	}
}

// longReason returns a reason of many lines, as long as [pagoinrete.Service.RejectEvent] takes it:
// 4000 UTF-16 code units.
func longReason() string {
	const line = "Perché l'importo è 45,00 €?\n"
	lines := []rune(strings.Repeat(line, 200))
	return string(lines[:3999]) + "."
}

// rejectionsAreKept lets a line break come back as a blank, since a platform may have no more than
// one line for a reason; it must not come back as nothing.
func rejectionsAreKept(p *gatewayProbe) {
	blanks := func(text string) string { return strings.ReplaceAll(text, "\n", " ") }
	for _, reason := range []string{why, "Perché l'importo è 45,00 €?", longReason(), ""} {
		e, _ := p.ready(pagoinrete.EventToApprove)
		if !p.event(e.ID).Rejection.IsZero() {
			p.Fail("Event of one that nobody rejected: it has a Rejection")
		}
		there, err := p.gateway.MoveEvent(p.Ctx, p.env.Principal, e.ID, pagoinrete.EventReject, flussi.NewText(reason))
		p.Must(err, "MoveEvent, reject")
		p.is("the Rejection of MoveEvent", blanks(there.Rejection.Reveal()), blanks(reason))
		p.is("the Rejection of Event", blanks(p.event(e.ID).Rejection.Reveal()), blanks(reason))
	}
}

func otherEventActionsAreRefused(p *gatewayProbe) {
	e, n := p.ready(pagoinrete.EventSimulated)
	for _, action := range []pagoinrete.EventAction{pagoinrete.EventTransmit, pagoinrete.EventEdit, pagoinrete.EventVerify, "archive", ""} {
		p.refusesMove(fmt.Sprintf("MoveEvent, %q", action), flussi.ErrRemoteInvalid, e, n, action, p.env.Assistant)
	}
}

func deletionCancels(p *gatewayProbe) {
	for _, state := range []pagoinrete.EventState{pagoinrete.EventSimulated, pagoinrete.EventRejected} {
		e, n := p.ready(state)
		other, kept := p.newNotice(e), p.newFee()
		p.putNotice(other)
		p.putEvent(kept)
		ofOther := p.newNotice(kept)
		p.putNotice(ofOther)
		before := p.look(kept.ID, ofOther.ID)
		p.move(e.ID, pagoinrete.EventDelete)
		for _, id := range []uuid.UUID{n.ID, other.ID} {
			p.is("a notice of an event that was deleted when it was "+string(state), p.notice(id).State, pagoinrete.NoticeCancelled)
		}
		p.unchanged("the deletion of another event", before, p.look(kept.ID, ofOther.ID))
	}
}

// movesTo takes a step with a notice by a proof, and checks what becomes of it.
func (p *gatewayProbe) movesTo(
	n pagoinrete.Notice, action pagoinrete.NoticeAction, proof pagoinrete.Proof,
	state pagoinrete.NoticeState, evidence func(*pagoinrete.Evidence),
) {
	want := p.notice(n.ID)
	want.State = state
	evidence(&want.Evidence)
	p.Equal(fmt.Sprintf("MoveNotice, %s", action), p.moveNoticeBy(n, action, proof), want)
	p.Equal(fmt.Sprintf("Notices after MoveNotice, %s", action), p.notice(n.ID), want)
}

func noticesAreCancelled(p *gatewayProbe) {
	for _, state := range remoteEventStates[:5] {
		e, n := p.ready(state)
		p.movesTo(n, pagoinrete.NoticeCancel, pagoinrete.Proof{}, pagoinrete.NoticeCancelled, func(*pagoinrete.Evidence) {})
		p.is("Event, one of whose notices was cancelled", p.event(e.ID).State, state)
	}
}

// provable is a notice with a proof of what is due.
type provable struct {
	notice pagoinrete.Notice
	proof  pagoinrete.Proof
}

// provables returns notices of events that are Notificato: an ordinary one, and one of a large
// amount, whose proof has the longest reference. The dates of the proofs are whole seconds, since
// [pagoinrete.Gateway] does not promise to keep more.
func (p *gatewayProbe) provables() []provable {
	_, n := p.ready(pagoinrete.EventNotified)
	e := p.newLargeFee()
	large := p.newNotice(e)
	p.lead(pagoinrete.EventNotified, e, large)
	longest := strings.Repeat("mandato 7/", pagoinrete.MaxReference)[:pagoinrete.MaxReference]
	return []provable{{n, p.proof(n, "mandato 7")}, {large, p.proof(large, longest)}}
}

func manualPaymentsAreKept(p *gatewayProbe) {
	for _, one := range p.provables() {
		p.movesTo(one.notice, pagoinrete.NoticePayManually, one.proof, pagoinrete.NoticePaidManually,
			func(e *pagoinrete.Evidence) { e.Manual = one.proof })
	}
}

func refundsAreKept(p *gatewayProbe) {
	for _, one := range p.provables() {
		p.moveNotice(one.notice, pagoinrete.NoticePayManually)
		p.movesTo(one.notice, pagoinrete.NoticeRefund, one.proof, pagoinrete.NoticeRefunded,
			func(e *pagoinrete.Evidence) { e.Refund = one.proof })
	}
}

// refusesNotice checks that a step with a notice is refused.
func (p *gatewayProbe) refusesNotice(doing string, kind error, e pagoinrete.Event, n pagoinrete.Notice, action pagoinrete.NoticeAction, by flussi.Actor) {
	p.refuses(doing, only(kind), e.ID, []uuid.UUID{n.ID}, func() error {
		_, err := p.gateway.MoveNotice(p.Ctx, by, n.ID, action, p.proofFor(n, action))
		return err
	})
}

// noticeWays lead a notice of an event that is Notificato to the states to which the office can
// lead it.
var noticeWays = []struct {
	state pagoinrete.NoticeState
	steps []pagoinrete.NoticeAction
}{
	{pagoinrete.NoticeNotNotified, nil},
	{pagoinrete.NoticeCancelled, []pagoinrete.NoticeAction{pagoinrete.NoticeCancel}},
	{pagoinrete.NoticePaidManually, []pagoinrete.NoticeAction{pagoinrete.NoticePayManually}},
	{pagoinrete.NoticeRefunded, []pagoinrete.NoticeAction{pagoinrete.NoticePayManually, pagoinrete.NoticeRefund}},
}

func noticesMoveByState(p *gatewayProbe) {
	for _, way := range noticeWays {
		e, n := p.ready(pagoinrete.EventNotified)
		for _, action := range way.steps {
			p.moveNotice(n, action)
		}
		for _, action := range noticeSteps {
			if _, err := pagoinrete.NoticeMachine().Next(way.state, action); err != nil {
				p.refusesNotice(fmt.Sprintf("MoveNotice, %s of one that is %s", action, way.state), flussi.ErrRemoteState, e, n, action, p.env.Assistant)
			}
		}
	}
	for _, state := range remoteEventStates[:4] { // nothing is paid before the event is Notificato
		e, n := p.ready(state)
		for _, action := range []pagoinrete.NoticeAction{pagoinrete.NoticePayManually, pagoinrete.NoticeRefund} {
			p.refusesNotice(fmt.Sprintf("MoveNotice, %s while the event is %s", action, state), flussi.ErrRemoteState, e, n, action, p.env.Assistant)
		}
	}
}

func noticesMoveOnce(p *gatewayProbe) {
	for _, way := range noticeWays {
		e, n := p.ready(pagoinrete.EventNotified)
		for _, action := range way.steps {
			p.moveNotice(n, action)
			p.refusesNotice(fmt.Sprintf("MoveNotice, %s for the second time", action), flussi.ErrRemoteState, e, n, action, p.env.Assistant)
		}
	}
}

func noticesMoveByRole(p *gatewayProbe) {
	for _, action := range noticeSteps {
		e, n := p.ready(pagoinrete.EventNotified)
		if action == pagoinrete.NoticeRefund {
			p.moveNotice(n, pagoinrete.NoticePayManually)
		}
		for _, by := range p.strangers(false) {
			p.refusesNotice(fmt.Sprintf("MoveNotice, %s by %s", action, shown(by)), flussi.ErrRemoteForbidden, e, n, action, by)
		}
		_, err := p.gateway.MoveNotice(p.Ctx, p.env.Director, n.ID, action, p.proof(n, string(action)))
		p.Must(err, fmt.Sprintf("MoveNotice, %s by %s", action, shown(p.env.Director)))
	}
}

func otherNoticeActionsAreRefused(p *gatewayProbe) {
	e, n := p.ready(pagoinrete.EventNotified)
	for _, action := range []pagoinrete.NoticeAction{pagoinrete.NoticePay, pagoinrete.NoticeTransmit, pagoinrete.NoticeVerify, "suspend", ""} {
		p.refusesNotice(fmt.Sprintf("MoveNotice, %q", action), flussi.ErrRemoteInvalid, e, n, action, p.env.Assistant)
	}
}
