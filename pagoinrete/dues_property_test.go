package pagoinrete_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/memstore"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// someNotice returns a notice of a notified event in a state, with evidence that fits the state.
func someNotice(random *rand.Rand, event uuid.UUID, state pagoinrete.NoticeState, number int) pagoinrete.Notice {
	n := pagoinrete.Notice{ID: uuid.New(), EventID: event, School: school, State: state, Instalment: 1, CreatedAt: day(1, 1), UpdatedAt: day(1, 1), UpdatedBy: assistant.ID}
	n.NoticeData = pagoinrete.NoticeData{Debtor: pupil(number), DebtorKind: pagoinrete.DebtorPupil, Amount: 1_000, DueDate: day(10, 1)}
	if random.IntN(3) == 0 {
		n.Transfers = pagoinrete.Transfers{{Amount: 500}, {Beneficiary: town, Amount: 200}, {Beneficiary: body, Amount: 300}}
	}
	n.Number, _ = flussi.ParseNoticeNumber(fmt.Sprintf("3010%014d", number))
	proof := pagoinrete.Proof{Reference: "Documento", Amount: 1_000, Date: day(11, 3)}
	switch state {
	case pagoinrete.NoticePaidOnline, pagoinrete.NoticeConfirmed, pagoinrete.NoticeReconciled:
		n.Evidence.Receipt = proof
	case pagoinrete.NoticePaidManually:
		n.Evidence.Manual = proof
	case pagoinrete.NoticeReconciledManually:
		n.Evidence.Manual, n.Evidence.Movement = proof, proof
	case pagoinrete.NoticeRefunded:
		n.Evidence.Refund = proof
		switch random.IntN(3) {
		case 0:
			n.Evidence.Manual = proof
		case 1:
			n.BaseState = pagoinrete.NoticeNotified
		}
	}
	return n
}

// somePayments returns payments that a Standing may have.
func somePayments(random *rand.Rand) []settlement.Paid {
	var payments []settlement.Paid
	for i := range random.IntN(5) {
		p := settlement.Paid{
			Status: settlement.PaidSettled, State: settlement.PaymentExpected, Payment: uuid.NewSHA1(uuid.Nil, fmt.Append(nil, i)), Settlement: fmt.Sprint("FR-", random.IntN(3)),
			IUR: fmt.Sprint("IUR-", random.IntN(3)), Index: random.IntN(4), Amount: []flussi.Cents{1_000, 500, 300}[random.IntN(3)],
			Date: day(time.November, 1+random.IntN(5)), Body: body,
		}
		switch random.IntN(8) {
		case 0:
			p.State = settlement.PaymentAmountDiffers
		case 1:
			p.State = settlement.PaymentDuplicate
		case 2:
			p.State, p.Status = settlement.PaymentRevoked, settlement.PaidRevoked
		case 3:
			p.State = settlement.PaymentUnknown
		case 4:
			p.By = assistant.ID
		}
		if p.Status == settlement.PaidSettled && random.IntN(2) == 0 {
			p.Status, p.Movements, p.Movement, p.Received = settlement.PaidConfirmed, []string{fmt.Sprint(i)}, uuid.NewSHA1(uuid.Max, fmt.Append(nil, i)), day(11, 9)
			if random.IntN(4) == 0 {
				p.Settlement, p.Payment, p.IUR, p.Index = "", uuid.Nil, "", 0
			}
		}
		payments = append(payments, p)
	}
	return payments
}

// The state of a notice depends on the latest standing alone, whatever was told before and how
// often. No standing changes a state that the office chose.
func TestNoticeDependsOnLatestStandingAlone(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	defer func() { t.Logf("seed %d", seed) }()
	store := memstore.New()
	dues := must.Get(pagoinrete.NewDues(newService(t, store, nil), pagoinrete.DuesConfig{By: system, School: schoolOf}))(t)
	event := pagoinrete.Event{ID: uuid.New(), Kind: pagoinrete.Fee, School: school, State: pagoinrete.EventNotified, CreatedAt: day(1, 1)}
	require.NoError(t, store.SaveEvent(t.Context(), pagoinrete.EventChange{Event: event}, nil))
	reached, found := map[pagoinrete.NoticeState]int{}, map[pagoinrete.DiscrepancyKind]int{}
	states := pagoinrete.NoticeMachine().States()[1:] // all but Non collegato
	for round := range 3_000 {
		state := states[random.IntN(len(states))].Name
		often := someNotice(random, event.ID, state, 2*round)
		once := often
		once.ID, once.Number = uuid.New(), must.Get(flussi.ParseNoticeNumber(fmt.Sprintf("3010%014d", 2*round+1)))(t)
		require.NoError(t, store.SaveNotices(t.Context(), pagoinrete.NoticeChange{Notice: often}, pagoinrete.NoticeChange{Notice: once}))
		tell := func(n pagoinrete.Notice, payments []settlement.Paid) pagoinrete.Notice {
			standing := settlement.Standing{Reference: paymentfile.NewReference(n.IUV().Reveal()), Payments: payments}
			require.NoError(t, dues.Tell(t.Context(), body, []settlement.Standing{standing}))
			n = must.Get(store.Notice(t.Context(), n.ID))(t)
			require.Equal(t, n.State, told(state, n), "%s became %s", state, n.State)
			require.True(t, pagoinrete.Coupled(pagoinrete.EventNotified, n.State))
			return n
		}
		var latest []settlement.Paid
		for range 1 + random.IntN(4) {
			latest = somePayments(random)
			often = tell(often, latest)
			require.Equal(t, often, tell(often, latest), "told again, nothing changes")
		}
		once = tell(once, latest)
		for _, n := range []*pagoinrete.Notice{&often, &once} {
			n.ID, n.Number, n.UpdatedAt, n.UpdatedBy, n.Version, n.Discrepancy.At = uuid.Nil, flussi.NoticeNumber{}, time.Time{}, "", 0, time.Time{}
		}
		require.Equal(t, once, often)
		reached[once.State]++
		found[once.Discrepancy.Kind]++
		if len(latest) == 0 {
			require.Equal(t, state, once.State)
		}
	}
	for _, s := range states {
		assert.NotZero(t, reached[s.Name], s.Name)
	}
	for _, kind := range []pagoinrete.DiscrepancyKind{
		"", pagoinrete.DiscrepancyAmount, pagoinrete.DiscrepancyPaidTwice, pagoinrete.DiscrepancyPaid, pagoinrete.DiscrepancyReversed, pagoinrete.DiscrepancyUnpaid,
	} {
		assert.NotZero(t, found[kind], kind)
	}
}

// told is the state that a notice in a state may be in after something was told.
func told(before pagoinrete.NoticeState, n pagoinrete.Notice) pagoinrete.NoticeState {
	switch before {
	case pagoinrete.NoticeCancelled, pagoinrete.NoticeRefunded, pagoinrete.NoticePaidManually, pagoinrete.NoticeReconciledManually, pagoinrete.NoticeReconciled:
		return before
	}
	switch n.State {
	case pagoinrete.NoticeReconciled:
		return n.State
	case pagoinrete.NoticeConfirmed:
		return n.State
	}
	return before
}

// The office, Pago In Rete, families and files act in any order. Files never change Annullato or
// Rimborsato. When they say nothing any more, every notice is in the state that it would have
// without them.
func TestFilesUndoWhatTheyDidAmongOtherCalls(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	defer func() { t.Logf("seed %d", seed) }()
	done := map[string]int{}
	for range 6 {
		y := newTreasury(t)
		notices := y.notices(t, y.notified(t, 3).ID)
		why := flussi.NewText("Così è deciso.")
		for range 120 {
			n := y.now(notices[random.IntN(len(notices))])
			proof := pagoinrete.Proof{Reference: "Documento", Amount: n.Due(), Date: day(11, 3)}
			var err error
			action := []string{"pay", "start", "fail", "verify", "cancel", "pay manually", "refund", "resolve", "tell", "tell", "tell", "tell"}[random.IntN(12)]
			switch action {
			case "pay":
				y.platform.Pay(n.ID, n.Due())
			case "start":
				y.platform.StartPayment(n.ID)
			case "fail":
				y.platform.FailPayment(n.ID)
			case "verify":
				_, err = y.VerifyNotice(t.Context(), assistant, n.ID)
			case "cancel":
				_, err = y.CancelNotice(t.Context(), assistant, n.ID, why)
			case "pay manually":
				_, err = y.PayNoticeManually(t.Context(), assistant, n.ID, proof)
			case "refund":
				_, err = y.RefundNotice(t.Context(), assistant, n.ID, proof)
			case "resolve":
				_, err = y.ResolveNoticeDiscrepancy(t.Context(), assistant, n.ID, n.Version, why)
			case "tell":
				standing := settlement.Standing{Reference: rowOf(n, "").Reference, Payments: somePayments(random)}
				require.NoError(t, y.dues.Tell(t.Context(), body, []settlement.Standing{standing}))
				after := y.now(n)
				if n.State == pagoinrete.NoticeCancelled || n.State == pagoinrete.NoticeRefunded {
					require.Equal(t, n.State, after.State)
				}
				if after.BaseState != "" {
					_, err := pagoinrete.NoticeMachine().Path(after.BaseState, after.State)
					require.NoError(t, err, "%s on %s", after.State, after.BaseState)
				}
			}
			if err == nil {
				done[action]++
			}
		}
		for _, n := range notices {
			n = y.now(n)
			require.NoError(t, y.dues.Tell(t.Context(), body, []settlement.Standing{{Reference: rowOf(n, "").Reference}}))
			after := y.now(n)
			assert.Equal(t, uuid.Nil, after.Evidence.Settlement.ID)
			assert.Equal(t, uuid.Nil, after.Evidence.Movement.ID)
			base := n.BaseState
			if base == "" || n.State == pagoinrete.NoticeRefunded {
				base = n.State
			}
			assert.Equal(t, base, after.State)
			assert.NotContains(t, []pagoinrete.NoticeState{pagoinrete.NoticeConfirmed, pagoinrete.NoticeReconciled}, after.State, "Pago In Rete reports neither here")
		}
	}
	for _, action := range []string{"verify", "cancel", "pay manually", "refund", "resolve", "tell"} {
		assert.NotZero(t, done[action], action)
	}
}
