package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/examples/internal/storage"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/italian"
)

// sending says how a flow is sent.
type sending struct {
	workers       int
	lease         time.Duration
	profiles, yes bool
	notBefore     clock // of send
	serving       bool  // several flows, until Ctrl-C
}

func (s *sending) flags(set *pflag.FlagSet) {
	set.IntVar(&s.workers, "workers", 64, "`quante` notifiche di un flusso si inviano insieme al massimo")
	set.DurationVar(&s.lease, "lease", 2*time.Minute, "per `quanto` tempo le notifiche restano prese in carico: dopo un arresto forzato, l'attesa prima di poterle risolvere")
	set.BoolVar(&s.profiles, "check-profiles", false, "chiede prima se il cittadino riceve messaggi del servizio; raddoppia le chiamate")
	set.BoolVar(&s.yes, "yes", false, "con --live, invia senza chiedere conferma")
}

func (p *program) send() *cobra.Command {
	var how sending
	c := &cobra.Command{
		Use:   "send [flusso]",
		Short: "Invia un flusso, o riprende un invio interrotto (Invia Flusso)",
		Long: `Attiva un flusso e lo invia fino alla fine; se l'invio era stato interrotto o fermato, lo
riprende, e se è già stato inviato non invia niente. Senza argomento invia l'unico flusso che
si può inviare. Con --not-before l'invio si programma: inizia a quell'ora, se allora è in
funzione «massivo serve». Più programmi, anche su macchine diverse, possono inviare insieme lo stesso
flusso di un archivio PostgreSQL.

Un messaggio che il servizio ha già inviato allo stesso cittadino non si invia una seconda
volta: la notifica passa a «Errore» con «Già inviata», e l'operatore decide che cosa farne.`,
		Args: cli.Args(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.within(c.Context(), func(s *session) error {
				f, err := s.flowNamed(c.Context(), args, flow.FlowInactive, flow.FlowActive, flow.FlowSending, flow.FlowIncomplete)
				if errors.Is(err, flussi.ErrNotFound) && len(args) == 0 {
					return s.nothingLeft(c.Context(), err)
				}
				if err != nil {
					return err
				}
				if len(args) == 0 && !f.NotBefore.IsZero() && how.notBefore.IsZero() {
					return cli.Wrongf("L'invio del flusso è programmato per il %s. Per inviarlo subito: %s", italian.Moment(f.NotBefore), s.again("send", f.ID))
				}
				if !how.notBefore.IsZero() {
					return s.schedule(c.Context(), f, how)
				}
				return s.sendFlow(c.Context(), f, how)
			})
		},
	}
	how.flags(c.Flags())
	c.Flags().Var(&how.notBefore, "not-before", "non inviare prima di un'`ora` italiana, come \"2026-12-01 08:00\"; l'invio inizia allora, se è in funzione «massivo serve»")
	return c
}

// dispatcher returns what sends flows.
func (s *session) dispatcher(how sending) (*flow.Dispatcher, error) {
	switch {
	case how.workers < 1 || how.workers > flow.MaxWorkers:
		return nil, cli.Wrongf("--workers deve essere un numero da 1 a %s.", italian.Number(flow.MaxWorkers))
	case how.lease < time.Second || how.lease > flow.MaxLease:
		return nil, cli.Wrongf("--lease deve essere da 1s a %.0fh.", flow.MaxLease.Hours())
	}
	observer := flow.Observer{SendingChanged: func(ctx context.Context, c flow.SendingChange) {
		s.waits.tell(s.errs, c.Until)
		if how.serving {
			s.ended(ctx, c)
		}
	}}
	service, err := s.settings.serviceName()
	if err != nil {
		return nil, err
	}
	return flow.NewDispatcher(s.store, s.messengers, flow.DispatcherConfig{
		ID: dispatcherName(), Services: []string{service}, Workers: how.workers, Lease: how.lease, CheckProfiles: how.profiles,
		Observer: observer, Logger: s.logger(),
	})
}

// dispatcherName is what histories say about who sent: there may be several machines.
func dispatcherName() string {
	host, err := os.Hostname()
	if err != nil {
		return "massivo"
	}
	return "massivo@" + host
}

// prepare makes sure of everything that a sending needs, and of the operator's will, before
// anything is touched.
func (s *session) prepare(ctx context.Context, f flow.Flow, how sending, question string) (*flow.Dispatcher, error) {
	dispatcher, err := s.dispatcher(how)
	if err != nil {
		return nil, err
	}
	if err := s.connect(ctx, f.Service); err != nil {
		return nil, err
	}
	if s.settings.live && !how.yes && f.State != flow.FlowSending && !s.ask(ctx, question) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, cli.Wrongf("Non è stato inviato niente. Per inviare senza conferma: --yes.")
	}
	return dispatcher, s.bind(ctx)
}

// nothingLeft prints that there is no flow to send. It returns nil if flows were sent before, since
// the command may be run again; otherwise err.
func (s *session) nothingLeft(ctx context.Context, err error) error {
	sent, readErr := s.Flows(ctx, s.by, flow.FlowFilter{States: []flow.FlowState{flow.FlowSent}}, flow.Page{Limit: 1})
	switch {
	case readErr != nil:
		return readErr
	case len(sent.Flows) == 0:
		return err
	}
	fmt.Fprintf(s.out, "Non ci sono flussi da inviare: sono già inviati, o disabilitati. Per vederli: %s\n", s.again("list"))
	return nil
}

// isOver reports whether the sending of a flow is over and nothing of it is left.
func isOver(f flow.Flow) bool {
	return (f.State == flow.FlowSent || f.State == flow.FlowIncomplete) && f.Counts.Pending() == 0
}

// sendFlow sends a flow and tells what came of it.
func (s *session) sendFlow(ctx context.Context, f flow.Flow, how sending) error {
	if isOver(f) { // by an earlier command, or by another program
		return s.outcome(ctx, f, nil)
	}
	question := fmt.Sprintf("Inviare ai cittadini %s del servizio «%s»?", italian.Message.Count(f.Counts.Pending()), f.Service)
	dispatcher, err := s.prepare(ctx, f, how, question)
	if err != nil {
		return err
	}
	return s.run(ctx, f, dispatcher)
}

// run orders the sending of a flow, does it, and tells what came of it.
func (s *session) run(ctx context.Context, f flow.Flow, dispatcher *flow.Dispatcher) error {
	f, err := s.order(ctx, f)
	switch {
	case err != nil:
		return err
	case f.State != flow.FlowSending: // another program has sent it
		return s.outcome(ctx, f, nil)
	}
	silent := context.AfterFunc(ctx, func() {
		fmt.Fprintln(s.errs, "\nInterruzione in corso: si attende l'esito dei messaggi già partiti (Ctrl-C di nuovo per uscire subito).")
	})
	defer silent()
	if os.Getenv("GOGC") == "" {
		// What a sending has in memory is little and short-lived: collecting it less often leaves
		// a tenth more time for the messages.
		defer debug.SetGCPercent(debug.SetGCPercent(300))
	}
	end := s.follow(ctx, f.ID)
	sent, err := dispatcher.Run(ctx, f.ID)
	if sent.ID == f.ID { // not the zero Flow of an error
		f = sent
	}
	end(f)
	return s.outcome(ctx, f, err)
}

// order takes a flow to In invio, from any state. If another program has sent it meanwhile, order
// returns it unchanged.
func (s *session) order(ctx context.Context, f flow.Flow) (flow.Flow, error) {
	for {
		step := s.SendFlow
		switch f.State {
		case flow.FlowSending:
			return f, nil
		case flow.FlowInactive:
			step = s.ActivateFlow
		}
		next, err := step(ctx, s.by, f.ID)
		switch {
		case err == nil && next.State == flow.FlowSent:
			return next, nil
		case err == nil:
			f = next
		case errors.Is(err, flussi.ErrConflict), errors.Is(err, fsm.ErrNotAllowed), errors.Is(err, flow.ErrNothingToSend):
			// Another program may have taken the step.
			now, readErr := s.Flow(ctx, s.by, f.ID)
			switch {
			case readErr != nil:
				return f, readErr
			case errors.Is(err, flow.ErrNothingToSend) && isOver(now):
				return now, nil
			case now.State == f.State && !errors.Is(err, flussi.ErrConflict):
				return f, err
			}
			f = now
		default:
			return f, err
		}
	}
}

// outcome prints how a sending ended. Without an error, the flow's state decides: if notifications
// are left, an operator disabled the flow meanwhile, or another program stopped it.
func (s *session) outcome(ctx context.Context, f flow.Flow, err error) error {
	var stopped *flow.StopError
	again := s.again("send", f.ID)
	switch {
	case err == nil && f.Counts.Pending() > 0:
		s.tellStopped(f, f.Error)
		return &cli.Exit{Code: exitStopped}
	case err == nil:
		if err := s.tellStates(context.WithoutCancel(ctx), f); err != nil {
			return err
		}
		if f.State != flow.FlowSent {
			return &cli.Exit{Code: exitIncomplete}
		}
		return nil
	case errors.Is(err, flow.ErrOutcomeNotStored), errors.Is(err, flussi.ErrCommitUnknown):
		fmt.Fprintln(s.out, "Non si sa se l'invio sia finito, perché l'archivio non ha risposto. Per riprendere l'invio: "+again)
		return err
	case ctx.Err() != nil:
		fmt.Fprintf(s.out, "Invio interrotto. Notifiche inviate: %s. Notifiche da inviare: %s. Niente è andato perso.\nPer riprendere: %s\n",
			italian.Number(f.Counts.Sent), italian.Number(f.Counts.Pending()), again)
		return &cli.Exit{Code: cli.Interrupted}
	case errors.As(err, &stopped):
		s.tellStopped(f, flussi.Explain(err))
		return &cli.Exit{Code: exitStopped}
	}
	if !errors.Is(err, storage.ErrRestored) { // explainRestored says the next step
		fmt.Fprintln(s.out, "L'invio non è finito. Per riprendere: "+again)
	}
	return err
}

// tellStopped prints why a sending was stopped, and how it goes on.
func (s *session) tellStopped(f flow.Flow, reason string) {
	fmt.Fprintln(s.out, cmp.Or(reason, "Invio fermato."))
	fmt.Fprintf(s.out, "Niente è andato perso. Notifiche ancora da inviare: %s. ", italian.Number(f.Counts.Pending()))
	if f.Disabled {
		fmt.Fprintln(s.out, s.disabledFlow(f))
		return
	}
	fmt.Fprintf(s.out, "Risolta la causa, per riprendere: %s\n", s.again("send", f.ID))
}

// disabledFlow says how a disabled flow is enabled: until then, nothing else can be done with it.
func (s *session) disabledFlow(f flow.Flow) string {
	return "Il flusso è disabilitato. Per riabilitarlo: " + s.again("enable", f.ID)
}

// tellStates shows a flow's notifications by their state, and the errors by their kind,
// with what can be done.
func (s *session) tellStates(ctx context.Context, f flow.Flow) error {
	fmt.Fprintf(s.out, "Flusso %s: %s\n", f.ID, stateOf(f))
	t := s.table("Stato", "Notifiche")
	t.Right = []string{"Notifiche"}
	t.Row("Inviato", italian.Number(f.Counts.Sent))
	codes, answers, err := s.errorCodes(ctx, f)
	if err != nil {
		return err
	}
	for _, code := range knownCodes() {
		if codes[code] > 0 {
			t.Row("Errore: "+code.Label(), italian.Number(codes[code]))
		}
	}
	for _, rest := range []struct {
		label string
		n     int
	}{{"Registrato", f.Counts.Registered}, {"In invio", f.Counts.Sending}, {"Disabilitato", f.Counts.Disabled}} {
		if rest.n > 0 {
			t.Row(rest.label, italian.Number(rest.n))
		}
	}
	t.Footer("Totale", italian.Number(f.Counts.Total()))
	fmt.Fprint(s.out, t)
	s.tellAnswers(answers)
	if f.Disabled && total(codes) > 0 {
		fmt.Fprintln(s.out, s.disabledFlow(f))
		return nil
	}
	s.advise(f.ID, codes)
	return nil
}

// errorCodes counts the notifications of a flow in Errore by reason, and by the answer of the
// platform.
func (s *session) errorCodes(ctx context.Context, f flow.Flow) (map[flow.ErrorCode]int, map[string]int, error) {
	codes, answers := map[flow.ErrorCode]int{}, map[string]int{}
	if f.Counts.Failed == 0 {
		return codes, answers, nil
	}
	filter := flow.NotificationFilter{Flow: f.ID, Services: []string{f.Service}, States: []flow.NotificationState{flow.NotificationFailed}, Disabled: flow.OnlyEnabled}
	for n, err := range s.AllNotifications(ctx, s.by, filter) {
		if err != nil {
			return nil, nil, err
		}
		codes[n.Transmission.ErrorCode]++
		answer := n.Transmission.Answer.Reveal()
		if _, known := answers[answer]; answer != "" && (known || len(answers) < maxAnswers) {
			answers[answer]++
		}
	}
	return codes, answers, nil
}

const (
	maxAnswers   = 1000 // different answers of the platform that are counted
	shownAnswers = 5    // answers that are shown, the most frequent ones
)

// tellAnswers shows the most frequent answers with which the platform refused messages.
func (s *session) tellAnswers(answers map[string]int) {
	all := slices.SortedFunc(maps.Keys(answers), func(a, b string) int {
		return cmp.Or(cmp.Compare(answers[b], answers[a]), cmp.Compare(a, b))
	})
	for i, answer := range all[:min(len(all), shownAnswers)] {
		if i == 0 {
			fmt.Fprintln(s.out, "Risposte della piattaforma:")
		}
		fmt.Fprintf(s.out, "  %s: %s\n", italian.Notification.Count(answers[answer]), indented(italian.Quote(plain(answer)), 4, s.width))
	}
	if more := len(all) - shownAnswers; more > 0 {
		fmt.Fprintf(s.out, "  %s nell'esportazione.\n", italian.Choose(more, "Un'altra risposta", "Altre risposte"))
	}
}

// advise says what can be done about errors.
func (s *session) advise(id uuid.UUID, codes map[flow.ErrorCode]int) {
	if s.plays {
		return
	}
	if codes[flow.CodeOutcomeUnknown] > 0 {
		fmt.Fprintf(s.out, "Esito sconosciuto: decide l'operatore, con «massivo resolve». Per vedere quali notifiche sono: %s\n", s.again("resolve", "--flow", id))
	}
	if codes[flow.CodeAlreadySent] > 0 {
		fmt.Fprintf(s.out, "Già inviata: il cittadino ha, o potrebbe avere, lo stesso messaggio da un'altra notifica. Per vedere quali notifiche sono:\n  %s\n", s.again("show", id, "--error", "'già inviata'"))
		fmt.Fprintf(s.out, "Se una notifica non serve più: %s\nSe è un nuovo invio, scrivere un'altra occasione nella colonna «Occasione» delle correzioni. Per inviarla comunque:\n  %s\n",
			s.again("disable", "UUID"), s.again("resolve", "UUID", "--resend", "--reason", "\"il cittadino la chiede di nuovo\""))
	}
	if codes[flow.CodeOutcomeUnknown] < total(codes) {
		fmt.Fprintf(s.out, "Per correggere gli errori e inviare di nuovo:\n  %s\n  %s\n", s.again("export", id, "correzioni.xlsx"), s.again("resend", id, "correzioni.xlsx"))
	}
}

func total(codes map[flow.ErrorCode]int) int {
	sum := 0
	for _, n := range codes {
		sum += n
	}
	return sum
}

// knownCodes are the reasons of errors, in the order in which they are shown.
func knownCodes() []flow.ErrorCode {
	return []flow.ErrorCode{flow.CodeUnreachable, flow.CodeRefused, flow.CodeNotPermitted, flow.CodeInvalid, flow.CodeNotSent, flow.CodeOutcomeUnknown, flow.CodeAlreadySent}
}
