package pgtest

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Bouncer starts a PgBouncer in front of a database of the server, and returns the URL of the database
// through it. Each transaction gets any of its connections to the server, of which there are 20 at
// most. It ends with the test. Where PgBouncer is not installed, the test is skipped. Users need no
// password, but must be postgres or one of users.
func Bouncer(t T, s *Server, database string, users ...string) string {
	t.Helper()
	binary := pgbouncer()
	if binary == "" {
		t.Skip("PgBouncer is not installed (on Debian: apt-get install pgbouncer); what is said of it is not tested here")
	}
	folder, err := os.MkdirTemp("", "pgbouncer-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	var known strings.Builder
	for _, user := range append([]string{"postgres"}, users...) {
		fmt.Fprintf(&known, "%q \"\"\n", user)
	}
	port := freePort(t)
	files := map[string]string{
		"users": known.String(),
		"ini": fmt.Sprintf(`[databases]
* = host=127.0.0.1 port=%d
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = trust
auth_file = %s
pool_mode = transaction
default_pool_size = 20
max_client_conn = 500
server_login_retry = 0.1
logfile = %s
`, s.port, port, filepath.Join(folder, "users"), filepath.Join(folder, "log")),
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command(binary, "--quiet", filepath.Join(folder, "ini"))
	command.Dir = folder
	if s.as != nil { // PgBouncer refuses to run as root, too
		if err := os.Chown(folder, s.as.uid, s.as.gid); err != nil {
			t.Fatal(err)
		}
		s.as.runs(command)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = command.Wait()
	}()
	t.Cleanup(func() {
		_ = command.Process.Kill()
		<-ended
	})
	u.Host = fmt.Sprintf("127.0.0.1:%d", port)
	waitFor(t, u.Host, ended, filepath.Join(folder, "log"))
	return u.String()
}

// waitFor waits until a program listens.
func waitFor(t T, address string, ended <-chan struct{}, log string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-ended:
			said, _ := os.ReadFile(log)
			t.Fatalf("PgBouncer ended:\n%s", said)
		case <-tick.C:
		}
	}
}

// BouncerInstalled reports whether Bouncer finds a PgBouncer.
func BouncerInstalled() bool { return pgbouncer() != "" }

// pgbouncer returns the program, "" if there is none.
func pgbouncer() string {
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} { // Debian keeps it off the PATH of users
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}
