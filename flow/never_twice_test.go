package flow_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"golang.org/x/text/unicode/norm"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
)

var neverTwiceSeeds = flag.Int("never-twice-seeds", 40, "how many random runs TestNobodyIsNotifiedTwice makes; with -short, 5")

// Three operators and two dispatchers share a store. The operators import files that overlap, edit,
// activate, send, decide, disable and anonymise; the platform fails in every way; processes of both
// are killed. Then the faults end, and an operator sends or resolves all that is left.
//
// By the record of the platform, no citizen has a message more often than ordered, and each
// message of an enabled notification has arrived.
func TestNobodyIsNotifiedTwice(t *testing.T) {
	seeds := *neverTwiceSeeds
	if testing.Short() {
		seeds = min(seeds, 5)
	}
	var done tally
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { done.add(newTown(t, seed).live(t)) })
		})
	}
	t.Logf("%+v", done)
	if seeds >= 20 { // fewer runs may miss a rare step
		for name, n := range map[string]int{
			"deliveries": done.Deliveries, "messages": done.Messages, "orders": done.Orders, "skipped": done.Skipped,
			"kills": done.Kills, "anonymised": done.Anonymised, "rejected": done.Rejected, "disabled duplicates": done.Duplicates,
		} {
			assert.NotZero(t, n, "%s: the test does not come to what it is for", name)
		}
	}
}

// tally counts the events of all runs, to show that each kind occurs.
type tally struct {
	Deliveries, Messages, Orders, Skipped, Kills, Anonymised, Rejected, Duplicates int
}

func (a *tally) add(b tally) {
	a.Deliveries += b.Deliveries
	a.Messages += b.Messages
	a.Orders += b.Orders
	a.Skipped += b.Skipped
	a.Kills += b.Kills
	a.Anonymised += b.Anonymised
	a.Rejected += b.Rejected
	a.Duplicates += b.Duplicates
}

// messageKey is a message of a service to a citizen, for an occasion.
type messageKey struct {
	service string
	to      flussi.FiscalCode
	subject string
	mark    int // of the occasion
}

// Each message has a mark of its occasion: a number of zero-width spaces. The platform does not get
// the occasion, so the mark tells its deliveries apart.
const occasionMark = "\u200b"

var occasions = []string{"", "Sollecito marzo", "rata di aprile"}

func keyOf(service string, to flussi.FiscalCode, subject flussi.Text) messageKey {
	text := subject.Reveal()
	return messageKey{service, to, flow.NormalizeText(text), strings.Count(text, occasionMark)}
}

func keyOfNotification(n flow.Notification) messageKey {
	return keyOf(n.Service, n.Recipient, n.Subject)
}

// subject is the message of a row. Its spelling varies.
type subject struct{ citizen, child, occasion int }

func (l subject) draft(t testing.TB, random *rand.Rand) flow.Draft {
	d := draft(l.citizen)
	text := fmt.Sprintf("Servizi scolastici: novità per il figlio %d", l.child)
	switch random.IntN(4) {
	case 0:
		text = norm.NFD.String(text)
	case 1:
		text = strings.ReplaceAll(text, " ", "  ")
	case 2:
		text = strings.ReplaceAll(text, " ", "\u00a0") + "\r\n"
	}
	d.Subject = flussi.NewText(text + strings.Repeat(occasionMark, l.occasion))
	d.Occasion = occasions[l.occasion]
	if random.IntN(3) == 0 {
		d.Occasion = strings.ToUpper(d.Occasion)
	}
	if l.child == forbiddenChild {
		d.IsPayment, d.Amount = true, 100
		d.NoticeNumber, _ = flussi.ParseNoticeNumber("301005100001400678")
		d.Payee, _ = flussi.ParseOrganizationCode("01199250158")
	}
	return d
}

const (
	townCitizens   = 6
	townChildren   = 2
	forbiddenChild = 9 // the services may not use the payee of this row
	townLease      = 30 * time.Second
)

// town is a random run.
type town struct {
	*world
	*observer
	seed   uint64
	end    time.Time
	mu     sync.Mutex
	files  [][]subject
	forms  []uuid.UUID
	kills  int
	doubts map[messageKey]bool // messages that may not have arrived: confirmed by mistake, or rejected
}

func newTown(t *testing.T, seed uint64) *town {
	o := newObserver()
	w := newWorld(t, worldConfig{store: o, platform: appiotest.Config{Unlimited: true}, client: appio.Config{MaxAttempts: 2}})
	return &town{world: w, observer: o, seed: seed, doubts: map[messageKey]bool{}}
}

// live runs operators and dispatchers, and checks the deliveries at the end.
func (w *town) live(t *testing.T) tally {
	faults := []appiotest.Fault{
		{Kind: appiotest.ServerProblem}, {Kind: appiotest.ServerProblem, Stored: true}, {Kind: appiotest.BadGateway, Stored: true},
		{Kind: appiotest.TooManyRequests}, {Kind: appiotest.Reset}, {Kind: appiotest.Reset, Stored: true}, {Kind: appiotest.Silent, Stored: true},
		{Kind: appiotest.Silent}, {Kind: appiotest.NoID}, {Kind: appiotest.BadRequest}, {Kind: appiotest.Unauthorized},
		{Kind: appiotest.Slow, Delay: 8 * time.Second}, {Kind: appiotest.Slow, Delay: time.Second}, {Kind: appiotest.TooManyBare},
	}
	w.FailAtRandom(appiotest.SubmitMessage, 0.3, w.seed, faults...)
	w.end = time.Now().Add(4 * time.Minute)
	var group sync.WaitGroup
	for i := range 3 {
		random := rand.New(rand.NewPCG(w.seed, uint64(i)))
		group.Go(func() { w.operate(t, fmt.Sprint("operatore ", i), random) })
	}
	for i := range 2 {
		random := rand.New(rand.NewPCG(w.seed, 10+uint64(i)))
		group.Go(func() { w.dispatch(t, fmt.Sprint("dispatcher ", i), random) })
	}
	group.Wait()
	w.StopFailing()
	w.settle(t)
	return w.check(t)
}

// dispatch runs a dispatcher again and again, and stops or kills it.
func (w *town) dispatch(t *testing.T, id string, random *rand.Rand) {
	for time.Now().Before(w.end) {
		p := w.process(random)
		d := must.Get(flow.NewDispatcher(p, p.senders, flow.DispatcherConfig{
			ID: id, Workers: 3, MaxFlows: 2, Lease: townLease, ShutdownTimeout: 5 * time.Second, FailureThreshold: 6,
		}))(t)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); _ = d.Serve(ctx) }()
		time.Sleep(time.Duration(2+random.IntN(30)) * time.Second)
		if random.IntN(2) == 0 {
			p.kill()
		}
		cancel()
		<-ended
		time.Sleep(time.Duration(random.IntN(10)) * time.Second)
	}
}

// operate takes random steps, each in a new process. Some of these are killed.
func (w *town) operate(t *testing.T, id string, random *rand.Rand) {
	by := flussi.Actor{ID: id, Roles: []flussi.Role{flussi.Operator}}
	for time.Now().Before(w.end) {
		p := w.process(random)
		if random.IntN(6) == 0 {
			p.calls = 1 + random.IntN(8)
		}
		service := must.Get(flow.NewService(p, flow.Permissions{id: {taxes, school}}, p.senders, flow.ServiceConfig{Lease: townLease}))(t)
		w.step(t, service, by, random)
		time.Sleep(time.Duration(random.IntN(4000)) * time.Millisecond)
	}
}

// step takes a random step, which may be refused.
func (w *town) step(t *testing.T, s *flow.Service, by flussi.Actor, random *rand.Rand) {
	service := []string{taxes, school}[random.IntN(2)]
	f, n := w.anyFlow(t.Context(), random), w.anyNotification(t.Context(), random)
	switch random.IntN(24) {
	case 0, 1, 2:
		rows, occasion := w.file(t, random)
		_, _, _ = s.ImportFlow(t.Context(), by, service, flow.Details{}, rows, flow.AddConfig{Occasion: occasion, SkipInvalid: random.IntN(2) == 0})
	case 3:
		rows, occasion := w.file(t, random)
		_, _ = s.AddNotifications(t.Context(), by, f.ID, rows, flow.AddConfig{Occasion: occasion})
	case 4, 5, 6:
		_, _ = s.ActivateFlow(t.Context(), by, f.ID)
	case 7, 8, 9:
		_, _ = s.SendFlow(t.Context(), by, f.ID)
	case 10:
		_, _ = s.DisableFlow(t.Context(), by, f.ID)
	case 11, 12:
		_, _ = s.EnableFlow(t.Context(), by, f.ID)
	case 13:
		_, _ = s.SendNewNotification(t.Context(), by, service, w.subject(random).draft(t, random), flow.SendNewConfig{ID: w.form(random)})
	case 14:
		_, _ = s.SendNotification(t.Context(), by, n.ID)
	case 15:
		_, _ = s.EditNotification(t.Context(), by, n.ID, n.Version, w.subject(random).draft(t, random))
	case 16, 17:
		_, _ = s.EnableNotification(t.Context(), by, n.ID)
	case 18:
		if random.IntN(2) == 0 {
			_, _ = s.DisableNotification(t.Context(), by, n.ID)
			return
		}
		_, _ = s.DeactivateFlow(t.Context(), by, f.ID)
	case 19:
		_, _ = s.RegisterNotification(t.Context(), by, n.ID)
	case 20:
		_, _ = s.ResendNotification(t.Context(), by, n.ID, "ordine")
	case 21:
		w.confirm(t.Context(), s, by, n, random)
	case 22:
		if random.IntN(3) == 0 {
			_, _ = s.ResendUnknown(t.Context(), by, flow.NotificationFilter{Flow: f.ID}, "ordine per tutte")
			return
		}
		w.reject(t.Context(), s, by, n)
	case 23:
		if random.IntN(4) == 0 {
			_, _ = s.Anonymise(t.Context(), by, service, time.Now().Add(-time.Minute))
		}
	}
}

// subject returns the message for a citizen.
func (w *town) subject(random *rand.Rand) subject {
	l := subject{random.IntN(townCitizens), random.IntN(townChildren), 0}
	if random.IntN(3) == 0 {
		l.occasion = random.IntN(len(occasions))
	}
	if random.IntN(20) == 0 {
		l.child = forbiddenChild
	}
	return l
}

// file returns the rows of a file: often one that was imported before, in another spelling. Its
// occasion is that of some of the rows.
func (w *town) file(t *testing.T, random *rand.Rand) (rows func(func(flow.Row, error) bool), occasion string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var subjects []subject
	if len(w.files) > 0 && random.IntN(3) == 0 {
		subjects = w.files[random.IntN(len(w.files))]
	} else {
		of := w.subject(random).occasion
		for range 2 + random.IntN(6) {
			l := w.subject(random)
			if l.occasion == 0 {
				l.occasion = of
			}
			subjects = append(subjects, l)
		}
		w.files = append(w.files, subjects)
	}
	var drafts []flow.Draft
	occasion = occasions[subjects[0].occasion]
	for _, l := range subjects {
		d := l.draft(t, random)
		if l.occasion == subjects[0].occasion && random.IntN(2) == 0 {
			d.Occasion = "" // that of the file
		}
		if l.occasion == 0 && occasion != "" {
			continue // it would get that of the file
		}
		drafts = append(drafts, d)
	}
	return flow.DraftRows(drafts...), occasion
}

// form returns the ID of a form: sometimes of one that was submitted before.
func (w *town) form(random *rand.Rand) uuid.UUID {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.forms) == 0 || random.IntN(4) > 0 {
		w.forms = append(w.forms, uuid.New())
	}
	return w.forms[len(w.forms)-1]
}

// confirm confirms what arrived, as citizens say.
func (w *town) confirm(ctx context.Context, s *flow.Service, by flussi.Actor, n flow.Notification, random *rand.Rand) {
	arrived := w.arrived()
	if random.IntN(2) == 0 {
		if arrived[keyOfNotification(n)] > 0 {
			w.doubt(n)
			_, _ = s.ConfirmNotification(ctx, by, n.ID, "arrivata")
		}
		return
	}
	filter := flow.NotificationFilter{ErrorCodes: []flow.ErrorCode{flow.CodeOutcomeUnknown}}
	found, _ := w.observer.Notifications(ctx, filter, flow.Page{Limit: flow.MaxPage})
	for _, n := range found {
		if arrived[keyOfNotification(n)] > 0 {
			w.doubt(n)
			filter.IDs = append(filter.IDs, n.ID)
		}
	}
	if len(filter.IDs) > 0 {
		_, _ = s.ConfirmUnknown(ctx, by, filter, "arrivate")
	}
}

// reject lets the platform reject a message, and asks for it.
func (w *town) reject(ctx context.Context, s *flow.Service, by flussi.Actor, n flow.Notification) {
	if n.State != flow.NotificationSent || n.Transmission.MessageID == "" || !n.AnonymisedAt.IsZero() {
		return
	}
	w.doubt(n)
	w.SetState(string(n.Transmission.MessageID), appiotest.State{Status: "REJECTED"})
	_, _ = s.VerifyNotification(ctx, by, n.ID)
}

// doubt notes a message that may count as sent only because an operator confirmed it.
func (w *town) doubt(n flow.Notification) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.doubts[keyOfNotification(n)] = true
}

func (w *town) anyFlow(ctx context.Context, random *rand.Rand) flow.Flow {
	found, _ := w.observer.Flows(ctx, flow.FlowFilter{}, flow.Page{Limit: flow.MaxPage})
	if len(found) == 0 {
		return flow.Flow{ID: uuid.New()}
	}
	return found[random.IntN(len(found))]
}

func (w *town) anyNotification(ctx context.Context, random *rand.Rand) flow.Notification {
	found, _ := w.observer.Notifications(ctx, flow.NotificationFilter{}, flow.Page{Limit: flow.MaxPage})
	open := slices.DeleteFunc(slices.Clone(found), func(n flow.Notification) bool { return n.State != flow.NotificationFailed && !n.Disabled })
	if len(open) > 0 && random.IntN(2) == 0 {
		found = open
	}
	if len(found) == 0 {
		return flow.Notification{ID: uuid.New()}
	}
	return found[random.IntN(len(found))]
}

// arrived counts the deliveries of the platform.
func (w *town) arrived() map[messageKey]int {
	counts := map[messageKey]int{}
	for _, d := range w.Deliveries() {
		if d.State.Status != "REJECTED" {
			counts[keyOf(d.Service, d.Recipient, d.Subject)]++
		}
	}
	return counts
}
