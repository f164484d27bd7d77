package settlement

import (
	"iter"
	"maps"
	"slices"

	"github.com/flussi-go/flussi"
)

// Summary adds up settlements, their payments and movements. Every settlement, every payment and
// every cent of a movement is in exactly one tally of its list. [Service.Summary] returns a
// Summary; the Add methods fill one. The zero Summary is empty. It is not safe for concurrent use.
type Summary struct {
	Settlements map[SettlementState]Tally // by state, with their totals
	Covered     flussi.Cents              // the sum of the movements that belong to settlements
	Payments    map[Finding]Tally         // without the dropped ones; revoked amounts count as negative
	Parts       map[PartKind]Tally        // the parts of movements that have an amount
	Reversed    Tally                     // movements without an amount, or with a negative one
}

// AddSettlement adds a settlement, without its payments.
func (s *Summary) AddSettlement(e Settlement) {
	enter(&s.Settlements, e.State, Tally{1, e.Total})
	s.Covered += e.Covered
}

// AddCounts adds the payments of a settlement by its Counts. They do not say whether a receipt is
// known, so [FindingNoReceipt] has those of [FindingComplete] too.
func (s *Summary) AddCounts(e Settlement) {
	for _, state := range PaymentStates() {
		if tally := *e.Counts.of(state); tally != (Tally{}) && state != PaymentDropped {
			enter(&s.Payments, findingOf(state, e.State), tally)
		}
	}
}

// AddPayment adds a payment, unless it was dropped.
func (s *Summary) AddPayment(line PaymentLine) {
	if line.Payment.State != PaymentDropped {
		enter(&s.Payments, line.Finding(), Tally{1, line.Payment.Net()})
	}
}

// AddMovement adds a movement.
func (s *Summary) AddMovement(m Movement) {
	if len(m.Parts) == 0 {
		s.Reversed.join(Tally{1, m.Amount})
	}
	for _, part := range m.Parts {
		enter(&s.Parts, part.Kind, Tally{1, part.Amount})
	}
}

// enter adds to a tally of a map.
func enter[K comparable](tallies *map[K]Tally, key K, tally Tally) {
	if *tallies == nil {
		*tallies = map[K]Tally{}
	}
	tally.join((*tallies)[key])
	(*tallies)[key] = tally
}

// SettlementTotal returns all settlements together.
func (s *Summary) SettlementTotal() Tally { return sum(s.Settlements) }

// PaymentTotal returns all payments together.
func (s *Summary) PaymentTotal() Tally { return sum(s.Payments) }

// MovementTotal returns all movements together, by their parts, which add up to the amounts of the
// journals.
func (s *Summary) MovementTotal() Tally {
	all := sum(s.Parts)
	all.join(s.Reversed)
	return all
}

func sum[K comparable](tallies map[K]Tally) Tally {
	var all Tally
	for _, tally := range tallies {
		all.join(tally)
	}
	return all
}

// SummaryLine is a line of a summary, in the words of operators.
type SummaryLine struct {
	Section string // "Flussi", "Pagamenti" or "Movimenti"
	Label   string // the state, the finding or the kind; in a line with IsTotal, what it adds up
	IsTotal bool   // the line adds up lines above it or compares sums, so do not add it to the others
	Tally          // the Number is 0 in a line that compares sums
}

// Lines returns the lines of the summary in a fixed order, without empty tallies. The lines of a
// section add up to its total. The lines are made when the sequence is pulled.
func (s *Summary) Lines() iter.Seq[SummaryLine] {
	return func(yield func(SummaryLine) bool) {
		for _, line := range s.lines() {
			if !yield(line) {
				return
			}
		}
	}
}

func (s *Summary) lines() []SummaryLine {
	var lines []SummaryLine
	const settlements, payments, movements = "Flussi", "Pagamenti", "Movimenti"
	lines = appendTallies(lines, settlements, s.Settlements, SettlementStates(), SettlementState.Label)
	transferred, paid := s.SettlementTotal(), s.PaymentTotal()
	lines = append(lines, SummaryLine{settlements, "Totale dei flussi", true, transferred},
		SummaryLine{settlements, "Riscontrato in tesoreria", true, Tally{0, s.Covered}},
		SummaryLine{settlements, "Da riscontrare in tesoreria", true, Tally{0, transferred.Amount - s.Covered}})
	lines = appendTallies(lines, payments, s.Payments, Findings(), Finding.Label)
	lines = append(lines, SummaryLine{payments, "Totale dei pagamenti", true, paid})
	if transferred.Amount != paid.Amount {
		lines = append(lines, SummaryLine{payments, "Differenza dal totale dei flussi", true, Tally{0, transferred.Amount - paid.Amount}})
	}
	lines = appendTallies(lines, movements, s.Parts, PartKinds(), PartKind.Label)
	if s.Reversed.Number > 0 {
		lines = append(lines, SummaryLine{movements, MovementReversed.Label(), false, s.Reversed})
	}
	return append(lines, SummaryLine{movements, "Totale dei movimenti", true, s.MovementTotal()})
}

// appendTallies appends a line for each key that has something: the known ones in their order, then
// others.
func appendTallies[K ~string](lines []SummaryLine, list string, tallies map[K]Tally, known []K, label func(K) string) []SummaryLine {
	others := slices.DeleteFunc(slices.Sorted(maps.Keys(tallies)), func(key K) bool { return slices.Contains(known, key) })
	for _, key := range slices.Concat(known, others) {
		if tally := tallies[key]; tally != (Tally{}) {
			lines = append(lines, SummaryLine{list, label(key), false, tally})
		}
	}
	return lines
}
