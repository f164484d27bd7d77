package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/flow"
)

func (p *program) verify() *cobra.Command {
	return &cobra.Command{
		Use:   "verify [flusso]",
		Short: "Chiede alla piattaforma che ne è dei messaggi (Verifica Stato)",
		Long: `Chiede alla piattaforma che ne è stato dei messaggi inviati la cui consegna non è ancora
definitiva. Quelli che risultano rifiutati passano a Errore. Senza argomento verifica
l'unico flusso che ne ha.`,
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
					thousands(report.Asked), thousands(report.Final), thousands(report.Rejected),
					thousands(report.Asked-report.Final-report.Rejected-report.Failed), thousands(report.Failed))
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
