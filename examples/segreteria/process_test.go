package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/examples/sqlstore"
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
	store, err := sqlstore.Open(ctx, location, sqlstore.Config{})
	if err != nil {
		return nil, nil, err
	}
	gateway, err := schoolGateway(url)
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	staffs := pagoinrete.Permissions{assistant.ID: {school}, director.ID: {school}, principal.ID: {school}}
	gateways := func(context.Context, string) (pagoinrete.Gateway, error) { return gateway, nil }
	p, err := pagoinrete.NewService(store, staffs, gateways, pagoinrete.ServiceConfig{})
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	return p, store.Close, nil
}

// process is a worker in a process of its own.
type process struct {
	*exec.Cmd
	output bytes.Buffer
	done   chan struct{} // closed once it ended
}

func startWorker(t testing.TB, store, url string, event uuid.UUID, step string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(os.Args[0], store, url, event.String(), step), done: make(chan struct{})}
	p.Env = append(os.Environ(), beAWorker+"=1")
	p.Stdout, p.Stderr = &p.output, &p.output
	require.NoError(t, p.Start())
	go func() {
		defer close(p.done)
		_ = p.Wait()
	}()
	return p
}

// code waits for the end of the worker, and returns its exit code: 0, or exitTaken.
func (p *process) code(t testing.TB) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(10 * time.Minute):
		_ = p.Process.Kill()
		<-p.done
	}
	code := p.ProcessState.ExitCode()
	require.Contains(t, []int{0, exitTaken}, code, p.output.String())
	return code
}

// watched is a simulator that takes a moment before it does what it is asked for, and another
// before it says so, and that tells when so many calls have come.
type watched struct {
	*restgatewaytest.Simulator
	URL     string
	mu      sync.Mutex
	random  *rand.Rand
	left    int
	arrived chan struct{}
}

func watch(t testing.TB, random *rand.Rand) *watched {
	w := &watched{Simulator: restgatewaytest.New(restgatewaytest.Config{}), random: random}
	w.AddSchool(restgatewaytest.School{Code: school, Key: schoolKey})
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	w.URL = server.URL + restgatewaytest.BasePath
	return w
}

// after returns a channel that is closed when so many calls have come, and one more.
func (w *watched) after(calls int) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left, w.arrived = calls, make(chan struct{})
	return w.arrived
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

// ServeHTTP answers as the simulator does.
func (w *watched) ServeHTTP(out http.ResponseWriter, in *http.Request) {
	w.mu.Lock()
	if w.left--; w.left < 0 && w.arrived != nil {
		close(w.arrived)
		w.arrived = nil
	}
	w.mu.Unlock()
	time.Sleep(w.moment(2 * time.Millisecond))
	w.Simulator.ServeHTTP(out, in)
	time.Sleep(w.moment(8 * time.Millisecond)) // the reply is written when the handler returns
}
