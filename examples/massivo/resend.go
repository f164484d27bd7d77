package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowexcel"
)

func (p *program) resend() *cobra.Command {
	var how sending
	var errs []string
	var goodRows bool
	c := &cobra.Command{
		Use:   "resend <flusso> [correzioni.xlsx]",
		Short: "Corregge le notifiche in Errore e le invia di nuovo",
		Long: `Con un file: è un'esportazione del flusso in cui sono state corrette le righe in Errore.
Quelle cambiate, o il cui Stato è stato cambiato in Registrato, vengono inviate di nuovo; le
altre non vengono toccate. Senza file riporta a Registrato, così come sono, le notifiche che
la piattaforma non ha preso in carico, o quelle con gli errori indicati da --error.

Le notifiche a esito sconosciuto non si inviano così: decide l'operatore, con «massivo
resolve».`,
		Args: cli.Args(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			ctx := c.Context()
			codes, err := errorCodes(errs)
			if err != nil {
				return err
			}
			if len(args) == 2 && len(codes) > 0 {
				return cli.Wrongf("Indicare un file di correzioni, oppure --error.")
			}
			return p.within(ctx, func(s *session) error {
				f, err := s.flowNamed(ctx, args[:1])
				if err != nil {
					return err
				}
				if len(args) == 2 {
					err = s.correct(ctx, f, args[1], goodRows)
				} else {
					err = s.register(ctx, f, codes)
				}
				if err != nil {
					return err
				}
				if f, err = s.Flow(ctx, s.by, f.ID); err != nil {
					return err
				}
				if f.Counts.Left() == 0 {
					fmt.Fprintln(s.out, "Non c'è niente da inviare.")
					return nil
				}
				return s.sendFlow(ctx, f, how)
			})
		},
	}
	c.Flags().StringSliceVar(&errs, "error", nil, "`errore` delle notifiche da riportare a Registrato; se manca: «"+flow.ErrorNotSent.Label()+"»")
	c.Flags().BoolVar(&goodRows, "good-rows", false, "applica le correzioni giuste anche se altre sono sbagliate")
	how.flags(c.Flags())
	return c
}

// correct applies the corrections of an exported file to a flow.
func (s *session) correct(ctx context.Context, f flow.Flow, name string, goodRows bool) error {
	template, err := flowexcel.New(flowexcel.Config{})
	if err != nil {
		return err
	}
	file, err := read(name)
	if err != nil {
		return err
	}
	defer file.Close()
	report, err := template.Correct(ctx, s.Service, s.by, file, file.size, flowexcel.CorrectConfig{Flow: f.ID, GoodRowsOnly: goodRows})
	told := report
	told.File = *shortened(report.File)
	fmt.Fprint(s.out, told.Italian())
	s.mark(ctx, template, file, &report.File, "")
	return wrongFile(err)
}

// register sets back the notifications of a flow that are in Errore for one of the reasons.
func (s *session) register(ctx context.Context, f flow.Flow, codes []flow.ErrorCode) error {
	if len(codes) == 0 {
		codes = []flow.ErrorCode{flow.ErrorNotSent}
	}
	count := 0
	for n, err := range s.AllNotifications(ctx, s.by, flow.NotificationFilter{Flow: f.ID, ErrorCodes: codes, Disabled: flow.OnlyEnabled}) {
		if err != nil {
			return err
		}
		if _, err := s.RegisterNotification(ctx, s.by, n.ID); err != nil {
			return err
		}
		count++
	}
	fmt.Fprintf(s.out, "Notifiche riportate a Registrato: %s.\n", thousands(count))
	return nil
}
