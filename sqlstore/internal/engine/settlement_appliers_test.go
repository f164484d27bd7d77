package engine_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	settlementstore "github.com/flussi-go/flussi/pagoinrete/settlement/memstore"
)

// file applies a file of a body.
type file func(context.Context, *settlement.Service) error

// randomFiles returns settlements in several revisions, which share references, and journals that
// transfer them: at once, in parts, with cut identifiers, reversed, regularised, more than once.
func randomFiles(m *rand.Rand, body flussi.OrganizationCode) []file {
	var files []file
	journals := make([][]paymentfile.Movement, 3)
	number := 0
	enter := func(operation paymentfile.Operation, of string, amount flussi.Cents, causale string) string {
		if of == "" {
			number++
			of = fmt.Sprint(number)
		}
		row := paymentfile.Movement{Account: "1", Direction: paymentfile.Incoming, Document: paymentfile.DocumentIncomingSuspense, Operation: operation,
			DocumentNumber: of, Amount: amount, Date: paymentfile.Day{Year: 2026, Month: 3, Day: 3 + m.IntN(3)}, Causale: flussi.NewText(causale)}
		for range 1 + m.IntN(2) { // journals repeat rows
			in := m.IntN(len(journals))
			if !slices.ContainsFunc(journals[in], func(other paymentfile.Movement) bool {
				return other.DocumentNumber == of && other.Operation == operation
			}) {
				journals[in] = append(journals[in], row)
			}
		}
		return of
	}
	for n := range 5 {
		id := treasuryFlowID(n)
		var total flussi.Cents
		for revision := range 1 + m.IntN(3) {
			head := paymentfile.Settlement{ID: id, Body: body, PSP: paymentfile.Party{Code: "BANKITXX"}, CreatedAt: begin.Add(time.Duration(revision) * time.Hour), TransferID: "TRN"}
			var rows []paymentfile.Payment
			for i := range 2 + m.IntN(6) {
				p := paymentfile.Payment{Number: i + 1, Reference: treasuryReference(m.IntN(12)), IUR: fmt.Sprint(n, i), Index: 1, Amount: 5000, Date: paymentfile.Day{Year: 2026, Month: 3, Day: 1 + m.IntN(2)}}
				switch m.IntN(10) {
				case 0:
					p.Amount = 4900
				case 1:
					p.Outcome = paymentfile.OutcomeRevoked
				}
				p.SignedAmount = p.Net()
				head.Total += p.Net()
				rows = append(rows, p)
			}
			if total = head.Total; m.IntN(8) == 0 {
				head.Total += 100 // which its rows contradict
			}
			files = append(files, func(ctx context.Context, s *settlement.Service) error {
				_, err := s.ApplySettlement(ctx, clerk, settlement.File{Header: head, Payments: rowsOf(rows)})
				return err
			})
		}
		causale := "/PUR/LGPE-RIVERSAMENTO/URI/"
		switch amount := max(total, 100); m.IntN(6) {
		case 0:
			enter(paymentfile.OperationExecuted, "", amount/2, causale+id)
			enter(paymentfile.OperationExecuted, "", amount-amount/2, causale+id)
		case 1:
			enter(paymentfile.OperationExecuted, "", amount, causale+id[:15])
		case 2:
			of := enter(paymentfile.OperationExecuted, "", amount, causale+id)
			enter(paymentfile.OperationReversed, of, amount, "STORNO")
			enter(paymentfile.OperationExecuted, "", amount, causale+id)
		case 3:
			enter(paymentfile.OperationExecuted, "", 5000, "/RFB/"+treasuryReference(m.IntN(12)).Reveal()+"/50.00/TXT/MENSA")
			fallthrough
		default:
			of := enter(paymentfile.OperationExecuted, "", amount, causale+id)
			enter(paymentfile.OperationRegularised, of, amount, "ORDINE")
		}
	}
	for i, rows := range journals {
		head := paymentfile.Journal{ID: fmt.Sprint("GDC", i), BankABI: "01234", Body: body, Year: 2026}
		files = append(files, func(ctx context.Context, s *settlement.Service) error {
			_, err := s.ApplyJournal(ctx, clerk, head, rowsOf(rows))
			return err
		})
	}
	return files
}

func rowsOf[T any](rows []T) func(func(T, error) bool) {
	return func(yield func(T, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// toldTo returns what is due, and a map of what it was told last.
func toldTo() (settlement.Due, map[string]string) {
	var mutex sync.Mutex
	told := map[string]string{}
	return bills{func(reference, standing string) {
		mutex.Lock()
		defer mutex.Unlock()
		if told[reference] = standing; standing == "" {
			delete(told, reference)
		}
	}}, told
}

// Several offices of a body apply the same files at once, each in its own order. All succeed. What they
// store and tell is the same as if one office had applied the files one after the other.
func TestAppliersAtOnceGiveTheResultOfOne(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(testing.TB) database) {
		store := open(t)
		for round := range killRounds(t, 3) {
			seed := rand.Uint64()
			m, body := rand.New(rand.NewPCG(seed, 0)), organization(round)
			files := randomFiles(m, body)
			due, wantTold := toldTo()
			alone := must.Get(newOffice(settlementstore.New(), due, body, 0, 0))(t)
			for _, apply := range files {
				require.NoError(t, apply(t.Context(), alone.Service))
			}
			due, told := toldTo()
			var all sync.WaitGroup
			errs := make([]error, 4)
			offices := make([]*office, len(errs))
			for i := range offices {
				offices[i] = must.Get(newOffice(store, due, body, 0, 0))(t)
				order := m.Perm(len(files))
				all.Go(func() {
					for _, n := range order {
						errs[i] = errors.Join(errs[i], files[n](t.Context(), offices[i].Service))
					}
				})
			}
			all.Wait()
			require.NoError(t, errors.Join(errs...), "seed %d", seed)
			require.Equal(t, alone.result(t.Context(), t), offices[0].result(t.Context(), t), "seed %d", seed)
			require.True(t, maps.Equal(wantTold, told), "seed %d: want %v, got %v", seed, wantTold, told)
		}
	})
}
