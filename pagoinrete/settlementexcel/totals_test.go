package settlementexcel_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/exceltest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/pagoinrete/settlementexcel"
)

// said has the sums of files.
type said struct{ settlements, payments, movements flussi.Cents }

// hardFiles applies random settlements and journals with everything that complicates sums: wrong totals,
// revisions, revocations, duplicates, several transfers, parts, reversals, decisions of operators.
func hardFiles(t *testing.T, random *rand.Rand, s *settlement.Service) said {
	var sums said
	day := paymentfile.Day{Year: 2030, Month: 3, Day: 4}
	amount := func() flussi.Cents { return flussi.Cents(1 + random.IntN(20_000)) }
	references := []string{"01000000000000101", "010000000000102", "RF18539007547034", "01000000000000999", "ALTRO-1"}
	var ids []uuid.UUID
	var moves []paymentfile.Movement
	move := func(amount flussi.Cents, causale string) {
		if amount <= 0 {
			return
		}
		row := paymentfile.Movement{Account: "1", Direction: paymentfile.Incoming, Document: paymentfile.DocumentIncomingSuspense, Operation: paymentfile.OperationExecuted,
			DocumentNumber: fmt.Sprint(len(moves) + 1), Amount: amount, Date: day, Causale: flussi.NewText(causale)}
		moves = append(moves, row)
		switch random.IntN(8) {
		case 0:
			row.Operation = paymentfile.OperationReversed
			moves = append(moves, row)
		case 1:
			row.Operation, row.Amount = paymentfile.OperationReversed, amount/2+1
			moves = append(moves, row)
		case 2:
			row.Operation = paymentfile.OperationRegularised
			moves = append(moves, row)
		}
	}
	for n := range 6 {
		head := paymentfile.Settlement{ID: fmt.Sprintf("2030-03-04PSPXITR1XXX-%06d", n), Body: school(t), PSP: paymentfile.Party{Code: "PSP1"}, Date: day}
		var last said
		for head.Revision = range 1 + random.IntN(2) {
			var rows []paymentfile.Payment
			last, head.Total = said{}, 0
			for i := range random.IntN(7) {
				p := paymentfile.Payment{Number: i + 1, Reference: paymentfile.NewReference(references[random.IntN(len(references))]), IUR: fmt.Sprint("IUR", random.IntN(4)), Index: random.IntN(3),
					Amount: []flussi.Cents{12000, 3000, 1234, amount()}[random.IntN(4)], Date: day}
				if random.IntN(6) == 0 {
					p.Outcome = paymentfile.OutcomeRevoked
				}
				if random.IntN(10) == 0 {
					p.Faults = []*paymentfile.Fault{{Kind: paymentfile.FaultDuplicate, Blocking: true}}
				}
				p.SignedAmount = p.Net()
				last.payments += p.Net()
				rows = append(rows, p)
			}
			head.Total = last.payments
			if random.IntN(6) == 0 {
				head.Total += amount()
			}
			last.settlements = head.Total
			result := must.Get(s.ApplySettlement(t.Context(), clerk, settlement.File{Header: head, Payments: excel.Rows(slices.Values(rows))}))(t)
			if head.Revision == 0 {
				ids = append(ids, result.Settlement.ID)
			}
		}
		sums.settlements, sums.payments = sums.settlements+last.settlements, sums.payments+last.payments
		causale := "/PUR/LGPE-RIVERSAMENTO/URI/" + head.ID
		switch random.IntN(6) {
		case 0: // nothing arrived
		case 1:
			move(head.Total/3, causale)
			move(head.Total/3, causale)
		case 2:
			move(head.Total/3, causale)
			move(head.Total-head.Total/3, causale)
		case 3:
			move(head.Total+amount(), causale)
		case 4:
			move(head.Total, causale[:len(causale)-4])
		default:
			move(head.Total, causale)
		}
	}
	move(amount(), "SALDO")
	move(1234, "/RFS/RF18539007547034/12.34/TXT/MENSA")
	for _, row := range moves {
		sums.movements += row.Net()
	}
	journal := paymentfile.Journal{ID: "GDC", BankABI: "99999", Body: school(t), Year: 2030}
	must.Get(s.ApplyJournal(t.Context(), clerk, journal, excel.Rows(slices.Values(moves))))(t)
	for _, p := range must.Get(s.Payments(t.Context(), clerk, settlement.PaymentFilter{}, settlement.Page{Limit: 100}))(t).Payments {
		switch random.IntN(8) {
		case 0:
			must.Get(s.SetPaymentAside(t.Context(), clerk, p.ID, "Da restituire."))(t)
		case 1:
			must.Get(s.MatchPayment(t.Context(), clerk, p.ID, paymentfile.NewReference(references[0]), "IUV errato."))(t)
		}
	}
	for _, m := range must.Get(s.Movements(t.Context(), clerk, settlement.MovementFilter{}, settlement.Page{Limit: 100}))(t).Movements {
		if m.Amount > 10 && random.IntN(4) == 0 {
			parts := []settlement.ManualMatch{{Settlement: ids[random.IntN(len(ids))], Amount: m.Amount / 3}, {Amount: m.Amount / 4}, {Settlement: ids[random.IntN(len(ids))], Amount: 1}}
			must.Get(s.MatchMovement(t.Context(), clerk, m.ID, parts, "Diviso."))(t)
		}
	}
	return sums
}

// Whatever the files and the operators say, the sums of each sheet are those of the files, to the cent,
// and the sums of the first sheet are those of the others.
func TestSheetsAddUpToTheFiles(t *testing.T) {
	found := map[string]bool{}
	for seed := range uint64(40) {
		s := newService(t, someDues())
		want := hardFiles(t, rand.New(rand.NewPCG(seed, 18)), s)
		f, _ := exceltest.Open(t, exported(t, settlementexcel.SourcesOf(t.Context(), s, clerk, settlement.ReportFilter{}, someDues())))
		sum := func(sheet, header string) (sum flussi.Cents) {
			for _, row := range some(t, f, sheet, header) {
				sum += cents(t, row[0])
			}
			return sum
		}
		require.Equal(t, want, said{sum("Flussi", "Totale"), sum("Pagamenti", "Importo"), sum("Movimenti", "Importo")}, "seed %d", seed)
		require.Equal(t, want.payments, sum("Flussi", "Somma pagamenti"), "seed %d", seed)
		require.Equal(t, sum("Flussi", "Totale")-sum("Flussi", "Riscontrato"), sum("Flussi", "Da riscontrare"), "seed %d", seed)

		lists := map[string]flussi.Cents{}
		reversed := flussi.Cents(0)
		for _, row := range some(t, f, "Riepilogo", "Foglio", "Voce", "Importo") {
			found[row[1]] = true
			switch row[1] {
			case "Totale dei flussi", "Totale dei pagamenti", "Totale dei movimenti":
				require.Equal(t, lists[row[0]], cents(t, row[2]), "seed %d: %s", seed, row[1])
			case "Riscontrato in tesoreria":
				require.Equal(t, sum("Flussi", "Riscontrato"), cents(t, row[2]), "seed %d", seed)
			case "Da riscontrare in tesoreria", "Differenza dal totale dei flussi":
			case "Stornato o senza importo":
				reversed = cents(t, row[2])
				fallthrough
			default:
				lists[row[0]] += cents(t, row[2])
			}
		}
		require.Equal(t, map[string]flussi.Cents{"Flussi": want.settlements, "Pagamenti": want.payments, "Movimenti": want.movements}, lists, "seed %d", seed)
		require.Equal(t, want.movements-reversed, sum("Dati per reversali", "Importo"), "seed %d", seed)
		checkSospesi(t, f, seed)
	}
	for _, label := range []string{
		"Senza riscontro in tesoreria", "Riscontrato in parte", "Riscontrato", "Riscontrato per un importo maggiore", "Totale del file non affidabile", "Nessun importo riversato",
		"Pagato più di una volta", "Revocato", "Accantonato", "Riga con errori", "Importo diverso da quello atteso", "Pagamento singolo", "Stornato o senza importo",
	} {
		require.True(t, found[label], "no seed has %q", label)
	}
}

// checkSospesi checks that the rows of each sospeso add up to its amount, in both sheets.
func checkSospesi(t *testing.T, f *excelize.File, seed uint64) {
	for _, sheet := range []string{"Movimenti", "Dati per reversali"} {
		left := map[string]flussi.Cents{}
		for _, row := range some(t, f, sheet, "Sospeso", "Importo del sospeso", "Importo") {
			if _, is := left[row[0]]; !is {
				left[row[0]] = cents(t, row[1])
			}
			left[row[0]] -= cents(t, row[2])
		}
		for number, rest := range left {
			require.Zero(t, rest, "seed %d, %s: sospeso %s", seed, sheet, number)
		}
	}
}
