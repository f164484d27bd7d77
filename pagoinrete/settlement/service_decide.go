package settlement

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// MaxReason is the longest reason of a decision, in UTF-16 code units.
const MaxReason = 500

// ManualMatch is a part of a movement that an operator matches or sets aside.
type ManualMatch struct {
	Settlement uuid.UUID    // the settlement to which the part belongs; the zero UUID sets the part aside
	Amount     flussi.Cents // of the part; 0 for the rest of the movement
}

// MatchMovement matches a movement by hand, as a whole or split into parts. The decision replaces
// the automatic match. If the parts do not add up to the amount of the movement, the rest is a
// [PartWaiting]. The reason is required. The error is an [ErrAlreadyDecided] if there is a decision
// already, and an [ErrAmount] if the parts are more than the amount.
func (s *Service) MatchMovement(ctx context.Context, by flussi.Actor, id uuid.UUID, parts []ManualMatch, reason string) (Movement, error) {
	m, err := s.changeMovement(ctx, by, id, step{ActionDecide, by, reason}, func(w *work, m *Movement) error {
		if len(m.Decisions) > 0 {
			return ErrAlreadyDecided
		}
		if err := checkReason(reason); err != nil {
			return err
		}
		var err error
		m.Decisions, err = w.decidedParts(ctx, *m, parts, reason)
		return err
	})
	return m, failed("match movement", entityMovement, id, err)
}

// ReleaseMovement takes a decision about a movement back. The movement is matched automatically
// again.
func (s *Service) ReleaseMovement(ctx context.Context, by flussi.Actor, id uuid.UUID, reason string) (Movement, error) {
	m, err := s.changeMovement(ctx, by, id, step{ActionRelease, by, reason}, func(_ *work, m *Movement) error {
		if len(m.Decisions) == 0 {
			return ErrNoDecision
		}
		m.Decisions = nil
		return checkReason(reason)
	})
	return m, failed("release movement", entityMovement, id, err)
}

// changeMovement changes what operators decided about a movement.
func (s *Service) changeMovement(ctx context.Context, by flussi.Actor, id uuid.UUID, step step, change func(*work, *Movement) error) (Movement, error) {
	m, err := s.movement(ctx, by, id)
	if err != nil {
		return Movement{}, err
	}
	err = s.write(ctx, m.Body, step, func(w *work) error {
		if _, err := w.readMovements(ctx, MovementFilter{IDs: []uuid.UUID{id}}); err != nil {
			return err
		}
		m := w.facts.movements[id]
		if err := change(w, &m); err != nil {
			return err
		}
		w.facts.movements[id], w.done[id] = m, true
		return w.rematch(ctx, touched{settlements: map[uuid.UUID]bool{}, movements: map[uuid.UUID]bool{id: true}})
	})
	if err == nil {
		err = s.tell(ctx, by, m.Body)
	}
	if err != nil {
		return Movement{}, err
	}
	return s.store.Movement(ctx, id)
}

// decidedParts checks the parts into which an operator splits a movement.
func (w *work) decidedParts(ctx context.Context, m Movement, parts []ManualMatch, reason string) ([]DecidedPart, error) {
	if len(parts) == 0 {
		return nil, refuse(flussi.ErrInvalid, "Indicare a che cosa abbinare il movimento.")
	}
	wanted, rest, at := map[uuid.UUID]bool{}, m.Amount, core.Now()
	var open []int
	hand := make([]DecidedPart, len(parts))
	for i, part := range parts {
		hand[i] = DecidedPart{part.Settlement, part.Amount, flussi.NewText(reason), w.step.by.ID, at}
		if part.Settlement != uuid.Nil {
			wanted[part.Settlement] = true
		}
		switch {
		case part.Amount < 0 || part.Amount > rest:
			return nil, ErrAmount
		case part.Amount == 0:
			open = append(open, i)
		}
		rest -= part.Amount
	}
	if len(open) > 1 || len(open) == 1 && rest <= 0 {
		return nil, ErrAmount
	}
	for _, i := range open {
		hand[i].Amount = rest
	}
	if err := w.readSettlementsByID(ctx, wanted); err != nil {
		return nil, err
	}
	for id := range wanted {
		if _, is := w.facts.settlements[id]; !is {
			return nil, flussi.ErrNotFound
		}
	}
	return hand, nil
}

// MatchPayment makes a payment count for another reference than its file has, such as the IUV of
// the notice that was meant. The reason is required. The error is an [ErrAlreadyDecided] if there is a
// decision already.
func (s *Service) MatchPayment(ctx context.Context, by flussi.Actor, id uuid.UUID, target paymentfile.Reference, reason string) (Payment, error) {
	p, err := s.changePayment(ctx, by, id, step{ActionDecide, by, reason}, func(p *Payment) error {
		if target.IsZero() {
			return refuse(flussi.ErrInvalid, "Indicare lo IUV a cui abbinare il pagamento.")
		}
		if err := p.decide(DecisionMatched, by, reason); err != nil {
			return err
		}
		p.PreviousTarget, p.Target = p.Target, target
		return nil
	})
	return p, failed("match payment", entityPayment, id, err)
}

// SetPaymentAside sets a payment aside that belongs to nothing that is due. The reason is required.
// The error is an [ErrAlreadyDecided] if there is a decision already.
func (s *Service) SetPaymentAside(ctx context.Context, by flussi.Actor, id uuid.UUID, reason string) (Payment, error) {
	p, err := s.changePayment(ctx, by, id, step{ActionDecide, by, reason}, func(p *Payment) error {
		return p.decide(DecisionSetAside, by, reason)
	})
	return p, failed("set payment aside", entityPayment, id, err)
}

// ReleasePayment takes a decision about a payment back.
func (s *Service) ReleasePayment(ctx context.Context, by flussi.Actor, id uuid.UUID, reason string) (Payment, error) {
	p, err := s.changePayment(ctx, by, id, step{ActionRelease, by, reason}, func(p *Payment) error {
		if p.Decision.IsZero() {
			return ErrNoDecision
		}
		if p.Target != p.Reference {
			p.PreviousTarget, p.Target = p.Target, p.Reference
		}
		p.Decision = Decision{}
		return checkReason(reason)
	})
	return p, failed("release payment", entityPayment, id, err)
}

// decide records a decision.
func (p *Payment) decide(kind DecisionKind, by flussi.Actor, reason string) error {
	if !p.Decision.IsZero() {
		return ErrAlreadyDecided
	}
	p.Decision = Decision{kind, flussi.NewText(reason), by.ID, core.Now()}
	return checkReason(reason)
}

// changePayment changes what operators decided about a payment.
func (s *Service) changePayment(ctx context.Context, by flussi.Actor, id uuid.UUID, step step, change func(*Payment) error) (Payment, error) {
	p, err := s.payment(ctx, by, id)
	if err != nil {
		return Payment{}, err
	}
	err = s.write(ctx, p.Body, step, func(w *work) error {
		if err := w.readPayments(ctx, PaymentFilter{IDs: []uuid.UUID{id}}); err != nil {
			return err
		}
		p := w.payments[id]
		before, earlier := []paymentfile.Reference{p.Reference, p.Target}, p.PreviousTarget
		if err := change(p); err != nil {
			return err
		}
		if p.Target != before[1] && !earlier.IsZero() {
			return errUnreported
		}
		w.done[id] = true
		return w.classify(ctx, slices.Values(append(before, p.Target)))
	})
	if err == nil {
		err = s.tell(ctx, by, p.Body)
	}
	if err != nil {
		return Payment{}, err
	}
	return s.store.Payment(ctx, id)
}

// checkReason refuses a reason that is empty or too long.
func checkReason(reason string) error {
	var wrong core.Invalid
	wrong.Text(core.TextRule{Field: "Reason", Name: "la motivazione", Max: MaxReason, Required: true}, reason)
	return wrong.OrNil()
}
