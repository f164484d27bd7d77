package pagoinretetest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/pagoinretetest"
	"github.com/flussi-go/flussi/pagoinrete/restgateway"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

const (
	gatewaySchool = "RMIC8GA002"
	gatewayKey    = "chiave-molto-segreta"
)

// connection carries the requests of the clients to a simulator in the same process, and is what a
// world needs of a connection: it loses replies, breaks, cuts off PDFs and is silent.
type connection struct {
	platform http.Handler

	mu      sync.Mutex
	mode    string // "", "lost", "broken", "cut" or "silent"
	cuts    int    // PDFs that were cut off
	open    int    // bodies that nobody closed
	arrived chan struct{}
	over    chan struct{} // closed when the silence ends
}

// set changes the mode, and returns what restores it.
func (c *connection) set(mode string) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mode = mode
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.mode = ""
	}
}

func (c *connection) hang() (<-chan struct{}, func()) {
	restore := c.set("silent")
	c.mu.Lock()
	defer c.mu.Unlock()
	arrived, over := make(chan struct{}, 100), make(chan struct{})
	c.arrived, c.over = arrived, over
	return arrived, func() { restore(); close(over) }
}

func (c *connection) openReplies() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open
}

// RoundTrip carries a request.
func (c *connection) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	mode, arrived, over := c.mode, c.arrived, c.over
	c.mu.Unlock()
	if mode == "broken" {
		return nil, syscall.ECONNREFUSED
	}
	request := r.Clone(r.Context())
	if request.Body == nil {
		request.Body = http.NoBody
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	if mode == "silent" {
		arrived <- struct{}{}
		select {
		case <-r.Context().Done():
			return nil, r.Context().Err()
		case <-over:
			return nil, errors.New("the platform was silent")
		}
	}
	request.Body = io.NopCloser(bytes.NewReader(body))
	w := httptest.NewRecorder()
	c.platform.ServeHTTP(w, request)
	if mode == "lost" {
		return nil, io.ErrUnexpectedEOF
	}
	reply := w.Result()
	content := io.Reader(reply.Body)
	c.mu.Lock()
	defer c.mu.Unlock()
	if mode == "cut" && strings.HasPrefix(reply.Header.Get("Content-Type"), "application/pdf") {
		content = io.LimitReader(content, reply.ContentLength/2) // of which nothing tells
		if c.cuts++; c.cuts%2 == 0 {
			content = io.MultiReader(content, brokenReader{})
		}
	}
	c.open++
	reply.Body = &openBody{Reader: content, connection: c}
	return reply, nil
}

// brokenReader is the end of a connection that breaks.
type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// openBody is a body until it is closed.
type openBody struct {
	io.Reader
	connection *connection
	once       sync.Once
}

func (b *openBody) Close() error {
	b.once.Do(func() {
		b.connection.mu.Lock()
		defer b.connection.mu.Unlock()
		b.connection.open--
	})
	return nil
}

// newWorld returns the client of package restgateway with a simulator behind it, and all hooks.
func newWorld() (pagoinretetest.GatewayEnvironment, error) {
	simulator := restgatewaytest.New(restgatewaytest.Config{})
	simulator.AddSchool(restgatewaytest.School{Code: gatewaySchool, Key: gatewayKey})
	simulator.AddSchool(restgatewaytest.School{Code: "MIIC000001", Key: "chiave-di-un-altra"})
	c := &connection{platform: simulator}
	clientOf := func(text, school string) (*restgateway.Client, error) {
		key, err := flussi.ParseKey(text)
		if err != nil {
			return nil, err
		}
		return restgateway.New(key, school, restgateway.Config{
			BaseURL: "http://localhost" + restgatewaytest.BasePath, HTTPClient: &http.Client{Transport: c},
			Calls: 1_000_000, MaxAttempts: 2, MaxWait: time.Microsecond,
		})
	}
	client, err1 := clientOf(gatewayKey, gatewaySchool)
	stranger, err2 := clientOf("nessuna", gatewaySchool)
	other, err3 := clientOf("chiave-di-un-altra", "MIIC000001")
	happens := func(happened bool) error {
		if !happened {
			return errors.New("the state of the notice does not permit it")
		}
		return nil
	}
	return pagoinretetest.GatewayEnvironment{
		Gateway: client, School: gatewaySchool, Secrets: []string{gatewayKey}, Unauthorized: stranger, OtherGateway: other,
		LogIn:        func(_ context.Context, payer flussi.FiscalCode) error { simulator.LogIn(payer); return nil },
		StartPayment: func(_ context.Context, id uuid.UUID) error { return happens(simulator.StartPayment(id)) },
		FailPayment:  func(_ context.Context, id uuid.UUID) error { return happens(simulator.FailPayment(id)) },
		Pay: func(_ context.Context, id uuid.UUID) error {
			n, _ := simulator.Notice(id)
			return happens(simulator.Pay(id, n.Due))
		},
		Count:       func(_ context.Context, id uuid.UUID) (int, error) { return simulator.Created(id), nil },
		LoseReplies: func() func() { return c.set("lost") },
		Disconnect:  func() func() { return c.set("broken") },
		CutPDFs:     func() func() { return c.set("cut") },
		Hang:        c.hang,
		OpenReplies: c.openReplies,
	}, errors.Join(err1, err2, err3)
}
