package main

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/memstore"
	"github.com/flussi-go/flussi/pagoinrete/restgateway"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

var (
	assistant = flussi.Actor{ID: "m.conti", Roles: []flussi.Role{flussi.AdminAssistant}}
	principal = flussi.Actor{ID: "p.marini", Roles: []flussi.Role{flussi.Principal}}
)

// newSchool is a school's procedure on a sandbox that is served.
func newSchool(t *testing.T) (*sandbox, *lines, *pagoinrete.Service) {
	box, out := newBox(t, settings{})
	server := httptest.NewServer(box.handler())
	t.Cleanup(server.Close)
	key := must.Get(flussi.ParseKey(defaultKey))(t)
	client := must.Get(restgateway.New(key, defaultSchool, restgateway.Config{BaseURL: server.URL + restgatewaytest.BasePath, Calls: 10_000, MaxWait: time.Millisecond}))(t)
	p, err := pagoinrete.NewService(memstore.New(), pagoinrete.Permissions{assistant.ID: {defaultSchool}, principal.ID: {defaultSchool}},
		func(context.Context, string) (pagoinrete.Gateway, error) { return client, nil }, pagoinrete.ServiceConfig{})
	require.NoError(t, err)
	return box, out, p
}

// notified is a fee with two notices that was notified.
func notified(t *testing.T, p *pagoinrete.Service) pagoinrete.Event {
	due := must.Get(flussi.EndOfDay(2099, 12, 31))(t)
	e := must.Get(p.CreateEvent(t.Context(), assistant, pagoinrete.Fee, defaultSchool, pagoinrete.EventData{
		Name: "Viaggio", Causale: "Viaggio", SchoolYear: 2098, FinancialYear: 2099, Account: "IT60X0542811101000000123456", Amount: 5_000,
		Instalments: []pagoinrete.Instalment{{DueDate: due, Amount: 5_000}},
	}))(t)
	must.Get(p.TransmitEvent(t.Context(), assistant, e.ID))(t)
	_, err := p.AddNotices(t.Context(), assistant, e.ID, pagoinrete.NoticeDraftRows(
		pagoinrete.NoticeDraft{Debtor: appiotest.SampleCitizen(11), Payer: appiotest.SampleCitizen(1), DebtorName: flussi.NewText("Maria Rossi")},
		pagoinrete.NoticeDraft{Debtor: appiotest.SampleCitizen(12)},
	), pagoinrete.AddConfig{})
	require.NoError(t, err)
	require.Equal(t, 2, must.Get(p.TransmitNotices(t.Context(), assistant, e.ID))(t).Transmitted)
	must.Get(p.SubmitEvent(t.Context(), assistant, e.ID))(t)
	must.Get(p.ApproveEvent(t.Context(), principal, e.ID))(t)
	e = must.Get(p.NotifyEvent(t.Context(), assistant, e.ID))(t)
	return e
}

func TestFamiliesLogInAndPayByOrder(t *testing.T) {
	box, out, p := newSchool(t)
	h := box.handler()
	e := notified(t, p)
	assert.Equal(t, map[restgatewaytest.NoticeState]int{restgatewaytest.NoticeNotNotified: 2}, box.state().PagoInRete.Notices)
	assert.JSONEq(t, `{"count":0}`, send(h, "POST", "/sandbox/families/pay", "").Body.String())
	assert.JSONEq(t, `{"count":1}`, send(h, "POST", "/sandbox/families/login", "").Body.String())
	assert.JSONEq(t, `{"count":1}`, send(h, "POST", "/sandbox/families/pay", "").Body.String())
	_, report, err := p.VerifyEvent(t.Context(), assistant, e.ID)
	require.NoError(t, err)
	assert.Equal(t, 1, report.Changed)
	state := decode[stateJSON](t, get(h, "/sandbox/state")).PagoInRete
	assert.Equal(t, box.paymentsState(), state)
	assert.Equal(t, map[restgatewaytest.EventState]int{restgatewaytest.EventNotified: 1}, state.Events)
	assert.Equal(t, map[restgatewaytest.NoticeState]int{restgatewaytest.NoticeNotNotified: 1, restgatewaytest.NoticePaidOnline: 1}, state.Notices)
	assert.Equal(t, 2, state.Received[restgatewaytest.PutNotice])

	page := get(h, "/")
	must.Contain(t, page, "<code>"+e.ID.String()+"</code></td><td>"+defaultSchool+"</td><td>NOTIFICATO</td><td>2</td><td>1</td>", "Paga tutti gli avvisi notificati")
	for _, path := range []string{"/families/login", "/families/pay"} {
		status, location, _ := post(box, path, nil)
		assert.Equal(t, 303, status)
		assert.Contains(t, get(h, location), `role="status"`)
	}
	said := out.String()
	must.Contain(t, said,
		"RMIC8GA002 trasmissione evento: 201", "RMIC8GA002 trasmissione avviso: 201 accettato", "RMIC8GA002 passo di un evento: 200", "RMIC8GA002 lettura avvisi: 200",
		"famiglie che hanno fatto l'accesso a Pago In Rete: 1", "avvisi pagati su Pago In Rete: 1",
	)
	for _, n := range box.payments.Notices() {
		for _, secret := range []string{n.Number.Reveal(), n.Debtor.Reveal(), "Maria", defaultKey} {
			assert.NotContains(t, said, secret)
			assert.NotContains(t, page, secret)
		}
	}
}

func TestFaultsOfPagoInReteAreOrdered(t *testing.T) {
	box, out, p := newSchool(t)
	h := box.handler()
	w := send(h, "POST", "/sandbox/faults", `{"operation":"put notice","kind":"504","stored":true,"count":1}`)
	assert.Equal(t, 201, w.Code, w.Body)
	accepted(t, box, "/?fatto=faults", "/faults", typed("operation", "get event", "fault", "garbled", "count", "1"))
	notified(t, p) // a fault is no matter for it
	said := out.String()
	must.Contain(t, said, "guasto ordinato: trasmissione avviso: 504, tempo scaduto (operazione fatta), la prossima chiamata", "RMIC8GA002 trasmissione avviso: 504 tempo scaduto")
	for _, n := range box.payments.Notices() {
		assert.Equal(t, 1, n.Created)
	}
	assert.Contains(t, get(h, "/"), "Pago In Rete, trasmissione avviso")

	for body, says := range map[string]string{
		`{"operation":"put notice","kind":"no ID","count":1}`:            "Il guasto non esiste",
		`{"operation":"submit message","kind":"garbled","count":1}`:      "Il guasto non esiste",
		`{"operation":"get PDF","kind":"504","stored":true,"count":1}`:   "Una lettura non cambia niente",
		`{"operation":"put event","kind":"409","stored":true,"count":1}`: "stabilisce già",
	} {
		w := send(h, "POST", "/sandbox/faults", body)
		assert.Equal(t, 422, w.Code, body)
		assert.Contains(t, w.Body.String(), says)
	}
	status, _, page := post(box, "/faults", typed("operation", "put notice", "fault", "slow"))
	assert.Equal(t, 422, status)
	assert.Contains(t, page, `id="pir-delay-error"`)
	assert.NotContains(t, page, `id="delay-error"`)
	assert.Contains(t, page, `<option value="put notice" selected>`)
}

// A call that breaks off is told as such, and one for a path that is none as well.
func TestCallsToPagoInReteAreLogged(t *testing.T) {
	box, out, p := newSchool(t)
	box.payments.Fail(restgatewaytest.PutNotice, restgatewaytest.Fault{Kind: restgatewaytest.Reset, Stored: true})
	notified(t, p)
	assert.Contains(t, out.String(), "RMIC8GA002 trasmissione avviso: connessione interrotta")
	for _, path := range []string{"/altrove", "/schools/RMIC8GA002/events/x/y/z", "/schools/RMIC8GA002/altro/x"} {
		w := send(box.handler(), "GET", restgatewaytest.BasePath+path, "")
		assert.Equal(t, 404, w.Code)
		assert.NotEmpty(t, w.Header().Get("X-Flussi-Simulator"))
	}
	assert.Contains(t, out.String(), "(credenziale sconosciuta) percorso che non esiste: 404 non trovato")
	for _, op := range restgatewaytest.Operations() {
		assert.NotEmpty(t, pagoInRete.operation(string(op)).label, op)
		assert.Contains(t, pagoInRete.operations(), string(op))
	}
}
