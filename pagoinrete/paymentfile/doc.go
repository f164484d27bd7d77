// Package paymentfile reads the files that say what was paid: settlements of PSPs, pages of the
// treasury journal, receipts. [Open] recognises a file by its content:
//
//	file, err := paymentfile.Open(r, paymentfile.Config{Body: school})
//	switch file := file.(type) {
//	case *paymentfile.SettlementFile: // flusso di rendicontazione: file.Settlement(), file.Payments()
//	case *paymentfile.JournalFile:    // giornale di cassa: file.Journal(), file.Movements()
//	case *paymentfile.ReceiptFile:    // ricevuta telematica: file.Receipt()
//	}
//	report := file.Report() // what was read, and what is wrong in it
//
// [OpenSettlement], [OpenJournal] and [OpenReceipt] accept one kind only. The package does not
// match rows with notices and stores nothing: that is the caller's task.
//
// # Errors and faults
//
// A file that cannot be read to its end is an error, a [*FileError] with its line and column: cut
// off, not well-formed, larger than the [Limits]. Do not act on its rows.
//
// A file that can be read but has mistakes is not an error. Its [Report] has a [Fault] for each
// mistake, such as a total that is not the sum of the rows, a body that is not the caller's, or an
// outcome code that pagoPA does not define. Faults of a row are also in the row. If a fault of a
// row is Blocking, do not match the row. If a fault of the file is, match nothing by the file's
// total.
//
// Errors and faults have an Italian text for operators. It quotes nothing of the file except names
// of fields, amounts, dates, codes of outcomes and numbers of rows: a value that does not look like
// an amount or a date is not quoted.
//
// An element that the format does not define may be a misspelled one. In a FlussoRiversamento, the
// first such element is a [FaultUnknown]. In a journal, it is the first one that holds an amount or
// other elements, since banks add elements of their own. In receipts and in JSON, such elements and
// keys are skipped: if an amount is skipped, the stated total shows it.
//
// # Formats
//
// The package reads
//
//   - FlussoRiversamento 1.0 and 1.1, with any prefix, bare or in base64 in a SOAP message
//     (nodoChiediFlussoRendicontazione, nodoInviaFlussoRendicontazione); the example of
//     [OpenSettlement] is a whole one;
//   - the JSON of the organisations' API for settlements: the identity, and the pages of payments,
//     which [SettlementPages] joins;
//   - flusso_giornale_di_cassa of the OPI standard, versions 1.3.1a to 1.8, one page in each file;
//     the example of [OpenJournal] is a whole one; [JournalPages] joins the pages, and says when a
//     journal is complete;
//   - receipt of paSendRT, v1 and v2, bare or in SOAP; RT 6.2.0, bare or in base64 in SOAP.
//
// Older OIL files of schools have no public schema, and are not read. For them, for CSV files and
// for workbooks of banks, declare columns with package excel.
//
// The encoding of a file is the one that it declares: UTF-8, ISO-8859-1, ISO-8859-15, windows-1252,
// or UTF-16 with a byte order mark. Document types, entities and processing instructions are
// refused, so reading never opens another file or address. Signatures are skipped, and never
// checked: see [Report.Signed].
//
// A loop over the sequence reads the rows one by one. Memory grows by about 40 bytes for each
// payment, which are needed to find duplicates.
//
// # Rules of reading
//
//   - The body, the [Reference], the IUR and the index together identify a payment. The same
//     reference and amount with another IUR is a second payment.
//   - A [Reference] may be an IUV, an RF reference of ISO 11649, or any other text, such as an IUV
//     of another intermediary. Wrong check digits of an RF reference are a fault that is not
//     blocking.
//   - Outcomes 0, 4, 8 and 9 mean paid, 3 means revoked. Any other is a [FaultOutcome], never "not
//     paid".
//   - [Payment].Amount has no sign, since some files write revoked amounts as negative and others
//     do not. In totals, a revoked amount counts as negative ([Payment.Net]). A stated total that
//     counts it with the sign of the file is accepted, too. So compare the [Movement.Net] of the
//     journal with [Settlement].Total, which is the amount of the bank transfer, and not with a sum
//     of payments.
//   - The [Operation] of a movement says how it counts in totals, not its sign: see [Movement.Net].
//   - If a row has a field twice that decides about money, that is a blocking [FaultRepeated].
//   - Leading zeros are removed from the numbers of documents and movements: 007 and 7 are the same
//     sospeso.
//   - A date with an offset, such as 2025-12-31+02:00, is read as that day, whatever the offset. An
//     instant is read as the day in Italy: 2025-03-13T23:00:00Z is 14 March. A time without an
//     offset is a time in Italy.
//   - Amounts are decimals, never floats. Fractions of a cent are a fault.
//   - [ParseRemittance] finds the settlement or the single payment that a causale names. It reports
//     an identifier that was cut off as cut, and does not complete it.
package paymentfile
