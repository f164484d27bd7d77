//go:build unix

package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/flussi-go/flussi/internal/pgtest"
)

// loseWAL kills a program that sends, and deletes the -wal file of the database.
func loseWAL(t *trial) {
	id := t.imported(t.rows)
	c := t.send(id)
	t.platform.strike(t.random, t.rows/2, 20*time.Millisecond, c.Done)
	t.kill(c)
	if os.Remove(t.store+"-wal") == nil {
		t.hits++
	}
	if t.random.IntN(2) == 0 {
		_ = os.Remove(t.store + "-shm")
	}
	t.finish(id)
}

// restore puts a copy of the database back that was made before a sending.
func restore(t *trial) {
	t.finish(t.imported(3)) // then the database knows which server it is on
	id := t.imported(t.rows)
	noticed, put := t.copyOf()
	c := t.send(id)
	if t.random.IntN(2) == 0 {
		t.platform.strike(t.random, t.rows/2, 20*time.Millisecond, c.Done)
		t.kill(c)
	}
	t.judge(c)
	t.platform.quiet() // what a killed program had sent is stored
	sent := len(t.platform.Deliveries())
	put()
	t.hits++
	if noticed {
		c = t.judge(t.send(id))
		if !c.refusedAsRestored() {
			t.lie(c, "it does not notice that the database was restored")
		}
		t.declareRestored(c)
	} else { // the operator knows
		t.declareRestored(nil)
	}
	if now := len(t.platform.Deliveries()); now != sent {
		t.lie(nil, "%d messages were sent before the restore was declared", now-sent)
	}
	t.finish(id)
	t.notifyRest()
}

// copyOf copies the database. It returns a function that puts the copy back, and whether programs
// notice it.
func (t *trial) copyOf() (noticed bool, put func()) {
	if t.database != onSQLite {
		return true, t.copyToAnotherServer()
	}
	copied := t.path("copia.db")
	t.must(copyFile(t.store, copied))
	_ = copyFile(t.store+"-sent", copied+"-sent") // it may not be there yet
	withoutRest := func() {
		_ = os.Remove(t.store + "-wal")
		_ = os.Remove(t.store + "-shm")
	}
	switch t.random.IntN(3) {
	case 0: // the file alone
		return true, func() { withoutRest(); t.must(copyFile(copied, t.store)) }
	case 1: // in another place
		return true, func() { _ = os.Remove(copied + "-sent"); t.store = copied }
	}
	return false, func() { // all files, as the disk of a virtual machine that is set back
		withoutRest()
		t.must(copyFile(copied, t.store))
		_ = os.Remove(t.store + "-sent")
		if _, err := os.Stat(copied + "-sent"); err == nil {
			t.must(copyFile(copied+"-sent", t.store+"-sent"))
		}
	}
}

// copyToAnotherServer dumps the database, and returns a function that restores it on another server.
func (t *trial) copyToAnotherServer() func() {
	other, err := t.servers.copies()
	t.must(err)
	var copied string
	t.must(t.scope.within(func() { copied = t.server.Copy(&t.scope, t.direct, other) }))
	t.scope.Cleanup(func() { other.Drop(&t.scope, copied) })
	return func() {
		t.store = copied
		if t.database == onPgBouncer {
			t.must(t.scope.within(func() { t.store = pgtest.Bouncer(&t.scope, other, copied) }))
		}
	}
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o600)
}

var exampleDay = regexp.MustCompile(`\d\d/\d\d/\d{4}`)

// declareRestored declares that the database was restored, as the refusal says. The flow was sent, at
// least in part, if the platform's record says so: then it stays disabled.
func (t *trial) declareRestored(refusal *command) {
	args := []string{"restored", "--copy-of", time.Now().Add(-time.Minute).In(italy()).Format("02/01/2006")}
	if refusal != nil {
		advised := printed(refusal.errs.String(), "restored")
		if advised == nil {
			t.lie(refusal, "it does not say how the restore is declared")
			return
		}
		for i, arg := range advised {
			if exampleDay.MatchString(arg) {
				advised[i] = args[2]
			}
		}
		args = advised
	}
	c := t.repeat(append(args, "00:00")...)
	if c.code() != 0 {
		return
	}
	times := t.platform.times()
	if len(times) > 3 { // more than those who were notified before the copy
		t.stays, t.disables = true, true
		return
	}
	for line := range strings.Lines(c.out.String()) {
		if enable := printed(line, "enable"); enable != nil {
			t.run(enable...)
		}
	}
}

// notifyRest notifies those who have no message, by a new file with another occasion.
func (t *trial) notifyRest() {
	if !t.stays {
		return
	}
	t.platform.quiet()
	times := t.platform.times()
	var rest []string
	for citizen := range t.wanted {
		if times[citizen] == 0 {
			rest = append(rest, citizen)
		}
	}
	if len(rest) == 0 {
		return
	}
	name := t.path("altri.xlsx")
	t.writeWorkbook(name, rest)
	t.finish(t.flowIn(t.repeat("import", name, "--occasion", "dopo il ripristino")))
}

// fillDisk fills the disk of the database, or the one to which a file is exported.
func fillDisk(t *trial) {
	disk := t.path("disco")
	t.must(os.Mkdir(disk, 0o700))
	if err := mountSmall(disk, 12<<20); err != nil {
		t.left = "no right to mount a small disk"
		runtime.Goexit()
	}
	t.scope.Cleanup(func() { _ = unmount(disk) })
	ballast := filepath.Join(disk, "zavorra")
	fill := func() {
		t.must(fillUp(ballast))
		t.hits++
	}
	t.reasons = append(t.reasons, "disco è pieno", "disco dell'archivio è pieno", "«-sent» non si può", "Non è stato possibile registrare l'esito")
	if t.database == onSQLite {
		t.store = filepath.Join(disk, "massivo.db")
	}
	id := t.imported(t.rows)
	name := filepath.Join(disk, "esito.xlsx")
	for range 3 {
		c := t.send(id)
		t.platform.strike(t.random, t.rows/4, 10*time.Millisecond, c.Done)
		fill()
		if t.random.IntN(4) > 0 { // the operator makes room; otherwise the program gives up after a while
			select {
			case <-time.After(t.moment(2 * time.Second)):
			case <-c.Done:
			}
			t.must(os.Remove(ballast))
			t.judge(c)
			t.must(fillUp(ballast))
		}
		t.judge(c)
		_ = os.Remove(name)
		// When SQLite closes the database, it may leave some room.
		c = t.run("export", id, name)
		if rows, err := readExport(name); (c.code() == 0) != (err == nil) || err == nil && len(rows) != t.rows {
			t.lie(c, "the file has %d rows: %v", len(rows), err)
		}
		_ = os.Remove(name)
		more := t.workbook(1000*t.imports, 200)
		t.run("import", more)
		t.must(os.Remove(ballast))
		t.finish(t.flowIn(t.repeat("import", more)))
	}
	t.finish(id)
	files, err := os.ReadDir(disk)
	t.must(err)
	for _, f := range files {
		if !known.MatchString(f.Name()) {
			t.lie(nil, "a file is left on the full disk: %s", f.Name())
		}
	}
}

// fillUp writes a file until the disk is full.
func fillUp(name string) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, zeros{})
	if errors.Is(err, syscall.ENOSPC) {
		err = nil
	}
	return errors.Join(err, file.Close())
}

// zeros is an endless reader.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
