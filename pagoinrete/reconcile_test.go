package pagoinrete_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

// payments are rows as a sequence.
func payments(rows ...pagoinrete.PaymentRow) iter.Seq2[pagoinrete.PaymentRow, error] {
	return func(yield func(pagoinrete.PaymentRow, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// payment is the row that settles a notice.
func payment(n pagoinrete.Notice, reference string) pagoinrete.PaymentRow {
	return pagoinrete.PaymentRow{IUV: n.IUV(), Amount: n.Due(), Reference: reference, Date: day(11, 5)}
}

func TestASettlementConfirmsWhatWasPaid(t *testing.T) {
	w := newWorld(t)
	all := w.notices(t, w.notified(t, 4).ID) // of 4 pupils, 2 instalments each
	for _, n := range all[:2] {
		require.True(t, w.platform.Pay(n.ID, n.Due()))
		do(t, assistant, w.VerifyNotice, n.ID)
	}
	proof := pagoinrete.Proof{Reference: "Bollettino 7", Amount: all[3].Due(), Date: day(10, 1)}
	do2(t, assistant, w.PayNoticeManually, all[3].ID, proof)
	do2(t, assistant, w.CancelNotice, all[4].ID, flussi.NewText("Ritirato."))
	unknown := must.Get(flussi.ParseIUV("12345678901234567"))(t)

	short := payment(all[5], "FR-1")
	short.Amount--
	reversed := payment(all[6], "FR-1")
	reversed.Outcome = pagoinrete.PaymentReversed
	rows := []pagoinrete.PaymentRow{
		payment(all[0], "FR-1"),
		payment(all[2], "FR-1"), // nobody has heard of this payment yet
		{IUV: unknown, Amount: 1_000, Reference: "FR-1", Date: day(11, 5)},
		payment(all[3], "FR-1"),
		payment(all[4], "FR-1"),
		short, reversed,
		payment(all[0], "FR-2"),                                          // once more
		{IUV: all[7].IUV(), Amount: 5_000, Reference: "FR-1"},            // without a date
		{Amount: 700, Reference: "FR-1", Date: day(11, 5)},               // without an IUV
		{IUV: all[7].IUV(), Amount: -1, Reference: "", Date: day(11, 5)}, // nonsense
	}
	report := w.settle(t, rows...)
	assert.Equal(t, []int{11, 2, 0, 9}, []int{report.Rows, report.Matched, report.Known, report.Unmatched})
	assert.Equal(t, report.Amount, report.MatchedAmount+report.KnownAmount+report.UnmatchedAmount)
	assert.Equal(t, all[0].Due()+all[2].Due(), report.MatchedAmount)
	for i, want := range []struct {
		row  int
		err  error
		says string
	}{
		{3, flussi.ErrNotFound, "Riga 3: Nessun avviso della scuola ha questo IUV: verificare a chi è destinato il pagamento."},
		{4, pagoinrete.ErrPaidTwice, "Riga 4: L'avviso risulta già pagato al di fuori di Pago In Rete: verificare con la banca o con il PSP e, se è stato pagato due volte, disporre il rimborso."},
		{5, pagoinrete.ErrNotPayable, "Riga 5: L'avviso è nello stato «Annullato»: verificare il pagamento."},
		{6, pagoinrete.ErrAmount, "Riga 6: L'importo è 49,99 €, quello dovuto è 50,00 €: verificare con la banca o con il PSP, poi riscontrare la riga a mano o archiviare la discrepanza."},
		{7, pagoinrete.ErrReversed, "Riga 7: Il pagamento è stato revocato: verificare con la banca o con il PSP."},
		{8, pagoinrete.ErrPaidTwice, "Riga 8: L'avviso risulta già pagato con un altro riferimento: verificare con la banca o con il PSP e, se è stato pagato due volte, disporre il rimborso."},
		{9, flussi.ErrEmpty, "Riga 9: Manca la data."},
		{10, flussi.ErrNotFound, "Riga 10: Nessun avviso della scuola ha questo IUV: verificare a chi è destinato il pagamento."},
		{11, flussi.ErrRange, "Riga 11: Manca il riferimento. L'importo della riga non è valido."},
	} {
		got := report.Mismatches[i]
		assert.Equal(t, want.row, got.Row.Number)
		assert.ErrorIs(t, got, want.err)
		assert.Equal(t, want.says, got.Italian())
	}
	after := w.notices(t, all[0].EventID)
	for i, want := range []pagoinrete.NoticeState{
		pagoinrete.NoticeConfirmed, pagoinrete.NoticePaidOnline, pagoinrete.NoticeConfirmed, pagoinrete.NoticePaidManually,
		pagoinrete.NoticeCancelled, pagoinrete.NoticeNotified, pagoinrete.NoticeNotified, pagoinrete.NoticeNotified,
	} {
		assert.Equal(t, want, after[i].State, "notice %d", i)
	}
	for i, want := range []pagoinrete.DiscrepancyKind{pagoinrete.DiscrepancyPaidTwice, "", "", pagoinrete.DiscrepancyPaidTwice, pagoinrete.DiscrepancyPaid, pagoinrete.DiscrepancyAmount, "", ""} {
		assert.Equal(t, want, after[i].Discrepancy.Kind, "notice %d", i)
	}
	assert.Equal(t, pagoinrete.Proof{Reference: "FR-1", Amount: all[0].Due(), Date: day(11, 5)}, after[0].Evidence.Settlement)
	assert.Equal(t, "Riferimento FR-1, con i passi intermedi «RPT inviata» e «RT ricevuta».", last(do(t, assistant, w.NoticeHistory, all[2].ID)).Reason.Reveal())

	again := w.settle(t, rows...)
	assert.Equal(t, []int{11, 0, 2, 9}, []int{again.Rows, again.Matched, again.Known, again.Unmatched}, "what was applied is known")
	assert.Equal(t, after, w.notices(t, all[0].EventID), "and nothing changes")

	// A payment that was confirmed, and is taken back.
	taken := payment(all[2], "FR-3")
	taken.Outcome = pagoinrete.PaymentReversed
	assert.ErrorIs(t, w.settle(t, taken).Mismatches[0], pagoinrete.ErrReversed)
	n := do(t, assistant, w.Notice, all[2].ID)
	assert.Equal(t, pagoinrete.NoticeConfirmed, n.State, "what comes of it, a person decides")
	assert.Equal(t, "Il pagamento risulta revocato: verificare con la banca o con il PSP, poi archiviare la discrepanza.", n.Discrepancy.Italian())
	must.Get(w.ResolveNoticeDiscrepancy(t.Context(), assistant, n.ID, n.Version, flussi.NewText("La famiglia paga di nuovo.")))(t)

	// By hand: the amount that differs, and the payment with an IUV of nobody.
	n = do2(t, assistant, w.MatchSettlement, all[5].ID, short)
	assert.Equal(t, pagoinrete.NoticeConfirmed, n.State)
	assert.Equal(t, pagoinrete.Proof{Reference: "FR-1", Amount: 4_999, Date: day(11, 5), By: "a.bianchi"}, n.Evidence.Settlement)
	assert.False(t, n.Discrepancy.Open())
	// Pago In Rete hears of the payment later, of exactly what is due.
	n, err := w.VerifyNotice(t.Context(), assistant, all[2].ID)
	require.NoError(t, err, "what was collected was paid, whether Pago In Rete knows it yet or not")
	assert.Equal(t, pagoinrete.NoticeConfirmed, n.State)
}

// Each of pagoPA's codes of a payment in a settlement pays the notice, reverses it, or is unknown.
func TestEveryCodeOfASettlement(t *testing.T) {
	for code := pagoinrete.PaymentOutcome(-1); code <= 10; code++ {
		for _, negative := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d, negative: %t", code, negative), func(t *testing.T) {
				w := newWorld(t)
				all := w.notices(t, w.notified(t, 1).ID)
				w.settle(t, payment(all[1], "FR-0"))
				all = w.notices(t, all[0].EventID) // the first is to be paid, the second is paid
				rows := []pagoinrete.PaymentRow{payment(all[0], "FR-1"), payment(all[1], "FR-1")}
				for i := range rows {
					if rows[i].Outcome = code; negative {
						rows[i].Amount = -rows[i].Amount
					}
				}
				report := w.settle(t, rows...)
				require.Equal(t, rows[0].Amount+rows[1].Amount, report.Amount)
				after := w.notices(t, all[0].EventID)
				n, byHand := w.MatchSettlement(t.Context(), assistant, all[0].ID, rows[0])
				switch paid := []pagoinrete.PaymentOutcome{0, 4, 8, 9}; {
				case slices.Contains(paid, code) && !negative:
					require.Len(t, report.Mismatches, 1)
					assert.ErrorIs(t, report.Mismatches[0], pagoinrete.ErrPaidTwice)
					assert.Equal(t, pagoinrete.NoticeConfirmed, after[0].State)
					assert.Equal(t, "FR-1", after[0].Evidence.Settlement.Reference)
					assert.Equal(t, pagoinrete.DiscrepancyPaidTwice, after[1].Discrepancy.Kind)
					assert.NoError(t, byHand)
					assert.Equal(t, pagoinrete.NoticeConfirmed, n.State)
					return
				case slices.Contains(paid, code):
					for _, m := range report.Mismatches {
						assert.ErrorIs(t, m, flussi.ErrRange)
						assert.Contains(t, m.Italian(), "L'importo della riga non è valido.")
					}
					assert.ErrorIs(t, byHand, flussi.ErrRange)
					assert.Equal(t, all, after)
				case code == pagoinrete.PaymentReversed: // the amount is negative in the specification, and positive in the schema
					for _, m := range report.Mismatches {
						assert.ErrorIs(t, m, pagoinrete.ErrReversed)
						assert.Contains(t, m.Italian(), "Il pagamento è stato revocato: verificare con la banca o con il PSP.")
					}
					assert.ErrorIs(t, byHand, pagoinrete.ErrReversed)
					assert.Equal(t, all[0], after[0])
					assert.Equal(t, pagoinrete.NoticeConfirmed, after[1].State)
					assert.Equal(t, pagoinrete.DiscrepancyReversed, after[1].Discrepancy.Kind)
					assert.Equal(t, all[1].Due(), after[1].Discrepancy.Amount)
				default:
					for _, m := range report.Mismatches {
						assert.ErrorIs(t, m, pagoinrete.ErrUnknownPaymentOutcome)
						assert.NotErrorIs(t, m, pagoinrete.ErrReversed)
						assert.NotEqual(t, uuid.Nil, m.NoticeID)
						assert.Contains(t, m.Italian(), fmt.Sprintf("Il codice di esito %d non è previsto: verificare il pagamento con la banca o con il PSP.", code))
					}
					assert.ErrorIs(t, byHand, pagoinrete.ErrUnknownPaymentOutcome)
					assert.Equal(t, all, after, "no notice is changed")
				}
				assert.Len(t, report.Mismatches, 2)
				_, byHand = w.MatchMovement(t.Context(), assistant, all[0].ID, rows[0])
				assert.Error(t, byHand)
				assert.Equal(t, after, w.notices(t, all[0].EventID), "no notice is changed by hand")
			})
		}
	}
}

// twins are two notices of one event with the same number.
func (w *world) twins(t *testing.T) []pagoinrete.Notice {
	t.Helper()
	all := w.notices(t, w.notified(t, 1).ID)
	all[1].Number = all[0].Number
	require.NoError(t, w.store.SaveNotices(t.Context(), pagoinrete.NoticeChange{Notice: all[1]}))
	return w.notices(t, all[0].EventID)
}

// An unknown code is reported before any other fault of the row.
func TestUnknownOutcomeCodeIsReportedFirst(t *testing.T) {
	w := newWorld(t)
	all := w.twins(t)
	nobody := must.Get(flussi.ParseIUV("12345678901234567"))(t)
	of := func(iuv flussi.IUV) pagoinrete.PaymentRow {
		return pagoinrete.PaymentRow{IUV: iuv, Amount: 1_000, Outcome: 7, Reference: "FR-1", Date: day(11, 5)}
	}
	report := w.settle(t, of(all[0].IUV()), of(nobody), of(flussi.IUV{}), pagoinrete.PaymentRow{Outcome: 7})
	require.Len(t, report.Mismatches, 4)
	for _, m := range report.Mismatches {
		assert.ErrorIs(t, m, pagoinrete.ErrUnknownPaymentOutcome)
		assert.Equal(t, uuid.Nil, m.NoticeID)
	}
	assert.Equal(t, all, w.notices(t, all[0].EventID))
}

// A reversal is reported as news once, also if it comes again with the other sign.
func TestReversalIsReportedOnceForEitherSign(t *testing.T) {
	w := newWorld(t)
	n := w.notifiedNotice(t)
	positive := payment(n, "FR-2")
	positive.Outcome = pagoinrete.PaymentReversed
	negative := positive
	negative.Amount = -negative.Amount
	w.settle(t, payment(n, "FR-1"), negative)
	n = do(t, assistant, w.Notice, n.ID)
	n = must.Get(w.ResolveNoticeDiscrepancy(t.Context(), assistant, n.ID, n.Version, flussi.NewText("La famiglia paga di nuovo.")))(t)
	w.settle(t, positive, negative)
	assert.Equal(t, n, w.notices(t, n.EventID)[0])
	for _, amount := range []flussi.Cents{0, math.MinInt64, math.MaxInt64, -flussi.MaxPayable - 1} {
		negative.Amount = amount
		assert.ErrorIs(t, must.Err(w.MatchSettlement(t.Context(), assistant, n.ID, negative)), flussi.ErrRange)
	}
}

func TestTheJournalReconcilesPayments(t *testing.T) {
	w := newWorld(t)
	all := w.notices(t, w.notified(t, 2).ID)
	w.settle(t, payment(all[0], "FR-1"))
	report := do2(t, assistant, w.ApplyJournal, school, payments(payment(all[0], "Provvisorio 12"), payment(all[1], "Provvisorio 13")))
	assert.Equal(t, 2, report.Matched)
	for i := range 2 {
		n := do(t, assistant, w.Notice, all[i].ID)
		assert.Equal(t, "Pagamento riscontrato automaticamente", n.State.Label())
		assert.Equal(t, fmt.Sprintf("Provvisorio %d", 12+i), n.Evidence.Movement.Reference)
	}
	// A settlement that comes after the journal is noted, and changes no state.
	w.settle(t, payment(all[1], "FR-2"))
	n := do(t, assistant, w.Notice, all[1].ID)
	assert.Equal(t, pagoinrete.NoticeReconciled, n.State)
	assert.Equal(t, "FR-2", n.Evidence.Settlement.Reference)

	// «pagato al di fuori del sistema Pago In Rete e per il quale la scuola ha effettuato la
	// riconciliazione manuale»
	n = do2(t, assistant, w.MatchMovement, all[2].ID, payment(all[2], "Provvisorio 14"))
	assert.Equal(t, "Pagamento riscontrato manualmente", n.State.Label())
	assert.Equal(t, "a.bianchi", n.Evidence.Movement.By)
	assert.Equal(t, "Provvisorio 14", n.Evidence.Manual.Reference)
	there, _ := w.platform.Notice(n.ID)
	assert.EqualValues(t, "PAGATO_MANUALMENTE", there.State)
	wrong := payment(all[3], "Provvisorio 15")
	wrong.Amount++
	assert.ErrorIs(t, must.Err(w.MatchMovement(t.Context(), assistant, all[3].ID, wrong)), pagoinrete.ErrAmount)

	// Refunded by an order.
	order := pagoinrete.Proof{Reference: "Mandato 3", Amount: n.Due(), Date: day(12, 1)}
	assert.ErrorIs(t, must.Err(w.RefundNotice(t.Context(), assistant, n.ID, pagoinrete.Proof{Reference: "Mandato 3", Amount: 1, Date: day(12, 1)})), pagoinrete.ErrAmount)
	n = do2(t, assistant, w.RefundNotice, n.ID, order)
	assert.Equal(t, "Rimborsato", n.State.Label())
	report = do2(t, assistant, w.ApplyJournal, school, payments(payment(n, "Provvisorio 99")))
	assert.ErrorIs(t, report.Mismatches[0], pagoinrete.ErrPaidTwice)
}

func TestWhoMayReconcile(t *testing.T) {
	w := newWorld(t)
	n := w.notifiedNotice(t)
	for _, by := range []flussi.Actor{principal, {ID: assistant.ID}, {ID: assistant.ID, Roles: []flussi.Role{flussi.Operator}}} {
		refused(t, must.Err(w.ApplySettlement(t.Context(), by, school, payments(payment(n, "FR-1")))), fsm.ErrRole, "La riconciliazione è riservata ai ruoli «DSGA» e «A.A.».")
		assert.ErrorIs(t, must.Err(w.ApplyJournal(t.Context(), by, school, payments(payment(n, "FR-1")))), fsm.ErrRole)
		assert.ErrorIs(t, must.Err(w.MatchSettlement(t.Context(), by, n.ID, payment(n, "FR-1"))), fsm.ErrRole)
	}
	assert.ErrorIs(t, must.Err(w.ApplySettlement(t.Context(), assistant, otherSchool, payments(payment(n, "FR-1")))), flussi.ErrForbidden)
	report := do2(t, system, w.ApplySettlement, otherSchool, payments(payment(n, "FR-1")))
	assert.ErrorIs(t, report.Mismatches[0], flussi.ErrNotFound, "another school's")

	cut := errors.New("cut off")
	report, err := w.ApplySettlement(t.Context(), assistant, school, func(yield func(pagoinrete.PaymentRow, error) bool) {
		_ = yield(payment(n, "FR-1"), nil) && yield(pagoinrete.PaymentRow{}, cut)
	})
	assert.ErrorIs(t, err, cut)
	assert.Zero(t, report.Rows, "nothing of the last page is stored")
}

// Whatever rows come, in whatever order and however often: every cent of a file is counted once,
// every notice is paid by one row of each kind at most, and that row's amount is what is due.
func TestReconciliationCountsEveryCentOnce(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	defer func() { t.Logf("seed %d", seed) }()
	for range 15 {
		w := newWorld(t)
		all := w.notices(t, w.notified(t, 1+random.IntN(40)).ID)
		rows := func(n int) []pagoinrete.PaymentRow {
			rows := make([]pagoinrete.PaymentRow, n)
			for i := range rows {
				rows[i] = payment(all[random.IntN(len(all))], fmt.Sprintf("R-%d", random.IntN(3)))
				switch random.IntN(8) {
				case 0:
					rows[i].Amount += flussi.Cents(random.IntN(3) - 1)
				case 1:
					rows[i].IUV, _ = flussi.ParseIUV(fmt.Sprintf("%017d", random.IntN(1000)))
				case 2:
					rows[i].Outcome = pagoinrete.PaymentOutcome(random.IntN(10))
				case 3:
					rows[i].Outcome, rows[i].Amount = pagoinrete.PaymentReversed, -rows[i].Amount
				}
			}
			return rows
		}
		confirmed, reconciled := flussi.Cents(0), flussi.Cents(0)
		for range 4 {
			file := rows(random.IntN(1500))
			var sum flussi.Cents
			for _, row := range file {
				sum += row.Amount
			}
			apply, total := w.ApplySettlement, &confirmed
			if random.IntN(2) == 0 {
				apply, total = w.ApplyJournal, &reconciled
			}
			report := must.Get(apply(t.Context(), assistant, school, payments(file...)))(t)
			require.Equal(t, len(file), report.Rows)
			require.Equal(t, report.Rows, report.Matched+report.Known+report.Unmatched)
			require.Equal(t, sum, report.Amount)
			require.Equal(t, sum, report.MatchedAmount+report.KnownAmount+report.UnmatchedAmount)
			require.Len(t, report.Mismatches, min(report.Unmatched, 1000))
			*total += report.MatchedAmount
		}
		var settled, moved flussi.Cents
		for _, n := range w.notices(t, all[0].EventID) {
			settled += n.Evidence.Settlement.Amount
			moved += n.Evidence.Movement.Amount
			for _, proof := range []pagoinrete.Proof{n.Evidence.Settlement, n.Evidence.Movement} {
				require.True(t, proof.IsZero() || proof.Amount == n.Due())
			}
			require.Equal(t, !n.Evidence.Movement.IsZero(), n.State == pagoinrete.NoticeReconciled)
			require.True(t, pagoinrete.Coupled(pagoinrete.EventNotified, n.State))
		}
		require.Equal(t, confirmed, settled)
		require.Equal(t, reconciled, moved)
	}
}

// Pago In Rete may tell that a payment was found, and not where: the proof comes later.
func TestProofMayComeAfterItsState(t *testing.T) {
	for _, there := range []restgatewaytest.NoticeState{restgatewaytest.NoticeConfirmed, restgatewaytest.NoticeReconciled} {
		w := newWorld(t)
		n := w.notifiedNotice(t)
		require.True(t, w.platform.SetNoticeState(n.ID, there))
		before := do(t, assistant, w.VerifyNotice, n.ID)
		apply := w.ApplySettlement
		if there == restgatewaytest.NoticeReconciled {
			apply = w.ApplyJournal
		}
		report := must.Get(apply(t.Context(), assistant, school, payments(payment(n, "R-1"), payment(n, "R-1"))))(t)
		assert.Equal(t, []int{1, 1, 0}, []int{report.Matched, report.Known, report.Unmatched})
		n = do(t, assistant, w.Notice, n.ID)
		assert.Equal(t, before.State, n.State)
		assert.Contains(t, []string{n.Evidence.Settlement.Reference, n.Evidence.Movement.Reference}, "R-1")
	}
}

func TestSettlementWithoutRowsMatchesNothing(t *testing.T) {
	w := newWorld(t)
	assert.Zero(t, do2(t, assistant, w.ApplySettlement, school, nil))
}

func TestReversedOrUndatedPaymentIsNotMatchedByHand(t *testing.T) {
	w := newWorld(t)
	n := w.notifiedNotice(t)
	reversed, timeless := payment(n, "P-1"), payment(n, "P-1")
	reversed.Outcome = pagoinrete.PaymentReversed
	timeless.Date = timeless.Date.AddDate(18_000, 0, 0) // 20026, as somebody types it
	for _, match := range []func(context.Context, flussi.Actor, uuid.UUID, pagoinrete.PaymentRow) (pagoinrete.Notice, error){w.MatchMovement, w.MatchSettlement} {
		_, err := match(t.Context(), assistant, n.ID, reversed)
		assert.ErrorIs(t, err, pagoinrete.ErrReversed)
		assert.Equal(t, "Il pagamento è stato revocato: verificare con la banca o con il PSP.", flussi.Explain(err))
		_, err = match(t.Context(), assistant, n.ID, timeless)
		assert.ErrorIs(t, err, flussi.ErrDate)
		assert.Equal(t, "La data non è valida: verificare l'anno.", flussi.Explain(err))
	}
	_, err := w.PayNoticeManually(t.Context(), assistant, n.ID, pagoinrete.Proof{Reference: "B-1", Amount: n.Due(), Date: timeless.Date})
	assert.Equal(t, "La data della prova di pagamento non è valida: verificare l'anno.", flussi.Explain(err))
	assert.Equal(t, n, w.notices(t, n.EventID)[0])
}

// Nobody knows whose payment it is, so a person says it.
func TestIUVOfTwoNoticesMatchesNeither(t *testing.T) {
	w := newWorld(t)
	all := w.twins(t)
	row := payment(all[0], "FR-1")
	report := w.settle(t, row)
	require.Equal(t, []int{0, 1}, []int{report.Matched, report.Unmatched})
	assert.ErrorIs(t, report.Mismatches[0], pagoinrete.ErrDiscrepancy)
	assert.Equal(t, "Riga 1: Più avvisi della scuola hanno questo IUV: abbinare il pagamento a mano.", report.Mismatches[0].Italian())
	assert.Equal(t, pagoinrete.NoticeConfirmed, do2(t, assistant, w.MatchSettlement, all[0].ID, row).State)
}

// Whoever matches a row by hand looked at its amount, and at nothing else.
func TestMatchByHandResolvesNoOtherDiscrepancy(t *testing.T) {
	w := newWorld(t)
	n := w.notifiedNotice(t)
	do2(t, assistant, w.ApplyJournal, school, payments(payment(n, "P-1"), payment(n, "P-2")))
	short := payment(n, "FR-1")
	short.Amount--
	n = do2(t, assistant, w.MatchSettlement, n.ID, short)
	assert.Equal(t, short.Amount, n.Evidence.Settlement.Amount)
	assert.Equal(t, pagoinrete.DiscrepancyPaidTwice, n.Discrepancy.Kind)
	assert.True(t, n.Discrepancy.Open())
}

func TestRowsOfOneNoticeMakeOneRecord(t *testing.T) {
	w := newWorld(t)
	n := w.notifiedNotice(t)
	short := payment(n, "FR-1")
	short.Amount--
	w.settle(t, short, payment(n, "FR-2"), payment(n, "FR-3"), payment(n, "FR-4"))
	last := last(do(t, assistant, w.NoticeHistory, n.ID))
	assert.Equal(t, pagoinrete.NoticeConfirm, last.Action)
	assert.Equal(t, []pagoinrete.NoticeState{pagoinrete.NoticeNotified, pagoinrete.NoticeConfirmed}, []pagoinrete.NoticeState{last.From, last.To})
	assert.Equal(t, "L'importo pagato è 99,99 €, diverso da quello dovuto: verificare con la banca o con il PSP, poi riscontrare la riga a mano o archiviare la discrepanza. Riferimento FR-2, con i passi intermedi «RPT inviata» e «RT ricevuta». "+
		"L'avviso risulta pagato più di una volta: verificare e, se confermato, disporre il rimborso.", last.Reason.Reveal())
}
