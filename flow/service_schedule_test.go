package flow_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/must"
)

// scheduled returns an active flow of so many notifications that begins at a time.
func (w *world) scheduled(t testing.TB, n int, at time.Time) flow.Flow {
	t.Helper()
	f := w.prepared(t, n)
	do(t, w.ActivateFlow, f.ID)
	return do2(t, w.ScheduleFlow, f.ID, at)
}

// in returns the time after so long, as it is stored.
func in(d time.Duration) time.Time { return time.Now().UTC().Add(d) }

func TestServeBeginsAScheduledFlowAtItsTime(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		stop := w.serve(t, flow.DispatcherConfig{ID: "serve"})
		at := in(36 * time.Hour)
		f := w.scheduled(t, 3, at.In(time.FixedZone("altrove", 3600)))
		assert.Equal(t, at, f.NotBefore)
		assert.Equal(t, operator.ID, f.ScheduledBy)
		assert.Equal(t, f, w.flow(t, f.ID), "as it is stored")
		time.Sleep(time.Until(at))
		synctest.Wait()
		assert.Equal(t, f, w.flow(t, f.ID), "until then, nothing has happened")
		w.hasDelivered(t, 0)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		got := w.flow(t, f.ID)
		assert.Equal(t, flow.FlowSent, got.State)
		assert.Zero(t, got.NotBefore)
		assert.Empty(t, got.ScheduledBy)
		w.hasDelivered(t, 3)
		stop()

		history := do(t, w.FlowHistory, f.ID)
		require.Equal(t, "create import activate schedule begin complete", w.flowSteps(t, f.ID))
		assert.Equal(t, operator.ID, history[3].By)
		assert.Equal(t, "L'invio inizia non prima del "+rome(at)+".", history[3].Reason.Reveal())
		assert.Equal(t, "serve", history[4].By)
		assert.Equal(t, "Invio programmato da «"+operator.ID+"» non prima del "+rome(at)+".", history[4].Reason.Reveal())
		assert.WithinDuration(t, at, history[4].At, time.Second)
	})
}

// rome writes a time as operators read it.
func rome(at time.Time) string {
	zone, _ := time.LoadLocation("Europe/Rome")
	return at.In(zone).Format("02/01/2006 alle 15:04")
}

func TestScheduledFlowBeginsAfterARestart(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		stop := w.serve(t, flow.DispatcherConfig{})
		soon, missed := w.scheduled(t, 2, in(time.Hour)), w.scheduled(t, 2, in(time.Minute))
		stop()
		time.Sleep(10 * time.Minute) // no process runs
		w.isIn(t, flow.FlowActive, missed.ID)
		stop = w.serve(t, flow.DispatcherConfig{})
		time.Sleep(2 * time.Second)
		synctest.Wait()
		w.isIn(t, flow.FlowSent, missed.ID, "its time passed meanwhile")
		w.isIn(t, flow.FlowActive, soon.ID)
		time.Sleep(time.Hour)
		synctest.Wait()
		w.isIn(t, flow.FlowSent, soon.ID)
		stop()
		w.hasDelivered(t, 4)
	})
}

func TestOneOfManyDispatchersBeginsAScheduledFlow(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var flows []flow.Flow
		for range 20 {
			flows = append(flows, w.scheduled(t, 3, in(time.Minute)))
		}
		var stops []func()
		for i := range 8 {
			stops = append(stops, w.serve(t, flow.DispatcherConfig{ID: fmt.Sprint("d", i), MaxFlows: 20}))
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		for _, stop := range stops {
			stop()
		}
		for _, f := range flows {
			assert.Equal(t, "create import activate schedule begin complete", w.flowSteps(t, f.ID))
		}
		w.hasDelivered(t, 60)
	}, unlimited)
}

func TestScheduledFlowIsWithdrawn(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		stop := w.serve(t, flow.DispatcherConfig{})
		at := in(time.Hour)
		back, now, aside, later := w.scheduled(t, 1, at), w.scheduled(t, 1, at), w.scheduled(t, 1, at), w.scheduled(t, 1, at)

		got := do(t, w.DeactivateFlow, back.ID)
		assert.Zero(t, got.NotBefore)
		assert.Empty(t, got.ScheduledBy)
		history := do(t, w.FlowHistory, back.ID)
		assert.Equal(t, "Annullato l'invio programmato da «"+operator.ID+"» non prima del "+rome(at)+".", history[len(history)-1].Reason.Reveal())

		got = do(t, w.SendFlow, now.ID)
		assert.Zero(t, got.NotBefore)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		w.isIn(t, flow.FlowSent, now.ID, "an order to send it does not wait")

		got = do(t, w.DisableFlow, aside.ID)
		assert.Equal(t, at, got.NotBefore, "a flow that is set aside keeps its time")
		w.refused(t, flow.ErrDisabled, try2(t, w.ScheduleFlow, aside.ID, at))

		got = do2(t, w.ScheduleFlow, later.ID, at.Add(time.Hour))
		assert.Equal(t, at.Add(time.Hour), got.NotBefore)

		time.Sleep(90 * time.Minute)
		synctest.Wait()
		w.isIn(t, flow.FlowInactive, back.ID)
		w.isIn(t, flow.FlowActive, aside.ID)
		w.isIn(t, flow.FlowActive, later.ID, "the new time replaces the first")
		w.hasDelivered(t, 1)

		do(t, w.EnableFlow, aside.ID)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		w.isIn(t, flow.FlowSent, aside.ID, "its time has passed")

		time.Sleep(time.Hour)
		synctest.Wait()
		w.isIn(t, flow.FlowSent, later.ID)
		w.hasDelivered(t, 3)
		do(t, w.ActivateFlow, back.ID)
		time.Sleep(time.Hour)
		synctest.Wait()
		w.isIn(t, flow.FlowActive, back.ID, "it has no time any more")
		stop()
	})
}

// Between the order and the beginning, notifications are fixed, as those of any active flow. The
// details may change.
func TestScheduledFlowIsFixed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		at := in(time.Hour)
		f := w.scheduled(t, 3, at)
		all := w.notifications(t, f.ID)
		w.refused(t, flussi.ErrState, func() error {
			return must.Err(w.EditNotification(t.Context(), operator, all[0].ID, all[0].Version, draft(7)))
		})
		w.refused(t, fsm.ErrNotAllowed, func() error {
			return must.Err(w.AddNotifications(t.Context(), operator, f.ID, flow.DraftRows(draft(9)), flow.AddConfig{}))
		})
		w.refused(t, flussi.ErrState, try(t, w.DisableNotification, all[1].ID))
		version := w.flow(t, f.ID).Version
		edited := must.Get(w.EditFlow(t.Context(), operator, f.ID, version, flow.Details{Note: flussi.NewText("altra nota")}))(t)
		assert.Equal(t, at, edited.NotBefore)
		stop := w.serve(t, flow.DispatcherConfig{})
		time.Sleep(time.Hour + 2*time.Second)
		synctest.Wait()
		stop()
		w.isIn(t, flow.FlowSent, f.ID)
		w.hasDelivered(t, 3)
	})
}

func TestScheduleFlowRefusesTimesAtWhichNothingBegins(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.prepared(t, 1)
		w.refused(t, fsm.ErrNotAllowed, try2(t, w.ScheduleFlow, f.ID, in(time.Hour)))
		do(t, w.ActivateFlow, f.ID)
		for text, at := range map[string]time.Time{
			"Indicare quando": {}, "è già passata": in(-time.Second), "già passata: indicarne": in(0),
			"già passata: indicarne una futura": in(time.Nanosecond), "fino a un anno": in(flow.MaxSchedule + time.Second),
		} {
			w.refused(t, flussi.ErrRange, try2(t, w.ScheduleFlow, f.ID, at))
			assert.Contains(t, flussi.Explain(must.Err(w.ScheduleFlow(t.Context(), operator, f.ID, at))), text)
		}
		assert.Zero(t, w.flow(t, f.ID).NotBefore)
		do2(t, w.ScheduleFlow, f.ID, in(flow.MaxSchedule))
		w.refused(t, flussi.ErrNotFound, func() error { return must.Err(w.ScheduleFlow(t.Context(), stranger, f.ID, in(time.Hour))) })
		reader := flussi.Actor{ID: operator.ID}
		w.refused(t, fsm.ErrRole, func() error { return must.Err(w.ScheduleFlow(t.Context(), reader, f.ID, in(time.Hour))) })
		sent := w.sending(t, 1)
		w.refused(t, fsm.ErrNotAllowed, try2(t, w.ScheduleFlow, sent.ID, in(time.Hour)))
	})
}

// An operator who changes the flow at the moment at which it begins is not overridden.
func TestBeginningAndWithdrawingExcludeEachOther(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		began := 0
		for range 50 {
			f := w.scheduled(t, 1, in(time.Second))
			time.Sleep(1500 * time.Millisecond)
			stop := w.serve(t, flow.DispatcherConfig{})
			_, err := w.DeactivateFlow(t.Context(), operator, f.ID)
			time.Sleep(5 * time.Second)
			synctest.Wait()
			stop()
			steps := w.flowSteps(t, f.ID)
			if err == nil {
				assert.Equal(t, "create import activate schedule deactivate", steps)
				continue
			}
			began++
			assert.True(t, errors.Is(err, fsm.ErrNotAllowed), "%v", err)
			assert.Equal(t, "create import activate schedule begin complete", steps)
		}
		w.hasDelivered(t, began)
	}, unlimited)
}

func TestFlowsAreFoundByTheirTime(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		at := in(time.Hour)
		first, second := w.scheduled(t, 1, at), w.scheduled(t, 1, at.Add(time.Hour))
		w.prepared(t, 1)
		find := func(before time.Time) (found []string) {
			for _, f := range do2(t, w.Flows, flow.FlowFilter{ScheduledBefore: before}, flow.Page{Limit: 10}).Flows {
				found = append(found, f.ID.String())
			}
			slices.Sort(found)
			return found
		}
		assert.Empty(t, find(at))
		assert.Equal(t, []string{first.ID.String()}, find(at.Add(time.Microsecond)))
		assert.Equal(t, []string{first.ID.String(), second.ID.String()}, find(at.AddDate(1, 0, 0)))
	})
}

// A process without the key of a service leaves its flows to others.
func TestServeSendsOnlyItsServices(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		mine, ordered := w.scheduled(t, 1, in(time.Minute)), w.sending(t, 1)
		stop := w.serve(t, flow.DispatcherConfig{Services: []string{school}})
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		stop()
		w.isIn(t, flow.FlowActive, mine.ID)
		w.isIn(t, flow.FlowSending, ordered.ID)
		stop = w.serve(t, flow.DispatcherConfig{Services: []string{school, taxes}})
		time.Sleep(2 * time.Second)
		synctest.Wait()
		stop()
		w.isIn(t, flow.FlowSent, mine.ID)
		w.isIn(t, flow.FlowSent, ordered.ID)
	})
}
