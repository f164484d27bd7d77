package flow_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/must"
)

const decision = "Il fornitore ha confermato."

// resolve is a call of ConfirmUnknown or ResendUnknown.
type resolve struct {
	call   func(s *flow.Service, ctx context.Context, by flussi.Actor, filter flow.NotificationFilter, reason string) (flow.ResolveReport, error)
	action flow.NotificationAction
	state  flow.NotificationState
	flow   flow.FlowState // of a flow all of whose notifications were resolved or sent
}

var resolves = map[string]resolve{
	"ConfirmUnknown": {(*flow.Service).ConfirmUnknown, flow.NotificationConfirm, flow.NotificationSent, flow.FlowSent},
	"ResendUnknown":  {(*flow.Service).ResendUnknown, flow.NotificationResend, flow.NotificationRegistered, flow.FlowIncomplete},
}

// eachResolve runs a test for each of both.
func eachResolve(t *testing.T, test func(t *testing.T, m resolve)) {
	for name, m := range resolves {
		bubble(t, name, func(t *testing.T) { test(t, m) })
	}
}

// do resolves what matches a filter, with a decision.
func (m resolve) do(t testing.TB, w *world, filter flow.NotificationFilter) flow.ResolveReport {
	t.Helper()
	return must.Get(m.call(w.Service, t.Context(), operator, filter, decision))(t)
}

// unanswered returns a flow of n notifications, the first of which have an unknown outcome.
func (w *world) unanswered(t testing.TB, n, unknown int) flow.Flow {
	t.Helper()
	f := w.sending(t, n)
	faults := make([]appiotest.Fault, unknown)
	for i := range faults {
		faults[i] = noAnswer
	}
	got := w.run(t, f.ID, faults...)
	require.Equal(t, flow.Counts{Sent: n - unknown, Failed: unknown}, got.Counts)
	return got
}

// unknowns counts the notifications whose outcome is unknown.
func (w *world) unknowns(t testing.TB) int {
	t.Helper()
	return len(must.Get(pull(w.AllNotifications(t.Context(), operator, flow.NotificationFilter{ErrorCodes: []flow.ErrorCode{flow.CodeOutcomeUnknown}})))(t))
}

func TestUnknownOutcomesAreResolvedTogether(t *testing.T) {
	for name, m := range resolves {
		for what, test := range map[string]struct {
			filter   flow.NotificationFilter
			of       func(filter *flow.NotificationFilter, first flow.Flow, alone []flow.Notification) // sets IDs
			resolved []int                                                                             // of each flow, and of those that stand alone
		}{
			"all": {flow.NotificationFilter{}, nil, []int{3, 2, 2}},
			"of a flow": {flow.NotificationFilter{}, func(filter *flow.NotificationFilter, first flow.Flow, _ []flow.Notification) {
				filter.Flow = first.ID
			}, []int{3, 0, 0}},
			"of a citizen":     {flow.NotificationFilter{Recipient: citizen(1)}, nil, []int{1, 1, 0}},
			"those of no flow": {flow.NotificationFilter{Standalone: true}, nil, []int{0, 0, 2}},
			"by their IDs": {flow.NotificationFilter{}, func(filter *flow.NotificationFilter, _ flow.Flow, alone []flow.Notification) {
				filter.IDs = []uuid.UUID{alone[1].ID}
			}, []int{0, 0, 1}},
			"among other errors": {flow.NotificationFilter{ErrorCodes: []flow.ErrorCode{flow.CodeRefused, flow.CodeOutcomeUnknown}, Services: []string{taxes}}, nil, []int{3, 2, 2}},
			"with another error": {flow.NotificationFilter{ErrorCodes: []flow.ErrorCode{flow.CodeRefused}}, nil, []int{0, 0, 0}},
			"in another state":   {flow.NotificationFilter{States: []flow.NotificationState{flow.NotificationSent}}, nil, []int{0, 0, 0}},
			"only disabled ones": {flow.NotificationFilter{Disabled: flow.OnlyDisabled}, nil, []int{0, 0, 0}},
		} {
			bubble(t, name+", "+what, func(t *testing.T) {
				w := newWorld(t)
				flows := []flow.Flow{w.unanswered(t, 5, 3), w.unanswered(t, 2, 2)}
				var alone []flow.Notification
				for i := range 2 {
					alone = append(alone, w.sendInVain(t, draft(50+i), noAnswer))
				}
				w.Fail(appiotest.SubmitMessage, noAnswer)
				foreign, err := w.SendNewNotification(t.Context(), stranger, school, draft(1), flow.SendNewConfig{})
				require.Error(t, err)
				refused := w.sendInVain(t, draft(60), refusal)
				aside := do(t, w.DisableNotification, w.sendInVain(t, draft(61), noAnswer).ID)
				time.Sleep(time.Hour)

				filter := test.filter
				if test.of != nil {
					test.of(&filter, flows[0], alone)
				}
				w.refused(t, flussi.ErrEmpty, func() error { return must.Err(m.call(w.Service, t.Context(), operator, filter, " \n")) })
				report := m.do(t, w, filter)
				want := test.resolved
				assert.Equal(t, flow.ResolveReport{Resolved: want[0] + want[1] + want[2]}, report)
				got := []int{0, 0, 0}
				for i, list := range [][]flow.Notification{w.notifications(t, flows[0].ID), w.notifications(t, flows[1].ID), alone} {
					for _, n := range list {
						n = w.notification(t, n.ID)
						if record := last(do(t, w.NotificationHistory, n.ID)); record.Action == m.action {
							got[i]++
							assert.Equal(t, flow.NotificationRecord{
								Version: n.Version, At: time.Now().UTC(), By: operator.ID, Action: m.action,
								From: flow.NotificationFailed, To: m.state, Reason: flussi.NewText(decision),
							}, record)
							assert.Equal(t, m.state, n.State)
							assert.Empty(t, n.Transmission.ErrorCode)
							assert.Empty(t, n.Transmission.Error)
							assert.False(t, n.AllowDuplicate, "no other one has its message")
						}
					}
				}
				assert.Equal(t, want, got)
				for _, n := range []flow.Notification{foreign, refused, aside} {
					assert.Equal(t, n, w.notification(t, n.ID), "it is left as it is")
				}
				for i, all := range []int{3, 2} {
					f := w.flow(t, flows[i].ID)
					if want[i] == all {
						assert.Equal(t, m.flow, f.State)
						assert.Equal(t, fmt.Sprintf("%d notifiche: «%s».", all, m.action.Label()), last(do(t, w.FlowHistory, f.ID)).Reason.Reveal())
					} else {
						assert.Equal(t, flow.FlowIncomplete, f.State)
					}
					w.flowSteps(t, f.ID)
				}
				assert.Equal(t, flow.ResolveReport{}, m.do(t, w, filter), "nothing is left")
			})
		}
	}
}

// Notifications that are sent again in bulk are sent once more each.
func TestUnknownOutcomesAreSentAgainOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.unanswered(t, 4, 3) // all of them were stored by the platform
		require.Len(t, w.Deliveries(), 4)
		do2(t, w.ResendUnknown, flow.NotificationFilter{Flow: f.ID}, decision)
		do(t, w.SendFlow, f.ID)
		assert.Equal(t, flow.FlowSent, w.run(t, f.ID).State)
		w.hasDelivered(t, 7)
		for _, n := range w.notifications(t, f.ID) {
			assert.False(t, n.AllowDuplicate)
		}
	})
}

func TestResolvingSkipsDisabledFlows(t *testing.T) {
	eachResolve(t, func(t *testing.T, m resolve) {
		w := newWorld(t)
		first, second := w.unanswered(t, 3, 3), w.unanswered(t, 2, 2)
		do(t, w.DisableFlow, first.ID)
		before := w.notifications(t, first.ID)
		assert.Equal(t, flow.ResolveReport{Resolved: 2, Skipped: 3}, m.do(t, w, flow.NotificationFilter{}))
		assert.Equal(t, before, w.notifications(t, first.ID))
		assert.Equal(t, m.flow, w.flow(t, second.ID).State)
	})
}

// Concurrent changes of another operator are kept.
func TestResolvingSkipsConcurrentChanges(t *testing.T) {
	eachResolve(t, func(t *testing.T, m resolve) {
		w, store := newAlteredWorld(t)
		f := w.unanswered(t, 5, 4)
		var alone []flow.Notification
		for i := range 2 {
			alone = append(alone, w.sendInVain(t, draft(50+i), noAnswer))
		}
		other := w.notifications(t, f.ID)[1]
		meddle := true
		beside := func() {
			if meddle {
				meddle = false
				do(t, w.DisableNotification, other.ID)
				do(t, w.DisableNotification, alone[0].ID)
			}
		}
		store.saveFlow = func(context.Context, flow.FlowChange) error { beside(); return nil }
		store.saveNotifications = func(context.Context, []flow.NotificationChange) error { beside(); return nil }
		assert.Equal(t, flow.ResolveReport{Resolved: 4, Skipped: 2}, m.do(t, w, flow.NotificationFilter{}))
		for _, id := range []uuid.UUID{other.ID, alone[0].ID} {
			n := w.notification(t, id)
			assert.True(t, n.Disabled)
			assert.Equal(t, flow.CodeOutcomeUnknown, n.Transmission.ErrorCode)
		}
		assert.Equal(t, m.state, w.notification(t, alone[1].ID).State)
		assert.Equal(t, m.flow, w.flow(t, f.ID).State, "what is disabled does not count")
	})
}

// A concurrent change of the flow alone does not keep its notifications from being resolved.
func TestResolvingRetriesAfterAChangeOfTheFlow(t *testing.T) {
	eachResolve(t, func(t *testing.T, m resolve) {
		w, store := newAlteredWorld(t)
		f := w.unanswered(t, 3, 3)
		times := 3
		store.saveFlow = func(context.Context, flow.FlowChange) error {
			if times--; times >= 0 {
				current := w.flow(t, f.ID)
				require.NoError(t, store.Store.SaveFlow(t.Context(), flow.FlowChange{Flow: current,
					Record: flow.FlowRecord{Action: flow.FlowEdit, From: current.State, To: current.State}}, nil))
			}
			return nil
		}
		assert.Equal(t, flow.ResolveReport{Resolved: 3}, m.do(t, w, flow.NotificationFilter{Flow: f.ID}))
		assert.Equal(t, m.flow, w.flow(t, f.ID).State)
	})
}

// More notifications than a page holds are resolved.
func TestResolvingGoesThroughAllPages(t *testing.T) {
	const more = 100
	eachResolve(t, func(t *testing.T, m resolve) {
		w := newWorld(t, unlimited)
		f := w.sending(t, flow.MaxPage+more)
		w.FailAtRandom(appiotest.SubmitMessage, 1, 1, noAnswer)
		w.dispatch(t, f.ID, flow.DispatcherConfig{FailureThreshold: 10 * flow.MaxPage})
		require.Equal(t, flow.MaxPage+more, w.unknowns(t))
		do(t, w.DisableNotification, w.notifications(t, f.ID)[500].ID)
		assert.Equal(t, flow.ResolveReport{Resolved: flow.MaxPage + more - 1}, m.do(t, w, flow.NotificationFilter{}))
		assert.Equal(t, 1, w.unknowns(t))
		assert.Equal(t, m.flow, w.flow(t, f.ID).State)
	})
}

// If the store fails in the middle, the report counts what was resolved before.
func TestResolvingReportsWhatWasDoneBeforeAFailure(t *testing.T) {
	eachResolve(t, func(t *testing.T, m resolve) {
		w, store := newAlteredWorld(t)
		w.unanswered(t, 2, 2)
		w.unanswered(t, 2, 2)
		w.unanswered(t, 2, 2)
		calls := 0
		store.saveFlow = func(context.Context, flow.FlowChange) error {
			if calls++; calls == 2 {
				return errStore
			}
			return nil
		}
		report, err := m.call(w.Service, t.Context(), operator, flow.NotificationFilter{}, decision)
		assert.ErrorIs(t, err, errStore)
		assert.Equal(t, flow.ResolveReport{Resolved: 2}, report)
		assert.Equal(t, 4, w.unknowns(t))
		assert.Equal(t, flow.ResolveReport{Resolved: 4}, m.do(t, w, flow.NotificationFilter{}))
	})
}

func TestResolvingIsForOperatorsOfTheService(t *testing.T) {
	eachResolve(t, func(t *testing.T, m resolve) {
		w := newWorld(t)
		f := w.unanswered(t, 2, 2)
		w.refused(t, flussi.ErrForbidden, func() error {
			return must.Err(m.call(w.Service, t.Context(), stranger, flow.NotificationFilter{Services: []string{taxes}}, decision))
		})
		before := everythingIn(t, w.store)
		assert.Zero(t, must.Get(m.call(w.Service, t.Context(), stranger, flow.NotificationFilter{Flow: f.ID}, decision))(t))
		assert.Equal(t, before, everythingIn(t, w.store))
		clerk := flussi.Actor{ID: operator.ID, Roles: []flussi.Role{flussi.Principal}}
		for _, filter := range []flow.NotificationFilter{{}, {Standalone: true}} { // which matches nothing
			w.refused(t, fsm.ErrRole, func() error { return must.Err(m.call(w.Service, t.Context(), clerk, filter, decision)) })
		}
		w.refused(t, flussi.ErrLength, func() error {
			return must.Err(m.call(w.Service, t.Context(), operator, flow.NotificationFilter{Text: "ab"}, decision))
		})
	})
}
