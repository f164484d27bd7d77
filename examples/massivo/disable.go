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

func (p *program) disable() *cobra.Command {
	return p.flag("disable", "Mette da parte un flusso o una notifica, che non si inviano (Dis.)", "Disabilitato il flusso", "Disabilitata la notifica",
		(*flow.Service).DisableFlow, (*flow.Service).DisableNotification)
}

func (p *program) enable() *cobra.Command {
	return p.flag("enable", "Riabilita un flusso o una notifica", "Riabilitato il flusso", "Riabilitata la notifica",
		(*flow.Service).EnableFlow, (*flow.Service).EnableNotification)
}

// change is a method of the service that changes one thing.
type change[T any] func(s *flow.Service, ctx context.Context, by flussi.Actor, id uuid.UUID) (T, error)

// flag is a command that sets or clears the flag of a flow or of a notification.
func (p *program) flag(name, short, flowDone, notificationDone string, ofFlow change[flow.Flow], ofNotification change[flow.Notification]) *cobra.Command {
	return &cobra.Command{
		Use:   name + " <UUID>",
		Short: short,
		Args:  cli.Args(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			ctx := c.Context()
			id, err := parseID(args[0])
			if err != nil {
				return err
			}
			return p.within(ctx, func(s *session) error {
				done := flowDone
				_, err := ofFlow(s.Service, ctx, s.by, id)
				if errors.Is(err, flow.ErrNotFound) {
					done = notificationDone
					_, err = ofNotification(s.Service, ctx, s.by, id)
				}
				if err != nil {
					return err
				}
				fmt.Fprintf(s.out, "%s %s.\n", done, id)
				return nil
			})
		},
	}
}
