package restgatewaytest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
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
	"github.com/flussi-go/flussi/internal/openapitest"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

const (
	school = "RMIC8GA002"
	key    = "a-key"
	pupil  = "RSSMRA80A01H501U"
	parent = "VRDGPP75B02F205X"
)

// world is a simulator that is called as any program would, without this library's client. Its
// replies are checked against the document.
type world struct {
	*restgatewaytest.Simulator
	t       *testing.T
	handler http.Handler
}

func newWorld(t *testing.T) *world {
	t.Helper()
	document := must.Get(openapitest.Load("../openapi.yaml"))(t)
	s := restgatewaytest.New(restgatewaytest.Config{})
	s.AddSchool(restgatewaytest.School{Code: school, Key: key, Name: "I.C. Via (Però) € \\"})
	ignored := func(error) {}
	return &world{s, t, document.Handler(restgatewaytest.BasePath, s, ignored, func(err error) { assert.NoError(t, err) })}
}

// request is a call, and what it is made as.
type request struct {
	key, roles, method, path, body string
}

func (w *world) call(c request) (status int, body string, fields map[string]any) {
	r := httptest.NewRequest(c.method, restgatewaytest.BasePath+"/schools/"+school+c.path, strings.NewReader(c.body))
	if c.key == "" {
		c.key = key
	}
	r.Header.Set("Authorization", "Bearer "+c.key)
	if c.roles != "nobody" {
		r.Header.Set("Sidi-User", "Maria%20Bianchi")
		r.Header.Set("Sidi-Roles", c.roles)
	}
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	_ = json.Unmarshal(recorder.Body.Bytes(), &fields)
	return recorder.Code, recorder.Body.String(), fields
}

// must makes a call as an assistant and expects a status.
func (w *world) must(status int, method, path, body string) map[string]any {
	w.t.Helper()
	roles := "AA"
	if strings.HasSuffix(path, "/approve") || strings.HasSuffix(path, "/reject") {
		roles = "DS"
	}
	got, text, fields := w.call(request{roles: roles, method: method, path: path, body: body})
	require.Equal(w.t, status, got, text)
	return fields
}

const instalments = `[{"due_date":"2026-12-01T22:59:59Z","amount":10000},{"due_date":"2027-02-01T22:59:59Z","amount":5000}]`

// feeBody is a fee of two instalments, with a change.
func feeBody(from, to string) string {
	return strings.Replace(`{"kind":"TASSA","name":"Gita","causale":"Gita a Roma","school_year":2026,"financial_year":2026,"account":"IT60X0542811101000000123456",
		"amount":15000,"flexible":false,"instalments":`+instalments+`,"binding":false,"repeatable":false}`, from, to, 1)
}

func noticeBody(event uuid.UUID, from, to string) string {
	return strings.Replace(`{"event":"`+event.String()+`","instalment":1,"debtor":{"fiscal_code":"`+pupil+`","kind":"ALUNNO","name":"Rossi"},"payer":"`+parent+`",
		"amount":10000,"discount":1000,"due_date":"2026-12-01T22:59:59Z"}`, from, to, 1)
}

// add puts an event with a notice there.
func (w *world) add() (event, notice uuid.UUID) {
	w.t.Helper()
	event, notice = uuid.New(), uuid.New()
	w.putEvent(201, event, feeBody("", ""))
	w.putNotice(201, notice, noticeBody(event, "", ""))
	return event, notice
}

func (w *world) putEvent(status int, id uuid.UUID, body string) map[string]any {
	w.t.Helper()
	return w.must(status, "PUT", "/events/"+id.String(), body)
}

func (w *world) putNotice(status int, id uuid.UUID, body string) map[string]any {
	w.t.Helper()
	return w.must(status, "PUT", "/notices/"+id.String(), body)
}

// step takes steps with an event.
func (w *world) step(event uuid.UUID, actions ...string) {
	w.t.Helper()
	for _, action := range actions {
		w.must(200, "POST", "/events/"+event.String()+"/"+action, "{}")
	}
}

func code(t *testing.T, s string) flussi.FiscalCode {
	c := must.Get(flussi.ParseFiscalCode(s))(t)
	return c
}

func TestEventsAreChecked(t *testing.T) {
	for _, test := range []struct {
		from, to string
		status   int
		fault    string
	}{
		{``, ``, 201, ``},
		{`"TASSA"`, `"GITA"`, 400, `[root.kind]`},
		{`"Gita"`, `""`, 400, `[root.name]`},
		{`"Gita"`, `"` + strings.Repeat("x", 101) + `"`, 400, `[root.name]`},
		{`"Gita"`, `"a\u0000b"`, 400, `[root.name]`},
		{`"causale":"Gita a Roma",`, ``, 400, `[root.causale]`},
		{`"school_year":2026`, `"school_year":"2026/2027"`, 400, `[root.school_year]`},
		{`3456"`, `3457"`, 400, `[root.account]`},
		{`IT60`, `DE60`, 400, `[root.account]`},
		{`"amount":15000`, `"amount":15001`, 400, `[root.instalments]`},
		{`"amount":15000`, `"amount":150.00`, 400, `[root.amount]`},
		{`"flexible":false`, `"flexible":true`, 400, `[root.amount]`},
		{`"flexible":false,`, ``, 400, `[root.flexible]`},
		{instalments, `[]`, 400, `[root.instalments]`},
		{instalments, `null`, 400, `[root.instalments]`},
		{`2026-12-01T22:59:59Z`, `2026-12-01T23:59:59+01:00`, 400, `[root.instalments[0].due_date]`},
		{`2026-12-01T22:59:59Z`, `2027-12-01T22:59:59Z`, 400, `[root.instalments[1].due_date]`},
		{`"repeatable":false`, `"repeatable":true`, 400, `[root.repeatable]`},
		{`"kind"`, `"colour":"blue","kind"`, 400, `[root.colour]`},
	} {
		w := newWorld(t)
		id := uuid.New()
		status, body, fields := w.call(request{roles: "DSGA", method: "PUT", path: "/events/" + id.String(), body: feeBody(test.from, test.to)})
		require.Equal(t, test.status, status, "%s: %s", test.to, body)
		stored, kept := w.Event(id)
		assert.Equal(t, status == 201, kept)
		if status == 201 {
			assert.Equal(t, map[string]any{"id": id.String(), "remote_id": stored.RemoteID, "state": "SIMULATO"}, fields)
			continue
		}
		assert.Contains(t, fields["detail"], test.fault)
	}
}

func TestNoticesAreChecked(t *testing.T) {
	w := newWorld(t)
	event, _ := w.add()
	for _, test := range []struct {
		from, to string
		status   int
		fault    string
	}{
		{``, ``, 201, ``},
		{`"payer":"` + parent + `",`, ``, 201, ``},
		{`,"name":"Rossi"`, ``, 201, ``},
		{`"instalment":1`, `"instalment":2`, 201, ``},
		{`"instalment":1`, `"instalment":3`, 422, `2 instalments`},
		{`"instalment":1`, `"instalment":0`, 400, `[root.instalment]`},
		{event.String(), uuid.NewString(), 404, `no event`},
		{event.String(), `x`, 400, `[root.event]`},
		{pupil, strings.ToLower(pupil), 400, `[root.debtor.fiscal_code]`},
		{pupil, "80185250588", 400, `[root.debtor.fiscal_code]`},
		{parent, "", 400, `[root.payer]`},
		{`"ALUNNO"`, `"DOCENTE"`, 400, `[root.debtor.kind]`},
		{`"amount":10000`, `"amount":0`, 400, `[root.amount]`},
		{`"amount":10000`, `"amount":10000000000`, 400, `[root.amount]`},
		{`"discount":1000`, `"discount":10000`, 400, `[root.discount]`},
		{`"discount":1000`, `"discount":-1`, 400, `[root.discount]`},
		{`2026-12-01T22:59:59Z`, `2026-12-01`, 400, `[root.due_date]`},
		{`"event"`, `"colour":"blue","event"`, 400, `[root.colour]`},
	} {
		id := uuid.New()
		status, body, fields := w.call(request{roles: "AA", method: "PUT", path: "/notices/" + id.String(), body: noticeBody(event, test.from, test.to)})
		require.Equal(t, test.status, status, "%s: %s", test.to, body)
		stored, kept := w.Notice(id)
		assert.Equal(t, status == 201, kept)
		if status != 201 {
			assert.Contains(t, fields["detail"], test.fault)
			continue
		}
		assert.Equal(t, "NON_NOTIFICATO", fields["state"])
		assert.Equal(t, stored.Number.Reveal(), fields["number"])
		assert.Equal(t, event, stored.Event)
		assert.Equal(t, flussi.Cents(9000), stored.Due)
	}
}

func TestADonationHasNoNotices(t *testing.T) {
	w := newWorld(t)
	id := uuid.New()
	donation := strings.Replace(feeBody(instalments, `[]`), "TASSA", "EROGAZIONE_LIBERALE", 1)
	w.putEvent(201, id, donation)
	fields := w.putNotice(422, uuid.New(), noticeBody(id, "", ""))
	assert.Contains(t, fields["detail"], "donation")
	assert.Empty(t, w.Notices())
	stored, _ := w.Event(id)
	assert.True(t, stored.Donation)
	w.putEvent(409, id, feeBody("", "")) // it does not become a fee
}

func TestNumbersAreRightAndUnique(t *testing.T) {
	w := newWorld(t)
	w.AddSchool(restgatewaytest.School{Code: school, Key: "key-2", Segregation: "47"})
	event, _ := w.add()
	seen := map[string]bool{}
	for i := range 300 {
		segregation := []string{"01", "47"}[i%2]
		status, body, fields := w.call(request{key: []string{key, "key-2"}[i%2], roles: "AA", method: "PUT", path: "/notices/" + uuid.NewString(), body: noticeBody(event, "", "")})
		require.Equal(t, 201, status, body)
		number, _ := fields["number"].(string)
		require.Regexp(t, `^3`+segregation+`[0-9]{15}$`, number)
		base, _ := new(big.Int).SetString(number[:16], 10)
		assert.Equal(t, fmt.Sprintf("%02d", base.Mod(base, big.NewInt(93)).Int64()), number[16:])
		assert.False(t, seen[number])
		seen[number] = true
	}
}

func TestWhatIsPutAgainIsReplacedAsLongAsItsStatePermits(t *testing.T) {
	w := newWorld(t)
	event, notice := w.add()
	first, _ := w.Notice(notice)
	put := func(status int) {
		t.Helper()
		w.putEvent(status, event, feeBody("Gita", "Uscita"))
		w.putNotice(status, notice, noticeBody(event, `"discount":1000`, `"discount":0`))
	}
	put(200)
	w.step(event, "submit")
	put(409)
	w.step(event, "reject")
	put(200)
	w.step(event, "submit", "approve")
	put(409)
	w.step(event, "notify")
	put(409)
	e, _ := w.Event(event)
	n, _ := w.Notice(notice)
	assert.Equal(t, []int{1, 3, 1, 3}, []int{e.Created, e.Transmitted, n.Created, n.Transmitted})
	assert.Equal(t, first.RemoteID, n.RemoteID)
	assert.Equal(t, first.Number, n.Number)
	assert.Equal(t, flussi.Cents(10000), n.Due)
	assert.Contains(t, e.Request.Reveal(), "Uscita")
	// An ID is one thing's only.
	other, _ := w.add()
	w.putEvent(409, notice, feeBody("", ""))
	w.putNotice(409, event, noticeBody(other, "", ""))
	w.putNotice(409, notice, noticeBody(other, "", ""))
	// A notice that was cancelled stays so.
	_, notice = w.add()
	w.must(200, "POST", "/notices/"+notice.String()+"/cancel", "{}")
	n, _ = w.Notice(notice)
	w.putNotice(409, notice, noticeBody(n.Event, "", ""))
}

func TestWhoMayDoWhat(t *testing.T) {
	w := newWorld(t)
	for path, permitted := range map[string]string{
		"PUT /events/E": "DSGA AA", "PUT /notices/N": "DSGA AA", "POST /notices/N/cancel": "DSGA AA",
		"POST /events/E/submit": "DSGA AA", "POST /events/E/delete": "DSGA AA", "POST /events/E/notify": "DSGA AA",
		"POST /events/E/approve": "DS", "POST /events/E/reject": "DS",
	} {
		for _, roles := range []string{"", "nobody", "DS", "DSGA", "AA", "OPERATORE", "aa"} {
			event, notice := w.add()
			switch {
			case strings.HasSuffix(path, "notify"):
				w.SetEventState(event, restgatewaytest.EventToNotify)
			case strings.HasSuffix(path, "approve"), strings.HasSuffix(path, "reject"):
				w.SetEventState(event, restgatewaytest.EventToApprove)
			}
			method, path, _ := strings.Cut(path, " ")
			body := map[string]string{"PUT /events/E": feeBody("", ""), "PUT /notices/N": noticeBody(event, "", "")}[method+" "+path]
			if body == "" {
				body = "{}"
			}
			path = strings.NewReplacer("/E", "/"+event.String(), "/N", "/"+notice.String()).Replace(path)
			status, text, _ := w.call(request{roles: roles, method: method, path: path, body: body})
			if slices.Contains(strings.Fields(permitted), roles) {
				assert.Equal(t, 200, status, "%s %s: %s", path, roles, text)
			} else {
				assert.Equal(t, 403, status, "%s %s: %s", path, roles, text)
			}
		}
	}
	status, _, _ := w.call(request{roles: "DS,AA", method: "PUT", path: "/events/" + uuid.NewString(), body: feeBody("", "")})
	assert.Equal(t, 201, status, "one of the roles is enough")
}

func TestAnEventThatIsDeletedTakesItsNoticesAlong(t *testing.T) {
	w := newWorld(t)
	event, notice := w.add()
	w.step(event, "delete")
	n, _ := w.Notice(notice)
	assert.Equal(t, restgatewaytest.NoticeCancelled, n.State)
	assert.Equal(t, "cancel", n.Steps[0].Action)
	e, _ := w.Event(event)
	assert.Equal(t, restgatewaytest.EventDeleted, e.State)
	assert.Equal(t, "Maria Bianchi", e.Steps[0].By)
	w.must(409, "POST", "/events/"+event.String()+"/submit", "{}")
}

func TestNoticesFollowTheirEventAndTheirPayer(t *testing.T) {
	state := func(w *world, id uuid.UUID) restgatewaytest.NoticeState { n, _ := w.Notice(id); return n.State }
	w := newWorld(t)
	event, notice := w.add()
	staff := uuid.New()
	w.putNotice(201, staff, strings.Replace(noticeBody(event, `"payer":"`+parent+`",`, ``), "ALUNNO", "PERSONALE", 1))
	nobody := uuid.New()
	w.putNotice(201, nobody, noticeBody(event, `"payer":"`+parent+`",`, ``))
	w.LogIn(code(t, pupil)) // who is, of the second one, staff, and of the third no payer
	w.step(event, "submit", "approve")
	assert.Equal(t, restgatewaytest.NoticeNotNotified, state(w, staff), "the event is not notified")
	assert.False(t, w.StartPayment(staff))
	w.step(event, "notify")
	assert.Equal(t, restgatewaytest.NoticeNotified, state(w, staff))
	assert.Equal(t, restgatewaytest.NoticeNotNotified, state(w, nobody))
	assert.Equal(t, restgatewaytest.NoticeNotNotified, state(w, notice))
	w.RegisterPayer(code(t, parent))
	assert.Equal(t, restgatewaytest.NoticeNotNotified, state(w, notice), "registered, not logged in")
	fields := w.must(200, "POST", "/notices/query", `{"ids":["`+notice.String()+`"]}`)
	shown := fields["notices"].([]any)[0].(map[string]any)
	assert.Equal(t, []any{true, false}, []any{shown["payer_registered"], shown["payer_logged_in"]})
	w.LogIn(code(t, parent))
	assert.Equal(t, restgatewaytest.NoticeNotified, state(w, notice))
	w.RegisterPayer(code(t, parent))
	assert.Equal(t, restgatewaytest.NoticeNotified, state(w, notice), "who has logged in, has logged in")
}

func TestPayments(t *testing.T) {
	w := newWorld(t)
	event, notice := w.add()
	path := "/notices/" + notice.String()
	for name, impossible := range map[string]bool{
		"start": w.StartPayment(notice), "fail": w.FailPayment(notice), "pay": w.Pay(notice, 1), "settle": w.Settle(notice, 1),
		"reconcile": w.Reconcile(notice, 1), "of nothing": w.StartPayment(uuid.New()) || w.SetNoticeState(uuid.New(), "") || w.SetEventState(uuid.New(), "") || w.Forget(uuid.New()),
	} {
		assert.False(t, impossible, name)
	}
	w.LogIn(code(t, parent))
	w.step(event, "submit", "approve", "notify")
	w.must(404, "GET", path+"/receipt", "")
	require.True(t, w.StartPayment(notice))
	w.must(409, "POST", path+"/cancel", "{}")
	require.True(t, w.FailPayment(notice))
	assert.Equal(t, 1., w.must(200, "GET", path+"/receipt", "")["outcome"])
	require.True(t, w.Pay(notice, 9000))
	receipt := w.must(200, "GET", path+"/receipt", "")
	assert.Equal(t, []any{0., 9000., notice.String()}, []any{receipt["outcome"], receipt["amount"], receipt["notice"]})
	assert.False(t, w.Pay(notice, 9000), "once is enough")
	require.True(t, w.Reconcile(notice, 9000))
	require.True(t, w.Settle(notice, 9000))
	evidence := func() (kinds []string) {
		fields := w.must(200, "POST", "/notices/query", `{"ids":["`+notice.String()+`"]}`)
		for kind := range fields["notices"].([]any)[0].(map[string]any)["evidence"].(map[string]any) {
			kinds = append(kinds, kind)
		}
		slices.Sort(kinds)
		return kinds
	}
	assert.Equal(t, []string{"movement", "receipt", "settlement"}, evidence())
	proof := `{"reference":"mandato 7","amount":9000,"date":"2027-01-07T00:00:00Z","by":"dsga"}`
	w.must(400, "POST", path+"/refund", "{}")
	w.must(422, "POST", path+"/refund", strings.Replace(proof, "9000", "8999", 1))
	assert.Equal(t, "RIMBORSATO", w.must(200, "POST", path+"/refund", proof)["state"])
	assert.Equal(t, []string{"movement", "receipt", "refund", "settlement"}, evidence())
	require.True(t, w.SetProof(notice, restgatewaytest.Refund, restgatewaytest.Proof{}))
	assert.Equal(t, []string{"movement", "receipt", "settlement"}, evidence())

	_, byHand := w.add()
	w.must(409, "POST", "/notices/"+byHand.String()+"/pay-manually", proof) // its event is not notified
	n, _ := w.Notice(byHand)
	w.step(n.Event, "submit", "approve", "notify")
	assert.Equal(t, "PAGATO_MANUALMENTE", w.must(200, "POST", "/notices/"+byHand.String()+"/pay-manually", proof)["state"])
	require.True(t, w.Reconcile(byHand, 9000))
	n, _ = w.Notice(byHand)
	assert.Equal(t, restgatewaytest.NoticeReconciledManually, n.State)
}

func TestThePlatformCanContradictItself(t *testing.T) {
	w := newWorld(t)
	event, notice := w.add()
	w.LogIn(code(t, parent))
	w.step(event, "submit", "approve", "notify")
	require.True(t, w.SetNoticeState(notice, restgatewaytest.NoticeNotNotified))
	n, _ := w.Notice(notice)
	assert.Equal(t, restgatewaytest.NoticeNotNotified, n.State, "it does not follow any more")
	number := must.Get(flussi.ParseNoticeNumber("301005100001400678"))(t)
	require.True(t, w.SetNumber(notice, number))
	require.True(t, w.SetEventState(event, restgatewaytest.EventSimulated))
	n, _ = w.Notice(notice)
	assert.Equal(t, number, n.Number)

	require.True(t, w.Forget(notice))
	w.must(200, "POST", "/notices/query", `{"ids":["`+notice.String()+`"]}`)
	w.must(404, "GET", "/notices/"+notice.String()+"/pdf", "")
	_, kept := w.Notice(notice)
	assert.False(t, kept)
	w.putNotice(201, notice, noticeBody(event, "", ""))
	assert.Equal(t, 2, w.Created(notice))
	assert.Len(t, w.Notices(), 1)
	require.True(t, w.Forget(event))
	assert.Empty(t, w.Events())
	assert.Empty(t, w.Notices())
	w.must(404, "GET", "/events/"+event.String(), "")
	assert.Zero(t, w.Created(uuid.New()))
}

func TestQueries(t *testing.T) {
	w := newWorld(t)
	_, one := w.add()
	_, two := w.add()
	ask := func(ids ...string) string { return `{"ids":["` + strings.Join(ids, `","`) + `"]}` }
	found := w.must(200, "POST", "/notices/query", ask(two.String(), uuid.NewString(), one.String(), two.String()))
	assert.Len(t, found["notices"], 2, "each once, and what is not there is left out")
	for _, body := range []string{``, `{}`, `{"ids":[]}`, `{"ids":null}`, ask("x"), `{"ids":[7]}`, ask(slices.Repeat([]string{one.String()}, 501)...), `{"ids":["` + one.String() + `"],"x":1}`} {
		w.must(400, "POST", "/notices/query", body)
	}
}

func TestTheGatewayAnswersForItself(t *testing.T) {
	w := newWorld(t)
	w.AddSchool(restgatewaytest.School{Code: "MIIC000001", Key: "key-2"})
	w.AddSchool(restgatewaytest.School{Code: school, Key: "closed", Forbidden: true})
	event, _ := w.add()
	for used, want := range map[string]int{"nobody's": 401, "key-2": 403, "closed": 403, key: 200} {
		status, _, _ := w.call(request{key: used, roles: "AA", method: "GET", path: "/events/" + event.String()})
		assert.Equal(t, want, status, used)
	}
	for _, path := range []string{"", "/", "/events", "/events/x", "/events/" + event.String() + "/pay", "/events/" + event.String() + "/submit/x", "/notices/" + event.String(), "/notices/" + event.String() + "/x"} {
		r := httptest.NewRequest("GET", restgatewaytest.BasePath+"/schools/"+school+path, nil)
		recorder := httptest.NewRecorder()
		w.ServeHTTP(recorder, r)
		assert.Equal(t, 404, recorder.Code, path)
		assert.NotContains(t, recorder.Header().Get("Content-Type"), "problem", path)
	}
	assert.Equal(t, 4, w.Received(restgatewaytest.GetEvent))
}

func TestASchoolHasALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := restgatewaytest.New(restgatewaytest.Config{Calls: 3, Window: 10 * time.Second})
		s.AddSchool(restgatewaytest.School{Code: school, Key: key})
		w := &world{s, t, s}
		for range 3 {
			w.must(404, "GET", "/events/"+uuid.NewString(), "")
		}
		time.Sleep(2 * time.Second)
		w.must(429, "GET", "/events/"+uuid.NewString(), "")
		assert.Equal(t, 1, s.Limited())
		time.Sleep(8 * time.Second)
		w.must(404, "GET", "/events/"+uuid.NewString(), "")
	})
}

// A reader of PDF finds every object where the table of the file says that it is.
func TestNoticesArePrinted(t *testing.T) {
	w := newWorld(t)
	event, notice := w.add()
	w.putEvent(200, event, feeBody(`"Gita"`, `"Gita (è) – 😀"`))
	status, text, _ := w.call(request{method: "GET", path: "/notices/" + notice.String() + "/pdf"})
	require.Equal(t, 200, status)
	n, _ := w.Notice(notice)
	must.Contain(t, text, "Importo: 90,00 \x80", "Scadenza: 01/12/2026", n.Number.Grouped(), `Gita \(`+"\xE8"+`\) ? ?`, `I.C. Via \(Per`+"\xF2"+`\) `+"\x80"+` \\`)
	assert.True(t, strings.HasPrefix(text, "%PDF-1.4\n") && strings.HasSuffix(text, "%%EOF\n"))
	start := regexp.MustCompile(`startxref\n(\d+)\n%%EOF\n$`).FindStringSubmatch(text)
	require.NotNil(t, start)
	at := must.Get(strconv.Atoi(start[1]))(t)
	table := strings.Split(text[at:], "\n")
	require.Equal(t, []string{"xref", "0 6", "0000000000 65535 f "}, table[:3])
	for i, line := range table[3:8] {
		require.Len(t, line, 19, "20 bytes, with the end of the line")
		offset := must.Get(strconv.Atoi(line[:10]))(t)
		assert.True(t, strings.HasPrefix(text[offset:], fmt.Sprintf("%d 0 obj\n", i+1)))
	}
	length := regexp.MustCompile(`(?s)/Length (\d+) >>\nstream\n(.*)\nendstream`).FindStringSubmatch(text)
	require.NotNil(t, length)
	assert.Equal(t, length[1], fmt.Sprint(len(length[2])))
}

func TestFaults(t *testing.T) {
	for _, fault := range restgatewaytest.Faults() {
		t.Run(fault.String(), func(t *testing.T) {
			server := restgatewaytest.NewServer(restgatewaytest.Config{})
			defer server.Close()
			server.AddSchool(restgatewaytest.School{Code: school, Key: key})
			server.Fail(restgatewaytest.PutEvent, fault)
			patience := 30 * time.Second
			if fault.Kind == restgatewaytest.Silent {
				patience = 200 * time.Millisecond
			}
			id := uuid.New()
			put := func() (status int, body []byte, err error) {
				client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
				r := must.Get(http.NewRequest("PUT", server.URL+"/schools/"+school+"/events/"+id.String(), strings.NewReader(feeBody("", ""))))(t)
				r.Header = http.Header{"Authorization": {"Bearer " + key}, "Sidi-User": {"x"}, "Sidi-Roles": {"AA"}}
				resp, err := client.Do(r)
				if err != nil {
					return 0, nil, err
				}
				defer resp.Body.Close()
				body, err = io.ReadAll(resp.Body)
				return resp.StatusCode, body, err
			}
			status, body, err := put()
			_, kept := server.Event(id)
			assert.Equal(t, fault.ExecutesCall(), kept)
			var fields map[string]any
			whole := json.Unmarshal(body, &fields) == nil && fields["id"] == id.String()
			switch fault.Kind {
			case restgatewaytest.Silent, restgatewaytest.Reset, restgatewaytest.Truncated, restgatewaytest.CutBody:
				assert.Error(t, err)
			case restgatewaytest.CutWithoutLength, restgatewaytest.Garbled, restgatewaytest.OtherID:
				assert.NoError(t, err)
				assert.Equal(t, 201, status)
				assert.False(t, whole)
			case restgatewaytest.Huge:
				assert.Greater(t, len(body), 16<<20)
				assert.True(t, whole)
			case restgatewaytest.Slow:
				assert.True(t, whole)
			default:
				assert.NoError(t, err)
				assert.Equal(t, string(fault.Kind)[:3], fmt.Sprint(status))
				assert.Equal(t, bytes.Contains(body, []byte(`"title"`)), strings.Contains("400 403 404 409 422 500 problem", string(fault.Kind)) && fault.Kind != restgatewaytest.ServerError)
			}
			patience = 30 * time.Second
			status, _, err = put()
			assert.NoError(t, err, "one fault, one call")
			assert.Contains(t, []int{200, 201}, status)
			assert.Equal(t, 1, server.Created(id))
		})
	}
	w := newWorld(t)
	w.Fail(restgatewaytest.GetEvent, restgatewaytest.Fault{}, restgatewaytest.Fault{Kind: "new"})
	event, _ := w.add()
	w.must(200, "GET", "/events/"+event.String(), "")
	w.must(501, "GET", "/events/"+event.String(), "")
}

func TestRandomFaultsStrikeTheirShare(t *testing.T) {
	w := newWorld(t)
	event, _ := w.add()
	count := func() (failed int) {
		for range 1000 {
			if status, _, _ := w.call(request{method: "GET", path: "/events/" + event.String()}); status == 500 {
				failed++
			}
		}
		return failed
	}
	w.FailAtRandom(restgatewaytest.GetEvent, 0.3, 1, restgatewaytest.Fault{Kind: restgatewaytest.ServerProblem})
	assert.InDelta(t, 300, count(), 50)
	w.Fail(restgatewaytest.GetEvent, restgatewaytest.Fault{Kind: restgatewaytest.ServerProblem})
	w.StopFailing()
	assert.Zero(t, count())
	assert.Equal(t, 2000, w.Received(restgatewaytest.GetEvent))
}

func TestTheSimulatorIsSafeForConcurrentUse(t *testing.T) {
	w := newWorld(t)
	event, _ := w.add()
	w.FailAtRandom(restgatewaytest.PutNotice, 0.5, 1, restgatewaytest.Fault{Kind: restgatewaytest.Garbled}, restgatewaytest.Fault{Kind: restgatewaytest.BadGateway})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				id := uuid.New()
				call := httptest.NewRequest("PUT", restgatewaytest.BasePath+"/schools/"+school+"/notices/"+id.String(), strings.NewReader(noticeBody(event, "", "")))
				call.Header = http.Header{"Authorization": {"Bearer " + key}, "Sidi-User": {"x"}, "Sidi-Roles": {"AA"}}
				w.ServeHTTP(httptest.NewRecorder(), call)
				w.LogIn(flussi.TestRecipient())
				w.StartPayment(id)
				w.Notices()
				w.Forget(uuid.New())
			}
		})
	}
	group.Wait()
	numbers := map[flussi.NoticeNumber]bool{}
	for _, n := range w.Notices() {
		assert.False(t, numbers[n.Number])
		assert.Equal(t, 1, n.Created)
		numbers[n.Number] = true
	}
	assert.Greater(t, len(numbers), 200)
}
