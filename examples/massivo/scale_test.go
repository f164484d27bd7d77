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
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/examples/internal/pgtest"
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
	var next, failed atomic.Int64
	var group sync.WaitGroup
	start := time.Now()
	for range workers {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < *rows; i = int(next.Add(1)) - 1 {
				if post(client, url, i) != nil {
					failed.Add(1)
				}
			}
		})
	}
	group.Wait()
	require.Zero(b, failed.Load())
	return time.Since(start)
}

// at is a killing without kills: programs on a store, and a platform.
func at(b *testing.B, platform *appiotest.Server, store string) *killing {
	platform.AddService(appiotest.Service{ID: sandboxService, Key: sandboxKey})
	return &killing{platform: platform, store: store}
}

func (k *killing) imports(b *testing.B, workbook string) {
	p := k.start(b, "import", workbook)
	require.Equal(b, 0, p.wait(b), p.said())
	k.flow = flowIn(b, p.said())
}

// sends sends the flow by so many programs at once.
func (k *killing) sends(b *testing.B, programs, workers int) time.Duration {
	start := time.Now()
	running := make([]*process, programs)
	for i := range running {
		running[i] = k.start(b, "send", k.flow, "--workers", fmt.Sprint(workers))
	}
	for _, p := range running {
		require.Equal(b, 0, p.wait(b), p.said())
	}
	return time.Since(start)
}

// Sending a workbook's notifications by the program, with all that is stored, in shares of
// a bare loop of the same requests.
func BenchmarkSendSQLite(b *testing.B) {
	workbook := filepath.Join(b.TempDir(), "avvisi.xlsx")
	writeWorkbook(b, workbook, *rows)
	var loop, program time.Duration
	for i := 0; b.Loop(); i++ {
		platform := appiotest.NewServer(appiotest.Config{Unlimited: true})
		k := at(b, platform, filepath.Join(b.TempDir(), fmt.Sprintf("massivo%d.db", i)))
		k.imports(b, workbook)
		program += k.sends(b, 1, 32)
		platform.Close()

		platform = appiotest.NewServer(appiotest.Config{Unlimited: true})
		at(b, platform, "")
		loop += bare(b, platform.URL, 32)
		platform.Close()
	}
	b.ReportMetric(loop.Seconds()/program.Seconds(), "of_a_bare_loop")
	b.ReportMetric(float64(*rows*b.N)/program.Seconds(), "rows/s")
}

// Two programs on one flow, where the platform answers in 50 ms, in shares of one.
func BenchmarkSendPostgreSQLTwoProcesses(b *testing.B) {
	server := pgtest.Start(b)
	workbook := filepath.Join(b.TempDir(), "avvisi.xlsx")
	writeWorkbook(b, workbook, *rows)
	var took [2]time.Duration
	for b.Loop() {
		for n := range took {
			platform := appiotest.NewServer(appiotest.Config{Unlimited: true})
			platform.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.Slow, Delay: 50 * time.Millisecond})
			k := at(b, platform, server.Database(b))
			k.imports(b, workbook)
			took[n] += k.sends(b, n+1, 32)
			platform.Close()
		}
	}
	b.ReportMetric(took[0].Seconds()/took[1].Seconds(), "times_as_quick")
}

// The memory of the program while it sends, as the operating system counts it.
func BenchmarkMemory(b *testing.B) {
	workbook := filepath.Join(b.TempDir(), "avvisi.xlsx")
	writeWorkbook(b, workbook, *rows)
	var calls atomic.Int64
	platform := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // keeps nothing, so that the test has room
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"id":"01J%023d"}`, calls.Add(1))
	}))
	defer platform.Close()
	for name, store := range map[string]string{"SQLite": filepath.Join(b.TempDir(), "massivo.db"), "PostgreSQL": pgtest.Start(b).Database(b)} {
		k := &killing{platform: &appiotest.Server{URL: platform.URL}, store: store}
		p := k.start(b, "import", workbook)
		require.Equal(b, 0, p.wait(b), p.said())
		b.ReportMetric(p.peak(), "MiB_import_"+name)
		k.flow = flowIn(b, p.said())
		p = k.start(b, "send", k.flow, "--workers", "32")
		require.Equal(b, 0, p.wait(b), p.said())
		b.ReportMetric(p.peak(), "MiB_send_"+name)
	}
}
