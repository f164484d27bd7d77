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
	"github.com/flussi-go/flussi/internal/must"
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
	e.flows = must.Get(store.Flows(ctx, flow.FlowFilter{}, page))(t)
	require.Less(t, len(e.flows), flow.MaxPage, "more than fits")
	for _, f := range e.flows {
		e.flowRecords[f.ID] = must.Get(store.FlowHistory(ctx, f.ID))(t)
	}
	e.notifications = must.Get(store.Notifications(ctx, flow.NotificationFilter{}, page))(t)
	require.Less(t, len(e.notifications), flow.MaxPage, "more than fits")
	for _, n := range e.notifications {
		e.records[n.ID] = must.Get(store.NotificationHistory(ctx, n.ID))(t)
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
		if m.Changes || m.Remote { // or whoever has the service may look
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
			store := newFaultyStore(memstore.New())
			w := newWorld(t, worldConfig{store: store})
			on := stage{w.Service, sceneOf(t, w)}
			missing := on
			missing.scene = on.missing()
			return authtest.Scene[stage]{
				On: on, Missing: missing,
				Failing: func(authorizer, fault error) stage {
					failing := newFaultyStore(store)
					if fault != nil {
						failing.set(anyMethod, 0, 1000, fault)
					}
					var access flow.Authorizer = flow.Permissions{operator.ID: {taxes}}
					if authorizer != nil {
						access = failingAuthorizer{authorizer}
					}
					service := must.Get(flow.NewService(failing, access, w.senders, flow.ServiceConfig{}))(t)
					return stage{service, on.scene}
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
	inWorld(t, func(t *testing.T, w *world) {
		on := sceneOf(t, w)
		alone := w.sendNew(t, draft(500))
		own := must.Get(w.CreateFlow(t.Context(), stranger, school, flow.Details{Note: flussi.NewText("nota riservata")}))(t)
		must.Get(w.AddNotifications(t.Context(), stranger, own.ID, flow.DraftRows(drafts(2)...), flow.AddConfig{}))(t)
		nobody := flussi.Actor{ID: "nessuno", Roles: []flussi.Role{flussi.Operator}}
		calls := w.calls()

		for name, filter := range map[string]flow.FlowFilter{
			"all":                       {},
			"by the ID of a foreign":    {IDs: []uuid.UUID{on.inactive.ID, own.ID}},
			"by the note":               {Text: "riservata"},
			"by the state of a foreign": {States: []flow.FlowState{flow.FlowIncomplete, flow.FlowInactive}},
		} {
			for _, page := range []flow.Page{{}, {OldestFirst: true}, {Limit: 1}, {After: on.incomplete.Cursor(), OldestFirst: true}} {
				found := must.Get(w.Flows(t.Context(), stranger, filter, page))(t)
				require.Len(t, found.Flows, 1, name)
				assert.Equal(t, own.ID, found.Flows[0].ID)
				assert.Zero(t, found.Next, "that there is more")
			}
			assert.Zero(t, must.Get(w.Flows(t.Context(), nobody, filter, flow.Page{}))(t))
		}
		for name, filter := range map[string]flow.NotificationFilter{
			"all":              {},
			"by the stage":     {Text: "Oggetto riservato"},
			"by the digest":    {Digests: []flow.Digest{draft(0).Digest(), draft(1).Digest(), draft(2).Digest()}},
			"by one's own":     {Flow: own.ID},
			"by one's service": {Services: []string{school}},
		} {
			found := must.Get(w.Notifications(t.Context(), stranger, filter, flow.Page{Limit: 2}))(t)
			assert.Len(t, found.Notifications, 2, name)
			assert.Zero(t, found.Next, "that there is more")
			all := must.Get(pull(w.AllNotifications(t.Context(), stranger, filter)))(t)
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
			"by a citizen":            {Recipient: citizen(500)},
			"by a foreign digest":     {Digests: []flow.Digest{alone.Digest()}},
			"unsettled":               {DeliveryOpen: true},
			"closed":                  {ClosedBefore: time.Now().Add(time.Hour)},
		} {
			require.NotEmpty(t, must.Get(pull(w.AllNotifications(t.Context(), operator, filter)))(t), name)
			page := must.Get(w.Notifications(t.Context(), stranger, filter, flow.Page{}))(t)
			assert.Empty(t, page.Notifications, name)
			assert.Zero(t, page.Next, name)
			assert.Zero(t, must.Get(pull(w.AllNotifications(t.Context(), stranger, filter)))(t), name)
			page = must.Get(w.Notifications(t.Context(), nobody, filter, flow.Page{}))(t)
			assert.Empty(t, page.Notifications, name)
			assert.Zero(t, page.Next, name)
			assert.Zero(t, must.Get(pull(w.AllNotifications(t.Context(), nobody, filter)))(t), name)
		}
		both := []string{school, taxes}
		_, err := w.Flows(t.Context(), stranger, flow.FlowFilter{Services: both}, flow.Page{})
		assert.ErrorIs(t, err, flussi.ErrForbidden, "one's own service does not open the other")
		assert.ErrorIs(t, must.Err(w.Notifications(t.Context(), stranger, flow.NotificationFilter{Services: both}, flow.Page{})), flussi.ErrForbidden)
		assert.ErrorIs(t, must.Err(pull(w.AllNotifications(t.Context(), stranger, flow.NotificationFilter{Services: both}))), flussi.ErrForbidden)
		assert.Equal(t, []string{school}, must.Get(w.Services(t.Context(), stranger))(t))
		assert.Equal(t, calls, w.calls())
	})
}

// What another service has is no duplicate, nor does an import tell of it.
func TestWhatOtherServicesHaveIsNotRevealedByDuplicates(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.sendNew(t, draft(1))
		w.prepared(t, 1) // draft 0
		for _, d := range drafts(2) {
			must.Get(w.SendNewNotification(t.Context(), stranger, school, d, flow.SendNewConfig{}))(t)
		}
		w.hasDelivered(t, 3)
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.prepared(t, 3)
		f := must.Get(w.CreateFlow(t.Context(), stranger, school, flow.Details{}))(t)
		report := must.Get(w.AddNotifications(t.Context(), stranger, f.ID, flow.DraftRows(drafts(3)...), flow.AddConfig{}))(t)
		assert.Equal(t, flow.AddReport{ImportReport: flussi.ImportReport{Rows: 3}, Added: 3}, report)
	})
}

// Whoever loses a service in the middle loses what is in it.
func TestTheAuthorizerIsAskedOnEveryCall(t *testing.T) {
	w := newWorld(t)
	f := w.prepared(t, 1)
	enabled := flow.Permissions{operator.ID: {school, taxes, taxes}}
	service := must.Get(flow.NewService(w.store, enabled, w.senders, flow.ServiceConfig{}))(t)
	services := must.Get(service.Services(t.Context(), operator))(t)
	assert.Equal(t, []string{school, taxes}, services, "sorted, each once")
	services[0] = "altro"
	do(t, service.Flow, f.ID)
	enabled[operator.ID] = []string{school}
	assert.ErrorIs(t, must.Err(service.Flow(t.Context(), operator, f.ID)), flussi.ErrNotFound)
	assert.ErrorIs(t, must.Err(service.ActivateFlow(t.Context(), operator, f.ID)), flussi.ErrNotFound)
	w.isIn(t, flow.FlowInactive, f.ID)
}
