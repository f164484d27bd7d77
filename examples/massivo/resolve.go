package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/italian"
)

// resolving is the decision of an operator, and the notifications that it is for.
type resolving struct {
	flow         string
	all          bool
	sent, resend bool
	reason       string
}

func (p *program) resolve() *cobra.Command {
	var how resolving
	c := &cobra.Command{
		Use:   "resolve [notifica...]",
		Short: "Decide su notifiche a esito sconosciuto, o già inviate",
		Long: `Quando App IO non ha risposto, o dopo un arresto forzato del programma, non si sa se il
messaggio sia arrivato: la notifica resta in «Errore» finché un operatore decide. Con --sent
la conferma come inviata; con --resend la riporta a «Registrato», sapendo che il cittadino
potrebbe riceverla due volte. Senza --sent e --resend elenca le notifiche a esito sconosciuto
su cui decidere, di tutti i flussi o di uno.

Con --resend si può inviare anche una notifica con l'errore «Già inviata», sapendo che il
cittadino ha, o potrebbe avere, lo stesso messaggio da un'altra notifica.`,
		Example: `  massivo resolve
  massivo resolve 0199aa… --sent --reason "il cittadino conferma al telefono"
  massivo resolve --flow UUID --resend --reason "App IO era fermo: niente è arrivato"`,
		RunE: func(c *cobra.Command, args []string) error {
			ctx := c.Context()
			if err := how.check(args); err != nil {
				return err
			}
			return p.within(ctx, func(s *session) error {
				if len(args) > 0 {
					return s.resolveNamed(ctx, args, how)
				}
				return s.resolveUnknown(ctx, how)
			})
		},
	}
	c.Flags().StringVar(&how.flow, "flow", "", "tutte le notifiche a esito sconosciuto di un `flusso`")
	c.Flags().BoolVar(&how.all, "all", false, "tutte le notifiche a esito sconosciuto del servizio")
	c.Flags().BoolVar(&how.sent, "sent", false, "conferma le notifiche come inviate")
	c.Flags().BoolVar(&how.resend, "resend", false, "riporta le notifiche a «Registrato», da inviare di nuovo anche se forse già arrivate")
	c.Flags().StringVar(&how.reason, "reason", "", "`motivo`, per lo storico; senza dati personali")
	return c
}

func (r resolving) decides() bool { return r.sent || r.resend }

// check returns an error if the flags and arguments do not say clearly what to decide.
func (r resolving) check(args []string) error {
	switch {
	case r.sent && r.resend:
		return cli.Wrongf("Le opzioni --sent e --resend si escludono: indicarne una.")
	case r.decides() && strings.TrimSpace(r.reason) == "":
		return cli.Wrongf("Serve il motivo della decisione, per lo storico: --reason.")
	case r.flow != "" && len(args) > 0, r.all && len(args) > 0, r.flow != "" && r.all:
		return cli.Wrongf("Indicare le notifiche, oppure un flusso con --flow, oppure --all.")
	case r.decides() && r.flow == "" && !r.all && len(args) == 0:
		return cli.Wrongf("Indicare su quali notifiche si decide, oppure un flusso con --flow, oppure --all per tutte.")
	}
	return nil
}

// resolveNamed decides about the named notifications, or shows them. It skips those for which the
// decision stands already, so that the command can be run again. Others that need no decision are
// an error, once the rest is decided.
func (s *session) resolveNamed(ctx context.Context, names []string, how resolving) error {
	var open, standing []flow.Notification
	var known error
	skipped := 0
	for _, name := range names {
		id, err := parseID(name)
		if err != nil {
			return err
		}
		n, err := s.Notification(ctx, s.by, id)
		if err != nil {
			return err
		}
		stands, err := s.stands(ctx, n, how)
		reason := how.needless(n)
		switch {
		case err != nil:
			return err
		case stands:
			fmt.Fprintf(s.out, map[bool]string{
				true: "La notifica %s è già confermata come inviata.\n", false: "La notifica %s è già riportata a «Registrato».\n",
			}[how.sent], n.ID)
			standing = append(standing, n)
		case reason != "":
			known = cli.Explained(reason, flow.ErrOutcomeKnown)
			if skipped++; len(names) > 1 {
				fmt.Fprintln(s.out, reason)
				known = cli.Explained(fmt.Sprintf("Notifiche su cui non si è deciso: %s.", italian.Number(skipped)), flow.ErrOutcomeKnown)
			}
		default:
			open = append(open, n)
		}
	}
	switch {
	case len(open) == 0:
		if !how.sent {
			s.tellFlowsToSend(ctx, standing)
		}
		return known
	case !how.decides():
		s.tellOpen(open)
		return nil
	}
	return errors.Join(s.decide(ctx, open, how.sent, how.reason), known)
}

// stands reports whether a notification is still as the same decision left it earlier: confirmed as
// sent, or Registrato and to be sent again. That it was claimed and given back since, without being
// sent, makes no difference.
func (s *session) stands(ctx context.Context, n flow.Notification, how resolving) (bool, error) {
	state, action := flow.NotificationRegistered, flow.NotificationResend
	if how.sent {
		state, action = flow.NotificationSent, flow.NotificationConfirm
	}
	if !how.decides() || n.State != state || n.Disabled && !how.sent {
		return false, nil
	}
	records, err := s.NotificationHistory(ctx, s.by, n.ID)
	if err != nil {
		return false, err
	}
	for _, r := range slices.Backward(records) {
		switch {
		case r.From == r.To, state == flow.NotificationRegistered && (r.Action == flow.NotificationClaim || r.Action == flow.NotificationRelease):
		default:
			return r.Action == action, nil
		}
	}
	return false, nil
}

// needless returns why a notification needs no decision, in Italian; "" if it needs one.
func (r resolving) needless(n flow.Notification) string {
	code, label := n.Transmission.ErrorCode, n.State.Label()
	switch {
	case code == flow.CodeOutcomeUnknown, code == flow.CodeAlreadySent && !r.sent:
		return ""
	case code == flow.CodeAlreadySent:
		return fmt.Sprintf("La notifica %s non è stata inviata, perché lo stesso messaggio è in un'altra notifica. L'opzione --sent vale solo per le notifiche a esito sconosciuto. Se la notifica non serve più, disabilitarla.", n.ID)
	case n.State == flow.NotificationRegistered && n.Disabled:
		return fmt.Sprintf("La notifica %s è disabilitata, e non si invia: non c'è niente da decidere.", n.ID)
	case n.State == flow.NotificationRegistered:
		return fmt.Sprintf("La notifica %s è ancora da inviare: non c'è niente da decidere.", n.ID)
	case n.State == flow.NotificationSending:
		return fmt.Sprintf("La notifica %s è in corso di invio: attendere l'esito.", n.ID)
	case n.State == flow.NotificationFailed:
		label = code.Label()
	}
	return fmt.Sprintf("L'esito della notifica %s è noto («%s»): non c'è niente da decidere.", n.ID, label)
}

// resolveUnknown decides about all unknown outcomes of the service, or of the named flow, or shows
// them.
func (s *session) resolveUnknown(ctx context.Context, how resolving) error {
	var filter flow.NotificationFilter
	if how.flow != "" {
		f, err := s.flowNamed(ctx, []string{how.flow})
		if err != nil {
			return err
		}
		filter.Flow = f.ID
	}
	unknown, err := s.unknown(ctx, filter)
	switch {
	case err != nil:
		return err
	case len(unknown) == 0:
		fmt.Fprintln(s.out, "Nessuna notifica a esito sconosciuto su cui decidere.")
		return nil
	case !how.decides():
		s.tellOpen(unknown)
		return nil
	}
	decision := s.ResendUnknown
	if how.sent {
		decision = s.ConfirmUnknown
	}
	report, err := decision(ctx, s.by, filter, how.reason)
	fmt.Fprintf(s.out, "Decisioni registrate: %s di %s.\n", italian.Number(report.Resolved), italian.Number(max(len(unknown), report.Resolved)))
	if report.Skipped > 0 {
		fmt.Fprintf(s.out, "Notifiche su cui non si è deciso, perché modificate nello stesso momento o di un flusso disabilitato: %s.\n", italian.Number(report.Skipped))
		err = errors.Join(err, cli.Explained("Per decidere anche sulle altre, riabilitare il flusso se è disabilitato, e ripetere il comando.", flussi.ErrConflict))
	}
	if errors.Is(err, flussi.ErrCommitUnknown) {
		fmt.Fprintln(s.out, uncertainDecisions)
	}
	if !how.sent && report.Resolved > 0 {
		s.tellFlowsToSend(ctx, unknown)
	}
	return err
}

// uncertainDecisions is printed if the connection to the database was lost during a write.
const uncertainDecisions = "Per altre notifiche non si sa se la decisione sia stata registrata: ripetere il comando. Le decisioni già registrate non cambiano."

// tellOpen prints the notifications that need a decision, and the commands to decide.
func (s *session) tellOpen(open []flow.Notification) {
	s.tellNotifications(open)
	fmt.Fprintf(s.out, "Per decidere:\n  %s\n  %s\n", s.again("resolve", "UUID", "--sent", "--reason", "\"il cittadino l'ha ricevuto\""),
		s.again("resolve", "UUID", "--resend", "--reason", "\"il cittadino non ha niente\""))
}

// unknown returns the notifications that match a filter and whose outcome is unknown.
func (s *session) unknown(ctx context.Context, filter flow.NotificationFilter) ([]flow.Notification, error) {
	filter.ErrorCodes, filter.Disabled = []flow.ErrorCode{flow.CodeOutcomeUnknown}, flow.OnlyEnabled
	var found []flow.Notification
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
func (s *session) decide(ctx context.Context, open []flow.Notification, sent bool, reason string) error {
	decision := s.ResendNotification
	if sent {
		decision = s.ConfirmNotification
	}
	var done []flow.Notification
	var failed error
	for _, n := range open {
		if _, err := decision(ctx, s.by, n.ID, reason); err != nil {
			failed = errors.Join(failed, err)
			if ctx.Err() != nil {
				break
			}
			continue
		}
		done = append(done, n)
	}
	fmt.Fprintf(s.out, "Decisioni registrate: %s di %s.\n", italian.Number(len(done)), italian.Number(len(open)))
	if errors.Is(failed, flussi.ErrCommitUnknown) {
		fmt.Fprintln(s.out, uncertainDecisions)
	}
	if !sent {
		s.tellFlowsToSend(ctx, done)
	}
	return failed
}

// tellFlowsToSend prints the commands that send the flows of the notifications, but for flows that
// have nothing to be sent or are disabled.
func (s *session) tellFlowsToSend(ctx context.Context, notifications []flow.Notification) {
	told := map[uuid.UUID]bool{uuid.Nil: true}
	for _, n := range notifications {
		if told[n.FlowID] || s.plays {
			continue
		}
		told[n.FlowID] = true
		if f, err := s.Flow(ctx, s.by, n.FlowID); err != nil || f.Counts.Registered > 0 && !f.Disabled {
			fmt.Fprintf(s.out, "Per inviarle: %s\n", s.again("send", n.FlowID))
		}
	}
}
