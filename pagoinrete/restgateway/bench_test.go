package restgateway_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/flussi-go/flussi/internal/benchtest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/restgateway"
)

// Transmitting a notice, by 32 workers: through the client; as a bare request whose body was
// made beforehand and whose reply is not looked at; and both in turns, to compare them on a
// noisy machine.
func BenchmarkPutNotice(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		id := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		_, _ = fmt.Fprintf(w, `{"id":%q,"remote_id":"AV-1","number":"301005100001400678","state":"NON_NOTIFICATO","payer_registered":false,"payer_logged_in":false,"evidence":{}}`, id)
	}))
	defer server.Close()
	transport := &http.Transport{MaxIdleConns: 128, MaxIdleConnsPerHost: 128}
	defer transport.CloseIdleConnections()
	plain := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	client := must.Get(restgateway.New(clientCredentials(b, clientKey), clientSchool, restgateway.Config{BaseURL: server.URL, HTTPClient: plain, Calls: 1_000_000}))(b)
	n := clientNotice(b, clientEvent(b))
	body := must.Get(restgateway.EncodeNotice(n))(b)
	by := clientOffice()

	put := func() error {
		return second(client.PutNotice(b.Context(), by, n))
	}
	bare := func() error {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodPut, server.URL+"/schools/"+clientSchool+"/notices/"+n.ID.String(), bytes.NewReader(body))
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+clientKey)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Sidi-User", by.ID)
		r.Header.Set("Sidi-Roles", "AA")
		resp, err := plain.Do(r)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	b.Run("client", func(b *testing.B) { b.ReportAllocs(); benchtest.Run(b, b.N, 32, put) })
	b.Run("bare", func(b *testing.B) { b.ReportAllocs(); benchtest.Run(b, b.N, 32, bare) })
	b.Run("in_turns", func(b *testing.B) {
		took := benchtest.InTurns(b, 32, put, bare)
		b.ReportMetric(took[1].Seconds()/took[0].Seconds(), "of-bare")
	})
}
