package restgateway_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/restgateway"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

func TestAConfigurationIsChecked(t *testing.T) {
	good := restgateway.Config{BaseURL: "https://pagoinrete.example/v1"}
	for name, test := range map[string]struct {
		key    string
		school string
		change func(*restgateway.Config)
		want   []string
	}{
		"right":                {clientKey, clientSchool, func(*restgateway.Config) {}, nil},
		"no key":               {"", clientSchool, func(*restgateway.Config) {}, []string{"no key"}},
		"no school":            {clientKey, "", func(*restgateway.Config) {}, []string{"School"}},
		"another school":       {clientKey, "rmic8ga002", func(*restgateway.Config) {}, []string{"School"}},
		"no address":           {clientKey, clientSchool, func(c *restgateway.Config) { c.BaseURL = "" }, []string{"no BaseURL"}},
		"no URL":               {clientKey, clientSchool, func(c *restgateway.Config) { c.BaseURL = "x" }, []string{"not an http or https URL"}},
		"no TLS":               {clientKey, clientSchool, func(c *restgateway.Config) { c.BaseURL = "http://pagoinrete.example" }, []string{"without TLS"}},
		"no TLS, on purpose":   {clientKey, clientSchool, func(c *restgateway.Config) { c.BaseURL, c.AllowHTTP = "http://pagoinrete.example", true }, nil},
		"no TLS, this machine": {clientKey, clientSchool, func(c *restgateway.Config) { c.BaseURL = "http://127.0.0.1:1" }, nil},
		"without an end": {clientKey, clientSchool, func(c *restgateway.Config) {
			c.Calls, c.MaxAttempts, c.MaxWait = math.MaxInt, math.MaxInt, math.MaxInt64
		},
			[]string{"Calls are", "MaxAttempts is", "MaxWait is"}},
		"everything at once": {"", "", func(c *restgateway.Config) { *c = restgateway.Config{Calls: -1, MaxAttempts: -1, MaxWait: -1} },
			[]string{"no key", "School", "no BaseURL", "Calls", "MaxAttempts", "MaxWait"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := good
			test.change(&c)
			key, _ := flussi.ParseKey(test.key)
			client, err := restgateway.New(key, test.school, c)
			if test.want == nil {
				assert.NoError(t, err)
				assert.NotNil(t, client)
				return
			}
			assert.ErrorIs(t, err, flussi.ErrConfig)
			assert.Nil(t, client)
			for _, want := range test.want {
				assert.ErrorContains(t, err, want)
			}
			assert.NotContains(t, err.Error(), clientKey)
		})
	}
}

// What need not be asked is refused without a call.
func TestWhatCannotBeRightIsNotSent(t *testing.T) {
	calls := 0
	client := clientOf(t, func(*http.Request) (*http.Response, error) { calls++; return nil, errors.New("asked") })
	ctx, e := t.Context(), clientEvent(t)
	n := clientNotice(t, e)
	put := func(change func(*pagoinrete.Event)) error {
		other := e
		change(&other)
		_, err := client.PutEvent(ctx, clientOffice(), other)
		return err
	}
	for name, test := range map[string]struct {
		do   func() error
		want error
	}{
		"an event of another school": {func() error { return put(func(e *pagoinrete.Event) { e.School = "MIIC000001" }) }, flussi.ErrRemoteForbidden},
		"an event without an ID":     {func() error { return put(func(e *pagoinrete.Event) { e.ID = uuid.Nil }) }, flussi.ErrRemoteInvalid},
		"an event without a name":    {func() error { return put(func(e *pagoinrete.Event) { e.Name = "" }) }, flussi.ErrRemoteInvalid},
		"an event by nobody": {func() error {
			return second(client.PutEvent(ctx, flussi.Actor{Roles: clientOffice().Roles}, e))
		}, flussi.ErrRemoteForbidden},
		"a notice of another school": {func() error {
			other := n
			other.School = "MIIC000001"
			_, err := client.PutNotice(ctx, clientOffice(), other)
			return err
		}, flussi.ErrRemoteForbidden},
		"a notice without a debtor": {func() error {
			other := n
			other.Debtor = flussi.FiscalCode{}
			_, err := client.PutNotice(ctx, clientOffice(), other)
			return err
		}, flussi.ErrRemoteInvalid},
		"a step that is none, with an event": {func() error {
			return second(client.MoveEvent(ctx, clientOffice(), e.ID, pagoinrete.EventSave, flussi.Text{}))
		}, flussi.ErrRemoteInvalid},
		"a step that is none, with a notice": {func() error {
			return second(client.MoveNotice(ctx, clientOffice(), n.ID, pagoinrete.NoticePay, pagoinrete.Proof{}))
		}, flussi.ErrRemoteInvalid},
	} {
		err := test.do()
		assert.ErrorIs(t, err, test.want, name)
		assert.Equal(t, flussi.OutcomeRefused, flussi.OutcomeOf(err), name)
		failed := remoteError(t, err)
		assert.NotEmpty(t, failed.Operation)
		assert.NotEmpty(t, failed.Detail)
		assert.Zero(t, failed.Status)
	}
	assert.ErrorIs(t, put(func(e *pagoinrete.Event) { e.Name = "" }), flussi.ErrEmpty, "what is wrong is found")
	_, err := client.Notices(ctx, make([]uuid.UUID, pagoinrete.MaxNoticesPerCall+1))
	assert.ErrorIs(t, err, flussi.ErrRemoteInvalid)
	assert.Zero(t, calls)
}

func TestSchoolsSeeTheirOwnOnly(t *testing.T) {
	p := newPlatform(t, nil)
	e, n := p.ready(t, pagoinrete.EventNotified)
	p.LogIn(n.Payer)
	require.True(t, p.Pay(n.ID, n.Due()))
	const other, otherKey = "MIIC000001", "un-altra-chiave"
	p.AddSchool(restgatewaytest.School{Code: other, Key: otherKey})
	p.AddSchool(restgatewaytest.School{Code: "TOIC000001", Key: "chiusa", Forbidden: true})
	clientFor := func(key, school string) *restgateway.Client {
		client := must.Get(restgateway.New(clientCredentials(t, key), school, restgateway.Config{
			BaseURL: "http://localhost" + restgatewaytest.BasePath, HTTPClient: &http.Client{Transport: p.transport}, Calls: 1_000_000,
		}))(t)
		return client
	}
	for name, test := range map[string]struct {
		client *restgateway.Client
		want   error
	}{
		"a key that is none":       {clientFor("nessuna", clientSchool), flussi.ErrUnauthorized},
		"the key of another":       {clientFor(otherKey, clientSchool), flussi.ErrRemoteForbidden},
		"a school that is closed":  {clientFor("chiusa", "TOIC000001"), flussi.ErrRemoteForbidden},
		"another, with its own":    {clientFor(otherKey, other), flussi.ErrRemoteNotFound},
		"the school, with its own": {clientFor(clientKey, clientSchool), nil},
	} {
		for _, reading := range readings(e, n) {
			if reading.op == restgatewaytest.GetNotices && errors.Is(test.want, flussi.ErrRemoteNotFound) {
				all, err := test.client.Notices(t.Context(), []uuid.UUID{n.ID})
				assert.NoError(t, err)
				assert.Empty(t, all)
				continue
			}
			assert.ErrorIs(t, reading.do(t.Context(), test.client), test.want, "%s: %s", name, reading.op)
		}
		if test.want != nil {
			_, err := test.client.MoveEvent(t.Context(), clientOffice(), e.ID, pagoinrete.EventSubmit, flussi.Text{})
			assert.ErrorIs(t, err, test.want, name)
			assert.Equal(t, flussi.OutcomeRefused, flussi.OutcomeOf(err), name)
		}
	}
}

// The simulator judges by rules of its own. For every state, step and role it judges as the
// library's table does.
func TestTheSimulatorsRulesForEventsAreThoseOfTheTable(t *testing.T) {
	p := newPlatform(t, nil)
	words := map[restgatewaytest.EventState]pagoinrete.EventState{
		restgatewaytest.EventSimulated: pagoinrete.EventSimulated, restgatewaytest.EventToApprove: pagoinrete.EventToApprove,
		restgatewaytest.EventToNotify: pagoinrete.EventToNotify, restgatewaytest.EventRejected: pagoinrete.EventRejected,
		restgatewaytest.EventNotified: pagoinrete.EventNotified, restgatewaytest.EventDeleted: pagoinrete.EventDeleted,
	}
	e, _ := p.ready(t, pagoinrete.EventSimulated)
	steps := []pagoinrete.EventAction{pagoinrete.EventSubmit, pagoinrete.EventApprove, pagoinrete.EventReject, pagoinrete.EventNotify, pagoinrete.EventDelete}
	for word, state := range words {
		for _, action := range append(steps, pagoinrete.EventEdit) {
			for _, role := range []flussi.Role{flussi.Principal, flussi.AdminDirector, flussi.AdminAssistant, flussi.System, flussi.Operator} {
				by := flussi.Actor{ID: "x", Roles: []flussi.Role{role}}
				require.True(t, p.SetEventState(e.ID, word))
				var there pagoinrete.RemoteEvent
				var err error
				if action == pagoinrete.EventEdit {
					there, err = p.client.PutEvent(t.Context(), by, e)
				} else {
					there, err = p.client.MoveEvent(t.Context(), by, e.ID, action, flussi.NewText("x"))
				}
				to, refusal := pagoinrete.EventMachine().Fire(t.Context(), state, action, by)
				if role == flussi.System && refusal == nil {
					refusal = errors.New("not for the system")
				}
				name := fmt.Sprint(state, " ", action, " ", role)
				if refusal == nil {
					require.NoError(t, err, name)
					assert.Equal(t, to, there.State, name)
					continue
				}
				kept, _ := p.Event(e.ID)
				assert.Equal(t, word, kept.State, name)
				assert.Equal(t, flussi.OutcomeRefused, flussi.OutcomeOf(err), name)
				assert.True(t, errors.Is(err, flussi.ErrRemoteForbidden) || errors.Is(err, flussi.ErrRemoteState), name)
			}
		}
	}
}

func TestTheSimulatorsRulesForNoticesAreThoseOfTheTables(t *testing.T) {
	p := newPlatform(t, nil)
	e, n := p.ready(t, pagoinrete.EventNotified)
	notices := []restgatewaytest.NoticeState{
		restgatewaytest.NoticeNotNotified, restgatewaytest.NoticeNotified, restgatewaytest.NoticeAwaitingReceipt, restgatewaytest.NoticePaidOnline,
		restgatewaytest.NoticePaidManually, restgatewaytest.NoticeConfirmed, restgatewaytest.NoticeReconciled, restgatewaytest.NoticeReconciledManually,
		restgatewaytest.NoticeCancelled, restgatewaytest.NoticeRefunded,
	}
	proof := pagoinrete.Proof{Reference: "x", Amount: n.Due(), Date: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
	for _, event := range []restgatewaytest.EventState{restgatewaytest.EventSimulated, restgatewaytest.EventToApprove, restgatewaytest.EventNotified} {
		for _, word := range notices {
			require.True(t, p.SetEventState(e.ID, event))
			require.True(t, p.SetNoticeState(n.ID, word))
			there := must.Get(p.client.Event(t.Context(), e.ID))(t)
			state := p.one(t, n.ID).State
			if !pagoinrete.Compatible(there.State, state) {
				continue
			}
			for _, action := range []pagoinrete.NoticeAction{pagoinrete.NoticeCancel, pagoinrete.NoticePayManually, pagoinrete.NoticeRefund} {
				for _, by := range []flussi.Actor{clientOffice(), clientPrincipal(), {ID: "x"}} {
					require.True(t, p.SetNoticeState(n.ID, word))
					moved, err := p.client.MoveNotice(t.Context(), by, n.ID, action, proof)
					to, refusal := pagoinrete.NoticeMachine().Fire(t.Context(), state, action, by)
					name := fmt.Sprint(event, " ", word, " ", action, " ", by.ID)
					if refusal == nil && pagoinrete.Compatible(there.State, to) {
						require.NoError(t, err, name)
						assert.Equal(t, to, moved.State, name)
						continue
					}
					assert.Equal(t, state, p.one(t, n.ID).State, name)
					assert.Equal(t, flussi.OutcomeRefused, flussi.OutcomeOf(err), name)
				}
			}
		}
	}
}

// The library checks what is written before it is sent, the simulator checks what it gets, by
// rules that are written apart. Of random data, they think the same.
func TestTheLibraryAndTheSimulatorThinkTheSameOfData(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	pick := func(texts ...string) string { return texts[random.IntN(len(texts))] }
	amount := func() flussi.Cents {
		return []flussi.Cents{0, 1, 5000, 10000, 15000, flussi.MaxPayable, flussi.MaxPayable + 1, -1}[random.IntN(8)]
	}
	good, goodNotice := clientEvent(t), clientNotice(t, clientEvent(t))
	seen := map[string]int{}
	p := newFaulty(t, nil)
	rounds := 6000
	if testing.Short() {
		rounds = 1000
	}
	for range rounds {
		e := good
		e.ID = uuid.New()
		e.Instalments = slices.Clone(good.Instalments)
		if random.IntN(2) == 0 {
			e.Kind, e.Instalments = pagoinrete.Donation, e.Instalments[:random.IntN(2)]
		}
		for range random.IntN(3) {
			switch random.IntN(10) {
			case 0:
				e.Name = pick("", " ", "Gita", strings.Repeat("x", 100), strings.Repeat("x", 101), "a\tb", strings.Repeat("😀", 51))
			case 1:
				e.Causale = pick("", "Gita", strings.Repeat("x", 140), strings.Repeat("x", 141), "a\x00b")
			case 2:
				e.Category = pick("", "Visite", strings.Repeat("x", 101))
			case 3:
				e.SchoolYear = []pagoinrete.SchoolYear{0, 1999, 2000, 2999, 3000}[random.IntN(5)]
			case 4:
				e.Account = pick("", "IT60X0542811101000000123456", "IT60X0542811101000000123457", "IT60 X05428", "DE60X0542811101000000123456")
			case 5:
				e.Amount = amount()
			case 6:
				e.Flexible = !e.Flexible
				e.Amount *= flussi.Cents(random.IntN(2))
				for i := range e.Instalments {
					e.Instalments[i].Amount *= flussi.Cents(random.IntN(2))
				}
			case 7:
				if len(e.Instalments) > 0 {
					e.Instalments[0].Amount = amount()
				}
			case 8:
				if len(e.Instalments) > 0 {
					e.Instalments[0].DueDate = []time.Time{{}, time.Date(2027, 5, 1, 0, 0, 0, 0, time.UTC), time.Date(3000, 5, 1, 0, 0, 0, 0, time.UTC)}[random.IntN(3)]
				}
			case 9:
				e.Repeatable = !e.Repeatable
			}
		}
		body := must.Get(restgateway.EncodeEvent(e))(t)
		valid := e.Validate(e.Kind)
		status := putRaw(p.Simulator, "events", e.ID, body)
		require.Equal(t, valid == nil, status == 201, "%v: %s", valid, body)
		seen[fmt.Sprint("event ", status)]++

		n := goodNotice
		n.ID, n.EventID = uuid.New(), good.ID
		for range random.IntN(3) {
			switch random.IntN(7) {
			case 6:
				n.Transfers = pagoinrete.Transfers{{Amount: n.Due() - 1}, {Amount: []flussi.Cents{0, 1, 1, 2, -1}[random.IntN(5)]}}
			case 0:
				n.Debtor = []flussi.FiscalCode{{}, clientCode(t, secretPayer)}[random.IntN(2)]
			case 1:
				n.DebtorKind = pagoinrete.DebtorKind(pick("", "pupil", "staff", "x"))
			case 2:
				n.DebtorName = flussi.NewText(pick("", "x", strings.Repeat("x", 101), "a\nb"))
			case 3:
				n.Amount = amount()
			case 4:
				n.Discount = amount()
			case 5:
				n.DueDate = []time.Time{{}, time.Date(2027, 5, 1, 0, 0, 0, 0, time.UTC), time.Date(1999, 5, 1, 0, 0, 0, 0, time.UTC)}[random.IntN(3)]
			}
		}
		_, known := p.Event(good.ID)
		if !known {
			require.NoError(t, put(t, p.client, good))
		}
		body = must.Get(restgateway.EncodeNotice(n))(t)
		valid = n.Validate()
		status = putRaw(p.Simulator, "notices", n.ID, body)
		require.Equal(t, valid == nil, status == 201, "%v: %s", valid, body)
		seen[fmt.Sprint("notice ", status)]++
	}
	t.Log(seen)
	for _, what := range []string{"event 201", "event 400", "notice 201", "notice 400"} {
		assert.Greater(t, seen[what], rounds/20, what)
	}
}

// putRaw transmits something that the client would not, and returns the status.
func putRaw(simulator http.Handler, kind string, id uuid.UUID, body []byte) int {
	r := httptest.NewRequest(http.MethodPut, restgatewaytest.BasePath+"/schools/"+clientSchool+"/"+kind+"/"+id.String(), bytes.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+clientKey)
	r.Header.Set("Sidi-User", "x")
	r.Header.Set("Sidi-Roles", "AA")
	w := httptest.NewRecorder()
	simulator.ServeHTTP(w, r)
	return w.Code
}

// A redirect would carry the key and the data to another place.
func TestRedirectsAreNotFollowed(t *testing.T) {
	e := clientEvent(t)
	for _, status := range []int{301, 302, 303, 307, 308} {
		calls := 0
		client := clientOf(t, func(*http.Request) (*http.Response, error) {
			calls++
			r := answer(status, "", "")
			r.Header.Set("Location", "https://elsewhere.example/")
			return r, nil
		})
		err := put(t, client, e)
		assert.Equal(t, flussi.OutcomeUnknown, flussi.OutcomeOf(err), status)
		_, err = client.Event(t.Context(), e.ID)
		assert.ErrorIs(t, err, flussi.ErrUnavailable, status)
		_, err = client.NoticePDF(t.Context(), e.ID)
		assert.ErrorIs(t, err, flussi.ErrUnavailable, status)
		assert.Equal(t, 3, calls, status)
	}
}

// Calls go out evenly, however many ask at once, and all of them wait after a 429.
func TestCallsAreSpreadOverTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newFaulty(t, func(c *restgateway.Config) { c.Calls = 10 })
		e := clientEvent(t)
		require.NoError(t, put(t, p.client, e))
		all := func() time.Duration {
			start := time.Now()
			var group sync.WaitGroup
			for range 20 {
				group.Go(func() {
					_, err := p.client.Event(t.Context(), e.ID)
					assert.NoError(t, err)
				})
			}
			group.Wait()
			return time.Since(start)
		}
		assert.InDelta(t, 2, all().Seconds(), 0.11)
		p.Fail(restgatewaytest.GetEvent, restgatewaytest.Fault{Kind: restgatewaytest.TooManyRequests, RetryAfter: 10 * time.Second})
		assert.Greater(t, all(), 12*time.Second)
	})
}
