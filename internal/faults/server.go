package faults

import (
	"net/http"
	"net/http/httptest"
)

// Listen serves a handler on this machine. It returns the URL, and the function that ends the
// server and all connections to it.
func Listen(handler http.Handler) (url string, end func()) {
	server := httptest.NewServer(handler)
	return server.URL, func() {
		server.CloseClientConnections()
		server.Close()
	}
}
