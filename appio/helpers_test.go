package appio_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pipenet"
)

const (
	secretKey     = "0123456789abcdef-secret"
	secretCode    = "RSSMRA80A01H501U"
	secretSubject = "Oggetto riservato"
	secretText    = "contenuto riservato"
)

func key(t testing.TB, s string) flussi.Key { return must.Get(flussi.ParseKey(s))(t) }

func citizen(t testing.TB, s string) flussi.FiscalCode { return must.Get(flussi.ParseFiscalCode(s))(t) }

// message returns a valid message that the number tells apart.
func message(t testing.TB, n int) appio.Message {
	return appio.Message{
		To:      citizen(t, secretCode),
		Subject: flussi.NewText(fmt.Sprintf("%s %06d", secretSubject, n)),
		Content: flussi.NewText(strings.Repeat(secretText+" ", 10)),
	}
}

func remoteError(t *testing.T, err error) *flussi.RemoteError {
	t.Helper()
	return must.As[*flussi.RemoteError](t, err)
}

// platform is a simulator with one service, and a client of it over pipes, until the end of the
// test.
type platform struct {
	*appiotest.Simulator
	client *appio.Client
	close  func()
}

func newPlatform(t testing.TB, c appiotest.Config, configure func(*appio.Config)) *platform {
	t.Helper()
	simulator := appiotest.New(c)
	simulator.AddService(appiotest.Service{ID: "tributi", Key: secretKey, Body: "80185250588", ReadsFeed: true, ReadsDetails: true})
	transport, closeAll := pipenet.Serve(simulator)
	config := appio.Config{
		BaseURL: "http://localhost" + appiotest.BasePath, HTTPClient: &http.Client{Transport: transport, Timeout: 10 * time.Second},
	}
	if configure != nil {
		configure(&config)
	}
	end := sync.OnceFunc(closeAll)
	t.Cleanup(end)
	return &platform{simulator, must.Get(appio.New(key(t, secretKey), config))(t), end}
}
