package settlement

import (
	"maps"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// Recompute matches all movements and settlements of a body at once.
func Recompute(settlements []Settlement, movements []Movement) ([]Settlement, []Movement) {
	f := facts{map[uuid.UUID]Settlement{}, map[uuid.UUID]Movement{}}
	for _, s := range settlements {
		f.settlements[s.ID] = s
	}
	for _, m := range movements {
		m.Parts, m.State, m.Unresolved = nil, "", false
		m.derive(nil)
		f.movements[m.ID] = m
	}
	matched := maps.Clone(f.movements)
	for i, m := range movements {
		m = f.movements[m.ID]
		f.match(&m)
		matched[m.ID], movements[i] = m, m
	}
	covered := map[uuid.UUID]flussi.Cents{}
	for _, m := range matched {
		for _, part := range m.Parts {
			covered[part.Settlement] += part.Amount
		}
	}
	for i, s := range settlements {
		s.Covered = covered[s.ID]
		s.State = s.state()
		settlements[i] = s
	}
	return settlements, movements
}

// Classify sets the states of all payments of a body.
func Classify(payments []Payment, expected map[paymentfile.Reference]Expectation) []Payment {
	var all []*Payment
	for i := range payments {
		all = append(all, &payments[i])
	}
	classify(all, expected)
	return payments
}

// LimitGroup limits the payments that a service classifies together.
func (s *Service) LimitGroup(payments int) { s.group = payments }
