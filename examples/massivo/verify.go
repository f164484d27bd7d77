package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/italian"
)

func (p *program) verify() *cobra.Command {
	return &cobra.Command{
		Use:   "verify [flusso]",
		Short: "Verifica lo stato dei messaggi su App IO (Verifica Stato)",
		Long: `Chiede ad App IO lo stato dei messaggi inviati la cui consegna non è ancora definitiva. Le
notifiche dei messaggi rifiutati passano a «Errore». Senza argomento verifica l'unico flusso
con messaggi da verificare.`,
		Args: cli.Args(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			ctx := c.Context()
			return p.within(ctx, func(s *session) error {
				f, err := s.flowNamed(ctx, args, flow.FlowSending, flow.FlowSent, flow.FlowIncomplete)
				if err != nil {
					return err
				}
				if err := s.connect(ctx, f.Service); err != nil {
					return err
				}
				if err := s.bind(ctx); err != nil {
					return err
				}
				report, err := s.VerifyFlow(ctx, s.by, f.ID)
				fmt.Fprintf(s.out, "Messaggi verificati: %s. Consegnati: %s. Rifiutati: %s. Non ancora definitivi: %s. Senza risposta: %s.\n",
					italian.Number(report.Asked), italian.Number(report.Final), italian.Number(report.Rejected),
					italian.Number(report.Asked-report.Final-report.Rejected-report.Failed), italian.Number(report.Failed))
				s.tellFailures(report)
				if err != nil {
					return err
				}
				if f, err = s.Flow(ctx, s.by, f.ID); err != nil {
					return err
				}
				return s.tellStates(ctx, f)
			})
		},
	}
}

// shownFailures is the number of messages without an answer that are shown one by one.
const shownFailures = 10

// tellFailures shows the first messages whose state the platform did not report, and why.
func (s *session) tellFailures(report flow.VerifyReport) {
	for _, failure := range report.Failures[:min(len(report.Failures), shownFailures)] {
		fmt.Fprintf(s.out, "  Notifica %s: %s\n", failure.NotificationID, plain(flussi.Explain(failure.Err)))
	}
	if more := report.Failed - shownFailures; more > 0 {
		fmt.Fprintf(s.out, "  %s\n", italian.Choose(more, "E un'altra senza risposta.", "E altre "+italian.Number(more)+" senza risposta."))
	}
}
