package flow_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/must"
)

// importFile imports drafts into a new flow of the taxes.
func (w *world) importFile(t testing.TB, c flow.AddConfig, rows ...flow.Draft) (flow.Flow, flow.AddReport) {
	t.Helper()
	f, report, err := w.ImportFlow(t.Context(), operator, taxes, flow.Details{}, flow.DraftRows(rows...), c)
	require.NoError(t, err)
	return f, report
}

// flows returns all flows of the taxes, the oldest first.
func (w *world) flows(t testing.TB) []flow.Flow {
	t.Helper()
	return must.Get(w.store.Flows(context.WithoutCancel(t.Context()), flow.FlowFilter{Services: []string{taxes}}, flow.Page{OldestFirst: true}))(t)
}

// stages are steps that an operator takes with a flow after its rows were imported.
var stages = map[string]func(t *testing.T, w *world, id uuid.UUID){
	"Inattivo": func(*testing.T, *world, uuid.UUID) {},
	"Attivo":   func(t *testing.T, w *world, id uuid.UUID) { do(t, w.ActivateFlow, id) },
	"In invio": func(t *testing.T, w *world, id uuid.UUID) { w.ordered(t, id) },
	"Inviato":  func(t *testing.T, w *world, id uuid.UUID) { w.ordered(t, id); w.run(t, id) },
	"Invio incompleto": func(t *testing.T, w *world, id uuid.UUID) {
		w.ordered(t, id)
		w.run(t, id, refusal, noAnswer)
	},
}

func TestSameFileIsImportedOnce(t *testing.T) {
	for stage, steps := range stages {
		for how, c := range map[string]flow.AddConfig{"all rows": {}, "with an occasion": {Occasion: "Sollecito  marzo"}, "good rows only": {SkipInvalid: true}} {
			bubble(t, stage+", "+how, func(t *testing.T) {
				w := newWorld(t)
				rows, wrong := drafts(5), 0
				if c.SkipInvalid {
					rows, wrong = append(rows, rows[0], flow.Draft{Recipient: citizen(9)}), 2
				}
				first, report := w.importFile(t, c, rows...)
				assert.Equal(t, [3]int{5 + wrong, 5, wrong}, [3]int{report.Rows, report.Added, report.Invalid})
				assert.Zero(t, report.ImportedAt)
				at := time.Now()
				steps(t, w, first.ID)
				require.Equal(t, stage, w.flow(t, first.ID).State.Label())
				time.Sleep(24 * time.Hour)
				before := everythingIn(t, w.store)
				for i := range rows { // as another program spells them
					rows[i].Content = flussi.NewText(norm.NFD.String(rows[i].Content.Reveal()) + "\r\n")
				}
				c.Occasion = " SOLLECITO marzo"[:min(16, 16*len(c.Occasion))]
				f, report, err := w.ImportFlow(t.Context(), operator, taxes, flow.Details{Note: flussi.NewText("di nuovo")}, flow.DraftRows(rows...), c)
				require.NoError(t, err)
				assert.Equal(t, w.flow(t, first.ID), f, "as it is now")
				assert.True(t, at.Equal(report.ImportedAt), report.ImportedAt)
				report.Errors = nil
				assert.Equal(t, flow.AddReport{ImportReport: flussi.ImportReport{Rows: 5 + wrong, Invalid: wrong}, ImportedAt: report.ImportedAt}, report)
				assert.Equal(t, before, everythingIn(t, w.store), "something was stored")
			})
		}
	}
}

func TestSameRowsAreAddedToAFlowOnce(t *testing.T) {
	for stage, steps := range stages {
		bubble(t, stage, func(t *testing.T) {
			w := newWorld(t)
			f := w.prepared(t, 0)
			files := [][]flow.Draft{drafts(5)[:3], drafts(5)[3:]}
			var at []time.Time
			for _, rows := range files {
				time.Sleep(time.Minute)
				at = append(at, time.Now().UTC())
				w.add(t, f.ID, rows...)
			}
			steps(t, w, f.ID)
			require.Equal(t, stage, w.flow(t, f.ID).State.Label())
			time.Sleep(time.Hour)
			before := everythingIn(t, w.store)
			for i, rows := range files {
				report := w.add(t, f.ID, rows...)
				assert.Equal(t, flow.AddReport{ImportReport: flussi.ImportReport{Rows: len(rows)}, ImportedAt: at[i]}, report)
			}
			assert.Equal(t, before, everythingIn(t, w.store), "something was stored")
			if stage == "Inattivo" {
				return
			}
			for _, call := range map[string]func() error{
				"other rows": func() error {
					return must.Err(w.AddNotifications(t.Context(), operator, f.ID, flow.DraftRows(draft(7)), flow.AddConfig{}))
				},
				"all rows": func() error {
					return must.Err(w.AddNotifications(t.Context(), operator, f.ID, flow.DraftRows(drafts(5)...), flow.AddConfig{}))
				},
				"a part of them": func() error {
					return must.Err(w.AddNotifications(t.Context(), operator, f.ID, flow.DraftRows(files[0][:2]...), flow.AddConfig{}))
				},
				"for another occasion": func() error {
					return must.Err(w.AddNotifications(t.Context(), operator, f.ID, flow.DraftRows(files[0]...), flow.AddConfig{Occasion: "sollecito"}))
				},
				"none": func() error {
					return must.Err(w.AddNotifications(t.Context(), operator, f.ID, flow.DraftRows(), flow.AddConfig{}))
				},
				"one that is wrong": func() error {
					return must.Err(w.AddNotifications(t.Context(), operator, f.ID, flow.DraftRows(append(files[0], flow.Draft{})...), flow.AddConfig{}))
				},
			} {
				w.refused(t, fsm.ErrNotAllowed, call)
			}
		})
	}
}

func TestDisabledFlowDoesNotCountAsImported(t *testing.T) {
	for stage, steps := range stages {
		bubble(t, stage, func(t *testing.T) {
			w := newWorld(t)
			first, _ := w.importFile(t, flow.AddConfig{}, drafts(5)...)
			steps(t, w, first.ID)
			do(t, w.DisableFlow, first.ID)
			f, report := w.importFile(t, flow.AddConfig{}, drafts(5)...)
			if stage != "Inattivo" && stage != "Attivo" {
				assert.Equal(t, first.ID, f.ID, "it may have notified somebody")
				assert.NotZero(t, report.ImportedAt)
				return
			}
			assert.NotEqual(t, first.ID, f.ID)
			assert.Equal(t, flow.AddReport{ImportReport: flussi.ImportReport{Rows: 5}, Added: 5}, report, "nothing waits to be sent")
			w.ordered(t, f.ID)
			assert.Equal(t, flow.FlowSent, w.run(t, f.ID).State)
			again, _ := w.importFile(t, flow.AddConfig{}, drafts(5)...)
			assert.Equal(t, f.ID, again.ID, "the one that was not set aside")

			// The first one, enabled again, notifies nobody.
			do(t, w.EnableFlow, first.ID)
			w.ordered(t, first.ID)
			assert.Equal(t, flow.Counts{Failed: 5}, w.run(t, first.ID).Counts)
			w.hasDelivered(t, 5)
			again, _ = w.importFile(t, flow.AddConfig{}, drafts(5)...)
			assert.Equal(t, f.ID, again.ID)
		})
	}
}

func TestOtherRowsServicesAndOccasionsAreOtherImports(t *testing.T) {
	reversed := func(rows []flow.Draft) []flow.Draft {
		return []flow.Draft{rows[2], rows[1], rows[0]}
	}
	for name, test := range map[string]struct {
		rows       func([]flow.Draft) []flow.Draft
		config     flow.AddConfig
		by         flussi.Actor
		service    string
		duplicates int
	}{
		"for another occasion":                  {nil, flow.AddConfig{Occasion: "sollecito marzo"}, operator, taxes, 0},
		"of another service":                    {nil, flow.AddConfig{}, stranger, school, 0},
		"in another order":                      {reversed, flow.AddConfig{}, operator, taxes, 3},
		"with a row less":                       {func(rows []flow.Draft) []flow.Draft { return rows[:2] }, flow.AddConfig{}, operator, taxes, 2},
		"with a row more":                       {func(rows []flow.Draft) []flow.Draft { return append(rows, draft(8)) }, flow.AddConfig{}, operator, taxes, 3},
		"with another text in one row":          {func(rows []flow.Draft) []flow.Draft { return append(rows[:2], draft(8)) }, flow.AddConfig{}, operator, taxes, 2},
		"with an occasion for one row":          {func(rows []flow.Draft) []flow.Draft { rows[1].Occasion = "rata 2"; return rows }, flow.AddConfig{}, operator, taxes, 2},
		"with another reference in a row":       {func(rows []flow.Draft) []flow.Draft { rows[1].Reference = "TARI-2"; return rows }, flow.AddConfig{}, operator, taxes, 3},
		"with a row payable after its due date": {func(rows []flow.Draft) []flow.Draft { rows[1].PayableAfterDue = true; return rows }, flow.AddConfig{}, operator, taxes, 3},
		"with two rows the other way":           {func(rows []flow.Draft) []flow.Draft { return []flow.Draft{rows[1], rows[0], rows[2]} }, flow.AddConfig{}, operator, taxes, 3},
		"of good rows, for an occasion":         {nil, flow.AddConfig{SkipInvalid: true, Occasion: "sollecito"}, operator, taxes, 0},
		"with the rows of another import":       {func([]flow.Draft) []flow.Draft { return []flow.Draft{draft(8)} }, flow.AddConfig{}, operator, taxes, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			first, _ := w.importFile(t, flow.AddConfig{}, drafts(3)...)
			rows := drafts(3)
			if test.rows != nil {
				rows = test.rows(rows)
			}
			f, report, err := w.ImportFlow(t.Context(), test.by, test.service, flow.Details{}, flow.DraftRows(rows...), test.config)
			require.NoError(t, err)
			assert.NotEqual(t, first.ID, f.ID)
			assert.Zero(t, report.ImportedAt)
			assert.Equal(t, [3]int{len(rows), test.duplicates, test.duplicates}, [3]int{report.Added, report.DuplicateCount, report.Disabled})
			assert.Equal(t, flow.Counts{Registered: len(rows) - test.duplicates, Disabled: test.duplicates}, f.Counts)
			assert.Equal(t, f, w.flow(t, f.ID))
		})
	}
	t.Run("into another flow", func(t *testing.T) {
		w := newWorld(t)
		for i, target := range []flow.Flow{w.prepared(t, 0), w.prepared(t, 0)} {
			report := w.add(t, target.ID, drafts(3)...)
			assert.Equal(t, [2]int{3, 3 * i}, [2]int{report.Added, report.Disabled})
		}
		_, report := w.importFile(t, flow.AddConfig{}, drafts(3)...)
		assert.Equal(t, [2]int{3, 3}, [2]int{report.Added, report.Disabled})
	})
}

// A workbook had 10 wrong rows of 200. Its copy, with those corrected, has all of them.
func TestCorrectedCopySendsOnlyCorrectedRows(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		rows := drafts(200)
		for i := range 10 {
			rows[20*i].Subject = flussi.NewText("corto")
		}
		first, report := w.importFile(t, flow.AddConfig{SkipInvalid: true}, rows...)
		require.Equal(t, [2]int{190, 10}, [2]int{report.Added, report.Invalid})
		w.ordered(t, first.ID)
		w.dispatch(t, first.ID)

		copied, report := w.importFile(t, flow.AddConfig{SkipInvalid: true}, drafts(200)...)
		assert.Equal(t, [4]int{200, 190, 190, 0}, [4]int{report.Added, report.DuplicateCount, report.Disabled, report.Invalid})
		assert.Equal(t, flow.Counts{Registered: 10, Disabled: 190}, copied.Counts)
		require.Len(t, report.Duplicates, 190)
		for _, d := range report.Duplicates {
			assert.Equal(t, w.notification(t, d.NotificationID).Digest(), w.notification(t, d.EarlierID).Digest())
			assert.Equal(t, draft(d.Row-1).Digest(), w.notification(t, d.EarlierID).Digest())
			assert.Equal(t, first.ID, d.EarlierFlowID)
			assert.Equal(t, flow.NotificationSent, d.State)
		}
		w.ordered(t, copied.ID)
		assert.Equal(t, flow.FlowSent, w.dispatch(t, copied.ID).State)
		w.hasDelivered(t, 200)
		assert.Len(t, w.delivered(), 200)
	}, unlimited)
}

func TestDuplicateNamesTheOldestThatMayHaveArrived(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		stored := func(change func(*flow.Notification)) flow.Notification {
			time.Sleep(24 * time.Hour)
			return w.composed(t, 1, change)
		}
		import1 := func() flow.Duplicate {
			t.Helper()
			f := w.created(t)
			rows := flow.Rows(flow.Row{Number: 12, Draft: draft(1)})
			report := must.Get(w.AddNotifications(t.Context(), operator, f.ID, rows, flow.AddConfig{}))(t)
			require.Equal(t, 1, report.DuplicateCount)
			require.Len(t, report.Duplicates, 1)
			d := report.Duplicates[0]
			assert.Equal(t, [2]any{12, w.notifications(t, f.ID)[0].ID}, [2]any{d.Row, d.NotificationID})
			records := do(t, w.NotificationHistory, d.NotificationID)
			assert.Contains(t, records[0].Reason.Reveal(), d.EarlierID.String())
			return d
		}
		stored(func(n *flow.Notification) { n.Disabled = true })
		waits := stored(func(*flow.Notification) {})
		stored(func(*flow.Notification) {})
		d := import1()
		assert.Equal(t, [3]any{waits.ID, flow.NotificationRegistered, waits.CreatedAt}, [3]any{d.EarlierID, d.State, d.Date}, "the oldest that waits to be sent")
		assert.Equal(t, fmt.Sprintf("Riga 12: Esiste già una notifica uguale, nello stato «Registrato» (%s del 03/01/2000). "+
			"La riga è stata aggiunta disabilitata (notifica %s). Per inviarla comunque, indicare un'occasione diversa e riabilitarla.", waits.ID, d.NotificationID), d.Italian())

		stored(func(n *flow.Notification) {
			n.State, n.Transmission.ErrorCode = flow.NotificationFailed, flow.CodeRefused
		})
		unknown := stored(func(n *flow.Notification) {
			n.State, n.Transmission.ErrorCode = flow.NotificationFailed, flow.CodeOutcomeUnknown
		})
		d = import1()
		assert.Equal(t, [2]any{unknown.ID, flow.NotificationFailed}, [2]any{d.EarlierID, d.State}, "one that may have arrived")

		sending := stored(func(n *flow.Notification) { n.State, n.AllowDuplicate = flow.NotificationSending, true })
		d = import1()
		assert.Equal(t, unknown.ID, d.EarlierID, "the oldest of those")
		do2(t, w.ConfirmNotification, unknown.ID, "arrivata")
		assert.Equal(t, flow.NotificationSent, import1().State)
		time.Sleep(time.Hour)
		must.Get(w.dispatcher(t).RescueExpired(t.Context()))(t)
		assert.Equal(t, flow.CodeOutcomeUnknown, w.notification(t, sending.ID).Transmission.ErrorCode)
		assert.Equal(t, unknown.ID, import1().EarlierID)
	})
}

func TestConcurrentImportsOfOneFileMakeOneFlow(t *testing.T) {
	w := newWorld(t)
	flows, reports, errs := make([]flow.Flow, 16), make([]flow.AddReport, 16), make([]error, 16)
	var group sync.WaitGroup
	for i := range flows {
		group.Go(func() {
			flows[i], reports[i], errs[i] = w.ImportFlow(t.Context(), operator, taxes, flow.Details{}, flow.DraftRows(drafts(20)...), flow.AddConfig{})
		})
	}
	group.Wait()
	added := 0
	for i, f := range flows {
		require.NoError(t, errs[i])
		assert.Equal(t, flows[0].ID, f.ID)
		assert.Equal(t, reports[i].Added == 0, !reports[i].ImportedAt.IsZero())
		added += reports[i].Added
	}
	assert.Equal(t, 20, added)
	require.Len(t, w.flows(t), 1)
	assert.Equal(t, flow.Counts{Registered: 20}, w.flows(t)[0].Counts)
}

// A row with an occasion that shows nothing has none of its own.
func TestInvisibleOccasionIsNone(t *testing.T) {
	w := newWorld(t)
	w.importFile(t, flow.AddConfig{}, draft(1))
	for _, own := range []string{" ", "\u200b", "\u00ad\t"} {
		d := draft(1)
		d.Occasion = own
		f, report := w.importFile(t, flow.AddConfig{Occasion: "sollecito " + fmt.Sprint(len(own))}, d)
		assert.Zero(t, report.DuplicateCount)
		assert.Equal(t, "sollecito "+fmt.Sprint(len(own)), w.notifications(t, f.ID)[0].Occasion)
	}
}
