//go:build unix

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/examples/internal/proctest"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

func italy() *time.Location { return cli.Italy() }

// office is a school's office whose steps are taken by workers that are killed, and Pago In Rete.
type office struct {
	*trial
	*pagoinrete.Service // of the harness, to look at what the workers did
	platform            *restgatewaytest.Simulator
	requests            *proctest.Arrivals
	url                 string

	mu     sync.Mutex
	pauses *rand.Rand
}

func newOffice(t *trial) *office {
	t.platform.server.Close()
	t.platform = nil // App IO is not used
	o := &office{trial: t, platform: restgatewaytest.New(restgatewaytest.Config{}), pauses: rand.New(rand.NewPCG(t.random.Uint64(), 2))}
	o.platform.AddSchool(restgatewaytest.School{Code: school, Key: schoolKey})
	o.requests = &proctest.Arrivals{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(o.pause(2 * time.Millisecond))
		o.platform.ServeHTTP(w, r)
		time.Sleep(o.pause(6 * time.Millisecond)) // the reply is written when the handler returns
	})}
	server := httptest.NewServer(o.requests)
	t.scope.Cleanup(server.Close)
	o.url = server.URL + restgatewaytest.BasePath
	service, closeStore, err := openSchool(t.ctx, t.store, o.url)
	t.must(err)
	t.scope.Cleanup(func() { _ = closeStore() })
	o.Service = service
	return o
}

func (o *office) pause(most time.Duration) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	return time.Duration(o.pauses.Int64N(int64(most)))
}

// killSchool kills workers that transmit notices, one or two at the same time, and workers that take
// the steps of events.
func killSchool(t *trial) {
	o := newOffice(t)
	programs := 1
	if t.database != onSQLite {
		programs += t.random.IntN(2)
	}
	o.transmits(programs)
	for i := range stepNotices {
		o.platform.LogIn(appiotest.SampleCitizen(i))
	}
	o.takesSteps()
}

// event makes a fee with so many notices that are not transmitted yet.
func (o *office) event(notices int) uuid.UUID {
	now := time.Now().In(italy())
	data := pagoinrete.EventData{Name: "Viaggio", Causale: "Viaggio", Category: "Visite e viaggi", SchoolYear: pagoinrete.SchoolYear(now.Year()),
		FinancialYear: now.Year(), Account: "IT60X0542811101000000123456", Amount: 5_000}
	due := time.Date(now.Year(), now.Month()+1, 15, 23, 59, 59, 0, italy())
	data.Instalments = []pagoinrete.Instalment{{DueDate: due.UTC(), Amount: 5_000}}
	e, err := o.CreateEvent(o.ctx, assistant, pagoinrete.Fee, school, data)
	o.must(err)
	_, err = o.TransmitEvent(o.ctx, assistant, e.ID)
	o.must(err)
	drafts := make([]pagoinrete.NoticeDraft, notices)
	for i := range drafts {
		drafts[i] = pagoinrete.NoticeDraft{Debtor: appiotest.SampleCitizen(1_000_000 + i), Payer: appiotest.SampleCitizen(i)}
	}
	_, err = o.AddNotices(o.ctx, assistant, e.ID, pagoinrete.NoticeDraftRows(drafts...), pagoinrete.AddConfig{})
	o.must(err)
	return e.ID
}

func (o *office) worker(event uuid.UUID, step string) *command {
	return o.begin(o.programs.self, nil, workerCommand, o.store, o.url, event.String(), step)
}

// killAfter kills a worker after some of its calls, and a moment, unless it ends before.
func (o *office) killAfter(c *command, calls int) {
	select {
	case <-o.requests.After(1 + o.random.IntN(calls)):
		select {
		case <-time.After(o.moment(10 * time.Millisecond)):
		case <-c.Done:
		}
	case <-c.Done:
	}
	o.kill(c)
}

// done waits for a worker, which must have taken its step or found it taken.
func (o *office) done(c *command) {
	if o.wait(c); c.code() != 0 && c.code() != exitTaken {
		o.lie(c, "the step is not taken")
	}
}

// transmits transmits notices by some workers, one or the other of which is killed.
func (o *office) transmits(programs int) {
	event := o.event(o.rows)
	running := make([]*command, programs)
	for i := range running {
		running[i] = o.worker(event, "transmit")
	}
	for range attempts {
		o.killAfter(running[o.random.IntN(programs)], max(1, o.rows/attempts))
		for i, c := range running {
			if c.ended() {
				running[i] = o.worker(event, "transmit")
			}
		}
	}
	for _, c := range running {
		o.done(c)
	}
	numbers := map[flussi.NoticeNumber]bool{}
	for n, err := range o.AllNotices(o.ctx, assistant, pagoinrete.NoticeFilter{Event: event}) {
		o.must(err)
		there, is := o.platform.Notice(n.ID)
		switch {
		case !is:
			o.lost++
		case o.platform.Created(n.ID) != 1:
			o.twice++
		case there.Number != n.Number || there.RemoteID != n.RemoteID || numbers[n.Number] || n.State != pagoinrete.NoticeNotNotified:
			o.lie(nil, "notice %s is another one in Pago In Rete", n.ID)
		}
		numbers[n.Number] = true
	}
	if len(numbers) != o.rows || len(o.platform.Notices()) != o.rows {
		o.lie(nil, "there are %d notices, and %d in Pago In Rete, of %d", len(numbers), len(o.platform.Notices()), o.rows)
	}
}

const stepNotices = 15 // of each event whose steps are taken

// takesSteps takes all steps of two events by workers that are killed once or twice.
func (o *office) takesSteps() {
	event := o.event(stepNotices)
	o.takes(event, "transmit", pagoinrete.EventSimulated)
	o.takes(event, "submit", pagoinrete.EventToApprove)
	o.takes(event, "approve", pagoinrete.EventToNotify)
	o.takes(event, "notify", pagoinrete.EventNotified)
	for n, err := range o.AllNotices(o.ctx, assistant, pagoinrete.NoticeFilter{Event: event}) {
		o.must(err)
		if !o.platform.Pay(n.ID, n.Due()) {
			o.lie(nil, "a notice cannot be paid")
		}
	}
	o.takes(event, "verify", pagoinrete.EventNotified)
	o.ends(event, pagoinrete.NoticePaidOnline, "submit", "approve", "notify")

	event = o.event(stepNotices)
	if o.random.IntN(2) == 0 {
		o.takes(event, "transmit", pagoinrete.EventSimulated)
	}
	o.takes(event, "delete", pagoinrete.EventDeleted)
	o.ends(event, pagoinrete.NoticeCancelled, "delete")
}

// takes takes a step. A transmission does not change the event's state.
func (o *office) takes(event uuid.UUID, step string, to pagoinrete.EventState) {
	for range 1 + o.random.IntN(2) {
		o.killAfter(o.worker(event, step), 2)
	}
	o.done(o.worker(event, step))
	e, err := o.Event(o.ctx, assistant, event)
	o.must(err)
	if step != "transmit" && e.State != to {
		o.lie(nil, "after the step %s the event is %s", step, e.State)
	}
	for n, err := range o.AllNotices(o.ctx, assistant, pagoinrete.NoticeFilter{Event: event}) {
		o.must(err)
		if !pagoinrete.Compatible(e.State, n.State) {
			o.lie(nil, "a notice is %s while the event is %s", n.State, e.State)
		}
	}
}

// ends checks that all notices of an event came to a state once, in the database and in Pago In
// Rete, and that each step was taken once.
func (o *office) ends(event uuid.UUID, state pagoinrete.NoticeState, steps ...string) {
	there := map[pagoinrete.NoticeState]restgatewaytest.NoticeState{
		pagoinrete.NoticePaidOnline: restgatewaytest.NoticePaidOnline, pagoinrete.NoticeCancelled: restgatewaytest.NoticeCancelled,
	}[state]
	for n, err := range o.AllNotices(o.ctx, assistant, pagoinrete.NoticeFilter{Event: event}) {
		o.must(err)
		if remote, is := o.platform.Notice(n.ID); n.State != state || is && remote.State != there {
			o.lie(nil, "a notice is %s, and %s in Pago In Rete", n.State, remote.State)
		}
		records, err := o.NoticeHistory(o.ctx, assistant, n.ID)
		o.must(err)
		arrivals := 0
		for _, r := range records {
			if r.To == state && r.From != state {
				arrivals++
			}
		}
		if arrivals != 1 {
			o.lie(nil, "the history has a step %d times", arrivals)
		}
	}
	var taken []string
	remote, _ := o.platform.Event(event)
	for _, step := range remote.Steps {
		taken = append(taken, step.Action)
	}
	if !slices.Equal(taken, steps) || remote.Created != 1 {
		o.lie(nil, "in Pago In Rete the steps are %v, and the event was created %d times", taken, remote.Created)
		o.twice += max(0, len(taken)-len(steps))
	}
}

// killReconcile kills riconcilia while it applies files to the archive of a demonstration. In the end
// it must print the same as without kills.
func killReconcile(t *trial) {
	t.platform.server.Close()
	t.platform = nil
	demo, err := t.demonstration()
	t.must(err)
	right, killed := t.path("scuola"), t.path("scuola2")
	t.must(os.CopyFS(right, os.DirFS(demo)))
	t.must(os.CopyFS(killed, os.DirFS(demo)))
	start := func(folder string) *command {
		return t.begin(t.programs.segreteria, nil, append([]string{"riconcilia", "--dir", folder}, t.programs.paymentFiles...)...)
	}
	t.judge(start(right))
	want := t.judge(start(right)) // it says that the files were applied before
	t.killAgain(func() *command { return start(killed) })
	t.judge(start(killed))
	if got := t.judge(start(killed)); got.out.String() != want.out.String() || got.code() != want.code() {
		t.lie(got, "without kills it is (exit code %d):\n%s", want.code(), want.out.String())
	}
	t.must(errors.Join(os.RemoveAll(right), os.RemoveAll(killed)))
}

// demonstration plays the demonstration of segreteria once, and returns its folder.
func (h *harness) demonstration() (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	folder := filepath.Join(h.folder, "scuola")
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		return folder, err
	}
	said, err := exec.Command(h.programs.segreteria, "--dir", folder).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("segreteria: %w\n%s", err, lastLine(string(said)))
	}
	if !strings.Contains(string(said), "L'esito") {
		return "", errors.New("segreteria did not play to its end")
	}
	return folder, nil
}
