package settlementtest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

type (
	settlementFilter = settlement.SettlementFilter
	paymentFilter    = settlement.PaymentFilter
	movementFilter   = settlement.MovementFilter
)

var filterRules = []rule{
	{"settlements are found by each field of the filter", func(p *probe) { p.settlementCatalogue().Each(settlementCriteria) }},
	{"settlements are found by fields of the filter together", func(p *probe) { p.settlementCatalogue().InCompany(settlementCriteria) }},
	{"payments are found by each field of the filter", func(p *probe) { p.paymentCatalogue().Each(paymentCriteria) }},
	{"payments are found by fields of the filter together", func(p *probe) { p.paymentCatalogue().InCompany(paymentCriteria) }},
	{"movements are found by each field of the filter", func(p *probe) { p.movementCatalogue().Each(movementCriteria) }},
	{"movements are found by fields of the filter together", func(p *probe) { p.movementCatalogue().InCompany(movementCriteria) }},
}

// oneOf returns a random element.
func oneOf[T any](p *probe, all ...T) T { return storetest.OneOf(p.Probe, all...) }

// bodies are those of the entities of catalogues.
func bodies() []flussi.OrganizationCode {
	return []flussi.OrganizationCode{body, codeOf("15376371009"), codeOf("01199250158")}
}

// withAccent is an identifier that ends with a character of two bytes.
const withAccent = "2026-03-28BANKIT-è"

// flowIDs are similar identifiers. Some differ only in the case of letters, one has the special
// characters of LIKE, and two differ only after the characters that an index may have.
func flowIDs() []string {
	long := strings.Repeat("2026-03-28BANKIT", 20)
	return []string{"2026-03-28BANKIT-1", "2026-03-28BANKIT-10", "2026-03-28bankit-1", "2026-03-28BANKIT_1", "2026-03-28%", "2026-03-29BANKIT-1", withAccent, "", long, long + "1"}
}

func references() []paymentfile.Reference {
	var all []paymentfile.Reference
	for _, text := range []string{"01234567890123456", "012345678901234", "RF18539007547034", "ALTRO-1", "altro-1", "", strings.Repeat("ALTRO", 60), strings.Repeat("ALTRO", 60) + "1"} {
		all = append(all, paymentfile.NewReference(text))
	}
	return all
}

// settlementCatalogue stores settlements of which each pair differs in some fields and agrees in
// others. Some have earlier versions.
func (p *probe) settlementCatalogue() storetest.Catalogue[settlement.Settlement, settlementFilter] {
	all := make([]settlement.Settlement, 60)
	for i := range all {
		s := p.someSettlement()
		payments := p.NewChildren(s, p.Random.IntN(3))
		if p.Random.IntN(3) == 0 {
			before := p.someSettlement()
			before.ID, before.Body, before.CreatedAt = s.ID, s.Body, s.CreatedAt
			s.Version = p.save(before).Version
		}
		all[i] = withCounts(p.save(s, payments...), payments...)
	}
	return storetest.Catalogue[settlement.Settlement, settlementFilter]{Kind: p.settlements, All: all, Match: settlementFilter.Match}
}

func (p *probe) someSettlement() settlement.Settlement {
	s := p.fullSettlement()
	s.Body = oneOf(p, bodies()...)
	s.State = oneOf(p, append(settlement.SettlementStates(), "parked")...)
	s.FlowID, s.Total = oneOf(p, flowIDs()...), oneOf[flussi.Cents](p, 0, 500, 1000, -500)
	s.Unreported = oneOf(p, true, false)
	s.CreatedAt = p.SomeMinute()
	return s
}

func settlementCriteria(p *storetest.Probe, q *settlementFilter, s settlement.Settlement) []storetest.Criterion {
	return append(storetest.CommonCriteria(p, q, s), []storetest.Criterion{
		{"Bodies", func() { q.Bodies = []flussi.OrganizationCode{s.Body} }},
		{"Bodies, several", func() { q.Bodies = []flussi.OrganizationCode{p.OrganizationCode(), s.Body, body} }},
		{"States", func() { q.States = []settlement.SettlementState{s.State} }},
		{"States, several", func() { q.States = []settlement.SettlementState{settlement.SettlementNoTransfer, s.State} }},
		{"FlowIDs", func() { q.FlowIDs = []string{s.FlowID} }},
		{"FlowIDs, several", func() { q.FlowIDs = []string{p.Word(), s.FlowID, s.FlowID} }},
		{"FlowPrefix", func() { q.FlowPrefix = s.FlowID }},
		{"FlowPrefix, a part", func() { q.FlowPrefix = s.FlowID[:p.Random.IntN(1+len(s.FlowID))] }},
		{"FlowPrefix, to the middle of a character", func() { q.FlowPrefix = withAccent[:len(withAccent)-1] }},
		{"FlowPrefix, a pattern for all", func() { q.FlowPrefix = "%" }},
		{"FlowPrefix, of patterns", func() {
			q.FlowPrefix = storetest.OneOf(p, "2026-03-28BANKIT_", "2026-03-28%", "_", "2026-03-28B*")
		}},
		{"Totals", func() { q.Totals = []flussi.Cents{s.Total} }},
		{"Totals, several", func() { q.Totals = []flussi.Cents{77, s.Total, 0} }},
		{"Unreported", func() { q.Unreported = true }},
	}...)
}

// paymentCatalogue stores payments of a few settlements, with a few references.
func (p *probe) paymentCatalogue() storetest.Catalogue[settlement.Payment, paymentFilter] {
	var of []settlement.Settlement
	for _, code := range append(bodies(), body) {
		s := p.newSettlement()
		s.Body = code
		of = append(of, p.save(s))
	}
	all := make([]settlement.Payment, 80)
	for i := range all {
		one := p.somePayment(oneOf(p, of...))
		if p.Random.IntN(3) == 0 {
			before := p.somePayment(settlement.Settlement{ID: one.Settlement, Body: one.Body})
			before.ID, before.CreatedAt = one.ID, one.CreatedAt
			one.Version = p.payments.Set(before).Version
		}
		all[i] = p.payments.Set(one)
	}
	return storetest.Catalogue[settlement.Payment, paymentFilter]{Kind: p.payments, All: all, Match: paymentFilter.Match}
}

func (p *probe) somePayment(of settlement.Settlement) settlement.Payment {
	one := p.fullPayment(of)
	one.State = oneOf(p, append(settlement.PaymentStates(), "parked")...)
	one.Reference, one.Target, one.PreviousTarget = oneOf(p, references()...), oneOf(p, references()...), oneOf(p, references()...)
	one.CreatedAt = p.SomeMinute()
	return one
}

func paymentCriteria(p *storetest.Probe, q *paymentFilter, one settlement.Payment) []storetest.Criterion {
	return append(storetest.CommonCriteria(p, q, one), []storetest.Criterion{
		{"Bodies", func() { q.Bodies = []flussi.OrganizationCode{one.Body} }},
		{"Bodies, several", func() { q.Bodies = []flussi.OrganizationCode{p.OrganizationCode(), one.Body} }},
		{"States", func() { q.States = []settlement.PaymentState{one.State} }},
		{"States, several", func() { q.States = []settlement.PaymentState{settlement.PaymentUnknown, one.State} }},
		{"Settlement", func() { q.Settlement = one.Settlement }},
		{"Settlement, one that is not there", func() { q.Settlement = p.ID() }},
		{"References, of the file", func() { q.References = []paymentfile.Reference{one.Reference} }},
		{"References, of the target", func() { q.References = []paymentfile.Reference{one.Target} }},
		{"References, of the earlier target", func() { q.References = []paymentfile.Reference{one.PreviousTarget} }},
		{"References, none but none", func() { q.References = []paymentfile.Reference{{}} }},
		{"References, several", func() {
			q.References = []paymentfile.Reference{paymentfile.NewReference(p.Word()), one.Target, {}, one.Target}
		}},
	}...)
}

// movementCatalogue stores movements of which each pair differs in some fields and agrees in
// others.
func (p *probe) movementCatalogue() storetest.Catalogue[settlement.Movement, movementFilter] {
	settlements := []uuid.UUID{p.ID(), p.ID(), p.ID(), {}}
	all := make([]settlement.Movement, 80)
	for i := range all {
		m := p.someMovement(settlements)
		if p.Random.IntN(3) == 0 {
			before := p.someMovement(settlements)
			before.ID, before.Body, before.CreatedAt = m.ID, m.Body, m.CreatedAt
			m.Version = p.saveMovement(before).Version
		}
		all[i] = p.saveMovement(m)
	}
	return storetest.Catalogue[settlement.Movement, movementFilter]{Kind: p.movements, All: all, Match: movementFilter.Match}
}

func (p *probe) someMovement(settlements []uuid.UUID) settlement.Movement {
	m := p.fullMovement()
	m.Body = oneOf(p, bodies()...)
	m.State = oneOf(p, append(settlement.MovementStates(), "parked")...)
	m.FlowIDs, m.Prefix = m.FlowIDs[:p.Random.IntN(4)], oneOf(p, flowIDs()...)
	for i := range m.FlowIDs {
		m.FlowIDs[i] = oneOf(p, flowIDs()...)
	}
	m.Parts, m.Decisions = m.Parts[:p.Random.IntN(4)], m.Decisions[:p.Random.IntN(3)]
	for i := range m.Parts {
		m.Parts[i].Settlement = oneOf(p, settlements...)
	}
	for i := range m.Decisions {
		m.Decisions[i].Settlement = oneOf(p, settlements...)
	}
	m.Amount = oneOf[flussi.Cents](p, 0, 500, 1000, -500)
	m.Reference, m.PreviousReference = oneOf(p, references()...), oneOf(p, references()...)
	m.Unresolved, m.Unreported = oneOf(p, true, false), oneOf(p, true, false)
	m.CreatedAt = p.SomeMinute()
	return m
}

func movementCriteria(p *storetest.Probe, q *movementFilter, m settlement.Movement) []storetest.Criterion {
	return append(storetest.CommonCriteria(p, q, m), []storetest.Criterion{
		{"Bodies", func() { q.Bodies = []flussi.OrganizationCode{m.Body} }},
		{"Bodies, several", func() { q.Bodies = []flussi.OrganizationCode{p.OrganizationCode(), m.Body} }},
		{"States", func() { q.States = []settlement.MovementState{m.State} }},
		{"States, several", func() { q.States = []settlement.MovementState{settlement.MovementSetAside, m.State} }},
		{"FlowIDs", func() { q.FlowIDs = append(slices.Clone(m.FlowIDs[:min(1, len(m.FlowIDs))]), "2026-03-28BANKIT-1") }},
		{"FlowIDs, the last", func() { q.FlowIDs = []string{fmt.Sprint(append([]string{"none"}, m.FlowIDs...)[len(m.FlowIDs)])} }},
		{"Prefixes", func() { q.Prefixes = []string{m.Prefix} }},
		{"Prefixes, several", func() { q.Prefixes = []string{p.Word(), m.Prefix} }},
		{"Amounts", func() { q.Amounts = []flussi.Cents{m.Amount} }},
		{"Amounts, several", func() { q.Amounts = []flussi.Cents{77, m.Amount} }},
		{"Unresolved", func() { q.Unresolved = true }},
		{"Settlement, of a part", func() { q.Settlement = append([]settlement.Part{{}}, m.Parts...)[len(m.Parts)].Settlement }},
		{"Settlement, of a decision", func() {
			q.Settlement = append([]settlement.DecidedPart{{}}, m.Decisions...)[len(m.Decisions)].Settlement
		}},
		{"Settlement, one that is not there", func() { q.Settlement = p.ID() }},
		{"References", func() { q.References = []paymentfile.Reference{m.Reference} }},
		{"References, the earlier one", func() { q.References = []paymentfile.Reference{m.PreviousReference} }},
		{"References, none but none", func() { q.References = []paymentfile.Reference{{}} }},
		{"References, several", func() { q.References = []paymentfile.Reference{paymentfile.NewReference(p.Word()), m.Reference} }},
		{"Unreported", func() { q.Unreported = true }},
	}...)
}
