package pagoinrete_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/pipenet"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/memstore"
	"github.com/flussi-go/flussi/pagoinrete/restgateway"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
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

// staffs are the schools of everybody in tests.
var staffs = pagoinrete.Permissions{
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
		key, err := flussi.ParseKey(secret)
		require.NoError(t, err)
		clients[code], err = restgateway.New(key, code, restgateway.Config{
			BaseURL: "http://localhost" + restgatewaytest.BasePath, HTTPClient: client, Calls: 1_000_000, MaxWait: time.Millisecond,
		})
		require.NoError(t, err)
	}
	gateways := func(_ context.Context, school string) (pagoinrete.Gateway, error) { return clients[school], nil }
	p, err := pagoinrete.NewService(store, staffs, gateways, pagoinrete.ServiceConfig{})
	require.NoError(t, err)
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
	data := trip(t)
	if kind == pagoinrete.Donation {
		data = gift()
	}
	e, err := w.CreateEvent(t.Context(), assistant, kind, school, data)
	require.NoError(t, err)
	e, err = w.TransmitEvent(t.Context(), assistant, e.ID)
	require.NoError(t, err)
	return e
}

// toApprove is a fee with transmitted notices of n pupils, which the principal has to look at.
func (w *world) toApprove(t testing.TB, n int) pagoinrete.Event {
	t.Helper()
	e := w.simulated(t, pagoinrete.Fee)
	_, err := w.AddNotices(t.Context(), assistant, e.ID, pagoinrete.NoticeDraftRows(drafts(n)...), pagoinrete.AddConfig{})
	require.NoError(t, err)
	_, err = w.TransmitNotices(t.Context(), assistant, e.ID)
	require.NoError(t, err)
	e, err = w.SubmitEvent(t.Context(), assistant, e.ID)
	require.NoError(t, err)
	return e
}

// notified is a fee of which families know, with notices of n pupils whose payers logged in.
func (w *world) notified(t testing.TB, n int) pagoinrete.Event {
	t.Helper()
	for i := range n {
		w.platform.LogIn(payer(i))
	}
	e := w.toApprove(t, n)
	_, err := w.ApproveEvent(t.Context(), principal, e.ID)
	require.NoError(t, err)
	e, err = w.NotifyEvent(t.Context(), director, e.ID)
	require.NoError(t, err)
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
