package flow_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pipenet"
	"github.com/flussi-go/flussi/internal/sampletest"
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
	store   flow.Store
	senders flow.SenderFor
	imports atomic.Int64 // files that prepared has imported
}

// worldConfig says what is special about a world.
type worldConfig struct {
	platform appiotest.Config
	client   appio.Config // its BaseURL and HTTPClient are given
	service  flow.ServiceConfig
	store    flow.Store // Defaults to a new memstore
}

// unlimited is a world whose platform takes any number of calls.
var unlimited = worldConfig{platform: appiotest.Config{Unlimited: true}}

// newWorld starts a world, with one config at most; within a bubble, time passes in it as in the bubble.
func newWorld(t testing.TB, config ...worldConfig) *world {
	t.Helper()
	var c worldConfig
	if len(config) > 0 {
		c = config[0]
	}
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
	senders := clients(t, c.client)
	service := must.Get(flow.NewService(c.store, flow.Permissions{operator.ID: {taxes}, stranger.ID: {school}}, senders, c.service))(t)
	return &world{Simulator: simulator, Service: service, store: c.store, senders: senders}
}

// clients makes a client for each service.
func clients(t testing.TB, c appio.Config) flow.SenderFor {
	t.Helper()
	all := map[string]*appio.Client{}
	for id, key := range ctxKeys {
		k := must.Get(flussi.ParseKey(key))(t)
		all[id] = must.Get(appio.New(k, c))(t)
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
	return must.Get(appio.NewPace(appio.PaceConfig{Calls: 1 << 40, Window: time.Second}))(t)
}

// dispatcher returns a dispatcher on the world's store, with one config at most.
func (w *world) dispatcher(t testing.TB, config ...flow.DispatcherConfig) *flow.Dispatcher {
	t.Helper()
	var c flow.DispatcherConfig
	if len(config) > 0 {
		c = config[0]
	}
	return must.Get(flow.NewDispatcher(w.store, w.senders, c))(t)
}

func citizen(n int) flussi.FiscalCode { return sampletest.FiscalCode(n) }

// draft returns a valid draft for the nth citizen.
func draft(n int) flow.Draft {
	return flow.Draft{
		Recipient: citizen(n),
		Subject:   flussi.NewText(fmt.Sprintf("Oggetto riservato %06d", n)),
		Content:   flussi.NewText(strings.Repeat("Contenuto riservato. ", 10)),
	}
}

// drafts returns that many.
func drafts(n int) []flow.Draft { return many(n, draft) }

func many(n int, draft func(i int) flow.Draft) []flow.Draft {
	all := make([]flow.Draft, n)
	for i := range all {
		all[i] = draft(i)
	}
	return all
}

// prepared returns a flow of the taxes with that many notifications, Inattivo. Each flow of a world
// but the first has an occasion of its own, so that its notifications can be sent, too.
func (w *world) prepared(t testing.TB, n int) flow.Flow {
	t.Helper()
	f := do2(t, w.CreateFlow, taxes, flow.Details{Note: flussi.NewText("nota riservata")})
	if n > 0 {
		report := must.Get(w.AddNotifications(t.Context(), operator, f.ID, flow.DraftRows(drafts(n)...), flow.AddConfig{Occasion: w.occasion()}))(t)
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
	w.ordered(t, f.ID)
	return w.flow(t, f.ID)
}

func (w *world) flow(t testing.TB, id uuid.UUID) flow.Flow {
	t.Helper()
	return must.Get(w.store.Flow(context.WithoutCancel(t.Context()), id))(t)
}

// notifications returns all notifications of a flow, the oldest first.
func (w *world) notifications(t testing.TB, id uuid.UUID) []flow.Notification {
	t.Helper()
	return must.Get(pull(w.AllNotifications(t.Context(), operator, flow.NotificationFilter{Flow: id})))(t)
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

// by is a method of the Service with one argument, mostly an ID, and by2 one with two.
type (
	by[A, R any]     = func(context.Context, flussi.Actor, A) (R, error)
	by2[A, B, R any] = func(context.Context, flussi.Actor, A, B) (R, error)
)

// do lets the operator call a method that has to succeed.
func do[A, R any](t testing.TB, call by[A, R], a A) R {
	t.Helper()
	return must.Get(call(t.Context(), operator, a))(t)
}

// do2 is do for a method with two arguments.
func do2[A, B, R any](t testing.TB, call by2[A, B, R], a A, b B) R {
	t.Helper()
	return must.Get(call(t.Context(), operator, a, b))(t)
}

// try returns a call of the operator for refused.
func try[A, R any](t testing.TB, call by[A, R], a A) func() error {
	return func() error { return must.Err(call(t.Context(), operator, a)) }
}

// try2 is try for a method with two arguments.
func try2[A, B, R any](t testing.TB, call by2[A, B, R], a A, b B) func() error {
	return func() error { return must.Err(call(t.Context(), operator, a, b)) }
}

// created returns a new flow of the taxes, without notifications.
func (w *world) created(t testing.TB) flow.Flow {
	t.Helper()
	return do2(t, w.CreateFlow, taxes, flow.Details{})
}

// add adds drafts to a flow.
func (w *world) add(t testing.TB, id uuid.UUID, rows ...flow.Draft) flow.AddReport {
	t.Helper()
	return must.Get(w.AddNotifications(t.Context(), operator, id, flow.DraftRows(rows...), flow.AddConfig{}))(t)
}

// sendNew sends a notification of the taxes that has no flow.
func (w *world) sendNew(t testing.TB, d flow.Draft) flow.Notification {
	t.Helper()
	return must.Get(w.SendNewNotification(t.Context(), operator, taxes, d, flow.SendNewConfig{}))(t)
}

// sendInVain is sendNew with a fault, which makes it fail.
func (w *world) sendInVain(t testing.TB, d flow.Draft, fault appiotest.Fault) flow.Notification {
	t.Helper()
	w.Fail(appiotest.SubmitMessage, fault)
	n, err := w.SendNewNotification(t.Context(), operator, taxes, d, flow.SendNewConfig{})
	require.Error(t, err)
	return n
}

// dispatch runs a dispatcher, with one config at most, that sends a flow to its end.
func (w *world) dispatch(t testing.TB, id uuid.UUID, config ...flow.DispatcherConfig) flow.Flow {
	t.Helper()
	return must.Get(w.dispatcher(t, config...).Run(t.Context(), id))(t)
}

// slow makes each message take some time.
func (w *world) slow(takes time.Duration) {
	w.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.Slow, Delay: takes})
}

// bubble runs a subtest in a bubble of time.
func bubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

// inWorld runs a test in a bubble of time, in a new world, with one config at most.
func inWorld(t *testing.T, test func(t *testing.T, w *world), config ...worldConfig) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newWorld(t, config...)) })
}

// isIn checks the state of a flow.
func (w *world) isIn(t testing.TB, state flow.FlowState, id uuid.UUID, says ...any) {
	t.Helper()
	assert.Equal(t, state, w.flow(t, id).State, says...)
}

// hasDelivered checks how many messages the platform stored.
func (w *world) hasDelivered(t testing.TB, n int, says ...any) {
	t.Helper()
	assert.Len(t, w.Deliveries(), n, says...)
}

// newService returns a service of the taxes for the operator.
func newService(t testing.TB, store flow.Store, senders flow.SenderFor) *flow.Service {
	t.Helper()
	return must.Get(flow.NewService(store, flow.Permissions{operator.ID: {taxes}}, senders, flow.ServiceConfig{}))(t)
}

// atOnce makes n calls at the same moment, and returns their errors.
func atOnce(n int, call func(i int) error) []error {
	errs := make([]error, n)
	var group sync.WaitGroup
	for i := range errs {
		group.Go(func() { errs[i] = call(i) })
	}
	group.Wait()
	return errs
}

// oneWins returns which of 16 calls at the same moment succeeds, and requires the others to be
// refused for one of some reasons.
func oneWins(t testing.TB, call func(i int) error, reasons ...error) int {
	t.Helper()
	won := -1
	for i, err := range atOnce(16, call) {
		if err == nil {
			assert.Equal(t, -1, won, "two have won")
			won = i
			continue
		}
		assert.Condition(t, func() bool {
			return slices.ContainsFunc(reasons, func(reason error) bool { return errors.Is(err, reason) })
		}, "%v", err)
	}
	require.NotEqual(t, -1, won)
	return won
}

// serve starts to send all flows. stop ends that, and waits for its end.
func (w *world) serve(t testing.TB, c flow.DispatcherConfig) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- w.dispatcher(t, c).Serve(ctx) }()
	return func() {
		cancel()
		assert.NoError(t, <-ended)
	}
}

// draftForPayee is a draft of a payment to a body that the services may not name.
func draftForPayee(n int) flow.Draft {
	d := draft(n)
	d.IsPayment, d.Amount = true, 1000
	d.NoticeNumber, _ = flussi.ParseNoticeNumber("301005100001400678")
	d.Payee, _ = flussi.ParseOrganizationCode("15376371009")
	return d
}
