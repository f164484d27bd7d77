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
// instead. Each state's constant says how it is entered and left.
//
// # The life of a flow
//
//	%% flow
//	stateDiagram-v2
//	    state "Inattivo" as Inactive
//	    state "Attivo" as Active
//	    state "In invio" as Sending
//	    state "Inviato" as Sent
//	    state "Invio incompleto" as Incomplete
//	    [*] --> Inactive
//	    Inactive --> Inactive : Aggiorna (operatore)
//	    Inactive --> Inactive : Importa da File Excel (operatore)
//	    Inactive --> Active : Attiva (operatore)
//	    Active --> Inactive : Riporta a Inattivo (operatore)
//	    Active --> Active : Aggiorna (operatore)
//	    Active --> Sending : Invia Flusso (operatore)
//	    Sending --> Sent : Concludi: tutto inviato (sistema)
//	    Sending --> Incomplete : Concludi: esiti negativi (sistema)
//	    Sent --> Sent : Aggiorna (operatore)
//	    Sent --> Incomplete : Concludi: esiti negativi (sistema)
//	    Incomplete --> Sending : Invia Flusso (operatore)
//	    Incomplete --> Sent : Concludi: tutto inviato (sistema)
//	    Incomplete --> Incomplete : Aggiorna (operatore)
//
// # The life of a notification
//
//	%% notification
//	stateDiagram-v2
//	    state "Registrato" as Registered
//	    state "In invio" as Sending
//	    state "Inviato" as Sent
//	    state "Errore" as Failed
//	    [*] --> Registered
//	    Registered --> Registered : Aggiorna (operatore)
//	    Registered --> Sending : Prendi in carico (sistema)
//	    Sending --> Registered : Restituisci: non inviata (sistema)
//	    Sending --> Sent : Accettata dalla piattaforma (sistema)
//	    Sending --> Failed : Esito negativo o ignoto (sistema)
//	    Sent --> Failed : Rifiutata in seguito (sistema)
//	    Failed --> Registered : Invia di nuovo, anche se forse già arrivata (operatore)
//	    Failed --> Registered : Riporta a Registrato (operatore)
//	    Failed --> Sent : Conferma come inviata (operatore)
//	    Failed --> Failed : Aggiorna (operatore)
package flow
