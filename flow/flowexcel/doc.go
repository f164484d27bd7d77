// Package flowexcel is the workbook of the notifications of package flow: the template
// that operators fill in, its import, the export, and the corrections that operators make
// in an export.
//
//	template, err := flowexcel.New(flowexcel.Config{})
//	err = template.Blank(ctx, w)                                   // Scarica Template
//
//	var report excel.Report                                        // Importa da File Excel
//	rows := template.Rows(ctx, file, size, &report)
//	f, added, err := service.ImportFlow(ctx, operator, "tributi", flow.Details{}, rows, flow.AddConfig{})
//	var fault *excel.FileError
//	if err != nil && !errors.As(err, &fault) && !errors.Is(err, flussi.ErrRows) {
//		fmt.Println(flussi.Explain(err))                           // not about the file
//		return err
//	}
//	fmt.Print(flowexcel.Italian(&report, added, 0))                // what was imported
//	if report.Complete && added.Invalid > 0 {                      // the file, with errors marked
//		err = template.Annotate(ctx, w, file, size, &report, added)
//	}
//
//	err = template.Export(ctx, w, service.AllNotifications(ctx, operator, filter)) // Esporta Excel
//	done, err := template.Correct(ctx, service, operator, file, size, flowexcel.CorrectConfig{})
//	fmt.Print(done.Italian(0))
//
// The report is about the file, the [flow.AddReport] about its rows, also those that the template
// refused. [Italian] of both has whatever is wrong with the file and its rows. An error that is
// neither an [*excel.FileError] nor a [flussi.ErrRows], such as one of the store or a file without
// rows, is not in the reports: show [flussi.Explain] of it instead. [Template.Annotate] refuses a
// file that was not read to its end with [excel.ErrReport].
//
// # Import
//
// The template has the columns Codice fiscale, Oggetto, Contenuto, Scadenza, Somma, Numero
// avviso, Ente creditore, Paga dopo la scadenza, Riferimento and Occasione, of which the first
// three are required; they are also known by the other names that offices give them. Each cell
// is checked as the flow will check it, and each row by [flow.Draft.Validate], so that
// each error has its cell. A notification with an amount or a notice number is a
// payment, and needs both. A due date is the end of its day in Italy.
//
// The template's sheet is Notifiche, with the header in row 1. The same file can be imported again:
// see [flow.Service.ImportFlow]. So can the marked copy of a file of which only the valid rows were
// imported, once its errors are corrected: it becomes a flow of its own, in which the rows that the
// first one has are disabled; or it is added to the first flow
// ([flow.Service.AddNotifications]), which takes only the others.
//
// A file with other headers is imported by a mapping: see [Template.FileHeaders] and
// [Template.WithMapping].
//
// An export is refused as an import, since its notifications are there already.
//
// # Mail merge and options
//
// With [Config.Text], a text with fields for all rows, the template has a column for each field
// instead of Oggetto and Contenuto. With [Config.Options] it also has columns for buttons, remote
// content and the other [flow.Options]. [Template.Preview] shows what a row becomes.
//
// # Corrections
//
// In an export, operators correct the notifications in Errore, and pass the file to
// [Template.Correct]. A row whose data are changed, or whose Stato is changed to Registrato, as on
// the guide's screen, is set back, so that it is sent again; every other row is left alone, and
// rows may be deleted. No citizen is notified twice by it: what is not in Errore is never set back,
// nor is what has an unknown outcome, and a notification that was changed since the export is not
// overwritten. Giving the same file twice is harmless, and completes what a crash has interrupted.
//
// # Errors
//
// Errors and reports hold no text and no code of the file, as package excel has it.
package flowexcel
