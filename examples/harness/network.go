//go:build unix

package main

import (
	"github.com/flussi-go/flussi/internal/pgtest"
)

// through puts a proxy between the programs and the database.
func (t *trial) through() (proxy *pgtest.Proxy) {
	t.must(t.scope.within(func() { proxy = pgtest.NewProxy(&t.scope, t.store) }))
	t.store = proxy.URL
	t.unsteady()
	return proxy
}

// cut breaks all connections to the database while programs import, send and export.
func cut(t *trial) {
	t.run("list") // makes the tables
	proxy := t.through()
	t.throughOutages(func() { proxy.Cut() })
}

// loseAnswers lets the server commit, and loses its answer: the programs cannot know that it
// committed.
func loseAnswers(t *trial) {
	t.run("list")
	direct := t.store
	proxy := t.through()
	name := t.workbook(0, t.rows)
	lose := func(n int) { proxy.LoseAnswers(n) }
	lose(1)
	c := t.run("import", name)
	id := t.flowIn(t.repeat("import", name))
	if c.code() == 0 && t.flowIn(c) != id {
		t.lie(c, "the second import made another flow")
	}
	for range 4 {
		lose(1 + t.random.IntN(3))
		if c := t.judge(t.send(id)); c.code() == 0 {
			break
		}
	}
	lose(1)
	t.decide(id, t.resolves)
	t.hits += int(proxy.Lost.Load())
	proxy.LoseAnswers(0)
	t.store = direct
	t.finish(id)
}
