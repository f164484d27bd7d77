package settlementexcel_test

import (
	"fmt"
	"io"
	"iter"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/benchtest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/pagoinrete/settlementexcel"
)

// made yields rows that a function makes.
func made[T any](n int, row func(i int) T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for i := range n {
			if !yield(row(i), nil) {
				return
			}
		}
	}
}

// BenchmarkExport writes reports of settlements of a hundred payments each, with a movement for
// each. The time for each payment and the memory must not grow with their number.
func BenchmarkExport(b *testing.B) {
	for _, payments := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(payments), func(b *testing.B) {
			flow := func(i int) settlement.Settlement {
				return settlement.Settlement{ID: uuid.New(), FlowID: fmt.Sprintf("2026-03-01BANKIT-%06d", i), PSP: "BANKITXX", Total: 100_000, Covered: 100_000, State: settlement.SettlementCovered}
			}
			movement := func(i int) settlement.MovementLine {
				return settlement.MovementLine{Settlements: []settlement.Settlement{flow(i)}, Movement: settlement.Movement{ID: uuid.New(), Number: fmt.Sprint(i), Amount: 100_000, State: settlement.MovementMatched,
					Parts:   []settlement.Part{{Kind: settlement.PartMatched, Amount: 100_000}},
					Entries: []settlement.Entry{{Causale: flussi.NewText(fmt.Sprintf("/PUR/LGPE-RIVERSAMENTO/URI/2026-03-01BANKIT-%06d", i))}}}}
			}
			s := settlementexcel.Sources{
				Settlements: made(payments/100, flow), Movements: made(payments/100, movement),
				Payments: made(payments, func(i int) settlement.PaymentLine {
					r := paymentfile.NewReference(fmt.Sprintf("%017d", i))
					return settlement.PaymentLine{Settlement: flow(i / 100), Purpose: settlement.Purpose{Event: "Viaggio a Firenze", Chapter: "06/04"},
						Payment: settlement.Payment{ID: uuid.New(), Reference: r, Target: r, IUR: "A", Amount: 1000, Expected: 1000, State: settlement.PaymentExpected}}
				}),
				Allocations: made(payments/20, func(i int) settlement.Allocation {
					return settlement.Allocation{Movement: movement(i / 5).Movement, Purpose: settlement.Purpose{Event: fmt.Sprint("Evento ", i%5)}, Amount: 20_000, Payments: 20}
				}),
			}
			t := must.Get(settlementexcel.New(settlementexcel.Config{}))(b)
			var peak uint64
			for b.Loop() {
				peak = max(peak, benchtest.Peak(func() { require.NoError(b, t.Export(b.Context(), io.Discard, s)) }))
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(payments), "µs/payment")
			b.ReportMetric(float64(peak)/(1<<20), "peak-MB")
		})
	}
}
