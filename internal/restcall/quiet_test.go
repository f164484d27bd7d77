package restcall

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
)

// captured collects what package log prints until the test ends.
func captured(t *testing.T) *lockedBuffer {
	var printed lockedBuffer
	before := log.Writer()
	log.SetOutput(&printed)
	t.Cleanup(func() { log.SetOutput(before) })
	return &printed
}

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

// An evil server answers each request, and sends more on the same connection.
type evil struct {
	replies []string      // to each request, each in a write of its own
	unasked string        // what the connection begins with
	later   string        // sent after the client has read the replies
	read    chan struct{} // of a reply: the client has read it
	ended   chan struct{} // of a connection: the client has closed it
	tls     *tls.Config   // nil: without TLS
	isProxy bool          // TLS begins after CONNECT
}

func (e *evil) serve(conn net.Conn) {
	defer func() { _ = conn.Close(); e.ended <- struct{}{} }()
	if e.tls != nil && !e.isProxy {
		conn = tls.Server(conn, e.tls)
	}
	reader := bufio.NewReader(conn)
	_, _ = io.WriteString(conn, e.unasked)
	for {
		request, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		if request.Method == http.MethodConnect { // the evil server is the proxy, too
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
			conn = tls.Server(conn, e.tls)
			reader = bufio.NewReader(conn)
			continue
		}
		_, _ = io.Copy(io.Discard, request.Body)
		for _, reply := range e.replies {
			_, _ = io.WriteString(conn, reply)
		}
		if e.later != "" {
			<-e.read
			_, _ = io.WriteString(conn, e.later)
		}
	}
}

// start serves until the test ends, and returns the address.
func (e *evil) start(t *testing.T) string {
	e.read, e.ended = make(chan struct{}), make(chan struct{}, 10)
	listener := must.Get(net.Listen("tcp", "127.0.0.1:0"))(t)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go e.serve(conn)
		}
	}()
	return listener.Addr().String()
}

// certificate returns the configuration of a server and of a client that trusts it.
func certificate(t *testing.T, protocols ...string) (server, client *tls.Config) {
	trusted := httptest.NewTLSServer(http.NotFoundHandler())
	defer trusted.Close()
	return &tls.Config{Certificates: trusted.TLS.Certificates, NextProtos: protocols},
		trusted.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
}

// quietEngine returns an engine whose transport is silenced as the default one is.
func quietEngine(address string, config *tls.Config, proxy string) *Engine {
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	if proxy != "" {
		transport.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: proxy})
	}
	silence(transport)
	e, _ := engine(transport)
	e.Base = &url.URL{Scheme: "http", Host: address}
	if config != nil {
		e.Base.Scheme = "https"
	}
	return e
}

func TestNothingIsPrintedOfWhatAServerSendsUnasked(t *testing.T) {
	const personal = "RSSMRA85T10A562S"
	second := "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n" + personal
	fixed := "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"
	for name, test := range map[string]evil{
		"together with a reply":                {replies: []string{fixed + second}},
		"after a reply":                        {replies: []string{fixed}, later: second},
		"personal text alone":                  {replies: []string{fixed}, later: personal},
		"together with a reply in chunks":      {replies: []string{"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" + second}},
		"after one that comes byte by byte":    {replies: append(strings.Split(fixed, ""), second)},
		"after a reply without a body":         {replies: []string{"HTTP/1.1 204 No Content\r\nContent-Length: 40\r\n\r\n" + second}},
		"with two lengths":                     {replies: []string{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}" + second}},
		"after a reply that continues":         {replies: []string{"HTTP/1.1 100 Continue\r\nContent-Length: 200\r\n\r\n" + fixed + second}},
		"after a long reply":                   {replies: []string{"HTTP/1.1 400 Bad Request\r\nContent-Length: 9000\r\n\r\n" + strings.Repeat("x", 9000) + second}},
		"before any request, and then a reply": {unasked: second, replies: []string{fixed}},
	} {
		for _, how := range []string{"http", "https", "http by a proxy", "https by a proxy"} {
			if how == "https by a proxy" && test.later == "" {
				continue // net/http makes the TLS connection itself
			}
			t.Run(name+", "+how, func(t *testing.T) {
				printed, e := captured(t), test
				var client *tls.Config
				if strings.HasPrefix(how, "https") {
					e.tls, client = certificate(t)
				}
				e.isProxy = strings.HasSuffix(how, "proxy")
				address, proxy := e.start(t), ""
				if e.isProxy {
					proxy, address = address, "example.com:443"
				}
				engine := quietEngine(address, client, proxy)
				reply, err := engine.Do(t.Context(), operation(IfNotSent))
				if e.unasked == "" {
					require.NoError(t, err)
					assert.Contains(t, []int{200, 201, 204, 400}, reply.Status)
				}
				if e.later != "" {
					e.read <- struct{}{}
				}
				<-e.ended
				assert.Empty(t, printed.String())
			})
		}
	}
}

// net/http prints of HTTP/2 that a frame was not expected, but not what it held.
func TestNothingIsPrintedOfFramesThatComeUnasked(t *testing.T) {
	printed := captured(t)
	server, client := certificate(t, "h2")
	listener := must.Get(tls.Listen("tcp", "127.0.0.1:0", server))(t)
	defer listener.Close()
	ended := make(chan struct{})
	frame := func(kind, flags, stream byte, payload string) string {
		return string([]byte{0, 0, byte(len(payload)), kind, flags, 0, 0, 0, stream}) + payload
	}
	go func() {
		defer close(ended)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.ReadFull(conn, make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")))
		_, _ = io.WriteString(conn, frame(4, 0, 0, "")) // SETTINGS
		for {
			header := make([]byte, 9)
			if _, err := io.ReadFull(conn, header); err != nil {
				return
			}
			_, _ = io.CopyN(io.Discard, conn, int64(header[0])<<16+int64(header[1])<<8+int64(header[2]))
			if header[3] != 1 { // HEADERS
				continue
			}
			_, _ = io.WriteString(conn, frame(1, 4, 1, "\x88")+ // HEADERS of a 200
				frame(0, 1, 1, "{}")+frame(0, 0, 1, secret)+ // DATA, and more behind its end
				frame(0, 0, 9, secret)+frame(1, 4, 9, "\x88")) // of a stream that the client did not begin
		}
	}()
	engine := quietEngine(listener.Addr().String(), client, "")
	reply := must.Get(engine.Do(t.Context(), operation(IfNotSent)))(t)
	assert.Equal(t, http.StatusOK, reply.Status)
	<-ended // the client closed the connection
	assert.NotContains(t, printed.String(), secret)
}

func TestClientsWithoutATransportPrintNothing(t *testing.T) {
	for name, client := range map[string]*http.Client{
		"none":                     nil,
		"one without a transport":  {Timeout: time.Minute},
		"a wrapped default":        {Transport: struct{ http.RoundTripper }{DefaultTransport()}},
		"the default, not wrapped": {Transport: DefaultTransport()},
	} {
		t.Run(name, func(t *testing.T) {
			printed := captured(t)
			e := evil{replies: []string{"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}" + secret}}
			engine := must.Get(NewEngine(Config{BaseURL: "http://" + e.start(t), HTTPClient: client, Key: must.Get(flussi.ParseKey("a-key"))(t), Header: "Key", Pace: &freePace{}}))(t)
			must.Get(engine.Do(t.Context(), operation(IfNotSent)))(t)
			<-e.ended
			assert.Empty(t, printed.String())
		})
	}
}

// A program that replaces http.DefaultTransport gets what it put there.
func TestAnotherDefaultTransportIsUsed(t *testing.T) {
	before := http.DefaultTransport
	defer func() { http.DefaultTransport = before }()
	http.DefaultTransport = struct{ http.RoundTripper }{before}
	assert.Equal(t, http.DefaultTransport, DefaultTransport())
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	large := strings.Repeat("0123456789", 2000)
	connections := 0
	var mu sync.Mutex
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := must.Get(io.ReadAll(r.Body))(t)
		switch r.Header.Get("How") {
		case "chunks":
			for part := range 20 {
				fmt.Fprint(w, large[part*1000:(part+1)*1000])
				w.(http.Flusher).Flush()
			}
		case "long":
			w.Header().Set("Content-Length", "20000")
			fmt.Fprint(w, large)
		case "none":
			w.WriteHeader(http.StatusNoContent)
		default:
			w.Header().Set("X-Long", large[:3000])
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write(body)
		}
	})
	for _, how := range []string{"http", "https", "https with HTTP/2"} {
		t.Run(how, func(t *testing.T) {
			server := httptest.NewUnstartedServer(handler)
			connections = 0
			server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				mu.Lock()
				defer mu.Unlock()
				if state == http.StateNew {
					connections++
				}
			}
			var client *tls.Config
			switch server.EnableHTTP2 = how == "https with HTTP/2"; how {
			case "http":
				server.Start()
			default:
				server.StartTLS()
				client = server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
			}
			defer server.Close()
			printed := captured(t)
			engine := quietEngine(server.Listener.Addr().String(), client, "")
			engine.MaxBody = 1 << 20
			for range 3 {
				for name, want := range map[string]string{"chunks": large, "long": large, "none": "", "echo": "corpo"} {
					reply := must.Get(engine.Do(t.Context(), Operation{Name: "try", Method: http.MethodPost, Path: "/x", Body: []byte("corpo"), Header: http.Header{"How": {name}}}))(t)
					require.NoError(t, reply.BodyErr)
					require.Equal(t, want, string(reply.Body), name)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			assert.Equal(t, 1, connections)
			assert.Empty(t, printed.String())
		})
	}
}
