package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/italian"
)

func (p *program) show() *cobra.Command {
	var filters notificationFilters
	c := &cobra.Command{
		Use:   "show <UUID>",
		Short: "Mostra un flusso con le sue notifiche, o una notifica",
		Long: `Mostra un flusso con le sue notifiche, prima le più recenti, che si possono filtrare; oppure
una notifica, con lo stato della trasmissione e della consegna.`,
		Args: cli.Args(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			filter, err := filters.filter()
			if err != nil {
				return err
			}
			return p.about(func(ctx context.Context, s *session, id uuid.UUID) error {
				f, err := s.Flow(ctx, s.by, id)
				if errors.Is(err, flussi.ErrNotFound) {
					n, err := s.Notification(ctx, s.by, id)
					if err != nil {
						return err
					}
					actions, err := s.NotificationActions(ctx, s.by, id)
					if err != nil {
						return err
					}
					s.tellNotification(n, actions)
					return nil
				}
				if err != nil {
					return err
				}
				actions, err := s.FlowActions(ctx, s.by, id)
				if err != nil {
					return err
				}
				s.tellFlow(f, actions)
				filter.Flow = id
				return s.listNotifications(ctx, filter, &filters)
			})(c, args)
		},
	}
	filters.flags(c.Flags())
	filters.pages(c.Flags())
	return c
}

// field is a line of a detail.
type field struct{ name, value string }

// tellFields shows those that have a value.
func (s *session) tellFields(title string, fields ...field) {
	shown := false
	for _, f := range fields {
		if f.value == "" {
			continue
		}
		if !shown && title != "" {
			fmt.Fprintln(s.out, title)
		}
		shown = true
		fmt.Fprintf(s.out, "  %-24s %s\n", f.name+":", indented(plain(f.value), 27, s.width))
	}
}

func (s *session) tellFlow(f flow.Flow, actions []flow.FlowAction) {
	var possible []string
	for _, a := range actions {
		possible = append(possible, flow.FlowMachine().EventLabel(a))
	}
	s.tellFields("Flusso",
		field{"UUID", f.ID.String()}, field{"Servizio", f.Service}, field{"Data", moment(f.CreatedAt)},
		field{"Note", f.Note.Reveal()}, field{"Stato", f.State.Label()}, field{"Non prima di", moment(f.NotBefore)}, field{"Programmato da", f.ScheduledBy}, field{"Disabilitato", yes(f.Disabled)},
		field{"Contesto applicativo", f.AppContext}, field{"Chiave applicativa", f.AppKey}, field{"Errore", f.Error},
		field{"Messaggi", tally(f.Counts)}, field{"Ultima modifica", moment(f.UpdatedAt) + ", effettuata da " + f.UpdatedBy},
		field{"Azioni possibili", strings.Join(possible, ", ")})
	s.tellFields("Opzioni", optionFields(f.Options)...)
}

func tally(c flow.Counts) string {
	text := italian.Number(c.Total())
	var parts []string
	for _, p := range []struct {
		n     int
		label string
	}{{c.Registered, "Registrato"}, {c.Sending, "In invio"}, {c.Sent, "Inviato"}, {c.Failed, "Errore"}, {c.Disabled, "Disabilitato"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%s: %s", p.label, italian.Number(p.n)))
		}
	}
	if len(parts) > 0 {
		text += " (" + strings.Join(parts, ", ") + ")"
	}
	return text
}

func (s *session) tellNotification(n flow.Notification, actions []flow.NotificationAction) {
	var possible []string
	for _, a := range actions {
		possible = append(possible, a.Label())
	}
	of := "nessuno"
	if n.FlowID != uuid.Nil {
		of = n.FlowID.String()
	}
	s.tellFields("Notifica",
		field{"UUID", n.ID.String()}, field{"Flusso", of}, field{"Servizio", n.Service}, field{"Stato", n.State.Label()},
		field{"Disabilitata", yes(n.Disabled)}, field{"C.F. destinatario", n.Recipient.Reveal()}, field{"Oggetto", n.Subject.Reveal()},
		field{"Contenuto", n.Content.Reveal()}, field{"Scadenza", moment(n.DueDate)}, field{"Somma", euro(n.Amount)},
		field{"Numero avviso", n.NoticeNumber.Reveal()}, field{"Ente creditore", n.Payee.String()}, field{"Riferimento", n.Reference},
		field{"Occasione", n.Occasion}, field{"Dati personali", erased(n)})
	if n.IsPayment {
		s.tellFields("", field{"Paga dopo la scadenza", yes(n.PayableAfterDue)})
	}
	s.tellFields("Opzioni", optionFields(n.Options)...)
	attempts := ""
	if n.Transmission.Attempts > 0 {
		attempts = fmt.Sprint(n.Transmission.Attempts)
	}
	s.tellFields("Stato della Trasmissione",
		field{"ID Consegna App.IO", string(n.Transmission.MessageID)}, field{"Tentativi Invio", attempts},
		field{"Data e ora invio", moment(n.Transmission.SentAt)}, field{"Errore", n.Transmission.Error},
		field{"Notifica precedente", earlier(n)})
	s.tellFields("Stato della Notifica",
		field{"Stato Consegna", delivery(n.Delivery.Status)}, field{"Stato Mail", channel(n.Delivery.Email)},
		field{"Stato Push", channel(n.Delivery.Push)}, field{"Verificato", moment(n.Delivery.CheckedAt)})
	s.tellFields("Audit", field{"Ultima modifica", moment(n.UpdatedAt) + ", effettuata da " + n.UpdatedBy})
	s.tellFields("", field{"Azioni possibili", strings.Join(possible, ", ")})
}

// earlier returns the ID of the notification with the same message, for [flow.CodeAlreadySent];
// otherwise "".
func earlier(n flow.Notification) string {
	if n.Transmission.EarlierID == uuid.Nil {
		return ""
	}
	return n.Transmission.EarlierID.String()
}

func erased(n flow.Notification) string {
	if n.AnonymisedAt.IsZero() {
		return ""
	}
	return "cancellati il " + moment(n.AnonymisedAt)
}
