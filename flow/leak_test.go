package flow_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/internal/leaktest"
	"github.com/flussi-go/flussi/internal/must"
)

// What must not be seen anywhere. The fiscal codes of leakDraft begin with leakCode.
const (
	leakCode    = "ZQXJKW"
	leakSubject = "Oggettosegretissimo"
	leakContent = "Contenutosegretissimo"
	leakNote    = "Notasegretissima"
	leakReason  = "Motivosegretissimo"
	leakSearch  = "Cercatosegretissimo"
	leakNotice  = "30100510000140067" // the 18th digit differs
)

func leakSecrets() []string {
	secrets := []string{leakCode, leakSubject, leakContent, leakNote, leakReason, leakSearch, leakNotice}
	for _, key := range ctxKeys {
		secrets = append(secrets, key)
	}
	return secrets
}

// spy is a recorder for this package.
type spy struct {
	*leaktest.Recorder
}

func newSpy() spy { return spy{leaktest.New()} }

// printResult prints what a call returned.
func (s spy) printResult(value any, err error) {
	_ = s.PrintError(err)
	s.Print(value)
}

// printAll prints all that a store holds.
func (s spy) printAll(t testing.TB, store flow.Store) {
	e := everythingIn(t, store)
	for _, f := range e.flows {
		records := e.flowRecords[f.ID]
		s.Print(f)
		s.Print(records)
		s.Print(flow.FlowChange{Flow: f, Record: records[0]})
		fmt.Fprintln(s, f.Details, f.Error)
		for _, r := range records {
			if r.Action != flow.FlowEdit {
				fmt.Fprintln(s, r.Explanation().Reveal()) // the texts of the library
			}
		}
	}
	for i, n := range e.notifications {
		records := e.records[n.ID]
		s.Print(n)
		s.Print(records)
		fmt.Fprintln(s, n.Transmission.Error, n.Transmission.ErrorCode.Italian(), n.Transmission.Answer.Reveal())
		for _, r := range records {
			if r.Action != flow.NotificationConfirm && r.Action != flow.NotificationResend {
				fmt.Fprintln(s, r.Explanation().Reveal())
			}
		}
		if i == 0 {
			s.Print(n.Draft)
			s.Print(n.Message())
			s.Print(flow.NotificationChange{Notification: n, Record: records[0]})
		}
	}
}

func (s spy) check(t *testing.T, secrets ...string) {
	t.Helper()
	s.Check(t, append(secrets, leakSecrets()...)...)
}

// leakDraft returns a draft of secrets, valid, for one of 26 citizens.
func leakDraft(n int) flow.Draft {
	code, _ := flussi.ParseFiscalCode(fmt.Sprintf("%s80A%02dH501X", leakCode, n+1))
	notice, _ := flussi.ParseNoticeNumber(leakNotice + fmt.Sprint(n%10))
	return flow.Draft{
		Recipient: code, Subject: flussi.NewText(fmt.Sprint(leakSubject, " ", n)), Content: flussi.NewText(strings.Repeat(leakContent+" ", 10)),
		IsPayment: true, Amount: 1234, NoticeNumber: notice,
	}
}

func leakDrafts(n int) []flow.Draft { return many(n, leakDraft) }

// printing is an observer that prints what it receives.
func printing(s spy) flow.Observer {
	return flow.Observer{
		SubmissionStarted: func(ctx context.Context, what flow.Submission) context.Context {
			s.Print(what)
			return ctx
		},
		SubmissionEnded: func(_ context.Context, what flow.Submission, r flow.SubmissionResult) { s.Print(what, r) },
		Claimed:         func(_ context.Context, c flow.ClaimResult) { s.Print(c) },
		LeaseRescued:    func(_ context.Context, l flow.RescuedLease) { s.Print(l) },
		StoreCalled:     func(_ context.Context, c flow.StoreCall) { s.Print(c) },
		SendingChanged:  func(_ context.Context, c flow.SendingChange) { s.Print(c) },
	}
}

// leakFlow makes a flow of secrets, and orders its sending.
func (w *world) leakFlow(t testing.TB, n int) flow.Flow {
	t.Helper()
	f := do2(t, w.CreateFlow, taxes, flow.Details{Note: flussi.NewText(leakNote)})
	must.Get(w.AddNotifications(t.Context(), operator, f.ID, flow.DraftRows(leakDrafts(n)...), flow.AddConfig{Occasion: w.occasion()}))(t)
	do(t, w.ActivateFlow, f.ID)
	return do(t, w.SendFlow, f.ID)
}

// Every fault of the platform, in every operation, through everything that talks to it.
func TestNoFaultOfThePlatformShowsASecret(t *testing.T) {
	for _, fault := range append(appiotest.Faults(), appiotest.Fault{Kind: appiotest.Slow, Delay: 20 * time.Second}, appiotest.Fault{}) {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			s := newSpy()
			synctest.Test(t, func(t *testing.T) {
				for _, profiles := range []bool{false, true} {
					w := newWorld(t, worldConfig{
						platform: appiotest.Config{Unlimited: true}, client: appio.Config{
							Logger: s.Logger(), MaxAttempts: 2, Attempted: func(_ context.Context, a flussi.Attempt) { s.Print(a) },
						},
						service: flow.ServiceConfig{CheckProfiles: profiles, Observer: printing(s)},
					})
					strike := func(rate float64, ops ...appiotest.Operation) {
						for _, op := range ops {
							w.FailAtRandom(op, rate, 1, fault)
						}
					}
					config := flow.DispatcherConfig{
						Logger: s.Logger(), Workers: 2, FailureThreshold: 3, CheckProfiles: profiles, Observer: printing(s),
					}
					d := w.dispatcher(t, config)
					fine := w.sendNew(t, leakDraft(20))
					if fault.Kind != "" {
						if profiles {
							strike(1, appiotest.GetProfile)
						} else {
							strike(1, appiotest.SubmitMessage)
						}
						strike(1, appiotest.GetMessage)
					}
					f := w.leakFlow(t, 4)
					for range 2 {
						got, err := d.Run(t.Context(), f.ID)
						s.Print(got)
						var stopped *flow.StopError
						if s.PrintError(err); errors.As(err, &stopped) {
							fmt.Fprintln(s, stopped.Reason)
						}
						_, err = w.SendFlow(t.Context(), operator, f.ID)
						s.PrintError(err)
					}
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					s.PrintError(d.Serve(ctx))
					cancel()
					n, err := w.SendNewNotification(t.Context(), operator, taxes, leakDraft(21), flow.SendNewConfig{})
					s.printResult(n, err)
					s.printResult(w.SendNotification(t.Context(), operator, n.ID))
					s.printResult(w.VerifyNotification(t.Context(), operator, fine.ID))
					// The messages of the flow exist now, so that they can be asked for.
					strike(0, appiotest.SubmitMessage, appiotest.GetProfile)
					again := w.leakFlow(t, 3)
					_, err = d.Run(t.Context(), again.ID)
					s.PrintError(err)
					s.printResult(w.VerifyFlow(t.Context(), operator, again.ID))
					s.printResult(d.VerifyService(t.Context(), taxes, time.Time{}))
					strike(0, appiotest.GetMessage)
					for _, delivery := range w.Deliveries() {
						w.SetState(delivery.ID, appiotest.State{Status: "REJECTED"})
					}
					s.printResult(w.VerifyFlow(t.Context(), operator, again.ID))
					s.Print(w.Service)
					s.Print(d)
					s.printAll(t, w.store)
				}
			})
			s.check(t)
		})
	}
}

// A platform that quotes the key and the whole request in each answer.
func TestNoQuoteOfThePlatformShowsASecret(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 409, 413, 422, 429, 500} {
		for _, quotes := range []string{"title", "detail", "message"} {
			for _, profiles := range []bool{false, true} {
				t.Run(fmt.Sprint(status, " in ", quotes, ", profiles ", profiles), func(t *testing.T) {
					t.Parallel()
					s := newSpy()
					synctest.Test(t, func(t *testing.T) {
						refuses := false
						w := inPipes(t, http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
							body := must.Get(io.ReadAll(r.Body))(t)
							switch {
							case refuses:
								said := fmt.Sprintf("Refused %s %s with %s: %s", r.Method, r.URL.Path, r.Header.Get("Ocp-Apim-Subscription-Key"), body)
								answer := must.Get(json.Marshal(map[string]any{"status": status, "statusCode": status, quotes: said}))(t)
								reply{status: status, kind: "application/json", body: string(answer)}.write(out)
							case strings.HasSuffix(r.URL.Path, "/profiles"):
								reply{status: 200, kind: "application/json", body: `{"sender_allowed":true}`}.write(out)
							case r.Method == http.MethodGet:
								reply{status: 200, kind: "application/json", body: `{"message":{},"status":"ACCEPTED"}`}.write(out)
							default:
								reply{status: 201, kind: "application/json", body: `{"id":"01JN6Q5CZ3VGTA4X4QJEFR95C1"}`}.write(out)
							}
						}), worldConfig{client: appio.Config{Logger: s.Logger(), MaxAttempts: 2}, service: flow.ServiceConfig{CheckProfiles: profiles}})
						fine := w.sendNew(t, leakDraft(20))
						refuses = true
						f := w.leakFlow(t, 8)
						d := w.dispatcher(t, flow.DispatcherConfig{Logger: s.Logger(), Workers: 2, RefusalThreshold: 3, FailureThreshold: 3, CheckProfiles: profiles})
						for range 3 {
							got, err := d.Run(t.Context(), f.ID)
							s.printResult(got, err)
							_, err = w.SendFlow(t.Context(), operator, f.ID)
							s.PrintError(err)
						}
						n, err := w.SendNewNotification(t.Context(), operator, taxes, leakDraft(21), flow.SendNewConfig{})
						s.printResult(n, err)
						fmt.Fprintln(s, flussi.Explain(err))
						report, err := d.VerifyService(t.Context(), taxes, time.Time{})
						s.printResult(report, err)
						for _, failure := range report.Failures {
							s.PrintError(failure.Err)
							fmt.Fprintln(s, flussi.Explain(failure.Err))
						}
						s.printResult(w.VerifyNotification(t.Context(), operator, fine.ID))
						s.printAll(t, w.store)
					})
					s.check(t)
				})
			}
		}
	}
}

// faultyStore fails in one of its methods, once it is told to.
type faultyStore struct {
	proxy
	Store flow.Store
	mu    sync.Mutex
	fails string // the method, or anyMethod
	from  int    // how many calls of it succeed before
	times int    // how many fail then
	err   error
}

const anyMethod = "any"

func newFaultyStore(store flow.Store) *faultyStore {
	s := &faultyStore{Store: store}
	s.proxy = func(ctx context.Context, call storeCall) (storeReply, error) {
		if err := s.fault(call.Method); err != nil {
			return storeReply{}, err
		}
		return perform(ctx, store, call)
	}
	return s
}

// set tells it to fail from now on.
func (s *faultyStore) set(fails string, from, times int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails, s.from, s.times, s.err = fails, from, times, err
}

func (s *faultyStore) fault(method string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.fails != method && s.fails != anyMethod:
	case s.from > 0:
		s.from--
	case s.times > 0:
		s.times--
		return s.err
	}
	return nil
}

// Every method of the service and the dispatcher, while one of the store's fails.
func TestNoFailureOfTheStoreShowsASecret(t *testing.T) {
	failures := 3
	if raceEnabled {
		failures = 1
	}
	for _, fails := range []string{
		"Flow", "Flows", "FlowHistory", "SaveFlow", "SaveImport", "Notification", "Notifications", "NotificationHistory", "SaveNotifications", "Claim", "Expired",
	} {
		for cause, times := range map[error]int{errors.New("disk full"): 1000, &flussi.Error{Operation: "save", Err: flussi.ErrConflict}: 5} {
			t.Run(fmt.Sprint(fails, ", ", cause), func(t *testing.T) {
				t.Parallel()
				s := newSpy()
				failed := 0
				synctest.Test(t, func(t *testing.T) {
					for from := range failures {
						store := newFaultyStore(memstore.New())
						w := newWorld(t, worldConfig{store: store, client: appio.Config{Logger: s.Logger()}})
						on := leakScene(t, w)
						run := w.leakFlow(t, 3)
						for _, m := range methods {
							store.set(fails, from, times, cause)
							got, err := m.Do(t.Context(), stage{w.Service, on}, operator)
							if s.PrintError(err); errors.Is(err, cause) {
								failed++
							}
							s.Print(got)
						}
						store.set(fails, 0, 0, nil)
						if now := w.flow(t, run.ID); now.Disabled { // by DeclareRestored
							must.Get(w.EnableFlow(t.Context(), operator, run.ID))(t)
						}
						d := w.dispatcher(t, flow.DispatcherConfig{Logger: s.Logger(), Lease: 10 * time.Second, PollInterval: 5 * time.Second})
						for range 2 {
							store.set(fails, from, times, cause)
							ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
							if _, err := d.Run(ctx, run.ID); s.PrintError(err) != nil {
								failed++
							}
							cancel()
							store.set(fails, from, times, cause)
							if _, err := d.RescueExpired(t.Context()); s.PrintError(err) != nil {
								failed++
							}
							report, err := d.VerifyService(t.Context(), taxes, time.Time{})
							if s.Print(report); s.PrintError(err) != nil {
								failed++
							}
							ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
							s.PrintError(d.Serve(ctx))
							cancel()
						}
						s.printAll(t, store.Store)
					}
				})
				s.check(t)
				assert.NotZero(t, failed, "the store's failure never came through")
			})
		}
	}
}

// leakScene is a scene of secrets.
func leakScene(t testing.TB, w *world) scene {
	t.Helper()
	on := sceneOf(t, w)
	edited := must.Get(w.EditFlow(t.Context(), operator, on.inactive.ID, on.inactive.Version, flow.Details{Note: flussi.NewText(leakNote)}))(t)
	on.inactive = edited
	for i, n := range []*flow.Notification{&on.draft, &on.refused, &on.unknown, &on.alsoUnknown} {
		n.Draft = leakDraft(10 + i) // past the service, which does not edit what may have arrived
		require.NoError(t, w.store.SaveNotifications(t.Context(), flow.NotificationChange{Notification: *n,
			Record: flow.NotificationRecord{Action: flow.NotificationEdit, From: n.State, To: n.State}}))
		n.Version++
	}
	on.inactive = w.flow(t, on.inactive.ID)
	return on
}

// What is refused by rule: data that are not valid, duplicates, conflicts, states.
func TestNoRefusalShowsASecret(t *testing.T) {
	s := newSpy()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{client: appio.Config{Logger: s.Logger()}, service: flow.ServiceConfig{CheckProfiles: true}})
		on := leakScene(t, w)
		ctx := t.Context()
		wrong := map[string]func(*flow.Draft){
			"nothing":      func(d *flow.Draft) { *d = flow.Draft{} },
			"no recipient": func(d *flow.Draft) { d.Recipient = flussi.FiscalCode{} },
			"short": func(d *flow.Draft) {
				d.Subject, d.Content = flussi.NewText(leakSubject[:9]), flussi.NewText(leakContent)
			},
			"long":               func(d *flow.Draft) { d.Subject = flussi.NewText(strings.Repeat(leakSubject, 10)) },
			"too long":           func(d *flow.Draft) { d.Content = flussi.NewText(strings.Repeat(leakContent, 1000)) },
			"not UTF-8":          func(d *flow.Draft) { d.Subject = flussi.NewText(leakSubject + "\xff") },
			"front matter":       func(d *flow.Draft) { d.Content = flussi.NewText("---\n" + d.Content.Reveal()) },
			"no payment":         func(d *flow.Draft) { d.IsPayment = false },
			"no amount":          func(d *flow.Draft) { d.Amount = 0 },
			"too much":           func(d *flow.Draft) { d.Amount = 1 << 50 },
			"no notice number":   func(d *flow.Draft) { d.NoticeNumber = flussi.NoticeNumber{} },
			"impossible date":    func(d *flow.Draft) { d.DueDate = time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC) },
			"too long reference": func(d *flow.Draft) { d.Reference = strings.Repeat("x", 256) },
		}
		var rows []flow.Draft
		for name, spoil := range wrong {
			d := leakDraft(5)
			spoil(&d)
			s.Print(d)
			rows = append(rows, d, d)
			s.PrintError(d.Validate(flow.GuideLimits()))
			_, err := w.EditNotification(ctx, operator, on.draft.ID, on.draft.Version, d)
			require.Error(t, s.PrintError(err), name)
			_, err = w.SendNewNotification(ctx, operator, taxes, d, flow.SendNewConfig{})
			require.Error(t, s.PrintError(err), name)
		}
		rows = append(rows, leakDraft(6), leakDraft(6), leakDraft(10))
		for _, good := range []bool{false, true} {
			report, err := w.AddNotifications(ctx, operator, on.inactive.ID, flow.DraftRows(rows...), flow.AddConfig{SkipInvalid: good})
			require.Equal(t, !good, s.PrintError(err) != nil)
			s.Print(report)
			for _, e := range report.Errors {
				s.Print(*e)
				s.PrintError(e)
			}
		}
		f := w.created(t)
		report := w.add(t, f.ID, leakDraft(6), leakDraft(10), leakDraft(11))
		require.Len(t, report.Duplicates, 2)
		s.Print(report)
		for _, d := range report.Duplicates {
			s.Print(d)
			s.Print(d.Italian())
		}

		refusals := 0
		refused := func(_ any, err error) {
			t.Helper()
			refusals++
			require.Error(t, s.PrintError(err))
		}
		long := flussi.NewText(strings.Repeat(leakNote, 1000))
		refused(w.CreateFlow(ctx, operator, taxes, flow.Details{Note: long}))
		refused(w.EditFlow(ctx, operator, on.inactive.ID, on.inactive.Version, flow.Details{Note: long}))
		refused(w.EditFlow(ctx, operator, on.inactive.ID, 1, flow.Details{Note: flussi.NewText(leakNote)}))
		refused(w.EditNotification(ctx, operator, on.draft.ID, 99, leakDraft(7)))
		require.Equal(t, 1, w.add(t, on.inactive.ID, leakDraft(8)).Added)
		refused(w.EditNotification(ctx, operator, on.draft.ID, on.draft.Version, leakDraft(8)))
		refused(w.RegisterNotification(ctx, operator, on.unknown.ID))
		refused(w.ConfirmNotification(ctx, operator, on.refused.ID, leakReason))
		refused(w.ConfirmNotification(ctx, operator, on.unknown.ID, ""))
		refused(w.ConfirmNotification(ctx, operator, on.unknown.ID, strings.Repeat(leakReason, 1000)))
		refused(w.ResendNotification(ctx, operator, on.refused.ID, leakReason))
		do2(t, w.ConfirmNotification, on.unknown.ID, leakReason)
		do2(t, w.ResendNotification, on.alsoUnknown.ID, leakReason)
		refused(w.VerifyNotification(ctx, operator, on.unknown.ID))
		refused(w.VerifyNotification(ctx, operator, on.draft.ID))
		refused(w.SendNotification(ctx, operator, on.draft.ID))
		refused(w.DeactivateFlow(ctx, operator, on.incomplete.ID))
		refused(w.SendFlow(ctx, operator, on.disabled.ID))
		refused(w.VerifyFlow(ctx, operator, on.inactive.ID))
		refused(w.Flows(ctx, operator, flow.FlowFilter{Text: leakSearch[:2]}, flow.Page{}))
		refused(w.Flows(ctx, operator, flow.FlowFilter{Text: leakSearch}, flow.Page{Limit: -1}))
		refused(w.Notifications(ctx, operator, flow.NotificationFilter{Text: leakSearch, Recipient: leakDraft(1).Recipient, Services: []string{school}}, flow.Page{}))
		refused(w.Notifications(ctx, operator, flow.NotificationFilter{Text: leakSearch}, flow.Page{Limit: 1001}))
		s.Print(flow.NotificationFilter{Recipient: leakDraft(1).Recipient, NoticeNumber: leakDraft(1).NoticeNumber})
		refused(w.Anonymise(ctx, operator, taxes, time.Now().Add(time.Hour)))
		refused(flow.NewNotification("", leakDraft(1).Recipient, operator))
		refused(w.dispatcher(t, flow.DispatcherConfig{Logger: s.Logger()}).Run(ctx, on.inactive.ID))

		// Sent, and the same again; blocked; cancelled.
		sent := w.sendNew(t, leakDraft(16))
		s.Print(sent)
		refused(w.SendNewNotification(ctx, operator, taxes, leakDraft(16), flow.SendNewConfig{}))
		refused(w.SendNewNotification(ctx, operator, taxes, leakDraft(16), flow.SendNewConfig{ID: sent.ID}))
		w.AddCitizen(appiotest.Citizen{Code: leakDraft(17).Recipient, Blocks: []string{taxes}})
		refused(w.SendNewNotification(ctx, operator, taxes, leakDraft(17), flow.SendNewConfig{}))
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		for _, m := range methods {
			got, err := m.Do(cancelled, stage{w.Service, on}, operator)
			s.Print(got)
			refused(got, err)
		}
		time.Sleep(time.Second)
		do2(t, w.Anonymise, taxes, time.Now())
		refused(w.VerifyNotification(ctx, operator, sent.ID))
		s.printAll(t, w.store)
		assert.Greater(t, refusals, 50)
	})
	s.check(t, leakSubject[:9])
}

// SenderFor that fail in ways of their own, and one that refuses by quoting fields.
func TestNoSenderShowsASecret(t *testing.T) {
	for name, submit := range map[string]error{
		"not valid": &flussi.InvalidError{Fields: []*flussi.ValueError{{Type: "content.subject", Err: flussi.ErrLength, Reason: "L'oggetto è troppo lungo."}}},
		"no answer": context.DeadlineExceeded,
		"problem": &flussi.RemoteError{Operation: "submit message", Kind: flussi.ErrRemoteInvalid, Outcome: flussi.OutcomeRefused, Status: 400,
			Problem: &flussi.Problem{Detail: flussi.NewText(leakContent + leakCode)}, Err: errors.New(leakSubject)},
		"cause": &flussi.RemoteError{Operation: "submit message", Kind: flussi.ErrOutcomeUnknown, Outcome: flussi.OutcomeUnknown,
			Err: fmt.Errorf("POST %s: %w", leakCode, context.DeadlineExceeded)},
		"not sent": &flussi.RemoteError{Operation: "submit message", Kind: flussi.ErrUnavailable, Outcome: flussi.OutcomeNotDone,
			Err: fmt.Errorf("POST %s: %w", leakCode, context.Canceled)},
		"key": &flussi.RemoteError{Operation: "submit message", Kind: flussi.ErrUnauthorized, Outcome: flussi.OutcomeRefused,
			Problem: &flussi.Problem{Detail: flussi.NewText(ctxKeys[taxes])}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSpy()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				f := w.leakFlow(t, 3)
				w.senders = func(context.Context, string) (flow.Sender, error) { return brokenSender{submit}, nil }
				service := newService(t, w.store, w.senders)
				n, err := service.SendNewNotification(t.Context(), operator, taxes, leakDraft(9), flow.SendNewConfig{})
				require.Error(t, s.PrintError(err))
				s.Print(n)
				_, err = w.dispatcher(t, flow.DispatcherConfig{Logger: s.Logger()}).Run(t.Context(), f.ID)
				s.PrintError(err)
				s.printAll(t, w.store)
			})
			s.check(t)
		})
	}
}

// brokenSender fails.
type brokenSender struct{ err error }

func (m brokenSender) Submit(context.Context, appio.Message) (appio.Receipt, error) {
	return appio.Receipt{}, m.err
}
func (m brokenSender) Message(context.Context, flussi.FiscalCode, appio.MessageID) (appio.MessageState, error) {
	return appio.MessageState{}, m.err
}
func (m brokenSender) Profile(context.Context, flussi.FiscalCode) (appio.Profile, error) {
	return appio.Profile{}, m.err
}
