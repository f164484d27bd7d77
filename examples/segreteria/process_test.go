package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/examples/internal/proctest"
	"github.com/flussi-go/flussi/examples/internal/storage"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

// steps are what a worker can do with an event.
var steps = map[string]func(context.Context, *pagoinrete.Service, uuid.UUID) error{
	"transmit": func(ctx context.Context, p *pagoinrete.Service, e uuid.UUID) error {
		report, err := p.TransmitNotices(ctx, assistant, e)
		if err == nil && report.Refused+report.Failed > 0 {
			err = fmt.Errorf("not all transmitted: %+v", report)
		}
		return err
	},
	"submit": func(ctx context.Context, p *pagoinrete.Service, e uuid.UUID) error {
		return second(p.SubmitEvent(ctx, assistant, e))
	},
	"approve": func(ctx context.Context, p *pagoinrete.Service, e uuid.UUID) error {
		return second(p.ApproveEvent(ctx, principal, e))
	},
	"notify": func(ctx context.Context, p *pagoinrete.Service, e uuid.UUID) error {
		return second(p.NotifyEvent(ctx, director, e))
	},
	"verify": func(ctx context.Context, p *pagoinrete.Service, e uuid.UUID) error {
		_, _, err := p.VerifyEvent(ctx, assistant, e)
		return err
	},
	"delete": func(ctx context.Context, p *pagoinrete.Service, e uuid.UUID) error {
		return second(p.DeleteEvent(ctx, assistant, e))
	},
}

func second[T any](_ T, err error) error { return err }

// exitTaken is the exit code of a worker whose step was taken already.
const exitTaken = 3

// work is a worker: it takes one step with an event, and returns its exit code.
func work(args []string) int {
	store, url, event, step := args[0], args[1], args[2], args[3]
	err := func() error {
		p, closeStore, err := openProcedure(context.Background(), store, url)
		if err != nil {
			return err
		}
		return errors.Join(steps[step](context.Background(), p, uuid.MustParse(event)), closeStore())
	}()
	switch {
	case err == nil:
		return 0
	case errors.Is(err, fsm.ErrNotAllowed):
		return exitTaken
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// openProcedure opens a service on a database.
func openProcedure(ctx context.Context, location, url string) (*pagoinrete.Service, func() error, error) {
	store, err := storage.Open(ctx, location)
	if err != nil {
		return nil, nil, err
	}
	gateway, err := schoolGateway(url)
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	permissions := pagoinrete.Permissions{assistant.ID: {school}, director.ID: {school}, principal.ID: {school}}
	gateways := func(context.Context, string) (pagoinrete.Gateway, error) { return gateway, nil }
	p, err := pagoinrete.NewService(store, permissions, gateways, pagoinrete.ServiceConfig{})
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	return p, store.Close, nil
}

// startWorker runs a worker. It ends with the code 0 or exitTaken, unless it is killed.
func startWorker(t testing.TB, store, url string, event uuid.UUID, step string) *proctest.Process {
	t.Helper()
	return proctest.Start(t, beAWorker, store, url, event.String(), step)
}

// watched is a simulator that takes a moment before it does what it is asked for, and another
// before it says so.
type watched struct {
	*restgatewaytest.Simulator
	requests *proctest.Arrivals
	URL      string
	mu       sync.Mutex
	random   *rand.Rand
}

func watch(t testing.TB, random *rand.Rand) *watched {
	w := &watched{Simulator: restgatewaytest.New(restgatewaytest.Config{}), random: random}
	w.AddSchool(restgatewaytest.School{Code: school, Key: schoolKey})
	w.requests = &proctest.Arrivals{Handler: http.HandlerFunc(w.serve)}
	server := httptest.NewServer(w.requests)
	t.Cleanup(server.Close)
	w.URL = server.URL + restgatewaytest.BasePath
	return w
}

// moment is a random time.
func (w *watched) moment(most time.Duration) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Duration(w.random.Int64N(int64(most)))
}

// number is a random number below most.
func (w *watched) number(most int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.random.IntN(most)
}

// serve answers as the simulator does, with its pauses.
func (w *watched) serve(out http.ResponseWriter, in *http.Request) {
	time.Sleep(w.moment(2 * time.Millisecond))
	w.ServeHTTP(out, in)
	time.Sleep(w.moment(8 * time.Millisecond)) // the reply is written when the handler returns
}
