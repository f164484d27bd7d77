// Package pagoinrete collects what schools are owed through Pago In Rete: payment events (eventi di
// pagamento, tasse) and their payment notices (avvisi di pagamento), from their creation to the day
// on which they are paid and reconciled. The ministry's interface of Pago In Rete is not public:
// package restgateway is a [Gateway] for a format of this library, and with the ministry's
// documents you write another one.
//
//	client, err := restgateway.New(key, "RMIC8GA002", restgateway.Config{BaseURL: address}) // one for each school
//	store := memstore.New()                                                                 // or your own, on your database
//	gateways := func(ctx context.Context, school string) (pagoinrete.Gateway, error) { return client, nil }
//	p, err := pagoinrete.NewService(store, pagoinrete.Permissions{"a.bianchi": {"RMIC8GA002"}}, gateways, pagoinrete.ServiceConfig{})
//
// # The ten operations
//
// One method of [Service] for each operation of the guide; each takes the actor, whose SIDI
// role ([flussi.Principal] is the DS, [flussi.AdminDirector] the DSGA, [flussi.AdminAssistant]
// an A.A.) has to be the one that the guide names. Behind each: the states afterwards.
//
//	 1  e, err = p.CreateEvent(ctx, assistant, pagoinrete.Fee, school, data)   Non trasmesso
//	 2  e, err = p.TransmitEvent(ctx, assistant, e.ID)                         Simulato
//	 3  report, err := p.AddNotices(ctx, assistant, e.ID, rows, config)        Simulato; Non collegato
//	 4  report, err := p.TransmitNotices(ctx, assistant, e.ID)                 Simulato; Non pagato (Non notificato)
//	 5  e, err = p.SubmitEvent(ctx, assistant, e.ID)                           Da approvare
//	 6  e, err = p.ApproveEvent(ctx, principal, e.ID)                          Da notificare; or RejectEvent: Rifiutato
//	 7  e, err = p.NotifyEvent(ctx, assistant, e.ID)                           Notificato; Non pagato (Notificato)
//	 8  for pdf, err := range p.EventPDFs(ctx, assistant, e.ID) { … }
//	 9  n, err := p.ShowEvent(ctx, assistant, e.ID)                            in the guardians' area
//	10  e, report, err := p.VerifyEvent(ctx, assistant, e.ID)                  Notificato; Pagato
//
// The third and the fourth are not for a donation (erogazione liberale), which has no notices.
// [Service.EventActions] and [Service.NoticeActions] are the buttons to show; in lists,
// [Event.Actions] and [Notice.Actions].
//
// # What PSPs and the treasury say
//
// Package paymentfile reads the files that schools get, and package settlement matches them.
// Package settlementexcel reads such rows from CSV files and workbooks. [NewDues] tells package
// settlement what is due with notices, and changes the notices that were paid:
//
//	dues, err := pagoinrete.NewDues(p, pagoinrete.DuesConfig{By: program, School: schoolOf})
//	files, err := settlement.NewService(settlements, bodies, dues)
//	result, err := files.Apply(ctx, assistant, file)
//
// Files may come in any order and more than once. The state of a notice depends on what they say
// now: if a revision drops a payment, a payment is revoked, or a movement is reversed, the notice
// returns to its BaseState. Its Evidence has the IDs of the payment and of the movement in package
// settlement. A settlement shows a payment even without a receipt. Payments and movements are
// matched by hand in package settlement: [settlement.Service.MatchPayment], also for a payment of
// another amount than is due, [settlement.Service.MatchMovement]. A payment outside Pago In Rete is
// recorded here: [Service.PayNoticeManually], [Service.ReconcileNoticeManually].
//
// # An event and its notices
//
// What may happen to either is in two tables, [EventMachine] and [NoticeMachine]. [Compatible] says
// which states notices may be in while their event is in a state.
//
//	the event                     its notices
//	Non trasmesso a Pago in Rete  none
//	Simulato, Rifiutato           Non collegato, Non pagato (Non notificato), Annullato
//	Da approvare, Da notificare   Non pagato (Non notificato), Annullato
//	Notificato                    all but Non collegato
//	Cancellato                    Annullato
//
// # What is promised
//
// Nothing is transmitted twice, and nothing is lost. What changes something in Pago In Rete is done
// there first and stored here afterwards, under an ID that it recognises: after a call that failed,
// or a crash, make the same call again. If the outcome of a call is unknown, the Service reads the
// state from Pago In Rete.
//
// What Pago In Rete reports is never taken over without a record. A state further on implies the
// steps to it; one that cannot follow, another amount, or a payment too many becomes a
// [Discrepancy], which remains until an operator resolves it or Pago In Rete agrees again.
//
// # Errors
//
// Those of [Service] are a [*flussi.Error]; one that Pago In Rete caused wraps a
// [*flussi.RemoteError]. [flussi.Explain] has the text for the operator, [flussi.HTTPStatus] the
// status for a web service. None shows personal data.
//
// docs/state-machines.md draws the tables.
package pagoinrete
