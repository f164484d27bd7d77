package pagoinrete_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

// scene has an event in every state, and notices for whatever may be done with one.
type scene struct {
	created, simulated, toSubmit, submitted, approved, odd, notified pagoinrete.Event
	draft, unsent, open, paid, byHand, strange, hidden, shown        pagoinrete.Notice
}

const secretReason = "Motivosegretissimo"

func sceneOf(t testing.TB, w *world) *scene {
	t.Helper()
	ctx := t.Context()
	s := &scene{}
	must := func(err error) { t.Helper(); require.NoError(t, err) }
	var err error
	s.created, err = w.CreateEvent(ctx, assistant, pagoinrete.Fee, school, trip(t))
	must(err)
	s.simulated = w.simulated(t, pagoinrete.Fee)
	_, err = w.AddNotices(ctx, assistant, s.simulated.ID, pagoinrete.NoticeDraftRows(drafts(2)...), pagoinrete.AddConfig{})
	must(err)
	unsent := w.notices(t, s.simulated.ID)
	s.draft, s.unsent = unsent[0], unsent[1]
	s.toSubmit = w.simulated(t, pagoinrete.Donation)
	s.submitted, s.approved = w.toApprove(t, 1), w.toApprove(t, 1)
	s.approved, err = w.ApproveEvent(ctx, principal, s.approved.ID)
	must(err)
	s.odd = w.toApprove(t, 1)
	require.True(t, w.platform.Forget(s.odd.ID))
	s.odd, _, err = w.VerifyEvent(ctx, assistant, s.odd.ID)
	require.ErrorIs(t, err, pagoinrete.ErrDiscrepancy)
	s.notified = w.notified(t, 4)
	all := w.notices(t, s.notified.ID)
	s.open, s.paid, s.byHand, s.strange, s.hidden, s.shown = all[0], all[1], all[2], all[3], all[4], all[5]
	require.True(t, w.platform.Pay(s.paid.ID, s.paid.Due()))
	require.True(t, w.platform.Pay(s.strange.ID, 1))
	_, err = w.VerifyOpen(ctx, assistant, school)
	must(err)
	s.byHand, err = w.PayNoticeManually(ctx, assistant, s.byHand.ID, pagoinrete.Proof{Reference: "Bollettino", Amount: s.byHand.Due(), Date: day(t, 10, 1)})
	must(err)
	s.shown, err = w.ShowNotice(ctx, assistant, s.shown.ID)
	must(err)
	s.paid, err = w.Notice(ctx, assistant, s.paid.ID)
	must(err)
	s.strange, err = w.Notice(ctx, assistant, s.strange.ID)
	must(err)
	s.notified, err = w.Event(ctx, assistant, s.notified.ID)
	must(err)
	return s
}

// missing is the same scene with IDs that do not exist.
func (s scene) missing() *scene {
	for _, e := range []*pagoinrete.Event{&s.created, &s.simulated, &s.toSubmit, &s.submitted, &s.approved, &s.odd, &s.notified} {
		e.ID = uuid.New()
	}
	for _, n := range []*pagoinrete.Notice{&s.draft, &s.unsent, &s.open, &s.paid, &s.byHand, &s.strange, &s.hidden, &s.shown} {
		n.ID = uuid.New()
	}
	return &s
}

// call is a call of a method that succeeds for who may make it.
type call struct {
	by      flussi.Actor // who may; nobody in particular: whoever works for the school
	school  bool         // it names a school, not an event or a notice
	list    bool         // it lists what there is
	remote  []restgatewaytest.Operation
	do      func(ctx context.Context, t testing.TB, w *world, s *scene, by flussi.Actor) error
	changes bool
}

func drop[T any](_ T, err error) error { return err }

func calls() map[string]call {
	why := flussi.NewText(secretReason)
	proof := func(t testing.TB, n pagoinrete.Notice) pagoinrete.Proof {
		return pagoinrete.Proof{Reference: "Documento 1", Amount: n.Due(), Date: day(t, 10, 2)}
	}
	type (
		ctx = context.Context
		tb  = testing.TB
		act = flussi.Actor
	)
	put, move, get := restgatewaytest.PutEvent, restgatewaytest.MoveEvent, restgatewaytest.GetEvent
	putNotice, moveNotice, getNotices := restgatewaytest.PutNotice, restgatewaytest.MoveNotice, restgatewaytest.GetNotices
	ops := func(all ...restgatewaytest.Operation) []restgatewaytest.Operation { return all }
	return map[string]call{
		"Schools": {list: true, do: func(c ctx, t tb, w *world, s *scene, by act) error { return drop(w.Schools(c, by)) }},
		"Events": {list: true, do: func(c ctx, t tb, w *world, s *scene, by act) error {
			page, err := w.Events(c, by, pagoinrete.EventFilter{}, pagoinrete.Page{})
			if err == nil && len(page.Events) == 0 {
				err = flussi.ErrNotFound
			}
			return err
		}},
		"Notices": {list: true, do: func(c ctx, t tb, w *world, s *scene, by act) error {
			page, err := w.Notices(c, by, pagoinrete.NoticeFilter{Debtor: s.draft.Debtor}, pagoinrete.Page{})
			if err == nil && len(page.Notices) == 0 {
				err = flussi.ErrNotFound
			}
			return err
		}},
		"AllNotices": {list: true, do: func(c ctx, t tb, w *world, s *scene, by act) error {
			for _, err := range w.AllNotices(c, by, pagoinrete.NoticeFilter{}) {
				return err
			}
			return flussi.ErrNotFound
		}},
		"Event":         {do: func(c ctx, t tb, w *world, s *scene, by act) error { return drop(w.Event(c, by, s.created.ID)) }},
		"EventHistory":  {do: func(c ctx, t tb, w *world, s *scene, by act) error { return drop(w.EventHistory(c, by, s.created.ID)) }},
		"EventActions":  {do: func(c ctx, t tb, w *world, s *scene, by act) error { return drop(w.EventActions(c, by, s.created.ID)) }},
		"Notice":        {do: func(c ctx, t tb, w *world, s *scene, by act) error { return drop(w.Notice(c, by, s.open.ID)) }},
		"NoticeHistory": {do: func(c ctx, t tb, w *world, s *scene, by act) error { return drop(w.NoticeHistory(c, by, s.open.ID)) }},
		"NoticeActions": {do: func(c ctx, t tb, w *world, s *scene, by act) error { return drop(w.NoticeActions(c, by, s.open.ID)) }},
		"Receipt": {remote: ops(restgatewaytest.GetReceipt), do: func(c ctx, t tb, w *world, s *scene, by act) error {
			return drop(w.Receipt(c, by, s.paid.ID))
		}},
		"NoticePDF": {by: assistant, remote: ops(restgatewaytest.GetPDF), do: func(c ctx, t tb, w *world, s *scene, by act) error {
			body, err := w.NoticePDF(c, by, s.open.ID)
			if err == nil {
				_, err = io.Copy(io.Discard, body)
				assert.NoError(t, body.Close())
			}
			return err
		}},
		"EventPDFs": {by: assistant, remote: ops(restgatewaytest.GetPDF), do: func(c ctx, t tb, w *world, s *scene, by act) error {
			var all error
			for pdf, err := range w.EventPDFs(c, by, s.notified.ID) {
				if err == nil {
					_, err = io.Copy(io.Discard, pdf.Body)
				}
				all = errors.Join(all, err)
			}
			return all
		}},
		"CreateEvent": {by: assistant, school: true, changes: true, do: func(c ctx, t tb, w *world, s *scene, by act) error {
			return drop(w.CreateEvent(c, by, pagoinrete.Fee, school, trip(t)))
		}},
		"EditEvent": {by: assistant, changes: true, remote: ops(put, get), do: func(c ctx, t tb, w *world, s *scene, by act) error {
			return drop(w.EditEvent(c, by, s.simulated.ID, s.simulated.Version+1, trip(t)))
		}},
		"TransmitEvent": {by: assistant, changes: true, remote: ops(put, get), do: func(c ctx, t tb, w *world, s *scene, by act) error {
			return drop(w.TransmitEvent(c, by, s.created.ID))
		}},
		"AddNotices": {by: assistant, changes: true, do: func(c ctx, t tb, w *world, s *scene, by act) error {
			return drop(w.AddNotices(c, by, s.simulated.ID, pagoinrete.NoticeDraftRows(drafts(3)[2]), pagoinrete.AddConfig{}))
		}},
		"TransmitNotices": {by: assistant, changes: true, remote: ops(putNotice, getNotices), do: func(c ctx, t tb, w *world, s *scene, by act) error {
			report, err := w.TransmitNotices(c, by, s.simulated.ID)
			if err == nil && len(report.Errors) > 0 {
				err = report.Errors[0]
			}
			return err
		}},
		"TransmitNotice": {by: assistant, changes: true, remote: ops(putNotice, getNotices), do: func(c ctx, t tb, w *world, s *scene, by act) error {
			return drop(w.TransmitNotice(c, by, s.unsent.ID))
		}},
		"SubmitEvent": {by: assistant, changes: true, remote: ops(put, move, get), do: func(c ctx, t tb, w *world, s *scene, by act) error {
			return drop(w.SubmitEvent(c, by, s.toSubmit.ID))
		}},
		"ApproveEvent": {by: principal, changes: true, remote: ops(move, get), do: func(c ctx, t tb, w *world, s *scene, by act) error {
			return drop(w.ApproveEvent(c, by, s.submitted.ID))
		}},
		"RejectEvent": {by: principal, changes: true, remote: ops(move, get), do: func(c ctx, t tb, w *world, s *scene, by act) error {
			return drop(w.RejectEvent(c, by, s.submitted.ID, why))
		}},
		"NotifyEvent": {by: assistant, changes: true, remote: ops(move, get), do: func(c ctx, t tb, w *world, s *scene, by act) error {
			return drop(w.NotifyEvent(c, by, s.approved.ID))
		}},
		"DeleteEvent": {by: assistant, changes: true, remote: ops(move, get), do: func(c ctx, t tb, w *world, s *scene, by act) error {
			return drop(w.DeleteEvent(c, by, s.simulated.ID))
		}},
		"ResolveEventDiscrepancy": {by: assistant, changes: true, do: func(c ctx, t tb, w *world, s *scene, by act) error {
			return drop(w.ResolveEventDiscrepancy(c, by, s.odd.ID, s.odd.Version, why))
		}},
		"ShowEvent": {by: assistant, changes: true, do: func(c ctx, t tb, w *world, s *scene, by act) error { return drop(w.ShowEvent(c, by, s.notified.ID)) }},
		"VerifyEvent": {by: assistant, remote: ops(get, getNotices), do: func(c ctx, t tb, w *world, s *scene, by act) error {
			_, _, err := w.VerifyEvent(c, by, s.notified.ID)
			return err
		}},
		"VerifyOpen": {by: assistant, school: true, remote: ops(getNotices), do: func(c ctx, t tb, w *world, s *scene, by act) error {
			return drop(w.VerifyOpen(c, by, school))
		}},
		"VerifyNotice": {by: assistant, remote: ops(getNotices), do: func(c ctx, t tb, w *world, s *scene, by act) error {
			return drop(w.VerifyNotice(c, by, s.open.ID))
		}},
		"EditNotice": {by: assistant, changes: true, do: func(c ctx, t tb, w *world, s *scene, by act) error {
			return drop(w.EditNotice(c, by, s.draft.ID, s.draft.Version, s.draft.NoticeData))
		}},
		"CancelNotice": {by: assistant, changes: true, remote: ops(moveNotice, getNotices), do: func(c ctx, t tb, w *world, s *scene, by act) error {
			return drop(w.CancelNotice(c, by, s.open.ID, why))
		}},
		"PayNoticeManually": {by: assistant, changes: true, remote: ops(moveNotice, getNotices), do: func(c ctx, t tb, w *world, s *scene, by act) error {
			return drop(w.PayNoticeManually(c, by, s.open.ID, proof(t, s.open)))
		}},
		"ReconcileNoticeManually": {by: assistant, changes: true, do: func(c ctx, t tb, w *world, s *scene, by act) error {
			return drop(w.ReconcileNoticeManually(c, by, s.byHand.ID, proof(t, s.byHand)))
		}},
		"RefundNotice": {by: assistant, changes: true, remote: ops(moveNotice, getNotices), do: func(c ctx, t tb, w *world, s *scene, by act) error {
			return drop(w.RefundNotice(c, by, s.paid.ID, proof(t, s.paid)))
		}},
		"ShowNotice": {by: assistant, changes: true, do: func(c ctx, t tb, w *world, s *scene, by act) error { return drop(w.ShowNotice(c, by, s.hidden.ID)) }},
		"HideNotice": {by: assistant, changes: true, do: func(c ctx, t tb, w *world, s *scene, by act) error { return drop(w.HideNotice(c, by, s.shown.ID)) }},
		"ResolveNoticeDiscrepancy": {by: assistant, changes: true, do: func(c ctx, t tb, w *world, s *scene, by act) error {
			return drop(w.ResolveNoticeDiscrepancy(c, by, s.strange.ID, s.strange.Version, why))
		}},
		"ApplySettlement": {by: assistant, school: true, changes: true, do: func(c ctx, t tb, w *world, s *scene, by act) error {
			return drop(w.ApplySettlement(c, by, school, payments(payment(t, s.paid, "FR-1"))))
		}},
		"ApplyJournal": {by: assistant, school: true, changes: true, do: func(c ctx, t tb, w *world, s *scene, by act) error {
			return drop(w.ApplyJournal(c, by, school, payments(payment(t, s.paid, "P-1"))))
		}},
		"MatchSettlement": {by: assistant, changes: true, do: func(c ctx, t tb, w *world, s *scene, by act) error {
			return drop(w.MatchSettlement(c, by, s.paid.ID, payment(t, s.paid, "FR-1")))
		}},
		"MatchMovement": {by: assistant, changes: true, remote: ops(moveNotice, getNotices), do: func(c ctx, t tb, w *world, s *scene, by act) error {
			return drop(w.MatchMovement(c, by, s.open.ID, payment(t, s.open, "P-1")))
		}},
	}
}

// everything is all that a store holds, as text.
func everything(t testing.TB, w *world) string {
	t.Helper()
	var b strings.Builder
	ctx := context.WithoutCancel(t.Context())
	events, err := w.store.Events(ctx, pagoinrete.EventFilter{}, pagoinrete.Page{Limit: 1000})
	require.NoError(t, err)
	for _, e := range events {
		records, err := w.store.EventHistory(ctx, e.ID)
		require.NoError(t, err)
		fmt.Fprintf(&b, "%+v %+v\n", e, records)
	}
	notices, err := w.store.Notices(ctx, pagoinrete.NoticeFilter{}, pagoinrete.Page{Limit: 1000})
	require.NoError(t, err)
	for _, n := range notices {
		records, err := w.store.NoticeHistory(ctx, n.ID)
		require.NoError(t, err)
		fmt.Fprintf(&b, "%+v %+v\n", n, records)
	}
	return b.String()
}

// received counts what the platform was asked for.
func (w *world) received() (all int) {
	for _, op := range restgatewaytest.Operations() {
		all += w.platform.Received(op)
	}
	return all
}

func TestTheTableOfCallsIsComplete(t *testing.T) {
	all := calls()
	p := reflect.TypeFor[*pagoinrete.Service]()
	for i := range p.NumMethod() {
		assert.Contains(t, all, p.Method(i).Name)
	}
	assert.Len(t, all, p.NumMethod())
}

func TestEveryCallAsksWhoMakesIt(t *testing.T) {
	everyRole := []flussi.Role{flussi.AdminAssistant, flussi.AdminDirector, flussi.Principal, flussi.System, flussi.Operator}
	for name, c := range calls() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := sceneOf(t, w)
			before, asked := everything(t, w), w.received()
			unchanged := func(who string) {
				t.Helper()
				require.Equal(t, before, everything(t, w), who)
				require.Equal(t, asked, w.received(), "%s reached Pago In Rete", who)
			}
			who := c.by
			if who.ID == "" {
				who = principal
			}
			stranger := flussi.Actor{ID: system.ID + "2", Roles: everyRole}
			err := c.do(t.Context(), t, w, s, stranger)
			switch {
			case name == "Schools":
			case c.school:
				assert.ErrorIs(t, err, flussi.ErrForbidden)
			default:
				assert.ErrorIs(t, err, flussi.ErrNotFound)
			}
			unchanged("a stranger")
			if !c.school && !c.list {
				missing := c.do(t.Context(), t, w, s.missing(), who)
				assert.ErrorIs(t, missing, flussi.ErrNotFound)
				assert.Equal(t, flussi.Explain(missing), flussi.Explain(err), "which of the two is not told")
				unchanged("what is not there")
			}
			assert.ErrorIs(t, c.do(t.Context(), t, w, s, flussi.Actor{Roles: everyRole}), flussi.ErrEmpty)
			unchanged("nobody")
			over, cancel := context.WithCancel(t.Context())
			cancel()
			assert.ErrorIs(t, c.do(over, t, w, s, who), context.Canceled)
			unchanged("a context that is over")
			if c.by.ID != "" {
				assert.ErrorIs(t, c.do(t.Context(), t, w, s, flussi.Actor{ID: who.ID}), fsm.ErrRole)
				unchanged("somebody without a role")
			}
			assert.NoError(t, c.do(t.Context(), t, w, s, who))
			assert.Equal(t, c.changes, before != everything(t, w), "whether it changes something")
			assert.Equal(t, len(c.remote) > 0, asked != w.received(), "whether it asks Pago In Rete")
		})
	}
}

// Whatever goes wrong in Pago In Rete, and wherever: the same call made again once it works does
// what it should, nothing is there twice, and no error shows what it should not.
func TestEveryCallCanBeMadeAgain(t *testing.T) {
	for name, c := range calls() {
		for _, op := range c.remote {
			t.Run(fmt.Sprint(name, " ", op), func(t *testing.T) {
				for i, fault := range restgatewaytest.Faults() {
					if testing.Short() && (i+len(name))%4 > 0 { // another quarter for each call
						continue
					}
					synctest.Test(t, func(t *testing.T) {
						w := newWorld(t)
						s := sceneOf(t, w)
						w.platform.Fail(op, fault)
						if op == restgatewaytest.GetEvent || op == restgatewaytest.GetNotices { // what reads back
							for _, change := range c.remote {
								if change != op {
									w.platform.Fail(change, restgatewaytest.Fault{Kind: restgatewaytest.BadGateway, Stored: true})
								}
							}
						}
						err := c.do(t.Context(), t, w, s, or(c.by, principal))
						if err != nil {
							assert.NotEmpty(t, flussi.Explain(err))
							assert.NotContains(t, flussi.Explain(err), "problema tecnico", "%v: %v", fault, err)
							for _, secret := range secrets(s) {
								assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), secret)
							}
						}
						w.platform.StopFailing()
						again := c.do(t.Context(), t, w, s, or(c.by, principal))
						if err != nil {
							assert.NoError(t, again, "%v, after %v", fault, err)
						}
						for _, e := range w.platform.Events() {
							assert.Equal(t, 1, e.Created)
						}
						for _, n := range w.platform.Notices() {
							assert.Equal(t, 1, n.Created)
						}
					})
				}
			})
		}
	}
}

// A lookup that finds nothing is easily taken for one that does.
func TestASchoolWithoutAGatewayIsToldSo(t *testing.T) {
	for name, c := range calls() {
		if len(c.remote) == 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := sceneOf(t, w)
			none, err := pagoinrete.NewService(w.store, staffs, func(context.Context, string) (pagoinrete.Gateway, error) { return nil, nil }, pagoinrete.ServiceConfig{})
			require.NoError(t, err)
			before := everything(t, w)
			err = c.do(t.Context(), t, &world{none, w.store, w.platform, nil}, s, or(c.by, principal))
			assert.ErrorIs(t, err, flussi.ErrConfig)
			assert.Equal(t, "La scuola non è collegata a Pago In Rete: rivolgersi all'assistenza.", flussi.Explain(err))
			assert.Equal(t, before, everything(t, w))
		})
	}
}

func or(by, other flussi.Actor) flussi.Actor {
	if by.ID == "" {
		return other
	}
	return by
}

// secrets are what must not show.
func secrets(s *scene) []string {
	return []string{
		secretReason, s.open.Debtor.Reveal(), s.open.Payer.Reveal(), "Rossi Ada", s.open.Number.Reveal(), s.open.IUV().Reveal(), "chiave-0",
		s.draft.Debtor.Reveal(),
	}
}
