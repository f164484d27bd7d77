package pagoinrete

import (
	"cmp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// paymentFacts is what settlements and the treasury say about a notice. It depends on the payments
// that they have now, and on what Pago In Rete and the office did, not on what was told before.
type paymentFacts struct {
	reached  NoticeState // NoticeConfirmed or NoticeReconciled; "" if they do not have all that is due
	evidence Evidence    // the Settlement and the Movement that show it
	found    Discrepancy // what contradicts
}

// newPaymentFacts returns what payments say about a notice of a body.
func newPaymentFacts(n Notice, payments []settlement.Paid, body flussi.OrganizationCode) paymentFacts {
	sorted := sortPayments(payments, n.expectation(body))
	f := paymentFacts{found: sorted.discrepancy(n)}
	if !sorted.complete {
		return f
	}
	f.reached = NoticeReconciled
	for _, p := range sorted.counted {
		if p.Status != settlement.PaidConfirmed || p.Movement == uuid.Nil {
			f.reached = NoticeConfirmed
		}
	}
	f.evidence.Settlement = settlementProof(sorted.counted)
	if f.reached == NoticeReconciled {
		f.evidence.Movement = movementProof(sorted.counted)
	}
	return f
}

// contradiction returns facts that have only a discrepancy, about all payments that were not revoked.
// Its kind says why they do not count for the notice.
func contradiction(kind DiscrepancyKind, payments []settlement.Paid) paymentFacts {
	standing := slices.DeleteFunc(slices.Clone(payments), func(p settlement.Paid) bool { return p.Status == settlement.PaidRevoked })
	return paymentFacts{found: atOdds(kind, standing)}
}

// notYet returns the facts about a notice whose event is not Notificato. They have the evidence and no
// state: the notice gets its state once the event is Notificato, by [Notice.applyRemote].
func (f paymentFacts) notYet(payments []settlement.Paid) paymentFacts {
	if f.reached = ""; f.found.Kind == "" {
		f.found = contradiction(DiscrepancyNotPayable, payments).found
	}
	return f
}

// awaited returns the facts of files that apply once the event of the notice is Notificato, and
// whether there are any.
func (n Notice) awaited() (paymentFacts, bool) {
	f := paymentFacts{reached: NoticeConfirmed, evidence: n.Evidence, found: n.Discrepancy}
	if n.Evidence.Movement.ID != uuid.Nil {
		f.reached = NoticeReconciled
	}
	if f.found.Kind == DiscrepancyNotPayable {
		f.found = Discrepancy{}
	}
	switch n.State {
	case NoticeRefunded, NoticeCancelled, NoticePaidManually, NoticeReconciledManually:
		return f, false
	}
	return f, n.BaseState == "" && (n.Evidence.Settlement.ID != uuid.Nil || n.Evidence.Movement.ID != uuid.Nil)
}

// sortedPayments has the payments of a notice by their effect.
type sortedPayments struct {
	counted  []settlement.Paid // payments of the expected amount, or matched by hand; at most one for each transfer
	differs  []settlement.Paid // of another amount
	doubled  []settlement.Paid // payments in addition to one that counts
	revoked  []settlement.Paid // revoked payments, and revocations of payments that no settlement has
	complete bool              // each transfer has a payment that counts
}

// sortPayments sorts the payments of a notice by their states. The expectation is met if each
// transfer is paid.
func sortPayments(payments []settlement.Paid, expected settlement.Expectation) sortedPayments {
	var s sortedPayments
	paid := map[int]bool{} // by the index of the transfer
	for _, p := range payments {
		switch {
		case p.Status == settlement.PaidRevoked:
			s.revoked = append(s.revoked, p)
		case p.State == settlement.PaymentUnknown, p.State == settlement.PaymentForeign: // it was not due yet when they were matched
		case p.State == settlement.PaymentDuplicate:
			s.doubled = append(s.doubled, p)
		case p.State == settlement.PaymentAmountDiffers && p.By == "":
			s.differs = append(s.differs, p)
		default:
			paid[transferOf(p, expected, paid)] = true
			s.counted = append(s.counted, p)
		}
	}
	s.complete = len(paid) > 0
	for index := range expected.Transfers {
		s.complete = s.complete && paid[index]
	}
	return s
}

// transferOf returns which transfer a payment is. A payment that does not say it is the first one of
// its amount that is not paid yet.
func transferOf(p settlement.Paid, expected settlement.Expectation, paid map[int]bool) int {
	if p.Index != 0 || len(expected.Transfers) == 0 {
		return p.Index
	}
	for index := 1; index <= MaxTransfers; index++ {
		if expected.Transfers[index] == p.Amount && !paid[index] {
			return index
		}
	}
	return 1
}

// discrepancy returns the discrepancy between a notice and its payments. It has the most serious
// kind, and the source of all contradicting payments, so that a further payment makes another
// discrepancy.
func (s sortedPayments) discrepancy(n Notice) Discrepancy {
	all := slices.Concat(s.counted, s.differs, s.doubled)
	refunded := n.State == NoticeRefunded
	switch {
	case n.State == NoticeCancelled:
		return atOdds(DiscrepancyPaid, all)
	case n.State == NoticePaidManually, n.State == NoticeReconciledManually, refunded && !n.Evidence.Manual.IsZero():
		return atOdds(DiscrepancyPaidTwice, all)
	case refunded && s.paidAfter(n.Evidence.Refund):
		return atOdds(DiscrepancyPaid, all)
	case len(s.takenBack()) > 0:
		return atOdds(DiscrepancyReversed, s.takenBack(), s.doubled, s.differs)
	case len(s.doubled) > 0:
		return atOdds(DiscrepancyPaidTwice, s.doubled, s.differs)
	case len(s.differs) > 0:
		return atOdds(DiscrepancyAmount, s.differs)
	case refunded && !s.complete && n.Evidence.Receipt.IsZero() && n.BaseState.Labels().Macro == NoticeNotified.Labels().Macro:
		return Discrepancy{Kind: DiscrepancyUnpaid} // only files had shown that it was paid
	}
	return Discrepancy{}
}

// paidAfter reports whether one of the payments that count is later than a refund.
func (s sortedPayments) paidAfter(refund Proof) bool {
	return !refund.IsZero() && slices.ContainsFunc(s.counted, func(p settlement.Paid) bool { return p.Date.After(refund.Date) })
}

// takenBack returns the revoked payments, each once. If another payment counts, it returns only the
// revocations of payments that no settlement has.
func (s sortedPayments) takenBack() []settlement.Paid {
	type key struct {
		iur   string
		index int
	}
	of := func(p settlement.Paid) key { return key{p.IUR, max(p.Index, 1)} }
	times := map[key]int{}
	for _, p := range s.revoked {
		times[of(p)]++
	}
	var once []settlement.Paid
	for _, p := range s.revoked {
		if n := times[of(p)]; n%2 == 1 || n > 0 && len(s.counted) == 0 {
			once = append(once, p)
		}
		times[of(p)] = 0
	}
	return once
}

// atOdds returns a discrepancy about payments, or the zero Discrepancy if there are none. Its source
// also names the payments in others.
func atOdds(kind DiscrepancyKind, payments []settlement.Paid, others ...[]settlement.Paid) Discrepancy {
	if len(payments) == 0 {
		return Discrepancy{}
	}
	d := Discrepancy{Kind: kind}
	for _, p := range payments {
		d.Amount += p.Amount
	}
	var sources []string
	for _, p := range slices.Concat(payments, slices.Concat(others...)) {
		sources = append(sources, sourceOf(p))
	}
	slices.Sort(sources)
	d.Source = strings.Join(slices.Compact(sources), ", ")
	return d
}

// sourceOf returns the name of a payment: its settlement and IUR, or the numbers of its sospesi.
func sourceOf(p settlement.Paid) string {
	if p.Settlement == "" {
		return cmp.Or(strings.Join(p.Movements, ", "), p.Movement.String())
	}
	return strings.TrimSpace(p.Settlement + " " + p.IUR)
}

// settlementProof returns the Proof by the settlements of payments; zero if no settlement has them.
func settlementProof(payments []settlement.Paid) Proof {
	var proof Proof
	var names []string
	for _, p := range payments {
		if p.Settlement == "" {
			continue
		}
		if proof.ID == uuid.Nil {
			proof = Proof{Date: p.Date, By: p.By, ID: p.Payment, IUR: p.IUR, Index: p.Index}
		}
		proof.Amount += p.Amount
		names = append(names, p.Settlement)
	}
	proof.Reference = joined(names)
	return proof.normal(proof.By)
}

// movementProof returns the Proof by the movements of payments that the treasury has.
func movementProof(payments []settlement.Paid) Proof {
	proof := Proof{ID: payments[0].Movement, By: payments[0].By}
	var numbers []string
	for _, p := range payments {
		proof.Amount += p.Amount
		numbers = append(numbers, p.Movements...)
		if p.Received.After(proof.Date) {
			proof.Date = p.Received
		}
	}
	proof.Reference = cmp.Or(joined(numbers), proof.ID.String())
	return proof.normal(proof.By)
}

// joined returns the names as a list, sorted, each once.
func joined(names []string) string {
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}

// apply returns the change of the notice by the facts, and reports whether anything changes.
func (n Notice) apply(f paymentFacts, by flussi.Actor) (NoticeChange, bool) {
	before := n
	switch {
	case n.State == NoticeRefunded && n.Evidence.Manual.IsZero():
		n.Evidence.show(f.evidence)
	case n.State == NoticeRefunded, n.State == NoticeCancelled, n.State == NoticePaidManually, n.State == NoticeReconciledManually:
	default:
		n.State, n.BaseState = cmp.Or(n.BaseState, n.State), ""
		if f.reached != "" {
			n.BaseState = n.State
			if _, err := forward(n.State, f.reached); err == nil {
				n.State = f.reached
			}
		}
		n.Evidence.show(f.evidence)
	}
	differs := false
	switch d := n.Discrepancy; {
	case f.found.Kind != "":
		differs = n.Discrepancy.meet(f.found)
	case d.stays():
		differs, n.Discrepancy = true, Discrepancy{}
	}
	if n == before {
		return NoticeChange{}, false
	}
	return n.applied(before, differs, by), true
}

// applied returns the change by payment facts, with its record.
func (n Notice) applied(before Notice, differs bool, by flussi.Actor) NoticeChange {
	var reasons []string
	action := NoticeRecordDiscrepancy
	switch path, _ := NoticeMachine().Path(before.State, n.State); {
	case len(path) > 0:
		action = path[len(path)-1]
		reasons = append(reasons, steps(n.Evidence.source(), path, NoticeAction.Label))
	case n.Evidence == before.Evidence && n.BaseState == before.BaseState:
	case !n.Evidence.Movement.IsZero():
		action = NoticeReconcile
		reasons = append(reasons, n.Evidence.source()+".")
	case !n.Evidence.Settlement.IsZero():
		action = NoticeConfirm
		reasons = append(reasons, n.Evidence.source()+".")
	default:
		action = NoticeUnconfirm
		reasons = append(reasons, n.Evidence.source()+".")
	}
	switch {
	case differs && n.Discrepancy.Kind == "":
		reasons = append(reasons, "La discrepanza non risulta più.")
	case differs:
		reasons = append(reasons, n.Discrepancy.Italian())
	}
	return n.change(action, before.State, by.ID, strings.Join(reasons, " "))
}

// show replaces the proofs that came from package settlement by those of now.
func (e *Evidence) show(now Evidence) {
	for _, pair := range []struct{ own, now *Proof }{{&e.Settlement, &now.Settlement}, {&e.Movement, &now.Movement}} {
		if pair.own.ID != uuid.Nil || !pair.now.IsZero() {
			*pair.own = *pair.now
		}
	}
}

// source returns the text about the origin of the evidence, for histories.
func (e Evidence) source() string {
	var parts []string
	if !e.Settlement.IsZero() {
		parts = append(parts, "flusso "+e.Settlement.Reference)
	}
	if !e.Movement.IsZero() {
		parts = append(parts, "sospeso "+e.Movement.Reference)
	}
	if len(parts) == 0 {
		return "Nessun file riporta più il pagamento"
	}
	return italian.Capital(strings.Join(parts, ", "))
}
