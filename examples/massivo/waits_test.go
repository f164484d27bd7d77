package main

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/examples/internal/cli"
)

// Who looks on reads why nothing is sent, and until when, for a wait of the client (half a minute) as
// for one of the dispatcher (ten minutes).
func TestAWaitSaysWhyAndUntilWhen(t *testing.T) {
	o := newOffice(t)
	id := o.imported(t, 3)
	fault := func(wait time.Duration) appiotest.Fault {
		return appiotest.Fault{Kind: appiotest.TooManyRequests, RetryAfter: wait}
	}
	o.platform.Fail(appiotest.GetProfile, fault(30*time.Second))
	o.platform.Fail(appiotest.SubmitMessage, fault(10*time.Minute), fault(10*time.Minute))
	for _, test := range []struct {
		asked time.Duration
		args  []string
	}{
		{30 * time.Second, []string{"reachable", id, o.path("destinatari.xlsx")}},
		{10 * time.Minute, []string{"send", id, "--workers", "1"}},
		{10 * time.Minute, []string{"serve", "--workers", "1"}}, // goes on with what send leaves
	} {
		before := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		_, said := o.runUntil(ctx, test.args...)
		cancel()
		found := regexp.MustCompile(`App IO ha ricevuto troppe richieste dall'ente e chiede di attendere fino al (\S+) alle (\S+): allora`).FindStringSubmatch(said)
		if assert.Len(t, found, 3, said) {
			until, err := time.ParseInLocation("02/01/2006 15:04:05", found[1]+" "+found[2], cli.Italy())
			assert.NoError(t, err)
			assert.WithinDuration(t, before.Add(test.asked), until, 5*time.Second)
		}
		assert.Equal(t, 1, strings.Count(said, "troppe richieste"), "once")
	}
}
