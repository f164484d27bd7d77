package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

// listen serves the sandbox until the context ends.
func (s *sandbox) listen(ctx context.Context, address string) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return &listenError{address, err}
	}
	s.address = "http://" + reachable(listener.Addr())
	s.printStart(listener.Addr())
	return s.serve(ctx, listener)
}

// serve serves the sandbox on a listener until the context ends. It returns once the server has
// stopped.
func (s *sandbox) serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(flussi.MaskWriter(s.journal), "", 0),
		// A call that a fault delays ends with the sandbox.
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if server.Shutdown(patience) != nil {
		_ = server.Close()
	}
	<-ended
	s.journal.printf("Simulatore fermato. Messaggi memorizzati: %d. Avvisi di pagamento: %d. Niente ha raggiunto un cittadino.", len(s.simulator.Deliveries()), len(s.payments.Notices()))
	return nil
}

// printStart prints the addresses, the keys and the configuration.
func (s *sandbox) printStart(address net.Addr) {
	s.journal.printf("%s", warning)
	s.journal.printf("Indirizzo dell'API (BaseURL): %s", s.address+appiotest.BasePath)
	s.journal.printf("Indirizzo di Pago In Rete (BaseURL): %s", s.address+restgatewaytest.BasePath)
	s.journal.printf("Pagina per guardare e dare ordini: %s/", s.address)
	for _, name := range s.names {
		if s.services[defaultKey] == name {
			s.journal.printf("Servizio «%s», chiave «%s».", name, defaultKey)
			continue
		}
		s.journal.printf("Servizio «%s», con la chiave indicata.", name)
	}
	for _, code := range s.codes {
		if s.schools[defaultKey] == code {
			s.journal.printf("Scuola «%s», credenziale «%s».", code, defaultKey)
			continue
		}
		s.journal.printf("Scuola «%s», con la credenziale indicata.", code)
	}
	s.journal.printf("%s", s.summary)
	if tcp, ok := address.(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		s.journal.printf("ATTENZIONE: %s è raggiungibile anche da altri computer: chiunque nella rete può inviare e ordinare guasti. Usare solo dati inventati.", address)
	}
	s.journal.printf("Per fermare il simulatore: Ctrl-C.")
}

// reachable returns an address that clients on this machine can use.
func reachable(address net.Addr) string {
	tcp, ok := address.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return address.String()
	}
	return fmt.Sprintf("localhost:%d", tcp.Port)
}

// listenError says that the sandbox cannot listen on an address.
type listenError struct {
	address string
	err     error
}

func (e *listenError) Error() string { return "listen: " + e.err.Error() }
func (e *listenError) Unwrap() error { return e.err }

// Italian returns what to do.
func (e *listenError) Italian() string {
	switch {
	case errors.Is(e.err, syscall.EADDRINUSE):
		return fmt.Sprintf("L'indirizzo %s è già usato da un altro programma, forse da un altro simulatore: fermarlo, o indicare un'altra porta, come --listen 127.0.0.1:7081.", e.address)
	case errors.Is(e.err, syscall.EACCES):
		return fmt.Sprintf("Non si ha il permesso di ascoltare su %s: indicare una porta oltre la 1023, come --listen %s.", e.address, defaultListen)
	}
	return fmt.Sprintf("Non si può ascoltare su %s: indicare un indirizzo di questo computer con la porta, come --listen %s.", e.address, defaultListen)
}
