package main

import (
	"flag"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/examples/internal/proctest"
	"github.com/flussi-go/flussi/examples/internal/storage"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
)

// The whole set:
//
//	go test ./examples/massivo -run SecondImport -imports 50 -messages 20000 -v -timeout 2h
var imports = flag.Int("imports", 6, "how often a file is imported again in the tests of second imports")

// A file is imported again and again while its flow is sent, and so is a second file, half of whose
// rows repeat the first. The programs that import and those that send are killed at random. Every
// citizen gets the message once, each file makes one flow, and every output is right.
func TestSecondImportsBesideSend(t *testing.T) { onBoth(t, importBesideSend) }

func importBesideSend(t *testing.T, location string) {
	k := newKilling(t, location, quick())
	store := must.Get(storage.Open(t.Context(), location))(t)
	defer store.Close()
	folder := t.TempDir()
	first, other := filepath.Join(folder, "avvisi.xlsx"), filepath.Join(folder, "altri avvisi.xlsx")
	writeWorkbook(t, first, 0, *messages)
	writeBackwards(t, other, *messages/2, *messages)

	over := make(chan struct{})
	var senders sync.WaitGroup
	for range 2 { // each sends every flow
		random := rand.New(rand.NewPCG(k.random.Uint64(), 0))
		senders.Go(func() {
			for killed := 0; ; {
				for _, f := range k.flows(t, store) {
					p := k.send(t, f)
					if killed < *kills && random.IntN(2) == 0 {
						select {
						case <-time.After(time.Duration(random.Int64N(int64(300 * time.Millisecond)))):
							_ = p.Process.Kill()
							killed++
						case <-p.Done:
						}
					}
					k.checkSend(t, p)
				}
				select {
				case <-over:
					return
				default:
				}
			}
		})
	}
	k.importAgain(t, first, other)
	close(over)
	senders.Wait()
	k.settle(t, store)
}

// importAgain runs imports, kills every other one, and checks the output of the others.
func (k *killing) importAgain(t *testing.T, first, other string) {
	took, otherFlow := time.Second, ""
	for i := 0; i < *imports || otherFlow == ""; i++ {
		book := first
		if i%3 == 1 {
			book = other
		}
		start := time.Now()
		p := k.start(t, "import", book, "--marked", filepath.Join(t.TempDir(), "segnati.xlsx"))
		if i%2 == 1 {
			select {
			case <-time.After(time.Duration(k.random.Int64N(int64(took)))):
				_ = p.Process.Kill()
			case <-p.Done:
			}
		}
		code := p.Wait(t)
		if code == -1 {
			continue
		}
		took = time.Since(start)
		said := p.Output()
		require.NotContains(t, said, "Non è stato importato niente", said)
		switch {
		case code == 1:
			require.Contains(t, said, "occupato", said)
		case code == exitRows: // half of the rows are stored disabled
			require.Equal(t, other, book, said)
			require.Contains(t, said, "disabilitat", said)
			if otherFlow == "" {
				otherFlow = flowIn(t, said)
				break
			}
			require.Contains(t, said, "già stat", said)
			require.Equal(t, otherFlow, flowIn(t, said), said)
		default:
			require.Equal(t, 0, code, said)
			require.Equal(t, first, book, said)
			require.Contains(t, said, "già stat", said)
			require.Equal(t, k.flow, flowIn(t, said), said)
		}
	}
}

func (k *killing) flows(t *testing.T, store storage.Store) []string {
	found := must.Get(store.Flows(t.Context(), flow.FlowFilter{}, flow.Page{Limit: 100, OldestFirst: true}))(t)
	var ids []string
	for _, f := range found {
		ids = append(ids, f.ID.String())
	}
	require.LessOrEqual(t, len(ids), 2, "one flow for each file")
	return ids
}

// checkSend waits for a program that sends, and checks its output.
func (k *killing) checkSend(t *testing.T, p *proctest.Process) {
	code := p.Wait(t)
	switch said := p.Output(); code {
	case -1:
	case 0, exitIncomplete:
		assert.Contains(t, said, "Totale", said)
	case exitStopped:
		assert.Fail(t, "nothing stops a flow here", said)
	default:
		assert.Regexp(t, "occupato|non ha notifiche nello stato", said, "exit %d", code)
	}
}

// settle resolves the unknown outcomes by the deliveries, sends the rest, and compares the store
// with the deliveries.
func (k *killing) settle(t *testing.T, store storage.Store) {
	citizens := *messages + *messages/2
	for round := 0; ; round++ {
		got := k.delivered(t)
		var unknown []flow.Notification
		open := 0
		for _, n := range readAll(t, store, flow.NotificationFilter{}) {
			switch {
			case n.State == flow.NotificationSent:
				require.Equal(t, 1, got[n.Recipient], "%s is Inviato", n.ID)
			case n.Transmission.ErrorCode == flow.CodeOutcomeUnknown:
				unknown = append(unknown, n)
			case n.Disabled:
				require.Equal(t, registered, n.State)
			default:
				require.Contains(t, []flow.NotificationState{registered, flow.NotificationSending}, n.State, "lost: %s %s", n.ID, n.Transmission.ErrorCode)
				open++
			}
		}
		if len(unknown) == 0 && open == 0 {
			break
		}
		require.Less(t, round, 10, "it does not come to an end")
		k.resolve(t, unknown)
		for _, f := range k.flows(t, store) {
			k.checkSend(t, k.send(t, f))
		}
	}
	got := k.delivered(t)
	assert.Len(t, got, citizens, "nobody is lost")
	t.Logf("%d imports, %d citizens: 0 twice, %d lost", *imports, citizens, citizens-len(got))
}

const registered = flow.NotificationRegistered

// The server commits an import, and its answer is lost: the program finds the import, or says that
// it is not known whether it was stored. A second run finds it.
func TestImportWhoseAnswerIsLost(t *testing.T) {
	database := pgtest.Start(t).Database(t)
	for name, gone := range map[string]bool{"and the server answers again": false, "and the server stays away": true} {
		t.Run(name, func(t *testing.T) {
			k := &killing{platform: watch(t)}
			proxy := pgtest.NewProxy(t, database)
			k.trial = trial{store: database, url: k.platform.URL}
			k.start(t, "list").Ran(t, 0) // makes the tables
			book := filepath.Join(t.TempDir(), "avvisi.xlsx")
			first := map[bool]int{false: 0, true: 1000}[gone]
			writeWorkbook(t, book, first, 30)

			k.store = proxy.URL
			proxy.LoseAnswers(1)
			p := k.start(t, "import", book)
			if gone {
				require.Eventually(t, func() bool { return proxy.Lost.Load() > 0 }, time.Minute, time.Millisecond)
				proxy.Close()
			}
			code := p.Wait(t)
			require.EqualValues(t, 1, proxy.Lost.Load())
			said := p.Output()
			assert.NotContains(t, said, "Non è stato importato niente", said)
			if gone {
				assert.Equal(t, 1, code, said)
				assert.Contains(t, said, "non si sa", said)
			} else {
				assert.Equal(t, 0, code, said)
				assert.Contains(t, said, "Importate 30 notifiche", said)
			}

			k.store = database
			said = k.start(t, "import", book).Ran(t, 0)
			assert.Contains(t, said, "già")
			s := must.Get(storage.Open(t.Context(), database))(t)
			defer s.Close()
			assert.Equal(t, flow.Counts{Registered: 30}, must.Get(s.Flow(t.Context(), uuid.MustParse(flowIn(t, said))))(t).Counts)
		})
	}
}
