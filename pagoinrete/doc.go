// Package pagoinrete holds the fees that schools collect through Pago In Rete:
// payment events (eventi di pagamento, tasse) and their payment notices (avvisi di
// pagamento), what they may become, and which SIDI role may make them so.
//
// An [Event] and a [Notice] are plain structs. What may happen to them is in two
// tables, [EventMachine] and [NoticeMachine]; the Fire methods apply them:
//
//	e, err := pagoinrete.NewEvent(pagoinrete.Fee, "RMIC8GA002", assistant)
//	err = e.Fire(ctx, pagoinrete.EventSave, assistant)    // → Non trasmesso a Pago in Rete
//	err = e.Fire(ctx, pagoinrete.EventApprove, assistant) // refused: not yet, and only by the DS
//
// A refused step leaves the entity as it was, and its error names what is allowed
// instead, or who may do it. Each state's constant says how it is entered and left. The rules that
// couple an event with its notices are not in these tables.
//
// # The life of a payment event
//
//	%% payment event
//	stateDiagram-v2
//	    state "(vuoto)" as Blank
//	    state "Non trasmesso a Pago in Rete" as Not_transmitted
//	    Not_transmitted : Modifica (DSGA, A.A.)
//	    state "Simulato" as Simulated
//	    Simulated : Modifica (DSGA, A.A.)
//	    state "Da approvare" as To_approve
//	    state "Da notificare" as To_notify
//	    state "Rifiutato" as Rejected
//	    Rejected : Modifica (DSGA, A.A.)
//	    state "Notificato" as Notified
//	    state "Cancellato" as Deleted
//	    [*] --> Blank
//	    Blank --> Not_transmitted : Salva (DSGA, A.A.)
//	    Not_transmitted --> Simulated : Salva e trasmetti l'evento di pagamento a Pago in Rete (DSGA, A.A.)
//	    Simulated --> To_approve : Rendi l'evento #quot;da approvare#quot; dal DS su Pago in Rete (DSGA, A.A.)
//	    Simulated --> Deleted : Cancella (DSGA, A.A.)
//	    To_approve --> To_notify : Approva l'evento di pagamento su Pago in Rete (DS)
//	    To_approve --> Rejected : Rifiuta l'evento di pagamento su Pago in Rete (DS)
//	    To_notify --> Notified : Notifica l'evento di pagamento su Pago in Rete (DSGA, A.A.)
//	    Rejected --> To_approve : Rendi l'evento #quot;da approvare#quot; dal DS su Pago in Rete (DSGA, A.A.)
//	    Rejected --> Deleted : Cancella (DSGA, A.A.)
//	    Notified --> [*]
//	    Deleted --> [*]
//
// # The life of a payment notice
//
//	%% payment notice
//	stateDiagram-v2
//	    state "Non collegato a Pago in Rete" as Not_linked
//	    Not_linked : Modifica (DSGA, A.A.)
//	    state "Non pagato (Non notificato)" as Not_notified
//	    state "Non pagato (Notificato)" as Notified
//	    state "Non pagato (RPT inviata in attesa di RT)" as Awaiting_receipt
//	    state "Pagato (Pagato online)" as Paid_online
//	    state "Pagato manualmente" as Paid_manually
//	    state "Pagamento confermato" as Confirmed
//	    state "Pagamento riscontrato automaticamente" as Reconciled
//	    state "Pagamento riscontrato manualmente" as Reconciled_manually
//	    state "Annullato" as Cancelled
//	    state "Rimborsato" as Refunded
//	    [*] --> Not_linked
//	    Not_linked --> Not_notified : Trasmetti l'avviso di pagamento a Pago in Rete (DSGA, A.A.)
//	    Not_linked --> Cancelled : Annulla (DSGA, A.A.)
//	    Not_notified --> Notified : Notifica (sistema)
//	    Not_notified --> Paid_manually : Riscontra il pagamento manualmente (DSGA, A.A.)
//	    Not_notified --> Cancelled : Annulla (DSGA, A.A.)
//	    Notified --> Awaiting_receipt : RPT inviata (sistema)
//	    Notified --> Paid_manually : Riscontra il pagamento manualmente (DSGA, A.A.)
//	    Notified --> Cancelled : Annulla (DSGA, A.A.)
//	    Awaiting_receipt --> Notified : Pagamento non riuscito (sistema)
//	    Awaiting_receipt --> Paid_online : RT ricevuta (sistema)
//	    Paid_online --> Confirmed : Riscontra con i flussi di riversamento PSP (sistema)
//	    Paid_online --> Reconciled : Riconcilia con i movimenti del file OIL (sistema)
//	    Paid_online --> Refunded : Rimborsa (DSGA, A.A.)
//	    Paid_manually --> Reconciled_manually : Riconcilia manualmente con il file OIL (DSGA, A.A.)
//	    Paid_manually --> Refunded : Rimborsa (DSGA, A.A.)
//	    Confirmed --> Reconciled : Riconcilia con i movimenti del file OIL (sistema)
//	    Confirmed --> Refunded : Rimborsa (DSGA, A.A.)
//	    Reconciled --> Refunded : Rimborsa (DSGA, A.A.)
//	    Reconciled_manually --> Refunded : Rimborsa (DSGA, A.A.)
//	    Cancelled --> [*]
//	    Refunded --> [*]
package pagoinrete
