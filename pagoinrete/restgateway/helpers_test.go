package restgateway_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/openapitest"
	"github.com/flussi-go/flussi/internal/pipenet"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/restgateway"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

const (
	clientKey    = "chiave-molto-segreta"
	clientSchool = "RMIC8GA002"
	secretDebtor = "RSSMRA80A01H501U"
	secretPayer  = "VRDGPP75B02F205X"
	secretName   = "Rossi Mariolina"
)

func clientOffice() flussi.Actor {
	return flussi.Actor{ID: "assistente@scuola.it", Roles: []flussi.Role{flussi.AdminAssistant, "applicazione"}}
}

func clientPrincipal() flussi.Actor {
	return flussi.Actor{ID: "Preside Però", Roles: []flussi.Role{flussi.Principal}}
}

func clientCredentials(t testing.TB, s string) flussi.Key { return must.Get(flussi.ParseKey(s))(t) }

func clientCode(t testing.TB, s string) flussi.FiscalCode {
	return must.Get(flussi.ParseFiscalCode(s))(t)
}

func remoteError(t *testing.T, err error) *flussi.RemoteError {
	t.Helper()
	return must.As[*flussi.RemoteError](t, err)
}

// put transmits an event as the office.
func put(t testing.TB, c *restgateway.Client, e pagoinrete.Event) error {
	return second(c.PutEvent(t.Context(), clientOffice(), e))
}

func second[T any](_ T, err error) error { return err }

// clientEvent returns a fee of two instalments.
func clientEvent(t testing.TB) pagoinrete.Event {
	t.Helper()
	e := must.Get(pagoinrete.NewEvent(pagoinrete.Fee, clientSchool, clientOffice()))(t)
	e.EventData = pagoinrete.EventData{
		Name: "Gita a Roma", Causale: "Gita a Roma, 3ª A", Category: "Visite e viaggi", SchoolYear: 2026, FinancialYear: 2026,
		Account: "IT60X0542811101000000123456", Amount: 15000,
		Instalments: []pagoinrete.Instalment{
			{DueDate: time.Date(2026, 12, 1, 22, 59, 59, 0, time.UTC), Amount: 10000},
			{DueDate: time.Date(2027, 2, 1, 22, 59, 59, 0, time.UTC), Amount: 5000},
		},
	}
	return e
}

// clientNotice returns a notice of the event's first instalment.
func clientNotice(t testing.TB, e pagoinrete.Event) pagoinrete.Notice {
	t.Helper()
	n, err := pagoinrete.NewNotice(e, 1, pagoinrete.NoticeData{
		Debtor: clientCode(t, secretDebtor), DebtorKind: pagoinrete.DebtorPupil, DebtorName: flussi.NewText(secretName),
		Payer: clientCode(t, secretPayer), Amount: 10000, Discount: 1000, DueDate: e.Instalments[0].DueDate, Reference: "3A-7",
	}, clientOffice())
	require.NoError(t, err)
	return n
}

// platform is a simulator with one school, and a client of it over pipes, until the end of the
// test; all that passes is checked against the document.
type platform struct {
	*restgatewaytest.Simulator
	client    *restgateway.Client
	transport http.RoundTripper
	close     func()
}

// newPlatform starts one whose replies are right.
func newPlatform(t testing.TB, configure func(*restgateway.Config)) *platform {
	t.Helper()
	return startPlatform(t, configure, func(err error) { t.Error(err) })
}

// newFaulty starts one whose replies may be wrong, since faults are injected.
func newFaulty(t testing.TB, configure func(*restgateway.Config)) *platform {
	t.Helper()
	return startPlatform(t, configure, func(error) {})
}

func startPlatform(t testing.TB, configure func(*restgateway.Config), wrong func(error)) *platform {
	t.Helper()
	simulator := restgatewaytest.New(restgatewaytest.Config{})
	simulator.AddSchool(restgatewaytest.School{Code: clientSchool, Key: clientKey, Name: "I.C. Via Però"})
	document := must.Get(openapitest.Load("openapi.yaml"))(t)
	transport, closeAll := pipenet.Serve(document.Handler(restgatewaytest.BasePath, simulator, func(err error) { t.Error(err) }, wrong))
	config := restgateway.Config{
		BaseURL: "http://localhost" + restgatewaytest.BasePath, Calls: 1_000_000,
		HTTPClient: &http.Client{Transport: transport, Timeout: 10 * time.Second},
	}
	if configure != nil {
		configure(&config)
	}
	client := must.Get(restgateway.New(clientCredentials(t, clientKey), clientSchool, config))(t)
	end := sync.OnceFunc(closeAll)
	t.Cleanup(end)
	return &platform{simulator, client, transport, end}
}

// ready puts an event with a notice on the platform and leads it to a state.
func (p *platform) ready(t testing.TB, state pagoinrete.EventState) (pagoinrete.Event, pagoinrete.Notice) {
	t.Helper()
	e := clientEvent(t)
	n := clientNotice(t, e)
	require.NoError(t, put(t, p.client, e))
	there := must.Get(p.client.PutNotice(t.Context(), clientOffice(), n))(t)
	n.Number, n.RemoteID = there.Number, there.RemoteID
	e.State = pagoinrete.EventSimulated
	for _, step := range []struct {
		by     flussi.Actor
		action pagoinrete.EventAction
	}{{clientOffice(), pagoinrete.EventSubmit}, {clientPrincipal(), pagoinrete.EventApprove}, {clientOffice(), pagoinrete.EventNotify}} {
		if state != e.State {
			e.State = must.Get(p.client.MoveEvent(t.Context(), step.by, e.ID, step.action, flussi.Text{}))(t).State
		}
	}
	require.Equal(t, state, e.State)
	return e, n
}

// one reads a notice back.
func (p *platform) one(t testing.TB, id uuid.UUID) pagoinrete.RemoteNotice {
	t.Helper()
	all := must.Get(p.client.Notices(t.Context(), []uuid.UUID{id}))(t)
	require.Len(t, all, 1)
	return all[0]
}
