package noticeflow_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	flowstore "github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/sampletest"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/memstore"
	"github.com/flussi-go/flussi/pagoinrete/noticeflow"
	"github.com/flussi-go/flussi/pagoinrete/restgateway"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

var principal = flussi.Actor{ID: "p.russo", Roles: []flussi.Role{flussi.Principal}}

// platforms are Pago In Rete and App IO, with what talks to them.
type platforms struct {
	rete       *restgatewaytest.Server
	io         *appiotest.Server
	service    *pagoinrete.Service
	flows      *flow.Service
	dispatcher *flow.Dispatcher
}

func newPlatforms(t testing.TB) *platforms {
	t.Helper()
	p := &platforms{rete: restgatewaytest.NewServer(restgatewaytest.Config{}), io: appiotest.NewServer(appiotest.Config{Unlimited: true})}
	t.Cleanup(p.rete.Close)
	t.Cleanup(p.io.Close)
	p.rete.AddSchool(restgatewaytest.School{Code: school, Key: "s-key"})
	p.io.AddService(appiotest.Service{ID: messageService, Key: "a-key"})
	schoolKey := must.Get(flussi.ParseKey("s-key"))(t)
	gateway := must.Get(restgateway.New(schoolKey, school, restgateway.Config{BaseURL: p.rete.URL}))(t)
	serviceKey := must.Get(flussi.ParseKey("a-key"))(t)
	client := must.Get(appio.New(serviceKey, appio.Config{BaseURL: p.io.URL}))(t)

	p.service = must.Get(pagoinrete.NewService(memstore.New(), pagoinrete.Permissions{assistant.ID: {school}, principal.ID: {school}},
		func(context.Context, string) (pagoinrete.Gateway, error) { return gateway, nil }, pagoinrete.ServiceConfig{}))(t)
	senders := func(context.Context, string) (flow.Sender, error) { return client, nil }
	store := flowstore.New()
	p.flows = must.Get(flow.NewService(store, flow.Permissions{assistant.ID: {messageService}}, senders, flow.ServiceConfig{}))(t)
	p.dispatcher = must.Get(flow.NewDispatcher(store, senders, flow.DispatcherConfig{}))(t)
	return p
}

// notified brings an event with its notices to Notificato, as the school does.
func (p *platforms) notified(t testing.TB, drafts ...pagoinrete.NoticeDraft) pagoinrete.Event {
	t.Helper()
	e := must.Get(p.service.CreateEvent(t.Context(), assistant, pagoinrete.Fee, school, sampletest.Fee()))(t)
	must.Get(p.service.TransmitEvent(t.Context(), assistant, e.ID))(t)
	must.Get(p.service.AddNotices(t.Context(), assistant, e.ID, pagoinrete.NoticeDraftRows(drafts...), pagoinrete.AddConfig{}))(t)
	must.Get(p.service.TransmitNotices(t.Context(), assistant, e.ID))(t)
	must.Get(p.service.SubmitEvent(t.Context(), assistant, e.ID))(t)
	must.Get(p.service.ApproveEvent(t.Context(), principal, e.ID))(t)
	e = must.Get(p.service.NotifyEvent(t.Context(), assistant, e.ID))(t)
	return e
}

// From the event to the citizens' phones: each payer has one message for each notice, with the
// notice number that Pago In Rete gave.
func TestMessagesArriveOnceAtThosePayersWhoHaveToPay(t *testing.T) {
	p := newPlatforms(t)
	e := p.notified(t,
		pagoinrete.NoticeDraft{Debtor: person(11), Payer: person(1), Discount: 1_000},
		pagoinrete.NoticeDraft{Debtor: person(12), Payer: person(2)},
		pagoinrete.NoticeDraft{Debtor: person(3), DebtorKind: pagoinrete.DebtorStaff},
		pagoinrete.NoticeDraft{Debtor: person(14), Payer: person(4)}, // has not logged in
	)
	for i := range 3 {
		p.rete.LogIn(person(i + 1))
	}
	for n, err := range p.service.AllNotices(t.Context(), assistant, pagoinrete.NoticeFilter{Event: e.ID, Payer: person(2)}) {
		require.NoError(t, err)
		if n.Instalment == 1 {
			require.True(t, p.rete.StartPayment(n.ID))
		} else if n.Instalment == 2 {
			require.True(t, p.rete.Pay(n.ID, n.Due()))
		}
	}
	_, _, err := p.service.VerifyEvent(t.Context(), assistant, e.ID)
	require.NoError(t, err)

	m := must.Get(noticeflow.New(p.service, p.flows, noticeflow.Config{}))(t)
	f, report, err := m.Import(t.Context(), assistant, e.ID, messageService, flow.Details{}, flow.AddConfig{})
	require.NoError(t, err)
	assert.Equal(t, []int{12, 7, 1, 1, 3}, []int{report.Notices, report.Rows, report.NotDue, report.PaymentPending, report.NotNotified})
	must.Get(p.flows.ActivateFlow(t.Context(), assistant, f.ID))(t)
	must.Get(p.flows.SendFlow(t.Context(), assistant, f.ID))(t)
	f = must.Get(p.dispatcher.Run(t.Context(), f.ID))(t)
	assert.Equal(t, flow.FlowSent, f.State)

	// Once more sends to nobody, but to whom has logged in since.
	_, _, err = m.Import(t.Context(), assistant, e.ID, messageService, flow.Details{}, flow.AddConfig{})
	require.ErrorIs(t, err, flow.ErrNothingToSend)
	p.rete.LogIn(person(4))
	_, _, err = p.service.VerifyEvent(t.Context(), assistant, e.ID)
	require.NoError(t, err)
	f, report, err = m.Import(t.Context(), assistant, e.ID, messageService, flow.Details{}, flow.AddConfig{})
	require.NoError(t, err)
	assert.Equal(t, []int{3, 7}, []int{report.Added.Added, report.AlreadyNotified})
	must.Get(p.flows.ActivateFlow(t.Context(), assistant, f.ID))(t)
	must.Get(p.flows.SendFlow(t.Context(), assistant, f.ID))(t)
	must.Get(p.dispatcher.Run(t.Context(), f.ID))(t)

	due := map[string]int64{} // of each notice number
	for _, n := range p.rete.Notices() {
		due[n.Number.Reveal()] = int64(n.Due)
	}
	got := map[flussi.FiscalCode]int{}
	for _, d := range p.io.Deliveries() {
		got[d.Recipient]++
		var request struct {
			Content struct {
				PaymentData struct {
					Amount int64  `json:"amount"`
					Number string `json:"notice_number"`
				} `json:"payment_data"`
			} `json:"content"`
		}
		require.NoError(t, json.Unmarshal([]byte(d.Request.Reveal()), &request))
		paid := request.Content.PaymentData
		require.Contains(t, due, paid.Number)
		assert.Equal(t, due[paid.Number], paid.Amount)
		delete(due, paid.Number)
	}
	assert.Equal(t, map[flussi.FiscalCode]int{person(1): 3, person(2): 1, person(3): 3, person(4): 3}, got)
	assert.Len(t, due, 2, "one is paid, one is being paid")
}
