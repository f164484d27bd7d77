//go:build unix

package main

import (
	"cmp"
	"fmt"
	"os"
	"time"

	"github.com/flussi-go/flussi/appio/appiotest"
)

// attempts is how often a command is killed in a trial.
const attempts = 6

// killAgain runs a command again and again, killing it at random moments, and then once more to its
// end, which it returns. It ends early if a command came to its end twice.
func (t *trial) killAgain(start func() *command) *command {
	whole := 0
	for range attempts {
		began := time.Now()
		c := start()
		name := c.args[0] + " " + t.database
		t.killWithin(c, t.typical(name))
		if c.killed {
			continue
		}
		t.observe(name, time.Since(began))
		if c.code() == 1 {
			continue
		}
		if whole++; whole == 2 {
			return c
		}
	}
	return t.judge(start())
}

// typical returns how long a command takes, by those that were observed.
func (h *harness) typical(name string) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return cmp.Or(h.took[name], 300*time.Millisecond)
}

// observe records how long a command took to its end. Longer commands are more often killed before
// it, so a shorter time counts less.
func (h *harness) observe(name string, took time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	weight := time.Duration(2)
	if took < h.took[name] {
		weight = 8
	}
	h.took[name] = ((weight-1)*cmp.Or(h.took[name], took) + took) / weight
}

// killImport kills imports of a file. Then there is one flow with all rows.
func killImport(t *trial) {
	if t.random.IntN(2) == 0 { // the tables exist already
		t.run("list")
	}
	name := t.workbook(0, t.rows)
	var c *command
	for range 2 { // the second finds the rows
		c = t.killAgain(func() *command { return t.start("import", name) })
	}
	if c.code() != 0 {
		t.lie(c, "the file is not imported")
		return
	}
	id := t.flowIn(c)
	if n := number(t.run("show", id).out.String(), `Messaggi: +([\d.]+)`); n != t.rows {
		t.lie(c, "the flow has %d rows of %d", n, t.rows)
	}
	t.finish(id)
	if rows := t.export(); len(rows) != t.rows {
		t.lie(c, "there are %d notifications of %d", len(rows), t.rows)
	}
}

// killSend kills programs that send a flow at the same time, one or the other, and starts them
// again.
func killSend(t *trial, programs int) {
	id := t.imported(t.rows)
	running := make([]*command, programs)
	for i := range running {
		running[i] = t.send(id)
	}
	for range 2 * attempts {
		victim := running[t.random.IntN(programs)]
		t.platform.strike(t.random, t.rows/attempts/2, 20*time.Millisecond, victim.Done)
		t.kill(victim)
		over := false
		for i, c := range running {
			if c.ended() {
				over = over || t.judge(c).code() == 0
				running[i] = t.send(id)
			}
		}
		if over {
			break
		}
	}
	for _, c := range running {
		t.judge(c)
	}
	t.finish(id)
}

// spoilt sends a flow whose messages get one of the faults at random, to the given share, and
// returns it.
func (t *trial) spoilt(share float64, faults ...appiotest.Fault) string {
	id := t.imported(t.rows)
	t.platform.FailAtRandom(appiotest.SubmitMessage, share, t.random.Uint64(), faults...)
	for range 6 {
		if c := t.judge(t.send(id)); c.code() == 0 || c.code() == 4 {
			break
		}
	}
	t.platform.StopFailing()
	return id
}

// killResolve kills the commands that decide about unknown outcomes.
func killResolve(t *trial) {
	id := t.spoilt(0.4, appiotest.Fault{Kind: appiotest.GatewayTimeout}, appiotest.Fault{Kind: appiotest.GatewayTimeout, Stored: true})
	t.decide(id, func(args ...string) {
		if c := t.killAgain(func() *command { return t.start(args...) }); c.code() != 0 {
			t.lie(c, "the decision is not recorded")
		}
	})
	if left := t.listed(t.run("resolve", "--flow", id)); len(left) > 0 {
		t.lie(nil, "%d outcomes are still unknown", len(left))
	}
	t.finish(id)
}

// killResend kills the command that sends refused messages again.
func killResend(t *trial) {
	id := t.spoilt(0.4, appiotest.Fault{Kind: appiotest.BadRequest})
	t.killAgain(func() *command {
		return t.start("resend", id, "--error", "rifiutata", "--lease", leaseTime.String(), "--workers", "4")
	})
	t.finish(id)
}

// killCorrect kills the command that applies a file of corrections and sends: citizens who are not
// on App IO get other fiscal codes.
func killCorrect(t *trial) {
	moved := map[string]string{}
	for i := range t.rows {
		if i%3 == 0 {
			t.platform.AddCitizen(appiotest.Citizen{Code: appiotest.SampleCitizen(i), Absent: true})
			moved[citizen(i)] = citizen(500 + i)
			t.wanted[citizen(500+i)] = true
		}
	}
	id := t.imported(t.rows)
	t.judge(t.send(id, "--check-profiles"))
	name := t.path("correzioni1.xlsx")
	t.run("export", id, name)
	if n := t.correct(name, moved); n != len(moved) {
		t.lie(nil, "%d of %d notifications are in Errore", n, len(moved))
	}
	for was := range moved {
		delete(t.wanted, was)
	}
	c := t.killAgain(func() *command {
		return t.start("resend", id, name, "--check-profiles", "--lease", leaseTime.String(), "--workers", "4")
	})
	if c.code() == 3 || c.code() == 5 {
		t.lie(c, "the corrections are not applied")
	}
	t.finish(id)
}

// killVerify kills the command that asks what became of the messages.
func killVerify(t *trial) {
	id := t.imported(t.rows)
	t.finish(id)
	delivered, rejected := t.platform.Deliveries(), map[string]bool{}
	for i, d := range delivered {
		if i%4 == 0 {
			rejected[d.Recipient.Reveal()] = true
			t.platform.SetState(d.ID, appiotest.State{Status: "REJECTED"})
		}
	}
	if c := t.killAgain(func() *command { return t.start("verify", id) }); c.code() != 0 {
		t.lie(c, "the messages are not verified")
	}
	for _, row := range t.export() {
		want := "Inviato"
		if rejected[row.citizen] {
			want = "Errore"
		}
		if row.state != want {
			t.lie(nil, "a notification that is %s is shown as %s", want, row.state)
		}
	}
}

// killExport kills exports. The file is whole or not there, and the next export removes what the
// killed ones left.
func killExport(t *trial) {
	id := t.imported(t.rows)
	t.finish(id)
	name := t.path("esito.xlsx")
	for range 2 {
		c := t.killAgain(func() *command { return t.start("export", id, name, "--overwrite") })
		rows, err := readExport(name)
		if err != nil || len(rows) != t.rows || c.code() != 0 {
			t.lie(c, "the export has %d rows of %d: %v", len(rows), t.rows, err)
		}
	}
	if err := os.Remove(name); err != nil {
		t.must(fmt.Errorf("remove the export: %w", err))
	}
}
