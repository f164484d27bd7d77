package flow_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/must"
)

// The same file, imported by several people at once, is imported once.
func TestConcurrentImportsIntoOneFlowAddRowsOnce(t *testing.T) {
	w := newWorld(t)
	f := w.prepared(t, 0)
	for _, err := range atOnce(16, func(int) error {
		return must.Err(w.AddNotifications(t.Context(), operator, f.ID, flow.DraftRows(drafts(20)...), flow.AddConfig{}))
	}) {
		if err != nil {
			assert.ErrorIs(t, err, flussi.ErrConflict)
		}
	}
	assert.Equal(t, flow.Counts{Registered: 20}, w.flow(t, f.ID).Counts)
	assert.Equal(t, "create import", w.flowSteps(t, f.ID))
}

// wrongRow is what a report says about a row, in short.
type wrongRow struct {
	row, other int
	err        error
}

func TestAdd(t *testing.T) {
	good := func(n int) flow.Row { return flow.Row{Draft: draft(n)} }
	bad := flow.Row{Draft: flow.Draft{Recipient: citizen(1)}}
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
		"all rows are good": {0, []flow.Row{good(0), good(1), good(2)}, nil, flow.AddConfig{}, flow.AddReport{ImportReport: flussi.ImportReport{Rows: 3}, Added: 3}, nil, nil},
		"all or nothing": {0, []flow.Row{good(0), bad, good(2)}, nil, flow.AddConfig{},
			flow.AddReport{ImportReport: flussi.ImportReport{Rows: 3, Invalid: 1}}, []wrongRow{{2, 0, flussi.ErrEmpty}}, flussi.ErrRows},
		"every wrong row is told": {0, []flow.Row{bad, good(0), bad, good(0)}, nil, flow.AddConfig{},
			flow.AddReport{ImportReport: flussi.ImportReport{Rows: 4, Invalid: 3}}, []wrongRow{{1, 0, flussi.ErrEmpty}, {3, 0, flussi.ErrEmpty}, {4, 2, flussi.ErrDuplicate}}, flussi.ErrRows},
		"by the operator's numbers": {0, []flow.Row{at(12, good(0)), at(14, bad), at(17, good(0))}, nil, flow.AddConfig{},
			flow.AddReport{ImportReport: flussi.ImportReport{Rows: 3, Invalid: 2}}, []wrongRow{{14, 0, flussi.ErrEmpty}, {17, 12, flussi.ErrDuplicate}}, flussi.ErrRows},
		"only the good rows": {0, []flow.Row{good(0), bad, good(0), good(2)}, nil, flow.AddConfig{SkipInvalid: true},
			flow.AddReport{ImportReport: flussi.ImportReport{Rows: 4, Invalid: 2}, Added: 2}, []wrongRow{{2, 0, flussi.ErrEmpty}, {3, 1, flussi.ErrDuplicate}}, nil},
		"only the good rows, of which there is none": {0, []flow.Row{bad, bad}, nil, flow.AddConfig{SkipInvalid: true},
			flow.AddReport{ImportReport: flussi.ImportReport{Rows: 2, Invalid: 2}}, []wrongRow{{1, 0, flussi.ErrEmpty}, {2, 0, flussi.ErrEmpty}}, flussi.ErrRows},
		"what the flow has already": {2, []flow.Row{good(5), good(1), good(0)}, nil, flow.AddConfig{},
			flow.AddReport{ImportReport: flussi.ImportReport{Rows: 3}, Added: 1, DuplicateCount: 2}, nil, nil},
		"what the flow has already, twice": {2, []flow.Row{good(5), good(1), good(0), good(1)}, nil, flow.AddConfig{},
			flow.AddReport{ImportReport: flussi.ImportReport{Rows: 4, Invalid: 1}}, []wrongRow{{4, 2, flussi.ErrDuplicate}}, flussi.ErrRows},
		"more to what the flow has": {2, []flow.Row{good(2), good(3)}, nil, flow.AddConfig{}, flow.AddReport{ImportReport: flussi.ImportReport{Rows: 2}, Added: 2}, nil, nil},
		"not all errors are told": {0, []flow.Row{bad, bad, good(0), bad}, nil, flow.AddConfig{MaxErrors: 2, SkipInvalid: true},
			flow.AddReport{ImportReport: flussi.ImportReport{Rows: 4, Invalid: 3}, Added: 1}, []wrongRow{{1, 0, flussi.ErrEmpty}, {2, 0, flussi.ErrEmpty}}, nil},
		"an error in place of a row": {0, []flow.Row{at(7, good(0)), at(8, flow.Row{}), at(9, good(1))}, map[int]error{1: unreadable}, flow.AddConfig{},
			flow.AddReport{ImportReport: flussi.ImportReport{Rows: 3, Invalid: 1}}, []wrongRow{{8, 0, unreadable}}, flussi.ErrRows},
		"an error in place of a row, and the good ones": {0, []flow.Row{at(7, good(0)), at(8, flow.Row{}), at(9, good(1))}, map[int]error{1: unreadable},
			flow.AddConfig{SkipInvalid: true}, flow.AddReport{ImportReport: flussi.ImportReport{Rows: 3, Invalid: 1}, Added: 2}, []wrongRow{{8, 0, unreadable}}, nil},
		"an error of the whole sequence": {0, []flow.Row{good(0), bad, {}, good(1)}, map[int]error{2: unreadable}, flow.AddConfig{SkipInvalid: true},
			flow.AddReport{ImportReport: flussi.ImportReport{Rows: 2, Invalid: 1}}, []wrongRow{{2, 0, flussi.ErrEmpty}}, unreadable},
		"no rows":                      {0, nil, nil, flow.AddConfig{SkipInvalid: true}, flow.AddReport{}, nil, flussi.ErrEmpty},
		"no rows to what the flow has": {1, nil, nil, flow.AddConfig{}, flow.AddReport{}, nil, flussi.ErrEmpty},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
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
			assert.Len(t, report.Duplicates, test.want.DuplicateCount)
			report.Errors, report.Duplicates = nil, nil
			assert.Equal(t, test.want, report)
			if test.err != nil {
				assert.ErrorAs(t, err, new(*flussi.Error))
				assert.Equal(t, before, everythingIn(t, w.store), "something was stored")
				return
			}
			assert.Equal(t, len(test.rows), pulled)
			got := w.flow(t, f.ID)
			assert.Equal(t, flow.Counts{Registered: test.had + test.want.Added}, got.Counts)
			assert.Equal(t, f.Version+1, got.Version)
			assert.Regexp(t, "import$", w.flowSteps(t, f.ID))
			for _, n := range w.notifications(t, f.ID) {
				assert.Equal(t, flow.NotificationRegistered, n.State)
				assert.Equal(t, taxes, n.Service)
				assert.Equal(t, operator.ID, n.UpdatedBy)
				assert.Equal(t, uuid.Version(7), n.ID.Version())
				assert.Equal(t, "create", w.steps(t, n.ID))
			}
		})
	}
}

// Rows are stored in their order, and listed in it, whatever the clock says.
func TestImportedRowsKeepTheirOrder(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.prepared(t, 300)
		for i, n := range w.notifications(t, f.ID) {
			require.Equal(t, draft(i), n.Draft)
		}
	})
}

func TestImportReportsDuplicates(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		alone := w.sendNew(t, draft(4))
		foreign := must.Get(w.CreateFlow(t.Context(), stranger, school, flow.Details{}))(t)
		must.Get(w.AddNotifications(t.Context(), stranger, foreign.ID, flow.DraftRows(draft(6)), flow.AddConfig{}))(t)
		earlier := w.prepared(t, 3) // drafts 0, 1 and 2
		had := w.notifications(t, earlier.ID)
		do(t, w.DisableNotification, had[1].ID)
		time.Sleep(24 * time.Hour)

		f := w.created(t)
		report := w.add(t, f.ID, draft(8))
		assert.Empty(t, report.Duplicates)
		rows := func(yield func(flow.Row, error) bool) {
			for i, n := range []int{5, 4, 1, 6, 0, 7, 8} {
				if !yield(flow.Row{Number: 20 + i, Draft: draft(n)}, nil) {
					return
				}
			}
		}
		report = must.Get(w.AddNotifications(t.Context(), operator, f.ID, rows, flow.AddConfig{}))(t)
		all := w.notifications(t, f.ID)
		assert.Equal(t, []flow.Duplicate{
			{Row: 21, NotificationID: all[2].ID, EarlierID: alone.ID, State: flow.NotificationSent, Date: alone.Transmission.SentAt},
			{Row: 24, NotificationID: all[5].ID, EarlierID: had[0].ID, EarlierFlowID: earlier.ID, State: flow.NotificationRegistered, Date: had[0].CreatedAt},
			{Row: 26, EarlierID: all[0].ID, EarlierFlowID: f.ID, State: flow.NotificationRegistered, Date: all[0].CreatedAt},
		}, report.Duplicates)
		assert.Equal(t, [4]int{7, 6, 3, 2}, [4]int{report.Rows, report.Added, report.DuplicateCount, report.Disabled})
		for i, n := range all {
			assert.Equal(t, i == 2 || i == 5, n.Disabled, "row %d", i)
		}
		assert.Equal(t, flow.Counts{Registered: 5, Disabled: 2}, w.flow(t, f.ID).Counts)

		// All are counted, and no more are reported than are wanted.
		large := w.created(t)
		report = w.add(t, large.ID, drafts(500)...)
		var got []int
		for _, d := range report.Duplicates {
			got = append(got, d.Row)
		}
		assert.Equal(t, []int{1, 2, 3, 5, 6, 7, 8, 9}, got, "once each")
		small := w.created(t)
		report = must.Get(w.AddNotifications(t.Context(), operator, small.ID, flow.DraftRows(drafts(400)...), flow.AddConfig{MaxErrors: 3}))(t)
		assert.Len(t, report.Duplicates, 3)
		assert.Equal(t, [2]int{400, 400}, [2]int{report.DuplicateCount, report.Disabled})
	})
}

func TestOnlyAnInactiveFlowIsImportedInto(t *testing.T) {
	w := newWorld(t)
	on := sceneOf(t, w)
	sent := w.sending(t, 1)
	w.run(t, sent.ID)
	for name, id := range map[string]uuid.UUID{ // in which these rows are not
		"Attivo": on.active.ID, "In invio": w.sending(t, 1).ID, "Inviato": sent.ID, "Invio incompleto": on.incomplete.ID,
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, name, w.flow(t, id).State.Label())
			w.refused(t, fsm.ErrNotAllowed, func() error {
				return must.Err(w.AddNotifications(t.Context(), operator, id, flow.DraftRows(draft(9)), flow.AddConfig{}))
			})
		})
	}
}

// The context ends in the middle of an import: nothing of it is stored.
func TestCancelledImportStoresNothing(t *testing.T) {
	w := newWorld(t)
	f := w.prepared(t, 0)
	for _, at := range []int{0, 5, 9} {
		ctx, cancel := context.WithCancel(t.Context())
		rows := func(yield func(flow.Row, error) bool) {
			for i, d := range drafts(10) {
				if i == at {
					cancel()
				}
				if !yield(flow.Row{Draft: d}, nil) {
					return
				}
			}
		}
		before := everythingIn(t, w.store)
		assert.ErrorIs(t, must.Err(w.AddNotifications(ctx, operator, f.ID, rows, flow.AddConfig{SkipInvalid: true})), context.Canceled)
		assert.Equal(t, before, everythingIn(t, w.store))
		cancel()
	}
}

func TestAFlowIsImportedWithItsRowsOrNotAtAll(t *testing.T) {
	cut := errors.New("the file ends in the middle")
	broken := errors.New("disk full")
	good, bad := draft(1), flow.Draft{Recipient: citizen(2)}
	for name, test := range map[string]struct {
		details flow.Details
		rows    []flow.Draft
		end     error // of the sequence
		store   error
		config  flow.AddConfig
		want    error
		added   int
	}{
		"good rows":             {rows: []flow.Draft{good}, added: 1},
		"a wrong row":           {rows: []flow.Draft{good, bad}, want: flussi.ErrRows},
		"the good ones alone":   {rows: []flow.Draft{good, bad}, config: flow.AddConfig{SkipInvalid: true}, added: 1},
		"no row":                {want: flussi.ErrEmpty},
		"a file that is cut":    {rows: []flow.Draft{good}, end: cut, config: flow.AddConfig{SkipInvalid: true}, want: cut},
		"a store that fails":    {rows: []flow.Draft{good}, store: broken, want: broken},
		"details not permitted": {rows: []flow.Draft{good}, details: flow.Details{AppKey: strings.Repeat("x", flow.MaxKey+1)}, want: flussi.ErrLength},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, worldConfig{store: &failingStore{memstore.New(), test.store}})
			before := everythingIn(t, w.store)
			f, report, err := w.ImportFlow(t.Context(), operator, taxes, test.details, func(yield func(flow.Row, error) bool) {
				for row := range flow.DraftRows(test.rows...) {
					if !yield(row, nil) {
						return
					}
				}
				if test.end != nil {
					yield(flow.Row{}, test.end)
				}
			}, test.config)
			require.ErrorIs(t, err, test.want)
			assert.Equal(t, test.added, report.Added)
			if test.want != nil {
				assert.Zero(t, f)
				assert.Equal(t, before, everythingIn(t, w.store), "nothing is left behind")
				var failure *flussi.Error
				require.ErrorAs(t, err, &failure)
				assert.Equal(t, uuid.Nil, failure.ID, "a flow that is not there has no name")
				assert.Equal(t, "import flow", failure.Operation)
				return
			}
			assert.Equal(t, f, do(t, w.Flow, f.ID))
			assert.Equal(t, flow.Counts{Registered: test.added}, f.Counts)
			history := do(t, w.FlowHistory, f.ID)
			require.Len(t, history, 1)
			assert.Equal(t, flow.FlowCreate, history[0].Action)
		})
	}
}

// failingStore fails to import rows, if it has an error.
type failingStore struct {
	flow.Store
	err error
}

func (s *failingStore) SaveImport(ctx context.Context, i flow.ImportRequest) (flow.ImportResult, bool, error) {
	if s.err == nil {
		return s.Store.SaveImport(ctx, i)
	}
	for range i.Rows {
	}
	return flow.ImportResult{}, false, s.err
}

func TestAddPassesRowErrorsThrough(t *testing.T) {
	w := newWorld(t)
	f := w.prepared(t, 0)
	cells := &flussi.RowError{Row: 12, Err: errors.New("two cells are not valid")}
	report := must.Get(w.AddNotifications(t.Context(), operator, f.ID, func(yield func(flow.Row, error) bool) {
		_ = yield(flow.Row{Number: 11, Draft: draft(1)}, nil) && yield(flow.Row{Number: 12}, cells) && yield(flow.Row{}, cells)
	}, flow.AddConfig{SkipInvalid: true}))(t)
	assert.Equal(t, flussi.ImportReport{Rows: 3, Invalid: 2, Errors: []*flussi.RowError{cells, cells}}, report.ImportReport)
	assert.Same(t, cells, report.Errors[0])
	assert.Equal(t, 1, report.Added)
}

// Nobody has to wait for a refusal that no retry can change.
func TestOldVersionIsRefusedWithoutRetry(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.prepared(t, 1)
		n := w.notifications(t, f.ID)[0]
		start := time.Now()
		assert.ErrorIs(t, must.Err(w.EditNotification(t.Context(), operator, n.ID, n.Version+1, draft(2))), flussi.ErrConflict)
		assert.Equal(t, start, time.Now())
	})
}

// What the app ignores in a message is reported with its row, which is stored all the same, and of
// a file that is refused, too. A row that is refused has no warning.
func TestImportsWarnOfWhatTheAppIgnores(t *testing.T) {
	w := newWorld(t)
	const buttons = "---\nit:\n  cta_1:\n    text: Paga\n    action: iohandledlink://https://example.com\n---\n"
	doubtful := func(n int) flow.Draft {
		d := draft(n)
		d.Content = flussi.NewText(buttons + d.Content.Reveal())
		return d
	}
	check := func(report flow.AddReport, rows ...int) {
		t.Helper()
		assert.Equal(t, len(rows), report.WarningCount)
		for i, warning := range report.Warnings {
			assert.Equal(t, rows[i], warning.Row)
			assert.ErrorIs(t, warning, appio.ErrFrontMatter)
			assert.Equal(t, "Content", must.As[*flussi.ValueError](t, warning).Type)
			assert.Contains(t, flussi.Explain(warning), "solo in italiano")
		}
	}
	bad := draft(9)
	bad.Subject = flussi.Text{}
	rows := []flow.Draft{draft(1), doubtful(2), doubtful(3), doubtful(2)} // the last one is there twice
	report, err := w.AddNotifications(t.Context(), operator, w.created(t).ID, flow.DraftRows(append(rows, bad, doubtful(4))...), flow.AddConfig{})
	require.ErrorIs(t, err, flussi.ErrRows)
	check(report, 2, 3, 6)
	f := w.created(t)
	report = w.add(t, f.ID, rows[:3]...)
	assert.Equal(t, 3, report.Added)
	check(report, 2, 3)
	assert.Equal(t, doubtful(2).Content, w.notifications(t, f.ID)[1].Content, "nothing was changed")
	report = must.Get(w.AddNotifications(t.Context(), operator, w.created(t).ID, flow.DraftRows(many(5, doubtful)...), flow.AddConfig{MaxErrors: 2, Occasion: "sollecito"}))(t)
	assert.Equal(t, 5, report.WarningCount)
	assert.Len(t, report.Warnings, 2)
	assert.NoError(t, draft(1).Check())
	// Buttons of the options always have an English version.
	d := draft(1)
	d.Options.Button1 = flow.Button{Label: flussi.NewText("Paga"), Link: flussi.NewText("https://example.com")}
	assert.NoError(t, d.Check())
}
