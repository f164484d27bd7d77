package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/flow"
)

func (p *program) history() *cobra.Command {
	return &cobra.Command{
		Use:   "history <UUID>",
		Short: "Mostra la storia di un flusso o di una notifica: chi, quando, che cosa, perché",
		Args:  cli.Args(1, 1),
		RunE: p.about(func(ctx context.Context, s *session, id uuid.UUID) error {
			records, err := s.FlowHistory(ctx, s.by, id)
			if err == nil {
				tellHistory(s, records, flow.FlowAction.Label, flow.FlowState.Label)
				return nil
			}
			if !errors.Is(err, flussi.ErrNotFound) {
				return err
			}
			steps, err := s.NotificationHistory(ctx, s.by, id)
			if err != nil {
				return err
			}
			tellHistory(s, steps, flow.NotificationAction.Label, flow.NotificationState.Label)
			return nil
		}),
	}
}

func tellHistory[S, A ~string](s *session, records []flow.Record[S, A], action func(A) string, state func(S) string) {
	t := s.table("Data", "Utente", "Azione", "Stato", "Motivo")
	t.Most = map[string]int{"Motivo": 50}
	for _, r := range records {
		step := state(r.To)
		if r.From != "" && r.From != r.To {
			step = fmt.Sprintf("%s → %s", state(r.From), state(r.To))
		}
		t.Row(moment(r.At), plain(r.By), action(r.Action), step, plain(r.Explanation().Reveal()))
	}
	fmt.Fprint(s.out, t)
}
