//go:build unix

package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/flussi-go/flussi/internal/pgtest"
)

// scope is what package pgtest needs of a test. What it starts ends with the scope.
type scope struct {
	mu      sync.Mutex
	ends    []func()
	failure error
}

// Helper does nothing.
func (s *scope) Helper() {}

// Cleanup adds a function that end calls.
func (s *scope) Cleanup(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends = append(s.ends, f)
}

// Fatal ends the goroutine, which must be one of within.
func (s *scope) Fatal(args ...any) {
	s.failure = errors.New(fmt.Sprint(args...))
	runtime.Goexit()
}

// Fatalf does the same.
func (s *scope) Fatalf(format string, args ...any) { s.Fatal(fmt.Sprintf(format, args...)) }

// Skip does the same: what is missing was noticed before.
func (s *scope) Skip(args ...any) { s.Fatal(args...) }

// within calls a function, and returns the error with which Fatal ended it.
func (s *scope) within(do func()) error {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		do()
	}()
	<-ended
	failure := s.failure
	s.failure = nil
	return failure
}

// end ends what was started, the latest first.
func (s *scope) end() {
	for _, f := range slices.Backward(s.ends) {
		_ = s.within(f) // the others end, too
	}
}

// servers are the servers of PostgreSQL: one that runs all the time, one that crashes, and one on which
// copies are restored. They are started when they are needed.
type servers struct {
	scope
	steady, crashing, copies func() (*pgtest.Server, error)
	crash                    sync.Mutex // held by the trial that uses the server that crashes
}

func newServers() *servers {
	s := &servers{}
	start := func() (server *pgtest.Server, err error) {
		err = s.within(func() { server = pgtest.Start(&s.scope) })
		return server, err
	}
	var starting sync.Mutex // within is for one at a time
	once := func() func() (*pgtest.Server, error) {
		return sync.OnceValues(func() (*pgtest.Server, error) {
			starting.Lock()
			defer starting.Unlock()
			return start()
		})
	}
	s.steady, s.crashing, s.copies = once(), once(), once()
	return s
}

// missing returns why there can be no database of a kind, "" if there can.
func (s *servers) missing(database string) string {
	switch {
	case database != onSQLite && !pgtest.Installed():
		return "PostgreSQL is not installed"
	case database == onPgBouncer && !pgtest.BouncerInstalled():
		return "PgBouncer is not installed"
	}
	return ""
}

// location makes a database for a trial, and returns where it is, and its server. It ends with the
// trial.
func (t *trial) location() {
	if t.database == onSQLite {
		t.store = filepath.Join(t.folder, "massivo.db")
		return
	}
	start := t.servers.steady
	if t.name == "crash" {
		start = t.servers.crashing
		t.servers.crash.Lock()
		t.scope.Cleanup(t.servers.crash.Unlock)
	}
	server, err := start()
	t.must(err)
	t.server = server
	t.must(t.scope.within(func() {
		direct := server.Database(&t.scope)
		t.scope.Cleanup(func() { server.Drop(&t.scope, direct) })
		t.store, t.direct = direct, direct
		if t.database == onPgBouncer {
			t.store = pgtest.Bouncer(&t.scope, server, direct)
		}
	}))
}
