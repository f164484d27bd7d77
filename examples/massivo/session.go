package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/examples/internal/storage"
	"github.com/flussi-go/flussi/flow"
)

// session is the open database, and who works on it.
type session struct {
	*program
	*flow.Service
	store      storage.Store
	by         flussi.Actor
	messengers flow.SenderFor
}

// open opens the database. Close the session.
func (p *program) open(ctx context.Context) (*session, error) {
	service, err := p.settings.serviceName()
	if err != nil {
		return nil, err
	}
	by := flussi.Actor{ID: p.settings.operator, Roles: []flussi.Role{flussi.Operator}}
	if err := by.Check(); err != nil {
		return nil, err
	}
	store, err := storage.Open(ctx, p.settings.store)
	if err != nil {
		return nil, err
	}
	s := &session{program: p, store: store, by: by, messengers: p.messengers(ctx, store)}
	s.Service, err = flow.NewService(store, flow.Permissions{by.ID: {service}}, s.messengers, flow.ServiceConfig{})
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return s, nil
}

// within opens the database, does something, and closes it.
func (p *program) within(ctx context.Context, do func(*session) error) (err error) {
	s, err := p.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.store.Close()) }()
	return p.explainRestored(do(s))
}

// connect prepares for talking to the platform: what is missing is told before anything
// is touched.
func (s *session) connect(ctx context.Context, service string) error {
	if _, err := s.messengers(ctx, service); err != nil {
		return err
	}
	return s.reach(ctx)
}

// bind refuses to mix trials with messages that citizens really got.
func (s *session) bind(ctx context.Context) error {
	kept, err := s.store.Property(ctx, "purpose", s.settings.purpose())
	if err != nil {
		return err
	}
	if kept != s.settings.purpose() {
		return cli.Wrongf("Questo archivio è stato usato con «%s», e ora si userebbe «%s». Le prove e gli invii reali devono avere archivi diversi: indicare un altro archivio con --store.", kept, s.settings.purpose())
	}
	if !s.settings.live {
		fmt.Fprintln(s.errs, "SIMULATORE: nessun messaggio arriva ai cittadini.")
	}
	return nil
}

// flowNamed returns the flow that an argument names; without one, the only flow that
// fits. Nothing is guessed: if there are several, it lists them.
func (s *session) flowNamed(ctx context.Context, args []string, states ...flow.FlowState) (flow.Flow, error) {
	if len(args) > 0 {
		id, err := parseID(args[0])
		if err != nil {
			return flow.Flow{}, err
		}
		return s.Flow(ctx, s.by, id)
	}
	page, err := s.Flows(ctx, s.by, flow.FlowFilter{States: states, Disabled: flow.OnlyEnabled}, flow.Page{Limit: 10})
	if err != nil {
		return flow.Flow{}, err
	}
	switch len(page.Flows) {
	case 1:
		return page.Flows[0], nil
	case 0:
		return flow.Flow{}, cli.Explained("Non c'è nessun flusso adatto: «massivo list» mostra tutti i flussi, «massivo import» ne crea uno.", flussi.ErrNotFound)
	}
	var list strings.Builder
	for _, f := range page.Flows {
		fmt.Fprintf(&list, "\n  %s  %s  %s  %s", f.ID, date(f.CreatedAt), f.State.Label(), clip(f.Note.Reveal(), 40))
	}
	return flow.Flow{}, cli.Wrongf("Ci sono più flussi: indicare quale.%s", list.String())
}

// about returns what a command does that is about what its first argument names.
func (p *program) about(do func(ctx context.Context, s *session, id uuid.UUID) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		id, err := parseID(args[0])
		if err != nil {
			return err
		}
		return p.within(c.Context(), func(s *session) error { return do(c.Context(), s, id) })
	}
}

func parseID(text string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return uuid.Nil, cli.Wrongf("L'UUID non è valido: «massivo list» mostra gli UUID dei flussi.")
	}
	return id, nil
}

// logger writes errors, and with --verbose everything, without personal data.
func (p *program) logger() *slog.Logger {
	level := slog.LevelError
	if p.settings.verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(p.errs, &slog.HandlerOptions{Level: level}))
}

// ask asks a person, and returns whether the answer is yes. Where nobody can be asked, it
// is no.
func (p *program) ask(ctx context.Context, question string) bool {
	if !p.asks {
		return false
	}
	fmt.Fprintf(p.errs, "%s [s/N] ", question)
	answers := make(chan string, 1)
	go func() { // it may wait for a person for ever; the program ends before
		var answer string
		_, _ = fmt.Fscanln(p.in, &answer)
		answers <- strings.ToLower(answer)
	}()
	select {
	case <-ctx.Done():
		return false
	case answer := <-answers:
		return slices.Contains([]string{"s", "si", "sì"}, answer)
	}
}

// again is a command line that goes on with what this one began: with the same database,
// service and platform.
func (p *program) again(command string, args ...any) string {
	line := "massivo " + command
	for _, arg := range args {
		line += fmt.Sprintf(" %v", arg)
	}
	return line + p.settings.given
}
