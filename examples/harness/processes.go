//go:build unix

package main

import (
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/flussi-go/flussi/appio/appiotest"
)

// freeze stops one of two programs that send, again and again, for longer than its lease. Meanwhile
// its notifications become unknown outcomes, and an operator decides about them.
func freeze(t *trial) {
	t.rows *= 3
	t.platform.latency.Store(int64(80 * time.Millisecond)) // there is still something to send after the freeze
	id := t.imported(t.rows)
	frozen := t.send(id)
	other := t.send(id)
	for range 3 {
		t.platform.strike(t.random, t.rows/6, 10*time.Millisecond, frozen.Done)
		if frozen.ended() {
			t.judge(frozen)
			frozen = t.send(id)
			continue
		}
		if frozen.Cmd.Process.Signal(syscall.SIGSTOP) == nil {
			t.hits++
		}
		time.Sleep(leaseTime + leaseTime/5 + t.moment(leaseTime))
		thaw := func() { _ = frozen.Cmd.Process.Signal(syscall.SIGCONT) }
		// On SQLite the frozen program may hold the lock of the file: then each decision waits.
		thawing := time.AfterFunc(4*leaseTime, thaw)
		if t.random.IntN(2) == 0 && t.run("resolve", "--flow", id).code() == 0 {
			t.decide(id, func(args ...string) { t.run(args...) })
		}
		thawing.Stop()
		thaw()
	}
	t.platform.latency.Store(0)
	t.judge(frozen)
	t.judge(other)
	t.finish(id)
}

// twoOperators runs each command twice at the same time. The commands import a file, disable and
// enable its flow while others send it, decide about unknown outcomes, set refused messages back,
// and apply corrections.
func twoOperators(t *trial) {
	t.reasons = append(t.reasons, "Un altro utente ha modificato", "ha modificato", "disabilitat", "noto", "nel frattempo", "nello stesso momento", "da inviare", "non si può", "non è possibile nello stato")
	both := func(args ...string) (first, second *command) {
		first, second = t.start(args...), t.start(args...)
		t.hits++
		return t.judge(first), t.judge(second)
	}
	name := t.workbook(0, t.rows)
	first, second := both("import", name)
	said := first.out.String() + second.out.String()
	if first.code() == 0 && second.code() == 0 && strings.Count(said, "Importat") != 1 {
		t.lie(second, "both say that they imported the rows, or none does:\n%s", first.all())
	}
	id := t.flowIn(t.repeat("import", name))

	t.platform.FailAtRandom(appiotest.SubmitMessage, 0.3, t.random.Uint64(), appiotest.Fault{Kind: appiotest.GatewayTimeout},
		appiotest.Fault{Kind: appiotest.GatewayTimeout, Stored: true}, appiotest.Fault{Kind: appiotest.BadRequest})
	senders := []*command{t.send(id), t.send(id)}
	t.platform.strike(t.random, t.rows/3, 10*time.Millisecond, senders[0].Done)
	both("disable", id)
	for _, c := range senders {
		t.judge(c)
	}
	both("enable", id)
	senders = []*command{t.send(id), t.send(id)}
	for _, c := range senders {
		t.judge(c)
	}
	t.platform.StopFailing()
	t.decide(id, func(args ...string) { both(args...) })
	both("resend", id, "--error", "rifiutata", "--lease", leaseTime.String())
	t.decide(id, func(args ...string) { both(args...) })

	file := t.path("correzioni1.xlsx")
	t.platform.FailAtRandom(appiotest.SubmitMessage, 0.5, t.random.Uint64(), appiotest.Fault{Kind: appiotest.BadRequest})
	more := t.imported(t.rows / 2)
	t.judge(t.send(more))
	t.platform.StopFailing()
	t.repeat("export", more, file)
	t.correct(file, nil)
	both("resend", more, file, "--lease", leaseTime.String())
	t.finish(id)
	t.finish(more)
}

// evil sends a flow while the platform answers badly.
func evil(t *trial, m mischief) {
	id := t.imported(t.rows)
	shares := []int{10, 30, 100}
	t.platform.ruin(m, shares[t.random.IntN(len(shares))])
	for range 3 {
		c := t.send(id, "--workers", []string{"1", "4", "16"}[t.random.IntN(3)])
		if m.endless {
			t.platform.strike(t.random, 20, 500*time.Millisecond, c.Done)
			if t.interrupt(c); c.code() == 0 {
				break
			}
			continue
		}
		select {
		case <-c.Done:
			t.judge(c)
		case <-time.After(10 * time.Second):
			t.interrupt(c)
		}
		if c.code() == 0 {
			break
		}
		t.decide(id, t.resolves)
	}
	t.hits += int(t.platform.spoiled.Load())
	t.finish(id)
}

// crash lets the server of the database crash while programs import, send and export.
func crash(t *trial) {
	t.unsteady()
	t.throughOutages(func() {
		t.must(t.scope.within(func() { t.server.Restart(&t.scope) }))
	})
}

// unsteady lets programs give a lost connection as the reason of their failure.
func (t *trial) unsteady() {
	t.reasons = append(t.reasons, "si è interrotta", "Il server dell'archivio", "non è disponibile", "Non è stato possibile registrare l'esito", "non si sa")
}

// throughOutages imports, sends, decides and exports while the database is unavailable now and
// then.
func (t *trial) throughOutages(outage func()) {
	name := t.workbook(0, t.rows)
	during := func(c *command, requests int) *command {
		t.platform.strike(t.random, requests, 20*time.Millisecond, c.Done)
		if !c.ended() {
			outage()
			t.hits++
		}
		return t.judge(c)
	}
	slow := func(args ...string) *command {
		c := t.start(args...)
		select {
		case <-time.After(t.moment(150 * time.Millisecond)):
		case <-c.Done:
		}
		if !c.ended() {
			outage()
			t.hits++
		}
		return t.judge(c)
	}
	slow("import", name)
	id := t.flowIn(t.repeat("import", name))
	for range 3 {
		other := t.send(id)
		if c := during(t.send(id), t.rows/4); c.code() == 0 {
			t.judge(other)
			break
		}
		t.judge(other)
	}
	slow("export", id, t.path("esito.xlsx"), "--overwrite")
	_ = os.Remove(t.path("esito.xlsx"))
	t.finish(id)
}
