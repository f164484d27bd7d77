package flow_test

import (
	"context"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pipenet"
)

// closing returns a transport to a platform behind a proxy that closes each connection 2 ms after a
// reply, also while it passes on the next request. The platform takes 5 ms for an answer.
func closing(t *testing.T, platform http.Handler) *http.Transport {
	network := pipenet.New()
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(5 * time.Millisecond)
		platform.ServeHTTP(w, r)
	})
	server := &http.Server{Handler: slow, ConnState: func(c net.Conn, state http.ConnState) {
		if state == http.StateIdle {
			time.AfterFunc(2*time.Millisecond, func() { _ = c.Close() })
		}
	}}
	go func() { _ = server.Serve(network) }()
	transport := &http.Transport{DialContext: network.Dial, MaxIdleConnsPerHost: 128}
	t.Cleanup(func() { transport.CloseIdleConnections(); _ = server.Close() })
	return transport
}

// A proxy that closes connections makes few outcomes unknown: the client stops using connections
// again, and the rest of the flow arrives. No citizen gets a message twice.
func TestAProxyThatClosesConnectionsMakesFewOutcomesUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const notifications = 2000
		simulator := appiotest.New(appiotest.Config{Unlimited: true})
		simulator.AddService(appiotest.Service{ID: taxes, Key: "k", Body: "80185250588"})
		client := must.Get(appio.New(must.Get(flussi.ParseKey("k"))(t), appio.Config{
			BaseURL: "http://localhost" + appiotest.BasePath, HTTPClient: &http.Client{Transport: closing(t, simulator), Timeout: 10 * time.Second}, Pace: freePace(t),
		}))(t)
		store := memstore.New()
		senders := func(context.Context, string) (flow.Sender, error) { return client, nil }
		w := &world{Simulator: simulator, Service: newService(t, store, senders), store: store, senders: senders}
		f := w.sending(t, notifications)
		sent := must.Get(w.dispatcher(t, flow.DispatcherConfig{Workers: 16}).Run(t.Context(), f.ID))(t)
		t.Logf("%d unknown of %d", sent.Counts.Failed, notifications)
		assert.Equal(t, flow.FlowIncomplete, sent.State)
		assert.LessOrEqual(t, sent.Counts.Failed, 20)
		assert.Equal(t, notifications, sent.Counts.Sent+sent.Counts.Failed)
		for citizen, times := range w.delivered() {
			require.Equal(t, 1, times, citizen)
		}
	})
}
