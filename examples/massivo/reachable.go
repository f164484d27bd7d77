package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowexcel"
	"github.com/flussi-go/flussi/internal/italian"
)

func (p *program) reachable() *cobra.Command {
	var overwrite bool
	var after string
	c := &cobra.Command{
		Use:   "reachable [flusso] <file.xlsx>",
		Short: "Verifica chi riceve i messaggi del servizio, prima di inviare",
		Long: `Chiede ad App IO, per i destinatari delle notifiche ancora da inviare di un flusso, se ricevono
messaggi del servizio e in quali lingue, e scrive il risultato in Excel. Non invia niente e non
cambia niente. Senza il flusso, verifica l'unico che si può inviare. Se si interrompe, il file
contiene i risultati ottenuti fino a quel momento, e il comando indica come riprendere.`,
		Args: cli.Args(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			var begin flow.Cursor
			if err := begin.UnmarshalText([]byte(after)); err != nil {
				return cli.Wrongf("--after: il segno non è valido: copiarlo dal comando che la verifica interrotta ha indicato.")
			}
			return p.within(c.Context(), func(s *session) error {
				f, err := s.flowNamed(c.Context(), args[:len(args)-1], flow.FlowInactive, flow.FlowActive, flow.FlowIncomplete)
				if err != nil {
					return err
				}
				return s.checkRecipients(c.Context(), f, begin, args[len(args)-1], overwrite)
			})
		},
	}
	overwriting(c, &overwrite)
	c.Flags().StringVar(&after, "after", "", "riprende dal `segno` indicato da una verifica interrotta")
	return c
}

// reachCount counts results.
type reachCount struct {
	total     int
	by        map[flow.Reachability]int
	languages map[string]int // preferred ones of citizens who take messages
	last      flow.Cursor
	ended     error // why the check ended early
}

// checkRecipients writes who takes messages of the service, and prints how many.
func (s *session) checkRecipients(ctx context.Context, f flow.Flow, after flow.Cursor, name string, overwrite bool) error {
	if err := s.connect(ctx, f.Service); err != nil {
		return err
	}
	if err := s.bind(ctx); err != nil {
		return err
	}
	count := &reachCount{by: map[flow.Reachability]int{}, languages: map[string]int{}}
	results := func(yield func(flow.RecipientCheck, error) bool) {
		for r, err := range s.CheckRecipients(ctx, s.by, f.ID, after) {
			switch {
			case err != nil && count.total == 0: // there is nothing to write
				yield(r, err)
				return
			case err != nil:
				count.ended = err
				return
			}
			count.add(r)
			if count.total%1000 == 0 {
				fmt.Fprintf(s.errs, "Verificate %s.\n", italian.Notification.Count(count.total))
			}
			if !yield(r, nil) {
				return
			}
		}
	}
	// What was found is written, even if the check was interrupted.
	written := func(w io.Writer) error { return flowexcel.ExportRecipients(context.WithoutCancel(ctx), w, results) }
	if err := write(name, overwrite, written); err != nil {
		return err
	}
	return s.tellReachable(ctx, f, count, name)
}

func (c *reachCount) add(r flow.RecipientCheck) {
	c.total++
	c.by[r.Reachability]++
	c.last = r.Notification.Cursor()
	if r.Reachability == flow.ReachabilityYes && len(r.Languages) > 0 {
		c.languages[r.Languages[0]]++
	}
}

// tellReachable prints how many notifications can be delivered, and how an interrupted check goes on.
func (s *session) tellReachable(ctx context.Context, f flow.Flow, count *reachCount, name string) error {
	t := s.table("Destinatari", "Notifiche")
	t.Right = []string{"Notifiche"}
	for _, r := range []flow.Reachability{flow.ReachabilityYes, flow.ReachabilityAbsent, flow.ReachabilityBlocked, flow.ReachabilityUnknown} {
		if count.by[r] > 0 {
			t.Row(r.Label(), italian.Number(count.by[r]))
		}
	}
	t.Footer("Totale", italian.Number(count.total))
	fmt.Fprint(s.out, t)
	var languages []string
	for _, language := range slices.Sorted(maps.Keys(count.languages)) {
		languages = append(languages, plain(language)+" "+italian.Number(count.languages[language]))
	}
	if len(languages) > 0 {
		fmt.Fprintf(s.out, "Lingue dei destinatari raggiungibili: %s.\n", italian.And(languages...))
	}
	fmt.Fprintf(s.out, "Risultato: %s\n", cli.Name(name))
	if count.ended == nil {
		return nil
	}
	mark, err := count.last.MarshalText()
	if err != nil {
		return errors.Join(count.ended, err)
	}
	fmt.Fprintf(s.out, "La verifica non è finita. Per riprendere, in un altro file:\n  %s\n", s.again("reachable", f.ID, "altro.xlsx", "--after", string(mark)))
	if ctx.Err() != nil {
		return &cli.Exit{Code: cli.Interrupted}
	}
	return count.ended
}
