package pgtest

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
)

// Standby starts a stand-by server of another one, which ends with the test, and returns it and the URL
// of a database on it.
func Standby(t T, primary *Server, database string) (*Server, string) {
	t.Helper()
	folder, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	s := &Server{bin: primary.bin, as: primary.as, port: freePort(t), data: filepath.Join(folder, "data")}
	if s.as != nil {
		if err := os.Chown(folder, s.as.uid, s.as.gid); err != nil {
			t.Fatal(err)
		}
	}
	s.run(t, "pg_basebackup", "--host=127.0.0.1", fmt.Sprintf("--port=%d", primary.port), "--username=postgres", "--pgdata="+s.data,
		"--checkpoint=fast", "--no-sync", "--write-recovery-conf")
	s.run(t, "pg_ctl", "--wait", "--pgdata="+s.data, "--log="+filepath.Join(folder, "log"),
		fmt.Sprintf("--options=-c port=%d -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=200 -c fsync=off", s.port), "start")
	t.Cleanup(func() { s.run(t, "pg_ctl", "--wait", "--mode=immediate", "--pgdata="+s.data, "stop") })
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	return s, s.url(filepath.Base(u.Path))
}

// Promote makes a stand-by server the primary one.
func (s *Server) Promote(t T) {
	t.Helper()
	s.run(t, "pg_ctl", "--wait", "--pgdata="+s.data, "promote")
}
