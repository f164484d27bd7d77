// Package settlement matches the files of PSPs with those of the treasury: which payments a
// settlement (flusso di rendicontazione) has, which movements of the treasury journal transferred
// it, and which of the expected payments were made. It does not depend on events and notices: an
// application implements [Due] on its own table of what is due.
//
//	store, err := sqlite.Open(ctx, "flussi.db", sqlite.Config{}) // of module sqlstore; or yours, or memstore.New()
//	service, err := settlement.NewService(store, settlement.Permissions{"m.verdi": {school}}, due)
//	file, err := paymentfile.Open(r, paymentfile.Config{Body: school})
//	result, err := service.Apply(ctx, by, file)
//
// # Any order, any number of times
//
// The service stores facts: the latest file of each [Settlement] with its rows ([Payment]), the
// rows of journals about each sospeso ([Movement]), and the decisions of operators. The matches
// depend on these facts alone. When a file changes some facts, the service computes the matches
// that depend on them again, and stores all in one transaction. So files may come in any order and
// more than once, and what a later file takes back is undone.
//
// # What a movement belongs to
//
//   - A causale that names a whole identifier belongs to the settlement of the body that has it.
//     Several movements may name one settlement: it is [SettlementPartlyCovered] until they add up to its
//     total.
//   - If the causale has only the beginning of an identifier, the movement belongs to the
//     settlement whose identifier begins with it and whose total is the movement's amount. This
//     holds as long as no other settlement and no other movement fits. Otherwise the movement is
//     [MovementWaiting] or [MovementAmbiguous]: nothing is guessed.
//   - ESEGUITO adds to the amount of a movement and STORNATO subtracts from it, whatever sign the
//     file has. REGOLARIZZATO and RIPRISTINATO move no money: they change how much of a sospeso
//     orders (reversali) regularise, in rows about the sospeso or in rows about the order. Rows that
//     another journal repeats count once.
//   - A settlement whose rows contradict its count or its total is [SettlementInconsistent]: no movement
//     covers it. But it still counts as one of several settlements that fit the beginning of an
//     identifier.
//
// # What a payment is
//
// A payment has exactly one [PaymentState], and every cent of a movement is in exactly one [Part].
// If a reference was paid twice, with different IURs, the payment of the earlier date counts, and
// the other one is [PaymentDuplicate]. The amount is compared with what is expected of its transfer
// ([Expectation]). A payment of another intermediary's reference is [PaymentForeign]: it is counted
// and listed, and is not an error.
//
// A single payment (/RFB/, /RFS/) is a movement of its own, which no settlement lists. If a
// settlement has a payment of the same reference, the reference was paid twice: the single payment
// is reported to the [Due] as [PaymentDuplicate].
//
// # By hand
//
// Operators can match, split or set aside what did not match, with a reason, and take that back:
// [Service.MatchMovement], [Service.MatchPayment], [Service.SetPaymentAside], and
// [Service.ReleaseMovement] and [Service.ReleasePayment].
//
// # The report
//
// [Service.Summary] adds up settlements, payments and movements by state: every cent is in exactly
// one class, and the classes add up to what the files say. [Service.PaymentLines] and
// [Service.MovementLines] have the rows, and [Service.Allocations] what each sospeso was paid for,
// by event and chapter (dati per reversali). An application implements [Purposes] on its own table
// to say what payments are for. Package settlementexcel writes all of it as a workbook; its example
// goes from files to the report.
//
// # Personal data
//
// The only stored data about payers are the texts of journals, such as causali. [Service.Anonymise]
// erases them.
//
// # Errors and logs
//
// Errors are a [*flussi.Error]; [flussi.Explain] has the text for the operator. None quotes a
// reference, a causale or a name.
package settlement
