// Package settlementexcel has the workbooks of package settlement: the report of a reconciliation,
// and templates in which an office enters payments and movements for which there is no standard
// file.
//
//	template, err := settlementexcel.New(settlementexcel.Config{})
//	err = template.Export(ctx, w, settlementexcel.SourcesOf(ctx, service, clerk, settlement.ReportFilter{}, purposes))
//
// # The report
//
// It has five sheets: Riepilogo, the sums by state; Flussi, a row for each settlement; Pagamenti, a
// row for each payment; Movimenti, a row for each part of a movement, with its causale, since an
// office decides by it; and Dati per reversali, what each sospeso was paid for, by event and
// chapter. An application implements [settlement.Purposes] on its own table to say what payments
// are for. An amount without a purpose is "Da attribuire", so the rows of a sospeso add up to its
// amount.
//
// Rows are written as they are read, and not held in memory. The sums of the Riepilogo are those of
// the rows of the other sheets, to the cent. The sheets are read one after the other, so a file
// that is applied meanwhile may be in one sheet and not in another.
//
// # Rows without a format
//
// If a bank or a PSP gives no standard file, an office enters the rows in a template:
// [Template.BlankSettlements] for payments of settlements, [Template.BlankMovements] for sospesi.
// Both may also be CSV files with the same columns, or, with [Template.WithMapping], files with
// other headers.
//
//	var report excel.Report
//	files, err := template.Settlements(ctx, file, size, school, &report)
//	for _, f := range files {
//		_, applyErr := service.ApplySettlement(ctx, clerk, f)
//	}
//	if err != nil { // also lists the rows that are not valid, with their numbers
//		fmt.Println(settlementexcel.Italian(&report, err))
//	}
//
// The error lists the rows that are not valid, and the others are returned; [Template.Annotate]
// marks the errors in a copy of the file. If rows are missing, nothing is matched by sums: see
// [Template.Settlements]. A file is held in memory as a whole.
//
// Do not enter what also comes in a standard file: a movement that is in both counts twice.
//
// # Errors
//
// Errors quote no text and no code of the file, like those of package excel.
package settlementexcel
