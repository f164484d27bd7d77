package main

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/italian"
)

// tellImported prints which flow has the rows since an earlier import, and the next step.
func (s *session) tellImported(f flow.Flow, name string, how importing) {
	if f.ID != uuid.Nil { // reading the flow succeeded
		fmt.Fprintf(s.out, "\nLe righe sono nel flusso %s (%s): non è stato aggiunto niente.\n", f.ID, stateOf(f))
	}
	if f.ID == uuid.Nil || s.plays {
		return
	}
	switch {
	case f.Disabled:
		fmt.Fprintln(s.out, s.disabledFlow(f))
	case f.Counts.Pending() > 0:
		fmt.Fprintf(s.out, "Per inviare quanto resta da inviare: %s\n", s.again("send", f.ID))
	case f.Counts.Failed > 0:
		fmt.Fprintf(s.out, "Alcuni messaggi non risultano inviati. Per vederli: %s\n", s.again("show", f.ID, "--state", "errore"))
	default:
		fmt.Fprintf(s.out, "Non resta niente da inviare. Per vedere il flusso: %s\n", s.again("show", f.ID))
	}
	if f.Counts.Disabled > 0 {
		fmt.Fprintln(s.out, disabledText(f.Counts.Disabled))
		fmt.Fprintf(s.out, "Per vedere quali sono: %s\n", s.again("show", f.ID, "--disabled", "si"))
	}
	fmt.Fprintf(s.out, "Per inviare di nuovo gli stessi messaggi, %s\n", s.anotherOccasion(quoted(name), how))
}

// tellAdded prints how many rows were imported, and the next step.
func (s *session) tellAdded(f flow.Flow, added flow.AddReport, name string, how importing) {
	if added.Added > 0 {
		state := ""
		if f.State != "" { // reading the flow succeeded
			state = " (" + stateOf(f) + ")"
		}
		fmt.Fprintf(s.out, "\n%s nel flusso %s%s.\n", importedText(added.Added), f.ID, state)
	} else {
		fmt.Fprintln(s.out, "\nNon è stato aggiunto niente.")
	}
	if known := added.DuplicateCount - added.Disabled; known > 0 {
		fmt.Fprintln(s.out, knownText(known))
	}
	if added.Disabled > 0 {
		fmt.Fprintf(s.out, "%s\nPer vedere quali notifiche sono: %s\n", repeatedText(added.Disabled), s.again("show", f.ID, "--disabled", "si"))
	}
	if s.plays {
		return
	}
	if added.Added > added.Disabled || f.Counts.Pending() > 0 {
		fmt.Fprintf(s.out, "Per inviare il flusso: %s\n", s.again("send", f.ID))
	}
	switch {
	case added.Disabled == 0:
	case how.flow != "": // it has other rows, which stay as they are
		fmt.Fprintf(s.out, "Se quelle righe sono un nuovo invio, ad esempio un sollecito, copiarle in un altro file; poi %s\n", s.anotherOccasion("FILE", how))
	default:
		fmt.Fprintf(s.out, "Se invece tutto il file è un nuovo invio, ad esempio un sollecito, disabilitare il flusso:\n  %s\nPoi %s\n",
			s.again("disable", f.ID), s.anotherOccasion(quoted(name), how))
	}
}

// importedText says how many notifications were imported.
func importedText(n int) string {
	return italian.Capital(italian.Notification.Agree(n, "importat")) + " " + italian.Notification.Count(n)
}

// disabledText says how many notifications of a flow are disabled.
func disabledText(n int) string {
	return fmt.Sprintf("%s del flusso %s %s, e non si %s.", italian.Notification.Count(n), italian.Choose(n, "è", "sono"),
		italian.Notification.Agree(n, "disabilitat"), italian.Choose(n, "invia", "inviano"))
}

// knownText says how many rows were not added, because the flow has them.
func knownText(n int) string {
	return fmt.Sprintf("%s già nel flusso, e non %s di nuovo.",
		italian.Row.Count(n)+italian.Choose(n, " è", " sono"), italian.Choose(n, "è stata aggiunta", "sono state aggiunte"))
}

// repeatedText says how many rows were added disabled, because the service has their messages.
func repeatedText(n int) string {
	return italian.Row.Count(n) + italian.Choose(n,
		" è un messaggio che il servizio ha già (inviato, da inviare o con esito sconosciuto): è stata aggiunta disabilitata",
		" sono messaggi che il servizio ha già (inviati, da inviare o con esito sconosciuto): sono state aggiunte disabilitate") +
		", e nessuno riceve due volte lo stesso messaggio."
}

// stateOf returns the state of a flow in Italian, and whether it is disabled.
func stateOf(f flow.Flow) string {
	if f.Disabled {
		return f.State.Label() + ", disabilitato"
	}
	return f.State.Label()
}

// anotherOccasion says how a file is imported with another occasion, so that its messages are sent
// again. An occasion in the file wins over the flag. No occasion is proposed, since it could have
// been used before.
func (s *session) anotherOccasion(file string, how importing) string {
	args := []any{file}
	if !how.column {
		args = append(args, "--occasion", "OCCASIONE")
	}
	if how.goodRows {
		args = append(args, "--good-rows")
	}
	command := s.again("import", append(args, how.workbook.flags()...)...)
	if how.column {
		return "scrivere nella colonna «Occasione» di ogni riga un'occasione mai usata per questi messaggi, e importare il file:\n  " + command
	}
	return "importare il file con un'occasione mai usata per questi messaggi, al posto di OCCASIONE:\n  " + command
}
