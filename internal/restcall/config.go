package restcall

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// ParseBase takes the address in front of every path, for [Engine.Base]: https, or http on
// this machine, or on any if that is allowed.
func ParseBase(text string, allowHTTP bool) (*url.URL, error) {
	base, err := url.Parse(strings.TrimRight(text, "/"))
	switch {
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

const (
	defaultTimeout     = 30 * time.Second
	defaultConnections = 128
)

// DefaultClient returns the client that is used where the caller has none; all share it. It
// has a timeout of 30 s and room for 128 connections.
func DefaultClient() *http.Client { return defaultClient() }

var defaultClient = sync.OnceValue(func() *http.Client {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	if standard, ok := http.DefaultTransport.(*http.Transport); ok {
		transport = standard.Clone()
	}
	transport.MaxIdleConns = defaultConnections
	transport.MaxIdleConnsPerHost = defaultConnections
	return &http.Client{Transport: transport, Timeout: defaultTimeout}
})
