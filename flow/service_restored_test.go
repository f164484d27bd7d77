package flow_test

import (
	"context"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/must"
)

// restorable is a store that refuses to send until it accepts that it was restored.
type restorable struct {
	*memstore.Store
	accepted int
	refuses  error
	saves    func(flow.FlowChange) error // instead of SaveFlow, if it returns an error
}

func (s *restorable) Self() flow.Store { return s }

func (s *restorable) AcceptRestored(context.Context) error {
	if s.refuses == nil {
		s.accepted++
	}
	return s.refuses
}

func (s *restorable) SaveFlow(ctx context.Context, c flow.FlowChange, rows iter.Seq2[flow.NotificationChange, error]) error {
	if s.saves != nil {
		if err := s.saves(c); err != nil {
			return err
		}
	}
	return s.Store.SaveFlow(ctx, c, rows)
}

// restoredWorld is a world on a store that was restored an hour after its copy.
func restoredWorld(t *testing.T) (w *world, store *restorable, copied time.Time) {
	store = &restorable{Store: memstore.New()}
	w = newWorld(t, worldConfig{store: store})
	copied = time.Now()
	return w, store, copied
}

const restoredText = "L'archivio è stato ripristinato da una copia del 01/01/2000: i messaggi da inviare possono essere già partiti. " +
	"Se non sono partiti: «Riabilita», poi «Invia Flusso». Altrimenti lasciare il flusso disabilitato."

func TestDeclareRestoredDisablesFlowsWithSomethingToSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, store, copied := restoredWorld(t)
		s := sceneOf(t, w) // inactive, active, disabled, and incomplete with one Registrato
		sending := w.sending(t, 2)
		claimed := w.sending(t, 1)
		_, _, err := store.Claim(t.Context(), flow.Claim{Flow: claimed.ID, Limit: 10, Lease: time.Minute, At: time.Now(), By: "d1"})
		require.NoError(t, err)
		sent := w.sending(t, 3)
		w.dispatch(t, sent.ID)
		empty := w.prepared(t, 0)
		untouched := map[uuid.UUID]flow.Flow{s.disabled.ID: {}, sent.ID: {}, empty.ID: {}}
		for id := range untouched {
			untouched[id] = w.flow(t, id)
		}

		report := must.Get(w.DeclareRestored(t.Context(), operator, copied))(t)
		var want []flow.RestoredFlow
		for _, f := range []flow.Flow{s.inactive, s.active, s.incomplete, sending, claimed} {
			now := w.flow(t, f.ID)
			assert.True(t, now.Disabled, f.State)
			assert.Equal(t, f.State, now.State)
			assert.Positive(t, now.Counts.Pending())
			want = append(want, flow.RestoredFlow{ID: f.ID, Service: taxes, Counts: now.Counts})
			history := must.Get(store.FlowHistory(t.Context(), f.ID))(t)
			last := history[len(history)-1]
			assert.Equal(t, flow.FlowDisable, last.Action)
			assert.Equal(t, operator.ID, last.By)
			assert.Equal(t, restoredText, last.Reason.Reveal())
		}
		assert.Equal(t, flow.RestoredReport{CopiedAt: copied, Flows: want}, report)
		for id, before := range untouched {
			assert.Equal(t, before, w.flow(t, id))
		}
		assert.Equal(t, 1, store.accepted)

		// The operator decides about one: it is enabled, and sent.
		must.Get(w.EnableFlow(t.Context(), operator, s.active.ID))(t)
		must.Get(w.SendFlow(t.Context(), operator, s.active.ID))(t)
		assert.Equal(t, flow.FlowSent, w.dispatch(t, s.active.ID).State)
	})
}

func TestDeclareRestoredRefusesFlowsOfOtherServicesAsAWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, store, copied := restoredWorld(t)
		w.sending(t, 2)
		foreign := must.Get(w.CreateFlow(t.Context(), stranger, school, flow.Details{}))(t)
		must.Get(w.AddNotifications(t.Context(), stranger, foreign.ID, flow.DraftRows(drafts(1)...), flow.AddConfig{}))(t)
		before := everythingIn(t, store)
		for _, by := range []flussi.Actor{operator, stranger} {
			report, err := w.DeclareRestored(t.Context(), by, copied)
			require.ErrorIs(t, err, flussi.ErrForbidden)
			assert.Empty(t, report)
			assert.Equal(t, before, everythingIn(t, store))
		}
		both := must.Get(flow.NewService(store, flow.Permissions{operator.ID: {school, taxes}}, w.senders, flow.ServiceConfig{}))(t)
		assert.Len(t, must.Get(both.DeclareRestored(t.Context(), operator, copied))(t).Flows, 2)
		report := must.Get(w.DeclareRestored(t.Context(), operator, copied))(t)
		assert.Len(t, report.Flows, 1, "who is enabled for one service sees the flows of it")
	})
}

func TestDeclareRestoredNeedsAnOperator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, store, copied := restoredWorld(t)
		_, err := w.DeclareRestored(t.Context(), flussi.Actor{ID: operator.ID}, copied)
		assert.ErrorIs(t, err, fsm.ErrRole, "although there is no flow")
		_, err = w.DeclareRestored(t.Context(), flussi.Actor{ID: "nessuno", Roles: operator.Roles}, copied)
		assert.ErrorIs(t, err, flussi.ErrForbidden, "although there is no flow")
		assert.Zero(t, store.accepted)
		assert.Empty(t, must.Get(w.DeclareRestored(t.Context(), operator, copied))(t).Flows)
		assert.Equal(t, 1, store.accepted)
	})
}

func TestDeclareRestoredRefusesTimesThatAreNotPast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, store, _ := restoredWorld(t)
		f := w.sending(t, 1)
		for _, copied := range []time.Time{{}, time.Now().Add(time.Second)} {
			_, err := w.DeclareRestored(t.Context(), operator, copied)
			require.ErrorIs(t, err, flussi.ErrRange)
			assert.Equal(t, "Indicare quando è stata fatta la copia: la data deve essere nel passato.", flussi.Explain(err))
		}
		assert.Equal(t, f, w.flow(t, f.ID))
		assert.Zero(t, store.accepted)
	})
}

func TestDeclareRestoredContinuesAfterAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, store, copied := restoredWorld(t)
		flows := []flow.Flow{w.sending(t, 1), w.sending(t, 2), w.sending(t, 3)}
		must.Get(w.DisableFlow(t.Context(), operator, w.sending(t, 4).ID))(t) // by hand: not of the report
		store.saves = func(c flow.FlowChange) error {
			if c.Flow.ID == flows[1].ID {
				return errStore
			}
			return nil
		}
		_, err := w.DeclareRestored(t.Context(), operator, copied)
		require.ErrorIs(t, err, errStore)
		assert.Equal(t, flows[1].ID, must.As[*flussi.Error](t, err).ID)
		assert.True(t, w.flow(t, flows[0].ID).Disabled)
		assert.False(t, w.flow(t, flows[2].ID).Disabled)
		assert.Zero(t, store.accepted, "not before all are disabled")

		store.saves, store.refuses = nil, errStore
		_, err = w.DeclareRestored(t.Context(), operator, copied)
		require.ErrorIs(t, err, errStore)
		store.refuses = nil
		for range 2 {
			report := must.Get(w.DeclareRestored(t.Context(), operator, copied))(t)
			require.Len(t, report.Flows, 3)
			for i, f := range flows {
				assert.Equal(t, flow.RestoredFlow{ID: f.ID, Service: taxes, Counts: flow.Counts{Registered: i + 1}}, report.Flows[i])
				assert.Len(t, must.Get(store.FlowHistory(t.Context(), f.ID))(t), len(must.Get(store.FlowHistory(t.Context(), flows[0].ID))(t)))
			}
		}
	})
}

func TestDeclareRestoredRetriesAfterConflicts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, store, copied := restoredWorld(t)
		f := w.prepared(t, 1)
		conflicts := 0
		store.saves = func(flow.FlowChange) error {
			if conflicts++; conflicts < 3 {
				return flussi.ErrConflict
			}
			return nil
		}
		must.Get(w.DeclareRestored(t.Context(), operator, copied))(t)
		assert.Equal(t, 3, conflicts)
		assert.True(t, w.flow(t, f.ID).Disabled)
	})
}

func TestDeclareRestoredPassesOverFlowsThatAnotherUserDisables(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, store, copied := restoredWorld(t)
		f := w.prepared(t, 1)
		store.saves = func(flow.FlowChange) error {
			store.saves = nil
			must.Get(w.DisableFlow(t.Context(), operator, f.ID))(t)
			return flussi.ErrConflict
		}
		must.Get(w.DeclareRestored(t.Context(), operator, copied))(t)
		history := must.Get(store.FlowHistory(t.Context(), f.ID))(t)
		assert.Equal(t, flow.FlowDisable, history[len(history)-1].Action)
		assert.Empty(t, history[len(history)-1].Reason.Reveal())
		assert.Equal(t, 1, store.accepted)
	})
}

func TestDeclareRestoredAcceptsOnlyByTheStoresOwnMethod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, store, copied := restoredWorld(t)
		w := newWorld(t, worldConfig{store: struct{ *restorable }{store}})
		must.Get(w.DeclareRestored(t.Context(), operator, copied))(t)
		assert.Zero(t, store.accepted)
		w = newWorld(t) // a store that is not restorable
		must.Get(w.DeclareRestored(t.Context(), operator, copied))(t)
	})
}

func TestRestoredReportsAreInWholeSentences(t *testing.T) {
	copied := time.Date(2026, 11, 28, 22, 0, 0, 0, time.UTC)
	of := func(pending ...int) (r flow.RestoredReport) {
		r.CopiedAt = copied
		for _, n := range pending {
			r.Flows = append(r.Flows, flow.RestoredFlow{Counts: flow.Counts{Registered: n - n/2, Sending: n / 2, Sent: 5}})
		}
		return r
	}
	const rest = " i messaggi possono essere già partiti dopo la copia. Decidere per ogni flusso intero. Se i suoi messaggi non sono partiti: «Riabilita», poi «Invia Flusso». Altrimenti lasciarlo disabilitato."
	for want, r := range map[string]flow.RestoredReport{
		"Nessun flusso abilitato aveva notifiche da inviare: non c'è niente da decidere.": of(),
		"1 flusso, con 1 notifica da inviare, è disabilitato:" + rest:                     of(1),
		"1 flusso, con 2 notifiche da inviare, è disabilitato:" + rest:                    of(2),
		"2 flussi, con 1.234 notifiche da inviare, sono disabilitati:" + rest:             of(1000, 234),
	} {
		assert.Equal(t, "L'archivio è stato ripristinato da una copia del 28/11/2026. "+want, r.Italian())
	}
}
