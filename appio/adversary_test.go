package appio_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/internal/must"
)

// listen serves each connection on this machine until the test ends.
func listen(t testing.TB, serve func(net.Conn)) (address string) {
	t.Helper()
	listener := must.Get(net.Listen("tcp", "127.0.0.1:0"))(t)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	return listener.Addr().String()
}

// listenHTTP reads each request to its end, and leaves the reply to be written by hand.
func listenHTTP(t testing.TB, reply func(net.Conn)) (address string) {
	return listen(t, func(conn net.Conn) {
		r, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			reply(conn)
		}
	})
}

// nobody returns an address at which nobody listens.
func nobody(t testing.TB) string {
	listener := must.Get(net.Listen("tcp", "127.0.0.1:0"))(t)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}

// newTransport returns a transport whose connections end with the test.
func newTransport(t testing.TB) *http.Transport {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

func adversary(t testing.TB, base string, transport http.RoundTripper, attempts int) *appio.Client {
	client := must.Get(appio.New(key(t, secretKey), appio.Config{
		BaseURL: base, HTTPClient: &http.Client{Transport: transport, Timeout: 30 * time.Second},
		MaxAttempts: attempts, MaxWait: time.Millisecond, Pace: newPace(t, appio.PaceConfig{Calls: 1 << 30}),
	}))(t)
	return client
}

// Transports of the caller's own, which deliver and then lose the reply. None of them
// may lead to a second delivery, or to the word that nothing was sent.
func TestTransportsThatDeliverAndThenFail(t *testing.T) {
	type deliver = func(*http.Request) error
	for name, transport := range map[string]func(base *http.Transport, deliver deliver) http.RoundTripper{
		"of another kind": func(_ *http.Transport, deliver deliver) http.RoundTripper {
			return roundTrip(func(r *http.Request) (*http.Response, error) { return nil, deliver(r) })
		},
		"another protocol of net/http's": func(base *http.Transport, deliver deliver) http.RoundTripper {
			base.RegisterProtocol("http", roundTrip(func(r *http.Request) (*http.Response, error) { return nil, deliver(r) }))
			return base
		},
		"another protocol that says it did not connect": func(base *http.Transport, deliver deliver) http.RoundTripper {
			base.RegisterProtocol("http", roundTrip(func(r *http.Request) (*http.Response, error) {
				_ = deliver(r)
				return nil, &net.OpError{Op: "dial", Err: errors.New("it says")}
			}))
			return base
		},
		"another protocol that says it was not processed": func(base *http.Transport, deliver deliver) http.RoundTripper {
			base.RegisterProtocol("http", roundTrip(func(r *http.Request) (*http.Response, error) {
				_ = deliver(r)
				return nil, errors.New("http2: Transport received GOAWAY from server ErrCode:NO_ERROR")
			}))
			return base
		},
		"a fallback after net/http's": func(base *http.Transport, deliver deliver) http.RoundTripper {
			return roundTrip(func(r *http.Request) (*http.Response, error) {
				if resp, err := base.RoundTrip(r.Clone(r.Context())); err == nil {
					return resp, nil
				}
				body, err := r.GetBody()
				if err != nil {
					return nil, err
				}
				r.Body = body
				return nil, deliver(r)
			})
		},
		"net/http's as a fallback": func(base *http.Transport, deliver deliver) http.RoundTripper {
			return roundTrip(func(r *http.Request) (*http.Response, error) {
				_ = deliver(r)
				return base.RoundTrip(r)
			})
		},
		"one that keeps the request": func(base *http.Transport, deliver deliver) http.RoundTripper {
			return roundTrip(func(r *http.Request) (*http.Response, error) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					return nil, err
				}
				r = r.Clone(context.WithoutCancel(r.Context()))
				r.Body = io.NopCloser(bytes.NewReader(body))
				_ = deliver(r)
				return nil, &net.OpError{Op: "dial", Err: errors.New("it says")}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			var delivered atomic.Int32
			base := newTransport(t)
			client := adversary(t, "http://"+nobody(t), transport(base, func(r *http.Request) error {
				if _, err := io.Copy(io.Discard, r.Body); err != nil {
					return err
				}
				delivered.Add(1)
				return io.ErrUnexpectedEOF
			}), 5)
			_, err := client.Submit(t.Context(), message(t, 1))
			assert.EqualValues(t, 1, delivered.Load())
			assert.Equal(t, flussi.OutcomeUnknown, flussi.OutcomeOf(err))
		})
	}
	t.Run("one that answers nothing at all", func(t *testing.T) {
		for _, resp := range []*http.Response{nil, {StatusCode: 201}} {
			client := adversary(t, "http://localhost", roundTrip(func(*http.Request) (*http.Response, error) { return resp, nil }), 1)
			_, err := client.Submit(t.Context(), message(t, 1))
			assert.Error(t, err)
		}
	})
}

// A reply that breaks off at any of its bytes.
func TestRepliesThatBreakOffAnywhere(t *testing.T) {
	const id = "01JN6Q5CZ3VGTA4X4QJEFR95C1"
	whole := "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 35\r\n\r\n{\"id\":\"" + id + "\"}"
	for _, chunked := range []bool{false, true} {
		if chunked {
			whole = "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n23\r\n{\"id\":\"" + id + "\"}\r\n0\r\n\r\n"
		}
		for at := range len(whole) + 1 {
			var read atomic.Int32
			address := listenHTTP(t, func(conn net.Conn) {
				read.Add(1)
				_, _ = io.WriteString(conn, whole[:at])
			})
			transport := &http.Transport{}
			receipt, err := adversary(t, "http://"+address, transport, 3).Submit(t.Context(), message(t, 1))
			transport.CloseIdleConnections()
			require.EqualValues(t, 1, read.Load(), "cut at %d", at)
			if err == nil {
				require.Equal(t, appio.MessageID(id), receipt.ID, "cut at %d", at)
			} else {
				require.Equal(t, flussi.OutcomeUnknown, flussi.OutcomeOf(err), "cut at %d", at)
			}
			require.Equal(t, at >= len(whole)-7*btoi(chunked), err == nil, "cut at %d: %v", at, err)
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// A server that says it now speaks something else: its reply has no end.
func TestAServerThatSwitchesProtocols(t *testing.T) {
	address := listenHTTP(t, func(conn net.Conn) {
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		_, _ = io.Copy(io.Discard, conn)
	})
	_, err := adversary(t, "http://"+address, newTransport(t), 3).Submit(t.Context(), message(t, 1))
	assert.Equal(t, flussi.OutcomeUnknown, flussi.OutcomeOf(err))
}

// A reply is read up to a limit, whether it tells its length or not.
func TestRepliesThatAreTooLarge(t *testing.T) {
	for _, header := range []string{"Content-Length: %[1]d\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n%[1]x\r\n", "\r\n"} {
		address := listenHTTP(t, func(conn net.Conn) {
			_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\n"+header, 1<<30)
			for _, err := conn.Write(make([]byte, 1<<16)); err == nil; _, err = conn.Write(make([]byte, 1<<16)) {
			}
		})
		_, err := adversary(t, "http://"+address, newTransport(t), 3).Profile(t.Context(), message(t, 1).To)
		assert.ErrorIs(t, err, flussi.ErrUnavailable)
		failed := remoteError(t, err)
		assert.Equal(t, 1, failed.Attempts, "it will not be smaller next time")
	}
}

// The word that a call was one too many counts at once, whatever becomes of the rest
// of the reply.
func TestA429CountsBeforeItsBody(t *testing.T) {
	address := listenHTTP(t, func(conn net.Conn) {
		_, _ = io.WriteString(conn, "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 30\r\nContent-Length: 10\r\n\r\nx")
		_, _ = io.Copy(io.Discard, conn)
	})
	pace := newPace(t, appio.PaceConfig{})
	client := must.Get(appio.New(key(t, secretKey), appio.Config{BaseURL: "http://" + address, HTTPClient: &http.Client{Transport: newTransport(t)}, Pace: pace, MaxAttempts: 1}))(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error)
	go func() {
		_, err := client.Submit(ctx, message(t, 1))
		done <- err
	}()
	full := pace.Rate()
	for pace.Rate() == full { // until it heard of it; the body never ends
		runtime.Gosched()
	}
	cancel()
	err := <-done
	assert.Equal(t, flussi.OutcomeNotDone, flussi.OutcomeOf(err))
	assert.ErrorIs(t, err, flussi.ErrRateLimited)
}

// Clients are made while others already use the same transport.
func TestNewBesideATransportThatIsInUse(t *testing.T) {
	server := appiotest.NewServer(appiotest.Config{Unlimited: true})
	defer server.Close()
	server.AddService(appiotest.Service{ID: "tributi", Key: secretKey})
	for range 20 {
		transport := &http.Transport{}
		var group sync.WaitGroup
		for i := range 4 {
			group.Go(func() {
				client := adversary(t, server.URL, transport, 1)
				_, err := client.Submit(t.Context(), message(t, i))
				assert.NoError(t, err)
			})
		}
		group.Wait()
		transport.CloseIdleConnections()
	}
}
