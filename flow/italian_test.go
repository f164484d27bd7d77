package flow_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

// Every action that the flag of a flow or of a notification refuses, in whole sentences.
func TestRefusalOfDisabledIsAWholeSentence(t *testing.T) {
	for want, action := range map[string]flow.FlowAction{
		"Azione «Disabilita» non eseguita. Il flusso è già disabilitato.":               flow.FlowDisable,
		"Azione «Aggiorna» non eseguita. Il flusso è disabilitato: riabilitarlo prima.": flow.FlowEdit,
		"Azione «Attiva» non eseguita. Il flusso è disabilitato: riabilitarlo prima.":   flow.FlowActivate,
		"Azione «Riabilita» non eseguita. Il flusso non è disabilitato.":                flow.FlowEnable,
	} {
		f := flow.Flow{State: flow.FlowInactive, Disabled: action != flow.FlowEnable}
		assert.Equal(t, want, flussi.Explain(f.Fire(t.Context(), action, operator)))
	}
	for want, action := range map[string]flow.NotificationAction{
		"Azione «Disabilita» non eseguita. La notifica è già disabilitata.":               flow.NotificationDisable,
		"Azione «Aggiorna» non eseguita. La notifica è disabilitata: riabilitarla prima.": flow.NotificationEdit,
		"Azione «Riabilita» non eseguita. La notifica non è disabilitata.":                flow.NotificationEnable,
	} {
		n := flow.Notification{State: flow.NotificationRegistered, Disabled: action != flow.NotificationEnable}
		assert.Equal(t, want, flussi.Explain(n.Fire(t.Context(), action, operator)))
	}
}

func TestRefusalNamesTheKnownOutcome(t *testing.T) {
	for code, want := range map[flow.ErrorCode]string{
		flow.CodeRefused: "Azione «Conferma come inviata» non eseguita. L'esito dell'invio è noto, con l'errore «Rifiutata»: correggere la notifica se serve, riportarla a «Registrato» e inviarla di nuovo, da sola con «Invia Messaggio» o con il suo flusso con «Invia Flusso».",
		flow.CodeInvalid: "Azione «Conferma come inviata» non eseguita. L'esito dell'invio è noto, con l'errore «Dati non validi»: correggere la notifica se serve, riportarla a «Registrato» e inviarla di nuovo, da sola con «Invia Messaggio» o con il suo flusso con «Invia Flusso».",
	} {
		n := flow.Notification{State: flow.NotificationFailed, Transmission: flow.Transmission{ErrorCode: code}}
		assert.Equal(t, want, flussi.Explain(n.Fire(t.Context(), flow.NotificationConfirm, operator)))
	}
}

func TestLengthsOfADraftAreInWholeSentences(t *testing.T) {
	for want, c := range map[string][2]int{ // the lengths of the subject and of the content
		"Manca l'oggetto. Manca il contenuto.":                             {0, 0},
		"L'oggetto ha 1 carattere: devono essere da 10 a 120.":             {1, 120},
		"L'oggetto ha 1.000 caratteri: devono essere da 10 a 120.":         {1000, 120},
		"Il contenuto ha 1 carattere: devono essere da 120 a 10.000.":      {10, 1},
		"Il contenuto ha 12.000 caratteri: devono essere da 120 a 10.000.": {10, 12_000},
	} {
		d := draft(1)
		d.Subject, d.Content = flussi.NewText(strings.Repeat("a", c[0])), flussi.NewText(strings.Repeat("a", c[1]))
		assert.Equal(t, want, flussi.Explain(d.Validate(flow.GuideLimits())))
	}
	assert.Equal(t, "Il nome del servizio ha 1.000 caratteri: possono essere al massimo 255.", flussi.Explain(flow.CheckService(strings.Repeat("a", 1000))))
}

func TestDuplicateNamesTheEarlierNotification(t *testing.T) {
	id := uuid.MustParse("9e0beb0b-464d-4e91-8de9-2885bccac7d9")
	stored := uuid.MustParse("7cc0c865-87fd-4002-92ec-7952f211640d")
	d := flow.Duplicate{Row: 1200, EarlierID: id, State: flow.NotificationRegistered, Date: time.Date(2030, 2, 28, 12, 0, 0, 0, time.UTC)}
	assert.Equal(t, "Riga 1200: Esiste già nel flusso una notifica uguale, nello stato «Registrato» (9e0beb0b-464d-4e91-8de9-2885bccac7d9 del 28/02/2030). "+
		"La riga non è stata aggiunta di nuovo.", d.Italian())
	d.NotificationID, d.State = stored, flow.NotificationSent
	assert.Equal(t, "Riga 1200: Esiste già una notifica uguale, nello stato «Inviato» (9e0beb0b-464d-4e91-8de9-2885bccac7d9 del 28/02/2030). "+
		"La riga è stata aggiunta disabilitata (notifica 7cc0c865-87fd-4002-92ec-7952f211640d). Per inviarla comunque, indicare un'occasione diversa e riabilitarla.", d.Italian())
}

// What only histories show is a noun; what an operator orders is the button's word.
func TestActionsOfTheSystemAreNouns(t *testing.T) {
	for action, want := range map[flow.FlowAction]string{
		flow.FlowComplete: "Conclusione: tutto inviato", flow.FlowEndIncomplete: "Conclusione: esiti negativi", flow.FlowStop: "Arresto dell'invio",
	} {
		assert.Equal(t, want, action.Label())
	}
	for action, want := range map[flow.NotificationAction]string{
		flow.NotificationClaim: "Presa in carico", flow.NotificationRelease: "Restituzione: non inviata", flow.NotificationAccept: "Accettazione da parte di App IO",
		flow.NotificationFail: "Esito negativo o sconosciuto", flow.NotificationReject: "Rifiuto dopo l'invio", flow.NotificationAnonymise: "Cancellazione dei dati personali",
	} {
		assert.Equal(t, want, action.Label())
	}
}

// What an operator has to send again says with which buttons.
func TestErrorsThatAreSentAgainNameTheButtons(t *testing.T) {
	for _, code := range []flow.ErrorCode{flow.CodeRefused, flow.CodeNotPermitted, flow.CodeNotSent, flow.CodeInvalid} {
		says := code.Italian()
		for _, want := range []string{"a «Registrato»", "«" + flow.NotificationSend.Label() + "»", "«" + flow.FlowSend.Label() + "»"} {
			assert.Contains(t, says, want, code)
		}
	}
}
