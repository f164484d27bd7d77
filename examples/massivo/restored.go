package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/examples/internal/storage"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/italian"
)

func (p *program) restored() *cobra.Command {
	var copied day
	c := &cobra.Command{
		Use:   "restored --copy-of giorno [ora]",
		Short: "Dichiara che l'archivio è stato ripristinato da una copia",
		Long: `Dichiara che l'archivio è stato ripristinato da una copia, o che ha perso le ultime
registrazioni: quanto risulta da inviare può essere già partito. Prima di usare il comando,
chiudere gli altri programmi che usano l'archivio.

Il comando disabilita i flussi con notifiche da inviare, di tutti i servizi dell'archivio. Per
ogni flusso si decide una volta sola: se non è stato inviato dopo la copia, riabilitarlo e
inviarlo; altrimenti lasciarlo disabilitato. I file importati e inviati dopo la copia non vanno
importati di nuovo. Se il comando si interrompe, ripeterlo.`,
		Example: `  massivo restored --copy-of 28/11/2026         la copia è di quel giorno
  massivo restored --copy-of 28/11/2026 18:30   e di quell'ora`,
		Args: cli.Args(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			at, err := copied.at(args)
			if err != nil {
				return err
			}
			return p.within(c.Context(), func(s *session) error { return s.declareRestored(c.Context(), at) })
		},
	}
	c.Flags().Var(&copied, "copy-of", "il `giorno` in cui è stata fatta la copia, come 31/01/2026")
	return c
}

// at returns the day at the time of an optional argument, such as 18:30; without it, at midnight.
func (d *day) at(args []string) (time.Time, error) {
	if d.IsZero() {
		return time.Time{}, cli.Wrongf("Serve --copy-of, con il giorno della copia, come 31/01/2026.")
	}
	if len(args) == 0 {
		return d.Time, nil
	}
	return d.clock(args[0])
}

// declareRestored disables the flows that may have been sent, and prints what to do with each.
func (s *session) declareRestored(ctx context.Context, copied time.Time) error {
	archive, err := s.archive(ctx)
	if err != nil {
		return err
	}
	report, err := archive.DeclareRestored(ctx, s.by, copied)
	if err != nil {
		if len(report.Flows) > 0 {
			fmt.Fprintln(s.out, "La dichiarazione non è completa. Per completarla, ripetere il comando.")
		}
		return err
	}
	fmt.Fprintln(s.out, report.Italian())
	for _, restored := range report.Flows {
		f, err := archive.Flow(ctx, s.by, restored.ID)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "\nFlusso %s (%s) del servizio «%s», con %s da inviare", f.ID, f.State.Label(), f.Service, italian.Notification.Count(restored.Counts.Pending()))
		if note := clip(f.Note.Reveal(), 40); note != "" {
			fmt.Fprintf(s.out, ": %s", note)
		}
		fmt.Fprintf(s.out, "\nSe i messaggi non sono partiti:\n  %s\n  %s\n", s.againFor(f, "enable"), s.againFor(f, "send"))
	}
	return nil
}

// archive returns a flow.Service that is enabled for all services of the archive: a restore
// concerns all of them.
func (s *session) archive(ctx context.Context) (*flow.Service, error) {
	own, err := s.settings.serviceName()
	if err != nil {
		return nil, err
	}
	services := map[string]struct{}{own: {}}
	for page := (flow.Page{Limit: flow.MaxPage, OldestFirst: true}); ; {
		found, err := s.store.Flows(ctx, flow.FlowFilter{}, page)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			services[f.Service] = struct{}{}
		}
		if len(found) < page.Limit {
			break
		}
		page.After = found[len(found)-1].Cursor()
	}
	return flow.NewService(s.store, flow.Permissions{s.by.ID: slices.Collect(maps.Keys(services))}, s.messengers, flow.ServiceConfig{})
}

// againFor returns a command line about a flow. Its service may differ from this command's.
func (s *session) againFor(f flow.Flow, command string) string {
	if own, err := s.settings.serviceName(); err == nil && own == f.Service {
		return s.again(command, f.ID)
	}
	other := *s.program
	other.settings.given = s.settings.givenFor(f.Service)
	return other.again(command, f.ID)
}

// explainRestored adds the next step to the error of a database that was restored.
func (p *program) explainRestored(err error) error {
	if !errors.Is(err, storage.ErrRestored) {
		return err
	}
	return cli.Explained(fmt.Sprintf("%s\nPer dichiarare il ripristino, con il giorno della copia al posto di 31/01/2026:\n  %s",
		flussi.Explain(err), p.again("restored", "--copy-of", "31/01/2026")), err)
}
