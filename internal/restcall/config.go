package appio

import (
	"net/http"
	"sync"
)

// defaultClient returns the client that is used where the caller has none.
var defaultClient = sync.OnceValue(func() *http.Client {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	if standard, ok := http.DefaultTransport.(*http.Transport); ok {
		transport = standard.Clone()
	}
	transport.MaxIdleConns = defaultConnections
	transport.MaxIdleConnsPerHost = defaultConnections
	return &http.Client{Transport: transport, Timeout: defaultTimeout}
})
