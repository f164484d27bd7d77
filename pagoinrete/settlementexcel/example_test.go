package settlementexcel_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/pagoinrete/settlement/memstore"
	"github.com/flussi-go/flussi/pagoinrete/settlementexcel"
)

// From two files in a folder to the sums and the workbook. The table of what is due is the school's
// own; for notices of package pagoinrete, use pagoinrete.NewDues.
func Example() {
	ctx, clerk, due, w := context.Background(), flussi.Actor{ID: "m.verdi"}, someDues(), io.Discard
	school, _ := flussi.ParseOrganizationCode("80185250588")
	service, serviceErr := settlement.NewService(memstore.New(), settlement.Permissions{clerk.ID: {school}}, due)
	template, templateErr := settlementexcel.New(settlementexcel.Config{})
	for _, name := range []string{"journal-1.8.xml", "settlement-1.0.xml"} {
		f, err := os.Open("../paymentfile/testdata/" + name)
		if err = errors.Join(err, serviceErr, templateErr); err != nil {
			fmt.Println(err)
			return
		}
		defer f.Close()
		file, err := paymentfile.Open(f, paymentfile.Config{Body: school})
		if err == nil {
			_, err = service.Apply(ctx, clerk, file)
		}
		if err != nil {
			fmt.Println(flussi.Explain(err))
		}
	}
	summary, err := service.Summary(ctx, clerk, settlement.ReportFilter{})
	if err == nil {
		err = template.Export(ctx, w, settlementexcel.SourcesOf(ctx, service, clerk, settlement.ReportFilter{}, due))
	}
	for line := range summary.Lines() {
		fmt.Println(line.Section+":", line.Label, line.Number, line.Amount.Euro())
	}
	fmt.Println(err)
	// Output:
	// Flussi: Riscontrato 1 175,00 €
	// Flussi: Totale dei flussi 1 175,00 €
	// Flussi: Riscontrato in tesoreria 0 175,00 €
	// Flussi: Da riscontrare in tesoreria 0 0,00 €
	// Pagamenti: Flusso e tesoreria 2 132,34 €
	// Pagamenti: Importo diverso da quello atteso 1 35,50 €
	// Pagamenti: IUV sconosciuto 1 7,16 €
	// Pagamenti: Totale dei pagamenti 4 175,00 €
	// Movimenti: Abbinato a un flusso 1 175,00 €
	// Movimenti: Stornato o senza importo 1 0,00 €
	// Movimenti: Totale dei movimenti 2 175,00 €
	// <nil>
}

// Rows of a bank that gives no journal, as an office entered them. One of them is wrong.
func ExampleTemplate_Movements() {
	ctx := context.Background()
	school, _ := flussi.ParseOrganizationCode("80185250588")
	template, err := settlementexcel.New(settlementexcel.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	file := []byte("Numero sospeso;Data;Importo;Causale\r\n" +
		"101;05/03/2030;175,00;/PUR/LGPE-RIVERSAMENTO/URI/2030-03-04PSPXITR1XXX-F000123456\r\n" +
		"102;31/02/2030;50,00;Saldo gita\r\n")
	var report excel.Report
	journals, err := template.Movements(ctx, bytes.NewReader(file), int64(len(file)), school, &report)
	fmt.Print(settlementexcel.Italian(&report, err))
	for _, journal := range journals { // for Service.ApplyJournal
		for m, err := range journal.Movements {
			fmt.Println(journal.Header.Year, m.SuspenseNumber(), m.Amount.Euro(), m.Remittance().IDs, err)
		}
	}
	// Output:
	// Righe senza errori: 1. Righe con errori: 1.
	// Colonne facoltative mancanti: «Operazione», «Conto», «Esercizio» e «Banca (ABI)».
	//
	// Da correggere (righe con errori):
	// - Riga 3, colonna B (Data): La data 31/02/2030 non esiste.
	// 2030 101 175,00 € [2030-03-04PSPXITR1XXX-F000123456] <nil>
}
