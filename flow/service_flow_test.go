package flow_test

import (
	"fmt"
	"strings"
	"sync"
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

func TestCreateFlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		details := flow.Details{Note: flussi.NewText("Avvisi 2025"), AppContext: "tributi", AppKey: "TARI/1"}
		f := must(w.CreateFlow(t.Context(), operator, taxes, details))(t)
		assert.Equal(t, f, w.flow(t, f.ID), "as it is stored")
		assert.Equal(t, flow.Flow{ID: f.ID, Service: taxes, State: flow.FlowInactive, Details: details,
			CreatedAt: time.Now().UTC(), UpdatedAt: time.Now().UTC(), UpdatedBy: operator.ID, Version: 1}, f)
		assert.Equal(t, []flow.FlowRecord{{Version: 1, At: time.Now().UTC(), By: operator.ID, Action: flow.FlowCreate, To: flow.FlowInactive}},
			must(w.FlowHistory(t.Context(), operator, f.ID))(t))
		assert.Equal(t, f, must(w.Flow(t.Context(), operator, f.ID))(t))
		w.refused(t, flussi.ErrEmpty, func() error { return only(w.CreateFlow(t.Context(), operator, "", details)) })
	})
}

func TestDetailsHaveTheirLengths(t *testing.T) {
	w := newWorld(t, worldConfig{})
	f := w.prepared(t, 0)
	emoji := strings.Repeat("😀", flow.MaxNote/2)
	for name, test := range map[string]struct {
		details flow.Details
		err     error
	}{
		"the longest note":            {flow.Details{Note: flussi.NewText(strings.Repeat("à", flow.MaxNote))}, nil},
		"the longest, of emojis":      {flow.Details{Note: flussi.NewText(emoji)}, nil},
		"a note too long":             {flow.Details{Note: flussi.NewText(strings.Repeat("à", flow.MaxNote+1))}, flussi.ErrLength},
		"too long by an emoji's half": {flow.Details{Note: flussi.NewText(emoji[4:] + "x😀")}, flussi.ErrLength},
		"the longest keys":            {flow.Details{AppContext: strings.Repeat("x", flow.MaxKey), AppKey: strings.Repeat("x", flow.MaxKey)}, nil},
		"a context too long":          {flow.Details{AppContext: strings.Repeat("x", flow.MaxKey+1)}, flussi.ErrLength},
		"a key too long":              {flow.Details{AppKey: strings.Repeat("x", flow.MaxKey+1)}, flussi.ErrLength},
	} {
		t.Run(name, func(t *testing.T) {
			version := w.flow(t, f.ID).Version
			if test.err != nil {
				w.refused(t, test.err, func() error { return only(w.CreateFlow(t.Context(), operator, taxes, test.details)) })
				w.refused(t, test.err, func() error { return only(w.EditFlow(t.Context(), operator, f.ID, version, test.details)) })
				return
			}
			assert.Equal(t, test.details, must(w.CreateFlow(t.Context(), operator, taxes, test.details))(t).Details)
			assert.Equal(t, test.details, must(w.EditFlow(t.Context(), operator, f.ID, version, test.details))(t).Details)
		})
	}
}

func TestOfConcurrentEditsOneWins(t *testing.T) {
	// atOnce returns which of 16 calls won, and requires all others to have lost.
	atOnce := func(t *testing.T, edit func(i int) error) int {
		errs := make([]error, 16)
		var group sync.WaitGroup
		for i := range errs {
			group.Go(func() { errs[i] = edit(i) })
		}
		group.Wait()
		won := -1
		for i, err := range errs {
			if err == nil {
				assert.Equal(t, -1, won, "two have won")
				won = i
				continue
			}
			assert.ErrorIs(t, err, flussi.ErrConflict)
			assert.Contains(t, flussi.Explain(err), "Un altro utente ha modificato i dati")
		}
		require.NotEqual(t, -1, won)
		return won
	}
	t.Run("of a flow", func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		f := w.prepared(t, 1)
		won := atOnce(t, func(i int) error {
			return only(w.EditFlow(t.Context(), operator, f.ID, f.Version, flow.Details{Note: flussi.NewText(fmt.Sprint("nota ", i))}))
		})
		got := w.flow(t, f.ID)
		assert.Equal(t, fmt.Sprint("nota ", won), got.Note.Reveal())
		assert.Equal(t, f.Version+1, got.Version)
		assert.Equal(t, []flow.FlowAction{flow.FlowCreate, flow.FlowImport, flow.FlowEdit}, w.flowSteps(t, f.ID))
	})
	t.Run("of a notification", func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		n := w.notifications(t, w.prepared(t, 1).ID)[0]
		won := atOnce(t, func(i int) error {
			return only(w.EditNotification(t.Context(), operator, n.ID, n.Version, draft(t, 100+i)))
		})
		assert.Equal(t, draft(t, 100+won), w.notification(t, n.ID).Draft)
		assert.Equal(t, []flow.NotificationAction{flow.NotificationCreate, flow.NotificationEdit}, w.steps(t, n.ID))
	})
}

// Different notifications of one flow do not get into each other's way.
func TestConcurrentEditsOfAFlowsNotificationsAllSucceed(t *testing.T) {
	w := newWorld(t, worldConfig{})
	f := w.prepared(t, 16)
	errs := make([]error, 16)
	var group sync.WaitGroup
	for i, n := range w.notifications(t, f.ID) {
		group.Go(func() { errs[i] = only(w.EditNotification(t.Context(), operator, n.ID, n.Version, draft(t, 100+i))) })
	}
	group.Wait()
	for _, err := range errs {
		assert.NoError(t, err)
	}
	assert.Equal(t, f.Version+16, w.flow(t, f.ID).Version)
	for i, n := range w.notifications(t, f.ID) {
		assert.Equal(t, draft(t, 100+i), n.Draft)
	}
	w.flowSteps(t, f.ID)
}

// While a message may be on its way, nobody touches its notification.
func TestWhatIsBeingSentIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		ctx := t.Context()
		w.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.Slow, Delay: 9 * time.Second})
		c := flow.SendNewConfig{ID: uuid.New()}
		sent := make(chan error)
		go func() { sent <- only(w.SendNewNotification(ctx, operator, taxes, draft(t, 1), c)) }()
		time.Sleep(time.Second)
		n := w.notification(t, c.ID)
		require.Equal(t, flow.NotificationSending, n.State)
		for _, call := range []func() error{
			func() error { return only(w.EditNotification(ctx, operator, n.ID, n.Version, draft(t, 2))) },
			func() error { return only(w.DisableNotification(ctx, operator, n.ID)) },
			func() error { return only(w.RegisterNotification(ctx, operator, n.ID)) },
			func() error { return only(w.ConfirmNotification(ctx, operator, n.ID, "arrivata")) },
			func() error { return only(w.ResendNotification(ctx, operator, n.ID, "non arrivata")) },
			func() error { return only(w.SendNotification(ctx, operator, n.ID)) },
			func() error { return only(w.VerifyNotification(ctx, operator, n.ID)) },
		} {
			w.refused(t, fsm.ErrNotAllowed, call)
		}
		assert.Zero(t, must(w.Anonymise(ctx, operator, taxes, time.Now()))(t))
		require.NoError(t, <-sent)
		assert.Equal(t, 1, w.delivered()[n.Recipient])
	})
}

func TestAnEditOfAnOldVersionIsRefused(t *testing.T) {
	w := newWorld(t, worldConfig{})
	f := w.prepared(t, 1)
	n := w.notifications(t, f.ID)[0]
	for _, off := range []int64{-1, 1} {
		w.refused(t, flussi.ErrConflict, func() error {
			return only(w.EditFlow(t.Context(), operator, f.ID, f.Version+off, flow.Details{}))
		})
		w.refused(t, flussi.ErrConflict, func() error {
			return only(w.EditNotification(t.Context(), operator, n.ID, n.Version+off, draft(t, 9)))
		})
	}
}

func TestDisabledFlowsRest(t *testing.T) {
	w := newWorld(t, worldConfig{})
	ctx := t.Context()
	f := w.prepared(t, 1)
	n := w.notifications(t, f.ID)[0]
	w.refused(t, flow.ErrNotDisabled, func() error { return only(w.EnableFlow(ctx, operator, f.ID)) })
	disabled := must(w.DisableFlow(ctx, operator, f.ID))(t)
	assert.True(t, disabled.Disabled)
	assert.Equal(t, flow.FlowInactive, disabled.State)
	assert.Equal(t, disabled, w.flow(t, f.ID))
	for name, call := range map[string]func() error{
		"disable":  func() error { return only(w.DisableFlow(ctx, operator, f.ID)) },
		"edit":     func() error { return only(w.EditFlow(ctx, operator, f.ID, disabled.Version, flow.Details{})) },
		"activate": func() error { return only(w.ActivateFlow(ctx, operator, f.ID)) },
		"import": func() error {
			return only(w.AddNotifications(ctx, operator, f.ID, flow.DraftRows(draft(t, 9)), flow.AddConfig{}))
		},
		"edit one":    func() error { return only(w.EditNotification(ctx, operator, n.ID, n.Version, draft(t, 9))) },
		"disable one": func() error { return only(w.DisableNotification(ctx, operator, n.ID)) },
		"send one":    func() error { return only(w.SendNotification(ctx, operator, n.ID)) },
	} {
		t.Run(name, func(t *testing.T) { w.refused(t, flow.ErrDisabled, call) })
	}
	enabled := must(w.EnableFlow(ctx, operator, f.ID))(t)
	assert.False(t, enabled.Disabled)
	must(w.ActivateFlow(ctx, operator, f.ID))(t)
	assert.Equal(t, []flow.FlowAction{flow.FlowCreate, flow.FlowImport, flow.FlowDisable, flow.FlowEnable, flow.FlowActivate}, w.flowSteps(t, f.ID))
}

func TestAFlowWithNothingToSendIsNotSent(t *testing.T) {
	w := newWorld(t, worldConfig{})
	empty := w.prepared(t, 0)
	w.refused(t, flow.ErrNothingToSend, func() error { return only(w.ActivateFlow(t.Context(), operator, empty.ID)) })
	aside := w.prepared(t, 1)
	must(w.DisableNotification(t.Context(), operator, w.notifications(t, aside.ID)[0].ID))(t)
	w.refused(t, flow.ErrNothingToSend, func() error { return only(w.ActivateFlow(t.Context(), operator, aside.ID)) })
	failed := w.sending(t, 2)
	w.run(t, failed.ID, refusal)
	w.refused(t, flow.ErrNothingToSend, func() error { return only(w.SendFlow(t.Context(), operator, failed.ID)) })

	f := w.prepared(t, 1)
	active := must(w.ActivateFlow(t.Context(), operator, f.ID))(t)
	assert.Equal(t, flow.FlowActive, active.State)
	assert.Equal(t, active, w.flow(t, f.ID))
	assert.Equal(t, active, must(w.ActivateFlow(t.Context(), operator, f.ID))(t), "as it is")
	back := must(w.DeactivateFlow(t.Context(), operator, f.ID))(t)
	assert.Equal(t, flow.FlowInactive, back.State)
	w.refused(t, fsm.ErrNotAllowed, func() error { return only(w.DeactivateFlow(t.Context(), operator, f.ID)) })
	w.refused(t, fsm.ErrNotAllowed, func() error { return only(w.SendFlow(t.Context(), operator, f.ID)) })
	must(w.ActivateFlow(t.Context(), operator, f.ID))(t)
	sending := must(w.SendFlow(t.Context(), operator, f.ID))(t)
	assert.Equal(t, flow.FlowSending, sending.State)
	assert.Equal(t, sending, must(w.SendFlow(t.Context(), operator, f.ID))(t), "as it is")
	assert.Equal(t, sending, must(w.ActivateFlow(t.Context(), operator, f.ID))(t))
	w.refused(t, fsm.ErrNotAllowed, func() error { return only(w.DeactivateFlow(t.Context(), operator, f.ID)) })
	w.refused(t, fsm.ErrNotAllowed, func() error { return only(w.EditFlow(t.Context(), operator, f.ID, sending.Version, flow.Details{})) })
	assert.Equal(t, []flow.FlowAction{flow.FlowCreate, flow.FlowImport, flow.FlowActivate, flow.FlowDeactivate, flow.FlowActivate, flow.FlowSend}, w.flowSteps(t, f.ID))
}
