package settlement_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// withTexts returns a row about a sospeso with a payer in each of its texts.
func withTexts(number, causale string, operation paymentfile.Operation, on paymentfile.Day) paymentfile.Movement {
	return paymentfile.Movement{Account: "1", Direction: paymentfile.Incoming, Document: paymentfile.DocumentIncomingSuspense, Operation: operation,
		DocumentNumber: number, Amount: 5000, Date: on, Causale: flussi.NewText(causale + " ORD ROSSI MARIO"),
		EndToEndID: flussi.NewText("ROSSI E2E"), BankData: flussi.NewText("IT60X0542811101000000123456 ROSSI"), IBAN: flussi.NewText("IT60X0542811101000000123456"), Payer: flussi.NewText("ROSSI MARIO")}
}

func (o *office) apply(journal string, rows ...paymentfile.Movement) {
	head := paymentfile.Journal{ID: journal, BankABI: "01234", Body: school, Year: 2026}
	must.Get(o.ApplyJournal(o.t.Context(), clerk, head, sequence(rows)))(o.t)
}

func TestAnonymiseErasesTextsAndKeepsTheRest(t *testing.T) {
	o := newOffice(t)
	r := o.iuv(1, 5000)
	o.settle(flowID, row(r, "A", 5000))
	o.apply("GDC", withTexts("7", uri(flowID), paymentfile.OperationExecuted, day(5)), withTexts("8", "CONTRIBUTO", paymentfile.OperationExecuted, day(9)))
	old, recent := o.movement("7"), o.movement("8")
	told := o.due.lines()

	assert.Equal(t, 1, must.Get(o.Anonymise(t.Context(), clerk, school, day(9).Time()))(t))
	assert.Equal(t, recent, o.movement("8"), "of that day")
	m := o.movement("7")
	assert.WithinDuration(t, time.Now(), m.AnonymisedAt, time.Minute)
	want := old
	want.Entries[0].Causale, want.Entries[0].EndToEndID, want.Entries[0].BankData = flussi.Text{}, flussi.Text{}, flussi.Text{}
	want.AnonymisedAt, want.UpdatedAt, want.Version = m.AnonymisedAt, m.UpdatedAt, old.Version+1
	assert.Equal(t, want, m)
	assert.Equal(t, settlement.SettlementCovered, o.stored(flowID).State)
	assert.Equal(t, told, o.due.lines())
	records := must.Get(o.MovementHistory(t.Context(), clerk, m.ID))(t)
	assert.Equal(t, settlement.ActionAnonymise, records[len(records)-1].Action)
	everything := must.Get(json.Marshal([]any{m, o.stored(flowID), o.payments(flowID), records}))(t)
	assert.NotContains(t, string(everything), "ROSSI")

	assert.Zero(t, must.Get(o.Anonymise(t.Context(), clerk, school, day(9).Time()))(t), "once")
	assert.Equal(t, m, o.movement("7"))
	assert.Equal(t, 1, must.Get(o.Anonymise(t.Context(), clerk, school, time.Now()))(t), "all of the body")
}

// The same journal again, another journal with the same row, and later rows.
func TestTextsOfAnonymisedMovementsDoNotComeBack(t *testing.T) {
	o := newOffice(t)
	o.settle(flowID, row(o.iuv(1, 5000), "A", 5000))
	executed := withTexts("7", uri(flowID), paymentfile.OperationExecuted, day(5))
	o.apply("GDC", executed)
	must.Get(o.Anonymise(t.Context(), clerk, school, time.Now()))(t)
	o.apply("GDC", executed)
	o.apply("A", executed)
	o.apply("B", withTexts("7", "ALTRO", paymentfile.OperationRegularised, day(8)))
	m := o.movement("7")
	assert.Equal(t, settlement.MovementMatched, m.State)
	assert.EqualValues(t, 5000, m.Regularised)
	assert.NotContains(t, string(must.Get(json.Marshal(m))(t)), "ROSSI")
	o.apply("C", withTexts("7", "STORNO", paymentfile.OperationReversed, day(9)))
	assert.Equal(t, settlement.SettlementOpen, o.stored(flowID).State)
}

// The row with the identifier may come after a row without it.
func TestAnonymisedMovementIsReadFromItsLaterRow(t *testing.T) {
	o := newOffice(t)
	o.settle(flowID, row(o.iuv(1, 5000), "A", 5000))
	o.apply("B", withTexts("7", "STORNO", paymentfile.OperationReversed, day(9)))
	must.Get(o.Anonymise(t.Context(), clerk, school, time.Now()))(t)
	o.apply("A", withTexts("7", uri(flowID), paymentfile.OperationExecuted, day(5)), withTexts("7", uri(flowID), paymentfile.OperationExecuted, day(5)))
	m := o.movement("7")
	assert.Equal(t, []string{flowID}, m.FlowIDs)
	assert.Equal(t, settlement.SettlementCovered, o.stored(flowID).State)
	assert.NotContains(t, string(must.Get(json.Marshal(m))(t)), "ROSSI")
}

func TestAnonymiseIsRefused(t *testing.T) {
	o := newOffice(t)
	o.apply("GDC", withTexts("7", uri(flowID), paymentfile.OperationExecuted, day(5)))
	for _, when := range []time.Time{{}, time.Now().Add(time.Hour)} {
		_, err := o.Anonymise(t.Context(), clerk, school, when)
		require.ErrorIs(t, err, flussi.ErrRange)
		assert.NotEmpty(t, flussi.Explain(err))
	}
	_, err := o.Anonymise(t.Context(), flussi.Actor{ID: "a.neri"}, school, time.Now())
	require.ErrorIs(t, err, flussi.ErrForbidden)
	assert.True(t, o.movement("7").AnonymisedAt.IsZero())
}

// The matches are the same as without anonymising, whenever texts are erased among files.
func TestAnonymiseChangesNoMatch(t *testing.T) {
	withoutTexts := func(s state) state {
		for i := range s.movements {
			m := &s.movements[i]
			m.AnonymisedAt, m.UpdatedBy = time.Time{}, ""
			for j := range m.Entries {
				e := &m.Entries[j]
				e.Causale, e.EndToEndID, e.BankData = flussi.Text{}, flussi.Text{}, flussi.Text{}
			}
		}
		return s
	}
	for seed := range uint64(60) {
		w := newWorld(seed)
		want, told, _ := w.apply(t, rand.New(rand.NewPCG(seed, 0)))
		want = withoutTexts(want)
		office := newOffice(t)
		office.due.due = w.due
		order := rand.New(rand.NewPCG(seed, 3))
		files := append(w.files, w.files...)
		order.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
		for _, apply := range files {
			apply(t, office.Service)
			if order.IntN(2) == 0 {
				must.Get(office.Anonymise(t.Context(), clerk, school, day(order.IntN(30)).Time()))(t)
			}
		}
		for _, body := range []flussi.OrganizationCode{school, town} {
			must.Get(office.Anonymise(t.Context(), clerk, body, time.Now()))(t)
		}
		got := read(t, office.store)
		for _, m := range got.movements {
			assert.False(t, m.AnonymisedAt.IsZero())
			assert.False(t, strings.Contains(string(must.Get(json.Marshal(m.Entries))(t)), "PUR"))
		}
		require.Equal(t, want, withoutTexts(got), "seed %d", seed)
		require.Equal(t, told.lines(), office.due.lines(), "seed %d", seed)
	}
}

// For a row without a day, the time at which the movement was stored counts.
func TestAnonymiseSparesRowsWithoutDay(t *testing.T) {
	o := newOffice(t)
	before := time.Now().Add(-time.Second)
	o.apply("GDC", withTexts("7", uri(flowID), paymentfile.OperationExecuted, paymentfile.Day{}))
	assert.Zero(t, must.Get(o.Anonymise(t.Context(), clerk, school, before))(t))
	assert.Equal(t, 1, must.Get(o.Anonymise(t.Context(), clerk, school, time.Now()))(t))
}
