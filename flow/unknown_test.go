package flow_test

import (
	"context"
	"fmt"
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
	"github.com/flussi-go/flussi/fsm"
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
	n := 0
	for _, err := range w.AllNotifications(t.Context(), operator, flow.NotificationFilter{ErrorCodes: []flow.ErrorCode{flow.CodeOutcomeUnknown}}) {
		require.NoError(t, err)
		n++
	}
	return n
}

func TestUnknownOutcomesAreResolvedTogether(t *testing.T) {
	for name, m := range resolves {
		for what, test := range map[string]struct {
			filter   func(flows []flow.Flow, alone []flow.Notification) flow.NotificationFilter
			resolved []int // of each flow, and of those that stand alone
		}{
			"all": {func([]flow.Flow, []flow.Notification) flow.NotificationFilter { return flow.NotificationFilter{} }, []int{3, 2, 2}},
			"of a flow": {func(flows []flow.Flow, _ []flow.Notification) flow.NotificationFilter {
				return flow.NotificationFilter{Flow: flows[0].ID}
			}, []int{3, 0, 0}},
			"of a citizen": {func([]flow.Flow, []flow.Notification) flow.NotificationFilter {
				return flow.NotificationFilter{Recipient: citizen(t, 1)}
			}, []int{1, 1, 0}},
			"those of no flow": {func([]flow.Flow, []flow.Notification) flow.NotificationFilter {
				return flow.NotificationFilter{Standalone: true}
			}, []int{0, 0, 2}},
			"by their IDs": {func(_ []flow.Flow, alone []flow.Notification) flow.NotificationFilter {
				return flow.NotificationFilter{IDs: []uuid.UUID{alone[1].ID}}
			}, []int{0, 0, 1}},
			"among other errors": {func([]flow.Flow, []flow.Notification) flow.NotificationFilter {
				return flow.NotificationFilter{ErrorCodes: []flow.ErrorCode{flow.CodeRefused, flow.CodeOutcomeUnknown}, Services: []string{taxes}}
			}, []int{3, 2, 2}},
			"with another error": {func([]flow.Flow, []flow.Notification) flow.NotificationFilter {
				return flow.NotificationFilter{ErrorCodes: []flow.ErrorCode{flow.CodeRefused}}
			}, []int{0, 0, 0}},
			"in another state": {func([]flow.Flow, []flow.Notification) flow.NotificationFilter {
				return flow.NotificationFilter{States: []flow.NotificationState{flow.NotificationSent}}
			}, []int{0, 0, 0}},
			"only disabled ones": {func([]flow.Flow, []flow.Notification) flow.NotificationFilter {
				return flow.NotificationFilter{Disabled: flow.OnlyDisabled}
			}, []int{0, 0, 0}},
		} {
			t.Run(name+", "+what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, worldConfig{})
					flows := []flow.Flow{w.unanswered(t, 5, 3), w.unanswered(t, 2, 2)}
					var alone []flow.Notification
					for i := range 2 {
						w.Fail(appiotest.SubmitMessage, noAnswer)
						n, err := w.SendNewNotification(t.Context(), operator, taxes, draft(t, 50+i), flow.SendNewConfig{})
						require.Error(t, err)
						alone = append(alone, n)
					}
					w.Fail(appiotest.SubmitMessage, noAnswer)
					foreign, err := w.SendNewNotification(t.Context(), stranger, school, draft(t, 1), flow.SendNewConfig{})
					require.Error(t, err)
					w.Fail(appiotest.SubmitMessage, refusal)
					refused, err := w.SendNewNotification(t.Context(), operator, taxes, draft(t, 60), flow.SendNewConfig{})
					require.Error(t, err)
					w.Fail(appiotest.SubmitMessage, noAnswer)
					aside, err := w.SendNewNotification(t.Context(), operator, taxes, draft(t, 61), flow.SendNewConfig{})
					require.Error(t, err)
					aside = must(w.DisableNotification(t.Context(), operator, aside.ID))(t)
					time.Sleep(time.Hour)

					filter := test.filter(flows, alone)
					w.refused(t, flussi.ErrEmpty, func() error { return only(m.call(w.Service, t.Context(), operator, filter, " \n")) })
					report := must(m.call(w.Service, t.Context(), operator, filter, decision))(t)
					want := test.resolved
					assert.Equal(t, flow.ResolveReport{Resolved: want[0] + want[1] + want[2]}, report)
					got := []int{0, 0, 0}
					for i, list := range [][]flow.Notification{w.notifications(t, flows[0].ID), w.notifications(t, flows[1].ID), alone} {
						for _, n := range list {
							n = w.notification(t, n.ID)
							if records := must(w.NotificationHistory(t.Context(), operator, n.ID))(t); records[len(records)-1].Action == m.action {
								got[i]++
								assert.Equal(t, flow.NotificationRecord{
									Version: n.Version, At: time.Now().UTC(), By: operator.ID, Action: m.action,
									From: flow.NotificationFailed, To: m.state, Reason: flussi.NewText(decision),
								}, records[len(records)-1])
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
							records := must(w.FlowHistory(t.Context(), operator, f.ID))(t)
							assert.Equal(t, fmt.Sprintf("%d notifiche: «%s».", all, m.action.Label()), records[len(records)-1].Reason.Reveal())
						} else {
							assert.Equal(t, flow.FlowIncomplete, f.State)
						}
						w.flowSteps(t, f.ID)
					}
					assert.Equal(t, flow.ResolveReport{}, must(m.call(w.Service, t.Context(), operator, filter, decision))(t), "nothing is left")
				})
			})
		}
	}
}

// Notifications that are sent again in bulk are sent once more each.
func TestUnknownOutcomesAreSentAgainOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		f := w.unanswered(t, 4, 3) // all of them were stored by the platform
		require.Len(t, w.Deliveries(), 4)
		must(w.ResendUnknown(t.Context(), operator, flow.NotificationFilter{Flow: f.ID}, decision))(t)
		must(w.SendFlow(t.Context(), operator, f.ID))(t)
		assert.Equal(t, flow.FlowSent, w.run(t, f.ID).State)
		assert.Len(t, w.Deliveries(), 7)
		for _, n := range w.notifications(t, f.ID) {
			assert.False(t, n.AllowDuplicate)
		}
	})
}

func TestResolvingSkipsDisabledFlows(t *testing.T) {
	for name, m := range resolves {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, worldConfig{})
				first, second := w.unanswered(t, 3, 3), w.unanswered(t, 2, 2)
				must(w.DisableFlow(t.Context(), operator, first.ID))(t)
				before := w.notifications(t, first.ID)
				report := must(m.call(w.Service, t.Context(), operator, flow.NotificationFilter{}, decision))(t)
				assert.Equal(t, flow.ResolveReport{Resolved: 2, Skipped: 3}, report)
				assert.Equal(t, before, w.notifications(t, first.ID))
				assert.Equal(t, m.flow, w.flow(t, second.ID).State)
			})
		})
	}
}

// Concurrent changes of another operator are kept.
func TestResolvingSkipsConcurrentChanges(t *testing.T) {
	for name, m := range resolves {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &altered{Store: memstore.New()}
				w := newWorld(t, worldConfig{store: store})
				f := w.unanswered(t, 5, 4)
				w.Fail(appiotest.SubmitMessage, noAnswer, noAnswer)
				var alone []flow.Notification
				for i := range 2 {
					n, err := w.SendNewNotification(t.Context(), operator, taxes, draft(t, 50+i), flow.SendNewConfig{})
					require.Error(t, err)
					alone = append(alone, n)
				}
				other := w.notifications(t, f.ID)[1]
				meddle := true
				beside := func() {
					if meddle {
						meddle = false
						must(w.DisableNotification(t.Context(), operator, other.ID))(t)
						must(w.DisableNotification(t.Context(), operator, alone[0].ID))(t)
					}
				}
				store.saveFlow = func(context.Context, flow.FlowChange) error { beside(); return nil }
				store.saveNotifications = func(context.Context, []flow.NotificationChange) error { beside(); return nil }
				report := must(m.call(w.Service, t.Context(), operator, flow.NotificationFilter{}, decision))(t)
				assert.Equal(t, flow.ResolveReport{Resolved: 4, Skipped: 2}, report)
				for _, id := range []uuid.UUID{other.ID, alone[0].ID} {
					n := w.notification(t, id)
					assert.True(t, n.Disabled)
					assert.Equal(t, flow.CodeOutcomeUnknown, n.Transmission.ErrorCode)
				}
				assert.Equal(t, m.state, w.notification(t, alone[1].ID).State)
				assert.Equal(t, m.flow, w.flow(t, f.ID).State, "what is disabled does not count")
			})
		})
	}
}

// A concurrent change of the flow alone does not keep its notifications from being resolved.
func TestResolvingRetriesAfterAChangeOfTheFlow(t *testing.T) {
	for name, m := range resolves {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &altered{Store: memstore.New()}
				w := newWorld(t, worldConfig{store: store})
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
				report := must(m.call(w.Service, t.Context(), operator, flow.NotificationFilter{Flow: f.ID}, decision))(t)
				assert.Equal(t, flow.ResolveReport{Resolved: 3}, report)
				assert.Equal(t, m.flow, w.flow(t, f.ID).State)
			})
		})
	}
}

// More notifications than a page holds are resolved.
func TestResolvingGoesThroughAllPages(t *testing.T) {
	const more = 100
	for name, m := range resolves {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}})
				f := w.sending(t, flow.MaxPage+more)
				w.FailAtRandom(appiotest.SubmitMessage, 1, 1, noAnswer)
				must(w.dispatcher(t, flow.DispatcherConfig{FailureThreshold: 10 * flow.MaxPage}).Run(t.Context(), f.ID))(t)
				require.Equal(t, flow.MaxPage+more, w.unknowns(t))
				must(w.DisableNotification(t.Context(), operator, w.notifications(t, f.ID)[500].ID))(t)
				report := must(m.call(w.Service, t.Context(), operator, flow.NotificationFilter{}, decision))(t)
				assert.Equal(t, flow.ResolveReport{Resolved: flow.MaxPage + more - 1}, report)
				assert.Equal(t, 1, w.unknowns(t))
				assert.Equal(t, m.flow, w.flow(t, f.ID).State)
			})
		})
	}
}

// If the store fails in the middle, the report counts what was resolved before.
func TestResolvingReportsWhatWasDoneBeforeAFailure(t *testing.T) {
	for name, m := range resolves {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &altered{Store: memstore.New()}
				w := newWorld(t, worldConfig{store: store})
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
				assert.Equal(t, flow.ResolveReport{Resolved: 4}, must(m.call(w.Service, t.Context(), operator, flow.NotificationFilter{}, decision))(t))
			})
		})
	}
}

func TestResolvingIsForOperatorsOfTheService(t *testing.T) {
	for name, m := range resolves {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, worldConfig{})
				f := w.unanswered(t, 2, 2)
				w.refused(t, flussi.ErrForbidden, func() error {
					return only(m.call(w.Service, t.Context(), stranger, flow.NotificationFilter{Services: []string{taxes}}, decision))
				})
				before := everythingIn(t, w.store)
				report := must(m.call(w.Service, t.Context(), stranger, flow.NotificationFilter{Flow: f.ID}, decision))(t)
				assert.Zero(t, report)
				assert.Equal(t, before, everythingIn(t, w.store))
				clerk := flussi.Actor{ID: operator.ID, Roles: []flussi.Role{flussi.Principal}}
				for _, filter := range []flow.NotificationFilter{{}, {Standalone: true}} { // which matches nothing
					w.refused(t, fsm.ErrRole, func() error { return only(m.call(w.Service, t.Context(), clerk, filter, decision)) })
				}
				w.refused(t, flussi.ErrLength, func() error {
					return only(m.call(w.Service, t.Context(), operator, flow.NotificationFilter{Text: "ab"}, decision))
				})
			})
		})
	}
}
