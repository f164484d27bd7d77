package appio

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/restcall"
)

// MaskedTransport returns a transport whose instrumentation, such as otelhttp, sees no fiscal code
// in the path of a request. The path of [Client.Message] has the recipient's fiscal code. The
// instrumentation sees /messages/:fiscal_code/:id instead, while base sends the real path. A nil
// base is the transport that clients without an HTTPClient use.
//
//	client := &http.Client{Transport: appio.MaskedTransport(nil, func(base http.RoundTripper) http.RoundTripper {
//		return otelhttp.NewTransport(base)
//	})}
//
// The instrumentation must call the transport that it gets with the context of its request or one
// derived from it, since the real path is a value of that context. Only this package can read the
// value. Instrumentation inside base sees the real path, and so does a proxy that ends TLS.
func MaskedTransport(base http.RoundTripper, instrument func(base http.RoundTripper) http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = restcall.DefaultTransport()
	}
	return maskingTransport{instrument(unmaskingTransport{base})}
}

// realURL is the key of the real URL in a request's context.
type realURL struct{}

// maskingTransport hides personal data in the URL of a request from the next transport.
type maskingTransport struct{ next http.RoundTripper }

func (t maskingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	path, personal := maskPath(r.URL.EscapedPath())
	if !personal {
		return t.next.RoundTrip(r)
	}
	masked := r.WithContext(context.WithValue(r.Context(), realURL{}, r.URL))
	at := *r.URL
	at.Path, at.RawPath = path, ""
	masked.URL = &at
	resp, err := t.next.RoundTrip(masked)
	if resp != nil {
		resp.Request = r
	}
	return resp, err
}

// unmaskingTransport sends a request to the real URL.
type unmaskingTransport struct{ next http.RoundTripper }

func (t unmaskingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	at, masked := r.Context().Value(realURL{}).(*url.URL)
	if !masked {
		return t.next.RoundTrip(r)
	}
	unmasked := *r
	unmasked.URL = at
	resp, err := t.next.RoundTrip(&unmasked)
	if resp != nil {
		resp.Request = r // instrumentation may read its URL
	}
	var located *url.Error
	for errors.As(err, &located) { // its text has the URL
		err = located.Err
	}
	return resp, err
}

// maskPath replaces the fiscal codes in a path, and what follows one. It reports whether it
// replaced any.
func maskPath(path string) (string, bool) {
	segments := strings.Split(path, "/")
	personal := false
	for i, segment := range segments {
		text, err := url.PathUnescape(segment)
		if err != nil {
			text = segment
		}
		switch _, err := flussi.ParseFiscalCode(strings.ToUpper(text)); {
		case err == nil:
			segments[i], personal = ":fiscal_code", true
		case personal:
			segments[i] = ":id"
		default:
			segments[i] = text
		}
	}
	return strings.Join(segments, "/"), personal
}
