package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/italian"
)

// clock is a flag that takes a day and a time of the clock in Italy.
type clock struct{ time.Time }

// Set reads a day and a time.
func (c *clock) Set(text string) (err error) {
	date, hour, whole := strings.Cut(text, " ")
	var d day
	if err := d.Set(date); err != nil || !whole {
		return cli.Wrongf("servono un giorno e un'ora, come 2026-12-01 08:00.")
	}
	c.Time, err = d.clock(strings.TrimSpace(hour))
	return err
}

// String writes the time.
func (c *clock) String() string {
	if c.IsZero() {
		return ""
	}
	return c.In(cli.Italy()).Format("2006-01-02 15:04")
}

// Type names what the flag takes.
func (c *clock) Type() string { return "ora" }

// clock returns a time of the day, such as 18:30.
func (d *day) clock(text string) (time.Time, error) {
	hour, err := time.Parse("15:04", text)
	if err != nil {
		return time.Time{}, cli.Wrongf("L'ora non è valida: deve essere come 18:30.")
	}
	at, err := flussi.LocalTime(d.Year(), d.Month(), d.Day(), hour.Hour(), hour.Minute())
	if err != nil {
		return time.Time{}, cli.Wrongf("%s", flussi.Explain(err))
	}
	return at, nil
}

// schedule orders the sending of a flow at a later time.
func (s *session) schedule(ctx context.Context, f flow.Flow, how sending) error {
	at := how.notBefore.Time
	if !at.After(time.Now()) { // before the flow is activated
		return cli.Wrongf("L'ora di inizio dell'invio è già passata: indicarne una futura, oppure inviare subito.")
	}
	question := fmt.Sprintf("Programmare l'invio ai cittadini di %s del servizio «%s», non prima del %s?", italian.Message.Count(f.Counts.Pending()), f.Service, italian.Moment(at))
	if _, err := s.prepare(ctx, f, how, question); err != nil {
		return err
	}
	if f.State == flow.FlowInactive {
		var err error
		if f, err = s.ActivateFlow(ctx, s.by, f.ID); err != nil {
			return err
		}
	}
	f, err := s.ScheduleFlow(ctx, s.by, f.ID, at)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "Flusso %s: l'invio inizia non prima del %s (ora italiana), se in quel momento è in funzione:\n  %s\nPer annullarlo: %s\n",
		f.ID, italian.Moment(f.NotBefore), s.again("serve"), s.again("deactivate", f.ID))
	return nil
}

func (p *program) deactivate() *cobra.Command {
	return &cobra.Command{
		Use:   "deactivate <UUID>",
		Short: "Riporta a Inattivo un flusso attivo; se l'invio era programmato, lo annulla",
		Args:  cli.Args(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			id, err := parseID(args[0])
			if err != nil {
				return err
			}
			return p.within(c.Context(), func(s *session) error {
				f, err := s.DeactivateFlow(c.Context(), s.by, id)
				if errors.Is(err, fsm.ErrNotAllowed) { // an earlier command may have done it
					now, readErr := s.Flow(c.Context(), s.by, id)
					if readErr == nil && now.State == flow.FlowInactive && !now.Disabled {
						f, err = now, nil
					}
				}
				if err != nil {
					return err
				}
				fmt.Fprintf(s.out, "Flusso %s: %s\n", f.ID, stateOf(f))
				return nil
			})
		},
	}
}

func (p *program) serve() *cobra.Command {
	how := sending{serving: true}
	c := &cobra.Command{
		Use:   "serve",
		Short: "Invia i flussi del servizio quando è ora, finché non si interrompe con Ctrl-C",
		Long: `Resta in funzione finché non si interrompe con Ctrl-C, e invia i flussi del servizio: quelli
già ordinati, e all'ora indicata quelli programmati con «massivo send --not-before». Un flusso
la cui ora è passata mentre il comando non era in funzione si invia appena il comando riparte.
Se lo stesso comando è in funzione su più macchine, ogni messaggio parte una volta sola.`,
		Args: cli.Args(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			return p.within(c.Context(), func(s *session) error { return s.serveFlows(c.Context(), how) })
		},
	}
	how.flags(c.Flags())
	return c
}

// serveFlows sends the flows of the service until the context ends.
func (s *session) serveFlows(ctx context.Context, how sending) error {
	service, err := s.settings.serviceName()
	if err != nil {
		return err
	}
	question := fmt.Sprintf("Inviare ai cittadini i flussi ordinati e programmati del servizio «%s»?", service)
	dispatcher, err := s.prepare(ctx, flow.Flow{Service: service}, how, question)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.errs, "In funzione per il servizio «%s». Per terminare: Ctrl-C.\n", service)
	return dispatcher.Serve(ctx)
}

// ended prints how the sending of a flow ended, for a command that sends several flows. The run of
// the flow is over, so reading the flow delays no other flow.
func (s *session) ended(ctx context.Context, c flow.SendingChange) {
	if c.From != flow.SendingRunning || c.To != flow.SendingStopped && c.To != flow.SendingEnded {
		return
	}
	f, err := s.store.Flow(context.WithoutCancel(ctx), c.FlowID)
	if err != nil {
		fmt.Fprintf(s.errs, "Flusso %s: invio terminato. %s\n", c.FlowID, flussi.Explain(err))
		return
	}
	fmt.Fprintln(s.out, strings.TrimSpace(fmt.Sprintf("Flusso %s: %s. Notifiche: %s. %s", f.ID, stateOf(f), tally(f.Counts), f.Error)))
}
