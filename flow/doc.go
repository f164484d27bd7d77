// Package flow sends bulk messages through App IO: flows (flussi) of notifications (notifiche),
// which operators compose, activate and send, and a dispatcher that sends them to the end through
// time-outs, throttling and crashes without notifying a citizen twice.
//
//	store := memstore.New() // or your own, on your database
//	senders := func(context.Context, string) (flow.Sender, error) { return client, nil } // an *appio.Client
//	operators := flow.Permissions{"m.neri": {"tributi"}}
//	service, err := flow.NewService(store, operators, senders, flow.ServiceConfig{})
//	dispatcher, err := flow.NewDispatcher(store, senders, flow.DispatcherConfig{})
//
//	// all rows, or none and why
//	f, report, err := service.ImportFlow(ctx, operator, "tributi", flow.Details{}, rows, flow.AddConfig{})
//	if err == nil && f.Counts.Pending() > 0 {
//		f, err = service.ActivateFlow(ctx, operator, f.ID) // Attivo
//	}
//	if err == nil && f.Counts.Pending() > 0 {
//		f, err = service.SendFlow(ctx, operator, f.ID) // In invio
//	}
//	if err == nil && f.Counts.Pending() > 0 {
//		f, err = dispatcher.Run(ctx, f.ID) // Inviato, or Invio incompleto
//	}
//
// If nothing is pending, all was sent, is disabled or is in Errore: then ActivateFlow of a flow that
// is Inattivo and SendFlow of one that is Invio incompleto are refused with [ErrNothingToSend]. The
// conditions make the program one that can be run again from its start.
//
// # Who does what
//
// [Service] is what an application calls, one method for each action of the guide's screens. It
// asks the application's [Authorizer] which services an operator is enabled for, and writes down
// who did what. [Dispatcher] does the sending: [Dispatcher.Run] one flow, [Dispatcher.Serve]
// whatever is ordered. [Store] keeps the data: implement it on your database and let
// flowtest.RunStore check it, or use package memstore for tests. A [Sender] calls App IO for one
// service; an [*appio.Client] is one.
//
// A [Flow] and a [Notification] are plain structs. What may happen to them is in two tables,
// [FlowMachine] and [NotificationMachine], which Service and Dispatcher follow;
// [Service.FlowActions] and [Service.NotificationActions] are the buttons to show. Each state's
// constant says how it is entered and left. [Service.ScheduleFlow] orders a sending for later, and
// [Service.CheckRecipients] says before who takes messages of the service.
//
// [Service.Watch] follows the sending of a flow, whichever process sends it, with its rate and the time
// left: a web page can stream it. An [Observer] receives events of a Dispatcher or a Service, for
// metrics and traces, without personal data.
//
// # What is promised
//
// No citizen is notified twice unless an operator orders it. A notification is claimed in the
// store, under a lease, before its request goes out, and the outcome is stored afterwards. If the
// platform did not answer, or the process died in between, the outcome is unknown: the notification
// is in Errore with [CodeOutcomeUnknown], and only an operator decides: by
// [Service.ConfirmNotification], or by [Service.ResendNotification], knowing that it may arrive
// twice; for many at once, by [Service.ConfirmUnknown] and [Service.ResendUnknown].
// [Service.RegisterNotification], which sends a corrected notification again, refuses unknown
// outcomes. What was certainly not sent is sent again.
//
// Nor do two notifications send a citizen the same message, even if different imports created
// them or different processes send them. The store checks this when it claims a notification: if
// another one of the service with the same [Draft.Digest] may have arrived, the notification
// becomes Errore with [CodeAlreadySent], and an operator decides. [Service.ImportFlow], called
// again after an error, a crash or by mistake, returns the flow of the first call. A message that
// is meant to be sent again, such as a monthly reminder, has an occasion: [AddConfig].Occasion or
// [Draft].Occasion.
//
// Nothing is lost. A write to the store is all or nothing, and comes with its record in the
// history. A write that fails is repeated until the lease is over. After a crash, what was being sent
// and what could be begun within [DispatcherConfig].ClaimAhead is claimed and not stored: a few
// notifications at the platform's pace, at most twice the Workers of each flow. They are found when
// their leases are over.
//
// A failure of the service stops the flow, not its recipients: with a refused key, or with a platform
// that is down, what was not begun remains Registrato, the flow's Error says why in Italian, and
// [Service.SendFlow] goes on from there. If the platform does not answer at all, up to
// [DispatcherConfig].FailureThreshold and as many notifications as are being sent may be in Errore by
// then.
//
// If App IO refuses a message, its notification becomes Errore, and the others are sent. The flow
// stops if the cause is the service: App IO does not accept the key, its gateway refuses the call
// and says why, or App IO refuses several recipients in a row in the same way
// ([DispatcherConfig].RefusalThreshold). In the last case the refused notifications become
// Registrato again, once. If they are refused after the next order, they remain Errore, so a flow
// does not stop twice for the same notifications. [Transmission].Answer has what the platform said.
//
// What the guide has no field for, such as [appio.Message.FeatureLevel], a [Sender] of
// yours can set before it passes the message on.
//
// # Errors
//
// Those of Service and Dispatcher are a [*flussi.Error], or a [*StopError] from Run.
// [flussi.Explain] has the text for the operator, [flussi.HTTPStatus] the status for a web
// service. None shows personal data.
//
// docs/state-machines.md draws the tables.
package flow
