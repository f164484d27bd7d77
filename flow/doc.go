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
//	    state "Inattivo" as s_inactive
//	    s_inactive : Aggiorna (operatore)
//	    s_inactive : Disabilita (operatore)
//	    s_inactive : Importa da File Excel (operatore)
//	    s_inactive : Riabilita (operatore)
//	    state "Attivo" as s_active
//	    s_active : Aggiorna (operatore)
//	    s_active : Disabilita (operatore)
//	    s_active : Riabilita (operatore)
//	    state "In invio" as s_sending
//	    s_sending : Disabilita (operatore)
//	    s_sending : Ferma l'invio (sistema)
//	    s_sending : Riabilita (operatore)
//	    s_sending : Verifica Stato (operatore)
//	    state "Inviato" as s_sent
//	    s_sent : Aggiorna (operatore)
//	    s_sent : Disabilita (operatore)
//	    s_sent : Riabilita (operatore)
//	    s_sent : Verifica Stato (operatore)
//	    state "Invio incompleto" as s_incomplete
//	    s_incomplete : Aggiorna (operatore)
//	    s_incomplete : Disabilita (operatore)
//	    s_incomplete : Riabilita (operatore)
//	    s_incomplete : Verifica Stato (operatore)
//	    [*] --> s_inactive
//	    s_inactive --> s_active : Attiva (operatore)
//	    s_active --> s_inactive : Riporta a Inattivo (operatore)
//	    s_active --> s_sending : Invia Flusso (operatore)
//	    s_sending --> s_sent : Concludi#58; tutto inviato (sistema)
//	    s_sending --> s_incomplete : Concludi#58; esiti negativi (sistema)
//	    s_sent --> s_incomplete : Concludi#58; esiti negativi (sistema)
//	    s_incomplete --> s_sending : Invia Flusso (operatore)
//	    s_incomplete --> s_sent : Concludi#58; tutto inviato (sistema)
//
// # The life of a notification
//
//	%% notification
//	stateDiagram-v2
//	    state "Registrato" as s_registered
//	    s_registered : Aggiorna (operatore)
//	    s_registered : Disabilita (operatore)
//	    s_registered : Riabilita (operatore)
//	    state "In invio" as s_sending
//	    state "Inviato" as s_sent
//	    s_sent : Disabilita (operatore)
//	    s_sent : Riabilita (operatore)
//	    s_sent : Verifica Stato (operatore, sistema)
//	    state "Errore" as s_failed
//	    s_failed : Aggiorna (operatore)
//	    s_failed : Disabilita (operatore)
//	    s_failed : Riabilita (operatore)
//	    [*] --> s_registered
//	    s_registered --> s_sending : Prendi in carico (sistema)
//	    s_sending --> s_registered : Restituisci#58; non inviata (sistema)
//	    s_sending --> s_sent : Accettata dalla piattaforma (sistema)
//	    s_sending --> s_failed : Esito negativo o ignoto (sistema)
//	    s_sent --> s_failed : Rifiutata in seguito (sistema)
//	    s_failed --> s_registered : Invia di nuovo, anche se forse già arrivata (operatore)
//	    s_failed --> s_registered : Riporta a Registrato (operatore)
//	    s_failed --> s_sent : Accettata dalla piattaforma (sistema)
//	    s_failed --> s_sent : Conferma come inviata (operatore)
package flow
