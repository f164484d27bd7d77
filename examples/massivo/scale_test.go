package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/examples/internal/proctest"
	"github.com/flussi-go/flussi/internal/benchtest"
	"github.com/flussi-go/flussi/internal/pgtest"
)

// The benchmarks are small by default. The sizes that documents speak of are
//
//	go test ./examples/massivo -run '^$' -bench 'Import|Send' -benchtime 3x -rows 100000
//	go test ./examples/massivo -run '^$' -bench Memory -benchtime 1x -rows 1000000 -timeout 1h
var rows = flag.Int("rows", 500, "how many notifications the benchmarks import and send")

// post is the request that a message becomes, as a script of one's own would make it.
func post(client *http.Client, url string, i int) error {
	body, err := json.Marshal(map[string]any{
		"fiscal_code": appiotest.SampleCitizen(i).Reveal(),
		"content": map[string]any{
			"subject":  "TARI: avviso di pagamento",
			"markdown": fmt.Sprintf("Avviso %d. %s", i, strings.Repeat("La prima rata della TARI scade il 16 giugno. ", 3)),
			"due_date": "2099-06-16T21:59:59Z",
			"payment_data": map[string]any{
				"amount": 1000 + i%100_000, "notice_number": appiotest.SampleNotice(i).Reveal(), "invalid_after_due_date": true,
			},
		},
	})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url+"/messages", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Ocp-Apim-Subscription-Key", sandboxKey)
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusCreated {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return nil
}

// bare sends the messages by a loop that keeps no record of anything.
func bare(b *testing.B, url string, workers int) time.Duration {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}}
	defer client.CloseIdleConnections()
	var next atomic.Int64
	return benchtest.Run(b, *rows, workers, func() error { return post(client, url, int(next.Add(1))-1) })
}

// platform returns a simulator that ends with the benchmark.
func platform(b *testing.B) *appiotest.Server {
	server := appiotest.NewServer(appiotest.Config{Unlimited: true})
	b.Cleanup(server.Close)
	server.AddService(appiotest.Service{ID: sandboxService, Key: sandboxKey})
	return server
}

// sends sends the flow by so many programs at once, and returns them.
func (r *trial) sends(b *testing.B, programs int) []*proctest.Process {
	running := make([]*proctest.Process, programs)
	for i := range running {
		running[i] = r.start(b, "send", r.flow, "--workers", "32")
	}
	for _, p := range running {
		p.Ran(b, 0)
	}
	return running
}

// Sending a workbook's notifications by the program, with all that is stored, in shares of
// a bare loop of the same requests.
func BenchmarkSendSQLite(b *testing.B) {
	var loop, program time.Duration
	for i := 0; b.Loop(); i++ {
		r := trial{store: filepath.Join(b.TempDir(), fmt.Sprintf("massivo%d.db", i)), url: platform(b).URL}
		r.imports(b, *rows)
		start := time.Now()
		r.sends(b, 1)
		program += time.Since(start)
		loop += bare(b, platform(b).URL, 32)
	}
	b.ReportMetric(loop.Seconds()/program.Seconds(), "of_a_bare_loop")
	b.ReportMetric(float64(*rows*b.N)/program.Seconds(), "rows/s")
}

// Two programs on one flow, where the platform answers in 50 ms, in shares of one.
func BenchmarkSendTwoProcesses(b *testing.B) {
	server := pgtest.Start(b, "fsync=on")
	var took [2]time.Duration
	for b.Loop() {
		for n := range took {
			slow := platform(b)
			slow.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.Slow, Delay: 50 * time.Millisecond})
			r := trial{store: server.Database(b), url: slow.URL}
			r.imports(b, *rows)
			start := time.Now()
			r.sends(b, n+1)
			took[n] += time.Since(start)
		}
	}
	b.ReportMetric(took[0].Seconds()/took[1].Seconds(), "times_as_quick")
}

// The memory of the program while it imports and sends, as the operating system counts it.
func BenchmarkMemory(b *testing.B) {
	var calls atomic.Int64
	simple := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // keeps nothing: there may be a million
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"id":"01J%023d"}`, calls.Add(1))
	}))
	defer simple.Close()
	for name, store := range map[string]string{"SQLite": filepath.Join(b.TempDir(), "massivo.db"), "PostgreSQL": pgtest.Start(b, "fsync=on").Database(b)} {
		r := trial{store: store, url: simple.URL}
		b.ReportMetric(r.imports(b, *rows).Peak(), "MiB_import_"+name)
		b.ReportMetric(r.sends(b, 1)[0].Peak(), "MiB_send_"+name)
	}
}
