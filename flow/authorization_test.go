package flow_test

import (
	"context"
	"errors"
	"iter"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/fsm"
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

// rules is what a call of a method is about.
type rules int

const (
	ofFlow         rules = iota // names a flow
	ofNotification              // names a notification
	ofService                   // names a service
	ofNothing                   // lists what there is
)

// scene has an entity in every state that a method needs to succeed.
type scene struct {
	service                        string
	inactive, active, disabled     flow.Flow // flows
	incomplete                     flow.Flow // flow
	draft, sent, refused, unknown  flow.Notification
	registered, aside, alsoUnknown flow.Notification
}

// sceneOf makes the scene in the taxes.
func sceneOf(t testing.TB, w *world) scene {
	t.Helper()
	s := scene{service: taxes, inactive: w.prepared(t, 3), active: w.prepared(t, 2), disabled: w.prepared(t, 1)}
	must := func(_ any, err error) { t.Helper(); require.NoError(t, err) }
	must(w.ActivateFlow(t.Context(), operator, s.active.ID))
	must(w.DisableFlow(t.Context(), operator, s.disabled.ID))
	s.incomplete = w.sending(t, 7)
	w.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.BadRequest}, appiotest.Fault{Kind: appiotest.BadRequest}, appiotest.Fault{Kind: appiotest.BadRequest},
		appiotest.Fault{Kind: appiotest.NoID}, appiotest.Fault{Kind: appiotest.NoID})
	must(w.dispatcher(t, flow.DispatcherConfig{Workers: 1, MaxInFlight: 1}).Run(t.Context(), s.incomplete.ID))
	var failed, unknown, sent []flow.Notification
	for _, n := range w.notifications(t, s.incomplete.ID) {
		switch n.Transmission.ErrorCode {
		case flow.CodeRefused:
			failed = append(failed, n)
		case flow.CodeOutcomeUnknown:
			unknown = append(unknown, n)
		default:
			sent = append(sent, n)
		}
	}
	require.Equal(t, [3]int{3, 2, 2}, [3]int{len(failed), len(unknown), len(sent)})
	must(w.RegisterNotification(t.Context(), operator, failed[1].ID))
	must(w.DisableNotification(t.Context(), operator, failed[2].ID))
	s.draft = w.notifications(t, s.inactive.ID)[0]
	s.sent, s.refused, s.registered, s.aside = sent[0], failed[0], failed[1], failed[2]
	s.unknown, s.alsoUnknown = unknown[0], unknown[1]
	s.inactive, s.active, s.disabled, s.incomplete = w.flow(t, s.inactive.ID), w.flow(t, s.active.ID), w.flow(t, s.disabled.ID), w.flow(t, s.incomplete.ID)
	return s
}

// missing is the same scene with IDs that do not exist.
func (s scene) missing() scene {
	for _, f := range []*flow.Flow{&s.inactive, &s.active, &s.disabled, &s.incomplete} {
		f.ID = uuid.New()
	}
	for _, n := range []*flow.Notification{&s.draft, &s.sent, &s.refused, &s.unknown, &s.registered, &s.aside, &s.alsoUnknown} {
		n.ID = uuid.New()
	}
	return s
}

// ids are the IDs of the scene, in one order.
func (s scene) ids() []string {
	return []string{
		s.inactive.ID.String(), s.active.ID.String(), s.disabled.ID.String(), s.incomplete.ID.String(), s.draft.ID.String(), s.sent.ID.String(),
		s.refused.ID.String(), s.unknown.ID.String(), s.registered.ID.String(), s.aside.ID.String(), s.alsoUnknown.ID.String(),
	}
}

// method is a call of a method that succeeds for the operator, in the scene.
type method struct {
	rules   rules
	changes bool // or sends, or asks the platform: only operators may
	call    func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error)
}

// pull returns a whole sequence, up to its first error.
func pull[T any](sequence iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for item, err := range sequence {
		if err != nil {
			return all, err
		}
		all = append(all, item)
	}
	return all, nil
}

// methods has a call for every method of a Service.
var methods = map[string]method{
	"CreateFlow": {ofService, true, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.CreateFlow(ctx, by, on.service, flow.Details{})
	}},
	"EditFlow": {ofFlow, true, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.EditFlow(ctx, by, on.inactive.ID, on.inactive.Version, flow.Details{Note: flussi.NewText("cambiata")})
	}},
	"ActivateFlow": {ofFlow, true, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.ActivateFlow(ctx, by, on.inactive.ID)
	}},
	"DeactivateFlow": {ofFlow, true, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.DeactivateFlow(ctx, by, on.active.ID)
	}},
	"SendFlow": {ofFlow, true, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.SendFlow(ctx, by, on.active.ID)
	}},
	"DisableFlow": {ofFlow, true, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.DisableFlow(ctx, by, on.inactive.ID)
	}},
	"EnableFlow": {ofFlow, true, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.EnableFlow(ctx, by, on.disabled.ID)
	}},
	"ImportFlow": {ofService, true, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		f, _, err := s.ImportFlow(ctx, by, on.service, flow.Details{}, flow.DraftRows(draft(t, 901)), flow.AddConfig{})
		return f, err
	}},
	"AddNotifications": {ofFlow, true, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.AddNotifications(ctx, by, on.inactive.ID, flow.DraftRows(draft(t, 900)), flow.AddConfig{})
	}},
	"EditNotification": {ofNotification, true, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.EditNotification(ctx, by, on.draft.ID, on.draft.Version, draft(t, 901))
	}},
	"RegisterNotification": {ofNotification, true, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.RegisterNotification(ctx, by, on.refused.ID)
	}},
	"ConfirmNotification": {ofNotification, true, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.ConfirmNotification(ctx, by, on.unknown.ID, "detto dal cittadino")
	}},
	"ResendNotification": {ofNotification, true, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.ResendNotification(ctx, by, on.alsoUnknown.ID, "detto dal cittadino")
	}},
	"DisableNotification": {ofNotification, true, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.DisableNotification(ctx, by, on.refused.ID)
	}},
	"EnableNotification": {ofNotification, true, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.EnableNotification(ctx, by, on.aside.ID)
	}},
	"SendNewNotification": {ofService, true, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.SendNewNotification(ctx, by, on.service, draft(t, 902), flow.SendNewConfig{})
	}},
	"SendNotification": {ofNotification, true, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.SendNotification(ctx, by, on.registered.ID)
	}},
	"VerifyNotification": {ofNotification, true, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.VerifyNotification(ctx, by, on.sent.ID)
	}},
	"VerifyFlow": {ofFlow, true, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.VerifyFlow(ctx, by, on.incomplete.ID)
	}},
	"Anonymise": {ofService, true, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.Anonymise(ctx, by, on.service, time.Now())
	}},
	"ConfirmUnknown": {ofService, true, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.ConfirmUnknown(ctx, by, flow.NotificationFilter{Services: []string{on.service}}, "detto dal fornitore")
	}},
	"ResendUnknown": {ofService, true, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.ResendUnknown(ctx, by, flow.NotificationFilter{Services: []string{on.service}}, "detto dal fornitore")
	}},
	"Flow": {ofFlow, false, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.Flow(ctx, by, on.incomplete.ID)
	}},
	"Notification": {ofNotification, false, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.Notification(ctx, by, on.sent.ID)
	}},
	"FlowActions": {ofFlow, false, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.FlowActions(ctx, by, on.incomplete.ID)
	}},
	"NotificationActions": {ofNotification, false, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.NotificationActions(ctx, by, on.sent.ID)
	}},
	"FlowHistory": {ofFlow, false, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.FlowHistory(ctx, by, on.incomplete.ID)
	}},
	"NotificationHistory": {ofNotification, false, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.NotificationHistory(ctx, by, on.sent.ID)
	}},
	"Flows": {ofService, false, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.Flows(ctx, by, flow.FlowFilter{Services: []string{on.service}}, flow.Page{})
	}},
	"Notifications": {ofService, false, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.Notifications(ctx, by, flow.NotificationFilter{Services: []string{on.service}}, flow.Page{})
	}},
	"AllNotifications": {ofService, false, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return pull(s.AllNotifications(ctx, by, flow.NotificationFilter{Services: []string{on.service}}))
	}},
	"Services": {ofNothing, false, func(t testing.TB, ctx context.Context, s *flow.Service, by flussi.Actor, on scene) (any, error) {
		return s.Services(ctx, by)
	}},
}

// A method that is not in the table fails here, so that none is forgotten.
func TestEveryMethodIsChecked(t *testing.T) {
	service := reflect.TypeFor[*flow.Service]()
	for i := range service.NumMethod() {
		assert.Contains(t, methods, service.Method(i).Name, "no call of it in the table of this test")
	}
	assert.Len(t, methods, service.NumMethod(), "a call of a method that does not exist")
}

func TestWhoIsNotEnabledIsRefusedByEveryMethod(t *testing.T) {
	for name, m := range methods {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, worldConfig{})
			on := sceneOf(t, w)
			before, calls := everythingIn(t, w.store), w.calls()
			unchanged := func(t *testing.T) {
				t.Helper()
				assert.Equal(t, before, everythingIn(t, w.store), "something was changed")
				assert.Equal(t, calls, w.calls(), "the platform was called")
			}
			for who, by := range map[string]flussi.Actor{
				"of another service":     stranger,
				"of no service":          {ID: "nessuno", Roles: []flussi.Role{flussi.Operator}},
				"of no service, a robot": {ID: "robot", Roles: []flussi.Role{flussi.Operator, flussi.System}},
			} {
				t.Run(who, func(t *testing.T) {
					got, err := m.call(t, t.Context(), w.Service, by, on)
					unchanged(t)
					if m.rules == ofNothing {
						assert.NoError(t, err)
						assert.NotContains(t, got, taxes)
						return
					}
					assert.Zero(t, got, "something was revealed")
					var typed *flussi.Error
					require.ErrorAs(t, err, &typed)
					if m.rules == ofService {
						assert.ErrorIs(t, err, flussi.ErrForbidden)
						assert.NotErrorIs(t, err, flussi.ErrNotFound)
						assert.Equal(t, "L'utente non è abilitato al servizio: rivolgersi a chi assegna le abilitazioni.", flussi.Explain(err))
						return
					}
					assert.ErrorIs(t, err, flussi.ErrNotFound)
					assert.NotErrorIs(t, err, flussi.ErrForbidden, "that it exists")
					missing := on.missing()
					_, absent := m.call(t, t.Context(), w.Service, by, missing)
					require.ErrorIs(t, absent, flussi.ErrNotFound)
					_, absentToAll := m.call(t, t.Context(), w.Service, operator, missing)
					text, explained := err.Error(), flussi.Explain(err)
					for i, id := range missing.ids() {
						text = strings.ReplaceAll(text, on.ids()[i], id)
					}
					assert.NotEqual(t, err.Error(), text, "which one it was about")
					assert.Equal(t, absent.Error(), text, "it can be told from one that does not exist")
					assert.Equal(t, absentToAll.Error(), text)
					assert.Equal(t, flussi.Explain(absent), explained)
					assert.Equal(t, reflect.TypeOf(errors.Unwrap(absent)), reflect.TypeOf(errors.Unwrap(err)))
					unchanged(t)
				})
			}
			t.Run("nobody", func(t *testing.T) {
				for _, by := range []flussi.Actor{{}, {Roles: []flussi.Role{flussi.Operator}}} {
					got, err := m.call(t, t.Context(), w.Service, by, on)
					var typed *flussi.Error
					require.ErrorAs(t, err, &typed)
					assert.ErrorIs(t, err, flussi.ErrEmpty)
					assert.Equal(t, "Manca l'utente che esegue l'operazione.", flussi.Explain(err))
					assert.Zero(t, got, "something was revealed")
					_, absent := m.call(t, t.Context(), w.Service, by, on.missing())
					assert.ErrorIs(t, absent, flussi.ErrEmpty)
					unchanged(t)
				}
			})
			t.Run("no operator", func(t *testing.T) {
				if !m.changes {
					return // whoever is enabled may look
				}
				for _, roles := range [][]flussi.Role{nil, {flussi.Principal}, {flussi.System}} {
					if name == "VerifyNotification" && len(roles) > 0 && roles[0] == flussi.System {
						continue // by the machine, the system asks too
					}
					_, err := m.call(t, t.Context(), w.Service, flussi.Actor{ID: operator.ID, Roles: roles}, on)
					var typed *flussi.Error
					require.ErrorAs(t, err, &typed)
					assert.ErrorIs(t, err, fsm.ErrRole, "%v", roles)
					assert.NotEmpty(t, flussi.Explain(err))
					unchanged(t)
				}
			})
			t.Run("the authorizer fails", func(t *testing.T) {
				down := errors.New("directory not available")
				service, err := flow.NewService(w.store, failingAuthorizer{down}, w.messengers, flow.ServiceConfig{})
				require.NoError(t, err)
				got, err := m.call(t, t.Context(), service, operator, on)
				var typed *flussi.Error
				require.ErrorAs(t, err, &typed)
				assert.ErrorIs(t, err, down)
				assert.Zero(t, got, "something was revealed")
				unchanged(t)
			})
			t.Run("and the operator is not", func(t *testing.T) {
				got, err := m.call(t, t.Context(), w.Service, operator, on)
				require.NoError(t, err)
				assert.NotZero(t, got)
				if m.changes {
					assert.NotEqual(t, before, everythingIn(t, w.store))
				} else {
					unchanged(t)
				}
			})
		})
	}
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
			"by the subject":   {Text: "Oggetto riservato"},
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
		assert.Equal(t, flow.AddReport{Rows: 3, Added: 3}, report)
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
