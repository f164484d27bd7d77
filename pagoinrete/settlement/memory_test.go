package settlement_test

import (
	"context"
	"fmt"
	"hash/crc32"
	"iter"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/pagoinrete/settlement/memstore"
)

// forgetting is a store that drops payments, and measures the memory while it pulls them.
type forgetting struct {
	settlement.Store
	pulled *int
	most   *uint64
}

func (f forgetting) Save(ctx context.Context, changes settlement.Changes) error {
	measure := func() {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		*f.most = max(*f.most, stats.HeapAlloc)
	}
	measure()
	if changes.Payments != nil {
		for _, err := range changes.Payments {
			if err != nil {
				return err
			}
			if *f.pulled++; *f.pulled%10_000 == 0 {
				measure()
			}
		}
		changes.Payments = nil
	}
	return f.Store.Save(ctx, changes)
}

// unknown is a Due that expects nothing.
type unknown struct{}

func (unknown) Expected(context.Context, flussi.OrganizationCode, []paymentfile.Reference) (map[paymentfile.Reference]settlement.Expectation, error) {
	return nil, nil
}
func (unknown) Update(context.Context, flussi.OrganizationCode, []settlement.ReferenceState) error {
	return nil
}

// huge returns the file of a settlement with many rows.
func huge(id string, revision, rows int, amount flussi.Cents) settlement.File {
	return settlement.File{
		Header: paymentfile.Settlement{ID: id, Body: school, PSP: paymentfile.Party{Code: "BANKITXX"}, Revision: revision,
			CreatedAt: time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC), Total: amount * flussi.Cents(rows), Date: day(2)},
		Payments: func(yield func(paymentfile.Payment, error) bool) {
			for i := range rows {
				r := paymentfile.NewReference(fmt.Sprintf("3%08d%08d", crc32.ChecksumIEEE([]byte(id))%100_000_000, i*7919%rows))
				p := paymentfile.Payment{Number: i + 1, Reference: r, IUR: fmt.Sprintf("c110729d258c4ab1b765fe9%012d", i), Index: 1,
					Amount: amount, SignedAmount: amount, Date: day(0)}
				if !yield(p, nil) {
					return
				}
			}
		},
	}
}

func TestRowsOfASettlementTakeLittleMemory(t *testing.T) {
	const rows = 60_000
	var pulled int
	var most uint64
	store := forgetting{memstore.New(), &pulled, &most}
	service := must.Get(settlement.NewService(store, settlement.Permissions{clerk.ID: {school}}, unknown{}))(t)
	must.Get(service.ApplySettlement(t.Context(), clerk, huge("2026-03-01BANKIT-0", 1, 1, 500)))(t)
	before := most
	must.Get(service.ApplySettlement(t.Context(), clerk, huge(flowID, 1, rows, 500)))(t)
	assert.Equal(t, rows+1, pulled)
	perRow := float64(most-before) / rows
	t.Logf("%.0f bytes for each row", perRow)
	assert.Less(t, perRow, 250.0)
}

// BenchmarkApplyHuge applies a settlement of many rows to a store in memory, again with other
// amounts, and its movements; a journal of many rows about one movement; and a journal of many
// movements before their settlements, all of one amount. The time for each row must not grow with
// their number.
func BenchmarkApplyHuge(b *testing.B) {
	service := func() (*settlement.Service, settlement.Store) {
		store := memstore.New()
		return must.Get(settlement.NewService(store, settlement.Permissions{clerk.ID: {school}}, unknown{}))(b), store
	}
	perRow := func(b *testing.B, rows int) {
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(rows), "µs/row")
	}
	moves := func(count int, amount flussi.Cents, causale func(int) string) iter.Seq2[paymentfile.Movement, error] {
		return func(yield func(paymentfile.Movement, error) bool) {
			for i := range count {
				m := paymentfile.Movement{Account: "1", Direction: paymentfile.Incoming, Document: paymentfile.DocumentIncomingSuspense,
					Operation: paymentfile.OperationExecuted, DocumentNumber: fmt.Sprint(i), Amount: amount, Date: day(5), Causale: flussi.NewText(causale(i))}
				if !yield(m, nil) {
					return
				}
			}
		}
	}
	head := paymentfile.Journal{ID: "GDC", BankABI: "01234", Body: school, Year: 2026}
	for _, rows := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint("settlement/", rows), func(b *testing.B) {
			for b.Loop() {
				s, store := service()
				must.Get(s.ApplySettlement(b.Context(), clerk, huge(flowID, 1, rows, 500)))(b)
				runtime.KeepAlive(store)
			}
			perRow(b, rows)
		})
		b.Run(fmt.Sprint("revision/", rows), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				s, store := service()
				must.Get(s.ApplySettlement(b.Context(), clerk, huge(flowID, 1, rows, 500)))(b)
				b.StartTimer()
				must.Get(s.ApplySettlement(b.Context(), clerk, huge(flowID, 2, rows, 600)))(b)
				runtime.KeepAlive(store)
			}
			perRow(b, rows)
		})
	}
	for _, count := range []int{2_500, 10_000} {
		b.Run(fmt.Sprint("movements of one/", count), func(b *testing.B) {
			for b.Loop() {
				s, _ := service()
				must.Get(s.ApplySettlement(b.Context(), clerk, huge(flowID, 1, count, 500)))(b)
				must.Get(s.ApplyJournal(b.Context(), clerk, head, moves(count, 500, func(int) string { return uri(flowID) })))(b)
				found := must.Get(s.Settlement(b.Context(), clerk, settlement.SettlementID(school, "BANKITXX", flowID)))(b)
				require.Equal(b, settlement.SettlementCovered, found.State)
			}
			perRow(b, count)
		})
		b.Run(fmt.Sprint("rows of one movement/", count), func(b *testing.B) {
			for b.Loop() {
				s, _ := service()
				rows := func(yield func(paymentfile.Movement, error) bool) {
					for m := range moves(count, 500, func(int) string { return uri(flowID) }) {
						if m.PayerNumber, m.DocumentNumber = m.DocumentNumber, "7"; m.PayerNumber != "0" {
							m.Operation = paymentfile.OperationRegularised
						}
						if !yield(m, nil) {
							return
						}
					}
				}
				must.Get(s.ApplyJournal(b.Context(), clerk, head, rows))(b)
				m := must.Get(s.Movement(b.Context(), clerk, settlement.MovementID(school, "01234", 2026, "1", "7")))(b)
				require.Equal(b, flussi.Cents(500*(count-1)), m.Regularised)
			}
			perRow(b, count)
		})
		b.Run(fmt.Sprint("journal first/", count), func(b *testing.B) {
			id := func(i int) string { return fmt.Sprintf("2026-03-01BANKIT-%06d", i) }
			for b.Loop() {
				s, _ := service()
				must.Get(s.ApplyJournal(b.Context(), clerk, head, moves(count, 500, func(i int) string { return uri(id(i)) })))(b)
				for i := range count {
					must.Get(s.ApplySettlement(b.Context(), clerk, huge(id(i), 1, 1, 500)))(b)
				}
				last := must.Get(s.Movement(b.Context(), clerk, settlement.MovementID(school, "01234", 2026, "1", fmt.Sprint(count-1))))(b)
				require.Equal(b, settlement.MovementMatched, last.State)
			}
			perRow(b, count)
		})
	}
}
