// Package settlement matches what the files of PSPs and of the treasury say: which payments a
// settlement (flusso di rendicontazione) has, which movements of the treasury journal transferred
// it, and what that means for what is due. It knows no event and no notice. What is due it learns
// from a [Due], which a town implements on its own table.
//
//	service, err := settlement.NewService(store, settlement.Permissions{"m.verdi": {school}}, due)
//	file, err := paymentfile.Open(r, paymentfile.Config{Body: school})
//	switch file := file.(type) {
//	case *paymentfile.SettlementFile:
//		_, err = service.ApplySettlement(ctx, by, settlement.FileOf(file))
//	case *paymentfile.JournalFile:
//		_, err = service.ApplyJournal(ctx, by, file.Journal(), file.Movements())
//	}
//
// # Any order, any number of times
//
// Stored are facts: the latest file of each [Settlement] with its rows ([Payment]), the rows of
// journals about each sospeso ([Movement]), and the decisions of operators. Where money belongs
// follows from the facts alone. It is computed again around what a file touches, and stored in the
// same transaction. So files may come in any order and more than once, and what a later file takes
// back is undone.
//
// # What a movement belongs to
//
//   - A causale that names a whole identifier belongs to the settlement of the body that has it.
//     Several movements may name one: it is [SettlementPartly] covered until they add up.
//   - What is left of a cut identifier belongs to the one known settlement that begins with it and
//     has the movement's amount, if no other settlement and no other movement fits, and as long as
//     none does. Otherwise the movement is [MovementWaiting] or [MovementAmbiguous]. Nothing is
//     guessed.
//   - ESEGUITO adds to the amount of a movement, STORNATO takes away, whatever its sign.
//     REGOLARIZZATO and RIPRISTINATO move no money. Rows that another journal repeats count once.
//   - A settlement whose rows contradict its count or its total is [SettlementUnsure]: no sum covers
//     it. It still keeps others from being the only one that fits.
//
// # What a payment is
//
// A payment has exactly one [PaymentState], and every cent of a movement is in exactly one [Part].
// A second payment of a reference, with another IUR, is [PaymentDoubled]: the one of the earliest
// date counts. The amount is compared with what is expected of its transfer ([Expectation]). A
// reference of another intermediary is [PaymentForeign]: counted and listed, and no error.
//
// A single payment (/RFB/, /RFS/) is a movement of its own, and other money than the payments of
// settlements. If these have its reference, too, it is told as [PaymentDoubled].
//
// # By hand
//
// What did not match can be matched, split or set aside with a reason, and taken back:
// [Service.MatchMovement], [Service.MatchPayment], [Service.SetPaymentAside], and
// [Service.ReleaseMovement] and [Service.ReleasePayment].
//
// # The report
//
// [Service.Summary] adds up settlements, payments and movements by state: every cent is in exactly
// one class, and the classes add up to what the files say. [Service.PaymentLines] and
// [Service.MovementLines] have the rows, and [Service.Allocations] what each sospeso was paid for,
// by event and chapter (dati per reversali). What a payment is for says a [Purposes], which an
// application implements on its own table. Package settlementexcel writes all of it as a workbook;
// its example goes from files to the report.
//
// # Personal data
//
// Of payers nothing is stored but what journals say in words; [Service.Anonymise] erases that.
//
// # Errors and logs
//
// Errors are a [*flussi.Error]; [flussi.Explain] has the text for the operator. None quotes a
// reference, a causale or a name.
package settlement
