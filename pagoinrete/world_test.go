package pagoinrete_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pipenet"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/memstore"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/restgateway"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

const (
	school      = "RMIC8GA002"
	otherSchool = "MIIC8AB00X"
)

// world is a school with its office and principal, its store, and Pago In Rete.
type world struct {
	*pagoinrete.Service
	store    pagoinrete.Store
	platform *restgatewaytest.Simulator
	gateway  pagoinrete.Gateway // of the school
}

// permissions are the schools of everybody in tests.
var permissions = pagoinrete.Permissions{
	assistant.ID: {school}, director.ID: {school}, principal.ID: {school}, system.ID: {school, otherSchool}, "estraneo": {otherSchool},
}

func newWorld(t testing.TB) *world {
	return newWorldOn(t, memstore.New())
}

// newWorldOn is a world over a store, connected to the platform by the real client.
func newWorldOn(t testing.TB, store pagoinrete.Store) *world {
	t.Helper()
	platform := restgatewaytest.New(restgatewaytest.Config{})
	clients := map[string]pagoinrete.Gateway{}
	transport, closeAll := pipenet.Serve(platform)
	t.Cleanup(closeAll)
	client := &http.Client{Transport: transport, Timeout: time.Second}
	for i, code := range []string{school, otherSchool} {
		secret := fmt.Sprintf("chiave-%d", i)
		platform.AddSchool(restgatewaytest.School{Code: code, Key: secret})
		key := must.Get(flussi.ParseKey(secret))(t)
		clients[code] = must.Get(restgateway.New(key, code, restgateway.Config{
			BaseURL: "http://localhost" + restgatewaytest.BasePath, HTTPClient: client, Calls: 1_000_000, MaxWait: 10 * time.Second,
		}))(t)
	}
	gateways := func(_ context.Context, school string) (pagoinrete.Gateway, error) { return clients[school], nil }
	p := must.Get(pagoinrete.NewService(store, permissions, gateways, pagoinrete.ServiceConfig{}))(t)
	return &world{p, store, platform, clients[school]}
}

// pupil returns the code of some pupil, and payer that of a parent.
func pupil(i int) flussi.FiscalCode { return citizen("RSS", i) }
func payer(i int) flussi.FiscalCode { return citizen("BNC", i) }

func citizen(surname string, i int) flussi.FiscalCode {
	code, err := flussi.ParseFiscalCode(fmt.Sprintf("%s%c%c%c%02dA%02dH%03dU", surname, 'A'+i/676%26, 'A'+i/26%26, 'A'+i%26, i/17576%100, 1+i%28, i%1000))
	if err != nil {
		panic(err)
	}
	return code
}

// drafts are of n pupils, each with a payer.
func drafts(n int) []pagoinrete.NoticeDraft {
	all := make([]pagoinrete.NoticeDraft, n)
	for i := range all {
		all[i] = pagoinrete.NoticeDraft{Debtor: pupil(i), Payer: payer(i), DebtorName: flussi.NewText(fmt.Sprintf("Rossi Ada %d", i))}
	}
	return all
}

// simulated is an event that was transmitted.
func (w *world) simulated(t testing.TB, kind pagoinrete.EventKind) pagoinrete.Event {
	t.Helper()
	data := trip()
	if kind == pagoinrete.Donation {
		data = gift()
	}
	e := must.Get(w.CreateEvent(t.Context(), assistant, kind, school, data))(t)
	e = do(t, assistant, w.TransmitEvent, e.ID)
	return e
}

// toApprove is a fee with transmitted notices of n pupils, which the principal has to look at.
func (w *world) toApprove(t testing.TB, n int) pagoinrete.Event {
	t.Helper()
	e := w.simulated(t, pagoinrete.Fee)
	w.add(t, e.ID, drafts(n)...)
	do(t, assistant, w.TransmitNotices, e.ID)
	e = do(t, assistant, w.SubmitEvent, e.ID)
	return e
}

// notified is a fee of which families know, with notices of n pupils whose payers logged in.
func (w *world) notified(t testing.TB, n int) pagoinrete.Event {
	t.Helper()
	for i := range n {
		w.platform.LogIn(payer(i))
	}
	e := w.toApprove(t, n)
	do(t, principal, w.ApproveEvent, e.ID)
	e = do(t, director, w.NotifyEvent, e.ID)
	return e
}

// notices returns the notices of an event, the oldest first.
func (w *world) notices(t testing.TB, event uuid.UUID) []pagoinrete.Notice {
	t.Helper()
	var all []pagoinrete.Notice
	for n, err := range w.AllNotices(t.Context(), assistant, pagoinrete.NoticeFilter{Event: event}) {
		require.NoError(t, err)
		all = append(all, n)
	}
	return all
}

// do lets somebody call a method with one argument, mostly an ID, that has to succeed.
func do[A, R any](t testing.TB, by flussi.Actor, call func(context.Context, flussi.Actor, A) (R, error), a A) R {
	t.Helper()
	return must.Get(call(t.Context(), by, a))(t)
}

// do2 is do for a method with two arguments.
func do2[A, B, R any](t testing.TB, by flussi.Actor, call func(context.Context, flussi.Actor, A, B) (R, error), a A, b B) R {
	t.Helper()
	return must.Get(call(t.Context(), by, a, b))(t)
}

// refused checks the reason of a refusal, and its text for the operator.
func refused(t testing.TB, err, reason error, says string) {
	t.Helper()
	assert.ErrorIs(t, err, reason)
	assert.Equal(t, says, flussi.Explain(err))
}

// last returns the last record.
func last[S, A ~string](records []flussi.Record[S, A]) flussi.Record[S, A] {
	return records[len(records)-1]
}

// newService returns a service for everybody in tests, on one gateway.
func newService(t testing.TB, store pagoinrete.Store, gateway pagoinrete.Gateway) *pagoinrete.Service {
	t.Helper()
	gateways := func(context.Context, string) (pagoinrete.Gateway, error) { return gateway, nil }
	return must.Get(pagoinrete.NewService(store, permissions, gateways, pagoinrete.ServiceConfig{}))(t)
}

// add adds notices of pupils to an event.
func (w *world) add(t testing.TB, event uuid.UUID, pupils ...pagoinrete.NoticeDraft) pagoinrete.AddReport {
	t.Helper()
	return must.Get(w.AddNotices(t.Context(), assistant, event, pagoinrete.NoticeDraftRows(pupils...), pagoinrete.AddConfig{}))(t)
}

// notifiedNotice is the first notice of an event that notified gives.
func (w *world) notifiedNotice(t testing.TB) pagoinrete.Notice {
	t.Helper()
	return w.notices(t, w.notified(t, 1).ID)[0]
}

// tell tells an actor's Dues where a notice stands: with one payment of what is due for each of the
// settlements, in the treasury or not.
func (w *world) tell(ctx context.Context, by flussi.Actor, n pagoinrete.Notice, status settlement.PaidStatus, settlements ...string) error {
	dues, err := pagoinrete.NewDues(w.Service, pagoinrete.DuesConfig{By: by, School: schoolOf})
	if err != nil {
		return err
	}
	state := settlement.ReferenceState{Reference: paymentfile.NewReference(n.IUV().Reveal())}
	for i, id := range settlements {
		p := settlement.Paid{
			Status: status, State: settlement.PaymentExpected, Payment: uuid.NewSHA1(n.ID, []byte(id)), Settlement: id, IUR: "IUR " + id, Index: 1,
			Amount: n.Due(), Date: day(11, 5), Body: body,
		}
		if i > 0 {
			p.State = settlement.PaymentDuplicate
		}
		if status == settlement.PaidConfirmed {
			p.Movements, p.Movement, p.Received = []string{"Sospeso " + id}, uuid.NewSHA1(n.ID, []byte("sospeso "+id)), day(11, 6)
		}
		state.Payments = append(state.Payments, p)
	}
	return dues.Update(ctx, body, []settlement.ReferenceState{state})
}
