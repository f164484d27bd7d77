package main

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/examples/internal/cli"
)

// untilWait keeps what a program prints, and calls found once it says that it waits.
type untilWait struct {
	found func()
	mu    sync.Mutex
	all   strings.Builder
}

func (u *untilWait) Write(p []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.all.Write(p)
	if strings.Contains(u.all.String(), "Ctrl-C per interrompere") {
		u.found()
	}
	return len(p), nil
}

func (u *untilWait) said() string { u.mu.Lock(); defer u.mu.Unlock(); return u.all.String() }

// Who looks on reads why nothing is sent, and until when, for a wait of the client (half a minute) as
// for one of the dispatcher (ten minutes).
func TestAWaitSaysWhyAndUntilWhen(t *testing.T) {
	one, other := newOffice(t), newOffice(t) // whose programs share the turns of their bodies
	fault := func(wait time.Duration) appiotest.Fault {
		return appiotest.Fault{Kind: appiotest.TooManyRequests, RetryAfter: wait}
	}
	one.platform.Fail(appiotest.GetProfile, fault(30*time.Second))
	other.platform.Fail(appiotest.SubmitMessage, fault(10*time.Minute), fault(10*time.Minute))
	id := other.imported(t, 3)
	for _, test := range []struct {
		office *office
		asked  time.Duration
		args   []string
	}{
		{one, 30 * time.Second, []string{"reachable", one.imported(t, 3), one.path("destinatari.xlsx")}},
		{other, 10 * time.Minute, []string{"send", id, "--workers", "1"}},
		{other, 10 * time.Minute, []string{"serve", "--workers", "1"}}, // goes on with what send leaves
	} {
		o := test.office
		before := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		out := &untilWait{found: cancel}
		p := &program{in: strings.NewReader(""), out: out, errs: out, getenv: func(name string) string { return o.env[name] }}
		root := p.command()
		root.SetArgs(append(test.args, "--calls=1000000"))
		cli.Run(ctx, root, out)
		cancel()
		said := out.said()
		found := regexp.MustCompile(`App IO ha ricevuto troppe richieste dall'ente e chiede di attendere fino al (\S+) alle (\S+): allora`).FindStringSubmatch(said)
		if assert.Len(t, found, 3, said) {
			until, err := time.ParseInLocation("02/01/2006 15:04:05", found[1]+" "+found[2], cli.Italy())
			assert.NoError(t, err)
			assert.WithinDuration(t, before.Add(test.asked), until, 5*time.Second)
		}
		assert.Equal(t, 1, strings.Count(said, "troppe richieste"), "once")
	}
}
