// Package flussi is the shared vocabulary of a library for Italian public bodies
// that send bulk messages through App IO and collect school fees through Pago In
// Rete and pagoPA: fiscal codes, notice numbers, amounts, and who does what.
//
// Which package serves which need:
//
//   - Check or read a fiscal code, a notice number, an amount: this package.
//   - Send messages through App IO, and learn what became of them: package appio. Test that without
//     the platform: package appio/appiotest.
//   - Compose flows of messages, send them, and read their outcomes: package flow. Import
//     notifications from a workbook, export them, import corrections: package flow/flowexcel. Write
//     one text with fields for many messages: package mailmerge.
//   - Keep flows, and what follows below, in PostgreSQL or SQLite: packages postgres and sqlite of
//     the module github.com/flussi-go/flussi/sqlstore. In memory: package flow/memstore. Check a
//     store of yours: package flow/flowtest, and package appio/pacetest for the limit of calls that
//     several processes share.
//   - Give operators an Excel template, and read back what they filled in: package excel.
//   - Collect what a school is owed through Pago In Rete, from the creation of a fee to its
//     reconciliation: package pagoinrete. The workbook of its notices: package
//     pagoinrete/noticeexcel. Write to those who have not paid, on App IO: package
//     pagoinrete/noticeflow. A store in memory: package pagoinrete/memstore. Call Pago In Rete:
//     package pagoinrete/restgateway, and test that with package
//     pagoinrete/restgateway/restgatewaytest. Check a store or a gateway of yours: package
//     pagoinrete/pagoinretetest.
//   - Read the files that say what was paid to a body, a school or not: package
//     pagoinrete/paymentfile. Match them with each other and with what is due: package
//     pagoinrete/settlement, with packages memstore and settlementtest below it. The report as a
//     workbook, and templates for rows that have no file format: package pagoinrete/settlementexcel.
//   - Define a state machine of your own in the same way: package fsm.
//
// # Values
//
// [FiscalCode], [NoticeNumber], [IUV], [OrganizationCode], [Text] and [Cents] are
// small immutable values: they compare with ==, work as map keys, are safe for concurrent
// use, and marshal whole to JSON, XML and SQL. There are two ways in.
// The Parse functions change nothing: they take a code exactly in its canonical
// form, and an amount in Italian notation, for programs and stored data:
//
//	code, err := flussi.ParseFiscalCode("MSCMHL68P18H211K")
//
// The Read functions take what a person typed, clean it, and report every change
// and every doubt:
//
//	r, err := flussi.ReadFiscalCode(" mscmhl68p18h211k ", flussi.Lenient)
//	// r.Value, r.Changes, r.Warnings
//
// A wrong check character is a warning, because the platforms accept it; under
// [Strict] it is an error.
//
// # Personal data
//
// A [FiscalCode], a [NoticeNumber], an [IUV] and a [Text] mask themselves under every
// verb of package fmt and in package log/slog, also as an unexported field of a
// struct of yours. Call Reveal where the text itself is needed.
//
// They do marshal whole to JSON, since services need that; and slog.JSONHandler
// marshals whatever is not a plain value: a struct, a slice or a map with such values
// would be logged in clear. Build the handler with [MaskAttr], and it is not:
//
//	slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: flussi.MaskAttr})
//
// # Errors
//
// A refusal that an operator can cause is a typed error. Its text is English, for the program,
// without personal data; [Explain] finds its Italian text for the operator.
package flussi
