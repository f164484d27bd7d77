// Package pipenet is a network inside the process, for tests: its connections are pipes,
// so that a testing/synctest bubble sees them block and lets time pass.
package pipenet

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// Serve serves a handler on a network of its own. It returns a transport that reaches
// it, whatever the address, and what ends both.
func Serve(handler http.Handler) (*http.Transport, func()) {
	network := &pipes{accept: make(chan net.Conn), closed: make(chan struct{})}
	// As real ones have it: the server is more patient with idle connections than the client.
	server := &http.Server{Handler: handler, IdleTimeout: 4 * time.Minute}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(network) }()
	transport := &http.Transport{DialContext: network.dial, MaxIdleConnsPerHost: 64, IdleConnTimeout: 90 * time.Second}
	return transport, func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		<-done
	}
}

type pipes struct {
	accept chan net.Conn
	once   sync.Once
	closed chan struct{}
}

// Accept returns the server's end of the next connection.
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close ends the network.
func (p *pipes) Close() error { p.once.Do(func() { close(p.closed) }); return nil }

// Addr returns no address in particular.
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
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
