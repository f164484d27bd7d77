//go:build unix

package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// clockVariable names the file with the seconds by which the clock of a program is wrong.
const clockVariable = "HARNESS_CLOCK"

// clockSource is a file of package time in the program whose clock can be set. The wall clock moves;
// the monotonic clock, by which a process measures how long something takes, goes on, as it does if
// an administrator or NTP sets a machine's clock.
const clockSource = `package time

import (
	"syscall"
	"unsafe"
)

// harnessClock is where the harness writes by how many seconds the clock is wrong; nil without a file.
// It is memory, since the clock is also read where no system call can be made.
var harnessClock = harnessMap()

func harnessMap() *int64 {
	name, ok := syscall.Getenv("` + clockVariable + `")
	if !ok {
		return nil
	}
	fd, err := syscall.Open(name, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	memory, err := syscall.Mmap(fd, 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil
	}
	return (*int64)(unsafe.Pointer(&memory[0]))
}

func harnessOffset() int64 {
	if harnessClock == nil {
		return 0
	}
	return *harnessClock
}
`

// writeClock writes the overlay with which go build replaces files of package time.
func writeClock(ctx context.Context, folder string) (overlay string, err error) {
	said, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOROOT: %w", err)
	}
	source := filepath.Join(strings.TrimSpace(string(said)), "src", "time")
	file := filepath.Join(source, "time.go")
	original, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	const was = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	changed := strings.Replace(string(original), was, was+"\tsec += harnessOffset()\n", 1)
	if changed == string(original) {
		return "", errors.New("this release of Go has another time.Now: see clock.go; without this fault: -faults")
	}
	files := map[string]string{filepath.Join(folder, "time.go"): changed, filepath.Join(folder, "time_harness.go"): clockSource}
	for name, content := range files {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			return "", err
		}
	}
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {
		file:                                filepath.Join(folder, "time.go"),
		filepath.Join(source, "harness.go"): filepath.Join(folder, "time_harness.go"),
	}})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(folder, "overlay.json")
	return overlay, os.WriteFile(overlay, replace, 0o600)
}

// setClock makes the clock of the programs that read the file wrong.
func setClock(name string, by time.Duration) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(binary.NativeEndian.AppendUint64(nil, uint64(int64(by/time.Second))), 0) // in one write
	return errors.Join(err, file.Close())
}

// jump is a random time by which a clock jumps: seconds, hours, or more than a year, either way.
func jump(random *rand.Rand) time.Duration {
	most := []time.Duration{5 * time.Second, 3 * time.Hour, 500 * 24 * time.Hour}[random.IntN(3)]
	return time.Duration(random.Int64N(int64(2*most))) - most
}

// jumpClock sends a flow by two programs. The clock of one of them jumps. The one with the wrong
// clock is killed now and then: its leases end too late, or have ended already.
func jumpClock(t *trial) {
	id := t.imported(t.rows)
	file := t.path("clock")
	t.must(setClock(file, 0))
	wrong := func() *command { return t.sendBy(t.programs.clock, []string{clockVariable + "=" + file}, id) }
	first := wrong()
	var second *command
	if t.database != onSQLite || t.random.IntN(2) == 0 {
		second = t.send(id)
	}
	for range 6 {
		t.platform.strike(t.random, 5, 10*time.Millisecond, first.Done)
		t.must(setClock(file, jump(t.random)))
		if !first.ended() {
			t.hits++
		}
		if t.random.IntN(3) == 0 {
			t.kill(first)
		}
		if first.ended() {
			t.judge(first)
			first = wrong()
		}
	}
	t.must(setClock(file, 0))
	t.judge(first)
	if second != nil {
		t.judge(second)
	}
	t.finish(id)
}
