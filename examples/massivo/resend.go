package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowexcel"
	"github.com/flussi-go/flussi/internal/italian"
)

func (p *program) resend() *cobra.Command {
	var how sending
	var errs []string
	var goodRows bool
	var columns workbook
	c := &cobra.Command{
		Use:   "resend <flusso> [correzioni.xlsx]",
		Short: "Corregge le notifiche in «Errore» e le invia di nuovo",
		Long: `Il file è un'esportazione del flusso in cui sono state corrette le righe in «Errore». Le righe
cambiate, o con «Registrato» nella colonna «Stato», vengono inviate di nuovo; le altre restano
come sono. Senza file riporta a «Registrato», così come sono, le notifiche che App IO non ha
preso in carico, o quelle con gli errori indicati da --error.

Le notifiche a esito sconosciuto non si inviano così: decide l'operatore, con «massivo
resolve». Quelle con l'errore «Già inviata» si inviano di nuovo solo con un'altra occasione,
scritta nel file di correzioni, o con «massivo resolve»; altrimenti tornano in «Errore».`,
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
			if slices.Contains(codes, flow.CodeOutcomeUnknown) {
				return cli.Wrongf("Sulle notifiche a esito sconosciuto decide l'operatore, con «massivo resolve».")
			}
			return p.within(ctx, func(s *session) error {
				f, err := s.flowNamed(ctx, args[:1])
				if err != nil {
					return err
				}
				if f.State == flow.FlowInactive || f.State == flow.FlowActive {
					return cli.Wrongf("Il flusso non è ancora stato inviato. Per inviarlo: %s", s.again("send", f.ID))
				}
				dispatcher, err := s.prepare(ctx, f, how, "Inviare di nuovo ai cittadini le notifiche corrette del flusso?")
				if err != nil {
					return err
				}
				wrong := 0
				if len(args) == 2 {
					wrong, err = s.correct(ctx, f, args[1], columns, goodRows)
				} else {
					err = s.register(ctx, f, codes)
				}
				now, readErr := s.Flow(context.WithoutCancel(ctx), s.by, f.ID)
				switch {
				case err != nil && readErr == nil && now.Counts.Registered > 0 && !now.Disabled:
					fmt.Fprintf(s.out, "Notifiche ancora da inviare: %s. Per inviarle: %s\n", italian.Number(now.Counts.Registered), s.again("send", f.ID))
					return err
				case err != nil:
					return err
				case readErr != nil:
					return readErr
				case isOver(now): // there is nothing to send
					err = s.outcome(ctx, now, nil)
				default:
					err = s.run(ctx, now, dispatcher)
				}
				if err == nil && wrong > 0 {
					return &cli.Exit{Code: exitRows}
				}
				return err
			})
		},
	}
	c.Flags().StringSliceVar(&errs, "error", nil, "`errore` delle notifiche da riportare a «Registrato»; se manca: «"+flow.CodeNotSent.Label()+"»")
	c.Flags().BoolVar(&goodRows, "good-rows", false, "applica le correzioni senza errori anche se altre ne hanno")
	columns.columnFlag(c.Flags())
	how.flags(c.Flags())
	return c
}

// correct applies the corrections of an exported file to a flow, and returns how many of its rows
// are wrong.
func (s *session) correct(ctx context.Context, f flow.Flow, name string, w workbook, goodRows bool) (wrong int, err error) {
	template, err := w.template(ctx, flow.Options{})
	if err != nil {
		return 0, err
	}
	file, err := read(ctx, name)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	report, err := template.Correct(ctx, s.Service, s.by, file, file.size, flowexcel.CorrectConfig{Flow: f.ID, SkipInvalid: goodRows})
	fmt.Fprint(s.out, report.Italian(shown))
	if !report.OK() {
		s.mark(file, importing{}, func(w io.Writer) error { return template.AnnotateCorrections(ctx, w, file, file.size, &report) })
	}
	return report.Invalid, wrongFile(err)
}

// register sets back the notifications of a flow that are in Errore for one of the reasons.
func (s *session) register(ctx context.Context, f flow.Flow, codes []flow.ErrorCode) error {
	if len(codes) == 0 {
		codes = []flow.ErrorCode{flow.CodeNotSent}
	}
	count, uncertain := 0, 0
	var refused error
	for n, err := range s.AllNotifications(ctx, s.by, flow.NotificationFilter{Flow: f.ID, ErrorCodes: codes, Disabled: flow.OnlyEnabled}) {
		if err != nil {
			return err
		}
		if _, err := s.RegisterNotification(ctx, s.by, n.ID); err != nil {
			refused = errors.Join(refused, err)
			if errors.Is(err, flussi.ErrCommitUnknown) {
				uncertain++
			}
			continue
		}
		count++
	}
	fmt.Fprintf(s.out, "Notifiche riportate a «Registrato»: %s.\n", italian.Number(count))
	if uncertain > 0 {
		fmt.Fprintf(s.out, "Notifiche di cui non si sa se siano riportate a «Registrato»: %s. Ripetere il comando.\n", italian.Number(uncertain))
	}
	return refused
}
