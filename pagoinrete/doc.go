// Package pagoinrete collects what schools are owed through Pago In Rete: payment events
// (eventi di pagamento, tasse) and their payment notices (avvisi di pagamento), from their
// creation to the day on which they are paid and reconciled. The ministry's interface of Pago In
// Rete is not public: package restgateway is a [Gateway] for a format of this library, and those
// who have the ministry's documents write another one.
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
// [Service.ApplySettlement] and [Service.ApplyJournal] match what the payment service
// providers and the treasury say was collected.
//
// # An event and its notices
//
// What may happen to either is in two tables, [EventMachine] and [NoticeMachine]. What couples
// them, [Coupled] tells: which states notices may be in while their event is in one.
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
// Nothing is transmitted twice, and nothing is lost. What changes something in Pago In Rete is
// done there first and stored here afterwards, under an ID that it recognises: where a call
// fails or the program dies in between, the same call is made again. No answer is taken for
// granted: what is not known is read back.
//
// What Pago In Rete says is never taken over in silence. A state further on implies the steps
// to it; one that cannot follow, another amount, or a payment too many becomes a
// [Discrepancy], which stays until somebody settles it.
//
// # Errors
//
// Those of [Service] are an [*flussi.Error]; one that Pago In Rete caused wraps a
// [*flussi.RemoteError]. [flussi.Explain] has the text for the operator, [flussi.HTTPStatus] the
// status for a web service. None shows personal data.
//
// # The life of a payment event
//
//	%% payment event
//	stateDiagram-v2
//	    state "(vuoto)" as s_blank
//	    state "Non trasmesso a Pago in Rete" as s_not_transmitted
//	    s_not_transmitted : Modifica (DSGA, A.A.)
//	    s_not_transmitted : Verifica stato (DSGA, A.A.)
//	    state "Simulato" as s_simulated
//	    s_simulated : Archivia la discrepanza (DSGA, A.A.)
//	    s_simulated : Crea i pagamenti (DSGA, A.A.)
//	    s_simulated : Modifica (DSGA, A.A.)
//	    s_simulated : Segnala una discrepanza (sistema)
//	    s_simulated : Trasmetti gli avvisi di pagamento a Pago in Rete (DSGA, A.A.)
//	    s_simulated : Verifica stato (DSGA, A.A.)
//	    state "Da approvare" as s_to_approve
//	    s_to_approve : Archivia la discrepanza (DSGA, A.A.)
//	    s_to_approve : Segnala una discrepanza (sistema)
//	    s_to_approve : Verifica stato (DSGA, A.A.)
//	    state "Da notificare" as s_to_notify
//	    s_to_notify : Archivia la discrepanza (DSGA, A.A.)
//	    s_to_notify : Segnala una discrepanza (sistema)
//	    s_to_notify : Verifica stato (DSGA, A.A.)
//	    state "Rifiutato" as s_rejected
//	    s_rejected : Archivia la discrepanza (DSGA, A.A.)
//	    s_rejected : Crea i pagamenti (DSGA, A.A.)
//	    s_rejected : Modifica (DSGA, A.A.)
//	    s_rejected : Segnala una discrepanza (sistema)
//	    s_rejected : Trasmetti gli avvisi di pagamento a Pago in Rete (DSGA, A.A.)
//	    s_rejected : Verifica stato (DSGA, A.A.)
//	    state "Notificato" as s_notified
//	    s_notified : Archivia la discrepanza (DSGA, A.A.)
//	    s_notified : Rendi visibile il pagamento in Area Tutore (DSGA, A.A.)
//	    s_notified : Scarica i file .pdf degli avvisi di pagamento (DSGA, A.A.)
//	    s_notified : Segnala una discrepanza (sistema)
//	    s_notified : Verifica stato (DSGA, A.A.)
//	    state "Cancellato" as s_deleted
//	    s_deleted : Archivia la discrepanza (DSGA, A.A.)
//	    s_deleted : Segnala una discrepanza (sistema)
//	    [*] --> s_blank
//	    s_blank --> s_not_transmitted : Salva (DSGA, A.A.)
//	    s_not_transmitted --> s_simulated : Salva e trasmetti l'evento di pagamento a Pago in Rete (DSGA, A.A.)
//	    s_simulated --> s_to_approve : Rendi l'evento #quot;da approvare#quot; dal DS su Pago in Rete (DSGA, A.A.)
//	    s_simulated --> s_deleted : Cancella (DSGA, A.A.)
//	    s_to_approve --> s_to_notify : Approva l'evento di pagamento su Pago in Rete (DS)
//	    s_to_approve --> s_rejected : Rifiuta l'evento di pagamento su Pago in Rete (DS)
//	    s_to_notify --> s_notified : Notifica l'evento di pagamento su Pago in Rete (DSGA, A.A.)
//	    s_rejected --> s_to_approve : Rendi l'evento #quot;da approvare#quot; dal DS su Pago in Rete (DSGA, A.A.)
//	    s_rejected --> s_deleted : Cancella (DSGA, A.A.)
//	    s_notified --> [*]
//	    s_deleted --> [*]
//
// # The life of a payment notice
//
//	%% payment notice
//	stateDiagram-v2
//	    state "Non collegato a Pago in Rete" as s_not_linked
//	    s_not_linked : Modifica (DSGA, A.A.)
//	    s_not_linked : Trasmissione rifiutata (sistema)
//	    state "Non pagato (Non notificato)" as s_not_notified
//	    s_not_notified : Archivia la discrepanza (DSGA, A.A.)
//	    s_not_notified : Nascondi in Area Tutore (DSGA, A.A.)
//	    s_not_notified : Rendi visibile in Area Tutore (DSGA, A.A.)
//	    s_not_notified : Segnala una discrepanza (sistema)
//	    s_not_notified : Verifica stato (DSGA, A.A.)
//	    state "Non pagato (Notificato)" as s_notified
//	    s_notified : Archivia la discrepanza (DSGA, A.A.)
//	    s_notified : Nascondi in Area Tutore (DSGA, A.A.)
//	    s_notified : Rendi visibile in Area Tutore (DSGA, A.A.)
//	    s_notified : Segnala una discrepanza (sistema)
//	    s_notified : Verifica stato (DSGA, A.A.)
//	    state "Non pagato (RPT inviata in attesa di RT)" as s_awaiting_receipt
//	    s_awaiting_receipt : Archivia la discrepanza (DSGA, A.A.)
//	    s_awaiting_receipt : Nascondi in Area Tutore (DSGA, A.A.)
//	    s_awaiting_receipt : Rendi visibile in Area Tutore (DSGA, A.A.)
//	    s_awaiting_receipt : Segnala una discrepanza (sistema)
//	    s_awaiting_receipt : Verifica stato (DSGA, A.A.)
//	    state "Pagato (Pagato online)" as s_paid_online
//	    s_paid_online : Archivia la discrepanza (DSGA, A.A.)
//	    s_paid_online : Nascondi in Area Tutore (DSGA, A.A.)
//	    s_paid_online : Rendi visibile in Area Tutore (DSGA, A.A.)
//	    s_paid_online : Segnala una discrepanza (sistema)
//	    s_paid_online : Verifica stato (DSGA, A.A.)
//	    state "Pagato manualmente" as s_paid_manually
//	    s_paid_manually : Archivia la discrepanza (DSGA, A.A.)
//	    s_paid_manually : Nascondi in Area Tutore (DSGA, A.A.)
//	    s_paid_manually : Rendi visibile in Area Tutore (DSGA, A.A.)
//	    s_paid_manually : Segnala una discrepanza (sistema)
//	    s_paid_manually : Verifica stato (DSGA, A.A.)
//	    state "Pagamento confermato" as s_confirmed
//	    s_confirmed : Archivia la discrepanza (DSGA, A.A.)
//	    s_confirmed : Nascondi in Area Tutore (DSGA, A.A.)
//	    s_confirmed : Rendi visibile in Area Tutore (DSGA, A.A.)
//	    s_confirmed : Segnala una discrepanza (sistema)
//	    s_confirmed : Verifica stato (DSGA, A.A.)
//	    state "Pagamento riscontrato automaticamente" as s_reconciled
//	    s_reconciled : Archivia la discrepanza (DSGA, A.A.)
//	    s_reconciled : Nascondi in Area Tutore (DSGA, A.A.)
//	    s_reconciled : Rendi visibile in Area Tutore (DSGA, A.A.)
//	    s_reconciled : Riscontra con i flussi di riversamento PSP (sistema)
//	    s_reconciled : Segnala una discrepanza (sistema)
//	    s_reconciled : Verifica stato (DSGA, A.A.)
//	    state "Pagamento riscontrato manualmente" as s_reconciled_manually
//	    s_reconciled_manually : Archivia la discrepanza (DSGA, A.A.)
//	    s_reconciled_manually : Nascondi in Area Tutore (DSGA, A.A.)
//	    s_reconciled_manually : Rendi visibile in Area Tutore (DSGA, A.A.)
//	    s_reconciled_manually : Segnala una discrepanza (sistema)
//	    s_reconciled_manually : Verifica stato (DSGA, A.A.)
//	    state "Annullato" as s_cancelled
//	    s_cancelled : Archivia la discrepanza (DSGA, A.A.)
//	    s_cancelled : Nascondi in Area Tutore (DSGA, A.A.)
//	    s_cancelled : Rendi visibile in Area Tutore (DSGA, A.A.)
//	    s_cancelled : Segnala una discrepanza (sistema)
//	    s_cancelled : Verifica stato (DSGA, A.A.)
//	    state "Rimborsato" as s_refunded
//	    s_refunded : Archivia la discrepanza (DSGA, A.A.)
//	    s_refunded : Nascondi in Area Tutore (DSGA, A.A.)
//	    s_refunded : Rendi visibile in Area Tutore (DSGA, A.A.)
//	    s_refunded : Segnala una discrepanza (sistema)
//	    s_refunded : Verifica stato (DSGA, A.A.)
//	    [*] --> s_not_linked
//	    s_not_linked --> s_not_notified : Trasmetti l'avviso di pagamento a Pago in Rete (DSGA, A.A.)
//	    s_not_linked --> s_cancelled : Annulla (DSGA, A.A.)
//	    s_not_notified --> s_notified : Notifica (sistema)
//	    s_not_notified --> s_paid_manually : Riscontra il pagamento manualmente (DSGA, A.A.)
//	    s_not_notified --> s_cancelled : Annulla (DSGA, A.A.)
//	    s_notified --> s_awaiting_receipt : RPT inviata (sistema)
//	    s_notified --> s_paid_manually : Riscontra il pagamento manualmente (DSGA, A.A.)
//	    s_notified --> s_cancelled : Annulla (DSGA, A.A.)
//	    s_awaiting_receipt --> s_notified : Pagamento non riuscito (sistema)
//	    s_awaiting_receipt --> s_paid_online : RT ricevuta (sistema)
//	    s_paid_online --> s_confirmed : Riscontra con i flussi di riversamento PSP (sistema)
//	    s_paid_online --> s_reconciled : Riconcilia con i movimenti del file OIL (sistema)
//	    s_paid_online --> s_refunded : Rimborsa (DSGA, A.A.)
//	    s_paid_manually --> s_reconciled_manually : Riconcilia manualmente con il file OIL (DSGA, A.A.)
//	    s_paid_manually --> s_refunded : Rimborsa (DSGA, A.A.)
//	    s_confirmed --> s_reconciled : Riconcilia con i movimenti del file OIL (sistema)
//	    s_confirmed --> s_refunded : Rimborsa (DSGA, A.A.)
//	    s_reconciled --> s_refunded : Rimborsa (DSGA, A.A.)
//	    s_reconciled_manually --> s_refunded : Rimborsa (DSGA, A.A.)
//	    s_cancelled --> [*]
//	    s_refunded --> [*]
package pagoinrete
