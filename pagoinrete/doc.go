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
//	    state "(vuoto)" as s_blank
//	    state "Non trasmesso a Pago in Rete" as s_not_transmitted
//	    s_not_transmitted : Modifica (DSGA, A.A.)
//	    state "Simulato" as s_simulated
//	    s_simulated : Modifica (DSGA, A.A.)
//	    state "Da approvare" as s_to_approve
//	    state "Da notificare" as s_to_notify
//	    state "Rifiutato" as s_rejected
//	    s_rejected : Modifica (DSGA, A.A.)
//	    state "Notificato" as s_notified
//	    state "Cancellato" as s_deleted
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
//	    state "Non pagato (Non notificato)" as s_not_notified
//	    state "Non pagato (Notificato)" as s_notified
//	    state "Non pagato (RPT inviata in attesa di RT)" as s_awaiting_receipt
//	    state "Pagato (Pagato online)" as s_paid_online
//	    state "Pagato manualmente" as s_paid_manually
//	    state "Pagamento confermato" as s_confirmed
//	    state "Pagamento riscontrato automaticamente" as s_reconciled
//	    state "Pagamento riscontrato manualmente" as s_reconciled_manually
//	    state "Annullato" as s_cancelled
//	    state "Rimborsato" as s_refunded
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
