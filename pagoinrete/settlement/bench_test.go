package settlement_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/pagoinrete/settlement/memstore"
)

// BenchmarkApply applies settlements of ten payments each, and a journal with one movement for
// each. The time for each must not grow with their number.
func BenchmarkApply(b *testing.B) {
	for _, count := range []int{1_000, 4_000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			for b.Loop() {
				due := newTable()
				s := must.Get(settlement.NewService(memstore.New(), settlement.Permissions{clerk.ID: {school}}, due))(b)
				var movements []paymentfile.Movement
				for i := range count {
					head := paymentfile.Settlement{ID: fmt.Sprintf("2026-03-01BANKIT-%06d", i), Body: school, PSP: paymentfile.Party{Code: "BANKITXX"}, CreatedAt: time.Now()}
					var rows []paymentfile.Payment
					for j := range 10 {
						p := row(paymentfile.NewReference(fmt.Sprintf("%017d", i*10+j)), "A", flussi.Cents(1000+i%7))
						head.Total += p.Amount
						rows = append(rows, p)
					}
					_, err := s.ApplySettlement(b.Context(), clerk, settlement.File{Header: head, Payments: sequence(rows)})
					require.NoError(b, err)
					movements = append(movements, paymentfile.Movement{Account: "1", Direction: paymentfile.Incoming, Document: paymentfile.DocumentIncomingSuspense,
						Operation: paymentfile.OperationExecuted, DocumentNumber: fmt.Sprint(i), Amount: head.Total, Date: day(5), Causale: flussi.NewText(uri(head.ID))})
				}
				_, err := s.ApplyJournal(b.Context(), clerk, paymentfile.Journal{ID: "GDC", BankABI: "01234", Body: school, Year: 2026}, sequence(movements))
				require.NoError(b, err)
				runtime.KeepAlive(s)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(count), "µs/settlement")
		})
	}
}
