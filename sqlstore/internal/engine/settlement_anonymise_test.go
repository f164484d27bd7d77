package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// Neither payers nor causali remain in the files of SQLite, or in a table of PostgreSQL: not in earlier
// versions, histories or keys. Sums, and what the causali name, remain. Long causali are in pages of
// their own.
func TestAnonymisedDatabasesHoldNoPayers(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) raw{"SQLite": rawSQLite, "PostgreSQL": rawPostgres} {
		t.Run(name, func(t *testing.T) {
			s, body := open(t), bodyNumber(0)
			o := must.Get(newOffice(s.Store.(settlement.Store), bills{func(string, string) {}}, body, 40, 0))(t)
			require.NoError(t, o.applySettlement(t.Context()))
			journal := func(rows ...paymentfile.Movement) {
				must.Get(o.ApplyJournal(t.Context(), clerk, paymentfile.Journal{ID: "GDC", BankABI: "01234", Body: body, Year: 2026}, rowsOf(rows)))(t)
			}
			sum := flussi.Cents(0)
			for i := range 300 { // each in a journal of its own, and most in a second version
				row := paymentfile.Movement{Account: "1", Direction: paymentfile.Incoming, Document: paymentfile.DocumentIncomingSuspense, Operation: paymentfile.OperationExecuted,
					DocumentNumber: fmt.Sprint(i), Amount: flussi.Cents(1000 + i), Date: paymentfile.Day{Year: 2026, Month: 3, Day: 3},
					Payer: flussi.NewText("ROSSI MARIA RISERVATA"), PayerCode: flussi.NewText("RSSMRA80A41H501X"), IBAN: flussi.NewText("IT60X0542811101000000123456"),
					Causale:    flussi.NewText(strings.Repeat(fmt.Sprintf("SALDO DI ROSSI MARIA %d ", i), 1+i) + "/PUR/LGPE-RIVERSAMENTO/URI/" + treasuryFlowID(i)),
					EndToEndID: flussi.NewText("E2E ROSSI MARIA"), BankData: flussi.NewText("DATI DI ROSSI MARIA")}
				journal(row)
				sum += row.Amount
				if row.Operation = paymentfile.OperationRegularised; i%3 > 0 {
					row.Causale = flussi.NewText("ORDINE PER ROSSI MARIA")
					journal(row)
				}
			}
			single := paymentfile.Movement{Account: "1", Direction: paymentfile.Incoming, Document: paymentfile.DocumentIncomingSuspense, Operation: paymentfile.OperationExecuted,
				DocumentNumber: "999", Amount: 5000, Date: paymentfile.Day{Year: 2026, Month: 3, Day: 3}, Causale: flussi.NewText("/RFB/" + treasuryReference(1).Reveal() + "/50.00/TXT/ROSSI MARIA")}
			journal(single)
			texts := []string{"ROSSI MARIA", "Rossi", "SALDO DI", "E2E ROSSI", "DATI DI", "ORDINE PER", "/PUR/LGPE", "/RFB/", "RSSMRA80A41H501X", "IT60X0542811101000000123456"}
			before := s.contents()
			require.Contains(t, before, "ROSSI MARIA")
			require.Contains(t, before, "/PUR/LGPE")
			for _, never := range []string{"RISERVATA", "RSSMRA80A41H501X", "IT60X0542811101000000123456"} {
				assert.False(t, strings.Contains(before, never), "stored at all: %s", never)
			}
			summary := must.Get(o.Summary(t.Context(), clerk, settlement.ReportFilter{}))(t)
			require.Equal(t, sum+5000, summary.MovementTotal().Amount)

			assert.Equal(t, 301, must.Get(o.Anonymise(t.Context(), clerk, body, time.Now()))(t))
			assert.Equal(t, summary, must.Get(o.Summary(t.Context(), clerk, settlement.ReportFilter{}))(t))
			m := must.Get(o.Movement(t.Context(), clerk, settlement.MovementID(body, "01234", 2026, "1", "7")))(t)
			assert.Equal(t, []string{treasuryFlowID(7)}, m.FlowIDs)
			records := must.Get(o.MovementHistory(t.Context(), clerk, m.ID))(t)
			assert.Equal(t, settlement.ActionAnonymise, records[len(records)-1].Action)
			after := s.closed()
			for _, text := range texts {
				assert.False(t, strings.Contains(after, text), text)
			}
			assert.Contains(t, after, treasuryFlowID(7), "what it names remains")
		})
	}
}
