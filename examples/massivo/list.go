package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/italian"
)

func (p *program) list() *cobra.Command {
	var filters flowFilters
	c := &cobra.Command{
		Use:   "list",
		Short: "Elenca i flussi (Ricerca Flussi)",
		Long:  "Elenca i flussi, prima i più recenti. «massivo list notifications» elenca le notifiche di tutti i flussi.",
		Args:  cli.Args(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			filter, err := filters.filter()
			if err != nil {
				return err
			}
			page, err := filters.page()
			if err != nil {
				return err
			}
			return p.within(c.Context(), func(s *session) error {
				found, err := s.Flows(c.Context(), s.by, filter, page)
				if err != nil {
					return err
				}
				s.tellFlows(found.Flows)
				return s.tellNext(found.Next)
			})
		},
	}
	filters.flags(c.Flags())
	filters.pages(c.Flags())
	c.AddCommand(p.listNotifications())
	return c
}

func (p *program) listNotifications() *cobra.Command {
	var filters notificationFilters
	c := &cobra.Command{
		Use:   "notifications",
		Short: "Elenca le notifiche di tutti i flussi (Notifiche Archivio)",
		Args:  cli.Args(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			filter, err := filters.filter()
			if err != nil {
				return err
			}
			return p.within(c.Context(), func(s *session) error {
				return s.listNotifications(c.Context(), filter, &filters)
			})
		},
	}
	filters.flags(c.Flags())
	filters.pages(c.Flags())
	c.Flags().BoolVar(&filters.standalone, "standalone", false, "solo le notifiche che non sono di un flusso")
	return c
}

func (s *session) listNotifications(ctx context.Context, filter flow.NotificationFilter, filters *notificationFilters) error {
	page, err := filters.page()
	if err != nil {
		return err
	}
	found, err := s.Notifications(ctx, s.by, filter, page)
	if err != nil {
		return err
	}
	s.tellNotifications(found.Notifications)
	return s.tellNext(found.Next)
}

// tellFlows shows flows as the guide's list does.
func (s *session) tellFlows(flows []flow.Flow) {
	if len(flows) == 0 {
		fmt.Fprintln(s.out, "Nessun flusso.")
		return
	}
	const stato = 3 // behind it stands the time of flows that are sent later
	scheduled := slices.ContainsFunc(flows, func(f flow.Flow) bool { return !f.NotBefore.IsZero() })
	headers := []string{"UUID", "Data", "Ora", "Stato", "Note", "Messaggi", "Utente mod.", "Data mod.", "Dis."}
	if scheduled {
		headers = slices.Insert(headers, stato+1, "Non prima di")
	}
	t := s.table(headers...)
	t.Optional = []string{"Dis.", "Data mod.", "Utente mod.", "Ora", "Data", "Messaggi", "Non prima di"}
	for _, f := range flows {
		row := []any{f.ID, date(f.CreatedAt), formatted(f.CreatedAt, "15:04"), f.State.Label(), clip(f.Note.Reveal(), 30),
			italian.Number(f.Counts.Total()), plain(f.UpdatedBy), moment(f.UpdatedAt), yes(f.Disabled)}
		if scheduled {
			row = slices.Insert(row, stato+1, any(formatted(f.NotBefore, "02/01/2006 15:04")))
		}
		t.Row(row...)
	}
	fmt.Fprint(s.out, t)
}

// tellNotifications shows notifications as the guide's list does, and why they are in
// Errore.
func (s *session) tellNotifications(notifications []flow.Notification) {
	if len(notifications) == 0 {
		fmt.Fprintln(s.out, "Nessuna notifica.")
		return
	}
	t := s.table("UUID", "Oggetto", "C.F. Dest.", "Stato", "Errore", "Utente mod.", "Data mod.", "Dis.")
	t.Optional = []string{"Dis.", "Data mod.", "Utente mod.", "Oggetto", "C.F. Dest."}
	for _, n := range notifications {
		t.Row(n.ID, clip(n.Subject.Reveal(), 30), n.Recipient.Reveal(), n.State.Label(), n.Transmission.ErrorCode.Label(),
			plain(n.UpdatedBy), moment(n.UpdatedAt), yes(n.Disabled))
	}
	fmt.Fprint(s.out, t)
}

// tellNext says how to see what comes behind.
func (s *session) tellNext(next flow.Cursor) error {
	if next.IsZero() {
		return nil
	}
	mark, err := next.MarshalText()
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "Ci sono altri risultati: ripetere il comando con --after %s\n", mark)
	return nil
}
