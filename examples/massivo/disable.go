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
	"github.com/flussi-go/flussi/internal/italian"
)

func (p *program) disable() *cobra.Command {
	return p.flag(flagging{
		name: "disable", short: "Disabilita un flusso o una notifica, che non si inviano più (Dis.)", disabled: true, done: "disabilitat",
		refusal: flow.ErrDisabled, ofFlow: (*flow.Service).DisableFlow, ofNotification: (*flow.Service).DisableNotification,
	})
}

func (p *program) enable() *cobra.Command {
	return p.flag(flagging{
		name: "enable", short: "Riabilita un flusso o una notifica", disabled: false, done: "riabilitat",
		refusal: flow.ErrNotDisabled, ofFlow: (*flow.Service).EnableFlow, ofNotification: (*flow.Service).EnableNotification,
	})
}

// change is a method of the service that changes one thing.
type change[T any] func(s *flow.Service, ctx context.Context, by flussi.Actor, id uuid.UUID) (T, error)

// flagging is a command that sets or clears the flag of a flow or of a notification.
type flagging struct {
	name, short    string
	done           string // the stem of what was done, for [italian.Noun.Agree]
	disabled       bool   // the flag after the command
	refusal        error  // of the service, if the flag is so already
	ofFlow         change[flow.Flow]
	ofNotification change[flow.Notification]
}

// said says what was done; so is whether the flag was so already, which is no error.
func (c flagging) said(noun italian.Noun, id uuid.UUID, so bool) string {
	name := fmt.Sprintf("%s %s", noun.The(), id)
	switch {
	case !so:
		return fmt.Sprintf("%s %s.", italian.Capital(noun.Agree(1, c.done)), name)
	case c.disabled:
		return fmt.Sprintf("%s è già %s.", italian.Capital(name), noun.Agree(1, "disabilitat"))
	}
	return fmt.Sprintf("%s non è %s.", italian.Capital(name), noun.Agree(1, "disabilitat"))
}

func (p *program) flag(c flagging) *cobra.Command {
	return &cobra.Command{
		Use:   c.name + " <UUID>",
		Short: c.short,
		Args:  cli.Args(1, 1),
		RunE: p.about(func(ctx context.Context, s *session, id uuid.UUID) error {
			text, err := c.setFlow(ctx, s, id)
			if errors.Is(err, flussi.ErrNotFound) {
				text, err = c.setNotification(ctx, s, id)
			}
			if err != nil {
				return err
			}
			fmt.Fprintln(s.out, text)
			return nil
		}),
	}
}

// setFlow sets the flag of a flow, and returns what to print.
func (c flagging) setFlow(ctx context.Context, s *session, id uuid.UUID) (string, error) {
	_, err := c.ofFlow(s.Service, ctx, s.by, id)
	if c.mayBeSo(err) {
		if f, readErr := s.Flow(ctx, s.by, id); readErr == nil && f.Disabled == c.disabled {
			return c.said(italian.Flow, id, true), nil
		}
	}
	return c.said(italian.Flow, id, false), err
}

// setNotification does the same for a notification.
func (c flagging) setNotification(ctx context.Context, s *session, id uuid.UUID) (string, error) {
	_, err := c.ofNotification(s.Service, ctx, s.by, id)
	if c.mayBeSo(err) { // or the refusal is about its flow
		if n, readErr := s.Notification(ctx, s.by, id); readErr == nil && n.Disabled == c.disabled {
			return c.said(italian.Notification, id, true), nil
		}
	}
	return c.said(italian.Notification, id, false), err
}

// mayBeSo reports whether the error is one of a flag that is so already, or that another program
// set at the same moment.
func (c flagging) mayBeSo(err error) bool {
	return errors.Is(err, c.refusal) || errors.Is(err, flussi.ErrConflict)
}
