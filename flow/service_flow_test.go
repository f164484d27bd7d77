package flow_test

import (
	"fmt"
	"strings"
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

func TestCreateFlow(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		details := flow.Details{Note: flussi.NewText("Avvisi 2025"), AppContext: "tributi", AppKey: "TARI/1"}
		f := do2(t, w.CreateFlow, taxes, details)
		assert.Equal(t, f, w.flow(t, f.ID), "as it is stored")
		assert.Equal(t, flow.Flow{ID: f.ID, Service: taxes, State: flow.FlowInactive, Details: details,
			CreatedAt: time.Now().UTC(), UpdatedAt: time.Now().UTC(), UpdatedBy: operator.ID, Version: 1}, f)
		assert.Equal(t, []flow.FlowRecord{{Version: 1, At: time.Now().UTC(), By: operator.ID, Action: flow.FlowCreate, To: flow.FlowInactive}},
			do(t, w.FlowHistory, f.ID))
		assert.Equal(t, f, do(t, w.Flow, f.ID))
		w.refused(t, flussi.ErrEmpty, try2(t, w.CreateFlow, "", details))
	})
}

func TestDetailsTooLongAreRefused(t *testing.T) {
	w := newWorld(t)
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
				w.refused(t, test.err, try2(t, w.CreateFlow, taxes, test.details))
				w.refused(t, test.err, func() error { return must.Err(w.EditFlow(t.Context(), operator, f.ID, version, test.details)) })
				return
			}
			assert.Equal(t, test.details, do2(t, w.CreateFlow, taxes, test.details).Details)
			assert.Equal(t, test.details, must.Get(w.EditFlow(t.Context(), operator, f.ID, version, test.details))(t).Details)
		})
	}
}

func TestConcurrentEditsOfOneVersionOneSucceeds(t *testing.T) {
	edited := func(t *testing.T, edit func(i int) error) int {
		return oneWins(t, func(i int) error {
			err := edit(i)
			if err != nil {
				assert.Contains(t, flussi.Explain(err), "Un altro utente ha modificato i dati")
			}
			return err
		}, flussi.ErrConflict)
	}
	t.Run("of a flow", func(t *testing.T) {
		w := newWorld(t)
		f := w.prepared(t, 1)
		won := edited(t, func(i int) error {
			return must.Err(w.EditFlow(t.Context(), operator, f.ID, f.Version, flow.Details{Note: flussi.NewText(fmt.Sprint("nota ", i))}))
		})
		got := w.flow(t, f.ID)
		assert.Equal(t, fmt.Sprint("nota ", won), got.Note.Reveal())
		assert.Equal(t, f.Version+1, got.Version)
		assert.Equal(t, "create import edit", w.flowSteps(t, f.ID))
	})
	t.Run("of a notification", func(t *testing.T) {
		w := newWorld(t)
		n := w.notifications(t, w.prepared(t, 1).ID)[0]
		won := edited(t, func(i int) error {
			return must.Err(w.EditNotification(t.Context(), operator, n.ID, n.Version, draft(100+i)))
		})
		assert.Equal(t, draft(100+won), w.notification(t, n.ID).Draft)
		assert.Equal(t, "create edit", w.steps(t, n.ID))
	})
}

// Different notifications of one flow do not get into each other's way.
func TestConcurrentEditsOfAFlowsNotificationsAllSucceed(t *testing.T) {
	w := newWorld(t)
	f := w.prepared(t, 16)
	all := w.notifications(t, f.ID)
	for _, err := range atOnce(16, func(i int) error {
		return must.Err(w.EditNotification(t.Context(), operator, all[i].ID, all[i].Version, draft(100+i)))
	}) {
		assert.NoError(t, err)
	}
	assert.Equal(t, f.Version+16, w.flow(t, f.ID).Version)
	for i, n := range w.notifications(t, f.ID) {
		assert.Equal(t, draft(100+i), n.Draft)
	}
	w.flowSteps(t, f.ID)
}

// While a message may be on its way, nobody touches its notification.
func TestNotificationBeingSentRefusesOperators(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.Slow, Delay: 9 * time.Second})
		c := flow.SendNewConfig{ID: uuid.New()}
		sent := make(chan error)
		go func() { sent <- must.Err(w.SendNewNotification(t.Context(), operator, taxes, draft(1), c)) }()
		time.Sleep(time.Second)
		n := w.notification(t, c.ID)
		require.Equal(t, flow.NotificationSending, n.State)
		for _, call := range []func() error{
			func() error { return must.Err(w.EditNotification(t.Context(), operator, n.ID, n.Version, draft(2))) },
			try(t, w.DisableNotification, n.ID),
			try(t, w.RegisterNotification, n.ID),
			try2(t, w.ConfirmNotification, n.ID, "arrivata"),
			try2(t, w.ResendNotification, n.ID, "non arrivata"),
			try(t, w.SendNotification, n.ID),
			try(t, w.VerifyNotification, n.ID),
		} {
			w.refused(t, fsm.ErrNotAllowed, call)
		}
		assert.Zero(t, do2(t, w.Anonymise, taxes, time.Now()))
		require.NoError(t, <-sent)
		assert.Equal(t, 1, w.delivered()[n.Recipient])
	})
}

func TestEditOfAnotherVersionIsRefused(t *testing.T) {
	w := newWorld(t)
	f := w.prepared(t, 1)
	n := w.notifications(t, f.ID)[0]
	for _, off := range []int64{-1, 1} {
		w.refused(t, flussi.ErrConflict, func() error {
			return must.Err(w.EditFlow(t.Context(), operator, f.ID, f.Version+off, flow.Details{}))
		})
		w.refused(t, flussi.ErrConflict, func() error {
			return must.Err(w.EditNotification(t.Context(), operator, n.ID, n.Version+off, draft(9)))
		})
	}
}

func TestDisabledFlowRefusesAllButEnable(t *testing.T) {
	w := newWorld(t)
	f := w.prepared(t, 1)
	n := w.notifications(t, f.ID)[0]
	w.refused(t, flow.ErrNotDisabled, try(t, w.EnableFlow, f.ID))
	disabled := do(t, w.DisableFlow, f.ID)
	assert.True(t, disabled.Disabled)
	assert.Equal(t, flow.FlowInactive, disabled.State)
	assert.Equal(t, disabled, w.flow(t, f.ID))
	for name, call := range map[string]func() error{
		"disable": try(t, w.DisableFlow, f.ID),
		"edit": func() error {
			return must.Err(w.EditFlow(t.Context(), operator, f.ID, disabled.Version, flow.Details{}))
		},
		"activate": try(t, w.ActivateFlow, f.ID),
		"import": func() error {
			return must.Err(w.AddNotifications(t.Context(), operator, f.ID, flow.DraftRows(draft(9)), flow.AddConfig{}))
		},
		"edit one":    func() error { return must.Err(w.EditNotification(t.Context(), operator, n.ID, n.Version, draft(9))) },
		"disable one": try(t, w.DisableNotification, n.ID),
		"send one":    try(t, w.SendNotification, n.ID),
	} {
		t.Run(name, func(t *testing.T) { w.refused(t, flow.ErrDisabled, call) })
	}
	assert.False(t, do(t, w.EnableFlow, f.ID).Disabled)
	do(t, w.ActivateFlow, f.ID)
	assert.Equal(t, "create import disable enable activate", w.flowSteps(t, f.ID))
}

func TestActivateAndSendNeedSomethingToSend(t *testing.T) {
	w := newWorld(t)
	empty := w.prepared(t, 0)
	w.refused(t, flow.ErrNothingToSend, try(t, w.ActivateFlow, empty.ID))
	aside := w.prepared(t, 1)
	do(t, w.DisableNotification, w.notifications(t, aside.ID)[0].ID)
	w.refused(t, flow.ErrNothingToSend, try(t, w.ActivateFlow, aside.ID))
	failed := w.sending(t, 2)
	w.run(t, failed.ID, refusal)
	w.refused(t, flow.ErrNothingToSend, try(t, w.SendFlow, failed.ID))

	f := w.prepared(t, 1)
	active := do(t, w.ActivateFlow, f.ID)
	assert.Equal(t, flow.FlowActive, active.State)
	assert.Equal(t, active, w.flow(t, f.ID))
	assert.Equal(t, active, do(t, w.ActivateFlow, f.ID), "as it is")
	assert.Equal(t, flow.FlowInactive, do(t, w.DeactivateFlow, f.ID).State)
	w.refused(t, fsm.ErrNotAllowed, try(t, w.DeactivateFlow, f.ID))
	w.refused(t, fsm.ErrNotAllowed, try(t, w.SendFlow, f.ID))
	do(t, w.ActivateFlow, f.ID)
	sending := do(t, w.SendFlow, f.ID)
	assert.Equal(t, flow.FlowSending, sending.State)
	assert.Equal(t, sending, do(t, w.SendFlow, f.ID), "as it is")
	assert.Equal(t, sending, do(t, w.ActivateFlow, f.ID))
	w.refused(t, fsm.ErrNotAllowed, try(t, w.DeactivateFlow, f.ID))
	w.refused(t, fsm.ErrNotAllowed, func() error {
		return must.Err(w.EditFlow(t.Context(), operator, f.ID, sending.Version, flow.Details{}))
	})
	assert.Equal(t, "create import activate deactivate activate send", w.flowSteps(t, f.ID))
}
