// Package pipenet connects clients and servers by pipes inside the process, for tests: unlike real
// connections, they block durably in a testing/synctest bubble, so that its time advances.
package pipenet

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// Serve serves a handler over pipes. It returns a transport that reaches the handler at any
// address, and a function that closes both.
func Serve(handler http.Handler) (*http.Transport, func()) {
	network := &pipes{accept: make(chan net.Conn), closed: make(chan struct{})}
	// The server closes idle connections later than the client does, like the real platforms.
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

// Addr returns a placeholder: pipes have no address.
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
