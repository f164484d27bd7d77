// Package duestest has the property test of pagoinrete.Dues, for any store.
package duestest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/sampletest"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

const (
	school = "RMIC8GA002"
	body   = "80185250588" // of the school
	town   = "15376371009"
)

var system = flussi.Actor{ID: "programma", Roles: []flussi.Role{flussi.System}}

func code(text string) flussi.OrganizationCode {
	code, _ := flussi.ParseOrganizationCode(text) // body and town are valid
	return code
}

func day(month time.Month, d int) time.Time {
	at, _ := flussi.EndOfDay(2026, month, d) // cannot fail: the day exists
	return at
}

func schoolOf(context.Context, flussi.OrganizationCode) (string, error) { return school, nil }

// CheckLatestState checks two rules with random notices and payments. The state of a notice depends
// on the latest ReferenceState alone, whatever was told before and how often. No ReferenceState changes
// a state that the office chose. The store must be empty. All random choices follow from the seed.
func CheckLatestState(t *testing.T, store pagoinrete.Store, seed uint64, rounds int) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0))
	nobody := func(context.Context, string) (pagoinrete.Gateway, error) { return nil, errors.New("nobody is asked") }
	service := must.Get(pagoinrete.NewService(store, pagoinrete.Permissions{system.ID: {school}}, nobody, pagoinrete.ServiceConfig{}))(t)
	dues := must.Get(pagoinrete.NewDues(service, pagoinrete.DuesConfig{By: system, School: schoolOf}))(t)
	event := pagoinrete.Event{ID: uuid.New(), Kind: pagoinrete.Fee, School: school, State: pagoinrete.EventNotified, CreatedAt: day(1, 1)}
	require.NoError(t, store.SaveEvent(t.Context(), pagoinrete.EventChange{Event: event}, nil))
	reached, found := map[pagoinrete.NoticeState]int{}, map[pagoinrete.DiscrepancyKind]int{}
	states := pagoinrete.NoticeMachine().States()[1:] // all but Non collegato
	for round := range rounds {
		state := states[random.IntN(len(states))].Name
		often := someNotice(random, event.ID, state, 2*round)
		once := often
		once.ID, once.Number = uuid.New(), must.Get(flussi.ParseNoticeNumber(fmt.Sprintf("3010%014d", 2*round+1)))(t)
		require.NoError(t, store.SaveNotices(t.Context(), pagoinrete.NoticeChange{Notice: often}, pagoinrete.NoticeChange{Notice: once}))
		tell := func(n pagoinrete.Notice, payments []settlement.Paid) pagoinrete.Notice {
			latest := settlement.ReferenceState{Reference: paymentfile.NewReference(n.IUV().Reveal()), Payments: payments}
			require.NoError(t, dues.Update(t.Context(), code(body), []settlement.ReferenceState{latest}))
			n = must.Get(store.Notice(t.Context(), n.ID))(t)
			require.Equal(t, n.State, told(state, n), "%s became %s", state, n.State)
			require.True(t, pagoinrete.Compatible(pagoinrete.EventNotified, n.State))
			return n
		}
		var latest []settlement.Paid
		for range 1 + random.IntN(4) {
			latest = Payments(random)
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
	if rounds < 2_000 {
		return // so few rounds may miss a state by chance
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

// told returns the state that a notice must have after a ReferenceState was reported: either the
// state before, or one that files can show.
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

// someNotice returns a notice of a notified event in a state, with evidence that fits the state.
func someNotice(random *rand.Rand, event uuid.UUID, state pagoinrete.NoticeState, number int) pagoinrete.Notice {
	n := pagoinrete.Notice{ID: uuid.New(), EventID: event, School: school, State: state, Instalment: 1, CreatedAt: day(1, 1), UpdatedAt: day(1, 1), UpdatedBy: "m.verdi"}
	n.NoticeData = pagoinrete.NoticeData{Debtor: sampletest.FiscalCode(number), DebtorKind: pagoinrete.DebtorPupil, Amount: 1_000, DueDate: day(10, 1)}
	if random.IntN(3) == 0 {
		n.Transfers = pagoinrete.Transfers{{Amount: 500}, {Beneficiary: code(town), Amount: 200}, {Beneficiary: code(body), Amount: 300}}
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

// Payments returns random payments that a ReferenceState may have.
func Payments(random *rand.Rand) []settlement.Paid {
	var payments []settlement.Paid
	for i := range random.IntN(5) {
		p := settlement.Paid{
			Status: settlement.PaidSettled, State: settlement.PaymentExpected, Payment: uuid.NewSHA1(uuid.Nil, fmt.Append(nil, i)), Settlement: fmt.Sprint("FR-", random.IntN(3)),
			IUR: fmt.Sprint("IUR-", random.IntN(3)), Index: random.IntN(4), Amount: []flussi.Cents{1_000, 500, 300}[random.IntN(3)],
			Date: day(time.November, 1+random.IntN(5)), Body: code(body),
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
			p.By = "m.verdi"
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
