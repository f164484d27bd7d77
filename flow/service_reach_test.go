package flow_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/leaktest"
	"github.com/flussi-go/flussi/internal/must"
)

// check collects the results of a flow's recipients from a cursor on.
func (w *world) check(t testing.TB, f flow.Flow, after flow.Cursor) ([]flow.RecipientCheck, error) {
	t.Helper()
	return pull(w.CheckRecipients(t.Context(), operator, f.ID, after))
}

// recipients are those of results.
func recipients(results []flow.RecipientCheck) (all []flussi.FiscalCode) {
	for _, r := range results {
		all = append(all, r.Notification.Recipient)
	}
	return all
}

func TestCheckRecipientsSaysWhoTakesMessages(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.AddCitizen(appiotest.Citizen{Code: citizen(1), Absent: true})
		w.AddCitizen(appiotest.Citizen{Code: citizen(2), Blocks: []string{taxes}, Languages: []string{"de_DE"}})
		w.AddCitizen(appiotest.Citizen{Code: citizen(3), Blocks: []string{school}, Languages: []string{"de_DE", "it_IT"}})
		f := w.prepared(t, 100)
		again := draft(3)
		again.Subject = flussi.NewText("Un altro oggetto riservato")
		w.add(t, f.ID, again)
		do(t, w.DisableNotification, w.notifications(t, f.ID)[4].ID)
		before := everythingIn(t, w.store)
		all := w.notifications(t, f.ID)

		got := must.Get(w.check(t, f, flow.Cursor{}))(t)
		require.Len(t, got, 100, "not what is disabled")
		assert.Equal(t, slices.Delete(all, 4, 5), notificationsOf(got), "the oldest first")
		for i, want := range map[int]flow.RecipientCheck{
			0: {Reachability: flow.ReachabilityYes, Languages: []string{"it_IT"}},
			1: {Reachability: flow.ReachabilityAbsent},
			2: {Reachability: flow.ReachabilityBlocked, Languages: []string{"de_DE"}},
			3: {Reachability: flow.ReachabilityYes, Languages: []string{"de_DE", "it_IT"}},
			// the last one is a second notification of the same citizen
			99: {Reachability: flow.ReachabilityYes, Languages: []string{"de_DE", "it_IT"}},
		} {
			want.Notification = got[i].Notification
			assert.Equal(t, want, got[i])
		}
		assert.Equal(t, 99, w.Received(appiotest.GetProfile), "each citizen once")
		assert.Zero(t, w.Received(appiotest.SubmitMessage))
		assert.Equal(t, before, everythingIn(t, w.store), "nothing is stored")
	}, unlimited)
}

// If several notifications of a citizen are checked or sent at once, the platform is asked once,
// and once more if it did not answer.
func TestProfileIsAskedForOnce(t *testing.T) {
	for failures := range 3 {
		inWorld(t, func(t *testing.T, w *world) {
			asked := func(does func()) int {
				before := w.Received(appiotest.GetProfile)
				w.FailAtRandom(appiotest.GetProfile, 1, 1, appiotest.Fault{Kind: appiotest.Slow, Delay: time.Second})
				w.Fail(appiotest.GetProfile, slices.Repeat([]appiotest.Fault{{Kind: appiotest.ServerProblem, Delay: time.Second}}, failures)...)
				does()
				return w.Received(appiotest.GetProfile) - before
			}
			f := w.prepared(t, 0)
			w.add(t, f.ID, many(64, func(i int) flow.Draft {
				d := draft(i)
				d.Recipient = citizen(i % 2)
				return d
			})...)
			assert.Equal(t, 2+failures, asked(func() { assert.Len(t, must.Get(w.check(t, f, flow.Cursor{}))(t), 64) }))
			w.ordered(t, f.ID)
			assert.Equal(t, 2+failures, asked(func() { w.dispatch(t, f.ID, flow.DispatcherConfig{CheckProfiles: true}) }))
			w.hasDelivered(t, 64)
		}, worldConfig{platform: appiotest.Config{Unlimited: true}, client: appio.Config{MaxAttempts: 1}})
	}
}

func notificationsOf(results []flow.RecipientCheck) (all []flow.Notification) {
	for _, r := range results {
		all = append(all, r.Notification)
	}
	return all
}

// After an outage the check goes on where it ended: each notification has one result. Only a few at
// the beginning and the end of the outage, beside others that had an answer, are unknown.
func TestCheckRecipientsGoesOnAfterAnOutage(t *testing.T) {
	for _, from := range []int{0, 1, 31, 32, 50, 199} {
		bubble(t, fmt.Sprint("from call ", from), func(t *testing.T) {
			w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}, client: appio.Config{MaxAttempts: 1}})
			f := w.prepared(t, 200)
			w.Fail(appiotest.GetProfile, append(make([]appiotest.Fault, from), slices.Repeat([]appiotest.Fault{{Kind: appiotest.ServerProblem}}, 100)...)...)
			var got []flow.RecipientCheck
			var after flow.Cursor
			ends := 0
			for {
				part, err := w.check(t, f, after)
				if got = append(got, part...); len(part) > 0 {
					after = part[len(part)-1].Notification.Cursor()
				}
				if err == nil {
					break
				}
				ends++
				require.Less(t, ends, 20)
				require.ErrorIs(t, err, flussi.ErrUnavailable)
				require.NotEmpty(t, flussi.Explain(err))
			}
			assert.Equal(t, w.notifications(t, f.ID), notificationsOf(got))
			unknown := 0
			for _, r := range got {
				if r.Reachability == flow.ReachabilityUnknown {
					unknown++
				}
			}
			assert.Less(t, unknown, 2*20, "of 100 calls that failed")
			if from == 0 {
				assert.NotZero(t, ends)
			}
		})
	}
}

// A refusal, and a call without an answer, belong to their citizen.
func TestCheckRecipientsGoesOnAfterARefusal(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.prepared(t, 20)
		w.Fail(appiotest.GetProfile, appiotest.Fault{}, appiotest.Fault{Kind: appiotest.BadRequest}, appiotest.Fault{Kind: appiotest.Forbidden}, appiotest.Fault{Kind: appiotest.Silent})
		got := must.Get(w.check(t, f, flow.Cursor{}))(t)
		require.Len(t, got, 20)
		kinds := map[error]int{}
		for _, r := range got {
			if assert.Equal(t, r.Err != nil, r.Reachability == flow.ReachabilityUnknown) && r.Err != nil {
				for _, kind := range []error{flussi.ErrRemoteInvalid, flussi.ErrRemoteForbidden, flussi.ErrUnavailable} {
					if errors.Is(r.Err, kind) {
						kinds[kind]++
					}
				}
				assert.NotEmpty(t, flussi.Explain(r.Err))
			}
		}
		assert.Equal(t, map[error]int{flussi.ErrRemoteInvalid: 1, flussi.ErrRemoteForbidden: 1, flussi.ErrUnavailable: 1}, kinds)
	}, worldConfig{platform: appiotest.Config{Unlimited: true}, client: appio.Config{MaxAttempts: 1}, service: flow.ServiceConfig{Workers: 1}})
}

// However many calls are refused in a row, the platform works. Citizens without an answer at the end
// of the list are returned, too.
func TestCheckRecipientsGivesAllWhileThePlatformWorks(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.prepared(t, 50)
		faults := slices.Repeat([]appiotest.Fault{{Kind: appiotest.Forbidden}}, 40)
		w.Fail(appiotest.GetProfile, append(append(faults, make([]appiotest.Fault, 5)...), slices.Repeat([]appiotest.Fault{{Kind: appiotest.ServerProblem}}, 5)...)...)
		got := must.Get(w.check(t, f, flow.Cursor{}))(t)
		require.Len(t, got, 50)
		for i, r := range got {
			assert.Equal(t, i >= 40 && i < 45, r.Reachability == flow.ReachabilityYes)
			assert.Equal(t, i < 40, errors.Is(r.Err, flussi.ErrRemoteForbidden))
			assert.Equal(t, i >= 45, errors.Is(r.Err, flussi.ErrUnavailable))
		}
	}, worldConfig{platform: appiotest.Config{Unlimited: true}, client: appio.Config{MaxAttempts: 1}, service: flow.ServiceConfig{Workers: 1}})
}

func TestCheckRecipientsEndsIfTheServiceMayNotAsk(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.prepared(t, 200)
		w.FailAtRandom(appiotest.GetProfile, 1, 1, appiotest.Fault{Kind: appiotest.Unauthorized})
		got, err := w.check(t, f, flow.Cursor{})
		require.ErrorIs(t, err, flussi.ErrUnauthorized)
		assert.Empty(t, got)
		assert.LessOrEqual(t, w.Received(appiotest.GetProfile), 32)

		w.FailAtRandom(appiotest.GetProfile, 1, 1, appiotest.Fault{Kind: appiotest.TooManyRequests, RetryAfter: time.Hour})
		_, err = w.check(t, f, flow.Cursor{})
		require.ErrorIs(t, err, flussi.ErrRateLimited)
		assert.Contains(t, flussi.Explain(err), "riprendere la verifica dopo quel momento")
		w.FailAtRandom(appiotest.GetProfile, 0, 1)

		w.refused(t, flussi.ErrNotFound, func() error { return must.Err(pull(w.CheckRecipients(t.Context(), stranger, f.ID, flow.Cursor{}))) })
		reader := flussi.Actor{ID: operator.ID}
		w.refused(t, fsm.ErrRole, func() error { return must.Err(pull(w.CheckRecipients(t.Context(), reader, f.ID, flow.Cursor{}))) })
	}, unlimited)
}

// A gateway that does not know the address says nothing about citizens.
func TestWrongAddressMakesNobodyUnreachable(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.prepared(t, 5)
		real := must.Get(w.senders(t.Context(), taxes))(t)
		w.senders = func(context.Context, string) (flow.Sender, error) { return unknownAddress{real}, nil }
		s := newService(t, w.store, w.senders)
		got, err := pull(s.CheckRecipients(t.Context(), operator, f.ID, flow.Cursor{}))
		assert.Empty(t, got)
		require.ErrorIs(t, err, flussi.ErrRemoteNotFound)
		w.ordered(t, f.ID)
		sent, err := w.dispatcher(t, flow.DispatcherConfig{CheckProfiles: true}).Run(t.Context(), f.ID)
		require.ErrorAs(t, err, new(*flow.StopError))
		assert.Equal(t, flow.Counts{Registered: 5}, sent.Counts)
	})
}

// unknownAddress is a sender whose gateway does not know the address.
type unknownAddress struct{ flow.Sender }

func (unknownAddress) Profile(context.Context, flussi.FiscalCode) (appio.Profile, error) {
	return appio.Profile{}, &flussi.RemoteError{Operation: "get profile", Kind: flussi.ErrRemoteNotFound, Status: 404}
}

// The check keeps the body's pace, gives results as they are known, and ends with its consumer.
func TestCheckRecipientsKeepsThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{client: appio.Config{Pace: newPace(t)}})
		f := w.prepared(t, 600)
		start, given := time.Now(), 0
		for r, err := range w.CheckRecipients(t.Context(), operator, f.ID, flow.Cursor{}) {
			require.NoError(t, err)
			require.Equal(t, flow.ReachabilityYes, r.Reachability)
			if given++; given == 100 {
				assert.Less(t, time.Since(start), 5*time.Second)
			}
		}
		assert.Equal(t, 600, given)
		assert.GreaterOrEqual(t, time.Since(start), 14*time.Second, "150 calls in 5 seconds")
		assert.LessOrEqual(t, time.Since(start), 21*time.Second)

		asked := w.Received(appiotest.GetProfile)
		for range w.CheckRecipients(t.Context(), operator, f.ID, flow.Cursor{}) {
			break
		}
		assert.LessOrEqual(t, w.Received(appiotest.GetProfile)-asked, 32)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		got, err := pull(w.CheckRecipients(ctx, operator, f.ID, flow.Cursor{}))
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		rest := must.Get(w.check(t, f, got[len(got)-1].Notification.Cursor()))(t)
		assert.Len(t, append(recipients(got), recipients(rest)...), 600)
	})
}

func TestRecipientChecksDoNotShowCitizens(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.prepared(t, 3)
		w.Fail(appiotest.GetProfile, appiotest.Fault{Kind: appiotest.BadRequest})
		s := leaktest.New()
		for r, err := range w.CheckRecipients(t.Context(), operator, f.ID, flow.Cursor{}) {
			s.Print(r, err, r.Err)
			s.Logger().Info("check", "result", r, "error", err)
		}
		s.Check(t, citizen(0).Reveal(), citizen(1).Reveal(), citizen(2).Reveal())
	})
}

func TestReachabilityLabels(t *testing.T) {
	labels := map[flow.Reachability]string{
		flow.ReachabilityYes: "Raggiungibile", flow.ReachabilityAbsent: "Non è su App IO", flow.ReachabilityBlocked: "Servizio bloccato",
		flow.ReachabilityUnknown: "Non verificato", "altro": "altro",
	}
	for r, want := range labels {
		assert.Equal(t, want, r.Label())
	}
}
