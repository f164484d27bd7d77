package settlementtest

import (
	"fmt"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// body is the body of most entities.
var body = codeOf("80185250588")

func codeOf(digits string) flussi.OrganizationCode {
	code, err := flussi.ParseOrganizationCode(digits)
	if err != nil {
		panic(err) // a constant of this package
	}
	return code
}

// newSettlement returns a settlement with only the required fields.
func (p *probe) newSettlement() settlement.Settlement {
	now := p.Now()
	return settlement.Settlement{
		ID: p.ID(), Body: body, PSP: "BANKITXX", FlowID: fmt.Sprint("2026-03-28BANKITXX-", p.Made()), Total: 4500,
		State: settlement.SettlementOpen, CreatedAt: now, UpdatedAt: now, UpdatedBy: "l.bianchi",
	}
}

// newPayment returns a payment with only the required fields.
func (p *probe) newPayment(of settlement.Settlement) settlement.Payment {
	now := p.Now()
	reference := paymentfile.NewReference(fmt.Sprintf("%017d", p.Made()))
	return settlement.Payment{
		ID: p.ID(), Settlement: of.ID, Body: of.Body, Reference: reference, Target: reference, IUR: fmt.Sprint("R", p.Made()), Amount: 4500,
		State: settlement.PaymentUnknown, CreatedAt: now, UpdatedAt: now, UpdatedBy: "l.bianchi",
	}
}

// newMovement returns a movement with only the required fields.
func (p *probe) newMovement() settlement.Movement {
	now := p.Now()
	return settlement.Movement{
		ID: p.ID(), Body: body, Bank: "01234", Year: 2026, Account: "1", Number: fmt.Sprint(p.Made()), Amount: 4500,
		State: settlement.MovementWaiting, CreatedAt: now, UpdatedAt: now, UpdatedBy: "l.bianchi",
	}
}

// fullSettlement returns a new settlement in which every other field is set.
func (p *probe) fullSettlement() settlement.Settlement {
	var s settlement.Settlement
	p.Fill(&s, true)
	s.State, s.Version, s.Counts = settlement.SettlementPartlyCovered, 0, settlement.PaymentCounts{}
	return s
}

// fullPayment returns a new payment in which every other field is set.
func (p *probe) fullPayment(of settlement.Settlement) settlement.Payment {
	var one settlement.Payment
	p.Fill(&one, true)
	one.Settlement, one.Body = of.ID, of.Body
	one.State, one.Owner, one.Decision.Kind, one.Version = settlement.PaymentAmountDiffers, settlement.OwnerBody, settlement.DecisionSetAside, 0
	return one
}

// fullMovement returns a new movement in which every other field is set.
func (p *probe) fullMovement() settlement.Movement {
	var m settlement.Movement
	p.Fill(&m, true)
	m.State, m.Version = settlement.MovementMatched, 0
	return m
}

// changedSettlement returns a settlement with every field changed that may change.
func (p *probe) changedSettlement(s settlement.Settlement) settlement.Settlement {
	var changed settlement.Settlement
	p.Fill(&changed, false)
	changed.ID, changed.Body, changed.CreatedAt, changed.Version = s.ID, s.Body, s.CreatedAt, s.Version
	changed.State, changed.Counts = settlement.SettlementCovered, settlement.PaymentCounts{}
	return changed
}

// bareSettlement returns a settlement with every field zero that may be zero.
func (p *probe) bareSettlement(s settlement.Settlement) settlement.Settlement {
	return settlement.Settlement{ID: s.ID, Body: s.Body, CreatedAt: s.CreatedAt, Version: s.Version, State: settlement.SettlementOpen,
		UpdatedAt: p.Now(), UpdatedBy: "l.bianchi"}
}

// changedPayment returns a payment with every field changed that may change.
func (p *probe) changedPayment(one settlement.Payment) settlement.Payment {
	var changed settlement.Payment
	p.Fill(&changed, false)
	changed.ID, changed.Settlement, changed.Body, changed.CreatedAt, changed.Version = one.ID, one.Settlement, one.Body, one.CreatedAt, one.Version
	changed.State, changed.Owner, changed.Decision.Kind = settlement.PaymentForeign, settlement.OwnerForeign, settlement.DecisionMatched
	return changed
}

// barePayment returns a payment with every field zero that may be zero.
func (p *probe) barePayment(one settlement.Payment) settlement.Payment {
	return settlement.Payment{ID: one.ID, Settlement: one.Settlement, Body: one.Body, CreatedAt: one.CreatedAt, Version: one.Version,
		State: settlement.PaymentUnknown, UpdatedAt: p.Now(), UpdatedBy: "l.bianchi"}
}

// changedMovement returns a movement with every field changed that may change.
func (p *probe) changedMovement(m settlement.Movement) settlement.Movement {
	var changed settlement.Movement
	p.Fill(&changed, false)
	changed.ID, changed.Body, changed.CreatedAt, changed.Version = m.ID, m.Body, m.CreatedAt, m.Version
	changed.State = settlement.MovementSplit
	return changed
}

// bareMovement returns a movement with every field zero that may be zero.
func (p *probe) bareMovement(m settlement.Movement) settlement.Movement {
	return settlement.Movement{ID: m.ID, Body: m.Body, CreatedAt: m.CreatedAt, Version: m.Version, State: settlement.MovementReversed,
		UpdatedAt: p.Now(), UpdatedBy: "l.bianchi"}
}

// settlementChange returns the change that stores a settlement, with a record.
func settlementChange(s settlement.Settlement) settlement.SettlementChange {
	record := storetest.RecordOf[settlement.Settlement, settlement.SettlementState](s, settlement.ActionMatch, settlement.ActionApply, "")
	return settlement.SettlementChange{Settlement: s, Record: record}
}

// paymentChange returns the change that stores a payment, with a record.
func paymentChange(one settlement.Payment) settlement.PaymentChange {
	record := storetest.RecordOf[settlement.Payment, settlement.PaymentState](one, settlement.ActionMatch, settlement.ActionApply, "")
	return settlement.PaymentChange{Payment: one, Record: record}
}

// movementChange returns the change that stores a movement, with a record. It copies the lists.
func movementChange(m settlement.Movement) settlement.MovementChange {
	m = storetest.Clone(m)
	record := storetest.RecordOf[settlement.Movement, settlement.MovementState](m, settlement.ActionMatch, settlement.ActionApply, "")
	return settlement.MovementChange{Movement: m, Record: record}
}

// withCounts returns a settlement with the counts of its payments, and no others.
func withCounts(s settlement.Settlement, all ...settlement.Payment) settlement.Settlement {
	s.Counts = settlement.PaymentCounts{}
	for _, one := range all {
		if one.Settlement == s.ID {
			s.Counts.Add(one, 1)
		}
	}
	return s
}

// counted returns the counts of payments by their definition.
func counted(all ...settlement.Payment) settlement.PaymentCounts {
	var counts settlement.PaymentCounts
	for _, one := range all {
		counts.Add(one, 1)
	}
	return counts
}
