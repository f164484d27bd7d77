package settlementexcel

import (
	"context"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// The headers of the template for movements.
const (
	numberHeader    = "Numero sospeso"
	movedHeader     = "Data"
	causaleHeader   = "Causale"
	operationHeader = "Operazione"
	accountHeader   = "Conto"
	yearHeader      = "Esercizio"
	bankHeader      = "Banca (ABI)"
)

// maxCausale is the longest causale of a row. Those of the journal have at most 370 characters.
const maxCausale = 2000

// movementRow is a row of the template for movements.
type movementRow struct {
	number, account, bank string
	moved                 time.Time // midnight UTC of the day
	year                  int       // 0: that of the day
	amount                flussi.Cents
	causale               flussi.Text
	operation             paymentfile.Operation
}

func movementColumns() []excel.Column[movementRow] {
	type row = movementRow
	return []excel.Column[row]{
		excel.NewColumn(numberHeader, code(paymentfile.MaxReference), func(r *row) *string { return &r.number }, excel.ColumnConfig{Required: true, Width: 18,
			Aliases: []string{"Sospeso", "N. sospeso", "Num. sospeso", "Numero provvisorio", "Provvisorio", "N. provvisorio", "Provvisorio di entrata", "Sospeso di entrata"}, Example: "101",
			Help: "Il numero del sospeso, o provvisorio, di entrata."}),
		excel.NewColumn(movedHeader, excel.Date(excel.DateConfig{}), func(r *row) *time.Time { return &r.moved }, excel.ColumnConfig{Required: true,
			Aliases: []string{"Data movimento", "Data del movimento", "Data contabile", "Data operazione", "Data sospeso"}, Help: "La data del movimento."}),
		excel.NewColumn(amountHeader, excel.Money(1, maxMoney), func(r *row) *flussi.Cents { return &r.amount }, excel.ColumnConfig{Required: true,
			Aliases: []string{"Importo movimento", "Importo del movimento", "Importo sospeso", "Importo euro", "Entrate", "Avere"}, Example: "175,00", Help: "L'importo del movimento, senza segno."}),
		excel.NewColumn(causaleHeader, excel.PersonalText(1, maxCausale), func(r *row) *flussi.Text { return &r.causale }, excel.ColumnConfig{
			Aliases: []string{"Descrizione", "Causale movimento", "Causale del movimento", "Descrizione movimento"}, Example: "/PUR/LGPE-RIVERSAMENTO/URI/2030-03-04PSPXITR1XXX-F000123456",
			Help: "La causale del bonifico, con l'identificativo del flusso. Senza causale, il movimento si abbina a mano."}),
		excel.NewColumn(operationHeader, excel.Choice(
			excel.Option[paymentfile.Operation]{Label: "eseguito", Value: paymentfile.OperationExecuted},
			excel.Option[paymentfile.Operation]{Label: "stornato", Value: paymentfile.OperationReversed},
			excel.Option[paymentfile.Operation]{Label: "regolarizzato", Value: paymentfile.OperationRegularised},
			excel.Option[paymentfile.Operation]{Label: "ripristinato", Value: paymentfile.OperationRestored},
		), func(r *row) *paymentfile.Operation { return &r.operation }, excel.ColumnConfig{Width: 16,
			Aliases: []string{"Tipo operazione", "Tipo di operazione", "Stato"}, Help: "Se la cella è vuota, vale «eseguito»."}),
		excel.NewColumn(accountHeader, code(paymentfile.MaxReference), func(r *row) *string { return &r.account }, excel.ColumnConfig{Width: 16,
			Aliases: []string{"Conto evidenza", "Numero conto", "N. conto"}, Help: "Il conto evidenza, se la tesoreria ne ha più di uno."}),
		excel.NewColumn(yearHeader, whole(2000, 2999), func(r *row) *int { return &r.year }, excel.ColumnConfig{
			Aliases: []string{"Anno", "Esercizio finanziario"}, Help: "L'esercizio finanziario. Se la cella è vuota, è l'anno della data."}),
		excel.NewColumn(bankHeader, code(11), func(r *row) *string { return &r.bank }, excel.ColumnConfig{Width: 14,
			Aliases: []string{"ABI", "Codice ABI", "Banca"}, Help: "Il codice ABI della banca tesoriera."}),
	}
}

// Journal has the movements of one bank and one financial year, for
// [settlement.Service.ApplyJournal].
type Journal struct {
	Header    paymentfile.Journal                    // the bank and the year
	Movements iter.Seq2[paymentfile.Movement, error] // can be ranged over again
}

// journalKey identifies a Journal in a file.
type journalKey struct {
	bank string
	year int
}

// Movements reads sospesi in entrata of a body, from a workbook or a CSV file with the columns of
// [Template.BlankMovements]. It returns a [Journal] for each bank and financial year. All rows are
// in memory. The report may be nil; see [excel.Template.Decode].
//
// If some rows are not valid, the error is an [*excel.RowsError], and the journals have the other
// rows: [Italian] describes both. A row that repeats an earlier one is not valid, since each
// movement has its own number. With any other error there are no journals.
func (t *Template) Movements(ctx context.Context, r io.ReaderAt, size int64, body flussi.OrganizationCode, report *excel.Report) ([]Journal, error) {
	lines, refused, err := collect(t.movements.DecodeAny(ctx, r, size, report))
	if err != nil {
		return nil, err
	}
	type moved struct { // a row without its causale
		number, account, bank string
		day                   paymentfile.Day
		year                  int
		amount                flussi.Cents
		operation             paymentfile.Operation
	}
	seen := map[moved]int{}
	var keys []journalKey
	rows := map[journalKey][]paymentfile.Movement{}
	for _, line := range lines {
		row := line.Value
		if row.year == 0 {
			row.year = row.moved.Year()
		}
		is := moved{row.number, row.account, row.bank, dayOf(row.moved), row.year, row.amount, row.operation}
		if earlier, repeated := seen[is]; repeated {
			refused.add(refusal(line.Number, earlier, numberHeader, fmt.Sprintf("La riga ripete il movimento della riga %s: eliminarla, o correggere il numero del sospeso.", italian.Number(earlier))))
			continue
		}
		seen[is] = line.Number
		key := journalKey{row.bank, row.year}
		if len(rows[key]) == 0 {
			keys = append(keys, key)
		}
		rows[key] = append(rows[key], row.movement(line.Number))
	}
	var journals []Journal
	for _, key := range keys {
		head := paymentfile.Journal{BankABI: key.bank, Body: body, Year: key.year, Page: paymentfile.Page{Number: 1, Total: 1}}
		journals = append(journals, Journal{head, yieldAll(rows[key])})
	}
	return journals, refused.orNil()
}

// movement returns the row as a row of a journal.
func (r movementRow) movement(number int) paymentfile.Movement {
	m := paymentfile.Movement{Row: number, Account: r.account, Direction: paymentfile.Incoming, Document: paymentfile.DocumentIncomingSuspense,
		Operation: r.operation, DocumentNumber: r.number, Amount: r.amount, Date: dayOf(r.moved), Causale: r.causale}
	m.SignedAmount = m.Net()
	return m
}
