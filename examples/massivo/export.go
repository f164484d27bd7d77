package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/italian"
)

func (p *program) export() *cobra.Command {
	var filters notificationFilters
	c := &cobra.Command{
		Use:   "export [flusso] <file.xlsx>",
		Short: "Scrive in Excel le notifiche con il loro stato (Esporta Excel)",
		Long: `Scrive in Excel le notifiche di un flusso, o di tutti con --all, con lo stato e l'errore.
Le righe in «Errore» si possono correggere nel file e inviare di nuovo con «massivo resend»;
quelle con «Già inviata», con un'occasione diversa nella colonna «Occasione».`,
		Args: cli.Args(1, 2),
	}
	var overwrite bool
	var columns workbook
	overwriting(c, &overwrite)
	columns.columnFlag(c.Flags())
	everything := c.Flags().Bool("all", false, "esporta le notifiche di tutti i flussi")
	c.RunE = func(c *cobra.Command, args []string) error {
		ctx := c.Context()
		filter, err := filters.filter()
		if err != nil {
			return err
		}
		if *everything && len(args) > 1 {
			return cli.Wrongf("Indicare un flusso, oppure --all.")
		}
		return p.within(ctx, func(s *session) error {
			if !*everything {
				f, err := s.flowNamed(ctx, args[:len(args)-1])
				if err != nil {
					return err
				}
				filter.Flow = f.ID
				fmt.Fprintln(s.out, strings.TrimSpace(fmt.Sprintf("Flusso %s %s", f.ID, clip(f.Note.Reveal(), 60))))
			}
			return s.exportTo(ctx, args[len(args)-1], filter, columns, overwrite)
		})
	}
	filters.flags(c.Flags())
	return c
}

// exported says how many notifications were exported.
func exported(count int) string {
	return italian.Capital(italian.Notification.Agree(count, "esportat")) + " " + italian.Notification.Count(count)
}

// exportTo writes the notifications that match a filter.
func (s *session) exportTo(ctx context.Context, name string, filter flow.NotificationFilter, w workbook, overwrite bool) error {
	template, err := w.template(ctx, flow.Options{})
	if err != nil {
		return err
	}
	count := 0
	notifications := func(yield func(flow.Notification, error) bool) {
		for n, err := range s.AllNotifications(ctx, s.by, filter) {
			count++
			if !yield(n, err) {
				return
			}
		}
	}
	if err := write(name, overwrite, func(to io.Writer) error { return template.Export(ctx, to, notifications) }); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s: %s\n", exported(count), cli.Name(name))
	return nil
}
