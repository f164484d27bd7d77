package pgtest

import (
	"bytes"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
)

// Proxy forwards connections of a program to a server, and can drop answers to COMMIT.
type Proxy struct {
	URL string // of the database, through the proxy

	server string
	lose   atomic.Int64 // how many answers are still to be dropped
	Lost   atomic.Int64 // how many were dropped
	cut    atomic.Int64 // after how many messages of clients all connections are broken

	mu     sync.Mutex
	closed bool // new connections are refused
	open   map[net.Conn]struct{}
}

// NewProxy starts a proxy for a database. It is closed when the test ends.
func NewProxy(t T, database string) *Proxy {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{server: u.Host, open: map[net.Conn]struct{}{}}
	u.Host = listener.Addr().String()
	p.URL = u.String()
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { p.serve(client) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		p.Close()
		conns.Wait()
	})
	return p
}

// LoseAnswers makes the proxy drop the answers to the next n COMMITs: it forwards the COMMIT, waits
// until the server has committed, and breaks the connection.
func (p *Proxy) LoseAnswers(n int) { p.lose.Store(int64(n)) }

// Cut breaks all connections, and returns how many. Programs may connect again.
func (p *Proxy) Cut() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.open {
		_ = conn.Close()
	}
	cut := len(p.open)
	clear(p.open)
	return cut
}

// Close breaks all connections and refuses new ones, as if the server had gone.
func (p *Proxy) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for conn := range p.open {
		_ = conn.Close()
	}
}

// CutAt breaks all connections at the nth message of a client from now on, which is not forwarded.
func (p *Proxy) CutAt(n int) { p.cut.Store(int64(n)) }

// forget removes a connection that has ended.
func (p *Proxy) forget(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, conn)
}

// track registers a connection for Close and Cut. It returns false if the proxy is closed already.
func (p *Proxy) track(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.open[conn] = struct{}{}
	return true
}

// commit is the simple query with which drivers end a transaction.
var commit = []byte("Q\x00\x00\x00\x0bcommit\x00")

func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	if !p.track(client) {
		return
	}
	defer p.forget(client)
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer server.Close()
	var losing atomic.Bool
	var back sync.WaitGroup
	back.Go(func() { // to the client
		defer client.Close()
		buffer := make([]byte, 64<<10)
		for {
			n, err := server.Read(buffer)
			if n > 0 && losing.Load() { // the server has committed
				p.Lost.Add(1)
				return
			}
			if n > 0 {
				if _, err := client.Write(buffer[:n]); err != nil {
					return
				}
			}
			if err != nil {
				return
			}
		}
	})
	buffer := make([]byte, 64<<10)
	for {
		n, err := client.Read(buffer)
		if n > 0 {
			if p.cut.Add(-1) == 0 {
				p.Cut()
				break
			}
			if bytes.Contains(buffer[:n], commit) && p.lose.Add(-1) >= 0 {
				losing.Store(true)
			}
			if _, err := server.Write(buffer[:n]); err != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	if tcp, ok := server.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	_, _ = io.Copy(io.Discard, client)
	_ = server.Close()
	back.Wait()
}
