// Package noticeexcel is the workbook of the payment notices of package pagoinrete: the
// template that a school's office fills in for a fee, its import, and the export.
//
//	template, err := noticeexcel.New(noticeexcel.Config{})
//	err = template.Blank(ctx, w)                                 // Scarica Template
//
//	var report excel.Report                                      // Creazione pagamenti, massiva
//	added, err := service.AddNotices(ctx, assistant, event.ID, template.Rows(ctx, file, size, &report), pagoinrete.AddConfig{})
//	var fault *excel.FileError
//	if err != nil && !errors.As(err, &fault) && !errors.Is(err, flussi.ErrRows) {
//		fmt.Println(flussi.Explain(err))                         // not about the file
//		return err
//	}
//	fmt.Print(noticeexcel.Italian(&report, added, 0))            // what was created
//	if report.Complete && added.Invalid > 0 {                    // the file, with errors marked
//		err = template.Annotate(ctx, w, file, size, &report, added)
//	}
//
//	err = template.Export(ctx, w, service.AllNotices(ctx, assistant, filter)) // Esporta Excel
//
// The report is about the file, the [pagoinrete.AddReport] about its rows, also those that the
// template refused. [Italian] of both has whatever is wrong with the file and its rows. An error
// that is neither an [*excel.FileError] nor a [flussi.ErrRows], such as one of the store or a file
// without rows, is not in the reports: show [flussi.Explain] of it instead. [Template.Annotate]
// refuses a file that was not read to its end with [excel.ErrReport].
//
// # Import
//
// The template has the columns Codice fiscale debitore, Cognome e nome, Tipo, Codice fiscale
// versante, Rata, Importo, Sconto, Scadenza and Riferimento, of which only the first is
// required; they are also known by the other names that offices give them. An empty Tipo is a
// pupil (alunno), an empty Rata a notice for each instalment, an empty Importo and an empty
// Scadenza are those of the event. A due date is the end of its day in Italy. Each cell is
// checked as [pagoinrete.Service.AddNotices] will check it; what depends on the event, such
// as how many instalments it has, is checked only then; [Italian] and [Template.Annotate] report
// it at its column.
//
// With [Config.Transfers], there are two more columns for each transfer of a payment with several
// beneficiaries: Versamento 1 and Beneficiario 1, up to 5.
//
// An export is refused as an import, since everybody in it would owe twice.
//
// # Errors
//
// Errors and reports hold no text and no code of the file, as package excel has it.
package noticeexcel
