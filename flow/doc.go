// Package flow holds the bulk sending of messages through App IO: flows (flussi) and
// their notifications (notifiche), what they may become, and who may make them so.
//
// A [Flow] and a [Notification] are plain structs. What may happen to them is in two
// tables, [FlowMachine] and [NotificationMachine]; the Fire methods apply them:
//
//	f, err := flow.NewFlow("servizio-tributi", operator)
//	err = f.Fire(ctx, flow.FlowActivate, operator) // Inattivo → Attivo
//	f.Allowed(operator.Roles...)                   // the buttons to show
//
// A refused step leaves the entity as it was, and its error names what is allowed
// instead, or who may do it. Each state's constant says how it is entered and left.
// The machines decide about one entity at a time: a flow's table does not look at its
// notifications.
//
// # The life of a flow
//
//	%% flow
//	stateDiagram-v2
//	    state "Inattivo" as Inactive
//	    Inactive : Aggiorna (operatore)
//	    Inactive : Importa da File Excel (operatore)
//	    state "Attivo" as Active
//	    Active : Aggiorna (operatore)
//	    state "In invio" as Sending
//	    state "Inviato" as Sent
//	    Sent : Aggiorna (operatore)
//	    state "Invio incompleto" as Incomplete
//	    Incomplete : Aggiorna (operatore)
//	    [*] --> Inactive
//	    Inactive --> Active : Attiva (operatore)
//	    Active --> Inactive : Riporta a Inattivo (operatore)
//	    Active --> Sending : Invia Flusso (operatore)
//	    Sending --> Sent : Concludi: tutto inviato (sistema)
//	    Sending --> Incomplete : Concludi: esiti negativi (sistema)
//	    Sent --> Incomplete : Concludi: esiti negativi (sistema)
//	    Incomplete --> Sending : Invia Flusso (operatore)
//	    Incomplete --> Sent : Concludi: tutto inviato (sistema)
//
// # The life of a notification
//
//	%% notification
//	stateDiagram-v2
//	    state "Registrato" as Registered
//	    Registered : Aggiorna (operatore)
//	    state "In invio" as Sending
//	    state "Inviato" as Sent
//	    state "Errore" as Failed
//	    Failed : Aggiorna (operatore)
//	    [*] --> Registered
//	    Registered --> Sending : Prendi in carico (sistema)
//	    Sending --> Registered : Restituisci: non inviata (sistema)
//	    Sending --> Sent : Accettata dalla piattaforma (sistema)
//	    Sending --> Failed : Esito negativo o ignoto (sistema)
//	    Sent --> Failed : Rifiutata in seguito (sistema)
//	    Failed --> Registered : Invia di nuovo, anche se forse già arrivata (operatore)
//	    Failed --> Registered : Riporta a Registrato (operatore)
//	    Failed --> Sent : Conferma come inviata (operatore)
package flow
