package appio_test

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
)

// writeFrame writes a frame of HTTP/2.
type writeFrame func(kind, flags byte, stream uint32, payload []byte)

// The frames and the codes of RFC 9113 that the tests use.
const (
	frameData, frameHeaders, frameReset, frameSettings, frameGoAway = 0, 1, 3, 4, 7
	endStream, ack, endHeaders                                      = 1, 1, 4
	noError, protocolError, internalError, refusedStream, cancelled = 0, 1, 2, 7, 8
	enhanceYourCalm                                                 = 11
)

func uint32s(values ...uint32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

// http2 serves one connection of HTTP/2 by hand, and calls back when all of a request arrived.
func http2(conn net.Conn, end func(write writeFrame, stream uint32)) {
	reader := bufio.NewReader(conn)
	if _, err := io.ReadFull(reader, make([]byte, 24)); err != nil { // the preface
		return
	}
	write := func(kind, flags byte, stream uint32, payload []byte) {
		frame := []byte{0, 0, byte(len(payload)), kind, flags}
		frame = binary.BigEndian.AppendUint32(frame, stream)
		_, _ = conn.Write(append(frame, payload...))
	}
	write(frameSettings, 0, 0, nil)
	for {
		frame := make([]byte, 9)
		if _, err := io.ReadFull(reader, frame); err != nil {
			return
		}
		if _, err := io.CopyN(io.Discard, reader, int64(frame[0])<<16|int64(frame[1])<<8|int64(frame[2])); err != nil {
			return
		}
		stream, last := binary.BigEndian.Uint32(frame[5:]), frame[4]&1 != 0
		switch {
		case frame[3] == frameSettings && !last:
			write(frameSettings, ack, 0, nil)
		case frame[3] == frameData && last:
			end(write, stream)
		}
	}
}

// act is what a server does with a request that it read to its end.
type act = func(conn net.Conn, write writeFrame, stream uint32)

func reset(code uint32) act {
	return func(_ net.Conn, write writeFrame, stream uint32) { write(frameReset, 0, stream, uint32s(code)) }
}

// goAway names the last request that the server processes.
func goAway(last, code uint32, hangUp bool) act {
	return func(conn net.Conn, write writeFrame, _ uint32) {
		write(frameGoAway, 0, 0, uint32s(last, code))
		if hangUp {
			_ = conn.Close()
		}
	}
}

// accept answers 201.
func accept(_ net.Conn, write writeFrame, stream uint32) {
	write(frameHeaders, endHeaders, stream, append([]byte{0x08, 3}, "201"...)) // :status, not indexed
	write(frameData, endStream, stream, []byte(`{"id":"01JN6Q5CZ3VGTA4X4QJEFR95C1"}`))
}

// scriptedHTTP2 serves requests by the acts, the last of which is for all further requests. It
// returns the address, and counts the requests that it read to their end.
func scriptedHTTP2(t *testing.T, acts ...act) (address string, read *atomic.Int32) {
	read = new(atomic.Int32)
	return "http://" + listen(t, func(conn net.Conn) {
		http2(conn, func(write writeFrame, stream uint32) {
			acts[min(int(read.Add(1)), len(acts))-1](conn, write, stream)
		})
	}), read
}

func newHTTP2Transport(t *testing.T) *http.Transport {
	transport := newTransport(t)
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetUnencryptedHTTP2(true)
	return transport
}

// Over HTTP/2 a server may say that it did not process a request that it read to the end: only then
// is the request repeated, by the client and not by net/http.
func TestHTTP2RepeatsOnlyWhatWasNotProcessed(t *testing.T) {
	for name, test := range map[string]struct {
		act     act
		outcome flussi.Outcome
	}{
		"the stream is refused":                       {reset(refusedStream), flussi.OutcomeNotDone},
		"the server goes away before this one":        {goAway(0, noError, false), flussi.OutcomeNotDone},
		"it goes away before this one and hangs up":   {goAway(0, noError, true), flussi.OutcomeNotDone},
		"it goes away before this one, for too many":  {goAway(0, enhanceYourCalm, false), flussi.OutcomeNotDone},
		"the server goes away after this one":         {goAway(1, noError, true), flussi.OutcomeUnknown},
		"it goes away after this one, for too many":   {goAway(1, enhanceYourCalm, true), flussi.OutcomeUnknown},
		"it goes away at an unknown one":              {goAway(1<<31-1, noError, true), flussi.OutcomeUnknown},
		"the stream is cancelled":                     {reset(cancelled), flussi.OutcomeUnknown},
		"the stream has a protocol error":             {reset(protocolError), flussi.OutcomeUnknown},
		"the stream has an internal error":            {reset(internalError), flussi.OutcomeUnknown},
		"the stream ends as if there were too many":   {reset(enhanceYourCalm), flussi.OutcomeUnknown},
		"the stream ends with an error of none":       {reset(noError), flussi.OutcomeUnknown},
		"the stream ends with an error not published": {reset(99), flussi.OutcomeUnknown},
		"the server hangs up":                         {func(conn net.Conn, _ writeFrame, _ uint32) { _ = conn.Close() }, flussi.OutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, read := scriptedHTTP2(t, test.act)
			_, err := adversary(t, address, newHTTP2Transport(t), 3).Submit(t.Context(), message(t, 1))
			assert.Equal(t, test.outcome, flussi.OutcomeOf(err), "%v", err)
			attempts := 1
			if test.outcome == flussi.OutcomeNotDone {
				attempts = 3
				assert.ErrorIs(t, err, flussi.ErrUnavailable)
				assert.ErrorContains(t, err, "refused by the server before it was processed")
			}
			assert.EqualValues(t, attempts, read.Load())
			assert.Equal(t, attempts, remoteError(t, err).Attempts)

			// A transport that is not net/http's own may have sent the request elsewhere before.
			address, read = scriptedHTTP2(t, test.act)
			_, err = adversary(t, address, roundTrip(newHTTP2Transport(t).RoundTrip), 3).Submit(t.Context(), message(t, 1))
			assert.Equal(t, flussi.OutcomeUnknown, flussi.OutcomeOf(err))
			assert.EqualValues(t, 1, read.Load())
		})
	}
}

func TestHTTP2AcceptsAfterARefusal(t *testing.T) {
	address, read := scriptedHTTP2(t, accept, reset(refusedStream), accept, goAway(0, noError, false), accept)
	client := adversary(t, address, newHTTP2Transport(t), 3)
	for i, attempts := range []int{1, 2, 2, 1} {
		receipt, err := client.Submit(t.Context(), message(t, i))
		require.NoError(t, err)
		assert.Equal(t, attempts, receipt.Attempts)
	}
	assert.EqualValues(t, 6, read.Load())
}

// As the real platform has it: HTTP/2 over TLS, by negotiation.
func TestHTTP2OverTLSIsRepeatedAfterARefusal(t *testing.T) {
	certified := httptest.NewTLSServer(nil) // for its certificate
	defer certified.Close()
	var read atomic.Int32
	acts := []act{reset(refusedStream), accept, goAway(0, noError, false), accept, reset(protocolError)}
	listener := tls.NewListener(must.Get(net.Listen("tcp", "127.0.0.1:0"))(t), &tls.Config{Certificates: certified.TLS.Certificates, NextProtos: []string{"h2"}})
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				http2(conn, func(write writeFrame, stream uint32) {
					acts[min(int(read.Add(1)), len(acts))-1](conn, write, stream)
				})
			}()
		}
	}()
	transport := newTransport(t)
	transport.ForceAttemptHTTP2 = true
	transport.TLSClientConfig = certified.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	client := adversary(t, "https://"+listener.Addr().String(), transport, 3)
	for i := range 2 {
		receipt, err := client.Submit(t.Context(), message(t, i))
		require.NoError(t, err)
		assert.Equal(t, 2, receipt.Attempts)
	}
	_, err := client.Submit(t.Context(), message(t, 3))
	assert.Equal(t, flussi.OutcomeUnknown, flussi.OutcomeOf(err))
	assert.EqualValues(t, 5, read.Load())
}

// A handler that gives up after it read a request may have acted on it.
func TestARealHTTP2Server(t *testing.T) {
	var calls atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		assert.Equal(t, 2, r.ProtoMajor)
		if calls.Add(1)%2 == 0 {
			panic(http.ErrAbortHandler) // ends the stream with an internal error
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":"01JN6Q5CZ3VGTA4X4QJEFR95C1"}`)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	client := adversary(t, server.URL, server.Client().Transport, 3)
	for i := range 6 {
		_, err := client.Submit(t.Context(), message(t, i))
		want := flussi.OutcomeDone
		if i%2 == 1 {
			want = flussi.OutcomeUnknown
		}
		assert.Equal(t, want, flussi.OutcomeOf(err), "%v", err)
	}
	assert.EqualValues(t, 6, calls.Load())
}
