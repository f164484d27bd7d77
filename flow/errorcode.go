package flow

// ErrorCode (errore) says why a notification is in [NotificationFailed].
type ErrorCode string

// The error codes of a notification.
const (
	// ErrorRefused: the platform refused the message, or dropped it later. Nothing
	// arrived.
	ErrorRefused ErrorCode = "refused"
	// ErrorUnreachable: the citizen is not on App IO, or blocks the service. Nothing
	// arrived.
	ErrorUnreachable ErrorCode = "unreachable"
	// ErrorOutcomeUnknown: nobody knows whether the message arrived. The notification
	// leaves the error only by NotificationConfirm or NotificationResend.
	ErrorOutcomeUnknown ErrorCode = "outcome_unknown"
	// ErrorNotSent: the platform did not take the message although it was tried several
	// times, while it took others. Nothing arrived.
	ErrorNotSent ErrorCode = "not_sent"
	// ErrorAlreadySent: the message was not sent, because the citizen may have it from
	// another notification of the service. [Transmission].Earlier is the ID of that
	// notification; Transmission.Error has its date. An operator disables the notification,
	// gives it another occasion, or sends it all the same by NotificationResend.
	ErrorAlreadySent ErrorCode = "already_sent"
	// ErrorInvalid: the message was never sent, because its data are not valid.
	ErrorInvalid ErrorCode = "invalid"
)

// Label returns a short name for lists; of an unknown code, its own text.
func (c ErrorCode) Label() string {
	switch c {
	case ErrorRefused:
		return "Rifiutata"
	case ErrorUnreachable:
		return "Destinatario non raggiungibile"
	case ErrorOutcomeUnknown:
		return "Esito sconosciuto"
	case ErrorNotSent:
		return "Non inviata"
	case ErrorAlreadySent:
		return "Già inviata"
	case ErrorInvalid:
		return "Dati non validi"
	}
	return string(c)
}

// Italian returns the text for the operator: what happened and what can be done. It
// is "" for no error, and the code itself for one that is not known.
func (c ErrorCode) Italian() string {
	switch c {
	case ErrorRefused:
		return "La piattaforma ha rifiutato il messaggio, che non è arrivato: correggere i dati, riportare la notifica a Registrato e inviarla di nuovo."
	case ErrorUnreachable:
		return "Il cittadino non è su App IO o ha disattivato i messaggi del servizio: il messaggio non è arrivato."
	case ErrorOutcomeUnknown:
		return "Esito sconosciuto: il messaggio potrebbe essere arrivato. Confermare la notifica come inviata, oppure inviarla di nuovo sapendo che il cittadino potrebbe riceverla due volte."
	case ErrorNotSent:
		return "La piattaforma non ha preso in carico il messaggio, nonostante più tentativi: il messaggio non è arrivato. Riportare la notifica a Registrato e inviarla di nuovo."
	case ErrorAlreadySent:
		return "Non inviata: un'altra notifica ha già portato, o potrebbe aver portato, lo stesso messaggio al cittadino. " + alreadySentAdvice
	case ErrorInvalid:
		return "I dati non sono validi e il messaggio non è stato inviato: correggerli, riportare la notifica a Registrato e inviarla di nuovo."
	}
	return string(c)
}
