package flow_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
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
	"github.com/flussi-go/flussi/fsm"
)

// notification returns a notification as it is stored.
func (w *world) notification(t testing.TB, id uuid.UUID) flow.Notification {
	t.Helper()
	n, err := w.store.Notification(context.WithoutCancel(t.Context()), id)
	require.NoError(t, err)
	return n
}

// run sends a flow that is to be sent, one notification after the other, with the faults.
func (w *world) run(t testing.TB, id uuid.UUID, faults ...appiotest.Fault) flow.Flow {
	t.Helper()
	w.Fail(appiotest.SubmitMessage, faults...)
	return must(w.dispatcher(t, flow.DispatcherConfig{Workers: 1, Batch: 1}).Run(t.Context(), id))(t)
}

// flowSteps and steps return what was done, in order, and check that each version has its
// record.
func (w *world) flowSteps(t testing.TB, id uuid.UUID) []flow.FlowAction {
	t.Helper()
	records := must(w.FlowHistory(t.Context(), operator, id))(t)
	var actions []flow.FlowAction
	for i, r := range records {
		require.EqualValues(t, i+1, r.Version)
		actions = append(actions, r.Action)
	}
	require.EqualValues(t, len(records), w.flow(t, id).Version)
	return actions
}

func (w *world) steps(t testing.TB, id uuid.UUID) []flow.NotificationAction {
	t.Helper()
	records := must(w.NotificationHistory(t.Context(), operator, id))(t)
	var actions []flow.NotificationAction
	for i, r := range records {
		require.EqualValues(t, i+1, r.Version)
		actions = append(actions, r.Action)
	}
	require.EqualValues(t, len(records), w.notification(t, id).Version)
	return actions
}

// refused requires a refusal for a reason, with a text for the operator, that changed
// nothing.
func (w *world) refused(t *testing.T, reason error, call func() error) {
	t.Helper()
	before, calls := everythingIn(t, w.store), w.calls()
	err := call()
	require.ErrorIs(t, err, reason)
	var typed *flow.Error
	require.ErrorAs(t, err, &typed)
	assert.NotContains(t, []string{"", "Errore imprevisto: rivolgersi all'assistenza."}, flussi.Explain(err))
	assert.Equal(t, before, everythingIn(t, w.store), "something was changed")
	assert.Equal(t, calls, w.calls(), "the platform was called")
}

// only drops the value of a call.
func only(_ any, err error) error { return err }

var (
	refusal  = appiotest.Fault{Kind: appiotest.BadRequest}
	noAnswer = appiotest.Fault{Kind: appiotest.NoID}
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
			assert.ErrorIs(t, err, flow.ErrConflict)
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

// The same file, imported by several people at once, is imported once.
func TestAFileIsImportedOnceHoweverOftenAtOnce(t *testing.T) {
	w := newWorld(t, worldConfig{})
	f := w.prepared(t, 0)
	errs := make([]error, 16)
	var group sync.WaitGroup
	for i := range errs {
		group.Go(func() {
			errs[i] = only(w.AddNotifications(t.Context(), operator, f.ID, flow.Drafts(drafts(t, 20)...), flow.AddConfig{}))
		})
	}
	group.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, flow.ErrRows) {
			assert.ErrorIs(t, err, flow.ErrConflict)
		}
	}
	assert.Equal(t, 1, won)
	assert.Equal(t, flow.Counts{Registered: 20}, w.flow(t, f.ID).Counts)
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
		w.refused(t, flow.ErrConflict, func() error {
			return only(w.EditFlow(t.Context(), operator, f.ID, f.Version+off, flow.Details{}))
		})
		w.refused(t, flow.ErrConflict, func() error {
			return only(w.EditNotification(t.Context(), operator, n.ID, n.Version+off, draft(t, 9)))
		})
	}
}

func TestDisabledFlowsRest(t *testing.T) {
	w := newWorld(t, worldConfig{})
	ctx := t.Context()
	f := w.prepared(t, 1)
	n := w.notifications(t, f.ID)[0]
	w.refused(t, flow.ErrEnabled, func() error { return only(w.EnableFlow(ctx, operator, f.ID)) })
	disabled := must(w.DisableFlow(ctx, operator, f.ID))(t)
	assert.True(t, disabled.Disabled)
	assert.Equal(t, flow.FlowInactive, disabled.State)
	assert.Equal(t, disabled, w.flow(t, f.ID))
	for name, call := range map[string]func() error{
		"disable":  func() error { return only(w.DisableFlow(ctx, operator, f.ID)) },
		"edit":     func() error { return only(w.EditFlow(ctx, operator, f.ID, disabled.Version, flow.Details{})) },
		"activate": func() error { return only(w.ActivateFlow(ctx, operator, f.ID)) },
		"import": func() error {
			return only(w.AddNotifications(ctx, operator, f.ID, flow.Drafts(draft(t, 9)), flow.AddConfig{}))
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

// wrongRow is what a report says about a row, in short.
type wrongRow struct {
	row, other int
	err        error
}

func TestAdd(t *testing.T) {
	good := func(n int) flow.Row { return flow.Row{Draft: draft(t, n)} }
	bad := flow.Row{Draft: flow.Draft{Recipient: citizen(t, 1)}}
	unreadable := errors.New("cell not readable")
	at := func(number int, r flow.Row) flow.Row { r.Number = number; return r }
	for name, test := range map[string]struct {
		had    int // notifications of the first drafts
		rows   []flow.Row
		errs   map[int]error // in place of the row at an index
		config flow.AddConfig
		want   flow.AddReport // but its Errors
		wrong  []wrongRow
		err    error
	}{
		"all rows are good": {0, []flow.Row{good(0), good(1), good(2)}, nil, flow.AddConfig{}, flow.AddReport{Rows: 3, Added: 3}, nil, nil},
		"all or nothing": {0, []flow.Row{good(0), bad, good(2)}, nil, flow.AddConfig{},
			flow.AddReport{Rows: 3, Wrong: 1}, []wrongRow{{2, 0, flussi.ErrEmpty}}, flow.ErrRows},
		"every wrong row is told": {0, []flow.Row{bad, good(0), bad, good(0)}, nil, flow.AddConfig{},
			flow.AddReport{Rows: 4, Wrong: 3}, []wrongRow{{1, 0, flussi.ErrEmpty}, {3, 0, flussi.ErrEmpty}, {4, 2, flow.ErrDuplicate}}, flow.ErrRows},
		"by the operator's numbers": {0, []flow.Row{at(12, good(0)), at(14, bad), at(17, good(0))}, nil, flow.AddConfig{},
			flow.AddReport{Rows: 3, Wrong: 2}, []wrongRow{{14, 0, flussi.ErrEmpty}, {17, 12, flow.ErrDuplicate}}, flow.ErrRows},
		"only the good rows": {0, []flow.Row{good(0), bad, good(0), good(2)}, nil, flow.AddConfig{GoodRowsOnly: true},
			flow.AddReport{Rows: 4, Added: 2, Wrong: 2}, []wrongRow{{2, 0, flussi.ErrEmpty}, {3, 1, flow.ErrDuplicate}}, nil},
		"only the good rows, of which there is none": {0, []flow.Row{bad, bad}, nil, flow.AddConfig{GoodRowsOnly: true},
			flow.AddReport{Rows: 2, Wrong: 2}, []wrongRow{{1, 0, flussi.ErrEmpty}, {2, 0, flussi.ErrEmpty}}, flow.ErrRows},
		"what the flow has already": {2, []flow.Row{good(5), good(1), good(0), good(1)}, nil, flow.AddConfig{},
			flow.AddReport{Rows: 4, Wrong: 3}, []wrongRow{{2, 0, flow.ErrDuplicate}, {3, 0, flow.ErrDuplicate}, {4, 0, flow.ErrDuplicate}}, flow.ErrRows},
		"more to what the flow has": {2, []flow.Row{good(2), good(3)}, nil, flow.AddConfig{}, flow.AddReport{Rows: 2, Added: 2}, nil, nil},
		"not all errors are told": {0, []flow.Row{bad, bad, good(0), bad}, nil, flow.AddConfig{MaxErrors: 2, GoodRowsOnly: true},
			flow.AddReport{Rows: 4, Added: 1, Wrong: 3}, []wrongRow{{1, 0, flussi.ErrEmpty}, {2, 0, flussi.ErrEmpty}}, nil},
		"an error in place of a row": {0, []flow.Row{at(7, good(0)), at(8, flow.Row{}), at(9, good(1))}, map[int]error{1: unreadable}, flow.AddConfig{},
			flow.AddReport{Rows: 3, Wrong: 1}, []wrongRow{{8, 0, unreadable}}, flow.ErrRows},
		"an error in place of a row, and the good ones": {0, []flow.Row{at(7, good(0)), at(8, flow.Row{}), at(9, good(1))}, map[int]error{1: unreadable},
			flow.AddConfig{GoodRowsOnly: true}, flow.AddReport{Rows: 3, Added: 2, Wrong: 1}, []wrongRow{{8, 0, unreadable}}, nil},
		"an error of the whole sequence": {0, []flow.Row{good(0), bad, {}, good(1)}, map[int]error{2: unreadable}, flow.AddConfig{GoodRowsOnly: true},
			flow.AddReport{Rows: 2, Wrong: 1}, []wrongRow{{2, 0, flussi.ErrEmpty}}, unreadable},
		"no rows":                      {0, nil, nil, flow.AddConfig{GoodRowsOnly: true}, flow.AddReport{}, nil, flussi.ErrEmpty},
		"no rows to what the flow has": {1, nil, nil, flow.AddConfig{}, flow.AddReport{}, nil, flussi.ErrEmpty},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, worldConfig{})
			f := w.prepared(t, test.had)
			pulled := 0
			rows := func(yield func(flow.Row, error) bool) {
				for i, r := range test.rows {
					pulled++
					if !yield(r, test.errs[i]) {
						return
					}
				}
			}
			before := everythingIn(t, w.store)
			report, err := w.AddNotifications(t.Context(), operator, f.ID, rows, test.config)
			assert.ErrorIs(t, err, test.err)
			var wrong []wrongRow
			for i, e := range report.Errors {
				require.Less(t, i, len(test.wrong))
				assert.ErrorIs(t, e, test.wrong[i].err)
				assert.Contains(t, e.Italian(), fmt.Sprintf("Riga %d: ", e.Row))
				assert.Contains(t, e.Error(), fmt.Sprintf("row %d: ", e.Row))
				if e.Other != 0 {
					assert.Contains(t, e.Italian(), fmt.Sprintf("riga %d.", e.Other))
				}
				wrong = append(wrong, wrongRow{e.Row, e.Other, test.wrong[i].err})
			}
			assert.Equal(t, test.wrong, wrong)
			report.Errors = nil
			assert.Equal(t, test.want, report)
			if test.err != nil {
				var typed *flow.Error
				assert.ErrorAs(t, err, &typed)
				assert.Equal(t, before, everythingIn(t, w.store), "something was stored")
				return
			}
			assert.Equal(t, len(test.rows), pulled)
			got := w.flow(t, f.ID)
			assert.Equal(t, flow.Counts{Registered: test.had + test.want.Added}, got.Counts)
			assert.Equal(t, f.Version+1, got.Version)
			steps := w.flowSteps(t, f.ID)
			assert.Equal(t, flow.FlowImport, steps[len(steps)-1])
			for _, n := range w.notifications(t, f.ID) {
				assert.Equal(t, flow.NotificationRegistered, n.State)
				assert.Equal(t, taxes, n.Service)
				assert.Equal(t, operator.ID, n.UpdatedBy)
				assert.Equal(t, uuid.Version(7), n.ID.Version())
				assert.Equal(t, []flow.NotificationAction{flow.NotificationCreate}, w.steps(t, n.ID))
			}
		})
	}
}

// Rows are stored in their order, and listed in it, whatever the clock says.
func TestImportedRowsKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		f := w.prepared(t, 300)
		for i, n := range w.notifications(t, f.ID) {
			require.Equal(t, draft(t, i), n.Draft)
		}
	})
}

func TestAnImportTellsWhatWasProbablySentBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		alone := must(w.SendNewNotification(t.Context(), operator, taxes, draft(t, 4), flow.SendNewConfig{}))(t)
		foreign := must(w.CreateFlow(t.Context(), stranger, school, flow.Details{}))(t)
		must(w.AddNotifications(t.Context(), stranger, foreign.ID, flow.Drafts(draft(t, 6)), flow.AddConfig{}))(t)
		earlier := w.prepared(t, 3) // drafts 0, 1 and 2
		had := w.notifications(t, earlier.ID)
		must(w.DisableNotification(t.Context(), operator, had[1].ID))(t)

		f := must(w.CreateFlow(t.Context(), operator, taxes, flow.Details{}))(t)
		report := must(w.AddNotifications(t.Context(), operator, f.ID, flow.Drafts(draft(t, 8)), flow.AddConfig{}))(t)
		assert.Empty(t, report.Repeats)
		rows := func(yield func(flow.Row, error) bool) {
			for i, n := range []int{5, 4, 1, 6, 0, 7} {
				if !yield(flow.Row{Number: 20 + i, Draft: draft(t, n)}, nil) {
					return
				}
			}
		}
		report = must(w.AddNotifications(t.Context(), operator, f.ID, rows, flow.AddConfig{}))(t)
		assert.Equal(t, []flow.Repeat{
			{Row: 21, Notification: alone.ID, State: flow.NotificationSent, CreatedAt: alone.CreatedAt},
			{Row: 22, Notification: had[1].ID, Flow: earlier.ID, State: flow.NotificationRegistered, CreatedAt: had[1].CreatedAt},
			{Row: 24, Notification: had[0].ID, Flow: earlier.ID, State: flow.NotificationRegistered, CreatedAt: had[0].CreatedAt},
		}, report.Repeats)
		assert.NoError(t, report.RepeatsErr)
		assert.Equal(t, 6, report.Added, "they are told, and not refused")

		// Those among more rows than are looked up at once, and no more than are wanted.
		large := must(w.CreateFlow(t.Context(), operator, taxes, flow.Details{}))(t)
		report = must(w.AddNotifications(t.Context(), operator, large.ID, flow.Drafts(drafts(t, 500)...), flow.AddConfig{}))(t)
		got := map[int]int{}
		for _, r := range report.Repeats {
			got[r.Row]++
		}
		assert.Equal(t, map[int]int{1: 2, 2: 2, 3: 1, 5: 2, 6: 1, 7: 1, 8: 1, 9: 1}, got)
		small := must(w.CreateFlow(t.Context(), operator, taxes, flow.Details{}))(t)
		report = must(w.AddNotifications(t.Context(), operator, small.ID, flow.Drafts(drafts(t, 500)...), flow.AddConfig{MaxErrors: 3}))(t)
		assert.Len(t, report.Repeats, 3)
	})
}

// What the store cannot tell any more does not undo the import.
func TestAnImportStandsThoughRepeatsCannotBeLookedUp(t *testing.T) {
	w := newWorld(t, worldConfig{})
	f := w.prepared(t, 0)
	down := errors.New("connection lost")
	store := &faultyStore{Store: w.store}
	store.set("Notifications", 0, 1, down)
	service, err := flow.NewService(store, flow.Operators{operator.ID: {taxes}}, w.messengers, flow.ServiceConfig{})
	require.NoError(t, err)
	report, err := service.AddNotifications(t.Context(), operator, f.ID, flow.Drafts(drafts(t, 3)...), flow.AddConfig{})
	require.NoError(t, err)
	assert.Equal(t, 3, report.Added)
	assert.ErrorIs(t, report.RepeatsErr, down)
	assert.Equal(t, 3, w.flow(t, f.ID).Counts.Registered)
}

func TestOnlyAnInactiveFlowIsImportedInto(t *testing.T) {
	w := newWorld(t, worldConfig{})
	on := sceneOf(t, w)
	sent := w.sending(t, 1)
	w.run(t, sent.ID)
	for name, id := range map[string]uuid.UUID{
		"Attivo": on.active.ID, "In invio": w.sending(t, 1).ID, "Inviato": sent.ID, "Invio incompleto": on.incomplete.ID,
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, name, w.flow(t, id).State.Label())
			pulled := false
			rows := func(yield func(flow.Row, error) bool) { pulled = true; yield(flow.Row{Draft: draft(t, 9)}, nil) }
			w.refused(t, fsm.ErrNotAllowed, func() error { return only(w.AddNotifications(t.Context(), operator, id, rows, flow.AddConfig{})) })
			assert.False(t, pulled)
		})
	}
}

func TestLengthsOfTexts(t *testing.T) {
	guide, platform := newWorld(t, worldConfig{}), newWorld(t, worldConfig{service: flow.ServiceConfig{Limits: flow.PlatformLimits()}})
	x := func(n int) string { return strings.Repeat("x", n) }
	emoji := func(n int) string { return strings.Repeat("😀", n/2) + strings.Repeat("è", n%2) }
	for _, letters := range []func(int) string{x, emoji} {
		for _, test := range []struct {
			subject, content string
			guide, platform  bool // taken
		}{
			{letters(9), x(200), false, false},
			{letters(10), x(200), true, true},
			{letters(120), x(200), true, true},
			{letters(121), x(200), false, false},
			{x(20), letters(79), false, false},
			{x(20), letters(80), false, true},
			{x(20), letters(119), false, true},
			{x(20), letters(120), true, true},
			{x(20), letters(10_000), true, true},
			{x(20), letters(10_001), false, false},
		} {
			d := flow.Draft{Recipient: citizen(t, 1), Subject: flussi.NewText(test.subject), Content: flussi.NewText(test.content)}
			for w, taken := range map[*world]bool{guide: test.guide, platform: test.platform} {
				name := fmt.Sprintf("%d and %d units, %v", d.Subject.Length(), d.Content.Length(), taken)
				f := must(w.CreateFlow(t.Context(), operator, taxes, flow.Details{}))(t)
				report, err := w.AddNotifications(t.Context(), operator, f.ID, flow.Drafts(d), flow.AddConfig{})
				if taken {
					require.NoError(t, err, name)
					continue
				}
				require.ErrorIs(t, err, flow.ErrRows, name)
				var invalid *flow.InvalidError
				require.ErrorAs(t, report.Errors[0], &invalid)
				require.Len(t, invalid.Fields, 1, name)
				assert.ErrorIs(t, invalid, flussi.ErrLength)
				w.refused(t, flussi.ErrLength, func() error {
					return only(w.SendNewNotification(t.Context(), operator, taxes, d, flow.SendNewConfig{}))
				})
			}
		}
	}
}

func TestPaymentsAreWholeOrNone(t *testing.T) {
	notice := must(flussi.ParseNoticeNumber("301005100001400678"))(t)
	payee := must(flussi.ParseOrganizationCode("80185250588"))(t)
	type fields = map[string]error
	for name, test := range map[string]struct {
		change func(*flow.Draft)
		want   fields
	}{
		"no payment":         {func(d *flow.Draft) {}, nil},
		"a payment":          {func(d *flow.Draft) { d.IsPayment, d.Amount, d.NoticeNumber = true, 1, notice }, nil},
		"a payee's payment":  {func(d *flow.Draft) { d.IsPayment, d.Amount, d.NoticeNumber, d.Payee = true, 1, notice, payee }, nil},
		"the greatest sum":   {func(d *flow.Draft) { d.IsPayment, d.Amount, d.NoticeNumber = true, 9_999_999_999, notice }, nil},
		"too great a sum":    {func(d *flow.Draft) { d.IsPayment, d.Amount, d.NoticeNumber = true, 10_000_000_000, notice }, fields{"Amount": flussi.ErrRange}},
		"less than nothing":  {func(d *flow.Draft) { d.IsPayment, d.Amount, d.NoticeNumber = true, -1, notice }, fields{"Amount": flussi.ErrRange}},
		"no sum":             {func(d *flow.Draft) { d.IsPayment, d.NoticeNumber = true, notice }, fields{"Amount": flow.ErrPayment}},
		"no notice number":   {func(d *flow.Draft) { d.IsPayment, d.Amount = true, 1 }, fields{"NoticeNumber": flow.ErrPayment}},
		"neither":            {func(d *flow.Draft) { d.IsPayment = true }, fields{"Amount": flow.ErrPayment, "NoticeNumber": flow.ErrPayment}},
		"a sum alone":        {func(d *flow.Draft) { d.Amount = 1 }, fields{"Amount": flow.ErrPayment}},
		"a notice alone":     {func(d *flow.Draft) { d.NoticeNumber = notice }, fields{"NoticeNumber": flow.ErrPayment}},
		"a payee alone":      {func(d *flow.Draft) { d.Payee = payee }, fields{"Payee": flow.ErrPayment}},
		"all, and no paying": {func(d *flow.Draft) { d.Amount, d.NoticeNumber, d.Payee = 1, notice, payee }, fields{"Amount": flow.ErrPayment, "NoticeNumber": flow.ErrPayment, "Payee": flow.ErrPayment}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, worldConfig{})
			d := draft(t, 1)
			test.change(&d)
			f := w.prepared(t, 0)
			report, err := w.AddNotifications(t.Context(), operator, f.ID, flow.Drafts(d), flow.AddConfig{})
			if test.want == nil {
				require.NoError(t, err)
				assert.Equal(t, d, w.notifications(t, f.ID)[0].Draft)
				return
			}
			require.ErrorIs(t, err, flow.ErrRows)
			var invalid *flow.InvalidError
			require.ErrorAs(t, report.Errors[0], &invalid)
			got := fields{}
			for _, field := range invalid.Fields {
				got[field.Type] = field.Err
				assert.NotEmpty(t, field.Reason)
			}
			assert.Equal(t, test.want, got)
		})
	}
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
	w.refused(t, fsm.ErrNotAllowed, func() error { return only(w.ActivateFlow(t.Context(), operator, f.ID)) })
	back := must(w.DeactivateFlow(t.Context(), operator, f.ID))(t)
	assert.Equal(t, flow.FlowInactive, back.State)
	w.refused(t, fsm.ErrNotAllowed, func() error { return only(w.DeactivateFlow(t.Context(), operator, f.ID)) })
	w.refused(t, fsm.ErrNotAllowed, func() error { return only(w.SendFlow(t.Context(), operator, f.ID)) })
	must(w.ActivateFlow(t.Context(), operator, f.ID))(t)
	sending := must(w.SendFlow(t.Context(), operator, f.ID))(t)
	assert.Equal(t, flow.FlowSending, sending.State)
	w.refused(t, fsm.ErrNotAllowed, func() error { return only(w.DeactivateFlow(t.Context(), operator, f.ID)) })
	w.refused(t, fsm.ErrNotAllowed, func() error { return only(w.EditFlow(t.Context(), operator, f.ID, sending.Version, flow.Details{})) })
	assert.Equal(t, []flow.FlowAction{flow.FlowCreate, flow.FlowImport, flow.FlowActivate, flow.FlowDeactivate, flow.FlowActivate, flow.FlowSend}, w.flowSteps(t, f.ID))
}

func TestWhatFailedIsCorrectedAndSentAgain(t *testing.T) {
	for name, send := range map[string]func(t *testing.T, w *world, n flow.Notification){
		"by itself": func(t *testing.T, w *world, n flow.Notification) {
			got := must(w.SendNotification(t.Context(), operator, n.ID))(t)
			assert.Equal(t, got, w.notification(t, n.ID))
			assert.Equal(t, operator.ID, got.UpdatedBy)
		},
		"with its flow": func(t *testing.T, w *world, n flow.Notification) {
			must(w.SendFlow(t.Context(), operator, n.FlowID))(t)
			w.run(t, n.FlowID)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, worldConfig{})
			f := w.sending(t, 3)
			assert.Equal(t, flow.FlowIncomplete, w.run(t, f.ID, refusal).State)
			n := w.notifications(t, f.ID)[0]
			require.Equal(t, flow.ErrorRefused, n.Transmission.ErrorCode)
			w.refused(t, fsm.ErrNotAllowed, func() error { return only(w.SendNotification(t.Context(), operator, n.ID)) })

			corrected := must(w.EditNotification(t.Context(), operator, n.ID, n.Version, draft(t, 50)))(t)
			assert.Equal(t, flow.NotificationFailed, corrected.State)
			assert.Equal(t, n.Transmission, corrected.Transmission)
			registered := must(w.RegisterNotification(t.Context(), operator, n.ID))(t)
			assert.Equal(t, flow.NotificationRegistered, registered.State)
			assert.Equal(t, flow.Transmission{Attempts: 1}, registered.Transmission, "only the attempts remain")
			assert.Equal(t, registered, w.notification(t, n.ID))
			assert.Equal(t, flow.FlowIncomplete, w.flow(t, f.ID).State)
			w.refused(t, fsm.ErrNotAllowed, func() error { return only(w.RegisterNotification(t.Context(), operator, n.ID)) })

			send(t, w, registered)
			got := w.notification(t, n.ID)
			assert.Equal(t, flow.NotificationSent, got.State)
			assert.Equal(t, 2, got.Transmission.Attempts)
			assert.Equal(t, flow.FlowSent, w.flow(t, f.ID).State)
			assert.Equal(t, flow.Counts{Sent: 3}, w.flow(t, f.ID).Counts)
			assert.Equal(t, map[flussi.FiscalCode]int{citizen(t, 1): 1, citizen(t, 2): 1, citizen(t, 50): 1}, w.delivered())
			assert.Equal(t, []flow.NotificationAction{
				flow.NotificationCreate, flow.NotificationClaim, flow.NotificationFail, flow.NotificationEdit,
				flow.NotificationRegister, flow.NotificationClaim, flow.NotificationAccept,
			}, w.steps(t, n.ID))
			w.flowSteps(t, f.ID)
		})
	}
}

func TestWhatIsAboutToBeSentWithItsFlowIsFixed(t *testing.T) {
	for _, state := range []flow.FlowState{flow.FlowActive, flow.FlowSending} {
		t.Run(state.Label(), func(t *testing.T) {
			w := newWorld(t, worldConfig{})
			ctx := t.Context()
			f := w.prepared(t, 2)
			all := w.notifications(t, f.ID)
			aside := must(w.DisableNotification(ctx, operator, all[1].ID))(t)
			must(w.ActivateFlow(ctx, operator, f.ID))(t)
			if state == flow.FlowSending {
				must(w.SendFlow(ctx, operator, f.ID))(t)
			}
			w.refused(t, flow.ErrFlowState, func() error { return only(w.EditNotification(ctx, operator, all[0].ID, all[0].Version, draft(t, 9))) })
			w.refused(t, flow.ErrFlowState, func() error { return only(w.DisableNotification(ctx, operator, all[0].ID)) })
			w.refused(t, flow.ErrFlowState, func() error { return only(w.EnableNotification(ctx, operator, aside.ID)) })
			w.refused(t, flow.ErrFlowState, func() error { return only(w.SendNotification(ctx, operator, all[0].ID)) })
		})
	}
	t.Run("Inattivo", func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		n := w.notifications(t, w.prepared(t, 1).ID)[0]
		w.refused(t, flow.ErrFlowState, func() error { return only(w.SendNotification(t.Context(), operator, n.ID)) })
		edited := must(w.EditNotification(t.Context(), operator, n.ID, n.Version, draft(t, 9)))(t)
		assert.Equal(t, draft(t, 9), edited.Draft)
		assert.Equal(t, edited, w.notification(t, n.ID))
		assert.Equal(t, []flow.FlowAction{flow.FlowCreate, flow.FlowImport, flow.FlowTouch}, w.flowSteps(t, n.FlowID))
		touched := must(w.FlowHistory(t.Context(), operator, n.FlowID))(t)[2]
		assert.Equal(t, fmt.Sprintf("Notifica %s: Aggiorna.", n.ID), touched.Reason.Reveal())
	})
}

func TestAnEditMakesNoDuplicate(t *testing.T) {
	w := newWorld(t, worldConfig{})
	f := w.prepared(t, 3)
	all := w.notifications(t, f.ID)
	w.refused(t, flow.ErrDuplicate, func() error {
		return only(w.EditNotification(t.Context(), operator, all[0].ID, all[0].Version, draft(t, 1)))
	})
	must(w.DisableNotification(t.Context(), operator, all[1].ID))(t)
	w.refused(t, flow.ErrDuplicate, func() error {
		return only(w.EditNotification(t.Context(), operator, all[0].ID, all[0].Version, draft(t, 1)))
	})
	same := draft(t, 0)
	same.DueDate = time.Date(2030, 1, 2, 22, 59, 59, 999999999, time.FixedZone("", 3600))
	same.Reference = "R1"
	got := must(w.EditNotification(t.Context(), operator, all[0].ID, all[0].Version, same))(t)
	assert.Equal(t, time.Date(2030, 1, 2, 21, 59, 59, 999999000, time.UTC), got.DueDate, "it is not its own duplicate")
	other := w.prepared(t, 0)
	must(w.AddNotifications(t.Context(), operator, other.ID, flow.Drafts(draft(t, 30)), flow.AddConfig{}))(t)
	must(w.EditNotification(t.Context(), operator, all[2].ID, all[2].Version, draft(t, 30)))(t) // of another flow

	// Two that would become the same at the same moment.
	f = w.prepared(t, 16)
	all = w.notifications(t, f.ID)
	errs := make([]error, len(all))
	var group sync.WaitGroup
	for i, n := range all {
		group.Go(func() { errs[i] = only(w.EditNotification(t.Context(), operator, n.ID, n.Version, draft(t, 77))) })
	}
	group.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			assert.ErrorIs(t, err, flow.ErrDuplicate)
		}
	}
	assert.Equal(t, 1, won)
}

func TestAnUnknownOutcomeIsDecidedByAPerson(t *testing.T) {
	const reason = "Il cittadino ha telefonato."
	for name, test := range map[string]struct {
		decide func(ctx context.Context, w *world, id uuid.UUID, reason string) (flow.Notification, error)
		action flow.NotificationAction
		state  flow.NotificationState
		flow   flow.FlowState
	}{
		"it arrived": {func(ctx context.Context, w *world, id uuid.UUID, reason string) (flow.Notification, error) {
			return w.ConfirmNotification(ctx, operator, id, reason)
		}, flow.NotificationConfirm, flow.NotificationSent, flow.FlowSent},
		"perhaps it did not": {func(ctx context.Context, w *world, id uuid.UUID, reason string) (flow.Notification, error) {
			return w.ResendNotification(ctx, operator, id, reason)
		}, flow.NotificationResend, flow.NotificationRegistered, flow.FlowIncomplete},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, worldConfig{})
				f := w.sending(t, 2)
				assert.Equal(t, flow.FlowIncomplete, w.run(t, f.ID, noAnswer).State)
				n := w.notifications(t, f.ID)[0]
				require.Equal(t, flow.ErrorOutcomeUnknown, n.Transmission.ErrorCode)
				w.refused(t, flow.ErrOutcomeUnknown, func() error { return only(w.RegisterNotification(t.Context(), operator, n.ID)) })
				w.refused(t, flussi.ErrEmpty, func() error { return only(test.decide(t.Context(), w, n.ID, "")) })
				w.refused(t, flussi.ErrLength, func() error { return only(test.decide(t.Context(), w, n.ID, strings.Repeat("x", 4001))) })
				time.Sleep(time.Hour)
				got := must(test.decide(t.Context(), w, n.ID, reason))(t)
				assert.Equal(t, test.state, got.State)
				assert.Equal(t, got, w.notification(t, n.ID))
				assert.Empty(t, got.Transmission.ErrorCode)
				assert.Empty(t, got.Transmission.Error)
				assert.Equal(t, 1, got.Transmission.Attempts)
				assert.Equal(t, test.flow, w.flow(t, f.ID).State)
				records := must(w.NotificationHistory(t.Context(), operator, n.ID))(t)
				assert.Equal(t, flow.NotificationRecord{
					Version: got.Version, At: time.Now().UTC(), By: operator.ID, Action: test.action,
					From: flow.NotificationFailed, To: test.state, Reason: flussi.NewText(reason),
				}, records[len(records)-1])
				w.refused(t, fsm.ErrNotAllowed, func() error { return only(test.decide(t.Context(), w, n.ID, reason)) })
				if test.state == flow.NotificationRegistered {
					must(w.SendNotification(t.Context(), operator, n.ID))(t)
					assert.Equal(t, 2, w.delivered()[n.Recipient], "twice, knowingly")
					assert.Equal(t, flow.FlowSent, w.flow(t, f.ID).State)
				}
			})
		})
		t.Run(name+", of a known outcome", func(t *testing.T) {
			w := newWorld(t, worldConfig{})
			f := w.sending(t, 2)
			w.run(t, f.ID, refusal)
			all := w.notifications(t, f.ID)
			w.refused(t, flow.ErrOutcomeKnown, func() error { return only(test.decide(t.Context(), w, all[0].ID, reason)) })
			w.refused(t, fsm.ErrNotAllowed, func() error { return only(test.decide(t.Context(), w, all[1].ID, reason)) })
		})
	}
}

func TestADisabledNotificationDoesNotCount(t *testing.T) {
	t.Run("it is not sent", func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		f := w.prepared(t, 3)
		n := w.notifications(t, f.ID)[1]
		w.refused(t, flow.ErrEnabled, func() error { return only(w.EnableNotification(t.Context(), operator, n.ID)) })
		aside := must(w.DisableNotification(t.Context(), operator, n.ID))(t)
		assert.True(t, aside.Disabled)
		assert.Equal(t, flow.Counts{Registered: 2, Disabled: 1}, w.flow(t, f.ID).Counts)
		w.refused(t, flow.ErrDisabled, func() error { return only(w.DisableNotification(t.Context(), operator, n.ID)) })
		w.refused(t, flow.ErrDisabled, func() error { return only(w.EditNotification(t.Context(), operator, n.ID, aside.Version, draft(t, 9))) })
		must(w.ActivateFlow(t.Context(), operator, f.ID))(t)
		must(w.SendFlow(t.Context(), operator, f.ID))(t)
		assert.Equal(t, flow.FlowSent, w.run(t, f.ID).State)
		assert.Zero(t, w.delivered()[n.Recipient])
		w.refused(t, flow.ErrDisabled, func() error { return only(w.SendNotification(t.Context(), operator, n.ID)) })

		// Enabled, it is to be sent, so its flow is not over.
		must(w.EnableNotification(t.Context(), operator, n.ID))(t)
		assert.Equal(t, flow.FlowIncomplete, w.flow(t, f.ID).State)
		must(w.SendNotification(t.Context(), operator, n.ID))(t)
		assert.Equal(t, flow.FlowSent, w.flow(t, f.ID).State)
		assert.Equal(t, 1, w.delivered()[n.Recipient])
	})
	t.Run("the last one in error concludes the flow, and leads back", func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		f := w.sending(t, 4)
		assert.Equal(t, flow.FlowIncomplete, w.run(t, f.ID, refusal, noAnswer).State)
		all := w.notifications(t, f.ID)
		must(w.DisableNotification(t.Context(), operator, all[0].ID))(t)
		assert.Equal(t, flow.FlowIncomplete, w.flow(t, f.ID).State)
		must(w.DisableNotification(t.Context(), operator, all[1].ID))(t)
		assert.Equal(t, flow.FlowSent, w.flow(t, f.ID).State)
		assert.Equal(t, flow.Counts{Sent: 2, Disabled: 2}, w.flow(t, f.ID).Counts)
		must(w.EnableNotification(t.Context(), operator, all[1].ID))(t)
		assert.Equal(t, flow.FlowIncomplete, w.flow(t, f.ID).State)
		must(w.ConfirmNotification(t.Context(), operator, all[1].ID, "arrivata"))(t)
		assert.Equal(t, flow.FlowSent, w.flow(t, f.ID).State)
		must(w.DisableNotification(t.Context(), operator, all[3].ID))(t) // Inviato
		assert.Equal(t, flow.Counts{Sent: 2, Disabled: 2}, w.flow(t, f.ID).Counts)
		assert.Equal(t, flow.FlowSent, w.flow(t, f.ID).State)
		steps := w.flowSteps(t, f.ID)
		assert.Equal(t, []flow.FlowAction{flow.FlowSend, flow.FlowFallShort, flow.FlowTouch, flow.FlowComplete, flow.FlowFallShort, flow.FlowComplete, flow.FlowTouch}, steps[3:])
	})
}

func TestSendNew(t *testing.T) {
	payee := must(flussi.ParseOrganizationCode("01199250158"))(t)
	notice := must(flussi.ParseNoticeNumber("301005100001400678"))(t)
	withPayee := func(d flow.Draft) flow.Draft {
		d.IsPayment, d.Amount, d.NoticeNumber, d.Payee = true, 1, notice, payee
		return d
	}
	plain := func(d flow.Draft) flow.Draft { return d }
	for name, test := range map[string]struct {
		fault    appiotest.FaultKind
		op       appiotest.Operation // that it strikes
		change   func(flow.Draft) flow.Draft
		profiles bool
		citizen  appiotest.Citizen
		err      error
		state    flow.NotificationState
		code     flow.ErrorCode
		attempts int
	}{
		"it is sent":                         {"", "", plain, false, appiotest.Citizen{}, nil, flow.NotificationSent, "", 1},
		"after the profile was asked for":    {"", "", plain, true, appiotest.Citizen{}, nil, flow.NotificationSent, "", 1},
		"it is refused":                      {appiotest.BadRequest, appiotest.SubmitMessage, plain, false, appiotest.Citizen{}, appio.ErrInvalid, flow.NotificationFailed, flow.ErrorRefused, 1},
		"the payee may not be named":         {"", "", withPayee, false, appiotest.Citizen{}, appio.ErrForbidden, flow.NotificationFailed, flow.ErrorRefused, 1},
		"the citizen is not there":           {"", "", plain, true, appiotest.Citizen{Absent: true}, flow.ErrUnreachable, flow.NotificationFailed, flow.ErrorUnreachable, 0},
		"the citizen blocks the service":     {"", "", plain, true, appiotest.Citizen{Blocks: []string{taxes}}, flow.ErrUnreachable, flow.NotificationFailed, flow.ErrorUnreachable, 0},
		"nobody knows":                       {appiotest.NoID, appiotest.SubmitMessage, plain, false, appiotest.Citizen{}, appio.ErrUnknown, flow.NotificationFailed, flow.ErrorOutcomeUnknown, 1},
		"there is no answer":                 {appiotest.Silent, appiotest.SubmitMessage, plain, false, appiotest.Citizen{}, appio.ErrUnknown, flow.NotificationFailed, flow.ErrorOutcomeUnknown, 1},
		"the platform does not work":         {appiotest.ServerProblem, appiotest.SubmitMessage, plain, false, appiotest.Citizen{}, appio.ErrUnavailable, flow.NotificationRegistered, "", 5},
		"the platform lets nobody in":        {appiotest.TooManyRequests, appiotest.SubmitMessage, plain, false, appiotest.Citizen{}, appio.ErrRateLimited, flow.NotificationRegistered, "", 5},
		"the key is not accepted":            {appiotest.Unauthorized, appiotest.SubmitMessage, plain, false, appiotest.Citizen{}, appio.ErrUnauthorized, flow.NotificationRegistered, "", 1},
		"the service is not enabled":         {appiotest.Forbidden, appiotest.SubmitMessage, plain, false, appiotest.Citizen{}, appio.ErrForbidden, flow.NotificationRegistered, "", 1},
		"the profile cannot be asked for":    {appiotest.ServerProblem, appiotest.GetProfile, plain, true, appiotest.Citizen{}, appio.ErrUnavailable, flow.NotificationRegistered, "", 0},
		"the profile may not be asked for":   {appiotest.Forbidden, appiotest.GetProfile, plain, true, appiotest.Citizen{}, appio.ErrForbidden, flow.NotificationRegistered, "", 0},
		"the profile's answer does not come": {appiotest.Silent, appiotest.GetProfile, plain, true, appiotest.Citizen{}, appio.ErrUnavailable, flow.NotificationRegistered, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, worldConfig{service: flow.ServiceConfig{CheckProfiles: test.profiles}})
				d := test.change(draft(t, 1))
				test.citizen.Code = d.Recipient
				w.AddCitizen(test.citizen)
				if test.fault != "" {
					w.FailAtRandom(test.op, 1, 1, appiotest.Fault{Kind: test.fault})
				}
				n, err := w.SendNewNotification(t.Context(), operator, taxes, d, flow.SendNewConfig{})
				assert.Equal(t, n, w.notification(t, n.ID), "as it is stored")
				assert.Equal(t, d, n.Draft)
				assert.Equal(t, uuid.Nil, n.FlowID)
				assert.Equal(t, operator.ID, n.UpdatedBy)
				assert.Equal(t, test.state, n.State)
				assert.Equal(t, test.code, n.Transmission.ErrorCode)
				assert.Equal(t, test.attempts, n.Transmission.Attempts)
				last := map[flow.NotificationState]flow.NotificationAction{
					flow.NotificationSent: flow.NotificationAccept, flow.NotificationFailed: flow.NotificationFail, flow.NotificationRegistered: flow.NotificationRelease,
				}[test.state]
				assert.Equal(t, []flow.NotificationAction{flow.NotificationCreate, flow.NotificationClaim, last}, w.steps(t, n.ID))
				if test.err == nil {
					require.NoError(t, err)
					require.Len(t, w.Deliveries(), 1)
					assert.EqualValues(t, w.Deliveries()[0].ID, n.Transmission.MessageID)
					assert.False(t, n.Transmission.SentAt.IsZero())
					return
				}
				require.ErrorIs(t, err, test.err)
				var typed *flow.Error
				require.ErrorAs(t, err, &typed)
				assert.Equal(t, n.ID, typed.ID)
				explained := flussi.Explain(err)
				assert.NotContains(t, []string{"", "Errore imprevisto: rivolgersi all'assistenza."}, explained)
				assert.Empty(t, n.Transmission.MessageID)
				if test.op == appiotest.GetProfile || test.code == flow.ErrorUnreachable {
					assert.Zero(t, w.Received(appiotest.SubmitMessage), "nothing was sent")
				}
				if test.state == flow.NotificationFailed {
					assert.NotEmpty(t, n.Transmission.Error)
					assert.Equal(t, test.code == flow.ErrorOutcomeUnknown, !n.Transmission.SentAt.IsZero())
					return
				}

				// Mended, it is sent later, once.
				assert.Empty(t, n.Transmission.Error)
				w.FailAtRandom(test.op, 0, 1)
				w.refused(t, flow.ErrDuplicate, func() error {
					return only(w.SendNewNotification(t.Context(), operator, taxes, d, flow.SendNewConfig{}))
				})
				again := must(w.SendNotification(t.Context(), operator, n.ID))(t)
				assert.Equal(t, flow.NotificationSent, again.State)
				assert.Equal(t, test.attempts+1, again.Transmission.Attempts)
				assert.Len(t, w.Deliveries(), 1)
				w.refused(t, fsm.ErrNotAllowed, func() error { return only(w.SendNotification(t.Context(), operator, n.ID)) })
			})
		})
	}
}

func TestSendNewWithoutAMessenger(t *testing.T) {
	w := newWorld(t, worldConfig{})
	down := errors.New("keys not available")
	service, err := flow.NewService(w.store, flow.Operators{operator.ID: {taxes}},
		func(context.Context, string) (flow.Messenger, error) { return nil, down }, flow.ServiceConfig{})
	require.NoError(t, err)
	n, err := service.SendNewNotification(t.Context(), operator, taxes, draft(t, 1), flow.SendNewConfig{})
	require.ErrorIs(t, err, down)
	assert.Equal(t, n, w.notification(t, n.ID))
	assert.Equal(t, flow.NotificationRegistered, n.State)
	must(w.SendNotification(t.Context(), operator, n.ID))(t)
}

func TestTheSameMessageIsNotSentTwiceUnlessWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		ctx := t.Context()
		again := func(n int) func() error {
			return func() error {
				return only(w.SendNewNotification(ctx, operator, taxes, draft(t, n), flow.SendNewConfig{}))
			}
		}
		first := must(w.SendNewNotification(ctx, operator, taxes, draft(t, 1), flow.SendNewConfig{}))(t)
		w.refused(t, flow.ErrDuplicate, again(1))
		second := must(w.SendNewNotification(ctx, operator, taxes, draft(t, 1), flow.SendNewConfig{Repeat: true}))(t)
		assert.NotEqual(t, first.ID, second.ID)
		assert.Equal(t, 2, w.delivered()[citizen(t, 1)])

		w.prepared(t, 1) // draft 0
		w.refused(t, flow.ErrDuplicate, again(0))

		w.Fail(appiotest.SubmitMessage, noAnswer)
		require.Error(t, again(2)())
		w.refused(t, flow.ErrDuplicate, again(2)) // it may have arrived

		w.Fail(appiotest.SubmitMessage, refusal)
		require.Error(t, again(3)())
		require.NoError(t, again(3)()) // it did not
		assert.Equal(t, 1, w.delivered()[citizen(t, 3)])
	})
}

func TestAFormIsSentOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		c := flow.SendNewConfig{ID: uuid.New(), Repeat: true}
		n := must(w.SendNewNotification(t.Context(), operator, taxes, draft(t, 1), c))(t)
		assert.Equal(t, c.ID, n.ID)
		w.refused(t, flow.ErrExists, func() error { return only(w.SendNewNotification(t.Context(), operator, taxes, draft(t, 1), c)) })
		w.refused(t, flow.ErrExists, func() error { return only(w.SendNewNotification(t.Context(), operator, taxes, draft(t, 2), c)) })
		c.Repeat = false
		again, err := w.SendNewNotification(t.Context(), operator, taxes, draft(t, 1), c)
		assert.ErrorIs(t, err, flow.ErrExists)
		assert.Equal(t, n, again, "as it is")
		assert.Len(t, w.Deliveries(), 1)
	})
}

func TestAFormIsSentOnceHoweverOftenAtOnce(t *testing.T) {
	for _, repeat := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, worldConfig{})
			c := flow.SendNewConfig{ID: uuid.New(), Repeat: repeat}
			w.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.Slow, Delay: time.Second})
			errs := make([]error, 16)
			var group sync.WaitGroup
			for i := range errs {
				group.Go(func() { errs[i] = only(w.SendNewNotification(t.Context(), operator, taxes, draft(t, 1), c)) })
			}
			group.Wait()
			won := 0
			for _, err := range errs {
				if err == nil {
					won++
				} else {
					assert.ErrorIs(t, err, flow.ErrExists)
				}
			}
			assert.Equal(t, 1, won)
			assert.Len(t, w.Deliveries(), 1)
			assert.Equal(t, []flow.NotificationAction{flow.NotificationCreate, flow.NotificationClaim, flow.NotificationAccept}, w.steps(t, c.ID))
		})
	}
}

func TestANotificationIsSentOnceHoweverOftenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		f := w.sending(t, 2)
		w.run(t, f.ID, refusal)
		n := w.notifications(t, f.ID)[0]
		must(w.RegisterNotification(t.Context(), operator, n.ID))(t)
		w.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.Slow, Delay: time.Second})
		errs := make([]error, 16)
		var group sync.WaitGroup
		for i := range errs {
			group.Go(func() { errs[i] = only(w.SendNotification(t.Context(), operator, n.ID)) })
		}
		group.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, flow.ErrConflict) {
				assert.ErrorIs(t, err, fsm.ErrNotAllowed)
			}
		}
		assert.Equal(t, 1, won)
		assert.Equal(t, 1, w.delivered()[n.Recipient])
		assert.Equal(t, flow.FlowSent, w.flow(t, f.ID).State)
		w.flowSteps(t, f.ID)
	})
}

// The caller goes away while the message is on its way: the answer still counts.
func TestAMessageOnItsWayIsAwaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		w.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.Slow, Delay: 9 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		n, err := w.SendNewNotification(ctx, operator, taxes, draft(t, 1), flow.SendNewConfig{})
		require.NoError(t, err)
		assert.Equal(t, flow.NotificationSent, n.State)
		assert.Equal(t, n, w.notification(t, n.ID))
	})
}

// The store is away when the outcome is to be stored.
func TestAnOutcomeThatCannotBeStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		store := &faultyStore{Store: w.store}
		down := errors.New("connection lost")
		service, err := flow.NewService(store, flow.Operators{operator.ID: {taxes}}, w.messengers, flow.ServiceConfig{Lease: time.Minute})
		require.NoError(t, err)
		store.set("SaveNotifications", 2, 3, down) // created and claimed before
		n := must(service.SendNewNotification(t.Context(), operator, taxes, draft(t, 1), flow.SendNewConfig{}))(t)
		assert.Equal(t, flow.NotificationSent, n.State, "it is tried again")
		assert.Equal(t, n, w.notification(t, n.ID))

		start := time.Now()
		store.set("SaveNotifications", 2, 1000, down)
		n, err = service.SendNewNotification(t.Context(), operator, taxes, draft(t, 2), flow.SendNewConfig{})
		require.ErrorIs(t, err, down)
		assert.Contains(t, err.Error(), "not stored")
		assert.LessOrEqual(t, time.Since(start), time.Minute, "until the lease is over")
		assert.Equal(t, flow.NotificationSending, w.notification(t, n.ID).State)
		time.Sleep(time.Minute)
		recovered := must(w.dispatcher(t, flow.DispatcherConfig{}).Recover(t.Context()))(t)
		assert.Equal(t, 1, recovered)
		assert.Equal(t, flow.ErrorOutcomeUnknown, w.notification(t, n.ID).Transmission.ErrorCode)
	})
}

func TestVerify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{platform: appiotest.Config{Hold: true}})
		n := must(w.SendNewNotification(t.Context(), operator, taxes, draft(t, 1), flow.SendNewConfig{}))(t)
		id := string(n.Transmission.MessageID)
		verify := func() flow.Notification {
			t.Helper()
			time.Sleep(time.Minute)
			got := must(w.VerifyNotification(t.Context(), operator, n.ID))(t)
			assert.Equal(t, got, w.notification(t, n.ID))
			assert.Equal(t, time.Now().UTC(), got.Delivery.CheckedAt)
			assert.Equal(t, n.Transmission, got.Transmission)
			assert.Equal(t, flow.NotificationSent, got.State)
			got.Delivery.CheckedAt = time.Time{}
			return got
		}
		assert.Equal(t, flow.Delivery{Status: appio.StatusAccepted}, verify().Delivery)
		assert.True(t, w.SetState(id, appiotest.State{Status: "THROTTLED", Email: "THROTTLED"}))
		assert.Equal(t, flow.Delivery{Status: appio.StatusThrottled, Email: appio.ChannelThrottled}, verify().Delivery)
		w.SetState(id, appiotest.State{Status: "PROCESSED", Email: "SENT", Push: "FAILED"})
		assert.Equal(t, flow.Delivery{Status: appio.StatusProcessed, Email: appio.ChannelSent, Push: appio.ChannelFailed}, verify().Delivery)
		w.SetState(id, appiotest.State{Push: "SENT"})
		assert.Equal(t, flow.Delivery{Status: appio.StatusProcessed, Email: appio.ChannelSent, Push: appio.ChannelSent}, verify().Delivery, "what is not told any more is kept")
		w.SetState(id, appiotest.State{Status: "SOMETHING_NEW"})
		assert.Equal(t, appio.MessageStatus("SOMETHING_NEW"), verify().Delivery.Status)
		records := must(w.NotificationHistory(t.Context(), operator, n.ID))(t)
		last := records[len(records)-1]
		assert.Equal(t, flow.NotificationCheck, last.Action)
		assert.Equal(t, operator.ID, last.By)
		assert.Equal(t, "Stato consegna: SOMETHING_NEW.", last.Reason.Reveal())

		// Without an answer nothing changes.
		before := everythingIn(t, w.store)
		w.Fail(appiotest.GetMessage, appiotest.Fault{Kind: appiotest.NotFound})
		got, err := w.VerifyNotification(t.Context(), operator, n.ID)
		assert.ErrorIs(t, err, appio.ErrNotFound)
		assert.Equal(t, "App IO non trova il messaggio.", flussi.Explain(err))
		assert.Equal(t, w.notification(t, n.ID), got)
		assert.Equal(t, before, everythingIn(t, w.store))
	})
}

func TestAMessageThatIsRejectedLater(t *testing.T) {
	for status, code := range map[string]flow.ErrorCode{"REJECTED": flow.ErrorUnreachable, "FAILED": flow.ErrorRefused} {
		for _, whole := range []bool{false, true} {
			t.Run(fmt.Sprint(status, ", whole flow ", whole), func(t *testing.T) {
				w := newWorld(t, worldConfig{platform: appiotest.Config{Hold: true}})
				f := w.sending(t, 3)
				require.Equal(t, flow.FlowSent, w.run(t, f.ID).State)
				n := w.notifications(t, f.ID)[0]
				w.SetState(string(n.Transmission.MessageID), appiotest.State{Status: status, Email: "FAILED"})
				if whole {
					report := must(w.VerifyFlow(t.Context(), operator, f.ID))(t)
					assert.Equal(t, flow.VerifyReport{Asked: 3, Rejected: 1}, report)
				} else {
					assert.Equal(t, w.notification(t, n.ID).Version+1, must(w.VerifyNotification(t.Context(), operator, n.ID))(t).Version)
				}
				got := w.notification(t, n.ID)
				assert.Equal(t, flow.NotificationFailed, got.State)
				assert.Equal(t, code, got.Transmission.ErrorCode)
				assert.Equal(t, code.Italian(), got.Transmission.Error)
				assert.Equal(t, n.Transmission.MessageID, got.Transmission.MessageID)
				assert.Equal(t, appio.MessageStatus(status), got.Delivery.Status)
				assert.Equal(t, appio.ChannelFailed, got.Delivery.Email)
				assert.Equal(t, flow.FlowIncomplete, w.flow(t, f.ID).State)
				assert.Equal(t, flow.Counts{Sent: 2, Failed: 1}, w.flow(t, f.ID).Counts)
				steps := w.steps(t, n.ID)
				assert.Equal(t, flow.NotificationReject, steps[len(steps)-1])
				flowSteps := w.flowSteps(t, f.ID)
				assert.Equal(t, flow.FlowFallShort, flowSteps[len(flowSteps)-1])
				w.refused(t, fsm.ErrNotAllowed, func() error { return only(w.VerifyNotification(t.Context(), operator, n.ID)) })

				// Once it is sent again, nothing is left of that.
				again := must(w.RegisterNotification(t.Context(), operator, n.ID))(t)
				assert.Zero(t, again.Delivery)
				must(w.SendNotification(t.Context(), operator, n.ID))(t)
				assert.Equal(t, flow.FlowSent, w.flow(t, f.ID).State)
				assert.NotEqual(t, n.Transmission.MessageID, w.notification(t, n.ID).Transmission.MessageID)
			})
		}
	}
}

func TestWhatCannotBeVerified(t *testing.T) {
	w := newWorld(t, worldConfig{})
	on := sceneOf(t, w)
	for _, n := range []flow.Notification{on.draft, on.refused, on.unknown, on.registered} {
		w.refused(t, fsm.ErrNotAllowed, func() error { return only(w.VerifyNotification(t.Context(), operator, n.ID)) })
	}
	confirmed := must(w.ConfirmNotification(t.Context(), operator, on.unknown.ID, "arrivata"))(t)
	w.refused(t, flussi.ErrEmpty, func() error { return only(w.VerifyNotification(t.Context(), operator, confirmed.ID)) })
	report := must(w.VerifyFlow(t.Context(), operator, on.incomplete.ID))(t)
	assert.Equal(t, flow.VerifyReport{Asked: 2, Final: 2}, report, "it is passed over")
	for _, f := range []flow.Flow{on.inactive, on.active} {
		w.refused(t, fsm.ErrNotAllowed, func() error { return only(w.VerifyFlow(t.Context(), operator, f.ID)) })
	}
}

func TestVerifyFlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true, Hold: true}})
		f := w.sending(t, 30)
		w.run(t, f.ID)
		all := w.notifications(t, f.ID)
		state := func(i int, status string) {
			require.True(t, w.SetState(string(all[i].Transmission.MessageID), appiotest.State{Status: status}))
		}
		assert.Equal(t, flow.VerifyReport{Asked: 30}, must(w.VerifyFlow(t.Context(), operator, f.ID))(t))
		state(0, "REJECTED")
		state(1, "FAILED")
		state(2, "PROCESSED")
		state(3, "PROCESSED")
		w.Fail(appiotest.GetMessage, appiotest.Fault{Kind: appiotest.NotFound})
		report := must(w.VerifyFlow(t.Context(), operator, f.ID))(t)
		assert.Equal(t, 30, report.Asked)
		assert.Equal(t, 1, report.Failed)
		rest := must(w.VerifyFlow(t.Context(), operator, f.ID))(t)
		assert.Equal(t, [2]int{2, 2}, [2]int{report.Final + rest.Final, report.Rejected + rest.Rejected})
		assert.Equal(t, flow.VerifyReport{Asked: 26}, must(w.VerifyFlow(t.Context(), operator, f.ID))(t), "what is final is not asked for")
		assert.Equal(t, flow.Counts{Sent: 28, Failed: 2}, w.flow(t, f.ID).Counts)
		assert.Equal(t, flow.FlowIncomplete, w.flow(t, f.ID).State)
		w.Process()
		must(w.DisableFlow(t.Context(), operator, f.ID))(t)
		assert.Equal(t, flow.VerifyReport{Asked: 26, Final: 26}, must(w.VerifyFlow(t.Context(), operator, f.ID))(t), "a disabled flow, too")
		calls := w.calls()
		assert.Equal(t, flow.VerifyReport{}, must(w.VerifyFlow(t.Context(), operator, f.ID))(t))
		assert.Equal(t, calls, w.calls())
		for _, n := range w.notifications(t, f.ID) {
			w.steps(t, n.ID)
		}
		w.flowSteps(t, f.ID)
	})
}

func TestAVerificationEndsWhenThePlatformDoesNotAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		fault appiotest.FaultKind
		err   error
		asked int
	}{
		"the service may not ask": {appiotest.Forbidden, appio.ErrForbidden, 6},
		"the key is not accepted": {appiotest.Unauthorized, appio.ErrUnauthorized, 6},
		"no answers":              {appiotest.GatewayTimeout, appio.ErrUnavailable, 25},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}, service: flow.ServiceConfig{Workers: 1}})
				f := w.sending(t, 60)
				w.run(t, f.ID)
				w.FailAtRandom(appiotest.GetMessage, 1, 1, appiotest.Fault{Kind: test.fault})
				w.Fail(appiotest.GetMessage, slices.Repeat([]appiotest.Fault{{Kind: appiotest.Slow}}, 5)...)
				report, err := w.VerifyFlow(t.Context(), operator, f.ID)
				require.ErrorIs(t, err, test.err)
				assert.Equal(t, flow.VerifyReport{Asked: test.asked, Final: 5, Failed: test.asked - 5}, report)
				w.FailAtRandom(appiotest.GetMessage, 0, 1)
				assert.Equal(t, flow.VerifyReport{Asked: 55, Final: 55}, must(w.VerifyFlow(t.Context(), operator, f.ID))(t))
			})
		})
	}
	t.Run("some answers are enough", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}, client: appio.Config{MaxAttempts: 1}, service: flow.ServiceConfig{Workers: 1}})
			f := w.sending(t, 60)
			w.run(t, f.ID)
			silence := slices.Repeat([]appiotest.Fault{{Kind: appiotest.GatewayTimeout}}, 19)
			w.Fail(appiotest.GetMessage, slices.Concat(silence, []appiotest.Fault{{Kind: appiotest.Slow}}, silence)...)
			assert.Equal(t, flow.VerifyReport{Asked: 60, Final: 22, Failed: 38}, must(w.VerifyFlow(t.Context(), operator, f.ID))(t))
		})
	})
	t.Run("the context ends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}, service: flow.ServiceConfig{Workers: 2}})
			f := w.sending(t, 20)
			w.run(t, f.ID)
			w.FailAtRandom(appiotest.GetMessage, 1, 1, appiotest.Fault{Kind: appiotest.Slow, Delay: 2 * time.Second})
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			report, err := w.VerifyFlow(ctx, operator, f.ID)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, flow.VerifyReport{Asked: 4, Final: 4}, report, "what was stored by then")
			w.FailAtRandom(appiotest.GetMessage, 0, 1)
			assert.Equal(t, flow.VerifyReport{Asked: 16, Final: 16}, must(w.VerifyFlow(t.Context(), operator, f.ID))(t))
		})
	})
}

func TestSearchOfFlows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		ctx := t.Context()
		start := time.Now()
		create := func(d flow.Details) uuid.UUID {
			id := must(w.CreateFlow(ctx, operator, taxes, d))(t).ID
			time.Sleep(time.Hour)
			return id
		}
		a := create(flow.Details{Note: flussi.NewText("Avvisi TARI perché È ora"), AppContext: "tributi", AppKey: "1"})
		b := create(flow.Details{Note: flussi.NewText("avvisi IMU"), AppContext: "tributi", AppKey: "2"})
		c := create(flow.Details{AppContext: "anagrafe", AppKey: "1"})
		must(w.DisableFlow(ctx, operator, b))(t)
		d := w.sending(t, 1).ID
		w.run(t, d)
		names := map[uuid.UUID]string{a: "a", b: "b", c: "c", d: "d"}
		for name, test := range map[string]struct {
			filter flow.FlowFilter
			want   string
		}{
			"all, the newest first":       {flow.FlowFilter{}, "d c b a"},
			"IDs":                         {flow.FlowFilter{IDs: []uuid.UUID{a, c, uuid.New()}}, "c a"},
			"services":                    {flow.FlowFilter{Services: []string{taxes}}, "d c b a"},
			"states":                      {flow.FlowFilter{States: []flow.FlowState{flow.FlowSent, flow.FlowActive}}, "d"},
			"text, whatever its case":     {flow.FlowFilter{Text: "AVVISI"}, "b a"},
			"text with accents":           {flow.FlowFilter{Text: "PERCHÉ è"}, "a"},
			"text that is not there":      {flow.FlowFilter{Text: "avvisi%"}, ""},
			"user":                        {flow.FlowFilter{User: "dispatcher"}, "d"},
			"from":                        {flow.FlowFilter{From: start.Add(time.Hour)}, "d c b"},
			"to":                          {flow.FlowFilter{To: start.Add(time.Hour)}, "a"},
			"from and to":                 {flow.FlowFilter{From: start.Add(time.Minute), To: start.Add(2*time.Hour + 1)}, "c b"},
			"context":                     {flow.FlowFilter{AppContext: "tributi"}, "b a"},
			"key":                         {flow.FlowFilter{AppKey: "1"}, "c a"},
			"context and key":             {flow.FlowFilter{AppContext: "tributi", AppKey: "1"}, "a"},
			"only disabled":               {flow.FlowFilter{Disabled: flow.OnlyDisabled}, "b"},
			"only enabled":                {flow.FlowFilter{Disabled: flow.OnlyEnabled}, "d c a"},
			"nothing has all of its keys": {flow.FlowFilter{AppKey: "1", User: "dispatcher"}, ""},
		} {
			got := []string{}
			for _, f := range must(w.Flows(ctx, operator, test.filter, flow.Page{}))(t).Flows {
				got = append(got, names[f.ID])
				assert.Equal(t, w.flow(t, f.ID), f, "with its Counts")
			}
			assert.Equal(t, test.want, strings.Join(got, " "), name)
		}
	})
}

func TestSearchOfNotifications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{platform: appiotest.Config{Hold: true}})
		ctx := t.Context()
		start := time.Now()
		notice := must(flussi.ParseNoticeNumber("301005100001400678"))(t)
		pay := draft(t, 40)
		pay.IsPayment, pay.Amount, pay.NoticeNumber, pay.Reference = true, 100, notice, "RIF/40"
		pay.Subject = flussi.NewText("Rata della TARI perché È ora")
		a := must(w.SendNewNotification(ctx, operator, taxes, pay, flow.SendNewConfig{}))(t)
		time.Sleep(time.Hour)
		f := w.sending(t, 3)
		w.run(t, f.ID, refusal, noAnswer)
		all := w.notifications(t, f.ID)
		b, c, d := all[0], all[1], all[2]
		time.Sleep(time.Hour)
		w.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.Unauthorized})
		e, err := w.SendNewNotification(ctx, operator, taxes, draft(t, 41), flow.SendNewConfig{})
		require.Error(t, err)
		must(w.DisableNotification(ctx, operator, e.ID))(t)
		time.Sleep(time.Hour)
		names := map[uuid.UUID]string{a.ID: "a", b.ID: "b", c.ID: "c", d.ID: "d", e.ID: "e"}
		sentB := d.Transmission.MessageID
		for name, test := range map[string]struct {
			filter flow.NotificationFilter
			want   string
		}{
			"all, the newest first":   {flow.NotificationFilter{}, "e d c b a"},
			"IDs":                     {flow.NotificationFilter{IDs: []uuid.UUID{a.ID, e.ID, uuid.New()}}, "e a"},
			"flow":                    {flow.NotificationFilter{Flow: f.ID}, "d c b"},
			"those of no flow":        {flow.NotificationFilter{Standalone: true}, "e a"},
			"services":                {flow.NotificationFilter{Services: []string{taxes}}, "e d c b a"},
			"states":                  {flow.NotificationFilter{States: []flow.NotificationState{flow.NotificationFailed, flow.NotificationRegistered}}, "e c b"},
			"error codes":             {flow.NotificationFilter{ErrorCodes: []flow.ErrorCode{flow.ErrorOutcomeUnknown}}, "c"},
			"two error codes":         {flow.NotificationFilter{ErrorCodes: []flow.ErrorCode{flow.ErrorOutcomeUnknown, flow.ErrorRefused}}, "c b"},
			"text, whatever its case": {flow.NotificationFilter{Text: "oggetto RISERVATO"}, "e d c b"},
			"text with accents":       {flow.NotificationFilter{Text: "PERCHÉ è"}, "a"},
			"user":                    {flow.NotificationFilter{User: "dispatcher"}, "d c b"},
			"from":                    {flow.NotificationFilter{From: start.Add(time.Hour)}, "e d c b"},
			"to":                      {flow.NotificationFilter{To: start.Add(time.Hour)}, "a"},
			"from and to":             {flow.NotificationFilter{From: start.Add(time.Hour), To: start.Add(2 * time.Hour)}, "d c b"},
			"recipient":               {flow.NotificationFilter{Recipient: citizen(t, 41)}, "e"},
			"notice number":           {flow.NotificationFilter{NoticeNumber: notice}, "a"},
			"reference":               {flow.NotificationFilter{Reference: "RIF/40"}, "a"},
			"part of a reference":     {flow.NotificationFilter{Reference: "RIF"}, ""},
			"message ID":              {flow.NotificationFilter{MessageID: sentB}, "d"},
			"digests":                 {flow.NotificationFilter{Digests: []flow.Digest{pay.Digest(), draft(t, 1).Digest()}}, "c a"},
			"only disabled":           {flow.NotificationFilter{Disabled: flow.OnlyDisabled}, "e"},
			"only enabled":            {flow.NotificationFilter{Disabled: flow.OnlyEnabled}, "d c b a"},
			"unsettled":               {flow.NotificationFilter{Unsettled: true}, "d a"},
			"closed before":           {flow.NotificationFilter{ClosedBefore: time.Now()}, "e d b a"},
			"closed before that":      {flow.NotificationFilter{ClosedBefore: start.Add(time.Hour)}, "a"},
			"all at once":             {flow.NotificationFilter{Flow: f.ID, Recipient: citizen(t, 2), Unsettled: true, MessageID: sentB}, "d"},
			"nothing has all":         {flow.NotificationFilter{Flow: f.ID, Standalone: true}, ""},
		} {
			got := []string{}
			for _, n := range must(w.Notifications(ctx, operator, test.filter, flow.Page{}))(t).Notifications {
				got = append(got, names[n.ID])
				assert.Equal(t, w.notification(t, n.ID), n)
			}
			assert.Equal(t, test.want, strings.Join(got, " "), name)
			exported := []string{}
			for _, n := range must(pull(w.AllNotifications(ctx, operator, test.filter)))(t) {
				exported = append(exported, names[n.ID])
			}
			slices.Reverse(exported)
			assert.Equal(t, got, exported, name)
		}
		must(w.VerifyNotification(ctx, operator, a.ID))(t)
		w.Process()
		must(w.VerifyNotification(ctx, operator, a.ID))(t)
		assert.Len(t, must(w.Notifications(ctx, operator, flow.NotificationFilter{Unsettled: true}, flow.Page{}))(t).Notifications, 1)
	})
}

func TestSearchesThatAreRefused(t *testing.T) {
	w := newWorld(t, worldConfig{})
	w.prepared(t, 2)
	for name, test := range map[string]struct {
		text string
		page flow.Page
		err  error
	}{
		"a letter":                {"à", flow.Page{}, flussi.ErrLength},
		"two letters of 4 bytes":  {"àè", flow.Page{}, flussi.ErrLength},
		"three letters":           {"àèì", flow.Page{}, nil},
		"less than nothing":       {"", flow.Page{Limit: -1}, flussi.ErrRange},
		"the longest page":        {"", flow.Page{Limit: flow.MaxPage}, nil},
		"longer than the longest": {"", flow.Page{Limit: flow.MaxPage + 1}, flussi.ErrRange},
	} {
		t.Run(name, func(t *testing.T) {
			calls := []func() error{
				func() error { return only(w.Flows(t.Context(), operator, flow.FlowFilter{Text: test.text}, test.page)) },
				func() error {
					return only(w.Notifications(t.Context(), operator, flow.NotificationFilter{Text: test.text}, test.page))
				},
			}
			if test.text != "" {
				calls = append(calls, func() error {
					return only(pull(w.AllNotifications(t.Context(), operator, flow.NotificationFilter{Text: test.text})))
				})
			}
			for _, call := range calls {
				if test.err == nil {
					assert.NoError(t, call())
				} else {
					w.refused(t, test.err, call)
				}
			}
		})
	}
}

// overTheWire is what becomes of a cursor in a URL.
func overTheWire(t *testing.T, c flow.Cursor) flow.Cursor {
	t.Helper()
	text := must(c.MarshalText())(t)
	assert.Regexp(t, `^[0-9A-Za-z_-]*$`, string(text))
	got := flow.Cursor{At: time.Now()}
	require.NoError(t, got.UnmarshalText(text))
	assert.Equal(t, c, got)
	return got
}

func TestPagesToTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		f := w.prepared(t, 55) // all of the same moment
		var flows []uuid.UUID
		flows = append(flows, f.ID)
		for i := range 24 {
			flows = append(flows, w.prepared(t, 0).ID)
			if i%4 == 3 {
				time.Sleep(time.Millisecond)
			}
		}
		var ids []uuid.UUID
		for _, n := range w.notifications(t, f.ID) {
			ids = append(ids, n.ID)
		}
		require.Len(t, ids, 55)
		for _, oldest := range []bool{true, false} {
			for _, limit := range []int{1, 5, 7, 24, 25, 54, 55, 56} {
				page := flow.Page{Limit: limit, OldestFirst: oldest}
				var gotFlows, got []uuid.UUID
				for {
					part := must(w.Flows(t.Context(), operator, flow.FlowFilter{}, page))(t)
					require.NotEmpty(t, part.Flows, "an empty page")
					require.LessOrEqual(t, len(part.Flows), limit)
					for _, f := range part.Flows {
						gotFlows = append(gotFlows, f.ID)
					}
					if page.After = overTheWire(t, part.Next); page.After.IsZero() {
						break
					}
				}
				for {
					part := must(w.Notifications(t.Context(), operator, flow.NotificationFilter{}, page))(t)
					require.NotEmpty(t, part.Notifications, "an empty page")
					require.LessOrEqual(t, len(part.Notifications), limit)
					for _, n := range part.Notifications {
						got = append(got, n.ID)
					}
					if page.After = overTheWire(t, part.Next); page.After.IsZero() {
						break
					}
				}
				if !oldest {
					slices.Reverse(got)
					slices.Reverse(gotFlows)
				}
				assert.Equal(t, ids, got, "limit %d", limit)
				assert.Equal(t, flows, gotFlows, "limit %d", limit)
			}
		}
		assert.Len(t, must(w.Notifications(t.Context(), operator, flow.NotificationFilter{}, flow.Page{}))(t).Notifications, 50, "by default")
	})
}

func TestAnExportIsCompleteOrEndsWithAnError(t *testing.T) {
	w := newWorld(t, worldConfig{})
	var all []flow.Draft
	for i := range 2*flow.MaxPage + 1 {
		all = append(all, draft(t, i))
	}
	f := w.prepared(t, 0)
	must(w.AddNotifications(t.Context(), operator, f.ID, flow.Drafts(all...), flow.AddConfig{}))(t)
	assert.Len(t, must(pull(w.AllNotifications(t.Context(), operator, flow.NotificationFilter{})))(t), len(all))

	store := &faultyStore{Store: w.store}
	service, err := flow.NewService(store, flow.Operators{operator.ID: {taxes}}, w.messengers, flow.ServiceConfig{})
	require.NoError(t, err)
	down := errors.New("connection lost")
	store.set("Notifications", 1, 1, down)
	got, items := 0, service.AllNotifications(t.Context(), operator, flow.NotificationFilter{})
	var failed []error
	for n, err := range items {
		if err != nil {
			failed = append(failed, err)
			assert.Zero(t, n)
			continue
		}
		got++
	}
	assert.Equal(t, flow.MaxPage, got)
	require.Len(t, failed, 1)
	assert.ErrorIs(t, failed[0], down)

	// Whoever has seen enough stops, and the sequence can be pulled anew.
	for range 2 {
		next, stop := iter.Pull2(w.AllNotifications(t.Context(), operator, flow.NotificationFilter{}))
		n, err, ok := next()
		assert.True(t, ok)
		assert.NoError(t, err)
		assert.Equal(t, all[0], n.Draft)
		stop()
	}
}

func TestCursorsThatAreNone(t *testing.T) {
	id := uuid.NewString()
	for _, text := range []string{
		"x", "1", "_", "1_", "_" + id, id, "1_x", "x_" + id, "1_" + id[:35], "1_" + id + "0", "1.5_" + id, "99999999999999999999_" + id, "1-" + id,
	} {
		c := flow.Cursor{At: time.Unix(1, 0), ID: uuid.Max}
		err := c.UnmarshalText([]byte(text))
		assert.ErrorIs(t, err, flussi.ErrCharacter, text)
		assert.Equal(t, "La pagina richiesta non esiste: ripetere la ricerca.", flussi.Explain(err))
		assert.Equal(t, flow.Cursor{At: time.Unix(1, 0), ID: uuid.Max}, c, "unchanged by %q", text)
	}
}

func TestAnonymise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		ctx := t.Context()
		notice := must(flussi.ParseNoticeNumber("301005100001400678"))(t)
		payee := must(flussi.ParseOrganizationCode("80185250588"))(t)
		pay := draft(t, 40)
		pay.IsPayment, pay.Amount, pay.NoticeNumber, pay.Payee, pay.Reference = true, 100, notice, payee, "RIF/40"
		pay.DueDate, pay.PayableAfterDue = time.Now().Add(time.Hour).UTC(), true
		alone := must(w.SendNewNotification(ctx, operator, taxes, pay, flow.SendNewConfig{}))(t)
		alone = must(w.VerifyNotification(ctx, operator, alone.ID))(t)
		f := w.sending(t, 6)
		w.run(t, f.ID, refusal, noAnswer, noAnswer, refusal)
		all := w.notifications(t, f.ID)
		refused, unknown, confirmed, aside, sent, open := all[0], all[1], all[2], all[3], all[4], all[5]
		confirmed = must(w.ConfirmNotification(ctx, operator, confirmed.ID, "arrivata"))(t)
		aside = must(w.DisableNotification(ctx, operator, aside.ID))(t)
		open = must(w.DisableNotification(ctx, operator, open.ID))(t) // Inviato, and disabled
		foreign := must(w.SendNewNotification(ctx, stranger, school, draft(t, 41), flow.SendNewConfig{}))(t)
		inactive := w.notifications(t, w.prepared(t, 1).ID)[0]
		time.Sleep(time.Hour)
		border := time.Now()
		newer := must(w.SendNewNotification(ctx, operator, taxes, draft(t, 42), flow.SendNewConfig{}))(t)
		late := w.sending(t, 1)
		w.run(t, late.ID, refusal)
		time.Sleep(time.Hour)

		flowBefore, flowsBefore := w.flow(t, f.ID), w.flowSteps(t, f.ID)
		for _, when := range []time.Time{{}, time.Now().Add(time.Second)} {
			w.refused(t, flussi.ErrRange, func() error { return only(w.Anonymise(ctx, operator, taxes, when)) })
		}
		before := everythingIn(t, w.store)
		done := must(w.Anonymise(ctx, operator, taxes, border))(t)
		gone := []flow.Notification{alone, refused, confirmed, aside, sent, open}
		assert.Equal(t, len(gone), done)
		for _, n := range gone {
			got := w.notification(t, n.ID)
			want := n
			want.Draft = flow.Draft{DueDate: n.DueDate, Amount: n.Amount, IsPayment: n.IsPayment, PayableAfterDue: n.PayableAfterDue, Payee: n.Payee}
			want.AnonymisedAt, want.UpdatedAt, want.UpdatedBy, want.Version = time.Now().UTC(), time.Now().UTC(), operator.ID, n.Version+1
			assert.Equal(t, want, got)
			steps := w.steps(t, n.ID)
			assert.Equal(t, flow.NotificationAnonymise, steps[len(steps)-1])
			records := must(w.NotificationHistory(ctx, operator, n.ID))(t)
			assert.Equal(t, before.records[n.ID], records[:len(records)-1], "the history remains")
			assert.True(t, got.Digest().IsZero())
			assert.NotContains(t, ids(must(w.Notifications(ctx, operator, flow.NotificationFilter{Recipient: n.Recipient}, flow.Page{}))(t)), n.ID)
			assert.NotContains(t, ids(must(w.Notifications(ctx, operator, flow.NotificationFilter{Digests: []flow.Digest{n.Digest()}}, flow.Page{}))(t)), n.ID)
			assert.NotContains(t, ids(must(w.Notifications(ctx, operator, flow.NotificationFilter{Text: "riservato"}, flow.Page{}))(t)), n.ID)
			assert.Contains(t, ids(must(w.Notifications(ctx, operator, flow.NotificationFilter{IDs: []uuid.UUID{n.ID}}, flow.Page{}))(t)), n.ID)
			assert.Equal(t, got, must(w.Notification(ctx, operator, n.ID))(t), "it can be looked at")
		}
		assert.Empty(t, must(w.Notifications(ctx, operator, flow.NotificationFilter{NoticeNumber: notice}, flow.Page{}))(t).Notifications)
		assert.Empty(t, must(w.Notifications(ctx, operator, flow.NotificationFilter{Reference: "RIF/40"}, flow.Page{}))(t).Notifications)
		for _, n := range before.notifications {
			if !slices.ContainsFunc(gone, func(g flow.Notification) bool { return g.ID == n.ID }) {
				assert.Equal(t, n, w.notification(t, n.ID), "of those that remain")
			}
		}
		for _, n := range []flow.Notification{unknown, foreign, newer, inactive} {
			assert.False(t, w.notification(t, n.ID).Recipient.IsZero())
		}
		assert.Equal(t, flowBefore, w.flow(t, f.ID), "the Counts, too")
		assert.Equal(t, flowsBefore, w.flowSteps(t, f.ID))

		for _, call := range map[string]func() error{
			"verify": func() error { return only(w.VerifyNotification(ctx, operator, sent.ID)) },
			"edit": func() error {
				return only(w.EditNotification(ctx, operator, refused.ID, refused.Version+1, draft(t, 9)))
			},
			"register": func() error { return only(w.RegisterNotification(ctx, operator, refused.ID)) },
		} {
			w.refused(t, flow.ErrAnonymised, call)
		}
		w.refused(t, fsm.ErrNotAllowed, func() error { return only(w.SendNotification(ctx, operator, refused.ID)) })
		calls := w.Received(appiotest.GetMessage)
		assert.Equal(t, flow.VerifyReport{}, must(w.VerifyFlow(ctx, operator, f.ID))(t))
		assert.Equal(t, calls, w.Received(appiotest.GetMessage), "nothing is left to be asked for")
		assert.Zero(t, must(w.Anonymise(ctx, operator, taxes, border))(t), "once")
		must(w.SendNewNotification(ctx, operator, taxes, pay, flow.SendNewConfig{}))(t) // nobody knows any more that it was sent
	})
}

func ids(page flow.NotificationPage) []uuid.UUID {
	var ids []uuid.UUID
	for _, n := range page.Notifications {
		ids = append(ids, n.ID)
	}
	return ids
}

// More than fit in a transaction, and a store that fails after the first group.
func TestAnonymisingGoesOnWhereItEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}})
		f := w.sending(t, 1100)
		must(w.dispatcher(t, flow.DispatcherConfig{}).Run(t.Context(), f.ID))(t)
		time.Sleep(time.Hour)
		store := &faultyStore{Store: w.store}
		service, err := flow.NewService(store, flow.Operators{operator.ID: {taxes}}, w.messengers, flow.ServiceConfig{})
		require.NoError(t, err)
		down := errors.New("connection lost")
		store.set("SaveNotifications", 1, 1, down)
		done, err := service.Anonymise(t.Context(), operator, taxes, time.Now())
		require.ErrorIs(t, err, down)
		rest := must(service.Anonymise(t.Context(), operator, taxes, time.Now()))(t)
		assert.NotZero(t, done)
		assert.Equal(t, 1100, done+rest)
		for _, n := range w.notifications(t, f.ID) {
			require.True(t, n.Recipient.IsZero())
			require.False(t, n.AnonymisedAt.IsZero())
		}
	})
}

func TestACancelledContext(t *testing.T) {
	for name, m := range methods {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, worldConfig{})
			on := sceneOf(t, w)
			before, calls := everythingIn(t, w.store), w.calls()
			cancelled, cancel := context.WithCancel(t.Context())
			cancel()
			expired, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Hour))
			defer cancel()
			for ctx, want := range map[context.Context]error{cancelled: context.Canceled, expired: context.DeadlineExceeded} {
				_, err := m.call(t, ctx, w.Service, operator, on)
				assert.ErrorIs(t, err, want)
				var typed *flow.Error
				assert.ErrorAs(t, err, &typed)
				assert.Equal(t, before, everythingIn(t, w.store))
				assert.Equal(t, calls, w.calls())
			}
		})
	}
}

// The context ends in the middle of an import: nothing of it is stored.
func TestAnImportThatIsCancelled(t *testing.T) {
	w := newWorld(t, worldConfig{})
	f := w.prepared(t, 0)
	for _, at := range []int{0, 5, 9} {
		ctx, cancel := context.WithCancel(t.Context())
		rows := func(yield func(flow.Row, error) bool) {
			for i, d := range drafts(t, 10) {
				if i == at {
					cancel()
				}
				if !yield(flow.Row{Draft: d}, nil) {
					return
				}
			}
		}
		before := everythingIn(t, w.store)
		_, err := w.AddNotifications(ctx, operator, f.ID, rows, flow.AddConfig{GoodRowsOnly: true})
		assert.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, before, everythingIn(t, w.store))
		cancel()
	}
}

func TestConfigurationsThatContradictThemselves(t *testing.T) {
	w := newWorld(t, worldConfig{})
	for name, c := range map[string]flow.ServiceConfig{
		"fewer than no workers":   {Workers: -1},
		"a lease too short":       {Lease: time.Second - 1},
		"a negative lease":        {Lease: -time.Minute},
		"beyond the platform's":   {Limits: flow.Limits{MinSubject: 10, MaxSubject: 121, MinContent: 80, MaxContent: 10_000}},
		"below the platform's":    {Limits: flow.Limits{MinSubject: 9, MaxSubject: 120, MinContent: 80, MaxContent: 10_000}},
		"more at least than most": {Limits: flow.Limits{MinSubject: 100, MaxSubject: 99, MinContent: 80, MaxContent: 10_000}},
	} {
		_, err := flow.NewService(w.store, flow.Operators{}, w.messengers, c)
		assert.ErrorIs(t, err, flow.ErrConfig, name)
	}
	_, err := flow.NewService(nil, nil, nil, flow.ServiceConfig{Workers: -1, Lease: 1})
	require.ErrorIs(t, err, flow.ErrConfig)
	assert.Contains(t, err.Error(), "are needed")
	assert.Contains(t, err.Error(), "Workers")
	assert.Contains(t, err.Error(), "Lease")
}
