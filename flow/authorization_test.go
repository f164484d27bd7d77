package flow_test

import (
	"context"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/internal/authtest"
)

// everything is all that a store holds, however it came there.
type everything struct {
	flows         []flow.Flow
	notifications []flow.Notification
	flowRecords   map[uuid.UUID][]flow.FlowRecord
	records       map[uuid.UUID][]flow.NotificationRecord
}

func everythingIn(t testing.TB, store flow.Store) everything {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	page := flow.Page{Limit: flow.MaxPage, OldestFirst: true}
	e := everything{flowRecords: map[uuid.UUID][]flow.FlowRecord{}, records: map[uuid.UUID][]flow.NotificationRecord{}}
	var err error
	e.flows, err = store.Flows(ctx, flow.FlowFilter{}, page)
	require.NoError(t, err)
	require.Less(t, len(e.flows), flow.MaxPage, "more than fits")
	for _, f := range e.flows {
		e.flowRecords[f.ID], err = store.FlowHistory(ctx, f.ID)
		require.NoError(t, err)
	}
	e.notifications, err = store.Notifications(ctx, flow.NotificationFilter{}, page)
	require.NoError(t, err)
	require.Less(t, len(e.notifications), flow.MaxPage, "more than fits")
	for _, n := range e.notifications {
		e.records[n.ID], err = store.NotificationHistory(ctx, n.ID)
		require.NoError(t, err)
	}
	return e
}

// calls counts what the platform was asked.
func (w *world) calls() [4]int {
	return [4]int{
		w.Received(appiotest.SubmitMessage), w.Received(appiotest.GetMessage),
		w.Received(appiotest.GetProfile), w.Received(appiotest.GetFeed),
	}
}

func TestEveryMethodAsksWhoCallsIt(t *testing.T) {
	calls := map[string]authtest.Call[stage]{}
	for name, m := range methods {
		m.By = operator
		if m.Changes { // or whoever has the service may look
			m.Refused = []flussi.Actor{{ID: operator.ID}, {ID: operator.ID, Roles: []flussi.Role{flussi.Principal}}}
			if name != "VerifyNotification" { // by the machine, the system asks too
				m.Refused = append(m.Refused, flussi.Actor{ID: operator.ID, Roles: []flussi.Role{flussi.System}})
			}
		}
		calls[name] = m
	}
	authtest.Service[stage]{
		Type: reflect.TypeFor[*flow.Service](), Calls: calls, Secret: taxes, Forbidden: "L'utente non è abilitato al servizio: rivolgersi a chi assegna le abilitazioni.",
		Strangers: []flussi.Actor{
			stranger,
			{ID: "nessuno", Roles: []flussi.Role{flussi.Operator}},
			{ID: "robot", Roles: []flussi.Role{flussi.Operator, flussi.System}},
		},
		New: func(t *testing.T) authtest.Scene[stage] {
			store := &faultyStore{Store: memstore.New()}
			w := newWorld(t, worldConfig{store: store})
			on := stage{t, w.Service, sceneOf(t, w)}
			missing := on
			missing.scene = on.missing()
			return authtest.Scene[stage]{
				On: on, Missing: missing,
				Failing: func(authorizer, fault error) stage {
					failing := &faultyStore{Store: store, fails: anyMethod, times: 1000, err: fault}
					if fault == nil {
						failing.times = 0
					}
					var access flow.Authorizer = flow.Permissions{operator.ID: {taxes}}
					if authorizer != nil {
						access = failingAuthorizer{authorizer}
					}
					service, err := flow.NewService(failing, access, w.messengers, flow.ServiceConfig{})
					require.NoError(t, err)
					return stage{t, service, on.scene}
				},
				Stored: func() any { return everythingIn(t, store) },
				Asked:  func() any { return w.calls() },
			}
		},
	}.Run(t)
}

// failingAuthorizer names services, and fails nevertheless.
type failingAuthorizer struct{ err error }

func (a failingAuthorizer) Services(context.Context, flussi.Actor) ([]string, error) {
	return []string{taxes, school}, a.err
}

func TestListsHaveNothingOfOtherServices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		on := sceneOf(t, w)
		alone, err := w.SendNewNotification(t.Context(), operator, taxes, draft(t, 500), flow.SendNewConfig{})
		require.NoError(t, err)
		own, err := w.CreateFlow(t.Context(), stranger, school, flow.Details{Note: flussi.NewText("nota riservata")})
		require.NoError(t, err)
		_, err = w.AddNotifications(t.Context(), stranger, own.ID, flow.DraftRows(drafts(t, 2)...), flow.AddConfig{})
		require.NoError(t, err)
		nobody := flussi.Actor{ID: "nessuno", Roles: []flussi.Role{flussi.Operator}}
		calls := w.calls()

		for name, filter := range map[string]flow.FlowFilter{
			"all":                       {},
			"by the ID of a foreign":    {IDs: []uuid.UUID{on.inactive.ID, own.ID}},
			"by the note":               {Text: "riservata"},
			"by the state of a foreign": {States: []flow.FlowState{flow.FlowIncomplete, flow.FlowInactive}},
		} {
			for _, page := range []flow.Page{{}, {OldestFirst: true}, {Limit: 1}, {After: on.incomplete.Cursor(), OldestFirst: true}} {
				found, err := w.Flows(t.Context(), stranger, filter, page)
				require.NoError(t, err)
				require.Len(t, found.Flows, 1, name)
				assert.Equal(t, own.ID, found.Flows[0].ID)
				assert.Zero(t, found.Next, "that there is more")
			}
			found, err := w.Flows(t.Context(), nobody, filter, flow.Page{})
			require.NoError(t, err)
			assert.Zero(t, found)
		}
		for name, filter := range map[string]flow.NotificationFilter{
			"all":              {},
			"by the stage":     {Text: "Oggetto riservato"},
			"by the digest":    {Digests: []flow.Digest{draft(t, 0).Digest(), draft(t, 1).Digest(), draft(t, 2).Digest()}},
			"by one's own":     {Flow: own.ID},
			"by one's service": {Services: []string{school}},
		} {
			found, err := w.Notifications(t.Context(), stranger, filter, flow.Page{Limit: 2})
			require.NoError(t, err)
			assert.Len(t, found.Notifications, 2, name)
			assert.Zero(t, found.Next, "that there is more")
			all, err := pull(w.AllNotifications(t.Context(), stranger, filter))
			require.NoError(t, err)
			assert.Len(t, all, 2, name)
			for _, n := range append(all, found.Notifications...) {
				assert.Equal(t, school, n.Service)
				assert.Equal(t, own.ID, n.FlowID)
			}
		}
		for name, filter := range map[string]flow.NotificationFilter{
			"by a foreign flow":       {Flow: on.incomplete.ID},
			"by a foreign ID":         {IDs: []uuid.UUID{on.sent.ID, alone.ID}},
			"by a foreign message ID": {MessageID: on.sent.Transmission.MessageID},
			"those of no flow":        {Standalone: true},
			"by a citizen":            {Recipient: citizen(t, 500)},
			"by a foreign digest":     {Digests: []flow.Digest{alone.Digest()}},
			"unsettled":               {DeliveryOpen: true},
			"closed":                  {ClosedBefore: time.Now().Add(time.Hour)},
		} {
			require.NotEmpty(t, must(pull(w.AllNotifications(t.Context(), operator, filter)))(t), name)
			page := must(w.Notifications(t.Context(), stranger, filter, flow.Page{}))(t)
			assert.Empty(t, page.Notifications, name)
			assert.Zero(t, page.Next, name)
			assert.Zero(t, must(pull(w.AllNotifications(t.Context(), stranger, filter)))(t), name)
			page = must(w.Notifications(t.Context(), nobody, filter, flow.Page{}))(t)
			assert.Empty(t, page.Notifications, name)
			assert.Zero(t, page.Next, name)
			assert.Zero(t, must(pull(w.AllNotifications(t.Context(), nobody, filter)))(t), name)
		}
		both := []string{school, taxes}
		_, err = w.Flows(t.Context(), stranger, flow.FlowFilter{Services: both}, flow.Page{})
		assert.ErrorIs(t, err, flussi.ErrForbidden, "one's own service does not open the other")
		_, err = w.Notifications(t.Context(), stranger, flow.NotificationFilter{Services: both}, flow.Page{})
		assert.ErrorIs(t, err, flussi.ErrForbidden)
		_, err = pull(w.AllNotifications(t.Context(), stranger, flow.NotificationFilter{Services: both}))
		assert.ErrorIs(t, err, flussi.ErrForbidden)
		services, err := w.Services(t.Context(), stranger)
		require.NoError(t, err)
		assert.Equal(t, []string{school}, services)
		assert.Equal(t, calls, w.calls())
	})
}

// must takes what a call returned, and gives the value if there is no error.
func must[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		require.NoError(t, err)
		return value
	}
}

// What another service has is no duplicate, nor does an import tell of it.
func TestWhatOtherServicesHaveIsNotRevealedByDuplicates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		_, err := w.SendNewNotification(t.Context(), operator, taxes, draft(t, 1), flow.SendNewConfig{})
		require.NoError(t, err)
		w.prepared(t, 1) // draft 0
		for _, d := range drafts(t, 2) {
			_, err = w.SendNewNotification(t.Context(), stranger, school, d, flow.SendNewConfig{})
			require.NoError(t, err)
		}
		assert.Len(t, w.Deliveries(), 3)
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		w.prepared(t, 3)
		f, err := w.CreateFlow(t.Context(), stranger, school, flow.Details{})
		require.NoError(t, err)
		report, err := w.AddNotifications(t.Context(), stranger, f.ID, flow.DraftRows(drafts(t, 3)...), flow.AddConfig{})
		require.NoError(t, err)
		assert.Equal(t, flow.AddReport{ImportReport: flussi.ImportReport{Rows: 3}, Added: 3}, report)
	})
}

// Whoever loses a service in the middle loses what is in it.
func TestTheAuthorizerIsAskedOnEveryCall(t *testing.T) {
	w := newWorld(t, worldConfig{})
	f := w.prepared(t, 1)
	enabled := flow.Permissions{operator.ID: {school, taxes, taxes}}
	service, err := flow.NewService(w.store, enabled, w.messengers, flow.ServiceConfig{})
	require.NoError(t, err)
	services, err := service.Services(t.Context(), operator)
	require.NoError(t, err)
	assert.Equal(t, []string{school, taxes}, services, "sorted, each once")
	services[0] = "altro"
	_, err = service.Flow(t.Context(), operator, f.ID)
	require.NoError(t, err)
	enabled[operator.ID] = []string{school}
	_, err = service.Flow(t.Context(), operator, f.ID)
	assert.ErrorIs(t, err, flussi.ErrNotFound)
	_, err = service.ActivateFlow(t.Context(), operator, f.ID)
	assert.ErrorIs(t, err, flussi.ErrNotFound)
	assert.Equal(t, flow.FlowInactive, w.flow(t, f.ID).State)
}
