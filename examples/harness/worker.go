//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/internal/storage"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/restgateway"
)

// The harness runs itself as a worker for the steps of a school's event, since segreteria plays them
// only on a simulator within its own process:
//
//	harness worker DATABASE URL EVENT STEP
const (
	workerCommand = "worker"
	exitTaken     = 3 // the step was taken already
)

const (
	school    = "RMIC8GA002" // codice meccanografico
	schoolKey = "credenziale-di-prova"
)

// Who works for the school.
var (
	assistant = flussi.Actor{ID: "m.conti", Roles: []flussi.Role{flussi.AdminAssistant, flussi.Operator}}
	director  = flussi.Actor{ID: "l.ferri", Roles: []flussi.Role{flussi.AdminDirector}}
	principal = flussi.Actor{ID: "p.marini", Roles: []flussi.Role{flussi.Principal}}
)

// takeStep takes a step of an event.
func takeStep(ctx context.Context, p *pagoinrete.Service, e uuid.UUID, step string) error {
	var err error
	switch step {
	case "transmit":
		var report pagoinrete.TransmitReport
		if report, err = p.TransmitNotices(ctx, assistant, e); err == nil && report.Refused+report.Failed > 0 {
			err = fmt.Errorf("not all transmitted: %+v", report)
		}
	case "submit":
		_, err = p.SubmitEvent(ctx, assistant, e)
	case "approve":
		_, err = p.ApproveEvent(ctx, principal, e)
	case "notify":
		_, err = p.NotifyEvent(ctx, director, e)
	case "verify":
		_, _, err = p.VerifyEvent(ctx, assistant, e)
	case "delete":
		_, err = p.DeleteEvent(ctx, assistant, e)
	default:
		err = fmt.Errorf("no step %q", step)
	}
	return err
}

// work takes one step with an event, and returns the exit code.
func work(args []string) int {
	err := func() error {
		if len(args) != 4 {
			return errors.New("four arguments are needed")
		}
		event, err := uuid.Parse(args[2])
		if err != nil {
			return err
		}
		p, closeStore, err := openSchool(context.Background(), args[0], args[1])
		if err != nil {
			return err
		}
		return errors.Join(takeStep(context.Background(), p, event, args[3]), closeStore())
	}()
	switch {
	case err == nil:
		return 0
	case errors.Is(err, fsm.ErrNotAllowed):
		return exitTaken
	}
	fmt.Fprintf(os.Stderr, "%s\n(dettaglio tecnico: %v)\n", flussi.Explain(err), err)
	return 1
}

// openSchool opens a service on a database. Call the function to close it.
func openSchool(ctx context.Context, location, url string) (*pagoinrete.Service, func() error, error) {
	key, err := flussi.ParseKey(schoolKey)
	if err != nil {
		return nil, nil, err
	}
	gateway, err := restgateway.New(key, school, restgateway.Config{BaseURL: url, Calls: 100_000}) // a simulator has no limit
	if err != nil {
		return nil, nil, err
	}
	store, err := storage.Open(ctx, location)
	if err != nil {
		return nil, nil, err
	}
	permissions := pagoinrete.Permissions{assistant.ID: {school}, director.ID: {school}, principal.ID: {school}}
	gateways := func(context.Context, string) (pagoinrete.Gateway, error) { return gateway, nil }
	p, err := pagoinrete.NewService(store, permissions, gateways, pagoinrete.ServiceConfig{})
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	return p, store.Close, nil
}
