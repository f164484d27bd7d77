package restcall

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync/atomic"
	"time"
)

// bufferSize is the size of net/http's buffer for a connection, and of ours.
const bufferSize = 4 << 10

// silence changes a transport so that net/http does not print what a server sends on an idle
// connection. net/http prints it through package log as "Unsolicited response", and a broken proxy
// echoes fiscal codes and texts. Over HTTP/2 net/http prints none of it.
//
// A transport that makes its TLS connections itself is not changed. Through a proxy, net/http
// starts TLS on the connection that it gets here: what comes together with a reply, in one TLS
// record, is then printed nevertheless.
func silence(t *http.Transport) {
	//lint:ignore SA1019 a program may have set them in http.DefaultTransport
	if t.Dial != nil || t.DialTLS != nil || t.DialTLSContext != nil {
		return
	}
	dial := t.DialContext
	if dial == nil {
		dial = (&net.Dialer{Timeout: defaultTimeout}).DialContext
	}
	t.ReadBufferSize = bufferSize
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &quietConn{Conn: conn}, nil
	}
	t.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		secure, err := startTLS(ctx, conn, address, t.TLSClientConfig, t.TLSHandshakeTimeout)
		if err != nil {
			_ = conn.Close()
			return nil, err
		}
		if secure.ConnectionState().NegotiatedProtocol == "h2" {
			return secure, nil // net/http uses HTTP/2 only on a *tls.Conn
		}
		return &quietConn{Conn: secure}, nil
	}
}

// startTLS starts TLS on a connection as net/http does, and calls the same hooks.
func startTLS(ctx context.Context, conn net.Conn, address string, config *tls.Config, timeout time.Duration) (*tls.Conn, error) {
	if config = config.Clone(); config == nil {
		config = &tls.Config{}
	}
	if config.ServerName == "" {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		config.ServerName = host
	}
	trace := httptrace.ContextClientTrace(ctx)
	if timeout > 0 {
		limited, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		ctx = limited
	}
	if trace != nil && trace.TLSHandshakeStart != nil {
		trace.TLSHandshakeStart()
	}
	secure := tls.Client(conn, config)
	err := secure.HandshakeContext(ctx)
	if trace != nil && trace.TLSHandshakeDone != nil {
		trace.TLSHandshakeDone(secure.ConnectionState(), err)
	}
	return secure, err
}

// quietConn is a connection for HTTP/1 that ends if the server sends bytes while no request is
// under way: net/http then sees a connection that the server closed.
//
// It returns a reply in such a way that net/http's buffer never holds bytes that come after the
// reply: net/http would print them. They remain here, and the connection ends. net/http reads into
// its buffer only if it needs another byte, so one byte at a time is always right. More are returned
// where it is certain that they belong to the reply: its headers, and a body of a known length.
type quietConn struct {
	net.Conn
	begun, ended atomic.Int64 // requests on the connection
	wrote        atomic.Bool
	tunnel       atomic.Bool // what passes is not HTTP/1, but TLS or SOCKS within it

	// Only the goroutine that reads uses these.
	buffer  []byte
	held    []byte // of the buffer: not returned yet
	failed  error  // came with the bytes that are held
	spoiled bool   // something came that belongs to no request
	request int64  // whose reply is being read
	head    []byte // its headers, until they end
	inHead  bool
	atStart bool // the line that is being read is empty so far
	free    int  // the bytes of the body that can be returned at once
}

// quietConnOf returns the quietConn within a connection that net/http uses, nil if there is none.
func quietConnOf(conn net.Conn) *quietConn {
	if secure, is := conn.(*tls.Conn); is {
		conn = secure.NetConn()
	}
	quiet, _ := conn.(*quietConn)
	return quiet
}

// begin is called when a request gets the connection, before it is written.
func (c *quietConn) begin() { c.begun.Add(1) }

// end is called when the reply to a request was read to its end, by the goroutine that reads.
func (c *quietConn) end() {
	if len(c.held) > 0 {
		c.spoiled = true
		_ = c.Conn.Close()
	}
	c.ended.Add(1)
}

// isIdle reports whether no request is under way.
func (c *quietConn) isIdle() bool {
	begun := c.begun.Load()
	return begun == c.ended.Load() && (begun > 0 || !c.tunnel.Load())
}

// Write decides by the first bytes whether the connection is a tunnel.
func (c *quietConn) Write(p []byte) (int, error) {
	if len(p) > 0 && c.wrote.CompareAndSwap(false, true) {
		c.tunnel.Store(p[0] < ' ' || bytes.HasPrefix(p, []byte("CONNECT ")))
	}
	return c.Conn.Write(p)
}

// Read returns bytes of a reply. It returns io.EOF if they belong to no request.
func (c *quietConn) Read(p []byte) (int, error) {
	if len(c.held) == 0 {
		if c.failed != nil {
			return 0, c.failed
		}
		if len(p) > bufferSize || c.tunnel.Load() { // net/http does not read into its buffer
			n, err := c.Conn.Read(p)
			c.free = max(0, c.free-n)
			if n > 0 && c.isIdle() {
				return c.spoil()
			}
			return n, err
		}
		if c.buffer == nil {
			c.buffer = make([]byte, bufferSize)
		}
		n, err := c.Conn.Read(c.buffer)
		c.held, c.failed = c.buffer[:n], err
		if n == 0 {
			return 0, err
		}
	}
	if c.spoiled || c.isIdle() {
		return c.spoil()
	}
	n := copy(p, c.held[:c.certain(min(len(p), len(c.held)))])
	c.held = c.held[n:]
	return n, nil
}

// spoil ends the connection.
func (c *quietConn) spoil() (int, error) {
	c.spoiled, c.held, c.failed = true, nil, io.EOF
	_ = c.Conn.Close()
	return 0, io.EOF
}

// certain returns how many of the held bytes certainly belong to the reply, at most the given number
// and at least one.
func (c *quietConn) certain(most int) int {
	if begun := c.begun.Load(); c.request != begun {
		c.request, c.head, c.inHead, c.atStart, c.free = begun, c.head[:0], true, false, 0
	}
	switch {
	case c.inHead:
		return c.headers(most)
	case c.free > 0:
		n := min(most, c.free)
		c.free -= n
		return n
	}
	return 1
}

// headers returns how many of the held bytes belong to the headers.
func (c *quietConn) headers(most int) int {
	for i, b := range c.held[:most] {
		switch {
		case b == '\n' && c.atStart:
			c.inHead = false
			if len(c.head) < bufferSize { // longer ones were not kept whole
				c.free = bodyLength(append(c.head, c.held[:i]...))
			}
			return i + 1
		case b == '\n':
			c.atStart = true
		case b != '\r':
			c.atStart = false
		}
	}
	if len(c.head) < bufferSize {
		c.head = append(c.head, c.held[:most]...)
	}
	return most
}

// bodyLength returns the length of the body that headers announce. It returns 0 where net/http may
// see another length: then one byte at a time is returned.
func bodyLength(head []byte) int {
	lines := bytes.Split(head, []byte("\n"))
	status := lines[0]
	if len(status) < 12 || !bytes.HasPrefix(status, []byte("HTTP/1.1 ")) || status[9] < '2' || bytes.HasPrefix(status[9:], []byte("204")) || bytes.HasPrefix(status[9:], []byte("304")) {
		return 0
	}
	length := -1
	for _, line := range lines[1:] {
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			return 0
		case !bytes.EqualFold(name, []byte("Content-Length")):
		case length >= 0:
			return 0
		default:
			n, err := strconv.Atoi(string(bytes.TrimSpace(value)))
			if err != nil || n < 0 {
				return 0
			}
			length = n
		}
	}
	return max(length, 0)
}
