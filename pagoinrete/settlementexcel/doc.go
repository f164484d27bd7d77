// Package settlementexcel has the workbooks of package settlement: the report of a reconciliation,
// and templates for what has no file format of its own.
//
//	template, err := settlementexcel.New(settlementexcel.Config{})
//	err = template.Export(ctx, w, settlementexcel.SourcesOf(ctx, service, clerk, settlement.ReportFilter{}, purposes))
//
// # The report
//
// It has five sheets: Riepilogo, the sums by state; Flussi, a row for each settlement; Pagamenti, a
// row for each payment; Movimenti, a row for each part of a movement, with its causale, since an
// office decides by it; and Dati per reversali, what each sospeso was paid for, by event and
// chapter. A [settlement.Purposes], which an application implements on its own table, says what
// payments are for. What nobody knows is "Da attribuire", so the rows of a sospeso add up to its
// amount.
//
// Rows are written as they stream past. The sums of the Riepilogo are those of the rows of the
// other sheets, to the cent. The sheets are read one after the other: what is applied meanwhile may
// be in one and not in another.
//
// # Rows without a format
//
// Of banks and PSPs that have no file of the standards, an office enters the rows in a template:
// [Template.BlankSettlements] for payments of settlements, [Template.BlankMovements] for sospesi.
// Both may also be CSV files with the same columns, or, with [Template.WithMapping], files with
// other headers.
//
//	var report excel.Report
//	files, err := template.Settlements(ctx, file, size, school, &report)
//	for _, f := range files {
//		_, applyErr := service.ApplySettlement(ctx, clerk, f)
//	}
//	if err != nil { // rows that are not in files, each with its number
//		fmt.Println(settlementexcel.Italian(&report, err))
//	}
//
// Rows with errors are told, and the others are returned; [Template.Annotate] marks them in a copy.
// Sums are then not trusted: see [Template.Settlements]. A file is held in memory as a whole.
//
// What is entered in a template must not be applied from a file of the standards too: a movement of
// both is two movements.
//
// # Errors
//
// Errors hold no text and no code of the file, as package excel has it.
package settlementexcel
