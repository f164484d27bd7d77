package settlementtest

import (
	"fmt"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// texts are values for fields of masked types, and for others.
var texts = [][2]string{
	{storetest.TooLong(), storetest.TooLong()}, {storetest.Awkward, storetest.Awkward}, {"   ", "   "}, {"0", "0"}, {"è", "è"},
}

var valueRules = []rule{
	{"each flag is kept for itself", flagsAreKept},
	{"references of every class are kept", referencesAreKept},
	{"states, kinds and actions that are unknown are kept", unknownWordsAreKept},
}

func flagsAreKept(p *probe) {
	s := p.save(p.fullSettlement())
	eachFlag(&s, func(what string) {
		s = p.save(s)
		p.settlements.IsRead(what, s)
	})
	one := p.payments.Set(p.fullPayment(s))
	eachFlag(&one, func(what string) {
		one = p.payments.Set(one)
		p.payments.IsRead(what, one)
	})
	m := p.saveMovement(p.fullMovement())
	eachFlag(&m, func(what string) {
		m = p.saveMovement(m)
		p.movements.IsRead(what, m)
	})
}

// eachFlag sets each flag of a struct alone, and then all flags except it.
func eachFlag(pointer any, check func(what string)) {
	fields := storetest.Fields(pointer)
	for _, to := range []bool{true, false} {
		for i, one := range fields {
			if _, ok := one.Pointer.(*bool); !ok {
				continue
			}
			for j, f := range fields {
				if flag, ok := f.Pointer.(*bool); ok {
					*flag = to == (i == j)
				}
			}
			check(fmt.Sprintf("whose %s is %t, and each other flag is not", one.Name, to))
		}
	}
}

func referencesAreKept(p *probe) {
	s := p.save(p.newSettlement())
	for _, text := range []string{"01234567890123456", "012345678901234", "RF18539007547034", "ALTRO/2026 77", " x ", ""} {
		one := p.newPayment(s)
		one.Reference = paymentfile.NewReference(text)
		one.Target, one.PreviousTarget = one.Reference, one.Reference
		one = p.payments.Set(one)
		p.payments.IsRead(fmt.Sprintf("with the reference %q", text), one)
	}
}

func unknownWordsAreKept(p *probe) {
	s := p.fullSettlement()
	s.State = "parked"
	one := p.fullPayment(s)
	one.State, one.Owner, one.Decision.Kind, one.Outcome = "parked", "neighbour", "guessed", 77
	p.KeepsWords(s, one)
	p.HasCounts("with unknown words", s.ID, settlement.PaymentCounts{Unusable: settlement.Tally{Number: 1, Amount: one.Net()}})
	m := p.fullMovement()
	m.State, m.Parts[0].Kind, m.Entries[0].Operation = "parked", "guessed", "ANNULLATO"
	p.movements.IsRead("with unknown words", p.saveMovement(m))
	for state, want := range map[settlement.PaymentState]int{one.State: 1, "other": 0} {
		if got := p.payments.Page(settlement.PaymentFilter{States: []settlement.PaymentState{state}}, flussi.Page{Limit: 2}); len(got) != want {
			p.Fail("Payments in the state %q: want %d, got %d", state, want, len(got))
		}
	}
}

var countRules = []rule{
	{"the counts of a settlement are those of its payments", countsAreOfPayments},
}

func countsAreOfPayments(p *probe) {
	s, other := p.save(p.newSettlement()), p.save(p.newSettlement())
	p.HasCounts("without payments", s.ID, settlement.PaymentCounts{})
	all := p.NewChildren(s, 5)
	s = p.save(s, all...)
	others := p.NewChildren(other, 2)
	s = p.save(s, others...)
	p.HasCounts("after Save with 5", s.ID, counted(all...))
	p.HasCounts("the other settlement", other.ID, counted(others...))
	for i, state := range append(settlement.PaymentStates(), "parked") {
		one := &all[i%len(all)]
		one.Version++
		one.State, one.Amount = state, flussi.Cents(1000+i)
		if i%2 == 0 {
			one.Outcome = paymentfile.OutcomeRevoked
		}
		p.SetChildren(*one)
		p.HasCounts(fmt.Sprintf("after one has got the state %q", state), s.ID, counted(all...))
	}
	late := all[0]
	late.State = settlement.PaymentSetAside // of an old version
	late.Version--
	p.Wants(flussi.ErrConflict, p.store.Save(p.Ctx, settlement.Changes{Payments: sequence([]settlement.PaymentChange{paymentChange(late)})}), "Save of an old version")
	p.HasCounts("after a conflict", s.ID, counted(all...))
	p.HasCounts("the other settlement, at the end", other.ID, counted(others...))
}
