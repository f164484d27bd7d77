package restcall

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"regexp"
	"syscall"
)

// Failure is the error of an operation that ended without a reply.
type Failure struct {
	Operation string    // its name
	Sent      bool      // the request may have reached the server; if not, the server certainly did not act on it
	Ended     bool      // the caller's context ended, or the time until which it permits a start
	Attempts  []Attempt // that were made
	Err       error     // the cause; only unwrapping it gives its own text
}

// Error describes the failure without the address and what was sent.
func (f *Failure) Error() string {
	return f.Operation + ": " + Describe(f.Err)
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// cause removes the URL, which may hold personal data, from a transport's error.
func cause(err error) error {
	var located *url.Error
	for errors.As(err, &located) {
		err = located.Err
	}
	return err
}

// concealed hides the text of an error of a transport, which may hold anything. errors.Is and
// errors.As find the error, and fmt does not: it prints a function as an address.
type concealed struct {
	err func() error
}

func conceal(err error) error {
	err = cause(err)
	if err == nil {
		return nil
	}
	return concealed{func() error { return err }}
}

func (c concealed) Error() string { return Describe(c.err()) }
func (c concealed) Unwrap() error { return c.err() }

// isConnectError reports whether there was no connection: connecting failed, or the context ended
// first.
func isConnectError(err error) bool {
	var (
		network     *net.OpError
		dns         *net.DNSError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       tls.AlertError
		timeout     net.Error
	)
	switch {
	case errors.As(err, &network):
		switch network.Op {
		case "dial", "proxyconnect", "socks connect", "remote error", "local error":
			return true
		}
		return false
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.Canceled):
		return true
	}
	return errors.As(err, &dns) || errors.As(err, &certificate) || errors.As(err, &record) || errors.As(err, &alert)
}

// notProcessed matches the errors of net/http that say that an HTTP/2 server did not process a
// request: it refused the stream, or went away and named an earlier stream as the last (RFC 9113,
// sections 8.7 and 6.8). net/http has no types for them. Any other text, such as one of a later
// version of Go, proves nothing.
var notProcessed = regexp.MustCompile(`^http2: Transport: cannot retry err \[` +
	`(?:stream error: stream ID [0-9]+; REFUSED_STREAM; received from peer` +
	`|http2: Transport received Server's graceful shutdown GOAWAY)` +
	`\] after Request\.Body was written; define Request\.GetBody to avoid this error$` +
	`|^http2: Transport received GOAWAY from server ErrCode:[A-Z0-9_]+$`)

// isNotProcessed reports whether an error of net/http's own transport says that the server
// certainly did not process the request.
func isNotProcessed(err error) bool {
	return err != nil && notProcessed.MatchString(cause(err).Error())
}

// Describe returns what happened in fixed words: the text of a transport's error may hold
// anything.
func Describe(err error) string {
	var (
		timeout     net.Error
		dns         *net.DNSError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		network     *net.OpError
	)
	var hidden concealed
	if errors.As(err, &hidden) {
		err = hidden.err()
	}
	switch err = cause(err); {
	case err == nil:
		return "no reply"
	case errors.Is(err, ErrTooLarge):
		return ErrTooLarge.Error()
	case isNotProcessed(err):
		return "refused by the server before it was processed"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timed out"
	case errors.As(err, &dns):
		return "host not found"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection closed"
	case errors.As(err, &certificate):
		return "certificate not accepted"
	case errors.As(err, &record):
		return "server does not speak TLS"
	case errors.As(err, &network):
		return "network error on " + network.Op
	}
	return fmt.Sprintf("transport error %T", err)
}
