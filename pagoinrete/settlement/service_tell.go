package settlement

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// UpdateDue calls [Due.Update] for the references of a body whose changes were not reported to the
// Due, because Update failed or the process ended. After an error, call it again; it may then repeat
// what the Due has.
func (s *Service) UpdateDue(ctx context.Context, by flussi.Actor, body flussi.OrganizationCode) error {
	err := s.admit(ctx, by, body)
	if err == nil {
		err = s.tell(ctx, by, body)
	}
	return failed("update due", "", uuid.Nil, err)
}

// Review asks the [Due] again for the Expectation of references of a body, and reports their states
// to it. Call it if something became due after its payment was applied, or is no longer due.
func (s *Service) Review(ctx context.Context, by flussi.Actor, body flussi.OrganizationCode, references ...paymentfile.Reference) error {
	err := s.admit(ctx, by, body)
	if err == nil {
		err = s.write(ctx, body, step{action: ActionMatch, by: by}, func(w *work) error { return w.classify(ctx, slices.Values(references)) })
	}
	if err == nil {
		err = s.tell(ctx, by, body)
	}
	if err == nil { // even if nothing changed in the store
		err = s.tellReferences(ctx, body, slices.Clone(references), &telling{})
	}
	return failed("review", "", uuid.Nil, err)
}

// tell tells the [Due] of all settlements and movements of a body that are Unreported.
func (s *Service) tell(ctx context.Context, by flussi.Actor, body flussi.OrganizationCode) error {
	bodies := []flussi.OrganizationCode{body}
	for {
		settlements, err := s.store.Settlements(ctx, SettlementFilter{Bodies: bodies, Unreported: true}, Page{Limit: 1, OldestFirst: true})
		if err != nil {
			return err
		}
		if len(settlements) == 0 {
			break
		}
		if err := s.tellSettlement(ctx, by, settlements[0]); err != nil {
			return err
		}
	}
	for {
		movements, err := s.store.Movements(ctx, MovementFilter{Bodies: bodies, Unreported: true}, Page{Limit: maxReferences, OldestFirst: true})
		if err != nil || len(movements) == 0 {
			return err
		}
		if err := s.tellMovements(ctx, by, body, movements); err != nil {
			return err
		}
	}
}

// tellSettlement tells of all references of a settlement. If the settlement changes meanwhile, it
// stays Unreported.
func (s *Service) tellSettlement(ctx context.Context, by flussi.Actor, settlement Settlement) error {
	list := func(ctx context.Context, page Page) ([]Payment, error) {
		return s.store.Payments(ctx, PaymentFilter{Settlement: settlement.ID}, page)
	}
	var moved []PaymentChange
	var t telling
	for page, err := range core.Pages(ctx, maxReferences, list) {
		if err != nil {
			return err
		}
		var references []paymentfile.Reference
		for _, p := range page {
			references = append(references, p.Target, p.PreviousTarget)
			if !p.PreviousTarget.IsZero() {
				told := p
				told.PreviousTarget = paymentfile.Reference{}
				moved = append(moved, step{action: ActionUpdateDue, by: by}.payment(p.State, told))
			}
		}
		if err := s.tellReferences(ctx, settlement.Body, references, &t); err != nil {
			return err
		}
	}
	told := settlement
	told.Unreported = false
	err := s.store.Save(ctx, Changes{
		Settlements: []SettlementChange{step{action: ActionUpdateDue, by: by}.settlement(settlement, told)},
		Payments: func(yield func(PaymentChange, error) bool) {
			for _, change := range moved {
				if !yield(change, nil) {
					return
				}
			}
		},
	})
	return (&core.Tries{}).Again(ctx, err) // after a conflict the settlement is still Unreported
}

// tellMovements tells of the single payments of movements.
func (s *Service) tellMovements(ctx context.Context, by flussi.Actor, body flussi.OrganizationCode, movements []Movement) error {
	var references []paymentfile.Reference
	var changes []MovementChange
	for _, m := range movements {
		references = append(references, m.Reference, m.PreviousReference)
		told := m
		told.Unreported, told.PreviousReference = false, paymentfile.Reference{}
		changes = append(changes, step{action: ActionUpdateDue, by: by}.movement(m, told))
	}
	if err := s.tellReferences(ctx, body, references, &telling{}); err != nil {
		return err
	}
	return (&core.Tries{}).Again(ctx, s.store.Save(ctx, Changes{Movements: changes}))
}

// tellReferences tells the [Due] the states of references.
func (s *Service) tellReferences(ctx context.Context, body flussi.OrganizationCode, references []paymentfile.Reference, t *telling) error {
	slices.SortFunc(references, func(a, b paymentfile.Reference) int { return strings.Compare(a.Reveal(), b.Reveal()) })
	references = slices.DeleteFunc(slices.Compact(references), func(r paymentfile.Reference) bool { return r.IsZero() || t.several[r] })
	for some := range slices.Chunk(references, maxReferences) {
		if err := s.tellSome(ctx, body, some, t); err != nil {
			return err
		}
	}
	return nil
}

// tellSome tells the [Due] the states of references in one call, or in several calls if the
// references have too many payments. If another process writes meanwhile, it may tell a newer state
// before this process tells an older one. So tellSome then reads again, and tells again if the states
// of these references have changed: at most once for each such write.
func (s *Service) tellSome(ctx context.Context, body flussi.OrganizationCode, references []paymentfile.Reference, t *telling) error {
	var told []ReferenceState
	for before := int64(0); ; {
		version, err := s.store.BodyVersion(ctx, body)
		if err != nil || told != nil && version == before {
			return err
		}
		before = version
		t.at(version)
		states, err := s.referenceStates(ctx, body, references, t.arrivals)
		switch {
		case errors.Is(err, ErrTooManyPayments):
			half := len(references) / 2
			if err := s.tellSome(ctx, body, references[:half], t); err != nil {
				return err
			}
			return s.tellSome(ctx, body, references[half:], t)
		case err != nil || told != nil && reflect.DeepEqual(states, told):
			return err
		}
		if err := s.due.Update(ctx, body, states); err != nil {
			return err
		}
		told = states
		t.told(states)
	}
}

// telling has the state of tellSettlement between its pages.
type telling struct {
	version  int64                          // the version of the body at which the arrivals were read
	arrivals map[uuid.UUID]arrival          // by the ID of the settlement
	several  map[paymentfile.Reference]bool // references with several payments that were told
}

// at removes the arrivals if the body no longer has the version at which they were read.
func (t *telling) at(version int64) {
	if t.version != version || t.arrivals == nil {
		t.version, t.arrivals = version, map[uuid.UUID]arrival{}
	}
}

// told remembers the references that have several payments. Otherwise each page with one of these
// payments would tell all of them again.
func (t *telling) told(states []ReferenceState) {
	if t.several == nil {
		t.several = map[paymentfile.Reference]bool{}
	}
	for _, s := range states {
		if len(s.Payments) > 1 {
			t.several[s.Reference] = true
		}
	}
}

// referenceStates returns the states of references. It adds the arrivals that it reads to arrivals. The
// error is an [ErrTooManyPayments] if several references have too many payments together; one
// reference may have any number.
func (s *Service) referenceStates(ctx context.Context, body flussi.OrganizationCode, references []paymentfile.Reference, arrivals map[uuid.UUID]arrival) ([]ReferenceState, error) {
	w := s.newWork(body)
	if len(references) == 1 {
		w.limit = math.MaxInt
	}
	if err := w.readPayments(ctx, PaymentFilter{References: references}); err != nil {
		return nil, err
	}
	payments := slices.SortedFunc(maps.Values(w.payments), earlier)
	of := map[uuid.UUID]bool{}
	for _, p := range payments {
		of[p.Settlement] = true
	}
	if err := w.readSettlementsByID(ctx, of); err != nil {
		return nil, err
	}
	for id := range of {
		if err := w.readArrival(ctx, id, arrivals); err != nil {
			return nil, err
		}
	}
	paid := map[paymentfile.Reference][]Paid{}
	for _, p := range payments {
		switch p.State {
		case PaymentSetAside, PaymentUnusable, PaymentDropped:
			continue
		}
		settlement := w.facts.settlements[p.Settlement]
		one := Paid{Status: p.status(settlement), State: p.State, Payment: p.ID, Settlement: settlement.FlowID, IUR: p.IUR, Index: p.Index,
			Amount: p.Amount, Date: p.Date, Body: p.Body}
		if one.Status == PaidConfirmed {
			one.receive(arrivals[p.Settlement])
		}
		if p.Decision.Kind == DecisionMatched {
			one.By = p.Decision.By
		}
		paid[p.Target] = append(paid[p.Target], one)
	}
	if err := w.addSingles(ctx, references, payments, paid); err != nil {
		return nil, err
	}
	states := make([]ReferenceState, len(references))
	for i, r := range references {
		states[i] = ReferenceState{r, paid[r]}
	}
	return states, nil
}

// readArrival reads the arrival of a settlement that the treasury has as a whole, unless it is in
// arrivals. A settlement that changes meanwhile is told again.
func (w *work) readArrival(ctx context.Context, id uuid.UUID, arrivals map[uuid.UUID]arrival) error {
	if _, known := arrivals[id]; known || w.facts.settlements[id].State != SettlementCovered {
		return nil
	}
	found, err := w.readMovements(ctx, MovementFilter{Settlement: id})
	if err != nil {
		return err
	}
	var movements []Movement
	for _, found := range found {
		m := w.facts.movements[found]
		if slices.ContainsFunc(m.Parts, func(p Part) bool { return p.Settlement == id }) {
			movements = append(movements, m)
		}
	}
	arrivals[id] = newArrival(movements)
	return nil
}

// addSingles adds the single payments of references. No settlement lists them. Payments of the same
// reference in settlements count first: of a single payment, only the day is known on which the
// treasury received it, not the day on which it was made.
func (w *work) addSingles(ctx context.Context, references []paymentfile.Reference, payments []*Payment, paid map[paymentfile.Reference][]Paid) error {
	singles, err := w.readMovements(ctx, MovementFilter{References: references, States: []MovementState{MovementSinglePayment}})
	if err != nil || len(singles) == 0 {
		return err
	}
	expected, err := w.due.Expected(ctx, w.body, slices.Clone(references))
	if err != nil {
		return err
	}
	slices.SortFunc(singles, func(a, b uuid.UUID) int {
		first, second := w.facts.movements[a], w.facts.movements[b]
		return cmp.Or(first.Date.Compare(second.Date), strings.Compare(first.Number, second.Number), strings.Compare(a.String(), b.String()))
	})
	claiming := slices.DeleteFunc(slices.Clone(payments), func(p *Payment) bool { return p.State != PaymentExpected && p.State != PaymentAmountDiffers })
	for _, id := range singles {
		m := w.facts.movements[id]
		claiming = append(claiming, &Payment{ID: id, Reference: m.Reference, Target: m.Reference, Amount: m.Amount})
	}
	claims := newClaims(expected, claiming)
	for i, p := range claiming {
		state := claims.claim(p)
		if i < len(claiming)-len(singles) {
			continue
		}
		m := w.facts.movements[p.ID]
		one := Paid{State: state, Amount: m.Amount, Date: m.Date, Body: m.Body}
		one.receive(newArrival([]Movement{m}))
		paid[m.Reference] = append(paid[m.Reference], one)
	}
	return nil
}

// arrival says by which movements the treasury received a settlement or a single payment. The zero
// arrival is none.
type arrival struct {
	first   uuid.UUID // the ID of the first movement by its number
	numbers []string  // of the sospesi, sorted
	at      time.Time // the date of the last movement
}

func newArrival(movements []Movement) arrival {
	slices.SortFunc(movements, func(a, b Movement) int {
		return cmp.Or(strings.Compare(a.Number, b.Number), strings.Compare(a.ID.String(), b.ID.String()))
	})
	var a arrival
	for i, m := range movements {
		if i == 0 {
			a.first = m.ID
		}
		a.numbers = append(a.numbers, m.Number)
		if m.Date.After(a.at) {
			a.at = m.Date
		}
	}
	return a
}

// receive sets the fields of a payment that the treasury received.
func (p *Paid) receive(a arrival) {
	p.Status, p.Movements, p.Movement, p.Received = PaidConfirmed, slices.Clone(a.numbers), a.first, a.at
}
