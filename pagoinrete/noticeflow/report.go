package noticeflow

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/italian"
)

// Report says which notices of an event are written about, and why others are not: see
// [Messages.Rows]. Each notice is counted once.
type Report struct {
	Notices          int // of the event
	Rows             int // that are to be paid and have a row: a message, or an error if a person has to look at them
	NotDue           int // not to be paid: paid, cancelled, or refunded
	OtherInstalments int // of other instalments than the one that is written about
	PaymentPending   int // with a payment under way
	NotNotified      int // Non pagato (Non notificato)
	Expired          int // that cannot be paid any more
	AlreadyNotified  int // that the service has a message about; with an Occasion, one of the same occasion

	Occasion string         // of the messages; "" for none
	Added    flow.AddReport // of [Messages.Import]: what became of the rows
}

// Italian sums the report up for the operator: what was written, and to whom not.
func (r *Report) Italian() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Avvisi dell'evento: %s. Messaggi preparati: %s.\n", italian.Number(r.Notices), italian.Number(r.Added.Added))
	if r.Added.Disabled > 0 {
		fmt.Fprintf(&b, "Messaggi disabilitati, perché il servizio ha già lo stesso messaggio per lo stesso cittadino: %s. Nessuno lo riceve due volte.\n", italian.Number(r.Added.Disabled))
	}
	if at := r.Added.ImportedAt; !at.IsZero() {
		fmt.Fprintf(&b, "Gli stessi messaggi sono già stati preparati il %s: non è stato aggiunto niente.\n", italian.Moment(at))
	}
	if text := r.leftOut(); text != "" {
		b.WriteString(text + "\n")
	}
	for _, e := range r.Added.Errors {
		b.WriteString("- " + e.Italian() + "\n")
	}
	if more := r.Added.Invalid - len(r.Added.Errors); more > 0 {
		fmt.Fprintf(&b, "- %s.\n", italian.Count(more, "altro avviso con errori", "altri avvisi con errori"))
	}
	for _, d := range r.Added.Duplicates {
		b.WriteString("- " + d.Italian() + "\n")
	}
	if more := r.Added.DuplicateCount - len(r.Added.Duplicates); more > 0 {
		fmt.Fprintf(&b, "- %s che il servizio ha già.\n", italian.Count(more, "altro messaggio", "altri messaggi"))
	}
	return b.String()
}

// leftOut says which notices have no row, "" if all have one.
func (r *Report) leftOut() string {
	where := "nel servizio"
	if r.Occasion != "" {
		where = "per l'occasione " + italian.Quote(r.Occasion)
	}
	var parts []string
	for _, p := range []struct {
		n         int
		one, many string
	}{
		{r.AlreadyNotified, "ha già un messaggio " + where, "hanno già un messaggio " + where},
		{r.NotDue, "non è da pagare", "non sono da pagare"},
		{r.PaymentPending, "ha un pagamento in corso", "hanno un pagamento in corso"},
		{r.NotNotified, "non è ancora notificato su Pago In Rete", "non sono ancora notificati su Pago In Rete"},
		{r.Expired, "non si può più pagare, perché la scadenza è passata", "non si possono più pagare, perché la scadenza è passata"},
		{r.OtherInstalments, "è di un'altra rata", "sono di altre rate"},
	} {
		if p.n > 0 {
			parts = append(parts, italian.Count(p.n, p.one, p.many))
		}
	}
	switch {
	case len(parts) > 0:
		return "Avvisi senza messaggio: " + strings.Join(parts, "; ") + "."
	case r.Notices == 0:
		return "L'evento non ha avvisi."
	}
	return ""
}

// LogValue logs the counts.
func (r Report) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("notices", r.Notices), slog.Int("rows", r.Rows), slog.Int("added", r.Added.Added), slog.Int("wrong", r.Added.Invalid),
		slog.Int("not_due", r.NotDue), slog.Int("other_instalments", r.OtherInstalments), slog.Int("payment_pending", r.PaymentPending),
		slog.Int("not_notified", r.NotNotified), slog.Int("expired", r.Expired), slog.Int("known", r.AlreadyNotified))
}
