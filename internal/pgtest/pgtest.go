// Package pgtest gives tests a PostgreSQL server of their own.
//
//	server := pgtest.Start(t)  // skips the test where PostgreSQL is not installed
//	url := server.Database(t)  // a new database, for the driver of the test
//
// The server is installed by the system's packages (on Debian: apt-get install
// postgresql); its cluster lives in a temporary folder, and it ends with the test.
package pgtest

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

// T is what the package needs of a test. A [*testing.T] is one, and so is what a program makes that
// is no test.
type T interface {
	// Helper marks the caller as one that reports the failures of its callers.
	Helper()
	// Cleanup adds a function that is called at the end, the latest first.
	Cleanup(func())
	// Fatal reports a failure, and ends the goroutine.
	Fatal(args ...any)
	// Fatalf reports a failure, and ends the goroutine.
	Fatalf(format string, args ...any)
	// Skip reports what is not installed, and ends the goroutine.
	Skip(args ...any)
}

// Server is a running server.
type Server struct {
	bin, data string
	as        *owner // whom it runs as; nil: as the test
	port      int
	databases atomic.Int64
}

// Start starts a server, which ends with the test. Where PostgreSQL is not installed, the
// test is skipped. Settings are PostgreSQL's own, such as "fsync=on": without that, what is
// written survives a crash of the server, as every test needs it, and not a loss of power.
func Start(t T, settings ...string) *Server {
	t.Helper()
	bin := binaries()
	if bin == "" {
		t.Skip("PostgreSQL is not installed (on Debian: apt-get install postgresql); what is said of it is not tested here")
	}
	s := &Server{bin: bin, port: freePort(t)}
	folder, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	s.data = filepath.Join(folder, "data")
	if os.Geteuid() == 0 { // PostgreSQL refuses to run as root
		s.as = lookup(t)
		if err := os.Chown(folder, s.as.uid, s.as.gid); err != nil {
			t.Fatal(err)
		}
	}
	s.run(t, "initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--pgdata="+s.data)
	options := ""
	for _, setting := range append([]string{fmt.Sprintf("port=%d", s.port), "listen_addresses=127.0.0.1", "unix_socket_directories=''",
		"max_connections=200", "fsync=off"}, settings...) {
		options += " -c " + setting
	}
	s.run(t, "pg_ctl", "--wait", "--pgdata="+s.data, "--log="+filepath.Join(folder, "log"), "--options="+options, "start")
	t.Cleanup(func() { s.run(t, "pg_ctl", "--wait", "--mode=immediate", "--pgdata="+s.data, "stop") })
	return s
}

// Installed reports whether Start finds a server.
func Installed() bool { return binaries() != "" }

// Database makes a new database, and returns its URL.
func (s *Server) Database(t T) string {
	t.Helper()
	name := fmt.Sprintf("test%d", s.databases.Add(1))
	s.run(t, "createdb", "--host=127.0.0.1", fmt.Sprintf("--port=%d", s.port), "--username=postgres", name)
	return s.url(name)
}

// Restart stops the server at once, as if it had crashed, and starts it again.
func (s *Server) Restart(t T) {
	t.Helper()
	s.run(t, "pg_ctl", "--wait", "--mode=immediate", "--pgdata="+s.data, "--log="+filepath.Join(filepath.Dir(s.data), "log"), "restart")
}

// Copy copies a database by a dump to a new database on another server, and returns its URL.
func (s *Server) Copy(t T, database string, to *Server) string {
	t.Helper()
	from, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	copied := to.Database(t)
	name := filepath.Base(from.Path)
	dump := filepath.Join(filepath.Dir(s.data), name+".sql")
	defer os.Remove(dump)
	s.run(t, "pg_dump", "--host=127.0.0.1", fmt.Sprintf("--port=%d", s.port), "--username=postgres", "--no-sync", "--file="+dump, name)
	to.run(t, "psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--file="+dump, copied)
	return copied
}

// Drop deletes a database, and breaks its connections.
func (s *Server) Drop(t T, database string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	s.run(t, "dropdb", "--host=127.0.0.1", fmt.Sprintf("--port=%d", s.port), "--username=postgres", "--force", filepath.Base(u.Path))
}

func (s *Server) url(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", s.port, database)
}

// run runs one of PostgreSQL's programs. Its output goes to files: a server that it
// starts keeps them open.
func (s *Server) run(t T, program string, args ...string) {
	t.Helper()
	output, err := os.CreateTemp("", "pgtest-*.log")
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(output.Name())
	defer output.Close()
	command := exec.Command(filepath.Join(s.bin, program), args...)
	command.Dir = filepath.Dir(s.data)
	command.Stdout, command.Stderr = output, output
	command.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "PG") }), "LC_ALL=C")
	if s.as != nil {
		s.as.runs(command)
	}
	if err := command.Run(); err != nil {
		said, _ := os.ReadFile(output.Name())
		t.Fatalf("%s: %v\n%s", program, err, said)
	}
}

// binaries returns the folder of PostgreSQL's programs, "" if there is none.
func binaries() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // Debian keeps them off the PATH
	slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
	if onPath, err := exec.LookPath("initdb"); err == nil {
		found = append(found, onPath)
	}
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(found[0])
}

func version(initdb string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(initdb))))
	return n
}

// owner is the user that the system's packages made for the server.
type owner struct{ uid, gid int }

func lookup(t T) *owner {
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	return &owner{uid, gid}
}

func freePort(t T) int {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}
