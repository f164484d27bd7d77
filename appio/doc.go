// Package appio is a client for App IO, through which Italian public bodies send
// messages to citizens. It reports the real outcome of every message, never sends one twice
// by itself, and shows no key, fiscal code or text in a log or an error.
//
//	key, err := flussi.ParseKey(os.Getenv("APPIO_KEY"))
//	client, err := appio.New(key, appio.Config{})
//	to, err := flussi.ParseFiscalCode("AAAAAA00A00A000A") // the platform's test recipient
//	receipt, err := client.Submit(ctx, appio.Message{
//		To:      to,
//		Subject: flussi.NewText("Scadenza della TARI"),
//		Content: flussi.NewText("Gentile cittadina, gentile cittadino, la prima rata della TARI scade il 16 giugno."),
//	})
//	switch flussi.OutcomeOf(err) {
//	case flussi.OutcomeDone:    // keep receipt.ID
//	case flussi.OutcomeRefused: // correct the message or the service: flussi.Explain(err) says which
//	case flussi.OutcomeNotDone: // send it later
//	case flussi.OutcomeUnknown: // ask a person: it may have arrived
//	}
//
// # What an error means
//
// A message or an argument that is not valid is a [*flussi.InvalidError], and nothing is sent.
// Every other error of a call is a [*flussi.RemoteError], whose kind says what to do next:
//
//   - [flussi.ErrRemoteInvalid]: correct the message.
//   - [flussi.ErrUnauthorized]: stop, and correct the key of the service.
//   - [flussi.ErrRemoteForbidden] with FromService: of a submission, the service may not write to
//     this recipient, or may not send what the message asks for (a Payee, a ThirdParty,
//     FeatureAdvanced); of [Client.Message], another service sent the message. The next call may
//     succeed.
//   - [flussi.ErrRemoteForbidden] without FromService: stop, and have the platform enable the
//     service.
//   - [flussi.ErrRemoteNotFound]: of a profile, the citizen is not on App IO or does not accept
//     messages; of a message, none has the ID; of a feed, the day is not over yet; of a submission
//     with FromService, the platform does not have the ThirdParty's configuration; of a submission
//     without FromService, the BaseURL is wrong.
//   - [flussi.ErrRateLimited]: try again later; the [Pace] delays the next call.
//   - [flussi.ErrUnavailable], [flussi.ErrInterrupted]: try again later; a message was certainly
//     not sent.
//   - [flussi.ErrOutcomeUnknown], of a submission only: the message may have been delivered.
//
// [flussi.OutcomeOf] says what it means for a message that was submitted:
//
//	the platform answered 201 with an ID                          OutcomeDone
//	400 and other 4xx, or Validate found a fault                  OutcomeRefused: correct the message
//	401; 403 of the gateway                                       OutcomeRefused: correct the service, send as it is
//	403, 404 and 422 of the service; 403 without a word           OutcomeRefused: see Explain
//	429; no connection; HTTP/2 REFUSED_STREAM, or GOAWAY
//	that names an earlier request as the last                     OutcomeNotDone, after all attempts
//	anything else: 500 with or without a problem, 502, 503, 504,
//	408, a time-out, a connection that broke, 201 without an ID   OutcomeUnknown
//
// A message may have been sent although the platform answered 500, even with a problem of
// the service itself: the platform can store and queue a message, and then answer 500.
//
// The platform has no idempotency key and no list of sent messages, so no program can
// resolve an unknown outcome. The client never sends such a message again.
//
// [flussi.Explain] adds to a refusal of the service what the platform said about it: title, detail
// and status, without the texts of the message, fiscal codes and e-mail addresses. The Error
// method, for logs, quotes nothing. See [flussi.Problem.Answer].
//
// The URL of [Client.Message] holds the recipient's fiscal code, which instrumentation of an
// http.Client records: see [MaskedTransport].
//
// # The limit of a body
//
// The platform allows a body 150 calls in 5 seconds, over all its services. Clients
// of one body share a [Pace]: a 429 to one of them slows all. If several processes make calls for
// the body, their Paces share a [TurnStore], such as a store of package sqlstore:
//
//	pace, err := appio.NewPace(appio.PaceConfig{Shared: store, Body: "80185250588"})
//	client, err := appio.New(key, appio.Config{Pace: pace})
//
// Package appiotest has a simulator of the platform, to test your service.
package appio
