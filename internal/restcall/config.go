package restcall

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/flussi-go/flussi"
)

// Config is what the configurations of all clients have in common.
type Config struct {
	BaseURL     string        // in front of every path; required
	AllowHTTP   bool          // permits a BaseURL without TLS on another machine
	HTTPClient  *http.Client  // makes the requests. Defaults to a client that all clients share
	Logger      *slog.Logger  // Defaults to none
	Attempted   Attempted     // Defaults to none
	MaxAttempts int           // of a call. Defaults to 5
	MaxWait     time.Duration // between two attempts. Defaults to 1 minute
	Pace        Pace          // that the calls keep

	Key    flussi.Key // required
	Header string     // that carries the key, in the form of [http.CanonicalHeaderKey]
	Scheme string     // in front of the key in the header, such as "Bearer "
}

const (
	defaultAttempts    = 5
	defaultMinWait     = 500 * time.Millisecond
	defaultMaxWait     = time.Minute
	defaultMaxBody     = 1 << 20 // bytes
	defaultTimeout     = 30 * time.Second
	defaultConnections = 128

	maxAttempts = 1000
	maxWait     = 24 * time.Hour
)

// NewEngine returns an engine with the defaults. The error lists everything that is wrong with
// the configuration.
func NewEngine(c Config) (Engine, error) {
	var wrong []error
	fault := func(text string) { wrong = append(wrong, errors.New(text)) }
	if c.Key.IsZero() {
		fault("no key")
	}
	base, err := parseBase(c.BaseURL, c.AllowHTTP)
	if err != nil {
		wrong = append(wrong, err)
	}
	if c.MaxAttempts < 0 || c.MaxAttempts > maxAttempts {
		fault(fmt.Sprintf("MaxAttempts is %d, not 1 to %d", c.MaxAttempts, maxAttempts))
	}
	if c.MaxWait < 0 || c.MaxWait > maxWait {
		fault(fmt.Sprintf("MaxWait is %v, not up to %v", c.MaxWait, maxWait))
	}
	if len(wrong) > 0 {
		return Engine{}, errors.Join(wrong...)
	}
	e := Engine{
		Base: base, Pace: c.Pace, Logger: c.Logger, Attempted: c.Attempted,
		MaxAttempts: c.MaxAttempts, MaxWait: c.MaxWait, MaxBody: defaultMaxBody, reuse: &reuse{},
	}
	if c.HTTPClient == nil {
		c.HTTPClient = defaultClient()
	}
	e.Client = Isolate(c.HTTPClient)
	if e.Logger == nil {
		e.Logger = slog.New(slog.DiscardHandler)
	}
	if e.MaxAttempts == 0 {
		e.MaxAttempts = defaultAttempts
	}
	if e.MaxWait == 0 {
		e.MaxWait = defaultMaxWait
	}
	e.MinWait = min(defaultMinWait, e.MaxWait)
	header, value := c.Header, []string{c.Scheme + c.Key.Reveal()}
	e.Authorize = func(h http.Header) { h[header] = value }
	return e, nil
}

// parseBase takes the address in front of every path: https, or http on this machine, or on any
// if that is allowed.
func parseBase(text string, allowHTTP bool) (*url.URL, error) {
	base, err := url.Parse(strings.TrimRight(text, "/"))
	switch {
	case text == "":
		return nil, errors.New("no BaseURL")
	case err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http":
		return nil, errors.New("BaseURL is not an http or https URL")
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return nil, errors.New("BaseURL must have no user, query or fragment")
	case base.Scheme == "http" && !allowHTTP && !isLoopback(base.Hostname()):
		return nil, errors.New("BaseURL would send keys and personal data without TLS to another machine; see AllowHTTP")
	}
	return base, nil
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// defaultClient returns the client that all engines share whose client has none. It has a timeout
// of 30 s and room for 128 connections, and prints nothing of what servers send.
var defaultClient = sync.OnceValue(func() *http.Client {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	if standard, ok := http.DefaultTransport.(*http.Transport); ok {
		transport = standard.Clone()
	}
	transport.MaxIdleConns = defaultConnections
	transport.MaxIdleConnsPerHost = defaultConnections
	silence(transport)
	return &http.Client{Transport: transport, Timeout: defaultTimeout}
})

// DefaultTransport returns the transport for clients and wrappers without one of their own: that of
// the default client, which prints nothing of what servers send. If the program has replaced
// http.DefaultTransport by another type, it returns that.
func DefaultTransport() http.RoundTripper {
	if _, standard := http.DefaultTransport.(*http.Transport); !standard {
		return http.DefaultTransport
	}
	return defaultClient().Transport
}
