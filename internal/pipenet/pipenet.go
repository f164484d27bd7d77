// Package pipenet connects clients and servers by pipes inside the process, for tests: unlike real
// connections, they block durably in a testing/synctest bubble, so that its time advances.
package pipenet

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Serve serves a handler over pipes. It returns a transport that reaches the handler at any
// address, and a function that closes both.
func Serve(handler http.Handler) (*http.Transport, func()) {
	network := New()
	// The server closes idle connections later than the client does, like the real platforms.
	server := &http.Server{Handler: handler, IdleTimeout: 4 * time.Minute}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(network) }()
	transport := &http.Transport{DialContext: network.Dial, MaxIdleConnsPerHost: 64, IdleConnTimeout: 90 * time.Second}
	return transport, func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		<-done
	}
}

// InBubble runs a part of a test in a bubble of testing/synctest.
func InBubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

// Direct returns a transport that calls a handler without a network, after the time that a call
// takes.
func Direct(handler http.Handler, takes time.Duration) http.RoundTripper {
	return direct{handler, takes}
}

type direct struct {
	handler http.Handler
	takes   time.Duration
}

// RoundTrip calls the handler.
func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(d.takes)
	w := httptest.NewRecorder()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	d.handler.ServeHTTP(w, r)
	return w.Result(), nil
}

// Network is a listener, and connects to itself. It is safe for concurrent use.
type Network struct {
	accept chan net.Conn
	once   sync.Once
	closed chan struct{}
}

// New returns a network.
func New() *Network {
	return &Network{accept: make(chan net.Conn), closed: make(chan struct{})}
}

// Accept returns the server's end of the next connection.
func (p *Network) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close ends the network.
func (p *Network) Close() error { p.once.Do(func() { close(p.closed) }); return nil }

// Addr returns a placeholder: pipes have no address.
func (p *Network) Addr() net.Addr { return &net.TCPAddr{} }

// Dial returns the client's end of a new connection, whatever the address.
func (p *Network) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.accept <- server:
		return client, nil
	case <-p.closed:
		return nil, errors.New("closed")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
