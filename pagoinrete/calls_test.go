package pagoinrete_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/authtest"
	"github.com/flussi-go/flussi/internal/must"
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
	var err error
	s.created, err = w.CreateEvent(ctx, assistant, pagoinrete.Fee, school, trip())
	require.NoError(t, err)
	s.simulated = w.simulated(t, pagoinrete.Fee)
	_, err = w.AddNotices(ctx, assistant, s.simulated.ID, pagoinrete.NoticeDraftRows(drafts(2)...), pagoinrete.AddConfig{})
	require.NoError(t, err)
	unsent := w.notices(t, s.simulated.ID)
	s.draft, s.unsent = unsent[0], unsent[1]
	s.toSubmit = w.simulated(t, pagoinrete.Donation)
	s.submitted, s.approved = w.toApprove(t, 1), w.toApprove(t, 1)
	s.approved, err = w.ApproveEvent(ctx, principal, s.approved.ID)
	require.NoError(t, err)
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
	require.NoError(t, err)
	s.byHand, err = w.PayNoticeManually(ctx, assistant, s.byHand.ID, pagoinrete.Proof{Reference: "Bollettino", Amount: s.byHand.Due(), Date: day(10, 1)})
	require.NoError(t, err)
	s.shown, err = w.ShowNotice(ctx, assistant, s.shown.ID)
	require.NoError(t, err)
	s.paid, err = w.Notice(ctx, assistant, s.paid.ID)
	require.NoError(t, err)
	s.strange, err = w.Notice(ctx, assistant, s.strange.ID)
	require.NoError(t, err)
	s.notified, err = w.Event(ctx, assistant, s.notified.ID)
	require.NoError(t, err)
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

// setting is where a call is made, and by whom.
type setting struct {
	ctx context.Context
	*pagoinrete.Service
	*scene
	by flussi.Actor
}

// call is a call of a method that succeeds for who may make it.
type call struct {
	by      flussi.Actor // who may; nobody in particular: whoever works for the school
	names   authtest.Names
	remote  []restgatewaytest.Operation
	do      func(x setting) (any, error)
	changes bool
}

func calls() map[string]call {
	why := flussi.NewText(secretReason)
	proof := func(n pagoinrete.Notice) pagoinrete.Proof {
		return pagoinrete.Proof{Reference: "Documento 1", Amount: n.Due(), Date: day(10, 2)}
	}
	put, move, get := restgatewaytest.PutEvent, restgatewaytest.MoveEvent, restgatewaytest.GetEvent
	putNotice, moveNotice, getNotices := restgatewaytest.PutNotice, restgatewaytest.MoveNotice, restgatewaytest.GetNotices
	ops := func(all ...restgatewaytest.Operation) []restgatewaytest.Operation { return all }
	return map[string]call{
		"Schools": {names: authtest.List, do: func(x setting) (any, error) { return x.Schools(x.ctx, x.by) }},
		"Events": {names: authtest.List, do: func(x setting) (any, error) {
			return x.Events(x.ctx, x.by, pagoinrete.EventFilter{}, pagoinrete.Page{})
		}},
		"Notices": {names: authtest.List, do: func(x setting) (any, error) {
			return x.Notices(x.ctx, x.by, pagoinrete.NoticeFilter{Debtor: x.draft.Debtor}, pagoinrete.Page{})
		}},
		"AllNotices": {names: authtest.List, do: func(x setting) (any, error) {
			var all []pagoinrete.Notice
			for n, err := range x.AllNotices(x.ctx, x.by, pagoinrete.NoticeFilter{}) {
				if err != nil {
					return all, err
				}
				all = append(all, n)
			}
			return all, nil
		}},
		"Event":         {do: func(x setting) (any, error) { return x.Event(x.ctx, x.by, x.created.ID) }},
		"EventHistory":  {do: func(x setting) (any, error) { return x.EventHistory(x.ctx, x.by, x.created.ID) }},
		"EventActions":  {do: func(x setting) (any, error) { return x.EventActions(x.ctx, x.by, x.created.ID) }},
		"Notice":        {do: func(x setting) (any, error) { return x.Notice(x.ctx, x.by, x.open.ID) }},
		"NoticeHistory": {do: func(x setting) (any, error) { return x.NoticeHistory(x.ctx, x.by, x.open.ID) }},
		"NoticeActions": {do: func(x setting) (any, error) { return x.NoticeActions(x.ctx, x.by, x.open.ID) }},
		"Receipt": {remote: ops(restgatewaytest.GetReceipt), do: func(x setting) (any, error) {
			return x.Receipt(x.ctx, x.by, x.paid.ID)
		}},
		"NoticePDF": {by: assistant, remote: ops(restgatewaytest.GetPDF), do: func(x setting) (any, error) {
			body, err := x.NoticePDF(x.ctx, x.by, x.open.ID)
			if err != nil {
				return body, err
			}
			data, err := io.ReadAll(body)
			return data, errors.Join(err, body.Close())
		}},
		"EventPDFs": {by: assistant, remote: ops(restgatewaytest.GetPDF), do: func(x setting) (any, error) {
			var read int64
			var all error
			for pdf, err := range x.EventPDFs(x.ctx, x.by, x.notified.ID) {
				if err == nil {
					var n int64
					n, err = io.Copy(io.Discard, pdf.Body)
					read += n
				}
				all = errors.Join(all, err)
			}
			return read, all
		}},
		"CreateEvent": {by: assistant, names: authtest.Scope, changes: true, do: func(x setting) (any, error) {
			return x.CreateEvent(x.ctx, x.by, pagoinrete.Fee, school, trip())
		}},
		"EditEvent": {by: assistant, changes: true, remote: ops(put, get), do: func(x setting) (any, error) {
			return x.EditEvent(x.ctx, x.by, x.simulated.ID, x.simulated.Version+1, trip())
		}},
		"TransmitEvent": {by: assistant, changes: true, remote: ops(put, get), do: func(x setting) (any, error) {
			return x.TransmitEvent(x.ctx, x.by, x.created.ID)
		}},
		"AddNotices": {by: assistant, changes: true, do: func(x setting) (any, error) {
			return x.AddNotices(x.ctx, x.by, x.simulated.ID, pagoinrete.NoticeRows(pagoinrete.NoticeRow{Draft: drafts(3)[2]}), pagoinrete.AddConfig{})
		}},
		"TransmitNotices": {by: assistant, changes: true, remote: ops(putNotice, getNotices), do: func(x setting) (any, error) {
			report, err := x.TransmitNotices(x.ctx, x.by, x.simulated.ID)
			if err == nil && len(report.Errors) > 0 {
				err = report.Errors[0]
			}
			return report, err
		}},
		"TransmitNotice": {by: assistant, changes: true, remote: ops(putNotice, getNotices), do: func(x setting) (any, error) {
			return x.TransmitNotice(x.ctx, x.by, x.unsent.ID)
		}},
		"SubmitEvent": {by: assistant, changes: true, remote: ops(put, move, get), do: func(x setting) (any, error) {
			return x.SubmitEvent(x.ctx, x.by, x.toSubmit.ID)
		}},
		"ApproveEvent": {by: principal, changes: true, remote: ops(move, get), do: func(x setting) (any, error) {
			return x.ApproveEvent(x.ctx, x.by, x.submitted.ID)
		}},
		"RejectEvent": {by: principal, changes: true, remote: ops(move, get), do: func(x setting) (any, error) {
			return x.RejectEvent(x.ctx, x.by, x.submitted.ID, why)
		}},
		"NotifyEvent": {by: assistant, changes: true, remote: ops(move, get), do: func(x setting) (any, error) {
			return x.NotifyEvent(x.ctx, x.by, x.approved.ID)
		}},
		"DeleteEvent": {by: assistant, changes: true, remote: ops(move, get), do: func(x setting) (any, error) {
			return x.DeleteEvent(x.ctx, x.by, x.simulated.ID)
		}},
		"ResolveEventDiscrepancy": {by: assistant, changes: true, do: func(x setting) (any, error) {
			return x.ResolveEventDiscrepancy(x.ctx, x.by, x.odd.ID, x.odd.Version, why)
		}},
		"ShowEvent": {by: assistant, changes: true, do: func(x setting) (any, error) { return x.ShowEvent(x.ctx, x.by, x.notified.ID) }},
		"VerifyEvent": {by: assistant, remote: ops(get, getNotices), do: func(x setting) (any, error) {
			e, _, err := x.VerifyEvent(x.ctx, x.by, x.notified.ID)
			return e, err
		}},
		"VerifyOpen": {by: assistant, names: authtest.Scope, remote: ops(getNotices), do: func(x setting) (any, error) {
			return x.VerifyOpen(x.ctx, x.by, school)
		}},
		"VerifyNotice": {by: assistant, remote: ops(getNotices), do: func(x setting) (any, error) {
			return x.VerifyNotice(x.ctx, x.by, x.open.ID)
		}},
		"EditNotice": {by: assistant, changes: true, do: func(x setting) (any, error) {
			return x.EditNotice(x.ctx, x.by, x.draft.ID, x.draft.Version, x.draft.NoticeData)
		}},
		"CancelNotice": {by: assistant, changes: true, remote: ops(moveNotice, getNotices), do: func(x setting) (any, error) {
			return x.CancelNotice(x.ctx, x.by, x.open.ID, why)
		}},
		"PayNoticeManually": {by: assistant, changes: true, remote: ops(moveNotice, getNotices), do: func(x setting) (any, error) {
			return x.PayNoticeManually(x.ctx, x.by, x.open.ID, proof(x.open))
		}},
		"ReconcileNoticeManually": {by: assistant, changes: true, do: func(x setting) (any, error) {
			return x.ReconcileNoticeManually(x.ctx, x.by, x.byHand.ID, proof(x.byHand))
		}},
		"RefundNotice": {by: assistant, changes: true, remote: ops(moveNotice, getNotices), do: func(x setting) (any, error) {
			return x.RefundNotice(x.ctx, x.by, x.paid.ID, proof(x.paid))
		}},
		"ShowNotice": {by: assistant, changes: true, do: func(x setting) (any, error) { return x.ShowNotice(x.ctx, x.by, x.hidden.ID) }},
		"HideNotice": {by: assistant, changes: true, do: func(x setting) (any, error) { return x.HideNotice(x.ctx, x.by, x.shown.ID) }},
		"ResolveNoticeDiscrepancy": {by: assistant, changes: true, do: func(x setting) (any, error) {
			return x.ResolveNoticeDiscrepancy(x.ctx, x.by, x.strange.ID, x.strange.Version, why)
		}},
	}
}

// everything is all that a store holds, as text.
func everything(t testing.TB, w *world) string {
	t.Helper()
	var b strings.Builder
	ctx := context.WithoutCancel(t.Context())
	events := must.Get(w.store.Events(ctx, pagoinrete.EventFilter{}, pagoinrete.Page{Limit: 1000}))(t)
	for _, e := range events {
		records := must.Get(w.store.EventHistory(ctx, e.ID))(t)
		fmt.Fprintf(&b, "%+v %+v\n", e, records)
	}
	notices := must.Get(w.store.Notices(ctx, pagoinrete.NoticeFilter{}, pagoinrete.Page{Limit: 1000}))(t)
	for _, n := range notices {
		records := must.Get(w.store.NoticeHistory(ctx, n.ID))(t)
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
						_, err := c.do(setting{t.Context(), w.Service, s, or(c.by, principal)})
						if err != nil {
							assert.NotEmpty(t, flussi.Explain(err))
							assert.NotContains(t, flussi.Explain(err), "problema tecnico", "%v: %v", fault, err)
							for _, secret := range secrets(s) {
								assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), secret)
							}
						}
						w.platform.StopFailing()
						_, again := c.do(setting{t.Context(), w.Service, s, or(c.by, principal)})
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

func TestWorkersBeyondTheirLimitAreRefused(t *testing.T) {
	w := newWorld(t)
	for _, workers := range []int{-1, pagoinrete.MaxWorkers + 1} {
		_, err := pagoinrete.NewService(w.store, pagoinrete.Permissions{}, func(context.Context, string) (pagoinrete.Gateway, error) { return nil, nil },
			pagoinrete.ServiceConfig{Workers: workers})
		assert.ErrorIs(t, err, flussi.ErrConfig)
	}
}

// A lookup that finds nothing is easily taken for one that does.
func TestSchoolWithoutGatewayIsAConfigError(t *testing.T) {
	for name, c := range calls() {
		if len(c.remote) == 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := sceneOf(t, w)
			none := newService(t, w.store, nil)
			before := everything(t, w)
			_, err := c.do(setting{t.Context(), none, s, or(c.by, principal)})
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
