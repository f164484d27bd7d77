package appio_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
)

const (
	secretKey     = "0123456789abcdef-secret"
	secretCode    = "RSSMRA80A01H501U"
	secretSubject = "Oggetto riservato"
	secretText    = "contenuto riservato"
)

func key(t testing.TB, s string) appio.Key {
	t.Helper()
	k, err := appio.ParseKey(s)
	require.NoError(t, err)
	return k
}

func citizen(t testing.TB, s string) flussi.FiscalCode {
	t.Helper()
	c, err := flussi.ParseFiscalCode(s)
	require.NoError(t, err)
	return c
}

// message returns a valid message that the number tells apart.
func message(t testing.TB, n int) appio.Message {
	return appio.Message{
		To:      citizen(t, secretCode),
		Subject: flussi.NewText(fmt.Sprintf("%s %06d", secretSubject, n)),
		Content: flussi.NewText(strings.Repeat(secretText+" ", 10)),
	}
}

// pipes is a network inside the process: its connections are pipes, so that a
// testing/synctest bubble sees them block.
type pipes struct {
	accept chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{accept: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.accept <- server:
		return client, nil
	case <-p.closed:
		return nil, errors.New("closed")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// platform is a simulator with one service, and a client of it over pipes.
type platform struct {
	*appiotest.Simulator
	client *appio.Client
	close  func()
}

func newPlatform(t testing.TB, c appiotest.Config, configure func(*appio.Config)) *platform {
	t.Helper()
	simulator := appiotest.New(c)
	simulator.AddService(appiotest.Service{ID: "tributi", Key: secretKey, Body: "80185250588", ReadsFeed: true, ReadsDetails: true})
	network := newPipes()
	server := &http.Server{Handler: simulator, IdleTimeout: time.Second}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(network) }()
	transport := &http.Transport{DialContext: network.DialContext, MaxIdleConnsPerHost: 64}
	config := appio.Config{
		BaseURL: "http://localhost" + appiotest.BasePath, HTTPClient: &http.Client{Transport: transport, Timeout: 10 * time.Second},
	}
	if configure != nil {
		configure(&config)
	}
	client, err := appio.New(key(t, secretKey), config)
	require.NoError(t, err)
	return &platform{simulator, client, func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		<-done
	}}
}
