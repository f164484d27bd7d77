package flow_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/internal/pipenet"
)

const (
	taxes  = "tributi" // the service that the operator is enabled for
	school = "scuola"  // another one of the same body, which the operator is not enabled for
)

var (
	stranger = flussi.Actor{ID: "estraneo", Roles: []flussi.Role{flussi.Operator}} // of the school
	ctxKeys  = map[string]string{taxes: "0123456789abcdef-tributi", school: "0123456789abcdef-scuola"}
)

// world is a body with two services, on a platform that is simulated.
type world struct {
	*appiotest.Simulator
	*flow.Service
	store      flow.Store
	messengers flow.SenderFor
	imports    atomic.Int64 // files that prepared has imported
}

// worldConfig says what is special about a world.
type worldConfig struct {
	platform appiotest.Config
	client   appio.Config // its BaseURL and HTTPClient are given
	service  flow.ServiceConfig
	store    flow.Store // Defaults to a new memstore
}

// newWorld starts a world; within a bubble, time passes in it as in the bubble.
func newWorld(t testing.TB, c worldConfig) *world {
	t.Helper()
	simulator := appiotest.New(c.platform)
	for id, key := range ctxKeys {
		simulator.AddService(appiotest.Service{ID: id, Key: key, Body: "80185250588"})
	}
	transport, closeAll := pipenet.Serve(simulator)
	t.Cleanup(closeAll)
	c.client.BaseURL = "http://localhost" + appiotest.BasePath
	c.client.HTTPClient = &http.Client{Transport: transport, Timeout: 10 * time.Second}
	if c.client.Pace == nil {
		c.client.Pace = freePace(t)
	}
	if c.store == nil {
		c.store = memstore.New()
	}
	messengers := clients(t, c.client)
	service, err := flow.NewService(c.store, flow.Permissions{operator.ID: {taxes}, stranger.ID: {school}}, messengers, c.service)
	require.NoError(t, err)
	return &world{Simulator: simulator, Service: service, store: c.store, messengers: messengers}
}

// clients makes a client for each service.
func clients(t testing.TB, c appio.Config) flow.SenderFor {
	t.Helper()
	all := map[string]*appio.Client{}
	for id, key := range ctxKeys {
		k, err := flussi.ParseKey(key)
		require.NoError(t, err)
		all[id], err = appio.New(k, c)
		require.NoError(t, err)
	}
	return func(_ context.Context, service string) (flow.Sender, error) {
		if client := all[service]; client != nil {
			return client, nil
		}
		return nil, errors.New("no such service")
	}
}

// freePace slows nothing down.
func freePace(t testing.TB) *appio.Pace {
	t.Helper()
	pace, err := appio.NewPace(appio.PaceConfig{Calls: 1 << 40, Window: time.Second})
	require.NoError(t, err)
	return pace
}

// dispatcher returns a dispatcher on the world's store.
func (w *world) dispatcher(t testing.TB, c flow.DispatcherConfig) *flow.Dispatcher {
	t.Helper()
	d, err := flow.NewDispatcher(w.store, w.messengers, c)
	require.NoError(t, err)
	return d
}

// citizens returns fiscal codes that are all different.
func citizen(t testing.TB, n int) flussi.FiscalCode {
	t.Helper()
	letters := ""
	for range 6 {
		letters += string(rune('A' + n%26))
		n /= 26
	}
	code, err := flussi.ParseFiscalCode(letters + "80A01H501X")
	require.NoError(t, err)
	return code
}

// draft returns a valid draft for the nth citizen.
func draft(t testing.TB, n int) flow.Draft {
	t.Helper()
	return flow.Draft{
		Recipient: citizen(t, n),
		Subject:   flussi.NewText(fmt.Sprintf("Oggetto riservato %06d", n)),
		Content:   flussi.NewText(strings.Repeat("Contenuto riservato. ", 10)),
	}
}

// drafts returns that many.
func drafts(t testing.TB, n int) []flow.Draft {
	t.Helper()
	all := make([]flow.Draft, n)
	for i := range all {
		all[i] = draft(t, i)
	}
	return all
}

// prepared returns a flow of the taxes with that many notifications, Inattivo. Each flow of a world
// but the first has an occasion of its own, so that its notifications can be sent, too.
func (w *world) prepared(t testing.TB, n int) flow.Flow {
	t.Helper()
	f, err := w.CreateFlow(t.Context(), operator, taxes, flow.Details{Note: flussi.NewText("nota riservata")})
	require.NoError(t, err)
	if n > 0 {
		report, err := w.AddNotifications(t.Context(), operator, f.ID, flow.DraftRows(drafts(t, n)...), flow.AddConfig{Occasion: w.occasion()})
		require.NoError(t, err)
		require.Equal(t, n, report.Added)
		require.Zero(t, report.Disabled)
	}
	return w.flow(t, f.ID)
}

// occasion returns an occasion for the next file that the world imports: none for the first.
func (w *world) occasion() string {
	if earlier := w.imports.Add(1) - 1; earlier > 0 {
		return fmt.Sprint("sollecito ", earlier)
	}
	return ""
}

// sending returns a flow that is to be sent.
func (w *world) sending(t testing.TB, n int) flow.Flow {
	t.Helper()
	f := w.prepared(t, n)
	_, err := w.ActivateFlow(t.Context(), operator, f.ID)
	require.NoError(t, err)
	_, err = w.SendFlow(t.Context(), operator, f.ID)
	require.NoError(t, err)
	return w.flow(t, f.ID)
}

func (w *world) flow(t testing.TB, id uuid.UUID) flow.Flow {
	t.Helper()
	f, err := w.store.Flow(context.WithoutCancel(t.Context()), id)
	require.NoError(t, err)
	return f
}

// notifications returns all notifications of a flow, the oldest first.
func (w *world) notifications(t testing.TB, id uuid.UUID) []flow.Notification {
	t.Helper()
	var found []flow.Notification
	for n, err := range w.AllNotifications(t.Context(), operator, flow.NotificationFilter{Flow: id}) {
		require.NoError(t, err)
		found = append(found, n)
	}
	return found
}

// delivered counts what each citizen was delivered: what the platform stored, and did not
// reject later.
func (w *world) delivered() map[flussi.FiscalCode]int {
	counts := map[flussi.FiscalCode]int{}
	for _, d := range w.Deliveries() {
		if d.State.Status != "REJECTED" {
			counts[d.Recipient]++
		}
	}
	return counts
}
