package main

import "github.com/flussi-go/flussi/appio"

// delivery says in Italian how far the platform is with a message, behind the platform's own
// word. A word that nobody knows stands alone.
func delivery(status appio.MessageStatus) string {
	return withMeaning(string(status), map[appio.MessageStatus]string{
		appio.StatusAccepted:  "preso in carico, non ancora consegnato",
		appio.StatusThrottled: "in ritardo per un guasto temporaneo: App IO riprova",
		appio.StatusProcessed: "consegnato: il cittadino lo trova nell'app",
		appio.StatusFailed:    "non consegnato, per un errore definitivo di App IO",
		appio.StatusRejected:  "non consegnato: il cittadino non è su App IO o ha disattivato i messaggi del servizio",
	}[status])
}

// channel says the same of the notice of a message by e-mail or push.
func channel(status appio.ChannelStatus) string {
	return withMeaning(string(status), map[appio.ChannelStatus]string{
		appio.ChannelSent:      "avviso inviato",
		appio.ChannelThrottled: "in ritardo per un guasto temporaneo: App IO riprova",
		appio.ChannelExpired:   "avviso non inviato, perché era troppo tardi",
		appio.ChannelFailed:    "avviso non inviato, per un errore definitivo",
	}[status])
}

func withMeaning(word, italian string) string {
	if italian == "" {
		return word
	}
	return word + " (" + italian + ")"
}
