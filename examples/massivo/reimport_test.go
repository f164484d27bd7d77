package main

import (
	"flag"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/examples/internal/pgtest"
	"github.com/flussi-go/flussi/examples/sqlstore"
	"github.com/flussi-go/flussi/flow"
)

// The whole set is go test ./examples/massivo -run SecondImport -imports 50 -messages 20000 -v -timeout 2h
var imports = flag.Int("imports", 6, "how often a file is imported again in the tests of second imports")

// A file is imported again and again, in two ways of sorting its rows, while its flow is sent; the
// programs that import and the programs that send are killed at random. Every citizen gets the
// message once, there is one flow for each way of sorting, and every program says what is true.
func TestSecondImportsBesideSendOnSQLite(t *testing.T) {
	importBesideSend(t, filepath.Join(t.TempDir(), "massivo.db"))
}

func TestSecondImportsBesideSendOnPostgreSQL(t *testing.T) {
	importBesideSend(t, pgtest.Start(t).Database(t))
}

func importBesideSend(t *testing.T, store string) {
	k := newKilling(t, store)
	folder := t.TempDir()
	same, sorted := filepath.Join(folder, "avvisi.xlsx"), filepath.Join(folder, "avvisi ordinati.xlsx")
	writeWorkbook(t, same, 0, *messages)
	writeSorted(t, sorted, *messages)

	sent := make(chan struct{})
	var sender sync.WaitGroup
	kill := k.random.Perm(*kills + 1)
	sender.Go(func() {
		for i := 0; ; i++ {
			p := k.send(t)
			if i < *kills {
				place := k.platform.after(1 + kill[i]%max(1, *messages / *kills / 2))
				select {
				case <-place:
					_ = p.Process.Kill()
				case <-p.done:
				case <-sent:
				}
			}
			code := p.wait(t)
			switch said := p.said(); code {
			case -1: // killed
			case 0, exitIncomplete:
				assert.Contains(t, said, "Totale", "%s", said)
			default:
				assert.Contains(t, said, "occupato", "exit %d: %s", code, said)
			}
			select {
			case <-sent:
				return
			default:
			}
		}
	})
	took := time.Second
	known := map[string]bool{k.flow: true}
	for i := range *imports {
		book := same
		if i%3 == 2 {
			book = sorted
		}
		start := time.Now()
		p := k.start(t, "import", book, "--marked", filepath.Join(folder, uuid.NewString()+".xlsx"))
		if i%2 == 1 { // killed at a random moment
			select {
			case <-time.After(time.Duration(k.random.Int64N(int64(took)))):
				_ = p.Process.Kill()
			case <-p.done:
			}
		}
		code := p.wait(t)
		said := p.said()
		switch {
		case code == -1:
			continue
		case code == 1:
			assert.Contains(t, said, "occupato", said)
			continue
		case book == same:
			assert.Equal(t, 0, code, said)
			assert.Contains(t, said, k.flow)
			assert.Contains(t, said, "già", said)
		case code == exitRows: // the first of the sorted ones that was not killed
			known[flowIn(t, said)] = true
			assert.Contains(t, said, "disabilitat", said)
		default:
			assert.Equal(t, 0, code, said)
			assert.Contains(t, said, "già", said)
			known[flowIn(t, said)] = true
		}
		assert.NotContains(t, said, "Non è stato importato niente")
		took = time.Since(start)
	}
	close(sent)
	sender.Wait()
	last := k.send(t)
	require.Contains(t, []int{0, exitIncomplete}, last.wait(t), last.said())
	k.crashes = *kills // of programs that were killed by their place in the flow
	k.check(t)

	s, err := sqlstore.Open(t.Context(), store, sqlstore.Config{})
	require.NoError(t, err)
	defer s.Close()
	flows, err := s.Flows(t.Context(), flow.FlowFilter{}, flow.Page{Limit: 100})
	require.NoError(t, err)
	assert.LessOrEqual(t, len(flows), 2, "one flow for each way of sorting")
	for _, f := range flows {
		assert.Equal(t, *messages, f.Counts.Total())
		if f.ID.String() != k.flow {
			assert.Equal(t, flow.Counts{Disabled: *messages}, f.Counts, "all of them repeat the first")
		}
	}
	for id := range known {
		assert.True(t, strings.Contains(id, "-"))
		_, err := s.Flow(t.Context(), uuid.MustParse(id))
		assert.NoError(t, err, "a program named a flow that is not there")
	}
}

// The server commits an import, and its answer is lost: the program finds out that the import was
// made, or says that it is not known; a second run finds it.
func TestImportWhoseAnswerIsLost(t *testing.T) {
	database := pgtest.Start(t).Database(t)
	for name, gone := range map[string]bool{"and the server answers again": false, "and the server stays away": true} {
		t.Run(name, func(t *testing.T) {
			k := &killing{platform: watch(t)}
			proxy := pgtest.NewProxy(t, database)
			k.trial = trial{store: database, url: k.platform.URL}
			p := k.start(t, "list") // makes the tables
			require.Equal(t, 0, p.wait(t), p.said())
			book := filepath.Join(t.TempDir(), "avvisi.xlsx")
			first := map[bool]int{false: 0, true: 1000}[gone]
			writeWorkbook(t, book, first, 30)

			k.store = proxy.URL
			proxy.LoseAnswers(1)
			p = k.start(t, "import", book)
			if gone {
				require.Eventually(t, func() bool { return proxy.Lost.Load() > 0 }, time.Minute, time.Millisecond)
				proxy.Close()
			}
			code := p.wait(t)
			require.EqualValues(t, 1, proxy.Lost.Load())
			said := p.said()
			assert.NotContains(t, said, "Non è stato importato niente", said)
			if gone {
				assert.Equal(t, 1, code, said)
				assert.Contains(t, said, "non si sa", said)
			} else {
				assert.Equal(t, 0, code, said)
				assert.Contains(t, said, "Importate 30 notifiche", said)
			}

			k.store = database
			p = k.start(t, "import", book)
			require.Equal(t, 0, p.wait(t), p.said())
			assert.Contains(t, p.said(), "già", p.said())
			s, err := sqlstore.Open(t.Context(), database, sqlstore.Config{})
			require.NoError(t, err)
			defer s.Close()
			f, err := s.Flow(t.Context(), uuid.MustParse(flowIn(t, p.said())))
			require.NoError(t, err)
			assert.Equal(t, flow.Counts{Registered: 30}, f.Counts)
		})
	}
}
