package main

import "github.com/flussi-go/flussi/appio"

// delivery says in Italian how far the platform is with a message, behind the platform's own
// word. A word that nobody knows stands alone.
func delivery(status appio.MessageStatus) string {
	switch status {
	case appio.StatusAccepted:
		return meaning(string(status), "preso in carico, non ancora consegnato")
	case appio.StatusThrottled:
		return meaning(string(status), "in ritardo per un guasto temporaneo: App IO riprova")
	case appio.StatusProcessed:
		return meaning(string(status), "consegnato: il cittadino lo trova nell'app")
	case appio.StatusFailed:
		return meaning(string(status), "non consegnato, per un errore definitivo di App IO")
	case appio.StatusRejected:
		return meaning(string(status), "non consegnato: il cittadino non è su App IO o ha disattivato i messaggi del servizio")
	}
	return string(status)
}

// channel says the same of the notice of a message by e-mail or push.
func channel(status appio.ChannelStatus) string {
	switch status {
	case appio.ChannelSent:
		return meaning(string(status), "avviso inviato")
	case appio.ChannelThrottled:
		return meaning(string(status), "in ritardo per un guasto temporaneo: App IO riprova")
	case appio.ChannelExpired:
		return meaning(string(status), "avviso non inviato, perché era troppo tardi")
	case appio.ChannelFailed:
		return meaning(string(status), "avviso non inviato, per un errore definitivo")
	}
	return string(status)
}

func meaning(word, italian string) string { return word + " (" + italian + ")" }
