package flow

// ErrorCode (errore) says why a notification is in [NotificationFailed].
type ErrorCode string

// The error codes of a notification.
const (
	// CodeRefused: the platform refused the data of the message, or dropped the message later.
	// Nothing arrived.
	CodeRefused ErrorCode = "refused"
	// CodeNotPermitted: the platform does not permit the service to send the message, such as to
	// this recipient, or with what the message asks for. Nothing arrived. [Transmission].Answer
	// says why.
	CodeNotPermitted ErrorCode = "not_permitted"
	// CodeUnreachable: the citizen is not on App IO, or blocks the service. Nothing
	// arrived.
	CodeUnreachable ErrorCode = "unreachable"
	// CodeOutcomeUnknown: it is unknown whether the message arrived. The notification leaves the
	// error only by NotificationConfirm or NotificationResend.
	CodeOutcomeUnknown ErrorCode = "outcome_unknown"
	// CodeNotSent: the platform did not take the message although it was tried several
	// times, while it took others. Nothing arrived.
	CodeNotSent ErrorCode = "not_sent"
	// CodeAlreadySent: the message was not sent, because the citizen may have it from another
	// notification of the service. [Transmission].EarlierID is the ID of that notification;
	// Transmission.Error has its date. An operator disables the notification, gives it another
	// occasion, or sends it anyway by NotificationResend.
	CodeAlreadySent ErrorCode = "already_sent"
	// CodeInvalid: the message was never sent, because its data are not valid.
	CodeInvalid ErrorCode = "invalid"
)

// known reports whether the code is one of this package.
func (c ErrorCode) known() bool {
	switch c {
	case CodeRefused, CodeNotPermitted, CodeUnreachable, CodeOutcomeUnknown, CodeNotSent, CodeAlreadySent, CodeInvalid:
		return true
	}
	return false
}

// Label returns a short name for lists; of an unknown code, its own text.
func (c ErrorCode) Label() string {
	switch c {
	case CodeRefused:
		return "Rifiutata"
	case CodeNotPermitted:
		return "Non consentita"
	case CodeUnreachable:
		return "Destinatario non raggiungibile"
	case CodeOutcomeUnknown:
		return "Esito sconosciuto"
	case CodeNotSent:
		return "Non inviata"
	case CodeAlreadySent:
		return "Già inviata"
	case CodeInvalid:
		return "Dati non validi"
	}
	return string(c)
}

// sendAgain says how an operator sends a notification in Errore again.
const sendAgain = "riportare la notifica a «Registrato» e inviarla di nuovo, da sola con «Invia Messaggio» o con il suo flusso con «Invia Flusso»"

// Italian returns the text for the operator: what happened and what can be done. It
// is "" for no error, and the code itself for one that is not known.
func (c ErrorCode) Italian() string {
	switch c {
	case CodeRefused:
		return "App IO ha rifiutato il messaggio, che non è arrivato: correggere i dati, " + sendAgain + "."
	case CodeNotPermitted:
		return "App IO non consente al servizio di inviare questo messaggio, che non è arrivato. Verificare le abilitazioni e i limiti del servizio e ciò che il messaggio richiede, poi " + sendAgain + "; se App IO esclude il destinatario, avvisarlo con un altro canale."
	case CodeUnreachable:
		return "Il cittadino non è su App IO o ha disattivato i messaggi del servizio: il messaggio non è arrivato. Avvisare il cittadino con un altro canale."
	case CodeOutcomeUnknown:
		return "Esito sconosciuto: il messaggio potrebbe essere arrivato. Confermare la notifica come inviata, oppure inviarla di nuovo sapendo che il cittadino potrebbe riceverla due volte."
	case CodeNotSent:
		return "App IO non ha preso in carico il messaggio, nonostante più tentativi: il messaggio non è arrivato. Per inviarlo, " + sendAgain + "."
	case CodeAlreadySent:
		return "Non inviata: il cittadino ha, o potrebbe avere, lo stesso messaggio da un'altra notifica. " + alreadySentAdvice
	case CodeInvalid:
		return "I dati non sono validi e il messaggio non è stato inviato: correggerli, " + sendAgain + "."
	}
	return string(c)
}
