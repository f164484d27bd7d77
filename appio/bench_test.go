package appio_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/internal/benchtest"
	"github.com/flussi-go/flussi/internal/must"
)

// bench starts a server that accepts everything, a tuned HTTP client, and a client of
// the library over it that nothing slows down.
func bench(b *testing.B) (*httptest.Server, *http.Client, *appio.Client) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, `{"status":"PROCESSED","message":{"id":"1","content":{"subject":"x","markdown":"y"}}}`)
			return
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":"01JN6Q5CZ3VGTA4X4QJEFR95C1"}`)
	}))
	b.Cleanup(server.Close)
	transport := &http.Transport{MaxIdleConns: 128, MaxIdleConnsPerHost: 128}
	b.Cleanup(transport.CloseIdleConnections)
	plain := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	client := must.Get(appio.New(key(b, secretKey), appio.Config{
		BaseURL: server.URL, HTTPClient: plain, Pace: newPace(b, appio.PaceConfig{Calls: 1 << 40, Window: time.Second}),
	}))(b)
	return server, plain, client
}

// A message of 600 bytes, by 32 workers: through the client; by hand, as a program
// would with nothing but net/http and encoding/json; as a bare request whose body was
// made beforehand and whose reply is not looked at; and each in turns with the client,
// to compare them on a noisy machine.
func BenchmarkSubmit(b *testing.B) {
	server, plain, client := bench(b)
	m := message(b, 1)
	m.Content = flussi.NewText(strings.Repeat("x", 500))
	body := must.Get(m.Encode())(b)
	submit := func() error {
		_, err := client.Submit(b.Context(), m)
		return err
	}
	post := func(body []byte) (*http.Response, error) {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, server.URL+"/messages", bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		r.Header.Set("Ocp-Apim-Subscription-Key", secretKey)
		r.Header.Set("Content-Type", "application/json")
		return plain.Do(r)
	}
	bare := func() error {
		resp, err := post(body)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	byHand := func() error {
		type content struct {
			Subject  string `json:"subject"`
			Markdown string `json:"markdown"`
		}
		body, err := json.Marshal(struct {
			FiscalCode string  `json:"fiscal_code"`
			Content    content `json:"content"`
		}{m.To.Reveal(), content{m.Subject.Reveal(), m.Content.Reveal()}})
		if err != nil {
			return err
		}
		resp, err := post(body)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		var created struct {
			ID string `json:"id"`
		}
		return json.NewDecoder(resp.Body).Decode(&created)
	}
	b.Run("client", func(b *testing.B) { b.ReportAllocs(); benchtest.Run(b, b.N, 32, submit) })
	b.Run("by_hand", func(b *testing.B) { b.ReportAllocs(); benchtest.Run(b, b.N, 32, byHand) })
	b.Run("bare", func(b *testing.B) { b.ReportAllocs(); benchtest.Run(b, b.N, 32, bare) })
	b.Run("in_turns", func(b *testing.B) {
		took := benchtest.InTurns(b, 32, submit, byHand, bare)
		b.ReportMetric(took[1].Seconds()/took[0].Seconds(), "of-by-hand")
		b.ReportMetric(took[2].Seconds()/took[0].Seconds(), "of-bare")
	})
}

func BenchmarkMessage(b *testing.B) {
	_, _, client := bench(b)
	to := citizen(b, secretCode)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.Message(b.Context(), to, "01JN6Q5CZ3VGTA4X4QJEFR95C1"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValidate(b *testing.B) {
	m := message(b, 1)
	m.Content = flussi.NewText(strings.Repeat("x", 2000))
	m.Payment = payment(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Validate(); err != nil {
			b.Fatal(err)
		}
	}
}

// The real clock, a real network, and a platform that allows 150 calls in 5 s: what
// share of that the client reaches, and what share of its calls is refused. It takes
// about 12 seconds whatever b.N is.
func BenchmarkPace(b *testing.B) {
	for b.Loop() {
		server := appiotest.NewServer(appiotest.Config{})
		server.AddService(appiotest.Service{ID: "tributi", Key: secretKey})
		client := must.Get(appio.New(key(b, secretKey), appio.Config{BaseURL: server.URL}))(b)
		const total = 360
		jobs := make(chan int, total)
		for i := range total {
			jobs <- i
		}
		close(jobs)
		start := time.Now()
		done := make(chan error)
		for range 16 {
			go func() {
				for i := range jobs {
					if _, err := client.Submit(b.Context(), message(b, i)); err != nil {
						done <- err
						return
					}
				}
				done <- nil
			}()
		}
		for range 16 {
			if err := <-done; err != nil {
				b.Fatal(err)
			}
		}
		if n := len(server.Deliveries()); n != total {
			b.Fatalf("%d of %d delivered", n, total)
		}
		b.ReportMetric(total/time.Since(start).Seconds()/30, "of-limit")
		b.ReportMetric(float64(server.Limited())/total, "refused")
		server.Close()
	}
}
