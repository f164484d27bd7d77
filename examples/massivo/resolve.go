package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/flow"
)

func (p *program) resolve() *cobra.Command {
	var (
		of           string
		sent, resend bool
		reason       string
	)
	c := &cobra.Command{
		Use:   "resolve [notifica...]",
		Short: "Decide su notifiche a esito sconosciuto",
		Long: `Quando la piattaforma non ha risposto, o il programma è stato ucciso, nessuno sa se il
messaggio sia arrivato: la notifica resta in Errore finché un operatore decide. Con --sent
la conferma come inviata; con --resend la riporta a Registrato, sapendo che il cittadino
potrebbe riceverla due volte. Senza --sent e --resend elenca le notifiche su cui decidere,
di tutti i flussi o di uno.`,
		Example: `  massivo resolve
  massivo resolve 0199aa… --sent --reason "il cittadino conferma al telefono"
  massivo resolve --flow UUID --resend --reason "la piattaforma era ferma: niente è arrivato"`,
		RunE: func(c *cobra.Command, args []string) error {
			ctx := c.Context()
			switch {
			case sent && resend:
				return cli.Wrongf("Scegliere fra --sent e --resend.")
			case (sent || resend) && strings.TrimSpace(reason) == "":
				return cli.Wrongf("Serve il motivo della decisione, per lo storico: --reason.")
			case of != "" && len(args) > 0:
				return cli.Wrongf("Indicare le notifiche, oppure un flusso con --flow.")
			case (sent || resend) && of == "" && len(args) == 0:
				return cli.Wrongf("Indicare su quali notifiche si decide, oppure un flusso con --flow.")
			}
			return p.within(ctx, func(s *session) error {
				unknown, err := s.unknown(ctx, of, args)
				if err != nil {
					return err
				}
				switch {
				case len(unknown) == 0:
					fmt.Fprintln(s.out, "Nessuna notifica a esito sconosciuto.")
					return nil
				case !sent && !resend:
					s.tellNotifications(unknown)
					fmt.Fprintf(s.out, "Per decidere:\n  %s\n  %s\n", s.again("resolve", "UUID", "--sent", "--reason", "\"il cittadino l'ha ricevuto\""),
						s.again("resolve", "UUID", "--resend", "--reason", "\"il cittadino non ha niente\""))
					return nil
				}
				return s.decide(ctx, unknown, sent, reason)
			})
		},
	}
	c.Flags().StringVar(&of, "flow", "", "tutte quelle di un `flusso`")
	c.Flags().BoolVar(&sent, "sent", false, "conferma come inviata")
	c.Flags().BoolVar(&resend, "resend", false, "da inviare di nuovo, anche se forse già arrivata")
	c.Flags().StringVar(&reason, "reason", "", "`motivo`, per lo storico; senza dati personali")
	return c
}

// unknown returns the notifications that are named, or all of a flow whose outcome is
// unknown.
func (s *session) unknown(ctx context.Context, of string, names []string) ([]flow.Notification, error) {
	var found []flow.Notification
	for _, name := range names {
		id, err := parseID(name)
		if err != nil {
			return nil, err
		}
		n, err := s.Notification(ctx, s.by, id)
		if err != nil {
			return nil, err
		}
		if n.Transmission.ErrorCode != flow.ErrorOutcomeUnknown {
			return nil, explained{fmt.Sprintf("L'esito della notifica %s è noto: non c'è niente da decidere.", n.ID), flow.ErrOutcomeKnown}
		}
		found = append(found, n)
	}
	if len(names) > 0 {
		return found, nil
	}
	var id uuid.UUID // of all flows
	if of != "" {
		f, err := s.flowNamed(ctx, []string{of})
		if err != nil {
			return nil, err
		}
		id = f.ID
	}
	filter := flow.NotificationFilter{Flow: id, ErrorCodes: []flow.ErrorCode{flow.ErrorOutcomeUnknown}, Disabled: flow.OnlyEnabled}
	for n, err := range s.AllNotifications(ctx, s.by, filter) {
		if err != nil {
			return nil, err
		}
		found = append(found, n)
	}
	return found, nil
}

// decide confirms notifications, or sets them back to be sent again. One that is refused
// stops none of the others.
func (s *session) decide(ctx context.Context, unknown []flow.Notification, sent bool, reason string) error {
	decision := s.ResendNotification
	if sent {
		decision = s.ConfirmNotification
	}
	flows := map[uuid.UUID]bool{}
	done := 0
	var failed error
	for _, n := range unknown {
		if _, err := decision(ctx, s.by, n.ID, reason); err != nil {
			failed = errors.Join(failed, err)
			if ctx.Err() != nil {
				break
			}
			continue
		}
		done++
		flows[n.FlowID] = true
	}
	fmt.Fprintf(s.out, "Notifiche decise: %s di %s.\n", thousands(done), thousands(len(unknown)))
	for id := range flows {
		if !sent && id != uuid.Nil && !s.plays {
			fmt.Fprintf(s.out, "Per inviarle: %s\n", s.again("send", id))
		}
	}
	return failed
}
