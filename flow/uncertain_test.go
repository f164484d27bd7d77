package flow_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/memstore"
)

// losing is a store that loses its connection during an import, so that it is not known whether the
// rows are stored.
type losing struct {
	flow.Store
	stores bool          // it stores the rows nevertheless
	after  time.Duration // then
	fails  int           // how many calls of Imported fail
	calls  int           // of Import
}

func (s *losing) SaveImport(ctx context.Context, i flow.ImportRequest) (flow.ImportResult, bool, error) {
	if s.calls++; s.calls > 1 {
		return s.Store.SaveImport(ctx, i)
	}
	if !s.stores {
		for _, err := range i.Rows {
			if err != nil {
				return flow.ImportResult{}, false, err
			}
		}
		return flow.ImportResult{}, false, fmt.Errorf("commit: %w", flussi.ErrCommitUnknown)
	}
	var rows []flow.NotificationChange
	for row, err := range i.Rows {
		if err != nil {
			return flow.ImportResult{}, false, err
		}
		rows = append(rows, row)
	}
	i.Rows = func(yield func(flow.NotificationChange, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
	key := i.Key()
	i.Key = func() flow.ImportKey { return key }
	if s.after == 0 {
		if _, _, err := s.Store.SaveImport(ctx, i); err != nil {
			return flow.ImportResult{}, false, err
		}
	} else {
		go func() { // the server commits later
			time.Sleep(s.after)
			_, _, _ = s.Store.SaveImport(context.WithoutCancel(ctx), i)
		}()
	}
	return flow.ImportResult{}, false, fmt.Errorf("commit: %w", flussi.ErrCommitUnknown)
}

func (s *losing) ImportResult(ctx context.Context, key flow.ImportKey) (flow.ImportResult, error) {
	if s.fails > 0 {
		s.fails--
		return flow.ImportResult{}, errStore
	}
	return s.Store.ImportResult(ctx, key)
}

// The connection is lost during an import. After a second call there is one flow with the rows,
// whether the first call stored them or not, and every report is right.
func TestImportWhoseAnswerIsLost(t *testing.T) {
	for name, test := range map[string]struct {
		store losing
		found bool // by the first call
	}{
		"stored":                           {losing{stores: true}, true},
		"stored a little later":            {losing{stores: true, after: 2 * time.Second}, true},
		"stored, and found after failures": {losing{stores: true, fails: 4}, true},
		"stored much later":                {losing{stores: true, after: 8 * time.Second}, false},
		"not stored":                       {losing{}, false},
		"not stored, and not there":        {losing{fails: 1000}, false},
	} {
		for into, call := range map[string]func(w *world, ctx context.Context, target uuid.UUID) (uuid.UUID, flow.AddReport, error){
			"a new flow": func(w *world, ctx context.Context, _ uuid.UUID) (uuid.UUID, flow.AddReport, error) {
				f, report, err := w.ImportFlow(ctx, operator, taxes, flow.Details{}, flow.DraftRows(drafts(4)...), flow.AddConfig{})
				return f.ID, report, err
			},
			"a flow": func(w *world, ctx context.Context, target uuid.UUID) (uuid.UUID, flow.AddReport, error) {
				report, err := w.AddNotifications(ctx, operator, target, flow.DraftRows(drafts(4)...), flow.AddConfig{})
				return target, report, err
			},
		} {
			for _, cancelled := range []bool{false, true} {
				bubble(t, fmt.Sprintf("%s, into %s, cancelled: %v", name, into, cancelled), func(t *testing.T) {
					store := test.store
					store.Store = memstore.New()
					w := newWorld(t, worldConfig{store: &store})
					target := uuid.Nil
					if into == "a flow" {
						target = w.prepared(t, 0).ID
					}
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					if cancelled {
						time.AfterFunc(time.Millisecond, cancel) // while it is looked for
					}
					start := time.Now()
					id, report, err := call(w, ctx, target)
					assert.LessOrEqual(t, time.Since(start), 5*time.Second)
					if test.found {
						require.NoError(t, err)
						assert.Equal(t, flow.AddReport{ImportReport: flussi.ImportReport{Rows: 4}, Added: 4}, report)
					} else {
						require.ErrorIs(t, err, flussi.ErrCommitUnknown)
						assert.Zero(t, report.Added)
						assert.Equal(t, "La connessione con l'archivio si è interrotta durante la registrazione delle righe, e non si sa se siano state registrate. "+
							"Ripetere l'importazione: le righe già registrate vengono riconosciute e non sono aggiunte di nuovo.", flussi.Explain(err))
					}
					time.Sleep(10 * time.Second)
					store.fails = 0
					again, report, err := call(w, t.Context(), target)
					require.NoError(t, err)
					if test.found {
						assert.Equal(t, id, again)
					}
					assert.Equal(t, test.store.stores, !report.ImportedAt.IsZero())
					require.Len(t, w.flows(t), 1)
					assert.Equal(t, flow.Counts{Registered: 4}, w.flow(t, again).Counts)
				})
			}
		}
	}
}

// An import that was stored before is reported as such, also if the answer of the second is lost.
func TestRepeatedImportWhoseAnswerIsLostAddsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &losing{Store: memstore.New(), calls: 1}
		w := newWorld(t, worldConfig{store: store})
		f := w.prepared(t, 3)
		at := time.Now().UTC()
		time.Sleep(time.Hour)
		store.calls = 0
		report := w.add(t, f.ID, drafts(3)...)
		assert.Equal(t, flow.AddReport{ImportReport: flussi.ImportReport{Rows: 3}, ImportedAt: at}, report)
	})
}

// An error of the rows is returned itself, even if the store wraps it in an ErrCommitUnknown.
func TestRowErrorIsNotUncertain(t *testing.T) {
	cut := errors.New("the file ends in the middle")
	w := newWorld(t, worldConfig{store: wrapping{memstore.New()}})
	_, _, err := w.ImportFlow(t.Context(), operator, taxes, flow.Details{}, func(yield func(flow.Row, error) bool) {
		if yield(flow.Row{Draft: draft(1)}, nil) {
			yield(flow.Row{}, cut)
		}
	}, flow.AddConfig{})
	assert.ErrorIs(t, err, cut)
	assert.NotErrorIs(t, err, flussi.ErrCommitUnknown)
	assert.Empty(t, w.flows(t))
}

// wrapping is a store that makes every error of an import an uncertain one.
type wrapping struct{ flow.Store }

func (s wrapping) SaveImport(ctx context.Context, i flow.ImportRequest) (flow.ImportResult, bool, error) {
	done, before, err := s.Store.SaveImport(ctx, i)
	if err != nil {
		err = flussi.ErrCommitUnknown
	}
	return done, before, err
}
