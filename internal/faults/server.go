package faults

import (
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/flussi-go/flussi"
)

// Listen serves a handler on this machine. It returns the URL, and the function that ends the
// server and all connections to it. The server's log masks what was received.
func Listen(handler http.Handler) (url string, end func()) {
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(flussi.MaskWriter(log.Writer()), "", log.LstdFlags)
	server.Start()
	return server.URL, func() {
		server.CloseClientConnections()
		server.Close()
	}
}
