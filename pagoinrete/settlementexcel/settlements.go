package settlementexcel

import (
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// The headers of the template for payments.
const (
	flowHeader      = "ID flusso"
	pspHeader       = "PSP"
	dateHeader      = "Data regolamento"
	transferHeader  = "TRN"
	totalHeader     = "Totale del flusso"
	revisionHeader  = "Revisione"
	referenceHeader = "IUV"
	iurHeader       = "IUR"
	indexHeader     = "Indice"
	amountHeader    = "Importo"
	outcomeHeader   = "Esito"
	paidHeader      = "Data pagamento"
)

// maxPaid is the largest amount that [settlement.Service.ApplySettlement] takes in a row.
const maxPaid = 99_999_999_999

// paymentRow is a row of the template for payments: the head of its settlement, and a payment.
type paymentRow struct {
	flowHead
	reference paymentfile.Reference
	iur       string
	index     int
	amount    flussi.Cents
	outcome   paymentfile.Outcome
	paid      time.Time // midnight UTC of the day
}

// flowHead has the columns that are equal in all rows of a settlement.
type flowHead struct {
	id, psp, transfer string
	date              time.Time // midnight UTC of the day
	total             flussi.Cents
	revision          int
}

func paymentColumns() []excel.Column[paymentRow] {
	type row = paymentRow
	days := excel.Date(excel.DateConfig{})
	return []excel.Column[row]{
		excel.NewColumn(flowHeader, code(paymentfile.MaxReference), func(r *row) *string { return &r.id }, excel.ColumnConfig{Required: true, Width: 38,
			Aliases: []string{"Identificativo flusso", "Identificativo del flusso", "Flusso", "ID del flusso", "Codice flusso", "Identificativo FdR", "FdR"}, Example: "2030-03-04PSPXITR1XXX-F000123456",
			Help: "L'identificativo del flusso, come è scritto nella causale del bonifico; lo stesso per tutti i pagamenti di un riversamento."}),
		excel.NewColumn(pspHeader, code(paymentfile.MaxReference), func(r *row) *string { return &r.psp }, excel.ColumnConfig{Required: true, Width: 16,
			Aliases: []string{"Codice PSP", "ID PSP", "Identificativo PSP", "BIC", "BIC PSP"}, Example: "PSPXITR1XXX", Help: "Il codice del PSP: BIC o ABI."}),
		excel.NewColumn(dateHeader, days, func(r *row) *time.Time { return &r.date }, excel.ColumnConfig{
			Aliases: []string{"Data di regolamento", "Data bonifico", "Data del bonifico", "Data riversamento", "Data di riversamento"}, Help: "La data del bonifico."}),
		excel.NewColumn(transferHeader, code(100), func(r *row) *string { return &r.transfer }, excel.ColumnConfig{Width: 36,
			Aliases: []string{"CRO", "CRO/TRN", "TRN bonifico", "Identificativo regolamento", "Identificativo univoco regolamento"}, Help: "L'identificativo del bonifico."}),
		excel.NewColumn(totalHeader, excel.Money(1, maxMoney), func(r *row) *flussi.Cents { return &r.total }, excel.ColumnConfig{
			Aliases: []string{"Totale flusso", "Importo bonifico", "Importo del bonifico", "Totale riversato", "Importo riversato"},
			Help:    "L'importo del bonifico, lo stesso in tutte le righe del flusso. Se la cella è vuota, è la somma dei pagamenti."}),
		excel.NewColumn(revisionHeader, whole(0, 1_000_000), func(r *row) *int { return &r.revision }, excel.ColumnConfig{
			Aliases: []string{"N. revisione", "Numero revisione", "Versione"}, Help: "Un numero maggiore sostituisce il flusso già caricato. Se la cella è vuota, vale 0."}),
		excel.NewColumn(referenceHeader, reference(), func(r *row) *paymentfile.Reference { return &r.reference }, excel.ColumnConfig{Required: true,
			Aliases: []string{"Codice IUV", "Numero IUV", "Identificativo versamento", "Identificativo univoco versamento", "Riferimento"}, Help: "Lo IUV o il riferimento RF del pagamento."}),
		excel.NewColumn(iurHeader, code(paymentfile.MaxReference), func(r *row) *string { return &r.iur }, excel.ColumnConfig{Width: 28,
			Aliases: []string{"Codice IUR", "Identificativo riscossione", "Identificativo univoco riscossione"}, Help: "Il codice della riscossione, che distingue due pagamenti dello stesso IUV."}),
		excel.NewColumn(indexHeader, whole(1, 5), func(r *row) *int { return &r.index }, excel.ColumnConfig{
			Aliases: []string{"Indice versamento", "Indice pagamento"}, Help: "Il numero del versamento, in un pagamento a più beneficiari: da 1 a 5."}),
		excel.NewColumn(amountHeader, excel.Money(1, maxPaid), func(r *row) *flussi.Cents { return &r.amount }, excel.ColumnConfig{Required: true,
			Aliases: []string{"Importo pagato", "Importo versato", "Importo pagamento", "Importo del pagamento", "Importo euro", "Somma"}, Example: "12,50", Help: "L'importo del versamento, senza segno."}),
		excel.NewColumn(outcomeHeader, excel.Choice(
			excel.Option[paymentfile.Outcome]{Label: "eseguito", Value: paymentfile.OutcomePaid},
			excel.Option[paymentfile.Outcome]{Label: "revocato", Value: paymentfile.OutcomeRevoked},
		), func(r *row) *paymentfile.Outcome { return &r.outcome }, excel.ColumnConfig{Width: 14,
			Aliases: []string{"Esito pagamento", "Esito del pagamento"}, Help: "Se la cella è vuota, vale «eseguito»."}),
		excel.NewColumn(paidHeader, days, func(r *row) *time.Time { return &r.paid }, excel.ColumnConfig{
			Aliases: []string{"Data del pagamento", "Data di pagamento", "Data esito", "Data versamento", "Data incasso"}, Help: "La data del pagamento."}),
	}
}

// flowRows are the rows of one settlement.
type flowRows struct {
	flowHead
	first    int // the number of the row that has the head
	payments []paymentfile.Payment
	rows     map[paymentKey]int // numbers of the rows, by what identifies a payment
	net      flussi.Cents
}

type paymentKey struct {
	reference paymentfile.Reference
	iur       string
	index     int
}

// Settlements reads payments of settlements to a body, from a workbook or a CSV file with the
// columns of [Template.BlankSettlements]. Rows with the same PSP and ID are one settlement. All
// rows are in memory. The report may be nil; see [excel.Template.Decode].
//
// If some rows are not valid, the error is an [*excel.RowsError], and the files have the other
// rows: [Italian] describes both. A row is not valid either if it contradicts an earlier row of its
// settlement, or repeats the IUV, the IUR and the index of one. The settlements of such a file are
// incomplete: unless their total is stated and right, [settlement.Service.ApplySettlement] matches
// nothing by their sum. The corrected file replaces what was applied. With any other error there
// are no files.
func (t *Template) Settlements(ctx context.Context, r io.ReaderAt, size int64, body flussi.OrganizationCode, report *excel.Report) ([]settlement.File, error) {
	lines, refused, err := collect(t.settlements.DecodeAny(ctx, r, size, report))
	if err != nil {
		return nil, err
	}
	var flows []*flowRows
	byID := map[[2]string]*flowRows{}
	for _, line := range lines {
		row := line.Value
		key := [2]string{row.psp, row.id}
		flow, known := byID[key]
		if !known {
			flow = &flowRows{flowHead: row.flowHead, first: line.Number, rows: map[paymentKey]int{}}
		}
		if fault := flow.add(line.Number, row); fault != nil {
			refused.add(fault)
			continue
		}
		if !known {
			byID[key], flows = flow, append(flows, flow)
		}
	}
	var files []settlement.File
	for _, flow := range flows {
		files = append(files, flow.file(body, refused.Invalid))
	}
	return files, refused.orNil()
}

// add adds a row. It returns an error if the row does not fit the others.
func (f *flowRows) add(number int, row paymentRow) *flussi.RowError {
	if header := f.differs(row.flowHead); header != "" {
		return refusal(number, f.first, header, fmt.Sprintf("Il valore non è quello della riga %s, dello stesso flusso: correggerlo.", italian.Number(f.first)))
	}
	key := paymentKey{row.reference, row.iur, max(row.index, 1)}
	if earlier, repeated := f.rows[key]; repeated {
		return refusal(number, earlier, referenceHeader, fmt.Sprintf("La riga ripete il pagamento della riga %s, con lo stesso IUV, lo stesso IUR e lo stesso indice: "+
			"eliminarla, oppure scrivere lo IUR di ognuno dei due pagamenti.", italian.Number(earlier)))
	}
	f.rows[key] = number
	p := paymentfile.Payment{Number: number, Reference: row.reference, IUR: row.iur, Index: row.index, Amount: row.amount, Outcome: row.outcome, Date: dayOf(row.paid)}
	p.SignedAmount = p.Net()
	f.net += p.Net()
	f.payments = append(f.payments, p)
	return nil
}

// differs returns the header of the first column in which a row contradicts the head of its
// settlement; "" if it does not.
func (f *flowRows) differs(head flowHead) string {
	switch {
	case f.date != head.date:
		return dateHeader
	case f.transfer != head.transfer:
		return transferHeader
	case f.total != head.total:
		return totalHeader
	case f.revision != head.revision:
		return revisionHeader
	}
	return ""
}

// file returns the settlement. If rows of the file were refused, some may belong to it.
func (f *flowRows) file(body flussi.OrganizationCode, refused int) settlement.File {
	head := paymentfile.Settlement{ID: f.id, Revision: f.revision, TransferID: f.transfer, Date: dayOf(f.date),
		PSP: paymentfile.Party{Code: f.psp}, Body: body, Count: int64(len(f.payments)), Total: f.total}
	file := settlement.File{Header: head, Payments: yieldAll(f.payments)}
	if head.Total == 0 {
		file.Header.Total = f.net
		if refused > 0 {
			incomplete := &paymentfile.Fault{Kind: paymentfile.FaultCount, Blocking: true, Reason: "Nel file ci sono righe con errori, che potrebbero appartenere al flusso."}
			file.Faults = func() []*paymentfile.Fault { return []*paymentfile.Fault{incomplete} }
		}
	}
	return file
}

// yieldAll yields values without an error.
func yieldAll[T any](values []T) iter.Seq2[T, error] { return excel.Rows(slices.Values(values)) }
