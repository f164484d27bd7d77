// Package appio is a client for App IO, through which Italian public bodies send
// messages to citizens. It tells the truth about every message, never sends one twice
// by itself, and shows no key, fiscal code or text in a log or an error.
//
//	key, err := appio.ParseKey(os.Getenv("APPIO_KEY"))
//	client, err := appio.New(key, appio.Config{})
//	to, err := flussi.ParseFiscalCode("AAAAAA00A00A000A") // the platform's test recipient
//	receipt, err := client.Submit(ctx, appio.Message{
//		To:      to,
//		Subject: flussi.NewText("Scadenza della TARI"),
//		Content: flussi.NewText("Gentile cittadina, gentile cittadino, la prima rata della TARI scade il 16 giugno."),
//	})
//	switch appio.OutcomeOf(err) {
//	case appio.Accepted: // keep receipt.ID
//	case appio.Refused:  // correct the message, or the service: flussi.Explain(err) says what
//	case appio.NotSent:  // send it later
//	case appio.Unknown:  // ask a person: it may have arrived
//	}
//
// # What an error means
//
// Every error of a call is an [*Error] or an [*InvalidError]. What can be done about it is one of
// [ErrInvalid], [ErrUnauthorized], [ErrForbidden], [ErrNotFound], [ErrRateLimited],
// [ErrUnavailable], [ErrInterrupted] and [ErrUnknown], by [errors.Is]. What it means
// for a message that was submitted, [OutcomeOf] says:
//
//	the platform answered 201 with an ID                          Accepted
//	400 and other 4xx, or Validate found a fault                  Refused: correct the message
//	401, 403                                                      Refused: mend the service, send as it is
//	429; no connection                                            NotSent, after all attempts
//	anything else: 500 with or without a problem, 502, 503, 504,
//	408, a time-out, a connection that broke, 201 without an ID   Unknown
//
// A 500 does not say that nothing was sent, not even with a problem of the service itself:
// the platform can store and queue a message, and then answer 500.
//
// The platform has no idempotency key and no list of what was sent, so an unknown
// outcome cannot be found out. The client never sends such a message again.
//
// # The limit of a body
//
// The platform allows a body 150 calls in 5 seconds, over all its services. Clients
// of one body share a [Pace]; a 429 that one of them gets slows all.
//
// Package appiotest has a simulator of the platform, to test a service of yours.
package appio
