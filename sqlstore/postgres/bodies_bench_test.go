package postgres_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
	"github.com/flussi-go/flussi/sqlstore/postgres"
)

// The documents quote these commands:
//
//	go test ./sqlstore/postgres -run '^$' -bench ProcessesOfBodies -benchtime 1x -processes 4 -bodies 10 -each 300
//	go test ./sqlstore/postgres -run '^$' -bench ProcessesOfBodies -benchtime 1x -processes 4 -bodies 10 -each 900 -kill
var (
	processes = flag.Int("processes", 2, "how many processes send in BenchmarkProcessesOfBodies")
	bodies    = flag.Int("bodies", 2, "for how many bodies they send")
	each      = flag.Int("each", 30, "how many messages each body sends")
	kill      = flag.Bool("kill", false, "kill one of the processes every 5 seconds, and start it again")
	separate  = flag.Bool("separate", false, "let each process have a pace of its own, as a comparison")
)

// senderVariable is an environment variable that makes the test binary a program that sends for bodies.
// Its value is the location of the database.
const senderVariable = "FLUSSI_TEST_SENDER"

// bodyNamed returns the name of a body and of its only service, by its number.
func bodyNamed(i int) string { return fmt.Sprintf("ente-%03d", i) }

// bodyClients returns the clients of bodies.
func bodyClients(url string, bodies int, turns appio.TurnStore) (flow.SenderFor, error) {
	clients := map[string]*appio.Client{}
	for i := range bodies {
		name := bodyNamed(i)
		c := appio.PaceConfig{Shared: turns, Body: name}
		if turns == nil {
			c = appio.PaceConfig{}
		}
		pace, err := appio.NewPace(c)
		if err != nil {
			return nil, err
		}
		key, err := flussi.ParseKey("chiave-" + name)
		if err != nil {
			return nil, err
		}
		if clients[name], err = appio.New(key, appio.Config{BaseURL: url, Pace: pace}); err != nil {
			return nil, err
		}
	}
	return func(_ context.Context, service string) (flow.Sender, error) { return clients[service], nil }, nil
}

// sendForBodies sends for bodies by the zero configuration, from the first line on its standard input
// to its end.
func sendForBodies(location, url, bodies, lease, shared string) error {
	count, err := strconv.Atoi(bodies)
	if err != nil {
		return err
	}
	s, err := postgres.Open(context.Background(), location, postgres.Config{})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	var turns appio.TurnStore
	if shared == "true" {
		turns = s
	}
	senders, err := bodyClients(url, count, turns)
	if err != nil {
		return err
	}
	config := flow.DispatcherConfig{}
	if config.Lease, err = time.ParseDuration(lease); err != nil {
		return err
	}
	d, err := flow.NewDispatcher(s, senders, config)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	input := bufio.NewReader(os.Stdin)
	if _, err := input.ReadString('\n'); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, input)
		cancel()
	}()
	return d.Serve(ctx)
}

// sendingProcess is a process that runs sendForBodies.
type sendingProcess struct {
	*exec.Cmd
	input io.WriteCloser
}

func startSending(b *testing.B, location, url string, lease time.Duration) *sendingProcess {
	b.Helper()
	p := &sendingProcess{Cmd: exec.Command(os.Args[0], url, strconv.Itoa(*bodies), lease.String(), strconv.FormatBool(!*separate))}
	p.Env = append(os.Environ(), senderVariable+"="+location)
	p.Stderr = os.Stderr
	p.input = must.Get(p.StdinPipe())(b)
	output := must.Get(p.StdoutPipe())(b)
	require.NoError(b, p.Start())
	lines := bufio.NewScanner(output)
	require.True(b, lines.Scan(), "the process ended")
	return p
}

// begin lets the process send.
func (p *sendingProcess) begin(b *testing.B) {
	b.Helper()
	must.Get(p.input.Write([]byte("\n")))(b)
}

// end ends the process, at once if it is killed.
func (p *sendingProcess) end(killed bool) {
	if killed {
		_ = p.Process.Kill()
	}
	_ = p.input.Close()
	_ = p.Wait()
}

// BenchmarkProcessesOfBodies measures how several processes send for bodies from one database, each
// body at 30 calls a second with answers after 50 ms, to a simulator that has the platform's limit. It
// reports the time as a multiple of what the limit permits, the share of calls that were refused with
// a 429, and how many messages were sent twice, or lost.
func BenchmarkProcessesOfBodies(b *testing.B) {
	for b.Loop() {
		server := pgtest.Start(b, "fsync=on")
		location := server.Database(b)
		platform := appiotest.NewServer(appiotest.Config{})
		platform.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.Slow, Delay: 50 * time.Millisecond})
		s := open(b, location)
		senders := must.Get(bodyClients(platform.URL, *bodies, nil))(b)
		services := make([]string, *bodies)
		for i := range services {
			services[i] = bodyNamed(i)
			platform.AddService(appiotest.Service{ID: services[i], Key: "chiave-" + services[i], Body: services[i]})
		}
		service := must.Get(flow.NewService(s, flow.Permissions{operator.ID: services}, senders, flow.ServiceConfig{}))(b)
		var flows []uuid.UUID
		for _, name := range services {
			f, _, err := service.ImportFlow(b.Context(), operator, name, flow.Details{}, bodyRows(*each), flow.AddConfig{})
			require.NoError(b, err)
			must.Get(service.ActivateFlow(b.Context(), operator, f.ID))(b)
			must.Get(service.SendFlow(b.Context(), operator, f.ID))(b)
			flows = append(flows, f.ID)
		}

		lease := time.Duration(0) // the default
		if *kill {
			lease = 5 * time.Second
		}
		running := make([]*sendingProcess, *processes)
		for i := range running {
			running[i] = startSending(b, location, platform.URL, lease)
		}
		start := time.Now()
		for _, p := range running {
			p.begin(b)
		}
		killed, nextKill := 0, start.Add(5*time.Second)
		for !areSent(b, s, flows) {
			time.Sleep(100 * time.Millisecond)
			if *kill && time.Now().After(nextKill) {
				victim := &running[killed%len(running)]
				(*victim).end(true)
				*victim = startSending(b, location, platform.URL, lease)
				(*victim).begin(b)
				killed++
				nextKill = nextKill.Add(5 * time.Second)
			}
		}
		took := time.Since(start)
		for _, p := range running {
			p.end(false)
		}
		twice, lost, unknown := compared(b, s, platform.Simulator, flows)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(took.Seconds()/(float64(*each)/30), "of-ideal")
		b.ReportMetric(100*float64(platform.Limited())/float64(platform.Received(appiotest.SubmitMessage)), "%-429")
		b.ReportMetric(float64(twice), "twice")
		b.ReportMetric(float64(lost), "lost")
		b.ReportMetric(float64(unknown), "unknown")
		b.ReportMetric(float64(killed), "killed")
		platform.Close()
		if twice > 0 || lost > 0 {
			b.Errorf("%d messages were sent twice, %d were lost", twice, lost)
		}
	}
}

// areSent reports whether nothing of some flows is left to send.
func areSent(b *testing.B, s *postgres.Store, flows []uuid.UUID) bool {
	for _, id := range flows {
		if f := must.Get(s.Flow(b.Context(), id))(b); f.State == flow.FlowSending {
			return false
		}
	}
	return true
}

// compared compares the store with the messages that citizens received. It returns how many messages
// were delivered twice, how many are wrong in the store, and how many are unknown. A message is wrong
// if it is stored as sent and was not delivered, if it was delivered and is not stored as sent or
// unknown, and if it is still to be sent.
func compared(b *testing.B, s *postgres.Store, platform *appiotest.Simulator, flows []uuid.UUID) (twice, lost, unknown int) {
	type message struct {
		service   string
		recipient string
	}
	delivered := map[message]int{}
	for _, d := range platform.Deliveries() {
		delivered[message{d.Service, d.Recipient.Reveal()}]++
	}
	for _, times := range delivered {
		twice += times - 1
	}
	for _, id := range flows {
		for page := (flow.Page{Limit: flow.MaxPage}); ; {
			found := must.Get(s.Notifications(b.Context(), flow.NotificationFilter{Flow: id}, page))(b)
			for _, n := range found {
				page.After = n.Cursor()
				arrived := delivered[message{n.Service, n.Recipient.Reveal()}] > 0
				isUnknown := n.State == flow.NotificationFailed && n.Transmission.ErrorCode == flow.CodeOutcomeUnknown
				switch {
				case isUnknown:
					unknown++
				case arrived != (n.State == flow.NotificationSent):
					lost++
				}
			}
			if len(found) < page.Limit {
				break
			}
		}
	}
	return twice, lost, unknown
}

// bodyRows returns messages to different citizens.
func bodyRows(n int) func(func(flow.Row, error) bool) {
	return func(yield func(flow.Row, error) bool) {
		for i := range n {
			d := flow.Draft{
				Recipient: appiotest.SampleCitizen(i), Subject: flussi.NewText("Avviso di pagamento della TARI"),
				Content: flussi.NewText("Gentile cittadina, gentile cittadino, la prima rata della TARI scade il 16 giugno. Può pagarla con l'app IO, o dove preferisce."),
			}
			if !yield(flow.Row{Number: i + 1, Draft: d}, nil) {
				return
			}
		}
	}
}
