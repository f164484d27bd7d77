package main

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi/internal/italian"
)

func TestTextsAgreeWithTheirNumbers(t *testing.T) {
	for n, want := range map[int][]string{
		0: {"Importate 0 notifiche", "Esportate 0 notifiche"},
		1: {"Importata 1 notifica", "Esportata 1 notifica",
			"1 notifica del flusso è disabilitata, e non si invia.",
			"1 riga è già nel flusso, e non è stata aggiunta di nuovo.",
			"1 riga è un messaggio che il servizio ha già (inviato, da inviare o con esito sconosciuto): è stata aggiunta disabilitata, e nessuno riceve due volte lo stesso messaggio."},
		2: {"Importate 2 notifiche", "Esportate 2 notifiche",
			"2 notifiche del flusso sono disabilitate, e non si inviano.",
			"2 righe sono già nel flusso, e non sono state aggiunte di nuovo.",
			"2 righe sono messaggi che il servizio ha già (inviati, da inviare o con esito sconosciuto): sono state aggiunte disabilitate, e nessuno riceve due volte lo stesso messaggio."},
		1000: {"Importate 1.000 notifiche", "Esportate 1.000 notifiche",
			"1.000 notifiche del flusso sono disabilitate, e non si inviano.",
			"1.000 righe sono già nel flusso, e non sono state aggiunte di nuovo.",
			"1.000 righe sono messaggi che il servizio ha già (inviati, da inviare o con esito sconosciuto): sono state aggiunte disabilitate, e nessuno riceve due volte lo stesso messaggio."},
	} {
		got := []string{importedText(n), exported(n), disabledText(n), knownText(n), repeatedText(n)}
		assert.Equal(t, want, got[:len(want)])
	}
}

func TestFlagsAgreeWithTheirEntity(t *testing.T) {
	const id = "9e0beb0b-464d-4e91-8de9-2885bccac7d9"
	for _, c := range []struct {
		command flagging
		noun    italian.Noun
		so      bool
		want    string
	}{
		{flagging{done: "disabilitat", disabled: true}, italian.Flow, false, "Disabilitato il flusso " + id + "."},
		{flagging{done: "disabilitat", disabled: true}, italian.Flow, true, "Il flusso " + id + " è già disabilitato."},
		{flagging{done: "disabilitat", disabled: true}, italian.Notification, false, "Disabilitata la notifica " + id + "."},
		{flagging{done: "disabilitat", disabled: true}, italian.Notification, true, "La notifica " + id + " è già disabilitata."},
		{flagging{done: "riabilitat"}, italian.Flow, false, "Riabilitato il flusso " + id + "."},
		{flagging{done: "riabilitat"}, italian.Flow, true, "Il flusso " + id + " non è disabilitato."},
		{flagging{done: "riabilitat"}, italian.Notification, false, "Riabilitata la notifica " + id + "."},
		{flagging{done: "riabilitat"}, italian.Notification, true, "La notifica " + id + " non è disabilitata."},
	} {
		assert.Equal(t, c.want, c.command.said(c.noun, uuid.MustParse(id), c.so))
	}
}
