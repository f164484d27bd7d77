// Package excel gives operators a workbook that is hard to fill in wrongly, and reads
// back what they made of it, with every wrong cell explained in their own copy of the
// file. Columns are declared once:
//
//	template, err := excel.New(excel.Config[notice]{Name: "Avvisi"},
//		excel.NewColumn("Codice fiscale", excel.FiscalCode(flussi.Lenient),
//			func(n *notice) *flussi.FiscalCode { return &n.Debtor }, excel.ColumnConfig{Required: true}),
//		excel.NewColumn("Somma", excel.Money(flussi.MinPayable, flussi.MaxPayable),
//			func(n *notice) *flussi.Cents { return &n.Amount }, excel.ColumnConfig{}),
//	)
//
// From them come the empty workbook with its guide ([Template.Blank]), the reading of
// workbooks and CSV files ([Template.Decode], [Template.DecodeCSV]), the writing of
// rows ([Template.Encode]), and the operator's own file with its errors marked
// ([Template.Annotate]). Rows are read and written as they stream past, so memory does
// not grow with their number.
//
// # Columns
//
// A column has a header, a [Kind] of values, and the field of the row that holds
// them. Headers are known by their letters and digits alone, so "C.F." is "cf". There
// are kinds for codes ([FiscalCode], [NoticeNumber], [IUV], [OrganizationCode], [Code]),
// texts ([Text], [PersonalText]), amounts ([Money]), whole numbers ([Integer]), days
// and moments ([Date], [DateTime]), yes or no ([YesNo]) and lists ([Choice]).
// [FromText] makes one of a type that reads itself from text, [Convert] one of a type
// of yours out of another, [Optional] one of pointers, and [Kind] can be implemented.
//
// An empty cell, or one with blanks alone, leaves what [Config.Default] has, unless the
// column is required. Encode
// writes an empty cell for an empty text, the zero time, and an amount or a number of
// zero where the column could not hold it.
//
// # Nothing is guessed
//
// An amount such as 1.234 can be read in two ways, and is refused with both. A code
// that the spreadsheet has made a number of is refused as soon as a digit of it can
// have been lost, and never padded. A date that the calendar does not have is
// refused, a past one reported and never moved. What is cleaned, such as spaces in a
// code, is reported.
//
// A file that is cut off, damaged or made to harm is refused with its place, however
// many of its rows were right. So act on rows when the sequence has ended.
//
// # What is read
//
//   - The sheet: the one visible sheet that has the required columns; if several do,
//     the one with rows below, and none if several have rows ([ErrSheet]). Further
//     sheets are reported in [Report.Ignored].
//   - The header: among the first rows ([Limits.HeaderRows]) the one that names most
//     columns. Rows above it are titles. Columns that the template does not have are
//     reported or refused ([UnknownPolicy]); nearly right, doubled and missing ones are
//     refused ([ErrHeader]).
//   - A file with other headers is read by a [Mapping] that an operator made
//     ([Template.FileHeaders], [Template.WithMapping]). Similar headers are proposed, and never
//     taken.
//   - Blank rows are passed over. Hidden rows are refused one by one, read, or skipped
//     ([HiddenPolicy]). Merged cells among the data are refused ([ErrMerged]).
//   - Formulas count with the value they had when the file was saved; error values
//     (#N/D) and formulas that were never calculated are wrong cells. A formula that
//     reads another file is a doubt ([ErrOtherFile]).
//   - Parts that are not read, links that are not followed and counts that are wrong do
//     not matter.
//   - .xls, .ods, .xlsb, HTML, PDF, pictures, encrypted files and CSV are known by their
//     content whatever they are named ([Identify], [ErrFormat]).
//
// # How it looks
//
// All workbooks have the same styles. Rows are as tall as their texts, up to what a spreadsheet
// allows. On paper, sheets are in landscape with their header on each page; a sheet that would be too
// small to read takes several pages side by side, with its first column repeated. [Config.Tones]
// colours rows. The checks while people type end after [Limits.CheckedRows]; Decode checks all.
//
// # Errors
//
// A [*FileError] ends the sequence; a [*flussi.RowError] holds the [CellErrors] of one row, and the
// sequence goes on. [Collect] returns the rows that are refused as a [*RowsError]. A service that
// takes the rows adds what it refuses, and reports all of them. [Report.Italian] and
// [Template.Annotate] take that list, and report each error at its cell.
//
// Errors of files, rows and cells are a [flussi.ErrInvalid], a [*TemplateError] is a
// [flussi.ErrConfig]. All but the last say in Italian what is wrong and what to do
// ([flussi.Explain]), and hold no text of the file: no code, no message, no header that is not the
// template's, no name of a sheet. A date or an amount that is wrong may be shown.
//
// A [Template] is safe for concurrent use. It does not use a reader after the call has returned or
// the sequence has ended.
package excel
