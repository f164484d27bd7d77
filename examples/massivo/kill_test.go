package main

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/examples/internal/pgtest"
	"github.com/flussi-go/flussi/examples/sqlstore"
	"github.com/flussi-go/flussi/flow"
)

// The whole set is go test ./examples/massivo -run Killed -kills 30 -messages 2000 -v
var (
	kills    = flag.Int("kills", 4, "how often a program is killed in each of the tests of killing")
	messages = flag.Int("messages", 400, "how many messages are sent in the tests of killing")
)

const batch = 64 // of each program, so what a kill may leave unknown

// A program that is killed at any point, and started again until it is done, notifies
// nobody twice and loses nobody; what nobody can know is at most a batch for each kill.
func TestKilledOnSQLite(t *testing.T) {
	k := newKilling(t, filepath.Join(t.TempDir(), "massivo.db"))
	k.sendThroughKills(t, 1, nil)
	k.check(t)
}

func TestKilledOnPostgreSQL(t *testing.T) {
	k := newKilling(t, pgtest.Start(t).Database(t))
	k.sendThroughKills(t, 1, nil)
	k.check(t)
}

// Four programs send one flow; one or the other is killed, and the database crashes in the
// middle of it.
func TestKilledOneOfFourOnPostgreSQLThatCrashes(t *testing.T) {
	server := pgtest.Start(t)
	k := newKilling(t, server.Database(t))
	k.sendThroughKills(t, 4, func() { server.Restart(t) })
	k.crashes = 4 // a crash of the database may strand what each of the four had in hand
	k.check(t)
}

// killing is a flow that is sent by programs that are killed.
type killing struct {
	platform *appiotest.Server
	store    string
	flow     string
	random   *rand.Rand
	killed   int
	crashes  int // of programs, besides the kills, that may leave a batch each
}

func newKilling(t *testing.T, store string) *killing {
	k := &killing{platform: appiotest.NewServer(appiotest.Config{Unlimited: true}), store: store}
	t.Cleanup(k.platform.Close)
	k.platform.AddService(appiotest.Service{ID: sandboxService, Key: sandboxKey})
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	k.random = rand.New(rand.NewPCG(seed, 0))
	k.platform.FailAtRandom(appiotest.SubmitMessage, 1, seed,
		appiotest.Fault{Kind: appiotest.Slow, Delay: 5 * time.Millisecond}, appiotest.Fault{Kind: appiotest.Slow, Delay: 25 * time.Millisecond})

	workbook := filepath.Join(t.TempDir(), "avvisi.xlsx")
	writeWorkbook(t, workbook, *messages)
	p := k.start(t, "import", workbook)
	require.Equal(t, 0, p.wait(t), p.said())
	k.flow = flowIn(t, p.said())
	return k
}

// writeWorkbook writes a workbook with notifications to be imported.
func writeWorkbook(t testing.TB, name string, rows int) {
	book := excelize.NewFile()
	defer book.Close()
	out, err := book.NewStreamWriter(book.GetSheetName(0))
	require.NoError(t, err)
	require.NoError(t, out.SetRow("A1", []any{"Codice fiscale", "Oggetto", "Contenuto", "Scadenza", "Somma", "Numero avviso", "Riferimento"}))
	for i := range rows {
		require.NoError(t, out.SetRow(fmt.Sprintf("A%d", i+2), []any{
			appiotest.SampleCitizen(i).Reveal(), "TARI: avviso di pagamento",
			fmt.Sprintf("Avviso %d. %s", i, strings.Repeat("La prima rata della TARI scade il 16 giugno. ", 3)),
			"16/06/2099", fmt.Sprintf("%d,%02d", 10+i%1000, i%100), appiotest.SampleNotice(i).Reveal(), fmt.Sprintf("TARI-%d", i),
		}))
	}
	require.NoError(t, out.Flush())
	require.NoError(t, book.SaveAs(name))
}

// process is the program in a process of its own.
type process struct {
	*exec.Cmd
	output bytes.Buffer
	done   chan struct{} // closed once it ended
}

// start runs the program.
func (k *killing) start(t testing.TB, args ...string) *process {
	t.Helper()
	args = append(args, "--store", k.store, "--url", k.platform.URL, "--calls", "10000000")
	p := &process{Cmd: exec.Command(os.Args[0], args...), done: make(chan struct{})}
	p.Env = append(os.Environ(), beTheProgram+"=1")
	p.Stdout, p.Stderr = &p.output, &p.output
	require.NoError(t, p.Start())
	go func() {
		defer close(p.done)
		_ = p.Wait()
	}()
	return p
}

func (k *killing) send(t testing.TB) *process {
	return k.start(t, "send", k.flow, "--lease", "3s", "--workers", "16", "--batch", fmt.Sprint(batch))
}

// wait waits for the end of the program, which may take its time with many notifications.
func (p *process) wait(t testing.TB) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(20 * time.Minute):
		_ = p.Process.Kill()
		<-p.done
		t.Fatalf("the program did not end:\n%s", p.said())
	}
	return p.ProcessState.ExitCode()
}

// said is what a program that ended has said.
func (p *process) said() string {
	<-p.done
	return p.output.String()
}

// sendThroughKills sends the flow by several programs at once, kills one of them now and
// then, and starts whatever has ended again, until the flow is sent. In the middle,
// something else goes wrong.
func (k *killing) sendThroughKills(t *testing.T, programs int, midway func()) {
	running := make([]*process, programs)
	for i := range running {
		running[i] = k.send(t)
	}
	for i := range *kills {
		if i == *kills/2 && midway != nil {
			midway()
		}
		// At a random place of the flow, and at a random moment of what is done there.
		goal := k.platform.Received(appiotest.SubmitMessage) + k.random.IntN(max(1, *messages / *kills / 3))
		for k.platform.Received(appiotest.SubmitMessage) < goal && !ended(running) {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(k.random.Int64N(int64(20 * time.Millisecond))))
		victim := k.random.IntN(programs)
		select {
		case <-running[victim].done: // it was done already
		default:
			k.killed++
			require.NoError(t, running[victim].Process.Kill())
			<-running[victim].done
		}
		for j := range running {
			select {
			case <-running[j].done:
				running[j] = k.send(t)
			default:
			}
		}
	}
	for _, p := range running {
		p.wait(t)
	}
	last := k.send(t) // if the others ended with an error
	code := last.wait(t)
	require.Contains(t, []int{0, 1, exitIncomplete}, code, last.said())
	t.Logf("%d programs, %d killed", programs, k.killed)
}

func ended(running []*process) bool {
	for _, p := range running {
		select {
		case <-p.done:
			return true
		default:
		}
	}
	return false
}

// check compares what the store says with what citizens really got, resolves what is
// unknown, and compares again.
func (k *killing) check(t *testing.T) {
	store, err := sqlstore.Open(t.Context(), k.store, sqlstore.Config{})
	require.NoError(t, err)
	defer store.Close()
	got := k.delivered(t)
	unknown, sent := 0, 0
	for _, n := range k.notifications(t, store) {
		switch {
		case n.State == flow.NotificationSent:
			sent++
			assert.Equal(t, 1, got[n.Recipient], "%s is Inviato", n.ID)
		case n.Transmission.ErrorCode == flow.ErrorOutcomeUnknown:
			unknown++
		default:
			assert.Fail(t, "lost", "%s is %s %s", n.ID, n.State, n.Transmission.ErrorCode)
		}
	}
	assert.Equal(t, *messages, sent+unknown)
	assert.LessOrEqual(t, unknown, batch*(k.killed+k.crashes))
	t.Logf("%d messages: %d sent, %d unknown after %d kills, 0 twice, 0 lost", *messages, sent, unknown, k.killed)

	// An operator resolves what is unknown, knowing the truth.
	have, lack := []string{"resolve", "--sent", "--reason", "arrivata"}, []string{"resolve", "--resend", "--reason", "non arrivata"}
	before := len(have)
	for _, n := range k.notifications(t, store) {
		switch {
		case n.State == flow.NotificationSent:
		case got[n.Recipient] > 0:
			have = append(have, n.ID.String())
		default:
			lack = append(lack, n.ID.String())
		}
	}
	for _, args := range [][]string{have, lack} {
		if len(args) > before {
			p := k.start(t, args...)
			require.Equal(t, 0, p.wait(t), p.said())
		}
	}
	if len(lack) > before {
		p := k.send(t)
		require.Equal(t, 0, p.wait(t), p.said())
	}
	for _, n := range k.notifications(t, store) {
		assert.Equal(t, flow.NotificationSent, n.State)
	}
	assert.Len(t, k.delivered(t), *messages)
}

// delivered returns how many messages each citizen got: never more than one.
func (k *killing) delivered(t *testing.T) map[flussi.FiscalCode]int {
	got := map[flussi.FiscalCode]int{}
	for _, d := range k.platform.Deliveries() {
		got[d.Recipient]++
		assert.LessOrEqual(t, got[d.Recipient], 1, "notified twice")
	}
	return got
}

func (k *killing) notifications(t *testing.T, store *sqlstore.Store) []flow.Notification {
	id, err := uuid.Parse(k.flow)
	require.NoError(t, err)
	var all []flow.Notification
	page := flow.Page{Limit: flow.MaxPage, OldestFirst: true}
	for {
		found, err := store.Notifications(t.Context(), flow.NotificationFilter{Flow: id}, page)
		require.NoError(t, err)
		all = append(all, found...)
		if len(found) < page.Limit {
			return all
		}
		page.After = found[len(found)-1].Cursor()
	}
}
