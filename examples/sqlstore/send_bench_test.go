package sqlstore_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/examples/internal/proctest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/benchtest"
	"github.com/flussi-go/flussi/internal/must"
)

const taxes = "tributi" // the service that the operator is enabled for

var clerk = flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}

// rowsAsked returns how many rows a benchmark is to have: what FLUSSI_ROWS says, or few.
func rowsAsked(t testing.TB, few int) int {
	t.Helper()
	if given := os.Getenv("FLUSSI_ROWS"); given != "" {
		n := must.Get(strconv.Atoi(given))(t)
		return n
	}
	return few
}

// reportMedian reports the median of what was measured.
func reportMedian(b *testing.B, of []float64, unit string) {
	slices.Sort(of)
	b.ReportMetric(of[len(of)/2], unit)
}

// newService returns a service on a store that sends by a client.
func newService(b testing.TB, s flow.Store, c *appio.Client) *flow.Service {
	b.Helper()
	messengers := func(context.Context, string) (flow.Sender, error) { return c, nil }
	return must.Get(flow.NewService(s, flow.Permissions{clerk.ID: {taxes}}, messengers, flow.ServiceConfig{}))(b)
}

// drafts returns n rows for different citizens, each with a subject of its own.
func drafts(n int) iter.Seq2[flow.Row, error] {
	content := flussi.NewText(strings.Repeat("La prima rata della TARI scade il 16 giugno. ", 10))
	return func(yield func(flow.Row, error) bool) {
		for i := range n {
			d := flow.Draft{
				Recipient: appiotest.SampleCitizen(i), Subject: flussi.NewText(fmt.Sprintf("Avviso di pagamento della TARI 2026 n. %d", i)), Content: content,
			}
			if !yield(flow.Row{Number: i + 1, Draft: d}, nil) {
				return
			}
		}
	}
}

// platform starts a simulator that answers after a time, and returns its URL.
func platform(b testing.TB, latency time.Duration) string {
	b.Helper()
	simulator := appiotest.New(appiotest.Config{Unlimited: true})
	simulator.AddService(appiotest.Service{ID: taxes, Key: "una-chiave", Body: "80185250588"})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(latency)
		simulator.ServeHTTP(w, r)
	}))
	b.Cleanup(server.Close)
	return server.URL + appiotest.BasePath
}

// client returns a client of a platform that nothing slows down.
func client(b testing.TB, platform string) *appio.Client {
	b.Helper()
	key := must.Get(flussi.ParseKey("una-chiave"))(b)
	pace := must.Get(appio.NewPace(appio.PaceConfig{Calls: 1 << 40, Window: time.Second}))(b)
	transport := &http.Transport{MaxIdleConns: 128, MaxIdleConnsPerHost: 128}
	b.Cleanup(transport.CloseIdleConnections)
	c := must.Get(appio.New(key, appio.Config{BaseURL: platform, HTTPClient: &http.Client{Transport: transport, Timeout: 30 * time.Second}, Pace: pace}))(b)
	return c
}

// sending returns a flow of n notifications that is to be sent.
func sending(b testing.TB, s flow.Store, c *appio.Client, n int) uuid.UUID {
	b.Helper()
	service := newService(b, s, c)
	f, _, err := service.ImportFlow(b.Context(), clerk, taxes, flow.Details{}, drafts(n), flow.AddConfig{})
	require.NoError(b, err)
	must.Get(service.ActivateFlow(b.Context(), clerk, f.ID))(b)
	must.Get(service.SendFlow(b.Context(), clerk, f.ID))(b)
	return f.ID
}

// send sends a flow with 32 workers.
func send(b testing.TB, s flow.Store, c *appio.Client, id uuid.UUID) flow.Flow {
	b.Helper()
	messengers := func(context.Context, string) (flow.Sender, error) { return c, nil }
	d := must.Get(flow.NewDispatcher(s, messengers, flow.DispatcherConfig{Workers: 32, PollInterval: 50 * time.Millisecond}))(b)
	f := must.Get(d.Run(b.Context(), id))(b)
	return f
}

// bareSend submits n messages in a bare loop of 32 workers, and returns the time that took.
func bareSend(b *testing.B, c *appio.Client, n int) time.Duration {
	b.Helper()
	messages := make([]appio.Message, 0, n)
	for row := range drafts(n) {
		messages = append(messages, row.Draft.Message())
	}
	var next atomic.Int64
	return benchtest.Run(b, n, 32, func() error {
		_, err := c.Submit(b.Context(), messages[next.Add(1)-1])
		return err
	})
}

// BenchmarkSend measures how quick a flow is sent, in turns with a bare loop of the same requests
// through the same client. How many FLUSSI_ROWS says.
func BenchmarkSend(b *testing.B) {
	n := rowsAsked(b, 200)
	onBoth(b, func(b *testing.B, location databases) {
		var ratios []float64
		for b.Loop() {
			c := client(b, platform(b, 0))
			bare := bareSend(b, c, n)
			s := open(b, location(b))
			id := sending(b, s, c, n)
			start := time.Now()
			f := send(b, s, c, id)
			ours := time.Since(start)
			require.Equal(b, flow.Counts{Sent: n}, f.Counts)
			ratios = append(ratios, bare.Seconds()/ours.Seconds())
			b.Logf("ours %v, bare %v", ours, bare)
		}
		reportMedian(b, ratios, "of-bare")
	})
}

// sender is what a process that sends is told.
type sender struct {
	Store, Platform string
	Flow            uuid.UUID
}

const senderEnv = "FLUSSI_TEST_SENDER"

// TestSender is no test: it is what the processes do that send.
func TestSender(t *testing.T) {
	told := os.Getenv(senderEnv)
	if told == "" {
		return
	}
	var c sender
	require.NoError(t, json.Unmarshal([]byte(told), &c))
	s := open(t, c.Store)
	fmt.Println("ready")
	_, err := io.Copy(io.Discard, os.Stdin) // its end is the sign
	require.NoError(t, err)
	send(t, s, client(t, c.Platform), c.Flow)
	fmt.Println(proctest.PeakMemory(os.Getpid()))
}

// sendBy sends a flow by some processes at the same time, and returns the time that took once
// all were ready, and how much memory the largest took, in MiB; 0 if the system does not say.
func sendBy(b *testing.B, processes int, c sender) (time.Duration, float64) {
	b.Helper()
	config := must.Get(json.Marshal(c))(b)
	var commands []*exec.Cmd
	var starts []func() error
	var outputs []io.Reader
	for range processes {
		command := exec.CommandContext(b.Context(), os.Args[0], "-test.run=^TestSender$")
		command.Env = append(os.Environ(), senderEnv+"="+string(config))
		command.Stderr = os.Stderr
		in := must.Get(command.StdinPipe())(b)
		out := must.Get(command.StdoutPipe())(b)
		require.NoError(b, command.Start())
		lines := bufio.NewReader(out)
		ready := must.Get(lines.ReadString('\n'))(b)
		require.Equal(b, "ready\n", ready)
		commands, starts, outputs = append(commands, command), append(starts, in.Close), append(outputs, lines)
	}
	start := time.Now()
	for _, begin := range starts {
		require.NoError(b, begin())
	}
	most := 0.0
	for i, command := range commands {
		var took float64
		must.Get(fmt.Fscanln(outputs[i], &took))(b)
		most = max(most, took)
		require.NoError(b, command.Wait())
	}
	return time.Since(start), most
}

// BenchmarkSendMemory measures the most memory that a process takes that sends a flow. How many
// FLUSSI_ROWS says.
func BenchmarkSendMemory(b *testing.B) {
	n := rowsAsked(b, 200)
	onBoth(b, func(b *testing.B, location databases) {
		for b.Loop() {
			url, at := platform(b, 0), location(b)
			s := open(b, at)
			start := time.Now()
			id := sending(b, s, client(b, url), n)
			imported := time.Since(start)
			took, memory := sendBy(b, 1, sender{at, url, id})
			f := must.Get(s.Flow(b.Context(), id))(b)
			require.Equal(b, flow.Counts{Sent: n}, f.Counts)
			b.ReportMetric(memory, "MiB-peak")
			b.Logf("imported in %v, sent in %v", imported, took)
		}
	})
}

// BenchmarkSendByTwo measures how quick two processes send one flow, as a multiple of what one
// does, while the platform takes 50 ms to answer. How many FLUSSI_ROWS says.
func BenchmarkSendByTwo(b *testing.B) {
	n := rowsAsked(b, 200)
	onBoth(b, func(b *testing.B, location databases) {
		var ratios []float64
		for b.Loop() {
			url := platform(b, 50*time.Millisecond)
			var took [2]time.Duration
			for i := range took {
				at := location(b)
				s := open(b, at)
				id := sending(b, s, client(b, url), n)
				took[i], _ = sendBy(b, i+1, sender{at, url, id})
				f := must.Get(s.Flow(b.Context(), id))(b)
				require.Equal(b, flow.Counts{Sent: n}, f.Counts)
			}
			ratios = append(ratios, took[0].Seconds()/took[1].Seconds())
			b.Logf("one %v, two %v", took[0], took[1])
		}
		reportMedian(b, ratios, "of-one")
	})
}
