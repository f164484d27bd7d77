package excel_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
)

// fee is one line of a school's list.
type fee struct {
	Debtor flussi.FiscalCode
	Amount flussi.Cents
	Due    time.Time
}

// fees is the template of the list. It is made once and shared.
func fees() *excel.Template[fee] {
	return excel.MustNew(excel.Config[fee]{Name: "Contributi"},
		excel.NewColumn("Codice fiscale", excel.FiscalCode(flussi.Lenient),
			func(f *fee) *flussi.FiscalCode { return &f.Debtor }, excel.ColumnConfig{Aliases: []string{"C.F."}, Required: true}),
		excel.NewColumn("Importo", excel.Money(flussi.MinPayable, flussi.MaxPayable),
			func(f *fee) *flussi.Cents { return &f.Amount }, excel.ColumnConfig{Required: true, Total: true}),
		excel.NewColumn("Scadenza", excel.Date(excel.DateConfig{EndOfDay: true}),
			func(f *fee) *time.Time { return &f.Due }, excel.ColumnConfig{}),
	)
}

// Give operators an empty workbook to fill in.
func ExampleTemplate_Blank() {
	var workbook bytes.Buffer
	if err := fees().Blank(context.Background(), &workbook); err != nil {
		fmt.Println(err)
		return
	}
	format, err := excel.Identify(bytes.NewReader(workbook.Bytes()), int64(workbook.Len()))
	fmt.Println(format, err)
	// Output: xlsx <nil>
}

// Read a file that was uploaded. A multipart.File and its header's Size serve as the
// reader and the size, an *os.File and its Stat as well.
func ExampleTemplate_Decode() {
	template := fees()
	var file bytes.Buffer
	debtor, err := flussi.ParseFiscalCode("MSCMHL68P18H211K")
	if err != nil {
		fmt.Println(err)
		return
	}
	due, err := flussi.EndOfDay(2030, time.February, 28)
	if err != nil {
		fmt.Println(err)
		return
	}
	rows := []fee{{Debtor: debtor, Amount: 1250, Due: due}, {Debtor: debtor}}
	if err := template.Encode(context.Background(), &file, excel.Rows(slices.Values(rows))); err != nil {
		fmt.Println(err)
		return
	}

	var report excel.Report
	var right []fee
	var refused excel.RowsError
	for line, err := range template.Decode(context.Background(), bytes.NewReader(file.Bytes()), int64(file.Len()), &report) {
		var row *flussi.RowError
		switch {
		case errors.As(err, &row):
			refused.Rows = append(refused.Rows, row)
		case err != nil:
			fmt.Println(flussi.Explain(err)) // nothing that came before counts
			return
		default:
			fmt.Printf("row %d: %s by %s\n", line.Number, line.Value.Amount.Euro(), line.Value.Due.Format(time.DateOnly))
			right = append(right, line.Value)
		}
	}
	fmt.Println(len(right), "right")
	fmt.Print(report.Italian(&refused, 0))
	// Output:
	// row 2: 12,50 € by 2030-02-28
	// 1 right
	// Righe senza errori: 1. Righe con errori: 1. Righe «Totale» non lette: 1.
	//
	// Da correggere (righe con errori):
	// - Riga 3, colonna B (Importo): La cella è vuota: il valore è obbligatorio.
}

// A CSV file has the same columns, rules and reports.
func ExampleTemplate_DecodeCSV() {
	file := strings.NewReader("C.F.;Importo;Scadenza\r\n" +
		"mscmhl68p18h211k;\"1.234,56\";28/2/30\r\n" +
		"MSCMHL68P18H211K;1.234;31/04/2030\r\n")
	var report excel.Report
	lines, err := excel.Collect(fees().DecodeCSV(context.Background(), file, file.Size(), &report))
	for _, line := range lines {
		fmt.Println(line.Number, line.Value.Amount.Euro())
	}
	var refused *excel.RowsError // nil if every row is right
	if err != nil && !errors.As(err, &refused) {
		fmt.Println(flussi.Explain(err))
		return
	}
	fmt.Print(report.Italian(refused, 0))
	// Output:
	// 2 1.234,56 €
	// Righe senza errori: 1. Righe con errori: 1.
	//
	// Da correggere (righe con errori):
	// - Riga 3, colonna B (Importo): L'importo si può leggere in due modi, 1.234,00 € oppure 1,234 €: scrivere l'importo con la virgola e due decimali.
	// - Riga 3, colonna C (Scadenza): La data 31/04/2030 non esiste.
	//
	// Da verificare (righe senza errori):
	// - Riga 2, colonna A (Codice fiscale): 9 lettere portate in maiuscolo.
	// - Riga 2, colonna C (Scadenza): Anno di due cifre letto come 20xx.
}

// Export rows; the sequence may come from a store page by page.
func ExampleTemplate_Encode() {
	file, err := os.CreateTemp("", "contributi-*.xlsx")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.Remove(file.Name())
	rows := func(yield func(fee, error) bool) {
		for cents := range 3 {
			if !yield(fee{Debtor: flussi.TestRecipient(), Amount: flussi.Cents(100 * (cents + 1))}, nil) {
				return
			}
		}
	}
	if err := errors.Join(fees().Encode(context.Background(), file, rows), file.Close()); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("written")
	// Output: written
}

// Give the operator back their own file with the wrong cells marked.
func ExampleTemplate_Annotate() {
	template := fees()
	file := strings.NewReader("C.F.;Importo\nMSCMHL68P18H211K;1,234.56\n")
	var report excel.Report
	_, err := excel.Collect(template.DecodeCSV(context.Background(), file, file.Size(), &report))
	var refused *excel.RowsError
	if !errors.As(err, &refused) {
		fmt.Println(err)
		return
	}
	var marked bytes.Buffer
	if err := template.Annotate(context.Background(), &marked, file, file.Size(), &report, refused); err != nil {
		fmt.Println(err)
		return
	}
	for _, row := range refused.Rows {
		fmt.Println(row.Italian())
	}
	// Output: Riga 2, colonna B (Importo): L'importo va scritto con la virgola prima dei decimali e il punto solo fra le migliaia, ad esempio 1.234,56.
}

// A kind of your own: the ten characters of a school's code, read from text.
func ExampleFromText() {
	school := excel.FromText(excel.Rule{Text: "10 caratteri del codice meccanografico", Example: "RMIC8GA002", Min: 10, Max: 10},
		func(s string) (flussi.Reading[string], error) {
			code, changes := flussi.NormalizeCode(s)
			if len(code) != 10 {
				return flussi.Reading[string]{}, &flussi.ValueError{Type: "School", Err: flussi.ErrLength, Reason: "Il codice meccanografico ha 10 caratteri."}
			}
			return flussi.Reading[string]{Value: code, Changes: changes}, nil
		},
		func(code string) string { return code })
	_, err := school.Read(excel.Cell{Type: excel.TextCell, Text: "RMIC8GA"})
	fmt.Println(flussi.Explain(err))
	// Output: Il codice meccanografico ha 10 caratteri.
}

// Read a file with headers of its own: the operator says once what they mean, and the answer is
// kept for the next file.
func ExampleTemplate_WithMapping() {
	ctx := context.Background()
	template := fees()
	file := strings.NewReader("Codice fiscale contrib.;Tot. dovuto;Pagare entro\nMSCMHL68P18H211K;12,50;28/02/2030\n")

	// What a screen shows: the headers of the file, and those that are similar.
	found, err := template.FileHeaders(ctx, file, file.Size())
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	for _, column := range found.Columns {
		fmt.Printf("%s: %q\n", column.Header, column.Similar)
	}

	// What the operator answers; it can be stored as JSON.
	mapping := excel.Mapping{"Codice fiscale contrib.": "Codice fiscale", "Tot. dovuto": "Importo", "Pagare entro": "Scadenza"}
	mapped, err := template.WithMapping(mapping)
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	var report excel.Report
	lines, err := excel.Collect(mapped.DecodeAny(ctx, file, file.Size(), &report))
	if errors.Is(err, excel.ErrMapping) {
		fmt.Println("ask again: the mapping was made for another file")
	}
	for _, line := range lines {
		fmt.Println(line.Value.Amount.Euro(), line.Value.Due.Format(time.DateOnly))
	}
	// Output:
	// Codice fiscale: ["A"]
	// Importo: []
	// Scadenza: []
	// 12,50 € 2030-02-28
}
